// Lies about announced tokens (FIG. 3): archives that publish late, back-dated or something else; merchants
// that sell garbage by an order, claim with another order's consent, or submit other keys; customers that
// announce one token twice or somebody else's, for less, elsewhere, and agree to nothing or something else.

import Messages
import Parties
import Services

// MARK: Archives

extension LyingArchive {
  private enum Publishing: Int, CaseIterable {
    case honest, alsoHonest, silent, late, backdated, another, refuses, again
  }

  /// Message 3, to be published.
  func announced(_ bytes: [UInt8]) -> Lie? {
    guard let said = (try? Unverified<Announcement>(bytes))?.claims, said.archive == host.member.key else {
      return nil
    }
    defer { announcements.append(bytes) }
    let now = host.now
    switch Publishing(rawValue: trick(Hash(of: bytes).bytes, of: Publishing.allCases.count))! {
    case .honest, .alsoHonest: return nil
    case .silent: return lie(nil)
    case .late: return lie(sign(Announced(at: said.expiration, announcement: bytes)))
    case .backdated: return lie(sign(Announced(at: min(now, said.expiration - 1), announcement: bytes)))
    case .another:
      return lie(sign(Announced(at: now, announcement: announcements.last ?? bytes)))
    case .refuses:
      return lie(sign(Refusal(at: now, reason: .tooLate, hRequest: Hash(of: bytes), detail: "no")))
    case .again:
      // Each time under another time: the bank may be shown another copy than the customer.
      return lie(sign(Announced(at: now - UInt64(dice.below(3)), announcement: bytes)))
    }
  }
}

// MARK: Merchants

extension LyingMerchant {
  /// What a liar sells by an order: beside the order that its own machine signed.
  struct Order {
    var bytes: [UInt8]
    var consent: [UInt8]?
  }

  /// PO that is not what was asked for.
  func forge(_ order: PurchaseOrder) -> [UInt8]? {
    var terms = order.terms
    guard let key = saleKey(terms.n) else { return nil }
    var (sealed, submits): ([UInt8]?, Bool) = (nil, false)
    switch trick(terms.n) {
    case .higherPrice: terms.price = Money(currency: "EUR", amount: terms.price.amount + 1)!
    case .otherPseudonym: terms.archive = host.member.key
    default:
      guard let bent = bend(&terms, .announced, key: key) else { return nil }
      (sealed, submits) = bent
    }
    world.count(.lied)
    let signed = sign(PurchaseOrder(terms: terms))
    keep(order.terms.n, key: key, sealed: sealed, submits: submits)
    if submits, let signed { orders[order.terms.n] = Order(bytes: signed) }
    return signed
  }

  /// S_t(PO) for an order that the liar made up: its own machine knows nothing of it.
  func consented(_ body: [UInt8]) -> Lie? {
    guard let bundle = try? Bundle(encoded: body), bundle.messages.count == 2, bundle.leads == .consent,
      let n = (try? Unverified<Consent>(bundle.messages[0]))?.claims.n
    else { return nil }
    oldConsents[n] = bundle.messages[0]
    guard var order = orders[n] else { return nil }
    order.consent = bundle.messages[0]
    orders[n] = order
    let claim = try? Bundle([bundle.messages[1], bundle.messages[0], order.bytes]).encoded()
    let bank = (try? Unverified<PurchaseOrder>(order.bytes))?.claims.terms.bank
    if let bank { tell(bank, claim) }
    return lie([])
  }

  /// A claim that goes out: with another order's consent, or not at all.
  func bent(claim bundle: Bundle) -> [UInt8]?? {
    guard bundle.leads == .announced, bundle.messages.count == 3,
      let n = (try? Unverified<PurchaseOrder>(bundle.messages[2]))?.claims.terms.n
    else { return nil }
    switch trick(n) {
    case .withholds:
      world.count(.lied)
      return .some(nil)
    case .otherMerchandise:
      guard let other = oldConsents.first(where: { $0.key != n })?.value else { return nil }
      world.count(.lied)
      return .some(try? Bundle([bundle.messages[0], other, bundle.messages[2]]).encoded())
    default: return nil
    }
  }

  /// 8 that differs from its lock in one field.
  func bentAnnounced(_ lockBytes: [UInt8], _ lock: LockFacts, key: [UInt8]) -> [UInt8]? {
    let terms = lock.terms
    guard let consent = consent(terms.n) else { return nil }
    var a8 = A8(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.name, key: key, consent: consent)
    switch trick(terms.n) {
    case .otherLock: a8.lock = Hash(dice.bytes(32))!
    case .otherContract: a8.hP1 = Hash(dice.bytes(32))!
    case .otherExpiration: a8.expiration += 1
    case .otherMerchandise, .forcesNothing:
      guard let other = oldConsents.first(where: { $0.key != terms.n })?.value else { return nil }
      a8.consent = other
    default: a8.n = TransactionID(dice.bytes(16))!
    }
    return sign(a8).flatMap { seal(bundle: [$0, lockBytes], to: terms.archive) }
  }

  /// S_t(PO) of a sale, as this merchant has it.
  func consent(_ n: TransactionID) -> [UInt8]? { orders[n]?.consent ?? oldConsents[n] }
}

// MARK: Customers

