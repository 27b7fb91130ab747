// The bank's side of one purchase, keyed on (M, n), in any mode that locks: tokens are locked by P2 or its
// kin and settled or released by the archive's single outcome (US 6,076,078, FIGS. 3 to 6 and 8;
// docs/SPEC.md, "Core"). The labels of the core protocol stand for those of every mode.
//
//             P2 ok: lock, sign P3              P5a of L: spend, credit M
//   absent ───────────────────────▶ locked ───────────────────────────▶ settled
//                                     │
//                                     └───────────────────────────────▶ released
//                                       P5b or P5c of L: release
//
// Invariants: the bank's own clock never unlocks anything; one lock per (M, n), for ever; an event that
// was already answered gets the same bytes again.

public import Messages

/// What a bank does after an event; all of it in one durable step.
public enum BankEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  case enter(LockPhase)
  /// Lock `amount` minor units of this token under L.
  case lock(token: Token, value: Money, amount: UInt64, lock: Hash)
  /// What L locked is spent: its value leaves the outstanding tokens.
  case spend(lock: Hash)
  /// Of what L locked these amounts are spent, and `rest` is available again (a series below its budget).
  case spendPart(lock: Hash, used: [TokenInput], rest: Money)
  /// What L locked is available again.
  case release(lock: Hash)
  /// Credit the merchant; the entry's reference is L.
  case credit(merchant: PublicKey, value: Money, lock: Hash)
  /// Sign a Credit for this merchant and send it.
  case confirmCredit(merchant: PublicKey, value: Money, lock: Hash)
  case reply([UInt8])
  case refuse(Denial)
  case send([UInt8], to: PublicKey)
  /// Append this abort of the bank's own to its record, for everybody to read.
  case publish(abort: [UInt8], terms: LockTerms, lock: Hash)
  /// Sign a Credit as `confirmCredit` does, and send it to the merchant together with the commit that it pays
  /// for.
  case receipt(commit: [UInt8], merchant: PublicKey, value: Money, lock: Hash)
}

/// Where a lock stands. As stored: stable numbers. Only a pairing (FIG. 7) is ever keyed or lapsed.
public enum LockPhase: Int, Sendable {
  case absent = 0
  case locked, settled, released
  case keyed, lapsed
}

/// The machine of one (M, n).
public struct BankLock<M: LockMode>: ~Copyable, Sendable {
  private enum State {
    case absent
    case locked(Verified<M.Request>, Verified<M.LockMessage>)
    case settled(Verified<M.Request>, Verified<M.LockMessage>, Outcome<M>)
    case released(Verified<M.Request>, Verified<M.LockMessage>, Outcome<M>)
  }

  private var state: State

