// The archive's durable step, for whoever publishes: take up the lock, decide, append to the record, queue
// the copies. An archive does it for core and its kin, a joint bank-archive for its own locks, in the same
// transaction as the money.

import Messages
import Parties
import Storage

struct ArchiveDesk {
  let node: Node
  /// Whether banks and merchants are sent what is published for them. Otherwise they read it, or hear it from
  /// each other.
  var sendsCopies = true
  /// Whether what is published gets a leaf of the log.
  var logs = false
  /// Whether what is published waits for the log's witnesses before it is sent or shown.
  var waits = false

  /// Something that happens to a lock of mode `M`.
  typealias Event<M: ArchiveMode> =
    @Sendable (
      inout ArchiveTransaction<M>, any StoreTransaction, Timestamp, borrowing SigningKey
    ) throws -> [ArchiveEffect]

  /// Opens what was sealed to this archive.
  func unseal(_ sealed: SealedMessage) throws -> Messages.Bundle {
    try Messages.Bundle(encoded: node.identity.sealing.open(sealed.box))
  }

  /// P4 and its kin, with what comes beside it.
  func read<M: ArchiveMode>(_: M.Type, _ bundle: Messages.Bundle) throws -> Submitted<M> {
    try Submitted<M>(bundle, trust: node.trust.list, at: node.clock())
  }

  /// P4 and its kin.
  func submitted<M: ArchiveMode>(_ submission: Submitted<M>) -> Event<M> {
    { machine, tx, now, key in
      let terms = submission.p3.payload.terms
      let other = try tx.records(merchant: terms.merchant.bytes, n: terms.n.bytes).first {
        $0.kind == .commit && $0.lock != submission.p3.hash.bytes
      }
      let holds = try M.promise(submission.attachment).map {
        try HeldGoods.isWhole(submission.p3.hash, $0, in: tx)
      }
      return try machine.submitted(
        submission, otherCommit: other?.body, holdsGoods: holds ?? false, at: now, key: key)
    }
  }

  /// One step inside `tx`.
  /// - Returns: the answer, and the outcome if this step published it.
  func decide<M: ArchiveMode>(
    _ lock: Verified<M.LockMessage>, in tx: any StoreTransaction, request: [UInt8], _ event: Event<M>
  ) throws -> (reply: [UInt8]?, published: Outcome<M>?) {
    let now = try time(tx)
    let record = try tx.record(lock: lock.hash.bytes)
    if let record, record.body.isEmpty {
      let denial = Denial(.lifetime, "the transaction's lifetime has ended, and its record is gone")
      return (try node.refuse(denial, request: request), nil)
    }
    let known = try record.map { try Outcome<M>(stored: $0.body) }
    var machine = ArchiveTransaction<M>(lock, outcome: known)
    var reply: [UInt8]?
    var published: Outcome<M>?
    for effect in try event(&machine, tx, now, node.identity.signing) {
      switch effect {
      case .publish(let body, let isCommit, let terms, let name):
        try tx.appendRecord(
          merchant: terms.merchant.bytes, n: terms.n.bytes, lock: name.bytes,
          kind: isCommit ? .commit : .abort, at: Int64(now), body: body)
        try Self.keep(bank: lock.signer, of: name, in: tx)
        published = try Outcome<M>(stored: body)
        if logs {
          let subject = LogLeaf.transaction(terms.merchant, terms.n)
          let kind = isCommit ? LogLeaf.Kind.commit : .abort
          try LogRows.append(
            LogLeaf(kind: kind, at: now, subject: subject, lock: name, body: Hash(of: body)), in: tx)
        }
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      case .send(let bytes, let key) where waits:
        if sendsCopies { try FinalHead.keepBack(bytes, for: key, in: tx) }
      case .send(let bytes, let key): if sendsCopies { try tx.send(bytes, to: key, at: now) }
      }
    }
    return (reply, published)
  }

  // MARK: Time

  private static let answeredKey = "answered at"

