// Delivery at a counter (docs/SPEC.md, "Tables"): the parcel's arrival, the kiosk's challenge, the customer's
// answer, what became of the parcel, and the leave for somebody else to collect.

internal import CCore

/// What a customer wants at a counter.
public enum DeliveryIntent: UInt64, CaseIterable, Sendable {
  case collect = 1
  case refuse, refuseDamaged, refuseWrong
}

/// Which of a kiosk's two records of a delivery this is.
public enum DeliveryStage: UInt64, Sendable {
  case verified = 1
  case final
}

/// What became of a parcel.
public enum DeliveryOutcome: UInt64, CaseIterable, Sendable {
  case handedOver = 1
  case refused, refusedDamaged, failed, expired, returned
}

/// D0: K→M. The parcel is here.
public struct D0: Payload {
  public static let type = MessageType.d0
  public var parcel: String
  public var arrived: Timestamp

  public init(parcel: String, arrived: Timestamp) {
    self.parcel = parcel
    self.arrived = arrived
  }
  public init(_ f: FieldReader) {
    parcel = f.required(Int(ACD_D0_PARCEL)).text
    arrived = f.required(ACD_KEY_AT).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, arrived)
    f.put(Int(ACD_D0_PARCEL), parcel)
  }
}

/// D1: K→C. Show that this receipt is yours, now, here.
public struct D1: Payload {
  public static let type = MessageType.d1
  public var n: TransactionID
  public var merchant: PublicKey
  public var hP1: Hash
  public var time: Timestamp
  public var nonce: Nonce
  public var office: PublicKey
  public var parcel: String
  public var hP5a: Hash
  /// A `DeliveryIntent`'s number.
  public var intent: UInt64
  /// What was found in a damaged parcel.
  public var inventory: String?

  public init(
    n: TransactionID, merchant: PublicKey, hP1: Hash, time: Timestamp, nonce: Nonce, office: PublicKey,
    parcel: String, hP5a: Hash, intent: DeliveryIntent, inventory: String? = nil
  ) {
    self.n = n
    self.merchant = merchant
    self.hP1 = hP1
    self.time = time
    self.nonce = nonce
    self.office = office
    self.parcel = parcel
    self.hP5a = hP5a
    self.intent = intent.rawValue
    self.inventory = inventory
  }
  public init(_ f: FieldReader) {
    n = f.required(ACD_KEY_N).transaction
    merchant = f.required(ACD_KEY_MERCHANT).publicKey
    hP1 = f.required(ACD_KEY_H_P1).hash
    time = f.required(ACD_KEY_AT).number
    nonce = f.required(ACD_KEY_NONCE).nonce
    office = f.required(Int(ACD_D1_OFFICE)).publicKey
    parcel = f.required(Int(ACD_D1_PARCEL)).text
    hP5a = f.required(Int(ACD_D1_H_P5A)).hash
    intent = f.required(Int(ACD_D1_INTENT)).number
    inventory = f.value(Int(ACD_D1_INVENTORY))?.text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(ACD_KEY_AT, time)
    f.put(ACD_KEY_NONCE, nonce)
    f.put(Int(ACD_D1_OFFICE), office)
    f.put(Int(ACD_D1_PARCEL), parcel)
    f.put(Int(ACD_D1_H_P5A), hP5a)
    f.put(Int(ACD_D1_INTENT), intent)
    f.put(Int(ACD_D1_INVENTORY), inventory)
  }
}

/// D2: C→K, signed by P or another key of `collect_keys`, after the PIN.
public struct D2: Payload {
  public static let type = MessageType.d2
  public var hD1: Hash
  /// D1's.
  public var intent: UInt64

  public init(hD1: Hash, intent: DeliveryIntent) {
    self.hD1 = hD1
    self.intent = intent.rawValue
  }
  public init(_ f: FieldReader) {
    hD1 = f.required(ACD_KEY_H_REQUEST).hash
    intent = f.required(Int(ACD_D2_INTENT)).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_H_REQUEST, hD1)
    f.put(Int(ACD_D2_INTENT), intent)
  }
}

/// D3: K→M, A. What became of the parcel: one record when the right was verified, one when it was over.
public struct D3: Payload {
  public static let type = MessageType.d3
  public var time: Timestamp
  /// nil where no customer was there: then the parcel is named.
  public var hD2: Hash?
  /// A `DeliveryStage`'s number.
  public var stage: UInt64
  /// A `DeliveryOutcome`'s number.
  public var outcome: UInt64
  /// The record's place in the kiosk's journal, and the hash of the one before.
  public var index: UInt64
  public var previous: Hash?
  public var parcel: String?

  public init(
    time: Timestamp, hD2: Hash?, stage: DeliveryStage, outcome: DeliveryOutcome, index: UInt64,
    previous: Hash?, parcel: String? = nil
  ) {
    self.time = time
    self.hD2 = hD2
    self.stage = stage.rawValue
    self.outcome = outcome.rawValue
    self.index = index
    self.previous = previous
    self.parcel = parcel
  }
  public init(_ f: FieldReader) {
    time = f.required(ACD_KEY_AT).number
    hD2 = f.value(ACD_KEY_H_REQUEST)?.hash
    stage = f.required(Int(ACD_D3_STAGE)).number
    outcome = f.required(Int(ACD_D3_OUTCOME)).number
    index = f.required(Int(ACD_D3_INDEX)).number
    previous = f.value(Int(ACD_D3_PREVIOUS))?.hash
    parcel = f.value(Int(ACD_D3_PARCEL))?.text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, time)
    f.put(ACD_KEY_H_REQUEST, hD2)
    f.put(Int(ACD_D3_STAGE), stage)
    f.put(Int(ACD_D3_OUTCOME), outcome)
    f.put(Int(ACD_D3_INDEX), index)
    f.put(Int(ACD_D3_PREVIOUS), previous)
    f.put(Int(ACD_D3_PARCEL), parcel)
  }
}

/// Delegation, signed by P: whoever has this key may collect this one parcel, until then.
public struct Delegation: Payload {
  public static let type = MessageType.delegation
  public var key: PublicKey
  public var parcel: String
  public var until: Timestamp

  public init(key: PublicKey, parcel: String, until: Timestamp) {
    self.key = key
    self.parcel = parcel
    self.until = until
  }
  public init(_ f: FieldReader) {
    key = f.required(Int(ACD_DELEGATION_KEY)).publicKey
    parcel = f.required(Int(ACD_DELEGATION_PARCEL)).text
    until = f.required(ACD_KEY_UNTIL).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_UNTIL, until)
    f.put(Int(ACD_DELEGATION_KEY), key)
    f.put(Int(ACD_DELEGATION_PARCEL), parcel)
  }
}
