// Each check of P2, with one broken field at a time.

import Messages
import Parties
import Testing

/// One way in which a P2 is wrong, and why the bank has to refuse it.
struct BrokenP2: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let reason: Reason
  let change: @Sendable (inout P2) -> Void
  let fact: @Sendable (inout TokenFacts) -> Void
  let trust: @Sendable (inout TrustList) -> Void
  let at: Timestamp

  static let all: [BrokenP2] = terms + tokens + keys

  init(
    testDescription: String, reason: Reason, change: @escaping @Sendable (inout P2) -> Void = { _ in },
    fact: @escaping @Sendable (inout TokenFacts) -> Void = { _ in },
    trust: @escaping @Sendable (inout TrustList) -> Void = { _ in }, at: Timestamp = Times.now
  ) {
    (self.testDescription, self.reason, self.at) = (testDescription, reason, at)
    (self.change, self.fact, self.trust) = (change, fact, trust)
  }

  private static let terms: [BrokenP2] = [
    BrokenP2(testDescription: "another bank", reason: .mismatch) { $0.bank = Actor.otherBank.publicKey },
    BrokenP2(testDescription: "at its expiration", reason: .expired, at: Times.expiration),
    BrokenP2(testDescription: "long expired", reason: .expired, at: Times.expiration + 5000),
    BrokenP2(testDescription: "over the cap", reason: .expirationCap) {
      $0.terms.expiration = Times.now + 3601
    },
    BrokenP2(testDescription: "the lifetime ends first", reason: .lifetime) {
      $0.terms.lifetime = $0.terms.expiration - 1
    },
    BrokenP2(testDescription: "the lifetime leaves too little time for an abort", reason: .lifetime) {
      $0.terms.lifetime = $0.terms.expiration + 3599
    },
    BrokenP2(testDescription: "a value above the tokens", reason: .wrongValue) {
      $0.terms.value = Money("EUR:12.35")!
    },
    BrokenP2(testDescription: "a value below the tokens", reason: .wrongValue) {
      $0.terms.value = Money("EUR:12.33")!
    },
    BrokenP2(testDescription: "another currency", reason: .wrongValue) {
      $0.terms.value = Money("USD:12.34")!
    },
  ]

  private static let tokens: [BrokenP2] = [
    BrokenP2(testDescription: "a token twice", reason: .badToken) {
      $0.tokenInputs[1].token = $0.tokenInputs[0].token
    },
    BrokenP2(testDescription: "a token of another bank", reason: .badToken) {
      $0.tokenInputs[0].token.bank = Actor.otherBank.publicKey
    },
    BrokenP2(testDescription: "a token of an issuer without clearing", reason: .unsupported) {
      $0.tokenInputs[0].token.issuer = Actor.otherBank.publicKey
    },
    BrokenP2(
      testDescription: "an unknown denomination", reason: .denomination, fact: { $0.denomination = nil }),
    BrokenP2(testDescription: "a forged token", reason: .badToken, fact: { $0.signatureHolds = false }),
    BrokenP2(testDescription: "a spent token", reason: .spent, fact: { $0.spent = 1 }),
    BrokenP2(testDescription: "a locked token", reason: .locked, fact: { $0.locked = 1 }),
    BrokenP2(
      testDescription: "a token that ends with the lifetime", reason: .lifetime,
      fact: { $0.denomination!.spendUntil = Times.lifetime }),
    BrokenP2(testDescription: "more than a token is worth", reason: .spent) {
      $0.tokenInputs[0].amount = 1001
      $0.terms.value = Money("EUR:12.35")!
    },
  ]

  private static let keys: [BrokenP2] = [
    BrokenP2(testDescription: "an unknown merchant", reason: .untrusted) {
      $0.terms.merchant = Actor.stranger.publicKey
    },
    BrokenP2(testDescription: "an unknown archive", reason: .untrusted) {
      $0.terms.archive = Actor.stranger.publicKey
    },
    BrokenP2(testDescription: "a merchant as archive", reason: .untrusted) {
      $0.terms.archive = Actor.merchant.publicKey
    },
    BrokenP2(
      testDescription: "a merchant whose window ends with the lifetime", reason: .untrusted,
      trust: { $0.change(.merchant) { $0.until = Times.lifetime } }),
    BrokenP2(
      testDescription: "an archive whose window has not begun", reason: .untrusted,
      trust: { $0.change(.archive) { $0.from = Times.now + 1 } }),
    BrokenP2(
      testDescription: "a revoked merchant", reason: .untrusted,
      trust: { $0.change(.merchant) { $0.revokedAt = Times.now } }),
    BrokenP2(
      testDescription: "an archive revoked within the lifetime", reason: .untrusted,
      trust: { $0.change(.archive) { $0.revokedAt = Times.lifetime } }),
    BrokenP2(
      testDescription: "an archive that is only a record", reason: .untrusted,
      trust: { $0.change(.archive) { $0.sealingKey = nil } }),
  ]
}

extension TrustList {
  /// Changes the entries of one party.
  mutating func change(_ actor: Actor, _ body: (inout TrustEntry) -> Void) {
    for index in entries.indices where entries[index].key == actor.publicKey { body(&entries[index]) }
  }
}

@Suite("The bank's checks of P2")
struct BankChecksTests {
  @Test("a P2 with one fault is refused for it, and nothing is locked", arguments: BrokenP2.all)
  func refused(broken: BrokenP2) throws {
    let rig = BankRig()
    let p2 = try Sale().p2(broken.change)
    let effects = try rig.authorised(
      p2, facts: Tokens.facts(p2.payload.tokenInputs, broken.fact), trust: trustList(broken.trust),
      at: broken.at)
    #expect(effects == ["refuse \(broken.reason)"])
    #expect(rig.machine.phase == .absent)
    #expect(rig.kept.isEmpty)
  }

  @Test("a P2 may follow one that was refused")
  func after() throws {
    let rig = BankRig()
    try rig.authorised(Sale().p2 { $0.terms.value = Money("EUR:1")! })
    try rig.authorised(Sale().p2())
    #expect(rig.machine.phase == .locked)
  }

  @Test("the limits themselves are allowed")
  func limits() throws {
    let last = BankRig()
    try last.authorised(Sale().p2(), at: Times.expiration - 1)
    #expect(last.machine.phase == .locked)
    let cap = BankRig()
    try cap.authorised(Sale().p2 { $0.terms.expiration = Times.now + 3600 })
    #expect(cap.machine.phase == .locked)
    let rest = BankRig()
    let facts = Tokens.facts {
      $0.denomination!.value = Money("EUR:12")!
      ($0.spent, $0.locked) = (150, 50)
    }
    try rest.authorised(Sale().p2(), facts: facts)
    #expect(rest.machine.phase == .locked)
  }

  @Test("a refusal for a used token shows what used it")
  func proof() throws {
    let use = try Sale().p2().bytes
    for spent in [UInt64(0), 1000] {
      let rig = BankRig()
      try rig.authorised(Sale().p2()) {
        $0.spent = spent
        $0.locked = 1000 - spent
        $0.uses = [use]
      }
      guard case .refuse(let denial) = rig.effects[0] else { throw Unexpected() }
      #expect(denial.reason == (spent == 0 ? .locked : .spent))
      #expect(denial.proof == [use])
    }
  }
}

extension BankRig {
  fileprivate func authorised(_ p2: Verified<P2>, fact: (inout TokenFacts) -> Void) throws {
    try authorised(p2, facts: Tokens.facts(p2.payload.tokenInputs, fact))
  }
}
