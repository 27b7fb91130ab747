// One run of the load: so many customers at a time, each purchase timed from N1 to goods opened and receipt
// held.

import Foundation
import Messages
import Services

/// A purchase as its customer saw it.
struct LoadPurchase: Sendable {
  let number: UInt64
  let tokens: Int
  let output: String
  let receipt: [UInt8]
  let seconds: Double
}

/// What a run came to.
struct LoadResult {
  let tokens: Int
  let concurrency: Int
  /// Timed purchases, and each wallet's first one, which opens its connections.
  var timed: [LoadPurchase] = []
  var first: [LoadPurchase] = []
  /// The timed part, until the last customer is done, and how long the services worked on after it.
  var seconds = 0.0
  var settling = 0.0
  /// Seconds of processor time by party, customers first, until everything is settled.
  var processor: [(role: String, seconds: Double)] = []
  var flushes: Int?
}

enum LoadRun {
  static func run(
    _ world: LoadWorld, _ offer: LoadOffer, concurrency: Int, options: LoadOptions
  ) async throws -> LoadResult {
    var result = LoadResult(tokens: offer.tokens, concurrency: concurrency)
    try await withdraw(world, offer.tokens * options.perWallet)
    try await world.openWallets()
    result.first = try await purchases(
      world, offer, count: world.wallets.count, concurrency: concurrency, "first")
    _ = try await world.settle()
    let before = world.services.map(\.processorSeconds)
    let (own, flushes, start) = (processorClock(), LoadDisk.flushes(world.root.path), wallClock())
    result.timed = try await purchases(
      world, offer, count: (options.perWallet - 1) * world.wallets.count, concurrency: concurrency, "timed")
    result.seconds = wallClock() - start
    result.processor = [("customers", processorClock() - own)]
    result.settling = try await world.settle()
    for (service, used) in zip(world.services, before) {
      result.processor.append((service.role, service.processorSeconds - used))
    }
    if let flushes, let now = LoadDisk.flushes(world.root.path) { result.flushes = now - flushes }
    for purchase in result.first + result.timed { try world.check(purchase) }
    return result
  }

  /// Fills all wallets; not timed.
  private static func withdraw(_ world: LoadWorld, _ tokens: Int) async throws {
    try await world.openWallets()
    // A withdrawal has at most 64 tokens.
    for start in stride(from: 0, to: tokens, by: 64) {
      let count = min(64, tokens - start)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for wallet in world.wallets {
          group.addTask { try await wallet.withdraw(LoadWorld.price(count), bank: nil) }
        }
        try await group.waitForAll()
      }
    }
  }

  /// `count` purchases by `concurrency` customers at a time. Customer c uses the wallets c, c + concurrency
  /// and so on in turn, so that no wallet makes two purchases at a time.
  private static func purchases(
    _ world: LoadWorld, _ offer: LoadOffer, count: Int, concurrency: Int, _ name: String
  ) async throws -> [LoadPurchase] {
    let (wallets, folder) = (world.wallets, world.root.path)
    let rounds = count / wallets.count
    return try await withThrowingTaskGroup(of: [LoadPurchase].self) { group in
      for customer in 0..<concurrency {
        group.addTask {
          var done: [LoadPurchase] = []
          for round in 0..<rounds {
            for index in stride(from: customer, to: wallets.count, by: concurrency) {
              let output = "\(folder)/\(offer.tokens)-\(concurrency)-\(name)-\(index)-\(round)"
              done.append(try await buy(wallets[index], offer, output))
            }
          }
          return done
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private static func buy(
    _ wallet: Wallet, _ offer: LoadOffer, _ output: String
  ) async throws -> LoadPurchase {
    var options = BuyOptions()
    options.output = output
    let start = wallClock()
    let number = try await wallet.buy(offer.offer, options: options)
    let receipt = try await wallet.receipt(number).encoded()
    return LoadPurchase(
      number: number, tokens: offer.tokens, output: output, receipt: receipt, seconds: wallClock() - start)
  }
}
