// What is hashed again: a batch before it is signed, a storage before it is gone on with, a whole log when
// somebody asks.

public import Messages

/// Checks of what a storage holds.
public enum LogCheck {
  /// The objects of a batch, as they were read back: each bundle hashes to its tile, each full tile to its
  /// hash in the level above, and the right edge to the head. Objects before the batch are not looked at.
  static func batch(_ from: LogHead, _ to: LogHead, _ object: (String) -> [UInt8]?) throws {
    let first = from.size / UInt64(LogPath.width)
    let (last, rest) = LogPath.edge(0, of: to.size)
    for index in first..<last + (rest > 0 ? 1 : 0) {
      let width = index < last ? LogPath.width : rest
      let bundle = try LogTree.bundle(index, width: width, reading: object)
      let tile = try LogTree.tile(0, index, width: width, reading: object)
      guard LogBundle.entries(bundle, count: width)?.map(TreeHash.leaf) == tile else {
        throw LogFault.readBack(path: LogPath.entries(index, width: width))
      }
    }
    for level in 0..<LogPath.levels - 1 {
      let begun = from.size >> (LogPath.height * UInt64(level + 1))
      for index in begun..<LogPath.edge(level, of: to.size).index {
        try parent(of: level, index, size: to.size, object)
      }
    }
    guard try RightEdge(size: to.size, reading: object).head == to else {
      throw LogFault.otherTree(size: to.size)
    }
  }

  /// A full tile against its hash in the level above.
  private static func parent(
    of level: Int, _ index: UInt64, size: UInt64, _ object: (String) throws -> [UInt8]?
  ) throws {
    let tile = try LogTree.tile(level, index, width: LogPath.width, reading: object)
    let edge = LogPath.edge(level + 1, of: size)
    let (above, place) = (index / UInt64(LogPath.width), Int(index % UInt64(LogPath.width)))
    let width = above < edge.index ? LogPath.width : edge.width
    let row = try LogTree.tile(level + 1, above, width: width, reading: object)
    guard row[place] == TreeHash.perfect(tile[...]) else {
      throw LogFault.readBack(path: LogPath.tile(level, index))
    }
  }

  /// Every tile and every entry of a log: for an operator who doubts his disk, and for tests.
  public static func everything(_ head: LogHead, reading object: (String) throws -> [UInt8]?) throws {
    var failure: (any Error)?
    do {
      try batch(.empty, head) { path in
        do { return try object(path) } catch {
          failure = error
          return nil
        }
      }
    } catch { throw failure ?? error }
  }
}

/// How a log is gone on with.
public struct LogOpening {
  /// What others have of this log: checkpoints that were published, heads that witnesses cosigned.
  public let seen: [LogHead]

  public init(seen: [LogHead]) { self.seen = seen }

  /// A sequencer behind the storage's head. Refuses where storage and head disagree, and where anybody has
  /// seen more than the storage has, or something else.
  /// - Parameter isNew: there has never been a log here. Without it a storage without a head is a lost one.
  public func open(
    head: LogHead?, isNew: Bool, reading object: @escaping (String) throws -> [UInt8]?
  ) throws -> LogSequencer {
    guard let head else {
      guard isNew, seen.allSatisfy({ $0.size == 0 }) else { throw LogFault.headLost }
      return LogSequencer(edge: RightEdge())
    }
    let edge = try RightEdge(size: head.size, reading: object)
    guard edge.head == head else { throw LogFault.otherTree(size: head.size) }
    for other in seen {
      guard other.size <= head.size else { throw LogFault.behind(size: head.size, seen: other.size) }
      guard try LogTree(size: other.size, reading: object).root() == other.root else {
        throw LogFault.forked(size: other.size)
      }
    }
    return LogSequencer(edge: edge)
  }
}
