// Rule 3: value was taken without delivery. Whoever has the token's key demands its value; the bank accounts
// for all of it by what that key signed, and by its own locks and exchanges. A commit yields the key to the
// goods; a lock without an outcome is the archive's to end.

import Messages

extension CaseFile {
  func valueTaken() -> [Verdict] { explainedLocks() + demandedTokens() }

  /// P2, P3 and the commit of one lock: nothing was taken without delivery.
  private func explainedLocks() -> [Verdict] {
    locks.compactMap { lock in
      guard let request = requests(for: lock).first, let commit = matchingCommits(lock).first else {
        return nil
      }
      let asked = Fact("\(request.label): the tokens' keys authorized it", request.hash)
      return spare(.valueTaken, .noFault, lock.subject, [asked, lock.fact, commit.fact])
    }
  }

  /// Tokens whose keys ask for their state.
  private func demandedTokens() -> [Verdict] {
    let named = evidence.tokens.union(namedTokens.values.lazy.flatMap { $0 })
    let demanded = Dictionary(grouping: named.filter { demands[$0.key] != nil }, by: \.id)
    return demanded.values.compactMap { same in
      // The same token may come with several signatures: one that holds is enough.
      let sorted = same.sorted { $0.signature.lexicographicallyPrecedes($1.signature) }
      let token = sorted.first { isSound($0) } ?? sorted[0]
      let own = demands[token.key]!.filter { $0.payload.names(token) }
        .sorted { $0.hash.bytes.lexicographicallyPrecedes($1.hash.bytes) }
      return own.isEmpty ? nil : verdict(on: token, own)
    }
  }

  /// Whether its issuer signed the token under this name and denomination.
  func isSound(_ token: Token) -> Bool {
    guard let denomination = denomination(token), token.key.isSound else { return false }
    return tokenHolds?(token, denomination) ?? false
  }

  private func verdict(on token: Token, _ demands: [Verified<StatusQuery>]) -> Verdict {
    let subject = Subject(token: token.id)
    let asked = Fact("the token's key demands its value", demands[0].hash)
    guard let denomination = denomination(token), isSound(token) else {
      let fact = Fact("nothing shows that the bank issued the token")
      return spare(
        .valueTaken, .undecided, subject, [asked, fact],
        unless: ["the bank's key list under which the token's signature holds"])
    }
    let value = denomination.value
    let (sum, uses) = account(for: token, value, demands)
    let total = Fact("accounted for: \(sum) of \(value.amount) minor units")
    let facts = [asked] + uses + [total]
    if sum >= value.amount { return spare(.valueTaken, .noFault, subject, facts) }
    return silence(
      .valueTaken, culprit(.bank, token.bank), until: denomination.spendUntil, subject, facts,
      unless: [
        "authorizations by the token's key with their locks, exchanges, or the bank's word for the rest"
      ])
  }

  /// How much of a token the evidence explains.
  private func account(
    for token: Token, _ value: Money, _ demands: [Verified<StatusQuery>]
  ) -> (UInt64, [Fact]) {
    let used = uses(of: token.id, bank: token.bank)
    let (bound, why) = token.archive == nil ? (0, []) : account(forBound: token, value)
    var facts = used.map { $0.fact($0.most) } + why
    let rests = answers.filter { answer in
      answer.signer == token.bank && answer.payload.state == .available
        && demands.contains { $0.hash == answer.payload.hQuery }
    }
    // A token that the bank has never seen is available without a remainder.
    let rest = rests.map { $0.payload.remainder?.amount ?? value.amount }.max()
    if let rest {
      facts.append(Fact("the bank says that \(rest) minor units are available", rests[0].hash))
    }
    // A bound token is used whole: by an approval and by the invoice that it is of, it is used once.
    return (saturatingSum([max(saturatingSum(used.map(\.most)), bound), rest ?? 0]), facts)
  }
}
