// Rules 5 and 8: two outcomes of one lock, two contracts of one number.

import Judge
import Messages
import Testing

@Suite("Both outcomes")
struct OutcomeTests {
  private let sale = Sale()

  @Test("a commit and an abort of one lock convict the archive, in every mode")
  func convicts() throws {
    let files = [try sale.p5a().bytes, try sale.p5b().bytes]
    try expectConviction(Exhibits(files), .bothOutcomes, .archive)
    let cancelled = [files[0], try sale.p5b(cancelled: true).bytes]
    try expectConviction(Exhibits(cancelled), .bothOutcomes, .archive, "cancelled")
    let early = EarlySale()
    let e7b = try Actor.archive.sign(
      E7b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        lock: early.e3().hash, at: Times.expiration, failed: .expired))
    try expectConviction(Exhibits([try early.e7a().bytes, e7b.bytes]), .bothOutcomes, .archive, "early")
    let joint = JointSale()
    try expectConviction(
      Exhibits([try joint.ja5a().bytes, try joint.ja5b().bytes]), .bothOutcomes, .bank, "joint")
    try expectConviction(
      Exhibits([try joint.jb4a().bytes, try joint.jb4b().bytes]), .bothOutcomes, .bank, "compact")
    let series = Series()
    let r10b = try Actor.archive.sign(
      R10b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        lock: series.r3().hash, at: Times.expiration, failed: .expired))
    try expectConviction(Exhibits([try series.r10a().bytes, r10b.bytes]), .bothOutcomes, .archive, "series")
    try expectAcquittalWithoutTrust(Exhibits(files), in: [.archive, .merchant])
    for pair in [
      files, cancelled, [try joint.ja5a().bytes, try joint.ja5b().bytes],
      [try joint.jb4a().bytes, try joint.jb4b().bytes],
    ] { try expectAllNeeded(Exhibits(pair), .bothOutcomes) }
    // What the archive signed after its key was revoked does not count.
    let late = trustList { $0.change(.archive) { $0.revokedAt = Times.expiration } }
    try expectAcquittal(Exhibits(files, trust: late), "aborted by a thief")
    for actor in [Actor.stranger, .archive, .otherBank] {
      try expectAcquittal(
        Exhibits([try joint.jb4a(by: actor).bytes, try joint.jb4b(by: actor).bytes]).without(.otherBank),
        "compact by \(actor)")
    }
  }

  @Test("commits of one transaction under two locks convict the archive that signed both")
  func twoCommits() throws {
    let second = try sale.p3(by: .otherBank)
    let files = [try sale.p5a().bytes, try sale.p5a(sale.p4(second)).bytes]
    try expectConviction(Exhibits(files), .bothOutcomes, .archive)
    try expectAllNeeded(Exhibits(files), .bothOutcomes)
    try expectAcquittal(
      Exhibits([files[0], try sale.p5a(sale.p4(second), by: .otherArchive).bytes]), "two archives")
    try expectAcquittal(
      Exhibits([files[0], try sale.p5a(nil) { $0.at += 1 }.bytes]), "the same lock twice")
    var other = sale
    other.n = TransactionID(filled(7, 16))!
    try expectAcquittal(Exhibits([files[0], try other.p5a().bytes]), "two transactions")
    try expectAcquittal(
      Exhibits([files[0], try sale.p5a(sale.p4(second, by: .otherMerchant)).bytes]), "two merchants")
  }

  @Test("outcomes of different locks, archives or modes, and forged ones, convict nobody")
  func forged() throws {
    let (p5a, p5b) = (try sale.p5a().bytes, try sale.p5b().bytes)
    let joint = JointSale()
    let forged: [(String, [[UInt8]])] = [
      ("P5a alone", [p5a]), ("P5b alone", [p5b]),
      ("P5b by a stranger", [p5a, try sale.p5b(by: .stranger).bytes]),
      ("P5b by another archive", [p5a, try sale.p5b(by: .otherArchive).bytes]),
      ("P5b by the bank", [p5a, try sale.p5b(by: .bank).bytes]),
      ("P5a by a stranger", [try sale.p5a(by: .stranger).bytes, p5b]),
      ("P5a by another archive", [try sale.p5a(by: .otherArchive).bytes, p5b]),
      ("P4 by a stranger", [try sale.p5a(sale.p4(by: .stranger)).bytes, p5b]),
      ("P4 by another merchant", [try sale.p5a(sale.p4(by: .otherMerchant)).bytes, p5b]),
      ("another lock of the confederate's", [p5a, try sale.p5b(sale.p3(by: .otherBank)).bytes]),
      ("P5b.L", [p5a, try sale.p5b { $0.lock = digest(1) }.bytes]),
      ("P5b.n", [p5a, try sale.p5b { $0.n = TransactionID(filled(1, 16))! }.bytes]),
      ("P5b.M", [p5a, try sale.p5b { $0.merchant = Actor.otherMerchant.key }.bytes]),
      ("P4.L", [try sale.p5a(sale.p4 { $0.lock = digest(1) }).bytes, p5b]),
      ("JA5b by the archive", [p5a, try joint.ja5b(by: .archive).bytes]),
      ("JA5b by the bank", [p5a, try joint.ja5b().bytes]),
    ]
    for (name, files) in forged { try expectAcquittal(Exhibits(files), name) }
    let e7b = try Actor.archive.sign(
      E7b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        lock: sale.p3().hash, at: Times.expiration, failed: .expired))
    try expectAcquittal(Exhibits([p5a, e7b.bytes]), "an abort of another mode ends no core lock")
  }
}

