// Rules 9 and 10: what a bank may not do with locks and tokens.

import Judge
import Messages
import Testing

@Suite("Locked twice")
struct LockedTwiceTests {
  private let sale = Sale()

  @Test("two locks of one transaction convict the bank that signed both")
  func convicts() throws {
    for change in changedTerms where !["n", "M"].contains(change.name) {
      let files = [try sale.p3().bytes, try sale.p3(change.body).bytes]
      try expectConviction(Exhibits(files), .lockedTwice, .bank, "\(change.name)")
    }
    try expectConviction(
      Exhibits([try sale.p3().bytes, try EarlySale().e3().bytes]), .lockedTwice, .bank, "two modes")
    let sameTerms = try Actor.bank.sign(E3(terms: sale.terms()))
    try expectAllNeeded(
      Exhibits([try sale.p3().bytes, sameTerms.bytes]), .lockedTwice, "two modes, same terms")
    let announced = AnnouncedSale()
    let a7s = try [announced.announced().hash, digest(1)].map { hash in
      try Actor.bank.sign(A7(terms: announced.a7().payload.terms, hAnnounced: hash)).bytes
    }
    try expectAllNeeded(Exhibits(a7s), .lockedTwice, "two announcements")
    let joint = JointSale()
    let other = try joint.jb2 { $0.terms.value = Money("EUR:1")! }
    try expectConviction(
      Exhibits(
        [try joint.jb2().bytes, try joint.jb2ack().bytes, other.bytes, try joint.jb2ack(other).bytes]),
      .lockedTwice, .bank, "compact")
    // The same terms and other tokens are another lock where the authorization itself names it.
    let second = try Actor.tokenTwo.sign(
      JB2(terms: joint.terms(.compact), bank: Actor.bank.key, tokenInputs: [Tokens.inputs[1]]))
    try expectConviction(
      Exhibits(
        [try joint.jb2().bytes, try joint.jb2ack().bytes, second.bytes, try joint.jb2ack(second).bytes]),
      .lockedTwice, .bank, "compact, other tokens")
  }

  @Test("locks of other banks and transactions, and forged ones, convict nobody")
  func forged() throws {
    let p3 = try sale.p3().bytes
    let other = try sale.p3 { $0.value = Money("EUR:1")! }.bytes
    let joint = JointSale()
    let jb2 = try joint.jb2 { $0.terms.value = Money("EUR:1")! }
    let forged: [(String, [[UInt8]])] = [
      ("one lock", [p3]), ("the same twice", [p3, try sale.p3().bytes]),
      ("by a stranger", [p3, try sale.p3(by: .stranger) { $0.value = Money("EUR:1")! }.bytes]),
      (
        "the confederate's at another bank", [p3, try sale.p3(by: .otherBank) { $0.expiration -= 300 }.bytes]
      ),
      ("another n", [p3, try sale.p3(changedTerms[0].body).bytes]),
      ("another M", [p3, try sale.p3(changedTerms[1].body).bytes]),
      (
        "two authorizations",
        [p3, try sale.p2().bytes, try sale.p2 { $0.terms.value = Money("EUR:1")! }.bytes]
      ),
      (
        "an authorization that was not acknowledged",
        [
          try joint.jb2().bytes, try joint.jb2ack().bytes, jb2.bytes,
        ]
      ),
    ]
    for (name, files) in forged { try expectAcquittal(Exhibits(files, heard: [.bank, .otherBank]), name) }
    let twins = [try joint.jb2(outermost: .tokenOne), try joint.jb2(outermost: .tokenTwo)]
    #expect(twins[0].hash != twins[1].hash && twins[0].payload == twins[1].payload)
    let signedTwice = try twins.flatMap { [$0.bytes, try joint.jb2ack($0).bytes] }
    try expectAcquittal(Exhibits(signedTwice), "an authorization that its owner signed twice")
    try expectAcquittalWithoutTrust(Exhibits([p3, other]), in: [.bank])
    let revoked = trustList { $0.change(.bank) { entry in entry.revokedAt = Times.hearing } }
    try expectAcquittal(Exhibits([p3, other], trust: revoked), "revoked, and nothing dates them")
    let others = trustList { $0.change(.otherBank) { entry in entry.revokedAt = Times.hearing } }
    try expectConviction(
      Exhibits([p3, other], trust: others), .lockedTwice, .bank, "another's key is revoked")
    let inAnotherRole = trustList {
      $0.entries.append(
        TrustEntry(
          role: .merchant, name: "shop", key: Actor.bank.key, from: 1, until: Times.lifetime,
          revokedAt: Times.hearing))
    }
    try expectConviction(Exhibits([p3, other], trust: inAnotherRole), .lockedTwice, .bank, "in another role")
    let aborts = [
      try sale.p5b().bytes, try sale.p5b(sale.p3 { $0.value = Money("EUR:1")! }).bytes,
    ]
    try expectConviction(
      Exhibits([p3, other] + aborts, trust: revoked), .lockedTwice, .bank, "the archive's record dates them")
  }
}

