// Rules 18 and 19: what an archive's log may never show. A proof that carries its entry (its "extra") is a
// statement by the archive's own key: at this place of a tree of this size and root stands this entry. Two
// statements of one log that cannot both be convict the archive; so does an abort that it had no right to.
//
// Framing fails because every statement needs the archive's signature under its checkpoint.

import Messages

/// What a log's key has signed of one entry.
struct LogStatement {
  let archive: PublicKey
  let origin: String
  let index: UInt64
  let head: Hash
  let size: UInt64
  let entry: [UInt8]
  /// Nil if the entry is none.
  let leaf: LogLeaf?
  /// The first time by which a quorum of the trust list's policy had seen the checkpoint; nil without one.
  let reached: Timestamp?
  /// H of the file.
  let file: Hash

  /// Reads a proof that carries its entry, by an archive of the list.
  init?(_ proof: [UInt8], _ trust: TrustList, _ policy: LogPolicy?) {
    guard let entry = TlogProof.extra(of: proof), let note = TlogProof.note(in: proof) else { return nil }
    let origin = String(decoding: note.prefix { $0 != 10 }, as: UTF8.self)
    let archives = Set(trust.entries.filter { $0.role == .archive }.map(\.key))
    for archive in archives {
      guard let key = try? NoteKey(name: origin, kind: .log, publicKey: archive),
        let own = try? LogPolicy("log \(key.vkey)\nquorum none\n"),
        let facts = try? own.verify(proof, of: TreeHash.leaf(entry))
      else { continue }
      (self.archive, self.origin, index, head) = (archive, origin, facts.index, facts.root)
      (size, self.entry, leaf, file) = (facts.size, entry, try? LogLeaf(encoded: entry), Hash(of: proof))
      let seen = try? policy?.verify(proof, of: TreeHash.leaf(entry)).cosigned
      reached = seen.flatMap { $0.reached > 0 ? $0.reached : nil }
      return
    }
    return nil
  }

  var fact: Fact {
    let what = leaf.map { "\($0.kind)" } ?? "something unreadable"
    return Fact("the log \(origin) has \(what) at place \(index) of \(size)", at: leaf?.at, file)
  }

  /// Why an honest archive signs no such entry; nil if it may.
  var fault: String? {
    guard let leaf else { return "an honest archive's log has no entry that is none" }
    let isOutcome = leaf.kind == .commit || leaf.kind == .abort
    return isOutcome == (leaf.lock != LogLeaf.noLock) ? nil : "only outcomes have locks, and all of them"
  }

  /// Why not both of these can be in one honest log; nil if they can. `self` stands at the lower place.
  func conflict(with later: LogStatement, slack: UInt64) -> String? {
    if size == later.size, head != later.head { return "one size, two trees" }
    if index == later.index { return entry == later.entry ? nil : "one place, two entries" }
    guard let leaf, let other = later.leaf else { return nil }
    if leaf.lock != LogLeaf.noLock, leaf.lock == other.lock { return "one lock, two outcomes" }
    if leaf.kind == .commit, other.kind == .commit, leaf.subject == other.subject {
      return "one transaction, two commits"
    }
    if other.at < leaf.at { return "the later entry says that it is older" }
    if let reached, size <= later.index, reached > other.at, reached - other.at > slack {
      return "witnesses saw the log without it after the time that it says"
    }
    return nil
  }
}

extension CaseFile {
  /// For how long a witness may work on a checkpoint: so much older an honest entry behind it may be.
  private static let cosigningSeconds: UInt64 = 30

  /// Rule 18.
  func historyRewritten() -> [Verdict] {
    let statements = evidence.proofs.compactMap { LogStatement($0, trust, logProofs.policy) }
      .sorted { ($0.index, $0.size, $0.file.description) < ($1.index, $1.size, $1.file.description) }
    func convict(_ archive: PublicKey, _ facts: [Fact]) -> Verdict {
      self.convict(.historyRewritten, culprit(.archive, archive), Subject(), facts)
    }
    var verdicts = statements.compactMap { statement in
      statement.fault.map { convict(statement.archive, [statement.fact, Fact($0)]) }
    }
    let slack = trust.skewSeconds + Self.cosigningSeconds
    for (place, first) in statements.enumerated() {
      for second in statements[(place + 1)...]
      where first.archive == second.archive && first.origin == second.origin {
        guard let why = first.conflict(with: second, slack: slack) else { continue }
        verdicts.append(convict(first.archive, [first.fact, second.fact, Fact(why)]))
      }
    }
    return verdicts
  }

  /// Rule 19: an abort before the expiration without the merchant's Cancel in it.
  func abortedEarly() -> [Verdict] {
    aborts.compactMap { abort in
      guard abort.mode != .compact, abort.at < abort.expiration, !abort.isCancelled else { return nil }
      let subject = Subject(merchant: abort.merchant, n: abort.n, lock: abort.lock)
      let fact = Fact("before the expiration only the merchant's Cancel, inside it, allows an abort")
      return convict(
        .abortedEarly, culprit(Self.archiveRole(abort.mode), abort.archive), subject, [abort.fact, fact])
    }
  }
}
