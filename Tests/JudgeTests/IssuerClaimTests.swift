// Rules 16 and 17: tokens of another issuer.

import Judge
import Messages
import Testing

@Suite("Claims on issuers")
struct IssuerClaimTests {
  /// Usable at the bank, issued by the other.
  private let token = Token(
    bank: Actor.bank.key, key: Actor.tokenOne.key, serial: digest(3), keyID: Tokens.denomination.id,
    signature: filled(7, 256), issuer: Actor.otherBank.key)

  private func p2(_ number: UInt8, _ amount: UInt64, by actor: Actor = .tokenOne) throws -> Verified<P2> {
    let terms = Sale.terms(.core, hP1: digest(number), n: TransactionID(filled(number, 16))!) {
      $0.value = Money(currency: "EUR", amount: amount)!
    }
    return try actor.sign(
      P2(terms: terms, bank: Actor.bank.key, tokenInputs: [TokenInput(token: token, amount: amount)]))
  }

  private func bt3(
    _ number: UInt8, _ amount: UInt64, by actor: Actor = .bank, _ change: (inout BT3) -> Void = { _ in }
  ) throws -> Verified<BT3> {
    var payload = BT3(
      amount: Money(currency: "EUR", amount: amount)!, lock: digest(number), at: Times.now + 60,
      request: try p2(number, amount).bytes, due: amount, issuer: Actor.otherBank.key)
    change(&payload)
    return try actor.sign(payload)
  }

  private func bt4(
    _ bt3: Verified<BT3>, by actor: Actor = .otherBank, _ change: (inout BT4) -> Void = { _ in }
  ) throws -> [UInt8] {
    var payload = BT4(
      amount: bt3.payload.amount, lock: bt3.payload.lock, at: Times.now + 90, hBT3: bt3.hash)
    change(&payload)
    return try actor.sign(payload).bytes
  }

  private var list: [UInt8] { get throws { try Tokens.keyList(by: .otherBank).bytes } }

  private func findings(_ files: [[UInt8]], heard: [Actor] = [.otherBank]) throws -> [Finding] {
    try Exhibits(files, heard: heard).judged().findings(.claimWithheld)
  }

  @Test("the issuer, heard, does not grant what its token's owner authorized: against the issuer")
  func withheld() throws {
    let files = [try bt3(1, 400).bytes, try list]
    try expectConviction(Exhibits(files, heard: [.otherBank]), .claimWithheld, .otherBank)
    try expectAllNeeded(Exhibits(files, heard: [.otherBank]), .claimWithheld)
    #expect(try findings(files, heard: []) == [.undecided], "silence of who was not heard")
    #expect(
      try Exhibits(files, heard: [.otherBank], now: Tokens.denomination.spendUntil).judged()
        .findings(.claimWithheld) == [.undecided], "its records may be gone")
    #expect(
      try Exhibits(files, heard: [.otherBank], tokenHolds: false).judged().findings(.claimWithheld)
        == [.undecided], "it did not sign the token")
    try expectAcquittalWithoutTrust(Exhibits(files, heard: [.otherBank]), in: [.otherBank])
  }

  @Test("a grant clears the issuer; another bank's, or of another amount or claim, does not")
  func granted() throws {
    let claim = try bt3(1, 400)
    let files = [claim.bytes, try list]
    try expectAcquittal(Exhibits(files + [bt4(claim)], heard: [.otherBank]), "granted")
    #expect(try findings(files + [bt4(claim)]) == [.noFault])
    #expect(try findings(files + [bt4(claim, by: .bank)]) == [.convicted])
    #expect(try findings(files + [bt4(claim) { $0.amount = Money("EUR:1")! }]) == [.convicted])
    #expect(try findings(files + [bt4(claim) { $0.hBT3 = digest(1) }]) == [.convicted])
  }

  @Test("what no token authorized, or is another's, or more than was authorized, convicts no issuer")
  func forged() throws {
    let strange = try p2(1, 400, by: .stranger).bytes
    let forged: [(String, [UInt8])] = [
      ("by a stranger", try bt3(1, 400, by: .stranger).bytes),
      ("not signed by the token", try bt3(1, 400) { $0.request = strange }.bytes),
      ("another amount", try bt3(1, 400) { $0.amount = Money("EUR:5.00")! }.bytes),
      (
        "more than was authorized",
        try bt3(1, 400) {
          $0.due = 500
          $0.amount = Money("EUR:5.00")!
        }.bytes
      ),
      ("another currency", try bt3(1, 400) { $0.amount = Money("USD:4.00")! }.bytes),
      ("another issuer", try bt3(1, 400) { $0.issuer = Actor.bank.key }.bytes),
      ("another bank claims", try bt3(1, 400, by: .archive).bytes),
    ]
    for (name, file) in forged {
      try expectAcquittal(Exhibits([file, list, Tokens.keyList().bytes], heard: [.bank, .otherBank]), name)
    }
  }

  @Test("claims beyond the token's value convict the bank that signed them, and no issuer that refuses")
  func beyond() throws {
    let files = [try bt3(1, 600).bytes, try bt3(2, 500).bytes, try list]
    try expectConviction(Exhibits(files, heard: [.otherBank]), .claimedBeyondValue, .bank)
    try expectAllNeeded(Exhibits(files), .claimedBeyondValue)
    #expect(try findings(files) == [.undecided, .undecided])
    let within = [try bt3(1, 600).bytes, try bt3(2, 400).bytes, try list]
    try expectAcquittal(Exhibits(within), "all of the token")
    // One authorization is one claim, however often and under whatever lock it is signed.
    let again = try bt3(1, 600) { $0.lock = digest(9) }
    try expectAcquittal(Exhibits([try bt3(1, 600).bytes, again.bytes, list]), "the same authorization")
    try expectAcquittal(Exhibits(files, tokenHolds: false), "the issuer did not sign it")
    try expectAcquittalWithoutTrust(Exhibits(files), in: [.bank])
  }

  @Test("a token of another issuer is accounted for at the bank where it is usable")
  func demanded() throws {
    let demand = try Actor.tokenOne.sign(StatusQuery(token, nonce: Nonce(filled(5, 16))!))
    let files = [demand.bytes, try p2(1, 400).bytes, try list]
    try expectConviction(Exhibits(files, heard: [.bank]), .valueTaken, .bank)
    func answer(to query: Verified<StatusQuery>) throws -> [UInt8] {
      try Actor.bank.sign(
        StatusAnswer(
          remainder: Money("EUR:10")!, at: Times.now + 9, hQuery: query.hash, proof: [], state: .available)
      ).bytes
    }
    try expectAcquittal(Exhibits(files + [answer(to: demand)], heard: [.bank]), "it is available")
    // The same key and serial without the issuer is another token: its answer says nothing of this one.
    let other = try Actor.tokenOne.sign(
      StatusQuery(n: nil, merchant: nil, nonce: Nonce(filled(6, 16))!, serial: token.serial))
    let mixed = files + [other.bytes, try answer(to: other)]
    #expect(try Exhibits(mixed, heard: [.bank]).judged().findings(.valueTaken).contains(.convicted))
  }
}
