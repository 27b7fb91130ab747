// Money back, on both sides.

internal import ArgumentParser
import Foundation
import Messages
import Services

/// What a merchant does about refunds.
enum RefundPolicy: String, ExpressibleByArgument, CaseIterable { case ask, auto }

struct RefundsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refunds", abstract: "Refunds that customers ask for, and your answers to them.",
    subcommands: [ListCommand.self, Approve.self, Refuse.self], defaultSubcommand: ListCommand.self)

  struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "All refunds: waiting, agreed, done or refused.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withMerchant(data) { merchant in
        let refunds = try await merchant.refunds()
        if data.json { return try printJSON(refunds) }
        for refund in refunds {
          print("\(refund.id)  \(refund.phase)  \(refund.amount)  of sale \(refund.n)")
        }
      }
    }
  }

  struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Agree: the bank takes it from your account and gives it to the customer.")
    @OptionGroup var answer: RefundAnswerOptions
    func run() async throws { try await answer.give(true) }
  }

  struct Refuse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give nothing back.")
    @OptionGroup var answer: RefundAnswerOptions
    func run() async throws { try await answer.give(false) }
  }
}

/// Which refund.
struct RefundAnswerOptions: ParsableArguments {
  @OptionGroup var data: DataOptions
  @Argument(help: "The refund's name, as `acd merchant refunds` prints it.") var id: String

  func give(_ agrees: Bool) async throws {
    guard let hash = Hash(hex: id) else {
      throw ValidationError("A refund's name is 64 hexadecimal digits.")
    }
    try await withMerchant(data) { merchant in
      try await merchant.answer(refund: hash, agrees: agrees)
      if data.json { try printJSON(["answered": id]) } else { print("answered") }
    }
  }
}

extension WalletCommand {
  struct Refund: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask for money back: the merchant agrees, the bank gives fresh tokens.",
      discussion: "While the merchant has not answered, `acd wallet resume` goes on with it.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    @Option(help: "How much, such as EUR:0.50 (default: all that was paid).") var amount: MoneyArgument?

    func run() async throws {
      try await options.withWallet { wallet in
        let refund = try await wallet.refund(number, amount: amount?.money)
        if options.data.json { return try printJSON(refund) }
        print(
          refund.state == "done"
            ? "refunded \(refund.amount)"
            : "asked for \(refund.amount): the merchant has not answered yet, see `acd wallet resume`")
      }
    }
  }
}
