// `init` and `serve` of bank, archive and merchant: the same words for all three.

public import ArgumentParser
import Foundation
import Messages
import Parties
import PointOfDelivery
import Services

/// Options of every `init`.
struct InitOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  @Option(help: "A name for people: stands in the trust list.")
  var name: String?

  @Option(help: "The address to listen at.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen at.")
  var port: Int?

  @Option(help: "The name that others reach it by, if it is not the address it listens at.")
  var advertise: String?

  @Option(help: "The local certificate authority's directory; made if it is not there (default: ~/.acd/ca).")
  var ca: String?

  func setup(_ role: Role, port standard: Int) -> PartySetup {
    let authority = DataDirectory(ca ?? Home.path + "/.acd/ca")
    var setup = PartySetup(
      role: role, name: name ?? role.name, host: host, port: port ?? standard, authority: authority)
    setup.advertised = advertise
    return setup
  }

  func run(_ setup: PartySetup) async throws {
    try await reporting {
      let directory = data.directory(setup.role.name)
      let card = try await PartyOperation.initialise(directory, setup)
      if data.json { return try printJSON(card) }
      print("\(card.role) \(card.name) is set up in \(directory.path)")
      print("  key  \(card.key)\n  url  \(card.url)")
      print("next: acd trust export --party \(directory.path) … ; acd \(card.role) serve --trust FILE")
    }
  }
}

/// Every party's `key`.
struct KeyOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  func run(_ role: Role) async throws {
    try await reporting {
      let card = try PartyCard.load(data.directory(role.name).path)
      if data.json { try printJSON(["key": card.key]) } else { print(card.key) }
    }
  }
}

/// Options of every `serve`.
struct ServeOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  @Option(help: "A trust list to put in force (kept; not needed again).")
  var trust: String?

  @Flag(help: "Read the archives' records every second, beside being told of outcomes.")
  var pollArchives = false

  @Flag(help: "Print a line of JSON for each message that passes: names and sizes, never contents.")
  var trace = false

  @Flag(help: "Log more.")
  var verbose = false

  func run(_ role: Role, _ own: ServingChoices = ServingChoices(), passive: Bool? = nil) async throws {
    try await reporting {
      let directory = data.directory(role.name)
      let config = try directory.config()
      if let passive, passive != config.isPassive {
        throw ServiceError.configuration(
          config.isPassive
            ? "\(directory.path) is a passive archive: run it with --passive"
            : "\(directory.path) is no passive archive: make one with `acd archive init --passive`")
      }
      guard config.role == role.name else {
        throw ServiceError.configuration("\(directory.path) is a \(config.role), not a \(role.name)")
      }
      let say: @Sendable (String) -> Void = { line in
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
      }
      var choices = own
      choices.polls = pollArchives
      try await PartyOperation.serve(
        directory, trust: try trust.map(readFile), choices: choices, trace: trace ? say : nil,
        verbose: verbose, onReady: { url in say("{\"ready\":\"\(url)\"}") })
    }
  }
}

struct ArchiveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive", abstract: "The public record that commits or aborts each sale.",
    subcommands: [Init.self, Key.self, Serve.self, Certify.self])

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the archive's public key.")
    @OptionGroup var options: KeyOptions
    func run() async throws { try await options.run(.archive) }
  }

  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make an archive.")
    @OptionGroup var options: InitOptions
    @Flag(help: "A public record without keys, for invoice purchases: it signs nothing.") var passive = false

    func run() async throws {
      var setup = options.setup(.archive, port: 8442)
      setup.passive = passive
      try await options.run(setup)
    }
  }

  struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the archive until it is told to stop.",
      discussion: "A joint archive is a bank that keeps the record of its own locks (FIGS. 6 and 7).")
    @OptionGroup var options: ServeOptions
    @Flag(help: "Run the bank in --data-dir, which is the archive of joint purchases.") var joint = false
    @Flag(help: "Send no copies: banks and merchants read the record, or tell each other.") var noCopies =
      false
    @Option(help: "For how many days after its lifetime a record can be read.") var keep: UInt64 = 90
    @Flag(help: "Only keep the public record of invoice purchases (made with `acd archive init --passive`).")
    var passive = false
    @Option(
      help: "Invoices: who has the bank credit an approved token, the merchant, or this archive by itself.")
    var deposits = DepositRoute.merchant
    @Flag(help: "Begin a transparency log of all outcomes, served below /log. It goes on at later starts.")
    var log = false

    func run() async throws {
      guard keep <= 36_500 else { throw ValidationError("Records are kept for up to 36500 days.") }
      var choices = ServingChoices()
      (choices.sendsCopies, choices.keepSeconds) = (!noCopies, keep * 86_400)
      (choices.deposits, choices.logs) = (deposits, log)
      if joint && noCopies { throw ValidationError("A joint archive tells itself.") }
      try await options.run(joint ? .bank : .archive, choices, passive: passive)
    }
  }
}

