// Early commitment (FIG. 5): the merchant in every phase and with every event.

import Messages
import Parties
import Testing

enum EarlyMerchantEvent: String, CaseIterable, Sendable {
  case e3 = "E3"
  case otherE3 = "an E3 of other terms"
  case e5 = "E5"
  case foreignE5 = "an E5 of other goods"
  case lateE5 = "E5 when no time is left"
  case held = "the archive holds the goods"
  case heldLate = "the archive holds the goods when no time is left"
  case commit, forcedCommit, bareCommit, abort, credit, decline, damaged, givenUp
  case due = "due in time"
  case dueLate = "due at the expiration"

  func happen(to rig: EarlyMerchant) throws -> [String] {
    let sale = EarlySale()
    let forced = EarlySale(delivery: .forced)
    switch self {
    case .e3: return try rig.authorised(sale.e3())
    case .otherE3: return try rig.authorised(sale.e3 { $0.lifetime += 1 })
    case .e5: return try rig.acknowledged(sale.e5())
    case .foreignE5: return try rig.acknowledged(sale.e5 { $0.hE4 = digest(1) })
    case .lateE5: return try rig.acknowledged(sale.e5(), at: Times.expiration - 29)
    case .held: return try rig.held(at: Times.now + 100)
    case .heldLate: return try rig.held(at: Times.expiration - 29)
    case .commit: return try rig.decided(.committed(sale.e7a()))
    case .forcedCommit: return try rig.decided(.committed(forced.e7a()))
    case .bareCommit: return try rig.decided(.committed(sale.e7a { $0.acknowledgement = nil }))
    case .abort: return try rig.decided(.aborted(sale.e7b()))
    case .credit: return try rig.credited(sale.credit())
    case .decline: return try rig.complained(sale.nak(decline: true))
    case .damaged: return try rig.complained(sale.nak(decline: false))
    case .givenUp: return try rig.run { try $0.givenUp(key: $1) }
    case .due: return try rig.due(at: Times.expiration - 100)
    case .dueLate: return try rig.due(at: Times.expiration)
    }
  }
}

extension ModeMerchantRig where M == EarlyMode {
  static let phases: [SalePhase] = SalePhase.every + [.forcing]

