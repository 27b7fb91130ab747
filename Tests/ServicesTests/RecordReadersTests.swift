// Attack 18: the record, read by those whom it does not concern. Bodies go to whoever shows n, in ranges to
// their merchant, their bank and witnesses.

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

/// Who reads.
private enum Reader: UInt8, CaseIterable {
  case archive = 1
  case bank, otherBank, merchant, otherMerchant, witness, stranger, archive2

  var role: Role {
    switch self {
    case .archive, .archive2: .archive
    case .bank, .otherBank: .bank
    case .merchant, .otherMerchant, .stranger: .merchant
    case .witness: .witness
    }
  }

  var identity: Identity {
    var seed = [UInt8](repeating: rawValue, count: 32)
    return Identity(role: role, name: "\(self)", seed: &seed)
  }
}

/// Archives without a network.
private final class ArchiveLink: PeerLink {
  let service: ArchiveService
  /// What was asked last, as somebody on the way has it.
  nonisolated(unsafe) var last: [UInt8] = []

  init(_ service: ArchiveService) { self.service = service }

  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply {
    last = body ?? []
    let reply = try await service.handle(last)
    return TransportReply(status: reply == nil ? 204 : 200, contentType: coseMediaType, body: reply ?? [])
  }
  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int { 404 }
  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply {
    TransportReply(status: 404, contentType: "", body: [])
  }
  func shutdown() async throws {}
}

/// An archive with some sales of two merchants, locked at two banks.
private final class Fair {
  static let now: Timestamp = 1_800_000_000
  let node: Node
  let link: ArchiveLink
  let desk: ArchiveDesk
  let time = TestClock(Fair.now)

  init(_ own: Reader = .archive, change: (inout [TrustEntry]) -> Void = { _ in }) throws {
    var entries = Reader.allCases.filter { $0 != .stranger }.map {
      $0.identity.trustEntry(url: "https://\($0)", from: Self.now - 10, until: Self.now + 100_000)
    }
    change(&entries)
    let list = TrustList(
      at: Self.now - 10, until: Self.now + 100_000, sequence: 1, previous: nil, entries: entries,
      answerSeconds: 2, skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: 1 << 20)
    let directory = try temporaryDirectory()
    node = Node(
      identity: own.identity, directory: directory,
      store: try SQLiteStore(path: directory.file("store.sqlite")),
      trust: try LoadedTrust(Verified(signing: list, with: signingKey(Actor.authority)).bytes),
      transport: idleTransport, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: { [time] in time.now })
    link = ArchiveLink(ArchiveService(node: node, kick: {}))
    desk = ArchiveDesk(node: node)
  }

  /// A commit of one sale; its number makes n and k.
  func sell(_ number: UInt16, by merchant: Reader, lockedAt bank: Reader) async throws {
    let n = TransactionID([UInt8(number >> 8), UInt8(number & 255)] + [UInt8](repeating: 9, count: 14))!
    let (seller, key) = (merchant.identity, Self.key(number))
    let terms = LockTerms(
      n: n, merchant: seller.key, archive: node.identity.key, pseudonym: publicKey(Actor.pseudonym),
      value: euros(125), expiration: Self.now + 600, lifetime: Self.now + 1000, hP1: Hash(of: [1]),
      hx: .keyCommitment(.core, merchant: seller.key, n: n, key: key))
    let p3 = try Verified(signing: P3(terms: terms), with: bank.identity.signing)
    let p4 = try Verified(
      signing: P4(n: n, expiration: terms.expiration, hP1: terms.hP1, lock: p3.hash, key: key),
      with: seller.signing)
    let submission = try desk.read(CoreMode.self, Bundle([p4.bytes, p3.bytes]))
    let reply = try await node.store.write { [desk] in
      try desk.decide(p3, in: $0, request: p4.bytes, desk.submitted(submission)).reply
    }
    #expect(try MessageType(peeking: #require(reply)) == .p5a)
  }

  static func key(_ number: UInt16) -> [UInt8] {
    [UInt8(number >> 8), UInt8(number & 255)] + [UInt8](repeating: 7, count: 30)
  }

  /// The keys of goods in these outcomes.
  static func keys(_ outcomes: [[UInt8]]) throws -> [[UInt8]] {
    try outcomes.map { try Verified<P4>(stored: Verified<P5a>(stored: $0).payload.submission).payload.key }
  }

  /// One page as this reader has it.
  func page(_ reader: Reader, after: UInt64 = 0) async throws -> RecordReader.Page {
    let entry = node.trust.list.entries.first { $0.key == node.identity.key }!
    return try await RecordReader(identity: reader.identity, transport: link)
      .page(of: entry, after: after, nonce: Nonce(randomBytes(16))!)
  }

  /// Which sales this reader sees in all; nil if it is refused.
  func sees(_ reader: Reader) async throws -> [UInt16]? {
    do {
      let keys = try Self.keys(try await page(reader).outcomes)
      return keys.map { UInt16($0[0]) << 8 | UInt16($0[1]) }
    } catch is RefusedByPeer { return nil }
  }
}

