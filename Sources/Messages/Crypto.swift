// Hashes, signing keys and sealed boxes: crossing into acd/crypto.h. Secrets live in guarded memory that
// is wiped when it is released; they have no description, no equality and no encoding.

internal import CCore
internal import CSodium

/// Prepares the crypto library; every use of it goes through here once. Exits the process if it cannot start,
/// because nothing can be right after that.
enum Core {
  static let isReady: Bool = {
    precondition(acd_crypto_init() == ACD_OK, "libsodium could not be initialised")
    return true
  }()
}

extension Hash {
  /// SHA-256 of `bytes`.
  public init(of bytes: [UInt8]) {
    precondition(Core.isReady)
    var out = [UInt8](repeating: 0, count: Self.size)
    acd_sha256(&out, bytes, bytes.count)
    self.init(out)!
  }

  /// hx = H("acd-hx" ‖ mode ‖ M ‖ n ‖ x): the commitment to the key that the archive will publish.
  public static func keyCommitment(_ mode: Mode, merchant: PublicKey, n: TransactionID, key: [UInt8]) -> Hash
  {
    precondition(Core.isReady && key.count == 32)
    var out = [UInt8](repeating: 0, count: size)
    acd_key_commitment(&out, acd_mode(rawValue: UInt32(mode.rawValue)), merchant.bytes, n.bytes, key)
    return Hash(out)!
  }

  /// hDescription: salted with P1's salt, so that nobody but the two parties can test guesses.
  public static func description(_ text: String, salt: Hash) -> Hash {
    precondition(Core.isReady)
    var out = [UInt8](repeating: 0, count: size)
    let utf8 = Array(text.utf8).map { CChar(bitPattern: $0) }
    acd_description_hash(&out, salt.bytes, utf8, utf8.count)
    return Hash(out)!
  }

  /// h(Q, serial), or h(Q, serial, A) for a token that is bound to an archive: what the bank signs blindly,
  /// and the token's id in its books. With `place` another bank issued the token: it is bound to
  /// the one bank where it is usable, so that it can be spent at no other.
  public static func token(
    key: PublicKey, serial: Hash, archive: PublicKey? = nil, place: TokenPlace? = nil
  ) -> Hash {
    precondition(Core.isReady)
    if let place {
      let names = place.bank.bytes + place.issuer.bytes + (archive.map { $0.bytes } ?? [])
      return Hash(of: Array("acd-issued-token".utf8) + key.bytes + serial.bytes + names)
    }
    if let archive {
      return Hash(of: Array("acd-bound-token".utf8) + key.bytes + serial.bytes + archive.bytes)
    }
    var out = [UInt8](repeating: 0, count: size)
    acd_token_message(&out, key.bytes, serial.bytes)
    return Hash(out)!
  }
}

/// Where a token is usable that another bank issued.
public struct TokenPlace: Hashable, Sendable {
  /// The one bank where it can be spent.
  public let bank: PublicKey
  /// Who signed it, and owes its value to that bank once it is spent.
  public let issuer: PublicKey

  /// Nil where the bank issued the token itself.
  public init?(bank: PublicKey, issuer: PublicKey) {
    guard bank != issuer else { return nil }
    (self.bank, self.issuer) = (bank, issuer)
  }
}

extension Token {
  /// Where it is usable, if its bank did not issue it.
  public var place: TokenPlace? { TokenPlace(bank: bank, issuer: issuer) }

  /// H(serial, A, denomination): what a registration shows of the token beside its key. Nil for a token that
  /// is bound to no archive.
  public var inner: Hash? {
    archive.map { Hash(of: Array("acd-inner".utf8) + serial.bytes + $0.bytes + keyID.bytes) }
  }

  /// h(t) = H(Q, inner): where the token is registered at its archive.
  public var address: Hash? { inner.map { .address(key: key, inner: $0) } }
}

extension Registration {
  /// h(t).
  public var address: Hash { .address(key: tokenKey, inner: inner) }
}

extension Hash {
  fileprivate static func address(key: PublicKey, inner: Hash) -> Hash {
    Hash(of: Array("acd-address".utf8) + key.bytes + inner.bytes)
  }
}

extension PublicKey {
  /// False for points of small or mixed order and for encodings that are no point: refuse such a key
  /// where it is first registered or trusted.
  public var isSound: Bool {
    precondition(Core.isReady)
    return acd_public_key_check(bytes) == ACD_OK
  }

  /// Whether this is the key's signature over bytes that are not one of our messages (`rawSignature`).
  public func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
    precondition(Core.isReady)
    guard signature.count == Int(ACD_SIGNATURE_SIZE), isSound else { return false }
    return acd_ed25519_verify(signature, message, message.count, bytes) == ACD_OK
  }
}

/// Secret bytes in guarded, locked memory; wiped and released at the end of its life.
public struct Secret: ~Copyable, @unchecked Sendable {  // never written after init, so sharing is safe
  let memory: UnsafeMutablePointer<UInt8>
  /// How many bytes.
  public let count: Int

  /// Takes `bytes` over: the caller's array is wiped.
  public init(taking bytes: inout [UInt8]) {
    self.init(count: bytes.count) { memory in
      for index in bytes.indices { memory[index] = bytes[index] }
    }
    acd_wipe(&bytes, bytes.count)
    bytes = []
  }

  init(count: Int, filling body: (UnsafeMutablePointer<UInt8>) -> Void) {
    precondition(Core.isReady)
    guard let raw = sodium_malloc(count) else { fatalError("out of locked memory for secrets") }
    memory = raw.assumingMemoryBound(to: UInt8.self)
    self.count = count
    body(memory)
  }

  deinit { sodium_free(memory) }

