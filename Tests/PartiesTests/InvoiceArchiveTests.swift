// The archive's side of a bound token, the bank's, and attacks 11 and 12.

import Messages
import Parties
import Testing

@Suite("A bound token at its archive")
struct ArchiveTokenTests {
  private let deal = InvoiceDeal()

  private func used() throws -> ArchiveTokenRig {
    let rig = ArchiveTokenRig()
    try rig.registered(deal.registration())
    try rig.deposited(deal.deposit())
    return rig
  }

  /// M's deposit of another invoice that the token's key endorsed.
  private func other(_ change: (inout InvoiceTerms) -> Void = { _ in }) throws -> InvoiceDeposit {
    let n = TransactionID(filled(9, 16))!
    let invoice = try deal.invoice {
      $0.n = n
      $0.hx = .keyCommitment(.invoice, merchant: Actor.merchant.publicKey, n: n, key: Sale.k)
      change(&$0)
    }
    return try deal.deposit(invoice)
  }

  @Test("a token is registered by its own key, once, here")
  func registers() throws {
    let rig = ArchiveTokenRig()
    #expect(try rig.registered(deal.registration(by: .stranger)) == ["refuse untrusted"])
    #expect(try rig.registered(deal.registration(), by: .otherArchive) == ["refuse mismatch"])
    let first = ["keep Registration", "keep Registered", "enter registered", "reply Registered"]
    #expect(try rig.registered(deal.registration()) == first)
    #expect(try rig.registered(deal.registration(), at: Times.now + 99) == ["reply Registered"])
    guard case .reply(let bytes) = rig.effects[0] else { throw Unexpected() }
    #expect(try Verified<Registered>(bytes, by: .key(Actor.archive.publicKey)) == deal.registered())
  }

