// Rule 4: exactly this was delivered. The customer's acknowledgement, the contract, the lock and the commit
// name one another; so the customer holds this ciphertext under this contract, and the record gives the key.

import Messages

/// A customer's acknowledgement, and what it says was received.
private struct Receipted {
  let label: String
  let message: Hash
  let lock: LockRecord
  let commit: CommitRecord
  let offer: OfferRecord
  var more: [Fact] = []
}

extension CaseFile {
  func deliveredThis() -> [Verdict] {
    let found = contracts().flatMap { whole($0) + early($0) + series($0) }
    var verdicts = found.map { receipt in
      let word = Fact("\(receipt.label): the customer acknowledged it under P", receipt.message)
      return spare(
        .deliveredThis, .claimFails, receipt.lock.subject,
        [word, receipt.offer.fact] + receipt.more + [receipt.lock.fact, receipt.commit.fact])
    }
    verdicts += announcedDeliveries() + invoicedDeliveries()
    // An acknowledgement that the rest does not bear out.
    for type in [MessageType.acknowledgement, .e5, .r7] {
      for bytes in evidence.messages[type] ?? []
      where !found.contains(where: { $0.message == Hash(of: bytes) }) {
        let fact = Fact(
          "\(type.label) agrees with no contract, lock and commit that are shown", Hash(of: bytes))
        verdicts.append(
          spare(
            .deliveredThis, .undecided, Subject(), [fact],
            unless: ["contract, lock and commit that name one another, and P's own signature"]))
      }
    }
    return verdicts
  }

  /// FIG. 3: S_t(PO) stands in the commit itself. That t's own key signed it over this order, the match of
  /// lock and commit has checked; t's owner signs it once all of the ciphertext is there.
  private func announcedDeliveries() -> [Verdict] {
    locks.filter { $0.mode == .announced }.compactMap { lock in
      guard let commit = matchingCommits(lock).first, let consent = commit.submission.consent,
        let order = offers.first(where: { $0.mismatch(commit.submission) == nil })
      else { return nil }
      let word = Fact("S_t(PO): the token's key takes these goods for the token", consent.hash)
      return spare(
        .deliveredThis, .claimFails, lock.subject, [word, order.fact, lock.fact, commit.fact])
    }
  }

  /// FIG. 2: S_c{INV} by the token's key, M's deposit with the key that INV commits to, and that the token
  /// was taken for it: by the archive's approval, or by the bank's record.
  private func invoicedDeliveries() -> [Verdict] {
    invoiceDeposits.compactMap { deposit in
      let terms = deposit.terms
      let opens = Mode.invoices.contains { way in
        Hash.keyCommitment(
          way, merchant: deposit.deposit.signer, n: terms.n, key: deposit.deposit.payload.key) == terms.hx
      }
      guard deposit.isEndorsed, opens, let taken = taken(deposit) else { return nil }
      let word = Fact("S_c{INV}: the token's key takes these goods for the token", deposit.endorsement.hash)
      let key = Fact("Deposit: the key that the invoice commits to", deposit.deposit.hash)
      return spare(
        .deliveredThis, .claimFails, Subject(merchant: deposit.deposit.signer, n: terms.n),
        [word, Fact("INV: the merchant's signed invoice", deposit.invoice.hash), key, taken])
    }
  }

  /// That the invoice took the token.
  private func taken(_ deposit: DepositRecord) -> Fact? {
    if let approval = approvals.first(where: { deposit.documents($0) && reversal(of: $0) == nil }) {
      return approval.fact
    }
    return records.first {
      $0.signer == deposit.token.bank && $0.payload.n == deposit.terms.n
        && $0.payload.merchant == deposit.deposit.signer
        && $0.payload.address == deposit.invoice.payload.address
    }.map { Fact("PassiveRecord: the bank took it", at: $0.payload.at, $0.hash) }
  }

  /// Contracts with their lock and commit.
  private func contracts() -> [Receipted] {
    var result: [Receipted] = []
    for lock in locks {
      guard let commit = matchingCommits(lock).first,
        let offer = offers.first(where: { $0.mismatch(commit.submission) == nil }),
        offer.pseudonym == lock.terms.pseudonym
      else { continue }
      result.append(
        Receipted(label: "", message: commit.hash, lock: lock, commit: commit, offer: offer))
    }
    return result
  }

  private func receipt(_ label: MessageType, _ message: Hash, _ base: Receipted, _ more: [Fact] = [])
    -> Receipted
  {
    Receipted(
      label: label.label, message: message, lock: base.lock, commit: base.commit, offer: base.offer,
      more: more)
  }

  /// S_p(P1).
  private func whole(_ base: Receipted) -> [Receipted] {
    signed(Acknowledgement.self, by: base.lock.terms.pseudonym).filter {
      $0.payload.hP1 == base.offer.hash && $0.payload.n == base.offer.n
        && $0.payload.merchant == base.offer.merchant
    }.map { receipt(.acknowledgement, $0.hash, base) }
  }

  /// E5 over the E4 of the commit.
  private func early(_ base: Receipted) -> [Receipted] {
    guard case .early(let hE4, _) = base.commit.submission.claim,
      let e4 = merchandise.first(where: {
        $0.hash == hE4 && $0.signer == base.offer.merchant && $0.payload.n == base.offer.n
          && $0.payload.hP1 == base.offer.hash
      })
    else { return [] }
    return signed(E5.self, by: base.lock.terms.pseudonym).filter {
      $0.payload.hE4 == hE4 && $0.payload.n == base.offer.n && $0.payload.merchant == base.offer.merchant
    }.map { receipt(.e5, $0.hash, base, [Fact("E4: what the ciphertext is", e4.hash)]) }
  }

  /// R7 over an R6 up to the committed one.
  private func series(_ base: Receipted) -> [Receipted] {
    guard case .series(let last, _, _) = base.commit.submission.claim else { return [] }
    return signed(R7.self, by: base.lock.terms.pseudonym).compactMap { r7 in
      let item = items.first {
        $0.hash == r7.payload.hR6 && $0.signer == base.offer.merchant && $0.payload.n == base.offer.n
          && $0.payload.index == r7.payload.index && $0.payload.index <= last
      }
      guard let item, r7.payload.n == base.offer.n, r7.payload.merchant == base.offer.merchant else {
        return nil
      }
      return receipt(.r7, r7.hash, base, [Fact("R6: purchase \(item.payload.index)", item.hash)])
    }
  }
}
