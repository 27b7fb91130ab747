// Rules 3 and 4: value taken without delivery, and exactly this was delivered.

import Judge
import Messages
import Testing

@Suite("Delivered this")
struct DeliveryTests {
  private let sale = Sale()

  private var evidence: [[UInt8]] {
    get throws {
      [
        try sale.p1().bytes, try sale.p3().bytes, try sale.p5a().bytes, try sale.acknowledgement().bytes,
      ]
    }
  }

  @Test("contract, lock, commit and S_p(P1): the customer's claim fails")
  func core() throws {
    #expect(try Exhibits(evidence).judged().findings(.deliveredThis) == [.claimFails])
    try expectAcquittal(Exhibits(evidence), "a claim that fails convicts nobody")
  }

  @Test("early by E5, a series by R7, joint by S_p(P1)")
  func modes() throws {
    let early = EarlySale()
    let files = [try early.e1().bytes, try early.e3().bytes, try early.e4().bytes, try early.e7a().bytes]
    #expect(try Exhibits(files).judged().findings(.deliveredThis) == [.claimFails])
    #expect(try Exhibits([files[0], files[1], files[3]]).judged().findings(.deliveredThis) == [.undecided])
    let unacknowledged = try early.e7a(e5: early.e5(by: .stranger)).bytes
    let claimed = Array(files.prefix(3)) + [unacknowledged, try early.e5().bytes]
    #expect(!(try Exhibits(claimed).judged().findings(.deliveredThis).contains(.claimFails)))
    let series = Series()
    let base = [try series.r1().bytes, try series.r3().bytes, try series.r10a().bytes]
    let second = base + [try series.r6(2).bytes]
    #expect(try Exhibits(second).judged().findings(.deliveredThis) == [.claimFails])
    let first = second + [try series.r6(1).bytes, try series.r7(1).bytes]
    #expect(try Exhibits(first).judged().findings(.deliveredThis) == [.claimFails, .claimFails])
    let uncommitted = second + [try series.r6(3).bytes, try series.r7(3).bytes]
    #expect(Set(try Exhibits(uncommitted).judged().findings(.deliveredThis)) == [.claimFails, .undecided])
    let joint = JointSale()
    let ack = try sale.acknowledgement { $0.hP1 = (try? joint.offer(.joint).hash)! }
    let all = [try joint.offer(.joint).bytes, try joint.ja3().bytes, try joint.ja5a().bytes, ack.bytes]
    #expect(try Exhibits(all).judged().findings(.deliveredThis) == [.claimFails])
  }

  @Test("an acknowledgement by another key, or of something else, defeats no claim")
  func forged() throws {
    let files = try Array(evidence.prefix(3))
    let forged: [(String, [UInt8])] = [
      ("a stranger's", try sale.acknowledgement(by: .stranger).bytes),
      ("the merchant's", try sale.acknowledgement(by: .merchant).bytes),
      ("hP1", try sale.acknowledgement { $0.hP1 = digest(1) }.bytes),
      ("n", try sale.acknowledgement { $0.n = TransactionID(filled(1, 16))! }.bytes),
      ("M", try sale.acknowledgement { $0.merchant = Actor.otherMerchant.key }.bytes),
      (
        "E5 for S_p(P1)",
        try Actor.pseudonym.sign(
          E5(n: Ware.n, merchant: Actor.merchant.key, hE4: sale.p1().hash)
        ).bytes
      ),
    ]
    for (name, file) in forged {
      #expect(try Exhibits(files + [file]).judged().findings(.deliveredThis) == [.undecided], "\(name)")
    }
    for (index, name) in ["P1", "P3", "P5a"].enumerated() {
      var fewer = try evidence
      fewer.remove(at: index)
      #expect(try Exhibits(fewer).judged().findings(.deliveredThis) == [.undecided], "no \(name)")
    }
  }

