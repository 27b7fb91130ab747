// The card's commands against the applet itself: what a wallet relies on, and how refusals read.

import CCore
import Cards
import Messages
import Testing

/// A card that is somebody's: counter PIN 246810, payment PIN 1357902.
private func owned(_ memory: MemoryCard = MemoryCard()) throws -> Card {
  let card = try Card(memory)
  try card.change(.puk, from: CardPIN.puk.first, to: "987654321012")
  try card.change(.counter, from: CardPIN.counter.first, to: "246810")
  try card.change(.payment, from: CardPIN.payment.first, to: "1357902")
  return card
}

private func payment(_ keys: [PublicKey], _ amount: UInt64, n: UInt8 = 5) throws -> P2 {
  let hash = Hash(of: [1])
  let tokens = keys.map { key in
    TokenInput(
      token: Token(
        bank: PublicKey(Array(repeating: 1, count: 32))!, key: key, serial: Hash(of: key.bytes), keyID: hash,
        signature: [UInt8](repeating: 2, count: 256), issuer: PublicKey(Array(repeating: 1, count: 32))!),
      amount: amount)
  }
  let terms = LockTerms(
    n: TransactionID([UInt8](repeating: n, count: 16))!, merchant: PublicKey(Array(repeating: 3, count: 32))!,
    archive: PublicKey(Array(repeating: 4, count: 32))!,
    pseudonym: PublicKey(Array(repeating: 5, count: 32))!,
    value: Money(currency: "EUR", amount: amount * UInt64(keys.count))!, expiration: 1_800_000_000,
    lifetime: 1_900_000_000, hP1: hash, hx: hash)
  return P2(terms: terms, bank: PublicKey(Array(repeating: 1, count: 32))!, tokenInputs: tokens)
}

@Suite struct CardTests {
  @Test func aNewCardSaysSoAndAnOwnedOneToo() throws {
    let memory = MemoryCard()
    #expect(try Card(memory).state().isNew)
    let state = try owned(memory).state()
    #expect(state.defaults.isEmpty && state.tries == [.counter: 3, .payment: 3, .puk: 10])
    #expect(state.contents == nil)
  }

  @Test func anotherCardIsAStranger() {
    struct Passport: CardLink {
      func transmit(_ command: [UInt8]) -> [UInt8] { [0x6A, 0x82] }
    }
    struct Deaf: CardLink {
      func transmit(_ command: [UInt8]) -> [UInt8] { [] }
    }
    #expect(throws: CardError.stranger) { try Card(Passport()) }
    #expect(throws: CardError.malformed("SELECT")) { try Card(Deaf()) }
  }

