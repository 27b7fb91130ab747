// A merchant's operator: offers, the list of sales, and giving sales up, over the running merchant's control
// socket and on the store of one that does not run. Identities and trust list are made by the real `init`.

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

/// A merchant with its files, and the identities of bank and archive; the store is held until `stop`.
final class Shop {
  let directory: DataDirectory
  let service: MerchantService
  let bank: Identity
  let archive: Identity
  let goods: String

  /// `kiosks`: keys that the trust list has as kiosks.
  init(kiosks: [UInt8] = [], _ change: (inout MerchantPolicy) -> Void = { _ in }) async throws {
    let root = try temporaryDirectory()
    func sub(_ name: String) -> DataDirectory { DataDirectory(root.file(name)) }
    var cards: [PartyCard] = []
    for role in [Role.archive, .bank, .merchant] {
      var setup = PartySetup(role: role, name: role.name, host: "127.0.0.1", port: 1, authority: sub("ca"))
      setup.denominations = [1]
      cards.append(try await PartyOperation.initialise(sub(role.name), setup))
    }
    cards += kiosks.map { number in
      PartyCard(
        role: "kiosk", name: "kiosk\(number)", key: publicKey(number).description, sealingKey: nil, url: "")
    }
    directory = sub("merchant")
    (bank, archive) = (try Identity.load(sub("bank")), try Identity.load(sub("archive")))
    try directory.write("trust.acd", TrustAuthority.export(sub("authority"), parties: cards, days: 1))
    try root.write("song.bin", Array("a song".utf8))
    goods = root.file("song.bin")
    let trust = try LoadedTrust(try directory.read("trust.acd"))
    let node = Node(
      identity: try Identity.load(directory), directory: directory,
      store: try SQLiteStore(path: directory.file("store.sqlite")), trust: trust, transport: idleTransport,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil))
    var policy = MerchantPolicy(trust: trust.list)
    change(&policy)
    service = MerchantService(node: node, policy: policy, kick: {})
  }

  func stop() async throws { try await service.node.store.close() }

  /// A customer's request for an offer, answered by the contract.
  func contract(_ offer: StoredOffer, twoSided: Bool = false) async throws -> Verified<P1> {
    let n1 = N1(
      nonce: Nonce(randomBytes(16))!, price: Money(offer.price)!, offer: Nonce(hex: offer.id)!,
      twoSided: twoSided)
    let reply = try await service.answer(
      Incoming(Verified(signing: n1, with: signingKey(Actor.pseudonym)).bytes))
    return try Verified<P1>(#require(reply), by: .key(service.node.identity.key))
  }

  /// The bank has locked the value.
  func lock(_ p1: Verified<P1>) async throws {
    let terms = LockTerms(
      n: p1.payload.n, merchant: p1.signer, archive: archive.key, pseudonym: p1.payload.contract.pseudonym,
      value: p1.payload.contract.price, expiration: systemClock() + 600,
      lifetime: p1.payload.contract.lifetime, hP1: p1.hash, hx: p1.payload.hx)
    let p3 = try Verified(signing: P3(terms: terms), with: bank.signing)
    _ = try await service.answer(Incoming(p3.bytes))
  }

  /// What waits to be sent to the archive.
  func queued() async throws -> [OutboxItem] {
    let store = service.node.store
    return try await store.read { try $0.outboxDue(at: .max, limit: 10) }
      .filter { $0.destination == archive.key.description }
  }
}

@Suite("A merchant's operator", .timeLimit(.minutes(2)))
struct MerchantOperationTests {
  /// Runs `body` with the merchant's operator, over the socket or on the free store, and closes him.
  private func operating<T>(
    _ shop: Shop, isRunning: Bool, _ body: @escaping (MerchantOperation) async throws -> T
  ) async throws -> T {
    let operation = try MerchantOperation(shop.directory)
    var result: T?
    if isRunning {
      try await whileServing(MerchantDesk(shop.service), in: shop.directory) {
        result = try await body(operation)
      }
    } else {
      try await shop.stop()
      result = try await body(operation)
    }
    try await operation.close()
    return try #require(result)
  }

  @Test("an offer comes and goes; its sales stay")
  func offers() async throws {
    let shop = try await Shop()
    try await operating(shop, isRunning: true) { operation async throws in
      let offer = try await operation.add(shop.goods, price: euros(100), description: "a", twoSided: false)
      #expect(try await operation.offers() == [offer])
      let p1 = try await shop.contract(offer)
      try await operation.remove(offer.id)
      #expect(try await operation.offers() == [])
      #expect(try await operation.sales().map(\.n) == [p1.payload.n.description])
      await #expect(throws: ServiceError.notFound("there is no offer \(offer.id)")) {
        try await operation.remove(offer.id)
      }
      let reply = try await shop.service.answer(
        Incoming(
          Verified(
            signing: N1(
              nonce: Nonce(randomBytes(16))!, price: euros(100), offer: Nonce(hex: offer.id)!,
              twoSided: false),
            with: signingKey(Actor.pseudonym)
          ).bytes))
      let refusal = try Verified<Refusal>(#require(reply), by: .key(shop.service.node.identity.key))
      #expect(refusal.payload.reason == .noSuchOffer)
    }
  }

