// Money in and out of the bank: withdrawals and exchanges (US 6,076,078, FIG. 1; docs/SPEC.md, "Money").
// Signing blindly is slow, so it is done between two checks, outside of the store; signatures whose write
// failed never leave.

import BlindTokens
import Messages
import Parties
import Storage

extension BankService {
  func withdraw(_ w1: Verified<W1>) async throws -> [UInt8] {
    let now = node.clock()
    let (known, balance) = try await node.store.read { tx in
      let known = try tx.message(kind: "withdrawal", key: w1.hash.bytes, label: "W2")
      return (known, try tx.account(key: w1.signer.bytes).flatMap(Self.balance))
    }
    if let known { return known }
    if let denial = BankCounter.checkWithdrawal(
      w1, balance: balance, keys: keys.list, bank: bank, at: now)
    {
      return try node.refuse(denial, request: w1.bytes)
    }
    let signatures = try keys.sign(w1.payload.outputs)
    return try await node.store.write { [self] tx in
      if let known = try tx.message(kind: "withdrawal", key: w1.hash.bytes, label: "W2") { return known }
      let account = try tx.account(key: w1.signer.bytes)
      if let denial = BankCounter.checkWithdrawal(
        w1, balance: account.flatMap(Self.balance), keys: keys.list, bank: bank, at: now)
      {
        return try node.refuse(denial, request: w1.bytes)
      }
      try BankBooks.move(
        tx, w1.payload.amount, from: account!.id, to: BankBooks.System.tokens.id(currency),
        kind: "withdrawal", reference: w1.hash.bytes, at: now)
      let left = try tx.account(account!.id).flatMap(Self.balance)!
      let w2 = W2(balance: left, at: now, hW1: w1.hash, signatures: signatures)
      let bytes = try Verified(signing: w2, with: node.identity.signing).bytes
      try tx.append(kind: "withdrawal", key: w1.hash.bytes, label: "W2", bytes: bytes)
      // By account, for the owner's restored wallet.
      try tx.append(kind: "withdrawals/\(account!.id)", key: w1.hash.bytes, label: "W1", bytes: w1.bytes)
      return bytes
    }
  }

  static func balance(_ account: Account) -> Money? {
    Money(currency: account.currency, amount: UInt64(max(0, account.balance)))
  }

  func exchange(_ x1: Verified<X1>) async throws -> [UInt8] {
    let now = node.clock()
    if let known = try await node.store.read({ try $0.message(kind: "use", key: x1.hash.bytes, label: "X2") })
    {
      return known
    }
    let valid = try await checked(x1.payload.tokenInputs.map(\.token))
    // Nothing is signed blindly before the inputs are known to be good; they are checked again in the write.
    if let refusal = try await node.store.read({ [self] tx in
      try exchangeDenial(tx, x1, valid, at: now).map { try node.refuse($0, request: x1.bytes) }
    }) {
      return refusal
    }
    let signatures = try keys.sign(x1.payload.outputs)
    return try await node.store.write { [self] tx in
      if let known = try tx.message(kind: "use", key: x1.hash.bytes, label: "X2") { return known }
      if let denial = try exchangeDenial(tx, x1, valid, at: now) {
        return try node.refuse(denial, request: x1.bytes)
      }
      for input in x1.payload.tokenInputs {
        let value = valid[input.token.id]!.denomination!.value
        try BankBooks.spend(tx, token: input.token, value: value, amount: input.amount, cause: x1.hash)
      }
      try exchanged(tx, x1, at: now)
      if x1.payload.fee > 0 {
        try move(
          tx, Money(currency: currency, amount: x1.payload.fee)!, from: .tokens, to: .fees, "exchange fee",
          reference: x1.hash.bytes, at: now)
      }
      let x2 = X2(at: now, hX1: x1.hash, signatures: signatures)
      let bytes = try Verified(signing: x2, with: node.identity.signing).bytes
      try tx.append(kind: "use", key: x1.hash.bytes, label: "X1", bytes: x1.bytes)
      try tx.append(kind: "use", key: x1.hash.bytes, label: "X2", bytes: bytes)
      return bytes
    }
  }

  private func exchangeDenial(
    _ tx: any StoreTransaction, _ x1: Verified<X1>, _ valid: [Hash: CheckedToken], at now: Timestamp
  ) throws -> Denial? {
    let facts = try tokenFacts(tx, x1.payload.tokenInputs.map(\.token), valid)
    return BankCounter.checkExchange(x1, facts: facts, keys: keys.list, bank: bank, at: now)
  }
}
