// Rule 2: the value was not credited.

import Judge
import Messages
import Testing

@Suite("Not credited")
struct CreditTests {
  private let sale = Sale()

  private var evidence: [[UInt8]] { get throws { [try sale.p3().bytes, try sale.p5a().bytes] } }

  @Test("a bank that was heard and shows no credit is at fault")
  func convicts() throws {
    try expectConviction(Exhibits(evidence, heard: [.bank]), .notCredited, .bank)
    try expectAllNeeded(Exhibits(evidence, heard: [.bank]), .notCredited)
    let aborted = try evidence + [sale.p5b().bytes]
    try expectAllNeeded(Exhibits(aborted), .notCredited)
  }

  @Test("two banks that locked the same are two: each credits its own")
  func twoBanks() throws {
    for (bank, other) in [(Actor.bank, Actor.otherBank), (.otherBank, .bank)] {
      let (lock, foreign) = (try sale.p3(by: bank), try sale.p3(by: other))
      let files = [lock.bytes, foreign.bytes, try sale.p5a(sale.p4(lock)).bytes]
      for own in [lock, foreign] {
        let credit = try sale.credit(by: other) { $0.lock = own.hash }.bytes
        try expectConviction(
          Exhibits(files + [credit], heard: [bank, other]), .notCredited, bank, "\(bank)")
      }
      let paid = try sale.credit(by: bank) { $0.lock = lock.hash }.bytes
      try expectAcquittal(Exhibits(files + [paid], heard: [bank, other]), "\(bank), paid")
    }
  }

