// The passive archive's record: what counts at an address, that it always finds room, and that all of it is
// bounded (attack 12).

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

/// A passive archive, a bank that it trusts, and one bound token.
private struct Record {
  static let now: Timestamp = 1_800_000_000
  static let (bank, owner, stranger): (UInt8, UInt8, UInt8) = (0xb0, 0x70, 0x5a)

  let service: PassiveArchive
  let trust: TrustList
  let registration: Verified<Registration>
  let address: Hash

  init(_ limits: RegistryLimits = RegistryLimits()) throws {
    let directory = try temporaryDirectory()
    var seed = [UInt8](repeating: 0xa0, count: 32)
    let identity = Identity(role: .archive, name: "record", seed: &seed)
    func entry(_ role: Role, _ key: PublicKey) -> TrustEntry {
      TrustEntry(role: role, name: role.name, key: key, from: Self.now - 10, until: Self.now + 86_400)
    }
    trust = TrustList(
      at: Self.now - 10, until: Self.now + 86_400, sequence: 1, previous: nil,
      entries: [entry(.bank, publicKey(Self.bank)), entry(.archive, identity.key)], answerSeconds: 2,
      skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: 1 << 30)
    let node = Node(
      identity: identity, directory: directory,
      store: try SQLiteStore(path: directory.file("store.sqlite")),
      trust: try LoadedTrust(Verified(signing: trust, with: signingKey(0xee)).bytes),
      transport: idleTransport,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: { Self.now })
    service = PassiveArchive(node: node, limits: limits)
    registration = try Verified(
      signing: Registration(
        archive: identity.key, tokenKey: publicKey(Self.owner), inner: Hash(of: [1])),
      with: signingKey(Self.owner))
    address = registration.payload.address
  }

  /// Posts an entry; the status, which is 204 where it was taken.
  func post(_ bytes: [UInt8], from client: String = "192.0.2.1") async throws -> Int {
    let route = service.routes.first { $0.method == "POST" }!
    let call = HTTPCall(
      parameters: ["address": address.description], query: [:], range: nil, body: bytes, client: client)
    do { return try await route.handler(call).status } catch let problem as Problem { return problem.status }
  }

  func entries() async throws -> [[UInt8]] {
    let route = service.routes.first { $0.method == "GET" && $0.path.hasPrefix("/v1/registry") }!
    let call = HTTPCall(
      parameters: ["address": address.description], query: [:], range: nil, body: [], client: "192.0.2.1")
    guard case .bytes(let bytes) = try await route.handler(call).body else { return [] }
    return try Messages.Bundle(encoded: bytes).messages
  }

  func word(_ number: UInt8, by signer: UInt8 = Record.owner) throws -> [UInt8] {
    try Verified(signing: Endorsement(hINV: Hash(of: [number]), address: address), with: signingKey(signer))
      .bytes
  }

  func record(by signer: UInt8 = Record.bank, at address: Hash? = nil) throws -> [UInt8] {
    try Verified(
      signing: PassiveRecord(
        n: TransactionID([UInt8](repeating: 1, count: 16))!, merchant: publicKey(1),
        key: [UInt8](repeating: 2, count: 32), at: Self.now, address: address ?? self.address),
      with: signingKey(signer)
    ).bytes
  }
}

@Suite("Passive archive")
struct PassiveArchiveTests {
  @Test("what counts at an address: its registration, its key's word, a trusted bank's record")
  func standing() throws {
    let record = try Record()
    let own = record.registration.payload
    func standing(_ bytes: [UInt8], known: Registration?) throws -> PassiveArchive.Standing {
      PassiveArchive.standing(
        bytes, try MessageType(peeking: bytes), at: record.address, known: known, trust: record.trust)
    }
    #expect(try standing(record.registration.bytes, known: nil) == .counts)
    let forged = try Verified(signing: own, with: signingKey(Record.stranger)).bytes
    #expect(try standing(forged, known: nil) == .junk, "another key signed it")
    var other = own
    other.tokenKey = publicKey(Record.stranger)
    let foreign = try Verified(signing: other, with: signingKey(Record.stranger)).bytes
    #expect(try standing(foreign, known: own) == .junk, "it hashes to another address")
    #expect(try standing(record.word(1), known: own) == .word)
    #expect(try standing(record.word(1), known: nil) == .junk, "nobody is registered yet")
    #expect(try standing(record.word(1, by: Record.stranger), known: own) == .junk)
    #expect(try standing(record.record(), known: nil) == .counts)
    #expect(try standing(record.record(by: Record.stranger), known: nil) == .junk)
    #expect(try standing(record.record(at: Hash(of: [9])), known: nil) == .junk, "of another address")
  }

  @Test("junk fills its own room only: what counts is taken after it, and read before it")
  func squatters() async throws {
    let record = try Record()
    for number in 0..<64 as Range<UInt8> {
      #expect(try await record.post(record.word(number, by: Record.stranger)) == 204)
    }
    #expect(try await record.post(record.word(64, by: Record.stranger)) == 429)
    #expect(try await record.post(record.registration.bytes) == 204)
    #expect(try await record.post(record.word(1)) == 204)
    #expect(try await record.post(record.record()) == 204)
    let entries = try await record.entries()
    #expect(entries.count == 67)
    #expect(Set(entries.prefix(2)) == [record.registration.bytes, try record.record()])
    #expect(entries[2] == (try record.word(1)))
    // The same again is the same entry.
    #expect(try await record.post(record.registration.bytes) == 204)
    #expect(try await record.entries().count == 67)
  }

  @Test("an entry is one of three messages, and not too long")
  func shape() async throws {
    var limits = RegistryLimits()
    limits.entryBytes = 300
    let record = try Record(limits)
    #expect(try await record.post([1, 2, 3]) == 400)
    let query = try Verified(
      signing: StatusQuery(n: nil, merchant: nil, nonce: Nonce([UInt8](repeating: 3, count: 16))!),
      with: signingKey(1))
    #expect(try await record.post(query.bytes) == 400)
    let long = try await record.post(record.record() + [UInt8](repeating: 0, count: 300))
    #expect(long == 400)
  }

  @Test("a client has a quota that fills up again, and takes nobody else's")
  func quotas() {
    var limits = RegistryLimits()
    (limits.clientBytes, limits.clientBytesPerSecond, limits.clients) = (1000, 10, 2)
    var quotas = ClientQuotas(limits)
    func takes(_ count: Int, _ client: String, at now: Timestamp) -> Bool {
      quotas.take(count, from: client, at: now)
    }
    #expect(takes(600, "a", at: 0))
    #expect(!takes(600, "a", at: 10))
    #expect(takes(600, "b", at: 10))
    #expect(takes(500, "a", at: 10))
    #expect(!takes(1001, "b", at: 1_000_000), "never more than the bucket")
    #expect(takes(1000, "b", at: 1_000_000))
    // A third client finds room: whoever was silent the longest is forgotten.
    #expect(takes(1000, "c", at: 1_000_000))
    #expect(!takes(1, "c", at: 1_000_000))
  }
}