  /// A transaction of which nothing is known.
  public init() { state = .absent }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: LockPhase, messages: [Label: [UInt8]]) throws(MessageError) {
    if phase == .absent {
      state = .absent
      return
    }
    let (p2, p3) = (try messages.stored(M.Request.self), try messages.stored(M.LockMessage.self))
    switch phase {
    case .absent, .locked: state = .locked(p2, p3)
    case .settled: state = .settled(p2, p3, .committed(try messages.stored()))
    case .released: state = .released(p2, p3, try messages.storedAbort())
    case .keyed, .lapsed: throw MessageError(.misuse, "field-range", "bank store: phase of a lock")
    }
  }

  /// Where it stands.
  public var phase: LockPhase {
    switch state {
    case .absent: .absent
    case .locked: .locked
    case .settled: .settled
    case .released: .released
    }
  }

  /// P3, once there is one.
  public var p3: Verified<M.LockMessage>? {
    switch state {
    case .absent: nil
    case .locked(_, let p3), .settled(_, let p3, _), .released(_, let p3, _): p3
    }
  }

  /// The outcome, once there is one.
  public var outcome: Outcome<M>? {
    switch state {
    case .absent, .locked: nil
    case .settled(_, _, let outcome), .released(_, _, let outcome): outcome
    }
  }

  /// What the lock was made upon, and the lock.
  var request: (made: Verified<M.Request>, lock: Verified<M.LockMessage>)? {
    switch state {
    case .absent: nil
    case .locked(let p2, let p3), .settled(let p2, let p3, _), .released(let p2, let p3, _): (p2, p3)
    }
  }

  /// The lock is made.
  mutating func lockedUpon(_ request: Verified<M.Request>, _ lock: Verified<M.LockMessage>) {
    state = .locked(request, lock)
  }

  // MARK: Events

  /// An outcome arrived, from whomever; its signatures hold.
  public mutating func decided(_ outcome: Outcome<M>) -> [BankEffect] {
    switch state {
    case .absent:
      return [.refuse(Denial(.unknownTransaction, "this bank holds no lock for it"))]
    case .locked(let p2, let p3):
      if let mismatch = Lock<M>(p3).mismatch(outcome) {
        return [
          .refuse(Denial(.mismatch, "the outcome does not match the lock: \(mismatch)", proof: [p3.bytes]))
        ]
      }
      return end(p2, p3, outcome)
    case .settled(_, let p3, let known), .released(_, let p3, let known):
      return again(p3, known, outcome)
    }
  }

  private mutating func end(
    _ p2: Verified<M.Request>, _ p3: Verified<M.LockMessage>, _ outcome: Outcome<M>
  ) -> [BankEffect] {
    let terms = p3.payload.terms
    switch outcome {
    case .committed(let commit):
      state = .settled(p2, p3, outcome)
      let due = due(p3, commit)
      return [
        .keep(Label(M.commitType), commit.bytes), .enter(.settled), spending(p2, p3, due),
        .credit(merchant: terms.merchant, value: due, lock: p3.hash),
        .confirmCredit(merchant: terms.merchant, value: due, lock: p3.hash),
      ]
    case .aborted, .witnessed:
      state = .released(p2, p3, outcome)
      return [
        .keep(outcome.label, outcome.bytes), .enter(.released), .release(lock: p3.hash),
        .reply(outcome.bytes),
      ]
    }
  }

  private func due(_ p3: Verified<M.LockMessage>, _ commit: Verified<Commit<M>>) -> Money {
    // It matched the lock, or it would not be here.
    (try? p3.payload.terms.due(commit, lock: p3.hash)) ?? p3.payload.terms.value
  }

  private func spending(
    _ p2: Verified<M.Request>, _ p3: Verified<M.LockMessage>, _ due: Money
  ) -> BankEffect {
    let value = p3.payload.terms.value
    guard due.amount < value.amount, let request = p2.payload as? any SignedByTokens,
      let rest = Money(currency: value.currency, amount: value.amount - due.amount)
    else { return .spend(lock: p3.hash) }
    return .spendPart(lock: p3.hash, used: request.tokenInputs.split(after: due.amount).used, rest: rest)
  }

  /// An outcome after the end: the same kind again is answered again; the other kind, if it matches the
  /// lock, is proof against the archive and changes nothing here.
  private func again(_ p3: Verified<M.LockMessage>, _ known: Outcome<M>, _ outcome: Outcome<M>)
    -> [BankEffect]
  {
    let terms = p3.payload.terms
    if let mismatch = Lock<M>(p3).mismatch(outcome) {
      let detail = "the outcome does not match the lock: \(mismatch)"
      return [.refuse(Denial(.mismatch, detail, proof: [p3.bytes]))]
    }
    switch (known, outcome) {
    case (.committed(let commit), .committed):
      return [.confirmCredit(merchant: terms.merchant, value: due(p3, commit), lock: p3.hash)]
    case (.committed, .witnessed):
      // The archive gave its outcome before it was gone; the witnesses only did not hear of it.
      return [.refuse(Denial(.committed, "it is committed", proof: [known.bytes]))]
    case (.aborted, _) where !outcome.isCommit, (.witnessed, _) where !outcome.isCommit:
      return [.reply(known.bytes)]
    default:
      let detail = "the lock has ended otherwise before; both are kept as evidence against the archive"
      let reason: Reason = phase == .settled ? .committed : .aborted
      return [.keep(.evidence, outcome.bytes), .refuse(Denial(reason, detail, proof: [known.bytes]))]
    }
  }
}

// MARK: Authorization by the tokens: P2, E2, JA2, R2

extension BankLock where M.Request == AuthorizationQ<M>, M.LockMessage == AuthorizationB<M> {
  /// P2 arrived; its token signatures hold. `facts` has an entry for each token's id.
  public mutating func authorised(
    _ p2: Verified<AuthorizationQ<M>>, facts: [Hash: TokenFacts], policy: BankPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    switch state {
    case .locked(let old, let p3), .settled(let old, let p3, _), .released(let old, let p3, _):
      guard old.payload == p2.payload else {
        let detail = "this merchant's n already has another authorization"
        return [.refuse(Denial(.nReused, detail, proof: [old.bytes]))]
      }
      return [.reply(p3.bytes)]
    case .absent:
      break
    }
    if let denial = policy.check(p2, facts: facts, at: now, bank: key.publicKey) {
      return [.refuse(denial)]
    }
    let p3 = try Verified(signing: AuthorizationB<M>(terms: p2.payload.terms), with: key)
    state = .locked(p2, p3)
    var effects: [BankEffect] = [
      .keep(Label(M.requestType), p2.bytes), .keep(Label(M.lockType), p3.bytes), .enter(.locked),
    ]
    effects += p2.payload.locks(under: p3.hash, facts: facts)
    effects.append(.send(p3.bytes, to: p2.payload.terms.merchant))
    effects.append(.reply(p3.bytes))
    return effects
  }
}
