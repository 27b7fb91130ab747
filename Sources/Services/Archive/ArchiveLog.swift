// The archive's record as a transparency log (docs/adr/0009): leaves get their places in the durable step
// that publishes, as rows of the store; what is here turns rows into tiles, and serves those as files.
//
// Invariants: a row is written in the transaction of its record or not at all; tiles follow rows, in their
// order; where the tiles have what the rows have not, or something else, the archive does not start. Where
// the trust list demands proofs of this archive, nobody is shown an outcome before a quorum has cosigned a
// head that has it (ArchiveFinality.swift); and where a witness has seen more of this log than is here,
// nothing more is decided.

import Foundation
import Messages
import Parties
import Storage
import TransparencyLog

/// Leaves as the store has them: in the message log, which keeps an order and adds nothing twice.
enum LogRows {
  static let kind = "log"
  static let label = "Leaf"
  /// That there is a log: from then on a missing head is a lost one.
  static let begun = "log begun"
  private static let place = "log place"
  /// Where an outcome's entry is: "leaf/H(outcome)".
  static func leaf(_ body: Hash) -> String { "leaf/\(body)" }

  /// Appends a leaf, in the step of what it stands for.
  static func append(_ leaf: LogLeaf, in tx: any StoreTransaction) throws {
    try tx.append(kind: kind, key: leaf.hash.bytes, label: label, bytes: leaf.encoded)
  }

  /// How far the rows are in the log: the last one's number, and the log's size with it.
  static func place(_ tx: any StoreTransaction) throws -> (row: Int64, size: UInt64) {
    guard let bytes = try tx.meta(place), bytes.count == 16 else { return (0, 0) }
    return (Int64(RowKey.value(Array(bytes[..<8]))), RowKey.value(Array(bytes[8...])))
  }

  static func setPlace(_ place: (row: Int64, size: UInt64), in tx: any StoreTransaction) throws {
    try tx.setMeta(Self.place, RowKey.number(UInt64(place.row)) + RowKey.number(place.size))
  }

  /// Rows that became entries, the first of them at `index`.
  static func placed(_ rows: [StoredMessage], at index: UInt64, in tx: any StoreTransaction) throws {
    for (offset, row) in rows.enumerated() {
      let body = try LogLeaf(encoded: row.bytes).body
      try tx.setMeta(leaf(body), RowKey.number(index + UInt64(offset)))
    }
  }

  /// Gives all records that there are a row each: a log that begins late has them, too. Bodies that are gone
  /// have no hash any more, and nobody can ask for their proofs.
  static func backfill(_ tx: any StoreTransaction) throws {
    var after: Int64 = 0
    while case let rows = try tx.records(after: after, limit: 1000), let last = rows.last {
      for row in rows where !row.body.isEmpty {
        guard let merchant = PublicKey(row.merchant), let n = TransactionID(row.n), let lock = Hash(row.lock)
        else { throw StorageError.corrupt(reason: "a record without its names") }
        try append(
          LogLeaf(
            kind: row.kind == .commit ? .commit : .abort, at: Timestamp(row.at),
            subject: LogLeaf.transaction(merchant, n), lock: lock, body: Hash(of: row.body)), in: tx)
      }
      after = last.sequence
    }
  }

  static func after(_ row: Int64, limit: Int, _ tx: any StoreTransaction) throws -> [StoredMessage] {
    try tx.messages(kind: kind, label: label, after: row, limit: limit)
  }
}

