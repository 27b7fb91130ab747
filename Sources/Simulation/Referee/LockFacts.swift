// Reading locks and outcomes for the referee, in any mode, without the parties' own checks: what it believes
// stands here, so that a mistake in Parties is not repeated in the judgement about it.

import Messages
import Storage

/// All modes that have a lock and a single outcome; labels are those of the compact mode too.
enum LockModes {
  static let all: [any PurchaseMode.Type] = [
    CoreMode.self, JointMode.self, EarlyMode.self, RepeatedMode.self, AnnouncedMode.self,
  ]

  static let lockLabels = Set(all.map { $0.lockType.label })
  /// What banks and archives sign.
  static let publicLabels = lockLabels.union(commitLabels).union(abortLabels).union([JB2ack.type.label])
  static let commitLabels = Set(all.map { $0.commitType.label } + [JB4a.type.label])
  static let abortLabels = Set(all.map { $0.abortType.label } + [JB4b.type.label, P5c.type.label])

  static func of(_ mode: Mode) -> (any PurchaseMode.Type)? { all.first { $0.mode == mode } }
}

/// A lock as its message states it.
struct LockFacts: Sendable {
  let mode: Mode
  /// L.
  var name: Hash
  let terms: LockTerms
  let bank: PublicKey

  private static let cache = FactCache<LockFacts>()

  /// Reads P3 or its kin; its signature is checked.
  init?(_ bytes: [UInt8]) {
    guard let facts = Self.cache.facts(of: bytes, { LockFacts(reading: bytes) }) else { return nil }
    self = facts
  }

  /// A compact lock is the authorization itself, once the bank has acknowledged it.
  init?(compact request: [UInt8]) {
    guard let facts = RequestFacts(request), facts.mode == .compact else { return nil }
    (mode, name, terms, bank) = (.compact, Hash(of: request), facts.terms, facts.bank)
  }

  /// The lock that a party's log names: P3 or its kin, or JB2.
  init?(in log: some Sequence<StoredMessage>) {
    for entry in log {
      guard let facts = LockFacts(entry.bytes) ?? LockFacts(compact: entry.bytes) else { continue }
      self = facts
      return
    }
    return nil
  }

  private init?(reading bytes: [UInt8]) {
    guard let type = try? MessageType(peeking: bytes),
      let mode = LockModes.all.first(where: { $0.lockType == type })
    else { return nil }
    func read<M: PurchaseMode>(_: M.Type) -> (Mode, Hash, LockTerms, PublicKey)? {
      guard let unverified = try? Unverified<M.LockMessage>(bytes),
        let lock = try? Verified(unverified, by: .key(unverified.claimedSigners[0]))
      else { return nil }
      return (M.mode, lock.hash, lock.payload.terms, lock.signer)
    }
    guard let found = read(mode) else { return nil }
    (self.mode, name, terms, bank) = found
  }
}

/// The one outcome of a lock, as its bytes state it.
struct OutcomeFacts: Sendable {
  let mode: Mode
  let isCommit: Bool
  let archive: PublicKey
  let merchant: PublicKey
  let n: TransactionID
  /// L; in a commit as the merchant named it.
  let lock: Hash
  let at: Timestamp
  let expiration: Timestamp
  let lifetime: Timestamp
  /// Commits: H of the contract, and x.
  let contract: Hash?
  let key: [UInt8]
  /// Compact commits: what the merchant wants for it.
  var value: Money?
  /// P5c: by which witnesses' word. The archive is the one that was silent.
  var witnesses: Set<PublicKey> = []
  /// Aborts before the expiration: the merchant's Cancel names this lock.
  let cancelled: Bool
  /// Commits of a series: what they rest on.
  let series: SeriesFacts?

  private static let cache = FactCache<OutcomeFacts>()

  init?(_ bytes: [UInt8]) {
    guard let facts = Self.cache.facts(of: bytes, { OutcomeFacts(reading: bytes) }) else { return nil }
    self = facts
  }

