// Repeated transactions in the wallet (US 6,076,078, FIG. 8): a series is bought under a budget, bought from
// again, and finished. What is done stands in the store alone: `continueSeries` looks at it and goes on,
// whatever was interrupted.

import Foundation
public import Messages
import Parties
import Storage

/// One purchase of a series, as the wallet keeps it.
struct SeriesItem: Codable, Equatable, Sendable {
  var description: String
  var name: String
  var price: String
  /// Where the goods go; nil: the wallet's goods folder.
  var output: String?
  /// The goods are open and stored.
  var isDelivered = false
}

/// What the wallet keeps of a series beside its messages.
struct SeriesInfo: Codable, Equatable, Sendable {
  /// What the tokens are locked for.
  var budget: String
  /// R7 rides with the next R5.
  var isShort: Bool
  /// Purchases 0, 1, ….
  var items: [SeriesItem]
  /// The customer wants no more.
  var isFinishing = false
}

/// How a series stands.
public struct SeriesSummary: Codable, Equatable, Sendable {
  public var budget: String
  /// What the purchases cost so far.
  public var total: String
  public var left: String
  /// The goods' names, in order, and how many of them are delivered.
  public var names: [String]
  public var delivered: Int
}

/// A purchase that is a series.
typealias SeriesPurchase = CustomerPurchase<RepeatedMode>

extension Wallet {
  // MARK: What a customer does

  /// Buys another offer of the same merchant in an open series.
  public func again(_ number: UInt64, _ offer: Offer, output: String?) async throws {
    var (info, machine) = try await look(SeriesPurchase.self, number)
    guard info.series != nil else {
      throw ServiceError.configuration("purchase \(number) is no series: buy with --protocol repeated")
    }
    guard offer.modes.contains(.repeated) else {
      throw ServiceError.configuration("this is not sold in series; nothing was asked for")
    }
    // Whatever was interrupted comes first.
    try await advance(number)
    (info, machine) = try await look(SeriesPurchase.self, number)
    guard machine.phase == .locked, let kept = info.series, !kept.isFinishing else {
      throw ServiceError.configuration("series \(number) is \(machine.phase): begin a new one")
    }
    let wanted = ItemRequest(offer: offer.id, price: offer.price, description: offer.description)
    let item = SeriesItem(
      description: offer.description, name: offer.name, price: offer.price.description, output: output)
    let key = info.pseudonymIndex
    try await applySeries(
      number,
      { info, machine in
        // One that was refused before has the same place.
        let stays = info.series?.items.prefix(Int(machine.series?.count ?? 0) + 1) ?? []
        info.series?.items = stays + [item]
      }
    ) { [seed] machine in
      try machine.wanted(wanted, short: kept.isShort, pseudonym: seed.pseudonymKey(key))
    }
    let place = (machine.series?.count ?? 0) + 1
    try await advance(number)
    (info, machine) = try await look(SeriesPurchase.self, number)
    guard machine.item(place) != nil else {
      throw ServiceError.configuration(
        "series \(number) had ended before; what was bought is paid, this was not. Begin a new one")
    }
  }

  /// Ends a series: what was bought is paid, the rest of the budget comes back.
  public func finish(_ number: UInt64) async throws {
    let (info, _) = try await look(SeriesPurchase.self, number)
    guard info.series != nil else { throw ServiceError.configuration("purchase \(number) is no series") }
    try await applySeries(number, { info, _ in info.series?.isFinishing = true }) { _ in [] }
    try await advance(number)
  }

  /// How a series stands; nil for other purchases.
  public func series(_ number: UInt64) async throws -> SeriesSummary? {
    let plain = try await info(number)
    guard let kept = plain.series else { return nil }
    let (_, machine) = try await look(SeriesPurchase.self, number)
    // Ended, it is what the record says; else what was asked for and offered.
    let last = machine.committed ?? machine.series?.count ?? 0
    let items = kept.items.prefix(Int(last) + 1)
    let total = machine.paid?.description ?? machine.series?.total.description ?? plain.price
    let left = Money(kept.budget).flatMap { budget in
      Money(total).flatMap {
        Money(currency: budget.currency, amount: budget.amount - min(budget.amount, $0.amount))
      }
    }
    return SeriesSummary(
      budget: kept.budget, total: total, left: left?.description ?? kept.budget, names: items.map(\.name),
      delivered: items.filter(\.isDelivered).count)
  }

