// Ciphertext on its way into a file, from wherever: what an earlier attempt left counts, each block is hashed
// as it comes, and nothing counts before root and length were compared.

import Foundation
import Messages

/// One file that fills up.
final class GoodsIntake: @unchecked Sendable {  // one task at a time uses it
  private let path: String
  let file: RawFile
  private let claim: GoodsClaim
  private var stream = GoodsStream(checking: .fastest)
  /// Bytes that are there.
  private(set) var have: UInt64 = 0

  /// What comes is not what was promised; the file is gone.
  struct OtherGoods: Error {}

  /// Goes on with the file where an earlier attempt stopped.
  init(_ path: String, _ claim: GoodsClaim) throws {
    (self.path, self.claim) = (path, claim)
    file = try RawFile(updating: path)
    if try file.size() > claim.length { try file.setSize(0) }
    have = try file.size()
    try GoodsFiles.eachBlock(of: file, upTo: have) { _ = try stream.update($0) }
  }

  var isFull: Bool { have == claim.length }

  /// The next bytes.
  func take(_ block: UnsafeRawBufferPointer) throws {
    guard UInt64(block.count) <= claim.length - have else {
      throw discarded()
    }
    _ = try stream.update(block)
    try file.write(block, at: have)
    have += UInt64(block.count)
  }

  /// All is here: it is on the disk and it is what was promised, or the file is removed.
  func finish() throws {
    guard try check() else { throw discarded() }
  }

  /// All is here and on the disk: whether it is what was promised. Once only.
  func check() throws -> Bool {
    precondition(isFull, "not all is here")
    try file.synchronize()
    let (_, root, length) = try stream.finish()
    return GoodsClaim(root: root, length: length) == claim
  }

  /// Removes the file; what to throw then.
  func discarded() -> OtherGoods {
    try? file.setSize(0)
    try? FileManager.default.removeItem(atPath: path)
    return OtherGoods()
  }
}
