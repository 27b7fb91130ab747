// Rules 6 and 7: an archive that does not answer.

import Judge
import Messages
import Testing

@Suite("Certified non-response")
struct NonResponseTests {
  private let sale = Sale()
  private static let seed = filled(0x77)

  private func sealed(
    _ messages: [[UInt8]]? = nil, to recipient: PublicKey = Actor.archive.sealingKey
  ) throws -> [UInt8] {
    let bundle = try Bundle(messages ?? [sale.p4().bytes, sale.p3().bytes])
    return try SealedMessage(bundle.encoded(), to: recipient, ephemeralSeed: Self.seed).encoded()
  }

  private func nr(
    _ request: [UInt8], at sent: Timestamp = Times.now + 60, by actor: Actor = .witness,
    _ change: (inout NonResponse) -> Void = { _ in }
  ) throws -> [UInt8] {
    var payload = NonResponse(
      n: sale.n, merchant: Actor.merchant.key, lock: try sale.p3().hash, hRequest: Hash(of: request),
      target: Actor.archive.key, sentAt: sent, waitedUntil: sent + 30)
    change(&payload)
    return try actor.sign(payload).bytes
  }

  private var submission: [[UInt8]] {
    get throws { [try sale.p3().bytes, try nr(sealed()), try sealed(), Self.seed] }
  }

  private var abortRequest: [[UInt8]] {
    get throws { [try sale.p3().bytes, try nr(sale.p3().bytes, at: Times.expiration)] }
  }

  @Test("a valid submission without an answer in time, and no outcome: the archive is at fault")
  func convicts() throws {
    let exhibits = Exhibits(try submission, heard: [.archive])
    try expectConviction(exhibits, .neitherOutcome, .archive, also: [.keyLeaked])
    #expect(try exhibits.judged().findings(.keyLeaked) == [.convicted])
    for dispute in [Dispute.neitherOutcome, .keyLeaked] { try expectAllNeeded(exhibits, dispute) }
  }

  @Test("an abort request without an answer after the expiration: the archive is at fault")
  func abort() throws {
    let exhibits = Exhibits(try abortRequest, heard: [.archive])
    try expectConviction(exhibits, .neitherOutcome, .archive)
    #expect(try exhibits.judged().findings(.keyLeaked).isEmpty, "no key was sent")
    try expectAllNeeded(exhibits, .neitherOutcome)
  }

  @Test("an abort of its own shows that the archive made no commit of what it was sent in time")
  func keyLeaked() throws {
    let aborted = Exhibits(try submission + [try sale.p5b().bytes])
    try expectConviction(aborted, .keyLeaked, .archive)
    #expect(try aborted.judged().findings(.neitherOutcome) == [.noFault])
    let innocent: [(String, [UInt8])] = [
      ("committed", try sale.p5a().bytes), ("the merchant cancelled", try sale.p5b(cancelled: true).bytes),
      ("another archive's abort", try sale.p5b(by: .otherArchive).bytes),
      ("an abort of another lock", try sale.p5b { $0.lock = digest(1) }.bytes),
      ("the confederate's abort", try sale.p5b(sale.p3(by: .otherBank)).bytes),
    ]
    for (name, file) in innocent { try expectAcquittal(Exhibits(try submission + [file]), name) }
    let stranger = try Actor.stranger.sign(Cancel(n: sale.n, lock: sale.p3().hash))
    let forged = try sale.p5b { $0.cancel = stranger.bytes }
    try expectConviction(
      Exhibits(try submission + [forged.bytes]), .keyLeaked, .archive,
      "a Cancel that the merchant did not sign")
  }

  @Test("an outcome, or an archive that was not heard in time, convicts nobody")
  func outcome() throws {
    for (name, outcome) in [("P5a", try sale.p5a().bytes), ("P5b", try sale.p5b().bytes)] {
      let exhibits = Exhibits(try abortRequest + [outcome], heard: [.archive])
      #expect(try exhibits.judged().findings(.neitherOutcome) == [.noFault], "\(name)")
      try expectAcquittal(exhibits, name)
    }
    for files in [try submission, try abortRequest] {
      try expectAcquittal(Exhibits(files), "unheard")
      try expectAcquittal(Exhibits(files, heard: [.bank, .otherArchive]), "others heard")
      try expectAcquittal(Exhibits(files, heard: [.archive], now: Times.lifetime), "too late")
    }
  }

