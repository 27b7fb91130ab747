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
}

extension Wallet {
  /// How many pseudonyms in a row may be unknown before the search ends.
  private static let pseudonymGap: UInt64 = 1000

  /// Brings tokens and purchases back. Purchases under pseudonyms that the customer had named come back only
  /// under these `names`: no message tells them.
  public func restore(names: [String] = []) async throws -> Restored {
    var queue: [Coin] = []
    for bank in trust.list.entries where bank.role == .bank && bank.url != nil {
      queue += try await withdrawn(at: bank)
    }
    var found = Restored()
    var invoices: [FoundInvoice] = []
    var seen = Set<Hash>()
    var known = Set<Hash>()
    var limit = Self.pseudonymGap
    // A wallet that was put back to an old copy may hold tokens for payments that the bank has not seen.
    var pending = try await openRequests()
    var rounds = 0
    // Refunds of what was bought are tokens again, with which more may have been bought.
    repeat {
      var purchases: [Hash: any FoundPurchase] = [:]
      while let coin = queue.popLast() {
        guard seen.insert(try coin.decoded().id).inserted else { continue }
        let (rest, uses) = try await ask(coin)
        let unseen = rest > 0 ? try await unseenAnnouncements(of: coin) : []
        for found in foundPurchases(uses) + unseen where known.insert(found.hash).inserted {
          purchases[found.hash] = found
        }
        invoices += FoundInvoice.all(in: uses, of: coin)
        queue += try await exchanged(uses, entry(coin.decoded().bank))
        var row = coin
        row.rest = rest
        try await store.write { [row] tx in try tx.putCoin(row, id: row.decoded().id) }
        if rest > 0 { found.tokens += 1 }
      }
      try await advanceCounters()
      pending.removeAll { known.contains($0.hash) }
      // The oldest first: pseudonyms were taken in about that order, so that the gap is never wide.
      let byAge = purchases.values.sorted {
        ($0.terms.expiration, $0.terms.n.description) < ($1.terms.expiration, $1.terms.n.description)
      }
      try await settleCoins(byAge + pending)
      (pending, rounds) = ([], rounds + 1)
      for purchase in byAge {
        guard let (number, index) = try await purchase.takeUp(by: self, below: limit, names: names) else {
          continue
        }
        if index < limit { limit = max(limit, index + Self.pseudonymGap) }
        found.purchases += 1
        queue += try await restoredRefunds(number)
      }
    } while !queue.isEmpty
    // A purchase may hold tokens that came back after it.
    if rounds > 1 { try await settleCoins(openRequests()) }
    try await settleInvoices()
    for invoice in invoices {
      guard let index = try await takeUp(invoice, below: limit, names: names) else { continue }
      if index < limit { limit = max(limit, index + Self.pseudonymGap) }
      found.purchases += 1
    }
    return found
  }

  /// All tokens that the account ever withdrew at this bank; none where it has no account.
  private func withdrawn(at bank: TrustEntry) async throws -> [Coin] {
    var result: [Coin] = []
    var from: UInt64 = 0
    while true {
      let answer: AccountAnswer
      do { answer = try await accountPage(bank, from: from) } catch let refused as RefusedByPeer {
        guard refused.code == Reason.noSuchAccount.rawValue else { throw refused }
        return []
      }
      for index in stride(from: 0, to: answer.history.count - 1, by: 2) {
        let w1 = try Verified<W1>(answer.history[index], by: .key(accountKey))
        let w2 = try Verified<W2>(answer.history[index + 1], by: .key(bank.key))
        result += try await coins(of: w1.payload.outputs, w1.payload.recovery, w2.payload.signatures, bank)
      }
      guard let next = answer.next, !answer.history.isEmpty else { return result }
      from = next
    }
  }

