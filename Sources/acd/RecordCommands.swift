// What a customer asks others about, and what it lets go of.

internal import ArgumentParser
import Foundation
import Messages
import Services

/// Whom a customer asks about a purchase.
enum AskedParty: String, ExpressibleByArgument, CaseIterable {
  case merchant, bank, archive

  var role: Role {
    switch self {
    case .merchant: .merchant
    case .bank: .bank
    case .archive: .archive
    }
  }
}

extension WalletCommand {
  struct Statement: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What the bank says of your account: its balance, and what was withdrawn from it.")
    @OptionGroup var options: WalletOptions
    @Option(help: "The bank's name or key.") var bank: String?

    func run() async throws {
      try await options.withWallet { wallet in
        let statement = try await wallet.statement(bank: bank)
        if options.data.json { return try printJSON(statement) }
        for order in statement.orders { print("withdrawn \(order.amount) in \(order.tokens) tokens") }
        print("balance \(statement.balance) at \(statement.bank)")
      }
    }
  }

  struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget purchases that ended long ago, with their receipts.",
      discussion: "Open purchases stay, those with evidence against somebody, and the goods in the clear.")
    @OptionGroup var options: WalletOptions
    @Option(help: "For how many days after a contract's lifetime a purchase is kept.") var keep: UInt64 = 365

    func run() async throws {
      guard keep <= 36_500 else { throw ValidationError("Purchases are kept for up to 36500 days.") }
      try await options.withWallet { wallet in
        let gone = try await wallet.prune(keepSeconds: keep * 86_400)
        if options.data.json { try printJSON(["forgotten": gone]) } else { print("forgot \(gone) purchases") }
      }
    }
  }
}
