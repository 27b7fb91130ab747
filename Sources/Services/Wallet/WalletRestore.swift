// Restoring a wallet from its 24 words alone.
//
// The words give all keys and serials again. The bank gives back, to the account's key, every withdrawal
// with the wallet's own sealed recovery note, and, to each token's key, what the token was used for:
// exchanges (with a note again) and purchases. The merchant gives back, to a purchase's pseudonym, its
// request and contract.
//
// A wallet behind an anonymizer should use a new circuit for each of these questions (docs/DESIGN.md,
// "Privacy").

import Foundation
import Messages
import Parties
import Storage

/// What came back.
public struct Restored: Codable, Equatable, Sendable {
  public var tokens = 0
  public var purchases = 0
  /// Purchases of which only the money came back: their merchants have removed the contracts.
  public var forgotten = 0
}

/// What became of a purchase that a token's history shows.
enum TakenUp {
  /// It is in the store again. `index`: its pseudonym's number.
  case here(number: UInt64, index: UInt64)
  /// Its pseudonym is none of those that are known for this wallet's.
  case foreign
  /// Its merchant answers without the contract. `index`: its pseudonym's number, where the payment tells it.
  case forgotten(index: UInt64?)
}

/// A restore on its way.
private struct Restoration {
  /// How many pseudonyms in a row may be unknown before the search ends.
  static let pseudonymGap: UInt64 = 1000

  let names: [String]
  var found = Restored()
  var queue: [Coin] = []
  var invoices: [FoundInvoice] = []
  /// Coins that were asked about, and payments that were found.
  var seen = Set<Hash>()
  var known = Set<Hash>()
  /// What did not come back: its tokens have nothing to wait for.
  var leftOut: [any FoundPurchase] = []
  var limit = pseudonymGap

  mutating func passed(_ index: UInt64?) {
    guard let index, index < limit else { return }
    limit = max(limit, index + Self.pseudonymGap)
  }
}

extension Wallet {
  /// Brings tokens and purchases back. Purchases under pseudonyms that the customer had named come back only
  /// under these `names`: no message tells them. Of a purchase whose merchant has removed the contract, as it
  /// may when the lifetime is over, the money comes back alone.
  public func restore(names: [String] = []) async throws -> Restored {
    var restoration = Restoration(names: names)
    try await endExchanges()
    for bank in trust.list.entries where bank.role == .bank && bank.url != nil {
      restoration.queue += try await withdrawn(at: bank)
    }
    // A wallet that was put back to an old copy may hold tokens for payments that the bank has not seen.
    var pending = try await openRequests()
    var rounds = 0
    // Refunds of what was bought are tokens again, with which more may have been bought.
    repeat {
      let purchases = try await followTokens(&restoration)
      try await advanceCounters()
      pending.removeAll { restoration.known.contains($0.hash) }
      try await settleCoins(purchases + pending)
      (pending, rounds) = ([], rounds + 1)
      for purchase in purchases { try await bringBack(purchase, &restoration) }
    } while !restoration.queue.isEmpty
    // A purchase may hold tokens that came back after it, and one that was left out holds none.
    if rounds > 1 || !restoration.leftOut.isEmpty {
      try await settleCoins(openRequests(), freeing: restoration.leftOut)
    }
    try await settleInvoices()
    for invoice in restoration.invoices {
      switch try await takeUp(invoice, below: restoration.limit, names: names) {
      case .here(_, let index):
        restoration.passed(index)
        restoration.found.purchases += 1
      case .forgotten:
        restoration.found.forgotten += 1
        try noteForgotten(invoice.n, at: invoice.merchant)
      case .foreign: continue
      }
    }
    return restoration.found
  }

  /// Asks the bank about all coins in the queue, and about those that they were exchanged for.
  /// - Returns: the purchases that their histories show and that are new, the oldest first: pseudonyms were
  ///   taken in about that order, so that the gap is never wide.
  private func followTokens(_ restoration: inout Restoration) async throws -> [any FoundPurchase] {
    var purchases: [any FoundPurchase] = []
    while let coin = restoration.queue.popLast() {
      guard restoration.seen.insert(try coin.decoded().id).inserted else { continue }
      let (rest, uses) = try await ask(coin)
      let unseen = rest > 0 ? try await unseenAnnouncements(of: coin) : []
      for found in foundPurchases(uses) + unseen where restoration.known.insert(found.hash).inserted {
        purchases.append(found)
      }
      restoration.invoices += FoundInvoice.all(in: uses, of: coin)
      restoration.queue += try await exchanged(uses, entry(coin.decoded().bank))
      var row = coin
      row.rest = rest
      try await store.write { [row] tx in try tx.putCoin(row, id: row.decoded().id) }
      if rest > 0 { restoration.found.tokens += 1 }
    }
    return purchases.sorted {
      ($0.terms.expiration, $0.terms.n.description) < ($1.terms.expiration, $1.terms.n.description)
    }
  }

  private func bringBack(_ purchase: any FoundPurchase, _ restoration: inout Restoration) async throws {
    let terms = purchase.terms
    switch try await purchase.takeUp(by: self, below: restoration.limit, names: restoration.names) {
    case .here(let number, let index):
      restoration.passed(index)
      restoration.found.purchases += 1
      restoration.queue += try await restoredRefunds(number)
    case .forgotten(let index):
      restoration.passed(index)
      restoration.found.forgotten += 1
      restoration.leftOut.append(purchase)
      try noteForgotten(terms.n, at: terms.merchant)
      restoration.queue += try await restoredRefunds(of: purchase, pseudonym: index)
    case .foreign: restoration.leftOut.append(purchase)
    }
  }

