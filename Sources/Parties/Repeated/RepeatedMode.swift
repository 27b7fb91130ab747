// Repeated transactions (US 6,076,078, FIG. 8; docs/SPEC.md, "Repeated"): one lock of a budget, purchases
// 0, 1, 2, … between C and M alone, one commit of j that pays what all up to j cost.
//
// Invariants: x_j = k_j ⊕ KDF(r, j), so the record opens nothing by itself; a commit shows what is due (the
// lock's base, C's R7, or C's R5 with its maximum and M's R6) and never more than the budget (attack 9); a
// forced commit of j brings x_(j-1) too, so that C is not charged for goods whose key it lacks.

public import Messages

/// How the purchases up to j were delivered, and with it what is due.
public enum SeriesDelivery: Equatable, Sendable {
  /// j = 0: all ciphertext was there before the lock.
  case first
  /// C has all ciphertext up to j, and every key before j.
  case acknowledged(Verified<R7>)
  /// C asked for j and did not acknowledge it: the archive has to hold the goods. `previous` is the R7 of j
  /// - 1; nil for j = 1.
  case forced(Verified<R5>, Verified<R6>, previous: Verified<R7>?)

  /// H of what R9 names.
  func hItem(_ terms: LockTerms) -> Hash {
    switch self {
    case .first: terms.hP1
    case .acknowledged(let r7): r7.hash
    case .forced(_, let r6, _): r6.hash
    }
  }

  /// The commitment to the key that R9 carries.
  func hx(_ terms: LockTerms) -> Hash {
    switch self {
    case .first: terms.hx
    case .acknowledged(let r7): r7.payload.hx
    case .forced(_, let r6, _): r6.payload.hx
    }
  }

  /// What travels beside R9 and R3.
  var messages: [[UInt8]] {
    switch self {
    case .first: []
    case .acknowledged(let r7): [r7.bytes]
    case .forced(let r5, let r6, let previous): [r5.bytes, r6.bytes] + (previous.map { [$0.bytes] } ?? [])
    }
  }

  /// What is due for R9 under these terms; R9's own key is checked elsewhere.
  func total(_ submission: Verified<R9>, _ terms: LockTerms) throws(Mismatch) -> Money {
    let r9 = submission.payload
    guard r9.hItem == hItem(terms) else { throw Mismatch("R9 names another purchase") }
    let total: Money
    switch self {
    case .first:
      guard r9.index == 0, r9.delivery == .acknowledged, let base = terms.base else {
        throw Mismatch("R9 says more than it shows")
      }
      total = base
    case .acknowledged(let r7):
      guard r9.index == r7.payload.index, r9.delivery == .acknowledged, r7.payload.n == terms.n,
        r7.payload.merchant == terms.merchant
      else { throw Mismatch("R7 is of another purchase") }
      total = r7.payload.runningTotal
    case .forced(let r5, let r6, let previous):
      try Self.checkForced(submission, r5.payload, r6.payload, previous?.payload, terms)
      total = r6.payload.runningTotal
      guard total.currency == r5.payload.runningTotalMax.currency,
        total.amount <= r5.payload.runningTotalMax.amount
      else { throw Mismatch("a running total above what the customer asked for") }
    }
    guard total.currency == terms.value.currency, total.amount <= terms.value.amount else {
      throw Mismatch("a running total above the budget")
    }
    return total
  }

