// Tokens of another issuer, over two banks' stores: used where they are usable and nowhere else, owed by who
// issued them, and claimed once; both banks' books add up at every step.

import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Bank: tokens of another issuer")
struct IssuerTests {
  /// The bank where tokens are usable, with the merchant's account, and the one that issues them.
  private struct Pair {
    let here: TestBank
    let issuer: TestBank

    init(limit: UInt64? = 1000) async throws {
      (here, issuer) = (try await TestBank(), try await TestBank(as: Actor.otherBank))
      let (peer, list) = (issuer.key, issuer.keys.signedList)
      try await here.store.write { tx in
        if let limit { try ClearingBooks.open(tx, peer, limit: limit, currency: "EUR") }
        // As fetched when the first of its tokens came.
        try tx.setMeta("keys/\(peer)", list)
      }
    }

    func withdraw(_ values: [UInt64]) async throws -> [TestToken] {
      try await issuer.withdraw(values, usableAt: here.key)
    }

    /// What the issuer owes here, by both banks' books; they add up.
    func owed() async throws -> (here: Int64, issuer: Int64) {
      for bank in [here, issuer] {
        let totals = try await Totals().carryOut(at: BankDesk(store: bank.store, currency: "EUR"))
        #expect(totals.difference == 0)
        #expect(try await bank.store.check() == [])
      }
      func balance(_ bank: TestBank, _ peer: TestBank) async throws -> Int64 {
        let id = ClearingBooks.account(peer.key)
        return try await bank.store.read { try $0.account(id)?.balance ?? 0 }
      }
      return (-(try await balance(here, issuer)), try await balance(issuer, here))
    }

    func locked() async throws -> Int64 {
      try await here.store.read { try $0.account(BankBooks.System.locked.id("EUR"))?.balance ?? 0 }
    }

    func claims() async throws -> [[UInt8]] {
      try await here.store.read { try $0.outboxDue(at: Int64(TestBank.now) + 1000, limit: 100) }.map(\.body)
        .filter { (try? MessageType(peeking: $0)) == .bt3 }
    }
  }

  private func terms(_ amount: UInt64, k: [UInt8], n: TransactionID) -> LockTerms {
    let merchant = publicKey(Actor.merchant)
    return LockTerms(
      n: n, merchant: merchant, archive: publicKey(Actor.archive), pseudonym: publicKey(Actor.pseudonym),
      value: euros(amount), expiration: TestBank.expiration, lifetime: TestBank.lifetime, hP1: Hash(of: [1]),
      hx: .keyCommitment(.core, merchant: merchant, n: n, key: k))
  }

  private func p2(
    _ token: TestToken, _ amount: UInt64, at bank: PublicKey, k: [UInt8] = randomBytes(32),
    n: TransactionID = TransactionID(randomBytes(16))!
  ) throws -> Verified<P2> {
    let payload = P2(
      terms: terms(amount, k: k, n: n), bank: bank,
      tokenInputs: [TokenInput(token: token.token, amount: amount)])
    return try Verified(signing: payload, with: signingKey(token.key))
  }

