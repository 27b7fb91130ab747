// The witnesses' abort P5c: it frees a lock for a bank that shows it, and only the true one does.

import Judge
import Messages
import Testing

@Suite("Abort by the witnesses")
struct WitnessAbortTests {
  private let sale = Sale()
  private let end = Times.lifetime + 60

  /// Three witnesses, and a token that outlives the transaction.
  private var trust: TrustList {
    trustList { list in
      for index in list.entries.indices { list.entries[index].until = end + 1000 }
      for actor in [Actor.secondWitness, .thirdWitness] {
        list.entries.append(
          TrustEntry(
            role: .witness, name: "\(actor)", key: actor.key, from: Times.now - 1000, until: end + 1000))
      }
    }
  }

  private func nr(
    by actor: Actor = .witness, _ change: (inout NonResponse) -> Void = { _ in }
  ) throws -> [UInt8] {
    let lock = try sale.p3().hash
    var payload = NonResponse(
      n: sale.n, merchant: Actor.merchant.key, lock: lock, hRequest: lock, target: Actor.archive.key,
      sentAt: Times.lifetime, waitedUntil: Times.lifetime + 30)
    change(&payload)
    return try actor.sign(payload).bytes
  }

  private func p5c(
    _ certificates: [[UInt8]]? = nil, by actor: Actor = .witness, _ change: (inout P5c) -> Void = { _ in }
  ) throws -> [UInt8] {
    var payload = P5c(
      n: sale.n, merchant: Actor.merchant.key, expiration: Times.expiration, lifetime: Times.lifetime,
      lock: try sale.p3().hash, at: end, failed: Reason.expired.rawValue,
      nonResponses: try certificates ?? [nr(), nr(by: .secondWitness)])
    change(&payload)
    return try actor.sign(payload).bytes
  }

