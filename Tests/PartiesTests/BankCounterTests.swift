// Decisions at the bank's counter: tokens, withdrawals, exchanges.

import Messages
import Parties
import Testing

@Suite("The bank's counter")
struct BankCounterTests {
  /// EUR 10 and EUR 5, issued now, and USD 10, and EUR 2 that is not issued any more.
  private let keys: KeyList = {
    func key(_ id: UInt8, _ value: String, until: Timestamp = Times.now + 100) -> Denomination {
      Denomination(
        value: Money(value)!, id: digest(id), modulus: filled(0xc5, 256), issueFrom: Times.now - 100,
        issueUntil: until, spendUntil: Times.lifetime + 1)
    }
    return KeyList(
      at: Times.now, sequence: 1, previous: nil,
      keys: [key(10, "EUR:10"), key(5, "EUR:5"), key(20, "USD:10"), key(2, "EUR:2", until: Times.now)],
      exchangeFee: 3)
  }()

  private func outputs(_ ids: [UInt8], length: Int = 256) -> [Blinded] {
    ids.map { Blinded(keyID: digest($0), message: filled(1, length)) }
  }

  private func w1(_ change: (inout W1) -> Void = { _ in }) throws -> Verified<W1> {
    var payload = W1(
      bank: Actor.bank.publicKey, amount: Money("EUR:15")!, order: Nonce(filled(1, 16))!,
      outputs: outputs([10, 5]), recovery: nil)
    change(&payload)
    return try Actor.account.sign(payload)
  }

  private func withdrawal(
    balance: Money? = Money("EUR:15"), at now: Timestamp = Times.now, _ change: (inout W1) -> Void = { _ in }
  ) throws -> Reason? {
    try BankCounter.checkWithdrawal(
      w1(change), balance: balance, keys: keys, bank: Actor.bank.publicKey, at: now)?.reason
  }

  private func tokens(
    _ inputs: [TokenInput] = Tokens.inputs, total: String = "EUR:12.34",
    _ change: (inout TokenFacts) -> Void = { _ in }
  ) -> Reason? {
    BankCounter.checkTokens(
      inputs, total: Money(total)!, facts: Tokens.facts(inputs, change), bank: Actor.bank.publicKey,
      outlive: Times.lifetime)?.reason
  }

