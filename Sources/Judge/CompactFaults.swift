// FIG. 7, where customer and merchant never see each other's authorization: what the bank's word alone shows,
// and rule 11 where it denies an authorization that it had acknowledged (attack 10).

import Messages

extension LockRecord {
  /// A commit that names JB2 by its hash is the bank's word that it was locked; these are JB2's terms.
  init(compact request: Verified<JB2>, _ commit: CommitRecord) {
    (mode, label, name) = (.compact, commit.label, request.hash)
    (bank, terms) = (commit.archive, request.payload.terms)
  }

  /// The merchant has no JB2: what it committed with, under its own contract, says the same.
  init(compact commit: CommitRecord, value: Money, hx: Hash, pseudonym: PublicKey) {
    let submission = commit.submission
    (mode, label, name, bank) = (.compact, commit.label, commit.lock, commit.archive)
    terms = LockTerms(
      n: submission.n, merchant: submission.merchant, archive: commit.archive, pseudonym: pseudonym,
      value: value, expiration: submission.expiration, lifetime: commit.lifetime, hP1: submission.hP1, hx: hx)
  }
}

/// L, and the bank that says so.
private struct CommittedBy: Hashable {
  let lock: Hash
  let bank: PublicKey
}

extension CaseFile {
  /// The locks that commits show where no JB2ack does. `known` are those that are shown by one.
  func committedLocks(_ requests: [Verified<JB2>], beside known: [LockRecord]) -> [LockRecord] {
    // By bank, too: a stranger's commit of somebody's authorization hides nobody's own.
    var found: [CommittedBy: LockRecord] = [:]
    for commit in commits where commit.mode == .compact {
      let place = CommittedBy(lock: commit.lock, bank: commit.archive)
      guard found[place] == nil, !known.contains(where: { $0.name == place.lock && $0.bank == place.bank })
      else { continue }
      let request = requests.first { $0.hash == commit.lock && $0.payload.bank == commit.archive }
      let offer = offers.first { $0.serves && $0.mismatch(commit.submission) == nil }
      if let request {
        found[place] = LockRecord(compact: request, commit)
      } else if let offer, let pseudonym = offer.pseudonym, let value = commit.submission.value {
        found[place] = LockRecord(compact: commit, value: value, hx: offer.hx, pseudonym: pseudonym)
      }
    }
    return found.values.sorted {
      ($0.name.bytes + $0.bank.bytes).lexicographicallyPrecedes($1.name.bytes + $1.bank.bytes)
    }
  }

  /// The bank refused what it had acknowledged: JB2 itself, or JB3 because no JB2 had come.
  func deniedAuthorization() -> [Verdict] {
    refusals.compactMap { refusal in
      for lock in locks where lock.mode == .compact && lock.bank == refusal.signer {
        guard let what = denied(refusal, lock) else { continue }
        return convict(
          .refusedWrongly, culprit(.bank, lock.bank), lock.subject,
          [lock.fact, Fact("the bank refused \(what)", at: refusal.payload.at, refusal.hash)])
      }
      return nil
    }
  }

  private func denied(_ refusal: Verified<Refusal>, _ lock: LockRecord) -> String? {
    if refusal.payload.hRequest == lock.name { return "the authorization that it had locked" }
    guard refusal.payload.reason == .unknownTransaction else { return nil }
    let submissions = signed(JB3.self, by: lock.terms.merchant)
    let isRefused = submissions.contains {
      $0.hash == refusal.payload.hRequest && $0.payload.n == lock.terms.n
    }
    return isRefused ? "the merchant's submission, because no authorization had come" : nil
  }
}
