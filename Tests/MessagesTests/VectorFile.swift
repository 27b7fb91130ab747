// Reads the vector files that C and Swift share (Tests/Vectors/README.md, "Format").

import Foundation
import Messages

/// One file of Tests/Vectors.
struct VectorFile: CustomStringConvertible, Sendable {
  struct BadFile: Error { let reason: String }

  static let knownKeys: Set<String> = [
    "name", "rule", "expect", "what", "hex", "diagnostic", "check", "now", "trust", "authority",
  ]

  let file: String
  let values: [String: String]

  var description: String { values["name"] ?? file }
  var expect: String { values["expect"]! }
  var what: [String] { values["what"]!.split(separator: " ").map(String.init) }

  init(_ text: String, file: String) throws {
    var values: [String: String] = [:]
    var key = ""
    for line in text.split(separator: "\n") {
      if line.first == " " {
        values[key, default: ""] += line
      } else {
        guard let colon = line.firstIndex(of: ":") else { throw BadFile(reason: "\(file): \(line)") }
        key = String(line[..<colon])
        guard Self.knownKeys.contains(key), values[key] == nil else {
          throw BadFile(reason: "\(file): unknown or repeated key \(key)")
        }
        values[key] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
    }
    for key in ["name", "rule", "expect", "what", "hex"] where values[key] == nil {
      throw BadFile(reason: "\(file): \(key) is missing")
    }
    (self.file, self.values) = (file, values)
  }

  /// The bytes of a hexadecimal value; nil if the key is absent.
  func bytes(_ key: String) throws -> [UInt8]? {
    guard let text = values[key] else { return nil }
    guard let bytes = Hex.decode(text.filter { !$0.isWhitespace }) else {
      throw BadFile(reason: "\(file): \(key) is not hexadecimal")
    }
    return bytes
  }

  /// All files of `accept` or `reject` whose `what` begins with this word, in the order of their names.
  static func all(in folder: String, what: String) throws -> [VectorFile] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let directory = tests.appendingPathComponent("Vectors/\(folder)")
    return try FileManager.default.contentsOfDirectory(atPath: directory.path)
      .filter { $0.hasSuffix(".txt") }.sorted()
      .map { name in
        let text = try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
        return try VectorFile(text, file: name)
      }
      .filter { $0.what.first == what }
  }
}
