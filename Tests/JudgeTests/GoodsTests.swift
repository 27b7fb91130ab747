// Rule 1: the goods differ from the contract or do not decrypt.

import Judge
import Messages
import Testing

@Suite("Bad goods")
struct GoodsTests {
  /// A sale whose merchant sealed something else than it describes.
  private func sale(of sealed: [UInt8]) -> Sale {
    var sale = Sale()
    sale.claim = Ware.claim(of: sealed)
    return sale
  }

  private func evidence(_ sale: Sale) throws -> [[UInt8]] {
    let p3 = try sale.p3()
    return [try sale.p1().bytes, p3.bytes, try sale.p5a(sale.p4(p3)).bytes]
  }

  private static let other = Ware.seal(filled(0x42, 40_000), Ware.k, Ware.n)
  private static let otherKey = Ware.seal(Ware.plain, filled(0x42), Ware.n)

  @Test("good goods convict nobody")
  func good() throws {
    let exhibits = Exhibits(try evidence(Sale()), goods: [Ware.sealed])
    #expect(try exhibits.judged().findings(.badGoods) == [.noFault])
    try expectAcquittal(exhibits, "good goods")
  }

  @Test("a chunk that does not open, another key, another plaintext: the merchant is at fault")
  func convicts() throws {
    for (name, sealed) in [("damaged", Ware.damaged), ("key", Self.otherKey), ("plaintext", Self.other)] {
      let exhibits = Exhibits(try evidence(sale(of: sealed)), goods: [sealed])
      try expectConviction(exhibits, .badGoods, .merchant, Comment(rawValue: name))
      let needed = Exhibits([exhibits.files[0], exhibits.files[2]], goods: [sealed])
      try expectAllNeeded(needed, .badGoods, Comment(rawValue: name))
    }
  }

  @Test("the receipt will do for contract and commit")
  func receipt() throws {
    let sale = sale(of: Ware.damaged)
    let p5a = try sale.p5a(sale.p4(sale.p3()))
    let receipt = try Receipt(p1: sale.p1().bytes, p5a: p5a.bytes, description: "A map").encoded()
    try expectConviction(Exhibits([receipt], goods: [Ware.damaged]), .badGoods, .merchant)
  }

  @Test("one bad chunk with its way to the root is enough")
  func chunk() throws {
    let files = try evidence(sale(of: Ware.damaged))
    let bad = Ware.proof(1, of: Ware.damaged)
    try expectConviction(Exhibits(files + [bad.encoded]), .badGoods, .merchant)
    let header = Ware.proof(0, of: Self.otherKey)
    try expectConviction(
      Exhibits(try evidence(sale(of: Self.otherKey)) + [header.encoded]), .badGoods, .merchant)
    for good in [0, 2] {
      try expectAcquittal(Exhibits(files + [Ware.proof(good, of: Ware.damaged).encoded]), "chunk \(good)")
    }
  }

  @Test("an altered chunk, or one in another place, is not under the root")
  func forgedChunks() throws {
    let files = try evidence(Sale())
    let good = Ware.proof(1, of: Ware.sealed).encoded
    try expectAcquittal(Exhibits(files + [good]), "the good chunk")
    try expectAcquittal(Exhibits(files + [Ware.proof(1, of: Ware.damaged).encoded]), "a damaged chunk")
    // Any byte of it: index, header, paths, chunk. What is no chunk proof any more is no evidence.
    for place in stride(from: GoodsChunkProof.magic.count, to: good.count, by: 97) {
      var forged = good
      forged[place] ^= 1
      var evidence = Evidence()
      for file in files { _ = try evidence.add(file, name: "file") }
      _ = try evidence.add(forged, name: "forged")
      #expect(!Judge(trust: trustList(), now: Times.hearing).decide(evidence).convicts, "byte \(place)")
    }
    // A last chunk cut short keeps no leaf.
    let last = Ware.proof(2, of: Ware.sealed)
    #expect(last.holds(for: Ware.claim) && last.opens(key: Ware.k, n: Ware.n))
    try expectAcquittal(Exhibits(files + [Array(last.encoded.dropLast())]), "cut")
  }

