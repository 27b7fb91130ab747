// Goods as streams and chunk by chunk: any boundary of input gives the same bytes, and no cut or change gets
// through.

import Messages
import Testing

@Suite("Sealed goods")
struct GoodsTests {
  private static let key = filled(0x6b)
  private static let n = TransactionID(filled(0x4e, 16))!

  /// Bytes that differ from place to place.
  private static func plain(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  private static func feed(_ stream: inout GoodsStream, _ bytes: [UInt8], by step: Int) throws -> [UInt8] {
    var out: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let end = min(start + step, bytes.count)
      try bytes[start..<end].withUnsafeBytes { out += try stream.update($0) }
      start = end
    }
    return out
  }

  private static func seal(
    _ plain: [UInt8], by step: Int
  ) throws -> (sealed: [UInt8], root: Hash, length: UInt64) {
    var stream = try GoodsStream(sealing: key, n: n, salt: filled(0x53, 24))
    let body = try feed(&stream, plain, by: step)
    let (tail, root, length) = try stream.finish()
    return (body + tail, root, length)
  }

  private static func open(
    _ sealed: [UInt8], root: Hash, length: UInt64, by step: Int, key: [UInt8] = key, n: TransactionID = n
  ) throws -> [UInt8] {
    var stream = try GoodsStream(opening: key, n: n)
    let body = try feed(&stream, sealed, by: step)
    return try body + stream.finish(root: root, length: length)
  }

  private static func check(_ sealed: [UInt8], by step: Int) throws -> (root: Hash, length: UInt64) {
    var stream = GoodsStream(checking: .sodium)
    _ = try feed(&stream, sealed, by: step)
    let (_, root, length) = try stream.finish()
    return (root, length)
  }

  @Test(
    "goods of any length come back, whatever the pieces they arrive in",
    arguments: [0, 1, 16_383, 16_384, 16_385, 32_768, 50_001])
  func roundTrip(count: Int) throws {
    let plain = Self.plain(count)
    let whole = try Self.seal(plain, by: 1 << 20)
    #expect(UInt64(whole.sealed.count) == whole.length)
    #expect(Goods.sealedLength(of: UInt64(count)) == whole.length)
    #expect(try Goods.length(sealed: whole.length) == UInt64(count))
    for step in [7, 55, 57, 4099, 16_384, 16_399, 16_400, 16_401, 40_000] {
      let pieces = try Self.seal(plain, by: step)
      #expect(pieces.sealed == whole.sealed)
      #expect(pieces.root == whole.root)
      let checked = try Self.check(whole.sealed, by: step)
      #expect(checked.root == whole.root)
      #expect(checked.length == whole.length)
      #expect(try Self.open(whole.sealed, root: whole.root, length: whole.length, by: step) == plain)
    }
  }

