// The storage contract on a simulated disk: every write is one journal record, synchronised before `write`
// returns. The owner of the store hears of every boundary, where a crash may come.

public import Storage

/// Where a party may stop.
enum Boundary: String, CaseIterable, Codable {
  /// Nothing of the transaction is on the disk.
  case beforeWrite
  /// It was written, but not synchronised.
  case beforeSync
  /// It is durable, and nobody knows.
  case afterWrite
  /// About to send a request.
  case beforeSend
  /// A request is out.
  case afterSend
  /// About to answer.
  case beforeReply
  /// The answer is out.
  case afterReply
}

/// Who owns a store: hears of boundaries, and may stop there by throwing.
protocol StoreOwner: AnyObject, Sendable {
  /// Throws when the party is no more.
  func reached(_ boundary: Boundary) throws
  /// Throws when the party is no more.
  func checkAlive() throws
  /// Lets others come between, sometimes.
  func breathe() async
  /// A transaction is durable.
  func committed(_ mutations: [Mutation])
}

/// A store of one run of a party; the disk outlives it.
public final class SimulatedStore: Store, @unchecked Sendable {  // a run lives on one thread
  private weak var owner: (any StoreOwner)?
  private let disk: DiskBox
  let image: StoreImage
  private var isClosed = false
  /// A write that survived although its party stopped before it heard so.
  let survived: [Mutation]

  /// A store by itself, on a disk that keeps everything.
  public convenience init() { self.init(DiskBox(), owner: nil) }

  /// Recovers what the disk holds.
  init(_ disk: DiskBox, owner: (any StoreOwner)?) {
    (self.disk, self.owner) = (disk, owner)
    image = StoreImage()
    let payloads = disk.disk.recover()
    var last: [Mutation] = []
    for payload in payloads {
      var reader = JournalReader(payload)
      var mutations: [Mutation] = []
      while !reader.isAtEnd, let mutation = Mutation(from: &reader) { mutations.append(mutation) }
      for mutation in mutations { image.apply(mutation) }
      image.noteKept(mutations)
      last = mutations
    }
    survived = payloads.count > disk.told ? last : []
    disk.told = payloads.count
  }

  public func write<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T {
    await owner?.breathe()
    try owner?.checkAlive()
    if isClosed { throw StorageError.closed }
    let transaction = SimulatedTransaction(image, writable: true)
    let value: T
    do { value = try body(transaction) } catch {
      transaction.rollBack()
      throw error
    }
    transaction.end()
    guard !transaction.mutations.isEmpty else {
      image.commit()
      return value
    }
    try owner?.reached(.beforeWrite)
    var journal = JournalWriter()
    for mutation in transaction.mutations { mutation.write(to: &journal) }
    guard disk.disk.append(journal.bytes) else {
      transaction.rollBack()
      throw StorageError.diskFull
    }
    try owner?.reached(.beforeSync)
    disk.disk.synchronise()
    image.commit()
    disk.told += 1
    if disk.disk.pending.isEmpty { image.noteKept(transaction.mutations) }
    owner?.committed(transaction.mutations)
    try owner?.reached(.afterWrite)
    await owner?.breathe()
    try owner?.checkAlive()
    return value
  }

  public func read<T: Sendable>(
    _ body: @escaping @Sendable (any StoreTransaction) throws -> T
  ) async throws -> T {
    try owner?.checkAlive()
    if isClosed { throw StorageError.closed }
    let transaction = SimulatedTransaction(image, writable: false)
    defer { transaction.end() }
    return try body(transaction)
  }

  public func check() async throws -> [String] {
    if isClosed { throw StorageError.closed }
    var faults: [String] = []
    for total in try await read({ try $0.ledgerTotals() }) where total.sum != 0 {
      faults.append("the accounts in \(total.currency) sum to \(total.sum)")
    }
    return faults
  }

  public var statistics: StoreStatistics { StoreStatistics() }

  public func close() async throws { isClosed = true }
}

/// A disk by reference: the store and the party share it.
final class DiskBox: @unchecked Sendable {  // a run lives on one thread
  var disk = Disk()
  /// How many transactions its owner was told of.
  var told = 0

  init() {}
}
