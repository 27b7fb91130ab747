// Sealing and opening files of goods, on all cores, in constant memory. Each thread reads a run of chunks,
// seals or opens and hashes it, and writes it to its place; the leaf hashes go into the tree in order.
//
// Invariants: one pass over the data and no copies besides reading and writing; the bytes are those of
// GoodsStream; a file whose root is not the contract's fails as a whole.

import Foundation
public import Messages

/// What a sealing run comes to.
public struct SealedGoods: Equatable, Sendable {
  /// The tree's root over the ciphertext.
  public let root: Hash
  /// The ciphertext's length in bytes.
  public let length: UInt64
}

/// Goods in files.
public struct GoodsFiles: Sendable {
  /// Runs between two waits of all threads for each other: 64 MiB of goods. Only their leaf hashes are kept.
  var batch = 256
  /// The same where the goods are kept until their digest was taken: 4 MiB.
  var digestingBatch = 16

  private let engine: GoodsEngine
  private let threads: Int

  /// With the fastest engine on every core; both can be chosen otherwise. Memory: 9 MiB at most, and 0.7 MiB
  /// for each thread.
  public init(engine: GoodsEngine = .fastest, threads: Int? = nil) {
    (self.engine, self.threads) = (engine, threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  // MARK: Sealing

  /// Seals all of `source` under `key`, 32 secret bytes, for transaction n; `salt` is 24 fresh random bytes.
  public func seal(
    _ source: RawFile, to target: RawFile, key: [UInt8], n: TransactionID, salt: [UInt8]
  ) throws -> SealedGoods {
    let size = try source.size()
    guard Goods.sealedLength(of: size) > 0 else { throw MessageError(.capacity, "too-large", "goods") }
    let chunks = try GoodsChunks(sealing: key, n: n, salt: salt, engine: engine)
    var tree = try GoodsTree(header: chunks.header, engine: engine)
    try chunks.header.withUnsafeBytes { try target.write($0, at: 0) }
    try work(through: GoodsPlan(length: size, batch: batch), &tree) { run, room, batch in
      let plain = room.plain.part(0, run.plainCount)
      try source.read(plain, at: run.plainOffset)
      let sealed = try chunks.seal(
        UnsafeRawBufferPointer(plain), chunks: run.chunks, first: run.first, to: room.sealed,
        leaves: batch.leaves(of: run))
      try target.write(room.sealed.pieces(sealed), at: run.sealedOffset)
    }
    return SealedGoods(root: try tree.root(), length: Goods.sealedLength(of: size))
  }

  // MARK: Opening

  /// Opens `source`, the sealed goods of transaction n, and fails unless they have this root and length;
  /// only then may what was written be used. `progress` hears of plaintext bytes.
  /// - Returns: SHA-256 of the plaintext if `digesting`.
  public func open(
    _ source: RawFile, to target: RawFile, key: [UInt8], n: TransactionID, goods: SealedGoods,
    digesting: Bool, progress: (UInt64) -> Void = { _ in }
  ) throws -> Hash? {
    guard try source.size() == goods.length else { throw Self.notTheContracts }
    var header = [UInt8](repeating: 0, count: Goods.headerSize)
    try header.withUnsafeMutableBytes { try source.read($0, at: 0) }
    let chunks = try GoodsChunks(opening: key, n: n, header: header, engine: engine)
    var tree = try GoodsTree(header: header, engine: engine)
    let hasher = digesting ? BulkHasher() : nil
    let plan = GoodsPlan(
      length: try Goods.length(sealed: goods.length), batch: digesting ? digestingBatch : batch)
    try work(through: plan, &tree, hasher, progress: progress) { run, room, batch in
      try source.read(room.sealed.pieces(run.sealedCount), at: run.sealedOffset)
      let plain = batch.plain(of: run) ?? room.plain.part(0, run.plainCount)
      _ = try chunks.open(
        room.sealed, count: run.sealedCount, first: run.first, to: plain, leaves: batch.leaves(of: run))
      try target.write(UnsafeRawBufferPointer(plain), at: run.plainOffset)
    }
    guard try tree.root() == goods.root else { throw Self.notTheContracts }
    return hasher?.finish()
  }

  private static let notTheContracts = MessageError(.authentication, "authentication", "goods")

  /// Does `body` for every run, on all threads. What has to go in order, tree and digest, is one more job:
  /// for the batch before, while the others work on the next one.
  private func work(
    through plan: GoodsPlan, _ tree: inout GoodsTree, _ hasher: BulkHasher? = nil,
    progress: (UInt64) -> Void = { _ in }, _ body: (GoodsPlan.Run, GoodsRoom, GoodsBatch) throws -> Void
  ) throws {
    let crew = GoodsCrew(threads: threads)
    let keeping = hasher != nil
    var (next, before) = (GoodsBatch(plan, keeping: keeping), GoodsBatch(plan, keeping: keeping))
    for runs in plan.batches {
      next.begin(runs)
      try crew.perform(runs.count + 1) { job, room in
        if job == 0 {
          try before.finish(&tree, hasher)
        } else {
          try body(plan.run(runs.lowerBound + job - 1), room, next)
        }
      }
      swap(&next, &before)
      progress(plan.run(runs.upperBound - 1).plainEnd)
    }
    try before.finish(&tree, hasher)
  }

  // MARK: Hashing

  /// SHA-256 of a file in the clear.
  static func digest(_ source: RawFile) throws -> Hash {
    let hasher = BulkHasher()
    try eachBlock(of: source, upTo: source.size()) { hasher.update($0) }
    return hasher.finish()
  }

  /// Lends the first `end` bytes of a file, a block at a time.
  static func eachBlock(
    of source: RawFile, upTo end: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { block.deallocate() }
    for offset in stride(from: 0, to: end, by: block.count) {
      let part = block.part(0, Int(min(UInt64(block.count), end - offset)))
      try source.read(part, at: offset)
      try body(UnsafeRawBufferPointer(part))
    }
  }
}
