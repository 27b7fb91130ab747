// QR codes: an independent reader (zbarimg) reads what is drawn, and every rendering shows the same modules.

import Foundation
import Messages
import Testing

@testable import PointOfDelivery

/// The independent reader, Debian's zbar-tools.
enum Zbar {
  static let path = ["/usr/bin/zbarimg", "/usr/local/bin/zbarimg", "/opt/homebrew/bin/zbarimg"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// What the image's codes say, without the last newline.
  static func read(_ png: [UInt8], options: [String] = []) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "acd-qr-\(UUID().uuidString).png")
    try Data(png).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path!)
    process.arguments = ["-q", "--raw"] + options + [file.path]
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, Pipe())
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}

@Suite("QR codes") struct QRCodeTests {
  @Test(
    "An independent reader reads a receipt's codes from PNG images",
    .enabled(if: Zbar.path != nil, "zbarimg is not installed (Debian: zbar-tools)"), arguments: [3, 8])
  func reader(_ scale: Int) throws {
    let (receipt, _) = try ReceiptFixture().build()
    var lines: [String] = []
    for text in try ReceiptText.codes(for: receipt) {
      let read = try Zbar.read(try QRCode(text).png(scale: scale))
      #expect(read == text)
      lines.append(read)
    }
    #expect(try ReceiptText.receipt(in: Array(lines.joined(separator: "\n").utf8)) == receipt)
  }

  @Test(
    "An independent reader reads other text, UTF-8 included",
    .enabled(if: Zbar.path != nil, "zbarimg is not installed (Debian: zbar-tools)"))
  func otherText() throws {
    for text in ["A", "https://example.org/?q=1", "Größe: 10 €"] {
      // Without -Sbinary the reader guesses at the encoding of what is not ASCII, here Shift JIS.
      #expect(try Zbar.read(try QRCode(text).png(scale: 4), options: ["-Sbinary"]) == text)
    }
  }

  @Test("Receipt text takes the alphanumeric mode") func density() throws {
    // 154 characters are the most that version 6 holds at level M in alphanumeric mode; in 8-bit mode it is
    // 106.
    let text = "ACD1:" + String(repeating: "Z", count: 149)
    #expect(try QRCode(text).side == 17 + 4 * 6)
    #expect(try QRCode(text + "Z").side == 17 + 4 * 7)
    #expect(try QRCode(text.lowercased()).side > 17 + 4 * 6)
  }

  @Test("Text that no code holds is refused") func refused() {
    #expect(throws: QRCodeError.unsuitable) { try QRCode("") }
    #expect(throws: QRCodeError.unsuitable) { try QRCode("a\0b") }
    #expect(throws: QRCodeError.tooLong(characters: 4_000)) {
      try QRCode(String(repeating: "A", count: 4_000))
    }
  }

  @Test("The three finders stand in their corners and outside is light") func finders() throws {
    let code = try QRCode("ACD1:BB8")
    for (x, y) in [(0, 0), (code.side - 7, 0), (0, code.side - 7)] {
      #expect((0..<7).allSatisfy { code.isDark(x: x + $0, y: y) && code.isDark(x: x, y: y + $0) })
      #expect(code.isDark(x: x + 3, y: y + 3))
      #expect(!code.isDark(x: x + 1, y: y + 1))
    }
    #expect(!code.isDark(x: -1, y: 0))
    #expect(!code.isDark(x: 0, y: code.side))
  }

  @Test(
    "Half blocks show every module with its quiet zone",
    arguments: [QRCode.TerminalStyle.ansi, .darkBackground, .lightBackground])
  func terminal(_ style: QRCode.TerminalStyle) throws {
    let code = try QRCode("ACD1:BB8")
    let size = code.side + 8
    let lines = code.terminal(style).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(lines.count == (size + 1) / 2)
    for (row, line) in lines.enumerated() {
      var line = String(line)
      if style == .ansi {
        #expect(line.hasPrefix("\u{1b}[38;5;16;48;5;231m") && line.hasSuffix("\u{1b}[0m"))
        line = String(line.dropFirst("\u{1b}[38;5;16;48;5;231m".count).dropLast("\u{1b}[0m".count))
      } else {
        #expect(!line.contains("\u{1b}"))
      }
      #expect(line.count == size)
      for (column, character) in line.enumerated() {
        let ink = [character == "█" || character == "▀", character == "█" || character == "▄"]
        for half in 0..<2 where row * 2 + half < size {
          let dark = ink[half] == (style != .darkBackground)
          #expect(dark == code.isDark(x: column - 4, y: row * 2 + half - 4))
        }
      }
    }
  }

  @Test("The SVG's one black path covers the dark modules and no others") func svg() throws {
    let code = try QRCode("ACD1:BB8")
    let text = code.svg()
    #expect(text.contains("viewBox=\"0 0 \(code.side + 8) \(code.side + 8)\""))
    let path = try #require(text.firstMatch(of: /<path fill="#000" d="([^"]*)"/)).1
    var covered: Set<[Int]> = []
    for match in path.matches(of: /M(\d+) (\d+)h(\d+)v1h-(\d+)z/) {
      #expect(match.3 == match.4)
      for x in 0..<Int(match.3)! { covered.insert([Int(match.1)! + x - 4, Int(match.2)! - 4]) }
    }
    for y in -4..<code.side + 4 {
      for x in -4..<code.side + 4 { #expect(covered.contains([x, y]) == code.isDark(x: x, y: y)) }
    }
    #expect(text.components(separatedBy: "fill=\"#000\"").count == 2)
  }

  @Test("A PNG is a 1-bit grey image of the size that the scale says") func png() throws {
    let code = try QRCode("ACD1:BB8")
    let file = code.png(scale: 5)
    #expect(file.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    let size = file[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let side = UInt64((code.side + 8) * 5)
    #expect(size == side << 32 | side)
    #expect(file[24..<29].elementsEqual([1, 0, 0, 0, 0]))
  }
}
