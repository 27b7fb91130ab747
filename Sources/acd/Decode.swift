// Any message, token or receipt, for people and programs.

internal import ArgumentParser
import Foundation
import Messages

struct Decode: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in a message, token, receipt or trust list, nested ones too.")
  @Argument(help: "The file; - reads standard input.") var file: String
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    try await reporting {
      let dump = try Dump(decoding: try readFile(file))
      if json {
        let data = try JSONSerialization.data(
          withJSONObject: tree(dump), options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: data, as: UTF8.self))
      } else {
        show(dump, indent: "")
      }
    }
  }

  private func show(_ dump: Dump, indent: String) {
    print("\(indent)\(dump.type.label) (\(dump.type.title)), \(dump.size) bytes, hash \(dump.hash)")
    if let signer = dump.signer {
      let verdict = dump.signatureHolds == true ? "signature holds" : "SIGNATURE BROKEN"
      print("\(indent)  signed by \(signer): \(verdict)")
    }
    for (name, value) in dump.fields { show(name, value, indent + "  ") }
  }

  private func show(_ name: String, _ value: DumpValue, _ indent: String) {
    switch value {
    case .map(let dump), .message(let dump):
      print("\(indent)\(name):")
      show(dump, indent: indent + "  ")
    case .list(let values):
      print("\(indent)\(name): \(values.count)")
      for (index, value) in values.enumerated() { show("[\(index)]", value, indent + "  ") }
    case .number(let number): print("\(indent)\(name): \(number)")
    case .flag(let flag): print("\(indent)\(name): \(flag)")
    case .bytes(let bytes): print("\(indent)\(name): \(Hex.encode(bytes))")
    case .text(let text): print("\(indent)\(name): \"\(text.debugDescription.dropFirst().dropLast())\"")
    case .money(let money): print("\(indent)\(name): \(money)")
    }
  }

  private func tree(_ dump: Dump) -> [String: Any] {
    var result: [String: Any] = [
      "type": dump.type.name, "label": dump.type.label, "hash": dump.hash.description, "size": dump.size,
      "fields": Dictionary(dump.fields.map { ($0.name, json($0.value)) }, uniquingKeysWith: { $1 }),
    ]
    if let signer = dump.signer {
      result["signer"] = signer.description
      result["signatureHolds"] = dump.signatureHolds ?? false
    }
    return result
  }

  private func json(_ value: DumpValue) -> Any {
    switch value {
    case .map(let dump), .message(let dump): tree(dump)
    case .list(let values): values.map(json)
    case .number(let number): number
    case .flag(let flag): flag
    case .bytes(let bytes): Hex.encode(bytes)
    case .text(let text): text
    case .money(let money): money.description
    }
  }
}