  static func inPhase(_ phase: SalePhase) throws -> EarlyMerchant {
    let rig = try EarlyMerchant()
    let path: [EarlyMerchantEvent] =
      switch phase {
      case .offered: []
      case .declined: [.decline]
      case .authorised: [.e3]
      case .forcing: [.e3, .due]
      case .submitted: [.e3, .e5]
      case .cancelling: [.e3, .givenUp]
      case .committed: [.e3, .e5, .commit]
      case .credited: [.e3, .e5, .commit, .credit]
      case .aborted: [.e3, .e5, .abort]
      case .claiming: preconditionFailure("no phase of a sale under a contract")
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("Early commitment: the merchant")
struct EarlyMerchantTests {
  private typealias Row = [SalePhase: (effects: [String], next: SalePhase)]

  private static let cancel = ["keep Cancel", "enter cancelling", "cancel Cancel+E3"]
  private static let submit = ["keep E6", "enter submitted", "submit E6+E3+E5"]
  private static let force = ["keep E6", "enter submitted", "submit E6+E3+E4"]
  private static let upload = ["enter forcing", "upload E4+E3"]
  private static let unknown = ["refuse unknownTransaction"]
  private static let mismatch = ["refuse mismatch"]
  private static let late = ["refuse tooLate"]
  private static let reused = ["keep Evidence", "cancel Cancel+E3", "refuse nReused"]
  private static let commit = ["keep E7a", "enter committed"]
  private static let abort = ["keep E7b", "enter aborted", "send E7b to bank"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in EarlyMerchant.phases { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static func outcome(_ effects: [String], _ next: SalePhase, _ others: Row) -> Row {
    let open: [SalePhase] = [.authorised, .forcing, .submitted, .cancelling]
    let ended = Dictionary(uniqueKeysWithValues: open.map { ($0, (effects, next)) })
    let before: Row = [.offered: (unknown, .offered), .declined: (unknown, .declined)]
    return row([], ended.merging(before) { $1 }.merging(others) { $1 })
  }

  private static let expected: [EarlyMerchantEvent: Row] = [
    .e3: row(
      [],
      [
        .offered: (["keep E3", "enter authorised"], .authorised),
        .declined: (["keep E3"] + cancel, .cancelling),
      ]),
    .otherE3: row(
      reused,
      [
        .offered: (["keep E3"] + cancel + ["refuse lifetime"], .cancelling),
        .declined: (["keep E3"] + cancel + ["refuse lifetime"], .cancelling),
      ]),
    .e5: row(
      [],
      [
        .offered: (["keep E5"], .offered), .declined: (["keep E5"], .declined),
        .authorised: (["keep E5"] + submit, .submitted), .forcing: (["keep E5"] + submit, .submitted),
        .cancelling: (["keep E5"], .cancelling),
      ]),
    .foreignE5: row(mismatch),
    .lateE5: row(
      [],
      [
        .offered: (["keep E5"], .offered), .declined: (["keep E5"], .declined),
        .authorised: (["keep E5"] + cancel, .cancelling), .forcing: (["keep E5"] + cancel, .cancelling),
        .cancelling: (["keep E5"], .cancelling),
      ]),
    .held: row([], [.forcing: (force, .submitted)]),
    .heldLate: row([], [.forcing: (cancel, .cancelling)]),
    .commit: outcome(commit, .committed, [.aborted: (["keep Evidence"], .aborted)]),
    .forcedCommit: outcome(
      commit, .committed,
      [
        .aborted: (["keep Evidence"], .aborted), .committed: (["keep Evidence"], .committed),
        .credited: (["keep Evidence"], .credited),
      ]),
    // Attack 8: neither payable, so it is no outcome for anybody.
    .bareCommit: row(
      [],
      [
        .offered: (unknown, .offered), .declined: (unknown, .declined), .authorised: (mismatch, .authorised),
        .forcing: (mismatch, .forcing), .submitted: (mismatch, .submitted),
        .cancelling: (mismatch, .cancelling),
      ]),
    .abort: outcome(
      abort, .aborted,
      [.committed: (["keep Evidence"], .committed), .credited: (["keep Evidence"], .credited)]),
    .credit: row(
      mismatch,
      [
        .authorised: (["keep Credit"], .authorised), .forcing: (["keep Credit"], .forcing),
        .submitted: (["keep Credit"], .submitted), .cancelling: (["keep Credit"], .cancelling),
        .committed: (["keep Credit", "enter credited"], .credited), .credited: ([], .credited),
      ]),
    // After the lock the customer is committed: that is what this mode is for.
    .decline: row(
      [],
      [
        .offered: (["keep NAK", "enter declined"], .declined), .authorised: (late, .authorised),
        .forcing: (late, .forcing), .submitted: (late, .submitted), .committed: (late, .committed),
        .credited: (late, .credited),
      ]),
    .damaged: row(["keep NAK"]),
    .givenUp: row(
      [],
      [
        .offered: (["enter declined"], .declined), .authorised: (cancel, .cancelling),
        .forcing: (cancel, .cancelling), .submitted: (late, .submitted), .committed: (late, .committed),
        .credited: (late, .credited),
      ]),
    .due: row(
      [],
      [
        .authorised: (upload, .forcing), .forcing: (upload, .forcing),
        .submitted: (["enter submitted"], .submitted), .cancelling: (["enter cancelling"], .cancelling),
        .committed: (["send E7a to bank", "enter committed"], .committed),
      ]),
    .dueLate: row(
      [],
      [
        .authorised: (cancel, .cancelling), .forcing: (cancel, .cancelling),
        .submitted: (["request abort", "enter submitted"], .submitted),
        .cancelling: (["request abort", "enter cancelling"], .cancelling),
        .committed: (["send E7a to bank", "enter committed"], .committed),
      ]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: EarlyMerchantEvent.allCases)
  func everyEvent(event: EarlyMerchantEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in EarlyMerchant.phases {
      let rig = try EarlyMerchant.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("E4 and the goods are for a customer whose tokens are locked, and x is for the archive")
  func secrets() throws {
    for phase in EarlyMerchant.phases {
      let rig = try EarlyMerchant.inPhase(phase)
      let merchandise = rig.machine.merchandise
      let e4 = try #require(merchandise).bytes
      let isLocked = ![SalePhase.offered, .declined].contains(phase)
      #expect(rig.machine.servesGoods == isLocked, "\(phase)")
      #expect(rig.machine.status(policy: rig.policy).proof.contains(e4) == isLocked, "\(phase)")
      #expect(rig.kept.values.allSatisfy { !$0.contains(Sale.k) }, "k is never published, x is")
    }
  }

  @Test("M waits for E5 until goods of this length are just in time at the archive")
  func patience() throws {
    func due(length: UInt64, expiration: Timestamp) throws -> Timestamp? {
      var sale = EarlySale()
      sale.goods.length = length
      let rig = try EarlyMerchant(sale)
      try rig.authorised(sale.e3 { $0.expiration = expiration }, at: Times.now)
      for case .enter(.authorised, let due) in rig.effects { return due }
      return nil
    }
    let end = Times.expiration
    #expect(try due(length: Sale.length, expiration: end) == end - 2 * 30)
    #expect(try due(length: 100 << 20, expiration: end) == end - 2 * 130)
    #expect(try due(length: 10_000 << 20, expiration: end) == Times.now + 300, "half of the time")
    #expect(try due(length: Sale.length, expiration: Times.now + 40) == Times.now + 20, "half of the time")
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    for phase in EarlyMerchant.phases {
      for label in [Label(.e1), Label(.e4)] + (phase == .forcing ? [Label(.e3)] : []) {
        var kept = try EarlyMerchant.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try MerchantSale<EarlyMode>(phase: phase, messages: messages, k: Sale.k)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}