/// Locks of one token: EUR 10, used in parts.
struct Uses {
  let token = Tokens.token(.tokenOne)

  func p2(
    _ number: UInt8, _ amount: UInt64, by actor: Actor = .tokenOne, _ change: (inout P2) -> Void = { _ in }
  ) throws -> Verified<P2> {
    let terms = Sale.terms(.core, hP1: digest(number), n: TransactionID(filled(number, 16))!) {
      $0.value = Money(currency: "EUR", amount: amount)!
    }
    var payload = P2(
      terms: terms, bank: Actor.bank.key, tokenInputs: [TokenInput(token: token, amount: amount)])
    change(&payload)
    return try actor.sign(payload)
  }

  func p3(_ p2: Verified<P2>, by actor: Actor = .bank) throws -> Verified<P3> {
    try actor.sign(P3(terms: p2.payload.terms))
  }

  /// Authorization and lock.
  func lock(_ number: UInt8, _ amount: UInt64) throws -> [[UInt8]] {
    let p2 = try p2(number, amount)
    return [p2.bytes, try p3(p2).bytes]
  }

  /// The token's owner and another bank make a lock of a token that is not that bank's.
  func elsewhere(_ number: UInt8, _ amount: UInt64) throws -> [[UInt8]] {
    let p2 = try p2(number, amount) { $0.bank = Actor.otherBank.key }
    return [p2.bytes, try p3(p2, by: .otherBank).bytes]
  }

  func abort(
    _ p3: Verified<P3>, by actor: Actor = .archive, _ change: (inout P5b) -> Void = { _ in }
  ) throws -> [UInt8] {
    let terms = p3.payload.terms
    var payload = P5b(
      n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
      lock: p3.hash, at: Times.expiration, failed: .expired)
    change(&payload)
    return try actor.sign(payload).bytes
  }

  /// A commit of the same lock.
  func commit(_ p3: Verified<P3>) throws -> [UInt8] {
    let terms = p3.payload.terms
    let p4 = try Actor.merchant.sign(
      P4(n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: p3.hash, key: Ware.k))
    return try Actor.archive.sign(
      P5a(submission: p4.bytes, at: Times.now + 20, lifetime: Times.lifetime)
    ).bytes
  }

  func x1(_ amount: UInt64, by actor: Actor = .tokenOne) throws -> Verified<X1> {
    try actor.sign(
      X1(
        bank: Actor.bank.key, total: Money(currency: "EUR", amount: amount)!,
        tokenInputs: [TokenInput(token: token, amount: amount)],
        outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil))
  }

  func exchange(_ amount: UInt64, by bank: Actor = .bank) throws -> [[UInt8]] {
    let x1 = try x1(amount)
    let x2 = try bank.sign(X2(at: Times.now, hX1: x1.hash, signatures: [filled(1, 256)]))
    return [x1.bytes, x2.bytes]
  }
}

@Suite("Spent beyond value")
struct SpentBeyondTests {
  private let uses = Uses()

  private func base() throws -> [[UInt8]] { [try Tokens.keyList().bytes] + (try uses.lock(1, 600)) }

