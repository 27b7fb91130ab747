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
  }

  @Test("an abort request without an answer after the expiration: the archive is at fault")
  func abort() throws {
    let exhibits = Exhibits(try abortRequest, heard: [.archive])
    try expectConviction(exhibits, .neitherOutcome, .archive)
    #expect(try exhibits.judged().findings(.keyLeaked).isEmpty, "no key was sent")
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
      ("another P3", [p4, try sale.p3(by: .otherBank).bytes]),
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

  @Test("early, series and joint submissions need what their mode needs")
  func modes() throws {
    func certified(_ lock: [UInt8], _ request: [UInt8], target: Actor = .archive) throws -> [UInt8] {
      try nr(request) {
        $0.lock = Hash(of: lock)
        $0.target = target.key
      }
    }
    let early = EarlySale()
    let e3 = try early.e3().bytes
    for (messages, convicts) in [
      ([try early.e6().bytes, e3, try early.e5().bytes], true), ([try early.e6().bytes, e3], false),
      ([try early.e6().bytes, e3, try early.e5(by: .stranger).bytes], false),
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
    let joint = JointSale()
    let (ja3, ja4) = (try joint.ja3().bytes, try joint.ja4().bytes)
    let files = [ja3, ja4, try certified(ja3, ja4, target: .bank)]
    try expectConviction(Exhibits(files, heard: [.bank]), .neitherOutcome, .bank, also: [.keyLeaked])
    let other = try joint.ja4 { $0.key = filled(1) }.bytes
    try expectAcquittal(
      Exhibits([ja3, other, try certified(ja3, other, target: .bank)], heard: [.bank]), "JA4.k")
    let announced = AnnouncedSale()
    let a7 = try announced.a7().bytes
    let a8 = try Unverified<A9a>(announced.a9a().bytes).claims.submission
    let box = try sealed([a8, a7])
    try expectConviction(
      Exhibits([a7, try certified(a7, box), box, Self.seed], heard: [.archive]), .neitherOutcome, .archive,
      also: [.keyLeaked])
  }
}
