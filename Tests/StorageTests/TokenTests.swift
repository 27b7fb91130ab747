// Contract: tokens and their uses at the bank, and the archive's records.

import Storage
import Testing

@Suite("Tokens and records")
struct TokenTests {
  static let token = TokenRow(
    id: [UInt8](repeating: 1, count: 32), key: [1], keyID: [2], currency: "EUR", value: 100)

  @Test("A token's spent and locked parts change; what it is does not", arguments: Engine.allCases)
  func put(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        #expect(try transaction.token(Self.token.id) == nil)
        try transaction.putToken(Self.token)
        var used = Self.token
        used.spent = 60
        used.locked = 40
        try transaction.putToken(used)
        #expect(try transaction.token(Self.token.id) == used)
        for change: (inout TokenRow) -> Void in [
          { $0.key = [9] }, { $0.keyID = [9] }, { $0.currency = "USD" }, { $0.value = 101 },
        ] {
          var other = used
          change(&other)
          #expect(throws: StorageError.conflict(.token)) { try transaction.putToken(other) }
        }
        #expect(try transaction.token(Self.token.id) == used)
      }
    }
  }

  @Test(
    "A token is never worth more than its value, and no part is negative",
    arguments: Engine.allCases)
  func parts(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        for (value, spent, locked) in [
          (100, 101, 0), (100, 0, 101), (100, 61, 40), (100, -1, 0), (100, 0, -1), (-1, 0, 0),
          (100, Int64.max, Int64.max),
        ] as [(Int64, Int64, Int64)] {
          var row = Self.token
          (row.value, row.spent, row.locked) = (value, spent, locked)
          let refusal = #expect(throws: StorageError.self) { try transaction.putToken(row) }
          guard case .invalid = refusal else {
            Issue.record("\(String(describing: refusal))")
            continue
          }
        }
        var short = Self.token
        short.id = [1]
        #expect(throws: StorageError.invalid("a token's id has 32 bytes")) {
          try transaction.putToken(short)
        }
        #expect(try transaction.token(Self.token.id) == nil)
      }
    }
  }

  @Test("A use goes from locked to spent or released, once", arguments: Engine.allCases)
  func uses(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        func use(_ lock: UInt8, _ state: TokenUse.State, amount: Int64 = 10) -> TokenUse {
          TokenUse(
            token: Self.token.id, lock: [lock], amount: amount, state: state,
            message: [UInt8(state.rawValue)])
        }
        #expect(throws: StorageError.unknownToken) {
          try transaction.putTokenUse(use(1, .locked))
        }
        try transaction.putToken(Self.token)
        for lock: UInt8 in [2, 1, 3] { try transaction.putTokenUse(use(lock, .locked)) }
        try transaction.putTokenUse(use(1, .spent))
        try transaction.putTokenUse(use(1, .spent))
        try transaction.putTokenUse(use(2, .released))
        for wrong in [
          use(1, .released), use(1, .locked), use(2, .spent), use(3, .spent, amount: 11),
        ] {
          #expect(throws: StorageError.conflict(.tokenUse)) { try transaction.putTokenUse(wrong) }
        }
        #expect(throws: StorageError.invalid("a token use's amount is not negative")) {
          try transaction.putTokenUse(use(4, .locked, amount: -1))
        }
        let all = [use(1, .spent), use(2, .released), use(3, .locked)]
        #expect(try transaction.tokenUses(token: Self.token.id) == all)
        // Less may be spent than was locked, once.
        try transaction.putTokenUse(use(5, .locked))
        for wrong in [use(5, .released, amount: 4), use(5, .locked, amount: 4), use(5, .spent, amount: 11)] {
          #expect(throws: StorageError.conflict(.tokenUse)) { try transaction.putTokenUse(wrong) }
        }
        try transaction.putTokenUse(use(5, .spent, amount: 4))
        try transaction.putTokenUse(use(5, .spent, amount: 4))
        #expect(throws: StorageError.conflict(.tokenUse)) {
          try transaction.putTokenUse(use(5, .spent, amount: 3))
        }
        #expect(try transaction.tokenUses(lock: [5]) == [use(5, .spent, amount: 4)])
        #expect(try transaction.tokenUses(lock: [2]) == [all[1]])
        #expect(try transaction.tokenUses(lock: [4]) == [])
      }
    }
  }

  @Test(
    "A lock has one outcome, a transaction one commit and any number of aborts",
    arguments: Engine.allCases)
  func outcomes(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        func append(_ n: UInt8, lock: UInt8, _ kind: RecordRow.Kind, merchant: UInt8 = 1) throws
          -> Int64
        {
          try transaction.appendRecord(
            merchant: [merchant], n: [n], lock: [lock], kind: kind, at: 5, body: [lock])
        }
        #expect(try transaction.lastRecord() == nil)
        #expect(try append(1, lock: 1, .abort) == 1)
        #expect(try append(1, lock: 2, .abort) == 2)
        #expect(try append(1, lock: 3, .commit) == 3)
        #expect(throws: StorageError.conflict(.committedTwice)) { try append(1, lock: 4, .commit) }
        #expect(throws: StorageError.conflict(.lockDecided)) { try append(1, lock: 3, .abort) }
        #expect(throws: StorageError.conflict(.lockDecided)) { try append(2, lock: 1, .commit) }
        #expect(throws: StorageError.conflict(.lockDecided)) { try append(1, lock: 3, .commit) }
        #expect(try append(1, lock: 4, .abort) == 4)
        #expect(try append(1, lock: 5, .commit, merchant: 2) == 5, "n is the merchant's own")
        #expect(try append(2, lock: 6, .commit) == 6)
        #expect(try transaction.records(merchant: [1], n: [1]).map(\.sequence) == [1, 2, 3, 4])
        #expect(try transaction.record(lock: [3])?.kind == .commit)
        #expect(try transaction.record(lock: [7]) == nil)
        #expect(try transaction.records(after: 2, limit: 3).map(\.sequence) == [3, 4, 5])
        #expect(
          try transaction.lastRecord()
            == RecordRow(
              sequence: 6, merchant: [1], n: [2], lock: [6], kind: .commit, at: 5, body: [6]))
      }
    }
  }

  @Test("The archive's time never goes back, and refusals leave no gap", arguments: Engine.allCases)
  func time(engine: Engine) async throws {
    try await engine.withStore { store in
      @Sendable func append(_ transaction: any StoreTransaction, _ lock: UInt8, at: Int64) throws
        -> Int64
      {
        try transaction.appendRecord(
          merchant: [1], n: [lock], lock: [lock], kind: .commit, at: at, body: [])
      }
      try await store.write { transaction throws in
        #expect(try append(transaction, 1, at: 10) == 1)
        #expect(try append(transaction, 2, at: 10) == 2)
        #expect(throws: StorageError.timeWentBack(last: 10, given: 9)) {
          try append(transaction, 3, at: 9)
        }
      }
      await #expect(throws: Refusal.self) {
        try await store.write { transaction throws in
          _ = try append(transaction, 3, at: 11)
          throw Refusal()
        }
      }
      #expect(try await store.write { try append($0, 3, at: 10) } == 3)
    }
  }

  @Test("Emptied records keep their place, their lock and the one commit", arguments: Engine.allCases)
  func emptied(engine: Engine) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        for lock: UInt8 in 1...3 {
          try transaction.appendRecord(
            merchant: [1], n: [lock], lock: [lock], kind: .commit, at: 5, body: [lock])
        }
      }
      await #expect(throws: Refusal.self) {
        try await store.write { transaction throws in
          try transaction.dropRecordBodies(through: 3)
          throw Refusal()
        }
      }
      try await store.write { try $0.dropRecordBodies(through: 2) }
      #expect(try await store.read { try $0.records(after: 0, limit: 9).map(\.body) } == [[], [], [3]])
      try await store.write { transaction throws in
        #expect(throws: StorageError.conflict(.lockDecided)) {
          try transaction.appendRecord(merchant: [1], n: [9], lock: [1], kind: .abort, at: 6, body: [9])
        }
        #expect(throws: StorageError.conflict(.committedTwice)) {
          try transaction.appendRecord(merchant: [1], n: [1], lock: [9], kind: .commit, at: 6, body: [9])
        }
      }
    }
  }
}
