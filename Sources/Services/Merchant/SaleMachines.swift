// What the merchant's service does with a sale, by whichever protocol it runs: take it up from its row, give
// it an event, and show it to its customer.

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
  /// Who paid, and may ask for what documents the payment.
  var auditor: PublicKey? { get }
  /// Whether the ciphertext may be served to the customer now.
  var servesGoods: Bool { get }
  func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]])
  /// Finds the event's own step for this machine.
  mutating func take(
    _ event: some SaleEvent, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect]
}

extension SaleMachine where Self: ~Copyable {
  var auditor: PublicKey? { nil }
}

extension MerchantSale: SaleMachine {
  var offer: [UInt8] { p1.bytes }
  var customers: [PublicKey] { [p1.payload.contract.pseudonym] }

  mutating func take(
    _ event: some SaleEvent, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try event.happen(to: &self, policy: policy, at: now, key: key) }
}

extension CompactSale: SaleMachine {
  var offer: [UInt8] { p1.bytes }
  var customers: [PublicKey] { [p1.payload.contract.pseudonym] }
  var servesGoods: Bool { true }
  func status(policy _: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]]) { status }

  mutating func take(
    _ event: some SaleEvent, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try event.happen(to: &self, policy: policy, at: now, key: key) }
}

extension AnnouncedSale: SaleMachine {
  var offer: [UInt8] { order.bytes }
  /// t's key too: a restored wallet finds its pseudonym by it.
  var customers: [PublicKey] { [buyer] + (tokenKey.map { [$0] } ?? []) }
  var servesGoods: Bool { true }

  mutating func take(
    _ event: some SaleEvent, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try event.happen(to: &self, policy: policy, at: now, key: key) }
}

extension InvoiceSale: SaleMachine {
  var offer: [UInt8] { invoice.bytes }
  var customers: [PublicKey] { [buyer, tokenKey] }
  /// The bank, once it was shown the archive's approval.
  var auditor: PublicKey? { [.committed, .credited].contains(phase) ? invoice.payload.terms.bank : nil }
  var servesGoods: Bool { true }

  mutating func take(
    _ event: some SaleEvent, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try event.happen(to: &self, policy: policy, at: now, key: key) }
}

enum SaleMachines {
  /// The machine of this mode; nil for modes that are not served.
  static func type(of mode: Mode) -> (any (SaleMachine & ~Copyable).Type)? {
    func machine<M: ContractMode>(_: M.Type) -> any (SaleMachine & ~Copyable).Type { MerchantSale<M>.self }
    return switch mode {
    case .compact: CompactSale.self
    case .announced: AnnouncedSale.self
    case .invoice, .invoiceDirect, .invoicePassive: InvoiceSale.self
    default: ContractModes.types(of: mode).map { machine($0) }
    }
  }
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
    return try SaleMachines.type(of: ModeRow(row).mode).map { try look($0) }
  }
}

/// What a sale's customer may know of it.
struct SaleView: Sendable {
  let offer: [UInt8]
  let customers: [PublicKey]
  let auditor: PublicKey?
  let servesGoods: Bool
  let state: TransactionState
  let proof: [[UInt8]]

  init<S: SaleMachine & ~Copyable>(_ sale: borrowing S, _ policy: MerchantPolicy) {
    (offer, customers, servesGoods) = (sale.offer, sale.customers, sale.servesGoods)
    auditor = sale.auditor
    (state, proof) = sale.status(policy: policy)
  }
}
