// What a kiosk's journal comes to: where each parcel is, what is still to be sent, who is on duty. It follows
// from the entries alone, so that a restart and another PC of the office know the same.
//
//   expected ──▶ shelved ──▶ in hand (verified) ──▶ out (an outcome)
//                   ▲  └────────────┬─────────────────▲
//                   └── withdrawn ──┘     expired, returned, failed
//
// Invariant: each parcel is in exactly one place. What is out never comes back.

public import Messages

/// Where a parcel is.
public enum ParcelPlace: Equatable, Sendable {
  /// Announced by its merchant, not here yet.
  case expected
  /// On its shelf.
  case shelved
  /// Its customer's right is shown; being handed over. After a crash nobody knows whether it was.
  case inHand(hD2: Hash)
  /// Gone, or to go back: final.
  case out(DeliveryOutcome)
  /// Another kiosk signed an outcome of it: this one hands nothing over under this label.
  case elsewhere
}

/// A parcel as the office knows it.
public struct ShelvedParcel: Equatable, Sendable {
  public var label: String
  public var place: ParcelPlace
  public var shelf: String?
  public var arrived: Timestamp?
  /// From the signed contract, as soon as that is known.
  public var holdUntil: Timestamp?
  public var merchant: PublicKey?
  public var n: TransactionID?
  /// When it came to its present place.
  public var since: Timestamp
}

/// Something signed that a merchant or archive has not yet taken.
public struct PendingRecord: Equatable, Sendable {
  /// H of D0, or of the final D3.
  public var id: Hash
  public var parcel: String
  public var messages: [[UInt8]]
  /// Who has to have it: merchant and archive.
  public var peers: Set<PublicKey>

  public init(id: Hash, parcel: String, messages: [[UInt8]], peers: Set<PublicKey>) {
    (self.id, self.parcel, self.messages, self.peers) = (id, parcel, messages, peers)
  }
}

/// What the entries come to.
public struct CounterState: Sendable {
  public private(set) var kiosk: PublicKey?
  public private(set) var parcels: [String: ShelvedParcel] = [:]
  public private(set) var pending: [PendingRecord] = []
  /// The clerk on duty, by his pseudonym.
  public private(set) var clerk: String?
  /// The latest time of any entry: a clock before it was set back.
  public private(set) var latest: Timestamp = 0
  /// The chain of signed D3s.
  public private(set) var records: UInt64 = 0
  public private(set) var lastRecord: Hash?
  /// Messages of a visit that is verified and not ended, by parcel.
  private var visits: [String: [[UInt8]]] = [:]
  private var archives: [String: PublicKey] = [:]
  private var announced: Set<String> = []
  /// All records of what became of parcels, by parcel.
  public private(set) var finals: [String: [[UInt8]]] = [:]
  /// D0 of each parcel that arrived.
  public private(set) var arrivals: [String: [UInt8]] = [:]
  /// Parcels whose record was printed.
  public private(set) var printed: Set<String> = []
  /// Parcels that the last closes carried over, and why.
  public private(set) var carried: [String: String] = [:]

  public init() {}

  /// An entry that cannot be behind those before it.
  struct Impossible: Error {}

  mutating func apply(_ entry: JournalEntry) throws(Impossible) {
    latest = max(latest, entry.time)
    switch entry.kind {
    case .opened:
      guard kiosk == nil else { throw Impossible() }
      kiosk = entry.fields[.key].flatMap(PublicKey.init(hex:))
    case .expected, .arrived, .moved: try shelve(entry)
    case .verified: try verify(entry)
    case .withdrawn:
      let label = try label(entry)
      guard case .inHand = parcels[label]?.place else { throw Impossible() }
      visits[label] = nil
      parcels[label]?.place = .shelved
    case .final: try end(entry)
    case .elsewhere:
      let label = try label(entry)
      if case .out = parcels[label]?.place { break }
      parcels[label]?.place = .elsewhere
    case .synced: taken(entry)
    case .shift: clerk = entry.fields[.clerk].flatMap { $0.isEmpty ? nil : $0 }
    case .closed:
      carried = [:]
      for label in entry.fields[.carried]?.split(separator: ",") ?? [] {
        carried[String(label)] = entry.fields[.reason] ?? ""
      }
    case .printed: printed.insert(try label(entry))
    case .stopped, .trust: break
    }
  }

  private func label(_ entry: JournalEntry) throws(Impossible) -> String {
    guard let label = entry.fields[.parcel], parcels[label] != nil else { throw Impossible() }
    return label
  }

