// The bank's side of one compact sale, keyed on (M, n) (US 6,076,078, FIG. 7; docs/SPEC.md, "Compact"): JB2
// by the customer and JB3 by the merchant come in either order, and neither sees the other's. The bank pairs
// them.
//
//              JB2 ok: lock, sign JB2ack        JB3 equal, in time: spend, credit M, JB4a
//   absent ───────────────────────────▶ locked ───────────────────────────────────────▶ settled
//     │                                    └──────────────────────────────────────────▶ released
//     │ JB3 in time                          asked at or after the expiration: release, JB4b
//     ▼            JB2 ok and equal: lock, and all of the above in one step
//   keyed ────────────────────────────────────────────────────────────────────────────▶ settled
//     └───────────▶ lapsed
//       asked at or after the expiration: no authorization came, and JB3 is refused
//
// Invariants: commit iff the bank's sequencing time < expiration, abort iff >= (half-open); one JB2 per (M,
// n) is ever locked; nothing is released but by the JB4b that the bank signs then; k leaves only inside a
// JB4a; no answer to M holds JB2, which names the tokens, and none to C a JB3 that was not committed.

public import Messages

/// The machine of one (M, n).
public struct BankPairing: ~Copyable, Sendable {
  private enum State {
    case absent
    case keyed(Verified<JB3>)
    case lapsed(Verified<JB3>)
    case locked(Verified<JB2>, Verified<JB2ack>)
    case settled(Verified<JB2>, Verified<JB2ack>, Verified<JB4a>)
    case released(Verified<JB2>, Verified<JB2ack>, Verified<JB4b>)
  }

  private var state: State