  func accountPage(_ bank: TrustEntry, from: UInt64) async throws -> AccountAnswer {
    var generator = surroundings.randomness
    let query = try Verified(
      signing: AccountQuery(bank: bank.key, nonce: .random(using: &generator), from: from),
      with: seed.accountKey())
    let answer: Verified<AccountAnswer> = try expect(
      try await exchange(query.bytes, with: bank.key), from: bank.key, for: query.bytes)
    guard answer.payload.hQuery == query.hash else {
      throw ServiceError.protocolViolation("\(bank.name) answered another query")
    }
    return answer.payload
  }

  func coins(
    of outputs: [Blinded], _ note: [UInt8]?, _ signatures: [[UInt8]], _ bank: TrustEntry
  ) async throws -> [Coin] {
    guard let note, let pending = RecoveryNote.open(note, key: seed.recoveryKey(), outputs: outputs) else {
      return []
    }
    guard signatures.count == pending.count else {
      throw ServiceError.protocolViolation(
        "\(bank.name) signed \(signatures.count) of \(pending.count) tokens")
    }
    let keys = try await keyList(bank)
    // The note does not say to which archive a token is bound, nor where it is usable: under its own the
    // signature holds.
    let archives = trust.list.entries.filter { $0.role == .archive }.map(\.key.description)
    let banks = trust.list.entries.filter { $0.role == .bank && $0.key != bank.key }.map(\.key.description)
    return try zip(signatures, pending).compactMap { signature, unbound in
      var unbound = unbound
      if WalletSeed.isOnCard(unbound.keyIndex) {
        guard cards.isThere else {
          report(.note("a token on a card was left out: restore with the card in the reader and --card"))
          return nil
        }
        let key = try cards.card().tokenKey(UInt32(truncatingIfNeeded: unbound.keyIndex))
        unbound.key = key.publicKey.description
      }
      if let coin = try? unblind([signature], [unbound], keys, bank).first { return coin }
      for archive in archives {
        var bound = unbound
        bound.archive = archive
        if let coin = try? unblind([signature], [bound], keys, bank).first { return coin }
      }
      for place in banks {
        var elsewhere = unbound
        elsewhere.usableAt = place
        if let coin = try? unblind([signature], [elsewhere], keys, bank).first { return coin }
      }
      throw ServiceError.protocolViolation("\(bank.name)'s signature makes no token")
    }
  }

  /// Asks the bank, as the token's key, what is left of a token and what it was used for.
  private func ask(_ coin: Coin) async throws -> (rest: UInt64, uses: [[UInt8]]) {
    let token = try coin.decoded()
    var generator = surroundings.randomness
    let query = try StatusQuery(token, nonce: .random(using: &generator))
    let answer = try await answer(to: sign(query, for: coin), at: token.bank)
    let rest = answer.payload.remainder?.amount ?? coin.value
    return (rest, answer.payload.proof)
  }

  /// Payments in this store that have not ended.
  private func openRequests() async throws -> [any FoundPurchase] {
    try await store.read { tx in
      var found: [any FoundPurchase] = []
      for phase in [PurchasePhase.announced, .authorised, .locked] {
        let rows = try tx.machines(kind: PurchaseInfo.kind, phase: phase.rawValue, after: nil, limit: 10_000)
        for row in rows {
          found += foundPurchases(
            try tx.messages(kind: PurchaseInfo.kind, key: row.key).map(\.bytes))
        }
      }
      return found
    }
  }

