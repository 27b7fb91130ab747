// The merchant's side of one negotiation: one pseudonym about one offer (docs/SPEC.md, "N1 at another
// price"). It ends where the sale begins, with a price; the same pseudonym may begin another one then.
//
//            bid accepted: P1 at this price
//   open ────────────────────────────────────▶ agreed
//    │ ▲ bid too low: N2, at most `roundsMax` times
//    │ └─────────┐
//    ├───────────┘     operator: accept, counter
//    ├────────▶ waiting ─────────▶ agreed, open
//    └────────▶ ended: too many rounds, or the operator says no
//
// Invariants: an N2 binds the merchant until its time, for the customer whom it answers, and no longer;
// nobody gets a price below `least`; an N1 that was answered is answered by the same bytes.

public import Messages

/// What a merchant would take for an offer.
public struct AskingPrice: Equatable, Sendable {
  /// What the list of offers says.
  public var list: Money
  /// The lowest price; nil: the list's.
  public var least: Money?
  /// Whether bids below the list's price are put before a person.
  public var asks: Bool

  public init(list: Money, least: Money? = nil, asks: Bool = false) {
    (self.list, self.least, self.asks) = (list, least, asks)
  }
}

/// What comes of a bid.
public enum BidEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  case enter(NegotiationPhase)
  /// Sell at the price that this N1 names.
  case sell(at: Money)
  case reply([UInt8])
  case refuse(Denial)
}

/// Where a negotiation stands. As stored: stable numbers.
public enum NegotiationPhase: Int, Sendable {
  case open = 1
  case waiting, agreed, ended
}

/// The machine of one negotiation.
public struct MerchantNegotiation: ~Copyable, Sendable {
  /// How often M answers by another price.
  public static let roundsMax = 6
  /// How long an N2 binds M.
  public static let counterSeconds: UInt64 = 600

  public private(set) var phase: NegotiationPhase
  /// The latest bid.
  public private(set) var bid: Verified<N1>?
  /// The N2 that stands, and how many there were.
  private var counter: Verified<N2>?
  private var rounds: Int

  /// A negotiation that has not begun.
  public init() { (phase, bid, counter, rounds) = (.open, nil, nil, 0) }

  /// Takes it up again from what `keep` stored, in order.
  public init(phase: NegotiationPhase, messages: [(label: Label, bytes: [UInt8])]) throws(MessageError) {
    self.phase = phase
    (bid, counter, rounds) = (nil, nil, 0)
    for message in messages {
      if message.label == .n1 { bid = try Verified(stored: message.bytes) }
      guard message.label == Label(.n2) else { continue }
      counter = try Verified(stored: message.bytes)
      rounds += 1
    }
  }

  // MARK: Events

  /// A bid: N1 at another price than the list's, or at one that was agreed. M's answer to the same bytes is
  /// kept elsewhere.
  public mutating func bid(
    _ n1: Verified<N1>, asking: AskingPrice, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BidEffect] {
    let price = n1.payload.price
    guard price.currency == asking.list.currency else {
      return [.refuse(Denial(.wrongValue, "the price is in \(asking.list.currency)"))]
    }
    if phase == .agreed, bid?.bytes == n1.bytes { return [.sell(at: price)] }
    if phase == .waiting, bid?.bytes == n1.bytes { return [] }
    guard phase == .open || phase == .waiting else {
      return [.refuse(Denial(.wrongValue, "this negotiation is over; the price is \(asking.list)"))]
    }
    guard price.amount <= asking.list.amount else {
      return [.refuse(Denial(.wrongValue, "the price is \(asking.list) now"))]
    }
    if let counter, counter.payload.price.amount <= price.amount, now < counter.payload.until {
      return take(n1)
    }
    if price == asking.list { return take(n1) }
    if asking.asks {
      (phase, bid) = (.waiting, n1)
      return [.keep(.n1, n1.bytes), .enter(.waiting)]
    }
    guard let least = asking.least else {
      return [.refuse(Denial(.wrongValue, "the price is \(asking.list), and is not negotiated"))]
    }
    // A counter-offer whose time is over is refused as such: else whoever waits has it for ever.
    if let counter, counter.payload.price == price {
      return [.refuse(Denial(.expired, "the offer at \(price) has ended"))]
    }
    if price.amount >= least.amount { return take(n1) }
    bid = n1
    return [.keep(.n1, n1.bytes)] + (try meet(n1, least, asking.list, at: now, key: key))
  }

  /// The operator takes the bid that waits.
  public mutating func accepted() -> [BidEffect] {
    guard phase == .waiting, let bid else { return [.refuse(Self.nothingWaits)] }
    return agree(bid.payload.price)
  }

  /// The operator would sell at this price.
  public mutating func countered(
    at price: Money, now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BidEffect] {
    guard phase == .waiting, let bid else { return [.refuse(Self.nothingWaits)] }
    guard rounds < Self.roundsMax else { return end() }
    return try counter(bid, price, at: now, key: key)
  }

  /// The operator says no.
  public mutating func refused() -> [BidEffect] {
    guard phase == .waiting else { return [.refuse(Self.nothingWaits)] }
    return end()
  }

  // MARK: Steps

  private static let nothingWaits = Denial(.unknownTransaction, "no bid waits for an answer")

  private mutating func take(_ n1: Verified<N1>) -> [BidEffect] {
    bid = n1
    return [.keep(.n1, n1.bytes)] + agree(n1.payload.price)
  }

  private mutating func agree(_ price: Money) -> [BidEffect] {
    phase = .agreed
    return [.enter(.agreed), .sell(at: price)]
  }

  private mutating func end() -> [BidEffect] {
    phase = .ended
    return [.enter(.ended), .refuse(Denial(.wrongValue, "there is no agreement on a price"))]
  }

  /// Half the way from the last price to the lowest.
  private mutating func meet(
    _ n1: Verified<N1>, _ least: Money, _ list: Money, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BidEffect] {
    guard rounds < Self.roundsMax else { return end() }
    let last = counter?.payload.price.amount ?? list.amount
    let half = (max(last, least.amount) + least.amount + 1) / 2  // at most 2^54: no overflow
    let price = Money(currency: list.currency, amount: half)!
    return try counter(n1, price, at: now, key: key)
  }

  private mutating func counter(
    _ n1: Verified<N1>, _ price: Money, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BidEffect] {
    let n2 = try Verified(
      signing: N2(price: price, hN1: n1.hash, until: now + Self.counterSeconds), with: key)
    (phase, counter) = (.open, n2)
    rounds += 1
    return [.keep(Label(.n2), n2.bytes), .enter(.open), .reply(n2.bytes)]
  }
}
