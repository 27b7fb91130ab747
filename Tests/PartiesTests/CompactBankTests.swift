// The bank's pairing in every state and with every event, and what keeps JB2 and JB3 from being paired.

import Messages
import Parties
import Testing

/// What can happen to a pairing.
enum PairingEvent: String, CaseIterable, Sendable {
  case jb2 = "JB2"
  case otherJB2 = "another JB2 of the same n"
  case lateJB2 = "JB2 at the expiration"
  case jb3 = "JB3"
  case otherJB3 = "JB3 over another value"
  case lateJB3 = "JB3 at the expiration"
  case commit = "the commit is shown"
  case abort = "the abort is shown"

  func happen(to rig: PairingRig) throws -> [String] {
    let deal = CompactDeal()
    switch self {
    case .jb2: return try rig.authorised(deal.jb2())
    case .otherJB2: return try rig.authorised(deal.jb2 { $0.terms.lifetime -= 1 })
    case .lateJB2: return try rig.authorised(deal.jb2(), at: Times.expiration)
    case .jb3: return try rig.submitted(deal.jb3())
    case .otherJB3: return try rig.submitted(deal.jb3 { $0.value = Money("EUR:1")! })
    case .lateJB3: return try rig.submitted(deal.jb3(), at: Times.expiration)
    case .commit: return try rig.shown(deal.commit())
    case .abort: return try rig.shown(deal.abort())
    }
  }
}

@Suite("The bank's pairing")
struct BankPairingTests {
  private static let lock = ["keep JB2", "keep JB2ack", "enter locked", "lock 1000", "lock 234"]
  private static let settle = [
    "keep JB3", "keep JB4a", "enter settled", "spend", "credit merchant EUR:12.34", "receipt JB4a",
    "reply JB4a",
  ]
  private static let release = [
    "keep JB4b", "enter released", "release", "publish JB4b", "send JB4b to merchant", "reply JB4b",
  ]
  private static let lapse = ["keep JB3", "enter lapsed", "refuse unknownTransaction"]
  private static let none: [PairingEvent: (effects: [String], phase: LockPhase)] = [:]

  /// What has to follow, by phase and event.
  private static let expected: [LockPhase: [PairingEvent: (effects: [String], phase: LockPhase)]] = [
    .absent: [
      .jb2: (lock + ["reply JB2ack"], .locked), .otherJB2: (lock + ["reply JB2ack"], .locked),
      .lateJB2: (["refuse expired"], .absent), .jb3: (["keep JB3", "enter keyed"], .keyed),
      .otherJB3: (["keep JB3", "enter keyed"], .keyed), .lateJB3: (lapse, .lapsed),
      .commit: (["refuse unknownTransaction"], .absent), .abort: (["refuse unknownTransaction"], .absent),
    ],
    .keyed: [
      .jb2: (lock + settle, .settled), .otherJB2: (lock + settle, .settled),
      .lateJB2: (["refuse expired"], .keyed), .jb3: ([], .keyed), .otherJB3: (["refuse nReused"], .keyed),
      .lateJB3: (lapse, .lapsed), .commit: (["refuse unknownTransaction"], .keyed),
      .abort: (["refuse unknownTransaction"], .keyed),
    ],
    .lapsed: [
      .jb2: (["refuse expired"], .lapsed), .otherJB2: (["refuse expired"], .lapsed),
      .lateJB2: (["refuse expired"], .lapsed), .jb3: (["refuse unknownTransaction"], .lapsed),
      .otherJB3: (["refuse nReused"], .lapsed), .lateJB3: (["refuse unknownTransaction"], .lapsed),
      .commit: (["refuse unknownTransaction"], .lapsed), .abort: (["refuse unknownTransaction"], .lapsed),
    ],
    .locked: [
      .jb2: (["reply JB2ack"], .locked), .otherJB2: (["refuse nReused"], .locked),
      .lateJB2: (release, .released), .jb3: (settle, .settled), .otherJB3: (["refuse wrongValue"], .locked),
      .lateJB3: (release, .released), .commit: (["refuse unknownTransaction"], .locked),
      .abort: (["refuse unknownTransaction"], .locked),
    ],
    .settled: [
      .jb2: (["reply JB4a"], .settled), .otherJB2: (["refuse nReused"], .settled),
      .lateJB2: (["reply JB4a"], .settled), .jb3: (["reply JB4a"], .settled),
      .otherJB3: (["refuse nReused"], .settled), .lateJB3: (["reply JB4a"], .settled),
      .commit: (["confirm credit"], .settled), .abort: (["refuse mismatch"], .settled),
    ],
    .released: [
      .jb2: (["reply JB4b"], .released), .otherJB2: (["refuse nReused"], .released),
      .lateJB2: (["reply JB4b"], .released), .jb3: (["reply JB4b"], .released),
      .otherJB3: (["refuse wrongValue"], .released), .lateJB3: (["reply JB4b"], .released),
      .commit: (["refuse mismatch"], .released), .abort: (["reply JB4b"], .released),
    ],
  ]

