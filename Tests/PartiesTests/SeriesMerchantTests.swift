// Repeated transactions (FIG. 8): the merchant at every point of a series and with every event.

import Messages
import Parties
import Testing

enum SeriesMerchantEvent: String, CaseIterable, Sendable {
  case r3 = "R3"
  case otherR3 = "an R3 whose base is not the price"
  case r5 = "R5 of 1"
  case otherR5 = "another R5 of 1"
  case r5Two = "R5 of 2"
  case lateR5 = "R5 of 1 when no time is left"
  case r7 = "R7 of 1"
  case foreignR7 = "an R7 of other goods"
  case r7Two = "R7 of 2"
  case lateR7 = "R7 of 1 when no time is left"
  case held = "the archive holds the goods"
  case commit = "R10a of 1"
  case forcedCommit = "R10a of 1, forced"
  case abort, credit
  case wrongCredit = "a credit of the budget"
  case decline = "C wants no more"
  case closed = "the operator wants no more"
  case givenUp
  case due = "due in time"
  case dueLast = "due in the last moment"
  case dueLate = "due at the expiration"

  func happen(to rig: SeriesMerchant) throws -> [String] {
    let sale = SeriesSale()
    let forced = SeriesSale(delivery: .forced)
    switch self {
    case .r3: return try rig.authorised(sale.r3())
    case .otherR3: return try rig.authorised(sale.r3 { $0.base = Money("EUR:1")! })
    case .r5: return try rig.wanted(sale.r5(1), sale.draft(1))
    case .otherR5: return try rig.wanted(sale.r5(1) { $0.offer = Nonce(filled(9, 16))! }, sale.draft(1))
    case .r5Two: return try rig.wanted(sale.r5(2), sale.draft(2))
    case .lateR5: return try rig.wanted(sale.r5(1), sale.draft(1), at: Times.expiration - 60)
    case .r7: return try rig.acknowledgedItem(sale.r7(1))
    case .foreignR7: return try rig.acknowledgedItem(sale.r7(1) { $0.hR6 = digest(1) })
    case .r7Two: return try rig.acknowledgedItem(sale.r7(2))
    case .lateR7: return try rig.acknowledgedItem(sale.r7(1), at: Times.expiration - 29)
    case .held: return try rig.held(at: Times.now + 100)
    case .commit: return try rig.decided(.committed(sale.r10a(1)))
    case .forcedCommit: return try rig.decided(.committed(forced.r10a(1)))
    case .abort: return try rig.decided(.aborted(sale.r10b()))
    case .credit: return try rig.credited(sale.credit(SeriesSale.total(1)))
    case .wrongCredit: return try rig.credited(sale.credit(SeriesSale.budget))
    case .decline: return try rig.complained(sale.nak())
    case .closed: return try rig.run { machine, _ in machine.closed() }
    case .givenUp: return try rig.run { try $0.givenUp(key: $1) }
    case .due: return try rig.due(at: Times.expiration - 60)
    case .dueLast: return try rig.due(at: Times.expiration - 2)
    case .dueLate: return try rig.due(at: Times.expiration)
    }
  }
}

/// How far a series is at the merchant.
enum SeriesPoint: CaseIterable {
  case offered, open, asked, keyed, askedTwice, forcing, submitted, committed, credited, aborted
  case cancelling

  var path: [SeriesMerchantEvent] {
    switch self {
    case .offered: []
    case .open: [.r3]
    case .asked: [.r3, .r5]
    case .keyed: [.r3, .r5, .r7]
    case .askedTwice: [.r3, .r5, .r7, .r5Two]
    case .forcing: [.r3, .r5, .due]
    case .submitted: [.r3, .r5, .r7, .due]
    case .committed: [.r3, .r5, .r7, .due, .commit]
    case .credited: [.r3, .r5, .r7, .due, .commit, .credit]
    case .aborted: [.r3, .r5, .r7, .due, .abort]
    case .cancelling: [.r3, .r5, .r7, .givenUp]
    }
  }

  var phase: SalePhase {
    switch self {
    case .offered: .offered
    case .open, .asked, .keyed, .askedTwice: .authorised
    case .forcing: .forcing
    case .submitted: .submitted
    case .committed: .committed
    case .credited: .credited
    case .aborted: .aborted
    case .cancelling: .cancelling
    }
  }

