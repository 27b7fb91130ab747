// A witness's inquiry: what it sends for others, what counts as an answer, and what it certifies.

import Messages
import Parties
import Testing

@Suite("A witness's inquiry")
struct WitnessInquiryTests {
  private let sale = Sale()
  private let trust = trustList()
  private let sent = Times.expiration

  private func inquiry(_ request: [UInt8]? = nil) throws -> Inquiry {
    let lock = try sale.p3().bytes
    return try Inquiry(WitnessedLock(lock, trust: trust), request: request ?? lock, trust: trust)
  }

  private func sealed(to actor: Actor = .archive) throws -> [UInt8] {
    let bundle = try Bundle([sale.p4().bytes, sale.p3().bytes])
    return try SealedMessage(bundle.encoded(), to: actor.sealingKey, ephemeralSeed: filled(7)).encoded()
  }

  private func query(_ change: (inout StatusQuery) -> Void = { _ in }) throws -> Verified<StatusQuery> {
    var payload = StatusQuery(
      n: Sale.n, merchant: Actor.merchant.publicKey, nonce: Nonce(filled(1, 16))!)
    change(&payload)
    return try Actor.pseudonym.sign(payload)
  }

  private func over(_ machine: inout WitnessInquiry, at now: Timestamp) throws -> [WitnessEffect] {
    try Actor.witness.withKey { try machine.over(at: now, trust: trust, key: $0) }
  }

  private func received(
    _ machine: inout WitnessInquiry, _ bytes: [UInt8], at now: Timestamp
  ) throws -> [WitnessEffect] {
    try Actor.witness.withKey { try machine.received(bytes, at: now, key: $0) }
  }

  private func certificate(_ effects: [WitnessEffect]) throws -> NonResponse {
    guard effects.count == 3, case .keep(.nonResponse, let bytes) = effects[0],
      effects[1] == .enter(.certified), effects[2] == .reply(bytes)
    else { throw Unexpected() }
    return try Verified<NonResponse>(bytes, by: .key(Actor.witness.publicKey)).payload
  }

