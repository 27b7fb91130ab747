// The bank's part of a purchase over its store: P2 locks, P5a pays, P5b gives back, and nothing happens
// twice.

import Messages
import Parties
import Storage
import Testing

@testable import Services

/// One purchase at the bank: the messages that the others send.
private struct Purchase {
  let bank: TestBank
  var n = TransactionID(randomBytes(16))!
  let k = randomBytes(32)
  let hP1 = Hash(randomBytes(32))!

  func p2(_ inputs: [(TestToken, UInt64)], merchant: UInt8 = Actor.merchant) throws -> [UInt8] {
    let key = publicKey(merchant)
    let terms = LockTerms(
      n: n, merchant: key, archive: publicKey(Actor.archive), pseudonym: publicKey(Actor.pseudonym),
      value: euros(inputs.reduce(0) { $0 + $1.1 }), expiration: TestBank.expiration,
      lifetime: TestBank.lifetime, hP1: hP1, hx: .keyCommitment(.core, merchant: key, n: n, key: k))
    let payload = P2(
      terms: terms, bank: bank.key, tokenInputs: inputs.map { TokenInput(token: $0.0.token, amount: $0.1) })
    var message = try Verified(signing: payload, with: signingKey(inputs[0].0.key))
    for input in inputs.dropFirst() { message = try message.coSigned(with: signingKey(input.0.key)) }
    return message.bytes
  }

  /// The bank's P3 for this P2.
  func lock(_ p2: [UInt8]) async throws -> Verified<P3> {
    try Verified(try await bank.ask(p2), by: .key(bank.key))
  }

  func p5a(_ p3: Verified<P3>, by archive: UInt8 = Actor.archive, key: [UInt8]? = nil) throws -> [UInt8] {
    let p4 = P4(n: n, expiration: TestBank.expiration, hP1: hP1, lock: p3.hash, key: key ?? k)
    let signed = try Verified(signing: p4, with: signingKey(Actor.merchant)).bytes
    let p5a = P5a(submission: signed, at: TestBank.now + 10, lifetime: TestBank.lifetime)
    return try Verified(signing: p5a, with: signingKey(archive)).bytes
  }

  func p5b(_ p3: Verified<P3>) throws -> [UInt8] {
    let p5b = P5b(
      n: n, merchant: publicKey(Actor.merchant), expiration: TestBank.expiration,
      lifetime: TestBank.lifetime, lock: p3.hash, at: TestBank.expiration, failed: .expired)
    return try Verified(signing: p5b, with: signingKey(Actor.archive)).bytes
  }
}

extension Purchase {
  /// Witnesses certify that the archive gave nothing after the lifetime, and one of them signs over it.
  func p5c(
    _ p3: Verified<P3>, by witnesses: [UInt8] = [7, 8], _ change: (inout P5c) -> Void = { _ in }
  ) throws -> [UInt8] {
    let end = TestBank.lifetime
    let certificates = try witnesses.map { witness in
      let nr = NonResponse(
        n: n, merchant: publicKey(Actor.merchant), lock: p3.hash, hRequest: p3.hash,
        target: publicKey(Actor.archive), sentAt: end, waitedUntil: end + 3)
      return try Verified(signing: nr, with: signingKey(witness)).bytes
    }
    var payload = P5c(
      n: n, merchant: publicKey(Actor.merchant), expiration: TestBank.expiration, lifetime: end,
      lock: p3.hash, at: end + 5, failed: Reason.expired.rawValue, nonResponses: certificates)
    change(&payload)
    return try Verified(signing: payload, with: signingKey(witnesses[0])).bytes
  }
}

