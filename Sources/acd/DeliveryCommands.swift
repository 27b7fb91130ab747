// Parcels: the merchant's list of them, and the customer's side of a counter (docs/KIOSK.md).

internal import ArgumentParser
import CardReaders
import Cards
import Foundation
import Messages
import PointOfDelivery
import Services

// MARK: The merchant

struct DeliveriesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deliveries", abstract: "List the parcels: where they are, and what kiosks signed of them.",
    discussion: """
      "to send": paid, bring it to the office under its label. "handed over, proven": the customer's own key \
      signed at the counter. `acd merchant evidence export N` has the signatures.
      """)
  @OptionGroup var data: DataOptions

  func run() async throws {
    try await withMerchant(data) { merchant in
      let all = try await merchant.deliveries()
      if data.json { return try printJSON(all) }
      for parcel in all {
        let proof = parcel.isProven ? ", proven by the customer's signature" : ""
        let time = parcel.at.map { "  \(UTCTime.text($0))" } ?? ""
        print(
          "\(parcel.parcel)  \(parcel.state)\(proof)  \(parcel.office)\(time)  \(parcel.n)  \(parcel.name)")
        if let inventory = parcel.inventory { print("  found: \(inventory)") }
      }
    }
  }
}

struct ParcelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parcels", abstract: "Write what a kiosk is to expect: `acd-kiosk parcels import` reads it.")
  @OptionGroup var data: DataOptions
  @Option(help: "Only for this office, by name or key.") var office: String?
  @Option(help: "The file to write.") var out = "parcels.acd"

  func run() async throws {
    try await withMerchant(data) { merchant in
      try writeFile(out, try await merchant.parcels(office: office))
      if data.json { try printJSON(["file": out]) } else { print("written: \(out)") }
    }
  }
}

// MARK: The customer

/// What the customer wants at the counter.
struct IntentOptions: ParsableArguments {
  @Flag(help: "Refuse the parcel.") var refuse = false
  @Flag(help: "Refuse it because it is damaged.") var damaged = false
  @Flag(help: "Refuse it because it is the wrong one.") var wrong = false

  var intent: DeliveryIntent { damaged ? .refuseDamaged : wrong ? .refuseWrong : refuse ? .refuse : .collect }

  func validate() throws {
    guard [refuse, damaged, wrong].filter({ $0 }).count <= 1 else {
      throw ValidationError("Say one reason.")
    }
  }
}

struct CollectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect", abstract: "Answer a kiosk's challenge without a card, or keep its record.",
    discussion: """
      The kiosk shows its challenge as a QR code; what your phone read of it is CHALLENGE: the text \
      "ACDM:…", or a file. The answer is shown as a QR code, for the kiosk to read.
      """)
  @OptionGroup var options: WalletOptions
  @Argument(help: "The purchase's number.") var number: UInt64?
  @Option(help: "The challenge: its text, a file, or - for standard input.") var challenge: String?
  @OptionGroup var wish: IntentOptions
  @Option(help: "Keep the kiosk's record of what became of the parcel: its text or a file.") var record:
    String?
  @Option(help: "Collect for somebody else: his receipt.") var receipt: String?
  @Option(name: .customLong("as"), help: "… by this pseudonym of yours, to which he gave leave.")
  var pseudonym: String?
  @Option(help: "Write the answer to this file, too.") var out: String?

  func validate() throws {
    guard (challenge == nil) != (record == nil) else {
      throw ValidationError("Give a challenge to answer, or a record to keep.")
    }
    guard (number == nil) == (receipt != nil), (receipt == nil) == (pseudonym == nil) else {
      throw ValidationError("Name a purchase of yours, or --receipt and --as.")
    }
  }

  func run() async throws {
    try await options.withWallet { wallet in
      if let record, let number {
        let bundle = try Messages.Bundle(encoded: try messageBytes(record))
        let kept = try await wallet.keepRecord(bundle.messages, with: number)
        let outcome = kept.outcome.map { "\($0)" } ?? "?"
        if options.data.json { return try printJSON(["outcome": outcome]) }
        print("kept: the kiosk's record of parcel \(kept.parcel): \(outcome)")
        return
      }
      let d1 = try messageBytes(challenge!)
      let answer =
        if let number {
          try await wallet.answer(number, challenge: d1, wants: wish.intent)
        } else {
          try await wallet.answer(
            receipt: readFile(receipt!), challenge: d1, pseudonym: pseudonym!, wants: wish.intent)
        }
      let text = MessageText.text(answer)
      if let out { try writeFile(out, answer) }
      if options.data.json { return try printJSON(["answer": text]) }
      print(try QRCode(text).terminal(isatty(STDOUT_FILENO) == 1 ? .ansi : .darkBackground))
      print(text)
    }
  }
}

