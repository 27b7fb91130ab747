// FIG. 7: customer and merchant never see each other's authorization, so a bank could deny one to the other.

import Judge
import Messages
import Testing

@Suite("Compact: a denied authorization")
struct CompactDenialTests {
  private let joint = JointSale()

  private func jb3(by actor: Actor = .merchant, _ change: (inout JB3) -> Void = { _ in }) throws
    -> Verified<JB3>
  {
    var payload = JB3(
      n: Ware.n, value: Sale.price, expiration: Times.expiration, hP1: try joint.offer(.compact).hash,
      key: Ware.k)
    change(&payload)
    return try actor.sign(payload)
  }

  private func refusal(
    of request: Hash, by actor: Actor = .bank, _ reason: Reason = .unknownTransaction
  ) throws -> [UInt8] {
    try actor.sign(
      Refusal(at: Times.expiration + 1, reason: reason, hRequest: request, detail: "no authorization")
    ).bytes
  }

  @Test("attack 10: a false \"no authorization\" is provable by JB2ack, and by nothing without it")
  func denied() throws {
    let jb2 = try joint.jb2().bytes
    let (key, denial) = (try jb3().bytes, try refusal(of: jb3().hash))
    try expectAcquittal(Exhibits([jb2, key, denial], heard: [.bank]), "without JB2ack the lie stands")
    let files = [jb2, try joint.jb2ack().bytes, key, denial]
    try expectConviction(Exhibits(files), .refusedWrongly, .bank)
    try expectAcquittalWithoutTrust(Exhibits(files), in: [.bank])
  }

  @Test("a bank that refuses the JB2 that it acknowledged is at fault, whatever its reason")
  func refusedAfterwards() throws {
    for reason in [Reason.funds, .spent, .expired, .mismatch] {
      let files = [
        try joint.jb2().bytes, try joint.jb2ack().bytes, try refusal(of: joint.jb2().hash, reason),
      ]
      try expectConviction(Exhibits(files), .refusedWrongly, .bank)
    }
  }

  @Test("refusals of other submissions, by others, and for other reasons convict nobody")
  func forged() throws {
    let (jb2, ack) = (try joint.jb2().bytes, try joint.jb2ack().bytes)
    let (key, denial) = (try jb3().bytes, try refusal(of: jb3().hash))
    let other = TransactionID(filled(1, 16))!
    let cases: [(String, [[UInt8]])] = [
      ("JB3 is not shown", [jb2, ack, denial]),
      ("JB2 is not shown", [ack, key, denial]),
      ("another JB3 was refused", [jb2, ack, key, try refusal(of: digest(1))]),
      ("refused by another bank", [jb2, ack, key, try refusal(of: jb3().hash, by: .otherBank)]),
      ("acknowledged by another bank", [jb2, try joint.jb2ack(by: .otherBank).bytes, key, denial]),
      (
        "JB3 by a stranger",
        [jb2, ack, try jb3(by: .stranger).bytes, try refusal(of: jb3(by: .stranger).hash)]
      ),
      (
        "JB3 of another number",
        [jb2, ack, try jb3 { $0.n = other }.bytes, try refusal(of: jb3 { $0.n = other }.hash)]
      ),
      ("refused because the two differ", [jb2, ack, key, try refusal(of: jb3().hash, .mismatch)]),
      ("JB2 refused and never acknowledged", [jb2, try refusal(of: joint.jb2().hash, .funds)]),
    ]
    for (name, files) in cases { try expectAcquittal(Exhibits(files, heard: [.bank, .otherBank]), name) }
  }

  @Test("two-sided: the merchant shows what it delivered without any JB2")
  func delivered() throws {
    let offer = try joint.offer(.compact)
    let note = Acknowledgement(n: Ware.n, merchant: Actor.merchant.key, hP1: offer.hash)
    let files = [offer.bytes, try joint.jb4a().bytes, try Actor.pseudonym.sign(note).bytes]
    #expect(try Exhibits(files).judged().findings(.deliveredThis) == [.claimFails])
    let stranger = [files[0], files[1], try Actor.stranger.sign(note).bytes]
    #expect(try Exhibits(stranger).judged().findings(.deliveredThis) == [.undecided])
  }
}
