// What a timestamp authority's word does in court: it dates, and never convicts.

import Judge
import Messages
import Testing

/// Tokens of the tests: the authority's key, and when, in the clear. Real ones are CertificationTests'.
enum Stamp {
  static func token(by authority: PublicKey, at time: Timestamp, accuracy: UInt8 = 1) -> [UInt8] {
    let digits = Array("\(time)".utf8)
    return authority.bytes + [accuracy] + digits + filled(0, 31 - digits.count)
  }

  static let date: Judge.StampCheck = { stamp, authority, _ in
    guard stamp.token.prefix(32) == authority.key.bytes[...],
      let time = Timestamp(String(decoding: stamp.token[33...].prefix { $0 > 0 }, as: UTF8.self))
    else { return nil }
    return StampDate(at: time, accuracySeconds: UInt64(stamp.token[32]))
  }
}

@Suite("Timestamps in court")
struct StampTests {
  private let sale = Sale()
  private let authority = PublicKey(filled(0x77))!
  private let revokedAt = Times.now + 100

  private func list(_ change: (inout TrustEntry) -> Void = { _ in }) -> TrustList {
    trustList {
      var entry = TrustEntry(
        role: .timestamp, name: "tsa", key: authority, from: Times.now - 1000, until: Times.lifetime)
      change(&entry)
      $0.entries.append(entry)
      $0.change(.bank) { $0.revokedAt = revokedAt }
    }
  }

  private func stamp(
    _ files: [[UInt8]], at time: Timestamp = Times.now + 50, by key: PublicKey? = nil
  ) throws -> [UInt8] {
    let token = Stamp.token(by: key ?? authority, at: time)
    return try EvidenceTimestamp(token: token, over: files.map { Hash(of: $0) }).encoded()
  }

  @Test("locks of a bank whose key is revoked since count if an authority saw them before")
  func undated() throws {
    let locks = [try sale.p3().bytes, try sale.p3 { $0.value = Money("EUR:1")! }.bytes]
    let dated = Exhibits(locks + [try stamp(locks)], trust: list())
    try expectConviction(dated, .lockedTwice, .bank)
    try expectAllNeeded(dated, .lockedTwice)
    let others: [(String, [[UInt8]], TrustList)] = [
      ("no timestamp", [], list()),
      ("one of them only", [try stamp([locks[0]])], list()),
      ("of something else", [try stamp([filled(1)])], list()),
      ("seen after the revocation", [try stamp(locks, at: revokedAt)], list()),
      ("perhaps seen after the revocation", [try stamp(locks, at: revokedAt - 1)], list()),
      ("of an authority that nobody knows", [try stamp(locks, by: Actor.stranger.key)], list()),
      ("of somebody in another role", [try stamp(locks, by: Actor.witness.key)], list()),
      ("before the authority counted", [try stamp(locks)], list { $0.from = Times.now + 51 }),
      ("after the authority counted", [try stamp(locks)], list { $0.until = Times.now + 50 }),
      ("the authority's key was revoked", [try stamp(locks)], list { $0.revokedAt = Times.now + 51 }),
    ]
    for (name, stamps, trust) in others { try expectAcquittal(Exhibits(locks + stamps, trust: trust), name) }
    try expectConviction(
      Exhibits(locks + [try stamp(locks, at: revokedAt - 2)], trust: list()), .lockedTwice, .bank)
  }

  @Test("a timestamp inside a bundle's stead dates what is inside the message, too")
  func nested() throws {
    let (p3, other) = (try sale.p3(), try sale.p3 { $0.value = Money("EUR:1")! })
    let refusal = try Actor.archive.sign(
      Refusal(
        at: Times.now + 20, reason: .locked, hRequest: digest(1), proof: [p3.bytes, other.bytes], detail: nil)
    ).bytes
    try expectAcquittal(Exhibits([refusal], trust: list()), "nothing dates them")
    try expectConviction(Exhibits([refusal, try stamp([refusal])], trust: list()), .lockedTwice, .bank)
  }

