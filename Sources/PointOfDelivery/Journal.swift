// A kiosk's journal: append-only, and the office's only memory. All PCs of an office have it in common.
//
// Invariants: what is decided is decided under the lock, after reading what others appended, and counts only
// when it is durable. A torn end is cut off: nothing was done upon it. Anything else that does not fit stops
// the kiosk, for a journal that somebody changed says nothing of what was handed over.

public import Messages

/// Where a journal's bytes are. Whoever calls `append` holds the lock.
public protocol JournalStorage: AnyObject {
  /// Waits until nobody else writes.
  func lock() throws
  func unlock()
  /// All bytes from `offset` on.
  func read(from offset: UInt64) throws -> [UInt8]
  /// Writes at the end and returns when the bytes are durable.
  func append(_ bytes: [UInt8]) throws
  /// Cuts off what is behind `length`.
  func truncate(to length: UInt64) throws
}

/// A journal that cannot be gone on with.
public enum JournalError: Error, Equatable, CustomStringConvertible {
  /// This line does not fit behind the one before it.
  case damaged(line: UInt64)
  /// It is another kiosk's.
  case foreign(PublicKey)
  /// It cannot be read or written.
  case storage(String)

  public var description: String {
    switch self {
    case .damaged(let line):
      "the journal is damaged at line \(line): hand nothing over. Keep the file, bring the last copy back, "
        + "and sync, so that what others know of it comes back, too"
    case .foreign(let key): "this journal is that of the kiosk \(key), not this one's"
    case .storage(let reason): "the journal cannot be written: \(reason). Hand nothing over"
    }
  }
}

/// The journal and what follows from it.
public struct Journal {
  private let storage: any JournalStorage
  /// How far it was read: bytes, lines, and the last line's chain.
  private var length: UInt64 = 0
  public private(set) var count: UInt64 = 0
  private var chain = Hash([UInt8](repeating: 0, count: Hash.size))!
  /// What the lines come to.
  public private(set) var state: CounterState
  /// Whether a torn end was cut off.
  public private(set) var wasTorn = false

  /// Opens a journal; an empty one begins as that of `kiosk`.
  public init(_ storage: any JournalStorage, kiosk: PublicKey, at now: Timestamp) throws {
    (self.storage, state) = (storage, CounterState())
    try locked { journal in
      guard journal.count == 0 else { return }
      try journal.write([JournalEntry(.opened, at: now, [.key: kiosk.description])])
    }
    guard state.kiosk == kiosk else { throw JournalError.foreign(state.kiosk ?? kiosk) }
  }

  /// Decides something upon all that is known, and makes it durable. Nobody else can decide meanwhile.
  /// - Returns: what `decide` returned beside the entries.
  public mutating func commit<R>(
    _ decide: (CounterState) throws -> (entries: [JournalEntry], result: R)
  ) throws -> R {
    try locked { journal in
      let (entries, result) = try decide(journal.state)
      try journal.write(entries)
      return result
    }
  }

  /// Reads what others appended.
  public mutating func refresh() throws { try locked { _ in } }

  /// The lines from `start` on, as they were written.
  public func entries(from start: UInt64 = 0) throws -> [JournalEntry] {
    var (index, chain) = (UInt64(0), Hash([UInt8](repeating: 0, count: Hash.size))!)
    var result: [JournalEntry] = []
    for line in Self.lines(try storage.read(from: 0)).whole {
      guard let entry = JournalEntry(line: line, index: index, after: chain) else {
        throw JournalError.damaged(line: index)
      }
      chain = entry.line(index, after: chain).chain
      if index >= start { result.append(entry) }
      index += 1
    }
    return result
  }

  private mutating func locked<R>(_ body: (inout Journal) throws -> R) throws -> R {
    try storage.lock()
    defer { storage.unlock() }
    try readOn()
    return try body(&self)
  }

  private mutating func readOn() throws {
    let bytes = try storage.read(from: length)
    let (whole, rest) = Self.lines(bytes)
    for (place, line) in whole.enumerated() {
      guard let entry = JournalEntry(line: line, index: count, after: chain) else {
        // The last line of all can be torn though its end is there: what storage had not written yet reads as
        // zeros. Any other line that does not fit was not torn: one before it may have been taken out.
        let isTorn = rest.isEmpty && place == whole.count - 1 && line.utf8.contains(0)
        guard isTorn else { throw JournalError.damaged(line: count) }
        return try cut()
      }
      chain = entry.line(count, after: chain).chain
      try take(entry)
      length += UInt64(line.utf8.count) + 1
    }
    if !rest.isEmpty { try cut() }
  }

  private mutating func cut() throws {
    try storage.truncate(to: length)
    wasTorn = true
  }

  private mutating func write(_ entries: [JournalEntry]) throws {
    guard !entries.isEmpty else { return }
    var (text, next, index) = ([UInt8](), chain, count)
    for entry in entries {
      let line = entry.line(index, after: next)
      text += Array(line.text.utf8) + [0x0a]
      (next, index) = (line.chain, index + 1)
    }
    do { try storage.append(text) } catch {
      // A part may be there: whoever comes next cuts it off. This one starts over from what is durable.
      try? storage.truncate(to: length)
      throw error
    }
    length += UInt64(text.count)
    chain = next
    for entry in entries { try take(entry) }
  }

  private mutating func take(_ entry: JournalEntry) throws {
    do { try state.apply(entry) } catch { throw JournalError.damaged(line: count) }
    count += 1
  }

  private static func lines(_ bytes: [UInt8]) -> (whole: [String], rest: [UInt8]) {
    var parts = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    let rest = parts.isEmpty ? [] : Array(parts.removeLast())
    return (parts.map { String(decoding: $0, as: UTF8.self) }, rest)
  }
}
