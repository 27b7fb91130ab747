// Rule 11: refusals of payments and exchanges, and what proves them.

import Judge
import Messages
import Testing

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
      try expectAllNeeded(Exhibits(files, heard: [.bank]), .refusedWrongly)
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

  @Test("an authorization of any mode proves that the token was used")
  func everyMode() throws {
    let asked = try uses.p2(9, 600)
    func terms(_ mode: Mode) -> LockTerms {
      Sale.terms(mode, hP1: digest(4)) { $0.value = Money("EUR:9")! }
    }
    let inputs = [TokenInput(token: uses.token, amount: 900)]
    func signed<M: TokenMode>(_: M.Type) throws -> [UInt8] {
      try Actor.tokenOne.sign(
        AuthorizationQ<M>(terms: terms(M.mode), bank: Actor.bank.key, tokenInputs: inputs)
      ).bytes
    }
    let announced = AnnouncedSale()
    let announcement = try Unverified<Announced>(announced.announced().bytes).claims.announcement
    let proofs: [(String, [[UInt8]])] = [
      ("E2", [try signed(EarlyMode.self)]), ("JA2", [try signed(JointMode.self)]),
      ("JB2", [try signed(CompactMode.self)]), ("R2", [try signed(RepeatedMode.self)]),
      ("X1 and X2", try uses.exchange(900)), ("X1", [try uses.x1(900).bytes]),
      ("announcement", [announcement]), ("as it was published", [try announced.announced().bytes]),
      ("published and locked", [try announced.a7().bytes, try announced.announced().bytes]),
      ("an endorsed invoice", [try announced.deposit().bytes]),
      ("inside another refusal", [try refusal(of: asked, .locked, proof: [try signed(EarlyMode.self)])]),
    ]
    let list = try Tokens.keyList().bytes
    for reason in [Reason.spent, .locked] {
      for (name, proof) in proofs {
        for heard in [[], [Actor.bank]] {
          let files = [asked.bytes, try refusal(of: asked, reason, proof: proof), list]
          let findings = try Exhibits(files, heard: heard).judged().findings(.refusedWrongly)
          #expect(!findings.contains(.convicted), "\(reason), \(name)")
        }
      }
    }
  }

  @Test("a proof that no key of the token signed, or for another bank, is none")
  func forgedProofs() throws {
    let asked = try uses.p2(9, 600)
    let announced = AnnouncedSale()
    let strange = try Actor.stranger.sign(
      Announcement(
        merchant: Actor.merchant.key, archive: Actor.archive.key, value: Sale.price,
        expiration: Times.expiration, hPO: announced.po().hash, token: uses.token)
    ).bytes
    let other = try announced.invoice(Ware.claim(of: Ware.damaged))
    var elsewhere = uses.token
    elsewhere.bank = Actor.otherBank.key
    let bound = elsewhere
    let proofs: [(String, [UInt8])] = [
      ("an announcement by a stranger", strange), ("X1 by a stranger", try uses.x1(900, by: .stranger).bytes),
      ("an invoice that a stranger endorsed", try announced.deposit(by: .stranger).bytes),
      ("another invoice's endorsement", try announced.deposit { $0.invoice = other.bytes }.bytes),
      ("an invoice of another bank", try announced.deposit(bank: .otherBank).bytes),
      ("another address' endorsement", try announced.deposit(address: digest(1)).bytes),
      ("an invoice with a token of another bank", try announced.deposit { $0.token = bound }.bytes),
      ("a lock without its authorization", try uses.p3(uses.p2(2, 900)).bytes),
    ]
    for (name, proof) in proofs {
      try expectConviction(
        Exhibits([asked.bytes, try refusal(of: asked, .spent, proof: [proof])]), .refusedWrongly, .bank,
        Comment(rawValue: name))
    }
  }

  @Test("an exchange that was refused without a use of its tokens is judged like a payment")
  func exchanges() throws {
    let (asked, list) = (try uses.x1(600), try Tokens.keyList().bytes)
    func refused(_ proof: [[UInt8]]) throws -> [UInt8] {
      try Actor.bank.sign(
        Refusal(at: Times.now + 50, reason: .spent, hRequest: asked.hash, proof: proof, detail: nil)
      ).bytes
    }
    try expectConviction(
      Exhibits([asked.bytes, try refused([asked.bytes])]), .refusedWrongly, .bank, "the request itself")
    try expectConviction(
      Exhibits([asked.bytes, try refused([]), list], heard: [.bank]), .refusedWrongly, .bank, "no proof")
    try expectAcquittal(
      Exhibits([asked.bytes, try refused([try uses.p2(2, 401).bytes]), list], heard: [.bank]), "proven")
    // An exchange that the bank refused is no use; carried out after all, it is one.
    let other = try uses.x1(900)
    let circular = [
      asked.bytes, try refused([other.bytes]), list,
      try Actor.bank.sign(
        Refusal(at: Times.now, reason: .wrongValue, hRequest: other.hash, proof: [], detail: nil)
      ).bytes,
    ]
    try expectConviction(Exhibits(circular), .refusedWrongly, .bank, "refused itself")
    try expectAcquittal(Exhibits(circular + [try uses.exchange(900)[1]]), "carried out after all")
    try expectConviction(
      Exhibits(circular + [try uses.exchange(900, by: .otherBank)[1]]), .refusedWrongly, .bank,
      "another bank's X2")
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
      ("for another bank", [try uses.p2(1, 500) { $0.bank = Actor.otherBank.key }.bytes]),
      ("a lock without its authorization", [try uses.p3(other).bytes]), ("an exchange", try uses.exchange(1)),
    ]
    for (name, proof) in proofs {
      try expectConviction(
        Exhibits([asked.bytes, try refusal(of: asked, .nReused, proof: proof)]), .refusedWrongly, .bank,
        Comment(rawValue: name))
    }
  }
  @Test("'n reused' is proven by an authorization of any mode, but by none that the bank refused itself")
  func reusedModes() throws {
    let asked = try uses.p2(0x4e, 600) { $0.terms.n = Ware.n }
    let announced = AnnouncedSale()
    let early = try Actor.tokenTwo.sign(
      E2(
        terms: Sale.terms(.early, hP1: digest(1)) { _ in }, bank: Actor.bank.key,
        tokenInputs: [Tokens.inputs[1]]))
    let proofs: [(String, [[UInt8]])] = [
      ("E2", [early.bytes]), ("JB2", [try JointSale().jb2().bytes]), ("R2", [try Series().r2().bytes]),
      ("A7 with the announcement", [try announced.a7().bytes, try announced.announced().bytes]),
    ]
    for (name, proof) in proofs {
      try expectAcquittal(
        Exhibits([asked.bytes, try refusal(of: asked, .nReused, proof: proof)]), name)
    }
    let files = [
      asked.bytes, try refusal(of: asked, .nReused, proof: [early.bytes]),
      try Actor.bank.sign(
        Refusal(at: Times.now, reason: .badToken, hRequest: early.hash, proof: [], detail: nil)
      ).bytes,
    ]
    try expectConviction(Exhibits(files), .refusedWrongly, .bank, "refused itself")
    let lock = try Actor.bank.sign(E3(terms: early.payload.terms)).bytes
    try expectAcquittal(Exhibits(files + [lock]), "locked after all")
  }
}
