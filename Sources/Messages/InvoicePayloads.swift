// The invoice purchase's messages (US 6,076,078, FIGS. 1 and 2; docs/SPEC.md, "Tables"): the token itself is
// the payment, bound to one archive, registered there under its hash h(t) = H(Q, inner).

internal import CCore

/// 2, Registration: C→A, signed by the token's key.
public struct Registration: Payload {
  public static let type = MessageType.registration
  public var archive: PublicKey
  /// p_t = Q.
  public var tokenKey: PublicKey
  /// H(serial, A, denomination).
  public var inner: Hash

  public init(archive: PublicKey, tokenKey: PublicKey, inner: Hash) {
    self.archive = archive
    self.tokenKey = tokenKey
    self.inner = inner
  }
  public init(_ f: FieldReader) {
    archive = f.required(ACD_KEY_ARCHIVE).publicKey
    tokenKey = f.required(ACD_KEY_TOKEN_KEY).publicKey
    inner = f.required(Int(ACD_REGISTRATION_INNER)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_TOKEN_KEY, tokenKey)
    f.put(Int(ACD_REGISTRATION_INNER), inner)
  }
}

/// 3, Registered: A→C.
public struct Registered: Payload {
  public static let type = MessageType.registered
  public var tokenKey: PublicKey
  public var at: Timestamp
  /// h(t).
  public var address: Hash

  public init(tokenKey: PublicKey, at: Timestamp, address: Hash) {
    self.tokenKey = tokenKey
    self.at = at
    self.address = address
  }
  public init(_ f: FieldReader) {
    tokenKey = f.required(ACD_KEY_TOKEN_KEY).publicKey
    at = f.required(ACD_KEY_AT).number
    address = f.required(Int(ACD_REGISTERED_ADDRESS)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_TOKEN_KEY, tokenKey)
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_REGISTERED_ADDRESS), address)
  }
}

/// What INV and PO both say: the goods, the price, until when.
public struct InvoiceTerms: Equatable, Sendable {
  public var n: TransactionID
  public var archive: PublicKey
  public var bank: PublicKey
  public var price: Money
  public var expiration: Timestamp
  public var lifetime: Timestamp
  public var hx: Hash
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64
  public var salt: Hash
  public var date: Timestamp
  /// `Hash.description` under the salt.
  public var descriptionHash: Hash
  /// SHA-256 of the goods in the clear.
  public var digests: [Hash]
  /// The goods' file name, without directories; may be empty.
  public var name: String

  /// The ciphertext.
  public var goods: GoodsClaim { GoodsClaim(root: root, length: length) }

  public init(
    n: TransactionID, archive: PublicKey, bank: PublicKey, price: Money, expiration: Timestamp,
    lifetime: Timestamp, hx: Hash, goods: GoodsClaim, salt: Hash, date: Timestamp, descriptionHash: Hash,
    digests: [Hash], name: String
  ) {
    (self.n, self.archive, self.bank, self.price) = (n, archive, bank, price)
    (self.expiration, self.lifetime, self.hx) = (expiration, lifetime, hx)
    (root, length, self.salt, self.date) = (goods.root, goods.length, salt, date)
    (self.descriptionHash, self.digests, self.name) = (descriptionHash, digests, name)
  }

  init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    archive = f.required(ACD_KEY_ARCHIVE).publicKey
    bank = f.required(ACD_KEY_BANK).publicKey
    price = f.required(ACD_KEY_VALUE).money
    expiration = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    hx = f.required(ACD_KEY_HX).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
    salt = f.required(ACD_KEY_SALT).hash
    date = f.required(Int(ACD_INV_DATE)).number
    descriptionHash = f.required(Int(ACD_INV_H_DESCRIPTION)).hash
    digests = try f.required(Int(ACD_INV_DIGESTS)).hashes
    name = f.required(Int(ACD_INV_NAME)).text
  }

  func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_BANK, bank)
    f.put(ACD_KEY_VALUE, price)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_HX, hx)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
    f.put(ACD_KEY_SALT, salt)
    f.put(Int(ACD_INV_DATE), date)
    f.put(Int(ACD_INV_H_DESCRIPTION), descriptionHash)
    f.put(Int(ACD_INV_DIGESTS), list: digests)
    f.put(Int(ACD_INV_NAME), name)
  }
}

