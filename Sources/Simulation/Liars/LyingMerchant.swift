// Merchants that sell garbage, use n again, ask more than they offered, submit wrong keys, withhold and
// cancel what they submitted.

import Foundation
import Messages
import Parties
import Services

final class LyingMerchant: Schemer, Liar {
  /// Sales whose contract was changed: n, the key, and the ciphertext that is served for them.
  private struct Sale {
    let key: [UInt8]
    var sealed: [UInt8]?
    var submits = false
  }
  private var sales: [TransactionID: Sale] = [:]
  var lastNumber: TransactionID?
  /// Sales whose keys it withholds until it is too late.
  private var late: Set<TransactionID> = []
  /// Announced: orders of its own making, by n; and S_t(PO) of all orders.
  var orders: [TransactionID: Order] = [:]
  var oldConsents: [TransactionID: [UInt8]] = [:]
  /// Invoices of its own making, and tokens that it was given.
  var invoices: [Hash: OwnInvoice] = [:]
  var payments: [Payment] = []

  enum Trick: Int, CaseIterable {
    case honest, garbage, otherDigest, higherPrice, sameNumber, wrongKey, withholds, cancelsAndSubmits
    case otherCommitment, otherPseudonym, shortLifetime, otherCiphertext, otherLock, otherContract,
      otherExpiration
    case otherNumber
    // Early commitment and repeated only.
    case otherMerchandise, forcesNothing
    // Repeated only.
    case dearerForced, overBudget, otherFirstKey, noKeyBefore
  }

  func trick(_ n: TransactionID) -> Trick {
    Trick(rawValue: trick(n.bytes, of: Trick.allCases.count))!
  }

  // MARK: Offers

  func replying(to sent: Sent, _ reply: [UInt8]) -> [UInt8]? {
    if sent.method == "GET", sent.path.hasPrefix("/v1/goods/") {
      let n = TransactionID(hex: String(sent.path.dropFirst("/v1/goods/".count).prefix(32)))
      if let n, trick(n) == .otherMerchandise, sent.path.contains("item="), !reply.isEmpty {
        world.count(.lied)
        return reply.dropLast() + [reply[reply.count - 1] ^ 1]
      }
      return n.flatMap { sales[$0]?.sealed }
    }
    if let rf1 = try? Unverified<RF1>(sent.body) { return answer(rf1, reply) }
    if sent.path.hasPrefix("/v1/series/") { return bentFirstKey(reply) }
    if var counter = (try? Unverified<N2>(reply))?.claims, dice.oneIn(2) {
      // More than anybody would pay, or an answer to somebody else's bid.
      if dice.oneIn(2) {
        // A little, so that there is the money for it.
        counter.price = Money(currency: "EUR", amount: (Wares.all.map(\.price).max() ?? 0) + 1)!
      } else {
        (counter.hN1, counter.price) = (Hash(dice.bytes(32))!, Money(currency: "EUR", amount: 30)!)
      }
      world.count(.lied)
      return sign(counter)
    }
    if let changed = bentSeries(reply) { return changed }
    if let answer = try? Unverified<StatusAnswer>(reply) {
      return keepsKey(answer.claims) ?? describeOtherwise(answer.claims)
    }
    if let offer = try? Unverified<E1>(reply) { return forge(offer.claims) }
    if let offer = try? Unverified<R1>(reply) { return forge(offer.claims) }
    if let order = try? Unverified<PurchaseOrder>(reply) { return forge(order.claims) }
    if let invoice = try? Unverified<Invoice>(reply) { return forge(invoice.claims) }
    return (try? Unverified<P1>(reply)).flatMap { forge($0.claims) }
  }

