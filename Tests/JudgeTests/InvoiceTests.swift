// Invoice purchases before the judge (FIG. 2): what an approval obliges the bank to, what an archive may not
// sign, what was delivered, and where a bound token's value is.

import Judge
import Messages
import Testing

/// One invoice purchase between the actors, paid with a token of EUR:10 that is bound to the archive.
private struct InvoiceDeal {
  var way = Mode.invoice
  var n = Ware.n
  var claim = Ware.claim

  static var token: Token {
    var token = Tokens.token(.tokenOne)
    token.archive = Actor.archive.key
    return token
  }
  static let value = Money("EUR:10")!

  func invoice(_ change: (inout InvoiceTerms) -> Void = { _ in }) throws -> Verified<Invoice> {
    var terms = InvoiceTerms(
      n: n, archive: Actor.archive.key, bank: Actor.bank.key, price: Self.value,
      expiration: Times.expiration, lifetime: Times.lifetime, hx: Sale.hx(way, n), goods: claim,
      salt: digest(0x5a), date: Times.now, descriptionHash: digest(0xd0), digests: [Ware.digest], name: "")
    change(&terms)
    return try Actor.merchant.sign(Invoice(terms: terms, address: Self.token.address!))
  }

  func endorsement(by actor: Actor = .tokenOne, _ hINV: Hash? = nil) throws -> Verified<Endorsement> {
    try actor.sign(Endorsement(hINV: hINV ?? invoice().hash, address: Self.token.address!))
  }

  func deposit(
    _ word: Verified<Endorsement>? = nil, by actor: Actor = .merchant,
    _ change: (inout Deposit) -> Void = { _ in }
  ) throws -> Verified<Deposit> {
    var payload = Deposit(
      key: Ware.k, token: Self.token, invoice: try invoice().bytes,
      endorsement: try (word ?? endorsement()).bytes)
    change(&payload)
    return try actor.sign(payload)
  }

  func approval(
    by actor: Actor = .archive, _ change: (inout Approval) -> Void = { _ in }
  ) throws -> Verified<Approval> {
    var payload = Approval(
      n: n, merchant: Actor.merchant.key, value: Self.value, at: Times.now + 20,
      address: Self.token.address!, hEndorsement: try endorsement().hash, token: Self.token)
    change(&payload)
    return try actor.sign(payload)
  }

  func credit(
    _ approval: Verified<Approval>? = nil, by actor: Actor = .bank, _ amount: Money = InvoiceDeal.value
  ) throws -> Verified<Credit> {
    let lock = try (approval ?? self.approval()).hash
    return try actor.sign(Credit(amount: amount, lock: lock, at: Times.now + 30, account: "shop"))
  }

  func complaint(
    _ kind: ComplaintKind, by actor: Actor = .tokenOne
  ) throws -> Verified<Complaint> {
    try actor.sign(
      Complaint(
        evidence: [try invoice().bytes, try endorsement().bytes], kind: kind,
        address: Self.token.address!, hINV: try invoice().hash))
  }

  /// What who decides says to a complaint.
  func answer(
    to complaint: Verified<Complaint>, _ state: TransactionState, by actor: Actor, proof: [[UInt8]] = [],
    at time: Timestamp = Times.expiration
  ) throws -> Verified<StatusAnswer> {
    try actor.sign(StatusAnswer(at: time, hQuery: complaint.hash, proof: proof, state: state))
  }

  func record(by actor: Actor = .bank) throws -> Verified<PassiveRecord> {
    try actor.sign(
      PassiveRecord(
        n: n, merchant: Actor.merchant.key, key: Ware.k, at: Times.now + 20, address: Self.token.address!))
  }

  /// The bank's word that it took an approval back upon this complaint.
  func reversal() throws -> [[UInt8]] {
    let complaint = try complaint(.invalidGoods)
    let word = try answer(
      to: complaint, .available, by: .bank, proof: [approval().bytes, complaint.bytes])
    return [complaint.bytes, word.bytes]
  }
}

