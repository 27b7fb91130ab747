// The merchant's machine of an invoice sale in every phase and with every event, in each way.

import Messages
import Parties
import Testing

/// What can happen to an invoice sale.
enum InvoiceSaleEvent: String, CaseIterable, Sendable {
  case paid, paidAgain
  case otherToken = "paid with another token"
  case foreignWord = "the word for another invoice"
  case late, approved, foreignApproval, credited, foreignCredit, refused, foreignRefusal
  case decline, damaged, foreignNAK, givenUp, due, dueEarly

  func happen(to rig: InvoiceSaleRig) throws -> [String] {
    let deal = rig.deal
    func pay(
      _ token: Token = InvoiceDeal.token(), _ word: Verified<Endorsement>, at now: Timestamp = Times.now + 9
    ) throws -> [String] {
      try rig.run { [policy = rig.policy] machine, key in
        try machine.paid(token, word, policy: policy, at: now, key: key)
      }
    }
    func refuse(by actor: Actor) throws -> [String] {
      let refusal = try actor.sign(
        Refusal(at: Times.expiration, reason: .tooLate, hRequest: digest(1), detail: "too late"))
      return try rig.run { machine, _ in machine.refused(refusal) }
    }
    let decider: Actor = deal.way == .invoicePassive ? .bank : .archive
    func nak(decline: Bool, by actor: Actor = .pseudonym) throws -> Verified<NAK> {
      try actor.sign(
        NAK(n: Sale.n, hP1: deal.invoice().hash, decline: decline, badRanges: decline ? [] : [56, 16_400]))
    }
    switch self {
    case .paid, .paidAgain: return try pay(InvoiceDeal.token(), deal.endorsement())
    case .otherToken:
      return try pay(InvoiceDeal.token(.tokenTwo), deal.endorsement(by: .tokenTwo))
    case .foreignWord: return try pay(InvoiceDeal.token(), deal.endorsement { $0.hINV = digest(1) })
    case .late: return try pay(InvoiceDeal.token(), deal.endorsement(), at: Times.expiration - 29)
    case .approved: return try rig.run { machine, _ in try machine.approved(deal.approval()) }
    case .foreignApproval:
      return try rig.run { machine, _ in try machine.approved(deal.approval { $0.hEndorsement = digest(1) }) }
    case .credited: return try rig.run { machine, _ in try machine.credited(deal.credit()) }
    case .foreignCredit:
      return try rig.run { machine, _ in try machine.credited(deal.credit { $0.amount = Money("EUR:9")! }) }
    case .refused: return try refuse(by: decider)
    case .foreignRefusal: return try refuse(by: .otherArchive)
    case .decline: return try rig.run { machine, _ in try machine.complained(nak(decline: true)) }
    case .damaged: return try rig.run { machine, _ in try machine.complained(nak(decline: false)) }
    case .foreignNAK:
      return try rig.run { machine, _ in try machine.complained(nak(decline: true, by: .stranger)) }
    case .givenUp: return try rig.run { machine, _ in machine.givenUp() }
    case .due: return try rig.run { machine, _ in machine.due(at: Times.expiration) }
    case .dueEarly: return try rig.run { machine, _ in machine.due(at: Times.expiration - 1) }
    }
  }
}

extension InvoiceSaleRig {
  static let phases: [SalePhase] = [.offered, .submitted, .committed, .credited, .aborted, .declined]

