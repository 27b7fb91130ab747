// The bank's machine in every state and with every event.

import Messages
import Parties
import Testing

/// What can happen to a bank's lock.
enum BankEvent: String, CaseIterable, Sendable {
  case p2 = "P2"
  case p2Again = "P2, signed in another order"
  case otherP2 = "another P2 of the same n"
  case commit, abort, cancelled
  case earlyAbort = "early abort without a Cancel"
  case foreignCommit = "commit of another lock"
  case foreignAbort = "abort of another lock"

  func happen(to rig: BankRig) throws -> [String] {
    let sale = Sale()
    let foreign = try sale.p3(by: .otherBank)
    switch self {
    case .p2: return try rig.authorised(sale.p2())
    case .p2Again: return try rig.authorised(sale.p2(reversed: true))
    case .otherP2: return try rig.authorised(sale.p2 { $0.terms.expiration -= 1 })
    case .commit: return try rig.decided(.committed(sale.p5a()))
    case .abort: return try rig.decided(.aborted(sale.p5b()))
    case .earlyAbort:
      let early = try sale.p5b(at: Times.now + 9, failed: .cancelled) { $0.cancel = nil }
      return try rig.decided(.aborted(early))
    case .cancelled: return try rig.decided(.aborted(sale.p5b(at: Times.now + 9, failed: .cancelled)))
    case .foreignCommit: return try rig.decided(.committed(sale.p5a(sale.p4(foreign))))
    case .foreignAbort: return try rig.decided(.aborted(sale.p5b(foreign)))
    }
  }
}

@Suite("The bank's lock")
struct BankLockTests {
  private static let lock = [
    "keep P2", "keep P3", "enter locked", "lock 1000", "lock 234", "send P3 to merchant", "reply P3",
  ]
  private static let settle = [
    "keep P5a", "enter settled", "spend", "credit merchant EUR:12.34", "confirm credit",
  ]
  private static let release = ["keep P5b", "enter released", "release", "reply P5b"]

  /// What has to follow, by phase and event.
  private static let expected: [LockPhase: [BankEvent: (effects: [String], phase: LockPhase)]] = [
    .absent: [
      .p2: (lock, .locked), .p2Again: (lock, .locked), .otherP2: (lock, .locked),
      .commit: (["refuse unknownTransaction"], .absent), .abort: (["refuse unknownTransaction"], .absent),
      .cancelled: (["refuse unknownTransaction"], .absent),
      .foreignCommit: (["refuse unknownTransaction"], .absent),
      .foreignAbort: (["refuse unknownTransaction"], .absent),
      .earlyAbort: (["refuse unknownTransaction"], .absent),
    ],
    .locked: [
      .p2: (["reply P3"], .locked), .p2Again: (["reply P3"], .locked),
      .otherP2: (["refuse nReused"], .locked), .commit: (settle, .settled), .abort: (release, .released),
      .cancelled: (release, .released), .foreignCommit: (["refuse mismatch"], .locked),
      .foreignAbort: (["refuse mismatch"], .locked), .earlyAbort: (["refuse mismatch"], .locked),
    ],
    .settled: [
      .p2: (["reply P3"], .settled), .p2Again: (["reply P3"], .settled),
      .otherP2: (["refuse nReused"], .settled), .commit: (["confirm credit"], .settled),
      .abort: (["keep Evidence", "refuse committed"], .settled),
      .cancelled: (["keep Evidence", "refuse committed"], .settled),
      .foreignCommit: (["refuse mismatch"], .settled), .foreignAbort: (["refuse mismatch"], .settled),
      .earlyAbort: (["refuse mismatch"], .settled),
    ],
    .released: [
      .p2: (["reply P3"], .released), .p2Again: (["reply P3"], .released),
      .otherP2: (["refuse nReused"], .released),
      .commit: (["keep Evidence", "refuse aborted"], .released), .abort: (["reply P5b"], .released),
      .cancelled: (["reply P5b"], .released), .foreignCommit: (["refuse mismatch"], .released),
      .foreignAbort: (["refuse mismatch"], .released), .earlyAbort: (["refuse mismatch"], .released),
    ],
  ]

