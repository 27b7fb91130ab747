// Announced sales at the merchant (FIG. 3): the order, the customer's word, and the bank's refusal.

import Foundation
import Messages
import Parties

extension MerchantService {
  /// N1 of an announced purchase: signs PO. The bank and the archive see PO, so the goods' name stays out.
  func order(_ n1: Verified<N1>, _ offer: Offer, _ goods: FreshGoods) async throws -> [UInt8] {
    guard let terms = try terms(n1, offer, goods, archive: nil) else {
      return try node.refuse(
        Denial(.unsupported, "the merchant knows no archive or bank now"), request: n1.bytes)
    }
    let machine = try AnnouncedSale(
      offering: PurchaseOrder(terms: terms), to: n1.signer, k: goods.key, key: node.identity.signing)
    return try await keep(
      [(Label(.purchaseOrder), machine.order.bytes)], ModeRow(.announced, goods.key), n1, goods.n,
      at: goods.date)
  }

  /// What PO and INV both say. `archive` nil: M chooses one that takes sealed submissions. Nil if there is no
  /// bank or archive.
  func terms(
    _ n1: Verified<N1>, _ offer: Offer, _ goods: FreshGoods, archive: PublicKey?
  ) throws -> InvoiceTerms? {
    let expiration = goods.date + policy.expirationSeconds
    let lifetime = expiration + node.trust.list.lifetimeSeconds
    let archive = archive ?? party(.archive, from: goods.date, to: lifetime)
    // An invoice is paid where the merchant has its account; an announced token may be of another bank.
    let home = node.trust.list.home(of: node.identity.key)
    guard let archive, let bank = home ?? party(.bank, from: goods.date, to: lifetime) else { return nil }
    return InvoiceTerms(
      n: goods.n, archive: archive, bank: bank, price: n1.payload.price, expiration: expiration,
      lifetime: lifetime,
      hx: .keyCommitment(n1.payload.mode, merchant: node.identity.key, n: goods.n, key: goods.key),
      goods: goods.claim, salt: goods.salt, date: goods.date,
      descriptionHash: .description(offer.description, salt: goods.salt), digests: [goods.digest], name: "")
  }

  /// The first party of this role that can be sealed to and is trusted all that time.
  private func party(_ role: Role, from: Timestamp, to: Timestamp) -> PublicKey? {
    let list = node.trust.list
    return list.entries.first { entry in
      entry.role == role && entry.sealingKey != nil
        && [from, to].allSatisfy {
          (try? list.check(entry.key, as: role, at: $0, subject: entry.name)) != nil
        }
    }?.key
  }

  /// [4, 3] from the customer.
  func consented(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "S_t(PO) bundle") }
    let published = try Verified<Announced>(
      bundle.messages[1], by: .trusted(node.trust.list, as: .archive, at: node.clock()))
    let inner = try Unverified<Announcement>(published.payload.announcement)
    let announcement = try Verified(inner, by: .key(inner.claims.token.key))
    let consent = try Verified<Consent>(bundle.messages[0], by: .key(inner.claims.token.key))
    let n = consent.payload.n
    let reply = try await step(
      n, bundle.encoded(),
      Consented(consent: consent, published: published, announcement: announcement))
    let token = announcement.payload.token
    try await node.store.write { tx in
      guard
        try tx.message(kind: Self.kind, key: n.bytes, label: Label(.announcement).rawValue)
          == announcement.bytes
      else { return }
      try tx.setMeta(Self.announcedMark(token.key, token.serial), n.bytes)
    }
    return reply
  }

  /// Where the sale is found again for which a token was announced: its owner may have lost n.
  static func announcedMark(_ key: PublicKey, _ serial: Hash) -> String { "announced/\(key)/\(serial)" }
}
