// Blinding with randomness that the caller brings: RFC 9474 section 4.2 as `BlindingKey.blind`, for
// rehearsals that have to come out the same each time. A wallet in service never uses it: a factor that
// somebody else knows links the token to its withdrawal.

import COpenSSL
import Crypto

extension BlindingKey {
  /// EMSA-PSS with SHA-384 and this salt of 48 bytes, times factor^e. `factor` is as long as the modulus.
  ///
  /// Throws `arithmetic` for a factor without an inverse.
  package func rehearsedBlinding(
    of message: [UInt8], salt: [UInt8], factor: [UInt8]
  ) throws(BlindTokenError) -> BlindedMessage {
    guard message.count >= Self.minimumMessageLength else { throw .messageLength }
    let encoded = Self.encodePSS(message, salt: salt, length: modulus.count)
    guard let context = BN_CTX_new() else { throw .arithmetic }
    defer { BN_CTX_free(context) }
    let m = BN_bin2bn(encoded, CInt(encoded.count), nil)
    let r = BN_bin2bn(factor, CInt(factor.count), nil)
    let n = BN_bin2bn(modulus, CInt(modulus.count), nil)
    let e = BN_new()
    let (power, product, inverse) = (BN_new(), BN_new(), BN_new())
    defer { for number in [m, r, n, e, power, product, inverse] { BN_free(number) } }
    guard BN_set_word(e, UInt(Self.publicExponent)) == 1, BN_mod_exp(power, r, e, n, context) == 1,
      BN_mod_mul(product, m, power, n, context) == 1, BN_mod_inverse(inverse, r, n, context) != nil
    else { throw .arithmetic }
    func bytes(_ number: OpaquePointer?) throws(BlindTokenError) -> [UInt8] {
      var out = [UInt8](repeating: 0, count: modulus.count)
      guard BN_bn2binpad(number, &out, CInt(out.count)) == CInt(out.count) else { throw .arithmetic }
      return out
    }
    return BlindedMessage(blinded: try bytes(product), inverse: try bytes(inverse))
  }

  /// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) for a modulus whose top bit is set.
  private static func encodePSS(_ message: [UInt8], salt: [UInt8], length: Int) -> [UInt8] {
    let digest = Array(SHA384.hash(data: message))
    let hash = Array(SHA384.hash(data: [UInt8](repeating: 0, count: 8) + digest + salt))
    let maskLength = length - hash.count - 1
    var block = [UInt8](repeating: 0, count: maskLength - salt.count - 1) + [1] + salt
    var mask: [UInt8] = []
    var counter: UInt32 = 0
    while mask.count < maskLength {
      let suffix = (0..<4).map { UInt8(truncatingIfNeeded: counter >> UInt32(24 - 8 * $0)) }
      mask += Array(SHA384.hash(data: hash + suffix))
      counter += 1
    }
    for index in block.indices { block[index] ^= mask[index] }
    block[0] &= 0x7f
    return block + hash + [0xbc]
  }
}
