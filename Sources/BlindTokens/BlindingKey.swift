// A denomination's public key: blinding a token, unblinding the bank's signature, verifying a token.
//
// RFC 9474, RSABSSA-SHA384-PSS-Deterministic: EMSA-PSS with SHA-384 and a salt of 48 bytes, message used as
// it is. The variant without message randomisation is sound here because what is signed, h(Q, serial),
// already holds 256 random bits of the customer's that no signer can guess (RFC 9474 sections 5 and 7.3); a
// shorter message is refused.
//
// Invariants: the modulus is 2,048 to 4,096 bits long in whole bytes, its top bit set, odd; the exponent is
// 65,537. The library parses the key once. The wallet stores the blinding inverse *before* it sends the
// blinded message, and finishes with the stored bytes, in the same process or a later one.

import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A message made ready for a bank's blind signature.
public struct BlindedMessage: Sendable {
  /// What the bank signs, as long as the modulus. Shows nothing of the message.
  public let blinded: [UInt8]
  /// What unblinds the signature, as long as the modulus. Secret: whoever holds it links the token to its
  /// withdrawal. The caller stores it before `blinded` leaves the machine, and erases it with the withdrawal.
  public let inverse: [UInt8]
}

/// A denomination's public key. A value; keep it, since making one parses and checks the key.
public struct BlindingKey: Sendable {
  /// The only public exponent that is accepted.
  public static let publicExponent: UInt64 = 65_537

  /// The shortest message that is blinded or verified, in bytes.
  public static let minimumMessageLength = 32

  /// ISO 4217.
  public let currency: String
  /// What a token signed with this key is worth, in minor units.
  public let value: UInt64
  /// The modulus, big-endian, without leading zeros.
  public let modulus: [UInt8]
  /// The key's name, 32 bytes: `keyID(currency:value:modulus:)`.
  public let keyID: [UInt8]

  private let key: _RSA.BlindSigning.PublicKey<SHA384>

  /// Checks and parses a key.
  ///
  /// Throws `currency`, `value`, `modulus` or `exponent` for what is out of bounds, `key` when the library
  /// refuses it.
  public init(
    currency: String, value: UInt64, modulus: [UInt8], exponent: UInt64
  ) throws(BlindTokenError) {
    guard Self.isCurrency(currency) else { throw .currency }
    guard value > 0, value <= UInt64(Int64.max) else { throw .value }
    guard Self.isModulus(modulus) else { throw .modulus }
    guard exponent == Self.publicExponent else { throw .exponent }
    do {
      self.key = try _RSA.BlindSigning.PublicKey<SHA384>(
        n: Data(modulus), e: Data([0x01, 0x00, 0x01]), parameters: .RSABSSA_SHA384_PSS_Deterministic
      )
    } catch {
      throw .key
    }
    self.currency = currency
    self.value = value
    self.modulus = modulus
    self.keyID = Self.keyID(currency: currency, value: value, modulus: modulus)
  }

  // MARK: Withdrawing

  /// Blinds `message` with fresh randomness: RFC 9474 section 4.2, Blind.
  ///
  /// Throws `messageLength`, `blinding`, or `inverseLayout` when the library's inverse cannot be read and
  /// stored; in each case before anything was sent. Blinding the same message again gives another,
  /// unlinkable result.
  public func blind(message: [UInt8]) throws(BlindTokenError) -> BlindedMessage {
    guard message.count >= Self.minimumMessageLength else { throw .messageLength }
    let result: _RSA.BlindSigning.BlindingResult
    do {
      result = try self.key.blind(self.key.prepare(message))
    } catch {
      throw .blinding
    }
    let inverse = try Self.inverseBytes(of: result.inverse)
    let blinded = [UInt8](result.blindedMessage)
    guard ModularArithmetic.isResidue(inverse, of: self.modulus) else { throw .inverseLayout }
    guard ModularArithmetic.isResidue(blinded, of: self.modulus) else { throw .blinding }
    return BlindedMessage(blinded: blinded, inverse: inverse)
  }

