// What the operator decides about a sale.

import Messages
import Parties
import Storage

extension MerchantService {
  /// Gives a sale up. Once more changes nothing.
  /// - Throws: `ServiceError.notFound`; `ServiceError.refused` when the sale is with the archive already.
  func giveUp(_ n: TransactionID) async throws {
    let now = node.clock()
    try await node.store.write { [self] tx in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes),
        let phase = MerchantSale.Phase(rawValue: row.phase)
      else { throw ServiceError.notFound("there is no sale \(n)") }
      var machine = try MerchantSale(
        phase: phase, messages: tx.labelled(kind: Self.kind, key: n.bytes), k: row.data)
      let effects = try machine.givenUp(key: node.identity.signing)
      for case .refuse(let denial) in effects {
        throw ServiceError.refused(code: "\(denial.reason)", detail: denial.detail)
      }
      _ = try apply(tx, effects, n, k: row.data, request: [], at: now)
    }
    kick()
  }
}
