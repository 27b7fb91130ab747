// Witnesses, status by status of C2SP tlog-witness, and followers: what they let pass and what they do not.

import Messages
import Testing
import TransparencyLog

@Suite("Log witnesses")
struct LogWitnessTests {
  /// Heads of a log at these sizes, with the storage that has them all.
  private func grown(_ sizes: [Int], _ salt: String = "") throws -> (LogWriter<MemoryStorage>, [LogHead]) {
    var (log, heads) = (try writer(MemoryStorage(), isNew: true), [LogHead]())
    for size in sizes {
      let from = Int(log.head.size)
      if size > from { try log.append((from..<size).map { entry($0, salt) }) }
      heads.append(log.head)
    }
    return (log, heads)
  }

  private func answer(_ request: AddCheckpoint, _ known: LogHead?) throws -> WitnessAnswer {
    try LogWitness(logs: [noteKey()]).answer(request.body) { _ in known }
  }

  @Test("a request is read as it was written, and nothing else is one")
  func requests() throws {
    let (log, heads) = try grown([5, 9])
    let request = AddCheckpoint(old: 5, path: try log.tree.consistency(with: 5), note: try signed(heads[1]))
    #expect(!request.path.isEmpty && AddCheckpoint(body: request.body) == request)
    let bad = [
      "", "\n\n", "old 5", "old 05\n\nx", "old -1\n\nx", "old 5 \n\nx", "new 5\n\nx", "old 5\nAAAA\n\nx",
    ]
    for text in bad { #expect(AddCheckpoint(body: Array(text.utf8)) == nil, "\(text)") }
    let many = AddCheckpoint(old: 5, path: [Hash](repeating: heads[0].root, count: 64), note: request.note)
    #expect(AddCheckpoint(body: many.body) == nil)
    #expect(try answer(many, heads[0]) == .malformed)
  }

  @Test("what extends the last head is cosigned")
  func extends() throws {
    let (log, heads) = try grown([0, 1, 5, 256, 300])
    for (index, old) in heads.enumerated() {
      for new in heads[index...] where new.size > 0 {
        let tree = LogTree(size: new.size, reading: log.storage.object)
        let request = AddCheckpoint(
          old: old.size, path: try tree.consistency(with: old.size), note: try signed(new))
        let text = try new.checkpoint(origin).text()
        #expect(try answer(request, old.size == 0 ? nil : old) == .cosign(new, text: text))
      }
    }
    let empty = AddCheckpoint(old: 0, path: [], note: try signed(.empty))
    #expect(try answer(empty, nil).status == 200)
  }

  @Test("everything else has its status, in the specification's order")
  func refused() throws {
    let (log, heads) = try grown([5, 9])
    let path = try log.tree.consistency(with: 5)
    let good = AddCheckpoint(old: 5, path: path, note: try signed(heads[1]))
    #expect(try answer(good, heads[0]).status == 200)
    #expect(try answer(good, heads[1]) == .conflict(9))
    #expect(try answer(good, nil) == .conflict(0))
    #expect(try LogWitness(logs: []).answer(good.body) { _ in nil } == .unknownLog)
    let foreign = AddCheckpoint(old: 5, path: path, note: try signed(heads[1], seed: 2))
    #expect(try answer(foreign, heads[0]) == .forbidden)
    #expect(try answer(AddCheckpoint(old: 10, path: path, note: good.note), heads[0]) == .malformed)
    #expect(try answer(AddCheckpoint(old: 5, path: [], note: good.note), heads[0]) == .inconsistent)
    #expect(
      try answer(AddCheckpoint(old: 5, path: path.reversed(), note: good.note), heads[0]) == .inconsistent)
    #expect(try answer(AddCheckpoint(old: 0, path: path, note: good.note), nil) == .inconsistent)
    let (_, others) = try grown([5, 9], "x")
    #expect(try answer(AddCheckpoint(old: 9, path: [], note: good.note), others[1]) == .inconsistent)
    #expect(try answer(AddCheckpoint(old: 9, path: [], note: good.note), heads[1]).status == 200)
    let noTree = LogHead(size: 0, root: heads[0].root)
    #expect(try answer(AddCheckpoint(old: 0, path: [], note: signed(noTree)), nil) == .inconsistent)
  }
}

@Suite("Following a log")
struct LogFollowerTests {
  private func hash(_ number: Int) -> Hash { Hash(of: [UInt8(number >> 8), UInt8(number & 255)]) }

  private func leaf(
    _ kind: LogLeaf.Kind, _ lock: Int?, at: Timestamp, subject: Int? = nil
  ) -> LogLeaf {
    LogLeaf(
      kind: kind, at: at, subject: hash(subject ?? 1000 + (lock ?? 0)), lock: lock.map { hash($0) },
      body: hash(Int(at)))
  }

