// Money: an amount in minor units of an ISO 4217 currency. Arithmetic is checked; amounts never exceed
// 2^53 - 1, so that they are exact in JSON. Text form: "EUR:12.34".

/// An amount of money, in minor units (cents for EUR).
public struct Money: Hashable, Sendable, CustomStringConvertible {
  /// The largest amount of any message: 2^53 - 1 minor units.
  public static let amountMax: UInt64 = 9_007_199_254_740_991

  /// ISO 4217 code, three capital letters.
  public let currency: String
  /// Minor units, at most `amountMax`.
  public let amount: UInt64

  /// Makes an amount, or nil when the currency is not three capital letters or the amount is too large.
  public init?(currency: String, amount: UInt64) {
    let letters = currency.utf8
    guard letters.count == 3, letters.allSatisfy({ $0 >= 65 && $0 <= 90 }), amount <= Self.amountMax else {
      return nil
    }
    self.currency = currency
    self.amount = amount
  }

  /// Reads "EUR:12.34", "EUR:12" or "JPY:500"; nil for anything else, such as too many decimals.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let number = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    let places = Self.decimals(of: String(parts[0]))
    guard let whole = number.first, !whole.isEmpty, number.count <= 2 else { return nil }
    let fraction = number.count == 2 ? number[1] : ""
    guard number.count == 1 || !fraction.isEmpty, fraction.utf8.count <= places else { return nil }
    let padding = String(repeating: "0", count: places - fraction.utf8.count)
    let digits = whole + fraction + padding
    guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let amount = UInt64(digits) else { return nil }
    self.init(currency: String(parts[0]), amount: amount)
  }

  /// Digits after the point in this currency (ISO 4217 exponents other than 2 are listed).
  public static func decimals(of currency: String) -> Int {
    switch currency {
    case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
      "XOF", "XPF":
      0
    case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
    default: 2
    }
  }

  /// "EUR:12.34".
  public var description: String {
    let places = Self.decimals(of: currency)
    guard places > 0 else { return "\(currency):\(amount)" }
    var digits = String(amount)
    while digits.utf8.count <= places { digits = "0" + digits }
    return "\(currency):\(digits.dropLast(places)).\(digits.suffix(places))"
  }

  /// The sum; nil if the currencies differ or the sum is too large.
  public func adding(_ other: Money) -> Money? {
    guard currency == other.currency else { return nil }
    return Money(currency: currency, amount: amount + other.amount)
  }

  /// The difference; nil if the currencies differ or it would be negative.
  public func subtracting(_ other: Money) -> Money? {
    guard currency == other.currency, amount >= other.amount else { return nil }
    return Money(currency: currency, amount: amount - other.amount)
  }
}

/// In JSON it is its text.
extension Money: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let money = Money(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no amount such as EUR:12.34")
    }
    self = money
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Nothing below Services reads a clock: time
/// is passed in.
public typealias Timestamp = UInt64
