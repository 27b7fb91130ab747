// The embedded engine: one SQLite file, written by one connection that also checkpoints.
//
// Write-ahead log, synchronous=FULL, no memory mapping, foreign keys on. One writing connection, because
// SQLite up to 3.51.2 can corrupt a log that two connections reset; the readers are read-only and never
// checkpoint. Checkpoints are started here rather than by SQLite, which would ignore their failures.
// After a failed synchronisation of the disk nobody knows what is on it, and trying again would report
// success without writing (fsync forgets): the process ends, and recovers from the log when it starts.

internal import GRDB

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A store in one file on this machine, for one process at a time.
///
/// Beside the file live `-wal` and `-shm` (part of it: copy or move them together, with the store closed)
/// and `.lock`. All have mode 0600. Call `close()` before letting go.
public final class SQLiteStore: Store {
  /// Limits, with defaults fit for a server.
  public struct Options: Sendable {
    /// Most bodies that share one commit.
    public var maxBatch = 256
    /// Most writes that wait; more are refused with `.overloaded`.
    public var maxQueued = 4096
    /// How long to wait for a foreign lock on the file before `.busy`, in milliseconds.
    public var busyTimeoutMilliseconds = 5000
    /// Most reads at a time.
    public var readers = 4
    /// About how many pages (4 KiB) the write-ahead log gathers before it is copied back.
    public var checkpointPages = 1000

    /// The defaults.
    public init() {}
  }

  private let pool: DatabasePool
  private let commits: GroupCommit
  private let lock: FileLock

  /// Opens the store in the file `path`, or creates it; brings an older schema up to date.
  ///
  /// Blocks while it recovers from a crash.
  /// - Parameters:
  ///   - path: the file; its folder must exist.
  ///   - options: limits.
  ///   - onFatal: called once, on the writer's thread, when the disk fails in a write. Must end the
  ///     process, and must not touch the store.
  /// - Throws: `.inUse`, `.newerSchema`, `.notAStore`, `.cannotOpen`, or an engine failure.
  public init(
    path: String, options: Options = Options(),
    onFatal: @escaping @Sendable (StorageError) -> Never = SQLiteStore.exitProcess
  ) throws(StorageError) {
    let path = resolved(path)
    lock = try FileLock(path: path + ".lock")
    let size = try preparePrivateFile(path)
    do {
      if size > 0 { try SQLiteStore.inspect(path) }
      pool = try DatabasePool(path: path, configuration: SQLiteStore.configuration(options))
      try pool.writeWithoutTransaction { db in try SQLiteStore.harden(db) }
      try Schema.migrator().migrate(pool)
    } catch let failure as DatabaseError where failure.resultCode == .SQLITE_NOTADB {
      throw .notAStore(path: path)
    } catch {
      throw StorageError(engine: error)
    }
    commits = GroupCommit(pool: pool, options: options, onFatal: onFatal)
  }

  /// The default for `onFatal`: says so on standard error and ends the process with status 70 (EX_SOFTWARE
  /// of sysexits.h) at once, without running exit handlers.
  public static let exitProcess: @Sendable (StorageError) -> Never = { error in
    complain("storage: the disk failed, stopping so as to recover from the log: \(error)\n")
    _exit(70)
  }

  // MARK: Store

  /// See ``Store``: runs `body`, durable on return.
  public func write<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T {
    try await commits.write(body)
  }

  /// See ``Store``: runs `body` on a snapshot.
  public func read<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T {
    try await commits.read { db in
      let transaction = SQLiteTransaction(db, writable: false)
      defer { transaction.end() }
      let value = try body(transaction)
      if let failure = transaction.failure { throw failure }
      return value
    }
  }

  /// See ``Store``: one line for each fault; reads the whole file.
  public func check() async throws -> [String] {
    try await commits.read { db in
      do { return try SQLiteAudit.faults(db) } catch { throw StorageError(engine: error) }
    }
  }

  /// See ``Store``: counts since opening.
  public var statistics: StoreStatistics { commits.statistics }

  /// See ``Store``: finishes what is queued, empties the log into the file, gives the lock back.
  public func close() async throws {
    guard await commits.finish() else { return }
    do { try pool.close() } catch { throw StorageError(engine: error) }
    lock.release()
  }

  /// What one statement answers on the writing connection: for tests that look beneath the contract.
  func onWriter(_ sql: String) throws -> [String] {
    try pool.writeWithoutTransaction { db in try String.fetchAll(db, sql: sql) }
  }

  // MARK: Opening

  private static func configuration(_ options: Options) -> Configuration {
    var configuration = Configuration()
    configuration.label = "acd.storage"
    configuration.busyMode = .timeout(Double(options.busyTimeoutMilliseconds) / 1000)
    configuration.maximumReaderCount = max(1, options.readers)
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { db in
      // temp_store: nothing of ours in files that nobody protects. secure_delete: what is deleted is
      // overwritten. trusted_schema, cell_size_check: a tampered file gets less far.
      try db.execute(
        sql: """
          PRAGMA mmap_size = 0;
          PRAGMA temp_store = MEMORY;
          PRAGMA secure_delete = ON;
          PRAGMA trusted_schema = OFF;
          PRAGMA cell_size_check = ON;
          PRAGMA fullfsync = ON;
          PRAGMA checkpoint_fullfsync = ON;
          """)
    }
    return configuration
  }

  /// Settings of the writing connection, set and read back through it: GRDB sets synchronous=NORMAL after
  /// `prepareDatabase` has run, so there is the wrong place.
  private static func harden(_ db: Database) throws {
    try db.execute(sql: "PRAGMA synchronous = FULL")
    try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
    let wanted: [(pragma: String, value: String)] = [
      ("synchronous", "2"), ("journal_mode", "wal"), ("wal_autocheckpoint", "0"),
      ("foreign_keys", "1"),
    ]
    for (pragma, value) in wanted {
      let found = try String.fetchOne(db, sql: "PRAGMA \(pragma)")
      guard found == value else {
        throw StorageError.engine(code: 0, reason: "\(pragma) is \(found ?? "unset"), not \(value)")
      }
    }
  }

  /// Looks at a file before anything changes it.
  private static func inspect(_ path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    try queue.read { db in
      let application = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      if application != Schema.applicationID {
        // A crash while the file was being created leaves one without our mark, and without a table.
        let foreign =
          try Int.fetchOne(
            db,
            sql: """
              SELECT count(*) FROM sqlite_schema
              WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'
              """) ?? 0
        guard application == 0, version == 0, foreign == 0 else {
          throw StorageError.notAStore(path: path)
        }
      }
      guard version <= Schema.version else {
        throw StorageError.newerSchema(found: version, supported: Schema.version)
      }
    }
  }
}

/// Writes to standard error without the C library's buffers and locks.
private func complain(_ text: String) {
  _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}
