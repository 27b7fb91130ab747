// The customer's side of a negotiation, before the purchase has a contract: one N1 after the other, all under
// the purchase's pseudonym (docs/SPEC.md, "N2").
//
// Invariants: a counter-offer is accepted only while it stands, up to the price that the customer named
// beforehand, and in at most `roundsMax` rounds; the purchase's machine takes the latest N1 for the request,
// so that a contract at any other price than the last one named is refused.

public import Messages

/// A negotiation as the wallet's messages show it.
public struct CustomerNegotiation: Sendable {
  /// How many bids a purchase takes.
  public static let roundsMax = 8

  /// The latest bid.
  public let n1: Verified<N1>
  /// What M answered to it; nil if it has not, or has sold.
  public let n2: Verified<N2>?
  /// How many bids there were.
  public let rounds: Int

  /// Takes it up from what was kept, in order.
  public init(_ messages: [(label: Label, bytes: [UInt8])]) throws(MessageError) {
    let bids = messages.filter { $0.label == .n1 }
    guard let last = bids.last else { throw MessageError(.misuse, "missing-field", "wallet: N1") }
    let n1 = try Verified<N1>(stored: last.bytes)
    var n2: Verified<N2>?
    for message in messages where message.label == Label(.n2) {
      let counter = try Verified<N2>(stored: message.bytes)
      if counter.payload.hN1 == n1.hash { n2 = counter }
    }
    (self.n1, self.n2, rounds) = (n1, n2, bids.count)
  }

  /// N2 arrived; M's signature holds. It is kept if it answers the latest bid.
  public func countered(_ n2: Verified<N2>, at now: Timestamp) -> [CustomerEffect] {
    guard n2.payload.hN1 == n1.hash else {
      return [.deny(Denial(.mismatch, "the counter-offer answers another bid"))]
    }
    guard n2.payload.price.currency == n1.payload.price.currency else {
      return [.deny(Denial(.wrongValue, "the counter-offer is in another currency"))]
    }
    guard now < n2.payload.until else { return [.deny(Denial(.expired, "the counter-offer has ended"))] }
    return [.keep(Label(.n2), n2.bytes)]
  }

  /// The next bid, to be signed by the same pseudonym; nil `price` accepts what M asks.
  public func next(price: Money?, nonce: Nonce, at now: Timestamp) throws(Denial) -> N1 {
    guard let n2 else { throw Denial(.unknownTransaction, "there is no counter-offer to answer") }
    guard rounds < Self.roundsMax else { throw Denial(.limit, "after \(rounds) bids this purchase ends") }
    guard price != nil || now < n2.payload.until else {
      throw Denial(.expired, "the offer at \(n2.payload.price) has ended: make a bid of your own")
    }
    var bid = n1.payload
    bid.nonce = nonce
    bid.price = price ?? n2.payload.price
    return bid
  }
}
