// The merchant's purchases between lock and record (US 6,076,078, FIG. 8): for each, C's request (R5), M's
// merchandise (R6), C's acknowledgement (R7), M's key (R8). The sale around it (`MerchantSale`) locks and
// commits.
//
//        R5 ok, goods sealed: R6         R7: R8
//   i - 1 keyed ─────────────▶ i offered ─────────▶ i keyed ──▶ …
//
// Invariants: k_i leaves only for an R7 of i (k_0: for the lock); one purchase at a time waits for its R7;
// the running total never exceeds what C's R5 allows, nor the budget; the same R5 and R7 are answered by
// the same R6 and R8.

public import Messages

/// What M decides and draws for a further purchase; its number and its total, the series adds.
public struct ItemDraft: Sendable {
  public var contract: Contract
  public var goods: GoodsClaim
  public var salt: Hash

  public init(contract: Contract, goods: GoodsClaim, salt: Hash) {
    (self.contract, self.goods, self.salt) = (contract, goods, salt)
  }
}

/// The purchases under one lock.
public struct MerchantSeries: Sendable {
  /// One further purchase.
  struct Item: Sendable {
    let request: Verified<R5>
    let item: Verified<R6>
    var acknowledgement: Verified<R7>?
    var key: Verified<R8>?
  }

  /// The most further purchases of one series: its messages fit into one bundle.
  public static let itemsMax: UInt64 = 250

  let offer: Verified<R1>
  let lock: Verified<R3>
  private let secret: [UInt8]
  /// k_0, for whose tokens are locked.
  public let first: Verified<R4>
  private(set) var items: [Item]

  /// Takes the series up from what was kept: R4 at least. `secret` is what all keys of the series come from.
  init(
    _ offer: Verified<R1>, _ lock: Verified<R3>, secret: [UInt8], messages: [Label: [UInt8]]
  ) throws(MessageError) {
    (self.offer, self.lock, self.secret, items) = (offer, lock, secret, [])
    guard let r4 = messages[Label(.r4)] else {
      throw MessageError(.misuse, "missing-field", "merchant store: R4")
    }
    first = try Verified(stored: r4)
    while let r6 = messages[.series(.r6, index + 1)] {
      let number = index + 1
      guard let r5 = messages[.series(.r5, number)] else {
        throw MessageError(.misuse, "missing-field", "merchant store: R5")
      }
      items.append(
        Item(
          request: try Verified(stored: r5), item: try Verified(stored: r6),
          acknowledgement: try messages[.series(.r7, number)].map { (b) throws(MessageError) in
            try Verified(stored: b)
          },
          key: try messages[.series(.r8, number)].map { (b) throws(MessageError) in
            try Verified(stored: b)
          }))
    }
  }

  // MARK: What there is

  /// j: the last purchase that was offered.
  var index: UInt64 { UInt64(items.count) }

  /// What the last purchase names: H of its R6, or of R1.
  private var hLast: Hash { items.last?.item.hash ?? offer.hash }

  /// What the series costs so far.
  public var total: Money { items.last?.item.payload.runningTotal ?? offer.payload.contract.price }

  /// Goods that C asked for and has not acknowledged.
  var open: Item? { items.last.flatMap { $0.acknowledgement == nil ? $0 : nil } }

  /// x_i: what the archive publishes for i.
  func x(_ index: UInt64) -> [UInt8] {
    masked(key(index), by: .seriesMask(offer.payload.maskBytes, index))
  }

  /// k_i.
  public func key(_ index: UInt64) -> [UInt8] { RepeatedMode.goodsKey(secret, index) }

  /// The salts of purchase i, for its ciphertext and for what it is described by. They come from the
  /// series' secret, so that a merchant that is back from an old copy of its store answers the same R5 by
  /// the same R6; and from the goods' digest, so that other goods never get the same.
  public func salts(_ index: UInt64, digest: Hash) -> (goods: [UInt8], description: Hash) {
    func salt(_ use: String) -> [UInt8] {
      var copy = secret
      let info = Array("acd series \(use)".utf8) + RepeatedMode.number(index) + digest.bytes
      return derive(from: Secret(taking: &copy), info: info)
    }
    return (Array(salt("salt").prefix(Goods.saltSize)), Hash(salt("description"))!)
  }

  /// How all up to the last purchase were delivered.
  var delivery: SeriesDelivery {
    guard let last = items.last else { return .first }
    if let r7 = last.acknowledgement { return .acknowledged(r7) }
    return .forced(last.request, last.item, previous: items.dropLast().last?.acknowledgement)
  }

  /// All messages of the series that C may see, in order.
  public var messages: [[UInt8]] {
    [first.bytes]
      + items.flatMap {
        [$0.request.bytes, $0.item.bytes, $0.acknowledgement?.bytes, $0.key?.bytes].compactMap { $0 }
      }
  }

