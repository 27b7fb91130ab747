// Early commitment's own messages (US 6,076,078, FIG. 5; docs/SPEC.md, "Tables"): the tokens are locked
// before the goods arrive. k = x ⊕ r: E1 carries r, E6 and E7a carry x, E4 the ciphertext's root; only all
// three open the goods, so the public record alone discloses nothing.

internal import CCore

/// How the goods count as delivered where C acknowledges them after the lock.
public enum Delivery: UInt64, CaseIterable, Sendable {
  /// By E5 or R7.
  case acknowledged = 1
  /// Forced: the archive holds the ciphertext for C.
  case forced

  init(_ number: UInt64) throws(MessageError) {
    guard let value = Delivery(rawValue: number) else {
      throw MessageError(.malformed, "field-range", "kind")
    }
    self = value
  }
}

/// E1, Contract: M→C. The terms, before there are goods.
public struct E1: OfferPayload {
  public static let type = MessageType.e1
  public var n: TransactionID
  public var hx: Hash
  public var salt: Hash
  public var contract: Contract
  /// r: 32 random bytes, between M and C only.
  public var maskBytes: [UInt8]

  public var goods: GoodsClaim? { nil }
  public var mask: Hash? { Hash(maskBytes) }

  public init(n: TransactionID, hx: Hash, salt: Hash, contract: Contract, maskBytes: [UInt8]) {
    self.n = n
    self.hx = hx
    self.salt = salt
    self.contract = contract
    self.maskBytes = maskBytes
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    hx = f.required(ACD_KEY_HX).hash
    salt = f.required(ACD_KEY_SALT).hash
    contract = try Contract(encoded: f.required(Int(ACD_E1_CONTRACT)).array)
    maskBytes = f.required(Int(ACD_E1_MASK)).array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_HX, hx)
    f.put(ACD_KEY_SALT, salt)
    try f.put(Int(ACD_E1_CONTRACT), map: contract)
    f.put(Int(ACD_E1_MASK), bytes: maskBytes)
  }
}

/// E4, Merchandise: M→C. What the ciphertext is.
public struct E4: Payload {
  public static let type = MessageType.e4
  public var n: TransactionID
  /// H of the offer.
  public var hP1: Hash
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64

  public var goods: GoodsClaim { GoodsClaim(root: root, length: length) }

  public init(n: TransactionID, hP1: Hash, root: Hash, length: UInt64) {
    self.n = n
    self.hP1 = hP1
    self.root = root
    self.length = length
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    hP1 = f.required(ACD_KEY_H_P1).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
  }
}

/// E5, Acknowledge: C→M, signed by P. All of E4's ciphertext is here.
public struct E5: Payload {
  public static let type = MessageType.e5
  public var n: TransactionID
  public var merchant: PublicKey
  public var hE4: Hash

  public init(n: TransactionID, merchant: PublicKey, hE4: Hash) {
    self.n = n
    self.merchant = merchant
    self.hE4 = hE4
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    hE4 = f.required(Int(ACD_E5_H_E4)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(Int(ACD_E5_H_E4), hE4)
  }
}

/// E6, Authorization_m: M→A, sealed to A, with E3 and E5, or E3, E4 and the ciphertext.
public struct E6: SubmissionPayload {
  public static let type = MessageType.e6
  public var n: TransactionID
  public var expiration: Timestamp
  /// H of the offer.
  public var hP1: Hash
  /// L: H of the lock's message.
  public var lock: Hash
  /// x = k ⊕ r.
  public var key: [UInt8]
  public var hE4: Hash
  public var delivery: Delivery

  public init(
    n: TransactionID, expiration: Timestamp, hP1: Hash, lock: Hash, key: [UInt8], hE4: Hash,
    delivery: Delivery
  ) {
    self.n = n
    self.expiration = expiration
    self.hP1 = hP1
    self.lock = lock
    self.key = key
    self.hE4 = hE4
    self.delivery = delivery
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    lock = f.required(ACD_KEY_LOCK).hash
    key = f.required(ACD_KEY_X).array
    hE4 = f.required(Int(ACD_E6_H_E4)).hash
    delivery = try Delivery(f.required(Int(ACD_E6_KIND)).number)
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_X, bytes: key)
    f.put(Int(ACD_E6_H_E4), hE4)
    f.put(Int(ACD_E6_KIND), delivery.rawValue)
  }
}

/// Held, S_a(E4): A has the ciphertext and serves it (forced commit, attack 7).
public struct Held: Payload {
  public static let type = MessageType.held
  public var n: TransactionID
  public var merchant: PublicKey
  /// L: H of the lock's message.
  public var lock: Hash
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64
  /// How long it is kept.
  public var until: Timestamp
  /// H of E4 or R6.
  public var hGoods: Hash

  public init(
    n: TransactionID, merchant: PublicKey, lock: Hash, root: Hash, length: UInt64, until: Timestamp,
    hGoods: Hash
  ) {
    self.n = n
    self.merchant = merchant
    self.lock = lock
    self.root = root
    self.length = length
    self.until = until
    self.hGoods = hGoods
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    lock = f.required(ACD_KEY_LOCK).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
    until = f.required(ACD_KEY_UNTIL).number
    hGoods = f.required(Int(ACD_HELD_H_GOODS)).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
    f.put(ACD_KEY_UNTIL, until)
    f.put(Int(ACD_HELD_H_GOODS), hGoods)
  }
}
