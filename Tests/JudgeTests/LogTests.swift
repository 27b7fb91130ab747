// fin() in court: where the trust list demands an archive's log, its outcomes count against others only with
// a proof, and against the archive by its signature.

import Judge
import Messages
import Testing

/// A list that demands the archive's log, cosigned by the witness.
private func demanding(_ change: (inout TrustList) -> Void = { _ in }) -> TrustList {
  trustList {
    // Names without spaces, and keys that are sound.
    let log = try! NoteKey(name: "archive.example/log", kind: .log, publicKey: Actor.archive.key)
    let witness = try! NoteKey(name: "w.example", kind: .cosigner, publicKey: Actor.witness.key)
    $0.policy = "log \(log.vkey)\nwitness w \(witness.vkey)\nquorum w\n"
    change(&$0)
  }
}

/// The proof that a log of one entry has this one.
private func proof(
  of leaf: LogLeaf, at time: Timestamp = Times.now + 30, by witness: Actor = .witness
) throws -> [UInt8] {
  let checkpoint = Checkpoint(origin: "archive.example/log", size: 1, root: leaf.hash)
  let log = try NoteKey(name: checkpoint.origin, kind: .log, publicKey: Actor.archive.key)
  let key = try NoteKey(name: "w.example", kind: .cosigner, publicKey: witness.key)
  let text = try checkpoint.text()
  let note = try Actor.archive.withKey { (signing) throws(MessageError) in
    try checkpoint.signed(as: log, with: signing)
  }
  let line = try witness.withKey { (signing) throws(MessageError) in
    try signing.noteLine(key, over: text, at: time)
  }
  return TlogProof.text(index: 0, path: [], checkpoint: note + line)
}

private func leaf(_ p5a: Verified<P5a>) throws -> LogLeaf {
  let p4 = try Verified<P4>(stored: p5a.payload.submission)
  return LogLeaf(
    kind: .commit, at: p5a.payload.at, subject: LogLeaf.transaction(p4.signer, p4.payload.n),
    lock: p4.payload.lock, body: p5a.hash)
}

private func leaf(_ p5b: Verified<P5b>) -> LogLeaf {
  let said = p5b.payload
  return LogLeaf(
    kind: .abort, at: said.at, subject: LogLeaf.transaction(said.merchant, said.n), lock: said.lock,
    body: p5b.hash)
}

@Suite("The log in court")
struct LogTests {
  private let sale = Sale()

  @Test("a commit obliges a bank once the archive's log shows it")
  func notCredited() throws {
    let (p3, p5a) = (try sale.p3(), try sale.p5a())
    let files = [p3.bytes, p5a.bytes]
    let shown = try proof(of: leaf(p5a))
    try expectConviction(
      Exhibits(files + [shown], heard: [.bank], trust: demanding()), .notCredited, .bank)
    let others: [(String, [[UInt8]])] = [
      ("no proof", []), ("of another leaf", [try proof(of: leaf(try sale.p5a { $0.at += 1 }))]),
      ("cosigned by nobody of the policy", [try proof(of: leaf(p5a), by: .stranger)]),
      ("seen after the lifetime", [try proof(of: leaf(p5a), at: Times.lifetime)]),
      ("seen before it was made", [try proof(of: leaf(p5a), at: Times.now + 14)]),
    ]
    for (name, beside) in others {
      let exhibits = Exhibits(files + beside, heard: [.bank], trust: demanding())
      try expectAcquittal(exhibits, name)
      #expect(try exhibits.judged().findings(.notCredited) == [.undecided], Comment(rawValue: name))
      // Switched off: by a list without a policy the archive's signature is enough.
      try expectConviction(
        Exhibits(files + beside, heard: [.bank]), .notCredited, .bank, Comment(rawValue: name))
    }
  }

  @Test("a packed proof in a receipt counts, too")
  func receipt() throws {
    let p5a = try sale.p5a()
    let receipt = try Receipt(
      p1: sale.p1().bytes, p5a: p5a.bytes, description: nil, proof: TlogProof.packed(proof(of: leaf(p5a))))
    let exhibits = Exhibits(
      [try sale.p3().bytes, try receipt.encoded()], heard: [.bank], trust: demanding())
    #expect(try exhibits.judged().findings(.notCredited) == [.convicted])
  }

  @Test("an abort that no log shows is no excuse for a bank, and one that it shows convicts the archive")
  func abort() throws {
    let (p3, p5a, p5b) = (try sale.p3(), try sale.p5a(), try sale.p5b())
    let files = try [p3.bytes, p5a.bytes, p5b.bytes, proof(of: leaf(p5a))]
    let hidden = try Exhibits(files, heard: [.bank], trust: demanding()).judged()
    #expect(hidden.verdicts.filter { $0.dispute == .notCredited }.map { $0.against?.key } == [Actor.bank.key])
    let shown = try files + [proof(of: leaf(p5b), at: Times.expiration)]
    let open = try Exhibits(shown, heard: [.bank], trust: demanding()).judged()
    #expect(
      open.verdicts.filter { $0.dispute == .notCredited }.map { $0.against?.key } == [Actor.archive.key])
  }

  @Test("both outcomes convict the archive by its signatures alone")
  func bothOutcomes() throws {
    let files = [try sale.p5a().bytes, try sale.p5b().bytes]
    try expectConviction(Exhibits(files, trust: demanding()), .bothOutcomes, .archive)
  }

  @Test("bad goods convict a merchant by a commit that is final")
  func badGoods() throws {
    let files = [try sale.p1 { $0.contract.digests = [digest(1)] }.bytes]
    let p3 = try sale.p3 { $0.hP1 = Hash(of: files[0]) }
    let commit = try sale.p5a(sale.p4(p3))
    let goods = [Ware.sealed]
    let with = Exhibits(
      files + [commit.bytes, try proof(of: leaf(commit))], goods: goods, trust: demanding())
    #expect(try with.judged().findings(.badGoods) == [.convicted])
    let without = Exhibits(files + [commit.bytes], goods: goods, trust: demanding())
    #expect(try without.judged().findings(.badGoods) == [.undecided])
  }
}

