// One value of every type of the table, with its optional fields and without.

import Messages

enum Samples {
  static let n = TransactionID(filled(0x4e, 16))!
  static let nonce = Nonce(filled(0x6e, 16))!
  static let price = Money("EUR:12.34")!
  static let time: Timestamp = 1_767_225_600

  static let contract = Contract(
    pseudonym: Actor.pseudonym.publicKey, price: price, expirationMax: time + 3600, lifetime: time + 86_400,
    date: time, descriptionHash: digest(0xd0), digests: [digest(0xd1)], archives: [Actor.archive.publicKey],
    banks: [Actor.bank.publicKey], twoSided: false, name: "")

  static let fullContract = Contract(
    pseudonym: Actor.pseudonym.publicKey, price: Money(currency: "JPY", amount: Money.amountMax)!,
    expirationMax: time + 3600, lifetime: time + 86_400, holdUntil: time + 7200, date: time,
    descriptionHash: digest(0xd0), digests: [digest(0xd1), digest(0xd2)],
    archives: [Actor.archive.publicKey, Actor.stranger.publicKey],
    banks: [Actor.bank.publicKey, Actor.stranger.publicKey], mode: .core, twoSided: true,
    name: "grüße 🌊.tar", parcel: "PARCEL-1", offices: [Actor.stranger.publicKey],
    collectKeys: [Actor.tokenOne.publicKey])

  static func p1(_ contract: Contract) -> P1 {
    P1(n: n, hx: digest(1), root: digest(2), length: 0x1_0000_0001, salt: digest(3), contract: contract)
  }

  static let terms = LockTerms(
    n: n, merchant: Actor.merchant.publicKey, archive: Actor.archive.publicKey,
    pseudonym: Actor.pseudonym.publicKey, value: price, expiration: time + 600, lifetime: time + 86_400,
    hP1: digest(4), hx: digest(5))

  static func token(_ actor: Actor) -> Token {
    Token(
      bank: Actor.bank.publicKey, key: actor.publicKey, serial: digest(actor.rawValue), keyID: digest(6),
      signature: filled(7, 256), issuer: Actor.bank.publicKey)
  }

  static func inputs(_ actors: [Actor]) -> [TokenInput] {
    actors.map { TokenInput(token: token($0), amount: 617) }
  }

  static func p2(_ actors: [Actor]) -> P2 {
    P2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: inputs(actors))
  }

  static let blinded = [
    Blinded(keyID: digest(8), message: filled(9, 256)), Blinded(keyID: digest(9), message: filled(1, 512)),
  ]

  static func x1(_ actors: [Actor], recovery: [UInt8]? = nil) -> X1 {
    X1(
      bank: Actor.bank.publicKey, total: price, tokenInputs: inputs(actors), outputs: blinded, fee: 3,
      recovery: recovery)
  }

  static let p4 = P4(n: n, expiration: time + 600, hP1: digest(4), lock: digest(0xa), key: filled(0x5a))

  static let denomination = Denomination(
    value: Money("EUR:5.00")!, id: digest(0xb), modulus: filled(0xc3, 384), issueFrom: time,
    issueUntil: time + 1, spendUntil: time + 2)

  static let entry = TrustEntry(
    role: .archive, name: "Archive", key: Actor.archive.publicKey, from: time, until: time + 1)
  static let fullEntry = TrustEntry(
    role: .timestamp, name: "Full", key: Actor.bank.publicKey, from: time, until: time + 9,
    revokedAt: time + 4, sealingKey: Actor.stranger.publicKey, url: "https://archive.test:8443")

  static func trustList(_ entries: [TrustEntry], previous: Hash? = nil) -> TrustList {
    TrustList(
      at: time, until: time + 86_400, sequence: 3, previous: previous, entries: entries, answerSeconds: 30,
      skewSeconds: 5, lifetimeSeconds: 86_400, goodsLengthMax: 1 << 40)
  }

  static let offer = Offer(
    price: price, id: nonce, description: "A map", name: "map.pdf", length: 77, twoSided: true)
}
