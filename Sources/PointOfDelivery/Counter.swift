// What a kiosk decides (US 6,076,078 has one paragraph of it; docs/SPEC.md, "Delivery at a counter"): whether
// a parcel may be handed over, and what is signed of it. Values in, entries out: no clock, no I/O.
//
// Invariants: handing over needs a valid receipt, the customer's own answer to this kiosk's own challenge,
// and the parcel that was scanned. An outcome is signed once. A signed record names no person.

public import Messages

/// A trust list as the kiosk has it.
public struct KioskTrust: Sendable {
  public let loaded: LoadedTrust

  public init(_ loaded: LoadedTrust) { self.loaded = loaded }
}

/// Why nothing is handed over. Each has its screen in every language (Texts.swift).
public enum Stop: Error, Equatable, Sendable {
  /// This check of the receipt failed.
  case receipt(check: String)
  case noTrust, noParcel, otherOffice, unreadable
  case notHere, notArrived, elsewhere, inDoubt
  case holdOver(until: Timestamp)
  case alreadyOut(DeliveryOutcome)
  /// Another parcel was scanned than the receipt's.
  case wrongParcel(scanned: String, wanted: String, shelf: String?)
  case badLabel(String)
  case staleAnswer, notCollector, leaveOver
  case noShelf, knownLabel, nothingAsked, noReason, noInventory, noShift, inTime
  case clockBack(latest: Timestamp)
  case unresolved([String])

  /// A stable name, for the journal and for programs.
  public var name: String {
    switch self {
    case .receipt(let check): "receipt-\(check)"
    case .noTrust: "no-trust"
    case .noParcel: "no-parcel"
    case .otherOffice: "other-office"
    case .unreadable: "unreadable"
    case .notHere: "not-here"
    case .notArrived: "not-arrived"
    case .elsewhere: "elsewhere"
    case .inDoubt: "in-doubt"
    case .holdOver: "hold-over"
    case .alreadyOut(let outcome): outcome == .handedOver ? "handed-over-before" : "ended-before"
    case .wrongParcel: "wrong-parcel"
    case .badLabel: "bad-label"
    case .staleAnswer: "stale-answer"
    case .notCollector: "not-collector"
    case .leaveOver: "leave-over"
    case .noShelf: "no-shelf"
    case .knownLabel: "known-label"
    case .nothingAsked: "nothing-asked"
    case .noReason: "no-reason"
    case .noInventory: "no-inventory"
    case .noShift: "no-shift"
    case .inTime: "in-time"
    case .clockBack: "clock-back"
    case .unresolved: "unresolved"
    }
  }
}

/// A receipt that holds here and now, and the parcel that it collects.
public struct CollectionRight: Equatable, Sendable {
  public let facts: ReceiptFacts
  public let p1: Verified<P1>
  public let hP5a: Hash
  public let parcel: String
  public let shelf: String?
  public let holdUntil: Timestamp?
}

/// Who decides: the kiosk's key, and whom it believes.
public struct Counter: Sendable {
  public let kiosk: PublicKey
  public let trusts: [KioskTrust]

  public init(kiosk: PublicKey, trusts: [KioskTrust]) { (self.kiosk, self.trusts) = (kiosk, trusts) }

  /// The time to decide by: a clock that was set back does not make what happened later undone.
  public static func time(_ now: Timestamp, _ state: CounterState) -> Timestamp { max(now, state.latest) }

  // MARK: The receipt

  /// What this receipt gives a right to, here and now.
  public func right(
    _ receipt: [UInt8], _ state: CounterState, at clock: Timestamp
  ) throws(Stop) -> CollectionRight {
    let now = Self.time(clock, state)
    let (facts, parsed) = try verified(receipt, at: now)
    guard let p1 = try? Verified<P1>(stored: parsed.p1), let label = p1.payload.contract.parcel else {
      throw .noParcel
    }
    let contract = p1.payload.contract
    guard contract.offices.isEmpty || contract.offices.contains(kiosk) else { throw .otherOffice }
    guard let parcel = state.parcels[label] else { throw .notHere }
    switch parcel.place {
    case .expected: throw .notArrived
    case .elsewhere: throw .elsewhere
    case .inHand: throw .inDoubt
    case .out(let outcome): throw .alreadyOut(outcome)
    case .shelved: break
    }
    if let end = contract.holdUntil, now > end { throw .holdOver(until: end) }
    return CollectionRight(
      facts: facts, p1: p1, hP5a: Hash(of: parsed.p5a), parcel: label, shelf: parcel.shelf,
      holdUntil: contract.holdUntil)
  }

  /// By the first list under which it holds; else the failure under the list that got furthest.
  private func verified(
    _ receipt: [UInt8], at now: Timestamp
  ) throws(Stop) -> (ReceiptFacts, Receipt) {
    var furthest = ""
    func place(_ check: String) -> Int { receiptCheckNames.firstIndex(of: check) ?? -1 }
    for trust in trusts {
      let facts: ReceiptFacts
      do throws(ReceiptFailure) {
        facts = try verifyReceipt(
          receipt, trust: trust.loaded.bytes, authority: trust.loaded.authority, at: now)
      } catch {
        if place(error.check) >= place(furthest) { furthest = error.check }
        continue
      }
      guard let parsed = try? Receipt(encoded: receipt) else { throw .unreadable }
      return (facts, parsed)
    }
    throw trusts.isEmpty ? .noTrust : .receipt(check: furthest)
  }

  // MARK: Challenge and answer

