// Which bank a purchase is paid from, and with which tokens.
//
// Invariant: tokens of a named customer's key and anonymous ones never pay together, nor one for the other.

import BlindTokens
import Foundation
import Messages
import Parties
import Storage

/// A token and how much of it a purchase uses.
struct ChosenCoin {
  var id: [UInt8]
  var coin: Coin
  var amount: UInt64
}

extension Wallet {
  /// The bank to pay from and the tokens to pay with: the bank that was named, or the first of the contract's
  /// at which there are enough. A named customer's tokens are withdrawn now.
  func choose(
    _ contract: Contract, at price: Money, _ choices: PurchaseChoices, named: Bool
  ) async throws -> (TrustEntry, [ChosenCoin]) {
    let banks =
      try choices.bank.map { [try party(.bank, named: $0)] } ?? contract.banks.compactMap { try? entry($0) }
    var failure = "the contract names no bank that the trust list has"
    for bank in banks {
      do {
        if named { try await fund(price, at: bank) }
        let coins = try await coins(price.currency, at: bank, named: named, onCard: choices.card == true)
        return (bank, try select(contract, at: price, from: coins, reuseKey: choices.reuseKey))
      } catch let error as ChangeError {
        failure = "\(bank.name): \(Self.reason(error, price.currency))"
      } catch let refused as RefusedByPeer { failure = "\(refused)" }
    }
    throw ServiceError.insufficientFunds("not enough tokens for \(price): \(failure)")
  }

  /// Why these tokens do not pay, and what makes them.
  private static func reason(_ error: ChangeError, _ currency: String) -> String {
    func text(_ amount: UInt64) -> String { Money(currency: currency, amount: amount)?.description ?? "0" }
    switch error {
    case .insufficient(_, let available, let early):
      let late = early == 0 ? "" : "; \(text(early)) more end too early: `acd wallet exchange` renews them"
      return "there are \(text(available))\(late)"
    case .tooManyTokens(_, let payable, let limit):
      return "\(limit) tokens, the most that pay together, are worth \(text(payable)):"
        + " `acd wallet exchange --all` makes few large ones of many small ones"
    case .zeroAmount, .denominations, .notMultiple, .tooManyParts, .overflow: return "\(error)"
    }
  }

  private func coins(
    _ currency: String, at bank: TrustEntry, named: Bool, onCard: Bool = false
  ) async throws -> [(id: [UInt8], coin: Coin)] {
    try await store.read { try $0.identifiedCoins(onCard: onCard) }.filter {
      try $0.coin.usableAt() == bank.key.description && $0.coin.currency == currency
        && $0.coin.archive == nil && $0.coin.available > 0
        && ($0.coin.keyIndex == WalletSeed.account) == named
    }
  }

  /// Sees to it that the account's own key has tokens for this price.
  private func fund(_ price: Money, at bank: TrustEntry) async throws {
    let have = try await coins(price.currency, at: bank, named: true).reduce(0) { $0 + $1.coin.available }
    guard have < price.amount, let missing = Money(currency: price.currency, amount: price.amount - have)
    else {
      return
    }
    try await withdrawNamed(missing, bank)
  }

  private func select(
    _ contract: Contract, at price: Money, from coins: [(id: [UInt8], coin: Coin)], reuseKey: Bool
  ) throws(ChangeError) -> [ChosenCoin] {
    if reuseKey {
      // The key whose tokens leave the least behind, of several the oldest.
      let byKey = Dictionary(grouping: coins, by: \.coin.keyIndex)
        .filter { $0.value.count > 1 || $0.value[0].coin.available >= price.amount }
        .map { (total: $0.value.reduce(0) { $0 + $1.coin.available }, key: $0.key, coins: $0.value) }
        .sorted { ($0.total, $0.key) < ($1.total, $1.key) }
      for own in byKey.map(\.coins) {
        if let chosen = try? select(contract, at: price, from: own, reuseKey: false) { return chosen }
      }
    }
    let byID = Dictionary(coins.map { ($0.id, $0.coin) }) { first, _ in first }
    let chosen = try TokenSelection.select(
      price: price.amount,
      from: coins.map { SpendableToken(id: $0.id, value: $0.coin.available, expires: $0.coin.spendUntil) }
        .sorted { $0.id.lexicographicallyPrecedes($1.id) }, lifetime: contract.lifetime + 1)
    return chosen.map { ChosenCoin(id: $0.id, coin: byID[$0.id]!, amount: $0.amount) }
  }
}
