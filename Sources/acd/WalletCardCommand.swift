// `acd wallet card`: a smart card that holds token keys (docs/SPEC.md, "Card"). PINs are typed at the
// terminal, unseen, or read from standard input, a line each; never from the command line, which others can
// see.

internal import ArgumentParser
import CardReaders
import Cards
import Foundation
import Messages
import Services

/// Which card, for every command that may need one.
struct CardOptions: ParsableArguments {
  @Flag(
    help: "Use the card in the reader: pay with the tokens whose keys are on it. Asks for the payment PIN.")
  var card = false
  @Option(help: "The card reader, or a part of its name (default: the first with a card in it).")
  var reader: String?

  /// Opens the card and gives it the payment PIN.
  var source: CardSource {
    CardSource { [reader] in
      let card = try Card(Reader(named: reader))
      let state = try card.state()
      guard !state.isNew else { throw CardError.notInitialised }
      let left = state.tries[.payment] ?? 0
      guard left > 0 else { throw CardError.blocked(.payment) }
      try card.verify(.payment, PINEntry.ask("payment PIN (\(left) tries left)"))
      return card
    }
  }
}

/// Digits from a person.
enum PINEntry {
  static func ask(_ what: String) throws -> String {
    let isTerminal = isatty(STDIN_FILENO) == 1
    var before = termios()
    if isTerminal {
      FileHandle.standardError.write(Data("\(what): ".utf8))
      tcgetattr(STDIN_FILENO, &before)
      var quiet = before
      quiet.c_lflag &= ~tcflag_t(ECHO)
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
    }
    defer {
      if isTerminal {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        FileHandle.standardError.write(Data("\n".utf8))
      }
    }
    guard let line = readLine(), !line.isEmpty else {
      throw ServiceError.configuration("no \(what) was given; nothing was done")
    }
    return line
  }

  /// A new PIN or PUK, of the right form; at a terminal typed twice.
  static func askNew(_ pin: CardPIN) throws -> String {
    let digits = try ask("new \(pin.name), \(pin.digits.lowerBound) to \(pin.digits.upperBound) digits")
    guard pin.allows(digits) else {
      throw ServiceError.configuration(
        "a \(pin.name) has \(pin.digits.lowerBound) to \(pin.digits.upperBound) digits and is not "
          + "\(pin.first); nothing was changed"
      )
    }
    if isatty(STDIN_FILENO) == 1, try ask("the same again") != digits {
      throw ServiceError.configuration("these were two different ones; nothing was changed")
    }
    return digits
  }
}

struct CardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "card", abstract: "A smart card that holds the keys of tokens.",
    discussion: """
      Pay with `acd wallet buy --card`. Without the card the wallet cannot spend these tokens, without the \
      wallet the card cannot. The 24 words do not bring back what a lost card held.
      """,
    subcommands: [
      Init.self, Status.self, Load.self, Key.self, Put.self, Receipts.self, Get.self, Erase.self,
      Unblock.self,
      Wipe.self,
    ])
}

/// Options of the commands that want no wallet.
struct ReaderOptions: ParsableArguments {
  @Option(help: "The card reader, or a part of its name (default: the first with a card in it).")
  var reader: String?
  @Flag(help: "Print JSON on standard output instead of text.") var json = false

  func withCard(_ body: (Card, Reader) throws -> Void) async throws {
    try await reporting {
      let reader = try Reader(named: reader)
      try body(Card(reader), reader)
    }
  }
}

