// Rule 13: a refund that was agreed to and not made.

import Judge
import Messages
import Testing

@Suite("Refund withheld")
struct RefundWithheldTests {
  private let sale = Sale()

  private func rf1(by actor: Actor = .pseudonym, _ change: (inout RF1) -> Void = { _ in }) throws -> Verified<
    RF1
  > {
    var payload = RF1(
      n: Ware.n, merchant: Actor.merchant.key, amount: Money("EUR:5.00")!, lock: try sale.p3().hash,
      outputs: [Blinded(keyID: digest(0x0d), message: filled(9, 256))])
    change(&payload)
    return try actor.sign(payload)
  }

  private func rf2(
    _ rf1: Verified<RF1>? = nil, by actor: Actor = .merchant, _ change: (inout RF2) -> Void = { _ in }
  ) throws -> Verified<RF2> {
    let asked = try rf1 ?? self.rf1()
    var payload = RF2(
      amount: asked.payload.amount, lock: asked.payload.lock, hRF1: asked.hash, rf1: asked.bytes)
    change(&payload)
    return try actor.sign(payload)
  }

  private func rf3(_ rf2: Verified<RF2>, by actor: Actor = .bank, signatures: Int = 1) throws -> [UInt8] {
    try actor.sign(
      RF3(
        at: Times.now + 100, hRF2: rf2.hash,
        signatures: Array(repeating: filled(1, 256), count: signatures))
    ).bytes
  }

  /// A paid sale, credited.
  private var paid: [[UInt8]] {
    get throws { [try sale.p3().bytes, try sale.p5a().bytes, try sale.credit().bytes] }
  }

  private func findings(_ files: [[UInt8]], heard: [Actor] = [.bank]) throws -> [Finding] {
    try Exhibits(files, heard: heard).judged().findings(.refundWithheld)
  }

