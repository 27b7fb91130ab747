// Goods in files, on many threads: the bytes are those of the stream and of the other engine at every length
// around the bounds of chunks, runs and batches; what was changed leaves no file behind.

import Foundation
import Messages
import Testing

@testable import Services

@Suite("Goods in files")
struct GoodsFilesTests {
  private static let key = [UInt8](repeating: 0x6b, count: 32)
  private static let salt = [UInt8](repeating: 0x53, count: Goods.saltSize)
  private static let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!

  /// Bytes that differ from place to place, and from run to run.
  private static func plain(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ $0 >> 16) }
  }

  private let directory: DataDirectory

  init() throws { directory = try temporaryDirectory() }

  private func write(_ bytes: [UInt8], _ name: String) throws -> RawFile {
    try Data(bytes).write(to: directory.url(name))
    return try RawFile(reading: directory.file(name))
  }

  private func read(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: directory.url(name))) }

  /// As the stream seals it, on libsodium.
  private static func stream(_ plain: [UInt8]) throws -> (sealed: [UInt8], goods: SealedGoods) {
    var stream = try GoodsStream(sealing: key, n: n, salt: salt)
    let body = try plain.withUnsafeBytes { try stream.update($0) }
    let (tail, root, length) = try stream.finish()
    return (body + tail, SealedGoods(root: root, length: length))
  }

  /// Every engine that this build and this processor have.
  private static let engines: [GoodsEngine] = {
    var engines = [GoodsEngine.sodium, .openSSL, .fastest]
    #if ACD_IPSEC_MB
      engines += MultiBufferHash.Way.allCases.compactMap(GoodsEngine.multiBuffer)
    #endif
    return engines
  }()

  private func seal(_ source: RawFile, _ files: GoodsFiles) throws -> SealedGoods {
    try RawFile.create(directory.file("sealed")) {
      try files.seal(source, to: $0, key: Self.key, n: Self.n, salt: Self.salt)
    }
  }

  private func open(
    _ name: String, _ goods: SealedGoods, _ files: GoodsFiles = GoodsFiles(), digesting: Bool = true,
    key: [UInt8] = key, progress: (UInt64) -> Void = { _ in }
  ) throws -> Hash? {
    let source = try RawFile(reading: directory.file(name))
    return try RawFile.create(directory.file("opened")) {
      try files.open(
        source, to: $0, key: key, n: Self.n, goods: goods, digesting: digesting, progress: progress)
    }
  }

  /// Lengths around the bounds of a chunk, a few, a run and a batch.
  private static let lengths: [Int] =
    [0, 1, Goods.chunkSize, 2 * Goods.chunkSize, GoodsPlan.runBytes, 4 * GoodsPlan.runBytes].flatMap {
      [$0 - 1, $0, $0 + 1]
    }.filter { $0 >= 0 } + [4 * Goods.chunkSize, 5 * Goods.chunkSize + 1, 7 * GoodsPlan.runBytes - 9]

  @Test("every engine on any number of threads gives the stream's bytes, and opens them", arguments: lengths)
  func sameBytes(length: Int) throws {
    let plain = Self.plain(length)
    let expected = try Self.stream(plain)
    let source = try write(plain, "plain")
    for engine in Self.engines {
      for threads in [1, 2, 5] {
        var files = GoodsFiles(engine: engine, threads: threads)
        (files.batch, files.digestingBatch) = (4, 2)
        #expect(try seal(source, files) == expected.goods)
        #expect(try read("sealed") == expected.sealed)
        for digesting in [false, true] {
          let digest = try open("sealed", expected.goods, files, digesting: digesting)
          #expect(try read("opened") == plain)
          #expect(digest == (digesting ? Hash(of: plain) : nil))
        }
      }
    }
  }

  @Test("more goods than one batch come back, and the progress goes up to their length")
  func batches() throws {
    var files = GoodsFiles(threads: 3)
    (files.batch, files.digestingBatch) = (16, 4)
    let plain = Self.plain(17 * GoodsPlan.runBytes + 5)
    let goods = try seal(write(plain, "plain"), files)
    #expect(goods == (try Self.stream(plain).goods))
    var seen: [UInt64] = []
    #expect(try open("sealed", goods, files) { seen.append($0) } == Hash(of: plain))
    #expect(try read("opened") == plain)
    #expect(seen == seen.sorted() && seen.count == 5 && seen.last == UInt64(plain.count))
    #expect(try open("sealed", goods, files, digesting: false) == nil)
    #expect(try read("opened") == plain)
  }

  @Test("the streams of OpenSSL and libsodium agree")
  func streams() throws {
    for length in [0, 1, 16_383, 16_384, 16_385, 100_000] {
      let plain = Self.plain(length)
      let expected = try Self.stream(plain)
      var sealing = try GoodsStream(sealing: Self.key, n: Self.n, salt: Self.salt, engine: .openSSL)
      let body = try plain.withUnsafeBytes { try sealing.update($0) }
      #expect(try body + sealing.finish().tail == expected.sealed)
      var opening = try GoodsStream(opening: Self.key, n: Self.n, engine: .openSSL)
      let opened = try expected.sealed.withUnsafeBytes { try opening.update($0) }
      let tail = try opening.finish(root: expected.goods.root, length: expected.goods.length)
      #expect(opened + tail == plain)
    }
  }

  @Test("by its tag alone, without the root, OpenSSL refuses a changed chunk, and nothing of it is left")
  func tag() throws {
    let sealed = try Self.stream(Self.plain(100)).sealed
    let header = Array(sealed[..<Goods.headerSize])
    let chunks = try GoodsChunks(opening: Self.key, n: Self.n, header: header, engine: .openSSL)
    for place in [0, 50, 99, 100, 115] {
      var chunk = Array(sealed[Goods.headerSize...])
      chunk[place] ^= 1
      var plain = [UInt8](repeating: 0xee, count: 100)
      var leaf = [UInt8](repeating: 0, count: Hash.size)
      // It owns the memory that `sealed` points to.
      let owner = GoodsRoom()
      defer { withExtendedLifetime(owner) {} }
      let room = owner.sealed
      room.pieces(chunk.count)[0].copyBytes(from: chunk)
      #expect(throws: MessageError(.authentication, "authentication", "goods")) {
        try plain.withUnsafeMutableBytes { plain in
          try leaf.withUnsafeMutableBytes {
            try chunks.open(room, count: chunk.count, first: 0, to: plain, leaves: $0)
          }
        }
      }
      withExtendedLifetime(owner) {}
      #expect(plain == [UInt8](repeating: 0, count: 100))
    }
  }

  @Test("a flipped bit in any chunk is refused, and no file appears")
  func flipped() throws {
    let plain = Self.plain(17 * Goods.chunkSize + 100)
    let goods = try seal(write(plain, "plain"), GoodsFiles())
    let sealed = try read("sealed")
    let places =
      [0, 30, 55] + (0..<18).map { Goods.headerSize + $0 * Goods.sealedChunkSize + $0 } + [sealed.count - 1]
    for engine in Self.engines {
      for place in places {
        var damaged = sealed
        damaged[place] ^= 0x20
        _ = try write(damaged, "damaged")
        expectRefused { try open("damaged", goods, GoodsFiles(engine: engine)) }
      }
    }
  }

  @Test("cut or lengthened goods, another key, root or length are refused, and no file appears")
  func foreign() throws {
    let plain = Self.plain(3 * Goods.chunkSize)
    let goods = try seal(write(plain, "plain"), GoodsFiles())
    let sealed = try read("sealed")
    for changed in [[], Array(sealed.dropLast()), Array(sealed.dropLast(16)), sealed + [0]] {
      _ = try write(changed, "damaged")
      expectRefused { try open("damaged", goods) }
    }
    expectRefused { try open("sealed", goods, key: [UInt8](repeating: 1, count: 32)) }
    expectRefused { try open("sealed", SealedGoods(root: Hash(of: [1]), length: goods.length)) }
    expectRefused { try open("sealed", SealedGoods(root: goods.root, length: goods.length + 1)) }
    #expect(try open("sealed", goods) == Hash(of: plain))
  }

  private func expectRefused(_ body: () throws -> Hash?) {
    #expect(throws: MessageError(.authentication, "authentication", "goods")) { try body() }
    #expect(!directory.exists("opened") && !directory.exists("opened.part"))
  }

  @Test("what cannot be read as a whole is named, and leaves no file")
  func unreadable() throws {
    #expect(throws: ServiceError.self) { try RawFile(reading: directory.file("nothing")) }
    #expect(throws: ServiceError.self) { try seal(RawFile(reading: "/dev/null"), GoodsFiles()) }
    #expect(!directory.exists("sealed") && !directory.exists("sealed.part"))
    let file = try write(Self.plain(100), "short")
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 101, alignment: 1)
    defer { room.deallocate() }
    #expect(throws: ServiceError.self) { try file.read(room, at: 0) }
  }

  @Test("what the system moves in parts of any size is moved once, and in order", arguments: 0...12)
  func parts(atOnce: Int) throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
    defer { memory.deallocate() }
    let pieces = [memory.part(7, 3), memory.part(0, 0), memory.part(4, 1), memory.part(0, 4)]
    let expected = Array(7..<10) + [4] + Array(0..<4)
    var (moved, calls) = ([Int](), 0)
    try RawFile.eachVector(pieces, at: 100) { vectors, offset in
      calls += 1
      #expect(offset == off_t(100 + moved.count))
      if atOnce == 0, !calls.isMultiple(of: 3) { return 0 }  // a signal came, and nothing was moved
      let bytes = vectors.flatMap { vector in
        (0..<vector.iov_len).map { vector.iov_base + $0 - memory.baseAddress! }
      }
      moved += bytes.prefix(max(1, atOnce))
      return min(bytes.count, max(1, atOnce))
    }
    #expect(moved == expected)
  }

  @Test("the digest of a file is SHA-256 of its bytes", arguments: [0, 1, 262_144, 300_000])
  func digest(length: Int) throws {
    let plain = Self.plain(length)
    #expect(try GoodsFiles.digest(write(plain, "plain")) == Hash(of: plain))
  }
}
