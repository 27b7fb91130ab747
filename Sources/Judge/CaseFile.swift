// The evidence of one case, verified: only what stands here counts. Each signature holds, and each signer was
// trusted when it signed.
//
// When a message was signed: at its own time where it has one (`at`, a contract's date). What an archive's
// record or a witness names is at least as old as that. What has no time, and what nothing of the kind dates,
// counts only if its key was never revoked: a thief could have signed it later.

import Messages

/// Verified evidence, and what a judge was told beside it.
struct CaseFile {
  let trust: TrustList
  let now: Timestamp
  /// Parties that were asked for all that they have: what is not here, they do not have.
  let heard: Set<PublicKey>
  let tokenHolds: (@Sendable (Token, Denomination) -> Bool)?
  let blindHolds: Judge.BlindCheck?
  /// By when messages, proofs and logs' entries existed, as timestamp authorities say: by hash.
  let stamps: Stamps
  let evidence: Evidence
  private(set) var setAside: Set<SetAside>

  private(set) var offers: [OfferRecord] = []
  private(set) var merchandise: [Verified<E4>] = []
  private(set) var items: [Verified<R6>] = []
  private(set) var locks: [LockRecord] = []
  private(set) var commits: [CommitRecord] = []
  private(set) var aborts: [AbortRecord] = []
  /// Locks that say the same are one, however often the bank signed it.
  private(set) var lockGroups: [[LockRecord]] = []
  /// What asks for a lock: P2 and its kin, and announcements with their lock.
  private(set) var requests: [Authorization] = []
  private var requestsOf: [TransactionKey: [Authorization]] = [:]
  /// All that tokens' keys signed to let a bank use them, by hash.
  private(set) var authorizations: [Hash: Authorization] = [:]
  /// The same by token, and the tokens as they name them.
  private(set) var authorizationsOf: [Hash: [Authorization]] = [:]
  private(set) var namedTokens: [Hash: Set<Token>] = [:]
  /// What of it a bank locked or exchanged upon: by content, so upon the same signed otherwise, too.
  private(set) var carriedOut: Set<[UInt8]> = []
  private(set) var exchanges: [Verified<X1>] = []
  private(set) var exchanged: [Verified<X2>] = []
  private(set) var deposits: [Deposit] = []
  private(set) var tokenUses: [TokenAt: [TokenUse]] = [:]
  private(set) var keyLists: [Verified<KeyList>] = []
  private(set) var credits: [Verified<Credit>] = []
  private(set) var transfers: [(order: Verified<BT1>, done: Verified<BT2>)] = []
  private(set) var transferOrders: [Verified<BT1>] = []
  private(set) var issuerClaims: [Verified<BT3>] = []
  private(set) var issuerGrants: [Verified<BT4>] = []
  private(set) var refundOrders: [Verified<RF2>] = []
  private(set) var refundsMade: [Verified<RF3>] = []
  private(set) var refusals: [Verified<Refusal>] = []
  /// Who refused a message, by its hash.
  private(set) var refusedBy: [Hash: Set<PublicKey>] = [:]
  private(set) var answers: [Verified<StatusAnswer>] = []
  /// What was asked, by hash: an answer names its question, so nobody's signature is needed.
  private(set) var queries: [Hash: StatusQuery] = [:]
  /// What tokens' keys demand of their tokens, by key.
  private(set) var demands: [PublicKey: [Verified<StatusQuery>]] = [:]
  private(set) var nonResponses: [Verified<NonResponse>] = []
  private(set) var witnessAborts: [Verified<P5c>] = []
  /// Contracts that name a parcel, and what kiosks and customers signed of parcels.
  private(set) var sentParcels: [Verified<P1>] = []
  private(set) var arrivals: [Verified<D0>] = []
  private(set) var challenges: [Verified<D1>] = []
  private(set) var answersAtCounter: [Verified<D2>] = []
  private(set) var counterRecords: [Verified<D3>] = []
  private(set) var leaves: [Verified<Delegation>] = []
  /// Which outcomes count for more than their signature.
  let logProofs: LogProofs
  private var commitsOf: [Hash: [CommitRecord]] = [:]
  private var abortsOf: [Hash: [AbortRecord]] = [:]
  /// Outcomes that count, by their hashes.
  private var finals: Set<Hash> = []
  private(set) var approvals: [Verified<Approval>] = []
  private(set) var invoiceDeposits: [DepositRecord] = []
  private(set) var records: [Verified<PassiveRecord>] = []
  private(set) var complaints: [Verified<Complaint>] = []
  /// The earliest time at which a dated message of a trusted key named or held a message.
  private var dated: [Hash: Timestamp] = [:]

