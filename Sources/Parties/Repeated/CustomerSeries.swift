// The customer's purchases between lock and record (US 6,076,078, FIG. 8): for each, request (R5),
// merchandise (R6), acknowledgement (R7), key (R8). The purchase around it (`CustomerPurchase`) locks and
// hears the outcome.
//
//              R5           R6 ok         ciphertext = root       R8 ok
//   i-1 ─────────▶ asked ─────────▶ offered ─────────▶ acknowledged ──────▶ keyed
//
// Invariants: C signs R7_i only with all ciphertext up to i and valid k_0 … k_(i-1) (attack 9), so a commit
// of i charges for nothing that it cannot read; R5 names the most that the series may cost with it; in the
// long form C asks for i only with k_(i-1), in the short form R7 of i - 1 rides with R5 of i.

public import Messages

/// What C wants next in a series.
public struct ItemRequest: Sendable {
  public var offer: Nonce
  public var price: Money
  public var description: String

  public init(offer: Nonce, price: Money, description: String) {
    (self.offer, self.price, self.description) = (offer, price, description)
  }
}

/// The purchases under one lock.
public struct CustomerSeries: Sendable {
  /// One further purchase, as far as it got.
  public struct Item: Sendable {
    public let request: Verified<R5>
    public internal(set) var item: Verified<R6>?
    public internal(set) var acknowledgement: Verified<R7>?
    public internal(set) var key: Verified<R8>?
  }

  let offer: Verified<R1>
  let lock: Verified<R3>
  /// k_0, once M gave it.
  public private(set) var first: Verified<R4>?
  /// Purchases 1, 2, ….
  public private(set) var items: [Item]
  /// H of the R5 that M refused last: it never was, until C asks for the same again.
  private var hRefused: Hash?

  init(_ offer: Verified<R1>, _ lock: Verified<R3>) {
    (self.offer, self.lock, items) = (offer, lock, [])
  }

  /// Takes the series up again from what was kept.
  init(
    _ offer: Verified<R1>, _ lock: Verified<R3>, messages: [Label: [UInt8]]
  ) throws(MessageError) {
    (self.offer, self.lock, items) = (offer, lock, [])
    func kept<P>(_ label: Label, _: P.Type) throws(MessageError) -> Verified<P>? {
      guard let bytes = messages[label] else { return nil }
      return try Verified<P>(stored: bytes)
    }
    first = try kept(Label(.r4), R4.self)
    while let r5 = try kept(.series(.r5, count + 1), R5.self) {
      let number = count + 1
      let r6 = try kept(.series(.r6, number), R6.self)
      // Another R5 of the same number may have come after the refusal; or the same, which took its place.
      let refusal = messages[.series(.refusal, number)].flatMap { try? Verified<Refusal>(stored: $0) }
      if r6 == nil, refusal?.payload.hRequest == r5.hash {
        hRefused = r5.hash
        return
      }
      items.append(
        Item(
          request: r5, item: r6,
          acknowledgement: try kept(.series(.r7, number), R7.self),
          key: try kept(.series(.r8, number), R8.self)))
    }
  }

  // MARK: What there is

  /// How many further purchases were asked for.
  public var count: UInt64 { UInt64(items.count) }

  /// What the series costs so far, with what M has offered.
  public var total: Money {
    items.last(where: { $0.item != nil })?.item?.payload.runningTotal ?? offer.payload.contract.price
  }

  /// What is left of the budget.
  public var rest: Money {
    let budget = lock.payload.terms.value
    return Money(currency: budget.currency, amount: budget.amount - min(budget.amount, total.amount))!
  }

  /// The last request that M has not answered by goods that C holds.
  public var open: Item? { items.last.flatMap { $0.acknowledgement == nil ? $0 : nil } }

  /// k_i as M gave it; i = 0 is the first purchase.
  public func key(_ index: UInt64) -> [UInt8]? {
    if index == 0 { return first?.payload.key }
    guard index <= count else { return nil }
    return items[Int(index) - 1].key?.payload.key
  }