  @Test func aWrongPINSaysWhatIsLeftUntilThePUKHelps() throws {
    let card = try owned()
    #expect(throws: CardError.wrongPIN(.payment, left: 2)) { try card.verify(.payment, "000000") }
    #expect(throws: CardError.wrongPIN(.payment, left: 1)) { try card.verify(.payment, "000000") }
    #expect(throws: CardError.blocked(.payment)) { try card.verify(.payment, "000000") }
    #expect(throws: CardError.blocked(.payment)) { try card.verify(.payment, "1357902") }
    #expect(throws: CardError.wrongPIN(.puk, left: 9)) {
      try card.unblock(.payment, puk: "11111111", to: "5550005")
    }
    try card.unblock(.payment, puk: "987654321012", to: "5550005")
    try card.verify(.payment, "5550005")
    #expect(try card.state().tries[.payment] == 3)
  }

  @Test func withItsFirstPINsItMakesNoKeys() throws {
    let card = try Card(MemoryCard())
    try card.verify(.payment, CardPIN.payment.first)
    #expect(throws: CardError.notInitialised) { try card.makeTokenKey() }
    #expect(
      !CardPIN.payment.allows("123456") && !CardPIN.payment.allows("12345")
        && CardPIN.payment.allows("654321"))
    #expect(!CardPIN.puk.allows("1234567") && !CardPIN.counter.allows("12345a"))
  }

  @Test func itSignsPaymentsThatEverybodyCanVerify() throws {
    let memory = MemoryCard()
    let card = try owned(memory)
    try card.verify(.payment, "1357902")
    let keys = try (0..<3).map { _ in try card.makeTokenKey() }
    #expect(keys.map(\.index) == [0, 1, 2] && Set(keys.map(\.publicKey)).count == 3)
    #expect(try card.tokenKey(1).publicKey == keys[1].publicKey)
    #expect(throws: CardError.noSuchKey(3)) { try card.tokenKey(3) }
    let p2 = try payment(keys.map(\.publicKey), 100)
    let signed = try Verified(signing: p2, with: keys)
    let read = try Verified<P2>(signed.bytes, by: .ownTokens)
    #expect(read.bytes == signed.bytes && read.payload.terms.value.amount == 300)
    // Nothing longer than a short command went over the line, and no key.
    #expect(memory.commands.allSatisfy { $0.count <= 261 })
    #expect(try card.state().contents?.tokenKeys == 3)
  }

  @Test func itSignsOneContentForATransactionAndNothingThatIsNotItsOwn() throws {
    let card = try owned()
    try card.verify(.payment, "1357902")
    let key = try card.makeTokenKey()
    let first = try Verified(signing: payment([key.publicKey], 100), with: [key])
    #expect(try Verified(signing: payment([key.publicKey], 100), with: [key]).bytes == first.bytes)
    #expect(throws: CardError.signedBefore) {
      try Verified(signing: payment([key.publicKey], 101), with: [key])
    }
    let stranger = PublicKey(Array(repeating: 9, count: 32))!
    #expect(throws: CardError.refused(command: "COMPUTE DIGITAL SIGNATURE", status: 0x6A80)) {
      try Verified(signing: payment([stranger], 100, n: 6), with: [key])
    }
  }

  @Test func withoutThePINOrAfterAResetItSignsNothing() throws {
    let memory = MemoryCard()
    let card = try owned(memory)
    try card.verify(.payment, "1357902")
    let key = try card.makeTokenKey()
    try card.withdraw(.payment)
    #expect(throws: CardError.self) { try Verified(signing: payment([key.publicKey], 1), with: [key]) }
    try card.verify(.payment, "1357902")
    memory.reset()
    #expect(throws: CardError.self) { try Verified(signing: payment([key.publicKey], 1), with: [key]) }
    // The counter's PIN does not pay.
    let again = try Card(memory)
    try again.verify(.counter, "246810")
    #expect(throws: CardError.self) { try Verified(signing: payment([key.publicKey], 1), with: [key]) }
  }

  @Test func aLyingCardMakesNoMessage() throws {
    let memory = MemoryCard()
    let card = try owned(memory)
    try card.verify(.payment, "1357902")
    let key = try card.makeTokenKey()
    memory.tamper = { answer in
      guard answer.count == 166 else { return answer }
      var changed = answer
      changed[0] ^= 1
      return changed
    }
    #expect(throws: MessageError(.authentication, "authentication", "P2")) {
      try Verified(signing: payment([key.publicKey], 1), with: [key])
    }
    memory.tamper = { $0.count > 2 ? Array($0.dropFirst()) : $0 }
    #expect(throws: CardError.malformed("COMPUTE DIGITAL SIGNATURE")) {
      try Verified(signing: payment([key.publicKey], 1), with: [key])
    }
    #expect(throws: CardError.malformed("GET DATA")) { try card.state() }
  }

  @Test func aWipedCardIsNew() throws {
    let card = try owned()
    #expect(throws: CardError.self) { try card.wipe() }
    try card.verify(.payment, "1357902")
    _ = try card.makeTokenKey()
    try card.wipe()
    #expect(try card.state().isNew)
  }
}
