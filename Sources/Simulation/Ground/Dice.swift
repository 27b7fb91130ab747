// All randomness of a run, from one seed: xoshiro256** (Blackman and Vigna), seeded by SplitMix64. Not for
// secrets: for runs that can be repeated to the bit.

import Messages

/// A generator shared by reference: whoever holds it draws from one stream. One thread at a time.
final class Dice: @unchecked Sendable {  // a run lives on one thread
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(_ seed: UInt64) {
    var mixed = seed
    func next() -> UInt64 {
      mixed &+= 0x9e37_79b9_7f4a_7c15
      var z = mixed
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return z ^ z >> 31
    }
    state = (next(), next(), next(), next())
  }

  /// A stream of its own, named.
  convenience init(_ seed: UInt64, _ purpose: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    self.init(seed &* 0x9e37_79b9_7f4a_7c15 ^ hash)
  }

  func next() -> UInt64 {
    let result = rotate(state.1 &* 5, 7) &* 9
    let t = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = rotate(state.3, 45)
    return result
  }

  private func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { x << k | x >> (64 - k) }

  /// Below `bound`, which is more than 0. The bias of a 64-bit draw does not matter here.
  func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// True once in `many` times on average; never for 0.
  func oneIn(_ many: Int) -> Bool { many > 0 && below(many) == 0 }

  /// True so many times in a thousand.
  func perMille(_ rate: Int) -> Bool { rate > 0 && below(1000) < rate }

  func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

  func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) } }
}

extension Dice: RandomNumberGenerator {}
