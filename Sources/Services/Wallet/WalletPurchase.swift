// Buying, and taking purchases up again after any interruption. What is done in which phase stands in
// WalletSteps.swift.

import BlindTokens
import Foundation
public import Messages
import Parties
import Storage

/// What to buy, and how.
public struct BuyOptions: Sendable {
  public var merchant: String?
  /// By which protocol.
  public var mode = Mode.core
  /// What to bid; nil: the offer's price.
  public var price: Money?
  /// Under the account's own key, so that bank and merchant know the customer.
  public var named = false
  /// Under a pseudonym of this name, by which the merchant knows a customer again; nil: one that is used
  /// once.
  public var pseudonym: String?
  /// Ask for two-sided delivery.
  public var twoSided = false
  /// A series: what it may cost in all; nil: the first purchase alone.
  public var budget: Money?
  /// A series: two messages for each further purchase.
  public var isShort = false
  /// Wait a random time, up to so many seconds, before anything is asked: who sees a withdrawal and a payment
  /// of one amount together can guess.
  public var delaySeconds: UInt64 = 0
  /// The file to write; nil: the goods' name in the working directory.
  public var output: String?
  /// Where goods are collected that are collected at a counter.
  public var office: PublicKey?
  /// Keys that may collect them, such as a card's; none: P.
  public var collectKeys: [PublicKey] = []
  /// What is kept with the purchase.
  public var choices = PurchaseChoices()

  public init() {}
}

/// A purchase as it stands.
public struct PurchaseSummary: Codable, Equatable, Sendable {
  public var number: UInt64
  /// The protocol that it runs by: "core", "joint", …
  public var `protocol`: String
  public var phase: String
  public var price: String
  public var name: String
  public var description: String
  public var transaction: String?
  public var merchant: String
  public var startedAt: Timestamp
  public var output: String?
}

extension Wallet {
  // MARK: Offers

  /// A merchant's offers, checked against its key.
  public func offers(merchant name: String?) async throws -> [Offer] {
    let merchant = try party(.merchant, named: name)
    let reply = try await transport.send(
      "GET", url: merchant.url! + "/v1/offers", body: nil, contentType: nil)
    guard reply.status == 200 else {
      throw ServiceError.unreachable("\(merchant.name): HTTP \(reply.status)")
    }
    return try Verified<Offers>(reply.body, by: .key(merchant.key)).payload.offers
  }

  // MARK: Buying

  /// Buys an offer and waits until it is delivered or ended. Returns the purchase's number.
  public func buy(_ offer: Offer, options: BuyOptions) async throws -> UInt64 {
    guard CustomerMachines.type(of: options.mode) != nil, offer.modes.contains(options.mode) else {
      let known = offer.modes.map(\.name).joined(separator: ", ")
      throw ServiceError.configuration(
        "this is not sold by the \(options.mode.name) protocol, but by: \(known); nothing was paid")
    }
    if options.choices.card == true {
      guard Self.cardModes.contains(options.mode), !options.named else {
        let known = Self.cardModes.map(\.name).joined(separator: ", ")
        throw ServiceError.configuration(
          "a card pays by \(known), and not under the account's key; nothing was paid")
      }
      _ = try cards.card()
    }
    let budget = options.budget ?? offer.price
    guard options.mode == .repeated || options.budget == nil else {
      throw ServiceError.configuration("a budget is for the repeated protocol; nothing was paid")
    }
    guard budget.currency == offer.price.currency, budget.amount >= offer.price.amount else {
      throw ServiceError.configuration(
        "the budget of \(budget) does not cover the price of \(offer.price); nothing was paid")
    }
    let merchant = try party(.merchant, named: options.merchant)
    var generator = surroundings.randomness
    if options.delaySeconds > 0 {
      let wait = UInt64.random(in: 0...options.delaySeconds, using: &generator)
      report(.note("the purchase begins in \(wait) seconds"))
      try await surroundings.pause(Int(wait) * 1000)
    }
    let now = clock()
    let number = try await store.write { try $0.take("purchase") }
    let index =
      options.named ? WalletSeed.account : options.pseudonym.map(WalletSeed.pseudonym(named:)) ?? number
    let pseudonym = seed.pseudonymKey(index)
    let n1 = try Verified(
      signing: N1(
        nonce: .random(using: &generator), price: options.price ?? offer.price, offer: offer.id,
        twoSided: options.twoSided,
        mode: options.mode, office: options.office, collectKeys: options.collectKeys),
      with: pseudonym)
    var info = PurchaseInfo(
      number: number, pseudonymIndex: index, merchant: merchant.key.description,
      description: offer.description, name: offer.name,
      price: (options.price ?? offer.price).description, startedAt: now,
      output: options.output, protocol: options.mode.name, choices: options.choices)
    if options.mode == .repeated {
      let first = SeriesItem(
        description: offer.description, name: offer.name, price: offer.price.description,
        output: options.output)
      info.series = SeriesInfo(budget: budget.description, isShort: options.isShort, items: [first])
    }
    if Mode.invoices.contains(options.mode) {
      try await beginInvoice(info, n1, n1.payload.price)
    } else {
      try await store.write { [info] tx in
        try tx.keep(.n1, n1.bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
        try tx.putPurchase(info, phase: .requested, due: nil)
      }
    }
    try await advance(number)
    return number
  }

  /// Goes on with every purchase that is not at its end.
  public func resume() async throws {
    try await resumeMoney()
    for summary in try await purchases() where summary.isOpen {
      do { try await advance(summary.number, looksForOutcome: true) } catch {
        report(.note("purchase \(summary.number): \(error)"))
      }
    }
    try await resumeRefunds()
  }

  /// Takes a purchase as far as it goes now. `looksForOutcome`: an open series asks the archive whether its
  /// merchant has ended it.
  func advance(_ number: UInt64, looksForOutcome: Bool = false) async throws {
    let mode = try await info(number).mode
    if mode == .compact { return try await advanceCompact(number) }
    if mode == .announced { return try await advanceAnnounced(number) }
    if Mode.invoices.contains(mode) { return try await advanceInvoice(number) }
    guard let mode = ContractModes.types(of: mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    try await advance(mode, number, looksForOutcome: looksForOutcome)
  }
}

extension PurchaseSummary {
  /// True while something can still happen.
  public var isOpen: Bool { !["delivered", "aborted", "refused", "abandoned"].contains(phase) }
}