  @Test("goods that are not the contract's count for nothing")
  func forgedGoods() throws {
    let files = try evidence(Sale())
    for (name, goods) in [
      ("damaged", Ware.damaged), ("other", Self.other), ("other key", Self.otherKey),
      ("cut", Array(Ware.sealed.dropLast())), ("plaintext", Ware.plain),
    ] {
      let exhibits = Exhibits(files, goods: [goods])
      try expectAcquittal(exhibits, name)
      if goods.count == Ware.sealed.count {
        #expect(try exhibits.judged().setAside.contains { $0.reason == "another root than the contract's" })
      }
    }
  }

  @Test("without the commit of this contract there is no verdict on goods")
  func forgedLinks() throws {
    let bad = sale(of: Ware.damaged)
    let p1 = try bad.p1()
    let p5a = try bad.p5a(bad.p4(bad.p3()))
    var forged: [(String, [[UInt8]])] = [
      ("no P5a", [p1.bytes]), ("no P1", [p5a.bytes]),
      ("P1 by a stranger", [try bad.p1(by: .stranger).bytes, p5a.bytes]),
      ("P1 by another merchant", [try bad.p1(by: .otherMerchant).bytes, p5a.bytes]),
      ("P5a by a stranger", [p1.bytes, try bad.p5a(by: .stranger).bytes]),
      ("P5a by the bank", [p1.bytes, try bad.p5a(by: .bank).bytes]),
      ("P4 by a stranger", [p1.bytes, try bad.p5a(bad.p4(by: .stranger)).bytes]),
      ("P4 by another merchant", [p1.bytes, try bad.p5a(bad.p4(by: .otherMerchant)).bytes]),
      ("committed too late", [p1.bytes, try bad.p5a { $0.at = Times.expiration }.bytes]),
    ]
    for change in changedP4 where ["n", "hP1"].contains(change.name) {
      forged.append(("P4.\(change.name)", [p1.bytes, try bad.p5a(bad.p4(nil, change.body)).bytes]))
    }
    for (name, mode) in [("joint", Mode.joint), ("early", .early), ("compact", .compact)] {
      let other = try bad.p1 { $0.contract.mode = mode }
      let p4 = try bad.p4 { $0.hP1 = other.hash }
      forged.append((name, [other.bytes, try bad.p5a(p4).bytes]))
    }
    for (name, files) in forged { try expectAcquittal(Exhibits(files, goods: [Ware.damaged]), name) }
    try expectAcquittalWithoutTrust(
      Exhibits(evidence(bad), goods: [Ware.damaged]), in: [.merchant, .archive])
  }

  @Test("goods and a contract without its commit are undecided, unless it is about others")
  func uncommitted() throws {
    let sale = sale(of: Ware.damaged)
    let p1 = try sale.p1().bytes
    #expect(try Exhibits([p1], goods: [Ware.damaged]).judged().findings(.badGoods) == [.undecided])
    #expect(try Exhibits([p1], goods: [Array(Ware.damaged.dropLast())]).judged().findings(.badGoods) == [])
    #expect(try Exhibits([p1]).judged().findings(.badGoods) == [])
    var other = sale
    other.n = TransactionID(filled(7, 16))!
    let both = Exhibits([p1, try other.p1().bytes, try sale.p5a().bytes], goods: [Ware.damaged])
    #expect(Set(try both.judged().findings(.badGoods)) == [.convicted, .undecided])
    // A bank's record publishes the key of an invoice, and of nothing else.
    try expectAcquittal(
      Exhibits([p1, try AnnouncedSale().record().bytes], goods: [Ware.damaged]), "a record for a P1")
  }

  @Test("a key that the contract does not commit to, signed by the merchant, is its fault")
  func wrongKey() throws {
    let sale = Sale()
    let p4 = try sale.p4 { $0.key = filled(0x42) }
    try expectConviction(
      Exhibits([try sale.p1().bytes, try sale.p5a(p4).bytes]), .badGoods, .merchant)
  }

