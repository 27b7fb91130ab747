// Receipts as the text of QR codes: there and back, in any order, and what is refused.

import Messages
import Testing

@testable import PointOfDelivery

@Suite("Receipt text") struct ReceiptTextTests {
  /// Bytes that look like a receipt from outside: a map's first byte, then all values.
  static func bytes(_ count: Int) -> [UInt8] {
    [0xa4] + (1..<max(count, 1)).map { UInt8(truncatingIfNeeded: $0 &* 37) }
  }

  static let alphanumeric = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

  static func error(_ text: String) -> ReceiptTextError? {
    do throws(ReceiptTextError) {
      _ = try ReceiptText.receipt(in: Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test("Base45 agrees with the examples of RFC 9285") func vectors() {
    for (plain, text) in [
      ("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0"),
    ] {
      #expect(Base45.encode(Array(plain.utf8)) == text)
      #expect(Base45.decode(Array(text.utf8)) == Array(plain.utf8))
    }
    for bad in ["GGW", ":::", "A", "ABCD", "aB8", "::"] {
      #expect(Base45.decode(Array(bad.utf8)) == nil, "\(bad)")
    }
  }

  @Test(
    "A receipt of any size comes back from its codes",
    arguments: [1, 2, 699, 700, 701, 1_400, 1_401, 5_000, 8_192])
  func roundTrip(_ size: Int) throws {
    let receipt = Self.bytes(size)
    let codes = try ReceiptText.codes(for: receipt)
    #expect(codes.count == (size + 699) / 700)
    #expect(codes.allSatisfy { $0.utf8.allSatisfy(Self.alphanumeric.contains) })
    #expect(codes.allSatisfy { $0.utf8.count <= 1_050 + 20 })
    let text = codes.joined(separator: "\n")
    #expect(try ReceiptText.receipt(in: Array(text.utf8)) == receipt)
  }

  @Test("Parts of a receipt are nearly equal") func equalParts() throws {
    let codes = try ReceiptText.codes(for: Self.bytes(1_401))
    let lengths = codes.map { $0.utf8.count }
    #expect(lengths.max()! - lengths.min()! <= 3)
  }

  @Test("A receipt's own bytes are taken as they are") func binary() throws {
    let (receipt, _) = try ReceiptFixture().build()
    #expect(try ReceiptText.receipt(in: receipt) == receipt)
  }

  @Test("Codes may come in any order, twice, with blank lines and white space around") func tolerant() throws
  {
    let receipt = Self.bytes(2_000)
    let codes = try ReceiptText.codes(for: receipt)
    #expect(codes.count == 3)
    let text =
      " \t\r\n" + [codes[2], "", " " + codes[0] + "\t", codes[2], codes[1] + "  "].joined(separator: "\r\n")
    #expect(try ReceiptText.receipt(in: Array(text.utf8)) == receipt)
    let twice = try ReceiptText.codes(for: Self.bytes(50))[0]
    #expect(try ReceiptText.receipt(in: Array("\(twice)\n\(twice)\n".utf8)) == Self.bytes(50))
  }

  @Test("Missing parts are named") func missing() throws {
    let codes = try ReceiptText.codes(for: Self.bytes(3_000))
    #expect(Self.error("\(codes[3])\n\(codes[1])") == .missing(indices: [1, 3, 5], count: 5))
    #expect(ReceiptTextError.missing(indices: [1, 3], count: 5).description == "of 5 parts, missing: 1, 3")
  }

  @Test("Codes of different receipts are refused") func mixed() throws {
    let codes = try ReceiptText.codes(for: Self.bytes(1_000))
    let others = try ReceiptText.codes(for: Self.bytes(1_001))
    #expect(Self.error("\(codes[0])\n\n\(others[1])") == .mixed(line: 3))
    let finer = try ReceiptText.codes(for: Self.bytes(1_000), bytesPerCode: 400)
    #expect(Self.error("\(codes[0])\n\(finer[1])") == .mixed(line: 2))
    let small = try ReceiptText.codes(for: Self.bytes(10))[0]
    let smaller = try ReceiptText.codes(for: Self.bytes(9))[0]
    #expect(Self.error("\(small)\n\(smaller)") == .mixed(line: 2))
    #expect(Self.error("\(codes[0])\n\(small)") == .mixed(line: 2))
  }

  @Test("A part that was misread is refused, not mended") func misread() throws {
    let codes = try ReceiptText.codes(for: Self.bytes(1_000))
    let header = String(codes[1].prefix { $0 != ":" }) + ":"
    let body = codes[1].dropFirst(header.count)
    let changed = header + (body.first == "0" ? "1" : "0") + body.dropFirst()
    #expect(Self.error("\(codes[0])\n\(changed)") == .wrongHash)
    #expect(Self.error("\(codes[0])\n\(codes[1])\n\(changed)") == .conflicting(index: 2))
    #expect(Self.error("\(codes[0])\n\(header + body.dropLast(3))") == .badCut(index: 1))
    #expect(Self.error("\(codes[0])\n\(codes[1].dropLast(2))") == .badText(line: 2))
    #expect(Self.error("\(codes[0])\n\(codes[1].lowercased())") == .notReceiptText(line: 2))
    #expect(Self.error(header) == .badText(line: 1))
    #expect(Self.error("ACD1:") == .badText(line: 1))
  }

  @Test(
    "A header that is not an index, a count and a hash is refused",
    arguments: [
      "ACD1/1/2/0123ABCD", "ACD1/0/2/0123ABCD:00", "ACD1/3/2/0123ABCD:00", "ACD1/1/1/0123ABCD:00",
      "ACD1/01/2/0123ABCD:00", "ACD1/1/100/0123ABCD:00", "ACD1/1/2/0123abcd:00", "ACD1/1/2/0123ABC:00",
      "ACD1/1/2/0123ABCDE:00", "ACD1/1/2:00", "ACD1/+1/2/0123ABCD:00", "ACD1//2/0123ABCD:00",
      "ACD1/1/2/0123ABCD/:00",
    ]) func badHeader(_ text: String)
  {
    #expect(Self.error(text) == .badHeader(line: 1))
  }

  @Test("What is no receipt's text is said to be none") func otherText() {
    #expect(Self.error("https://example.org/") == .notReceiptText(line: 1))
    #expect(Self.error("ACD2:BB8") == .notReceiptText(line: 1))
    #expect(Self.error("\n ACD1:BB8\nhello") == .notReceiptText(line: 3))
    #expect(Self.error("") == .empty)
    #expect(Self.error(" \r\n\t\n") == .empty)
  }

  @Test("Inputs and receipts over their limits are refused") func limits() throws {
    let blank = [UInt8](repeating: 0x20, count: ReceiptText.inputSizeMax + 1)
    #expect(throws: ReceiptTextError.tooLarge(limit: ReceiptText.inputSizeMax)) {
      try ReceiptText.receipt(in: blank)
    }
    let long = Self.bytes(ReceiptLimits.receiptSizeMax + 1)
    let limit = ReceiptTextError.tooLarge(limit: ReceiptLimits.receiptSizeMax)
    #expect(throws: limit) { try ReceiptText.receipt(in: long) }
    #expect(throws: limit) { try ReceiptText.codes(for: long) }
    #expect(Self.error("ACD1:" + Base45.encode(long)) == limit)
    #expect(throws: ReceiptTextError.tooLarge(limit: 990)) {
      try ReceiptText.codes(for: Self.bytes(991), bytesPerCode: 10)
    }
    #expect(throws: ReceiptTextError.empty) { try ReceiptText.codes(for: []) }
  }

  @Test("Whatever is accepted as one code's text is the text of its receipt") func canonical() throws {
    let text = Array(try ReceiptText.codes(for: Self.bytes(41))[0].utf8)
    var accepted = 0
    for position in text.indices {
      for character in UInt8(0x21)...0x7e where character != text[position] {
        var changed = text
        changed[position] = character
        guard let receipt = try? ReceiptText.receipt(in: changed) else { continue }
        accepted += 1
        #expect(try ReceiptText.codes(for: receipt) == [String(decoding: changed, as: UTF8.self)])
      }
    }
    #expect(accepted > 1_000)
  }

  @Test("No split text with one character changed is accepted") func splitChanges() throws {
    let codes = try ReceiptText.codes(for: Self.bytes(40), bytesPerCode: 20)
    #expect(codes.count == 2)
    let text = Array(codes[0].utf8)
    for position in text.indices {
      for character in UInt8(0x20)...0x7e where character != text[position] {
        var changed = text
        changed[position] = character
        let lines = changed + [0x0a] + Array(codes[1].utf8)
        #expect(throws: ReceiptTextError.self, "\(String(decoding: changed, as: UTF8.self))") {
          try ReceiptText.receipt(in: lines)
        }
      }
    }
  }
}
