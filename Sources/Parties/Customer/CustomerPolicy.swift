// What a customer decides by, and what its machines ask for.

public import Messages

/// What a customer decides by, beside the messages.
public struct CustomerPolicy: Sendable {
  /// The trust list in force.
  public var trust: TrustList

  public init(trust: TrustList) { self.trust = trust }
}

/// What a customer does after an event; all of it in one durable step.
public enum CustomerEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  /// The new phase, and when to look again without being asked.
  case enter(PurchasePhase, due: Timestamp?)
  case send([UInt8], to: PublicKey)
  /// These amounts of tokens are gone.
  case spent([TokenInput])
  /// These amounts of tokens can be used again.
  case freed([TokenInput])
  /// These amounts were gone, and the bank gave them back.
  case returned([TokenInput])
  case deny(Denial)
}

/// Where a purchase stands. As stored: stable numbers.
public enum PurchasePhase: Int, Sendable {
  case requested = 1
  case offered, checked, authorised, locked, paid, delivered, aborted, refused, abandoned
  /// Announced purchases: message 3 is signed.
  case announced = 21
  /// Invoices: the token is being registered at its archive.
  case registering

  /// True while the customer can end the purchase alone: nobody can take what it pays with.
  public var isUnpaid: Bool { [.requested, .offered, .checked, .announced, .registering].contains(self) }

  /// True when nothing more will happen.
  public var isFinal: Bool {
    switch self {
    case .delivered, .aborted, .refused, .abandoned: true
    default: false
    }
  }
}
