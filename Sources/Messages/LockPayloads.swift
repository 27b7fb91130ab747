// Lock and outcome, the same in every mode (docs/SPEC.md, "Core"): P2, P3, P5a and P5b with their kin E2,
// E3, E7a, E7b; JA2, JA3, JA5a, JA5b; R2, R3, R10a, R10b; A9a, A9b. Same fields, distinct types.

internal import CCore

/// The part of a sale that P2 and P3 both state and that must agree to the letter.
public struct LockTerms: Equatable, Sendable {
  public var n: TransactionID
  public var merchant: PublicKey
  public var archive: PublicKey
  public var pseudonym: PublicKey
  /// What is locked. In a series the budget.
  public var value: Money
  public var expiration: Timestamp
  public var lifetime: Timestamp
  /// H of the offer: P1 or its kin.
  public var hP1: Hash
  public var hx: Hash
  /// Series only: the price of the first purchase.
  public var base: Money?

  public init(
    n: TransactionID, merchant: PublicKey, archive: PublicKey, pseudonym: PublicKey, value: Money,
    expiration: Timestamp, lifetime: Timestamp, hP1: Hash, hx: Hash, base: Money? = nil
  ) {
    (self.n, self.merchant, self.archive, self.pseudonym, self.value) =
      (n, merchant, archive, pseudonym, value)
    (self.expiration, self.lifetime, self.hP1, self.hx, self.base) = (expiration, lifetime, hP1, hx, base)
  }

  init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    archive = f.required(ACD_KEY_ARCHIVE).publicKey
    pseudonym = f.required(ACD_KEY_PSEUDONYM).publicKey
    value = f.required(ACD_KEY_VALUE).money
    expiration = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    hx = f.required(ACD_KEY_HX).hash
    base = f.ifInTable(Int(ACD_TERMS_BASE))?.money
  }

  func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_PSEUDONYM, pseudonym)
    f.put(ACD_KEY_VALUE, value)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_HX, hx)
    f.put(Int(ACD_TERMS_BASE), base)
  }
}

/// P2, E2, JA2, JB2, R2, Authorization_q: C→B. The tokens' keys authorise the payment.
public struct AuthorizationQ<M: TokenMode>: Payload, SignedByTokens {
  public static var type: MessageType { M.requestType }
  public var terms: LockTerms
  /// The one bank that this is for.
  public var bank: PublicKey
  /// What is paid with; the amounts add up to the value.
  public var tokenInputs: [TokenInput]

  public init(terms: LockTerms, bank: PublicKey, tokenInputs: [TokenInput]) {
    (self.terms, self.bank, self.tokenInputs) = (terms, bank, tokenInputs)
  }

  public init(_ f: FieldReader) throws(MessageError) {
    terms = LockTerms(f)
    bank = f.required(ACD_KEY_BANK).publicKey
    tokenInputs = try f.required(Int(ACD_P2_TOKENS)).maps(TokenInput.self)
  }

  public func write(to f: inout FieldWriter) throws(MessageError) {
    terms.write(to: &f)
    f.put(ACD_KEY_BANK, bank)
    try f.put(Int(ACD_P2_TOKENS), maps: tokenInputs)
  }
}

/// P3, E3, JA3, R3, Authorization_b: B→M, C. The value is locked. Its hash is L, the lock's name.
public struct AuthorizationB<M: PurchaseMode>: LockPayload {
  public static var type: MessageType { M.lockType }
  public var terms: LockTerms

  public init(terms: LockTerms) { self.terms = terms }
  public init(_ f: FieldReader) { terms = LockTerms(f) }
  public func write(to f: inout FieldWriter) { terms.write(to: &f) }
}

/// P5a, E7a, JA5a, R10a, A9a, Commit: published by A. It pays M and gives the key to C, in one record.
public struct Commit<M: PurchaseMode>: Payload {
  public static var type: MessageType { M.commitType }
  /// The signed P4 or its kin, whole.
  public var submission: [UInt8]
  /// A's sequencing time: before the expiration.
  public var at: Timestamp
  public var lifetime: Timestamp
  /// Early and series: the customer's E5 or R7, whole. In a forced commit of a series the R7 before.
  public var acknowledgement: [UInt8]?
  /// Early and series, forced: the archive's own word that it holds the ciphertext, whole.
  public var held: [UInt8]?
  /// Series, forced: R6, whole.
  public var item: [UInt8]?
  /// Series, forced: the customer's R5 that asked for it, whole.
  public var request: [UInt8]?

