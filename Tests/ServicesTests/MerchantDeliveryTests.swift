// Parcels at the merchant and the archive: offers with offices, and what kiosks say. What is not about the
// very sale, or not a kiosk's, is refused and kept nowhere.

import Foundation
import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Parcels at the merchant", .timeLimit(.minutes(2)))
struct MerchantDeliveryTests {
  private static let (mitte, nord, stranger): (UInt8, UInt8, UInt8) = (201, 202, 203)

  private func shop() async throws -> Shop {
    try await Shop(kiosks: [Self.mitte, Self.nord])
  }

  private func offer(_ shop: Shop, offices: [UInt8] = [mitte, nord]) async throws -> StoredOffer {
    var offer = try OfferBook.describe(shop.goods, price: euros(100), description: "a", twoSided: false)
    offer.offices = offices.isEmpty ? nil : offices.map { publicKey($0).description }
    try await OfferBook.put(offer, shop.service.node.store)
    return offer
  }

  private func ask(
    _ shop: Shop, _ offer: StoredOffer, office: UInt8?, collectKeys: [PublicKey] = []
  ) async throws -> [UInt8] {
    let n1 = N1(
      nonce: Nonce(randomBytes(16))!, price: euros(100), offer: Nonce(hex: offer.id)!, twoSided: false,
      office: office.map(publicKey), collectKeys: collectKeys)
    let reply = try await shop.service.answer(
      Incoming(Verified(signing: n1, with: signingKey(Actor.pseudonym)).bytes))
    return try #require(reply)
  }

  private func p1(_ shop: Shop, collectKeys: [PublicKey] = []) async throws -> Verified<P1> {
    let reply = try await ask(shop, offer(shop), office: Self.mitte, collectKeys: collectKeys)
    return try Verified<P1>(reply, by: .key(shop.service.node.identity.key))
  }

