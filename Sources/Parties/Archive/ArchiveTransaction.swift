// The archive's side of one lock L, in any mode that locks: open until it publishes the single outcome (US
// 6,076,078, FIGS. 3 to 6 and 8; docs/SPEC.md, "Core"). The labels of the core protocol stand for those of
// every mode; what a mode asks for beside P4 and P3 stands in its `ArchiveMode`.
//
//            P4 in time: publish P5a
//   open ──────────────────────────────▶ committed
//     │
//     └────────────────────────────────▶ aborted
//       abort request at or after the expiration, or Cancel by M: publish P5b
//
// Invariants: one outcome per L and one commit per (M, n), for ever; commit iff the sequencing time <
// expiration, abort by time iff >= (half-open); after the lifetime nothing new is published, since
// records may be gone.

public import Messages

/// A mode as the archive sees it: what has to come with the submission before it may commit.
public protocol ArchiveMode: LockMode {
  /// What comes beside the submission and the lock, its signatures checked.
  associatedtype Attachment: Equatable, Sendable
  /// Reads it from what follows in the bundle.
  static func attachment(
    _ rest: ArraySlice<[UInt8]>, beside lock: Verified<LockMessage>
  ) throws(MessageError) -> Attachment
  /// Whose ciphertext the archive has to hold before it commits: H of the message that describes it. Nil
  /// where the customer has it.
  static func promise(_ attachment: Attachment) -> Hash?
  /// The commitment to the key that the submission carries; a series has one for each purchase.
  static func commitment(_ attachment: Attachment, _ terms: LockTerms) -> Hash
  /// Whether it allows the commit. `holdsGoods`: all of what `promise` names is here, checked.
  static func check(
    _ attachment: Attachment, submission: Verified<Submission>, terms: LockTerms, holdsGoods: Bool
  ) -> Denial?
  /// What the archive publishes, signed inside with its own `key` where it vouches for the goods.
  static func commit(
    _ submission: Verified<Submission>, _ attachment: Attachment, terms: LockTerms, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> Commit<Self>
}

extension ArchiveMode {
  public static func promise(_ attachment: Attachment) -> Hash? { nil }
  public static func commitment(_ attachment: Attachment, _ terms: LockTerms) -> Hash { terms.hx }
}

/// P4 as it reaches the archive: unsealed, with P3 (and what the mode asks for) beside it, all signatures
/// checked.
public struct Submitted<M: ArchiveMode>: Equatable, Sendable {
  public let p4: Verified<M.Submission>
  public let p3: Verified<M.LockMessage>
  public let attachment: M.Attachment

  /// Reads the unsealed bundle [P4, P3, …] and checks who signed what at `now`.
  public init(_ bundle: Bundle, trust: TrustList, at now: Timestamp) throws(MessageError) {
    guard (2...5).contains(bundle.messages.count) else {
      throw MessageError(.malformed, "field-range", "\(M.Submission.type.label) bundle")
    }
    p4 = try Verified(bundle.messages[0], by: .trusted(trust, as: .merchant, at: now))
    p3 = try Verified(bundle.messages[1], by: .trusted(trust, as: .bank, at: now))
    attachment = try M.attachment(bundle.messages[2...], beside: p3)
  }
}

/// What an archive does after an event; all of it in one durable step.
public enum ArchiveEffect: Equatable, Sendable {
  /// Append this outcome of L to the record of (M, n).
  case publish([UInt8], isCommit: Bool, terms: LockTerms, lock: Hash)
  case reply([UInt8])
  case refuse(Denial)
  /// Deliver a copy to a bank or merchant.
  case send([UInt8], to: PublicKey)
}

/// The machine of one lock.
public struct ArchiveTransaction<M: ArchiveMode>: ~Copyable, Sendable {
  private enum State {
    case open
    case decided(Outcome<M>)
  }

  private let lock: Lock<M>
  private let bank: PublicKey
  private var state: State

  /// Takes up the lock that P3 names; `outcome` is what the record has for L, nil if nothing.
  public init(_ p3: Verified<M.LockMessage>, outcome: Outcome<M>?) {
    lock = Lock<M>(p3)
    bank = p3.signer
    state = if let outcome { .decided(outcome) } else { .open }
  }

  /// P4 arrived. `otherCommit` is a commit of the same (M, n) under another lock, if the record has one, and
  /// empty if its body is gone;
  /// `holdsGoods` says that the archive has all of the ciphertext that `M.promise` names, root and length
  /// checked.
  public mutating func submitted(
    _ submission: Submitted<M>, otherCommit: [UInt8]?, holdsGoods: Bool = false, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveEffect] {
    if case .decided(let outcome) = state { return answer(outcome, asked: .committed) }
    if let denial = check(submission, otherCommit, holdsGoods, at: now, archive: key.publicKey) {
      return [.refuse(denial)]
    }
    let commit = try M.commit(
      submission.p4, submission.attachment, terms: lock.terms, at: now, key: key)
    return publish(.committed(try Verified(signing: commit, with: key)))
  }

