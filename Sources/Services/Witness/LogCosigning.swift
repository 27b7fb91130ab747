// The witness of logs: C2SP tlog-witness over HTTP. With its own key it cosigns whatever extends what it has
// seen of a log; with its second key only logs whose entries it has all read, and found in order: at most one
// outcome of a lock and one commit of a transaction, and none older than its own last cosignature.
//
// Invariants: the head is stored in the step that compared the one before, and only then signed; of one log
// both keys have their own head; a log that was out of order once is never cosigned by the second key again.

import Foundation
import Messages
import Parties
import Storage
import TransparencyLog

/// What the second key remembers of a log's outcomes.
struct StoredOutcomes: FollowedOutcomes {
  let tx: any StoreTransaction
  let log: String

  private func get(_ kind: String, _ hash: Hash) throws -> UInt64? {
    try tx.meta("\(log)/\(kind)/\(hash)").map(RowKey.value)
  }
  func outcome(of lock: Hash) throws -> UInt64? { try get("lock", lock) }
  func commit(of subject: Hash) throws -> UInt64? { try get("commit", subject) }
  func keep(outcome index: UInt64, of lock: Hash) throws {
    try tx.setMeta("\(log)/lock/\(lock)", RowKey.number(index))
  }
  func keep(commit index: UInt64, of subject: Hash) throws {
    try tx.setMeta("\(log)/commit/\(subject)", RowKey.number(index))
  }
}

/// One of a witness's keys, and what it has seen.
struct LogCosigner: Sendable {
  /// What it is at, with the note and its own cosignature's time.
  struct Seen {
    var head = LogHead.empty
    var lastAt: Timestamp = 0
    var cosignedAt: Timestamp = 0
    var note: [UInt8] = []

    init() {}

    init?(_ bytes: [UInt8]) {
      guard bytes.count >= 56, let head = LogHead(encoded: Array(bytes[..<40])) else { return nil }
      self.head = head
      lastAt = RowKey.value(Array(bytes[40..<48]))
      cosignedAt = RowKey.value(Array(bytes[48..<56]))
      note = Array(bytes[56...])
    }

    var encoded: [UInt8] { head.encoded + RowKey.number(lastAt) + RowKey.number(cosignedAt) + note }
  }

  let node: Node
  /// The name that it signs under, as the policy has it.
  let key: NoteKey
  let follows: Bool
  let path: String
  private let witness: LogWitness
  private let policy: LogPolicy
  private let logs: [NoteKey]

  /// Most entries that one checkpoint may add for whoever reads them all.
  private static let entriesMax: UInt64 = 1 << 20
  /// For how many seconds it works on a checkpoint at most. What the log appends meanwhile is older than the
  /// cosignature, by no fault of the log's: so much it may be, beside what clocks differ.
  static let delaySeconds: UInt64 = 30

  /// Nil if the trust list's policy does not name this key.
  init?(_ node: Node, follows: Bool) {
    let own = follows ? node.identity.following.publicKey : node.identity.key
    guard let policy = node.proofs.finality.logPolicy,
      let key = policy.witnesses.first(where: { $0.key.publicKey == own })?.key, let logs = try? policy.logs()
    else { return nil }
    (self.node, self.key, self.follows, self.policy, self.logs) = (node, key, follows, policy, logs)
    path = follows ? LogNames.followerPath : LogNames.witnessPath
    witness = LogWitness(logs: logs)
  }

  // MARK: HTTP

  var routes: [Route] {
    [
      Route(method: "POST", path: path + "/add-checkpoint") { call in try await add(call.body) },
      Route(method: "GET", path: path + "/:log/checkpoint") { call in
        try await last(call.parameters["log"] ?? "")
      },
    ]
  }

