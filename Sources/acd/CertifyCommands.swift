// Additional certification: a timestamp authority dates an archive's log, or what a party kept of a purchase.

internal import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

private let certifyHelp = """
  The authority hears a hash and nothing else. Its certificate has to be in the trust list \
  (`acd trust export --tsa`), and its token is kept and exported with the evidence. If it does not answer, \
  nothing is lost: try again.
  """

/// Options of every `certify`.
struct CertifyOptions: ParsableArguments {
  @Option(help: "The authority: its URL, or its name in the trust list (default: any of the list's).")
  var tsa: String?

  /// Lends a client of the authorities in this directory's trust list.
  func withClient(
    _ directory: DataDirectory, proxy: String? = nil, _ body: (TimestampClient) async throws -> Void
  ) async throws {
    let client = try TimestampClient(directory, proxy: proxy)
    do { try await body(client) } catch {
      try await client.close()
      throw error
    }
    try await client.close()
  }

  func show(_ stamps: [Stamped], json: Bool) throws {
    if json { return try printJSON(stamps) }
    for stamp in stamps { print(line("\(stamp.count) messages and proofs existed", stamp)) }
  }
}

private func line(_ what: String, _ stamp: Stamped) -> String {
  let latest = UTCTime.text(stamp.at + stamp.accuracySeconds)
  return "\(what) by \(latest), as \(stamp.authority) says (to \(stamp.accuracySeconds) s)"
}

extension ArchiveCommand {
  struct Certify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have a timestamp authority date the log's latest checkpoint.",
      discussion: certifyHelp + """


        Where the trust list demands witnesses, it is a checkpoint that a quorum has cosigned. The timestamp \
        is served beside the log, at /log/timestamp. The archive may run.
        """)
    @OptionGroup var data: DataOptions
    @OptionGroup var options: CertifyOptions

    func run() async throws {
      try await reporting {
        let directory = data.directory("archive")
        try await options.withClient(directory) { client in
          let done = try await ArchiveCertification.certify(directory, by: client, at: options.tsa)
          if data.json { return try printJSON(done) }
          print(line("the log's \(done.size) entries existed", done.stamped))
          print("  \(done.isOld ? "dated before" : "kept in"): \(done.path)")
        }
      }
    }
  }
}

extension WalletCommand {
  struct Certify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have a timestamp authority date a purchase's messages and proofs.",
      discussion: certifyHelp + " Near the end of a contract's lifetime it is time for it.")
    @OptionGroup var options: WalletOptions
    @OptionGroup var certify: CertifyOptions
    @Argument(help: "The purchase's number, as `acd wallet list` prints it.") var number: UInt64

    func run() async throws {
      try await options.withWallet { wallet in
        let directory = options.data.directory("wallet")
        try await certify.withClient(directory, proxy: options.proxy) { client in
          try certify.show(
            try await wallet.certify(number, by: client, at: certify.tsa), json: options.data.json)
        }
      }
    }
  }
}

struct MerchantCertify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certify", abstract: "Have a timestamp authority date a sale's messages and proofs.",
    discussion: certifyHelp)
  @OptionGroup var data: DataOptions
  @OptionGroup var certify: CertifyOptions
  @Argument(help: "The sale's number n, as `acd merchant sales` prints it.") var n: String

  func run() async throws {
    guard let n = TransactionID(hex: n) else {
      throw ValidationError("A sale's number is 32 hexadecimal digits.")
    }
    try await withMerchant(data) { merchant in
      try await certify.withClient(data.directory("merchant")) { client in
        try certify.show(try await merchant.certify(n, by: client, at: certify.tsa), json: data.json)
      }
    }
  }
}

struct BankCertify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certify", abstract: "Have a timestamp authority date a lock's messages and proofs.",
    discussion: certifyHelp)
  @OptionGroup var data: DataOptions
  @OptionGroup var certify: CertifyOptions
  @OptionGroup var name: LockArguments

  func run() async throws {
    let lock = try name.parsed()
    try await withBank(data) { bank in
      try await certify.withClient(data.directory("bank")) { client in
        try certify.show(try await bank.certify(lock, by: client, at: certify.tsa), json: data.json)
      }
    }
  }
}

/// A timestamp authority, as `acd trust export --tsa` takes it: CERTIFICATE[,URL[,POLICY]].
struct TimestampAuthorityArgument: ExpressibleByArgument {
  let file: String
  let url, policy: String?

  init?(argument: String) {
    let parts = argument.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false).map(
      String.init)
    guard !parts[0].isEmpty else { return nil }
    func part(_ index: Int) -> String? { parts.count > index && !parts[index].isEmpty ? parts[index] : nil }
    (file, url, policy) = (parts[0], part(1), part(2))
    guard url.map({ $0.hasPrefix("http://") || $0.hasPrefix("https://") }) ?? true else { return nil }
  }

  func read() throws -> TimestampAuthority {
    try TimestampAuthority(certificate: readFile(file), url: url, policy: policy)
  }
}