  /// That C asked for just this purchase after the one before, whose key comes too.
  private static func checkForced(
    _ submission: Verified<R9>, _ r5: R5, _ r6: R6, _ previous: R7?, _ terms: LockTerms
  ) throws(Mismatch) {
    let r9 = submission.payload
    guard r9.delivery == .forced, r9.index == r6.index, r9.index == r5.index, r5.n == terms.n,
      r5.merchant == terms.merchant, r6.n == terms.n
    else { throw Mismatch("R5 and R6 are of another purchase") }
    guard r6.hPrevious == r5.hPrevious else { throw Mismatch("R6 does not follow what R5 follows") }
    if let previous {
      guard previous.index + 1 == r9.index, previous.n == terms.n, previous.merchant == terms.merchant,
        previous.hR6 == r5.hPrevious
      else { throw Mismatch("R7 is not of the purchase before") }
    } else {
      guard r9.index == 1, r5.hPrevious == terms.hP1 else { throw Mismatch("the R7 before is not there") }
    }
    let hx = previous?.hx ?? terms.hx
    guard let key = r9.previousKey,
      Hash.keyCommitment(.repeated, merchant: terms.merchant, n: terms.n, key: key) == hx
    else { throw Mismatch("the key of the purchase before is not there") }
  }
}

// MARK: Bank and customer

extension RepeatedMode: ArchiveMode {
  public static func due(
    _ commit: Verified<R10a>, _ submission: Verified<R9>, under terms: LockTerms
  ) throws(Mismatch) -> Money {
    let delivery = try delivery(commit.payload, submission.payload, terms)
    try checkKey(submission, hx: delivery.hx(terms), of: terms)
    if case .forced(_, let r6, _) = delivery {
      try checkHeld(commit.payload.held, r6.hash, submission, archive: commit.signer)
    }
    return try delivery.total(submission, terms)
  }

  /// Reads what a commit shows; all signatures are checked.
  private static func delivery(
    _ commit: R10a, _ r9: R9, _ terms: LockTerms
  ) throws(Mismatch) -> SeriesDelivery {
    let r7 = commit.acknowledgement.flatMap { try? Verified<R7>($0, by: .key(terms.pseudonym)) }
    if r9.delivery == .forced {
      guard let r5 = commit.request.flatMap({ try? Verified<R5>($0, by: .key(terms.pseudonym)) }),
        let r6 = commit.item.flatMap({ try? Verified<R6>($0, by: .key(terms.merchant)) })
      else { throw Mismatch("R5 and R6 are not there") }
      return .forced(r5, r6, previous: r7)
    }
    if r9.index == 0 { return .first }
    guard let r7 else { throw Mismatch("the customer's R7 is not there") }
    return .acknowledged(r7)
  }

  // MARK: Archive

  public static func attachment(
    _ rest: ArraySlice<[UInt8]>, beside lock: Verified<R3>
  ) throws(MessageError) -> SeriesDelivery {
    let terms = lock.payload.terms
    let messages = Array(rest)
    switch messages.count {
    case 0: return .first
    case 1: return .acknowledged(try Verified(messages[0], by: .key(terms.pseudonym)))
    case 2, 3:
      let previous: Verified<R7>? =
        messages.count == 3 ? try Verified(messages[2], by: .key(terms.pseudonym)) : nil
      return .forced(
        try Verified(messages[0], by: .key(terms.pseudonym)),
        try Verified(messages[1], by: .key(terms.merchant)), previous: previous)
    default: throw MessageError(.malformed, "field-range", "R9 bundle")
    }
  }

  public static func promise(_ attachment: SeriesDelivery) -> Hash? {
    if case .forced(_, let r6, _) = attachment { r6.hash } else { nil }
  }

  public static func commitment(_ attachment: SeriesDelivery, _ terms: LockTerms) -> Hash {
    attachment.hx(terms)
  }

