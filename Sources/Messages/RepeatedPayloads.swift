// Repeated transactions' own messages (US 6,076,078, FIG. 8; docs/SPEC.md, "Tables"): one lock of a
// budget, then purchases i = 1, 2, … between C and M alone, and one commit that pays the running total.
// R5 to R7 form a chain: each names the message before it (attack 9).

internal import CCore

extension Hash {
  /// KDF(r, i) = HKDF-Expand(r, "acd series mask" ‖ i): what masks the published key of purchase i. `r` is 32
  /// bytes.
  public static func seriesMask(_ r: [UInt8], _ index: UInt64) -> Hash {
    var secret = r
    let number = (0..<8).map { UInt8(truncatingIfNeeded: index >> (56 - 8 * $0)) }
    return Hash(derive(from: Secret(taking: &secret), info: Array("acd series mask".utf8) + number))!
  }
}

/// R1: M→C. The first purchase, under the contract of the series.
public struct R1: OfferPayload {
  public static let type = MessageType.r1
  public var n: TransactionID
  public var hx: Hash
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64
  public var salt: Hash
  public var contract: Contract
  /// r: 32 random bytes, between M and C only; x_j = k_j ⊕ KDF(r, j).
  public var maskBytes: [UInt8]

  public var goods: GoodsClaim? { GoodsClaim(root: root, length: length) }
  /// The first purchase's: each one has a mask of its own.
  public var mask: Hash? { .seriesMask(maskBytes, 0) }

  public init(
    n: TransactionID, hx: Hash, root: Hash, length: UInt64, salt: Hash, contract: Contract, maskBytes: [UInt8]
  ) {
    self.n = n
    self.hx = hx
    self.root = root
    self.length = length
    self.salt = salt
    self.contract = contract
    self.maskBytes = maskBytes
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    hx = f.required(ACD_KEY_HX).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
    salt = f.required(ACD_KEY_SALT).hash
    contract = try Contract(encoded: f.required(Int(ACD_R1_CONTRACT)).array)
    maskBytes = f.required(Int(ACD_R1_MASK)).array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_HX, hx)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
    f.put(ACD_KEY_SALT, salt)
    try f.put(Int(ACD_R1_CONTRACT), map: contract)
    f.put(Int(ACD_R1_MASK), bytes: maskBytes)
  }
}

/// R4: M→C. The key of the first purchase.
public struct R4: Payload {
  public static let type = MessageType.r4
  public var n: TransactionID
  /// k_0, 32 bytes.
  public var key: [UInt8]
  /// i: which purchase of the series.
  public var index: UInt64

  public init(n: TransactionID, key: [UInt8], index: UInt64) {
    self.n = n
    self.key = key
    self.index = index
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    key = f.required(ACD_KEY_X).array
    index = f.required(Int(ACD_R_INDEX)).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_X, bytes: key)
    f.put(Int(ACD_R_INDEX), index)
  }
}

/// R5: C→M, signed by P. Another purchase, up to this running total.
public struct R5: Payload {
  public static let type = MessageType.r5
  public var n: TransactionID
  public var merchant: PublicKey
  /// With this purchase no more than this.
  public var runningTotalMax: Money
  /// i: which purchase of the series.
  public var index: UInt64
  public var offer: Nonce
  /// H of R6 of i - 1, or of R1.
  public var hPrevious: Hash

  public init(
    n: TransactionID, merchant: PublicKey, runningTotalMax: Money, index: UInt64, offer: Nonce,
    hPrevious: Hash
  ) {
    self.n = n
    self.merchant = merchant
    self.runningTotalMax = runningTotalMax
    self.index = index
    self.offer = offer
    self.hPrevious = hPrevious
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    runningTotalMax = f.required(ACD_KEY_VALUE).money
    index = f.required(Int(ACD_R_INDEX)).number
    offer = f.required(Int(ACD_R5_REQUEST)).nonce
    hPrevious = f.required(Int(ACD_R5_H_PREVIOUS)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_VALUE, runningTotalMax)
    f.put(Int(ACD_R_INDEX), index)
    f.put(Int(ACD_R5_REQUEST), offer)
    f.put(Int(ACD_R5_H_PREVIOUS), hPrevious)
  }
}

/// R6: M→C. Another merchandise.
public struct R6: Payload {
  public static let type = MessageType.r6
  public var n: TransactionID
  /// What the series costs with this purchase.
  public var runningTotal: Money
  public var hx: Hash
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64
  public var salt: Hash
  /// i: which purchase of the series.
  public var index: UInt64
  public var contract: Contract
  /// H of R6 of i - 1, or of R1.
  public var hPrevious: Hash

