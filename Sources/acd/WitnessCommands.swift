// The witness's commands, and those of a party whose archive is silent.

public import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

struct WitnessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "Ask archives for others, and certify what they answer.",
    subcommands: [Init.self, Key.self, Serve.self])

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the witness's public key.")
    @OptionGroup var options: KeyOptions
    func run() async throws { try await options.run(.witness) }
  }

  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a witness.")
    @OptionGroup var options: InitOptions
    func run() async throws { try await options.run(options.setup(.witness, port: 8444)) }
  }

  struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the witness until it is told to stop.")
    @OptionGroup var options: ServeOptions
    func run() async throws { try await options.run(.witness) }
  }
}

// MARK: Asking

private let askHelp = """
  Each witness sends the archive what you name, waits for as long as an archive may take, and signs what came
  back, or that nothing did. The certificates are kept, and `evidence export` writes them for `acd judge`.
  Ends with 0 if every witness certified something, whatever it was, and with 4 if one did not.
  """

private let abortHelp = """
  From the end of a transaction's lifetime on its archive ends nothing any more. If it is gone, or nobody
  asked it in time, a quorum of witnesses certifies that it gives no outcome, and their abort makes the bank
  give the money back.
  """

/// Which witnesses.
struct WitnessOptions: ParsableArguments {
  @Option(name: .customLong("witness"), help: "A witness's name or key. Repeat for more (default: all).")
  var names: [String] = []
}

/// Says what witnesses said.
private func show(_ reports: [WitnessReport], json: Bool) throws {
  if json { try printJSON(reports) } else { for report in reports { print(line(report)) } }
}

/// The same, and whether all of them said something.
private func showAll(_ reports: [WitnessReport], json: Bool) throws {
  try show(reports, json: json)
  if reports.contains(where: { $0.certificate == nil }) { throw Status.unreachable }
}

private func line(_ report: WitnessReport) -> String {
  guard let sent = report.sentAt, let waited = report.waitedUntil else {
    return "\(report.witness): no certificate: \(report.failure ?? "")"
  }
  let what = report.answer.map { "the archive answered: \($0)" } ?? "NO ANSWER from the archive"
  return "\(report.witness): \(what)  (sent \(UTCTime.text(sent)), waited until \(UTCTime.text(waited)))"
}

extension WitnessRequest: ExpressibleByArgument {}

struct WalletWitness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "When an archive does not answer.", subcommands: [Ask.self, Abort.self])

  struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have witnesses ask a purchase's archive.", discussion: askHelp)
    @OptionGroup var options: WalletOptions
    @OptionGroup var witnesses: WitnessOptions
    @Argument(help: "The purchase's number, as `acd wallet list` prints it.") var number: UInt64
    @Option(name: .customLong("for"), help: "abort (from the expiration on), or status (at any time).")
    var request = WitnessRequest.abort

    func run() async throws {
      try await options.withWallet { wallet in
        let reports = try await wallet.askWitnesses(number, for: request, named: witnesses.names)
        try showAll(reports, json: options.data.json)
      }
    }
  }

  struct Abort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have the witnesses abort a purchase whose lifetime is over.", discussion: abortHelp)
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64

    func run() async throws {
      try await options.withWallet { wallet in
        let reports = try await wallet.abortByWitnesses(number)
        try show(reports, json: options.data.json)
        if !options.data.json { print("purchase \(number) is aborted; its tokens are free") }
      }
    }
  }
}

struct MerchantWitness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "When an archive does not answer.", subcommands: [Ask.self, Abort.self])

  struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have witnesses ask a sale's archive.", discussion: askHelp)
    @OptionGroup var data: DataOptions
    @OptionGroup var witnesses: WitnessOptions
    @Argument(help: "The sale's number n, as `acd merchant sales` prints it.") var n: String
    @Option(
      name: .customLong("for"),
      help: "submission (the sealed key, before the expiration), or abort (from the expiration on).")
    var request = WitnessRequest.submission

    func run() async throws {
      let n = try saleNumber(n)
      try await withMerchant(data) { merchant in
        try showAll(
          try await merchant.askWitnesses(n, for: request, named: witnesses.names), json: data.json)
      }
    }
  }

  struct Abort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have the witnesses abort a sale whose lifetime is over.", discussion: abortHelp)
    @OptionGroup var data: DataOptions
    @Argument(help: "The sale's number n.") var n: String

    func run() async throws {
      let n = try saleNumber(n)
      try await withMerchant(data) { try show(try await $0.abortByWitnesses(n), json: data.json) }
    }
  }
}

private func saleNumber(_ text: String) throws -> TransactionID {
  guard let n = TransactionID(hex: text) else {
    throw ValidationError("A sale's number is 32 hexadecimal digits.")
  }
  return n
}

struct BankWitness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness", abstract: "When an archive does not answer.", subcommands: [Ask.self, Abort.self])

  struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have witnesses ask a lock's archive for its outcome.", discussion: askHelp)
    @OptionGroup var data: DataOptions
    @OptionGroup var witnesses: WitnessOptions
    @OptionGroup var name: LockArguments

    func run() async throws {
      let lock = try name.parsed()
      try await withBank(data) { bank in
        try showAll(try await bank.askWitnesses(lock, named: witnesses.names), json: data.json)
      }
    }
  }

  struct Abort: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have the witnesses abort a lock whose lifetime is over.", discussion: abortHelp)
    @OptionGroup var data: DataOptions
    @OptionGroup var name: LockArguments

    func run() async throws {
      let lock = try name.parsed()
      try await withBank(data) { try show(try await $0.abortByWitnesses(lock), json: data.json) }
    }
  }
}

/// A lock, by its transaction or by its name.
struct LockArguments: ParsableArguments {
  @Argument(help: "M and n, or L: 64 and 32, or 64 hexadecimal digits.") var lock: [String]

  func parsed() throws -> BankLockName { try BankLockName(lock) }
}

extension BankLockName {
  /// M and n, or L, as a person types them.
  init(_ words: [String]) throws {
    guard let first = words.first, let hash = Hash(hex: first), words.count <= 2 else {
      throw ValidationError("M and n have 64 and 32 hexadecimal digits, a lock's name has 64.")
    }
    guard words.count == 2 else {
      self = .hash(hash)
      return
    }
    guard let n = TransactionID(hex: words[1]) else { throw ValidationError("n has 32 hexadecimal digits.") }
    self = .transaction(merchant: PublicKey(hash.bytes)!, n: n)
  }
}
