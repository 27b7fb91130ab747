// What a commit of a series makes due, read for the referee without the parties' own checks.

import Messages

/// What a commit of purchases 0 to j shows beside the merchant's submission.
struct SeriesFacts: Sendable {
  /// j.
  let index: UInt64
  /// What the series costs, and the commitment to x_j; nil for the first purchase alone, whose lock says
  /// both.
  private(set) var total: Money?
  private(set) var hx: Hash?
  /// What the customer allowed, where it did not acknowledge.
  private(set) var most: Money?
  /// Whose signatures these rest on, and of which sale they are.
  private(set) var customers: Set<PublicKey> = []
  private(set) var merchants: Set<PublicKey> = []
  private(set) var numbers: Set<TransactionID> = []

  /// Where j was forced: the key of the purchase before, which C may not have had yet.
  private var previous: Previous?

  private struct Previous {
    let key: [UInt8]
    /// What R5 follows.
    let hash: Hash
    /// The commitment to the key in C's acknowledgement; nil for the first purchase, whose lock has it.
    var acknowledged: Hash?
  }

  /// Nil if the proof is not there or says nothing.
  init?<M: PurchaseMode>(_ commit: Commit<M>, _ submission: M.Submission) {
    guard let r9 = submission as? R9 else { return nil }
    func read<P: Payload>(_ bytes: [UInt8]?, _: P.Type) -> Verified<P>? {
      guard let bytes, let message = try? Unverified<P>(bytes) else { return nil }
      return try? Verified(message, by: .key(message.claimedSigners[0]))
    }
    index = r9.index
    if r9.delivery == .forced {
      guard let r5 = read(commit.request, R5.self), let r6 = read(commit.item, R6.self), commit.held != nil,
        r5.payload.index == index, r6.payload.index == index, r5.payload.hPrevious == r6.payload.hPrevious,
        r9.hItem == r6.hash, let previousKey = r9.previousKey
      else { return nil }
      previous = Previous(key: previousKey, hash: r5.payload.hPrevious)
      if index > 1 {
        guard let r7 = read(commit.acknowledgement, R7.self), r7.payload.index + 1 == index,
          r7.payload.hR6 == r5.payload.hPrevious
        else { return nil }
        previous?.acknowledged = r7.payload.hx
        (customers, merchants, numbers) = ([r7.signer], [r7.payload.merchant], [r7.payload.n])
      }
      (total, hx, most) = (r6.payload.runningTotal, r6.payload.hx, r5.payload.runningTotalMax)
      customers.insert(r5.signer)
      merchants.formUnion([r6.signer, r5.payload.merchant])
      numbers.formUnion([r5.payload.n, r6.payload.n])
    } else if index > 0 {
      guard let r7 = read(commit.acknowledgement, R7.self), r7.payload.index == index, r9.hItem == r7.hash
      else { return nil }
      (total, hx) = (r7.payload.runningTotal, r7.payload.hx)
      (customers, merchants, numbers) = ([r7.signer], [r7.payload.merchant], [r7.payload.n])
    }
  }

  /// What the bank owes; nil if it is not for this lock.
  func due(_ terms: LockTerms) -> Money? {
    guard customers.isSubset(of: [terms.pseudonym]), merchants.isSubset(of: [terms.merchant]),
      numbers.isSubset(of: [terms.n]), let due = total ?? terms.base,
      due.currency == terms.value.currency, due.amount <= terms.value.amount
    else { return nil }
    if let most, due.amount > most.amount { return nil }
    if let previous {
      let isFirst = previous.acknowledged == nil
      let hx = Hash.keyCommitment(.repeated, merchant: terms.merchant, n: terms.n, key: previous.key)
      guard hx == previous.acknowledged ?? terms.hx, !isFirst || previous.hash == terms.hP1 else {
        return nil
      }
    }
    return due
  }
}
