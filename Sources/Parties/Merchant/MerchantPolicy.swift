// What a merchant decides by, and what its machines ask for.

public import Messages

/// How the customer gets k (protocols.md §5, "completion routes").
public enum CompletionRoute: String, CaseIterable, Codable, Sendable {
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
  /// How fast goods reach an archive at the least: a forced commit begins so early that they are there in
  /// time.
  public var uploadBytesPerSecond: UInt64 = 1 << 20
  /// Agree to every refund that is possible, without asking.
  public var refunds: Bool
  /// How many seconds' commits go to a bank together; 0: each at once.
  public var forwardSeconds: UInt64 = 0
  /// For how long after a contract's lifetime the merchant keeps what it may have to show in a dispute.
  public var keepSeconds: UInt64 = 90 * 86_400

  public init(
    trust: TrustList, completion: CompletionRoute = .archive, expirationSeconds: UInt64 = 3600,
    forwardsToBank: Bool = false, refunds: Bool = false
  ) {
    (self.trust, self.completion, self.expirationSeconds) = (trust, completion, expirationSeconds)
    (self.forwardsToBank, self.refunds) = (forwardsToBank, refunds)
  }

  /// When to stop waiting for the customer's acknowledgement and to leave goods of this length with the
  /// archive: early enough for the upload and the archive's answer, twice, but never in the first half of the
  /// time that is left.
  func forceTime(length: UInt64, expiration: Timestamp, at now: Timestamp) -> Timestamp {
    let left = expiration - min(now, expiration)
    return expiration - min(archiving(length), left / 2)
  }

  /// When a series has to go to the archive, with goods of this length perhaps.
  func closing(length: UInt64, of terms: LockTerms) -> Timestamp {
    terms.expiration - min(archiving(length), terms.expiration)
  }

  /// Upload and the archive's answer, twice.
  private func archiving(_ length: UInt64) -> UInt64 {
    2 * (trust.answerSeconds + length / max(uploadBytesPerSecond, 1))
  }
}

/// What a merchant does after an event; all of it in one durable step.
public enum MerchantEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  /// The new phase, and when to look again without being asked.
  case enter(SalePhase, due: Timestamp?)
  /// Seal this bundle to the archive and send it; the sealing seed is kept for the judge.
  case submit(Bundle, to: PublicKey)
  /// Leave all of the ciphertext with the archive: [E4, E3] says which and under which lock. Then tell the
  /// machine `archiveHolds`; if it fails, the due time comes.
  case upload(Bundle, to: PublicKey)
  /// Send the box that was sealed before once more: whoever has it answers with the outcome.
  case submitAgain(to: PublicKey)
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
  /// Early commitment: no acknowledgement came, and the goods are on their way to the archive.
  case forcing
  /// Announced sales: the bank is asked to lock the token.
  case claiming = 21
}
