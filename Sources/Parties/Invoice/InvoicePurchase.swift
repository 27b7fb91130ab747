// The customer's side of an invoice purchase, with an active or a passive archive (US 6,076,078, FIG. 2;
// docs/SPEC.md, "Invoice").
//
//               registered           INV ok       ciphertext = root S_c{INV} signed           k
// registering ────────────▶ requested ───▶ offered ────────▶ checked ─────▶ authorised ──▶ paid ──▶ delivered
//       └────────────────────────┴────────────┴─────────────────┘               │ unused        │ reversed
//                             abandoned                                         ▼               ▼
//                                                                            aborted ◀──────────┘
//
// Invariants: no endorsement before all of the ciphertext was checked; from then on the token is in use until
// k is here, or until who decides (the archive; the bank if it is passive) signed from the expiration on that
// this invoice never took it.

public import Messages

/// The machine of one purchase.
public struct InvoicePurchase: Sendable {
  private enum State {
    case registering
    case requested
    case offered(Verified<Invoice>)
    case checked(Verified<Invoice>)
    case authorised(Verified<Invoice>, Verified<Endorsement>)
    case paid(Verified<Invoice>, Verified<Endorsement>, k: [UInt8], opened: Bool)
    case aborted(Verified<Invoice>)
    case refused
    case abandoned
  }

  /// What was asked for, by which pseudonym, and in which way.
  public let n1: Verified<N1>
  /// What the archive knows of the token.
  public let registration: Verified<Registration>
  private var state: State

  /// A new purchase, with a token that is bound to an archive.
  public init(requesting n1: Verified<N1>, registration: Verified<Registration>) {
    (self.n1, self.registration, state) = (n1, registration, .registering)
  }

  public init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError) {
    n1 = try messages.stored()
    registration = try messages.stored()
    switch phase {
    case .registering: state = .registering
    case .requested: state = .requested
    case .offered: state = .offered(try messages.stored())
    case .checked: state = .checked(try messages.stored())
    case .authorised: state = .authorised(try messages.stored(), try messages.stored())
    case .paid, .delivered:
      let k: [UInt8]
      if let record = try messages.storedIfThere(PassiveRecord.self) {
        k = record.payload.key
      } else {
        k = try messages.stored(Deposit.self).payload.key
      }
      state = .paid(try messages.stored(), try messages.stored(), k: k, opened: phase == .delivered)
    case .aborted: state = .aborted(try messages.stored())
    case .refused: state = .refused
    case .abandoned: state = .abandoned
    case .announced, .locked:
      throw MessageError(.misuse, "state", "wallet: not a phase of an invoice purchase")
    }
  }

  public var phase: PurchasePhase {
    switch state {
    case .registering: .registering
    case .requested: .requested
    case .offered: .offered
    case .checked: .checked
    case .authorised: .authorised
    case .paid(_, _, _, let opened): opened ? .delivered : .paid
    case .aborted: .aborted
    case .refused: .refused
    case .abandoned: .abandoned
    }
  }

  /// In which way the invoice is settled.
  public var way: Mode { n1.payload.mode }

  /// h(t).
  public var address: Hash { registration.payload.address }

  /// Who decides whether the token is taken: the archive; the bank where that is passive.
  public var decider: PublicKey {
    let archive = registration.payload.archive
    return way == .invoicePassive ? p1?.payload.terms.bank ?? archive : archive
  }

  /// INV, from the offer on.
  public var p1: Verified<Invoice>? {
    switch state {
    case .offered(let invoice), .checked(let invoice), .authorised(let invoice, _),
      .paid(let invoice, _, _, _),
      .aborted(let invoice):
      invoice
    case .registering, .requested, .refused, .abandoned: nil
    }
  }

  /// S_c{INV}, while it matters.
  public var endorsement: Verified<Endorsement>? {
    switch state {
    case .authorised(_, let endorsement), .paid(_, let endorsement, _, _): endorsement
    default: nil
    }
  }

  /// The token stands in M's deposit, which C is shown once it is paid.
  public static func inputs(of message: [UInt8]) -> [TokenInput] {
    guard let deposit = try? Verified<Deposit>(stored: message).payload,
      let invoice = try? Verified<Invoice>(stored: deposit.invoice).payload
    else { return [] }
    return [TokenInput(token: deposit.token, amount: invoice.terms.price.amount)]
  }

  public var goodsKey: [UInt8]? {
    guard case .paid(_, _, let k, _) = state else { return nil }
    return k
  }

  /// A complaint about this purchase, with these messages as evidence; whoever holds the token's key signs
  /// it. Nil before there is an endorsed invoice.
  public func complaint(_ kind: ComplaintKind, evidence: [[UInt8]] = []) -> Complaint? {
    guard let invoice = p1, let endorsement else { return nil }
    return Complaint(
      evidence: [invoice.bytes, endorsement.bytes] + evidence, kind: kind, address: address,
      hINV: invoice.hash)
  }
}

