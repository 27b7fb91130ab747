// The bank's counter: what is checked before money leaves an account (W1) or tokens become other tokens
// (X1), and before tokens are locked (docs/SPEC.md, "Money"). Pure decisions; the service applies them in
// one durable step.

public import Messages

/// Decisions about withdrawals, exchanges and tokens.
public enum BankCounter {
  /// Nil if these tokens may be used for `total`; otherwise why not. Tokens must outlive `outlive`.
  public static func checkTokens(
    _ inputs: [TokenInput], total: Money, facts: [Hash: TokenFacts], bank: PublicKey,
    outlive: Timestamp
  ) -> Denial? {
    guard Set(inputs.map(\.token.id)).count == inputs.count else {
      return Denial(.badToken, "a token is named twice")
    }
    var sum: UInt64 = 0
    for input in inputs {
      if let denial = checkPlace(input.token, facts[input.token.id], bank: bank) { return denial }
      guard let fact = facts[input.token.id], let denomination = fact.denomination else {
        return Denial(.denomination, "a token's denomination key is not in its issuer's key list")
      }
      guard input.token.archive == nil else {
        return Denial(.badToken, "a token that is bound to an archive pays invoices only")
      }
      guard fact.signatureHolds else { return Denial(.badToken, "a token's blind signature does not hold") }
      guard denomination.value.currency == total.currency else {
        return Denial(.wrongValue, "a token is in another currency")
      }
      guard denomination.spendUntil > outlive else {
        return Denial(.lifetime, "a token ends before the transaction's lifetime: exchange it first")
      }
      if let denial = checkRest(input.amount, of: denomination.value.amount, fact) { return denial }
      sum += input.amount  // at most 32 * 2^53: no overflow
    }
    guard sum == total.amount else {
      return Denial(.wrongValue, "the tokens add up to \(sum), not \(total.amount) minor units")
    }
    return checkCredit(inputs, facts: facts, bank: bank)
  }

  /// A token is used at its own bank, and at no other, whoever issued it.
  private static func checkPlace(_ token: Token, _ fact: TokenFacts?, bank: PublicKey) -> Denial? {
    guard token.bank == bank else { return Denial(.badToken, "a token is usable at another bank") }
    guard token.issuer == bank || fact?.credit != nil else {
      return Denial(.unsupported, "there is no clearing with a token's issuer")
    }
    return nil
  }

  /// What other banks issued, they owe once it is used: up to what they may owe.
  private static func checkCredit(
    _ inputs: [TokenInput], facts: [Hash: TokenFacts], bank: PublicKey
  ) -> Denial? {
    let foreign = Dictionary(grouping: inputs.filter { $0.token.issuer != bank }, by: \.token.issuer)
    let isOver = foreign.values.contains { own in
      own.reduce(0) { $0 + $1.amount } > facts[own[0].token.id]?.credit ?? 0
    }
    return isOver ? Denial(.funds, "a token's issuer owes this bank too much: it has to settle first") : nil
  }

  private static func checkRest(_ amount: UInt64, of value: UInt64, _ fact: TokenFacts) -> Denial? {
    precondition(fact.spent + fact.locked <= value, "the books used more of a token than it is worth")
    if amount <= value - fact.spent - fact.locked { return nil }
    if amount <= value - fact.spent {
      return Denial(.locked, "a token is locked by another purchase", proof: fact.uses)
    }
    return Denial(.spent, "a token has been spent", proof: fact.uses)
  }

  /// The values of the tokens to sign, in order, or why not.
  public static func checkOutputs(
    _ outputs: [Blinded], total: Money, keys: KeyList, at now: Timestamp
  ) -> Result<[Money], Denial> {
    var values: [Money] = []
    var sum: UInt64 = 0
    for output in outputs {
      guard let key = keys.denomination(output.keyID), key.value.currency == total.currency else {
        return .failure(Denial(.denomination, "an output's denomination key is not in the key list"))
      }
      guard key.issueFrom <= now, now < key.issueUntil else {
        return .failure(
          Denial(.denomination, "a denomination key is not issued now: fetch the key list again"))
      }
      guard output.message.count == key.modulus.count else {
        return .failure(Denial(.malformed, "a blinded message is not as long as its key's modulus"))
      }
      values.append(key.value)
      sum += key.value.amount  // at most 64 * 2^53: no overflow
    }
    guard sum == total.amount else {
      return .failure(Denial(.wrongValue, "the outputs add up to \(sum), not \(total.amount) minor units"))
    }
    return .success(values)
  }

