// Repeated transactions at the merchant (US 6,076,078, FIG. 8): a further purchase is sealed and described
// when it is asked for; R7 of one purchase may come with R5 of the next (short form).

import Foundation
import Messages
import Parties
import Storage

extension MerchantService {
  /// What comes together: [R7 of i, R5 of i + 1], which R8 of i and R6 of i + 1 answer, or what is refused of
  /// them; or the receipt of a compact sale.
  func together(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    guard bundle.messages.count == 2, try MessageType(peeking: bundle.messages[0]) == .r7,
      try MessageType(peeking: bundle.messages[1]) == .r5
    else { return try await receipt(bundle) }
    let r7 = bundle.messages[0]
    let key = try await step(Unverified<R7>(r7).claims.n, r7, ItemAcknowledged(message: r7))
    let next = try await item(bundle.messages[1])
    return try Messages.Bundle([key, next].compactMap { $0 }).encoded()
  }

  /// R5: seals the goods for this purchase alone and signs R6. The same R5 is answered by the same R6.
  func item(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let r5 = try Verified<R5>(bytes, by: BankService.claimed(Unverified<R5>(bytes)))
    let n = r5.payload.n
    // Two at a time would write one file twice.
    guard sealing.withLock({ $0.insert(n).inserted }) else {
      throw Problem.busy("Busy", "Goods of this series are being sealed.")
    }
    defer { sealing.withLock { _ = $0.remove(n) } }
    let unknown = Denial(.unknownTransaction, "no such series")
    guard let found = try await series(n) else { return try node.refuse(unknown, request: bytes) }
    let now = node.clock()
    switch found.answer(r5, policy, now) {
    case .reply(let known)?: return known
    case .refuse(let denial)?: return try node.refuse(denial, request: bytes)
    default: break
    }
    guard let stored = try await OfferBook.find(r5.payload.offer, node.store), let offer = stored.published,
      offer.modes.contains(.repeated)
    else {
      return try node.refuse(Denial(.noSuchOffer, "there is no such offer in a series"), request: bytes)
    }
    let total = found.total.amount + offer.price.amount
    guard offer.price.currency == found.total.currency, total <= r5.payload.runningTotalMax.amount else {
      let detail = "the price is \(offer.price) now, more than R5 allows with the purchases before"
      return try node.refuse(Denial(.wrongValue, detail), request: bytes)
    }
    let salts = found.salts(r5.payload.index, Hash(hex: stored.digest)!)
    let goods = try await seal(
      stored, as: Self.goodsName(n, r5.payload.index), key: found.key(r5.payload.index), n: n,
      salt: salts.goods)
    let draft = draft(stored, offer, found.contract, goods, salt: salts.description)
    return try await step(n, bytes, ItemOffered(request: r5, draft: draft))
  }

  /// The series' terms with this offer's goods and price.
  private func draft(
    _ stored: StoredOffer, _ offer: Offer, _ first: Contract, _ goods: GoodsClaim, salt: Hash
  ) -> ItemDraft {
    var contract = first
    (contract.price, contract.name) = (offer.price, offer.name)
    contract.descriptionHash = .description(offer.description, salt: salt)
    contract.digests = [Hash(hex: stored.digest)!]
    return ItemDraft(contract: contract, goods: goods, salt: salt)
  }

  /// What answering an R5 takes of a sale's machine, which cannot leave its transaction.
  private struct OpenSeries: Sendable {
    let answer: @Sendable (Verified<R5>, MerchantPolicy, Timestamp) -> MerchantEffect?
    let total: Money
    let contract: Contract
    let key: @Sendable (UInt64) -> [UInt8]
    let salts: @Sendable (UInt64, Hash) -> (goods: [UInt8], description: Hash)
  }

  private func series(_ n: TransactionID) async throws -> OpenSeries? {
    try await node.store.read { [self] tx in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes), try ModeRow(row).mode == .repeated
      else { return nil }
      let sale = try load(RepeatedMode.self, n, row, tx)
      guard let series = sale.series else { return nil }
      let phase = sale.phase
      return OpenSeries(
        answer: { r5, policy, now in
          series.answer(r5, isOpen: phase == .authorised, policy: policy, at: now)
        },
        total: series.total, contract: sale.p1.payload.contract, key: { series.key($0) },
        salts: { series.salts($0, digest: $1) })
    }
  }

  /// R4 and all that went on under the lock, to the series' pseudonym alone: k_0 is in it.
  func series(_ call: HTTPCall) async throws -> HTTPReply {
    let n = try await customersSale(call)
    let messages = try await node.store.read { [self] tx -> [[UInt8]] in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes), try ModeRow(row).mode == .repeated
      else { return [] }
      return try load(RepeatedMode.self, n, row, tx).series?.messages ?? []
    }
    guard !messages.isEmpty else { throw Problem.notFound("no series of this sale yet") }
    return HTTPReply(
      status: 200, contentType: cborMediaType, body: .bytes(try Messages.Bundle(messages).encoded()))
  }
}