  // MARK: Steps

  /// Everything that an open series has to do now.
  /// - Returns: false when it stays open and waits for its customer.
  func continueSeries(_ number: UInt64, looksForOutcome: Bool) async throws -> Bool {
    guard let lock = try await look(SeriesPurchase.self, number).machine.p3 else { return true }
    var failure: (any Error)?
    do { try await catchUp(number) } catch { failure = error }
    let info = try await info(number)
    let isFinishing = info.series?.isFinishing ?? false
    let isOver = isFinishing || clock() >= lock.payload.terms.expiration
    // The merchant may have ended it: then it refuses, or somebody wants to know.
    if isOver || failure != nil || looksForOutcome,
      let outcome = try? await askArchive(RepeatedMode.self, lock)
    {
      try await decide(RepeatedMode.self, number, outcome)
      return true
    }
    guard isOver else {
      if let failure { throw failure }
      return false
    }
    if let failure { report(.note("series \(number): \(failure)")) }
    try await sayFinished(number, lock)
    try await settle(RepeatedMode.self, info, lock)
    return true
  }

  /// M hears that C wants no more, and archives the series; if it does not, it does so in time by itself.
  private func sayFinished(_ number: UInt64, _ lock: Verified<R3>) async throws {
    let terms = lock.payload.terms
    guard clock() < terms.expiration else { return }
    let pseudonym = try await info(number).pseudonymIndex
    let said = (try? await message(number, .nak)).flatMap { try? Verified<NAK>(stored: $0) }
    if said?.payload.decline != true {
      try await apply(SeriesPurchase.self, number) { [seed] machine in
        try machine.declined(pseudonym: seed.pseudonymKey(pseudonym))
      }
    }
    _ = try? await exchange(try await message(number, .nak), with: terms.merchant)
  }

  /// Takes the series as far as its messages and goods go: keys, goods, acknowledgements.
  private func catchUp(_ number: UInt64) async throws {
    try await takeShown(number)
    try await deliverItems(number)
    while true {
      let (info, machine) = try await look(SeriesPurchase.self, number)
      guard let kept = info.series, let series = machine.series else { return }
      if let open = series.open {
        if open.item == nil { try await ask(number, open.request, series) }
        try await receiveItem(number)
      } else {
        let last = series.items.last
        guard let r7 = last?.acknowledgement, last?.key == nil else { return }
        // In the short form R7 waits for the next R5, or for the end.
        guard !kept.isShort || kept.isFinishing else { return }
        let merchant = r7.payload.merchant
        try await takeAnswers(number, try await exchange(r7.bytes, with: merchant))
        try await deliverItems(number)
        guard try await look(SeriesPurchase.self, number).machine.series?.items.last?.key != nil else {
          return
        }
      }
    }
  }

  /// R5, in the short form behind the R7 before.
  private func ask(_ number: UInt64, _ r5: Verified<R5>, _ series: CustomerSeries) async throws {
    let before = series.items.dropLast().last
    let waiting = before?.key == nil ? before?.acknowledgement : nil
    let requests = (waiting.map { [$0.bytes] } ?? []) + [r5.bytes]
    let body = requests.count == 1 ? r5.bytes : try Messages.Bundle(requests).encoded()
    try await takeAnswers(number, try await exchange(body, with: r5.payload.merchant))
    try await deliverItems(number)
  }

