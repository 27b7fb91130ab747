// The bank's side of one token that is bound to an archive, keyed on its address h(t) (US 6,076,078, FIG. 2;
// docs/SPEC.md, "Invoice").
//
//            8 with the token; or 8 and the token; or 7 and the record (passive): pay M
//   absent ──────────────────────────────────────────────────────────────────────────▶ credited
//     ▲  8 alone, or the token alone (direct deposit): waits for the other                │
//     │                                                                                   │
//     └──────────── reversed ◀────────────────────────────────────────────────────────────┘
//                                 a complaint that stands: M is debited, the token is its owner's
//
// Invariants: a token is paid for once, whole, to the merchant whom its archive names (passive: to whom its
// key endorsed, and only when k is made public in the same step); what is reversed is what was credited.

public import Messages

/// What a bank does with a deposit; all of it in one durable step.
public enum BankDepositEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  /// Keep what is no signed message.
  case keepToken(Token)
  case enter(BankDepositPhase)
  /// The token is spent, and the merchant credited; the entry's reference is the hash of 8, or of 7 with the
  /// passive archive.
  case pay(Token, value: Money, merchant: PublicKey, reference: Hash)
  /// The merchant is debited, and the token can be used again.
  case reverse(Token, value: Money, merchant: PublicKey, reference: Hash)
  /// Sign a Credit under this reference and send it to the merchant.
  case confirmCredit(merchant: PublicKey, value: Money, reference: Hash)
  /// Post this to the passive archive's record of the address.
  case post([UInt8], archive: PublicKey, address: Hash)
  case reply([UInt8])
  case refuse(Denial)
  /// A signed answer to a complaint.
  case answer(TransactionState, proof: [[UInt8]])
  /// Nothing can be said yet: whoever asked asks again.
  case notYet(String)
}

/// Where a deposit stands. As stored: stable numbers.
public enum BankDepositPhase: Int, Sendable {
  case absent = 0
  case approved, brought, credited, reversed
}

/// The machine of one token.
public struct BankDeposit: Sendable {
  /// What paid: 8 by the archive, or 7 with what the bank published.
  private enum Ground: Sendable, Equatable {
    case approval(Verified<Approval>)
    case record(InvoiceDeposit, Verified<PassiveRecord>)

    var merchant: PublicKey {
      switch self {
      case .approval(let approval): approval.payload.merchant
      case .record(let deposit, _): deposit.merchant
      }
    }
    var value: Money {
      switch self {
      case .approval(let approval): approval.payload.value
      case .record(let deposit, _): deposit.terms.price
      }
    }
    var reference: Hash {
      switch self {
      case .approval(let approval): approval.hash
      case .record(let deposit, _): deposit.deposit.hash
      }
    }
    var proof: [[UInt8]] {
      switch self {
      case .approval(let approval): [approval.bytes]
      case .record(let deposit, let record): [deposit.deposit.bytes, record.bytes]
      }
    }
  }

  private enum State {
    case absent
    /// Direct deposit: 8 came first.
    case approved(Verified<Approval>)
    /// Direct deposit: the token came first.
    case brought(Token, Verified<Endorsement>)
    case credited(Token, Ground)
    case reversed(Token, Ground, Verified<Complaint>)
  }

  private var state: State

  /// A token of which nothing is known.
  public init() { state = .absent }

  /// Takes the machine up again from what `keep` and `keepToken` stored.
  public init(
    phase: BankDepositPhase, messages: [Label: [UInt8]], token: Token?
  ) throws(MessageError) {
    func known() throws(MessageError) -> Token {
      guard let token else { throw MessageError(.misuse, "missing-field", "bank store: the token") }
      return token
    }
    func ground() throws(MessageError) -> Ground {
      if let record = try messages.storedIfThere(PassiveRecord.self) {
        return .record(try InvoiceDeposit(try messages.stored(Deposit.self)), record)
      }
      return .approval(try messages.stored())
    }
    switch phase {
    case .absent: state = .absent
    case .approved: state = .approved(try messages.stored())
    case .brought: state = .brought(try known(), try messages.stored())
    case .credited: state = .credited(try known(), try ground())
    case .reversed: state = .reversed(try known(), try ground(), try messages.stored())
    }
  }

  public var phase: BankDepositPhase {
    switch state {
    case .absent: .absent
    case .approved: .approved
    case .brought: .brought
    case .credited: .credited
    case .reversed: .reversed
    }
  }

