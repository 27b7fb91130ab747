// A merchant lets go of sales that nobody can ask about any more (protocols.md §12): messages, the row, and
// the sealed goods. What `Retention` calls open stays.

import Foundation
import Messages
import Parties
import Storage

extension MerchantService {
  /// Looks at the next few sales and removes those whose time is over.
  func prune(at now: Timestamp) async {
    do {
      for row in try await pruned.next(node.store) {
        guard let n = TransactionID(row.key), try await mayGo(n, at: now) else { continue }
        // The row goes last: after a crash in between it is looked at again.
        let items = try ModeRow(row).mode == .repeated ? MerchantSeries.itemsMax : 0
        for item in 0...items {
          try? FileManager.default.removeItem(atPath: node.directory.file(Self.goodsName(n, item)))
        }
        try await node.store.write { [self] tx in
          guard try mayGo(n, tx, at: now) else { return }
          try tx.deleteMessages(kind: Self.kind, key: n.bytes)
          try tx.deleteMachine(kind: Self.kind, key: n.bytes)
        }
      }
    } catch { node.logger.error("sales could not be pruned", metadata: ["error": "\(error)"]) }
  }

  private func mayGo(_ n: TransactionID, at now: Timestamp) async throws -> Bool {
    try await node.store.read { [self] tx in try mayGo(n, tx, at: now) }
  }

  private func mayGo(_ n: TransactionID, _ tx: any StoreTransaction, at now: Timestamp) throws -> Bool {
    guard let row = try tx.machine(kind: Self.kind, key: n.bytes), let phase = SalePhase(rawValue: row.phase),
      let offer = try CustomerMachines.offer(of: ModeRow(row).mode, kind: Self.kind, key: n.bytes, in: tx),
      Retention.isOver(offer.lifetime, keepSeconds: policy.keepSeconds, at: now)
    else { return false }
    let messages = try tx.messages(kind: Self.kind, key: n.bytes)
    let evidence = messages.contains { $0.label == Label.evidence.rawValue }
    guard Retention.mayForget(phase, evidence: evidence) else { return false }
    return try !messages.contains { message in
      guard message.label == Label(.rf1).rawValue else { return false }
      let refund = try tx.machine(kind: Self.refundKind, key: Hash(of: message.bytes).bytes)
      return Retention.isOpen(refund.flatMap { RefundPhase(rawValue: $0.phase) } ?? .absent)
    }
  }
}
