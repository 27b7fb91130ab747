// Refunds at the bank over its store: one debit, the same answer, the sum, and what P can find again.

import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Bank: refunds")
struct BankRefundTests {
  /// A purchase of EUR 5 that was paid, and the merchant's and customer's messages about it.
  private struct Paid {
    let bank: TestBank
    let n: TransactionID
    let lock: Hash

    init(_ bank: TestBank) async throws {
      self.bank = bank
      let sale = try await bank.lockedSale(500)
      (n, lock) = (sale.n, sale.lock)
      try await bank.ask(sale.p5a.bytes)
    }

    func rf1(_ outputs: [Blinded], _ amount: UInt64, by key: UInt8 = Actor.pseudonym) throws -> Verified<RF1>
    {
      try Verified(
        signing: RF1(
          n: n, merchant: publicKey(Actor.merchant), amount: euros(amount), lock: lock, outputs: outputs),
        with: signingKey(key))
    }

    func rf2(_ rf1: Verified<RF1>, by key: UInt8 = Actor.merchant) throws -> [UInt8] {
      try Verified(
        signing: RF2(amount: rf1.payload.amount, lock: lock, hRF1: rf1.hash, rf1: rf1.bytes),
        with: signingKey(key)
      ).bytes
    }

    func next(after cursor: Hash, by key: UInt8 = Actor.pseudonym) async throws -> [[UInt8]] {
      let query = StatusQuery(
        n: n, merchant: publicKey(Actor.merchant), nonce: Nonce(randomBytes(16))!, serial: cursor)
      let reply = try await bank.ask(Verified(signing: query, with: signingKey(key)).bytes)
      return try Verified<StatusAnswer>(reply, by: .key(bank.key)).payload.proof
    }
  }

  @Test("a refund takes from the merchant what it gives to the customer, once, in whichever way RF2 comes")
  func refunded() async throws {
    let bank = try await TestBank()
    let paid = try await Paid(bank)
    let (outputs, finish) = try bank.blind([100, 100])
    let rf2 = try paid.rf2(paid.rf1(outputs, 200))
    let service = bank.service
    let replies = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      for _ in 0..<6 { group.addTask { try await service.answer(Incoming(rf2)) } }
      return try await group.reduce(into: Set<[UInt8]>()) { if let reply = $1 { $0.insert(reply) } }
    }
    #expect(replies.count == 1, "the same answer to all copies")
    let rf3 = try Verified<RF3>(#require(replies.first), by: .key(bank.key)).payload
    #expect(rf3.hRF2 == Hash(of: rf2))
    let tokens = try finish(rf3.signatures)
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 300, tokens: 200))
    #expect(try await bank.ask(rf2) == replies.first)
    #expect(tokens.map(\.value) == [100, 100])
  }

  @Test("all refunds of a lock together are at most what was credited, and a refusal stays one")
  func sum() async throws {
    let bank = try await TestBank()
    let paid = try await Paid(bank)
    for _ in 0..<2 {
      let (outputs, finish) = try bank.blind([100, 100])
      let rf3 = try #require(try await bank.service.answer(Incoming(paid.rf2(paid.rf1(outputs, 200)))))
      _ = try finish(Verified<RF3>(rf3, by: .key(bank.key)).payload.signatures)
    }
    let (outputs, _) = try bank.blind([100, 100])
    let third = try paid.rf2(paid.rf1(outputs, 200))
    #expect(try await bank.refusal(of: third).reason == .wrongValue)
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 100, tokens: 400))
    let (last, finish) = try bank.blind([100])
    let rf3 = try #require(try await bank.service.answer(Incoming(paid.rf2(paid.rf1(last, 100)))))
    _ = try finish(Verified<RF3>(rf3, by: .key(bank.key)).payload.signatures)
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 500))
  }

  @Test("nobody but P and M of the lock can have a refund of it")
  func strangers() async throws {
    let bank = try await TestBank()
    let paid = try await Paid(bank)
    let (outputs, _) = try bank.blind([100])
    let stranger = try paid.rf2(paid.rf1(outputs, 100, by: Actor.account))
    #expect(try await bank.refusal(of: stranger).reason == .mismatch)
    await #expect(throws: MessageError.self) {
      try await bank.ask(paid.rf2(paid.rf1(outputs, 100), by: Actor.account))
    }
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("a merchant who has spent it cannot give it back: nothing is debited and nothing signed")
  func funds() async throws {
    let bank = try await TestBank()
    let paid = try await Paid(bank)
    try await bank.store.write { tx in
      try BankBooks.move(
        tx, euros(450), from: "merchant", to: "customer", kind: "rent", reference: [9], at: TestBank.now)
    }
    let (outputs, _) = try bank.blind([100])
    let rf2 = try paid.rf2(paid.rf1(outputs, 100))
    #expect(try await bank.refusal(of: rf2).reason == .funds)
    #expect(try await bank.sums() == Sums(customer: 1950, merchant: 50))
  }

  @Test("P finds its refunds again, one by one, and nobody else does")
  func found() async throws {
    let bank = try await TestBank()
    let paid = try await Paid(bank)
    var given: [[UInt8]] = []
    for _ in 0..<3 {
      let (outputs, finish) = try bank.blind([100])
      let rf2 = try paid.rf2(paid.rf1(outputs, 100))
      let rf3 = try #require(try await bank.service.answer(Incoming(rf2)))
      _ = try finish(Verified<RF3>(rf3, by: .key(bank.key)).payload.signatures)
      given += [rf2, rf3]
    }
    var found: [[UInt8]] = []
    var cursor = paid.lock
    while true {
      let page = try await paid.next(after: cursor)
      guard let rf2 = page.first else { break }
      #expect(page.count == 2)
      found += page
      cursor = Hash(of: rf2)
    }
    #expect(found == given)
    for key in [Actor.merchant, Actor.account] {
      #expect(try await paid.next(after: paid.lock, by: key).isEmpty)
    }
  }
}
