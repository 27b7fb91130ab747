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
  let keys: BankKeys
  let policy: BankPolicy
  /// For joint and compact locks, where this bank is the archive.
  let desk: ArchiveDesk
  /// The keys of banks whose tokens are usable here.
  let issuers: KeyBook
  let outboxKick: @Sendable () -> Void
  /// For how long after its tokens' end a lock is kept.
  let keepSeconds: UInt64
  let pruned = PruneCursor(BankService.kind)

  init(
    node: Node, keys: BankKeys, currency: String, keepSeconds: UInt64 = 90 * 86_400,
    kick: @escaping @Sendable () -> Void
  ) {
    (self.node, self.keys, self.currency, self.outboxKick) = (node, keys, currency, kick)
    self.keepSeconds = keepSeconds
    desk = ArchiveDesk(node: node)
    issuers = KeyBook(node: node)
    policy = BankPolicy(trust: node.trust.list, expirationCapSeconds: 7 * 86_400)
  }

  var bank: PublicKey { node.identity.key }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    let trust = node.trust.list
    switch incoming {
    case .message(let type, let bytes): return try await answer(type, bytes)
    case .sealed(let sealed): return try await unsealed(sealed)
    case .bundle(let bundle):
      if let answers = try await forwarded(bundle) { return answers }
      if bundle.first == .announced { return try await claim(bundle) }
      if bundle.first == .rf2 { return try await refund(bundle) }
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(trust, as: .merchant))
      let lock = try Verified<JA3>(bundle.messages[1], by: .known(trust, as: .bank))
      return try await publish(lock, request: bundle.encoded(), as: JointMode.self) { machine, _, now, key in
        try machine.cancelled(cancel, at: now, key: key)
      }
    }
  }

  /// What was sealed to this bank: JA4, JB3, a deposit with a passive archive, or a token that M brings.
  private func unsealed(_ sealed: SealedMessage) async throws -> [UInt8]? {
    let plain = try node.identity.sealing.open(sealed.box)
    let request = try sealed.encoded()
    if let payment = try? Payment(encoded: plain) { return try await brought(payment, request: request) }
    let bundle = try Messages.Bundle(encoded: plain)
    switch bundle.first {
    case .jb3: return try await pair(bundle)
    case .deposit: return try await deposited(bundle, request: request)
    default:
      let submission = try desk.read(JointMode.self, bundle)
      return try await publish(submission.p3, request: request, desk.submitted(submission))
    }
  }

  private func answer(_ type: MessageType, _ bytes: [UInt8]) async throws -> [UInt8]? {
    switch type {
    case .w1:
      let w1 = try Verified<W1>(bytes, by: Self.claimed(Unverified<W1>(bytes)))
      return try await once(w1.hash) { try await withdraw(w1) }
    case .p2: return try await authorise(Verified<P2>(bytes, by: .ownTokens))
    case .ja2: return try await authorise(Verified<JA2>(bytes, by: .ownTokens))
    case .e2: return try await authorise(Verified<E2>(bytes, by: .ownTokens))
    case .jb2: return try await pair(Verified<JB2>(bytes, by: .ownTokens))
    case .r2: return try await authorise(Verified<R2>(bytes, by: .ownTokens))
    case .coSign:
      if let p2 = try? Unverified<P2>(bytes) { return try await authorise(Verified(p2, by: .ownTokens)) }
      if let jb2 = try? Unverified<JB2>(bytes) { return try await pair(Verified(jb2, by: .ownTokens)) }
      if let ja2 = try? Unverified<JA2>(bytes) { return try await authorise(Verified(ja2, by: .ownTokens)) }
      if let e2 = try? Unverified<E2>(bytes) { return try await authorise(Verified(e2, by: .ownTokens)) }
      if let r2 = try? Unverified<R2>(bytes) { return try await authorise(Verified(r2, by: .ownTokens)) }
      fallthrough
    case .x1:
      let x1 = try Verified<X1>(bytes, by: .ownTokens)
      return try await once(x1.hash) { try await exchange(x1) }
    case .p5a, .p5b: return try await decided(CoreMode.self, bytes)
    case .e7a, .e7b: return try await decided(EarlyMode.self, bytes)
    case .r10a, .r10b: return try await decided(RepeatedMode.self, bytes)
    case .ja3:
      let lock = try Verified<JA3>(bytes, by: .known(node.trust.list, as: .bank))
      return try await publish(lock, request: bytes, as: JointMode.self) { machine, _, now, key in
        try machine.abortRequested(at: now, key: key)
      }
    // The bank's own record of a joint lock, which it has acted on already.
    case .ja5a, .ja5b: return try await decide(try Outcome<JointMode>(bytes, trust: node.trust.list))
    case .p5c: return try await witnessed(bytes)
    case .jb4a, .jb4b: return try await shown(bytes)
    case .rf2: return try await refund(bytes)
    case .bt1: return try await receive(bytes)
    case .bt2: return try await confirmed(PaysMerchantsBank.self, bytes) { $0.lock.bytes }
    case .bt3: return try await claimed(bytes)
    case .bt4: return try await confirmedClaim(bytes)
    // An answer to BT1 or BT3: the value stays owed, and is sent again.
    case .refusal:
      node.logger.warning("a peer refused a transfer: see `acd bank clearing`")
      return nil
    case .a9a, .a9b: return try await decided(AnnouncedMode.self, bytes)
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

  private static func type(of bytes: [UInt8]) -> MessageType? { try? MessageType(peeking: bytes) }

  // MARK: Authorisation

  private func authorise<M: ContractMode>(
    _ p2: Verified<AuthorizationQ<M>>
  ) async throws -> [UInt8] {
    let asked = LockRequest(
      merchant: p2.payload.terms.merchant, n: p2.payload.terms.n,
      tokens: p2.payload.tokenInputs.map(\.token), bytes: p2.bytes, cause: p2.hash, onceFor: p2.hash)
    return try await lock(M.self, asked) { [self] machine, facts, now in
      try machine.authorised(p2, facts: facts, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// What asks for a lock: of which transaction and tokens, in which bytes.
  struct LockRequest {
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

  func lock<M: LockMode>(
    _: M.Type, _ asked: LockRequest,
    _ event: @escaping @Sendable (inout BankLock<M>, [Hash: TokenFacts], Timestamp) throws -> [BankEffect]
  ) async throws -> [UInt8] {
    let valid = try await checked(asked.tokens)
    let now = node.clock()
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      let rowKey = RowKey.transaction(asked.merchant, asked.n)
      guard var machine = try load(M.self, tx, rowKey) else {
        let denial = Denial(
          .nReused, "this merchant's n already has a lock of another protocol",
          proof: try locking(tx, rowKey))
        return try node.refuse(denial, request: asked.bytes)
      }
      if machine.phase == .absent {
        if let refused = try tx.reply(asked.onceFor.bytes) { return try again(refused, asked.bytes) }
        if try isForgotten(tx, rowKey) { return try node.refuse(Self.forgotten, request: asked.bytes) }
        if try payee(tx, asked.merchant) == nil {
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

  func remember(
    _ tx: any StoreTransaction, _ refusal: [UInt8], _ request: Hash, at now: Timestamp
  ) throws -> [UInt8] {
    if let earlier = try tx.reply(request.bytes) { return earlier }
    try tx.setReply(request.bytes, refusal, at: Int64(now))
    return refusal
  }

  /// Answers W1 and X1: a refusal is remembered, so that a late duplicate of what the wallet has given up
  /// does not succeed after all.
  func once(
    _ request: Hash, _ body: () async throws -> [UInt8]
  ) async throws -> [UInt8] {
    if let refused = try await node.store.read({ try $0.reply(request.bytes) }) { return refused }
    let reply = try await body()
    guard (try? MessageType(peeking: reply)) == .refusal else { return reply }
    let now = node.clock()
    return try await node.store.write { [self] tx in try remember(tx, reply, request, at: now) }
  }

  /// An outcome by an archive: it counts once it is final.
  private func decided<M: LockMode>(_: M.Type, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let outcome = try Outcome<M>(bytes, trust: node.trust.list)
    try await node.proofs.require(outcome)
    return try await decide(outcome)
  }

  func decide<M: LockMode>(_ outcome: Outcome<M>) async throws -> [UInt8]? {
    let reply = try await node.store.write { [self] tx in try decide(outcome, in: tx) }
    outboxKick()
    return reply
  }

  private func decide<M: LockMode>(_ outcome: Outcome<M>, in tx: any StoreTransaction) throws -> [UInt8]? {
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
  func load<M: LockMode>(
    _: M.Type, _ tx: any StoreTransaction, _ rowKey: [UInt8]
  ) throws -> BankLock<M>? {
    guard let row = try tx.machine(kind: Self.kind, key: rowKey) else { return BankLock() }
    guard try ModeRow(row).mode == M.mode else { return nil }
    guard let phase = LockPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a lock")
    }
    return try BankLock(phase: phase, messages: tx.labelled(kind: Self.kind, key: rowKey))
  }

  func apply(
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
        try BankBooks.move(
          tx, Money(currency: value.currency, amount: amount)!, from: takenFrom(tx, token),
          to: BankBooks.System.locked.id(value.currency), kind: "lock",
          reference: lock.bytes + token.id.bytes, at: now)
      case .spend(let lock): try end(tx, lock, spent: nil, at: now)
      case .spendPart(let lock, let used, _): try end(tx, lock, spent: used, at: now)
      case .release(let lock): try end(tx, lock, spent: [], at: now)
      case .credit(let merchant, let value, let lock): try credit(tx, merchant, value, lock, at: now)
      case .confirmCredit(let merchant, let value, let lock):
        reply = try confirmCredit(tx, merchant, value, lock, beside: nil, at: now)
      case .receipt(let commit, let merchant, let value, let lock):
        _ = try confirmCredit(tx, merchant, value, lock, beside: commit, at: now)
      case .publish(let abort, let terms, let lock):
        try tx.appendRecord(
          merchant: terms.merchant.bytes, n: terms.n.bytes, lock: lock.bytes, kind: .abort, at: Int64(now),
          body: abort)
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: now)
      }
    }
    return reply
  }

  /// The value of a lock leaves for the merchant's account, here or at its own bank.
  private func credit(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ value: Money, _ lock: Hash, at now: Timestamp
  ) throws {
    let account: String
    switch try payee(tx, merchant) {
    case .account(let id): account = id
    case .peer(let peer): account = ClearingBooks.account(peer)
    case nil: throw StorageError.unknownAccount(merchant.description)
    }
    try BankBooks.move(
      tx, value, from: BankBooks.System.locked.id(value.currency), to: account, kind: "sale",
      reference: BankBooks.reference("credit", lock), at: now)
  }

  /// Tells the merchant of its Credit, together with the commit that it may not have, or has its bank do so.
  private func confirmCredit(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ value: Money, _ lock: Hash, beside commit: [UInt8]?,
    at now: Timestamp
  ) throws -> [UInt8]? {
    if case .peer(let peer)? = try payee(tx, merchant) {
      if let commit { try tx.send(commit, to: merchant, at: now) }
      return try transfer(tx, merchant, value, lock, to: peer, at: now)
    }
    let credit = try confirm(tx, merchant, value, lock, at: now)
    if let commit {
      try tx.send(Messages.Bundle([commit, credit.bytes]).encoded(), to: merchant, at: now)
    } else if credit.isNew {
      try tx.send(credit.bytes, to: merchant, at: now)
    }
    return credit.bytes
  }

  /// The Credit of this lock: signed once, the same bytes ever after.
  func confirm(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ value: Money, _ lock: Hash, at now: Timestamp
  ) throws -> (bytes: [UInt8], isNew: Bool) {
    if let known = try tx.message(kind: "credit", key: lock.bytes, label: Label.credit.rawValue) {
      return (known, false)
    }
    let account = try tx.account(key: merchant.bytes)?.id ?? ""
    let credit = Credit(amount: value, lock: lock, at: now, account: account)
    let bytes = try Verified(signing: credit, with: node.identity.signing).bytes
    try tx.keep(.credit, bytes, kind: "credit", key: lock.bytes)
    return (bytes, true)
  }

  func move(
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
    _ tx: any StoreTransaction, _ tokens: [Token], _ valid: [Hash: CheckedToken]
  ) throws -> [Hash: TokenFacts] {
    var facts: [Hash: TokenFacts] = [:]
    for token in tokens {
      let row = try tx.token(token.id.bytes)
      facts[token.id] = TokenFacts(
        denomination: valid[token.id]?.denomination, signatureHolds: valid[token.id]?.holds ?? false,
        spent: UInt64(row?.spent ?? 0), locked: UInt64(row?.locked ?? 0),
        uses: try uses(tx, token.id, of: [.locked, .spent], limit: Self.refusalUsesMax),
        credit: try credit(tx, token.issuer))
    }
    return facts
  }

  /// The messages that used a token: P2 of locks, X1 and X2 of exchanges; the largest uses first, as many as
  /// fit into an answer.
  func uses(
    _ tx: any StoreTransaction, _ id: Hash, of states: Set<TokenUse.State> = [.locked, .spent, .released],
    limit: Int
  ) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    var room = Self.proofBytesMax
    let uses = try tx.tokenUses(token: id.bytes).filter { states.contains($0.state) }
    for use in uses.sorted(by: { $0.amount > $1.amount }).prefix(limit) {
      let labels = Self.useLabels + Self.depositLabels + [Label(.x1), Label(.x2), Label(.bt3)]
      let found = try labels.compactMap {
        try tx.message(kind: "use", key: use.message, label: $0.rawValue)
      }
      room -= found.reduce(0) { $0 + $1.count }
      guard room >= 0 else { break }
      result += found
    }
    return result
  }

  /// The labels of messages that lock tokens.
  static let requestLabels = LockModes.all.map { Label($0.requestType) } + [Label(.jb2)]

  /// What is kept of each use of a token; an announcement says nothing of n, so its lock stands beside it.
  static let useLabels = requestLabels + [Label(.announced), Label(.a7)]

  /// How many uses a refusal shows of each token. What was given back is no reason to refuse.
  private static let refusalUsesMax = 8

  /// The labels of messages by which a token paid an invoice.
  static let depositLabels = [Label(.approval), Label(.deposit), Label(.passiveRecord)]

  /// What an answer spends on proof: it has to stay under the size of a message.
  private static let proofBytesMax = 56_000

  // MARK: Questions

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    if query.payload.after != nil { return try await desk.readRecord(query) }
    let now = node.clock()
    return try await node.store.read { [self] tx in
      if let serial = query.payload.serial, query.payload.n == nil {
        return try tokenStatus(tx, query, serial, at: now)
      }
      guard let n = query.payload.n, let merchant = query.payload.merchant else {
        return try node.refuse(
          Denial(.malformed, "the query names neither a transaction nor a token"), request: query.bytes)
      }
      var answer = StatusAnswer(at: now, hQuery: query.hash, proof: [], state: .unknown)
      let rowKey = RowKey.transaction(merchant, n)
      if let row = try tx.machine(kind: Self.kind, key: rowKey),
        let (state, proof) = try known(ModeRow(row).mode, tx, rowKey, to: query.signer)
      {
        (answer.state, answer.proof) = (state, proof)
        // Its refunds, one by one: each is as long as a few messages.
        if let cursor = query.payload.serial {
          answer.proof = try refund(after: cursor, tx, rowKey, to: query.signer) ?? []
        }
      } else if let cursor = query.payload.serial {
        answer.proof = try refund(after: cursor, tx, rowKey, to: query.signer) ?? []
      }
      return try sign(answer)
    }
  }

  private func known(
    _ mode: Mode, _ tx: any StoreTransaction, _ rowKey: [UInt8], to asker: PublicKey
  ) throws -> (TransactionState, [[UInt8]])? {
    if mode == .compact { return try knownPairing(tx, rowKey, to: asker) }
    return try LockModes.types(of: mode).flatMap { try known($0, tx, rowKey, to: asker) }
  }

  static func state(_ phase: LockPhase) -> TransactionState {
    switch phase {
    case .absent, .keyed, .lapsed: .unknown
    case .locked: .locked
    case .settled: .committed
    case .released: .aborted
    }
  }

  /// What the parties of a purchase may know of its lock; nil for anybody else.
  private func known<M: LockMode>(
    _: M.Type, _ tx: any StoreTransaction, _ rowKey: [UInt8], to asker: PublicKey
  ) throws -> (TransactionState, [[UInt8]])? {
    guard let machine = try load(M.self, tx, rowKey), let lock = machine.p3,
      let stored = try tx.message(kind: Self.kind, key: rowKey, label: Label(M.requestType).rawValue)
    else { return nil }
    let terms = lock.payload.terms
    let request = try Verified<M.Request>(stored: stored).payload
    // An announced token is P itself.
    let tokens = (request as? any SignedByTokens)?.tokenInputs.map(\.token.key) ?? []
    guard ([terms.pseudonym, terms.merchant] + tokens).contains(asker) else { return nil }
    return (Self.state(machine.phase), [lock.bytes] + (machine.outcome.map { [$0.bytes] } ?? []))
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
