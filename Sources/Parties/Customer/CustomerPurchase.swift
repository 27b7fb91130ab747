// The customer's side of one purchase under a contract, in any `ContractMode` (US 6,076,078, FIGS. 4 to 6;
// docs/SPEC.md, "Core"). The labels of the core protocol stand for those of every mode.
//
//              P1 ok        ciphertext = root      P2              P3            P5a
//   requested ──────▶ offered ───────▶ checked ──────▶ authorised ──────▶ locked ──────▶ paid ──▶ delivered
//       │                │                │                 │ refused        │ P5b       goods opened
//       └────────────────┴────────────────┘                 ▼                ▼
//               abandoned (nothing was paid)              refused          aborted
//
// Where the goods come after the lock (FIG. 5), an E1 that is in order is checked at once, and E4 and the
// ciphertext come in locked, where E5 acknowledges them, or in paid, from the archive. In a series (FIG. 8)
// locked is where its purchases go on (`CustomerSeries`).
//
// Invariants: no P2 before all of the ciphertext was checked (FIG. 5: no E5 before that); after P2 the tokens
// are in use until the bank's signed refusal or the archive's record says otherwise, whatever the clock says;
// paid means that k is known and verified.

public import Messages

/// The machine of one purchase.
public struct CustomerPurchase<M: ContractMode>: Sendable {
  enum State {
    case requested
    case offered(Verified<M.Offer>)
    case checked(Verified<M.Offer>)
    case authorised(Verified<M.Offer>, Verified<M.Request>)
    case locked(Verified<M.Offer>, Verified<M.Request>, Verified<M.LockMessage>)
    case paid(
      Verified<M.Offer>, Verified<M.Request>, Verified<M.LockMessage>?, Verified<Commit<M>>, opened: Bool)
    case aborted(Verified<M.Request>, Verified<M.LockMessage>, Outcome<M>)
    case refused
    case abandoned
  }

  /// What was asked for, and by which pseudonym.
  public let n1: Verified<N1>
  /// Early commitment: what M says of the ciphertext, once it has said so.
  public private(set) var merchandise: Verified<E4>?
  /// S_p(P1) or its kin, once signed.
  public private(set) var note: Verified<M.Note>?
  /// The purchases under the lock, where there are more than one.
  public internal(set) var series: CustomerSeries?
  var state: State

