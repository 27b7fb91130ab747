// What a coin offers to a purchase.

import Foundation
import Messages
import Testing

@testable import Services

@Suite("Coins in a wallet")
struct WalletCoinTests {
  @Test(
    "A coin offers what nothing holds, and nothing where more is held than is left",
    arguments: [
      (10, 10, 0, 10), (10, 7, 3, 4), (10, 5, 5, 0), (10, 5, 10, 0), (10, 0, 10, 0),
    ] as [(UInt64, UInt64, UInt64, UInt64)])
  func available(value: UInt64, rest: UInt64, held: UInt64, free: UInt64) throws {
    let coin = Coin(
      keyIndex: 0, serialIndex: 0, token: Data(), currency: "EUR", value: value, rest: rest, held: held,
      spendUntil: 1)
    #expect(coin.available == free)
  }
}
