// fin(): an outcome of an archive whose log the trust list demands counts only as that log shows it
// (attacks 5 and 18). Each fix is switched off once, by a list without a policy: then the attack succeeds.

import Messages
import Parties
import Testing

/// A log of one entry, and who cosigned it.
private struct Proofs {
  static let origin = "archive.example/log"
  var log = Actor.archive
  var origin = Proofs.origin
  var cosigned: [(Actor, Timestamp)] = [(.witness, Times.now + 30), (.secondWitness, Times.now + 40)]

  static func policy(of archive: Actor = .archive) -> String {
    func vkey(_ name: String, _ kind: NoteKey.Kind, _ actor: Actor) -> String {
      // Names without spaces, and keys that are sound.
      try! NoteKey(name: name, kind: kind, publicKey: actor.publicKey).vkey
    }
    return """
      log \(vkey(origin, .log, archive))
      witness a \(vkey("a.example", .cosigner, .witness))
      witness b \(vkey("b.example", .cosigner, .secondWitness))
      witness c \(vkey("c.example", .cosigner, .thirdWitness))
      group two 2 a b c
      quorum two

      """
  }

  private static let names: [Actor: String] = [
    .witness: "a.example", .secondWitness: "b.example", .thirdWitness: "c.example",
  ]

  func proof(of leaf: LogLeaf) throws -> [UInt8] {
    let checkpoint = Checkpoint(origin: origin, size: 1, root: leaf.hash)
    let key = try NoteKey(name: origin, kind: .log, publicKey: log.publicKey)
    var note = try log.withKey { (signing) throws(MessageError) in
      try checkpoint.signed(as: key, with: signing)
    }
    for (witness, time) in cosigned {
      let key = try NoteKey(name: Self.names[witness]!, kind: .cosigner, publicKey: witness.publicKey)
      let text = try checkpoint.text()
      note += try witness.withKey { (signing) throws(MessageError) in
        try signing.noteLine(key, over: text, at: time)
      }
    }
    return TlogProof.text(index: 0, path: [], checkpoint: note)
  }
}

@Suite("Finality")
struct FinalityTests {
  private let sale = Sale()
  private let demanding = Finality(trustList { $0.policy = Proofs.policy() })
  private let trusting = Finality(trustList())

  private func logged(_ change: (inout P5a) -> Void = { _ in }) throws -> LoggedOutcome {
    var payload = P5a(submission: try sale.p4().bytes, at: Times.now + 20, lifetime: Times.lifetime)
    change(&payload)
    let outcome = try Outcome<CoreMode>(Actor.archive.sign(payload).bytes, trust: trustList())
    return try #require(try outcome.logged())
  }

  /// The rule that refuses, or nil.
  private func refused(
    _ outcome: LoggedOutcome, _ proofs: Proofs, by finality: Finality? = nil, at now: Timestamp? = nil
  ) throws -> String? {
    let proof = try proofs.proof(of: outcome.leaf)
    return refusal { () throws(MessageError) in
      try (finality ?? demanding).check(outcome, proof: proof, at: now)
    }
  }

  @Test("a commit and an abort are final as their log shows them")
  func holds() throws {
    #expect(demanding.demandsProof(of: Actor.archive.publicKey))
    #expect(try refused(logged(), Proofs()) == nil)
    let abort = P5b(
      n: Sale.n, merchant: Actor.merchant.publicKey, expiration: Times.expiration, lifetime: Times.lifetime,
      lock: digest(9), at: Times.expiration, failed: .expired)
    let outcome = try Outcome<CoreMode>(Actor.archive.sign(abort).bytes, trust: trustList())
    let late = Proofs(cosigned: [(.witness, Times.expiration), (.thirdWitness, Times.expiration + 9)])
    #expect(try refused(try #require(try outcome.logged()), late) == nil)
  }

  @Test("a list without a policy, and one for other archives, demands nothing")
  func undemanded() throws {
    let others = Finality(trustList { $0.policy = Proofs.policy(of: .otherArchive) })
    for finality in [trusting, others] {
      #expect(!finality.demandsProof(of: Actor.archive.publicKey))
      try finality.check(try logged(), proof: [], at: Times.now)
    }
  }

  @Test("18: an outcome that a quorum has not seen in the archive's own log does not count")
  func unseen() throws {
    let outcome = try logged()
    var others: [Proofs] = [
      Proofs(cosigned: []), Proofs(cosigned: [(.witness, Times.now + 30)]),
      Proofs(cosigned: [(.witness, Times.now + 30), (.witness, Times.now + 31)]),
      Proofs(log: .otherArchive), Proofs(origin: "elsewhere.example/log"),
    ]
    others[3].cosigned = Proofs().cosigned
    for (number, proofs) in others.enumerated() {
      #expect(try refused(outcome, proofs) != nil, "\(number)")
      #expect(try refused(outcome, proofs, by: trusting) == nil, "without a policy it counts: \(number)")
    }
  }

  @Test("18: the proof of one outcome proves no other")
  func another() throws {
    let (mine, other) = (try logged(), try logged { $0.at += 1 })
    let proof = try Proofs().proof(of: other.leaf)
    #expect(
      refusal { () throws(MessageError) in try demanding.check(mine, proof: proof, at: nil) } != nil)
  }

  @Test(
    "5: a commit that witnesses saw before it says that it was made, or after its lifetime, does not count")
  func backDated() throws {
    // The expiration is over, and the archive dates its commit back: nobody can have seen it then. Witnesses
    // refuse to cosign it (LogCosigningTests); a quorum that did so only after the lifetime is too late.
    let outcome = try logged()
    let late = Proofs(cosigned: [(.witness, Times.lifetime), (.secondWitness, Times.lifetime)])
    #expect(try refused(outcome, late) == "mismatch")
    #expect(try refused(outcome, late, by: trusting) == nil, "without a policy it counts")
    let last = Proofs(cosigned: [(.witness, Times.lifetime - 1), (.secondWitness, Times.lifetime - 1)])
    #expect(try refused(outcome, last) == nil)
    // The other way: it says that it was made after witnesses had seen it already.
    let early = Proofs(cosigned: [(.witness, Times.now + 14), (.secondWitness, Times.now + 14)])
    #expect(try refused(outcome, early) == "mismatch")
    let skewed = Proofs(cosigned: [(.witness, Times.now + 15), (.secondWitness, Times.now + 15)])
    #expect(try refused(outcome, skewed) == nil)
  }

  @Test("who acts on an outcome wants a checkpoint of today; who acted on it before does not")
  func age() throws {
    let finality = Finality(
      trustList {
        $0.policy = Proofs.policy()
        $0.checkpointAgeSeconds = 100
      })
    // Two of three saw it at 30 and 40: since 30 a quorum has.
    let outcome = try logged()
    #expect(try refused(outcome, Proofs(), by: finality, at: Times.now + 130) == nil)
    #expect(try refused(outcome, Proofs(), by: finality, at: Times.now + 131) == "expired")
    #expect(try refused(outcome, Proofs(), by: finality) == nil)
  }
}
