// The merchant's machine of an announced sale in every phase and with every event.

import Messages
import Parties
import Testing

/// What can happen to an announced sale.
enum AnnouncedSaleEvent: String, CaseIterable, Sendable {
  case consent, consentAgain
  case otherToken = "consent and announcement by another token"
  case foreignConsent = "a consent to another order"
  case lateConsent = "consent without time to commit"
  case lock, brokenLock
  case foreignLock = "a lock of another order"
  case refused, foreignRefusal, commit, abort, foreignCommit, credit, foreignCredit
  case decline, damaged, foreignNAK, givenUp
  case due = "due at the expiration"
  case dueEarly = "due before the expiration"

  func happen(to rig: AnnouncedSaleRig) throws -> [String] {
    let deal = AnnouncedDeal()
    switch self {
    case .consent, .consentAgain: return try rig.consented(deal.claim())
    case .otherToken:
      let other = try deal.announcement(by: .tokenTwo) { $0.token = Tokens.token(.tokenTwo) }
      return try rig.consented(deal.claim(other, deal.consent(by: .tokenTwo)))
    case .foreignConsent: return try rig.consented(deal.claim(nil, deal.consent { $0.hPO = digest(1) }))
    case .lateConsent: return try rig.consented(deal.claim(), at: Times.expiration - 29)
    case .lock: return try rig.locked(deal.a7())
    case .brokenLock: return try rig.locked(deal.a7 { $0.value = Money("EUR:1")! })
    case .foreignLock: return try rig.locked(deal.a7 { $0.hP1 = digest(1) })
    case .refused: return try rig.run { machine, _ in try machine.refused(deal.refusal(by: .bank)) }
    case .foreignRefusal:
      let refusal = try deal.refusal(by: .otherBank, of: deal.claim().bundle.encoded())
      return try rig.run { machine, _ in machine.refused(refusal) }
    case .commit:
      return try rig.run { [policy = rig.policy] m, _ in try m.decided(deal.commit(), policy: policy) }
    case .abort:
      return try rig.run { [policy = rig.policy] m, _ in try m.decided(deal.abort(), policy: policy) }
    case .foreignCommit:
      return try rig.run { [policy = rig.policy] machine, _ in
        try machine.decided(deal.commit(by: .otherArchive), policy: policy)
      }
    case .credit: return try rig.run { machine, _ in try machine.credited(deal.credit()) }
    case .foreignCredit:
      return try rig.run { machine, _ in try machine.credited(deal.credit { $0.lock = digest(1) }) }
    case .decline: return try rig.run { try $0.complained(deal.nak(decline: true), key: $1) }
    case .damaged: return try rig.run { try $0.complained(deal.nak(decline: false), key: $1) }
    case .foreignNAK:
      return try rig.run { try $0.complained(deal.nak(decline: true, by: .stranger), key: $1) }
    case .givenUp: return try rig.run { try $0.givenUp(key: $1) }
    case .due: return try rig.run { try $0.due(at: Times.expiration, key: $1) }
    case .dueEarly: return try rig.run { try $0.due(at: Times.expiration - 1, key: $1) }
    }
  }
}

extension AnnouncedSaleRig {
  static let phases: [SalePhase] = [
    .offered, .claiming, .authorised, .submitted, .committed, .credited, .aborted, .cancelling, .declined,
  ]

