// Bids and counter-offers on both sides: what is agreed, what is not, and that it ends.

import Messages
import Parties
import Testing

private let listed = Money("EUR:1.00")!
private let least = Money("EUR:0.75")!

/// A merchant's negotiation beside a twin that is re-created after every event, as after a crash.
private final class NegotiationRig {
  var machine = MerchantNegotiation()
  private var twin = MerchantNegotiation()
  private var kept: [(label: Label, bytes: [UInt8])] = []
  private(set) var effects: [BidEffect] = []

  func run(_ event: (inout MerchantNegotiation, borrowing SigningKey) throws -> [BidEffect]) throws
    -> [String]
  {
    effects = try Actor.merchant.withKey { try event(&machine, $0) }
    let again = try Actor.merchant.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored merchant does otherwise")
    for case .keep(let label, let bytes) in effects { kept.append((label, bytes)) }
    twin = try MerchantNegotiation(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase)
    return effects.map(summary)
  }

  func bid(
    _ price: String, asking: AskingPrice = AskingPrice(list: listed, least: least), nonce: UInt8 = 0,
    offer: UInt8 = 1, at now: Timestamp = Times.now
  ) throws -> [String] {
    let n1 = try n1(price, nonce: nonce, offer: offer)
    return try run { try $0.bid(n1, asking: asking, at: now, key: $1) }
  }

  private func summary(_ effect: BidEffect) -> String {
    switch effect {
    case .keep(let label, _): return "keep \(label.rawValue)"
    case .enter(let phase): return "enter \(phase)"
    case .sell(let price): return "sell at \(price)"
    case .refuse(let denial): return "refuse \(denial.reason)"
    case .reply(let bytes):
      guard let n2 = try? Verified<N2>(bytes, by: .key(Actor.merchant.publicKey)) else { return "reply" }
      return "counter \(n2.payload.price)"
    }
  }
}

private func n1(_ price: String, nonce: UInt8 = 0, offer: UInt8 = 1) throws -> Verified<N1> {
  try Actor.pseudonym.sign(
    N1(
      nonce: Nonce(filled(nonce, 16))!, price: Money(price)!, offer: Nonce(filled(offer, 16))!,
      twoSided: false
    ))
}

@Suite("Negotiation: the merchant")
struct MerchantNegotiationTests {
  private let agreed = ["keep N1", "enter agreed"]

  @Test("a bid from the lowest price on is taken, at the price that was bid, and again after a crash")
  func taken() throws {
    for price in ["EUR:0.75", "EUR:0.80", "EUR:1.00"] {
      let rig = NegotiationRig()
      #expect(try rig.bid(price) == agreed + ["sell at \(price)"])
      #expect(try rig.bid(price) == ["sell at \(price)"], "the same N1 again")
      #expect(try rig.bid("EUR:0.90", nonce: 1) == ["refuse wrongValue"], "one sale for one pseudonym")
    }
  }

