// Evidence out of a wallet, a merchant or a bank: a bundle for `acd judge`, and files beside it for what no
// signed message holds. All are for their owner alone: a purchase's evidence tells who bought what.

internal import ArgumentParser
import Foundation
import Messages
import Services

/// Options of every evidence export.
struct EvidenceOptions: ParsableArguments {
  @Option(help: "The file to write; what does not fit into a bundle gets its name and an ending.")
  var out = "evidence.acd"

  /// Writes the files and says which.
  func write(_ export: EvidenceExport, json: Bool) throws {
    var files = [(out, try export.bundle())]
    for (index, sealing) in export.sealings.enumerated() {
      let number = export.sealings.count == 1 ? "" : "-\(index + 1)"
      files.append(("\(out).sealed\(number)", Array(sealing.box)))
      files.append(("\(out).seed\(number)", Array(sealing.seed)))
    }
    for (index, proof) in export.proofs.enumerated() {
      let number = export.proofs.count == 1 ? "" : "-\(index + 1)"
      files.append(("\(out).proof\(number)", Array(proof)))
    }
    for (index, stamp) in export.timestamps.enumerated() {
      let number = export.timestamps.count == 1 ? "" : "-\(index + 1)"
      files.append(("\(out).timestamp\(number)", Array(stamp)))
    }
    if let chunk = export.badChunk { files.append(("\(out).chunk", Array(chunk))) }
    for (path, bytes) in files { try writePrivate(path, bytes) }
    if json {
      return try printJSON(Written(files.map(\.0), export))
    }
    print("written: \(files.map(\.0).joined(separator: ", "))")
    print("  messages: \(export.labels.joined(separator: ", "))")
    for token in export.tokens { print("  token \(token)") }
    for goods in export.sealedGoods { print("  sealed goods, if they are in dispute: \(goods)") }
    if !export.sealings.isEmpty { print("  the sealed submission holds the key to the goods") }
  }

  private struct Written: Encodable {
    let files: [String]
    let labels: [String]
    let tokens: [String]
    let sealedGoods: [String]

    init(_ files: [String], _ export: EvidenceExport) {
      (self.files, labels, tokens) = (files, export.labels, export.tokens)
      sealedGoods = export.sealedGoods
    }
  }

  private func writePrivate(_ path: String, _ bytes: [UInt8]) throws {
    try writeFile(path, bytes)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }
}

struct WalletEvidence: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evidence", abstract: "What the wallet kept of a purchase, for a judge.",
    subcommands: [Export.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a purchase's messages as a bundle.",
      discussion: "Then: acd judge evidence.acd [SEALED-GOODS] --trust trust.acd")
    @OptionGroup var options: WalletOptions
    @OptionGroup var evidence: EvidenceOptions
    @Argument(help: "The purchase's number, as `acd wallet list` prints it.") var number: UInt64
    @Flag(help: "Do not ask the bank what became of an undelivered purchase's tokens.") var offline = false

    func run() async throws {
      try await options.withWallet { wallet in
        try evidence.write(try await wallet.evidence(number, asking: !offline), json: options.data.json)
      }
    }
  }
}

struct MerchantEvidence: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evidence", abstract: "What the merchant kept of a sale, for a judge.",
    subcommands: [Export.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a sale's messages as a bundle, with the sealed submission and its seed beside it.")
    @OptionGroup var data: DataOptions
    @OptionGroup var evidence: EvidenceOptions
    @Argument(help: "The sale's number n, as `acd merchant sales` prints it.") var n: String

    func run() async throws {
      guard let n = TransactionID(hex: n) else {
        throw ValidationError("A sale's number is 32 hexadecimal digits.")
      }
      try await withMerchant(data) { merchant in
        try evidence.write(try await merchant.evidence(n), json: data.json)
      }
    }
  }
}

struct BankEvidence: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evidence", abstract: "What the bank kept of a lock, for a judge.",
    subcommands: [Export.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a lock's messages and the bank's key list as a bundle.",
      discussion: """
        Name the lock by its transaction, M and n, or by L, the hash of its P3; or name a token, for all of
        its locks and exchanges.
        """)
    @OptionGroup var data: DataOptions
    @OptionGroup var evidence: EvidenceOptions
    @Argument(help: "M and n, or L: 64 and 32, or 64 hexadecimal digits.") var lock: [String] = []
    @Option(help: "A token's id instead, 64 hexadecimal digits: all that became of it.") var token: String?

    func run() async throws {
      guard let token else {
        let lock = try BankLockName(lock)
        return try await withBank(data) {
          try evidence.write(try await $0.evidence(lock), json: data.json)
        }
      }
      guard let id = Hash(hex: token), lock.isEmpty else {
        throw ValidationError("A token's id has 64 hexadecimal digits, and stands alone.")
      }
      try await withBank(data) {
        try evidence.write(try await $0.evidence(token: id), json: data.json)
      }
    }
  }
}
