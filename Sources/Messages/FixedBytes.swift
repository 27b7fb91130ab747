// Fixed-size values: hashes, public keys, transaction ids, nonces. A value of one of these types always
// has its size: the only way to make one checks it. None of them is secret.

/// A value of exactly `size` bytes.
public protocol FixedBytes: Hashable, Sendable, CustomStringConvertible {
  /// Bytes in every value of this type.
  static var size: Int { get }
  /// The bytes, `size` of them.
  var bytes: [UInt8] { get }
  /// Makes a value, or nil unless there are exactly `size` bytes.
  init?(_ bytes: some Collection<UInt8>)
}

extension FixedBytes {
  /// Lowercase hexadecimal, two characters a byte.
  public var description: String { Hex.encode(bytes) }

  /// Makes a value from hexadecimal text of either case; nil for anything else.
  public init?(hex: String) {
    guard let bytes = Hex.decode(hex) else { return nil }
    self.init(bytes)
  }

  /// Draws a value from `generator`, which has to be cryptographically strong.
  public static func random(using generator: inout some RandomNumberGenerator) -> Self {
    Self(randomBytes(size, using: &generator))!
  }
}

/// Draws `count` bytes from `generator`.
public func randomBytes(_ count: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + 7)
  while bytes.count < count {
    let word = generator.next()
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}

/// A SHA-256 hash, 32 bytes.
public struct Hash: FixedBytes {
  public static let size = 32
  public let bytes: [UInt8]
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.size else { return nil }
    self.bytes = Array(bytes)
  }
}

/// An Ed25519 or X25519 public key, 32 bytes. Whether it is a good point is checked where it is first
/// trusted: `PublicKey.isSound`.
public struct PublicKey: FixedBytes {
  public static let size = 32
  public let bytes: [UInt8]
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.size else { return nil }
    self.bytes = Array(bytes)
  }
}

/// n: a transaction's id, chosen by the merchant, 16 random bytes, never reused.
public struct TransactionID: FixedBytes {
  public static let size = 16
  public let bytes: [UInt8]
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.size else { return nil }
    self.bytes = Array(bytes)
  }
}

/// A nonce, an order number or an offer's id: 16 random bytes.
public struct Nonce: FixedBytes {
  public static let size = 16
  public let bytes: [UInt8]
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.size else { return nil }
    self.bytes = Array(bytes)
  }
}

/// Hexadecimal text.
public enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Lowercase hexadecimal of `bytes`.
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of hexadecimal text of either case, or nil.
  public static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
