// What a merchant decides by, and what its machines ask for.

public import Messages

/// How the customer gets k (protocols.md §5, "completion routes").
public enum CompletionRoute: String, CaseIterable, Sendable {
  /// The archive gives P5a to whoever asks.
  case archive
  /// The merchant forwards P5a.
  case merchant
  /// The merchant hands P4 over before the archive has answered, on trust (§5.6).
  case early
}

/// What a merchant decides by, beside the messages.
public struct MerchantPolicy: Sendable {
  /// The trust list in force.
  public var trust: TrustList
  /// How the customer is served.
  public var completion: CompletionRoute
  /// How long a customer has, from the offer, until the latest expiration.
  public var expirationSeconds: UInt64
  /// Forward P5a to the bank too, beside the archive's own delivery.
  public var forwardsToBank: Bool

  public init(
    trust: TrustList, completion: CompletionRoute = .archive, expirationSeconds: UInt64 = 3600,
    forwardsToBank: Bool = false
  ) {
    (self.trust, self.completion, self.expirationSeconds) = (trust, completion, expirationSeconds)
    self.forwardsToBank = forwardsToBank
  }
}

/// What a merchant does after an event; all of it in one durable step.
public enum MerchantEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  /// The new phase, and when to look again without being asked.
  case enter(SalePhase, due: Timestamp?)
  /// Seal this bundle to the archive and send it; the sealing seed is kept for the judge.
  case submit(Bundle, to: PublicKey)
  case send([UInt8], to: PublicKey)
  /// Ask the archive for the outcome of this lock: abort it if it is due.
  case requestAbort(p3: [UInt8], archive: PublicKey)
  case cancel(Bundle, archive: PublicKey)
  /// Seal the token with its endorsement to the bank and send it (direct deposit).
  case bring(Payment, to: PublicKey)
  /// Post S_c{INV} in the passive archive's record of the address.
  case post([UInt8], archive: PublicKey, address: Hash)
  case reply([UInt8])
  case refuse(Denial)
}

/// Where a sale stands. As stored: stable numbers.
public enum SalePhase: Int, Sendable {
  case offered = 1
  case authorised, submitted, committed, credited, aborted, cancelling, declined
  /// Announced sales: the bank is asked to lock the token.
  case claiming = 21
}
