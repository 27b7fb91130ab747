// The bank over the wire: withdrawals, authorisations, outcomes, exchanges, status and account answers.
//
// Each message: verify (outside the store) → one durable step (load, decide, apply) → answer. The answer
// to the same bytes is the same bytes.

import BlindTokens
import Foundation
import Messages
import Parties
import Storage

/// A running bank.
final class BankService: PartyService {
  let node: Node
  let currency: String
  private let keys: BankKeys
  private let policy: BankPolicy
  /// For joint locks, where this bank is the archive.
  private let desk: ArchiveDesk
  let outboxKick: @Sendable () -> Void

  init(node: Node, keys: BankKeys, currency: String, kick: @escaping @Sendable () -> Void) {
    (self.node, self.keys, self.currency, self.outboxKick) = (node, keys, currency, kick)
    desk = ArchiveDesk(node: node)
    policy = BankPolicy(trust: node.trust.list, expirationCapSeconds: 7 * 86_400)
  }

  var bank: PublicKey { node.identity.key }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    let trust = node.trust.list
    switch incoming {
    case .message(let type, let bytes): return try await answer(type, bytes)
    case .sealed(let sealed): return try await unsealed(sealed)
    case .bundle(let bundle):
      if bundle.first == .announced { return try await claim(bundle) }
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(trust, as: .merchant))
      let lock = try Verified<JA3>(bundle.messages[1], by: .known(trust, as: .bank))
      return try await publish(lock, request: bundle.encoded(), as: JointMode.self) { machine, _, now, key in
        try machine.cancelled(cancel, at: now, key: key)
      }
    }
  }

  /// What was sealed to this bank: JA4, a deposit with a passive archive, or a token that M brings.
  private func unsealed(_ sealed: SealedMessage) async throws -> [UInt8]? {
    let plain = try node.identity.sealing.open(sealed.box)
    let request = try sealed.encoded()
    if let payment = try? Payment(encoded: plain) { return try await brought(payment, request: request) }
    let bundle = try Messages.Bundle(encoded: plain)
    if bundle.first == .deposit { return try await deposited(bundle, request: request) }
    let submission = try Submitted<JointMode>(bundle, trust: node.trust.list, at: node.clock())
    return try await publish(submission.p3, request: request, desk.submitted(submission))
  }

  private func answer(_ type: MessageType, _ bytes: [UInt8]) async throws -> [UInt8]? {
    switch type {
    case .w1:
      let w1 = try Verified<W1>(bytes, by: Self.claimed(Unverified<W1>(bytes)))
      return try await once(w1.hash) { try await withdraw(w1) }
    case .p2: return try await authorise(Verified<P2>(bytes, by: .ownTokens))
    case .ja2: return try await authorise(Verified<JA2>(bytes, by: .ownTokens))
    case .coSign:
      if let p2 = try? Unverified<P2>(bytes) { return try await authorise(Verified(p2, by: .ownTokens)) }
      if let ja2 = try? Unverified<JA2>(bytes) { return try await authorise(Verified(ja2, by: .ownTokens)) }
      fallthrough
    case .x1:
      let x1 = try Verified<X1>(bytes, by: .ownTokens)
      return try await once(x1.hash) { try await exchange(x1) }
    case .p5a, .p5b: return try await decide(try Outcome<CoreMode>(bytes, trust: node.trust.list))
    case .ja3:
      let lock = try Verified<JA3>(bytes, by: .known(node.trust.list, as: .bank))
      return try await publish(lock, request: bytes, as: JointMode.self) { machine, _, now, key in
        try machine.abortRequested(at: now, key: key)
      }
    // The bank's own record of a joint lock, which it has acted on already.
    case .ja5a, .ja5b: return try await decide(try Outcome<JointMode>(bytes, trust: node.trust.list))
    case .a9a, .a9b: return try await decide(try Outcome<AnnouncedMode>(bytes, trust: node.trust.list))
    case .approval: return try await approved(bytes)
    case .complaint: return try await complained(bytes)
    case .statusQuery:
      return try await status(Verified(bytes, by: Self.claimed(Unverified<StatusQuery>(bytes))))
    case .accountQuery:
      return try await account(Verified(bytes, by: Self.claimed(Unverified<AccountQuery>(bytes))))
    default: throw MessageError(.malformed, "unexpected-type", "\(type.label) at a bank")
    }
  }

  /// Messages whose signer is whoever holds the key that they name: accounts, tokens and pseudonyms.
  static func claimed<P>(_ message: Unverified<P>) -> SignerRule { .key(message.claimedSigners[0]) }

  // MARK: Authorisation

  private func authorise<M: ContractMode>(
    _ p2: Verified<AuthorizationQ<M>>
  ) async throws -> [UInt8] {
    let asked = LockRequest(
      merchant: p2.payload.terms.merchant, n: p2.payload.terms.n, tokens: p2.payload.tokenInputs.map(\.token),
      bytes: p2.bytes, cause: p2.hash, onceFor: p2.hash)
    return try await lock(M.self, asked) { [self] machine, facts, now in
      try machine.authorised(p2, facts: facts, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// Messages 3, 4 and 2 of an announced purchase. Refused once, the consent is refused for ever: the wallet
  /// frees its token on that answer.
  private func claim(_ bundle: Messages.Bundle) async throws -> [UInt8] {
    let claim = try Claim(bundle, trust: node.trust.list)
    let announcement = claim.announcement.payload
    let asked = LockRequest(
      merchant: announcement.merchant, n: claim.order.payload.terms.n, tokens: [announcement.token],
      bytes: try bundle.encoded(), cause: claim.announcement.hash, onceFor: claim.consent.hash)
    return try await lock(AnnouncedMode.self, asked) { [self] machine, facts, now in
      try machine.claimed(claim, facts: facts, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// What asks for a lock: of which transaction and tokens, in which bytes.
  private struct LockRequest {
    let merchant: PublicKey
    let n: TransactionID
    let tokens: [Token]
    /// What is answered.
    let bytes: [UInt8]
    /// The message that uses the tokens.
    let cause: Hash
    /// What is refused for ever when it is refused.
    let onceFor: Hash
  }

  private func lock<M: PurchaseMode>(
    _: M.Type, _ asked: LockRequest,
    _ event: @escaping @Sendable (inout BankLock<M>, [Hash: TokenFacts], Timestamp) throws -> [BankEffect]
  ) async throws -> [UInt8] {
    let valid = Dictionary(
      asked.tokens.map { ($0.id, signatureHolds($0)) }, uniquingKeysWith: { $0 && $1 })
    let now = node.clock()
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      let rowKey = RowKey.transaction(asked.merchant, asked.n)
      guard var machine = try load(M.self, tx, rowKey) else {
        let denial = Denial(.nReused, "this merchant's n already has a lock of another protocol")
        return try node.refuse(denial, request: asked.bytes)
      }
      if machine.phase == .absent {
        if let refused = try tx.reply(asked.onceFor.bytes) { return try again(refused, asked.bytes) }
        if try tx.account(key: asked.merchant.bytes) == nil {
          let denial = Denial(.noSuchAccount, "the merchant has no account at this bank")
          return try remember(tx, node.refuse(denial, request: asked.bytes), asked.onceFor, at: now)
        }
      }
      let facts = try tokenFacts(tx, asked.tokens, valid)
      let effects = try event(&machine, facts, now)
      let reply = try apply(
        tx, effects, rowKey, mode: M.mode, request: asked.bytes, cause: asked.cause, at: now)
      guard machine.phase == .absent, let reply else { return reply }
      return try remember(tx, reply, asked.onceFor, at: now)
    }
    outboxKick()
    return reply ?? []
  }

  /// Refused once, refused for ever: the wallet has freed its tokens on that answer. Whoever asks the same in
  /// other bytes is told the same.
  private func again(_ refused: [UInt8], _ request: [UInt8]) throws -> [UInt8] {
    let old = try Verified<Refusal>(stored: refused).payload
    if old.hRequest == Hash(of: request) { return refused }
    let reason = old.reason ?? .internal
    return try node.refuse(Denial(reason, old.detail ?? "", proof: old.proof), request: request)
  }

  private func remember(
    _ tx: any StoreTransaction, _ refusal: [UInt8], _ request: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    if let earlier = try tx.reply(request.bytes) { return earlier }
    try tx.setReply(request.bytes, refusal, at: Int64(now))
    return refusal
  }

  /// Answers W1 and X1: a refusal is remembered, so that a late duplicate of what the wallet has given up
  /// does not succeed after all.
  private func once(
    _ request: Hash, _ body: () async throws -> [UInt8]
  ) async throws -> [UInt8] {
    if let refused = try await node.store.read({ try $0.reply(request.bytes) }) { return refused }
    let reply = try await body()
    guard (try? MessageType(peeking: reply)) == .refusal else { return reply }
    let now = node.clock()
    return try await node.store.write { [self] tx in try remember(tx, reply, request, at: now) }
  }

  private func decide<M: PurchaseMode>(_ outcome: Outcome<M>) async throws -> [UInt8]? {
    let reply = try await node.store.write { [self] tx in try decide(outcome, in: tx) }
    outboxKick()
    return reply
  }

  private func decide<M: PurchaseMode>(_ outcome: Outcome<M>, in tx: any StoreTransaction) throws -> [UInt8]?
  {
    let (merchant, n) = try outcome.transaction()
    let rowKey = RowKey.transaction(merchant, n)
    guard var machine = try load(M.self, tx, rowKey) else {
      return try node.refuse(Denial(.mismatch, "the lock is of another protocol"), request: outcome.bytes)
    }
    let effects = machine.decided(outcome)
    return try apply(
      tx, effects, rowKey, mode: M.mode, request: outcome.bytes, cause: Hash(of: outcome.bytes),
      at: node.clock())
  }

  /// A joint lock: the record and the money change in one durable step (FIG. 6).
  private func publish<M: ContractMode>(
    _ lock: Verified<M.LockMessage>, request: [UInt8], as _: M.Type = M.self,
    _ event: @escaping ArchiveDesk.Event<M>
  ) async throws -> [UInt8]? {
    guard lock.signer == bank else {
      return try node.refuse(Denial(.mismatch, "another bank made this lock"), request: request)
    }
    let reply = try await node.store.write { [self] tx in
      let step = try desk.decide(lock, in: tx, request: request, event)
      if let outcome = step.published { _ = try decide(outcome, in: tx) }
      return step.reply
    }
    outboxKick()
    return reply
  }

  static let kind = "lock"

  /// The lock of (M, n), a fresh one if there is none; nil if it is of another mode.
  func load<M: PurchaseMode>(
    _: M.Type, _ tx: any StoreTransaction, _ rowKey: [UInt8]
  ) throws -> BankLock<M>? {
    guard let row = try tx.machine(kind: Self.kind, key: rowKey) else { return BankLock() }
    guard try ModeRow(row).mode == M.mode else { return nil }
    guard let phase = LockPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a lock")
    }
    return try BankLock(phase: phase, messages: tx.labelled(kind: Self.kind, key: rowKey))
  }

  private func apply(
    _ tx: any StoreTransaction, _ effects: [BankEffect], _ rowKey: [UInt8], mode: Mode, request: [UInt8],
    cause: Hash, at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.kind, key: rowKey)
        // By its hash too: the proof in refusals and status answers of its tokens.
        if Self.useLabels.contains(label) { try tx.keep(label, bytes, kind: "use", key: cause.bytes) }
      case .enter(let phase):
        try tx.putMachine(
          MachineRow(kind: Self.kind, key: rowKey, phase: phase.rawValue, data: ModeRow(mode).data))
      case .lock(let token, let value, let amount, let lock):
        try BankBooks.lock(tx, token: token, value: value, amount: amount, lock: lock, cause: cause)
        try move(
          tx, Money(currency: value.currency, amount: amount)!, from: .tokens, to: .locked, "lock",
          reference: lock.bytes + token.id.bytes, at: now)
      case .spend(let lock): try BankBooks.end(tx, lock: lock, spent: true)
      case .release(let lock):
        let amount = try tx.tokenUses(lock: lock.bytes).reduce(0) { $0 + UInt64($1.amount) }
        try BankBooks.end(tx, lock: lock, spent: false)
        try move(
          tx, Money(currency: currency, amount: amount)!, from: .locked, to: .tokens, "release",
          reference: BankBooks.reference("release", lock), at: now)
      case .credit(let merchant, let value, let lock):
        guard let account = try tx.account(key: merchant.bytes) else {
          throw StorageError.unknownAccount(merchant.description)
        }
        try BankBooks.move(
          tx, value, from: BankBooks.System.locked.id(value.currency), to: account.id, kind: "sale",
          reference: BankBooks.reference("credit", lock), at: now)
      case .confirmCredit(let merchant, let value, let lock):
        reply = try confirm(tx, merchant, value, lock, at: now)
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: now)
      }
    }
    return reply
  }

  /// The Credit of this lock: signed once, the same bytes ever after.
  func confirm(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ value: Money, _ lock: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    if let known = try tx.message(kind: "credit", key: lock.bytes, label: Label.credit.rawValue) {
      return known
    }
    let account = try tx.account(key: merchant.bytes)?.id ?? ""
    let credit = Credit(amount: value, lock: lock, at: now, account: account)
    let bytes = try Verified(signing: credit, with: node.identity.signing).bytes
    try tx.keep(.credit, bytes, kind: "credit", key: lock.bytes)
    try tx.send(bytes, to: merchant, at: now)
    return bytes
  }

  private func move(
    _ tx: any StoreTransaction, _ amount: Money, from: BankBooks.System, to: BankBooks.System,
    _ kind: String, reference: [UInt8], at now: Timestamp
  ) throws {
    try BankBooks.move(
      tx, amount, from: from.id(amount.currency), to: to.id(amount.currency), kind: kind,
      reference: reference, at: now)
  }

  // MARK: Tokens

  func signatureHolds(_ token: Token) -> Bool {
    guard token.key.isSound, let key = keys.verifier(token.keyID) else { return false }
    return key.isValid(signature: token.signature, for: token.id.bytes)
  }

  func tokenFacts(
    _ tx: any StoreTransaction, _ tokens: [Token], _ valid: [Hash: Bool]
  ) throws -> [Hash: TokenFacts] {
    var facts: [Hash: TokenFacts] = [:]
    for token in tokens {
      let row = try tx.token(token.id.bytes)
      facts[token.id] = TokenFacts(
        denomination: keys.list.denomination(token.keyID), signatureHolds: valid[token.id] ?? false,
        spent: UInt64(row?.spent ?? 0), locked: UInt64(row?.locked ?? 0),
        uses: try uses(tx, token.id, limit: 2))
    }
    return facts
  }

  /// The messages that used a token: P2 of locks, X1 and X2 of exchanges; as many as fit into an answer.
  func uses(_ tx: any StoreTransaction, _ id: Hash, limit: Int) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    var room = Self.proofBytesMax
    for use in try tx.tokenUses(token: id.bytes).prefix(limit) {
      let labels = Self.useLabels + Self.depositLabels + [Label(.x1), Label(.x2)]
      let found = try labels.compactMap {
        try tx.message(kind: "use", key: use.message, label: $0.rawValue)
      }
      room -= found.reduce(0) { $0 + $1.count }
      guard room >= 0 else { break }
      result += found
    }
    return result
  }

  /// The labels of messages that lock tokens; an announcement says nothing of n, so its lock stands beside
  /// it.
  private static let useLabels =
    LockModes.all.map { Label($0.requestType) } + [Label(.announced), Label(.a7)]

  /// The labels of messages by which a token paid an invoice.
  static let depositLabels = [Label(.approval), Label(.deposit), Label(.passiveRecord)]

  /// What an answer spends on proof: it has to stay under the size of a message.
  private static let proofBytesMax = 56_000

  // MARK: Money in and out

  private func withdraw(_ w1: Verified<W1>) async throws -> [UInt8] {
    let now = node.clock()
    let (known, balance) = try await node.store.read { tx in
      let known = try tx.message(kind: "withdrawal", key: w1.hash.bytes, label: "W2")
      return (known, try tx.account(key: w1.signer.bytes).flatMap(Self.balance))
    }
    if let known { return known }
    if let denial = BankCounter.checkWithdrawal(
      w1, balance: balance, keys: keys.list, bank: bank, at: now)
    {
      return try node.refuse(denial, request: w1.bytes)
    }
    let signatures = try keys.sign(w1.payload.outputs)
    return try await node.store.write { [self] tx in
      if let known = try tx.message(kind: "withdrawal", key: w1.hash.bytes, label: "W2") { return known }
      let account = try tx.account(key: w1.signer.bytes)
      if let denial = BankCounter.checkWithdrawal(
        w1, balance: account.flatMap(Self.balance), keys: keys.list, bank: bank, at: now)
      {
        return try node.refuse(denial, request: w1.bytes)
      }
      try BankBooks.move(
        tx, w1.payload.amount, from: account!.id, to: BankBooks.System.tokens.id(currency),
        kind: "withdrawal", reference: w1.hash.bytes, at: now)
      let left = try tx.account(account!.id).flatMap(Self.balance)!
      let w2 = W2(balance: left, at: now, hW1: w1.hash, signatures: signatures)
      let bytes = try Verified(signing: w2, with: node.identity.signing).bytes
      try tx.append(kind: "withdrawal", key: w1.hash.bytes, label: "W2", bytes: bytes)
      // By account, for the owner's restored wallet.
      try tx.append(kind: "withdrawals/\(account!.id)", key: w1.hash.bytes, label: "W1", bytes: w1.bytes)
      return bytes
    }
  }

  static func balance(_ account: Account) -> Money? {
    Money(currency: account.currency, amount: UInt64(max(0, account.balance)))
  }

  private func exchange(_ x1: Verified<X1>) async throws -> [UInt8] {
    let now = node.clock()
    if let known = try await node.store.read({ try $0.message(kind: "use", key: x1.hash.bytes, label: "X2") })
    {
      return known
    }
    let valid = Dictionary(
      x1.payload.tokenInputs.map { ($0.token.id, signatureHolds($0.token)) }, uniquingKeysWith: { $0 && $1 })
    // Nothing is signed blindly before the inputs are known to be good; they are checked again in the write.
    if let refusal = try await node.store.read({ [self] tx in
      try exchangeDenial(tx, x1, valid, at: now).map { try node.refuse($0, request: x1.bytes) }
    }) {
      return refusal
    }
    let signatures = try keys.sign(x1.payload.outputs)
    return try await node.store.write { [self] tx in
      if let known = try tx.message(kind: "use", key: x1.hash.bytes, label: "X2") { return known }
      if let denial = try exchangeDenial(tx, x1, valid, at: now) {
        return try node.refuse(denial, request: x1.bytes)
      }
      for input in x1.payload.tokenInputs {
        let value = keys.list.denomination(input.token.keyID)!.value
        try BankBooks.spend(tx, token: input.token, value: value, amount: input.amount, cause: x1.hash)
      }
      if x1.payload.fee > 0 {
        try move(
          tx, Money(currency: currency, amount: x1.payload.fee)!, from: .tokens, to: .fees, "exchange fee",
          reference: x1.hash.bytes, at: now)
      }
      let x2 = X2(at: now, hX1: x1.hash, signatures: signatures)
      let bytes = try Verified(signing: x2, with: node.identity.signing).bytes
      try tx.append(kind: "use", key: x1.hash.bytes, label: "X1", bytes: x1.bytes)
      try tx.append(kind: "use", key: x1.hash.bytes, label: "X2", bytes: bytes)
      return bytes
    }
  }

  private func exchangeDenial(
    _ tx: any StoreTransaction, _ x1: Verified<X1>, _ valid: [Hash: Bool], at now: Timestamp
  ) throws -> Denial? {
    let facts = try tokenFacts(tx, x1.payload.tokenInputs.map(\.token), valid)
    return BankCounter.checkExchange(x1, facts: facts, keys: keys.list, bank: bank, at: now)
  }

  /// The key list, for everybody the same.
  var documents: [Route] {
    [
      Route(method: "GET", path: "/v1/keys") { [keys] _ in
        HTTPReply(status: 200, contentType: coseMediaType, body: .bytes(keys.signedList))
      },
      Route(method: "POST", path: "/v1/complaints/:complaint") { call in
        try await self.goodsOfComplaint(call)
      },
    ] + desk.documents
  }

  func sign(_ payload: some Payload) throws -> [UInt8] {
    try Verified(signing: payload, with: node.identity.signing).bytes
  }
}
