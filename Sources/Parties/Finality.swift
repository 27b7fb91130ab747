// fin(Y): when an outcome counts (docs/adr/0009). Where the trust list has a policy for the log of the
// archive that signed it, its signature alone is not enough: the outcome has to stand in that log, as a
// quorum of witnesses saw it after it was made and before its lifetime's end (attacks 4, 5 and 18).
//
// Invariant: an archive that the policy names is believed nothing without a proof; of an archive that it does
// not name nothing changes.

public import Messages

/// Where an outcome stands in its archive's log.
public struct LoggedOutcome: Equatable, Sendable {
  /// Whose log.
  public let archive: PublicKey
  /// The outcome's entry.
  public let leaf: LogLeaf
  /// By when a quorum has to have seen it.
  public let lifetime: Timestamp

  public init(archive: PublicKey, leaf: LogLeaf, lifetime: Timestamp) {
    (self.archive, self.leaf, self.lifetime) = (archive, leaf, lifetime)
  }
}

extension Outcome {
  /// Its place in the log; nil for the witnesses' abort, which is in none.
  public func logged() throws(MessageError) -> LoggedOutcome? {
    switch self {
    case .committed(let message):
      let submission = try Verified<M.Submission>(stored: message.payload.submission)
      let subject = LogLeaf.transaction(submission.signer, submission.payload.n)
      let leaf = LogLeaf(
        kind: .commit, at: message.payload.at, subject: subject, lock: submission.payload.lock,
        body: message.hash)
      return LoggedOutcome(archive: message.signer, leaf: leaf, lifetime: message.payload.lifetime)
    case .aborted(let message):
      let said = message.payload
      let leaf = LogLeaf(
        kind: .abort, at: said.at, subject: LogLeaf.transaction(said.merchant, said.n), lock: said.lock,
        body: message.hash)
      return LoggedOutcome(archive: message.signer, leaf: leaf, lifetime: said.lifetime)
    case .witnessed: return nil
    }
  }
}

/// What the trust list demands of outcomes.
public struct Finality: Sendable {
  private let policy: LogPolicy?
  private let skewSeconds: UInt64
  private let ageSeconds: UInt64?

  /// A list without a policy demands nothing. One whose policy cannot be read was refused when it was loaded.
  public init(_ trust: TrustList) {
    policy = trust.policy.flatMap { try? LogPolicy($0) }
    (skewSeconds, ageSeconds) = (trust.skewSeconds, trust.checkpointAgeSeconds)
  }

  /// The policy, if there is one.
  public var logPolicy: LogPolicy? { policy }

  /// Whether what this archive publishes counts with a proof only.
  public func demandsProof(of archive: PublicKey) -> Bool { policy?.covers(archive) ?? false }

  /// Checks that the outcome is final.
  /// - Parameter now: when somebody acts on it; nil: its checkpoint may be of any age, since it was acted on
  ///   before.
  public func check(
    _ outcome: LoggedOutcome, proof: [UInt8], at now: Timestamp?
  ) throws(MessageError) {
    guard let policy, policy.covers(outcome.archive) else { return }
    let facts = try policy.verify(
      proof, of: outcome.leaf, by: outcome.archive, lifetime: outcome.lifetime, skewSeconds: skewSeconds)
    if let now, !facts.isFresh(within: ageSeconds, at: now) {
      throw MessageError(.authentication, "expired", "log proof: the checkpoint is too old")
    }
  }
}