  /// Sequencing time: never earlier than the record before, nor than a signed answer about the record,
  /// whatever the clock does. Else "open at t" and a commit before t would both stand, and convict an honest
  /// archive.
  func time(_ tx: any StoreTransaction) throws -> Timestamp {
    let answered = try tx.meta(Self.answeredKey).map(RowKey.value) ?? 0
    return max(node.clock(), try tx.lastRecord().map { UInt64($0.at) } ?? 0, answered)
  }

  /// The time of a step that decides without a record of its own; whatever comes later is no earlier.
  func stamp(_ tx: any StoreTransaction) throws -> Timestamp {
    let now = try time(tx)
    try answered(tx, at: now)
    return now
  }

  /// Something was signed that says how things stood at `now`.
  func answered(_ tx: any StoreTransaction, at now: Timestamp) throws {
    try tx.setMeta(Self.answeredKey, RowKey.number(now))
  }

  /// Signs what the record says of (M, n) now. In line with the writes: a commit on its way is before or
  /// after this answer, and its time too.
  func answer(
    _ query: Verified<StatusQuery>, merchant: PublicKey, n: TransactionID, in tx: any StoreTransaction
  ) throws -> [UInt8] {
    let now = try stamp(tx)
    let records = try tx.records(merchant: merchant.bytes, n: n.bytes)
    // Neither "open" nor "committed" can be said of what is published and not final.
    if waits, case let size = try FinalHead.size(tx),
      try !records.allSatisfy({ try FinalHead.has($0.body, below: size, in: tx) })
    {
      throw NotFinal(archive: node.identity.name)
    }
    let state: TransactionState =
      records.contains { $0.kind == .commit } ? .committed : records.isEmpty ? .open : .aborted
    let promises = try HeldGoods.promises(to: query.signer, merchant, n, in: tx)
    let shown = records.map(\.body).filter { !$0.isEmpty }.prefix(16) + promises
    return try answer(query.hash, state, Array(shown), at: now)
  }

  func answer(
    _ question: Hash, _ state: TransactionState, _ proof: [[UInt8]], at now: Timestamp
  ) throws -> [UInt8] {
    let answer = StatusAnswer(at: now, hQuery: question, proof: proof, state: state)
    return try Verified(signing: answer, with: node.identity.signing).bytes
  }

  // MARK: Announcements (FIG. 3)

  private static let announcedKind = "announced"
  /// How often one token can be announced: its owner's own doing.
  private static let announcementsMax = 64
  /// How many the record takes in all.
  private static let announcementsTotal: UInt64 = 1 << 22

  /// Publishes message 3, signed once: the same announcement gets the same bytes.
  func announce(
    _ announcement: Verified<Announcement>, _ facts: TokenFacts, in tx: any StoreTransaction
  ) throws -> [UInt8] {
    let key = announcement.payload.token.id.bytes
    let published = try tx.messages(kind: Self.announcedKind, key: key)
    for known in published {
      let message = try Verified<Announced>(stored: known.bytes)
      if message.payload.announcement == announcement.bytes { return known.bytes }
    }
    let now = try time(tx)
    let total = try tx.meta("announcements").map(RowKey.value) ?? 0
    let denial =
      AnnouncementDesk.check(
        announcement, facts: facts, archive: node.identity.key, trust: node.trust.list, at: now)
      ?? (published.count < Self.announcementsMax
        ? nil : Denial(.limit, "this token has been announced \(published.count) times"))
      ?? (total < Self.announcementsTotal
        ? nil : Denial(.limit, "this archive takes no announcement any more"))
    if let denial { return try node.refuse(denial, request: announcement.bytes) }
    try tx.setMeta("announcements", RowKey.number(total + 1))
    try answered(tx, at: now)
    let message = try Verified(
      signing: Announced(at: now, announcement: announcement.bytes), with: node.identity.signing)
    try tx.keep(Label(.announced), message.bytes, kind: Self.announcedKind, key: key)
    if logs {
      let subject = announcement.payload.token.id
      try LogRows.append(
        LogLeaf(kind: .announcement, at: now, subject: subject, body: message.hash), in: tx)
    }
    return message.bytes
  }

