// The archive's side of one token that is bound to it, keyed on its address h(t) (US 6,076,078, FIGS. 1 and
// 2; docs/SPEC.md, "Invoice").
//
//                  Registration               Deposit in time: Approval
//   unregistered ──────────────▶ registered ───────────────────────────▶ used
//                                    ▲                                    │
//                                    └────────────────────────────────────┘
//                                      the bank's word that it gave the value back
//
// Invariants: a token is approved for one invoice, unless the bank reversed that; never without its own key's
// endorsement of that very invoice, and never at or after the invoice's expiration; k goes to nobody but that
// key, and only once the token is approved.

public import Messages

/// What an archive does after an event; all of it in one durable step.
public enum ArchiveTokenEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  case enter(ArchiveTokenPhase)
  case reply([UInt8])
  case refuse(Denial)
  /// A signed answer to a complaint.
  case answer(TransactionState, proof: [[UInt8]])
  /// Tell the token's bank: what M deposits, or A by itself.
  case tellBank([UInt8])
}

/// Where a token stands at its archive. As stored: stable numbers.
public enum ArchiveTokenPhase: Int, Sendable {
  case unregistered = 0
  case registered, used
}

/// The machine of one address.
public struct ArchiveToken: Sendable {
  private struct Use: Sendable {
    let deposit: InvoiceDeposit
    let approval: Verified<Approval>
  }

  private enum State {
    case unregistered
    case registered(Verified<Registration>, Verified<Registered>)
    case used(Verified<Registration>, Verified<Registered>, Use)
  }

  private var state: State

  /// An address of which nothing is known.
  public init() { state = .unregistered }

  /// Takes the machine up again from what `keep` stored.
  public init(phase: ArchiveTokenPhase, messages: [Label: [UInt8]]) throws(MessageError) {
    switch phase {
    case .unregistered: state = .unregistered
    case .registered: state = .registered(try messages.stored(), try messages.stored())
    case .used:
      let use = Use(
        deposit: try InvoiceDeposit(try messages.stored(Deposit.self)), approval: try messages.stored())
      state = .used(try messages.stored(), try messages.stored(), use)
    }
  }

  public var phase: ArchiveTokenPhase {
    switch state {
    case .unregistered: .unregistered
    case .registered: .registered
    case .used: .used
    }
  }

  private var registration: Verified<Registration>? {
    switch state {
    case .unregistered: nil
    case .registered(let registration, _), .used(let registration, _, _): registration
    }
  }

  // MARK: Events

  /// 2, from the token's owner; its signature holds. The same again gets the same 3.
  public mutating func registered(
    _ registration: Verified<Registration>, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveTokenEffect] {
    switch state {
    case .registered(_, let known), .used(_, let known, _): return [.reply(known.bytes)]
    case .unregistered: break
    }
    guard registration.payload.archive == key.publicKey else {
      return [.refuse(Denial(.mismatch, "the registration is for another archive"))]
    }
    guard registration.signer == registration.payload.tokenKey else {
      return [.refuse(Denial(.untrusted, "only the token's own key registers it"))]
    }
    let registered = try Verified(
      signing: Registered(
        tokenKey: registration.payload.tokenKey, at: now, address: registration.payload.address), with: key)
    state = .registered(registration, registered)
    return [
      .keep(Label(.registration), registration.bytes), .keep(Label(.registered), registered.bytes),
      .enter(.registered), .reply(registered.bytes),
    ]
  }