  private func reason(_ reply: [UInt8]?) throws -> Reason? {
    try Unverified<Refusal>(#require(reply)).claims.reason
  }

  private func kept(_ shop: Shop, _ p1: Verified<P1>) async throws -> [String] {
    let n = p1.payload.n
    return try await shop.service.node.store.read {
      try $0.messages(kind: MerchantService.kind, key: n.bytes).map(\.label)
    }
  }

  private func signed<P: Payload>(_ payload: P, _ actor: UInt8) throws -> [UInt8] {
    try Verified(signing: payload, with: signingKey(actor)).bytes
  }

  /// A visit's record.
  private func record(
    _ p1: Verified<P1>, kiosk: UInt8 = mitte, customer: UInt8 = Actor.pseudonym,
    _ change: (inout D1) -> Void = { _ in }
  ) throws -> Messages.Bundle {
    let now = systemClock()
    var payload = D1(
      n: p1.payload.n, merchant: p1.signer, hP1: p1.hash, time: now, nonce: Nonce(randomBytes(16))!,
      office: publicKey(kiosk), parcel: p1.payload.contract.parcel!, hP5a: Hash(of: [5]), intent: .collect)
    change(&payload)
    let d1 = try Verified(signing: payload, with: signingKey(kiosk))
    let d2 = try Verified(signing: D2(hD1: d1.hash, intent: .collect), with: signingKey(customer))
    let d3 = try signed(
      D3(time: now, hD2: d2.hash, stage: .final, outcome: .handedOver, index: 0, previous: nil), kiosk)
    return Messages.Bundle([d1.bytes, d2.bytes, d3])
  }

  @Test(
    "an offer with offices is sold to who names one of them, with a fresh parcel each time; others are not")
  func offices() async throws {
    let shop = try await shop()
    let parcels = try await offer(shop)
    for office in [nil, Self.stranger] {
      #expect(try reason(await ask(shop, parcels, office: office)) == .unsupported)
    }
    let file = try await offer(shop, offices: [])
    #expect(try reason(await ask(shop, file, office: Self.mitte)) == .unsupported)
    #expect(try reason(await ask(shop, file, office: nil, collectKeys: [publicKey(9)])) == .unsupported)
    let key = publicKey(9)
    let (one, two) = (try await p1(shop, collectKeys: [key]), try await p1(shop))
    let contract = one.payload.contract
    #expect(contract.offices == [publicKey(Self.mitte)] && contract.collectKeys == [key])
    #expect(contract.parcel.flatMap { ParcelLabel($0) }?.kind == .own)
    #expect(contract.parcel != two.payload.contract.parcel)
    let hold = try #require(contract.holdUntil)
    #expect(hold > systemClock() + 13 * 86_400 && hold <= contract.lifetime)
    try await shop.stop()
  }

  @Test("D0 counts from a trusted kiosk of the contract's office, about a parcel of a sale")
  func arrivals() async throws {
    let shop = try await shop()
    let p1 = try await p1(shop)
    let parcel = p1.payload.contract.parcel!
    func tell(_ parcel: String, _ kiosk: UInt8) async throws -> [UInt8]? {
      try await shop.service.handle(signed(D0(parcel: parcel, arrived: systemClock()), kiosk))
    }
    #expect(try reason(await tell(parcel, Self.stranger)) == .untrusted)
    #expect(try reason(await tell(parcel, Self.nord)) == .mismatch)
    #expect(try reason(await tell("AC12345678901230", Self.mitte)) == .unknownTransaction)
    #expect(try await !kept(shop, p1).contains("D0"))
    let answer = try Unverified<StatusAnswer>(#require(await tell(parcel, Self.mitte))).claims
    #expect(answer.proof.isEmpty)
    #expect(try await kept(shop, p1).contains("D0"))
    try await shop.stop()
  }

  @Test("a record counts for its own sale, office and customer; a second final record is shown to who asks")
  func records() async throws {
    let shop = try await shop()
    let p1 = try await p1(shop)
    func tell(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
      try await shop.service.handle(bundle.encoded())
    }
    #expect(try reason(await tell(record(p1, customer: Self.stranger))) == .mismatch)
    #expect(try reason(await tell(record(p1, kiosk: Self.nord))) == .mismatch)
    #expect(try reason(await tell(record(p1, kiosk: Self.stranger))) == .untrusted)
    #expect(try reason(await tell(record(p1) { $0.hP1 = Hash(of: [1]) })) == .mismatch)
    #expect(try reason(await tell(record(p1) { $0.n = TransactionID(randomBytes(16))! })) == .mismatch)
    #expect(try reason(await tell(record(p1) { $0.parcel = "AC12345678901230" })) == .unknownTransaction)
    #expect(try await !kept(shop, p1).contains("D3"))
    let good = try record(p1)
    let answer = try Unverified<StatusAnswer>(#require(await tell(good))).claims
    #expect(answer.hQuery == Hash(of: good.messages[2]) && answer.proof.isEmpty)
    for label in ["D1", "D2", "D3"] { #expect(try await kept(shop, p1).contains(label)) }
    // The same again is the same; a D0 hears of it, for the kiosk's journal may be an old one.
    #expect(try Unverified<StatusAnswer>(#require(await tell(good))).claims.proof.isEmpty)
    let d0 = try signed(D0(parcel: p1.payload.contract.parcel!, arrived: systemClock()), Self.mitte)
    let told = try Unverified<StatusAnswer>(#require(await shop.service.handle(d0))).claims
    #expect(told.proof == [good.messages[2]])
    let desk = MerchantDesk(shop.service)
    let page = try await DeliveriesPage(after: nil).carryOut(at: desk)
    #expect(page.items.map(\.state) == ["handed over"] && page.items[0].isProven)
    try await shop.stop()
  }
}

@Suite("Parcels at the archive", .timeLimit(.minutes(2)))
struct ArchiveDeliveryTests {
  private static let p5a: [UInt8] = [0xd2, 1, 2, 3]

  private func record(_ kiosk: UInt8, hP5a: Hash = Hash(of: p5a), customer: Bool = true) throws
    -> Messages.Bundle
  {
    let key = signingKey(kiosk)
    let d1 = try Verified(
      signing: D1(
        n: Archive.n, merchant: publicKey(Actor.merchant), hP1: Archive.hP1, time: Archive.now,
        nonce: Nonce(randomBytes(16))!, office: publicKey(kiosk), parcel: "RR473124829DE", hP5a: hP5a,
        intent: .collect), with: key)
    let d2 = try Verified(signing: D2(hD1: d1.hash, intent: .collect), with: signingKey(Actor.pseudonym))
    let d3 = try Verified(
      signing: D3(
        time: Archive.now, hD2: customer ? d2.hash : nil, stage: .final,
        outcome: customer ? .handedOver : .expired, index: 0, previous: nil,
        parcel: customer ? nil : "RR473124829DE"), with: key)
    return Messages.Bundle(customer ? [d1.bytes, d2.bytes, d3.bytes] : [d3.bytes])
  }

  @Test("an archive keeps a kiosk's record of a commit that it published, and tells the next office of it")
  func records() async throws {
    let archive = try Archive()
    let deliveries = ArchiveDeliveries(node: archive.node)
    let early = try record(201)
    let refusal = try Unverified<Refusal>(await deliveries.take(early)).claims
    #expect(refusal.reason == .unknownTransaction, "there is no commit yet")
    try await archive.node.store.write { tx in
      try tx.appendRecord(
        merchant: publicKey(Actor.merchant).bytes, n: Archive.n.bytes, lock: Hash(of: [3]).bytes,
        kind: .commit,
        at: Int64(Archive.now), body: Self.p5a)
    }
    let other = try Unverified<Refusal>(await deliveries.take(record(201, hP5a: Hash(of: [9])))).claims
    #expect(other.reason == .unknownTransaction, "another commit")
    await #expect(throws: MessageError.self, "nobody's kiosk") { _ = try await deliveries.take(record(203)) }
    await #expect(throws: MessageError.self, "no customer") {
      _ = try await deliveries.take(record(201, customer: false))
    }
    let first = try record(201)
    for _ in 0..<2 {
      let answer = try Verified<StatusAnswer>(
        await deliveries.take(first), by: .key(archive.node.identity.key)
      ).payload
      #expect(answer.hQuery == Hash(of: first.messages[2]) && answer.proof.isEmpty)
    }
    let second = try Unverified<StatusAnswer>(await deliveries.take(record(202))).claims
    #expect(second.proof == [first.messages[2]])
    try await archive.node.store.close()
  }
}