  @Test("early and series: what agrees in all but one thing defeats no claim")
  func forgedModes() throws {
    var early = EarlySale()
    early.delivery = .forced
    let otherN = TransactionID(filled(1, 16))!
    let (e1, e3) = (try early.e1().bytes, try early.e3().bytes)
    func shown(_ e4: Verified<E4>, _ e5: Verified<E5>) throws -> [[UInt8]] {
      let e6 = try early.e6 { $0.hE4 = e4.hash }
      let held = try early.held { $0.hGoods = e4.hash }
      return [e1, e3, e4.bytes, e5.bytes, try early.e7a(e6, held: held).bytes]
    }
    #expect(try Exhibits(shown(early.e4(), early.e5())).judged().findings(.deliveredThis) == [.claimFails])
    let merchandise: [(String, Verified<E4>)] = [
      ("E4.n", try early.e4 { $0.n = otherN }), ("E4.hE1", try early.e4 { $0.hP1 = digest(1) }),
      ("E4 by another merchant", try early.e4(by: .otherMerchant)),
    ]
    for (name, e4) in merchandise {
      let e5 = try early.e5 { $0.hE4 = e4.hash }
      #expect(try Exhibits(shown(e4, e5)).judged().findings(.deliveredThis) == [.undecided], "\(name)")
    }
    let notes: [(String, Verified<E5>)] = [
      ("E5.hE4", try early.e5 { $0.hE4 = digest(1) }), ("E5.n", try early.e5 { $0.n = otherN }),
      ("E5.M", try early.e5 { $0.merchant = Actor.otherMerchant.key }),
      ("E5 by a stranger", try early.e5(by: .stranger)),
    ]
    for (name, e5) in notes {
      let files = try shown(early.e4(), e5)
      #expect(try Exhibits(files).judged().findings(.deliveredThis) == [.undecided], "\(name)")
    }
    // The E4 of the commit, and no other, is what was delivered.
    let second = try early.e4 { $0.root = digest(1) }
    let mixed = try shown(early.e4(), early.e5 { $0.hE4 = second.hash }) + [second.bytes]
    #expect(try Exhibits(mixed).judged().findings(.deliveredThis) == [.undecided], "another E4")
  }

  @Test("a series: each purchase is acknowledged by itself")
  func forgedSeries() throws {
    // Forced, the first after R1: no R7 is inside the record.
    var series = Series()
    series.committed = 1
    let otherN = TransactionID(filled(1, 16))!
    let base = [try series.r1().bytes, try series.r3().bytes, try series.forced().bytes]
    func findings(_ r6: Verified<R6>, _ r7: Verified<R7>) throws -> [Finding] {
      try Exhibits(base + [r6.bytes, r7.bytes]).judged().findings(.deliveredThis)
    }
    #expect(try findings(series.r6(1), series.r7(1)) == [.claimFails])
    let items: [(String, Verified<R6>)] = [
      ("R6.n", try series.r6(1) { $0.n = otherN }), ("R6.i", try series.r6(1) { $0.index = 2 }),
      ("R6 by another merchant", try series.r6(1, by: .otherMerchant)),
    ]
    for (name, r6) in items {
      #expect(try findings(r6, series.r7(1) { $0.hR6 = r6.hash }) == [.undecided], "\(name)")
    }
    let notes: [(String, Verified<R7>)] = [
      ("R7.hR6", try series.r7(1) { $0.hR6 = digest(1) }), ("R7.n", try series.r7(1) { $0.n = otherN }),
      ("R7.M", try series.r7(1) { $0.merchant = Actor.otherMerchant.key }),
      ("R7.i", try series.r7(1) { $0.index = 2 }), ("R7 by a stranger", try series.r7(1, by: .stranger)),
    ]
    for (name, r7) in notes { #expect(try findings(series.r6(1), r7) == [.undecided], "\(name)") }
  }

  @Test("an acknowledgement of another contract of the same pseudonym says nothing of this one")
  func otherContracts() throws {
    let files = try Array(evidence.prefix(3))
    for number in UInt8(1)...6 {
      var other = sale
      other.n = TransactionID(filled(number, 16))!
      let p1 = try other.p1()
      let ack = try other.acknowledgement { $0.hP1 = p1.hash }
      let findings = try Exhibits(files + [p1.bytes, ack.bytes]).judged().findings(.deliveredThis)
      #expect(findings == [.undecided], "\(number)")
    }
  }

  @Test("an invented pseudonym is not in P3")
  func inventedPseudonym() throws {
    let p1 = try sale.p1 { $0.contract.pseudonym = Actor.stranger.key }
    let p3 = try sale.p3 { $0.hP1 = p1.hash }
    let p5a = try sale.p5a(sale.p4(p3))
    let ack = try sale.acknowledgement(by: .stranger) { $0.hP1 = p1.hash }
    let exhibits = Exhibits([p1.bytes, p3.bytes, p5a.bytes, ack.bytes])
    #expect(try exhibits.judged().findings(.deliveredThis) == [.undecided])
    let own = try sale.acknowledgement { $0.hP1 = p1.hash }
    let mixed = Exhibits([p1.bytes, p3.bytes, p5a.bytes, own.bytes])
    #expect(try mixed.judged().findings(.deliveredThis) == [.undecided], "P of P3, not of P1")
    // With the bank's help the pseudonym is in P3, but then the customer's own P1 shows the reuse.
    let helped = try sale.p3 { ($0.hP1, $0.pseudonym) = (p1.hash, Actor.stranger.key) }
    let all = [p1.bytes, helped.bytes, try sale.p5a(sale.p4(helped)).bytes, ack.bytes, try sale.p1().bytes]
    #expect(try Exhibits(all).judged().findings(.numberReused) == [.convicted])
  }

  @Test("links with one thing wrong defeat no claim")
  func forgedLinks() throws {
    let (p1, ack) = (try sale.p1().bytes, try sale.acknowledgement().bytes)
    for (name, files) in try forgedCommits(sale) {
      let findings = try Exhibits(files + [p1, ack]).judged().findings(.deliveredThis)
      #expect(!findings.contains(.claimFails), "\(name)")
    }
    for actor in [Actor.merchant, .bank, .archive] {
      let trust = trustList { $0.remove(actor) }
      let findings = try Exhibits(evidence, trust: trust).judged().findings(.deliveredThis)
      #expect(findings == [.undecided], "\(actor)")
    }
  }
}

@Suite("Value taken")
struct ValueTakenTests {
  private let sale = Sale()
  private let token = Tokens.token(.tokenOne)