  /// 7 arrived; the signatures in it hold. `tellsBank`: the archive asks the bank for the deposit itself.
  public mutating func deposited(
    _ deposit: InvoiceDeposit, facts: TokenFacts, trust: TrustList, tellsBank: Bool, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [ArchiveTokenEffect] {
    let pair: (Verified<Registration>, Verified<Registered>)
    switch state {
    case .unregistered:
      return [.refuse(Denial(.unknownTransaction, "no token is registered under this address"))]
    case .used(_, _, let use):
      if use.deposit.invoice.hash == deposit.invoice.hash { return [.reply(use.approval.bytes)] }
      let detail = "the token's key has endorsed another invoice, which is approved"
      return [.refuse(Denial(.spent, detail, proof: [use.deposit.endorsement.bytes]))]
    case .registered(let registration, let registered): pair = (registration, registered)
    }
    if let denial = check(deposit, pair.0, facts, trust, at: now, archive: key.publicKey) {
      return [.refuse(denial)]
    }
    let isDirect = deposit.commits(to: .invoiceDirect)
    let approval = try Verified(
      signing: Approval(
        n: deposit.terms.n, merchant: deposit.merchant, value: deposit.terms.price, at: now,
        address: deposit.invoice.payload.address, hEndorsement: deposit.endorsement.hash,
        token: isDirect ? nil : deposit.token), with: key)
    state = .used(pair.0, pair.1, Use(deposit: deposit, approval: approval))
    let effects: [ArchiveTokenEffect] = [
      .keep(Label(.deposit), deposit.deposit.bytes), .keep(Label(.approval), approval.bytes), .enter(.used),
    ]
    return effects + (isDirect || tellsBank ? [.tellBank(approval.bytes)] : []) + [.reply(approval.bytes)]
  }

  /// The token's owner complains; the signatures hold. "Withheld" asks for k: it is given once the token is
  /// approved for that invoice, and otherwise the answer says how the token stands. "Invalid goods" brings
  /// the bank's word that the value was given back.
  public mutating func complained(
    _ grievance: Grievance, at now: Timestamp
  ) -> [ArchiveTokenEffect] {
    let complaint = grievance.complaint
    guard let registration, complaint.signer == registration.payload.tokenKey else {
      return [.refuse(Denial(.untrusted, "only the registered key complains here"))]
    }
    switch complaint.payload.kind {
    case .withheld: return withheld(grievance, at: now)
    case .invalidGoods: return reversed(grievance)
    case .depositedElsewhere, .accused:
      return [.refuse(Denial(.unsupported, "this is a matter for the token's bank"))]
    }
  }

  /// What the bank may ask for: the documentation of an approval, S_c{INV} and k.
  public func documentation(of n: TransactionID, _ merchant: PublicKey) -> (TransactionState, [[UInt8]]) {
    guard case .used(_, _, let use) = state, use.deposit.terms.n == n, use.deposit.merchant == merchant else {
      return (.unknown, [])
    }
    return (.committed, [use.approval.bytes, use.deposit.deposit.bytes])
  }

  // MARK: Steps

  private func withheld(_ grievance: Grievance, at now: Timestamp) -> [ArchiveTokenEffect] {
    if case .used(_, _, let use) = state {
      if use.deposit.invoice.hash == grievance.invoice.hash {
        return [.answer(.committed, proof: [use.approval.bytes, use.deposit.deposit.bytes])]
      }
      return [.answer(.spent, proof: [use.deposit.endorsement.bytes])]
    }
    // From the expiration on no deposit of this invoice is approved any more.
    return [
      .answer(now >= grievance.invoice.payload.terms.expiration ? .aborted : .open, proof: [])
    ]
  }

  /// The bank's answer to the same complaint: the merchant's credit is gone, and the token is its owner's.
  private mutating func reversed(_ grievance: Grievance) -> [ArchiveTokenEffect] {
    guard case .used(let registration, let registered, let use) = state,
      use.deposit.invoice.hash == grievance.invoice.hash
    else {
      return [.answer(.available, proof: [])]
    }
    let bank = use.deposit.terms.bank
    for bytes in grievance.complaint.payload.evidence {
      guard let answer = try? Verified<StatusAnswer>(bytes, by: .key(bank)),
        answer.payload.state == .available, answer.payload.isReversal(of: use.deposit.invoice, use.approval)
      else { continue }
      state = .registered(registration, registered)
      return [
        .keep(Label(.complaint), grievance.complaint.bytes), .keep(Label(.status), answer.bytes),
        .enter(.registered), .answer(.available, proof: []),
      ]
    }
    return [.refuse(Denial(.unacknowledged, "the bank's word that it gave the value back is missing"))]
  }

  // MARK: Checks of 7 (docs/SPEC.md, "Deposit")

  private func check(
    _ deposit: InvoiceDeposit, _ registration: Verified<Registration>, _ facts: TokenFacts,
    _ trust: TrustList, at now: Timestamp, archive: PublicKey
  ) -> Denial? {
    guard deposit.terms.archive == archive else {
      return Denial(.mismatch, "the invoice names another archive")
    }
    if let denial = deposit.mismatch([.invoice, .invoiceDirect]) { return denial }
    guard deposit.token.key == registration.payload.tokenKey,
      deposit.invoice.payload.address == registration.payload.address
    else { return Denial(.mismatch, "the token is registered under another key") }
    do throws(MessageError) {
      try trust.check(deposit.merchant, as: .merchant, at: now, subject: "merchant")
    } catch { return Denial(.untrusted, "the merchant's key: \(error.rule)") }
    guard now < deposit.terms.expiration else { return Denial(.tooLate, "the invoice has expired") }
    return deposit.invoice.shortfall(facts)
  }
}

extension StatusAnswer {
  /// Whether the bank says here that it took this approval's value back from the merchant: its proof shows
  /// the approval that was reversed, and the complaint about that invoice.
  func isReversal(of invoice: Verified<Invoice>, _ approval: Verified<Approval>) -> Bool {
    guard proof.contains(approval.bytes) else { return false }
    return proof.contains { bytes in
      guard let complaint = try? Unverified<Complaint>(bytes) else { return false }
      return Hash(of: bytes) == hQuery && complaint.claims.hINV == invoice.hash
    }
  }
}
