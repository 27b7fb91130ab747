// Refunds: what the bank lets pass, the merchant's machine in every state and with every event, and attack
// 17.

import Messages
import Parties
import Testing

/// A refund of the sale between the actors.
struct RefundDeal {
  static let half = Money("EUR:6.17")!
  static let keys = KeyList(
    at: Times.now - 100, sequence: 0, previous: nil,
    keys: [
      Denomination(
        value: half, id: digest(0x0d), modulus: filled(0xc5, 256), issueFrom: Times.now - 100,
        issueUntil: Times.now + 100, spendUntil: Times.lifetime + 1)
    ], exchangeFee: 0)

  func rf1(by actor: Actor = .pseudonym, _ change: (inout RF1) -> Void = { _ in }) throws -> Verified<RF1> {
    var payload = RF1(
      n: Sale.n, merchant: Actor.merchant.publicKey, amount: Self.half, lock: try Sale().p3().hash,
      outputs: [Blinded(keyID: digest(0x0d), message: filled(9, 256))])
    change(&payload)
    return try actor.sign(payload)
  }

  func rf2(
    _ rf1: Verified<RF1>? = nil, by actor: Actor = .merchant, _ change: (inout RF2) -> Void = { _ in }
  ) throws -> Verified<RF2> {
    let rf1 = try rf1 ?? self.rf1()
    var payload = RF2(
      amount: rf1.payload.amount, lock: rf1.payload.lock, hRF1: rf1.hash, rf1: rf1.bytes)
    change(&payload)
    return try actor.sign(payload)
  }

  func rf3(_ rf2: Verified<RF2>? = nil, by actor: Actor = .bank) throws -> Verified<RF3> {
    try actor.sign(RF3(at: Times.now, hRF2: (rf2 ?? self.rf2()).hash, signatures: [filled(1, 256)]))
  }

  func lock(_ change: (inout SettledLock) -> Void = { _ in }) throws -> SettledLock {
    var lock = SettledLock(
      name: try Sale().p3().hash, merchant: Actor.merchant.publicKey, n: Sale.n,
      pseudonym: Actor.pseudonym.publicKey, credited: Sale.price, refunded: 0)
    change(&lock)
    return lock
  }

  func sale(_ change: (inout RefundableSale) -> Void = { _ in }) throws -> RefundableSale {
    var sale = RefundableSale(
      n: Sale.n, pseudonym: Actor.pseudonym.publicKey, lock: try Sale().p3().hash,
      bank: Actor.bank.publicKey, value: Sale.price, agreed: 0)
    change(&sale)
    return sale
  }
}

@Suite("Refunds at the bank's counter")
struct RefundCounterTests {
  private let deal = RefundDeal()

  private func check(
    _ rf1: Verified<RF1>? = nil, _ rf2: Verified<RF2>? = nil, lock: SettledLock? = nil,
    balance: Money? = Money("EUR:100")!, at now: Timestamp = Times.now
  ) throws -> Reason? {
    let rf1 = try rf1 ?? deal.rf1()
    return BankCounter.checkRefund(
      try rf2 ?? deal.rf2(rf1), rf1, of: try lock ?? deal.lock(), balance: balance, keys: RefundDeal.keys,
      at: now)?.reason
  }

  @Test("what the merchant agreed to passes, up to all that was credited")
  func passes() throws {
    #expect(try check() == nil)
    #expect(try check(lock: deal.lock { $0.refunded = RefundDeal.half.amount }) == nil, "the other half")
    #expect(try check(balance: RefundDeal.half) == nil)
  }

  @Test("what the two messages, the lock, the account or the outputs do not bear out is refused")
  func refused() throws {
    let rf1 = try deal.rf1()
    #expect(try check(rf1, deal.rf2 { $0.hRF1 = digest(1) }) == .mismatch)
    #expect(try check(rf1, deal.rf2 { $0.amount = Sale.price }) == .mismatch)
    #expect(try check(rf1, deal.rf2 { $0.lock = digest(1) }) == .mismatch)
    #expect(try check(rf1, deal.rf2(by: .stranger)) == .mismatch, "another merchant agrees")
    #expect(try check(deal.rf1 { $0.lock = digest(1) }) == .unknownTransaction)
    #expect(try check(deal.rf1 { $0.n = TransactionID(filled(1, 16))! }) == .mismatch)
    #expect(try check(lock: deal.lock { $0.merchant = Actor.stranger.publicKey }) == .mismatch)
    #expect(try check(deal.rf1(by: .stranger)) == .mismatch, "not by the lock's P")
    #expect(try check(balance: nil) == .noSuchAccount)
    #expect(try check(balance: Money("EUR:6.16")!) == .funds)
    #expect(try check(balance: Money("USD:100")!) == .funds)
    #expect(try check(deal.rf1 { $0.outputs *= 2 }) == .wrongValue)
    #expect(try check(deal.rf1 { $0.outputs[0].keyID = digest(1) }) == .denomination)
    #expect(try check(at: Times.now + 100) == .denomination)
    #expect(
      BankCounter.checkRefund(
        try deal.rf2(), rf1, of: nil, balance: Money("EUR:100")!, keys: RefundDeal.keys, at: Times.now)?
        .reason
        == .unknownTransaction)
  }
}

