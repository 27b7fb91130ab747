// Contract: the outbox and the replies.

import Storage
import Testing

@Suite("Outbox and replies")
struct DeliveryTests {
  @Test(
    "The same body is queued once while it is pending, and again afterwards",
    arguments: Engine.allCases)
  func enqueueOnce(engine: Engine) async throws {
    try await engine.withStore { store in
      let ids = try await store.write { transaction in
        [
          try transaction.enqueue(destination: "bank", path: "/p3", body: [1], at: 10),
          try transaction.enqueue(destination: "bank", path: "/p3", body: [1], at: 20),
          try transaction.enqueue(destination: "bank", path: "/p3", body: [2], at: 10),
          try transaction.enqueue(destination: "bank", path: "/p4", body: [1], at: 10),
          try transaction.enqueue(destination: "archive", path: "/p3", body: [1], at: 10),
        ]
      }
      #expect(ids[1] == ids[0])
      #expect(Set(ids).count == 4)
      #expect(try await store.read { try $0.outboxCount() } == 4)
      let again = try await store.write { transaction in
        for id in ids { try transaction.outboxDone(id) }
        #expect(try transaction.outboxCount() == 0)
        return try transaction.enqueue(destination: "bank", path: "/p3", body: [1], at: 30)
      }
      #expect(again > ids.max() ?? 0, "an id is never used twice")
      let item = try await store.read { try $0.outboxDue(at: 30, limit: 1) }
      #expect(
        item == [
          OutboxItem(
            id: again, destination: "bank", path: "/p3", body: [1], attempts: 0,
            nextAttemptAt: 30, createdAt: 30)
        ])
    }
  }

  @Test(
    "A retry counts the attempt and moves the item back in the queue", arguments: Engine.allCases)
  func retry(engine: Engine) async throws {
    try await engine.withStore { store in
      #expect(try await store.read { try $0.outboxNextDue() } == nil)
      let (first, second) = try await store.write { transaction in
        (
          try transaction.enqueue(destination: "a", path: "/", body: [], at: 10),
          try transaction.enqueue(destination: "b", path: "/", body: [], at: 20)
        )
      }
      #expect(try await store.read { try $0.outboxNextDue() } == 10)
      #expect(try await store.read { try $0.outboxDue(at: 9, limit: 9) } == [])
      #expect(try await store.read { try $0.outboxDue(at: 10, limit: 9).map(\.id) } == [first])
      #expect(try await store.read { try $0.outboxDue(at: 20, limit: 1).map(\.id) } == [first])
      try await store.write { transaction in
        try transaction.outboxRetry(first, nextAttemptAt: 40)
        try transaction.outboxRetry(first, nextAttemptAt: 50)
        try transaction.outboxRetry(999, nextAttemptAt: 1)
      }
      #expect(try await store.read { try $0.outboxNextDue() } == 20)
      let due = try await store.read { try $0.outboxDue(at: 50, limit: 9) }
      #expect(due.map(\.id) == [second, first])
      #expect(due.map(\.attempts) == [0, 2])
      #expect(due.map(\.createdAt) == [20, 10])
    }
  }

  @Test(
    "A request keeps its reply: the same again is harmless, another is refused",
    arguments: Engine.allCases)
  func reply(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        #expect(try transaction.reply([1]) == nil)
        try transaction.setReply([1], [7, 7], at: 10)
        try transaction.setReply([1], [7, 7], at: 99)
        #expect(throws: StorageError.conflict(.reply)) {
          try transaction.setReply([1], [8], at: 10)
        }
        try transaction.setReply([2], [], at: 20)
      }
      #expect(try await store.read { try $0.reply([1]) } == [7, 7])
      #expect(try await store.read { try $0.reply([2]) } == [])
    }
  }

  @Test("Pruning forgets only the replies given before", arguments: Engine.allCases)
  func prune(engine: Engine) async throws {
    try await engine.withStore { store in
      let pruned = try await store.write { transaction in
        for time: UInt8 in 1...5 { try transaction.setReply([time], [0], at: Int64(time)) }
        return try transaction.pruneReplies(before: 3)
      }
      #expect(pruned == 2)
      #expect(try await store.read { try $0.reply([2]) } == nil)
      #expect(try await store.read { try $0.reply([3]) } == [0])
    }
  }
}
