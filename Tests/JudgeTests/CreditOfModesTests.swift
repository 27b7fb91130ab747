// Rule 2 in the other modes: what a commit has to show of the delivery, and how much is owed.

import Judge
import Messages
import Testing

@Suite("Not credited, other modes")
struct CreditOfModesTests {
  private func expectNothingOwed(_ files: [[UInt8]], _ name: String) throws {
    let exhibits = Exhibits(files, heard: [.bank])
    try expectAcquittal(exhibits, name)
    #expect(try exhibits.judged().findings(.notCredited) == [.undecided], Comment(rawValue: name))
  }

  @Test("early: with E5 by P, or with the archive's word that it holds the ciphertext")
  func early() throws {
    let sale = EarlySale()
    let e3 = try sale.e3().bytes
    try expectConviction(Exhibits([e3, try sale.e7a().bytes], heard: [.bank]), .notCredited, .bank)
    var forced = EarlySale()
    forced.delivery = .forced
    try expectConviction(Exhibits([e3, try forced.e7a().bytes], heard: [.bank]), .notCredited, .bank)
    let without: [(String, Verified<E7a>)] = [
      ("E5 by a stranger", try sale.e7a(e5: sale.e5(by: .stranger))),
      ("E5.hE4", try sale.e7a(e5: sale.e5 { $0.hE4 = digest(1) })),
      ("E5.n", try sale.e7a(e5: sale.e5 { $0.n = TransactionID(filled(1, 16))! })),
      ("E5.M", try sale.e7a(e5: sale.e5 { $0.merchant = Actor.otherMerchant.key })),
      ("forced without Held", try sale.e7a(sale.e6 { $0.delivery = .forced })),
      ("Held by another archive", try forced.e7a(held: forced.held(by: .otherArchive))),
      ("Held.hE4", try forced.e7a(held: forced.held { $0.hGoods = digest(1) })),
      ("Held.L", try forced.e7a(held: forced.held { $0.lock = digest(1) })),
      ("Held.n", try forced.e7a(held: forced.held { $0.n = TransactionID(filled(1, 16))! })),
      ("Held.M", try forced.e7a(held: forced.held { $0.merchant = Actor.otherMerchant.key })),
      ("x", try sale.e7a(sale.e6 { $0.key = Ware.k })),
    ]
    for (name, e7a) in without { try expectNothingOwed([e3, e7a.bytes], name) }
  }

  @Test("a series: the running total of what is committed, the base for the first purchase alone")
  func series() throws {
    let sale = Series()
    let r3 = try sale.r3().bytes
    let files = [r3, try sale.r10a().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .notCredited, .bank)
    let paid = Exhibits(files + [try sale.credit(Series.total(2)).bytes], heard: [.bank])
    #expect(try paid.judged().findings(.notCredited) == [.noFault])
    try expectConviction(
      Exhibits(files + [try sale.credit(Series.total(1)).bytes], heard: [.bank]), .notCredited, .bank)
    let forced = Exhibits(
      [r3, try sale.forced().bytes, try sale.credit(Series.total(2)).bytes], heard: [.bank])
    #expect(try forced.judged().findings(.notCredited) == [.noFault])
    var second = Series()
    second.committed = 1
    let direct = Exhibits(
      [r3, try second.forced().bytes, try second.credit(Series.total(1)).bytes], heard: [.bank])
    #expect(try direct.judged().findings(.notCredited) == [.noFault])
    var first = Series()
    first.committed = 0
    let base = Exhibits(
      [r3, try first.r10a().bytes, try first.credit(Money("EUR:1")!).bytes], heard: [.bank])
    #expect(try base.judged().findings(.notCredited) == [.noFault])
    let tooMuch = try sale.r7(2) { $0.runningTotal = Money("EUR:99")! }
    let without: [(String, Verified<R10a>)] = [
      ("R7 by a stranger", try sale.r10a(r7: sale.r7(2, by: .stranger))),
      ("another R7", try sale.r10a(r7: sale.r7(1))),
      ("R9.hR7", try sale.r10a(sale.r9 { $0.hItem = digest(1) })),
      ("R9.i", try sale.r10a(sale.r9 { $0.index = 3 })),
      ("R9.x", try sale.r10a(sale.r9 { $0.key = Ware.k })),
      ("beyond the budget", try sale.r10a(sale.r9 { $0.hItem = tooMuch.hash }, r7: tooMuch)),
      ("Held.hR6", try sale.forced { $0.hGoods = digest(1) }),
      ("forced, R5 by a stranger", try sale.forced(r5: sale.r5(2, by: .stranger))),
      ("forced above R5's maximum", try sale.forced(r5: sale.r5(2) { $0.runningTotalMax = Series.total(1) })),
      ("forced, R5 of another purchase", try sale.forced(r5: sale.r5(3))),
      ("forced after another purchase", try sale.forced(r5: sale.r5(2) { $0.hPrevious = digest(1) })),
      ("forced without the R7 before", try sale.forced(r7: sale.r7(2))),
      ("forced with another key before", try sale.forced(key: Series.x(2))),
      ("first with another item", try first.r10a(sale.r9 { ($0.index, $0.key) = (0, Series.x(0)) })),
    ]
    for (name, r10a) in without { try expectNothingOwed([r3, r10a.bytes], name) }
    for changed in [
      try sale.r7(2) { $0.n = TransactionID(filled(1, 16))! },
      try sale.r7(2) { $0.merchant = Actor.otherMerchant.key },
    ] {
      let r9 = try sale.r9 { $0.hItem = changed.hash }
      try expectNothingOwed([r3, try sale.r10a(r9, r7: changed).bytes], "R7 of another transaction")
    }
  }

