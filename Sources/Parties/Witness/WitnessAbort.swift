// P5c, the witnesses' abort (attack 4): once a transaction's lifetime is over, a quorum of witnesses
// certifies that the lock's archive gives no outcome any more, and one of them signs over it. It gives locked
// tokens back where the archive is gone for good, or where nobody asked it in time.
//
// Invariants: every certificate in it is of this lock, from after the lifetime, by another witness, and
// holds no outcome, neither as the archive's answer nor in a refusal's proof; fewer than the quorum end
// nothing. No clock of the reader plays a part: all times are signed. Whatever else the archive says keeps
// nothing locked.
//
// The transparency log will add a checkpoint that shows that no commit of L is in it. Until then it is the
// archive's silence alone, after a time in which everybody could show a bank its commit.

public import Messages

/// What makes a P5c count.
public enum WitnessAbort {
  /// Reads P5c: its signer and the certificates inside, all signed by witnesses that the trust list has at
  /// the time that each names, and that they certify the same by a quorum. `mismatch` then compares it with a
  /// lock.
  public static func verified(_ bytes: [UInt8], trust: TrustList) throws(MessageError) -> Verified<P5c> {
    let message = try Unverified<P5c>(bytes)
    let abort = try Verified(message, by: .trusted(trust, as: .witness, at: message.claims.at))
    let said = abort.payload
    guard said.at >= said.lifetime, said.failed == Reason.expired.rawValue else {
      throw MessageError(.authentication, "mismatch", "P5c before the lifetime's end")
    }
    let end = LockEnd(
      name: said.lock, merchant: said.merchant, n: said.n, lifetime: said.lifetime,
      archive: try target(of: abort))
    try checkQuorum(said.nonResponses, end, trust: trust, at: said.at)
    return abort
  }

  /// Nil if the abort is this lock's; otherwise what does not match. `isOutcome`: whether bytes are the
  /// archive's outcome of the lock.
  static func mismatch(
    _ abort: Verified<P5c>, lock: Hash, terms: LockTerms, isOutcome: ([UInt8]) -> Bool
  ) -> String? {
    let said = abort.payload
    guard said.lock == lock else { return "another lock" }
    guard said.merchant == terms.merchant, said.n == terms.n else { return "another transaction" }
    guard said.expiration == terms.expiration, said.lifetime == terms.lifetime else {
      return "another expiration or lifetime"
    }
    guard (try? target(of: abort)) == terms.archive else { return "another archive than the lock names" }
    guard !shown(in: said.nonResponses).contains(where: isOutcome) else {
      return "the archive gave an outcome"
    }
    return nil
  }

  /// What the archive's refusals in the certificates show as their proof.
  private static func shown(in certificates: [[UInt8]]) -> [[UInt8]] {
    certificates.flatMap { bytes in
      let answer = (try? Unverified<NonResponse>(bytes))?.claims.answer
      return answer.flatMap { try? Unverified<Refusal>($0) }?.claims.proof ?? []
    }
  }

  /// Signs P5c over certificates of other witnesses and its own. `seen`: outcomes of this lock that the
  /// witness has seen itself; then there is nothing to abort.
  public static func sign(
    _ lock: WitnessedLock, certificates: [[UInt8]], seen: [[UInt8]], trust: TrustList, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(Denial) -> Verified<P5c> {
    let terms = lock.terms
    guard now >= terms.lifetime else {
      throw Denial(.tooEarly, "the transaction's lifetime ends in \(terms.lifetime - now) seconds")
    }
    if let outcome = seen.first ?? shown(in: certificates).first(where: lock.isOutcome) {
      throw Denial(.mismatch, "the archive gave an outcome of this lock", proof: [outcome])
    }
    let end = LockEnd(
      name: lock.name, merchant: terms.merchant, n: terms.n, lifetime: terms.lifetime, archive: terms.archive)
    do throws(MessageError) {
      try checkQuorum(certificates, end, trust: trust, at: now)
      return try Verified(
        signing: P5c(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.name, at: now, failed: Reason.expired.rawValue, nonResponses: certificates), with: key)
    } catch { throw Denial(.mismatch, "\(error)") }
  }

  // MARK: Certificates

  /// What all certificates have to be about.
  private struct LockEnd {
    let name: Hash
    let merchant: PublicKey
    let n: TransactionID
    let lifetime: Timestamp
    let archive: PublicKey
  }

  private static func target(of abort: Verified<P5c>) throws(MessageError) -> PublicKey {
    try Unverified<NonResponse>(abort.payload.nonResponses[0]).claims.target
  }

  private static func checkQuorum(
    _ certificates: [[UInt8]], _ end: LockEnd, trust: TrustList, at time: Timestamp
  ) throws(MessageError) {
    var signers: Set<PublicKey> = []
    for bytes in certificates {
      let message = try Unverified<NonResponse>(bytes)
      let certificate = try Verified(
        message, by: .trusted(trust, as: .witness, at: message.claims.waitedUntil))
      if let fault = fault(certificate.payload, end, trust: trust, by: time) {
        throw MessageError(.authentication, "mismatch", "NR in P5c: \(fault)")
      }
      signers.insert(certificate.signer)
    }
    let counted = signers.intersection(trust.witnesses(at: time)).count
    guard counted >= trust.witnessQuorum(at: time) else {
      throw MessageError(
        .authentication, "mismatch", "P5c by \(counted) of \(trust.witnessQuorum(at: time)) witnesses")
    }
  }

  /// Nil if a certificate says that the archive was asked for its outcome after the lifetime and gave none.
  private static func fault(
    _ said: NonResponse, _ end: LockEnd, trust: TrustList, by time: Timestamp
  ) -> String? {
    guard said.lock == end.name, said.hRequest == end.name else { return "another lock or request" }
    guard said.merchant == end.merchant, said.n == end.n else { return "another transaction" }
    guard said.target == end.archive else { return "another archive" }
    guard said.sentAt >= end.lifetime else { return "asked before the lifetime's end" }
    guard said.waitedUntil >= said.sentAt + trust.answerSeconds, said.waitedUntil <= time else {
      return "waited less than \(trust.answerSeconds) seconds, or after P5c"
    }
    guard let answer = said.answer else { return nil }
    // The archive's own word that it gives none: an honest one says that the lifetime is over, and makes no
    // outcome any more. Another reason is a lie by then, and as good as silence.
    let refusal = try? Verified<Refusal>(answer, by: .key(said.target))
    guard let refusal, refusal.payload.hRequest == end.name else { return "the archive answered" }
    return nil
  }
}