  @Test("a late timestamp takes nothing away, and one alone convicts nobody")
  func harmless() throws {
    let locks = [try sale.p3().bytes, try sale.p3 { $0.value = Money("EUR:1")! }.bytes]
    for time in [Times.now + 50, Times.lifetime - 10] {
      for ended in [false, true] {
        let trust = trustList {
          $0.entries.append(
            TrustEntry(role: .timestamp, name: "tsa", key: authority, from: 1, until: Times.lifetime))
          if ended { $0.change(.bank) { $0.until = Times.expiration + 1 } }
        }
        try expectConviction(
          Exhibits(locks + [try stamp(locks, at: time)], trust: trust), .lockedTwice, .bank, "at \(time)")
      }
    }
    let files = [try sale.p3().bytes, try sale.p5a().bytes]
    let alone = try Exhibits(files + [try stamp(files)], trust: list()).judged()
    #expect(!alone.convicts)
    #expect(
      alone.dated.map(\.text).sorted() == [
        "P3 existed by then, as tsa says", "P4 existed by then, as tsa says",
        "P5a existed by then, as tsa says",
      ])
    #expect(alone.dated.allSatisfy { $0.at == Times.now + 51 })
    // The earlier of two counts, whatever their order.
    let two = [try stamp(files, at: Times.now + 80), try stamp(files, at: Times.now + 50)]
    for stamps in [two, two.reversed()] {
      #expect(try Exhibits(files + stamps, trust: list()).judged().dated == alone.dated)
    }
  }

  @Test("what nobody of the list dated is set aside, and said to be")
  func setAside() throws {
    let file = try stamp([try sale.p3().bytes], by: Actor.stranger.key)
    let judgment = try Exhibits([try sale.p3().bytes, file], trust: list()).judged()
    #expect(judgment.dated.isEmpty)
    #expect(judgment.setAside.contains { $0.what == "Timestamp" && $0.message == Hash(of: file) })
  }

  @Test("a dated checkpoint dates the outcomes that its log shows, and no others")
  func checkpoint() throws {
    let commit = try sale.p5a()
    let p4 = try Verified<P4>(stored: commit.payload.submission)
    let leaf = LogLeaf(
      kind: .commit, at: commit.payload.at, subject: LogLeaf.transaction(p4.signer, p4.payload.n),
      lock: p4.payload.lock, body: commit.hash)
    func note(_ root: Hash, by actor: Actor = .archive) throws -> [UInt8] {
      let checkpoint = Checkpoint(origin: "archive.example/log", size: 1, root: root)
      let log = try NoteKey(name: checkpoint.origin, kind: .log, publicKey: actor.key)
      return try actor.withKey { (signing) throws(MessageError) in
        try checkpoint.signed(as: log, with: signing)
      }
    }
    let proof = TlogProof.text(index: 0, path: [], checkpoint: try note(leaf.hash), extra: leaf.encoded)
    func dated(_ checkpoint: [UInt8], _ proof: [UInt8]) throws -> [String] {
      let stamp = EvidenceTimestamp(
        token: Stamp.token(by: authority, at: Times.now + 50), checkpoint: checkpoint)
      return try Exhibits([commit.bytes, proof, try stamp.encoded()], trust: list()).judged().dated
        .map(\.text)
    }
    let all = ["P4 existed by then, as tsa says", "P5a existed by then, as tsa says"]
    #expect(try dated(note(leaf.hash), proof) == all)
    #expect(try dated(note(digest(3)), proof) == [])
    #expect(try dated(note(leaf.hash, by: .otherArchive), proof) == [])
    let other = LogLeaf(
      kind: .commit, at: leaf.at, subject: leaf.subject, lock: leaf.lock, body: digest(1))
    let elsewhere = TlogProof.text(index: 0, path: [], checkpoint: try note(other.hash), extra: other.encoded)
    #expect(try dated(note(leaf.hash), elsewhere) == [])
  }
}
