// Goods that a merchant leaves with the archive (forced commits): who may, what is taken, what becomes of it.

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

/// An archive with a clock of its own, and one sale by early commitment.
final class Archive {
  static let now: Timestamp = 1_800_000_000
  static let expiration = now + 600
  static let lifetime = now + 86_400
  static let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!
  static let k = [UInt8](repeating: 0x6b, count: 32)
  static let hP1 = Hash(of: [1])

  let node: Node
  let held: HeldGoods
  let sealed: [UInt8]
  let claim: GoodsClaim
  let time = TestClock(Archive.now)

  init(goodsLengthMax: UInt64 = 1 << 30) throws {
    var stream = try GoodsStream(sealing: Self.k, n: Self.n, salt: randomBytes(Goods.saltSize))
    let body = try [UInt8](repeating: 7, count: 100_000).withUnsafeBytes { try stream.update($0) }
    let (tail, root, length) = try stream.finish()
    (sealed, claim) = (body + tail, GoodsClaim(root: root, length: length))
    let directory = try temporaryDirectory()
    var seed = [UInt8](repeating: Actor.archive, count: 32)
    let identity = Identity(role: .archive, name: "archive", seed: &seed)
    func entry(_ role: Role, _ key: PublicKey) -> TrustEntry {
      TrustEntry(role: role, name: role.name, key: key, from: Self.now - 10, until: Self.lifetime + 10)
    }
    let list = TrustList(
      at: Self.now - 10, until: Self.lifetime, sequence: 1, previous: nil,
      entries: [
        entry(.bank, publicKey(Actor.bank)), entry(.archive, identity.key),
        entry(.merchant, publicKey(Actor.merchant)),
        entry(.kiosk, publicKey(201)), entry(.kiosk, publicKey(202)),
      ], answerSeconds: 2, skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: goodsLengthMax)
    let trust = try LoadedTrust(Verified(signing: list, with: signingKey(Actor.authority)).bytes)
    node = Node(
      identity: identity, directory: directory,
      store: try SQLiteStore(path: directory.file("store.sqlite")), trust: trust, transport: idleTransport,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: { [time] in time.now })
    held = HeldGoods(node: node)
  }

  func e3(_ change: (inout LockTerms) -> Void = { _ in }) throws -> Verified<E3> {
    var terms = LockTerms(
      n: Self.n, merchant: publicKey(Actor.merchant), archive: node.identity.key,
      pseudonym: publicKey(Actor.pseudonym), value: euros(125), expiration: Self.expiration,
      lifetime: Self.lifetime, hP1: Self.hP1,
      hx: .keyCommitment(.early, merchant: publicKey(Actor.merchant), n: Self.n, key: Self.k))
    change(&terms)
    return try Verified(signing: E3(terms: terms), with: signingKey(Actor.bank))
  }

  func e4(by signer: UInt8 = Actor.merchant, _ change: (inout E4) -> Void = { _ in }) throws -> Verified<E4> {
    var payload = E4(n: Self.n, hP1: Self.hP1, root: claim.root, length: claim.length)
    change(&payload)
    return try Verified(signing: payload, with: signingKey(signer))
  }

  func query(_ signer: UInt8) throws -> String {
    Hex.encode(
      try Verified(
        signing: StatusQuery(
          n: Self.n, merchant: publicKey(Actor.merchant), nonce: Nonce(randomBytes(16))!),
        with: signingKey(signer)
      ).bytes)
  }

