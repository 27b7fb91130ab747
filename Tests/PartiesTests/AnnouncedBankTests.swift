// The bank's and the archive's side of an announced purchase, and attack 13.

import Messages
import Parties
import Testing

@Suite("The bank's lock of an announced token")
struct AnnouncedBankTests {
  private let deal = AnnouncedDeal()
  private static let lock = [
    "keep A3", "keep A3p", "keep A4", "keep PO", "keep A7", "enter locked", "lock 864", "send A7 to merchant",
    "reply A7",
  ]

  @Test("the claim locks the token once; the same again gets the same 7, another is refused")
  func locks() throws {
    let rig = AnnouncedBankRig()
    #expect(try rig.claimed(deal.claim()) == Self.lock)
    #expect(rig.machine.p3?.payload.terms == (try deal.a7().payload.terms))
    #expect(try rig.machine.p3?.payload.hAnnounced == deal.published().hash)
    #expect(try rig.claimed(deal.claim()) == ["reply A7"])
    #expect(try rig.claimed(deal.claim(), at: Times.lifetime + 9) == ["reply A7"], "whatever the clock says")
    let other = try deal.announcement { $0.expiration -= 1 }
    #expect(try rig.claimed(deal.claim(other)) == ["refuse nReused"])
  }

  @Test("only 9a and 9b of this lock end it")
  func ends() throws {
    let settle = ["keep A9a", "enter settled", "spend", "credit merchant EUR:8.64", "confirm credit"]
    let release = ["keep A9b", "enter released", "release", "reply A9b"]
    for (outcome, other, effects) in [
      (try deal.commit(), try deal.abort(), settle), (try deal.abort(), try deal.commit(), release),
    ] {
      let rig = AnnouncedBankRig()
      #expect(try rig.decided(outcome) == ["refuse unknownTransaction"])
      try rig.claimed(deal.claim())
      #expect(try rig.decided(deal.commit(by: .otherArchive)) == ["refuse mismatch"])
      #expect(try rig.decided(deal.commit(deal.a8 { $0.key = filled(1) })) == ["refuse mismatch"])
      #expect(try rig.decided(deal.commit(at: Times.expiration)) == ["refuse mismatch"])
      #expect(try rig.decided(deal.abort(at: Times.expiration - 1)) == ["refuse mismatch"])
      #expect(try rig.decided(outcome) == effects)
      #expect(try rig.decided(other).first == "keep Evidence")
    }
  }

  @Test("a claim with one fault is refused for it, and locks nothing")
  func faults() throws {
    func reason(
      _ claim: Claim, facts: (inout TokenFacts) -> Void = { _ in }, trust: TrustList = trustList(),
      cap: UInt64 = 3600, at now: Timestamp = Times.now + 9, by bank: Actor = .bank
    ) throws -> Reason? {
      let rig = AnnouncedBankRig()
      _ = try rig.claimed(claim, facts: facts, trust: trust, cap: cap, at: now, by: bank)
      #expect(rig.machine.phase == (rig.effects.count == 1 ? .absent : .locked))
      guard case .refuse(let denial)? = rig.effects.first else { return nil }
      return denial.reason
    }
    func announced(_ change: (inout Announcement) -> Void) throws -> Claim {
      try deal.claim(deal.announcement(change))
    }
    #expect(try reason(deal.claim()) == nil)
    #expect(try reason(announced { $0.hPO = digest(1) }) == .mismatch)
    #expect(try reason(announced { $0.merchant = Actor.stranger.publicKey }) == .mismatch)
    #expect(try reason(announced { $0.archive = Actor.otherArchive.publicKey }) == .unsupported)
    #expect(try reason(announced { $0.value = Money("EUR:8.63")! }) == .wrongValue)
    #expect(try reason(announced { $0.expiration += 1 }) == .expirationCap)
    #expect(try reason(announced { $0.token.archive = Actor.archive.publicKey }) == .badToken)
    #expect(try reason(announced { $0.token.bank = Actor.otherBank.publicKey }) == .unsupported)
    #expect(try reason(deal.claim(nil, deal.consent { $0.n = TransactionID(filled(1, 16))! })) == .mismatch)
    #expect(try reason(deal.claim(nil, deal.consent { $0.merchant = Actor.stranger.publicKey })) == .mismatch)
    #expect(try reason(deal.claim(published: deal.published(by: .otherArchive))) == .mismatch)
    #expect(try reason(deal.claim(published: deal.published(at: Times.expiration))) == .mismatch)
    #expect(try reason(deal.claim(), at: Times.expiration) == .expired)
    #expect(try reason(deal.claim(), cap: 590) == .expirationCap)
    #expect(try reason(deal.claim(), by: .otherBank) == .mismatch)
    #expect(try reason(deal.claim(), facts: { $0.spent = 200 }) == .spent)
    #expect(try reason(deal.claim(), facts: { $0.locked = 200 }) == .locked)
    #expect(try reason(deal.claim(), facts: { $0.signatureHolds = false }) == .badToken)
    #expect(try reason(deal.claim(), facts: { $0.denomination = nil }) == .denomination)
    let revoked = trustList { list in
      for index in list.entries.indices where list.entries[index].key == Actor.merchant.publicKey {
        list.entries[index].revokedAt = Times.now
      }
    }
    #expect(try reason(deal.claim(), trust: revoked) == .untrusted)
  }