/// INV and PO: M offers by these terms.
public protocol TermsPayload: PromisePayload {
  var terms: InvoiceTerms { get }
}

extension TermsPayload {
  public var n: TransactionID { terms.n }
  public var goods: GoodsClaim? { terms.goods }
  public var digests: [Hash] { terms.digests }
  public var price: Money { terms.price }
  public var date: Timestamp { terms.date }
  public var name: String { terms.name }
  public var lifetime: Timestamp { terms.lifetime }
}

/// 5, INV: M→C. What is sold, to whoever pays with the token of this address.
public struct Invoice: TermsPayload {
  public static let type = MessageType.invoice
  public var terms: InvoiceTerms
  /// h(t).
  public var address: Hash

  public init(terms: InvoiceTerms, address: Hash) { (self.terms, self.address) = (terms, address) }
  public init(_ f: FieldReader) throws(MessageError) {
    terms = try InvoiceTerms(f)
    address = f.required(Int(ACD_INV_ADDRESS)).hash
  }
  public func write(to f: inout FieldWriter) {
    terms.write(to: &f)
    f.put(Int(ACD_INV_ADDRESS), address)
  }
}

/// 6, S_c{INV}: C→M, signed by the token's key.
public struct Endorsement: Payload {
  public static let type = MessageType.endorsement
  public var hINV: Hash
  /// h(t).
  public var address: Hash

  public init(hINV: Hash, address: Hash) {
    self.hINV = hINV
    self.address = address
  }
  public init(_ f: FieldReader) {
    hINV = f.required(Int(ACD_ENDORSEMENT_H_INV)).hash
    address = f.required(Int(ACD_ENDORSEMENT_ADDRESS)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(Int(ACD_ENDORSEMENT_H_INV), hINV)
    f.put(Int(ACD_ENDORSEMENT_ADDRESS), address)
  }
}

/// 7: M→A, or M→B with the passive archive; sealed.
public struct Deposit: Payload {
  public static let type = MessageType.deposit
  /// k, 32 bytes.
  public var key: [UInt8]
  public var token: Token
  /// INV, whole.
  public var invoice: [UInt8]
  /// S_c{INV}, whole.
  public var endorsement: [UInt8]

  public init(key: [UInt8], token: Token, invoice: [UInt8], endorsement: [UInt8]) {
    self.key = key
    self.token = token
    self.invoice = invoice
    self.endorsement = endorsement
  }
  public init(_ f: FieldReader) throws(MessageError) {
    key = f.required(ACD_KEY_X).array
    token = try Token(encoded: f.required(Int(ACD_DEPOSIT_TOKEN)).array)
    invoice = f.required(Int(ACD_DEPOSIT_INV)).array
    endorsement = f.required(Int(ACD_DEPOSIT_ENDORSEMENT)).array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_X, bytes: key)
    try f.put(Int(ACD_DEPOSIT_TOKEN), map: token)
    f.put(Int(ACD_DEPOSIT_INV), bytes: invoice)
    f.put(Int(ACD_DEPOSIT_ENDORSEMENT), bytes: endorsement)
  }
}

/// 8, S_a(token): A→M or A→B. The deposit is in order.
public struct Approval: Payload {
  public static let type = MessageType.approval
  public var n: TransactionID
  public var merchant: PublicKey
  public var value: Money
  public var at: Timestamp
  /// h(t).
  public var address: Hash
  public var hEndorsement: Hash
  /// Left out where M deposits the token itself (direct deposit).
  public var token: Token?

