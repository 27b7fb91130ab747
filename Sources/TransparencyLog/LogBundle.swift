// Bundles of entries (C2SP tlog-tiles): each entry behind its length, two bytes, big-endian.

/// Reading and writing bundles.
public enum LogBundle {
  /// Bytes of the longest entry.
  public static let entryMax = 65_535

  /// The entry with its length.
  static func framed(_ entry: [UInt8]) -> [UInt8] {
    precondition(entry.count <= entryMax)
    return [UInt8(entry.count >> 8), UInt8(entry.count & 255)] + entry
  }

  /// The entries of a bundle; nil unless it has `count` of them and nothing else.
  public static func entries(_ bundle: [UInt8], count: Int) -> [[UInt8]]? {
    var (entries, at) = ([[UInt8]](), 0)
    while at < bundle.count, entries.count < count {
      guard bundle.count - at >= 2 else { return nil }
      let length = Int(bundle[at]) << 8 | Int(bundle[at + 1])
      guard bundle.count - at - 2 >= length else { return nil }
      entries.append(Array(bundle[at + 2..<at + 2 + length]))
      at += 2 + length
    }
    return entries.count == count && at == bundle.count ? entries : nil
  }

  /// The first `count` entries of a longer bundle, as a bundle; nil if there are fewer.
  public static func prefix(_ bundle: [UInt8], count: Int) -> [UInt8]? {
    var at = 0
    for _ in 0..<count {
      guard bundle.count - at >= 2 else { return nil }
      at += 2 + (Int(bundle[at]) << 8 | Int(bundle[at + 1]))
      guard at <= bundle.count else { return nil }
    }
    return Array(bundle[..<at])
  }
}
