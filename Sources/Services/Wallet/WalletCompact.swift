// What the wallet does in a compact sale (FIG. 7) from the payment on: JB2 asks for the lock, and from the
// expiration on for the outcome.

import Foundation
import Messages
import Parties

extension Wallet {
  func advanceCompact(_ number: UInt64) async throws {
    typealias Machine = CompactPurchase
    while true {
      let (info, machine) = try await look(Machine.self, number)
      if try await advanceUnpaid(Machine.self, info, machine) { continue }
      switch machine.phase {
      case .authorised: try await ask(number, machine.p2!)
      case .locked: try await settle(info, machine.p2!)
      case .paid: try await deliver(Machine.self, info, machine, machine.p1!.payload.goods!)
      default: return
      }
    }
  }

  /// Sends JB2 and takes whatever comes: JB2ack, an outcome, or the bank's refusal.
  private func ask(_ number: UInt64, _ jb2: Verified<JB2>) async throws {
    let bank = jb2.payload.bank
    guard let reply = try await exchange(jb2.bytes, with: bank) else {
      throw ServiceError.protocolViolation("no answer where JB2ack was due")
    }
    if let refusal = try? Verified<Refusal>(reply, by: .key(bank)) {
      try await apply(CompactPurchase.self, number) { machine in machine.refusedByBank(refusal) }
      throw RefusedByPeer(refusal: refusal)
    }
    if let outcome = try? CompactOutcome(reply, trust: trust.list) {
      return try await apply(CompactPurchase.self, number) { machine in machine.decided(outcome) }
    }
    let ack = try Verified<JB2ack>(reply, by: .key(bank))
    let pseudonym = try await info(number).pseudonymIndex
    try await apply(CompactPurchase.self, number) { [seed] machine in
      try machine.locked(ack, pseudonym: seed.pseudonymKey(pseudonym))
    }
  }

  /// Waits for JB4a, which the bank or the merchant shows to the purchase's pseudonym; from the expiration on
  /// JB2 itself asks for an outcome.
  private func settle(_ info: PurchaseInfo, _ jb2: Verified<JB2>) async throws {
    let (number, terms) = (info.number, jb2.payload.terms)
    let asked = info.chosen.completion == .archive ? jb2.payload.bank : terms.merchant
    var told = false
    var rounds = Rounds(until: terms.expiration, silence: "the bank has not decided")
    while true {
      // Until M has it: M may be away just now, and without S_p(P1) it never hands k over.
      if !told { told = await acknowledge(number, by: .acknowledgement, terms.merchant) }
      try await rounds.next(surroundings)
      let answer = try? await status(
        of: terms.n, terms.merchant, at: asked, pseudonym: info.pseudonymIndex)
      let proof = answer?.payload.proof ?? []
      for bytes in proof {
        guard let outcome = try? CompactOutcome(bytes, trust: trust.list),
          terms.mismatch(outcome, request: jb2.hash) == nil
        else { continue }
        return try await apply(CompactPurchase.self, number) { machine in machine.decided(outcome) }
      }
      guard clock() >= terms.expiration else { continue }
      try await ask(number, jb2)
      if try await look(CompactPurchase.self, number).machine.phase != .locked { return }
      try rounds.check(at: clock())
    }
  }
}
