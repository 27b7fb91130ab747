// Which denominations a wallet withdraws, so that it can later pay what it wants exactly.
//
// Invariants: the result adds up to the amount, has at most 64 parts, is in descending order, and depends
// on the amount and the denominations alone: what a withdrawal asks for shows the bank nothing of what the
// wallet holds.

/// Why an amount cannot be split, or a price not be paid. Amounts in minor units.
public enum ChangeError: Error, Equatable, Sendable {
  /// The amount or price is zero.
  case zeroAmount
  /// No denomination is offered, one is zero, or the smallest does not divide all others.
  case denominations
  /// The amount is not a multiple of the smallest denomination.
  case notMultiple(amount: UInt64, unit: UInt64)
  /// The amount needs more parts than one withdrawal may have.
  case tooManyParts(amount: UInt64, limit: Int)
  /// The tokens that may be used are worth less than the price; `endingEarly` is what the excluded ones are
  /// worth.
  case insufficient(price: UInt64, available: UInt64, endingEarly: UInt64)
  /// The price needs more tokens than one payment may name; `payable` is the most that so many are worth.
  case tooManyTokens(price: UInt64, payable: UInt64, limit: Int)
  /// The tokens' values do not add up within 64 bits.
  case overflow
}

/// Splitting an amount into denominations.
public enum ChangeMaking {
  /// The most tokens that one withdrawal asks for.
  public static let maximumParts = 64

  /// The values that a bank offers by default: the powers of two from 1 to 2^19 minor units (5,242.88 in a
  /// currency with cents).
  ///
  /// One fixed set for everybody, and few keys: the fewer denominations, the more tokens of others each one
  /// hides among. Powers of two need the fewest tokens to make every amount up to a limit (k tokens for 2^k
  /// - 1), and any part of a price costs at most one token of each value; 1-2-5 steps need a fifth more.
  /// Still, the tokens of one payment show its price, and an unusual amount withdrawn and spent at once
  /// links the two: wallets withdraw ahead of need, in round amounts, and with a random delay.
  public static let defaultDenominations: [UInt64] = (0..<20).map { 1 << $0 }

  /// The values to withdraw for `amount`, largest first.
  ///
  /// Whenever they fit in 64 parts, the parts are such that every multiple of the smallest denomination up
  /// to `amount` is the sum of some of them, so every price can be paid exactly. For larger amounts that
  /// holds up to half of it, or a quarter, and so on, the first that fits (in the end none); what exceeds
  /// it is made of the largest values. The order of `denominations` and repetitions in it do not matter.
  public static func split(
    _ amount: UInt64, into denominations: [UInt64] = defaultDenominations
  ) throws(ChangeError) -> [UInt64] { try split(amount, into: denominations, exactUpTo: amount) }

  /// The largest values that make `amount`, one after the other: for tokens that pay whole.
  public static func whole(
    _ amount: UInt64, into denominations: [UInt64] = defaultDenominations
  ) throws(ChangeError) -> [UInt64] { try split(amount, into: denominations, exactUpTo: 0) }

  private static func split(
    _ amount: UInt64, into denominations: [UInt64], exactUpTo first: UInt64
  ) throws(ChangeError) -> [UInt64] {
    guard amount > 0 else { throw .zeroAmount }
    let values = Set(denominations).sorted(by: >)
    guard let unit = values.last, unit > 0, values.allSatisfy({ $0 % unit == 0 }) else {
      throw .denominations
    }
    guard amount % unit == 0 else { throw .notMultiple(amount: amount, unit: unit) }
    var exactUpTo = first
    while true {
      if let parts = Self.parts(of: amount, values: values, exactUpTo: exactUpTo) { return parts }
      guard exactUpTo > 0 else { throw .tooManyParts(amount: amount, limit: Self.maximumParts) }
      exactUpTo /= 2
    }
  }

  /// Parts of which some add up to each multiple of the unit up to `exactUpTo`; nil when there are too many.
  ///
  /// `reach` is the sum so far, and every multiple of the unit up to it can be made. A value of at most
  /// `reach + unit` leaves no gap, so the largest such one keeps that true and grows `reach` fastest.
  /// `values` descend, and the last divides `amount` and all others.
  private static func parts(of amount: UInt64, values: [UInt64], exactUpTo: UInt64) -> [UInt64]? {
    let unit = values[values.count - 1]
    var parts: [UInt64] = []
    var reach: UInt64 = 0
    while reach < amount {
      guard parts.count < Self.maximumParts else { return nil }
      let rest = amount - reach
      // No overflow: when the sum is used, reach < exactUpTo <= amount and unit divides amount - reach > 0.
      let bound = reach < exactUpTo ? min(rest, reach + unit) : rest
      // The unit itself always fits, since it divides the rest.
      let value = values.first { $0 <= bound } ?? unit
      parts.append(value)
      reach += value
    }
    return parts.sorted(by: >)
  }
}
