// Rule 20: what became of a parcel.

import Judge
import Messages
import Testing

/// A parcel's visit at a counter, each message open to change before it is signed.
private struct Visit {
  static let label = "RR473124829DE"
  static let holdUntil = Times.now + 40_000
  var collectKeys: [PublicKey] = []
  var holdUntil = Self.holdUntil
  var outcome = DeliveryOutcome.handedOver
  var intent = DeliveryIntent.collect
  var at = Times.now + 2_000

  func p1(_ change: (inout Contract) -> Void = { _ in }) throws -> Verified<P1> {
    try Sale().p1 { p1 in
      p1.contract.parcel = Self.label
      p1.contract.offices = [Actor.kiosk.key]
      p1.contract.holdUntil = holdUntil
      p1.contract.collectKeys = collectKeys
      change(&p1.contract)
    }
  }
  func p5a() throws -> Verified<P5a> {
    let p1 = try p1()
    let p4 = try Actor.merchant.sign(
      P4(n: Ware.n, expiration: Times.expiration, hP1: p1.hash, lock: digest(3), key: Ware.k))
    return try Actor.archive.sign(P5a(submission: p4.bytes, at: Times.now + 10, lifetime: Times.lifetime))
  }
  func d0(by actor: Actor = .kiosk) throws -> Verified<D0> {
    try actor.sign(D0(parcel: Self.label, arrived: Times.now + 1_000))
  }
  func d1() throws -> Verified<D1> {
    try Actor.kiosk.sign(
      D1(
        n: Ware.n, merchant: Actor.merchant.key, hP1: p1().hash, time: at, nonce: Nonce(filled(9, 16))!,
        office: Actor.kiosk.key, parcel: Self.label, hP5a: p5a().hash, intent: intent,
        inventory: intent == .refuseDamaged ? "broken lid" : nil))
  }
  func d2(by actor: Actor = .pseudonym) throws -> Verified<D2> {
    try actor.sign(D2(hD1: d1().hash, intent: intent))
  }
  func d3(
    by actor: Actor = .kiosk, d2: Hash? = nil, customer: Bool = true, index: UInt64 = 1,
    _ change: (inout D3) -> Void = { _ in }
  ) throws -> Verified<D3> {
    var payload = D3(
      time: at + 5, hD2: customer ? try d2 ?? self.d2().hash : nil, stage: .final, outcome: outcome,
      index: index, previous: digest(1), parcel: customer ? nil : Self.label)
    change(&payload)
    return try actor.sign(payload)
  }
  func files(d2: Actor = .pseudonym) throws -> [[UInt8]] {
    let answer = try self.d2(by: d2)
    return [try p1().bytes, try p5a().bytes, try d1().bytes, answer.bytes, try d3(d2: answer.hash).bytes]
  }
}

private func exhibits(
  _ files: [[UInt8]], heard: [Actor] = [], at now: Timestamp = Times.hearing
) -> Exhibits {
  Exhibits(
    files, heard: heard, now: now,
    trust: trustList {
      $0.entries.append(
        TrustEntry(
          role: .kiosk, name: "kiosk", key: Actor.kiosk.key, from: Times.now - 1000,
          until: Times.lifetime + 1000))
    })
}

private let afterHold = Visit.holdUntil + 10

@Suite("Parcels before the judge")
struct ParcelTests {
  @Test("D2 by P and the kiosk's record defeat the claim that it was not handed over, and convict nobody")
  func handedOver() throws {
    let judgment = try exhibits(try Visit().files(), heard: [.kiosk, .merchant], at: afterHold).judged()
    #expect(judgment.findings(.parcel) == [.claimFails])
    #expect(!judgment.convicts)
  }

  @Test("a card in collect_keys collects, and then P alone does not")
  func collectKeys() throws {
    var visit = Visit()
    visit.collectKeys = [Actor.tokenOne.key]
    #expect(try exhibits(visit.files(d2: .tokenOne)).judged().findings(.parcel) == [.claimFails])
    #expect(try exhibits(visit.files()).judged().findings(.parcel) == [.undecided])
    try expectConviction(exhibits(visit.files(), heard: [.kiosk]), .parcel, .kiosk)
  }

  @Test("a stranger's D2 convicts the kiosk that was heard, and a leave acquits it, while it lasts")
  func leave() throws {
    let visit = Visit()
    let files = try visit.files(d2: .stranger)
    try expectConviction(exhibits(files, heard: [.kiosk]), .parcel, .kiosk)
    func leave(_ actor: Actor, until: Timestamp, parcel: String = Visit.label) throws -> [UInt8] {
      try actor.sign(Delegation(key: Actor.stranger.key, parcel: parcel, until: until)).bytes
    }
    let good = try leave(.pseudonym, until: visit.at + 1)
    #expect(try exhibits(files + [good], heard: [.kiosk]).judged().findings(.parcel) == [.claimFails])
    for bad in [
      try leave(.pseudonym, until: visit.at), try leave(.otherMerchant, until: visit.at + 1),
      try leave(.pseudonym, until: visit.at + 1, parcel: "AC12345678901230"),
    ] { try expectConviction(exhibits(files + [bad], heard: [.kiosk]), .parcel, .kiosk) }
  }

