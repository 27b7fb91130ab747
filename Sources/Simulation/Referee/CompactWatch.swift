// A compact sale (FIG. 7) at the merchant, after each durable step: it sees no lock, so what holds the sale
// together is the one JB3 that it signed.

import Messages
import Parties
import Storage

/// Looks at one durable step of a compact sale.
struct CompactWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func look(_ row: MachineRow, _ n: TransactionID, _ phase: SalePhase) {
    let log = image.log("sale", row.key)
    func last(_ label: String) -> [UInt8]? { log.last { $0.label == label }?.bytes }
    guard let offer = last(P1.type.label).flatMap({ try? Verified<P1>($0, by: .key(host.member.key)) })
    else { return fail(8, "a sale without its offer") }
    if phase == .offered { referee.began(offer, Array(row.data.dropFirst()), n, by: host) }
    let submissions = log.filter { $0.label == JB3.type.label }
    if submissions.count > 1 { fail(4, "signs a second JB3 for one sale") }
    let jb3 = submissions.first.flatMap { try? Verified<JB3>($0.bytes, by: .key(host.member.key)) }
    switch phase {
    // One-sided, the same step submits.
    case .offered: break
    case .declined: if jb3 != nil { fail(4, "gives up what it submitted") }
    case .submitted: checkSubmission(jb3, offer, log)
    case .committed, .credited:
      guard let jb3, let bytes = last(JB4a.type.label), let outcome = OutcomeFacts(bytes), outcome.isCommit
      else { return fail(8, "ends a sale without an outcome") }
      checkCommit(outcome, bytes, jb3, offer)
      if phase == .credited { checkCredit(last(Label.credit.rawValue), outcome, offer) }
    case .aborted: checkEnd(log, jb3, offer)
    case .authorised, .forcing, .cancelling, .claiming: fail(8, "a compact sale is \(phase)")
    }
  }

  private func checkSubmission(_ jb3: Verified<JB3>?, _ offer: Verified<P1>, _ log: [StoredMessage]) {
    let contract = offer.payload.contract
    guard let payload = jb3?.payload else { return fail(8, "submits nothing") }
    guard payload.n == offer.payload.n, payload.hP1 == offer.hash, payload.value == contract.price,
      payload.expiration == contract.expirationMax
    else { return fail(3, "submits for another price or time than the contract's") }
    let isAcknowledged = log.contains {
      $0.label == Acknowledgement.type.label && contains($0.bytes, offer.hash.bytes)
    }
    if contract.twoSided && !isAcknowledged {
      fail(3, "submits a two-sided sale without the customer's acknowledgement")
    }
  }

  private func checkCommit(
    _ outcome: OutcomeFacts, _ bytes: [UInt8], _ jb3: Verified<JB3>, _ offer: Verified<P1>
  ) {
    guard offer.payload.contract.banks == [outcome.archive], contains(bytes, jb3.bytes) else {
      return fail(4, "ends a sale by an outcome that is not its own")
    }
    guard outcome.at < jb3.payload.expiration else {
      return fail(4, "ends a sale by a commit at or after the expiration")
    }
  }

  private func checkCredit(_ bytes: [UInt8]?, _ outcome: OutcomeFacts, _ offer: Verified<P1>) {
    guard let credit = bytes.flatMap({ try? Verified<Credit>($0, by: .key(outcome.archive)) }),
      credit.payload.lock == outcome.lock, credit.payload.amount == offer.payload.contract.price
    else { return fail(3, "takes a credit that is not the sale's") }
  }

  /// By JB4b, or by the bank's refusal of JB3 itself.
  private func checkEnd(_ log: [StoredMessage], _ jb3: Verified<JB3>?, _ offer: Verified<P1>) {
    guard let jb3 else { return fail(8, "aborts what it did not submit") }
    let bank = offer.payload.contract.banks[0]
    if let abort = log.lazy.compactMap({ OutcomeFacts($0.bytes) }).first(where: { !$0.isCommit }) {
      guard abort.archive == bank, abort.merchant == host.member.key, abort.n == offer.payload.n,
        abort.contract == offer.hash, abort.at >= jb3.payload.expiration
      else { return fail(4, "ends a sale by an abort that is not its own") }
      return
    }
    let refusal = log.lazy.compactMap { try? Verified<Refusal>($0.bytes, by: .key(bank)) }.last
    if refusal?.payload.hRequest != jb3.hash { fail(4, "ends a sale without an outcome") }
  }
}
