// Tokens that are bound to this archive (FIG. 2): registered, approved for one invoice, complained about.

import Foundation
import Messages
import Parties
import Storage

/// Who has the bank credit an approved token: M with what A gave it, or A itself.
public enum DepositRoute: String, CaseIterable, Sendable {
  case merchant, archive
}

struct ArchiveInvoices: Sendable {
  let node: Node
  let desk: ArchiveDesk
  let keys: KeyBook
  let route: DepositRoute

  static let kind = "token"

  /// 2: the owner registers its token.
  func register(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let message = try Unverified<Registration>(bytes)
    let registration = try Verified(message, by: .key(message.claims.tokenKey))
    return try await step(registration.payload.address, request: bytes) { machine, now, _ in
      try machine.registered(registration, at: now, key: node.identity.signing)
    }
  }

  /// 7: M's deposit.
  func deposit(_ bundle: Messages.Bundle, in sealed: SealedMessage) async throws -> [UInt8]? {
    guard bundle.messages.count == 1 else { throw MessageError(.malformed, "field-range", "Deposit bundle") }
    let deposit = try InvoiceDeposit(bundle.messages[0], trust: node.trust.list)
    let facts = try await keys.facts(deposit.token)
    let mark = Self.barredMark(deposit.invoice.hash)
    return try await step(deposit.invoice.payload.address, request: try sealed.encoded()) {
      machine, now, tx in
      // What was taken back is not approved again.
      if let complaint = try tx.meta(mark) {
        let detail = "the customer's complaint about this invoice stands"
        return [.refuse(Denial(.cancelled, detail, proof: [complaint]))]
      }
      return try machine.deposited(
        deposit, facts: facts, trust: node.trust.list, tellsBank: route == .archive, at: now,
        key: node.identity.signing)
    }
  }

  /// The owner complains.
  func complain(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let grievance = try Grievance(bytes, trust: node.trust.list)
    return try await step(grievance.address, request: bytes) { machine, now, _ in
      machine.complained(grievance, at: now)
    }
  }

  /// The token's bank wants to see why (M, n) was approved; nil if this is no such question. An index from
  /// (M, n) to the address is kept beside the machine.
  func documentation(
    _ query: Verified<StatusQuery>, _ n: TransactionID, _ merchant: PublicKey, in tx: any StoreTransaction
  ) throws -> (TransactionState, [[UInt8]])? {
    guard node.trust.list.knows(query.signer, as: .bank),
      let address = try tx.meta(Self.mark(merchant, n)).flatMap({ Hash($0) })
    else { return nil }
    let (state, proof) = try load(tx, address).documentation(of: n, merchant)
    return state == .unknown ? nil : (state, proof)
  }

  private static func barredMark(_ invoice: Hash) -> String { "reversed/\(invoice)" }

  private static func mark(_ merchant: PublicKey, _ n: TransactionID) -> String {
    "approved/\(merchant)/\(n)"
  }

  // MARK: Steps

  private func load(_ tx: any StoreTransaction, _ address: Hash) throws -> ArchiveToken {
    guard let row = try tx.machine(kind: Self.kind, key: address.bytes) else { return ArchiveToken() }
    guard let phase = ArchiveTokenPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a token")
    }
    return try ArchiveToken(phase: phase, messages: tx.labelled(kind: Self.kind, key: address.bytes))
  }

  // MARK: Pruning

  private static let endedKind = "token ended"
  private static let ended = Denial(.lifetime, "this token paid an invoice whose lifetime ended long ago")

  /// Lets go of what was approved, once the invoice's lifetime has been over for so long. That the token was
  /// approved stays: it is approved once, ever.
  func prune(_ cursor: PruneCursor, keepSeconds: UInt64) async throws {
    let now = node.clock()
    for row in try await cursor.next(node.store) where row.phase == ArchiveTokenPhase.used.rawValue {
      try await node.store.write { tx in
        guard let bytes = try tx.labelled(kind: Self.kind, key: row.key)[Label(.deposit)] else { return }
        let invoice = try Unverified<Invoice>(Verified<Deposit>(stored: bytes).payload.invoice)
        guard Retention.isOver(invoice.claims.terms.lifetime, keepSeconds: keepSeconds, at: now) else {
          return
        }
        try tx.deleteMessages(kind: Self.kind, key: row.key)
        try tx.deleteMachine(kind: Self.kind, key: row.key)
        try tx.putMachine(MachineRow(kind: Self.endedKind, key: row.key, phase: 1, data: []))
      }
    }
  }

  /// One durable step of a token.
  private func step(
    _ address: Hash, request: [UInt8],
    _ event:
      @escaping @Sendable (inout ArchiveToken, Timestamp, any StoreTransaction) throws -> [ArchiveTokenEffect]
  ) async throws -> [UInt8]? {
    try await node.store.write { tx in
      let now = try desk.time(tx)
      if try tx.machine(kind: Self.endedKind, key: address.bytes) != nil {
        return try node.refuse(Self.ended, request: request)
      }
      var machine = try load(tx, address)
      var reply: [UInt8]?
      for effect in try event(&machine, now, tx) {
        switch effect {
        case .keep(let label, let bytes):
          try tx.keep(label, bytes, kind: Self.kind, key: address.bytes)
          if label == Label(.registered), desk.logs {
            let leaf = LogLeaf(kind: .registration, at: now, subject: address, body: Hash(of: bytes))
            try LogRows.append(leaf, in: tx)
          }
          if label == Label(.complaint) {
            try tx.setMeta(Self.barredMark(try Unverified<Complaint>(bytes).claims.hINV), bytes)
          }
          if label == Label(.approval) {
            let approval = try Verified<Approval>(stored: bytes).payload
            try tx.setMeta(Self.mark(approval.merchant, approval.n), address.bytes)
          }
        case .enter(let phase):
          try tx.putMachine(
            MachineRow(
              kind: Self.kind, key: address.bytes, phase: phase.rawValue, data: ModeRow(.invoice).data))
        case .reply(let bytes): reply = bytes
        case .refuse(let denial): reply = try node.refuse(denial, request: request)
        case .answer(let state, let proof):
          reply = try desk.answer(Hash(of: request), state, proof, at: now)
        case .tellBank(let bytes):
          let approval = try Verified<Approval>(stored: bytes).payload
          try tx.send(bytes, to: try bank(of: approval, tx, address), at: now)
        }
      }
      // What was signed with this time is not contradicted by a later answer.
      try desk.answered(tx, at: now)
      return reply
    }
  }

  private func bank(of approval: Approval, _ tx: any StoreTransaction, _ address: Hash) throws -> PublicKey {
    if let token = approval.token { return token.bank }
    guard let bytes = try tx.labelled(kind: Self.kind, key: address.bytes)[Label(.deposit)] else {
      throw StorageError.corrupt(reason: "an approval without its deposit")
    }
    return try Verified<Deposit>(stored: bytes).payload.token.bank
  }
}
