// The archive's record as a transparency log (docs/adr/0009): leaves get their places in the durable step
// that publishes, as rows of the store; what is here turns rows into tiles, and serves those as files.
//
// Invariants: a row is written in the transaction of its record or not at all; tiles follow rows, in their
// order; where the tiles have what the rows have not, or something else, the archive does not start.

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

  static func after(_ row: Int64, limit: Int, _ tx: any StoreTransaction) throws -> [StoredMessage] {
    try tx.messages(kind: kind, label: label, after: row, limit: limit)
  }
}

/// The sequencer of a running archive.
actor ArchiveLog {
  private let node: Node
  private let folder: String
  private var writer: LogWriter<LogDirectory>
  private var place: (row: Int64, size: UInt64)
  private var isRunning = false
  private var isWanted = false

  /// Opens the log of an archive; nil if there is none and none is to begin.
  /// - Throws: ``LogFault`` where storage, head and rows disagree.
  static func open(_ node: Node, begins: Bool) async throws -> ArchiveLog? {
    let (begun, place) = try await node.store.read { tx in
      (try tx.meta(LogRows.begun) != nil, try LogRows.place(tx))
    }
    guard begun || begins else { return nil }
    let log = try ArchiveLog(node, isNew: !begun, place)
    try await log.begin()
    return log
  }

  private init(_ node: Node, isNew: Bool, _ place: (row: Int64, size: UInt64)) throws {
    (self.node, self.place, folder) = (node, place, node.directory.file("log"))
    let origin = try Self.origin(node)
    let key = try NoteKey(name: origin, kind: .log, publicKey: node.identity.key)
    writer = try LogWriter(opening: LogDirectory(folder), key: key, isNew: isNew) { head in
      try head.checkpoint(origin).signed(as: key, with: node.identity.signing)
    }
  }

  /// The archive's address without its scheme: what C2SP suggests as an origin.
  static func origin(_ node: Node) throws -> String {
    guard let url = node.url(of: node.identity.key), let range = url.range(of: "://") else {
      throw ServiceError.configuration(
        "the trust list has no address for this archive, so its log has no name")
    }
    return url[range.upperBound...] + "/log"
  }

  /// Compares rows and tiles, publishes what was not, and goes on.
  private func begin() async throws {
    guard writer.head.size >= place.size else {
      throw LogFault.behind(size: writer.head.size, seen: place.size)
    }
    // The tiles were durable, and the place was not yet.
    while place.size < writer.head.size {
      let (row, missing) = (place.row, writer.head.size - place.size)
      let rows = try await node.store.read { tx in
        try LogRows.after(row, limit: Int(min(missing, UInt64(LogSequencer.batchMax))), tx)
      }
      guard let last = rows.last else { throw LogFault.behind(size: place.size, seen: writer.head.size) }
      for (offset, row) in rows.enumerated() {
        let index = place.size + UInt64(offset)
        guard try writer.tree.entry(index) == row.bytes else { throw LogFault.forked(size: index + 1) }
      }
      try await move(to: (last.sequence, place.size + UInt64(rows.count)))
    }
    try writer.publishAgain()
    try await node.store.write { try $0.setMeta(LogRows.begun, [1]) }
    await follow()
  }

  private func move(to next: (row: Int64, size: UInt64)) async throws {
    try await node.store.write { try LogRows.setPlace(next, in: $0) }
    place = next
  }

  /// Turns all rows that wait into tiles. Whoever calls while this works, makes it look once more.
  func follow() async {
    isWanted = true
    guard !isRunning else { return }
    isRunning = true
    defer { isRunning = false }
    do {
      while isWanted {
        isWanted = false
        let row = place.row
        let rows = try await node.store.read { try LogRows.after(row, limit: LogSequencer.batchMax, $0) }
        guard let last = rows.last else { continue }
        try writer.append(rows.map(\.bytes))
        try await move(to: (last.sequence, writer.head.size))
        isWanted = true
      }
    } catch {
      node.logger.critical("the log has stopped", metadata: ["error": "\(error)"])
    }
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
    return tiles + [
      Route(method: "GET", path: "/log/checkpoint") { call in
        try Self.file(root + "/checkpoint", "text/plain; charset=utf-8", "no-cache", call)
      }
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
