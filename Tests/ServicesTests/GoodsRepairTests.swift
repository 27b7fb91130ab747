// A damaged copy of sealed goods: which ranges are found, and which lists count.

import Foundation
import Messages
import Testing

@testable import Services

@Suite("Damaged copies")
struct GoodsRepairTests {
  private let directory: DataDirectory
  private let sealed: [UInt8]
  private let claim: GoodsClaim
  private let list: [UInt8]

  init() throws {
    directory = try temporaryDirectory()
    let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!
    var stream = try GoodsStream(
      sealing: randomBytes(32), n: n, salt: randomBytes(Goods.saltSize), engine: .openSSL)
    let body = try [UInt8](repeating: 7, count: 5 * Goods.chunkSize + 100).withUnsafeBytes {
      try stream.update($0)
    }
    let (tail, root, length) = try stream.finish()
    (sealed, claim) = (body + tail, GoodsClaim(root: root, length: length))
    try directory.write("sealed", sealed)
    let source = try RawFile(reading: directory.file("sealed"))
    try RawFile.create(directory.file("list")) { try GoodsLeaves.list(source, to: $0) }
    list = try directory.read("list")
  }

  private func damage(_ places: [Int], _ list: [UInt8], block: Int = 50) throws -> [[UInt64]]? {
    var copy = sealed
    for place in places { copy[place] ^= 1 }
    try directory.write("copy", copy)
    var search = DamageSearch(try RawFile(reading: directory.file("copy")), claim)
    for start in stride(from: 0, to: list.count, by: block) {
      let part = Array(list[start..<min(start + block, list.count)])
      try part.withUnsafeBytes { try search.take($0) }
    }
    return try search.damage()?.map { [$0.offset, $0.count] }
  }

  private func chunk(_ number: Int, _ count: Int = 1) -> [UInt64] {
    [UInt64(Goods.headerSize + number * Goods.sealedChunkSize), UInt64(count * Goods.sealedChunkSize)]
  }

  @Test("each damaged chunk is found, neighbours as one range; a sound copy has none")
  func found() throws {
    #expect(try damage([], list) == [])
    let third = Goods.headerSize + 3 * Goods.sealedChunkSize
    #expect(try damage([third], list) == [chunk(3)])
    #expect(try damage([third - 1, third], list, block: 1000) == [chunk(2, 2)])
    #expect(try damage([third - 1, third + Goods.sealedChunkSize], list) == [chunk(2), chunk(4)])
    #expect(try damage([3], list) == [[0, UInt64(Goods.headerSize)]])
    let both = UInt64(Goods.headerSize + Goods.sealedChunkSize)
    #expect(try damage([3, Goods.headerSize], list) == [[0, both]])
    #expect(try damage([sealed.count - 1], list) == [[chunk(5)[0], 116]])
  }

  @Test("a list that does not lead to the root counts for nothing")
  func forged() throws {
    for place in [0, Goods.headerSize, list.count - 1] {
      var other = list
      other[place] ^= 1
      #expect(try damage([100], other) == nil)
    }
    #expect(try damage([100], Array(list.dropLast())) == nil)
    #expect(try damage([100], Array(list.dropLast(Hash.size))) == nil)
    #expect(try damage([100], list + [UInt8](repeating: 0, count: Hash.size)) == nil)
    #expect(try damage([100], []) == nil)
  }
}