  @Test("a lower bid meets counter-offers that come down and never below the lowest price, six times at most")
  func rounds() throws {
    let rig = NegotiationRig()
    var asked: [String] = []
    for round in 0..<UInt8(MerchantNegotiation.roundsMax) {
      let effects = try rig.bid("EUR:0.10", nonce: round)
      #expect(effects.dropLast() == ["keep N1", "keep N2", "enter open"])
      asked.append(effects.last!)
    }
    #expect(
      asked == [
        "counter EUR:0.88", "counter EUR:0.82", "counter EUR:0.79", "counter EUR:0.77", "counter EUR:0.76",
        "counter EUR:0.76",
      ])
    #expect(try rig.bid("EUR:0.10", nonce: 9) == ["keep N1", "enter ended", "refuse wrongValue"])
    #expect(try rig.bid("EUR:0.90", nonce: 10) == ["refuse wrongValue"], "it is over")
  }

  @Test("a counter-offer binds until its time, and is refused as expired from then on")
  func until() throws {
    let asking = AskingPrice(list: listed, least: Money("EUR:0.95")!)
    let end = Times.now + MerchantNegotiation.counterSeconds
    for (time, effects) in [
      (end - 1, agreed + ["sell at EUR:0.98"]), (end, ["refuse expired"]),
    ] {
      let rig = NegotiationRig()
      #expect(try rig.bid("EUR:0.50", asking: asking).last == "counter EUR:0.98")
      #expect(try rig.bid("EUR:0.98", asking: asking, nonce: 1, at: time) == effects)
    }
    // It binds although the offer has become dearer, and for its own price or more.
    let rig = NegotiationRig()
    _ = try rig.bid("EUR:0.50", asking: asking)
    let dearer = AskingPrice(list: Money("EUR:2.00")!)
    #expect(try rig.bid("EUR:0.97", asking: dearer, nonce: 1) == ["refuse wrongValue"])
    #expect(try rig.bid("EUR:0.98", asking: dearer, nonce: 2) == agreed + ["sell at EUR:0.98"])
  }

  @Test("an offer without a lowest price, a bid above the price, another currency are refused")
  func refused() throws {
    let rig = NegotiationRig()
    #expect(try rig.bid("EUR:0.99", asking: AskingPrice(list: listed)) == ["refuse wrongValue"])
    #expect(try rig.bid("EUR:1.01") == ["refuse wrongValue"])
    #expect(try rig.bid("USD:0.80") == ["refuse wrongValue"])
  }

  @Test("where the operator is asked, the bid waits, and the answer is the operator's")
  func asked() throws {
    let asking = AskingPrice(list: listed, least: least, asks: true)
    func waiting() throws -> NegotiationRig {
      let rig = NegotiationRig()
      #expect(try rig.bid("EUR:0.80", asking: asking) == ["keep N1", "enter waiting"])
      #expect(try rig.bid("EUR:0.80", asking: asking) == [], "the wallet asks again")
      return rig
    }
    let accepted = try waiting()
    #expect(try accepted.run { machine, _ in machine.accepted() } == ["enter agreed", "sell at EUR:0.80"])
    #expect(try accepted.bid("EUR:0.80", asking: asking) == ["sell at EUR:0.80"])
    let countered = try waiting()
    let price = Money("EUR:0.90")!
    #expect(
      try countered.run { try $0.countered(at: price, now: Times.now, key: $1) } == [
        "keep N2", "enter open", "counter EUR:0.90",
      ])
    #expect(try countered.bid("EUR:0.90", asking: asking, nonce: 1) == agreed + ["sell at EUR:0.90"])
    let refused = try waiting()
    #expect(try refused.run { machine, _ in machine.refused() } == ["enter ended", "refuse wrongValue"])
    #expect(try refused.bid("EUR:0.95", asking: asking, nonce: 1) == ["refuse wrongValue"])
    for rig in [accepted, countered, refused] {
      #expect(try rig.run { machine, _ in machine.accepted() } == ["refuse unknownTransaction"])
      #expect(try rig.run { machine, _ in machine.refused() } == ["refuse unknownTransaction"])
    }
  }
}

@Suite("Negotiation: the customer")
struct CustomerNegotiationTests {
  private func n2(
    _ n1: Verified<N1>, _ price: String = "EUR:0.90", until: Timestamp = Times.now + 600
  ) throws -> Verified<N2> {
    try Actor.merchant.sign(N2(price: Money(price)!, hN1: n1.hash, until: until))
  }

  private let nonce = Nonce(filled(7, 16))!

  @Test("a counter-offer to the latest bid is kept while it stands, and nothing else is")
  func kept() throws {
    let (first, second) = (try n1("EUR:0.80"), try n1("EUR:0.85", nonce: 1))
    let machine = try CustomerNegotiation([(.n1, first.bytes), (.n1, second.bytes)])
    func reason(_ n2: Verified<N2>, at now: Timestamp = Times.now) -> Reason? {
      for case .deny(let denial) in machine.countered(n2, at: now) { return denial.reason }
      return nil
    }
    let good = try n2(second)
    #expect(machine.countered(good, at: Times.now) == [.keep(Label(.n2), good.bytes)])
    #expect(reason(try n2(first)) == .mismatch)
    #expect(reason(try n2(second, "USD:0.90")) == .wrongValue)
    #expect(reason(good, at: Times.now + 600) == .expired)
  }

