// A denomination's private key: what the bank signs blinded tokens with.
//
// RFC 9474 section 4.3, BlindSign, of CryptoExtras: blinded against timing inside, and each signature is
// verified before it leaves (a faulty one would give the key away). The signature is a function of key and
// blinded message alone, so a repeated withdrawal request gets the same answer.
//
// Invariants: 2,048, 3,072 or 4,096 bits, exponent 65,537. No description; the library wipes the key when
// it is freed. Used for blind signatures only, for one denomination in one window.

import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The bank's private key of one denomination. Secret; safe to use from many tasks at once.
public struct BlindSigningKey: Sendable {
  /// The length of the modulus: breaking a key must cost more than what it protects in its window.
  public enum Size: Int, Sendable, CaseIterable {
    /// 2,048 bits: the default.
    case bits2048 = 2_048
    /// 3,072 bits: for high denominations; signing takes three times as long.
    case bits3072 = 3_072
  }

  /// The modulus, big-endian, without leading zeros. Public.
  public let modulus: [UInt8]

  private let key: _RSA.BlindSigning.PrivateKey<SHA384>

  /// A fresh key; takes from a tenth of a second to seconds. Throws `key` when the library fails.
  public static func generate(_ size: Size = .bits2048) throws(BlindTokenError) -> BlindSigningKey {
    let key: _RSA.BlindSigning.PrivateKey<SHA384>
    do {
      switch size {
      case .bits2048:
        key = try .init(keySize: .bits2048, parameters: .RSABSSA_SHA384_PSS_Deterministic)
      case .bits3072:
        key = try .init(keySize: .bits3072, parameters: .RSABSSA_SHA384_PSS_Deterministic)
      }
    } catch {
      throw .key
    }
    return try BlindSigningKey(key)
  }

  /// A stored key, in the form that `derRepresentation` gives.
  ///
  /// Throws `key` when it is malformed or inconsistent, `modulus` or `exponent` when it is none of ours.
  public init(derRepresentation: [UInt8]) throws(BlindTokenError) {
    let key: _RSA.BlindSigning.PrivateKey<SHA384>
    do {
      key = try .init(
        derRepresentation: derRepresentation, parameters: .RSABSSA_SHA384_PSS_Deterministic)
    } catch {
      throw .key
    }
    try self.init(key)
  }

  private init(_ key: _RSA.BlindSigning.PrivateKey<SHA384>) throws(BlindTokenError) {
    let primitives: _RSA.BlindSigning.PublicKey<SHA384>.Primitives
    do {
      primitives = try key.publicKey.getKeyPrimitives()
    } catch {
      throw .key
    }
    guard [2_048, 3_072, 4_096].contains(key.keySizeInBits) else { throw .modulus }
    guard Array(primitives.publicExponent) == [0x01, 0x00, 0x01] else { throw .exponent }
    self.key = key
    self.modulus = [UInt8](primitives.modulus)
  }

  /// The private key as PKCS #1 DER, for the bank's own storage. Secret; the caller wipes it.
  public var derRepresentation: [UInt8] { [UInt8](self.key.derRepresentation) }

  /// The public key under which tokens of `value` minor units of `currency` verify.
  public func publicKey(currency: String, value: UInt64) throws(BlindTokenError) -> BlindingKey {
    try BlindingKey(
      currency: currency, value: value, modulus: self.modulus,
      exponent: BlindingKey.publicExponent)
  }

  /// Signs a blinded message. The caller has debited the account, durably, before the answer leaves.
  ///
  /// Throws `length` or `range` for what is no blinded message under this key, `signing` when the library
  /// fails.
  public func sign(blinded: [UInt8]) throws(BlindTokenError) -> [UInt8] {
    guard blinded.count == self.modulus.count else { throw .length }
    guard ModularArithmetic.isResidue(blinded, of: self.modulus) else { throw .range }
    do {
      return [UInt8](try self.key.blindSignature(for: blinded).rawRepresentation)
    } catch {
      throw .signing
    }
  }
}
