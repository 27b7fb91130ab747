// Every type of the table: what is written is read again, and a signed message holds for its signer alone.

import Messages
import Testing

/// Signs, verifies, and shows that no other key verifies.
private func holds<P: Payload>(_ payload: P, by actor: Actor) throws {
  #expect(try P(encoded: payload.encoded()) == payload)
  let signed = try actor.sign(payload)
  let read = try Verified<P>(signed.bytes, by: .key(actor.publicKey))
  #expect(read == signed)
  #expect(read.payload == payload)
  #expect(read.signer == actor.publicKey)
  #expect(read.hash == Hash(of: signed.bytes))
  #expect(try Verified<P>(stored: signed.bytes) == signed)
  #expect(try MessageType(peeking: signed.bytes) == P.type)
  for other in Actor.allCases where other != actor {
    let rule = refusal { () throws(MessageError) in
      try Verified<P>(signed.bytes, by: .key(other.publicKey))
    }
    #expect(rule == "untrusted")
  }
}

private func survives<F: Fields>(_ value: F) throws {
  #expect(try F(encoded: value.encoded()) == value)
}

@Suite("Round trips")
struct RoundTripTests {
  @Test("the core protocol's messages come back as they were signed")
  func core() throws {
    try holds(Samples.p1(Samples.contract), by: .merchant)
    try holds(Samples.p1(Samples.fullContract), by: .merchant)
    try holds(Samples.p2([.tokenOne]), by: .tokenOne)
    try holds(P3(terms: Samples.terms), by: .bank)
    try holds(
      Acknowledgement(n: Samples.n, merchant: Actor.merchant.publicKey, hP1: digest(4)), by: .pseudonym)
    try holds(Samples.p4, by: .merchant)
    try holds(Cancel(n: Samples.n, lock: digest(0xa)), by: .merchant)
    let p4 = try Actor.merchant.sign(Samples.p4).bytes
    try holds(P5a(submission: p4, at: Samples.time, lifetime: Samples.time + 9), by: .archive)
    for reason in [Reason.expired, .cancelled] {
      let abort = P5b(
        n: Samples.n, merchant: Actor.merchant.publicKey, expiration: Samples.time,
        lifetime: Samples.time + 9, lock: digest(0xa), at: Samples.time + 1, failed: reason)
      try holds(abort, by: .archive)
    }
    try holds(CoSign(message: Actor.tokenOne.sign(Samples.p2([.tokenOne])).bytes), by: .tokenTwo)
  }

  @Test("the messages around a sale come back as they were signed")
  func service() throws {
    let some = try Actor.merchant.sign(Samples.p4).bytes
    let time = Samples.time
    try holds(
      N1(nonce: Samples.nonce, price: Samples.price, offer: Samples.nonce, twoSided: true),
      by: .pseudonym)
    try holds(NAK(n: Samples.n, hP1: digest(4), decline: true), by: .pseudonym)
    try holds(
      NAK(n: Samples.n, hP1: digest(4), decline: false, badRanges: [0, 56, 1 << 33, 16_400]),
      by: .pseudonym)
    try holds(Offers(at: time, offers: []), by: .merchant)
    try holds(Offers(at: time, offers: [Samples.offer, Samples.offer]), by: .merchant)
    try holds(Credit(amount: Samples.price, lock: digest(0xa), at: time, account: "M-1"), by: .bank)
    for reason in Reason.allCases {
      try holds(Refusal(at: time, reason: reason, hRequest: digest(1), detail: nil), by: .archive)
    }
    try holds(
      Refusal(at: time, reason: .spent, hRequest: digest(1), proof: [some, some], detail: "é"),
      by: .bank)
    try holds(StatusQuery(n: nil, merchant: nil, nonce: Samples.nonce), by: .pseudonym)
    try holds(
      StatusQuery(
        n: Samples.n, merchant: Actor.merchant.publicKey, nonce: Samples.nonce, serial: digest(2)),
      by: .tokenOne)
    for raw in 0..<9 as Range<UInt64> {
      let state = TransactionState(rawValue: raw)!
      try holds(StatusAnswer(at: time, hQuery: digest(1), proof: [], state: state), by: .archive)
    }
    try holds(
      StatusAnswer(
        remainder: Samples.price, at: time, hQuery: digest(1), proof: [some, some], state: .available),
      by: .bank)
  }

