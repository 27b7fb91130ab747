// What the rigs of machines share: each event goes to two machines, one of which is taken up again from the
// log after every step. What it does has to be the same, to the byte.

import Messages
import Testing

@testable import Parties

/// A merchant's machine, as a log gives it back.
protocol KeptSale: ~Copyable {
  var phase: SalePhase { get }
  init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError)
  func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]])
}

extension MerchantSale: KeptSale {}
extension AnnouncedSale: KeptSale {}
extension InvoiceSale: KeptSale {}

/// One sale and its twin.
class SaleRig<Machine: KeptSale & ~Copyable> {
  var machine: Machine
  private var twin: Machine
  private let k: [UInt8]
  var policy: MerchantPolicy
  private(set) var kept: [Label: [UInt8]]
  private(set) var effects: [MerchantEffect] = []
  private(set) var allEffects: [MerchantEffect] = []

  /// `kept`: what stands in the log once the machine has offered.
  init(
    _ machine: consuming Machine, kept: [Label: [UInt8]], k: [UInt8] = Sale.k,
    policy: MerchantPolicy = MerchantPolicy(trust: trustList())
  ) throws {
    (self.kept, self.k, self.policy) = (kept, k, policy)
    self.machine = machine
    twin = try Machine(phase: .offered, messages: kept, k: k)
  }

  /// What the twin has to have in common with the machine, beside phase and status.
  func isSame(_ twin: borrowing Machine, _ machine: borrowing Machine) -> Bool { true }

  @discardableResult
  func run(
    _ event: (inout Machine, borrowing SigningKey) throws -> [MerchantEffect]
  ) throws -> [String] {
    effects = try Actor.merchant.withKey { try event(&machine, $0) }
    let again = try Actor.merchant.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored merchant does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase, _) in effects { #expect(phase == machine.phase) }
    twin = try Machine(phase: machine.phase, messages: kept, k: k)
    let isSame = isSame(twin, machine)
    #expect(isSame && twin.phase == machine.phase)
    let (state, proof) = machine.status(policy: policy)
    let (twinState, twinProof) = twin.status(policy: policy)
    #expect(state == twinState && proof == twinProof)
    allEffects += effects
    return effects.map(\.summary)
  }
}

/// One purchase and its twin.
class PurchaseRig<Machine: CustomerMachine> {
  var machine: Machine
  private var twin: Machine
  private(set) var kept: [Label: [UInt8]]
  private(set) var effects: [CustomerEffect] = []

  /// `kept`: what stands in the log once the machine has asked.
  init(_ machine: Machine, kept: [Label: [UInt8]]) {
    (self.machine, twin, self.kept) = (machine, machine, kept)
  }

  /// What the twin has to have in common with the machine, beside phase and key.
  func isSame(_ twin: Machine, _ machine: Machine) -> Bool { true }

  @discardableResult
  func run(_ event: (inout Machine) throws -> [CustomerEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored customer does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase, _) in effects { #expect(phase == machine.phase) }
    twin = try Machine(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.goodsKey == machine.goodsKey && isSame(twin, machine))
    return effects.map(\.summary)
  }
}
