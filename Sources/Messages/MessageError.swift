// What the C core says, in Swift: one function turns a C status into a MessageError.

internal import CCore

/// A message was refused. It says what was looked at and which rule failed, never more about a secret.
public struct MessageError: Error, Equatable, CustomStringConvertible {
  /// The cause's range (docs/SPEC.md, "Statuses").
  public enum Cause: Equatable, Sendable { case misuse, malformed, nonCanonical, authentication, capacity }

  /// The range of the cause.
  public let cause: Cause
  /// The status' stable name: "key-order", "authentication", …
  public let rule: String
  /// What was looked at: "P3", "P3.value".
  public let subject: String

  /// "P3: authentication".
  public var description: String { "\(subject): \(rule)" }

  /// An error that Swift code found, in the core's own terms.
  public init(_ cause: Cause, _ rule: String, _ subject: String) {
    self.cause = cause
    self.rule = rule
    self.subject = subject
  }

  init(_ status: acd_status, _ subject: String) {
    let cause: Cause =
      switch status.rawValue / 100 {
      case 1: .misuse
      case 2: .malformed
      case 3: .nonCanonical
      case 4: .authentication
      default: .capacity
      }
    self.init(cause, String(cString: acd_status_name(status)), subject)
  }
}

/// Throws unless `status` is ACD_OK.
func check(_ status: acd_status, _ subject: @autoclosure () -> String) throws(MessageError) {
  if status != ACD_OK { throw MessageError(status, subject()) }
}
