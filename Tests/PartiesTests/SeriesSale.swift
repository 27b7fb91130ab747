// The messages of one series (FIG. 8) as they are when all is well, each open to change before it is signed:
// the first purchase costs EUR 12.34, each further one EUR 1, under a budget of EUR 15.

import Messages
import Parties

struct SeriesSale {
  static let secret = filled(0x5e)
  static let mask = digest(0x33)
  static let budget = Money("EUR:15.00")!
  static let price = Money("EUR:1.00")!
  static let inputs = [
    TokenInput(token: Tokens.token(.tokenOne), amount: 1000),
    TokenInput(token: Tokens.token(.tokenTwo), amount: 500),
  ]
  /// Forced instead of acknowledged.
  var delivery = Delivery.acknowledged

  static func key(_ index: UInt64) -> [UInt8] { RepeatedMode.goodsKey(secret, index) }
  static func x(_ index: UInt64) -> [UInt8] { masked(key(index), by: .seriesMask(mask.bytes, index)) }
  static func hx(_ index: UInt64) -> Hash {
    .keyCommitment(.repeated, merchant: Actor.merchant.publicKey, n: Sale.n, key: x(index))
  }
  static func total(_ index: UInt64) -> Money { Money(currency: "EUR", amount: 1234 + 100 * index)! }
  static func goods(_ index: UInt64) -> GoodsClaim {
    GoodsClaim(root: digest(UInt8(0x80 + index)), length: Sale.length)
  }
  static func description(_ index: UInt64) -> String { "part \(index)" }

  func n1() throws -> Verified<N1> {
    let nonce = Nonce(filled(1, 16))!
    return try Actor.pseudonym.sign(
      N1(nonce: nonce, price: Sale.price, offer: nonce, twoSided: false, mode: .repeated))
  }

  var contract: Contract {
    var contract = Sale().p1Payload.contract
    contract.mode = .repeated
    return contract
  }

  var r1Payload: R1 {
    RepeatedMode.offer(
      OfferDraft(
        n: Sale.n, merchant: Actor.merchant.publicKey, k: Self.key(0), mask: Self.mask, salt: Sale.salt,
        contract: contract, goods: EarlySale.goods))
  }

