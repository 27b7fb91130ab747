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
    let asked: Asked?
    switch try await info(number).mode {
    case .announced: asked = try await askedAnnounced(number, role)
    case let way where Mode.invoices.contains(way): asked = try await askedInvoice(number, role)
    case let mode:
      guard let machine = PurchaseMachines.type(of: mode) else {
        throw ServiceError.configuration(
          "purchase \(number) runs by a protocol that this build does not know")
      }
      asked = try await self.asked(machine, number, role)
    }
    guard let asked else {
      throw ServiceError.notFound("purchase \(number) is not paid: only the merchant knows it")
    }
    return try await ask(asked, number)
  }

  /// Whom to ask, about what, and as whom.
  private struct Asked {
    let party: PublicKey
    let query: StatusQuery
    /// The token's key; nil: the purchase's pseudonym.
    var tokenKey: UInt64?
  }

  private func question(_ offer: Verified<some PromisePayload>) -> StatusQuery {
    var generator = surroundings.randomness
    return StatusQuery(n: offer.payload.n, merchant: offer.signer, nonce: .random(using: &generator))
  }

  private func offered<P: CustomerMachine>(
    _: P.Type, _ number: UInt64
  ) async throws -> (machine: P, offer: Verified<P.Offer>) {
    let machine = try await look(P.self, number).machine
    guard let offer = machine.p1 else {
      throw ServiceError.notFound("purchase \(number) has no contract: there is nothing to ask about")
    }
    return (machine, offer)
  }

  private func asked<P: PurchaseMachine>(
    _: P.Type, _ number: UInt64, _ role: Role
  ) async throws -> Asked? {
    let (machine, offer) = try await offered(P.self, number)
    let question = question(offer)
    switch (role, machine.p2?.payload) {
    case (.merchant, _): return Asked(party: offer.signer, query: question)
    case (.bank, let request?): return Asked(party: request.bank, query: question)
    case (.archive, let request?): return Asked(party: request.terms.archive, query: question)
    default: return nil
    }
  }

  /// The bank knows an announced purchase by the token's key, which is P of its lock.
  private func askedAnnounced(_ number: UInt64, _ role: Role) async throws -> Asked? {
    let (machine, order) = try await offered(AnnouncedPurchase.self, number)
    let (question, terms) = (question(order), order.payload.terms)
    if role == .merchant { return Asked(party: order.signer, query: question) }
    guard let token = machine.announcement?.payload.token,
      let coin = try await store.read({ try $0.coin(token.id) })
    else { return nil }
    let party = role == .bank ? terms.bank : terms.archive
    return Asked(party: party, query: question, tokenKey: coin.keyIndex)
  }

  /// Of an invoice the bank knows the token alone, and the archive answers complaints of its owner.
  private func askedInvoice(_ number: UInt64, _ role: Role) async throws -> Asked? {
    let (machine, invoice) = try await offered(InvoicePurchase.self, number)
    if role == .merchant { return Asked(party: invoice.signer, query: question(invoice)) }
    guard role == .bank else {
      throw ServiceError.configuration(
        "of an invoice the archive answers its token's owner alone: `acd wallet complain \(number)`")
    }
    guard ![.registering, .requested, .offered, .checked].contains(machine.phase) else { return nil }
    let coin = try await paying(info(number))
    var generator = surroundings.randomness
    let query = StatusQuery(
      n: nil, merchant: nil, nonce: .random(using: &generator), serial: seed.serial(coin.serialIndex),
      archive: coin.archive.flatMap(PublicKey.init(hex:)))
    return Asked(party: invoice.payload.terms.bank, query: query, tokenKey: coin.keyIndex)
  }

  private func ask(_ asked: Asked, _ number: UInt64) async throws -> PurchaseAnswer {
    let pseudonym = try await info(number).pseudonymIndex
    let answer =
      if let key = asked.tokenKey {
        try await answer(to: asked.query, at: asked.party, as: seed.tokenKey(key))
      } else {
        try await answer(to: asked.query, at: asked.party, as: seed.pseudonymKey(pseudonym))
      }
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
        let offer = try CustomerMachines.offer(of: info.mode, kind: PurchaseInfo.kind, key: key, in: tx)
        let evidence = try tx.message(kind: PurchaseInfo.kind, key: key, label: Label.evidence.rawValue)
        guard Retention.mayForget(phase, evidence: evidence != nil),
          Retention.isOver(offer?.lifetime ?? info.startedAt, keepSeconds: keepSeconds, at: now)
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