  @Test("a hand-over that names no D2 convicts at once; one whose D2 is not shown, after hearing")
  func withoutAnswer() throws {
    let visit = Visit()
    let none = [try visit.p1().bytes, try visit.d3(customer: false).bytes]
    try expectConviction(exhibits(none), .parcel, .kiosk)
    try expectAllNeeded(exhibits(none), .parcel)
    var refused = visit
    refused.outcome = .refused
    try expectConviction(
      exhibits([try visit.p1().bytes, try refused.d3(customer: false).bytes]), .parcel, .kiosk)
  }

  @Test("two final records convict the kiosk, but not one that sends back what was refused")
  func twice() throws {
    let visit = Visit()
    var failed = visit
    failed.outcome = .failed
    let two = try visit.files() + [try failed.d3(index: 2).bytes]
    try expectConviction(exhibits(two), .parcel, .kiosk)
    var (refused, back) = (visit, visit)
    (refused.outcome, refused.intent, back.outcome) = (.refused, .refuse, .returned)
    let files = try refused.files() + [try back.d3(customer: false, index: 2).bytes]
    try expectAcquittal(exhibits(files, heard: [.kiosk], at: afterHold), "refused, then returned")
    let given = try visit.files() + [try back.d3(customer: false, index: 2).bytes]
    try expectConviction(exhibits(given), .parcel, .kiosk, "handed over, then returned")
    try expectAcquittal(
      exhibits(try visit.files() + [try visit.d3(by: .otherArchive).bytes]), "no kiosk's key")
  }

  @Test("a parcel that arrived and is due: the kiosk that was heard and shows nothing; never before its time")
  func arrived() throws {
    let visit = Visit()
    let files = [try visit.p1().bytes, try visit.p5a().bytes, try visit.d0().bytes]
    try expectConviction(exhibits(files, heard: [.kiosk, .merchant], at: afterHold), .parcel, .kiosk)
    try expectAcquittal(exhibits(files, at: afterHold), "not heard")
    try expectAcquittal(exhibits(files, heard: [.kiosk], at: Visit.holdUntil), "in its time")
    // A second contract of the merchant's over the same label frames nobody.
    let other = try visit.p1 { $0.holdUntil = Times.now + 5 }
    let framed = try exhibits([other.bytes] + files, heard: [.kiosk], at: Times.now + 30_000).judged()
    #expect(!framed.findings(.parcel).contains(.convicted), "two contracts")
  }

  @Test("paid and never arrived: the merchant that was heard")
  func neverSent() throws {
    let visit = Visit()
    let files = [try visit.p1().bytes, try visit.p5a().bytes]
    try expectConviction(exhibits(files, heard: [.merchant], at: afterHold), .parcel, .merchant)
    try expectAllNeeded(exhibits(files, heard: [.merchant], at: afterHold), .parcel)
    try expectAcquittal(exhibits(files, heard: [.kiosk], at: afterHold), "another was heard")
    let elsewhere = try visit.d0(by: .otherBank).bytes
    try expectConviction(
      exhibits(files + [elsewhere], heard: [.merchant], at: afterHold), .parcel, .merchant,
      "not by that office")
  }

  @Test("expired before its time convicts a kiosk that knew the contract, and no other")
  func expiredEarly() throws {
    var visit = Visit()
    visit.outcome = .expired
    let early = try visit.d3(customer: false) { $0.time = Visit.holdUntil }
    let late = try visit.d3(customer: false) { $0.time = Visit.holdUntil + 1 }
    let base = [try visit.p1().bytes, try visit.d1().bytes]
    try expectConviction(exhibits(base + [early.bytes], at: afterHold), .parcel, .kiosk)
    try expectAcquittal(exhibits(base + [late.bytes], heard: [.kiosk], at: afterHold), "one second later")
    try expectAcquittal(
      exhibits([base[0], early.bytes], heard: [.kiosk], at: afterHold), "it saw no contract")
  }

  @Test("refused with the customer's word: nobody is at fault")
  func refused() throws {
    for (intent, outcome) in [
      (DeliveryIntent.refuse, DeliveryOutcome.refused), (.refuseDamaged, .refusedDamaged),
    ] {
      var visit = Visit()
      (visit.intent, visit.outcome) = (intent, outcome)
      #expect(try exhibits(visit.files(), heard: [.kiosk]).judged().findings(.parcel) == [.noFault])
      let silent = try visit.files().filter { (try? MessageType(peeking: $0)) != .d2 }
      #expect(try exhibits(silent).judged().findings(.parcel) != [.noFault])
    }
  }

  @Test("nothing of a kiosk counts without its trust")
  func trust() throws {
    for file in [try Visit().d3(customer: false)] {
      let files = [try Visit().p1().bytes, file.bytes]
      try expectConviction(exhibits(files), .parcel, .kiosk)
      var other = exhibits(files)
      other.trust.change(.kiosk) { $0.revokedAt = Times.now }
      try expectAcquittal(other, "revoked")
      try expectAcquittal(exhibits(files).without(.kiosk), "unknown")
    }
  }
}
