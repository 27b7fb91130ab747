// One visit at the counter, step by step:
//
//   waiting ──receipt──▶ fetch ──right parcel──▶ asked (D1) ──D2──▶ in hand ──ENTER──▶ outcome
//      ▲                   │ wrong parcel            │ wrong PIN       │ W, F             │ a key
//      └───────────────────┴────────── no ◀──────────┴─────────────────┘◀─────────────────┘
//
// Invariants: no PIN is asked for before the right parcel lies on the counter. What a screen says that was
// done is durable: entries come before effects. After an outcome, whatever is tapped or scanned is visibly
// ignored until a key is pressed.

public import Messages

/// What happens at a counter.
public enum CounterEvent: Equatable, Sendable {
  /// A receipt, from a card or a code.
  case receipt([UInt8])
  /// A label under the scanner.
  case scan(String)
  /// D2.
  case answer([UInt8])
  /// Somebody else's leave to collect.
  case leave([UInt8])
  /// What the customer wants, beside collecting.
  case wants(DeliveryIntent, inventory: String?)
  /// The customer has the parcel.
  case confirm
  /// He does not have it.
  case withdraw(reason: String)
  /// It failed for good.
  case fail(reason: String)
  case card(CardTrouble)
  /// Any key.
  case key
}

/// What a card or its reader did not do.
public enum CardTrouble: Equatable, Sendable {
  case wrongPIN(left: Int)
  case blocked, defaultPIN, gone, stranger, noReceipt
}

/// What the kiosk does then.
public enum CounterEffect: Equatable, Sendable {
  case show(Screen)
  /// This challenge waits for its answer: by the card, or by whoever reads its code.
  case ask([UInt8])
  /// The visit's record may be printed.
  case offerRecord([[UInt8]])
}

/// Where a visit is.
public struct CounterSession: Sendable {
  private enum Stage: Sendable {
    case waiting
    case fetch(CollectionRight)
    case asked(CollectionRight, Verified<D1>)
    case inHand(String, hD2: Hash, DeliveryIntent, [[UInt8]])
    case outcome(Screen)
  }

  private var stage = Stage.waiting
  private var wish = (intent: DeliveryIntent.collect, inventory: String?.none)
  private var leave: [UInt8]?
  /// The card did not answer: a key asks it again.
  private var asksAgain = false

  public init() {}

  /// True between visits.
  public var isWaiting: Bool { if case .waiting = stage { true } else { false } }
  /// The challenge that waits for an answer.
  public var challenge: Verified<D1>? { if case .asked(_, let d1) = stage { d1 } else { nil } }
  /// The parcel that waits for the clerk's word.
  public var isInHand: Bool { if case .inHand = stage { true } else { false } }

  public typealias Step = (entries: [JournalEntry], effects: [CounterEffect])

  /// Takes an event. The entries have to be durable before the effects are carried out; if they cannot be,
  /// the session from before goes on (`notRecorded`).
  public mutating func handle(
    _ event: CounterEvent, _ counter: Counter, _ state: CounterState, nonce: Nonce, at now: Timestamp,
    key: borrowing SigningKey
  ) -> Step {
    if case .outcome(let screen) = stage {
      guard event == .key else {
        var again = screen
        again.actions = [.tapIgnored] + screen.actions.filter { $0 != .tapIgnored }
        return ([], [.show(again)])
      }
      reset()
      return ([], [.show(.waiting)])
    }
    do throws(Stop) {
      return try step(event, counter, state, nonce, now, key)
    } catch {
      return stopped(error, state, now)
    }
  }

  /// What to show where the entries could not be written: nothing was done.
  public mutating func notRecorded(_ reason: String) -> Screen {
    let screen = Screen(
      .no, .notRecorded, rows: [(.reason, reason)], actions: [.notRecordedWhat, .pressKey],
      code: "not-recorded")
    stage = .outcome(screen)
    return screen
  }

  private mutating func reset() { (stage, wish, leave, asksAgain) = (.waiting, (.collect, nil), nil, false) }

