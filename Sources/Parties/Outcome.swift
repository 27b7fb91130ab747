// A lock and its single outcome, in any mode that has them: what an outcome has to match before it counts.
//
// Invariant: nobody acts on an outcome that `Lock.mismatch` has not compared with the lock (attacks 1, 2, 5
// to 8); an outcome of another mode is another type.

public import Messages

/// A mode whose locks end by an outcome: what a commit has to show beside the lock's terms.
public protocol LockMode: PurchaseMode {
  /// What the bank owes for this commit, whose terms are the lock's.
  static func due(
    _ commit: Verified<Commit<Self>>, _ submission: Verified<Submission>, under terms: LockTerms
  ) throws(Mismatch) -> Money
}

/// What does not agree, as the rest of a sentence: "another lock".
public struct Mismatch: Error, Equatable, Sendable {
  public let what: String

  public init(_ what: String) { self.what = what }
}

extension LockMode {
  /// All of the lock, for the key that it commits to.
  public static func due(
    _ commit: Verified<Commit<Self>>, _ submission: Verified<Submission>, under terms: LockTerms
  ) throws(Mismatch) -> Money {
    try checkKey(submission, hx: terms.hx, of: terms)
    return terms.value
  }

  /// That the published key is the one committed to.
  static func checkKey(
    _ submission: Verified<Submission>, hx: Hash, of terms: LockTerms
  ) throws(Mismatch) {
    let key = submission.payload.key
    guard Hash.keyCommitment(mode, merchant: terms.merchant, n: terms.n, key: key) == hx else {
      throw Mismatch("a key that the contract does not commit to")
    }
  }
}

extension AnnouncedMode: LockMode {}

extension [TokenInput] {
  /// The first `amount` minor units of a payment, in the order of its list, and the rest.
  public func split(after amount: UInt64) -> (used: [TokenInput], rest: [TokenInput]) {
    var (used, rest, left): ([TokenInput], [TokenInput], UInt64) = ([], [], amount)
    for input in self {
      let part = Swift.min(left, input.amount)
      left -= part
      if part > 0 { used.append(TokenInput(token: input.token, amount: part)) }
      if part < input.amount { rest.append(TokenInput(token: input.token, amount: input.amount - part)) }
    }
    return (used, rest)
  }
}

extension TokenMode {
  /// Who decides, and signs the outcomes.
  public static var archiveRole: Role { mode == .joint || mode == .compact ? .bank : .archive }
}

/// How a lock ends: by the single outcome that its archive publishes, or, where the archive is gone for good,
/// by the witnesses' abort (attack 4).
public enum Outcome<M: LockMode>: Equatable, Sendable {
  case committed(Verified<Commit<M>>)
  case aborted(Verified<Abort<M>>)
  case witnessed(Verified<P5c>)

  /// The complete bytes of P5a, P5b, their kin, or P5c.
  public var bytes: [UInt8] {
    switch self {
    case .committed(let message): message.bytes
    case .aborted(let message): message.bytes
    case .witnessed(let message): message.bytes
    }
  }

  /// Under which name it is kept.
  public var label: Label {
    switch self {
    case .committed: Label(M.commitType)
    case .aborted: Label(M.abortType)
    case .witnessed: .p5c
    }
  }

  /// Whether it pays the merchant; otherwise it gives the tokens back.
  public var isCommit: Bool { if case .committed = self { true } else { false } }

  /// The archive or witness that signed it.
  public var signer: PublicKey {
    switch self {
    case .committed(let message): message.signer
    case .aborted(let message): message.signer
    case .witnessed(let message): message.signer
    }
  }

  /// (M, n). Fails only for a stored outcome that is damaged.
  public func transaction() throws(MessageError) -> (merchant: PublicKey, n: TransactionID) {
    switch self {
    case .committed(let message):
      let submission = try Unverified<M.Submission>(message.payload.submission)
      return (submission.claimedSigners[0], submission.claims.n)
    case .aborted(let message): return (message.payload.merchant, message.payload.n)
    case .witnessed(let message): return (message.payload.merchant, message.payload.n)
    }
  }

