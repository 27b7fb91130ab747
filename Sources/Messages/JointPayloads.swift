// The joint bank-archive's own messages (US 6,076,078, FIGS. 6 and 7; docs/SPEC.md, "Joint"). JA1 and JB1 are
// P1 under a contract of that mode; in JB1 the contract's latest expiration is the expiration.

internal import CCore

/// JA4, Authorization_m: M→B. It carries k.
public struct JA4: SubmissionPayload {
  public static let type = MessageType.ja4
  public var n: TransactionID
  public var value: Money
  public var expiration: Timestamp
  /// H of the offer.
  public var hP1: Hash
  /// L: H of the lock's message.
  public var lock: Hash
  /// k, 32 bytes.
  public var key: [UInt8]

  public init(n: TransactionID, value: Money, expiration: Timestamp, hP1: Hash, lock: Hash, key: [UInt8]) {
    self.n = n
    self.value = value
    self.expiration = expiration
    self.hP1 = hP1
    self.lock = lock
    self.key = key
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    value = f.required(ACD_KEY_VALUE).money
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    lock = f.required(ACD_KEY_LOCK).hash
    key = f.required(ACD_KEY_X).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_VALUE, value)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_X, bytes: key)
  }
}

/// JB2ack: B→C. The authorization is here and its tokens are locked (attack 10).
public struct JB2ack: Payload {
  public static let type = MessageType.jb2ack
  public var at: Timestamp
  public var hJB2: Hash

  public init(at: Timestamp, hJB2: Hash) {
    self.at = at
    self.hJB2 = hJB2
  }
  public init(_ f: FieldReader) {
    at = f.required(ACD_KEY_AT).number
    hJB2 = f.required(ACD_KEY_H_REQUEST).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hJB2)
  }
}

/// JB3, Authorization_m: M→B, without waiting for anything. It carries k.
public struct JB3: Payload {
  public static let type = MessageType.jb3
  public var n: TransactionID
  public var value: Money
  public var expiration: Timestamp
  /// H of the offer.
  public var hP1: Hash
  /// k, 32 bytes.
  public var key: [UInt8]

  public init(n: TransactionID, value: Money, expiration: Timestamp, hP1: Hash, key: [UInt8]) {
    self.n = n
    self.value = value
    self.expiration = expiration
    self.hP1 = hP1
    self.key = key
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    value = f.required(ACD_KEY_VALUE).money
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    key = f.required(ACD_KEY_X).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_VALUE, value)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_X, bytes: key)
  }
}

/// JB4a, Commit: B→C, and M on request.
public struct JB4a: Payload {
  public static let type = MessageType.jb4a
  public var lifetime: Timestamp
  public var at: Timestamp
  public var hJB2: Hash
  /// The signed JB3, whole.
  public var submission: [UInt8]

  public init(lifetime: Timestamp, at: Timestamp, hJB2: Hash, submission: [UInt8]) {
    self.lifetime = lifetime
    self.at = at
    self.hJB2 = hJB2
    self.submission = submission
  }
  public init(_ f: FieldReader) {
    lifetime = f.required(ACD_KEY_LIFETIME).number
    at = f.required(ACD_KEY_AT).number
    hJB2 = f.required(ACD_KEY_H_REQUEST).hash
    submission = f.required(Int(ACD_COMMIT_SUBMISSION)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hJB2)
    f.put(Int(ACD_COMMIT_SUBMISSION), bytes: submission)
  }
}

/// JB4b, Abort: B→C, M.
public struct JB4b: Payload {
  public static let type = MessageType.jb4b
  public var n: TransactionID
  public var merchant: PublicKey
  public var expiration: Timestamp
  public var lifetime: Timestamp
  /// H of the offer.
  public var hP1: Hash
  public var at: Timestamp
  /// A reason's number.
  public var failed: UInt64
  public var hJB2: Hash

  public init(
    n: TransactionID, merchant: PublicKey, expiration: Timestamp, lifetime: Timestamp, hP1: Hash,
    at: Timestamp, failed: UInt64, hJB2: Hash
  ) {
    self.n = n
    self.merchant = merchant
    self.expiration = expiration
    self.lifetime = lifetime
    self.hP1 = hP1
    self.at = at
    self.failed = failed
    self.hJB2 = hJB2
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    expiration = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    at = f.required(ACD_KEY_AT).number
    failed = f.required(ACD_KEY_REASON).number
    hJB2 = f.required(ACD_KEY_H_REQUEST).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_REASON, failed)
    f.put(ACD_KEY_H_REQUEST, hJB2)
  }
}