extension [Blinded] {
  fileprivate static func *= (list: inout [Blinded], times: Int) {
    list = Array(repeatElement(list, count: times).joined())
  }
}

@Suite("Attack 17: refunds")
struct RefundAttackTests {
  private let deal = RefundDeal()

  @Test("refunds of a lock are never more than was credited, however many the merchant signs")
  func sum() throws {
    var refunded: UInt64 = 0
    var reasons: [Reason?] = []
    for round in 0..<3 {
      // Another request each time: other outputs.
      let rf1 = try deal.rf1 { $0.outputs[0].message = filled(UInt8(round), 256) }
      let lock = try deal.lock { $0.refunded = refunded }
      let denial = BankCounter.checkRefund(
        try deal.rf2(rf1), rf1, of: lock, balance: Money("EUR:100")!, keys: RefundDeal.keys, at: Times.now)
      reasons.append(denial?.reason)
      if denial == nil { refunded += rf1.payload.amount.amount }
    }
    #expect(reasons == [nil, nil, .wrongValue])
    #expect(refunded == Sale.price.amount)
    let third = try deal.rf1 { $0.outputs[0].message = filled(2, 256) }
    let forgetful = BankCounter.checkRefund(
      try deal.rf2(third), third, of: try deal.lock(), balance: Money("EUR:100")!, keys: RefundDeal.keys,
      at: Times.now)
    #expect(forgetful == nil, "a bank that does not keep the sum pays more back than was paid")
  }

  @Test("whoever learns of a lock gets nothing of it: the request is P's, and P stands in the lock")
  func stranger() throws {
    let rf1 = try deal.rf1(by: .stranger)
    let naive = try deal.lock { $0.pseudonym = Actor.stranger.publicKey }
    func reason(_ lock: SettledLock) throws -> Reason? {
      BankCounter.checkRefund(
        try deal.rf2(rf1), rf1, of: lock, balance: Money("EUR:100")!, keys: RefundDeal.keys, at: Times.now)?
        .reason
    }
    #expect(try reason(naive) == nil, "without P in the lock it would be paid")
    #expect(try reason(deal.lock()) == .mismatch)
    let rig = RefundRig()
    #expect(try rig.requested(rf1, sale: deal.sale()) == ["refuse mismatch"])
  }
}

/// A refund at the merchant beside a twin that is re-created after every event, as after a crash.
private final class RefundRig {
  var machine = MerchantRefund()
  private var twin = MerchantRefund()
  private var kept: [Label: [UInt8]] = [:]

  func run(_ event: (inout MerchantRefund, borrowing SigningKey) throws -> [RefundEffect]) throws -> [String]
  {
    let effects = try Actor.merchant.withKey { try event(&machine, $0) }
    let again = try Actor.merchant.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored merchant does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    twin = try MerchantRefund(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.rf1 == machine.rf1)
    return effects.map { effect in
      switch effect {
      case .keep(let label, _): "keep \(label.rawValue)"
      case .enter(let phase): "enter \(phase)"
      case .send(let bytes, let key):
        "send \((try? MessageType(peeking: bytes).label) ?? "?") to \(Actor.named(key))"
      case .reply(let bytes): "reply \((try? MessageType(peeking: bytes).label) ?? "?")"
      case .refuse(let denial): "refuse \(denial.reason)"
      }
    }
  }

  func requested(_ rf1: Verified<RF1>, sale: RefundableSale?, agrees: Bool = false) throws -> [String] {
    try run { try $0.requested(rf1, sale: sale, agrees: agrees, key: $1) }
  }
}

/// What can happen to a refund at the merchant.
enum RefundEvent: String, CaseIterable, Sendable {
  case request, approve, deny, done, othersDone, refusal, othersRefusal
}

