// Which tokens pay a price: compared with trying every subset of small wallets, and properties of large ones.

import Testing

@testable import BlindTokens

@Suite("Choosing tokens for a price")
struct TokenSelectionTests {
  private func token(_ name: Int, _ value: UInt64, expires: UInt64 = 1000) -> SpendableToken {
    SpendableToken(id: [UInt8(name >> 8), UInt8(name & 255)], value: value, expires: expires)
  }

  private func wallet(_ values: [UInt64]) -> [SpendableToken] {
    values.enumerated().map { token($0.offset, $0.element) }
  }

  private func select(_ price: UInt64, _ tokens: [SpendableToken]) throws -> [TokenAmount] {
    try TokenSelection.select(price: price, from: tokens, lifetime: 0)
  }

  /// What holds of every selection: the sum, the bounds, distinct tokens, one partial at most, in order of
  /// ending.
  private func check(
    _ chosen: [TokenAmount], price: UInt64, of tokens: [SpendableToken],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let byID = Dictionary(uniqueKeysWithValues: tokens.map { ($0.id, $0) })
    let parts = try chosen.map { (part: $0.amount, token: try #require(byID[$0.id])) }
    #expect(Set(chosen.map(\.id)).count == chosen.count, sourceLocation: sourceLocation)
    #expect(parts.map(\.part).reduce(0, +) == price, sourceLocation: sourceLocation)
    #expect(
      parts.allSatisfy { $0.part > 0 && $0.part <= $0.token.value }, sourceLocation: sourceLocation)
    let partial = parts.filter { $0.part < $0.token.value }
    #expect(partial.count <= 1, sourceLocation: sourceLocation)
    #expect(chosen.count <= 32, sourceLocation: sourceLocation)
    let endings = parts.map(\.token.expires)
    #expect(endings == endings.sorted(), sourceLocation: sourceLocation)
    if let partial = partial.first {
      #expect(partial.token.expires == endings.last, sourceLocation: sourceLocation)
    }
  }

  // MARK: Against every subset

  @Test(
    "Small wallets: as good as the best of all subsets", arguments: 1...40 as ClosedRange<UInt64>)
  func bruteForce(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    for _ in 0..<25 {
      let count = Int.random(in: 1...9, using: &generator)
      let largest = UInt64.random(in: 1...30, using: &generator)
      let tokens = (0..<count).map {
        token(
          $0, UInt64.random(in: 1...largest, using: &generator),
          expires: UInt64.random(in: 100...108, using: &generator))
      }
      let price = UInt64.random(in: 1...(tokens.map(\.value).reduce(0, +)), using: &generator)
      let chosen = try select(price, tokens.shuffled(using: &generator))
      try check(chosen, price: price, of: tokens)
      try compare(chosen, price: price, with: tokens)
    }
  }

  private func compare(
    _ chosen: [TokenAmount], price: UInt64, with tokens: [SpendableToken]
  ) throws {
    let ordered = tokens.sorted(by: TokenSelection.endsFirst)
    let subsets = (1..<(1 << ordered.count)).map { mask in
      ordered.indices.filter { mask >> $0 & 1 == 1 }
    }
    func value(_ subset: [Int]) -> UInt64 { subset.map { ordered[$0].value }.reduce(0, +) }
    func lifetime(_ subset: [Int]) -> UInt64 { subset.map { ordered[$0].expires }.reduce(0, +) }
    let ours = chosen.map { part in ordered.firstIndex { $0.id == part.id }! }
    let exact = subsets.filter { value($0) == price }
    if let best = exact.min(by: { ($0.count, lifetime($0)) < ($1.count, lifetime($1)) }) {
      #expect(value(ours) == price, "\(price) of \(ordered)")
      #expect(ours.count == best.count, "\(price) of \(ordered)")
      #expect(lifetime(ours) == lifetime(best), "\(price) of \(ordered)")
    } else {
      let enough = subsets.filter { value($0) > price }
      let fewest = enough.map(\.count).min()!
      let best = enough.filter { $0.count == fewest }.min { $0.lexicographicallyPrecedes($1) }!
      #expect(ours == best, "\(price) of \(ordered)")
    }
  }

  // MARK: Large wallets

  @Test("Whatever was withdrawn for an amount pays every price up to it exactly")
  func withdrawn() throws {
    var generator = SeededGenerator(3)
    for _ in 0..<100 {
      let amount = UInt64.random(in: 1...1_000_000, using: &generator)
      let tokens = wallet(try ChangeMaking.split(amount))
      let price = UInt64.random(in: 1...amount, using: &generator)
      let chosen = try select(price, tokens)
      try check(chosen, price: price, of: tokens)
      let values = Dictionary(uniqueKeysWithValues: tokens.map { ($0.id, $0.value) })
      #expect(chosen.allSatisfy { values[$0.id] == $0.amount }, "\(price) of \(amount)")
    }
  }

  @Test("Several hundred whole tokens and a few odd remainders: a known exact payment is found")
  func large() throws {
    var generator = SeededGenerator(4)
    for _ in 0..<20 {
      let whole = (0..<300).map { _ in UInt64(1) << UInt64.random(in: 0..<20, using: &generator) }
      let odd = (0..<8).map { _ in UInt64.random(in: 1..<(1 << 19), using: &generator) }
      let tokens = wallet(whole + odd)
      let known = tokens.shuffled(using: &generator).prefix(
        Int.random(in: 1...20, using: &generator))
      let price = known.map(\.value).reduce(0, +)
      let chosen = try select(price, tokens)
      try check(chosen, price: price, of: tokens)
      #expect(chosen.count <= known.count)
      let values = Dictionary(uniqueKeysWithValues: tokens.map { ($0.id, $0.value) })
      #expect(chosen.allSatisfy { values[$0.id] == $0.amount })
    }
  }

  @Test(
    "A wallet of odd remainders ends the search at its limit and pays with a remainder",
    .timeLimit(.minutes(1)))
  func hopeless() throws {
    var generator = SeededGenerator(5)
    // All even, the price odd: no exact payment, and too many sums to try them all.
    let tokens = wallet(
      (0..<400).map { _ in 2 * UInt64.random(in: 1_000_000..<1_000_000_000, using: &generator) })
    let chosen = try select(10_000_000_001, tokens)
    try check(chosen, price: 10_000_000_001, of: tokens)
  }

  @Test("The order of the wallet's tokens does not matter")
  func deterministic() throws {
    var generator = SeededGenerator(6)
    for _ in 0..<50 {
      let tokens = (0..<40).map {
        token(
          $0, UInt64.random(in: 1...64, using: &generator),
          expires: UInt64.random(in: 1...4, using: &generator))
      }
      let price = UInt64.random(in: 1...500, using: &generator)
      let first = try select(price, tokens)
      #expect(try select(price, tokens.shuffled(using: &generator)) == first)
    }
  }

  // MARK: Preferences

  @Test("An exact payment with many tokens goes before a remainder; fewer tokens go before more")
  func exactFirst() throws {
    #expect(try select(6, wallet([100, 2, 2, 2])).count == 3)
    #expect(try select(6, wallet([2, 2, 2, 4, 6])) == [TokenAmount(id: [0, 4], amount: 6)])
    #expect(try select(7, wallet([100, 2, 2, 2])) == [TokenAmount(id: [0, 0], amount: 7)])
  }

  @Test("Of equal tokens, those that end first are spent; a remainder stays where it lasts")
  func endingFirst() throws {
    let equal = [token(1, 5, expires: 30), token(2, 5, expires: 10), token(3, 5, expires: 20)]
    #expect(
      try select(10, equal) == [
        TokenAmount(id: [0, 2], amount: 5), TokenAmount(id: [0, 3], amount: 5),
      ])
    #expect(
      try select(8, equal) == [
        TokenAmount(id: [0, 2], amount: 5), TokenAmount(id: [0, 3], amount: 3),
      ])
  }

  @Test("Of tokens that end together, the larger one is spent whole")
  func largerFirst() throws {
    #expect(
      try select(16, wallet([7, 10, 8])) == [
        TokenAmount(id: [0, 1], amount: 10), TokenAmount(id: [0, 2], amount: 6),
      ])
  }

  @Test("A token must last through the lifetime; one that ends just then does")
  func lifetime() throws {
    let tokens = [token(1, 5, expires: 99), token(2, 5, expires: 100)]
    #expect(
      try TokenSelection.select(price: 5, from: tokens, lifetime: 100)
        == [TokenAmount(id: [0, 2], amount: 5)])
    #expect(throws: ChangeError.insufficient(price: 6, available: 5, endingEarly: 5)) {
      try TokenSelection.select(price: 6, from: tokens, lifetime: 100)
    }
  }

  // MARK: Limits

  @Test(
    "At most 32 tokens: exactly, else with a remainder, else an error that says how much can be paid"
  )
  func manyTokens() throws {
    let ones = wallet(Array(repeating: 1, count: 40))
    #expect(try select(32, ones).count == 32)
    #expect(throws: ChangeError.tooManyTokens(price: 33, payable: 32, limit: 32)) {
      try select(33, ones)
    }
    let withLarge = ones + [token(200, 100)]
    #expect(try select(33, withLarge) == [TokenAmount(id: [0, 200], amount: 33)])
  }

  @Test(
    "Nothing to pay, nothing to pay with, and sums beyond 64 bits are errors; empty tokens do not count"
  )
  func refusals() throws {
    #expect(throws: ChangeError.zeroAmount) { try select(0, wallet([1])) }
    #expect(throws: ChangeError.insufficient(price: 1, available: 0, endingEarly: 0)) {
      try select(1, [])
    }
    #expect(throws: ChangeError.insufficient(price: 3, available: 2, endingEarly: 0)) {
      try select(3, wallet([1, 0, 1]))
    }
    #expect(throws: ChangeError.overflow) { try select(1, wallet([.max, 1])) }
    #expect(try select(.max, wallet([.max])) == [TokenAmount(id: [0, 0], amount: .max)])
  }
}
