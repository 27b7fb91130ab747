// Transfers between banks: the sender's machine in every state and with every event, and what a receiver
// checks.

import Messages
import Parties
import Testing

private let merchant = Actor.merchant.publicKey
private let lock = digest(0x4c)

private func bt1(by actor: Actor = .bank, _ change: (inout BT1) -> Void = { _ in }) throws -> Verified<BT1> {
  var payload = BT1(merchant: merchant, amount: Sale.price, lock: lock, account: merchant.description)
  change(&payload)
  return try actor.sign(payload)
}

private func bt2(by actor: Actor = .otherBank, _ change: (inout BT2) -> Void = { _ in }) throws -> Verified<
  BT2
> {
  var payload = BT2(amount: Sale.price, lock: lock, at: Times.now + 5, hBT1: try bt1().hash)
  change(&payload)
  return try actor.sign(payload)
}

/// A transfer beside a twin that is re-created after every event, as after a crash.
private final class TransferRig {
  var machine = BankTransfer(to: Actor.otherBank.publicKey)
  private var twin = BankTransfer(to: Actor.otherBank.publicKey)
  private var kept: [Label: [UInt8]] = [:]

  func run(_ event: (inout BankTransfer, borrowing SigningKey) throws -> [TransferEffect]) throws -> [String]
  {
    let effects = try Actor.bank.withKey { try event(&machine, $0) }
    let again = try Actor.bank.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored bank does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    twin = try BankTransfer(to: Actor.otherBank.publicKey, phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase)
    return effects.map { effect in
      switch effect {
      case .keep(let label, _): "keep \(label.rawValue)"
      case .enter(let phase, let due): "enter \(phase)" + (due.map { ", due in \($0 - Times.now)" } ?? "")
      case .send(let bytes, let key):
        "send \((try? MessageType(peeking: bytes).label) ?? "?") to \(Actor.named(key))"
      case .reply(let bytes): "reply \((try? MessageType(peeking: bytes).label) ?? "?")"
      }
    }
  }

  func begin() throws -> [String] {
    try run {
      try $0.begun(BT1(paying: merchant, Sale.price, lock: lock), at: Times.now, key: $1)
    }
  }

  func credited(_ bt2: Verified<BT2>) throws -> [String] { try run { machine, _ in machine.credited(bt2) } }
}

@Suite("A transfer to another bank")
struct TransferTests {
  private static let sending = ["enter sent, due in 60", "send BT1 to otherBank"]

  @Test("BT1 is signed once and sent until BT2 is there; BT2 is shown from then on")
  func events() throws {
    let rig = TransferRig()
    #expect(try rig.run { machine, _ in machine.again(at: Times.now) } == [], "nothing has begun")
    #expect(try rig.credited(bt2()) == [], "nothing has begun")
    #expect(try rig.begin() == ["keep BT1"] + Self.sending)
    #expect(try rig.begin() == Self.sending)
    #expect(try rig.run { machine, _ in machine.again(at: Times.now) } == Self.sending)
    #expect(try rig.credited(bt2()) == ["keep BT2", "enter done"])
    #expect(try rig.credited(bt2()) == [])
    #expect(try rig.begin() == ["reply BT2"])
    #expect(try rig.run { machine, _ in machine.again(at: Times.now) } == ["reply BT2"])
    #expect(rig.machine.phase == .done)
  }

  @Test("a confirmation by another bank, or of another transfer, is none")
  func foreign() throws {
    for other in [
      try bt2(by: .stranger), try bt2(by: .bank), try bt2 { $0.hBT1 = digest(1) },
      try bt2 { $0.lock = digest(1) }, try bt2 { $0.amount = Money("EUR:1")! },
    ] {
      let rig = TransferRig()
      _ = try rig.begin()
      #expect(try rig.credited(other) == [])
      #expect(rig.machine.phase == .sent)
    }
  }

  private func check(
    _ message: Verified<BT1>? = nil, known: Verified<BT1>? = nil,
    _ change: (inout PeerFacts) -> Void = { _ in }
  ) throws -> Reason? {
    var facts = PeerFacts(owes: 0, limit: 5000, currency: "EUR", home: Actor.otherBank.publicKey)
    change(&facts)
    return facts.check(try message ?? bt1(), known: known, bank: Actor.otherBank.publicKey)?.reason
  }

  @Test("the receiver credits its own merchants, for peers with clearing, up to their limit, once per lock")
  func receiving() throws {
    #expect(try check() == nil)
    #expect(try check { $0.owes = 5000 - Sale.price.amount } == nil)
    #expect(try check { $0.owes = 5001 - Sale.price.amount } == .funds)
    #expect(try check { $0.owes = 6000 } == .funds, "the limit was lowered")
    #expect(try check { $0.limit = nil } == .unsupported)
    #expect(try check { $0.currency = nil } == .noSuchAccount)
    #expect(try check { $0.currency = "USD" } == .wrongValue)
    #expect(try check { $0.home = Actor.bank.publicKey } == .mismatch)
    #expect(try check { $0.home = nil } == .mismatch, "the merchant has named no bank")
    #expect(try check(known: bt1()) == nil, "the same again is answered again")
    #expect(try check(bt1 { $0.amount = Money("EUR:1")! }, known: bt1()) == .nReused)
    #expect(try check(bt1(by: .stranger), known: bt1()) == .nReused)
  }
}
