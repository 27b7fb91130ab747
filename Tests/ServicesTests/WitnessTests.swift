// A witness over its store, with an archive that cannot be reached: what it notes, certifies, keeps over a
// restart, and signs after a lifetime.

import Foundation
import Logging
import Messages
import Parties
import Storage
import Testing

@testable import Services

@Suite("Witness")
struct WitnessTests {
  private let now = systemClock()
  private let store: SQLiteStore
  private let trust: LoadedTrust

  init() throws {
    let now = systemClock()
    func entry(_ role: Role, _ number: UInt8, url: String? = nil) -> TrustEntry {
      TrustEntry(
        role: role, name: "\(role.name)\(number)", key: publicKey(number), from: 1, until: now + 1_000_000,
        url: url)
    }
    let list = TrustList(
      at: now, until: now + 1_000_000, sequence: 0, previous: nil,
      // Nobody listens there.
      entries: [
        entry(.bank, Actor.bank), entry(.archive, Actor.archive, url: "https://127.0.0.1:1"),
        entry(.archive, Actor.pseudonym), entry(.merchant, Actor.merchant),
        Self.witness.trustEntry(url: nil, from: 1, until: now + 1_000_000),
      ] + Actor.witnesses.map { entry(.witness, $0) },
      answerSeconds: 1, skewSeconds: 60, lifetimeSeconds: 10, goodsLengthMax: 1 << 30, quorum: 2)
    trust = try LoadedTrust(try Verified(signing: list, with: signingKey(Actor.authority)).bytes)
    store = try SQLiteStore(path: temporaryDirectory().file("store.sqlite"))
  }

  private static var witness: Identity {
    var seed = [UInt8](repeating: 99, count: 32)
    return Identity(role: .witness, name: "own", seed: &seed)
  }

  private func service(_ surroundings: Surroundings = .machine) throws -> WitnessService {
    WitnessService(
      node: Node(
        identity: Self.witness, directory: try temporaryDirectory(), store: store, trust: trust,
        transport: idleTransport, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        tracer: MessageTracer(write: nil), surroundings: surroundings))
  }

  private func lock(
    _ number: UInt8 = 1, lifetime: Timestamp? = nil, archive: UInt8 = Actor.archive
  ) throws -> Verified<P3> {
    let hash = Hash(of: [number])
    let terms = LockTerms(
      n: TransactionID([UInt8](repeating: number, count: 16))!, merchant: publicKey(Actor.merchant),
      archive: publicKey(archive), pseudonym: publicKey(Actor.pseudonym), value: euros(100),
      expiration: now - 200, lifetime: lifetime ?? now + 1000, hP1: hash, hx: hash)
    return try Verified(signing: P3(terms: terms), with: signingKey(Actor.bank))
  }

  private func ask(_ service: WitnessService, _ bytes: [UInt8]) async throws -> [UInt8]? {
    try await service.handle(bytes)
  }