struct DelegateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delegate", abstract: "Give somebody leave to collect one parcel for you, for a time.",
    discussion: """
      He gives you a key of his (`acd wallet pseudonym NAME`), you give him this leave and the receipt. No \
      name is in it, and it is good for this one parcel.
      """)
  @OptionGroup var options: WalletOptions
  @Argument(help: "The purchase's number.") var number: UInt64
  @Option(help: "Whose key, 64 hexadecimal digits.") var to: String
  @Option(help: "For how many days.") var days: UInt64 = 3
  @Option(help: "The file to write.") var out = "leave.acd"

  func run() async throws {
    let key = try soundKey(to)
    guard (1...365).contains(days) else { throw ValidationError("1 to 365 days.") }
    try await options.withWallet { wallet in
      let until = UInt64(max(0, Date().timeIntervalSince1970)) + days * 86_400
      try writeFile(out, try await wallet.delegate(number, to: key, until: until))
      if options.data.json { try printJSON(["file": out]) } else { print("written: \(out)") }
    }
  }
}

struct PseudonymCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pseudonym", abstract: "Print the key of a pseudonym of yours, such as for a delegation.")
  @OptionGroup var options: WalletOptions
  @Argument(help: "Its name: yours alone to know.") var name: String

  func run() async throws {
    try await options.withWallet { wallet in
      let key = wallet.pseudonym(name).description
      if options.data.json { try printJSON(["key": key]) } else { print(key) }
    }
  }
}

/// Where a purchase's parcel waits.
func show(_ parcel: ParcelSummary, onCard: Bool) {
  let until = parcel.holdUntil.map { " until \(UTCTime.text($0))" } ?? ""
  print("  parcel \(parcel.parcel), to be collected at \(parcel.office)\(until)")
  if onCard { print("  the receipt is on the card: bring it, and its counter PIN") }
  if parcel.byWallet { print("  at the counter: acd wallet collect \(parcel.number) --challenge …") }
}

/// A key that somebody can sign with.
func soundKey(_ text: String) throws -> PublicKey {
  guard let key = PublicKey(hex: text), key.isSound else {
    throw ValidationError("A key is 64 hexadecimal digits, and somebody can sign with it.")
  }
  return key
}

/// A message's own bytes: from its text, or from a file with either.
private func messageBytes(_ source: String) throws -> [UInt8] {
  let input = MessageText.looksLikeText(source) ? Array(source.utf8) : try readFile(source)
  guard let message = MessageText.message(in: input) else {
    throw ServiceError.configuration("this is no message and no text of one (ACDM:…)")
  }
  return message
}

// MARK: Receipts on a card

extension CardCommand {
  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key on this card that can collect: name it with `buy --collect-key`.",
      discussion: "For a second card, in case the first is lost. Asks for the payment PIN.")
    @OptionGroup var options: ReaderOptions

    func run() async throws {
      try await options.withCard { card, _ in
        try card.verify(.payment, PINEntry.ask("payment PIN"))
        let key = try card.makePseudonym().key.description
        if options.json { try printJSON(["key": key]) } else { print(key) }
      }
    }
  }

  struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put a purchase's receipt on the card: a counter reads it there.",
      discussion: "`buy --card` does it by itself. Asks for the payment PIN.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "The purchase's number.") var number: UInt64
    @Flag(help: "Readable after a PIN only: a counter then needs the receipt's code beside the card.")
    var closed = false

    func run() async throws {
      try await options.withWallet(cards: options.card.source) { wallet in
        let record = try await wallet.putReceipt(number, open: !closed)
        if options.data.json { return try printJSON(["record": Int(record)]) }
        print("the receipt of purchase \(number) is record \(record) on the card")
      }
    }
  }

  struct Receipts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the receipts on the card that are read without a PIN.")
    @OptionGroup var options: ReaderOptions

    func run() async throws {
      try await options.withCard { card, _ in
        let all = try card.receipts().map { stored in
          let contract = try Verified<P1>(stored: Receipt(encoded: card.receipt(stored.number)).p1).payload
            .contract
          return OnCard(
            record: stored.number, collects: stored.collects, parcel: contract.parcel, name: contract.name,
            price: contract.price.description)
        }
        if options.json { return try printJSON(all) }
        for receipt in all {
          let parcel =
            receipt.parcel.map { "  parcel \($0)\(receipt.collects ? "" : ", not by this card")" } ?? ""
          print("\(receipt.record)  \(receipt.price)  \(receipt.name)\(parcel)")
        }
      }
    }
  }

  struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read a receipt from the card into a file.")
    @OptionGroup var options: ReaderOptions
    @Argument(help: "The record's number.") var record: UInt8
    @Option(help: "The file to write.") var out = "receipt.acd"

    func run() async throws {
      try await options.withCard { card, _ in
        try writeFile(out, try card.receipt(record))
        if options.json { try printJSON(["file": out]) } else { print("written: \(out)") }
      }
    }
  }

  struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Erase a receipt from the card, such as one that was collected.",
      discussion: "The wallet still has it. Asks for the payment PIN.")
    @OptionGroup var options: ReaderOptions
    @Argument(help: "The record's number.") var record: UInt8

    func run() async throws {
      try await options.withCard { card, _ in
        try card.verify(.payment, PINEntry.ask("payment PIN"))
        try card.erase(record)
        if options.json {
          try printJSON(["erased": Int(record)])
        } else {
          print("record \(record) is erased")
        }
      }
    }
  }
}

/// What `card receipts --json` prints of each.
private struct OnCard: Encodable {
  var record: UInt8
  var collects: Bool
  var parcel: String?
  var name: String
  var price: String
}
