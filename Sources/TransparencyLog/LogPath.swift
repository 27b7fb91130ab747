// Names of a log's objects, as C2SP tlog-tiles has them: tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>].
//
// Invariants: what a durable head needs is not written again under its name; a partial tile of width W is
// the first W hashes of the full one.

/// Sizes and names of tiles.
public enum LogPath {
  /// How many hashes a full tile has, and entries a full bundle.
  public static let width = 256
  /// Levels of the tree that one level of tiles holds.
  static let height: UInt64 = 8
  /// Levels of tiles that a tree of 2⁶³ leaves has.
  static let levels = 8

  /// The checkpoint's name.
  public static let checkpoint = "checkpoint"

  /// The tile `index` at `level`; `width` of a partial one.
  public static func tile(_ level: Int, _ index: UInt64, width: Int = width) -> String {
    "tile/\(level)/" + number(index) + suffix(width)
  }

  /// The bundle of entries beside the tile `index` at level 0.
  public static func entries(_ index: UInt64, width: Int = width) -> String {
    "tile/entries/" + number(index) + suffix(width)
  }

  /// Where the partial objects of a full one stand.
  public static func partials(of full: String) -> String { full + ".p/" }

  /// The tile at `level` that a tree of `size` leaves ends with, and how many hashes of it there are; 0 for
  /// none.
  static func edge(_ level: Int, of size: UInt64) -> (index: UInt64, width: Int) {
    let hashes = size >> (height * UInt64(level))
    return (hashes / UInt64(width), Int(hashes % UInt64(width)))
  }

  private static func suffix(_ width: Int) -> String { width == Self.width ? "" : ".p/\(width)" }

  /// "x001/x234/067".
  private static func number(_ index: UInt64) -> String {
    var (groups, rest) = ([digits(index % 1000)], index / 1000)
    while rest > 0 {
      groups.insert("x" + digits(rest % 1000), at: 0)
      rest /= 1000
    }
    return groups.joined(separator: "/")
  }

  private static func digits(_ value: UInt64) -> String {
    let text = "\(value)"
    return String(repeating: "0", count: 3 - text.count) + text
  }
}