  private mutating func shelve(_ entry: JournalEntry) throws(Impossible) {
    guard let label = entry.fields[.parcel] else { throw Impossible() }
    var parcel =
      parcels[label]
      ?? ShelvedParcel(label: label, place: .expected, shelf: nil, since: entry.time)
    parcel.shelf = entry.fields[.shelf] ?? parcel.shelf
    parcel.holdUntil = entry.fields[.hold].flatMap(Timestamp.init) ?? parcel.holdUntil
    parcel.merchant = entry.fields[.merchant].flatMap(PublicKey.init(hex:)) ?? parcel.merchant
    parcel.n = entry.fields[.n].flatMap(TransactionID.init(hex:)) ?? parcel.n
    archives[label] = entry.fields[.archive].flatMap(PublicKey.init(hex:)) ?? archives[label]
    if entry.kind == .arrived {
      guard parcel.place == .expected else { throw Impossible() }
      (parcel.place, parcel.arrived, parcel.since) = (.shelved, entry.time, entry.time)
      arrivals[label] = entry.messages.last
    }
    parcels[label] = parcel
    announce(label)
  }

  private mutating func verify(_ entry: JournalEntry) throws(Impossible) {
    let label = try label(entry)
    guard parcels[label]?.place == .shelved, let record = Self.d3(entry), let hD2 = record.payload.hD2 else {
      throw Impossible()
    }
    try chain(record)
    visits[label] = entry.messages
    guard var parcel = parcels[label] else { throw Impossible() }
    (parcel.place, parcel.since) = (.inHand(hD2: hD2), entry.time)
    parcel.merchant = entry.fields[.merchant].flatMap(PublicKey.init(hex:))
    parcel.n = entry.fields[.n].flatMap(TransactionID.init(hex:))
    parcel.holdUntil = entry.fields[.hold].flatMap(Timestamp.init) ?? parcel.holdUntil
    parcels[label] = parcel
    archives[label] = entry.fields[.archive].flatMap(PublicKey.init(hex:)) ?? archives[label]
    announce(label)
  }

  private mutating func end(_ entry: JournalEntry) throws(Impossible) {
    let label = try label(entry)
    guard let record = Self.d3(entry), let outcome = DeliveryOutcome(rawValue: record.payload.outcome) else {
      throw Impossible()
    }
    switch parcels[label]?.place {
    case .inHand(let hD2) where record.payload.hD2 == hD2: break
    case .shelved where record.payload.hD2 == nil, .out(.expired) where outcome == .returned,
      .out(.refused) where outcome == .returned, .out(.refusedDamaged) where outcome == .returned:
      break
    default: throw Impossible()
    }
    try chain(record)
    let messages = (visits.removeValue(forKey: label) ?? []) + entry.messages
    parcels[label]?.place = .out(outcome)
    parcels[label]?.since = entry.time
    carried[label] = nil
    finals[label, default: []] += messages
    // The archive knows a sale, not a parcel: it hears of what a customer signed.
    enqueue(messages, of: label, [parcels[label]?.merchant, messages.count > 1 ? archives[label] : nil])
  }

  /// The merchant is to know that it arrived, as soon as it is known who he is.
  private mutating func announce(_ label: String) {
    guard let d0 = arrivals[label], let merchant = parcels[label]?.merchant, !announced.contains(label) else {
      return
    }
    announced.insert(label)
    enqueue([d0], of: label, [merchant])
  }

  /// Records count upwards, and each names the one before it.
  private mutating func chain(_ record: Verified<D3>) throws(Impossible) {
    guard record.payload.index == records, record.payload.previous == lastRecord else { throw Impossible() }
    (records, lastRecord) = (records + 1, record.hash)
  }

  private mutating func enqueue(_ messages: [[UInt8]], of label: String, _ peers: [PublicKey?]) {
    guard let last = messages.last, peers.contains(where: { $0 != nil }) else { return }
    pending.append(
      PendingRecord(
        id: Hash(of: last), parcel: label, messages: messages, peers: Set(peers.compactMap { $0 })))
  }

  private mutating func taken(_ entry: JournalEntry) {
    guard let id = entry.fields[.record].flatMap(Hash.init(hex:)),
      let peer = entry.fields[.peer].flatMap(PublicKey.init(hex:)),
      let place = pending.firstIndex(where: { $0.id == id })
    else { return }
    pending[place].peers.remove(peer)
    if pending[place].peers.isEmpty { pending.remove(at: place) }
  }

  private static func d3(_ entry: JournalEntry) -> Verified<D3>? {
    entry.messages.last.flatMap { try? Verified<D3>(stored: $0) }
  }
}

extension CounterState {
  /// Parcels that are on a shelf here, or in hand.
  public var here: [ShelvedParcel] {
    parcels.values.filter {
      switch $0.place {
      case .shelved, .inHand: true
      case .expected, .out, .elsewhere: false
      }
    }.sorted { ($0.shelf ?? "", $0.label) < ($1.shelf ?? "", $1.label) }
  }

  /// Parcels of which nobody knows whether they were handed over: the clerk has to say.
  public var inDoubt: [ShelvedParcel] {
    here.filter { if case .inHand = $0.place { true } else { false } }
  }

  /// Parcels whose time is over at `now`: to be pulled from the shelf. A clock that was set back pulls none.
  public func expired(at now: Timestamp) -> [ShelvedParcel] {
    guard now >= latest else { return [] }
    return here.filter { parcel in parcel.place == .shelved && parcel.holdUntil.map { now > $0 } ?? false }
  }
}
