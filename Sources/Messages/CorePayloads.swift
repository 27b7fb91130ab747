// The core protocol's own messages (US 6,076,078, FIG. 4; docs/SPEC.md, "Core"): P1, P4, the acknowledgement
// S_p(P1), Cancel and CoSign. Each is the payload of one signed message. What it shares with the other
// protocols, P2, P3, P5a and P5b, stands in LockPayloads.swift.

internal import CCore

/// P1, Merchandise: M→C. What is sold, under which terms, and what the ciphertext must be.
public struct P1: OfferPayload {
  public static let type = MessageType.p1
  /// The transaction's id.
  public var n: TransactionID
  /// Commits to k: `Hash.keyCommitment`.
  public var hx: Hash
  /// RFC 6962 root over the sealed goods (docs/SPEC.md, "Goods").
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64
  /// Random, so that the bank cannot test guesses against hP1.
  public var salt: Hash
  /// The terms.
  public var contract: Contract

  /// One piece of goods, all of it before P2.
  public var goods: GoodsClaim? { GoodsClaim(root: root, length: length) }
  /// k is published as it is.
  public var mask: Hash? { nil }

  public init(
    n: TransactionID, hx: Hash, root: Hash, length: UInt64, salt: Hash, contract: Contract
  ) {
    (self.n, self.hx, self.root, self.length, self.salt, self.contract) =
      (n, hx, root, length, salt, contract)
  }

  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    hx = f.required(ACD_KEY_HX).hash
    root = f.required(ACD_KEY_ROOT).hash
    length = f.required(ACD_KEY_LENGTH).number
    salt = f.required(ACD_KEY_SALT).hash
    contract = try Contract(encoded: f.required(Int(ACD_P1_CONTRACT)).array)
  }

  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_HX, hx)
    f.put(ACD_KEY_ROOT, root)
    f.put(ACD_KEY_LENGTH, length)
    f.put(ACD_KEY_SALT, salt)
    try f.put(Int(ACD_P1_CONTRACT), map: contract)
  }
}

/// The terms of a sale, inside P1.
public struct Contract: Fields {
  public static let type = MessageType.contract
  /// P: the customer's pseudonym for this purchase; its key acknowledges, complains and collects.
  public var pseudonym: PublicKey
  public var price: Money
  /// The latest expiration that the merchant accepts in P2.
  public var expirationMax: Timestamp
  /// Until when evidence is kept and disputes are heard.
  public var lifetime: Timestamp
  /// Physical goods: until when the parcel is kept.
  public var holdUntil: Timestamp?
  public var date: Timestamp
  /// `Hash.description` of the offer's description under P1's salt.
  public var descriptionHash: Hash
  /// SHA-256 of the goods in the clear.
  public var digests: [Hash]
  /// The archives that the merchant accepts.
  public var archives: [PublicKey]
  /// The banks that the merchant accepts.
  public var banks: [PublicKey]
  public var mode: Mode
  /// The merchant will not submit P4 before it holds S_p(P1).
  public var twoSided: Bool
  /// The goods' file name, without directories; may be empty.
  public var name: String
  /// Physical goods: the parcel's label.
  public var parcel: String?
  /// Physical goods: where it may be collected; empty means anywhere that trusts the merchant.
  public var offices: [PublicKey]
  /// Physical goods: keys that may collect; empty means that P may.
  public var collectKeys: [PublicKey]

  public init(
    pseudonym: PublicKey, price: Money, expirationMax: Timestamp, lifetime: Timestamp,
    holdUntil: Timestamp? = nil, date: Timestamp, descriptionHash: Hash, digests: [Hash],
    archives: [PublicKey], banks: [PublicKey], mode: Mode = .core, twoSided: Bool, name: String,
    parcel: String? = nil, offices: [PublicKey] = [], collectKeys: [PublicKey] = []
  ) {
    (self.pseudonym, self.price, self.expirationMax, self.lifetime, self.holdUntil, self.date) =
      (pseudonym, price, expirationMax, lifetime, holdUntil, date)
    (self.descriptionHash, self.digests, self.archives, self.banks, self.mode, self.twoSided) =
      (descriptionHash, digests, archives, banks, mode, twoSided)
    (self.name, self.parcel, self.offices, self.collectKeys) = (name, parcel, offices, collectKeys)
  }

