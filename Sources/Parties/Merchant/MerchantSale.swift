// The merchant's side of one sale under a contract, in any `ContractMode` (US 6,076,078, FIGS. 4 to 6;
// docs/SPEC.md, "Core"). The labels of the core protocol stand for those of every mode.
//
//            P3 ok (one-sided, or S_p(P1) held)          P5a
//   offered ─────────────────────────────▶ submitted ──────────▶ committed ──▶ credited
//     │  │                                  ▲      │                     Credit
//     │  │ P3 ok, S_p(P1) missing           │S_p(P1)│ P5b
//     │  └─────────────▶ authorised ────────┘      ├──────────▶ aborted
//     │                     │ too late or unwanted  │
//     │ NAK: decline        └─────▶ cancelling ─────┘
//     └──────────▶ declined
//
// Where the goods come after the lock (FIG. 5), S_p(P1) is E5, and without it M does not cancel but forces:
//
//   authorised ──▶ forcing ──▶ submitted
//             due         the archive holds all of the ciphertext; or E5 after all
//
// In a series (FIG. 8) authorised is where its purchases go on (`MerchantSeries`); due, or when C wants no
// more, what there is is submitted, and forced where C has not acknowledged the last goods.
//
// Invariants: k leaves only inside a P4 sealed to the archive (or to the customer under early completion,
// §5.6, which the merchant has to switch on); no P4 after a Cancel; the same P3 is answered by the same
// P4. In FIG. 5 E4 and the ciphertext are for a customer whose tokens are locked, and for nobody else.

public import Messages

/// The machine of one sale.
public struct MerchantSale<M: ContractMode>: ~Copyable, Sendable {
  enum State {
    case offered
    case declined
    case authorised(Verified<M.LockMessage>)
    case forcing(Verified<M.LockMessage>)
    case submitted(Verified<M.LockMessage>, Verified<M.Submission>)
    case cancelling(Verified<M.LockMessage>, Verified<Cancel>)
    case committed(Verified<M.LockMessage>, Outcome<M>, credit: Verified<Credit>?)
    case aborted(Verified<M.LockMessage>, Outcome<M>)
  }

  /// The signed offer of this sale.
  public let p1: Verified<M.Offer>
  /// Early commitment: what the ciphertext is, signed with the offer.
  public let merchandise: Verified<E4>?
  /// The secret that the goods' keys come from: k itself but in a series.
  private let k: [UInt8]
  /// The purchases under the lock, where there are more than one.
  public internal(set) var series: MerchantSeries?
  private var acknowledgement: Verified<M.Note>?
  /// A Credit that came before the record that it pays for.
  private var earlyCredit: Verified<Credit>?
  var state: State

