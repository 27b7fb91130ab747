// The catalogue's attacks on the core protocol. Where a fix can be left out, the test also shows that the
// attack would succeed without it.

import Messages
import Parties
import Testing

@Suite("Attacks")
struct AttackTests {
  private let sale = Sale()

  /// A lock of the same (M, n) that a confederate made at another bank, to expire earlier.
  private var confederate: Verified<P3> {
    get throws { try sale.p3(by: .otherBank) { $0.expiration -= 300 } }
  }

  @Test("1: the abort of a confederate's lock of the same (M, n) ends nobody else's")
  func confederateAbort() throws {
    let theirs = ArchiveRig(try confederate)
    // Late enough for the real lock too, so that nothing but L tells the two apart.
    #expect(try theirs.abortRequested(at: Times.expiration).first == "publish P5b")
    let outcome = try #require(theirs.outcome)
    guard case .aborted(let abort) = outcome else { throw Unexpected() }
    let terms = try sale.terms()
    let naive = abort.payload.n == terms.n && abort.payload.merchant == terms.merchant
    #expect(naive, "by (M, n) alone the abort would count")

    let bank = BankRig()
    try bank.authorised(sale.p2())
    #expect(try bank.decided(outcome) == ["refuse mismatch"])
    let merchant = try MerchantRig(sale)
    try merchant.authorised(sale.p3())
    #expect(try merchant.decided(outcome) == ["refuse mismatch"])
    let customer = try CustomerRig.inPhase(.locked, twoSided: false)
    #expect(try customer.decided(outcome) == ["deny mismatch"])
    let real = ArchiveRig(try sale.p3())
    #expect(try real.submitted(sale.submission()).first == "publish P5a")
  }

  @Test("1: one (M, n) is committed once, whatever the locks")
  func secondCommit() throws {
    let first = ArchiveRig(try sale.p3())
    try first.submitted(sale.submission())
    let committed = try #require(first.outcome).bytes
    let p3 = try sale.p3(by: .otherBank)
    let second = ArchiveRig(p3)
    let submission = try sale.submission(sale.p4(p3), p3)
    #expect(try second.submitted(submission, otherCommit: committed) == ["refuse nReused"])
    guard case .refuse(let denial) = second.effects[0] else { throw Unexpected() }
    #expect(denial.proof == [committed])
    #expect(try ArchiveRig(p3).submitted(submission).first == "publish P5a", "without the record it would")
  }

  @Test("1: a bank locks one (M, n) once")
  func secondLock() throws {
    let bank = BankRig()
    try bank.authorised(sale.p2())
    #expect(try bank.authorised(sale.p2 { $0.terms.expiration -= 300 }) == ["refuse nReused"])
  }

  @Test("2: no other contract or key takes the place of the agreed one")
  func substitution() throws {
    let cheap = try sale.p1 { $0.contract.digests = [digest(1)] }
    let merchant = try MerchantRig(sale)
    #expect(try merchant.authorised(sale.p3 { $0.hP1 = cheap.hash }).last == "refuse mismatch")
    let customer = try CustomerRig.inPhase(.authorised, twoSided: false)
    #expect(try customer.locked(sale.p3 { $0.hP1 = cheap.hash }).last == "deny mismatch")
    #expect(try customer.locked(sale.p3 { $0.hx = digest(1) }).last == "deny mismatch")

    let p3 = try sale.p3()
    let junk = try sale.p4 { $0.key = filled(0x99) }
    let naive = junk.payload.lock == p3.hash && junk.payload.hP1 == p3.payload.terms.hP1
    #expect(naive, "without hx junk would be paid for")
    #expect(try ArchiveRig(p3).submitted(sale.submission(junk)) == ["refuse wrongKey"])
    let bank = BankRig()
    try bank.authorised(sale.p2())
    #expect(try bank.decided(.committed(sale.p5a(junk))) == ["refuse mismatch"])
  }

