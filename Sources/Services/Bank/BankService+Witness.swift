// What a bank does with locks of whatever mode, where the message does not say which: the row does.

import Messages
import Parties
import Storage

extension BankService {
  /// P5c names the lock of whatever mode: the row says which.
  func witnessed(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let claims = try Unverified<P5c>(bytes).claims
    let row = try await node.store.read {
      try $0.machine(kind: Self.kind, key: RowKey.transaction(claims.merchant, claims.n))
    }
    guard let row, let mode = try LockModes.types(of: ModeRow(row).mode) else {
      let denial = Denial(.unknownTransaction, "this bank holds no lock for it")
      return try node.refuse(denial, request: bytes)
    }
    func go<M: LockMode>(_: M.Type) async throws -> [UInt8]? {
      try await decide(try Outcome<M>(bytes, trust: node.trust.list))
    }
    return try await go(mode)
  }

  /// The authorization on which the lock in this row was made.
  func locking(_ tx: any StoreTransaction, _ rowKey: [UInt8]) throws -> [[UInt8]] {
    try Self.requestLabels.compactMap {
      try tx.message(kind: Self.kind, key: rowKey, label: $0.rawValue)
    }
  }
}