@Suite("Attack 18: who reads the record", .timeLimit(.minutes(2)))
struct RecordReadersTests {
  private func fair(change: (inout [TrustEntry]) -> Void = { _ in }) async throws -> Fair {
    let fair = try Fair(change: change)
    try await fair.sell(0, by: .merchant, lockedAt: .bank)
    try await fair.sell(1, by: .merchant, lockedAt: .otherBank)
    try await fair.sell(2, by: .otherMerchant, lockedAt: .bank)
    return fair
  }

  @Test("18: the record is shown to its merchants and banks, to witnesses, and to nobody else")
  func readers() async throws {
    let fair = try await fair()
    #expect(try await fair.sees(.merchant) == [0, 1])
    #expect(try await fair.sees(.otherMerchant) == [2])
    #expect(try await fair.sees(.bank) == [0, 2])
    #expect(try await fair.sees(.otherBank) == [1])
    #expect(try await fair.sees(.witness) == [0, 1, 2])
    for reader in [Reader.stranger, .archive, .archive2] {
      #expect(try await fair.sees(reader) == nil, "\(reader)")
    }
    // The fix left out: whoever asks has it all, with the keys to others' goods.
    let rows = try await fair.node.store.read { try $0.records(after: 0, limit: 100) }
    #expect(try Fair.keys(rows.map(\.body)) == [0, 1, 2].map(Fair.key), "without it everybody had these")
    #expect(!fair.link.service.routes.contains { $0.path == "/v1/records" || $0.path == "/v1/records/first" })
  }

  @Test("18: a question that somebody sends again, or changes, gains him nothing")
  func replayed() async throws {
    let fair = try await fair()
    _ = try await fair.page(.merchant)
    let question = fair.link.last
    let reply = try #require(try await fair.link.service.handle(question))
    let sealed = try SealedMessage(encoded: reply)
    for reader in Reader.allCases where reader != .merchant {
      #expect(throws: MessageError.self) { try reader.identity.sealing.open(sealed.box) }
    }
    let plain = try Reader.merchant.identity.sealing.open(sealed.box)
    let answer = try Verified<StatusAnswer>(plain, by: .key(fair.node.identity.key)).payload
    #expect(try Fair.keys(answer.proof) == [0, 1].map(Fair.key), "not sealed, they would be whoever's asks")
    // A question to one archive is none to another, not even to one that could read it on.
    let other = try Fair(.archive2)
    let refusal = try #require(try await other.link.service.handle(question))
    #expect(try Verified<Refusal>(stored: refusal).payload.reason == .mismatch)
    var changed = question
    changed[changed.count - 1] ^= 1
    let damaged = try #require(try await fair.link.service.handle(changed))
    #expect(try MessageType(peeking: damaged) == .refusal)
    // Another question in the same form is not one for the record.
    var wider = StatusQuery(record: fair.node.identity.key, after: 0, nonce: Nonce(randomBytes(16))!)
    wider.merchant = Reader.otherMerchant.identity.key
    let asked = try Verified(signing: wider, with: Reader.merchant.identity.signing).bytes
    let answered = try #require(try await fair.link.service.handle(asked))
    #expect(try Verified<Refusal>(stored: answered).payload.reason == .mismatch)
  }

  @Test("18: keys that are revoked, over, or have no key to seal to are shown nothing")
  func windows() async throws {
    func sees(_ change: (inout TrustEntry) -> Void) async throws -> [UInt16]? {
      let fair = try await fair { entries in
        for index in entries.indices where entries[index].name == "merchant" { change(&entries[index]) }
      }
      fair.time.now = Fair.now + 50
      return try await fair.sees(.merchant)
    }
    #expect(try await sees { _ in } == [0, 1])
    #expect(try await sees { $0.revokedAt = Fair.now + 50 } == nil)
    #expect(try await sees { $0.until = Fair.now + 50 } == nil)
    #expect(try await sees { $0.sealingKey = nil } == nil)
  }

  @Test("pages go on behind what is others', what is gone, and what is not final")
  func pages() async throws {
    let fair = try Fair()
    for number in 0..<150 as Range<UInt16> {
      try await fair.sell(number, by: number < 10 ? .otherMerchant : .merchant, lockedAt: .bank)
    }
    var (seen, after, pages) = ([[UInt8]](), UInt64(0), 0)
    while case let page = try await fair.page(.merchant, after: after), page.next > after {
      seen += try Fair.keys(page.outcomes)
      (after, pages) = (page.next, pages + 1)
    }
    #expect(seen == (10..<150).map { Fair.key($0) } && after == 150 && pages == 3)
    fair.time.now = Fair.now + 1001
    try await fair.desk.prune(keepSeconds: 0)
    let behind = try await fair.page(.merchant)
    #expect(try Fair.keys(behind.outcomes).first == Fair.key(100) && behind.next == 150)
    var waiting = fair.desk
    waiting.waits = true
    let question = try Verified(
      signing: StatusQuery(record: fair.node.identity.key, after: 100, nonce: Nonce(randomBytes(16))!),
      with: Reader.witness.identity.signing)
    let box = try SealedMessage(encoded: try await waiting.readRecord(question)).box
    let answer = try Verified<StatusAnswer>(
      Reader.witness.identity.sealing.open(box), by: .key(fair.node.identity.key)
    ).payload
    #expect(answer.proof.isEmpty && answer.next == 100)
  }
}
