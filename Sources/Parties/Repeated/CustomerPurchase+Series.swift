// What happens to a purchase of repeated transactions between lock and record, and what the record gives.

public import Messages

extension CustomerPurchase where M == RepeatedMode {
  /// k_0 arrived; M's signature holds.
  public mutating func opened(_ r4: Verified<R4>) -> [CustomerEffect] { during { $0.opened(r4) } }

  /// Asks for another purchase; R5 is kept, `requests` says what to send.
  public mutating func wanted(
    _ request: ItemRequest, short: Bool, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard case .locked = state, series != nil else { return [Self.notOpen] }
    return try series!.wanted(request, short: short, pseudonym: pseudonym)
  }

  /// M refused the last request.
  public mutating func refusedItem(_ refusal: Verified<Refusal>) -> [CustomerEffect] {
    during { $0.refused(refusal) }
  }

  /// C's own R5, shown by M to a restored wallet.
  public mutating func remembered(_ r5: Verified<R5>) -> [CustomerEffect] { during { $0.remembered(r5) } }

  /// C's own R7, shown by M to a restored wallet.
  public mutating func remembered(_ r7: Verified<R7>) -> [CustomerEffect] { during { $0.remembered(r7) } }

  /// R6 arrived; M's signature holds. `description` is nil where the offer is not known any more.
  public mutating func offered(
    _ r6: Verified<R6>, description: String?, policy: CustomerPolicy
  ) -> [CustomerEffect] { during { $0.offered(r6, description: description, policy: policy) } }

  /// All of the ciphertext of the last purchase is here.
  public mutating func receivedItem(
    root: Hash, length: UInt64, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard case .locked = state, series != nil else { return [Self.notOpen] }
    return try series!.received(root: root, length: length, pseudonym: pseudonym)
  }

  /// R8 arrived; M's signature holds.
  public mutating func keyed(_ r8: Verified<R8>) -> [CustomerEffect] { during { $0.keyed(r8) } }

  private static var notOpen: CustomerEffect {
    .deny(Denial(.tooLate, "the series is not open: it is not locked yet, or the record has ended it"))
  }

  private mutating func during(_ event: (inout CustomerSeries) -> [CustomerEffect]) -> [CustomerEffect] {
    guard case .locked = state, series != nil else { return [Self.notOpen] }
    return event(&series!)
  }

  // MARK: The record

  private var published: R9? {
    guard case .paid(_, _, _, let commit, _) = state else { return nil }
    return Outcome.committed(commit).published
  }

  /// j, once the record has committed the series.
  public var committed: UInt64? { published?.index }

  /// What the series cost, once the record has committed it.
  public var paid: Money? {
    guard case .paid(_, let r2, let r3, let commit, _) = state else { return nil }
    return try? r2.payload.terms.due(commit, lock: r3?.hash)
  }

  /// k_i: as M gave it, or out of the record, which holds x_j, and where it was forced x_(j-1) too.
  public func key(_ index: UInt64) -> [UInt8]? {
    if let known = series?.key(index) { return known }
    guard let p1, let r9 = published else { return nil }
    let mask = Hash.seriesMask(p1.payload.maskBytes, index)
    if r9.index == index { return masked(r9.key, by: mask) }
    return r9.index == index + 1 ? r9.previousKey.map { masked($0, by: mask) } : nil
  }

  /// The ciphertext of i: as M described it to C, or to the archive.
  public func goods(_ index: UInt64) -> GoodsClaim? {
    if index == 0 { return p1?.payload.goods }
    guard let r6 = item(index)?.payload else { return nil }
    return GoodsClaim(root: r6.root, length: r6.length)
  }

  /// R6 of i. Where a record was forced, its own counts: M may have shown C another one.
  public func item(_ index: UInt64) -> Verified<R6>? {
    if case .paid(_, _, _, let commit, _) = state, committed == index,
      let bytes = commit.payload.item, let forced = try? Verified<R6>(stored: bytes)
    {
      return forced
    }
    guard let series, index >= 1, index <= series.count else { return nil }
    return series.items[Int(index) - 1].item
  }
}

extension Outcome where M == RepeatedMode {
  /// What the merchant archived; nil of an abort.
  fileprivate var published: R9? {
    guard case .committed(let commit) = self else { return nil }
    return (try? Verified<R9>(stored: commit.payload.submission))?.payload
  }

  /// j: up to which purchase the series is committed; nil of an abort.
  public var committed: UInt64? { published?.index }
}
