// Bids, counter-offers and saying no: what comes before a contract, and instead of a payment.

import Foundation
public import Messages
import Parties
import Storage

/// The merchant would sell at another price; the purchase waits for the customer.
public struct CounterOffer: Error, CustomStringConvertible {
  public let number: UInt64
  public let price: Money
  /// Until when the merchant is bound.
  public let until: Timestamp
  public var description: String {
    "the merchant asks \(price): `acd wallet accept \(number)`, `acd wallet bid \(number) PRICE`, or "
      + "`acd wallet decline \(number)`"
  }
}

extension Wallet {
  /// What was bid and answered in a purchase so far.
  func negotiation(_ number: UInt64) async throws -> CustomerNegotiation {
    try await store.read { tx in
      let kept = try tx.messages(kind: PurchaseInfo.kind, key: RowKey.number(number))
      return try CustomerNegotiation(kept.map { (Label(rawValue: $0.label), $0.bytes) })
    }
  }

  /// N2 came. Up to `most` it is accepted: then the next N1 is kept, to be sent. Otherwise it is the
  /// customer's turn.
  func countered(_ n2: Verified<N2>, _ number: UInt64, most: Money?) async throws {
    let now = clock()
    let effects = try await negotiation(number).countered(n2, at: now)
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try await store.write {
          try $0.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
        }
      case .deny(let denial): throw ServiceError.protocolViolation(denial.detail)
      default: break
      }
    }
    let price = n2.payload.price
    guard let most, most.currency == price.currency, price.amount <= most.amount else {
      throw CounterOffer(number: number, price: price, until: n2.payload.until)
    }
    report(.note("the merchant asks \(price), which is within what you allowed"))
    try await keepBid(number, price: nil)
  }

  /// Signs the next bid and keeps it; nil accepts what the merchant asks.
  private func keepBid(
    _ number: UInt64, price: Money?, output: String? = nil,
    choosing: @escaping @Sendable (inout PurchaseChoices) -> Void = { _ in }
  ) async throws {
    let negotiation = try await negotiation(number)
    var generator = surroundings.randomness
    let bid: N1
    do { bid = try negotiation.next(price: price, nonce: .random(using: &generator), at: clock()) } catch {
      throw ServiceError.configuration("\(error.detail); nothing was paid")
    }
    let n1 = try Verified(signing: bid, with: seed.pseudonymKey(try await info(number).pseudonymIndex))
    try await store.write { tx in
      guard let (row, info) = try tx.purchase(number), row.phase == PurchasePhase.requested.rawValue else {
        throw ServiceError.configuration("purchase \(number) has a contract already, or has ended")
      }
      var changed = info
      changed.price = bid.price.description
      changed.output = output ?? info.output
      var choices = info.chosen
      choosing(&choices)
      changed.choices = choices
      try tx.keep(.n1, n1.bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
      try tx.putPurchase(changed, phase: .requested, due: nil)
    }
  }

  /// Answers a counter-offer, by another price or by nil to accept it, and goes on with the purchase, as it
  /// was begun or as `choosing` changes it.
  public func bid(
    _ number: UInt64, price: Money?, output: String? = nil,
    choosing: @escaping @Sendable (inout PurchaseChoices) -> Void = { _ in }
  ) async throws {
    try await keepBid(number, price: price, output: output, choosing: choosing)
    try await advance(number)
  }

  // MARK: Saying no

  /// Tells the merchant that the customer does not want it. Before the payment that ends the purchase; after
  /// it, only the record does: the merchant cancels if it still can, and `resume` takes what comes of it.
  /// - Returns: whether the purchase has ended.
  public func decline(_ number: UInt64) async throws -> Bool {
    guard let machine = CustomerMachines.type(of: try await info(number).mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    return try await decline(machine, number)
  }

  private func decline<P: CustomerMachine>(_: P.Type, _ number: UInt64) async throws -> Bool {
    let pseudonym = try await info(number).pseudonymIndex
    try await apply(P.self, number) { [seed] machine in
      try machine.declined(pseudonym: seed.pseudonymKey(pseudonym))
    }
    let (info, machine) = try await look(P.self, number)
    guard let nak = try? await message(number, .nak), let merchant = PublicKey(hex: info.merchant) else {
      return machine.phase.isFinal
    }
    do {
      if let reply = try await exchange(nak, with: merchant),
        let refusal = try? Verified<Refusal>(reply, by: .key(merchant))
      {
        throw RefusedByPeer(refusal: refusal)
      }
    } catch  where machine.phase.isFinal {
      // Whatever the merchant says or does not say: nothing was paid.
      report(.note("the merchant could not be told: \(error)"))
    }
    return machine.phase.isFinal
  }
}
