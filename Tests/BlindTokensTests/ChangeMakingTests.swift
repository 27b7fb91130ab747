// Which denominations are withdrawn: properties over seeded amounts, and the promise that prices can be
// paid exactly.

import BlindTokens
import Testing

@Suite("Splitting an amount into denominations")
struct ChangeMakingTests {
  /// Every sum of some of `parts`.
  private func sums(_ parts: [UInt64]) -> Set<UInt64> {
    parts.reduce(into: [0]) { sums, part in sums.formUnion(sums.map { $0 + part }) }
  }

  private static let sets: [[UInt64]] = [
    ChangeMaking.defaultDenominations,
    [1, 2, 5, 10, 20, 50, 100, 200, 500],
    [1, 3, 4],
    [1, 10, 100],
    [5, 10, 25, 100],
    [1],
  ]

  @Test(
    "Parts add up, descend, are denominations and at most 64, or the error says why",
    arguments: sets)
  func wellFormed(denominations: [UInt64]) throws {
    var generator = SeededGenerator(1)
    let unit = denominations[0]
    for _ in 0..<500 {
      let bits = Int.random(in: 1...34, using: &generator)
      let amount = unit * UInt64.random(in: 1...(1 << bits), using: &generator)
      do {
        let parts = try ChangeMaking.split(amount, into: denominations)
        #expect(parts.reduce(0, +) == amount)
        #expect(parts == parts.sorted(by: >))
        #expect(parts.allSatisfy(denominations.contains))
        #expect(parts.count <= 64)
      } catch {
        #expect(error == .tooManyParts(amount: amount, limit: 64))
        // Only when even the largest values do not do: all but the last digits are made of them.
        #expect(amount / denominations.max()! > 64 - 32, "\(amount) in \(denominations)")
      }
    }
  }

  @Test("Every price up to a small amount can be paid exactly", arguments: sets)
  func complete(denominations: [UInt64]) throws {
    let unit = denominations[0]
    let limit = min(400, 40 * denominations.max()! / unit)
    for multiple in 1...limit {
      let amount = multiple * unit
      let parts = try ChangeMaking.split(amount, into: denominations)
      let wanted = Set((0...multiple).map { $0 * unit })
      #expect(sums(parts) == wanted, "\(amount) as \(parts)")
    }
  }

  @Test("Whole: a denomination is one token, and the rest is made of the largest")
  func whole() throws {
    let values: [UInt64] = [1, 2, 4, 8, 16, 32, 64, 128]
    #expect(try ChangeMaking.whole(128, into: values) == [128])
    #expect(try ChangeMaking.whole(200, into: values) == [128, 64, 8])
    #expect(throws: ChangeError.zeroAmount) { try ChangeMaking.whole(0, into: values) }
  }

  @Test("Powers of two: as few tokens as can be, and prices up to large amounts paid exactly")
  func powersOfTwo() throws {
    #expect(try ChangeMaking.split(1) == [1])
    #expect(try ChangeMaking.split(7) == [4, 2, 1])
    #expect(try ChangeMaking.split(8) == [4, 2, 1, 1])
    #expect(try ChangeMaking.split(10_000).count == 18)
    var generator = SeededGenerator(2)
    for _ in 0..<200 {
      let amount = UInt64.random(in: 1...3_000_000, using: &generator)
      let parts = try ChangeMaking.split(amount)
      // No gap: each part is at most one more than the sum of all smaller ones.
      var reach: UInt64 = 0
      for part in parts.reversed() {
        #expect(part <= reach + 1, "\(amount) as \(parts)")
        reach += part
      }
      // One token of each value at first, and again for the rest; then the largest value.
      #expect(UInt64(parts.count) <= 40 + amount / (1 << 19))
    }
  }

  @Test("An amount with too many parts is coarser rather than refused, up to the limit")
  func coarse() throws {
    // 64 of the largest: no room for small ones.
    let largest = ChangeMaking.defaultDenominations.last!
    #expect(try ChangeMaking.split(64 * largest) == Array(repeating: largest, count: 64))
    #expect(throws: ChangeError.tooManyParts(amount: 64 * largest + 1, limit: 64)) {
      try ChangeMaking.split(64 * largest + 1)
    }
    // Room for some, though not for all of 1 ... 2^18 as well: prices up to 1,023 are exact.
    let parts = try ChangeMaking.split(50 * largest + 1023)
    #expect(parts == Array(repeating: largest, count: 50) + (0..<10).reversed().map { 1 << $0 })
    // The largest values alone would leave [1024, 512].
    #expect(
      try ChangeMaking.split(50 * largest + 1536)
        == Array(repeating: largest, count: 50)
        + [512, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1])
    #expect(throws: ChangeError.tooManyParts(amount: .max, limit: 64)) {
      try ChangeMaking.split(.max)
    }
  }

  @Test("The order of denominations and repetitions do not matter")
  func order() throws {
    #expect(
      try ChangeMaking.split(77, into: [4, 1, 1, 16, 2])
        == ChangeMaking.split(77, into: [1, 2, 4, 16]))
  }

  @Test("What cannot be split says why, with the amounts")
  func refusals() throws {
    #expect(throws: ChangeError.zeroAmount) { try ChangeMaking.split(0) }
    #expect(throws: ChangeError.denominations) { try ChangeMaking.split(5, into: []) }
    #expect(throws: ChangeError.denominations) { try ChangeMaking.split(5, into: [0, 1]) }
    #expect(throws: ChangeError.denominations) { try ChangeMaking.split(5, into: [2, 3]) }
    #expect(throws: ChangeError.notMultiple(amount: 7, unit: 5)) {
      try ChangeMaking.split(7, into: [5, 10])
    }
  }
}
