// The customer's machine of an announced purchase in every phase and with every event.

import Messages
import Parties
import Testing

/// What can happen to an announced purchase.
enum AnnouncedCustomerEvent: String, CaseIterable, Sendable {
  case order, otherOrder, ciphertext, wrongCiphertext, giveUp
  case announce
  case announceForeign = "an announcement of another order"
  case published
  case publishedOther = "another announcement published"
  case publishedLate = "published at the expiration"
  case lock, foreignLock, refusedByArchive, refusedByBank, refusedByStranger
  case commit, abort, foreignCommit, opened

  func happen(to rig: AnnouncedCustomerRig) throws -> [String] {
    let deal = AnnouncedDeal()
    func offered(_ order: Verified<PurchaseOrder>) throws -> [String] {
      try rig.run {
        $0.offered(
          order, description: Sale.description, policy: CustomerPolicy(trust: trustList()), at: Times.now)
      }
    }
    func published(_ message: Verified<Announced>) throws -> [String] {
      try rig.run { machine in
        try Actor.tokenOne.withKey { try machine.published(message, tokenKey: $0) }
      }
    }
    switch self {
    case .order: return try offered(deal.order())
    case .otherOrder: return try offered(deal.order { $0.name = "other" })
    case .ciphertext: return try rig.run { $0.ciphertextChecked(root: Sale.root, length: Sale.length) }
    case .wrongCiphertext: return try rig.run { $0.ciphertextChecked(root: digest(1), length: Sale.length) }
    case .giveUp: return try rig.run { $0.abandoned() }
    case .announce: return try rig.run { try $0.announced(deal.announcement()) }
    case .announceForeign: return try rig.run { try $0.announced(deal.announcement { $0.hPO = digest(1) }) }
    case .published: return try published(deal.published())
    case .publishedOther:
      return try published(deal.published(deal.announcement { $0.expiration -= 1 }))
    case .publishedLate: return try published(deal.published(at: Times.expiration))
    case .lock: return try rig.run { try $0.locked(deal.a7()) }
    case .foreignLock: return try rig.run { try $0.locked(deal.a7 { $0.hx = digest(1) }) }
    case .refusedByArchive: return try rig.run { try $0.refused(deal.refusal(by: .archive)) }
    case .refusedByBank: return try rig.run { try $0.refused(deal.refusal(by: .bank)) }
    case .refusedByStranger:
      return try rig.run { try $0.refused(deal.refusal(by: .otherBank, of: deal.claim().bundle.encoded())) }
    case .commit: return try rig.run { try $0.decided(deal.commit()) }
    case .abort: return try rig.run { try $0.decided(deal.abort()) }
    case .foreignCommit: return try rig.run { try $0.decided(deal.commit(by: .otherArchive)) }
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

extension AnnouncedCustomerRig {
  static let phases: [PurchasePhase] = [
    .requested, .offered, .checked, .announced, .authorised, .locked, .paid, .delivered, .aborted, .refused,
    .abandoned,
  ]

  static func inPhase(_ phase: PurchasePhase) throws -> AnnouncedCustomerRig {
    let rig = try AnnouncedCustomerRig()
    let locked: [AnnouncedCustomerEvent] = [.order, .ciphertext, .announce, .published, .lock]
    let path: [AnnouncedCustomerEvent] =
      switch phase {
      case .requested, .registering: []
      case .offered: [.order]
      case .checked: [.order, .ciphertext]
      case .announced: [.order, .ciphertext, .announce]
      case .authorised: [.order, .ciphertext, .announce, .published]
      case .locked: locked
      case .paid: locked + [.commit]
      case .delivered: locked + [.commit, .opened]
      case .aborted: locked + [.abort]
      case .refused: [.order, .ciphertext, .announce, .published, .refusedByBank]
      case .abandoned: [.order, .giveUp]
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("The customer's announced purchase")
struct AnnouncedCustomerTests {
  private typealias Row = [PurchasePhase: (effects: [String], next: PurchasePhase)]

  private static let mismatch = ["deny mismatch"]
  private static let evidence = ["keep Evidence"]
  private static let commit = ["keep A9a", "enter paid", "spent [864]"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in AnnouncedCustomerRig.phases { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static func known(_ phases: [PurchasePhase], _ effects: [String] = []) -> Row {
    Dictionary(uniqueKeysWithValues: phases.map { ($0, (effects, $0)) })
  }

  private static let afterOrder: [PurchasePhase] = [
    .offered, .checked, .announced, .authorised, .locked, .paid, .delivered, .aborted,
  ]

  private static let expected: [AnnouncedCustomerEvent: Row] = [
    .order: row(
      ["deny nReused"],
      known(afterOrder).merging([.requested: (["keep PO", "enter offered"], .offered)]) { $1 }),
    .otherOrder: row(["deny nReused"], [.requested: (["keep PO", "enter offered"], .offered)]),
    .ciphertext: row([], [.offered: (["enter checked"], .checked)]),
    .wrongCiphertext: row([], [.offered: (mismatch, .offered)]),
    .giveUp: row(
      ["deny tooLate"],
      [
        .requested: (["enter abandoned"], .abandoned), .offered: (["enter abandoned"], .abandoned),
        .checked: (["enter abandoned"], .abandoned),
        .announced: (["enter abandoned", "freed [864]"], .abandoned),
      ]),
    .announce: row(
      mismatch, [.checked: (["keep A3", "enter announced", "send A3 to archive"], .announced)]),
    .announceForeign: row(mismatch),
    .published: row(
      [],
      [
        .announced: (
          ["keep A3p", "keep A4", "enter authorised", "send bytes to merchant"], .authorised
        )
      ]),
    .publishedOther: row([], [.announced: (mismatch, .announced)]),
    .publishedLate: row([], [.announced: (mismatch, .announced)]),
    .lock: row([], [.authorised: (["keep A7", "enter locked"], .locked)]),
    .foreignLock: row(
      [],
      [
        .authorised: (evidence + mismatch, .authorised), .locked: (evidence + ["deny nReused"], .locked),
      ]),
    .refusedByArchive: row(
      mismatch, [.announced: (["keep Refusal", "enter refused", "freed [864]"], .refused)]),
    .refusedByBank: row(
      mismatch, [.authorised: (["keep Refusal", "enter refused", "freed [864]"], .refused)]),
    .refusedByStranger: row(mismatch),
    .commit: row(
      ["deny unknownTransaction"],
      [
        .authorised: (commit, .paid), .locked: (commit, .paid), .paid: ([], .paid),
        .delivered: ([], .delivered), .aborted: (evidence, .aborted),
      ]),
    .abort: row(
      ["deny unknownTransaction"],
      [
        .authorised: (mismatch, .authorised),
        .locked: (["keep A9b", "enter aborted", "freed [864]"], .aborted), .paid: (evidence, .paid),
        .delivered: (evidence, .delivered), .aborted: ([], .aborted),
      ]),
    .foreignCommit: row(
      ["deny unknownTransaction"],
      [
        .authorised: (mismatch, .authorised), .locked: (mismatch, .locked), .paid: ([], .paid),
        .delivered: ([], .delivered), .aborted: ([], .aborted),
      ]),
    .opened: row(
      mismatch,
      [.paid: (["enter delivered"], .delivered), .delivered: (["enter delivered"], .delivered)]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: AnnouncedCustomerEvent.allCases)
  func everyEvent(event: AnnouncedCustomerEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in AnnouncedCustomerRig.phases {
      let rig = try AnnouncedCustomerRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("an order with one fault is refused for it, and the purchase is abandoned")
  func brokenOrder() throws {
    let cases: [(String, Reason, (inout InvoiceTerms) -> Void)] = [
      ("a higher price", .wrongValue, { $0.price = Money("EUR:8.65")! }),
      ("another currency", .wrongValue, { $0.price = Money("USD:8.64")! }),
      ("another description", .mismatch, { $0.descriptionHash = digest(1) }),
      ("another salt", .mismatch, { $0.salt = digest(1) }),
      ("goods over the limit", .limit, { $0.length = 1 << 40 }),
      ("a length that no goods have", .limit, { $0.length = 3 }),
      ("no time left", .tooLate, { $0.expiration = Times.now + 30 }),
      ("a short lifetime", .lifetime, { $0.lifetime = $0.expiration + 3599 }),
      ("a stranger's bank", .untrusted, { $0.bank = Actor.stranger.publicKey }),
      ("a stranger's archive", .untrusted, { $0.archive = Actor.stranger.publicKey }),
    ]
    for (name, reason, change) in cases {
      let rig = try AnnouncedCustomerRig()
      let order = try AnnouncedDeal().order(change)
      let policy = CustomerPolicy(trust: trustList())
      _ = try rig.run {
        $0.offered(order, description: Sale.description, policy: policy, at: Times.now)
      }
      guard case .deny(let denial)? = rig.effects.last else { throw Unexpected() }
      #expect(denial.reason == reason, "\(name)")
      #expect(rig.machine.phase == .abandoned, "\(name)")
    }
  }

  @Test("message 3 is drawn up once the ciphertext was checked, for a token and time that the order allows")
  func announcement() throws {
    let deal = AnnouncedDeal()
    for phase in AnnouncedCustomerRig.phases {
      let rig = try AnnouncedCustomerRig.inPhase(phase)
      let made = try? rig.machine.announcement(of: Tokens.token(.tokenOne), expiration: Times.expiration)
      #expect(try made == (phase == .checked ? deal.announcement().payload : nil))
    }
    let rig = try AnnouncedCustomerRig.inPhase(.checked)
    func reason(_ token: Token, _ expiration: Timestamp = Times.expiration) -> Reason? {
      do throws(Denial) {
        _ = try rig.machine.announcement(of: token, expiration: expiration)
        return nil
      } catch { return error.reason }
    }
    var elsewhere = Tokens.token(.tokenOne)
    elsewhere.bank = Actor.otherBank.publicKey
    var bound = Tokens.token(.tokenOne)
    bound.archive = Actor.archive.publicKey
    #expect(reason(Tokens.token(.tokenOne)) == nil)
    #expect(reason(elsewhere) == .unsupported)
    #expect(reason(bound) == .badToken)
    #expect(reason(Tokens.token(.tokenOne), Times.expiration + 1) == .expirationCap)
  }

  @Test("k is known when paid, and not before; t is in use from message 3 to the end")
  func known() throws {
    for phase in AnnouncedCustomerRig.phases {
      let rig = try AnnouncedCustomerRig.inPhase(phase)
      #expect(rig.machine.goodsKey == ([.paid, .delivered].contains(phase) ? Sale.k : nil))
      let used: [PurchasePhase] = [.announced, .authorised, .locked, .paid, .delivered, .aborted]
      #expect(rig.machine.inputs.map(\.amount) == (used.contains(phase) ? [864] : []))
    }
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let needs: [(PurchasePhase, [Label])] = [
      (.requested, [.n1]), (.offered, [Label(.purchaseOrder)]), (.announced, [Label(.announcement)]),
      (.authorised, [Label(.announced), Label(.consent)]), (.locked, [Label(.a7), Label(.consent)]),
      (.paid, [Label(.a9a)]), (.aborted, [Label(.a9b), Label(.a7)]),
    ]
    for (phase, labels) in needs {
      for label in labels {
        var kept = try AnnouncedCustomerRig.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try AnnouncedPurchase(phase: phase, messages: messages)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}
