// What surrounds a sale beside the messages of its protocol (docs/SPEC.md, "Tables"): counter-offers,
// transfers between two banks, refunds, certified non-response and the witnesses' abort.

internal import CCore

/// N2: M→C. The price that M would take.
public struct N2: Payload {
  public static let type = MessageType.n2
  public var price: Money
  public var hN1: Hash
  public var until: Timestamp

  public init(price: Money, hN1: Hash, until: Timestamp) {
    self.price = price
    self.hN1 = hN1
    self.until = until
  }
  public init(_ f: FieldReader) {
    price = f.required(ACD_KEY_VALUE).money
    hN1 = f.required(ACD_KEY_H_REQUEST).hash
    until = f.required(ACD_KEY_UNTIL).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, price)
    f.put(ACD_KEY_H_REQUEST, hN1)
    f.put(ACD_KEY_UNTIL, until)
  }
}

/// BT1: B→M's bank. This lock's value is yours to credit; once per L.
public struct BT1: Payload {
  public static let type = MessageType.bt1
  public var merchant: PublicKey
  public var amount: Money
  /// L: H of the lock's message.
  public var lock: Hash
  public var account: String

  public init(merchant: PublicKey, amount: Money, lock: Hash, account: String) {
    self.merchant = merchant
    self.amount = amount
    self.lock = lock
    self.account = account
  }
  public init(_ f: FieldReader) {
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    account = f.required(Int(ACD_BT1_ACCOUNT)).text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(Int(ACD_BT1_ACCOUNT), account)
  }
}

/// BT2: M's bank→B. Credited.
public struct BT2: Payload {
  public static let type = MessageType.bt2
  public var amount: Money
  /// L: H of the lock's message.
  public var lock: Hash
  public var at: Timestamp
  public var hBT1: Hash

  public init(amount: Money, lock: Hash, at: Timestamp, hBT1: Hash) {
    self.amount = amount
    self.lock = lock
    self.at = at
    self.hBT1 = hBT1
  }
  public init(_ f: FieldReader) {
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    hBT1 = f.required(ACD_KEY_H_REQUEST).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hBT1)
  }
}

/// BT3: the bank where a token was used→its issuer. What its owner authorized is the issuer's to pay; once
/// for each use.
public struct BT3: Payload {
  public static let type = MessageType.bt3
  /// What the issuer's tokens among those of the request come to.
  public var amount: Money
  /// L of the lock that was paid, or H(X1).
  public var lock: Hash
  public var at: Timestamp
  /// What the tokens' owner signed: P2, its kin, or X1.
  public var request: [UInt8]
  /// How much of the request was used, in the order of its tokens; minor units.
  public var due: UInt64
  /// Whom it is for.
  public var issuer: PublicKey

  public init(
    amount: Money, lock: Hash, at: Timestamp, request: [UInt8], due: UInt64, issuer: PublicKey
  ) {
    (self.amount, self.lock, self.at) = (amount, lock, at)
    (self.request, self.due, self.issuer) = (request, due, issuer)
  }
  public init(_ f: FieldReader) {
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    request = f.required(Int(ACD_BT3_REQUEST)).array
    due = f.required(Int(ACD_BT3_DUE)).number
    issuer = f.required(Int(ACD_BT3_ISSUER)).publicKey
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_BT3_REQUEST), bytes: request)
    f.put(Int(ACD_BT3_DUE), due)
    f.put(Int(ACD_BT3_ISSUER), issuer)
  }
}

/// BT4: the issuer→the bank where its tokens were used. Owed from now on.
public struct BT4: Payload {
  public static let type = MessageType.bt4
  public var amount: Money
  /// As BT3 says.
  public var lock: Hash
  public var at: Timestamp
  public var hBT3: Hash

  public init(amount: Money, lock: Hash, at: Timestamp, hBT3: Hash) {
    (self.amount, self.lock, self.at, self.hBT3) = (amount, lock, at, hBT3)
  }
  public init(_ f: FieldReader) {
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    hBT3 = f.required(ACD_KEY_H_REQUEST).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hBT3)
  }
}

/// RF1: C→M, signed by P. Give so much of this lock's value back, as these fresh tokens.
public struct RF1: Payload {
  public static let type = MessageType.rf1
  public var n: TransactionID
  public var merchant: PublicKey
  public var amount: Money
  /// L: H of the lock's message.
  public var lock: Hash
  public var outputs: [Blinded]
  /// The sealed blinding, for the wallet's own restore.
  public var recovery: [UInt8]?

  public init(
    n: TransactionID, merchant: PublicKey, amount: Money, lock: Hash, outputs: [Blinded],
    recovery: [UInt8]? = nil
  ) {
    self.n = n
    self.merchant = merchant
    self.amount = amount
    self.lock = lock
    self.outputs = outputs
    self.recovery = recovery
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    outputs = try f.required(Int(ACD_RF1_OUTPUTS)).maps(Blinded.self)
    recovery = f.value(Int(ACD_RF1_RECOVERY))?.array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    try f.put(Int(ACD_RF1_OUTPUTS), maps: outputs)
    f.put(Int(ACD_RF1_RECOVERY), bytes: recovery)
  }
}

