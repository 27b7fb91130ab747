// The merchant's side of one compact sale (US 6,076,078, FIG. 7; docs/SPEC.md, "Compact"). It sees no lock:
// it gives the bank k together with what it wants for it, and the bank pairs that with the customer's
// authorization, or says that there was none.
//
//            one-sided: at once; two-sided: S_p(P1)        JB4a            Credit
//   offered ───────────────────────────────────▶ submitted ──────▶ committed ──────▶ credited
//      │                                              │ JB4b, or the bank's refusal of JB3
//      │ NAK: decline, given up, or too late          └─────▶ aborted
//      └──────────▶ declined
//
// Invariants: k leaves only inside a JB3 sealed to the one bank of the contract, and one JB3 is signed for a
// sale, ever; it carries price and expiration as the contract fixes them (attack 10), so whatever it is
// paired with, it is paid in full or not at all. When it is signed is the customer's to know: it stands in
// the contract as `two_sided`.

public import Messages

/// The machine of one sale.
public struct CompactSale: ~Copyable, Sendable {
  private enum State {
    case offered
    case declined
    case submitted(Verified<JB3>)
    case committed(Verified<JB3>, Verified<JB4a>, credit: Verified<Credit>?)
    /// With what ended it: JB4b or the bank's refusal.
    case aborted(Verified<JB3>, [UInt8])
  }

  /// The signed offer of this sale.
  public let p1: Verified<P1>
  private let k: [UInt8]
  private var state: State