  @Test("a bank that shows the credit, or the transfer to another bank, is not")
  func shown() throws {
    let credit = try sale.credit()
    #expect(
      try Exhibits(evidence + [credit.bytes], heard: [.bank]).judged().findings(.notCredited) == [.noFault])
    let bt1 = try Actor.bank.sign(
      BT1(merchant: Actor.merchant.key, amount: Sale.price, lock: sale.p3().hash, account: "M"))
    func bt2(_ change: (inout BT2) -> Void = { _ in }) throws -> [UInt8] {
      var payload = BT2(amount: Sale.price, lock: try sale.p3().hash, at: Times.now + 40, hBT1: bt1.hash)
      change(&payload)
      return try Actor.otherBank.sign(payload).bytes
    }
    let home = trustList { $0.change(.merchant) { entry in entry.bank = Actor.otherBank.key } }
    let files = try evidence + [bt1.bytes, try bt2()]
    #expect(try Exhibits(files, heard: [.bank], trust: home).judged().findings(.notCredited) == [.noFault])
    try expectConviction(
      Exhibits(files, heard: [.bank]), .notCredited, .bank,
      "not the merchant's bank: two banks could pay nobody")
    for broken in [
      try bt2 { $0.hBT1 = digest(1) }, try bt2 { $0.lock = digest(1) },
      try bt2 { $0.amount = Money("EUR:1")! },
    ] {
      try expectConviction(
        Exhibits(evidence + [bt1.bytes, broken], heard: [.bank, .otherBank], trust: home), .notCredited,
        .otherBank)
    }
  }

  @Test("a bank that ordered the transfer answers for the merchant's own bank no more")
  func ordered() throws {
    let home = trustList { $0.change(.merchant) { entry in entry.bank = Actor.otherBank.key } }
    func bt1(by actor: Actor = .bank, _ change: (inout BT1) -> Void = { _ in }) throws -> Verified<BT1> {
      var payload = BT1(
        merchant: Actor.merchant.key, amount: Sale.price, lock: try sale.p3().hash, account: "M")
      change(&payload)
      return try actor.sign(payload)
    }
    let order = try bt1()
    let files = try evidence + [order.bytes]
    try expectConviction(
      Exhibits(files, heard: [.bank, .otherBank], trust: home), .notCredited, .otherBank)
    #expect(
      try Exhibits(files, heard: [.bank], trust: home).judged().findings(.notCredited) == [.undecided])
    let refusal = try Actor.otherBank.sign(
      Refusal(at: Times.now + 50, reason: .funds, hRequest: order.hash, detail: nil))
    let refused = Exhibits(files + [refusal.bytes], heard: [.bank, .otherBank], trust: home)
    #expect(try refused.judged().findings(.notCredited) == [.undecided])
    for (name, other) in [
      ("another amount", try bt1 { $0.amount = Money("EUR:1")! }),
      ("another lock", try bt1 { $0.lock = digest(1) }),
      ("another merchant", try bt1 { $0.merchant = Actor.otherMerchant.key }),
      ("by another bank", try bt1(by: .otherBank)),
    ] {
      try expectConviction(
        Exhibits(evidence + [other.bytes], heard: [.bank, .otherBank], trust: home), .notCredited, .bank,
        Comment(rawValue: name))
    }
    // Two orders of one lock: the merchant's bank executed the first, and refused what is due.
    let less = try bt1 { $0.amount = Money("EUR:1")! }
    let done = try Actor.otherBank.sign(
      BT2(amount: Money("EUR:1")!, lock: sale.p3().hash, at: Times.now + 40, hBT1: less.hash))
    for files in [[less.bytes, done.bytes, order.bytes], [order.bytes, less.bytes, done.bytes]] {
      try expectConviction(
        Exhibits(try evidence + files, heard: [.bank, .otherBank], trust: home), .notCredited, .bank,
        "ordered twice")
      #expect(
        try Exhibits(evidence + files, heard: [.otherBank], trust: home).judged().findings(.notCredited)
          == [.undecided])
    }
    try expectConviction(
      Exhibits(files, heard: [.bank, .otherBank]), .notCredited, .bank, "its account is not elsewhere")
  }

  @Test("a bank that was given the archive's abort too is not at fault: the archive is, and owes the value")
  func bothOutcomes() throws {
    for (name, abort) in [
      ("aborted", try sale.p5b()), ("cancelled", try sale.p5b(cancelled: true)),
    ] {
      for heard in [[], [Actor.bank]] {
        let exhibits = Exhibits(try evidence + [abort.bytes], heard: heard)
        try expectConviction(
          exhibits, .notCredited, .archive, also: [.bothOutcomes], Comment(rawValue: name))
      }
    }
    // Paid all the same: then nobody owes anything, whatever else the archive signed.
    let paid = Exhibits(try evidence + [try sale.p5b().bytes, try sale.credit().bytes], heard: [.bank])
    #expect(try paid.judged().findings(.notCredited) == [.noFault])
  }

  @Test("what is no abort of this lock excuses no bank")
  func falseAborts() throws {
    let strange = try Actor.stranger.sign(Cancel(n: sale.n, lock: sale.p3().hash)).bytes
    let aborts: [(String, Verified<P5b>)] = [
      ("by another archive", try sale.p5b(by: .otherArchive)), ("by a stranger", try sale.p5b(by: .stranger)),
      ("of another lock", try sale.p5b { $0.lock = digest(1) }),
      ("of another n", try sale.p5b { $0.n = TransactionID(filled(1, 16))! }),
      ("of another M", try sale.p5b { $0.merchant = Actor.otherMerchant.key }),
      ("another expiration", try sale.p5b { $0.expiration += 1 }),
      ("another lifetime", try sale.p5b { $0.lifetime += 1 }),
      ("too early", try sale.p5b { $0.at = Times.expiration - 1 }),
      ("a false Cancel", try sale.p5b(cancelled: true) { $0.cancel = strange }),
    ]
    for (name, abort) in aborts {
      let convicted = try Exhibits(evidence + [abort.bytes], heard: [.bank]).judged().verdicts.filter {
        $0.dispute == .notCredited
      }
      #expect(convicted.map { $0.against?.key } == [Actor.bank.key], Comment(rawValue: name))
    }
  }

  @Test("what is no credit of this lock by this bank does not help it")
  func falseCredits() throws {
    let credits = [
      try sale.credit(by: .stranger), try sale.credit(by: .otherBank),
      try sale.credit { $0.lock = digest(1) },
      try sale.credit { $0.amount = Money("EUR:12.33")! },
    ]
    for credit in credits {
      try expectConviction(
        Exhibits(evidence + [credit.bytes], heard: [.bank]), .notCredited, .bank, "\(credit.payload)")
    }
  }

  @Test("a merchant that hides the credit convicts nobody: the bank has to be heard, in time")
  func hidden() throws {
    for exhibits in [
      Exhibits(try evidence), Exhibits(try evidence, heard: [.archive, .otherBank]),
      Exhibits(try evidence, heard: [.bank], now: Times.lifetime),
    ] {
      #expect(try exhibits.judged().findings(.notCredited) == [.undecided])
      try expectAcquittal(exhibits, "unheard")
    }
  }

  @Test("no forged lock or commit convicts the bank")
  func forged() throws {
    for (name, files) in try forgedCommits(sale) {
      try expectAcquittal(Exhibits(files, heard: [.bank, .archive, .otherBank]), name)
    }
    try expectAcquittalWithoutTrust(
      Exhibits(evidence, heard: [.bank]), in: [.bank, .archive, .merchant])
  }

  @Test("a lock that nothing dates counts for nothing once the bank's key is revoked; a dated one does")
  func revocation() throws {
    let late = trustList { $0.change(.bank) { entry in entry.revokedAt = Times.now + 300 } }
    try expectConviction(
      Exhibits(evidence, heard: [.bank], trust: late), .notCredited, .bank, "committed before the revocation")
    let early = trustList { $0.change(.bank) { entry in entry.revokedAt = Times.now + 20 } }
    let judgment = try Exhibits(evidence, heard: [.bank], trust: early).judged()
    #expect(!judgment.convicts)
    #expect(judgment.setAside.contains { $0.what == "P3" && $0.reason == "revoked" })
  }
}
