// Completion by the merchant (protocols.md §5): a bank that the archive sends no copies hears of commits from
// here, many at once.
//
// Invariant: what waits for the next batch is stored like everything that is to be sent; each commit is
// answered by itself, so that a bad one among them keeps no other from its credit.

import Messages
import Parties
import Storage

extension MerchantService {
  private static let forwardKind = "forward"
  /// What one message carries: far below the size of a request.
  private static let batchMax = 64

  /// Queues bytes for a peer: at once, or, where they are a commit for a bank and the merchant collects
  /// those, with the next batch.
  func send(_ bytes: [UInt8], to peer: PublicKey, _ tx: any StoreTransaction, at now: Timestamp) throws {
    guard policy.forwardSeconds > 0, let type = try? MessageType(peeking: bytes),
      BankService.commitTypes.contains(type)
    else { return try tx.send(bytes, to: peer, at: now) }
    let key = peer.bytes + Hash(of: bytes).bytes
    guard try tx.machine(kind: Self.forwardKind, key: key) == nil else { return }
    try tx.putMachine(
      MachineRow(
        kind: Self.forwardKind, key: key, phase: 1, due: Int64(now + policy.forwardSeconds), data: bytes))
  }

  /// Sends the batches whose time has come.
  func forwardDue(at now: Timestamp) async {
    guard policy.forwardSeconds > 0 else { return }
    do {
      let sent = try await node.store.write { tx -> Bool in
        guard
          let first = try tx.machinesDue(kind: Self.forwardKind, before: Int64(now), limit: 1).first,
          let bank = PublicKey(Array(first.key.prefix(PublicKey.size)))
        else { return false }
        // Rows sort by bank: what follows the bank's key is a hash.
        let rows = try tx.machines(
          kind: Self.forwardKind, phase: nil, after: bank.bytes, limit: Self.batchMax
        ).filter { $0.key.starts(with: bank.bytes) }
        try tx.send(Messages.Bundle(rows.map(\.data)).encoded(), to: bank, at: now)
        for row in rows { try tx.deleteMachine(kind: Self.forwardKind, key: row.key) }
        return true
      }
      if sent { kick() }
    } catch { node.logger.error("commits could not be forwarded", metadata: ["error": "\(error)"]) }
  }

  /// What a bank says to a batch: each answer is handled like one that came by itself.
  /// - Returns: false if the bundle is something else.
  func answers(_ bundle: Messages.Bundle) async throws -> Bool {
    let types = bundle.messages.compactMap { try? MessageType(peeking: $0) }
    guard types.count == bundle.messages.count,
      types.allSatisfy({ [.credit, .refusal, .bt2].contains($0) })
    else { return false }
    for message in bundle.messages { _ = try await handle(message) }
    return true
  }
}
