// Tokens at the bank and the archive's records, in SQLite.
//
// The schema holds the same rules (CHECK, UNIQUE, foreign keys); here they are looked at first, so that
// breaking one is a refusal with a name and not a failure of the engine.

internal import Foundation
internal import GRDB

// MARK: Tokens

extension SQLiteTransaction {
  private static let tokenColumns = """
    SELECT id, key, key_id, currency, value, spent, locked FROM tokens
    """

  func token(_ id: [UInt8]) throws(StorageError) -> TokenRow? {
    try reading {
      try row("\(Self.tokenColumns) WHERE id = ?", [blob(id)]) { row in
        TokenRow(
          id: try row.bytes(0), key: try row.bytes(1), keyID: try row.bytes(2), currency: row[3],
          value: row[4], spent: row[5], locked: row[6])
      }
    }
  }

  func putToken(_ row: TokenRow) throws(StorageError) {
    try writing {
      guard row.id.count == 32 else { throw StorageError.invalid("a token's id has 32 bytes") }
      guard row.value >= 0, row.spent >= 0, row.locked >= 0 else {
        throw StorageError.invalid("a token's amounts are not negative")
      }
      guard row.spent <= row.value, row.locked <= row.value - row.spent else {
        throw StorageError.invalid("a token's spent and locked parts exceed its value")
      }
      // The update touches nothing where a fixed column differs: that row is not this token.
      let changed = try run(
        """
        INSERT INTO tokens (id, key, key_id, currency, value, spent, locked)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET spent = excluded.spent, locked = excluded.locked
        WHERE tokens.key = excluded.key AND tokens.key_id = excluded.key_id
          AND tokens.currency = excluded.currency AND tokens.value = excluded.value
        """,
        [
          blob(row.id), blob(row.key), blob(row.keyID), row.currency, row.value, row.spent,
          row.locked,
        ])
      guard changed == 1 else { throw StorageError.conflict(.token) }
    }
  }

  private static let useColumns = "SELECT token, lock, amount, state, message FROM token_uses"

  private func tokenUse(_ row: Row) throws -> TokenUse {
    guard let state = TokenUse.State(rawValue: row[3]) else {
      throw StorageError.corrupt(reason: "token use in an unknown state")
    }
    return TokenUse(
      token: try row.bytes(0), lock: try row.bytes(1), amount: row[2], state: state,
      message: try row.bytes(4))
  }

  func tokenUses(token: [UInt8]) throws(StorageError) -> [TokenUse] {
    try reading {
      try rows("\(Self.useColumns) WHERE token = ? ORDER BY lock", [blob(token)], tokenUse(_:))
    }
  }

  func tokenUses(lock: [UInt8]) throws(StorageError) -> [TokenUse] {
    try reading {
      try rows("\(Self.useColumns) WHERE lock = ? ORDER BY token", [blob(lock)], tokenUse(_:))
    }
  }

  func putTokenUse(_ use: TokenUse) throws(StorageError) {
    try writing {
      guard use.amount >= 0 else {
        throw StorageError.invalid("a token use's amount is not negative")
      }
      guard try token(use.token) != nil else { throw StorageError.unknownToken }
      // State 0 may become anything, and as 1 be less; 1 and 2 only themselves.
      let changed = try run(
        """
        INSERT INTO token_uses (token, lock, amount, state, message) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (token, lock) DO UPDATE
        SET state = excluded.state, message = excluded.message, amount = excluded.amount
        WHERE (token_uses.state = 0 OR token_uses.state = excluded.state)
          AND (token_uses.amount = excluded.amount
            OR token_uses.state = 0 AND excluded.state = 1 AND excluded.amount < token_uses.amount)
        """,
        [blob(use.token), blob(use.lock), use.amount, use.state.rawValue, blob(use.message)])
      guard changed == 1 else { throw StorageError.conflict(.tokenUse) }
    }
  }
}

// MARK: Archive records

extension SQLiteTransaction {
  private static let recordColumns = """
    SELECT sequence, merchant, n, lock, kind, at, body FROM records
    """

  private func record(_ row: Row) throws -> RecordRow {
    guard let kind = RecordRow.Kind(rawValue: row[4]) else {
      throw StorageError.corrupt(reason: "record of an unknown kind")
    }
    return RecordRow(
      sequence: row[0], merchant: try row.bytes(1), n: try row.bytes(2), lock: try row.bytes(3),
      kind: kind, at: row[5], body: try row.bytes(6))
  }

  func appendRecord(
    merchant: [UInt8], n: [UInt8], lock: [UInt8], kind: RecordRow.Kind, at: Int64, body: [UInt8]
  ) throws(StorageError) -> Int64 {
    try writing {
      let last = try row(
        "SELECT sequence, at FROM records ORDER BY sequence DESC LIMIT 1", []
      ) { (sequence: $0[0] as Int64, at: $0[1] as Int64) }
      if let last, at < last.at { throw StorageError.timeWentBack(last: last.at, given: at) }
      let sequence = (last?.sequence ?? 0) + 1
      let added = try run(
        """
        INSERT INTO records (sequence, merchant, n, lock, kind, at, body)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """, [sequence, blob(merchant), blob(n), blob(lock), kind.rawValue, at, blob(body)])
      if added == 1 { return sequence }
      throw StorageError.conflict(
        try record(lock: lock) == nil ? .committedTwice : .lockDecided)
    }
  }

  func records(merchant: [UInt8], n: [UInt8]) throws(StorageError) -> [RecordRow] {
    try reading {
      try rows(
        "\(Self.recordColumns) WHERE merchant = ? AND n = ? ORDER BY sequence",
        [blob(merchant), blob(n)], record(_:))
    }
  }

  func record(lock: [UInt8]) throws(StorageError) -> RecordRow? {
    try reading { try row("\(Self.recordColumns) WHERE lock = ?", [blob(lock)], record(_:)) }
  }

  func records(after sequence: Int64, limit: Int) throws(StorageError) -> [RecordRow] {
    try reading {
      try rows(
        "\(Self.recordColumns) WHERE sequence > ? ORDER BY sequence LIMIT ?",
        [sequence, max(0, limit)], record(_:))
    }
  }

  func dropRecordBodies(through sequence: Int64) throws(StorageError) {
    try writing {
      try run("UPDATE records SET body = x'' WHERE sequence <= ? AND body <> x''", [sequence])
    }
  }

  func lastRecord() throws(StorageError) -> RecordRow? {
    try reading {
      try row("\(Self.recordColumns) ORDER BY sequence DESC LIMIT 1", [], record(_:))
    }
  }
}
