// Which parts of sealed goods are damaged.

import Foundation
import Messages
import Testing

@testable import Services

@Suite("Leaf hashes of goods")
struct GoodsLeavesTests {
  private static let chunk = Goods.sealedChunkSize
  private static let header = Goods.headerSize

  /// Sealed goods of four chunks, the last one short, and their root.
  private func goods() throws -> (bytes: [UInt8], root: Hash) {
    let plain = [UInt8](repeating: 7, count: 3 * Goods.chunkSize + 100)
    var stream = try GoodsStream(
      sealing: randomBytes(32), n: TransactionID(randomBytes(16))!, salt: randomBytes(Goods.saltSize))
    let body = try plain.withUnsafeBytes { try stream.update($0) }
    let (tail, root, _) = try stream.finish()
    return (body + tail, root)
  }

  private func leaves(_ bytes: [UInt8]) throws -> GoodsLeaves {
    let directory = try temporaryDirectory()
    try directory.write("goods", bytes)
    return try GoodsLeaves(of: RawFile(reading: directory.file("goods")))
  }

  @Test("the leaf hashes of sound goods have the contract's root, and come back from their encoding")
  func root() throws {
    let (bytes, root) = try goods()
    let leaves = try leaves(bytes)
    #expect(try leaves.root() == root)
    #expect(leaves.encoded.count == Self.header + 4 * Hash.size)
    #expect(try GoodsLeaves(encoded: leaves.encoded) == leaves)
    for bad in [Array(leaves.encoded.dropLast()), Array(leaves.encoded.prefix(20))] {
      #expect(throws: MessageError.self) { try GoodsLeaves(encoded: bad) }
    }
    var other = leaves.encoded
    other[Self.header + 40] ^= 1
    #expect(try GoodsLeaves(encoded: other).root() != root)
  }

  @Test("each damaged byte is in a range, ranges that touch are one, and nothing else is in any")
  func differences() throws {
    let (bytes, _) = try goods()
    let sound = try leaves(bytes)
    let length = UInt64(bytes.count)
    func bad(_ places: [Int]) throws -> [Range<UInt64>] {
      var damaged = bytes
      for place in places { damaged[place] ^= 1 }
      return sound.differences(of: try leaves(damaged), length: length)
    }
    func range(_ from: Int, _ to: Int) -> Range<UInt64> { UInt64(from)..<UInt64(to) }
    let starts = (0..<4).map { Self.header + $0 * Self.chunk }
    #expect(try bad([]) == [])
    #expect(try bad([3]) == [range(0, Self.header)])
    #expect(try bad([starts[1], starts[2] - 1]) == [range(starts[1], starts[2])])
    #expect(try bad([starts[1], starts[2]]) == [range(starts[1], starts[3])])
    #expect(try bad([3, starts[0], starts[3]]) == [range(0, starts[1]), range(starts[3], bytes.count)])
    #expect(try bad([bytes.count - 1]) == [range(starts[3], bytes.count)])
  }
}
