// The sequencer: what it does in which order, and that no crash, torn write or old copy makes a second
// history.

import Messages
import Testing
import TransparencyLog

@Suite("Sequencer")
struct SequencerTests {
  private func heads(_ notes: [[UInt8]]) throws -> [LogHead] {
    try notes.map {
      let checkpoint = try Checkpoint(text: noteKey().verified($0).text)
      return LogHead(size: checkpoint.size, root: checkpoint.root)
    }
  }

  private func fault(_ body: () throws -> Void) -> LogFault? {
    do { try body() } catch { return error as? LogFault }
    return nil
  }

  @Test("nothing is signed before it is durable and read back, nor published before it is signed")
  func order() throws {
    var machine = try LogOpening(seen: []).open(head: nil, isNew: true) { _ in nil }
    guard case .store(let batch) = machine.appended([entry(0)]).first else { throw PowerCut() }
    #expect(batch.from == .empty && batch.to.size == 1)
    #expect(machine.appended([entry(1), entry(2)]).isEmpty)
    #expect(machine.stored(swapped: true) == [.reread(batch.objects.map(\.path))])
    #expect(machine.reread(batch.objects) == [.sign(batch.to)])
    #expect(machine.signed([1]) == [.publish([1])])
    guard case .store(let next) = machine.published().first else { throw PowerCut() }
    #expect(next.from == batch.to && next.to.size == 3, "what came meanwhile is one batch")
    #expect(machine.backlog == 0)
  }