extension InvoicePurchase: CustomerMachine {
  // MARK: Before the payment

  /// 3, or the passive archive's record as it was read: the token is registered.
  public mutating func registered(_ shown: Verified<Registered>) -> [CustomerEffect] {
    guard case .registering = state else { return [] }
    guard shown.signer == registration.payload.archive, shown.payload.address == address,
      shown.payload.tokenKey == registration.payload.tokenKey
    else { return [.deny(Denial(.mismatch, "the archive registered something else"))] }
    state = .requested
    return [.keep(Label(.registered), shown.bytes), .enter(.requested, due: nil)]
  }

  /// What a passive archive shows at the address: anybody may have put it there, and only the token's own
  /// registration counts.
  public mutating func recordRead(_ entries: [[UInt8]]) -> [CustomerEffect] {
    guard case .registering = state else { return [] }
    guard Registration.counting(entries, at: address) == registration.payload else {
      return [.deny(Denial(.unacknowledged, "the archive's record does not show the registration"))]
    }
    state = .requested
    return [.enter(.requested, due: nil)]
  }

  /// INV arrived; M's signature holds.
  public mutating func offered(
    _ invoice: Verified<Invoice>, token: Token, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> [CustomerEffect] {
    guard case .requested = state else {
      if p1 == invoice { return [] }
      return [.deny(Denial(.nReused, "the merchant sent another invoice for the same request"))]
    }
    if let denial = check(invoice, token, description, policy, at: now) {
      state = .abandoned
      return [.keep(Label(.invoice), invoice.bytes), .enter(.abandoned, due: nil), .deny(denial)]
    }
    state = .offered(invoice)
    return [.keep(Label(.invoice), invoice.bytes), .enter(.offered, due: nil)]
  }

  private func check(
    _ invoice: Verified<Invoice>, _ token: Token, _ description: String, _ policy: CustomerPolicy,
    at now: Timestamp
  ) -> Denial? {
    let terms = invoice.payload.terms
    if let denial = terms.denial(asked: n1.payload, description: description, policy: policy, at: now) {
      return denial
    }
    guard invoice.payload.address == address, terms.archive == registration.payload.archive,
      token.address == address
    else { return Denial(.mismatch, "the invoice is for another token or archive") }
    guard terms.bank == token.bank else { return Denial(.unsupported, "the invoice names another bank") }
    return nil
  }

  public mutating func ciphertextChecked(root: Hash, length: UInt64) -> [CustomerEffect] {
    guard case .offered(let invoice) = state else { return [] }
    guard invoice.payload.terms.goods == GoodsClaim(root: root, length: length) else {
      return [.deny(Denial(.mismatch, "the goods received are not the goods that the invoice names"))]
    }
    state = .checked(invoice)
    return [.enter(.checked, due: nil)]
  }

  public mutating func abandoned() -> [CustomerEffect] {
    switch state {
    case .registering, .requested, .offered, .checked:
      state = .abandoned
      return [.enter(.abandoned, due: nil)]
    default: return [.deny(Denial(.tooLate, "the payment is on its way; only the archive ends it now"))]
    }
  }

  // MARK: The payment

  /// What the token's key signs to pay; nil unless all of the ciphertext was checked.
  public var word: Endorsement? {
    guard case .checked(let invoice) = state else { return nil }
    return Endorsement(hINV: invoice.hash, address: address)
  }

  /// S_c{INV} is signed: from here on it is kept, and sent until k is here.
  public mutating func endorsed(_ endorsement: Verified<Endorsement>) -> [CustomerEffect] {
    guard case .checked(let invoice) = state, endorsement.payload == word,
      endorsement.signer == registration.payload.tokenKey
    else { return [.deny(Denial(.mismatch, "this endorsement is not for this invoice"))] }
    state = .authorised(invoice, endorsement)
    return [
      .keep(Label(.endorsement), endorsement.bytes),
      .enter(.authorised, due: invoice.payload.terms.expiration),
    ]
  }

  /// 10: M's deposit, from M or from the archive; it holds k. `inputs` is what is paid with.
  public mutating func keyShown(_ deposit: Verified<Deposit>, inputs: [TokenInput]) -> [CustomerEffect] {
    guard case .authorised(let invoice, let endorsement) = state else { return later() }
    guard deposit.signer == invoice.signer, deposit.payload.invoice == invoice.bytes,
      isKey(deposit.payload.key, of: invoice)
    else { return [.deny(Denial(.wrongKey, "this is not the key that the invoice commits to"))] }
    state = .paid(invoice, endorsement, k: deposit.payload.key, opened: false)
    return [.keep(Label(.deposit), deposit.bytes), .enter(.paid, due: nil), .spent(inputs)]
  }

  /// What the bank posted in the passive archive's record; its signature holds.
  public mutating func keyRecorded(
    _ record: Verified<PassiveRecord>, inputs: [TokenInput]
  ) -> [CustomerEffect] {
    guard case .authorised(let invoice, let endorsement) = state else { return later() }
    let terms = invoice.payload.terms
    guard record.signer == terms.bank, record.payload.address == address, record.payload.n == terms.n,
      record.payload.merchant == invoice.signer, isKey(record.payload.key, of: invoice)
    else { return [.deny(Denial(.wrongKey, "this is not the bank's record of this invoice"))] }
    state = .paid(invoice, endorsement, k: record.payload.key, opened: false)
    return [.keep(Label(.passiveRecord), record.bytes), .enter(.paid, due: nil), .spent(inputs)]
  }

  private func later() -> [CustomerEffect] {
    switch state {
    case .paid, .aborted: []
    default: [.deny(Denial(.unknownTransaction, "nothing was paid in this purchase"))]
    }
  }

  private func isKey(_ k: [UInt8], of invoice: Verified<Invoice>) -> Bool {
    Hash.keyCommitment(way, merchant: invoice.signer, n: invoice.payload.terms.n, key: k)
      == invoice.payload.terms.hx
  }

  /// What who decides said to this complaint; its signature holds. From the expiration on, "aborted" says
  /// that the invoice never took the token; "spent" shows what the token's key has endorsed instead.
  public mutating func answered(
    _ answer: Verified<StatusAnswer>, to complaint: Verified<Complaint>, by decider: PublicKey,
    inputs: [TokenInput]
  ) -> [CustomerEffect] {
    guard answer.signer == decider, answer.payload.hQuery == complaint.hash else {
      return [.deny(Denial(.mismatch, "this answers another complaint"))]
    }
    // The answer names the complaint by its hash: without it, it says nothing to a judge.
    let kept: [CustomerEffect] = [
      .keep(Label(.complaint), complaint.bytes), .keep(Label(.status), answer.bytes),
    ]
    switch (state, answer.payload.state) {
    case (.authorised(let invoice, _), .aborted) where answer.payload.at >= invoice.payload.terms.expiration:
      state = .aborted(invoice)
      return kept + [.enter(.aborted, due: nil), .freed(inputs)]
    case (.authorised, .spent):
      let shown = answer.payload.proof.contains { bytes in
        guard let other = try? Verified<Endorsement>(bytes, by: .key(registration.payload.tokenKey)) else {
          return false
        }
        return other.payload.address == address && other.payload.hINV != complaint.payload.hINV
      }
      guard shown else { return [.keep(.evidence, answer.bytes)] }
      state = .refused
      return kept + [.enter(.refused, due: nil), .spent(inputs)]
    case (.paid(let invoice, _, _, _), .available) where complaint.payload.kind != .withheld:
      state = .aborted(invoice)
      return kept + [.enter(.aborted, due: nil), .returned(inputs)]
    case (.authorised(let invoice, _), .available) where complaint.payload.kind != .withheld:
      state = .aborted(invoice)
      return kept + [.enter(.aborted, due: nil), .freed(inputs)]
    default: return []
    }
  }

  public mutating func opened() -> [CustomerEffect] {
    guard case .paid(let invoice, let endorsement, let k, _) = state else {
      return [.deny(Denial(.mismatch, "not paid"))]
    }
    state = .paid(invoice, endorsement, k: k, opened: true)
    return [.enter(.delivered, due: nil)]
  }
}

extension Registration {
  /// The registration that counts among what a passive archive shows at an address: it hashes to the address
  /// and is signed by the key that it names. Order and everything else there play no part (attack 12).
  public static func counting(_ entries: [[UInt8]], at address: Hash) -> Registration? {
    for bytes in entries {
      guard let message = try? Unverified<Registration>(bytes), message.claims.address == address,
        let registration = try? Verified(message, by: .key(message.claims.tokenKey))
      else { continue }
      return registration.payload
    }
    return nil
  }
}
