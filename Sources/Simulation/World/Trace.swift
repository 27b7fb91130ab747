// What happened, in order: hashed as it happens, and kept as text for people.

import Messages

/// The running SHA-256 over all events, and the last lines of them.
struct Trace {
  private var hash = HashStream()
  private(set) var lines: [String] = []
  /// All lines are kept; otherwise the last few.
  let keepsAll: Bool
  static let linesMax = 60

  init(keepsAll: Bool) { self.keepsAll = keepsAll }

  /// Notes an event. The text is made only when somebody may read it.
  mutating func note(
    _ at: UInt64, _ kind: UInt8, _ who: Int, _ whom: Int, _ body: [UInt8], _ text: () -> String
  ) {
    var head = [kind, UInt8(truncatingIfNeeded: who), UInt8(truncatingIfNeeded: whom)]
    for shift in stride(from: 0, to: 64, by: 8) {
      head.append(UInt8(truncatingIfNeeded: at >> UInt64(shift)))
    }
    for shift in stride(from: 0, to: 32, by: 8) {
      head.append(UInt8(truncatingIfNeeded: body.count >> shift))
    }
    hash.update(head)
    hash.update(body)
    lines.append(Self.time(at) + text())
    if !keepsAll && lines.count > 2 * Self.linesMax { lines.removeFirst(Self.linesMax) }
  }

  /// Hexadecimal.
  var digest: String { hash.hash().description }

  private static func time(_ at: UInt64) -> String {
    let text = String(at % 1000)
    return "\(at / 1000)." + String(repeating: "0", count: 3 - text.count) + text + "  "
  }
}
