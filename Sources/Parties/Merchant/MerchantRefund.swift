// The merchant's side of one refund (docs/SPEC.md, "Refunds"): the customer asks under P, the merchant agrees
// or does not, the bank does it. Keyed on H(RF1).
//
//           by policy: at once                     RF3
//   absent ───────────────────────────▶ agreed ──────────▶ done
//     │                                  ▲   │ the bank's refusal
//     └────────▶ waiting ────────────────┘   └─────────▶ refused
//                   └─────────────────────────────────────▲
//                     the operator says no
//
// Invariants: only the P of the contract asks, and for its own lock; what was agreed for a sale is never more
// than was paid; RF2 is signed once, and it is the same bytes to bank and customer ever after.

public import Messages

/// What a merchant knows of a sale that was paid.
public struct RefundableSale: Equatable, Sendable {
  public var n: TransactionID
  /// The contract's P.
  public var pseudonym: PublicKey
  /// L, and the bank that credited it.
  public var lock: Hash
  public var bank: PublicKey
  /// The lock's message, where another bank made it: the own bank has not seen it.
  public var beside: [UInt8]?
  /// What was paid.
  public var value: Money
  /// Minor units of refunds that were agreed before.
  public var agreed: UInt64

  public init(
    n: TransactionID, pseudonym: PublicKey, lock: Hash, bank: PublicKey, beside: [UInt8]? = nil, value: Money,
    agreed: UInt64
  ) {
    (self.n, self.pseudonym, self.lock) = (n, pseudonym, lock)
    (self.bank, self.beside, self.value, self.agreed) = (bank, beside, value, agreed)
  }

  /// Nil if so much can be given back upon this request; otherwise why not.
  public func check(_ rf1: Verified<RF1>, merchant: PublicKey) -> Denial? {
    let payload = rf1.payload
    guard payload.n == n, payload.merchant == merchant, payload.lock == lock else {
      return Denial(.mismatch, "RF1 is for another sale or lock")
    }
    guard rf1.signer == pseudonym else { return Denial(.mismatch, "RF1 is not by the contract's pseudonym") }
    guard payload.amount.currency == value.currency, payload.amount.amount > 0 else {
      return Denial(.wrongValue, "a refund is more than nothing, in \(value.currency)")
    }
    guard agreed <= value.amount, payload.amount.amount <= value.amount - agreed else {
      return Denial(.wrongValue, "of \(value), \(agreed) minor units are given back already")
    }
    return nil
  }
}

/// What a merchant does after an event; all of it in one durable step.
public enum RefundEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  case enter(RefundPhase)
  case send([UInt8], to: PublicKey)
  case reply([UInt8])
  /// Refused for good: the answer is kept.
  case refuse(Denial)
}

/// Where a refund stands. As stored: stable numbers.
public enum RefundPhase: Int, Sendable {
  case absent = 0
  case waiting, agreed, done, refused
}

/// The machine of one refund.
public struct MerchantRefund: ~Copyable, Sendable {
  private enum State {
    case absent
    case waiting(Verified<RF1>)
    case agreed(Verified<RF1>, Verified<RF2>)
    case done(Verified<RF1>, Verified<RF2>)
    case refused(Verified<RF1>)
  }

  private var state: State

