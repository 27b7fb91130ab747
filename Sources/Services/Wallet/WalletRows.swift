// How the wallet keeps its coins and purchases in the store.

import Foundation
import Messages
import Parties
import Storage

/// A token in the wallet.
struct Coin: Codable, Equatable, Sendable {
  var keyIndex: UInt64
  var serialIndex: UInt64
  /// The token's encoding. Data, which JSON holds as base64: a list of numbers takes many times as long to
  /// read, and a purchase looks at all coins.
  var token: Data
  var currency: String
  /// Minor units: the denomination, and what is left of it.
  var value: UInt64
  var rest: UInt64
  /// Minor units that a purchase on its way holds.
  var held: UInt64
  var spendUntil: Timestamp
  /// The bank where it can be spent, hexadecimal; nil: as the token says.
  var bank: String?
  /// The archive that the token is bound to, hexadecimal: then it pays invoices there and nothing else.
  var archive: String?

  static let kind = "coin"
  /// Rows of tokens whose keys are on a card: whoever looks for tokens to use does not find them by chance.
  static let cardKind = "card-coin"
  /// Phases of coin rows.
  static let usable = 0
  static let used = 2

  func decoded() throws -> Token { try Token(encoded: Array(token)) }
  /// Minor units that nothing holds. In a wallet that came from an old copy, a purchase may hold what was
  /// used elsewhere since: until it has met its abort, more is held than is left.
  var available: UInt64 { rest - min(rest, held) }
  var isOnCard: Bool { WalletSeed.isOnCard(keyIndex) }
  fileprivate var rowKind: String { isOnCard ? Self.cardKind : Self.kind }

  /// The key of the bank where it can be spent, hexadecimal.
  func usableAt() throws -> String { try bank ?? decoded().bank.description }
}

/// What a purchase needs beside its messages.
struct PurchaseInfo: Codable, Equatable, Sendable {
  var number: UInt64
  /// Which pseudonym signs for it.
  var pseudonymIndex: UInt64
  /// The merchant's key, hexadecimal.
  var merchant: String
  var description: String
  var name: String
  var price: String
  var startedAt: Timestamp
  /// Where the goods go; nil: the wallet's downloads.
  var output: String?
  /// By which protocol, by name; nil: core.
  var `protocol`: String?
  /// What a series keeps beside.
  var series: SeriesInfo?
  /// Invoices: the id of the token that pays, hexadecimal.
  var token: String?
  /// How it is to be made; nil: it was begun by an older build, or comes from the 24 words.
  var choices: PurchaseChoices?

  var chosen: PurchaseChoices { choices ?? PurchaseChoices() }
  var mode: Mode { `protocol`.flatMap(Mode.init(named:)) ?? .core }

  static let kind = "purchase"
}

extension StoreTransaction {
  func coins(onCard: Bool = false) throws -> [Coin] { try identifiedCoins(onCard: onCard).map(\.coin) }

  /// The usable coins, or those on a card, with their tokens' ids, which need no token to be decoded.
  func identifiedCoins(onCard: Bool = false) throws -> [(id: [UInt8], coin: Coin)] {
    let decoder = JSONDecoder()
    let kind = onCard ? Coin.cardKind : Coin.kind
    return try machines(kind: kind, phase: Coin.usable, after: nil, limit: 10_000).map {
      ($0.key, try decoder.decode(Coin.self, from: Data($0.data)))
    }
  }

  func coin(_ id: Hash) throws -> Coin? {
    try (machine(kind: Coin.kind, key: id.bytes) ?? machine(kind: Coin.cardKind, key: id.bytes)).map {
      try JSONDecoder().decode(Coin.self, from: Data($0.data))
    }
  }

  func putCoin(_ coin: Coin, id: Hash) throws {
    let phase = coin.rest == 0 ? Coin.used : Coin.usable
    try putMachine(
      MachineRow(
        kind: coin.rowKind, key: id.bytes, phase: phase, data: Array(try JSONEncoder().encode(coin))))
  }

  /// Puts coins into the purse; one that is there stays as it is, since it may have been used already.
  func addCoins(_ coins: [Coin]) throws {
    for coin in coins where try self.coin(coin.decoded().id) == nil {
      try putCoin(coin, id: coin.decoded().id)
    }
  }

  /// Changes the coins that a purchase named: `change` gets the coin and the amount.
  func updateCoins(_ inputs: [TokenInput], _ change: (inout Coin, UInt64) -> Void) throws {
    for input in inputs {
      guard var coin = try coin(input.token.id) else { continue }
      change(&coin, input.amount)
      try putCoin(coin, id: input.token.id)
    }
  }

  func purchase(_ number: UInt64) throws -> (row: MachineRow, info: PurchaseInfo)? {
    guard let row = try machine(kind: PurchaseInfo.kind, key: RowKey.number(number)) else { return nil }
    return (row, try JSONDecoder().decode(PurchaseInfo.self, from: Data(row.data)))
  }

  func putPurchase(_ info: PurchaseInfo, phase: PurchasePhase, due: Timestamp?) throws {
    try putMachine(
      MachineRow(
        kind: PurchaseInfo.kind, key: RowKey.number(info.number), phase: phase.rawValue,
        due: due.map(Int64.init), data: Array(try JSONEncoder().encode(info))))
  }

  /// Takes the next `count` numbers of a counter.
  func take(_ counter: String, count: UInt64 = 1) throws -> UInt64 {
    let next = try meta("next/\(counter)").map(RowKey.value) ?? 0
    try setMeta("next/\(counter)", RowKey.number(next + count))
    return next
  }
}