  /// Lends the bytes for one call. Do not let them out.
  public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: memory, count: count))
  }
}

/// An Ed25519 key pair; the secret half never leaves it.
public struct SigningKey: ~Copyable, Sendable {
  let secret: Secret
  /// The public half.
  public let publicKey: PublicKey

  /// Expands a 32-byte seed, which is wiped.
  public init(seed: inout [UInt8]) {
    precondition(Core.isReady && seed.count == Int(ACD_SEED_SIZE))
    var publicBytes = [UInt8](repeating: 0, count: PublicKey.size)
    secret = Secret(count: Int(ACD_SECRET_KEY_SIZE)) { acd_key_from_seed(&publicBytes, $0, seed) }
    publicKey = PublicKey(publicBytes)!
    acd_wipe(&seed, seed.count)
  }

  /// Signs bytes that are not one of our messages: for checkpoints and notes.
  public func rawSignature(over message: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: Int(ACD_SIGNATURE_SIZE))
    acd_ed25519_sign(&out, message, message.count, secret.memory)
    return out
  }
}

/// An X25519 key pair that opens what was sealed to it.
public struct SealingKey: ~Copyable, Sendable {
  let secret: Secret
  /// Where to seal to.
  public let publicKey: PublicKey

  /// Expands a 32-byte seed, which is wiped.
  public init(seed: inout [UInt8]) {
    precondition(Core.isReady && seed.count == 32)
    var publicBytes = [UInt8](repeating: 0, count: PublicKey.size)
    secret = Secret(count: 32) { acd_box_key_from_seed(&publicBytes, $0, seed) }
    publicKey = PublicKey(publicBytes)!
    acd_wipe(&seed, seed.count)
  }

  /// Opens a box; fails with rule "authentication" when it was not sealed to this key or was changed.
  public func open(_ box: [UInt8]) throws(MessageError) -> [UInt8] {
    let overhead = Int(ACD_SEALED_OVERHEAD)
    guard box.count >= overhead else { throw MessageError(.malformed, "truncated", "sealed box") }
    var out = [UInt8](repeating: 0, count: box.count - overhead)
    try check(acd_box_open(&out, box, box.count, publicKey.bytes, secret.memory), "sealed box")
    return out
  }
}

/// Sealing to a public key, P_x(...).
public enum Box {
  /// Seals `plain` to `recipient`. `ephemeralSeed` is 32 fresh random bytes; whoever keeps them can later
  /// show a judge what was sealed.
  public static func seal(
    _ plain: [UInt8], to recipient: PublicKey, ephemeralSeed: [UInt8]
  ) throws(MessageError) -> [UInt8] {
    precondition(Core.isReady && ephemeralSeed.count == 32)
    var out = [UInt8](repeating: 0, count: plain.count + Int(ACD_SEALED_OVERHEAD))
    try check(
      acd_box_seal(&out, plain, plain.count, recipient.bytes, ephemeralSeed), "sealed box")
    return out
  }

  /// Opens a box from the sender's seed; fails unless it was sealed with that seed to that recipient.
  public static func reopen(
    _ box: [UInt8], recipient: PublicKey, ephemeralSeed: [UInt8]
  ) throws(MessageError) -> [UInt8] {
    precondition(Core.isReady && ephemeralSeed.count == 32)
    guard box.count >= Int(ACD_SEALED_OVERHEAD) else {
      throw MessageError(.malformed, "truncated", "sealed box")
    }
    var out = [UInt8](repeating: 0, count: box.count - Int(ACD_SEALED_OVERHEAD))
    try check(acd_box_reopen(&out, box, box.count, recipient.bytes, ephemeralSeed), "sealed box")
    return out
  }
}

/// HKDF-Expand with HMAC-SHA-256 (RFC 5869): how a wallet derives all it needs from its seed. The result
/// is secret.
public func derive(from seed: borrowing Secret, info: [UInt8], count: Int = 32) -> [UInt8] {
  precondition(seed.count == 32 && count <= 255 * 32)
  var out = [UInt8](repeating: 0, count: count)
  let status = info.withUnsafeBytes { raw in
    var part = acd_hash_part(bytes: raw.baseAddress, len: raw.count)
    return acd_hkdf_expand(&out, count, seed.memory, &part, 1)
  }
  precondition(status == ACD_OK, "HKDF-Expand of a bounded length cannot fail")
  return out
}

/// Encrypts small secrets at rest or for recovery: XChaCha20-Poly1305, nonce in front.
public enum SecretBox {
  /// Bytes added: nonce and tag.
  public static let overhead = 40

  /// `nonce` is 24 fresh random bytes; `key` 32 secret ones.
  public static func seal(_ plain: [UInt8], key: [UInt8], nonce: [UInt8]) -> [UInt8] {
    precondition(Core.isReady && key.count == 32 && nonce.count == 24)
    var out = [UInt8](repeating: 0, count: plain.count + Int(ACD_AEAD_TAG_SIZE))
    acd_aead_seal(&out, plain, plain.count, nonce, key)
    return nonce + out
  }

  /// The plain bytes; fails with rule "authentication" for another key or changed bytes.
  public static func open(_ box: [UInt8], key: [UInt8]) throws(MessageError) -> [UInt8] {
    precondition(Core.isReady && key.count == 32)
    guard box.count >= overhead else { throw MessageError(.malformed, "truncated", "secret box") }
    let sealed = Array(box[24...])
    var out = [UInt8](repeating: 0, count: sealed.count - Int(ACD_AEAD_TAG_SIZE))
    try check(acd_aead_open(&out, sealed, sealed.count, Array(box[..<24]), key), "secret box")
    return out
  }
}
