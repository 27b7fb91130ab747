// A record on paper: what became of a parcel, with the signed messages in a QR code. For ESC/POS printers,
// whose own commands draw the code, and as plain text.
//
// Invariants: no person's name, PIN or card is on it. Characters that the printer's code page (858) does not
// have are printed as "?", never as others. A reprint says COPY.

public import Messages

/// What is printed of one record.
public struct PaperRecord: Equatable, Sendable {
  public var title: Phrase
  public var parcel: String
  public var outcome: DeliveryOutcome?
  public var time: Timestamp
  public var kiosk: PublicKey
  public var office: String
  /// What was found, if it was damaged.
  public var inventory: String?
  /// The text of the code.
  public var code: String
  public var isCopy: Bool

  /// Of the messages of a visit; nil if they are no record.
  public init?(_ messages: [[UInt8]], office: String, copy: Bool) {
    guard let last = messages.last, let d3 = try? Verified<D3>(stored: last),
      let bundle = try? Bundle(messages).encoded()
    else { return nil }
    let d1 = messages.lazy.compactMap { try? Verified<D1>(stored: $0) }.first
    title = .proofOf
    parcel = d1?.payload.parcel ?? d3.payload.parcel ?? ""
    outcome = DeliveryOutcome(rawValue: d3.payload.outcome)
    (time, kiosk, self.office) = (d3.payload.time, d3.signer, office)
    inventory = d1?.payload.inventory
    code = MessageText.text(bundle)
    isCopy = copy
  }

  /// The lines above the code, at most so many columns each.
  public func lines(_ language: Language, columns: Int) -> [String] {
    var rows: [String] = []
    func add(_ text: String) { rows += Screen.wrapped(ReceiptReport.printable(text), columns) }
    if isCopy { add("*** " + Phrase.copy.text(language) + " ***") }
    add(office)
    add(title.text(language))
    rows.append(String(repeating: "-", count: columns))
    add("\(Phrase.parcel.text(language)): \(parcel)")
    if let outcome {
      let became = Screen.outcome(outcome, parcel, reason: nil).title
      add("\(Phrase.outcome.text(language)): \(became.text(language))")
    }
    add("\(Phrase.atTime.text(language)): \(UTCTime.text(time))")
    if let inventory { add("\(Phrase.found.text(language)): \(inventory)") }
    add("\(Phrase.signedBy.text(language)):")
    for part in stride(from: 0, to: 64, by: 16) {
      let hex = Array(kiosk.description)
      rows.append("  " + String(hex[part..<(part + 16)]))
    }
    add(Phrase.verifyWith.text(language))
    return rows.map { String($0.prefix(columns)) }
  }

  /// Everything for a terminal or a file: the lines, then the code.
  public func text(_ language: Language, columns: Int) throws(QRCodeError) -> String {
    let lines = lines(language, columns: columns).map { $0 + "\n" }.joined()
    return lines + (try QRCode(code).terminal(.darkBackground)) + "\n" + Phrase.customerKeeps.text(language)
      + "\n"
  }

  /// Bytes for an ESC/POS printer of so many columns: 32 on paper of 58 mm, 48 on 80 mm.
  public func escPOS(_ language: Language, columns: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x1b, 0x40, 0x1b, 0x74, 19]  // reset; code page 858
    for line in lines(language, columns: columns) { bytes += CodePage858.encode(line) + [0x0a] }
    let data = Array(code.utf8)
    let count = data.count + 3
    bytes += [0x1b, 0x61, 1]  // centred
    bytes += [0x1d, 0x28, 0x6b, 4, 0, 0x31, 0x41, 0x32, 0]  // QR, model 2
    bytes += [0x1d, 0x28, 0x6b, 3, 0, 0x31, 0x43, columns <= 32 ? 3 : 4]  // dots a module
    bytes += [0x1d, 0x28, 0x6b, 3, 0, 0x31, 0x45, 0x31]  // level M
    bytes += [0x1d, 0x28, 0x6b, UInt8(count & 255), UInt8(count >> 8), 0x31, 0x50, 0x30] + data
    bytes += [0x1d, 0x28, 0x6b, 3, 0, 0x31, 0x51, 0x30]  // print it
    bytes += [0x1b, 0x61, 0] + CodePage858.encode(Phrase.customerKeeps.text(language)) + [0x0a]
    return bytes + [0x1b, 0x64, 4, 0x1d, 0x56, 1]  // feed, cut
  }
}

/// The characters of code page 858: 850 with the euro sign.
enum CodePage858 {
  private static let upper = Array(
    ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤"
      + "ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}")
      .unicodeScalars)
  private static let codes: [Unicode.Scalar: UInt8] = Dictionary(
    upper.enumerated().map { ($0.element, UInt8(0x80 + $0.offset)) }, uniquingKeysWith: { first, _ in first })

  static var count: Int { upper.count }

  static func encode(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { scalar in
      (0x20..<0x7f).contains(scalar.value) ? UInt8(scalar.value) : codes[scalar] ?? UInt8(ascii: "?")
    }
  }

  /// Whether the page has all of it.
  static func has(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { (0x20..<0x7f).contains($0.value) || codes[$0] != nil }
  }
}

/// What a self-test prints, and whether the page has all that the counter says on paper.
public enum SelfTestText {
  /// Characters that printers mangle, one line.
  public static let paper = CodePage858.encode("äöüÄÖÜß éèêç ñ £ € - acd-kiosk") + [0x0a]
  /// Characters of the printed phrases that the code page lacks.
  public static var missing: String {
    let phrases: [Phrase] = [
      .copy, .proofOf, .parcel, .outcome, .atTime, .found, .signedBy, .verifyWith, .customerKeeps,
      .handedOver,
      .refusedByCustomer, .refusedDamagedTitle, .failedTitle, .holdOver, .sendBack,
    ]
    let text = phrases.flatMap { phrase in Language.allCases.map { phrase.text($0) } }.joined()
    return String(text.filter { !CodePage858.has(String($0)) })
  }
}