  // MARK: With an active archive

  /// 8 arrived, from whomever; the archive's signature holds. `facts` are the token's, if 8 holds one or the
  /// token is here.
  public mutating func approved(
    _ approval: Verified<Approval>, facts: TokenFacts?, trust: TrustList, at now: Timestamp, bank: PublicKey
  ) -> [BankDepositEffect] {
    switch state {
    case .credited(_, .approval(let known)):
      if known.payload == approval.payload { return [confirm(.approval(known))] }
      return second(approval, beside: known.bytes)
    case .credited(_, let ground): return second(approval, beside: ground.proof[0])
    case .reversed(_, .approval(let known), let complaint) where known.payload == approval.payload:
      let detail = "the customer's complaint about this sale stands: the credit was reversed"
      return [.refuse(Denial(.cancelled, detail, proof: [complaint.bytes]))]
    case .approved(let known) where approval.payload.token == nil:
      // Whose word counts shows once the token is here: until then, a stranger's does not shut out another.
      if known.signer != approval.signer { return [.notYet("another archive's approval is here already")] }
      if known.payload == approval.payload { return [] }
      return second(approval, beside: known.bytes)
    case .brought(let token, let endorsement) where approval.payload.token == nil:
      guard approval.payload.hEndorsement == endorsement.hash else {
        guard approval.signer == token.archive else { return [.refuse(Self.foreignArchive)] }
        // Whoever had the token for an older invoice may have brought it with that: the archive's word
        // counts.
        state = .approved(approval)
        return [.keep(Label(.approval), approval.bytes), .enter(.approved)]
      }
      return pay(approval, token, facts, trust, at: now, bank: bank)
    case .absent, .reversed, .approved, .brought: break
    }
    if let token = approval.payload.token { return pay(approval, token, facts, trust, at: now, bank: bank) }
    state = .approved(approval)
    return [.keep(Label(.approval), approval.bytes), .enter(.approved)]
  }

  /// The token itself, from M (direct deposit), with S_c{INV}; its signature holds.
  public mutating func brought(
    _ token: Token, _ endorsement: Verified<Endorsement>, facts: TokenFacts, trust: TrustList,
    at now: Timestamp, bank: PublicKey
  ) -> [BankDepositEffect] {
    guard endorsement.signer == token.key, token.address == endorsement.payload.address else {
      return [.refuse(Denial(.mismatch, "S_c{INV} is not this token's word"))]
    }
    switch state {
    case .credited(_, .approval(let known)) where known.payload.hEndorsement == endorsement.hash:
      return [confirm(.approval(known))]
    case .credited(_, let ground):
      return [.refuse(Denial(.spent, "the token has been spent", proof: ground.proof))]
    case .approved(let approval) where approval.signer != token.archive: state = .absent
    case .approved(let approval) where approval.payload.hEndorsement == endorsement.hash:
      let effects = pay(approval, token, facts, trust, at: now, bank: bank)
      return phase == .credited ? [.keep(Label(.endorsement), endorsement.bytes)] + effects : effects
    case .brought(_, let known) where known == endorsement: return []
    case .absent, .reversed, .brought, .approved: break
    }
    if let denial = checkToken(token, facts, bank: bank, at: now) { return [.refuse(denial)] }
    if case .approved = state {
      return [.refuse(Denial(.mismatch, "the archive approved another endorsement of this token"))]
    }
    state = .brought(token, endorsement)
    return [.keepToken(token), .keep(Label(.endorsement), endorsement.bytes), .enter(.brought)]
  }

  private mutating func pay(
    _ approval: Verified<Approval>, _ token: Token, _ facts: TokenFacts?, _ trust: TrustList,
    at now: Timestamp, bank: PublicKey
  ) -> [BankDepositEffect] {
    guard let facts else { return [.refuse(Denial(.badToken, "the token is missing"))] }
    guard let archive = token.archive, approval.signer == archive, trust.isActiveArchive(archive) else {
      return [.refuse(Self.foreignArchive)]
    }
    guard token.address == approval.payload.address else {
      return [.refuse(Denial(.mismatch, "the approval is of another token"))]
    }
    if let denial = checkToken(token, facts, bank: bank, at: now) { return [.refuse(denial)] }
    guard facts.denomination?.value == approval.payload.value else {
      return [.refuse(Denial(.wrongValue, "the approval is not over the token's value"))]
    }
    state = .credited(token, .approval(approval))
    return [.keep(Label(.approval), approval.bytes)] + paid(token, .approval(approval))
  }

