// What the messages of an invoice purchase (FIG. 2) say, read for the referee without the parties' own
// checks.

import BlindTokens
import Messages
import Storage

/// INV, as its merchant signed it.
struct InvoiceFacts: Sendable {
  let hash: Hash
  let merchant: PublicKey
  let terms: InvoiceTerms
  let address: Hash

  init?(_ bytes: [UInt8]) {
    guard let outer = try? Unverified<Invoice>(bytes),
      let invoice = try? Verified(outer, by: .key(outer.claimedSigners[0]))
    else { return nil }
    (hash, merchant) = (invoice.hash, invoice.signer)
    (terms, address) = (invoice.payload.terms, invoice.payload.address)
  }

  init?(in log: some Sequence<StoredMessage>) {
    var found: InvoiceFacts?
    for entry in log where entry.label == MessageType.invoice.label { found = InvoiceFacts(entry.bytes) }
    guard let found else { return nil }
    self = found
  }
}

/// 7: M's deposit, and what stands in it.
struct DepositFacts: Sendable {
  let hash: Hash
  let merchant: PublicKey
  let invoice: InvoiceFacts
  let token: Token
  let key: [UInt8]
  /// S_c{INV}, by its hash; it is the token's own word for this invoice.
  let endorsement: Hash
  let endorsementBytes: [UInt8]

  private static let cache = FactCache<DepositFacts>()

  init?(_ bytes: [UInt8]) {
    guard let facts = Self.cache.facts(of: bytes, { DepositFacts(reading: bytes) }) else { return nil }
    self = facts
  }

  private init?(reading bytes: [UInt8]) {
    guard let outer = try? Unverified<Deposit>(bytes),
      let deposit = try? Verified(outer, by: .key(outer.claimedSigners[0])),
      let invoice = InvoiceFacts(deposit.payload.invoice), invoice.merchant == deposit.signer,
      let word = try? Verified<Endorsement>(
        deposit.payload.endorsement, by: .key(deposit.payload.token.key)),
      word.payload.hINV == invoice.hash, word.payload.address == invoice.address
    else { return nil }
    (hash, merchant, self.invoice) = (deposit.hash, deposit.signer, invoice)
    (token, key) = (deposit.payload.token, deposit.payload.key)
    (endorsement, endorsementBytes) = (word.hash, deposit.payload.endorsement)
  }

  var terms: InvoiceTerms { invoice.terms }

  /// Nil if this token pays this invoice in this way, and k is what the invoice commits to; otherwise why
  /// not.
  func fault(in mode: Mode, _ denominations: [Hash: BlindingKey]) -> String? {
    guard token.archive == terms.archive, token.bank == terms.bank, token.issuer == terms.bank else {
      return "its token is of another archive or bank than the invoice"
    }
    guard token.address == invoice.address else { return "its token is not the invoice's" }
    guard let denomination = denominations[token.keyID],
      denomination.isValid(signature: token.signature, for: token.id.bytes)
    else { return "its token is forged" }
    guard DenominationKeys.value(of: token.keyID) == terms.price.amount else {
      return "its token is not worth the price"
    }
    guard terms.hx == .keyCommitment(mode, merchant: merchant, n: terms.n, key: key) else {
      return "its key is not the one committed to"
    }
    return nil
  }
}

extension DenominationKeys {
  private static let values: [Hash: UInt64] = {
    var values: [Hash: UInt64] = [:]
    for denomination in all {
      guard
        let key = try? BlindSigningKey(derRepresentation: denomination.der).publicKey(
          currency: "EUR", value: denomination.value)
      else { continue }
      values[Hash(key.keyID)!] = denomination.value
    }
    return values
  }()

  /// What tokens of this key are worth.
  static func value(of key: Hash) -> UInt64? { values[key] }
}

extension Sequence where Element == StoredMessage {
  /// The last message of this label.
  func last(_ type: MessageType) -> [UInt8]? {
    var found: [UInt8]?
    for entry in self where entry.label == type.label { found = entry.bytes }
    return found
  }

  func count(_ type: MessageType) -> Int { count { $0.label == type.label } }

  /// It is the log of an invoice purchase or sale: a token is registered for it.
  var isOfInvoice: Bool { contains { $0.label == MessageType.registration.label } }
}
