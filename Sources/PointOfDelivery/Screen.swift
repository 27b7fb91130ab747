// What a clerk sees: one thing at a time, in words, with a symbol, a colour and a sound together. 80
// columns by 24 lines, or plain lines for braille and screen readers.
//
// Invariants: there are three states, working, yes and no (and, between visits, waiting); yes and no stay
// until a key is pressed. Nothing is told by colour alone. What others wrote cannot steer the terminal.

internal import Messages

/// A screen, without a language.
public struct Screen: Equatable, Sendable {
  public enum Tone: Equatable, Sendable {
    /// Waiting for somebody, or for the clerk's next scan.
    case calm
    /// The machine works.
    case working
    case yes
    case no
  }

  public var tone: Tone
  public var title: Phrase
  /// The parcel's place, as large as a terminal can.
  public var banner: String?
  /// What it is about.
  public var rows: [(label: Phrase, value: String)]
  /// What to do next.
  public var actions: [Phrase]
  /// The stable name of a refusal.
  public var code: String?
  /// It stays until a key is pressed.
  public var stays: Bool { tone == .yes || tone == .no }

  public init(
    _ tone: Tone, _ title: Phrase, banner: String? = nil, rows: [(label: Phrase, value: String)] = [],
    actions: [Phrase] = [], code: String? = nil
  ) {
    (self.tone, self.title, self.banner, self.rows) = (tone, title, banner, rows)
    (self.actions, self.code) = (actions, code)
  }

  public static func == (a: Screen, b: Screen) -> Bool {
    a.tone == b.tone && a.title == b.title && a.banner == b.banner && a.actions == b.actions
      && a.code == b.code
      && a.rows.map(\.label) == b.rows.map(\.label) && a.rows.map(\.value) == b.rows.map(\.value)
  }
}

/// What stands at the bottom of each screen.
public struct StatusLine: Equatable, Sendable {
  public var clerk: String?
  public var reader: Bool
  public var printer: Bool?
  public var unsynced: Int
  public var here: Int
  public var inDoubt: Int
  public var expired: Int
  public var time: String

  public init(
    clerk: String?, reader: Bool, printer: Bool?, unsynced: Int, here: Int, inDoubt: Int, expired: Int,
    time: String
  ) {
    (self.clerk, self.reader, self.printer, self.unsynced) = (clerk, reader, printer, unsynced)
    (self.here, self.inDoubt, self.expired, self.time) = (here, inDoubt, expired, time)
  }
}

extension Screen {
  public static let (width, height) = (80, 24)

  private func symbol(_ language: Language) -> String {
    switch tone {
    case .calm: "· · ·"
    case .working: "…  " + Phrase.working.text(language)
    case .yes: "+++  " + Phrase.yes.text(language) + "  +++"
    case .no: "!!!  " + Phrase.no.text(language) + "  !!!"
    }
  }

  private var colour: String {
    switch tone {
    case .calm: "\u{1b}[0m"
    case .working: "\u{1b}[30;46m"
    case .yes: "\u{1b}[30;42m"
    case .no: "\u{1b}[97;41m"
    }
  }

  /// The lines for a reader of lines: the state first, then the rest, one fact a line.
  public func plain(_ language: Language) -> String {
    var lines: [String] = []
    switch tone {
    case .yes: lines.append(Phrase.yes.text(language) + ": " + title.text(language))
    case .no: lines.append(Phrase.no.text(language) + ": " + title.text(language))
    case .calm, .working: lines.append(title.text(language))
    }
    if let banner { lines.append(Phrase.shelf.text(language) + ": " + ReceiptReport.printable(banner)) }
    lines += rows.map { "  \($0.label.text(language)): \(ReceiptReport.printable($0.value))" }
    lines += actions.map { "  > " + $0.text(language) }
    if let code { lines.append("  [\(code)]") }
    return lines.map { $0 + "\n" }.joined()
  }

  /// 24 lines of 80 columns. `colour`: with the terminal's colours; the words are the same without.
  public func lines(_ language: Language, status: StatusLine, colour useColour: Bool) -> [String] {
    var body: [String] = []
    func bar(_ text: String) {
      let padded = Self.fit("  " + text, Self.width)
      body.append(useColour ? colour + padded + "\u{1b}[0m" : padded)
    }
    let edge = tone == .no ? "!" : tone == .yes ? "+" : tone == .working ? "." : "-"
    bar(String(repeating: edge, count: Self.width - 4))
    bar(symbol(language))
    bar(title.text(language))
    bar(String(repeating: edge, count: Self.width - 4))
    body.append("")
    if let banner {
      body += BigText.lines(Phrase.shelf.text(language), ReceiptReport.printable(banner), width: Self.width)
      body.append("")
    }
    for row in rows.prefix(7) {
      let label = Self.fit("  " + row.label.text(language), 20)
      body.append(label + Self.clip(ReceiptReport.printable(row.value), Self.width - 20))
    }
    if !rows.isEmpty { body.append("") }
    for action in actions {
      for (index, part) in Self.wrapped(action.text(language), Self.width - 6).enumerated() {
        body.append((index == 0 ? "  > " : "    ") + part)
      }
    }
    if let code { body.append("    [\(code)]") }
    body = Array(body.prefix(Self.height - 3))
    while body.count < Self.height - 2 { body.append("") }
    body.append(String(repeating: "─", count: Self.width))
    body.append(Self.clip(footer(language, status), Self.width))
    return body
  }

