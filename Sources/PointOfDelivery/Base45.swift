// Base45 (RFC 9285) and the sizes of receipts: this module's one crossing into the C core (acd/base45.h,
// acd/receipt.h).
//
// Invariant: text has one meaning and bytes have one text, so that a decoded text encodes to itself.

internal import CCore

/// How large the kiosk's inputs may be, in bytes.
public enum ReceiptLimits {
  /// A receipt in its binary form.
  public static let receiptSizeMax = Int(ACD_RECEIPT_SIZE_MAX)
  /// A trust list.
  public static let trustSizeMax = Int(ACD_TRUST_SIZE_MAX)
}

/// The densest text that QR codes carry in alphanumeric mode.
enum Base45 {
  /// Two bytes become three characters, a last single byte two.
  static func encode(_ bytes: some Collection<UInt8>) -> String {
    let input = Array(bytes)
    let capacity = input.count / 2 * 3 + input.count % 2 * 2
    var text = [CChar](repeating: 0, count: capacity)
    var length = 0
    let status = acd_base45_encode(&text, capacity, &length, input, input.count)
    precondition(status == ACD_OK && length == capacity, "a text that was sized exactly fits")
    return String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The bytes, or nil for text that no bytes have.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    let input = text.map { CChar(bitPattern: $0) }
    var bytes = [UInt8](repeating: 0, count: input.count / 3 * 2 + 1)
    let capacity = bytes.count
    var length = 0
    guard acd_base45_decode(&bytes, capacity, &length, input, input.count) == ACD_OK else { return nil }
    return Array(bytes[..<length])
  }
}
