// What an archive, or another bank, knows of banks' denomination keys: fetched when a token names one that is
// not known, checked against the key of the bank that issued it, and kept.

import BlindTokens
import Foundation
import Messages
import Parties
import Storage

/// Key lists of banks.
actor KeyBook {
  private let node: Node
  private var lists: [PublicKey: KeyList] = [:]
  /// When a bank's list last came: junk tokens do not make this party ask again and again.
  private var fetchedAt: [PublicKey: Timestamp] = [:]
  private static let pauseSeconds: UInt64 = 2

  init(node: Node) { self.node = node }

  /// What the token's issuer says of its denomination, and whether its blind signature holds.
  /// - Throws: `Problem` when the bank's list cannot be had now, `MessageError` for a token of no trusted
  ///   bank.
  func facts(_ token: Token) async throws -> TokenFacts {
    guard let denomination = try await list(of: token).denomination(token.keyID) else {
      return TokenFacts(denomination: nil, signatureHolds: false, spent: 0, locked: 0, uses: [])
    }
    return TokenFacts(
      denomination: denomination, signatureHolds: token.key.isSound && token.holds(under: denomination),
      spent: 0, locked: 0, uses: [])
  }

  private static func mark(_ issuer: PublicKey) -> String { "keys/\(issuer)" }

  /// The list of another bank, signed, as it was last fetched.
  static func kept(_ tx: any StoreTransaction, _ issuer: PublicKey) throws -> [UInt8]? {
    try tx.meta(mark(issuer))
  }

  private func list(of token: Token) async throws -> KeyList {
    let bank = token.issuer
    let mark = Self.mark(bank)
    if lists[bank] == nil, let kept = try await node.store.read({ try $0.meta(mark) }) {
      lists[bank] = try Verified<KeyList>(stored: kept).payload
    }
    if let known = lists[bank], known.denomination(token.keyID) != nil { return known }
    let now = node.clock()
    if let known = lists[bank], let last = fetchedAt[bank], now < last + Self.pauseSeconds { return known }
    guard node.trust.list.knows(bank, as: .bank), let url = node.url(of: bank) else {
      throw MessageError(.authentication, "untrusted", "the token's bank")
    }
    do {
      let reply = try await node.transport.send("GET", url: url + "/v1/keys", body: nil, contentType: nil)
      guard reply.status == 200 else { throw Self.unreachable }
      let list = try Verified<KeyList>(reply.body, by: .key(bank))
      try await node.store.write { try $0.setMeta(mark, list.bytes) }
      (lists[bank], fetchedAt[bank]) = (list.payload, now)
      return list.payload
    } catch is TransportError { throw Self.unreachable } catch is MessageError {
      // What the bank answered is no fault of the message that named the token: that is not refused for it.
      throw Self.unreachable
    }
  }

  private static let unreachable = Problem.busy(
    "The bank cannot be asked", "Its key list is not known here.")
}