  /// A new sale: signs P1. `k` is the goods' key, fresh for this sale; the contract names one bank.
  public init(offering p1: P1, k: [UInt8], key: borrowing SigningKey) throws(MessageError) {
    precondition(p1.contract.mode == .compact && p1.contract.banks.count == 1)
    self.p1 = try Verified(signing: p1, with: key)
    self.k = k
    state = .offered
  }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError) {
    let p1 = try messages.stored(P1.self)
    let state: State
    switch phase {
    case .offered: state = .offered
    case .declined: state = .declined
    case .submitted: state = .submitted(try messages.stored(JB3.self))
    case .committed:
      state = .committed(try messages.stored(JB3.self), try messages.stored(JB4a.self), credit: nil)
    case .credited:
      state = .committed(
        try messages.stored(JB3.self), try messages.stored(JB4a.self),
        credit: try messages.stored(Credit.self))
    case .aborted:
      guard let end = messages[Label(.jb4b)] ?? messages[.refusal] else {
        throw MessageError(.misuse, "missing-field", "merchant store: JB4b")
      }
      state = .aborted(try messages.stored(JB3.self), end)
    case .authorised, .forcing, .cancelling, .claiming:
      throw MessageError(.misuse, "field-range", "merchant store: phase of a compact sale")
    }
    (self.p1, self.k, self.state) = (p1, k, state)
  }

  /// Where it stands.
  public var phase: SalePhase {
    switch state {
    case .offered: .offered
    case .declined: .declined
    case .submitted: .submitted
    case .committed(_, _, let credit): credit == nil ? .committed : .credited
    case .aborted: .aborted
    }
  }

  /// The one bank that may pair this sale.
  private var bank: PublicKey { p1.payload.contract.banks[0] }

  // MARK: Events

  /// The offer is on its way to the customer. One-sided, JB3 waits for nothing else.
  public mutating func begun(key: borrowing SigningKey) throws(MessageError) -> [MerchantEffect] {
    guard case .offered = state else { return [] }
    let kept: [MerchantEffect] = [.keep(Label(.p1), p1.bytes), .enter(.offered, due: nil)]
    return p1.payload.contract.twoSided ? kept : kept + (try submit(key: key))
  }

  /// S_p(P1) arrived: the customer has all of the ciphertext.
  public mutating func acknowledged(
    _ message: Verified<Acknowledgement>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    let contract = p1.payload.contract
    guard message.payload.n == p1.payload.n, message.payload.merchant == p1.signer,
      message.payload.hP1 == p1.hash, message.signer == contract.pseudonym
    else { return [.refuse(Denial(.mismatch, "S_p(P1) is not for this contract"))] }
    let kept: [MerchantEffect] = [.keep(.acknowledgement, message.bytes)]
    guard case .offered = state else { return kept }
    guard contract.expirationMax >= now + policy.trust.answerSeconds else {
      state = .declined
      let detail = "less than \(policy.trust.answerSeconds) seconds are left to commit"
      return kept + [.enter(.declined, due: nil), .refuse(Denial(.tooLate, detail))]
    }
    return kept + (try submit(key: key))
  }

  /// JB4a or JB4b arrived, from whomever; its signatures hold.
  public mutating func decided(_ outcome: CompactOutcome) -> [MerchantEffect] {
    guard let jb3 = submission else {
      return [.refuse(Denial(.unknownTransaction, "this sale was not submitted"))]
    }
    if let mismatch = jb3.mismatch(outcome, bank: bank) {
      return [.refuse(Denial(.mismatch, "the outcome does not match: \(mismatch)"))]
    }
    switch (state, outcome) {
    case (.submitted, .committed(let commit)):
      state = .committed(jb3, commit, credit: nil)
      return [
        .keep(Label(.jb4a), commit.bytes), .enter(.committed, due: commit.payload.at + Self.creditSeconds),
      ]
    case (.submitted, .aborted(let abort)):
      state = .aborted(jb3, abort.bytes)
      return [.keep(Label(.jb4b), abort.bytes), .enter(.aborted, due: nil)]
    case (.committed(_, let known, _), _):
      return known.bytes == outcome.bytes ? [] : [.keep(.evidence, outcome.bytes)]
    case (.aborted(_, let known), _):
      // A commit after all is the merchant's claim, and shows that the bank said otherwise before.
      return known == outcome.bytes ? [] : [.keep(.evidence, outcome.bytes)]
    case (.offered, _), (.declined, _): return []
    }
  }

  /// The bank's signed refusal of JB3: it will not pair it.
  public mutating func refusedByBank(_ refusal: Verified<Refusal>) -> [MerchantEffect] {
    guard let jb3 = submission, refusal.signer == bank, refusal.payload.hRequest == jb3.hash else {
      return [.refuse(Denial(.mismatch, "the refusal is not the bank's answer to this JB3"))]
    }
    guard case .submitted = state else { return [.keep(.evidence, refusal.bytes)] }
    state = .aborted(jb3, refusal.bytes)
    return [.keep(.refusal, refusal.bytes), .enter(.aborted, due: nil)]
  }

  /// The receipt for funds transfer: the bank confirms the credit. L = H(JB2) is known by JB4a.
  /// `home` is the merchant's own bank, where it is another one.
  public mutating func credited(_ credit: Verified<Credit>, home: PublicKey? = nil) -> [MerchantEffect] {
    guard case .committed(let jb3, let commit, let known) = state else {
      return [.refuse(Denial(.mismatch, "a credit for a sale that is not committed"))]
    }
    guard credit.payload.lock == commit.payload.hJB2, credit.signer == home ?? bank,
      credit.payload.amount == jb3.payload.value
    else { return [.refuse(Denial(.mismatch, "the credit is for another lock or amount"))] }
    if known != nil { return [] }
    state = .committed(jb3, commit, credit: credit)
    return [.keep(.credit, credit.bytes), .enter(.credited, due: nil)]
  }

  /// The customer complains about the ciphertext or does not want it.
  public mutating func complained(_ nak: Verified<NAK>) -> [MerchantEffect] {
    guard nak.payload.hP1 == p1.hash, nak.payload.n == p1.payload.n,
      nak.signer == p1.payload.contract.pseudonym
    else { return [.refuse(Denial(.mismatch, "the NAK is not for this contract"))] }
    let kept: [MerchantEffect] = [.keep(.nak, nak.bytes)]
    return nak.payload.decline ? kept + givenUp() : kept
  }

  /// The sale is not wanted any more, by either side: possible until JB3 is signed.
  public mutating func givenUp() -> [MerchantEffect] {
    switch state {
    case .offered:
      state = .declined
      return [.enter(.declined, due: nil)]
    case .declined, .aborted: return []
    case .submitted, .committed:
      return [.refuse(Denial(.tooLate, "the sale is with the bank already"))]
    }
  }

  /// The due time has come.
  public mutating func due(at now: Timestamp) -> [MerchantEffect] {
    switch state {
    case .offered, .declined, .aborted, .committed(_, _, .some): return []
    case .committed(_, let commit, nil):
      return [.send(commit.bytes, to: bank), .enter(.committed, due: now + Self.creditSeconds)]
    case .submitted(let jb3):
      let expiration = jb3.payload.expiration
      guard now >= expiration else { return [.enter(.submitted, due: expiration)] }
      return [.submitAgain(to: bank), .enter(.submitted, due: now + Self.askSeconds)]
    }
  }

  /// L and its bank, once the sale is committed.
  public var paid: (lock: Hash, bank: PublicKey)? {
    guard case .committed(_, let commit, _) = state else { return nil }
    return (commit.payload.hJB2, commit.signer)
  }

  /// What P may know: the state, and the messages that show it. Never JB3, which holds k: without a lock in
  /// view, the merchant has no reason to trust anybody with it.
  public var status: (state: TransactionState, proof: [[UInt8]]) {
    switch state {
    case .offered: (.offered, [p1.bytes])
    case .declined: (.unknown, [])
    case .submitted: (.submitted, [])
    case .committed(_, let commit, _): (.committed, [commit.bytes])
    case .aborted(_, let end): (.aborted, [end])
    }
  }

  // MARK: Steps

  /// How long M waits for the Credit before it shows the bank the record, again and again.
  private static var creditSeconds: UInt64 { 60 }
  /// How often M asks for an outcome that is due.
  private static var askSeconds: UInt64 { 60 }

  private var submission: Verified<JB3>? {
    switch state {
    case .offered, .declined: nil
    case .submitted(let jb3), .committed(let jb3, _, _), .aborted(let jb3, _): jb3
    }
  }

  private mutating func submit(key: borrowing SigningKey) throws(MessageError) -> [MerchantEffect] {
    let contract = p1.payload.contract
    let jb3 = try Verified(
      signing: JB3(
        n: p1.payload.n, value: contract.price, expiration: contract.expirationMax, hP1: p1.hash, key: k),
      with: key)
    state = .submitted(jb3)
    return [
      .keep(Label(.jb3), jb3.bytes), .enter(.submitted, due: contract.expirationMax),
      .submit(Bundle([jb3.bytes]), to: bank),
    ]
  }
}
