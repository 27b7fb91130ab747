// Fetching, checking and opening goods: streams in constant memory; a cut download goes on where it stopped.

import Foundation
import Messages
import Parties

/// The goods of a purchase: whose, which ciphertext, and what is inside.
struct PurchasedGoods: Sendable {
  let n: TransactionID
  let merchant: PublicKey
  /// H of the offer.
  let hOffer: Hash
  let claim: GoodsClaim
  let digests: [Hash]
  /// Which purchase of a series; else 0.
  let item: UInt64

  /// `digests` where they are not the offer's.
  init<O: OfferPayload>(
    _ offer: Verified<O>, _ claim: GoodsClaim, item: UInt64 = 0, digests: [Hash]? = nil
  ) {
    (n, merchant, hOffer, self.claim) = (offer.payload.n, offer.signer, offer.hash, claim)
    (self.item, self.digests) = (item, digests ?? offer.payload.contract.digests)
  }
}

extension Wallet {
  /// Where the sealed goods of a purchase are kept.
  func sealedPath(_ n: TransactionID, _ item: UInt64 = 0) -> String {
    directory.file("goods/\(n)\(item == 0 ? "" : "-\(item)").sealed")
  }

  /// Downloads the ciphertext, from the merchant or from whoever else holds it, and checks that it is what
  /// was promised. What is there already is not fetched again.
  func fetch(_ goods: PurchasedGoods, pseudonym: UInt64, from holder: PublicKey? = nil) async throws {
    try directory.createFolder("goods")
    let peer = try entry(holder ?? goods.merchant)
    let total = goods.claim.length
    let intake = try GoodsIntake(sealedPath(goods.n, goods.item), goods.claim)
    intake.keepsDamaged = holder == nil
    do {
      if !intake.isFull {
        let status = try await transport.download(
          url: try address("goods", goods, pseudonym, at: peer), from: intake.have
        ) { block in
          try intake.take(block)
          report(.progress("goods", done: intake.have, total: total))
        }
        guard [200, 206].contains(status) else {
          throw ServiceError.unreachable("\(peer.name) does not serve the goods (HTTP \(status))")
        }
      }
      guard intake.isFull else { throw TransportError.cut(host: peer.name) }
      try intake.finish()
    } catch is GoodsIntake.OtherGoods {
      if intake.isFull, holder == nil, try await mend(goods, pseudonym) { return }
      // Damaged at the merchant, or too much of it: fetched again from the start next time.
      try intake.discard()
      throw ServiceError.protocolViolation(
        "the goods received are not the goods that the contract names; they are not paid for, try `resume`")
    }
  }

  private func address(
    _ kind: String, _ goods: PurchasedGoods, _ pseudonym: UInt64, at peer: TrustEntry
  ) throws -> String {
    let asked = try proofOfPseudonym(pseudonym, goods.n, goods.merchant)
    let item = goods.item == 0 ? "" : "&item=\(goods.item)"
    return "\(peer.url!)/v1/\(kind)/\(goods.n)?by=\(Hex.encode(asked))\(item)"
  }

  /// Has the damaged ranges of a whole copy sent again: a NAK names them to the merchant.
  /// - Returns: whether the copy is now what was promised.
  private func mend(_ goods: PurchasedGoods, _ pseudonym: UInt64) async throws -> Bool {
    let merchant = try entry(goods.merchant)
    let copy = try RawFile(updating: sealedPath(goods.n, goods.item))
    var search = DamageSearch(copy, goods.claim)
    let status = try await transport.download(
      url: try address("leaves", goods, pseudonym, at: merchant), from: 0
    ) { try search.take($0) }
    guard status == 200, let damage = try search.damage(), !damage.isEmpty else { return false }
    let nak = try Verified(
      signing: NAK(
        n: goods.n, hP1: goods.hOffer, decline: false, badRanges: damage.flatMap { [$0.offset, $0.count] }),
      with: seed.pseudonymKey(pseudonym))
    _ = try await exchange(nak.bytes, with: goods.merchant)
    for range in damage {
      var next = range.offset
      let end = range.offset + range.count
      _ = try await transport.download(
        url: try address("goods", goods, pseudonym, at: merchant), from: range.offset, count: range.count
      ) { block in
        let part = UnsafeRawBufferPointer(rebasing: block.prefix(Int(end - next)))
        try copy.write(part, at: next)
        next += UInt64(part.count)
      }
      guard next == end else { return false }
    }
    report(.note("\(damage.count) damaged parts of the goods were sent again"))
    let again = try GoodsIntake(sealedPath(goods.n, goods.item), goods.claim)
    do { try again.finish() } catch is GoodsIntake.OtherGoods { return false }
    return true
  }

  /// The same, from the merchant, or else from the archive, which holds what was forced.
  func fetch(_ goods: PurchasedGoods, pseudonym: UInt64, orFrom archive: PublicKey) async throws {
    do { try await fetch(goods, pseudonym: pseudonym) } catch {
      report(.note("the merchant does not deliver (\(error)); asking the archive"))
      try await fetch(goods, pseudonym: pseudonym, from: archive)
    }
  }

  /// A query signed by the purchase's pseudonym: the merchant serves the ciphertext to nobody else.
  func proofOfPseudonym(_ index: UInt64, _ n: TransactionID, _ merchant: PublicKey) throws -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return try Verified(
      signing: StatusQuery(n: n, merchant: merchant, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(index)
    ).bytes
  }

  /// Opens the goods into `output`, which appears whole or not at all, and checks the contract's digest.
  func open(_ goods: PurchasedGoods, key: [UInt8], output: String) async throws {
    let source = try RawFile(reading: sealedPath(goods.n, goods.item))
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
