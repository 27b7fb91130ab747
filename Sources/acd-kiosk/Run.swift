// acd-kiosk run: the counter's screen, all day. Cards are seen as they are put in; scanners type like a
// keyboard, so every line is known by what it is: a receipt (ACD1…), a message (ACDM:…), a label, a PIN, or
// a word.
//
// Invariants: a PIN is taken only while a card is asked, and never shown. A burst of keys is a scanner, not a
// finger: it cannot put away an outcome. A reader or printer that is gone ends nothing.

internal import ArgumentParser
internal import CardReaders
internal import Messages
internal import PointOfDelivery

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The counter's screen: waits for cards and codes.",
    discussion: """
      80 columns by 24 lines, over ssh too. NO_COLOR leaves the colours out, --plain prints plain lines for \
      braille and screen readers. Q and ENTER, between visits, ends it.
      """)
  @OptionGroup var options: KioskOptions
  @Option(help: "The card reader, or a part of its name.") var reader: String?
  @Option(help: "The printer's device, or a file.") var printer: String?
  @Option(help: "Columns of its paper: 32 or 48.") var columns = 48
  @Option(help: "A PNG that gets each challenge, for a display that customers see.") var challengePNG: String?
  @Flag(help: "Plain lines instead of a full screen.") var plain = false

  func run() throws {
    try options.reporting {
      let loop = try CounterLoop(self)
      try loop.run()
    }
  }
}

/// The loop of one terminal.
final class CounterLoop {
  private let command: Run
  private let desk: VisitDesk
  private let terminal = RawTerminal()
  private var screen = Screen.waiting
  private var typed: [UInt8] = []
  private var codes = ""
  private var card: CardDesk?
  /// The card that is in has had its visit: another begins when it was out.
  private var cardIsDone = false
  private var readers = 1
  private var lastLook = 0
  private var lastShown = ""
  private var record: [[UInt8]]?
  private var goesOn = true

  init(_ command: Run) throws {
    self.command = command
    desk = try VisitDesk(command.options)
  }

  func run() throws {
    if !command.plain { write("\u{1b}[?25l\u{1b}[2J", to: .output) }
    show(.waiting)
    if !desk.state.inDoubt.isEmpty { show(.stop(.inDoubt)) }
    while goesOn {
      guard let bytes = terminal.read(milliseconds: 250) else { break }
      if bytes.isEmpty { look() } else { take(bytes) }
    }
    if !command.plain { write("\u{1b}[?25h\u{1b}[2J\u{1b}[H", to: .output) }
  }

  // MARK: The card

  /// About once a second: is there a card, what did other PCs do?
  private func look() {
    lastLook += 1
    guard lastLook % 4 == 0 else { return }
    try? desk.refresh()
    if card == nil {
      readers = Reader.names().count
      do {
        let found = readers > 0 ? try CardDesk.inserted(command.reader) : nil
        if found == nil { cardIsDone = false }
        if let found, !cardIsDone {
          cardIsDone = true
          if screen.stays {
            feed(.receipt([]))  // visibly ignored
          } else if desk.isWaiting {
            card = found
            feed(.receipt(try found.receipt(for: desk.counter, desk.state, at: command.options.now)))
          }
        }
      } catch { feed(.card((error as? CardFailure)?.trouble ?? .gone)) }
    }
    draw()
  }

  private func givePIN(_ pin: String) {
    guard let card, let challenge = desk.challenge else { return }
    show(Screen(.working, .askCard))
    do throws(CardFailure) { feed(.answer(try card.answer(challenge.bytes, pin: pin))) } catch {
      if error.trouble == .gone { self.card = nil }
      feed(.card(error.trouble))
    }
  }

  // MARK: Keys

  private func take(_ bytes: [UInt8]) {
    // A finger is one key, or an escape sequence; a scanner is many at once.
    let isBurst = bytes.count > 3 && bytes.first != 0x1b
    if screen.stays && typed.isEmpty {
      if isBurst { return feed(.scan("")) }
      if record != nil, bytes == [UInt8(ascii: "p")] || bytes == [UInt8(ascii: "P")] { return printRecord() }
      return feed(.key)
    }
    for byte in bytes {
      switch byte {
      case 0x0d, 0x0a:
        let line = String(decoding: typed, as: UTF8.self)
        typed = []
        entered(line)
      case 0x7f, 0x08: _ = typed.popLast()
      case 0x20...0x7e, 0x80...: if typed.count < 4_096 { typed.append(byte) }
      default: break
      }
    }
    draw()
  }

