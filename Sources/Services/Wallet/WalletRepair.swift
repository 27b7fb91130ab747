// Ciphertext that arrived damaged: the bad ranges are found, complained of, and fetched again.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// As many ranges as a NAK names; more damage than that is no damage but another file.
  private static let rangesMax = 64

  /// Whether the file is the contract's now. What cannot be read from the merchant's answers is told; a cut
  /// connection leaves the file for the next attempt.
  func repaired(_ goods: PurchasedGoods, _ file: RawFile, for info: PurchaseInfo) async throws -> Bool {
    do { return try await repair(goods, file, for: info) } catch let error as MessageError {
      report(.note("the damage could not be found: \(error)"))
      return false
    }
  }

  /// Finds the bad ranges of ciphertext that has the right length, tells the merchant, and fetches them
  /// again.
  /// - Returns: whether the file is the contract's now.
  private func repair(_ goods: PurchasedGoods, _ file: RawFile, for info: PurchaseInfo) async throws -> Bool {
    let leaves = try address(goods, for: info, at: try entry(goods.merchant), part: "/leaves")
    var bytes: [UInt8] = []
    let status = try await transport.download(url: leaves, from: 0) { block in
      guard bytes.count + block.count <= GoodsLeaves.bytesMax else {
        throw ServiceError.protocolViolation("the leaf hashes are more than the goods can have")
      }
      bytes += block
    }
    guard status == 200 else { return false }
    let sound = try GoodsLeaves(encoded: bytes)
    guard try sound.root() == goods.claim.root else { return false }
    let own = try await surroundings.offTheLoop { try GoodsLeaves(of: file) }
    let bad = sound.differences(of: own, length: goods.claim.length)
    guard !bad.isEmpty, bad.count <= Self.rangesMax else { return false }
    let nak = try Verified(
      signing: NAK(
        n: goods.n, hP1: goods.hNamed, decline: false,
        badRanges: bad.flatMap { [$0.lowerBound, $0.upperBound - $0.lowerBound] }),
      with: seed.pseudonymKey(info.pseudonymIndex))
    try await store.write {
      try $0.keep(.nak, nak.bytes, kind: PurchaseInfo.kind, key: RowKey.number(info.number))
    }
    _ = try? await exchange(nak.bytes, with: goods.merchant)
    report(.note("\(bad.count) damaged parts of the goods are fetched again"))
    for range in bad {
      var place = range.lowerBound
      let status = try await transport.download(
        url: try address(goods, for: info, at: try entry(goods.merchant)), from: range.lowerBound,
        to: range.upperBound - 1
      ) { block in
        let part = UnsafeRawBufferPointer(rebasing: block.prefix(Int(range.upperBound - place)))
        try file.write(part, at: place)
        place += UInt64(part.count)
      }
      guard [200, 206].contains(status), place == range.upperBound else { return false }
    }
    try file.synchronize()
    return try await surroundings.offTheLoop { try GoodsLeaves(of: file) } == sound
  }
}
