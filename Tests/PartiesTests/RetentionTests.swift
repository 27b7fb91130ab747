// What may be let go of, and when.

import Messages
import Parties
import Testing

@Suite("Retention")
struct RetentionTests {
  @Test("time is over so many seconds after the lifetime, and no overflow makes it earlier")
  func time() {
    #expect(!Retention.isOver(100, keepSeconds: 10, at: 99))
    #expect(!Retention.isOver(100, keepSeconds: 10, at: 109))
    #expect(Retention.isOver(100, keepSeconds: 10, at: 110))
    #expect(Retention.isOver(100, keepSeconds: 0, at: 100))
    #expect(!Retention.isOver(100, keepSeconds: .max, at: .max - 1))
  }

  @Test("a merchant keeps what is not ended, not credited, or evidence")
  func sales() {
    for phase in [SalePhase.offered, .declined, .aborted, .credited] {
      #expect(Retention.mayForget(phase, evidence: false))
      #expect(!Retention.mayForget(phase, evidence: true))
    }
    for phase in [SalePhase.authorised, .forcing, .submitted, .cancelling, .committed] {
      #expect(!Retention.mayForget(phase, evidence: false), "\(phase)")
    }
    for phase in [RefundPhase.waiting, .agreed] { #expect(Retention.isOpen(phase)) }
    for phase in [RefundPhase.absent, .done, .refused] { #expect(!Retention.isOpen(phase)) }
  }

  @Test("a bank keeps locks that hold something, and evidence")
  func locks() {
    for phase in [LockPhase.settled, .released] {
      #expect(Retention.mayForget(phase, evidence: false))
      #expect(!Retention.mayForget(phase, evidence: true))
    }
    for phase in [LockPhase.absent, .locked, .keyed, .lapsed] {
      #expect(!Retention.mayForget(phase, evidence: false), "\(phase)")
    }
  }

  @Test("a customer keeps what is open, or evidence")
  func purchases() {
    for phase in [PurchasePhase.delivered, .aborted, .refused, .abandoned] {
      #expect(Retention.mayForget(phase, evidence: false))
      #expect(!Retention.mayForget(phase, evidence: true))
    }
    for phase in [PurchasePhase.requested, .offered, .checked, .authorised, .locked, .paid] {
      #expect(!Retention.mayForget(phase, evidence: false))
    }
  }

  @Test("records go from the first on, without a gap, and none whose lifetime is not known")
  func records() {
    #expect(Retention.emptied([10, 20, 30], keepSeconds: 5, at: 25) == 2)
    #expect(Retention.emptied([10, 40, 20], keepSeconds: 5, at: 25) == 1)
    #expect(Retention.emptied([nil, 10], keepSeconds: 5, at: 25) == 0)
    #expect(Retention.emptied([], keepSeconds: 5, at: 25) == 0)
  }
}
