// Asking authorities: what is kept of their answers, and what becomes of those that do not answer.

import Foundation
import Messages
import Synchronization
import Testing

@testable import Certification
@testable import Services

/// Authorities without a network.
private final class FakeLink: PeerLink {
  private let answer: @Sendable (Int, [UInt8]) throws -> TransportReply
  private let count = Mutex(0)
  var asked: Int { count.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Int, [UInt8]) throws -> TransportReply) { self.answer = answer }

  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply {
    #expect(method == "POST" && contentType == "application/timestamp-query")
    return try answer(
      count.withLock {
        $0 += 1
        return $0
      }, body ?? [])
  }
  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int { 404 }
  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply {
    TransportReply(status: 404, contentType: "", body: [])
  }
  func shutdown() async throws {}
}

@Suite("Asking timestamp authorities", .serialized)
struct TimestampClientTests {
  // Its tests run one after the other.
  private nonisolated(unsafe) static let authority = TestAuthority()
  private static let now = AnswerWish().at
  private let hashes = (0..<3).map { Hash(of: [UInt8($0)]) }

  private func reply(_ bytes: [UInt8], _ status: Int = 200) -> TransportReply {
    TransportReply(status: status, contentType: "application/timestamp-reply", body: bytes)
  }

  private func client(
    _ link: FakeLink, _ entries: [TrustEntry]? = nil, at now: Timestamp = Self.now
  ) -> TimestampClient {
    var surroundings = Surroundings.machine
    surroundings.pause = { _ in }
    return TimestampClient(
      trust: trustList(entries ?? [Self.authority.entry()]), transport: link, surroundings: surroundings,
      clock: { now })
  }

  private func why(_ client: TimestampClient, at place: String? = nil) async -> String {
    do { _ = try await client.stamps(over: hashes, at: place) } catch { return "\(error)" }
    return ""
  }

  @Test("what is dated is dated by one token, whatever its order")
  func stamps() async throws {
    let link = FakeLink { reply(Self.authority.answer($1)) }
    let stamps = try await client(link).stamps(over: hashes.reversed() + hashes, at: nil)
    #expect(stamps.count == 1 && stamps[0].1.count == 3 && stamps[0].1.at == Self.now)
    #expect(trustList([Self.authority.entry()]).date(stamps[0].0)?.date.at == Self.now)
    #expect(link.asked == 1)
    let many = (0..<1030).map { Hash(of: [1, UInt8($0 & 255), UInt8($0 >> 8)]) }
    #expect(try await client(link).stamps(over: many, at: nil).map { $0.1.count } == [1024, 6])
  }

  @Test("an authority that is down is asked three times, and the error says that nothing was lost")
  func down() async throws {
    let broken = FakeLink { _, _ in reply([], 503) }
    let text = await why(client(broken))
    #expect(text.contains("HTTP status 503") && text.contains("no money moved"))
    #expect(broken.asked == 3)
    let away = FakeLink { _, _ in throw TransportError.unreachable(host: "tsa", reason: "refused") }
    #expect(await why(client(away)).contains("cannot be reached"))
    #expect(away.asked == 3)
    let late = FakeLink { count, body in
      guard count == 3 else { throw TransportError.unreachable(host: "tsa", reason: "") }
      return reply(Self.authority.answer(body))
    }
    #expect(await why(client(late)) == "")
    let long = FakeLink { _, _ in throw TransportError.tooLarge(host: "tsa") }
    #expect(await why(client(long)).contains("more than an answer can be"))
    #expect(long.asked == 1)
  }

  @Test("an answer to another request is none")
  func replayed() async throws {
    let old = Self.authority.answer(
      try TimestampRequest(imprint: EvidenceTimestamp.imprint(of: hashes), nonce: 1, policy: nil).encoded())
    #expect(await why(client(FakeLink { _, _ in reply(old) })).contains("nonce mismatch"))
    let other = FakeLink { reply(TestAuthority().answer($1)) }
    #expect(await why(client(other)).contains("does not hold"))
    #expect(await why(client(FakeLink { _, _ in reply([1, 2, 3]) })).contains("this is no answer"))
  }

  @Test("an authority's clock is believed as far as it says that it is exact")
  func clock() async throws {
    func says(_ at: Timestamp, accuracy: Int32 = 1) async -> String {
      let link = FakeLink { reply(Self.authority.answer($1, AnswerWish(at: at, accuracy: (accuracy, 0, 0)))) }
      return await why(client(link))
    }
    #expect(await says(Self.now + 61) == "")
    #expect(await says(Self.now + 62).contains("one of the clocks is wrong"))
    #expect(await says(Self.now - 61) == "")
    #expect(await says(Self.now - 62).contains("one of the clocks is wrong"))
    #expect(await says(Self.now - 600, accuracy: 540) == "")
  }

  @Test("who is asked is the list's, or named, and the next one answers for one that is down")
  func places() async throws {
    let link = FakeLink { reply(Self.authority.answer($1)) }
    #expect(await why(client(link, [])).contains("names no timestamp authority"))
    #expect(await why(client(link), at: "nobody").contains("no address for nobody"))
    #expect(await why(client(link), at: "tsa") == "")
    #expect(await why(client(link), at: "http://elsewhere.test/tsa") == "")
    var other = TestAuthority().entry()
    (other.name, other.url) = ("first", "http://first.test/")
    let second = FakeLink { count, body in
      guard count > 3 else { throw TransportError.unreachable(host: "first", reason: "") }
      return reply(Self.authority.answer(body))
    }
    #expect(await why(client(second, [other, Self.authority.entry()])) == "")
  }
}
