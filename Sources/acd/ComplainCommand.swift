// `acd wallet complain`: disputes about invoice purchases, settled by the bank under the token's key.

internal import ArgumentParser
import Messages
import Services

/// What is wrong with a purchase.
enum ComplaintArgument: String, CaseIterable, ExpressibleByArgument {
  /// The goods are not what the invoice says.
  case goods
  /// The archive deposited the token for somebody else.
  case elsewhere
  /// The archive took the token without the customer's word.
  case taken

  var kind: ComplaintKind {
    switch self {
    case .goods: .invalidGoods
    case .elsewhere: .depositedElsewhere
    case .taken: .accused
    }
  }
}

struct ComplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complain", abstract: "Complain about an invoice purchase: what stands is paid back.",
    discussion: """
      Under the token's own key, with no name. The bank looks at the evidence: bad goods, or what the archive
      has to show for the token. The token can pay again then. Other purchases: acd judge.
      """)
  @OptionGroup var options: WalletOptions
  @Argument(help: "The purchase's number.") var number: UInt64
  @Option(help: "What is wrong: goods, elsewhere or taken.") var about = ComplaintArgument.goods

  func run() async throws {
    try await options.withWallet { wallet in
      try await wallet.complain(number, about.kind)
      if options.data.json {
        try printJSON(["complaint": "stands"])
      } else {
        print("the complaint stands: the sale is reversed, and the token can pay again")
      }
    }
  }
}
