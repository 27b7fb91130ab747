// What happened, in order: hashed as it happens, and kept as text for people.

import Messages

/// The running SHA-256 over all events, and their text if somebody wants to read it.
struct Trace {
  private var hash = HashStream()
  private(set) var lines: [String] = []
  private let keepsText: Bool

  init(keepsText: Bool) { self.keepsText = keepsText }

  /// Notes an event. The text is made only when somebody wants it.
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
    let body = Fingerprint(body)
    for shift in stride(from: 0, to: 64, by: 8) {
      head += [
        UInt8(truncatingIfNeeded: body.a >> UInt64(shift)),
        UInt8(truncatingIfNeeded: body.b >> UInt64(shift)),
      ]
    }
    hash.update(head)
    if keepsText { lines.append(Self.time(at) + text()) }
  }

  /// Hexadecimal.
  var digest: String { hash.hash().description }

  private static func time(_ at: UInt64) -> String {
    let text = String(at % 1000)
    return "\(at / 1000)." + String(repeating: "0", count: 3 - text.count) + text + "  "
  }
}
