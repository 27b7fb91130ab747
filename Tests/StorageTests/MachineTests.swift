// Contract: meta values, machine rows and the message log.

import Storage
import Testing

@Suite("Machines and their messages")
struct MachineTests {
  @Test("A meta value is what was last set", arguments: Engine.allCases)
  func meta(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        #expect(try transaction.meta("identity") == nil)
        try transaction.setMeta("identity", [1, 2])
        try transaction.setMeta("identity", [])
        try transaction.setMeta("other", [0])
      }
      #expect(try await store.read { try $0.meta("identity") } == [])
      #expect(try await store.read { try $0.meta("other") } == [0])
    }
  }

  @Test("A machine is replaced by key, and kinds do not mix", arguments: Engine.allCases)
  func put(engine: Engine) async throws {
    try await engine.withStore { store in
      let first = MachineRow(kind: "bank", key: [1], phase: 1, due: 50, data: [1, 2, 3])
      let second = MachineRow(kind: "bank", key: [1], phase: 2, due: nil, data: [])
      let other = MachineRow(kind: "archive", key: [1], phase: 7, due: Int64.max, data: [9])
      try await store.write { transaction in
        try transaction.putMachine(first)
        #expect(try transaction.machine(kind: "bank", key: [1]) == first)
        try transaction.putMachine(second)
        try transaction.putMachine(other)
      }
      #expect(try await store.read { try $0.machine(kind: "bank", key: [1]) } == second)
      #expect(try await store.read { try $0.machine(kind: "archive", key: [1]) } == other)
      #expect(try await store.read { try $0.machine(kind: "bank", key: [2]) } == nil)
      try await store.write { try $0.deleteMachine(kind: "bank", key: [1]) }
      try await store.write { try $0.deleteMachine(kind: "bank", key: [1]) }
      #expect(try await store.read { try $0.machine(kind: "bank", key: [1]) } == nil)
      #expect(try await store.read { try $0.machine(kind: "archive", key: [1]) } == other)
    }
  }

  @Test("Machines are listed by key, by phase, and page by page", arguments: Engine.allCases)
  func list(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        for number: UInt8 in [5, 1, 4, 2, 3] {
          try transaction.putMachine(
            MachineRow(kind: "m", key: [number], phase: Int(number % 2), data: [number]))
        }
        try transaction.putMachine(MachineRow(kind: "n", key: [0], phase: 1, data: []))
      }
      func keys(phase: Int?, after key: [UInt8]?, limit: Int) async throws -> [[UInt8]] {
        try await store.read { transaction in
          try transaction.machines(kind: "m", phase: phase, after: key, limit: limit).map(\.key)
        }
      }
      #expect(try await keys(phase: nil, after: nil, limit: 9) == [[1], [2], [3], [4], [5]])
      #expect(try await keys(phase: nil, after: nil, limit: 2) == [[1], [2]])
      #expect(try await keys(phase: nil, after: [2], limit: 2) == [[3], [4]])
      #expect(try await keys(phase: 1, after: nil, limit: 9) == [[1], [3], [5]])
      #expect(try await keys(phase: 1, after: [1], limit: 1) == [[3]])
      #expect(try await keys(phase: 0, after: [4], limit: 9) == [])
      #expect(try await keys(phase: nil, after: nil, limit: 0) == [])
      #expect(try await keys(phase: nil, after: nil, limit: -1) == [])
    }
  }

  @Test(
    "A machine is due at its time and not before; one without a time never",
    arguments: Engine.allCases)
  func due(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        let times: [(key: UInt8, due: Int64?)] = [(1, 30), (2, 10), (3, nil), (4, 20), (5, 31)]
        for (key, due) in times {
          try transaction.putMachine(
            MachineRow(kind: "m", key: [key], phase: 0, due: due, data: []))
        }
      }
      func due(_ time: Int64, limit: Int = 9) async throws -> [[UInt8]] {
        try await store.read { transaction in
          try transaction.machinesDue(kind: "m", before: time, limit: limit).map(\.key)
        }
      }
      #expect(try await due(9) == [])
      #expect(try await due(10) == [[2]])
      #expect(try await due(30) == [[2], [4], [1]])
      #expect(try await due(30, limit: 2) == [[2], [4]])
    }
  }

  @Test(
    "Appending the same bytes twice keeps one entry; other bytes add one",
    arguments: Engine.allCases)
  func append(engine: Engine) async throws {
    try await engine.withStore { store in
      let numbers = try await store.write { transaction in
        [
          try transaction.append(kind: "m", key: [1], label: "P1", bytes: [1, 1]),
          try transaction.append(kind: "m", key: [1], label: "P2", bytes: [2]),
          try transaction.append(kind: "m", key: [1], label: "P1", bytes: [1, 1]),
          try transaction.append(kind: "m", key: [1], label: "P2", bytes: [1, 1]),
          try transaction.append(kind: "m", key: [2], label: "P1", bytes: [1, 1]),
          try transaction.append(kind: "n", key: [1], label: "P1", bytes: [1, 1]),
        ]
      }
      #expect(numbers[2] == numbers[0])
      #expect(Set(numbers).count == 5)
      let log = try await store.read { try $0.messages(kind: "m", key: [1]) }
      #expect(log.map(\.label) == ["P1", "P2", "P2"])
      #expect(log.map(\.bytes) == [[1, 1], [2], [1, 1]])
      #expect(log.map(\.sequence) == [numbers[0], numbers[1], numbers[3]])
      #expect(try await store.read { try $0.message(kind: "m", key: [1], label: "P2") } == [1, 1])
      #expect(try await store.read { try $0.message(kind: "m", key: [1], label: "P9") } == nil)
    }
  }

  @Test("Messages with a label are paged over all machines of a kind", arguments: Engine.allCases)
  func label(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        for key: UInt8 in 1...5 {
          try transaction.append(kind: "m", key: [key], label: "P1", bytes: [key])
          try transaction.append(kind: "m", key: [key], label: "P2", bytes: [key])
        }
        try transaction.append(kind: "n", key: [9], label: "P1", bytes: [9])
      }
      let first = try await store.read {
        try $0.messages(kind: "m", label: "P1", after: 0, limit: 3)
      }
      #expect(first.map(\.key) == [[1], [2], [3]])
      let last = try #require(first.last).sequence
      let second = try await store.read {
        try $0.messages(kind: "m", label: "P1", after: last, limit: 3)
      }
      #expect(second.map(\.key) == [[4], [5]])
    }
  }

  @Test("A machine's messages outlive it", arguments: Engine.allCases)
  func logStays(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        try transaction.putMachine(MachineRow(kind: "m", key: [1], phase: 0, data: []))
        try transaction.append(kind: "m", key: [1], label: "P1", bytes: [])
        try transaction.deleteMachine(kind: "m", key: [1])
      }
      #expect(try await store.read { try $0.message(kind: "m", key: [1], label: "P1") } == [])
    }
  }

  @Test("A machine's messages are deleted with it, and nobody else's", arguments: Engine.allCases)
  func deleted(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction in
        for (kind, key): (String, UInt8) in [("a", 1), ("a", 2), ("b", 1)] {
          for label in ["P1", "P3"] {
            try transaction.append(kind: kind, key: [key], label: label, bytes: [key])
          }
        }
      }
      await #expect(throws: Refusal.self) {
        try await store.write { transaction throws in
          try transaction.deleteMessages(kind: "a", key: [1])
          throw Refusal()
        }
      }
      #expect(try await store.read { try $0.messages(kind: "a", key: [1]).count } == 2, "taken back")
      try await store.write { try $0.deleteMessages(kind: "a", key: [1]) }
      try await store.write { try $0.deleteMessages(kind: "a", key: [9]) }
      #expect(try await store.read { try $0.messages(kind: "a", key: [1]) } == [])
      #expect(try await store.read { try $0.message(kind: "a", key: [1], label: "P1") } == nil)
      #expect(
        try await store.read { try $0.messages(kind: "a", label: "P1", after: 0, limit: 9).map(\.key) } == [
          [2]
        ])
      #expect(try await store.read { try $0.messages(kind: "b", key: [1]).count } == 2)
      // It can come again.
      try await store.write { try $0.append(kind: "a", key: [1], label: "P1", bytes: [7]) }
      #expect(try await store.read { try $0.message(kind: "a", key: [1], label: "P1") } == [7])
    }
  }
}
