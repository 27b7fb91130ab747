// What a lying merchant does to the terms of an order and of an invoice alike.

import Messages
import Parties

extension LyingMerchant {
  /// Terms that are not what was asked for.
  /// - Returns: the ciphertext that goes with them, if it is another one, and whether the liar goes on with
  ///   such a sale; nil if there is nothing of the kind to sign.
  func bend(
    _ terms: inout InvoiceTerms, _ mode: Mode, key: [UInt8]
  ) -> (sealed: [UInt8]?, submits: Bool)? {
    switch trick(terms.n) {
    case .garbage:
      guard var bytes = sealedGoods(terms.n) else { return nil }
      bytes[bytes.count - 1] ^= 1
      guard let claim = Self.claim(of: bytes) else { return nil }
      (terms.root, terms.length) = (claim.root, claim.length)
      return (bytes, true)
    case .otherDigest:
      terms.digests = [Hash([UInt8](repeating: 7, count: 32))!]
      return (nil, true)
    case .sameNumber:
      guard let last = lastNumber else {
        lastNumber = terms.n
        return nil
      }
      terms.n = last
      terms.hx = .keyCommitment(mode, merchant: host.member.key, n: last, key: key)
      return (nil, false)
    case .otherCommitment:
      terms.hx = Hash([UInt8](repeating: 8, count: 32))!
      return (nil, true)
    case .shortLifetime:
      terms.lifetime = terms.expiration + 1
      return (nil, false)
    case .otherCiphertext:
      guard var bytes = sealedGoods(terms.n) else { return nil }
      bytes[bytes.count - 1] ^= 1
      keep(terms.n, key: key, sealed: bytes, submits: false)
      return nil
    default: return nil
    }
  }
}
