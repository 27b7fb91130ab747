// Banks that refuse wrongly, lock other terms, credit nothing or too little, and keep what an abort freed.
// As its own archive (joint) it plays the archive's tricks.

import Messages
import Parties
import Services

final class LyingBank: Schemer, Liar {
  private let archive: LyingArchive

  private enum Trick: Int, CaseIterable {
    case honest, refusesSpent, otherValue, otherContract, noCredit, littleCredit, ignoresAbort, locksTwice
    case locksNothing, saysAvailable, refusesSomethingElse, lateExpiration
  }

  override init(_ host: Host, _ gang: Gang) {
    archive = LyingArchive(host, gang)
    super.init(host, gang)
  }

  private func trick(_ merchant: PublicKey, _ n: TransactionID) -> Trick {
    Trick(rawValue: trick(merchant.bytes + n.bytes, of: Trick.allCases.count))!
  }

  func incoming(_ sent: Sent) -> Lie? {
    if let request = RequestFacts(sent.body) { return authorised(sent, request) }
    if let outcome = OutcomeFacts(sent.body) { return decided(outcome) }
    if (try? SealedMessage(encoded: sent.body)) != nil || LockFacts(sent.body) != nil {
      return archive.incoming(sent)
    }
    return nil
  }

  private func authorised(_ sent: Sent, _ request: RequestFacts) -> Lie? {
    let terms = request.terms
    switch trick(terms.merchant, terms.n) {
    case .honest, .noCredit, .littleCredit, .ignoresAbort, .saysAvailable: return nil
    case .refusesSpent:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: Hash(of: sent.body), detail: "spent")))
    case .lateExpiration:
      let other = lock(request) { $0.expiration += 4_000 }
      tell(terms.merchant, other)
      return lie(other)
    case .refusesSomethingElse:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: request.terms.hP1, detail: "spent")))
    case .otherValue:
      let other = lock(request) { $0.value = Money(currency: "EUR", amount: $0.value.amount * 2)! }
      tell(terms.merchant, other)
      return lie(other)
    case .otherContract:
      tell(terms.merchant, lock(request) { $0.hP1 = Hash([UInt8](repeating: 1, count: 32))! })
      return nil
    case .locksTwice:
      tell(terms.merchant, lock(request) { $0.expiration += 1 })
      return nil
    case .locksNothing:
      let made = lock(request) { _ in }
      tell(terms.merchant, made)
      return lie(made)
    }
  }

  private func decided(_ outcome: OutcomeFacts) -> Lie? {
    switch trick(outcome.merchant, outcome.n) {
    case .noCredit, .locksNothing: return outcome.isCommit ? lie([]) : nil
    case .littleCredit:
      guard outcome.isCommit else { return nil }
      return lie(
        sign(
          Credit(
            amount: Money(currency: "EUR", amount: 1)!, lock: outcome.lock, at: host.now, account: "merchant")
        ))
    case .ignoresAbort: return outcome.isCommit ? nil : lie([])
    default: return nil
    }
  }

  func replying(to sent: Sent, _ reply: [UInt8]) -> [UInt8]? {
    guard let query = try? Unverified<StatusQuery>(sent.body), let n = query.claims.n,
      let merchant = query.claims.merchant, trick(merchant, n) == .saysAvailable
    else { return nil }
    world.count(.lied)
    return sign(StatusAnswer(at: host.now, hQuery: query.hash, proof: [], state: .unknown))
  }

  func outgoing(_ sent: Sent) -> [UInt8]? {
    if let credit = try? Unverified<Credit>(sent.body), let lock = world.referee.locksSeen[credit.claims.lock]
    {
      switch trick(lock.terms.merchant, lock.terms.n) {
      case .noCredit: return nil
      case .littleCredit:
        return sign(
          Credit(
            amount: Money(currency: "EUR", amount: 1)!, lock: credit.claims.lock, at: host.now,
            account: "merchant"))
      default: break
      }
    }
    return sent.body
  }
}