  @Test("a deposit is approved once; the same again gets the same 8, another invoice is refused")
  func approves() throws {
    let rig = ArchiveTokenRig()
    #expect(try rig.deposited(deal.deposit()) == ["refuse unknownTransaction"])
    try rig.registered(deal.registration())
    #expect(
      try rig.deposited(deal.deposit()) == [
        "keep Deposit", "keep Approval", "enter used", "reply Approval",
      ])
    #expect(rig.kept[Label(.approval)] == (try deal.approval().bytes))
    #expect(try rig.deposited(deal.deposit(), at: Times.lifetime) == ["reply Approval"])
    #expect(try rig.deposited(other()) == ["refuse spent"])
    guard case .refuse(let denial) = rig.effects[0] else { throw Unexpected() }
    #expect(denial.proof == [try deal.endorsement().bytes], "the customer's own word for the other invoice")
  }

  @Test("the archive tells the bank itself in a direct deposit, without the token, or where it is set up so")
  func tellsBank() throws {
    let direct = InvoiceDeal(way: .invoiceDirect)
    let rig = ArchiveTokenRig()
    try rig.registered(direct.registration())
    #expect(try rig.deposited(direct.deposit()).contains("tell bank Approval"))
    let approval = try Verified<Approval>(stored: #require(rig.kept[Label(.approval)]))
    #expect(approval.payload.token == nil)
    let asked = ArchiveTokenRig()
    try asked.registered(deal.registration())
    #expect(try asked.deposited(deal.deposit(), tellsBank: true).contains("tell bank Approval"))
    #expect(
      try Verified<Approval>(stored: #require(asked.kept[Label(.approval)])).payload.token
        == InvoiceDeal.token())
  }

  @Test("a deposit with one fault is refused for it, and the token stays free")
  func faults() throws {
    func reason(
      _ deposit: InvoiceDeposit, facts: TokenFacts = Tokens.fresh, trust: TrustList = InvoiceDeal.trust(),
      at now: Timestamp = Times.now + 20
    ) throws -> Reason? {
      let rig = ArchiveTokenRig()
      try rig.registered(deal.registration())
      _ = try rig.deposited(deposit, facts: facts, trust: trust, at: now)
      #expect(rig.machine.phase == (rig.effects.count == 1 ? .registered : .used))
      guard case .refuse(let denial)? = rig.effects.first else { return nil }
      return denial.reason
    }
    func facts(_ change: (inout TokenFacts) -> Void) -> TokenFacts {
      var facts = Tokens.fresh
      change(&facts)
      return facts
    }
    #expect(try reason(deal.deposit()) == nil)
    let elsewhere = try deal.invoice { $0.archive = Actor.otherArchive.publicKey }
    #expect(try reason(deal.deposit(elsewhere)) == .mismatch)
    #expect(try reason(deal.deposit { $0.token.archive = nil }) == .badToken)
    #expect(try reason(deal.deposit { $0.token.bank = Actor.otherBank.publicKey }) == .badToken)
    #expect(try reason(deal.deposit { $0.token.serial = digest(1) }) == .mismatch)
    #expect(try reason(deal.deposit { $0.token.keyID = digest(1) }) == .mismatch, "another denomination")
    #expect(try reason(deal.deposit(nil, deal.endorsement { $0.hINV = digest(1) })) == .mismatch)
    #expect(try reason(deal.deposit(nil, deal.endorsement { $0.address = digest(1) })) == .mismatch)
    #expect(try reason(deal.deposit { $0.key = filled(1) }) == .wrongKey)
    #expect(try reason(InvoiceDeal(way: .invoicePassive).deposit()) == .wrongKey, "the bank decides there")
    #expect(try reason(deal.deposit(), at: Times.expiration) == .tooLate)
    #expect(try reason(deal.deposit(), facts: facts { $0.denomination = nil }) == .denomination)
    #expect(try reason(deal.deposit(), facts: facts { $0.signatureHolds = false }) == .badToken)
    #expect(try reason(deal.deposit(deal.invoice { $0.price = Money("EUR:9")! })) == .wrongValue)
    #expect(try reason(deal.deposit(deal.invoice { $0.price = Money("EUR:11")! })) == .wrongValue)
    #expect(try reason(deal.deposit(deal.invoice { $0.lifetime = Times.lifetime + 1 })) == .lifetime)
    let revoked = InvoiceDeal.trust { list in
      for index in list.entries.indices where list.entries[index].key == Actor.merchant.publicKey {
        list.entries[index].revokedAt = Times.now
      }
    }
    #expect(try reason(deal.deposit(), trust: revoked) == .untrusted)
    let word = try deal.endorsement(by: .tokenTwo)
    #expect(throws: MessageError.self, "only the token's own key endorses") { try deal.deposit(nil, word) }
  }

  @Test("withheld: k goes to the token's key once it is approved; else the answer says how it stands")
  func withheld() throws {
    let rig = ArchiveTokenRig()
    #expect(try rig.complained(deal.complaint(.withheld)) == ["refuse untrusted"])
    try rig.registered(deal.registration())
    #expect(try rig.complained(deal.complaint(.withheld)) == ["answer open"])
    #expect(try rig.complained(deal.complaint(.withheld), at: Times.expiration) == ["answer aborted"])
    #expect(try rig.deposited(deal.deposit(), at: Times.expiration) == ["refuse tooLate"], "and it stays so")
    let used = try used()
    #expect(try used.complained(deal.complaint(.withheld)) == ["answer committed Approval Deposit"])
    #expect(try used.complained(deal.complaint(.withheld, by: .stranger)) == ["refuse untrusted"])
    let lost = try other()
    #expect(
      try used.complained(deal.complaint(.withheld, invoice: lost.invoice)) == ["answer spent S_c{INV}"])
    #expect(try used.complained(deal.complaint(.accused)) == ["refuse unsupported"])
  }

  @Test("the bank's word that it gave the value back frees the token for another invoice")
  func reversal() throws {
    let toBank = try deal.complaint(.invalidGoods)
    let approval = try deal.approval()
    func grievance(
      _ state: TransactionState = .available, by actor: Actor = .bank, proof: [[UInt8]]? = nil
    ) throws -> Grievance {
      let answer = try deal.answer(
        state, to: toBank, by: actor, proof: proof ?? [approval.bytes, toBank.complaint.bytes])
      return try deal.complaint(.invalidGoods, evidence: [answer.bytes])
    }
    for (broken, why) in [
      (try grievance(.committed), "the bank did not reverse it"),
      (try grievance(by: .otherBank), "another bank"),
      (try grievance(proof: [approval.bytes]), "no complaint shown"),
      (try grievance(proof: [toBank.complaint.bytes]), "no approval shown"),
    ] {
      let rig = try used()
      #expect(try rig.complained(broken) == ["refuse unacknowledged"], "\(why)")
      #expect(rig.machine.phase == .used)
    }
    let rig = try used()
    #expect(
      try rig.complained(grievance()) == [
        "keep Complaint", "keep Status", "enter registered", "answer available",
      ])
    #expect(try rig.complained(grievance()) == ["answer available"], "once more changes nothing")
    #expect(try rig.deposited(other()).last == "reply Approval", "the same key buys again")
  }

  @Test("the bank sees what documents an approval")
  func documentation() throws {
    let rig = try used()
    let (state, proof) = rig.machine.documentation(of: Sale.n, Actor.merchant.publicKey)
    #expect(state == .committed)
    let approval = try deal.approval().payload
    #expect(proof.contains { approval.documentation($0) != nil })
    #expect(rig.machine.documentation(of: Sale.n, Actor.stranger.publicKey).0 == .unknown)
    // Nothing else documents it.
    for deposit in [
      try deal.deposit(nil, deal.endorsement { $0.hINV = digest(1) }), try other(),
      try deal.deposit { $0.token.serial = digest(1) },
    ] {
      #expect(approval.documentation(deposit.deposit.bytes) == nil)
    }
  }
}

