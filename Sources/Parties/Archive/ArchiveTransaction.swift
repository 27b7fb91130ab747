// The archive's side of one lock L: open until it publishes the single outcome (US 6,076,078, FIG. 4;
// docs/SPEC.md, "Core").
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

/// P4 as it reaches the archive: unsealed, with P3 (and the acknowledgement) beside it, all signatures
/// checked.
public struct Submission: Equatable, Sendable {
  public let p4: Verified<P4>
  public let p3: Verified<P3>
  public let acknowledgement: Verified<Acknowledgement>?

  /// Reads the unsealed bundle [P4, P3, S_p(P1)?] and checks who signed what at `now`.
  public init(_ bundle: Bundle, trust: TrustList, at now: Timestamp) throws(MessageError) {
    guard (2...3).contains(bundle.messages.count) else {
      throw MessageError(.malformed, "field-range", "P4 bundle")
    }
    p4 = try Verified(bundle.messages[0], by: .trusted(trust, as: .merchant, at: now))
    p3 = try Verified(bundle.messages[1], by: .trusted(trust, as: .bank, at: now))
    if bundle.messages.count == 3 {
      acknowledgement = try Verified(bundle.messages[2], by: .key(p3.payload.terms.pseudonym))
    } else {
      acknowledgement = nil
    }
  }
}

/// What an archive does after an event; all of it in one durable step.
public enum ArchiveEffect: Equatable, Sendable {
  /// Append this outcome of L to the record of (M, n).
  case publish(Outcome, lock: Lock)
  case reply([UInt8])
  case refuse(Denial)
  /// Deliver a copy to a bank or merchant.
  case send([UInt8], to: PublicKey)
}

/// The machine of one lock.
public struct ArchiveTransaction: ~Copyable, Sendable {
  private enum State {
    case open
    case decided(Outcome)
  }

  private let lock: Lock
  private let bank: PublicKey
  private var state: State

  /// Takes up the lock that P3 names; `outcome` is what the record has for L, nil if nothing.
  public init(_ p3: Verified<P3>, outcome: Outcome?) {
    lock = Lock(p3)
    bank = p3.signer
    state = if let outcome { .decided(outcome) } else { .open }
  }

  /// P4 arrived. `otherCommit` is a commit of the same (M, n) under another lock, if the record has one.
  public mutating func submitted(
    _ submission: Submission, otherCommit: [UInt8]?, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveEffect] {
    if case .decided(let outcome) = state { return answer(outcome, asked: .committed) }
    if let denial = check(submission, otherCommit, at: now, archive: key.publicKey) {
      return [.refuse(denial)]
    }
    let commit = P5a(submission: submission.p4.bytes, at: now, lifetime: lock.terms.lifetime)
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
  ) throws(MessageError) -> Outcome {
    let terms = lock.terms
    return .aborted(
      try Verified(
        signing: P5b(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.name, at: now, failed: reason, cancel: cancel), with: key))
  }

  private mutating func publish(_ outcome: Outcome) -> [ArchiveEffect] {
    state = .decided(outcome)
    return [
      .publish(outcome, lock: lock), .send(outcome.bytes, to: bank),
      .send(outcome.bytes, to: lock.terms.merchant), .reply(outcome.bytes),
    ]
  }

  /// The record stands: the same answer to whoever asked for it, a refusal with the record to whoever
  /// wanted the other.
  private func answer(_ outcome: Outcome, asked: Reason) -> [ArchiveEffect] {
    switch (outcome, asked) {
    case (.committed, .committed), (.aborted, .aborted): [.reply(outcome.bytes)]
    case (.committed, _): [.refuse(Denial(.committed, "it is committed", proof: [outcome.bytes]))]
    case (.aborted, _): [.refuse(Denial(.aborted, "it is aborted", proof: [outcome.bytes]))]
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
    _ submission: Submission, _ otherCommit: [UInt8]?, at now: Timestamp, archive: PublicKey
  ) -> Denial? {
    let p4 = submission.p4
    let terms = lock.terms
    if let denial = checkOwn(archive: archive, at: now) { return denial }
    guard p4.payload.lock == lock.name else { return Denial(.mismatch, "P4.L is not H(P3)") }
    guard p4.signer == terms.merchant, p4.payload.n == terms.n else {
      return Denial(.mismatch, "P4 and P3 are of different transactions")
    }
    guard p4.payload.hP1 == terms.hP1 else { return Denial(.mismatch, "P4 and P3 name different contracts") }
    guard p4.payload.expiration == terms.expiration else {
      return Denial(.mismatch, "P4 and P3 have different expirations")
    }
    if let acknowledgement = submission.acknowledgement?.payload {
      guard acknowledgement.n == terms.n, acknowledgement.merchant == terms.merchant,
        acknowledgement.hP1 == terms.hP1
      else { return Denial(.mismatch, "S_p(P1) is for another contract") }
    }
    guard
      Hash.keyCommitment(.core, merchant: terms.merchant, n: terms.n, key: p4.payload.key) == terms.hx
    else { return Denial(.wrongKey, "k is not the key that the contract commits to") }
    if let otherCommit {
      return Denial(.nReused, "this (M, n) is committed under another lock", proof: [otherCommit])
    }
    guard now < terms.expiration else { return Denial(.tooLate, "the expiration has passed") }
    return nil
  }
}
