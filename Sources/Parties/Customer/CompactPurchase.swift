// The customer's side of one compact sale (US 6,076,078, FIG. 7; docs/SPEC.md, "Compact").
//
//               P1 ok          ciphertext = root         JB2            JB2ack            JB4a         goods
// requested ────────▶ offered ──────────▶ checked ────────▶ authorised ──────▶ locked ──────────▶ paid ─────▶
// delivered
//       │                  │                   │                 │ refused        │ JB4b             opened
//       └──────────────────┴───────────────────┘                 ▼                ▼
//                   abandoned (nothing was paid)              refused          aborted
//
// JB4a and JB4b name JB2 by its hash, so both also count where JB2ack never came.
//
// Invariants: no JB2 before all of the ciphertext was checked; JB2 has the price and the expiration that the
// contract fixes, for the merchant's own authorization has the same and sees no other (attack 10); after JB2
// the tokens are in use until the bank's signed refusal or outcome says otherwise, whatever the clock says;
// paid means that k is known and verified.

public import Messages

/// The machine of one purchase.
public struct CompactPurchase: Sendable {
  private enum State {
    case requested
    case offered(Verified<P1>)
    case checked(Verified<P1>)
    case authorised(Verified<P1>, Verified<JB2>)
    case locked(Verified<P1>, Verified<JB2>, Verified<JB2ack>)
    case paid(Verified<P1>, Verified<JB2>, Verified<JB4a>, opened: Bool)
    case aborted(Verified<JB2>, Verified<JB4b>)
    case refused
    case abandoned
  }

  /// What was asked for, and by which pseudonym.
  public let n1: Verified<N1>
  private var state: State