  private func demand(
    by actor: Actor = .tokenOne, serial: Hash? = nil
  ) throws -> Verified<StatusQuery> {
    try actor.sign(
      StatusQuery(n: nil, merchant: nil, nonce: Nonce(filled(3, 16))!, serial: serial ?? token.serial))
  }

  /// The authorization of another mode, with the same terms.
  private func earlyRequest() throws -> [UInt8] {
    let inputs = [Tokens.inputs[0]]
    return try Actor.tokenOne.sign(
      E2(terms: sale.terms(), bank: Actor.bank.key, tokenInputs: inputs)
    ).bytes
  }

  private func base() throws -> [[UInt8]] {
    [try token.encoded(), try demand().bytes, try Tokens.keyList().bytes]
  }

  @Test("of a series below its budget the bank has to account for the rest")
  func seriesRest() throws {
    let series = Series()
    let terms = try series.r3().payload.terms
    let r2 = try Actor.tokenOne.sign(
      R2(terms: terms, bank: Actor.bank.key, tokenInputs: [TokenInput(token: token, amount: 1000)]))
    let lock = try base() + [r2.bytes, try series.r3().bytes]
    #expect(try Exhibits(lock, heard: [.bank]).judged().findings(.valueTaken) == [.noFault], "all is locked")
    // The record pays EUR 3.00: the rest is the customer's again.
    let paid = lock + [try series.r10a().bytes]
    let kept = try Exhibits(paid, heard: [.bank]).judged()
    #expect(kept.findings(.valueTaken).contains(.convicted))
    let rest = try Actor.bank.sign(
      StatusAnswer(
        remainder: Money("EUR:7.00"), at: Times.now + 40, hQuery: demand().hash, proof: [], state: .available)
    )
    let honest = try Exhibits(paid + [rest.bytes], heard: [.bank]).judged()
    #expect(honest.findings(.valueTaken).allSatisfy { $0 == .noFault })
    // And it may be spent again: with EUR 7.00 of another lock nothing is spent beyond the value.
    let again = try sale.p2(by: .tokenOne) {
      $0.tokenInputs = [TokenInput(token: token, amount: 700)]
      $0.terms.value = Money("EUR:7.00")!
      $0.terms.n = TransactionID(filled(9, 16))!
    }
    let more = [again.bytes, try Actor.bank.sign(P3(terms: again.payload.terms)).bytes]
    let both = Exhibits(paid + more, heard: [.bank])
    #expect(try both.judged().findings(.spentBeyondValue) == [.noFault])
  }

