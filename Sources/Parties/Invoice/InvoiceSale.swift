// The merchant's side of an invoice sale (US 6,076,078, FIG. 2; docs/SPEC.md, "Invoice").
//
//            6 ok: 7                    8 (passive: 9)             9
//   offered ─────────▶ submitted ─────────────────────▶ committed ───▶ credited
//     │ NAK, given up      │ refused, and the expiration is over
//     └──▶ declined        └──▶ aborted
//
// Invariants: k leaves only inside a 7 sealed to the archive (passive: to the bank), and to the customer once
// the archive approved (passive: the bank credited); one token for one invoice.

public import Messages

/// The machine of one sale.
public struct InvoiceSale: ~Copyable, Sendable {
  private enum State {
    case offered
    case declined
    case submitted(InvoiceDeposit)
    case committed(InvoiceDeposit, Verified<Approval>?, credit: Verified<Credit>?)
    case aborted(InvoiceDeposit)
  }

  /// The signed invoice.
  public let invoice: Verified<Invoice>
  /// Who asked for the goods: may fetch them, and may decline.
  public let buyer: PublicKey
  /// In which way the invoice is settled.
  public let way: Mode
  /// The token's key.
  public let tokenKey: PublicKey
  private let k: [UInt8]
  private var earlyCredit: Verified<Credit>?
  private var state: State

  /// A new sale: signs INV. `k` is the goods' key, fresh for this sale.
  public init(
    offering terms: InvoiceTerms, to n1: Verified<N1>, _ registration: Verified<Registration>, k: [UInt8],
    key: borrowing SigningKey
  ) throws(MessageError) {
    invoice = try Verified(
      signing: Invoice(terms: terms, address: registration.payload.address), with: key)
    (buyer, way, tokenKey) = (n1.signer, n1.payload.mode, registration.payload.tokenKey)
    (self.k, earlyCredit, state) = (k, nil, .offered)
  }