  /// Unblinds the bank's answer and verifies it: RFC 9474 section 4.4, Finalize.
  ///
  /// `inverse` is the stored one of the `blind(message:)` that made the request. Throws `messageLength`,
  /// `length`, `range`, or `signature` when the result does not verify; then nothing is accepted, and the
  /// inverse stays good for another answer.
  public func finalize(
    blindSignature: [UInt8], inverse: [UInt8], message: [UInt8]
  ) throws(BlindTokenError) -> [UInt8] {
    guard message.count >= Self.minimumMessageLength else { throw .messageLength }
    let signature = try self.unblind(blindSignature, inverse: inverse)
    guard self.isValid(signature: signature, for: message) else { throw .signature }
    return signature
  }

  /// `s = z * inv mod n`, not yet verified.
  func unblind(_ blindSignature: [UInt8], inverse: [UInt8]) throws(BlindTokenError) -> [UInt8] {
    guard blindSignature.count == self.modulus.count, inverse.count == self.modulus.count else {
      throw .length
    }
    guard ModularArithmetic.isResidue(blindSignature, of: self.modulus),
      ModularArithmetic.isResidue(inverse, of: self.modulus)
    else { throw .range }
    return try ModularArithmetic.multiply(
      public: blindSignature, secret: inverse, modulus: self.modulus)
  }

  // MARK: Verifying

  /// Whether `signature` is this denomination's over `message`. Public data; not constant in time.
  ///
  /// Signatures are randomised: what was spent is known by its message, never by its signature.
  public func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
    guard message.count >= Self.minimumMessageLength,
      ModularArithmetic.isResidue(signature, of: self.modulus)
    else { return false }
    return self.key.isValidSignature(
      _RSA.Signing.RSASignature(rawRepresentation: signature), for: self.key.prepare(message))
  }

  /// Whether `blindSignature` is what the bank signs this blinded message with: RFC 9474 section 4.3,
  /// BlindSign, step 5. Anybody can tell, without the blinding.
  public func isValid(blindSignature: [UInt8], of blinded: [UInt8]) -> Bool {
    guard ModularArithmetic.isResidue(blindSignature, of: modulus),
      let message = try? ModularArithmetic.power(blindSignature, Self.publicExponent, modulus: modulus)
    else { return false }
    return message == blinded
  }

  // MARK: Naming

  /// The name of a denomination key: SHA-256 of the 16 ASCII bytes `acd-denomination`, the three letters of
  /// the currency, the value in minor units as 8 big-endian bytes, and the modulus, its big-endian bytes
  /// without leading zeros. All but the last part have a fixed length, so no two keys share an input. The
  /// exponent is always 65,537.
  public static func keyID(currency: String, value: UInt64, modulus: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    hash.update(data: Array("acd-denomination".utf8))
    hash.update(data: Array(currency.utf8))
    hash.update(data: withUnsafeBytes(of: value.bigEndian) { Array($0) })
    hash.update(data: modulus)
    return Array(hash.finalize())
  }

  private static func isCurrency(_ text: String) -> Bool {
    text.utf8.count == 3
      && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
  }

  private static func isModulus(_ bytes: [UInt8]) -> Bool {
    guard (2_048 / 8...4_096 / 8).contains(bytes.count), let first = bytes.first,
      let last = bytes.last
    else { return false }
    return first & 0x80 != 0 && last & 1 != 0
  }

  // MARK: The library's inverse

  /// The bytes of the library's blinding inverse.
  ///
  /// CryptoExtras 4.5.2 neither shows them nor takes them back, yet an inverse lost in a crash is money
  /// lost. They are read by reflection, which is read-only and checked: exactly one stored property, named
  /// as expected, of the expected type. With any other layout this throws `inverseLayout`, and a withdrawal
  /// ends before it begins.
  static func inverseBytes(of inverse: Any) throws(BlindTokenError) -> [UInt8] {
    let children = Array(Mirror(reflecting: inverse).children)
    guard children.count == 1, children[0].label == "rawRepresentation",
      let data = children[0].value as? Data
    else { throw .inverseLayout }
    return [UInt8](data)
  }
}