@Suite("Invoices before the judge")
struct InvoiceTests {
  private let deal = InvoiceDeal()

  private func base() throws -> [[UInt8]] {
    [try Tokens.keyList().bytes, try deal.approval().bytes, try deal.deposit().bytes]
  }

  @Test("an approval with its token obliges the bank, which shows its Credit or why it owes none")
  func credited() throws {
    try expectConviction(Exhibits(base(), heard: [.bank]), .notCredited, .bank, "no Credit")
    #expect(try Exhibits(base()).judged().findings(.notCredited) == [.undecided], "it was not heard")
    let excuses: [(String, [[UInt8]])] = [
      ("Credit", [try deal.credit().bytes]), ("a complaint that stands", try deal.reversal()),
      ("the archive approved it twice", [try deal.approval { $0.merchant = Actor.otherMerchant.key }.bytes]),
    ]
    for (name, files) in excuses {
      let found = try Exhibits(base() + files, heard: [.bank]).judged().findings(.notCredited)
      #expect(found.contains(.noFault) && !found.contains(.convicted), "\(name)")
    }
    let vain: [(String, [[UInt8]])] = [
      ("less", [try deal.credit(nil, Money("EUR:9.99")!).bytes]),
      ("of another lock", [try deal.credit(deal.approval { $0.at += 1 }).bytes]),
      ("by another bank", [try deal.credit(by: .otherBank).bytes]),
      ("a complaint without the bank's word", [try deal.complaint(.invalidGoods).bytes]),
      (
        "somebody else's word for it",
        [
          try deal.complaint(.invalidGoods).bytes,
          try deal.answer(
            to: deal.complaint(.invalidGoods), .aborted, by: .bank, proof: [deal.approval().bytes]
          ).bytes,
        ]
      ),
    ]
    for (name, files) in vain {
      try expectConviction(
        Exhibits(base() + files, heard: [.bank]), .notCredited, .bank, Comment(rawValue: name))
    }
  }

  @Test("who is not the token's archive obliges no bank")
  func strangersApproval() throws {
    for (name, approval) in [
      ("another archive", try deal.approval(by: .otherArchive)),
      ("a stranger", try deal.approval(by: .stranger)),
      ("another address", try deal.approval { $0.address = digest(1) }),
      ("more than it is worth", try deal.approval { $0.value = Money("EUR:20")! }),
    ] {
      let files = [try Tokens.keyList().bytes, approval.bytes, try deal.deposit().bytes]
      let found = try Exhibits(files, heard: [.bank]).judged().findings(.notCredited)
      #expect(!found.contains(.convicted), "\(name)")
    }
    // Direct deposit: the token is M's to bring.
    let direct = try deal.approval { $0.token = nil }.bytes
    let list = try Tokens.keyList().bytes
    try expectConviction(
      Exhibits([list, direct, try deal.deposit().bytes], heard: [.bank]), .notCredited, .bank, "direct")
    try expectAcquittal(Exhibits([list, direct], heard: [.bank]), "direct, without the token")
  }

  @Test("a bank shows the word of the token's key for what it recorded in a passive archive")
  func recordedUnendorsed() throws {
    let recorded = [try Tokens.keyList().bytes, try deal.record().bytes]
    func findings(_ more: [[UInt8]], heard: [Actor] = [.bank]) throws -> [Finding] {
      try Exhibits(recorded + more, heard: heard).judged().findings(.approvedUnendorsed)
    }
    try expectConviction(Exhibits(recorded, heard: [.bank]), .approvedUnendorsed, .bank, "nothing")
    #expect(try findings([], heard: [.archive]) == [.undecided], "it was not heard")
    #expect(try findings([deal.deposit().bytes]) == [.noFault])
    for (name, endorsement) in [
      ("a stranger's word", try deal.endorsement(by: .stranger)),
      ("for another invoice", try deal.endorsement(digest(1))),
    ] {
      let files = [try deal.deposit(endorsement).bytes]
      try expectConviction(
        Exhibits(recorded + files, heard: [.bank]), .approvedUnendorsed, .bank, Comment(rawValue: name))
    }
  }