  /// The ciphertext of i.
  public func goods(_ index: UInt64) -> GoodsClaim? {
    if index == 0 { return offer.payload.goods }
    guard index <= count, let r6 = items[Int(index) - 1].item?.payload else { return nil }
    return GoodsClaim(root: r6.root, length: r6.length)
  }

  /// How many keys from k_0 on are here and good, without a gap.
  private var keys: UInt64 {
    var number: UInt64 = 0
    while key(number) != nil { number += 1 }
    return number
  }

  /// What the next R5 has to name: H of the last R6, or of R1.
  private var hLast: Hash { items.last?.item?.hash ?? offer.hash }

  // MARK: Events

  /// k_0 arrived; M's signature holds.
  mutating func opened(_ r4: Verified<R4>) -> [CustomerEffect] {
    if first == r4 { return [] }
    guard first == nil, r4.signer == offer.signer, r4.payload.n == offer.payload.n,
      commits(r4.payload.key, 0, to: offer.payload.hx)
    else { return badKey(r4.bytes) }
    first = r4
    return [.keep(Label(.r4), r4.bytes)]
  }

  /// Asks for another purchase. In the `short` form the key of the last one may still be to come: it then
  /// comes with R6.
  mutating func wanted(
    _ request: ItemRequest, short: Bool, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard open == nil else {
      return [.deny(Denial(.tooEarly, "purchase \(count) of this series is not finished yet"))]
    }
    guard keys >= count + (short ? 0 : 1) else {
      return [.deny(Denial(.tooEarly, "the key of purchase \(count) is not here yet"))]
    }
    let budget = lock.payload.terms.value
    guard request.price.currency == budget.currency,
      let most = Money(currency: budget.currency, amount: total.amount + request.price.amount),
      most.amount <= budget.amount
    else { return [.deny(Denial(.wrongValue, "the budget has \(rest) left, this costs \(request.price)"))] }
    let number = count + 1
    let r5 = try Verified(
      signing: R5(
        n: offer.payload.n, merchant: offer.signer, runningTotalMax: most, index: number,
        offer: request.offer, hPrevious: hLast), with: pseudonym)
    items.append(Item(request: r5))
    let again: [CustomerEffect] = r5.hash == hRefused ? [.keep(.series(.refusal, number), r5.bytes)] : []
    return [.keep(.series(.r5, number), r5.bytes)] + again
  }

  /// M refused the last request: it never was.
  mutating func refused(_ refusal: Verified<Refusal>) -> [CustomerEffect] {
    guard let last = items.last, last.item == nil, refusal.signer == offer.signer,
      refusal.payload.hRequest == last.request.hash
    else { return [.deny(Denial(.mismatch, "the refusal is not the answer to a request of this series"))] }
    let number = count
    hRefused = items.removeLast().request.hash
    return [.keep(.series(.refusal, number), refusal.bytes)]
  }

  /// C's own R5 out of M's store, after a restore.
  mutating func remembered(_ r5: Verified<R5>) -> [CustomerEffect] {
    if items.contains(where: { $0.request == r5 }) { return [] }
    guard open == nil, r5.payload.index == count + 1, r5.payload.n == offer.payload.n,
      r5.payload.merchant == offer.signer, r5.payload.hPrevious == hLast
    else { return [.deny(Denial(.mismatch, "R5 does not follow the purchase before"))] }
    items.append(Item(request: r5))
    return [.keep(.series(.r5, count), r5.bytes)]
  }

  /// C's own R7 out of M's store, after a restore.
  mutating func remembered(_ r7: Verified<R7>) -> [CustomerEffect] {
    if items.contains(where: { $0.acknowledgement == r7 }) { return [] }
    guard r7.payload.index == count, let r6 = items.last?.item, r7.payload.hR6 == r6.hash,
      items.last?.acknowledgement == nil
    else { return [.deny(Denial(.mismatch, "R7 is of another purchase"))] }
    items[items.count - 1].acknowledgement = r7
    return [.keep(.series(.r7, count), r7.bytes)]
  }

