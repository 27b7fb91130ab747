// The rows of the bank's token states and of the archive's public record.
//
// A token's value splits into spent, locked and available parts; the first two never exceed it. An archive
// record is the one outcome of one lock, and at most one of a transaction's records is a commit
// (US 6,076,078, the two-phase commit of FIG. 3).

/// A token as the bank knows it, from its first use on.
public struct TokenRow: Sendable, Equatable {
  /// The hash of the token's public key and serial: 32 bytes.
  public var id: [UInt8]
  /// The token's public key.
  public var key: [UInt8]
  /// The denomination key that signed it.
  public var keyID: [UInt8]
  /// ISO 4217.
  public var currency: String
  /// Its worth when issued, in minor units.
  public var value: Int64
  /// How much is gone for good.
  public var spent: Int64
  /// How much waits for an archive's outcome.
  public var locked: Int64

  /// A token's state.
  public init(
    id: [UInt8], key: [UInt8], keyID: [UInt8], currency: String, value: Int64, spent: Int64 = 0,
    locked: Int64 = 0
  ) {
    self.id = id
    self.key = key
    self.keyID = keyID
    self.currency = currency
    self.value = value
    self.spent = spent
    self.locked = locked
  }
}

/// One use of a token: a part of its value under one lock.
public struct TokenUse: Sendable, Equatable {
  /// What became of the part.
  public enum State: Int, Sendable {
    /// It waits for the archive's outcome.
    case locked = 0
    /// It was paid out.
    case spent = 1
    /// It is available again.
    case released = 2
  }

  /// The token's id.
  public var token: [UInt8]
  /// The lock's name; one use of a token per lock.
  public var lock: [UInt8]
  /// The part of the value, in minor units.
  public var amount: Int64
  /// What became of it.
  public var state: State
  /// The message that brought it there: a hash or reference.
  public var message: [UInt8]

  /// A use.
  public init(token: [UInt8], lock: [UInt8], amount: Int64, state: State, message: [UInt8]) {
    self.token = token
    self.lock = lock
    self.amount = amount
    self.state = state
    self.message = message
  }
}

/// One record of the archive.
public struct RecordRow: Sendable, Equatable {
  /// An outcome.
  public enum Kind: Int, Sendable {
    /// The transaction took place.
    case commit = 1
    /// It did not.
    case abort = 2
  }

  /// Its place in the record, from 1 without gaps.
  public var sequence: Int64
  /// The merchant's public key.
  public var merchant: [UInt8]
  /// The merchant's transaction id.
  public var n: [UInt8]
  /// The lock that it decides.
  public var lock: [UInt8]
  /// The outcome.
  public var kind: Kind
  /// The archive's sequencing time; never earlier than that of the record before.
  public var at: Int64
  /// The signed message, byte for byte.
  public var body: [UInt8]

  /// A record.
  public init(
    sequence: Int64, merchant: [UInt8], n: [UInt8], lock: [UInt8], kind: Kind, at: Int64,
    body: [UInt8]
  ) {
    self.sequence = sequence
    self.merchant = merchant
    self.n = n
    self.lock = lock
    self.kind = kind
    self.at = at
    self.body = body
  }
}
