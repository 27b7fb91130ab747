// Rule 2: the value was not credited. A lock and its commit oblige the bank; it shows the Credit, or the
// order to the merchant's own bank, which then has to show that it credited the merchant. An archive that
// also gave it an abort of the lock owes the value itself: a bank has to release what it is shown a valid
// abort of.

import Messages

extension CaseFile {
  func notCredited() -> [Verdict] {
    lockGroups.compactMap { locks in
      let all = locks.flatMap(commits(of:))
      guard let first = all.first, let lock = locks.first(where: { $0.name == first.lock }) else {
        return nil
      }
      let debts = locks.flatMap { lock in
        matchingCommits(lock).compactMap { commit in
          commit.due(lock).map { Debt(lock: lock, commit: commit, due: $0) }
        }
      }
      guard let debt = debts.first else {
        let mismatch = first.mismatch(lock).map { "does not match the lock: \($0)" }
        let why = Fact(
          "\(first.label) \(mismatch ?? "is not shown to be in the archive's log, as witnesses saw it")",
          first.hash)
        return spare(
          .notCredited, .undecided, lock.subject, [lock.fact, why],
          unless: [mismatch == nil ? "the proof of the archive's log" : "a commit that matches the lock"])
      }
      return verdict(on: locks, debts, debt)
    }
  }

  /// A commit that obliges the bank of its lock.
  private struct Debt {
    let lock: LockRecord
    let commit: CommitRecord
    let due: Money
  }

  private func verdict(on locks: [LockRecord], _ debts: [Debt], _ debt: Debt) -> Verdict {
    let lock = debt.lock
    let facts = [lock.fact, debt.commit.fact, Fact("the bank owes the merchant \(debt.due)")]
    if let paid = payment(locks, debts) {
      return spare(.notCredited, .noFault, lock.subject, facts + [paid])
    }
    if let abort = locks.lazy.compactMap(matchingAbort).first {
      let fact = Fact("an archive that publishes both outcomes of a lock is liable for its value")
      return convict(.notCredited, archive(of: lock), lock.subject, facts + [abort.fact, fact])
    }
    let orders = orders(locks)
    let due = Set(debts.map(\.due))
    // Whoever was given two orders of one lock executed one, and owes no second one.
    let other = orders.first { !due.contains($0.payload.amount) }
    if other == nil, let order = orders.first { return verdict(upon: order, lock, facts) }
    let falseOrder = other.map { Fact("BT1: the bank ordered \($0.payload.amount) for this lock", $0.hash) }
    return silence(
      .notCredited, culprit(.bank, lock.bank), until: lock.terms.lifetime, lock.subject,
      facts + [falseOrder].compactMap { $0 },
      unless: ["the bank's Credit of \(debt.due) for this lock, or its BT1 with the other bank's BT2"])
  }

  /// The lock's bank did what it has to: it told the merchant's own bank what it owes for the lock. That one
  /// owes the credit from then on; what it refuses is between the banks.
  private func verdict(upon order: Verified<BT1>, _ lock: LockRecord, _ facts: [Fact]) -> Verdict {
    let home = culprit(.bank, trust.home(of: lock.terms.merchant)!)
    let facts = facts + [Fact("BT1: the bank owes it to the merchant's bank \(home.name)", order.hash)]
    if let refusal = refusals.first(where: {
      $0.signer == home.key && $0.payload.hRequest == order.hash
    }) {
      let reason = refusal.payload.reason.map { "\($0)" } ?? "for an unknown reason"
      let fact = Fact("the merchant's bank refused it: \(reason)", at: refusal.payload.at, refusal.hash)
      return spare(
        .notCredited, .undecided, lock.subject, facts + [fact],
        unless: ["what the banks have settled, and BT2"])
    }
    return silence(
      .notCredited, home, until: lock.terms.lifetime, lock.subject, facts,
      unless: ["\(home.name)'s BT2, or its Refusal of BT1"])
  }

  /// The orders by which the bank has the merchant's own bank credit it for the lock.
  private func orders(_ locks: [LockRecord]) -> [Verified<BT1>] {
    guard let home = trust.home(of: locks[0].terms.merchant), home != locks[0].bank else { return [] }
    let names = Set(locks.map(\.name))
    return transferOrders.filter {
      $0.signer == locks[0].bank && names.contains($0.payload.lock)
        && $0.payload.merchant == locks[0].terms.merchant
    }
  }

  /// The bank's Credit or transfer of what one of these commits makes due.
  private func payment(_ locks: [LockRecord], _ debts: [Debt]) -> Fact? {
    let names = Set(locks.map(\.name))
    let due = Set(debts.map(\.due))
    let (bank, terms) = (locks[0].bank, locks[0].terms)
    let credit = credits.first {
      $0.signer == bank && names.contains($0.payload.lock) && due.contains($0.payload.amount)
    }
    if let credit {
      let text = "Credit: the bank credited \(credit.payload.amount)"
      return Fact(text, at: credit.payload.at, credit.hash)
    }
    let transfer = transfers.first {
      $0.order.signer == bank && names.contains($0.order.payload.lock)
        && $0.order.payload.merchant == terms.merchant && due.contains($0.order.payload.amount)
        && $0.done.signer == trust.home(of: terms.merchant)
    }
    return transfer.map {
      let text = "BT2: the merchant's bank credited \($0.done.payload.amount)"
      return Fact(text, at: $0.done.payload.at, $0.done.hash)
    }
  }
}