  private init?(reading bytes: [UInt8]) {
    guard let type = try? MessageType(peeking: bytes) else { return nil }
    func commit<M: PurchaseMode>(_: M.Type) -> OutcomeFacts? { OutcomeFacts(commit: bytes, M.self) }
    func abort<M: PurchaseMode>(_: M.Type) -> OutcomeFacts? { OutcomeFacts(abort: bytes, M.self) }
    if type == .p5c, let facts = OutcomeFacts(witnessed: bytes) {
      self = facts
    } else if type == .jb4a, let facts = OutcomeFacts(compactCommit: bytes) {
      self = facts
    } else if type == .jb4b, let facts = OutcomeFacts(compactAbort: bytes) {
      self = facts
    } else if let mode = LockModes.all.first(where: { $0.commitType == type }), let facts = commit(mode) {
      self = facts
    } else if let mode = LockModes.all.first(where: { $0.abortType == type }), let facts = abort(mode) {
      self = facts
    } else {
      return nil
    }
  }

  private init?<M: PurchaseMode>(commit bytes: [UInt8], _: M.Type) {
    guard let unverified = try? Unverified<Commit<M>>(bytes),
      let commit = try? Verified(unverified, by: .key(unverified.claimedSigners[0])),
      let inner = try? Unverified<M.Submission>(commit.payload.submission),
      let submission = try? Verified(inner, by: .key(inner.claimedSigners[0]))
    else { return nil }
    (mode, isCommit, archive, merchant) = (M.mode, true, commit.signer, submission.signer)
    (n, lock, at) = (submission.payload.n, submission.payload.lock, commit.payload.at)
    (expiration, lifetime) = (submission.payload.expiration, commit.payload.lifetime)
    (contract, key, cancelled) = (submission.payload.hP1, submission.payload.key, false)
    series = SeriesFacts(commit.payload, submission.payload)
  }

  private init?<M: PurchaseMode>(abort bytes: [UInt8], _: M.Type) {
    guard let unverified = try? Unverified<Abort<M>>(bytes),
      let abort = try? Verified(unverified, by: .key(unverified.claimedSigners[0]))
    else { return nil }
    let payload = abort.payload
    (mode, isCommit, archive, merchant) = (M.mode, false, abort.signer, payload.merchant)
    (n, lock, at, expiration) = (payload.n, payload.lock, payload.at, payload.expiration)
    (lifetime, contract, key, series) = (payload.lifetime, nil, [], nil)
    let cancel = payload.cancel.flatMap { try? Verified<Cancel>($0, by: .key(payload.merchant)) }
    cancelled = cancel?.payload == Cancel(n: payload.n, lock: payload.lock)
  }

  private init?(compactCommit bytes: [UInt8]) {
    guard let unverified = try? Unverified<JB4a>(bytes),
      let commit = try? Verified(unverified, by: .key(unverified.claimedSigners[0])),
      let inner = try? Unverified<JB3>(commit.payload.submission),
      let submission = try? Verified(inner, by: .key(inner.claimedSigners[0]))
    else { return nil }
    (mode, isCommit, archive, merchant) = (.compact, true, commit.signer, submission.signer)
    (n, lock, at) = (submission.payload.n, commit.payload.hJB2, commit.payload.at)
    (expiration, lifetime) = (submission.payload.expiration, commit.payload.lifetime)
    (contract, key, cancelled, series) = (submission.payload.hP1, submission.payload.key, false, nil)
    value = submission.payload.value
  }

  private init?(witnessed bytes: [UInt8]) {
    guard let unverified = try? Unverified<P5c>(bytes),
      let abort = try? Verified(unverified, by: .key(unverified.claimedSigners[0]))
    else { return nil }
    let payload = abort.payload
    let certificates = payload.nonResponses.compactMap { bytes -> Verified<NonResponse>? in
      guard let unverified = try? Unverified<NonResponse>(bytes) else { return nil }
      return try? Verified(unverified, by: .key(unverified.claimedSigners[0]))
    }
    guard let target = certificates.first?.payload.target else { return nil }
    (mode, isCommit, archive, merchant) = (.core, false, target, payload.merchant)
    (n, lock, at, expiration) = (payload.n, payload.lock, payload.at, payload.expiration)
    (lifetime, contract, key, cancelled, series) = (payload.lifetime, nil, [], false, nil)
    witnesses = Set(
      certificates.filter {
        let said = $0.payload
        return said.lock == payload.lock && said.hRequest == payload.lock && said.target == target
          && said.sentAt >= payload.lifetime && OutcomeFacts.isNone(said.answer)
      }.map(\.signer))
  }

  /// No outcome: after the lifetime a refusal that shows nothing is as good as silence.
  private static func isNone(_ answer: [UInt8]?) -> Bool {
    guard let answer else { return true }
    return (try? Unverified<Refusal>(answer))?.claims.proof.isEmpty ?? false
  }

