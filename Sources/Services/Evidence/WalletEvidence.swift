// Evidence out of a wallet: the messages of a purchase, the sealed goods, and what is wrong with them.

import Foundation
public import Messages
import Parties
import Storage

extension Wallet {
  /// All that the wallet kept of a purchase, for a judge. While the purchase is not delivered, the tokens'
  /// keys sign a demand for their value too: the bank has to account for them.
  public func evidence(_ number: UInt64) async throws -> EvidenceExport {
    let (messages, machine) = try await store.read { tx in
      let (_, machine) = try self.load(tx, number)
      return (try tx.signedMessages(kind: PurchaseInfo.kind, key: RowKey.number(number)), machine)
    }
    var export = EvidenceExport(
      machine.phase == .delivered ? messages : messages + (try await demands(machine.p2)))
    guard let p1 = machine.p1, FileManager.default.fileExists(atPath: sealedPath(p1.payload.n)) else {
      return export
    }
    let path = sealedPath(p1.payload.n)
    export.sealedGoods = path
    if let key = machine.publishedKey {
      let proof = try await offTheLoop { try Self.badChunk(path, key: key, p1.payload) }
      export.badChunk = proof.map { Data($0.encoded) }
    }
    return export
  }

  private func demands(_ p2: Verified<P2>?) async throws -> [[UInt8]] {
    var generator = SystemRandomNumberGenerator()
    var result: [[UInt8]] = []
    for input in p2?.payload.tokenInputs ?? [] {
      guard let coin = try await store.read({ try $0.coin(input.token.id) }) else { continue }
      let query = StatusQuery(
        n: nil, merchant: nil, nonce: .random(using: &generator), serial: input.token.serial)
      result.append(try Verified(signing: query, with: seed.tokenKey(coin.keyIndex)).bytes)
    }
    return result
  }

  /// The first sealed chunk that does not open, with its way to the contract's root. Nil if all open, or if
  /// the ciphertext is not the contract's: then there is nothing to complain of.
  static func badChunk(_ path: String, key: [UInt8], _ p1: P1) throws -> GoodsChunkProof? {
    let file = try RawFile(reading: path)
    guard try file.size() == p1.length, p1.length >= UInt64(Goods.headerSize) else { return nil }
    func read(_ offset: UInt64, _ count: Int) throws -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
      return bytes
    }
    let header = try read(0, Goods.headerSize)
    var leaves: [Hash] = []
    var bad: (index: Int, chunk: [UInt8])?
    let keys = try? GoodsChunks(opening: key, n: p1.n, header: header)
    var plain = [UInt8](repeating: 0, count: Goods.chunkSize)
    var leaf = [UInt8](repeating: 0, count: Hash.size)
    var offset = UInt64(Goods.headerSize)
    while offset < p1.length {
      let chunk = try read(offset, Int(min(UInt64(Goods.sealedChunkSize), p1.length - offset)))
      let opens: Bool = chunk.withUnsafeBytes { sealed in
        plain.withUnsafeMutableBytes { out in
          leaf.withUnsafeMutableBytes { leaf in
            (try? keys?.open(sealed, first: UInt64(leaves.count), to: out, leaves: leaf)) != nil
          }
        }
      }
      if !opens && bad == nil { bad = (leaves.count, chunk) }
      leaves.append(Hash(of: [0] + chunk))
      offset += UInt64(chunk.count)
    }
    guard let bad else { return nil }
    let proof = try GoodsChunkProof(index: bad.index, chunk: bad.chunk, header: header, leaves: leaves)
    return proof.holds(for: GoodsClaim(root: p1.root, length: p1.length)) ? proof : nil
  }
}
