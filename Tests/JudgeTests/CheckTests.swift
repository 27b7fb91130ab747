// Checks that the tests of the rules do not reach: each found by taking it out of the judge and seeing every
// test pass. Grouped by what they guard.

import Judge
import Messages
import Testing

private let otherNumber = TransactionID(filled(0x11, 16))!

@Suite("Checks: what frees and what pays")
struct PaymentCheckTests {
  private let sale = Sale()
  private let joint = JointSale()

  private var debt: [[UInt8]] { get throws { [try sale.p3().bytes, try sale.p5a().bytes] } }

  @Test("a transfer pays only by this bank's own order, for this merchant")
  func transfer() throws {
    func transfer(by actor: Actor, to merchant: Actor) throws -> [[UInt8]] {
      let bt1 = try actor.sign(
        BT1(merchant: merchant.key, amount: Sale.price, lock: sale.p3().hash, account: "M"))
      let bt2 = BT2(amount: Sale.price, lock: try sale.p3().hash, at: Times.now + 40, hBT1: bt1.hash)
      return [bt1.bytes, try Actor.otherBank.sign(bt2).bytes]
    }
    let home = trustList { $0.change(.merchant) { entry in entry.bank = Actor.otherBank.key } }
    let paid = Exhibits(try debt + transfer(by: .bank, to: .merchant), heard: [.bank], trust: home)
    #expect(try paid.judged().findings(.notCredited) == [.noFault])
    for (actor, merchant) in [(Actor.otherBank, Actor.merchant), (.bank, .otherMerchant)] {
      try expectConviction(
        Exhibits(try debt + transfer(by: actor, to: merchant), heard: [.bank], trust: home), .notCredited,
        .bank,
        "\(actor) to \(merchant)")
    }
  }

  @Test("a Cancel is of this lock and this number: else the abort before the expiration is none")
  func cancel() throws {
    for cancel in [
      Cancel(n: otherNumber, lock: try sale.p3().hash), Cancel(n: sale.n, lock: digest(1)),
    ] {
      let bytes = try Actor.merchant.sign(cancel).bytes
      let abort = try sale.p5b(cancelled: true) { $0.cancel = bytes }.bytes
      let judged = try Exhibits(try debt + [abort], heard: [.bank]).judged().verdicts
      #expect(
        judged.filter { $0.dispute == .notCredited }.map { $0.against?.key } == [Actor.bank.key], "\(cancel)")
    }
  }

  @Test("compact: an abort of another contract, or of another mode, frees nothing")
  func compactAbort() throws {
    func judged(_ abort: [UInt8]?) throws -> [Finding] {
      let x1 = try Actor.tokenOne.sign(
        X1(
          bank: Actor.bank.key, total: Money("EUR:10")!, tokenInputs: [Tokens.inputs[0]],
          outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil))
      let x2 = try Actor.bank.sign(
        X2(at: Times.now + 700, hX1: x1.hash, signatures: [filled(1, 256)]))
      let files = [
        try Tokens.keyList().bytes, try joint.jb2().bytes, try joint.jb2ack().bytes, x1.bytes, x2.bytes,
      ]
      return try Exhibits(files + (abort.map { [$0] } ?? []), heard: [.bank]).judged()
        .findings(.spentBeyondValue)
    }
    func jb4b(_ change: (inout JB4b) -> Void) throws -> [UInt8] {
      var payload = try joint.jb4b().payload
      change(&payload)
      return try Actor.bank.sign(payload).bytes
    }
    #expect(try judged(nil) == [.convicted])
    #expect(try judged(joint.jb4b().bytes) == [.noFault])
    #expect(try judged(jb4b { $0.at = Times.now + 15 }) == [.noFault], "the bank ends what it locked")
    #expect(try judged(jb4b { $0.hP1 = digest(1) }) == [.convicted])
    #expect(try judged(jb4b { $0.hJB2 = digest(1) }) == [.convicted])
    let ja5b = try Actor.bank.sign(
      JA5b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        lock: joint.jb2().hash, at: Times.expiration, failed: .expired))
    #expect(try judged(ja5b.bytes) == [.convicted], "an abort of another mode")
  }
}

@Suite("Checks: a series")
struct SeriesCheckTests {
  private let sale = Series()

