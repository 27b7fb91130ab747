// An office in memory: a paid receipt for a parcel, trust lists, a journal that can fail or be cut at any
// byte, and visits at the counter step by step.

import Cards
import Messages
import Testing

@testable import PointOfDelivery

/// Who takes part; seeds are 32 times the byte.
enum Part: UInt8 {
  case authority = 1
  case merchant, archive, bank, kiosk, otherKiosk, customer, delegate, stranger, clerk

  var key: PublicKey { with { $0.publicKey } }

  func with<R: ~Copyable, E: Error>(_ body: (borrowing SigningKey) throws(E) -> R) throws(E) -> R {
    var seed = [UInt8](repeating: rawValue, count: 32)
    return try body(SigningKey(seed: &seed))
  }

  func sign<P: Payload>(_ payload: P) throws -> Verified<P> {
    try with { key in try Verified(signing: payload, with: key) }
  }
}

/// Bytes in memory, with a disk that can be full or lose its power.
final class MemoryJournal: JournalStorage {
  struct Full: Error {}
  var bytes: [UInt8] = []
  /// How many bytes go in before it fails; nil: all.
  var room: Int?
  private var isLocked = false

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  func lock() throws {
    precondition(!isLocked, "nobody else is here")
    isLocked = true
  }
  func unlock() { isLocked = false }
  func read(from offset: UInt64) throws -> [UInt8] { Array(bytes.dropFirst(Int(offset))) }
  func append(_ new: [UInt8]) throws {
    precondition(isLocked)
    let fits = min(new.count, room ?? new.count)
    bytes += new.prefix(fits)
    if room != nil { room! -= fits }
    guard fits == new.count else { throw Full() }
  }
  func truncate(to length: UInt64) throws { bytes = Array(bytes.prefix(Int(length))) }
}

/// A parcel that was bought.
struct Bought {
  static let now: Timestamp = 1_767_225_600
  static let holdUntil = now + 14 * 86_400
  var label = "AC12345678901230"
  var collectKeys: [PublicKey] = []
  var offices = [Part.kiosk.key, Part.otherKiosk.key]
  var n: UInt8 = 7
  var holdUntil = Self.holdUntil
  var parcel: String? { label.isEmpty ? nil : label }

  init(_ label: String = Bought.freshLabel(1), collectKeys: [PublicKey] = [], n: UInt8 = 7) {
    (self.label, self.collectKeys, self.n) = (label, collectKeys, n)
  }

  /// Labels from fixed digits.
  static func freshLabel(_ seed: UInt64) -> String {
    struct Counting: RandomNumberGenerator {
      var state: UInt64
      mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
      }
    }
    var generator = Counting(state: seed)
    return ParcelLabel.random(using: &generator).text
  }

  func p1() throws -> Verified<P1> {
    let number = TransactionID([UInt8](repeating: n, count: 16))!
    let k = [UInt8](repeating: n, count: 32)
    let salt = Hash(of: [1])
    let contract = Contract(
      pseudonym: Part.customer.key, price: Money("EUR:12.34")!, expirationMax: Self.now + 3_600,
      lifetime: Self.now + 90 * 86_400, holdUntil: holdUntil, date: Self.now - 100,
      descriptionHash: .description("A teapot", salt: salt), digests: [Hash(of: [2])],
      archives: [Part.archive.key], banks: [Part.bank.key], twoSided: false, name: "teapot.txt",
      parcel: parcel, offices: offices, collectKeys: collectKeys)
    return try Part.merchant.sign(
      P1(
        n: number, hx: .keyCommitment(.core, merchant: Part.merchant.key, n: number, key: k),
        root: Hash(of: [4]), length: 1_000, salt: salt, contract: contract))
  }

  func receipt() throws -> Receipt {
    let p1 = try p1()
    let p4 = try Part.merchant.sign(
      P4(
        n: p1.payload.n, expiration: Self.now + 3_600, hP1: p1.hash, lock: Hash(of: [3]),
        key: [UInt8](repeating: n, count: 32)))
    let p5a = try Part.archive.sign(
      P5a(submission: p4.bytes, at: Self.now - 50, lifetime: Self.now + 90 * 86_400))
    return Receipt(p1: p1.bytes, p5a: p5a.bytes, description: "A teapot")
  }
}

