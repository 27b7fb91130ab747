// Rule 3: value was taken without delivery. Whoever has the token's key demands its value; the bank accounts
// for all of it by what that key signed, and by its own locks and exchanges. A commit yields the key to the
// goods; a lock without an outcome is the archive's to end.

import Messages

extension CaseFile {
  func valueTaken() -> [Verdict] { explainedLocks() + demandedTokens() }

  /// P2, P3 and the commit of one lock: nothing was taken without delivery.
  private func explainedLocks() -> [Verdict] {
    locks.compactMap { lock in
      guard let request = requests(for: lock).first,
        let commit = commits.first(where: { $0.lock == lock.name && $0.mismatch(lock) == nil })
      else { return nil }
      let asked = Fact("\(request.label): the tokens' keys authorized it", request.hash)
      return spare(.valueTaken, .noFault, lock.subject, [asked, lock.fact, commit.fact])
    }
  }

  /// Tokens whose keys ask for their state.
  private func demandedTokens() -> [Verdict] {
    let tokens = Set(evidence.tokens.map(\.id)).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    return tokens.compactMap { id in
      // The same token may come with several signatures: one that holds is enough.
      let same = evidence.tokens.filter { $0.id == id }
      let token = same.first { isSound($0) } ?? same.first!
      let demands = signed(StatusQuery.self, by: token.key).filter { $0.payload.serial == token.serial }
      return demands.isEmpty ? nil : verdict(on: token, demands)
    }
  }

  private func isSound(_ token: Token) -> Bool {
    guard let denomination = denomination(token), token.issuer == token.bank, token.key.isSound else {
      return false
    }
    return tokenHolds?(token, denomination) ?? false
  }

  private func verdict(on token: Token, _ demands: [Verified<StatusQuery>]) -> Verdict {
    let subject = Subject(token: token.id)
    let asked = Fact("the token's key demands its value", demands[0].hash)
    guard token.archive == nil else {
      let fact = Fact("the token is bound to an archive: how that one is spent, no rule here decides")
      return spare(.valueTaken, .undecided, subject, [asked, fact])
    }
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
    let used = uses(of: token.id, bank: token.bank).filter { !$0.isFreed }
    var facts = used.map { Fact("\($0.label) uses \($0.amount) minor units", $0.message) }
    let rests = answers.filter { answer in
      answer.signer == token.bank && answer.payload.state == .available
        && demands.contains { $0.hash == answer.payload.hQuery }
    }
    // A token that the bank has never seen is available without a remainder.
    let rest = rests.map { $0.payload.remainder?.amount ?? value.amount }.max()
    if let rest {
      facts.append(Fact("the bank says that \(rest) minor units are available", rests[0].hash))
    }
    return (saturatingSum(used.map(\.amount) + [rest ?? 0]), facts)
  }
}

/// One use of a token: a lock with its authorization, or an exchange.
struct TokenUse {
  let label: String
  let amount: UInt64
  /// The lock's or the exchange's answer.
  let message: Hash
  /// An abort of the lock is shown.
  let isFreed: Bool
  /// Different authorizations with the same terms are shown for the lock: which of them the bank was given,
  /// nothing tells.
  let isAmbiguous: Bool
}

extension CaseFile {
  /// All uses of a token at its bank that the evidence shows, each lock and exchange once.
  func uses(of token: Hash, bank: PublicKey) -> [TokenUse] {
    var result: [TokenUse] = []
    for lock in locks where lock.bank == bank {
      let asked = requests(for: lock)
      // Of a series below its budget only what it cost is used.
      let commit = commits.first { $0.lock == lock.name && $0.mismatch(lock) == nil }
      let due = commit?.due(lock)?.amount ?? .max
      guard let amount = asked.map({ $0.amount(of: token, spending: due) }).max(), amount > 0 else { continue }
      result.append(
        TokenUse(
          label: lock.label, amount: amount, message: lock.name, isFreed: isFreed(lock),
          isAmbiguous: asked.contains { !$0.says(the: asked[0]) }))
    }
    var seen: [X1] = []
    for exchange in exchanges where exchange.payload.bank == bank && !seen.contains(exchange.payload) {
      let amount = exchange.payload.tokenInputs.amount(of: token)
      let answer = exchanged.first { $0.signer == bank && $0.payload.hX1 == exchange.hash }
      guard amount > 0, let answer else { continue }
      seen.append(exchange.payload)
      result.append(
        TokenUse(label: "X2", amount: amount, message: answer.hash, isFreed: false, isAmbiguous: false))
    }
    return result
  }

  /// Whether an abort of the lock, by its archive or by the witnesses, is shown.
  func isFreed(_ lock: LockRecord) -> Bool {
    aborts.contains { $0.lock == lock.name && $0.archive == lock.terms.archive }
      || witnessAborts.contains { $0.payload.lock == lock.name }
  }
}
