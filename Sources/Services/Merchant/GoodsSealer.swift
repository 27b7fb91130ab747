// Sealing an offer's file for one sale: one pass that reads, encrypts, hashes and writes, in constant memory.
// Goods are sealed per sale, because the archive publishes each sale's key (docs/DESIGN.md, "Sealed per
// sale").

import Foundation
import Messages

/// What a sealing run comes to.
struct SealedGoods: Sendable {
  let root: Hash
  let length: UInt64
}

enum GoodsSealer {
  /// Bytes read at a time.
  static let blockSize = 1 << 20

  /// Seals `source` into `target`, which appears whole or not at all.
  static func seal(
    _ source: String, into target: String, key: [UInt8], n: TransactionID, salt: [UInt8]
  ) throws -> SealedGoods {
    guard let input = FileHandle(forReadingAtPath: source) else {
      throw ServiceError.file(path: source, reason: "cannot be read")
    }
    defer { try? input.close() }
    let temporary = target + ".part"
    guard FileManager.default.createFile(atPath: temporary, contents: nil),
      let output = FileHandle(forWritingAtPath: temporary)
    else { throw ServiceError.file(path: target, reason: "cannot be created") }
    defer { try? output.close() }
    var stream = try GoodsStream(sealing: key, n: n, salt: salt, engine: .openSSL)
    while let block = try input.read(upToCount: blockSize), !block.isEmpty {
      let sealed = try block.withUnsafeBytes { (raw) throws in try stream.update(raw) }
      try output.write(contentsOf: sealed)
    }
    let (tail, root, length) = try stream.finish()
    try output.write(contentsOf: tail)
    try output.synchronize()
    guard rename(temporary, target) == 0 else {
      throw ServiceError.file(path: target, reason: "cannot be written")
    }
    return SealedGoods(root: root, length: length)
  }

  /// SHA-256 of a file in the clear.
  static func digest(_ path: String) throws -> Hash {
    guard let input = FileHandle(forReadingAtPath: path) else {
      throw ServiceError.file(path: path, reason: "cannot be read")
    }
    defer { try? input.close() }
    var hasher = FileHasher()
    while let block = try input.read(upToCount: blockSize), !block.isEmpty { hasher.update(block) }
    return hasher.finish()
  }
}