  private mutating func step(
    _ event: CounterEvent, _ counter: Counter, _ state: CounterState, _ nonce: Nonce, _ now: Timestamp,
    _ key: borrowing SigningKey
  ) throws(Stop) -> Step {
    switch (event, stage) {
    case (.receipt(let bytes), .waiting), (.receipt(let bytes), .fetch):
      let right = try counter.right(bytes, state, at: now)
      stage = .fetch(right)
      return ([], [.show(.fetch(right, at: Counter.time(now, state)))])
    case (.wants(let intent, let inventory), .waiting), (.wants(let intent, let inventory), .fetch):
      wish = (intent, inventory)
      return ([], [])
    case (.leave(let bytes), _):
      leave = bytes
      return ([], [])
    case (.scan(let text), .fetch(let right)):
      guard ParcelLabel(text)?.text == right.parcel else {
        throw .wrongParcel(scanned: text, wanted: right.parcel, shelf: right.shelf)
      }
      let d1 = try counter.challenge(
        right, wish.intent, inventory: wish.inventory, nonce: nonce, at: Counter.time(now, state), key: key)
      stage = .asked(right, d1)
      return ([], [.show(.asked(right)), .ask(d1.bytes)])
    case (.scan(let text), .waiting):
      throw ParcelLabel(text) == nil ? .badLabel(text) : .nothingAsked
    case (.answer(let bytes), .asked(let right, let d1)):
      let entry = try counter.accept(bytes, leave: leave, to: d1, right, state, at: now, key: key)
      return try answered(entry, right, counter, state, now, key)
    case (.answer, _): throw .staleAnswer
    case (.confirm, .inHand), (.withdraw, .inHand), (.fail, .inHand):
      return try ended(event, counter, state, now, key)
    case (.card(let kind), .asked), (.card(let kind), .waiting), (.card(let kind), .fetch):
      let screen = trouble(kind)
      return ([], [.show(screen)])
    case (.key, .asked(let right, let d1)) where asksAgain:
      asksAgain = false
      return ([], [.show(.asked(right)), .ask(d1.bytes)])
    case (.key, .fetch), (.key, .asked):
      reset()
      return ([], [.show(.waiting)])
    default: return ([], [])
    }
  }

  private mutating func trouble(_ trouble: CardTrouble) -> Screen {
    let screen = Screen.trouble(trouble)
    // A wrong PIN or a card that went can be tried again within the visit.
    switch trouble {
    case .wrongPIN, .gone: asksAgain = true
    default: stage = .outcome(screen)
    }
    return screen
  }

  /// The right is shown. What the customer refuses ends here; what he collects is in hand until the clerk
  /// says more.
  private mutating func answered(
    _ entry: JournalEntry, _ right: CollectionRight, _ counter: Counter, _ state: CounterState,
    _ now: Timestamp, _ key: borrowing SigningKey
  ) throws(Stop) -> Step {
    guard let d3 = entry.messages.last.flatMap({ try? Verified<D3>(stored: $0) }), let hD2 = d3.payload.hD2
    else { throw .unreadable }
    let intent = wish.intent
    stage = .inHand(right.parcel, hD2: hD2, intent, entry.messages)
    guard intent != .collect else {
      return ([entry], [.show(.handOver(right))])
    }
    var after = state
    do { try after.apply(entry) } catch { throw .inDoubt }
    let outcome = intent.outcomes[0]
    let final = try counter.end(
      right.parcel, hD2: hD2, outcome, reason: wish.inventory ?? "\(intent)", after, at: now, key: key)
    let screen = Screen.outcome(outcome, right.parcel, reason: wish.inventory)
    stage = .outcome(screen)
    return ([entry, final], [.show(screen), .offerRecord(entry.messages + final.messages)])
  }

