// What is special in the announced purchase (US 6,076,078, FIG. 3; docs/SPEC.md, "Announced"): a token is
// announced in the archive and belongs from then on to whoever knows sign_t, or to M. From the lock (7) on
// it is like any other mode.
//
// Invariant (attack 13): nobody gets anything for knowing t. Announcement and consent are signed by t's own
// key, and a lock ends by the archive's record alone.

public import Messages

extension Announcement {
  /// What the bank locks for this announcement of that order. P is the token's own key.
  public func terms(of order: Verified<PurchaseOrder>) -> LockTerms {
    LockTerms(
      n: order.payload.terms.n, merchant: merchant, archive: archive, pseudonym: token.key, value: value,
      expiration: expiration, lifetime: order.payload.terms.lifetime, hP1: order.hash,
      hx: order.payload.terms.hx)
  }

  /// What it pays with.
  var inputs: [TokenInput] { [TokenInput(token: token, amount: value.amount)] }

  /// Nil if this announces the payment of that order; otherwise why not.
  func mismatch(_ order: Verified<PurchaseOrder>) -> Denial? {
    let terms = order.payload.terms
    guard hPO == order.hash, merchant == order.signer else {
      return Denial(.mismatch, "the announcement is of another order")
    }
    guard archive == terms.archive else { return Denial(.unsupported, "the order names another archive") }
    guard token.bank == terms.bank else { return Denial(.unsupported, "the order names another bank") }
    guard token.archive == nil else {
      return Denial(.badToken, "a token that is bound to an archive pays invoices only")
    }
    guard value == terms.price else {
      return Denial(.wrongValue, "\(value) are announced, the price is \(terms.price)")
    }
    guard expiration <= terms.expiration else {
      return Denial(.expirationCap, "the announcement expires later than the order allows")
    }
    return nil
  }
}

extension PurchaseOrder {
  /// What C signs once it has all of the ciphertext and its announcement is published: message 4.
  static func consent(to order: Verified<PurchaseOrder>) -> Consent {
    Consent(n: order.payload.terms.n, merchant: order.signer, hPO: order.hash)
  }
}

/// Messages 3 (published), 4 and 2, which M brings to the bank; their signatures hold.
public struct Claim: Equatable, Sendable {
  /// 3 as the archive published it.
  public let published: Verified<Announced>
  /// 3 as t's key signed it.
  public let announcement: Verified<Announcement>
  public let consent: Verified<Consent>
  public let order: Verified<PurchaseOrder>

  /// Puts the messages together; each has been verified.
  public init(
    published: Verified<Announced>, announcement: Verified<Announcement>, consent: Verified<Consent>,
    order: Verified<PurchaseOrder>
  ) {
    (self.published, self.announcement) = (published, announcement)
    (self.consent, self.order) = (consent, order)
  }

  /// Reads the bundle [3, 4, 2]. The keys of M and A only have to be known here: whether they are trusted
  /// now, the bank checks before it locks, and for an old lock it plays no part.
  public init(_ bundle: Bundle, trust: TrustList) throws(MessageError) {
    guard bundle.messages.count == 3 else { throw MessageError(.malformed, "field-range", "announced claim") }
    published = try Verified(bundle.messages[0], by: .known(trust, as: .archive))
    let inner = try Unverified<Announcement>(published.payload.announcement)
    announcement = try Verified(inner, by: .key(inner.claims.token.key))
    consent = try Verified(bundle.messages[1], by: .key(inner.claims.token.key))
    order = try Verified(bundle.messages[2], by: .known(trust, as: .merchant))
  }

  /// The bundle.
  public var bundle: Bundle { Bundle([published.bytes, consent.bytes, order.bytes]) }

  /// Nil if the messages belong together; otherwise why not.
  public var mismatch: Denial? {
    if let denial = announcement.payload.mismatch(order) { return denial }
    guard consent.payload == PurchaseOrder.consent(to: order) else {
      return Denial(.mismatch, "S_t(PO) is of another order")
    }
    guard published.signer == announcement.payload.archive,
      published.payload.at < announcement.payload.expiration
    else { return Denial(.mismatch, "the announcement was not published in time by its archive") }
    return nil
  }
}

/// What a mode asks for that wants nothing beside the submission and the lock.
public struct NoAttachment: Equatable, Sendable {}

extension AnnouncedMode: ArchiveMode {
  public static func attachment(
    _ rest: ArraySlice<[UInt8]>, beside lock: Verified<A7>
  ) throws(MessageError) -> NoAttachment {
    guard rest.isEmpty else { throw MessageError(.malformed, "field-range", "\(A8.type.label) bundle") }
    return NoAttachment()
  }

  /// S_t(PO) stands in 8 itself: M owns t only by the word of t's key.
  public static func check(
    _: NoAttachment, submission: Verified<A8>, terms: LockTerms, holdsGoods _: Bool
  ) -> Denial? {
    guard let consent = try? Verified<Consent>(submission.payload.consent, by: .key(terms.pseudonym)),
      consent.payload == Consent(n: terms.n, merchant: terms.merchant, hPO: terms.hP1)
    else { return Denial(.mismatch, "S_t(PO) is not the announced token's word for this order") }
    return nil
  }

  public static func commit(
    _ submission: Verified<A8>, _: NoAttachment, terms: LockTerms, at now: Timestamp,
    key _: borrowing SigningKey
  ) -> A9a {
    A9a(submission: submission.bytes, at: now, lifetime: terms.lifetime)
  }
}

/// Message 3 at the archive.
public enum AnnouncementDesk {
  /// Nil if the archive publishes this announcement; its signature by t's key holds. `facts`: what the
  /// token's bank says of it. Only a token that was paid for takes room in the record.
  public static func check(
    _ announcement: Verified<Announcement>, facts: TokenFacts, archive: PublicKey, trust: TrustList,
    at now: Timestamp
  ) -> Denial? {
    let payload = announcement.payload
    guard announcement.signer == payload.token.key else {
      return Denial(.untrusted, "only t's own key announces t")
    }
    guard payload.archive == archive else {
      return Denial(.mismatch, "the announcement is for another archive")
    }
    guard now < payload.expiration else { return Denial(.tooLate, "the announcement has expired") }
    do throws(MessageError) {
      try trust.check(payload.merchant, as: .merchant, at: now, subject: "merchant")
      try trust.check(payload.token.bank, as: .bank, at: now, subject: "bank")
    } catch { return Denial(.untrusted, "the announcement names a merchant or bank that is not trusted") }
    guard facts.denomination != nil else {
      return Denial(.denomination, "the token's denomination key is not in its bank's key list")
    }
    guard facts.signatureHolds else { return Denial(.badToken, "the token's blind signature does not hold") }
    return nil
  }
}
