// What a bank's operator does about other banks: lets them owe, looks at what is owed, settles it outside.

import Foundation
public import Messages
import Storage

/// What stands between this bank and another, for people and JSON.
public struct ClearingSummary: Codable, Equatable, Sendable {
  /// The other bank's key.
  public var peer: String
  /// What this bank owes it, in minor units; below zero: what it owes this bank.
  public var owed: Int64
  /// How many minor units it may owe.
  public var limit: UInt64
}

/// Opens a clearing account, or changes its limit.
struct OpenClearing: OperatorTask {
  static let name = "open-clearing"
  /// 64 hexadecimal digits.
  var peer: String
  /// As "EUR:1000.00".
  var limit: String

  func carryOut(at desk: BankDesk) async throws -> Done {
    let (peer, limit) = (try Self.peer(peer), try desk.money(limit))
    try await desk.store.write { tx in
      try ClearingBooks.open(tx, peer, limit: limit.amount, currency: desk.currency)
    }
    return Done()
  }

  static func peer(_ text: String) throws -> PublicKey {
    guard let key = PublicKey(hex: text), key.isSound else {
      throw ServiceError.configuration("\(text) is no bank's public key")
    }
    return key
  }
}

/// All clearing accounts.
struct ListClearing: OperatorTask {
  static let name = "clearing"

  func carryOut(at desk: BankDesk) async throws -> [ClearingSummary] {
    try await desk.store.read { tx in
      try tx.accounts().filter(ClearingBooks.isClearing).compactMap { account in
        let text = String(account.id.dropFirst("clearing:".count))
        guard let peer = PublicKey(hex: text) else { return nil }
        return ClearingSummary(
          peer: text, owed: account.balance, limit: try ClearingBooks.limit(tx, peer) ?? 0)
      }
    }
  }
}

/// Money was paid between the two banks, outside of this system. The same reference again is no second
/// payment.
struct SettleClearing: OperatorTask {
  static let name = "settle-clearing"
  var peer: String
  var amount: String
  /// True if this bank paid, false if it was paid.
  var paid: Bool
  var reference: String

  func carryOut(at desk: BankDesk) async throws -> Done {
    let (peer, amount) = (try OpenClearing.peer(peer), try desk.money(amount))
    guard amount.amount > 0 else { throw ServiceError.configuration("a payment is more than nothing") }
    let (clearing, cash) = (ClearingBooks.account(peer), BankBooks.System.cash.id(amount.currency))
    let (paid, reference) = (paid, Array("settle \(peer) \(reference)".utf8))
    do {
      try await desk.store.write { tx in
        try BankBooks.move(
          tx, amount, from: paid ? clearing : cash, to: paid ? cash : clearing, kind: "settlement",
          reference: reference, at: desk.clock())
      }
    } catch StorageError.unknownAccount {
      throw ServiceError.notFound("there is no clearing with \(peer)")
    } catch StorageError.conflict {
      throw ServiceError.configuration("the reference was used for another payment")
    }
    return Done()
  }
}

extension BankDesk {
  /// An amount in the bank's currency.
  fileprivate func money(_ text: String) throws -> Money {
    guard let money = Money(text), money.currency == currency else {
      throw ServiceError.configuration("this bank's accounts are in \(currency)")
    }
    return money
  }
}

extension BankOperation {
  /// Lets another bank owe this one up to `limit`, and be owed.
  public func openClearing(_ peer: PublicKey, limit: Money) async throws {
    _ = try await link.carryOut(OpenClearing(peer: peer.description, limit: limit.description))
  }

  /// What is owed between this bank and others.
  public func clearing() async throws -> [ClearingSummary] { try await link.carryOut(ListClearing()) }

  /// Money was paid, by this bank or to it. The same reference again is no second payment.
  public func settle(_ peer: PublicKey, _ amount: Money, paid: Bool, reference: String) async throws {
    _ = try await link.carryOut(
      SettleClearing(
        peer: peer.description, amount: amount.description, paid: paid, reference: reference))
  }
}