  /// A new purchase.
  public init(requesting n1: Verified<N1>) {
    self.n1 = n1
    state = .requested
  }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError) {
    n1 = try messages.stored(N1.self)
    switch phase {
    case .requested: state = .requested
    case .offered: state = .offered(try messages.stored(P1.self))
    case .checked: state = .checked(try messages.stored(P1.self))
    case .authorised: state = .authorised(try messages.stored(P1.self), try messages.stored(JB2.self))
    case .locked:
      state = .locked(
        try messages.stored(P1.self), try messages.stored(JB2.self), try messages.stored(JB2ack.self))
    case .paid, .delivered:
      state = .paid(
        try messages.stored(P1.self), try messages.stored(JB2.self), try messages.stored(JB4a.self),
        opened: phase == .delivered)
    case .aborted: state = .aborted(try messages.stored(JB2.self), try messages.stored(JB4b.self))
    case .refused: state = .refused
    case .abandoned: state = .abandoned
    case .announced, .registering:
      throw MessageError(.misuse, "state", "wallet: not a phase of a compact purchase")
    }
  }

  /// Where it stands.
  public var phase: PurchasePhase {
    switch state {
    case .requested: .requested
    case .offered: .offered
    case .checked: .checked
    case .authorised: .authorised
    case .locked: .locked
    case .paid(_, _, _, let opened): opened ? .delivered : .paid
    case .aborted: .aborted
    case .refused: .refused
    case .abandoned: .abandoned
    }
  }

  /// The contract, while it matters.
  public var p1: Verified<P1>? {
    switch state {
    case .offered(let p1), .checked(let p1), .authorised(let p1, _), .locked(let p1, _, _),
      .paid(let p1, _, _, _):
      p1
    case .requested, .aborted, .refused, .abandoned: nil
    }
  }

  /// The payment, while it matters.
  public var p2: Verified<JB2>? {
    switch state {
    case .authorised(_, let jb2), .locked(_, let jb2, _), .paid(_, let jb2, _, _): jb2
    case .requested, .offered, .checked, .aborted, .refused, .abandoned: nil
    }
  }

  /// k, once paid.
  public var goodsKey: [UInt8]? {
    guard case .paid(_, _, let commit, _) = state else { return nil }
    return try? Verified<JB3>(stored: commit.payload.submission).payload.key
  }

  /// L, once paid.
  public var paidLock: Hash? {
    guard case .paid(_, _, let commit, _) = state else { return nil }
    return commit.payload.hJB2
  }

  // MARK: Events before the payment

  /// P1 arrived; M's signature holds. `description` is the offer's, whose hash P1 has to carry.
  public mutating func offered(
    _ p1: Verified<P1>, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> [CustomerEffect] {
    guard case .requested = state else {
      if let known = self.p1, known == p1 { return [] }
      return [.deny(Denial(.nReused, "the merchant sent another contract for the same request"))]
    }
    let kept = CustomerEffect.keep(Label(.p1), p1.bytes)
    if let denial = policy.check(p1, for: n1, mode: .compact, description: description, at: now) {
      state = .abandoned
      return [kept, .enter(.abandoned, due: nil), .deny(denial)]
    }
    state = .offered(p1)
    return [kept, .enter(.offered, due: nil)]
  }

  /// All of the ciphertext is here; this is its root and length.
  public mutating func ciphertextChecked(root: Hash, length: UInt64) -> [CustomerEffect] {
    guard case .offered(let p1) = state else { return [] }
    guard p1.payload.goods == GoodsClaim(root: root, length: length) else {
      return [.deny(Denial(.mismatch, "the goods received are not the goods that the contract names"))]
    }
    state = .checked(p1)
    return [.enter(.checked, due: nil)]
  }

  /// Gives up before paying. Nothing was spent.
  public mutating func abandoned() -> [CustomerEffect] {
    switch state {
    case .requested, .offered, .checked:
      state = .abandoned
      return [.enter(.abandoned, due: nil)]
    default: return [.deny(Denial(.tooLate, "the payment is on its way; only the bank ends it now"))]
    }
  }

  // MARK: The payment

  /// What JB2 will say, for these tokens. Its expiration is the contract's, whatever is wished.
  public func authorization(
    tokens: [TokenInput], bank: PublicKey, archive: PublicKey, expiration _: Timestamp,
    budget _: Money? = nil
  ) throws(Denial) -> JB2 {
    guard case .checked(let p1) = state else {
      throw Denial(.mismatch, "there is no checked offer to pay for")
    }
    let terms = try p1.payload.terms(
      hP1: p1.hash, merchant: p1.signer, bank: bank, archive: archive,
      expiration: p1.payload.contract.expirationMax)
    return JB2(terms: terms, bank: bank, tokenInputs: tokens)
  }

  /// JB2 is signed: from here on it is kept and sent until somebody answers.
  public mutating func authorised(_ jb2: Verified<JB2>) -> [CustomerEffect] {
    guard case .checked(let p1) = state, jb2.payload.terms.hP1 == p1.hash else {
      return [.deny(Denial(.mismatch, "this JB2 is not for this contract"))]
    }
    state = .authorised(p1, jb2)
    return [
      .keep(Label(.jb2), jb2.bytes), .enter(.authorised, due: jb2.payload.terms.expiration),
      .send(jb2.bytes, to: jb2.payload.bank),
    ]
  }

  /// JB2ack arrived; the bank's signature holds. `pseudonym` signs S_p(P1) when the sale is two-sided: only
  /// then will the merchant give the bank k.
  public mutating func locked(
    _ ack: Verified<JB2ack>, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard case .authorised(let p1, let jb2) = state else { return [] }
    guard ack.payload.hJB2 == jb2.hash, ack.signer == jb2.payload.bank else {
      return [.keep(.evidence, ack.bytes), .deny(Denial(.mismatch, "JB2ack is not for this JB2"))]
    }
    state = .locked(p1, jb2, ack)
    let effects: [CustomerEffect] = [
      .keep(Label(.jb2ack), ack.bytes), .enter(.locked, due: jb2.payload.terms.expiration),
    ]
    guard p1.payload.contract.twoSided else { return effects }
    let note = Acknowledgement(n: p1.payload.n, merchant: p1.signer, hP1: p1.hash)
    let message = try Verified(signing: note, with: pseudonym)
    return effects + [.keep(.acknowledgement, message.bytes), .send(message.bytes, to: p1.signer)]
  }

  /// The bank's signed refusal of JB2: the tokens were never locked for it. After JB2ack it is evidence, and
  /// ends nothing.
  public mutating func refusedByBank(_ refusal: Verified<Refusal>) -> [CustomerEffect] {
    guard let jb2 = p2, refusal.signer == jb2.payload.bank, refusal.payload.hRequest == jb2.hash else {
      return [.deny(Denial(.mismatch, "the refusal is not the bank's answer to this JB2"))]
    }
    guard case .authorised = state else {
      let detail = "the bank refuses what it had acknowledged: kept as evidence against it"
      return [.keep(.evidence, refusal.bytes), .deny(Denial(.mismatch, detail))]
    }
    state = .refused
    return [
      .keep(.refusal, refusal.bytes), .enter(.refused, due: nil), .freed(jb2.payload.tokenInputs),
    ]
  }

  /// An outcome arrived, from whomever; its signatures hold.
  public mutating func decided(_ outcome: CompactOutcome) -> [CustomerEffect] {
    let (jb2, known): (Verified<JB2>, [UInt8]?)
    switch state {
    case .authorised(_, let request), .locked(_, let request, _): (jb2, known) = (request, nil)
    case .paid(_, let request, let commit, _): (jb2, known) = (request, commit.bytes)
    case .aborted(let request, let abort): (jb2, known) = (request, abort.bytes)
    default: return [.deny(Denial(.unknownTransaction, "nothing was paid in this purchase"))]
    }
    let mismatch = jb2.payload.terms.mismatch(outcome, request: jb2.hash)
    if let known {
      // A commit after the abort gives the goods away and proves that the bank did both.
      return mismatch != nil || known == outcome.bytes ? [] : [.keep(.evidence, outcome.bytes)]
    }
    if let mismatch { return [.deny(Denial(.mismatch, "the outcome does not match: \(mismatch)"))] }
    switch outcome {
    case .committed(let commit):
      guard let p1 else { return [] }
      state = .paid(p1, jb2, commit, opened: false)
      return [
        .keep(Label(.jb4a), commit.bytes), .enter(.paid, due: nil), .spent(jb2.payload.tokenInputs),
      ]
    case .aborted(let abort):
      state = .aborted(jb2, abort)
      return [
        .keep(Label(.jb4b), abort.bytes), .enter(.aborted, due: nil), .freed(jb2.payload.tokenInputs),
      ]
    }
  }

  /// The goods are open and stored.
  public mutating func opened() -> [CustomerEffect] {
    guard case .paid(let p1, let jb2, let commit, _) = state else {
      return [.deny(Denial(.mismatch, "not paid"))]
    }
    state = .paid(p1, jb2, commit, opened: true)
    return [.enter(.delivered, due: nil)]
  }
}

extension CompactPurchase: PurchaseMachine {
  public typealias Mode = CompactMode
  public typealias Offer = P1
}