  @Test("locks and exchanges beyond the token's value, no abort between: the bank is at fault")
  func convicts() throws {
    try expectConviction(
      Exhibits(try base() + (try uses.lock(2, 401)), heard: [.bank]), .spentBeyondValue, .bank)
    try expectConviction(
      Exhibits(try base() + (try uses.exchange(401)), heard: [.bank]), .spentBeyondValue, .bank)
    for second in [try uses.lock(2, 401), try uses.exchange(401)] {
      try expectAllNeeded(Exhibits(try base() + second, heard: [.bank]), .spentBeyondValue)
    }
    let announced = AnnouncedSale()
    let files = try base() + [try announced.announced().bytes, try announced.a7().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .spentBeyondValue, .bank, "announced")
    let list = [try Tokens.keyList().bytes, try uses.p2(1, 600).bytes, try uses.p3(uses.p2(1, 600)).bytes]
    func announcement(by actor: Actor) throws -> [[UInt8]] {
      let inner = try Unverified<Announced>(announced.announced().bytes).claims.announcement
      let message = try actor.sign(Unverified<Announcement>(inner).claims)
      let published = try Actor.archive.sign(Announced(at: Times.now, announcement: message.bytes))
      let a7 = try Actor.bank.sign(A7(terms: announced.a7().payload.terms, hAnnounced: published.hash))
      return [published.bytes, a7.bytes]
    }
    try expectConviction(
      Exhibits(try list + announcement(by: .tokenOne), heard: [.bank]), .spentBeyondValue, .bank)
    try expectAcquittal(
      Exhibits(try list + announcement(by: .stranger), heard: [.bank]), "a stranger announced")
    let mixed = [try announced.announced().bytes, try announcement(by: .stranger)[1]]
    try expectAcquittal(Exhibits(list + mixed, heard: [.bank]), "locked for another announcement")
    let joint = JointSale()
    let compact = try base() + [try joint.jb2().bytes, try joint.jb2ack().bytes]
    let big = try joint.jb2 { $0.tokenInputs[0].amount = 1234 }
    let single = Exhibits([compact[0], big.bytes, try joint.jb2ack(big).bytes], heard: [.bank])
    try expectAllNeeded(single, .spentBeyondValue, "one lock of more than the token is worth")
    let strange = try Actor.stranger.sign(joint.jb2().payload)
    try expectAcquittal(
      Exhibits(try base() + [strange.bytes, try joint.jb2ack(strange).bytes], heard: [.bank]),
      "the token did not sign")
    try expectConviction(Exhibits(compact, heard: [.bank]), .spentBeyondValue, .bank, "compact")
    // The same terms and other tokens, which the bank did not acknowledge: no doubt which it was given.
    let other = try Actor.tokenTwo.sign(
      JB2(terms: joint.terms(.compact), bank: Actor.bank.key, tokenInputs: [Tokens.inputs[1]]))
    try expectConviction(
      Exhibits(compact + [other.bytes], heard: [.bank]), .spentBeyondValue, .bank, "not acknowledged")
  }

