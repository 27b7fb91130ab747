// The messages of one sale by early commitment (FIG. 5) as they are when all is well, each open to change
// before it is signed.

import Messages
import Parties

struct EarlySale {
  static let mask = digest(0x33)
  /// x = k ⊕ r.
  static let x = masked(Sale.k, by: mask)
  static let goods = GoodsClaim(root: Sale.root, length: Sale.length)

  var goods = Self.goods
  var delivery = Delivery.acknowledged

  func n1() throws -> Verified<N1> {
    let nonce = Nonce(filled(1, 16))!
    return try Actor.pseudonym.sign(
      N1(nonce: nonce, price: Sale.price, offer: nonce, twoSided: false, mode: .early))
  }

  /// E1 before it is signed.
  var e1Payload: E1 {
    var contract = Sale().p1Payload.contract
    contract.mode = .early
    let draft = OfferDraft(
      n: Sale.n, merchant: Actor.merchant.publicKey, k: Sale.k, mask: Self.mask, salt: Sale.salt,
      contract: contract, goods: goods)
    return EarlyMode.offer(draft)
  }

  func e1(_ change: (inout E1) -> Void = { _ in }) throws -> Verified<E1> {
    var payload = e1Payload
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func terms(_ change: (inout LockTerms) -> Void = { _ in }) throws -> LockTerms {
    let e1 = try e1()
    return try Sale().terms {
      ($0.hP1, $0.hx) = (e1.hash, e1.payload.hx)
      change(&$0)
    }
  }

  func e2(_ change: (inout E2) -> Void = { _ in }) throws -> Verified<E2> {
    var payload = E2(terms: try terms(), bank: Actor.bank.publicKey, tokenInputs: Tokens.inputs)
    change(&payload)
    let inner = try Actor.tokenOne.sign(payload)
    return try Actor.tokenTwo.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func e3(by actor: Actor = .bank, _ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<E3> {
    try actor.sign(E3(terms: terms(change)))
  }

  func e4(by actor: Actor = .merchant, _ change: (inout E4) -> Void = { _ in }) throws -> Verified<E4> {
    var payload = E4(n: Sale.n, hP1: try e1().hash, root: goods.root, length: goods.length)
    change(&payload)
    return try actor.sign(payload)
  }

  func e5(by actor: Actor = .pseudonym, _ change: (inout E5) -> Void = { _ in }) throws -> Verified<E5> {
    var payload = E5(n: Sale.n, merchant: Actor.merchant.publicKey, hE4: try e4().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func e6(_ change: (inout E6) -> Void = { _ in }) throws -> Verified<E6> {
    let lock = try e3()
    var payload = E6(
      n: Sale.n, expiration: Times.expiration, hP1: lock.payload.terms.hP1, lock: lock.hash, key: Self.x,
      hE4: try e4().hash, delivery: delivery)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func held(by actor: Actor = .archive, _ change: (inout Held) -> Void = { _ in }) throws -> Verified<Held> {
    var payload = Held(
      n: Sale.n, merchant: Actor.merchant.publicKey, lock: try e3().hash, root: goods.root,
      length: goods.length, until: Times.lifetime, hGoods: try e4().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  /// What M sends A, unsealed.
  func submission(
    _ e6: Verified<E6>? = nil, with shown: [UInt8]? = nil
  ) throws -> Submitted<EarlyMode> {
    let beside = try shown ?? (delivery == .forced ? e4().bytes : e5().bytes)
    return try Submitted<EarlyMode>(
      Bundle([(e6 ?? self.e6()).bytes, e3().bytes, beside]), trust: trustList(), at: Times.now + 20)
  }

  func e7a(by actor: Actor = .archive, _ change: (inout E7a) -> Void = { _ in }) throws -> Verified<E7a> {
    var payload = E7a(submission: try e6().bytes, at: Times.now + 20, lifetime: Times.lifetime)
    switch delivery {
    case .acknowledged: payload.acknowledgement = try e5().bytes
    case .forced: payload.held = try held(by: actor).bytes
    }
    change(&payload)
    return try actor.sign(payload)
  }

  func e7b() throws -> Verified<E7b> {
    let lock = try e3()
    return try Actor.archive.sign(
      E7b(
        n: Sale.n, merchant: Actor.merchant.publicKey, expiration: Times.expiration,
        lifetime: Times.lifetime, lock: lock.hash, at: Times.expiration, failed: .expired))
  }

  func credit() throws -> Verified<Credit> {
    try Actor.bank.sign(
      Credit(amount: Sale.price, lock: try e3().hash, at: Times.now + 30, account: "M-1"))
  }

  func nak(decline: Bool) throws -> Verified<NAK> {
    try Actor.pseudonym.sign(
      NAK(n: Sale.n, hP1: e1().hash, decline: decline, badRanges: decline ? [] : [56, 16_400]))
  }

  func refusal() throws -> Verified<Refusal> {
    try Actor.bank.sign(Refusal(at: Times.now, reason: .spent, hRequest: e2().hash, detail: "spent"))
  }
}

typealias EarlyMerchant = ModeMerchantRig<EarlyMode>
typealias EarlyCustomer = ModeCustomerRig<EarlyMode>
typealias EarlyArchive = ModeArchiveRig<EarlyMode>
typealias EarlyBank = ModeBankRig<EarlyMode>

extension ModeMerchantRig where M == EarlyMode {
  convenience init(_ sale: EarlySale = EarlySale()) throws {
    try self.init(offering: sale.e1Payload, goods: sale.goods, k: Sale.k)
  }

  @discardableResult
  func held(at now: Timestamp) throws -> [String] {
    try run { [policy] machine, key in try machine.archiveHolds(policy: policy, at: now, key: key) }
  }

  @discardableResult
  func due(at now: Timestamp) throws -> [String] { try run { try $0.due(at: now, key: $1) } }
}

extension ModeCustomerRig where M == EarlyMode {
  convenience init(_ sale: EarlySale = EarlySale()) throws { self.init(requesting: try sale.n1()) }

  @discardableResult
  func described(_ e4: Verified<E4>) throws -> [String] {
    try run { [policy] in $0.described(e4, policy: policy) }
  }

  @discardableResult
  func received(root: Hash = Sale.root, length: UInt64 = Sale.length) throws -> [String] {
    try run { machine in
      try Actor.pseudonym.withKey { try machine.received(root: root, length: length, pseudonym: $0) }
    }
  }
}
