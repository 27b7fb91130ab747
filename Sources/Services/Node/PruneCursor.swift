// Looking for what can be let go of, without looking at everything at once.

import Storage
import Synchronization

/// Walks over all machines of a kind, a few at a time, again and again.
final class PruneCursor: Sendable {
  private static let step = 16
  private let kind: String
  private let place = Mutex<[UInt8]?>(nil)

  init(_ kind: String) { self.kind = kind }

  /// The next few.
  func next(_ store: any Store) async throws -> [MachineRow] {
    let (kind, after) = (kind, place.withLock { $0 })
    let rows = try await store.read {
      try $0.machines(kind: kind, phase: nil, after: after, limit: Self.step)
    }
    place.withLock { $0 = rows.count < Self.step ? nil : rows.last?.key }
    return rows
  }
}
