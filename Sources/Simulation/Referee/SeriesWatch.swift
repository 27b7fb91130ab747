// Repeated transactions (FIG. 8) at merchant and customer, message by message as each becomes durable: what a
// series costs adds up, a key leaves only for its acknowledgement, nothing is acknowledged without the keys
// before. Between lock and record nobody else is there to look.

import Messages
import Parties
import Storage

/// Looks at the messages that a durable step adds to a series.
struct SeriesWatch {
  private let referee: Referee
  private let host: Host
  private let log: [StoredMessage]
  private let n: TransactionID
  private let offer: Verified<R1>

  /// Nil if this is no series.
  init?(_ referee: Referee, _ host: Host, _ log: [StoredMessage]) {
    guard let bytes = log.last(where: { $0.label == R1.type.label })?.bytes,
      let offer = try? Verified<R1>(stored: bytes)
    else { return nil }
    (self.referee, self.host, self.log, self.offer, n) = (referee, host, log, offer, offer.payload.n)
  }

  private func fail(_ invariant: Int, _ text: String) {
    referee.violate(invariant, "\(host.member.name): \(text)")
  }

  // MARK: What there is

  private func last<P: Payload>(_ label: String, _: P.Type) -> Verified<P>? {
    log.last { $0.label == label }.flatMap { try? Verified<P>(stored: $0.bytes) }
  }
  private func item<P: Payload>(_ type: P.Type, _ index: UInt64) -> Verified<P>? {
    last("\(P.type.label) \(index)", type)
  }

  /// What all purchases before this one cost, and H of the last of them.
  private func before(_ index: UInt64) -> (total: Money, hash: Hash)? {
    if index == 1 { return (offer.payload.contract.price, offer.hash) }
    return item(R6.self, index - 1).map { ($0.payload.runningTotal, $0.hash) }
  }

  private var terms: LockTerms? {
    log.first { $0.label == R3.type.label }.flatMap { LockFacts($0.bytes)?.terms }
  }

  private func opens(_ key: [UInt8], _ index: UInt64, _ hx: Hash) -> Bool {
    let x = masked(key, by: .seriesMask(offer.payload.maskBytes, index))
    return Hash.keyCommitment(.repeated, merchant: offer.signer, n: n, key: x) == hx
  }

  private func commitment(_ index: UInt64) -> Hash? {
    index == 0 ? offer.payload.hx : item(R6.self, index)?.payload.hx
  }

  // MARK: The merchant

  /// A message of the sale became durable.
  func sold(_ label: String, _ bytes: [UInt8], secret: [UInt8]) {
    let type = label.prefix { $0 != " " }
    switch type {
    case R4.type.label:
      guard let r4 = try? Verified<R4>(stored: bytes), let terms else {
        return fail(3, "gives the first key of a series without a lock")
      }
      if terms.hP1 != offer.hash || !opens(r4.payload.key, 0, offer.payload.hx) {
        fail(3, "gives a first key that it did not commit to")
      }
      let isAcknowledged = log.contains { $0.label == Acknowledgement.type.label }
      if offer.payload.contract.twoSided && !isAcknowledged {
        fail(3, "gives the first key of a two-sided series before the customer's acknowledgement")
      }
    case R6.type.label: if let r6 = try? Verified<R6>(stored: bytes) { sold(r6, secret) }
    case R8.type.label: if let r8 = try? Verified<R8>(stored: bytes) { gave(r8.payload) }
    case R9.type.label: if let r9 = try? Verified<R9>(stored: bytes) { submits(r9.payload) }
    default: break
    }
  }

  private func sold(_ r6: Verified<R6>, _ secret: [UInt8]) {
    let (payload, index) = (r6.payload, r6.payload.index)
    guard let before = before(index), let r5 = item(R5.self, index)?.payload, let terms else {
      return fail(8, "offers what nobody asked for in a series")
    }
    checkTotal(payload, before.total, most: r5.runningTotalMax, budget: terms.value)
    if payload.hPrevious != before.hash || r5.hPrevious != before.hash {
      fail(4, "offers what does not follow the purchase before")
    }
    if index > 1, item(R7.self, index - 1) == nil {
      fail(3, "goes on with a series whose last purchase is not acknowledged")
    }
    if !opens(RepeatedMode.goodsKey(secret, index), index, payload.hx) {
      fail(3, "offers under a commitment to another key")
    }
    let claim = GoodsClaim(root: payload.root, length: payload.length)
    let key = RepeatedMode.goodsKey(secret, index)
    if !referee.opens("goods/\(n)-\(index)", of: host, claim, key: key, n, payload.contract.name) {
      fail(3, "offers goods that its key does not open")
    }
    let ware = referee.world.offered[r5.offer]
    if let ware, ware.name != payload.contract.name || ware.price != payload.contract.price.amount {
      fail(1, "offers \(payload.contract.name) at \(payload.contract.price) where \(ware.name) was asked for")
    }
  }

  private func checkTotal(_ item: R6, _ before: Money, most: Money, budget: Money) {
    if item.runningTotal.amount != before.amount + item.contract.price.amount {
      fail(1, "counts \(item.runningTotal) after \(before) and a purchase of \(item.contract.price)")
    }
    if item.runningTotal.amount > min(most.amount, budget.amount) {
      fail(1, "takes \(item.runningTotal) where \(most) was allowed of \(budget)")
    }
  }

