// A witness of logs over its store and routes, with a log whose files it reads over a transport in memory:
// what it cosigns with either key, and what it never does (attacks 5 and 18).

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing
import TransparencyLog

@testable import Services

/// Serves files below a folder, as the archive's routes do.
private struct FolderLink: PeerLink {
  let url: String
  let folder: String

  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply {
    guard method == "GET", url.hasPrefix(self.url + "/"),
      let data = FileManager.default.contents(atPath: folder + url.dropFirst(self.url.count))
    else { return TransportReply(status: 404, contentType: "text/plain", body: []) }
    return TransportReply(status: 200, contentType: "application/octet-stream", body: Array(data))
  }
  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int { 404 }
  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply {
    TransportReply(status: 404, contentType: "text/plain", body: [])
  }
  func shutdown() async throws {}
}

/// A log that grows as a test says, honest or not.
private final class TestLog {
  let folder: String
  let key: NoteKey
  private var writer: LogWriter<LogDirectory>
  private(set) var at: Timestamp

  init(_ key: NoteKey, at: Timestamp) throws {
    folder = try temporaryDirectory().path + "/log"
    (self.key, self.at) = (key, at)
    writer = try LogWriter(
      opening: LogDirectory(folder), key: key, isNew: true,
      sign: { head in try head.checkpoint(key.name).signed(as: key, with: signingKey(Actor.archive)) })
  }

  var head: LogHead { writer.head }

  func outcome(_ number: UInt8, _ kind: LogLeaf.Kind = .commit, subject: UInt8? = nil, at: Timestamp? = nil)
    -> LogLeaf
  {
    LogLeaf(
      kind: kind, at: at ?? self.at, subject: Hash(of: [1, subject ?? number]), lock: Hash(of: [2, number]),
      body: Hash(of: [3, number, kind.rawValue]))
  }

  func append(_ leaves: LogLeaf...) throws { try writer.append(leaves.map(\.encoded)) }
  func append(_ leaves: [LogLeaf]) throws { try writer.append(leaves.map(\.encoded)) }

  /// The body of add-checkpoint, for a witness at `old`.
  func request(old: UInt64) throws -> [UInt8] {
    let note = try head.checkpoint(key.name).signed(as: key, with: signingKey(Actor.archive))
    return AddCheckpoint(old: old, path: try writer.tree.consistency(with: old), note: note).body
  }
}

@Suite("Cosigning logs")
struct LogCosigningTests {
  private static let url = "https://archive.example/log"
  private let time: Timestamp = 1_767_225_600
  private let key: NoteKey
  private let store: SQLiteStore

  init() throws {
    key = try NoteKey(name: "archive.example/log", kind: .log, publicKey: publicKey(Actor.archive))
    store = try SQLiteStore(path: temporaryDirectory().file("store.sqlite"))
  }

  private static var identity: Identity {
    var seed = [UInt8](repeating: 99, count: 32)
    return Identity(role: .witness, name: "own", seed: &seed)
  }

  private func cosigner(_ log: TestLog, follows: Bool, at now: Timestamp? = nil) throws -> LogCosigner {
    let identity = Self.identity
    let (own, second) = (identity.key, identity.following.publicKey)
    let witness = try NoteKey(name: "w.example", kind: .cosigner, publicKey: own)
    let follower = try NoteKey(name: "w.example/follow", kind: .cosigner, publicKey: second)
    let policy = """
      log \(key.vkey) \(Self.url)
      witness w \(witness.vkey)
      witness f \(follower.vkey)
      group both all w f
      quorum both

      """
    let list = TrustList(
      at: 1, until: time * 2, sequence: 0, previous: nil,
      entries: [identity.trustEntry(url: nil, from: 1, until: time * 2)], answerSeconds: 1, skewSeconds: 60,
      lifetimeSeconds: 10, goodsLengthMax: 1 << 30, policy: policy)
    let clock = now ?? time
    let node = Node(
      identity: identity, directory: try temporaryDirectory(), store: store,
      trust: try LoadedTrust(try Verified(signing: list, with: signingKey(Actor.authority)).bytes),
      transport: FolderLink(url: Self.url, folder: log.folder),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: { clock })
    return try #require(LogCosigner(node, follows: follows))
  }

  private func ask(_ cosigner: LogCosigner, _ body: [UInt8]) async throws -> HTTPReply {
    let route = try #require(cosigner.routes.first { $0.method == "POST" })
    return try await route.handler(HTTPCall(parameters: [:], query: [:], range: nil, body: body))
  }

  private func status(
    _ log: TestLog, old: UInt64, follows: Bool, at now: Timestamp? = nil
  ) async throws -> Int {
    try await ask(cosigner(log, follows: follows, at: now), log.request(old: old)).status
  }

