// Rules 9 to 11: what a bank may not do with locks and tokens. It takes the bank's own signatures; a customer
// who signs two authorizations is only refused, because an honest restored wallet does so.

import Messages

// MARK: Rule 9

extension CaseFile {
  /// Two locks of one (M, n).
  func lockedTwice() -> [Verdict] {
    Dictionary(grouping: locks, by: \.transaction).flatMap { transaction, all -> [Verdict] in
      Dictionary(grouping: all, by: \.bank).compactMap { bank, own in
        guard let other = own.first(where: { !$0.says(the: own[0]) }) else {
          return nil
        }
        return convict(
          .lockedTwice, culprit(.bank, bank), transaction.subject, [own[0].fact, other.fact])
      }
    }
  }
}

// MARK: Rule 10

extension CaseFile {
  /// Locks and exchanges beyond a token's value, no abort between.
  func spentBeyondValue() -> [Verdict] {
    let named = requests.flatMap(\.inputs) + exchanges.flatMap(\.payload.tokenInputs)
    return Dictionary(grouping: named.map(\.token), by: \.id).values.compactMap { variants in
      let token = variants[0]
      let all = uses(of: token.id, bank: token.bank)
      guard all.count > 1 else { return nil }
      // A token's id does not hold its denomination: whoever has q can sign for it under any, so the largest
      // counts.
      let denominations = variants.map(denomination)
      guard
        let denomination = denominations.max(by: { ($0?.value.amount ?? 0) < ($1?.value.amount ?? 0) })
          ?? nil,
        !denominations.contains(nil)
      else { return nil }
      let held = all.filter { !$0.isFreed && !$0.isAmbiguous }
      let sum = saturatingSum(held.map(\.amount))
      let subject = Subject(token: token.id)
      let facts = all.map(describe) + [Fact("\(sum) of \(denomination.value.amount) minor units are in use")]
      if sum <= denomination.value.amount {
        return spare(.spentBeyondValue, .noFault, subject, facts)
      }
      // An authorization with the same terms and other tokens can be made afterwards, by its owner; only the
      // bank knows which one it was given.
      return silence(
        .spentBeyondValue, culprit(.bank, token.bank), until: denomination.spendUntil, subject, facts,
        unless: [
          "an abort of one of these locks", "the authorization of other tokens for one of these locks",
        ])
    }
  }

  private func describe(_ use: TokenUse) -> Fact {
    let why =
      use.isFreed
      ? ", freed by an abort" : use.isAmbiguous ? ", or another token: two authorizations are shown" : ""
    return Fact("\(use.label) uses \(use.amount) minor units\(why)", use.message)
  }
}

// MARK: Rule 11

extension CaseFile {
  /// Refusals of authorizations for reasons that need proof.
  func refusedWrongly() -> [Verdict] {
    refusals.compactMap { refusal in
      guard let request = requests.first(where: { $0.hash == refusal.payload.hRequest }),
        request.bank == refusal.signer
      else { return nil }
      switch refusal.payload.reason {
      case .nReused: return reused(refusal, request)
      case .spent, .locked: return unavailable(refusal, request)
      default: return nil
      }
    }
  }

  private func facts(_ refusal: Verified<Refusal>, _ request: RequestRecord) -> [Fact] {
    let reason = refusal.payload.reason.map { "\($0)" } ?? ""
    return [
      Fact("\(request.label): the tokens' keys asked for a lock", request.hash),
      Fact("the bank refused it as \(reason)", at: refusal.payload.at, refusal.hash),
    ]
  }

  private func subject(_ request: RequestRecord) -> Subject {
    Subject(merchant: request.terms.merchant, n: request.terms.n)
  }