  init(
    _ evidence: Evidence, trust: TrustList, now: Timestamp, heard: Set<PublicKey>,
    tokenHolds: (@Sendable (Token, Denomination) -> Bool)?, blindHolds: Judge.BlindCheck? = nil,
    stampHolds: Judge.StampCheck? = nil
  ) {
    (self.evidence, self.trust, self.now, self.heard) = (evidence, trust, now, heard)
    (self.tokenHolds, self.blindHolds) = (tokenHolds, blindHolds)
    stamps = Stamps(evidence, trust, stampHolds)
    setAside = evidence.setAside.union(stamps.setAside)
    logProofs = LogProofs(trust, evidence.proofs)
    readDated()
    readOffers()
    readLocks()
    readMoney()
    readInvoices()
    readParcels()
    collect()
  }

  // MARK: Reading

  /// All messages of a type that `rule` accepts, by hash: the order of the files plays no part. What does not
  /// count is set aside with its reason.
  mutating func read<P: Payload>(
    _: P.Type, by rule: (Unverified<P>) throws(MessageError) -> SignerRule
  ) -> [Verified<P>] {
    var result: [Verified<P>] = []
    for bytes in evidence.messages[P.type] ?? [] {
      do throws(MessageError) {
        let message = try Unverified<P>(bytes)
        result.append(try Verified(message, by: rule(message)))
      } catch {
        setAside.insert(SetAside(what: P.type.label, message: Hash(of: bytes), reason: error.rule))
      }
    }
    return result.sorted { $0.hash.bytes.lexicographicallyPrecedes($1.hash.bytes) }
  }

  /// Trusted in this role at a time.
  func trusted(_ role: Role, at time: Timestamp) -> SignerRule { .trusted(trust, as: role, at: time) }

  /// For messages without a time: at the time that dates them, or else a key that was never revoked. A
  /// timestamp only ever helps: it shows that there was a message, and not that there was none.
  func undated<P>(_ message: Unverified<P>, _ role: Role) throws(MessageError) -> SignerRule {
    let key = message.claimedSigners[0]
    if let time = dated[message.hash] {
      return stamped(message.hash, key, role, unlessTrustedAt: time) ?? trusted(role, at: time)
    }
    guard isRevoked(key, role) else { return .known(trust, as: role) }
    guard let rule = stamped(message.hash, key, role) else {
      throw MessageError(.authentication, "revoked", P.type.label)
    }
    return rule
  }

  private func isRevoked(_ key: PublicKey, _ role: Role) -> Bool {
    trust.entries.contains { $0.key == key && $0.role == role && $0.revokedAt != nil }
  }

  /// The rule for what a timestamp authority saw while the key was trusted; nil if none did, or none is
  /// needed.
  private func stamped(
    _ hash: Hash, _ key: PublicKey, _ role: Role, unlessTrustedAt other: Timestamp? = nil
  ) -> SignerRule? {
    func isTrusted(_ time: Timestamp) -> Bool {
      (try? trust.check(key, as: role, at: time, subject: "")) != nil
    }
    guard let time = stamps.latest[hash], !(other.map(isTrusted) ?? false), isTrusted(time) else {
      return nil
    }
    return trusted(role, at: time)
  }

  /// For P3 and its kin, which a bank makes for no longer than its key lives.
  private func lockRule<L: LockPayload>(_ message: Unverified<L>) throws(MessageError) -> SignerRule {
    let rule = try undated(message, .bank)
    let isDated = dated[message.hash] != nil || isRevoked(message.claimedSigners[0], .bank)
    return isDated ? rule : trusted(.bank, at: message.claims.terms.expiration)
  }

  private mutating func date(_ hash: Hash, _ time: Timestamp) {
    dated[hash] = min(time, dated[hash] ?? time)
  }

  // MARK: Steps