  /// A transaction of which nothing is known.
  public init() { state = .absent }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: LockPhase, messages: [Label: [UInt8]]) throws(MessageError) {
    switch phase {
    case .absent: state = .absent
    case .keyed: state = .keyed(try messages.stored(JB3.self))
    case .lapsed: state = .lapsed(try messages.stored(JB3.self))
    case .locked: state = .locked(try messages.stored(JB2.self), try messages.stored(JB2ack.self))
    case .settled:
      state = .settled(
        try messages.stored(JB2.self), try messages.stored(JB2ack.self), try messages.stored(JB4a.self))
    case .released:
      state = .released(
        try messages.stored(JB2.self), try messages.stored(JB2ack.self), try messages.stored(JB4b.self))
    }
  }

  /// Where it stands.
  public var phase: LockPhase {
    switch state {
    case .absent: .absent
    case .keyed: .keyed
    case .lapsed: .lapsed
    case .locked: .locked
    case .settled: .settled
    case .released: .released
    }
  }

  /// The authorization that is, or was, locked, and the bank's word for it.
  public var lock: (request: Verified<JB2>, acknowledgement: Verified<JB2ack>)? {
    switch state {
    case .absent, .keyed, .lapsed: nil
    case .locked(let jb2, let ack), .settled(let jb2, let ack, _), .released(let jb2, let ack, _): (jb2, ack)
    }
  }

  /// The outcome, once there is one.
  public var outcome: CompactOutcome? {
    switch state {
    case .absent, .keyed, .lapsed, .locked: nil
    case .settled(_, _, let commit): .committed(commit)
    case .released(_, _, let abort): .aborted(abort)
    }
  }

  // MARK: Events

  /// JB2 arrived; its token signatures hold. `facts` has an entry for each token's id. Again it asks for the
  /// outcome, and from the expiration on it gets one.
  public mutating func authorised(
    _ jb2: Verified<JB2>, facts: [Hash: TokenFacts], policy: BankPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    if let (known, ack) = lock {
      guard known.payload == jb2.payload else {
        let detail = "this merchant's n already has another authorization"
        return [.refuse(Denial(.nReused, detail, proof: [known.bytes]))]
      }
      if let outcome { return [.reply(outcome.bytes)] }
      guard now >= known.payload.terms.expiration else { return [.reply(ack.bytes)] }
      return try abort(known, ack, at: now, key: key)
    }
    if let denial = policy.check(jb2, facts: facts, at: now, bank: key.publicKey) {
      return [.refuse(denial)]
    }
    let terms = jb2.payload.terms
    var waiting: Verified<JB3>?
    switch state {
    case .keyed(let jb3):
      if let denial = terms.mismatch(jb3) { return [.refuse(denial)] }
      waiting = jb3
    case .lapsed: return [.refuse(Denial(.expired, "the bank has told the merchant that JB2 did not come"))]
    case .absent, .locked, .settled, .released: break
    }
    let ack = try Verified(signing: JB2ack(at: now, hJB2: jb2.hash), with: key)
    state = .locked(jb2, ack)
    let locking =
      [.keep(Label(.jb2), jb2.bytes), .keep(Label(.jb2ack), ack.bytes), .enter(.locked)]
      + jb2.payload.locks(under: jb2.hash, facts: facts)
    if let waiting { return locking + (try commit(jb2, ack, waiting, at: now, key: key)) }
    return locking + [.reply(ack.bytes)]
  }

  /// JB3 arrived, unsealed; the merchant's signature holds. Again it asks for the outcome, and from the
  /// expiration on it gets one.
  public mutating func submitted(
    _ jb3: Verified<JB3>, policy: BankPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    let expiration = jb3.payload.expiration
    switch state {
    case .absent:
      if let denial = policy.checkCap(expiration, "JB3", at: now) { return [.refuse(denial)] }
      return keep(jb3, at: now)
    case .keyed(let known), .lapsed(let known):
      guard known.payload == jb3.payload else {
        return [.refuse(Denial(.nReused, "this n already has another JB3"))]
      }
      if case .lapsed = state { return [.refuse(Self.unauthorised)] }
      return now < expiration ? [] : keep(jb3, at: now)
    case .locked(let jb2, let ack):
      // The abort of another sale than M's would never end M's.
      if let denial = jb2.payload.terms.mismatch(jb3) { return [.refuse(denial)] }
      if now >= jb2.payload.terms.expiration { return try abort(jb2, ack, at: now, key: key) }
      return try commit(jb2, ack, jb3, at: now, key: key)
    case .settled(_, _, let commit):
      guard try Verified<JB3>(stored: commit.payload.submission).payload == jb3.payload else {
        return [.refuse(Denial(.nReused, "this n was committed with another JB3"))]
      }
      return [.reply(commit.bytes)]
    case .released(let jb2, _, let abort):
      if let denial = jb2.payload.terms.mismatch(jb3) { return [.refuse(denial)] }
      return [.reply(abort.bytes)]
    }
  }

  /// Somebody shows the bank an outcome of its own: the merchant, who wants the receipt.
  public func shown(_ outcome: CompactOutcome) -> [BankEffect] {
    guard let known = self.outcome else {
      return [.refuse(Denial(.unknownTransaction, "this bank holds no outcome of it"))]
    }
    guard known == outcome else { return [.refuse(Denial(.mismatch, "the outcome was another one"))] }
    guard case .settled(let jb2, _, _) = state else { return [.reply(known.bytes)] }
    let terms = jb2.payload.terms
    return [.confirmCredit(merchant: terms.merchant, value: terms.value, lock: jb2.hash)]
  }

  // MARK: Steps

  private static let unauthorised = Denial(
    .unknownTransaction, "no authorization of this sale came before its expiration")

  /// Without JB2: JB3 waits for it until the expiration, and is refused from then on, for ever.
  private mutating func keep(_ jb3: Verified<JB3>, at now: Timestamp) -> [BankEffect] {
    let isLate = now >= jb3.payload.expiration
    state = isLate ? .lapsed(jb3) : .keyed(jb3)
    return [.keep(Label(.jb3), jb3.bytes), .enter(phase)] + (isLate ? [.refuse(Self.unauthorised)] : [])
  }

  private mutating func commit(
    _ jb2: Verified<JB2>, _ ack: Verified<JB2ack>, _ jb3: Verified<JB3>, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    let terms = jb2.payload.terms
    let commit = try Verified(
      signing: JB4a(lifetime: terms.lifetime, at: now, hJB2: jb2.hash, submission: jb3.bytes), with: key)
    state = .settled(jb2, ack, commit)
    return [
      .keep(Label(.jb3), jb3.bytes), .keep(Label(.jb4a), commit.bytes), .enter(.settled),
      .spend(lock: jb2.hash), .credit(merchant: terms.merchant, value: terms.value, lock: jb2.hash),
      .receipt(commit: commit.bytes, merchant: terms.merchant, value: terms.value, lock: jb2.hash),
      .reply(commit.bytes),
    ]
  }

  private mutating func abort(
    _ jb2: Verified<JB2>, _ ack: Verified<JB2ack>, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    let terms = jb2.payload.terms
    let abort = try Verified(
      signing: JB4b(
        n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
        hP1: terms.hP1, at: now, failed: Reason.expired.rawValue, hJB2: jb2.hash), with: key)
    state = .released(jb2, ack, abort)
    return [
      .keep(Label(.jb4b), abort.bytes), .enter(.released), .release(lock: jb2.hash),
      .publish(abort: abort.bytes, terms: terms, lock: jb2.hash), .send(abort.bytes, to: terms.merchant),
      .reply(abort.bytes),
    ]
  }
}