  @Test("a withdrawal of all that is in the account is allowed")
  func withdrawn() throws { #expect(try withdrawal() == nil) }

  @Test("a withdrawal with one fault is refused for it")
  func brokenWithdrawal() throws {
    #expect(try withdrawal { $0.bank = Actor.otherBank.publicKey } == .mismatch)
    #expect(try withdrawal(balance: nil) == .noSuchAccount)
    #expect(try withdrawal(balance: Money("USD:15")) == .wrongValue)
    #expect(try withdrawal(balance: Money("EUR:14.99")) == .funds)
    #expect(try withdrawal { $0.amount = Money("EUR:14")! } == .wrongValue)
    #expect(try withdrawal(balance: Money("EUR:99")) { $0.amount = Money("EUR:16")! } == .wrongValue)
    #expect(try withdrawal { $0.outputs = self.outputs([10, 7]) } == .denomination)
    #expect(try withdrawal { $0.outputs = self.outputs([5, 20]) } == .denomination)
    #expect(try withdrawal { $0.outputs = self.outputs([10, 5], length: 257) } == .malformed)
  }

  @Test("denominations are issued in their half-open window")
  func issueWindow() throws {
    #expect(try withdrawal(at: Times.now - 101) == .denomination)
    #expect(try withdrawal(at: Times.now - 100) == nil)
    #expect(try withdrawal(at: Times.now + 99) == nil)
    #expect(try withdrawal(at: Times.now + 100) == .denomination)
    #expect(try withdrawal { $0.outputs = self.outputs([10, 2]) } == .denomination)
  }

  @Test("outputs are worth their denominations, in their order")
  func values() throws {
    func values(_ ids: [UInt8], _ total: String) -> Result<[Money], Denial> {
      BankCounter.checkOutputs(outputs(ids), total: Money(total)!, keys: keys, at: Times.now)
    }
    let five = Money("EUR:5")!
    #expect(try values([5, 10, 5], "EUR:20").get() == [five, Money("EUR:10")!, five])
    #expect(throws: Denial.self) { try values([5, 10, 5], "EUR:19.99").get() }
    #expect(throws: Denial.self) { try values([5, 10, 5], "EUR:20.01").get() }
  }

  @Test("several tokens pay together, and each may be used in part")
  func sums() {
    #expect(tokens() == nil)
    var inputs = Tokens.inputs
    inputs[0].amount = 1
    #expect(tokens(inputs, total: "EUR:2.35") == nil)
    #expect(tokens(inputs, total: "EUR:2.34") == .wrongValue)
    #expect(tokens(inputs, total: "EUR:2.36") == .wrongValue)
    #expect(tokens([inputs[0]], total: "EUR:0.01") == nil)
  }

  @Test("a token that was spent in part can be used up to its rest")
  func partial() {
    let one = [TokenInput(token: Tokens.token(.tokenOne), amount: 300)]
    func reason(spent: UInt64, locked: UInt64) -> Reason? {
      tokens(one, total: "EUR:3") { ($0.spent, $0.locked) = (spent, locked) }
    }
    #expect(reason(spent: 700, locked: 0) == nil)
    #expect(reason(spent: 0, locked: 700) == nil)
    #expect(reason(spent: 400, locked: 300) == nil)
    #expect(reason(spent: 400, locked: 301) == .locked)
    #expect(reason(spent: 0, locked: 1000) == .locked)
    #expect(reason(spent: 701, locked: 0) == .spent)
    #expect(reason(spent: 1000, locked: 0) == .spent)
    #expect(reason(spent: 701, locked: 299) == .spent)
  }

  @Test("a token that nothing is known of is refused")
  func unknown() {
    let denial = BankCounter.checkTokens(
      Tokens.inputs, total: Sale.price, facts: [:], bank: Actor.bank.publicKey, outlive: Times.lifetime)
    #expect(denial?.reason == .denomination)
  }

  private func exchange(
    at now: Timestamp = Times.now, _ change: (inout X1) -> Void = { _ in },
    fact: (inout TokenFacts) -> Void = { _ in }
  ) throws -> Reason? {
    var inputs = Tokens.inputs
    (inputs[0].amount, inputs[1].amount) = (1000, 503)
    var payload = X1(
      bank: Actor.bank.publicKey, total: Money("EUR:15.03")!, tokenInputs: inputs,
      outputs: outputs([10, 5]), fee: 3, recovery: nil)
    change(&payload)
    let x1 = try Actor.tokenTwo.withKey { (key) throws(MessageError) in
      try Actor.tokenOne.sign(payload).coSigned(with: key)
    }
    return BankCounter.checkExchange(
      x1, facts: Tokens.facts(payload.tokenInputs, fact), keys: keys, bank: Actor.bank.publicKey, at: now
    )?.reason
  }

  @Test("tokens are exchanged for others of their value less the fee")
  func exchanged() throws { #expect(try exchange() == nil) }

  @Test("an exchange with one fault is refused for it")
  func brokenExchange() throws {
    #expect(try exchange { $0.bank = Actor.otherBank.publicKey } == .mismatch)
    #expect(try exchange { $0.fee = 2 } == .wrongValue)
    #expect(try exchange { $0.fee = 4 } == .wrongValue)
    #expect(try exchange { $0.total = Money("EUR:0.03")! } == .wrongValue)
    #expect(try exchange { $0.total = Money("EUR:15.04")! } == .wrongValue)
    #expect(try exchange { $0.tokenInputs[0].amount = 999 } == .wrongValue)
    #expect(try exchange { $0.outputs = self.outputs([10, 10]) } == .wrongValue)
    #expect(try exchange { $0.outputs = self.outputs([10]) } == .wrongValue)
    #expect(try exchange { $0.outputs = self.outputs([10, 20]) } == .denomination)
    #expect(try exchange(fact: { $0.spent = 1 }) == .spent)
    #expect(try exchange(fact: { $0.locked = 1 }) == .locked)
    #expect(try exchange(fact: { $0.signatureHolds = false }) == .badToken)
    #expect(try exchange(fact: { $0.denomination!.spendUntil = Times.now }) == .lifetime)
    #expect(try exchange(fact: { $0.denomination!.spendUntil = Times.now + 1 }) == nil)
  }
}
