// What the bank answers to those who ask: of a purchase, a token, an account. Each learns only what is its
// own.

import Foundation
import Messages
import Parties
import Storage

extension BankService {
  func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.read { [self] tx in
      if let serial = query.payload.serial {
        return try tokenStatus(tx, query, serial, at: now)
      }
      guard let n = query.payload.n, let merchant = query.payload.merchant else {
        return try node.refuse(
          Denial(.malformed, "the query names neither a transaction nor a token"), request: query.bytes)
      }
      var answer = StatusAnswer(at: now, hQuery: query.hash, proof: [], state: .unknown)
      let rowKey = RowKey.transaction(merchant, n)
      if let row = try tx.machine(kind: Self.kind, key: rowKey),
        let mode = try LockModes.types(of: ModeRow(row).mode),
        let (state, proof) = try known(mode, tx, rowKey, to: query.signer)
      {
        (answer.state, answer.proof) = (state, proof)
      }
      return try sign(answer)
    }
  }

  /// What the parties of a purchase may know of its lock; nil for anybody else.
  private func known<M: PurchaseMode>(
    _: M.Type, _ tx: any StoreTransaction, _ rowKey: [UInt8], to asker: PublicKey
  ) throws -> (TransactionState, [[UInt8]])? {
    guard let machine = try load(M.self, tx, rowKey), let lock = machine.p3,
      let stored = try tx.message(kind: Self.kind, key: rowKey, label: Label(M.requestType).rawValue)
    else { return nil }
    let terms = lock.payload.terms
    let request = try Verified<M.Request>(stored: stored).payload
    let tokens = (request as? any SignedByTokens)?.tokenInputs.map(\.token.key) ?? []
    guard ([terms.pseudonym, terms.merchant] + tokens).contains(asker) else { return nil }
    let state: TransactionState =
      switch machine.phase {
      case .absent: .unknown
      case .locked: .locked
      case .settled: .committed
      case .released: .aborted
      }
    return (state, [lock.bytes] + (machine.outcome.map { [$0.bytes] } ?? []))
  }

  private func tokenStatus(
    _ tx: any StoreTransaction, _ query: Verified<StatusQuery>, _ serial: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    let id = Hash.token(key: query.signer, serial: serial)
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
}
