// Labels of parcels. Those of the post (UPU S10) and of logistics (GS1 SSCC) are accepted and never made:
// their ranges belong to operators. Our own are 2 letters, 12 random digits and 2 check digits (ISO/IEC
// 7064, MOD 97-10): 16 characters, so that no two kinds have the same length.
//
// Invariant: a label says nothing of the customer. It is drawn, and derived from no key.

/// A parcel's label, its check digits tested.
public struct ParcelLabel: Hashable, Sendable, CustomStringConvertible {
  /// Who gives such labels out.
  public enum Kind: Sendable {
    /// UPU S10: "RR473124829DE".
    case post
    /// GS1 SSCC: 18 digits.
    case logistics
    /// Ours.
    case own
  }

  public let kind: Kind
  /// Capital letters and digits, without blanks.
  public let text: String
  public var description: String { text }

  /// Reads what a scanner or a person gave: blanks and hyphens do not count, small letters do as capital
  /// ones, and the "(00)" or "00" that is printed before an SSCC is left out. Nil for anything else, also
  /// where one character was mistyped.
  public init?(_ input: some StringProtocol) {
    var plain = input.uppercased().filter { !" -\t\r".contains($0) }
    guard plain.utf8.count <= 64, plain.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    if plain.hasPrefix("(00)") { plain.removeFirst(4) }
    if plain.utf8.count == 20, plain.hasPrefix("00") { plain.removeFirst(2) }
    let bytes = Array(plain.utf8)
    switch bytes.count {
    case 13 where Self.isPost(bytes): kind = .post
    case 18 where Self.isLogistics(bytes): kind = .logistics
    case 16 where Self.isOwn(bytes): kind = .own
    default: return nil
    }
    text = plain
  }

  /// Draws one of our own from `generator`, which has to be cryptographically strong.
  public static func random(
    prefix: String = "AC", using generator: inout some RandomNumberGenerator
  ) -> ParcelLabel {
    let letters = Array(prefix.utf8)
    precondition(letters.count == 2 && letters.allSatisfy(isLetter))
    let digits = (0..<12).map { _ in UInt8.random(in: 0...9, using: &generator) + 0x30 }
    let body = letters + digits
    let check = 98 - remainder97(body + [0x30, 0x30])
    let end = [UInt8(check / 10) + 0x30, UInt8(check % 10) + 0x30]
    return ParcelLabel(String(decoding: body + end, as: UTF8.self))!
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

  /// Two letters, eight digits, their check digit, two letters of a country.
  private static func isPost(_ bytes: [UInt8]) -> Bool {
    guard bytes[..<2].allSatisfy(isLetter), bytes[2..<11].allSatisfy(isDigit),
      bytes[11...].allSatisfy(isLetter)
    else { return false }
    let sum = zip(bytes[2..<10], [8, 6, 4, 2, 3, 5, 9, 7]).reduce(0) { $0 + Int($1.0 - 0x30) * $1.1 }
    let check = 11 - sum % 11
    return Int(bytes[10] - 0x30) == (check == 10 ? 0 : check == 11 ? 5 : check)
  }

  /// 18 digits: from the right each other one counts three times, and the sum is a multiple of 10.
  private static func isLogistics(_ bytes: [UInt8]) -> Bool {
    guard bytes.allSatisfy(isDigit) else { return false }
    let sum = bytes.reversed().enumerated().reduce(0) {
      $0 + Int($1.element - 0x30) * ($1.offset.isMultiple(of: 2) ? 1 : 3)
    }
    return sum.isMultiple(of: 10)
  }

  private static func isOwn(_ bytes: [UInt8]) -> Bool {
    bytes[..<2].allSatisfy(isLetter) && bytes[2...].allSatisfy(isDigit) && remainder97(bytes) == 1
  }

  /// Letters count as 10 to 35, two digits each.
  private static func remainder97(_ bytes: [UInt8]) -> Int {
    bytes.reduce(0) { sum, byte in
      isDigit(byte) ? (sum * 10 + Int(byte - 0x30)) % 97 : (sum * 100 + Int(byte - 0x41 + 10)) % 97
    }
  }
}
