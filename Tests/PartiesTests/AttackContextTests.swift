// Attacks 6, 14 and 18 of the catalogue: messages of one mode in the place of another's, a payment in the
// place of what a counter asks to be signed, and what the parties learn of a customer. Where a fix can be
// left out, the test also shows that the attack would succeed without it.

import Messages
import Parties
import Testing

@Suite("Attacks: modes and privacy")
struct AttackContextTests {
  private let sale = Sale()

  /// The bank's authorization with these terms, of mode `M`.
  private func lock<M>(_: M.Type, _ change: (inout LockTerms) -> Void = { _ in }) throws
    -> Verified<AuthorizationB<M>>
  {
    try Actor.bank.sign(AuthorizationB<M>(terms: sale.terms(change)))
  }

  @Test("6: no message of one mode is read in the place of another's")
  func types() throws {
    let trust = trustList()
    func rule<P: Payload>(_ bytes: [UInt8], as _: P.Type) -> String? {
      refusal { () throws(MessageError) in try Unverified<P>(bytes) }
    }
    let core = try sale.p3()
    #expect(
      core.payload.terms == (try lock(EarlyMode.self)).payload.terms, "by the fields they are the same")
    #expect(rule(core.bytes, as: R3.self) == "unexpected-type")
    #expect(rule(core.bytes, as: E3.self) == "unexpected-type")
    #expect(rule(core.bytes, as: JA3.self) == "unexpected-type")
    #expect(rule(try lock(JointMode.self).bytes, as: P3.self) == "unexpected-type")
    #expect(rule(try sale.p2().bytes, as: R2.self) == "unexpected-type")
    #expect(rule(try sale.p4().bytes, as: R9.self) == "unexpected-type")
    for bytes in [try sale.p5a().bytes, try sale.p5b().bytes] {
      #expect(refusal { () throws(MessageError) in try Outcome<CoreMode>(bytes, trust: trust) } == nil)
      #expect(
        refusal { () throws(MessageError) in try Outcome<EarlyMode>(bytes, trust: trust) }
          == "unexpected-type")
      #expect(
        refusal { () throws(MessageError) in try Outcome<JointMode>(bytes, trust: trust) }
          == "unexpected-type")
    }
  }

  @Test("6: a core submission spends no other mode's lock")
  func submission() throws {
    let p4 = try sale.p4()
    let other = try lock(JointMode.self)
    let own = try sale.bundle()
    let rule = refusal { () throws(MessageError) in
      try Submitted<JointMode>(Bundle([p4.bytes, other.bytes]), trust: trustList(), at: Times.now)
    }
    #expect(rule == "unexpected-type")
    let mixed = refusal { () throws(MessageError) in
      try Submitted<CoreMode>(Bundle([p4.bytes, other.bytes]), trust: trustList(), at: Times.now)
    }
    #expect(mixed == "unexpected-type")
    #expect(
      refusal { () throws(MessageError) in
        try Submitted<CoreMode>(own, trust: trustList(), at: Times.now)
      } == nil, "with its own lock it is taken")
  }

  @Test("6: one key is committed to differently in each mode")
  func commitments() {
    let merchant = Actor.merchant.publicKey
    let all = Mode.allCases.map { Hash.keyCommitment($0, merchant: merchant, n: Sale.n, key: Sale.k) }
    #expect(Set(all).count == Mode.allCases.count)
  }

  @Test("6: a contract of one protocol is not bought by another")
  func contract() throws {
    let repeated = try sale.p1 { $0.contract.mode = .repeated }
    let customer = try CustomerRig()
    #expect(try customer.offered(repeated).last == "deny unsupported")
    let core = try CustomerRig()
    #expect(try core.offered(sale.p1()) == ["keep P1", "enter offered"], "its own is")
  }

  @Test("14: a payment that a counter has P sign is none, for P is no token's key")
  func rogueReader() throws {
    func signedByP(paying actor: Actor) throws -> String? {
      let inputs = [TokenInput(token: Tokens.token(actor), amount: Sale.price.amount)]
      let payment = P2(terms: try sale.terms(), bank: Actor.bank.publicKey, tokenInputs: inputs)
      let bytes = try Actor.pseudonym.sign(payment).bytes
      return refusal { () throws(MessageError) in try Verified<P2>(bytes, by: .ownTokens) }
    }
    #expect(try signedByP(paying: .tokenOne) != nil)
    #expect(try signedByP(paying: .pseudonym) == nil, "with P = Q the reader would be paid")
  }

  @Test("18: of the customer's tokens the bank alone learns anything")
  func tokensAtTheBankOnly() throws {
    let two = Sale(twoSided: true)
    let inputs = Tokens.inputs.map(\.token)
    func shows(_ bytes: [UInt8]) -> Bool {
      inputs.contains { token in
        [token.key.bytes, token.serial.bytes, token.id.bytes].contains { bytes.contains($0) }
      }
    }
    #expect(shows(try two.p2().bytes), "P2 shows them: else this test looks for nothing")
    let others = [
      try two.n1().bytes, try two.p1().bytes, try two.p3().bytes, try two.acknowledgement().bytes,
      try two.p4().bytes, try two.cancel().bytes, try two.p5a().bytes, try two.p5b().bytes,
      try two.credit().bytes, try two.nak(decline: true).bytes,
    ]
    for bytes in others { #expect(!shows(bytes)) }
    // And what the bank's machine itself sends to others.
    let bank = BankRig()
    try bank.authorised(two.p2())
    for case .send(let bytes, _) in bank.effects { #expect(!shows(bytes)) }
    #expect(bank.effects.contains { if case .send = $0 { true } else { false } }, "P3 goes to the merchant")
  }

  @Test("18: without its salt nobody tests a guess of what was bought")
  func salted() throws {
    let p3 = try sale.p3().bytes
    let guess = Hash.description(Sale.description, salt: digest(0))
    let p5a = try sale.p5a().bytes
    #expect(!p3.contains(guess.bytes) && !p5a.contains(guess.bytes))
    #expect(try sale.p1().payload.contract.descriptionHash != guess)
    #expect(
      try sale.p1().payload.contract.descriptionHash == .description(Sale.description, salt: Sale.salt),
      "with the salt it would do")
  }
}
