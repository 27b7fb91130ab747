// The rows that every party keeps: machine states, the message log, and the outbox.
//
// Plain values; the store gives no meaning to kinds, labels, phases and bytes.

/// The state of one protocol machine between two events.
public struct MachineRow: Sendable, Equatable {
  /// Which machine: the party's role and protocol.
  public var kind: String
  /// Which instance, unique within its kind.
  public var key: [UInt8]
  /// The machine's phase, for listing.
  public var phase: Int
  /// When it has something to do by itself; nil: only when a message comes.
  public var due: Int64?
  /// The state, as the machine encodes it.
  public var data: [UInt8]

  /// A state row.
  public init(kind: String, key: [UInt8], phase: Int, due: Int64? = nil, data: [UInt8]) {
    self.kind = kind
    self.key = key
    self.phase = phase
    self.due = due
    self.data = data
  }
}

/// A signed message as it was received or sent, byte for byte.
public struct StoredMessage: Sendable, Equatable {
  /// Its place in the store's log, from 1.
  public var sequence: Int64
  /// The machine it belongs to.
  public var key: [UInt8]
  /// The name of the message type.
  public var label: String
  /// The signed bytes.
  public var bytes: [UInt8]

  /// A log entry.
  public init(sequence: Int64, key: [UInt8], label: String, bytes: [UInt8]) {
    self.sequence = sequence
    self.key = key
    self.label = label
    self.bytes = bytes
  }
}

/// A message that waits for its delivery.
public struct OutboxItem: Sendable, Equatable {
  /// Never used again, even after the item is gone.
  public var id: Int64
  /// Whom it is for.
  public var destination: String
  /// Where it goes there.
  public var path: String
  /// What is sent, byte for byte.
  public var body: [UInt8]
  /// Failed attempts so far.
  public var attempts: Int
  /// When to try next.
  public var nextAttemptAt: Int64
  /// When it was queued.
  public var createdAt: Int64

  /// A pending item.
  public init(
    id: Int64, destination: String, path: String, body: [UInt8], attempts: Int,
    nextAttemptAt: Int64, createdAt: Int64
  ) {
    self.id = id
    self.destination = destination
    self.path = path
    self.body = body
    self.attempts = attempts
    self.nextAttemptAt = nextAttemptAt
    self.createdAt = createdAt
  }
}
