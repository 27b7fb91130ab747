// A store: where a party keeps everything it must not forget.
//
// Invariants: `write` returns only once its effects would survive a power cut; the bodies of concurrent
// writes never see half of one another; a body that throws leaves no trace. An error, too, is reported only
// once whatever the body had read is durable, so nobody acts on a state that a crash could take back.

/// A party's durable memory, on whichever engine. Safe to use from any task.
public protocol Store: Sendable {
  /// Runs `body` in a transaction of its own and returns its value once the effects are durable.
  ///
  /// Concurrent writes share one commit. The body runs exactly once, on the store's writer, and must not
  /// block or wait: everyone queues behind it. What it throws is rolled back and thrown to the caller.
  /// Cancelling the calling task does not undo a write.
  /// - Throws: what `body` threw, or ``StorageError``: `.overloaded` and `.closed` before the body ran,
  ///   `.busy`, `.diskFull` and `.engine` with nothing of the body kept.
  func write<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T

  /// Runs `body` on one consistent snapshot of what is durable now; changes are refused with `.readOnly`.
  ///
  /// Reads run beside the writer and beside one another. A long one delays the engine's housekeeping: page
  /// with `limit` instead.
  /// - Throws: what `body` threw, or ``StorageError``.
  func read<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T

  /// Audits the store: the engine's structures, references between rows, and the ledger's sums.
  /// - Returns: one line for each fault found; empty when all is well.
  func check() async throws -> [String]

  /// Counts since the store was opened.
  var statistics: StoreStatistics { get }

  /// Lets queued writes and running reads finish, then closes. Later calls throw `.closed`; closing twice
  /// is harmless.
  func close() async throws
}

/// What a store has done since it was opened: how well writes are grouped, and how full the queue is.
public struct StoreStatistics: Sendable, Equatable {
  /// Durable commits; each costs one synchronisation of the disk.
  public internal(set) var commits = 0
  /// Write bodies whose effects those commits made durable.
  public internal(set) var committedBodies = 0
  /// Write bodies that threw, or that were rolled back with their batch.
  public internal(set) var failedBodies = 0
  /// Most bodies that shared a commit.
  public internal(set) var largestBatch = 0
  /// Writes refused with `.overloaded`.
  public internal(set) var refused = 0
  /// Times the write-ahead log was copied back into the main file.
  public internal(set) var checkpoints = 0
  /// Writes waiting now.
  public internal(set) var queued = 0

  /// All zero.
  public init() {}
}
