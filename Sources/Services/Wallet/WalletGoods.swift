// Fetching, checking and opening goods: streams in constant memory; a cut download goes on where it stopped.

import Foundation
import Messages
import Parties

/// The goods of a purchase: whose, which ciphertext, and what is inside.
struct PurchasedGoods: Sendable {
  let n: TransactionID
  let merchant: PublicKey
  let claim: GoodsClaim
  let digests: [Hash]

  init<O: OfferPayload>(_ offer: Verified<O>, _ claim: GoodsClaim) {
    (n, merchant, self.claim) = (offer.payload.n, offer.signer, claim)
    digests = offer.payload.contract.digests
  }

  /// What INV or PO promises.
  init(_ terms: InvoiceTerms, merchant: PublicKey) {
    (n, self.merchant, claim, digests) = (terms.n, merchant, terms.goods, terms.digests)
  }
}

extension Wallet {
  /// Where the sealed goods of a purchase are kept.
  func sealedPath(_ n: TransactionID) -> String { directory.file("goods/\(n).sealed") }

  /// Downloads the ciphertext and returns its root and length.
  func fetch(_ goods: PurchasedGoods, pseudonym: UInt64) async throws -> (root: Hash, length: UInt64) {
    try directory.createFolder("goods")
    let path = sealedPath(goods.n)
    let merchant = try entry(goods.merchant)
    let total = goods.claim.length
    let file = try RawFile(updating: path)
    if try file.size() > total { try file.setSize(0) }
    var stream = GoodsStream(checking: .fastest)
    var have = try file.size()
    try GoodsFiles.eachBlock(of: file, upTo: have) { _ = try stream.update($0) }
    if have < total {
      let asked = try proofOfPseudonym(pseudonym, goods)
      let status = try await transport.download(
        url: merchant.url! + "/v1/goods/\(goods.n)?by=\(Hex.encode(asked))", from: have
      ) { block in
        guard UInt64(block.count) <= total - have else {
          throw ServiceError.protocolViolation("the goods are longer than agreed")
        }
        _ = try stream.update(block)
        try file.write(block, at: have)
        have += UInt64(block.count)
        report(.progress("goods", done: have, total: total))
      }
      guard [200, 206].contains(status) else {
        throw ServiceError.unreachable("\(merchant.name) does not serve the goods (HTTP \(status))")
      }
    }
    guard have == total else { throw TransportError.cut(host: merchant.name) }
    try file.synchronize()
    let (_, root, length) = try stream.finish()
    guard root == goods.claim.root else {
      // Damaged on the way or at the merchant: fetched again from the start next time. Nothing was paid.
      try? FileManager.default.removeItem(atPath: path)
      throw ServiceError.protocolViolation(
        "the goods received are not the goods that the contract names; nothing was paid, try `resume`")
    }
    return (root, length)
  }

  /// A query signed by the purchase's pseudonym: the merchant serves the ciphertext to nobody else.
  private func proofOfPseudonym(_ index: UInt64, _ goods: PurchasedGoods) throws -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return try Verified(
      signing: StatusQuery(n: goods.n, merchant: goods.merchant, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(index)
    ).bytes
  }

  /// Opens the goods into `output`, which appears whole or not at all, and checks the contract's digest.
  func open(_ goods: PurchasedGoods, key: [UInt8], output: String) async throws {
    let source = try RawFile(reading: sealedPath(goods.n))
    let total = try Goods.length(sealed: goods.claim.length)
    try await offTheLoop { [report] in
      try RawFile.create(output) { target in
        let digest = try GoodsFiles().open(
          source, to: target, key: key, n: goods.n,
          goods: SealedGoods(root: goods.claim.root, length: goods.claim.length),
          digesting: !goods.digests.isEmpty
        ) { done in report(.progress("opening", done: done, total: total)) }
        guard digest.map(goods.digests.contains) ?? true else {
          throw ServiceError.protocolViolation(
            "the goods opened, but they are not what the contract names: keep the wallet, it holds the proof")
        }
      }
    }
  }
}