  private func gave(_ r8: R8) {
    guard let r6 = item(R6.self, r8.index),
      let bytes = log.last(where: { $0.label == "R7 \(r8.index)" })?.bytes,
      let r7 = try? Verified<R7>(bytes, by: .key(offer.payload.contract.pseudonym))
    else { return fail(3, "gives a key of a series without the customer's acknowledgement") }
    let said = r7.payload
    guard said.n == n, said.index == r8.index, said.merchant == host.member.key, said.hR6 == r6.hash,
      said.hx == r6.payload.hx, said.runningTotal == r6.payload.runningTotal
    else { return fail(3, "gives a key for an acknowledgement of something else") }
    if !opens(r8.key, r8.index, r6.payload.hx) { fail(3, "gives a key that it did not commit to") }
  }

  /// Everything that the customer acknowledged is paid, and nothing else unless the archive has its goods.
  private func submits(_ r9: R9) {
    var (offered, acknowledged): (UInt64, UInt64) = (0, 0)
    while item(R6.self, offered + 1) != nil { offered += 1 }
    while item(R7.self, acknowledged + 1) != nil { acknowledged += 1 }
    if r9.delivery == .forced {
      if r9.index != acknowledged + 1 || r9.index > offered {
        fail(4, "forces purchase \(r9.index) of a series with \(acknowledged) acknowledged")
      }
    } else if r9.index != acknowledged {
      fail(4, "submits purchase \(r9.index) of a series with \(acknowledged) acknowledged")
    }
    guard let hx = commitment(r9.index) else { return fail(4, "submits a purchase that it did not offer") }
    if Hash.keyCommitment(.repeated, merchant: host.member.key, n: n, key: r9.key) != hx {
      fail(3, "submits a key that it did not commit to")
    }
  }

  /// The record is there: it pays what the purchases up to j cost.
  func paid(_ outcome: OutcomeFacts) {
    guard let terms, let index = outcome.series?.index else { return }
    let due = index == 0 ? offer.payload.contract.price : item(R6.self, index)?.payload.runningTotal
    if let due, outcome.due(terms) != due {
      fail(1, "is paid \(outcome.due(terms).map { "\($0)" } ?? "nothing") for what costs \(due)")
    }
  }

  // MARK: The customer

  /// A message of the purchase became durable.
  func bought(_ label: String, _ bytes: [UInt8]) {
    let type = label.prefix { $0 != " " }
    switch type {
    case R4.type.label:
      guard let r4 = try? Verified<R4>(stored: bytes) else { return }
      if !opens(r4.payload.key, 0, offer.payload.hx) { fail(3, "takes a key that opens nothing") }
    case R5.type.label: if let r5 = try? Verified<R5>(stored: bytes) { wants(r5.payload) }
    case R6.type.label:
      guard let r6 = (try? Verified<R6>(stored: bytes))?.payload, let before = before(r6.index),
        let r5 = item(R5.self, r6.index)?.payload, let terms
      else { return fail(8, "takes an offer that it did not ask for") }
      checkTotal(r6, before.total, most: r5.runningTotalMax, budget: terms.value)
      if r6.hPrevious != r5.hPrevious { fail(3, "takes an offer that follows another purchase") }
    case R7.type.label: if let r7 = try? Verified<R7>(stored: bytes) { acknowledges(r7.payload) }
    case R8.type.label:
      guard let r8 = (try? Verified<R8>(stored: bytes))?.payload, let hx = commitment(r8.index) else {
        return
      }
      if !opens(r8.key, r8.index, hx) { fail(3, "takes a key that opens nothing") }
    default: break
    }
  }

  private func wants(_ r5: R5) {
    guard let before = before(r5.index), let terms else {
      return fail(8, "goes on before the series is open")
    }
    if r5.runningTotalMax.amount > terms.value.amount {
      fail(1, "allows \(r5.runningTotalMax) under a budget of \(terms.value)")
    }
    if let ware = referee.world.offered[r5.offer],
      r5.runningTotalMax.amount > before.total.amount + ware.price
    {
      fail(1, "allows \(r5.runningTotalMax) for a purchase of \(ware.price) after \(before.total)")
    }
    if r5.hPrevious != before.hash { fail(3, "asks for what follows another purchase") }
  }

  /// What is acknowledged can be charged: then the keys of all purchases before are here (attack 9).
  private func acknowledges(_ r7: R7) {
    guard let r6 = item(R6.self, r7.index), r7.hR6 == r6.hash, r7.runningTotal == r6.payload.runningTotal,
      r7.hx == r6.payload.hx
    else { return fail(3, "acknowledges another purchase than it was offered") }
    for index in 0..<r7.index {
      let key = index == 0 ? last(R4.type.label, R4.self)?.payload.key : item(R8.self, index)?.payload.key
      guard let key, let hx = commitment(index), opens(key, index, hx) else {
        return fail(3, "acknowledges purchase \(r7.index) of a series without the key of \(index)")
      }
    }
  }
}