  @Test("the next bid has the merchant's price or one's own, and the same pseudonym, offer and wishes")
  func next() throws {
    let bid = try n1("EUR:0.80")
    let machine = try CustomerNegotiation([(.n1, bid.bytes), (Label(.n2), try n2(bid).bytes)])
    var expected = bid.payload
    (expected.nonce, expected.price) = (nonce, Money("EUR:0.90")!)
    #expect(try machine.next(price: nil, nonce: nonce, at: Times.now) == expected)
    expected.price = Money("EUR:0.85")!
    #expect(try machine.next(price: Money("EUR:0.85")!, nonce: nonce, at: Times.now) == expected)
    #expect(throws: Denial.self) { try machine.next(price: nil, nonce: nonce, at: Times.now + 600) }
    #expect(
      try machine.next(price: Money("EUR:0.85")!, nonce: nonce, at: Times.now + 600) == expected,
      "a bid of one's own needs no counter-offer that stands")
    let silent = try CustomerNegotiation([(.n1, bid.bytes)])
    #expect(throws: Denial.self) { try silent.next(price: nil, nonce: nonce, at: Times.now) }
  }

  @Test("bids end")
  func bounded() throws {
    var kept: [(label: Label, bytes: [UInt8])] = []
    for round in 0..<UInt8(CustomerNegotiation.roundsMax) {
      let bid = try n1("EUR:0.10", nonce: round)
      kept += [(.n1, bid.bytes), (Label(.n2), try n2(bid).bytes)]
    }
    let machine = try CustomerNegotiation(kept)
    #expect(throws: Denial.self) { try machine.next(price: nil, nonce: nonce, at: Times.now) }
  }

  @Test("a purchase that was asked for again takes a contract at the latest price alone")
  func latest() throws {
    let bid = try Sale().n1 { $0.price = Money("EUR:9")! }
    let agreed = try Sale().n1()
    for (n1, expected) in [(bid, "deny wrongValue"), (agreed, "enter offered")] {
      var machine = try CustomerPurchase<CoreMode>(phase: .requested, messages: [.n1: n1.bytes])
      let effects = machine.offered(
        try Sale().p1(), description: Sale.description, policy: CustomerPolicy(trust: trustList()),
        at: Times.now)
      #expect(effects.last?.summary == expected)
    }
  }
}

@Suite("Declining")
struct DeclineTests {
  private func decline(_ phase: PurchasePhase) throws -> [String] {
    let rig = try CustomerRig.inPhase(phase, twoSided: false)
    return try rig.run { machine in
      try Actor.pseudonym.withKey { try machine.declined(pseudonym: $0) }
    }
  }

  @Test(
    "before the payment NAK ends the purchase; after it only the merchant is told; when paid it is too late")
  func phases() throws {
    #expect(try decline(.requested) == ["enter abandoned"], "there is nothing to decline yet")
    for phase in [PurchasePhase.offered, .checked] {
      #expect(try decline(phase) == ["keep NAK", "send NAK to merchant", "enter abandoned"], "\(phase)")
    }
    for phase in [PurchasePhase.authorised, .locked] {
      #expect(try decline(phase) == ["keep NAK", "send NAK to merchant"], "\(phase)")
    }
    for phase in [PurchasePhase.paid, .delivered, .aborted, .refused, .abandoned] {
      #expect(try decline(phase) == ["deny tooLate"], "\(phase)")
    }
  }

  @Test("a merchant that hears of it before P3 sells nothing, and gives a P3 back that comes after all")
  func merchant() throws {
    let customer = try CustomerRig.inPhase(.authorised, twoSided: false)
    try customer.run { machine in try Actor.pseudonym.withKey { try machine.declined(pseudonym: $0) } }
    let nak = try Verified<NAK>(
      #require(customer.kept[.nak]), by: .key(Actor.pseudonym.publicKey))
    let merchant = try MerchantRig()
    #expect(try merchant.run { try $0.complained(nak, key: $1) } == ["keep NAK", "enter declined"])
    #expect(try merchant.authorised(Sale().p3()).last == "cancel Cancel+P3")
  }
}
