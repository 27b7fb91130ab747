// Attack 4, the archive is gone for good: the witnesses' abort ends a lock at the bank, and only the true one
// does.

import Messages
import Parties
import Testing

@Suite("The witnesses' abort")
struct WitnessAbortTests {
  private let sale = Sale()

  private func read(_ bytes: [UInt8], _ change: (inout TrustList) -> Void = { _ in }) throws(MessageError)
    -> Outcome<CoreMode>
  { try Outcome<CoreMode>(bytes, trust: trustList(change)) }

  private func lockedBank() throws -> BankRig {
    let bank = BankRig()
    try bank.authorised(sale.p2())
    return bank
  }

  @Test("the bank releases by the abort of a quorum, whatever its own clock says, and stays so")
  func releases() throws {
    let bank = try lockedBank()
    let outcome = try read(sale.p5c().bytes)
    #expect(try bank.decided(outcome) == ["keep P5c", "enter released", "release", "reply P5c"])
    #expect(bank.machine.phase == .released && bank.machine.outcome == outcome)
    #expect(try bank.decided(outcome) == ["reply P5c"])
    #expect(try bank.decided(.aborted(sale.p5b())) == ["reply P5c"], "the archive comes back and agrees")
    #expect(
      try bank.decided(.committed(sale.p5a())) == ["keep Evidence", "refuse aborted"],
      "it comes back with a commit that it kept from everybody")
    #expect(try bank.authorised(sale.p2(), at: Sale.end) == ["reply P3"])
  }

  @Test("what the archive has decided before stands")
  func afterOutcome() throws {
    let settled = try lockedBank()
    try settled.decided(.committed(sale.p5a()))
    #expect(try settled.decided(read(sale.p5c().bytes)) == ["refuse committed"])
    #expect(settled.kept[.evidence] == nil, "the witnesses have not lied")
    let released = try lockedBank()
    try released.decided(.aborted(sale.p5b()))
    #expect(try released.decided(read(sale.p5c().bytes)) == ["reply P5b"])
    #expect(try BankRig().decided(read(sale.p5c().bytes)) == ["refuse unknownTransaction"])
  }

  @Test("customer and merchant end by it, too")
  func others() throws {
    let outcome = try read(sale.p5c().bytes)
    let customer = try CustomerRig.inPhase(.locked, twoSided: false)
    #expect(try customer.decided(outcome) == ["keep P5c", "enter aborted", "freed [1000, 234]"])
    #expect(try customer.decided(outcome) == [])
    #expect(try customer.decided(.committed(sale.p5a())) == ["keep Evidence"])
    let unanswered = try CustomerRig.inPhase(.authorised, twoSided: false)
    #expect(
      try unanswered.decided(outcome) == ["deny mismatch"], "without P3 nothing tells which lock it was")
    let merchant = try MerchantRig(sale)
    try merchant.authorised(sale.p3())
    #expect(try merchant.decided(outcome) == ["keep P5c", "enter aborted", "send P5c to bank"])
    #expect(try merchant.decided(.aborted(sale.p5b())) == [])
    #expect(try merchant.decided(.committed(sale.p5a())) == ["keep Evidence"])
  }

  @Test("an archive that says itself that the lifetime is over ends nothing any more: that is enough")
  func overByItself() throws {
    let refusal = Refusal(at: Times.lifetime, reason: .lifetime, hRequest: try sale.p3().hash, detail: nil)
    let certificate = try sale.nr { $0.answer = try? Actor.archive.sign(refusal).bytes }
    let outcome = try read(sale.p5c([certificate, sale.nr(by: .thirdWitness)]).bytes)
    #expect(try lockedBank().decided(outcome).contains("release"))
  }

  @Test(
    "an archive that lies about why it gives no outcome keeps nothing locked; one that shows its outcome does"
  )
  func nonsense() throws {
    let hash = try sale.p3().hash
    func refused(_ reason: Reason, proof: [[UInt8]] = []) throws -> [UInt8] {
      let refusal = Refusal(at: Sale.end, reason: reason, hRequest: hash, proof: proof, detail: nil)
      return try sale.nr { $0.answer = try? Actor.archive.sign(refusal).bytes }
    }
    for reason in [Reason.tooEarly, .malformed, .untrusted, .unknownTransaction, .committed, .internal] {
      let outcome = try read(sale.p5c([refused(reason), sale.nr(by: .thirdWitness)]).bytes)
      #expect(try lockedBank().decided(outcome).contains("release"), "\(reason)")
    }
    // What ends no lock is no outcome, in a proof either.
    let junk = [
      try sale.p5b { $0.at = Times.expiration - 1 }.bytes, try sale.p5a(at: Times.expiration).bytes,
    ]
    let vain = try read(sale.p5c([refused(.committed, proof: junk), sale.nr(by: .thirdWitness)]).bytes)
    #expect(try lockedBank().decided(vain).contains("release"))
    for shown in [try sale.p5a().bytes, try sale.p5b().bytes] {
      let certificates = [try refused(.committed, proof: [junk[0], shown]), try sale.nr(by: .thirdWitness)]
      #expect(try lockedBank().decided(read(sale.p5c(certificates).bytes)) == ["refuse mismatch"])
      let lock = try WitnessedLock(sale.p3().bytes, trust: trustList())
      let denial = Actor.witness.withKey { key -> Denial? in
        do throws(Denial) {
          _ = try WitnessAbort.sign(
            lock, certificates: certificates, seen: [], trust: trustList(), at: Sale.end, key: key)
          return nil
        } catch { return error }
      }
      #expect(denial?.proof == [shown], "nor does a witness sign it")
    }
  }

  @Test("of another lock, transaction or time it matches no lock")
  func otherLock() throws {
    let theirs = try sale.p3(by: .otherBank)
    func about(_ lock: Verified<P3>, _ change: (inout P5c) -> Void = { _ in }) throws -> Verified<P5c> {
      let certificates = try [Actor.witness, .secondWitness].map { actor in
        try sale.nr(by: actor) {
          ($0.lock, $0.hRequest) = (lock.hash, lock.hash)
          ($0.n, $0.merchant) = (lock.payload.terms.n, lock.payload.terms.merchant)
          $0.target = lock.payload.terms.archive
        }
      }
      return try sale.p5c(certificates) {
        ($0.lock, $0.n) = (lock.hash, lock.payload.terms.n)
        $0.merchant = lock.payload.terms.merchant
        change(&$0)
      }
    }
    #expect(try lockedBank().decided(read(about(sale.p3()).bytes)).contains("release"), "the true one")
    let cases: [(String, Verified<P5c>)] = [
      ("a confederate's lock", try about(theirs)),
      ("expiration", try about(sale.p3()) { $0.expiration += 1 }),
      ("lifetime", try about(sale.p3()) { $0.lifetime -= 1 }),
    ]
    for (name, abort) in cases {
      #expect(try lockedBank().decided(read(abort.bytes)) == ["refuse mismatch"], "\(name)")
    }
    // Certificates and abort agree, and name the lock, but not its M or its n.
    let others: [(String, PublicKey, TransactionID)] = [
      ("M", Actor.stranger.publicKey, Sale.n),
      ("n", Actor.merchant.publicKey, TransactionID(filled(1, 16))!),
    ]
    for (name, merchant, n) in others {
      let certificates = try [Actor.witness, .secondWitness].map { actor in
        try sale.nr(by: actor) { ($0.merchant, $0.n) = (merchant, n) }
      }
      let abort = try sale.p5c(certificates) { ($0.merchant, $0.n) = (merchant, n) }
      #expect(try lockedBank().decided(read(abort.bytes)) == ["refuse mismatch"], "\(name) alone")
    }
    // A silent archive that is not this lock's says nothing of it.
    let elsewhere = try [Actor.witness, .secondWitness].map { actor in
      try sale.nr(by: actor) { $0.target = Actor.otherArchive.publicKey }
    }
    #expect(try lockedBank().decided(read(sale.p5c(elsewhere).bytes)) == ["refuse mismatch"])
  }

  @Test("forged, too early, or of too few, it is not read")
  func forged() throws {
    func rule(_ abort: Verified<P5c>, _ change: (inout TrustList) -> Void = { _ in }) -> String? {
      let bytes = abort.bytes
      return refusal { () throws(MessageError) in try read(bytes, change) }
    }
    #expect(rule(try sale.p5c()) == nil)
    for actor in [Actor.stranger, .archive, .bank, .merchant] {
      #expect(rule(try sale.p5c(by: actor)) == "untrusted", "\(actor)")
    }
    #expect(rule(try sale.p5c()) { $0.change(.witness) { $0.revokedAt = Sale.end } } == "revoked")
    #expect(rule(try sale.p5c()) { $0.change(.witness) { $0.until = Sale.end } } == "expired")
    #expect(rule(try sale.p5c { $0.at = Times.lifetime - 1 }) == "mismatch", "before the lifetime's end")
    #expect(rule(try sale.p5c { $0.lifetime = $0.at + 1 }) == "mismatch", "of a longer lifetime")
    #expect(rule(try sale.p5c { $0.failed = Reason.cancelled.rawValue }) == "mismatch", "another reason")
    var damaged = try sale.p5c().bytes
    damaged[damaged.count - 1] ^= 1
    let bytes = damaged
    #expect(refusal { () throws(MessageError) in try read(bytes) } == "authentication")
  }

  @Test("the quorum is of distinct witnesses, by the trust list's number or more than half")
  func quorum() throws {
    let all = [Actor.witness, .secondWitness, .thirdWitness]
    for (quorum, needed) in [(UInt64?.none, 2), (1, 1), (2, 2), (3, 3), (4, 4)] {
      for count in 1...3 {
        let bytes = try sale.p5c(all.prefix(count).map { try sale.nr(by: $0) }).bytes
        let rule = refusal { () throws(MessageError) in try read(bytes) { $0.quorum = quorum } }
        #expect(rule == (count >= needed ? nil : "mismatch"), "\(count), quorum \(needed)")
      }
    }
    let twice = try sale.p5c([sale.nr(), sale.nr { $0.waitedUntil += 1 }]).bytes
    #expect(refusal { () throws(MessageError) in try read(twice) } == "mismatch", "one witness twice")
    // A witness that certified and does not count any more when the abort is signed.
    let bytes = try sale.p5c().bytes
    let ended = refusal { () throws(MessageError) in
      try read(bytes) { $0.change(.secondWitness) { $0.until = Times.lifetime + 31 } }
    }
    #expect(ended == "mismatch")
    let none = refusal { () throws(MessageError) in
      try read(bytes) { $0.entries.removeAll { $0.role == .witness && $0.name != "witness" } }
    }
    #expect(none == "untrusted")
  }

  @Test("one certificate that is not what it has to be spoils the abort")
  func certificates() throws {
    let other = Refusal(at: Sale.end, reason: .lifetime, hRequest: digest(1), detail: nil)
    let own = Refusal(at: Sale.end, reason: .lifetime, hRequest: try sale.p3().hash, detail: nil)
    let abort = try sale.p5b().bytes
    let changes: [(String, (inout NonResponse) -> Void)] = [
      ("L", { $0.lock = digest(1) }), ("request", { $0.hRequest = digest(1) }),
      ("n", { $0.n = TransactionID(filled(1, 16))! }), ("M", { $0.merchant = Actor.stranger.publicKey }),
      ("target", { $0.target = Actor.otherArchive.publicKey }), ("in the lifetime", { $0.sentAt -= 1 }),
      ("impatient", { $0.waitedUntil -= 1 }), ("after the abort", { $0.waitedUntil = Sale.end + 1 }),
      ("an outcome", { $0.answer = abort }),
      ("refused something else", { $0.answer = try? Actor.archive.sign(other).bytes }),
      ("refused by a stranger", { $0.answer = try? Actor.stranger.sign(own).bytes }),
    ]
    for (name, change) in changes {
      let bytes = try sale.p5c([sale.nr(), sale.nr(by: .secondWitness, change), sale.nr(by: .thirdWitness)])
        .bytes
      #expect(refusal { () throws(MessageError) in try read(bytes) } == "mismatch", "\(name)")
    }
    for actor in [Actor.stranger, .archive, .bank] {
      let bytes = try sale.p5c([sale.nr(), sale.nr(by: .secondWitness), sale.nr(by: actor)]).bytes
      #expect(refusal { () throws(MessageError) in try read(bytes) } == "untrusted", "\(actor)")
    }
  }

  @Test("a witness signs it after the lifetime, over a quorum, unless it has seen an outcome")
  func signing() throws {
    let trust = trustList()
    let lock = try WitnessedLock(sale.p3().bytes, trust: trust)
    let good = [try sale.nr(), try sale.nr(by: .secondWitness)]
    func sign(_ certificates: [[UInt8]], seen: [[UInt8]] = [], at now: Timestamp = Sale.end) -> Denial? {
      do throws(Denial) {
        let abort = try Actor.thirdWitness.withKey { (key) throws(Denial) in
          try WitnessAbort.sign(lock, certificates: certificates, seen: seen, trust: trust, at: now, key: key)
        }
        #expect((try? WitnessAbort.verified(abort.bytes, trust: trust)) == abort)
        return nil
      } catch { return error }
    }
    #expect(sign(good) == nil)
    #expect(sign(good, at: Times.lifetime - 1)?.reason == .tooEarly)
    #expect(sign(good, at: Times.lifetime + 29)?.reason == .mismatch, "before the last had waited")
    #expect(sign([good[0]])?.reason == .mismatch)
    let seen = try sale.p5a().bytes
    #expect(sign(good, seen: [seen])?.proof == [seen])
  }
}