  private mutating func ended(
    _ event: CounterEvent, _ counter: Counter, _ state: CounterState, _ now: Timestamp,
    _ key: borrowing SigningKey
  ) throws(Stop) -> Step {
    guard case .inHand(let parcel, let hD2, _, let messages) = stage else { throw .nothingAsked }
    let entry: JournalEntry
    let screen: Screen
    switch event {
    case .withdraw(let reason):
      entry = try counter.withdraw(parcel, reason: reason, state, at: now)
      screen = Screen(
        .no, .withdrawn, rows: [(.parcel, parcel), (.reason, reason)], actions: [.backOnShelf, .pressKey],
        code: "withdrawn")
    case .fail(let reason):
      entry = try counter.end(parcel, hD2: hD2, .failed, reason: reason, state, at: now, key: key)
      screen = .outcome(.failed, parcel, reason: reason)
    default:
      entry = try counter.end(parcel, hD2: hD2, .handedOver, state, at: now, key: key)
      screen = .outcome(.handedOver, parcel, reason: nil)
    }
    stage = .outcome(screen)
    let record = entry.messages.isEmpty ? [] : [CounterEffect.offerRecord(messages + entry.messages)]
    return ([entry], [.show(screen)] + record)
  }

  /// No: shown until a key is pressed, and in the journal without anything of the customer's.
  private mutating func stopped(_ stop: Stop, _ state: CounterState, _ now: Timestamp) -> Step {
    let screen = Screen.stop(stop)
    var parcel: String?
    switch stage {
    case .fetch(let right): parcel = right.parcel
    case .asked(let right, _): parcel = right.parcel
    // What is in hand stays in hand: the clerk has to say what became of it.
    case .inHand: return ([], [.show(screen)])
    case .waiting, .outcome: break
    }
    stage = .outcome(screen)
    let entry = JournalEntry(.stopped, at: Counter.time(now, state), [.reason: stop.name, .parcel: parcel])
    return ([entry], [.show(screen)])
  }
}

// MARK: Screens

extension Screen {
  /// Between visits.
  public static let waiting = Screen(.calm, .waiting, actions: [.presentReceipt])

  static func fetch(_ right: CollectionRight, at now: Timestamp) -> Screen {
    var rows: [(label: Phrase, value: String)] = [
      (.parcel, right.parcel), (.goods, right.facts.goodsName), (.merchant, right.facts.merchantName),
    ]
    if let end = right.holdUntil {
      rows += [(.keptUntil, UTCTime.text(end)), (.daysLeft, String(end > now ? (end - now) / 86_400 : 0))]
    }
    return Screen(
      .working, .fetchParcel, banner: right.shelf, rows: rows, actions: [.scanParcel, .customerRefuses])
  }

  static func asked(_ right: CollectionRight) -> Screen {
    Screen(
      .working, .enterPIN, rows: [(.parcel, right.parcel), (.goods, right.facts.goodsName)],
      actions: [.showQR])
  }

  static func handOver(_ right: CollectionRight) -> Screen {
    Screen(.working, .handOver, rows: [(.parcel, right.parcel)], actions: [.confirmHandOver])
  }

  /// What became of a parcel.
  public static func outcome(_ outcome: DeliveryOutcome, _ parcel: String, reason: String?) -> Screen {
    var rows: [(label: Phrase, value: String)] = [(.parcel, parcel)]
    if let reason { rows.append((.reason, reason)) }
    return switch outcome {
    case .handedOver:
      Screen(.yes, .handedOver, rows: rows, actions: [.giveProof, .pressKey], code: "handed-over")
    case .refused:
      Screen(.no, .refusedByCustomer, rows: rows, actions: [.sendBack, .pressKey], code: "refused")
    case .refusedDamaged:
      Screen(
        .no, .refusedDamagedTitle, rows: rows, actions: [.inventoryBoth, .sendBack, .pressKey],
        code: "refused-damaged")
    case .failed: Screen(.no, .failedTitle, rows: rows, actions: [.failedWhat, .pressKey], code: "failed")
    case .expired: Screen(.no, .holdOver, rows: rows, actions: [.holdOverWhat, .pressKey], code: "expired")
    case .returned: Screen(.no, .sendBack, rows: rows, actions: [.pressKey], code: "returned")
    }
  }