  /// A whole line, by what it is.
  private func entered(_ line: String) {
    let text = line.trimmingBlanks
    if ReceiptText.looksLikeText(text) { return receipt(text) }
    if MessageText.looksLikeText(text) { return message(text) }
    if desk.isInHand { return inHand(text) }
    if desk.challenge != nil, PINPad.looksLikePIN(text) { return givePIN(text) }
    let word = text.prefix(1).uppercased()
    let rest = String(text.dropFirst()).trimmingBlanks
    switch (word, ParcelLabel(text) == nil) {
    case ("Q", true) where text.count == 1 && desk.isWaiting: goesOn = false
    case ("N", true) where text.count == 1: feed(.wants(.refuse, inventory: nil))
    case ("X", true) where text.count == 1: feed(.wants(.refuseWrong, inventory: nil))
    case ("D", true): feed(.wants(.refuseDamaged, inventory: rest))
    case ("", _): if desk.isWaiting { draw() } else { feed(.key) }
    default: feed(.scan(text))
    }
  }

  private func inHand(_ text: String) {
    let reason = String(text.dropFirst()).trimmingBlanks
    switch text.prefix(1).uppercased() {
    case "": feed(.confirm)
    case "W": feed(.withdraw(reason: reason.isEmpty ? "not said" : reason))
    case "F": feed(.fail(reason: reason.isEmpty ? "not said" : reason))
    default: show(screen)
    }
  }

  /// A receipt's codes come one by one.
  private func receipt(_ text: String) {
    codes += text + "\n"
    do throws(ReceiptTextError) {
      let bytes = try ReceiptText.receipt(in: Array(codes.utf8))
      codes = ""
      feed(.receipt(bytes))
    } catch {
      if case .missing(let indices, let count) = error {
        return show(
          Screen(.working, .partsMissing, rows: [(.scanned, "\(count - indices.count) / \(count)")]))
      }
      codes = ""
      feed(.receipt([]))
    }
  }

  private func message(_ text: String) {
    guard let message = MessageText.message(in: Array(text.utf8)),
      let type = try? MessageType(peeking: message)
    else { return show(.stop(.unreadable)) }
    feed(type == .delegation ? .leave(message) : .answer(message))
  }

  // MARK: Steps

  private func feed(_ event: CounterEvent) {
    do {
      let before = screen
      for effect in try desk.step(event) {
        switch effect {
        case .show(let next): show(next)
        case .ask(let challenge): offer(challenge)
        case .offerRecord(let messages): record = messages
        }
      }
      if before.stays, desk.isWaiting { (record, card) = (nil, nil) }
      if screen.stays, desk.challenge == nil { card = nil }
    } catch {
      card = nil
      show(desk.notRecorded(error))
    }
  }

  private func offer(_ challenge: [UInt8]) {
    guard let path = command.challengePNG else { return }
    try? writeFile(path, (try? QRCode(MessageText.text(challenge)).png()) ?? [])
  }

  private func printRecord() {
    guard let record, let printer = command.printer, let last = record.last,
      let paper = PaperRecord(record, office: "", copy: false),
      !last.isEmpty
    else { return }
    do {
      let copy = desk.state.printed.contains(paper.parcel)
      guard let paper = PaperRecord(record, office: "acd-kiosk", copy: copy) else { return }
      try Print.send(paper.escPOS(command.options.tongue, columns: command.columns), to: printer)
      try command.options.decide { _, state, _ in
        ([JournalEntry(.printed, at: max(command.options.now, state.latest), [.parcel: paper.parcel])], ())
      }
      screen.rows.append((.printed, paper.parcel))
    } catch { screen.rows.append((.printer, "\(error)")) }
    draw()
  }

  // MARK: Showing

  private func show(_ next: Screen) {
    let rings = next != screen
    screen = next
    lastShown = ""
    draw()
    // Yes rings once, no three times.
    if rings, next.stays { write(next.tone == .yes ? "\u{07}" : "\u{07}\u{07}\u{07}", to: .output) }
  }

  private func draw() {
    let language = command.options.tongue
    if command.plain {
      let text = screen.plain(language)
      if text != lastShown { write(text, to: .output) }
      lastShown = text
      return
    }
    let state = desk.state
    let status = StatusLine(
      clerk: state.clerk, reader: readers > 0, printer: command.printer.map { access($0, W_OK) == 0 },
      unsynced: state.pending.count, here: state.here.count, inDoubt: state.inDoubt.count,
      expired: state.expired(at: command.options.now).count,
      time: String(UTCTime.text(command.options.now).dropLast(4)))
    var lines = screen.lines(language, status: status, colour: getenv("NO_COLOR") == nil)
    // What is typed is shown, but a PIN only by its length.
    let shown =
      desk.challenge != nil
      ? String(repeating: "*", count: typed.count) : String(decoding: typed.prefix(70), as: UTF8.self)
    if !typed.isEmpty { lines[Screen.height - 3] = "  : " + shown }
    let text = lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n")
    guard text != lastShown else { return }
    lastShown = text
    write("\u{1b}[H" + text, to: .output)
  }
}

extension String {
  /// Without blanks at both ends.
  fileprivate var trimmingBlanks: String {
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
    return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