  public init(
    n: TransactionID, merchant: PublicKey, value: Money, at: Timestamp, address: Hash, hEndorsement: Hash,
    token: Token? = nil
  ) {
    self.n = n
    self.merchant = merchant
    self.value = value
    self.at = at
    self.address = address
    self.hEndorsement = hEndorsement
    self.token = token
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    value = f.required(ACD_KEY_VALUE).money
    at = f.required(ACD_KEY_AT).number
    address = f.required(Int(ACD_APPROVAL_ADDRESS)).hash
    hEndorsement = f.required(Int(ACD_APPROVAL_H_ENDORSEMENT)).hash
    token = try f.value(Int(ACD_APPROVAL_TOKEN)).map { (v) throws(MessageError) in try Token(encoded: v.array)
    }
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_VALUE, value)
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_APPROVAL_ADDRESS), address)
    f.put(Int(ACD_APPROVAL_H_ENDORSEMENT), hEndorsement)
    if let token { try f.put(Int(ACD_APPROVAL_TOKEN), map: token) }
  }
}

/// 8 with the passive archive: what B writes into the record.
public struct PassiveRecord: Payload {
  public static let type = MessageType.passiveRecord
  public var n: TransactionID
  public var merchant: PublicKey
  /// k, 32 bytes.
  public var key: [UInt8]
  public var at: Timestamp
  /// h(t).
  public var address: Hash

  public init(n: TransactionID, merchant: PublicKey, key: [UInt8], at: Timestamp, address: Hash) {
    self.n = n
    self.merchant = merchant
    self.key = key
    self.at = at
    self.address = address
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    key = f.required(ACD_KEY_X).array
    at = f.required(ACD_KEY_AT).number
    address = f.required(Int(ACD_PASSIVE_RECORD_ADDRESS)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_X, bytes: key)
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_PASSIVE_RECORD_ADDRESS), address)
  }
}

/// What a complaint is about.
public enum ComplaintKind: UInt64, CaseIterable, Sendable {
  /// The archive refused M: C wants k.
  case withheld = 1
  /// The goods are not what the invoice says.
  case invalidGoods
  /// The archive deposited elsewhere.
  case depositedElsewhere
  /// The archive claims that C cheated.
  case accused

  init(_ number: UInt64) throws(MessageError) {
    guard let value = ComplaintKind(rawValue: number) else {
      throw MessageError(.malformed, "field-range", "Complaint.kind")
    }
    self = value
  }
}

/// A complaint under the token's key, with no identity.
public struct Complaint: Payload {
  public static let type = MessageType.complaint
  /// May be empty: messages, whole.
  public var evidence: [[UInt8]]
  public var kind: ComplaintKind
  /// h(t).
  public var address: Hash
  public var hINV: Hash

  public init(evidence: [[UInt8]] = [], kind: ComplaintKind, address: Hash, hINV: Hash) {
    self.evidence = evidence
    self.kind = kind
    self.address = address
    self.hINV = hINV
  }
  public init(_ f: FieldReader) throws(MessageError) {
    evidence = try f.value(ACD_KEY_PROOF)?.arrays ?? []
    kind = try ComplaintKind(f.required(Int(ACD_COMPLAINT_KIND)).number)
    address = f.required(Int(ACD_COMPLAINT_ADDRESS)).hash
    hINV = f.required(Int(ACD_COMPLAINT_H_INV)).hash
  }
  public func write(to f: inout FieldWriter) {
    if !evidence.isEmpty { f.put(ACD_KEY_PROOF, messages: evidence) }
    f.put(Int(ACD_COMPLAINT_KIND), kind.rawValue)
    f.put(Int(ACD_COMPLAINT_ADDRESS), address)
    f.put(Int(ACD_COMPLAINT_H_INV), hINV)
  }
}

/// 6: what C hands to M beside the endorsement, sealed to M: P_m(token, h(t)), S_c.
public struct Payment: Fields {
  public static let type = MessageType.payment
  public var tokens: [Token]
  /// S_c{INV} or S_t(PO), whole.
  public var endorsement: [UInt8]

  public init(tokens: [Token], endorsement: [UInt8]) {
    (self.tokens, self.endorsement) = (tokens, endorsement)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    tokens = try f.required(Int(ACD_PAYMENT_TOKENS)).maps(Token.self)
    endorsement = f.required(Int(ACD_PAYMENT_ENDORSEMENT)).array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_FORMAT, Self.type.name)
    try f.put(Int(ACD_PAYMENT_TOKENS), maps: tokens)
    f.put(Int(ACD_PAYMENT_ENDORSEMENT), bytes: endorsement)
  }
}