  private init?(compactAbort bytes: [UInt8]) {
    guard let unverified = try? Unverified<JB4b>(bytes),
      let abort = try? Verified(unverified, by: .key(unverified.claimedSigners[0]))
    else { return nil }
    let payload = abort.payload
    (mode, isCommit, archive, merchant) = (.compact, false, abort.signer, payload.merchant)
    (n, lock, at, expiration) = (payload.n, payload.hJB2, payload.at, payload.expiration)
    (lifetime, contract, key, cancelled, series) = (payload.lifetime, payload.hP1, [], false, nil)
  }

  /// What a commit makes due under these terms; nil if it shows nothing that would.
  func due(_ terms: LockTerms) -> Money? { mode == .repeated ? series?.due(terms) : terms.value }

  /// Why this is not the outcome of these terms; nil if it is. `lock` nil: only the terms are known.
  func fault(for terms: LockTerms, mode: Mode, lock: Hash?) -> String? {
    if !witnesses.isEmpty { return witnessFault(for: terms, lock: lock) }
    guard self.mode == mode else { return "it is of another protocol" }
    guard archive == terms.archive else { return "another archive signed it" }
    guard merchant == terms.merchant, n == terms.n else { return "it is of another transaction" }
    if let lock, self.lock != lock { return "it names another lock" }
    guard expiration == terms.expiration, lifetime == terms.lifetime else {
      return "it has another expiration or lifetime"
    }
    if isCommit {
      guard at < terms.expiration else { return "it was committed at or after the expiration" }
      guard contract == terms.hP1 else { return "it is of another contract" }
      guard value == nil || value == terms.value else { return "it is over another value" }
      guard due(terms) != nil else { return "it does not show what was delivered" }
      let hx = Hash.keyCommitment(mode, merchant: merchant, n: n, key: key)
      guard hx == series?.hx ?? terms.hx else { return "its key is not the one committed to" }
    } else {
      guard lock != nil else { return "an abort without the lock" }
      guard at >= terms.expiration || cancelled else { return "it was aborted too early" }
      guard mode != .compact || contract == terms.hP1 else { return "it is of another contract" }
    }
    return nil
  }
}

extension OutcomeFacts {
  /// The witnesses' abort: after the lifetime, by all of them that there are in a run.
  private func witnessFault(for terms: LockTerms, lock: Hash?) -> String? {
    guard archive == terms.archive, merchant == terms.merchant, n == terms.n, self.lock == lock,
      expiration == terms.expiration, lifetime == terms.lifetime
    else { return "it is of another lock" }
    guard at >= terms.lifetime else { return "the lifetime is not over" }
    let all = Set(Cast.shared.members.filter { $0.role == .witness }.map(\.key))
    return witnesses == all ? nil : "too few witnesses certify it"
  }
}

/// What the tokens authorised: P2 or its kin, or the claim of an announced token; signatures checked.
struct RequestFacts: Sendable {
  let mode: Mode
  let terms: LockTerms
  let bank: PublicKey
  let inputs: [TokenInput]
  /// Announced: H of the announcement as it was published, where that is known.
  var published: Hash?

  private static let cache = FactCache<RequestFacts>()

  init?(_ bytes: [UInt8]) {
    guard let facts = Self.cache.facts(of: bytes, { RequestFacts(reading: bytes) }) else { return nil }
    self = facts
  }

  private init?(reading bytes: [UInt8]) {
    if let claim = ClaimFacts(bundle: bytes) {
      self = claim.request
      return
    }
    guard let type = try? MessageType(peeking: bytes),
      [.p2, .ja2, .e2, .r2, .jb2, .coSign].contains(type)
    else { return nil }
    func read<M: TokenMode>(_: M.Type) -> RequestFacts? {
      guard let request = try? Verified<AuthorizationQ<M>>(bytes, by: .ownTokens) else { return nil }
      return RequestFacts(
        mode: M.mode, terms: request.payload.terms, bank: request.payload.bank,
        inputs: request.payload.tokenInputs)
    }
    let found =
      read(CoreMode.self) ?? read(JointMode.self) ?? read(EarlyMode.self) ?? read(RepeatedMode.self)
      ?? read(CompactMode.self)
    guard let found else { return nil }
    self = found
  }

  init(mode: Mode, terms: LockTerms, bank: PublicKey, inputs: [TokenInput]) {
    (self.mode, self.terms, self.bank, self.inputs) = (mode, terms, bank, inputs)
  }
}
