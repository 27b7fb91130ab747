// Sealing, checking and opening goods: crossing into acd/goods.h. Streams of any chunk boundary; constant
// memory.

public import CCore

/// Sizes of sealed goods (docs/SPEC.md, "Goods").
public enum Goods {
  /// Bytes of plaintext in a full chunk.
  public static let chunkSize = Int(ACD_GOODS_CHUNK_SIZE)
  /// Bytes of a full sealed chunk.
  public static let sealedChunkSize = Int(ACD_GOODS_CHUNK_SIZE) + Int(ACD_AEAD_TAG_SIZE)
  /// Bytes before the first chunk.
  public static let headerSize = Int(ACD_GOODS_SALT_SIZE) + Int(ACD_GOODS_COMMITMENT_SIZE)
  /// Bytes of a salt.
  public static let saltSize = Int(ACD_GOODS_SALT_SIZE)

  /// How long `length` bytes of goods are when sealed.
  public static func sealedLength(of length: UInt64) -> UInt64 { acd_goods_sealed_length(length) }

  /// How long the goods are that are `sealedLength` bytes sealed; fails for a length that no goods have.
  public static func length(sealed sealedLength: UInt64) throws(MessageError) -> UInt64 {
    var length: UInt64 = 0
    try check(acd_goods_length(&length, sealedLength), "goods")
    return length
  }
}

/// What goods are hashed and sealed with. The core's own is libsodium; a server hands in OpenSSL, which is
/// faster and gives the same bytes.
public struct GoodsEngine: @unchecked Sendable {  // constant functions without shared state
  let core: acd_engine
  /// libsodium's SHA-256 and ChaCha20-Poly1305.
  public static let sodium = GoodsEngine(acd_engine_sodium)
  /// Wraps an engine of the C core; it must be safe to use from several threads.
  public init(_ core: acd_engine) { self.core = core }
}

/// One streaming run over goods: sealing, checking or opening. Wipes its keys when it ends.
public struct GoodsStream: ~Copyable, @unchecked Sendable {  // owned by one task at a time: ~Copyable
  /// What the run does.
  public enum Direction: Sendable { case seal, check, open }

  private let stream: UnsafeMutablePointer<acd_goods_stream>
  private let direction: Direction

  private init(_ direction: Direction) {
    precondition(Core.isReady)
    stream = .allocate(capacity: 1)
    stream.initialize(to: acd_goods_stream())
    self.direction = direction
  }

  deinit {
    acd_goods_stream_wipe(stream)
    stream.deallocate()
  }

  /// Seals under `key`, 32 secret bytes, for transaction n; `salt` is 24 fresh random bytes.
  public init(
    sealing key: [UInt8], n: TransactionID, salt: [UInt8], engine: GoodsEngine = .sodium
  ) throws(MessageError) {
    precondition(key.count == 32 && salt.count == Goods.saltSize)
    self.init(.seal)
    try Messages.check(acd_goods_seal_init(stream, engine.core, key, n.bytes, salt), "goods")
  }

  /// Opens with `key`, for transaction n.
  public init(
    opening key: [UInt8], n: TransactionID, engine: GoodsEngine = .sodium
  ) throws(MessageError) {
    precondition(key.count == 32)
    self.init(.open)
    try Messages.check(acd_goods_open_init(stream, engine.core, key, n.bytes), "goods")
  }

  /// Computes a ciphertext's root, without any key.
  public init(checking engine: GoodsEngine) {
    self.init(.check)
    acd_goods_check_init(stream, engine.core.hash)
  }

  /// Takes the next bytes, of any number; returns what can be written out (nothing when checking).
  public mutating func update(_ input: UnsafeRawBufferPointer) throws(MessageError) -> [UInt8] {
    let base = input.baseAddress
    if direction == .check {
      try Messages.check(acd_goods_check_update(stream, base, input.count), "goods")
      return []
    }
    // The macros' bounds (acd/goods.h): what one update can write for this much input.
    let chunk = Goods.chunkSize
    let capacity = input.count + (input.count / chunk + 2) * 16 + chunk + Goods.headerSize
    var status = ACD_OK
    let sealing = direction == .seal
    let out = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      status =
        sealing
        ? acd_goods_seal_update(stream, buffer.baseAddress, capacity, &count, base, input.count)
        : acd_goods_open_update(stream, buffer.baseAddress, capacity, &count, base, input.count)
      if status != ACD_OK { count = 0 }
    }
    try Messages.check(status, "goods")
    return out
  }

  /// Ends a sealing or checking run: the last bytes to write, the root and the sealed length for the
  /// contract.
  public mutating func finish() throws(MessageError) -> (tail: [UInt8], root: Hash, length: UInt64) {
    var root = [UInt8](repeating: 0, count: Hash.size)
    var length: UInt64 = 0
    var tail = [UInt8](repeating: 0, count: 2 * Goods.sealedChunkSize)
    var tailLength = 0
    let capacity = tail.count
    switch direction {
    case .seal:
      try Messages.check(
        acd_goods_seal_finish(stream, &tail, capacity, &tailLength, &root, &length), "goods")
    case .check:
      try Messages.check(acd_goods_check_finish(stream, &root, &length), "goods")
    case .open: preconditionFailure("an opening run ends with finish(root:length:)")
    }
    return (Array(tail[..<tailLength]), Hash(root)!, length)
  }

  /// Ends an opening run: the last bytes; fails unless the whole ciphertext was the contract's. Only
  /// after this may the goods be used as a whole.
  public mutating func finish(root: Hash, length: UInt64) throws(MessageError) -> [UInt8] {
    precondition(direction == .open)
    var tail = [UInt8](repeating: 0, count: 2 * Goods.sealedChunkSize)
    var tailLength = 0
    let capacity = tail.count
    try Messages.check(
      acd_goods_open_finish(stream, &tail, capacity, &tailLength, root.bytes, length), "goods")
    return Array(tail[..<tailLength])
  }
}
