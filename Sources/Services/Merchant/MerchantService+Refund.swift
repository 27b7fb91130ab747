// Refunds at the merchant: asked for by the customer, agreed to by policy or by the operator, done by the
// bank.

import Messages
import Parties
import Storage

extension MerchantService {
  static let refundKind = "refund"

  /// RF1: the customer wants something back. Nil while it waits for the operator.
  func refund(_ rf1: Verified<RF1>) async throws -> [UInt8]? {
    if let refused = try await node.store.read({ try $0.reply(rf1.hash.bytes) }) { return refused }
    let reply = try await node.store.write { [self] tx in
      try step(rf1.hash, rf1.payload.n, tx) { [node, policy] machine, sale in
        try machine.requested(rf1, sale: sale, agrees: policy.refunds, key: node.identity.signing)
      }
    }
    kick()
    return reply
  }

  /// The operator's word on the refund with this H(RF1).
  /// - Throws: `ServiceError.notFound` when none waits; `ServiceError.refused` when it is not possible any
  ///   more.
  func answerRefund(_ hash: Hash, agrees: Bool) async throws {
    try await node.store.write { [self] tx in
      guard let machine = try loadRefund(hash, tx), machine.phase == .waiting, let rf1 = machine.rf1 else {
        throw ServiceError.notFound("no refund \(hash) waits for an answer")
      }
      _ = try step(hash, rf1.payload.n, tx) { [node] machine, sale in
        guard agrees else { return machine.denied() }
        guard let sale else { throw ServiceError.notFound("the sale of refund \(hash) is gone") }
        return try machine.approved(sale: sale, key: node.identity.signing)
      }
    }
    kick()
  }

  /// RF3, or the bank's refusal, for an RF2; false if the hash is no RF2's.
  func refundAnswered(_ hRF2: Hash, by bytes: [UInt8]) async throws -> Bool {
    guard let name = try await node.store.read({ try $0.meta("refund/\(hRF2)") }), let hash = Hash(name)
    else {
      return false
    }
    let trust = node.trust.list
    try await node.store.write { [self] tx in
      guard let rf1 = try loadRefund(hash, tx)?.rf1 else { return }
      _ = try step(hash, rf1.payload.n, tx) { machine, sale in
        guard let bank = sale?.bank else { return [] }
        if let rf3 = try? Verified<RF3>(bytes, by: .known(trust, as: .bank)) {
          return machine.answered(rf3, bank: bank)
        }
        return machine.refusedByBank(try Verified<Refusal>(bytes, by: .known(trust, as: .bank)), bank: bank)
      }
    }
    return true
  }

  // MARK: Steps