  @Test("2: a commitment to a key is of one merchant and one transaction")
  func commitmentContext() {
    let other = TransactionID(filled(1, 16))!
    let merchant = Actor.merchant.publicKey
    let hx = Hash.keyCommitment(.core, merchant: merchant, n: Sale.n, key: Sale.k)
    #expect(hx != Hash.keyCommitment(.core, merchant: merchant, n: other, key: Sale.k))
    #expect(hx != Hash.keyCommitment(.core, merchant: Actor.stranger.publicKey, n: Sale.n, key: Sale.k))
  }

  @Test("2: a bank that guesses the contract cannot test its guess")
  func saltedContract() throws {
    let seen = try sale.p2().payload.terms.hP1
    let guess = try sale.p1 {
      $0.salt = digest(0)
      $0.contract.descriptionHash = digest(0)
    }
    #expect(guess.hash != seen)
    #expect(try sale.p1().hash == seen, "with the salt it could")
    #expect(Hash.description("a", salt: digest(1)) != Hash.description("a", salt: digest(2)))
  }

  @Test("3: a withheld P4 holds the money no longer than the cap")
  func cap() throws {
    let hostage: (inout P2) -> Void = {
      $0.terms.expiration = Times.now + 20_000
    }
    let bank = BankRig()
    #expect(try bank.authorised(sale.p2(hostage), cap: 3600) == ["refuse expirationCap"])
    #expect(try bank.authorised(sale.p2(hostage), cap: .max).contains("enter locked"), "without a cap")
  }

  @Test("3: a Cancel aborts at once, and a later P4 is refused")
  func cancelThenP4() throws {
    let archive = ArchiveRig(try sale.p3())
    #expect(try archive.cancelled(sale.cancel(), at: Times.now + 1).first == "publish P5b")
    #expect(try archive.submitted(sale.submission(), at: Times.now + 2) == ["refuse aborted"])
    let merchant = try MerchantRig.inPhase(.cancelling)
    let two = Sale(twoSided: true)
    #expect(try merchant.acknowledged(two.acknowledgement()) == ["keep S_p(P1)"], "no P4 after a Cancel")
  }

  @Test("4: the archive gives k out with P5a and in nothing else")
  func keyOnlyInCommit() throws {
    func leaks(_ rig: ArchiveRig) -> Bool {
      rig.effects.contains { effect in
        switch effect {
        case .publish(let body, _, _, _): body.contains(Sale.k)
        case .reply(let bytes), .send(let bytes, _): bytes.contains(Sale.k)
        case .refuse(let denial): denial.proof.contains { $0.contains(Sale.k) }
        }
      }
    }
    let refused = ArchiveRig(try sale.p3())
    try refused.submitted(sale.submission(), at: Times.expiration)
    #expect(!leaks(refused))
    try refused.submitted(sale.submission(sale.p4 { $0.expiration += 1 }))
    #expect(!leaks(refused))
    try refused.submitted(sale.submission(), by: .otherArchive)
    #expect(!leaks(refused))
    try refused.abortRequested(at: Times.expiration)
    #expect(!leaks(refused))
    try refused.submitted(sale.submission())
    #expect(!leaks(refused))
    let committed = ArchiveRig(try sale.p3())
    try committed.submitted(sale.submission())
    #expect(leaks(committed))
  }

  @Test("5: whoever holds one outcome keeps the other as evidence and stands by the first")
  func bothOutcomes() throws {
    let commit = Outcome<CoreMode>.committed(try sale.p5a())
    let abort = Outcome<CoreMode>.aborted(try sale.p5b())
    let lock = Lock<CoreMode>(try sale.p3())
    #expect(lock.mismatch(commit) == nil && lock.mismatch(abort) == nil, "the judge sees both")
    for (first, second) in [(commit, abort), (abort, commit)] {
      let bank = BankRig()
      try bank.authorised(sale.p2())
      try bank.decided(first)
      #expect(try bank.decided(second).first == "keep Evidence")
      #expect(bank.kept[.evidence] == second.bytes)
      #expect(bank.machine.outcome == first)
      let merchant = try MerchantRig(sale)
      try merchant.authorised(sale.p3())
      try merchant.decided(first)
      #expect(try merchant.decided(second) == ["keep Evidence"])
    }
    let customer = try CustomerRig.inPhase(.paid, twoSided: false)
    #expect(try customer.decided(abort) == ["keep Evidence"])
    #expect(customer.machine.phase == .paid)
  }