  private func noteForgotten(_ n: TransactionID, at merchant: PublicKey) throws {
    report(
      .note(
        "purchase \(n) does not come back: \(try entry(merchant).name) does not have its contract any more. "
          + "What is left of its money does."))
  }

  /// Makes the purchase that a P2 belongs to again, from the merchant's and the bank's answers.
  /// Foreign if none of the pseudonyms below `limit`, of those names and of the account is this wallet's.
  func takeUp<P: PurchaseMachine>(
    _: P.Type, _ p2: Verified<AuthorizationQ<P.Mode>>, below limit: UInt64, names: [String]
  ) async throws -> TakenUp {
    let terms = p2.payload.terms
    guard let index = pseudonym(terms.pseudonym, below: limit, names: names) else { return .foreign }
    let answer = try await status(
      of: terms.n, terms.merchant, at: terms.merchant, pseudonym: index)
    var n1: Verified<N1>?
    var p1: Verified<P.Offer>?
    for bytes in answer.payload.proof {
      n1 = (try? Verified<N1>(bytes, by: .key(terms.pseudonym))) ?? n1
      p1 = (try? Verified<P.Offer>(bytes, by: .key(terms.merchant))) ?? p1
    }
    guard let n1, let p1, p1.hash == terms.hP1 else { return .forgotten(index: index) }
    let number = try await number(
      of: n1, paidBy: p2.bytes, as: P.Mode.requestType, near: index, below: limit)
    let description = try? await offers(merchant: terms.merchant.description).first {
      $0.id == n1.payload.offer
    }
    var info = PurchaseInfo(
      number: number, pseudonymIndex: index, merchant: terms.merchant.description,
      description: description?.description ?? "", name: p1.payload.contract.name,
      price: p1.payload.contract.price.description, startedAt: p1.payload.contract.date, output: nil,
      protocol: P.Mode.mode.name)
    if P.Mode.mode == .repeated {
      let first = SeriesItem(
        description: info.description, name: info.name, price: info.price, output: nil)
      info.series = SeriesInfo(budget: terms.value.description, isShort: false, items: [first])
    }
    try await takeUp(
      info,
      [(.n1, n1.bytes), (Label(P.Offer.type), p1.bytes), (Label(P.Mode.requestType), p2.bytes)],
      due: terms.expiration)
    await goOn(info, p1.payload.goods.map { PurchasedGoods(p1, $0) })
    return .here(number: number, index: index)
  }
}

extension StoreTransaction {
  /// The purchase that this store has for a payment, or that asked for what was paid: an old copy may hold it
  /// as it was before the payment, and would pay once more. Most often the one with its pseudonym's number. A
  /// pseudonym that is `fresh` is one purchase's alone, and what was paid may have been asked for by a later
  /// bid than the one that is kept.
  func purchase(
    of n1: Verified<N1>, paidBy request: [UInt8], as type: MessageType, near index: UInt64, isFresh: Bool
  ) throws -> UInt64? {
    func isIt(_ key: [UInt8]) throws -> Bool {
      let known = try message(kind: PurchaseInfo.kind, key: key, label: Label(type).rawValue)
      if known == request { return true }
      if try message(kind: PurchaseInfo.kind, key: key, label: Label.n1.rawValue) == n1.bytes { return true }
      return try isFresh && known == nil && purchase(RowKey.value(key))?.info.pseudonymIndex == index
    }
    if try isIt(RowKey.number(index)) { return index }
    let rows = try machines(kind: PurchaseInfo.kind, phase: nil, after: nil, limit: 10_000)
    return try rows.first { try isIt($0.key) }.map { RowKey.value($0.key) }
  }
}

extension Wallet {
  /// Which pseudonym of this wallet a key is: one below `limit`, of those names, or the account's.
  func pseudonym(_ key: PublicKey, below limit: UInt64, names: [String]) -> UInt64? {
    let special = [WalletSeed.account] + names.map(WalletSeed.pseudonym(named:))
    let candidates = [AnySequence(0..<limit), AnySequence(special)].joined()
    return candidates.first { seed.pseudonymKey($0).publicKey == key }
  }

  /// The number of the purchase that was paid with a message.
  func number(
    of n1: Verified<N1>, paidBy payment: [UInt8], as type: MessageType, near index: UInt64,
    below limit: UInt64
  ) async throws -> UInt64 {
    try await store.write { tx in
      if let known = try tx.purchase(
        of: n1, paidBy: payment, as: type, near: index, isFresh: index < limit)
      {
        return known
      }
      // Once it was the purchase's own number; another one that is free does as well.
      guard index < limit, try tx.purchase(index) == nil else { return try tx.take("purchase") }
      let next = try tx.meta("next/purchase").map(RowKey.value) ?? 0
      if next <= index { try tx.setMeta("next/purchase", RowKey.number(index + 1)) }
      return index
    }
  }

  /// Goes on with a purchase that was taken up as after any interruption: the ciphertext again, and then the
  /// rest. What holds it up, a merchant above all, does not hold up the others: `resume` does the rest.
  func goOn(_ info: PurchaseInfo, _ goods: PurchasedGoods?) async {
    do {
      if let goods { try await fetch(goods, for: info) }
    } catch { report(.note("purchase \(info.number): \(error)")) }
    do { try await advance(info.number) } catch {
      report(.note("purchase \(info.number): \(error)"))
    }
  }

  /// Stores a purchase that was paid, with what is known of it.
  func takeUp(
    _ info: PurchaseInfo, _ messages: [(Label, [UInt8])], phase: PurchasePhase = .authorised, due: Timestamp?
  ) async throws {
    try await store.write { tx in
      for (label, bytes) in messages {
        try tx.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(info.number))
      }
      try tx.putPurchase(info, phase: phase, due: due)
    }
  }
}
