// The SQLite engine beneath the contract: its settings, files, lock, schema, and a full disk.

import Foundation
import GRDB
import Testing

@testable import Storage

@Suite("SQLite engine")
struct SQLiteTests {
  private func withStore(_ body: (SQLiteStore, URL) async throws -> Void) async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(path: folder.appending(path: "store.db").path)
      try await body(store, folder)
      try await store.close()
    }
  }

  private func open(_ folder: URL) throws -> SQLiteStore {
    try SQLiteStore(path: folder.appending(path: "store.db").path)
  }

  // MARK: Settings

  @Test("The writing connection synchronises fully, logs ahead and maps no memory")
  func settings() async throws {
    try await withStore { store, _ in
      #expect(try store.onWriter("PRAGMA synchronous") == ["2"])
      #expect(try store.onWriter("PRAGMA journal_mode") == ["wal"])
      #expect(try store.onWriter("PRAGMA wal_autocheckpoint") == ["0"])
      #expect(try store.onWriter("PRAGMA foreign_keys") == ["1"])
      #expect(try store.onWriter("PRAGMA mmap_size").first ?? "0" == "0")
      #expect(try store.onWriter("PRAGMA busy_timeout") == ["5000"])
      try await store.write { try $0.setMeta("a", []) }
      #expect(try store.onWriter("PRAGMA synchronous") == ["2"])
    }
  }

  @Test(
    "Every file of a store belongs to its user alone, also one that was there with a wider mode")
  func modes() async throws {
    try await withFolder { folder in
      let file = folder.appending(path: "store.db").path
      _ = FileManager.default.createFile(
        atPath: file, contents: nil, attributes: [.posixPermissions: 0o644])
      let store = try open(folder)
      try await store.write { try $0.setMeta("a", []) }
      for suffix in ["", "-wal", "-shm", ".lock"] {
        let attributes = try FileManager.default.attributesOfItem(atPath: file + suffix)
        #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
      }
      try await store.close()
    }
  }

  @Test("The log is copied back as it grows, and emptied when the store closes")
  func checkpoints() async throws {
    try await withFolder { folder in
      var options = SQLiteStore.Options()
      options.checkpointPages = 50
      let file = folder.appending(path: "store.db").path
      let store = try SQLiteStore(path: file, options: options)
      for number in 0..<40 {
        try await store.write { try $0.setMeta("\(number)", [UInt8](repeating: 1, count: 8192)) }
      }
      #expect(store.statistics.checkpoints >= 2)
      let log = try FileManager.default.attributesOfItem(atPath: file + "-wal")[.size] as? Int
      #expect(try #require(log) < 150 * 4096, "reused from its start after each checkpoint")
      try await store.close()
      let rest = try? FileManager.default.attributesOfItem(atPath: file + "-wal")[.size] as? Int
      #expect(rest ?? 0 == 0)
      let again = try open(folder)
      #expect(try await again.read { try $0.meta("39") }?.count == 8192)
      try await again.close()
    }
  }

  // MARK: One process

  @Test("A store that is open can't be opened again, and can once it is closed")
  func second() async throws {
    try await withStore { store, folder in
      let lock = folder.appending(path: "store.db.lock").path
      #expect(throws: StorageError.inUse(path: lock)) { try open(folder) }
      let link = folder.appending(path: "link.db")
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: folder.appending(path: "store.db"))
      #expect(throws: StorageError.inUse(path: lock)) { try SQLiteStore(path: link.path) }
      try await store.close()
      try await open(folder).close()
    }
  }

  @Test("Another process is refused while this one has the store open")
  func otherProcess() async throws {
    try await withStore { store, folder in
      let file = folder.appending(path: "store.db").path
      await #expect(processExitsWith: .exitCode(3)) { [file = file as String] in
        do {
          _ = try SQLiteStore(path: file)
        } catch StorageError.inUse(let path) where path == file + ".lock" {
          exit(3)
        }
      }
      try await store.write { try $0.setMeta("a", []) }
    }
  }

  @Test("A folder that does not exist is named")
  func noFolder() throws {
    let error = #expect(throws: StorageError.self) { try SQLiteStore(path: "/nowhere/store.db") }
    guard case .cannotOpen(path: "/nowhere/store.db.lock", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  // MARK: Schema

  @Test("A store of a newer version is refused and left alone")
  func newer() async throws {
    try await withStore { store, folder in
      _ = try store.onWriter("PRAGMA user_version = 99")
      try await store.close()
      let before = try Data(contentsOf: folder.appending(path: "store.db"))
      #expect(throws: StorageError.newerSchema(found: 99, supported: Schema.version)) {
        try open(folder)
      }
      #expect(try Data(contentsOf: folder.appending(path: "store.db")) == before)
    }
  }

  @Test("What is not a store is refused and left alone", arguments: [10, 10_000])
  func notAStore(size: Int) async throws {
    try await withFolder { folder in
      let file = folder.appending(path: "store.db")
      let text = Data(repeating: UInt8(ascii: "x"), count: size)
      try text.write(to: file)
      #expect(throws: StorageError.notAStore(path: file.path)) { try open(folder) }
      #expect(try Data(contentsOf: file) == text)
    }
  }

  @Test("A SQLite file of another application is refused")
  func foreign() async throws {
    try await withStore { store, folder in
      _ = try store.onWriter("PRAGMA application_id = 5")
      try await store.close()
      let file = folder.appending(path: "store.db").path
      #expect(throws: StorageError.notAStore(path: file)) { try open(folder) }
    }
  }

  @Test("An empty file, as a crash while creating leaves it, becomes a store")
  func empty() async throws {
    try await withFolder { folder in
      _ = FileManager.default.createFile(
        atPath: folder.appending(path: "store.db").path, contents: Data())
      let store = try open(folder)
      #expect(try store.onWriter("PRAGMA user_version") == ["\(Schema.version)"])
      #expect(try store.onWriter("PRAGMA application_id") == ["\(Schema.applicationID)"])
      try await store.close()
    }
  }

  @Test(
    "The schema itself refuses what the archive and the bank must never hold",
    arguments: [
      "INSERT INTO records VALUES (3, x'01', x'02', x'01', 2, 9, x'')",
      "INSERT INTO records VALUES (3, x'01', x'01', x'03', 1, 9, x'')",
      "INSERT INTO records VALUES (3, x'01', x'03', x'03', 3, 9, x'')",
      "UPDATE tokens SET spent = 101",
      "UPDATE tokens SET spent = 60, locked = 41",
      "UPDATE tokens SET locked = -1",
      "INSERT INTO token_uses VALUES (x'99', x'01', 1, 0, x'')",
      "INSERT INTO token_uses SELECT id, x'01', 1, 3, x'' FROM tokens",
      "UPDATE accounts SET balance = -1 WHERE id = 'ann'",
      "INSERT INTO postings (entry, account, amount, balance) VALUES (9, 'ann', 1, 1)",
      "INSERT INTO accounts VALUES ('eve', 'customer', '', 'EUR', x'01', 0, 0)",
      "INSERT INTO messages (kind, key, label, bytes) VALUES ('m', x'01', 'P1', 'text')",
    ])
  func constraints(sql: String) async throws {
    try await withStore { store, _ in
      try await store.write { transaction in
        try transaction.appendRecord(
          merchant: [1], n: [1], lock: [1], kind: .commit, at: 5, body: [])
        try transaction.appendRecord(
          merchant: [1], n: [1], lock: [2], kind: .abort, at: 5, body: [])
        try transaction.putToken(TokenTests.token)
        try transaction.openAccount(LedgerTests.ann)
      }
      let error = #expect(throws: (any Error).self) { try store.onWriter(sql) }
      guard case .constraint = StorageError(engine: try #require(error)) else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  // MARK: Audit

  @Test(
    "The audit finds a balance, a statement, an entry, a time and a reference that are wrong",
    arguments: [
      ("UPDATE accounts SET balance = 7 WHERE id = 'ann'", "the account's postings: ann"),
      ("UPDATE postings SET balance = 7 WHERE account = 'ann'", "balance is broken: ann"),
      ("UPDATE postings SET amount = 7 WHERE account = 'ann'", "do not sum to zero: 01"),
      ("UPDATE records SET at = 4 WHERE sequence = 2", "earlier than the one before it: 2"),
      ("DELETE FROM tokens", "token_uses refers to a missing row of tokens"),
    ])
  func audit(sql: String, fault: String) async throws {
    try await withStore { store, _ in
      try await store.write { transaction in
        try transaction.openAccount(LedgerTests.cash)
        try transaction.openAccount(LedgerTests.ann)
        try transaction.post(LedgerTests.entry(1, [("cash", -100), ("ann", 100)]))
        for lock: UInt8 in 1...2 {
          try transaction.appendRecord(
            merchant: [1], n: [lock], lock: [lock], kind: .commit, at: 5, body: [])
        }
        try transaction.putToken(TokenTests.token)
        try transaction.putTokenUse(
          TokenUse(
            token: TokenTests.token.id, lock: [1], amount: 1, state: .locked, message: []))
      }
      #expect(try await store.check() == [])
      _ = try store.onWriter("PRAGMA foreign_keys = OFF")
      _ = try store.onWriter(sql)
      let faults = try await store.check()
      #expect(faults.contains { $0.contains(fault) }, "\(faults)")
    }
  }

  @Test("The audit finds a damaged page")
  func damage() async throws {
    try await withStore { store, folder in
      try await store.write { transaction in
        for number in 0..<200 {
          try transaction.setMeta("\(number)", [UInt8](repeating: 7, count: 100))
        }
      }
      try await store.close()
      let file = folder.appending(path: "store.db")
      var bytes = try Data(contentsOf: file)
      let page = try #require(bytes.range(of: Data(repeating: 7, count: 100))).lowerBound / 4096
      bytes.replaceSubrange(page * 4096..<page * 4096 + 64, with: Data(repeating: 0xff, count: 64))
      try bytes.write(to: file)
      let damaged = try open(folder)
      let faults = await Result { try await damaged.check() }
      switch faults {
      case .success(let lines): #expect(!lines.isEmpty)
      case .failure(let error):
        guard case .corrupt = error as? StorageError else { throw error }
      }
      try await damaged.close()
    }
  }

  // MARK: Engine failures

  @Test("An engine failure that the body hides still undoes the body")
  func hidden() async throws {
    try await withStore { store, _ in
      _ = try store.onWriter(
        """
        CREATE TRIGGER refuse BEFORE INSERT ON meta WHEN NEW.key = 'bad'
        BEGIN SELECT RAISE(ABORT, 'refused'); END
        """)
      await #expect(throws: StorageError.constraint(reason: "refused")) {
        try await store.write { transaction in
          try transaction.setMeta("good", [])
          try? transaction.setMeta("bad", [])
        }
      }
      await #expect(throws: Refusal.self, "what the body throws itself comes first") {
        try await store.write { transaction in
          try? transaction.setMeta("bad", [])
          throw Refusal()
        }
      }
      #expect(try await store.read { try $0.meta("good") } == nil)
    }
  }

  // MARK: Full disk

  @Test("A full disk is reported, undone, and nothing that was durable is lost")
  func full() async throws {
    try await withStore { store, _ in
      try await store.write { try $0.setMeta("before", [1]) }
      let pages = try #require(Int(try store.onWriter("PRAGMA page_count")[0]))
      _ = try store.onWriter("PRAGMA max_page_count = \(pages + 2)")
      let large = [UInt8](repeating: 1, count: 100_000)
      await #expect(throws: StorageError.diskFull) {
        try await store.write { transaction in
          try transaction.setMeta("small", [1])
          try transaction.setMeta("large", large)
        }
      }
      await #expect(throws: StorageError.diskFull, "a body can't talk itself out of it") {
        try await store.write { transaction in
          try? transaction.setMeta("large", large)
          #expect(throws: StorageError.diskFull) { try transaction.meta("before") }
        }
      }
      #expect(try await store.read { try $0.meta("before") } == [1])
      #expect(try await store.read { try $0.meta("small") } == nil)
      #expect(store.statistics.failedBodies == 2)
      _ = try store.onWriter("PRAGMA max_page_count = \(pages + 1000)")
      try await store.write { try $0.setMeta("large", large) }
      #expect(try await store.check() == [])
    }
  }

  @Test("A batch that a full disk ended tells everyone the truth")
  func fullBatch() async throws {
    try await withStore { store, _ in
      try await store.write { try $0.setMeta("before", [1]) }
      let pages = try #require(Int(try store.onWriter("PRAGMA page_count")[0]))
      _ = try store.onWriter("PRAGMA max_page_count = \(pages + 2)")
      let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
        for number in 0..<30 {
          let size = number == 10 ? 100_000 : 1
          group.addTask {
            do {
              try await store.write {
                try $0.setMeta("\(number)", [UInt8](repeating: 1, count: size))
              }
              return (number, true)
            } catch {
              #expect(error as? StorageError == .diskFull)
              return (number, false)
            }
          }
        }
        return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
      }
      #expect(outcomes[10] == false)
      for (number, succeeded) in outcomes {
        let kept = try await store.read { try $0.meta("\(number)") } != nil
        #expect(kept == succeeded, "\(number)")
      }
    }
  }

  @Test("A database that a stranger holds locked is busy, and free again afterwards")
  func busy() async throws {
    try await withFolder { folder in
      var options = SQLiteStore.Options()
      options.busyTimeoutMilliseconds = 50
      let file = folder.appending(path: "store.db").path
      let store = try SQLiteStore(path: file, options: options)
      var configuration = Configuration()
      configuration.allowsUnsafeTransactions = true
      let stranger = try DatabaseQueue(path: file, configuration: configuration)
      try await stranger.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
      await #expect(throws: StorageError.busy) { try await store.write { try $0.setMeta("a", []) } }
      try await stranger.writeWithoutTransaction { try $0.rollback() }
      try stranger.close()
      try await store.write { try $0.setMeta("a", []) }
      try await store.close()
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