  private func expectNothingOwed(_ commit: Verified<R10a>, _ name: String) throws {
    let exhibits = Exhibits([try sale.r3().bytes, commit.bytes], heard: [.bank])
    try expectAcquittal(exhibits, name)
    #expect(try exhibits.judged().findings(.notCredited) == [.undecided], Comment(rawValue: name))
  }

  @Test("a running total in another currency is owed by nobody")
  func currency() throws {
    let foreign = try sale.r7(2) { $0.runningTotal = Money("USD:3.00")! }
    try expectNothingOwed(sale.r10a(sale.r9 { $0.hItem = foreign.hash }, r7: foreign), "dollars")
    let item = try sale.r6(2) { $0.runningTotal = Money("USD:3.00")! }
    try expectNothingOwed(forced(item), "dollars, forced")
  }

  /// Forced over this R6, or over what `named` names.
  private func forced(_ item: Verified<R6>, named: Hash? = nil) throws -> Verified<R10a> {
    let name = named ?? item.hash
    let held = Held(
      n: Ware.n, merchant: Actor.merchant.key, lock: try sale.r3().hash, root: sale.claim.root,
      length: sale.claim.length, until: Times.lifetime, hGoods: name)
    let submission = try sale.r9 {
      ($0.hItem, $0.delivery, $0.previousKey) = (name, .forced, Series.x(1))
    }
    let asked = try sale.r5(2) { $0.runningTotalMax = item.payload.runningTotal }
    return try Actor.archive.sign(
      R10a(
        submission: submission.bytes, at: Times.now + 20, lifetime: Times.lifetime,
        acknowledgement: sale.r7(1).bytes, held: Actor.archive.sign(held).bytes, item: item.bytes,
        request: asked.bytes))
  }

  @Test("the first purchase's key is the one that the lock commits to")
  func firstKey() throws {
    var first = Series()
    first.committed = 0
    try expectNothingOwed(first.r10a(first.r9 { $0.key = filled(1) }), "another key")
  }

  @Test("attack 9: a forced total is the one of the merchant's own R6 of this purchase")
  func forcedItems() throws {
    let good = Exhibits([try sale.r3().bytes, try forced(sale.r6(2)).bytes], heard: [.bank])
    try expectConviction(good, .notCredited, .bank, "the R6 itself: its total is owed")
    let hx = Sale.hx(.repeated, key: Series.x(2))
    try expectNothingOwed(forced(sale.r6(2, by: .otherMerchant)), "by another merchant")
    try expectNothingOwed(forced(sale.r6(2), named: digest(1)), "another R6 than R9 names")
    try expectNothingOwed(forced(sale.r6(2) { $0.n = otherNumber }), "of another number")
    try expectNothingOwed(forced(sale.r6(1) { $0.hx = hx }), "of another purchase")
    try expectNothingOwed(forced(sale.r6(2) { $0.hx = digest(1) }), "of another key")
    try expectNothingOwed(
      forced(sale.r6(2) { $0.runningTotal = Money("EUR:12.35")! }), "beyond the budget")
  }
}

@Suite("Checks: a silent archive")
struct SilenceCheckTests {
  private let sale = Sale()
  private static let seed = filled(0x77)

  private func nr(
    _ request: [UInt8], at sent: Timestamp = Times.now + 60, answer: [UInt8]? = nil
  ) throws -> [UInt8] {
    var payload = NonResponse(
      n: sale.n, merchant: Actor.merchant.key, lock: try sale.p3().hash, hRequest: Hash(of: request),
      target: Actor.archive.key, sentAt: sent, waitedUntil: sent + 30)
    payload.answer = answer
    return try Actor.witness.sign(payload).bytes
  }

  private var submission: [[UInt8]] {
    get throws {
      let box = try SealedMessage(
        Bundle([sale.p4().bytes, sale.p3().bytes]).encoded(), to: Actor.archive.sealingKey,
        ephemeralSeed: Self.seed
      ).encoded()
      return [try sale.p3().bytes, try nr(box), box, Self.seed]
    }
  }

