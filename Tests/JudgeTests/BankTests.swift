// Rules 9 to 11: what a bank may not do with locks and tokens.

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
    let joint = JointSale()
    let other = try joint.jb2 { $0.terms.value = Money("EUR:1")! }
    try expectConviction(
      Exhibits(
        [try joint.jb2().bytes, try joint.jb2ack().bytes, other.bytes, try joint.jb2ack(other).bytes]),
      .lockedTwice, .bank, "compact")
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
    try expectAcquittalWithoutTrust(Exhibits([p3, other]), in: [.bank])
    let revoked = trustList { $0.change(.bank) { entry in entry.revokedAt = Times.hearing } }
    try expectAcquittal(Exhibits([p3, other], trust: revoked), "revoked, and nothing dates them")
    let aborts = [
      try sale.p5b().bytes, try sale.p5b(sale.p3 { $0.value = Money("EUR:1")! }).bytes,
    ]
    try expectConviction(
      Exhibits([p3, other] + aborts, trust: revoked), .lockedTwice, .bank, "the archive's record dates them")
  }
}

/// Locks of one token: EUR 10, used in parts.
private struct Uses {
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

  func abort(_ p3: Verified<P3>, by actor: Actor = .archive) throws -> [UInt8] {
    let terms = p3.payload.terms
    return try actor.sign(
      P5b(
        n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
        lock: p3.hash, at: Times.expiration, failed: .expired)
    ).bytes
  }

  func exchange(_ amount: UInt64, by bank: Actor = .bank) throws -> [[UInt8]] {
    let x1 = try Actor.tokenOne.sign(
      X1(
        bank: Actor.bank.key, total: Money(currency: "EUR", amount: amount)!,
        tokenInputs: [TokenInput(token: token, amount: amount)],
        outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil))
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
    let announced = AnnouncedSale()
    let files = try base() + [try announced.announced().bytes, try announced.a7().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .spentBeyondValue, .bank, "announced")
    let joint = JointSale()
    let compact = try base() + [try joint.jb2().bytes, try joint.jb2ack().bytes]
    try expectConviction(Exhibits(compact, heard: [.bank]), .spentBeyondValue, .bank, "compact")
  }

