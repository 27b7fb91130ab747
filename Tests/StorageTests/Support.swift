// What the storage tests share: the engines that the contract is tested on, and stores that clean up.

import Foundation
import Simulation
import Storage
import Testing

/// Every engine that implements the contract; each contract test runs on all of them.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
  case sqlite, simulated

  /// Those that let writes that wait together share one commit.
  static let grouping = [Engine.sqlite]

  var testDescription: String { rawValue }

  /// A new, empty store in `folder`.
  func makeStore(
    in folder: URL, maxBatch: Int = 256, maxQueued: Int = 4096
  ) throws -> any Store {
    switch self {
    case .sqlite:
      var options = SQLiteStore.Options()
      options.maxBatch = maxBatch
      options.maxQueued = maxQueued
      return try SQLiteStore(path: folder.appending(path: "store.db").path, options: options)
    case .simulated: return SimulatedStore()
    }
  }

  /// Runs `body` with a new store, audits it, closes it and removes its files.
  func withStore(
    maxBatch: Int = 256, maxQueued: Int = 4096, _ body: (any Store) async throws -> Void
  ) async throws {
    try await withFolder { folder in
      let store = try makeStore(in: folder, maxBatch: maxBatch, maxQueued: maxQueued)
      try await body(store)
      #expect(try await store.check() == [])
      try await store.close()
    }
  }
}

/// Runs `body` with a folder of its own and removes it.
func withFolder(_ body: (URL) async throws -> Void) async throws {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "acd-storage-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try await body(folder)
}

/// A generator that the same seed makes give the same numbers (SplitMix64, Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// An error of a test's own.
struct Refusal: Error, Equatable {}
