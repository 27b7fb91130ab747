// Rules 6 and 7: an archive that does not answer. Witnesses certify what they sent, when, and that nothing
// came back within the archive's published time. A sealed submission is shown by the seed that sealed it, so
// that nobody can complain of an answer to junk: it has to be just what the archive takes, no more and no
// less. One witness and one party could invent a silence: it takes the trust list's quorum.

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
    // A bank that is its own archive answers for its own locks only.
    locks.filter { Self.archiveRole($0.mode) != .bank || $0.bank == $0.terms.archive }.flatMap {
      lock -> [Verdict] in
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
      let what = $0.payload.answer == nil ? "no answer" : "no answer that counts"
      return Fact("NR: a witness had \(what) from the archive", at: $0.payload.waitedUntil, $0.hash)
    }
    func undecided(_ text: String, at time: Timestamp? = nil, unless: [String] = []) -> [Verdict] {
      let fact = Fact(text, at: time)
      return [spare(.neitherOutcome, .undecided, lock.subject, facts + [fact], unless: unless)]
    }
    let isAbort = request == lock.name
    // What it answered when it did not have to act yet, or no more, is nothing to it.
    let inTime = all.filter { isInTime($0.payload, isAbort, lock.terms) }
    if let answer = inTime.compactMap({ answer($0.payload, lock) }).first {
      return undecided("the archive did answer a witness: \(answer)")
    }
    let certifying = inTime.filter { isDue($0.payload, isAbort, lock.terms) }
    let sentAt = certifying.map(\.payload.sentAt).max() ?? lock.terms.expiration
    let witnesses = trust.witnesses(at: sentAt)
    let certified = Set(certifying.map(\.signer)).intersection(witnesses).count
    let quorum = trust.witnessQuorum(at: sentAt)
    guard certified >= quorum else {
      let when = isAbort ? "from the expiration on, in the lifetime" : "before the expiration"
      return undecided(
        "\(certified) of \(witnesses.count) witnesses waited \(trust.answerSeconds) seconds, \(when)",
        unless: ["the certificates of \(quorum) witnesses"])
    }
    guard isTrusted(lock.terms.archive, Self.archiveRole(lock.mode), sentAt) else {
      return undecided("the archive's key did not count any more", at: sentAt)
    }
    if isAbort { return [neither(lock, facts)] }
    return unansweredSubmission(Silence(lock: lock, request: request, sentAt: sentAt, facts: facts))
  }

  /// Whether it was asked when it had to act.
  private func isInTime(_ said: NonResponse, _ isAbort: Bool, _ terms: LockTerms) -> Bool {
    isAbort
      ? said.sentAt >= terms.expiration && said.sentAt < terms.lifetime : said.sentAt < terms.expiration
  }

  /// Whether the time in which it had to answer was over before its duty ended.
  private func isDue(_ said: NonResponse, _ isAbort: Bool, _ terms: LockTerms) -> Bool {
    said.waitedUntil >= said.sentAt + trust.answerSeconds
      && said.waitedUntil < (isAbort ? terms.lifetime : terms.expiration)
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
      unless: ["the archive's commit or abort of this lock, which it may publish late"])
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
    if let commit = signedCommits(lock).first {
      let fact = Fact("the key is public by the commit, which pays the merchant")
      return spare(.keyLeaked, .noFault, lock.subject, facts + [commit.fact, fact])
    }
    if let abort = aborts(of: lock).first(where: { $0.archive == lock.terms.archive }) {
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
      guard let found = submission(messages, lock, at: silence.sentAt), found.mismatch(lock) == nil,
        isComplete(found, with: Array(messages.dropFirst(2)), lock)
      else { continue }
      return found
    }
    return nil
  }

  /// The messages that the witness sent, out of the sealed box: the submission, the lock, and what the mode
  /// asks for beside them. Anything else in front, between or behind, and an honest archive refuses it.
  private func sent(_ request: Hash, _ lock: LockRecord) -> [[[UInt8]]] {
    let archive = trust.entry(lock.terms.archive, as: Self.archiveRole(lock.mode))
    guard let sealed = evidence.sealed[request], sealed.recipient == archive?.sealingKey else { return [] }
    return evidence.seeds.compactMap { seed in
      guard
        let plain = try? Box.reopen(sealed.box, recipient: sealed.recipient, ephemeralSeed: seed),
        let bundle = try? Bundle(encoded: plain), bundle.messages.count >= 2,
        Hash(of: bundle.messages[1]) == lock.name
      else { return nil }
      return bundle.messages
    }
  }

  private func submission(
    _ messages: [[UInt8]], _ lock: LockRecord, at time: Timestamp
  ) -> SubmissionRecord? {
    switch lock.mode {
    case .core: read(messages[0], CoreMode.self, time)
    case .early: read(messages[0], EarlyMode.self, time)
    case .joint: read(messages[0], JointMode.self, time)
    case .repeated: read(messages[0], RepeatedMode.self, time)
    case .announced: read(messages[0], AnnouncedMode.self, time)
    case .compact, .invoice, .invoiceDirect, .invoicePassive: nil
    }
  }

  private func read<M: PurchaseMode>(
    _ message: [UInt8], _: M.Type, _ time: Timestamp
  ) -> SubmissionRecord? {
    (try? Verified<M.Submission>(message, by: .trusted(trust, as: .merchant, at: time)))
      .map { SubmissionRecord($0, M.mode) }
  }

  /// Whether beside submission and lock there is just what has to be, so that the archive had to commit. Of a
  /// forced submission the ciphertext is part, which no box holds.
  private func isComplete(_ found: SubmissionRecord, with rest: [[UInt8]], _ lock: LockRecord) -> Bool {
    switch found.claim {
    case .complete:
      // Core and joint: S_p(P1), if the merchant wants it logged. Announced: the consent is inside.
      if rest.isEmpty { return true }
      return rest.count == 1 && lock.mode != .announced && isAcknowledgement(rest[0], lock.terms)
    case .early(_, .forced), .series(_, _, .forced): return false
    case .early, .series:
      let needed = if case .series(0, _, _) = found.claim { 0 } else { 1 }
      let proof = DeliveryProof(acknowledgements: rest)
      return rest.count == needed && proof.due(found, lock, archive: lock.terms.archive) != nil
    }
  }

  private func isAcknowledgement(_ bytes: [UInt8], _ terms: LockTerms) -> Bool {
    guard let said = try? Verified<Acknowledgement>(bytes, by: .key(terms.pseudonym)).payload else {
      return false
    }
    return said.n == terms.n && said.merchant == terms.merchant && said.hP1 == terms.hP1
  }

  // MARK: Answers and outcomes

  /// What the archive answered, if it signed anything that is about this: else a single witness could clear
  /// it with something else. A refusal for what the request itself disproves, that it agrees with its lock
  /// and has the right key, is none: it names a fault that is not there, or else a submission fails as
  /// evidence by itself. An archive that does not know the mode calls it malformed, and rightly.
  private func answer(_ said: NonResponse, _ lock: LockRecord) -> String? {
    guard let answer = said.answer else { return nil }
    if let refusal = try? Verified<Refusal>(answer, by: .key(said.target)).payload {
      guard refusal.hRequest == said.hRequest, ![.mismatch, .wrongKey].contains(refusal.reason)
      else { return nil }
      return refusal.reason.map { "refused as \($0)" } ?? "refused"
    }
    if let status = try? Verified<StatusAnswer>(answer, by: .key(said.target)).payload {
      return status.hQuery == said.hRequest ? "with a status" : nil
    }
    // An outcome is evidence by itself, inside the certificate too.
    let hash = Hash(of: answer)
    let isOutcome =
      commits(of: lock).contains { $0.hash == hash && $0.archive == said.target }
      || aborts(of: lock).contains { $0.hash == hash && $0.archive == said.target }
    return isOutcome ? "with an outcome" : nil
  }

  /// The archive's outcome of this lock. One that does not match ends nothing.
  private func outcome(of lock: LockRecord) -> Fact? {
    // For the archive, too, its signature is enough: that witnesses do not cosign its log is not its silence.
    signedCommits(lock).first?.fact ?? signedAbort(lock)?.fact
  }
}