  /// "This number has another authorization": it is shown, or the refusal is wrong.
  private func reused(_ refusal: Verified<Refusal>, _ request: RequestRecord) -> Verdict {
    let proof = Set(refusal.payload.proof.map(Hash.init(of:)))
    let other = requests.first {
      proof.contains($0.hash) && $0.terms.merchant == request.terms.merchant && $0.terms.n == request.terms.n
        && !$0.says(the: request)
    }
    let found = facts(refusal, request)
    guard let other else {
      let fact = Fact("its proof holds no other authorization of this transaction")
      return convict(.refusedWrongly, culprit(.bank, request.bank), subject(request), found + [fact])
    }
    let fact = Fact("\(other.label): another authorization of this transaction", other.hash)
    return spare(.refusedWrongly, .noFault, subject(request), found + [fact])
  }

  /// "A token has less left": its uses are shown, or the refusal is wrong.
  private func unavailable(_ refusal: Verified<Refusal>, _ request: RequestRecord) -> Verdict? {
    let found = facts(refusal, request)
    let bank = culprit(.bank, request.bank)
    let proof = Set(refusal.payload.proof.map(Hash.init(of:)))
    let shown = request.inputs.contains { input in
      requests.contains { proof.contains($0.hash) && isUse($0, of: input.token.id, beside: request) }
        || exchanges.contains {
          proof.contains($0.hash) && $0.payload.bank == request.bank
            && $0.payload.tokenInputs.amount(of: input.token.id) > 0
        }
    }
    if !proof.isEmpty && !shown {
      let fact = Fact("its proof holds no other use of a token that was named")
      return convict(.refusedWrongly, bank, subject(request), found + [fact])
    }
    var end: Timestamp = 0
    for input in request.inputs {
      guard let denomination = denomination(input.token) else {
        return spare(
          .refusedWrongly, .undecided, subject(request), found, unless: ["the bank's key list"])
      }
      end = max(end, denomination.spendUntil)
      let uses = authorized(input.token.id, beside: request)
      let used = saturatingSum(uses.map(\.amount) + [input.amount])
      guard used <= denomination.value.amount else {
        let shown = uses.map { Fact("\($0.label) uses \($0.amount) minor units", $0.message) }
        return spare(.refusedWrongly, .noFault, subject(request), found + shown)
      }
    }
    let fact = Fact("what is shown leaves enough of each token")
    return silence(
      .refusedWrongly, bank, until: end, subject(request), found + [fact],
      unless: ["more authorizations or exchanges of the tokens that were named"])
  }

  /// Authorizations and exchanges of a token that its key signed for this bank, each payload once. Aborts do
  /// not matter here: a bank may not have heard of them when it refused.
  private func authorized(_ token: Hash, beside refused: RequestRecord) -> [(
    label: String, amount: UInt64, message: Hash
  )] {
    var result: [(label: String, amount: UInt64, message: Hash)] = []
    var counted: [RequestRecord] = []
    for request in requests where isUse(request, of: token, beside: refused) {
      guard !counted.contains(where: { $0.says(the: request) }) else { continue }
      counted.append(request)
      result.append((request.label, request.amount(of: token), request.hash))
    }
    var exchangedBefore: [X1] = []
    for exchange in exchanges
    where exchange.payload.bank == refused.bank && !exchangedBefore.contains(exchange.payload) {
      let amount = exchange.payload.tokenInputs.amount(of: token)
      guard amount > 0 else { continue }
      exchangedBefore.append(exchange.payload)
      result.append(("X1", amount, exchange.hash))
    }
    return result
  }

  /// Whether an authorization uses a token at that bank: not the refused one itself, and nothing that the
  /// bank refused too and never locked.
  private func isUse(_ request: RequestRecord, of token: Hash, beside refused: RequestRecord) -> Bool {
    guard request.bank == refused.bank, request.amount(of: token) > 0, !request.says(the: refused) else {
      return false
    }
    let isRefused = refusals.contains { $0.signer == request.bank && $0.payload.hRequest == request.hash }
    return !isRefused || locks.contains { request.asked(for: $0) }
  }
}