  private func rig(in phase: LockPhase) throws -> PairingRig {
    let rig = PairingRig()
    let path: [PairingEvent] =
      switch phase {
      case .absent: []
      case .keyed: [.jb3]
      case .lapsed: [.lateJB3]
      case .locked: [.jb2]
      case .settled: [.jb2, .jb3]
      case .released: [.jb2, .lateJB2]
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }

  @Test("each event has its one effect in each phase, also after a restart", arguments: PairingEvent.allCases)
  func everyEvent(event: PairingEvent) throws {
    for phase in [LockPhase.absent, .keyed, .lapsed, .locked, .settled, .released] {
      let rig = try rig(in: phase)
      let expected = try #require(Self.expected[phase]?[event])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.phase, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("whichever comes first, the same is committed: JB3 whole, under JB2's hash, before the expiration")
  func orders() throws {
    let deal = CompactDeal()
    for order in [[PairingEvent.jb2, .jb3], [.jb3, .jb2]] {
      let rig = PairingRig()
      for event in order { _ = try event.happen(to: rig) }
      guard case .committed(let commit)? = rig.machine.outcome else { throw Unexpected() }
      let jb2 = try deal.jb2()
      #expect(commit.payload.hJB2 == jb2.hash && commit.payload.lifetime == Times.lifetime)
      #expect(try commit.payload.submission == deal.jb3().bytes)
      #expect(jb2.payload.terms.mismatch(.committed(commit), request: jb2.hash) == nil)
      #expect(rig.effects.contains(.spend(lock: jb2.hash)))
      let merchant = Actor.merchant.publicKey
      #expect(rig.effects.contains(.credit(merchant: merchant, value: Sale.price, lock: jb2.hash)))
    }
  }

  @Test("half-open: a second before the expiration it commits, at the expiration it aborts")
  func expiration() throws {
    let deal = CompactDeal()
    for (time, phase) in [(Times.expiration - 1, LockPhase.settled), (Times.expiration, .released)] {
      let rig = try rig(in: .locked)
      try rig.submitted(deal.jb3(), at: time)
      #expect(rig.machine.phase == phase)
    }
  }

  @Test("a JB3 that differs in anything from JB2 is paired in neither order")
  func differences() throws {
    let deal = CompactDeal()
    let changes: [(String, Reason, (inout JB3) -> Void)] = [
      ("value", .wrongValue, { $0.value = Money("EUR:0.01")! }),
      ("expiration", .mismatch, { $0.expiration += 1 }), ("contract", .mismatch, { $0.hP1 = digest(1) }),
      ("key", .wrongKey, { $0.key = filled(1) }),
    ]
    for (name, reason, change) in changes {
      let other = try deal.jb3(change)
      let first = try rig(in: .locked)
      #expect(try first.submitted(other) == ["refuse \(reason)"], "\(name)")
      #expect(first.machine.phase == .locked)
      // The sale can still be had as it was agreed.
      #expect(try first.submitted(deal.jb3()).last == "reply JB4a", "\(name)")
      let second = PairingRig()
      try second.submitted(other)
      #expect(try second.authorised(deal.jb2()) == ["refuse \(reason)"], "\(name)")
      #expect(second.machine.phase == .keyed, "nothing was locked")
      // Late it is told the same: the abort of what was locked would not end the sale that it is for.
      for phase in [LockPhase.locked, .released] {
        let late = try rig(in: phase)
        #expect(try late.submitted(other, at: Times.expiration + 9) == ["refuse \(reason)"], "\(name)")
        #expect(late.machine.phase == phase)
        #expect(try late.submitted(deal.jb3(), at: Times.expiration + 9).last == "reply JB4b", "\(name)")
      }
    }
  }

  @Test("JB2 is checked as every request for a lock, and the bank has to be its own archive")
  func checks() throws {
    let deal = CompactDeal()
    let rig = PairingRig()
    #expect(
      try rig.authorised(deal.jb2 { $0.terms.archive = Actor.archive.publicKey }) == ["refuse mismatch"])
    #expect(try rig.authorised(deal.jb2 { $0.bank = Actor.otherBank.publicKey }) == ["refuse mismatch"])
    #expect(try rig.authorised(deal.jb2 { $0.terms.value = Money("EUR:1")! }) == ["refuse wrongValue"])
    #expect(try rig.authorised(deal.jb2(), facts: Tokens.facts { $0.spent = 1000 }) == ["refuse spent"])
    #expect(try rig.authorised(deal.jb2(), facts: Tokens.facts { $0.locked = 1 }) == ["refuse locked"])
    #expect(try rig.authorised(deal.jb2(), at: Times.expiration - 3601) == ["refuse expirationCap"])
    #expect(try rig.submitted(deal.jb3(), cap: 100) == ["refuse expirationCap"])
    #expect(rig.machine.phase == .absent)
  }

  @Test("no answer to the merchant names a token, and none to the customer gives k without a commit")
  func secrets() throws {
    let deal = CompactDeal()
    func shows(_ rig: PairingRig, _ secret: [UInt8]) -> Bool {
      rig.effects.contains { effect in
        switch effect {
        case .reply(let bytes), .send(let bytes, _), .publish(let bytes, _, _), .receipt(let bytes, _, _, _):
          bytes.contains(secret)
        case .refuse(let denial): denial.proof.contains { $0.contains(secret) }
        default: false
        }
      }
    }
    let token = Tokens.token(.tokenOne).key.bytes
    for phase in [LockPhase.absent, .keyed, .lapsed, .locked, .settled, .released] {
      for event in [PairingEvent.jb3, .otherJB3, .lateJB3, .commit, .abort] {
        let rig = try rig(in: phase)
        _ = try event.happen(to: rig)
        #expect(!shows(rig, token), "\(event.rawValue) when \(phase)")
      }
      for event in PairingEvent.allCases {
        let rig = try rig(in: phase)
        _ = try event.happen(to: rig)
        let isCommitted = rig.machine.phase == .settled
        #expect(!shows(rig, Sale.k) || isCommitted, "\(event.rawValue) when \(phase)")
      }
    }
    let keyed = try rig(in: .keyed)
    try keyed.authorised(deal.jb2 { $0.terms.hx = digest(1) })
    #expect(!shows(keyed, Sale.k))
  }
}
