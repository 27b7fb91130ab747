// A signed message, or a bundle of some, as text, for QR codes, paper, and scanners that type
// (docs/SPEC.md, "Message as text"): "ACDM:" and its bytes in Base45. D1 goes to a phone so, and D2 comes
// back.

/// The text form of one signed message.
public enum MessageText {
  private static let prefix = "ACDM:"
  /// The longest message that goes into one code.
  public static let sizeMax = 1_200

  /// The text of a QR code with this message.
  public static func text(_ message: [UInt8]) -> String { prefix + Base45.encode(message) }

  /// True for text that begins like one.
  public static func looksLikeText(_ text: String) -> Bool { text.hasPrefix(prefix) }

  /// The message in `input`: its own bytes, or its text. Nil for neither; what it is, is not checked yet.
  public static func message(in input: [UInt8]) -> [UInt8]? {
    // A message or bundle begins above 0x7f, where text never does.
    guard let first = input.first, first < 0x80 else { return input.isEmpty ? nil : input }
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    let text = input.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    guard text.count <= 2 * sizeMax, text.starts(with: prefix.utf8) else { return nil }
    return Base45.decode(Array(text).dropFirst(prefix.utf8.count))
  }
}
