// Who takes part in the judge's tests, with keys from fixed seeds, the trust list that knows them, and short
// ways to ask for a judgment.

import CSodium
import Judge
import Messages
import Testing

/// A party of the tests; its seeds are 32 times its byte.
enum Actor: UInt8, CaseIterable {
  case merchant = 1
  case archive, bank, pseudonym, tokenOne, tokenTwo, witness, secondWitness, thirdWitness
  case otherMerchant, otherArchive, otherBank, stranger, kiosk

  var key: PublicKey { withKey { $0.publicKey } }

  func withKey<R: ~Copyable, E: Error>(_ body: (borrowing SigningKey) throws(E) -> R) throws(E) -> R {
    var seed = filled(rawValue)
    return try body(SigningKey(seed: &seed))
  }

  func sign<P: Payload>(_ payload: P) throws(MessageError) -> Verified<P> {
    try withKey { (key) throws(MessageError) in try Verified(signing: payload, with: key) }
  }

  /// The same payload with another valid signature, as a signer with another nonce makes it: another message
  /// with another hash, which says the same. Ed25519 with a nonce of its own (RFC 8032, 5.1.6).
  func signAgain<P: Payload>(_ message: Verified<P>) throws -> Verified<P> {
    let bytes = message.bytes
    // d2 84, protected header, a0, payload, signature with its head; signed is 84, "Signature1", the same.
    let end = 4 + Int(bytes[3])
    let signed =
      [0x84, 0x6a] + Array("Signature1".utf8) + bytes[2..<end] + [0x40]
      + bytes[(end + 1)..<(bytes.count - 66)]
    var (seed, publicKey, secretKey) = (filled(rawValue), filled(0), filled(0, 64))
    crypto_sign_seed_keypair(&publicKey, &secretKey, &seed)
    var expanded = filled(0, 64)
    crypto_hash_sha512(&expanded, seed, 32)
    expanded[0] &= 248
    expanded[31] = expanded[31] & 127 | 64
    func reduced(_ input: [UInt8]) -> [UInt8] {
      var (hash, scalar) = (filled(0, 64), filled(0))
      crypto_hash_sha512(&hash, input, UInt64(input.count))
      crypto_core_ed25519_scalar_reduce(&scalar, hash)
      return scalar
    }
    let nonce = reduced(Array("another nonce".utf8) + signed)
    var (point, product, sum) = (filled(0), filled(0), filled(0))
    crypto_scalarmult_ed25519_base_noclamp(&point, nonce)
    let secret = Array(expanded[..<32])
    crypto_core_ed25519_scalar_mul(&product, reduced(point + publicKey + signed), secret)
    crypto_core_ed25519_scalar_add(&sum, nonce, product)
    let other = try Verified<P>(bytes.dropLast(64) + point + sum, by: .key(key))
    precondition(other.hash != message.hash)
    return other
  }

  /// Where submissions are sealed to.
  var sealingKey: PublicKey {
    var seed = filled(rawValue ^ 0x80)
    return SealingKey(seed: &seed).publicKey
  }
}

func filled(_ byte: UInt8, _ count: Int = 32) -> [UInt8] { [UInt8](repeating: byte, count: count) }

func digest(_ byte: UInt8) -> Hash { Hash(filled(byte))! }

/// The moments of the tests.
enum Times {
  static let now: Timestamp = 1_767_225_600
  static let expiration = now + 600
  static let lifetime = now + 86_400
  /// When the dispute is heard.
  static let hearing = now + 3_600
}

/// The trust list, before a test changes it.
func trustList(_ change: (inout TrustList) -> Void = { _ in }) -> TrustList {
  func entry(_ role: Role, _ actor: Actor) -> TrustEntry {
    TrustEntry(
      role: role, name: "\(actor)", key: actor.key, from: Times.now - 1000, until: Times.lifetime + 1000,
      sealingKey: role == .archive || role == .bank ? actor.sealingKey : nil)
  }
  var list = TrustList(
    at: Times.now - 1000, until: Times.lifetime, sequence: 1, previous: nil,
    entries: [
      entry(.bank, .bank), entry(.bank, .otherBank), entry(.archive, .archive),
      entry(.archive, .otherArchive), entry(.merchant, .merchant), entry(.merchant, .otherMerchant),
      entry(.witness, .witness),
    ], answerSeconds: 30, skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: 1 << 30)
  change(&list)
  return list
}

extension TrustList {
  /// Forgets a key.
  mutating func remove(_ actor: Actor) { entries.removeAll { $0.key == actor.key } }

  /// Changes a key's entry.
  mutating func change(_ actor: Actor, _ body: (inout TrustEntry) -> Void) {
    for index in entries.indices where entries[index].key == actor.key { body(&entries[index]) }
  }
}

/// Sealed goods in memory.
struct MemoryGoods: GoodsSource {
  var name = "goods.sealed"
  var bytes: [UInt8]
  var length: UInt64 { UInt64(bytes.count) }

  func eachBlock(_ body: (UnsafeRawBufferPointer) throws(MessageError) -> Void) throws(MessageError) {
    // Blocks that fit no chunk.
    for start in stride(from: 0, to: bytes.count, by: 7_000) {
      let block = Array(bytes[start..<min(start + 7_000, bytes.count)])
      let failure: MessageError? = block.withUnsafeBytes { raw in
        do throws(MessageError) { try body(raw) } catch { return error }
        return nil
      }
      if let failure { throw failure }
    }
  }
}

