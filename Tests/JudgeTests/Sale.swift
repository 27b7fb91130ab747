// One sale by the core protocol, with real sealed goods, each message open to change before it is signed.

import Messages

/// Goods of three chunks, sealed once for all tests.
enum Ware {
  static let k = filled(0x6b)
  static let n = TransactionID(filled(0x4e, 16))!
  static let plain = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
  static let digest = Hash(of: plain)
  static let sealed = seal(plain, k, n)
  static let claim = claim(of: sealed)

  static func seal(_ plain: [UInt8], _ key: [UInt8], _ n: TransactionID) -> [UInt8] {
    do throws(MessageError) {
      var stream = try GoodsStream(sealing: key, n: n, salt: filled(0x5a, Goods.saltSize))
      let body = try update(&stream, plain)
      return body + (try stream.finish().tail)
    } catch { preconditionFailure("\(error)") }
  }

  static func claim(of sealed: [UInt8]) -> GoodsClaim {
    do throws(MessageError) {
      var stream = GoodsStream(checking: .sodium)
      _ = try update(&stream, sealed)
      let (_, root, length) = try stream.finish()
      return GoodsClaim(root: root, length: length)
    } catch { preconditionFailure("\(error)") }
  }

  private static func update(_ stream: inout GoodsStream, _ bytes: [UInt8]) throws(MessageError) -> [UInt8] {
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 30_000) {
      let block = Array(bytes[start..<min(start + 30_000, bytes.count)])
      var failure: MessageError?
      block.withUnsafeBytes { raw in
        do throws(MessageError) { out += try stream.update(raw) } catch { failure = error }
      }
      if let failure { throw failure }
    }
    return out
  }

  /// The ciphertext with one byte changed, of which the merchant may still sign the root.
  static let damaged: [UInt8] = {
    var bytes = sealed
    bytes[Goods.headerSize + Goods.sealedChunkSize + 5] ^= 1
    return bytes
  }()

  /// A chunk of `bytes` with its way to the root.
  static func proof(_ index: Int, of bytes: [UInt8]) -> GoodsChunkProof {
    let body = Array(bytes[Goods.headerSize...])
    let chunks = stride(from: 0, to: body.count, by: Goods.sealedChunkSize).map {
      Array(body[$0..<min($0 + Goods.sealedChunkSize, body.count)])
    }
    return GoodsChunkProof(
      index: index, chunk: chunks[index], header: Array(bytes[..<Goods.headerSize]),
      leaves: chunks.map { Hash(of: [0] + $0) })
  }
}

/// Two tokens of EUR 10, of which a sale takes all of one and EUR 2.34 of the other.
enum Tokens {
  static let denomination = Denomination(
    value: Money("EUR:10")!, id: digest(0x0d), modulus: filled(0xc5, 256), issueFrom: Times.now - 100,
    issueUntil: Times.now + 100, spendUntil: Times.lifetime + 1)

  static func token(_ actor: Actor, serial: UInt8 = 1) -> Token {
    Token(
      bank: Actor.bank.key, key: actor.key, serial: digest(serial), keyID: denomination.id,
      signature: filled(7, 256), issuer: Actor.bank.key)
  }

  static let inputs = [
    TokenInput(token: token(.tokenOne), amount: 1000), TokenInput(token: token(.tokenTwo), amount: 234),
  ]

  static func keyList(
    by actor: Actor = .bank, _ change: (inout KeyList) -> Void = { _ in }
  ) throws -> Verified<KeyList> {
    var list = KeyList(
      at: Times.now, sequence: 1, previous: nil, keys: [denomination], exchangeFee: 0)
    change(&list)
    return try actor.sign(list)
  }
}

/// One sale between the actors.
struct Sale {
  static let price = Money("EUR:12.34")!
  var n = Ware.n
  var claim = Ware.claim
  var mode = Mode.core

  static func contract(_ mode: Mode, twoSided: Bool = true) -> Contract {
    Contract(
      pseudonym: Actor.pseudonym.key, price: price, expirationMax: Times.expiration,
      lifetime: Times.lifetime, date: Times.now, descriptionHash: digest(0xd0), digests: [Ware.digest],
      archives: [Actor.archive.key], banks: [Actor.bank.key], mode: mode, twoSided: twoSided, name: "map.pdf")
  }

  static func hx(_ mode: Mode, _ n: TransactionID = Ware.n, key: [UInt8] = Ware.k) -> Hash {
    .keyCommitment(mode, merchant: Actor.merchant.key, n: n, key: key)
  }