  /// What has a time of its own, and what it dates.
  private mutating func readDated() {
    readOutcomes(of: CoreMode.self)
    readOutcomes(of: EarlyMode.self)
    readOutcomes(of: JointMode.self)
    readOutcomes(of: RepeatedMode.self)
    readOutcomes(of: AnnouncedMode.self)
    readCompactOutcomes()
    for commit in commits {
      for hash in [commit.submission.hash, commit.lock, commit.submission.hP1] + commit.submission.names {
        date(hash, commit.at)
      }
    }
    for abort in aborts { date(abort.lock, abort.at) }
    credits = read(Credit.self) { [self] m in trusted(.bank, at: m.claims.at) }
    refusals = read(Refusal.self) { [self] m throws(MessageError) in try answering(m, at: m.claims.at) }
    answers = read(StatusAnswer.self) { [self] m throws(MessageError) in try answering(m, at: m.claims.at) }
    nonResponses = read(NonResponse.self) { [self] m in trusted(.witness, at: m.claims.waitedUntil) }
    for message in nonResponses { date(message.payload.lock, message.payload.sentAt) }
    witnessAborts = read(P5c.self) { [self] m in trusted(.witness, at: m.claims.at) }
  }

  /// A bank's, archive's or merchant's answer, whichever its signer is trusted as.
  private func answering<P>(
    _ message: Unverified<P>, at time: Timestamp
  ) throws(MessageError) -> SignerRule {
    let key = message.claimedSigners[0]
    let role = [Role.bank, .archive, .merchant].first { trust.knows(key, as: $0) }
    return trusted(role ?? .bank, at: time)
  }

  private mutating func readOutcomes<M: PurchaseMode>(of _: M.Type) {
    let archive = M.commitType.signers[0]
    let trust = trust
    for message in read(Commit<M>.self, by: { m in .trusted(trust, as: archive, at: m.claims.at) }) {
      file(CommitRecord(message, M.self, trust), M.commitType, message.hash)
    }
    aborts += read(Abort<M>.self) { m in .trusted(trust, as: archive, at: m.claims.at) }
      .map { AbortRecord($0, M.self) }
  }

  private mutating func readCompactOutcomes() {
    let trust = trust
    for message in read(JB4a.self, by: { m in .trusted(trust, as: .bank, at: m.claims.at) }) {
      file(CommitRecord(compact: message, trust), .jb4a, message.hash)
    }
    aborts += read(JB4b.self) { m in .trusted(trust, as: .bank, at: m.claims.at) }
      .map(AbortRecord.init(compact:))
  }

  private mutating func file(_ commit: CommitRecord?, _ type: MessageType, _ hash: Hash) {
    if let commit {
      commits.append(commit)
    } else {
      setAside.insert(
        SetAside(what: type.label, message: hash, reason: "what is inside is not the merchant's"))
    }
  }

  private mutating func readOffers() {
    let trust = trust
    func at(_ time: Timestamp) -> SignerRule { .trusted(trust, as: .merchant, at: time) }
    let contracts = read(P1.self) { m in at(m.claims.contract.date) }
    offers += contracts.compactMap(OfferRecord.init(offer:))
    sentParcels = contracts.filter { $0.payload.contract.parcel != nil }
    offers += read(E1.self) { m in at(m.claims.contract.date) }.compactMap(OfferRecord.init(offer:))
    offers += read(R1.self) { m in at(m.claims.contract.date) }.compactMap(OfferRecord.init(offer:))
    offers += read(Invoice.self) { m in at(m.claims.terms.date) }.compactMap(OfferRecord.init(invoice:))
    offers += read(PurchaseOrder.self) { m in at(m.claims.terms.date) }.compactMap(OfferRecord.init(order:))
    merchandise = read(E4.self) { [self] m throws(MessageError) in try undated(m, .merchant) }
    items = read(R6.self) { m in at(m.claims.contract.date) }
  }

  private mutating func readLocks() {
    readLocks(of: CoreMode.self)
    readLocks(of: EarlyMode.self)
    readLocks(of: JointMode.self)
    readLocks(of: RepeatedMode.self)
    locks += read(A7.self) { [self] m throws(MessageError) in try lockRule(m) }
      .map { LockRecord($0, AnnouncedMode.self) }
    readAnnouncements()
    let compact = read(JB2.self) { _ in .ownTokens }
    requests += compact.map(Authorization.init(compact:))
    for ack in read(JB2ack.self, by: { [self] m in trusted(.bank, at: m.claims.at) }) {
      guard let request = compact.first(where: { $0.hash == ack.payload.hJB2 }),
        request.payload.bank == ack.signer
      else { continue }
      locks.append(LockRecord(compact: request, ack))
    }
    locks += committedLocks(compact, beside: locks)
  }