  @Test("5: an outcome stamped on the wrong side of the expiration counts nowhere")
  func backDated() throws {
    for outcome in [
      Outcome<CoreMode>.committed(try sale.p5a(at: Times.expiration)),
      .aborted(try sale.p5b(at: Times.expiration - 1)),
    ] {
      let bank = BankRig()
      try bank.authorised(sale.p2())
      #expect(try bank.decided(outcome) == ["refuse mismatch"])
      let merchant = try MerchantRig(sale)
      try merchant.authorised(sale.p3())
      #expect(try merchant.decided(outcome) == ["refuse mismatch"])
      let customer = try CustomerRig.inPhase(.locked, twoSided: false)
      #expect(try customer.decided(outcome) == ["deny mismatch"])
    }
  }

  @Test("15: a token's signature is good for its own list only")
  func splicing() throws {
    var payload = try sale.p2().payload
    let both = payload
    payload.tokenInputs = [Tokens.inputs[0]]
    let alone = try Actor.tokenOne.sign(payload)
    #expect(try Verified<P2>(alone.bytes, by: .ownTokens) == alone)
    let spliced = try Actor.tokenTwo.withKey { (key) throws(MessageError) in
      try alone.coSigned(with: key)
    }.bytes
    #expect(refusal { () throws(MessageError) in try Verified<P2>(spliced, by: .ownTokens) } == "untrusted")
    let half = try Actor.tokenOne.sign(both).bytes
    #expect(refusal { () throws(MessageError) in try Verified<P2>(half, by: .ownTokens) } == "untrusted")
    #expect(try Verified<P2>(half, by: .key(Actor.tokenOne.publicKey)).payload == both, "one key would do")
  }

  @Test("15: tokens are locked in the order of the list, at the one bank that P2 names")
  func order() throws {
    let bank = BankRig()
    try bank.authorised(sale.p2 { $0.tokenInputs.reverse() })
    #expect(bank.effects.map(\.summary)[3...4] == ["lock 234", "lock 1000"])
    let other = BankRig()
    #expect(try other.authorised(sale.p2(), by: .otherBank) == ["refuse mismatch"])
  }

  @Test("16: a P2 that was signed again is the same P2; two are refused and nobody is accused")
  func framing() throws {
    let bank = BankRig()
    let first = try sale.p2()
    let again = try sale.p2(reversed: true)
    #expect(first.bytes != again.bytes, "by bytes they would be two")
    try bank.authorised(first)
    #expect(try bank.authorised(again) == ["reply P3"])
    #expect(try bank.authorised(sale.p2 { $0.terms.lifetime += 1 }) == ["refuse nReused"])
    #expect(bank.kept[.p2] == first.bytes)
    #expect(bank.kept[.evidence] == nil)
  }

  @Test("16: nothing can be put into a message outside of its signature")
  func headers() throws {
    let signed = try sale.p3().bytes
    // A COSE_Sign1's unprotected header is the empty map after the protected one.
    let empty = try #require(signed.indices.first { signed[$0] == 0xa0 && $0 > 8 })
    let stuffed = signed[..<empty] + [0xa1, 0x18, 0x63, 0x01] + signed[(empty + 1)...]
    let bytes = Array(stuffed)
    #expect(refusal { () throws(MessageError) in try Unverified<P3>(bytes) } != nil)
  }

  @Test("16: the pseudonym stands in P1 and P3, so that nobody else's acknowledgement counts")
  func inventedPseudonym() throws {
    let two = Sale(twoSided: true)
    let bundle = try two.bundle(with: [two.acknowledgement(by: .stranger).bytes])
    let trust = trustList()
    let rule = refusal { () throws(MessageError) in
      try Submitted<CoreMode>(bundle, trust: trust, at: Times.now)
    }
    #expect(rule == "untrusted")
    let merchant = try MerchantRig.inPhase(.authorised)
    #expect(try merchant.acknowledged(two.acknowledgement(by: .stranger)) == ["refuse mismatch"])
    let invented = try two.p3 { $0.pseudonym = Actor.stranger.publicKey }
    #expect(try merchant.authorised(invented).last == "refuse nReused")
  }
}
