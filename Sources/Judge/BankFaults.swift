// Rules 9 to 11: what a bank may not do with locks and tokens. It takes the bank's own signatures; a customer
// who signs two authorizations is only refused, because an honest restored wallet does so.

import Messages

// MARK: Rule 9

extension CaseFile {
  /// Two locks of one (M, n).
  func lockedTwice() -> [Verdict] {
    Dictionary(grouping: lockGroups, by: \.[0].transaction).flatMap { transaction, all -> [Verdict] in
      Dictionary(grouping: all, by: \.[0].bank).compactMap { bank, own in
        guard own.count > 1 else { return nil }
        return convict(
          .lockedTwice, culprit(.bank, bank), transaction.subject, [own[0][0].fact, own[1][0].fact])
      }
    }
  }
}

// MARK: Rule 10

extension CaseFile {
  /// Locks and exchanges beyond a token's value, no abort between.
  func spentBeyondValue() -> [Verdict] {
    tokenUses.keys.compactMap { token in
      let all = uses(of: token.id, bank: token.bank)
      let sum = saturatingSum(all.map(\.least))
      let subject = Subject(token: token.id)
      // Whoever has q can sign for a token under any denomination's name: only one under which the bank's
      // blind signature holds counts.
      guard let denomination = denomination(of: token) else {
        guard all.count > 1 else { return nil }
        return spare(
          .spentBeyondValue, .undecided, subject, all.map { $0.fact($0.least) },
          unless: ["the bank's key list under which the token's signature holds"])
      }
      let facts =
        all.map { $0.fact($0.least) }
        + [Fact("\(sum) of \(denomination.value.amount) minor units are in use")]
      if sum <= denomination.value.amount {
        return all.count > 1 ? spare(.spentBeyondValue, .noFault, subject, facts) : nil
      }
      return silence(
        .spentBeyondValue, culprit(.bank, token.bank), until: denomination.spendUntil, subject, facts,
        unless: [
          "an abort of one of these locks", "the authorization of other tokens for one of these locks",
          "the commit of a series, which takes less than it locked",
        ])
    }
  }

  /// The largest denomination under which the bank's signature of this token holds.
  private func denomination(of token: TokenAt) -> Denomination? {
    (namedTokens[token.id] ?? []).filter { $0.bank == token.bank && isSound($0) }.compactMap(denomination)
      .max { $0.value.amount < $1.value.amount }
  }
}

// MARK: Rule 11

extension CaseFile {
  /// Refusals of authorizations for reasons that need proof.
  func refusedWrongly() -> [Verdict] {
    refusals.compactMap { refusal in
      guard let refused = authorizations[refusal.payload.hRequest], refused.bank == refusal.signer else {
        return nil
      }
      switch refusal.payload.reason {
      case .nReused: return reused(refusal, refused)
      case .spent, .locked: return unavailable(refusal, refused)
      default: return nil
      }
    }
  }

  private func facts(_ refusal: Verified<Refusal>, _ refused: Authorization) -> [Fact] {
    let reason = refusal.payload.reason.map { "\($0)" } ?? ""
    return [
      Fact("\(refused.label): the tokens' keys asked the bank to use them", refused.hash),
      Fact("the bank refused it as \(reason)", at: refusal.payload.at, refusal.hash),
    ]
  }

  private func subject(_ refused: Authorization) -> Subject { refused.transaction?.subject ?? Subject() }

  /// What a refusal shows: its proof and what is inside, as deep as an honest bank's proof goes (a published
  /// announcement) and a level more: whoever makes evidence chooses how deep it nests.
  private func proof(_ refusal: Verified<Refusal>) -> [Authorization] {
    var (level, seen) = (refusal.payload.proof, Set<Hash>())
    for _ in 0..<3 {
      level = level.filter { seen.insert(Hash(of: $0)).inserted }
        .flatMap { (try? MessageType.nestedMessages(in: $0)) ?? [] }
    }
    return seen.compactMap { authorizations[$0] }.sorted { $0.hash.description < $1.hash.description }
  }

  /// "This number has another authorization": it is shown, or the refusal is wrong.
  private func reused(_ refusal: Verified<Refusal>, _ refused: Authorization) -> Verdict? {
    guard let transaction = refused.transaction else { return nil }
    let found = facts(refusal, refused)
    let other = proof(refusal).first { isUse($0, beside: refused) && $0.transaction == transaction }
    guard let other else {
      let fact = Fact("its proof holds no other authorization of this transaction")
      return convict(.refusedWrongly, culprit(.bank, refused.bank), subject(refused), found + [fact])
    }
    let fact = Fact("\(other.label): another authorization of this transaction", other.hash)
    return spare(.refusedWrongly, .noFault, subject(refused), found + [fact])
  }

  /// "A token has less left": its uses are shown, or the refusal is wrong.
  private func unavailable(_ refusal: Verified<Refusal>, _ refused: Authorization) -> Verdict {
    let found = facts(refusal, refused)
    let bank = culprit(.bank, refused.bank)
    let tokens = Set(refused.inputs.map(\.token.id))
    let isShown = proof(refusal).contains { use in
      isUse(use, beside: refused) && use.inputs.contains { tokens.contains($0.token.id) }
    }
    if !refusal.payload.proof.isEmpty && !isShown {
      let fact = Fact("its proof holds no other use of a token that was named")
      return convict(.refusedWrongly, bank, subject(refused), found + [fact])
    }
    var end: Timestamp = 0
    for input in refused.inputs {
      guard let denomination = denomination(input.token) else {
        return spare(
          .refusedWrongly, .undecided, subject(refused), found, unless: ["the bank's key list"])
      }
      end = max(end, denomination.spendUntil)
      let uses = authorized(input.token.id, beside: refused)
      let used = saturatingSum(uses.map { $0.amount(of: input.token.id) } + [input.amount])
      guard used <= denomination.value.amount else {
        let shown = uses.map {
          Fact("\($0.label) uses \($0.amount(of: input.token.id)) minor units", $0.hash)
        }
        return spare(.refusedWrongly, .noFault, subject(refused), found + shown)
      }
    }
    let fact = Fact("what is shown leaves enough of each token")
    return silence(
      .refusedWrongly, bank, until: end, subject(refused), found + [fact],
      unless: ["more authorizations or exchanges of the tokens that were named"])
  }

  /// What a token's key authorized at this bank beside what it refused, each payload once: however often it
  /// was signed. Aborts do not matter here: a bank may not have heard of them when it refused.
  private func authorized(_ token: Hash, beside refused: Authorization) -> [Authorization] {
    let all = (authorizationsOf[token] ?? []).filter { isUse($0, beside: refused) }
    return Self.distinct(all.sorted { $0.hash.description < $1.hash.description })
  }

  /// Whether an authorization stood in the way at that bank: not the refused one itself, in whatever form it
  /// is signed, and nothing that the bank refused too and never acted on.
  private func isUse(_ other: Authorization, beside refused: Authorization) -> Bool {
    guard other.bank == refused.bank, !other.says(the: refused) else { return false }
    return !(refusedBy[other.hash] ?? []).contains(other.bank) || carriedOut.contains(other.content)
  }
}
