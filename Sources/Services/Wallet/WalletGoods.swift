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
  /// H of the contract.
  let hP1: Hash

  init<O: OfferPayload>(_ offer: Verified<O>, _ claim: GoodsClaim) {
    (n, merchant, self.claim) = (offer.payload.n, offer.signer, claim)
    (digests, hP1) = (offer.payload.contract.digests, offer.hash)
  }
}

extension Wallet {
  /// Where the sealed goods of a purchase are kept.
  func sealedPath(_ n: TransactionID) -> String { directory.file("goods/\(n).sealed") }

  /// Downloads the ciphertext, from the merchant or from whoever else holds it, and checks that it is what
  /// was promised. What is there already is not fetched again.
  func fetch(_ goods: PurchasedGoods, for info: PurchaseInfo, from holder: PublicKey? = nil) async throws {
    try directory.createFolder("goods")
    let peer = try entry(holder ?? goods.merchant)
    let total = goods.claim.length
    do {
      let intake = try GoodsIntake(sealedPath(goods.n), goods.claim)
      if !intake.isFull {
        let asked = try proofOfPseudonym(info.pseudonymIndex, goods)
        let status = try await transport.download(
          url: peer.url! + "/v1/goods/\(goods.n)?by=\(Hex.encode(asked))", from: intake.have
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

  /// A query signed by the purchase's pseudonym: the merchant serves the ciphertext to nobody else.
  func proofOfPseudonym(_ index: UInt64, _ goods: PurchasedGoods) throws -> [UInt8] {
    var generator = surroundings.randomness
    return try Verified(
      signing: StatusQuery(n: goods.n, merchant: goods.merchant, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(index)
    ).bytes
  }

  /// Opens the goods into `output`, which appears whole or not at all, and checks the contract's digest.
  func open(_ goods: PurchasedGoods, key: [UInt8], output: String) async throws {
    let source = try RawFile(reading: sealedPath(goods.n))
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