  @Test("junk, other locks and other seals are no submission")
  func junk() throws {
    let p3 = try sale.p3().bytes
    var cases: [(String, [[UInt8]])] = [
      ("no seed", Array(try submission.prefix(3))),
      ("another seed", Array(try submission.prefix(3)) + [filled(1)]),
      ("no box", [p3, try nr(sealed()), Self.seed]), ("no P3", Array(try submission.dropFirst())),
    ]
    let p4 = try sale.p4().bytes
    var contents: [(String, [[UInt8]])] = [
      ("P4 without P3", [p4]), ("P3 alone", [p3, p3]),
      ("P4 by a stranger", [try sale.p4(by: .stranger).bytes, p3]),
      ("P4 by another merchant", [try sale.p4(by: .otherMerchant).bytes, p3]),
      ("another P3", [p4, try sale.p3(by: .otherBank).bytes]), ("P3 in front", [p3, p4]),
      // An archive reads what stands in its place, and refuses these as a mismatch or as malformed.
      ("another P4 in front", [try sale.p4 { $0.key = filled(1) }.bytes, p3, p4]),
      ("another P3 in front", [p4, try sale.p3(by: .otherBank).bytes, p3]),
      ("something more", [p4, p3, p4]), ("P3 twice", [p4, p3, p3]),
      ("S_p of another contract", [p4, p3, try sale.acknowledgement { $0.hP1 = digest(1) }.bytes]),
      (
        "S_p of another n", [p4, p3, try sale.acknowledgement { $0.n = TransactionID(filled(1, 16))! }.bytes]
      ),
      (
        "S_p of another M",
        [p4, p3, try sale.acknowledgement { $0.merchant = Actor.otherMerchant.key }.bytes]
      ),
      ("S_p by a stranger", [p4, p3, try sale.acknowledgement(by: .stranger).bytes]),
      (
        "S_p twice",
        [p4, p3, try sale.acknowledgement().bytes, try sale.acknowledgement().bytes]
      ),
      ("an E6", [try EarlySale().e6().bytes, p3]),
    ]
    for change in changedP4 {
      contents.append(("P4.\(change.name)", [try sale.p4(nil, change.body).bytes, p3]))
    }
    for (name, messages) in contents {
      let box = try sealed(messages)
      cases.append((name, [p3, try nr(box), box, Self.seed]))
    }
    let elsewhere = try sealed(to: Actor.otherArchive.sealingKey)
    cases.append(("sealed to another archive", [p3, try nr(elsewhere), elsewhere, Self.seed]))
    for (name, files) in cases {
      try expectAcquittal(Exhibits(files, heard: [.archive, .otherArchive]), name)
    }
  }

  @Test("a certificate counts as it is signed: lock, target, request and times")
  func certificates() throws {
    let rest = [try sale.p3().bytes, try sealed(), Self.seed]
    let box = try sealed()
    var cases: [(String, [UInt8])] = [
      ("by a stranger", try nr(box, by: .stranger)), ("by the merchant", try nr(box, by: .merchant)),
      ("L", try nr(box) { $0.lock = digest(1) }),
      ("M", try nr(box) { $0.merchant = Actor.otherMerchant.key }),
      ("n", try nr(box) { $0.n = TransactionID(filled(1, 16))! }),
      ("target", try nr(box) { $0.target = Actor.otherArchive.key }),
      ("request", try nr(box) { $0.hRequest = digest(1) }),
      ("impatient", try nr(box) { $0.waitedUntil = $0.sentAt + 29 }),
      ("too late to commit", try nr(box, at: Times.expiration - 30)),
      ("an answer of the archive's", try nr(box) { $0.answer = try? sale.p5b().bytes }),
      ("a commit", try nr(box) { $0.answer = try? sale.p5a().bytes }),
    ]
    let refusal = Refusal(at: Times.now + 61, reason: .tooLate, hRequest: Hash(of: box), detail: nil)
    cases.append(("refused", try nr(box) { $0.answer = try? Actor.archive.sign(refusal).bytes }))
    for (name, file) in cases { try expectAcquittal(Exhibits(rest + [file], heard: [.archive]), name) }
    let requests: [(String, [UInt8])] = [
      ("too early", try nr(sale.p3().bytes, at: Times.expiration - 1)),
      ("after the lifetime", try nr(sale.p3().bytes, at: Times.lifetime - 30)),
    ]
    for (name, file) in requests { try expectAcquittal(Exhibits([rest[0], file], heard: [.archive]), name) }
    try expectAcquittalWithoutTrust(
      Exhibits(try submission, heard: [.archive]), in: [.archive, .bank, .merchant, .witness])
    try expectAcquittalWithoutTrust(
      Exhibits(try abortRequest, heard: [.archive]), in: [.archive, .bank, .witness])
  }

