// A monitor of one archive's log: it reads every entry, keeps a copy of the log of its own, and never
// believes that what was there once is not there any more. What no honest archive publishes it writes down
// as proofs that a judge convicts on.
//
// Invariants: the copy holds only entries that hash to a checkpoint that the log has signed; where the log
// shows something else, the copy stays what it is, and both are shown.

public import Foundation
import Messages
import TransparencyLog

/// Something that no honest archive does.
public struct LogFinding: Codable, Equatable, Sendable {
  /// What it is, for people.
  public var what: String
  /// tlog-proofs with their entries, or messages: evidence for `acd judge`. Empty where nothing signed shows
  /// it.
  public var proofs: [Data]
}

/// One look at a log.
public struct MonitorReport: Codable, Equatable, Sendable {
  public var origin: String
  /// How many entries have been read in all.
  public var size: UInt64
  public var root: String
  /// Whether a quorum of the trust list's witnesses had cosigned the checkpoint; nil if none is demanded.
  public var hasQuorum: Bool?
  public var findings: [LogFinding]
  /// What nobody looked at here, and why; nil if that is nothing.
  public var unchecked: String?
}

/// A copy of a log, with what follows from its entries.
final class LogMirror<Storage: LogStorage> {
  private let key: NoteKey
  private let policy: LogPolicy?
  private let files: any LogFiles
  private var writer: LogWriter<Storage>
  private var follower: LogFollower<OutcomesInMemory>
  private let current: PublishedNote
  private let slack: UInt64
  private let keepReached: (Timestamp) throws -> Void
  /// When a quorum had first seen the last head.
  private var reached: Timestamp
  /// H(body) of every entry.
  private(set) var bodies: Set<Hash> = []

  /// Opens a copy, or begins one, and reads it from the start.
  /// - Parameters:
  ///   - reached: what `keepReached` was given last; 0 at first.
  init(
    _ key: NoteKey, policy: LogPolicy?, files: any LogFiles, storage: Storage, skewSeconds: UInt64,
    reached: Timestamp = 0, keepReached: @escaping (Timestamp) throws -> Void = { _ in }
  ) throws {
    (self.key, self.policy, self.files) = (key, policy, files)
    (self.reached, self.keepReached) = (reached, keepReached)
    slack = skewSeconds + LogCosigner.delaySeconds
    let current = PublishedNote()
    self.current = current
    writer = try LogWriter(
      opening: storage, key: key, isNew: try storage.head() == nil, sign: { current.note(of: $0) })
    var monitor = try LogMonitor(
      LogFollower(outcomes: OutcomesInMemory(), skewSeconds: slack), reading: storage.object)
    _ = try monitor.advance(to: writer.head, cosignedAt: 0, reading: storage.object)
    follower = monitor.follower
    try remember(from: 0)
  }

  private func remember(from: UInt64) throws {
    try tree(writer.size).each(from: from) { entries in
      for leaf in entries.compactMap({ try? LogLeaf(encoded: $0) }) { bodies.insert(leaf.body) }
    }
  }

  private var own: [UInt8]? { try? writer.storage.checkpoint() }

  /// Looks at the log once.
  func look() async throws -> MonitorReport {
    guard let note = try await files.object(LogPath.checkpoint), let text = try? key.verified(note).text,
      let checkpoint = try? Checkpoint(text: text), checkpoint.origin == key.name
    else { throw ServiceError.protocolViolation("\(key.name) shows no checkpoint that its archive signed") }
    let head = LogHead(size: checkpoint.size, root: checkpoint.root)
    let seen = try? policy?.verify(note).1
    var findings: [LogFinding] = []
    if head.size > writer.size {
      findings = try await advance(to: head, note, reached: seen?.reached)
    } else if head.size > 0, try tree(head.size).root() != head.root {
      findings = [try await fork(head, note)]
    }
    return MonitorReport(
      origin: key.name, size: writer.size, root: "\(writer.head.root)",
      hasQuorum: policy == nil ? nil : seen != nil, findings: findings)
  }

  private func tree(_ size: UInt64) -> LogTree { LogTree(size: size, reading: writer.storage.object) }

  // MARK: Going on

  private func advance(to head: LogHead, _ note: [UInt8], reached seen: Timestamp?) async throws
    -> [LogFinding]
  {
    let old = writer.head
    let fetched = try await files.objects(from: old.size, to: head.size)
    var monitor = try LogMonitor(from: old, follower, reading: writer.storage.object)
    let violations: [LogViolation]
    do {
      // The edge is the copy's; what is behind it is the log's.
      violations = try monitor.advance(to: head, cosignedAt: reached) { path in
        try fetched[path] ?? writer.storage.object(path)
      }
    } catch LogFault.otherTree {
      return [try await fork(head, note)]
    }
    let before = own
    (current.note, current.last, current.head) = (note, before ?? [], head)
    let storage = writer.storage
    let remote = LogTree(size: head.size) { try fetched[$0] ?? storage.object($0) }
    var added: [[UInt8]] = []
    try remote.each(from: old.size) { added += $0 }
    try writer.append(added)
    follower = monitor.follower
    try remember(from: old.size)
    if let seen, seen > 0 {
      reached = seen
      try keepReached(seen)
    }
    return try violations.map { try finding($0, old, before, note, head) }
  }

