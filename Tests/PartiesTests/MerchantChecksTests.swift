// Each check of P3 with one broken field, what leaves the merchant, and when.

import Messages
import Parties
import Testing

@Suite("The merchant's checks")
struct MerchantChecksTests {
  private let sale = Sale()

  @Test("a P3 with one fault is refused for it, the lock is cancelled, and k stays")
  func brokenP3() throws {
    let cases: [(String, Reason, Actor, (inout LockTerms) -> Void)] = [
      ("another commitment", .mismatch, .bank, { $0.hx = digest(1) }),
      ("another pseudonym", .mismatch, .bank, { $0.pseudonym = Actor.stranger.publicKey }),
      ("less money", .wrongValue, .bank, { $0.value = Money("EUR:12.33")! }),
      ("more money", .wrongValue, .bank, { $0.value = Money("EUR:12.35")! }),
      ("other money", .wrongValue, .bank, { $0.value = Money("USD:12.34")! }),
      ("another bank", .unsupported, .otherBank, { _ in }),
      ("another archive", .unsupported, .bank, { $0.archive = Actor.otherArchive.publicKey }),
      ("a later expiration", .expirationCap, .bank, { $0.expiration += 1 }),
      ("a shorter lifetime", .lifetime, .bank, { $0.lifetime -= 1 }),
      ("a longer lifetime", .lifetime, .bank, { $0.lifetime += 1 }),
      ("no time left", .tooLate, .bank, { $0.expiration = Times.now + 10 + 29 }),
    ]
    for (name, reason, bank, change) in cases {
      let rig = try MerchantRig()
      let p3 = try sale.p3(by: bank, change)
      let expected = [
        "keep P3", "keep Cancel", "enter cancelling", "cancel Cancel+P3", "refuse \(reason)",
      ]
      #expect(try rig.authorised(p3) == expected, "\(name)")
      #expect(rig.kept[.p4] == nil)
      let cancel = try Verified<Cancel>(stored: try #require(rig.kept[.cancel]))
      #expect(cancel.payload == Cancel(n: p3.payload.terms.n, lock: p3.hash))
    }
  }

  @Test("a P3 that is for something else gives its lock back and leaves the sale as it was")
  func foreignP3() throws {
    let cases: [(String, Bool, (inout LockTerms) -> Void)] = [
      ("another merchant", false, { $0.merchant = Actor.stranger.publicKey }),
      ("another transaction", true, { $0.n = TransactionID(filled(1, 16))! }),
      ("another contract", true, { $0.hP1 = digest(1) }),
    ]
    for (name, isOurs, change) in cases {
      let rig = try MerchantRig()
      let back = isOurs ? ["cancel Cancel+P3"] : []
      #expect(
        try rig.authorised(sale.p3(change)) == ["keep Evidence"] + back + ["refuse mismatch"], "\(name)")
      #expect(rig.machine.phase == .offered)
      #expect(try rig.authorised(sale.p3()) == ["keep P3", "keep P4", "enter submitted", "submit P4+P3"])
    }
  }

  @Test("two-sided, an acknowledgement that leaves the archive no time cancels instead of giving k away")
  func lateAcknowledgement() throws {
    let two = Sale(twoSided: true)
    let late = try MerchantRig(two)
    try late.authorised(two.p3())
    let cancel = ["keep S_p(P1)", "keep Cancel", "enter cancelling", "cancel Cancel+P3"]
    #expect(try late.acknowledged(two.acknowledgement(), at: Times.expiration - 29) == cancel)
    let inTime = try MerchantRig(two)
    try inTime.authorised(two.p3())
    try inTime.acknowledged(two.acknowledgement(), at: Times.expiration - 30)
    #expect(inTime.machine.phase == .submitted)
  }

  @Test("P3 with exactly the archive's answer time left is used")
  func answerTime() throws {
    let rig = try MerchantRig()
    try rig.authorised(sale.p3 { $0.expiration = Times.now + 40 }, at: Times.now + 10)
    #expect(rig.machine.phase == .submitted)
  }

  @Test("one-sided, P3 is answered with P4 and P3 for the archive at once")
  func oneSided() throws {
    let rig = try MerchantRig()
    let p3 = try sale.p3()
    #expect(try rig.authorised(p3) == ["keep P3", "keep P4", "enter submitted", "submit P4+P3"])
    let p4 = try Verified<P4>(try #require(rig.kept[.p4]), by: .key(Actor.merchant.publicKey))
    #expect(
      p4.payload
        == P4(n: Sale.n, expiration: Times.expiration, hP1: rig.machine.p1.hash, lock: p3.hash, key: Sale.k))
    let bundle = Bundle([p4.bytes, p3.bytes])
    #expect(rig.effects.last == .submit(bundle, to: Actor.archive.publicKey))
    #expect(rig.effects.contains(.enter(.submitted, due: Times.expiration)))
    #expect(try rig.authorised(p3) == [])
  }