@Suite("The merchant's refund")
struct MerchantRefundTests {
  private let deal = RefundDeal()
  private static let agree = ["keep RF2", "enter agreed", "send RF2 to bank", "reply RF2"]

  private func happen(_ event: RefundEvent, to rig: RefundRig) throws -> [String] {
    let bank = Actor.bank.publicKey
    let sale = try deal.sale()
    switch event {
    case .request: return try rig.requested(deal.rf1(), sale: sale)
    case .approve: return try rig.run { try $0.approved(sale: sale, key: $1) }
    case .deny: return try rig.run { machine, _ in machine.denied() }
    case .done, .othersDone:
      let rf3 = try deal.rf3(by: event == .done ? .bank : .otherBank)
      return try rig.run { machine, _ in machine.answered(rf3, bank: bank) }
    case .refusal, .othersRefusal:
      let refusal = try (event == .refusal ? Actor.bank : .otherBank).sign(
        Refusal(at: Times.now, reason: .funds, hRequest: deal.rf2().hash, detail: nil))
      return try rig.run { machine, _ in machine.refusedByBank(refusal, bank: bank) }
    }
  }

  private func rig(in phase: RefundPhase) throws -> RefundRig {
    let rig = RefundRig()
    let path: [RefundEvent] =
      switch phase {
      case .absent: []
      case .waiting: [.request]
      case .agreed: [.request, .approve]
      case .done: [.request, .approve, .done]
      case .refused: [.request, .deny]
      }
    for event in path { _ = try happen(event, to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }

  /// What follows where anything does.
  private static let expected: [RefundPhase: [RefundEvent: (effects: [String], phase: RefundPhase)]] = [
    .absent: [.request: (["keep RF1", "enter waiting"], .waiting)],
    .waiting: [
      .approve: (agree, .agreed), .deny: (["enter refused", "refuse wrongValue"], .refused),
    ],
    .agreed: [
      .request: (["reply RF2"], .agreed), .done: (["keep RF3", "enter done"], .done),
      .refusal: (["keep Refusal", "enter refused"], .refused),
    ],
    .done: [.request: (["reply RF2"], .done)], .refused: [:],
  ]

  @Test("each event has its one effect in each phase, also after a restart", arguments: RefundEvent.allCases)
  func everyEvent(event: RefundEvent) throws {
    for phase in [RefundPhase.absent, .waiting, .agreed, .done, .refused] {
      let rig = try rig(in: phase)
      let expected = Self.expected[phase]?[event] ?? ([], phase)
      #expect(try happen(event, to: rig) == expected.effects, "\(event) when \(phase)")
      #expect(rig.machine.phase == expected.phase, "\(event) when \(phase)")
    }
  }

  @Test("by policy it is agreed at once; what cannot be is refused, and keeps nothing")
  func policy() throws {
    #expect(
      try RefundRig().requested(deal.rf1(), sale: deal.sale(), agrees: true) == ["keep RF1"] + Self.agree)
    let bad: [(String, Reason, Verified<RF1>, RefundableSale?)] = [
      ("not paid", .unknownTransaction, try deal.rf1(), nil),
      ("another lock", .mismatch, try deal.rf1 { $0.lock = digest(1) }, try deal.sale()),
      ("another n", .mismatch, try deal.rf1 { $0.n = TransactionID(filled(1, 16))! }, try deal.sale()),
      (
        "another merchant", .mismatch, try deal.rf1 { $0.merchant = Actor.stranger.publicKey },
        try deal.sale()
      ),
      ("more than was paid", .wrongValue, try deal.rf1 { $0.amount = Money("EUR:12.35")! }, try deal.sale()),
      ("more than is left", .wrongValue, try deal.rf1(), try deal.sale { $0.agreed = 700 }),
      ("nothing", .wrongValue, try deal.rf1 { $0.amount = Money("EUR:0")! }, try deal.sale()),
      ("another currency", .wrongValue, try deal.rf1 { $0.amount = Money("USD:1")! }, try deal.sale()),
    ]
    for (name, reason, rf1, sale) in bad {
      let rig = RefundRig()
      #expect(try rig.requested(rf1, sale: sale, agrees: true) == ["refuse \(reason)"], "\(name)")
      #expect(rig.machine.phase == .absent, "\(name)")
    }
  }

  @Test("what was agreed meanwhile counts when the operator agrees")
  func meanwhile() throws {
    let rig = try rig(in: .waiting)
    let sale = try deal.sale { $0.agreed = 700 }
    #expect(try rig.run { try $0.approved(sale: sale, key: $1) } == ["enter refused", "refuse wrongValue"])
  }
}
