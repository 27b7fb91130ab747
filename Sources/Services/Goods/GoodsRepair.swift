// Finding damaged chunks of sealed goods, so that these alone are sent again (US 6,076,078, claims 7, 61 and
// 64): the holder lists the leaf hashes of the tree over the ciphertext, and whoever has a damaged copy
// compares. The list proves itself: it counts only if it leads to the promised root.
//
// Form of a list: the goods' header (56 bytes), then the leaf hash of each sealed chunk (32 bytes each).

import Foundation
import Messages

enum GoodsLeaves {
  /// Writes the list of these sealed goods.
  static func list(_ source: RawFile, to target: RawFile) throws {
    var (offset, place) = (UInt64(Goods.headerSize), UInt64(Goods.headerSize))
    let header = try read(source, 0, Goods.headerSize)
    try header.withUnsafeBytes { try target.write($0, at: 0) }
    let end = try source.size()
    while offset < end {
      let chunk = try read(source, offset, Int(min(UInt64(Goods.sealedChunkSize), end - offset)))
      try Hash(of: [0] + chunk).bytes.withUnsafeBytes { try target.write($0, at: place) }
      offset += UInt64(chunk.count)
      place += UInt64(Hash.size)
    }
  }

  static func read(_ file: RawFile, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
    return bytes
  }
}

/// Compares a copy with a list of leaf hashes as it comes. Used by one task at a time.
struct DamageSearch {
  /// The most ranges that one NAK names.
  static let rangesMax = 64

  private let copy: RawFile
  private let claim: GoodsClaim
  private var tree: GoodsTree?
  private var pending: [UInt8] = []
  private var offset: UInt64 = 0
  private var ranges: [(offset: UInt64, count: UInt64)] = []

  /// A copy of the right length.
  init(_ copy: RawFile, _ claim: GoodsClaim) { (self.copy, self.claim) = (copy, claim) }

  /// The next bytes of the list.
  mutating func take(_ block: UnsafeRawBufferPointer) throws {
    pending += block
    if tree == nil {
      guard pending.count >= Goods.headerSize else { return }
      let header = Array(pending.prefix(Goods.headerSize))
      tree = try GoodsTree(header: header)
      if try GoodsLeaves.read(copy, 0, Goods.headerSize) != header { note(Goods.headerSize) }
      offset = UInt64(Goods.headerSize)
      pending.removeFirst(Goods.headerSize)
    }
    let whole = pending.count / Hash.size * Hash.size
    try pending[..<whole].withUnsafeBytes { try tree!.append(leaves: $0) }
    for start in stride(from: 0, to: whole, by: Hash.size) where offset < claim.length {
      let count = Int(min(UInt64(Goods.sealedChunkSize), claim.length - offset))
      let chunk = try GoodsLeaves.read(copy, offset, count)
      if Hash(of: [0] + chunk).bytes != Array(pending[start..<start + Hash.size]) { note(count) }
      offset += UInt64(count)
    }
    pending.removeFirst(whole)
  }

  private mutating func note(_ count: Int) {
    if let last = ranges.last, last.offset + last.count == offset {
      ranges[ranges.count - 1].count += UInt64(count)
    } else if ranges.count <= Self.rangesMax {
      ranges.append((offset, UInt64(count)))
    }
  }

  /// What is damaged; nil if the list is not of the promised goods, or too much is damaged to be worth it.
  func damage() throws -> [(offset: UInt64, count: UInt64)]? {
    guard let tree, pending.isEmpty, offset == claim.length, try tree.root() == claim.root,
      ranges.count <= Self.rangesMax
    else { return nil }
    return ranges
  }
}
