// What a merchant's operator does: put files on sale and take them back, look at the sales, give one up.
// Works on a merchant that runs and on one that does not; the logic is in MerchantTasks.

import Foundation
public import Messages

/// A sale as it stands, for people and JSON.
public struct SaleSummary: Codable, Equatable, Sendable {
  /// The transaction's number, 32 hexadecimal digits.
  public var n: String
  /// The protocol that it runs by: "core", "joint", …
  public var `protocol`: String
  public var phase: String
  public var price: String
  /// The goods' file name.
  public var name: String
  public var twoSided: Bool
  /// When the contract was signed.
  public var offeredAt: Timestamp
  /// When the sale ends by itself; nil before the bank has authorized it.
  public var expiration: Timestamp?
}

/// A merchant's offers and sales. If it runs, it is asked over its control socket; otherwise its store is
/// opened at the first call, until `close`. All calls throw `ServiceError`.
public final class MerchantOperation: Sendable {
  let link: OperatorLink<MerchantDesk>
  let directory: DataDirectory

  /// The merchant in this directory.
  public init(_ directory: DataDirectory) throws {
    self.directory = directory
    link = try OperatorLink(directory)
  }

  /// Lets the store go.
  public func close() async throws { try await link.close() }

  /// Puts a file on sale. It is hashed here, by the calling process. `least` and `asks` are for bids below
  /// the price: what is taken without asking, and whether the operator is asked.
  public func add(
    _ path: String, price: Money, description: String, twoSided: Bool, modes: [Mode] = [.core],
    least: Money? = nil, asks: Bool = false, offices: [PublicKey] = [], holdSeconds: UInt64? = nil
  ) async throws -> StoredOffer {
    guard offices.isEmpty || modes == [.core], offices.count <= 16 else {
      throw ServiceError.configuration(
        "what is collected at a counter is sold by the core protocol alone, at up to 16 offices")
    }
    guard least.map({ $0.currency == price.currency && $0.amount <= price.amount }) ?? true else {
      throw ServiceError.configuration("the lowest price is at most the price, and in its currency")
    }
    var offer = try await offTheLoop {
      try OfferBook.describe(path, price: price, description: description, twoSided: twoSided, modes: modes)
    }
    (offer.least, offer.asks) = (least?.description, asks)
    offer.offices = offices.isEmpty ? nil : offices.map(\.description)
    offer.holdSeconds = holdSeconds
    return try await link.carryOut(AddOffer(offer: offer))
  }

  /// Stops offering. Sales that have begun go on.
  public func remove(_ id: String) async throws { _ = try await link.carryOut(RemoveOffer(id: id)) }

  /// All offers.
  public func offers() async throws -> [StoredOffer] { try await link.carryOut(ListOffers()) }

  /// All sales, the oldest first.
  public func sales() async throws -> [SaleSummary] {
    try await all { SalesPage(after: $0) }.sorted { ($0.offeredAt, $0.n) < ($1.offeredAt, $1.n) }
  }

  /// What stands on all pages.
  func all<Task: OperatorTask, Item>(_ page: (_ after: String?) -> Task) async throws -> [Item]
  where Task.Answer == Page<Item>, Task.Desk == MerchantDesk {
    var items: [Item] = []
    var after: String?
    repeat {
      let answer = try await link.carryOut(page(after))
      items += answer.items
      after = answer.next
    } while after != nil
    return items
  }

  /// Ends an open series of purchases: what was bought goes to the archive.
  /// - Returns: how the sale stands now.
  public func finish(_ n: TransactionID) async throws -> SaleSummary {
    try await link.carryOut(FinishSale(n: n.description))
  }

  /// Gives a sale up, unless it is with the archive already. If the customer's money is locked, the archive
  /// is asked to abort at once, by the merchant's outbox.
  /// - Returns: how the sale stands now.
  public func cancel(_ n: TransactionID) async throws -> SaleSummary {
    try await link.carryOut(CancelSale(n: n.description))
  }
}