  @Test("a copy of N1 that is read while the first is answered gets the same answer, whatever came of it")
  func copiesOfBids() async throws {
    let shop = try await Shop()
    try await operating(shop, isRunning: true) { operation async throws in
      let offer = try await operation.add(shop.goods, price: euros(100), description: "a", twoSided: false)
      let stored = try #require(try await OfferBook.find(Nonce(hex: offer.id)!, shop.service.node.store))
      // The price, and a bid below it, which is not negotiated.
      for price in [euros(100), euros(90)] {
        let payload = N1(
          nonce: Nonce(randomBytes(16))!, price: price, offer: Nonce(hex: offer.id)!, twoSided: false)
        let n1 = try Verified(signing: payload, with: signingKey(Actor.pseudonym))
        let first = try #require(try await shop.service.answer(Incoming(n1.bytes)))
        // It was read before that answer was kept, so it goes on behind the look at the answers.
        let copy = try await shop.service.negotiate(n1, stored)
        #expect(!copy.isAgreed)
        #expect(copy.answer == first)
        #expect(try await shop.service.answer(Incoming(n1.bytes)) == first)
      }
    }
  }

  @Test("there are at most as many offers as their list holds")
  func offersMax() async throws {
    let shop = try await Shop()
    try await operating(shop, isRunning: false) { operation async throws in
      for _ in 0..<OfferBook.offersMax {
        _ = try await operation.add(shop.goods, price: euros(1), description: "a", twoSided: false)
      }
      await #expect(throws: ServiceError.self) {
        _ = try await operation.add(shop.goods, price: euros(1), description: "a", twoSided: false)
      }
      #expect(try await operation.offers().count == OfferBook.offersMax)
    }
  }

  @Test("the list of sales goes over many pages")
  func pages() async throws {
    let shop = try await Shop()
    try await operating(shop, isRunning: true) { operation async throws in
      let offer = try await operation.add(shop.goods, price: euros(100), description: "a", twoSided: false)
      var sold: Set<String> = []
      for _ in 0..<Page<SaleSummary>.rowsMax + 1 {
        sold.insert(try await shop.contract(offer).payload.n.description)
      }
      let sales = try await operation.sales()
      #expect(sales.count == sold.count && Set(sales.map(\.n)) == sold)
      #expect(sales.allSatisfy { $0.phase == "offered" && $0.name == "song.bin" && $0.expiration == nil })
    }
  }

  @Test("a sale that is only offered is declined, and its money comes back when it is locked after all")
  func cancelBeforeLock() async throws {
    let shop = try await Shop()
    try await operating(shop, isRunning: true) { operation async throws in
      let offer = try await operation.add(shop.goods, price: euros(100), description: "a", twoSided: false)
      let p1 = try await shop.contract(offer)
      for _ in 1...2 { #expect(try await operation.cancel(p1.payload.n).phase == "declined") }
      #expect(try await shop.queued().isEmpty)
      try await shop.lock(p1)
      #expect(try await operation.sales().map(\.phase) == ["cancelling"])
      #expect(try await shop.queued().count == 1)
    }
  }

  @Test("a sale that waits for S_p(P1) is cancelled at the archive", arguments: [true, false])
  func cancelLocked(_ isRunning: Bool) async throws {
    let shop = try await Shop()
    let offer = try OfferBook.describe(shop.goods, price: euros(100), description: "a", twoSided: false)
    try await OfferBook.put(offer, shop.service.node.store)
    let p1 = try await shop.contract(offer, twoSided: true)
    try await shop.lock(p1)
    let before = try await shop.queued()
    #expect(before.isEmpty)
    let n = p1.payload.n
    let sale = try await operating(shop, isRunning: isRunning) { try await $0.cancel(n) }
    #expect(sale.phase == "cancelling" && sale.expiration != nil && sale.twoSided)
    let store =
      isRunning ? shop.service.node.store : try SQLiteStore(path: shop.directory.file("store.sqlite"))
    let queued = try await store.read { try $0.outboxDue(at: .max, limit: 10) }
    #expect(queued.map(\.destination) == [shop.archive.key.description])
    let bundle = try Messages.Bundle(encoded: #require(queued.first).body)
    let cancel = try Verified<Cancel>(bundle.messages[0], by: .key(p1.signer))
    #expect(cancel.payload.n == n)
  }

  @Test(
    "a sale that is with the archive, or that there is none of, is not given up", arguments: [true, false])
  func tooLate(_ isRunning: Bool) async throws {
    let shop = try await Shop()
    let offer = try OfferBook.describe(shop.goods, price: euros(100), description: "a", twoSided: false)
    try await OfferBook.put(offer, shop.service.node.store)
    let p1 = try await shop.contract(offer)
    try await shop.lock(p1)
    let none = TransactionID(randomBytes(16))!
    try await operating(shop, isRunning: isRunning) { operation async throws in
      await #expect(
        throws: ServiceError.refused(code: "tooLate", detail: "the sale is with the archive already")
      ) { _ = try await operation.cancel(p1.payload.n) }
      await #expect(throws: ServiceError.notFound("there is no sale \(none)")) {
        _ = try await operation.cancel(none)
      }
      #expect(try await operation.sales().map(\.phase) == ["submitted"])
    }
  }
}