  @Test("the claim is read as M sends it, and every message in it has to be signed by whom it says")
  func reading() throws {
    let trust = trustList()
    let claim = try deal.claim()
    #expect(try Claim(claim.bundle, trust: trust) == claim)
    func rule(_ claim: Claim) -> String? {
      let bundle = claim.bundle
      return refusal { () throws(MessageError) in try Claim(bundle, trust: trust) }
    }
    #expect(try rule(deal.claim(nil, deal.consent(by: .tokenTwo))) == "untrusted")
    #expect(try rule(deal.claim(nil, nil, deal.order(by: .stranger))) == "untrusted")
    #expect(try rule(deal.claim(published: deal.published(by: .stranger))) == "untrusted")
    let stolen = try deal.announcement(by: .stranger)
    #expect(try rule(deal.claim(stolen)) == "untrusted", "only t's key announces t")
  }
}

@Suite("The archive's side of an announced purchase")
struct AnnouncedArchiveTests {
  private let deal = AnnouncedDeal()

  private func denial(
    _ announcement: Verified<Announcement>, by archive: Actor = .archive, at now: Timestamp = Times.now,
    trust: TrustList = trustList(), facts: TokenFacts = Tokens.fresh
  ) -> Reason? {
    AnnouncementDesk.check(
      announcement, facts: facts, archive: archive.publicKey, trust: trust, at: now)?.reason
  }

  @Test("an announcement is published for this archive, in time, and between parties that are trusted")
  func announcements() throws {
    #expect(try denial(deal.announcement()) == nil)
    #expect(try denial(deal.announcement(), by: .otherArchive) == .mismatch)
    #expect(try denial(deal.announcement(), at: Times.expiration) == .tooLate)
    #expect(try denial(deal.announcement { $0.merchant = Actor.stranger.publicKey }) == .untrusted)
    #expect(try denial(deal.announcement { $0.token.bank = Actor.stranger.publicKey }) == .untrusted)
    #expect(try denial(deal.announcement(by: .stranger)) == .untrusted)
    // What no bank signed takes no room.
    var facts = Tokens.fresh
    facts.signatureHolds = false
    #expect(try denial(deal.announcement(), facts: facts) == .badToken)
    facts.denomination = nil
    #expect(try denial(deal.announcement(), facts: facts) == .denomination)
  }

  /// What the archive says to 8 at a time.
  private func submitted(_ submission: Submitted<AnnouncedMode>, at now: Timestamp = Times.now + 20) throws
    -> [String]
  {
    var machine = ArchiveTransaction<AnnouncedMode>(submission.p3, outcome: nil)
    return try Actor.archive.withKey {
      try machine.submitted(submission, otherCommit: nil, at: now, key: $0).map(\.summary)
    }
  }

  @Test("8 is committed before the expiry, with k and the word of t's key; otherwise not")
  func submissions() throws {
    #expect(try submitted(deal.submission()).first == "publish A9a")
    #expect(try submitted(deal.submission(), at: Times.expiration) == ["refuse tooLate"])
    #expect(try submitted(deal.submission(deal.a8 { $0.key = filled(1) })) == ["refuse wrongKey"])
    for consent in [
      try deal.consent(by: .tokenTwo), try deal.consent { $0.hPO = digest(1) },
      try deal.consent { $0.n = TransactionID(filled(1, 16))! },
    ] {
      #expect(try submitted(deal.submission(deal.a8 { $0.consent = consent.bytes })) == ["refuse mismatch"])
    }
    let trust = trustList()
    let lock = try deal.a7()
    let more = Bundle([try deal.a8(lock).bytes, lock.bytes, lock.bytes])
    let rule = refusal { () throws(MessageError) in
      try Submitted<AnnouncedMode>(more, trust: trust, at: Times.now)
    }
    #expect(rule == "field-range")
  }

