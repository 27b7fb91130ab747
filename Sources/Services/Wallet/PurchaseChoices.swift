// How a customer wants a purchase to be made, beside what is bought and for how much.
//
// Invariant: it is kept with the purchase before anything is sent, so that whoever takes the purchase up
// again, after a crash too, goes on as was chosen: at that bank and archive, within that time, up to that
// price.

public import Messages
public import Parties

/// What a customer chose for a purchase, from its beginning to its end.
public struct PurchaseChoices: Codable, Equatable, Sendable {
  /// The bank's name or key; nil: the first of the contract's at which there are enough tokens.
  public var bank: String?
  /// The archive's name or key; nil: the trust list's first.
  public var archive: String?
  /// Up to which price a counter-offer is accepted without asking.
  public var most: Money?
  /// Pay with tokens of one key, if enough of them share one: fewer signatures, but they belong together.
  public var reuseKey = false
  /// Where k comes from.
  public var completion = CompletionRoute.archive
  /// How long the archive may take, in seconds from the payment on; the contract may allow less.
  public var expirationSeconds: UInt64 = 600
  /// Pay with tokens whose keys are on a card, and with no others.
  public var card: Bool?

  public init() {}
}