  private func add(_ body: [UInt8]) async throws -> HTTPReply {
    guard body.count <= 65_536 else { throw Problem.badRequest("a checkpoint has at most 65536 bytes") }
    let arrived = node.clock()
    let objects = follows ? try await prefetched(body) : [:]
    let now = node.clock()
    guard now <= arrived + Self.delaySeconds else {
      throw Problem.busy("Too slow", "Reading the log's entries took too long.")
    }
    let answer = try await node.store.write { tx in try decide(body, objects, at: now, tx) }
    switch answer {
    case .cosign(_, let text):
      let line = try signed(text, at: now)
      return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(line))
    case .conflict(let size):
      return HTTPReply(
        status: answer.status, contentType: "text/x.tlog.size", body: .bytes(Array("\(size)\n".utf8)))
    default: return HTTPReply(status: answer.status, contentType: "text/plain", body: .bytes([]))
    }
  }

  private func signed(_ text: [UInt8], at now: Timestamp) throws -> [UInt8] {
    follows
      ? try node.identity.following.noteLine(key, over: text, at: now)
      : try node.identity.signing.noteLine(key, over: text, at: now)
  }

  /// The last checkpoint that it cosigned: for a log that lost its store. `log` is H(origin).
  private func last(_ log: String) async throws -> HTTPReply {
    guard let origin = logs.map(\.name).first(where: { Hash(of: Array($0.utf8)).description == log }) else {
      throw Problem.notFound("this witness does not know such a log")
    }
    let note = try await node.store.read { try seen(origin, $0).note }
    guard !note.isEmpty else { throw Problem.notFound("nothing of this log was cosigned") }
    return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(note))
  }

  // MARK: Deciding

  /// Whether the log of this lock's archive, as far as this key has followed it, has a commit of the lock.
  func hasSeenCommit(of lock: WitnessedLock, in tx: any StoreTransaction) throws -> Bool {
    guard follows, let log = logs.first(where: { $0.publicKey == lock.terms.archive }) else {
      return false
    }
    let seen = StoredOutcomes(tx: tx, log: mark(log.name))
    guard let outcome = try seen.outcome(of: lock.name) else { return false }
    return try seen.commit(of: LogLeaf.transaction(lock.terms.merchant, lock.terms.n)) == outcome
  }

  private func mark(_ origin: String) -> String { "\(path)/\(origin)" }

  private func seen(_ origin: String, _ tx: any StoreTransaction) throws -> Seen {
    try tx.meta(mark(origin)).flatMap(Seen.init) ?? Seen()
  }

  private func decide(
    _ body: [UInt8], _ objects: [String: [UInt8]], at now: Timestamp, _ tx: any StoreTransaction
  ) throws -> WitnessAnswer {
    guard let request = AddCheckpoint(body: body), let origin = witness.origin(of: request) else {
      return witness.answer(body) { _ in nil }
    }
    var seen = try seen(origin, tx)
    let answer = witness.answer(body) { _ in seen.head }
    guard case .cosign(let head, _) = answer else { return answer }
    // A clock that was set back says nothing: it would make what was seen before look newer.
    guard now >= seen.cosignedAt else { throw Problem.busy("Clock", "This witness's clock went back.") }
    if follows {
      guard try follow(origin, &seen, to: head, objects, tx) else { return .inconsistent }
    }
    (seen.head, seen.cosignedAt, seen.note) = (head, now, request.note)
    try tx.setMeta(mark(origin), seen.encoded)
    return answer
  }

  /// Reads the entries up to a head; false if they are out of order, for ever.
  private func follow(
    _ origin: String, _ seen: inout Seen, to head: LogHead, _ objects: [String: [UInt8]],
    _ tx: any StoreTransaction
  ) throws -> Bool {
    let fault = mark(origin) + "/fault"
    guard try tx.meta(fault) == nil else { return false }
    let follower = LogFollower(
      outcomes: StoredOutcomes(tx: tx, log: mark(origin)), size: seen.head.size, lastAt: seen.lastAt,
      skewSeconds: node.trust.list.skewSeconds + Self.delaySeconds)
    var monitor = try LogMonitor(from: seen.head, follower) { objects[$0] }
    let violations = try monitor.advance(to: head, cosignedAt: seen.cosignedAt) { objects[$0] }
    guard let first = violations.first else {
      seen.lastAt = monitor.follower.lastAt
      return true
    }
    try tx.setMeta(fault, Array("\(first)".utf8))
    node.logger.critical("a log is out of order", metadata: ["log": "\(origin)", "what": "\(first)"])
    return false
  }

  /// The entries that the log has beyond what was followed, from its files. Nothing for what will be refused.
  private func prefetched(_ body: [UInt8]) async throws -> [String: [UInt8]] {
    guard let request = AddCheckpoint(body: body), let origin = witness.origin(of: request) else {
      return [:]
    }
    let known = try await node.store.read { try seen(origin, $0).head }
    guard case .cosign(let head, _) = witness.answer(body, known: { _ in known }) else { return [:] }
    guard head.size - known.size <= Self.entriesMax else {
      throw Problem.busy("Too far ahead", "This witness follows at most \(Self.entriesMax) entries at once.")
    }
    guard let url = policy.url(of: origin) else {
      throw Problem.busy("No address", "The policy has no address for this log.")
    }
    return try await LogSource(transport: node.transport, url: url).objects(from: known.size, to: head.size)
  }
}