  /// Asks until the certificate is there.
  private func certificate(_ service: WitnessService, _ bytes: [UInt8]) async throws -> Verified<NonResponse>
  {
    for _ in 0..<100 {
      if let reply = try await ask(service, bytes) {
        return try Verified<NonResponse>(reply, by: .key(Self.witness.key))
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw ServiceError.unreachable("no certificate")
  }

  private func refusal(_ service: WitnessService, _ bytes: [UInt8]) async throws -> Refusal {
    let reply = try #require(try await ask(service, bytes))
    return try Verified<Refusal>(reply, by: .key(Self.witness.key)).payload
  }

  @Test("a request is noted before it is sent, certified when the time is over, and then always the same")
  func certifies() async throws {
    let (service, p3) = (try service(), try lock())
    #expect(try await ask(service, p3.bytes) == nil)
    #expect(try await ask(service, p3.bytes) == nil, "nobody carries it out yet")
    let work = Task { await service.work() }
    let certificate = try await certificate(service, p3.bytes)
    #expect(certificate.payload.lock == p3.hash && certificate.payload.hRequest == p3.hash)
    #expect(certificate.payload.answer == nil && certificate.payload.target == publicKey(Actor.archive))
    #expect(certificate.payload.waitedUntil >= certificate.payload.sentAt + 1)
    #expect(try await ask(service, p3.bytes) == certificate.bytes)
    let bundle = try Messages.Bundle([p3.bytes, p3.bytes]).encoded()
    #expect(try await ask(service, bundle) == certificate.bytes, "the same question in another form")
    work.cancel()
    await work.value
  }

  @Test("a witness that cannot wait any more asks no more and certifies nothing")
  func ends() async throws {
    var surroundings = Surroundings.machine
    surroundings.pause = { _ in throw CancellationError() }
    let (service, p3) = (try service(surroundings), try lock())
    #expect(try await ask(service, p3.bytes) == nil)
    service.stop()
    await service.work()
    #expect(try await ask(service, p3.bytes) == nil, "its next life takes it up")
  }

  @Test("what was open when the witness stopped is sent again, and its time counts from then")
  func restart() async throws {
    let p3 = try lock()
    #expect(try await ask(service(), p3.bytes) == nil)
    // As if it had been sent long ago.
    let key = p3.hash.bytes + p3.hash.bytes
    try await store.write {
      try $0.putMachine(MachineRow(kind: "inquiry", key: key, phase: InquiryPhase.waiting.rawValue, data: []))
    }
    let again = systemClock()
    let second = try service()
    let work = Task { await second.work() }
    for _ in 0..<100 where try await store.read({ try $0.machine(kind: "inquiry", key: key)?.phase }) != 3 {
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(try await certificate(second, p3.bytes).payload.sentAt >= again)
    work.cancel()
    await work.value
  }

  @Test("locks of strangers and archives without an address are refused, and there is an end to certificates")
  func bounded() async throws {
    let service = try service()
    let strange = try Verified(signing: P3(terms: lock().payload.terms), with: signingKey(Actor.merchant))
    #expect(try await refusal(service, strange.bytes).reason == .untrusted)
    #expect(try await refusal(service, lock(archive: Actor.pseudonym).bytes).reason == .unsupported)
    #expect(try await refusal(service, Messages.Bundle([lock().bytes]).encoded()).reason == .malformed)
    let p3 = try lock()
    try await store.write { tx in
      for index in 0..<WitnessService.certificatesMax {
        try tx.append(kind: "certificate", key: p3.hash.bytes, label: "NR", bytes: [UInt8(index)])
      }
    }
    #expect(try await refusal(service, p3.bytes).reason == .limit)
    #expect(try await ask(service, lock(2).bytes) == nil, "of another lock there are none")
  }

  // MARK: P5c

  private func nr(
    _ p3: Verified<P3>, by witness: UInt8, _ change: (inout NonResponse) -> Void = { _ in }
  ) throws -> [UInt8] {
    let terms = p3.payload.terms
    var payload = NonResponse(
      n: terms.n, merchant: terms.merchant, lock: p3.hash, hRequest: p3.hash, target: terms.archive,
      sentAt: terms.lifetime, waitedUntil: terms.lifetime + 1)
    change(&payload)
    return try Verified(signing: payload, with: signingKey(witness)).bytes
  }

  @Test("after the lifetime a quorum's certificates become one abort, which parties read")
  func aborts() async throws {
    let service = try service()
    let p3 = try lock(lifetime: now - 10)
    let bundle = try Messages.Bundle([p3.bytes, nr(p3, by: 7), nr(p3, by: 8)]).encoded()
    let abort = try #require(try await ask(service, bundle))
    let outcome = try Outcome<CoreMode>(abort, trust: trust.list)
    #expect(Lock<CoreMode>(p3).mismatch(outcome) == nil && outcome.signer == Self.witness.key)
    let other = try Messages.Bundle([p3.bytes, nr(p3, by: 8), nr(p3, by: 9)]).encoded()
    #expect(try await ask(service, other) == abort, "one for each lock")
    let open = try lock(2)
    let early = try Messages.Bundle([open.bytes, nr(open, by: 7), nr(open, by: 8)]).encoded()
    #expect(try await refusal(service, early).reason == .tooEarly)
  }

  @Test("too few, forged or other certificates become none, nor does one beside an outcome that it has seen")
  func abortsNot() async throws {
    let service = try service()
    let (p3, foreign) = (try lock(lifetime: now - 10), try lock(2, lifetime: now - 10))
    let good = try nr(p3, by: 7)
    let spoiled = [
      [good], [good, good], [good, try nr(foreign, by: 8)],
      [good, try nr(p3, by: 8) { $0.sentAt -= 1 }], [good, try nr(p3, by: 8) { $0.waitedUntil -= 1 }],
    ]
    for certificates in spoiled {
      let bundle = try Messages.Bundle([p3.bytes] + certificates).encoded()
      #expect(try await refusal(service, bundle).reason == .mismatch)
    }
    let forged = try Messages.Bundle([p3.bytes, good, nr(p3, by: 77)]).encoded()
    #expect(try await refusal(service, forged).reason == .mismatch)
    let terms = p3.payload.terms
    let p5b = try Verified(
      signing: P5b(
        n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
        lock: p3.hash, at: terms.expiration, failed: .expired), with: signingKey(Actor.archive)
    ).bytes
    let seen = try nr(p3, by: 9) { $0.answer = p5b }
    try await store.write {
      _ = try $0.append(kind: "certificate", key: p3.hash.bytes, label: "NR", bytes: seen)
    }
    let bundle = try Messages.Bundle([p3.bytes, good, nr(p3, by: 8)]).encoded()
    #expect(try await refusal(service, bundle).proof == [p5b])
  }
}