  @Test("only its own commit of another lock of this transaction kept the archive from committing")
  func otherCommit() throws {
    var other = sale
    other.n = otherNumber
    let rival = try sale.p4(sale.p3(by: .otherBank))
    let excuse = try sale.p5a(rival).bytes
    try expectAcquittal(Exhibits(try submission + [excuse], heard: [.archive]), "its own commit")
    for (name, commit) in [
      ("another archive's", try sale.p5a(rival, by: .otherArchive)),
      ("of another transaction", try other.p5a()),
      ("of this lock, and matching nothing", try sale.p5a { $0.lifetime += 1 }),
    ] {
      try expectConviction(
        Exhibits(try submission + [commit.bytes], heard: [.archive]), .neitherOutcome, .archive,
        also: [.keyLeaked, .bothOutcomes], Comment(rawValue: name))
    }
  }

  @Test("announced: an acknowledgement has no place in a submission, and an honest archive refuses it")
  func announced() throws {
    let sale = AnnouncedSale()
    let (a7, a8) = (try sale.a7().bytes, try sale.a8().bytes)
    let note = Acknowledgement(n: Ware.n, merchant: Actor.merchant.key, hP1: try sale.po().hash)
    for (more, convicts) in [([[UInt8]](), true), ([try Actor.pseudonym.sign(note).bytes], false)] {
      let box = try SealedMessage(
        Bundle([a8, a7] + more).encoded(), to: Actor.archive.sealingKey, ephemeralSeed: Self.seed
      ).encoded()
      let payload = NonResponse(
        n: Ware.n, merchant: Actor.merchant.key, lock: Hash(of: a7), hRequest: Hash(of: box),
        target: Actor.archive.key, sentAt: Times.now + 60, waitedUntil: Times.now + 90)
      let files = [a7, try sale.announced().bytes, box, Self.seed, try Actor.witness.sign(payload).bytes]
      #expect(try Exhibits(files, heard: [.archive]).judged().convicts == convicts)
    }
  }

  @Test("an answer in a certificate is this archive's, and about this")
  func answers() throws {
    let p3 = try sale.p3().bytes
    let strange: [(String, [UInt8], [UInt8]?)] = [
      ("another archive's abort", try sale.p5b(by: .otherArchive).bytes, nil),
      ("another archive's commit", try sale.p5a(by: .otherArchive).bytes, nil),
      // What is shown beside the certificate is not what the witness was answered.
      ("a contract", try sale.p1().bytes, try sale.p5b { $0.lifetime += 1 }.bytes),
      ("a contract, beside a commit", try sale.p1().bytes, try sale.p5a { $0.lifetime += 1 }.bytes),
    ]
    for (name, answer, beside) in strange {
      let file = try nr(p3, at: Times.expiration, answer: answer)
      try expectConviction(
        Exhibits([p3, file] + (beside.map { [$0] } ?? []), heard: [.archive]), .neitherOutcome, .archive,
        Comment(rawValue: name))
    }
  }
}

@Suite("Checks: which message belongs to which")
struct BelongingCheckTests {
  private let sale = Sale()
  private let joint = JointSale()

  private func before(_ own: Hash, _ other: Hash) -> Bool {
    other.bytes.lexicographicallyPrecedes(own.bytes)
  }

  /// What comes first when messages are looked through: of the same kind, with another number.
  private func first<P: Payload>(
    before own: Hash, _ make: (TransactionID) throws -> Verified<P>
  ) throws -> [UInt8] {
    for byte in UInt8(1)..<255 {
      let other = try make(TransactionID(filled(byte, 16))!)
      if before(own, other.hash) { return other.bytes }
    }
    throw MessageError(.misuse, "none", "a message that comes before")
  }

  @Test("an acknowledgement is held against its own contract, whatever else is there")
  func acknowledgement() throws {
    let files = [
      try sale.p1().bytes, try sale.p3().bytes, try sale.p5a().bytes, try sale.acknowledgement().bytes,
    ]
    let other = try first(before: sale.p1().hash) { n in try sale.p1 { $0.n = n } }
    #expect(try Exhibits(files + [other]).judged().findings(.deliveredThis) == [.claimFails])
  }