  private func violations(_ leaves: [LogLeaf], cosignedAt: Timestamp = 0) throws -> [LogViolation] {
    var follower = LogFollower(outcomes: OutcomesInMemory(), skewSeconds: 5)
    return try follower.follow(leaves.map(\.encoded), cosignedAt: cosignedAt)
  }

  @Test("an honest archive's entries pass: aborts of one transaction under several locks, then its commit")
  func honest() throws {
    let leaves = [
      leaf(.abort, 1, at: 10, subject: 7), leaf(.abort, 2, at: 10, subject: 7),
      leaf(.commit, 3, at: 11, subject: 7),
      leaf(.announcement, nil, at: 11), leaf(.keys, nil, at: 12), leaf(.abort, 4, at: 12, subject: 7),
    ]
    #expect(try violations(leaves).isEmpty)
    #expect(try violations(leaves, cosignedAt: 15).isEmpty, "five seconds of skew")
  }

  @Test("two outcomes of a lock, in whatever order and kind, are seen")
  func secondOutcome() throws {
    for kinds in [(LogLeaf.Kind.commit, LogLeaf.Kind.abort), (.abort, .commit), (.abort, .abort)] {
      let leaves = [leaf(kinds.0, 1, at: 1), leaf(.abort, 2, at: 1), leaf(kinds.1, 1, at: 2)]
      #expect(try violations(leaves) == [.secondOutcome(lock: hash(1), first: 0, second: 2)])
    }
  }

  @Test("two commits of a transaction under different locks are seen")
  func secondCommit() throws {
    let leaves = [leaf(.commit, 1, at: 1, subject: 7), leaf(.commit, 2, at: 1, subject: 7)]
    #expect(try violations(leaves) == [.secondCommit(subject: hash(7), first: 0, second: 1)])
  }

  @Test("times that fall, and entries from before the last cosignature, are seen")
  func times() throws {
    #expect(try violations([leaf(.abort, 1, at: 9), leaf(.abort, 2, at: 8)]) == [.timeFell(index: 1)])
    #expect(
      try violations([leaf(.abort, 1, at: 9), leaf(.abort, 2, at: 10)], cosignedAt: 15)
        == [.backDated(index: 0, at: 9, cosignedAt: 15)])
  }

  @Test("entries that are none, and locks where none belongs, are seen")
  func stray() throws {
    var follower = LogFollower(outcomes: OutcomesInMemory(), skewSeconds: 5)
    #expect(try follower.follow([[1, 2, 3]], cosignedAt: 0) == [.unreadable(index: 0)])
    #expect(try violations([leaf(.commit, nil, at: 1)]) == [.strayLock(index: 0)])
    #expect(try violations([leaf(.keys, 1, at: 1)]) == [.strayLock(index: 0)])
  }

  @Test("a monitor goes from head to head, and sees a fork, a rewrite and a roll back")
  func monitor() throws {
    var log = try writer(MemoryStorage(), isNew: true)
    var monitor = try LogMonitor(
      LogFollower(outcomes: OutcomesInMemory(), skewSeconds: 5), reading: log.storage.object)
    var copies: [(MemoryStorage, LogHead)] = []
    for round in 0..<5 {
      try log.append((0..<200).map { leaf(.commit, round * 200 + $0, at: Timestamp(round)).encoded })
      #expect(
        try monitor.advance(to: log.head, cosignedAt: 0, reading: log.storage.object).isEmpty)
      #expect(monitor.head == log.head && monitor.follower.size == log.head.size)
      copies.append((log.storage, log.head))
    }
    // It can begin anew at a head that held, and not at another.
    var again = try LogMonitor(from: log.head, monitor.follower, reading: log.storage.object)
    #expect(throws: LogFault.forked(size: 1000)) {
      _ = try LogMonitor(
        from: LogHead(size: 1000, root: copies[0].1.root), monitor.follower, reading: log.storage.object)
    }
    #expect(throws: LogFault.behind(size: 600, seen: 1000)) {
      _ = try again.advance(to: copies[2].1, cosignedAt: 0, reading: log.storage.object)
    }
    #expect(throws: LogFault.forked(size: 1000)) {
      _ = try again.advance(
        to: LogHead(size: 1000, root: copies[0].1.root), cosignedAt: 0, reading: log.storage.object)
    }
    // A second history that begins in the middle: signed, larger, and of other entries.
    var fork = try writer(copies[2].0)
    try fork.append((0..<500).map { leaf(.abort, 5000 + $0, at: 9).encoded })
    #expect(throws: LogFault.otherTree(size: 1100)) {
      _ = try again.advance(to: fork.head, cosignedAt: 0, reading: fork.storage.object)
    }
    #expect(again.head == log.head)
    // The same lock again, in the log itself.
    try log.append([leaf(.abort, 3, at: 9).encoded])
    #expect(
      try again.advance(to: log.head, cosignedAt: 0, reading: log.storage.object)
        == [.secondOutcome(lock: hash(3), first: 3, second: 1000)])
  }
}
