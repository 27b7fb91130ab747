// Leaving a sale's ciphertext with the archive before a forced commit (US 6,076,078, FIG. 5). Goes on where
// an earlier attempt stopped; whether it is whole, the archive says.

import Foundation
import Messages
import Parties
import Synchronization

/// The merchant's uploads under way, one at a time for each sale.
final class GoodsUpload: Sendable {
  private let node: Node
  private let running = Mutex<Set<TransactionID>>([])

  init(node: Node) { self.node = node }

  /// Begins an upload unless one is under way; `whole` is called once the archive has all.
  func begin(
    _ n: TransactionID, _ promise: Messages.Bundle, to archive: PublicKey,
    whole: @escaping @Sendable () async throws -> Void
  ) {
    guard running.withLock({ $0.insert(n).inserted }) else { return }
    node.surroundings.spawn { [self] in
      do {
        try await send(n, promise, to: archive)
        try await whole()
      } catch {
        node.logger.warning("goods could not be left with the archive", metadata: ["error": "\(error)"])
      }
      running.withLock { _ = $0.remove(n) }
    }
  }

  private func send(_ n: TransactionID, _ promise: Messages.Bundle, to archive: PublicKey) async throws {
    guard let base = node.url(of: archive) else {
      throw ServiceError.unreachable("the trust list has no address for the archive")
    }
    let names = promise.messages.map { Hash(of: $0) }
    let url = "\(base)/v1/held/\(names[1])/\(names[0])"
    let known = try await node.transport.send("GET", url: url, body: nil, contentType: nil)
    let text = String(decoding: known.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    let from = known.status == 200 ? UInt64(text) ?? 0 : 0
    var generator = node.surroundings.randomness
    let query = StatusQuery(n: n, merchant: node.identity.key, nonce: .random(using: &generator))
    let own = try Verified(signing: query, with: node.identity.signing).bytes
    let item = (try? Verified<R6>(stored: promise.messages[0]))?.payload.index ?? 0
    let reply = try await node.transport.upload(
      node.directory.file(MerchantService.goodsName(n, item)), from: from,
      to: "\(url)?from=\(from)&by=\(Hex.encode(own))&with=\(Hex.encode(promise.encoded()))")
    guard reply.status == 200 else {
      throw ServiceError.unreachable(
        "HTTP \(reply.status): \(String(decoding: reply.body.prefix(400), as: UTF8.self))")
    }
  }
}
