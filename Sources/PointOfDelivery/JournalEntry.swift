// A line of a kiosk's journal (docs/SPEC.md, "Journal"; docs/adr/0010):
//
//   <index> <time> <kind> [<field>=<value> …] [<message in base64url> …] #<chain>
//
// chain = SHA-256 of the chain before it (of line 0: 32 zero bytes) and of the line up to the blank before
// "#".
//
// Invariants: a line is whole and in its place exactly if its chain is right; so a torn end is seen, and so
// is a line that was changed, taken out or put in. No name of a customer, PIN or card's serial has a field.

public import Messages

/// What happened, as the journal has it.
public struct JournalEntry: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// The journal begins: whose it is.
    case opened
    /// A merchant says that this parcel will come.
    case expected
    case arrived, moved
    /// The customer's right is shown and signed for: the parcel may be handed over.
    case verified
    /// What became of the parcel.
    case final
    /// Verified, but not handed over: back on the shelf.
    case withdrawn
    /// A receipt, parcel or answer was not good.
    case stopped
    /// Another kiosk signed what became of it.
    case elsewhere
    /// A merchant or archive has a record.
    case synced
    case shift, closed
    case trust
    /// A record came out of the printer: the next one is a copy.
    case printed
  }

  /// Fields with a value, by name.
  public enum Field: String, CaseIterable, Comparable, Sendable {
    case parcel, shelf, merchant, archive, n, hold, outcome, reason, note, clerk, peer, record, key, list
    case expected, counted, carried, missing, surplus

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  public var kind: Kind
  public var time: Timestamp
  public var fields: [Field: String]
  /// Signed messages, complete.
  public var messages: [[UInt8]]

  public init(
    _ kind: Kind, at time: Timestamp, _ fields: [Field: String?] = [:], messages: [[UInt8]] = []
  ) {
    (self.kind, self.time, self.messages) = (kind, time, messages)
    self.fields = fields.compactMapValues { $0 }
  }

  // MARK: Lines

  /// The longest line that is read.
  public static let lineMax = 65_536

  /// The line, without its end, as number `index` behind `chain`; and the chain that it makes.
  public func line(_ index: UInt64, after chain: Hash) -> (text: String, chain: Hash) {
    var parts = ["\(index)", "\(time)", kind.rawValue]
    parts += fields.sorted { $0.key < $1.key }.map { "\($0.key.rawValue)=\(Self.escaped($0.value))" }
    parts += messages.map(Base64URL.encode)
    let body = parts.joined(separator: " ")
    let next = Hash(of: chain.bytes + Array(body.utf8))
    return ("\(body) #\(next)", next)
  }

  /// Reads line `index` behind `chain`; nil unless it is whole and in its place.
  public init?(line: some StringProtocol, index: UInt64, after chain: Hash) {
    let bytes = Array(line.utf8)
    guard bytes.count <= Self.lineMax, let mark = bytes.lastIndex(of: UInt8(ascii: "#")), mark > 0,
      bytes[mark - 1] == UInt8(ascii: " ")
    else { return nil }
    let signed = Array(bytes[..<(mark - 1)])
    guard bytes[(mark + 1)...].elementsEqual(Hash(of: chain.bytes + signed).description.utf8),
      let body = String(validating: signed, as: UTF8.self)
    else { return nil }
    let parts = body.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 3, parts[0] == "\(index)", let time = Timestamp(parts[1]),
      let kind = Kind(rawValue: parts[2])
    else { return nil }
    var (fields, messages) = ([Field: String](), [[UInt8]]())
    for part in parts[3...] {
      if let equals = part.firstIndex(of: "=") {
        guard let field = Field(rawValue: String(part[..<equals])),
          let value = Self.unescaped(part[part.index(after: equals)...])
        else { return nil }
        fields[field] = value
      } else {
        guard let message = Base64URL.decode(part) else { return nil }
        messages.append(message)
      }
    }
    self.init(kind, at: time, fields, messages: messages)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || byte >= 0x80 || "-._:,/()".utf8.contains(byte)
  }

  /// Everything but letters, digits and some marks as %xx, so that a value is one word.
  private static func escaped(_ text: String) -> String {
    var result: [UInt8] = []
    for byte in text.utf8 {
      if isPlain(byte) {
        result.append(byte)
      } else {
        result += Array("%".utf8) + Array(Hex.encode([byte]).utf8)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func unescaped(_ text: Substring) -> String? {
    var (result, rest) = ([UInt8](), Array(text.utf8)[...])
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        result.append(byte)
        continue
      }
      guard let code = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self)), code.count == 1 else {
        return nil
      }
      result.append(code[0])
      rest = rest.dropFirst(2)
    }
    return String(validating: result, as: UTF8.self)
  }
}

/// Base64 with the alphabet of URLs and without padding (RFC 4648, 5).
enum Base64URL {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  private static let values: [UInt8: UInt32] = Dictionary(
    uniqueKeysWithValues: digits.enumerated().map { ($0.element, UInt32($0.offset)) })

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let group = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
      for place in 0...part.count { text.append(digits[Int(group >> UInt32(18 - 6 * place) & 63)]) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes; nil for text that no bytes have.
  static func decode(_ text: String) -> [UInt8]? {
    let input = Array(text.utf8)
    guard input.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: input.count, by: 4) {
      let part = input[start..<min(start + 4, input.count)]
      var group: UInt32 = 0
      for byte in part {
        guard let value = values[byte] else { return nil }
        group = group << 6 | value
      }
      group <<= UInt32(6 * (4 - part.count))
      for place in 0..<(part.count - 1) {
        bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place)))
      }
    }
    return encode(bytes) == text ? bytes : nil
  }
}