  static func terms(
    _ mode: Mode, hP1: Hash, hx: Hash? = nil, n: TransactionID = Ware.n, _ change: (inout LockTerms) -> Void
  ) -> LockTerms {
    var terms = LockTerms(
      n: n, merchant: Actor.merchant.key, archive: Actor.archive.key, pseudonym: Actor.pseudonym.key,
      value: price, expiration: Times.expiration, lifetime: Times.lifetime, hP1: hP1,
      hx: hx ?? Self.hx(mode, n), base: mode == .repeated ? Money("EUR:1.00") : nil)
    change(&terms)
    return terms
  }

  func p1(by actor: Actor = .merchant, _ change: (inout P1) -> Void = { _ in }) throws -> Verified<P1> {
    var payload = P1(
      n: n, hx: Self.hx(mode, n), root: claim.root, length: claim.length, salt: digest(0x5a),
      contract: Self.contract(mode))
    change(&payload)
    return try actor.sign(payload)
  }

  func terms(
    _ p1: Verified<P1>? = nil, _ change: (inout LockTerms) -> Void = { _ in }
  ) throws -> LockTerms {
    Self.terms(mode, hP1: try (p1 ?? self.p1()).hash, n: n, change)
  }

  /// Signed by both tokens, or by the one that is named.
  func p2(
    by only: Actor? = nil, _ change: (inout P2) -> Void = { _ in }
  ) throws -> Verified<P2> {
    var payload = P2(terms: try terms(), bank: Actor.bank.key, tokenInputs: Tokens.inputs)
    change(&payload)
    if let only { return try only.sign(payload) }
    let inner = try Actor.tokenOne.sign(payload)
    return try Actor.tokenTwo.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func p3(by actor: Actor = .bank, _ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<P3> {
    try actor.sign(P3(terms: terms(nil, change)))
  }

  func p4(
    _ p3: Verified<P3>? = nil, by actor: Actor = .merchant, _ change: (inout P4) -> Void = { _ in }
  ) throws -> Verified<P4> {
    let lock = try p3 ?? self.p3()
    let terms = lock.payload.terms
    var payload = P4(n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: Ware.k)
    change(&payload)
    return try actor.sign(payload)
  }

  func p5a(
    _ p4: Verified<P4>? = nil, by actor: Actor = .archive, _ change: (inout P5a) -> Void = { _ in }
  ) throws -> Verified<P5a> {
    var payload = P5a(submission: try (p4 ?? self.p4()).bytes, at: Times.now + 20, lifetime: Times.lifetime)
    change(&payload)
    return try actor.sign(payload)
  }

  func p5b(
    _ p3: Verified<P3>? = nil, by actor: Actor = .archive, cancelled: Bool = false,
    _ change: (inout P5b) -> Void = { _ in }
  ) throws -> Verified<P5b> {
    let lock = try p3 ?? self.p3()
    let terms = lock.payload.terms
    let cancel = try Actor.merchant.sign(Cancel(n: terms.n, lock: lock.hash))
    var payload = P5b(
      n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
      lock: lock.hash, at: cancelled ? Times.now + 5 : Times.expiration,
      failed: cancelled ? .cancelled : .expired, cancel: cancelled ? cancel.bytes : nil)
    change(&payload)
    return try actor.sign(payload)
  }

  func acknowledgement(
    by actor: Actor = .pseudonym, _ change: (inout Acknowledgement) -> Void = { _ in }
  ) throws -> Verified<Acknowledgement> {
    var payload = Acknowledgement(n: n, merchant: Actor.merchant.key, hP1: try p1().hash)
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
}

/// A change of one field, and its name.
typealias Change<P> = (name: String, body: @Sendable (inout P) -> Void)

/// Every field of a lock's terms, changed.
let changedTerms: [Change<LockTerms>] = [
  ("n", { $0.n = TransactionID(filled(9, 16))! }), ("M", { $0.merchant = Actor.otherMerchant.key }),
  ("A", { $0.archive = Actor.otherArchive.key }), ("P", { $0.pseudonym = Actor.stranger.key }),
  ("value", { $0.value = Money("EUR:99.99")! }), ("expiration", { $0.expiration += 1 }),
  ("lifetime", { $0.lifetime += 1 }), ("hP1", { $0.hP1 = digest(1) }), ("hx", { $0.hx = digest(1) }),
]

/// Every field of a P4, changed.
let changedP4: [Change<P4>] = [
  ("n", { $0.n = TransactionID(filled(9, 16))! }), ("expiration", { $0.expiration += 1 }),
  ("hP1", { $0.hP1 = digest(1) }), ("L", { $0.lock = digest(1) }), ("k", { $0.key = filled(1) }),
]
