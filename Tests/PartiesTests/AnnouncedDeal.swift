// The messages of one announced purchase as they are when all is well, each open to change before it is
// signed, and rigs that run its machines beside twins re-created from what was kept.

import Messages
import Parties
import Testing

/// One announced purchase between the actors: the first token pays EUR 8.64 of its EUR 10.
struct AnnouncedDeal {
  static let price = Money("EUR:8.64")!
  var root = Sale.root
  var length = Sale.length

  var hx: Hash { .keyCommitment(.announced, merchant: Actor.merchant.publicKey, n: Sale.n, key: Sale.k) }

  func n1(_ change: (inout N1) -> Void = { _ in }) throws -> Verified<N1> {
    let nonce = Nonce(filled(1, 16))!
    var payload = N1(nonce: nonce, price: Self.price, offer: nonce, twoSided: false, mode: .announced)
    change(&payload)
    return try Actor.pseudonym.sign(payload)
  }

  func order(
    by actor: Actor = .merchant, _ change: (inout InvoiceTerms) -> Void = { _ in }
  ) throws -> Verified<PurchaseOrder> {
    var terms = InvoiceTerms(
      n: Sale.n, archive: Actor.archive.publicKey, bank: Actor.bank.publicKey, price: Self.price,
      expiration: Times.expiration, lifetime: Times.lifetime, hx: hx,
      goods: GoodsClaim(root: root, length: length), salt: Sale.salt, date: Times.now,
      descriptionHash: .description(Sale.description, salt: Sale.salt), digests: [digest(0x64)], name: "")
    change(&terms)
    return try actor.sign(PurchaseOrder(terms: terms))
  }

  func announcement(
    by actor: Actor = .tokenOne, _ change: (inout Announcement) -> Void = { _ in }
  ) throws -> Verified<Announcement> {
    var payload = Announcement(
      merchant: Actor.merchant.publicKey, archive: Actor.archive.publicKey, value: Self.price,
      expiration: Times.expiration, hPO: try order().hash, token: Tokens.token(.tokenOne))
    change(&payload)
    return try actor.sign(payload)
  }

  func published(
    _ announcement: Verified<Announcement>? = nil, by actor: Actor = .archive,
    at time: Timestamp = Times.now + 5
  ) throws -> Verified<Announced> {
    try actor.sign(Announced(at: time, announcement: (announcement ?? self.announcement()).bytes))
  }