  func r1(_ change: (inout R1) -> Void = { _ in }) throws -> Verified<R1> {
    var payload = r1Payload
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func terms(_ change: (inout LockTerms) -> Void = { _ in }) throws -> LockTerms {
    let r1 = try r1()
    return try Sale().terms {
      ($0.hP1, $0.hx, $0.value, $0.base) = (r1.hash, r1.payload.hx, Self.budget, Sale.price)
      change(&$0)
    }
  }

  func r2(_ change: (inout R2) -> Void = { _ in }) throws -> Verified<R2> {
    var payload = R2(terms: try terms(), bank: Actor.bank.publicKey, tokenInputs: Self.inputs)
    change(&payload)
    let inner = try Actor.tokenOne.sign(payload)
    return try Actor.tokenTwo.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func r3(by actor: Actor = .bank, _ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<R3> {
    try actor.sign(R3(terms: terms(change)))
  }

  func r4(key: [UInt8]? = nil) throws -> Verified<R4> {
    try Actor.merchant.sign(R4(n: Sale.n, key: key ?? Self.key(0), index: 0))
  }

  private func previous(_ index: UInt64) throws -> Hash {
    index == 1 ? try r1().hash : try r6(index - 1).hash
  }

  func request(_ index: UInt64) -> ItemRequest {
    ItemRequest(
      offer: Nonce(filled(UInt8(index), 16))!, price: Self.price, description: Self.description(index))
  }

  func r5(
    _ index: UInt64, by actor: Actor = .pseudonym, _ change: (inout R5) -> Void = { _ in }
  ) throws -> Verified<R5> {
    var payload = R5(
      n: Sale.n, merchant: Actor.merchant.publicKey, runningTotalMax: Self.total(index), index: index,
      offer: Nonce(filled(UInt8(index), 16))!, hPrevious: try previous(index))
    change(&payload)
    return try actor.sign(payload)
  }

  func draft(_ index: UInt64, _ change: (inout Contract) -> Void = { _ in }) -> ItemDraft {
    var contract = contract
    contract.price = Self.price
    contract.descriptionHash = .description(Self.description(index), salt: Sale.salt)
    contract.name = "\(index).bin"
    change(&contract)
    return ItemDraft(contract: contract, goods: Self.goods(index), salt: Sale.salt)
  }

  func r6(
    _ index: UInt64, by actor: Actor = .merchant, _ change: (inout R6) -> Void = { _ in }
  ) throws -> Verified<R6> {
    let goods = Self.goods(index)
    var payload = R6(
      n: Sale.n, runningTotal: Self.total(index), hx: Self.hx(index), root: goods.root, length: goods.length,
      salt: Sale.salt, index: index, contract: draft(index).contract, hPrevious: try previous(index))
    change(&payload)
    return try actor.sign(payload)
  }

  func r7(
    _ index: UInt64, by actor: Actor = .pseudonym, _ change: (inout R7) -> Void = { _ in }
  ) throws -> Verified<R7> {
    var payload = R7(
      n: Sale.n, merchant: Actor.merchant.publicKey, runningTotal: Self.total(index), hx: Self.hx(index),
      index: index, hR6: try r6(index).hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func r8(_ index: UInt64, key: [UInt8]? = nil) throws -> Verified<R8> {
    try Actor.merchant.sign(R8(n: Sale.n, key: key ?? Self.key(index), index: index))
  }

  func r9(_ index: UInt64, _ change: (inout R9) -> Void = { _ in }) throws -> Verified<R9> {
    let lock = try r3()
    let isForced = delivery == .forced
    let item = index == 0 ? try r1().hash : isForced ? try r6(index).hash : try r7(index).hash
    var payload = R9(
      n: Sale.n, expiration: Times.expiration, hP1: lock.payload.terms.hP1, lock: lock.hash,
      key: Self.x(index), index: index, hItem: item, delivery: delivery,
      previousKey: isForced ? Self.x(index - 1) : nil)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  /// What comes with R9.
  func shown(_ index: UInt64) throws -> [[UInt8]] {
    if index == 0 { return [] }
    guard delivery == .forced else { return [try r7(index).bytes] }
    return [try r5(index).bytes, try r6(index).bytes] + (index > 1 ? [try r7(index - 1).bytes] : [])
  }

  func submission(
    _ index: UInt64, _ r9: Verified<R9>? = nil, with shown: [[UInt8]]? = nil
  ) throws -> Submitted<RepeatedMode> {
    let messages = [try (r9 ?? self.r9(index)).bytes, try r3().bytes]
    return try Submitted<RepeatedMode>(
      Bundle(messages + (shown ?? self.shown(index))), trust: trustList(), at: Times.now + 20)
  }

  func held(_ index: UInt64, by actor: Actor = .archive) throws -> Verified<Held> {
    let goods = Self.goods(index)
    return try actor.sign(
      Held(
        n: Sale.n, merchant: Actor.merchant.publicKey, lock: try r3().hash, root: goods.root,
        length: goods.length, until: Times.lifetime, hGoods: try r6(index).hash))
  }

  func r10a(
    _ index: UInt64, _ r9: Verified<R9>? = nil, _ change: (inout R10a) throws -> Void = { _ in }
  ) throws -> Verified<R10a> {
    var payload = R10a(
      submission: try (r9 ?? self.r9(index)).bytes, at: Times.now + 20, lifetime: Times.lifetime)
    if delivery == .forced {
      (payload.request, payload.item) = (try r5(index).bytes, try r6(index).bytes)
      payload.held = try held(index).bytes
      if index > 1 { payload.acknowledgement = try r7(index - 1).bytes }
    } else if index > 0 {
      payload.acknowledgement = try r7(index).bytes
    }
    try change(&payload)
    return try Actor.archive.sign(payload)
  }

  func r10b() throws -> Verified<R10b> {
    let lock = try r3()
    return try Actor.archive.sign(
      R10b(
        n: Sale.n, merchant: Actor.merchant.publicKey, expiration: Times.expiration,
        lifetime: Times.lifetime, lock: lock.hash, at: Times.expiration, failed: .expired))
  }

  func credit(_ amount: Money) throws -> Verified<Credit> {
    try Actor.bank.sign(Credit(amount: amount, lock: try r3().hash, at: Times.now + 30, account: "M-1"))
  }

  func nak() throws -> Verified<NAK> {
    try Actor.pseudonym.sign(NAK(n: Sale.n, hP1: r1().hash, decline: true))
  }
}

typealias SeriesMerchant = ModeMerchantRig<RepeatedMode>
typealias SeriesCustomer = ModeCustomerRig<RepeatedMode>
typealias SeriesArchive = ModeArchiveRig<RepeatedMode>
typealias SeriesBank = ModeBankRig<RepeatedMode>

extension ModeMerchantRig where M == RepeatedMode {
  convenience init() throws { try self.init(offering: SeriesSale().r1Payload, k: SeriesSale.secret) }

  @discardableResult
  func wanted(
    _ r5: Verified<R5>, _ draft: ItemDraft, at now: Timestamp = Times.now + 20
  ) throws -> [String] {
    try run { [policy] machine, key in
      try machine.itemOffered(r5, draft, policy: policy, at: now, key: key)
    }
  }

  @discardableResult
  func acknowledgedItem(_ r7: Verified<R7>, at now: Timestamp = Times.now + 30) throws -> [String] {
    try run { [policy] machine, key in
      try machine.itemAcknowledged(r7, policy: policy, at: now, key: key)
    }
  }

  @discardableResult
  func held(at now: Timestamp) throws -> [String] {
    try run { [policy] machine, key in try machine.archiveHolds(policy: policy, at: now, key: key) }
  }

  @discardableResult
  func due(at now: Timestamp) throws -> [String] { try run { try $0.due(at: now, key: $1) } }
}

extension ModeCustomerRig where M == RepeatedMode {
  convenience init() throws { self.init(requesting: try SeriesSale().n1()) }

  @discardableResult
  func wanted(_ request: ItemRequest, short: Bool = false) throws -> [String] {
    try run { machine in
      try Actor.pseudonym.withKey { try machine.wanted(request, short: short, pseudonym: $0) }
    }
  }

  @discardableResult
  func offered(_ r6: Verified<R6>, _ index: UInt64) throws -> [String] {
    try run { [policy] in
      $0.offered(r6, description: SeriesSale.description(index), policy: policy)
    }
  }

  @discardableResult
  func received(_ goods: GoodsClaim) throws -> [String] {
    try run { machine in
      try Actor.pseudonym.withKey {
        try machine.receivedItem(root: goods.root, length: goods.length, pseudonym: $0)
      }
    }
  }
}