struct MerchantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merchant", abstract: "Sell files.",
    subcommands: [
      Init.self, Key.self, Serve.self, OfferCommand.self, OffersCommand.self, BidsCommand.self,
      SalesCommand.self,
      FinishCommand.self, CancelCommand.self, RefundsCommand.self, MerchantEvidence.self,
      MerchantWitness.self, MerchantCertify.self, DeliveriesCommand.self, ParcelsCommand.self,
    ])

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the merchant's public key.")
    @OptionGroup var options: KeyOptions
    func run() async throws { try await options.run(.merchant) }
  }

  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a merchant.")
    @OptionGroup var options: InitOptions
    @Option(
      help:
        "The bank that keeps its account, if not the customers': its key, data directory or identity.json.")
    var bank: String?

    func run() async throws {
      var setup = options.setup(.merchant, port: 8443)
      setup.bank = try bank.map { try partyKey($0, role: "bank") }
      try await options.run(setup)
    }
  }

  struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the merchant until it is told to stop.")
    @OptionGroup var options: ServeOptions
    @Option(
      help: "How customers get the key: archive, merchant, or early (before the archive's answer, on trust).")
    var completion = CompletionRoute.archive
    @Option(help: "How many seconds a customer has from the offer until the latest expiration.")
    var expiration: UInt64 = 3600
    @Option(help: "Refunds: ask (see `acd merchant refunds`), or auto: agree to all that are possible.")
    var refund = RefundPolicy.ask
    @Option(help: "Tell banks of commits, beside the archive: those of so many seconds in one message.")
    var forward: UInt64?
    @Option(help: "For how many days after a contract's lifetime its messages are kept, for complaints.")
    var keep: UInt64 = 90

    func run() async throws {
      guard (1...604_800).contains(expiration) else {
        throw ValidationError("An expiration is 1 to 604800 seconds away.")
      }
      guard keep <= 36_500, forward ?? 0 <= 86_400 else {
        throw ValidationError("Messages are kept for up to 36500 days, and forwarded within a day.")
      }
      var choices = ServingChoices()
      (choices.completion, choices.offerSeconds) = (completion, expiration)
      (choices.refunds, choices.forwardSeconds) = (refund == .auto, forward)
      choices.keepSeconds = keep * 86_400
      try await options.run(.merchant, choices)
    }
  }

  struct OfferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "offer", abstract: "Change what is on sale.", subcommands: [Add.self, Remove.self])

    struct Add: AsyncParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: "Put a file on sale.",
        discussion: "Example: acd merchant offer add song.flac --price EUR:1.00 --description 'A song'")
      @OptionGroup var data: DataOptions
      @Argument(help: "The file to sell. It has to stay as it is.") var file: String
      @Option(help: "Such as EUR:1.00.") var price: MoneyArgument
      @Option(help: "What the buyer is told; its hash is part of the contract.") var description: String
      @Flag(help: "Sell only with the buyer's signed acknowledgement of the goods.") var twoSided = false
      @Option(
        name: .customLong("protocol"), parsing: .upToNextOption,
        help: "The protocols by which it is sold: \(ProtocolArgument.list).")
      var protocols: [ProtocolArgument] = [.core]
      @Option(help: "Take bids down to this price, and answer lower ones by another price (told to nobody).")
      var least: MoneyArgument?
      @Flag(help: "Ask me about bids below the price: `acd merchant bids`.") var ask = false
      @Option(
        help:
          "A parcel goes with it, to be collected at this office: a kiosk's key, directory or identity.json.")
      var deliverTo: [String] = []
      @Option(help: "For how many days a parcel is kept there.") var hold: UInt64 = 14

      func validate() throws {
        guard (1...365).contains(hold) else { throw ValidationError("A parcel is kept for 1 to 365 days.") }
      }

      func run() async throws {
        let offices = try deliverTo.map { try partyKey($0, role: "kiosk") }
        try await withMerchant(data) { merchant in
          let offer = try await merchant.add(
            file, price: price.money, description: description, twoSided: twoSided,
            modes: Mode.allCases.filter { mode in protocols.contains { $0.mode == mode } },
            least: least?.money, asks: ask, offices: offices,
            holdSeconds: offices.isEmpty ? nil : hold * 86_400)
          if data.json {
            try printJSON(offer)
          } else {
            print("on sale: \(offer.id)  \(offer.price)  \(offer.name)")
          }
        }
      }
    }

    struct Remove: AsyncParsableCommand {
      static let configuration = CommandConfiguration(
        abstract: "Stop offering. Sales that have begun go on.")
      @OptionGroup var data: DataOptions
      @Argument(help: "The offer's id, as `acd merchant offers` prints it.") var id: String

      func run() async throws {
        try await withMerchant(data) { merchant in
          try await merchant.remove(id)
          if data.json { try printJSON(["removed": id]) } else { print("no longer on sale: \(id)") }
        }
      }
    }
  }

  struct OffersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "offers", abstract: "List what is on sale.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withMerchant(data) { merchant in
        let offers = try await merchant.offers()
        if data.json { return try printJSON(offers) }
        for offer in offers { print("\(offer.id)  \(offer.price)  \(offer.name)  \(offer.description)") }
      }
    }
  }

  struct SalesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sales", abstract: "List all sales.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withMerchant(data) { merchant in
        let sales = try await merchant.sales()
        if data.json { return try printJSON(sales) }
        for sale in sales { show(sale) }
      }
    }
  }

  struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "cancel", abstract: "Give a sale up: the customer's money comes back at once.",
      discussion: """
        A sale that is with the archive already cannot be given up. If the merchant does not run, the
        archive is told when it runs again.
        """)
    @OptionGroup var data: DataOptions
    @Argument(help: "The sale's number n, as `acd merchant sales` prints it.") var n: String

    func run() async throws { try await change(n, data) { try await $0.cancel($1) } }
  }

  struct FinishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "finish",
      abstract: "End an open series of purchases: what was bought is archived and paid.",
      discussion: "By itself it ends when its customer wants no more, or in time before its expiration.")
    @OptionGroup var data: DataOptions
    @Argument(help: "The sale's number n, as `acd merchant sales` prints it.") var n: String

    func run() async throws { try await change(n, data) { try await $0.finish($1) } }
  }
}

