// The catalogue's attacks on early commitment, 7 and 8: with the fix off they succeed, with it they fail.

import Messages
import Parties
import Testing

@Suite("Attacks on early commitment")
struct EarlyAttackTests {
  private let forced = EarlySale(delivery: .forced)

  @Test("7: nobody is charged for goods that only their description has reached")
  func forcedOverDetachedGoods() throws {
    // M describes goods and gives them to nobody, then forces the commit.
    let submission = try forced.submission()
    let archive = EarlyArchive(try forced.e3())
    #expect(try archive.submitted(submission, holdsGoods: false) == ["refuse unacknowledged"])
    #expect(try archive.abortRequested(at: Times.expiration).first == "publish E7b", "the money comes back")

    // An archive that does not look for the ciphertext publishes, and the bank has to pay.
    let careless = EarlyArchive(try forced.e3())
    #expect(try careless.submitted(submission, holdsGoods: true).first == "publish E7a")
    let outcome = try #require(careless.outcome)
    let bank = EarlyBank()
    try bank.authorised(forced.e2())
    #expect(try bank.decided(outcome).contains("credit merchant EUR:12.34"))
    let customer = try EarlyPoint.locked.rig()
    try customer.decided(outcome)
    #expect(
      customer.machine.goodsKey == Sale.k && customer.machine.goods == nil, "a key, and nothing to open")
  }

  @Test("7: the archive's word is about the goods that M submitted, not about others that it holds")
  func otherGoodsHeld() throws {
    let other = try forced.e4 { $0.root = digest(1) }
    let archive = EarlyArchive(try forced.e3())
    let swapped = try forced.submission(with: other.bytes)
    #expect(try archive.submitted(swapped, holdsGoods: true) == ["refuse mismatch"])
    let word = try forced.held { $0.hGoods = other.hash }
    let bank = EarlyBank()
    try bank.authorised(forced.e2())
    #expect(try bank.decided(.committed(forced.e7a { $0.held = word.bytes })) == ["refuse mismatch"])
    let naive = word.payload.lock == (try forced.e3().hash) && word.signer == Actor.archive.publicKey
    #expect(naive, "by lock and signer alone it would pay")
  }

  @Test("8: a record that cannot be paid does not come about, and leaves the abort open")
  func unacknowledgedRecord() throws {
    // Without the fix: an archive that publishes x alone.
    let bare = Outcome<EarlyMode>.committed(try forced.e7a { $0.held = nil })
    let lock = try forced.e3()
    let stuck = EarlyArchive(lock, outcome: bare)
    #expect(try stuck.abortRequested(at: Times.expiration) == ["reply E7a"], "no abort any more")
    let bank = EarlyBank()
    try bank.authorised(forced.e2())
    #expect(try bank.decided(bare) == ["refuse mismatch"], "and no payment: the money stays locked")
    #expect(bank.machine.phase == .locked)

    // With it: x goes out with E5 or with the goods held, or not at all.
    let archive = EarlyArchive(lock)
    #expect(try archive.submitted(forced.submission()) == ["refuse unacknowledged"])
    #expect(try archive.abortRequested(at: Times.expiration).first == "publish E7b")
    #expect(
      try bank.decided(#require(archive.outcome)) == ["keep E7b", "enter released", "release", "reply E7b"])
  }

  @Test("the public record and the archive's word disclose nothing: k needs E1's mask")
  func nothingDisclosed() throws {
    for sale in [EarlySale(), forced] {
      let e7a = try sale.e7a()
      #expect(!e7a.bytes.contains(Sale.k) && !e7a.bytes.contains(EarlySale.mask.bytes))
      #expect(e7a.bytes.contains(EarlySale.x))
    }
    #expect(masked(EarlySale.x, by: EarlySale.mask) == Sale.k)
  }

  @Test("6: nothing of core serves in early commitment, nor the other way round")
  func modeConfusion() throws {
    let core = Sale()
    let hx = Hash.keyCommitment(.core, merchant: Actor.merchant.publicKey, n: Sale.n, key: EarlySale.x)
    #expect(try EarlySale().e1().payload.hx != hx)
    #expect(throws: MessageError.self) { try Verified<E3>(core.p3().bytes, by: .key(Actor.bank.publicKey)) }
    #expect(throws: MessageError.self) {
      try Outcome<EarlyMode>(core.p5a().bytes, trust: trustList())
    }
  }
}
