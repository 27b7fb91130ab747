// What kiosks tell the archive of parcels: kept beside the commit that the customer showed, so that a second
// office hears of the first one's hand-over.
//
// Invariant: it changes no outcome, and is shown to kiosks alone, in answer to a record of their own.

import Messages
import Parties
import Storage

struct ArchiveDeliveries: Sendable {
  let node: Node
  private static let kind = "delivery"

  /// [D1, D2, …, D3]: answered by the final records that other kiosks signed of the same sale.
  func take(_ bundle: Messages.Bundle) async throws -> [UInt8] {
    let record = try DeliveryRecord(bundle.messages, trust: node.trust.list)
    guard let d1 = record.challenge?.payload else {
      throw MessageError(.malformed, "missing-field", "delivery record: D1")
    }
    let now = node.clock()
    return try await node.store.write { tx in
      let known = try tx.records(merchant: d1.merchant.bytes, n: d1.n.bytes).contains {
        $0.kind == .commit && Hash(of: $0.body) == d1.hP5a
      }
      guard known else {
        return try node.refuse(
          Denial(.unknownTransaction, "there is no such commit"), request: record.final.bytes)
      }
      let key = RowKey.transaction(d1.merchant, d1.n)
      let others = try tx.messages(kind: Self.kind, key: key).filter {
        (try? Verified<D3>(stored: $0.bytes))?.signer != record.kiosk
      }
      try tx.keep(Label(.d3), record.final.bytes, kind: Self.kind, key: key)
      let answer = StatusAnswer(
        at: now, hQuery: record.final.hash, proof: others.prefix(8).map(\.bytes), state: .committed)
      return try Verified(signing: answer, with: node.identity.signing).bytes
    }
  }
}