  /// Takes R6, R8 and refusals, whichever came.
  private func takeAnswers(_ number: UInt64, _ reply: [UInt8]?) async throws {
    let (info, machine) = try await look(SeriesPurchase.self, number)
    guard let reply, let offer = machine.p1 else {
      throw ServiceError.protocolViolation("the merchant did not answer")
    }
    let messages = reply.first == 0xd2 ? [reply] : try Messages.Bundle(encoded: reply).messages
    for bytes in messages {
      if let r8 = try? Verified<R8>(bytes, by: .key(offer.signer)) {
        try await apply(SeriesPurchase.self, number) { machine in machine.keyed(r8) }
      } else if let refusal = try? Verified<Refusal>(bytes, by: .key(offer.signer)) {
        if refusal.payload.hRequest == machine.series?.open?.request.hash {
          try await apply(SeriesPurchase.self, number) { machine in machine.refusedItem(refusal) }
        }
        throw RefusedByPeer(refusal: refusal)
      } else {
        let r6 = try Verified<R6>(bytes, by: .key(offer.signer))
        let policy = CustomerPolicy(trust: trust.list)
        let description = info.series?.items.last?.description
        try await apply(SeriesPurchase.self, number) { machine in
          machine.offered(r6, description: description, policy: policy)
        }
      }
    }
  }

  /// All of the last purchase's ciphertext, then R7 in the store.
  private func receiveItem(_ number: UInt64) async throws {
    let (info, machine) = try await look(SeriesPurchase.self, number)
    guard let r6 = machine.series?.open?.item else { return }
    let claim = PurchasedGoods(r6).claim
    try await fetch(PurchasedGoods(r6), for: info)
    let key = info.pseudonymIndex
    try await apply(SeriesPurchase.self, number) { [seed] machine in
      try machine.receivedItem(root: claim.root, length: claim.length, pseudonym: seed.pseudonymKey(key))
    }
  }

  // MARK: What the merchant shows

  /// Purchases that the record commits and that this wallet does not know, since it came from an old copy. As
  /// long as the merchant has to keep them, it is asked until it answers.
  func remember(upTo last: UInt64, _ number: UInt64) async throws {
    let (_, machine) = try await look(SeriesPurchase.self, number)
    guard last > 0, machine.item(last) == nil, let lock = machine.p3 else { return }
    do { try await takeShown(number, again: true) } catch {
      if error is TransportError, clock() < lock.payload.terms.lifetime { throw error }
      report(.note("series \(number): what was bought last is not known here: \(error)"))
    }
  }

  /// After the lock: R4; after a restore: everything else, own messages included.
  private func takeShown(_ number: UInt64, again: Bool = false) async throws {
    let (info, machine) = try await look(SeriesPurchase.self, number)
    guard again || machine.series?.first == nil, let offer = machine.p1, let lock = machine.p3 else { return }
    // The bank tells the merchant too; whoever comes first.
    _ = try await exchange(lock.bytes, with: offer.signer)
    // Two-sided: k_0 comes after it.
    if let note = try? await message(number, .acknowledgement) {
      _ = try await exchange(note, with: offer.signer)
    }
    let peer = try entry(offer.signer)
    let proof = try proofOfPseudonym(info.pseudonymIndex, offer.payload.n, offer.signer)
    let reply = try await transport.send(
      "GET", url: peer.url! + "/v1/series/\(offer.payload.n)?by=\(Hex.encode(proof))", body: nil,
      contentType: nil)
    guard reply.status == 200 else {
      throw ServiceError.unreachable("\(peer.name) does not show the series (HTTP \(reply.status))")
    }
    let known = Set(
      try await store.read { tx in
        try tx.messages(kind: PurchaseInfo.kind, key: RowKey.number(number)).map(\.bytes)
      })
    for bytes in try Messages.Bundle(encoded: reply.body).messages where !known.contains(bytes) {
      try await take(bytes, number, merchant: offer.signer, pseudonym: info.pseudonymIndex)
    }
  }