  func rig() throws -> SeriesMerchant {
    let rig = try SeriesMerchant()
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("Repeated transactions: the merchant")
struct SeriesMerchantTests {
  private typealias Row = [SeriesPoint: [String]]

  private static let cancel = ["keep Cancel", "enter cancelling", "cancel Cancel+R3"]
  private static let submit = ["keep R9", "enter submitted", "submit R9+R3"]
  private static let submitOne = ["keep R9", "enter submitted", "submit R9+R3+R7"]
  private static let upload = ["enter forcing", "upload R6+R3"]
  private static let unknown = ["refuse unknownTransaction"]
  private static let mismatch = ["refuse mismatch"]
  private static let late = ["refuse tooLate"]
  private static let reused = ["keep Evidence", "cancel Cancel+R3", "refuse nReused"]
  private static let offer = ["keep R5 1", "keep R6 1", "reply R6", "enter authorised"]
  private static let key = ["keep R7 1", "keep R8 1", "reply R8", "enter authorised"]
  private static let commit = ["keep R10a", "enter committed"]
  private static let abort = ["keep R10b", "enter aborted", "send R10b to bank"]
  private static let evidence = ["keep Evidence"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for point in SeriesPoint.allCases { row[point] = others[point] ?? usual }
    return row
  }

  private static let expected: [SeriesMerchantEvent: Row] = [
    .r3: row([], [.offered: ["keep R3", "keep R4", "enter authorised"]]),
    .otherR3: row(reused, [.offered: ["keep R3"] + cancel + ["refuse wrongValue"]]),
    .r5: row(["reply R6"], [.offered: unknown, .open: offer]),
    .otherR5: row(["refuse nReused"], [.offered: unknown, .open: offer]),
    .r5Two: row(
      late,
      [
        .offered: unknown, .open: mismatch, .asked: ["refuse unacknowledged"],
        .forcing: ["refuse unacknowledged"],
        .keyed: ["keep R5 2", "keep R6 2", "reply R6", "enter authorised"], .askedTwice: ["reply R6"],
      ]),
    .lateR5: row(["reply R6"], [.offered: unknown, .open: late]),
    // The same R7 is answered by the same R8, for ever.
    .r7: row(
      ["reply R8"],
      [
        .offered: unknown, .open: mismatch, .asked: key,
        .forcing: ["keep R7 1", "keep R8 1", "reply R8"] + submitOne,
      ]),
    .foreignR7: row(mismatch, [.offered: unknown]),
    .r7Two: row(
      mismatch,
      [.offered: unknown, .askedTwice: ["keep R7 2", "keep R8 2", "reply R8", "enter authorised"]]),
    .lateR7: row(
      ["reply R8"], [.offered: unknown, .open: mismatch, .asked: key, .forcing: cancel]),
    .held: row([], [.forcing: ["keep R9", "enter submitted", "submit R9+R3+R5+R6"]]),
    .commit: row(
      commit,
      [.offered: unknown, .committed: [], .credited: [], .aborted: evidence]),
    .forcedCommit: row(
      commit,
      [.offered: unknown, .committed: evidence, .credited: evidence, .aborted: evidence]),
    .abort: row(
      abort,
      [.offered: unknown, .committed: evidence, .credited: evidence, .aborted: []]),
    .credit: row(
      ["keep Credit"],
      [
        .offered: mismatch, .aborted: mismatch, .committed: ["keep Credit", "enter credited"],
        .credited: [],
      ]),
    // Before the record nobody knows what is due.
    .wrongCredit: row(
      ["keep Credit"],
      [.offered: mismatch, .aborted: mismatch, .committed: mismatch, .credited: mismatch]),
    .decline: row(
      ["keep NAK", "enter authorised"],
      [
        .offered: ["keep NAK", "enter declined"], .forcing: [], .submitted: late, .committed: late,
        .credited: late, .aborted: [], .cancelling: [],
      ]),
    .closed: row(
      mismatch,
      [
        .open: ["enter authorised"], .asked: ["enter authorised"], .keyed: ["enter authorised"],
        .askedTwice: ["enter authorised"],
      ]),
    .givenUp: row(
      cancel,
      [
        .offered: ["enter declined"], .submitted: late, .committed: late, .credited: late, .aborted: [],
        .cancelling: [],
      ]),
    .due: row(
      [],
      [
        .open: submit, .asked: upload, .keyed: submitOne, .askedTwice: upload, .forcing: upload,
        .submitted: ["enter submitted"], .cancelling: ["enter cancelling"],
        .committed: ["send R10a to bank", "enter committed"],
      ]),
    // What cannot reach the archive any more costs the last purchase, not all.
    .dueLast: row(
      [],
      [
        .open: submit, .asked: submit, .keyed: submitOne, .askedTwice: submitOne, .forcing: submit,
        .submitted: ["enter submitted"], .cancelling: ["enter cancelling"],
        .committed: ["send R10a to bank", "enter committed"],
      ]),
    .dueLate: row(
      cancel,
      [
        .offered: [], .submitted: ["request abort", "enter submitted"],
        .cancelling: ["request abort", "enter cancelling"],
        .committed: ["send R10a to bank", "enter committed"], .credited: [], .aborted: [],
      ]),
  ]

  @Test(
    "each event has its one effect at each point, also after a restart",
    arguments: SeriesMerchantEvent.allCases)
  func everyEvent(event: SeriesMerchantEvent) throws {
    let row = try #require(Self.expected[event])
    for point in SeriesPoint.allCases {
      #expect(try event.happen(to: point.rig()) == row[point], "\(event.rawValue) when \(point)")
    }
  }

  @Test("k_i leaves for R7 of i alone, and what is sealed to the archive is x_i")
  func keys() throws {
    for point in SeriesPoint.allCases {
      let rig = try point.rig()
      let keyed: UInt64? =
        [.offered].contains(point) ? nil : [.open, .asked, .forcing].contains(point) ? 0 : 1
      for index: UInt64 in 0...2 {
        let isOut = rig.kept.values.contains { $0.contains(SeriesSale.key(index)) }
        #expect(isOut == (keyed.map { index <= $0 } ?? false), "k_\(index) when \(point)")
      }
      #expect(rig.kept.values.allSatisfy { !$0.contains(SeriesSale.secret) })
    }
  }

  @Test("an R5 that does not follow, asks for too little or for another sale is refused")
  func brokenR5() throws {
    let sale = SeriesSale()
    let cases: [(String, String, Verified<R5>, ItemDraft)] = [
      ("by another", "mismatch", try sale.r5(1, by: .stranger), sale.draft(1)),
      ("n", "mismatch", try sale.r5(1) { $0.n = TransactionID(filled(1, 16))! }, sale.draft(1)),
      ("M", "mismatch", try sale.r5(1) { $0.merchant = Actor.stranger.publicKey }, sale.draft(1)),
      ("a gap", "mismatch", try sale.r5(1) { $0.index = 2 }, sale.draft(1)),
      ("hPrevious", "mismatch", try sale.r5(1) { $0.hPrevious = digest(1) }, sale.draft(1)),
      ("a lower maximum", "wrongValue", try sale.r5(1) { $0.runningTotalMax = Sale.price }, sale.draft(1)),
      (
        "beyond the budget", "wrongValue",
        try sale.r5(1) { $0.runningTotalMax = Money("EUR:99")! },
        sale.draft(1) { $0.price = Money("EUR:2.67")! }
      ),
      ("another currency", "wrongValue", try sale.r5(1), sale.draft(1) { $0.price = Money("USD:1")! }),
    ]
    for (name, reason, r5, draft) in cases {
      let rig = try SeriesPoint.open.rig()
      #expect(try rig.wanted(r5, draft) == ["refuse \(reason)"], "\(name)")
      #expect(try rig.wanted(sale.r5(1), sale.draft(1)).contains("reply R6"), "a sound one after \(name)")
    }
  }

  @Test("a series is closed so early that its goods reach the archive, with the longest of them in mind")
  func closing() throws {
    let rig = try SeriesPoint.open.rig()
    func due() -> Timestamp? {
      for case .enter(.authorised, let due) in rig.effects { return due }
      return nil
    }
    try rig.authorised(SeriesSale().r3())
    let sale = SeriesSale()
    var draft = sale.draft(1)
    draft.goods.length = 100 << 20
    try rig.wanted(sale.r5(1), draft)
    #expect(due() == Times.expiration - 2 * 130)
    let late = try SeriesPoint.open.rig()
    #expect(try late.wanted(sale.r5(1), draft, at: Times.expiration - 260) == ["refuse tooLate"])
  }

  @Test("a credit that came before the record counts only if the record says so")
  func earlyCredit() throws {
    let rig = try SeriesPoint.submitted.rig()
    try rig.credited(SeriesSale().credit(SeriesSale.budget))
    #expect(try rig.decided(.committed(SeriesSale().r10a(1))) == Self.commit)
    let right = try SeriesPoint.submitted.rig()
    try right.credited(SeriesSale().credit(SeriesSale.total(1)))
    #expect(try right.decided(.committed(SeriesSale().r10a(1))) == ["keep R10a", "enter credited"])
  }

  @Test("two-sided: k_0 comes after S_p(R1), and without that no series begins")
  func twoSided() throws {
    var payload = SeriesSale().r1Payload
    payload.contract.twoSided = true
    let r1 = try Actor.merchant.sign(payload)
    let r3 = try SeriesSale().r3 { $0.hP1 = r1.hash }
    let note = try Actor.pseudonym.sign(
      Acknowledgement(n: Sale.n, merchant: Actor.merchant.publicKey, hP1: r1.hash))
    let rig = try SeriesMerchant(offering: payload, k: SeriesSale.secret)
    #expect(try rig.authorised(r3) == ["keep R3", "enter authorised"])
    #expect(try rig.wanted(SeriesSale().r5(1), SeriesSale().draft(1)) == Self.unknown)
    #expect(rig.kept.values.allSatisfy { !$0.contains(SeriesSale.key(0)) })
    #expect(try rig.acknowledged(note) == ["keep S_p(P1)", "keep R4", "enter authorised"])
    #expect(rig.kept.values.contains { $0.contains(SeriesSale.key(0)) })
    #expect(try rig.acknowledged(note) == [], "the series goes on as it is")
    #expect(try rig.due(at: Times.expiration - 60) == Self.submit)
    let silent = try SeriesMerchant(offering: payload, k: SeriesSale.secret)
    _ = try silent.authorised(r3)
    #expect(try silent.due(at: Times.expiration - 30) == Self.cancel)
    let early = try SeriesMerchant(offering: payload, k: SeriesSale.secret)
    #expect(try early.acknowledged(note) == ["keep S_p(P1)"])
    #expect(try early.authorised(r3) == ["keep R3", "keep R4", "enter authorised"])
  }

  @Test("a complaint about damaged ranges names the contract or an R6 of the series, and changes nothing")
  func damaged() throws {
    let rig = try SeriesPoint.asked.rig()
    func nak(_ hash: Hash, decline: Bool = false) throws -> Verified<NAK> {
      try Actor.pseudonym.sign(NAK(n: Sale.n, hP1: hash, decline: decline, badRanges: [0, 56]))
    }
    #expect(try rig.complained(nak(SeriesSale().r6(1).hash)) == ["keep NAK"])
    #expect(try rig.complained(nak(SeriesSale().r6(2).hash)) == Self.mismatch)
    #expect(try rig.complained(nak(SeriesSale().r6(1).hash, decline: true)) == Self.mismatch)
    #expect(rig.machine.phase == .authorised)
  }

  @Test("salts are the same for the same goods at the same place, and no others")
  func salts() throws {
    let rig = try SeriesPoint.open.rig()
    let again = try SeriesPoint.keyed.rig()
    func salts(_ rig: SeriesMerchant, _ index: UInt64, _ digest: Hash) throws -> [[UInt8]] {
      let salts = try #require(rig.machine.series?.salts(index, digest: digest))
      return [salts.goods, salts.description.bytes]
    }
    let first = try salts(rig, 1, digest(1))
    #expect(try salts(again, 1, digest(1)) == first)
    let others = try salts(rig, 2, digest(1)) + salts(rig, 1, digest(2))
    #expect(Set(first + others).count == 6)
    #expect(first[0].count == Goods.saltSize)
  }

  @Test("there are at most 250 further purchases")
  func limit() throws {
    #expect(MerchantSeries.itemsMax == 250, "their messages have to fit into one bundle")
    #expect(4 * MerchantSeries.itemsMax + 1 <= 1024)
  }
}
