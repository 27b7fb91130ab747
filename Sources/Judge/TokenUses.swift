// What became of a token at its bank, as far as the evidence shows: each lock and each exchange once, however
// often it was signed.
//
// Invariant: where the evidence leaves it open what the bank was given, each rule takes the reading that is
// better for the bank. An archive that published both outcomes of a lock, or an owner who signed twice, makes
// no bank look guilty.

import Messages

/// A token at the one bank where it is usable.
struct TokenAt: Hashable {
  let id: Hash
  let bank: PublicKey
}

/// One use of a token: a lock with its authorization, an exchange, or an endorsed invoice.
struct TokenUse {
  let label: String
  /// The lock's or the exchange's answer.
  let message: Hash
  /// What the bank certainly took of the token, and what it may have taken.
  let least: UInt64
  let most: UInt64
  /// For a person: what of the rest of the evidence speaks of it.
  var remark = ""

  /// What of it explains where the value is, or is charged to the bank.
  func fact(_ amount: UInt64) -> Fact { Fact("\(label) uses \(amount) minor units\(remark)", message) }
}

extension CaseFile {
  /// All uses of tokens that the evidence shows.
  func collectTokenUses() -> [TokenAt: [TokenUse]] {
    var result: [TokenAt: [TokenUse]] = [:]
    func add(_ use: TokenUse, _ token: Hash, _ bank: PublicKey) {
      guard use.most > 0 || use.least > 0 || !use.remark.isEmpty else { return }
      result[TokenAt(id: token, bank: bank), default: []].append(use)
    }
    for group in lockGroups {
      let asked = Self.distinct(group.flatMap(requests(for:)))
      let end = end(of: group)
      for token in Set(asked.flatMap(\.inputs).map(\.token.id)) {
        add(use(of: token, by: group[0], asked, end), token, group[0].bank)
      }
    }
    for (exchange, answer) in answeredExchanges() {
      for token in Set(exchange.inputs.map(\.token.id)) {
        let amount = exchange.amount(of: token)
        add(TokenUse(label: "X2", message: answer, least: amount, most: amount), token, exchange.bank)
      }
    }
    for invoice in Self.distinct(invoicePayments()) {
      let input = invoice.inputs[0]
      add(
        TokenUse(label: invoice.label, message: invoice.hash, least: 0, most: input.amount), input.token.id,
        invoice.bank)
    }
    return result
  }

  /// The uses of a token at its bank, in an order that the files have no part in.
  func uses(of token: Hash, bank: PublicKey) -> [TokenUse] {
    (tokenUses[TokenAt(id: token, bank: bank)] ?? []).sorted {
      ($0.label, $0.message.description) < ($1.label, $1.message.description)
    }
  }

  // MARK: Locks

  /// How a lock ended, by all outcomes that are shown.
  private struct LockEnd {
    /// What each matching commit makes due: in a series less than was locked.
    var due: [Money]
    var isFreed: Bool
  }

  private func end(of group: [LockRecord]) -> LockEnd {
    LockEnd(
      due: group.flatMap { lock in matchingCommits(lock).compactMap { $0.due(lock) } },
      isFreed: group.contains { matchingAbort($0) != nil || witnessAbort($0) != nil })
  }

  private func use(
    of token: Hash, by lock: LockRecord, _ asked: [Authorization], _ end: LockEnd
  ) -> TokenUse {
    let locked = asked.map { $0.amount(of: token) }.max() ?? 0
    let spent = asked.flatMap { request in end.due.map { request.share(of: token, due: $0) } }
    var use = TokenUse(
      label: lock.label, message: lock.name,
      least: end.isFreed || asked.count > 1 ? 0 : spent.min() ?? locked,
      most: spent.max() ?? (end.isFreed ? 0 : locked))
    if end.isFreed { use.remark = ", freed by an abort" }
    if end.isFreed && !end.due.isEmpty { use.remark = ", freed and spent by two outcomes of one lock" }
    // Its owner can sign for the same terms and other tokens afterwards; only the bank knows which it was
    // given.
    if asked.count > 1 { use.remark += ", or another token: two authorizations are shown" }
    return use
  }

  // MARK: Exchanges and invoices

  /// Exchanges that the bank carried out, each once.
  private func answeredExchanges() -> [(Authorization, answer: Hash)] {
    let answers = Dictionary(grouping: exchanged, by: \.payload.hX1)
    return Dictionary(grouping: exchanges.map(Authorization.init), by: \.content).values.compactMap { same in
      let all = same.flatMap { answers[$0.hash] ?? [] }.filter { $0.signer == same[0].bank }
      return all.map(\.hash).min { $0.description < $1.description }.map { (same[0], $0) }
    }
  }

  /// Invoices that the token's key endorsed, with the key to their goods: so nothing was taken without
  /// delivery.
  private func invoicePayments() -> [Authorization] {
    deposits.filter { deposit in
      guard let invoice = try? Unverified<Invoice>(deposit.invoice) else { return false }
      let terms = invoice.claims.terms
      return Mode.invoices.contains { way in
        Hash.keyCommitment(way, merchant: invoice.claimedSigners[0], n: terms.n, key: deposit.key) == terms.hx
      }
    }.compactMap(Authorization.init)
  }

  /// Each once, whatever signatures it has.
  static func distinct(_ all: [Authorization]) -> [Authorization] {
    var seen: Set<[UInt8]> = []
    return all.filter { seen.insert($0.content).inserted }
  }
}
