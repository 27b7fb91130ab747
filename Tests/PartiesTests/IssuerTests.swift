// Tokens of another issuer: what the bank where they are usable checks, and what their issuer checks of a
// claim.

import Messages
import Parties
import Testing

@Suite("Tokens of another issuer")
struct IssuerTests {
  private let token: Token = {
    var token = Tokens.inputs[0].token
    token.issuer = Actor.otherBank.publicKey
    return token
  }()

  private func facts(credit: UInt64?) -> [Hash: TokenFacts] {
    Tokens.facts([TokenInput(token: token, amount: 1)]) { $0.credit = credit }
  }

  private func reason(
    _ amount: UInt64, credit: UInt64?, bank: PublicKey = Actor.bank.publicKey
  ) -> Reason? {
    BankCounter.checkTokens(
      [TokenInput(token: token, amount: amount)], total: Money(currency: "EUR", amount: amount)!,
      facts: facts(credit: credit), bank: bank, outlive: Times.lifetime)?.reason
  }

  @Test("the bank takes them from issuers with clearing, up to what they may still owe")
  func counter() {
    #expect(reason(500, credit: 500) == nil)
    #expect(reason(501, credit: 500) == .funds)
    #expect(reason(1, credit: 0) == .funds)
    #expect(reason(1, credit: nil) == .unsupported)
    #expect(reason(1, credit: 500, bank: Actor.otherBank.publicKey) == .badToken, "usable elsewhere")
  }

  @Test("what several tokens of one issuer come to counts against its limit together")
  func together() {
    var second = token
    second.serial = digest(9)
    let inputs = [TokenInput(token: token, amount: 300), TokenInput(token: second, amount: 300)]
    func reason(_ credit: UInt64) -> Reason? {
      var facts = Tokens.facts(inputs)
      for id in facts.keys { facts[id]!.credit = credit }
      return BankCounter.checkTokens(
        inputs, total: Money("EUR:6.00")!, facts: facts,
        bank: Actor.bank.publicKey, outlive: Times.lifetime)?.reason
    }
    #expect(reason(600) == nil)
    #expect(reason(599) == .funds)
  }

  @Test("a token's id names where it is usable and who issued it, if they are not the same")
  func names() {
    let (bank, other) = (Actor.bank.publicKey, Actor.otherBank.publicKey)
    var ids: Set<Hash> = []
    for (place, issuer) in [(bank, bank), (bank, other), (other, bank), (other, Actor.stranger.publicKey)] {
      var named = token
      (named.bank, named.issuer) = (place, issuer)
      ids.insert(named.id)
    }
    #expect(ids.count == 4)
    var bound = token
    bound.archive = Actor.archive.publicKey
    #expect(bound.id != token.id)
    var own = token
    own.issuer = own.bank
    #expect(own.id == Hash.token(key: own.key, serial: own.serial), "as it was before")
  }

  @Test("every kind of authorization can be claimed, in the order of its tokens")
  func orders() throws {
    let terms = try Sale().terms()
    let own = Tokens.inputs[0]
    let inputs = [
      TokenInput(token: token, amount: 300), own, TokenInput(token: token, amount: 200),
    ]
    let bytes = try Actor.tokenOne.sign(P2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: inputs))
      .bytes
    let order = try TokenOrder(bytes)
    #expect(order.total == 500 + own.amount)
    #expect(order.issuers(beside: Actor.bank.publicKey) == [Actor.otherBank.publicKey])
    #expect(order.used(250, of: Actor.otherBank.publicKey).map(\.amount) == [250])
    #expect(order.used(300 + own.amount + 1, of: Actor.otherBank.publicKey).map(\.amount) == [300, 1])
    #expect(order.used(300, of: Actor.bank.publicKey).isEmpty)
    let joint = try Actor.tokenOne.sign(JA2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: inputs))
    #expect(try TokenOrder(joint.bytes).name != order.name, "another message")
    #expect(throws: MessageError.self) {
      try TokenOrder(
        Actor.stranger.sign(P2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: inputs)).bytes)
    }
    #expect(throws: MessageError.self) { try TokenOrder(Actor.merchant.sign(Sale().p1Payload).bytes) }
  }
}