  private static let foreignArchive = Denial(.untrusted, "this is not the word of the token's archive")

  /// Another approval of a token that was approved before: proof against its archive.
  private func second(_ approval: Verified<Approval>, beside known: [UInt8]) -> [BankDepositEffect] {
    [
      .keep(.evidence, approval.bytes),
      .refuse(Denial(.spent, "the token has been spent for another approval", proof: [known])),
    ]
  }

  // MARK: With a passive archive

  /// 8 with a passive archive: M brings its deposit; the signatures in it hold. `registration` and `endorsed`
  /// are what the record of the address shows: a registration by the token's key, and S_c{INV}.
  public mutating func deposited(
    _ deposit: InvoiceDeposit, registration: Verified<Registration>?, endorsed: Bool, facts: TokenFacts,
    trust: TrustList, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [BankDepositEffect] {
    switch state {
    case .credited(_, let ground):
      if case .record(let known, let record) = ground, known.invoice.hash == deposit.invoice.hash {
        return [
          .post(record.bytes, archive: known.terms.archive, address: record.payload.address), confirm(ground),
        ]
      }
      return [.refuse(Denial(.spent, "the token has been spent", proof: ground.proof))]
    case .reversed(_, .record(let known, _), let complaint) where known.invoice.hash == deposit.invoice.hash:
      let detail = "the customer's complaint about this sale stands: the credit was reversed"
      return [.refuse(Denial(.cancelled, detail, proof: [complaint.bytes]))]
    case .approved, .brought: return [.refuse(Denial(.spent, "the token is deposited in another way"))]
    case .absent, .reversed: break
    }
    guard trust.isPassiveArchive(deposit.terms.archive) else {
      return [.refuse(Denial(.unsupported, "the token's archive approves deposits itself"))]
    }
    if let denial = check(deposit, facts, trust, at: now, bank: key.publicKey) { return [.refuse(denial)] }
    guard let registration, registration.signer == registration.payload.tokenKey,
      registration.payload.tokenKey == deposit.token.key,
      registration.payload.address == deposit.invoice.payload.address,
      registration.payload.archive == deposit.terms.archive, endorsed
    else { return [.notYet("the archive's record shows no registration of the token, or no S_c{INV}")] }
    let record = try Verified(
      signing: PassiveRecord(
        n: deposit.terms.n, merchant: deposit.merchant, key: deposit.deposit.payload.key, at: now,
        address: deposit.invoice.payload.address), with: key)
    let ground = Ground.record(deposit, record)
    state = .credited(deposit.token, ground)
    return [
      .keep(Label(.deposit), deposit.deposit.bytes), .keep(Label(.passiveRecord), record.bytes),
      .post(record.bytes, archive: deposit.terms.archive, address: record.payload.address),
    ] + paid(deposit.token, ground)
  }

  private func check(
    _ deposit: InvoiceDeposit, _ facts: TokenFacts, _ trust: TrustList, at now: Timestamp, bank: PublicKey
  ) -> Denial? {
    guard deposit.terms.bank == bank else { return Denial(.mismatch, "the invoice names another bank") }
    if let denial = deposit.mismatch([.invoicePassive]) { return denial }
    do throws(MessageError) {
      try trust.check(deposit.merchant, as: .merchant, at: now, subject: "merchant")
    } catch { return Denial(.untrusted, "the merchant's key: \(error.rule)") }
    guard now < deposit.terms.expiration else { return Denial(.tooLate, "the invoice has expired") }
    return deposit.invoice.shortfall(facts) ?? checkToken(deposit.token, facts, bank: bank, at: now)
  }

  // MARK: Both

  private func paid(_ token: Token, _ ground: Ground) -> [BankDepositEffect] {
    [
      .keepToken(token), .enter(.credited),
      .pay(token, value: ground.value, merchant: ground.merchant, reference: ground.reference),
      confirm(ground),
    ]
  }

  private func confirm(_ ground: Ground) -> BankDepositEffect {
    .confirmCredit(merchant: ground.merchant, value: ground.value, reference: ground.reference)
  }

  private func checkToken(
    _ token: Token, _ facts: TokenFacts, bank: PublicKey, at now: Timestamp
  ) -> Denial? {
    guard let denomination = facts.denomination else {
      return Denial(.denomination, "the token's denomination key is not in this bank's key list")
    }
    guard token.bank == bank, token.issuer == bank, token.archive != nil, facts.signatureHolds else {
      return Denial(.badToken, "the token is not this bank's, or its blind signature does not hold")
    }
    guard now < denomination.spendUntil else { return Denial(.lifetime, "the token's lifetime has ended") }
    guard facts.spent == 0, facts.locked == 0 else {
      return Denial(.spent, "the token has been spent", proof: facts.uses)
    }
    return nil
  }

  // MARK: Complaints

  /// What a complaint comes to: the bank has looked at its evidence.
  public enum Finding: Equatable, Sendable {
    /// The merchant's goods are not what the invoice says.
    case badGoods
    /// They are.
    case goodGoods
    /// The archive showed S_c{INV} of the approval, or did not.
    case documented([UInt8])
    case undocumented
    /// The archive was asked, or the proof is still to come.
    case open
  }

  /// The token's owner complains; the signatures hold.
  public mutating func complained(
    _ grievance: Grievance, finding: Finding, at now: Timestamp
  ) -> [BankDepositEffect] {
    let complaint = grievance.complaint
    switch state {
    case .reversed(let token, let ground, let known):
      guard complaint.signer == token.key else { return [.refuse(Self.stranger)] }
      if known.payload == complaint.payload {
        return [.answer(.available, proof: ground.proof + [known.bytes])]
      }
      return [unpaid(grievance, at: now)]
    case .absent, .approved, .brought: return [unpaid(grievance, at: now)]
    case .credited(let token, let ground):
      guard complaint.signer == token.key, grievance.address == token.address else {
        return [.refuse(Self.stranger)]
      }
      return paid(token, ground, grievance, finding)
    }
  }

  private static let stranger = Denial(.untrusted, "only the token's own key complains of it")

  /// With the passive archive the bank alone decides, so it says when an invoice will never take the token.
  private func unpaid(_ grievance: Grievance, at now: Timestamp) -> BankDepositEffect {
    .answer(now >= grievance.invoice.payload.terms.expiration ? .aborted : .open, proof: [])
  }

  private mutating func paid(
    _ token: Token, _ ground: Ground, _ grievance: Grievance, _ finding: Finding
  ) -> [BankDepositEffect] {
    let isPaid = isGround(ground, of: grievance)
    switch (grievance.complaint.payload.kind, finding) {
    case (.withheld, _): return [.answer(isPaid ? .committed : .spent, proof: ground.proof)]
    case (_, .open): return [.answer(.open, proof: [])]
    case (.invalidGoods, .badGoods) where isPaid: return reverse(token, ground, grievance.complaint)
    case (.depositedElsewhere, .undocumented), (.accused, .undocumented):
      return reverse(token, ground, grievance.complaint)
    case (_, .documented(let message)): return [.answer(.committed, proof: ground.proof + [message])]
    default: return [.answer(.committed, proof: ground.proof)]
    }
  }

  /// Whether the payment is for this invoice, as far as the bank can see.
  private func isGround(_ ground: Ground, of grievance: Grievance) -> Bool {
    switch ground {
    case .record(let deposit, _): return deposit.invoice.hash == grievance.invoice.hash
    case .approval(let approval):
      guard approval.payload.n == grievance.invoice.payload.terms.n,
        approval.payload.merchant == grievance.invoice.signer
      else { return false }
      return grievance.deposit.map { $0.endorsement.hash == approval.payload.hEndorsement } ?? true
    }
  }

  private mutating func reverse(
    _ token: Token, _ ground: Ground, _ complaint: Verified<Complaint>
  ) -> [BankDepositEffect] {
    state = .reversed(token, ground, complaint)
    return [
      .keep(Label(.complaint), complaint.bytes), .enter(.reversed),
      .reverse(token, value: ground.value, merchant: ground.merchant, reference: ground.reference),
      .answer(.available, proof: ground.proof + [complaint.bytes]),
    ]
  }
}

extension TrustList {
  /// An archive to which nothing can be sealed is only a record (docs/SPEC.md, "Passive archive").
  public func isPassiveArchive(_ key: PublicKey) -> Bool {
    entry(key, as: .archive).map { $0.sealingKey == nil } ?? false
  }

  /// An archive that decides and signs.
  public func isActiveArchive(_ key: PublicKey) -> Bool {
    entry(key, as: .archive).map { $0.sealingKey != nil } ?? false
  }
}
