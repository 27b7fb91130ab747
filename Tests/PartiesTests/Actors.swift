// Who takes part in the tests, with keys from fixed seeds, and the trust list that knows them.

import Messages
import Parties

/// A party of the tests; its seeds are 32 times its byte.
enum Actor: UInt8, CaseIterable {
  case authority = 1
  case merchant, archive, pseudonym, bank, tokenOne, tokenTwo, stranger, otherBank, otherArchive, account
  case witness, secondWitness, thirdWitness

  var publicKey: PublicKey { withKey { $0.publicKey } }

  func withKey<R: ~Copyable, E: Error>(_ body: (borrowing SigningKey) throws(E) -> R) throws(E) -> R {
    var seed = [UInt8](repeating: rawValue, count: 32)
    return try body(SigningKey(seed: &seed))
  }

  func sign<P: Payload>(_ payload: P) throws(MessageError) -> Verified<P> {
    try withKey { (key) throws(MessageError) in try Verified(signing: payload, with: key) }
  }

  /// Where submissions are sealed to.
  var sealingKey: PublicKey {
    var seed = filled(rawValue ^ 0x80)
    return SealingKey(seed: &seed).publicKey
  }

  static func named(_ key: PublicKey) -> String {
    allCases.first { $0.publicKey == key }.map { "\($0)" } ?? "nobody"
  }
}

func filled(_ byte: UInt8, _ count: Int = 32) -> [UInt8] { [UInt8](repeating: byte, count: count) }

func digest(_ byte: UInt8) -> Hash { Hash(filled(byte))! }

/// The moments of the tests.
enum Times {
  static let now: Timestamp = 1_767_225_600
  static let expiration = now + 600
  static let lifetime = now + 86_400
}

/// The trust list that everybody has, before a test changes it.
func trustList(_ change: (inout TrustList) -> Void = { _ in }) -> TrustList {
  func entry(_ role: Role, _ actor: Actor) -> TrustEntry {
    TrustEntry(
      role: role, name: "\(actor)", key: actor.publicKey, from: Times.now - 1000,
      until: Times.lifetime + 1000, sealingKey: role == .archive ? actor.sealingKey : nil)
  }
  var list = TrustList(
    at: Times.now - 1000, until: Times.lifetime, sequence: 1, previous: nil,
    entries: [
      entry(.bank, .bank), entry(.bank, .otherBank), entry(.archive, .archive),
      entry(.archive, .otherArchive), entry(.witness, .witness), entry(.witness, .secondWitness),
      entry(.witness, .thirdWitness), entry(.merchant, .merchant),
    ], answerSeconds: 30, skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: 1 << 30)
  change(&list)
  return list
}

/// The rule that refused, or nil when nothing did.
func refusal<R: ~Copyable>(_ body: () throws(MessageError) -> R) -> String? {
  do throws(MessageError) {
    _ = try body()
    return nil
  } catch { return error.rule }
}
