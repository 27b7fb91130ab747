// Buying by the core protocol (US 6,076,078, FIG. 4), and taking purchases up again after any interruption.
//
// Every step: load the machine, give it the event, store what it says in one durable step, then act.
// `advance` looks at the phase alone, so that a crash anywhere leads back to the same place.

import BlindTokens
import Foundation
public import Messages
public import Parties
import Storage

/// What to buy, and how.
public struct BuyOptions: Sendable {
  public var merchant: String?
  public var bank: String?
  public var archive: String?
  /// Ask for two-sided delivery.
  public var twoSided = false
  /// Where k comes from.
  public var completion = CompletionRoute.archive
  /// How long the archive may take.
  public var expirationSeconds: UInt64 = 600
  /// The file to write; nil: the goods' name in the working directory.
  public var output: String?

  public init() {}
}

/// A purchase as it stands.
public struct PurchaseSummary: Codable, Equatable, Sendable {
  public var number: UInt64
  public var phase: String
  public var price: String
  public var name: String
  public var description: String
  public var transaction: String?
  public var merchant: String
  public var startedAt: Timestamp
  public var output: String?
}

extension Wallet {
  // MARK: Offers

  /// A merchant's offers, checked against its key.
  public func offers(merchant name: String?) async throws -> [Offer] {
    let merchant = try party(.merchant, named: name)
    let reply = try await transport.send(
      "GET", url: merchant.url! + "/v1/offers", body: nil, contentType: nil)
    guard reply.status == 200 else {
      throw ServiceError.unreachable("\(merchant.name): HTTP \(reply.status)")
    }
    return try Verified<Offers>(reply.body, by: .key(merchant.key)).payload.offers
  }

  // MARK: Buying