  private func footer(_ language: Language, _ status: StatusLine) -> String {
    var parts = [
      status.clerk ?? Phrase.nobodyOnDuty.text(language),
      Phrase.reader.text(language) + (status.reader ? " +" : " !"),
    ]
    if let printer = status.printer { parts.append(Phrase.printer.text(language) + (printer ? " +" : " !")) }
    parts.append("\(Phrase.here.text(language)) \(status.here)")
    if status.inDoubt > 0 { parts.append("\(Phrase.inDoubtCount.text(language)) \(status.inDoubt)") }
    if status.expired > 0 { parts.append("\(Phrase.expiredCount.text(language)) \(status.expired)") }
    parts.append("\(Phrase.unsynced.text(language)) \(status.unsynced)")
    return " " + ([status.time] + parts).joined(separator: " | ")
  }

  private static func clip(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(width - 1) + "…"
  }

  private static func fit(_ text: String, _ width: Int) -> String {
    let short = clip(text, width)
    return short + String(repeating: " ", count: width - short.count)
  }

  static func wrapped(_ text: String, _ width: Int) -> [String] {
    var (lines, line) = ([String](), "")
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + (line.isEmpty ? [] : [line])
  }
}

/// A shelf's name in letters of five lines, to be read at arm's length.
enum BigText {
  /// Three columns of five rows each, a bit a cell, for the characters that shelves are named with.
  private static let glyphs: [Character: [String]] = [
    "0": ["###", "# #", "# #", "# #", "###"], "1": [" # ", "## ", " # ", " # ", "###"],
    "2": ["###", "  #", "###", "#  ", "###"], "3": ["###", "  #", " ##", "  #", "###"],
    "4": ["# #", "# #", "###", "  #", "  #"], "5": ["###", "#  ", "###", "  #", "###"],
    "6": ["###", "#  ", "###", "# #", "###"], "7": ["###", "  #", " # ", " # ", " # "],
    "8": ["###", "# #", "###", "# #", "###"], "9": ["###", "# #", "###", "  #", "###"],
    "A": [" # ", "# #", "###", "# #", "# #"], "B": ["## ", "# #", "## ", "# #", "## "],
    "C": [" ##", "#  ", "#  ", "#  ", " ##"], "D": ["## ", "# #", "# #", "# #", "## "],
    "E": ["###", "#  ", "## ", "#  ", "###"], "F": ["###", "#  ", "## ", "#  ", "#  "],
    "G": [" ##", "#  ", "# #", "# #", " ##"], "H": ["# #", "# #", "###", "# #", "# #"],
    "I": ["###", " # ", " # ", " # ", "###"], "J": ["  #", "  #", "  #", "# #", " # "],
    "K": ["# #", "# #", "## ", "# #", "# #"], "L": ["#  ", "#  ", "#  ", "#  ", "###"],
    "M": ["# #", "###", "###", "# #", "# #"], "N": ["## ", "# #", "# #", "# #", "# #"],
    "O": [" # ", "# #", "# #", "# #", " # "], "P": ["## ", "# #", "## ", "#  ", "#  "],
    "Q": [" # ", "# #", "# #", " ##", "  #"], "R": ["## ", "# #", "## ", "# #", "# #"],
    "S": [" ##", "#  ", " # ", "  #", "## "], "T": ["###", " # ", " # ", " # ", " # "],
    "U": ["# #", "# #", "# #", "# #", "###"], "V": ["# #", "# #", "# #", "# #", " # "],
    "W": ["# #", "# #", "###", "###", "# #"], "X": ["# #", "# #", " # ", "# #", "# #"],
    "Y": ["# #", "# #", " # ", " # ", " # "], "Z": ["###", "  #", " # ", "#  ", "###"],
    "-": ["   ", "   ", "###", "   ", "   "], ".": ["   ", "   ", "   ", "   ", " # "],
    "/": ["  #", "  #", " # ", "#  ", "#  "], " ": ["   ", "   ", "   ", "   ", "   "],
  ]

  /// The label, and the text in large letters; small where it does not fit or has other characters.
  static func lines(_ label: String, _ text: String, width: Int) -> [String] {
    let capitals = text.uppercased()
    guard capitals.allSatisfy({ glyphs[$0] != nil }), 4 + capitals.count * 8 <= width else {
      return ["  \(label): \(text)"]
    }
    let rows = (0..<5).map { row in
      "    "
        + capitals.map { character in
          glyphs[character]![row].map { $0 == "#" ? "██" : "  " }.joined()
        }.joined(separator: "  ")
    }
    return ["  \(label): \(text)"] + rows
  }
}