@Suite("Record denied")
struct RecordDeniedTests {
  private let sale = Sale()

  private func query(_ change: (inout StatusQuery) -> Void = { _ in }) throws -> Verified<StatusQuery> {
    var payload = StatusQuery(n: sale.n, merchant: Actor.merchant.key, nonce: Nonce(filled(3, 16))!)
    change(&payload)
    return try Actor.stranger.sign(payload)
  }

  private func answer(
    _ query: Verified<StatusQuery>, by actor: Actor = .archive, at time: Timestamp = Times.now + 21,
    state: TransactionState = .open
  ) throws -> [UInt8] {
    try actor.sign(StatusAnswer(at: time, hQuery: query.hash, proof: [], state: state)).bytes
  }

  @Test("'open', signed after its own commit, convicts the archive")
  func convicts() throws {
    let query = try query()
    let files = [try sale.p5a().bytes, query.bytes, try answer(query)]
    try expectConviction(Exhibits(files), .recordDenied, .archive)
    try expectAllNeeded(Exhibits([files[0], files[2], files[1]]), .recordDenied)
    try expectAcquittalWithoutTrust(Exhibits(files), in: [.archive, .merchant])
  }

  @Test("'open' at or before the commit, of another transaction, or by others, convicts nobody")
  func forged() throws {
    let (query, p5a) = (try query(), try sale.p5a().bytes)
    let (otherN, otherM) = (
      try self.query { $0.n = TransactionID(filled(1, 16))! },
      try self.query { $0.merchant = Actor.otherMerchant.key }
    )
    let serial = try self.query { ($0.n, $0.merchant, $0.serial) = (nil, nil, digest(1)) }
    let cases: [(String, [[UInt8]])] = [
      ("in the same second", [p5a, query.bytes, try answer(query, at: Times.now + 20)]),
      ("before", [p5a, query.bytes, try answer(query, at: Times.now + 5)]),
      ("committed, it says", [p5a, query.bytes, try answer(query, state: .committed)]),
      ("by another archive", [p5a, query.bytes, try answer(query, by: .otherArchive)]),
      ("by a stranger", [p5a, query.bytes, try answer(query, by: .stranger)]),
      ("another archive's commit", [try sale.p5a(by: .otherArchive).bytes, query.bytes, try answer(query)]),
      ("no question", [p5a, try answer(query)]), ("no commit", [query.bytes, try answer(query)]),
      ("an abort", [try sale.p5b().bytes, query.bytes, try answer(query, at: Times.expiration + 1)]),
      ("of another n", [p5a, otherN.bytes, try answer(otherN)]),
      ("of another M", [p5a, otherM.bytes, try answer(otherM)]),
      ("of a token", [p5a, serial.bytes, try answer(serial)]),
    ]
    for (name, files) in cases { try expectAcquittal(Exhibits(files), name) }
  }
}

@Suite("Number reused")
struct ReuseTests {
  private let sale = Sale()