  /// All announcements of a token, as a bundle: what A has published, anybody can read.
  func announcements(_ call: HTTPCall) async throws -> HTTPReply {
    guard let token = call.parameters["token"].flatMap(Hash.init(hex:)) else {
      throw Problem.badRequest("a token's id is 64 hexadecimal digits")
    }
    let found = try await node.store.read { try $0.messages(kind: Self.announcedKind, key: token.bytes) }
    return HTTPReply(
      status: 200, contentType: cborMediaType,
      body: .bytes(try Messages.Bundle(found.map(\.bytes)).encoded()))
  }

  // MARK: Pruning

  private static let emptiedKey = "emptied"

  /// Empties the records whose lifetimes have been over for so long (protocols.md §12). Their locks and
  /// transactions stay known: else a later lock of the same (M, n) could be committed, too.
  func prune(keepSeconds: UInt64) async throws {
    let now = node.clock()
    @Sendable func over(_ rows: [RecordRow]) throws -> Int {
      Retention.emptied(
        try rows.map { try MessageType.lifetime(of: $0.body) }, keepSeconds: keepSeconds, at: now)
    }
    // Mostly there is nothing to do, and one record tells it.
    let (first, rows) = try await node.store.read { tx in
      let emptied = try tx.meta(Self.emptiedKey).map(RowKey.value) ?? 0
      let next = try tx.records(after: Int64(emptied), limit: 1)
      return (emptied, try over(next) == 0 ? [] : tx.records(after: Int64(emptied), limit: 100))
    }
    try await pruneAnnouncements(keepSeconds: keepSeconds, at: now)
    let count = try over(rows)
    guard count > 0 else { return }
    try await node.store.write { tx in
      try tx.dropRecordBodies(through: Int64(first) + Int64(count))
      try tx.setMeta(Self.emptiedKey, RowKey.number(first + UInt64(count)))
    }
  }

  /// Lets go of announcements whose expiry has been over for so long: no bank locks upon them any more, and
  /// the same one is not published again. A few at a time, from the first on that are left.
  private func pruneAnnouncements(keepSeconds: UInt64, at now: Timestamp) async throws {
    @Sendable func isOver(_ message: StoredMessage) throws -> Bool {
      let inner = try Verified<Announced>(stored: message.bytes).payload.announcement
      return Retention.isOver(
        try Unverified<Announcement>(inner).claims.expiration, keepSeconds: keepSeconds, at: now)
    }
    let label = Label(.announced).rawValue
    let oldest = try await node.store.read {
      try $0.messages(kind: Self.announcedKind, label: label, after: 0, limit: 16)
    }
    for message in oldest where try isOver(message) {
      try await node.store.write { tx in
        let all = try tx.messages(kind: Self.announcedKind, key: message.key)
        guard try all.allSatisfy(isOver) else { return }
        try tx.deleteMessages(kind: Self.announcedKind, key: message.key)
      }
    }
  }

  // MARK: The public record

  var documents: [Route] {
    [Route(method: "GET", path: "/v1/records/:merchant/:n") { call in try await self.lookUp(call) }]
  }

  /// All outcomes of (M, n), as a bundle: for whoever knows n, which nobody can guess.
  private func lookUp(_ call: HTTPCall) async throws -> HTTPReply {
    guard let merchant = call.parameters["merchant"].flatMap(PublicKey.init(hex:)),
      let n = call.parameters["n"].flatMap(TransactionID.init(hex:))
    else { throw Problem.badRequest("M is 64 and n 32 hexadecimal digits") }
    let records = try await node.store.read { [waits] tx in
      let size = try waits ? FinalHead.size(tx) : 0
      return try tx.records(merchant: merchant.bytes, n: n.bytes).filter {
        try !waits || FinalHead.has($0.body, below: size, in: tx)
      }
    }
    return HTTPReply(
      status: 200, contentType: cborMediaType,
      body: .bytes(try Messages.Bundle(records.map(\.body).filter { !$0.isEmpty }).encoded()))
  }
}