  @Test("the messages about money come back as they were signed")
  func money() throws {
    let time = Samples.time
    let recovery = filled(3, 40)
    for secrets in [nil, recovery] {
      try holds(
        W1(
          bank: Actor.bank.publicKey, amount: Samples.price, order: Samples.nonce,
          outputs: Samples.blinded, recovery: secrets), by: .stranger)
      try holds(Samples.x1([.tokenOne], recovery: secrets), by: .tokenOne)
    }
    let signatures = [filled(1, 256), filled(2, 512)]
    try holds(W2(balance: Samples.price, at: time, hW1: digest(1), signatures: signatures), by: .bank)
    try holds(X2(at: time, hX1: digest(1), signatures: signatures), by: .bank)
    try holds(AccountQuery(bank: Actor.bank.publicKey, nonce: Samples.nonce, from: 7), by: .stranger)
    let some = try Actor.merchant.sign(Samples.p4).bytes
    try holds(
      AccountAnswer(balance: Samples.price, at: time, hQuery: digest(1), history: [], next: nil), by: .bank)
    try holds(
      AccountAnswer(balance: Samples.price, at: time, hQuery: digest(1), history: [some, some], next: 16),
      by: .bank)
    for previous in [nil, digest(8)] {
      try holds(
        KeyList(at: time, sequence: 1, previous: previous, keys: [Samples.denomination], exchangeFee: 2),
        by: .bank)
      try holds(Samples.trustList([Samples.entry, Samples.fullEntry], previous: previous), by: .authority)
    }
  }

  @Test("containers and inner maps come back as they were")
  func maps() throws {
    let p1 = try Actor.merchant.sign(Samples.p1(Samples.contract)).bytes
    let p4 = try Actor.merchant.sign(Samples.p4).bytes
    let p5a = try Actor.archive.sign(P5a(submission: p4, at: Samples.time, lifetime: Samples.time + 9)).bytes
    for description in [nil, "", "A map"] {
      try survives(Receipt(p1: p1, p5a: p5a, description: description))
    }
    try survives(Bundle([]))
    try survives(Bundle([p1, p4, p5a]))
    let hashes = [digest(9), digest(3), digest(9)]
    try survives(EvidenceTimestamp(token: filled(7, 64), over: hashes))
    try survives(EvidenceTimestamp(token: filled(7, 64), checkpoint: p1))
    try survives(SealedMessage(recipient: Actor.stranger.publicKey, box: filled(1, 80)))
    try survives(Samples.contract)
    try survives(Samples.fullContract)
    try survives(Samples.token(.tokenOne))
    try survives(TokenInput(token: Samples.token(.tokenOne), amount: Money.amountMax))
    try survives(Samples.blinded[0])
    try survives(Samples.denomination)
    try survives(Samples.entry)
    try survives(Samples.fullEntry)
    try survives(Samples.offer)
  }

  @Test("a value outside the table's limits is not encoded")
  func limits() {
    var terms = Samples.terms
    terms.expiration = 0
    let early = P3(terms: terms)
    #expect(refusal { () throws(MessageError) in try early.encoded() } == "field-range")
    let short = P4(n: Samples.n, expiration: 1, hP1: digest(1), lock: digest(2), key: filled(1, 31))
    #expect(refusal { () throws(MessageError) in try short.encoded() } == "field-range")
    let nothing = TokenInput(token: Samples.token(.tokenOne), amount: 0)
    #expect(refusal { () throws(MessageError) in try nothing.encoded() } == "field-range")
    let odd = NAK(n: Samples.n, hP1: digest(1), decline: false, badRanges: [1, 2, 3])
    #expect(refusal { () throws(MessageError) in try NAK(encoded: odd.encoded()) } == "field-range")
    let empty = Refusal(at: 1, reason: .spent, hRequest: digest(1), detail: "")
    #expect(refusal { () throws(MessageError) in try empty.encoded() } == "field-range")
  }
}
