// Evidence out of a wallet: the messages of a purchase, the sealed goods, and what is wrong with them.

import Foundation
import Messages
import Parties
import Storage

/// What a dispute about a purchase is about.
protocol DisputedPurchase: PurchaseMachine {
  /// The tokens that may have been taken.
  var inUse: [TokenInput] { get }
  var promised: PurchasedGoods? { get }
}

extension CustomerPurchase: DisputedPurchase {
  var inUse: [TokenInput] { p2?.payload.tokenInputs ?? [] }
  var promised: PurchasedGoods? {
    p1.flatMap { offer in offer.payload.goods.map { PurchasedGoods(offer, $0) } }
  }
}

extension AnnouncedPurchase: DisputedPurchase {
  var inUse: [TokenInput] { inputs }
  var promised: PurchasedGoods? {
    order.map { PurchasedGoods($0.payload.terms, merchant: $0.signer) }
  }
}

extension InvoicePurchase: DisputedPurchase {
  /// What the archive did with the token, it says itself.
  var inUse: [TokenInput] { [] }
  var promised: PurchasedGoods? {
    invoice.map { PurchasedGoods($0.payload.terms, merchant: $0.signer) }
  }
}

extension Wallet {
  /// All that the wallet kept of a purchase, for a judge. While the purchase is not delivered, the tokens'
  /// keys sign a demand for their value too: the bank has to account for them.
  public func evidence(_ number: UInt64) async throws -> EvidenceExport {
    let mode = try await info(number).mode
    if mode == .announced { return try await evidence(AnnouncedPurchase.self, number) }
    if Mode.invoices.contains(mode) { return try await evidence(InvoicePurchase.self, number) }
    guard let contract = ContractModes.types(of: mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    return try await evidence(contract, number)
  }

  private func evidence<M: ContractMode>(_: M.Type, _ number: UInt64) async throws -> EvidenceExport {
    try await evidence(CustomerPurchase<M>.self, number)
  }

  private func evidence<P: DisputedPurchase>(_: P.Type, _ number: UInt64) async throws -> EvidenceExport {
    let (messages, machine) = try await store.read { tx in
      let (_, machine) = try self.load(P.self, tx, number)
      return (try tx.signedMessages(kind: PurchaseInfo.kind, key: RowKey.number(number)), machine)
    }
    var export = EvidenceExport(
      machine.phase == .delivered ? messages : messages + (try await demands(machine.inUse)))
    guard let goods = machine.promised, FileManager.default.fileExists(atPath: sealedPath(goods.n))
    else { return export }
    let path = sealedPath(goods.n)
    export.sealedGoods = path
    if let key = machine.goodsKey {
      let proof = try await offTheLoop { try Self.badChunk(path, key: key, goods.n, goods.claim) }
      export.badChunk = proof.map { Data($0.encoded) }
    }
    return export
  }

  private func demands(_ inputs: [TokenInput]) async throws -> [[UInt8]] {
    var generator = SystemRandomNumberGenerator()
    var result: [[UInt8]] = []
    for input in inputs {
      guard let coin = try await store.read({ try $0.coin(input.token.id) }) else { continue }
      let query = StatusQuery(
        n: nil, merchant: nil, nonce: .random(using: &generator), serial: input.token.serial)
      result.append(try Verified(signing: query, with: seed.tokenKey(coin.keyIndex)).bytes)
    }
    return result
  }

  /// The first sealed chunk that does not open, with its way to the contract's root. Nil if all open, or if
  /// the ciphertext is not the contract's: then there is nothing to complain of.
  static func badChunk(
    _ path: String, key: [UInt8], _ n: TransactionID, _ claim: GoodsClaim
  ) throws -> GoodsChunkProof? {
    let file = try RawFile(reading: path)
    guard try file.size() == claim.length, claim.length >= UInt64(Goods.headerSize) else { return nil }
    func read(_ offset: UInt64, _ count: Int) throws -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
      return bytes
    }
    let header = try read(0, Goods.headerSize)
    var leaves: [Hash] = []
    var bad: (index: Int, chunk: [UInt8])?
    let keys = try? GoodsChunks(opening: key, n: n, header: header)
    var offset = UInt64(Goods.headerSize)
    while offset < claim.length {
      let chunk = try read(offset, Int(min(UInt64(Goods.sealedChunkSize), claim.length - offset)))
      let opens = keys?.opens(chunk, at: UInt64(leaves.count)) ?? false
      if !opens && bad == nil { bad = (leaves.count, chunk) }
      leaves.append(Hash(of: [0] + chunk))
      offset += UInt64(chunk.count)
    }
    guard let bad else { return nil }
    let proof = try GoodsChunkProof(index: bad.index, chunk: bad.chunk, header: header, leaves: leaves)
    return proof.holds(for: claim) ? proof : nil
  }
}
