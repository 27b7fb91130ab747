// Repeated transactions (FIG. 8): the archive's and the bank's checks, and the catalogue's attack 9.

import Messages
import Parties
import Testing

@Suite("Repeated transactions: archive and bank")
struct SeriesRecordTests {
  private let sale = SeriesSale()
  private let forced = SeriesSale(delivery: .forced)
  private static let commit = ["publish R10a", "send R10a to bank", "send R10a to merchant", "reply R10a"]

  @Test("a commit of j pays the running total of j, of 0 the base, and frees the rest in the list's order")
  func commits() throws {
    let cases: [(SeriesSale, UInt64, String)] = [
      (sale, 0, "spend [1000, 234], free EUR:2.66"), (sale, 1, "spend [1000, 334], free EUR:1.66"),
      (sale, 2, "spend [1000, 434], free EUR:0.66"), (forced, 1, "spend [1000, 334], free EUR:1.66"),
      (forced, 2, "spend [1000, 434], free EUR:0.66"),
    ]
    for (sale, index, spending) in cases {
      let archive = SeriesArchive(try sale.r3())
      let holds = sale.delivery == .forced
      #expect(try archive.submitted(sale.submission(index), holdsGoods: holds) == Self.commit)
      guard case .committed(let r10a)? = archive.outcome else { throw Unexpected() }
      #expect(try r10a.payload == sale.r10a(index).payload, "all that the payment rests on is in it")
      let bank = SeriesBank()
      try bank.authorised(sale.r2())
      let total = SeriesSale.total(index)
      #expect(
        try bank.decided(.committed(r10a)) == [
          "keep R10a", "enter settled", spending, "credit merchant \(total)", "confirm credit",
        ])
      #expect(try bank.decided(.committed(r10a)) == ["confirm credit"])
    }
  }

  @Test("a budget that is used up is spent whole; a base above the budget locks nothing")
  func whole() throws {
    let full = SeriesSale.inputs.split(after: 1500)
    #expect(full.used == SeriesSale.inputs && full.rest.isEmpty)
    #expect(SeriesSale.inputs.split(after: 1000).rest.map(\.amount) == [500])
    #expect(SeriesSale.inputs.split(after: 0).used.isEmpty)
    let bank = SeriesBank()
    #expect(try bank.authorised(sale.r2 { $0.terms.base = Money("EUR:15.01")! }) == ["refuse wrongValue"])
    #expect(try bank.authorised(sale.r2 { $0.terms.base = Money("USD:1")! }) == ["refuse wrongValue"])
  }

  @Test("a submission with one fault is refused for it, and nothing is published")
  func brokenSubmissions() throws {
    let greedy = try sale.r7(1) { $0.runningTotal = Money("EUR:15.01")! }
    let cases: [(String, Reason, () throws -> Submitted<RepeatedMode>)] = [
      ("R7 of another purchase", .mismatch, { try sale.submission(1, with: [sale.r7(2).bytes]) }),
      ("R9 of another purchase", .mismatch, { try sale.submission(1, sale.r9(2)) }),
      ("no R7", .mismatch, { try sale.submission(1, with: []) }),
      ("another number", .mismatch, { try sale.submission(1, sale.r9(1) { $0.index = 2 }) }),
      (
        "above the budget", .mismatch,
        { try sale.submission(1, sale.r9(1) { $0.hItem = greedy.hash }, with: [greedy.bytes]) }
      ),
      ("k_1 for x_1", .wrongKey, { try sale.submission(1, sale.r9(1) { $0.key = SeriesSale.key(1) }) }),
      ("x_0 for x_1", .wrongKey, { try sale.submission(1, sale.r9(1) { $0.key = SeriesSale.x(0) }) }),
      ("x_1 for 0", .wrongKey, { try sale.submission(0, sale.r9(0) { $0.key = SeriesSale.x(1) }) }),
      ("0 with R7", .mismatch, { try sale.submission(0, with: [sale.r7(1).bytes]) }),
      ("0 as forced", .mismatch, { try sale.submission(0, sale.r9(0) { $0.delivery = .forced }) }),
    ]
    for (name, reason, submission) in cases {
      let rig = SeriesArchive(try sale.r3())
      #expect(try rig.submitted(submission(), holdsGoods: true) == ["refuse \(reason)"], "\(name)")
      #expect(rig.outcome == nil)
    }
  }

  /// Forced submissions of purchase 2 with one thing wrong.
  private func brokenForces() throws -> [(String, Verified<R9>, [[UInt8]])] {
    let r9 = try forced.r9(2)
    let (r5, r6, r7) = (try forced.r5(2), try forced.r6(2), try forced.r7(1))
    func with(_ r5: Verified<R5>? = nil, _ previous: Verified<R7>? = nil) -> [[UInt8]] {
      [(r5 ?? forcedR5).bytes, r6.bytes, (previous ?? r7).bytes]
    }
    let forcedR5 = r5
    let invented = try forced.r6(2) { $0.runningTotal = SeriesSale.budget }
    return [
      ("R5 below the total", r9, with(try forced.r5(2) { $0.runningTotalMax = SeriesSale.total(1) })),
      ("R5 of another purchase", r9, with(try forced.r5(3))),
      ("R5 that follows another", r9, with(try forced.r5(2) { $0.hPrevious = digest(1) })),
      ("R7 of the same purchase", r9, with(nil, try forced.r7(2))),
      ("R7 of other goods", r9, with(nil, try forced.r7(1) { $0.hR6 = digest(1) })),
      ("no R7 before", r9, [r5.bytes, r6.bytes]),
      ("no key before", try forced.r9(2) { $0.previousKey = nil }, with()),
      ("another key before", try forced.r9(2) { $0.previousKey = SeriesSale.x(0) }, with()),
      ("k before, not x", try forced.r9(2) { $0.previousKey = SeriesSale.key(1) }, with()),
      (
        "an invented total", try forced.r9(2) { $0.hItem = invented.hash },
        [r5.bytes, invented.bytes, r7.bytes]
      ),
    ]
  }

  @Test("a forced purchase needs C's R5 with its maximum, the R7 before and the key before")
  func forcedChecks() throws {
    for (name, r9, shown) in try brokenForces() {
      let rig = SeriesArchive(try forced.r3())
      let effects = try rig.submitted(forced.submission(2, r9, with: shown), holdsGoods: true)
      #expect(effects == ["refuse mismatch"], "\(name)")
      // An archive that publishes it nevertheless is not paid upon.
      let bank = SeriesBank()
      try bank.authorised(forced.r2())
      let r10a = try forced.r10a(2, r9) {
        ($0.request, $0.item) = (shown[0], shown[1])
        $0.acknowledgement = shown.count > 2 ? shown[2] : nil
      }
      #expect(try bank.decided(.committed(r10a)) == ["refuse mismatch"], "\(name)")
    }
  }

  @Test("only P asks and acknowledges, only M describes")
  func signers() throws {
    let (trust, r3) = (trustList(), try forced.r3().bytes)
    func rule(_ r9: Verified<R9>, _ shown: [[UInt8]]) -> String? {
      refusal { () throws(MessageError) in
        try Submitted<RepeatedMode>(Bundle([r9.bytes, r3] + shown), trust: trust, at: Times.now)
      }
    }
    let (r5, r6) = (try forced.r5(1).bytes, try forced.r6(1).bytes)
    #expect(rule(try forced.r9(1), [r5, r6]) == nil)
    #expect(rule(try forced.r9(1), [try forced.r5(1, by: .stranger).bytes, r6]) == "untrusted")
    #expect(rule(try forced.r9(1), [r5, try forced.r6(1, by: .stranger).bytes]) == "untrusted")
    #expect(rule(try sale.r9(1), [try sale.r7(1, by: .merchant).bytes]) == "untrusted")
  }
}

