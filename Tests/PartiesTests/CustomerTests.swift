// The customer's machine in every phase and with every event.

import Messages
import Parties
import Testing

/// What can happen to a purchase.
enum CustomerEvent: String, CaseIterable, Sendable {
  case p1 = "P1"
  case otherP1 = "another P1"
  case ciphertext, wrongCiphertext, giveUp, p2, foreignP2, p3, foreignP3
  case refused, foreignRefusal, commit, abort, foreignCommit, opened

  func happen(to rig: CustomerRig) throws -> [String] {
    let sale = Sale(twoSided: rig.machine.n1.payload.twoSided)
    switch self {
    case .p1: return try rig.offered(sale.p1())
    case .otherP1: return try rig.offered(sale.p1 { $0.contract.name = "other.pdf" })
    case .ciphertext: return try rig.checked()
    case .wrongCiphertext: return try rig.checked(root: digest(1))
    case .giveUp: return try rig.run { $0.abandoned() }
    case .p2: return try rig.run { try $0.authorised(sale.p2()) }
    case .foreignP2: return try rig.run { try $0.authorised(sale.p2 { $0.terms.hP1 = digest(1) }) }
    case .p3: return try rig.locked(sale.p3())
    case .foreignP3: return try rig.locked(sale.p3 { $0.value = Money("EUR:1")! })
    case .refused: return try rig.run { try $0.refusedByBank(sale.refusal()) }
    case .foreignRefusal: return try rig.run { try $0.refusedByBank(sale.refusal(by: .otherBank)) }
    case .commit: return try rig.decided(.committed(sale.p5a()))
    case .abort: return try rig.decided(.aborted(sale.p5b()))
    case .foreignCommit: return try rig.decided(.committed(sale.p5a(by: .otherArchive)))
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

extension PurchasePhase {
  static let every: [Self] = [
    .requested, .offered, .checked, .authorised, .locked, .paid, .delivered, .aborted, .refused, .abandoned,
  ]

  /// One way here.
  var path: [CustomerEvent] {
    switch self {
    case .requested: []
    case .offered: [.p1]
    case .checked: [.p1, .ciphertext]
    case .authorised: [.p1, .ciphertext, .p2]
    case .locked: [.p1, .ciphertext, .p2, .p3]
    case .paid: [.p1, .ciphertext, .p2, .p3, .commit]
    case .delivered: [.p1, .ciphertext, .p2, .p3, .commit, .opened]
    case .aborted: [.p1, .ciphertext, .p2, .p3, .abort]
    case .refused: [.p1, .ciphertext, .p2, .refused]
    case .abandoned: [.p1, .giveUp]
    case .announced, .registering: preconditionFailure("no phase of a purchase under a contract")
    }
  }
}

extension CustomerRig {
  static func inPhase(_ phase: PurchasePhase, twoSided: Bool = true) throws -> CustomerRig {
    let rig = try CustomerRig(Sale(twoSided: twoSided))
    for event in phase.path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("The customer's purchase")
struct CustomerTests {
  private typealias Row = [PurchasePhase: (effects: [String], next: PurchasePhase)]

  private static let mismatch = ["deny mismatch"]
  private static let reused = ["deny nReused"]
  private static let late = ["deny tooLate"]
  private static let unknown = ["deny unknownTransaction"]
  private static let evidence = ["keep Evidence"]
  private static let commit = ["keep P5a", "enter paid", "spent [1000, 234]"]
  private static let abort = ["keep P5b", "enter aborted", "freed [1000, 234]"]

  /// What differs from "the same `usual` effects and the phase stays".
  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in PurchasePhase.every { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static let same: Row = [
    .offered: ([], .offered), .checked: ([], .checked), .authorised: ([], .authorised),
    .locked: ([], .locked), .paid: ([], .paid), .delivered: ([], .delivered),
  ]

  private static let expected: [CustomerEvent: Row] = [
    .p1: row(reused, same.merging([.requested: (["keep P1", "enter offered"], .offered)]) { $1 }),
    .otherP1: row(reused, [.requested: (["keep P1", "enter offered"], .offered)]),
    .ciphertext: row([], [.offered: (["enter checked"], .checked)]),
    .wrongCiphertext: row([], [.offered: (mismatch, .offered)]),
    .giveUp: row(
      late,
      [
        .requested: (["enter abandoned"], .abandoned), .offered: (["enter abandoned"], .abandoned),
        .checked: (["enter abandoned"], .abandoned),
      ]),
    .p2: row(mismatch, [.checked: (["keep P2", "enter authorised", "send P2 to bank"], .authorised)]),
    .foreignP2: row(mismatch),
    .p3: row(
      [],
      [
        .authorised: (
          ["keep P3", "enter locked", "keep S_p(P1)", "send S_p(P1) to merchant"], .locked
        )
      ]),
    .foreignP3: row(
      [],
      [
        .authorised: (evidence + mismatch, .authorised), .locked: (evidence + reused, .locked),
      ]),
    .refused: row(
      mismatch,
      [
        .authorised: (["keep Refusal", "enter refused", "freed [1000, 234]"], .refused)
      ]),
    .foreignRefusal: row(mismatch),
    .commit: row(
      unknown,
      [
        .authorised: (commit, .paid), .locked: (commit, .paid), .paid: ([], .paid),
        .delivered: ([], .delivered), .aborted: (evidence, .aborted),
      ]),
    .abort: row(
      unknown,
      [
        .authorised: (mismatch, .authorised), .locked: (abort, .aborted), .paid: (evidence, .paid),
        .delivered: (evidence, .delivered), .aborted: ([], .aborted),
      ]),
    .foreignCommit: row(
      unknown,
      [
        .authorised: (mismatch, .authorised), .locked: (mismatch, .locked), .paid: ([], .paid),
        .delivered: ([], .delivered), .aborted: ([], .aborted),
      ]),
    .opened: row(
      mismatch,
      [
        .paid: (["enter delivered"], .delivered), .delivered: (["enter delivered"], .delivered),
      ]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: CustomerEvent.allCases)
  func everyEvent(event: CustomerEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in PurchasePhase.every {
      let rig = try CustomerRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let needs: [(PurchasePhase, [Label])] = [
      (.requested, [.n1]), (.offered, [.n1, .p1]), (.checked, [.p1]), (.authorised, [.p1, .p2]),
      (.locked, [.p1, .p2, .p3]), (.aborted, [.p2, .p3, .p5b]), (.paid, [.p1, .p2, .p5a]),
      (.delivered, [.p1, .p2, .p5a]),
    ]
    for (phase, labels) in needs {
      for label in labels {
        var kept = try CustomerRig.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try CustomerPurchase<CoreMode>(phase: phase, messages: messages)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }

  @Test("k is known when paid, and not before")
  func goodsKey() throws {
    for phase in PurchasePhase.every {
      let rig = try CustomerRig.inPhase(phase)
      let known = phase == .paid || phase == .delivered
      #expect(rig.machine.goodsKey == (known ? Sale.k : nil))
      #expect(phase.isFinal == [.delivered, .aborted, .refused, .abandoned].contains(phase))
    }
  }

  @Test("P2 is drawn up only once all of the ciphertext was checked, and says what P1 says")
  func authorization() throws {
    for phase in PurchasePhase.every {
      let rig = try CustomerRig.inPhase(phase)
      let p2 = try? rig.machine.authorization(
        tokens: Tokens.inputs, bank: Actor.bank.publicKey, archive: Actor.archive.publicKey,
        expiration: Times.expiration)
      let terms = try Sale(twoSided: true).terms()
      let expected = P2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: Tokens.inputs)
      #expect(p2 == (phase == .checked ? expected : nil))
    }
  }

  @Test("P2 is not drawn up for a bank, archive or expiration that the contract does not allow")
  func authorizationWithinContract() throws {
    let rig = try CustomerRig.inPhase(.checked)
    func reason(bank: Actor = .bank, archive: Actor = .archive, expiration: Timestamp = Times.expiration)
      -> Reason?
    {
      do throws(Denial) {
        _ = try rig.machine.authorization(
          tokens: Tokens.inputs, bank: bank.publicKey, archive: archive.publicKey, expiration: expiration)
        return nil
      } catch { return error.reason }
    }
    #expect(reason() == nil)
    #expect(reason(expiration: Times.expiration - 1) == nil)
    #expect(reason(bank: .stranger) == .unsupported)
    #expect(reason(archive: .stranger) == .unsupported)
    #expect(reason(expiration: Times.expiration + 1) == .expirationCap)
  }
}
