// What a bank checks before it locks tokens, in every mode in which tokens authorise a payment (docs/SPEC.md,
// "P2").

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
  /// How many minor units more its issuer may owe this bank, where that is another bank; nil without
  /// clearing.
  public var credit: UInt64?

  public init(
    denomination: Denomination?, signatureHolds: Bool, spent: UInt64, locked: UInt64, uses: [[UInt8]],
    credit: UInt64? = nil
  ) {
    (self.denomination, self.signatureHolds) = (denomination, signatureHolds)
    (self.spent, self.locked, self.uses, self.credit) = (spent, locked, uses, credit)
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

// MARK: Checks of P2 and its kin

extension BankPolicy {
  /// Nil if these tokens may be locked; otherwise why not. `facts` has an entry for each token's id.
  func check<M: TokenMode>(
    _ request: Verified<AuthorizationQ<M>>, facts: [Hash: TokenFacts], at now: Timestamp, bank: PublicKey
  ) -> Denial? {
    let payload = request.payload
    return checkTerms(M.self, payload.terms, for: payload.bank, at: now, bank: bank)
      ?? BankCounter.checkTokens(
        payload.tokenInputs, total: payload.terms.value, facts: facts, bank: bank,
        outlive: payload.terms.lifetime)
  }

  /// Nil if a lock with these terms may be made now; `named` is the bank that they are for.
  func checkTerms<M: TokenMode>(
    _: M.Type, _ terms: LockTerms, for named: PublicKey, at now: Timestamp, bank: PublicKey
  ) -> Denial? {
    let label = M.requestType.label
    guard named == bank else { return Denial(.mismatch, "\(label) is for another bank") }
    guard M.archiveRole != .bank || terms.archive == bank else {
      return Denial(.mismatch, "in \(label) the bank is the archive")
    }
    if let base = terms.base {
      guard base.currency == terms.value.currency, base.amount <= terms.value.amount else {
        return Denial(.wrongValue, "the first purchase costs more than the budget")
      }
    }
    guard now < terms.expiration else { return Denial(.expired, "\(label)'s expiration has passed") }
    if let denial = checkCap(terms.expiration, label, at: now) { return denial }
    // The archive aborts from the expiration until the lifetime ends, and no later: there has to be time to
    // ask it, and to hear disputes.
    guard terms.lifetime >= terms.expiration + trust.lifetimeSeconds else {
      let least = trust.lifetimeSeconds
      return Denial(.lifetime, "the lifetime ends less than \(least) seconds after the expiration")
    }
    for (key, role) in [(terms.merchant, Role.merchant), (terms.archive, M.archiveRole)] {
      do throws(MessageError) {
        try trust.check(key, as: role, at: now, subject: role.name)
        try trust.check(key, as: role, at: terms.lifetime, subject: role.name)
      } catch {
        return Denial(.untrusted, "the \(role.name)'s key: \(error.rule), now or before the lifetime ends")
      }
    }
    // It would end no lock, and nobody could bring it what ends one.
    guard M.archiveRole != .archive || trust.entry(terms.archive, as: .archive)?.sealingKey != nil else {
      return Denial(.untrusted, "the archive is only a record")
    }
    return nil
  }

  /// Nil if the expiration is not too far away (attack 3).
  func checkCap(_ expiration: Timestamp, _ label: String, at now: Timestamp) -> Denial? {
    guard expiration > now, expiration - now > expirationCapSeconds else { return nil }
    return Denial(.expirationCap, "\(label) expires later than \(expirationCapSeconds) seconds from now")
  }
}

extension AuthorizationQ {
  /// What locks the tokens that it names, under L.
  func locks(under lock: Hash, facts: [Hash: TokenFacts]) -> [BankEffect] {
    tokenInputs.map { input in
      let value = facts[input.token.id]!.denomination!.value
      return .lock(token: input.token, value: value, amount: input.amount, lock: lock)
    }
  }
}
