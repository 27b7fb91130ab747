// What can be wrong with a timestamp, its authority's certificate, or the authority's answer.

internal import COpenSSL

/// Why a timestamp dates nothing.
public enum TimestampFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// These bytes are not what they have to be.
  case malformed(String)
  /// No authority can be trusted by this certificate.
  case certificate(String)
  /// The authority gave no token.
  case refused(String)
  /// The token does not hold.
  case unproven(String)

  public var description: String {
    switch self {
    case .malformed(let what): "this is no \(what)"
    case .certificate(let why): "the timestamp authority's certificate cannot be used: \(why)"
    case .refused(let why): "the timestamp authority gave no token: \(why)"
    case .unproven(let why): "the timestamp does not hold: \(why)"
    }
  }

  /// The same with OpenSSL's own reason. Empties its list of errors.
  static func unproven() -> TimestampFault { .unproven(lastReason()) }

  /// The first reason that OpenSSL noted last, in its words.
  private static func lastReason() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    return ERR_reason_error_string(code).map { String(cString: $0) } ?? "unknown reason"
  }
}

extension [UInt8] {
  /// Reads one DER value that fills these bytes, by a function of OpenSSL's; nil if it is none.
  func der<T>(
    _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> T?, free: (T) -> Void
  ) -> T? {
    withUnsafeBufferPointer { buffer in
      var place = buffer.baseAddress
      let value = read(&place, buffer.count)
      ERR_clear_error()
      guard let value else { return nil }
      guard place == buffer.baseAddress.map({ $0 + buffer.count }) else {
        free(value)
        return nil
      }
      return value
    }
  }
}

/// What a function of OpenSSL's writes as DER; nil if it cannot.
func derBytes(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
  let count = write(nil)
  guard count > 0 else { return nil }
  return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
    var place = buffer.baseAddress
    written = Int(Swift.max(0, write(&place)))
  }
}
