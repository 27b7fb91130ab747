// Compact sales at the bank (FIG. 7): JB2 from the customer and JB3 from the merchant, in either order.
// Record, money and answer are one durable step.

import Messages
import Parties
import Storage

extension BankService {
  /// JB2: the tokens' authorization.
  func pair(_ jb2: Verified<JB2>) async throws -> [UInt8]? {
    let terms = jb2.payload.terms
    let valid = try await checked(jb2.payload.tokenInputs.map(\.token))
    return try await step(terms.merchant, terms.n, jb2.bytes, jb2.hash) { [self] machine, tx, now in
      let facts = try tokenFacts(tx, jb2.payload.tokenInputs.map(\.token), valid)
      return try machine.authorised(
        jb2, facts: facts, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// JB3, out of its box. What is refused here is JB3 itself: its sealing is the sender's affair.
  func pair(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    guard bundle.messages.count == 1 else { throw MessageError(.malformed, "field-range", "JB3 bundle") }
    let jb3 = try Verified<JB3>(
      bundle.messages[0], by: .trusted(node.trust.list, as: .merchant, at: node.clock()))
    return try await step(jb3.signer, jb3.payload.n, jb3.bytes, jb3.hash) { [self] machine, _, now in
      try machine.submitted(jb3, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// An outcome that somebody shows: the merchant, who has no receipt yet.
  func shown(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let outcome = try CompactOutcome(bytes, trust: node.trust.list)
    let (merchant, n) = try outcome.transaction()
    return try await step(merchant, n, bytes, Hash(of: bytes), remembers: false) { machine, _, _ in
      machine.shown(outcome)
    }
  }

  /// One durable step of a pairing. What was refused before there was a lock is refused for ever: the wallet
  /// has freed its tokens on that answer, and the merchant has ended the sale.
  private func step(
    _ merchant: PublicKey, _ n: TransactionID, _ request: [UInt8], _ hash: Hash, remembers: Bool = true,
    _ event:
      @escaping @Sendable (inout BankPairing, any StoreTransaction, Timestamp) throws -> [BankEffect]
  ) async throws -> [UInt8]? {
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      let now = try desk.stamp(tx)
      let rowKey = RowKey.transaction(merchant, n)
      guard var machine = try pairing(tx, rowKey) else {
        let denial = Denial(.nReused, "this merchant's n already has a lock of another protocol")
        return try node.refuse(denial, request: request)
      }
      if remembers, let refused = try tx.reply(hash.bytes) { return refused }
      let effects =
        if machine.phase == .absent, try isForgotten(tx, rowKey) {
          [BankEffect.refuse(Self.forgotten)]
        } else if machine.phase == .absent, try payee(tx, merchant) == nil {
          [BankEffect.refuse(Denial(.noSuchAccount, "the merchant has no account at this bank"))]
        } else { try event(&machine, tx, now) }
      let reply = try apply(tx, effects, rowKey, mode: .compact, request: request, cause: hash, at: now)
      let isRefusal = effects.contains { if case .refuse = $0 { true } else { false } }
      guard remembers, isRefusal, let reply else { return reply }
      return try remember(tx, reply, hash, at: now)
    }
    outboxKick()
    return reply
  }

  /// The pairing of (M, n), a fresh one if there is none; nil if a lock of another mode has the number.
  private func pairing(_ tx: any StoreTransaction, _ rowKey: [UInt8]) throws -> BankPairing? {
    guard let row = try tx.machine(kind: Self.kind, key: rowKey) else { return BankPairing() }
    guard try ModeRow(row).mode == .compact else { return nil }
    guard let phase = LockPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a lock")
    }
    return try BankPairing(phase: phase, messages: tx.labelled(kind: Self.kind, key: rowKey))
  }

  /// L and the terms of a pairing that was committed.
  func settledPairing(
    _ tx: any StoreTransaction, _ rowKey: [UInt8]
  ) throws -> (name: Hash, terms: LockTerms)? {
    guard let machine = try pairing(tx, rowKey), machine.phase == .settled else { return nil }
    return machine.lock.map { ($0.request.hash, $0.request.payload.terms) }
  }

  /// What the parties of a compact sale may know: the bank's word for the lock and the outcome. JB2 names the
  /// tokens, and JB3 holds k: neither is shown. Nil for anybody else.
  func knownPairing(
    _ tx: any StoreTransaction, _ rowKey: [UInt8], to asker: PublicKey
  ) throws -> (TransactionState, [[UInt8]])? {
    guard let machine = try pairing(tx, rowKey), let (jb2, ack) = machine.lock else { return nil }
    let parties = [jb2.payload.terms.pseudonym, jb2.payload.terms.merchant]
    guard (parties + jb2.payload.tokenInputs.map(\.token.key)).contains(asker) else { return nil }
    return (Self.state(machine.phase), [ack.bytes] + (machine.outcome.map { [$0.bytes] } ?? []))
  }
}