  // MARK: Findings

  /// A proof with its entry, under a checkpoint of this copy.
  private func proof(_ index: UInt64, _ size: UInt64, _ note: [UInt8]) throws -> Data {
    let tree = tree(size)
    return Data(
      TlogProof.text(
        index: index, path: try tree.inclusion(of: index), checkpoint: note, extra: try tree.entry(index)))
  }

  private func finding(
    _ violation: LogViolation, _ old: LogHead, _ before: [UInt8]?, _ note: [UInt8], _ head: LogHead
  ) throws -> LogFinding {
    func two(_ first: UInt64, _ second: UInt64) throws -> [Data] {
      [try proof(first, head.size, note), try proof(second, head.size, note)]
    }
    switch violation {
    case .secondOutcome(_, let first, let second):
      return LogFinding(what: "two outcomes of one lock", proofs: try two(first, second))
    case .secondCommit(_, let first, let second):
      return LogFinding(what: "two commits of one transaction", proofs: try two(first, second))
    case .timeFell(let index):
      return LogFinding(
        what: "an entry is older than one before it", proofs: try two(newest(before: index), index))
    case .backDated(let index, _, _):
      guard let before, old.size > 0 else { break }
      let earlier = try proof(old.size - 1, old.size, before)
      return LogFinding(
        what: "an entry is older than what witnesses saw without it",
        proofs: [earlier, try proof(index, head.size, note)])
    case .unreadable(let index), .strayLock(let index):
      return LogFinding(what: "an entry that no archive makes", proofs: [try proof(index, head.size, note)])
    }
    return LogFinding(what: "\(violation)", proofs: [])
  }

  /// The entry before this one with the latest time.
  private func newest(before index: UInt64) throws -> UInt64 {
    var (best, latest, place) = (index - 1, Timestamp(0), UInt64(0))
    try tree(writer.size).each { entries in
      for entry in entries {
        if place < index, let leaf = try? LogLeaf(encoded: entry), leaf.at > latest {
          (best, latest) = (place, leaf.at)
        }
        place += 1
      }
    }
    return best
  }

  /// The log shows another tree than the copy: the first place where they differ, out of both.
  private func fork(_ head: LogHead, _ note: [UInt8]) async throws -> LogFinding {
    let fetched = try await files.objects(from: 0, to: head.size)
    var other = try LogMonitor(LogFollower(outcomes: OutcomesInMemory(), skewSeconds: slack)) { fetched[$0] }
    guard (try? other.advance(to: head, cosignedAt: 0, reading: { fetched[$0] })) != nil, let mine = own
    else {
      return LogFinding(what: "the log signs a tree whose entries it does not serve", proofs: [])
    }
    // Its entries make the tree that it signed, so their tiles can be made anew.
    var entries: [[UInt8]] = []
    try LogTree(size: head.size, reading: { fetched[$0] }).each { entries += $0 }
    let theirs = MemoryLog(entries)
    let ours = tree(writer.size)
    for index in 0..<min(head.size, writer.size)
    where try ours.entry(index) != theirs.tree.entry(index) {
      let shown = TlogProof.text(
        index: index, path: try theirs.tree.inclusion(of: index), checkpoint: note,
        extra: try theirs.tree.entry(index))
      return LogFinding(
        what: "the log was rewritten, or shows others another history",
        proofs: [try proof(index, writer.size, mine), Data(shown)])
    }
    return LogFinding(what: "the log shows another tree of the same entries", proofs: [])
  }
}

/// The note that is published with the next entries; before all of them are there, the one before it.
private final class PublishedNote {
  var (note, last, head) = ([UInt8](), [UInt8](), LogHead.empty)
  func note(of head: LogHead) -> [UInt8] { head == self.head || last.isEmpty ? note : last }
}

/// A tree made of entries, in memory.
private struct MemoryLog {
  let tree: LogTree

  init(_ entries: [[UInt8]]) {
    var edge = RightEdge()
    var objects: [String: [UInt8]] = [:]
    for object in edge.append(entries) + edge.partials() { objects[object.path] = object.bytes }
    let found = objects
    tree = LogTree(size: UInt64(entries.count)) { found[$0] }
  }
}
