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
  /// H of what names the ciphertext to the merchant: the offer, or R6.
  let hNamed: Hash
  /// Which purchase of a series; else 0.
  let item: UInt64

  init<O: PromisePayload>(_ offer: Verified<O>, _ claim: GoodsClaim) {
    (n, merchant, self.claim, item) = (offer.payload.n, offer.signer, claim, 0)
    (digests, hNamed) = (offer.payload.digests, offer.hash)
  }

  /// Of a further purchase in a series.
  init(_ item: Verified<R6>) {
    let r6 = item.payload
    (n, merchant, self.item, hNamed) = (r6.n, item.signer, r6.index, item.hash)
    (claim, digests) = (GoodsClaim(root: r6.root, length: r6.length), r6.contract.digests)
  }
}

extension Wallet {
  /// Where the sealed goods of a purchase are kept.
  func sealedPath(_ n: TransactionID, _ item: UInt64 = 0) -> String {
    directory.file("goods/\(n)\(item == 0 ? "" : "-\(item)").sealed")
  }

  /// Downloads the ciphertext, from the merchant or from whoever else holds it, and checks that it is what
  /// was promised. What is there already is not fetched again.
  func fetch(_ goods: PurchasedGoods, for info: PurchaseInfo, from holder: PublicKey? = nil) async throws {
    try directory.createFolder("goods")
    let peer = try entry(holder ?? goods.merchant)
    let total = goods.claim.length
    let intake = try GoodsIntake(sealedPath(goods.n, goods.item), goods.claim)
    do {
      if !intake.isFull {
        let status = try await transport.download(
          url: try address(goods, for: info, at: peer), from: intake.have
        ) { block in
          try intake.take(block)
          report(.progress("goods", done: intake.have, total: total))
        }
        guard [200, 206].contains(status) else {
          throw ServiceError.unreachable("\(peer.name) does not serve the goods (HTTP \(status))")
        }
      }
      guard intake.isFull else { throw TransportError.cut(host: peer.name) }
      // Damaged on the way, here, or at the merchant, who can say where.
      var sound = try intake.check()
      if !sound, holder == nil { sound = try await repaired(goods, intake.file, for: info) }
      guard sound else { throw intake.discarded() }
    } catch is GoodsIntake.OtherGoods {
      throw ServiceError.protocolViolation(
        "the goods received are not the goods that the contract names; they are not paid for, try `resume`")
    }
  }

  /// Where `peer` serves the ciphertext to this pseudonym; `part`: something else of it.
  func address(
    _ goods: PurchasedGoods, for info: PurchaseInfo, at peer: TrustEntry, part: String = ""
  ) throws -> String {
    let asked = Hex.encode(try proofOfPseudonym(info.pseudonymIndex, goods.n, goods.merchant))
    let item = goods.item == 0 ? "" : "&item=\(goods.item)"
    return "\(peer.url!)/v1/goods/\(goods.n)\(part)?by=\(asked)\(item)"
  }

  /// The same, from the merchant, or else from the archive, which holds what was forced.
  func fetch(_ goods: PurchasedGoods, for info: PurchaseInfo, orFrom archive: PublicKey) async throws {
    do { try await fetch(goods, for: info) } catch {
      report(.note("the merchant does not deliver (\(error)); asking the archive"))
      try await fetch(goods, for: info, from: archive)
    }
  }

  /// A query signed by the purchase's pseudonym: the merchant serves the ciphertext to nobody else.
  func proofOfPseudonym(_ index: UInt64, _ n: TransactionID, _ merchant: PublicKey) throws -> [UInt8] {
    var generator = surroundings.randomness
    return try Verified(
      signing: StatusQuery(n: n, merchant: merchant, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(index)
    ).bytes
  }

  /// Opens the goods into `output`, which appears whole or not at all, and checks the contract's digest.
  func open(_ goods: PurchasedGoods, key: [UInt8], output: String) async throws {
    let source = try RawFile(reading: sealedPath(goods.n, goods.item))
    let total = try Goods.length(sealed: goods.claim.length)
    try await surroundings.offTheLoop { [report, surroundings] in
      try RawFile.create(output) { target in
        let digest = try surroundings.goodsFiles.open(
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
