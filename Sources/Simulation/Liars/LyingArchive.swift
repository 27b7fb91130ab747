// Archives that withhold, equivocate, back-date, abort too early, hide records and let keys out.

import Messages
import Services

/// An archive that lies; a bank that is its own archive lies by the same tricks.
final class LyingArchive: Schemer, Liar {
  /// What it saw of each lock: the submission, once one came.
  private var submissions: [Hash: [UInt8]] = [:]
  /// Messages 3 that reached it.
  var announcements: [[UInt8]] = []

  private enum Trick: Int, CaseIterable {
    case honest, silent, deafToMerchant, abortsEarly, abortsBackdated, both, bothLate, hides, commitsLate
    case tellsOnlyMerchant, wrongLock, refuses
    // With a merchant in the coalition, who signs whatever is needed.
    case otherKey, otherContract, otherExpiration, otherLock, oldCancel, otherLifetime
  }

  private func trick(_ lock: LockFacts) -> Trick {
    Trick(rawValue: trick(lock.name.bytes, of: Trick.allCases.count))!
  }

  /// Nobody ever hears anything of this lock.
  func isSilent(on lock: LockFacts) -> Bool { trick(lock) == .silent }

  func incoming(_ sent: Sent) -> Lie? {
    if sent.method == "GET" { return hide(sent) }
    if let sealed = try? SealedMessage(encoded: sent.body) { return submitted(sealed) }
    if let lock = LockFacts(sent.body), sent.from.member.key != host.member.key { return asked(lock) }
    if keepsDocuments(sent) { return lie(nil) }
    if let hidden = hide(sent) { return hidden }
    return announced(sent.body) ?? registering(sent.body) ?? complained(sent.body)
  }

  // MARK: Submissions

  private func submitted(_ sealed: SealedMessage) -> Lie? {
    guard let plain = try? host.member.identity?.sealing.open(sealed.box),
      let bundle = try? Bundle(encoded: plain)
    else { return nil }
    if bundle.leads == .deposit { return deposited(bundle.messages[0], in: sealed) }
    guard bundle.messages.count >= 2, let lock = LockFacts(bundle.messages[1]),
      lock.terms.archive == host.member.key
    else { return nil }
    let submission = bundle.messages[0]
    submissions[lock.name] = submission
    learn(submission, lock)
    let (now, terms) = (host.now, lock.terms)
    switch trick(lock) {
    case .honest, .hides: return nil
    case .silent, .deafToMerchant: return lie(nil)
    case .abortsEarly: return publish(abort(lock, at: now), lock)
    case .abortsBackdated: return publish(abort(lock, at: terms.expiration), lock)
    case .both, .bothLate:
      tell(lock.bank, abort(lock, at: terms.expiration))
      return lie(commit(submission, lock, at: min(now, terms.expiration - 1)))
    case .commitsLate: return publish(commit(submission, lock, at: terms.expiration), lock)
    case .tellsOnlyMerchant: return lie(commit(submission, lock, at: min(now, terms.expiration - 1)))
    case .wrongLock:
      let other = LockFacts(lock, named: Hash(dice.bytes(32))!)
      return publish(abort(other, at: terms.expiration), lock)
    case .refuses: return refuse(sealed)
    case .otherKey, .otherContract, .otherExpiration, .otherLock, .oldCancel, .otherLifetime:
      guard let outcome = conspire(lock, submission) else { return nil }
      return publish(outcome, lock)
    }
  }