@Suite("Attacks on repeated transactions")
struct SeriesAttackTests {
  private let sale = SeriesSale()
  private let forced = SeriesSale(delivery: .forced)

  @Test("9: the bank knows what the first purchase cost, so that M cannot take the budget for it")
  func base() throws {
    let bank = SeriesBank()
    try bank.authorised(sale.r2())
    #expect(try bank.decided(.committed(sale.r10a(0))).contains("credit merchant EUR:12.34"))
    // Without the base in R2 and R3 the bank would know of the budget alone.
    let terms = try sale.terms { $0.base = nil }
    let naive = try? terms.due(sale.r10a(0), lock: nil)
    #expect(naive == nil && terms.value == SeriesSale.budget, "no base, nothing that could be paid but all")
  }

  @Test("9: M cannot force a purchase that C did not ask for, nor at another price")
  func inventedTotal() throws {
    let invented = try forced.r6(1) { $0.runningTotal = SeriesSale.budget }
    let r9 = try forced.r9(1) { $0.hItem = invented.hash }
    let archive = SeriesArchive(try forced.r3())
    let submission = try forced.submission(1, r9, with: [forced.r5(1).bytes, invented.bytes])
    #expect(try archive.submitted(submission, holdsGoods: true) == ["refuse mismatch"])
    // With R6 alone, which M signs as it likes, the budget would be M's.
    #expect(invented.signer == Actor.merchant.publicKey && invented.payload.runningTotal == SeriesSale.budget)
    let generous = try forced.r5(1) { $0.runningTotalMax = SeriesSale.budget }
    let agreed = try forced.submission(1, r9, with: [generous.bytes, invented.bytes])
    #expect(
      try archive.submitted(agreed, holdsGoods: true).first == "publish R10a", "if C signs that maximum")
  }

  @Test("9: C signs R7 of i only with the keys before it, so that no commit charges for what it cannot read")
  func keysBefore() throws {
    let rig = try SeriesStep.locked.rig()
    // In the short form C may ask before k_0 is here, but not acknowledge.
    #expect(try rig.wanted(sale.request(1), short: true) == ["keep R5 1"])
    #expect(try rig.offered(sale.r6(1), 1) == ["keep R6 1"])
    #expect(try rig.received(SeriesSale.goods(1)) == ["deny tooEarly"])
    #expect(rig.kept[.series(.r7, 1)] == nil)
    // An R7 without k_0 would be a commit of 1 that leaves C without k_0.
    let blind = try SeriesStep.locked.rig()
    try blind.decided(.committed(sale.r10a(1)))
    #expect(blind.machine.key(0) == nil && blind.machine.phase == .paid, "charged, and cannot read")
    _ = try SeriesCustomerEvent.badR4.happen(to: rig)
    #expect(try rig.received(SeriesSale.goods(1)) == ["deny tooEarly"], "a bad key is none")
    _ = try SeriesCustomerEvent.r4.happen(to: rig)
    #expect(try rig.received(SeriesSale.goods(1)) == ["keep R7 1"])
  }

  @Test("9: a forced commit of j brings the key of j - 1, which C may lack in the short form")
  func keyBeforeForced() throws {
    // C has the goods of 1 and their R7 sent with R5 of 2; M keeps R8 of 1 and R6 of 2 back, and forces 2.
    let rig = try SeriesStep.acknowledged.rig()
    #expect(try rig.wanted(sale.request(2), short: true) == ["keep R5 2"])
    #expect(rig.machine.key(1) == nil)
    // Without the rule: x_2 alone is published, C pays for 1 and 2 and reads 2 only.
    let bare = try forced.r9(2) { $0.previousKey = nil }
    let submission = try forced.submission(2, bare)
    #expect(
      try SeriesArchive(forced.r3()).submitted(submission, holdsGoods: true) == ["refuse mismatch"])
    let masked = try forced.r10a(2, bare).payload.submission
    #expect(!masked.contains(SeriesSale.x(1)), "nothing of 1 would be public")
    // With it, C has both.
    let archive = SeriesArchive(try forced.r3())
    #expect(try archive.submitted(forced.submission(2), holdsGoods: true).first == "publish R10a")
    try rig.decided(#require(archive.outcome))
    #expect(rig.machine.key(1) == SeriesSale.key(1) && rig.machine.key(2) == SeriesSale.key(2))
    #expect(rig.machine.goods(2) == SeriesSale.goods(2))
  }

  @Test("9: what forcing publishes can be read with r alone")
  func nothingReadable() throws {
    let r10a = try forced.r10a(2).bytes
    for index: UInt64 in 0...2 { #expect(!r10a.contains(SeriesSale.key(index)), "k_\(index)") }
    #expect(!r10a.contains(SeriesSale.mask.bytes))
    #expect(masked(SeriesSale.x(1), by: .seriesMask(SeriesSale.mask.bytes, 1)) == SeriesSale.key(1))
    let mixed = masked(SeriesSale.x(1), by: .seriesMask(SeriesSale.mask.bytes, 2))
    #expect(mixed != SeriesSale.key(1), "each purchase has a mask of its own")
  }

  @Test("7: goods that only their description has reached are not forced in a series either")
  func detachedGoods() throws {
    let archive = SeriesArchive(try forced.r3())
    #expect(try archive.submitted(forced.submission(1)) == ["refuse unacknowledged"])
    #expect(try archive.submitted(forced.submission(1), holdsGoods: true).first == "publish R10a")
    let bank = SeriesBank()
    try bank.authorised(forced.r2())
    let bare = try forced.r10a(1) { $0.held = nil }
    #expect(try bank.decided(.committed(bare)) == ["refuse mismatch"])
  }

  @Test("6: a core P4 does not take a series' budget")
  func modeConfusion() throws {
    let (core, trust) = (Sale(), trustList())
    let bundle = Bundle([try core.p4().bytes, try sale.r3().bytes])
    let rule = refusal { () throws(MessageError) in
      try Submitted<CoreMode>(bundle, trust: trust, at: Times.now)
    }
    #expect(rule == "unexpected-type")
  }
}
