// What only the customer can give a merchant is handed over until the merchant answers, less and less often.

import Testing

@testable import Services

@Suite("Handover")
struct HandoverTests {
  private var four: Handover {
    Handover([1], to: publicKey(1), ifRefused: "it is free later", ifAway: "it has some time")
  }

  /// The rounds, of so many, in which something is sent; the merchant answers from round `back` on.
  private func tries(of rounds: Int, back: Int = .max) -> [Int] {
    var handover = four
    return (0..<rounds).filter { round in
      guard handover.isDue() else { return false }
      if round >= back { handover.end() }
      return true
    }
  }

  @Test(
    "a merchant that is away is tried again, soon at first, then every few rounds, without end"
  )
  func again() {
    #expect(tries(of: 20) == [0, 1, 3, 7, 11, 15, 19])
    #expect(tries(of: 600).count < 160)
    #expect(tries(of: 600).last! > 590)
  }

  @Test("a merchant that has answered is left alone")
  func once() {
    #expect(tries(of: 100, back: 0) == [0])
    #expect(tries(of: 100, back: 5) == [0, 1, 3, 7])
  }
}
