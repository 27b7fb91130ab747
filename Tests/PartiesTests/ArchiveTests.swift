// The archive's machine in every state and with every event, and its checks of P4.

import Messages
import Parties
import Testing

extension Sale {
  /// [P4, P3, S_p(P1)?] as the archive unsealed it.
  func bundle(
    _ p4: Verified<P4>? = nil, _ p3: Verified<P3>? = nil, with more: [[UInt8]] = []
  ) throws -> Bundle {
    let lock = try p3 ?? self.p3()
    return Bundle([try (p4 ?? self.p4(lock)).bytes, lock.bytes] + more)
  }

  func submission(_ p4: Verified<P4>? = nil, _ p3: Verified<P3>? = nil) throws -> Submitted<CoreMode> {
    try Submitted<CoreMode>(bundle(p4, p3), trust: trustList(), at: Times.now + 20)
  }
}

/// What can happen to a lock at the archive.
enum ArchiveEvent: String, CaseIterable, Sendable {
  case submitted
  case submittedLast = "submitted a second before the expiration"
  case submittedLate = "submitted at the expiration"
  case abortEarly = "abort wanted a second before the expiration"
  case abort = "abort wanted at the expiration"
  case cancelled
  case cancelledLate = "cancelled after the expiration"
  case foreignCancel = "a Cancel of another lock"
  case endOfLife = "abort wanted when the lifetime ends"

  func happen(to rig: ArchiveRig) throws -> [String] {
    let sale = Sale()
    switch self {
    case .submitted: return try rig.submitted(sale.submission())
    case .submittedLast: return try rig.submitted(sale.submission(), at: Times.expiration - 1)
    case .submittedLate: return try rig.submitted(sale.submission(), at: Times.expiration)
    case .abortEarly: return try rig.abortRequested(at: Times.expiration - 1)
    case .abort: return try rig.abortRequested(at: Times.expiration)
    case .cancelled: return try rig.cancelled(sale.cancel())
    case .cancelledLate: return try rig.cancelled(sale.cancel(), at: Times.expiration + 1)
    case .foreignCancel: return try rig.cancelled(sale.cancel { $0.lock = digest(1) })
    case .endOfLife: return try rig.abortRequested(at: Times.lifetime)
    }
  }
}

@Suite("The archive's transaction")
struct ArchiveTests {
  private static let commit = ["publish P5a", "send P5a to bank", "send P5a to merchant", "reply P5a"]
  private static let abort = ["publish P5b", "send P5b to bank", "send P5b to merchant", "reply P5b"]

  private static let expected: [ArchiveEvent: (open: [String], committed: [String], aborted: [String])] = [
    .submitted: (commit, ["reply P5a"], ["refuse aborted"]),
    .submittedLast: (commit, ["reply P5a"], ["refuse aborted"]),
    .submittedLate: (["refuse tooLate"], ["reply P5a"], ["refuse aborted"]),
    .abortEarly: (["refuse tooEarly"], ["reply P5a"], ["reply P5b"]),
    .abort: (abort, ["reply P5a"], ["reply P5b"]),
    .cancelled: (abort, ["refuse committed"], ["reply P5b"]),
    .cancelledLate: (abort, ["refuse committed"], ["reply P5b"]),
    .foreignCancel: (["refuse mismatch"], ["refuse mismatch"], ["refuse mismatch"]),
    .endOfLife: (["refuse lifetime"], ["reply P5a"], ["reply P5b"]),
  ]

  private let sale = Sale()

  @Test("each event has its one effect in each state, also after a restart", arguments: ArchiveEvent.allCases)
  func everyEvent(event: ArchiveEvent) throws {
    let expected = try #require(Self.expected[event])
    let p3 = try sale.p3()
    #expect(try event.happen(to: ArchiveRig(p3)) == expected.open)
    let committed = ArchiveRig(p3)
    _ = try ArchiveEvent.submitted.happen(to: committed)
    #expect(try event.happen(to: committed) == expected.committed)
    for first in [ArchiveEvent.abort, .cancelled] {
      let aborted = ArchiveRig(p3)
      _ = try first.happen(to: aborted)
      #expect(try event.happen(to: aborted) == expected.aborted)
    }
  }

  @Test("what is published matches the lock and says when")
  func contents() throws {
    let p3 = try sale.p3()
    let events: [(ArchiveEvent, Timestamp)] = [
      (.submitted, Times.now + 20), (.submittedLast, Times.expiration - 1), (.abort, Times.expiration),
      (.cancelled, Times.now + 20),
    ]
    for (event, time) in events {
      let rig = ArchiveRig(p3)
      _ = try event.happen(to: rig)
      let outcome = try #require(rig.outcome)
      #expect(Lock<CoreMode>(p3).mismatch(outcome) == nil)
      #expect(try Outcome<CoreMode>(outcome.bytes, trust: trustList()) == outcome)
      switch outcome {
      case .committed(let commit):
        #expect(commit.payload.at == time)
        #expect(commit.payload.lifetime == Times.lifetime)
        #expect(commit.payload.submission == (try sale.p4().bytes))
      case .aborted(let abort):
        #expect(abort.payload.at == time)
        #expect(abort.payload.failed == (event == .abort ? Reason.expired : .cancelled).rawValue)
      case .witnessed: Issue.record("an archive publishes no P5c")
      }
    }
  }