@Suite("A bound token at the bank")
struct BankDepositTests {
  private let deal = InvoiceDeal()
  private let direct = InvoiceDeal(way: .invoiceDirect)
  private let passive = InvoiceDeal(way: .invoicePassive)
  private static let pay = ["keep token", "enter credited", "pay merchant EUR:10.00", "confirm credit"]

  @Test("8 with the token pays the merchant that it names, once")
  func approved() throws {
    let rig = BankDepositRig()
    #expect(try rig.approved(deal.approval()) == ["keep Approval"] + Self.pay)
    #expect(try rig.approved(deal.approval()) == ["confirm credit"])
    let second = try deal.approval { $0.merchant = Actor.stranger.publicKey }
    #expect(try rig.approved(second) == ["keep Evidence", "refuse spent"], "an archive that approves twice")
  }

  @Test("direct deposit: the token and its verification, in either order, and not one alone")
  func directDeposit() throws {
    let word = try direct.endorsement()
    let first = BankDepositRig()
    #expect(try first.approved(direct.approval(), facts: nil) == ["keep Approval", "enter approved"])
    #expect(
      try first.brought(word) == ["keep S_c{INV}", "keep Approval"] + Self.pay, "as in the other order")
    #expect(try first.brought(word) == ["confirm credit"])
    let other = BankDepositRig()
    #expect(try other.brought(word) == ["keep token", "keep S_c{INV}", "enter brought"])
    #expect(try other.brought(word) == [])
    #expect(try other.approved(direct.approval()) == ["keep Approval"] + Self.pay)
    let crossed = BankDepositRig()
    try crossed.approved(direct.approval { $0.hEndorsement = digest(1) }, facts: nil)
    #expect(try crossed.brought(word) == ["refuse mismatch"])
    let junk = BankDepositRig()
    var facts = Tokens.fresh
    facts.signatureHolds = false
    #expect(try junk.brought(word, facts: facts) == ["refuse badToken"], "and nothing is kept")
  }

  @Test("direct deposit: neither a stranger's approval nor an older word stands between token and approval")
  func directDepositUndisturbed() throws {
    let word = try direct.endorsement()
    let stranger = BankDepositRig()
    try stranger.approved(direct.approval(by: .otherArchive), facts: nil)
    #expect(try stranger.approved(direct.approval(), facts: nil) == ["not yet"], "whoever asks, asks again")
    #expect(try stranger.brought(word) == ["keep token", "keep S_c{INV}", "enter brought"])
    #expect(try stranger.approved(direct.approval()) == ["keep Approval"] + Self.pay)
    let older = BankDepositRig()
    let before = try direct.endorsement(of: direct.invoice { $0.salt = digest(9) })
    try older.brought(before)
    #expect(try older.approved(direct.approval(by: .otherArchive)) == ["refuse untrusted"])
    #expect(try older.approved(direct.approval()) == ["keep Approval", "enter approved"])
    #expect(try older.brought(before) == ["refuse mismatch"])
    #expect(try older.brought(word) == ["keep S_c{INV}", "keep Approval"] + Self.pay)
  }

  @Test("an approval with one fault pays nothing")
  func faults() throws {
    func reason(
      _ approval: Verified<Approval>, trust: TrustList = InvoiceDeal.trust(), by bank: Actor = .bank,
      at now: Timestamp = Times.now + 25, _ change: (inout TokenFacts) -> Void = { _ in }
    ) throws -> Reason? {
      var facts = Tokens.fresh
      change(&facts)
      let rig = BankDepositRig()
      _ = try rig.approved(approval, facts: facts, trust: trust, at: now, by: bank)
      guard case .refuse(let denial)? = rig.effects.first else { return nil }
      return denial.reason
    }
    #expect(try reason(deal.approval()) == nil)
    #expect(try reason(deal.approval(by: .otherArchive)) == .untrusted)
    #expect(try reason(deal.approval(), trust: InvoiceDeal.passiveTrust()) == .untrusted, "it has no word")
    #expect(try reason(deal.approval { $0.token?.archive = nil }) == .untrusted)
    #expect(try reason(deal.approval { $0.address = digest(1) }) == .mismatch)
    #expect(try reason(deal.approval { $0.value = Money("EUR:9")! }) == .wrongValue)
    #expect(try reason(deal.approval(), by: .otherBank) == .badToken)
    #expect(try reason(deal.approval()) { $0.signatureHolds = false } == .badToken)
    #expect(try reason(deal.approval()) { $0.denomination = nil } == .denomination)
    #expect(try reason(deal.approval()) { $0.spent = 1 } == .spent)
    #expect(try reason(deal.approval()) { $0.locked = 1 } == .spent)
    #expect(try reason(deal.approval(), at: Times.lifetime + 1) == .lifetime)
  }

  @Test("passive archive: the record and the deposit together pay, and k is made public in the same step")
  func passiveArchive() throws {
    let registration = try passive.registration()
    let rig = BankDepositRig()
    #expect(try rig.deposited(passive.deposit(), registration: nil) == ["not yet"])
    #expect(try rig.deposited(passive.deposit(), registration: registration, endorsed: false) == ["not yet"])
    let effects = try rig.deposited(passive.deposit(), registration: registration)
    #expect(effects == ["keep Deposit", "keep PassiveRecord", "post PassiveRecord at archive"] + Self.pay)
    #expect(rig.kept[Label(.passiveRecord)] == (try passive.record().bytes))
    let again = ["post PassiveRecord at archive", "confirm credit"]
    #expect(try rig.deposited(passive.deposit(), registration: registration) == again)
    let other = try passive.deposit(
      passive.invoice {
        $0.n = TransactionID(filled(9, 16))!
        $0.hx = .keyCommitment(.invoicePassive, merchant: Actor.merchant.publicKey, n: $0.n, key: Sale.k)
      })
    #expect(try rig.deposited(other, registration: registration) == ["refuse spent"])
  }

  @Test("a deposit with a passive archive with one fault pays nothing")
  func passiveFaults() throws {
    let registration = try passive.registration()
    func reason(
      _ deposit: InvoiceDeposit, _ registration: Verified<Registration>? = nil,
      trust: TrustList = InvoiceDeal.passiveTrust(), at now: Timestamp = Times.now + 20,
      _ change: (inout TokenFacts) -> Void = { _ in }
    ) throws -> Reason? {
      var facts = Tokens.fresh
      change(&facts)
      let rig = BankDepositRig()
      _ = try rig.deposited(
        deposit, registration: registration ?? self.passive.registration(), facts: facts, trust: trust,
        at: now)
      guard case .refuse(let denial)? = rig.effects.first else { return nil }
      return denial.reason
    }
    #expect(try reason(passive.deposit()) == nil)
    #expect(try reason(passive.deposit(), trust: InvoiceDeal.trust()) == .unsupported, "an active archive")
    #expect(try reason(deal.deposit()) == .wrongKey, "agreed on with an active archive")
    #expect(try reason(passive.deposit(), at: Times.expiration) == .tooLate)
    #expect(try reason(passive.deposit(passive.invoice { $0.price = Money("EUR:9")! })) == .wrongValue)
    #expect(try reason(passive.deposit()) { $0.spent = 1 } == .spent)
    #expect(try reason(passive.deposit()) { $0.signatureHolds = false } == .badToken)
    let rig = BankDepositRig()
    let foreign = try passive.registration(by: .stranger)
    #expect(try rig.deposited(passive.deposit(), registration: foreign) == ["not yet"])
    let moved = try Actor.tokenOne.sign(
      Registration(
        archive: Actor.otherArchive.publicKey, tokenKey: registration.payload.tokenKey,
        inner: registration.payload.inner))
    #expect(try rig.deposited(passive.deposit(), registration: moved) == ["not yet"])
  }
}

