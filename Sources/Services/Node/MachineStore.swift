// Keeping machines in the store: a state row for the phase, the signed messages verbatim in the log. A
// machine is taken up again from these alone.

import Messages
import Parties
import Storage

extension StoreTransaction {
  /// The messages of one machine by label, the latest of each.
  func labelled(kind: String, key: [UInt8]) throws -> [Label: [UInt8]] {
    var result: [Label: [UInt8]] = [:]
    for message in try messages(kind: kind, key: key) {
      result[Label(rawValue: message.label)] = message.bytes
    }
    return result
  }

  /// Keeps a message in a machine's log.
  func keep(_ label: Label, _ bytes: [UInt8], kind: String, key: [UInt8]) throws {
    try append(kind: kind, key: key, label: label.rawValue, bytes: bytes)
  }
}

/// Sequencing of bytes that are keys of rows.
enum RowKey {
  /// (M, n).
  static func transaction(_ merchant: PublicKey, _ n: TransactionID) -> [UInt8] { merchant.bytes + n.bytes }

  /// Eight bytes, big-endian: rows sort by number.
  static func number(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }

  /// The number back.
  static func value(_ number: [UInt8]) -> UInt64 { number.reduce(0) { $0 << 8 | UInt64($1) } }
}
