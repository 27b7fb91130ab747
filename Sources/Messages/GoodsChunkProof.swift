// One chunk of sealed goods with the way from it to the contract's root: crossing into acd/merkle.h. It shows
// a judge that a chunk is the contract's and does not open, without the rest of the goods.
//
// Form (docs/JUDGE.md, "Chunk proof"): "acd-chunk/1\n" ‖ index (8 bytes, big-endian) ‖ header (56) ‖ number
// of hashes (1) ‖ the header's path ‖ number of hashes (1) ‖ the chunk's path ‖ the sealed chunk.

internal import CCore

/// A sealed chunk, the goods' header, and the paths of both in the tree over the goods.
public struct GoodsChunkProof: Equatable, Sendable {
  /// The first bytes of a file that holds one.
  public static let magic = Array("acd-chunk/1\n".utf8)
  /// Bytes of the longest that there is.
  public static let sizeMax = magic.count + 8 + Goods.headerSize + 2 + 126 * Hash.size + Goods.sealedChunkSize

  /// The chunk's place, from 0.
  public let index: UInt64
  public let header: [UInt8]
  public let headerPath: [Hash]
  public let chunk: [UInt8]
  public let path: [Hash]

  /// Shows chunk `index` of goods with this header; `leaves` are the leaf hashes of all chunks, in order.
  public init(index: Int, chunk: [UInt8], header: [UInt8], leaves: [Hash]) {
    precondition(leaves.indices.contains(index))
    let all = [TreeHash.leaf(header)] + leaves
    (self.index, self.chunk, self.header) = (UInt64(index), chunk, header)
    headerPath = Self.path(to: 0, in: all)
    path = Self.path(to: index + 1, in: all)
  }

  /// Reads the form above; nil for anything else.
  public init?(encoded bytes: [UInt8]) {
    guard bytes.starts(with: Self.magic), bytes.count <= Self.sizeMax else { return nil }
    var rest = bytes[Self.magic.count...]
    func take(_ count: Int) -> [UInt8]? {
      guard rest.count >= count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    func takePath() -> [Hash]? {
      guard let count = take(1)?.first, count <= 63, let all = take(Int(count) * Hash.size) else {
        return nil
      }
      return stride(from: 0, to: all.count, by: Hash.size).map { Hash(all[$0..<$0 + Hash.size])! }
    }
    guard let number = take(8), let header = take(Goods.headerSize), let headerPath = takePath(),
      let path = takePath()
    else { return nil }
    index = number.reduce(0) { $0 << 8 | UInt64($1) }
    (self.header, self.headerPath, self.path, chunk) = (header, headerPath, path, Array(rest))
  }

  /// The form above.
  public var encoded: [UInt8] {
    let number = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: index >> UInt64($0)) }
    let paths = [headerPath, path].map { [UInt8($0.count)] + $0.flatMap(\.bytes) }
    return Self.magic + number + header + paths[0] + paths[1] + chunk
  }

  /// Whether header and chunk stand under this root, in a ciphertext of this length.
  public func holds(for claim: GoodsClaim) -> Bool {
    guard let length = try? Goods.length(sealed: claim.length) else { return false }
    let last = length / UInt64(Goods.chunkSize)
    let size = index == last ? Int(length % UInt64(Goods.chunkSize)) + 16 : Goods.sealedChunkSize
    guard index <= last, chunk.count == size else { return false }
    func holds(_ data: [UInt8], at place: UInt64, _ path: [Hash]) -> Bool {
      TreeHash.isIncluded(TreeHash.leaf(data), at: place, of: last + 2, path: path, root: claim.root)
    }
    return holds(header, at: 0, headerPath) && holds(chunk, at: index + 1, path)
  }

  /// Whether the chunk opens in its place with this key, for transaction n.
  public func opens(key: [UInt8], n: TransactionID) -> Bool {
    guard let chunks = try? GoodsChunks(opening: key, n: n, header: header) else { return false }
    return chunks.opens(chunk, at: index)
  }

  // MARK: The tree (RFC 6962 section 2.1)

  /// The siblings on the way up. A last node without a sibling goes up as it is.
  private static func path(to leaf: Int, in leaves: [Hash]) -> [Hash] {
    var (level, place, result) = (leaves, leaf, [Hash]())
    while level.count > 1 {
      if level.indices.contains(place ^ 1) { result.append(level[place ^ 1]) }
      var above: [Hash] = []
      for left in stride(from: 0, to: level.count, by: 2) {
        guard left + 1 < level.count else {
          above.append(level[left])
          break
        }
        above.append(TreeHash.node(level[left], level[left + 1]))
      }
      (level, place) = (above, place / 2)
    }
    return result
  }
}

extension GoodsChunks {
  /// Whether a single sealed chunk opens in its place; the plaintext is wiped.
  public func opens(_ chunk: [UInt8], at index: UInt64) -> Bool {
    guard (1...Goods.sealedChunkSize).contains(chunk.count) else { return false }
    var room = [UInt8](repeating: 0, count: SealedRun.room(chunks: 1))
    var plain = [UInt8](repeating: 0, count: Goods.chunkSize)
    var leaf = [UInt8](repeating: 0, count: Hash.size)
    let opened: Int? = room.withUnsafeMutableBytes { room in
      let run = SealedRun(room)
      run.pieces(chunk.count)[0].copyBytes(from: chunk)
      return plain.withUnsafeMutableBytes { out in
        leaf.withUnsafeMutableBytes { try? open(run, count: chunk.count, first: index, to: out, leaves: $0) }
      }
    }
    acd_wipe(&plain, plain.count)
    return opened != nil
  }
}
