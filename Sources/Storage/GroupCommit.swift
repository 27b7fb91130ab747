// Group commit: many write bodies share one transaction, and so one synchronisation of the disk.
//
//   write() -> queue -> drain: BEGIN, (SAVEPOINT, body, RELEASE)*, COMMIT -> callers resume -> checkpoint?
//
// An idle writer starts at once; what arrives while it works forms the next batch, so batches grow with the
// load and nobody waits for company. Bodies run one after the other, each in its savepoint. Callers are
// resumed after the COMMIT only, also those whose body threw: it may have read what a body before it wrote.
// SQLite may answer a full disk by rolling back everything: then all bodies run so far fail together, and
// those behind them start a new transaction.

internal import GRDB
internal import Synchronization

/// One queued write.
struct WriteJob: Sendable {
  /// Tells the caller how it ended.
  typealias Completion = @Sendable () -> Void

  /// Runs the body; the completion it returns hands over the value, to be called once that is durable.
  let run: @Sendable (SQLiteTransaction) throws -> Completion
  /// Hands over an error.
  let fail: @Sendable (any Error) -> Void
}

/// The queue before the writing connection, and the gate before the reading ones.
final class GroupCommit: Sendable {
  private struct State {
    var pending: [WriteJob] = []
    var draining = false
    var reads = 0
    var closing = false
    var idle: CheckedContinuation<Void, Never>?
    var statistics = StoreStatistics()
    /// About how many pages the log holds that were not copied back.
    var debt = 0

    mutating func admitRead() -> Bool {
      guard !closing else { return false }
      reads += 1
      return true
    }

    mutating func takeIdleWaiter() -> CheckedContinuation<Void, Never>? {
      guard closing, !draining, reads == 0, pending.isEmpty else { return nil }
      defer { idle = nil }
      return idle
    }
  }

  private let pool: DatabasePool
  private let options: SQLiteStore.Options
  private let onFatal: @Sendable (StorageError) -> Never
  private let state = Mutex(State())

  init(
    pool: DatabasePool, options: SQLiteStore.Options,
    onFatal: @escaping @Sendable (StorageError) -> Never
  ) {
    self.pool = pool
    self.options = options
    self.onFatal = onFatal
  }

  var statistics: StoreStatistics {
    state.withLock { state in
      var copy = state.statistics
      copy.queued = state.pending.count
      return copy
    }
  }

  // MARK: Entry

