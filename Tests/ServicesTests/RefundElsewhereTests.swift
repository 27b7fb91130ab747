// Refunds where the merchant's account is at another bank than the one that made the lock: the merchant's
// bank gives them, upon RF2 with the lock beside it.

import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Bank: refunds of another bank's lock")
struct RefundElsewhereTests {
  /// A purchase at the tokens' bank, up to the record that it has acted upon.
  private struct Paid {
    /// The tokens' bank, and the merchant's.
    let here: TestBank
    let there: TestBank
    let n: TransactionID
    let lock: Hash
    let p3: [UInt8]
    let bt1: [UInt8]

    init() async throws {
      (here, there) = (
        try await TestBank(home: Actor.otherBank),
        try await TestBank(home: Actor.otherBank, as: Actor.otherBank)
      )
      let (one, two) = (here.key, there.key)
      try await here.store.write { try ClearingBooks.open($0, two, limit: 0, currency: "EUR") }
      try await there.store.write { try ClearingBooks.open($0, one, limit: 1000, currency: "EUR") }
      let sale = try await here.lockedSale(300)
      (n, lock) = (sale.n, sale.lock)
      _ = try await here.service.answer(Incoming(sale.p5a.bytes))
      let key = RowKey.transaction(publicKey(Actor.merchant), sale.n)
      p3 = try #require(
        try await here.store.read { try $0.message(kind: BankService.kind, key: key, label: "P3") })
      let queued = try await here.store.read { try $0.outboxDue(at: Int64(TestBank.now) + 1000, limit: 100) }
      bt1 = try #require(queued.map(\.body).first { (try? MessageType(peeking: $0)) == .bt1 })
    }

    func rf2(_ amount: UInt64, by pseudonym: UInt8 = Actor.pseudonym) throws -> (
      bytes: [UInt8], finish: ([[UInt8]]) throws -> [TestToken]
    ) {
      let (outputs, finish) = try there.blind(Array(repeating: 100, count: Int(amount / 100)))
      let rf1 = try Verified(
        signing: RF1(
          n: n, merchant: publicKey(Actor.merchant), amount: euros(amount), lock: lock, outputs: outputs),
        with: signingKey(pseudonym))
      let rf2 = RF2(amount: rf1.payload.amount, lock: lock, hRF1: rf1.hash, rf1: rf1.bytes)
      return (try Verified(signing: rf2, with: signingKey(Actor.merchant)).bytes, finish)
    }

    /// The merchant's bank's answer: its RF3, or why not.
    func answer(_ messages: [[UInt8]]) async throws -> Result<RF3, Denied> {
      let request = messages.count == 1 ? messages[0] : try Bundle(messages).encoded()
      let reply = try #require(try await there.service.answer(Incoming(request)))
      if let refusal = try? Verified<Refusal>(reply, by: .key(there.key)) {
        #expect(refusal.payload.hRequest == Hash(of: messages[0]))
        return .failure(Denied(reason: refusal.payload.reason))
      }
      return .success(try Verified<RF3>(reply, by: .key(there.key)).payload)
    }

    func reason(_ messages: [[UInt8]]) async throws -> Reason? {
      if case .failure(let denied) = try await answer(messages) { return denied.reason }
      return nil
    }
  }

  private struct Denied: Error { let reason: Reason? }

  @Test("the merchant's bank debits it and signs its own tokens, once, and P finds that again")
  func refunded() async throws {
    let paid = try await Paid()
    _ = try await paid.there.ask(paid.bt1, clearing: -300)
    let (rf2, finish) = try paid.rf2(200)
    let rf3 = try await paid.answer([rf2, paid.p3]).get()
    #expect(rf3.hRF2 == Hash(of: rf2))
    #expect(try finish(rf3.signatures).map(\.value) == [100, 100])
    #expect(try await paid.there.sums(clearing: -300) == Sums(customer: 2000, merchant: 100, tokens: 200))
    #expect(try await paid.answer([rf2, paid.p3]).get() == rf3, "the same again")
    #expect(try await paid.answer([rf2]).get() == rf3, "it is known now")
    let query = StatusQuery(
      n: paid.n, merchant: publicKey(Actor.merchant), nonce: Nonce(randomBytes(16))!, serial: paid.lock)
    for (key, count) in [(Actor.pseudonym, 2), (Actor.account, 0)] {
      let reply = try await paid.there.ask(
        Verified(signing: query, with: signingKey(key)).bytes, clearing: -300)
      #expect(try Verified<StatusAnswer>(reply, by: .key(paid.there.key)).payload.proof.count == count)
    }
  }

  @Test("without the lock, or before the other bank has paid, it is not done, but not refused for good")
  func early() async throws {
    let paid = try await Paid()
    let (rf2, _) = try paid.rf2(200)
    // No signed refusal: by it the wallet would end what is carried out later.
    await #expect(throws: Problem.self, "BT1 has not come") { try await paid.reason([rf2, paid.p3]) }
    _ = try await paid.there.ask(paid.bt1, clearing: -300)
    #expect(try await paid.reason([rf2]) == .unknownTransaction, "whose refund is it?")
    #expect(try await paid.reason([rf2, paid.p3]) == nil)
  }

  @Test("attack 17 there too: not by another P, not more than was credited, not for another lock")
  func attacks() async throws {
    let paid = try await Paid()
    _ = try await paid.there.ask(paid.bt1, clearing: -300)
    #expect(try await paid.reason([paid.rf2(100, by: Actor.account).bytes, paid.p3]) == .mismatch)
    #expect(try await paid.reason([paid.rf2(400).bytes, paid.p3]) == .wrongValue)
    let (first, finish) = try paid.rf2(200)
    _ = try finish(try await paid.answer([first, paid.p3]).get().signatures)
    #expect(try await paid.reason([paid.rf2(200).bytes, paid.p3]) == .wrongValue, "in sum")
    // Another lock, of the same bank: it is not the one that was paid for.
    var terms = try Verified<P3>(stored: paid.p3).payload.terms
    terms.value = euros(100)
    let p3 = try Verified(signing: P3(terms: terms), with: paid.here.service.node.identity.signing).bytes
    #expect(try await paid.reason([paid.rf2(100).bytes, p3]) == .unknownTransaction)
    #expect(try await paid.there.sums(clearing: -300) == Sums(customer: 2000, merchant: 100, tokens: 200))
  }
}
