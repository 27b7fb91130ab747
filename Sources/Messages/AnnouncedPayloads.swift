// The announced purchase's own messages (US 6,076,078, FIG. 3; docs/SPEC.md, "Tables"): a two-phase commit
// in the archive. t is public here, so it is never a bearer secret: the bank acts on 9a and 9b only.

internal import CCore

/// 2, S_m(PO): M→C.
public struct PurchaseOrder: TermsPayload {
  public static let type = MessageType.purchaseOrder
  public var terms: InvoiceTerms

  public init(terms: InvoiceTerms) { self.terms = terms }
  public init(_ f: FieldReader) throws(MessageError) { terms = try InvoiceTerms(f) }
  public func write(to f: inout FieldWriter) { terms.write(to: &f) }
}

/// 3, S_t: C→A. t belongs to whoever knows sign_t, or to M (attack 13).
public struct Announcement: Payload {
  public static let type = MessageType.announcement
  public var merchant: PublicKey
  public var archive: PublicKey
  public var value: Money
  public var expiration: Timestamp
  public var hPO: Hash
  public var token: Token

  public init(
    merchant: PublicKey, archive: PublicKey, value: Money, expiration: Timestamp, hPO: Hash, token: Token
  ) {
    self.merchant = merchant
    self.archive = archive
    self.value = value
    self.expiration = expiration
    self.hPO = hPO
    self.token = token
  }
  public init(_ f: FieldReader) throws(MessageError) {
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    archive = f.required(ACD_KEY_ARCHIVE).publicKey
    value = f.required(ACD_KEY_VALUE).money
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hPO = f.required(Int(ACD_ANNOUNCEMENT_H_PO)).hash
    token = try Token(encoded: f.required(Int(ACD_ANNOUNCEMENT_TOKEN)).array)
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_VALUE, value)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(Int(ACD_ANNOUNCEMENT_H_PO), hPO)
    try f.put(Int(ACD_ANNOUNCEMENT_TOKEN), map: token)
  }
}

/// 3, published by A.
public struct Announced: Payload {
  public static let type = MessageType.announced
  public var at: Timestamp
  /// Message 3, whole.
  public var announcement: [UInt8]

  public init(at: Timestamp, announcement: [UInt8]) {
    self.at = at
    self.announcement = announcement
  }
  public init(_ f: FieldReader) {
    at = f.required(ACD_KEY_AT).number
    announcement = f.required(Int(ACD_ANNOUNCED_MESSAGE)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_ANNOUNCED_MESSAGE), bytes: announcement)
  }
}

/// 4, S_t(PO): C→M.
public struct Consent: Payload {
  public static let type = MessageType.consent
  public var n: TransactionID
  public var merchant: PublicKey
  public var hPO: Hash

  public init(n: TransactionID, merchant: PublicKey, hPO: Hash) {
    self.n = n
    self.merchant = merchant
    self.hPO = hPO
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    hPO = f.required(Int(ACD_CONSENT_H_PO)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(Int(ACD_CONSENT_H_PO), hPO)
  }
}

/// 7: B→M. The announced token is valid, unspent and now locked. Its hash is L.
public struct A7: LockPayload {
  public static let type = MessageType.a7
  public var terms: LockTerms
  /// H of the published announcement.
  public var hAnnounced: Hash

  public init(terms: LockTerms, hAnnounced: Hash) { (self.terms, self.hAnnounced) = (terms, hAnnounced) }
  public init(_ f: FieldReader) {
    terms = LockTerms(f)
    hAnnounced = f.required(Int(ACD_A7_H_ANNOUNCED)).hash
  }
  public func write(to f: inout FieldWriter) {
    terms.write(to: &f)
    f.put(Int(ACD_A7_H_ANNOUNCED), hAnnounced)
  }
}

/// 8, S_m(S_t(PO), k): M→A, sealed to A, with A7. It carries k.
public struct A8: SubmissionPayload {
  public static let type = MessageType.a8
  public var n: TransactionID
  public var expiration: Timestamp
  /// H of the offer.
  public var hP1: Hash
  /// L: H of the lock's message.
  public var lock: Hash
  /// k, 32 bytes.
  public var key: [UInt8]
  /// Message 4, whole.
  public var consent: [UInt8]

  public init(n: TransactionID, expiration: Timestamp, hP1: Hash, lock: Hash, key: [UInt8], consent: [UInt8])
  {
    self.n = n
    self.expiration = expiration
    self.hP1 = hP1
    self.lock = lock
    self.key = key
    self.consent = consent
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    lock = f.required(ACD_KEY_LOCK).hash
    key = f.required(ACD_KEY_X).array
    consent = f.required(Int(ACD_A8_CONSENT)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_X, bytes: key)
    f.put(Int(ACD_A8_CONSENT), bytes: consent)
  }
}