  /// A new sale: signs P1. `k` is the sale's secret, from which `M.goodsKey` makes the goods' key; `goods`
  /// the ciphertext, where P1 does not name it.
  public init(
    offering p1: M.Offer, goods: GoodsClaim? = nil, k: [UInt8], key: borrowing SigningKey
  ) throws(MessageError) {
    precondition(goods != nil || !M.deliversAfterLock, "what is delivered after the lock is known before it")
    let offer = try Verified(signing: p1, with: key)
    if let goods, let e4 = M.merchandise(for: offer, goods) {
      merchandise = try Verified(signing: e4, with: key)
    } else {
      merchandise = nil
    }
    self.p1 = offer
    self.k = k
    (acknowledgement, earlyCredit) = (nil, nil)
    state = .offered
  }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError) {
    let p1 = try messages.stored(M.Offer.self)
    let acknowledgement =
      try messages.storedIfThere(M.Note.self)
    let state: State
    switch phase {
    case .offered: state = .offered
    case .declined: state = .declined
    case .authorised: state = .authorised(try messages.stored(M.LockMessage.self))
    case .forcing: state = .forcing(try messages.stored(M.LockMessage.self))
    case .submitted:
      state = .submitted(
        try messages.stored(M.LockMessage.self),
        try messages.stored(M.Submission.self))
    case .cancelling:
      state = .cancelling(try messages.stored(M.LockMessage.self), try messages.stored(Cancel.self))
    case .committed:
      state = .committed(
        try messages.stored(M.LockMessage.self),
        .committed(try messages.stored(Commit<M>.self)), credit: nil)
    case .credited:
      state = .committed(
        try messages.stored(M.LockMessage.self),
        .committed(try messages.stored(Commit<M>.self)),
        credit: try messages.stored(Credit.self))
    case .aborted:
      let abort: Outcome<M> = try messages.storedAbort()
      state = .aborted(try messages.stored(M.LockMessage.self), abort)
    case .claiming:
      throw MessageError(.misuse, "state", "merchant store: not a phase of a sale under a contract")
    }
    let credit = try messages.storedIfThere(Credit.self)
    let merchandise = M.deliversAfterLock ? try messages.stored(E4.self) : nil
    var series: MerchantSeries?
    if messages[Label(.r4)] != nil {
      let lock = try messages.stored(M.LockMessage.self)
      series = try M.merchantSeries(p1, lock, secret: k, messages: messages)
    }
    (self.p1, self.k, self.acknowledgement, self.state) = (p1, k, acknowledgement, state)
    (self.merchandise, self.series) = (merchandise, series)
    earlyCredit = credit
  }

  /// Where it stands.
  public var phase: SalePhase {
    switch state {
    case .offered: .offered
    case .declined: .declined
    case .authorised: .authorised
    case .forcing: .forcing
    case .submitted: .submitted
    case .cancelling: .cancelling
    case .committed(_, _, let credit): credit == nil ? .committed : .credited
    case .aborted: .aborted
    }
  }

  /// Whether the ciphertext may be served to the customer now.
  public var servesGoods: Bool {
    guard M.deliversAfterLock else { return true }
    switch state {
    case .offered, .declined: return false
    case .authorised, .forcing, .submitted, .cancelling, .committed, .aborted: return true
    }
  }

  // MARK: Events

  /// P3 arrived, from the bank or through the customer; the bank's signature holds.
  public mutating func authorised(
    _ p3: Verified<M.LockMessage>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    switch state {
    case .authorised(let old), .forcing(let old), .submitted(let old, _), .cancelling(let old, _),
      .committed(let old, _, _), .aborted(let old, _):
      if old.payload == p3.payload { return [] }
      let detail = "this sale already has another authorization"
      return try giveBack(p3, key: key) + [.refuse(Denial(.nReused, detail, proof: [old.bytes]))]
    case .declined, .offered: break
    }
    // A lock that is not this sale's ends no sale: else whoever learns n could end it with a P3 of his own.
    if let denial = checkIdentity(p3, merchant: key.publicKey) {
      return try giveBack(p3, key: key) + [.refuse(denial)]
    }
    var effects: [MerchantEffect] = [.keep(Label(M.lockType), p3.bytes)]
    if let denial = check(p3, policy: policy, at: now) {
      // The customer's money is locked for a sale that will not happen: give it back now, not at the
      // expiration.
      effects += try cancel(p3, key: key)
      return effects + [.refuse(denial)]
    }
    if phase == .declined { return effects + (try cancel(p3, key: key)) }
    let isAwaited = (M.deliversAfterLock || p1.payload.contract.twoSided) && acknowledgement == nil
    if !isAwaited { effects += try beginSeries(p3, key: key) }
    if series != nil || isAwaited {
      state = .authorised(p3)
      return effects + [.enter(.authorised, due: patience(p3, policy: policy, at: now))]
    }
    return effects + (try submit(p3, .acknowledged, key: key))
  }

  /// Gives the key of the first purchase, where others can follow it.
  private mutating func beginSeries(
    _ p3: Verified<M.LockMessage>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    guard let r4 = M.firstKey(for: p1, secret: k) else { return [] }
    let first = try Verified(signing: r4, with: key)
    series = try M.merchantSeries(p1, p3, secret: k, messages: [Label(.r4): first.bytes])
    return [.keep(Label(.r4), first.bytes)]
  }

  /// How long M waits for the customer's acknowledgement.
  private func patience(
    _ p3: Verified<M.LockMessage>, policy: MerchantPolicy, at now: Timestamp
  ) -> Timestamp {
    if series != nil { return policy.closing(length: 0, of: p3.payload.terms) }
    let expiration = p3.payload.terms.expiration
    guard let length = merchandise?.payload.length else { return expiration - policy.trust.answerSeconds }
    return policy.forceTime(length: length, expiration: expiration, at: now)
  }

  /// S_p(P1) arrived: signed by the contract's pseudonym.
  public mutating func acknowledged(
    _ message: Verified<M.Note>, policy: MerchantPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    guard message.payload == M.note(for: p1, merchandise),
      message.signer == p1.payload.contract.pseudonym
    else { return [.refuse(Denial(.mismatch, "\(M.Note.type.label) is not for this contract"))] }
    if acknowledgement != nil { return [] }
    acknowledgement = message
    let kept: [MerchantEffect] = [.keep(Label(M.Note.type), message.bytes)]
    switch state {
    case .authorised where series != nil, .forcing where series != nil: return kept
    case .authorised(let p3), .forcing(let p3):
      // Too late for the archive: a P4 after the expiration would only give k away.
      guard hasTime(p3, policy: policy, at: now) else { return kept + (try cancel(p3, key: key)) }
      let opened = try beginSeries(p3, key: key)
      if series != nil {
        return kept + opened + [.enter(.authorised, due: patience(p3, policy: policy, at: now))]
      }
      return kept + (try submit(p3, .acknowledged, key: key))
    case .offered, .declined, .submitted, .cancelling, .committed, .aborted: return kept
    }
  }

  /// The archive has all of the ciphertext and has checked it.
  public mutating func archiveHolds(
    policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    guard case .forcing(let p3) = state else { return [] }
    guard hasTime(p3, policy: policy, at: now) else { return try cancel(p3, key: key) }
    return try submit(p3, .forced, key: key)
  }

  /// An outcome arrived, from the archive or whomever; its signatures hold.
  public mutating func decided(_ outcome: Outcome<M>, policy: MerchantPolicy) -> [MerchantEffect] {
    let p3: Verified<M.LockMessage>
    switch state {
    case .offered, .declined:
      return [.refuse(Denial(.unknownTransaction, "no authorization of this sale is known"))]
    case .committed(let known, let old, _), .aborted(let known, let old):
      guard old.bytes != outcome.bytes, old.isCommit || outcome.isCommit,
        Lock<M>(known).mismatch(outcome) == nil
      else { return [] }
      return [.keep(.evidence, outcome.bytes)]
    case .authorised(let known), .forcing(let known), .submitted(let known, _), .cancelling(let known, _):
      p3 = known
    }
    if let mismatch = Lock<M>(p3).mismatch(outcome) {
      return [.refuse(Denial(.mismatch, "the outcome does not match: \(mismatch)", proof: [p3.bytes]))]
    }
    switch outcome {
    case .committed(let commit):
      // One that came before the record could not be compared with it.
      if earlyCredit?.payload.amount != (try? p3.payload.terms.due(commit, lock: p3.hash)) {
        earlyCredit = nil
      }
      state = .committed(p3, outcome, credit: earlyCredit)
      // An archive that lies by omission tells the bank nothing: without a Credit it hears it from here.
      let due = earlyCredit == nil ? commit.payload.at + Self.creditSeconds : nil
      var effects: [MerchantEffect] = [
        .keep(Label(M.commitType), commit.bytes), .enter(phase, due: due),
      ]
      if policy.forwardsToBank { effects.append(.send(commit.bytes, to: p3.signer)) }
      return effects
    case .aborted, .witnessed:
      state = .aborted(p3, outcome)
      return [
        .keep(outcome.label, outcome.bytes), .enter(.aborted, due: nil), .send(outcome.bytes, to: p3.signer),
      ]
    }
  }

  private mutating func end(
    _ p3: Verified<M.LockMessage>, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let expiration = p3.payload.terms.expiration
    guard now < expiration else { return try cancel(p3, key: key) }
    let left = expiration - now
    // Goods that do not reach the archive cost a series its last purchase, not all of them.
    if left <= Self.lastSeconds { series?.giveUpOpen() }
    switch M.ending(sold(.acknowledged)) {
    case .cancel: return try cancel(p3, key: key)
    case .submit: return try submit(p3, .acknowledged, key: key)
    case .force(let promise):
      state = .forcing(p3)
      // Often enough that one more attempt has time, and that the last moment is not missed.
      let due = left <= Self.lastSeconds ? expiration : now + min(Self.uploadSeconds, max(1, left / 2))
      return [
        .enter(.forcing, due: due), .upload(Bundle([promise, p3.bytes]), to: p3.payload.terms.archive),
      ]
    }
  }

  /// How long M waits until it looks after an upload again, at the most.
  private static var uploadSeconds: UInt64 { 5 }
  /// With so little time left, what can be submitted without an upload is.
  private static var lastSeconds: UInt64 { 2 }

  /// How long M waits for the Credit before it shows the bank the record, again and again.
  private static var creditSeconds: UInt64 { 60 }

  /// The bank confirms the credit. It may have heard of the commit first: then its Credit, which is sent
  /// once, waits here for the record.
  ///
  /// `home` is the merchant's own bank, where it is another one than the tokens'.
  public mutating func credited(_ credit: Verified<Credit>, home: PublicKey? = nil) -> [MerchantEffect] {
    let p3: Verified<M.LockMessage>
    switch state {
    case .authorised(let known), .forcing(let known), .submitted(let known, _), .cancelling(let known, _),
      .committed(let known, _, _):
      p3 = known
    case .offered, .declined, .aborted:
      return [.refuse(Denial(.mismatch, "a credit for a sale that is not committed"))]
    }
    guard credit.payload.lock == p3.hash, credit.signer == home ?? p3.signer, mayBeDue(credit, p3) else {
      return [.refuse(Denial(.mismatch, "the credit is for another lock or amount"))]
    }
    guard case .committed(_, let outcome, let known) = state else {
      earlyCredit = credit
      return [.keep(.credit, credit.bytes)]
    }
    if known != nil { return [] }
    state = .committed(p3, outcome, credit: credit)
    return [.keep(.credit, credit.bytes), .enter(.credited, due: nil)]
  }

  /// The customer complains about the ciphertext or does not want it. Damaged ranges are simply fetched
  /// again.
  public mutating func complained(
    _ nak: Verified<NAK>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let hR6s = nak.payload.decline ? [] : series?.items.map(\.item.hash) ?? []
    guard nak.payload.hP1 == p1.hash || hR6s.contains(nak.payload.hP1), nak.payload.n == p1.payload.n,
      nak.signer == p1.payload.contract.pseudonym
    else { return [.refuse(Denial(.mismatch, "the NAK is not for this contract"))] }
    guard nak.payload.decline else { return [.keep(.nak, nak.bytes)] }
    switch state {
    case .offered:
      state = .declined
      return [.keep(.nak, nak.bytes), .enter(.declined, due: nil)]
    // Early commitment means just this: after the lock the customer cannot step back any more.
    case .authorised where M.deliversAfterLock, .forcing where M.deliversAfterLock:
      return [.refuse(Denial(.tooLate, "the tokens are committed to these goods already"))]
    // A series goes to the archive, as far as it came.
    case .authorised where series != nil: return [.keep(.nak, nak.bytes), .enter(.authorised, due: 1)]
    case .forcing where series != nil: return []
    case .authorised(let p3), .forcing(let p3):
      return [.keep(.nak, nak.bytes)] + (try cancel(p3, key: key))
    case .declined, .cancelling, .aborted: return []
    case .submitted, .committed:
      return [.refuse(Denial(.tooLate, "the sale is with the archive already"))]
    }
  }

  /// The merchant itself gives the sale up.
  public mutating func givenUp(key: borrowing SigningKey) throws(MessageError) -> [MerchantEffect] {
    switch state {
    case .offered:
      state = .declined
      return [.enter(.declined, due: nil)]
    case .authorised(let p3), .forcing(let p3): return try cancel(p3, key: key)
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
    case .committed(let p3, let outcome, nil):
      return [.send(outcome.bytes, to: p3.signer), .enter(.committed, due: now + Self.creditSeconds)]
    case .authorised(let p3), .forcing(let p3):
      // Still no S_p(P1), and no time left to wait for it.
      return try end(p3, at: now, key: key)
    case .submitted(let p3, _), .cancelling(let p3, _):
      let terms = p3.payload.terms
      guard now >= terms.expiration else { return [.enter(phase, due: terms.expiration)] }
      return [
        .requestAbort(p3: p3.bytes, archive: terms.archive), .enter(phase, due: now + 60),
      ]
    }
  }

  /// L and its bank, once the sale is committed.
  public var paid: (lock: Hash, bank: PublicKey)? {
    guard case .committed(let p3, _, _) = state else { return nil }
    return (p3.hash, p3.signer)
  }

  // MARK: Status

  /// What P may know: the state, and the messages that show it.
  public func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]]) {
    let (state, proof): (TransactionState, [[UInt8]]) =
      switch state {
      case .offered: (.offered, [p1.bytes])
      case .declined: (.unknown, [])
      case .authorised(let p3), .forcing(let p3): (.locked, [p3.bytes])
      case .submitted(_, let p4): (.submitted, policy.completion == .early ? [p4.bytes] : [])
      case .cancelling(_, let cancel): (.locked, [cancel.bytes])
      case .committed(_, let outcome, _): (.committed, [outcome.bytes])
      case .aborted(_, let outcome): (.aborted, [outcome.bytes])
      }
    guard let merchandise, servesGoods else { return (state, proof) }
    return (state, proof + [merchandise.bytes])
  }

  // MARK: Steps

  private func sold(_ delivery: Delivery) -> Sold<M.Offer> {
    Sold(offer: p1, k: k, merchandise: merchandise, series: series, delivery: delivery)
  }

  mutating func submit(
    _ p3: Verified<M.LockMessage>, _ delivery: Delivery, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = p3.payload.terms
    let sold = sold(delivery)
    let p4 = try Verified(signing: M.submission(p3, sold), with: key)
    state = .submitted(p3, p4)
    let messages = [p4.bytes, p3.bytes] + M.shown(sold, note: acknowledgement)
    return [
      .keep(Label(M.Submission.type), p4.bytes), .enter(.submitted, due: terms.expiration),
      .submit(Bundle(messages), to: terms.archive),
    ]
  }

  mutating func cancel(
    _ p3: Verified<M.LockMessage>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = p3.payload.terms
    let cancel = try Verified(signing: Cancel(n: terms.n, lock: p3.hash), with: key)
    state = .cancelling(p3, cancel)
    return [
      .keep(.cancel, cancel.bytes), .enter(.cancelling, due: terms.expiration),
      .cancel(Bundle([cancel.bytes, p3.bytes]), archive: terms.archive),
    ]
  }

  /// Cancels a lock that this sale will not use, without a change of the sale itself.
  private func giveBack(
    _ p3: Verified<M.LockMessage>, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let terms = p3.payload.terms
    guard terms.merchant == key.publicKey else { return [.keep(.evidence, p3.bytes)] }
    let cancel = try Verified(signing: Cancel(n: terms.n, lock: p3.hash), with: key)
    return [
      .keep(.evidence, p3.bytes), .cancel(Bundle([cancel.bytes, p3.bytes]), archive: terms.archive),
    ]
  }

  // MARK: Checks of P3 (docs/SPEC.md, "P3")

  /// Whether P3 is for this sale at all.
  private func checkIdentity(_ p3: Verified<M.LockMessage>, merchant: PublicKey) -> Denial? {
    let terms = p3.payload.terms
    guard terms.merchant == merchant, terms.n == p1.payload.n, terms.hP1 == p1.hash else {
      return Denial(.mismatch, "\(M.lockType.label) is not for this contract")
    }
    return nil
  }

  func hasTime(_ p3: Verified<M.LockMessage>, policy: MerchantPolicy, at now: Timestamp) -> Bool {
    p3.payload.terms.expiration >= now + policy.trust.answerSeconds
  }

  private func check(_ p3: Verified<M.LockMessage>, policy: MerchantPolicy, at now: Timestamp) -> Denial? {
    let terms = p3.payload.terms
    let contract = p1.payload.contract
    guard terms.hx == p1.payload.hx else { return Denial(.mismatch, "P3 has another key commitment") }
    guard terms.pseudonym == contract.pseudonym else { return Denial(.mismatch, "P3 has another pseudonym") }
    if let denial = M.check(terms, price: contract.price) { return denial }
    guard contract.banks.contains(p3.signer) else { return Denial(.unsupported, "this bank is not accepted") }
    guard contract.archives.contains(terms.archive) else {
      return Denial(.unsupported, "this archive is not accepted")
    }
    guard terms.expiration <= contract.expirationMax else {
      return Denial(.expirationCap, "P3 expires later than the contract allows")
    }
    guard terms.lifetime == contract.lifetime else {
      return Denial(.lifetime, "P3 has another lifetime than the contract")
    }
    guard hasTime(p3, policy: policy, at: now) else {
      return Denial(.tooLate, "less than \(policy.trust.answerSeconds) seconds are left to commit")
    }
    return nil
  }
}
