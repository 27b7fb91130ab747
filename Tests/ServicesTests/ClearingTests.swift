// Two banks over their stores: the value of a lock at one of them ends in the merchant's account at the
// other, once, and both banks' books add up at every step.

import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Bank: clearing")
struct ClearingTests {
  /// The tokens' bank, where the merchant has no account, and the merchant's.
  private struct Pair {
    let here: TestBank
    let there: TestBank

    init(limit: UInt64 = 1000) async throws {
      (here, there) = (
        try await TestBank(home: Actor.otherBank),
        try await TestBank(home: Actor.otherBank, as: Actor.otherBank)
      )
      try await here.open(there, limit: 0)
      try await there.open(here, limit: limit)
    }

    /// A purchase at the tokens' bank, up to the archive's record.
    func pay(_ amount: UInt64) async throws -> (lock: Hash, p5a: [UInt8]) {
      let sale = try await here.lockedSale(amount)
      return (sale.lock, sale.p5a.bytes)
    }

    /// What waits in a bank's outbox for a key, of one type.
    func queued(_ bank: TestBank, _ type: MessageType) async throws -> [[UInt8]] {
      try await bank.store.read { try $0.outboxDue(at: Int64(TestBank.now) + 1000, limit: 100) }.map(\.body)
        .filter { (try? MessageType(peeking: $0)) == type }
    }
  }

  @Test("the lock's value is owed to the merchant's bank, which credits it once per lock and says so")
  func transferred() async throws {
    let pair = try await Pair()
    let (lock, p5a) = try await pair.pay(320)
    #expect(try await pair.here.service.answer(Incoming(p5a)) == nil, "there is no Credit here")
    #expect(try await pair.here.sums(clearing: 320) == Sums(customer: 1500, tokens: 180))
    let bt1 = try #require(try await pair.queued(pair.here, .bt1).first)
    let bt2 = try await pair.there.ask(bt1, clearing: -320)
    #expect(try Verified<BT2>(bt2, by: .key(pair.there.key)).payload.hBT1 == Hash(of: bt1))
    #expect(try await pair.there.sums(clearing: -320) == Sums(customer: 2000, merchant: 320))
    #expect(try await pair.there.ask(bt1, clearing: -320) == bt2, "the same again")
    let credits = try await pair.queued(pair.there, .credit)
    let credit = try Verified<Credit>(#require(credits.first), by: .key(pair.there.key)).payload
    #expect(credit.lock == lock && credit.amount == euros(320))
    _ = try await pair.here.service.answer(Incoming(bt2))
    #expect(try await pair.here.ask(p5a, clearing: 320) == bt2, "the merchant is shown the transfer")
  }

  @Test("another transfer of the same lock, by whichever bank, is refused")
  func once() async throws {
    let pair = try await Pair()
    let (lock, p5a) = try await pair.pay(320)
    _ = try await pair.here.service.answer(Incoming(p5a))
    let bt1 = try #require(try await pair.queued(pair.here, .bt1).first)
    _ = try await pair.there.ask(bt1, clearing: -320)
    let other = try Verified(
      signing: BT1(merchant: publicKey(Actor.merchant), amount: euros(321), lock: lock, account: "x"),
      with: pair.here.service.node.identity.signing
    ).bytes
    let refusal = try Verified<Refusal>(
      try await pair.there.ask(other, clearing: -320), by: .key(pair.there.key))
    #expect(refusal.payload.reason == .nReused && refusal.payload.proof == [bt1])
  }

  @Test("beyond the limit nothing is credited; the sender keeps owing, and sends again once it has settled")
  func limit() async throws {
    let pair = try await Pair(limit: 400)
    let (_, first) = try await pair.pay(320)
    let (_, second) = try await pair.pay(200)
    for p5a in [first, second] { _ = try await pair.here.service.answer(Incoming(p5a)) }
    let transfers = try await pair.queued(pair.here, .bt1)
    #expect(transfers.count == 2)
    _ = try await pair.there.ask(transfers[0], clearing: -320)
    let refusal = try Verified<Refusal>(
      try await pair.there.ask(transfers[1], clearing: -320), by: .key(pair.there.key))
    #expect(refusal.payload.reason == .funds)
    #expect(try await pair.here.service.answer(Incoming(refusal.bytes)) == nil)
    // Paid outside: what the sender owed is gone on both sides.
    let paid = SettleClearing(
      peer: pair.there.key.description, amount: "EUR:3.20", paid: true, reference: "march")
    let received = SettleClearing(
      peer: pair.here.key.description, amount: "EUR:3.20", paid: false, reference: "march")
    for _ in 0..<2 {
      _ = try await paid.carryOut(at: BankDesk(store: pair.here.store, currency: "EUR"))
      _ = try await received.carryOut(at: BankDesk(store: pair.there.store, currency: "EUR"))
    }
    #expect(try await pair.there.account(ClearingBooks.account(pair.here.key)) == 0)
    #expect(try await pair.here.account(ClearingBooks.account(pair.there.key)) == 200)
    await pair.here.service.tick()
    let reply = try #require(try await pair.there.service.answer(Incoming(transfers[1])))
    #expect((try? Verified<BT2>(reply, by: .key(pair.there.key))) != nil)
    for bank in [pair.here, pair.there] {
      let totals = try await Totals().carryOut(at: BankDesk(store: bank.store, currency: "EUR"))
      #expect(totals.difference == 0)
    }
  }

  @Test("a bank without clearing for the merchant's bank locks nothing for it")
  func noClearing() async throws {
    let here = try await TestBank(home: Actor.otherBank)
    let tokens = try await here.withdraw([500])
    let merchant = publicKey(Actor.merchant)
    let terms = LockTerms(
      n: TransactionID(randomBytes(16))!, merchant: merchant, archive: publicKey(Actor.archive),
      pseudonym: publicKey(Actor.pseudonym), value: euros(500), expiration: TestBank.expiration,
      lifetime: TestBank.lifetime, hP1: Hash(of: [1]), hx: Hash(of: [2]))
    let p2 = P2(terms: terms, bank: here.key, tokenInputs: [TokenInput(token: tokens[0].token, amount: 500)])
    let bytes = try Verified(signing: p2, with: signingKey(tokens[0].key)).bytes
    #expect(try await here.refusal(of: bytes).reason == .noSuchAccount)
  }
}

extension TestBank {
  /// Opens clearing for another bank.
  fileprivate func open(_ peer: TestBank, limit: UInt64) async throws {
    let key = peer.key
    try await store.write { try ClearingBooks.open($0, key, limit: limit, currency: "EUR") }
  }

  fileprivate func account(_ id: String) async throws -> Int64? {
    try await store.read { try $0.account(id)?.balance }
  }
}
