// The card in the kiosk's reader: its receipts, and its answer after the counter PIN.
//
// Invariants: the PIN is typed by the customer, unseen, goes to the card and nowhere else, and is not kept.
// The reader is connected for one visit; what goes wrong with it ends no program.

internal import CardReaders
internal import Cards
internal import Messages
internal import PointOfDelivery

/// A card that is in the reader.
struct CardDesk {
  fileprivate let card: Card

  /// Nil without a card; a stranger's card is told as trouble.
  static func inserted(_ reader: String?) throws(CardFailure) -> CardDesk? {
    let link: Reader
    do { link = try Reader(named: reader) } catch { return nil }
    do { return CardDesk(card: try Card(link)) } catch { throw CardFailure(CardDesk.trouble(error)) }
  }

  /// The receipts that can be read without a PIN and whose parcels the card can collect, the newest first.
  func receipts() throws(CardFailure) -> [[UInt8]] {
    do {
      return try card.receipts().filter(\.collects).sorted { $0.number > $1.number }.map {
        try card.receipt($0.number)
      }
    } catch { throw CardFailure(Self.trouble(error)) }
  }

  /// The first of them that gives a right here and now; else the first one's reason.
  func receipt(for counter: Counter, _ state: CounterState, at now: Timestamp) throws -> [UInt8] {
    let all = try receipts()
    guard let first = all.first else { throw CardFailure(.noReceipt) }
    return all.first { (try? counter.right($0, state, at: now)) != nil } ?? first
  }

  /// D2, after the counter PIN.
  func answer(_ challenge: [UInt8], pin: String) throws(CardFailure) -> [UInt8] {
    do {
      let d1 = try Verified<D1>(stored: challenge)
      try card.verify(.counter, pin)
      defer { try? card.withdraw(.counter) }
      return try card.answer(d1).bytes
    } catch { throw CardFailure(Self.trouble(error)) }
  }

  private static func trouble(_ error: any Error) -> CardTrouble {
    switch error as? CardError {
    case .wrongPIN(_, let left): .wrongPIN(left: left)
    case .blocked: .blocked
    case .notInitialised: .defaultPIN
    case .noSuchReceipt, .noSuchKey: .noReceipt
    case .stranger: .stranger
    default: .gone
    }
  }
}

/// What a card did not do.
struct CardFailure: Error {
  let trouble: CardTrouble
  init(_ trouble: CardTrouble) { self.trouble = trouble }
}
