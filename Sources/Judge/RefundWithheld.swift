// Rule 13: a refund that the merchant agreed to, and the bank did not make. RF2 holds the customer's
// request and both signatures, so it is all that the bank needs; heard, it has it, and makes the refund or
// refuses it.

import Messages

extension CaseFile {
  func refundWithheld() -> [Verdict] {
    agreedRefunds().values.map { same in
      let facts = [
        Fact("RF1: the customer asks for \(same[0].asked.payload.amount) back, under P", same[0].asked.hash),
        Fact("RF2: the merchant agreed", same[0].order.hash),
      ]
      return verdict(on: same[0].asked, names: Set(same.map(\.order.hash)), facts)
    }
  }

  /// What merchants agreed to, by request: what was signed twice was agreed once.
  private func agreedRefunds() -> [Hash: [(order: Verified<RF2>, asked: Verified<RF1>)]] {
    let all = refundOrders.compactMap { order in request(in: order).map { (order: order, asked: $0) } }
    return Dictionary(grouping: all, by: \.asked.hash)
  }

  /// The RF1 inside, if the merchant agreed to just that.
  private func request(in order: Verified<RF2>) -> Verified<RF1>? {
    guard let inner = try? Unverified<RF1>(order.payload.rf1),
      let asked = try? Verified(inner, by: .key(inner.claimedSigners[0])),
      order.payload.hRF1 == asked.hash, order.payload.lock == asked.payload.lock,
      order.payload.amount == asked.payload.amount, order.signer == asked.payload.merchant
    else { return nil }
    return asked
  }

  private func verdict(on asked: Verified<RF1>, names: Set<Hash>, _ facts: [Fact]) -> Verdict {
    let payload = asked.payload
    let subject = Subject(merchant: payload.merchant, n: payload.n, lock: payload.lock)
    let lock = locks.first {
      $0.name == payload.lock && $0.terms.merchant == payload.merchant && $0.terms.n == payload.n
        && $0.terms.pseudonym == asked.signer
    }
    guard let lock, let commit = matchingCommits(lock).first(where: { $0.due(lock) != nil }),
      let due = commit.due(lock)
    else {
      return spare(
        .refundWithheld, .undecided, subject, facts, unless: ["the lock of this P, and its commit"])
    }
    let found = facts + [lock.fact, commit.fact]
    // Who credited it gives it back.
    let bank = trust.home(of: payload.merchant) ?? lock.bank
    if let made = refundsMade.first(where: {
      $0.signer == bank && names.contains($0.payload.hRF2)
        && $0.payload.signatures.count == payload.outputs.count && signs($0, payload.outputs)
    }) {
      let fact = Fact("RF3: the bank signed the fresh tokens", at: made.payload.at, made.hash)
      return spare(.refundWithheld, .noFault, subject, found + [fact])
    }
    if let refusal = refusals.first(where: {
      $0.signer == bank && names.contains($0.payload.hRequest)
    }) {
      let reason = refusal.payload.reason.map { "\($0)" } ?? "for an unknown reason"
      let fact = Fact("the bank refused it: \(reason)", at: refusal.payload.at, refusal.hash)
      return spare(
        .refundWithheld, .undecided, subject, found + [fact], unless: ["what the merchant's account held"])
    }
    guard payload.amount.currency == due.currency, agreed(of: lock, notRefusedBy: bank) <= due.amount else {
      let fact = Fact("more than \(due) was agreed for this lock")
      return spare(
        .refundWithheld, .undecided, subject, found + [fact], unless: ["RF3 of the other refunds"])
    }
    guard bank == lock.bank || isCredited(lock, by: bank) else {
      let fact = Fact("nothing shows that the bank that made the lock paid the merchant's own")
      return spare(
        .refundWithheld, .undecided, subject, found + [fact],
        unless: ["BT1 for this lock, or the Credit of the merchant's own bank"])
    }
    return silence(
      .refundWithheld, culprit(.bank, bank), until: lock.terms.lifetime, subject, found,
      unless: ["the bank's RF3, or its Refusal of RF2"])
  }

  /// Whether the merchant's own bank credited another bank's lock, or has its order to do so and did not
  /// refuse it: it gives back what it was paid, and nothing else.
  private func isCredited(_ lock: LockRecord, by home: PublicKey) -> Bool {
    if credits.contains(where: { $0.signer == home && $0.payload.lock == lock.name }) { return true }
    let refused = Set(refusals.lazy.filter { $0.signer == home }.map(\.payload.hRequest))
    return transferOrders.contains {
      $0.signer == lock.bank && $0.payload.lock == lock.name && $0.payload.merchant == lock.terms.merchant
        && !refused.contains($0.hash)
    }
  }

  /// Whether the bank signed these outputs, and not anything: as far as its key lists are here.
  private func signs(_ refund: Verified<RF3>, _ outputs: [Blinded]) -> Bool {
    zip(refund.payload.signatures, outputs).allSatisfy { signature, output in
      let lists = keyLists.filter { $0.signer == refund.signer }
      guard let blindHolds, let key = lists.lazy.compactMap({ $0.payload.denomination(output.keyID) }).first
      else { return true }
      return blindHolds(signature, output, key)
    }
  }

  /// All that was agreed for a lock, each request once. What its bank refused binds it no more, and leaves
  /// room for others.
  private func agreed(of lock: LockRecord, notRefusedBy bank: PublicKey) -> UInt64 {
    let refused = Set(refusals.lazy.filter { $0.signer == bank }.map(\.payload.hRequest))
    return saturatingSum(
      agreedRefunds().values.filter { same in !same.contains { refused.contains($0.order.hash) } }
        .map { $0[0].asked.payload }
        .filter { $0.lock == lock.name && $0.merchant == lock.terms.merchant }.map(\.amount.amount))
  }
}