func trust(_ change: (inout TrustList) -> Void = { _ in }) throws -> LoadedTrust {
  func entry(_ role: Role, _ name: String, _ part: Part) -> TrustEntry {
    TrustEntry(
      role: role, name: name, key: part.key, from: Bought.now - 86_400, until: Bought.now + 400 * 86_400)
  }
  var list = TrustList(
    at: Bought.now - 86_400, until: Bought.now + 300 * 86_400, sequence: 1, previous: nil,
    entries: [
      entry(.merchant, "Teapots", .merchant), entry(.archive, "Archive", .archive),
      entry(.kiosk, "Mitte", .kiosk), entry(.kiosk, "Nord", .otherKiosk),
    ], answerSeconds: 30, skewSeconds: 120, lifetimeSeconds: 86_400, goodsLengthMax: 1 << 40)
  change(&list)
  return try LoadedTrust(try Part.authority.sign(list).bytes)
}

/// One PC of an office.
struct Desk {
  let part: Part
  let counter: Counter
  let storage: MemoryJournal
  var journal: Journal
  var session = CounterSession()
  var shown: [Screen] = []
  var challenge: Verified<D1>?
  var record: [[UInt8]]?
  var clock: Timestamp
  private var drawn: UInt8 = 0

  init(
    _ part: Part = .kiosk, storage: MemoryJournal = MemoryJournal(), at clock: Timestamp = Bought.now,
    trusts: [LoadedTrust]? = nil
  ) throws {
    (self.part, self.storage, self.clock) = (part, storage, clock)
    counter = Counter(kiosk: part.key, trusts: try (trusts ?? [trust()]).map(KioskTrust.init))
    journal = try Journal(storage, kiosk: part.key, at: clock)
  }

  var state: CounterState { journal.state }
  var screen: Screen { shown.last ?? .waiting }

  /// Whatever the counter decides, made durable.
  @discardableResult
  mutating func decide<R>(
    _ body: (Counter, CounterState, borrowing SigningKey) throws -> (entries: [JournalEntry], result: R)
  ) throws -> R {
    let counter = counter
    return try part.with { key throws -> R in
      try journal.commit { state in try body(counter, state, key) }
    }
  }

  mutating func arrive(_ label: String, shelf: String = "A-12") throws {
    let now = clock
    try decide { counter, state, key in
      ([try counter.arrive(label, shelf: shelf, merchant: Part.merchant.key, state, at: now, key: key)], ())
    }
  }

  mutating func end(_ label: String, _ outcome: DeliveryOutcome, reason: String? = nil) throws {
    let now = clock
    try decide { counter, state, key in
      ([try counter.end(label, outcome, reason: reason, state, at: now, key: key)], ())
    }
  }

  /// One event; what cannot be written is shown.
  mutating func feed(_ event: CounterEvent) {
    drawn += 1
    let nonce = Nonce([UInt8](repeating: drawn, count: 16))!
    var next = session
    let (counter, now) = (counter, clock)
    do {
      let effects = try part.with { key throws in
        try journal.commit { state in
          let step = next.handle(event, counter, state, nonce: nonce, at: now, key: key)
          return (step.entries, step.effects)
        }
      }
      session = next
      for effect in effects {
        switch effect {
        case .show(let screen): shown.append(screen)
        case .ask(let bytes): challenge = try? Verified<D1>(stored: bytes)
        case .offerRecord(let messages): record = messages
        }
      }
    } catch { shown.append(session.notRecorded("\(error)")) }
  }

  mutating func feed(_ events: [CounterEvent]) { for event in events { feed(event) } }

  /// Up to the challenge.
  mutating func ask(_ bought: Bought, wants intent: DeliveryIntent = .collect, inventory: String? = nil)
    throws
  {
    if intent != .collect { feed(.wants(intent, inventory: inventory)) }
    feed([.receipt(try bought.receipt().encoded()), .scan(bought.label)])
  }

  /// The customer's answer, by a key in software.
  mutating func answer(by part: Part = .customer, _ change: (inout D2) -> Void = { _ in }) throws {
    guard let challenge else { return feed(.answer([])) }
    var payload = D2(hD1: challenge.hash, intent: DeliveryIntent(rawValue: challenge.payload.intent)!)
    change(&payload)
    feed(.answer(try part.sign(payload).bytes))
  }

  /// A whole visit that goes well.
  mutating func collect(_ bought: Bought) throws {
    try ask(bought)
    try answer()
    feed(.confirm)
  }

  func place(_ label: String) -> ParcelPlace? { state.parcels[label]?.place }
}

/// A card that is somebody's: counter PIN 246810, payment PIN 1357902.
func ownedCard(_ memory: MemoryCard = MemoryCard()) throws -> Card {
  let card = try Card(memory)
  try card.change(.puk, from: CardPIN.puk.first, to: "987654321012")
  try card.change(.counter, from: CardPIN.counter.first, to: "246810")
  try card.change(.payment, from: CardPIN.payment.first, to: "1357902")
  return card
}
