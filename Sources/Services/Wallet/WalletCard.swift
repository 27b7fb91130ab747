// Tokens whose keys are on a card (docs/SPEC.md, "Card"): the wallet has the tokens, the card signs for
// them. Neither pays without the other.
//
// Invariants: tokens on a card never pay together with others, nor instead of them; the card is asked
// before anything of a purchase is decided, so that a missing card leaves the purchase where it was.

public import Cards
public import Messages
import Parties
import Storage
import Synchronization

/// Opens the card in the reader and gives it the payment PIN.
public struct CardSource: Sendable {
  let open: @Sendable () throws -> Card

  public init(_ open: @escaping @Sendable () throws -> Card) { self.open = open }
}

/// The card of a wallet: opened when it is first needed, once.
final class CardSlot: Sendable {
  private let source: CardSource?
  private let opened = Mutex<Card?>(nil)

  init(_ source: CardSource?) { self.source = source }

  /// Whether a card can be had.
  var isThere: Bool { source != nil }

  func card() throws -> Card {
    guard let source else {
      throw ServiceError.configuration(
        "this needs the card: put it into the reader and say --card; nothing was signed")
    }
    return try opened.withLock { known in
      if let known { return known }
      let card = try source.open()
      known = card
      return card
    }
  }
}

extension WalletSeed {
  /// Token keys on a card have this and their number there.
  static let card: UInt64 = 1 << 62

  static func isOnCard(_ keyIndex: UInt64) -> Bool { keyIndex >> 62 == 1 }
}

extension Wallet {
  /// By which protocols tokens on a card pay: those whose payment the card understands.
  static let cardModes: [Mode] = [.core, .early, .joint, .compact]

  /// Withdraws an amount as tokens whose keys are made on the card and never leave it.
  public func load(_ amount: Money, bank: String?) async throws {
    try await withdraw(amount, bank: bank, onCard: true)
  }

  /// Fresh keys on the card, numbered in a row.
  func makeCardKeys(_ count: UInt64) throws -> [CardKey] {
    let card = try cards.card()
    let keys = try (0..<count).map { _ in try card.makeTokenKey() }
    for (offset, key) in keys.enumerated() where key.index != keys[0].index + UInt32(offset) {
      throw ServiceError.protocolViolation("the card does not count its keys; nothing was withdrawn")
    }
    return keys
  }

  /// The card's keys of these numbers, which have to be the keys of these tokens.
  func cardKeys(_ indices: [UInt64], of tokens: [Token]) throws -> [CardKey] {
    let card = try cards.card()
    let keys = try indices.map { try card.tokenKey(UInt32(truncatingIfNeeded: $0)) }
    guard Set(keys.map(\.publicKey)) == Set(tokens.map(\.key)) else {
      throw ServiceError.configuration(
        "the card in the reader is not the one that holds these tokens; nothing was signed")
    }
    return keys
  }

  /// Signs under a token's own key, wherever it is.
  func sign<P: Payload>(_ payload: P, for coin: Coin) throws -> Verified<P> {
    guard coin.isOnCard else { return try Verified(signing: payload, with: seed.tokenKey(coin.keyIndex)) }
    return try Verified(signing: payload, with: cardKeys([coin.keyIndex], of: [coin.decoded()])[0])
  }

  /// Whether this token's key can sign now.
  func canSign(for coin: Coin) -> Bool { !coin.isOnCard || cards.isThere }
}
