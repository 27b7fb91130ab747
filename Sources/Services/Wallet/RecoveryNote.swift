// The recovery note that rides in W1 and X1, sealed under the wallet's own key: with it a restored wallet
// unblinds the signatures that the bank still has. The bank stores it as opaque bytes and learns nothing
// from it.
//
// Plain form, for each output: key index (8, big-endian), serial index (8), length of the inverse (2),
// inverse.

import Messages

/// What the wallet keeps secret about one output of a withdrawal or exchange, until it is a token.
struct PendingToken: Codable, Equatable, Sendable {
  var keyIndex: UInt64
  var serialIndex: UInt64
  /// Hexadecimal of the denomination key's id.
  var keyID: String
  /// RFC 9474 blinding inverse: secret, it links withdrawal and token.
  var inverse: [UInt8]
  /// The archive that the token is bound to, hexadecimal. Not in the note: whoever restores tries.
  var archive: String?
  /// The bank where the token is usable, hexadecimal, if another one issues it. Not in the note either.
  var usableAt: String?
  /// The public half of a key on a card, hexadecimal. Not in the note: the card has it.
  var key: String?
}

enum RecoveryNote {
  static func seal(_ tokens: [PendingToken], key: [UInt8], nonce: [UInt8]) -> [UInt8] {
    var plain: [UInt8] = []
    for token in tokens {
      plain += bigEndian(token.keyIndex, 8) + bigEndian(token.serialIndex, 8)
      plain += bigEndian(UInt64(token.inverse.count), 2) + token.inverse
    }
    return SecretBox.seal(plain, key: key, nonce: nonce)
  }

  /// The notes of these outputs, in order; nil if the box is not this wallet's.
  static func open(_ box: [UInt8], key: [UInt8], outputs: [Blinded]) -> [PendingToken]? {
    guard let plain = try? SecretBox.open(box, key: key) else { return nil }
    var rest = plain[...]
    var result: [PendingToken] = []
    for output in outputs {
      guard rest.count >= 18 else { return nil }
      let keyIndex = number(rest.prefix(8))
      let serialIndex = number(rest.dropFirst(8).prefix(8))
      let length = Int(number(rest.dropFirst(16).prefix(2)))
      guard rest.count >= 18 + length else { return nil }
      result.append(
        PendingToken(
          keyIndex: keyIndex, serialIndex: serialIndex, keyID: output.keyID.description,
          inverse: Array(rest.dropFirst(18).prefix(length))))
      rest = rest.dropFirst(18 + length)
    }
    return rest.isEmpty ? result : nil
  }

  private static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
