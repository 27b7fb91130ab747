// The messages of one invoice purchase as they are when all is well, each open to change before it is signed,
// and rigs that run its machines beside twins re-created from what was kept.

import Messages
import Parties
import Testing

/// One invoice purchase between the actors: the first token, bound to the archive, is worth the price.
struct InvoiceDeal {
  static let price = Money("EUR:10")!
  var way = Mode.invoice
  var root = Sale.root
  var length = Sale.length

  /// Archives have sealing keys, but for the passive one.
  static func trust(_ change: (inout TrustList) -> Void = { _ in }) -> TrustList {
    trustList { list in
      for index in list.entries.indices where list.entries[index].name != "passive" {
        list.entries[index].sealingKey = Actor.stranger.publicKey
      }
      change(&list)
    }
  }

  /// The archive is only a record.
  static func passiveTrust(_ change: (inout TrustList) -> Void = { _ in }) -> TrustList {
    trust { list in
      for index in list.entries.indices where list.entries[index].role == .archive {
        list.entries[index].sealingKey = nil
      }
      change(&list)
    }
  }

  var trust: TrustList { way == .invoicePassive ? Self.passiveTrust() : Self.trust() }

  static func token(_ actor: Actor = .tokenOne, _ archive: Actor = .archive) -> Token {
    var token = Tokens.token(actor)
    token.archive = archive.publicKey
    return token
  }

  static let input = TokenInput(token: token(), amount: 1000)

  var hx: Hash { .keyCommitment(way, merchant: Actor.merchant.publicKey, n: Sale.n, key: Sale.k) }

  func n1(_ change: (inout N1) -> Void = { _ in }) throws -> Verified<N1> {
    let nonce = Nonce(filled(1, 16))!
    var payload = N1(nonce: nonce, price: Self.price, offer: nonce, twoSided: false, mode: way)
    change(&payload)
    return try Actor.pseudonym.sign(payload)
  }

  func registration(
    by actor: Actor = .tokenOne, _ change: (inout Registration) -> Void = { _ in }
  ) throws -> Verified<Registration> {
    let token = Self.token()
    var payload = Registration(archive: token.archive!, tokenKey: token.key, inner: token.inner!)
    change(&payload)
    return try actor.sign(payload)
  }

  func registered(
    by actor: Actor = .archive, _ change: (inout Registered) -> Void = { _ in }
  ) throws -> Verified<Registered> {
    var payload = Registered(
      tokenKey: Actor.tokenOne.publicKey, at: Times.now, address: Self.token().address!)
    change(&payload)
    return try actor.sign(payload)
  }

  func terms(_ change: (inout InvoiceTerms) -> Void = { _ in }) -> InvoiceTerms {
    var terms = InvoiceTerms(
      n: Sale.n, archive: Actor.archive.publicKey, bank: Actor.bank.publicKey, price: Self.price,
      expiration: Times.expiration, lifetime: Times.lifetime, hx: hx,
      goods: GoodsClaim(root: root, length: length), salt: Sale.salt, date: Times.now,
      descriptionHash: .description(Sale.description, salt: Sale.salt), digests: [digest(0x64)], name: "")
    change(&terms)
    return terms
  }

  func invoice(
    by actor: Actor = .merchant, address: Hash? = nil, _ change: (inout InvoiceTerms) -> Void = { _ in }
  ) throws -> Verified<Invoice> {
    try actor.sign(Invoice(terms: terms(change), address: address ?? Self.token().address!))
  }

  func endorsement(
    by actor: Actor = .tokenOne, of invoice: Verified<Invoice>? = nil,
    _ change: (inout Endorsement) -> Void = { _ in }
  ) throws -> Verified<Endorsement> {
    let invoice = try invoice ?? self.invoice()
    var payload = Endorsement(hINV: invoice.hash, address: invoice.payload.address)
    change(&payload)
    return try actor.sign(payload)
  }