  @Test("the bank, heard, shows neither refund nor refusal: against the bank")
  func withheld() throws {
    let files = try paid + [rf2().bytes]
    try expectConviction(Exhibits(files, heard: [.bank]), .refundWithheld, .bank)
    let needed = [try sale.p3().bytes, try sale.p5a().bytes, try rf2().bytes]
    try expectAllNeeded(Exhibits(needed, heard: [.bank]), .refundWithheld)
    #expect(try findings(files, heard: []) == [.undecided], "silence of who was not heard")
    #expect(
      try Exhibits(files, heard: [.bank], now: Times.lifetime).judged().findings(.refundWithheld)
        == [.undecided], "records may be gone")
  }

  @Test("the refund, or a refusal, clears the bank; signed twice it is one refund")
  func answered() throws {
    let order = try rf2()
    #expect(try findings(paid + [order.bytes, rf3(order)]) == [.noFault])
    #expect(try findings(paid + [order.bytes, rf3(order, signatures: 2)]) == [.convicted])
    #expect(try findings(paid + [order.bytes, rf3(order, by: .otherBank)]) == [.convicted])
    let refusal = try Actor.bank.sign(
      Refusal(at: Times.now + 50, reason: .funds, hRequest: order.hash, detail: nil))
    #expect(try findings(paid + [order.bytes, refusal.bytes]) == [.undecided])
    try expectAcquittal(Exhibits(paid + [order.bytes, rf3(order)], heard: [.bank]), "it was made")
  }

  @Test("signatures that do not hold under the bank's own key list are no refund")
  func rubbish() throws {
    let order = try rf2()
    func judged(_ signer: Actor, holds: Bool) throws -> [Finding] {
      var exhibits = try Exhibits(
        paid + [order.bytes, rf3(order), Tokens.keyList(by: signer).bytes], heard: [.bank])
      exhibits.blindHolds = holds
      return try exhibits.judged().findings(.refundWithheld)
    }
    #expect(try judged(.bank, holds: false) == [.convicted])
    #expect(try judged(.bank, holds: true) == [.noFault])
    #expect(try judged(.otherBank, holds: false) == [.noFault], "another bank's list says nothing")
  }

  @Test("what the bank refused leaves room for what was agreed instead")
  func instead() throws {
    let orders = try [9, 8, 7].map { number in
      try rf2(rf1 { $0.outputs[0].message = filled(UInt8(number), 256) })
    }
    func refusal(_ number: Int, by actor: Actor) throws -> [UInt8] {
      try actor.sign(
        Refusal(at: Times.now + 50, reason: .funds, hRequest: orders[number].hash, detail: nil)
      ).bytes
    }
    let files = try paid + orders.map(\.bytes)
    #expect(try findings(files) == [.undecided, .undecided, .undecided], "15.00 of 12.34")
    #expect(
      try findings(files + [refusal(0, by: .bank)]).sorted { "\($0)" < "\($1)" }
        == [.convicted, .convicted, .undecided])
    #expect(
      try findings(files + [refusal(0, by: .otherBank)]) == [.undecided, .undecided, .undecided],
      "another bank's word leaves no room")
  }

  @Test("where another bank keeps the merchant's account, that one owes the refund, once it was paid")
  func elsewhere() throws {
    let trust = trustList { $0.change(.merchant) { entry in entry.bank = Actor.otherBank.key } }
    let order = try rf2()
    let bare = [try sale.p3().bytes, try sale.p5a().bytes, order.bytes]
    func findings(_ more: [[UInt8]], heard: [Actor]) throws -> [Finding] {
      try Exhibits(bare + more, heard: heard, trust: trust).judged().findings(.refundWithheld)
    }
    func bt1(by actor: Actor = .bank, _ change: (inout BT1) -> Void = { _ in }) throws -> Verified<BT1> {
      var payload = BT1(
        merchant: Actor.merchant.key, amount: Sale.price, lock: try sale.p3().hash, account: "M")
      change(&payload)
      return try actor.sign(payload)
    }
    let transfer = try bt1()
    let credit = try sale.credit(by: .otherBank)
    for shown in [transfer.bytes, credit.bytes] {
      #expect(try findings([shown], heard: [.otherBank]) == [.convicted])
      #expect(try findings([shown], heard: [.bank]) == [.undecided])
      #expect(try findings([shown, rf3(order, by: .otherBank)], heard: [.otherBank]) == [.noFault])
      #expect(try findings([shown, rf3(order)], heard: [.otherBank]) == [.convicted])
    }
    // Nothing that the other bank did not sign, or that this one refused, is money that this one has.
    let refusal = try Actor.otherBank.sign(
      Refusal(at: Times.now + 50, reason: .funds, hRequest: transfer.hash, detail: nil))
    for (name, shown) in [
      ("nothing", []), ("its own order", [try bt1(by: .otherBank).bytes]),
      ("another lock", [try bt1 { $0.lock = digest(1) }.bytes]),
      ("another merchant", [try bt1 { $0.merchant = Actor.otherMerchant.key }.bytes]),
      ("the other bank's word", [try sale.credit().bytes]),
      ("refused", [transfer.bytes, refusal.bytes]),
    ] {
      #expect(try findings(shown, heard: [.bank, .otherBank]) == [.undecided], Comment(rawValue: name))
    }
  }

  @Test("what M did not agree to, or P did not ask for, or is more than was paid, convicts nobody")
  func forged() throws {
    let stranger = try rf1(by: .stranger)
    let other = try rf1 { $0.outputs[0].message = filled(8, 256) }
    let third = try rf1 { $0.outputs[0].message = filled(7, 256) }
    let forged: [(String, [[UInt8]])] = [
      ("another merchant agrees", [try rf2(by: .otherMerchant).bytes]),
      ("another request", [try rf2 { $0.hRF1 = digest(1) }.bytes]),
      ("another amount", [try rf2 { $0.amount = Money("EUR:6.00")! }.bytes]),
      ("another lock", [try rf2 { $0.lock = digest(1) }.bytes]),
      ("not by P", [try rf2(stranger).bytes]),
      ("another n", [try rf2(rf1 { $0.n = TransactionID(filled(1, 16))! }).bytes]),
      ("an unknown lock", [try rf2(rf1 { $0.lock = digest(1) }).bytes]),
      ("another currency", [try rf2(rf1 { $0.amount = Money("USD:1.00")! }).bytes]),
      ("more than was paid", [try rf2(rf1 { $0.amount = Money("EUR:12.35")! }).bytes]),
      ("more in sum", [try rf2().bytes, try rf2(other).bytes, try rf2(third).bytes]),
    ]
    for (name, files) in forged {
      try expectAcquittal(Exhibits(paid + files, heard: [.bank, .merchant]), name)
    }
    let unpaid = [try sale.p3().bytes, try rf2().bytes]
    try expectAcquittal(Exhibits(unpaid, heard: [.bank]), "no commit")
  }
}