  @Test("a refusal for what the submission disproves is no answer, nor is what others sign")
  func falseRefusal() throws {
    let box = try sealed()
    let rest = [try sale.p3().bytes, box, Self.seed]
    for reason in [Reason.mismatch, .wrongKey] {
      let refusal = Refusal(at: Times.now + 61, reason: reason, hRequest: Hash(of: box), detail: nil)
      for actor in [Actor.archive, .stranger] {
        let file = try nr(box) { $0.answer = try? actor.sign(refusal).bytes }
        try expectConviction(
          Exhibits(rest + [file], heard: [.archive]), .neitherOutcome, .archive, also: [.keyLeaked])
      }
    }
  }

  @Test("what the archive answered when it did not have to act yet, or no more, is no answer")
  func otherTimes() throws {
    let (p3, box) = (try sale.p3().bytes, try sealed())
    func answered(_ request: [UInt8], at sent: Timestamp, _ reason: Reason) throws -> [UInt8] {
      let refusal = Refusal(at: sent + 1, reason: reason, hRequest: Hash(of: request), detail: nil)
      return try nr(request, at: sent) { $0.answer = try? Actor.archive.sign(refusal).bytes }
    }
    let early = try answered(p3, at: Times.expiration - 1, .tooEarly)
    let over = try answered(p3, at: Times.lifetime, .lifetime)
    try expectConviction(
      Exhibits(try abortRequest + [early, over], heard: [.archive]), .neitherOutcome, .archive)
    let late = try answered(box, at: Times.expiration, .tooLate)
    try expectConviction(
      Exhibits(try submission + [late], heard: [.archive]), .neitherOutcome, .archive, also: [.keyLeaked])
    for file in [
      try answered(p3, at: Times.expiration, .tooEarly), try answered(p3, at: Times.expiration, .malformed),
      try answered(p3, at: Times.lifetime - 1, .untrusted),
    ] { try expectAcquittal(Exhibits(try abortRequest + [file], heard: [.archive]), "in time") }
  }

  @Test("more than half of the witnesses are needed, all for the same request")
  func quorum() throws {
    let three = trustList {
      for actor in [Actor.secondWitness, .thirdWitness] {
        $0.entries.append(
          TrustEntry(
            role: .witness, name: "\(actor)", key: actor.key, from: Times.now - 1000, until: Times.lifetime))
      }
    }
    let one = try submission
    try expectAcquittal(Exhibits(one, heard: [.archive], trust: three), "one of three")
    let second = try nr(sealed(), by: .secondWitness)
    try expectConviction(
      Exhibits(one + [second], heard: [.archive], trust: three), .neitherOutcome, .archive, also: [.keyLeaked]
    )
    let other = try nr(
      sealed([sale.p4().bytes, sale.p3().bytes, sale.acknowledgement().bytes]), by: .secondWitness)
    try expectAcquittal(Exhibits(one + [other], heard: [.archive], trust: three), "different requests")
    let again = try nr(sealed(), at: Times.now + 61)
    try expectAcquittal(Exhibits(one + [again], heard: [.archive], trust: three), "one witness twice")
    let answered = try nr(sealed(), by: .thirdWitness) { $0.answer = try? sale.p5b().bytes }
    try expectAcquittal(
      Exhibits(one + [second, answered], heard: [.archive], trust: three), "the third had an answer")
  }

