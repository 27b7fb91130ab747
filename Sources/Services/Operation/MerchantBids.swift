// The bids that wait for a merchant's operator, and the answers to them.

import Foundation
public import Messages
import Parties
import Storage

/// A bid that waits, for people and JSON.
public struct BidSummary: Codable, Equatable, Sendable {
  /// H(N1): the bid's name.
  public var id: String
  /// The customer's pseudonym.
  public var customer: String
  /// The offer's id.
  public var offer: String
  /// What is bid.
  public var price: String
  /// By which protocol.
  public var `protocol`: String
}

/// An operator's answer to a bid.
public enum BidAnswer: Codable, Equatable, Sendable {
  case accept
  /// At this price, such as "EUR:0.90".
  case counter(String)
  case refuse
}

/// The bids that wait.
struct ListBids: OperatorTask {
  static let name = "bids"

  func carryOut(at desk: MerchantDesk) async throws -> [BidSummary] {
    try await desk.store.read { tx in
      let rows = try tx.machines(
        kind: MerchantService.bidKind, phase: NegotiationPhase.waiting.rawValue, after: nil,
        limit: MerchantService.waitingMax)
      return try rows.compactMap { row in
        guard let bid = try MerchantService.negotiation(tx, row.key).bid else { return nil }
        return BidSummary(
          id: bid.hash.description, customer: bid.signer.description, offer: bid.payload.offer.description,
          price: bid.payload.price.description, protocol: bid.payload.mode.name)
      }
    }
  }
}

/// Answers one of them. The customer hears it when he asks again.
struct AnswerBid: OperatorTask {
  static let name = "answer-bid"
  /// 64 hexadecimal digits.
  var id: String
  var answer: BidAnswer

  func carryOut(at desk: MerchantDesk) async throws -> Done {
    guard let name = Hash(hex: id) else { throw ServiceError.notFound("there is no bid \(id)") }
    let answer = answer
    try await desk.withService { try await $0.answerBid(name, answer) }
    return Done()
  }
}

extension MerchantOperation {
  /// The bids that wait for an answer.
  public func bids() async throws -> [BidSummary] { try await link.carryOut(ListBids()) }

  /// Answers the bid of this name.
  public func answer(bid: Hash, _ answer: BidAnswer) async throws {
    _ = try await link.carryOut(AnswerBid(id: bid.description, answer: answer))
  }
}
