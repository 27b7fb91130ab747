// What happens to a sale of repeated transactions between lock and record: the series' events, and when the
// merchant archives it.

public import Messages

extension MerchantSale {
  private static var noSeries: MerchantEffect {
    .refuse(Denial(.unknownTransaction, "no tokens are locked for a series here"))
  }

  /// The answer to an R5 that asks for nothing new, or that comes at the wrong time; nil when goods are to be
  /// sealed for it, and then `itemOffered` follows.
  public func answer(
    _ r5: Verified<R5>, policy: MerchantPolicy, at now: Timestamp
  ) -> MerchantEffect? {
    guard let series else { return Self.noSeries }
    return series.answer(r5, isOpen: phase == .authorised, policy: policy, at: now)
  }

  /// The goods that R5 asks for are sealed.
  public mutating func itemOffered(
    _ r5: Verified<R5>, _ draft: ItemDraft, policy: MerchantPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    if let answer = answer(r5, policy: policy, at: now) { return [answer] }
    guard var series else { return [Self.noSeries] }
    let closing = policy.closing(length: draft.goods.length, of: series.lock.payload.terms)
    guard now < closing else {
      return [.refuse(Denial(.tooLate, "too little time is left to archive goods of this length"))]
    }
    let effects = try series.offered(r5, draft, key: key)
    guard series.open?.request == r5 else { return effects }
    self.series = series
    return effects + [.enter(.authorised, due: closing)]
  }

  /// R7 arrived. While the goods are on their way to the archive it spares the rest of the way.
  public mutating func itemAcknowledged(
    _ r7: Verified<R7>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    guard var series else { return [Self.noSeries] }
    let effects = try series.acknowledged(r7, key: key)
    guard self.series?.open != nil, series.open == nil else { return effects }
    switch state {
    case .authorised(let p3):
      self.series = series
      return effects + [.enter(.authorised, due: policy.closing(length: 0, of: p3.payload.terms))]
    case .forcing(let p3):
      // Too late for the archive: then the key stays, too.
      guard hasTime(p3, policy: policy, at: now) else { return try cancel(p3, key: key) }
      self.series = series
      return effects + (try submit(p3, .acknowledged, key: key))
    default:
      // The record gives the key.
      return [.refuse(Denial(.tooLate, "the series is on its way to the archive"))]
    }
  }

  /// C or the operator wants no more: what there is goes to the archive at once.
  public mutating func closed() -> [MerchantEffect] {
    guard case .authorised = state, series != nil else {
      return [.refuse(Denial(.mismatch, "there is no open series"))]
    }
    return [.enter(.authorised, due: 1)]
  }

  /// Whether the amount is the lock's: all of it, but in a series what the record says, as soon as it is
  /// here.
  func mayBeDue(_ credit: Verified<Credit>, _ p3: Verified<M.LockMessage>) -> Bool {
    let (amount, terms) = (credit.payload.amount, p3.payload.terms)
    if case .committed(_, .committed(let commit), _) = state {
      return amount == (try? terms.due(commit, lock: p3.hash))
    }
    guard series != nil else { return amount == terms.value }
    return amount.currency == terms.value.currency && amount.amount <= terms.value.amount
  }
}
