// Tokens of another issuer (docs/SPEC.md): at the bank where they are usable, and at the bank that issued
// them.
//
// Invariants: such a token is in the usable bank's books from its use on, as a debt of the issuer, and goes
// back with an abort; only the usable bank keeps what was spent of it; the issuer takes out of circulation
// what it grants, so that it never owes more of a token than its value.

import Messages
import Parties
import Storage

/// What a token's issuer says of its denomination, and whether its blind signature holds.
struct CheckedToken: Sendable {
  var denomination: Denomination?
  var holds: Bool
}

extension BankService {
  static let claimKind = "claim"
  /// Who issued a token, by its id, where it was another bank.
  private static let foreignKind = "foreign"
  /// What was granted, by the authorization and the bank that claimed it.
  private static let grantedKind = "granted"

  // MARK: At the bank where they are usable

  /// Checks blind signatures. Slow, and may ask another bank for its keys: so it is done outside of the
  /// store.
  func checked(_ tokens: [Token]) async throws -> [Hash: CheckedToken] {
    var result: [Hash: CheckedToken] = [:]
    for token in tokens {
      var one = try await checked(token)
      // The same token may be named twice, with other signatures.
      if let other = result[token.id] { one.holds = one.holds && other.holds }
      result[token.id] = one
    }
    return result
  }

  private func checked(_ token: Token) async throws -> CheckedToken {
    if token.issuer == bank {
      return CheckedToken(denomination: keys.list.denomination(token.keyID), holds: signatureHolds(token))
    }
    // Strangers have this bank ask nobody.
    let hasClearing = try await node.store.read { [self] tx in try credit(tx, token.issuer) != nil }
    guard token.bank == bank, hasClearing, node.trust.list.knows(token.issuer, as: .bank) else {
      return CheckedToken(denomination: nil, holds: false)
    }
    let facts = try await issuers.facts(token)
    return CheckedToken(denomination: facts.denomination, holds: facts.signatureHolds)
  }

  /// How much more this issuer may owe; nil for the bank itself, and without clearing.
  func credit(_ tx: any StoreTransaction, _ issuer: PublicKey) throws -> UInt64? {
    guard issuer != bank, let limit = try ClearingBooks.limit(tx, issuer) else { return nil }
    let owes = UInt64(max(0, -(try tx.account(ClearingBooks.account(issuer))?.balance ?? 0)))
    return limit - min(owes, limit)
  }

  /// What the token's issuer says of its denomination, as far as it is known here.
  func denomination(_ tx: any StoreTransaction, _ token: Token) throws -> Denomination? {
    if token.issuer == bank { return keys.list.denomination(token.keyID) }
    let list = try KeyBook.kept(tx, token.issuer).map { try Verified<KeyList>(stored: $0).payload }
    return list?.denomination(token.keyID)
  }

  /// Where a token's value comes from when it is locked.
  func takenFrom(_ tx: any StoreTransaction, _ token: Token) throws -> String {
    if token.issuer != bank {
      try tx.putMachine(
        MachineRow(kind: Self.foreignKind, key: token.id.bytes, phase: 1, data: token.issuer.bytes))
    }
    return outstanding(token.issuer)
  }

  private func outstanding(_ issuer: PublicKey) -> String {
    issuer == bank ? BankBooks.System.tokens.id(currency) : ClearingBooks.account(issuer)
  }

  private func issuer(_ tx: any StoreTransaction, of token: [UInt8]) throws -> PublicKey {
    try tx.machine(kind: Self.foreignKind, key: token).flatMap { PublicKey($0.data) } ?? bank
  }

  /// Ends a lock: what is `spent` of it, all if that is nil, is claimed from other issuers; the rest goes
  /// back to where it came from.
  func end(
    _ tx: any StoreTransaction, _ lock: Hash, spent: [TokenInput]?, at now: Timestamp
  ) throws {
    let uses = try tx.tokenUses(lock: lock.bytes).filter { $0.state == .locked }
    let used = Dictionary(
      (spent ?? []).map { ($0.token.id.bytes, Int64($0.amount)) }, uniquingKeysWith: { $0 + $1 })
    var back: [String: Int64] = [:]
    var due: UInt64 = 0
    var isClaimed = false
    for use in uses {
      let taken = spent == nil ? use.amount : used[use.token] ?? 0
      let issuer = try issuer(tx, of: use.token)
      back[outstanding(issuer), default: 0] += use.amount - taken
      due += UInt64(taken)
      isClaimed = isClaimed || issuer != bank
    }
    if let spent, !spent.isEmpty {
      try BankBooks.endPart(tx, lock: lock, used: spent)
    } else {
      try BankBooks.end(tx, lock: lock, spent: spent == nil)
    }
    let rest = back.values.reduce(0, +)
    if rest > 0 {
      let postings = back.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        .map { Posting(account: $0.key, amount: $0.value) }
      let locked = Posting(account: BankBooks.System.locked.id(currency), amount: -rest)
      try tx.post(
        LedgerEntry(
          reference: BankBooks.reference("release", lock), kind: "release", at: Int64(now),
          postings: [locked] + postings))
    }
    guard due > 0, isClaimed, let request = try order(tx, uses[0].message)
    else { return }
    try claim(tx, request, lock, due, at: now)
  }

