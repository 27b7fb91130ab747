// QR codes (ISO/IEC 18004) through libqrencode: the matrix. Rendering is in QRCode+Text.swift and
// QRCode+PNG.swift.
//
// Invariant: `modules` holds side * side modules, row by row, without the quiet zone.

internal import CQREncode

/// Why there is no QR code for a text.
public enum QRCodeError: Error, Equatable, CustomStringConvertible {
  /// There is no text, or it holds a NUL.
  case unsuitable
  /// More than the largest code holds at level M.
  case tooLong(characters: Int)

  /// One sentence for a person.
  public var description: String {
    switch self {
    case .unsuitable: "a QR code needs a text that is not empty and holds no NUL"
    case .tooLong(let characters): "\(characters) characters do not fit in a QR code"
    }
  }
}

/// A QR code: a square of dark and light modules, error correction level M (15 % of a code can be restored).
public struct QRCode: Equatable, Sendable {
  /// Light modules that a reader needs around the code.
  public static let quietZone = 4

  /// Modules a side, without the quiet zone.
  public let side: Int
  private let modules: [Bool]

  /// Encodes `text`, in the smallest code that holds it: alphanumeric where the characters allow it, else
  /// UTF-8 bytes.
  public init(_ text: String) throws(QRCodeError) {
    guard !text.isEmpty, !text.utf8.contains(0) else { throw .unsuitable }
    // Version 0 chooses the smallest; the hint of 8 bits lets the library find the densest mode of every run.
    guard let code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1) else {
      throw .tooLong(characters: text.count)
    }
    defer { QRcode_free(code) }
    side = Int(code.pointee.width)
    let cells = UnsafeBufferPointer(start: code.pointee.data, count: side * side)
    modules = cells.map { $0 & 1 != 0 }  // bit 0: dark; the others say what the module is for
  }

  /// True for a dark module; false around the code.
  public func isDark(x: Int, y: Int) -> Bool {
    guard (0..<side).contains(x), (0..<side).contains(y) else { return false }
    return modules[y * side + x]
  }
}