  /// W1: nil if it may be debited. `balance` is nil when no account has the signer's key.
  public static func checkWithdrawal(
    _ w1: Verified<W1>, balance: Money?, keys: KeyList, bank: PublicKey, at now: Timestamp
  ) -> Denial? {
    guard w1.payload.bank == bank else { return Denial(.mismatch, "W1 is for another bank") }
    guard let balance else { return Denial(.noSuchAccount, "no account has this key") }
    guard balance.currency == w1.payload.amount.currency else {
      return Denial(.wrongValue, "the account is in \(balance.currency)")
    }
    guard balance.amount >= w1.payload.amount.amount else {
      return Denial(.funds, "the account holds \(balance), not \(w1.payload.amount)")
    }
    switch checkOutputs(w1.payload.outputs, total: w1.payload.amount, keys: keys, at: now) {
    case .success: return nil
    case .failure(let denial): return denial
    }
  }

  /// X1: nil if the inputs may become the outputs.
  public static func checkExchange(
    _ x1: Verified<X1>, facts: [Hash: TokenFacts], keys: KeyList, bank: PublicKey, at now: Timestamp
  ) -> Denial? {
    let payload = x1.payload
    guard payload.bank == bank else { return Denial(.mismatch, "X1 is for another bank") }
    guard payload.fee == keys.exchangeFee else {
      return Denial(.wrongValue, "the exchange fee is \(keys.exchangeFee) minor units")
    }
    guard payload.total.amount > payload.fee,
      let rest = Money(currency: payload.total.currency, amount: payload.total.amount - payload.fee)
    else { return Denial(.wrongValue, "nothing is left after the fee") }
    if let denial = checkTokens(
      payload.tokenInputs, total: payload.total, facts: facts, bank: bank, outlive: now)
    {
      return denial
    }
    switch checkOutputs(payload.outputs, total: rest, keys: keys, at: now) {
    case .success: return nil
    case .failure(let denial): return denial
    }
  }

  /// RF2 with the RF1 inside, both signatures checked: nil if the merchant may be debited and the outputs
  /// signed. `lock` is nil when this bank has settled no such lock; `balance` when the merchant has no
  /// account (attack 17).
  public static func checkRefund(
    _ rf2: Verified<RF2>, _ rf1: Verified<RF1>, of lock: SettledLock?, balance: Money?, keys: KeyList,
    at now: Timestamp
  ) -> Denial? {
    let (agreed, asked) = (rf2.payload, rf1.payload)
    guard agreed.hRF1 == rf1.hash, agreed.lock == asked.lock, agreed.amount == asked.amount,
      rf2.signer == asked.merchant
    else { return Denial(.mismatch, "RF2 does not agree to the RF1 that it holds") }
    guard let lock, lock.name == asked.lock else {
      return Denial(.unknownTransaction, "this bank has credited no such lock")
    }
    guard lock.merchant == rf2.signer, lock.n == asked.n else {
      return Denial(.mismatch, "the lock is another merchant's")
    }
    guard lock.pseudonym == rf1.signer else { return Denial(.mismatch, "RF1 is not by the lock's pseudonym") }
    guard asked.amount.currency == lock.credited.currency, lock.refunded <= lock.credited.amount,
      asked.amount.amount <= lock.credited.amount - lock.refunded
    else {
      let rest = lock.credited.amount - min(lock.refunded, lock.credited.amount)
      return Denial(
        .wrongValue, "of \(lock.credited) that was credited, \(rest) minor units are left to refund")
    }
    guard let balance else { return Denial(.noSuchAccount, "the merchant has no account at this bank") }
    guard balance.currency == asked.amount.currency, balance.amount >= asked.amount.amount else {
      return Denial(.funds, "the merchant's account does not hold \(asked.amount)")
    }
    switch checkOutputs(asked.outputs, total: asked.amount, keys: keys, at: now) {
    case .success: return nil
    case .failure(let denial): return denial
    }
  }
}

/// What a bank knows of a lock that it has settled.
public struct SettledLock: Equatable, Sendable {
  /// L.
  public var name: Hash
  public var merchant: PublicKey
  public var n: TransactionID
  public var pseudonym: PublicKey
  /// What the merchant was credited for it.
  public var credited: Money
  /// Minor units of it that went back already.
  public var refunded: UInt64

  public init(
    name: Hash, merchant: PublicKey, n: TransactionID, pseudonym: PublicKey, credited: Money, refunded: UInt64
  ) {
    (self.name, self.merchant, self.n) = (name, merchant, n)
    (self.pseudonym, self.credited, self.refunded) = (pseudonym, credited, refunded)
  }
}
