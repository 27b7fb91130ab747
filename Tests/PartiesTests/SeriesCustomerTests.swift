// Repeated transactions (FIG. 8): the customer at every point of a series and with every event.

import Messages
import Parties
import Testing

enum SeriesCustomerEvent: String, CaseIterable, Sendable {
  case r1 = "R1"
  case goods = "all of the first ciphertext"
  case r2 = "R2"
  case r3 = "R3"
  case r4 = "R4"
  case badR4 = "R4 with another key"
  case want = "wants purchase 1"
  case wantShort = "wants purchase 2, short"
  case wantTwo = "wants purchase 2"
  case r6 = "R6 of 1"
  case otherR6 = "another R6 of 1"
  case refusal = "the refusal of R5 of 1"
  case item = "all of the ciphertext of 1"
  case otherItem = "another ciphertext"
  case r8 = "R8 of 1"
  case badR8 = "R8 of 1 with another key"
  case commitZero = "R10a of 0"
  case commit = "R10a of 1"
  case forcedCommit = "R10a of 1, forced"
  case abort, opened

  func happen(to rig: SeriesCustomer) throws -> [String] {
    let sale = SeriesSale()
    let forced = SeriesSale(delivery: .forced)
    switch self {
    case .r1: return try rig.offered(sale.r1())
    case .goods: return try rig.checked()
    case .r2: return try rig.run { try $0.authorised(sale.r2()) }
    case .r3: return try rig.locked(sale.r3())
    case .r4: return try rig.run { try $0.opened(sale.r4()) }
    case .badR4: return try rig.run { try $0.opened(sale.r4(key: filled(1))) }
    case .want: return try rig.wanted(sale.request(1))
    case .wantTwo: return try rig.wanted(sale.request(2))
    case .wantShort: return try rig.wanted(sale.request(2), short: true)
    case .r6: return try rig.offered(sale.r6(1), 1)
    case .otherR6: return try rig.offered(sale.r6(1) { $0.root = digest(9) }, 1)
    case .refusal:
      let refusal = Refusal(
        at: Times.now, reason: .noSuchOffer, hRequest: try sale.r5(1).hash, detail: "none")
      return try rig.run { try $0.refusedItem(Actor.merchant.sign(refusal)) }
    case .item: return try rig.received(SeriesSale.goods(1))
    case .otherItem: return try rig.received(SeriesSale.goods(2))
    case .r8: return try rig.run { try $0.keyed(sale.r8(1)) }
    case .badR8: return try rig.run { try $0.keyed(sale.r8(1, key: filled(1))) }
    case .commitZero: return try rig.decided(.committed(sale.r10a(0)))
    case .commit: return try rig.decided(.committed(sale.r10a(1)))
    case .forcedCommit: return try rig.decided(.committed(forced.r10a(1)))
    case .abort: return try rig.decided(.aborted(sale.r10b()))
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

/// How far a series is at the customer.
enum SeriesStep: CaseIterable {
  case checked, locked, open, asked, described, acknowledged, keyed, paid, delivered, aborted

  var path: [SeriesCustomerEvent] {
    let before: [SeriesCustomerEvent] = [.r1, .goods, .r2, .r3]
    return switch self {
    case .checked: [.r1, .goods]
    case .locked: before
    case .open: before + [.r4]
    case .asked: before + [.r4, .want]
    case .described: before + [.r4, .want, .r6]
    case .acknowledged: before + [.r4, .want, .r6, .item]
    case .keyed: before + [.r4, .want, .r6, .item, .r8]
    case .paid: before + [.r4, .want, .r6, .item, .commit]
    case .delivered: before + [.r4, .want, .r6, .item, .commit, .opened]
    case .aborted: before + [.r4, .abort]
    }
  }

  func rig() throws -> SeriesCustomer {
    let rig = try SeriesCustomer()
    for event in path { _ = try event.happen(to: rig) }
    return rig
  }
}

@Suite("Repeated transactions: the customer")
struct SeriesCustomerTests {
  private typealias Row = [SeriesStep: [String]]

  private static let mismatch = ["deny mismatch"]
  private static let closed = ["deny tooLate"]
  private static let early = ["deny tooEarly"]
  private static let evidence = ["keep Evidence"]
  private static let unknown = ["deny unknownTransaction"]
  private static let badKey = ["keep Evidence", "deny wrongKey"]
  private static let ended: Row = [
    .checked: closed, .paid: closed, .delivered: closed, .aborted: closed,
  ]

  /// The same while the series is open, and nothing any more after its end.
  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for step in SeriesStep.allCases { row[step] = others[step] ?? ended[step] ?? usual }
    return row
  }

  private static func outcome(_ effects: [String], _ others: Row) -> Row {
    var row: Row = [:]
    for step in SeriesStep.allCases { row[step] = others[step] ?? effects }
    return row
  }

  private static let expected: [SeriesCustomerEvent: Row] = [
    .r1: outcome([], [.aborted: ["deny nReused"]]),
    .goods: outcome([], [:]),
    .r2: outcome(mismatch, [.checked: ["keep R2", "enter authorised", "send R2 to bank"]]),
    .r3: outcome([], [:]),
    .r4: row([], [.locked: ["keep R4"]]),
    .badR4: row(badKey),
    .want: row(
      early, [.open: ["keep R5 1"], .keyed: ["keep R5 2"]]),
    .wantTwo: row(early, [.open: ["keep R5 1"], .keyed: ["keep R5 2"]]),
    // With R7 of 1 in hand, k_1 may come with R6 of 2; without k_0 nothing is asked for.
    .wantShort: row(
      early,
      [.locked: ["keep R5 1"], .open: ["keep R5 1"], .acknowledged: ["keep R5 2"], .keyed: ["keep R5 2"]]),
    .r6: row(
      mismatch, [.asked: ["keep R6 1"], .described: [], .acknowledged: [], .keyed: []]),
    .otherR6: row(
      mismatch,
      [
        .asked: ["keep R6 1"], .described: evidence + ["deny nReused"],
        .acknowledged: evidence + ["deny nReused"], .keyed: evidence + ["deny nReused"],
      ]),
    .refusal: row(mismatch, [.asked: ["keep Refusal 1"]]),
    .item: row([], [.described: ["keep R7 1"]]),
    .otherItem: row([], [.described: mismatch]),
    .r8: row(
      mismatch,
      [.described: ["keep R8 1"], .acknowledged: ["keep R8 1"], .keyed: []]),
    .badR8: row(mismatch, [.described: badKey, .acknowledged: badKey, .keyed: badKey]),
    .commitZero: outcome(
      ["keep R10a", "enter paid", "spent [1000, 234]", "freed [266]"],
      [.checked: unknown, .paid: evidence, .delivered: evidence, .aborted: evidence]),
    .commit: outcome(
      ["keep R10a", "enter paid", "spent [1000, 334]", "freed [166]"],
      [.checked: unknown, .paid: [], .delivered: [], .aborted: evidence]),
    .forcedCommit: outcome(
      ["keep R10a", "enter paid", "spent [1000, 334]", "freed [166]"],
      [.checked: unknown, .paid: evidence, .delivered: evidence, .aborted: evidence]),
    .abort: outcome(
      ["keep R10b", "enter aborted", "freed [1000, 500]"],
      [.checked: unknown, .paid: evidence, .delivered: evidence, .aborted: []]),
    .opened: outcome(mismatch, [.paid: ["enter delivered"], .delivered: ["enter delivered"]]),
  ]

  @Test(
    "each event has its one effect at each step, also after a restart",
    arguments: SeriesCustomerEvent.allCases)
  func everyEvent(event: SeriesCustomerEvent) throws {
    let row = try #require(Self.expected[event])
    for step in SeriesStep.allCases {
      #expect(try event.happen(to: step.rig()) == row[step], "\(event.rawValue) when \(step)")
    }
  }

  @Test("keys come from M, or out of the record: x_j, and where it was forced x_(j-1) too")
  func keys() throws {
    for step in SeriesStep.allCases {
      let machine = try step.rig().machine
      let known: UInt64? =
        switch step {
        case .checked, .locked, .aborted: nil
        case .open, .asked, .described, .acknowledged: 0
        case .keyed, .paid, .delivered: 1
        }
      for index: UInt64 in 0...2 {
        let key = known.map { index <= $0 } ?? false ? SeriesSale.key(index) : nil
        #expect(
          machine.key(index) == (step == .aborted && index == 0 ? SeriesSale.key(0) : key), "\(step) \(index)"
        )
      }
    }
    let unseen = try SeriesStep.locked.rig()
    _ = try SeriesCustomerEvent.forcedCommit.happen(to: unseen)
    #expect(unseen.machine.key(1) == SeriesSale.key(1), "x_1")
    #expect(unseen.machine.key(0) == SeriesSale.key(0), "x_0, as it was forced")
    #expect(unseen.machine.goods(1) == SeriesSale.goods(1), "R6 is in the record")
    let acknowledged = try SeriesStep.locked.rig()
    _ = try SeriesCustomerEvent.commit.happen(to: acknowledged)
    #expect(acknowledged.machine.key(0) == nil, "R7 says that C has it")
  }

  @Test("a refused request leaves its place to another one, also after a restart")
  func afterRefusal() throws {
    let rig = try SeriesStep.asked.rig()
    _ = try SeriesCustomerEvent.refusal.happen(to: rig)
    #expect(rig.machine.series?.count == 0)
    let sale = SeriesSale()
    #expect(try rig.wanted(sale.request(1)) == ["keep R5 1", "keep Refusal 1"], "the same again")
    #expect(rig.machine.series?.count == 1)
    #expect(try rig.offered(sale.r6(1), 1) == ["keep R6 1"])
    let other = try SeriesStep.asked.rig()
    _ = try SeriesCustomerEvent.refusal.happen(to: other)
    #expect(try other.wanted(sale.request(2)) == ["keep R5 1"], "another offer")
    #expect(try SeriesCustomerEvent.refusal.happen(to: other) == ["deny mismatch"], "of the first one")
    #expect(other.machine.series?.count == 1)
  }

  @Test("an R6 with one fault is refused for it")
  func brokenR6() throws {
    let sale = SeriesSale()
    let cases: [(String, String, (inout R6) -> Void)] = [
      ("n", "mismatch", { $0.n = TransactionID(filled(1, 16))! }),
      ("another number", "mismatch", { $0.index = 2 }),
      ("hPrevious", "mismatch", { $0.hPrevious = digest(1) }),
      ("P", "mismatch", { $0.contract.pseudonym = Actor.stranger.publicKey }),
      ("lifetime", "mismatch", { $0.contract.lifetime += 1 }),
      ("description", "mismatch", { $0.contract.descriptionHash = digest(1) }),
      ("a greater total", "wrongValue", { $0.runningTotal = Money("EUR:13.35")! }),
      ("a smaller total", "wrongValue", { $0.runningTotal = Money("EUR:13.33")! }),
      (
        "a greater price", "wrongValue",
        {
          $0.runningTotal = Money("EUR:13.35")!
          $0.contract.price = Money("EUR:1.01")!
        }
      ),
      ("length", "limit", { $0.length = 1 << 40 }),
    ]
    for (name, reason, change) in cases {
      let rig = try SeriesStep.asked.rig()
      let effects = try rig.offered(sale.r6(1, change), 1)
      #expect(effects.last == "deny \(reason)", "\(name)")
      #expect(try rig.offered(sale.r6(1), 1) == ["keep R6 1"], "a sound one after \(name)")
    }
    let rig = try SeriesStep.asked.rig()
    #expect(try rig.offered(sale.r6(1, by: .stranger), 1).last == "deny mismatch")
  }

  @Test("the budget is the most that is asked for")
  func budget() throws {
    let rig = try SeriesStep.open.rig()
    var request = SeriesSale().request(1)
    request.price = Money("EUR:2.67")!
    #expect(try rig.wanted(request) == ["deny wrongValue"])
    request.price = Money("EUR:2.66")!
    #expect(try rig.wanted(request) == ["keep R5 1"])
    #expect(rig.machine.series?.rest == Money("EUR:2.66")!, "M has offered nothing yet")
  }

  @Test("R2 says budget and base, and is not drawn up below the price")
  func authorization() throws {
    let rig = try SeriesStep.checked.rig()
    func request(_ budget: Money?) throws -> R2 {
      try rig.machine.authorization(
        tokens: SeriesSale.inputs, bank: Actor.bank.publicKey, archive: Actor.archive.publicKey,
        expiration: Times.expiration, budget: budget)
    }
    #expect(try request(SeriesSale.budget) == SeriesSale().r2().payload)
    #expect(try request(nil).terms.value == Sale.price)
    #expect(throws: Denial.self) { try request(Money("EUR:12.33")!) }
  }

  @Test("a restored customer takes its own R5 and R7 back from M, in their order")
  func remembered() throws {
    let (sale, rig) = (SeriesSale(), try SeriesStep.open.rig())
    #expect(try rig.run { try $0.remembered(sale.r7(1)) } == ["deny mismatch"])
    #expect(try rig.run { try $0.remembered(sale.r5(2)) } == ["deny mismatch"])
    #expect(try rig.run { try $0.remembered(sale.r5(1)) } == ["keep R5 1"])
    #expect(try rig.run { try $0.remembered(sale.r5(1)) } == [])
    #expect(try rig.offered(sale.r6(1), 1) == ["keep R6 1"])
    #expect(try rig.run { try $0.remembered(sale.r7(1)) } == ["keep R7 1"])
    #expect(try rig.run { try $0.keyed(sale.r8(1)) } == ["keep R8 1"])
    #expect(try rig.run { try $0.remembered(sale.r5(2)) } == ["keep R5 2"])
  }
}
