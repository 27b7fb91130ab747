// What the merchant's service does with a sale, by whichever protocol it runs: take it up from its row, and
// show it to its customer.

import Messages
import Parties
import Storage

/// A merchant's machine of one sale.
protocol SaleMachine: ~Copyable, Sendable {
  init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError)
  /// What M signed to offer.
  var offer: [UInt8] { get }
  /// The keys that may fetch the goods and ask how the sale stands.
  var customers: [PublicKey] { get }
  func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]])
}

extension MerchantSale: SaleMachine {
  var offer: [UInt8] { p1.bytes }
  var customers: [PublicKey] { [p1.payload.contract.pseudonym] }
}

extension AnnouncedSale: SaleMachine {
  var offer: [UInt8] { order.bytes }
  /// t's key too: a restored wallet finds its pseudonym by it.
  var customers: [PublicKey] { [buyer] + (tokenKey.map { [$0] } ?? []) }
}

extension InvoiceSale: SaleMachine {
  var offer: [UInt8] { invoice.bytes }
  var customers: [PublicKey] { [buyer, tokenKey] }
}

extension MerchantService {
  func load<S: SaleMachine & ~Copyable>(
    _: S.Type, _ row: MachineRow, _ tx: any StoreTransaction
  ) throws -> S {
    guard let phase = SalePhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a sale")
    }
    return try S(
      phase: phase, messages: tx.labelled(kind: Self.kind, key: row.key), k: ModeRow(row).rest)
  }

  /// A sale as its customer may see it; nil if there is none.
  func view(_ n: TransactionID, _ tx: any StoreTransaction) throws -> SaleView? {
    guard let row = try tx.machine(kind: Self.kind, key: n.bytes) else { return nil }
    func look<S: SaleMachine & ~Copyable>(_: S.Type) throws -> SaleView {
      SaleView(try load(S.self, row, tx), policy)
    }
    func contract<M: ContractMode>(_: M.Type) throws -> SaleView { try look(MerchantSale<M>.self) }
    let mode = try ModeRow(row).mode
    if mode == .announced { return try look(AnnouncedSale.self) }
    if Mode.invoices.contains(mode) { return try look(InvoiceSale.self) }
    return try ContractModes.types(of: mode).map { try contract($0) }
  }
}

/// What a sale's customer may know of it.
struct SaleView: Sendable {
  let offer: [UInt8]
  let customers: [PublicKey]
  let state: TransactionState
  let proof: [[UInt8]]

  init<S: SaleMachine & ~Copyable>(_ sale: borrowing S, _ policy: MerchantPolicy) {
    (offer, customers) = (sale.offer, sale.customers)
    (state, proof) = sale.status(policy: policy)
  }
}