  /// Makes the coins say what the bank says, and hold what the purchases that are taken up will spend or
  /// free. What the bank has locked or spent for such a purchase counts as still there and held: its outcome
  /// takes it away. Asked until nothing changed meanwhile.
  private func settleCoins(_ purchases: [any FoundPurchase]) async throws {
    guard !purchases.isEmpty else { return }
    var known = try await settled(purchases)
    for _ in 0..<8 {
      var coins: [Hash: Coin] = [:]
      for purchase in purchases {
        for input in purchase.inputs where coins[input.token.id] == nil {
          guard var coin = try await store.read({ try $0.coin(input.token.id) }), canSign(for: coin)
          else { continue }
          (coin.rest, coin.held) = (try await ask(coin).rest, 0)
          coins[input.token.id] = coin
        }
      }
      let again = try await settled(purchases)
      guard again == known else {
        known = again
        continue
      }
      for purchase in purchases {
        for input in purchase.inputs {
          coins[input.token.id]?.held += input.amount
        }
        for input in known[purchase.hash] ?? [] { coins[input.token.id]?.rest += input.amount }
      }
      let rows = coins
      try await store.write { tx in
        for (id, coin) in rows.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
          try tx.putCoin(coin, id: id)
        }
      }
      return
    }
    throw ServiceError.unreachable("the bank has changes all the time: try again later")
  }

  /// What the bank has taken of the tokens for each of these purchases.
  private func settled(_ purchases: [any FoundPurchase]) async throws -> [Hash: [TokenInput]] {
    var taken: [Hash: [TokenInput]] = [:]
    for purchase in purchases {
      let known = try await store.read { tx -> Coin? in
        for input in purchase.inputs {
          if let coin = try tx.coin(input.token.id), self.canSign(for: coin) { return coin }
        }
        return nil
      }
      guard let coin = known else { continue }
      let terms = purchase.terms
      var generator = surroundings.randomness
      let query = StatusQuery(n: terms.n, merchant: terms.merchant, nonce: .random(using: &generator))
      let answer = try await answer(to: sign(query, for: coin), at: purchase.bank)
      taken[purchase.hash] = purchase.taken(answer.payload)
    }
    return taken
  }

  private func exchanged(_ uses: [[UInt8]], _ bank: TrustEntry) async throws -> [Coin] {
    var result: [Coin] = []
    for (index, use) in uses.enumerated() {
      guard let x1 = try? Verified<X1>(use, by: .ownTokens), index + 1 < uses.count,
        let x2 = try? Verified<X2>(uses[index + 1], by: .key(bank.key)), x2.payload.hX1 == x1.hash
      else { continue }
      result += try await coins(of: x1.payload.outputs, x1.payload.recovery, x2.payload.signatures, bank)
    }
    return result
  }

  /// No number is used twice: counters go beyond everything that was found.
  private func advanceCounters() async throws {
    try await store.write { tx in
      let coins = try [Coin.kind, Coin.cardKind].flatMap { kind in
        try tx.machines(kind: kind, phase: nil, after: nil, limit: 100_000).map {
          try JSONDecoder().decode(Coin.self, from: Data($0.data))
        }
      }
      // A withdrawal that never reached the bank may have used some numbers: leave a wide gap.
      let keys = (coins.map(\.keyIndex).filter { $0 < WalletSeed.card }.max() ?? 0) + 1000
      let serials = (coins.map(\.serialIndex).max() ?? 0) + 1000
      try tx.setMeta("next/token", RowKey.number(keys))
      try tx.setMeta("next/serial", RowKey.number(serials))
    }
  }

  /// Makes the purchase that a P2 belongs to again, from the merchant's and the bank's answers.
  /// - Returns: its number and its pseudonym's; nil if none of the pseudonyms below `limit`, of those names
  ///   and of the account is this wallet's.
  fileprivate func takeUp<P: PurchaseMachine>(
    _: P.Type, _ p2: Verified<AuthorizationQ<P.Mode>>, below limit: UInt64, names: [String]
  ) async throws -> (number: UInt64, index: UInt64)? {
    let terms = p2.payload.terms
    guard let index = pseudonym(terms.pseudonym, below: limit, names: names) else { return nil }
    let number = try await number(paidBy: p2.bytes, as: P.Mode.requestType, near: index, below: limit)
    let answer = try await status(
      of: terms.n, terms.merchant, at: terms.merchant, pseudonym: index)
    var n1: Verified<N1>?
    var p1: Verified<P.Offer>?
    for bytes in answer.payload.proof {
      n1 = (try? Verified<N1>(bytes, by: .key(terms.pseudonym))) ?? n1
      p1 = (try? Verified<P.Offer>(bytes, by: .key(terms.merchant))) ?? p1
    }
    guard let n1, let p1, p1.hash == terms.hP1 else {
      throw ServiceError.protocolViolation("the merchant does not give back the contract of a paid purchase")
    }
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
    // The ciphertext again, then on as after any interruption.
    if let claim = p1.payload.goods { try await fetch(PurchasedGoods(p1, claim), for: info) }
    await goOn(number)
    return (number, index)
  }
}

