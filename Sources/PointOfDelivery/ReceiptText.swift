// A receipt as text, for QR codes and paper (docs/SPEC.md, "Receipt as text").
//
//   one code:      ACD1:<base45 of the receipt>
//   several codes: ACD1/<index>/<count>/<hash>:<base45 of a part>
//
// <index> counts from 1 to <count>, both in decimal without leading zeros; <hash> is the first 8 hexadecimal
// digits, in capitals, of SHA-256 of the whole receipt. Part i of c is the bytes from floor((i - 1) * size /
// c) to floor(i * size / c). Every character is in the alphanumeric set of QR codes (ISO/IEC 18004, 7.4.4).
//
// Invariant: there is one text for a receipt and a count. A line break cannot be part of a text, and a text
// neither begins nor ends with white space: Base45's last digit never is 36, the blank. So lines can be
// trimmed.

internal import Messages

/// Why bytes or text are not a receipt's.
public enum ReceiptTextError: Error, Equatable, CustomStringConvertible {
  /// There is nothing but white space.
  case empty
  /// More than so many bytes.
  case tooLarge(limit: Int)
  /// This line does not begin with "ACD1:" or "ACD1/".
  case notReceiptText(line: Int)
  /// This line's "ACD1/…:" is not an index, a count and a hash.
  case badHeader(line: Int)
  /// What follows the header in this line is not Base45: it was mistyped or misread.
  case badText(line: Int)
  /// This line is of another receipt than the lines before it, or of the same one split otherwise.
  case mixed(line: Int)
  /// This part was given twice, differently.
  case conflicting(index: Int)
  /// These parts were not given.
  case missing(indices: [Int], count: Int)
  /// This part is longer or shorter than it must be.
  case badCut(index: Int)
  /// The parts fit together, but the whole does not have the hash that they name.
  case wrongHash

  /// One sentence for a person.
  public var description: String {
    switch self {
    case .empty: "there is no receipt in the input"
    case .tooLarge(let limit): "the input is larger than \(limit) bytes"
    case .notReceiptText(let line): "line \(line) is not a receipt's text: it does not begin with ACD1"
    case .badHeader(let line): "line \(line) has no proper beginning (ACD1/index/count/hash:)"
    case .badText(let line): "line \(line) was misread: it is not Base45"
    case .mixed(let line): "line \(line) belongs to another receipt than the lines before it"
    case .conflicting(let index): "part \(index) was given twice, with different content"
    case .missing(let indices, let count):
      "of \(count) parts, missing: \(indices.map(String.init).joined(separator: ", "))"
    case .badCut(let index): "part \(index) does not have the length that it must have"
    case .wrongHash: "the parts together are not the receipt that they name"
    }
  }
}

/// The text form of receipts.
public enum ReceiptText {
  /// More bytes than this are split: a code of this size is still read when slanted, blurred or noisy.
  public static let bytesPerCode = 700
  /// No receipt is split into more codes.
  public static let codesMax = 99
  /// The largest input that `receipt(in:)` looks at, in bytes: any receipt's codes, several times over.
  public static let inputSizeMax = 65_536

  /// True for text that begins like a receipt's.
  public static func looksLikeText(_ text: String) -> Bool {
    text.utf8.starts(with: single) || text.utf8.starts(with: split)
  }

  /// The texts of the QR codes, one or several, that carry `receipt` with at most `bytesPerCode` bytes each.
  public static func codes(
    for receipt: [UInt8], bytesPerCode: Int = bytesPerCode
  ) throws(ReceiptTextError) -> [String] {
    precondition(bytesPerCode > 0)
    guard !receipt.isEmpty else { throw .empty }
    guard receipt.count <= ReceiptLimits.receiptSizeMax else {
      throw .tooLarge(limit: ReceiptLimits.receiptSizeMax)
    }
    let count = (receipt.count + bytesPerCode - 1) / bytesPerCode
    guard count <= codesMax else { throw .tooLarge(limit: bytesPerCode * codesMax) }
    guard count > 1 else { return ["ACD1:" + Base45.encode(receipt)] }
    let hash = shortHash(of: receipt)
    return (1...count).map { index in
      let part = receipt[range(of: index, count: count, size: receipt.count)]
      return "ACD1/\(index)/\(count)/\(hash):" + Base45.encode(part)
    }
  }