  /// A refund that nobody has asked for.
  public init() { state = .absent }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: RefundPhase, messages: [Label: [UInt8]]) throws(MessageError) {
    switch phase {
    case .absent: state = .absent
    case .waiting: state = .waiting(try messages.stored(RF1.self))
    case .agreed: state = .agreed(try messages.stored(RF1.self), try messages.stored(RF2.self))
    case .done: state = .done(try messages.stored(RF1.self), try messages.stored(RF2.self))
    case .refused: state = .refused(try messages.stored(RF1.self))
    }
  }

  /// Where it stands.
  public var phase: RefundPhase {
    switch state {
    case .absent: .absent
    case .waiting: .waiting
    case .agreed: .agreed
    case .done: .done
    case .refused: .refused
    }
  }

  /// What was asked for.
  public var rf1: Verified<RF1>? {
    switch state {
    case .absent: nil
    case .waiting(let rf1), .agreed(let rf1, _), .done(let rf1, _), .refused(let rf1): rf1
    }
  }

  // MARK: Events

  /// RF1 arrived; P's signature holds. `sale` is nil when no such sale was paid. With `agrees` nobody is
  /// asked.
  public mutating func requested(
    _ rf1: Verified<RF1>, sale: RefundableSale?, agrees: Bool, key: borrowing SigningKey
  ) throws(MessageError) -> [RefundEffect] {
    switch state {
    // What a refusal said is kept elsewhere.
    case .waiting, .refused: return []
    case .agreed(_, let rf2), .done(_, let rf2): return [.reply(rf2.bytes)]
    case .absent: break
    }
    guard let sale else { return [.refuse(Denial(.unknownTransaction, "no such sale was paid"))] }
    if let denial = sale.check(rf1, merchant: key.publicKey) { return [.refuse(denial)] }
    state = .waiting(rf1)
    let kept = RefundEffect.keep(Label(.rf1), rf1.bytes)
    return agrees ? [kept] + (try agree(rf1, sale, key: key)) : [kept, .enter(.waiting)]
  }

  /// The operator agrees.
  public mutating func approved(
    sale: RefundableSale, key: borrowing SigningKey
  ) throws(MessageError) -> [RefundEffect] {
    guard case .waiting(let rf1) = state else { return [] }
    // Other refunds of the sale may have been agreed since.
    if let denial = sale.check(rf1, merchant: key.publicKey) { return refuse(rf1, denial) }
    return try agree(rf1, sale, key: key)
  }

  /// The operator does not agree.
  public mutating func denied() -> [RefundEffect] {
    guard case .waiting(let rf1) = state else { return [] }
    return refuse(rf1, Denial(.wrongValue, "the merchant gives nothing back"))
  }

  /// RF3 arrived; the bank's signature holds.
  public mutating func answered(_ rf3: Verified<RF3>, bank: PublicKey) -> [RefundEffect] {
    guard case .agreed(let rf1, let rf2) = state, rf3.payload.hRF2 == rf2.hash, rf3.signer == bank else {
      return []
    }
    state = .done(rf1, rf2)
    return [.keep(Label(.rf3), rf3.bytes), .enter(.done)]
  }

  /// The bank's signed refusal of RF2: nothing was debited, and nothing will be.
  public mutating func refusedByBank(_ refusal: Verified<Refusal>, bank: PublicKey) -> [RefundEffect] {
    guard case .agreed(let rf1, let rf2) = state, refusal.signer == bank,
      refusal.payload.hRequest == rf2.hash
    else { return [] }
    state = .refused(rf1)
    return [.keep(.refusal, refusal.bytes), .enter(.refused)]
  }

  // MARK: Steps

  private mutating func agree(
    _ rf1: Verified<RF1>, _ sale: RefundableSale, key: borrowing SigningKey
  ) throws(MessageError) -> [RefundEffect] {
    let rf2 = try Verified(
      signing: RF2(amount: rf1.payload.amount, lock: sale.lock, hRF1: rf1.hash, rf1: rf1.bytes), with: key)
    state = .agreed(rf1, rf2)
    let toBank = try sale.beside.map { lock throws(MessageError) in try Bundle([rf2.bytes, lock]).encoded() }
    return [
      .keep(Label(.rf2), rf2.bytes), .enter(.agreed), .send(toBank ?? rf2.bytes, to: sale.bank),
      .reply(rf2.bytes),
    ]
  }

  private mutating func refuse(_ rf1: Verified<RF1>, _ denial: Denial) -> [RefundEffect] {
    state = .refused(rf1)
    return [.enter(.refused), .refuse(denial)]
  }
}
