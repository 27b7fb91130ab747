// The bank's side of one purchase, keyed on (M, n), in any mode that locks: tokens are locked by P2 or its
// kin and settled or released by the archive's single outcome (US 6,076,078, FIGS. 3 to 6 and 8;
// docs/SPEC.md, "Core"). The labels of the core protocol stand for those of every mode.
//
//             P2 ok: lock, sign P3              P5a of L: spend, credit M
//   absent ───────────────────────▶ locked ───────────────────────────▶ settled
//                                     │
//                                     └───────────────────────────────▶ released
//                                       P5b of L: release
//
// Invariants: the bank's own clock never unlocks anything; one lock per (M, n), for ever; an event that
// was already answered gets the same bytes again.

public import Messages

/// What the bank knows of a token that a P2 or X1 names.
public struct TokenFacts: Equatable, Sendable {
  /// The denomination of its key; nil if the key list does not have the key.
  public var denomination: Denomination?
  /// The blind signature holds under that key.
  public var signatureHolds: Bool
  /// Minor units already spent and locked.
  public var spent: UInt64
  public var locked: UInt64
  /// The authorisations (P2, X1) that used it: the proof in a refusal.
  public var uses: [[UInt8]]

  public init(
    denomination: Denomination?, signatureHolds: Bool, spent: UInt64, locked: UInt64, uses: [[UInt8]]
  ) {
    (self.denomination, self.signatureHolds) = (denomination, signatureHolds)
    (self.spent, self.locked, self.uses) = (spent, locked, uses)
  }
}

/// What a bank decides by, beside the messages.
public struct BankPolicy: Sendable {
  /// The trust list in force.
  public var trust: TrustList
  /// The longest time from now that a P2's expiration may lie ahead (attack 3).
  public var expirationCapSeconds: UInt64

  public init(trust: TrustList, expirationCapSeconds: UInt64) {
    (self.trust, self.expirationCapSeconds) = (trust, expirationCapSeconds)
  }
}

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
}

/// Where a lock stands. As stored: stable numbers.
public enum LockPhase: Int, Sendable {
  case absent = 0
  case locked, settled, released
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
    func stored(_ label: Label) throws(MessageError) -> [UInt8] {
      guard let bytes = messages[label] else {
        throw MessageError(.misuse, "missing-field", "bank store: \(label.rawValue)")
      }
      return bytes
    }
    if phase == .absent {
      state = .absent
      return
    }
    let p2 = try Verified<M.Request>(stored: stored(Label(M.requestType)))
    let p3 = try Verified<M.LockMessage>(stored: stored(Label(M.lockType)))
    switch phase {
    case .absent, .locked: state = .locked(p2, p3)
    case .settled: state = .settled(p2, p3, try Outcome(stored: stored(Label(M.commitType))))
    case .released: state = .released(p2, p3, try Outcome(stored: stored(Label(M.abortType))))
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
    case .aborted(let abort):
      state = .released(p2, p3, outcome)
      return [
        .keep(Label(M.abortType), abort.bytes), .enter(.released), .release(lock: p3.hash),
        .reply(abort.bytes),
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
    case (.aborted, .aborted):
      return [.reply(known.bytes)]
    case (.committed, .aborted), (.aborted, .committed):
      let detail = "this archive published the other outcome before; both are kept as evidence against it"
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
    if let denial = check(p2, facts: facts, policy: policy, at: now, bank: key.publicKey) {
      return [.refuse(denial)]
    }
    let p3 = try Verified(signing: AuthorizationB<M>(terms: p2.payload.terms), with: key)
    state = .locked(p2, p3)
    var effects: [BankEffect] = [
      .keep(Label(M.requestType), p2.bytes), .keep(Label(M.lockType), p3.bytes), .enter(.locked),
    ]
    for input in p2.payload.tokenInputs {
      let value = facts[input.token.id]!.denomination!.value
      effects.append(.lock(token: input.token, value: value, amount: input.amount, lock: p3.hash))
    }
    effects.append(.send(p3.bytes, to: p2.payload.terms.merchant))
    effects.append(.reply(p3.bytes))
    return effects
  }

  // MARK: Checks of P2 (docs/SPEC.md, "P2")

  private func check(
    _ p2: Verified<AuthorizationQ<M>>, facts: [Hash: TokenFacts], policy: BankPolicy, at now: Timestamp,
    bank: PublicKey
  ) -> Denial? {
    let payload = p2.payload
    let terms = payload.terms
    let label = M.requestType.label
    guard payload.bank == bank else { return Denial(.mismatch, "\(label) is for another bank") }
    guard M.mode != .joint || terms.archive == bank else {
      return Denial(.mismatch, "in \(label) the bank is the archive")
    }
    if let base = terms.base {
      guard base.currency == terms.value.currency, base.amount <= terms.value.amount else {
        return Denial(.wrongValue, "the first purchase costs more than the budget")
      }
    }
    guard now < terms.expiration else { return Denial(.expired, "\(label)'s expiration has passed") }
    guard terms.expiration - now <= policy.expirationCapSeconds else {
      let cap = policy.expirationCapSeconds
      return Denial(.expirationCap, "\(label) expires later than \(cap) seconds from now")
    }
    // The archive aborts from the expiration until the lifetime ends, and no later: there has to be time to
    // ask it, and to hear disputes.
    guard terms.lifetime >= terms.expiration + policy.trust.lifetimeSeconds else {
      let least = policy.trust.lifetimeSeconds
      return Denial(.lifetime, "the lifetime ends less than \(least) seconds after the expiration")
    }
    for (key, role) in [(terms.merchant, Role.merchant), (terms.archive, M.archiveRole)] {
      do throws(MessageError) {
        try policy.trust.check(key, as: role, at: now, subject: role.name)
        try policy.trust.check(key, as: role, at: terms.lifetime, subject: role.name)
      } catch {
        return Denial(.untrusted, "the \(role.name)'s key: \(error.rule), now or before the lifetime ends")
      }
    }
    return BankCounter.checkTokens(
      payload.tokenInputs, total: terms.value, facts: facts, bank: bank, outlive: terms.lifetime)
  }
}