  /// Takes the machine up again from what `keep` stored, N1 and the registration included.
  public init(phase: SalePhase, messages: [Label: [UInt8]], k: [UInt8]) throws(MessageError) {
    let (invoice, n1) = (try messages.stored(Invoice.self), try messages.stored(N1.self))
    let registration = try messages.stored(Registration.self)
    let credit = try messages.storedIfThere(Credit.self)
    let state: State
    func deposit() throws(MessageError) -> InvoiceDeposit {
      try InvoiceDeposit(try messages.stored(Deposit.self))
    }
    switch phase {
    case .offered: state = .offered
    case .declined: state = .declined
    case .submitted: state = .submitted(try deposit())
    case .committed: state = .committed(try deposit(), try messages.storedIfThere(), credit: nil)
    case .credited:
      state = .committed(try deposit(), try messages.storedIfThere(), credit: try messages.stored())
    case .aborted: state = .aborted(try deposit())
    case .authorised, .cancelling, .claiming, .forcing:
      throw MessageError(.misuse, "state", "merchant store: not a phase of an invoice sale")
    }
    (self.invoice, self.state, self.k) = (invoice, state, k)
    (buyer, way, tokenKey) = (n1.signer, n1.payload.mode, registration.payload.tokenKey)
    earlyCredit = credit
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

  /// Who decides whether the token is taken.
  public var decider: PublicKey {
    way == .invoicePassive ? invoice.payload.terms.bank : invoice.payload.terms.archive
  }

  // MARK: Events

  /// 6 arrived: the token and S_c{INV}, whose signature holds.
  public mutating func paid(
    _ token: Token, _ endorsement: Verified<Endorsement>, policy: MerchantPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [MerchantEffect] {
    switch state {
    case .offered: break
    case .submitted(let known), .committed(let known, _, _), .aborted(let known):
      if known.endorsement.payload == endorsement.payload && known.token == token { return [] }
      return [.refuse(Denial(.nReused, "this invoice is paid with another token already"))]
    case .declined: return [.refuse(Denial(.tooLate, "this sale has ended"))]
    }
    if let denial = invoice.mismatch(token, endorsement) { return [.refuse(denial)] }
    let terms = invoice.payload.terms
    guard terms.expiration >= now + policy.trust.answerSeconds else {
      return [
        .refuse(Denial(.tooLate, "less than \(policy.trust.answerSeconds) seconds are left to deposit"))
      ]
    }
    let message = try Verified(
      signing: Deposit(key: k, token: token, invoice: invoice.bytes, endorsement: endorsement.bytes),
      with: key)
    let deposit = try InvoiceDeposit(message)
    state = .submitted(deposit)
    var effects: [MerchantEffect] = [
      .keep(Label(.endorsement), endorsement.bytes), .keep(Label(.deposit), message.bytes),
      .enter(.submitted, due: terms.expiration),
    ]
    switch way {
    case .invoicePassive:
      effects.append(
        .post(endorsement.bytes, archive: terms.archive, address: invoice.payload.address))
    case .invoiceDirect:
      effects.append(.bring(Payment(tokens: [token], endorsement: endorsement.bytes), to: terms.bank))
    default: break
    }
    return effects + [.submit(Bundle([message.bytes]), to: decider)]
  }

  /// 8 arrived; the archive's signature holds.
  public mutating func approved(_ approval: Verified<Approval>) -> [MerchantEffect] {
    let deposit: InvoiceDeposit
    switch state {
    case .submitted(let known), .aborted(let known): deposit = known
    case .committed: return []
    case .offered, .declined:
      return [.refuse(Denial(.unknownTransaction, "nothing was deposited in this sale"))]
    }
    let payload = approval.payload
    guard way != .invoicePassive, approval.signer == deposit.terms.archive, payload.n == deposit.terms.n,
      payload.merchant == deposit.merchant, payload.value == deposit.terms.price,
      payload.address == deposit.invoice.payload.address, payload.hEndorsement == deposit.endorsement.hash
    else { return [.refuse(Denial(.mismatch, "the approval is not for this sale"))] }
    state = .committed(deposit, approval, credit: earlyCredit)
    let due = earlyCredit == nil ? payload.at + Self.creditSeconds : nil
    return [.keep(Label(.approval), approval.bytes), .enter(phase, due: due)] + show(approval, deposit)
  }

  /// What the bank needs to pay: 8, and the token where it does not stand in it. M has the token, so that no
  /// archive holds the payment up by leaving it out.
  private func show(_ approval: Verified<Approval>, _ deposit: InvoiceDeposit) -> [MerchantEffect] {
    let send = MerchantEffect.send(approval.bytes, to: deposit.terms.bank)
    guard approval.payload.token == nil else { return [send] }
    let payment = Payment(tokens: [deposit.token], endorsement: deposit.endorsement.bytes)
    return [.bring(payment, to: deposit.terms.bank), send]
  }

  /// How long M waits for the Credit before it shows the bank again what it has.
  private static var creditSeconds: UInt64 { 60 }

  /// 9: the bank confirms the credit. With the passive archive this is the decision itself.
  public mutating func credited(_ credit: Verified<Credit>) -> [MerchantEffect] {
    let refusal: [MerchantEffect] = [
      .refuse(Denial(.mismatch, "the credit is for another deposit or amount"))
    ]
    switch state {
    case .offered, .declined: return refusal
    case .submitted(let deposit), .committed(let deposit, _, _), .aborted(let deposit):
      guard credit.signer == deposit.terms.bank, credit.payload.amount == deposit.terms.price else {
        return refusal
      }
      if way == .invoicePassive {
        guard credit.payload.lock == deposit.deposit.hash else { return refusal }
        if phase == .credited { return [] }
        state = .committed(deposit, nil, credit: credit)
        return [.keep(.credit, credit.bytes), .enter(.credited, due: nil)]
      }
      guard case .committed(_, let approval?, let known) = state else {
        earlyCredit = credit
        return [.keep(.credit, credit.bytes)]
      }
      guard credit.payload.lock == approval.hash else { return refusal }
      if known != nil { return [] }
      state = .committed(deposit, approval, credit: credit)
      return [.keep(.credit, credit.bytes), .enter(.credited, due: nil)]
    }
  }

  /// A signed refusal of 7 by who decides. It ends the sale, unless an approval comes after all.
  public mutating func refused(_ refusal: Verified<Refusal>) -> [MerchantEffect] {
    guard case .submitted(let deposit) = state, refusal.signer == decider else { return [] }
    state = .aborted(deposit)
    return [.keep(.refusal, refusal.bytes), .enter(.aborted, due: nil)]
  }

  /// The buyer complains about the ciphertext or does not want it.
  public mutating func complained(_ nak: Verified<NAK>) -> [MerchantEffect] {
    guard nak.payload.hP1 == invoice.hash, nak.payload.n == invoice.payload.terms.n, nak.signer == buyer
    else {
      return [.refuse(Denial(.mismatch, "the NAK is not for this invoice"))]
    }
    guard nak.payload.decline else { return [.keep(.nak, nak.bytes)] }
    let effects = givenUp()
    if case .refuse? = effects.first { return effects }
    return [.keep(.nak, nak.bytes)] + effects
  }

  /// The merchant itself gives the sale up: it takes no token for it any more.
  public mutating func givenUp() -> [MerchantEffect] {
    switch state {
    case .offered:
      state = .declined
      return [.enter(.declined, due: nil)]
    case .declined, .aborted: return []
    case .submitted, .committed: return [.refuse(Denial(.tooLate, "the token is with the archive already"))]
    }
  }

  /// The due time has come: what was not answered is sent again.
  public mutating func due(at now: Timestamp) -> [MerchantEffect] {
    switch state {
    case .offered, .declined, .aborted, .committed(_, _, .some), .committed(_, nil, nil): return []
    case .submitted(let deposit):
      let terms = deposit.terms
      guard now >= terms.expiration else { return [.enter(.submitted, due: terms.expiration)] }
      return [
        .submit(Bundle([deposit.deposit.bytes]), to: decider),
        .enter(.submitted, due: now + Self.creditSeconds),
      ]
    case .committed(let deposit, let approval?, nil):
      return show(approval, deposit) + [.enter(.committed, due: now + Self.creditSeconds)]
    }
  }

  /// What the buyer and the token's key may know: the state, and k once it is theirs.
  public func status(policy: MerchantPolicy) -> (state: TransactionState, proof: [[UInt8]]) {
    switch state {
    case .offered: (.offered, [])
    case .declined: (.unknown, [])
    case .submitted(let deposit):
      (.submitted, policy.completion == .early ? [deposit.deposit.bytes] : [])
    case .committed(let deposit, let approval, _):
      (.committed, (approval.map { [$0.bytes] } ?? []) + [deposit.deposit.bytes])
    case .aborted: (.aborted, [])
    }
  }
}