  @Test("two contracts of one number convict the merchant, of any two modes")
  func convicts() throws {
    let announced = AnnouncedSale()
    let offers: [(String, [UInt8])] = [
      ("P1", try sale.p1().bytes), ("E1", try EarlySale().e1().bytes), ("R1", try Series().r1().bytes),
      ("INV", try announced.invoice(Ware.claim).bytes), ("PO", try announced.po().bytes),
      ("JA1", try JointSale().offer(.joint).bytes), ("JB1", try JointSale().offer(.compact).bytes),
    ]
    for (index, first) in offers.enumerated() {
      for second in offers[(index + 1)...] {
        try expectConviction(
          Exhibits([first.1, second.1]), .numberReused, .merchant, "\(first.0) and \(second.0)")
      }
    }
    let changes: [Change<P1>] = [
      ("hx", { $0.hx = digest(1) }), ("root", { $0.root = digest(1) }), ("salt", { $0.salt = digest(1) }),
      ("price", { $0.contract.price = Money("EUR:1")! }),
      ("P", { $0.contract.pseudonym = Actor.stranger.key }),
    ]
    for change in changes {
      let files = [try sale.p1().bytes, try sale.p1(change.body).bytes]
      try expectConviction(Exhibits(files), .numberReused, .merchant, "\(change.name)")
    }
  }

  @Test("two descriptions of the same goods convict the merchant")
  func merchandise() throws {
    let early = EarlySale()
    try expectConviction(
      Exhibits([try early.e4().bytes, try early.e4 { $0.root = digest(1) }.bytes]), .numberReused, .merchant)
    let series = Series()
    let r6 = try series.r6(1)
    try expectConviction(
      Exhibits([r6.bytes, try series.r6(1) { $0.runningTotal = Money("EUR:9")! }.bytes]), .numberReused,
      .merchant)
    try expectAcquittal(Exhibits([r6.bytes, try series.r6(2).bytes]), "two purchases of a series")
    try expectAcquittal(
      Exhibits([r6.bytes, try series.r6(1, by: .otherMerchant) { $0.runningTotal = Money("EUR:9")! }.bytes]),
      "two merchants' R6")
    let e4 = try early.e4().bytes
    for (name, actor) in [("a stranger's", Actor.stranger), ("another merchant's", .otherMerchant)] {
      try expectAcquittal(
        Exhibits([e4, try early.e4(by: actor) { $0.root = digest(1) }.bytes]), "\(name) E4")
    }
    // Nobody who is no merchant is convicted as one.
    for actor in [Actor.stranger, .archive] {
      let pair = [try early.e4(by: actor).bytes, try early.e4(by: actor) { $0.root = digest(1) }.bytes]
      try expectAcquittal(Exhibits(pair), "two E4 by \(actor)")
    }
    try expectAllNeeded(Exhibits([e4, try early.e4 { $0.root = digest(1) }.bytes]), .numberReused)
    // Nothing dates E4: a revoked key's does not count.
    let revoked = trustList { $0.change(.merchant) { $0.revokedAt = Times.now + 500 } }
    try expectAcquittal(
      Exhibits([e4, try early.e4 { $0.root = digest(1) }.bytes], trust: revoked), "revoked, undated")
  }

  @Test("the same contract signed again is nothing, and so is what others sign")
  func forged() throws {
    let p1 = try sale.p1()
    #expect(try Exhibits([p1.bytes, try sale.p1().bytes]).judged().verdicts.isEmpty)
    var again = p1.bytes
    // Another signature over the same payload: not a valid one, and it must not count as a second contract.
    again[again.count - 1] ^= 1
    try expectAcquittal(Exhibits([p1.bytes, again]), "a damaged copy")
    let other = try sale.p1 { $0.root = digest(1) }
    let forged: [(String, [UInt8])] = [
      ("a stranger's", try sale.p1(by: .stranger) { $0.root = digest(1) }.bytes),
      ("another merchant's", try sale.p1(by: .otherMerchant) { $0.root = digest(1) }.bytes),
      ("the archive's", try sale.p1(by: .archive) { $0.root = digest(1) }.bytes),
      ("another number", try sale.p1 { $0.n = TransactionID(filled(1, 16))! }.bytes),
      ("dated before the key counts", try sale.p1 { $0.contract.date = Times.now - 5000 }.bytes),
      ("dated after the key counts", try sale.p1 { $0.contract.date = Times.lifetime + 5000 }.bytes),
    ]
    for (name, file) in forged { try expectAcquittal(Exhibits([p1.bytes, file]), name) }
    try expectAcquittalWithoutTrust(Exhibits([p1.bytes, other.bytes]), in: [.merchant])
    let revoked = trustList { $0.change(.merchant) { entry in entry.revokedAt = Times.now + 10 } }
    let late = try sale.p1 { $0.contract.date = Times.now + 10 }
    try expectAcquittal(Exhibits([p1.bytes, late.bytes], trust: revoked), "dated after the revocation")
    try expectConviction(Exhibits([p1.bytes, other.bytes], trust: revoked), .numberReused, .merchant)
  }
}