  /// What a card did not do.
  public static func trouble(_ trouble: CardTrouble) -> Screen {
    func no(
      _ title: Phrase, _ actions: [Phrase], _ code: String, _ rows: [(label: Phrase, value: String)] = []
    )
      -> Screen
    { Screen(.no, title, rows: rows, actions: actions + [.pressKey], code: code) }
    return switch trouble {
    case .wrongPIN(let left): no(.wrongPIN, [.wrongPINWhat], "wrong-pin", [(.tries, "\(left)")])
    case .blocked:
      no(.pinBlocked, [.pinBlockedWhat, .pukWhat, .replacementWhat], "pin-blocked", [(.tries, "0")])
    case .defaultPIN: no(.defaultPIN, [.defaultPINWhat], "default-pin")
    case .gone: no(.cardGone, [.cardGoneWhat], "card-gone")
    case .stranger: no(.strangeCard, [.keepIt], "strange-card")
    case .noReceipt: no(.noReceiptOnCard, [.noReceiptOnCardWhat, .replacementWhat], "no-receipt-on-card")
    }
  }

  /// No, and why.
  public static func stop(_ stop: Stop) -> Screen {
    var rows: [(label: Phrase, value: String)] = []
    var banner: String?
    switch stop {
    case .receipt(let check): rows = [(.reason, check)]
    case .wrongParcel(let scanned, let wanted, let shelf):
      rows = [(.scanned, String(scanned.prefix(40))), (.wanted, wanted)]
      banner = shelf
    case .holdOver(let end): rows = [(.keptUntil, UTCTime.text(end))]
    case .alreadyOut(let outcome): rows = [(.outcome, "\(outcome)")]
    case .badLabel(let text): rows = [(.scanned, String(text.prefix(40)))]
    case .clockBack(let latest): rows = [(.atTime, UTCTime.text(latest))]
    case .unresolved(let labels): rows = labels.prefix(6).map { (.parcel, $0) }
    default: break
    }
    let (title, actions) = words(stop)
    return Screen(.no, title, banner: banner, rows: rows, actions: actions + [.pressKey], code: stop.name)
  }

  private static func words(_ stop: Stop) -> (Phrase, [Phrase]) {
    switch stop {
    case .receipt(let check): (.receiptBad, [check.hasPrefix("trust-") ? .trustOld : .receiptAgain])
    case .noTrust: (.noTrust, [])
    case .noParcel: (.noParcel, [])
    case .otherOffice: (.otherOffice, [.otherOfficeWhat])
    case .unreadable: (.unreadable, [.receiptAgain])
    case .notHere: (.notHere, [.notHereWhat])
    case .notArrived: (.notArrived, [.notArrivedWhat])
    case .elsewhere: (.elsewhere, [.elsewhereWhat])
    case .inDoubt: (.inDoubt, [.inDoubtWhat])
    case .holdOver: (.holdOver, [.holdOverWhat])
    case .alreadyOut: (.alreadyOut, [.alreadyOutWhat])
    case .wrongParcel: (.wrongParcel, [.wrongParcelWhat])
    case .badLabel: (.badLabel, [.badLabelWhat])
    case .staleAnswer: (.staleAnswer, [.staleAnswerWhat])
    case .notCollector: (.notCollector, [.notCollectorWhat])
    case .leaveOver: (.leaveOver, [.leaveOverWhat])
    case .noShelf: (.noShelf, [])
    case .knownLabel: (.knownLabel, [])
    case .nothingAsked: (.nothingAsked, [.presentReceipt])
    case .noReason: (.noReason, [])
    case .noInventory: (.noInventory, [.openIt])
    case .noShift: (.noShift, [.noShiftWhat])
    case .inTime: (.inTime, [])
    case .clockBack: (.clockBack, [.clockBackWhat])
    case .unresolved: (.unresolved, [.unresolvedWhat])
    }
  }
}
