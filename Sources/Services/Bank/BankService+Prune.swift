// A bank lets go of locks once their tokens have ended (protocols.md §12): until then it has to justify
// what it did with a token, and may be asked for it.
//
// Invariant: that (M, n) had a lock is never forgotten. Two different locks of one (M, n) convict a bank at
// any time, and customer and merchant together could have it sign the second.

import Messages
import Parties
import Storage

extension BankService {
  private static let endedKind = "ended"

  /// Whether (M, n) had a lock of which nothing else is left.
  func isForgotten(_ tx: any StoreTransaction, _ rowKey: [UInt8]) throws -> Bool {
    try tx.machine(kind: Self.endedKind, key: rowKey) != nil
  }

  static let forgotten = Denial(.lifetime, "this merchant's n had a lock that has ended long ago")

  /// Looks at the next few locks and removes those whose time is over; of its own record, too.
  func prune(at now: Timestamp) async {
    do {
      try await desk.prune(keepSeconds: keepSeconds)
      for row in try await pruned.next(node.store) {
        guard try await node.store.read({ [self] tx in try mayGo(row.key, tx, at: now) }) else { continue }
        try await node.store.write { [self] tx in
          if try mayGo(row.key, tx, at: now) { try forget(row.key, tx) }
        }
      }
    } catch { node.logger.error("locks could not be pruned", metadata: ["error": "\(error)"]) }
  }

  private func mayGo(_ rowKey: [UInt8], _ tx: any StoreTransaction, at now: Timestamp) throws -> Bool {
    guard let row = try tx.machine(kind: Self.kind, key: rowKey), let phase = LockPhase(rawValue: row.phase),
      let (inputs, lifetime) = try request(ModeRow(row).mode, rowKey, tx),
      Retention.isOver(lifetime, keepSeconds: keepSeconds, at: now)
    else { return false }
    let alive = try inputs.contains { input in
      guard let end = try denomination(tx, input.token)?.spendUntil else { return false }
      return !Retention.isOver(end, keepSeconds: keepSeconds, at: now)
    }
    let messages = try tx.messages(kind: Self.kind, key: rowKey)
    let evidence = messages.contains { $0.label == Label.evidence.rawValue }
    guard !alive, Retention.mayForget(phase, evidence: evidence), let name = Self.name(messages) else {
      return false
    }
    if try hasLivingRefunds(tx, of: name, at: now) { return false }
    // The merchant's bank, or an issuer, has not confirmed yet: the value is still owed.
    let transfer = try tx.machine(kind: Self.transferKind, key: name.bytes)
    return try ([transfer].compactMap { $0 } + tx.claims(of: name)).allSatisfy {
      $0.phase == TransferPhase.done.rawValue
    }
  }

  /// Tokens of a refund that can still be spent: a restored wallet finds them behind their lock alone.
  private func hasLivingRefunds(_ tx: any StoreTransaction, of lock: Hash, at now: Timestamp) throws -> Bool {
    try tx.messages(kind: Self.refundsKind, key: lock.bytes).contains { message in
      guard message.label == "RF2" else { return false }
      let rf1 = try Verified<RF1>(stored: Verified<RF2>(stored: message.bytes).payload.rf1)
      return rf1.payload.outputs.contains { output in
        guard let end = keys.list.denomination(output.keyID)?.spendUntil else { return false }
        return !Retention.isOver(end, keepSeconds: keepSeconds, at: now)
      }
    }
  }

  /// What asked for the lock of a mode: the tokens and the lifetime.
  private func request(
    _ mode: Mode, _ rowKey: [UInt8], _ tx: any StoreTransaction
  ) throws -> (inputs: [TokenInput], lifetime: Timestamp)? {
    func read<M: TokenMode>(_: M.Type) throws -> (inputs: [TokenInput], lifetime: Timestamp)? {
      let bytes = try tx.message(kind: Self.kind, key: rowKey, label: Label(M.requestType).rawValue)
      let payload = try bytes.map { try Verified<AuthorizationQ<M>>(stored: $0).payload }
      return payload.map { ($0.tokenInputs, $0.terms.lifetime) }
    }
    if mode == .compact { return try read(CompactMode.self) }
    if mode == .announced { return try announced(rowKey, tx) }
    return try ContractModes.types(of: mode).flatMap { try read($0) }
  }

  /// An announcement says nothing of the lifetime: its lock does.
  private func announced(
    _ rowKey: [UInt8], _ tx: any StoreTransaction
  ) throws -> (inputs: [TokenInput], lifetime: Timestamp)? {
    let messages = try tx.labelled(kind: Self.kind, key: rowKey)
    guard let request = messages[Label(.announcement)], let lock = messages[Label(.a7)] else { return nil }
    let announcement = try Verified<Announcement>(stored: request).payload
    let input = TokenInput(token: announcement.token, amount: announcement.value.amount)
    return ([input], try Verified<A7>(stored: lock).payload.terms.lifetime)
  }

  /// L, from what the lock's machine keeps.
  private static func name(_ messages: [StoredMessage]) -> Hash? {
    let labels = LockModes.all.map { Label($0.lockType).rawValue } + [Label(.jb2).rawValue]
    return messages.first { labels.contains($0.label) }.map { Hash(of: $0.bytes) }
  }

  private func forget(_ rowKey: [UInt8], _ tx: any StoreTransaction) throws {
    guard let name = Self.name(try tx.messages(kind: Self.kind, key: rowKey)) else { return }
    for use in try tx.tokenUses(lock: name.bytes) { try tx.deleteMessages(kind: "use", key: use.message) }
    for kind in ["credit", Self.transferKind, Self.refundsKind] {
      try tx.deleteMessages(kind: kind, key: name.bytes)
    }
    try tx.deleteMachine(kind: Self.transferKind, key: name.bytes)
    for claim in try tx.claims(of: name) {
      try tx.deleteMessages(kind: Self.claimKind, key: claim.key)
      try tx.deleteMachine(kind: Self.claimKind, key: claim.key)
    }
    try tx.deleteMessages(kind: Self.kind, key: rowKey)
    try tx.deleteMachine(kind: Self.kind, key: rowKey)
    try tx.putMachine(MachineRow(kind: Self.endedKind, key: rowKey, phase: 1, data: []))
  }
}
