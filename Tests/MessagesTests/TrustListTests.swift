// Whom a trust list vouches for, as what, and when.

import Messages
import Testing

@Suite("Trust lists")
struct TrustListTests {
  private func entry(
    _ role: Role = .bank, _ actor: Actor = .bank, from: Timestamp = 100, until: Timestamp = 200,
    revokedAt: Timestamp? = nil
  ) -> TrustEntry {
    TrustEntry(
      role: role, name: "entry", key: actor.publicKey, from: from, until: until, revokedAt: revokedAt)
  }

  private func rule(
    _ entries: [TrustEntry], _ actor: Actor = .bank, as role: Role = .bank, at time: Timestamp
  ) -> String? {
    let list = Samples.trustList(entries)
    return refusal { () throws(MessageError) in
      try list.check(actor.publicKey, as: role, at: time, subject: "test")
    }
  }

  @Test("a window includes its beginning and not its end")
  func halfOpen() {
    #expect(rule([entry()], at: 99) == "expired")
    #expect(rule([entry()], at: 100) == nil)
    #expect(rule([entry()], at: 199) == nil)
    #expect(rule([entry()], at: 200) == "expired")
  }

  @Test("a key counts in its role alone, and no other key counts")
  func role() {
    #expect(rule([entry()], as: .archive, at: 150) == "untrusted")
    #expect(rule([entry()], .stranger, at: 150) == "untrusted")
    #expect(rule([], at: 150) == "untrusted")
    #expect(rule([entry(.archive), entry(.bank)], at: 150) == nil)
  }

  @Test("what a key signed before its revocation still counts")
  func revoked() {
    let revoked = entry(revokedAt: 150)
    #expect(rule([revoked], at: 149) == nil)
    #expect(rule([revoked], at: 150) == "revoked")
    #expect(rule([revoked], at: 250) == "revoked")
  }

  @Test("of several entries for a key and role, one window has to fit")
  func severalWindows() {
    let windows = [entry(), entry(from: 300, until: 400)]
    #expect(rule(windows, at: 150) == nil)
    #expect(rule(windows, at: 250) == "expired")
    #expect(rule(windows, at: 350) == nil)
    #expect(rule(windows.reversed(), at: 150) == nil)
    #expect(rule(windows.reversed(), at: 350) == nil)
  }

  @Test("witnesses are those that count at the time, and their quorum is the list's, or more than half")
  func witnesses() throws {
    var list = Samples.trustList([
      entry(.witness, .bank), entry(.witness, .archive), entry(.witness, .merchant, from: 150),
      entry(.witness, .stranger, revokedAt: 120), entry(.archive, .pseudonym),
    ])
    #expect(list.witnesses(at: 110) == Set([Actor.bank, .archive, .stranger].map(\.publicKey)))
    #expect(list.witnesses(at: 130) == Set([Actor.bank, .archive].map(\.publicKey)))
    #expect([110, 130, 160, 200].map { list.witnessQuorum(at: $0) } == [2, 2, 2, 1])
    #expect(list.witnesses(at: 200).isEmpty, "and of none nobody certifies anything")
    list.quorum = 3
    #expect(list.witnessQuorum(at: 130) == 3)
    let signed = try Actor.authority.sign(list)
    #expect(try Verified<TrustList>(signed.bytes, by: .key(signed.signer)).payload.quorum == 3)
  }

  @Test("of several entries for a key and role, none may revoke it")
  func severalRevoked() {
    let entries = [entry(until: 400), entry(from: 300, until: 400, revokedAt: 350)]
    #expect(rule(entries, at: 349) == nil)
    #expect(rule(entries, at: 350) == "revoked")
    #expect(rule(entries.reversed(), at: 350) == "revoked")
    let otherRole = [entry(until: 400), entry(.archive, revokedAt: 150)]
    #expect(rule(otherRole, at: 160) == nil)
  }

  @Test("a message counts only if the list trusts its signer at that time")
  func messages() throws {
    let list = Samples.trustList([entry()])
    let p3 = try Actor.bank.sign(P3(terms: Samples.terms))
    #expect(try Verified<P3>(p3.bytes, by: .trusted(list, as: .bank, at: 150)) == p3)
    for (role, time, expected) in [
      (Role.bank, 200, "expired"), (.merchant, 150, "untrusted"),
    ] as [(Role, Timestamp, String)] {
      let rule = refusal { () throws(MessageError) in
        try Verified<P3>(p3.bytes, by: .trusted(list, as: role, at: time))
      }
      #expect(rule == expected)
    }
  }

  @Test("a list is read with its signature, for the pinned authority alone")
  func loaded() throws {
    let bytes = try Actor.authority.sign(Samples.trustList([entry()])).bytes
    let loaded = try LoadedTrust(bytes, authority: Actor.authority.publicKey)
    #expect(loaded.authority == Actor.authority.publicKey)
    #expect(loaded.bytes == bytes)
    #expect(try LoadedTrust(bytes).list == loaded.list)
    let pinned = Actor.stranger.publicKey
    #expect(refusal { () throws(MessageError) in try LoadedTrust(bytes, authority: pinned) } == "untrusted")
    var damaged = bytes
    damaged[damaged.count - 1] ^= 1
    let changed = damaged
    #expect(refusal { () throws(MessageError) in try LoadedTrust(changed) } == "authentication")
  }

  @Test("a list with a key of small order is refused")
  func smallOrder() throws {
    var weak = entry()
    weak.key = PublicKey([1] + filled(0, 31))!
    let bytes = try Actor.authority.sign(Samples.trustList([entry(), weak])).bytes
    #expect(refusal { () throws(MessageError) in try LoadedTrust(bytes) } == "bad-key")
  }
}