  func deposit(
    by actor: Actor = .merchant, _ invoice: Verified<Invoice>? = nil,
    _ endorsement: Verified<Endorsement>? = nil, _ change: (inout Deposit) -> Void = { _ in }
  ) throws -> InvoiceDeposit {
    let invoice = try invoice ?? self.invoice()
    let endorsement = try endorsement ?? self.endorsement(of: invoice)
    var payload = Deposit(
      key: Sale.k, token: Self.token(), invoice: invoice.bytes, endorsement: endorsement.bytes)
    change(&payload)
    return try InvoiceDeposit(actor.sign(payload))
  }

  func approval(
    by actor: Actor = .archive, _ change: (inout Approval) -> Void = { _ in }
  ) throws -> Verified<Approval> {
    let deposit = try deposit()
    var payload = Approval(
      n: Sale.n, merchant: Actor.merchant.publicKey, value: Self.price, at: Times.now + 20,
      address: Self.token().address!, hEndorsement: deposit.endorsement.hash,
      token: way == .invoiceDirect ? nil : Self.token())
    change(&payload)
    return try actor.sign(payload)
  }

  func record(
    by actor: Actor = .bank, _ change: (inout PassiveRecord) -> Void = { _ in }
  ) throws -> Verified<PassiveRecord> {
    var payload = PassiveRecord(
      n: Sale.n, merchant: Actor.merchant.publicKey, key: Sale.k, at: Times.now + 20,
      address: Self.token().address!)
    change(&payload)
    return try actor.sign(payload)
  }

  /// The bank's confirmation: of 8, or of 7 with the passive archive.
  func credit(_ change: (inout Credit) -> Void = { _ in }) throws -> Verified<Credit> {
    let reference = way == .invoicePassive ? try deposit().deposit.hash : try approval().hash
    var payload = Credit(amount: Self.price, lock: reference, at: Times.now + 30, account: "M-1")
    change(&payload)
    return try Actor.bank.sign(payload)
  }

  func complaint(
    _ kind: ComplaintKind, by actor: Actor = .tokenOne, evidence: [[UInt8]] = [],
    invoice: Verified<Invoice>? = nil, _ change: (inout Complaint) -> Void = { _ in }
  ) throws -> Grievance {
    let invoice = try invoice ?? self.invoice()
    var payload = Complaint(
      evidence: [invoice.bytes] + evidence, kind: kind, address: Self.token().address!, hINV: invoice.hash)
    change(&payload)
    return try Grievance(actor.sign(payload).bytes, trust: trust)
  }

  func answer(
    _ state: TransactionState, to complaint: Grievance, by actor: Actor, proof: [[UInt8]] = [],
    at time: Timestamp = Times.expiration
  ) throws -> Verified<StatusAnswer> {
    try actor.sign(
      StatusAnswer(at: time, hQuery: complaint.complaint.hash, proof: proof, state: state))
  }
}

final class InvoiceCustomerRig: PurchaseRig<InvoicePurchase> {
  let deal: InvoiceDeal

  init(_ way: Mode = .invoice) throws {
    deal = InvoiceDeal(way: way)
    let machine = InvoicePurchase(requesting: try deal.n1(), registration: try deal.registration())
    super.init(
      machine, kept: [.n1: machine.n1.bytes, Label(.registration): machine.registration.bytes])
  }

  override func isSame(_ twin: InvoicePurchase, _ machine: InvoicePurchase) -> Bool {
    twin.p1 == machine.p1 && twin.endorsement == machine.endorsement
  }
}

final class InvoiceSaleRig: SaleRig<InvoiceSale> {
  let deal: InvoiceDeal

  init(_ way: Mode = .invoice) throws {
    let deal = InvoiceDeal(way: way)
    let (n1, registration) = (try deal.n1(), try deal.registration())
    let machine = try Actor.merchant.withKey {
      try InvoiceSale(offering: deal.terms(), to: n1, registration, k: Sale.k, key: $0)
    }
    let kept = [
      Label.n1: n1.bytes, Label(.registration): registration.bytes, Label(.invoice): machine.invoice.bytes,
    ]
    self.deal = deal
    try super.init(machine, kept: kept, policy: MerchantPolicy(trust: InvoiceDeal.trust()))
  }

