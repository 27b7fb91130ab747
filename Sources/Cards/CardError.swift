// What can go wrong with a card: who said it, and what to do. Each says whether anything was changed.

/// A card or its reader did not do what was asked.
public enum CardError: Error, Equatable, CustomStringConvertible {
  /// No reader, no card in it, or somebody else has it.
  case reader(String)
  /// The card is not one of ours.
  case stranger
  /// The PIN or PUK is wrong; so many tries are left.
  case wrongPIN(CardPIN, left: Int)
  /// No tries are left.
  case blocked(CardPIN)
  /// PIN or PUK is still the one that every new card has.
  case notInitialised
  /// The card signed something else for this transaction before.
  case signedBefore
  /// The holder said no, at the card's own display.
  case declined
  /// No room is left on it.
  case full
  /// It has no such key.
  case noSuchKey(UInt32)
  /// No receipt on it is the one that the challenge names, or none that its key may collect by here.
  case noSuchReceipt
  /// Any other status word.
  case refused(command: String, status: UInt16)
  /// The answer is not what this command has.
  case malformed(String)

  public var description: String {
    switch self {
    case .reader(let text): text
    case .stranger: "this is no card of ours: put the right card in"
    case .wrongPIN(let pin, let left):
      "wrong \(pin.name): \(left) \(left == 1 ? "try is" : "tries are") left; nothing was signed"
    case .blocked(.puk): "the PUK is blocked: the card can only be wiped (`acd wallet card wipe`)"
    case .blocked(let pin):
      "the \(pin.name) is blocked: set a new one with the PUK (`acd wallet card unblock`)"
    case .notInitialised: "the card still has its first PINs: `acd wallet card init` sets your own"
    case .signedBefore: "the card signed another content for this purchase before; nothing was signed now"
    case .declined: "not agreed to at the card; nothing was signed"
    case .full: "the card is full: it can only be replaced; what is on it can still be used"
    case .noSuchKey(let index): "the card has no key \(index): is it the right card?"
    case .noSuchReceipt: "the card has no receipt that collects this parcel here; nothing was signed"
    case .refused(let command, let status):
      "the card refused \(command) with status \(String(status, radix: 16))"
    case .malformed(let command): "the card's answer to \(command) is not what the command has"
    }
  }
}

/// The card's secrets that a person types.
public enum CardPIN: UInt8, CaseIterable, Sendable {
  /// For collecting at a counter.
  case counter = 0x81
  /// For paying.
  case payment = 0x82
  /// Sets a PIN anew.
  case puk = 0x83

  /// As people call it.
  public var name: String {
    switch self {
    case .counter: "counter PIN"
    case .payment: "payment PIN"
    case .puk: "PUK"
    }
  }

  /// How many digits it may have.
  public var digits: ClosedRange<Int> { self == .puk ? 8...12 : 6...12 }

  /// What a new card has.
  public var first: String { self == .puk ? "12345678" : "123456" }

  /// Whether these digits may be set.
  public func allows(_ digits: String) -> Bool {
    self.digits.contains(digits.utf8.count) && digits.utf8.allSatisfy { (48...57).contains($0) }
      && digits != first
  }
}