  /// Locks and commits, up to the claim on the issuer.
  private func paid(_ pair: Pair, _ token: TestToken, _ amount: UInt64) async throws -> (
    Verified<P2>, [UInt8]
  ) {
    let (k, n) = (randomBytes(32), TransactionID(randomBytes(16))!)
    let p2 = try p2(token, amount, at: pair.here.key, k: k, n: n)
    let p3 = try Verified<P3>(try await pair.here.ask(p2.bytes, clearing: nil), by: .key(pair.here.key))
    let p4 = P4(n: n, expiration: TestBank.expiration, hP1: Hash(of: [1]), lock: p3.hash, key: k)
    let p5a = P5a(
      submission: try Verified(signing: p4, with: signingKey(Actor.merchant)).bytes, at: TestBank.now,
      lifetime: TestBank.lifetime)
    let bytes = try Verified(signing: p5a, with: signingKey(Actor.archive)).bytes
    let credit = try await pair.here.ask(bytes, clearing: nil)
    #expect((try? Verified<Credit>(credit, by: .key(pair.here.key))) != nil, "M is credited at once")
    return (p2, try #require(try await pair.claims().last))
  }

  @Test("a lock makes the issuer owe, an abort undoes it, a commit is claimed and granted once")
  func used() async throws {
    let pair = try await Pair()
    let token = try await pair.withdraw([500])[0]
    let p2 = try p2(token, 200, at: pair.here.key)
    let p3 = try Verified<P3>(try await pair.here.ask(p2.bytes, clearing: nil), by: .key(pair.here.key))
    #expect(try await pair.owed() == (200, 0))
    #expect(try await pair.locked() == 200)
    let terms = p3.payload.terms
    let p5b = P5b(
      n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
      lock: p3.hash, at: terms.expiration, failed: .expired)
    _ = try await pair.here.ask(
      Verified(signing: p5b, with: signingKey(Actor.archive)).bytes, clearing: nil)
    #expect(try await pair.owed() == (0, 0))
    #expect(try await pair.claims().isEmpty, "nothing was used")
    let (_, bt3) = try await paid(pair, token, 320)
    #expect(try await pair.owed() == (320, 0))
    let bt4 = try await pair.issuer.ask(bt3, clearing: 320)
    #expect(try Verified<BT4>(bt4, by: .key(pair.issuer.key)).payload.hBT3 == Hash(of: bt3))
    #expect(try await pair.issuer.ask(bt3, clearing: 320) == bt4, "the same again")
    #expect(try await pair.owed() == (320, 320))
    #expect(try await pair.here.service.answer(Incoming(bt4)) == nil)
    let due = try await pair.here.store.read { try $0.machinesDue(kind: "claim", before: .max, limit: 9) }
    #expect(due.isEmpty, "nothing is sent again")
  }

  @Test("an exchange turns it into tokens of the bank where it is usable")
  func exchanged() async throws {
    let pair = try await Pair()
    let token = try await pair.withdraw([500])[0]
    let (outputs, finish) = try pair.here.blind([500])
    let x1 = X1(
      bank: pair.here.key, total: euros(500),
      tokenInputs: [TokenInput(token: token.token, amount: 500)], outputs: outputs, fee: 0, recovery: nil)
    let bytes = try Verified(signing: x1, with: signingKey(token.key)).bytes
    let x2 = try Verified<X2>(try await pair.here.ask(bytes, clearing: nil), by: .key(pair.here.key))
    let fresh = try finish(x2.payload.signatures)[0]
    #expect(try await pair.owed() == (500, 0))
    _ = try await pair.issuer.ask(try #require(try await pair.claims().first), clearing: 500)
    #expect(try await pair.owed() == (500, 500))
    let p2 = try p2(fresh, 500, at: pair.here.key)
    #expect(
      (try? Verified<P3>(try await pair.here.ask(p2.bytes, clearing: nil), by: .key(pair.here.key))) != nil)
  }

  @Test("the same token at two banks: usable at one of them, under whichever name")
  func oneBank() async throws {
    let pair = try await Pair()
    let token = try await pair.withdraw([500])[0]
    _ = try await pair.here.ask(p2(token, 500, at: pair.here.key).bytes, clearing: nil)
    #expect(try await pair.issuer.refusal(of: p2(token, 500, at: pair.issuer.key).bytes).reason == .badToken)
    var renamed = token
    renamed.token.bank = pair.issuer.key
    #expect(
      try await pair.issuer.refusal(of: p2(renamed, 500, at: pair.issuer.key).bytes).reason == .badToken)
    // And the other way round: an issuer's own token is none of another bank.
    let own = try await pair.issuer.withdraw([500])[0]
    renamed = own
    renamed.token.bank = pair.here.key
    let refusal = try Verified<Refusal>(
      try await pair.here.ask(p2(renamed, 500, at: pair.here.key).bytes, clearing: nil),
      by: .key(pair.here.key))
    #expect(refusal.payload.reason == .badToken)
  }