  @Test("what extends the last head is cosigned, with the time, and the same head again")
  func honest() async throws {
    let log = try TestLog(key, at: time)
    try log.append((0..<250).map { log.outcome($0) })
    for follows in [false, true] {
      let cosigner = try cosigner(log, follows: follows)
      let request = try log.request(old: 0)
      let reply = try await ask(cosigner, request)
      #expect(reply.status == 200)
      guard case .bytes(let line) = reply.body else {
        Issue.record("a cosignature in a file")
        return
      }
      let note = try #require(AddCheckpoint(body: request)).note
      #expect(try cosigner.key.verified(note + line).time == time)
      #expect(try await status(log, old: 250, follows: follows) == 200, "the same head")
      #expect(try await status(log, old: 0, follows: follows) == 409)
    }
    try log.append((250...255).map { log.outcome($0) })
    try log.append(LogLeaf(kind: .announcement, at: time, subject: Hash(of: [9]), body: Hash(of: [9])))
    #expect(try await status(log, old: 250, follows: true) == 200)
    #expect(try await status(log, old: 250, follows: false) == 200)
  }

  @Test("18: a second history is cosigned by neither key")
  func forked() async throws {
    let (log, other) = (try TestLog(key, at: time), try TestLog(key, at: time))
    try log.append(log.outcome(1), log.outcome(2))
    try other.append(other.outcome(1), other.outcome(3), other.outcome(4))
    for follows in [false, true] {
      #expect(try await status(log, old: 0, follows: follows) == 200)
      #expect(try await status(other, old: 2, follows: follows) == 422)
      #expect(try await status(log, old: 2, follows: follows) == 200)
    }
  }

  @Test("a commit beside an abort, or two commits, are seen by the key that follows, for ever")
  func secondOutcome() async throws {
    for (number, second) in [(1, LogLeaf.Kind.abort), (2, .commit)] as [(UInt8, LogLeaf.Kind)] {
      let log = try TestLog(
        NoteKey(name: "archive.example/log", kind: .log, publicKey: publicKey(Actor.archive)), at: time)
      let fresh = try LogCosigningTests()
      try log.append(log.outcome(number))
      #expect(try await fresh.status(log, old: 0, follows: true) == 200)
      // Another lock of the same transaction, or another outcome of the same lock.
      try log.append(log.outcome(second == .abort ? number : 9, second, subject: number))
      #expect(try await fresh.status(log, old: 1, follows: true) == 422)
      #expect(try await fresh.status(log, old: 0, follows: false) == 200, "the first key reads no entries")
      try log.append(log.outcome(77))
      #expect(try await fresh.status(log, old: 1, follows: true) == 422)
    }
  }

  @Test("5: an entry that is dated before the last cosignature is not cosigned by the key that follows")
  func backDated() async throws {
    let log = try TestLog(key, at: time - 1000)
    try log.append(log.outcome(1))
    #expect(try await status(log, old: 0, follows: true) == 200)
    try log.append(log.outcome(2, at: time - 90))
    #expect(try await status(log, old: 1, follows: true, at: time + 1) == 200, "so much it may be")
    try log.append(log.outcome(3, at: time - 90))
    #expect(try await status(log, old: 2, follows: true, at: time + 2) == 422)
  }

  @Test("entries that are not the signed ones, or not served, are cosigned by nobody who reads them")
  func otherEntries() async throws {
    let (log, other) = (try TestLog(key, at: time), try TestLog(key, at: time))
    try log.append(log.outcome(1))
    try other.append(other.outcome(2))
    let body = try log.request(old: 0)
    // The witness is shown the files of another log.
    await #expect(throws: (any Error).self) { try await ask(cosigner(other, follows: true), body) }
    #expect(try await status(log, old: 0, follows: true) == 200)
  }

  @Test("a clock that went back cosigns nothing")
  func clockBack() async throws {
    let log = try TestLog(key, at: time)
    try log.append(log.outcome(1))
    #expect(try await status(log, old: 0, follows: false) == 200)
    await #expect(throws: Problem.self) {
      try await status(log, old: 1, follows: false, at: time - 1)
    }
  }

  @Test("what it cosigned last is there for a log that lost its store")
  func last() async throws {
    let log = try TestLog(key, at: time)
    try log.append(log.outcome(1))
    #expect(try await status(log, old: 0, follows: false) == 200)
    let cosigner = try cosigner(log, follows: false)
    let route = try #require(cosigner.routes.first { $0.method == "GET" })
    let name = Hash(of: Array(key.name.utf8)).description
    let reply = try await route.handler(
      HTTPCall(parameters: ["log": name], query: [:], range: nil, body: []))
    guard case .bytes(let note) = reply.body else {
      Issue.record("a checkpoint in a file")
      return
    }
    #expect(try Checkpoint(text: key.verified(note).text).size == 1)
  }
}