/// What is handed to the judge.
struct Exhibits {
  var files: [[UInt8]]
  var goods: [[UInt8]] = []
  var heard: [Actor] = []
  var now = Times.hearing
  var trust = trustList()
  var tokenHolds = true
  var blindHolds = true

  init(
    _ files: [[UInt8]], goods: [[UInt8]] = [], heard: [Actor] = [], now: Timestamp = Times.hearing,
    trust: TrustList = trustList(), tokenHolds: Bool = true
  ) {
    (self.files, self.goods, self.heard, self.now) = (files, goods, heard, now)
    (self.trust, self.tokenHolds) = (trust, tokenHolds)
  }

  func judged(_ files: [[UInt8]]? = nil) throws -> Judgment {
    var evidence = Evidence()
    for file in files ?? self.files {
      let isKnown = try evidence.add(file, name: "file")
      #expect(isKnown, "the judge knows what it is")
    }
    for bytes in goods { try evidence.add(goods: MemoryGoods(bytes: bytes)) }
    let (holds, blindHolds) = (tokenHolds, blindHolds)
    return Judge(
      trust: trust, now: now, heard: Set(heard.map(\.key)), tokenHolds: { _, _ in holds },
      blindHolds: { _, _, _ in blindHolds }, stampHolds: Stamp.date
    ).decide(evidence)
  }
}

extension Exhibits {
  /// The same, with a trust list that does not have this key.
  func without(_ actor: Actor) -> Exhibits {
    var other = self
    other.trust.remove(actor)
    return other
  }
}

extension Judgment {
  /// What is said of one dispute.
  func findings(_ dispute: Dispute) -> [Finding] { verdicts.filter { $0.dispute == dispute }.map(\.finding) }
}

/// The evidence convicts this party of this, and nobody else of anything, in whatever order it comes and
/// however often.
func expectConviction(
  _ exhibits: Exhibits, _ dispute: Dispute, _ actor: Actor, also: [Dispute] = [], _ comment: Comment? = nil,
  at location: SourceLocation = #_sourceLocation
) throws {
  let judgment = try exhibits.judged()
  let convictions = judgment.verdicts.filter { $0.finding == .convicted }
  #expect(convictions.contains { $0.dispute == dispute }, comment, sourceLocation: location)
  #expect(
    convictions.allSatisfy { $0.against?.key == actor.key && ([dispute] + also).contains($0.dispute) },
    comment,
    sourceLocation: location)
  #expect(try exhibits.judged(exhibits.files.reversed()) == judgment, "order", sourceLocation: location)
  #expect(
    try exhibits.judged(exhibits.files + exhibits.files) == judgment, "duplicates", sourceLocation: location)
  let bundle = try Bundle(exhibits.files.filter { $0.first == 0xd2 }).encoded()
  let rest = exhibits.files.filter { $0.first != 0xd2 }
  #expect(try exhibits.judged([bundle] + rest) == judgment, "a bundle", sourceLocation: location)
}

/// The evidence convicts, and no part of it is idle: without any one of its messages, and with any one that
/// its signer did not sign so, nobody is convicted of this.
func expectAllNeeded(
  _ exhibits: Exhibits, _ dispute: Dispute, _ comment: Comment? = nil,
  at location: SourceLocation = #_sourceLocation
) throws {
  func isConvicted(_ files: [[UInt8]]) throws -> Bool {
    try exhibits.judged(files).findings(dispute).contains(.convicted)
  }
  #expect(try isConvicted(exhibits.files), comment, sourceLocation: location)
  for (index, file) in exhibits.files.enumerated() {
    var files = exhibits.files
    files.remove(at: index)
    let label = (try? MessageType(peeking: file).label) ?? "file \(index)"
    #expect(try !isConvicted(files), "without \(label)", sourceLocation: location)
    guard file.first == 0xd2 else { continue }
    var damaged = file
    damaged[damaged.count - 1] ^= 1
    #expect(try !isConvicted(files + [damaged]), "damaged \(label)", sourceLocation: location)
  }
}

/// Nobody is at fault by this evidence.
func expectAcquittal(
  _ exhibits: Exhibits, _ name: String, at location: SourceLocation = #_sourceLocation
) throws {
  let convicted = try exhibits.judged().verdicts.filter { $0.finding == .convicted }
  #expect(convicted.isEmpty, Comment(rawValue: name), sourceLocation: location)
}

/// Whose keys the trust list does not count any more, one at a time: the evidence then convicts nobody.
func expectAcquittalWithoutTrust(
  _ exhibits: Exhibits, in actors: [Actor], at location: SourceLocation = #_sourceLocation
) throws {
  for actor in actors {
    var other = exhibits
    other.trust = trustList { $0.remove(actor) }
    try expectAcquittal(other, "\(actor) unknown", at: location)
    other.trust = trustList { $0.change(actor) { entry in entry.until = Times.now - 500 } }
    try expectAcquittal(other, "\(actor) expired", at: location)
    other.trust = trustList { $0.change(actor) { entry in entry.from = Times.lifetime } }
    try expectAcquittal(other, "\(actor) not yet there", at: location)
    other.trust = trustList { $0.change(actor) { entry in entry.revokedAt = Times.now - 500 } }
    try expectAcquittal(other, "\(actor) revoked", at: location)
  }
}
