// A bank's private keys in rehearsals, which start the same bank and sign the same blinded tokens again and
// again: what was computed once is remembered. A blind signature is a function of key and message alone, so
// nothing comes out differently; real banks remember nothing.

import BlindTokens
import Messages
import Synchronization

/// Signs, or remembers having signed.
struct RehearsedSigner: BlindSigner {
  let key: BlindSigningKey
  private let name: Hash

  /// Parsed keys and signatures, by the hash of what they come from.
  private static let keys = Mutex<[Hash: BlindSigningKey]>([:])
  private static let signatures = Mutex<[Hash: [UInt8]]>([:])
  /// So many are remembered: then it begins anew.
  private static var most: Int { 4_096 }

  init(_ der: [UInt8]) throws {
    name = Hash(of: der)
    let name = name
    if let known = Self.keys.withLock({ $0[name] }) {
      key = known
      return
    }
    let parsed = try BlindSigningKey(derRepresentation: der)
    Self.keys.withLock { $0[name] = parsed }
    key = parsed
  }

  func sign(blinded: [UInt8]) throws(BlindTokenError) -> [UInt8] {
    let name = Hash(of: name.bytes + blinded)
    if let known = Self.signatures.withLock({ $0[name] }) { return known }
    let signature = try key.sign(blinded: blinded)
    Self.signatures.withLock { known in
      if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
      known[name] = signature
    }
    return signature
  }
}
