// What a token's owner and an account's owner may ask the bank, and what it knows of a settled lock.

import Messages
import Parties
import Storage

extension BankService {
  func tokenStatus(
    _ tx: any StoreTransaction, _ query: Verified<StatusQuery>, _ serial: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    let place = query.payload.issuer.flatMap { TokenPlace(bank: bank, issuer: $0) }
    let id = Hash.token(key: query.signer, serial: serial, archive: query.payload.archive, place: place)
    guard let row = try tx.token(id.bytes) else {
      return try sign(StatusAnswer(at: now, hQuery: query.hash, proof: [], state: .available))
    }
    let rest = row.value - row.spent - row.locked
    let state: TransactionState = rest > 0 ? .available : row.locked > 0 ? .locked : .spent
    return try sign(
      StatusAnswer(
        remainder: Money(currency: row.currency, amount: UInt64(rest)), at: now, hQuery: query.hash,
        proof: try uses(tx, id, limit: 30), state: state))
  }

  func account(_ query: Verified<AccountQuery>) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.read { [self] tx in
      guard query.payload.bank == bank, let account = try tx.account(key: query.signer.bytes) else {
        return try node.refuse(Denial(.noSuchAccount, "no account has this key"), request: query.bytes)
      }
      let page = try tx.messages(
        kind: "withdrawals/\(account.id)", label: "W1", after: Int64(query.payload.from), limit: 1)
      var history: [[UInt8]] = []
      for entry in page {
        guard let w2 = try tx.message(kind: "withdrawal", key: entry.key, label: "W2") else { continue }
        history += [entry.bytes, w2]
      }
      return try sign(
        AccountAnswer(
          balance: Self.balance(account)!, at: now, hQuery: query.hash, history: history,
          next: page.last.map { UInt64($0.sequence) }))
    }
  }

  /// L and the terms of the lock of (M, n), if it was settled, in any mode.
  func settled(_ tx: any StoreTransaction, _ rowKey: [UInt8]) throws -> (name: Hash, terms: LockTerms)? {
    func go<M: LockMode>(_: M.Type) throws -> (name: Hash, terms: LockTerms)? {
      guard let machine = try load(M.self, tx, rowKey), machine.phase == .settled else { return nil }
      return machine.p3.map { ($0.hash, $0.payload.terms) }
    }
    guard let row = try tx.machine(kind: Self.kind, key: rowKey) else { return nil }
    let mode = try ModeRow(row).mode
    if mode == .compact { return try settledPairing(tx, rowKey) }
    return try LockModes.types(of: mode).flatMap { try go($0) }
  }
}
