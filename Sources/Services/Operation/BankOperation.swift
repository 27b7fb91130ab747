// What a bank's operator does at the books: open accounts, deposit, read statements, check that the books
// add up.

import Foundation
public import Messages
import Storage

/// A line of a statement, for people and JSON.
public struct StatementEntry: Codable, Equatable, Sendable {
  public var at: Timestamp
  public var kind: String
  public var amount: Int64
  public var balance: Int64
}

/// A bank's accounts in sum: what has to add up.
public struct BankTotals: Codable, Equatable, Sendable {
  public var currency: String
  /// All in minor units. `cash` is what came in from outside.
  public var cash: Int64
  public var accounts: Int64
  public var tokens: Int64
  public var locked: Int64
  public var fees: Int64
  /// accounts + tokens + locked + fees - cash: zero, or something is wrong.
  public var difference: Int64 { accounts + tokens + locked + fees - cash }
}

/// The books of a bank that is not running: its store belongs to one process at a time.
public final class BankOperation: Sendable {
  private let store: SQLiteStore
  private let currency: String

  /// Opens the books.
  public init(_ directory: DataDirectory) throws {
    let config = try directory.config()
    guard config.role == "bank" else {
      throw ServiceError.configuration("\(directory.path) is a \(config.role), not a bank")
    }
    currency = config.currency ?? "EUR"
    store = try SQLiteStore(path: directory.file("store.sqlite"))
  }

  public func close() async throws { try await store.close() }

  /// Opens an account for a public key.
  public func open(_ name: String, key: PublicKey, merchant: Bool) async throws {
    guard key.isSound else { throw ServiceError.configuration("\(key) is no sound public key") }
    let account = Account(
      id: name, kind: merchant ? .merchant : .customer, name: name, currency: currency, key: key.bytes)
    do { try await store.write { try $0.openAccount(account) } } catch StorageError.conflict {
      throw ServiceError.configuration("the name \(name) or this key has an account already")
    }
  }

  /// Money comes in from outside. The same reference again is no second deposit.
  public func deposit(_ name: String, _ amount: Money, reference: String) async throws {
    guard amount.currency == currency, amount.amount > 0 else {
      throw ServiceError.configuration(
        "this bank's accounts are in \(currency), and a deposit is more than nothing")
    }
    do {
      try await store.write { tx in
        try BankBooks.move(
          tx, amount, from: BankBooks.System.cash.id(amount.currency), to: name, kind: "deposit",
          reference: Array("deposit \(reference)".utf8), at: systemClock())
      }
    } catch StorageError.unknownAccount {
      throw ServiceError.notFound("there is no account \(name)")
    }
  }

  /// An account's movements, the oldest first.
  public func statement(_ name: String) async throws -> (balance: Money, lines: [StatementEntry]) {
    let (account, lines) = try await store.read { tx -> (Account?, [StatementLine]) in
      (try tx.account(name), try tx.entries(account: name, after: 0, limit: 10_000))
    }
    guard let account,
      let balance = Money(currency: account.currency, amount: UInt64(max(0, account.balance)))
    else { throw ServiceError.notFound("there is no account \(name)") }
    return (
      balance,
      lines.map {
        StatementEntry(at: Timestamp($0.at), kind: $0.kind, amount: $0.amount, balance: $0.balance)
      }
    )
  }

  /// The sums of the books.
  public func totals() async throws -> BankTotals {
    let accounts = try await store.read { try $0.accounts() }
    func balance(_ system: BankBooks.System) -> Int64 {
      accounts.first { $0.id == system.id(currency) }?.balance ?? 0
    }
    return BankTotals(
      currency: currency, cash: -balance(.cash),
      accounts: accounts.filter { $0.kind != .system }.reduce(0) { $0 + $1.balance },
      tokens: balance(.tokens), locked: balance(.locked), fees: balance(.fees))
  }

  /// Faults in the store; empty when all is well.
  public func check() async throws -> [String] { try await store.check() }
}

/// A merchant's offers, when it is not running.
public final class MerchantOperation: Sendable {
  private let store: SQLiteStore

  /// Opens the merchant's store.
  public init(_ directory: DataDirectory) throws {
    let config = try directory.config()
    guard config.role == "merchant" else {
      throw ServiceError.configuration("\(directory.path) is a \(config.role), not a merchant")
    }
    store = try SQLiteStore(path: directory.file("store.sqlite"))
  }

  public func close() async throws { try await store.close() }

  /// Puts a file on sale.
  public func add(_ path: String, price: Money, description: String, twoSided: Bool) async throws
    -> StoredOffer
  {
    try await OfferBook.add(path, price: price, description: description, twoSided: twoSided, store: store)
  }

  /// All offers.
  public func offers() async throws -> [StoredOffer] { try await OfferBook.all(store) }
}
