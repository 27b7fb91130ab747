// Invariants 3, 4, 5 and 8 at archive, merchant and customer, after each durable step.

import Messages
import Parties
import Services
import Storage

/// Looks at one new record of an archive, or of a bank that is its own archive.
struct RecordWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ row: RecordRow) {
    guard let outcome = OutcomeFacts(row.body) else { return fail(4, "publishes what is no outcome") }
    guard outcome.isCommit == (row.kind == .commit), outcome.lock.bytes == row.lock,
      outcome.merchant.bytes == row.merchant, outcome.n.bytes == row.n, Int64(outcome.at) == row.at
    else { return fail(4, "files an outcome under another name") }
    guard outcome.archive == host.member.key else { return fail(4, "publishes another archive's outcome") }
    let earlier = image.records.dropLast()
    if earlier.contains(where: { $0.lock == row.lock }) { fail(4, "two outcomes of one lock") }
    if outcome.isCommit,
      earlier.contains(where: { $0.kind == .commit && $0.merchant == row.merchant && $0.n == row.n })
    {
      fail(4, "two commits of one transaction")
    }
    if let last = earlier.last, last.at > row.at { fail(4, "its time goes back") }
    if let facts = referee.locks[outcome.lock] {
      if let fault = outcome.fault(for: facts.terms, mode: facts.mode, lock: facts.name) {
        fail(4, "publishes an outcome that is not the lock's: \(fault)")
      }
      // A compact lock is the bank's own, and only its abort frees it: however late it is asked.
      if row.at >= Int64(facts.terms.lifetime), facts.mode != .compact || outcome.isCommit {
        fail(4, "publishes after the transaction's lifetime")
      }
    } else if referee.world.hosts.allSatisfy({ $0.member.role != .bank || $0.isHonest }) {
      fail(4, "publishes an outcome of a lock that no bank made")
    }
    if outcome.isCommit { referee.secrets[outcome.n] = nil }
    if outcome.mode == .announced, outcome.isCommit, let facts = referee.locks[outcome.lock],
      OutcomeFacts.lacksConsent(row.body, facts.terms)
    {
      fail(2, "gives a token to the merchant without the word of the token's key")
    }
    checkHeld(row.body)
  }

  /// Early: where the archive vouches for goods, it has all of them.
  private func checkHeld(_ body: [UInt8]) {
    guard let bytes = (try? Unverified<E7a>(body))?.claims.held else { return }
    guard let held = try? Verified<Held>(bytes, by: .key(host.member.key)) else {
      return fail(3, "publishes a word about goods that it did not give")
    }
    let row = image.machines[PairKey("held", held.payload.lock.bytes + held.payload.hGoods.bytes)]
    guard let row, row.phase > 1 else { return fail(3, "vouches for goods that it does not hold") }
  }
}

