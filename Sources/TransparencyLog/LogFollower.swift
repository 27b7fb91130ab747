// Whoever reads every entry: a following witness, a monitor. It asserts what inclusion cannot show, that a
// lock has one outcome and a transaction one commit, and that no entry is older than what was cosigned
// before it.
//
// Invariants: an entry is judged once, in its place, after its root has been compared with a signed one;
// what an honest archive appends is never a violation.

public import Messages

/// What no honest archive appends. The entries' places are the evidence: two proofs under one checkpoint.
public enum LogViolation: Hashable, Sendable {
  /// Two outcomes of one lock.
  case secondOutcome(lock: Hash, first: UInt64, second: UInt64)
  /// Two commits of one transaction.
  case secondCommit(subject: Hash, first: UInt64, second: UInt64)
  /// An entry's time is before that of the entry before it.
  case timeFell(index: UInt64)
  /// An entry came after a cosignature, and says that it was made before, by more than clocks may differ.
  case backDated(index: UInt64, at: Timestamp, cosignedAt: Timestamp)
  /// An entry that is none.
  case unreadable(index: UInt64)
  /// An outcome without a lock, or something else with one.
  case strayLock(index: UInt64)
}

/// What a follower remembers of outcomes; a witness keeps it in its store, with the size that it has
/// followed to.
public protocol FollowedOutcomes {
  /// The entry that ended this lock.
  func outcome(of lock: Hash) throws -> UInt64?
  /// The entry that committed this transaction.
  func commit(of subject: Hash) throws -> UInt64?
  mutating func keep(outcome index: UInt64, of lock: Hash) throws
  mutating func keep(commit index: UInt64, of subject: Hash) throws
}

/// Outcomes in memory: for a monitor that reads a log from its start.
public struct OutcomesInMemory: FollowedOutcomes, Sendable {
  private var outcomes: [Hash: UInt64] = [:]
  private var commits: [Hash: UInt64] = [:]

  public init() {}
  public func outcome(of lock: Hash) -> UInt64? { outcomes[lock] }
  public func commit(of subject: Hash) -> UInt64? { commits[subject] }
  public mutating func keep(outcome index: UInt64, of lock: Hash) { outcomes[lock] = index }
  public mutating func keep(commit index: UInt64, of subject: Hash) { commits[subject] = index }
}

/// Judges entries one after the other.
public struct LogFollower<Outcomes: FollowedOutcomes> {
  /// What it remembers.
  public private(set) var outcomes: Outcomes
  /// How many entries it has judged.
  public private(set) var size: UInt64
  /// The time of the last of them.
  public private(set) var lastAt: Timestamp
  private let skewSeconds: UInt64

  /// Goes on behind `size` entries.
  public init(outcomes: Outcomes, size: UInt64 = 0, lastAt: Timestamp = 0, skewSeconds: UInt64) {
    (self.outcomes, self.size, self.lastAt, self.skewSeconds) = (outcomes, size, lastAt, skewSeconds)
  }

  /// Judges the next entries.
  /// - Parameter cosignedAt: when a head without any of them was cosigned last; 0 if none was.
  public mutating func follow(_ entries: [[UInt8]], cosignedAt: Timestamp) throws -> [LogViolation] {
    var violations: [LogViolation] = []
    for entry in entries {
      let index = size
      size += 1
      guard let leaf = try? LogLeaf(encoded: entry) else {
        violations.append(.unreadable(index: index))
        continue
      }
      if leaf.at < lastAt { violations.append(.timeFell(index: index)) }
      lastAt = max(lastAt, leaf.at)
      if leaf.at < cosignedAt, cosignedAt - leaf.at > skewSeconds {
        violations.append(.backDated(index: index, at: leaf.at, cosignedAt: cosignedAt))
      }
      violations += try outcome(leaf, at: index)
    }
    return violations
  }

  private mutating func outcome(_ leaf: LogLeaf, at index: UInt64) throws -> [LogViolation] {
    let (isOutcome, hasLock) = (leaf.kind == .commit || leaf.kind == .abort, leaf.lock != LogLeaf.noLock)
    guard isOutcome == hasLock else { return [.strayLock(index: index)] }
    guard isOutcome else { return [] }
    var violations: [LogViolation] = []
    if let first = try outcomes.outcome(of: leaf.lock) {
      violations.append(.secondOutcome(lock: leaf.lock, first: first, second: index))
    } else {
      try outcomes.keep(outcome: index, of: leaf.lock)
    }
    guard leaf.kind == .commit else { return violations }
    if let first = try outcomes.commit(of: leaf.subject) {
      violations.append(.secondCommit(subject: leaf.subject, first: first, second: index))
    } else {
      try outcomes.keep(commit: index, of: leaf.subject)
    }
    return violations
  }
}

/// Follows a log from head to head: the entries between two heads have to make the one of the other.
public struct LogMonitor<Outcomes: FollowedOutcomes> {
  /// The entries that were judged.
  public private(set) var follower: LogFollower<Outcomes>
  private var edge: RightEdge

  /// The last head that holds.
  public var head: LogHead { edge.head }

  /// Goes on from a head that held; the log has to have its right edge still.
  public init(
    from head: LogHead = .empty, _ follower: LogFollower<Outcomes>,
    reading object: (String) throws -> [UInt8]?
  ) throws {
    guard follower.size == head.size else { throw LogFault.behind(size: follower.size, seen: head.size) }
    edge = try RightEdge(size: head.size, reading: object)
    guard edge.head == head else { throw LogFault.forked(size: head.size) }
    self.follower = follower
  }

  /// Reads all entries up to a head that the log signed, and judges them. Where it throws, nothing has
  /// changed.
  /// - Throws: ``LogFault``: `behind` for a smaller head than before, `forked` for another of the same size,
  ///   `otherTree` where the entries do not make it, `missing` where they are not served.
  public mutating func advance(
    to new: LogHead, cosignedAt: Timestamp, reading object: (String) throws -> [UInt8]?
  ) throws -> [LogViolation] {
    guard new.size >= edge.size else { throw LogFault.behind(size: new.size, seen: edge.size) }
    guard new.size > edge.size else {
      guard new == head else { throw LogFault.forked(size: new.size) }
      return []
    }
    // Twice over the entries: none of them is judged before all of them are known to be the signed ones.
    var grown = edge
    try LogTree.each(edge.size, new.size, object) { _ = grown.append($0) }
    guard grown.head == new else { throw LogFault.otherTree(size: new.size) }
    var (judged, violations, again) = (follower, [LogViolation](), edge)
    try LogTree.each(edge.size, new.size, object) { entries in
      _ = again.append(entries)
      violations += try judged.follow(entries, cosignedAt: cosignedAt)
    }
    guard again.head == new else { throw LogFault.otherTree(size: new.size) }
    (follower, edge) = (judged, grown)
    return violations
  }
}