  public static func commit(
    _ submission: Verified<R9>, _ attachment: SeriesDelivery, terms: LockTerms, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> R10a {
    var commit = R10a(submission: submission.bytes, at: now, lifetime: terms.lifetime)
    switch attachment {
    case .first: break
    case .acknowledged(let r7): commit.acknowledgement = r7.bytes
    case .forced(let r5, let r6, let previous):
      let held = Held(
        n: terms.n, merchant: terms.merchant, lock: submission.payload.lock, root: r6.payload.root,
        length: r6.payload.length, until: terms.lifetime, hGoods: r6.hash)
      (commit.request, commit.item, commit.acknowledgement) = (r5.bytes, r6.bytes, previous?.bytes)
      commit.held = try Verified(signing: held, with: key).bytes
    }
    return commit
  }

  public static func check(
    _ attachment: SeriesDelivery, submission: Verified<R9>, terms: LockTerms, holdsGoods: Bool
  ) -> Denial? {
    do throws(Mismatch) { _ = try attachment.total(submission, terms) } catch {
      return Denial(.mismatch, error.what)
    }
    if case .forced = attachment, !holdsGoods { return .notHeld }
    return nil
  }
}

// MARK: Customer and merchant

extension RepeatedMode: ContractMode {
  public typealias Offer = R1
  /// S_p(R1), for the first purchase of a two-sided series. The others have their R7: see `CustomerSeries`.
  public typealias Note = Acknowledgement

  public static func offer(_ draft: OfferDraft) -> R1 {
    let x = masked(draft.k, by: .seriesMask(draft.mask.bytes, 0))
    return R1(
      n: draft.n, hx: draft.hx(.repeated, publishing: x), root: draft.goods.root,
      length: draft.goods.length, salt: draft.salt, contract: draft.contract, maskBytes: draft.mask.bytes)
  }

  /// k_i, of the one secret that M keeps for the series.
  public static func goodsKey(_ secret: [UInt8], _ index: UInt64) -> [UInt8] {
    var copy = secret
    return derive(from: Secret(taking: &copy), info: Array("acd series key".utf8) + number(index))
  }

  static func number(_ index: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: index >> (56 - 8 * $0)) }
  }

  public static func check(_ terms: LockTerms, price: Money) -> Denial? {
    guard terms.base == price else {
      return Denial(
        .wrongValue, "R3's base is \(terms.base.map { "\($0)" } ?? "none"), the price is \(price)")
    }
    guard terms.value.currency == price.currency, terms.value.amount >= price.amount else {
      return Denial(.wrongValue, "the budget of \(terms.value) does not cover the first purchase")
    }
    return nil
  }

  public static func firstKey(for offer: Verified<R1>, secret: [UInt8]) -> R4? {
    R4(n: offer.payload.n, key: goodsKey(secret, 0), index: 0)
  }

  public static func merchantSeries(
    _ offer: Verified<R1>, _ lock: Verified<R3>, secret: [UInt8], messages: [Label: [UInt8]]
  ) throws(MessageError) -> MerchantSeries? {
    try MerchantSeries(offer, lock, secret: secret, messages: messages)
  }

  public static func customerSeries(
    _ offer: Verified<R1>, _ lock: Verified<R3>, messages: [Label: [UInt8]]
  ) throws(MessageError) -> CustomerSeries? { try CustomerSeries(offer, lock, messages: messages) }

  /// All up to the last purchase; goods that C asked for and did not acknowledge are forced.
  public static func ending(_ sold: Sold<R1>) -> SaleEnding {
    guard let series = sold.series else { return .cancel }
    return series.open.map { .force($0.item.bytes) } ?? .submit
  }

  public static func shown(_ sold: Sold<R1>, note: Verified<Acknowledgement>?) -> [[UInt8]] {
    sold.series?.delivery.messages ?? []
  }

  /// The record has the key of the offer's own goods if it commits just these, or forces the next.
  public static func goodsKey(published r9: R9, _ offer: R1) -> [UInt8]? {
    if r9.index == 0 { return masked(r9.key, by: offer.mask) }
    return r9.index == 1 ? r9.previousKey.map { masked($0, by: offer.mask) } : nil
  }

  public static func submission(_ lock: Verified<R3>, _ sold: Sold<R1>) -> R9 {
    guard let series = sold.series else { preconditionFailure("a lock opens the series") }
    let (terms, index) = (lock.payload.terms, series.index)
    return R9(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: series.x(index),
      index: index, hItem: series.delivery.hItem(terms), delivery: sold.delivery,
      previousKey: sold.delivery == .forced ? series.x(index - 1) : nil)
  }
}