  private func step(
    _ hash: Hash, _ n: TransactionID, _ tx: any StoreTransaction,
    _ event: (inout MerchantRefund, RefundableSale?) throws -> [RefundEffect]
  ) throws -> [UInt8]? {
    var machine = try loadRefund(hash, tx) ?? MerchantRefund()
    let before = machine.phase
    let effects = try event(&machine, refundable(n, tx))
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.refundKind, key: hash.bytes)
        // Beside the sale's own messages, for a judge.
        try tx.keep(label, bytes, kind: Self.kind, key: n.bytes)
        if label == Label(.rf2) { try tx.setMeta("refund/\(Hash(of: bytes))", hash.bytes) }
      case .enter(let phase):
        try tx.putMachine(
          MachineRow(kind: Self.refundKind, key: hash.bytes, phase: phase.rawValue, data: n.bytes))
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: node.clock())
      case .reply(let bytes): reply = bytes
      case .refuse(let denial):
        let refusal = try Verified(
          signing: denial.refusal(of: hash, at: node.clock()), with: node.identity.signing
        ).bytes
        try tx.setReply(hash.bytes, refusal, at: Int64(node.clock()))
        reply = refusal
      }
    }
    try count(machine.rf1, from: before, to: machine.phase, n, tx)
    return reply
  }

  private func loadRefund(_ hash: Hash, _ tx: any StoreTransaction) throws -> MerchantRefund? {
    guard let row = try tx.machine(kind: Self.refundKind, key: hash.bytes) else { return nil }
    guard let phase = RefundPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a refund")
    }
    return try MerchantRefund(
      phase: phase, messages: tx.labelled(kind: Self.refundKind, key: hash.bytes))
  }

  // MARK: How much went back

  private static func sumKey(_ n: TransactionID) -> String { "refunded/\(n)" }

  /// The sum of what was agreed to, in minor units.
  private func agreed(_ n: TransactionID, _ tx: any StoreTransaction) throws -> UInt64 {
    try tx.meta(Self.sumKey(n)).map(RowKey.value) ?? 0
  }

  /// Keeps the sum of what was agreed: more once RF2 is signed, less when the bank refuses it.
  private func count(
    _ rf1: Verified<RF1>?, from before: RefundPhase, to after: RefundPhase, _ n: TransactionID,
    _ tx: any StoreTransaction
  ) throws {
    func counts(_ phase: RefundPhase) -> Bool { phase == .agreed || phase == .done }
    guard let amount = rf1?.payload.amount.amount, counts(before) != counts(after) else { return }
    let sum = try agreed(n, tx)
    try tx.setMeta(Self.sumKey(n), RowKey.number(counts(after) ? sum + amount : sum - min(sum, amount)))
  }

  /// The sale, if it was paid.
  private func refundable(_ n: TransactionID, _ tx: any StoreTransaction) throws -> RefundableSale? {
    guard let row = try tx.machine(kind: Self.kind, key: n.bytes) else { return nil }
    let mode = try ModeRow(row).mode
    if mode == .announced { return try refundableAnnounced(n, row, tx) }
    guard let contract = try ContractModes.offer(of: mode, kind: Self.kind, key: n.bytes, in: tx)?.contract,
      let (lock, lockBank) = try paid(mode, n, row, tx)
    else { return nil }
    // Who credited it gives it back.
    let bank = node.trust.list.home(of: node.identity.key) ?? lockBank
    let beside = try bank == lockBank ? nil : self.lock(mode, n, tx)
    // What was credited: in a series that is not the price of one purchase.
    let credit = try tx.message(kind: Self.kind, key: n.bytes, label: Label.credit.rawValue)
    let value = try credit.map { try Verified<Credit>(stored: $0).payload.amount } ?? contract.price
    return RefundableSale(
      n: n, pseudonym: contract.pseudonym, lock: lock, bank: bank, beside: beside, value: value,
      agreed: try agreed(n, tx))
  }

  /// The P of an announced token's lock is the token's key: whoever announced it has it back.
  private func refundableAnnounced(
    _ n: TransactionID, _ row: MachineRow, _ tx: any StoreTransaction
  ) throws -> RefundableSale? {
    guard [SalePhase.committed, .credited].contains(SalePhase(rawValue: row.phase)),
      let lock = try lock(.announced, n, tx).map({ try Verified<A7>(stored: $0) })
    else { return nil }
    let bank = node.trust.list.home(of: node.identity.key) ?? lock.signer
    return RefundableSale(
      n: n, pseudonym: lock.payload.terms.pseudonym, lock: lock.hash, bank: bank,
      beside: bank == lock.signer ? nil : lock.bytes, value: lock.payload.terms.value,
      agreed: try agreed(n, tx))
  }

  /// The lock's message.
  private func lock(_ mode: Mode, _ n: TransactionID, _ tx: any StoreTransaction) throws -> [UInt8]? {
    try LockModes.types(of: mode).flatMap {
      try tx.message(kind: Self.kind, key: n.bytes, label: Label($0.lockType).rawValue)
    }
  }

  private func paid(
    _ mode: Mode, _ n: TransactionID, _ row: MachineRow, _ tx: any StoreTransaction
  ) throws -> (lock: Hash, bank: PublicKey)? {
    func go<M: ContractMode>(_: M.Type) throws -> (lock: Hash, bank: PublicKey)? {
      try load(M.self, n, row, tx).paid
    }
    if mode == .compact { return try load(CompactSale.self, row, tx).paid }
    return try ContractModes.types(of: mode).flatMap { try go($0) }
  }
}
