// The merchant's machine in every phase and with every event.

import Messages
import Parties
import Testing

/// What can happen to a sale at the merchant.
enum MerchantEvent: String, CaseIterable, Sendable {
  case p3 = "P3"
  case brokenP3 = "P3 over another value"
  case acknowledged, foreignAcknowledgement
  case commit, abort, foreignCommit, credit, foreignCredit, decline, damaged, foreignNAK, givenUp
  case due = "due at the expiration"
  case dueEarly = "due before the expiration"

  func happen(to rig: MerchantRig) throws -> [String] {
    let sale = Sale(twoSided: rig.machine.p1.payload.contract.twoSided)
    switch self {
    case .p3: return try rig.authorised(sale.p3())
    case .brokenP3: return try rig.authorised(sale.p3 { $0.value = Money("EUR:1")! })
    case .acknowledged: return try rig.acknowledged(sale.acknowledgement())
    case .foreignAcknowledgement: return try rig.acknowledged(sale.acknowledgement { $0.hP1 = digest(1) })
    case .commit: return try rig.decided(.committed(sale.p5a()))
    case .abort: return try rig.decided(.aborted(sale.p5b()))
    case .foreignCommit: return try rig.decided(.committed(sale.p5a(sale.p4(sale.p3(by: .otherBank)))))
    case .credit: return try rig.credited(sale.credit())
    case .foreignCredit: return try rig.credited(sale.credit { $0.lock = digest(1) })
    case .decline: return try rig.complained(sale.nak(decline: true))
    case .damaged: return try rig.complained(sale.nak(decline: false))
    case .foreignNAK: return try rig.complained(sale.nak(decline: true, by: .stranger))
    case .givenUp: return try rig.run { try $0.givenUp(key: $1) }
    case .due: return try rig.run { try $0.due(at: Times.expiration, key: $1) }
    case .dueEarly: return try rig.run { try $0.due(at: Times.expiration - 1, key: $1) }
    }
  }
}

extension ModeMerchantRig {
  @discardableResult
  func credited(_ credit: Verified<Credit>) throws -> [String] {
    try run { machine, _ in machine.credited(credit) }
  }

  @discardableResult
  func complained(_ nak: Verified<NAK>) throws -> [String] {
    try run { machine, key in try machine.complained(nak, key: key) }
  }
}

