// acd-kiosk collect: one visit, step by step, for scripts and for a counter without a screen of its own. What
// `run` shows full-screen is printed in plain lines.

internal import ArgumentParser
internal import Messages
internal import PointOfDelivery

struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hand one parcel over: receipt, parcel, the customer's answer, confirmation.",
    discussion: """
      With the customer's card in the reader: acd-kiosk collect --parcel LABEL. The counter PIN is asked for \
      at the terminal, unseen, or read as a line of standard input.

      Without a card: --receipt FILE-OR-TEXT. The challenge is shown as a QR code; the answer, "ACDM:…", is \
      read as a line of standard input.

      Nothing is recorded as handed over before that is confirmed: by ENTER, or with --handed-over at once.

      EXIT STATUS
        0   handed over, or refused by the customer, and recorded
        1   no: the reason stands on standard error
        3   the journal cannot be written or is damaged: hand nothing over
      """)
  @OptionGroup var options: KioskOptions
  @Option(help: "The parcel that lies on the counter: its label, scanned.") var parcel: String
  @Option(help: "The receipt: a file, its text, or - for standard input (default: from the card).")
  var receipt: String?
  @Option(help: "The card reader, or a part of its name.") var reader: String?
  @Option(help: "Somebody else collects: the customer's leave, a file or its text.") var leave: String?
  @Option(help: "The customer refuses it: no, damaged or wrong.") var refuse: Refusing?
  @Option(help: "What was found in a damaged parcel, opened before both.") var inventory: String?
  @Flag(help: "Do not ask: the customer has it.") var handedOver = false
  @Flag(help: "Stop after the challenge was answered, as a power cut would.") var stopInHand = false
  @Option(help: "Write the visit's record to this file, for the customer.") var record: String?

  enum Refusing: String, ExpressibleByArgument, CaseIterable {
    case no, damaged, wrong

    var intent: DeliveryIntent {
      switch self {
      case .no: .refuse
      case .damaged: .refuseDamaged
      case .wrong: .refuseWrong
      }
    }
  }

  func run() throws { try options.reporting { try visit() } }

  private func visit() throws {
    let desk: VisitDesk
    do {
      desk = try VisitDesk(options)
      if let refuse { try desk.feed(.wants(refuse.intent, inventory: inventory)) }
      if let leave { try desk.feed(.leave(try message(leave))) }
      let card = receipt == nil ? try CardDesk.inserted(reader) : nil
      guard
        let bytes = try receipt.map(receiptBytes)
          ?? card?.receipt(for: desk.counter, desk.state, at: options.now)
      else { throw CardFailure(.gone) }
      try desk.feed(.receipt(bytes))
      try desk.feed(.scan(parcel))
      guard let challenge = desk.challenge else { throw ExitCode(1) }
      try desk.feed(.answer(try answer(challenge.bytes, card)))
      if desk.isInHand {
        if stopInHand { throw ExitCode(0) }
        try desk.feed(try confirmed())
      }
      if let record, let messages = desk.record {
        try writeFile(record, try Bundle(messages).encoded())
      }
      if desk.saidNo { throw ExitCode(refuse == nil ? 1 : 0) }
    } catch let failure as CardFailure {
      write(Screen.trouble(failure.trouble).plain(options.tongue), to: .error)
      throw ExitCode(1)
    }
  }

  private func answer(_ challenge: [UInt8], _ card: CardDesk?) throws -> [UInt8] {
    if let card {
      return try card.answer(challenge, pin: try PINPad.ask(Phrase.enterPIN.text(options.tongue)))
    }
    let text = MessageText.text(challenge)
    say(try QRCode(text).terminal(.darkBackground))
    say(text)
    guard let line = readLine(), let answer = MessageText.message(in: Array(line.utf8)) else {
      throw Stop.unreadable
    }
    return answer
  }

  private func confirmed() throws -> CounterEvent {
    if handedOver { return .confirm }
    let line = readLine()
    switch line?.uppercased() {
    case "": return .confirm
    case "W": return .withdraw(reason: readLine() ?? "not said")
    case "F": return .fail(reason: readLine() ?? "not said")
    // Nobody said it: the parcel stays in hand, for `resolve`.
    default: throw ExitCode(1)
    }
  }

  private func receiptBytes(_ source: String) throws -> [UInt8] {
    if ReceiptText.looksLikeText(source) { return try ReceiptText.receipt(in: Array(source.utf8)) }
    let input = try readBounded(
      source == "-" ? .standardInput : .file(source), limit: ReceiptText.inputSizeMax + 1)
    do { return try ReceiptText.receipt(in: input) } catch { throw Stop.unreadable }
  }

  private func message(_ source: String) throws -> [UInt8] {
    let input =
      MessageText.looksLikeText(source) ? Array(source.utf8) : try readBounded(.file(source), limit: 65_536)
    guard let message = MessageText.message(in: input) else { throw Stop.unreadable }
    return message
  }
}

/// Writes a file for its owner.
func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  let slash = path.lastIndex(of: "/")
  let folder = slash.map { String(path[..<$0]) } ?? "."
  let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
  try KioskDirectory(folder.isEmpty ? "/" : folder).replace(name, bytes, mode: 0o600)
}

/// One visit: the session, the journal and the key together, screens as plain lines.
final class VisitDesk {
  let counter: Counter
  private let options: KioskOptions
  private var journal: Journal
  private var session = CounterSession()
  private(set) var record: [[UInt8]]?
  private(set) var saidNo = false

  init(_ options: KioskOptions) throws {
    self.options = options
    counter = try options.directory.counter()
    journal = try options.directory.journal(at: options.now)
  }

  var state: CounterState { journal.state }
  var challenge: Verified<D1>? { session.challenge }
  var isInHand: Bool { session.isInHand }
  var isWaiting: Bool { session.isWaiting }

  /// Takes an event: entries first, then what is shown. A "no" ends the command.
  func feed(_ event: CounterEvent) throws {
    let effects = try step(event)
    for case .offerRecord(let messages) in effects { record = messages }
    for case .show(let screen) in effects {
      saidNo = screen.tone == .no
      write(screen.plain(options.tongue), to: screen.tone == .no ? .error : .output)
      let goesOn = ["refused", "refused-damaged", "failed"].contains(screen.code)
      if screen.tone == .no, !goesOn { throw ExitCode(1) }
    }
  }

  /// The same without showing anything.
  func step(_ event: CounterEvent) throws -> [CounterEffect] {
    var next = session
    var generator = SystemRandomNumberGenerator()
    let nonce = Nonce.random(using: &generator)
    let effects = try options.directory.signing { key in
      try journal.commit { state in
        let (entries, effects) = next.handle(event, counter, state, nonce: nonce, at: options.now, key: key)
        return (entries, effects)
      }
    }
    session = next
    return effects
  }

  /// What to show where `step` could not write.
  func notRecorded(_ error: any Error) -> Screen { session.notRecorded("\(error)") }

  func refresh() throws { try journal.refresh() }
}
