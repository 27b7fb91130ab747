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
