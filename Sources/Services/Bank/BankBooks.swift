// The bank's double-entry ledger: every movement of value is one balanced entry, in the same durable step
// as the message that caused it. Invariant 1: accounts + outstanding tokens + locked + fees - cash = 0,
// always.

import Messages
import Parties
import Storage

/// Postings of the bank.
enum BankBooks {
  /// What the bank's own accounts are called.
  enum System: String, CaseIterable {
    /// Money that came in from outside; negative by what the bank owes.
    case cash
    /// Value of tokens in circulation, not locked.
    case tokens
    /// Value of tokens locked by purchases.
    case locked
    case fees

    func id(_ currency: String) -> String { "system:\(rawValue):\(currency)" }
  }

  /// Opens the bank's own accounts. No error if they are open.
  static func openSystemAccounts(_ tx: any StoreTransaction, currency: String) throws {
    for account in System.allCases {
      try tx.openAccount(
        Account(
          id: account.id(currency), kind: .system, name: account.rawValue, currency: currency,
          mayBeNegative: account == .cash))
    }
  }

  /// Moves `amount` from one account to another; the same reference again is no second movement.
  static func move(
    _ tx: any StoreTransaction, _ amount: Money, from: String, to: String, kind: String,
    reference: [UInt8], at now: Timestamp
  ) throws {
    let units = Int64(amount.amount)
    try tx.post(
      LedgerEntry(
        reference: reference, kind: kind, at: Int64(now),
        postings: [Posting(account: from, amount: -units), Posting(account: to, amount: units)]))
  }

  static func reference(_ purpose: String, _ hash: Hash) -> [UInt8] { Array(purpose.utf8) + hash.bytes }

  // MARK: Tokens

  /// Locks part of a token under L. The machine has checked that so much is left.
  static func lock(
    _ tx: any StoreTransaction, token: Token, value: Money, amount: UInt64, lock: Hash, cause: Hash
  ) throws {
    var row = try tx.token(token.id.bytes) ?? newRow(token, value)
    row.locked += Int64(amount)
    try tx.putToken(row)
    try tx.putTokenUse(
      TokenUse(
        token: token.id.bytes, lock: lock.bytes, amount: Int64(amount), state: .locked, message: cause.bytes))
  }

  /// Spends part of a token at once (exchange).
  static func spend(
    _ tx: any StoreTransaction, token: Token, value: Money, amount: UInt64, cause: Hash
  ) throws {
    var row = try tx.token(token.id.bytes) ?? newRow(token, value)
    row.spent += Int64(amount)
    try tx.putToken(row)
    try tx.putTokenUse(
      TokenUse(
        token: token.id.bytes, lock: cause.bytes, amount: Int64(amount), state: .spent, message: cause.bytes))
  }

  /// Gives back what was spent of a token: the payment is reversed.
  static func unspend(_ tx: any StoreTransaction, token: Token, amount: UInt64) throws {
    guard var row = try tx.token(token.id.bytes) else { throw StorageError.unknownToken }
    row.spent -= Int64(amount)
    try tx.putToken(row)
  }

  /// Ends a lock: what it held is spent, or available again.
  static func end(_ tx: any StoreTransaction, lock: Hash, spent: Bool) throws {
    for var use in try tx.tokenUses(lock: lock.bytes) where use.state == .locked {
      guard var row = try tx.token(use.token) else { throw StorageError.unknownToken }
      row.locked -= use.amount
      if spent { row.spent += use.amount }
      try tx.putToken(row)
      use.state = spent ? .spent : .released
      try tx.putTokenUse(use)
    }
  }

  /// Ends a lock of which only `used` is spent: the first amounts of its list. The rest is available again.
  static func endPart(_ tx: any StoreTransaction, lock: Hash, used: [TokenInput]) throws {
    for var use in try tx.tokenUses(lock: lock.bytes) where use.state == .locked {
      guard var row = try tx.token(use.token) else { throw StorageError.unknownToken }
      let spent = used.first { $0.token.id.bytes == use.token }.map { Int64($0.amount) } ?? 0
      row.locked -= use.amount
      row.spent += spent
      try tx.putToken(row)
      use.state = spent > 0 ? .spent : .released
      if spent > 0 { use.amount = spent }
      try tx.putTokenUse(use)
    }
  }

  private static func newRow(_ token: Token, _ value: Money) -> TokenRow {
    TokenRow(
      id: token.id.bytes, key: token.key.bytes, keyID: token.keyID.bytes, currency: value.currency,
      value: Int64(value.amount))
  }
}
