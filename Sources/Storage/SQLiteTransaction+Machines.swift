// Machines, their message logs, the outbox and the replies, in SQLite.
//
// Looking for an equal body in the outbox goes through a 64-bit FNV-1a hash (draft-eastlake-fnv) that only
// narrows the search; equality is decided on the bytes.

internal import Foundation
internal import GRDB

// MARK: Machines

extension SQLiteTransaction {
  private static let machineColumns = "SELECT kind, key, phase, due, data FROM machines"

  private func machine(_ row: Row) throws -> MachineRow {
    MachineRow(
      kind: row[0], key: try row.bytes(1), phase: row[2], due: row[3], data: try row.bytes(4))
  }

  func machine(kind: String, key: [UInt8]) throws(StorageError) -> MachineRow? {
    try reading {
      try row(
        "\(Self.machineColumns) WHERE kind = ? AND key = ?", [kind, blob(key)], machine(_:))
    }
  }

  func putMachine(_ row: MachineRow) throws(StorageError) {
    try writing {
      try run(
        """
        INSERT INTO machines (kind, key, phase, due, data) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (kind, key) DO UPDATE
        SET phase = excluded.phase, due = excluded.due, data = excluded.data
        """, [row.kind, blob(row.key), row.phase, row.due, blob(row.data)])
    }
  }

  func machines(
    kind: String, phase: Int?, after key: [UInt8]?, limit: Int
  ) throws(StorageError) -> [MachineRow] {
    try reading {
      var sql = "\(Self.machineColumns) WHERE kind = ?"
      var arguments: StatementArguments = [kind]
      if let phase {
        sql += " AND phase = ?"
        arguments += [phase]
      }
      if let key {
        sql += " AND key > ?"
        arguments += [blob(key)]
      }
      sql += " ORDER BY key LIMIT ?"
      arguments += [max(0, limit)]
      return try rows(sql, arguments, machine(_:))
    }
  }

  func machinesDue(
    kind: String, before: Int64, limit: Int
  ) throws(StorageError) -> [MachineRow] {
    try reading {
      try rows(
        "\(Self.machineColumns) WHERE kind = ? AND due <= ? ORDER BY due, key LIMIT ?",
        [kind, before, max(0, limit)], machine(_:))
    }
  }

  func deleteMachine(kind: String, key: [UInt8]) throws(StorageError) {
    try writing {
      try run("DELETE FROM machines WHERE kind = ? AND key = ?", [kind, blob(key)])
    }
  }
}

// MARK: Message log

extension SQLiteTransaction {
  private static let messageColumns = "SELECT sequence, key, label, bytes FROM messages"

  private func message(_ row: Row) throws -> StoredMessage {
    StoredMessage(
      sequence: row[0], key: try row.bytes(1), label: row[2], bytes: try row.bytes(3))
  }

  func append(
    kind: String, key: [UInt8], label: String, bytes: [UInt8]
  ) throws(StorageError) -> Int64 {
    try writing {
      let content = blob(bytes)
      let name = blob(key)
      let same = try row(
        """
        SELECT sequence FROM messages WHERE kind = ? AND key = ? AND label = ? AND bytes = ?
        ORDER BY sequence LIMIT 1
        """, [kind, name, label, content], { $0[0] as Int64 })
      if let same { return same }
      try run(
        "INSERT INTO messages (kind, key, label, bytes) VALUES (?, ?, ?, ?)",
        [kind, name, label, content])
      return lastID
    }
  }

  func deleteMessages(kind: String, key: [UInt8]) throws(StorageError) {
    try writing { try run("DELETE FROM messages WHERE kind = ? AND key = ?", [kind, blob(key)]) }
  }

  func messages(kind: String, key: [UInt8]) throws(StorageError) -> [StoredMessage] {
    try reading {
      try rows(
        "\(Self.messageColumns) WHERE kind = ? AND key = ? ORDER BY sequence",
        [kind, blob(key)], message(_:))
    }
  }