  @Test("a bank that was heard and explains nothing is at fault")
  func convicts() throws {
    try expectConviction(Exhibits(try base(), heard: [.bank]), .valueTaken, .bank)
    // Part of the value explained is not all of it.
    let p2 = try sale.p2(by: .tokenOne) {
      $0.tokenInputs = [TokenInput(token: token, amount: 234)]
      $0.terms.value = Money("EUR:2.34")!
    }
    let p3 = try Actor.bank.sign(P3(terms: p2.payload.terms))
    try expectConviction(Exhibits(try base() + [p2.bytes, p3.bytes], heard: [.bank]), .valueTaken, .bank)
  }

  @Test("an authorization holds its tokens: they need no files of their own")
  func insideAuthorizations() throws {
    // Never locked: the bank denies it.
    let files = [try sale.p2().bytes, try demand().bytes, try Tokens.keyList().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .valueTaken, .bank)
    try expectAcquittal(Exhibits(files, heard: [.bank], tokenHolds: false), "not the bank's token")
    try expectAcquittal(Exhibits([files[0], files[2]], heard: [.bank]), "no demand")
    let stranger = try sale.p2(by: .tokenOne).bytes
    try expectAcquittal(Exhibits([stranger, files[1], files[2]], heard: [.bank]), "one signature is missing")
  }

  @Test("authorization and lock, an exchange, or the bank's word explain the value")
  func explained() throws {
    let p3 = try sale.p3()
    let lock = [try sale.p2().bytes, p3.bytes]
    let x1 = try Actor.tokenOne.sign(
      X1(
        bank: Actor.bank.key, total: Money("EUR:10")!, tokenInputs: [TokenInput(token: token, amount: 1000)],
        outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil))
    func x2(by actor: Actor = .bank, _ hash: Hash) throws -> [UInt8] {
      try actor.sign(X2(at: Times.now, hX1: hash, signatures: [filled(1, 256)])).bytes
    }
    func available(
      by actor: Actor = .bank, _ rest: String? = nil, to query: Hash, state: TransactionState = .available
    ) throws -> [UInt8] {
      try actor.sign(
        StatusAnswer(
          remainder: rest.flatMap(Money.init), at: Times.now, hQuery: query, proof: [], state: state)
      ).bytes
    }
    let query = try demand().hash
    let explanations: [(String, [[UInt8]])] = [
      ("live lock", lock), ("committed", lock + [try sale.p5a().bytes, try sale.credit().bytes]),
      ("exchange", [x1.bytes, try x2(x1.hash)]), ("available", [try available(to: query)]),
      ("a paid invoice, which holds k", [try AnnouncedSale().deposit().bytes]),
    ]
    for (name, files) in explanations {
      let exhibits = Exhibits(try base() + files, heard: [.bank])
      #expect(try exhibits.judged().findings(.valueTaken).allSatisfy { $0 == .noFault }, "\(name)")
      try expectAcquittal(exhibits, name)
    }
    let excuses: [(String, [[UInt8]])] = [
      ("P2 without P3", [lock[0]]), ("P3 without P2", [lock[1]]),
      ("P3 of other terms", [lock[0], try sale.p3 { $0.value = Money("EUR:1")! }.bytes]),
      ("aborted", lock + [try sale.p5b().bytes]), ("X1 without X2", [x1.bytes]),
      ("X2 by another bank", [x1.bytes, try x2(by: .otherBank, x1.hash)]),
      ("X2 of another X1", [x1.bytes, try x2(digest(1))]),
      ("a part is available", [try available("EUR:9.99", to: query)]),
      ("spent, it says", [try available(to: query, state: .spent)]),
      ("another query", [try available(to: digest(1))]),
      ("another bank's word", [try available(by: .otherBank, to: query)]),
      ("P2 for another bank", [try sale.p2 { $0.bank = Actor.otherBank.key }.bytes, lock[1]]),
      ("E2 for P2", [try earlyRequest(), lock[1]]),
      ("P2 by another token", [try sale.p2(by: .tokenTwo).bytes, lock[1]]),
      ("an invoice with another k", [try AnnouncedSale().deposit { $0.key = filled(1) }.bytes]),
      ("an invoice that a stranger endorsed", [try AnnouncedSale().deposit(by: .stranger).bytes]),
    ]
    for (name, files) in excuses {
      try expectConviction(
        Exhibits(try base() + files, heard: [.bank]), .valueTaken, .bank, Comment(rawValue: name))
    }
  }

