// Multiplication modulo n, the one step of RFC 9474 section 4.4 (Finalize) that the cryptographic library
// offers only together with a blinding inverse that it made itself in the same process.
//
// Numbers are big-endian and exactly as long as the modulus. Nothing else of RSA is done here.

import COpenSSL

/// Unsigned numbers of a fixed length modulo `n`.
enum ModularArithmetic {
  /// Whether `number` has the length of `modulus` and lies from 1 to below it.
  static func isResidue(_ number: [UInt8], of modulus: [UInt8]) -> Bool {
    number.count == modulus.count && number.lexicographicallyPrecedes(modulus)
      && number.contains { $0 != 0 }
  }

  /// `public * secret mod modulus`; the library's copies of `secret` and of the product are cleared.
  ///
  /// Both factors have the modulus's length (`isResidue`). Not constant in time: the product becomes
  /// public, and `secret` is used once, on the machine that made it.
  static func multiply(
    public factor: [UInt8], secret: [UInt8], modulus: [UInt8]
  ) throws(BlindTokenError) -> [UInt8] {
    guard let context = BN_CTX_secure_new() else { throw .arithmetic }
    defer { BN_CTX_free(context) }
    let z = BN_bin2bn(factor, CInt(factor.count), nil)
    let inverse = BN_bin2bn(secret, CInt(secret.count), nil)
    let n = BN_bin2bn(modulus, CInt(modulus.count), nil)
    let product = BN_new()
    defer {
      BN_free(z)
      BN_clear_free(inverse)
      BN_free(n)
      BN_clear_free(product)
    }
    guard z != nil, inverse != nil, n != nil, product != nil,
      BN_mod_mul(product, z, inverse, n, context) == 1
    else { throw .arithmetic }
    var bytes = [UInt8](repeating: 0, count: modulus.count)
    guard BN_bn2binpad(product, &bytes, CInt(bytes.count)) == CInt(bytes.count) else {
      throw .arithmetic
    }
    return bytes
  }

  /// `base ^ exponent mod modulus`, of public numbers.
  static func power(
    _ base: [UInt8], _ exponent: UInt64, modulus: [UInt8]
  ) throws(BlindTokenError) -> [UInt8] {
    guard let context = BN_CTX_new() else { throw .arithmetic }
    defer { BN_CTX_free(context) }
    let (b, e) = (BN_bin2bn(base, CInt(base.count), nil), BN_new())
    let (n, result) = (BN_bin2bn(modulus, CInt(modulus.count), nil), BN_new())
    defer { for number in [b, e, n, result] { BN_free(number) } }
    guard b != nil, e != nil, n != nil, result != nil, BN_set_word(e, UInt(exponent)) == 1,
      BN_mod_exp(result, b, e, n, context) == 1
    else { throw .arithmetic }
    var bytes = [UInt8](repeating: 0, count: modulus.count)
    guard BN_bn2binpad(result, &bytes, CInt(bytes.count)) == CInt(bytes.count) else { throw .arithmetic }
    return bytes
  }
}
