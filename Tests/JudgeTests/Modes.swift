// Sales of the other modes, as far as the judge's rules differ there: early commitment, the joint
// bank-archive, a series, an announced token. Each function gives the messages of one sale in which all is
// well, before the change that a test makes.

import Messages

/// FIG. 5.
struct EarlySale {
  static let mask = filled(0x33)
  /// x = k ⊕ r.
  static let x = zip(Ware.k, mask).map { $0 ^ $1 }
  var claim = Ware.claim
  var delivery = Delivery.acknowledged

  func e1(by actor: Actor = .merchant, _ change: (inout E1) -> Void = { _ in }) throws -> Verified<E1> {
    var payload = E1(
      n: Ware.n, hx: Sale.hx(.early, key: Self.x), salt: digest(0x5a), contract: Sale.contract(.early),
      maskBytes: Self.mask)
    change(&payload)
    return try actor.sign(payload)
  }

  func e3(_ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<E3> {
    try Actor.bank.sign(
      E3(terms: Sale.terms(.early, hP1: e1().hash, hx: Sale.hx(.early, key: Self.x), change)))
  }

  func e4(by actor: Actor = .merchant, _ change: (inout E4) -> Void = { _ in }) throws -> Verified<E4> {
    var payload = E4(n: Ware.n, hP1: try e1().hash, root: claim.root, length: claim.length)
    change(&payload)
    return try actor.sign(payload)
  }

  func e5(by actor: Actor = .pseudonym, _ change: (inout E5) -> Void = { _ in }) throws -> Verified<E5> {
    var payload = E5(n: Ware.n, merchant: Actor.merchant.key, hE4: try e4().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func e6(by actor: Actor = .merchant, _ change: (inout E6) -> Void = { _ in }) throws -> Verified<E6> {
    var payload = E6(
      n: Ware.n, expiration: Times.expiration, hP1: try e1().hash, lock: try e3().hash, key: Self.x,
      hE4: try e4().hash, delivery: delivery)
    change(&payload)
    return try actor.sign(payload)
  }

  func held(by actor: Actor = .archive, _ change: (inout Held) -> Void = { _ in }) throws -> Verified<Held> {
    var payload = Held(
      n: Ware.n, merchant: Actor.merchant.key, lock: try e3().hash, root: claim.root, length: claim.length,
      until: Times.lifetime, hGoods: try e4().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func e7a(
    _ e6: Verified<E6>? = nil, e5: Verified<E5>? = nil, held: Verified<Held>? = nil
  ) throws -> Verified<E7a> {
    let forced = delivery == .forced
    return try Actor.archive.sign(
      E7a(
        submission: (e6 ?? self.e6()).bytes, at: Times.now + 20, lifetime: Times.lifetime,
        acknowledgement: forced ? nil : (e5 ?? self.e5()).bytes,
        held: forced ? (held ?? self.held()).bytes : nil))
  }
}

/// FIG. 8: the first purchase, then purchases 1 to 3, of which the second is committed.
struct Series {
  static let budget = Money("EUR:12.34")!
  var claim = Ware.claim
  var committed: UInt64 = 2

  /// x_i = k ⊕ KDF(r, i).
  static func x(_ index: UInt64) -> [UInt8] {
    zip(Ware.k, Hash.seriesMask(EarlySale.mask, index).bytes).map { $0 ^ $1 }
  }
  static func total(_ index: UInt64) -> Money { Money(currency: "EUR", amount: 100 * (index + 1))! }

  func r1(_ change: (inout R1) -> Void = { _ in }) throws -> Verified<R1> {
    var payload = R1(
      n: Ware.n, hx: Sale.hx(.repeated, key: Self.x(0)), root: claim.root, length: claim.length,
      salt: digest(0x5a), contract: Sale.contract(.repeated), maskBytes: EarlySale.mask)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func r3(_ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<R3> {
    try Actor.bank.sign(
      R3(terms: Sale.terms(.repeated, hP1: r1().hash, hx: Sale.hx(.repeated, key: Self.x(0)), change)))
  }

  /// By both tokens.
  func r2() throws -> Verified<R2> {
    let payload = R2(terms: try r3().payload.terms, bank: Actor.bank.key, tokenInputs: Tokens.inputs)
    let inner = try Actor.tokenOne.sign(payload)
    return try Actor.tokenTwo.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func r4(
    by actor: Actor = .merchant, key: [UInt8] = Ware.k, n: TransactionID = Ware.n
  ) throws -> Verified<R4> {
    try actor.sign(R4(n: n, key: key, index: 0))
  }

  func r6(_ index: UInt64, by actor: Actor = .merchant, _ change: (inout R6) -> Void = { _ in }) throws
    -> Verified<R6>
  {
    var payload = R6(
      n: Ware.n, runningTotal: Self.total(index), hx: Sale.hx(.repeated, key: Self.x(index)),
      root: claim.root, length: claim.length, salt: digest(0x5a), index: index,
      contract: Sale.contract(.repeated), hPrevious: try previous(index))
    change(&payload)
    return try actor.sign(payload)
  }

  /// H of what R6 and R5 of i follow.
  private func previous(_ index: UInt64) throws -> Hash {
    index == 1 ? try r1().hash : try r6(index - 1).hash
  }

  func r5(
    _ index: UInt64, by actor: Actor = .pseudonym, _ change: (inout R5) -> Void = { _ in }
  ) throws -> Verified<R5> {
    var payload = R5(
      n: Ware.n, merchant: Actor.merchant.key, runningTotalMax: Self.total(index), index: index,
      offer: Nonce(filled(1, 16))!, hPrevious: try previous(index))
    change(&payload)
    return try actor.sign(payload)
  }

  func r7(
    _ index: UInt64, by actor: Actor = .pseudonym, _ change: (inout R7) -> Void = { _ in }
  ) throws -> Verified<R7> {
    var payload = R7(
      n: Ware.n, merchant: Actor.merchant.key, runningTotal: Self.total(index),
      hx: Sale.hx(.repeated, key: Self.x(index)), index: index, hR6: try r6(index).hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func r8(
    _ index: UInt64, by actor: Actor = .merchant, key: [UInt8] = Ware.k, n: TransactionID = Ware.n
  ) throws -> Verified<R8> {
    try actor.sign(R8(n: n, key: key, index: index))
  }

  func r9(_ change: (inout R9) -> Void = { _ in }) throws -> Verified<R9> {
    let item = committed == 0 ? try r1().hash : try r7(committed).hash
    var payload = R9(
      n: Ware.n, expiration: Times.expiration, hP1: try r1().hash, lock: try r3().hash,
      key: Self.x(committed), index: committed, hItem: item, delivery: .acknowledged)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func r10a(
    _ r9: Verified<R9>? = nil, r7: Verified<R7>? = nil, at time: Timestamp = Times.now + 20
  ) throws -> Verified<R10a> {
    try Actor.archive.sign(
      R10a(
        submission: (r9 ?? self.r9()).bytes, at: time, lifetime: Times.lifetime,
        acknowledgement: committed == 0 ? nil : (r7 ?? self.r7(committed)).bytes))
  }

  /// Forced: the archive holds R6's ciphertext.
  func forced(
    r5: Verified<R5>? = nil, r7: Verified<R7>? = nil, key: [UInt8]? = nil,
    _ change: (inout Held) -> Void = { _ in }
  ) throws -> Verified<R10a> {
    let item = try r6(committed)
    var held = Held(
      n: Ware.n, merchant: Actor.merchant.key, lock: try r3().hash, root: claim.root, length: claim.length,
      until: Times.lifetime, hGoods: item.hash)
    change(&held)
    let submission = try r9 {
      $0.hItem = item.hash
      $0.delivery = .forced
      $0.previousKey = key ?? Self.x(committed - 1)
    }
    let before = committed > 1 ? try (r7 ?? self.r7(committed - 1)).bytes : nil
    return try Actor.archive.sign(
      R10a(
        submission: submission.bytes, at: Times.now + 20, lifetime: Times.lifetime,
        acknowledgement: before, held: Actor.archive.sign(held).bytes, item: item.bytes,
        request: (r5 ?? self.r5(committed)).bytes))
  }

  func credit(_ amount: Money) throws -> Verified<Credit> {
    try Actor.bank.sign(Credit(amount: amount, lock: r3().hash, at: Times.now + 30, account: "M-1"))
  }
}

/// FIGS. 6 and 7: the bank is its own archive.
struct JointSale {
  func offer(_ mode: Mode, claim: GoodsClaim = Ware.claim) throws -> Verified<P1> {
    var sale = Sale()
    (sale.mode, sale.claim) = (mode, claim)
    return try sale.p1()
  }

  func terms(_ mode: Mode, claim: GoodsClaim = Ware.claim) throws -> LockTerms {
    Sale.terms(mode, hP1: try offer(mode, claim: claim).hash) { $0.archive = Actor.bank.key }
  }

  func ja3(claim: GoodsClaim = Ware.claim) throws -> Verified<JA3> {
    try Actor.bank.sign(JA3(terms: terms(.joint, claim: claim)))
  }

  func ja4(claim: GoodsClaim = Ware.claim, _ change: (inout JA4) -> Void = { _ in }) throws -> Verified<JA4> {
    let lock = try ja3(claim: claim)
    var payload = JA4(
      n: Ware.n, value: Sale.price, expiration: Times.expiration, hP1: lock.payload.terms.hP1,
      lock: lock.hash,
      key: Ware.k)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func ja5a(_ ja4: Verified<JA4>? = nil, by actor: Actor = .bank) throws -> Verified<JA5a> {
    try actor.sign(
      JA5a(submission: (ja4 ?? self.ja4()).bytes, at: Times.now + 20, lifetime: Times.lifetime))
  }

  func ja5b(by actor: Actor = .bank) throws -> Verified<JA5b> {
    try actor.sign(
      JA5b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        lock: ja3().hash, at: Times.expiration, failed: .expired))
  }

  /// By both tokens, in either order: the same payload, two signatures.
  func jb2(outermost actor: Actor) throws -> Verified<JB2> {
    let payload = JB2(terms: try terms(.compact), bank: Actor.bank.key, tokenInputs: Tokens.inputs)
    let inner = try (actor == .tokenOne ? Actor.tokenTwo : .tokenOne).sign(payload)
    return try actor.withKey { (key) throws(MessageError) in try inner.coSigned(with: key) }
  }

  func jb2(_ change: (inout JB2) -> Void = { _ in }) throws -> Verified<JB2> {
    var payload = JB2(terms: try terms(.compact), bank: Actor.bank.key, tokenInputs: [Tokens.inputs[0]])
    change(&payload)
    return try Actor.tokenOne.sign(payload)
  }

  func jb2ack(_ jb2: Verified<JB2>? = nil, by actor: Actor = .bank) throws -> Verified<JB2ack> {
    try actor.sign(JB2ack(at: Times.now + 10, hJB2: (jb2 ?? self.jb2()).hash))
  }

  func jb4a(by actor: Actor = .bank, _ change: (inout JB3) -> Void = { _ in }) throws -> Verified<JB4a> {
    var payload = JB3(
      n: Ware.n, value: Sale.price, expiration: Times.expiration, hP1: try offer(.compact).hash, key: Ware.k)
    change(&payload)
    return try actor.sign(
      JB4a(
        lifetime: Times.lifetime, at: Times.now + 20, hJB2: jb2().hash,
        submission: Actor.merchant.sign(payload).bytes))
  }

  func jb4b(by actor: Actor = .bank) throws -> Verified<JB4b> {
    try actor.sign(
      JB4b(
        n: Ware.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
        hP1: offer(.compact).hash, at: Times.expiration, failed: Reason.expired.rawValue, hJB2: jb2().hash))
  }
}

/// FIG. 3.
struct AnnouncedSale {
  private func terms(_ mode: Mode, _ claim: GoodsClaim) -> InvoiceTerms {
    InvoiceTerms(
      n: Ware.n, archive: Actor.archive.key, bank: Actor.bank.key, price: Sale.price,
      expiration: Times.expiration, lifetime: Times.lifetime, hx: Sale.hx(mode), goods: claim,
      salt: digest(0x5a), date: Times.now, descriptionHash: digest(0xd0), digests: [Ware.digest],
      name: "map.pdf")
  }

  func po(by actor: Actor = .merchant, _ change: (inout PurchaseOrder) -> Void = { _ in }) throws
    -> Verified<PurchaseOrder>
  {
    var payload = PurchaseOrder(terms: terms(.announced, Ware.claim))
    change(&payload)
    return try actor.sign(payload)
  }

  func announced() throws -> Verified<Announced> {
    let message = try Actor.tokenOne.sign(
      Announcement(
        merchant: Actor.merchant.key, archive: Actor.archive.key, value: Sale.price,
        expiration: Times.expiration, hPO: po().hash, token: Tokens.token(.tokenOne)))
    return try Actor.archive.sign(Announced(at: Times.now, announcement: message.bytes))
  }

  func a7() throws -> Verified<A7> {
    try Actor.bank.sign(
      A7(terms: Sale.terms(.announced, hP1: po().hash) { _ in }, hAnnounced: announced().hash))
  }

  /// S_t(PO).
  func consent(
    by actor: Actor = .tokenOne, _ change: (inout Consent) -> Void = { _ in }
  ) throws -> Verified<Consent> {
    var payload = Consent(n: Ware.n, merchant: Actor.merchant.key, hPO: try po().hash)
    change(&payload)
    return try actor.sign(payload)
  }

  func a8(_ change: (inout A8) -> Void = { _ in }) throws -> Verified<A8> {
    var payload = A8(
      n: Ware.n, expiration: Times.expiration, hP1: try po().hash, lock: try a7().hash, key: Ware.k,
      consent: try consent().bytes)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func a9a(_ change: (inout A8) -> Void = { _ in }) throws -> Verified<A9a> {
    try Actor.archive.sign(
      A9a(submission: a8(change).bytes, at: Times.now + 20, lifetime: Times.lifetime))
  }

  /// FIG. 2: the invoice, endorsed by the token's key, with k.
  func deposit(
    by actor: Actor = .tokenOne, bank: Actor = .bank, address: Hash = digest(0xad),
    _ change: (inout Deposit) -> Void = { _ in }
  ) throws -> Verified<Deposit> {
    var terms = terms(.invoice, Ware.claim)
    terms.bank = bank.key
    let invoice = try Actor.merchant.sign(Invoice(terms: terms, address: digest(0xad)))
    let endorsement = try actor.sign(Endorsement(hINV: invoice.hash, address: address))
    var payload = Deposit(
      key: Ware.k, token: Tokens.token(.tokenOne), invoice: invoice.bytes, endorsement: endorsement.bytes)
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  /// FIG. 2 with the passive archive.
  func invoice(_ claim: GoodsClaim) throws -> Verified<Invoice> {
    try Actor.merchant.sign(
      Invoice(terms: terms(.invoice, claim), address: digest(0xad)))
  }

  func record(by actor: Actor = .bank, _ change: (inout PassiveRecord) -> Void = { _ in }) throws
    -> Verified<PassiveRecord>
  {
    var payload = PassiveRecord(
      n: Ware.n, merchant: Actor.merchant.key, key: Ware.k, at: Times.now + 20, address: digest(0xad))
    change(&payload)
    return try actor.sign(payload)
  }
}