  /// Somebody who holds P3 wants the abort.
  public mutating func abortRequested(
    at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveEffect] {
    if case .decided(let outcome) = state { return [.reply(outcome.bytes)] }
    if let denial = checkOwn(archive: key.publicKey, at: now) { return [.refuse(denial)] }
    guard now >= lock.terms.expiration else {
      let left = lock.terms.expiration - now
      return [.refuse(Denial(.tooEarly, "the transaction is open for another \(left) seconds"))]
    }
    return publish(try abort(.expired, cancel: nil, at: now, key: key))
  }

  /// The merchant gives up: its Cancel names this lock; the signature holds.
  public mutating func cancelled(
    _ cancel: Verified<Cancel>, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveEffect] {
    guard cancel.signer == lock.terms.merchant, cancel.payload.lock == lock.name,
      cancel.payload.n == lock.terms.n
    else { return [.refuse(Denial(.mismatch, "the Cancel is not for this lock"))] }
    if case .decided(let outcome) = state { return answer(outcome, asked: .aborted) }
    if let denial = checkOwn(archive: key.publicKey, at: now) { return [.refuse(denial)] }
    return publish(try abort(.cancelled, cancel: cancel.bytes, at: now, key: key))
  }

  // MARK: Steps

  private func abort(
    _ reason: Reason, cancel: [UInt8]?, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> Outcome<M> {
    let terms = lock.terms
    return .aborted(
      try Verified(
        signing: Abort<M>(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.name, at: now, failed: reason, cancel: cancel), with: key))
  }

  private mutating func publish(_ outcome: Outcome<M>) -> [ArchiveEffect] {
    state = .decided(outcome)
    let record = ArchiveEffect.publish(
      outcome.bytes, isCommit: outcome.isCommit, terms: lock.terms, lock: lock.name)
    // The joint bank-archive tells itself in the same durable step.
    let copies = [bank, lock.terms.merchant].filter { $0 != lock.terms.archive }
    return [record] + copies.map { .send(outcome.bytes, to: $0) } + [.reply(outcome.bytes)]
  }

  /// The record stands: the same answer to whoever asked for it, a refusal with the record to whoever
  /// wanted the other.
  private func answer(_ outcome: Outcome<M>, asked: Reason) -> [ArchiveEffect] {
    switch (outcome, asked) {
    case (.committed, .committed), (.aborted, .aborted): [.reply(outcome.bytes)]
    case (.committed, _): [.refuse(Denial(.committed, "it is committed", proof: [outcome.bytes]))]
    case (.aborted, _), (.witnessed, _): [.refuse(Denial(.aborted, "it is aborted", proof: [outcome.bytes]))]
    }
  }

  // MARK: Checks (docs/SPEC.md, "P4")

  private func checkOwn(archive: PublicKey, at now: Timestamp) -> Denial? {
    guard lock.terms.archive == archive else { return Denial(.mismatch, "P3 names another archive") }
    guard now < lock.terms.lifetime else {
      return Denial(.lifetime, "the transaction's lifetime has ended; records may be gone")
    }
    return nil
  }

  private func check(
    _ submission: Submitted<M>, _ otherCommit: [UInt8]?, _ holdsGoods: Bool, at now: Timestamp,
    archive: PublicKey
  ) -> Denial? {
    let p4 = submission.p4
    let terms = lock.terms
    if let denial = checkOwn(archive: archive, at: now) { return denial }
    guard p4.payload.lock == lock.name else {
      return Denial(.mismatch, "L is not the hash of the lock's message")
    }
    guard p4.signer == terms.merchant, p4.payload.n == terms.n else {
      return Denial(.mismatch, "P4 and P3 are of different transactions")
    }
    guard p4.payload.hP1 == terms.hP1 else { return Denial(.mismatch, "P4 and P3 name different contracts") }
    guard p4.payload.expiration == terms.expiration else {
      return Denial(.mismatch, "P4 and P3 have different expirations")
    }
    if let denial = M.check(
      submission.attachment, submission: p4, terms: terms, holdsGoods: holdsGoods)
    {
      return denial
    }
    let hx = M.commitment(submission.attachment, terms)
    guard Hash.keyCommitment(M.mode, merchant: terms.merchant, n: terms.n, key: p4.payload.key) == hx else {
      return Denial(.wrongKey, "k is not the key that the contract commits to")
    }
    if let otherCommit {
      let proof = otherCommit.isEmpty ? [] : [otherCommit]
      return Denial(.nReused, "this (M, n) is committed under another lock", proof: proof)
    }
    guard now < terms.expiration else { return Denial(.tooLate, "the expiration has passed") }
    return nil
  }
}
