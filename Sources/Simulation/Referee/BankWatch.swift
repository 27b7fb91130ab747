// Invariants 1 and 2 at the bank, after each of its durable steps: money is neither made nor lost, each
// token's value is in one place, and only the archive's matching outcome ends a lock.

import Messages
import Storage

/// Looks at one durable step of a bank.
struct BankWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ mutations: [Mutation]) {
    var messages: [(label: String, bytes: [UInt8])] = []
    var uses: [TokenUse] = []
    var entries: [LedgerEntry] = []
    for mutation in mutations {
      switch mutation {
      case .message(let kind, _, let label, let bytes):
        if kind.hasPrefix("withdrawals/") { issue(bytes) }
        if kind == "use" && label == "X1" { exchange(bytes) }
        if kind == "lock" { messages.append((label, bytes)) }
      case .use(let use): uses.append(use)
      case .entry(let entry): entries.append(entry)
      default: break
      }
    }
    for message in messages {
      if LockModes.lockLabels.contains(message.label) {
        lock(LockFacts(message.bytes), messages, uses)
      } else if message.label == JB2ack.type.label {
        compactLock(message.bytes, messages, uses)
      }
    }
    for name in Set(uses.filter { $0.state != .locked }.map(\.lock)).sorted(by: <) {
      // A compact sale may be locked and ended in one step.
      end(name, messages, uses.filter { $0.lock == name && $0.state != .locked }, entries)
    }
    checkCredits(entries, uses, messages)
    RefundWatch(referee: referee, host: host, image: image).bank(mutations)
    ClearingWatch(referee: referee, host: host, image: image).see(mutations)
    DepositWatch(referee: referee, host: host, image: image).see(entries, uses, mutations)
    balance()
  }

  // MARK: Money in and out

  private func issue(_ bytes: [UInt8]) {
    guard let w1 = try? Unverified<W1>(bytes) else { return fail(1, "an unreadable withdrawal") }
    referee.issued[host.index, default: 0] += Int64(w1.claims.amount.amount)
  }

  private func exchange(_ bytes: [UInt8]) {
    guard let x1 = try? Verified<X1>(bytes, by: .ownTokens) else { return fail(1, "an unsigned exchange") }
    referee.issued[host.index, default: 0] += Int64(x1.payload.total.amount - x1.payload.fee)
    referee.feesTaken[host.index, default: 0] += Int64(x1.payload.fee)
    let sum = x1.payload.tokenInputs.reduce(0) { $0 + $1.amount }
    if sum != x1.payload.total.amount { fail(1, "an exchange of \(sum) for \(x1.payload.total)") }
  }

  // MARK: Locks

  /// JB2ack is kept: what it acknowledges is a lock.
  private func compactLock(
    _ bytes: [UInt8], _ messages: [(label: String, bytes: [UInt8])], _ uses: [TokenUse]
  ) {
    guard let ack = try? Verified<JB2ack>(bytes, by: .key(host.member.key)) else {
      return fail(2, "an unreadable acknowledgement")
    }
    let request = messages.first { $0.label == JB2.type.label }.flatMap { LockFacts(compact: $0.bytes) }
    guard request?.name == ack.payload.hJB2 else { return fail(2, "acknowledges what it does not keep") }
    lock(request, messages, uses)
  }

  /// A lock's message is kept: with the tokens' authorization, over the same terms, for these amounts.
  private func lock(
    _ facts: LockFacts?, _ messages: [(label: String, bytes: [UInt8])], _ uses: [TokenUse]
  ) {
    guard let facts else { return fail(2, "an unreadable lock") }
    let transaction = facts.terms.merchant.bytes + facts.terms.n.bytes
    if let other = referee.lockOf[transaction], other != facts.name {
      fail(4, "two locks of one transaction")
    }
    referee.locks[facts.name] = facts
    referee.lockOf[transaction] = facts.name
    guard let (name, request) = authorization(of: facts, messages) else {
      return fail(2, "a lock without the tokens' authorization")
    }
    if referee.refused.contains(name) { fail(2, "a payment is locked after it was refused") }
    guard request.mode == facts.mode, request.terms == facts.terms, request.bank == host.member.key else {
      return fail(2, "a lock over other terms than the tokens signed")
    }
    let wanted = request.inputs.map { [UInt8]($0.token.id.bytes) + String($0.amount).utf8 }.sorted(by: <)
    let locked = uses.filter { $0.lock == facts.name.bytes && $0.state == .locked }.map {
      $0.token + String($0.amount).utf8
    }.sorted(by: <)
    if wanted != locked { fail(2, "a lock holds other tokens than were authorised") }
    for input in request.inputs {
      let (token, key) = (input.token, referee.denominations[input.token.keyID])
      if !(key?.isValid(signature: token.signature, for: token.id.bytes) ?? false) {
        fail(1, "a forged token is locked")
      }
      let isOwn = DenominationKeys.of(host.member.name).contains { $0.id == token.keyID }
      if token.bank != host.member.key || token.issuer != host.member.key || !isOwn {
        fail(1, "another bank's token is locked")
      }
    }
    if request.inputs.reduce(0, { $0 + $1.amount }) != facts.terms.value.amount {
      fail(1, "a lock over \(facts.terms.value) holds another amount")
    }
    checkTerms(facts)
  }

  /// What the tokens authorised in this step, and the name by which a refusal of it is remembered. An
  /// announced token is claimed: its key has agreed, and its archive has published in time.
  private func authorization(
    of facts: LockFacts, _ messages: [(label: String, bytes: [UInt8])]
  ) -> (Hash, RequestFacts)? {
    guard facts.mode == .announced else {
      return messages.lazy.compactMap { m in RequestFacts(m.bytes).map { (Hash(of: m.bytes), $0) } }.first
    }
    let log = messages.map { StoredMessage(sequence: 0, key: [], label: $0.label, bytes: $0.bytes) }
    guard let claim = ClaimFacts(in: log), claim.isConsented,
      claim.archive == facts.terms.archive, claim.at < facts.terms.expiration
    else { return nil }
    return (claim.consent, claim.request)
  }

  private func checkTerms(_ facts: LockFacts) {
    let terms = facts.terms
    guard terms.expiration > host.decidedAt else { return fail(7, "a lock that has expired already") }
    guard terms.expiration <= host.now + 7 * 86_400 else { return fail(7, "a lock for more than seven days") }
    guard terms.lifetime >= terms.expiration + Cast.lifetimeSeconds else {
      return fail(7, "a lock whose lifetime ends too early")
    }
    guard terms.base?.amount ?? 0 <= terms.value.amount else {
      return fail(2, "a lock of \(terms.value) whose first purchase costs more")
    }
    let isJoint = [.joint, .compact].contains(facts.mode)
    guard !isJoint || terms.archive == host.member.key else {
      return fail(4, "a joint lock with another archive")
    }
    guard Cast.shared.members.contains(where: { $0.key == terms.merchant && $0.role == .merchant }) else {
      return fail(2, "a lock for no merchant")
    }
    guard let archive = referee.world.host(terms.archive),
      isJoint ? archive.member.role == .bank : archive.member.isActiveArchive
    else { return fail(4, "a lock that no archive can end") }
  }

  /// Tokens leave a lock: by the outcome that is kept in the same step, and by nothing else.
  private func end(
    _ name: [UInt8], _ messages: [(label: String, bytes: [UInt8])], _ uses: [TokenUse],
    _ entries: [LedgerEntry]
  ) {
    guard let lock = Hash(name), let facts = referee.locks[lock] else {
      // An exchange spends at once, under the hash of X1.
      if uses.contains(where: { $0.state == .released }) { fail(2, "tokens are freed from no lock") }
      return
    }
    let outcome = messages.lazy.compactMap { OutcomeFacts($0.bytes) }.first
    guard let outcome else { return fail(2, "tokens leave a lock without the archive's outcome") }
    if let fault = outcome.fault(for: facts.terms, mode: facts.mode, lock: lock) {
      return fail(2, "tokens leave a lock by an outcome that is not its own: \(fault)")
    }
    let spent = uses.allSatisfy { $0.state == .spent }
    if facts.mode == .repeated {
      let sum = uses.filter { $0.state == .spent }.reduce(0) { $0 + $1.amount }
      let due = outcome.isCommit ? outcome.due(facts.terms)?.amount ?? 0 : 0
      if sum != Int64(due) { fail(2, "\(sum) of the tokens is spent where \(due) is due") }
    } else if spent != outcome.isCommit {
      fail(2, "tokens are \(spent ? "spent" : "freed") by \(outcome.isCommit ? "a commit" : "an abort")")
    }
    // A compact commit stands in no public record: it is answered, from here on.
    if facts.mode == .compact && outcome.isCommit { referee.secrets[outcome.n] = nil }
    if facts.mode == .compact && !outcome.isCommit && !image.records.contains(where: { $0.lock == name }) {
      fail(4, "a compact abort that is in no record")
    }
    let all = image.usesOfLock[name] ?? []
    if all.contains(where: { $0.state == .locked }) { fail(2, "a lock is ended in part") }
  }

  /// A sale is credited to the lock's merchant, in full, once, in the step that spends the tokens.
  private func checkCredits(
    _ entries: [LedgerEntry], _ uses: [TokenUse], _ messages: [(label: String, bytes: [UInt8])]
  ) {
    for entry in entries where entry.kind == "sale" {
      let name = Array(entry.reference.suffix(Hash.size))
      guard let lock = Hash(name), let facts = referee.locks[lock] else {
        return fail(1, "a credit for no lock")
      }
      guard uses.contains(where: { $0.lock == name && $0.state == .spent }) else {
        return fail(1, "a credit without spent tokens")
      }
      let owner = ClearingWatch.payee(of: facts.terms.merchant, at: host, image)
      guard let posting = entry.postings.first(where: { $0.amount > 0 }), posting.account == owner else {
        return fail(1, "a sale is credited to somebody else")
      }
      let outcome = messages.lazy.compactMap { OutcomeFacts($0.bytes) }.first { $0.lock == lock }
      let due = outcome?.due(facts.terms) ?? facts.terms.value
      if posting.amount != Int64(due.amount) {
        fail(1, "\(posting.amount) is credited where \(due) is due")
      }
      referee.credited[lock] = posting.amount
    }
    for use in uses where use.state == .spent && referee.locks[Hash(use.lock)!] != nil {
      let paid = entries.contains { $0.kind == "sale" && $0.reference.suffix(Hash.size) == use.lock[...] }
      if !paid { fail(1, "tokens are spent and nobody is credited") }
    }
  }

  // MARK: Sums

  private func balance() {
    func of(_ name: String) -> Int64 { image.accounts["system:\(name):EUR"]?.balance ?? 0 }
    guard image.accounts["system:cash:EUR"] != nil else { return }
    var (spent, locked): (Int64, Int64) = (0, 0)
    for row in image.tokens.values {
      spent += row.spent
      locked += row.locked
    }
    var people: Int64 = 0
    for account in image.accounts.values where account.kind != .system {
      people += account.balance
      if account.balance < 0 { fail(1, "the account \(account.id) is below zero") }
    }
    let deposits = -of("cash")
    let settled = referee.settledCash[host.index] ?? 0
    guard deposits == Int64(Cast.deposit) * Int64(Cast.customers) + settled else {
      return fail(1, "\(deposits) is deposited")
    }
    let clearing = image.accounts.values.filter { $0.id.hasPrefix("clearing:") }.reduce(0) { $0 + $1.balance }
    guard people + of("tokens") + of("locked") + of("fees") + clearing == deposits else {
      return fail(1, "money was made or lost: \(deposits) came in")
    }
    guard of("locked") == locked else {
      return fail(2, "\(of("locked")) is booked as locked, tokens say \(locked)")
    }
    let issued = referee.issued[host.index] ?? 0
    guard of("tokens") == issued - spent - locked else {
      return fail(1, "\(of("tokens")) is booked as tokens, \(issued - spent - locked) is out there")
    }
    guard of("fees") == referee.feesTaken[host.index] ?? 0 else { return fail(1, "fees of \(of("fees"))") }
    for id in image.tokenOrder {
      let row = image.tokens[id]!
      let uses = image.usesOfToken[row.id] ?? []
      let held = uses.filter { $0.state == .locked }.reduce(0) { $0 + $1.amount }
      let gone = uses.filter { $0.state == .spent && !referee.paid.reversed.contains($0.lock) }
        .reduce(0) { $0 + $1.amount }
      guard row.locked == held, row.spent == gone, held + gone <= row.value else {
        return fail(2, "a token of \(row.value): \(gone) spent and \(held) locked by its uses")
      }
    }
  }
}

/// Byte strings in their order.
func < (a: [UInt8], b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
