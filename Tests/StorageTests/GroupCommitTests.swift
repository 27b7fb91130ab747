// Contract: transactions, group commit, isolation, the bounded queue, and closing.

import Dispatch
import Storage
import Synchronization
import Testing

@Suite("Group commit")
struct GroupCommitTests {
  /// Queues `bodies` behind a body that holds the writer until all of them wait, and collects how each ended.
  private func queueTogether(
    _ store: any Store, _ bodies: [@Sendable (any StoreTransaction) throws -> Void]
  ) async throws -> [Bool] {
    let gate = DispatchSemaphore(value: 0)
    let started = Flag()
    return try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
      group.addTask {
        try await store.write { _ in
          started.raise()
          gate.wait()
        }
        return (-1, true)
      }
      try await until { started.isRaised }
      for (index, body) in bodies.enumerated() {
        group.addTask {
          do { try await store.write(body) } catch is Refusal { return (index, false) }
          return (index, true)
        }
        try await until { store.statistics.queued > index }
      }
      gate.signal()
      var ended = [Bool](repeating: false, count: bodies.count)
      for try await (index, succeeded) in group where index >= 0 { ended[index] = succeeded }
      return ended
    }
  }

  @Test("Writes that wait together share one commit", arguments: Engine.grouping)
  func batches(engine: Engine) async throws {
    try await engine.withStore { store in
      let ended = try await queueTogether(
        store, (0..<50).map { number in { try $0.setMeta("\(number)", [UInt8(number)]) } })
      #expect(ended == [Bool](repeating: true, count: 50))
      #expect(store.statistics.commits == 2, "the one that held the writer, and the batch")
      #expect(store.statistics.largestBatch == 50)
      #expect(store.statistics.committedBodies == 51)
      for number in 0..<50 {
        #expect(try await store.read { try $0.meta("\(number)") } == [UInt8(number)])
      }
    }
  }

  @Test("A batch is bounded", arguments: Engine.grouping)
  func bounded(engine: Engine) async throws {
    try await engine.withStore(maxBatch: 8) { store in
      _ = try await queueTogether(
        store, (0..<20).map { number in { try $0.setMeta("\(number)", []) } })
      #expect(store.statistics.largestBatch == 8)
      #expect(store.statistics.commits == 4)
    }
  }

  @Test("A lone write is flushed at once", arguments: Engine.grouping)
  func idle(engine: Engine) async throws {
    try await engine.withStore { store in
      for number in 1...5 {
        try await store.write { try $0.setMeta("a", [UInt8(number)]) }
        #expect(store.statistics.commits == number)
      }
    }
  }

  @Test(
    "A body that throws leaves no trace, and its neighbours are kept", arguments: Engine.grouping)
  func isolates(engine: Engine) async throws {
    try await engine.withStore { store in
      let ended = try await queueTogether(
        store,
        (0..<9).map { number in
          { transaction in
            try transaction.setMeta("\(number)", [])
            try transaction.append(kind: "m", key: [1], label: "\(number)", bytes: [])
            if number % 3 == 1 { throw Refusal() }
          }
        })
      #expect(ended == [true, false, true, true, false, true, true, false, true])
      #expect(store.statistics.commits == 2)
      #expect(store.statistics.failedBodies == 3)
      for number in 0..<9 {
        let kept = try await store.read { try $0.meta("\(number)") } != nil
        #expect(kept == (number % 3 != 1))
      }
      let labels = try await store.read { try $0.messages(kind: "m", key: [1]).map(\.label) }
      #expect(labels == ["0", "2", "3", "5", "6", "8"])
    }
  }

  @Test("A body sees all or nothing of the bodies before it", arguments: Engine.grouping)
  func sees(engine: Engine) async throws {
    try await engine.withStore { store in
      _ = try await queueTogether(
        store,
        [
          { transaction in
            try transaction.setMeta("a", [1])
            try transaction.setMeta("b", [1])
          },
          { transaction in
            try transaction.setMeta("a", [2])
            throw Refusal()
          },
          { transaction throws in
            #expect(try transaction.meta("a") == [1])
            #expect(try transaction.meta("b") == [1])
          },
        ])
    }
  }

  @Test("A refusal that the body catches spoils nothing", arguments: Engine.allCases)
  func caught(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        try transaction.setReply([1], [1], at: 1)
        try? transaction.setReply([1], [2], at: 1)
        try transaction.setMeta("after", [1])
      }
      #expect(try await store.read { try $0.meta("after") } == [1])
    }
  }

  @Test(
    "An error is reported only once what its body had read is durable", arguments: Engine.grouping)
  func errorsAfterCommit(engine: Engine) async throws {
    try await engine.withStore { store in
      let told = DispatchSemaphore(value: 0)
      let gate = DispatchSemaphore(value: 0)
      let early = Mutex(false)
      let started = Flag()
      async let holder: Void = store.write { _ in
        started.raise()
        gate.wait()
      }
      try await until { started.isRaised }
      async let failing: Void = {
        await #expect(throws: Refusal.self) { try await store.write { _ in throw Refusal() } }
        told.signal()
      }()
      try await until { store.statistics.queued == 1 }
      async let behind: Void = store.write { _ in
        let heard = told.wait(timeout: .now() + .milliseconds(300)) == .success
        early.withLock { $0 = heard }
      }
      try await until { store.statistics.queued == 2 }
      gate.signal()
      _ = try await (holder, failing, behind)
      #expect(store.statistics.largestBatch == 2)
      #expect(early.withLock { $0 } == false)
    }
  }

  @Test(
    "A full queue refuses, and takes writes again when it has drained", arguments: Engine.grouping)
  func overloaded(engine: Engine) async throws {
    try await engine.withStore(maxQueued: 4) { store in
      _ = try await queueTogether(
        store,
        (0..<4).map { number in { try $0.setMeta("\(number)", []) } })
      let gate = DispatchSemaphore(value: 0)
      let started = Flag()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await store.write { _ in
            started.raise()
            gate.wait()
          }
        }
        try await until { started.isRaised }
        for _ in 0..<4 { group.addTask { try await store.write { try $0.setMeta("q", []) } } }
        try await until { store.statistics.queued == 4 }
        await #expect(throws: StorageError.overloaded) {
          try await store.write { try $0.setMeta("refused", []) }
        }
        gate.signal()
        try await group.waitForAll()
      }
      #expect(store.statistics.refused == 1)
      #expect(try await store.read { try $0.meta("refused") } == nil)
      try await store.write { try $0.setMeta("again", []) }
    }
  }

  @Test("A read changes nothing and sees what was durable", arguments: Engine.allCases)
  func readOnly(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { try $0.setMeta("a", [1]) }
      await #expect(throws: StorageError.readOnly) {
        try await store.read { try $0.setMeta("a", [2]) }
      }
      await #expect(throws: Refusal.self) { try await store.read { _ in throw Refusal() } }
      #expect(try await store.read { try $0.meta("a") } == [1])
    }
  }

  @Test(
    "Reads run beside a write and do not see it until it is durable", arguments: Engine.grouping)
  func snapshot(engine: Engine) async throws {
    try await engine.withStore { store in
      let written = Flag()
      let gate = DispatchSemaphore(value: 0)
      async let write: Void = store.write { transaction in
        try transaction.setMeta("a", [1])
        written.raise()
        gate.wait()
      }
      try await until { written.isRaised }
      #expect(try await store.read { try $0.meta("a") } == nil)
      gate.signal()
      try await write
      #expect(try await store.read { try $0.meta("a") } == [1])
    }
  }

  @Test("A transaction kept beyond its body is closed", arguments: Engine.allCases)
  func escaped(engine: Engine) async throws {
    try await engine.withStore { store in
      // nonisolated(unsafe): touched by one body after the other, on the writer.
      nonisolated(unsafe) var kept: (any StoreTransaction)?
      try await store.write { kept = $0 }
      try await store.write { _ throws in
        #expect(throws: StorageError.closed) { try kept?.setMeta("a", []) }
        #expect(throws: StorageError.closed) { try kept?.meta("a") }
      }
    }
  }

  @Test("Closing lets queued writes finish, then everything is refused", arguments: Engine.grouping)
  func close(engine: Engine) async throws {
    try await withFolder { folder in
      let store = try engine.makeStore(in: folder)
      let gate = DispatchSemaphore(value: 0)
      let started = Flag()
      async let held: Void = store.write { _ in
        started.raise()
        gate.wait()
      }
      try await until { started.isRaised }
      async let queued: Void = store.write { try $0.setMeta("a", [1]) }
      try await until { store.statistics.queued == 1 }
      async let closing: Void = store.close()
      gate.signal()
      _ = try await (held, queued, closing)
      try await store.close()
      await #expect(throws: StorageError.closed) { try await store.write { _ in } }
      await #expect(throws: StorageError.closed) { try await store.read { _ in } }
      await #expect(throws: StorageError.closed) { try await store.check() }
      let again = try engine.makeStore(in: folder)
      #expect(try await again.read { try $0.meta("a") } == [1])
      try await again.close()
    }
  }
}

/// Something that happened, told from a body to a test.
private final class Flag: Sendable {
  private let raised = Mutex(false)
  var isRaised: Bool { raised.withLock { $0 } }
  func raise() { raised.withLock { $0 = true } }
}

/// Waits for a condition without holding a thread: the tests share as many as there are cores.
private func until(_ condition: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(20)
  while !condition() {
    try #require(ContinuousClock.now < deadline)
    try await Task.sleep(for: .milliseconds(1))
  }
}