  private mutating func readLocks<M: PurchaseMode>(of _: M.Type) where M.LockMessage == AuthorizationB<M> {
    locks += read(AuthorizationB<M>.self) { [self] m throws(MessageError) in try lockRule(m) }
      .map { LockRecord($0, M.self) }
    requests += read(AuthorizationQ<M>.self) { _ in .ownTokens }.map { Authorization($0, M.self) }
  }

  /// Message 3 of FIG. 3 takes the place of a request: it names the token, and A7 names it as published.
  private mutating func readAnnouncements() {
    let published = read(Announced.self) { [self] m in trusted(.archive, at: m.claims.at) }
    for message in published {
      guard let inner = try? Unverified<Announcement>(message.payload.announcement),
        let announcement = try? Verified(inner, by: .key(inner.claims.token.key))
      else { continue }
      for index in locks.indices where locks[index].announcement == message.hash {
        locks[index].tokenKey = announcement.signer
        requests.append(Authorization(announcement, locks[index]))
      }
    }
  }

  private mutating func readMoney() {
    keyLists = read(KeyList.self) { [self] m in trusted(.bank, at: m.claims.at) }
    exchanges = read(X1.self) { _ in .ownTokens }
    exchanged = read(X2.self) { [self] m in trusted(.bank, at: m.claims.at) }
    let done = read(BT2.self) { [self] m in trusted(.bank, at: m.claims.at) }
    transferOrders = read(BT1.self) { [self] m throws(MessageError) in try undated(m, .bank) }
    for order in transferOrders {
      transfers += done.filter {
        $0.payload.hBT1 == order.hash && $0.payload.lock == order.payload.lock
          && $0.payload.amount == order.payload.amount
      }.map { (order, $0) }
    }
    issuerClaims = read(BT3.self) { [self] m in trusted(.bank, at: m.claims.at) }
    issuerGrants = read(BT4.self) { [self] m in trusted(.bank, at: m.claims.at) }
    refundOrders = read(RF2.self) { [self] m throws(MessageError) in try undated(m, .merchant) }
    refundsMade = read(RF3.self) { [self] m in trusted(.bank, at: m.claims.at) }
    // Only the endorsement inside counts, which the token's key signed.
    deposits = (evidence.messages[.deposit] ?? []).compactMap { try? Unverified<Deposit>($0).claims }
  }

  /// What the rules look up again and again.
  private mutating func collect() {
    finals = Set(commits.filter(logProofs.isFinal).map(\.hash) + aborts.filter(logProofs.isFinal).map(\.hash))
    for bytes in evidence.messages[.statusQuery] ?? [] {
      guard let query = try? Unverified<StatusQuery>(bytes) else { continue }
      queries[query.hash] = query.claims
      guard query.claims.serial != nil,
        let demand = try? Verified(query, by: .key(query.claimedSigners[0]))
      else { continue }
      demands[demand.signer, default: []].append(demand)
    }
    for refusal in refusals { refusedBy[refusal.payload.hRequest, default: []].insert(refusal.signer) }
    commitsOf = Dictionary(grouping: commits, by: \.lock)
    abortsOf = Dictionary(grouping: aborts, by: \.lock)
    requestsOf = Dictionary(grouping: requests) { $0.transaction! }
    lockGroups = Self.groups(locks)
    let announcements = read(Announcement.self) { m in .key(m.claims.token.key) }
    let all =
      requests + announcements.map { Authorization($0) } + exchanges.map(Authorization.init)
      + deposits.compactMap(Authorization.init)
    authorizations = Dictionary(all.map { ($0.hash, $0) }, uniquingKeysWith: { first, _ in first })
    for authorization in authorizations.values {
      for token in Set(authorization.inputs.map(\.token)) {
        authorizationsOf[token.id, default: []].append(authorization)
        namedTokens[token.id, default: []].insert(token)
      }
    }
    carriedOut = Set(locks.flatMap(requests(for:)).map(\.content))
    for answer in exchanged {
      guard let asked = authorizations[answer.payload.hX1], asked.bank == answer.signer else { continue }
      carriedOut.insert(asked.content)
    }
    tokenUses = collectTokenUses()
  }

  private static func groups(_ locks: [LockRecord]) -> [[LockRecord]] {
    var groups: [TransactionKey: [[LockRecord]]] = [:]
    for lock in locks {
      var own = groups[lock.transaction] ?? []
      if let same = own.firstIndex(where: { $0[0].bank == lock.bank && $0[0].says(the: lock) }) {
        own[same].append(lock)
      } else {
        own.append([lock])
      }
      groups[lock.transaction] = own
    }
    return groups.values.flatMap { $0 }.sorted { $0[0].name.description < $1[0].name.description }
  }

