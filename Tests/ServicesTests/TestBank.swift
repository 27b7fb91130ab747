// A bank over a store of its own, without a network: messages go in as bytes, and after every step the books
// have to add up.

import BlindTokens
import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

/// The keys of who takes part, by number.
enum Actor {
  static let bank: UInt8 = 1
  static let archive: UInt8 = 2
  static let merchant: UInt8 = 3
  static let account: UInt8 = 4
  static let pseudonym: UInt8 = 5
  static let authority: UInt8 = 6
  static let witnesses: [UInt8] = [7, 8, 9]
  static let otherBank: UInt8 = 10
  /// Token keys start here.
  static let firstToken: UInt8 = 100
}

/// A token and the number of its key.
struct TestToken {
  var token: Token
  var key: UInt8
  var value: UInt64
}

/// What the bank's accounts hold, in minor units.
struct Sums: Equatable {
  var customer: Int64 = 0
  var merchant: Int64 = 0
  var tokens: Int64 = 0
  var locked: Int64 = 0
  var fees: Int64 = 0
}

/// The bank, its customer with EUR 20, its merchant with nothing.
final class TestBank {
  static let now: Timestamp = 1_800_000_000
  static let expiration = now + 600
  static let lifetime = now + 86_400
  static let deposit: Int64 = 2000

  let service: BankService
  let store: SQLiteStore
  let keys: BankKeys
  let key: PublicKey
  private var nextToken = Actor.firstToken
  /// Every token that was ever made, for the books' second view.
  private var made: [TestToken] = []

  /// `home` is the bank that the merchant's entry in the trust list names; `number` which bank this is.
  init(exchangeFee: UInt64 = 0, home: UInt8? = nil, as number: UInt8 = Actor.bank) async throws {
    let directory = try temporaryDirectory()
    var seed = [UInt8](repeating: number, count: 32)
    let identity = Identity(role: .bank, name: "bank", seed: &seed)
    let store = try SQLiteStore(path: directory.file("store.sqlite"))
    try await store.write { tx in
      try BankBooks.openSystemAccounts(tx, currency: "EUR")
      for (name, kind, owner) in [
        ("customer", Account.Kind.customer, Actor.account), ("merchant", .merchant, Actor.merchant),
      ] {
        try tx.openAccount(
          Account(
            id: name, kind: kind, name: name, currency: "EUR",
            key: publicKey(owner).bytes))
      }
      try BankBooks.move(
        tx, euros(UInt64(Self.deposit)), from: BankBooks.System.cash.id("EUR"), to: "customer",
        kind: "deposit", reference: [1], at: Self.now)
    }
    try await BankKeys.generate(
      values: [100, 500], currency: "EUR", identity: identity, directory: directory, store: store,
      windows: BankKeys.Windows(), exchangeFee: exchangeFee, at: Self.now)
    let node = Node(
      identity: identity, directory: directory, store: store, trust: try Self.trust(home),
      transport: idleTransport, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: { Self.now })
    keys = try await BankKeys.load(node)
    service = BankService(node: node, keys: keys, currency: "EUR", kick: {})
    (self.store, self.key) = (store, identity.key)
  }

  private static func trust(_ home: UInt8?) throws -> LoadedTrust {
    func entry(_ role: Role, _ number: UInt8) -> TrustEntry {
      var seed = [UInt8](repeating: number, count: 32)
      let key = Identity(role: role, name: role.name, seed: &seed).key
      return TrustEntry(
        role: role, name: role.name, key: role == .bank ? key : publicKey(number), from: 1,
        until: now + 1_000_000, sealingKey: role == .archive ? publicKey(number) : nil,
        bank: role == .merchant ? home.map(bankKey) : nil)
    }
    let list = TrustList(
      at: now, until: now + 1_000_000, sequence: 0, previous: nil,
      entries: [
        entry(.bank, Actor.bank), entry(.bank, Actor.otherBank), entry(.archive, Actor.archive),
        entry(.merchant, Actor.merchant),
      ] + Actor.witnesses.map { entry(.witness, $0) }, answerSeconds: 2, skewSeconds: 60,
      lifetimeSeconds: 3600, goodsLengthMax: 1 << 30)
    return try LoadedTrust(try Verified(signing: list, with: signingKey(Actor.authority)).bytes)
  }

  /// The key of the bank of this number.
  static func bankKey(_ number: UInt8) -> PublicKey {
    var seed = [UInt8](repeating: number, count: 32)
    return Identity(role: .bank, name: "bank", seed: &seed).key
  }

  // MARK: Talking to it

  /// A purchase, locked here, up to the archive's record, which the bank has not seen yet.
  func lockedSale(
    _ amount: UInt64
  ) async throws -> (n: TransactionID, lock: Hash, p5a: Verified<P5a>) {
    let tokens = try await withdraw([500])
    let (merchant, k, n) = (publicKey(Actor.merchant), randomBytes(32), TransactionID(randomBytes(16))!)
    let terms = LockTerms(
      n: n, merchant: merchant, archive: publicKey(Actor.archive), pseudonym: publicKey(Actor.pseudonym),
      value: euros(amount), expiration: Self.expiration, lifetime: Self.lifetime, hP1: Hash(of: [1]),
      hx: .keyCommitment(.core, merchant: merchant, n: n, key: k))
    let p2 = P2(terms: terms, bank: key, tokenInputs: [TokenInput(token: tokens[0].token, amount: amount)])
    let p3 = try Verified<P3>(
      try await ask(Verified(signing: p2, with: signingKey(tokens[0].key)).bytes, clearing: nil),
      by: .key(key))
    let p4 = P4(n: n, expiration: Self.expiration, hP1: Hash(of: [1]), lock: p3.hash, key: k)
    let p5a = try Verified(
      signing: P5a(
        submission: try Verified(signing: p4, with: signingKey(Actor.merchant)).bytes, at: Self.now,
        lifetime: Self.lifetime), with: signingKey(Actor.archive))
    return (n, p3.hash, p5a)
  }

