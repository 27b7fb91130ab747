// Which bytes of goods belong to which run of chunks, and the room for a batch of runs.

import Messages

/// How goods of one length are cut up.
struct GoodsPlan {
  /// Bytes of goods in a full run.
  static let runBytes = GoodsCrew.run * Goods.chunkSize
  /// Bytes of a full run's leaf hashes.
  static let runLeafBytes = GoodsCrew.run * Hash.size

  /// One run.
  struct Run {
    /// The first chunk's number, and how many there are.
    let first: UInt64
    let chunks: Int
    let plainOffset: UInt64
    let plainCount: Int

    var plainEnd: UInt64 { plainOffset + UInt64(plainCount) }
    var sealedOffset: UInt64 { UInt64(Goods.headerSize) + first * UInt64(Goods.sealedChunkSize) }
    var sealedCount: Int { plainCount + chunks * (Goods.sealedChunkSize - Goods.chunkSize) }
    var leafBytes: Int { chunks * Hash.size }
  }

  private let length: UInt64
  private let batch: Int
  private let runs: Int

  /// Goods of `length` bytes; `batch` runs at a time.
  init(length: UInt64, batch: Int) {
    // At most 2^34 chunks (docs/SPEC.md, "Goods"). The last one is not full, and perhaps empty.
    let chunks = Int(length / UInt64(Goods.chunkSize)) + 1
    runs = (chunks + GoodsCrew.run - 1) / GoodsCrew.run
    (self.length, self.batch) = (length, batch)
  }

  /// The runs, a batch at a time; at least one.
  var batches: some Sequence<Range<Int>> {
    stride(from: 0, to: runs, by: batch).lazy.map { [runs, batch] in $0..<min($0 + batch, runs) }
  }

  /// Runs in the largest batch.
  var batchRuns: Int { min(batch, runs) }

  /// The run of this number.
  func run(_ index: Int) -> Run {
    let offset = UInt64(index) * UInt64(Self.runBytes)
    let count = Int(min(length - offset, UInt64(Self.runBytes)))
    return Run(
      first: UInt64(index) * UInt64(GoodsCrew.run), chunks: min(GoodsCrew.run, count / Goods.chunkSize + 1),
      plainOffset: offset, plainCount: count)
  }
}

/// The leaf hashes of one batch and, where a digest is taken of them, its goods in the clear: wiped at the
/// end.
final class GoodsBatch {
  private let plan: GoodsPlan
  private let plain: UnsafeMutableRawBufferPointer
  private let leaves: UnsafeMutableRawBufferPointer
  /// None before the first batch.
  private var runs = 0..<0

  init(_ plan: GoodsPlan, keeping: Bool) {
    self.plan = plan
    plain = .allocate(byteCount: keeping ? plan.batchRuns * GoodsPlan.runBytes : 0, alignment: 64)
    leaves = .allocate(byteCount: plan.batchRuns * GoodsPlan.runLeafBytes, alignment: 64)
  }

  deinit {
    plain.wipe()
    plain.deallocate()
    leaves.deallocate()
  }

  /// Takes these runs from now on.
  func begin(_ runs: Range<Int>) { self.runs = runs }

  /// Where a run's leaf hashes go.
  func leaves(of run: GoodsPlan.Run) -> UnsafeMutableRawBufferPointer {
    leaves.part(place(run) * GoodsPlan.runLeafBytes, run.leafBytes)
  }

  /// Where a run's goods go, if they are kept.
  func plain(of run: GoodsPlan.Run) -> UnsafeMutableRawBufferPointer? {
    plain.count == 0 ? nil : plain.part(place(run) * GoodsPlan.runBytes, run.plainCount)
  }

  private func place(_ run: GoodsPlan.Run) -> Int { Int(run.first) / GoodsCrew.run - runs.lowerBound }

  /// Hands leaf hashes and goods on, once all runs are done. All runs but the last are full.
  func finish(_ tree: inout GoodsTree, _ hasher: BulkHasher?) throws {
    guard let last = runs.last.map(plan.run) else { return }
    let leafBytes = (runs.count - 1) * GoodsPlan.runLeafBytes + last.leafBytes
    try tree.append(leaves: UnsafeRawBufferPointer(leaves.part(0, leafBytes)))
    let plainBytes = (runs.count - 1) * GoodsPlan.runBytes + last.plainCount
    hasher?.update(UnsafeRawBufferPointer(plain.part(0, plainBytes)))
  }
}
