// What is owed between banks.

internal import ArgumentParser
import Foundation
import Messages
import Services

struct ClearingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clearing", abstract: "What this bank and others owe each other.",
    discussion: """
      A merchant whose account is at another bank is paid through it: this bank owes the other one, which
      credits the merchant. Both banks open clearing for each other; the limit is what the other one may owe.
      """,
    subcommands: [ListCommand.self, Open.self, Settle.self], defaultSubcommand: ListCommand.self)

  struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "What is owed.")
    @OptionGroup var data: DataOptions

    func run() async throws {
      try await withBank(data) { bank in
        let all = try await bank.clearing()
        if data.json { return try printJSON(all) }
        for peer in all {
          let side = peer.owed < 0 ? "owes us \(-peer.owed)" : "is owed \(peer.owed)"
          print("\(peer.peer)  \(side) minor units, may owe \(peer.limit)")
        }
      }
    }
  }

  struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let another bank owe this one, up to a limit; again changes the limit.")
    @OptionGroup var peer: PeerOptions
    @Option(help: "How much it may owe, such as EUR:1000.00.") var limit: MoneyArgument

    func run() async throws {
      let key = try peer.key()
      try await withBank(peer.data) { bank in
        try await bank.openClearing(key, limit: limit.money)
        if peer.data.json { try printJSON(["peer": key.description]) } else { print("clearing is open") }
      }
    }
  }

  struct Settle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Money was paid between the two banks, outside of this system.")
    @OptionGroup var peer: PeerOptions
    @Argument(help: "Such as EUR:10.00.") var amount: MoneyArgument
    @Option(help: "A reference; the same one again is no second payment.") var reference: String
    @Flag(help: "This bank was paid (default: it paid).") var received = false

    func run() async throws {
      let key = try peer.key()
      try await withBank(peer.data) { bank in
        try await bank.settle(key, amount.money, paid: !received, reference: reference)
        if peer.data.json { try printJSON(["settled": amount.money.description]) } else { print("settled") }
      }
    }
  }
}

/// Which bank.
struct PeerOptions: ParsableArguments {
  @OptionGroup var data: DataOptions
  @Argument(help: "The other bank: its key, its data directory or its identity.json.") var peer: String

  func key() throws -> PublicKey {
    if let key = PublicKey(hex: peer) { return key }
    guard let card = try? PartyCard.load(peer), card.role == "bank", let key = PublicKey(hex: card.key) else {
      throw ValidationError("A bank is named by its key, its data directory or its identity.json.")
    }
    return key
  }
}
