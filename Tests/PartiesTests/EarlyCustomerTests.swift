// Early commitment (FIG. 5): the customer in every phase and with every event.

import Messages
import Parties
import Testing

enum EarlyCustomerEvent: String, CaseIterable, Sendable {
  case e1 = "E1"
  case otherE1 = "another E1"
  case giveUp, e2, e3, refused
  case e4 = "E4"
  case otherE4 = "another E4"
  case foreignE4 = "an E4 of another contract"
  case goods = "all of the ciphertext"
  case otherGoods = "another ciphertext"
  case commit, forcedCommit, bareCommit, abort, opened

  func happen(to rig: EarlyCustomer) throws -> [String] {
    let sale = EarlySale()
    let forced = EarlySale(delivery: .forced)
    switch self {
    case .e1: return try rig.offered(sale.e1())
    case .otherE1: return try rig.offered(sale.e1 { $0.contract.name = "other.pdf" })
    case .giveUp: return try rig.run { $0.abandoned() }
    case .e2: return try rig.run { try $0.authorised(sale.e2()) }
    case .e3: return try rig.locked(sale.e3())
    case .refused: return try rig.run { try $0.refusedByBank(sale.refusal()) }
    case .e4: return try rig.described(sale.e4())
    case .otherE4: return try rig.described(sale.e4 { $0.root = digest(1) })
    case .foreignE4: return try rig.described(sale.e4 { $0.hP1 = digest(1) })
    case .goods: return try rig.received()
    case .otherGoods: return try rig.received(root: digest(1))
    case .commit: return try rig.decided(.committed(sale.e7a()))
    case .forcedCommit: return try rig.decided(.committed(forced.e7a()))
    case .bareCommit: return try rig.decided(.committed(sale.e7a { $0.acknowledgement = nil }))
    case .abort: return try rig.decided(.aborted(sale.e7b()))
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

/// A phase, and how far the goods are in it.
enum EarlyPoint: CaseIterable {
  case requested, checked, authorised, locked, described, acknowledged, paid, paidUnseen, delivered, aborted
  case refused, abandoned

  var path: [EarlyCustomerEvent] {
    switch self {
    case .requested: []
    case .checked: [.e1]
    case .authorised: [.e1, .e2]
    case .locked: [.e1, .e2, .e3]
    case .described: [.e1, .e2, .e3, .e4]
    case .acknowledged: [.e1, .e2, .e3, .e4, .goods]
    case .paid: [.e1, .e2, .e3, .e4, .goods, .commit]
    case .paidUnseen: [.e1, .e2, .e3, .forcedCommit]
    case .delivered: [.e1, .e2, .e3, .e4, .goods, .commit, .opened]
    case .aborted: [.e1, .e2, .e3, .abort]
    case .refused: [.e1, .e2, .refused]
    case .abandoned: [.e1, .giveUp]
    }
  }

  func rig() throws -> EarlyCustomer {
    let rig = try EarlyCustomer()
    for event in path { _ = try event.happen(to: rig) }
    return rig
  }
}

@Suite("Early commitment: the customer")
struct EarlyCustomerTests {
  private typealias Row = [EarlyPoint: [String]]

  private static let mismatch = ["deny mismatch"]
  private static let reused = ["deny nReused"]
  private static let evidence = ["keep Evidence"]
  private static let unknown = ["deny unknownTransaction"]
  private static let commit = ["keep E7a", "enter paid", "spent [1000, 234]"]
  private static let abort = ["keep E7b", "enter aborted", "freed [1000, 234]"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for point in EarlyPoint.allCases { row[point] = others[point] ?? usual }
    return row
  }

  private static let expected: [EarlyCustomerEvent: Row] = [
    .e1: row(
      [],
      [
        .requested: ["keep E1", "enter checked"], .aborted: reused, .refused: reused, .abandoned: reused,
      ]),
    .otherE1: row(reused, [.requested: ["keep E1", "enter checked"]]),
    .giveUp: row(
      ["deny tooLate"], [.requested: ["enter abandoned"], .checked: ["enter abandoned"]]),
    .e2: row(mismatch, [.checked: ["keep E2", "enter authorised", "send E2 to bank"]]),
    .e3: row([], [.authorised: ["keep E3", "enter locked"]]),
    .refused: row(mismatch, [.authorised: ["keep Refusal", "enter refused", "freed [1000, 234]"]]),
    .e4: row(
      mismatch,
      [
        .locked: ["keep E4"], .described: [], .acknowledged: [], .paid: [], .delivered: [],
        .paidUnseen: ["keep E4"],
      ]),
    .otherE4: row(
      mismatch,
      [
        .locked: ["keep E4"], .described: evidence + reused, .acknowledged: evidence + reused,
        .paid: evidence + reused, .paidUnseen: evidence + reused, .delivered: evidence + reused,
      ]),
    .foreignE4: row(mismatch),
    .goods: row([], [.described: ["keep E5", "send E5 to merchant"]]),
    .otherGoods: row([], [.described: mismatch, .acknowledged: mismatch]),
    .commit: row(
      unknown,
      [
        .authorised: commit, .locked: commit, .described: commit, .acknowledged: commit, .paid: [],
        .paidUnseen: evidence, .delivered: [], .aborted: evidence,
      ]),
    .forcedCommit: row(
      unknown,
      [
        .authorised: commit, .locked: commit, .described: commit, .acknowledged: commit, .paid: evidence,
        .paidUnseen: [], .delivered: evidence, .aborted: evidence,
      ]),
    .bareCommit: row(
      unknown,
      [
        .authorised: mismatch, .locked: mismatch, .described: mismatch, .acknowledged: mismatch, .paid: [],
        .paidUnseen: [], .delivered: [], .aborted: [],
      ]),
    .abort: row(
      unknown,
      [
        .authorised: mismatch, .locked: abort, .described: abort, .acknowledged: abort, .paid: evidence,
        .paidUnseen: evidence, .delivered: evidence, .aborted: [],
      ]),
    .opened: row(
      mismatch,
      [
        .paid: ["enter delivered"], .paidUnseen: ["enter delivered"], .delivered: ["enter delivered"],
      ]),
  ]

  @Test(
    "each event has its one effect at each point, also after a restart",
    arguments: EarlyCustomerEvent.allCases)
  func everyEvent(event: EarlyCustomerEvent) throws {
    let row = try #require(Self.expected[event])
    for point in EarlyPoint.allCases {
      #expect(try event.happen(to: point.rig()) == row[point], "\(event.rawValue) when \(point)")
    }
  }

  @Test("k is x without the mask, and only when paid")
  func goodsKey() throws {
    for point in EarlyPoint.allCases {
      let known = [EarlyPoint.paid, .paidUnseen, .delivered].contains(point)
      #expect(try point.rig().machine.goodsKey == (known ? Sale.k : nil), "\(point)")
    }
    #expect(EarlySale.x != Sale.k)
  }

  @Test("paid for goods that M described otherwise, C asks for the E4 that was paid for and keeps both")
  func twoDescriptions() throws {
    let rig = try EarlyPoint.locked.rig()
    let bad = try EarlySale().e4 { $0.root = digest(1) }
    #expect(try rig.described(bad) == ["keep E4"])
    #expect(rig.machine.missingMerchandise == nil)
    _ = try EarlyCustomerEvent.forcedCommit.happen(to: rig)
    let paid = try EarlySale().e4()
    #expect(rig.machine.missingMerchandise == paid.hash)
    #expect(try rig.described(paid) == ["keep Evidence", "keep E4"])
    #expect(rig.machine.goods == EarlySale.goods && rig.machine.missingMerchandise == nil)
    #expect(rig.kept[.evidence] == bad.bytes)
  }

  @Test("goods that are too long are not acknowledged")
  func tooLong() throws {
    let rig = try EarlyPoint.locked.rig()
    #expect(try rig.described(EarlySale().e4 { $0.length = 1 << 40 }) == ["deny limit"])
    #expect(try rig.described(EarlySale().e4 { $0.length = 3 }) == ["deny limit"])
    #expect(try rig.described(EarlySale().e4()) == ["keep E4"])
  }
}
