// Rules 6 and 7: an archive that does not answer. Witnesses certify what they sent, when, and that nothing
// came back within the archive's published time. A sealed submission is shown by the seed that sealed it, so
// that nobody can complain of an answer to junk. One witness and one party could invent a silence: it takes
// more than half of the witnesses that the trust list has.

import Messages

/// What enough witnesses certify: the same request to the archive of one lock, in time and without an answer.
private struct Silence {
  let lock: LockRecord
  let request: Hash
  /// The latest time of sending.
  let sentAt: Timestamp
  let facts: [Fact]
}

extension CaseFile {
  func nonResponse() -> [Verdict] {
    locks.flatMap { lock -> [Verdict] in
      let about = nonResponses.filter {
        $0.payload.lock == lock.name && $0.payload.target == lock.terms.archive
          && $0.payload.n == lock.terms.n && $0.payload.merchant == lock.terms.merchant
      }
      return Dictionary(grouping: about, by: \.payload.hRequest).flatMap { request, all in
        verdicts(on: lock, request, all)
      }
    }
  }

  private func verdicts(
    on lock: LockRecord, _ request: Hash, _ all: [Verified<NonResponse>]
  ) -> [Verdict] {
    var facts = [lock.fact]
    facts += all.map {
      Fact("NR: a witness had no answer from the archive", at: $0.payload.waitedUntil, $0.hash)
    }
    func undecided(_ text: String, at time: Timestamp? = nil, unless: [String] = []) -> [Verdict] {
      let fact = Fact(text, at: time)
      return [spare(.neitherOutcome, .undecided, lock.subject, facts + [fact], unless: unless)]
    }
    if let answer = all.compactMap({ answer($0.payload) }).first {
      return undecided("the archive did answer a witness: \(answer)")
    }
    let isAbort = request == lock.name
    let certifying = all.filter { isDue($0.payload, isAbort, lock.terms) }
    let sentAt = certifying.map(\.payload.sentAt).max() ?? lock.terms.expiration
    let witnesses = Set(
      trust.entries.filter { $0.role == .witness && isTrusted($0.key, .witness, sentAt) }.map(\.key))
    let certified = Set(certifying.map(\.signer)).count
    guard certified > witnesses.count / 2 else {
      let when = isAbort ? "from the expiration on, in the lifetime" : "before the expiration"
      return undecided(
        "\(certified) of \(witnesses.count) witnesses waited \(trust.answerSeconds) seconds, \(when)",
        unless: ["the certificates of more than half of the witnesses"])
    }
    guard isTrusted(lock.terms.archive, Self.archiveRole(lock.mode), sentAt) else {
      return undecided("the archive's key did not count any more", at: sentAt)
    }
    if isAbort { return [neither(lock, facts)] }
    return unansweredSubmission(Silence(lock: lock, request: request, sentAt: sentAt, facts: facts))
  }

  /// Whether the archive had to answer in the time that the witness certifies.
  private func isDue(_ said: NonResponse, _ isAbort: Bool, _ terms: LockTerms) -> Bool {
    guard said.waitedUntil >= said.sentAt + trust.answerSeconds else { return false }
    return isAbort
      ? said.sentAt >= terms.expiration && said.waitedUntil < terms.lifetime
      : said.waitedUntil < terms.expiration
  }

  private func isTrusted(_ key: PublicKey, _ role: Role, _ time: Timestamp) -> Bool {
    (try? trust.check(key, as: role, at: time, subject: role.name)) != nil
  }

  // MARK: No outcome

  private func neither(_ lock: LockRecord, _ facts: [Fact]) -> Verdict {
    if let outcome = outcome(of: lock) {
      return spare(.neitherOutcome, .noFault, lock.subject, facts + [outcome])
    }
    return silence(
      .neitherOutcome, archive(of: lock), until: lock.terms.lifetime, lock.subject, facts,
      unless: ["the archive's commit or abort of this lock"])
  }

  // MARK: A submission

  private func unansweredSubmission(_ silence: Silence) -> [Verdict] {
    let lock = silence.lock
    guard let submitted = submission(silence) else {
      let fact = Fact("nothing shows that what was sent is a valid submission for this lock")
      return [
        spare(
          .neitherOutcome, .undecided, lock.subject, silence.facts + [fact],
          unless: ["the sealed submission and the seed that sealed it"])
      ]
    }
    let shown =
      silence.facts + [Fact("\(submitted.label): what was sent is a valid submission", submitted.hash)]
    // One commit of each (M, n): with another one made, this submission could not be committed.
    let other = commits.first {
      $0.archive == lock.terms.archive && $0.submission.transaction == lock.transaction
        && $0.lock != lock.name
    }
    if let other {
      return [spare(.neitherOutcome, .noFault, lock.subject, shown + [other.fact])]
    }
    return [neither(lock, shown), keyLeaked(lock, shown)]
  }