  @Test("silence is certified when the archive's time is over, and not before")
  func silence() throws {
    var machine = WitnessInquiry(try inquiry())
    #expect(machine.asked(at: sent, isLast: false) == [.enter(.asked)])
    #expect(
      machine.begins(at: sent, trust: trust) == [
        .enter(.waiting), .deliver(until: sent + trust.answerSeconds + 1),
      ])
    #expect(machine.begins(at: sent + 1, trust: trust) == [])
    #expect(try over(&machine, at: sent + 29) == [])
    let said = try certificate(over(&machine, at: sent + 30))
    let lock = try sale.p3()
    #expect(said.target == Actor.archive.publicKey && said.lock == lock.hash && said.hRequest == lock.hash)
    #expect(said.n == Sale.n && said.merchant == Actor.merchant.publicKey)
    #expect(said.sentAt == sent && said.waitedUntil == sent + 30 && said.answer == nil)
    #expect(try over(&machine, at: sent + 60) == [], "once")
  }

  @Test("the archive's answer is certified as it came, and nothing else is an answer")
  func answers() throws {
    let request = try inquiry()
    let p3 = try sale.p3()
    func refusal(_ of: Hash, by actor: Actor = .archive) throws -> [UInt8] {
      try actor.sign(Refusal(at: sent, reason: .tooEarly, hRequest: of, detail: nil)).bytes
    }
    let foreign = try sale.p3(by: .otherBank)
    let noAnswers: [(String, [UInt8])] = [
      ("nothing", []), ("not signed", Array("gone fishing".utf8)),
      ("a refusal of another request", try refusal(digest(1))),
      ("by a stranger", try refusal(p3.hash, by: .stranger)),
      ("by the bank", try refusal(p3.hash, by: .bank)),
      ("another lock's abort", try sale.p5b(foreign).bytes),
      ("another archive's", try sale.p5b(by: .otherArchive).bytes),
      ("another archive's commit", try sale.p5a(by: .otherArchive).bytes),
      ("another lock's commit", try sale.p5a(sale.p4(foreign)).bytes), ("the lock itself", p3.bytes),
      ("an abort before its time", try sale.p5b { $0.at = Times.expiration - 1 }.bytes),
      ("an abort of another time", try sale.p5b { $0.expiration += 1 }.bytes),
      ("a commit after its time", try sale.p5a(at: Times.expiration).bytes),
      ("a commit of another contract", try sale.p5a(sale.p4 { $0.hP1 = digest(1) }).bytes),
      ("a commit that M did not sign", try sale.p5a(sale.p4(by: .stranger)).bytes),
      ("too long for a certificate", try long()),
      (
        "another query's status",
        try Actor.archive.sign(StatusAnswer(at: sent, hQuery: digest(1), proof: [], state: .open)).bytes
      ),
    ]
    var machine = WitnessInquiry(request)
    _ = machine.begins(at: sent, trust: trust)
    for (name, bytes) in noAnswers { #expect(try received(&machine, bytes, at: sent + 1) == [], "\(name)") }
    let answers: [[UInt8]] = [try sale.p5a().bytes, try sale.p5b().bytes, try refusal(p3.hash)]
    for answer in answers {
      var machine = WitnessInquiry(request)
      #expect(try received(&machine, answer, at: sent) == [], "before anything was sent")
      _ = machine.begins(at: sent, trust: trust)
      let said = try certificate(received(&machine, answer, at: sent + 1))
      #expect(said.answer == answer && said.sentAt == sent && said.waitedUntil == sent + 1)
    }
    let asked = try query()
    var status = WitnessInquiry(try inquiry(asked.bytes))
    _ = status.begins(at: sent, trust: trust)
    let open = try Actor.archive.sign(StatusAnswer(at: sent, hQuery: asked.hash, proof: [], state: .open))
      .bytes
    #expect(try certificate(received(&status, open, at: sent)).answer == open)
  }

  /// The archive's answer, just longer than what a certificate holds.
  private func long() throws -> [UInt8] {
    let (one, lock) = (try sale.p5a().bytes, try sale.p3().hash)
    func answer(_ proof: [[UInt8]]) throws -> [UInt8] {
      try Actor.archive.sign(StatusAnswer(at: sent, hQuery: lock, proof: proof, state: .open)).bytes
    }
    let half = try answer(Array(repeating: one, count: min(60, 30_000 / one.count)))
    var proof = [half, half]
    #expect(try inquiry().isAnswered(by: answer(proof)), "as long as it fits")
    while try answer(proof).count <= Inquiry.answerBytesMax { proof.append(one) }
    return try answer(proof)
  }

  @Test("after a restart the waiting begins anew: nobody listened meanwhile")
  func restart() throws {
    for phase in [InquiryPhase.asked, .waiting] {
      var machine = try WitnessInquiry(inquiry(), phase: phase, certificate: nil)
      #expect(try over(&machine, at: sent + 1000) == [], "nothing was sent since")
      _ = machine.begins(at: sent + 1000, trust: trust)
      #expect(try over(&machine, at: sent + 1029) == [])
      #expect(try certificate(over(&machine, at: sent + 1030)).sentAt == sent + 1000)
    }
    #expect(throws: MessageError.self) {
      try WitnessInquiry(inquiry(), phase: .certified, certificate: nil)
    }
  }

  @Test("soon after, the same request gets the same certificate; later it is sent again")
  func again() throws {
    var machine = WitnessInquiry(try inquiry())
    _ = machine.begins(at: sent, trust: trust)
    guard case .keep(_, let bytes) = try over(&machine, at: sent + 30)[0] else { throw Unexpected() }
    machine = try WitnessInquiry(inquiry(), phase: .certified, certificate: bytes)
    #expect(machine.asked(at: sent + 30, isLast: false) == [.reply(bytes)])
    #expect(machine.asked(at: sent + 89, isLast: false) == [.reply(bytes)])
    #expect(machine.asked(at: sent + 1000, isLast: true) == [.reply(bytes)], "there are enough")
    #expect(machine.asked(at: sent + 90, isLast: false) == [.enter(.asked)])
    // What the archive has to answer changes at the expiration, and at the lifetime's end.
    for border in [Times.expiration, Times.lifetime] {
      var machine = WitnessInquiry(try inquiry())
      _ = machine.begins(at: border - 31, trust: trust)
      guard case .keep(_, let bytes) = try over(&machine, at: border - 1)[0] else { throw Unexpected() }
      #expect(machine.asked(at: border - 1, isLast: false) == [.reply(bytes)])
      #expect(machine.asked(at: border, isLast: false) == [.enter(.asked)])
    }
  }

  @Test("it sends what this lock's archive takes, and nothing for strangers")
  func requests() throws {
    let lock = try sale.p3().bytes
    for request in [lock, try sealed(), try query().bytes] { _ = try inquiry(request) }
    var damaged = try query().bytes
    damaged[damaged.count - 1] ^= 1
    let refused: [(String, [UInt8])] = [
      ("sealed to another", try sealed(to: .otherArchive)),
      ("another lock", try sale.p3(by: .otherBank).bytes),
      ("another n", try query { $0.n = TransactionID(filled(1, 16))! }.bytes),
      ("another M", try query { $0.merchant = Actor.stranger.publicKey }.bytes), ("a damaged query", damaged),
      ("a P4 in the open", try sale.p4().bytes), ("nothing", []), ("junk", filled(1, 200)),
    ]
    for (name, request) in refused {
      #expect(throws: MessageError.self, "\(name)") { try inquiry(request) }
    }
    func rule(_ bytes: [UInt8], _ change: (inout TrustList) -> Void = { _ in }) -> String? {
      let list = trustList(change)
      return refusal { () throws(MessageError) in try WitnessedLock(bytes, trust: list) }
    }
    #expect(rule(lock) == nil)
    #expect(
      rule(lock) { $0.change(.bank) { $0.revokedAt = Times.now } } == nil, "it keeps nobody's money locked")
    #expect(rule(try sale.p3(by: .stranger).bytes) == "untrusted")
    #expect(rule(try sale.p3 { $0.archive = Actor.stranger.publicKey }.bytes) == "untrusted")
    #expect(rule(try sale.p5b().bytes) == "unexpected-type")
    let joint = try Actor.bank.sign(JA3(terms: sale.terms { $0.archive = Actor.bank.publicKey }))
    #expect(rule(joint.bytes) == nil)
    #expect(
      rule(try Actor.bank.sign(JA3(terms: sale.terms())).bytes) == "untrusted", "no bank is its archive")
  }
}