  func consent(
    by actor: Actor = .tokenOne, _ change: (inout Consent) -> Void = { _ in }
  ) throws -> Verified<Consent> {
    var payload = Consent(n: Sale.n, merchant: Actor.merchant.publicKey, hPO: try order().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  /// Messages 3, 4 and 2.
  func claim(
    _ announcement: Verified<Announcement>? = nil, _ consent: Verified<Consent>? = nil,
    _ order: Verified<PurchaseOrder>? = nil, published: Verified<Announced>? = nil
  ) throws -> Claim {
    let announcement = try announcement ?? self.announcement()
    return Claim(
      published: try published ?? self.published(announcement), announcement: announcement,
      consent: try consent ?? self.consent(), order: try order ?? self.order())
  }

  func a7(
    by actor: Actor = .bank, _ change: (inout LockTerms) -> Void = { _ in }
  ) throws -> Verified<A7> {
    let claim = try claim()
    var terms = claim.announcement.payload.terms(of: claim.order)
    change(&terms)
    return try actor.sign(A7(terms: terms, hAnnounced: claim.published.hash))
  }

  func a8(
    _ lock: Verified<A7>? = nil, by actor: Actor = .merchant, _ change: (inout A8) -> Void = { _ in }
  ) throws -> Verified<A8> {
    let lock = try lock ?? a7()
    var payload = A8(
      n: Sale.n, expiration: lock.payload.terms.expiration, hP1: lock.payload.terms.hP1, lock: lock.hash,
      key: Sale.k, consent: try consent().bytes)
    change(&payload)
    return try actor.sign(payload)
  }

  func commit(
    _ submission: Verified<A8>? = nil, by actor: Actor = .archive, at time: Timestamp = Times.now + 20
  ) throws -> Outcome<AnnouncedMode> {
    .committed(
      try actor.sign(A9a(submission: (submission ?? a8()).bytes, at: time, lifetime: Times.lifetime)))
  }

  func abort(
    _ lock: Verified<A7>? = nil, by actor: Actor = .archive, at time: Timestamp = Times.expiration
  ) throws -> Outcome<AnnouncedMode> {
    let lock = try lock ?? a7()
    let terms = lock.payload.terms
    return .aborted(
      try actor.sign(
        A9b(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.hash, at: time, failed: .expired)))
  }

  func credit(_ change: (inout Credit) -> Void = { _ in }) throws -> Verified<Credit> {
    var payload = Credit(amount: Self.price, lock: try a7().hash, at: Times.now + 30, account: "M-1")
    change(&payload)
    return try Actor.bank.sign(payload)
  }

  func nak(decline: Bool, by actor: Actor = .pseudonym) throws -> Verified<NAK> {
    try actor.sign(
      NAK(n: Sale.n, hP1: order().hash, decline: decline, badRanges: decline ? [] : [56, 16_400]))
  }

  /// The bank's refusal of the claim, or the archive's of message 3.
  func refusal(by actor: Actor, of request: [UInt8]? = nil) throws -> Verified<Refusal> {
    let request = try request ?? (actor == .bank ? claim().bundle.encoded() : announcement().bytes)
    return try actor.sign(
      Refusal(at: Times.now + 9, reason: .spent, hRequest: Hash(of: request), detail: "spent"))
  }

  /// [8, 7] as it reaches the archive.
  func submission(_ a8: Verified<A8>? = nil, _ lock: Verified<A7>? = nil) throws -> Submitted<AnnouncedMode> {
    let lock = try lock ?? a7()
    return try Submitted(
      Bundle([(a8 ?? self.a8(lock)).bytes, lock.bytes]), trust: trustList(), at: Times.now)
  }
}

final class AnnouncedCustomerRig: PurchaseRig<AnnouncedPurchase> {
  init(_ deal: AnnouncedDeal = AnnouncedDeal()) throws {
    let n1 = try deal.n1()
    super.init(AnnouncedPurchase(requesting: n1), kept: [.n1: n1.bytes])
  }

  override func isSame(_ twin: AnnouncedPurchase, _ machine: AnnouncedPurchase) -> Bool {
    guard twin.claim == machine.claim else { return false }
    guard !machine.phase.isFinal || machine.phase == .delivered else { return true }
    return twin.p1 == machine.p1 && twin.lock == machine.lock
  }
}

final class AnnouncedSaleRig: SaleRig<AnnouncedSale> {
  init(_ deal: AnnouncedDeal = AnnouncedDeal()) throws {
    let n1 = try deal.n1()
    let order = try deal.order().payload
    let machine = try Actor.merchant.withKey {
      try AnnouncedSale(offering: order, to: n1.signer, k: Sale.k, key: $0)
    }
    let kept = [Label.n1: n1.bytes, Label(.purchaseOrder): machine.order.bytes]
    try super.init(machine, kept: kept)
  }

  override func isSame(_ twin: borrowing AnnouncedSale, _ machine: borrowing AnnouncedSale) -> Bool {
    twin.buyer == machine.buyer && twin.tokenKey == machine.tokenKey
  }

  @discardableResult
  func consented(_ claim: Claim, at now: Timestamp = Times.now + 8) throws -> [String] {
    try run { [policy] machine, key in
      try machine.consented(
        claim.consent, claim.published, claim.announcement, policy: policy, at: now, key: key)
    }
  }

  @discardableResult
  func locked(_ lock: Verified<A7>, at now: Timestamp = Times.now + 10) throws -> [String] {
    try run { [policy] machine, key in try machine.authorised(lock, policy: policy, at: now, key: key) }
  }
}

final class AnnouncedBankRig {
  var machine = BankLock<AnnouncedMode>()
  private var twin = BankLock<AnnouncedMode>()
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [BankEffect] = []

  @discardableResult
  func run(_ event: (inout BankLock<AnnouncedMode>) throws -> [BankEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored bank does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    twin = try BankLock(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.p3 == machine.p3 && twin.outcome == machine.outcome)
    return effects.map(\.summary)
  }

  @discardableResult
  func claimed(
    _ claim: Claim, facts change: (inout TokenFacts) -> Void = { _ in }, trust: TrustList = trustList(),
    cap: UInt64 = 3600, at now: Timestamp = Times.now + 9, by bank: Actor = .bank
  ) throws -> [String] {
    var facts = [claim.announcement.payload.token.id: Tokens.fresh]
    change(&facts[claim.announcement.payload.token.id]!)
    let known = facts
    return try run { machine in
      try bank.withKey { key in
        try machine.claimed(
          claim, facts: known, policy: BankPolicy(trust: trust, expirationCapSeconds: cap), at: now, key: key)
      }
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<AnnouncedMode>) throws -> [String] { try run { $0.decided(outcome) } }
}