  func message(kind: String, key: [UInt8], label: String) throws(StorageError) -> [UInt8]? {
    try reading {
      try row(
        """
        SELECT bytes FROM messages WHERE kind = ? AND key = ? AND label = ?
        ORDER BY sequence DESC LIMIT 1
        """, [kind, blob(key), label]
      ) { try $0.bytes(0) }
    }
  }

  func messages(
    kind: String, label: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StoredMessage] {
    try reading {
      try rows(
        """
        \(Self.messageColumns) WHERE kind = ? AND label = ? AND sequence > ?
        ORDER BY sequence LIMIT ?
        """, [kind, label, sequence, max(0, limit)], message(_:))
    }
  }
}

// MARK: Outbox

extension SQLiteTransaction {
  private static let outboxColumns = """
    SELECT id, destination, path, body, attempts, next_attempt_at, created_at FROM outbox
    """

  private func outboxItem(_ row: Row) throws -> OutboxItem {
    OutboxItem(
      id: row[0], destination: row[1], path: row[2], body: try row.bytes(3), attempts: row[4],
      nextAttemptAt: row[5], createdAt: row[6])
  }

  func enqueue(
    destination: String, path: String, body: [UInt8], at: Int64
  ) throws(StorageError) -> Int64 {
    try writing {
      let content = blob(body)
      let hash = lookupHash(body)
      let pending = try row(
        """
        SELECT id FROM outbox
        WHERE destination = ? AND path = ? AND body_hash = ? AND body = ? ORDER BY id LIMIT 1
        """, [destination, path, hash, content], { $0[0] as Int64 })
      if let pending { return pending }
      try run(
        """
        INSERT INTO outbox (destination, path, body_hash, body, next_attempt_at, created_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """, [destination, path, hash, content, at, at])
      return lastID
    }
  }

  func outboxDue(at: Int64, limit: Int) throws(StorageError) -> [OutboxItem] {
    try reading {
      try rows(
        "\(Self.outboxColumns) WHERE next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?",
        [at, max(0, limit)], outboxItem(_:))
    }
  }

  func outboxDone(_ id: Int64) throws(StorageError) {
    try writing { try run("DELETE FROM outbox WHERE id = ?", [id]) }
  }

  func outboxRetry(_ id: Int64, nextAttemptAt: Int64) throws(StorageError) {
    try writing {
      try run(
        "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ? WHERE id = ?",
        [nextAttemptAt, id])
    }
  }

  func outboxCount() throws(StorageError) -> Int {
    try reading { try row("SELECT count(*) FROM outbox", []) { $0[0] as Int } ?? 0 }
  }

  func outboxNextDue() throws(StorageError) -> Int64? {
    try reading {
      try row("SELECT next_attempt_at FROM outbox ORDER BY next_attempt_at LIMIT 1", []) {
        $0[0] as Int64
      }
    }
  }
}

/// FNV-1a: for finding, not for trusting.
private func lookupHash(_ bytes: [UInt8]) -> Int64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  return Int64(bitPattern: hash)
}

// MARK: Replies

extension SQLiteTransaction {
  func reply(_ requestHash: [UInt8]) throws(StorageError) -> [UInt8]? {
    try reading {
      try row("SELECT bytes FROM replies WHERE request_hash = ?", [blob(requestHash)]) {
        try $0.bytes(0)
      }
    }
  }

  func setReply(_ requestHash: [UInt8], _ bytes: [UInt8], at: Int64) throws(StorageError) {
    try writing {
      let added = try run(
        """
        INSERT INTO replies (request_hash, bytes, at) VALUES (?, ?, ?)
        ON CONFLICT (request_hash) DO NOTHING
        """, [blob(requestHash), blob(bytes), at])
      if added == 0, try reply(requestHash) != bytes { throw StorageError.conflict(.reply) }
    }
  }

  func pruneReplies(before: Int64) throws(StorageError) -> Int {
    try writing { try run("DELETE FROM replies WHERE at < ?", [before]) }
  }
}
