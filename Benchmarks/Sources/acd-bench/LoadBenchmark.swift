// Full durable purchases over loopback HTTPS on SQLite, and beside them, from the same run, what bare
// cryptography and a bare durable write cost.

import Foundation
import Messages
import Services

enum LoadBenchmark {
  static func run(_ options: LoadOptions) async throws {
    let path = "\(options.directory)/acd-load-\(getpid())"
    LoadDisk.requireDisk(options.directory)
    print(
      """
      load: whole purchases over HTTPS on loopback, each step durable in SQLite under \(options.directory)
      bank, archive and merchant are processes of their own; \(options.wallets) wallets live in this one, \
      each with its own store and connections
      timed: N1 and P1, sealing, fetching, checking and opening \(LoadWorld.goodsBytes) bytes of goods, P2 to
      P5a, the wallet's own writes and its file, the receipt; connections stay open between the purchases of
      a wallet; withdrawn before, not timed
      """)
    let runs = options.concurrency.count
    let tokens = LoadWorld.tokenCounts.reduce(0, +) * options.perWallet * runs
    let world = try await LoadWorld(path, wallets: options.wallets, tokens: tokens)
    defer { try? FileManager.default.removeItem(atPath: path) }
    var disk = LoadDisk.appends(200, in: path)
    try world.start()
    var paid: UInt64 = 0
    do {
      try await world.openWallets()
      for offer in try await world.offers() {
        var floors = [try PurchaseBenchmark.bareSeconds(tokens: offer.tokens)]
        var results: [LoadResult] = []
        for concurrency in options.concurrency {
          let result = try await LoadRun.run(world, offer, concurrency: concurrency, options: options)
          paid += UInt64((result.timed.count + result.first.count) * offer.tokens) * LoadWorld.tokenValue
          results.append(result)
        }
        floors.append(try PurchaseBenchmark.bareSeconds(tokens: offer.tokens))
        LoadReport.table(results, bare: floors.reduce(0, +) / Double(floors.count))
      }
      try await world.closeWallets()
    } catch {
      world.stop()
      throw error
    }
    world.stop()
    disk = (disk + LoadDisk.appends(200, in: path)).sorted()
    LoadReport.disk(disk)
    try await world.checkBooks(paid: paid)
    print("all purchases were delivered and paid, every receipt verifies, money is conserved")
  }
}
