// Which parts of sealed goods are damaged (US 6,076,078, claims 7, 61 and 64): the header and the leaf hashes
// of all chunks, checked against the contract's root, say for each chunk what it has to be.

import Foundation
import Messages

/// The header of sealed goods and the leaf hashes of their chunks, in order.
struct GoodsLeaves: Equatable {
  /// More than goods of 16 GiB have.
  static let bytesMax = 34 << 20

  private let bytes: [UInt8]

  /// As the merchant serves them: 56 bytes of header, then 32 for each chunk.
  init(encoded bytes: [UInt8]) throws(MessageError) {
    guard bytes.count >= Goods.headerSize, (bytes.count - Goods.headerSize).isMultiple(of: Hash.size) else {
      throw MessageError(.malformed, "truncated", "leaf hashes")
    }
    self.bytes = bytes
  }

  /// Of sealed goods in a file.
  init(of file: RawFile) throws {
    let size = try file.size()
    guard size >= UInt64(Goods.headerSize) else { throw MessageError(.malformed, "truncated", "goods") }
    var bytes = try Self.read(file, 0, Goods.headerSize)
    for offset in stride(from: UInt64(Goods.headerSize), to: size, by: Goods.sealedChunkSize) {
      let chunk = try Self.read(file, offset, Int(min(UInt64(Goods.sealedChunkSize), size - offset)))
      bytes += Hash(of: [0] + chunk).bytes
    }
    self.bytes = bytes
  }

  var encoded: [UInt8] { bytes }

  /// The root of goods that have just these parts.
  func root() throws(MessageError) -> Hash {
    var tree = try GoodsTree(header: Array(bytes.prefix(Goods.headerSize)))
    let failure: MessageError? = bytes.withUnsafeBytes { raw in
      let leaves = UnsafeRawBufferPointer(rebasing: raw[Goods.headerSize...])
      do throws(MessageError) { try tree.append(leaves: leaves) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    return try tree.root()
  }

  /// The byte ranges, half-open and joined where they touch, in which goods of this length and with these
  /// leaf hashes differ from what they have to be.
  func differences(of other: GoodsLeaves, length: UInt64) -> [Range<UInt64>] {
    var result: [Range<UInt64>] = []
    func add(_ range: Range<UInt64>) {
      if let last = result.last, last.upperBound == range.lowerBound {
        result[result.count - 1] = last.lowerBound..<range.upperBound
      } else {
        result.append(range)
      }
    }
    let header = Goods.headerSize
    if bytes.prefix(header) != other.bytes.prefix(header) { add(0..<UInt64(header)) }
    for (number, place) in stride(from: header, to: bytes.count, by: Hash.size).enumerated() {
      let own = bytes[place..<place + Hash.size]
      let isSame = other.bytes.count >= place + Hash.size && other.bytes[place..<place + Hash.size] == own
      let start = UInt64(header) + UInt64(number) * UInt64(Goods.sealedChunkSize)
      if !isSame, start < length { add(start..<min(start + UInt64(Goods.sealedChunkSize), length)) }
    }
    return result
  }

  private static func read(_ file: RawFile, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
    return bytes
  }
}