  /// Hands a message in and returns the answer; the books add up before it comes back.
  @discardableResult
  func ask(_ bytes: [UInt8], clearing: Int64? = 0) async throws -> [UInt8] {
    let reply = try await service.answer(Incoming(bytes))
    if let clearing { _ = try await sums(clearing: clearing) }
    return try #require(reply)
  }

  /// The refusal that the bank signs for these bytes.
  func refusal(of bytes: [UInt8]) async throws -> Refusal {
    let refusal = try Verified<Refusal>(try await ask(bytes), by: .key(key))
    #expect(refusal.payload.hRequest == Hash(of: bytes))
    return refusal.payload
  }

  /// What the accounts hold, after checking that all is balanced, seen from the accounts and the tokens.
  func sums(clearing: Int64 = 0) async throws -> Sums {
    let ids = made.map(\.token.id.bytes)
    let (accounts, totals, rows) = try await store.read { tx in
      (try tx.accounts(), try tx.ledgerTotals(), try ids.compactMap { try tx.token($0) })
    }
    #expect(totals.map(\.sum) == [0])
    #expect(accounts.filter(ClearingBooks.isClearing).reduce(0) { $0 + $1.balance } == clearing)
    func balance(_ id: String) -> Int64 { accounts.first { $0.id == id }?.balance ?? .min }
    let sums = Sums(
      customer: balance("customer"), merchant: balance("merchant"),
      tokens: balance(BankBooks.System.tokens.id("EUR")),
      locked: balance(BankBooks.System.locked.id("EUR")), fees: balance(BankBooks.System.fees.id("EUR")))
    #expect(
      sums.customer + sums.merchant + sums.tokens + sums.locked + sums.fees + clearing == Self.deposit,
      "what came in is not what is there")
    #expect(sums.locked == rows.reduce(0) { $0 + $1.locked }, "the tokens say otherwise than the ledger")
    let used = rows.reduce(0) { $0 + $1.locked + $1.spent }
    #expect(sums.tokens == made.reduce(0) { $0 + Int64($1.value) } - used, "tokens outstanding")
    #expect(try await store.check() == [])
    return sums
  }

  // MARK: Tokens

  func denomination(_ value: UInt64) throws -> Denomination {
    try #require(keys.list.keys.first { $0.value.amount == value })
  }

  /// Blinds messages for tokens of these values, under fresh token keys; usable at another bank, if it is
  /// named.
  func blind(
    _ values: [UInt64], usableAt place: PublicKey? = nil
  ) throws -> (outputs: [Blinded], finish: ([[UInt8]]) throws -> [TestToken]) {
    let usableAt = place ?? key
    func id(_ owner: UInt8, _ serial: Hash) -> Hash {
      .token(
        key: publicKey(owner), serial: serial, place: TokenPlace(bank: usableAt, issuer: key))
    }
    var outputs: [Blinded] = []
    var wishes: [(UInt8, Hash, BlindingKey, BlindedMessage, Denomination)] = []
    for value in values {
      let denomination = try denomination(value)
      let (owner, serial) = (nextToken, Hash(randomBytes(32))!)
      nextToken += 1
      let blinding = try BlindingKey(denomination)
      let message = try blinding.blind(message: id(owner, serial).bytes)
      outputs.append(Blinded(keyID: denomination.id, message: message.blinded))
      wishes.append((owner, serial, blinding, message, denomination))
    }
    return (
      outputs,
      { signatures in
        try #require(signatures.count == wishes.count)
        let tokens = try zip(signatures, wishes).map { signature, wish in
          let (owner, serial, blinding, message, denomination) = wish
          let plain = try blinding.finalize(
            blindSignature: signature, inverse: message.inverse, message: id(owner, serial).bytes)
          let token = Token(
            bank: usableAt, key: publicKey(owner), serial: serial, keyID: denomination.id, signature: plain,
            issuer: self.key)
          return TestToken(token: token, key: owner, value: denomination.value.amount)
        }
        self.made += tokens
        return tokens
      }
    )
  }

  func w1(_ outputs: [Blinded], _ amount: UInt64) throws -> [UInt8] {
    try Verified(
      signing: W1(
        bank: key, amount: euros(amount), order: Nonce(randomBytes(16))!, outputs: outputs, recovery: nil),
      with: signingKey(Actor.account)
    ).bytes
  }

  /// Tokens of these values, withdrawn from the customer's account.
  func withdraw(_ values: [UInt64], usableAt place: PublicKey? = nil) async throws -> [TestToken] {
    let (outputs, finish) = try blind(values, usableAt: place)
    // Not by `ask`: in between, the ledger counts tokens that nobody has unblinded yet.
    let reply = try #require(try await service.answer(Incoming(try w1(outputs, values.reduce(0, +)))))
    let tokens = try finish(Verified<W2>(reply, by: .key(key)).payload.signatures)
    _ = try await sums()
    return tokens
  }
}
