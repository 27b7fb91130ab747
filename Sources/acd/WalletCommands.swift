// The customer's commands.

internal import ArgumentParser
import Foundation
import Messages
import Parties
import PointOfDelivery
import Services

struct WalletCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wallet", abstract: "Withdraw anonymous tokens, buy, keep receipts.",
    subcommands: [
      Init.self, Key.self, Restore.self, Backup.self, Withdraw.self, Balance.self, OffersCommand.self,
      Buy.self,
      Again.self, Finish.self, Bid.self, Accept.self, Decline.self, Refund.self, ComplainCommand.self,
      List.self, Show.self,
      Resume.self, ReceiptCommand.self, WalletEvidence.self, WalletWitness.self, Certify.self, Exchange.self,
      Statement.self, Prune.self, CardCommand.self, CollectCommand.self, DelegateCommand.self,
      PseudonymCommand.self,
    ])
}

/// How a purchase is made, wherever it goes on.
struct BuyingOptions: ParsableArguments {
  @Option(help: "The bank's name or key.") var bank: String?
  @Option(help: "The archive's name or key.") var archive: String?
  @Option(name: .shortAndLong, help: "The file to write (default: in the wallet's goods folder).")
  var output: String?
  @Option(help: "Where the key comes from: archive, merchant or early (default: archive).")
  var completion: CompletionRoute?
  @Option(help: "How many seconds until the money comes back if nothing is paid (600; 3600 for a series).")
  var expiration: UInt64?
  @Option(help: "Accept a counter-offer up to this price without asking.") var most: MoneyArgument?

  /// Changes what was named; the rest stays as it was chosen before.
  func choose(_ choices: inout PurchaseChoices) {
    choices.bank = bank ?? choices.bank
    choices.archive = archive ?? choices.archive
    choices.most = most?.money ?? choices.most
    choices.completion = completion ?? choices.completion
    choices.expirationSeconds = expiration ?? choices.expirationSeconds
  }

  /// The file to write.
  var path: String? { output.map { URL(fileURLWithPath: $0).path } }
}

/// Options of every wallet command.
struct WalletOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  @Option(help: "An anonymizer: socks5h://HOST:PORT. Names are resolved there.")
  var proxy: String?

  @OptionGroup var card: CardOptions

  /// Opens the wallet, lets `body` work with it, and closes it whatever happens. `cards` opens the card, by
  /// default where --card was said.
  func withWallet(cards: CardSource? = nil, _ body: (Wallet) async throws -> Void) async throws {
    let cards = cards ?? (card.card ? card.source : nil)
    try await reporting {
      let progress = ProgressLine()
      let quiet = data.json
      let wallet = try Wallet.open(data.directory("wallet"), proxy: proxy, cards: cards) { event in
        switch event {
        case .progress(let what, let done, let total): if !quiet { progress.show(what, done, total) }
        case .note(let text): FileHandle.standardError.write(Data((text + "\n").utf8))
        case .message: break
        }
      }
      do { try await body(wallet) } catch {
        try await wallet.close()
        throw error
      }
      try await wallet.close()
    }
  }
}

extension WalletCommand {
  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a wallet. Prints 24 words: write them down, they are the wallet.")
    @OptionGroup var data: DataOptions
    @Option(help: "The trust list.") var trust: String
    @Option(help: "The certificate authority's ca.pem.") var ca: String

