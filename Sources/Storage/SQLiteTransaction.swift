// A transaction on a SQLite connection: how statements are run, and the meta table.
//
// Statements are prepared once for each connection and reused. An engine failure spoils the transaction: it
// is kept in `failure`, every later call throws it, and the savepoint is rolled back whatever the body
// returns. Refusals are thrown before anything was written and spoil nothing.

internal import Foundation
internal import GRDB

/// Not Sendable: it lives on the connection's queue, for the time of one body.
final class SQLiteTransaction {
  private let db: Database
  private let writable: Bool
  private var ended = false

  /// The engine failure that spoiled this transaction.
  private(set) var failure: StorageError?
  /// Bytes of blobs handed to the engine, for guessing how much the log grew.
  private(set) var boundBytes = 0

  init(_ db: Database, writable: Bool) {
    self.db = db
    self.writable = writable
  }

  /// Makes every later call throw `.closed`: the body has returned, the connection serves others.
  func end() { ended = true }

  // MARK: Running statements

  /// Runs something that only reads.
  func reading<T>(_ work: () throws -> T) throws(StorageError) -> T {
    if ended { throw .closed }
    if let failure { throw failure }
    do {
      return try work()
    } catch let refusal as StorageError {
      throw refusal
    } catch {
      let cause = StorageError(engine: error)
      failure = cause
      throw cause
    }
  }

  /// Runs something that may write.
  @discardableResult
  func writing<T>(_ work: () throws -> T) throws(StorageError) -> T {
    guard writable || ended else { throw .readOnly }
    return try reading(work)
  }

  /// All rows of a query.
  func rows<T>(
    _ sql: String, _ arguments: StatementArguments, _ decode: (Row) throws -> T
  ) throws -> [T] {
    let cursor = try Row.fetchCursor(try db.cachedStatement(sql: sql), arguments: arguments)
    var found: [T] = []
    while let row = try cursor.next() { found.append(try decode(row)) }
    return found
  }

  /// The first row of a query.
  func row<T>(
    _ sql: String, _ arguments: StatementArguments, _ decode: (Row) throws -> T
  ) throws -> T? {
    try rows(sql, arguments, decode).first
  }

  /// Executes a statement.
  /// - Returns: how many rows it changed.
  @discardableResult
  func run(_ sql: String, _ arguments: StatementArguments) throws -> Int {
    try db.cachedStatement(sql: sql).execute(arguments: arguments)
    return db.changesCount
  }

  /// The row id that the last INSERT was given.
  var lastID: Int64 { db.lastInsertedRowID }

  /// Bytes as an argument of a statement.
  func blob(_ bytes: [UInt8]) -> Data {
    boundBytes += bytes.count
    return Data(bytes)
  }
}

extension Row {
  /// The bytes in a column that is not null.
  func bytes(_ column: Int) throws -> [UInt8] {
    try withUnsafeData(atIndex: column) { data in data.map { [UInt8]($0) } ?? [] }
  }

  /// The bytes in a column, or nil for null.
  func optionalBytes(_ column: Int) throws -> [UInt8]? {
    try withUnsafeData(atIndex: column) { data in data.map { [UInt8]($0) } }
  }
}

// MARK: Meta

extension SQLiteTransaction {
  func meta(_ key: String) throws(StorageError) -> [UInt8]? {
    try reading {
      try row("SELECT value FROM meta WHERE key = ?", [key]) { try $0.bytes(0) }
    }
  }

  func setMeta(_ key: String, _ value: [UInt8]) throws(StorageError) {
    try writing {
      try run(
        """
        INSERT INTO meta (key, value) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """, [key, blob(value)])
    }
  }
}

extension SQLiteTransaction: StoreTransaction {}
