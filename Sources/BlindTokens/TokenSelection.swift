// Which tokens of a wallet pay a price.
//
// Invariants: the amounts add up to the price; no token gives more than it is worth or nothing; at most 32
// tokens; at most one gives less than it is worth; no token that ends before the payment's lifetime. A
// function of its arguments: the order of the tokens does not matter.
//
// Paying exactly comes first: a token spent in parts links its payments to each other at the bank.

/// A token that can be spent, as far as choosing goes.
public struct SpendableToken: Sendable, Equatable {
  /// The token's name; distinct within a wallet.
  public let id: [UInt8]
  /// What is left of its worth, in minor units.
  public let value: UInt64
  /// When it ends, in seconds of Unix time: the first moment at which it is not accepted any more.
  public let expires: UInt64

  /// A token that can be spent.
  public init(id: [UInt8], value: UInt64, expires: UInt64) {
    self.id = id
    self.value = value
    self.expires = expires
  }
}

/// A token's part in a payment.
public struct TokenAmount: Sendable, Equatable {
  /// The token's name.
  public let id: [UInt8]
  /// What it gives, in minor units: from 1 to what it is worth.
  public let amount: UInt64

  /// A token's part in a payment.
  public init(id: [UInt8], amount: UInt64) {
    self.id = id
    self.amount = amount
  }
}

/// Choosing tokens for a price.
public enum TokenSelection {
  /// The most tokens that one payment names.
  public static let maximumTokens = 32

  /// The tokens that pay `price` minor units, in the order in which they end.
  ///
  /// - Exactly, if some tokens add up to the price: the fewest such tokens, and among as many those whose
  ///   remaining lifetimes add up to the least.
  /// - Else the fewest tokens worth more, and among as many those that end first (the earliest ending token
  ///   counts most). All are spent whole but the one that ends last, whose remainder stays on it.
  ///
  /// Tokens that end before `lifetime` (seconds of Unix time) and empty ones are left out. Finding an exact
  /// payment is a subset-sum problem; the search is complete for any wallet of whole power-of-two tokens
  /// and a few remainders, and in a wallet full of odd remainders stops after a fixed number of steps
  /// (`searchLimit`) and pays the second way. Throws `zeroAmount`, `insufficient`, `tooManyTokens` or
  /// `overflow`.
  public static func select(
    price: UInt64, from tokens: [SpendableToken], lifetime: UInt64
  ) throws(ChangeError) -> [TokenAmount] {
    guard price > 0 else { throw .zeroAmount }
    let usable = tokens.filter { $0.value > 0 && $0.expires >= lifetime }.sorted(by: Self.endsFirst)
    let available = try Self.total(usable)
    guard available >= price else {
      let early = try Self.total(tokens.filter { $0.expires < lifetime })
      throw .insufficient(price: price, available: available, endingEarly: early)
    }
    if let exact = ExactSearch(usable, price: price, limit: Self.searchLimit).run() {
      return exact.sorted(by: Self.endsFirst).map { TokenAmount(id: $0.id, amount: $0.value) }
    }
    return try Self.selectWithRemainder(price: price, from: usable)
  }

  /// Steps of the search for an exact payment: about a quarter of a second when all are used.
  static let searchLimit = 1 << 20

  /// Earlier ending first; then the larger; then by name, so that the order is total.
  static func endsFirst(_ a: SpendableToken, _ b: SpendableToken) -> Bool {
    if a.expires != b.expires { return a.expires < b.expires }
    if a.value != b.value { return a.value > b.value }
    return a.id.lexicographicallyPrecedes(b.id)
  }

  private static func total(_ tokens: [SpendableToken]) throws(ChangeError) -> UInt64 {
    var sum: UInt64 = 0
    for token in tokens {
      let (next, overflow) = sum.addingReportingOverflow(token.value)
      guard !overflow else { throw .overflow }
      sum = next
    }
    return sum
  }

  // MARK: With a remainder

  /// `tokens` are in the order `endsFirst`, and worth at least `price` together.
  private static func selectWithRemainder(
    price: UInt64, from tokens: [SpendableToken]
  ) throws(ChangeError) -> [TokenAmount] {
    var left = try Self.fewest(price: price, from: tokens)
    var missing = price
    var chosen: [SpendableToken] = []
    let largest = Self.largestLater(tokens, count: left)
    for (index, token) in tokens.enumerated() where left > 0 {
      // Take the token if the largest of those after it can still make up the rest.
      let later = largest[index].prefix(left - 1).reduce(0, +)
      guard token.value >= missing || later >= missing - token.value else { continue }
      chosen.append(token)
      missing -= min(missing, token.value)
      left -= 1
    }
    // As no fewer tokens do, what the chosen ones are worth above the price is less than each of them; so the
    // last one gives something.
    var rest = price
    return chosen.map { token in
      let amount = min(token.value, rest)
      rest -= amount
      return TokenAmount(id: token.id, amount: amount)
    }
  }