  @Test("no more is locked than the issuer may owe, and nothing without clearing")
  func limits() async throws {
    let pair = try await Pair(limit: 600)
    let tokens = try await pair.withdraw([500, 500])
    _ = try await pair.here.ask(p2(tokens[0], 500, at: pair.here.key).bytes, clearing: nil)
    func reason(_ pair: Pair, _ token: TestToken, _ amount: UInt64) async throws -> Reason? {
      let reply = try await pair.here.ask(p2(token, amount, at: pair.here.key).bytes, clearing: nil)
      return (try? Verified<Refusal>(reply, by: .key(pair.here.key)))?.payload.reason
    }
    #expect(try await reason(pair, tokens[1], 101) == .funds)
    #expect(try await reason(pair, tokens[1], 100) == nil)
    let without = try await Pair(limit: nil)
    let token = try await without.withdraw([500])[0]
    #expect(try await reason(without, token, 100) == .unsupported)
  }

  @Test("the usable bank claims more than was authorized, twice, for others, or beyond a token's value")
  func overclaimed() async throws {
    let pair = try await Pair()
    let token = try await pair.withdraw([500])[0]
    let (p2, honest) = try await paid(pair, token, 320)
    let claim = try Verified<BT3>(stored: honest).payload
    func denied(_ change: (inout BT3) throws -> Void) async throws -> Reason? {
      var payload = claim
      try change(&payload)
      let bytes = try Verified(signing: payload, with: pair.here.service.node.identity.signing).bytes
      let reply = try await pair.issuer.ask(bytes, clearing: nil)
      return (try? Verified<Refusal>(reply, by: .key(pair.issuer.key)))?.payload.reason
    }
    #expect(
      try await denied {
        $0.due = 321
        $0.amount = euros(321)
      } == .wrongValue, "more than is locked")
    #expect(try await denied { $0.amount = euros(400) } == .wrongValue)
    #expect(try await denied { $0.amount = Money("USD:3.20")! } == .wrongValue)
    #expect(try await denied { $0.issuer = pair.here.key } == .mismatch)
    let elsewhere = try await pair.issuer.withdraw([500])[0]
    let domestic = try self.p2(elsewhere, 320, at: pair.here.key).bytes
    #expect(try await denied { $0.request = domestic } == .mismatch, "not usable at the claiming bank")
    #expect(try await pair.owed().issuer == 0, "nothing was granted")
    _ = try await pair.issuer.ask(honest, clearing: 320)
    #expect(try await denied { $0.lock = Hash(of: [9]) } == .nReused, "once for each authorization")
    let second = try self.p2(token, 200, at: pair.here.key).bytes
    #expect(
      try await denied {
        $0.request = second
        $0.due = 200
        $0.amount = euros(200)
      } == .spent, "beyond the value")
    let third = try self.p2(token, 180, at: pair.here.key).bytes
    #expect(
      try await denied {
        $0.request = third
        $0.due = 180
        $0.amount = euros(180)
      } == nil)
    #expect(try await pair.owed().issuer == 500)
    #expect(try await denied { $0.at += 1 } == nil, "signed again it is the same claim")
    #expect(try await pair.owed().issuer == 500)
    #expect(p2.payload.tokenInputs[0].amount == 320)
  }

  @Test("an authorization that no token signed is claimed in vain")
  func unsigned() async throws {
    let pair = try await Pair()
    let token = try await pair.withdraw([500])[0]
    let (_, honest) = try await paid(pair, token, 320)
    var claim = try Verified<BT3>(stored: honest).payload
    claim.request[claim.request.count - 1] ^= 1
    let bytes = try Verified(signing: claim, with: pair.here.service.node.identity.signing).bytes
    await #expect(throws: MessageError.self) { try await pair.issuer.service.answer(Incoming(bytes)) }
    #expect(try await pair.owed().issuer == 0)
  }
}