  @Test("within the value, aborted, unheard or forged: nobody is at fault")
  func forged() throws {
    let second = try uses.p2(2, 401)
    let p3 = try uses.p3(second)
    let two = try base() + [second.bytes, p3.bytes]
    let witness = try Actor.witness.sign(
      P5c(
        n: second.payload.terms.n, merchant: Actor.merchant.key, expiration: Times.expiration,
        lifetime: Times.lifetime, lock: p3.hash, at: Times.expiration + 9, failed: Reason.expired.rawValue,
        nonResponses: [
          try Actor.witness.sign(
            NonResponse(
              n: second.payload.terms.n, merchant: Actor.merchant.key, lock: p3.hash, hRequest: p3.hash,
              target: Actor.archive.key, sentAt: Times.expiration, waitedUntil: Times.expiration + 30)
          ).bytes
        ]))
    let cases: [(String, Exhibits)] = [
      ("just the value", Exhibits(try base() + (try uses.lock(2, 400)), heard: [.bank])),
      ("aborted", Exhibits(two + [try uses.abort(p3)], heard: [.bank])),
      ("aborted by the witnesses", Exhibits(two + [witness.bytes], heard: [.bank])),
      ("unheard", Exhibits(two)), ("too late", Exhibits(two, heard: [.bank], now: Times.lifetime + 1)),
      ("no key list", Exhibits(Array(two.dropFirst()), heard: [.bank])),
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
    for (name, abort) in [
      ("another archive's abort", try uses.abort(p3, by: .otherArchive)),
      ("a stranger's abort", try uses.abort(p3, by: .stranger)),
    ] {
      try expectConviction(
        Exhibits(two + [abort], heard: [.bank]), .spentBeyondValue, .bank, Comment(rawValue: name))
    }
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
}

@Suite("Refused wrongly")
struct RefusalTests {
  private let uses = Uses()

  private func refusal(
    of p2: Verified<P2>, _ reason: Reason, proof: [[UInt8]] = [], by actor: Actor = .bank,
    at time: Timestamp = Times.now + 50
  ) throws -> [UInt8] {
    try actor.sign(
      Refusal(at: time, reason: reason, hRequest: p2.hash, proof: proof, detail: nil)
    ).bytes
  }

  @Test("'spent' or 'locked' without another use of the token: the bank is at fault")
  func convicts() throws {
    let (asked, stranger) = (try uses.p2(1, 600), try uses.p2(2, 600, by: .stranger))
    let other = try uses.p2(2, 600, by: .tokenTwo) { $0.tokenInputs[0].token = Tokens.token(.tokenTwo) }
    for reason in [Reason.spent, .locked] {
      let proofs: [(String, [UInt8])] = [
        ("of the request itself", asked.bytes), ("of another token", other.bytes),
        ("not signed by the token", stranger.bytes),
        ("at another bank", try uses.p2(2, 600) { $0.bank = Actor.otherBank.key }.bytes),
        ("no authorization", try uses.p3(asked).bytes),
      ]
      for (name, proof) in proofs {
        try expectConviction(
          Exhibits([asked.bytes, try refusal(of: asked, reason, proof: [proof])]), .refusedWrongly, .bank,
          "\(reason), \(name)")
      }
      let files = [asked.bytes, try refusal(of: asked, reason), try Tokens.keyList().bytes]
      try expectConviction(Exhibits(files, heard: [.bank]), .refusedWrongly, .bank, "no proof")
      let small = try uses.p2(2, 400)
      let tooLittle = [asked.bytes, try refusal(of: asked, reason, proof: [small.bytes]), files[2]]
      try expectConviction(Exhibits(tooLittle, heard: [.bank]), .refusedWrongly, .bank, "enough is left")
    }
  }

  @Test("a use that the bank itself refused is no proof")
  func circular() throws {
    let (asked, refused) = (try uses.p2(1, 600), try uses.p2(2, 600))
    let files = [
      asked.bytes, try refusal(of: asked, .spent, proof: [refused.bytes]),
      try refusal(of: refused, .noSuchAccount),
    ]
    try expectConviction(Exhibits(files), .refusedWrongly, .bank)
    try expectAcquittal(Exhibits(files + [try uses.p3(refused).bytes]), "locked after all")
  }

  @Test("with a true proof, or unheard, the bank is not at fault")
  func innocent() throws {
    let (asked, before) = (try uses.p2(1, 600), try uses.p2(2, 401))
    let list = try Tokens.keyList().bytes
    let proven = [asked.bytes, try refusal(of: asked, .locked, proof: [before.bytes]), list]
    #expect(try Exhibits(proven, heard: [.bank]).judged().findings(.refusedWrongly) == [.noFault])
    let x1 = try uses.exchange(401)
    let cases: [(String, Exhibits)] = [
      ("proven by a lock", Exhibits(proven, heard: [.bank])),
      (
        "proven by an exchange",
        Exhibits([asked.bytes, try refusal(of: asked, .spent, proof: x1), list], heard: [.bank])
      ),
      (
        "proven in parts",
        Exhibits(
          [asked.bytes, try refusal(of: asked, .spent, proof: [try uses.p2(3, 200).bytes]), list]
            + [try uses.p2(2, 201).bytes], heard: [.bank])
      ),
      ("unheard, no proof", Exhibits([asked.bytes, try refusal(of: asked, .spent), list])),
      (
        "unheard, enough is left",
        Exhibits(
          [asked.bytes, try refusal(of: asked, .spent, proof: [try uses.p2(3, 200).bytes]), list])
      ),
      ("no key list", Exhibits([asked.bytes, try refusal(of: asked, .spent)], heard: [.bank])),
      (
        "by a stranger",
        Exhibits([asked.bytes, try refusal(of: asked, .spent, by: .stranger), list], heard: [.bank])
      ),
      (
        "by another bank",
        Exhibits(
          [asked.bytes, try refusal(of: asked, .spent, by: .otherBank), list], heard: [.bank, .otherBank])
      ),
      ("of another request", Exhibits([before.bytes, try refusal(of: asked, .spent), list], heard: [.bank])),
      ("another reason", Exhibits([asked.bytes, try refusal(of: asked, .badToken), list], heard: [.bank])),
      (
        "a request that its token did not sign",
        Exhibits(
          [
            try uses.p2(1, 600, by: .stranger).bytes, try refusal(of: uses.p2(1, 600, by: .stranger), .spent),
            list,
          ],
          heard: [.bank])
      ),
      (
        "too late",
        Exhibits(
          [asked.bytes, try refusal(of: asked, .spent), list], heard: [.bank], now: Times.lifetime + 1)
      ),
    ]
    for (name, exhibits) in cases { try expectAcquittal(exhibits, name) }
    try expectAcquittalWithoutTrust(
      Exhibits([asked.bytes, try refusal(of: asked, .spent, proof: [asked.bytes])]), in: [.bank])
  }

  @Test("the proof counts in whatever form its owner signs it again")
  func signedAgain() throws {
    let sale = Sale()
    let asked = try sale.p2 { $0.terms.n = TransactionID(filled(5, 16))! }
    let shown = try sale.p2()
    let inner = try Actor.tokenTwo.sign(shown.payload)
    let again = try Actor.tokenOne.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
    #expect(again.hash != shown.hash)
    for proof in [shown, again] {
      let other = proof.hash == shown.hash ? again : shown
      let files = [asked.bytes, try refusal(of: asked, .spent, proof: [proof.bytes]), other.bytes]
      try expectAcquittal(Exhibits(files), "both forms are there")
    }
  }

  @Test("'n reused' is proven by another authorization of this transaction, or it is wrong")
  func reused() throws {
    let (asked, other) = (try uses.p2(1, 600), try uses.p2(1, 500))
    let proven = Exhibits([asked.bytes, try refusal(of: asked, .nReused, proof: [other.bytes])])
    #expect(try proven.judged().findings(.refusedWrongly) == [.noFault])
    let proofs: [(String, [[UInt8]])] = [
      ("none", []), ("the request itself", [asked.bytes]),
      ("another transaction", [try uses.p2(2, 600).bytes]),
      ("not signed by the token", [try uses.p2(1, 500, by: .stranger).bytes]),
      ("another merchant's", [try uses.p2(1, 500) { $0.terms.merchant = Actor.otherMerchant.key }.bytes]),
    ]
    for (name, proof) in proofs {
      try expectConviction(
        Exhibits([asked.bytes, try refusal(of: asked, .nReused, proof: proof)]), .refusedWrongly, .bank,
        Comment(rawValue: name))
    }
  }
}
