// Early commitment (FIG. 5): the archive's and the bank's checks.

import Messages
import Parties
import Testing

@Suite("Early commitment: archive and bank")
struct EarlyRecordTests {
  private let sale = EarlySale()
  private let forced = EarlySale(delivery: .forced)
  private static let commit = ["publish E7a", "send E7a to bank", "send E7a to merchant", "reply E7a"]

  @Test("a commit shows E5, or the archive's word that it holds the goods, and the bank pays on it")
  func commits() throws {
    for (sale, holds) in [(sale, false), (forced, true)] {
      let archive = EarlyArchive(try sale.e3())
      #expect(try archive.submitted(sale.submission(), holdsGoods: holds) == Self.commit)
      guard case .committed(let e7a)? = archive.outcome else { throw Unexpected() }
      #expect((e7a.payload.acknowledgement != nil) == (sale.delivery == .acknowledged))
      #expect((e7a.payload.held != nil) == (sale.delivery == .forced))
      if let bytes = e7a.payload.held {
        let word = try Verified<Held>(bytes, by: .key(Actor.archive.publicKey))
        #expect(try word == sale.held(), "root, length, until and E4")
      }
      let bank = EarlyBank()
      try bank.authorised(sale.e2())
      #expect(
        try bank.decided(.committed(e7a)) == [
          "keep E7a", "enter settled", "spend", "credit merchant EUR:12.34", "confirm credit",
        ])
    }
  }

  @Test("a submission with one fault is refused for it, and nothing is published")
  func brokenSubmissions() throws {
    let e4 = try sale.e4().bytes
    let cases: [(String, Reason, () throws -> Submitted<EarlyMode>)] = [
      ("another E4 in E6", .mismatch, { try sale.submission(sale.e6 { $0.hE4 = digest(1) }) }),
      (
        "an E5 of other goods", .mismatch, { try sale.submission(with: sale.e5 { $0.hE4 = digest(1) }.bytes) }
      ),
      (
        "an E5 of another sale", .mismatch,
        { try sale.submission(with: sale.e5 { $0.n = TransactionID(filled(1, 16))! }.bytes) }
      ),
      ("E4 where E5 is claimed", .mismatch, { try sale.submission(with: e4) }),
      ("E5 where force is claimed", .mismatch, { try forced.submission(with: sale.e5().bytes) }),
      (
        "an E4 of another contract", .mismatch,
        {
          let other = try sale.e4 { $0.hP1 = digest(1) }
          return try forced.submission(forced.e6 { $0.hE4 = other.hash }, with: other.bytes)
        }
      ),
      ("k itself for x", .wrongKey, { try sale.submission(sale.e6 { $0.key = Sale.k }) }),
    ]
    for (name, reason, submission) in cases {
      let rig = EarlyArchive(try sale.e3())
      #expect(try rig.submitted(submission(), holdsGoods: true) == ["refuse \(reason)"], "\(name)")
    }
  }

  @Test("what comes with E6 is signed by P or by M, and there is always something")
  func reading() throws {
    let stranger = try sale.e5(by: .stranger).bytes
    let foreign = try forced.e4(by: .stranger).bytes
    let (e6, e3, trust) = (try sale.e6().bytes, try sale.e3().bytes, trustList())
    func rule(_ shown: [[UInt8]]) -> String? {
      refusal { () throws(MessageError) in
        try Submitted<EarlyMode>(Bundle([e6, e3] + shown), trust: trust, at: Times.now)
      }
    }
    #expect(rule([stranger]) == "untrusted" && rule([foreign]) == "untrusted")
    #expect(rule([]) == "field-range" && rule([stranger, foreign]) == "field-range")
  }

  @Test("an E7a whose delivery is not shown counts for nobody")
  func unshown() throws {
    let cases: [(String, Verified<E7a>)] = [
      ("without E5", try sale.e7a { $0.acknowledgement = nil }),
      ("E5 by another", try sale.e7a { $0.acknowledgement = try? sale.e5(by: .stranger).bytes }),
      ("E5 of other goods", try sale.e7a { $0.acknowledgement = try? sale.e5 { $0.hE4 = digest(1) }.bytes }),
      (
        "Held where E5 is claimed",
        try sale.e7a {
          $0.acknowledgement = nil
          $0.held = try? sale.held().bytes
        }
      ),
      ("without Held", try forced.e7a { $0.held = nil }),
      (
        "E5 where force is claimed",
        try forced.e7a {
          $0.held = nil
          $0.acknowledgement = try? sale.e5().bytes
        }
      ),
      ("Held by another", try forced.e7a { $0.held = try? sale.held(by: .otherArchive).bytes }),
      ("Held of other goods", try forced.e7a { $0.held = try? sale.held { $0.hGoods = digest(1) }.bytes }),
      ("Held of another lock", try forced.e7a { $0.held = try? sale.held { $0.lock = digest(1) }.bytes }),
    ]
    for (name, e7a) in cases {
      let bank = EarlyBank()
      try bank.authorised(sale.e2())
      #expect(try bank.decided(.committed(e7a)) == ["refuse mismatch"], "\(name)")
    }
  }
}
