// A log as its readers have it: tiles by name, from which any root and any proof is computed. It believes no
// tile: who asks for a proof checks it against a root that was signed.
//
// Source: RFC 6962 sections 2.1.1 and 2.1.2; C2SP tlog-tiles.

public import Messages

/// A tree of a fixed size over tiles that are read when they are needed.
public struct LogTree {
  /// How many leaves.
  public let size: UInt64
  private let object: (String) throws -> [UInt8]?

  /// The tree of the first `size` leaves of a log.
  public init(size: UInt64, reading object: @escaping (String) throws -> [UInt8]?) {
    (self.size, self.object) = (size, object)
  }

  /// The root.
  public func root() throws -> Hash {
    size == 0 ? TreeHash.empty : try hash(0, size)
  }

  /// The hash of the leaf at `index`.
  public func leaf(_ index: UInt64) throws -> Hash { try node(0, index) }

  /// The entry at `index`.
  public func entry(_ index: UInt64) throws -> [UInt8] {
    precondition(index < size)
    let (tile, place) = (index / UInt64(LogPath.width), Int(index % UInt64(LogPath.width)))
    let width = self.width(0, tile)
    let bundle = try Self.bundle(tile, width: width, reading: object)
    guard let entries = LogBundle.entries(bundle, count: width) else {
      throw LogFault.missing(path: LogPath.entries(tile, width: width))
    }
    return entries[place]
  }

  /// The path from a leaf to the root, lowest first.
  public func inclusion(of index: UInt64) throws -> [Hash] {
    precondition(index < size)
    var (low, high, path) = (UInt64(0), size, [Hash]())
    while high - low > 1 {
      let middle = low + Self.split(high - low)
      if index < middle {
        path.append(try hash(middle, high))
        high = middle
      } else {
        path.append(try hash(low, middle))
        low = middle
      }
    }
    return path.reversed()
  }

  /// The proof that this tree begins with the one of `smaller` leaves.
  public func consistency(with smaller: UInt64) throws -> [Hash] {
    precondition(smaller <= size)
    guard smaller > 0, smaller < size else { return [] }
    var (low, high, path) = (UInt64(0), size, [Hash]())
    while smaller != high {
      let middle = low + Self.split(high - low)
      if smaller <= middle {
        path.append(try hash(middle, high))
        high = middle
      } else {
        path.append(try hash(low, middle))
        low = middle
      }
    }
    // A smaller tree that is a whole left part is its own first node, which the verifier has.
    if low > 0 { path.append(try hash(low, high)) }
    return path.reversed()
  }

  // MARK: Nodes

  /// The largest power of two below `count`.
  private static func split(_ count: UInt64) -> UInt64 {
    1 << (UInt64(UInt64.bitWidth - 1) - UInt64((count - 1).leadingZeroBitCount))
  }

  /// The hash over leaves low ..< high; low is a multiple of the largest perfect tree in it.
  private func hash(_ low: UInt64, _ high: UInt64) throws -> Hash {
    var (roots, at) = ([Hash](), low)
    while at < high {
      let height = UInt64.bitWidth - 1 - (high - at).leadingZeroBitCount
      roots.append(try node(height, at >> UInt64(height)))
      at += 1 << UInt64(height)
    }
    return TreeHash.folded(roots)!
  }

  /// The root of the perfect tree of 2^height leaves at this place.
  private func node(_ height: Int, _ index: UInt64) throws -> Hash {
    // The highest tiles that have it: one hash, or up to 128 to be hashed together.
    let level = height / Int(LogPath.height)
    let below = height % Int(LogPath.height)
    let first = index << UInt64(below)
    let (tile, place) = (first / UInt64(LogPath.width), Int(first % UInt64(LogPath.width)))
    let hashes = try Self.tile(level, tile, width: width(level, tile), reading: object)
    return TreeHash.perfect(hashes[place..<place + 1 << below])
  }

  private func width(_ level: Int, _ tile: UInt64) -> Int {
    let edge = LogPath.edge(level, of: size)
    return tile < edge.index ? LogPath.width : edge.width
  }

  // MARK: Reading

  /// The entries from one place on, bundle by bundle.
  public func each(from low: UInt64 = 0, _ body: ([[UInt8]]) throws -> Void) throws {
    try Self.each(low, size, object, body)
  }

  /// The entries from one size to another, bundle by bundle.
  static func each(
    _ low: UInt64, _ high: UInt64, _ object: (String) throws -> [UInt8]?, _ body: ([[UInt8]]) throws -> Void
  ) throws {
    var at = low
    let width = UInt64(LogPath.width)
    while at < high {
      let start = at / width * width
      let end = min(start + width, high)
      let bundle = try bundle(at / width, width: Int(end - start), reading: object)
      guard let entries = LogBundle.entries(bundle, count: Int(end - start)) else {
        throw LogFault.missing(path: LogPath.entries(at / width, width: Int(end - start)))
      }
      try body(Array(entries[Int(at - start)...]))
      at = end
    }
  }

  /// The first `width` hashes of a tile: of the partial one, or of the full one, which may have replaced it.
  static func tile(
    _ level: Int, _ index: UInt64, width: Int, reading object: (String) throws -> [UInt8]?
  ) throws -> [Hash] {
    guard width > 0 else { return [] }
    let path = LogPath.tile(level, index, width: width)
    let (count, full) = (width * Hash.size, LogPath.width * Hash.size)
    var bytes = try object(path).flatMap { $0.count == count ? $0 : nil }
    if bytes == nil, width < LogPath.width {
      bytes = try object(LogPath.tile(level, index)).flatMap { $0.count == full ? Array($0[..<count]) : nil }
    }
    guard let bytes else { throw LogFault.missing(path: path) }
    return stride(from: 0, to: count, by: Hash.size).map { Hash(bytes[$0..<$0 + Hash.size])! }
  }

  /// The first `width` entries of a bundle, as a bundle.
  static func bundle(
    _ index: UInt64, width: Int, reading object: (String) throws -> [UInt8]?
  ) throws -> [UInt8] {
    let path = LogPath.entries(index, width: width)
    if let bytes = try object(path), LogBundle.entries(bytes, count: width) != nil { return bytes }
    guard width < LogPath.width, let full = try object(LogPath.entries(index)),
      LogBundle.entries(full, count: LogPath.width) != nil
    else { throw LogFault.missing(path: path) }
    return LogBundle.prefix(full, count: width)!
  }
}