extension LyingCustomer {
  /// Message 3 on its way to the archive.
  func bent(announcement bytes: [UInt8], to archive: PublicKey) -> [UInt8] {
    guard var said = (try? Unverified<Announcement>(bytes))?.claims else { return bytes }
    defer { announcedTokens.append(said.token) }
    switch announcementTrick(said.hPO) {
    case .spendsTwice:
      guard let old = announcedTokens.last else { return bytes }
      said.token = old
    case .underpays: said.value = Money(currency: "EUR", amount: max(1, said.value.amount - 1))!
    case .otherMerchant:
      said.merchant = dice.pick(world.hosts.filter { $0.member.role == .merchant }).member.key
    case .otherArchive: said.archive = otherArchive(than: said.archive)
    case .shortExpiration: said.expiration = host.now + UInt64(dice.below(4))
    case .longExpiration: said.expiration = host.now + 9 * 86_400
    case .otherContract: said.hPO = Hash(dice.bytes(32))!
    case .stealsToken:
      guard let other = publicAnnouncements(except: bytes).last(where: { $0.token.key != said.token.key })
      else { return bytes }
      said.token = other.token
    case .sameTokenTwice: said.token.serial = Hash(dice.bytes(32))!
    default: return bytes
    }
    world.count(.lied)
    let signed = resign(said) ?? bytes
    made = made.suffix(7) + [signed]
    if said.archive != archive { tell(said.archive, signed) }
    return signed
  }

  private func announcementTrick(_ order: Hash) -> Trick {
    Trick(rawValue: trick(order.bytes, of: Trick.allCases.count))!
  }

  /// What archives have published, for everybody to read.
  private func publicAnnouncements(except bytes: [UInt8]) -> [Announcement] {
    world.hosts.filter { $0.member.role == .archive }.flatMap { archive in
      (archive.life?.store.image.messages ?? []).filter { $0.kind == "announced" }.compactMap { message in
        (try? Unverified<Announced>(message.entry.bytes)).flatMap {
          try? Unverified<Announcement>($0.claims.announcement).claims
        }
      }
    }
  }

  private func resign(_ announcement: Announcement) -> [UInt8]? {
    let keys = Wallet.keys(entropy: host.member.entropy)
    // Not its own token: under any key of its own.
    let index = Self.indices[announcement.token.key] ?? 0
    return try? Verified(signing: announcement, with: keys.token(index)).bytes
  }

  /// S_t(PO) on its way to the merchant: withheld, of another order, or at the bank before the merchant.
  func bent(consent bundle: Bundle, _ body: [UInt8]) -> [UInt8]? {
    guard let said = (try? Unverified<Consent>(bundle.messages[0])), bundle.messages.count == 2 else {
      return body
    }
    switch announcementTrick(said.claims.hPO) {
    case .vanishes, .otherPseudonym: return lied(nil)
    case .otherCommitment:
      var claims = said.claims
      claims.hPO = Hash(dice.bytes(32))!
      guard let index = Self.indices[said.claimedSigners[0]],
        let other = try? Verified(
          signing: claims, with: Wallet.keys(entropy: host.member.entropy).token(index)
        ).bytes
      else { return body }
      return lied(try? Bundle([other, bundle.messages[1]]).encoded())
    case .asksEarly, .locksForNobody:
      // The bank may make the lock before the merchant has heard of it.
      guard let image = host.life?.store.image,
        let order = image.messages.last(where: {
          $0.entry.label == MessageType.purchaseOrder.label && Hash(of: $0.entry.bytes) == said.claims.hPO
        })?.entry.bytes,
        let bank = (try? Unverified<PurchaseOrder>(order))?.claims.terms.bank
      else { return body }
      tell(bank, try? Bundle([bundle.messages[1], bundle.messages[0], order]).encoded())
      return announcementTrick(said.claims.hPO) == .asksEarly ? body : lied(nil)
    default: return body
    }
  }

  /// Goes on with an announcement that its wallet did not make, once it is published: agrees to it at
  /// merchant and bank.
  func pursueAnnouncements() {
    guard let image = host.life?.store.image,
      let (place, published) = made.indices.lazy.reversed().compactMap({ [self] place in
        publication(of: made[place]).map { (place, $0) }
      }).first, let said = (try? Unverified<Announcement>(made.remove(at: place)))?.claims
    else { return }
    let order = image.messages.last {
      $0.entry.label == MessageType.purchaseOrder.label && Hash(of: $0.entry.bytes) == said.hPO
    }?.entry.bytes
    guard let order, let index = Self.indices[said.token.key],
      let terms = (try? Unverified<PurchaseOrder>(order))?.claims.terms,
      let consent = try? Verified(
        signing: Consent(n: terms.n, merchant: said.merchant, hPO: said.hPO),
        with: Wallet.keys(entropy: host.member.entropy).token(index)
      ).bytes
    else { return }
    tell(said.merchant, try? Bundle([consent, published]).encoded())
    if dice.oneIn(2) { tell(terms.bank, try? Bundle([published, consent, order]).encoded()) }
  }

  /// 4, if its archive has published this 3.
  private func publication(of announcement: [UInt8]) -> [UInt8]? {
    guard
      let archive = (try? Unverified<Announcement>(announcement)).flatMap({ world.host($0.claims.archive) })
    else { return nil }
    return archive.life?.store.image.messages.last {
      $0.kind == "announced"
        && (try? Unverified<Announced>($0.entry.bytes))?.claims.announcement == announcement
    }?.entry.bytes
  }
}
