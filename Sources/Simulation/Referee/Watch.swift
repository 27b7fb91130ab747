// What all that looks at one durable step has in common: whose store it is, what is in it after the step, and
// whom to tell.

import Messages
import Parties
import Storage

/// Looks at one durable step of a party.
protocol Watch {
  var referee: Referee { get }
  var host: Host { get }
  /// The store after the step.
  var image: StoreImage { get }
}

extension Watch {
  func fail(_ invariant: Int, _ text: String) {
    referee.violate(invariant, "\(host.member.name): \(text)")
  }
}

/// Looks at a sale whose merchant sees the lock.
protocol LockedSaleWatch: Watch {}

extension LockedSaleWatch {
  func checkOutcome(_ bytes: [UInt8]?, _ lock: LockFacts?, isCommit: Bool) {
    guard let outcome = bytes.flatMap({ OutcomeFacts($0) }), outcome.isCommit == isCommit, let lock else {
      return fail(8, "ends a sale without an outcome")
    }
    if let fault = outcome.fault(for: lock.terms, mode: lock.mode, lock: lock.name) {
      fail(4, "ends a sale by an outcome that is not its own: \(fault)")
    }
  }

  func checkCredit(_ bytes: [UInt8]?, _ lock: LockFacts?, _ commit: [UInt8]?) {
    let outcome = commit.flatMap { OutcomeFacts($0) }
    let home = referee.world.cast.home(of: host.member.key)
    guard let lock, let credit = bytes.flatMap({ try? Verified<Credit>($0, by: .key(home ?? lock.bank)) }),
      credit.payload.lock == lock.name, credit.payload.amount == outcome?.due(lock.terms) ?? lock.terms.value
    else { return fail(3, "takes a credit that is not the sale's") }
  }
}