/// Looks at one durable step of a merchant.
struct MerchantWatch: LockedSaleWatch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ mutations: [Mutation]) {
    RefundWatch(referee: referee, host: host, image: image).merchant(mutations)
    for case .machine(let row) in mutations where row.kind == "sale" {
      guard let number = row.data.first, let mode = Mode(rawValue: UInt64(number)),
        let phase = SalePhase(rawValue: row.phase), let n = TransactionID(row.key)
      else { return fail(8, "a sale that cannot be read") }
      if mode == .compact { CompactWatch(referee: referee, host: host, image: image).look(row, n, phase) }
      if mode == .repeated { lookAtSeries(row, mutations) }
      if mode == .announced { AnnouncedWatch(referee: referee, host: host, image: image).look(row, n, phase) }
      if Mode.invoices.contains(mode) {
        InvoiceSaleWatch(referee: referee, host: host, image: image).look(row, mode, phase)
      }
      guard let types = SimulatedModes.contract(mode) else { continue }
      look(types, row, n, phase)
    }
  }

  private func lookAtSeries(_ row: MachineRow, _ mutations: [Mutation]) {
    guard let watch = SeriesWatch(referee, host, image.log("sale", row.key)) else { return }
    for case .message("sale", row.key, let label, let bytes) in mutations {
      watch.sold(label, bytes, secret: Array(row.data.dropFirst()))
      if label == R10a.type.label, let outcome = OutcomeFacts(bytes) { watch.paid(outcome) }
    }
  }

  private func look<M: ContractMode>(_: M.Type, _ row: MachineRow, _ n: TransactionID, _ phase: SalePhase) {
    let log = image.log("sale", row.key)
    func last(_ label: String) -> [UInt8]? { log.last { $0.label == label }?.bytes }
    guard
      let offer = last(M.Offer.type.label).flatMap({ try? Verified<M.Offer>($0, by: .key(host.member.key)) })
    else { return fail(8, "a sale without its offer") }
    let key = Array(row.data.dropFirst())
    if phase == .offered && log.filter({ $0.label == M.Offer.type.label }).count == 1 {
      referee.began(offer, key, n, by: host)
    }
    let lock = last(M.lockType.label).flatMap { LockFacts($0) }
    if log.filter({ $0.label == M.lockType.label }).count > 1 { fail(4, "takes a second lock for one sale") }
    switch phase {
    case .offered, .declined: break
    case .authorised, .forcing: checkLock(offer, lock)
    case .submitted:
      checkLock(offer, lock)
      let note = last(M.Note.type.label)
      if offer.payload.contract.twoSided && note == nil && !M.deliversAfterLock {
        fail(3, "submits a two-sided sale without the customer's acknowledgement")
      }
      if M.Note.self == Acknowledgement.self, let note, !contains(note, offer.hash.bytes) {
        fail(3, "takes an acknowledgement of another contract")
      }
      if log.contains(where: { $0.label == Label.cancel.rawValue }) { fail(4, "submits what it cancelled") }
    case .cancelling: if lock == nil { fail(8, "cancels no lock") }
    case .committed, .credited:
      checkOutcome(last(M.commitType.label), lock, isCommit: true)
      if phase == .credited { checkCredit(last(Label.credit.rawValue), lock, last(M.commitType.label)) }
    case .aborted: checkOutcome(last(M.abortType.label) ?? last(P5c.type.label), lock, isCommit: false)
    case .claiming: fail(8, "claims an announced token in a sale under a contract")
    }
  }

  private func checkLock<O: OfferPayload>(_ offer: Verified<O>, _ lock: LockFacts?) {
    guard let lock else { return fail(8, "goes on without a lock") }
    let (terms, contract) = (lock.terms, offer.payload.contract)
    guard terms.merchant == host.member.key, terms.n == offer.payload.n, terms.hP1 == offer.hash,
      terms.hx == offer.payload.hx, terms.pseudonym == contract.pseudonym
    else { return fail(3, "goes on with the lock of another contract") }
    let isSeries = contract.mode == .repeated
    guard isSeries ? terms.base == contract.price : terms.value == contract.price else {
      return fail(
        3, "sells for \(isSeries ? terms.base ?? terms.value : terms.value) what costs \(contract.price)")
    }
    guard terms.value.amount >= contract.price.amount else {
      return fail(3, "opens a series whose budget of \(terms.value) does not pay \(contract.price)")
    }
    guard contract.banks.contains(lock.bank), contract.archives.contains(terms.archive) else {
      return fail(3, "goes on with a bank or archive that it does not accept")
    }
    guard terms.expiration <= contract.expirationMax, terms.lifetime == contract.lifetime else {
      return fail(7, "goes on with a lock of another time")
    }
  }
}

