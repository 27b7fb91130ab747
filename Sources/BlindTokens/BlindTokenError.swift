// What can go wrong with a blind signature or a denomination key.
//
// The cases say nothing that a peer could learn a secret from, and carry no secret.

/// Why a blind-signature operation was refused.
public enum BlindTokenError: Error, Equatable, Sendable {
  /// The currency is not three capital letters (ISO 4217).
  case currency
  /// The value is zero or does not fit the ledger's signed 64 bits.
  case value
  /// The modulus is not 2,048 to 4,096 bits in whole bytes with the top bit set, or is even.
  case modulus
  /// The public exponent is not 65,537.
  case exponent
  /// The cryptographic library did not accept the key.
  case key
  /// The message is shorter than 32 bytes, so it cannot carry the 256 random bits that the variant needs.
  case messageLength
  /// A blinded message, blind signature or inverse has not the modulus's length.
  case length
  /// A blinded message, blind signature or inverse is not a number from 1 to below the modulus.
  case range
  /// Blinding failed; nothing was sent.
  case blinding
  /// The library's blinding inverse has not the layout that this code reads, so a withdrawal could not be
  /// finished after a restart. Nothing was sent; no money has moved.
  case inverseLayout
  /// The unblinded signature does not verify: the bank signed something else or with another key.
  case signature
  /// Signing failed.
  case signing
  /// The arithmetic library failed, for want of memory.
  case arithmetic
}