  /// D1 for this right.
  public func challenge(
    _ right: CollectionRight, _ intent: DeliveryIntent, inventory: String?, nonce: Nonce, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(Stop) -> Verified<D1> {
    guard intent != .refuseDamaged || inventory?.isEmpty == false else { throw .noInventory }
    let d1 = D1(
      n: right.facts.n, merchant: right.facts.merchant, hP1: right.facts.hP1, time: now, nonce: nonce,
      office: kiosk, parcel: right.parcel, hP5a: right.hP5a, intent: intent, inventory: inventory)
    return try sign(d1, key)
  }

  /// The customer's answer: then the parcel may be handed over (or is refused). What is signed here is no
  /// proof of delivery yet.
  public func accept(
    _ answer: [UInt8], leave: [UInt8]?, to d1: Verified<D1>, _ right: CollectionRight, _ state: CounterState,
    at now: Timestamp, key: borrowing SigningKey
  ) throws(Stop) -> JournalEntry {
    guard let d2 = try? Unverified<D2>(answer), d2.claims.hD1 == d1.hash,
      d2.claims.intent == d1.payload.intent
    else { throw .staleAnswer }
    guard let proven = try? Verified(d2, by: .key(d2.claimedSigners[0])) else { throw .notCollector }
    var delegation: Verified<Delegation>?
    if let leave {
      guard let read = try? Unverified<Delegation>(leave),
        let held = try? Verified(read, by: .key(read.claimedSigners[0]))
      else { throw .notCollector }
      guard now < held.payload.until else { throw .leaveOver }
      delegation = held
    }
    guard
      right.p1.payload.contract.lets(
        proven.signer, collect: right.parcel, by: delegation, at: d1.payload.time)
    else { throw .notCollector }
    // Nobody else of the office may have been quicker.
    guard state.parcels[right.parcel]?.place == .shelved else {
      if case .out(let outcome) = state.parcels[right.parcel]?.place { throw .alreadyOut(outcome) }
      throw .inDoubt
    }
    let time = Self.time(now, state)
    let intent = DeliveryIntent(rawValue: d1.payload.intent) ?? .collect
    let record = D3(
      time: time, hD2: proven.hash, stage: .verified, outcome: intent.outcomes[0], index: state.records,
      previous: state.lastRecord)
    return JournalEntry(
      .verified, at: time,
      [
        .parcel: right.parcel, .merchant: right.facts.merchant.description, .n: right.facts.n.description,
        .archive: right.facts.archive.description, .hold: right.holdUntil.map(String.init),
      ], messages: [d1.bytes, answer] + (leave.map { [$0] } ?? []) + [try sign(record, key).bytes])
  }

  // MARK: The end

  /// What became of a parcel that is in hand: with the customer's signature.
  public func end(
    _ label: String, hD2: Hash, _ outcome: DeliveryOutcome, reason: String? = nil, _ state: CounterState,
    at now: Timestamp, key: borrowing SigningKey
  ) throws(Stop) -> JournalEntry {
    guard state.parcels[label]?.place == .inHand(hD2: hD2) else { throw .nothingAsked }
    guard outcome == .handedOver || outcome == .refused || reason?.isEmpty == false else { throw .noReason }
    return try final(label, hD2: hD2, outcome, reason, state, now, key)
  }

  /// Verified, but not handed over: back on the shelf. No record leaves the house.
  public func withdraw(
    _ label: String, reason: String, _ state: CounterState, at now: Timestamp
  ) throws(Stop) -> JournalEntry {
    guard case .inHand = state.parcels[label]?.place else { throw .nothingAsked }
    guard !reason.isEmpty else { throw .noReason }
    return JournalEntry(.withdrawn, at: Self.time(now, state), [.parcel: label, .reason: reason])
  }

  /// An outcome without the customer: failed for good (lost, crushed), expired, sent back.
  public func end(
    _ label: String, _ outcome: DeliveryOutcome, reason: String?, _ state: CounterState, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(Stop) -> JournalEntry {
    guard let parcel = state.parcels[label] else { throw .notHere }
    switch (outcome, parcel.place) {
    case (.expired, .shelved):
      guard now >= state.latest else { throw .clockBack(latest: state.latest) }
      guard let end = parcel.holdUntil, now > end else { throw .inTime }
    case (.failed, .shelved): guard reason?.isEmpty == false else { throw .noReason }
    case (.returned, .shelved), (.returned, .out(.expired)), (.returned, .out(.refused)),
      (.returned, .out(.refusedDamaged)):
      break
    case (_, .out(let before)): throw .alreadyOut(before)
    case (_, .inHand): throw .inDoubt
    default: throw .notArrived
    }
    return try final(label, hD2: nil, outcome, reason, state, now, key)
  }

  private func final(
    _ label: String, hD2: Hash?, _ outcome: DeliveryOutcome, _ reason: String?, _ state: CounterState,
    _ now: Timestamp, _ key: borrowing SigningKey
  ) throws(Stop) -> JournalEntry {
    let time = Self.time(now, state)
    let record = D3(
      time: time, hD2: hD2, stage: .final, outcome: outcome, index: state.records,
      previous: state.lastRecord, parcel: hD2 == nil ? label : nil)
    return JournalEntry(
      .final, at: time, [.parcel: label, .outcome: "\(outcome)", .reason: reason],
      messages: [try sign(record, key).bytes])
  }

  private func sign<P: Payload>(_ payload: P, _ key: borrowing SigningKey) throws(Stop) -> Verified<P> {
    guard let signed = try? Verified(signing: payload, with: key) else { throw .unreadable }
    return signed
  }
}