  @Test("early: the description that is shown is the one that was acknowledged")
  func merchandise() throws {
    let early = EarlySale()
    let e4 = try early.e4()
    var other: [UInt8]?
    for byte in UInt8(1)..<255 where other == nil {
      let changed = try early.e4 { $0.root = digest(byte) }
      if before(e4.hash, changed.hash) { other = changed.bytes }
    }
    let files = [
      try early.e1().bytes, try early.e3().bytes, e4.bytes, try early.e7a().bytes, try #require(other),
    ]
    let verdict = try Exhibits(files).judged().verdicts.first { $0.dispute == .deliveredThis }
    #expect(verdict?.finding == .claimFails)
    #expect(verdict?.facts.contains { $0.message == e4.hash } ?? false)
  }

  @Test("compact: a commit makes a lock by its own authorization or contract, at the bank that signed it")
  func committed() throws {
    let (jb2, offer, commit) = (try joint.jb2(), try joint.offer(.compact), try joint.jb4a().bytes)
    let otherRequest = try first(before: jb2.hash) { n in try joint.jb2 { $0.terms.n = n } }
    try expectConviction(
      Exhibits([jb2.bytes, commit, otherRequest], heard: [.bank]), .notCredited, .bank, "two authorizations")
    let otherOffer = try first(before: offer.hash) { n in
      var other = Sale()
      (other.mode, other.n) = (.compact, n)
      return try other.p1()
    }
    try expectConviction(
      Exhibits([offer.bytes, commit, otherOffer], heard: [.bank]), .notCredited, .bank, "two contracts")
    // A bank that signs the commit of another bank's authorization owes what it signed.
    let foreign = try joint.jb4a(by: .otherBank).bytes
    try expectConviction(
      Exhibits([jb2.bytes, offer.bytes, foreign], heard: [.otherBank]), .notCredited, .otherBank)
    // And hides nobody else's.
    let both = [offer.bytes, commit, foreign]
    for bank in [Actor.bank, .otherBank] {
      let against = try Exhibits(both, heard: [bank]).judged().verdicts.filter { $0.finding == .convicted }
      #expect(against.map { $0.against?.key } == [bank.key], "\(bank)")
    }
    // Neither does what the bank acknowledged beside it, nor what another bank did.
    let other = try joint.jb2 { $0.terms.n = otherNumber }
    let beside = [other.bytes, try joint.jb2ack(other).bytes]
    try expectConviction(Exhibits([offer.bytes, commit] + beside, heard: [.bank]), .notCredited, .bank)
    let acknowledged = [jb2.bytes, try joint.jb2ack().bytes, offer.bytes, foreign]
    try expectConviction(Exhibits(acknowledged, heard: [.otherBank]), .notCredited, .otherBank)
    let joints = Exhibits([try joint.offer(.joint).bytes, try joint.ja5a().bytes], heard: [.bank])
    #expect(try joints.judged().findings(.notCredited).isEmpty, "a joint commit is no compact one")
  }

  @Test("compact: only the bank that locked can have denied it, and only a compact lock is denied so")
  func denied() throws {
    func refusal(of request: Hash, by actor: Actor) throws -> [UInt8] {
      try actor.sign(
        Refusal(at: Times.expiration, reason: .mismatch, hRequest: request, detail: nil)
      ).bytes
    }
    let jb2 = try joint.jb2()
    let strange = [
      jb2.bytes, try joint.jb2ack(by: .otherBank).bytes, try refusal(of: jb2.hash, by: .otherBank),
    ]
    try expectAcquittal(Exhibits(strange), "a JB2 that is not for that bank")
    let p3 = try sale.p3()
    try expectAcquittal(
      Exhibits([p3.bytes, try refusal(of: p3.hash, by: .bank)]), "a bank takes no P3, and says so")
  }

