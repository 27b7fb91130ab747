// The head of a log: how many leaves, and their root.

public import Messages

/// What a log is, in forty bytes.
public struct LogHead: Hashable, Sendable {
  public let size: UInt64
  public let root: Hash

  /// The log without leaves.
  public static let empty = LogHead(size: 0, root: TreeHash.empty)

  public init(size: UInt64, root: Hash) { (self.size, self.root) = (size, root) }

  /// Reads ``encoded``; nil for anything else.
  public init?(encoded bytes: [UInt8]) {
    guard bytes.count == 8 + Hash.size else { return nil }
    size = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    root = Hash(bytes.dropFirst(8))!
  }

  /// The size, eight bytes, big-endian, and the root.
  public var encoded: [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: size >> UInt64($0)) } + root.bytes
  }

  /// The head as a log of this origin signs it.
  public func checkpoint(_ origin: String) -> Checkpoint {
    Checkpoint(origin: origin, size: size, root: root)
  }
}

/// A named piece of a log.
public struct LogObject: Hashable, Sendable {
  public let path: String
  public let bytes: [UInt8]

  public init(_ path: String, _ bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }
}

/// Why a log does not go on. None of them is mended by trying again.
public enum LogFault: Error, Equatable, Sendable {
  /// An object that the head needs is not there, or has not its size.
  case missing(path: String)
  /// The tiles are not of the head.
  case otherTree(size: UInt64)
  /// Somebody has seen a larger log than the storage has: it was restored from an old copy.
  case behind(size: UInt64, seen: UInt64)
  /// Somebody has seen another log of this size.
  case forked(size: UInt64)
  /// The storage has no head, although there was a log.
  case headLost
  /// Somebody else has written to the storage.
  case swapLost
  /// What was read back is not what was written.
  case readBack(path: String)
  /// The storage failed in a step: only a new opening can say what is there.
  case storageFailed
  /// An entry is too long for a bundle.
  case entryTooLong(Int)
}