/// Looks at one durable step of a customer.
struct CustomerWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ mutations: [Mutation]) {
    var touchesCoins = false
    for case .machine(let row) in mutations {
      if row.kind == "coin" { touchesCoins = true }
      guard row.kind == "purchase" else { continue }
      guard let phase = PurchasePhase(rawValue: row.phase) else { return fail(8, "a purchase in no phase") }
      look(row.key, phase)
    }
    for case .message("purchase", let key, let label, let bytes) in mutations where label.first == "R" {
      SeriesWatch(referee, host, image.log("purchase", key))?.bought(label, bytes)
    }
    if touchesCoins && !host.needsRestore { checkHeld() }
    RefundWatch(referee: referee, host: host, image: image).customer(mutations)
    // Not when an older purchase that is still asked for is put down once more.
    for case .message("purchase", let key, "N1", let bytes) in mutations
    where image.log("purchase", key).count == 1 {
      if let n1 = try? Unverified<N1>(bytes) { NameWatch(referee, host).began(n1.claimedSigners[0]) }
    }
    for case .message("exchange", _, "X1", let bytes) in mutations {
      NameWatch(referee, host).exchanges(bytes)
    }
  }

  private func look(_ key: [UInt8], _ phase: PurchasePhase) {
    let log = image.log("purchase", key)
    if log.isOfInvoice {
      return InvoicePurchaseWatch(referee: referee, host: host, image: image).look(log, phase)
    }
    guard let request = RequestFacts(in: log) else {
      if phase.rawValue >= PurchasePhase.authorised.rawValue
        && phase.rawValue < PurchasePhase.abandoned.rawValue
      {
        fail(8, "a purchase is \(phase) without its payment")
      }
      return
    }
    let lock = LockFacts(in: log)
    if phase == .authorised { checkPayment(log, request) }
    if phase == .refused { checkRefusal(log) }
    if let lock, phase != .authorised, lock.terms != request.terms || lock.bank != request.bank {
      fail(2, "takes a lock over other terms than it signed")
    }
    switch phase {
    case .paid, .delivered: checkOutcome(log, request, lock, isCommit: true)
    case .aborted: checkOutcome(log, request, lock, isCommit: false)
    case .locked:
      if lock == nil || request.mode == .compact && !isAcknowledged(log) {
        fail(8, "is locked without a lock")
      }
    default: break
    }
  }

  /// The bank's word for JB2 is there.
  private func isAcknowledged(_ log: [StoredMessage]) -> Bool {
    log.contains { entry in
      guard let ack = try? Unverified<JB2ack>(entry.bytes) else { return false }
      return log.contains { LockFacts(compact: $0.bytes)?.name == ack.claims.hJB2 }
    }
  }

  /// What a customer pays for is what it asked for, at the price that it saw, and its tokens are set aside.
  private func checkPayment(_ log: [StoredMessage], _ request: RequestFacts) {
    guard let n1 = log.lazy.compactMap({ try? Unverified<N1>($0.bytes) }).last else {
      return fail(8, "pays without having asked")
    }
    let most = referee.world.offered[n1.claims.offer]?.price
    if let most, n1.claims.price.amount > max(most, Wares.all.map(\.price).max() ?? 0) {
      return fail(1, "asks for \(n1.claims.price), more than it would pay")
    }
    let terms = request.terms
    // An announced token is its own pseudonym.
    let payer = request.mode == .announced ? request.inputs[0].token.key : n1.claimedSigners[0]
    guard terms.pseudonym == payer else { return fail(6, "pays as somebody else") }
    NameWatch(referee, host).check(request)
    if request.mode != .repeated && terms.value != n1.claims.price {
      fail(1, "pays \(terms.value) for what was offered at \(n1.claims.price)")
    }
    if terms.lifetime < terms.expiration + Cast.lifetimeSeconds { fail(7, "pays with too short a lifetime") }
    guard log.contains(where: { Hash(of: $0.bytes) == terms.hP1 }) else {
      return fail(3, "pays under a contract that it does not have")
    }
    guard let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false)) else { return }
    for input in request.inputs {
      let coin = coins.first { $0.id == input.token.id }
      if let coin, coin.held < input.amount, coin.rest >= input.amount {
        fail(2, "pays with a token that it does not set aside")
      }
    }
  }

  /// What payments on their way use is set aside until they end.
  private func checkHeld() {
    let open = [PurchasePhase.announced, .authorised, .locked].map(\.rawValue)
    var (used, bound): ([Hash: UInt64], Set<Hash>) = ([:], [])
    for row in image.machines("purchase") where open.contains(row.phase) {
      let log = image.log("purchase", row.key)
      if log.isOfInvoice {
        if row.phase == PurchasePhase.authorised.rawValue, let invoice = InvoiceFacts(in: log) {
          bound.insert(invoice.address)
        }
        continue
      }
      for input in RequestFacts(in: log)?.inputs ?? [] { used[input.token.id, default: 0] += input.amount }
    }
    guard !used.isEmpty || !bound.isEmpty,
      let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false))
    else {
      return
    }
    for coin in coins where coin.held < used[coin.id] ?? 0 {
      return fail(2, "frees a token before the archive's answer")
    }
    for coin in coins where coin.held < coin.value && coin.address.map(bound.contains) ?? false {
      return fail(2, "frees a token before anybody says that the invoice did not take it")
    }
  }

  private func checkRefusal(_ log: [StoredMessage]) {
    var requests = Set(log.filter { RequestFacts($0.bytes) != nil }.map { Hash(of: $0.bytes) })
    // Announced: the archive refused 3, or the bank the claim.
    requests.formUnion(log.filter { $0.label == MessageType.announcement.label }.map { Hash(of: $0.bytes) })
    if let claim = ClaimFacts.request(in: log) { requests.insert(claim) }
    let refusal = log.lazy.compactMap { try? Unverified<Refusal>($0.bytes) }.last
    guard let refusal, requests.contains(refusal.claims.hRequest) else {
      return fail(2, "takes a refusal of something else for its own")
    }
  }

  private func checkOutcome(
    _ log: [StoredMessage], _ request: RequestFacts, _ lock: LockFacts?, isCommit: Bool
  ) {
    let labels = isCommit ? LockModes.commitLabels : LockModes.abortLabels
    guard let bytes = log.last(where: { labels.contains($0.label) })?.bytes, let outcome = OutcomeFacts(bytes)
    else { return fail(8, "ends a purchase without an outcome") }
    if let fault = outcome.fault(for: request.terms, mode: request.mode, lock: lock?.name) {
      fail(isCommit ? 3 : 2, "ends a purchase by an outcome that is not its own: \(fault)")
    }
    // Before anybody acts on it, an honest archive has it in its record: all but what witnesses ended,
    // because nobody had asked the archive before the lifetime was over.
    guard outcome.isCommit || (try? MessageType(peeking: bytes)) != .p5c else { return }
    guard let archive = referee.world.host(outcome.archive), archive.isHonest, let store = archive.life?.store
    else {
      return
    }
    if !store.image.kept.contains(Fingerprint(bytes)) { fail(4, "acts on an outcome that is in no record") }
  }
}
