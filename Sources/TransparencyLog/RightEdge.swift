// The right edge of a tree in tiles: the last tile of each level, as far as it is filled. All that is
// needed to append.
//
// Invariants: level l holds floor(size / 256ˡ) mod 256 hashes; a tile that is full leaves the edge, and its
// root goes to the level above; the bundle holds the entries of level 0's hashes.

public import Messages

/// Where a log grows.
public struct RightEdge: Sendable {
  /// How many leaves the tree has.
  public private(set) var size: UInt64 = 0
  private var levels: [[Hash]] = [[]]
  private var bundle: [UInt8] = []

  /// The edge of the empty tree.
  public init() {}

  /// Reads the edge of a tree of this size.
  public init(
    size: UInt64, reading object: (String) throws -> [UInt8]?
  ) throws {
    self.size = size
    levels = []
    for level in 0..<LogPath.levels {
      let (index, width) = LogPath.edge(level, of: size)
      guard width > 0 || size >> (LogPath.height * UInt64(level)) > 0 else { break }
      levels.append(try LogTree.tile(level, index, width: width, reading: object))
    }
    if levels.isEmpty { levels = [[]] }
    let (index, width) = LogPath.edge(0, of: size)
    if width > 0 { bundle = try LogTree.bundle(index, width: width, reading: object) }
  }

  /// Appends entries.
  /// - Returns: the tiles and bundles that became full by it.
  public mutating func append(_ entries: [[UInt8]]) -> [LogObject] {
    var full: [LogObject] = []
    for entry in entries {
      bundle += LogBundle.framed(entry)
      let index = size / UInt64(LogPath.width)
      push(TreeHash.leaf(entry), level: 0, into: &full)
      size += 1
      if size.isMultiple(of: UInt64(LogPath.width)) {
        full.append(LogObject(LogPath.entries(index), bundle))
        bundle = []
      }
    }
    return full
  }

  private mutating func push(_ hash: Hash, level: Int, into full: inout [LogObject]) {
    if level == levels.count { levels.append([]) }
    levels[level].append(hash)
    guard levels[level].count == LogPath.width else { return }
    let index = size >> (LogPath.height * UInt64(level + 1))
    full.append(LogObject(LogPath.tile(level, index), levels[level].flatMap(\.bytes)))
    let root = Self.roots(of: levels[level])[0]
    levels[level] = []
    push(root, level: level + 1, into: &full)
  }

  /// The tiles and the bundle that are not full.
  public func partials() -> [LogObject] {
    var partials: [LogObject] = []
    for (level, hashes) in levels.enumerated() where !hashes.isEmpty {
      let (index, width) = LogPath.edge(level, of: size)
      precondition(width == hashes.count)
      partials.append(LogObject(LogPath.tile(level, index, width: width), hashes.flatMap(\.bytes)))
      if level == 0 { partials.append(LogObject(LogPath.entries(index, width: width), bundle)) }
    }
    return partials
  }

  /// The tree's root.
  public var head: LogHead {
    let roots = levels.reversed().flatMap { Self.roots(of: $0) }
    return LogHead(size: size, root: TreeHash.folded(roots) ?? TreeHash.empty)
  }

  /// The roots of the perfect trees that a row of hashes is made of, the largest first.
  static func roots(of hashes: [Hash]) -> [Hash] {
    var (roots, at) = ([Hash](), 0)
    while at < hashes.count {
      let rest = hashes.count - at
      let span = 1 << (Int.bitWidth - 1 - rest.leadingZeroBitCount)
      roots.append(TreeHash.perfect(hashes[at..<at + span]))
      at += span
    }
    return roots
  }
}

extension TreeHash {
  /// The root of a perfect tree over a power of two of hashes.
  static func perfect(_ hashes: ArraySlice<Hash>) -> Hash {
    var row = Array(hashes)
    while row.count > 1 { row = stride(from: 0, to: row.count, by: 2).map { node(row[$0], row[$0 + 1]) } }
    return row[0]
  }

  /// The root over perfect trees, the largest first; nil for none.
  static func folded(_ roots: [Hash]) -> Hash? {
    guard var root = roots.last else { return nil }
    for left in roots.dropLast().reversed() { root = node(left, root) }
    return root
  }
}