  /// One message of the series out of the merchant's store, each checked like one that just came.
  private func take(
    _ bytes: [UInt8], _ number: UInt64, merchant: PublicKey, pseudonym: UInt64
  ) async throws {
    let own = seed.pseudonymKey(pseudonym).publicKey
    let policy = CustomerPolicy(trust: trust.list)
    if let r4 = try? Verified<R4>(bytes, by: .key(merchant)) {
      try await apply(SeriesPurchase.self, number) { machine in machine.opened(r4) }
    } else if let r8 = try? Verified<R8>(bytes, by: .key(merchant)) {
      try await apply(SeriesPurchase.self, number) { machine in machine.keyed(r8) }
    } else if let r6 = try? Verified<R6>(bytes, by: .key(merchant)) {
      try await applySeries(
        number,
        { info, machine in
          guard machine.series?.count == r6.payload.index,
            info.series?.items.count == Int(r6.payload.index)
          else { return }
          let contract = r6.payload.contract
          info.series?.items.append(
            SeriesItem(description: "", name: contract.name, price: contract.price.description, output: nil))
        }
      ) { machine in machine.offered(r6, description: nil, policy: policy) }
    } else if let r5 = try? Verified<R5>(bytes, by: .key(own)) {
      try await apply(SeriesPurchase.self, number) { machine in machine.remembered(r5) }
    } else if let r7 = try? Verified<R7>(bytes, by: .key(own)) {
      try await apply(SeriesPurchase.self, number) { machine in machine.remembered(r7) }
    }
  }

  // MARK: Goods

  /// Opens all goods whose keys are here; in the end all that were committed. Bad ones do not stop the
  /// others.
  func deliverItems(_ number: UInt64) async throws {
    try await addCommitted(number)
    let (info, machine) = try await look(SeriesPurchase.self, number)
    guard let offer = machine.p1, let items = info.series?.items else { return }
    var failure: (any Error)?
    for (place, item) in items.enumerated() where !item.isDelivered {
      let index = UInt64(place)
      guard let key = machine.key(index), let claim = machine.goods(index) else { continue }
      let goods = machine.item(index).map { PurchasedGoods($0) } ?? PurchasedGoods(offer, claim)
      let output = item.output ?? directory.file("goods/\(safeName(item.name, offer.payload.n, index))")
      do {
        if let archive = machine.p2?.payload.terms.archive, machine.committed == index {
          try await fetch(goods, for: info, orFrom: archive)
        } else {
          try await fetch(goods, for: info)
        }
        try await open(goods, key: key, output: output)
      } catch {
        failure = failure ?? error
        continue
      }
      try await applySeries(number, { info, _ in info.series?.items[place].isDelivered = true }) { _ in [] }
      report(.note("delivered: \(output)"))
    }
    if let failure { throw failure }
  }

  /// A forced record may commit a purchase of which this wallet knows nothing any more.
  private func addCommitted(_ number: UInt64) async throws {
    let (info, machine) = try await look(SeriesPurchase.self, number)
    guard let last = machine.committed, let r6 = machine.item(last), let kept = info.series?.items.count,
      kept == Int(last)
    else { return }
    let contract = r6.payload.contract
    let item = SeriesItem(
      description: "", name: contract.name, price: contract.price.description, output: nil)
    try await applySeries(number, { info, _ in info.series?.items.append(item) }) { _ in [] }
  }

  /// Stores a change of what the wallet keeps of a series, and what an event comes to, in one durable step.
  func applySeries(
    _ number: UInt64,
    _ change: @escaping @Sendable (inout PurchaseInfo, SeriesPurchase) -> Void,
    _ event: @escaping @Sendable (inout SeriesPurchase) throws -> [CustomerEffect]
  ) async throws {
    let denial = try await store.write { tx -> Denial? in
      var (info, machine) = try self.load(SeriesPurchase.self, tx, number)
      let before = machine
      let effects = try event(&machine)
      for case .keep(let label, let bytes) in effects {
        try tx.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
      }
      for case .deny(let denial) in effects { return denial }
      change(&info, before)
      try tx.putPurchase(info, phase: machine.phase, due: machine.p2?.payload.terms.expiration)
      return nil
    }
    if let denial { throw ServiceError.protocolViolation(denial.detail) }
  }
}
