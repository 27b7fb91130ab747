// The bank's commands. Those on accounts and books work while the bank runs, too.

internal import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

struct BankCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bank", abstract: "Accounts, anonymous tokens and payments.",
    subcommands: [
      Init.self, Key.self, Serve.self, AccountCommand.self, Books.self, ClearingCommand.self,
      BankEvidence.self,
      BankWitness.self, BankCertify.self,
    ])

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the bank's public key.")
    @OptionGroup var options: KeyOptions
    func run() async throws { try await options.run(.bank) }
  }

  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a bank and its denomination keys.")
    @OptionGroup var options: InitOptions
    @Option(help: "The bank's currency, ISO 4217.") var currency = "EUR"
    @Option(help: "What an exchange of tokens costs, in minor units.") var exchangeFee: UInt64 = 0
    @Option(help: "How many denominations: 1, 2, 4, … minor units.") var denominations = 20

    func run() async throws {
      var setup = options.setup(.bank, port: 8441)
      guard Money(currency: currency, amount: 0) != nil else {
        throw ValidationError("A currency is three capital letters.")
      }
      guard (1...30).contains(denominations) else {
        throw ValidationError("There are 1 to 30 denominations.")
      }
      setup.denominations = (0..<denominations).map { 1 << $0 }
      (setup.currency, setup.exchangeFee) = (currency, exchangeFee)
      try await options.run(setup)
    }
  }

  struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the bank until it is told to stop.")
    @OptionGroup var options: ServeOptions
    @Option(help: "For how many days after its tokens' end a lock is kept.") var keep: UInt64 = 90

    func run() async throws {
      guard keep <= 36_500 else { throw ValidationError("Locks are kept for up to 36500 days.") }
      var choices = ServingChoices()
      choices.keepSeconds = keep * 86_400
      try await options.run(.bank, choices)
    }
  }

  struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "account", abstract: "Open, fill and look at accounts.",
      subcommands: [Open.self, Deposit.self, Statement.self])
  }

  struct Books: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check the books: accounts + tokens + locked + fees + clearing = deposits.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withBank(data) { bank in
        let totals = try await bank.totals()
        let faults = try await bank.check()
        if data.json {
          try printJSON(totals)
        } else {
          print(
            "accounts \(totals.accounts) + tokens \(totals.tokens) + locked \(totals.locked)"
              + " + fees \(totals.fees) + clearing \(totals.clearing) = deposits \(totals.cash)"
              + ", in minor units of \(totals.currency)"
          )
        }
        guard totals.difference == 0, faults.isEmpty else {
          throw ServiceError.protocolViolation("the books are wrong by \(totals.difference); \(faults)")
        }
      }
    }
  }

  struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Open an account for a public key.",
      discussion: "A customer's key is what `acd wallet init` prints; a merchant's is its own key.")
    @OptionGroup var data: DataOptions
    @Argument(help: "The account's name.") var name: String
    @Option(help: "The owner's public key, 64 hexadecimal digits.") var key: String
    @Flag(help: "The account of a merchant, to which sales are credited.") var merchant = false

    func run() async throws {
      guard let key = PublicKey(hex: key) else { throw ValidationError("A key is 64 hexadecimal digits.") }
      try await withBank(data) { bank in
        try await bank.open(name, key: key, merchant: merchant)
        if data.json { try printJSON(["account": name]) } else { print("account \(name) is open") }
      }
    }
  }

  struct Deposit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Money comes in from outside.")
    @OptionGroup var data: DataOptions
    @Argument(help: "The account's name.") var name: String
    @Argument(help: "Such as EUR:10.00.") var amount: MoneyArgument
    @Option(help: "A reference; the same one again is no second deposit.") var reference: String

    func run() async throws {
      try await withBank(data) { bank in
        let balance = try await bank.deposit(name, amount.money, reference: reference)
        if data.json { try printJSON(["balance": balance.description]) } else { print("balance \(balance)") }
      }
    }
  }

  struct Statement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "An account's movements and balance.")
    @OptionGroup var data: DataOptions
    @Argument(help: "The account's name.") var name: String

    func run() async throws {
      try await withBank(data) { bank in
        let (balance, lines) = try await bank.statement(name)
        if data.json { return try printJSON(lines) }
        for line in lines {
          print("\(UTCTime.text(line.at))  \(line.kind)  \(line.amount)  \(line.balance)")
        }
        print("balance \(balance)")
      }
    }
  }
}

/// Lets `body` work at the bank's books, and lets them go whatever happens.
func withBank(_ data: DataOptions, _ body: (BankOperation) async throws -> Void) async throws {
  try await reporting {
    let bank = try BankOperation(data.directory("bank"))
    do { try await body(bank) } catch {
      try await bank.close()
      throw error
    }
    try await bank.close()
  }
}