  /// A lock of all of tokenOne, and an exchange of it: one of them too many, unless the lock was freed.
  private func judged(_ abort: [UInt8]?, also more: [[UInt8]] = []) throws -> [Finding] {
    let x1 = try Actor.tokenOne.sign(
      X1(
        bank: Actor.bank.key, total: Money("EUR:10")!, tokenInputs: [Tokens.inputs[0]],
        outputs: [Blinded(keyID: Tokens.denomination.id, message: filled(1, 256))], fee: 0, recovery: nil))
    let x2 = try Actor.bank.sign(X2(at: end, hX1: x1.hash, signatures: [filled(1, 256)]))
    let list = try Tokens.keyList { $0.keys[0].spendUntil = end + 1000 }
    let files = [list.bytes, try sale.p2().bytes, try sale.p3().bytes, x1.bytes, x2.bytes]
    let exhibits = Exhibits(
      files + (abort.map { [$0] } ?? []) + more, heard: [.bank], now: end + 10, trust: trust)
    let judgment = try exhibits.judged()
    // An outcome that says that it came too early convicts its archive, too.
    #expect(
      judgment.verdicts.allSatisfy {
        $0.finding != .convicted || [.spentBeyondValue, .abortedEarly].contains($0.dispute)
      })
    return judgment.findings(.spentBeyondValue)
  }

  @Test("a quorum's abort after the lifetime frees the lock")
  func frees() throws {
    #expect(try judged(nil) == [.convicted])
    #expect(try judged(p5c()) == [.noFault])
    #expect(try judged(p5c([nr(by: .secondWitness), nr(by: .thirdWitness)])) == [.noFault])
    // The archive's own word that the lifetime is over: then it publishes nothing more.
    let over = try Actor.archive.sign(
      Refusal(at: Times.lifetime + 2, reason: .lifetime, hRequest: sale.p3().hash, detail: nil)
    ).bytes
    #expect(try judged(p5c([nr { $0.answer = over }, nr(by: .secondWitness)])) == [.noFault])
  }

  @Test(
    "a refusal for a false reason frees it as silence does; one that shows an outcome does not"
  )
  func nonsense() throws {
    func refused(_ reason: Reason, proof: [[UInt8]] = []) throws -> [UInt8] {
      let refusal = Refusal(
        at: Times.lifetime + 2, reason: reason, hRequest: try sale.p3().hash, proof: proof, detail: nil)
      return try p5c([nr { $0.answer = try? Actor.archive.sign(refusal).bytes }, nr(by: .secondWitness)])
    }
    for reason in [Reason.tooEarly, .malformed, .untrusted, .committed] {
      #expect(try judged(refused(reason)) == [.noFault], "\(reason)")
    }
    let vain = try sale.p5b { $0.at = Times.expiration - 1 }.bytes
    #expect(try judged(refused(.aborted, proof: [vain])) == [.noFault], "an abort that matches nothing")
    let paid = [try sale.credit().bytes]
    #expect(
      try judged(refused(.committed, proof: [sale.p5a().bytes]), also: paid) == [.convicted], "its commit")
  }

  @Test("forged, of too few, too early, or of another lock: it frees nothing")
  func forged() throws {
    let cases: [(String, [UInt8])] = [
      ("by a stranger", try p5c(by: .stranger)), ("by the archive", try p5c(by: .archive)),
      ("by the bank", try p5c(by: .bank)), ("L", try p5c { $0.lock = digest(1) }),
      ("n", try p5c { $0.n = TransactionID(filled(1, 16))! }),
      ("M", try p5c { $0.merchant = Actor.otherMerchant.key }),
      ("expiration", try p5c { $0.expiration += 1 }),
      ("lifetime", try p5c { $0.lifetime -= 1 }), ("too early", try p5c { $0.at = Times.lifetime - 1 }),
      ("another reason", try p5c { $0.failed = Reason.cancelled.rawValue }),
    ]
    for (name, abort) in cases { #expect(try judged(abort) == [.convicted], "\(name)") }
  }

  @Test("certificates of too few, of others, or of something else are no quorum")
  func certificates() throws {
    let good = try nr()
    func with(_ other: [UInt8]) throws -> [UInt8] { try p5c([good, other]) }
    let query = StatusAnswer(at: Times.lifetime + 2, hQuery: try sale.p3().hash, proof: [], state: .open)
    let answered = try Actor.archive.sign(query).bytes
    let strange = Refusal(at: Times.lifetime + 2, reason: .lifetime, hRequest: digest(1), detail: nil)
    // One witness signs the abort, and makes up what the others certify.
    var forged = try nr(by: .secondWitness)
    forged[forged.count - 1] ^= 1
    let cases: [(String, [UInt8])] = [
      ("in another's name", try with(forged)), ("one of three", try p5c([good])),
      ("one twice", try with(good)),
      ("one twice, at two times", try with(nr { $0.waitedUntil += 1 })),
      ("a stranger's", try with(nr(by: .stranger))), ("the archive's", try with(nr(by: .archive))),
      ("L", try with(nr(by: .secondWitness) { $0.lock = digest(1) })),
      ("request", try with(nr(by: .secondWitness) { $0.hRequest = digest(1) })),
      ("n", try with(nr(by: .secondWitness) { $0.n = TransactionID(filled(1, 16))! })),
      ("M", try with(nr(by: .secondWitness) { $0.merchant = Actor.otherMerchant.key })),
      ("target", try with(nr(by: .secondWitness) { $0.target = Actor.otherArchive.key })),
      ("in the lifetime", try with(nr(by: .secondWitness) { $0.sentAt -= 1 })),
      ("impatient", try with(nr(by: .secondWitness) { $0.waitedUntil -= 1 })),
      ("after the abort", try with(nr(by: .secondWitness) { $0.waitedUntil = end + 1 })),
      ("answered", try with(nr(by: .secondWitness) { $0.answer = answered })),
      (
        "refused by a stranger",
        try with(
          nr(by: .secondWitness) {
            $0.answer = try? Actor.stranger.sign(
              Refusal(
                at: end, reason: .lifetime, hRequest: $0.lock, detail: nil)
            ).bytes
          })
      ),
      (
        "refused something else",
        try with(nr(by: .secondWitness) { $0.answer = try? Actor.archive.sign(strange).bytes })
      ),
    ]
    for (name, abort) in cases { #expect(try judged(abort) == [.convicted], "\(name)") }
  }
}
