// What a restored wallet's coins hold for purchases, made to agree with what the bank says of both.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// Payments in this store that have not ended.
  func openRequests() async throws -> [any FoundPurchase] {
    try await store.read { tx in
      var found: [any FoundPurchase] = []
      for phase in [PurchasePhase.announced, .authorised, .locked] {
        let rows = try tx.machines(kind: PurchaseInfo.kind, phase: phase.rawValue, after: nil, limit: 10_000)
        for row in rows {
          found += foundPurchases(
            try tx.messages(kind: PurchaseInfo.kind, key: row.key).map(\.bytes))
        }
      }
      return found
    }
  }

  /// Makes the coins say what the bank says, and hold what the purchases that are taken up will spend or
  /// free. What the bank has locked or spent for such a purchase counts as still there and held: its outcome
  /// takes it away. Coins of the purchases in `freeing` hold nothing for these. Asked until nothing changed
  /// meanwhile.
  func settleCoins(
    _ purchases: [any FoundPurchase], freeing leftOut: [any FoundPurchase] = []
  ) async throws {
    guard !(purchases + leftOut).isEmpty else { return }
    var known = try await settled(purchases)
    for _ in 0..<8 {
      var coins: [Hash: Coin] = [:]
      for purchase in purchases + leftOut {
        for input in purchase.inputs where coins[input.token.id] == nil {
          guard var coin = try await store.read({ try $0.coin(input.token.id) }), canSign(for: coin)
          else { continue }
          (coin.rest, coin.held) = (try await ask(coin).rest, 0)
          coins[input.token.id] = coin
        }
      }
      let again = try await settled(purchases)
      guard again == known else {
        known = again
        continue
      }
      for purchase in purchases {
        for input in purchase.inputs {
          coins[input.token.id]?.held += input.amount
        }
        for input in known[purchase.hash] ?? [] { coins[input.token.id]?.rest += input.amount }
      }
      let rows = coins
      try await store.write { tx in
        for (id, coin) in rows.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
          try tx.putCoin(coin, id: id)
        }
      }
      return
    }
    throw ServiceError.unreachable("the bank has changes all the time: try again later")
  }

  /// What the bank has taken of the tokens for each of these purchases.
  private func settled(_ purchases: [any FoundPurchase]) async throws -> [Hash: [TokenInput]] {
    var taken: [Hash: [TokenInput]] = [:]
    for purchase in purchases {
      let known = try await store.read { tx -> Coin? in
        for input in purchase.inputs {
          if let coin = try tx.coin(input.token.id), self.canSign(for: coin) { return coin }
        }
        return nil
      }
      guard let coin = known else { continue }
      let answer = try await lockStatus(of: purchase, for: coin)
      taken[purchase.hash] = purchase.taken(answer.payload)
    }
    return taken
  }

  /// What the lock's bank says of a purchase to one of its tokens' keys.
  func lockStatus(of purchase: any FoundPurchase, for coin: Coin) async throws -> Verified<StatusAnswer> {
    var generator = surroundings.randomness
    let (n, merchant) = (purchase.terms.n, purchase.terms.merchant)
    let query = StatusQuery(n: n, merchant: merchant, nonce: .random(using: &generator))
    return try await answer(to: sign(query, for: coin), at: purchase.bank)
  }
}
