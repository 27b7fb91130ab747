// When a denomination key signs and when tokens signed with it are accepted; which of overlapping keys to
// use.
//
// Invariants: times are seconds of Unix time; windows are half-open, so that a moment belongs to exactly
// one side of every limit; issueFrom < issueUntil <= spendUntil. Every wallet picks the same key at the
// same moment: a choice that differed between customers would mark their tokens.

/// Why a window or a list of denomination keys is refused.
public enum DenominationError: Error, Equatable, Sendable {
  /// The limits are not in order.
  case window
  /// Two keys of a list have one name.
  case duplicateKey
  /// The overlap asked for is not shorter than the issuing time.
  case overlap
  /// The successor's times exceed 64 bits.
  case overflow
}

/// The lifetime of a denomination key.
public struct DenominationWindow: Sendable, Equatable, Hashable {
  /// The first moment at which the key signs, and its tokens are accepted.
  public let issueFrom: UInt64
  /// The first moment at which it signs no more.
  public let issueUntil: UInt64
  /// The first moment at which its tokens are accepted no more: when they end.
  public let spendUntil: UInt64

  /// Throws `window` unless issueFrom < issueUntil <= spendUntil.
  public init(
    issueFrom: UInt64, issueUntil: UInt64, spendUntil: UInt64
  ) throws(DenominationError) {
    guard issueFrom < issueUntil, issueUntil <= spendUntil else { throw .window }
    self.issueFrom = issueFrom
    self.issueUntil = issueUntil
    self.spendUntil = spendUntil
  }

  /// Whether the key signs at `time`.
  public func issues(at time: UInt64) -> Bool { self.issueFrom <= time && time < self.issueUntil }

  /// Whether tokens of the key are accepted at `time`, for payment, deposit or exchange.
  public func accepts(at time: UInt64) -> Bool { self.issueFrom <= time && time < self.spendUntil }

  /// Whether tokens of the key are accepted now and through a lifetime that ends at `end`, exclusive.
  public func accepts(from time: UInt64, through end: UInt64) -> Bool {
    self.accepts(at: time) && end <= self.spendUntil
  }

  /// The window of the key that follows this one: as long in each part, and beginning `overlap` seconds
  /// before this one stops issuing, so that a wallet whose clock is off by less finds a key that signs.
  public func successor(overlap: UInt64) throws(DenominationError) -> DenominationWindow {
    guard overlap < self.issueUntil - self.issueFrom else { throw .overlap }
    let shift = self.issueUntil - overlap - self.issueFrom
    let (issueUntil, overflow1) = self.issueUntil.addingReportingOverflow(shift)
    let (spendUntil, overflow2) = self.spendUntil.addingReportingOverflow(shift)
    guard !overflow1, !overflow2 else { throw .overflow }
    return try DenominationWindow(
      issueFrom: self.issueFrom + shift, issueUntil: issueUntil, spendUntil: spendUntil)
  }
}

/// What a key list says of one denomination key.
public struct DenominationEntry: Sendable, Equatable {
  /// The key's name: `BlindingKey.keyID`.
  public let keyID: [UInt8]
  /// ISO 4217.
  public let currency: String
  /// What its tokens are worth when issued, in minor units.
  public let value: UInt64
  /// When it signs and when its tokens are accepted.
  public let window: DenominationWindow

  /// What a key list says of one denomination key.
  public init(keyID: [UInt8], currency: String, value: UInt64, window: DenominationWindow) {
    self.keyID = keyID
    self.currency = currency
    self.value = value
    self.window = window
  }
}

/// The denomination keys of one bank, over time.
public struct DenominationSchedule: Sendable, Equatable {
  /// The keys, by name.
  private let entries: [[UInt8]: DenominationEntry]

  /// The keys of a verified key list; throws `duplicateKey` when a name occurs twice.
  public init(_ entries: [DenominationEntry]) throws(DenominationError) {
    var byID: [[UInt8]: DenominationEntry] = [:]
    for entry in entries {
      guard byID.updateValue(entry, forKey: entry.keyID) == nil else { throw .duplicateKey }
    }
    self.entries = byID
  }

  /// The key named `keyID`, whatever its window; nil when the list does not have it.
  public func entry(_ keyID: [UInt8]) -> DenominationEntry? { self.entries[keyID] }

  // MARK: Issuing

  /// The key that a wallet asks for at `time`: of those that sign, the newest, whose tokens last longest;
  /// nil when none signs. Newest is the latest `issueFrom`, then the latest `spendUntil`, then the greatest
  /// name.
  public func issuingKey(currency: String, value: UInt64, at time: UInt64) -> DenominationEntry? {
    self.entries.values
      .filter { $0.currency == currency && $0.value == value && $0.window.issues(at: time) }
      .max(by: Self.isOlder)
  }

  /// The values that can be withdrawn at `time`, ascending: what `ChangeMaking.split` chooses from.
  public func issuedValues(currency: String, at time: UInt64) -> [UInt64] {
    let signing = self.entries.values.filter {
      $0.currency == currency && $0.window.issues(at: time)
    }
    return Set(signing.map(\.value)).sorted()
  }

  /// Whether the bank signs with the key at `time`: any key that issues, also one that a newer overlaps.
  public func mayIssue(_ keyID: [UInt8], at time: UInt64) -> Bool {
    self.entries[keyID]?.window.issues(at: time) ?? false
  }

  // MARK: Accepting

  /// The keys whose tokens are accepted at `time`, oldest first.
  public func acceptedKeys(at time: UInt64) -> [DenominationEntry] {
    self.entries.values.filter { $0.window.accepts(at: time) }.sorted(by: Self.isOlder)
  }

  private static func isOlder(_ a: DenominationEntry, _ b: DenominationEntry) -> Bool {
    if a.window.issueFrom != b.window.issueFrom { return a.window.issueFrom < b.window.issueFrom }
    if a.window.spendUntil != b.window.spendUntil {
      return a.window.spendUntil < b.window.spendUntil
    }
    return a.keyID.lexicographicallyPrecedes(b.keyID)
  }
}