  @Test("with another commit of this transaction the archive could make none")
  func reusedNumber() throws {
    let other = try sale.p5a(sale.p4(sale.p3(by: .otherBank)))
    try expectAcquittal(Exhibits(try submission + [other.bytes], heard: [.archive]), "committed elsewhere")
  }

  @Test("early and series submissions need what their mode needs")
  func modes() throws {
    let early = EarlySale()
    let e3 = try early.e3().bytes
    for (messages, convicts) in [
      ([try early.e6().bytes, e3, try early.e5().bytes], true), ([try early.e6().bytes, e3], false),
      ([try early.e6().bytes, e3, try early.e5(by: .stranger).bytes], false),
      ([try early.e6().bytes, e3, try early.e5().bytes, try early.e4().bytes], false),
    ] {
      let box = try sealed(messages)
      let exhibits = Exhibits([e3, try certified(e3, box), box, Self.seed], heard: [.archive])
      #expect(try exhibits.judged().convicts == convicts)
    }
    let series = Series()
    let r3 = try series.r3().bytes
    for (messages, convicts) in [
      ([try series.r9().bytes, r3, try series.r7(2).bytes], true),
      ([try series.r9().bytes, r3, try series.r7(1).bytes], false),
    ] {
      let box = try sealed(messages)
      let exhibits = Exhibits([r3, try certified(r3, box), box, Self.seed], heard: [.archive])
      #expect(try exhibits.judged().convicts == convicts)
    }
  }

  @Test("a two-sided submission counts with its S_p(P1), and without")
  func twoSided() throws {
    let box = try sealed([sale.p4().bytes, sale.p3().bytes, sale.acknowledgement().bytes])
    try expectConviction(
      Exhibits([try sale.p3().bytes, try nr(box), box, Self.seed], heard: [.archive]), .neitherOutcome,
      .archive, also: [.keyLeaked])
  }

  @Test("joint: sealed to the bank, of the bank's own lock")
  func joint() throws {
    let sale = JointSale()
    let (ja3, ja4) = (try sale.ja3().bytes, try sale.ja4().bytes)
    func files(_ lock: [UInt8], _ messages: [[UInt8]], to actor: Actor = .bank) throws -> [[UInt8]] {
      let box = try sealed(messages, to: actor.sealingKey)
      return [lock, try certified(lock, box, target: .bank), box, Self.seed]
    }
    try expectConviction(
      Exhibits(try files(ja3, [ja4, ja3]), heard: [.bank]), .neitherOutcome, .bank, also: [.keyLeaked])
    let otherKey = try sale.ja4 { $0.key = filled(1) }.bytes
    let cases: [(String, [[UInt8]])] = [
      ("JA4.k", try files(ja3, [otherKey, ja3])),
      ("JA4.value", try files(ja3, [try sale.ja4 { $0.value = Money("EUR:1")! }.bytes, ja3])),
      ("sealed to another", try files(ja3, [ja4, ja3], to: .otherBank)),
      ("not sealed", [ja3, ja4, try certified(ja3, ja4, target: .bank)]),
    ]
    for (name, files) in cases { try expectAcquittal(Exhibits(files, heard: [.bank]), name) }
    // A bank cannot bind another to its own lock: that one refuses it as a mismatch, and rightly.
    let strange = try Actor.otherBank.sign(JA3(terms: sale.terms(.joint)))
    let ja4s = try sale.ja4 { $0.lock = strange.hash }.bytes
    let bound = try files(strange.bytes, [ja4s, strange.bytes])
    try expectAcquittal(Exhibits(bound, heard: [.bank, .otherBank]), "another bank's lock")
  }

  @Test("announced: with the token's consent, which its announcement shows")
  func announced() throws {
    let sale = AnnouncedSale()
    let (a7, shown) = (try sale.a7().bytes, try sale.announced().bytes)
    func files(_ a8: Verified<A8>, and more: [[UInt8]] = []) throws -> [[UInt8]] {
      let box = try sealed([a8.bytes, a7] + more)
      return [a7, shown, try certified(a7, box), box, Self.seed]
    }
    try expectConviction(
      Exhibits(try files(sale.a8()), heard: [.archive]), .neitherOutcome, .archive, also: [.keyLeaked])
    let strange = try sale.consent(by: .stranger).bytes
    let cases: [(String, [[UInt8]])] = [
      ("a stranger's consent", try files(sale.a8 { $0.consent = strange })),
      ("A8.k", try files(sale.a8 { $0.key = filled(1) })),
      ("something more", try files(sale.a8(), and: [a7])),
      ("no announcement", try files(sale.a8()).filter { $0 != shown }),
    ]
    for (name, files) in cases { try expectAcquittal(Exhibits(files, heard: [.archive]), name) }
  }

