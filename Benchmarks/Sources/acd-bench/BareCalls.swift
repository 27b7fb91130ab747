// The cryptographic calls that one purchase cannot do without, made directly on libsodium and OpenSSL: as
// many, of the same sizes, with valid signatures, nothing encoded, nothing else checked. What remains of a
// purchase's time beyond this is what the project adds.

import CBench
import Foundation
import Messages

/// How many calls of each kind.
struct CallCounts {
  var sign = 0
  var verify = 0
  var rsaVerify = 0
  var pointCheck = 0
  var sealAndOpen = 0
  /// SHA-256 calls: H(P3) at four parties, the commitment to k at four, one per token.
  var sha256 = 0

  var line: String {
    "Ed25519 sign \(sign), verify \(verify), RSA-PSS verify \(rsaVerify), point check \(pointCheck), "
      + "box seal+open \(sealAndOpen), SHA-256 \(sha256)"
  }
}

final class BareCalls {
  private struct Signed {
    let message: [UInt8]
    let signature: [UInt8]
  }

  private var publicKey = [UInt8](repeating: 0, count: 32)
  private var secretKey = [UInt8](repeating: 0, count: 64)
  private var boxPublic = [UInt8](repeating: 0, count: 32)
  private var boxSecret = [UInt8](repeating: 0, count: 32)
  private let rsa: OpenSSLVerifier
  private let world: World
  private let toSign: [[UInt8]]
  private var toVerify: [Signed] = []
  private let toHash: [[UInt8]]
  private let bundle: [UInt8]
  let counts: CallCounts

  init(_ world: World, _ trace: Trace) throws {
    expect(sodium_init() >= 0, "libsodium")
    (self.world, bundle) = (world, trace.bundle)
    crypto_sign_keypair(&publicKey, &secretKey)
    crypto_box_keypair(&boxPublic, &boxSecret)
    rsa = OpenSSLVerifier(modulus: world.denomination.modulus)
    // What Ed25519 signs is the message without its signature (66 bytes with its head) and 10 bytes more.
    func signed(_ bytes: [UInt8]) -> [UInt8] { [UInt8](repeating: 0xa5, count: bytes.count - 56) }
    let (p3, p4, p5a) = (signed(trace.p3), signed(trace.p4), signed(trace.p5a))
    toSign = trace.p2.map(signed) + [p3, p4, p5a]
    // P2's layers at the bank; P3 at customer, merchant, archive; P4 at the archive; both of P5a at three
    // parties.
    let verified = trace.p2.map(signed) + [p3, p3, p3, p4] + [p5a, p4, p5a, p4, p5a, p4]
    let commitment = [UInt8](repeating: 0x68, count: 6 + 1 + 32 + 16 + 32)
    let tokenID = [UInt8](repeating: 0x74, count: 64)
    toHash =
      [[UInt8]](repeating: trace.p3, count: 4) + [[UInt8]](repeating: commitment, count: 4)
      + world.tokens.map { _ in tokenID }
    counts = CallCounts(
      sign: toSign.count, verify: verified.count, rsaVerify: world.tokens.count,
      pointCheck: world.tokens.count, sealAndOpen: 1, sha256: toHash.count)
    toVerify = verified.map { Signed(message: $0, signature: sign($0)) }
  }

  /// All of it.
  func run() {
    signAll()
    verifyAll()
    checkTokens()
    checkPoints()
    sealAndOpen()
    hashAll()
  }

  func signAll() { for message in toSign { _ = sign(message) } }

  func verifyAll() {
    for one in toVerify {
      let status = crypto_sign_verify_detached(
        one.signature, one.message, UInt64(one.message.count), publicKey)
      expect(status == 0, "Ed25519")
    }
  }

  func checkTokens() {
    for input in world.tokens {
      expect(rsa.isValid(input.token.signature, for: input.token.id.bytes), "RSA-PSS")
    }
  }

  func checkPoints() {
    for input in world.tokens {
      expect(crypto_core_ed25519_is_valid_point(input.token.key.bytes) == 1, "point")
    }
  }

  func sealAndOpen() {
    var box = [UInt8](repeating: 0, count: bundle.count + 48)
    var plain = [UInt8](repeating: 0, count: bundle.count)
    crypto_box_seal(&box, bundle, UInt64(bundle.count), boxPublic)
    expect(crypto_box_seal_open(&plain, box, UInt64(box.count), boxPublic, boxSecret) == 0, "sealed box")
  }

  func hashAll() {
    var out = [UInt8](repeating: 0, count: 32)
    for bytes in toHash { crypto_hash_sha256(&out, bytes, UInt64(bytes.count)) }
  }

  private func sign(_ message: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    crypto_sign_detached(&signature, nil, message, UInt64(message.count), secretKey)
    return signature
  }
}

/// RSASSA-PSS with SHA-384 and a salt of 48 bytes (RFC 9474), by OpenSSL; the key is parsed once.
final class OpenSSLVerifier {
  private let key: OpaquePointer
  private let context: OpaquePointer

  init(modulus: [UInt8]) {
    // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }, the modulus' top bit set.
    func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
      let length = content.count
      let head: [UInt8] =
        length < 128 ? [UInt8(length)] : [0x82, UInt8(length >> 8), UInt8(length & 0xff)]
      return [tag] + head + content
    }
    let bytes = der(0x30, der(0x02, [0] + modulus) + der(0x02, [1, 0, 1]))
    key = bytes.withUnsafeBufferPointer { buffer in
      var next = buffer.baseAddress
      return d2i_PublicKey(EVP_PKEY_RSA, nil, &next, buffer.count)!
    }
    context = EVP_PKEY_CTX_new(key, nil)!
    expect(EVP_PKEY_verify_init(context) == 1, "verify_init")
    expect(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1, "padding")
    expect(EVP_PKEY_CTX_set_signature_md(context, EVP_sha384()) == 1, "digest")
    expect(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 48) == 1, "salt")
  }

  deinit {
    EVP_PKEY_CTX_free(context)
    EVP_PKEY_free(key)
  }

  func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
    var digest = [UInt8](repeating: 0, count: 48)
    guard EVP_Digest(message, message.count, &digest, nil, EVP_sha384(), nil) == 1 else { return false }
    return EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
  }
}
