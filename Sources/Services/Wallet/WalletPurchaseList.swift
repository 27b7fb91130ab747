// What the wallet shows of its purchases: the list, receipts, messages.

import Foundation
public import Messages
import Parties
import Storage

extension Wallet {
  /// All purchases, the oldest first.
  public func purchases() async throws -> [PurchaseSummary] {
    let rows = try await store.read {
      try $0.machines(kind: PurchaseInfo.kind, phase: nil, after: nil, limit: 10_000)
    }
    var result: [PurchaseSummary] = []
    for row in rows {
      let info = try JSONDecoder().decode(PurchaseInfo.self, from: Data(row.data))
      let mode = info.mode
      let n = try await store.read { tx in
        try CustomerMachines.offer(
          of: mode, kind: PurchaseInfo.kind, key: RowKey.number(info.number), in: tx)?.n
      }
      let merchant = PublicKey(hex: info.merchant).flatMap { key in trust.list.entries.first { $0.key == key }
      }
      result.append(
        PurchaseSummary(
          number: info.number, protocol: info.mode.name,
          phase: PurchasePhase(rawValue: row.phase).map { "\($0)" } ?? "?",
          price: info.price, name: info.name, description: info.description,
          transaction: n?.description, merchant: merchant?.name ?? info.merchant,
          startedAt: info.startedAt, output: info.output))
    }
    return result
  }

  /// The receipt of a paid purchase.
  public func receipt(_ number: UInt64) async throws -> Receipt {
    let info = try await info(number)
    guard info.mode == .core else {
      throw ServiceError.configuration(
        "receipts for a counter are made of core purchases; this one is \(info.mode.name)")
    }
    guard let p5a = try? await message(number, .p5a) else {
      throw ServiceError.notFound("purchase \(number) is not paid, so there is no receipt")
    }
    let p1 = try Verified<P1>(stored: try await message(number, .p1))
    // A restored wallet may not know the description any more: none is better than another one.
    let known =
      Hash.description(info.description, salt: p1.payload.salt) == p1.payload.contract.descriptionHash
    let proof = try await proofs.renewed(try Outcome<CoreMode>(stored: p5a))
    return Receipt(
      p1: p1.bytes, p5a: p5a, description: known ? info.description : nil,
      proof: try proof.map { text throws(MessageError) in try TlogProof.packed(text) })
  }

  /// The signed messages of a purchase, by label, as they went over the wire.
  public func messages(_ number: UInt64) async throws -> [(label: String, bytes: [UInt8])] {
    try await store.read { tx in
      try tx.messages(kind: PurchaseInfo.kind, key: RowKey.number(number)).map { ($0.label, $0.bytes) }
    }
  }
}