  override func isSame(_ twin: borrowing InvoiceSale, _ machine: borrowing InvoiceSale) -> Bool {
    twin.buyer == machine.buyer && twin.way == machine.way
  }
}

final class ArchiveTokenRig {
  var machine = ArchiveToken()
  private var twin = ArchiveToken()
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [ArchiveTokenEffect] = []

  @discardableResult
  func run(_ event: (inout ArchiveToken) throws -> [ArchiveTokenEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored archive does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase) in effects { #expect(phase == machine.phase) }
    twin = try ArchiveToken(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase)
    return effects.map(\.summary)
  }

  @discardableResult
  func registered(
    _ registration: Verified<Registration>, by archive: Actor = .archive, at now: Timestamp = Times.now
  ) throws -> [String] {
    try run { machine in try archive.withKey { try machine.registered(registration, at: now, key: $0) } }
  }

  @discardableResult
  func deposited(
    _ deposit: InvoiceDeposit, facts: TokenFacts = Tokens.fresh, trust: TrustList = InvoiceDeal.trust(),
    tellsBank: Bool = false, at now: Timestamp = Times.now + 20, by archive: Actor = .archive
  ) throws -> [String] {
    try run { machine in
      try archive.withKey { key in
        try machine.deposited(
          deposit, facts: facts, trust: trust, tellsBank: tellsBank, at: now, key: key)
      }
    }
  }

  @discardableResult
  func complained(_ grievance: Grievance, at now: Timestamp = Times.now + 40) throws -> [String] {
    try run { $0.complained(grievance, at: now) }
  }
}

final class BankDepositRig {
  var machine = BankDeposit()
  private var twin = BankDeposit()
  private(set) var kept: [Label: [UInt8]] = [:]
  private var token: Token?
  private(set) var effects: [BankDepositEffect] = []

  @discardableResult
  func run(_ event: (inout BankDeposit) throws -> [BankDepositEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored bank does otherwise")
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes): kept[label] = bytes
      case .keepToken(let token): self.token = token
      case .enter(let phase): #expect(phase == machine.phase)
      default: break
      }
    }
    twin = try BankDeposit(phase: machine.phase, messages: kept, token: token)
    #expect(twin.phase == machine.phase)
    return effects.map(\.summary)
  }

  @discardableResult
  func approved(
    _ approval: Verified<Approval>, facts: TokenFacts? = Tokens.fresh,
    trust: TrustList = InvoiceDeal.trust(), at now: Timestamp = Times.now + 25, by bank: Actor = .bank
  ) throws -> [String] {
    try run { $0.approved(approval, facts: facts, trust: trust, at: now, bank: bank.publicKey) }
  }

  @discardableResult
  func brought(
    _ endorsement: Verified<Endorsement>, token: Token = InvoiceDeal.token(),
    facts: TokenFacts = Tokens.fresh
  ) throws -> [String] {
    try run {
      $0.brought(
        token, endorsement, facts: facts, trust: InvoiceDeal.trust(), at: Times.now + 22,
        bank: Actor.bank.publicKey)
    }
  }

  @discardableResult
  func deposited(
    _ deposit: InvoiceDeposit, registration: Verified<Registration>?, endorsed: Bool = true,
    facts: TokenFacts = Tokens.fresh, trust: TrustList = InvoiceDeal.passiveTrust(),
    at now: Timestamp = Times.now + 20
  ) throws -> [String] {
    try run { machine in
      try Actor.bank.withKey { key in
        try machine.deposited(
          deposit, registration: registration, endorsed: endorsed, facts: facts, trust: trust, at: now,
          key: key)
      }
    }
  }

  @discardableResult
  func complained(
    _ grievance: Grievance, _ finding: BankDeposit.Finding = .open, at now: Timestamp = Times.now + 50
  ) throws -> [String] {
    try run { $0.complained(grievance, finding: finding, at: now) }
  }
}