extension CardCommand {
  struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a new card your own: two PINs, and a PUK that is drawn and shown once.",
      discussion: """
        The counter PIN is typed at a counter to collect a parcel, the payment PIN pays: let them differ, \
        for a counter's reader may be false. Asks for the counter PIN, then for the payment PIN.
        """)
    @OptionGroup var options: ReaderOptions

    func run() async throws {
      try await options.withCard { card, reader in
        let state = try card.state()
        guard !state.defaults.isEmpty else {
          throw ServiceError.configuration(
            "the card in \(reader.name) is somebody's already; nothing was changed")
        }
        var pins: [CardPIN: String] = [:]
        for pin in [CardPIN.counter, .payment] where state.defaults.contains(pin) {
          pins[pin] = try PINEntry.askNew(pin)
        }
        guard pins[.counter] == nil || pins[.counter] != pins[.payment] else {
          throw ServiceError.configuration(
            "let the two PINs differ: a counter must not learn the one that pays")
        }
        for (pin, digits) in pins.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
          try card.change(pin, from: pin.first, to: digits)
        }
        // Last: until all three are set the card signs nothing, and this command can be given again.
        var puk: String?
        if state.defaults.contains(.puk) {
          var generator = SystemRandomNumberGenerator()
          let drawn = (0..<12).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
          // Shown before it is set: nobody must miss it.
          if !options.json { print("PUK  \(drawn)   write it down: it sets a new PIN when one is forgotten") }
          try card.change(.puk, from: CardPIN.puk.first, to: drawn)
          puk = drawn
        }
        if options.json { return try printJSON(["puk": puk ?? "", "reader": reader.name]) }
        print("the card in \(reader.name) is yours\nnext: acd wallet card load EUR:5.00")
      }
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What the card in the reader says of itself.",
      discussion: "`acd wallet balance` says what the tokens on it are worth.")
    @OptionGroup var options: ReaderOptions
    @Flag(help: "Also how many keys are on it: asks for the payment PIN.") var contents = false

    func run() async throws {
      try await options.withCard { card, reader in
        if contents { try card.verify(.payment, PINEntry.ask("payment PIN")) }
        let state = try card.state()
        if options.json { return try printJSON(CardReport(reader.name, state)) }
        print("card in \(reader.name)")
        for pin in CardPIN.allCases {
          let first = state.defaults.contains(pin) ? ", still \(pin.first): run `acd wallet card init`" : ""
          print("  \(pin.name): \(state.tries[pin] ?? 0) tries left\(first)")
        }
        if let contents = state.contents {
          print(
            "  \(contents.tokenKeys) token keys, \(contents.pseudonyms) pseudonyms, room for "
              + "\(contents.room) bytes"
          )
        }
      }
    }
  }

  struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Withdraw tokens whose keys are made on the card.",
      discussion: "As `acd wallet withdraw`. Asks for the payment PIN.")
    @OptionGroup var options: WalletOptions
    @Argument(help: "Such as EUR:5.00.") var amount: MoneyArgument
    @Option(help: "The bank's name or key.") var bank: String?

    func run() async throws {
      try await options.withWallet(cards: options.card.source) { wallet in
        try await wallet.load(amount.money, bank: bank)
        try await show(wallet, options)
      }
    }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Set a forgotten PIN anew with the PUK.",
      discussion: "Asks for the PUK, then for the new PIN.")
    @OptionGroup var options: ReaderOptions
    @Flag(help: "The counter PIN, not the payment PIN.") var counter = false

    func run() async throws {
      try await options.withCard { card, _ in
        let pin = counter ? CardPIN.counter : .payment
        let left = try card.state().tries[.puk] ?? 0
        guard left > 0 else { throw CardError.blocked(.puk) }
        let puk = try PINEntry.ask("PUK (\(left) tries left)")
        try card.unblock(pin, puk: puk, to: PINEntry.askNew(pin))
        if options.json { try printJSON(["set": pin.name]) } else { print("the \(pin.name) is set") }
      }
    }
  }

  struct Wipe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Erase the card: its keys are lost, and with them its tokens.",
      discussion: "Asks for the payment PIN, unless the PUK is blocked.")
    @OptionGroup var options: ReaderOptions
    @Flag(help: "Do not ask whether you mean it.") var yes = false

    func run() async throws {
      try await options.withCard { card, _ in
        if !yes && isatty(STDIN_FILENO) == 1 {
          print("All tokens whose keys are on this card are lost. Type yes: ", terminator: "")
          guard readLine() == "yes" else { throw ExitCode(1) }
        }
        if try card.state().tries[.puk] ?? 0 > 0 { try card.verify(.payment, PINEntry.ask("payment PIN")) }
        try card.wipe()
        if options.json { try printJSON(["wiped": true]) } else { print("the card is as new") }
      }
    }
  }
}

/// What `status --json` prints.
private struct CardReport: Encodable {
  var reader: String
  var isNew: Bool
  var defaults: [String]
  var tries: [String: Int]
  var tokenKeys: UInt32?
  var pseudonyms: UInt32?
  var room: UInt32?

  init(_ reader: String, _ state: CardState) {
    self.reader = reader
    (isNew, defaults) = (state.isNew, state.defaults.map(Self.name))
    tries = Dictionary(uniqueKeysWithValues: state.tries.map { (Self.name($0.key), $0.value) })
    (tokenKeys, pseudonyms) = (state.contents?.tokenKeys, state.contents?.pseudonyms)
    room = state.contents?.room
  }

  private static func name(_ pin: CardPIN) -> String {
    switch pin {
    case .counter: "counter"
    case .payment: "payment"
    case .puk: "puk"
    }
  }
}