  public init(
    submission: [UInt8], at: Timestamp, lifetime: Timestamp, acknowledgement: [UInt8]? = nil,
    held: [UInt8]? = nil, item: [UInt8]? = nil, request: [UInt8]? = nil
  ) {
    (self.submission, self.at, self.lifetime) = (submission, at, lifetime)
    (self.acknowledgement, self.held, self.item, self.request) = (acknowledgement, held, item, request)
  }
  public init(_ f: FieldReader) {
    submission = f.required(Int(ACD_COMMIT_SUBMISSION)).array
    at = f.required(ACD_KEY_AT).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    acknowledgement = f.ifInTable(Int(ACD_COMMIT_ACKNOWLEDGEMENT))?.array
    held = f.ifInTable(Int(ACD_COMMIT_HELD))?.array
    item = f.ifInTable(Int(ACD_COMMIT_ITEM))?.array
    request = f.ifInTable(Int(ACD_COMMIT_REQUEST))?.array
  }
  public func write(to f: inout FieldWriter) {
    f.put(Int(ACD_COMMIT_SUBMISSION), bytes: submission)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(Int(ACD_COMMIT_ACKNOWLEDGEMENT), bytes: acknowledgement)
    f.put(Int(ACD_COMMIT_HELD), bytes: held)
    f.put(Int(ACD_COMMIT_ITEM), bytes: item)
    f.put(Int(ACD_COMMIT_REQUEST), bytes: request)
  }
}

/// P5b, E7b, JA5b, R10b, A9b, Abort: published by A. The lock L is undone and no key was published.
public struct Abort<M: PurchaseMode>: Payload {
  public static var type: MessageType { M.abortType }
  public var n: TransactionID
  public var merchant: PublicKey
  public var expiration: Timestamp
  public var lifetime: Timestamp
  public var lock: Hash
  public var at: Timestamp
  /// `.expired` or `.cancelled`, as a reason's number.
  public var failed: UInt64
  /// The merchant's signed Cancel, whole: what entitles A to abort before the expiration.
  public var cancel: [UInt8]?

  public init(
    n: TransactionID, merchant: PublicKey, expiration: Timestamp, lifetime: Timestamp, lock: Hash,
    at: Timestamp, failed: Reason, cancel: [UInt8]? = nil
  ) {
    (self.n, self.merchant, self.expiration, self.lifetime, self.lock, self.at) =
      (n, merchant, expiration, lifetime, lock, at)
    self.failed = failed.rawValue
    self.cancel = cancel
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    expiration = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    failed = f.required(ACD_KEY_REASON).number
    cancel = f.value(Int(ACD_P5B_CANCEL))?.array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_REASON, failed)
    f.put(Int(ACD_P5B_CANCEL), bytes: cancel)
  }
}

public typealias P2 = AuthorizationQ<CoreMode>
public typealias P3 = AuthorizationB<CoreMode>
public typealias P5a = Commit<CoreMode>
public typealias P5b = Abort<CoreMode>
public typealias E2 = AuthorizationQ<EarlyMode>
public typealias E3 = AuthorizationB<EarlyMode>
public typealias E7a = Commit<EarlyMode>
public typealias E7b = Abort<EarlyMode>
public typealias JA2 = AuthorizationQ<JointMode>
public typealias JA3 = AuthorizationB<JointMode>
public typealias JA5a = Commit<JointMode>
public typealias JA5b = Abort<JointMode>
public typealias JB2 = AuthorizationQ<CompactMode>
public typealias R2 = AuthorizationQ<RepeatedMode>
public typealias R3 = AuthorizationB<RepeatedMode>
public typealias R10a = Commit<RepeatedMode>
public typealias R10b = Abort<RepeatedMode>
public typealias A9a = Commit<AnnouncedMode>
public typealias A9b = Abort<AnnouncedMode>