  /// A new purchase.
  public init(requesting n1: Verified<N1>) {
    self.n1 = n1
    state = .requested
  }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError) {
    let n1 = try messages.stored(N1.self)
    let state: State
    switch phase {
    case .requested: state = .requested
    case .offered: state = .offered(try messages.stored(M.Offer.self))
    case .checked: state = .checked(try messages.stored(M.Offer.self))
    case .authorised:
      state = .authorised(
        try messages.stored(M.Offer.self), try messages.stored(M.Request.self))
    case .locked:
      state = .locked(
        try messages.stored(M.Offer.self), try messages.stored(M.Request.self),
        try messages.stored(M.LockMessage.self))
    case .paid, .delivered:
      let p3 = try messages.storedIfThere(M.LockMessage.self)
      state = .paid(
        try messages.stored(M.Offer.self), try messages.stored(M.Request.self), p3,
        try messages.stored(Commit<M>.self),
        opened: phase == .delivered)
    case .aborted:
      let abort: Outcome<M> = try messages.storedAbort()
      state = .aborted(
        try messages.stored(M.Request.self), try messages.stored(M.LockMessage.self),
        abort)
    case .refused: state = .refused
    case .abandoned: state = .abandoned
    case .announced, .registering:
      throw MessageError(.misuse, "state", "wallet: not a phase of a purchase under a contract")
    }
    (self.n1, self.state) = (n1, state)
    merchandise = try messages.storedIfThere(E4.self)
    if let p1, let p3 { series = try M.customerSeries(p1, p3, messages: messages) }
    note = try messages.storedIfThere(M.Note.self)
  }

  /// Where it stands.
  public var phase: PurchasePhase {
    switch state {
    case .requested: .requested
    case .offered: .offered
    case .checked: .checked
    case .authorised: .authorised
    case .locked: .locked
    case .paid(_, _, _, _, let opened): opened ? .delivered : .paid
    case .aborted: .aborted
    case .refused: .refused
    case .abandoned: .abandoned
    }
  }

  /// The contract, from the offer on.
  public var p1: Verified<M.Offer>? {
    switch state {
    case .offered(let p1), .checked(let p1), .authorised(let p1, _), .locked(let p1, _, _),
      .paid(let p1, _, _, _, _):
      p1
    case .requested, .aborted, .refused, .abandoned: nil
    }
  }

  /// The payment, while it matters.
  public var p2: Verified<M.Request>? {
    switch state {
    case .authorised(_, let p2), .locked(_, let p2, _), .paid(_, let p2, _, _, _): p2
    case .requested, .offered, .checked, .aborted, .refused, .abandoned: nil
    }
  }

  /// The bank's lock, once known.
  public var p3: Verified<M.LockMessage>? {
    switch state {
    case .locked(_, _, let p3), .aborted(_, let p3, _): p3
    case .paid(_, _, let p3, _, _): p3
    default: nil
    }
  }

  /// What the ciphertext has to be, once M has said so: in the offer, or by E4.
  public var goods: GoodsClaim? {
    guard let p1 else { return nil }
    return p1.payload.goods ?? merchandise?.payload.goods
  }

  /// Paid for a ciphertext that M described otherwise, or not at all: H of the E4 to ask for.
  public var missingMerchandise: Hash? {
    guard case .paid(_, _, _, let commit, _) = state,
      let submission = try? Verified<M.Submission>(stored: commit.payload.submission),
      let named = M.merchandise(of: submission.payload), merchandise?.hash != named
    else { return nil }
    return named
  }

  /// k, once paid: what the archive published, with the offer's mask taken off.
  public var goodsKey: [UInt8]? {
    guard case .paid(let p1, _, _, let commit, _) = state else { return nil }
    let published = try? Verified<M.Submission>(stored: commit.payload.submission).payload
    return published.flatMap { M.goodsKey(published: $0, p1.payload) }
  }

  /// L, once paid.
  public var paidLock: Hash? {
    guard case .paid(_, _, _, let commit, _) = state else { return nil }
    return try? Verified<M.Submission>(stored: commit.payload.submission).payload.lock
  }

  // MARK: Events before the payment

  /// P1 arrived; M's signature holds. `description` is the offer's, whose hash P1 has to carry.
  public mutating func offered(
    _ p1: Verified<M.Offer>, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> [CustomerEffect] {
    guard case .requested = state else {
      if let known = self.p1, known == p1 { return [] }
      return [.deny(Denial(.nReused, "the merchant sent another contract for the same request"))]
    }
    if let denial = policy.check(p1, for: n1, mode: M.mode, description: description, at: now) {
      state = .abandoned
      return [.keep(Label(M.Offer.type), p1.bytes), .enter(.abandoned, due: nil), .deny(denial)]
    }
    state = M.deliversAfterLock ? .checked(p1) : .offered(p1)
    return [.keep(Label(M.Offer.type), p1.bytes), .enter(phase, due: nil)]
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
    default:
      return [.deny(Denial(.tooLate, "the payment is on its way; only the archive ends it now"))]
    }
  }

  // MARK: The payment

  /// What P2 will say, for these tokens. Whoever holds the token keys signs it. Fails for a bank, archive or
  /// expiration that the contract does not allow: the merchant would only cancel. `budget` is what a series
  /// may cost; nil: the first purchase alone.
  public func authorization(
    tokens: [TokenInput], bank: PublicKey, archive: PublicKey, expiration: Timestamp, budget: Money? = nil
  ) throws(Denial) -> M.Request {
    guard case .checked(let p1) = state else {
      throw Denial(.mismatch, "there is no checked offer to pay for")
    }
    let terms = try p1.payload.terms(
      hP1: p1.hash, merchant: p1.signer, bank: bank, archive: archive, expiration: expiration, budget: budget)
    if let denial = M.check(terms, price: p1.payload.contract.price) { throw denial }
    return M.Request(terms: terms, bank: bank, tokenInputs: tokens)
  }

  /// P2 is signed: from here on it is kept and sent until somebody answers.
  public mutating func authorised(_ p2: Verified<M.Request>) -> [CustomerEffect] {
    guard case .checked(let p1) = state, p2.payload.terms.hP1 == p1.hash else {
      return [.deny(Denial(.mismatch, "this \(M.requestType.label) is not for this contract"))]
    }
    state = .authorised(p1, p2)
    return [
      .keep(Label(M.requestType), p2.bytes), .enter(.authorised, due: p2.payload.terms.expiration),
      .send(p2.bytes, to: p2.payload.bank),
    ]
  }

  /// P3 arrived; the bank's signature holds. `acknowledge` signs S_p(P1) when the sale is two-sided.
  public mutating func locked(
    _ p3: Verified<M.LockMessage>, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    switch state {
    case .authorised(let p1, let p2):
      guard p3.payload.terms == p2.payload.terms, p3.signer == p2.payload.bank else {
        return [.keep(.evidence, p3.bytes), .deny(Denial(.mismatch, "P3 does not say what P2 says"))]
      }
      state = .locked(p1, p2, p3)
      series = try M.customerSeries(p1, p3, messages: [:])
      var effects: [CustomerEffect] = [
        .keep(Label(M.lockType), p3.bytes), .enter(.locked, due: p2.payload.terms.expiration),
      ]
      if p1.payload.contract.twoSided { effects += try acknowledge(p1, pseudonym: pseudonym) }
      return effects
    case .locked(_, _, let known) where known.payload != p3.payload:
      return [.keep(.evidence, p3.bytes), .deny(Denial(.nReused, "the bank sent two different P3"))]
    default: return []
    }
  }

  /// Signs that all of the ciphertext is here, where it is known what that is.
  private mutating func acknowledge(
    _ p1: Verified<M.Offer>, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard note == nil, let payload = M.note(for: p1, merchandise) else { return [] }
    let message = try Verified(signing: payload, with: pseudonym)
    note = message
    return [.keep(Label(M.Note.type), message.bytes), .send(message.bytes, to: p1.signer)]
  }

  // MARK: Goods after the lock

  /// E4 arrived; M's signature holds.
  public mutating func described(_ e4: Verified<E4>, policy: CustomerPolicy) -> [CustomerEffect] {
    guard M.deliversAfterLock, let p1, e4.signer == p1.signer, e4.payload.n == p1.payload.n,
      e4.payload.hP1 == p1.hash
    else { return [.deny(Denial(.mismatch, "E4 is not of this contract"))] }
    if merchandise == e4 { return [] }
    switch state {
    case .locked:
      guard merchandise == nil else {
        return [.keep(.evidence, e4.bytes), .deny(Denial(.nReused, "the merchant sent two different E4"))]
      }
      if let denial = checkLength(e4.payload.goods, policy) { return [.deny(denial)] }
    case .paid:
      guard missingMerchandise == e4.hash else {
        return [.keep(.evidence, e4.bytes), .deny(Denial(.nReused, "another E4 than the one paid for"))]
      }
    default: return [.deny(Denial(.mismatch, "E4 comes after the lock"))]
    }
    let other = merchandise.map { [CustomerEffect.keep(.evidence, $0.bytes)] } ?? []
    merchandise = e4
    return other + [.keep(Label(.e4), e4.bytes)]
  }

  /// All of the ciphertext that E4 names is here; this is its root and length.
  public mutating func received(
    root: Hash, length: UInt64, pseudonym: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard case .locked(let p1, _, _) = state, let merchandise else { return [] }
    guard merchandise.payload.goods == GoodsClaim(root: root, length: length) else {
      return [.deny(Denial(.mismatch, "the goods received are not the goods that E4 names"))]
    }
    return try acknowledge(p1, pseudonym: pseudonym)
  }

  // MARK: The end

  /// The bank's signed refusal of P2: the tokens were never locked for it.
  public mutating func refusedByBank(_ refusal: Verified<Refusal>) -> [CustomerEffect] {
    guard case .authorised(_, let p2) = state, refusal.signer == p2.payload.bank,
      refusal.payload.hRequest == p2.hash
    else { return [.deny(Denial(.mismatch, "the refusal is not the bank's answer to this P2"))] }
    state = .refused
    return [
      .keep(.refusal, refusal.bytes), .enter(.refused, due: nil), .freed(p2.payload.tokenInputs),
    ]
  }

  /// An outcome arrived, from whomever; its signatures hold. It counts also when P3 never reached the
  /// customer: the terms of P2 are those of P3.
  public mutating func decided(_ outcome: Outcome<M>) -> [CustomerEffect] {
    let (p1, p2, p3): (Verified<M.Offer>, Verified<M.Request>, Verified<M.LockMessage>?)
    switch state {
    case .authorised(let one, let two): (p1, p2, p3) = (one, two, nil)
    case .locked(let one, let two, let three): (p1, p2, p3) = (one, two, three)
    case .paid(_, _, let three, let commit, _):
      guard commit.bytes != outcome.bytes, let three, Lock<M>(three).mismatch(outcome) == nil else {
        return []
      }
      return [.keep(.evidence, outcome.bytes)]
    case .aborted(_, let three, let known):
      // A commit after the abort gives the goods away and proves that the archive did both.
      guard outcome.isCommit, known.bytes != outcome.bytes, Lock<M>(three).mismatch(outcome) == nil else {
        return []
      }
      return [.keep(.evidence, outcome.bytes)]
    default: return [.deny(Denial(.unknownTransaction, "nothing was paid in this purchase"))]
    }
    if let mismatch = mismatch(outcome, p2.payload.terms, p3) {
      return [.deny(Denial(.mismatch, "the outcome does not match: \(mismatch)"))]
    }
    switch outcome {
    case .committed(let commit):
      state = .paid(p1, p2, p3, commit, opened: false)
      let due = (try? p2.payload.terms.due(commit, lock: p3?.hash)) ?? p2.payload.terms.value
      let (used, rest) = p2.payload.tokenInputs.split(after: due.amount)
      let paid: [CustomerEffect] = [
        .keep(Label(M.commitType), commit.bytes), .enter(.paid, due: nil), .spent(used),
      ]
      return paid + (rest.isEmpty ? [] : [.freed(rest)])
    case .aborted, .witnessed:
      // Without P3 an abort never matches: `mismatch` asked for it.
      state = .aborted(p2, p3!, outcome)
      return [
        .keep(outcome.label, outcome.bytes), .enter(.aborted, due: nil), .freed(p2.payload.tokenInputs),
      ]
    }
  }

  /// The goods are open and stored.
  public mutating func opened() -> [CustomerEffect] {
    guard case .paid(let p1, let p2, let p3, let commit, _) = state else {
      return [.deny(Denial(.mismatch, "not paid"))]
    }
    state = .paid(p1, p2, p3, commit, opened: true)
    return [.enter(.delivered, due: nil)]
  }

  // MARK: Checks

  private func mismatch(_ outcome: Outcome<M>, _ terms: LockTerms, _ p3: Verified<M.LockMessage>?) -> String?
  {
    if let p3 { return Lock<M>(p3).mismatch(outcome) }
    switch outcome {
    case .committed(let commit): return terms.mismatch(commit, lock: nil)
    case .aborted, .witnessed: return "an abort can only be matched with P3: ask the bank for it"
    }
  }

  private func checkLength(_ goods: GoodsClaim, _ policy: CustomerPolicy) -> Denial? {
    guard goods.length <= policy.trust.goodsLengthMax, (try? Goods.length(sealed: goods.length)) != nil
    else { return Denial(.limit, "the goods' length is impossible or over the limit") }
    return nil
  }
}
