// Evidence out of a wallet: the messages of a purchase, the sealed goods, and what is wrong with them.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// All that the wallet kept of a purchase, for a judge. While the purchase is not delivered, the tokens'
  /// keys sign a demand for their value too: the bank has to account for them. `asking`: the bank is asked at
  /// once, and its signed answers go with the demands, if it gives any.
  public func evidence(_ number: UInt64, asking: Bool = false) async throws -> EvidenceExport {
    guard let machine = CustomerMachines.type(of: try await info(number).mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    return try await evidence(machine, number, asking: asking)
  }

  private func evidence<P: CustomerMachine>(
    _: P.Type, _ number: UInt64, asking: Bool
  ) async throws -> EvidenceExport {
    let (messages, machine) = try await store.read { tx in
      let (_, machine) = try self.load(P.self, tx, number)
      return (try tx.signedMessages(kind: PurchaseInfo.kind, key: RowKey.number(number)), machine)
    }
    // Of an ended purchase too: the bank has to say what became of the tokens.
    var inputs = messages.lazy.map { P.inputs(of: $0) }.first { !$0.isEmpty } ?? []
    if inputs.isEmpty { inputs = try await invoiced(number) }
    var export = EvidenceExport(
      machine.phase == .delivered ? messages : messages + (try await demands(inputs, asking: asking)))
    export.tokens = inputs.map(\.token.id.description)
    export = try await store.read { [export] in
      try export.withProofs(in: $0).withTimestamps(of: PurchaseInfo.kind, RowKey.number(number), in: $0)
    }
    guard let n = machine.p1?.payload.n else { return export }
    for goods in ciphertexts(machine, n) where FileManager.default.fileExists(atPath: goods.path) {
      export.sealedGoods.append(goods.path)
      guard export.badChunk == nil, let key = goods.key else { continue }
      let proof = try await surroundings.offTheLoop {
        try Self.badChunk(goods.path, key: key, n, goods.claim)
      }
      export.badChunk = proof.map { Data($0.encoded) }
    }
    return export
  }

  /// The ciphertext of a purchase, or of all purchases of a series, with the keys as far as they are known.
  private func ciphertexts<P: CustomerMachine>(
    _ machine: P, _ n: TransactionID
  ) -> [(path: String, key: [UInt8]?, claim: GoodsClaim)] {
    guard let series = machine as? SeriesPurchase else {
      return machine.goods.map { [(sealedPath(n), machine.goodsKey, $0)] } ?? []
    }
    let last = max(series.series?.count ?? 0, series.committed ?? 0)
    return (0...last).compactMap { index in
      series.goods(index).map { (sealedPath(n, index), series.key(index), $0) }
    }
  }

  /// The token that was endorsed for an invoice: no message of the wallet holds it before M shows its
  /// deposit.
  private func invoiced(_ number: UInt64) async throws -> [TokenInput] {
    let info = try await info(number)
    guard info.token != nil else { return [] }
    let coin = try await paying(info)
    return [TokenInput(token: try coin.decoded(), amount: coin.value)]
  }

  private func demands(_ inputs: [TokenInput], asking: Bool) async throws -> [[UInt8]] {
    var generator = surroundings.randomness
    var result: [[UInt8]] = []
    var asking = asking
    for input in inputs {
      guard let coin = try await store.read({ try $0.coin(input.token.id) }) else { continue }
      guard canSign(for: coin) else {
        report(.note("no demand for a token on a card: say --card to have the card sign it"))
        continue
      }
      let query = StatusQuery(input.token, nonce: .random(using: &generator))
      let demand = try sign(query, for: coin).bytes
      result.append(demand)
      guard asking else { continue }
      // A bank that cannot be reached is not asked again and again.
      guard let answer = try? await exchange(demand, with: input.token.bank) else {
        asking = false
        continue
      }
      if (try? Verified<StatusAnswer>(answer, by: .key(input.token.bank))) != nil { result.append(answer) }
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
    let proof = GoodsChunkProof(index: bad.index, chunk: bad.chunk, header: header, leaves: leaves)
    return proof.holds(for: claim) ? proof : nil
  }
}
