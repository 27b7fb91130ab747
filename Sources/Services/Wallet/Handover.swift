// What the merchant has to have before it can act, and what only the customer can give it: handed over until
// the merchant answers, while the wallet waits for what comes of it.
//
// Invariant: a merchant that is away for a while gets it when it is back; one that stays away is asked every
// few rounds, not in each.

import Messages
import Parties

/// Something on its way to a merchant.
struct Handover {
  /// Rounds between two tries, at most: a few seconds (see `Rounds`).
  private static let pauseMax = 4

  let bytes: [UInt8]
  let merchant: PublicKey
  /// What a person is told where the merchant refuses it, and where it cannot be reached.
  let ifRefused, ifAway: String
  /// The merchant has answered: it has it, or does not want it.
  private(set) var isOver = false
  private var round = 0
  private var next = 0
  private var pause = 1

  init(_ bytes: [UInt8], to merchant: PublicKey, ifRefused: String, ifAway: String) {
    (self.bytes, self.merchant, self.ifRefused, self.ifAway) = (bytes, merchant, ifRefused, ifAway)
  }

  /// A round begins: whether it is time to try.
  mutating func isDue() -> Bool {
    defer { round += 1 }
    guard !isOver, round >= next else { return false }
    next = round + pause
    pause = min(pause * 2, Self.pauseMax)
    return true
  }

  var isUntried: Bool { round == 0 }

  mutating func end() { isOver = true }
}

extension Wallet {
  /// In each round of waiting: hands it over, when it is time. Whatever the merchant says to it, the purchase
  /// goes on without that; a person is told once.
  func hand(_ handover: inout Handover) async {
    let isFirst = handover.isUntried
    guard handover.isDue() else { return }
    do {
      let reply = try await exchange(handover.bytes, with: handover.merchant)
      handover.end()
      if let refusal = reply.flatMap({ try? Verified<Refusal>($0, by: .key(handover.merchant)) }) {
        report(.note("the merchant: \(RefusedByPeer(refusal: refusal)); \(handover.ifRefused)"))
      }
    } catch {
      if isFirst { report(.note("the merchant cannot be reached now: \(handover.ifAway)")) }
    }
  }
}