/// Does something to one sale, and prints how it stands then.
private func change(
  _ text: String, _ data: DataOptions,
  _ body: (MerchantOperation, TransactionID) async throws -> SaleSummary
) async throws {
  guard let n = TransactionID(hex: text) else {
    throw ValidationError("A sale's number is 32 hexadecimal digits.")
  }
  try await withMerchant(data) { merchant in
    let sale = try await body(merchant, n)
    if data.json { try printJSON(sale) } else { show(sale) }
  }
}

/// Lets `body` work at the merchant's offers and sales, and lets them go whatever happens.
func withMerchant(
  _ data: DataOptions, _ body: (MerchantOperation) async throws -> Void
) async throws {
  try await reporting {
    let merchant = try MerchantOperation(data.directory("merchant"))
    do { try await body(merchant) } catch {
      try await merchant.close()
      throw error
    }
    try await merchant.close()
  }
}

private func show(_ sale: SaleSummary) {
  let until = sale.expiration.map { "  until \(UTCTime.text($0))" } ?? ""
  print("\(sale.n)  \(sale.phase)  \(sale.price)  \(sale.name)  \(UTCTime.text(sale.offeredAt))\(until)")
}

/// The key of a party that was named by it, by its data directory or by its identity.json.
private func partyKey(_ text: String, role: String) throws -> PublicKey {
  if let key = PublicKey(hex: text) { return key }
  guard let card = try? PartyCard.load(text), card.role == role, let key = PublicKey(hex: card.key) else {
    throw ValidationError("A \(role) is named by its key, its data directory or its identity.json.")
  }
  return key
}

extension CompletionRoute: ExpressibleByArgument {}
extension DepositRoute: ExpressibleByArgument {}
