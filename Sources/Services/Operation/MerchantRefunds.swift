// Refunds that customers ask a merchant for, and the operator's word on them.

import Foundation
public import Messages
import Parties
import Storage

/// A refund as it stands, for people and JSON.
public struct RefundSummary: Codable, Equatable, Sendable {
  /// H(RF1): the refund's name.
  public var id: String
  /// The sale's number.
  public var n: String
  public var amount: String
  /// "waiting", "agreed", "done" or "refused".
  public var phase: String
}

/// Part of the refunds, by name: those behind `after`.
struct RefundsPage: OperatorTask {
  static let name = "refunds"
  var after: String?

  func carryOut(at desk: MerchantDesk) async throws -> Page<RefundSummary> {
    try await desk.store.read { tx in
      let kind = MerchantService.refundKind
      return try Page(of: kind, after: after, in: tx) { row in
        guard let bytes = try tx.message(kind: kind, key: row.key, label: Label(.rf1).rawValue),
          let hash = Hash(row.key), let phase = RefundPhase(rawValue: row.phase)
        else { return nil }
        let payload = try Verified<RF1>(stored: bytes).payload
        return RefundSummary(
          id: hash.description, n: payload.n.description, amount: payload.amount.description,
          phase: "\(phase)")
      }
    }
  }
}

/// Agrees to a refund, or does not.
struct AnswerRefund: OperatorTask {
  static let name = "answer-refund"
  /// H(RF1), 64 hexadecimal digits.
  var id: String
  var agrees: Bool

  func carryOut(at desk: MerchantDesk) async throws -> Done {
    guard let hash = Hash(hex: id) else { throw ServiceError.notFound("there is no refund \(id)") }
    let agrees = agrees
    try await desk.withService { try await $0.answerRefund(hash, agrees: agrees) }
    return Done()
  }
}

extension MerchantOperation {
  /// All refunds that were asked for.
  public func refunds() async throws -> [RefundSummary] {
    try await all { RefundsPage(after: $0) }
  }

  /// Agrees to the refund with this H(RF1), or does not.
  public func answer(refund: Hash, agrees: Bool) async throws {
    _ = try await link.carryOut(AnswerRefund(id: refund.description, agrees: agrees))
  }
}
