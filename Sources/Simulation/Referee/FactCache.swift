// What messages say, remembered: the referee looks at the same bytes again and again, and checking a
// signature takes longer than all else that it does.

import Messages
import Synchronization

/// Facts by the fingerprint of the bytes; nil where there are none.
struct FactCache<Facts: Sendable>: ~Copyable {
  private let known = Mutex<[Fingerprint: Facts?]>([:])
  private static var most: Int { 4_096 }

  /// The facts of these bytes, read at most once in a while.
  func facts(of bytes: [UInt8], _ read: () -> Facts?) -> Facts? {
    let name = Fingerprint(bytes)
    if let found = known.withLock({ $0[name] }) { return found }
    let facts = read()
    known.withLock { known in
      if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
      known[name] = .some(facts)
    }
    return facts
  }
}