  private mutating func readParcels() {
    arrivals = read(D0.self) { [self] m in trusted(.kiosk, at: m.claims.arrived) }
    challenges = read(D1.self) { [self] m in trusted(.kiosk, at: m.claims.time) }
    counterRecords = read(D3.self) { [self] m in trusted(.kiosk, at: m.claims.time) }
    // A customer's keys stand in the contract: whose they are, the rule looks up there.
    answersAtCounter = read(D2.self) { m in .key(m.claimedSigners[0]) }
    leaves = read(Delegation.self) { m in .key(m.claimedSigners[0]) }
  }

  private mutating func readInvoices() {
    approvals = read(Approval.self) { [self] m in trusted(.archive, at: m.claims.at) }
    invoiceDeposits = read(Deposit.self) { [self] m throws(MessageError) in try undated(m, .merchant) }
      .compactMap(DepositRecord.init)
    records = read(PassiveRecord.self) { [self] m in trusted(.bank, at: m.claims.at) }
    complaints = read(Complaint.self) { m in .key(m.claimedSigners[0]) }
  }

  // MARK: Looking

  /// Acknowledgements and other messages of a pseudonym or token key: whoever has the key may sign, so only
  /// the signature counts.
  func signed<P: Payload>(_: P.Type, by key: PublicKey) -> [Verified<P>] {
    (evidence.messages[P.type] ?? []).compactMap { try? Verified<P>($0, by: .key(key)) }
      .sorted { $0.hash.bytes.lexicographicallyPrecedes($1.hash.bytes) }
  }

  /// Messages of a merchant that have no time of their own.
  func undated<P: Payload>(_: P.Type, by merchant: PublicKey) -> [Verified<P>] {
    signed(P.self, by: merchant).filter { message in
      (try? Unverified<P>(message.bytes)).flatMap { try? undated($0, .merchant) } != nil
    }
  }

  /// The authorizations upon which the bank may have made a lock.
  func requests(for lock: LockRecord) -> [Authorization] {
    (requestsOf[lock.transaction] ?? []).filter { $0.asked(for: lock) }
  }

  /// All commits that name a lock, whether or not they match it.
  func commits(of lock: LockRecord) -> [CommitRecord] { commitsOf[lock.name] ?? [] }

  /// The commits that are this lock's, and final: more than one only if its archive lied.
  func matchingCommits(_ lock: LockRecord) -> [CommitRecord] {
    signedCommits(lock).filter(isFinal)
  }

  /// Whether a commit counts, as its archive's log shows it.
  func isFinal(_ commit: CommitRecord) -> Bool { finals.contains(commit.hash) }

  /// The commits that are this lock's, whether or not a log shows them: what the archive said.
  func signedCommits(_ lock: LockRecord) -> [CommitRecord] {
    commits(of: lock).filter { $0.mismatch(lock) == nil }
  }

  /// All aborts that name a lock, whether or not they match it.
  func aborts(of lock: LockRecord) -> [AbortRecord] { abortsOf[lock.name] ?? [] }

  /// The archive's abort that is this lock's, and final.
  func matchingAbort(_ lock: LockRecord) -> AbortRecord? {
    aborts(of: lock).first { $0.mismatch(lock) == nil && finals.contains($0.hash) }
  }

  /// The archive's abort that is this lock's, whether or not a log shows it.
  func signedAbort(_ lock: LockRecord) -> AbortRecord? {
    aborts(of: lock).first { $0.mismatch(lock) == nil }
  }

  /// What a bank's key list says of a denomination.
  func denomination(_ token: Token) -> Denomination? {
    for list in keyLists where list.signer == token.issuer {
      if let found = list.payload.denomination(token.keyID) { return found }
    }
    return nil
  }

  /// A party by the trust list's name.
  func culprit(_ role: Role, _ key: PublicKey) -> Culprit {
    Culprit(role: role, key: key, name: trust.entry(key, as: role)?.name ?? key.description)
  }

  /// The archive that a lock names.
  func archive(of lock: LockRecord) -> Culprit {
    culprit(Self.archiveRole(lock.mode), lock.terms.archive)
  }

  /// The role in which an archive of this mode is trusted.
  static func archiveRole(_ mode: Mode) -> Role { mode == .joint || mode == .compact ? .bank : .archive }
}
