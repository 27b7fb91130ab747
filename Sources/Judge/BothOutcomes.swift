// Rule 5: one archive publishes one outcome of a lock and one commit of a transaction, for ever. Two that
// cannot both be, signed by the same key, convict it; it takes that key to make them.

import Messages

extension CaseFile {
  func bothOutcomes() -> [Verdict] { commitAndAbort() + twoCommits() }

  private func commitAndAbort() -> [Verdict] {
    var verdicts: [Verdict] = []
    for commit in commits {
      let others = aborts.filter { $0.merchant == commit.submission.merchant && $0.n == commit.submission.n }
      let same = others.first {
        $0.lock == commit.lock && $0.archive == commit.archive && $0.mode == commit.mode
      }
      let subject = Subject(
        merchant: commit.submission.merchant, n: commit.submission.n, lock: commit.lock)
      if let same {
        verdicts.append(
          convict(
            .bothOutcomes, culprit(Self.archiveRole(commit.mode), commit.archive), subject,
            [commit.fact, same.fact]))
      } else if let other = others.first {
        let fact = Fact("they are of different locks or archives, and both can be")
        verdicts.append(spare(.bothOutcomes, .noFault, subject, [commit.fact, other.fact, fact]))
      }
    }
    return verdicts
  }

  private func twoCommits() -> [Verdict] {
    Dictionary(grouping: commits) { $0.submission.transaction }.flatMap { transaction, all -> [Verdict] in
      Dictionary(grouping: all, by: \.archive).compactMap { archive, own in
        guard let other = own.first(where: { $0.lock != own[0].lock }) else { return nil }
        return convict(
          .bothOutcomes, culprit(Self.archiveRole(own[0].mode), archive), transaction.subject,
          [own[0].fact, other.fact])
      }
    }
  }
}
