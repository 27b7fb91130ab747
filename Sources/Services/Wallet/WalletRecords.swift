// What a customer asks others about its money and purchases, and what it lets go of.

import Foundation
public import Messages
import Parties
import Storage

/// What a party says of a purchase, signed.
public struct PurchaseAnswer: Codable, Equatable, Sendable {
  /// "open", "locked", "committed", "aborted", … as docs/SPEC.md names them.
  public var state: String
  /// The messages that it shows for it.
  public var proof: [String]
}

/// One order of tokens, as the bank's account shows it.
public struct AccountOrder: Codable, Equatable, Sendable {
  public var amount: String
  public var tokens: Int
}

/// An account as its bank states it, signed.
public struct AccountStatement: Codable, Equatable, Sendable {
  public var bank: String
  public var balance: String
  public var orders: [AccountOrder]
}

extension Wallet {
  /// Asks the purchase's merchant, bank or archive where it stands. The answer is kept with the purchase.
  public func ask(_ number: UInt64, at role: Role) async throws -> PurchaseAnswer {
    guard let machine = PurchaseMachines.type(of: try await info(number).mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    return try await ask(machine, number, role)
  }

  private func ask<P: PurchaseMachine>(
    _: P.Type, _ number: UInt64, _ role: Role
  ) async throws -> PurchaseAnswer {
    let (info, machine) = try await look(P.self, number)
    guard let p1 = machine.p1 else {
      throw ServiceError.notFound("purchase \(number) has no contract: there is nothing to ask about")
    }
    let party: PublicKey
    switch (role, machine.p2?.payload) {
    case (.merchant, _): party = p1.signer
    case (.bank, let request?): party = request.bank
    case (.archive, let request?): party = request.terms.archive
    default: throw ServiceError.notFound("purchase \(number) is not paid: only the merchant knows it")
    }
    let answer = try await status(of: p1.payload.n, p1.signer, at: party, pseudonym: info.pseudonymIndex)
    try await store.write {
      try $0.keep(
        Label(.status), answer.bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
    }
    return PurchaseAnswer(
      state: "\(answer.payload.state)",
      proof: answer.payload.proof.map { (try? MessageType(peeking: $0).label) ?? "?" })
  }

  /// The account at a bank: its balance, and all tokens that were ever withdrawn from it.
  public func statement(bank name: String?) async throws -> AccountStatement {
    let bank = try party(.bank, named: name)
    var statement = AccountStatement(bank: bank.name, balance: "", orders: [])
    var from: UInt64? = 0
    while let start = from {
      let page = try await accountPage(bank, from: start)
      statement.balance = page.balance.description
      for index in stride(from: 0, to: page.history.count - 1, by: 2) {
        let w1 = try Verified<W1>(page.history[index], by: .key(accountKey)).payload
        statement.orders.append(AccountOrder(amount: w1.amount.description, tokens: w1.outputs.count))
      }
      from = page.history.isEmpty ? nil : page.next
    }
    return statement
  }

  /// Forgets purchases that ended, `keepSeconds` after their contracts' lifetimes: messages, receipts and
  /// sealed goods; what was delivered stays where it is. Open ones stay, and those with evidence.
  /// - Returns: how many are gone.
  public func prune(keepSeconds: UInt64) async throws -> Int {
    let now = clock()
    let refunding = Set(try await openRefunds().map(\.row.number))
    var gone = 0
    for summary in try await purchases() where !summary.isOpen && !refunding.contains(summary.number) {
      let key = RowKey.number(summary.number)
      let items = try await self.info(summary.number).series?.items.count ?? 1
      let n = try await store.write { tx -> TransactionID? in
        guard let (row, info) = try tx.purchase(summary.number),
          let phase = PurchasePhase(rawValue: row.phase)
        else { return nil }
        let offer = try ContractModes.offer(of: info.mode, kind: PurchaseInfo.kind, key: key, in: tx)
        let evidence = try tx.message(kind: PurchaseInfo.kind, key: key, label: Label.evidence.rawValue)
        guard Retention.mayForget(phase, evidence: evidence != nil),
          Retention.isOver(
            offer?.contract.lifetime ?? info.startedAt, keepSeconds: keepSeconds, at: now)
        else { return nil }
        try tx.deleteMessages(kind: PurchaseInfo.kind, key: key)
        try tx.deleteMachine(kind: PurchaseInfo.kind, key: key)
        return offer?.n ?? TransactionID([UInt8](repeating: 0, count: TransactionID.size))
      }
      guard let n else { continue }
      for item in 0..<UInt64(items) { try? FileManager.default.removeItem(atPath: sealedPath(n, item)) }
      gone += 1
    }
    return gone
  }
}
