// The single outcome of a compact sale (US 6,076,078, FIG. 7) and what it has to match before it counts.
// There is no P3: the customer's own authorization names the lock, L = H(JB2), and the merchant, who never
// sees it, knows the sale by the JB3 that it signed itself.
//
// Invariant: nobody acts on an outcome that was not compared here with what he signed (attacks 2, 5 and 10).

public import Messages

/// JB4a or JB4b.
public enum CompactOutcome: Equatable, Sendable {
  case committed(Verified<JB4a>)
  case aborted(Verified<JB4b>)

  /// The complete bytes.
  public var bytes: [UInt8] {
    switch self {
    case .committed(let message): message.bytes
    case .aborted(let message): message.bytes
    }
  }

  /// The bank that signed it.
  public var signer: PublicKey {
    switch self {
    case .committed(let message): message.signer
    case .aborted(let message): message.signer
    }
  }

  /// (M, n). Fails only for a stored outcome that is damaged.
  public func transaction() throws(MessageError) -> (merchant: PublicKey, n: TransactionID) {
    switch self {
    case .committed(let message):
      let submission = try Unverified<JB3>(message.payload.submission)
      return (submission.claimedSigners[0], submission.claims.n)
    case .aborted(let message): return (message.payload.merchant, message.payload.n)
    }
  }

  /// Reads it and checks the bank's signature, its place in the trust list at the time that it stamped, and
  /// in a commit the merchant's signature of the JB3 inside.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    if let commit = try? Unverified<JB4a>(bytes) {
      let verified = try Verified(commit, by: .trusted(trust, as: .bank, at: commit.claims.at))
      _ = try Verified<JB3>(
        verified.payload.submission, by: .trusted(trust, as: .merchant, at: verified.payload.at))
      self = .committed(verified)
    } else {
      let abort = try Unverified<JB4b>(bytes)
      self = .aborted(try Verified(abort, by: .trusted(trust, as: .bank, at: abort.claims.at)))
    }
  }

  /// Reads an outcome that this party verified before it stored it.
  public init(stored bytes: [UInt8]) throws(MessageError) {
    if let commit = try? Verified<JB4a>(stored: bytes) {
      self = .committed(commit)
    } else {
      self = .aborted(try Verified<JB4b>(stored: bytes))
    }
  }
}

extension LockTerms {
  /// Nil if the merchant's authorization is the one that these terms want; otherwise what does not agree. The
  /// two come to the bank apart, and neither signer saw the other's.
  public func mismatch(_ jb3: Verified<JB3>) -> Denial? {
    let payload = jb3.payload
    guard jb3.signer == merchant, payload.n == n else {
      return Denial(.mismatch, "JB2 and JB3 are of different transactions")
    }
    guard payload.hP1 == hP1 else { return Denial(.mismatch, "JB2 and JB3 name different contracts") }
    guard payload.expiration == expiration else {
      return Denial(.mismatch, "JB2 and JB3 have different expirations: the contract fixes it")
    }
    guard payload.value == value else {
      return Denial(.wrongValue, "JB2 is over \(value), JB3 over \(payload.value): the contract fixes it")
    }
    guard Hash.keyCommitment(.compact, merchant: merchant, n: n, key: payload.key) == hx else {
      return Denial(.wrongKey, "k is not the key that the contract commits to")
    }
    return nil
  }

  /// Nil if the outcome is that of the JB2 with this hash and these terms; otherwise what does not match.
  public func mismatch(_ outcome: CompactOutcome, request: Hash) -> String? {
    guard outcome.signer == archive else { return "another bank than JB2 is for" }
    switch outcome {
    case .committed(let commit):
      guard commit.payload.hJB2 == request else { return "another authorization" }
      guard let jb3 = try? Verified<JB3>(stored: commit.payload.submission) else { return "JB3 is damaged" }
      if let denial = mismatch(jb3) { return denial.detail }
      guard commit.payload.at < expiration else { return "committed at or after the expiration" }
      guard commit.payload.lifetime == lifetime else { return "another lifetime" }
    case .aborted(let abort):
      let payload = abort.payload
      guard payload.hJB2 == request else { return "another authorization" }
      guard payload.merchant == merchant, payload.n == n, payload.hP1 == hP1 else {
        return "another transaction"
      }
      guard payload.expiration == expiration, payload.lifetime == lifetime else {
        return "another expiration or lifetime"
      }
      guard payload.at >= expiration else { return "aborted before the expiration" }
    }
    return nil
  }
}

extension Verified<JB3> {
  /// Nil if the outcome is that of this authorization, signed by the bank that it was sealed to; otherwise
  /// what does not match. The lifetime is JB2's, which the merchant never sees: the bank answers for it.
  public func mismatch(_ outcome: CompactOutcome, bank: PublicKey) -> String? {
    guard outcome.signer == bank else { return "another bank than JB3 was sent to" }
    switch outcome {
    case .committed(let commit):
      guard commit.payload.submission == bytes else { return "another JB3" }
      guard commit.payload.at < payload.expiration else { return "committed at or after the expiration" }
    case .aborted(let abort):
      guard abort.payload.merchant == signer, abort.payload.n == payload.n,
        abort.payload.hP1 == payload.hP1
      else { return "another transaction" }
      guard abort.payload.expiration == payload.expiration else { return "another expiration" }
      guard abort.payload.at >= payload.expiration else { return "aborted before the expiration" }
    }
    return nil
  }
}