  @Test("two-sided, an acknowledgement that came first waits for P3")
  func acknowledgedFirst() throws {
    let two = Sale(twoSided: true)
    let rig = try MerchantRig(two)
    #expect(try rig.acknowledged(two.acknowledgement()) == ["keep S_p(P1)"])
    let submit = ["keep P3", "keep P4", "enter submitted", "submit P4+P3+S_p(P1)"]
    #expect(try rig.authorised(two.p3()) == submit)
  }

  @Test("two-sided without an acknowledgement, the sale is looked at again while the archive can answer")
  func acknowledgementDue() throws {
    let two = Sale(twoSided: true)
    let rig = try MerchantRig(two)
    try rig.authorised(two.p3())
    #expect(rig.effects.contains(.enter(.authorised, due: Times.expiration - 30)))
    #expect(rig.kept[.p4] == nil)
  }

  @Test("an acknowledgement with one fault is refused")
  func brokenAcknowledgement() throws {
    let two = Sale(twoSided: true)
    let rig = try MerchantRig(two)
    try rig.authorised(two.p3())
    for message in [
      try two.acknowledgement(by: .stranger), try two.acknowledgement { $0.hP1 = digest(1) },
      try two.acknowledgement { $0.n = TransactionID(filled(1, 16))! },
      try two.acknowledgement { $0.merchant = Actor.stranger.publicKey },
    ] {
      #expect(try rig.acknowledged(message) == ["refuse mismatch"])
    }
    #expect(rig.machine.phase == .authorised)
  }

  @Test("a complaint or credit with one fault is refused")
  func brokenRest() throws {
    let rig = try MerchantRig.inPhase(.committed)
    let two = Sale(twoSided: true)
    for credit in [
      try two.credit(by: .otherBank), try two.credit { $0.lock = digest(1) },
      try two.credit { $0.amount = Money("EUR:12.33")! },
    ] {
      #expect(try rig.credited(credit) == ["refuse mismatch"])
    }
    let offered = try MerchantRig(sale)
    for nak in [
      try sale.nak(decline: true, by: .stranger), try sale.nak(decline: true) { $0.hP1 = digest(1) },
      try sale.nak(decline: true) { $0.n = TransactionID(filled(1, 16))! },
    ] {
      #expect(try offered.complained(nak) == ["refuse mismatch"])
    }
    #expect(offered.machine.phase == .offered)
  }

  @Test("P5a is forwarded to the bank if the merchant does that")
  func forwards() throws {
    let rig = try MerchantRig(sale, policy: MerchantPolicy(trust: trustList(), forwardsToBank: true))
    try rig.authorised(sale.p3())
    #expect(try rig.decided(.committed(sale.p5a())) == ["keep P5a", "enter committed", "send P5a to bank"])
  }

  @Test("k leaves only inside P4 for the archive, whatever happens", arguments: CompletionRoute.allCases)
  func secrecy(route: CompletionRoute) throws {
    let rig = try MerchantRig(sale, policy: MerchantPolicy(trust: trustList(), completion: route))
    for event in [MerchantEvent.foreignAcknowledgement, .damaged, .p3, .brokenP3, .decline, .dueEarly, .due] {
      _ = try event.happen(to: rig)
      let state = rig.machine.status(policy: rig.policy)
      let early = state.state == .submitted && route == .early
      #expect(state.proof.contains { $0.contains(Sale.k) } == early)
    }
    var submissions = 0
    for effect in rig.allEffects {
      switch effect {
      case .submit(let bundle, let archive):
        submissions += 1
        #expect(archive == Actor.archive.publicKey)
        #expect(bundle.messages.contains { $0.contains(Sale.k) })
      case .keep(let label, let bytes): #expect(bytes.contains(Sale.k) == (label == .p4))
      case .send(let bytes, _), .reply(let bytes), .requestAbort(let bytes, _):
        #expect(!bytes.contains(Sale.k))
      case .cancel(let bundle, _), .upload(let bundle, _):
        #expect(!bundle.messages.contains { $0.contains(Sale.k) })
      case .refuse(let denial): #expect(!denial.proof.contains { $0.contains(Sale.k) })
      case .enter, .submitAgain, .bring, .post: break
      }
    }
    #expect(submissions == 1)
  }

  @Test("the status shows what P may know in each phase")
  func status() throws {
    let expected: [SalePhase: (TransactionState, Label?)] = [
      .offered: (.offered, .p1), .declined: (.unknown, nil), .authorised: (.locked, .p3),
      .submitted: (.submitted, nil), .cancelling: (.locked, .cancel), .committed: (.committed, .p5a),
      .credited: (.committed, .p5a), .aborted: (.aborted, .p5b),
    ]
    for phase in SalePhase.every {
      let rig = try MerchantRig.inPhase(phase)
      let (state, label) = try #require(expected[phase])
      let status = rig.machine.status(policy: rig.policy)
      #expect(status.state == state, "\(phase)")
      #expect(status.proof == (label.map { [rig.kept[$0] ?? []] } ?? []), "\(phase)")
    }
  }
}