  /// R6 arrived; M's signature holds. `description` is the offer's; nil where it is not known any more.
  mutating func offered(
    _ r6: Verified<R6>, description: String?, policy: CustomerPolicy
  ) -> [CustomerEffect] {
    guard let last = items.last, r6.payload.index == count else {
      return [.deny(Denial(.mismatch, "R6 is not of the purchase that was asked for"))]
    }
    if let known = last.item {
      if known == r6 { return [] }
      return [.keep(.evidence, r6.bytes), .deny(Denial(.nReused, "the merchant sent two different R6"))]
    }
    if let denial = check(r6, last.request.payload, description, policy) {
      return [.keep(.evidence, r6.bytes), .deny(denial)]
    }
    items[items.count - 1].item = r6
    return [.keep(.series(.r6, count), r6.bytes)]
  }

  /// All of the ciphertext of the last purchase is here; this is its root and length.
  mutating func received(
    root: Hash, length: UInt64, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard let last = items.last, let r6 = last.item, last.acknowledgement == nil else { return [] }
    guard goods(count) == GoodsClaim(root: root, length: length) else {
      return [.deny(Denial(.mismatch, "the goods received are not the goods that R6 names"))]
    }
    guard keys >= count else {
      return [.deny(Denial(.tooEarly, "without the keys before, nothing further is acknowledged"))]
    }
    let r7 = try Verified(
      signing: R7(
        n: r6.payload.n, merchant: offer.signer, runningTotal: r6.payload.runningTotal,
        hx: r6.payload.hx, index: count, hR6: r6.hash), with: pseudonym)
    items[items.count - 1].acknowledgement = r7
    return [.keep(.series(.r7, count), r7.bytes)]
  }

  /// A key arrived; M's signature holds.
  mutating func keyed(_ r8: Verified<R8>) -> [CustomerEffect] {
    let number = r8.payload.index
    guard number >= 1, number <= count, r8.signer == offer.signer, r8.payload.n == offer.payload.n,
      let r6 = items[Int(number) - 1].item
    else { return [.deny(Denial(.mismatch, "R8 is not of this series"))] }
    if items[Int(number) - 1].key == r8 { return [] }
    guard items[Int(number) - 1].key == nil, commits(r8.payload.key, number, to: r6.payload.hx) else {
      return badKey(r8.bytes)
    }
    items[Int(number) - 1].key = r8
    return [.keep(.series(.r8, number), r8.bytes)]
  }

  // MARK: Checks

  private func commits(_ key: [UInt8], _ index: UInt64, to hx: Hash) -> Bool {
    let x = masked(key, by: .seriesMask(offer.payload.maskBytes, index))
    return Hash.keyCommitment(.repeated, merchant: offer.signer, n: offer.payload.n, key: x) == hx
  }

  private func badKey(_ bytes: [UInt8]) -> [CustomerEffect] {
    let detail = "the merchant gave a key that it did not commit to; nothing further is acknowledged"
    return [.keep(.evidence, bytes), .deny(Denial(.wrongKey, detail))]
  }

  private func check(
    _ r6: Verified<R6>, _ r5: R5, _ description: String?, _ policy: CustomerPolicy
  ) -> Denial? {
    let (payload, contract, first) = (r6.payload, r6.payload.contract, offer.payload.contract)
    guard r6.signer == offer.signer, payload.n == r5.n, payload.hPrevious == r5.hPrevious else {
      return Denial(.mismatch, "R6 is not of the purchase that was asked for")
    }
    guard contract.pseudonym == first.pseudonym, contract.mode == .repeated,
      contract.expirationMax == first.expirationMax, contract.lifetime == first.lifetime
    else { return Denial(.mismatch, "R6 has other terms than the series") }
    if let description {
      guard contract.descriptionHash == .description(description, salt: payload.salt) else {
        return Denial(.mismatch, "R6 describes something else than the offer")
      }
    }
    let total = total
    guard payload.runningTotal.currency == total.currency, contract.price.currency == total.currency,
      payload.runningTotal.amount == total.amount + contract.price.amount,
      payload.runningTotal.amount <= r5.runningTotalMax.amount
    else { return Denial(.wrongValue, "R6 asks for more than R5 allows") }
    guard payload.length <= policy.trust.goodsLengthMax, (try? Goods.length(sealed: payload.length)) != nil
    else { return Denial(.limit, "the goods' length is impossible or over the limit") }
    return nil
  }
}