  /// Early and repeated: a contract that is not what was asked for.
  private func forge<O: BendableOffer>(_ offer: O) -> [UInt8]? {
    var changed = offer
    switch trick(offer.n) {
    case .higherPrice:
      changed.contract.price = Money(currency: "EUR", amount: offer.contract.price.amount + 1)!
    case .otherCommitment: changed.hx = Hash([UInt8](repeating: 8, count: 32))!
    case .otherPseudonym: changed.contract.pseudonym = host.member.key
    case .shortLifetime: changed.contract.lifetime = offer.contract.expirationMax + 1
    case .sameNumber:
      guard let last = lastNumber else {
        lastNumber = offer.n
        return nil
      }
      changed.n = last
    case .otherCiphertext:
      guard var bytes = sealedGoods(offer.n) else { return nil }
      bytes[bytes.count - 1] ^= 1
      sales[offer.n] = Sale(key: [], sealed: bytes)
      return nil
    default: return nil
    }
    world.count(.lied)
    return sign(changed)
  }

  /// Early: E4 of other goods than those that will be left with the archive.
  private func describeOtherwise(_ answer: StatusAnswer) -> [UInt8]? {
    var changed = answer
    for (index, bytes) in answer.proof.enumerated() {
      guard var e4 = (try? Unverified<E4>(bytes))?.claims, trick(e4.n) == .otherMerchandise else { continue }
      guard var goods = sealedGoods(e4.n) else { return nil }
      goods[goods.count - 1] ^= 1
      guard let claim = Self.claim(of: goods) else { return nil }
      (e4.root, e4.length) = (claim.root, claim.length)
      sales[e4.n] = Sale(key: [], sealed: goods)
      guard let signed = sign(e4) else { return nil }
      changed.proof[index] = signed
      world.count(.lied)
      return sign(changed)
    }
    return nil
  }

  /// Early: a forced submission, and not the goods that it is for.
  private func forceNothing(_ sent: Sent) -> Bool {
    guard sent.method == "PUT", let image = host.life?.store.image else { return false }
    let forcing = image.machines("sale").filter { $0.phase == SalePhase.forcing.rawValue }
    let row = forcing.last { TransactionID($0.key).map(trick) == .forcesNothing }
    guard let row else { return false }
    let log = image.log("sale", row.key)
    if row.data.first == UInt8(Mode.repeated.rawValue) {
      return forceSeries(log, secret: Array(row.data.dropFirst()))
    }
    func last(_ type: MessageType) -> [UInt8]? { log.last { $0.label == type.label }?.bytes }
    guard let offer = last(.e1).flatMap({ try? Unverified<E1>($0) }), let e3 = last(.e3), let e4 = last(.e4),
      let lock = LockFacts(e3)
    else { return false }
    let x = masked(Array(row.data.dropFirst()), by: offer.claims.mask)
    let e6 = E6(
      n: lock.terms.n, expiration: lock.terms.expiration, hP1: lock.terms.hP1, lock: lock.name, key: x,
      hE4: Hash(of: e4), delivery: .forced)
    let plain = sign(e6).flatMap { try? Bundle([$0, e3, e4]).encoded() }
    tell(lock.terms.archive, plain.flatMap { seal($0, to: lock.terms.archive) })
    return true
  }

  func seal(bundle messages: [[UInt8]], to key: PublicKey) -> [UInt8]? {
    (try? Bundle(messages).encoded()).flatMap { seal($0, to: key) }
  }

  /// The goods' key that its own machine drew for a sale.
  func saleKey(_ n: TransactionID) -> [UInt8]? {
    let key = Array(row(n)?.dropFirst() ?? [])
    return key.count == 32 && trick(n) != .honest ? key : nil
  }

  func saleMode(_ n: TransactionID) -> Mode? {
    row(n)?.first.flatMap { Mode(rawValue: UInt64($0)) }
  }

  /// What it serves and submits in the place of its own machine.
  func keep(_ n: TransactionID, key: [UInt8], sealed: [UInt8]?, submits: Bool) {
    sales[n] = Sale(key: key, sealed: sealed, submits: submits)
  }

  func seal(_ plain: [UInt8], to key: PublicKey) -> [UInt8]? {
    guard let recipient = Cast.shared.trust.list.entries.first(where: { $0.key == key })?.sealingKey else {
      return nil
    }
    return try? SealedMessage(plain, to: recipient, ephemeralSeed: dice.bytes(32)).encoded()
  }

