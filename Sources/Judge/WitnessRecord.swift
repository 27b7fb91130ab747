// The witnesses' abort P5c (attack 4): after a transaction's lifetime a quorum certifies that the lock's
// archive gives no outcome any more. It frees a lock like the archive's own abort; fewer witnesses, or other
// certificates, free nothing.

import Messages

extension CaseFile {
  /// The witnesses' abort of this lock that counts, if one is shown.
  func witnessAbort(_ lock: LockRecord) -> Verified<P5c>? {
    witnessAborts.first { isAbort($0, of: lock) }
  }

  private func isAbort(_ message: Verified<P5c>, of lock: LockRecord) -> Bool {
    let (said, terms) = (message.payload, lock.terms)
    guard said.lock == lock.name, said.merchant == terms.merchant, said.n == terms.n,
      said.expiration == terms.expiration, said.lifetime == terms.lifetime, said.at >= terms.lifetime,
      said.failed == Reason.expired.rawValue
    else { return false }
    let signers = Set(
      said.nonResponses.compactMap { bytes -> PublicKey? in
        guard let message = try? Unverified<NonResponse>(bytes),
          let verified = try? Verified(
            message, by: .trusted(trust, as: .witness, at: message.claims.waitedUntil)),
          isGone(verified.payload, lock, by: said.at)
        else { return nil }
        return verified.signer
      })
    return signers.intersection(trust.witnesses(at: said.at)).count >= trust.witnessQuorum(at: said.at)
  }

  /// Whether a certificate says that the lock's archive was asked for its outcome after the lifetime, and
  /// gave none: not a word, or a refusal of its own, for whatever reason, that shows none.
  private func isGone(_ said: NonResponse, _ lock: LockRecord, by end: Timestamp) -> Bool {
    let terms = lock.terms
    guard said.lock == lock.name, said.hRequest == lock.name, said.merchant == terms.merchant,
      said.n == terms.n, said.target == terms.archive, said.sentAt >= terms.lifetime,
      said.waitedUntil >= said.sentAt + trust.answerSeconds, said.waitedUntil <= end
    else { return false }
    guard let answer = said.answer else { return true }
    guard let refusal = try? Verified<Refusal>(answer, by: .key(said.target)).payload,
      refusal.hRequest == lock.name
    else { return false }
    let outcomes = Set(signedCommits(lock).map(\.hash) + (signedAbort(lock).map { [$0.hash] } ?? []))
    return outcomes.isDisjoint(with: refusal.proof.map { Hash(of: $0) })
  }
}
