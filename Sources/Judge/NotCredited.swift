// Rule 2: the value was not credited. A lock and its commit oblige the bank; it shows the Credit, or the
// transfer to the merchant's bank and that bank's confirmation.

import Messages

extension CaseFile {
  func notCredited() -> [Verdict] {
    locks.compactMap { lock in
      let own = commits.filter { $0.lock == lock.name }
      guard let first = own.first else { return nil }
      guard let commit = own.first(where: { $0.mismatch(lock) == nil }), let due = commit.due(lock) else {
        let why = Fact("\(first.label) does not match the lock: \(first.mismatch(lock) ?? "")", first.hash)
        return spare(
          .notCredited, .undecided, lock.subject, [lock.fact, why], unless: ["a commit that matches the lock"]
        )
      }
      return verdict(on: lock, commit, due)
    }
  }

  private func verdict(on lock: LockRecord, _ commit: CommitRecord, _ due: Money) -> Verdict {
    let facts = [lock.fact, commit.fact, Fact("the bank owes the merchant \(due)")]
    let credit = credits.first {
      $0.signer == lock.bank && $0.payload.lock == lock.name && $0.payload.amount == due
    }
    if let credit {
      let fact = Fact("Credit: the bank credited \(due)", at: credit.payload.at, credit.hash)
      return spare(.notCredited, .noFault, lock.subject, facts + [fact])
    }
    let transfer = transfers.first {
      $0.order.signer == lock.bank && $0.order.payload.lock == lock.name
        && $0.order.payload.merchant == lock.terms.merchant && $0.order.payload.amount == due
    }
    if let transfer {
      let fact = Fact(
        "BT2: the merchant's bank credited \(due)", at: transfer.done.payload.at, transfer.done.hash)
      return spare(.notCredited, .noFault, lock.subject, facts + [fact])
    }
    return silence(
      .notCredited, culprit(.bank, lock.bank), until: lock.terms.lifetime, lock.subject, facts,
      unless: ["the bank's Credit of \(due) for this lock, or its BT1 with the other bank's BT2"])
  }
}