  private func forge(_ offer: P1) -> [UInt8]? {
    guard let goods = offer.goods else { return nil }
    var (n, hx, contract, claim) = (offer.n, offer.hx, offer.contract, goods)
    let key = Array(row(offer.n)?.dropFirst() ?? [])
    guard key.count == 32, trick(n) != .honest else { return nil }
    var sale = Sale(key: key)
    switch trick(offer.n) {
    case .garbage:
      guard var bytes = sealedGoods(n) else { return nil }
      bytes[bytes.count - 1] ^= 1
      guard let changed = Self.claim(of: bytes) else { return nil }
      (claim, sale.sealed, sale.submits) = (changed, bytes, true)
    case .otherDigest:
      contract.digests = [Hash([UInt8](repeating: 7, count: 32))!]
      sale.submits = true
    case .higherPrice: contract.price = Money(currency: "EUR", amount: contract.price.amount + 1)!
    case .sameNumber:
      guard let last = lastNumber else {
        lastNumber = n
        return nil
      }
      n = last
      hx = .keyCommitment(contract.mode, merchant: host.member.key, n: n, key: key)
    case .otherCommitment: hx = Hash([UInt8](repeating: 8, count: 32))!
    case .otherPseudonym: contract.pseudonym = host.member.key
    case .shortLifetime: contract.lifetime = contract.expirationMax + 1
    case .otherCiphertext:
      guard var bytes = sealedGoods(n) else { return nil }
      bytes[bytes.count - 1] ^= 1
      sales[n] = Sale(key: key, sealed: bytes)
      return nil
    default: return nil
    }
    sales[offer.n] = sale
    world.count(.lied)
    return sign(
      P1(n: n, hx: hx, root: claim.root, length: claim.length, salt: offer.salt, contract: contract))
  }

  func row(_ n: TransactionID) -> [UInt8]? {
    host.life?.store.image.machines[PairKey("sale", n.bytes)]?.data
  }

  func sealedGoods(_ n: TransactionID) -> [UInt8]? {
    FileManager.default.contents(atPath: host.directory.file("goods/\(n)")).map { Array($0) }
  }

  static func claim(of bytes: [UInt8]) -> GoodsClaim? {
    var stream = GoodsStream(checking: .sodium)
    let fed = bytes.withUnsafeBytes { (try? stream.update($0)) != nil }
    guard fed, let (_, root, length) = try? stream.finish() else { return nil }
    return GoodsClaim(root: root, length: length)
  }

  // MARK: Locks

  func incoming(_ sent: Sent) -> Lie? {
    // As if the customer had not acknowledged: its goods are forced.
    if let r7 = try? Unverified<R7>(sent.body), trick(r7.claims.n) == .otherDigest { return lie(nil) }
    guard let lock = LockFacts(sent.body), lock.terms.merchant == host.member.key else {
      if let sealed = try? SealedMessage(encoded: sent.body) { return paid(sealed) }
      return consented(sent.body)
    }
    let n = lock.terms.n
    if let sale = sales[n], sale.submits {
      tell(lock.terms.archive, submission(sent.body, lock, key: sale.key, consent: consent(n)))
      return lie([])
    }
    switch trick(n) {
    case .otherMerchandise where lock.mode == .announced, .forcesNothing where lock.mode == .announced:
      tell(lock.terms.archive, bentSubmission(sent.body, lock))
      return nil
    case .otherLock, .otherContract, .otherExpiration, .otherNumber:
      tell(lock.terms.archive, bentSubmission(sent.body, lock))
      return nil
    case .wrongKey:
      tell(lock.terms.archive, submission(sent.body, lock, key: dice.bytes(32), consent: consent(n)))
      return nil
    case .cancelsAndSubmits:
      let cancel = sign(Cancel(n: n, lock: lock.name))
      tell(lock.terms.archive, cancel.flatMap { try? Bundle([$0, sent.body]).encoded() })
      return nil
    default: return nil
    }
  }

