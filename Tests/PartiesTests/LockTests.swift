// What an outcome has to match before it counts for a lock.

import Messages
import Parties
import Testing

@Suite("Matching an outcome with its lock")
struct LockTests {
  private let sale = Sale()

  private func mismatch(_ commit: Verified<P5a>) throws -> String? {
    try Lock<CoreMode>(sale.p3()).mismatch(.committed(commit))
  }

  private func mismatch(_ abort: Verified<P5b>) throws -> String? {
    try Lock<CoreMode>(sale.p3()).mismatch(.aborted(abort))
  }

  private func commit(by actor: Actor = .merchant, _ change: (inout P4) -> Void) throws -> Verified<P5a> {
    try sale.p5a(sale.p4(by: actor, change))
  }

  @Test("the archive's own outcomes of the lock match")
  func matches() throws {
    #expect(try mismatch(sale.p5a()) == nil)
    #expect(try mismatch(sale.p5a(at: Times.expiration - 1)) == nil)
    #expect(try mismatch(sale.p5b()) == nil)
    #expect(try mismatch(sale.p5b(at: Times.now, failed: .cancelled)) == nil)
  }

  @Test("a commit with one fault does not match")
  func commits() throws {
    #expect(try mismatch(sale.p5a(by: .otherArchive)) == "another archive than the lock names")
    #expect(try mismatch(commit { $0.lock = digest(1) }) == "another lock")
    #expect(try mismatch(commit(by: .stranger) { _ in }) == "another transaction")
    #expect(try mismatch(commit { $0.n = TransactionID(filled(1, 16))! }) == "another transaction")
    #expect(try mismatch(commit { $0.hP1 = digest(1) }) == "another contract")
    #expect(try mismatch(commit { $0.expiration += 1 }) == "another expiration")
    let late = "committed at or after the expiration"
    #expect(try mismatch(sale.p5a(at: Times.expiration)) == late)
    #expect(
      try mismatch(
        Actor.archive.sign(P5a(submission: sale.p4().bytes, at: Times.now + 20, lifetime: Times.lifetime + 1))
      )
        == "another lifetime")
    let wrong = "a key that the contract does not commit to"
    #expect(try mismatch(commit { $0.key = filled(1) }) == wrong)
  }

  @Test("an abort with one fault does not match")
  func aborts() throws {
    #expect(try mismatch(sale.p5b(by: .otherArchive)) == "another archive than the lock names")
    #expect(try mismatch(sale.p5b { $0.lock = digest(1) }) == "another lock")
    #expect(try mismatch(sale.p5b { $0.merchant = Actor.stranger.publicKey }) == "another transaction")
    #expect(try mismatch(sale.p5b { $0.n = TransactionID(filled(1, 16))! }) == "another transaction")
    let times = "another expiration or lifetime"
    #expect(try mismatch(sale.p5b { $0.expiration -= 1 }) == times)
    #expect(try mismatch(sale.p5b { $0.lifetime += 1 }) == times)
    let early = "aborted before the expiration without the merchant's Cancel"
    #expect(try mismatch(sale.p5b(at: Times.expiration - 1)) == early)
    let other = try sale.cancel { $0.lock = digest(1) }.bytes
    let strange = try sale.cancel(by: .stranger).bytes
    for cancel in [nil, other, strange] {
      #expect(try mismatch(sale.p5b(at: Times.now + 1, failed: .cancelled) { $0.cancel = cancel }) == early)
    }
    #expect(try mismatch(sale.p5b(at: Times.now + 1, failed: .cancelled)) == nil)
  }

  @Test("an outcome is read with its signatures and its archive's place in the trust list")
  func reading() throws {
    let commit = try sale.p5a()
    let abort = try sale.p5b()
    #expect(try Outcome<CoreMode>(commit.bytes, trust: trustList()) == .committed(commit))
    #expect(try Outcome<CoreMode>(abort.bytes, trust: trustList()) == .aborted(abort))
    #expect(try Outcome<CoreMode>(stored: commit.bytes) == .committed(commit))
    #expect(try Outcome<CoreMode>(stored: abort.bytes) == .aborted(abort))
    func rule(_ bytes: [UInt8], _ change: (inout TrustList) -> Void = { _ in }) -> String? {
      let trust = trustList(change)
      return refusal { () throws(MessageError) in try Outcome<CoreMode>(bytes, trust: trust) }
    }
    #expect(rule(try sale.p5a(by: .stranger).bytes) == "untrusted")
    #expect(rule(try sale.p5b(by: .stranger).bytes) == "untrusted")
    #expect(rule(try sale.p5a(sale.p4(by: .stranger)).bytes) == "untrusted")
    #expect(rule(commit.bytes) { $0.change(.archive) { $0.revokedAt = Times.now } } == "revoked")
    #expect(rule(commit.bytes) { $0.change(.merchant) { $0.until = Times.now } } == "expired")
    #expect(rule(try sale.p3().bytes) == "unexpected-type")
    for sound in [commit.bytes, abort.bytes] {
      var damaged = sound
      damaged[damaged.count - 1] ^= 1
      #expect(rule(damaged) == "authentication")
    }
  }

  @Test("a commit around a P4 that its merchant did not sign is refused")
  func forgedInside() throws {
    var p4 = try sale.p4().bytes
    p4[p4.count - 1] ^= 1
    let commit = try Actor.archive.sign(P5a(submission: p4, at: Times.now, lifetime: Times.lifetime))
    let trust = trustList()
    let rule = refusal { () throws(MessageError) in try Outcome<CoreMode>(commit.bytes, trust: trust) }
    #expect(rule == "authentication")
  }

  @Test("a denial becomes a refusal of the request that it answers")
  func denial() {
    let denial = Denial(.locked, "in use", proof: [[1]])
    let expected = Refusal(at: 5, reason: .locked, hRequest: digest(3), proof: [[1]], detail: "in use")
    #expect(denial.refusal(of: digest(3), at: 5) == expected)
  }
}