extension StoreTransaction {
  /// The purchase that this store has for a payment: most often the one with its pseudonym's number.
  func purchase(
    paidBy request: [UInt8], as type: MessageType, near index: UInt64
  ) throws -> UInt64? {
    func isPaid(_ key: [UInt8]) throws -> Bool {
      try message(kind: PurchaseInfo.kind, key: key, label: Label(type).rawValue) == request
    }
    if try isPaid(RowKey.number(index)) { return index }
    let rows = try machines(kind: PurchaseInfo.kind, phase: nil, after: nil, limit: 10_000)
    return try rows.first { try isPaid($0.key) }.map { RowKey.value($0.key) }
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
    paidBy payment: [UInt8], as type: MessageType, near index: UInt64, below limit: UInt64
  ) async throws -> UInt64 {
    try await store.write { tx in
      if let known = try tx.purchase(paidBy: payment, as: type, near: index) { return known }
      // Once it was the purchase's own number; another one that is free does as well.
      guard index < limit, try tx.purchase(index) == nil else { return try tx.take("purchase") }
      let next = try tx.meta("next/purchase").map(RowKey.value) ?? 0
      if next <= index { try tx.setMeta("next/purchase", RowKey.number(index + 1)) }
      return index
    }
  }

  /// Goes on with a purchase that was taken up. What holds it up does not hold up the others: `resume` does
  /// the rest.
  func goOn(_ number: UInt64) async {
    do { try await advance(number) } catch {
      report(.note("purchase \(number): \(error)"))
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

/// A purchase that a token's history shows.
protocol FoundPurchase: Sendable {
  var terms: LockTerms { get }
  var bank: PublicKey { get }
  var inputs: [TokenInput] { get }
  var hash: Hash { get }
  func takeUp(
    by wallet: Wallet, below limit: UInt64, names: [String]
  ) async throws -> (number: UInt64, index: UInt64)?
}

extension FoundPurchase {
  /// What is locked or spent by a bank that answers so about the purchase. Of a series that has ended, the
  /// rest of the budget came back already.
  fileprivate func taken(_ answer: StatusAnswer) -> [TokenInput] {
    switch answer.state {
    case .locked: return inputs
    case .committed:
      let commit = answer.proof.lazy.compactMap { try? Verified<R10a>($0, by: .key(terms.archive)) }.first
      let due = commit.flatMap { try? terms.due($0, lock: nil) } ?? terms.value
      return inputs.split(after: due.amount).used
    default: return []
    }
  }
}

private struct Found<P: PurchaseMachine>: FoundPurchase {
  let request: Verified<AuthorizationQ<P.Mode>>
  var terms: LockTerms { request.payload.terms }
  var bank: PublicKey { request.payload.bank }
  var inputs: [TokenInput] { request.payload.tokenInputs }
  var hash: Hash { request.hash }

  func takeUp(
    by wallet: Wallet, below limit: UInt64, names: [String]
  ) async throws -> (number: UInt64, index: UInt64)? {
    try await wallet.takeUp(P.self, request, below: limit, names: names)
  }
}

/// All purchases that these messages, of a token's history or of a purchase, are about.
private func foundPurchases(_ messages: [[UInt8]]) -> [any FoundPurchase] {
  messages.flatMap { use in PurchaseMachines.all.compactMap { foundPurchase($0, use) } }
    + FoundAnnouncement.all(in: messages)
}

private func foundPurchase<P: PurchaseMachine>(_: P.Type, _ use: [UInt8]) -> (any FoundPurchase)? {
  (try? Verified<AuthorizationQ<P.Mode>>(use, by: .ownTokens)).map { Found<P>(request: $0) }
}