  @Test("what is inside a commit is the merchant's and the customer's own, and not the archive's to make")
  func inside() throws {
    func damaged(_ bytes: [UInt8]) -> [UInt8] {
      var bytes = bytes
      bytes[bytes.count - 1] ^= 1
      return bytes
    }
    // A bank that invents the merchant's JB3, with a key that opens nothing.
    func commit(_ change: ([UInt8]) -> [UInt8]) throws -> [UInt8] {
      let jb3 = JB3(
        n: Ware.n, value: Sale.price, expiration: Times.expiration, hP1: try joint.offer(.compact).hash,
        key: filled(1))
      let bytes = change(try Actor.merchant.sign(jb3).bytes)
      return try Actor.bank.sign(
        JB4a(lifetime: Times.lifetime, at: Times.now + 20, hJB2: joint.jb2().hash, submission: bytes)
      ).bytes
    }
    let offer = try joint.offer(.compact).bytes
    try expectConviction(Exhibits([offer, try commit { $0 }]), .badGoods, .merchant, "its own")
    try expectAcquittal(Exhibits([offer, try commit(damaged)]), "JB3 by the bank")
    // S_t(PO) by nobody.
    let announced = AnnouncedSale()
    let consent = damaged(try announced.consent().bytes)
    let files = [
      try announced.announced().bytes, try announced.a7().bytes,
      try announced.a9a { $0.consent = consent }.bytes,
    ]
    try expectAcquittal(Exhibits(files, heard: [.bank]), "a consent that nobody signed")
    // R7 by somebody else, whom R9 names.
    let series = Series()
    let strange = try series.r7(2, by: .stranger)
    let r10a = try series.r10a(series.r9 { $0.hItem = strange.hash }, r7: strange)
    try expectAcquittal(Exhibits([try series.r3().bytes, r10a.bytes], heard: [.bank]), "R7 by a stranger")
  }

  @Test("attack 16: what is signed again with another nonce was said once")
  func signedAgain() throws {
    let (early, series) = (EarlySale(), Series())
    let pairs: [(String, [[UInt8]])] = [
      ("P1", [try sale.p1().bytes, try Actor.merchant.signAgain(sale.p1()).bytes]),
      ("E1", [try early.e1().bytes, try Actor.merchant.signAgain(early.e1()).bytes]),
      ("E4", [try early.e4().bytes, try Actor.merchant.signAgain(early.e4()).bytes]),
      ("R6", [try series.r6(1).bytes, try Actor.merchant.signAgain(series.r6(1)).bytes]),
      ("P3", [try sale.p3().bytes, try Actor.bank.signAgain(sale.p3()).bytes]),
    ]
    for (name, files) in pairs { try expectAcquittal(Exhibits(files, heard: [.bank]), name) }
    // The naive comparison, by hash, would convict.
    #expect(try Actor.merchant.signAgain(sale.p1()).hash != sale.p1().hash)
    // One submission in two commits of one lock, and two locks with one content, of which one is paid.
    let p4 = try sale.p4()
    let again = try sale.p5a(Actor.merchant.signAgain(p4))
    try expectAcquittal(Exhibits([try sale.p5a(p4).bytes, again.bytes]), "P4 signed again")
    let second = try Actor.bank.signAgain(sale.p3())
    let credit = try sale.credit { $0.lock = second.hash }
    let paid = Exhibits(
      [try sale.p3().bytes, second.bytes, try sale.p5a().bytes, credit.bytes], heard: [.bank])
    #expect(try paid.judged().findings(.notCredited) == [.noFault], "one lock, paid under its other name")
    let unpaid = Exhibits([try sale.p3().bytes, second.bytes, try sale.p5a().bytes], heard: [.bank])
    try expectConviction(unpaid, .notCredited, .bank, "two names, no payment")
  }

  @Test("a commit that obliges nobody is held against the lock that it names, under whichever signature")
  func namedLock() throws {
    let (first, second) = (try sale.p3(), try Actor.bank.signAgain(sale.p3()))
    for named in [first, second] {
      let commit = try sale.p5a(sale.p4(named)) { $0.lifetime += 1 }.bytes
      let judgment = try Exhibits([first.bytes, second.bytes, commit], heard: [.bank]).judged()
      let facts = judgment.verdicts.first { $0.dispute == .notCredited }?.facts ?? []
      #expect(facts.contains { $0.message == named.hash } && facts.contains { $0.text.contains("lifetime") })
    }
  }

  @Test("whoever demands a token's value has its key")
  func demand() throws {
    let token = Tokens.token(.tokenOne)
    let query = StatusQuery(n: nil, merchant: nil, nonce: Nonce(filled(5, 16))!, serial: token.serial)
    let demand = try Actor.tokenOne.sign(query).bytes
    var forged = demand
    forged[forged.count - 1] ^= 1
    let rest = [try Tokens.keyList().bytes, try sale.p2().bytes]
    try expectConviction(Exhibits(rest + [demand], heard: [.bank]), .valueTaken, .bank)
    try expectAcquittal(Exhibits(rest + [forged], heard: [.bank]), "a forged demand")
  }
}