  /// A compact submission that differs from the contract in one field goes out in the place of the sound one.
  private func bentCompact(_ n: TransactionID) -> [UInt8]? {
    guard let data = row(n), data.first == UInt8(Mode.compact.rawValue), let store = host.life?.store.image,
      let stored = store.log("sale", n.bytes).last(where: { $0.label == JB3.type.label }),
      var jb3 = (try? Unverified<JB3>(stored.bytes))?.claims,
      let bank = Cast.shared.trust.list.entries.first(where: { $0.role == .bank })?.sealingKey
    else { return nil }
    switch trick(n) {
    case .wrongKey: jb3.key = dice.bytes(32)
    case .otherContract: jb3.hP1 = Hash(dice.bytes(32))!
    case .otherExpiration: jb3.expiration += 1
    case .higherPrice: jb3.value = Money(currency: "EUR", amount: jb3.value.amount + 1)!
    case .otherLock: jb3.value = Money(currency: "EUR", amount: max(1, jb3.value.amount - 1))!
    default: return nil
    }
    guard let signed = sign(jb3), let plain = try? Bundle([signed]).encoded() else { return nil }
    return try? SealedMessage(plain, to: bank, ephemeralSeed: dice.bytes(32)).encoded()
  }

  /// A submission that differs from its lock in one field.
  private func bentSubmission(_ lockBytes: [UInt8], _ lock: LockFacts) -> [UInt8]? {
    if lock.mode == .announced {
      return row(lock.terms.n).flatMap { bentAnnounced(lockBytes, lock, key: Array($0.dropFirst())) }
    }
    guard lock.mode == .core, let key = row(lock.terms.n)?.dropFirst(), key.count == 32,
      let archive = Cast.shared.trust.list.entries.first(where: { $0.key == lock.terms.archive })?.sealingKey
    else { return nil }
    let terms = lock.terms
    var p4 = P4(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.name, key: Array(key))
    switch trick(terms.n) {
    case .otherLock: p4.lock = Hash(dice.bytes(32))!
    case .otherContract: p4.hP1 = Hash(dice.bytes(32))!
    case .otherExpiration: p4.expiration += 1
    default: p4.n = TransactionID(dice.bytes(16))!
    }
    guard let signed = sign(p4), let plain = try? Bundle([signed, lockBytes]).encoded() else { return nil }
    return try? SealedMessage(plain, to: archive, ephemeralSeed: dice.bytes(32)).encoded()
  }

  func outgoing(_ sent: Sent) -> [UInt8]? {
    if forceNothing(sent) { return nil }
    if let refund = RefundFacts(in: sent.body) { return keepsBack(refund) ? nil : sent.body }
    if let bundle = try? Bundle(encoded: sent.body), let bent = bent(claim: bundle) { return bent }
    // Nor does it ask for the abort of what it withholds.
    if let lock = LockFacts(sent.body), trick(lock.terms.n) == .withholds { return nil }
    guard (try? SealedMessage(encoded: sent.body)) != nil, let image = host.life?.store.image else {
      return sent.body
    }
    let sale = image.messages.last { $0.kind == "sale" && $0.entry.bytes == sent.body }
    guard let n = sale.flatMap({ TransactionID($0.entry.key) }),
      [.withholds, .wrongKey, .otherLock, .otherContract, .otherExpiration, .otherNumber].contains(trick(n))
    else {
      return sale.flatMap { bentEnding(TransactionID($0.entry.key)) } ?? sent.body
    }
    world.count(.lied)
    if trick(n) == .withholds { submitLastOfAll(n, sent) }
    return bentCompact(n)
  }

  /// What was withheld comes in the very second of the expiration, by the receiver's clock: too late.
  private func submitLastOfAll(_ n: TransactionID, _ sent: Sent) {
    guard let log = host.life?.store.image.log("sale", n.bytes), let terms = LockFacts(in: log)?.terms,
      terms.expiration > sent.to.now, late.insert(n).inserted
    else { return }
    world.scheduler.after(Int(terms.expiration - sent.to.now) * 1000) { [weak self] in
      guard let self, !world.isOver else { return }
      tell(sent.to.member.key, sent.body)
    }
  }
}

/// An offer whose fields a liar can change.
private protocol BendableOffer: OfferPayload {
  var n: TransactionID { get set }
  var hx: Hash { get set }
  var contract: Contract { get set }
}

extension E1: BendableOffer {}
extension R1: BendableOffer {}