  static func inPhase(_ phase: SalePhase) throws -> AnnouncedSaleRig {
    let rig = try AnnouncedSaleRig()
    let path: [AnnouncedSaleEvent] =
      switch phase {
      case .offered: []
      case .declined: [.decline]
      case .claiming: [.consent]
      case .authorised: [.lock]
      case .submitted: [.consent, .lock]
      case .cancelling: [.lock, .givenUp]
      case .committed: [.consent, .lock, .commit]
      case .credited: [.consent, .lock, .commit, .credit]
      case .aborted: [.consent, .lock, .abort]
      case .forcing: preconditionFailure("no phase of an announced sale")
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("The merchant's announced sale")
struct AnnouncedSaleTests {
  private typealias Row = [SalePhase: (effects: [String], next: SalePhase)]

  private static let cancel = ["keep Cancel", "enter cancelling", "cancel Cancel+A7"]
  private static let submit = ["keep A8", "enter submitted", "submit A8+A7"]
  private static let words = ["keep A3p", "keep A4"]
  private static let unknown = ["refuse unknownTransaction"]
  private static let mismatch = ["refuse mismatch"]
  private static let late = ["refuse tooLate"]
  private static let reused = ["keep Evidence", "cancel Cancel+A7", "refuse nReused"]
  private static let commit = ["keep A9a", "enter committed"]
  private static let abort = ["keep A9b", "enter aborted", "send A9b to bank"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in AnnouncedSaleRig.phases { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static let consent = row(
    [],
    [
      .offered: (words + ["enter claiming", "send bytes to bank"], .claiming),
      .authorised: (words + submit, .submitted), .declined: (late, .declined),
      .cancelling: (late, .cancelling),
    ])

  private static let expected: [AnnouncedSaleEvent: Row] = [
    .consent: consent, .consentAgain: consent,
    .otherToken: row(
      ["refuse nReused"],
      [
        .offered: (words + ["enter claiming", "send bytes to bank"], .claiming),
        .authorised: (words + cancel + mismatch, .cancelling), .declined: (late, .declined),
        .cancelling: (late, .cancelling),
      ]),
    .foreignConsent: row(
      [],
      [
        .offered: (mismatch, .offered), .authorised: (mismatch, .authorised),
        .declined: (mismatch, .declined), .cancelling: (mismatch, .cancelling),
      ]),
    .lateConsent: row(
      [],
      [
        .offered: (late, .offered), .authorised: (late, .authorised), .declined: (late, .declined),
        .cancelling: (late, .cancelling),
      ]),
    .lock: row(
      [],
      [
        .offered: (["keep A7", "enter authorised"], .authorised),
        .claiming: (["keep A7"] + submit, .submitted), .declined: (["keep A7"] + cancel, .cancelling),
      ]),
    .brokenLock: row(
      reused,
      [
        .offered: (["keep A7"] + cancel + ["refuse wrongValue"], .cancelling),
        .claiming: (["keep A7"] + cancel + ["refuse wrongValue"], .cancelling),
        .declined: (["keep A7"] + cancel, .cancelling),
      ]),
    .foreignLock: row(
      reused,
      [
        .offered: (["keep Evidence", "cancel Cancel+A7"] + mismatch, .offered),
        .claiming: (["keep Evidence", "cancel Cancel+A7"] + mismatch, .claiming),
        .declined: (["keep Evidence", "cancel Cancel+A7"] + mismatch, .declined),
      ]),
    .refused: row([], [.claiming: (["keep Refusal", "enter declined"], .declined)]),
    .foreignRefusal: row([]),
    .commit: row(
      [],
      [
        .offered: (unknown, .offered), .claiming: (unknown, .claiming), .declined: (unknown, .declined),
        .authorised: (commit, .committed), .submitted: (commit, .committed),
        .cancelling: (commit, .committed), .aborted: (["keep Evidence"], .aborted),
      ]),
    .abort: row(
      [],
      [
        .offered: (unknown, .offered), .claiming: (unknown, .claiming), .declined: (unknown, .declined),
        .authorised: (abort, .aborted), .submitted: (abort, .aborted), .cancelling: (abort, .aborted),
        .committed: (["keep Evidence"], .committed), .credited: (["keep Evidence"], .credited),
      ]),
    .foreignCommit: row(
      mismatch,
      [
        .offered: (unknown, .offered), .claiming: (unknown, .claiming), .declined: (unknown, .declined),
        .committed: ([], .committed), .credited: ([], .credited), .aborted: ([], .aborted),
      ]),
    .credit: row(
      ["keep Credit"],
      [
        .offered: (mismatch, .offered), .claiming: (mismatch, .claiming), .declined: (mismatch, .declined),
        .aborted: (mismatch, .aborted), .committed: (["keep Credit", "enter credited"], .credited),
        .credited: ([], .credited),
      ]),
    .foreignCredit: row(mismatch),
    .decline: row(
      ["keep NAK"],
      [
        .offered: (["keep NAK", "enter declined"], .declined),
        .claiming: (["keep NAK", "enter declined"], .declined),
        .authorised: (["keep NAK"] + cancel, .cancelling), .submitted: (late, .submitted),
        .committed: (late, .committed), .credited: (late, .credited),
      ]),
    .damaged: row(["keep NAK"]),
    .foreignNAK: row(mismatch),
    .givenUp: row(
      [],
      [
        .offered: (["enter declined"], .declined), .claiming: (["enter declined"], .declined),
        .authorised: (cancel, .cancelling), .submitted: (late, .submitted), .committed: (late, .committed),
        .credited: (late, .credited),
      ]),
    .due: row(
      [],
      [
        .claiming: (["enter declined"], .declined), .authorised: (cancel, .cancelling),
        .submitted: (["request abort", "enter submitted"], .submitted),
        .cancelling: (["request abort", "enter cancelling"], .cancelling),
        .committed: (["send A9a to bank", "enter committed"], .committed),
      ]),
    .dueEarly: row(
      [],
      [
        .claiming: (["enter claiming"], .claiming), .authorised: (cancel, .cancelling),
        .submitted: (["enter submitted"], .submitted), .cancelling: (["enter cancelling"], .cancelling),
        .committed: (["send A9a to bank", "enter committed"], .committed),
      ]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: AnnouncedSaleEvent.allCases)
  func everyEvent(event: AnnouncedSaleEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in AnnouncedSaleRig.phases {
      let rig = try AnnouncedSaleRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("8 carries the customer's word and k, and nothing else that leaves does")
  func submission() throws {
    for phase in AnnouncedSaleRig.phases {
      let rig = try AnnouncedSaleRig.inPhase(phase)
      for effect in rig.effects {
        switch effect {
        case .submit(let bundle, let archive):
          let a8 = try Verified<A8>(bundle.messages[0], by: .key(Actor.merchant.publicKey))
          #expect(try a8 == AnnouncedDeal().a8())
          #expect(archive == Actor.archive.publicKey)
        case .send(let bytes, _), .reply(let bytes): #expect(!bytes.contains(Sale.k))
        case .cancel(let bundle, _): #expect(!bundle.messages.contains { $0.contains(Sale.k) })
        default: break
        }
      }
      let proof = rig.machine.status(policy: rig.policy).proof
      let committed = phase == .committed || phase == .credited
      #expect(proof.contains { $0.contains(Sale.k) } == committed, "\(phase)")
    }
  }

  @Test("a lock with one fault is cancelled at once")
  func brokenLocks() throws {
    let cases: [(String, Reason, (inout LockTerms) -> Void)] = [
      ("another commitment", .mismatch, { $0.hx = digest(1) }),
      ("another token", .mismatch, { $0.pseudonym = Actor.tokenTwo.publicKey }),
      ("a lower value", .wrongValue, { $0.value = Money("EUR:8.63")! }),
      ("another archive", .unsupported, { $0.archive = Actor.otherArchive.publicKey }),
      ("a later expiration", .expirationCap, { $0.expiration += 1 }),
      ("another lifetime", .lifetime, { $0.lifetime += 1 }),
      ("no time left", .mismatch, { $0.expiration = Times.now + 39 }),
    ]
    for (name, reason, change) in cases {
      let rig = try AnnouncedSaleRig.inPhase(.claiming)
      let lock = try AnnouncedDeal().a7(change)
      _ = try rig.locked(lock)
      guard case .refuse(let denial)? = rig.effects.last else { throw Unexpected() }
      #expect(denial.reason == reason, "\(name)")
      #expect(rig.machine.phase == .cancelling, "\(name)")
    }
    let rig = try AnnouncedSaleRig.inPhase(.claiming)
    _ = try rig.locked(AnnouncedDeal().a7(by: .otherBank))
    #expect(rig.machine.phase == .cancelling)
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let needs: [(SalePhase, [Label])] = [
      (.offered, [.n1, Label(.purchaseOrder)]), (.claiming, [Label(.announced), Label(.consent)]),
      (.authorised, [Label(.a7)]), (.submitted, [Label(.a7), Label(.a8)]), (.cancelling, [.cancel]),
      (.committed, [Label(.a9a)]), (.credited, [.credit]), (.aborted, [Label(.a9b)]),
    ]
    for (phase, labels) in needs {
      for label in labels {
        var kept = try AnnouncedSaleRig.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try AnnouncedSale(phase: phase, messages: messages, k: Sale.k)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}
