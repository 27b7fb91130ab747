// From a mode to the customer's machine of it, and to what the merchant offers in it.

import Messages
import Parties
import Storage

enum PurchaseMachines {
  /// The machine of this mode; nil for modes that are not served.
  static func type(of mode: Mode) -> (any PurchaseMachine.Type)? {
    if mode == .compact { return CompactPurchase.self }
    func machine<M: ContractMode>(_: M.Type) -> any PurchaseMachine.Type { CustomerPurchase<M>.self }
    return ContractModes.types(of: mode).map { machine($0) }
  }

  /// All that are served.
  static let all: [any PurchaseMachine.Type] = Mode.allCases.compactMap(type(of:))
}

enum CustomerMachines {
  /// The machine of this mode, with or without a contract; nil for modes that are not served.
  static func type(of mode: Mode) -> (any CustomerMachine.Type)? {
    if mode == .announced { return AnnouncedPurchase.self }
    if Mode.invoices.contains(mode) { return InvoicePurchase.self }
    return PurchaseMachines.type(of: mode)
  }

  /// The machine of a mode in which an archive's record ends the lock.
  static func locked(by mode: Mode) -> (any LockedMachine.Type)? {
    func machine<M: ContractMode>(_: M.Type) -> any LockedMachine.Type { CustomerPurchase<M>.self }
    return mode == .announced ? AnnouncedPurchase.self : ContractModes.types(of: mode).map { machine($0) }
  }

  /// All that are served.
  static let all: [any CustomerMachine.Type] = Mode.allCases.compactMap(type(of:))

  /// What M promised, from a log that keeps it.
  static func offer(
    of mode: Mode, kind: String, key: [UInt8], in tx: any StoreTransaction
  ) throws -> (any PromisePayload)? {
    func read<P: CustomerMachine>(_: P.Type) throws -> (any PromisePayload)? {
      try P.offer(kind: kind, key: key, in: tx)?.payload
    }
    return try type(of: mode).flatMap { try read($0) }
  }
}

extension CustomerMachine {
  /// The contract, from a log that keeps it.
  static func offer(
    kind: String, key: [UInt8], in tx: any StoreTransaction
  ) throws -> Verified<Offer>? {
    try tx.message(kind: kind, key: key, label: Label(Offer.type).rawValue).map { try Verified(stored: $0) }
  }
}
