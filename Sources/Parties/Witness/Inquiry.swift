// What a witness can be asked to send: a request to the archive of one lock. The lock itself comes with it,
// signed by its bank, so that a witness sends nothing for strangers and knows whom to ask about what.

public import Messages

/// A lock of any mode, as a witness takes it: whom to ask, and about what.
public struct WitnessedLock: Equatable, Sendable {
  public let bytes: [UInt8]
  /// L.
  public let name: Hash
  public let bank: PublicKey
  public let mode: Mode
  public let terms: LockTerms

  /// Reads P3 or its kin, of a bank that the trust list has or had: a key that has ended keeps no money
  /// locked.
  public init(_ bytes: [UInt8], trust: TrustList) throws(MessageError) {
    let type = try MessageType(peeking: bytes)
    switch type {
    case .p3: try self.init(bytes, CoreMode.self, trust)
    case .e3: try self.init(bytes, EarlyMode.self, trust)
    case .ja3: try self.init(bytes, JointMode.self, trust)
    case .r3: try self.init(bytes, RepeatedMode.self, trust)
    case .a7: try self.init(bytes, AnnouncedMode.self, trust)
    default: throw MessageError(.malformed, "unexpected-type", "\(type.label) where a lock was due")
    }
  }

  private init<M: PurchaseMode>(_ bytes: [UInt8], _: M.Type, _ trust: TrustList) throws(MessageError) {
    let lock = try Verified<M.LockMessage>(bytes, by: .known(trust, as: .bank))
    (self.bytes, name, bank, mode, terms) = (bytes, lock.hash, lock.signer, M.mode, lock.payload.terms)
    guard trust.knows(terms.archive, as: M.archiveRole) else {
      throw MessageError(.authentication, "untrusted", "the archive of \(M.lockType.label)")
    }
  }

  /// Whether this is an outcome of the lock by its archive. What does not match the lock ends nothing, and is
  /// none: else an archive keeps a lock for ever by signing something that no bank acts upon.
  public func isOutcome(_ bytes: [UInt8]) -> Bool {
    switch mode {
    case .core: isOutcome(bytes, CoreMode.self)
    case .early: isOutcome(bytes, EarlyMode.self)
    case .joint: isOutcome(bytes, JointMode.self)
    case .repeated: isOutcome(bytes, RepeatedMode.self)
    case .announced: isOutcome(bytes, AnnouncedMode.self)
    case .compact, .invoice, .invoiceDirect, .invoicePassive: false
    }
  }

  private func isOutcome<M: LockMode>(_ bytes: [UInt8], _: M.Type) -> Bool {
    Lock<M>(name: name, terms: terms).isEnded(by: bytes)
  }
}

/// A request to the archive of one lock.
public struct Inquiry: Equatable, Sendable {
  public let lock: WitnessedLock
  /// What is sent to the archive, as it is: a sealed submission, the lock (it asks for the abort), or a
  /// query.
  public let request: [UInt8]

  /// The request's name.
  public var name: Hash { Hash(of: request) }

  /// Checks that the request is one that this archive takes about this lock.
  public init(_ lock: WitnessedLock, request: [UInt8], trust: TrustList) throws(MessageError) {
    (self.lock, self.request) = (lock, request)
    if request == lock.bytes { return }
    let role: Role = lock.mode == .joint ? .bank : .archive
    if let sealed = try? SealedMessage(encoded: request) {
      guard sealed.recipient == trust.entry(lock.terms.archive, as: role)?.sealingKey else {
        throw MessageError(.authentication, "mismatch", "sealed to another than the lock's archive")
      }
      return
    }
    let query = try Unverified<StatusQuery>(request)
    guard query.claims.n == lock.terms.n, query.claims.merchant == lock.terms.merchant else {
      throw MessageError(.authentication, "mismatch", "a query of another transaction")
    }
    _ = try Verified(query, by: .key(query.claimedSigners[0]))
  }

  /// Whether this is the archive's answer to the request: signed by it, and about this lock. Anything else is
  /// no answer.
  public func isAnswered(by bytes: [UInt8]) -> Bool {
    guard bytes.count <= Self.answerBytesMax else { return false }
    let archive = lock.terms.archive
    if let refusal = try? Verified<Refusal>(bytes, by: .key(archive)) {
      return refusal.payload.hRequest == name
    }
    if let status = try? Verified<StatusAnswer>(bytes, by: .key(archive)) {
      return status.payload.hQuery == name
    }
    return lock.isOutcome(bytes)
  }

  /// The longest answer that fits into a certificate.
  public static let answerBytesMax = 65_000
}