  // MARK: Events

  /// Nil if R5 asks for something new that can still be had, else the answer to it. `isOpen`: nothing of the
  /// series is with the archive yet.
  public func answer(
    _ r5: Verified<R5>, isOpen: Bool, policy: MerchantPolicy, at now: Timestamp
  ) -> MerchantEffect? {
    if let answer = answer(r5) { return answer }
    guard isOpen, now < policy.closing(length: 0, of: lock.payload.terms) else {
      return .refuse(Denial(.tooLate, "the series is on its way to the archive"))
    }
    return nil
  }

  private func answer(_ r5: Verified<R5>) -> MerchantEffect? {
    let payload = r5.payload
    guard r5.signer == offer.payload.contract.pseudonym, payload.n == offer.payload.n,
      payload.merchant == offer.signer
    else { return .refuse(Denial(.mismatch, "R5 is not of this series")) }
    if payload.index >= 1, payload.index <= index {
      let known = items[Int(payload.index) - 1]
      if known.request.payload == payload { return .reply(known.item.bytes) }
      let detail = "purchase \(payload.index) of this series was requested otherwise"
      return .refuse(Denial(.nReused, detail, proof: [known.request.bytes]))
    }
    guard payload.index == index + 1, payload.hPrevious == hLast else {
      return .refuse(Denial(.mismatch, "R5 does not follow purchase \(index)"))
    }
    guard open == nil else {
      return .refuse(Denial(.unacknowledged, "purchase \(index) is not acknowledged yet"))
    }
    guard payload.index <= Self.itemsMax else {
      return .refuse(Denial(.limit, "a series has at most \(Self.itemsMax) purchases after the first"))
    }
    return nil
  }

  /// The goods of a new R5 are sealed.
  mutating func offered(
    _ r5: Verified<R5>, _ draft: ItemDraft, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    if let answer = answer(r5) { return [answer] }
    let (budget, most) = (lock.payload.terms.value, r5.payload.runningTotalMax)
    let price = draft.contract.price
    guard price.currency == budget.currency, most.currency == budget.currency,
      let total = Money(currency: budget.currency, amount: total.amount + price.amount)
    else { return [.refuse(Denial(.wrongValue, "another currency than the budget's, or too much money"))] }
    guard total.amount <= budget.amount, total.amount <= most.amount else {
      let detail = "with this the series costs \(total), more than the budget or than R5 allows"
      return [.refuse(Denial(.wrongValue, detail))]
    }
    let number = index + 1
    let hx = Hash.keyCommitment(.repeated, merchant: offer.signer, n: offer.payload.n, key: x(number))
    let r6 = try Verified(
      signing: R6(
        n: offer.payload.n, runningTotal: total, hx: hx, root: draft.goods.root,
        length: draft.goods.length, salt: draft.salt, index: number, contract: draft.contract,
        hPrevious: hLast), with: key)
    items.append(Item(request: r5, item: r6))
    return [
      .keep(.series(.r5, number), r5.bytes), .keep(.series(.r6, number), r6.bytes), .reply(r6.bytes),
    ]
  }

  /// The last purchase could not be left with the archive: the series ends with the one before.
  mutating func giveUpOpen() { if open != nil { items.removeLast() } }

  /// R7 arrived: C has all of the ciphertext, so it gets the key.
  mutating func acknowledged(
    _ r7: Verified<R7>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let number = r7.payload.index
    guard number >= 1, number <= index, r7.signer == offer.payload.contract.pseudonym else {
      return [.refuse(Denial(.mismatch, "R7 is not of this series"))]
    }
    let known = items[Int(number) - 1]
    let r6 = known.item
    let expected = R7(
      n: r6.payload.n, merchant: offer.signer, runningTotal: r6.payload.runningTotal, hx: r6.payload.hx,
      index: number, hR6: r6.hash)
    guard r7.payload == expected else { return [.refuse(Denial(.mismatch, "R7 is for other goods"))] }
    if let r8 = known.key { return [.reply(r8.bytes)] }
    let payload = R8(n: r6.payload.n, key: self.key(number), index: number)
    let r8 = try Verified(signing: payload, with: key)
    (items[Int(number) - 1].acknowledgement, items[Int(number) - 1].key) = (r7, r8)
    return [
      .keep(.series(.r7, number), r7.bytes), .keep(.series(.r8, number), r8.bytes), .reply(r8.bytes),
    ]
  }
}

extension Label {
  /// The label of a message of purchase i in a series: "R6 3".
  public static func series(_ type: MessageType, _ index: UInt64) -> Label {
    Label(rawValue: "\(type.label) \(index)")
  }
}