  private func keyLeaked(_ lock: LockRecord, _ facts: [Fact]) -> Verdict {
    if let commit = commits.first(where: { $0.lock == lock.name && $0.mismatch(lock) == nil }) {
      let fact = Fact("the key is public by the commit, which pays the merchant")
      return spare(.keyLeaked, .noFault, lock.subject, facts + [commit.fact, fact])
    }
    if let abort = aborts.first(where: { $0.lock == lock.name && $0.archive == lock.terms.archive }) {
      if abort.isCancelled {
        let fact = Fact("the merchant itself cancelled")
        return spare(.keyLeaked, .noFault, lock.subject, facts + [abort.fact, fact])
      }
      // One outcome for each lock: its own abort shows that it made no commit of what it was sent in time.
      return convict(.keyLeaked, archive(of: lock), lock.subject, facts + [abort.fact])
    }
    return silence(
      .keyLeaked, archive(of: lock), until: lock.terms.lifetime, lock.subject, facts,
      unless: ["the archive's commit of this lock", "the merchant's Cancel in the archive's abort"])
  }

  /// What was sent, if it is a submission that the archive had to commit.
  private func submission(_ silence: Silence) -> SubmissionRecord? {
    let lock = silence.lock
    for messages in sent(silence.request, lock) {
      for found in submissions(messages, lock, at: silence.sentAt) {
        let proof = DeliveryProof(acknowledgements: messages)
        guard found.mismatch(lock) == nil, proof.due(found, lock, archive: lock.terms.archive) != nil else {
          continue
        }
        return found
      }
    }
    return nil
  }

  /// The messages that the witness sent: out of the sealed box, or open to a bank that is its own archive.
  private func sent(_ request: Hash, _ lock: LockRecord) -> [[[UInt8]]] {
    if lock.mode == .joint {
      return (evidence.messages[.ja4] ?? []).filter { Hash(of: $0) == request }.map { [$0] }
    }
    guard let sealed = evidence.sealed[request],
      sealed.recipient == trust.entry(lock.terms.archive, as: .archive)?.sealingKey
    else { return [] }
    return evidence.seeds.compactMap { seed in
      guard
        let plain = try? Box.reopen(sealed.box, recipient: sealed.recipient, ephemeralSeed: seed),
        let bundle = try? Bundle(encoded: plain),
        // The lock itself goes with the submission: without it an archive knows no terms.
        bundle.messages.contains(where: { Hash(of: $0) == lock.name })
      else { return nil }
      return bundle.messages
    }
  }

  private func submissions(
    _ messages: [[UInt8]], _ lock: LockRecord, at time: Timestamp
  ) -> [SubmissionRecord] {
    switch lock.mode {
    case .core: read(messages, CoreMode.self, time)
    case .early: read(messages, EarlyMode.self, time)
    case .joint: read(messages, JointMode.self, time)
    case .repeated: read(messages, RepeatedMode.self, time)
    case .announced: read(messages, AnnouncedMode.self, time)
    case .compact, .invoice, .invoiceDirect, .invoicePassive: []
    }
  }

  private func read<M: PurchaseMode>(
    _ messages: [[UInt8]], _: M.Type, _ time: Timestamp
  ) -> [SubmissionRecord] {
    messages.compactMap { try? Verified<M.Submission>($0, by: .trusted(trust, as: .merchant, at: time)) }
      .map { SubmissionRecord($0, M.mode) }
  }

  // MARK: Answers and outcomes

  /// What the archive answered, if it signed anything that counts. A refusal for what a submission itself
  /// disproves, that it agrees with its lock and has the right key, is none: it names a fault that is not
  /// there, or else the submission fails as evidence by itself.
  private func answer(_ said: NonResponse) -> String? {
    guard let answer = said.answer, isSigned(answer, by: said.target) else { return nil }
    guard let refusal = try? Verified<Refusal>(answer, by: .key(said.target)) else {
      return "with an outcome"
    }
    let isOfSubmission = said.hRequest != said.lock && refusal.payload.hRequest == said.hRequest
    if isOfSubmission && [.mismatch, .wrongKey].contains(refusal.payload.reason) { return nil }
    return refusal.payload.reason.map { "refused as \($0)" } ?? "refused"
  }

  private func isSigned(_ bytes: [UInt8], by key: PublicKey) -> Bool {
    func holds<P: Payload>(_: P.Type) -> Bool { (try? Verified<P>(bytes, by: .key(key))) != nil }
    return holds(Refusal.self) || holds(P5a.self) || holds(P5b.self) || holds(E7a.self) || holds(E7b.self)
      || holds(JA5a.self) || holds(JA5b.self) || holds(R10a.self) || holds(R10b.self) || holds(A9a.self)
      || holds(A9b.self)
  }

  private func outcome(of lock: LockRecord) -> Fact? {
    if let commit = commits.first(where: { $0.lock == lock.name && $0.archive == lock.terms.archive }) {
      return commit.fact
    }
    return aborts.first { $0.lock == lock.name && $0.archive == lock.terms.archive }?.fact
  }

  private func archive(of lock: LockRecord) -> Culprit {
    culprit(Self.archiveRole(lock.mode), lock.terms.archive)
  }
}
