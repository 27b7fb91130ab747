// Invoice purchases in a restored wallet: the bank shows the token's key what paid, and the merchant shows
// that key N1, INV and its deposit, in which k stands.

import Foundation
import Messages
import Parties
import Storage

/// A sale that a bound token paid.
struct FoundInvoice: Sendable {
  let n: TransactionID
  let merchant: PublicKey
  let coin: Coin

  /// What the bank shows of a bound token: the archive's approval, or its own record.
  static func all(in uses: [[UInt8]], of coin: Coin) -> [FoundInvoice] {
    guard coin.archive != nil else { return [] }
    return uses.compactMap { bytes in
      if let approval = try? Unverified<Approval>(bytes).claims {
        return FoundInvoice(n: approval.n, merchant: approval.merchant, coin: coin)
      }
      return (try? Unverified<PassiveRecord>(bytes).claims).map {
        FoundInvoice(n: $0.n, merchant: $0.merchant, coin: coin)
      }
    }
  }
}

extension Wallet {
  /// Tokens of invoices in this store are in use, or gone, whatever the bank has heard so far: merchant and
  /// archive may be the only ones who know.
  func settleInvoices() async throws {
    try await store.write { tx in
      for phase in [PurchasePhase.authorised, .paid, .delivered] {
        let rows = try tx.machines(kind: PurchaseInfo.kind, phase: phase.rawValue, after: nil, limit: 10_000)
        for row in rows {
          let info = try JSONDecoder().decode(PurchaseInfo.self, from: Data(row.data))
          guard let id = info.token.flatMap(Hash.init(hex:)), var coin = try tx.coin(id) else { continue }
          (coin.rest, coin.held) = phase == .authorised ? (coin.value, coin.value) : (0, 0)
          try tx.putCoin(coin, id: id)
        }
      }
    }
  }

  /// Makes a paid invoice purchase again.
  func takeUp(_ found: FoundInvoice, below limit: UInt64, names: [String]) async throws -> TakenUp {
    let token = try found.coin.decoded()
    guard let archive = token.archive, let inner = token.inner else { return .foreign }
    let answer = try await status(
      of: found.n, found.merchant, at: found.merchant, as: seed.tokenKey(found.coin.keyIndex))
    let proof = answer.payload.proof
    let invoice = proof.lazy.compactMap { try? Verified<Invoice>($0, by: .key(found.merchant)) }.first {
      $0.payload.terms.n == found.n && $0.payload.address == token.address
    }
    let deposit = proof.lazy.compactMap { try? Verified<Deposit>($0, by: .key(found.merchant)) }.first {
      $0.payload.invoice == invoice?.bytes
    }
    let n1 = proof.lazy.compactMap { bytes in
      (try? Unverified<N1>(bytes)).flatMap { try? Verified($0, by: .key($0.claimedSigners[0])) }
    }.first
    guard let invoice, let n1, let deposit else { return .forgotten(index: nil) }
    guard let index = pseudonym(n1.signer, below: limit, names: names) else { return .foreign }
    let number = try await number(
      of: n1, paidBy: deposit.payload.endorsement, as: .endorsement, near: index, below: limit)
    let registration = try Verified(
      signing: Registration(archive: archive, tokenKey: token.key, inner: inner),
      with: seed.tokenKey(found.coin.keyIndex))
    let offer = try? await offers(merchant: found.merchant.description).first {
      $0.id == n1.payload.offer
    }
    var info = PurchaseInfo(
      number: number, pseudonymIndex: index, merchant: found.merchant.description,
      description: offer?.description ?? "", name: offer?.name ?? "",
      price: invoice.payload.terms.price.description, startedAt: invoice.payload.date, output: nil,
      protocol: n1.payload.mode.name)
    info.token = token.id.description
    try await takeUp(
      info,
      [
        (.n1, n1.bytes), (Label(.registration), registration.bytes), (Label(.invoice), invoice.bytes),
        (Label(.endorsement), deposit.payload.endorsement), (Label(.deposit), deposit.bytes),
      ], phase: .paid, due: nil)
    await goOn(info, PurchasedGoods(invoice, invoice.payload.terms.goods))
    return .here(number: number, index: index)
  }
}