  @Test("without a commit t returns to its owner at the expiry, on anybody's request")
  func aborts() throws {
    var machine = ArchiveTransaction<AnnouncedMode>(try deal.a7(), outcome: nil)
    func request(at now: Timestamp) throws -> [String] {
      try Actor.archive.withKey { try machine.abortRequested(at: now, key: $0).map(\.summary) }
    }
    #expect(try request(at: Times.expiration - 1) == ["refuse tooEarly"])
    #expect(try request(at: Times.expiration).first == "publish A9b")
    let submission = try deal.submission()
    let late = try Actor.archive.withKey {
      try machine.submitted(submission, otherCommit: nil, at: Times.expiration, key: $0).map(\.summary)
    }
    #expect(late == ["refuse aborted"])
  }
}

@Suite("Attack 13: whoever saw t")
struct AnnouncedAttackTests {
  private let deal = AnnouncedDeal()

  /// t is public: a stranger reads it in the record and announces it for a sale of a confederate's.
  private func stolen(signedBy actor: Actor) throws -> Claim {
    let announcement = try deal.announcement(by: actor)
    return Claim(
      published: try deal.published(announcement), announcement: announcement,
      consent: try deal.consent(by: actor), order: try deal.order())
  }

  @Test("13: a stranger's announcement of t is not published, and not locked upon")
  func strangersAnnouncement() throws {
    let claim = try stolen(signedBy: .stranger)
    let archive = Actor.archive.publicKey
    let denial = AnnouncementDesk.check(
      claim.announcement, facts: Tokens.fresh, archive: archive, trust: trustList(), at: Times.now)
    #expect(denial?.reason == .untrusted)
    let (bundle, trust) = (claim.bundle, trustList())
    #expect(refusal { () throws(MessageError) in try Claim(bundle, trust: trust) } == "untrusted")
    // Without the rule that message 3 and 4 are signed by sign_t, the bank would lock t for the stranger.
    #expect(
      try AnnouncedBankRig().claimed(claim).contains("enter locked"), "the signer is all that protects t")
  }

  @Test("13: a claim without the owner's word for this very order locks nothing")
  func noConsent() throws {
    let other = try deal.order { $0.hx = digest(9) }
    let consent = try Actor.tokenOne.sign(
      Consent(n: Sale.n, merchant: Actor.merchant.publicKey, hPO: other.hash))
    #expect(try AnnouncedBankRig().claimed(deal.claim(nil, consent, other)) == ["refuse mismatch"])
    let announced = try deal.announcement { $0.hPO = other.hash }
    #expect(try AnnouncedBankRig().claimed(deal.claim(announced, consent, other)).contains("enter locked"))
  }

  @Test("13: t without an expiry would be anybody's for ever; with it, it is its owner's again")
  func expiry() throws {
    #expect(try AnnouncedBankRig().claimed(deal.claim(), at: Times.expiration) == ["refuse expired"])
    let rig = AnnouncedBankRig()
    try rig.claimed(deal.claim())
    #expect(try rig.decided(deal.abort()).contains("release"))
    let endless = try deal.announcement { $0.expiration = Times.lifetime }
    let order = try deal.order { $0.expiration = Times.lifetime }
    let claim = try deal.claim(
      deal.announcement {
        $0.expiration = endless.payload.expiration
        $0.hPO = order.hash
      }, deal.consent { $0.hPO = order.hash }, order)
    #expect(try AnnouncedBankRig().claimed(claim) == ["refuse expirationCap"], "the bank's cap bounds it too")
  }

  @Test("13: t is no bearer secret: nothing but 9a pays, and t serves one lock")
  func noBearer() throws {
    let rig = AnnouncedBankRig()
    try rig.claimed(deal.claim())
    // The submission itself, with k, the lock and S_t(PO), is worth nothing without the archive's record.
    let a8 = try deal.a8()
    #expect(throws: MessageError.self) { try Outcome<AnnouncedMode>(a8.bytes, trust: trustList()) }
    #expect(try rig.decided(deal.commit(by: .otherArchive)) == ["refuse mismatch"])
    #expect(rig.machine.phase == .locked)
    #expect(
      try AnnouncedBankRig().claimed(deal.claim(), facts: { $0.locked = 864 }) == ["refuse locked"],
      "a second sale of the same token")
  }
}
