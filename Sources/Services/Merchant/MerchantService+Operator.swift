// What the operator decides about a sale.

import Messages
import Parties
import Storage

extension MerchantService {
  /// Gives a sale up. Once more changes nothing.
  /// - Throws: `ServiceError.notFound`; `ServiceError.refused` when the sale is with the archive already.
  func giveUp(_ n: TransactionID) async throws { try await operate(GivenUp(), n) }

  /// Ends a series: what there is goes to the archive. Once more is refused.
  /// - Throws: `ServiceError.notFound`; `ServiceError.refused` when there is no open series.
  func finish(_ n: TransactionID) async throws { try await operate(Closed(), n) }

  private func operate(_ event: some SaleEvent, _ n: TransactionID) async throws {
    try await node.store.write { [self] tx in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes) else {
        throw ServiceError.notFound("there is no sale \(n)")
      }
      for case .refuse(let denial) in try happen(event, n, row, tx, request: []).effects {
        throw ServiceError.refused(code: "\(denial.reason)", detail: denial.detail)
      }
    }
    kick()
  }
}
