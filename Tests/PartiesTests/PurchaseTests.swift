// Whole purchases through all four machines.

import Messages
import Parties
import Testing

@Suite("A whole purchase")
struct PurchaseTests {
  @Test(
    "goods are exchanged for money, one- and two-sided, also when every message arrives twice",
    arguments: [false, true], [false, true])
  func completed(twoSided: Bool, duplicates: Bool) throws {
    let market = try Market(twoSided: twoSided)
    market.duplicates = duplicates
    try market.pay()
    #expect(market.archive?.outcome != nil)
    #expect(market.customer.machine.phase == .locked)
    try market.askArchive()
    #expect(market.customer.machine.phase == .paid)
    let k = try #require(market.customer.machine.goodsKey)
    #expect(try market.open(with: k) == Market.plain)
    #expect(try market.customer.run { $0.opened() } == ["enter delivered"])
    #expect(market.bank.machine.phase == .settled)
    #expect(market.credited == Sale.price.amount)
    #expect(market.locked.isEmpty)
    #expect(market.spent[Tokens.inputs[1].token.id] == 234)
    #expect(market.total == 2000)
    if duplicates { try market.merchantDoes { try $0.decided(#require(market.archive?.outcome)) } }
    #expect(market.merchant.kept[.p5a] != nil)
    #expect([.committed, .credited].contains(market.merchant.machine.phase))
  }

  @Test("the credit closes the sale, and is confirmed again to whoever asks")
  func credit() throws {
    let market = try Market(twoSided: false)
    try market.pay()
    let outcome = try #require(market.archive?.outcome)
    #expect(try market.bank.decided(outcome) == ["confirm credit"])
    try market.merchant.credited(market.sale.credit { $0.lock = market.bank.p3!.hash })
    #expect(market.merchant.machine.phase == .credited)
    #expect(market.credited == Sale.price.amount)
  }

  @Test("two-sided, nothing is committed while the customer has not acknowledged")
  func unacknowledged() throws {
    let market = try Market(twoSided: true)
    market.answersCustomer = false
    try market.pay()
    #expect(market.archive == nil)
    #expect(market.merchant.machine.phase == .authorised)
    #expect(market.locked.values.reduce(0, +) == 1234)
    market.now = Times.expiration - 30
    try market.merchantDoes { try $0.run { try $0.due(at: market.now, key: $1) } }
    #expect(market.bank.machine.phase == .released)
    #expect(market.merchant.machine.phase == .aborted)
    #expect(market.locked.isEmpty && market.spent.isEmpty && market.credited == 0)
    #expect(market.merchant.kept[.p4] == nil, "k never left")
    try market.customer.locked(#require(market.bank.p3))
    try market.askArchive()
    #expect(market.customer.machine.phase == .aborted)
  }

  @Test("a customer who never saw P3 is paid out of the record alone")
  func lostP3() throws {
    let market = try Market(twoSided: false)
    market.answersCustomer = false
    try market.pay()
    #expect(market.customer.machine.phase == .authorised)
    try market.askArchive()
    #expect(try market.open(with: #require(market.customer.machine.goodsKey)) == Market.plain)
  }

  @Test("a sale that the merchant gives up returns the money at once", arguments: [false, true])
  func cancelled(duplicates: Bool) throws {
    let market = try Market(twoSided: true)
    market.duplicates = duplicates
    market.answersCustomer = false
    try market.pay()
    try market.merchantDoes { try $0.run { try $0.givenUp(key: $1) } }
    #expect(market.bank.machine.phase == .released)
    #expect(market.locked.isEmpty)
    #expect(market.total == 2000)
    try market.customer.locked(#require(market.bank.p3))
    try market.askArchive()
    #expect(market.customer.effects.contains(.freed(Tokens.inputs)))
  }

  @Test("a sale whose merchant is silent returns the money at the expiration, and not before")
  func expired() throws {
    let market = try Market(twoSided: true)
    market.answersCustomer = false
    try market.pay()
    market.now = Times.expiration - 1
    try market.wantAbort()
    #expect(market.archive?.outcome == nil)
    #expect(market.bank.machine.phase == .locked)
    market.now = Times.expiration
    try market.wantAbort()
    #expect(market.bank.machine.phase == .released)
    #expect(market.locked.isEmpty)
    #expect(market.merchant.machine.phase == .aborted)
  }

  @Test("a customer who acknowledges after the expiration gets an abort, not half a sale")
  func tooLate() throws {
    let market = try Market(twoSided: true)
    market.answersCustomer = false
    try market.pay()
    market.now = Times.expiration
    try market.merchantDoes { try $0.acknowledged(market.sale.acknowledgement()) }
    #expect(market.archive?.effects.map(\.summary) == ["refuse tooLate"])
    try market.merchantDoes { try $0.run { try $0.due(at: market.now, key: $1) } }
    #expect(market.bank.machine.phase == .released)
    #expect(market.merchant.machine.phase == .aborted)
  }

  @Test("under early completion the merchant shows P4 before the archive has answered, and only then")
  func early() throws {
    for route in CompletionRoute.allCases {
      let rig = try MerchantRig(policy: MerchantPolicy(trust: trustList(), completion: route))
      #expect(try rig.authorised(Sale().p3()).last == "submit P4+P3")
      let proof = rig.machine.status(policy: rig.policy).proof
      guard route == .early else {
        #expect(proof.isEmpty)
        continue
      }
      let p4 = try Verified<P4>(#require(proof.first), by: .key(Actor.merchant.publicKey))
      let market = try Market(twoSided: false, completion: .early)
      #expect(try market.open(with: p4.payload.key) == Market.plain)
    }
  }
}