  @Test("a refusal after the end shows the outcome")
  func proof() throws {
    let rig = ArchiveRig(try sale.p3())
    _ = try ArchiveEvent.submitted.happen(to: rig)
    let commit = try #require(rig.outcome).bytes
    _ = try ArchiveEvent.cancelled.happen(to: rig)
    guard case .refuse(let denial) = rig.effects[0] else { throw Unexpected() }
    #expect(denial.proof == [commit])
  }

  @Test("a P4 with one fault is refused for it, and nothing is published")
  func brokenP4() throws {
    let cases: [(String, Reason, Actor, (inout P4) -> Void)] = [
      ("another lock", .mismatch, .merchant, { $0.lock = digest(1) }),
      ("another transaction", .mismatch, .merchant, { $0.n = TransactionID(filled(1, 16))! }),
      ("another contract", .mismatch, .merchant, { $0.hP1 = digest(1) }),
      ("another expiration", .mismatch, .merchant, { $0.expiration += 1 }),
      ("another key", .wrongKey, .merchant, { $0.key[31] ^= 1 }),
      ("another merchant", .mismatch, .stranger, { _ in }),
    ]
    let trust = trustList { list in
      list.entries.append(list.entries.last!)
      list.entries[list.entries.count - 1].key = Actor.stranger.publicKey
    }
    for (name, reason, signer, change) in cases {
      let rig = ArchiveRig(try sale.p3())
      let bundle = try sale.bundle(sale.p4(by: signer, change))
      let effects = try rig.submitted(Submitted<CoreMode>(bundle, trust: trust, at: Times.now))
      #expect(effects == ["refuse \(reason)"], "\(name)")
      #expect(rig.outcome == nil)
      _ = try ArchiveEvent.submitted.happen(to: rig)
      #expect(rig.outcome != nil, "a sound P4 after \(name)")
    }
  }

  @Test("a lock that names another archive, or whose lifetime has ended, is left alone")
  func notOwn() throws {
    for time in [Times.now + 20, Times.expiration] {
      let rig = ArchiveRig(try sale.p3())
      #expect(try rig.submitted(sale.submission(), at: time, by: .otherArchive) == ["refuse mismatch"])
      #expect(try rig.abortRequested(at: time, by: .otherArchive) == ["refuse mismatch"])
      #expect(try rig.cancelled(sale.cancel(), at: time, by: .otherArchive) == ["refuse mismatch"])
    }
    let rig = ArchiveRig(try sale.p3())
    for time in [Times.lifetime, Times.lifetime + 1] {
      #expect(try rig.submitted(sale.submission(), at: time) == ["refuse lifetime"])
      #expect(try rig.abortRequested(at: time) == ["refuse lifetime"])
      #expect(try rig.cancelled(sale.cancel(), at: time) == ["refuse lifetime"])
    }
    #expect(try rig.abortRequested(at: Times.lifetime - 1) == Self.abort)
  }

  @Test("only the merchant's own Cancel of this n and lock counts")
  func cancels() throws {
    let rig = ArchiveRig(try sale.p3())
    for cancel in [
      try sale.cancel(by: .bank), try sale.cancel(by: .pseudonym),
      try sale.cancel { $0.n = TransactionID(filled(1, 16))! }, try sale.cancel { $0.lock = digest(1) },
    ] {
      #expect(try rig.cancelled(cancel) == ["refuse mismatch"])
    }
    #expect(rig.outcome == nil)
  }

  @Test("a submission is read with who has to have signed what")
  func reading() throws {
    let trust = trustList()
    func rule(_ bundle: Bundle) -> String? {
      refusal { () throws(MessageError) in try Submitted<CoreMode>(bundle, trust: trust, at: Times.now) }
    }
    let (p4, p3) = (try sale.p4().bytes, try sale.p3().bytes)
    let signed = try sale.acknowledgement().bytes
    #expect(rule(Bundle([p4, p3])) == nil)
    #expect(rule(Bundle([p4, p3, signed])) == nil)
    for messages in [[], [p4], [p4, p3, signed, signed]] { #expect(rule(Bundle(messages)) == "field-range") }
    #expect(rule(Bundle([p3, p4])) == "unexpected-type")
    #expect(rule(Bundle([try sale.p4(by: .bank).bytes, p3])) == "untrusted")
    #expect(rule(Bundle([p4, try sale.p3(by: .merchant).bytes])) == "untrusted")
    #expect(rule(Bundle([p4, p3, try sale.acknowledgement(by: .stranger).bytes])) == "untrusted")
    var forged = p3
    forged[forged.count - 1] ^= 1
    #expect(rule(Bundle([p4, forged])) == "authentication")
  }

  @Test("an acknowledgement of another contract is refused beside P4")
  func acknowledgements() throws {
    let changes: [(inout Acknowledgement) -> Void] = [
      { $0.hP1 = digest(1) }, { $0.n = TransactionID(filled(1, 16))! },
      { $0.merchant = Actor.stranger.publicKey },
    ]
    for change in changes {
      let rig = ArchiveRig(try sale.p3())
      let bundle = try sale.bundle(with: [sale.acknowledgement(change).bytes])
      let submission = try Submitted<CoreMode>(bundle, trust: trustList(), at: Times.now)
      #expect(try rig.submitted(submission) == ["refuse mismatch"])
    }
    let rig = ArchiveRig(try sale.p3())
    let bundle = try sale.bundle(with: [sale.acknowledgement().bytes])
    #expect(try rig.submitted(Submitted<CoreMode>(bundle, trust: trustList(), at: Times.now)) == Self.commit)
  }
}
