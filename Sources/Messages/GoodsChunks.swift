// Goods run by run, for many threads: crossing into acd/goods.h and acd/merkle.h. Runs of chunks are sealed
// or opened in any order, each with its chunks' leaf hashes; the tree takes the leaf hashes in order.
// No I/O, no threads of its own, no memory per chunk: the caller lends all buffers.
//
// Invariants: what a run releases has been authenticated; the ciphertext as a whole is the contract's only
// once the tree's root and the length are compared with it.

internal import CCore

/// The keys of one sale's goods. Any number of threads may use it at once.
public final class GoodsChunks: @unchecked Sendable {  // never written after init
  private let keys: UnsafeMutablePointer<acd_goods_keys>
  private let engine: GoodsEngine

  private init(_ engine: GoodsEngine) {
    precondition(Core.isReady)
    keys = .allocate(capacity: 1)
    keys.initialize(to: acd_goods_keys())
    self.engine = engine
  }

  deinit {
    acd_wipe(keys, MemoryLayout<acd_goods_keys>.size)
    keys.deallocate()
  }

  /// For sealing under `key`, 32 secret bytes, for transaction n; `salt` is 24 fresh random bytes.
  public convenience init(
    sealing key: [UInt8], n: TransactionID, salt: [UInt8], engine: GoodsEngine = .sodium
  ) throws(MessageError) {
    precondition(key.count == 32 && salt.count == Goods.saltSize)
    self.init(engine)
    try check(acd_goods_keys_init(keys, key, n.bytes, salt), "goods")
  }

  /// For opening with `key`, for transaction n; fails with rule "authentication" unless the sealed goods'
  /// `header` commits to them.
  public convenience init(
    opening key: [UInt8], n: TransactionID, header: [UInt8], engine: GoodsEngine = .sodium
  ) throws(MessageError) {
    precondition(key.count == 32 && header.count == Goods.headerSize)
    self.init(engine)
    try check(acd_goods_keys_open(keys, key, n.bytes, header), "goods")
  }

  /// The bytes before the first chunk.
  public var header: [UInt8] { withUnsafeBytes(of: keys.pointee.header) { Array($0) } }

  /// Seals so many consecutive chunks, at most `SealedRun.most`, the first of them chunk `first`, from
  /// `plain` to `sealed`, and writes their leaf hashes. All are full but perhaps the last of them, which then
  /// is the goods' last chunk; that one is empty where the goods end with a full chunk.
  /// - Returns: how many bytes were sealed: 16 more for each chunk than `plain` has.
  public func seal(
    _ plain: UnsafeRawBufferPointer, chunks: Int, first: UInt64, to sealed: SealedRun,
    leaves: UnsafeMutableRawBufferPointer
  ) throws(MessageError) -> Int {
    precondition(chunks > 0 && chunks <= sealed.chunks && leaves.count >= chunks * Hash.size)
    try check(
      acd_goods_seal_run(
        keys, engine.core, sealed.base, plain.baseAddress, plain.count, chunks, first, leaves.baseAddress),
      "goods")
    return plain.count + chunks * (Goods.sealedChunkSize - Goods.chunkSize)
  }

  /// Opens consecutive chunks, the first of them chunk `first`, from the `count` bytes of `sealed` to
  /// `plain`, and writes the leaf hashes of the sealed chunks. Fails at the first chunk that is not this
  /// sale's in this place; then the plaintext of that chunk is zeroed, and what came before it must not be
  /// used.
  /// - Returns: how many bytes were written to `plain`.
  public func open(
    _ sealed: SealedRun, count: Int, first: UInt64, to plain: UnsafeMutableRawBufferPointer,
    leaves: UnsafeMutableRawBufferPointer
  ) throws(MessageError) -> Int {
    let chunks = SealedRun.chunks(in: count)
    let overhead = Goods.sealedChunkSize - Goods.chunkSize
    guard count - (chunks - 1) * Goods.sealedChunkSize >= overhead else {
      throw MessageError(.malformed, "truncated", "goods")
    }
    let plainCount = count - chunks * overhead
    precondition(chunks <= sealed.chunks && plain.count >= plainCount && leaves.count >= chunks * Hash.size)
    try check(
      acd_goods_open_run(
        keys, engine.core, plain.baseAddress, sealed.base, count, chunks, first, leaves.baseAddress), "goods")
    return plainCount
  }
}

/// The tree over sealed goods, from their header and the leaf hashes of their chunks, in order.
public struct GoodsTree: @unchecked Sendable {  // the engine's pointers are constant
  private var tree = acd_merkle()

  /// Begins with the header as leaf 0.
  public init(header: [UInt8], engine: GoodsEngine = .sodium) throws(MessageError) {
    precondition(Core.isReady && header.count == Goods.headerSize)
    acd_merkle_init(&tree, engine.core.hash)
    try check(acd_merkle_append(&tree, header, header.count), "goods")
  }

  /// Appends the leaf hashes of the next chunks.
  public mutating func append(leaves: UnsafeRawBufferPointer) throws(MessageError) {
    precondition(leaves.count.isMultiple(of: Hash.size))
    for start in stride(from: 0, to: leaves.count, by: Hash.size) {
      try check(acd_merkle_append_hash(&tree, leaves.baseAddress! + start), "goods")
    }
  }

  /// The root over what was appended.
  public func root() throws(MessageError) -> Hash {
    var root = [UInt8](repeating: 0, count: Hash.size)
    let status = withUnsafePointer(to: tree) { acd_merkle_root($0, &root) }
    try check(status, "goods")
    return Hash(root)!
  }
}
