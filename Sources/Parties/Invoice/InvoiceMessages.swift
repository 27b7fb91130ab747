// What the parties of an invoice purchase check alike (US 6,076,078, FIG. 2; docs/SPEC.md, "Invoice"). The
// token itself is the payment: bound to one archive, worth the price, registered there under its address.
//
// Invariant (attacks 11 and 12): an address is made of what is registered, so nobody can register anything
// else under it; and a token names its archive under the bank's signature, so no other archive lets it be
// used.

public import Messages

/// M's deposit with what it holds; all signatures hold.
public struct InvoiceDeposit: Equatable, Sendable {
  public let deposit: Verified<Deposit>
  public let invoice: Verified<Invoice>
  public let endorsement: Verified<Endorsement>

  /// Reads a deposit that M signed. The key of M only has to be known here.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    try self.init(Verified(bytes, by: .known(trust, as: .merchant)))
  }

  /// Reads what stands in a deposit.
  public init(_ deposit: Verified<Deposit>) throws(MessageError) {
    self.deposit = deposit
    invoice = try Verified(deposit.payload.invoice, by: .key(deposit.signer))
    endorsement = try Verified(deposit.payload.endorsement, by: .key(deposit.payload.token.key))
  }

  public var merchant: PublicKey { deposit.signer }
  public var token: Token { deposit.payload.token }
  public var terms: InvoiceTerms { invoice.payload.terms }

  /// Nil if token, invoice, endorsement and key belong together in one of these ways; otherwise why not.
  func mismatch(_ ways: [Mode]) -> Denial? {
    if let denial = invoice.mismatch(token, endorsement) { return denial }
    guard ways.contains(where: { commits(to: $0) }) else {
      return Denial(.wrongKey, "k is not the key that the invoice commits to")
    }
    return nil
  }

  /// Whether the invoice's commitment is to this key in this way.
  func commits(to way: Mode) -> Bool {
    Hash.keyCommitment(way, merchant: merchant, n: terms.n, key: deposit.payload.key) == terms.hx
  }
}

extension Verified<Invoice> {
  /// Nil if this token pays this invoice by that word of its key; otherwise why not.
  func mismatch(_ token: Token, _ endorsement: Verified<Endorsement>) -> Denial? {
    let terms = payload.terms
    guard let archive = token.archive, archive == terms.archive else {
      return Denial(.badToken, "the token is not bound to the archive that the invoice names")
    }
    guard token.bank == terms.bank, token.issuer == terms.bank else {
      return Denial(.badToken, "the token is of another bank than the invoice names")
    }
    guard token.address == payload.address else {
      return Denial(.mismatch, "the invoice is for another token")
    }
    guard endorsement.signer == token.key, endorsement.payload.hINV == hash,
      endorsement.payload.address == payload.address
    else { return Denial(.mismatch, "S_c{INV} is not the token's word for this invoice") }
    return nil
  }

  /// Nil if a token of this denomination pays the invoice; otherwise why not.
  func shortfall(_ facts: TokenFacts) -> Denial? {
    guard let denomination = facts.denomination else {
      return Denial(.denomination, "the token's denomination key is not in its bank's key list")
    }
    guard facts.signatureHolds else { return Denial(.badToken, "the token's blind signature does not hold") }
    guard denomination.value == payload.terms.price else {
      return Denial(
        .wrongValue, "the token is worth \(denomination.value), the price is \(payload.terms.price)")
    }
    guard denomination.spendUntil > payload.terms.lifetime else {
      return Denial(.lifetime, "the token ends before the invoice's lifetime")
    }
    return nil
  }
}

extension Complaint {
  /// The invoice that is complained of, out of the evidence: signed by its merchant.
  func invoice(trust: TrustList) throws(MessageError) -> Verified<Invoice> {
    for bytes in evidence {
      guard (try? MessageType(peeking: bytes)) == .invoice else { continue }
      let invoice = try Verified<Invoice>(bytes, by: .known(trust, as: .merchant))
      guard invoice.hash == hINV, invoice.payload.address == address else { continue }
      return invoice
    }
    throw MessageError(.malformed, "missing-field", "Complaint: the invoice")
  }
}

/// A complaint under the token's key; its signature and the invoice's hold.
public struct Grievance: Equatable, Sendable {
  public let complaint: Verified<Complaint>
  public let invoice: Verified<Invoice>

  /// Reads a complaint, whoever signed it: the machine knows whose word counts.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    let message = try Unverified<Complaint>(bytes)
    complaint = try Verified(message, by: .key(message.claimedSigners[0]))
    invoice = try complaint.payload.invoice(trust: trust)
  }

  public var address: Hash { complaint.payload.address }

  /// M's deposit of that invoice, with k, if the complaint shows it.
  public var deposit: InvoiceDeposit? {
    for bytes in complaint.payload.evidence {
      guard let message = try? Verified<Deposit>(bytes, by: .key(invoice.signer)),
        let deposit = try? InvoiceDeposit(message), deposit.invoice.hash == invoice.hash
      else { continue }
      return deposit
    }
    return nil
  }

  /// Whether this chunk shows that the goods are not what the invoice says: it stands under the invoice's
  /// root and does not open with the key that M signed.
  public func isProven(by chunk: GoodsChunkProof, _ deposit: InvoiceDeposit) -> Bool {
    guard deposit.invoice.hash == invoice.hash, Mode.invoices.contains(where: { deposit.commits(to: $0) })
    else { return false }
    let terms = invoice.payload.terms
    return chunk.holds(for: terms.goods) && !chunk.opens(key: deposit.deposit.payload.key, n: terms.n)
  }
}

extension Approval {
  /// M's deposit that documents this approval, if it is one: the token's key endorsed an invoice of the
  /// merchant who was paid.
  public func documentation(_ bytes: [UInt8]) -> InvoiceDeposit? {
    guard let message = try? Verified<Deposit>(bytes, by: .key(merchant)),
      let deposit = try? InvoiceDeposit(message), deposit.endorsement.hash == hEndorsement,
      deposit.terms.n == n, deposit.invoice.payload.address == address,
      deposit.invoice.mismatch(deposit.token, deposit.endorsement) == nil
    else { return nil }
    return deposit
  }
}
