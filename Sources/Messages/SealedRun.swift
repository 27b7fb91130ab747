// Room for a run of sealed chunks (acd/goods.h, "Runs"): between them stand bytes that are not the goods',
// where the core puts what is hashed ahead of each chunk. Files are written from it and read into it by its
// pieces, so nothing is copied.

internal import CCore

/// A run of sealed chunks in memory that its maker lends.
public struct SealedRun: @unchecked Sendable {  // its user sees to it that one thread at a time uses it
  /// How many chunks a run can have.
  public static let most = Int(ACD_GOODS_RUN_MAX)

  /// How many bytes of room so many chunks take.
  public static func room(chunks: Int) -> Int {
    Int(ACD_GOODS_RUN_AHEAD) + chunks * Int(ACD_GOODS_RUN_STRIDE)
  }

  /// How many chunks there are in so many sealed bytes; at least one.
  public static func chunks(in count: Int) -> Int {
    max(1, (count + Goods.sealedChunkSize - 1) / Goods.sealedChunkSize)
  }

  private let room: UnsafeMutableRawBufferPointer

  /// How many chunks fit into it.
  let chunks: Int

  var base: UnsafeMutablePointer<UInt8> { room.baseAddress!.assumingMemoryBound(to: UInt8.self) }

  /// Takes `room`, of `room(chunks:)` bytes, best aligned to 64; it stays the caller's.
  public init(_ room: UnsafeMutableRawBufferPointer) {
    chunks = (room.count - Int(ACD_GOODS_RUN_AHEAD)) / Int(ACD_GOODS_RUN_STRIDE)
    precondition(chunks > 0 && chunks <= Self.most)
    self.room = room
  }

  /// The first `count` sealed bytes, as they follow each other in the goods: one piece for each chunk.
  public func pieces(_ count: Int) -> [UnsafeMutableRawBufferPointer] {
    precondition(count <= chunks * Goods.sealedChunkSize)
    return (0..<Self.chunks(in: count)).map { index in
      let start = Int(ACD_GOODS_RUN_AHEAD) + index * Int(ACD_GOODS_RUN_STRIDE)
      let bytes = min(Goods.sealedChunkSize, count - index * Goods.sealedChunkSize)
      return UnsafeMutableRawBufferPointer(rebasing: room[start..<start + bytes])
    }
  }
}
