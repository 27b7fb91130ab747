// What all parties share: labels under which signed bytes are kept, and the two answers that a peer is
// entitled to.
//
// Party logic is sans-IO: a machine takes a verified message and the time, and returns effects. It reads
// no clock, draws no randomness, does no I/O. Whoever runs it applies all effects of one event in one
// durable step, and only then sends (docs/DESIGN.md, "Persist before send").

public import Messages

/// Under which name a machine's message is kept in the append-only log.
public enum Label: String, Sendable {
  case n1 = "N1"
  case p1 = "P1"
  case p2 = "P2"
  case p3 = "P3"
  case acknowledgement = "S_p(P1)"
  case p4 = "P4"
  case cancel = "Cancel"
  case p5a = "P5a"
  case p5b = "P5b"
  case credit = "Credit"
  case nak = "NAK"
  case refusal = "Refusal"
  /// Evidence against a party that contradicted itself.
  case evidence = "Evidence"
}

/// Why an event was refused, before it is signed as a `Refusal`.
public struct Denial: Error, Equatable, Sendable {
  /// The reason's code goes into the Refusal.
  public let reason: Reason
  /// A sentence for a person: what was wrong, with the values.
  public let detail: String
  /// Messages that show that it had to be refused.
  public let proof: [[UInt8]]

  public init(_ reason: Reason, _ detail: String, proof: [[UInt8]] = []) {
    (self.reason, self.detail, self.proof) = (reason, detail, proof)
  }

  /// The payload to sign and send to whoever asked.
  public func refusal(of request: Hash, at time: Timestamp) -> Refusal {
    Refusal(at: time, reason: reason, hRequest: request, proof: proof, detail: detail)
  }
}

/// The single outcome that an archive publishes for a lock.
public enum Outcome: Equatable, Sendable {
  case committed(Verified<P5a>)
  case aborted(Verified<P5b>)

  /// The complete bytes of P5a or P5b.
  public var bytes: [UInt8] {
    switch self {
    case .committed(let message): message.bytes
    case .aborted(let message): message.bytes
    }
  }

  /// The archive that signed it.
  public var signer: PublicKey {
    switch self {
    case .committed(let message): message.signer
    case .aborted(let message): message.signer
    }
  }

  /// Reads P5a or P5b and checks the archive's signature, its place in the trust list at the time it
  /// stamped, and the merchant's signature of what is inside: P4 in a commit, the Cancel in an abort that
  /// did not wait for the expiration.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    if let commit = try? Unverified<P5a>(bytes) {
      let verified = try Verified(commit, by: .trusted(trust, as: .archive, at: commit.claims.at))
      _ = try Outcome.merchantPart(of: verified, trust: trust)
      self = .committed(verified)
    } else {
      let abort = try Unverified<P5b>(bytes)
      if let cancel = abort.claims.cancel {
        _ = try Verified<Cancel>(cancel, by: .key(abort.claims.merchant))
      }
      self = .aborted(try Verified(abort, by: .trusted(trust, as: .archive, at: abort.claims.at)))
    }
  }

  /// Reads an outcome that this party verified before it stored it.
  public init(stored bytes: [UInt8]) throws(MessageError) {
    if let commit = try? Verified<P5a>(stored: bytes) {
      self = .committed(commit)
    } else {
      self = .aborted(try Verified<P5b>(stored: bytes))
    }
  }

  /// The P4 inside a P5a, its signature and signer checked.
  public static func merchantPart(
    of commit: Verified<P5a>, trust: TrustList
  ) throws(MessageError) -> Verified<P4> {
    try Verified(commit.payload.submission, by: .trusted(trust, as: .merchant, at: commit.payload.at))
  }
}

/// The lock that P3 made: what an outcome has to match before it counts for it.
public struct Lock: Equatable, Sendable {
  /// L = H(P3).
  public let name: Hash
  public let terms: LockTerms

  public init(_ p3: Verified<P3>) {
    name = p3.hash
    terms = p3.payload.terms
  }

  /// Nil if the outcome is this lock's; otherwise what does not match. The catalogue's attacks 1, 2 and 5.
  public func mismatch(_ outcome: Outcome) -> String? {
    guard outcome.signer == terms.archive else { return "another archive than the lock names" }
    switch outcome {
    case .committed(let commit):
      guard let p4 = try? Verified<P4>(stored: commit.payload.submission) else { return "P4 is damaged" }
      guard p4.payload.lock == name else { return "another lock" }
      guard p4.signer == terms.merchant, p4.payload.n == terms.n else { return "another transaction" }
      guard p4.payload.hP1 == terms.hP1 else { return "another contract" }
      guard p4.payload.expiration == terms.expiration else { return "another expiration" }
      guard commit.payload.at < terms.expiration else { return "committed at or after the expiration" }
      guard commit.payload.lifetime == terms.lifetime else { return "another lifetime" }
      let hx = Hash.keyCommitment(.core, merchant: terms.merchant, n: terms.n, key: p4.payload.key)
      guard hx == terms.hx else { return "a key that the contract does not commit to" }
    case .aborted(let abort):
      guard abort.payload.lock == name else { return "another lock" }
      guard abort.payload.merchant == terms.merchant, abort.payload.n == terms.n else {
        return "another transaction"
      }
      guard abort.payload.expiration == terms.expiration, abort.payload.lifetime == terms.lifetime else {
        return "another expiration or lifetime"
      }
      guard abort.payload.at >= terms.expiration || isCancelled(abort.payload) else {
        return "aborted before the expiration without the merchant's Cancel"
      }
    }
    return nil
  }

  /// Before the expiration only the merchant's own Cancel of this lock lets an archive abort: its word alone
  /// does not. The signature was checked when the outcome was read.
  private func isCancelled(_ abort: P5b) -> Bool {
    guard abort.failed == Reason.cancelled.rawValue,
      let cancel = abort.cancel.flatMap({ try? Verified<Cancel>(stored: $0) })
    else { return false }
    return cancel.payload.lock == name && cancel.payload.n == terms.n && cancel.signer == terms.merchant
  }
}
