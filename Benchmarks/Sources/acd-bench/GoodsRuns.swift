// Sealing, checking and opening one file: as the services do it, on one thread, and chunk by chunk on all
// cores.

import CCore
import Dispatch
import Messages

struct GoodsRuns {
  let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!
  let key = [UInt8](repeating: 0x6b, count: 32)
  let salt = [UInt8](repeating: 0x5a, count: Goods.saltSize)

  /// Calls `body` with each block of the file.
  private func eachBlock(
    of path: String, size: Int, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    let file = File(reading: path)
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { block.deallocate() }
    while true {
      let count = file.fill(block)
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: block[..<count]))
    }
  }

  // MARK: Streams, one thread

  func seal(_ path: String, to target: String = "/dev/null") throws -> (root: Hash, length: UInt64) {
    let out = File(writing: target)
    var stream = try GoodsStream(sealing: key, n: n, salt: salt, engine: .bulk)
    try eachBlock(of: path, size: 1 << 20) { out.put(try stream.update($0)) }
    let (tail, root, length) = try stream.finish()
    out.put(tail)
    return (root, length)
  }

  func check(_ path: String) throws -> Hash {
    var stream = GoodsStream(checking: .bulk)
    try eachBlock(of: path, size: 1 << 20) { _ = try stream.update($0) }
    return try stream.finish().root
  }

  func open(_ path: String, root: Hash, length: UInt64) throws {
    let out = File(writing: "/dev/null")
    var stream = try GoodsStream(opening: key, n: n, engine: .bulk)
    try eachBlock(of: path, size: 1 << 20) { out.put(try stream.update($0)) }
    out.put(try stream.finish(root: root, length: length))
  }

  // MARK: Chunks, all cores

  /// Chunks sealed at a time: few enough to stay in the processor's cache.
  private static let batch = 256
  /// Chunks that one thread takes in a row.
  private static let run = 16

  /// Seals with every core; `length` bytes of goods. The result is that of `seal`.
  func sealParallel(_ path: String, length: UInt64) throws -> Hash {
    var keys = acd_goods_keys()
    expect(acd_goods_keys_init(&keys, key, n.bytes, salt) == ACD_OK, "keys")
    var tree = acd_merkle()
    acd_merkle_init(&tree, bulkEngine)
    let out = File(writing: "/dev/null")
    withUnsafeBytes(of: keys.header) { header in
      expect(acd_merkle_append(&tree, header.baseAddress, header.count) == ACD_OK, "header")
      out.put(header)
    }
    var first: UInt64 = 0
    let (plainSize, sealedSize) = (Goods.chunkSize, Goods.sealedChunkSize)
    let work = Work(sealedBytes: Self.batch * sealedSize, leaves: Self.batch)
    eachBlock(of: path, size: Self.batch * plainSize) { block in
      let full = block.count / plainSize
      let chunks = block.count % plainSize == 0 ? full : full + 1
      work.seal(block, chunks: chunks, first: first, keys: keys, run: Self.run)
      work.append(chunks, to: &tree)
      out.put(UnsafeRawBufferPointer(rebasing: work.sealed[..<(block.count + chunks * 16)]))
      first += UInt64(chunks)
    }
    if length % UInt64(plainSize) == 0 {  // the last chunk is never full
      let nothing = UnsafeRawBufferPointer(rebasing: work.sealed[..<0])
      work.seal(nothing, chunks: 1, first: first, keys: keys, run: 1)
      work.append(1, to: &tree)
      out.put(UnsafeRawBufferPointer(rebasing: work.sealed[..<16]))
    }
    var root = [UInt8](repeating: 0, count: Hash.size)
    expect(acd_merkle_root(&tree, &root) == ACD_OK, "root")
    return Hash(root)!
  }
}

/// Room for one batch of sealed chunks and their leaf hashes.
private final class Work {
  let sealed: UnsafeMutableRawBufferPointer
  private let leaves: UnsafeMutablePointer<UInt8>

  init(sealedBytes: Int, leaves count: Int) {
    sealed = .allocate(byteCount: sealedBytes, alignment: 64)
    leaves = .allocate(capacity: count * Hash.size)
  }

  deinit {
    sealed.deallocate()
    leaves.deallocate()
  }

  func seal(
    _ plain: UnsafeRawBufferPointer, chunks: Int, first: UInt64, keys: acd_goods_keys, run: Int
  ) {
    // Each iteration writes its own chunks' bytes and leaves only.
    nonisolated(unsafe) let (out, leaves, input) = (sealed.baseAddress!, self.leaves, plain)
    DispatchQueue.concurrentPerform(iterations: (chunks + run - 1) / run) { part in
      var keys = keys
      for index in part * run..<min((part + 1) * run, chunks) {
        let start = index * Goods.chunkSize
        let count = min(Goods.chunkSize, input.count - start)
        let chunk = (out + index * Goods.sealedChunkSize).assumingMemoryBound(to: UInt8.self)
        let source = input.baseAddress.map { ($0 + start).assumingMemoryBound(to: UInt8.self) }
        let sealed = acd_goods_seal_chunk(&keys, chunk, source, count, first + UInt64(index))
        expect(sealed == ACD_OK, "seal")
        let hashed = acd_merkle_leaf_hash(leaves + index * Hash.size, bulkEngine, chunk, count + 16)
        expect(hashed == ACD_OK, "leaf")
      }
    }
  }

  func append(_ count: Int, to tree: inout acd_merkle) {
    for index in 0..<count {
      expect(acd_merkle_append_hash(&tree, leaves + index * Hash.size) == ACD_OK, "append")
    }
  }
}