  public init(
    n: TransactionID, runningTotal: Money, hx: Hash, root: Hash, length: UInt64, salt: Hash, index: UInt64,
    contract: Contract, hPrevious: Hash
  ) {
    self.n = n
    self.runningTotal = runningTotal
    self.hx = hx
    self.root = root
    self.length = length
    self.salt = salt
    self.index = index
    self.contract = contract
    self.hPrevious = hPrevious
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    runningTotal = f.required(ACD_KEY_VALUE).money
    hx = f.required(ACD_KEY_HX).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
    salt = f.required(ACD_KEY_SALT).hash
    index = f.required(Int(ACD_R_INDEX)).number
    contract = try Contract(encoded: f.required(Int(ACD_R6_CONTRACT)).array)
    hPrevious = f.required(Int(ACD_R6_H_PREVIOUS)).hash
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_VALUE, runningTotal)
    f.put(ACD_KEY_HX, hx)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
    f.put(ACD_KEY_SALT, salt)
    f.put(Int(ACD_R_INDEX), index)
    try f.put(Int(ACD_R6_CONTRACT), map: contract)
    f.put(Int(ACD_R6_H_PREVIOUS), hPrevious)
  }
}

/// R7: C→M, signed by P. All ciphertext up to i is here, and every key before i was good.
public struct R7: Payload {
  public static let type = MessageType.r7
  public var n: TransactionID
  public var merchant: PublicKey
  public var runningTotal: Money
  public var hx: Hash
  /// i: which purchase of the series.
  public var index: UInt64
  public var hR6: Hash

  public init(n: TransactionID, merchant: PublicKey, runningTotal: Money, hx: Hash, index: UInt64, hR6: Hash)
  {
    self.n = n
    self.merchant = merchant
    self.runningTotal = runningTotal
    self.hx = hx
    self.index = index
    self.hR6 = hR6
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    runningTotal = f.required(ACD_KEY_VALUE).money
    hx = f.required(ACD_KEY_HX).hash
    index = f.required(Int(ACD_R_INDEX)).number
    hR6 = f.required(Int(ACD_R7_H_R6)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_VALUE, runningTotal)
    f.put(ACD_KEY_HX, hx)
    f.put(Int(ACD_R_INDEX), index)
    f.put(Int(ACD_R7_H_R6), hR6)
  }
}

/// R8: M→C. The key of purchase i.
public struct R8: Payload {
  public static let type = MessageType.r8
  public var n: TransactionID
  /// k_i, 32 bytes.
  public var key: [UInt8]
  /// i: which purchase of the series.
  public var index: UInt64

  public init(n: TransactionID, key: [UInt8], index: UInt64) {
    self.n = n
    self.key = key
    self.index = index
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    key = f.required(ACD_KEY_X).array
    index = f.required(Int(ACD_R_INDEX)).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_X, bytes: key)
    f.put(Int(ACD_R_INDEX), index)
  }
}

/// R9, Authorization_m: M→A, sealed to A, with R3 and R7, or R3, R5, R6 and the ciphertext.
public struct R9: SubmissionPayload {
  public static let type = MessageType.r9
  public var n: TransactionID
  public var expiration: Timestamp
  /// H of the offer.
  public var hP1: Hash
  /// L: H of the lock's message.
  public var lock: Hash
  /// x_j.
  public var key: [UInt8]
  /// i: which purchase of the series.
  public var index: UInt64
  /// H of R7 of j; forced: of R6 of j; j = 0: of R1.
  public var hItem: Hash
  public var delivery: Delivery
  /// Forced: x_(j-1), so that C is charged for nothing whose key it lacks.
  public var previousKey: [UInt8]?

  public init(
    n: TransactionID, expiration: Timestamp, hP1: Hash, lock: Hash, key: [UInt8], index: UInt64, hItem: Hash,
    delivery: Delivery, previousKey: [UInt8]? = nil
  ) {
    self.previousKey = previousKey
    self.n = n
    self.expiration = expiration
    self.hP1 = hP1
    self.lock = lock
    self.key = key
    self.index = index
    self.hItem = hItem
    self.delivery = delivery
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    lock = f.required(ACD_KEY_LOCK).hash
    key = f.required(ACD_KEY_X).array
    index = f.required(Int(ACD_R_INDEX)).number
    hItem = f.required(Int(ACD_R9_H_ITEM)).hash
    delivery = try Delivery(f.required(Int(ACD_R9_KIND)).number)
    previousKey = f.value(Int(ACD_R9_X_PREVIOUS))?.array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_X, bytes: key)
    f.put(Int(ACD_R_INDEX), index)
    f.put(Int(ACD_R9_H_ITEM), hItem)
    f.put(Int(ACD_R9_KIND), delivery.rawValue)
    f.put(Int(ACD_R9_X_PREVIOUS), bytes: previousKey)
  }
}