  /// For each token the values of the `count` largest ones after it, descending.
  private static func largestLater(_ tokens: [SpendableToken], count: Int) -> [[UInt64]] {
    var lists: [[UInt64]] = []
    var largest: [UInt64] = []
    for token in tokens.reversed() {
      lists.append(largest)
      largest.insert(token.value, at: largest.firstIndex { $0 < token.value } ?? largest.count)
      if largest.count > count { largest.removeLast() }
    }
    return lists.reversed()
  }

  /// How many of the largest tokens it takes to reach the price.
  private static func fewest(
    price: UInt64, from tokens: [SpendableToken]
  ) throws(ChangeError) -> Int {
    var sum: UInt64 = 0
    for (index, value) in tokens.map(\.value).sorted(by: >).prefix(Self.maximumTokens).enumerated() {
      sum += value
      if sum >= price { return index + 1 }
    }
    throw .tooManyTokens(price: price, payable: sum, limit: Self.maximumTokens)
  }
}

// MARK: - The search for an exact payment

/// Dynamic programming over the distinct values, largest first: for each rest of the price that can occur,
/// the best way there. Rests that the smaller tokens cannot make up are dropped, which leaves few for
/// powers of two.
private struct ExactSearch {
  /// The tokens of one value, earliest ending first.
  struct Group {
    var value: UInt64
    var tokens: [SpendableToken]
    /// `lifetimes[k]`: the remaining lifetimes of the first k tokens, added up; for as many as a payment
    /// may name.
    var lifetimes: [UInt64]
  }

  /// The best way to a rest: how many tokens so far, their lifetimes, and how many of the last group.
  struct Step {
    var count: Int
    var lifetime: UInt64
    var taken: Int

    /// Fewer tokens, then shorter lifetimes, then more of the larger value, so that ties are settled.
    func isBetter(than other: Step) -> Bool {
      if count != other.count { return count < other.count }
      if lifetime != other.lifetime { return lifetime < other.lifetime }
      return taken > other.taken
    }
  }

  let groups: [Group]
  /// `below[i]`: what all tokens from group i on are worth.
  let below: [UInt64]
  let price: UInt64
  let limit: Int

  /// `tokens` are in the order `endsFirst`; their sum does not overflow.
  init(_ tokens: [SpendableToken], price: UInt64, limit: Int) {
    let start = tokens.first?.expires ?? 0
    var groups: [Group] = []
    for (value, members) in Dictionary(grouping: tokens, by: \.value).sorted(by: { $0.key > $1.key }
    ) {
      var lifetimes: [UInt64] = [0]
      for token in members.prefix(TokenSelection.maximumTokens) {
        // Capped, so that 32 of them cannot overflow; the cap is beyond any real date.
        lifetimes.append(lifetimes[lifetimes.count - 1] + min(token.expires - start, 1 << 48))
      }
      groups.append(Group(value: value, tokens: members, lifetimes: lifetimes))
    }
    var below: [UInt64] = [0]
    for group in groups.reversed() {
      below.append(below[below.count - 1] + group.value * UInt64(group.tokens.count))
    }
    self.groups = groups
    self.below = below.reversed()
    self.price = price
    self.limit = limit
  }

  /// The best exact payment; nil when there is none, or none was found within the limit.
  func run() -> [SpendableToken]? {
    var layers: [[UInt64: Step]] = [[price: Step(count: 0, lifetime: 0, taken: 0)]]
    var steps = 0
    for index in groups.indices {
      var next: [UInt64: Step] = [:]
      for (rest, step) in layers[index] {
        guard extend(rest, step, with: index, into: &next, steps: &steps) else { return nil }
      }
      guard !next.isEmpty else { return nil }
      layers.append(next)
    }
    return layers[groups.count][0] == nil ? nil : trace(layers)
  }

  /// Adds every useful number of the group's tokens; false at the limit.
  private func extend(
    _ rest: UInt64, _ step: Step, with index: Int, into next: inout [UInt64: Step], steps: inout Int
  ) -> Bool {
    let group = groups[index]
    let free = TokenSelection.maximumTokens - step.count
    let most = Int(min(rest / group.value, UInt64(min(group.tokens.count, free))))
    // At least so many that the smaller tokens can make up what is left.
    let excess = rest > below[index + 1] ? rest - below[index + 1] : 0
    let least = excess / group.value + (excess % group.value == 0 ? 0 : 1)
    guard least <= UInt64(most) else { return true }
    for taken in Int(least)...most {
      steps += 1
      guard steps <= limit else { return false }
      let candidate = Step(
        count: step.count + taken, lifetime: step.lifetime + group.lifetimes[taken], taken: taken)
      let left = rest - UInt64(taken) * group.value
      if let known = next[left], !candidate.isBetter(than: known) { continue }
      next[left] = candidate
    }
    return true
  }

  /// Follows the steps back from the rest 0.
  private func trace(_ layers: [[UInt64: Step]]) -> [SpendableToken] {
    var chosen: [SpendableToken] = []
    var rest: UInt64 = 0
    for index in groups.indices.reversed() {
      guard let step = layers[index + 1][rest] else { preconditionFailure("a step without origin") }
      chosen += groups[index].tokens.prefix(step.taken)
      rest += UInt64(step.taken) * groups[index].value
    }
    return chosen
  }
}