  @Test("joint, compact and announced")
  func others() throws {
    let joint = JointSale()
    let ja3 = try joint.ja3().bytes
    try expectConviction(Exhibits([ja3, try joint.ja5a().bytes], heard: [.bank]), .notCredited, .bank)
    try expectNothingOwed(
      [ja3, try joint.ja5a(joint.ja4 { $0.value = Money("EUR:1")! }).bytes], "JA4 with another value")
    try expectAcquittal(
      Exhibits([ja3, try joint.ja5a(by: .archive).bytes], heard: [.bank]), "JA5a by an archive")
    try expectNothingOwed([ja3, try joint.ja5a(by: .otherBank).bytes], "JA5a by another bank")

    let compact = [try joint.jb2().bytes, try joint.jb2ack().bytes, try joint.jb4a().bytes]
    try expectConviction(Exhibits(compact, heard: [.bank]), .notCredited, .bank)
    try expectConviction(Exhibits([compact[0], compact[2]], heard: [.bank]), .notCredited, .bank)
    let merchants = [try joint.offer(.compact).bytes, compact[2]]
    try expectConviction(Exhibits(merchants, heard: [.bank]), .notCredited, .bank, "M has no JB2")
    let paid = try Actor.bank.sign(
      Credit(amount: Sale.price, lock: joint.jb2().hash, at: Times.now + 30, account: "M-1"))
    #expect(
      try Exhibits(merchants + [paid.bytes], heard: [.bank]).judged().findings(.notCredited) == [.noFault])
    try expectAcquittal(Exhibits([compact[2]], heard: [.bank]), "a commit without contract or authorization")
    try expectAcquittal(Exhibits([compact[0], compact[1]], heard: [.bank]), "no commit")
    for other in [Actor.otherBank, .archive] {
      let files = [merchants[0], try joint.jb4a(by: other).bytes]
      let judged = try Exhibits(files, heard: [.bank, .otherBank]).judged()
      #expect(!judged.verdicts.contains { $0.against?.key == Actor.bank.key }, "JB4a by another")
    }

  }

  @Test("announced: the token's own key has to have signed the purchase order")
  func announced() throws {
    let sale = AnnouncedSale()
    let base = [try sale.announced().bytes, try sale.a7().bytes]
    try expectConviction(Exhibits(base + [try sale.a9a().bytes], heard: [.bank]), .notCredited, .bank)
    try expectNothingOwed(Array(base.dropFirst()) + [try sale.a9a().bytes], "whose token it was")
    let forged: [(String, Verified<Consent>)] = [
      ("a stranger's", try sale.consent(by: .stranger)), ("another token's", try sale.consent(by: .tokenTwo)),
      ("another PO", try sale.consent { $0.hPO = digest(1) }),
      ("another n", try sale.consent { $0.n = TransactionID(filled(1, 16))! }),
      ("another M", try sale.consent { $0.merchant = Actor.otherMerchant.key }),
    ]
    for (name, consent) in forged {
      try expectNothingOwed(base + [try sale.a9a { $0.consent = consent.bytes }.bytes], name)
    }
    try expectNothingOwed(base + [try sale.a9a { $0.key = filled(1) }.bytes], "A8 with another key")
  }

  @Test("an archive that commits two purchases of one series convicts itself, and not the bank that pays one")
  func twoEnds() throws {
    let sale = Series()
    var other = Series()
    other.committed = 1
    let both = [try sale.r3().bytes, try sale.r10a().bytes, try other.r10a().bytes]
    for paid in [UInt64(1), 2] {
      let credit = try sale.credit(Series.total(paid)).bytes
      try expectConviction(Exhibits(both + [credit], heard: [.bank]), .bothOutcomes, .archive, "paid \(paid)")
    }
    // The merchant signed one submission twice: it says the same.
    try expectAcquittal(
      Exhibits([both[1], try sale.r10a(at: Times.now + 21).bytes]), "one submission, published twice")
  }
}