  /// What archive and merchant make up together.
  private func conspire(_ lock: LockFacts, _ submission: [UInt8]) -> [UInt8]? {
    guard gang.has(.merchant), let old = (try? Unverified<P4>(submission))?.claims else { return nil }
    let now = min(host.now, lock.terms.expiration - 1)
    var p4 = old
    switch trick(lock) {
    case .otherKey: p4.key = dice.bytes(32)
    case .otherContract: p4.hP1 = Hash(dice.bytes(32))!
    case .otherExpiration: p4.expiration += 1
    case .otherLock: p4.lock = Hash(dice.bytes(32))!
    case .otherLifetime:
      return sign(Commit<CoreMode>(submission: submission, at: now, lifetime: lock.terms.lifetime + 1))
    default:
      let cancel = gang.sign(Cancel(n: lock.terms.n, lock: Hash(dice.bytes(32))!), as: .merchant)
      let terms = lock.terms
      return sign(
        Abort<CoreMode>(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.name, at: now, failed: .cancelled, cancel: cancel))
    }
    return gang.sign(p4, as: .merchant).flatMap { commit($0, lock, at: now) }
  }

  private func learn(_ submission: [UInt8], _ lock: LockFacts) {
    func key<M: PurchaseMode>(_: M.Type) -> [UInt8]? {
      (try? Unverified<M.Submission>(submission))?.claims.key
    }
    if let mode = LockModes.of(lock.mode), let k = key(mode) { gang.keys[lock.terms.n] = k }
  }

  private func publish(_ outcome: [UInt8]?, _ lock: LockFacts) -> Lie {
    tell(lock.bank, outcome)
    return lie(outcome)
  }

  private func refuse(_ sealed: SealedMessage) -> Lie {
    let request = (try? sealed.encoded()) ?? []
    return lie(sign(Refusal(at: host.now, reason: .tooLate, hRequest: Hash(of: request), detail: "no")))
  }

  // MARK: Questions

  private func asked(_ lock: LockFacts) -> Lie? {
    guard lock.terms.archive == host.member.key else { return nil }
    let (now, terms) = (host.now, lock.terms)
    switch trick(lock) {
    case .honest, .deafToMerchant, .hides: return nil
    case .otherKey, .otherContract, .otherExpiration, .otherLock, .oldCancel, .otherLifetime: return nil
    case .silent: return lie(nil)
    case .abortsEarly, .abortsBackdated: return publish(abort(lock, at: terms.expiration), lock)
    case .both, .tellsOnlyMerchant: return lie(abort(lock, at: max(now, terms.expiration)))
    case .bothLate:
      guard let submission = submissions[lock.name] else { return nil }
      return lie(commit(submission, lock, at: terms.expiration - 1))
    case .commitsLate:
      guard let submission = submissions[lock.name] else { return nil }
      return publish(commit(submission, lock, at: now), lock)
    case .wrongLock:
      return lie(abort(LockFacts(lock, named: Hash(dice.bytes(32))!), at: max(now, terms.expiration)))
    case .refuses: return lie(sign(Refusal(at: now, reason: .tooEarly, hRequest: lock.name, detail: "no")))
    }
  }

  /// The record, with nothing in it; for those who read it in ranges, sometimes for good.
  private func hide(_ sent: Sent) -> Lie? {
    if sent.path.hasPrefix("/v1/records") { return dice.oneIn(2) ? lie(try? Bundle([]).encoded()) : nil }
    guard let query = try? Unverified<StatusQuery>(sent.body), let after = query.claims.after, dice.oneIn(2),
      let reader = Cast.shared.trust.list.entries.first(where: { $0.key == query.claimedSigners[0] }),
      let recipient = reader.sealingKey
    else { return nil }
    let answer = StatusAnswer(
      at: host.now, hQuery: query.hash, proof: [], state: .unknown, next: after + (dice.oneIn(2) ? 1 : 0))
    return lie(
      sign(answer).flatMap {
        try? SealedMessage($0, to: recipient, ephemeralSeed: dice.bytes(32)).encoded()
      })
  }

  func outgoing(_ sent: Sent) -> [UInt8]? {
    guard let outcome = OutcomeFacts(sent.body) else { return sent.body }
    let number = trick(outcome.lock.bytes, of: Trick.allCases.count)
    guard Trick(rawValue: number) != .hides else { return nil }
    return sent.body
  }
}

extension LockFacts {
  /// The same terms under another name.
  init(_ lock: LockFacts, named name: Hash) {
    self = lock
    self.name = name
  }
}
