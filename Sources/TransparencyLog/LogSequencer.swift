// The sequencer: entries in, heads out, one after the other. A machine without I/O; LogWriter carries
// out what it says.
//
//          appended        stored         reread         signed            published
//   idle ───────────▶ storing ─────▶ reading ─────▶ signing ────▶ publishing ─────▶ idle, or storing,
//                        │ swap lost    │ differs                                   if more came
//                        ▼              ▼
//                     stopped        stopped
//
// Invariants: nothing is signed before its head is durable and its tiles, read back from the storage, hash to
// it; nothing is published before it is signed; of one size only one head is ever signed. What comes
// meanwhile is the next batch, so batches grow with the load and nobody waits for company. A stopped
// sequencer stays stopped.

public import Messages

/// What is made durable in one step.
public struct LogBatch: Equatable, Sendable {
  /// The head that the storage has to have.
  public let from: LogHead
  /// The head that it has afterwards.
  public let to: LogHead
  /// Tiles and bundles that `to` needs and `from` had not; durable before `to` is.
  public let objects: [LogObject]
  /// Partial tiles that both need. They are not written again: a torn write would hurt what is durable.
  public let kept: [LogObject]
  /// Where superseded partial objects stand: they may go once `to` is published.
  public let superseded: [String]
}

/// What a sequencer wants done.
public enum LogEffect: Equatable, Sendable {
  /// Make it durable, if the storage's head is still `from`.
  case store(LogBatch)
  /// Read these objects from the storage, not from memory.
  case reread([String])
  /// Sign this head, and have it cosigned.
  case sign(LogHead)
  /// Show this checkpoint to everybody.
  case publish([UInt8])
  /// Superseded partial objects may go.
  case discard([String])
  /// Something is wrong that only a person can judge. Write nothing more.
  case stop(LogFault)
}

/// Where entries get their places in the tree.
public struct LogSequencer: Sendable {
  private enum Phase: Sendable {
    case idle
    case storing(LogBatch)
    case reading(LogBatch)
    case signing(LogBatch)
    case publishing(LogBatch)
    case stopped(LogFault)
  }

  /// Most entries of a batch; what is beyond waits for the next.
  public static let batchMax = 4096

  private var phase = Phase.idle
  private var edge: RightEdge
  private var waiting: [[UInt8]] = []

  /// Goes on behind what the storage has: ``LogOpening`` has checked it.
  init(edge: RightEdge) { self.edge = edge }

  /// The last durable head, and the one on its way.
  public var head: LogHead { edge.head }
  /// The head's size, for which no root has to be computed.
  public var size: UInt64 { edge.size }
  /// How many entries wait for a batch.
  public var backlog: Int { waiting.count }
  /// Why it has stopped.
  public var fault: LogFault? { if case .stopped(let fault) = phase { fault } else { nil } }

  // MARK: Events

  /// Entries, in the order in which they stand in the log.
  public mutating func appended(_ entries: [[UInt8]]) -> [LogEffect] {
    if case .stopped(let fault) = phase { return [.stop(fault)] }
    if let long = entries.first(where: { $0.count > LogBundle.entryMax }) {
      return [.stop(.entryTooLong(long.count))]
    }
    waiting += entries
    guard case .idle = phase else { return [] }
    return next()
  }

  /// The batch is durable, or somebody else has moved the head.
  public mutating func stored(swapped: Bool) -> [LogEffect] {
    guard case .storing(let batch) = phase else { return unexpected() }
    guard swapped else { return stop(.swapLost) }
    phase = .reading(batch)
    return [.reread((batch.objects + batch.kept).map(\.path))]
  }

  /// What the storage gave for the objects that were asked for.
  public mutating func reread(_ objects: [LogObject]) -> [LogEffect] {
    guard case .reading(let batch) = phase else { return unexpected() }
    let found = Dictionary(objects.map { ($0.path, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    for object in batch.objects + batch.kept where found[object.path] != object.bytes {
      return stop(.readBack(path: object.path))
    }
    do {
      try LogCheck.batch(batch.from, batch.to) { found[$0] }
    } catch let fault as LogFault { return stop(fault) } catch {
      return stop(.otherTree(size: batch.to.size))
    }
    phase = .signing(batch)
    return [.sign(batch.to)]
  }

  /// The whole note of the head that was to be signed.
  public mutating func signed(_ note: [UInt8]) -> [LogEffect] {
    guard case .signing(let batch) = phase else { return unexpected() }
    phase = .publishing(batch)
    return [.publish(note)]
  }

  /// Everybody can read the checkpoint.
  public mutating func published() -> [LogEffect] {
    guard case .publishing(let batch) = phase else { return unexpected() }
    phase = .idle
    return (batch.superseded.isEmpty ? [] : [.discard(batch.superseded)]) + next()
  }

  /// The storage failed, or a witness contradicts: nothing more is written.
  public mutating func failed(_ fault: LogFault) -> [LogEffect] { stop(fault) }

  // MARK: Batches

  private mutating func next() -> [LogEffect] {
    guard !waiting.isEmpty else { return [] }
    let entries = Array(waiting.prefix(Self.batchMax))
    waiting.removeFirst(entries.count)
    let (from, before) = (edge.head, Set(edge.partials().map(\.path)))
    let full = edge.append(entries)
    let superseded = full.map { LogPath.partials(of: $0.path) }
    let partials = edge.partials()
    let batch = LogBatch(
      from: from, to: edge.head, objects: full + partials.filter { !before.contains($0.path) },
      kept: partials.filter { before.contains($0.path) }, superseded: superseded)
    phase = .storing(batch)
    return [.store(batch)]
  }

  private mutating func stop(_ fault: LogFault) -> [LogEffect] {
    if case .stopped(let earlier) = phase { return [.stop(earlier)] }
    phase = .stopped(fault)
    return [.stop(fault)]
  }

  private func unexpected() -> [LogEffect] {
    if case .stopped(let fault) = phase { return [.stop(fault)] }
    preconditionFailure("an event in the wrong phase: \(phase)")
  }
}