  /// Buys an offer and waits until it is delivered or ended. Returns the purchase's number.
  public func buy(_ offer: Offer, options: BuyOptions) async throws -> UInt64 {
    let merchant = try party(.merchant, named: options.merchant)
    let now = clock()
    var generator = SystemRandomNumberGenerator()
    let number = try await store.write { try $0.take("purchase") }
    let pseudonym = seed.pseudonymKey(number)
    let n1 = try Verified(
      signing: N1(
        nonce: .random(using: &generator), price: offer.price, offer: offer.id, twoSided: options.twoSided),
      with: pseudonym)
    let info = PurchaseInfo(
      number: number, pseudonymIndex: number, merchant: merchant.key.description,
      description: offer.description, name: offer.name, price: offer.price.description, startedAt: now,
      output: options.output)
    try await store.write { tx in
      try tx.keep(.n1, n1.bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
      try tx.putPurchase(info, phase: .requested, due: nil)
    }
    try await advance(number, options: options)
    return number
  }

  /// Goes on with every purchase that is not at its end.
  public func resume(options: BuyOptions = BuyOptions()) async throws {
    try await resumeMoney()
    for summary in try await purchases() where summary.isOpen {
      do { try await advance(summary.number, options: options) } catch {
        report(.note("purchase \(summary.number): \(error)"))
      }
    }
  }

  /// Takes a purchase as far as it goes now.
  func advance(_ number: UInt64, options: BuyOptions) async throws {
    while true {
      let (info, phase, p1, p2, p3, key) = try await look(number)
      let merchant = PublicKey(hex: info.merchant)!
      switch phase {
      case .requested: try await request(number, info, merchant)
      case .offered:
        let (root, length) = try await fetch(p1!, pseudonym: info.pseudonymIndex)
        try await apply(number) { machine in machine.ciphertextChecked(root: root, length: length) }
      case .checked: try await authorise(number, p1!, options)
      case .authorised: try await lock(number, p2!)
      case .locked: try await settle(number, p3!, merchant, options)
      case .paid:
        let output = outputPath(info, p1!)
        try await open(p1!, key: key!, output: output)
        try await apply(number) { machine in machine.opened() }
        report(.note("delivered: \(output)"))
      case .delivered, .aborted, .refused, .abandoned: return
      }
    }
  }

  /// The merchant's name for the goods, made harmless: no directories, nothing hidden.
  private func safeName(_ name: String, _ n: TransactionID) -> String {
    let last = name.split(separator: "/").last.map(String.init) ?? ""
    return last.isEmpty || last.hasPrefix(".") ? "goods-\(n)" : last
  }

  // MARK: Steps

  private func request(_ number: UInt64, _ info: PurchaseInfo, _ merchant: PublicKey) async throws {
    let n1 = try await message(number, .n1)
    let reply = try await exchange(n1, with: merchant)
    let p1: Verified<P1>
    do { p1 = try expect(reply, from: merchant, for: n1) } catch let refused as RefusedByPeer {
      try await apply(number) { machine in machine.abandoned() }
      throw refused
    }
    let policy = CustomerPolicy(trust: trust.list)
    let now = clock()
    try await apply(number) { machine in
      machine.offered(p1, description: info.description, policy: policy, at: now)
    }
  }

  /// Chooses tokens, signs P2 and keeps it; it is sent in the next step.
  private func authorise(_ number: UInt64, _ p1: Verified<P1>, _ options: BuyOptions) async throws {
    let contract = p1.payload.contract
    let bank = try party(.bank, named: options.bank)
    let archive = try party(.archive, named: options.archive)
    let expiration = min(contract.expirationMax, clock() + options.expirationSeconds)
    var byID: [[UInt8]: Coin] = [:]
    for (id, coin) in try await store.read({ try $0.identifiedCoins() })
    where coin.currency == contract.price.currency && coin.available > 0 {
      byID[id] = coin
    }
    let chosen: [TokenAmount]
    do {
      chosen = try TokenSelection.select(
        price: contract.price.amount,
        from: byID.map { SpendableToken(id: $0.key, value: $0.value.available, expires: $0.value.spendUntil) }
          .sorted { $0.id.lexicographicallyPrecedes($1.id) }, lifetime: contract.lifetime + 1)
    } catch {
      try await apply(number) { machine in machine.abandoned() }
      throw ServiceError.insufficientFunds("not enough tokens for \(contract.price): \(error)")
    }
    let inputs = try chosen.map { TokenInput(token: try byID[$0.id]!.decoded(), amount: $0.amount) }
    let indices = Set(chosen.map { byID[$0.id]!.keyIndex }).sorted()
    let (_, machine) = try await store.read { try self.load($0, number) }
    let p2: P2
    do {
      p2 = try machine.authorization(
        tokens: inputs, bank: bank.key, archive: archive.key, expiration: expiration)
    } catch {
      try await apply(number) { machine in machine.abandoned() }
      throw ServiceError.configuration("\(error.detail); nothing was paid")
    }
    let signed = try sign(p2, keyIndices: indices)
    try await apply(number, holding: inputs) { machine in machine.authorised(signed) }
  }

  private func lock(_ number: UInt64, _ p2: Verified<P2>) async throws {
    let bank = p2.payload.bank
    let reply = try await exchange(p2.bytes, with: bank)
    if let refusal = reply.flatMap({ try? Verified<Refusal>($0, by: .key(bank)) }) {
      try await apply(number) { machine in machine.refusedByBank(refusal) }
      throw RefusedByPeer(refusal: refusal)
    }
    let p3: Verified<P3> = try expect(reply, from: bank, for: p2.bytes)
    let pseudonym = try await info(number).pseudonymIndex
    try await apply(number) { [seed] machine in
      try machine.locked(p3, pseudonym: seed.pseudonymKey(pseudonym))
    }
  }

  /// Waits for the outcome by the chosen route; after the expiration it asks for the abort.
  private func settle(
    _ number: UInt64, _ p3: Verified<P3>, _ merchant: PublicKey, _ options: BuyOptions
  ) async throws {
    let terms = p3.payload.terms
    if let acknowledgement = try? await message(number, .acknowledgement) {
      _ = try? await exchange(acknowledgement, with: merchant)
    }
    // The outcome takes two more deliveries and two durable steps: never there at once, often soon after.
    var pause = 5
    while true {
      try await Task.sleep(for: .milliseconds(pause))
      pause = min(pause * 2, 1000)
      let found =
        options.completion == .archive
        ? try? await askArchive(p3) : try? await askMerchant(number, terms, merchant)
      if let outcome = found ?? nil {
        try await apply(number) { machine in machine.decided(outcome) }
        return
      }
      if clock() >= terms.expiration, let outcome = try? await demandOutcome(p3) {
        try await apply(number) { machine in machine.decided(outcome) }
        return
      }
      if clock() > terms.expiration + 30 {
        throw ServiceError.unreachable(
          "the archive has not answered yet; the money is safe, try `resume` later")
      }
    }
  }

  /// The archive's public record of (M, n).
  private func askArchive(_ p3: Verified<P3>) async throws -> Outcome? {
    let terms = p3.payload.terms
    let archive = try entry(terms.archive)
    let reply = try await transport.send(
      "GET", url: archive.url! + "/v1/records/\(terms.merchant)/\(terms.n)", body: nil, contentType: nil)
    guard reply.status == 200 else { return nil }
    for bytes in try Messages.Bundle(encoded: reply.body).messages {
      // The record of (M, n) may hold aborts of other locks (attack 1): only this lock's outcome counts.
      guard let outcome = try? Outcome(bytes, trust: trust.list), Lock(p3).mismatch(outcome) == nil else {
        continue
      }
      report(
        .message(
          label: Self.label(bytes), from: "archive", to: "customer", bytes: bytes.count, milliseconds: 0))
      return outcome
    }
    return nil
  }

  /// Asks the merchant, as the pseudonym. Under early completion its answer may hold P4 before the
  /// archive's: then the goods are opened at once, and P5a is still waited for.
  private func askMerchant(
    _ number: UInt64, _ terms: LockTerms, _ merchant: PublicKey
  ) async throws -> Outcome? {
    let answer = try await merchantStatus(try await info(number).pseudonymIndex, terms.n, merchant)
    for bytes in answer.payload.proof {
      if let outcome = try? Outcome(bytes, trust: trust.list) { return outcome }
      if let p4 = try? Verified<P4>(bytes, by: .key(merchant)) { try await openEarly(number, terms, p4) }
    }
    return nil
  }

  private func openEarly(_ number: UInt64, _ terms: LockTerms, _ p4: Verified<P4>) async throws {
    let (info, _, p1, _, _, _) = try await look(number)
    let key = p4.payload.key
    guard let p1, p4.payload.n == terms.n,
      Hash.keyCommitment(.core, merchant: p4.signer, n: terms.n, key: key) == terms.hx
    else { return }
    let output = outputPath(info, p1)
    guard !FileManager.default.fileExists(atPath: output) else { return }
    try await open(p1, key: key, output: output)
    report(.note("opened early, on the merchant's trust: \(output)"))
  }

  private func outputPath(_ info: PurchaseInfo, _ p1: Verified<P1>) -> String {
    info.output ?? directory.file("goods/\(safeName(info.name, p1.payload.n))")
  }

  func merchantStatus(
    _ pseudonym: UInt64, _ n: TransactionID, _ merchant: PublicKey
  ) async throws -> Verified<StatusAnswer> {
    var generator = SystemRandomNumberGenerator()
    let query = try Verified(
      signing: StatusQuery(n: n, merchant: merchant, nonce: .random(using: &generator)),
      with: seed.pseudonymKey(pseudonym))
    let answer: Verified<StatusAnswer> = try expect(
      try await exchange(query.bytes, with: merchant), from: merchant, for: query.bytes)
    guard answer.payload.hQuery == query.hash else {
      throw ServiceError.protocolViolation("the merchant answered another query")
    }
    return answer
  }

  /// After the expiration: P3 at the archive asks for the abort, and gets whichever outcome there is.
  private func demandOutcome(_ p3: Verified<P3>) async throws -> Outcome {
    guard let reply = try await exchange(p3.bytes, with: p3.payload.terms.archive) else {
      throw ServiceError.protocolViolation("the archive gave no answer")
    }
    let outcome = try Outcome(reply, trust: trust.list)
    // The bank may not have heard: an abort frees the tokens there only when it arrives.
    _ = try? await exchange(outcome.bytes, with: p3.signer)
    return outcome
  }

  // MARK: The machine in the store

  func load(_ tx: any StoreTransaction, _ number: UInt64) throws -> (PurchaseInfo, CustomerPurchase) {
    guard let (row, info) = try tx.purchase(number), let phase = CustomerPurchase.Phase(rawValue: row.phase)
    else {
      throw ServiceError.notFound("there is no purchase \(number)")
    }
    let messages = try tx.labelled(kind: PurchaseInfo.kind, key: RowKey.number(number))
    return (info, try CustomerPurchase(phase: phase, messages: messages))
  }

  private func look(_ number: UInt64) async throws -> (
    PurchaseInfo, CustomerPurchase.Phase, Verified<P1>?, Verified<P2>?, Verified<P3>?, [UInt8]?
  ) {
    try await store.read { tx in
      let (info, machine) = try self.load(tx, number)
      return (
        info, machine.phase, machine.p1, machine.p2, machine.p3,
        machine.publishedKey
      )
    }
  }

  private func info(_ number: UInt64) async throws -> PurchaseInfo {
    try await store.read { tx in
      guard let (_, info) = try tx.purchase(number) else {
        throw ServiceError.notFound("there is no purchase \(number)")
      }
      return info
    }
  }

  private func message(_ number: UInt64, _ label: Label) async throws -> [UInt8] {
    let found = try await store.read {
      try $0.message(kind: PurchaseInfo.kind, key: RowKey.number(number), label: label.rawValue)
    }
    guard let found else { throw ServiceError.notFound("purchase \(number) has no \(label.rawValue)") }
    return found
  }

  /// Gives the machine an event and stores what it says, in one durable step.
  func apply(
    _ number: UInt64, holding inputs: [TokenInput] = [],
    _ event: @escaping @Sendable (inout CustomerPurchase) throws -> [CustomerEffect]
  ) async throws {
    let denial = try await store.write { tx -> Denial? in
      let (info, stored) = try self.load(tx, number)
      var machine = stored
      try tx.updateCoins(inputs) { coin, amount in coin.held += amount }
      var denial: Denial?
      for effect in try event(&machine) {
        switch effect {
        case .keep(let label, let bytes):
          try tx.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
        case .enter(let phase, let due): try tx.putPurchase(info, phase: phase, due: due)
        case .send: break  // `advance` sends what the phase calls for, now and after a restart
        case .spent(let inputs):
          try tx.updateCoins(inputs) { coin, amount in
            coin.held -= min(coin.held, amount)
            coin.rest -= min(coin.rest, amount)
          }
        case .freed(let inputs):
          try tx.updateCoins(inputs) { coin, amount in coin.held -= min(coin.held, amount) }
        case .deny(let reason): denial = reason
        }
      }
      return denial
    }
    if let denial { throw ServiceError.protocolViolation(denial.detail) }
  }

  // MARK: Looking

  /// All purchases, the oldest first.
  public func purchases() async throws -> [PurchaseSummary] {
    let rows = try await store.read {
      try $0.machines(kind: PurchaseInfo.kind, phase: nil, after: nil, limit: 10_000)
    }
    var result: [PurchaseSummary] = []
    for row in rows {
      let info = try JSONDecoder().decode(PurchaseInfo.self, from: Data(row.data))
      let p1 = try? Verified<P1>(stored: try await message(info.number, .p1))
      let merchant = PublicKey(hex: info.merchant).flatMap { key in trust.list.entries.first { $0.key == key }
      }
      result.append(
        PurchaseSummary(
          number: info.number, phase: CustomerPurchase.Phase(rawValue: row.phase).map { "\($0)" } ?? "?",
          price: info.price, name: info.name, description: info.description,
          transaction: p1?.payload.n.description, merchant: merchant?.name ?? info.merchant,
          startedAt: info.startedAt, output: info.output))
    }
    return result
  }

  /// The receipt of a paid purchase.
  public func receipt(_ number: UInt64) async throws -> Receipt {
    let info = try await info(number)
    guard let p5a = try? await message(number, .p5a) else {
      throw ServiceError.notFound("purchase \(number) is not paid, so there is no receipt")
    }
    let p1 = try Verified<P1>(stored: try await message(number, .p1))
    // A restored wallet may not know the description any more: none is better than another one.
    let known =
      Hash.description(info.description, salt: p1.payload.salt) == p1.payload.contract.descriptionHash
    return Receipt(p1: p1.bytes, p5a: p5a, description: known ? info.description : nil)
  }

  /// The signed messages of a purchase, by label, as they went over the wire.
  public func messages(_ number: UInt64) async throws -> [(label: String, bytes: [UInt8])] {
    try await store.read { tx in
      try tx.messages(kind: PurchaseInfo.kind, key: RowKey.number(number)).map { ($0.label, $0.bytes) }
    }
  }
}

extension PurchaseSummary {
  /// True while something can still happen.
  public var isOpen: Bool { !["delivered", "aborted", "refused", "abandoned"].contains(phase) }
}