  /// What a lock's tokens signed, by the hash under which it is kept.
  private func order(_ tx: any StoreTransaction, _ cause: [UInt8]) throws -> [UInt8]? {
    for label in Self.useLabels {
      guard let bytes = try tx.message(kind: "use", key: cause, label: label.rawValue) else { continue }
      return label == Label(.announced)
        ? try Verified<Announced>(stored: bytes).payload.announcement : bytes
    }
    return nil
  }

  /// Claims what was used of other banks' tokens, from each of them.
  private func claim(
    _ tx: any StoreTransaction, _ request: [UInt8], _ name: Hash, _ due: UInt64, at now: Timestamp
  ) throws {
    let order = try TokenOrder(request)
    for issuer in order.issuers(beside: bank) {
      let amount = order.used(due, of: issuer).reduce(0) { $0 + $1.amount }
      guard amount > 0, let value = Money(currency: currency, amount: amount) else { continue }
      let notice = BT3(
        amount: value, lock: name, at: now, request: request, due: due, issuer: issuer)
      _ = try tell(
        ClaimsOnIssuer.self, tx, notice, name.bytes + issuer.bytes, to: issuer, at: now)
    }
  }

  /// X1 spent tokens at once: those of other issuers become tokens of this bank, which the issuers owe.
  func exchanged(_ tx: any StoreTransaction, _ x1: Verified<X1>, at now: Timestamp) throws {
    let order = try TokenOrder(x1.bytes)
    for issuer in order.issuers(beside: bank) {
      let amount = order.used(order.total, of: issuer).reduce(0) { $0 + $1.amount }
      try BankBooks.move(
        tx, Money(currency: currency, amount: amount)!, from: outstanding(issuer),
        to: BankBooks.System.tokens.id(currency), kind: "exchange",
        reference: BankBooks.reference("exchange", x1.hash) + issuer.bytes, at: now)
    }
    try claim(tx, x1.bytes, x1.hash, order.total, at: now)
  }

  /// BT4: the issuer owes it.
  func confirmedClaim(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let issuer = try Unverified<BT4>(bytes).claimedSigners[0]
    return try await confirmed(ClaimsOnIssuer.self, bytes) { $0.lock.bytes + issuer.bytes }
  }

  // MARK: At the issuer

  /// BT3: tokens of this bank were used where they are usable. Granted once for each authorization, and by
  /// the same bytes ever after.
  func claimed(_ bytes: [UInt8]) async throws -> [UInt8] {
    let bt3 = try Verified<BT3>(bytes, by: .trusted(node.trust.list, as: .bank, at: node.clock()))
    let order = try TokenOrder(bt3.payload.request)
    let used = order.used(bt3.payload.due, of: bank)
    let valid = try await checked(used.map(\.token))
    let now = node.clock()
    return try await node.store.write { [self] tx in
      let key = order.name.bytes + bt3.signer.bytes
      let known = try tx.message(kind: Self.grantedKind, key: key, label: "BT3").map {
        try Verified<BT3>(stored: $0)
      }
      let denial = IssuerDesk.check(
        bt3, order, known: known, facts: try tokenFacts(tx, used.map(\.token), valid), issuer: bank)
      if let denial { return try node.refuse(denial, request: bt3.bytes) }
      if let known { return try grantedBefore(tx, bt3, known, key, at: now) }
      return try grant(tx, bt3, used, valid, key, order.name, at: now)
    }
  }

  /// The answer to a claim that was granted before, in these bytes or others.
  private func grantedBefore(
    _ tx: any StoreTransaction, _ bt3: Verified<BT3>, _ known: Verified<BT3>, _ key: [UInt8],
    at now: Timestamp
  ) throws -> [UInt8] {
    if bt3.hash == known.hash, let answer = try tx.message(kind: Self.grantedKind, key: key, label: "BT4") {
      return answer
    }
    return try sign(
      BT4(amount: bt3.payload.amount, lock: bt3.payload.lock, at: now, hBT3: bt3.hash))
  }

  private func grant(
    _ tx: any StoreTransaction, _ bt3: Verified<BT3>, _ used: [TokenInput], _ valid: [Hash: CheckedToken],
    _ key: [UInt8], _ name: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    let payload = bt3.payload
    for input in used {
      let value = valid[input.token.id]!.denomination!.value
      try BankBooks.spend(tx, token: input.token, value: value, amount: input.amount, cause: bt3.hash)
    }
    // Whoever withdrew them chose the bank: it is owed, whether or not it may owe this one.
    try ClearingBooks.openAccount(tx, bt3.signer, currency: payload.amount.currency)
    try BankBooks.move(
      tx, payload.amount, from: BankBooks.System.tokens.id(payload.amount.currency),
      to: ClearingBooks.account(bt3.signer), kind: "claim", reference: BankBooks.reference("claim", name),
      at: now)
    let bt4 = try sign(BT4(amount: payload.amount, lock: payload.lock, at: now, hBT3: bt3.hash))
    for (kind, key) in [(Self.grantedKind, key), ("use", bt3.hash.bytes)] {
      try tx.append(kind: kind, key: key, label: "BT3", bytes: bt3.bytes)
      try tx.append(kind: kind, key: key, label: "BT4", bytes: bt4)
    }
    return bt4
  }
}

extension StoreTransaction {
  /// The claims that a lock, or an exchange, led to.
  func claims(of name: Hash) throws -> [MachineRow] {
    // Rows sort by what they are of: what follows is the issuer.
    try machines(kind: BankService.claimKind, phase: nil, after: name.bytes, limit: 32)
      .filter { $0.key.starts(with: name.bytes) }
  }
}
