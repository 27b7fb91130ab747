// What a purchase costs beyond the cryptography that it cannot do without.

import Foundation

enum PurchaseBenchmark {
  /// Purchases in one timed round.
  private static let batch = 100
  /// The share of a purchase that bare cryptography has to be.
  private static let goal = 0.80

  static func run(rounds: Int) throws {
    print("purchase: P2 to P5a at all parties, in process, without storage and network")
    print("medians of \(rounds) alternating rounds of \(batch), processor time of one thread")
    for tokens in [1, 4] { try measure(tokens: tokens, rounds: rounds) }
  }

  /// Purchases only.
  static func profile(tokens: Int, count: Int) throws {
    let world = try World(tokens: tokens)
    for _ in 0..<count {
      var purchase = try Purchase(world)
      try purchase.run()
    }
  }

  /// Seconds of the bare calls in one purchase: the median of some rounds, processor time of one thread, as
  /// `run` measures them.
  static func bareSeconds(tokens: Int) throws -> Double {
    let world = try World(tokens: tokens)
    var sample = try Purchase(world)
    try sample.run()
    let bare = try BareCalls(world, sample.trace)
    return try alternate(
      rounds: 11, by: [threadClock], [{ for _ in 0..<batch { bare.run() } }])[0][0] / Double(batch)
  }

  private static func measure(tokens: Int, rounds: Int) throws {
    let world = try World(tokens: tokens)
    var sample = try Purchase(world)
    try sample.run()
    let trace = sample.trace
    let bare = try BareCalls(world, trace)
    var ours: [Double] = []
    let parts: [(name: String, body: () -> Void)] = [
      ("all", bare.run), ("Ed25519 sign", bare.signAll), ("Ed25519 verify", bare.verifyAll),
      ("RSA-PSS verify (OpenSSL)", bare.checkTokens), ("point check", bare.checkPoints),
      ("box seal+open", bare.sealAndOpen), ("SHA-256", bare.hashAll),
    ]
    let service: () -> Void = {
      for input in world.tokens {
        expect(
          world.verifier.isValid(signature: input.token.signature, for: input.token.id.bytes), "token")
      }
    }
    func repeated(_ body: @escaping () -> Void) -> () -> Void { { for _ in 0..<batch { body() } } }
    // A purchase is set up outside the clock, so it keeps a clock of its own.
    let purchases = { ours.append(try time(of: batch, in: world)) }
    let rounds = try series(
      rounds: rounds, by: [threadClock],
      [purchases] + parts.map { repeated($0.body) } + [repeated(service)])[0]
    let own = median(Array(ours.dropFirst())) / Double(batch) * 1e6
    let single = rounds.dropFirst().map { median($0) / Double(batch) * 1e6 }
    print("\n\(tokens) token(s): \(bare.counts.line)")
    print(
      "  bytes: P2 \(trace.p2.map(\.count)), P3 \(trace.p3.count), P4 \(trace.p4.count), "
        + "P5a \(trace.p5a.count), bundle \(trace.bundle.count)")
    print("  ours \(fixed(own, 1)) us   \(fixed(1e6 / own, 0, width: 6)) purchases/s on one core")
    for (part, time) in zip(parts, single) { print("  bare \(fixed(time, 1)) us   \(part.name)") }
    print("       \(fixed(single[parts.count], 1)) us   RSA-PSS verify as BlindTokens does it")
    // Round by round, since the processor's speed changes from one to the next. Where the service's RSA is the
    // faster one, OpenSSL's must not make the bare calls look dear.
    let bareRounds = Array(rounds.dropFirst())
    let ratio = median(
      ours.dropFirst().enumerated().map { round, own in
        (bareRounds[0][round] - max(0, bareRounds[3][round] - bareRounds[parts.count][round])) / own
      })
    print(
      "  ratio bare/ours \(fixed(ratio, 3, width: 5)), with the faster RSA of the two   "
        + "goal >= \(goal): \(ratio >= goal ? "met" : "missed")")
  }

  /// The measured parts of `count` purchases.
  private static func time(of count: Int, in world: World) throws -> Double {
    var total = 0.0
    for _ in 0..<count {
      var purchase = try Purchase(world)
      let start = threadClock()
      try purchase.run()
      total += threadClock() - start
    }
    return total
  }
}
