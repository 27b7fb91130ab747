// What of a log somebody has to fetch who goes on from one size to another: for readers that cannot wait for
// each object where they verify it.

/// Names of objects.
public enum LogNeeds {
  /// An object: the first `width` entries or hashes, under the partial name or, once it is full, the full
  /// one.
  public struct Object: Hashable, Sendable {
    public let path: String
    /// Where the same stands once more came; nil: it is full itself.
    public let full: String?
  }

  /// The right edge at `from`, and all entries behind it up to `to`: what ``LogMonitor`` reads.
  public static func objects(from: UInt64, to: UInt64) -> [Object] {
    var objects: [Object] = []
    for level in 0..<LogPath.levels {
      let (index, width) = LogPath.edge(level, of: from)
      if width > 0 { objects.append(object(width) { LogPath.tile(level, index, width: $0) }) }
    }
    let width = UInt64(LogPath.width)
    let (index, rest) = LogPath.edge(0, of: from)
    if rest > 0 { objects.append(object(rest) { LogPath.entries(index, width: $0) }) }
    var at = from
    while at < to {
      let end = min((at / width + 1) * width, to)
      let count = Int(end - at / width * width)
      let bundle = at / width
      objects.append(object(count) { LogPath.entries(bundle, width: $0) })
      at = end
    }
    return objects
  }

  private static func object(_ width: Int, _ path: (Int) -> String) -> Object {
    Object(path: path(width), full: width == LogPath.width ? nil : path(LogPath.width))
  }
}
