// `acd demo`: the main job, whole and for real: bank, archive and merchant as processes of their own on
// loopback over TLS, a customer who withdraws and buys, the goods compared, the books added up, the
// receipt verified by the kiosk.

internal import ArgumentParser
import Foundation
import Services

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a whole purchase with real processes and show every message.",
    discussion:
      "With --keep everything stays under the data directory: receipt.acd, trust.acd, messages/*.cose.")
  @Option(help: "The file to sell (default: a small sample).") var file: String?
  @Option(help: "Where to work (default: a new temporary directory).") var dataDir: String?
  @Flag(help: "Keep the directory.") var keep = false
  @Flag(help: "Two-sided certified delivery.") var twoSided = false

  func run() async throws {
    try await reporting {
      let path = dataDir ?? NSTemporaryDirectory() + "acd-demo-\(ProcessInfo.processInfo.processIdentifier)"
      guard !FileManager.default.fileExists(atPath: path + "/bank") else {
        throw ServiceError.configuration(
          "\(path) holds an earlier demo: remove it or take another --data-dir")
      }
      let story = DemoStory(root: DataDirectory(path), file: file, twoSided: twoSided)
      do {
        try await story.play()
      } catch {
        await story.stop()
        throw error
      }
      if keep {
        print("\nEverything is under \(path)")
      } else {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }
}
