// What a merchant submitted and what an archive made of it, of all modes in one form.

import Messages

/// P4 or its kin; the merchant's signature holds.
struct SubmissionRecord {
  let mode: Mode
  let label: String
  let hash: Hash
  let merchant: PublicKey
  let n: TransactionID
  let expiration: Timestamp
  let hP1: Hash
  /// L.
  let lock: Hash
  /// x: the key that is published.
  let key: [UInt8]
  /// Joint and compact: what is to be paid.
  var value: Money?
  var claim = DeliveryClaim.complete
  /// Announced: S_t(PO), as its signer says; `mismatch` says whose it has to be.
  var consent: Verified<Consent>?
  /// The payload's one encoding: signing it again changes nothing.
  let content: [UInt8]
  /// A forced purchase of a series: the key of the one before.
  var previousKey: [UInt8]?

  init<S: SubmissionPayload>(_ message: Verified<S>, _ mode: Mode) {
    (self.mode, label, hash, merchant) = (mode, S.type.label, message.hash, message.signer)
    let payload = message.payload
    content = (try? payload.encoded()) ?? message.bytes
    (n, expiration, hP1, lock, key) = (payload.n, payload.expiration, payload.hP1, payload.lock, payload.key)
    value = (payload as? JA4)?.value
    if let e6 = payload as? E6 { claim = .early(hE4: e6.hE4, e6.delivery) }
    if let a8 = payload as? A8, let said = try? Unverified<Consent>(a8.consent) {
      consent = try? Verified(said, by: .key(said.claimedSigners[0]))
    }
    if let r9 = payload as? R9 {
      claim = .series(index: r9.index, hItem: r9.hItem, r9.delivery)
      previousKey = r9.previousKey
    }
  }

  init(compact message: Verified<JB3>, lock: Hash) {
    let payload = message.payload
    content = (try? payload.encoded()) ?? message.bytes
    (mode, label, hash, merchant) = (.compact, MessageType.jb3.label, message.hash, message.signer)
    (n, expiration, hP1, key, value) = (
      payload.n, payload.expiration, payload.hP1, payload.key, payload.value
    )
    self.lock = lock
  }

  var transaction: TransactionKey { TransactionKey(merchant: merchant, n: n) }

  /// Messages that it names beside lock and contract.
  var names: [Hash] {
    switch claim {
    case .complete: []
    case .early(let hE4, _): [hE4]
    case .series(_, let hItem, _): [hItem]
    }
  }

  /// Nil if this is the lock's submission; otherwise what does not agree.
  func mismatch(_ made: LockRecord) -> String? {
    let terms = made.terms
    guard mode == made.mode else { return "it is of another mode" }
    guard lock == made.name else { return "it names another lock" }
    guard merchant == terms.merchant, n == terms.n else { return "it is of another transaction" }
    guard hP1 == terms.hP1 else { return "it names another contract" }
    guard expiration == terms.expiration else { return "it has another expiration" }
    guard value.map({ $0 == terms.value }) ?? true else { return "it has another value" }
    if mode == .announced, let fault = consentFault(made) { return fault }
    // A later purchase of a series has a commitment of its own.
    if case .series(let index, _, _) = claim, index > 0 { return nil }
    let hx = Hash.keyCommitment(mode, merchant: terms.merchant, n: terms.n, key: key)
    return hx == terms.hx ? nil : "its key is not what the lock commits to"
  }
}

extension SubmissionRecord {
  /// FIG. 3: what is wrong with S_t(PO). Without the announcement nobody can tell whose token it was.
  private func consentFault(_ made: LockRecord) -> String? {
    guard let key = made.tokenKey else { return "the announcement of the token is not shown" }
    guard let consent, consent.signer == key else { return "the token's key did not sign the purchase order" }
    let said = consent.payload
    guard said.hPO == made.terms.hP1, said.n == n, said.merchant == merchant else {
      return "the token's key signed another purchase order"
    }
    return nil
  }
}

/// What a submission says of the delivery of the goods.
enum DeliveryClaim {
  /// All ciphertext came before the lock.
  case complete
  case early(hE4: Hash, Delivery)
  case series(index: UInt64, hItem: Hash, Delivery)
}

/// The messages that show a delivery claim: inside a commit, or beside a submission.
struct DeliveryProof {
  var acknowledgements: [[UInt8]] = []
  var held: [UInt8]?
  var item: [UInt8]?
  var request: [UInt8]?

