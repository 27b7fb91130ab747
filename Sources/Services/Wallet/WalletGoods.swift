// Fetching, checking and opening goods: streams in constant memory; a cut download goes on where it stopped.

import Foundation
import Messages
import Parties

extension Wallet {
  /// Where the sealed goods of a purchase are kept.
  func sealedPath(_ n: TransactionID) -> String { directory.file("goods/\(n).sealed") }

  /// Downloads the ciphertext and returns its root and length.
  func fetch(_ p1: Verified<P1>, pseudonym: UInt64) async throws -> (root: Hash, length: UInt64) {
    try directory.createFolder("goods")
    let path = sealedPath(p1.payload.n)
    let merchant = try entry(p1.signer)
    let total = p1.payload.length
    let known = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) ?? nil
    if known == nil || known! > total {
      guard FileManager.default.createFile(atPath: path, contents: nil) else {
        throw ServiceError.file(path: path, reason: "cannot be created")
      }
    }
    guard let file = FileHandle(forUpdatingAtPath: path) else {
      throw ServiceError.file(path: path, reason: "cannot be written")
    }
    defer { try? file.close() }
    var stream = GoodsStream(checking: .openSSL)
    var have: UInt64 = 0
    while let block = try file.read(upToCount: GoodsSealer.blockSize), !block.isEmpty {
      _ = try block.withUnsafeBytes { (raw) throws in try stream.update(raw) }
      have += UInt64(block.count)
    }
    if have < total {
      let asked = try proofOfPseudonym(pseudonym, p1)
      let status = try await transport.download(
        url: merchant.url! + "/v1/goods/\(p1.payload.n)?by=\(Hex.encode(asked))", from: have
      ) { block in
        have += UInt64(block.count)
        guard have <= total else { throw ServiceError.protocolViolation("the goods are longer than agreed") }
        _ = try stream.update(block)
        try file.write(contentsOf: block)
        report(.progress("goods", done: have, total: total))
      }
      guard [200, 206].contains(status) else {
        throw ServiceError.unreachable("\(merchant.name) does not serve the goods (HTTP \(status))")
      }
    }
    guard have == total else { throw TransportError.cut(host: merchant.name) }
    try file.synchronize()
    let (_, root, length) = try stream.finish()
    guard root == p1.payload.root else {
      // Damaged on the way or at the merchant: fetched again from the start next time. Nothing was paid.
      try? FileManager.default.removeItem(atPath: path)
      throw ServiceError.protocolViolation(
        "the goods received are not the goods that the contract names; nothing was paid, try `resume`")
    }
    return (root, length)
  }

  /// A query signed by the purchase's pseudonym: the merchant serves the ciphertext to nobody else.
  private func proofOfPseudonym(_ index: UInt64, _ p1: Verified<P1>) throws -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return try Verified(
      signing: StatusQuery(n: p1.payload.n, merchant: p1.signer, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(index)
    ).bytes
  }

  /// Opens the goods into `output`, which appears whole or not at all, and checks the contract's digest.
  func open(_ p1: Verified<P1>, key: [UInt8], output: String) throws {
    let source = sealedPath(p1.payload.n)
    guard let input = FileHandle(forReadingAtPath: source) else {
      throw ServiceError.file(path: source, reason: "cannot be read")
    }
    defer { try? input.close() }
    let temporary = output + ".part"
    guard FileManager.default.createFile(atPath: temporary, contents: nil),
      let target = FileHandle(forWritingAtPath: temporary)
    else { throw ServiceError.file(path: output, reason: "cannot be created") }
    defer { try? target.close() }
    var stream = try GoodsStream(opening: key, n: p1.payload.n, engine: .openSSL)
    var hasher = FileHasher()
    var done: UInt64 = 0
    while let block = try input.read(upToCount: GoodsSealer.blockSize), !block.isEmpty {
      let plain = try block.withUnsafeBytes { (raw) throws in try stream.update(raw) }
      hasher.update(plain)
      try target.write(contentsOf: plain)
      done += UInt64(block.count)
      report(.progress("opening", done: done, total: p1.payload.length))
    }
    let tail = try stream.finish(root: p1.payload.root, length: p1.payload.length)
    hasher.update(tail)
    try target.write(contentsOf: tail)
    try target.synchronize()
    let digests = p1.payload.contract.digests
    guard digests.isEmpty || digests.contains(hasher.finish()) else {
      throw ServiceError.protocolViolation(
        "the goods opened, but they are not what the contract names: keep the wallet, it holds the proof"
      )
    }
    guard rename(temporary, output) == 0 else {
      throw ServiceError.file(path: output, reason: "cannot be written")
    }
  }
}