extension MerchantRig {
  /// A two-sided sale that went along one way to this phase.
  static func inPhase(_ phase: SalePhase) throws -> MerchantRig {
    let rig = try MerchantRig(Sale(twoSided: true))
    let path: [MerchantEvent] =
      switch phase {
      case .offered: []
      case .declined: [.decline]
      case .authorised: [.p3]
      case .submitted: [.p3, .acknowledged]
      case .cancelling, .forcing: [.p3, .givenUp]
      case .committed: [.p3, .acknowledged, .commit]
      case .credited: [.p3, .acknowledged, .commit, .credit]
      case .aborted: [.p3, .acknowledged, .abort]
      case .claiming: preconditionFailure("no phase of a sale under a contract")
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

extension SalePhase {
  static let every: [Self] = [
    .offered, .authorised, .submitted, .committed, .credited, .aborted, .cancelling, .declined,
  ]
}

@Suite("The merchant's sale")
struct MerchantTests {
  private typealias Row = [SalePhase: (effects: [String], next: SalePhase)]

  private static let cancel = ["keep Cancel", "enter cancelling", "cancel Cancel+P3"]
  private static let submit = ["keep P4", "enter submitted", "submit P4+P3+S_p(P1)"]
  private static let unknown = ["refuse unknownTransaction"]
  private static let mismatch = ["refuse mismatch"]
  private static let late = ["refuse tooLate"]
  private static let reused = ["keep Evidence", "cancel Cancel+P3", "refuse nReused"]
  private static let commit = ["keep P5a", "enter committed"]
  private static let abort = ["keep P5b", "enter aborted", "send P5b to bank"]

  /// What differs from "the same `usual` effects and the phase stays".
  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in SalePhase.every { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static let expected: [MerchantEvent: Row] = [
    .p3: row(
      [],
      [
        .offered: (["keep P3", "enter authorised"], .authorised),
        .declined: (["keep P3"] + cancel, .cancelling),
      ]),
    .brokenP3: row(
      reused,
      [
        .offered: (["keep P3"] + cancel + ["refuse wrongValue"], .cancelling),
        .declined: (["keep P3"] + cancel + ["refuse wrongValue"], .cancelling),
      ]),
    .acknowledged: row(
      [],
      [
        .offered: (["keep S_p(P1)"], .offered), .declined: (["keep S_p(P1)"], .declined),
        .authorised: (["keep S_p(P1)"] + submit, .submitted),
        .cancelling: (["keep S_p(P1)"], .cancelling),
      ]),
    .foreignAcknowledgement: row(mismatch),
    .commit: row(
      [],
      [
        .offered: (unknown, .offered), .declined: (unknown, .declined), .authorised: (commit, .committed),
        .submitted: (commit, .committed), .cancelling: (commit, .committed),
        .aborted: (["keep Evidence"], .aborted),
      ]),
    .abort: row(
      [],
      [
        .offered: (unknown, .offered), .declined: (unknown, .declined), .authorised: (abort, .aborted),
        .submitted: (abort, .aborted), .cancelling: (abort, .aborted),
        .committed: (["keep Evidence"], .committed), .credited: (["keep Evidence"], .credited),
      ]),
    .foreignCommit: row(
      mismatch,
      [
        .offered: (unknown, .offered), .declined: (unknown, .declined), .committed: ([], .committed),
        .credited: ([], .credited), .aborted: ([], .aborted),
      ]),
    .credit: row(
      mismatch,
      [
        .authorised: (["keep Credit"], .authorised), .submitted: (["keep Credit"], .submitted),
        .cancelling: (["keep Credit"], .cancelling),
        .committed: (["keep Credit", "enter credited"], .credited), .credited: ([], .credited),
      ]),
    .foreignCredit: row(mismatch),
    .decline: row(
      [],
      [
        .offered: (["keep NAK", "enter declined"], .declined),
        .authorised: (["keep NAK"] + cancel, .cancelling), .submitted: (late, .submitted),
        .committed: (late, .committed), .credited: (late, .credited),
      ]),
    .damaged: row(["keep NAK"]),
    .foreignNAK: row(mismatch),
    .givenUp: row(
      [],
      [
        .offered: (["enter declined"], .declined), .authorised: (cancel, .cancelling),
        .submitted: (late, .submitted), .committed: (late, .committed), .credited: (late, .credited),
      ]),
    .due: row(
      [],
      [
        .authorised: (cancel, .cancelling), .submitted: (["request abort", "enter submitted"], .submitted),
        .cancelling: (["request abort", "enter cancelling"], .cancelling),
        // No Credit yet: the bank may not know.
        .committed: (["send P5a to bank", "enter committed"], .committed),
      ]),
    .dueEarly: row(
      [],
      [
        .authorised: (cancel, .cancelling), .submitted: (["enter submitted"], .submitted),
        .cancelling: (["enter cancelling"], .cancelling),
        .committed: (["send P5a to bank", "enter committed"], .committed),
      ]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: MerchantEvent.allCases)
  func everyEvent(event: MerchantEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in SalePhase.every {
      let rig = try MerchantRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("a Credit that is there before the record is not lost, though the bank sends it once")
  func earlyCredit() throws {
    let rig = try MerchantRig.inPhase(.submitted)
    let sale = Sale(twoSided: true)
    #expect(try rig.credited(sale.credit()) == ["keep Credit"])
    #expect(try rig.decided(.committed(sale.p5a())) == ["keep P5a", "enter credited"])
    #expect(rig.machine.phase == .credited)
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let needs: [(SalePhase, [Label])] = [
      (.offered, [.p1]), (.authorised, [.p3]), (.submitted, [.p3, .p4]), (.cancelling, [.p3, .cancel]),
      (.committed, [.p3, .p5a]), (.credited, [.p5a, .credit]), (.aborted, [.p3, .p5b]),
    ]
    for (phase, labels) in needs {
      for label in labels {
        var kept = try MerchantRig.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try MerchantSale<CoreMode>(phase: phase, messages: messages, k: Sale.k)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}