/// The sequencer of a running archive.
actor ArchiveLog {
  let node: Node
  let key: NoteKey
  /// The policy, if it is one for this log: then outcomes wait for a quorum.
  let policy: LogPolicy?
  private(set) var writer: LogWriter<LogDirectory>
  private var place: (row: Int64, size: UInt64)
  /// What a quorum has cosigned last.
  var final = FinalHead()
  /// Below which size all copies have been queued, since the start.
  var released: UInt64 = 0
  /// Whether witnesses were asked since the start: they know whether this storage is an old copy.
  var isKnown = false
  /// How far witnesses are, as they said.
  var witnessed: [String: UInt64] = [:]
  /// Why nothing is decided any more.
  var fault: LogFault?
  private var isRunning = false
  private var isWanted = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Opens the log of an archive; nil if there is none and none is to begin.
  /// - Throws: ``LogFault`` where storage, head and rows disagree.
  static func open(_ node: Node, begins: Bool) async throws -> ArchiveLog? {
    let (begun, place) = try await node.store.read { tx in
      (try tx.meta(LogRows.begun) != nil, try LogRows.place(tx))
    }
    let isDemanded = node.proofs.finality.demandsProof(of: node.identity.key)
    guard begun || begins else {
      guard !isDemanded else {
        throw ServiceError.configuration(
          "the trust list demands this archive's log: begin it with `acd archive serve --log`")
      }
      return nil
    }
    let log = try ArchiveLog(node, isNew: !begun, place, isDemanded: isDemanded)
    try await log.begin(isNew: !begun)
    return log
  }

  private init(
    _ node: Node, isNew: Bool, _ place: (row: Int64, size: UInt64), isDemanded: Bool
  ) throws {
    (self.node, self.place) = (node, place)
    policy = isDemanded ? node.proofs.finality.logPolicy : nil
    let own = node.identity.key
    let named = try policy?.logs().first { $0.publicKey == own }
    let key = try named ?? NoteKey(name: Self.origin(node), kind: .log, publicKey: own)
    self.key = key
    writer = try LogWriter(
      opening: LogDirectory(node.directory.file("log")), key: key, isNew: isNew,
      sign: { head in try head.checkpoint(key.name).signed(as: key, with: node.identity.signing) })
  }

  /// The archive's address without its scheme: what C2SP suggests as an origin.
  static func origin(_ node: Node) throws -> String {
    guard let url = node.url(of: node.identity.key), let range = url.range(of: "://") else {
      throw ServiceError.configuration(
        "the trust list has no address for this archive, so its log has no name")
    }
    return url[range.upperBound...] + LogNames.logPath
  }

  /// Compares rows and tiles, publishes what was not, and goes on.
  private func begin(isNew: Bool) async throws {
    guard writer.size >= place.size else {
      throw LogFault.behind(size: writer.size, seen: place.size)
    }
    // The tiles were durable, and the place was not yet.
    while place.size < writer.size {
      let (row, missing) = (place.row, writer.size - place.size)
      let rows = try await node.store.read { tx in
        try LogRows.after(row, limit: Int(min(missing, UInt64(LogSequencer.batchMax))), tx)
      }
      guard let last = rows.last else { throw LogFault.behind(size: place.size, seen: writer.size) }
      for (offset, row) in rows.enumerated() {
        let index = place.size + UInt64(offset)
        guard try writer.tree.entry(index) == row.bytes else { throw LogFault.forked(size: index + 1) }
      }
      try await move(to: (last.sequence, place.size + UInt64(rows.count)), rows)
    }
    final = try await node.store.read { try FinalHead.stored($0) } ?? FinalHead()
    if writer.size > final.size || policy == nil { try writer.publishAgain() }
    try await node.store.write { tx in
      if isNew { try LogRows.backfill(tx) }
      try tx.setMeta(LogRows.begun, [1])
    }
    await follow()
    if let fault { throw fault }
  }

  private func move(to next: (row: Int64, size: UInt64), _ rows: [StoredMessage]) async throws {
    let from = place.size
    try await node.store.write { tx in
      try LogRows.placed(rows, at: from, in: tx)
      try LogRows.setPlace(next, in: tx)
    }
    place = next
  }

  /// Signs and publishes a head that others have cosigned.
  func publish(_ note: [UInt8]) throws { try writer.storage.publish(note) }

  /// Turns all rows that wait into tiles, and has them cosigned. Whoever calls while this works makes it look
  /// once more, and returns with it.
  func follow() async {
    isWanted = true
    guard !isRunning else { return await withCheckedContinuation { waiting.append($0) } }
    isRunning = true
    do {
      while isWanted && fault == nil {
        isWanted = false
        while try await grow() {}
        try await finalise()
      }
    } catch {
      fault = fault ?? error as? LogFault
      node.logger.critical("the log has stopped", metadata: ["error": "\(error)"])
    }
    isRunning = false
    for waiter in waiting { waiter.resume() }
    waiting = []
  }

  /// The next rows become entries; false if there are none.
  private func grow() async throws -> Bool {
    let row = place.row
    let rows = try await node.store.read { try LogRows.after(row, limit: LogSequencer.batchMax, $0) }
    guard let last = rows.last else { return false }
    try writer.append(rows.map(\.bytes))
    try await move(to: (last.sequence, writer.size), rows)
    return true
  }

  // MARK: Serving

  /// Deepest name below /log: tile/entries/x001/x000/000.p/1.
  private static let depthMax = 6

  nonisolated var documents: [Route] {
    let root = node.directory.file("log")
    let tiles = (2...Self.depthMax).map { depth in
      let names = (0..<depth).map { "part\($0)" }
      return Route(method: "GET", path: "/log/tile/" + names.map { ":" + $0 }.joined(separator: "/")) {
        call in
        try Self.tile(root, names.map { call.parameters[$0] ?? "" }, call)
      }
    }
    return tiles + certificates + [
      Route(method: "GET", path: "/v1/proofs/:outcome") { call in try await self.proof(call) },
      Route(method: "GET", path: "/log/checkpoint") { call in
        try Self.file(root + "/checkpoint", "text/plain; charset=utf-8", "no-cache", call)
      },
    ]
  }

  private static func tile(_ root: String, _ parts: [String], _ call: HTTPCall) throws -> HTTPReply {
    let isName = parts.allSatisfy { part in
      part == "entries"
        || !part.isEmpty && part.utf8.allSatisfy { (48...57).contains($0) || "x.p".utf8.contains($0) }
          && !part.hasPrefix(".")
    }
    guard isName else { throw Problem.notFound("no tile has this name") }
    return try file(
      root + "/tile/" + parts.joined(separator: "/"), "application/octet-stream",
      "public, max-age=31536000, immutable", call)
  }

  private static func file(
    _ path: String, _ type: String, _ caching: String, _ call: HTTPCall
  ) throws -> HTTPReply {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
      throw Problem.notFound("the log has no such tile")
    }
    var reply = try HTTPReply.file(path: path, contentType: type, call: call)
    reply.headers.append(("cache-control", caching))
    return reply
  }
}
