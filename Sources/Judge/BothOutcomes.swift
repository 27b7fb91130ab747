// Rules 5 and 12: one archive publishes one outcome of a lock and one commit of a transaction, for ever, and
// says nothing else about its record. Two words of one archive that cannot both be, signed by the same key,
// convict it; it takes that key to make them.

import Messages

extension CaseFile {
  func bothOutcomes() -> [Verdict] { commitAndAbort() + twoCommits() }

  private func commitAndAbort() -> [Verdict] {
    commits.compactMap { commit in
      let others = aborts.filter { $0.merchant == commit.submission.merchant && $0.n == commit.submission.n }
      let subject = Subject(
        merchant: commit.submission.merchant, n: commit.submission.n, lock: commit.lock)
      let same = others.first {
        $0.lock == commit.lock && $0.archive == commit.archive && $0.mode == commit.mode
      }
      if let same {
        return convict(
          .bothOutcomes, culprit(Self.archiveRole(commit.mode), commit.archive), subject,
          [commit.fact, same.fact])
      }
      guard let other = others.first else { return nil }
      let fact = Fact("they are of different locks or archives, and both can be")
      return spare(.bothOutcomes, .noFault, subject, [commit.fact, other.fact, fact])
    }
  }

  /// Commits of one transaction under two locks, or of one lock with two submissions. The merchant may have
  /// signed one submission twice; that is the same.
  private func twoCommits() -> [Verdict] {
    Dictionary(grouping: commits) { $0.submission.transaction }.flatMap { transaction, all -> [Verdict] in
      Dictionary(grouping: all, by: \.archive).compactMap { archive, own in
        let other = own.first { $0.lock != own[0].lock || $0.submission.content != own[0].submission.content }
        guard let other else { return nil }
        return convict(
          .bothOutcomes, culprit(Self.archiveRole(own[0].mode), archive), transaction.subject,
          [own[0].fact, other.fact])
      }
    }
  }
}

// MARK: Rule 12

extension CaseFile {
  /// "Open", signed by an archive, after the time of its own commit.
  func recordDenied() -> [Verdict] {
    answers.compactMap { answer in
      guard answer.payload.state == .open, let asked = queries[answer.payload.hQuery],
        let merchant = asked.merchant, let n = asked.n
      else { return nil }
      let transaction = TransactionKey(merchant: merchant, n: n)
      let commit = commits.first {
        $0.archive == answer.signer && $0.submission.transaction == transaction && $0.at < answer.payload.at
      }
      guard let commit else { return nil }
      let fact = Fact("the archive says that nothing is published", at: answer.payload.at, answer.hash)
      return convict(
        .recordDenied, culprit(Self.archiveRole(commit.mode), commit.archive), transaction.subject,
        [commit.fact, fact])
    }
  }
}
