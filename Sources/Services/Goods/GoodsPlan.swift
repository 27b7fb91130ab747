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

  /// Room for the leaf hashes of a batch.
  var leafBytes: Int { min(batch, runs) * Self.runLeafBytes }
  /// Room for the goods of a batch.
  var plainBytes: Int { min(batch, runs) * Self.runBytes }

  /// The run of this number.
  func run(_ index: Int) -> Run {
    let offset = UInt64(index) * UInt64(Self.runBytes)
    let count = Int(min(length - offset, UInt64(Self.runBytes)))
    return Run(
      first: UInt64(index) * UInt64(GoodsCrew.run), chunks: min(GoodsCrew.run, count / Goods.chunkSize + 1),
      plainOffset: offset, plainCount: count)
  }

  /// Bytes of the leaf hashes of these runs: all but the last run are full.
  func leafBytes(of batch: Range<Int>) -> Int {
    (batch.count - 1) * Self.runLeafBytes + run(batch.upperBound - 1).leafBytes
  }

  /// Bytes of the goods of these runs.
  func plainCount(of batch: Range<Int>) -> Int {
    (batch.count - 1) * Self.runBytes + run(batch.upperBound - 1).plainCount
  }
}

/// The goods of one batch, in the clear, and its leaf hashes. Wiped at the end.
final class GoodsBatch {
  let plain: UnsafeMutableRawBufferPointer
  let leaves: UnsafeMutableRawBufferPointer
  /// Bytes of goods in it.
  var count = 0
  /// Those goods.
  var opened: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: plain[..<count]) }

  init(_ plan: GoodsPlan) {
    plain = .allocate(byteCount: plan.plainBytes, alignment: 64)
    leaves = .allocate(byteCount: plan.leafBytes, alignment: 64)
  }

  deinit {
    plain.wipe()
    plain.deallocate()
    leaves.deallocate()
  }
}