  static func inPhase(_ phase: SalePhase, _ way: Mode = .invoice) throws -> InvoiceSaleRig {
    let rig = try InvoiceSaleRig(way)
    let path: [InvoiceSaleEvent] =
      switch phase {
      case .offered, .authorised, .cancelling, .claiming, .forcing: []
      case .declined: [.decline]
      case .submitted: [.paid]
      case .committed: [.paid, .approved]
      case .credited: way == .invoicePassive ? [.paid, .credited] : [.paid, .approved, .credited]
      case .aborted: [.paid, .refused]
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("The merchant's invoice sale")
struct InvoiceSaleTests {
  private typealias Row = [SalePhase: (effects: [String], next: SalePhase)]

  private static let mismatch = ["refuse mismatch"]
  private static let late = ["refuse tooLate"]
  private static let words = ["keep S_c{INV}", "keep Deposit", "enter submitted"]
  private static let approve = ["keep Approval", "enter committed", "send Approval to bank"]

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in InvoiceSaleRig.phases { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static let paid = row(
    [],
    [
      .offered: (words + ["submit Deposit"], .submitted), .declined: (late, .declined),
    ])

  private static let expected: [InvoiceSaleEvent: Row] = [
    .paid: paid, .paidAgain: paid,
    .otherToken: row(
      ["refuse nReused"], [.offered: (mismatch, .offered), .declined: (late, .declined)]),
    .foreignWord: row(
      ["refuse nReused"], [.offered: (mismatch, .offered), .declined: (late, .declined)]),
    .late: row([], [.offered: (late, .offered), .declined: (late, .declined)]),
    .approved: row(
      [],
      [
        .offered: (["refuse unknownTransaction"], .offered),
        .declined: (["refuse unknownTransaction"], .declined), .submitted: (approve, .committed),
        .aborted: (approve, .committed),
      ]),
    .foreignApproval: row(
      mismatch,
      [
        .offered: (["refuse unknownTransaction"], .offered),
        .declined: (["refuse unknownTransaction"], .declined), .committed: ([], .committed),
        .credited: ([], .credited),
      ]),
    .credited: row(
      ["keep Credit"],
      [
        .offered: (mismatch, .offered), .declined: (mismatch, .declined),
        .committed: (["keep Credit", "enter credited"], .credited), .credited: ([], .credited),
      ]),
    .foreignCredit: row(mismatch),
    .refused: row([], [.submitted: (["keep Refusal", "enter aborted"], .aborted)]),
    .foreignRefusal: row([]),
    .decline: row(
      ["keep NAK"],
      [
        .offered: (["keep NAK", "enter declined"], .declined), .submitted: (late, .submitted),
        .committed: (late, .committed), .credited: (late, .credited),
      ]),
    .damaged: row(["keep NAK"]),
    .foreignNAK: row(mismatch),
    .givenUp: row(
      [],
      [
        .offered: (["enter declined"], .declined), .submitted: (late, .submitted),
        .committed: (late, .committed), .credited: (late, .credited),
      ]),
    .due: row(
      [],
      [
        .submitted: (["submit Deposit", "enter submitted"], .submitted),
        .committed: (["send Approval to bank", "enter committed"], .committed),
      ]),
    .dueEarly: row(
      [],
      [
        .submitted: (["enter submitted"], .submitted),
        .committed: (["send Approval to bank", "enter committed"], .committed),
      ]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: InvoiceSaleEvent.allCases)
  func everyEvent(event: InvoiceSaleEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in InvoiceSaleRig.phases {
      let rig = try InvoiceSaleRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("where the archive leaves the token out of 8, the merchant brings it to the bank itself")
  func tokenLeftOut() throws {
    let rig = try InvoiceSaleRig.inPhase(.submitted, .invoice)
    let deal = InvoiceDeal()
    let approval = try deal.approval { $0.token = nil }
    try rig.run { machine, _ in machine.approved(approval) }
    let brought = rig.effects.contains { effect in
      guard case .bring(let payment, let bank) = effect else { return false }
      return payment.tokens == [InvoiceDeal.token()] && bank == Actor.bank.publicKey
    }
    #expect(brought)
  }

  @Test("7 goes to who decides: the archive, or the bank where the archive is only a record")
  func submissions() throws {
    let first = try InvoiceSaleRig.inPhase(.submitted, .invoice)
    guard case .submit(_, let archive)? = first.effects.last else { throw Unexpected() }
    #expect(archive == Actor.archive.publicKey)
    let direct = try InvoiceSaleRig.inPhase(.submitted, .invoiceDirect)
    #expect(direct.effects.map(\.summary).suffix(2) == ["bring the token to bank", "submit Deposit"])
    let passive = try InvoiceSaleRig.inPhase(.submitted, .invoicePassive)
    #expect(passive.effects.map(\.summary).suffix(2) == ["post S_c{INV} at archive", "submit Deposit"])
    guard case .submit(_, let bank)? = passive.effects.last else { throw Unexpected() }
    #expect(bank == Actor.bank.publicKey)
    #expect(try InvoiceSaleEvent.approved.happen(to: passive) == ["refuse mismatch"], "it signs nothing")
    #expect(try InvoiceSaleEvent.credited.happen(to: passive) == ["keep Credit", "enter credited"])
  }

  @Test("k is shown to the customer once the archive approved, or the bank credited, and never before")
  func secrecy() throws {
    for way in Mode.invoices {
      for phase in InvoiceSaleRig.phases {
        if way == .invoicePassive && phase == .committed { continue }
        let rig = try InvoiceSaleRig.inPhase(phase, way)
        let proof = rig.machine.status(policy: rig.policy).proof
        let out = phase == .committed || phase == .credited
        #expect(proof.contains { $0.contains(Sale.k) } == out, "\(way) \(phase)")
        for effect in rig.effects {
          switch effect {
          case .send(let bytes, _), .reply(let bytes), .post(let bytes, _, _):
            #expect(!bytes.contains(Sale.k))
          case .bring(let payment, _): #expect(!(try payment.encoded()).contains(Sale.k))
          default: break
          }
        }
      }
    }
  }

  @Test("a token of another bank or archive is not taken")
  func foreignTokens() throws {
    func reason(_ change: (inout Token) -> Void) throws -> Reason? {
      let rig = try InvoiceSaleRig()
      var token = InvoiceDeal.token()
      change(&token)
      let (paying, word) = (token, try rig.deal.endorsement())
      _ = try rig.run { [policy = rig.policy] machine, key in
        try machine.paid(paying, word, policy: policy, at: Times.now + 9, key: key)
      }
      guard case .refuse(let denial)? = rig.effects.first else { return nil }
      return denial.reason
    }
    #expect(try reason { _ in } == nil)
    #expect(try reason { $0.archive = nil } == .badToken)
    #expect(try reason { $0.archive = Actor.otherArchive.publicKey } == .badToken)
    #expect(try reason { $0.bank = Actor.otherBank.publicKey } == .badToken)
    #expect(try reason { $0.serial = digest(9) } == .mismatch)
    #expect(try reason { $0.keyID = digest(9) } == .mismatch)
  }
}