  @Test("no digest in the contract: what opens is good")
  func noDigest() throws {
    let sale = sale(of: Self.other)
    let p1 = try sale.p1 { $0.contract.digests = [] }
    let p4 = try sale.p4 { $0.hP1 = p1.hash }
    let exhibits = Exhibits([p1.bytes, try sale.p5a(p4).bytes], goods: [Self.other])
    #expect(try exhibits.judged().findings(.badGoods) == [.noFault])
    let bad = self.sale(of: Ware.damaged)
    let damaged = try bad.p1 { $0.contract.digests = [] }
    let committed = try bad.p5a(bad.p4 { $0.hP1 = damaged.hash })
    try expectConviction(
      Exhibits([damaged.bytes, committed.bytes], goods: [Ware.damaged]), .badGoods, .merchant)
  }
}

@Suite("Bad goods of other modes")
struct GoodsOfModesTests {
  private static let badClaim = Ware.claim(of: Ware.damaged)

  @Test("early: E1, E4 and E7a are all needed, and name one another")
  func early() throws {
    var sale = EarlySale()
    sale.claim = Self.badClaim
    let (e1, e4, e7a) = (try sale.e1().bytes, try sale.e4().bytes, try sale.e7a().bytes)
    try expectConviction(Exhibits([e1, e4, e7a], goods: [Ware.damaged]), .badGoods, .merchant)
    let good = EarlySale()
    let all = [try good.e1().bytes, try good.e4().bytes, try good.e7a().bytes]
    #expect(try Exhibits(all, goods: [Ware.sealed]).judged().findings(.badGoods) == [.noFault])
    let forged: [(String, [[UInt8]])] = [
      ("no E1", [e4, e7a]), ("no E4", [e1, e7a]), ("no E7a", [e1, e4]),
      ("E1 by a stranger", [try sale.e1(by: .stranger).bytes, e4, e7a]),
      ("E4 by a stranger", [e1, try sale.e4(by: .stranger).bytes, e7a]),
      ("E4 by another merchant", [e1, try sale.e4(by: .otherMerchant).bytes, e7a]),
      ("E4.hE1", [e1, try sale.e4 { $0.hP1 = digest(1) }.bytes, e7a]),
      ("E4.n", [e1, try sale.e4 { $0.n = TransactionID(filled(1, 16))! }.bytes, e7a]),
      ("E6.hE4", [e1, e4, try sale.e7a(sale.e6 { $0.hE4 = digest(1) }).bytes]),
      ("E6.hE1", [e1, e4, try sale.e7a(sale.e6 { $0.hP1 = digest(1) }).bytes]),
      ("E6.n", [e1, e4, try sale.e7a(sale.e6 { $0.n = TransactionID(filled(1, 16))! }).bytes]),
      ("E6 by a stranger", [e1, e4, try sale.e7a(sale.e6(by: .stranger)).bytes]),
    ]
    for (name, files) in forged { try expectAcquittal(Exhibits(files, goods: [Ware.damaged]), name) }
    // An E4 that the merchant's E6 names, but that is not this sale's.
    let others = [
      try sale.e4 { $0.n = TransactionID(filled(1, 16))! }, try sale.e4 { $0.hP1 = digest(1) },
      try sale.e4(by: .otherMerchant),
    ]
    for (index, other) in others.enumerated() {
      let named = try sale.e7a(sale.e6 { $0.hE4 = other.hash })
      try expectAcquittal(
        Exhibits([e1, other.bytes, named.bytes], goods: [Ware.damaged]), "E4 \(index), named")
    }
  }

