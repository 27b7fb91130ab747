// Where other people's vectors lie, and how they are read. They are not part of the project: $ACD_VECTORS
// names their folder, by default ../shared/vectors beside the package.
//
// Invariant: a folder that was named must be there. Tests are skipped only when nobody named one and the
// default is absent; with a name, a missing or empty file fails them.

import Foundation
import Messages
import Testing

enum ThirdParty {
  struct BadVector: Error { let reason: String }

  private static let named = ProcessInfo.processInfo.environment["ACD_VECTORS"]

  static let folder: URL = {
    if let named { return URL(fileURLWithPath: named, isDirectory: true) }
    // Tests/MessagesTests/ThirdParty.swift, three below the package's root.
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appendingPathComponent("shared/vectors", isDirectory: true)
  }()

  /// False skips the tests: nothing was named, nothing lies beside the package.
  static var areWanted: Bool { named != nil || FileManager.default.fileExists(atPath: folder.path) }

  static let absent: Comment = "skipped: no third-party vectors; set ACD_VECTORS to their folder"

  static func data(_ file: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(file))
  }

  static func json<T: Decodable>(_ type: T.Type, _ file: String) throws -> T {
    try JSONDecoder().decode(type, from: data(file))
  }

  /// All files below a folder that end in .json, in the order of their names.
  static func jsonFiles(below path: String) throws -> [String] {
    let all = try FileManager.default.subpathsOfDirectory(atPath: folder.appendingPathComponent(path).path)
    return all.filter { $0.hasSuffix(".json") }.sorted().map { "\(path)/\($0)" }
  }

  static func bytes(hex: String) throws -> [UInt8] {
    guard let bytes = Hex.decode(hex) else { throw BadVector(reason: "not hexadecimal: \(hex)") }
    return bytes
  }

  static func bytes(base64: String) throws -> [UInt8] {
    guard let data = Data(base64Encoded: base64) else { throw BadVector(reason: "not base64: \(base64)") }
    return Array(data)
  }
}