  @Test("an archive shows the word of the token's key for what it approved")
  func unendorsed() throws {
    let approved = [try Tokens.keyList().bytes, try deal.approval().bytes]
    try expectConviction(Exhibits(approved, heard: [.archive]), .approvedUnendorsed, .archive, "nothing")
    #expect(try Exhibits(approved).judged().findings(.approvedUnendorsed) == [.undecided])
    #expect(
      try Exhibits(approved + [deal.deposit().bytes], heard: [.archive]).judged()
        .findings(.approvedUnendorsed) == [.noFault])
    let forged = try deal.deposit(deal.endorsement(by: .stranger)).bytes
    try expectConviction(
      Exhibits(approved + [forged], heard: [.archive]), .approvedUnendorsed, .archive, "a stranger's word")
    let other = try deal.deposit(deal.endorsement(digest(1))).bytes
    try expectConviction(
      Exhibits(approved + [other], heard: [.archive]), .approvedUnendorsed, .archive, "for another invoice")
  }

  @Test("an archive that approves one token for two sales is convicted, unless the first was taken back")
  func twice() throws {
    let second = try deal.approval { $0.merchant = Actor.otherMerchant.key }
    let both = [try deal.approval().bytes, second.bytes]
    try expectConviction(Exhibits(both), .approvedTwice, .archive, "two merchants")
    try expectAcquittal(Exhibits([try deal.approval().bytes]), "one approval")
    let reversed = try Exhibits(both + deal.reversal()).judged().findings(.approvedTwice)
    #expect(reversed == [.noFault])
    let others = try Exhibits([try deal.approval().bytes, try deal.approval(by: .otherArchive).bytes])
      .judged()
    #expect(others.findings(.approvedTwice).isEmpty, "two archives' approvals are not one's")
  }

  @Test("\"this invoice never took the token\" and an approval of it convict the archive")
  func denied() throws {
    let complaint = try deal.complaint(.withheld)
    let denial = try deal.answer(to: complaint, .aborted, by: .archive)
    let files = try base() + [complaint.bytes, denial.bytes]
    try expectConviction(Exhibits(files), .bothOutcomes, .archive, "denied")
    for (name, answer) in [
      ("while it could still take it", try deal.answer(to: complaint, .aborted, by: .archive, at: Times.now)),
      ("it is open", try deal.answer(to: complaint, .open, by: .archive)),
      ("another archive says so", try deal.answer(to: complaint, .aborted, by: .otherArchive)),
    ] {
      let found = try Exhibits(base() + [complaint.bytes, answer.bytes]).judged().findings(.bothOutcomes)
      #expect(!found.contains(.convicted), "\(name)")
    }
    // With a passive archive the bank decides, and answers for it.
    let passive = InvoiceDeal(way: .invoicePassive)
    let asked = try passive.complaint(.withheld)
    let shown = [
      try passive.deposit().bytes, try passive.record().bytes, asked.bytes,
      try passive.answer(to: asked, .aborted, by: .bank).bytes,
    ]
    try expectConviction(Exhibits(shown), .bothOutcomes, .bank, "the bank denied its own record")
  }

  @Test("S_c{INV}, the deposit and that it was taken: the claim that something else was delivered fails")
  func delivered() throws {
    func findings(_ files: [[UInt8]]) throws -> [Finding] {
      try Exhibits(files).judged().findings(.deliveredThis)
    }
    #expect(try findings([deal.deposit().bytes, deal.approval().bytes]) == [.claimFails])
    let passive = InvoiceDeal(way: .invoicePassive)
    #expect(try findings([passive.deposit().bytes, passive.record().bytes]) == [.claimFails])
    let vain: [(String, [[UInt8]])] = [
      ("not taken", [try deal.deposit().bytes]), ("no deposit", [try deal.approval().bytes]),
      (
        "endorsed by a stranger",
        [
          try deal.deposit(deal.endorsement(by: .stranger)).bytes, try deal.approval().bytes,
        ]
      ),
      ("another key", [try deal.deposit { $0.key = filled(1) }.bytes, try deal.approval().bytes]),
      ("taken by a stranger", [try deal.deposit().bytes, try deal.approval(by: .stranger).bytes]),
      ("another bank's record", [try passive.deposit().bytes, try passive.record(by: .otherBank).bytes]),
    ]
    for (name, files) in vain { #expect(try findings(files).isEmpty, "\(name)") }
  }

  @Test("S_t(PO) in the record: the claim about an announced purchase fails")
  func announcedDelivered() throws {
    let sale = AnnouncedSale()
    let files = [
      try sale.po().bytes, try sale.announced().bytes, try sale.a7().bytes, try sale.a9a().bytes,
    ]
    #expect(try Exhibits(files).judged().findings(.deliveredThis) == [.claimFails])
    for index in files.indices {
      var fewer = files
      fewer.remove(at: index)
      #expect(try Exhibits(fewer).judged().findings(.deliveredThis).isEmpty, "without message \(index)")
    }
    let stranger = try sale.consent(by: .stranger).bytes
    let forged = try sale.a9a { $0.consent = stranger }.bytes
    #expect(try Exhibits(Array(files.prefix(3)) + [forged]).judged().findings(.deliveredThis).isEmpty)
  }

  @Test("a bound token's value is explained by its archive's approval, or by an endorsed invoice with its k")
  func boundValue() throws {
    let token = InvoiceDeal.token
    func demand(_ archive: PublicKey? = Actor.archive.key) throws -> Verified<StatusQuery> {
      try Actor.tokenOne.sign(
        StatusQuery(
          n: nil, merchant: nil, nonce: Nonce(filled(3, 16))!, serial: token.serial, archive: archive))
    }
    let files = [try token.encoded(), try demand().bytes, try Tokens.keyList().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .valueTaken, .bank, "nothing explains it")
    let said = try Actor.bank.sign(
      StatusAnswer(at: Times.now, hQuery: demand().hash, proof: [], state: .available))
    for (name, more) in [
      ("approval", [try deal.approval().bytes]), ("deposit", [try deal.deposit().bytes]),
      ("both", [try deal.approval().bytes, try deal.deposit().bytes]), ("available", [said.bytes]),
    ] {
      let found = try Exhibits(files + more, heard: [.bank]).judged().findings(.valueTaken)
      #expect(found == [.noFault], "\(name)")
    }
    // The token of the same key and number that is bound to nothing is another token.
    let unbound = [try token.encoded(), try demand(nil).bytes, try Tokens.keyList().bytes]
    #expect(try Exhibits(unbound, heard: [.bank]).judged().findings(.valueTaken).isEmpty)
    let reversed = try files + [deal.approval().bytes] + deal.reversal()
    try expectConviction(Exhibits(reversed, heard: [.bank]), .valueTaken, .bank, "given back, it says")
    try expectConviction(
      Exhibits(try files + [deal.approval(by: .otherArchive).bytes], heard: [.bank]), .valueTaken, .bank,
      "another archive's approval")
  }

  @Test("goods of an invoice that do not open with the key that M signed")
  func badGoods() throws {
    var bad = InvoiceDeal()
    bad.claim = Ware.claim(of: Ware.damaged)
    let files = [try bad.invoice().bytes, try bad.deposit().bytes, try bad.approval().bytes]
    try expectConviction(Exhibits(files, goods: [Ware.damaged]), .badGoods, .merchant, "damaged")
    let good = [try deal.invoice().bytes, try deal.deposit().bytes, try deal.approval().bytes]
    try expectAcquittal(Exhibits(good, goods: [Ware.sealed]), "what was sold")
    try expectAcquittal(
      Exhibits([try bad.invoice().bytes, try bad.deposit().bytes], goods: [Ware.damaged]),
      "nobody has approved it")
  }
}