  @Test("a series whose forced submission has its ciphertext elsewhere is not decided")
  func forced() throws {
    let sale = Series()
    let (r3, item) = (try sale.r3().bytes, try sale.r6(2))
    let r9 = try sale.r9 { ($0.hItem, $0.delivery) = (item.hash, .forced) }
    let box = try sealed([r9.bytes, r3, item.bytes])
    try expectAcquittal(
      Exhibits([r3, try certified(r3, box), box, Self.seed], heard: [.archive]), "forced")
  }

  @Test("the trust list's quorum is what counts")
  func ownQuorum() throws {
    func list(_ quorum: UInt64?) -> TrustList {
      trustList {
        $0.quorum = quorum
        for actor in [Actor.secondWitness, .thirdWitness] {
          $0.entries.append(
            TrustEntry(
              role: .witness, name: "\(actor)", key: actor.key, from: Times.now - 1000, until: Times.lifetime)
          )
        }
      }
    }
    let all = [Actor.witness, .secondWitness, .thirdWitness]
    for (quorum, needed) in [(UInt64?.none, 2), (1, 1), (2, 2), (3, 3)] {
      for count in 1...3 {
        let certificates = try all.prefix(count).map { try nr(sealed(), by: $0) }
        let exhibits = Exhibits(
          [try sale.p3().bytes, try sealed(), Self.seed] + certificates, heard: [.archive],
          trust: list(quorum))
        #expect(try exhibits.judged().convicts == (count >= needed), "\(count) of 3, quorum \(needed)")
      }
    }
    // A witness whose key did not count any more when the others asked is not one of them.
    var ended = list(2)
    ended.change(.secondWitness) { $0.until = Times.now + 70 }
    let late = [
      try nr(sealed(), at: Times.now + 80), try nr(sealed(), at: Times.now + 35, by: .secondWitness),
    ]
    try expectAcquittal(
      Exhibits([try sale.p3().bytes, try sealed(), Self.seed] + late, heard: [.archive], trust: ended),
      "ended")
  }

  @Test("an outcome that does not match the lock ends nothing, and what is about something else is no answer")
  func irrelevant() throws {
    let wrong = try sale.p5b { $0.lifetime += 1 }.bytes
    try expectConviction(
      Exhibits(try abortRequest + [wrong], heard: [.archive]), .neitherOutcome, .archive)
    let other = try sale.p5b(sale.p3(by: .otherBank)).bytes
    let refusal = Refusal(at: Times.expiration + 1, reason: .lifetime, hRequest: digest(1), detail: nil)
    let status = StatusAnswer(at: Times.expiration, hQuery: digest(1), proof: [], state: .open)
    let p3 = try sale.p3().bytes
    let strange = [
      try Actor.stranger.sign(
        Refusal(at: Times.expiration, reason: .tooLate, hRequest: Hash(of: p3), detail: nil)
      ).bytes,
      try Actor.stranger.sign(
        StatusAnswer(at: Times.expiration, hQuery: Hash(of: p3), proof: [], state: .open)
      ).bytes,
    ]
    for answer in strange + [
      other, try Actor.archive.sign(refusal).bytes, try Actor.archive.sign(status).bytes,
    ] {
      let file = try nr(p3, at: Times.expiration) { $0.answer = answer }
      try expectConviction(Exhibits([p3, file], heard: [.archive]), .neitherOutcome, .archive)
    }
  }

  private func certified(_ lock: [UInt8], _ request: [UInt8], target: Actor = .archive) throws -> [UInt8] {
    try nr(request) {
      $0.lock = Hash(of: lock)
      $0.target = target.key
    }
  }
}
