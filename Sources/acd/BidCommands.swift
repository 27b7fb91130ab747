// Bids below an offer's price, on both sides.

internal import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

struct BidsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bids", abstract: "Bids that wait for you, and your answers to them.",
    discussion: "Offers added with --ask. The customer hears the answer when his wallet asks again.",
    subcommands: [ListCommand.self, Accept.self, Counter.self, Refuse.self],
    defaultSubcommand: ListCommand.self)

  struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The bids that wait.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withMerchant(data) { merchant in
        let bids = try await merchant.bids()
        if data.json { return try printJSON(bids) }
        for bid in bids { print("\(bid.id)  \(bid.price)  \(bid.offer)  \(bid.protocol)") }
      }
    }
  }

  struct Accept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sell at the price that is bid.")
    @OptionGroup var answer: BidAnswerOptions
    func run() async throws { try await answer.give(.accept) }
  }

  struct Counter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Offer another price, for ten minutes.")
    @OptionGroup var answer: BidAnswerOptions
    @Argument(help: "Such as EUR:0.90.") var price: MoneyArgument
    func run() async throws { try await answer.give(.counter(price.money.description)) }
  }

  struct Refuse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say no: this customer's bids end.")
    @OptionGroup var answer: BidAnswerOptions
    func run() async throws { try await answer.give(.refuse) }
  }
}

/// Which bid.
struct BidAnswerOptions: ParsableArguments {
  @OptionGroup var data: DataOptions
  @Argument(help: "The bid's name, as `acd merchant bids` prints it.") var id: String

  func give(_ answer: BidAnswer) async throws {
    guard let name = Hash(hex: id) else {
      throw ValidationError("A bid's name is 64 hexadecimal digits.")
    }
    try await withMerchant(data) { merchant in
      try await merchant.answer(bid: name, answer)
      if data.json { try printJSON(["answered": id]) } else { print("answered") }
    }
  }
}

extension WalletCommand {
  struct Bid: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Answer a counter-offer by another price, and go on if the merchant takes it.")
    @OptionGroup var options: WalletOptions
    @OptionGroup var buying: BuyingOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    @Argument(help: "Such as EUR:0.85.") var price: MoneyArgument
    func run() async throws { try await answerCounter(options, buying, number, price.money) }
  }

  struct Accept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Accept a counter-offer: pay and receive the goods, or neither.")
    @OptionGroup var options: WalletOptions
    @OptionGroup var buying: BuyingOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    func run() async throws { try await answerCounter(options, buying, number, nil) }
  }

  struct Decline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell the merchant that you do not want it.",
      discussion: """
        Before the payment this ends the purchase. After it, the merchant cancels if it still can, and
        `acd wallet resume` takes what comes of it: the money back, or the goods.
        """)
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64

    func run() async throws {
      try await options.withWallet { wallet in
        let ended = try await wallet.decline(number)
        if options.data.json { return try printJSON(["ended": ended]) }
        print(ended ? "declined: nothing was paid" : "the merchant has been told; see `acd wallet resume`")
      }
    }
  }
}

private func answerCounter(
  _ options: WalletOptions, _ buying: BuyingOptions, _ number: UInt64, _ price: Money?
) async throws {
  try await options.withWallet { wallet in
    try await wallet.bid(number, price: price, output: buying.path) { [buying] in buying.choose(&$0) }
    try await finish(wallet, number, options)
  }
}
