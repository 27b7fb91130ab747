// What the wallet does in each phase of a purchase, in any mode with a contract (US 6,076,078, FIGS. 4 to 6).
//
// Every step: load the machine, give it the event, store what it says in one durable step, then act.
// `advance` looks at the phase alone, so that a crash anywhere leads back to the same place.

import BlindTokens
import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  func advance<M: ContractMode>(_: M.Type, _ number: UInt64, looksForOutcome: Bool) async throws {
    typealias Machine = CustomerPurchase<M>
    while true {
      let (info, machine) = try await look(Machine.self, number)
      if try await advanceUnpaid(Machine.self, info, machine) { continue }
      switch machine.phase {
      case .authorised: try await lock(M.self, number, machine.p2!)
      case .locked where M.mode == .repeated:
        guard try await continueSeries(number, looksForOutcome: looksForOutcome) else { return }
      case .locked: try await settle(M.self, info, machine.p3!)
      case .paid where M.mode == .repeated:
        try await deliverItems(number)
        try await apply(Machine.self, number) { machine in machine.opened() }
      case .paid:
        let goods = M.deliversAfterLock ? try await paidGoods(M.self, number) : machine.p1!.payload.goods!
        try await deliver(Machine.self, info, machine, goods)
      default: return
      }
    }
  }

  /// The steps up to the payment, in any machine under a contract; false from the payment on.
  func advanceUnpaid<P: PurchaseMachine>(_: P.Type, _ info: PurchaseInfo, _ machine: P) async throws -> Bool {
    if try await advanceUnchecked(P.self, info, machine) { return true }
    guard machine.phase == .checked else { return false }
    try await authorise(P.self, info, machine.p1!)
    return true
  }

  /// The steps up to the goods, in any machine; false from there on.
  func advanceUnchecked<P: RequestedMachine>(_: P.Type, _ info: PurchaseInfo, _ machine: P) async throws
    -> Bool
  {
    switch machine.phase {
    case .requested: try await request(P.self, info, PublicKey(hex: info.merchant)!)
    case .offered: try await fetchOffered(P.self, info, machine)
    default: return false
    }
    return true
  }

  /// Fetches the ciphertext of an offer.
  func fetchOffered<P: CustomerMachine>(_: P.Type, _ info: PurchaseInfo, _ machine: P) async throws {
    let offer = machine.p1!
    let goods = PurchasedGoods(offer, offer.payload.goods!)
    try await fetch(goods, for: info)
    try await apply(P.self, info.number) { machine in
      machine.ciphertextChecked(root: goods.claim.root, length: goods.claim.length)
    }
  }

  /// Opens the goods with the key that was paid for.
  func deliver<P: CustomerMachine>(_: P.Type, _ info: PurchaseInfo, _ machine: P, _ goods: GoodsClaim)
    async throws
  {
    let offer = machine.p1!
    let (output, goods) = (outputPath(info, offer.payload.n), PurchasedGoods(offer, goods))
    // When it was restored the merchant did not deliver the ciphertext.
    if try !GoodsIntake(sealedPath(goods.n, goods.item), goods.claim).isFull {
      try await fetch(goods, for: info)
    }
    try await open(goods, key: machine.goodsKey!, output: output)
    try await apply(P.self, info.number) { machine in machine.opened() }
    report(.note("delivered: \(output)"))
  }

  /// The merchant's name for the goods, made harmless: no directories, nothing hidden.
  func safeName(_ name: String, _ n: TransactionID, _ item: UInt64 = 0) -> String {
    let last = name.split(separator: "/").last.map(String.init) ?? ""
    let safe = last.isEmpty || last.hasPrefix(".") ? "goods-\(n)" : last
    return item == 0 ? safe : "\(item)-\(safe)"
  }

  private func request<P: RequestedMachine>(_: P.Type, _ info: PurchaseInfo, _ merchant: PublicKey)
    async throws
  {
    let number = info.number
    let n1 = try await message(number, .n1)
    guard let reply = try await exchange(n1, with: merchant) else {
      throw ServiceError.unreachable(
        "the merchant's operator has not answered the bid yet: try `resume` later")
    }
    if let n2 = try? Verified<N2>(reply, by: .key(merchant)) {
      return try await countered(n2, number, most: info.chosen.most)
    }
    let offer: Verified<P.Offer>
    do { offer = try expect(reply, from: merchant, for: n1) } catch let refused as RefusedByPeer {
      try await apply(P.self, number) { machine in machine.abandoned() }
      throw refused
    }
    let policy = CustomerPolicy(trust: trust.list)
    let now = clock()
    try await apply(P.self, number) { machine in
      machine.offered(offer, description: info.description, policy: policy, at: now)
    }
  }

  /// Chooses tokens, signs P2 and keeps it; it is sent in the next step.
  private func authorise<P: PurchaseMachine>(_: P.Type, _ info: PurchaseInfo, _ p1: Verified<P.Offer>)
    async throws
  {
    let (number, contract) = (info.number, p1.payload.contract)
    if info.chosen.card == true { _ = try cards.card() }
    let budget = info.series.flatMap { Money($0.budget) }
    let (bank, chosen): (TrustEntry, [ChosenCoin])
    let named = info.pseudonymIndex == WalletSeed.account
    do {
      (bank, chosen) = try await choose(contract, at: budget ?? contract.price, info.chosen, named: named)
    } catch {
      try await apply(P.self, number) { machine in machine.abandoned() }
      throw error
    }
    let archive = P.Mode.archiveRole == .bank ? bank : try party(.archive, named: info.chosen.archive)
    let expiration = min(contract.expirationMax, clock() + info.chosen.expirationSeconds)
    let inputs = try chosen.map { TokenInput(token: try $0.coin.decoded(), amount: $0.amount) }
    let indices = Set(chosen.map(\.coin.keyIndex)).sorted()
    let (_, machine) = try await store.read { try self.load(P.self, $0, number) }
    let p2: AuthorizationQ<P.Mode>
    do {
      p2 = try machine.authorization(
        tokens: inputs, bank: bank.key, archive: archive.key, expiration: expiration, budget: budget)
    } catch {
      try await apply(P.self, number) { machine in machine.abandoned() }
      throw ServiceError.configuration("\(error.detail); nothing was paid")
    }
    let signed = try sign(p2, keyIndices: indices)
    try await apply(P.self, number, holding: inputs) { machine in machine.authorised(signed) }
  }

  private func lock<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ p2: Verified<M.Request>
  ) async throws {
    let bank = p2.payload.bank
    let reply = try await exchange(p2.bytes, with: bank)
    if let refusal = reply.flatMap({ try? Verified<Refusal>($0, by: .key(bank)) }) {
      try await apply(CustomerPurchase<M>.self, number) { machine in machine.refusedByBank(refusal) }
      throw RefusedByPeer(refusal: refusal)
    }
    let p3: Verified<M.LockMessage> = try expect(reply, from: bank, for: p2.bytes)
    let pseudonym = try await info(number).pseudonymIndex
    try await apply(CustomerPurchase<M>.self, number) { [seed] machine in
      try machine.locked(p3, pseudonym: seed.pseudonymKey(pseudonym))
    }
  }

  /// Waits for the outcome by the chosen route; after the expiration it asks for the abort.
  func settle<M: ContractMode>(_: M.Type, _ info: PurchaseInfo, _ p3: Verified<M.LockMessage>) async throws {
    let (number, terms) = (info.number, p3.payload.terms)
    let merchant = terms.merchant
    var (received, told) = (!M.deliversAfterLock, false)
    var rounds = Rounds(until: terms.expiration, silence: "the archive has not answered")
    while true {
      if !received { received = await receive(M.self, number, p3) }
      if received, !told { told = await acknowledge(number, by: Label(M.Note.type), merchant) }
      try await rounds.next(surroundings)
      let found =
        info.chosen.completion == .archive
        ? try? await askArchive(M.self, p3) : try? await askMerchant(M.self, number, terms, merchant)
      if let outcome = found ?? nil {
        try await decide(M.self, number, outcome)
        return
      }
      // Whoever has the outcome will do: an archive may have answered the bank alone.
      let late = clock() >= terms.expiration
      var last = late ? try? await demandOutcome(M.self, p3) : nil
      if late, last == nil { last = (try? await askBank(M.self, number, p3)) ?? nil }
      if let outcome = last {
        try await decide(M.self, number, outcome)
        return
      }
      try rounds.check(at: clock())
    }
  }

  /// Takes the outcome. Of a series, first what this wallet has forgotten: the record ends it.
  func decide<M: ContractMode>(_: M.Type, _ number: UInt64, _ outcome: Outcome<M>) async throws {
    if let last = (outcome as? Outcome<RepeatedMode>)?.committed { try await remember(upTo: last, number) }
    try await apply(CustomerPurchase<M>.self, number) { machine in machine.decided(outcome) }
  }

  /// Sends S_p(P1) or its kin, if there is one; false when the merchant could not be told.
  func acknowledge(_ number: UInt64, by label: Label, _ merchant: PublicKey) async -> Bool {
    guard let note = try? await message(number, label) else { return true }
    do { _ = try await exchange(note, with: merchant) } catch { return false }
    return true
  }

  /// The archive's public record of (M, n).
  func askArchive<M: LockMode>(_: M.Type, _ p3: Verified<M.LockMessage>) async throws -> Outcome<M>? {
    // The record of (M, n) may hold aborts of other locks (attack 1).
    try await outcome(of: p3, in: try await record(p3.payload.terms), M.self)
  }

  /// All that the archive has of (M, n).
  func record(_ terms: LockTerms) async throws -> [[UInt8]] {
    let archive = try entry(terms.archive)
    let reply = try await transport.send(
      "GET", url: archive.url! + "/v1/records/\(terms.merchant)/\(terms.n)", body: nil, contentType: nil)
    guard reply.status == 200 else { return [] }
    let messages = try Messages.Bundle(encoded: reply.body).messages
    for bytes in messages {
      report(
        .message(
          label: Self.label(bytes), from: "archive", to: "customer", bytes: bytes.count, milliseconds: 0))
    }
    return messages
  }

  /// The outcome of this lock among these messages, once it is final.
  func outcome<M: LockMode>(
    of p3: Verified<M.LockMessage>, in messages: [[UInt8]], _: M.Type
  ) async throws -> Outcome<M>? {
    for bytes in messages {
      guard let outcome = try? Outcome<M>(bytes, trust: trust.list), Lock<M>(p3).mismatch(outcome) == nil
      else { continue }
      try await proofs.require(outcome)
      return outcome
    }
    return nil
  }

  /// Asks the merchant, as the pseudonym. Under early completion its answer may hold P4 before the
  /// archive's: then the goods are opened at once, and P5a is still waited for.
  private func askMerchant<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ terms: LockTerms, _ merchant: PublicKey
  ) async throws -> Outcome<M>? {
    let pseudonym = try await info(number).pseudonymIndex
    let answer = try await status(of: terms.n, merchant, at: merchant, pseudonym: pseudonym)
    for bytes in answer.payload.proof {
      if let outcome = try? Outcome<M>(bytes, trust: trust.list) {
        try await proofs.require(outcome)
        return outcome
      }
      if let submission = try? Verified<M.Submission>(bytes, by: .key(merchant)) {
        try await openEarly(M.self, number, terms, submission)
      }
    }
    return nil
  }

  private func openEarly<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ terms: LockTerms, _ p4: Verified<M.Submission>
  ) async throws {
    let (info, machine) = try await look(CustomerPurchase<M>.self, number)
    guard let offer = machine.p1, let claim = machine.goods,
      let k = M.goodsKey(published: p4.payload, offer.payload)
    else { return }
    try await openEarly(M.self, PurchasedGoods(offer, claim), terms, p4, by: k, info)
  }

  /// Opens the goods by k, if what M submitted is what the lock is for.
  func openEarly<M: LockMode>(
    _: M.Type, _ goods: PurchasedGoods, _ terms: LockTerms, _ submission: Verified<M.Submission>,
    by k: [UInt8], _ info: PurchaseInfo
  ) async throws {
    let key = submission.payload.key
    guard submission.payload.n == terms.n,
      Hash.keyCommitment(M.mode, merchant: submission.signer, n: terms.n, key: key) == terms.hx
    else { return }
    let output = outputPath(info, goods.n)
    guard !FileManager.default.fileExists(atPath: output) else { return }
    try await open(goods, key: k, output: output)
    report(.note("opened early, on the merchant's trust: \(output)"))
  }

  func outputPath(_ info: PurchaseInfo, _ n: TransactionID) -> String {
    info.output ?? directory.file("goods/\(safeName(info.name, n))")
  }

  /// What `party` says of (M, n) to the purchase's pseudonym. With `after` a bank shows the refund behind
  /// that RF2 instead, the first one behind L.
  func status(
    of n: TransactionID, _ merchant: PublicKey, at party: PublicKey, pseudonym: UInt64, after: Hash? = nil
  ) async throws -> Verified<StatusAnswer> {
    try await status(of: n, merchant, at: party, as: seed.pseudonymKey(pseudonym), after: after)
  }

  /// What `party` says of (M, n) to this key.
  func status(
    of n: TransactionID, _ merchant: PublicKey, at party: PublicKey, as key: borrowing SigningKey,
    after: Hash? = nil
  ) async throws -> Verified<StatusAnswer> {
    var generator = surroundings.randomness
    let query = StatusQuery(n: n, merchant: merchant, nonce: .random(using: &generator), serial: after)
    return try await answer(to: query, at: party, as: key)
  }

  /// What `party` answers to this key, and to just this question.
  func answer(
    to question: StatusQuery, at party: PublicKey, as key: borrowing SigningKey
  ) async throws -> Verified<StatusAnswer> {
    try await answer(to: Verified(signing: question, with: key), at: party)
  }

  /// What `party` answers to a signed question.
  func answer(to query: Verified<StatusQuery>, at party: PublicKey) async throws -> Verified<StatusAnswer> {
    let answer: Verified<StatusAnswer> = try expect(
      try await exchange(query.bytes, with: party), from: party, for: query.bytes)
    guard answer.payload.hQuery == query.hash else {
      throw ServiceError.protocolViolation("\(try entry(party).name) answered another query")
    }
    return answer
  }

  /// The bank's status answer holds the outcome once the bank has acted on it.
  private func askBank<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ p3: Verified<M.LockMessage>
  ) async throws -> Outcome<M>? {
    let terms = p3.payload.terms
    let pseudonym = try await info(number).pseudonymIndex
    let answer = try await status(of: terms.n, terms.merchant, at: p3.signer, pseudonym: pseudonym)
    return try await outcome(of: p3, in: answer.payload.proof, M.self)
  }

  /// After the expiration: P3 at the archive asks for the abort, and gets whichever outcome there is.
  func demandOutcome<M: LockMode>(
    _: M.Type, _ p3: Verified<M.LockMessage>
  ) async throws -> Outcome<M> {
    guard let reply = try await exchange(p3.bytes, with: p3.payload.terms.archive) else {
      throw ServiceError.protocolViolation("the archive gave no answer")
    }
    let outcome = try Outcome<M>(reply, trust: trust.list)
    try await proofs.require(outcome)
    // The bank may not have heard: an abort frees the tokens there only when it arrives.
    await proofs.show(outcome.bytes, to: try entry(p3.signer).url!)
    _ = try? await exchange(outcome.bytes, with: p3.signer)
    return outcome
  }
}