@Suite("Bank: purchases")
struct BankPurchaseTests {
  @Test("a series below its budget spends what it cost, in the list's order, and the rest pays again")
  func seriesRest() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([100, 500, 100])
    let purchase = Purchase(bank: bank)
    let merchant = publicKey(Actor.merchant)
    let terms = LockTerms(
      n: purchase.n, merchant: merchant, archive: publicKey(Actor.archive),
      pseudonym: publicKey(Actor.pseudonym), value: euros(650), expiration: TestBank.expiration,
      lifetime: TestBank.lifetime, hP1: purchase.hP1,
      hx: .keyCommitment(.repeated, merchant: merchant, n: purchase.n, key: purchase.k), base: euros(130))
    let inputs = zip(tokens, [100, 500, 50]).map { TokenInput(token: $0.token, amount: $1) }
    var r2 = try Verified(
      signing: R2(terms: terms, bank: bank.key, tokenInputs: inputs), with: signingKey(tokens[0].key))
    for token in tokens.dropFirst() { r2 = try r2.coSigned(with: signingKey(token.key)) }
    let r3 = try Verified<R3>(try await bank.ask(r2.bytes), by: .key(bank.key))
    #expect(try await bank.sums() == Sums(customer: 1300, tokens: 50, locked: 650))
    let r9 = R9(
      n: purchase.n, expiration: TestBank.expiration, hP1: purchase.hP1, lock: r3.hash, key: purchase.k,
      index: 0, hItem: purchase.hP1, delivery: .acknowledged)
    let signed = try Verified(signing: r9, with: signingKey(Actor.merchant)).bytes
    let r10a = try Verified(
      signing: R10a(submission: signed, at: TestBank.now + 10, lifetime: TestBank.lifetime),
      with: signingKey(Actor.archive)
    ).bytes
    let credit = try await bank.ask(r10a)
    #expect(try Verified<Credit>(credit, by: .key(bank.key)).payload.amount == euros(130))
    #expect(try await bank.sums() == Sums(customer: 1300, merchant: 130, tokens: 570))
    #expect(try await bank.ask(r10a) == credit, "once")
    #expect(try await bank.sums() == Sums(customer: 1300, merchant: 130, tokens: 570))
    // EUR 1.00 and EUR 0.30 are gone; EUR 4.70 and EUR 1.00 pay again, and not a cent more.
    let refusal = try await bank.refusal(of: Purchase(bank: bank).p2([(tokens[1], 471)]))
    #expect(refusal.reason == .spent)
    _ = try await Purchase(bank: bank).lock(Purchase(bank: bank).p2([(tokens[1], 470), (tokens[2], 100)]))
    #expect(try await bank.sums() == Sums(customer: 1300, merchant: 130, locked: 570))
  }

  @Test("P2 is answered with P3, the same bytes with the same P3, and the value is locked once")
  func lock() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500, 100])
    let purchase = Purchase(bank: bank)
    let p2 = try purchase.p2([(tokens[0], 500), (tokens[1], 34)])
    let p3 = try await purchase.lock(p2)
    #expect(p3.payload.terms.n == purchase.n && p3.payload.terms.value == euros(534))
    #expect(try await bank.ask(p2) == p3.bytes)
    #expect(try await bank.sums() == Sums(customer: 1400, tokens: 66, locked: 534))
    let queued = try await bank.store.read { try $0.outboxDue(at: Int64(TestBank.now), limit: 10) }
    #expect(queued.map(\.body) == [p3.bytes], "P3 goes to the merchant, once")
    #expect(queued.first?.destination == publicKey(Actor.merchant).description)
  }

  @Test("a locked token is refused to another purchase, with the first P2 as proof")
  func lockedTwice() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let first = try Purchase(bank: bank).p2([(tokens[0], 400)])
    try await bank.ask(first)
    let refusal = try await bank.refusal(of: Purchase(bank: bank).p2([(tokens[0], 101)]))
    #expect(refusal.reason == .locked && refusal.proof == [first])
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 100, locked: 400))
  }

  @Test("what is left of a token pays another purchase")
  func remainder() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let (first, second) = (Purchase(bank: bank), Purchase(bank: bank))
    let p3 = try await first.lock(first.p2([(tokens[0], 400)]))
    _ = try await second.lock(second.p2([(tokens[0], 100)]))
    #expect(try await bank.sums() == Sums(customer: 1500, locked: 500))
    try await bank.ask(first.p5b(p3))
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 400, locked: 100))
  }

  @Test("a spent token is refused, with the P2 that spent it as proof")
  func doubleSpend() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let first = Purchase(bank: bank)
    let p2 = try first.p2([(tokens[0], 500)])
    try await bank.ask(first.p5a(first.lock(p2)))
    let refusal = try await bank.refusal(of: Purchase(bank: bank).p2([(tokens[0], 1)]))
    #expect(refusal.reason == .spent && refusal.proof == [p2])
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("two authorizations of one merchant's transaction are one too many")
  func sameTransaction() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500, 100])
    let purchase = Purchase(bank: bank)
    let first = try purchase.p2([(tokens[0], 100)])
    try await bank.ask(first)
    let refusal = try await bank.refusal(of: purchase.p2([(tokens[1], 100)]))
    #expect(refusal.reason == .nReused && refusal.proof == [first])
    #expect(try await bank.sums() == Sums(customer: 1400, tokens: 500, locked: 100))
  }

  @Test("P5a credits the merchant once, and the Credit is the same bytes again")
  func commit() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let purchase = Purchase(bank: bank)
    let p3 = try await purchase.lock(purchase.p2([(tokens[0], 320)]))
    let p5a = try purchase.p5a(p3)
    let first = try await bank.ask(p5a)
    let credit = try Verified<Credit>(first, by: .key(bank.key)).payload
    #expect(credit.amount == euros(320) && credit.lock == p3.hash && credit.account == "merchant")
    #expect(try await bank.ask(p5a) == first)
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 320, tokens: 180))
  }

  @Test("P5b gives the locked value back, once, and the tokens can pay again")
  func abort() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let purchase = Purchase(bank: bank)
    let p3 = try await purchase.lock(purchase.p2([(tokens[0], 500)]))
    let p5b = try purchase.p5b(p3)
    #expect(try await bank.ask(p5b) == p5b)
    #expect(try await bank.ask(p5b) == p5b)
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 500))
    let again = Purchase(bank: bank)
    let second = try await again.lock(again.p2([(tokens[0], 500)]))
    try await bank.ask(again.p5a(second))
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("an archive that contradicts itself changes nothing: the first outcome stays")
  func bothOutcomes() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let purchase = Purchase(bank: bank)
    let p3 = try await purchase.lock(purchase.p2([(tokens[0], 500)]))
    let p5a = try purchase.p5a(p3)
    try await bank.ask(p5a)
    let refusal = try await bank.refusal(of: purchase.p5b(p3))
    #expect(refusal.reason == .committed && refusal.proof == [p5a])
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("P5a of a key that the contract does not commit to, or of no archive, moves nothing")
  func badOutcomes() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let purchase = Purchase(bank: bank)
    let p3 = try await purchase.lock(purchase.p2([(tokens[0], 500)]))
    let refusal = try await bank.refusal(of: purchase.p5a(p3, key: randomBytes(32)))
    #expect(refusal.reason == .mismatch && refusal.proof == [p3.bytes])
    await #expect(throws: MessageError.self) {
      try await bank.ask(purchase.p5a(p3, by: Actor.merchant))
    }
    #expect(try await bank.sums() == Sums(customer: 1500, locked: 500))
  }

  @Test("where the archive is gone the witnesses' abort gives the locked value back, once")
  func witnessed() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let purchase = Purchase(bank: bank)
    let p2 = try purchase.p2([(tokens[0], 500)])
    let p3 = try await purchase.lock(p2)
    let p5c = try purchase.p5c(p3)
    #expect(try await bank.ask(p5c) == p5c)
    #expect(try await bank.ask(p5c) == p5c)
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 500))
    // A commit that the archive kept to itself comes too late, and is kept against it.
    let refusal = try await bank.refusal(of: purchase.p5a(p3))
    #expect(refusal.reason == .aborted && refusal.proof == [p5c])
    let query = StatusQuery(
      n: purchase.n, merchant: publicKey(Actor.merchant), nonce: Nonce(randomBytes(16))!)
    let asked = try Verified(signing: query, with: signingKey(Actor.pseudonym)).bytes
    let status = try Verified<StatusAnswer>(try await bank.ask(asked), by: .key(bank.key)).payload
    #expect(status.state == .aborted && status.proof == [p3.bytes, p5c])
    let again = Purchase(bank: bank)
    let second = try await again.lock(again.p2([(tokens[0], 500)]))
    try await bank.ask(again.p5a(second))
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("a P5c that is forged, too early, of too few or of another lock moves nothing")
  func badWitnesses() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500, 100])
    let (purchase, other) = (Purchase(bank: bank), Purchase(bank: bank))
    let p3 = try await purchase.lock(purchase.p2([(tokens[0], 500)]))
    let foreign = try await other.lock(other.p2([(tokens[1], 100)]))
    let unread = [
      try purchase.p5c(p3, by: [7]), try purchase.p5c(p3, by: [7, 7]), try purchase.p5c(p3, by: [7, 77]),
      try purchase.p5c(p3, by: [Actor.archive, 7]), try purchase.p5c(p3) { $0.at = TestBank.lifetime - 1 },
      try purchase.p5c(p3) { $0.lifetime -= 100 }, try purchase.p5c(p3) { $0.lock = foreign.hash },
    ]
    for bytes in unread {
      let reply = try #require(try await bank.service.handle(bytes))
      #expect((try? Verified<Refusal>(reply, by: .key(bank.key))) != nil)
    }
    let mismatching = try await bank.refusal(of: purchase.p5c(foreign))
    #expect(mismatching.reason == .mismatch, "certificates of another lock under this number")
    let unknown = try await bank.refusal(of: Purchase(bank: bank).p5c(p3))
    #expect(unknown.reason == .unknownTransaction)
    #expect(try await bank.sums() == Sums(customer: 1400, locked: 600))
    try await bank.ask(purchase.p5a(p3))
    #expect(try await bank.refusal(of: purchase.p5c(p3)).reason == .committed)
    #expect(try await bank.sums() == Sums(customer: 1400, merchant: 500, locked: 100))
  }

  @Test("all that became of a token is there for a judge: its locks with their ends, and its exchanges")
  func evidence() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500, 100])
    let (first, second) = (Purchase(bank: bank), Purchase(bank: bank))
    let p2 = try first.p2([(tokens[0], 300)])
    let p3 = try await first.lock(p2)
    let p5b = try first.p5b(p3)
    try await bank.ask(p5b)
    let again = try second.p2([(tokens[0], 200), (tokens[1], 50)])
    let lock = try await second.lock(again)
    let p5a = try second.p5a(lock)
    let credit = try await bank.ask(p5a)
    let desk = BankDesk(store: bank.store, currency: "EUR")
    func exported(_ token: TestToken) async throws -> Set<[UInt8]> {
      let task = ExportToken(token: token.token.id.description)
      return Set(try await task.carryOut(at: desk).messages.map { Array($0) })
    }
    let list = bank.keys.signedList
    #expect(try await exported(tokens[0]) == [p2, p3.bytes, p5b, again, lock.bytes, p5a, credit, list])
    #expect(try await exported(tokens[1]) == [again, lock.bytes, p5a, credit, list])
    await #expect(throws: ServiceError.self) {
      try await ExportToken(token: Hash(of: [1]).description).carryOut(at: desk)
    }
  }

  @Test(
    "a refusal shows what stands in the way: the lock of another protocol, and no use that was given back")
  func proofs() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let (first, second) = (Purchase(bank: bank), Purchase(bank: bank))
    let p3 = try await first.lock(first.p2([(tokens[0], 500)]))
    try await bank.ask(first.p5b(p3))
    let p2 = try second.p2([(tokens[0], 450)])
    try await bank.ask(p2)
    let refused = try await bank.refusal(of: Purchase(bank: bank).p2([(tokens[0], 100)]))
    #expect(refused.reason == .locked && refused.proof == [p2])
    var terms = try Verified<P2>(stored: p2).payload.terms
    terms.archive = bank.key
    let joint = try Verified(
      signing: JA2(
        terms: terms, bank: bank.key, tokenInputs: [TokenInput(token: tokens[0].token, amount: 450)]),
      with: signingKey(tokens[0].key))
    let otherMode = try await bank.refusal(of: joint.bytes)
    #expect(otherMode.reason == .nReused && otherMode.proof == [p2])
  }

  @Test("a merchant without an account or outside the trust list is refused before anything is locked")
  func strangeMerchant() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500])
    let p2 = try Purchase(bank: bank).p2([(tokens[0], 500)], merchant: 77)
    #expect(try await bank.refusal(of: p2).reason == .noSuchAccount)
    // The customer's key has an account, but is no merchant.
    let other = try Purchase(bank: bank).p2([(tokens[0], 500)], merchant: Actor.account)
    #expect(try await bank.refusal(of: other).reason == .untrusted)
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 500))
  }

  @Test("a P2 that one of its tokens did not sign is no message at all")
  func unsignedToken() async throws {
    let bank = try await TestBank()
    let tokens = try await bank.withdraw([500, 100])
    var stolen = tokens[1]
    stolen.key = tokens[0].key
    let p2 = try Purchase(bank: bank).p2([(tokens[0], 100), (stolen, 100)])
    await #expect(throws: MessageError.self) { try await bank.ask(p2) }
    let refusal = try Verified<Refusal>(
      #require(try await bank.service.handle(p2)), by: .key(bank.key))
    #expect(refusal.payload.reason == .untrusted)
    #expect(try await bank.sums() == Sums(customer: 1400, tokens: 600))
  }
}