  /// What the bank owes for this submission under this lock, or nil if the delivery is not shown.
  func due(_ submission: SubmissionRecord, _ made: LockRecord, archive: PublicKey) -> Money? {
    switch submission.claim {
    case .complete: return made.terms.value
    case .early(let hE4, .acknowledged):
      let shown = acknowledgements.contains { bytes in
        guard let e5 = try? Verified<E5>(bytes, by: .key(made.terms.pseudonym)) else { return false }
        return e5.payload.hE4 == hE4 && e5.payload.n == made.terms.n
          && e5.payload.merchant == made.terms.merchant
      }
      return shown ? made.terms.value : nil
    case .early(let hE4, .forced): return isHeld(hE4, made, archive) ? made.terms.value : nil
    case .series(let index, let hItem, let delivery):
      return series(submission, index, hItem, delivery, made, archive)
    }
  }

  private func isHeld(_ hGoods: Hash, _ made: LockRecord, _ archive: PublicKey) -> Bool {
    guard let held = held.flatMap({ try? Verified<Held>($0, by: .key(archive)) })?.payload else {
      return false
    }
    return held.hGoods == hGoods && held.lock == made.name && held.n == made.terms.n
      && held.merchant == made.terms.merchant
  }

  private func series(
    _ submission: SubmissionRecord, _ index: UInt64, _ hItem: Hash, _ delivery: Delivery,
    _ made: LockRecord, _ archive: PublicKey
  ) -> Money? {
    let terms = made.terms
    let hx = Hash.keyCommitment(.repeated, merchant: terms.merchant, n: terms.n, key: submission.key)
    var total: Money?
    if index == 0 {
      total = delivery == .acknowledged && hItem == terms.hP1 && hx == terms.hx ? terms.base : nil
    } else if delivery == .acknowledged {
      for bytes in acknowledgements {
        guard let r7 = try? Verified<R7>(bytes, by: .key(terms.pseudonym)), r7.hash == hItem,
          r7.payload.n == terms.n, r7.payload.merchant == terms.merchant, r7.payload.index == index,
          r7.payload.hx == hx
        else { continue }
        total = r7.payload.runningTotal
      }
    } else if isHeld(hItem, made, archive),
      let r6 = item.flatMap({ try? Verified<R6>($0, by: .key(terms.merchant)) }), r6.hash == hItem,
      r6.payload.n == terms.n, r6.payload.index == index, r6.payload.hx == hx,
      isAskedFor(r6.payload, submission, terms)
    {
      total = r6.payload.runningTotal
    }
    guard let total, total.currency == terms.value.currency, total.amount <= terms.value.amount else {
      return nil
    }
    return total
  }
}

extension DeliveryProof {
  /// Forced in a series: C asked for just this, after the purchase before, for no less; and the key of that
  /// one is here.
  fileprivate func isAskedFor(_ r6: R6, _ submission: SubmissionRecord, _ terms: LockTerms) -> Bool {
    guard let r5 = request.flatMap({ try? Verified<R5>($0, by: .key(terms.pseudonym)) })?.payload,
      r5.n == terms.n, r5.merchant == terms.merchant, r5.index == r6.index, r5.hPrevious == r6.hPrevious,
      r5.runningTotalMax.currency == r6.runningTotal.currency,
      r5.runningTotalMax.amount >= r6.runningTotal.amount, let key = submission.previousKey
    else { return false }
    var before = r6.index == 1 && r5.hPrevious == terms.hP1 ? terms.hx : nil
    for bytes in acknowledgements {
      guard let r7 = try? Verified<R7>(bytes, by: .key(terms.pseudonym)).payload, r7.n == terms.n,
        r7.merchant == terms.merchant, r7.index + 1 == r6.index, r7.hR6 == r5.hPrevious
      else { continue }
      before = r7.hx
    }
    return before == Hash.keyCommitment(.repeated, merchant: terms.merchant, n: terms.n, key: key)
  }
}

/// P5a or its kin; the archive's and the merchant's signatures hold.
struct CommitRecord {
  let label: String
  let hash: Hash
  let archive: PublicKey
  let at: Timestamp
  let lifetime: Timestamp
  let submission: SubmissionRecord
  let proof: DeliveryProof

  var mode: Mode { submission.mode }
  var lock: Hash { submission.lock }
  var fact: Fact { Fact("\(label) by the archive commits the lock and publishes the key", at: at, hash) }

