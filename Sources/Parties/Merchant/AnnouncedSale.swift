// The merchant's side of an announced sale (US 6,076,078, FIG. 3; docs/SPEC.md, "Announced").
//
//            3 and 4 ok: claim t at B          7 ok: 8            9a
//   offered ───────────────────────▶ claiming ─────▶ submitted ──────▶ committed ──▶ credited
//     │  │                             │   │           │                       Credit
//     │  │ 7 without 4                 │   │ 7 not ok  │ 9b
//     │  └──────▶ authorised ──────────┼───┼─▶ 8 ──────┤
//     │             │ too late         │   └─▶ cancelling ──▶ aborted
//     │ NAK         └──────────────────┼───────┘
//     └─────▶ declined ◀───────────────┘ refused by B, or too late
//
// Invariants: k leaves only inside an 8 sealed to the archive (or to the customer under early completion,
// which the merchant has to switch on); no 8 without S_t(PO), and none after a Cancel.

public import Messages

/// The machine of one sale.
public struct AnnouncedSale: ~Copyable, Sendable {
  private enum State {
    case offered
    case declined
    case claiming(Claim)
    /// The bank's lock is here before S_t(PO): somebody else than M asked for it.
    case authorised(Verified<A7>)
    case submitted(Verified<A7>, Verified<A8>)
    case cancelling(Verified<A7>, Verified<Cancel>)
    case committed(Verified<A7>, Outcome<AnnouncedMode>, credit: Verified<Credit>?)
    case aborted(Verified<A7>, Outcome<AnnouncedMode>)
  }

  /// The signed order.
  public let order: Verified<PurchaseOrder>
  /// Who asked for the goods: may fetch them, and may decline.
  public let buyer: PublicKey
  private let k: [UInt8]
  /// Messages 3 and 4, once here.
  private var claim: Claim?
  /// A Credit that came before the record that it pays for.
  private var earlyCredit: Verified<Credit>?
  private var state: State

  /// A new sale: signs PO. `k` is the goods' key, fresh for this sale.
  public init(
    offering order: PurchaseOrder, to buyer: PublicKey, k: [UInt8], key: borrowing SigningKey
  ) throws(MessageError) {
    self.order = try Verified(signing: order, with: key)
    (self.buyer, self.k) = (buyer, k)
    (claim, earlyCredit, state) = (nil, nil, .offered)
  }