  @Test("a series: purchases up to the committed one, with the keys that the merchant gave")
  func series() throws {
    var sale = Series()
    sale.claim = Self.badClaim
    let base = [try sale.r1().bytes, try sale.r10a().bytes]
    let goods = [Ware.damaged]
    for index: UInt64 in [1, 2] {
      let own = [try sale.r6(index).bytes, try sale.r8(index).bytes]
      try expectConviction(Exhibits(base + own, goods: goods), .badGoods, .merchant, "purchase \(index)")
    }
    try expectConviction(Exhibits(base + [try sale.r4().bytes], goods: goods), .badGoods, .merchant, "first")
    // M kept R8 of the committed purchase back: the record has the key. Forced, the one before too.
    try expectConviction(
      Exhibits(base + [try sale.r6(2).bytes], goods: goods), .badGoods, .merchant, "without R8")
    let forced = [base[0], try sale.forced().bytes, try sale.r6(1).bytes]
    try expectConviction(Exhibits(forced, goods: goods), .badGoods, .merchant, "forced")
    let (r6, r8) = (try sale.r6(1).bytes, try sale.r8(1).bytes)
    let forged: [(String, [[UInt8]])] = [
      ("no R1", [base[1], r6, r8]), ("no R10a", [base[0], r6, r8]), ("no R6", base + [r8]),
      ("no R8", base + [r6]), ("not committed", base + [try sale.r6(3).bytes, try sale.r8(3).bytes]),
      ("R8 of another purchase", base + [r6, try sale.r8(2).bytes]),
      ("R8 by a stranger", base + [r6, try sale.r8(1, by: .stranger).bytes]),
      ("R6 by another merchant", base + [try sale.r6(1, by: .otherMerchant).bytes, r8]),
      ("R6.n", base + [try sale.r6(1) { $0.n = TransactionID(filled(1, 16))! }.bytes, r8]),
      ("R4 by a stranger", base + [try sale.r4(by: .stranger).bytes]),
      ("R4.n", base + [try sale.r4(n: TransactionID(filled(1, 16))!).bytes]),
      ("R8.n", base + [r6, try sale.r8(1, n: TransactionID(filled(1, 16))!).bytes]),
      ("R9.hR1", [base[0], try sale.r10a(sale.r9 { $0.hP1 = digest(1) }).bytes, r6, r8]),
    ]
    for (name, files) in forged { try expectAcquittal(Exhibits(files, goods: goods), name) }
    // A contract of the wrong message: P1 carries no series.
    var core = Sale()
    core.claim = Self.badClaim
    let p1 = try core.p1 { $0.contract.mode = .repeated }
    let r10a = try sale.r10a(sale.r9 { $0.hP1 = p1.hash })
    try expectAcquittal(Exhibits([p1.bytes, r10a.bytes, try sale.r4().bytes], goods: goods), "P1 for R1")
    // One of two keys that opens the goods is enough.
    let whole = Series()
    let keys = [try whole.r8(1, key: filled(1)).bytes, try whole.r8(1).bytes]
    let exhibits = Exhibits(
      [try whole.r1().bytes, try whole.r10a().bytes, try whole.r6(1).bytes] + keys, goods: [Ware.sealed])
    #expect(try exhibits.judged().findings(.badGoods) == [.noFault])
  }

  @Test("joint, compact and announced sales, and invoices with the passive archive")
  func others() throws {
    let joint = JointSale()
    let bad = Self.badClaim
    try expectConviction(
      Exhibits(
        [try joint.offer(.joint, claim: bad).bytes, try joint.ja5a(joint.ja4(claim: bad)).bytes],
        goods: [Ware.damaged]), .badGoods, .merchant, "joint")
    let jb1 = try joint.offer(.compact, claim: bad)
    try expectConviction(
      Exhibits([jb1.bytes, try joint.jb4a { $0.hP1 = jb1.hash }.bytes], goods: [Ware.damaged]), .badGoods,
      .merchant, "compact")
    let announced = AnnouncedSale()
    let po = try announced.po { ($0.terms.root, $0.terms.length) = (bad.root, bad.length) }
    try expectConviction(
      Exhibits([po.bytes, try announced.a9a { $0.hP1 = po.hash }.bytes], goods: [Ware.damaged]), .badGoods,
      .merchant, "announced")
    let invoice = try announced.invoice(bad).bytes
    try expectConviction(
      Exhibits([invoice, try announced.record().bytes], goods: [Ware.damaged]), .badGoods, .merchant,
      "invoice")
    let forged: [(String, [UInt8])] = [
      ("by a stranger", try announced.record(by: .stranger).bytes),
      ("k", try announced.record { $0.key = filled(1) }.bytes),
      ("n", try announced.record { $0.n = TransactionID(filled(1, 16))! }.bytes),
      ("M", try announced.record { $0.merchant = Actor.otherMerchant.key }.bytes),
    ]
    for (name, record) in forged {
      try expectAcquittal(Exhibits([invoice, record], goods: [Ware.damaged]), "record: \(name)")
    }
  }
}