  init?<M: PurchaseMode>(_ message: Verified<Commit<M>>, _: M.Type, _ trust: TrustList) {
    let payload = message.payload
    guard
      let inner = try? Verified<M.Submission>(
        payload.submission, by: .trusted(trust, as: .merchant, at: payload.at))
    else { return nil }
    (label, hash, archive) = (M.commitType.label, message.hash, message.signer)
    (at, lifetime, submission) = (payload.at, payload.lifetime, SubmissionRecord(inner, M.mode))
    proof = DeliveryProof(
      acknowledgements: payload.acknowledgement.map { [$0] } ?? [], held: payload.held, item: payload.item,
      request: payload.request)
  }

  init?(compact message: Verified<JB4a>, _ trust: TrustList) {
    let payload = message.payload
    guard
      let inner = try? Verified<JB3>(
        payload.submission, by: .trusted(trust, as: .merchant, at: payload.at))
    else { return nil }
    (label, hash, archive) = (MessageType.jb4a.label, message.hash, message.signer)
    (at, lifetime, proof) = (payload.at, payload.lifetime, DeliveryProof())
    submission = SubmissionRecord(compact: inner, lock: payload.hJB2)
  }

  /// Nil if this commit is the lock's; otherwise what does not agree.
  func mismatch(_ made: LockRecord) -> String? {
    guard archive == made.terms.archive else { return "another archive than the lock names" }
    if let inner = submission.mismatch(made) { return "\(submission.label): \(inner)" }
    guard at < made.terms.expiration else { return "committed at or after the expiration" }
    guard lifetime == made.terms.lifetime else { return "another lifetime" }
    return due(made) == nil ? "the delivery of the goods is not shown" : nil
  }

  /// What the bank owes for it.
  func due(_ made: LockRecord) -> Money? { proof.due(submission, made, archive: archive) }
}

/// P5b or its kin; the archive's signature holds.
struct AbortRecord {
  let mode: Mode
  let label: String
  let hash: Hash
  let archive: PublicKey
  let merchant: PublicKey
  let n: TransactionID
  let expiration: Timestamp
  let lifetime: Timestamp
  let lock: Hash
  let at: Timestamp
  /// The merchant's own Cancel of this lock is inside.
  let isCancelled: Bool
  /// FIG. 7: H of the contract.
  var hP1: Hash?

  var fact: Fact { Fact("\(label) by the archive aborts the lock", at: at, hash) }

  init<M: PurchaseMode>(_ message: Verified<Abort<M>>, _: M.Type) {
    let payload = message.payload
    (mode, label, hash, archive) = (M.mode, M.abortType.label, message.hash, message.signer)
    (merchant, n, lock, at) = (payload.merchant, payload.n, payload.lock, payload.at)
    (expiration, lifetime) = (payload.expiration, payload.lifetime)
    let cancel = payload.cancel.flatMap { try? Verified<Cancel>($0, by: .key(payload.merchant)) }
    isCancelled = cancel.map { $0.payload.lock == payload.lock && $0.payload.n == payload.n } ?? false
  }

  init(compact message: Verified<JB4b>) {
    let payload = message.payload
    (mode, label, hash, archive) = (.compact, MessageType.jb4b.label, message.hash, message.signer)
    (merchant, n, lock, at, isCancelled) = (payload.merchant, payload.n, payload.hJB2, payload.at, false)
    (expiration, lifetime, hP1) = (payload.expiration, payload.lifetime, payload.hP1)
  }

  /// Nil if this abort is the lock's, so that a bank had to release it; otherwise what does not agree.
  func mismatch(_ made: LockRecord) -> String? {
    let terms = made.terms
    guard mode == made.mode else { return "it is of another mode" }
    guard archive == terms.archive else { return "another archive than the lock names" }
    guard lock == made.name else { return "it names another lock" }
    guard merchant == terms.merchant, n == terms.n else { return "it is of another transaction" }
    guard expiration == terms.expiration, lifetime == terms.lifetime else {
      return "another expiration or lifetime"
    }
    guard hP1.map({ $0 == terms.hP1 }) ?? true else { return "it names another contract" }
    // Before the expiration it takes the merchant's own word. In FIG. 7 the bank ends what it locked itself.
    guard mode == .compact || at >= terms.expiration || isCancelled else {
      return "aborted before the expiration without the merchant's Cancel"
    }
    return nil
  }
}