  /// Some of the ciphertext, as the merchant leaves it.
  func put(
    _ bytes: some Collection<UInt8>, from offset: Int, e3: Verified<E3>? = nil, e4: Verified<E4>? = nil,
    by signer: UInt8 = Actor.merchant
  ) async throws -> Int {
    let (e3, e4) = (try e3 ?? self.e3(), try e4 ?? self.e4())
    let blocks = stride(from: 0, to: bytes.count, by: 30_000).map {
      Array(Array(bytes)[$0..<min($0 + 30_000, bytes.count)])
    }
    return try await ask(
      "PUT", "/v1/held/:lock/:goods", ["lock": e3.hash.description, "goods": e4.hash.description],
      [
        "from": "\(offset)", "by": query(signer), "with": Hex.encode(Bundle([e4.bytes, e3.bytes]).encoded()),
      ]
    ) { take in for block in blocks { try block.withUnsafeBytes(take) } }
  }

  func progress() async throws -> String {
    let call = HTTPCall(
      parameters: ["lock": try e3().hash.description, "goods": try e4().hash.description], query: [:],
      range: nil, body: [])
    let reply = try await route("GET", "/v1/held/:lock/:goods").handler(call)
    guard case .bytes(let bytes) = reply.body else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The status for whoever asks for the goods.
  func get(_ signer: UInt8) async throws -> Int {
    try await ask("GET", "/v1/goods/:n", ["n": Self.n.description], ["by": query(signer)]) { _ in }
  }

  func isWhole() async throws -> Bool {
    let (lock, goods) = (try e3().hash, try e4().hash)
    return try await node.store.read { try HeldGoods.isWhole(lock, goods, in: $0) }
  }

  /// The forced commit, as the archive's desk decides it.
  func commit() async throws -> MessageType {
    let (e3, e4, desk) = (try e3(), try e4(), ArchiveDesk(node: node))
    let e6 = try Verified(
      signing: E6(
        n: Self.n, expiration: Self.expiration, hP1: Self.hP1, lock: e3.hash, key: Self.k, hE4: e4.hash,
        delivery: .forced), with: signingKey(Actor.merchant))
    let submission = try desk.read(EarlyMode.self, Bundle([e6.bytes, e3.bytes, e4.bytes]))
    let reply = try await node.store.write {
      try desk.decide(e3, in: $0, request: e6.bytes, desk.submitted(submission)).reply
    }
    return try MessageType(peeking: #require(reply))
  }

  private func route(_ method: String, _ path: String) throws -> Route {
    try #require(held.documents.first { $0.method == method && $0.path == path })
  }

  private func ask(
    _ method: String, _ path: String, _ parameters: [String: String], _ query: [String: String],
    _ blocks: @escaping @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) async throws -> Int {
    let call = HTTPCall(parameters: parameters, query: query, range: nil, body: [], eachBlock: blocks)
    do { return try await route(method, path).handler(call).status } catch let problem as Problem {
      return problem.status
    }
  }
}

/// A clock that a test sets.
final class TestClock: @unchecked Sendable {  // set between calls, by the test alone
  var now: Timestamp
  init(_ now: Timestamp) { self.now = now }
}

@Suite("Goods held by an archive", .timeLimit(.minutes(2)))
struct HeldGoodsTests {
  @Test("goods arrive in pieces, count when they are whole, and go to P once the lock is committed")
  func inPieces() async throws {
    let archive = try Archive()
    let sealed = archive.sealed
    #expect(try await archive.put(sealed[..<40_000], from: 0) == 409)
    #expect(try await archive.progress() == "40000\n")
    #expect(try await archive.commit() == .refusal, "not all is here")
    #expect(try await archive.put(sealed[..<1], from: 0) == 409, "another offset")
    #expect(try await archive.put(sealed[40_000...], from: 40_000) == 200)
    #expect(try await archive.isWhole())
    #expect(try await archive.get(Actor.pseudonym) == 404, "not committed")
    #expect(try await archive.commit() == .e7a)
    #expect(try await archive.get(Actor.pseudonym) == 200)
    for other in [Actor.merchant, Actor.account] { #expect(try await archive.get(other) == 404) }
  }

  @Test("what is not what E4 names is refused and removed, and can come again")
  func otherGoods() async throws {
    let archive = try Archive()
    var bad = archive.sealed
    bad[70_000] ^= 1
    #expect(try await archive.put(bad, from: 0) == 409)
    #expect(try await archive.progress() == "0\n")
    #expect(try await archive.commit() == .refusal)
    #expect(try await archive.put(archive.sealed + [0], from: 0) == 409, "too long")
    #expect(try await archive.put(archive.sealed, from: 0) == 200)
    #expect(try await archive.commit() == .e7a)
  }

  @Test("what is no ciphertext at all is refused and removed, and the goods can come after it")
  func junk() async throws {
    let archive = try Archive()
    #expect(try await archive.put([UInt8](repeating: 0xff, count: archive.sealed.count), from: 0) == 409)
    #expect(try await archive.progress() == "0\n")
    #expect(try await archive.put(archive.sealed, from: 0) == 200)
    #expect(try await archive.commit() == .e7a)
  }

  @Test("a store that fails is told as what it is, on every route")
  func storageProblems() {
    #expect(Problem(of: StorageError.diskFull).status == 507)
    #expect(Problem(of: StorageError.overloaded).status == 503)
    #expect(Problem(of: Problem.notFound("x")).status == 404)
    #expect(Problem(of: CancellationError()).status == 500)
  }

  @Test("what is whole is not touched again")
  func noSecondThoughts() async throws {
    let archive = try Archive()
    #expect(try await archive.put(archive.sealed, from: 0) == 200)
    #expect(try await archive.put([1, 2, 3], from: archive.sealed.count) == 200)
    #expect(try await archive.put(archive.sealed, from: 0) == 200)
    #expect(try await archive.progress() == "\(archive.sealed.count)\n")
    #expect(try await archive.isWhole())
  }

  @Test("only the lock's trusted merchant, in time, under a lock that names this archive")
  func strangers() async throws {
    let archive = try Archive()
    let sealed = archive.sealed
    #expect(try await archive.put(sealed, from: 0, by: Actor.pseudonym) == 400, "C has E4 and E3 too")
    #expect(try await archive.put(sealed, from: 0, e4: archive.e4(by: Actor.account)) == 400)
    #expect(try await archive.put(sealed, from: 0, e4: archive.e4 { $0.hP1 = Hash(of: [2]) }) == 400)
    let elsewhere = try archive.e3 { $0.archive = publicKey(Actor.account) }
    #expect(try await archive.put(sealed, from: 0, e3: elsewhere) == 400)
    let foreign = try Verified(signing: archive.e3().payload, with: signingKey(Actor.account))
    #expect(try await archive.put(sealed, from: 0, e3: foreign) == 400, "no bank made it")
    archive.time.now = Archive.expiration
    #expect(try await archive.put(sealed, from: 0) == 409)
    let small = try Archive(goodsLengthMax: 1000)
    #expect(try await small.put(small.sealed, from: 0) == 413)
  }

  @Test("without a commit the goods go at the expiration, with one when the lifetime ends")
  func sweeping() async throws {
    let archive = try Archive()
    #expect(try await archive.put(archive.sealed, from: 0) == 200)
    archive.time.now = Archive.expiration - 1
    await archive.held.sweep()
    #expect(try await archive.isWhole())
    archive.time.now = Archive.expiration
    await archive.held.sweep()
    #expect(try await !archive.isWhole())
    #expect(try FileManager.default.contentsOfDirectory(atPath: archive.node.directory.file("held")).isEmpty)
    #expect(try await archive.commit() == .refusal)

    let committed = try Archive()
    #expect(try await committed.put(committed.sealed, from: 0) == 200)
    #expect(try await committed.commit() == .e7a)
    committed.time.now = Archive.lifetime - 1
    await committed.held.sweep()
    #expect(try await committed.get(Actor.pseudonym) == 200)
    committed.time.now = Archive.lifetime
    await committed.held.sweep()
    #expect(try await committed.get(Actor.pseudonym) == 404)
  }
}