@Suite("History rewritten")
struct HistoryTests {
  private func leaf(
    _ number: UInt8, _ kind: LogLeaf.Kind = .commit, at: Timestamp = Times.now, lock: UInt8? = nil,
    subject: UInt8? = nil
  ) -> LogLeaf {
    LogLeaf(
      kind: kind, at: at, subject: digest(subject ?? number), lock: digest(lock ?? number),
      body: digest(number ^ 0x80))
  }

  /// What a log of one or two entries says of one of them.
  private func statement(
    _ entries: [[UInt8]], _ index: Int, by archive: Actor = .archive,
    of origin: String = "archive.example/log",
    cosignedAt time: Timestamp? = nil
  ) throws -> [UInt8] {
    let hashes = entries.map(TreeHash.leaf)
    let root = hashes.count == 1 ? hashes[0] : TreeHash.node(hashes[0], hashes[1])
    let checkpoint = Checkpoint(origin: origin, size: UInt64(entries.count), root: root)
    let log = try NoteKey(name: origin, kind: .log, publicKey: archive.key)
    var note = try archive.withKey { (signing) throws(MessageError) in
      try checkpoint.signed(as: log, with: signing)
    }
    if let time {
      let key = try NoteKey(name: "w.example", kind: .cosigner, publicKey: Actor.witness.key)
      let text = try checkpoint.text()
      note += try Actor.witness.withKey { (signing) throws(MessageError) in
        try signing.noteLine(key, over: text, at: time)
      }
    }
    return TlogProof.text(
      index: UInt64(index), path: hashes.count == 1 ? [] : [hashes[1 - index]], checkpoint: note,
      extra: entries[index])
  }

  @Test("two statements of one log that cannot both be convict its archive, and neither does alone")
  func convicts() throws {
    let (first, other) = (leaf(1).encoded, leaf(2).encoded)
    let cases: [(String, [[UInt8]])] = [
      ("rewritten", [try statement([first], 0), try statement([other, other], 0)]),
      ("split", [try statement([first], 0), try statement([other], 0)]),
      (
        "commit and abort",
        try [0, 1].map { try statement([first, leaf(3, .abort, lock: 1).encoded], $0) }
      ),
      ("two commits", try [0, 1].map { try statement([first, leaf(3, subject: 1).encoded], $0) }),
      ("older", try [0, 1].map { try statement([first, leaf(3, at: Times.now - 1).encoded], $0) }),
      (
        "dated back behind a cosignature",
        [
          try statement([first], 0, cosignedAt: Times.now + 100),
          try statement([first, leaf(3, at: Times.now + 64).encoded], 1),
        ]
      ),
    ]
    for (name, files) in cases {
      let exhibits = Exhibits(files, trust: demanding())
      try expectConviction(exhibits, .historyRewritten, .archive, Comment(rawValue: name))
      try expectAllNeeded(exhibits, .historyRewritten, Comment(rawValue: name))
    }
    let junk = [try statement([[1, 2, 3]], 0)]
    try expectConviction(Exhibits(junk), .historyRewritten, .archive, "no entry at all")
  }

  @Test("honest statements, those of different logs, and forged ones convict nobody")
  func acquits() throws {
    let (first, other) = (leaf(1).encoded, leaf(2).encoded)
    let cases: [(String, [[UInt8]])] = [
      ("one history", try [0, 1].map { try statement([first, other], $0) } + [try statement([first], 0)]),
      ("another log", [try statement([first], 0), try statement([other], 0, of: "new.example/log")]),
      ("another archive", [try statement([first], 0), try statement([other], 0, by: .otherArchive)]),
      ("a stranger", [try statement([first], 0), try statement([other], 0, by: .stranger)]),
      ("a merchant", [try statement([first], 0), try statement([other], 0, by: .merchant)]),
      ("an abort of another lock", try [0, 1].map { try statement([first, leaf(3, .abort).encoded], $0) }),
      (
        "two aborts of one transaction",
        try [0, 1].map {
          try statement([leaf(1, .abort).encoded, leaf(3, .abort, subject: 1).encoded], $0)
        }
      ),
      (
        "as old as a witness may be slow",
        [
          try statement([first], 0, cosignedAt: Times.now + 100),
          try statement([first, leaf(3, at: Times.now + 65).encoded], 1),
        ]
      ),
    ]
    for (name, files) in cases { try expectAcquittal(Exhibits(files, trust: demanding()), name) }
    var forged = try statement([other], 0)
    forged[forged.count - 5] ^= 1
    try expectAcquittal(Exhibits([try statement([first], 0), forged], trust: demanding()), "forged")
  }

  @Test("an abort before the expiration convicts its archive, unless the merchant cancelled")
  func abortedEarly() throws {
    let sale = Sale()
    try expectConviction(
      Exhibits([try sale.p5b { $0.at = Times.expiration - 1 }.bytes]), .abortedEarly, .archive)
    try expectAcquittal(Exhibits([try sale.p5b().bytes]), "in time")
    try expectAcquittal(Exhibits([try sale.p5b(cancelled: true).bytes]), "cancelled")
    let other = try Actor.merchant.sign(Cancel(n: sale.n, lock: digest(1))).bytes
    try expectConviction(
      Exhibits([try sale.p5b(cancelled: true) { $0.cancel = other }.bytes]), .abortedEarly, .archive)
  }
}
