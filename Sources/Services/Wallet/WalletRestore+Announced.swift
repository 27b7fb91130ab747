// Announced purchases in a restored wallet: the bank shows the token's key the announcement with its lock,
// and the merchant shows that key N1 and PO. S_t(PO) is signed anew.

import Foundation
import Messages
import Parties
import Storage

/// An announcement that the bank made a lock upon, or that a wallet's store holds with its order.
struct FoundAnnouncement: FoundPurchase {
  let announcement: Verified<Announcement>
  /// What the archive published, once it has.
  let published: Verified<Announced>?
  let terms: LockTerms
  var mode: Mode { .announced }

  var inputs: [TokenInput] {
    [TokenInput(token: announcement.payload.token, amount: announcement.payload.value.amount)]
  }
  var hash: Hash { announcement.hash }
  var bank: PublicKey { announcement.payload.token.bank }

  /// An announcement says nothing of n: the lock beside it does, or the order.
  static func all(in messages: [[UInt8]]) -> [FoundAnnouncement] {
    let locks = messages.compactMap { try? Unverified<A7>($0).claims }
    let orders = messages.compactMap { try? Verified<PurchaseOrder>(stored: $0) }
    let published = messages.compactMap { try? Verified<Announced>(stored: $0) }
    return messages.compactMap { bytes in
      guard let message = try? Unverified<Announcement>(bytes),
        let announcement = try? Verified(message, by: .key(message.claims.token.key))
      else { return nil }
      let shown = published.first { $0.payload.announcement == bytes }
      let lock = locks.first { $0.hAnnounced == shown?.hash }?.terms
      let order = orders.first { $0.hash == announcement.payload.hPO }
      guard let terms = lock ?? order.map(announcement.payload.terms(of:)) else { return nil }
      return FoundAnnouncement(announcement: announcement, published: shown, terms: terms)
    }
  }

  func takeUp(by wallet: Wallet, below limit: UInt64, names: [String]) async throws -> TakenUp {
    try await wallet.takeUp(self, below: limit, names: names)
  }
}

extension Wallet {
  /// What archives published of a token that its bank still calls available: M may have S_t(PO), and bring it
  /// to the bank until the expiry. Where M does not know of it, nobody can lock the token.
  func unseenAnnouncements(of coin: Coin) async throws -> [FoundAnnouncement] {
    let token = try coin.decoded()
    guard coin.archive == nil else { return [] }
    var found: [FoundAnnouncement] = []
    for archive in trust.list.entries where archive.role == .archive && archive.sealingKey != nil {
      guard let url = archive.url,
        let reply = try? await transport.send(
          "GET", url: url + "/v1/announcements/\(token.id)", body: nil, contentType: nil),
        reply.status == 200, let bundle = try? Messages.Bundle(encoded: reply.body)
      else { continue }
      for bytes in bundle.messages {
        guard let published = try? Verified<Announced>(bytes, by: .key(archive.key)),
          let announcement = try? Verified<Announcement>(
            published.payload.announcement, by: .key(token.key)),
          announcement.payload.token == token, announcement.payload.expiration > clock(),
          let order = try? await order(announcement, coin)
        else { continue }
        found.append(
          FoundAnnouncement(
            announcement: announcement, published: published,
            terms: announcement.payload.terms(of: order)))
      }
    }
    return found
  }

  /// The order that an announcement names: the merchant shows it to the token's key, if it has S_t(PO).
  private func order(
    _ announcement: Verified<Announcement>, _ coin: Coin
  ) async throws -> Verified<PurchaseOrder>? {
    let merchant = announcement.payload.merchant
    var generator = surroundings.randomness
    let query = StatusQuery(
      n: nil, merchant: merchant, nonce: .random(using: &generator),
      serial: announcement.payload.token.serial)
    let answer = try await answer(to: query, at: merchant, as: seed.tokenKey(coin.keyIndex))
    return answer.payload.proof.lazy.compactMap { try? Verified<PurchaseOrder>($0, by: .key(merchant)) }
      .first { $0.hash == announcement.payload.hPO }
  }

  /// Makes the purchase that an announcement paid again.
  fileprivate func takeUp(
    _ found: FoundAnnouncement, below limit: UInt64, names: [String]
  ) async throws -> TakenUp {
    let terms = found.terms
    guard let coin = try await store.read({ try $0.coin(found.announcement.payload.token.id) }),
      let published = found.published
    else { return .foreign }
    let answer = try await status(
      of: terms.n, terms.merchant, at: terms.merchant, as: seed.tokenKey(coin.keyIndex))
    let order = answer.payload.proof.lazy.compactMap {
      try? Verified<PurchaseOrder>($0, by: .key(terms.merchant))
    }.first { $0.hash == terms.hP1 }
    let n1 = answer.payload.proof.lazy.compactMap { bytes in
      (try? Unverified<N1>(bytes)).flatMap { try? Verified($0, by: .key($0.claimedSigners[0])) }
    }.first
    guard let order, let n1 else { return .forgotten(index: nil) }
    guard let index = pseudonym(n1.signer, below: limit, names: names) else { return .foreign }
    let number = try await number(
      of: n1, paidBy: found.announcement.bytes, as: .announcement, near: index, below: limit)
    let consent = try Verified(
      signing: Consent(n: terms.n, merchant: terms.merchant, hPO: order.hash),
      with: seed.tokenKey(coin.keyIndex))
    let offer = try? await offers(merchant: terms.merchant.description).first {
      $0.id == n1.payload.offer
    }
    let info = PurchaseInfo(
      number: number, pseudonymIndex: index, merchant: terms.merchant.description,
      description: offer?.description ?? "", name: offer?.name ?? "", price: terms.value.description,
      startedAt: order.payload.date, output: nil, protocol: Mode.announced.name)
    try await takeUp(
      info,
      [
        (.n1, n1.bytes), (Label(.purchaseOrder), order.bytes),
        (Label(.announcement), found.announcement.bytes), (Label(.announced), published.bytes),
        (Label(.consent), consent.bytes),
      ], due: terms.expiration)
    await goOn(info, PurchasedGoods(order, order.payload.terms.goods))
    return .here(number: number, index: index)
  }
}