  /// The receipt in `input`: its own bytes, or the text of its codes in any order, one a line. The bytes are
  /// not yet checked to be a receipt.
  public static func receipt(in input: [UInt8]) throws(ReceiptTextError) -> [UInt8] {
    guard input.count <= inputSizeMax else { throw .tooLarge(limit: inputSizeMax) }
    guard let first = input.first(where: { !isBlank($0) }) else { throw .empty }
    // A receipt is a CBOR map: its first byte is above 0x7f, where text never is.
    let receipt = first < 0x80 ? try joined(input) : input
    guard receipt.count <= ReceiptLimits.receiptSizeMax else {
      throw .tooLarge(limit: ReceiptLimits.receiptSizeMax)
    }
    return receipt
  }

  // MARK: Form

  private static let single = Array("ACD1:".utf8)
  private static let split = Array("ACD1/".utf8)

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  private static func shortHash(of receipt: [UInt8]) -> String {
    Hash(of: receipt).description.prefix(8).uppercased()
  }

  private static func range(of index: Int, count: Int, size: Int) -> Range<Int> {
    (index - 1) * size / count..<index * size / count
  }

  // MARK: Joining

  private struct Header: Equatable {
    var count: Int
    var hash: String
  }

  private static func joined(_ input: [UInt8]) throws(ReceiptTextError) -> [UInt8] {
    var header: Header?
    var parts: [Int: [UInt8]] = [:]
    var lineNumber = 0
    for line in input.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0a }) {
      lineNumber += 1
      let trimmed = trim(line)
      guard !trimmed.isEmpty else { continue }
      let (own, index, part) = try parse(trimmed, line: lineNumber)
      guard header == nil || header == own else { throw .mixed(line: lineNumber) }
      header = own
      guard parts[index] == nil || parts[index] == part else {
        throw own.count == 1 ? .mixed(line: lineNumber) : .conflicting(index: index)
      }
      parts[index] = part
    }
    guard let header else { throw .empty }
    return try join(parts, header)
  }

  private static func join(_ parts: [Int: [UInt8]], _ header: Header) throws(ReceiptTextError) -> [UInt8] {
    let missing = (1...header.count).filter { parts[$0] == nil }
    guard missing.isEmpty else { throw .missing(indices: missing, count: header.count) }
    let ordered = (1...header.count).map { parts[$0]! }
    let whole = Array(ordered.joined())
    guard header.count > 1 else { return whole }
    for index in 1...header.count
    where ordered[index - 1].count != range(of: index, count: header.count, size: whole.count).count {
      throw .badCut(index: index)
    }
    guard shortHash(of: whole) == header.hash else { throw .wrongHash }
    return whole
  }

  private static func trim(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line.drop(while: isBlank)
    while let last = line.last, isBlank(last) { line.removeLast() }
    return line
  }

  private static func parse(
    _ text: ArraySlice<UInt8>, line: Int
  ) throws(ReceiptTextError) -> (header: Header, index: Int, part: [UInt8]) {
    if text.starts(with: single) {
      let part = try part(text.dropFirst(single.count), line: line)
      return (Header(count: 1, hash: ""), 1, part)
    }
    guard text.starts(with: split) else { throw .notReceiptText(line: line) }
    let rest = text.dropFirst(split.count)
    guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { throw .badHeader(line: line) }
    let fields = rest[..<colon].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard fields.count == 3, let index = number(fields[0]), let count = number(fields[1]), count > 1,
      index <= count, fields[2].count == 8, fields[2].allSatisfy(isHashDigit)
    else { throw .badHeader(line: line) }
    let header = Header(count: count, hash: String(decoding: fields[2], as: UTF8.self))
    return (header, index, try part(rest[(colon + 1)...], line: line))
  }

  private static func part(_ text: ArraySlice<UInt8>, line: Int) throws(ReceiptTextError) -> [UInt8] {
    guard !text.isEmpty, let bytes = Base45.decode(text) else { throw .badText(line: line) }
    return bytes
  }

  /// 1 to `codesMax`, without leading zeros.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard (1...2).contains(digits.count), digits.first != UInt8(ascii: "0") else { return nil }
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private static func isHashDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
  }
}
