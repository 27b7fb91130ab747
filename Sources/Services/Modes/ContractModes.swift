// From a mode's number, in a row or a message, to the mode's types, and what rows say of it.

import Messages
import Parties
import Storage

enum ContractModes {
  /// The mode's types; nil for modes without a contract and a lock of the customer's own.
  static func types(of mode: Mode) -> (any ContractMode.Type)? {
    switch mode {
    case .core: CoreMode.self
    case .joint: JointMode.self
    case .early: EarlyMode.self
    case .repeated: RepeatedMode.self
    case .compact, .announced, .invoice, .invoiceDirect, .invoicePassive: nil
    }
  }

  /// All that are served.
  static let all: [any ContractMode.Type] = [
    CoreMode.self, JointMode.self, EarlyMode.self, RepeatedMode.self,
  ]

  /// Whether a merchant sells by this mode.
  static func isServed(_ mode: Mode) -> Bool { SaleMachines.type(of: mode) != nil }

  /// The offer that a log keeps, in whichever mode with a contract.
  static func offer(
    of mode: Mode, kind: String, key: [UInt8], in tx: any StoreTransaction
  ) throws -> (any OfferPayload)? {
    func read<P: PurchaseMachine>(_: P.Type) throws -> (any OfferPayload)? {
      try P.offer(kind: kind, key: key, in: tx)?.payload
    }
    return try PurchaseMachines.type(of: mode).flatMap { try read($0) }
  }
}

/// Modes in which the bank locks tokens until an archive's record: those with a contract, and the announced
/// purchase.
enum LockModes {
  static let all: [any ArchiveMode.Type] = ContractModes.all + [AnnouncedMode.self]

  static func types(of mode: Mode) -> (any ArchiveMode.Type)? { all.first { $0.mode == mode } }
}

/// What a machine's row holds beside its phase: the mode, and what else the party keeps.
struct ModeRow: Sendable {
  let mode: Mode
  let rest: [UInt8]

  init(_ mode: Mode, _ rest: [UInt8] = []) { (self.mode, self.rest) = (mode, rest) }

  init(_ row: MachineRow) throws(StorageError) {
    guard let first = row.data.first, let mode = Mode(rawValue: UInt64(first)) else {
      throw .corrupt(reason: "a \(row.kind) of an unknown mode")
    }
    self.init(mode, Array(row.data.dropFirst()))
  }

  var data: [UInt8] { [UInt8(mode.rawValue)] + rest }
}