@Suite("Complaints under a token's key, at the bank")
struct BankComplaintTests {
  private let deal = InvoiceDeal()
  private let passive = InvoiceDeal(way: .invoicePassive)

  private func credited() throws -> BankDepositRig {
    let rig = BankDepositRig()
    try rig.approved(deal.approval())
    return rig
  }

  private func grievance(_ kind: ComplaintKind, by actor: Actor = .tokenOne) throws -> Grievance {
    try deal.complaint(kind, by: actor, evidence: [deal.deposit().deposit.bytes])
  }

  private static let reverse = [
    "keep Complaint", "enter reversed", "reverse merchant EUR:10.00", "answer available Approval Complaint",
  ]

  @Test("invalid goods, proven: the credit is reversed, once, and the token can pay again")
  func invalidGoods() throws {
    let rig = try credited()
    #expect(try rig.complained(grievance(.invalidGoods), .open) == ["answer open"])
    #expect(try rig.complained(grievance(.invalidGoods, by: .stranger), .badGoods) == ["refuse untrusted"])
    #expect(try rig.complained(grievance(.invalidGoods), .badGoods) == Self.reverse)
    #expect(
      try rig.complained(grievance(.invalidGoods), .badGoods) == ["answer available Approval Complaint"])
    #expect(try rig.approved(deal.approval()) == ["refuse cancelled"], "the same sale pays no more")
    let next = try deal.approval { $0.n = TransactionID(filled(9, 16))! }
    #expect(try rig.approved(next).contains("pay merchant EUR:10.00"), "another sale under the same key does")
  }

  @Test("goods of another sale than the paid one reverse nothing")
  func foreignGoods() throws {
    let rig = try credited()
    let other = try deal.invoice { $0.n = TransactionID(filled(9, 16))! }
    let complaint = try deal.complaint(
      .invalidGoods, evidence: [deal.deposit(other).deposit.bytes], invoice: other)
    #expect(try rig.complained(complaint, .badGoods) == ["answer committed Approval"])
    // The same invoice, with another word of the same key than the approval is over.
    let word = try deal.endorsement()
    let stranger = try deal.approval { $0.hEndorsement = digest(1) }
    let crossed = BankDepositRig()
    try crossed.approved(stranger)
    #expect(word.hash != stranger.payload.hEndorsement)
    #expect(try crossed.complained(grievance(.invalidGoods), .badGoods) == ["answer committed Approval"])
  }

  @Test("an approval that its archive cannot document is reversed; one that it documents stands")
  func undocumented() throws {
    let shown = try deal.deposit().deposit.bytes
    for kind in [ComplaintKind.depositedElsewhere, .accused] {
      let rig = try credited()
      #expect(try rig.complained(grievance(kind), .open) == ["answer open"])
      #expect(
        try rig.complained(grievance(kind), .documented(shown)) == ["answer committed Approval Deposit"])
      #expect(try rig.complained(grievance(kind), .undocumented) == Self.reverse)
    }
  }

  @Test("withheld: with a passive archive the bank says how the token stands, and shows k once it paid")
  func withheld() throws {
    let rig = BankDepositRig()
    let complaint = try passive.complaint(.withheld)
    #expect(try rig.complained(complaint) == ["answer open"])
    #expect(try rig.complained(complaint, at: Times.expiration) == ["answer aborted"])
    try rig.deposited(passive.deposit(), registration: passive.registration())
    #expect(try rig.complained(complaint) == ["answer committed Deposit PassiveRecord"])
    let other = try passive.invoice { $0.n = TransactionID(filled(9, 16))! }
    #expect(
      try rig.complained(passive.complaint(.withheld, invoice: other)) == [
        "answer spent Deposit PassiveRecord"
      ])
  }
}