  /// Takes the machine up again from what `keep` stored, N1 included.
  public init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError) {
    let order = try messages.stored(PurchaseOrder.self)
    let buyer = try messages.stored(N1.self).signer
    let credit = try messages.storedIfThere(Credit.self)
    var claim: Claim?
    if let published = try messages.storedIfThere(Announced.self) {
      claim = Claim(
        published: published, announcement: try Verified(stored: published.payload.announcement),
        consent: try messages.stored(), order: order)
    }
    let state: State
    switch phase {
    case .offered: state = .offered
    case .declined: state = .declined
    case .claiming:
      guard let claim else { throw MessageError(.misuse, "missing-field", "merchant store: A3p") }
      state = .claiming(claim)
    case .authorised: state = .authorised(try messages.stored())
    case .submitted: state = .submitted(try messages.stored(), try messages.stored())
    case .cancelling: state = .cancelling(try messages.stored(), try messages.stored())
    case .committed:
      state = .committed(try messages.stored(), .committed(try messages.stored()), credit: nil)
    case .credited:
      state = .committed(
        try messages.stored(), .committed(try messages.stored()), credit: try messages.stored())
    case .aborted: state = .aborted(try messages.stored(), try messages.storedAbort())
    case .forcing: throw MessageError(.misuse, "state", "merchant store: not a phase of an announced sale")
    }
    (self.order, self.buyer, self.k, self.claim, self.state) = (order, buyer, k, claim, state)
    earlyCredit = credit
  }

  /// Where it stands.
  public var phase: SalePhase {
    switch state {
    case .offered: .offered
    case .declined: .declined
    case .claiming: .claiming
    case .authorised: .authorised
    case .submitted: .submitted
    case .cancelling: .cancelling
    case .committed(_, _, let credit): credit == nil ? .committed : .credited
    case .aborted: .aborted
    }
  }

  /// The bank's lock, once known.
  public var lock: Verified<A7>? {
    switch state {
    case .offered, .declined, .claiming: nil
    case .authorised(let lock), .submitted(let lock, _), .cancelling(let lock, _),
      .committed(let lock, _, _), .aborted(let lock, _):
      lock
    }
  }

  /// t's key, once it has announced this order.
  public var tokenKey: PublicKey? { claim?.announcement.signer }

  // MARK: Events

  /// Messages 4 and 3 arrived; their signatures hold.
  public mutating func consented(
    _ consent: Verified<Consent>, _ published: Verified<Announced>,
    _ announcement: Verified<Announcement>, policy: MerchantPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let new = Claim(published: published, announcement: announcement, consent: consent, order: order)
    if let claim {
      if claim.announcement.payload == announcement.payload { return [] }
      let detail = "another token is announced for this order"
      return [.refuse(Denial(.nReused, detail, proof: [claim.published.bytes]))]
    }
    if let denial = new.mismatch { return [.refuse(denial)] }
    guard consent.signer == announcement.signer, announcement.signer == announcement.payload.token.key else {
      return [.refuse(Denial(.untrusted, "only t's own key gives t away"))]
    }
    let kept: [MerchantEffect] = [
      .keep(Label(.announced), published.bytes), .keep(Label(.consent), consent.bytes),
    ]
    guard hasTime(announcement.payload.expiration, policy, now) else {
      return [.refuse(Denial(.tooLate, "less than \(policy.trust.answerSeconds) seconds are left to commit"))]
    }
    switch state {
    case .offered:
      (claim, state) = (new, .claiming(new))
      return kept + [
        .enter(.claiming, due: announcement.payload.expiration),
        .send(try new.bundle.encoded(), to: order.payload.terms.bank),
      ]
    case .authorised(let lock):
      claim = new
      if let denial = check(lock, policy: policy, at: now) {
        return kept + (try cancel(lock, key: key)) + [.refuse(denial)]
      }
      return kept + (try submit(lock, new, key: key))
    default: return [.refuse(Denial(.tooLate, "this sale has ended"))]
    }
  }

  /// 7 arrived; the bank's signature holds.
  public mutating func authorised(
    _ lock: Verified<A7>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    if let known = self.lock {
      if known.payload == lock.payload { return [] }
      let detail = "this sale already has another authorization"
      return try giveBack(lock, key: key) + [.refuse(Denial(.nReused, detail, proof: [known.bytes]))]
    }
    let terms = lock.payload.terms
    guard terms.merchant == key.publicKey, terms.n == order.payload.terms.n, terms.hP1 == order.hash else {
      let denial = Denial(.mismatch, "\(A7.type.label) is not for this order")
      return try giveBack(lock, key: key) + [.refuse(denial)]
    }
    let kept: [MerchantEffect] = [.keep(Label(.a7), lock.bytes)]
    if phase == .declined { return kept + (try cancel(lock, key: key)) }
    if let denial = check(lock, policy: policy, at: now) {
      return kept + (try cancel(lock, key: key)) + [.refuse(denial)]
    }
    guard let claim else {
      state = .authorised(lock)
      return kept + [.enter(.authorised, due: terms.expiration - policy.trust.answerSeconds)]
    }
    return kept + (try submit(lock, claim, key: key))
  }

  /// The bank's signed refusal of the claim: t is not to be had.
  public mutating func refused(_ refusal: Verified<Refusal>) -> [MerchantEffect] {
    guard case .claiming(let claim) = state, refusal.signer == order.payload.terms.bank,
      (try? claim.bundle.encoded()).map(Hash.init(of:)) == refusal.payload.hRequest
    else { return [] }
    state = .declined
    return [.keep(.refusal, refusal.bytes), .enter(.declined, due: nil)]
  }

  /// An outcome arrived, from the archive or whomever; its signatures hold.
  public mutating func decided(_ outcome: Outcome<AnnouncedMode>, policy: MerchantPolicy) -> [MerchantEffect]
  {
    let lock: Verified<A7>
    switch state {
    case .offered, .declined, .claiming:
      return [.refuse(Denial(.unknownTransaction, "no authorization of this sale is known"))]
    case .committed(let known, let old, _), .aborted(let known, let old):
      guard old.bytes != outcome.bytes, old.isCommit || outcome.isCommit,
        Lock(known).mismatch(outcome) == nil
      else { return [] }
      return [.keep(.evidence, outcome.bytes)]
    case .authorised(let known), .submitted(let known, _), .cancelling(let known, _): lock = known
    }
    if let mismatch = Lock(lock).mismatch(outcome) {
      return [.refuse(Denial(.mismatch, "the outcome does not match: \(mismatch)", proof: [lock.bytes]))]
    }
    switch outcome {
    case .committed(let commit):
      state = .committed(lock, outcome, credit: earlyCredit)
      let due = earlyCredit == nil ? commit.payload.at + creditSeconds : nil
      let effects: [MerchantEffect] = [.keep(Label(.a9a), commit.bytes), .enter(phase, due: due)]
      return policy.forwardsToBank ? effects + [.send(commit.bytes, to: lock.signer)] : effects
    case .aborted, .witnessed:
      state = .aborted(lock, outcome)
      return [
        .keep(outcome.label, outcome.bytes), .enter(.aborted, due: nil),
        .send(outcome.bytes, to: lock.signer),
      ]
    }
  }

  /// The bank confirms the credit; it may have heard of the commit first.
  /// `home` is the merchant's own bank, where it is another one than the token's.
  public mutating func credited(_ credit: Verified<Credit>, home: PublicKey? = nil) -> [MerchantEffect] {
    guard let lock, phase != .aborted, credit.payload.lock == lock.hash,
      credit.signer == home ?? lock.signer,
      credit.payload.amount == lock.payload.terms.value
    else { return [.refuse(Denial(.mismatch, "the credit is for another lock or amount"))] }
    guard case .committed(_, let outcome, let known) = state else {
      earlyCredit = credit
      return [.keep(.credit, credit.bytes)]
    }
    if known != nil { return [] }
    state = .committed(lock, outcome, credit: credit)
    return [.keep(.credit, credit.bytes), .enter(.credited, due: nil)]
  }

  /// The buyer complains about the ciphertext or does not want it.
  public mutating func complained(
    _ nak: Verified<NAK>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    guard nak.payload.hP1 == order.hash, nak.payload.n == order.payload.terms.n, nak.signer == buyer
    else { return [.refuse(Denial(.mismatch, "the NAK is not for this order"))] }
    guard nak.payload.decline else { return [.keep(.nak, nak.bytes)] }
    let effects = try givenUp(key: key)
    if case .refuse? = effects.first { return effects }
    return [.keep(.nak, nak.bytes)] + effects
  }

  /// The merchant itself gives the sale up. A lock that is on its way is given back when it comes.
  public mutating func givenUp(key: borrowing SigningKey) throws(MessageError) -> [MerchantEffect] {
    switch state {
    case .offered, .claiming:
      state = .declined
      return [.enter(.declined, due: nil)]
    case .authorised(let lock): return try cancel(lock, key: key)
    case .declined, .cancelling, .aborted: return []
    case .submitted, .committed:
      return [.refuse(Denial(.tooLate, "the sale is with the archive already"))]
    }
  }

  /// The due time has come.
  public mutating func due(at now: Timestamp, key: borrowing SigningKey) throws(MessageError)
    -> [MerchantEffect]
  {
    switch state {
    case .offered, .declined, .aborted, .committed(_, _, .some): return []
    case .claiming(let claim):
      let expiration = claim.announcement.payload.expiration
      guard now >= expiration else { return [.enter(.claiming, due: expiration)] }
      // The bank locks nothing any more; a lock that it made and whose word was lost is the archive's to end.
      state = .declined
      return [.enter(.declined, due: nil)]
    case .authorised(let lock): return try cancel(lock, key: key)
    case .committed(let lock, let outcome, nil):
      return [.send(outcome.bytes, to: lock.signer), .enter(.committed, due: now + creditSeconds)]
    case .submitted(let lock, _), .cancelling(let lock, _):
      let terms = lock.payload.terms
      guard now >= terms.expiration else { return [.enter(phase, due: terms.expiration)] }
      return [
        .requestAbort(p3: lock.bytes, archive: terms.archive), .enter(phase, due: now + 60),
      ]
    }
  }

  // MARK: Status

  /// What the buyer and t's key may know: the state, and the messages that show it.
  public func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]]) {
    let lock = lock.map { [$0.bytes] } ?? []
    return switch state {
    case .offered, .claiming: (.offered, [])
    case .declined: (.unknown, [])
    case .authorised: (.locked, lock)
    case .submitted(_, let submission):
      (.submitted, lock + (policy.completion == .early ? [submission.bytes] : []))
    case .cancelling(_, let cancel): (.locked, lock + [cancel.bytes])
    case .committed(_, let outcome, _): (.committed, lock + [outcome.bytes])
    case .aborted(_, let outcome): (.aborted, lock + [outcome.bytes])
    }
  }

  // MARK: Steps

  private var creditSeconds: UInt64 { 60 }

  private mutating func submit(
    _ lock: Verified<A7>, _ claim: Claim, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = lock.payload.terms
    let submission = try Verified(
      signing: A8(
        n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: k,
        consent: claim.consent.bytes), with: key)
    state = .submitted(lock, submission)
    return [
      .keep(Label(.a8), submission.bytes), .enter(.submitted, due: terms.expiration),
      .submit(Bundle([submission.bytes, lock.bytes]), to: terms.archive),
    ]
  }

  private mutating func cancel(
    _ lock: Verified<A7>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = lock.payload.terms
    let cancel = try Verified(signing: Cancel(n: terms.n, lock: lock.hash), with: key)
    state = .cancelling(lock, cancel)
    return [
      .keep(.cancel, cancel.bytes), .enter(.cancelling, due: terms.expiration),
      .cancel(Bundle([cancel.bytes, lock.bytes]), archive: terms.archive),
    ]
  }

  /// Cancels a lock that this sale will not use, without a change of the sale itself.
  private func giveBack(
    _ lock: Verified<A7>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = lock.payload.terms
    guard terms.merchant == key.publicKey else { return [.keep(.evidence, lock.bytes)] }
    let cancel = try Verified(signing: Cancel(n: terms.n, lock: lock.hash), with: key)
    return [
      .keep(.evidence, lock.bytes), .cancel(Bundle([cancel.bytes, lock.bytes]), archive: terms.archive),
    ]
  }

  // MARK: Checks of 7 (docs/SPEC.md, "A7")

  private func hasTime(_ expiration: Timestamp, _ policy: MerchantPolicy, _ now: Timestamp) -> Bool {
    expiration >= now + policy.trust.answerSeconds
  }

  private func check(_ lock: Verified<A7>, policy: MerchantPolicy, at now: Timestamp) -> Denial? {
    let terms = lock.payload.terms
    let own = order.payload.terms
    guard lock.signer == own.bank, terms.archive == own.archive else {
      return Denial(.unsupported, "7 names another bank or archive than the order")
    }
    guard terms.hx == own.hx else { return Denial(.mismatch, "7 has another key commitment") }
    guard terms.value == own.price else {
      return Denial(.wrongValue, "7 is over \(terms.value), the price is \(own.price)")
    }
    guard terms.expiration <= own.expiration else {
      return Denial(.expirationCap, "7 expires later than the order allows")
    }
    guard terms.lifetime == own.lifetime else {
      return Denial(.lifetime, "7 has another lifetime than the order")
    }
    if let claim {
      guard terms == claim.announcement.payload.terms(of: order) else {
        return Denial(.mismatch, "7 is not for the announced token")
      }
    }
    guard hasTime(terms.expiration, policy, now) else {
      return Denial(.tooLate, "less than \(policy.trust.answerSeconds) seconds are left to commit")
    }
    return nil
  }
}
