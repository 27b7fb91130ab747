// Banks that refuse wrongly, lock other terms, credit nothing or too little, and keep what an abort freed.
// As its own archive (joint) it plays the archive's tricks.

import Messages
import Parties
import Services

final class LyingBank: Schemer, Liar {
  private let archive: LyingArchive

  enum Trick: Int, CaseIterable {
    case honest, refusesSpent, otherValue, otherContract, noCredit, littleCredit, ignoresAbort, locksTwice
    case locksNothing, saysAvailable, refusesSomethingElse, lateExpiration
    // Compact sales only.
    case deniesAuthorization, abortsEarly, abortsCommitted, commitsLate
  }

  /// Compact: what customers authorised, by (M, n).
  private var requests: [[UInt8]: LockFacts] = [:]

  override init(_ host: Host, _ gang: Gang) {
    archive = LyingArchive(host, gang)
    super.init(host, gang)
  }

  func trick(_ merchant: PublicKey, _ n: TransactionID) -> Trick {
    Trick(rawValue: trick(merchant.bytes + n.bytes, of: Trick.allCases.count))!
  }

  func incoming(_ sent: Sent) -> Lie? {
    if let refund = RefundFacts(in: sent.body) { return asked(refund) }
    if let bt1 = try? Unverified<BT1>(sent.body) { return transferred(bt1) }
    if let lock = LockFacts(compact: sent.body) {
      requests[lock.terms.merchant.bytes + lock.terms.n.bytes] = lock
      return authorisedCompact(sent, lock)
    }
    if let request = RequestFacts(sent.body) { return authorised(sent, request) }
    if let sealed = try? SealedMessage(encoded: sent.body), let jb3 = submission(sealed) {
      return submittedCompact(jb3)
    }
    if let outcome = OutcomeFacts(sent.body) { return decided(outcome) }
    if let lie = invoiced(sent) { return lie }
    if (try? SealedMessage(encoded: sent.body)) != nil || LockFacts(sent.body) != nil {
      return archive.incoming(sent)
    }
    return nil
  }

  private func authorised(_ sent: Sent, _ request: RequestFacts) -> Lie? {
    let terms = request.terms
    switch trick(terms.merchant, terms.n) {
    case .honest, .noCredit, .littleCredit, .ignoresAbort, .saysAvailable: return nil
    case .deniesAuthorization, .abortsEarly, .abortsCommitted, .commitsLate: return nil
    case .refusesSpent:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: Hash(of: sent.body), detail: "spent")))
    case .lateExpiration:
      let other = lock(request) { $0.expiration += 4_000 }
      tell(terms.merchant, other)
      return lie(other)
    case .refusesSomethingElse:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: request.terms.hP1, detail: "spent")))
    case .otherValue:
      let other = lock(request) { terms in
        // In a series less than its first purchase costs.
        let amount = terms.base.map { max(1, $0.amount - 1) } ?? terms.value.amount * 2
        terms.value = Money(currency: "EUR", amount: amount)!
      }
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

  // MARK: Compact

  private func authorisedCompact(_ sent: Sent, _ lock: LockFacts) -> Lie? {
    let terms = lock.terms
    switch trick(terms.merchant, terms.n) {
    case .refusesSpent:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: lock.name, detail: "spent")))
    case .refusesSomethingElse:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: terms.hP1, detail: "spent")))
    case .otherContract: return lie(sign(JB2ack(at: host.now, hJB2: terms.hP1)))
    case .locksNothing: return lie(sign(JB2ack(at: host.now, hJB2: lock.name)))
    case .abortsEarly: return lie(abort(lock, at: host.now))
    case .abortsCommitted where host.now >= terms.expiration: return lie(abort(lock, at: terms.expiration))
    default: return nil
    }
  }

  private func abort(_ lock: LockFacts, at time: Timestamp) -> [UInt8]? {
    let terms = lock.terms
    return sign(
      JB4b(
        n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
        hP1: terms.hP1, at: time, failed: Reason.expired.rawValue, hJB2: lock.name))
  }

  private func submission(_ sealed: SealedMessage) -> Verified<JB3>? {
    guard let plain = try? host.member.identity?.sealing.open(sealed.box),
      let bundle = try? Bundle(encoded: plain), bundle.messages.count == 1,
      let jb3 = try? Unverified<JB3>(bundle.messages[0])
    else { return nil }
    return try? Verified(jb3, by: .key(jb3.claimedSigners[0]))
  }

  private func submittedCompact(_ jb3: Verified<JB3>) -> Lie? {
    let lock = requests[jb3.signer.bytes + jb3.payload.n.bytes]
    switch trick(jb3.signer, jb3.payload.n) {
    case .deniesAuthorization:
      return lie(
        sign(Refusal(at: host.now, reason: .unknownTransaction, hRequest: jb3.hash, detail: "no JB2 came")))
    case .abortsEarly: return lock.flatMap { lie(abort($0, at: host.now)) }
    case .commitsLate:
      guard let lock else { return nil }
      gang.keys[jb3.payload.n] = jb3.payload.key
      return lie(
        sign(
          JB4a(
            lifetime: lock.terms.lifetime, at: lock.terms.expiration, hJB2: lock.name, submission: jb3.bytes)
        ))
    default: return nil
    }
  }

  // MARK: The end

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
    if let rf3 = (try? Unverified<RF3>(reply))?.claims { return bent(rf3) }
    guard let query = try? Unverified<StatusQuery>(sent.body), let n = query.claims.n,
      let merchant = query.claims.merchant, trick(merchant, n) == .saysAvailable
    else { return nil }
    world.count(.lied)
    return sign(StatusAnswer(at: host.now, hQuery: query.hash, proof: [], state: .unknown))
  }

  func outgoing(_ sent: Sent) -> [UInt8]? {
    if let bt1 = try? Unverified<BT1>(sent.body) { return transfer(bt1, to: sent.to.member.key) }
    // The receipt of a compact sale: commit and Credit.
    if let bundle = try? Bundle(encoded: sent.body), bundle.messages.count == 2,
      let outcome = OutcomeFacts(bundle.messages[0]), outcome.mode == .compact
    {
      return receipt(outcome, bundle.messages[0], sent.body)
    }
    if let credit = try? Unverified<Credit>(sent.body) {
      let lock = world.referee.locksSeen[credit.claims.lock]?.terms
      guard let (merchant, n) = lock.map({ ($0.merchant, $0.n) }) ?? invoice(of: credit.claims) else {
        return sent.body
      }
      switch trick(merchant, n) {
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

  private func receipt(_ outcome: OutcomeFacts, _ commit: [UInt8], _ body: [UInt8]) -> [UInt8]? {
    switch trick(outcome.merchant, outcome.n) {
    case .noCredit: return nil
    case .littleCredit:
      let credit = sign(
        Credit(
          amount: Money(currency: "EUR", amount: 1)!, lock: outcome.lock, at: host.now, account: "merchant"))
      return credit.flatMap { try? Bundle([commit, $0]).encoded() }
    default: return body
    }
  }
}