  @Test("a batch is bounded, and the rest is the next one")
  func bounded() throws {
    var log = try writer(MemoryStorage(), isNew: true)
    try log.append((0..<LogSequencer.batchMax + 1).map { entry($0) })
    #expect(
      try heads(log.storage.shown).map(\.size) == [
        UInt64(LogSequencer.batchMax), UInt64(LogSequencer.batchMax) + 1,
      ])
    #expect(fault { try log.append([[UInt8](repeating: 0, count: 65_536)]) } == .entryTooLong(65_536))
  }

  @Test("a damaged byte in anything that is read back stops it before it signs")
  func readBack() throws {
    var start = try LogOpening(seen: []).open(head: nil, isNew: true) { _ in nil }
    guard case .store(let batch) = start.appended((0..<300).map { entry($0) }).first else { throw PowerCut() }
    _ = start.stored(swapped: true)
    for (index, object) in batch.objects.enumerated() {
      for place in [0, object.bytes.count / 2, object.bytes.count - 1] {
        var (machine, found) = (start, batch.objects)
        var bytes = object.bytes
        bytes[place] ^= 1
        found[index] = LogObject(object.path, bytes)
        #expect(machine.reread(found) == [.stop(.readBack(path: object.path))])
        #expect(machine.appended([entry(9)]) == [.stop(.readBack(path: object.path))], "it stays stopped")
      }
      var (machine, found) = (start, batch.objects)
      found.remove(at: index)
      #expect(machine.reread(found) == [.stop(.readBack(path: object.path))])
    }
    #expect(start.reread(batch.objects) == [.sign(batch.to)])
  }

  @Test("what the durable head needs is not written again")
  func writtenOnce() throws {
    var log = try writer(MemoryStorage(), isNew: true)
    for size in [255, 1, 3, 400, 2, 110, 1] {
      let before = log.storage.objects
      try log.append((0..<size).map { entry(Int(log.head.size) + $0) })
      #expect(log.storage.overwritten.isDisjoint(with: before.keys))
    }
  }

  @Test("two writers on one storage: one of them loses the swap and stops")
  func twoWriters() throws {
    var first = try writer(MemoryStorage(), isNew: true)
    try first.append([entry(0)])
    var second = try LogWriter(opening: first.storage, key: noteKey()) { try signed($0) }
    try second.append([entry(1)])
    // The first one writes to what the second has moved.
    var racing = try LogWriter(opening: Moved(before: first.storage, after: second.storage), key: noteKey()) {
      try signed($0)
    }
    #expect(fault { try racing.append([entry(2)]) } == .swapLost)
    #expect(fault { try racing.append([entry(2)]) } == .swapLost)
    #expect(racing.storage.after.shown == second.storage.shown)
  }

  @Test("a crash at each write: no second history, and all that was shown stays", arguments: 0..<8)
  func crashes(seed: UInt64) throws {
    var script = Dice(seed)
    let sizes = (0..<6).map { _ in 1 + script.below(script.below(3) == 0 ? 700 : 5) }
    var whole = try writer(MemoryStorage(), isNew: true)
    for size in sizes { try whole.append((0..<size).map { entry(Int(whole.head.size) + $0) }) }
    for cut in 0..<whole.storage.writes {
      try crash(at: cut, sizes, seed)
    }
  }

  /// Appends until the power goes, comes back, and goes on to the end.
  private func crash(at cut: Int, _ sizes: [Int], _ seed: UInt64) throws {
    var storage = MemoryStorage()
    storage.writesLeft = cut
    storage.dice = Dice(seed &+ UInt64(cut) &* 77)
    var log = try writer(storage, isNew: true)
    let total = sizes.reduce(0, +)
    do {
      for size in sizes {
        let before = Int(log.head.size)
        try log.append((0..<size).map { entry(before + $0) })
      }
      #expect(Bool(false), "the power did not go")
    } catch is PowerCut {}
    var after = log.storage
    after.writesLeft = .max
    // The archive's rows decide what is appended; the tiles follow from wherever the head is.
    var again = try writer(after, isNew: after.durableHead == nil)
    try again.publishAgain()
    let rest = Int(again.head.size)..<total
    if !rest.isEmpty { try again.append(rest.map { entry($0) }) }
    let shown = try heads(again.storage.shown)
    #expect(again.head.root == Naive.root((0..<total).map { TreeHash.leaf(entry($0)) }[...]))
    for head in shown {
      #expect(try LogTree(size: head.size, reading: again.storage.object).root() == head.root, "cut \(cut)")
    }
    try LogCheck.everything(again.head, reading: again.storage.object)
  }

  // MARK: Opening

  private func grown(_ sizes: [Int]) throws -> (now: LogWriter<MemoryStorage>, copies: [MemoryStorage]) {
    var (log, copies) = (try writer(MemoryStorage(), isNew: true), [MemoryStorage]())
    for size in sizes {
      try log.append((0..<size).map { entry(Int(log.head.size) + $0) })
      copies.append(log.storage)
    }
    return (log, copies)
  }

  @Test("an old copy of the storage does not run once anybody has seen more")
  func restored() throws {
    let (log, copies) = try grown([3, 300, 5])
    // The whole storage is old: only a witness remembers.
    #expect(
      fault { _ = try writer(copies[1], seen: [log.head]) } == .behind(size: 303, seen: log.head.size))
    // Head and tiles are old, and the published checkpoint is not.
    var mixed = copies[1]
    mixed.published = log.storage.published
    #expect(fault { _ = try writer(mixed) } == .behind(size: 303, seen: log.head.size))
    // An old head over new tiles.
    mixed = log.storage
    mixed.durableHead = copies[0].durableHead
    #expect(fault { _ = try writer(mixed) } == .behind(size: 3, seen: log.head.size))
    // A new head over old tiles.
    mixed = copies[1]
    mixed.durableHead = log.head
    #expect(fault { _ = try writer(mixed) } == .missing(path: "tile/0/001.p/52"))
    // No head, though there was a log.
    mixed = log.storage
    mixed.durableHead = nil
    #expect(fault { _ = try writer(mixed) } == .headLost)
    #expect(fault { _ = try writer(mixed, isNew: true) } == .headLost)
    #expect(fault { _ = try writer(MemoryStorage()) } == .headLost)
    #expect(fault { _ = try writer(MemoryStorage(), isNew: true, seen: [log.head]) } == .headLost)
    #expect(fault { _ = try writer(log.storage, seen: [log.head]) } == nil)
  }

  @Test("another log of the same size, or behind, is a fork, and the storage does not run")
  func forked() throws {
    let (log, _) = try grown([3, 300, 5])
    var other = try writer(MemoryStorage(), isNew: true)
    for size in [3, 300, 5] { try other.append((0..<size).map { entry(Int(other.head.size) + $0, "x") }) }
    #expect(fault { _ = try writer(log.storage, seen: [other.head]) } == .forked(size: 308))
    let old = LogHead(
      size: 3,
      root: other.tree.size == 0
        ? TreeHash.empty : Naive.root((0..<3).map { TreeHash.leaf(entry($0, "x")) }[...]))
    #expect(fault { _ = try writer(log.storage, seen: [old]) } == .forked(size: 3))
    var mixed = log.storage
    mixed.published = other.storage.published
    #expect(fault { _ = try writer(mixed) } == .forked(size: 308))
    mixed = log.storage
    mixed.durableHead = other.head
    #expect(fault { _ = try writer(mixed) } == .otherTree(size: 308))
  }

  @Test("a checkpoint that somebody else signed does not open the log")
  func foreign() throws {
    let (log, _) = try grown([3])
    var mixed = log.storage
    mixed.published = try signed(log.head, seed: 2)
    #expect(throws: MessageError.self) { _ = try writer(mixed) }
  }

  @Test("a damaged tile that the head needs does not run")
  func damaged() throws {
    let (log, _) = try grown([3, 300, 5])
    for path in ["tile/0/001.p/52", "tile/1/000.p/1"] {
      var mixed = log.storage
      mixed.objects[path]![7] ^= 1
      #expect(fault { _ = try writer(mixed) } == .otherTree(size: 308), "\(path)")
      mixed.objects[path] = Array(log.storage.objects[path]!.dropLast())
      #expect(fault { _ = try writer(mixed) } == .missing(path: path))
    }
    // What only a whole check finds.
    for path in ["tile/0/000", "tile/entries/000", "tile/entries/001.p/52"] {
      var mixed = log.storage
      mixed.objects[path]![7] ^= 1
      #expect(throws: LogFault.self) { try LogCheck.everything(log.head, reading: mixed.object) }
    }
  }
}

/// A storage that somebody else writes to once it is open.
private struct Moved: LogStorage {
  let before: MemoryStorage
  var after: MemoryStorage

  func head() -> LogHead? { before.head() }
  func object(_ path: String) -> [UInt8]? { before.object(path) }
  func checkpoint() -> [UInt8]? { before.checkpoint() }
  mutating func store(_ objects: [LogObject], from: LogHead, to: LogHead) throws -> Bool {
    try after.store(objects, from: from, to: to)
  }
  mutating func publish(_ note: [UInt8]) throws { try after.publish(note) }
  mutating func discard(_ prefixes: [String]) throws { try after.discard(prefixes) }
}