/// RF2: M→B, and C. Agreed.
public struct RF2: Payload {
  public static let type = MessageType.rf2
  public var amount: Money
  /// L: H of the lock's message.
  public var lock: Hash
  public var hRF1: Hash
  /// RF1, whole.
  public var rf1: [UInt8]

  public init(amount: Money, lock: Hash, hRF1: Hash, rf1: [UInt8]) {
    self.amount = amount
    self.lock = lock
    self.hRF1 = hRF1
    self.rf1 = rf1
  }
  public init(_ f: FieldReader) {
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    hRF1 = f.required(ACD_KEY_H_REQUEST).hash
    rf1 = f.required(Int(ACD_RF2_RF1)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_H_REQUEST, hRF1)
    f.put(Int(ACD_RF2_RF1), bytes: rf1)
  }
}

/// RF3: B→M, C. M is debited and the tokens are signed, in one step.
public struct RF3: Payload {
  public static let type = MessageType.rf3
  public var at: Timestamp
  public var hRF2: Hash
  /// RFC 9474 blind signatures, in the order of RF1's outputs.
  public var signatures: [[UInt8]]

  public init(at: Timestamp, hRF2: Hash, signatures: [[UInt8]]) {
    self.at = at
    self.hRF2 = hRF2
    self.signatures = signatures
  }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    hRF2 = f.required(ACD_KEY_H_REQUEST).hash
    signatures = try f.required(Int(ACD_RF3_SIGNATURES)).arrays
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hRF2)
    f.put(Int(ACD_RF3_SIGNATURES), list: signatures)
  }
}

/// NR, certified non-response: a witness sent a request to the target and says what came back until when.
public struct NonResponse: Payload {
  public static let type = MessageType.nonResponse
  public var n: TransactionID
  public var merchant: PublicKey
  /// L: H of the lock's message.
  public var lock: Hash
  /// H of the request as it was sent, sealed ones as sealed.
  public var hRequest: Hash
  public var target: PublicKey
  public var sentAt: Timestamp
  public var waitedUntil: Timestamp
  /// What the target answered, whole; nil: nothing.
  public var answer: [UInt8]?
  /// The last cosigned checkpoint that the witness knows.
  public var checkpoint: [UInt8]?

  public init(
    n: TransactionID, merchant: PublicKey, lock: Hash, hRequest: Hash, target: PublicKey, sentAt: Timestamp,
    waitedUntil: Timestamp, answer: [UInt8]? = nil, checkpoint: [UInt8]? = nil
  ) {
    self.n = n
    self.merchant = merchant
    self.lock = lock
    self.hRequest = hRequest
    self.target = target
    self.sentAt = sentAt
    self.waitedUntil = waitedUntil
    self.answer = answer
    self.checkpoint = checkpoint
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    lock = f.required(ACD_KEY_LOCK).hash
    hRequest = f.required(ACD_KEY_H_REQUEST).hash
    target = f.required(Int(ACD_NR_TARGET)).publicKey
    sentAt = f.required(Int(ACD_NR_SENT_AT)).number
    waitedUntil = f.required(Int(ACD_NR_WAITED_UNTIL)).number
    answer = f.value(Int(ACD_NR_ANSWER))?.array
    checkpoint = f.value(Int(ACD_NR_CHECKPOINT))?.array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_H_REQUEST, hRequest)
    f.put(Int(ACD_NR_TARGET), target)
    f.put(Int(ACD_NR_SENT_AT), sentAt)
    f.put(Int(ACD_NR_WAITED_UNTIL), waitedUntil)
    f.put(Int(ACD_NR_ANSWER), bytes: answer)
    f.put(Int(ACD_NR_CHECKPOINT), bytes: checkpoint)
  }
}

/// P5c: W. The archive is gone: L is undone (attack 4).
public struct P5c: Payload {
  public static let type = MessageType.p5c
  public var n: TransactionID
  public var merchant: PublicKey
  public var expiration: Timestamp
  public var lifetime: Timestamp
  /// L: H of the lock's message.
  public var lock: Hash
  public var at: Timestamp
  /// A reason's number.
  public var failed: UInt64
  public var checkpoint: [UInt8]?
  public var nonResponses: [[UInt8]]

  public init(
    n: TransactionID, merchant: PublicKey, expiration: Timestamp, lifetime: Timestamp, lock: Hash,
    at: Timestamp, failed: UInt64, checkpoint: [UInt8]? = nil, nonResponses: [[UInt8]]
  ) {
    self.n = n
    self.merchant = merchant
    self.expiration = expiration
    self.lifetime = lifetime
    self.lock = lock
    self.at = at
    self.failed = failed
    self.checkpoint = checkpoint
    self.nonResponses = nonResponses
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    expiration = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    failed = f.required(ACD_KEY_REASON).number
    checkpoint = f.value(Int(ACD_P5C_CHECKPOINT))?.array
    nonResponses = try f.required(Int(ACD_P5C_NON_RESPONSES)).arrays
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_REASON, failed)
    f.put(Int(ACD_P5C_CHECKPOINT), bytes: checkpoint)
    f.put(Int(ACD_P5C_NON_RESPONSES), list: nonResponses)
  }
}
