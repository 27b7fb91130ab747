// What a party takes from the machine that it runs on, beside its store, its clock and the network:
// randomness, waiting, threads. In service it is always `.machine`; the simulator hands in its own, so that a
// whole run follows from one seed.
//
// Invariant: nothing in Services draws randomness or sleeps but through this, save where keys are made.

package import BlindTokens

/// The machine under a party.
package struct Surroundings: Sendable {
  /// Draws keys, numbers and nonces: cryptographically strong in service.
  package var randomness: Randomness
  /// Waits so many milliseconds.
  package var pause: @Sendable (_ milliseconds: Int) async throws -> Void
  /// Blinds a token's message.
  package var blind: @Sendable (BlindingKey, _ message: [UInt8]) throws -> BlindedMessage
  /// Starts work that nobody waits for.
  package var spawn: @Sendable (_ body: @escaping @Sendable () async -> Void) -> Void
  /// Threads for goods; 1: everything runs where it is called.
  package var threads: Int?

  package init(
    randomness: Randomness, threads: Int?, pause: @escaping @Sendable (Int) async throws -> Void,
    spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void,
    blind: @escaping @Sendable (BlindingKey, [UInt8]) throws -> BlindedMessage
  ) {
    (self.randomness, self.threads, self.pause) = (randomness, threads, pause)
    (self.spawn, self.blind) = (spawn, blind)
  }

  /// The machine itself.
  package static let machine = Surroundings(
    randomness: Randomness {
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    },
    threads: nil,
    pause: { try await Task.sleep(for: .milliseconds($0)) },
    spawn: { body in Task { await body() } },
    blind: { key, message in try key.blind(message: message) })

  /// Goods in files, on the threads there are.
  var goodsFiles: GoodsFiles { GoodsFiles(threads: threads) }

  /// Runs blocking work on a thread of its own, away from the tasks' pool.
  func offTheLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    if threads == 1 { return try body() }
    return try await Services.offTheLoop(body)
  }
}

/// A source of random bits as a value.
package struct Randomness: RandomNumberGenerator, Sendable {
  private let draw: @Sendable () -> UInt64

  package init(_ draw: @escaping @Sendable () -> UInt64) { self.draw = draw }

  package mutating func next() -> UInt64 { draw() }
}
