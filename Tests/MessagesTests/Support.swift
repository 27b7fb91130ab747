// Keys and values that the tests of messages share: all from fixed bytes, so that failures repeat.

import Messages
import Testing

/// A party of the tests; its seeds are 32 times its byte.
enum Actor: UInt8, CaseIterable {
  case authority = 1
  case merchant, archive, pseudonym, bank, tokenOne, tokenTwo, tokenThree, stranger

  var publicKey: PublicKey { withKey { $0.publicKey } }

  func withKey<R, E: Error>(_ body: (borrowing SigningKey) throws(E) -> R) throws(E) -> R {
    var seed = [UInt8](repeating: rawValue, count: 32)
    return try body(SigningKey(seed: &seed))
  }

  func sign<P: Payload>(_ payload: P) throws(MessageError) -> Verified<P> {
    try withKey { (key) throws(MessageError) in try Verified(signing: payload, with: key) }
  }

  func coSign<P: SignedByTokens>(_ message: Verified<P>) throws(MessageError) -> Verified<P> {
    try withKey { (key) throws(MessageError) in try message.coSigned(with: key) }
  }
}

func filled(_ byte: UInt8, _ count: Int = 32) -> [UInt8] { [UInt8](repeating: byte, count: count) }

func digest(_ byte: UInt8) -> Hash { Hash(filled(byte))! }

/// The rule that refused, or nil when nothing did.
func refusal<R: ~Copyable>(_ body: () throws(MessageError) -> R) -> String? {
  do throws(MessageError) {
    _ = try body()
    return nil
  } catch { return error.rule }
}