  @Test("goods that were cut off do not open")
  func truncated() throws {
    let whole = try Self.seal(Self.plain(40_000), by: 1 << 20)
    for count in [0, 1, 23, 55, 56, 57, 72, 16_455, 16_456, 32_856, whole.sealed.count - 1] {
      let cut = Array(whole.sealed.prefix(count))
      #expect(throws: MessageError.self) {
        try Self.open(cut, root: whole.root, length: whole.length, by: 1000)
      }
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed + [0], root: whole.root, length: whole.length, by: 1000)
    }
  }

  @Test("goods with a changed byte do not open, and have another root")
  func changed() throws {
    let whole = try Self.seal(Self.plain(40_000), by: 1 << 20)
    for index in [0, 24, 55, 56, 16_455, 16_456, 20_000, whole.sealed.count - 1] {
      var damaged = whole.sealed
      damaged[index] ^= 1
      #expect(try Self.check(damaged, by: 999).root != whole.root)
      #expect(throws: MessageError.self) {
        try Self.open(damaged, root: whole.root, length: whole.length, by: 999)
      }
    }
  }

  @Test("goods do not open with another key, for another transaction, or under another root or length")
  func foreign() throws {
    let whole = try Self.seal(Self.plain(100), by: 100)
    let (root, length) = (whole.root, whole.length)
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length, by: 64, key: filled(1))
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length, by: 64, n: TransactionID(filled(1, 16))!)
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: digest(1), length: length, by: 64)
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length + 1, by: 64)
    }
  }

  @Test("a length that no goods have is refused", arguments: [0, 55, 56, 71, 16_456, 16_471, UInt64.max])
  func impossible(length: UInt64) {
    #expect(refusal { () throws(MessageError) in try Goods.length(sealed: length) } != nil)
  }

  // MARK: Chunk by chunk

  /// Lends room for a run of so many chunks.
  private static func withRun<T>(of chunks: Int, _ body: (SealedRun) throws -> T) rethrows -> T {
    let room = UnsafeMutableRawBufferPointer.allocate(
      byteCount: SealedRun.room(chunks: chunks), alignment: 64)
    defer { room.deallocate() }
    return try body(SealedRun(room))
  }

  /// Seals runs of `run` chunks, the last one first.
  private static func sealInRuns(_ plain: [UInt8], run: Int) throws -> (sealed: [UInt8], root: Hash) {
    let chunks = try GoodsChunks(sealing: key, n: n, salt: filled(0x53, 24))
    let count = plain.count / Goods.chunkSize + 1
    var sealed = [UInt8](repeating: 0, count: Int(Goods.sealedLength(of: UInt64(plain.count))))
    sealed.replaceSubrange(..<Goods.headerSize, with: chunks.header)
    var leaves = [UInt8](repeating: 0, count: count * Hash.size)
    for first in stride(from: 0, to: count, by: run).reversed() {
      let end = min(first + run, count)
      let part = Array(plain[(first * Goods.chunkSize)..<min(end * Goods.chunkSize, plain.count)])
      try withRun(of: run) { room in
        let written = try part.withUnsafeBytes { plain in
          try leaves.withUnsafeMutableBytes { leaves in
            try chunks.seal(
              plain, chunks: end - first, first: UInt64(first), to: room,
              leaves: .init(rebasing: leaves[(first * Hash.size)...]))
          }
        }
        #expect(written == part.count + (end - first) * 16)
        let start = Goods.headerSize + first * Goods.sealedChunkSize
        sealed.replaceSubrange(start..<start + written, with: room.pieces(written).joined())
      }
    }
    var tree = try GoodsTree(header: chunks.header)
    try leaves.withUnsafeBytes { try tree.append(leaves: $0) }
    return (sealed, try tree.root())
  }

  /// Opens all chunks as one run.
  private static func openChunks(
    _ sealed: [UInt8], key: [UInt8] = key, first: UInt64 = 0
  ) throws -> (plain: [UInt8], root: Hash) {
    let header = Array(sealed[..<Goods.headerSize])
    let body = Array(sealed[Goods.headerSize...])
    let chunks = try GoodsChunks(opening: key, n: n, header: header)
    var plain = [UInt8](repeating: 0xee, count: body.count)
    var leaves = [UInt8](repeating: 0, count: (body.count / Goods.sealedChunkSize + 1) * Hash.size)
    let count = try withRun(of: SealedRun.chunks(in: body.count)) { room in
      var rest = body[...]
      for piece in room.pieces(body.count) {
        piece.copyBytes(from: rest.prefix(piece.count))
        rest = rest.dropFirst(piece.count)
      }
      return try plain.withUnsafeMutableBytes { plain in
        try leaves.withUnsafeMutableBytes {
          try chunks.open(room, count: body.count, first: first, to: plain, leaves: $0)
        }
      }
    }
    var tree = try GoodsTree(header: header)
    try leaves.withUnsafeBytes { try tree.append(leaves: $0) }
    return (Array(plain[..<count]), try tree.root())
  }

  @Test(
    "runs of chunks, sealed in any order, are the goods of the stream",
    arguments: [0, 1, 16_383, 16_384, 16_385, 32_768, 49_152, 50_001])
  func runs(count: Int) throws {
    let plain = Self.plain(count)
    let whole = try Self.seal(plain, by: 1 << 20)
    for run in [1, 2, 3, 16] {
      let runs = try Self.sealInRuns(plain, run: run)
      #expect(runs.sealed == whole.sealed)
      #expect(runs.root == whole.root)
    }
    let opened = try Self.openChunks(whole.sealed)
    #expect(opened.plain == plain)
    #expect(opened.root == whole.root)
  }

  @Test("a flipped bit in any chunk, a cut, another key or another place is refused chunk by chunk too")
  func changedRuns() throws {
    let sealed = try Self.seal(Self.plain(40_000), by: 1 << 20).sealed
    func refused(_ body: () throws -> Void) -> String? {
      do { try body() } catch let error as MessageError { return error.rule } catch {}
      return nil
    }
    for index in [0, 24, 55, 56, 16_455, 16_456, 20_000, 32_856, sealed.count - 1] {
      var damaged = sealed
      damaged[index] ^= 1
      #expect(refused { _ = try Self.openChunks(damaged) } == "authentication")
    }
    #expect(refused { _ = try Self.openChunks(Array(sealed.dropLast())) } == "authentication")
    #expect(refused { _ = try Self.openChunks(Array(sealed[..<(56 + 16_400 + 15)])) } == "truncated")
    #expect(refused { _ = try Self.openChunks(Array(sealed[..<56])) } == "truncated")
    #expect(refused { _ = try Self.openChunks(sealed, first: 1) } == "authentication")
    #expect(refused { _ = try Self.openChunks(sealed, key: filled(1)) } == "authentication")
  }
}
