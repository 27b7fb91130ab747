// The customer's checks of P1, P3 and outcomes, with one broken field each.

import Messages
import Parties
import Testing

@Suite("The customer's checks")
struct CustomerChecksTests {
  private let sale = Sale()

  @Test("a P1 with one fault is refused for it, and the purchase is abandoned")
  func brokenP1() throws {
    let cases: [(String, Reason, (inout P1) -> Void)] = [
      ("another pseudonym", .mismatch, { $0.contract.pseudonym = Actor.stranger.publicKey }),
      ("a higher price", .wrongValue, { $0.contract.price = Money("EUR:12.35")! }),
      ("a lower price", .wrongValue, { $0.contract.price = Money("EUR:12.33")! }),
      ("another currency", .wrongValue, { $0.contract.price = Money("USD:12.34")! }),
      ("another description", .mismatch, { $0.contract.descriptionHash = digest(1) }),
      ("another salt", .mismatch, { $0.salt = digest(1) }),
      ("goods over the limit", .limit, { $0.length = Goods.sealedLength(of: 1 << 30) }),
      ("an impossible length", .limit, { $0.length = 57 }),
      ("no time to pay", .tooLate, { $0.contract.expirationMax = Times.now + 30 }),
      ("the lifetime ends first", .lifetime, { $0.contract.lifetime = Times.expiration - 1 }),
      ("no time to abort", .lifetime, { $0.contract.lifetime = Times.expiration }),
    ]
    for (name, reason, change) in cases {
      let rig = try CustomerRig(sale)
      let effects = try rig.offered(sale.p1(change))
      #expect(effects == ["keep P1", "enter abandoned", "deny \(reason)"], "\(name)")
    }
    let rig = try CustomerRig(sale)
    let effects = try rig.offered(sale.p1(), description: "Another map")
    #expect(effects == ["keep P1", "enter abandoned", "deny mismatch"])
  }

  @Test("two-sided delivery may be offered to whoever did not ask, but not be denied to whoever did")
  func twoSided() throws {
    let asked = try CustomerRig(Sale(twoSided: true))
    #expect(try asked.offered(sale.p1()) == ["keep P1", "enter abandoned", "deny mismatch"])
    let notAsked = try CustomerRig(sale)
    #expect(try notAsked.offered(Sale(twoSided: true).p1()) == ["keep P1", "enter offered"])
  }

  @Test("a parcel has to come to the office that was asked for, for the keys that were named, and be kept")
  func parcel() throws {
    let (office, key) = (Actor.stranger.publicKey, Actor.tokenOne.publicKey)
    let asked = Sale(office: office, collectKeys: [key])
    func good(_ p1: inout P1) {
      p1.contract.parcel = "RR473124829DE"
      (p1.contract.offices, p1.contract.collectKeys) = ([office], [key])
      p1.contract.holdUntil = Times.lifetime
    }
    #expect(try CustomerRig(asked).offered(asked.p1(good)) == ["keep P1", "enter offered"])
    let cases: [(String, Reason, (inout P1) -> Void)] = [
      ("no parcel", .mismatch, { $0.contract.parcel = nil }),
      ("no label", .mismatch, { $0.contract.parcel = "RR473124820DE" }),
      ("another office", .mismatch, { $0.contract.offices = [key] }),
      ("more offices", .mismatch, { $0.contract.offices.append(key) }),
      ("anywhere", .mismatch, { $0.contract.offices = [] }),
      ("other collectors", .mismatch, { $0.contract.collectKeys = [office] }),
      ("more collectors", .mismatch, { $0.contract.collectKeys.append(office) }),
      ("P alone", .mismatch, { $0.contract.collectKeys = [] }),
      ("not kept", .lifetime, { $0.contract.holdUntil = nil }),
      ("not kept long", .lifetime, { $0.contract.holdUntil = Times.now }),
      ("kept longer than its evidence", .lifetime, { $0.contract.holdUntil = Times.lifetime + 1 }),
    ]
    for (name, reason, change) in cases {
      let p1 = try asked.p1 { p1 in
        good(&p1)
        change(&p1)
      }
      let effects = try CustomerRig(asked).offered(p1)
      #expect(effects == ["keep P1", "enter abandoned", "deny \(reason)"], "\(name)")
    }
    let unasked = try CustomerRig(sale).offered(sale.p1(good))
    #expect(unasked == ["keep P1", "enter abandoned", "deny mismatch"])
  }