  @Test("an abort that the archive published beside the commit takes no explanation from the bank")
  func abortBesideCommit() throws {
    let lock = [try sale.p2().bytes, try sale.p3().bytes, try sale.p5a().bytes]
    let files = try base() + lock + [try sale.p5b().bytes, try sale.credit().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .bothOutcomes, .archive)
  }

  @Test("an abort that a bank had to refuse leaves the lock live")
  func falseAborts() throws {
    let files = try base() + [try sale.p2().bytes, try sale.p3().bytes]
    let aborts: [(String, Verified<P5b>)] = [
      ("by another archive", try sale.p5b(by: .otherArchive)),
      ("of another lock", try sale.p5b { $0.lock = digest(1) }),
      ("another lifetime", try sale.p5b { $0.lifetime += 1 }),
    ]
    for (name, abort) in aborts {
      try expectAcquittal(Exhibits(files + [abort.bytes], heard: [.bank]), name)
    }
    let early = try sale.p5b { $0.at = Times.expiration - 1 }.bytes
    try expectConviction(Exhibits(files + [early], heard: [.bank]), .abortedEarly, .archive, "too early")
  }

  @Test("of a committed series the bank accounts for the running total, and says that the rest is available")
  func series() throws {
    let series = Series()
    let lock = [try series.r2().bytes, try series.r3().bytes]
    try expectAcquittal(Exhibits(try base() + lock, heard: [.bank]), "the budget is locked")
    let committed = lock + [try series.r10a().bytes, try series.credit(Series.total(2)).bytes]
    try expectConviction(
      Exhibits(try base() + committed, heard: [.bank]), .valueTaken, .bank, "the rest is kept")
    let rest = try Actor.bank.sign(
      StatusAnswer(
        remainder: Money("EUR:7"), at: Times.now + 60, hQuery: demand().hash, proof: [], state: .available))
    try expectAcquittal(Exhibits(try base() + committed + [rest.bytes], heard: [.bank]), "the rest is free")
  }

  @Test("a stranger's demand, an invented token, an unheard bank: nobody is at fault")
  func forged() throws {
    let cases: [(String, Exhibits)] = [
      ("not heard", Exhibits(try base())),
      ("no demand", Exhibits([try base()[0], try base()[2]], heard: [.bank])),
      ("no key list", Exhibits(Array(try base().prefix(2)), heard: [.bank])),
      ("a signature that does not hold", Exhibits(try base(), heard: [.bank], tokenHolds: false)),
      (
        "a stranger's demand",
        Exhibits([try base()[0], try demand(by: .stranger).bytes, try base()[2]], heard: [.bank])
      ),
      (
        "another serial",
        Exhibits([try base()[0], try demand(serial: digest(9)).bytes, try base()[2]], heard: [.bank])
      ),
      (
        "another bank's key list",
        Exhibits(Array(try base().prefix(2)) + [try Tokens.keyList(by: .otherBank).bytes], heard: [.bank])
      ),
      ("the token is over", Exhibits(try base(), heard: [.bank], now: Times.lifetime + 1)),
    ]
    for (name, exhibits) in cases { try expectAcquittal(exhibits, name) }
    var bound = token
    bound.archive = Actor.archive.key
    try expectAcquittal(
      Exhibits([try bound.encoded()] + Array(try base().dropFirst()), heard: [.bank]), "bound to an archive")
    var foreign = token
    foreign.issuer = Actor.otherBank.key
    try expectAcquittal(
      Exhibits(
        [try foreign.encoded(), try base()[1], try Tokens.keyList(by: .otherBank).bytes], heard: [.bank]),
      "another bank's token")
    try expectAcquittalWithoutTrust(Exhibits(try base(), heard: [.bank]), in: [.bank])
  }
}