  /// Queues a body and waits until it is durable or has failed.
  func write<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      let job = WriteJob(
        run: { transaction in
          let value = try body(transaction)
          return { continuation.resume(returning: value) }
        },
        fail: { continuation.resume(throwing: $0) })
      if let refusal = enqueue(job) { continuation.resume(throwing: refusal) }
    }
  }

  /// Runs `body` in a read transaction on a reading connection.
  func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
    guard state.withLock({ $0.admitRead() }) else { throw StorageError.closed }
    defer {
      state.withLock { state in
        state.reads -= 1
        return state.takeIdleWaiter()
      }?.resume()
    }
    return try await withCheckedThrowingContinuation { continuation in
      pool.asyncRead { opened in
        switch opened {
        case .success(let db): continuation.resume(with: Result { try body(db) })
        case .failure(let error): continuation.resume(throwing: StorageError(engine: error))
        }
      }
    }
  }

  /// Refuses new work, waits for the old, and copies the log back into the file.
  /// - Returns: false if this was done before.
  func finish() async -> Bool {
    let first = state.withLock { state in
      defer { state.closing = true }
      return !state.closing
    }
    guard first else { return false }
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.idle = continuation
        return state.takeIdleWaiter()
      }?.resume()
    }
    await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { [self] db in
        checkpoint(db, .truncate)
        continuation.resume()
      }
    }
    return true
  }

  // MARK: The writer

  private func enqueue(_ job: WriteJob) -> StorageError? {
    let refusal: StorageError?
    let start: Bool
    (refusal, start) = state.withLock { state in
      if state.closing { return (.closed, false) }
      guard state.pending.count < options.maxQueued else {
        state.statistics.refused += 1
        return (.overloaded, false)
      }
      state.pending.append(job)
      defer { state.draining = true }
      return (nil, !state.draining)
    }
    if start { pool.asyncWriteWithoutTransaction { [self] db in drain(db) } }
    return refusal
  }

  private func drain(_ db: Database) {
    while let batch = nextBatch() {
      var rest = batch[...]
      while !rest.isEmpty { rest = commit(rest, db) }
      checkpointIfDue(db)
    }
  }

  private func nextBatch() -> [WriteJob]? {
    let (batch, waiter) = state.withLock { state in
      let batch = Array(state.pending.prefix(max(1, options.maxBatch)))
      state.pending.removeFirst(batch.count)
      if batch.isEmpty { state.draining = false }
      return (batch, state.takeIdleWaiter())
    }
    waiter?.resume()
    return batch.isEmpty ? nil : batch
  }

  /// Runs the jobs in one transaction and tells their callers.
  /// - Returns: those that did not run because the transaction was lost before.
  private func commit(_ jobs: ArraySlice<WriteJob>, _ db: Database) -> ArraySlice<WriteJob> {
    var completions: [WriteJob.Completion] = []
    var committed = 0
    var reached = jobs.startIndex
    var debt = 3
    do {
      let changesBefore = db.totalChangesCount
      try db.beginTransaction(.immediate)
      for job in jobs {
        reached += 1
        let ran = try runInSavepoint(job, db)
        completions.append(ran.completion)
        committed += ran.succeeded ? 1 : 0
        debt += ran.boundBytes / 4096
      }
      try db.commit()
      debt += db.totalChangesCount - changesBefore
    } catch {
      return abandon(jobs, reached: reached, db, because: StorageError(engine: error))
    }
    state.withLock { [debt, committed] state in
      state.statistics.commits += 1
      state.statistics.committedBodies += committed
      state.statistics.failedBodies += jobs.count - committed
      state.statistics.largestBatch = max(state.statistics.largestBatch, jobs.count)
      state.debt += debt
    }
    for completion in completions { completion() }
    return []
  }

  /// Ends a transaction that can't be committed. Nothing of it was promised to anybody.
  private func abandon(
    _ jobs: ArraySlice<WriteJob>, reached: Int, _ db: Database, because cause: StorageError
  ) -> ArraySlice<WriteJob> {
    if case .ioFailure = cause { onFatal(cause) }
    do {
      try db.rollback()
    } catch {
      // The connection would be stuck in a transaction that nobody may commit.
      onFatal(StorageError(engine: error))
    }
    // A BEGIN that failed reached nobody: all of them share its error.
    let failed = reached == jobs.startIndex ? jobs : jobs[..<reached]
    state.withLock { $0.statistics.failedBodies += failed.count }
    for job in failed { job.fail(cause) }
    return jobs[failed.endIndex...]
  }

  /// Runs one body in its savepoint.
  /// - Throws: only what ends the whole transaction.
  private func runInSavepoint(
    _ job: WriteJob, _ db: Database
  ) throws -> (completion: WriteJob.Completion, succeeded: Bool, boundBytes: Int) {
    try db.cachedStatement(sql: "SAVEPOINT body").execute()
    let transaction = SQLiteTransaction(db, writable: true)
    defer { transaction.end() }
    do {
      let completion = try job.run(transaction)
      if let failure = transaction.failure { throw failure }
      try db.cachedStatement(sql: "RELEASE body").execute()
      return (completion, true, transaction.boundBytes)
    } catch {
      if let failure = transaction.failure, failure.isOfTheDisk { throw failure }
      guard db.isInsideTransaction else { throw transaction.failure ?? StorageError(engine: error) }
      try db.cachedStatement(sql: "ROLLBACK TO body").execute()
      try db.cachedStatement(sql: "RELEASE body").execute()
      return ({ job.fail(error) }, false, 0)
    }
  }

  // MARK: Checkpoints

  private func checkpointIfDue(_ db: Database) {
    guard state.withLock({ $0.debt >= options.checkpointPages }) else { return }
    checkpoint(db, .passive)
  }

  /// Copies the log back. A reader in the way, or a full disk, leaves the log as it is, for another time.
  private func checkpoint(_ db: Database, _ mode: Database.CheckpointMode) {
    do {
      let frames = try db.checkpoint(mode)
      // Passive gives way to readers for ever; a log that has grown far makes them wait for once.
      if mode == .passive, frames.walFrameCount > 16 * options.checkpointPages {
        try db.checkpoint(.restart)
      }
      state.withLock { $0.statistics.checkpoints += 1 }
    } catch {
      let cause = StorageError(engine: error)
      if case .ioFailure = cause { onFatal(cause) }
    }
    state.withLock { $0.debt = 0 }
  }
}

extension StorageError {
  /// Whether it leaves no trust in what the transaction wrote before.
  fileprivate var isOfTheDisk: Bool {
    if case .ioFailure = self { return true }
    return false
  }
}
