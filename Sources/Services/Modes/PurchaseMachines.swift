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

extension PurchaseMachine {
  /// The contract, from a log that keeps it.
  static func offer(
    kind: String, key: [UInt8], in tx: any StoreTransaction
  ) throws -> Verified<Offer>? {
    try tx.message(kind: kind, key: key, label: Label(Offer.type).rawValue).map { try Verified(stored: $0) }
  }
}
