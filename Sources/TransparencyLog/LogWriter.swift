// The sequencer's durable steps, over any storage: what LogSequencer says is done, in its order.

public import Messages

/// Where a log is kept. One process at a time writes; a storage that cannot make sure of that loses the swap.
public protocol LogStorage {
  /// The durable head; nil if there was never one.
  func head() throws -> LogHead?
  /// An object, as it is on the disk.
  func object(_ path: String) throws -> [UInt8]?
  /// Makes the objects durable, and then, if the head is still `from` (the empty one where there is none),
  /// the head `to`. Objects that are there already under a name are written again: no head needs them.
  /// - Returns: false, with no change of the head, if it is another.
  mutating func store(_ objects: [LogObject], from: LogHead, to: LogHead) throws -> Bool
  /// The checkpoint that was published last.
  func checkpoint() throws -> [UInt8]?
  /// Makes the checkpoint durable and readable, at once instead of the one before.
  mutating func publish(_ note: [UInt8]) throws
  /// Removes what stands under these names' prefixes. What is left over does no harm.
  mutating func discard(_ prefixes: [String]) throws
}

/// A log that is written to.
public struct LogWriter<Storage: LogStorage> {
  /// Signs a head, and has it cosigned: the whole note.
  public typealias Signer = (LogHead) throws -> [UInt8]

  /// Where it is kept.
  public private(set) var storage: Storage
  private var sequencer: LogSequencer
  private let sign: Signer

  /// Opens a log.
  /// - Parameters:
  ///   - key: the log's, which has signed the checkpoint that the storage has published.
  ///   - seen: heads that others have seen, as witnesses say.
  ///   - isNew: makes a log where there was none.
  public init(
    opening storage: Storage, key: NoteKey, seen: [LogHead] = [], isNew: Bool = false,
    sign: @escaping Signer
  ) throws {
    var all = seen
    if let note = try storage.checkpoint() {
      let checkpoint = try Checkpoint(text: key.verified(note).text)
      all.append(LogHead(size: checkpoint.size, root: checkpoint.root))
    }
    (self.storage, self.sign) = (storage, sign)
    sequencer = try LogOpening(seen: all).open(head: storage.head(), isNew: isNew, reading: storage.object)
  }

  /// The head of all that was appended.
  public var head: LogHead { sequencer.head }
  /// Its size.
  public var size: UInt64 { sequencer.size }

  /// The tree as it is now.
  public var tree: LogTree { LogTree(size: size, reading: storage.object) }

  /// Appends entries, and returns when a checkpoint over them is published.
  /// - Throws: ``LogFault``, or what the storage or the signer threw; then the log is to be opened anew.
  public mutating func append(_ entries: [[UInt8]]) throws {
    var effects = sequencer.appended(entries)
    while !effects.isEmpty { effects += try carryOut(effects.removeFirst()) }
  }

  /// Publishes the durable head again: after a crash between the two, or to have it cosigned anew.
  public mutating func publishAgain() throws { try storage.publish(sign(head)) }

  private mutating func carryOut(_ effect: LogEffect) throws -> [LogEffect] {
    do {
      switch effect {
      case .store(let batch):
        return sequencer.stored(
          swapped: try storage.store(batch.objects, from: batch.from, to: batch.to))
      case .reread(let paths):
        return sequencer.reread(
          try paths.compactMap { path in try storage.object(path).map { LogObject(path, $0) } })
      case .sign(let head): return sequencer.signed(try sign(head))
      case .publish(let note):
        try storage.publish(note)
        return sequencer.published()
      case .discard(let prefixes):
        try storage.discard(prefixes)
        return []
      case .stop(let fault): throw fault
      }
    } catch {
      // What a failed step has left behind, only a new opening can say.
      if sequencer.fault == nil { _ = sequencer.failed(.storageFailed) }
      throw error
    }
  }
}
