// The bank's counter over its store: withdrawals, refusals and exchanges.

import BlindTokens
import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Bank: withdrawals and exchanges")
struct BankMoneyTests {
  @Test("a withdrawal is debited once, and the same bytes get the same answer")
  func withdrawalIsIdempotent() async throws {
    let bank = try await TestBank()
    let (outputs, finish) = try bank.blind([500, 100, 100])
    let w1 = try bank.w1(outputs, 700)
    let first = try #require(try await bank.service.answer(Incoming(w1)))
    let w2 = try Verified<W2>(first, by: .key(bank.key)).payload
    #expect(w2.hW1 == Hash(of: w1) && w2.balance == euros(1300))
    let tokens = try finish(w2.signatures)
    for token in tokens {
      let verifier = try #require(bank.keys.verifier(token.token.keyID))
      #expect(verifier.isValid(signature: token.token.signature, for: token.token.id.bytes))
    }
    #expect(try await bank.sums() == Sums(customer: 1300, tokens: 700))
    // Even when the account could not pay it any more.
    _ = try await bank.withdraw([500, 500, 100, 100, 100])
    #expect(try await bank.ask(w1) == first)
    #expect(try await bank.sums() == Sums(customer: 0, tokens: 2000))
  }

  @Test("copies of a withdrawal that arrive at the same time are debited once")
  func concurrentCopies() async throws {
    let bank = try await TestBank()
    let (outputs, finish) = try bank.blind([500])
    let w1 = try bank.w1(outputs, 500)
    let service = bank.service
    let replies = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      for _ in 0..<8 { group.addTask { try await service.answer(Incoming(w1)) } }
      return try await group.reduce(into: Set<[UInt8]>()) { if let reply = $1 { $0.insert(reply) } }
    }
    #expect(replies.count == 1)
    _ = try finish(Verified<W2>(try #require(replies.first), by: .key(bank.key)).payload.signatures)
    #expect(try await bank.sums() == Sums(customer: 1500, tokens: 500))
  }

  @Test("more than the account holds is refused with a signature, and nothing is debited")
  func overdraft() async throws {
    let bank = try await TestBank()
    let (outputs, _) = try bank.blind([500, 500, 500, 500, 100])
    let refusal = try await bank.refusal(of: bank.w1(outputs, 2100))
    #expect(refusal.reason == .funds)
    #expect(try await bank.sums() == Sums(customer: 2000))
  }

  @Test("what was refused stays refused, also when it would be possible by now")
  func refusedForEver() async throws {
    let bank = try await TestBank()
    let (outputs, _) = try bank.blind([500, 500, 500, 500, 100])
    let order = try bank.w1(outputs, 2100)
    let refused = try await bank.ask(order)
    #expect(try Verified<Refusal>(refused, by: .key(bank.key)).payload.reason == .funds)
    try await bank.store.write { tx in
      try BankBooks.move(
        tx, euros(500), from: BankBooks.System.cash.id("EUR"), to: "customer", kind: "deposit",
        reference: [2], at: TestBank.now)
    }
    #expect(try await bank.service.answer(Incoming(order)) == refused)
    let another = try bank.w1(outputs, 2100)
    let done = try #require(try await bank.service.answer(Incoming(another)))
    #expect((try? Verified<W2>(done, by: .key(bank.key))) != nil, "the money is there for another order")
  }

  @Test("outputs that are worth more than the order says are refused")
  func wrongAmount() async throws {
    let bank = try await TestBank()
    let (outputs, _) = try bank.blind([500])
    #expect(try await bank.refusal(of: bank.w1(outputs, 100)).reason == .wrongValue)
    #expect(try await bank.sums() == Sums(customer: 2000))
  }

  @Test("a key without an account withdraws nothing")
  func stranger() async throws {
    let bank = try await TestBank()
    let (outputs, _) = try bank.blind([100])
    let w1 = W1(
      bank: bank.key, amount: euros(100), order: Nonce(randomBytes(16))!, outputs: outputs, recovery: nil)
    let bytes = try Verified(signing: w1, with: signingKey(99)).bytes
    #expect(try await bank.refusal(of: bytes).reason == .noSuchAccount)
  }

  private func x1(
    _ bank: TestBank, _ inputs: [TestToken], _ outputs: [Blinded], total: UInt64, fee: UInt64
  ) throws -> [UInt8] {
    let payload = X1(
      bank: bank.key, total: euros(total),
      tokenInputs: inputs.map { TokenInput(token: $0.token, amount: $0.value) }, outputs: outputs,
      fee: fee, recovery: nil)
    var message = try Verified(signing: payload, with: signingKey(inputs[0].key))
    for input in inputs.dropFirst() { message = try message.coSigned(with: signingKey(input.key)) }
    return message.bytes
  }

  @Test("an exchange gives as much as it takes, less the fee, and the same bytes the same answer")
  func exchange() async throws {
    let bank = try await TestBank(exchangeFee: 100)
    let old = try await bank.withdraw([500, 100])
    let (outputs, finish) = try bank.blind([100, 100, 100, 100, 100])
    let x1 = try x1(bank, old, outputs, total: 600, fee: 100)
    let first = try #require(try await bank.service.answer(Incoming(x1)))
    let fresh = try finish(Verified<X2>(first, by: .key(bank.key)).payload.signatures)
    #expect(fresh.reduce(0) { $0 + $1.value } == 500)
    #expect(try await bank.ask(x1) == first)
    #expect(try await bank.sums() == Sums(customer: 1400, tokens: 500, fees: 100))
  }

  @Test("an exchange that asks for more than it gives is refused")
  func exchangeMakesNoMoney() async throws {
    let bank = try await TestBank()
    let old = try await bank.withdraw([100])
    let (outputs, _) = try bank.blind([500])
    let refusal = try await bank.refusal(of: x1(bank, old, outputs, total: 100, fee: 0))
    #expect(refusal.reason == .wrongValue)
    #expect(try await bank.sums() == Sums(customer: 1900, tokens: 100))
  }

  @Test("a token that was exchanged is refused the next time, with the first exchange as proof")
  func exchangedTwice() async throws {
    let bank = try await TestBank()
    let old = try await bank.withdraw([100])
    let (outputs, finish) = try bank.blind([100])
    let first = try x1(bank, old, outputs, total: 100, fee: 0)
    let x2 = try #require(try await bank.service.answer(Incoming(first)))
    _ = try finish(Verified<X2>(x2, by: .key(bank.key)).payload.signatures)
    let (others, _) = try bank.blind([100])
    let refusal = try await bank.refusal(of: x1(bank, old, others, total: 100, fee: 0))
    #expect(refusal.reason == .spent)
    #expect(refusal.proof == [first, x2])
    #expect(try await bank.sums() == Sums(customer: 1900, tokens: 100))
  }

  @Test("a token whose signature was changed buys nothing")
  func forgery() async throws {
    let bank = try await TestBank()
    var old = try await bank.withdraw([100])
    old[0].token.signature[9] ^= 1
    let (outputs, _) = try bank.blind([100])
    #expect(try await bank.refusal(of: x1(bank, old, outputs, total: 100, fee: 0)).reason == .badToken)
    #expect(try await bank.sums() == Sums(customer: 1900, tokens: 100))
  }
}