  /// Reads P5a or P5b and checks the archive's signature, its place in the trust list at the time it
  /// stamped, and the merchant's signature of what is inside: P4 in a commit, the Cancel in an abort that
  /// did not wait for the expiration. Or reads P5c, with the certificates of a quorum of witnesses.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    if let commit = try? Unverified<Commit<M>>(bytes) {
      let verified = try Verified(commit, by: .trusted(trust, as: M.archiveRole, at: commit.claims.at))
      _ = try Outcome.merchantPart(of: verified, trust: trust)
      self = .committed(verified)
    } else if (try? MessageType(peeking: bytes)) == .p5c {
      self = .witnessed(try WitnessAbort.verified(bytes, trust: trust))
    } else {
      let abort = try Unverified<Abort<M>>(bytes)
      if let cancel = abort.claims.cancel {
        _ = try Verified<Cancel>(cancel, by: .key(abort.claims.merchant))
      }
      self = .aborted(try Verified(abort, by: .trusted(trust, as: M.archiveRole, at: abort.claims.at)))
    }
  }

  /// Reads an outcome that this party verified before it stored it.
  public init(stored bytes: [UInt8]) throws(MessageError) {
    if let commit = try? Verified<Commit<M>>(stored: bytes) {
      self = .committed(commit)
    } else if let abort = try? Verified<P5c>(stored: bytes) {
      self = .witnessed(abort)
    } else {
      self = .aborted(try Verified<Abort<M>>(stored: bytes))
    }
  }

  /// The P4 inside a P5a (or their kin), its signature and signer checked.
  public static func merchantPart(
    of commit: Verified<Commit<M>>, trust: TrustList
  ) throws(MessageError) -> Verified<M.Submission> {
    try Verified(commit.payload.submission, by: .trusted(trust, as: .merchant, at: commit.payload.at))
  }
}

/// The lock that P3 made: what an outcome has to match before it counts for it.
public struct Lock<M: LockMode>: Equatable, Sendable {
  /// L = H(P3).
  public let name: Hash
  public let terms: LockTerms

  public init(_ p3: Verified<M.LockMessage>) {
    name = p3.hash
    terms = p3.payload.terms
  }

  /// A lock that was checked before.
  init(name: Hash, terms: LockTerms) { (self.name, self.terms) = (name, terms) }

  /// Whether this is the archive's own outcome of this lock: signed by the keys that the lock names, and it
  /// matches.
  func isEnded(by bytes: [UInt8]) -> Bool {
    if let commit = try? Verified<Commit<M>>(bytes, by: .key(terms.archive)) {
      let submission = try? Verified<M.Submission>(commit.payload.submission, by: .key(terms.merchant))
      return submission != nil && mismatch(.committed(commit)) == nil
    }
    guard let abort = try? Verified<Abort<M>>(bytes, by: .key(terms.archive)) else { return false }
    if let cancel = abort.payload.cancel, (try? Verified<Cancel>(cancel, by: .key(terms.merchant))) == nil {
      return false
    }
    return mismatch(.aborted(abort)) == nil
  }

  /// Nil if the outcome is this lock's; otherwise what does not match.
  public func mismatch(_ outcome: Outcome<M>) -> String? {
    switch outcome {
    case .committed(let commit): return terms.mismatch(commit, lock: name)
    case .aborted(let abort):
      guard abort.signer == terms.archive else { return "another archive than the lock names" }
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
      return nil
    case .witnessed(let abort):
      return WitnessAbort.mismatch(abort, lock: name, terms: terms) { isEnded(by: $0) }
    }
  }

  /// Before the expiration only the merchant's own Cancel of this lock lets an archive abort: its word alone
  /// does not. The signature was checked when the outcome was read.
  private func isCancelled(_ abort: Abort<M>) -> Bool {
    abort.failed == Reason.cancelled.rawValue && abort.holdsCancel
  }
}

extension Abort {
  /// Whether it holds the merchant's Cancel of this very lock. The Cancel's signature was checked when the
  /// outcome was read.
  public var holdsCancel: Bool {
    guard let cancel = cancel.flatMap({ try? Verified<Cancel>(stored: $0) }) else { return false }
    return cancel.payload.lock == lock && cancel.payload.n == n && cancel.signer == merchant
  }
}

extension LockTerms {
  /// Nil if the commit is the one of these terms; otherwise what does not match. `lock` is L; nil when the
  /// lock's message never arrived: then the terms alone have to do, as only one lock can have them.
  public func mismatch<M: LockMode>(_ commit: Verified<Commit<M>>, lock: Hash?) -> String? {
    do throws(Mismatch) {
      _ = try due(commit, lock: lock)
      return nil
    } catch { return error.what }
  }

  /// What the bank owes for a commit of these terms.
  public func due<M: LockMode>(
    _ commit: Verified<Commit<M>>, lock: Hash?
  ) throws(Mismatch) -> Money {
    guard commit.signer == archive else { throw Mismatch("another archive than the lock names") }
    guard let submission = try? Verified<M.Submission>(stored: commit.payload.submission) else {
      throw Mismatch("\(M.Submission.type.label) is damaged")
    }
    if let lock, submission.payload.lock != lock { throw Mismatch("another lock") }
    guard submission.signer == merchant, submission.payload.n == n else {
      throw Mismatch("another transaction")
    }
    guard submission.payload.hP1 == hP1 else { throw Mismatch("another contract") }
    guard submission.payload.expiration == expiration else { throw Mismatch("another expiration") }
    guard commit.payload.at < expiration else { throw Mismatch("committed at or after the expiration") }
    guard commit.payload.lifetime == lifetime else { throw Mismatch("another lifetime") }
    return try M.due(commit, submission, under: self)
  }
}