  private func rig(in phase: LockPhase) throws -> BankRig {
    let rig = BankRig()
    let path: [BankEvent] =
      switch phase {
      case .absent, .keyed, .lapsed: []
      case .locked: [.p2]
      case .settled: [.p2, .commit]
      case .released: [.p2, .abort]
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }

  @Test("each event has its one effect in each phase, also after a restart", arguments: BankEvent.allCases)
  func everyEvent(event: BankEvent) throws {
    for phase in [LockPhase.absent, .locked, .settled, .released] {
      let rig = try rig(in: phase)
      let expected = try #require(Self.expected[phase]?[event])
      #expect(try event.happen(to: rig) == expected.effects, "\(event.rawValue) when \(phase)")
      #expect(rig.machine.phase == expected.phase, "\(event.rawValue) when \(phase)")
    }
  }

  @Test("P3 says what P2 says, and the lock is named by its hash")
  func contents() throws {
    let rig = BankRig()
    let p2 = try Sale().p2()
    try rig.authorised(p2)
    let p3 = try #require(rig.p3)
    #expect(p3.payload.terms == p2.payload.terms)
    #expect(p3.signer == Actor.bank.publicKey)
    #expect(try Verified<P3>(p3.bytes, by: .key(Actor.bank.publicKey)) == p3)
    let locks = rig.effects.filter { if case .lock = $0 { true } else { false } }
    #expect(
      locks
        == Tokens.inputs.map {
          .lock(token: $0.token, value: Money("EUR:10")!, amount: $0.amount, lock: p3.hash)
        })
    #expect(rig.effects.contains(.keep(.p2, p2.bytes)))
  }

  @Test("the refusal of a second P2 shows the first")
  func reuseProof() throws {
    let rig = try rig(in: .locked)
    let first = try Sale().p2()
    _ = try BankEvent.otherP2.happen(to: rig)
    guard case .refuse(let denial) = rig.effects[0] else { throw Unexpected() }
    #expect(denial.proof == [first.bytes])
  }

  @Test("an outcome moves what its own lock holds, and nothing else")
  func settled() throws {
    let rig = try rig(in: .locked)
    let name = try #require(rig.p3).hash
    _ = try BankEvent.commit.happen(to: rig)
    let merchant = Actor.merchant.publicKey
    #expect(rig.effects.contains(.spend(lock: name)))
    #expect(rig.effects.contains(.credit(merchant: merchant, value: Sale.price, lock: name)))
    #expect(rig.effects.contains(.confirmCredit(merchant: merchant, value: Sale.price, lock: name)))
    let other = try self.rig(in: .locked)
    _ = try BankEvent.abort.happen(to: other)
    #expect(other.effects.contains(.release(lock: name)))
  }

  @Test("the bank's clock never unlocks anything")
  func noClock() throws {
    let rig = try rig(in: .locked)
    #expect(try rig.authorised(Sale().p2(), at: Times.lifetime + 1_000_000) == ["reply P3"])
    #expect(rig.machine.phase == .locked)
  }

  @Test("a phase without its messages is not taken up")
  func incomplete() throws {
    let sale = Sale()
    let all: [Label: [UInt8]] = [
      .p2: try sale.p2().bytes, .p3: try sale.p3().bytes, .p5a: try sale.p5a().bytes,
      .p5b: try sale.p5b().bytes,
    ]
    for (phase, needs) in [
      (LockPhase.locked, [Label.p2, .p3]), (.settled, [.p2, .p3, .p5a]), (.released, [.p2, .p3, .p5b]),
    ] {
      for label in needs {
        var kept = all
        kept[label] = nil
        let messages = kept
        let rule = refusal { () throws(MessageError) in
          try BankLock<CoreMode>(phase: phase, messages: messages)
        }
        #expect(rule == "missing-field", "\(phase) without \(label)")
      }
    }
  }
}

/// A test found another effect than the one that it is about.
struct Unexpected: Error {}
