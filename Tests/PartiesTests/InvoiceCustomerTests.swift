// The customer's machine of an invoice purchase in every phase and with every event.

import Messages
import Parties
import Testing

/// What can happen to an invoice purchase.
enum InvoiceCustomerEvent: String, CaseIterable, Sendable {
  case registered, foreignRegistered, recordRead, junkRead, invoice, otherInvoice, ciphertext, wrongCiphertext
  case giveUp, endorse, endorseForeign
  case key, wrongKey, foreignKey, record, foreignRecord
  case unused, unusedEarly
  case unusedByStranger = "unused, says another archive"
  case spent = "spent, with the word for another invoice"
  case spentUnproven, reversed, opened

  func happen(to rig: InvoiceCustomerRig) throws -> [String] {
    let deal = rig.deal
    let policy = CustomerPolicy(trust: deal.trust)
    let inputs = [InvoiceDeal.input]
    func offered(_ invoice: Verified<Invoice>) throws -> [String] {
      try rig.run {
        $0.offered(
          invoice, token: InvoiceDeal.token(), description: Sale.description, policy: policy, at: Times.now)
      }
    }
    func answered(
      _ kind: ComplaintKind, _ state: TransactionState, by actor: Actor = .archive, proof: [[UInt8]] = [],
      at time: Timestamp = Times.expiration
    ) throws -> [String] {
      let complaint = try deal.complaint(kind)
      let answer = try deal.answer(state, to: complaint, by: actor, proof: proof, at: time)
      return try rig.run {
        $0.answered(answer, to: complaint.complaint, by: Actor.archive.publicKey, inputs: inputs)
      }
    }
    switch self {
    case .registered: return try rig.run { try $0.registered(deal.registered()) }
    case .foreignRegistered:
      return try rig.run { try $0.registered(deal.registered { $0.address = digest(1) }) }
    case .recordRead: return try rig.run { try $0.recordRead([digest(1).bytes, deal.registration().bytes]) }
    case .junkRead: return try rig.run { try $0.recordRead([deal.registration(by: .stranger).bytes]) }
    case .invoice: return try offered(deal.invoice())
    case .otherInvoice: return try offered(deal.invoice { $0.name = "other" })
    case .ciphertext: return try rig.run { $0.ciphertextChecked(root: Sale.root, length: Sale.length) }
    case .wrongCiphertext: return try rig.run { $0.ciphertextChecked(root: digest(1), length: Sale.length) }
    case .giveUp: return try rig.run { $0.abandoned() }
    case .endorse: return try rig.run { try $0.endorsed(deal.endorsement()) }
    case .endorseForeign: return try rig.run { try $0.endorsed(deal.endorsement { $0.hINV = digest(1) }) }
    case .key: return try rig.run { try $0.keyShown(deal.deposit().deposit, inputs: inputs) }
    case .wrongKey:
      return try rig.run { try $0.keyShown(deal.deposit { $0.key = filled(1) }.deposit, inputs: inputs) }
    case .foreignKey:
      let invoice = try deal.invoice(by: .stranger)
      let foreign = try deal.deposit(by: .stranger, invoice)
      return try rig.run { $0.keyShown(foreign.deposit, inputs: inputs) }
    case .record: return try rig.run { try $0.keyRecorded(deal.record(), inputs: inputs) }
    case .foreignRecord:
      return try rig.run { try $0.keyRecorded(deal.record(by: .otherBank), inputs: inputs) }
    case .unused: return try answered(.withheld, .aborted)
    case .unusedEarly: return try answered(.withheld, .aborted, at: Times.expiration - 1)
    case .unusedByStranger: return try answered(.withheld, .aborted, by: .otherArchive)
    case .spent:
      let other = try deal.invoice { $0.n = TransactionID(filled(9, 16))! }
      return try answered(.withheld, .spent, proof: [deal.endorsement(of: other).bytes])
    case .spentUnproven: return try answered(.withheld, .spent, proof: [deal.endorsement().bytes])
    case .reversed: return try answered(.invalidGoods, .available)
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

extension InvoiceCustomerRig {
  static let phases: [PurchasePhase] = [
    .registering, .requested, .offered, .checked, .authorised, .paid, .delivered, .aborted, .refused,
    .abandoned,
  ]

  static func inPhase(_ phase: PurchasePhase, _ way: Mode = .invoice) throws -> InvoiceCustomerRig {
    let rig = try InvoiceCustomerRig(way)
    let endorsed: [InvoiceCustomerEvent] = [.registered, .invoice, .ciphertext, .endorse]
    let path: [InvoiceCustomerEvent] =
      switch phase {
      case .registering, .announced, .locked: []
      case .requested: [.registered]
      case .offered: [.registered, .invoice]
      case .checked: [.registered, .invoice, .ciphertext]
      case .authorised: endorsed
      case .paid: endorsed + [.key]
      case .delivered: endorsed + [.key, .opened]
      case .aborted: endorsed + [.unused]
      case .refused: endorsed + [.spent]
      case .abandoned: [.registered, .invoice, .giveUp]
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }
}

@Suite("The customer's invoice purchase")
struct InvoiceCustomerTests {
  private typealias Row = [PurchasePhase: (effects: [String], next: PurchasePhase)]

  private static let mismatch = ["deny mismatch"]
  private static let unknown = ["deny unknownTransaction"]
  private static let abandon = (effects: ["enter abandoned"], next: PurchasePhase.abandoned)

  private static func row(_ usual: [String], _ others: Row = [:]) -> Row {
    var row: Row = [:]
    for phase in InvoiceCustomerRig.phases { row[phase] = others[phase] ?? (usual, phase) }
    return row
  }

  private static func same(_ phases: [PurchasePhase], _ effects: [String] = []) -> Row {
    Dictionary(uniqueKeysWithValues: phases.map { ($0, (effects, $0)) })
  }

  private static let withInvoice: [PurchasePhase] = [
    .offered, .checked, .authorised, .paid, .delivered, .aborted,
  ]
  private static let after = same([.paid, .delivered, .aborted])

  private static let expected: [InvoiceCustomerEvent: Row] = [
    .registered: row([], [.registering: (["keep Registered", "enter requested"], .requested)]),
    .foreignRegistered: row([], [.registering: (mismatch, .registering)]),
    .recordRead: row([], [.registering: (["enter requested"], .requested)]),
    .junkRead: row([], [.registering: (["deny unacknowledged"], .registering)]),
    .invoice: row(
      ["deny nReused"],
      same(withInvoice).merging([.requested: (["keep INV", "enter offered"], .offered)]) { $1 }),
    .otherInvoice: row(["deny nReused"], [.requested: (["keep INV", "enter offered"], .offered)]),
    .ciphertext: row([], [.offered: (["enter checked"], .checked)]),
    .wrongCiphertext: row([], [.offered: (mismatch, .offered)]),
    .giveUp: row(
      ["deny tooLate"],
      [.registering: abandon, .requested: abandon, .offered: abandon, .checked: abandon]),
    .endorse: row(mismatch, [.checked: (["keep S_c{INV}", "enter authorised"], .authorised)]),
    .endorseForeign: row(mismatch),
    .key: row(
      unknown,
      after.merging([.authorised: (["keep Deposit", "enter paid", "spent [1000]"], .paid)]) { $1 }),
    .wrongKey: row(unknown, after.merging([.authorised: (["deny wrongKey"], .authorised)]) { $1 }),
    .foreignKey: row(unknown, after.merging([.authorised: (["deny wrongKey"], .authorised)]) { $1 }),
    .record: row(
      unknown,
      after.merging([.authorised: (["keep PassiveRecord", "enter paid", "spent [1000]"], .paid)]) { $1 }),
    .foreignRecord: row(unknown, after.merging([.authorised: (["deny wrongKey"], .authorised)]) { $1 }),
    .unused: row(
      [], [.authorised: (["keep Complaint", "keep Status", "enter aborted", "freed [1000]"], .aborted)]),
    .unusedEarly: row([]),
    .unusedByStranger: row(mismatch),
    .spent: row(
      [], [.authorised: (["keep Complaint", "keep Status", "enter refused", "spent [1000]"], .refused)]),
    .spentUnproven: row([], [.authorised: (["keep Evidence"], .authorised)]),
    .reversed: row(
      [],
      [
        .authorised: (["keep Complaint", "keep Status", "enter aborted", "freed [1000]"], .aborted),
        .paid: (["keep Complaint", "keep Status", "enter aborted", "returned [1000]"], .aborted),
        .delivered: (["keep Complaint", "keep Status", "enter aborted", "returned [1000]"], .aborted),
      ]),
    .opened: row(
      mismatch,
      [.paid: (["enter delivered"], .delivered), .delivered: (["enter delivered"], .delivered)]),
  ]

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: InvoiceCustomerEvent.allCases)
  func everyEvent(event: InvoiceCustomerEvent) throws {
    let row = try #require(Self.expected[event])
    for phase in InvoiceCustomerRig.phases {
      let rig = try InvoiceCustomerRig.inPhase(phase)
      let expected = try #require(row[phase])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.next, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("an invoice with one fault is refused for it, and the purchase is abandoned")
  func brokenInvoice() throws {
    let cases: [(String, Reason, Hash?, (inout InvoiceTerms) -> Void)] = [
      ("a higher price", .wrongValue, nil, { $0.price = Money("EUR:10.01")! }),
      ("another description", .mismatch, nil, { $0.descriptionHash = digest(1) }),
      ("goods over the limit", .limit, nil, { $0.length = 1 << 40 }),
      ("no time left", .tooLate, nil, { $0.expiration = Times.now + 30 }),
      ("a short lifetime", .lifetime, nil, { $0.lifetime = $0.expiration + 3599 }),
      ("another bank", .unsupported, nil, { $0.bank = Actor.otherBank.publicKey }),
      ("another archive", .mismatch, nil, { $0.archive = Actor.otherArchive.publicKey }),
      ("another token", .mismatch, digest(1), { _ in }),
    ]
    for (name, reason, address, change) in cases {
      let rig = try InvoiceCustomerRig.inPhase(.requested)
      let invoice = try InvoiceDeal().invoice(address: address, change)
      let policy = CustomerPolicy(trust: InvoiceDeal.trust())
      _ = try rig.run {
        $0.offered(
          invoice, token: InvoiceDeal.token(), description: Sale.description, policy: policy, at: Times.now)
      }
      guard case .deny(let denial)? = rig.effects.last else { throw Unexpected() }
      #expect(denial.reason == reason, "\(name)")
      #expect(rig.machine.phase == .abandoned, "\(name)")
    }
  }

  @Test("k counts only in the way that was agreed on")
  func ways() throws {
    for agreed in Mode.invoices {
      for used in Mode.invoices {
        let rig = try InvoiceCustomerRig.inPhase(.requested, agreed)
        let deal = InvoiceDeal(way: used)
        _ = try rig.run {
          try $0.offered(
            deal.invoice(), token: InvoiceDeal.token(), description: Sale.description,
            policy: CustomerPolicy(trust: deal.trust), at: Times.now)
        }
        _ = try rig.run { $0.ciphertextChecked(root: Sale.root, length: Sale.length) }
        _ = try rig.run { try $0.endorsed(deal.endorsement()) }
        let inputs = [InvoiceDeal.input]
        let effects = try rig.run { try $0.keyShown(deal.deposit().deposit, inputs: inputs) }
        #expect(effects.contains("enter paid") == (agreed == used), "\(agreed), paid by \(used)")
      }
    }
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let needs: [(PurchasePhase, [Label])] = [
      (.registering, [.n1, Label(.registration)]), (.offered, [Label(.invoice)]),
      (.authorised, [Label(.endorsement)]), (.paid, [Label(.deposit)]), (.aborted, [Label(.invoice)]),
    ]
    for (phase, labels) in needs {
      for label in labels {
        var kept = try InvoiceCustomerRig.inPhase(phase).kept
        #expect(kept.removeValue(forKey: label) != nil)
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try InvoicePurchase(phase: phase, messages: messages)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}
