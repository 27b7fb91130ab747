// The messages of one sale as they are when all is well, each open to change before it is signed: a test
// states only what is different.

import Messages
import Parties

/// One sale between the actors.
struct Sale {
  static let k = filled(0x6b)
  static let n = TransactionID(filled(0x4e, 16))!
  static let salt = digest(0x5a)
  static let description = "A map of the lake"
  static let price = Money("EUR:12.34")!
  static let length = Goods.sealedLength(of: 1000)
  static let root = digest(0x72)

  var twoSided = false
  var k = Self.k
  var root = Self.root
  var length = Self.length
  /// Where the customer wants to collect a parcel, and by whose keys.
  var office: PublicKey?
  var collectKeys: [PublicKey] = []

  func n1(_ change: (inout N1) -> Void = { _ in }) throws -> Verified<N1> {
    let nonce = Nonce(filled(1, 16))!
    var payload = N1(nonce: nonce, price: Self.price, offer: nonce, twoSided: twoSided)
    (payload.office, payload.collectKeys) = (office, collectKeys)
    change(&payload)
    return try Actor.pseudonym.sign(payload)
  }

  /// P1 before it is signed.
  var p1Payload: P1 {
    P1(
      n: Self.n, hx: .keyCommitment(.core, merchant: Actor.merchant.publicKey, n: Self.n, key: Self.k),
      root: root, length: length, salt: Self.salt,
      contract: Contract(
        pseudonym: Actor.pseudonym.publicKey, price: Self.price, expirationMax: Times.expiration,
        lifetime: Times.lifetime, date: Times.now,
        descriptionHash: .description(Self.description, salt: Self.salt), digests: [digest(0x64)],
        archives: [Actor.archive.publicKey], banks: [Actor.bank.publicKey], twoSided: twoSided,
        name: "map.pdf"))
  }

  func p1(by actor: Actor = .merchant, _ change: (inout P1) -> Void = { _ in }) throws -> Verified<P1> {
    var payload = p1Payload
    change(&payload)
    return try actor.sign(payload)
  }

  func terms(_ change: (inout LockTerms) -> Void = { _ in }) throws -> LockTerms {
    let p1 = try p1()
    var terms = LockTerms(
      n: Self.n, merchant: Actor.merchant.publicKey, archive: Actor.archive.publicKey,
      pseudonym: Actor.pseudonym.publicKey, value: Self.price, expiration: Times.expiration,
      lifetime: Times.lifetime, hP1: p1.hash, hx: p1.payload.hx)
    change(&terms)
    return terms
  }

  /// Signed by both tokens, the second one outermost unless `reversed`.
  func p2(reversed: Bool = false, _ change: (inout P2) -> Void = { _ in }) throws -> Verified<P2> {
    var payload = P2(terms: try terms(), bank: Actor.bank.publicKey, tokenInputs: Tokens.inputs)
    change(&payload)
    let order: [Actor] = reversed ? [.tokenTwo, .tokenOne] : [.tokenOne, .tokenTwo]
    let inner = try order[0].sign(payload)
    return try order[1].withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func p3(by actor: Actor = .bank, _ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<P3> {
    try actor.sign(P3(terms: terms(change)))
  }

  func acknowledgement(
    by actor: Actor = .pseudonym, _ change: (inout Acknowledgement) -> Void = { _ in }
  ) throws -> Verified<Acknowledgement> {
    var payload = Acknowledgement(n: Self.n, merchant: Actor.merchant.publicKey, hP1: try p1().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func p4(
    _ p3: Verified<P3>? = nil, by actor: Actor = .merchant, _ change: (inout P4) -> Void = { _ in }
  ) throws -> Verified<P4> {
    let lock = try p3 ?? self.p3()
    let terms = lock.payload.terms
    var payload = P4(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: k)
    change(&payload)
    return try actor.sign(payload)
  }

  func p5a(
    _ p4: Verified<P4>? = nil, by actor: Actor = .archive, at time: Timestamp = Times.now + 20
  ) throws -> Verified<P5a> {
    try actor.sign(P5a(submission: (p4 ?? self.p4()).bytes, at: time, lifetime: Times.lifetime))
  }

  func p5b(
    _ p3: Verified<P3>? = nil, by actor: Actor = .archive, at time: Timestamp = Times.expiration,
    failed: Reason = .expired, _ change: (inout P5b) -> Void = { _ in }
  ) throws -> Verified<P5b> {
    let lock = try p3 ?? self.p3()
    let terms = lock.payload.terms
    var payload = P5b(
      n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
      lock: lock.hash, at: time, failed: failed,
      cancel: failed == .cancelled ? try cancel(lock).bytes : nil)
    change(&payload)
    return try actor.sign(payload)
  }

  func cancel(
    _ p3: Verified<P3>? = nil, by actor: Actor = .merchant, _ change: (inout Cancel) -> Void = { _ in }
  ) throws -> Verified<Cancel> {
    var payload = Cancel(n: Self.n, lock: (try p3 ?? self.p3()).hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func credit(
    by actor: Actor = .bank, _ change: (inout Credit) -> Void = { _ in }
  ) throws -> Verified<Credit> {
    var payload = Credit(amount: Self.price, lock: try p3().hash, at: Times.now + 30, account: "M-1")
    change(&payload)
    return try actor.sign(payload)
  }

  func nak(
    decline: Bool, by actor: Actor = .pseudonym, _ change: (inout NAK) -> Void = { _ in }
  ) throws -> Verified<NAK> {
    var payload = NAK(
      n: Self.n, hP1: try p1().hash, decline: decline, badRanges: decline ? [] : [56, 16_400])
    change(&payload)
    return try actor.sign(payload)
  }

  func refusal(
    by actor: Actor = .bank, _ change: (inout Refusal) -> Void = { _ in }
  ) throws -> Verified<Refusal> {
    var payload = Refusal(at: Times.now, reason: .spent, hRequest: try p2().hash, detail: "spent")
    change(&payload)
    return try actor.sign(payload)
  }
}

/// Two tokens of EUR 10, of which the sale takes all of one and EUR 2.34 of the other.
enum Tokens {
  static let denomination = Denomination(
    value: Money("EUR:10")!, id: digest(0x0d), modulus: filled(0xc5, 256), issueFrom: Times.now - 100,
    issueUntil: Times.now + 100, spendUntil: Times.lifetime + 1)

  static func token(_ actor: Actor) -> Token {
    Token(
      bank: Actor.bank.publicKey, key: actor.publicKey, serial: digest(actor.rawValue),
      keyID: denomination.id, signature: filled(7, 256), issuer: Actor.bank.publicKey)
  }

  static let inputs = [
    TokenInput(token: token(.tokenOne), amount: 1000), TokenInput(token: token(.tokenTwo), amount: 234),
  ]

  static let fresh = TokenFacts(
    denomination: denomination, signatureHolds: true, spent: 0, locked: 0, uses: [])

  /// Facts about these inputs; `change` is for the first one.
  static func facts(
    _ inputs: [TokenInput] = inputs, _ change: (inout TokenFacts) -> Void = { _ in }
  ) -> [Hash: TokenFacts] {
    var facts: [Hash: TokenFacts] = [:]
    for input in inputs { facts[input.token.id] = fresh }
    change(&facts[inputs[0].token.id]!)
    return facts
  }
}
