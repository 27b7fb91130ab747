// fin(): where the trust list has a policy for an archive's log, its outcome counts for or against anybody
// but itself only with a proof that the log has it, as a quorum of witnesses saw it between its own time
// and its lifetime's end. Against the archive its signature is enough. The age of a checkpoint plays no
// part in court.
//
// A reading of its own, from the core's primitives: what parties and judge share would hide a party's
// mistake.

import Messages

/// The proofs of a case, and what they are judged by.
struct LogProofs {
  /// Nil where outcomes count by their signatures.
  let policy: LogPolicy?
  let skewSeconds: UInt64
  let proofs: [[UInt8]]

  init(_ trust: TrustList, _ proofs: [[UInt8]]) {
    policy = trust.policy.flatMap { try? LogPolicy($0) }
    (skewSeconds, self.proofs) = (trust.skewSeconds, proofs)
  }

  /// Whether an outcome with this entry counts.
  func isFinal(_ leaf: LogLeaf, by archive: PublicKey, lifetime: Timestamp) -> Bool {
    guard let policy, policy.covers(archive) else { return true }
    return proofs.contains { proof in
      (try? policy.verify(proof, of: leaf, by: archive, lifetime: lifetime, skewSeconds: skewSeconds)) != nil
    }
  }

  func isFinal(_ commit: CommitRecord) -> Bool {
    let subject = LogLeaf.transaction(commit.submission.merchant, commit.submission.n)
    let leaf = LogLeaf(
      kind: .commit, at: commit.at, subject: subject, lock: commit.lock, body: commit.hash)
    return isFinal(leaf, by: commit.archive, lifetime: commit.lifetime)
  }

  func isFinal(_ abort: AbortRecord) -> Bool {
    let subject = LogLeaf.transaction(abort.merchant, abort.n)
    let leaf = LogLeaf(kind: .abort, at: abort.at, subject: subject, lock: abort.lock, body: abort.hash)
    return isFinal(leaf, by: abort.archive, lifetime: abort.lifetime)
  }
}
