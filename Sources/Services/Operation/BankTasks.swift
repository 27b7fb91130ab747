// The logic of what a bank's operator does: accounts, deposits, statements, sums. BankOperation is the way
// to it.

import Foundation
import Messages
import Storage

/// Where the bank's tasks are done.
struct BankDesk: OperatorDesk {
  static let role = Role.bank

  let store: any Store
  let currency: String
  let clock: @Sendable () -> Timestamp

  init(store: any Store, currency: String, clock: @escaping @Sendable () -> Timestamp = systemClock) {
    (self.store, self.currency, self.clock) = (store, currency, clock)
  }

  init(_ store: SQLiteStore, _ directory: DataDirectory, _ config: PartyConfig) {
    self.init(store: store, currency: config.bankCurrency)
  }

  var routes: [Route] {
    [
      OpenAccount.route(at: self), DepositCash.route(at: self), StatementPage.route(at: self),
      Totals.route(at: self), CheckStore.route(at: self), ExportLock.route(at: self),
      ExportToken.route(at: self), LockQuestion.route(at: self), KeepWithLock.route(at: self),
      OpenClearing.route(at: self), ListClearing.route(at: self), SettleClearing.route(at: self),
    ]
  }
}

extension PartyConfig {
  /// A bank's currency.
  var bankCurrency: String { currency ?? "EUR" }
}

/// Opens an account for a public key; the same again changes nothing.
struct OpenAccount: OperatorTask {
  static let name = "open-account"
  var account: String
  /// In hexadecimal digits.
  var key: String
  var isMerchant: Bool

  func carryOut(at desk: BankDesk) async throws -> Done {
    guard let owner = PublicKey(hex: key), owner.isSound else {
      throw ServiceError.configuration("\(key) is no sound public key")
    }
    let row = Account(
      id: account, kind: isMerchant ? .merchant : .customer, name: account, currency: desk.currency,
      key: owner.bytes)
    do { try await desk.store.write { try $0.openAccount(row) } } catch StorageError.conflict {
      throw ServiceError.configuration("the name \(account) or this key has an account already")
    }
    return Done()
  }
}

/// Money comes in from outside. The same reference again is no second deposit. Answers the balance.
struct DepositCash: OperatorTask {
  static let name = "deposit"
  var account: String
  /// As "EUR:1.00".
  var amount: String
  var reference: String

  func carryOut(at desk: BankDesk) async throws -> String {
    guard let money = Money(amount), money.currency == desk.currency, money.amount > 0 else {
      throw ServiceError.configuration(
        "this bank's accounts are in \(desk.currency), and a deposit is more than nothing")
    }
    do {
      return try await desk.store.write { tx in
        // The bank's own accounts are moved by messages alone.
        guard try tx.account(account).map({ $0.kind != .system }) ?? false else {
          throw StorageError.unknownAccount(account)
        }
        try BankBooks.move(
          tx, money, from: BankBooks.System.cash.id(money.currency), to: account, kind: "deposit",
          reference: Array("deposit \(reference)".utf8), at: systemClock())
        return try balance(of: account, tx).description
      }
    } catch StorageError.unknownAccount {
      throw ServiceError.notFound("there is no account \(account)")
    } catch StorageError.conflict {
      throw ServiceError.configuration("the reference \(reference) was used for another deposit")
    }
  }
}

/// Part of an account's statement: the lines behind `after`, the oldest first.
struct StatementPage: OperatorTask {
  static let name = "statement"
  static let linesMax = 1000

  struct Answer: Codable, Sendable {
    var balance: String
    var lines: [StatementEntry]
    /// Where the next page begins; nil at the end.
    var next: Int64?
  }

  var account: String
  var after: Int64

  func carryOut(at desk: BankDesk) async throws -> Answer {
    try await desk.store.read { tx in
      let balance = try balance(of: account, tx).description
      let lines = try tx.entries(account: account, after: after, limit: Self.linesMax)
      return Answer(
        balance: balance,
        lines: lines.map {
          StatementEntry(at: Timestamp($0.at), kind: $0.kind, amount: $0.amount, balance: $0.balance)
        }, next: lines.count == Self.linesMax ? lines.last?.sequence : nil)
    }
  }
}

/// What an account holds.
private func balance(of account: String, _ tx: any StoreTransaction) throws -> Money {
  guard let found = try tx.account(account),
    let balance = Money(currency: found.currency, amount: UInt64(max(0, found.balance)))
  else { throw ServiceError.notFound("there is no account \(account)") }
  return balance
}

/// The sums of the books, in one snapshot.
struct Totals: OperatorTask {
  static let name = "totals"

  func carryOut(at desk: BankDesk) async throws -> BankTotals {
    let accounts = try await desk.store.read { try $0.accounts() }
    func balance(_ system: BankBooks.System) -> Int64 {
      accounts.first { $0.id == system.id(desk.currency) }?.balance ?? 0
    }
    return BankTotals(
      currency: desk.currency, cash: -balance(.cash),
      accounts: accounts.filter { $0.kind != .system }.reduce(0) { $0 + $1.balance },
      tokens: balance(.tokens), locked: balance(.locked), fees: balance(.fees),
      clearing: accounts.filter { ClearingBooks.isClearing($0) }.reduce(0) { $0 + $1.balance })
  }
}

/// Audits the store.
struct CheckStore: OperatorTask {
  static let name = "check"

  func carryOut(at desk: BankDesk) async throws -> [String] { try await desk.store.check() }
}