  @Test("within the value, aborted, unheard or forged: nobody is at fault")
  func forged() throws {
    let second = try uses.p2(2, 401)
    let p3 = try uses.p3(second)
    let two = try base() + [second.bytes, p3.bytes]
    let cases: [(String, Exhibits)] = [
      ("just the value", Exhibits(try base() + (try uses.lock(2, 400)), heard: [.bank])),
      ("aborted", Exhibits(two + [try uses.abort(p3)], heard: [.bank])),
      ("unheard", Exhibits(two)), ("too late", Exhibits(two, heard: [.bank], now: Times.lifetime + 1)),
      ("no key list", Exhibits(Array(two.dropFirst()), heard: [.bank])),
      ("a token that the bank did not sign", Exhibits(two, heard: [.bank], tokenHolds: false)),
      ("no P3", Exhibits(try base() + [second.bytes], heard: [.bank])),
      (
        "P3 by a stranger",
        Exhibits(try base() + [second.bytes, try uses.p3(second, by: .stranger).bytes], heard: [.bank])
      ),
      (
        "P3 by another bank",
        Exhibits(
          try base() + [second.bytes, try uses.p3(second, by: .otherBank).bytes], heard: [.bank, .otherBank])
      ),
      (
        "P2 by another key",
        Exhibits(
          try base() + [try uses.p2(2, 401, by: .stranger).bytes, p3.bytes], heard: [.bank])
      ),
      (
        "a lock at another bank",
        Exhibits(try base() + (try uses.elsewhere(2, 401)), heard: [.bank, .otherBank])
      ),
      ("the same lock twice", Exhibits(try base() + (try uses.lock(1, 600)), heard: [.bank])),
      ("X2 by another bank", Exhibits(try base() + (try uses.exchange(401, by: .otherBank)), heard: [.bank])),
      ("X1 alone", Exhibits(try base() + [try uses.exchange(401)[0]], heard: [.bank])),
      (
        "two authorizations, never locked",
        Exhibits(
          [try Tokens.keyList().bytes, try uses.p2(1, 600).bytes, second.bytes], heard: [.bank])
      ),
    ]
    for (name, exhibits) in cases { try expectAcquittal(exhibits, name) }
    try expectAcquittalWithoutTrust(Exhibits(two, heard: [.bank]), in: [.bank])
    // Nor does the name of another bank's larger denomination make the token worth more.
    var (large, elsewhere) = (Tokens.denomination, uses.token)
    (large.id, large.value) = (digest(0x0f), Money("EUR:1000")!)
    (elsewhere.bank, elsewhere.issuer, elsewhere.keyID) = (
      Actor.otherBank.key, Actor.otherBank.key, large.id
    )
    let (largest, relabelled) = (large, elsewhere)
    let other = [
      try Tokens.keyList(by: .otherBank) { $0.keys = [largest] }.bytes,
      try uses.p2(9, 1) { ($0.bank, $0.tokenInputs[0].token) = (Actor.otherBank.key, relabelled) }.bytes,
    ]
    try expectConviction(
      Exhibits(two + other, heard: [.bank]), .spentBeyondValue, .bank, "another bank's name")
    #expect(try Exhibits(Array(try base().dropFirst())).judged().findings(.spentBeyondValue) == [])
    for (name, abort) in [
      ("another archive's abort", try uses.abort(p3, by: .otherArchive)),
      ("a stranger's abort", try uses.abort(p3, by: .stranger)),
      ("of another lock", try uses.abort(p3) { $0.lock = digest(1) }),
      ("of another n", try uses.abort(p3) { $0.n = TransactionID(filled(7, 16))! }),
      ("of another M", try uses.abort(p3) { $0.merchant = Actor.otherMerchant.key }),
      ("another lifetime", try uses.abort(p3) { $0.lifetime += 1 }),
    ] {
      try expectConviction(
        Exhibits(two + [abort], heard: [.bank]), .spentBeyondValue, .bank, Comment(rawValue: name))
    }
    // These two convict their archive, too: they say that they came before the expiration.
    for early in [
      try uses.abort(p3) { $0.expiration += 1 }, try uses.abort(p3) { $0.at = Times.expiration - 1 },
    ] {
      let judged = try Exhibits(two + [early], heard: [.bank]).judged().verdicts
        .filter { $0.finding == .convicted }
      #expect(
        Set(judged.map { "\($0.dispute) \($0.against!.role.name)" }) == [
          "spentBeyondValue bank", "abortedEarly archive",
        ])
    }
  }

  @Test("an abort that the archive published beside its commit frees the lock all the same")
  func bothOutcomes() throws {
    let second = try uses.p2(2, 401)
    let p3 = try uses.p3(second)
    let files =
      try base() + [second.bytes, p3.bytes, try uses.abort(p3), try uses.commit(p3)]
    try expectConviction(
      Exhibits(files, heard: [.bank]), .bothOutcomes, .archive, also: [.notCredited],
      "the bank may have been given the abort")
  }

  @Test("one authorization that its owner signed twice, and the bank acknowledged twice, is one use")
  func signedTwice() throws {
    let joint = JointSale()
    let twins = [try joint.jb2(outermost: .tokenOne), try joint.jb2(outermost: .tokenTwo)]
    let files = try twins.flatMap { [$0.bytes, try joint.jb2ack($0).bytes] } + [Tokens.keyList().bytes]
    try expectAcquittal(Exhibits(files, heard: [.bank]), "signed twice")
    let x1 = X1(
      bank: Actor.bank.key, total: Money("EUR:12")!,
      tokenInputs: [Tokens.inputs[0], TokenInput(token: Tokens.token(.tokenTwo), amount: 200)],
      outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil)
    let orders = [(Actor.tokenOne, Actor.tokenTwo), (.tokenTwo, .tokenOne)]
    let exchanges = try orders.flatMap { first, second in
      let signed = try second.withKey { (key) throws(MessageError) in try first.sign(x1).coSigned(with: key) }
      let x2 = try Actor.bank.sign(X2(at: Times.now, hX1: signed.hash, signatures: [filled(1, 256)]))
      return [signed.bytes, x2.bytes]
    }
    try expectAcquittal(
      Exhibits(exchanges + [try Tokens.keyList().bytes], heard: [.bank]), "an exchange signed twice")
  }

  @Test("a committed series takes its running total; the rest of the budget is free again")
  func series() throws {
    let series = Series()
    // The whole of tokenOne and a part of tokenTwo are locked; 3.00 are due, and paid by the first token.
    let r2 = try series.r2()
    let lock = [try Tokens.keyList().bytes, r2.bytes, try series.r3().bytes]
    func also(_ amount: UInt64) throws -> [[UInt8]] { lock + (try uses.lock(7, amount)) }
    try expectConviction(
      Exhibits(try also(700), heard: [.bank]), .spentBeyondValue, .bank, "the budget is locked")
    let committed = [try series.r10a().bytes, try series.credit(Series.total(2)).bytes]
    try expectAcquittal(Exhibits(try also(700) + committed, heard: [.bank]), "the rest is free")
    try expectConviction(
      Exhibits(try also(701) + committed, heard: [.bank]), .spentBeyondValue, .bank, "more than the rest")
    // Tokens pay in the order of the list: of the second one nothing was taken.
    let second = try uses.p2(8, 1000, by: .tokenTwo) { $0.tokenInputs[0].token = Tokens.token(.tokenTwo) }
    let whole = lock + [second.bytes, try uses.p3(second).bytes]
    try expectConviction(Exhibits(whole, heard: [.bank]), .spentBeyondValue, .bank, "both are locked")
    try expectAcquittal(Exhibits(whole + committed, heard: [.bank]), "the second is free")
  }

  @Test(
    "an authorization of this token that its owner made up afterwards frames no bank that shows the true one")
  func madeUp() throws {
    // The true second purchase used another token; the owner signs the same terms again with the first one.
    let other = Tokens.token(.tokenTwo, serial: 2)
    let truth = try uses.p2(2, 401, by: .tokenTwo) { $0.tokenInputs[0].token = other }
    let madeUp = try uses.p2(2, 401)
    #expect(truth.payload.terms == madeUp.payload.terms)
    let framing = try base() + [madeUp.bytes, try uses.p3(truth).bytes]
    try expectAcquittal(Exhibits(framing), "before the bank was heard")
    try expectAcquittal(Exhibits(framing + [truth.bytes], heard: [.bank]), "the bank shows the true one")
    // Nor does a token with the same id and the key of a smaller denomination.
    var small = Tokens.denomination
    (small.id, small.value) = (digest(0x0e), Money("EUR:1")!)
    let list = try Tokens.keyList { $0.keys.append(small) }
    var cheap = uses.token
    cheap.keyID = small.id
    let relabelled = try uses.p2(1, 600) { $0.tokenInputs[0].token = cheap }
    let files = [list.bytes] + (try uses.lock(1, 600)) + (try uses.lock(2, 400)) + [relabelled.bytes]
    try expectAcquittal(Exhibits(files, heard: [.bank]), "a smaller denomination")
  }

  @Test("of several denominations under which a token's signature holds, the largest is its value")
  func largest() throws {
    // Many of them, so that neither the first nor the last by chance will do.
    var (list, files) = (try Tokens.keyList().payload, [[UInt8]]())
    for index in 1...7 as ClosedRange<UInt8> {
      var (key, named) = (Tokens.denomination, uses.token)
      (key.id, key.value) = (digest(0x20 + index), Money("EUR:\(index)")!)
      list.keys.append(key)
      named.keyID = key.id
      files.append(try uses.p2(0x20 + index, 1) { [named] in $0.tokenInputs[0].token = named }.bytes)
    }
    let within = files + (try uses.lock(1, 600)) + (try uses.lock(2, 400)) + [try Actor.bank.sign(list).bytes]
    try expectAcquittal(Exhibits(within, heard: [.bank]), "all of the largest")
    let beyond = files + (try uses.lock(1, 600)) + (try uses.lock(2, 401)) + [try Actor.bank.sign(list).bytes]
    try expectConviction(Exhibits(beyond, heard: [.bank]), .spentBeyondValue, .bank, "more than that")
  }
}