  @Test("goods of another root or length are not the contract's")
  func ciphertext() throws {
    let rig = try CustomerRig.inPhase(.offered)
    #expect(try rig.checked(root: digest(1)) == ["deny mismatch"])
    #expect(try rig.checked(length: Sale.length + 1) == ["deny mismatch"])
    #expect(try rig.checked(length: Sale.length - 1) == ["deny mismatch"])
    #expect(try rig.checked() == ["enter checked"])
  }

  @Test("a P3 with one fault is kept as evidence and locks nothing")
  func brokenP3() throws {
    let changes: [(inout LockTerms) -> Void] = [
      { $0.n = TransactionID(filled(1, 16))! }, { $0.merchant = Actor.stranger.publicKey },
      { $0.archive = Actor.otherArchive.publicKey }, { $0.pseudonym = Actor.stranger.publicKey },
      { $0.value = Money("EUR:12.33")! }, { $0.expiration += 1 }, { $0.lifetime += 1 },
      { $0.hP1 = digest(1) }, { $0.hx = digest(1) },
    ]
    let rig = try CustomerRig.inPhase(.authorised, twoSided: false)
    for change in changes {
      #expect(try rig.locked(sale.p3(change)) == ["keep Evidence", "deny mismatch"])
    }
    #expect(try rig.locked(sale.p3(by: .otherBank)) == ["keep Evidence", "deny mismatch"])
    #expect(try rig.locked(sale.p3()) == ["keep P3", "enter locked"], "one-sided: nothing to acknowledge")
  }

  @Test("the acknowledgement is the pseudonym's, and of this contract")
  func acknowledgement() throws {
    let rig = try CustomerRig.inPhase(.locked)
    let bytes = try #require(rig.kept[.acknowledgement])
    let message = try Verified<Acknowledgement>(bytes, by: .key(Actor.pseudonym.publicKey))
    #expect(message == (try Sale(twoSided: true).acknowledgement()))
  }

  @Test("a refusal frees the tokens only if it is the bank's answer to this P2")
  func refusals() throws {
    let rig = try CustomerRig.inPhase(.authorised, twoSided: false)
    for message in [
      try sale.refusal(by: .otherBank), try sale.refusal(by: .archive),
      try sale.refusal { $0.hRequest = digest(1) },
    ] {
      #expect(try rig.run { $0.refusedByBank(message) } == ["deny mismatch"])
    }
    #expect(try rig.run { try $0.refusedByBank(sale.refusal()) }.last == "freed [1000, 234]")
    #expect(rig.effects.contains(.freed(Tokens.inputs)))
  }

  @Test("a commit that arrives before P3 has to match P2")
  func commitWithoutP3() throws {
    let wrong: [Verified<P5a>] = [
      try sale.p5a(by: .otherArchive), try sale.p5a(sale.p4(by: .stranger)),
      try sale.p5a(sale.p4 { $0.n = TransactionID(filled(1, 16))! }),
      try sale.p5a(sale.p4 { $0.hP1 = digest(1) }), try sale.p5a(sale.p4 { $0.key = filled(1) }),
      try sale.p5a(sale.p4 { $0.expiration += 1 }), try sale.p5a(at: Times.expiration),
    ]
    let rig = try CustomerRig.inPhase(.authorised, twoSided: false)
    for commit in wrong { #expect(try rig.decided(.committed(commit)) == ["deny mismatch"]) }
    #expect(try rig.decided(.committed(sale.p5a(at: Times.expiration - 1))).contains("enter paid"))
    #expect(rig.machine.p3 == nil)
    #expect(rig.machine.goodsKey == Sale.k)
  }

  @Test("an abort that arrives before P3 waits for it")
  func abortWithoutP3() throws {
    let rig = try CustomerRig.inPhase(.authorised, twoSided: false)
    #expect(try rig.decided(.aborted(sale.p5b())) == ["deny mismatch"])
    try rig.locked(sale.p3())
    #expect(try rig.decided(.aborted(sale.p5b())).contains("enter aborted"))
  }

  @Test("tokens in use are freed by no clock and by no foreign abort")
  func locked() throws {
    let rig = try CustomerRig.inPhase(.locked, twoSided: false)
    let foreign = try sale.p3(by: .otherBank)
    for abort in [
      try sale.p5b(foreign), try sale.p5b(by: .otherArchive), try sale.p5b(at: Times.expiration - 1),
    ] {
      #expect(try rig.decided(.aborted(abort)) == ["deny mismatch"])
    }
    #expect(try rig.run { $0.abandoned() } == ["deny tooLate"])
    #expect(rig.machine.phase == .locked)
  }
}