  public init(_ f: FieldReader) throws(MessageError) {
    pseudonym = f.required(ACD_KEY_PSEUDONYM).publicKey
    price = f.required(ACD_KEY_VALUE).money
    expirationMax = f.required(ACD_KEY_EXPIRATION).number
    lifetime = f.required(ACD_KEY_LIFETIME).number
    holdUntil = f.value(ACD_KEY_UNTIL)?.number
    date = f.required(Int(ACD_CONTRACT_DATE)).number
    descriptionHash = f.required(Int(ACD_CONTRACT_H_DESCRIPTION)).hash
    digests = try f.required(Int(ACD_CONTRACT_DIGESTS)).hashes
    archives = try f.required(Int(ACD_CONTRACT_ARCHIVES)).publicKeys
    banks = try f.required(Int(ACD_CONTRACT_BANKS)).publicKeys
    mode = try Mode(number: f.required(Int(ACD_CONTRACT_MODE)).number, "contract.mode")
    twoSided = f.required(Int(ACD_CONTRACT_TWO_SIDED)).flag
    name = f.required(Int(ACD_CONTRACT_NAME)).text
    parcel = f.value(Int(ACD_CONTRACT_PARCEL))?.text
    offices = try f.value(Int(ACD_CONTRACT_OFFICES))?.publicKeys ?? []
    collectKeys = try f.value(Int(ACD_CONTRACT_COLLECT_KEYS))?.publicKeys ?? []
  }

  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_PSEUDONYM, pseudonym)
    f.put(ACD_KEY_VALUE, price)
    f.put(ACD_KEY_EXPIRATION, expirationMax)
    f.put(ACD_KEY_LIFETIME, lifetime)
    f.put(ACD_KEY_UNTIL, holdUntil)
    f.put(Int(ACD_CONTRACT_DATE), date)
    f.put(Int(ACD_CONTRACT_H_DESCRIPTION), descriptionHash)
    f.put(Int(ACD_CONTRACT_DIGESTS), list: digests)
    f.put(Int(ACD_CONTRACT_ARCHIVES), list: archives)
    f.put(Int(ACD_CONTRACT_BANKS), list: banks)
    f.put(Int(ACD_CONTRACT_MODE), mode.rawValue)
    f.put(Int(ACD_CONTRACT_TWO_SIDED), twoSided)
    f.put(Int(ACD_CONTRACT_NAME), name)
    f.put(Int(ACD_CONTRACT_PARCEL), parcel)
    f.put(Int(ACD_CONTRACT_OFFICES), list: offices.isEmpty ? nil : offices)
    f.put(Int(ACD_CONTRACT_COLLECT_KEYS), list: collectKeys.isEmpty ? nil : collectKeys)
  }
}

/// S_p(P1): C→M. The customer holds all of the ciphertext (two-sided delivery).
public struct Acknowledgement: Payload {
  public static let type = MessageType.acknowledgement
  public var n: TransactionID
  public var merchant: PublicKey
  public var hP1: Hash

  public init(n: TransactionID, merchant: PublicKey, hP1: Hash) {
    (self.n, self.merchant, self.hP1) = (n, merchant, hP1)
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    hP1 = f.required(ACD_KEY_H_P1).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_H_P1, hP1)
  }
}

/// P4, Authorization_m: M→A, always sealed to A, with P3 (and S_p(P1) if two-sided) beside it. It carries k.
public struct P4: SubmissionPayload {
  public static let type = MessageType.p4
  public var n: TransactionID
  public var expiration: Timestamp
  public var hP1: Hash
  /// L = H(P3).
  public var lock: Hash
  /// k, 32 bytes: secret until P5a publishes it.
  public var key: [UInt8]

  public init(n: TransactionID, expiration: Timestamp, hP1: Hash, lock: Hash, key: [UInt8]) {
    (self.n, self.expiration, self.hP1, self.lock, self.key) = (n, expiration, hP1, lock, key)
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    expiration = f.required(ACD_KEY_EXPIRATION).number
    hP1 = f.required(ACD_KEY_H_P1).hash
    lock = f.required(ACD_KEY_LOCK).hash
    key = f.required(ACD_KEY_X).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_EXPIRATION, expiration)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_X, bytes: key)
  }
}

/// Cancel: M→A. M gives the sale up: A may abort at once, and refuses a later P4.
public struct Cancel: Payload {
  public static let type = MessageType.cancel
  public var n: TransactionID
  public var lock: Hash

  public init(n: TransactionID, lock: Hash) { (self.n, self.lock) = (n, lock) }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    lock = f.required(ACD_KEY_LOCK).hash
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_LOCK, lock)
  }
}

/// CoSign: one more token key signs the whole message inside.
public struct CoSign: Payload {
  public static let type = MessageType.coSign
  public var message: [UInt8]

  public init(message: [UInt8]) { self.message = message }
  public init(_ f: FieldReader) { message = f.required(Int(ACD_COSIGN_MESSAGE)).array }
  public func write(to f: inout FieldWriter) { f.put(Int(ACD_COSIGN_MESSAGE), bytes: message) }
}