    func run() async throws {
      try await reporting {
        let directory = data.directory("wallet")
        let words = try Wallet.create(directory, trust: readFile(trust), ca: readFile(ca), mnemonic: nil)
        let wallet = try Wallet.open(directory)
        let key = wallet.accountKey.description
        try await wallet.close()
        if data.json { return try printJSON(["accountKey": key, "mnemonic": words.joined(separator: " ")]) }
        print(
          "wallet in \(directory.path)\n  account key  \(key)\n  24 words     \(words.joined(separator: " "))"
        )
        print("next: ask the bank to open an account for the account key")
      }
    }
  }

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the key of the wallet's account: the bank opens an account for it.")
    @OptionGroup var options: WalletOptions

    func run() async throws {
      try await options.withWallet { wallet in
        let key = wallet.accountKey.description
        if options.data.json { try printJSON(["key": key]) } else { print(key) }
      }
    }
  }

  struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a lost wallet again from its 24 words: tokens and open purchases.")
    @OptionGroup var options: WalletOptions
    @Option(help: "The trust list.") var trust: String
    @Option(help: "The certificate authority's ca.pem.") var ca: String
    @Option(help: "A file with the 24 words; - reads standard input.") var words = "-"
    @Option(help: "A pseudonym of your own that you had bought under. Repeat for more.")
    var pseudonym: [String] = []

    func run() async throws {
      try await reporting {
        let mnemonic = String(decoding: try readFile(words), as: UTF8.self)
        _ = try Wallet.create(
          options.data.directory("wallet"), trust: readFile(trust), ca: readFile(ca), mnemonic: mnemonic)
      }
      try await options.withWallet { wallet in
        let found = try await wallet.restore(names: pseudonym)
        if options.data.json { return try printJSON(found) }
        print("restored \(found.tokens) tokens and \(found.purchases) purchases")
        if found.forgotten > 0 {
          print("\(found.forgotten) purchases are left out: their merchants have removed the contracts")
        }
      }
    }
  }

  struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the 24 words. Whoever reads them has the money.")
    @OptionGroup var options: WalletOptions
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
      if !yes && isatty(STDIN_FILENO) == 1 {
        print("Is nobody looking? Type yes: ", terminator: "")
        guard readLine() == "yes" else { throw ExitCode(1) }
      }
      try await options.withWallet { wallet in
        let words = try wallet.mnemonic().joined(separator: " ")
        if options.data.json { try printJSON(["mnemonic": words]) } else { print(words) }
      }
    }
  }

  struct Withdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Turn account money into anonymous tokens.",
      discussion: "Withdraw ahead of need and round amounts: amount and time are all that the bank sees.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "Such as EUR:5.00.") var amount: MoneyArgument
    @Option(help: "The bank's name or key.") var bank: String?
    @Flag(help: "One key for all tokens: fewer signatures, but they can be seen to belong together.")
    var reuseKey = false
    @Option(help: "Bind the tokens to this archive: they pay invoices there, and nothing else.")
    var archive: String?
    @Option(help: "The bank where the tokens are usable, if it is not the one that issues them.")
    var usableAt: String?

    func validate() throws {
      if archive != nil && usableAt != nil {
        throw ValidationError("Tokens that are bound to an archive are usable at the bank that issues them.")
      }
    }

    func run() async throws {
      try await options.withWallet { wallet in
        try await wallet.withdraw(
          amount.money, bank: bank, reuseKey: reuseKey, archive: archive, usableAt: usableAt)
        try await show(wallet, options)
      }
    }
  }

  struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What the wallet holds.")
    @OptionGroup var options: WalletOptions
    func run() async throws { try await options.withWallet { try await show($0, options) } }
  }

  struct OffersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "offers", abstract: "What a merchant sells.")
    @OptionGroup var options: WalletOptions
    @Option(help: "The merchant's name or key.") var merchant: String?

    func run() async throws {
      try await options.withWallet { wallet in
        let offers = try await wallet.offers(merchant: merchant)
        if options.data.json {
          return try printJSON(
            offers.map {
              [
                "id": $0.id.description, "price": $0.price.description, "name": $0.name,
                "description": $0.description, "length": String($0.length),
                "protocols": $0.modes.map(\.name).joined(separator: " "),
              ]
            })
        }
        for offer in offers { print("\(offer.id)  \(offer.price)  \(offer.name)  \(offer.description)") }
      }
    }
  }

  struct Buy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Buy an offer: pay and receive the goods, or neither.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The offer's id, or its file name if that names one offer.") var offer: String
    @Option(help: "The merchant's name or key.") var merchant: String?
    @OptionGroup var buying: BuyingOptions
    @Option(name: .customLong("protocol"), help: "The protocol to buy by: \(ProtocolArgument.list).")
    var mode = ProtocolArgument.core
    @Option(help: "Repeated: what all purchases together may cost. The rest comes back at the end.")
    var budget: MoneyArgument?
    @Flag(help: "Acknowledge the goods before they are paid (two-sided delivery).") var twoSided = false
    @Option(help: "What to bid, such as EUR:0.80 (default: the offer's price).") var price: MoneyArgument?
    @Flag(help: "Under your account's own key, not anonymously: bank and merchant know you.") var named =
      false
    @Option(help: "A pseudonym of your own by which merchants know you again (default: a new one each time).")
    var pseudonym: String?
    @Flag(help: "Pay with tokens of one key, if enough of them share one (see `withdraw --reuse-key`).")
    var reuseKey = false
    @Option(help: "Begin after a random time of up to so many seconds, so that the bank cannot tell by it.")
    var delay: UInt64 = 0
    @Option(help: "Where to collect what is collected at a counter: the office's name or key.")
    var office: String?
    @Option(help: "Another key that may collect, such as a second card's (`acd wallet card key`). Repeat.")
    var collectKey: [String] = []
    @Flag(help: "Do not ask.") var yes = false

    func validate() throws {
      guard delay <= 604_800 else { throw ValidationError("A delay is at most 604800 seconds.") }
      if named && options.card.card { throw ValidationError("A named customer does not pay by card.") }
      if named && pseudonym != nil { throw ValidationError("A named customer has no pseudonym.") }
      if let pseudonym, pseudonym.isEmpty || pseudonym.utf8.count > 64 {
        throw ValidationError("A pseudonym has 1 to 64 bytes.")
      }
    }

    func run() async throws {
      try await options.withWallet { wallet in
        let chosen = try await choose(offer, try await wallet.offers(merchant: merchant))
        try confirm(chosen, price: price?.money, yes: yes, options)
        var wanted = BuyOptions()
        (wanted.merchant, wanted.price, wanted.output) = (merchant, price?.money, buying.path)
        (wanted.mode, wanted.isShort, wanted.budget) = (mode.mode, mode.isShort, budget?.money)
        (wanted.twoSided, wanted.named, wanted.pseudonym) = (twoSided, named, pseudonym)
        wanted.delaySeconds = delay
        wanted.choices.expirationSeconds = mode.mode == .repeated ? 3600 : 600
        wanted.choices.reuseKey = reuseKey
        wanted.choices.card = options.card.card ? true : nil
        wanted.office = try wallet.office(office, of: chosen)
        let onCard = wanted.office != nil && options.card.card
        wanted.collectKeys = try collectors(wallet, onCard: onCard)
        buying.choose(&wanted.choices)
        let number = try await wallet.buy(chosen, options: wanted)
        try await finish(wallet, number, options)
        if onCard { _ = try await wallet.putReceipt(number) }
        if let parcel = try await wallet.parcel(number), !options.data.json { show(parcel, onCard: onCard) }
      }
    }

    /// The card's fresh key and the ones that were named.
    private func collectors(_ wallet: Wallet, onCard: Bool) throws -> [PublicKey] {
      let named = try collectKey.map(soundKey)
      return onCard ? [try wallet.makeCollectKey().key] + named : named
    }
  }

  struct Again: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Buy another offer in an open series (bought with --protocol repeated).",
      discussion: "The bank and the archive are not asked; the series is paid as a whole when it ends.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The series' number, as `acd wallet list` prints it.") var number: UInt64
    @Argument(help: "The offer's id, or its file name if that names one offer.") var offer: String
    @Option(name: .shortAndLong, help: "The file to write (default: in the wallet's goods folder).")
    var output: String?
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
      try await options.withWallet { wallet in
        guard let series = try await wallet.purchases().first(where: { $0.number == number }) else {
          throw ServiceError.notFound("there is no purchase \(number)")
        }
        let chosen = try await choose(offer, try await wallet.offers(merchant: series.merchant))
        try confirm(chosen, yes: yes, options)
        try await wallet.again(number, chosen, output: output.map { URL(fileURLWithPath: $0).path })
        try await finish(wallet, number, options)
      }
    }
  }

  struct Finish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a series: what was bought is paid, the rest of the budget comes back.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The series' number, as `acd wallet list` prints it.") var number: UInt64

    func run() async throws {
      try await options.withWallet { wallet in
        try await wallet.finish(number)
        try await finish(wallet, number, options)
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All purchases.")
    @OptionGroup var options: WalletOptions

    func run() async throws {
      try await options.withWallet { wallet in
        let all = try await wallet.purchases()
        if options.data.json { return try printJSON(all) }
        for purchase in all {
          print(
            "\(purchase.number)  \(purchase.phase)  \(purchase.price)  \(purchase.name)  \(purchase.merchant)"
          )
        }
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "One purchase.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    @Option(help: "Ask the purchase's merchant, bank or archive, and keep its signed answer.")
    var at: AskedParty?

    func run() async throws {
      try await options.withWallet { wallet in
        if let at {
          let answer = try await wallet.ask(number, at: at.role)
          if options.data.json { return try printJSON(answer) }
          let shown = answer.proof.isEmpty ? "nothing" : answer.proof.joined(separator: ", ")
          return print("the \(at.rawValue) says: \(answer.state), and shows \(shown)")
        }
        guard let purchase = try await wallet.purchases().first(where: { $0.number == number }) else {
          throw ServiceError.notFound("there is no purchase \(number)")
        }
        if options.data.json { return try printJSON(purchase) }
        print(
          "purchase \(number): \(purchase.phase)\n  \(purchase.price)  \(purchase.name)  "
            + purchase.description
        )
        print("  transaction \(purchase.transaction ?? "none yet") at \(purchase.merchant)")
        if let series = try await wallet.series(number) { print("  \(text(series))") }
        print("  messages: \(try await wallet.messages(number).map(\.label).joined(separator: ", "))")
      }
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Go on with everything that was interrupted, until it is paid or undone.")
    @OptionGroup var options: WalletOptions

    func run() async throws {
      try await options.withWallet { wallet in
        try await wallet.resume()
        let open = try await wallet.purchases().filter(\.isOpen)
        if options.data.json { return try printJSON(open) }
        print(open.isEmpty ? "nothing is open" : "\(open.count) purchases are still open")
      }
    }
  }

  struct Exchange: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Change remainders and ageing tokens for fresh ones that nobody can link to them.")
    @OptionGroup var options: WalletOptions
    @Flag(help: "Exchange all tokens.") var all = false
    @Option(help: "The bank's name or key.") var bank: String?

    func run() async throws {
      try await options.withWallet { wallet in
        let amount = try await wallet.refresh(all: all, bank: bank, onCard: options.card.card)
        if !options.data.json { print(amount.map { "exchanged \($0)" } ?? "nothing to exchange") }
        try await show(wallet, options)
      }
    }
  }
}

func show(_ wallet: Wallet, _ options: WalletOptions) async throws {
  let balance = try await wallet.balance()
  if options.data.json { return try printJSON(balance) }
  if balance.isEmpty { print("the wallet is empty") }
  for line in balance {
    let bound = line.archive.map { ", bound to \($0)" } ?? (line.card == true ? ", on a card" : "")
    print("\(line.available) in \(line.tokens) tokens\(bound); held by open purchases \(line.held)")
  }
}

func finish(_ wallet: Wallet, _ number: UInt64, _ options: WalletOptions) async throws {
  guard let purchase = try await wallet.purchases().first(where: { $0.number == number }) else { return }
  let series = try await wallet.series(number)
  if options.data.json { try printJSON(purchase) } else { print("purchase \(number): \(purchase.phase)") }
  // A series stays open until its customer has enough.
  if let series, purchase.phase == "locked", series.delivered > 0 {
    guard !options.data.json else { return }
    print("  \(text(series))\n  more: acd wallet again \(number) OFFER    end: acd wallet finish \(number)")
    return
  }
  if purchase.phase != "delivered" { throw Status.failed }
}

private func text(_ series: SeriesSummary) -> String {
  let names = series.names.joined(separator: ", ")
  return "\(series.total) of \(series.budget), \(series.left) left: \(names); \(series.delivered) delivered"
}

/// The offer of this id, or of this file name if that names one offer.
private func choose(_ name: String, _ all: [Offer]) async throws -> Offer {
  let offers = all.filter { $0.id.description == name.lowercased() || $0.name == name }
  guard let chosen = offers.first, offers.count == 1 else {
    throw ServiceError.notFound(
      offers.isEmpty ? "there is no offer \(name)" : "\(name) names \(offers.count) offers: give the id")
  }
  return chosen
}

private func confirm(
  _ offer: Offer, price: Money? = nil, yes: Bool, _ options: WalletOptions
) throws {
  guard !yes && !options.data.json && isatty(STDIN_FILENO) == 1 else { return }
  print("Buy \(offer.name) for \(price ?? offer.price)? Type yes: ", terminator: "")
  guard readLine() == "yes" else { throw ExitCode(1) }
}
