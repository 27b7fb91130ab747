// What timestamp authorities say (RFC 3161): by when messages existed. By it a message without a time counts
// that its key signed before it was revoked.
//
// Framing fails because a timestamp convicts nobody: it shows that something existed by then, and nothing
// else. It counts under an authority that the trust list trusts at the time that the token says, and later by
// the token's own accuracy. How a token is read is the caller's, as with blind signatures.

import Messages

/// The timestamps of a case.
struct Stamps {
  /// The earliest time by which what has this hash existed.
  private(set) var latest: [Hash: Timestamp] = [:]
  /// One for each thing that is dated and here.
  private(set) var facts: [Fact] = []
  private(set) var setAside: Set<SetAside> = []
  /// Whose word that is; of two that say the same time, the first by name.
  private var sayers: [Hash: String] = [:]

  init(_ evidence: Evidence, _ trust: TrustList, _ holds: Judge.StampCheck?) {
    let entries = evidence.proofs.compactMap { LogStatement($0, trust, nil) }
    let files = Dictionary(evidence.proofs.map { (Hash(of: $0), "a proof") }, uniquingKeysWith: { $1 })
    var known = files
    var messages: [Hash: [UInt8]] = [:]
    for (type, all) in evidence.messages {
      for bytes in all {
        let hash = Hash(of: bytes)
        (known[hash], messages[hash]) = (type.label, bytes)
      }
    }
    for (file, stamp) in evidence.timestamps {
      guard let (authority, time) = Self.date(stamp, trust, holds) else {
        let reason = "no timestamp authority of the trust list dated this"
        setAside.insert(SetAside(what: "Timestamp", message: Hash(of: file), reason: reason))
        continue
      }
      for hash in stamp.hashes + Self.outcomes(entries, in: stamp.checkpoint) {
        date(hash, time, by: authority, messages)
      }
    }
    facts = known.compactMap { hash, what in
      sayers[hash].map { Fact("\(what) existed by then, as \($0) says", at: latest[hash], hash) }
    }
    .sorted { ($0.text, $0.message!.description) < ($1.text, $1.message!.description) }
  }

  private static func date(
    _ stamp: EvidenceTimestamp, _ trust: TrustList, _ holds: Judge.StampCheck?
  ) -> (String, Timestamp)? {
    for entry in trust.entries where entry.role == .timestamp {
      guard let date = holds?(stamp, entry, trust.skewSeconds),
        (try? trust.check(entry.key, as: .timestamp, at: date.at, subject: "")) != nil,
        (try? trust.check(entry.key, as: .timestamp, at: date.latest, subject: "")) != nil
      else { continue }
      return (entry.name, date.latest)
    }
    return nil
  }

  /// The outcomes that the archive's log had at this checkpoint, by the proofs that are here.
  private static func outcomes(_ entries: [LogStatement], in checkpoint: [UInt8]?) -> [Hash] {
    guard let checkpoint else { return [] }
    let origin = String(decoding: checkpoint.prefix { $0 != 10 }, as: UTF8.self)
    return entries.filter { entry in
      guard entry.origin == origin,
        let key = try? NoteKey(name: origin, kind: .log, publicKey: entry.archive),
        let text = try? key.verified(checkpoint).text, let signed = try? Checkpoint(text: text)
      else { return false }
      return signed.size == entry.size && signed.root == entry.head
    }.compactMap { $0.leaf?.body }
  }

  /// Dates a message, and all that is inside it.
  private mutating func date(
    _ hash: Hash, _ time: Timestamp, by authority: String, _ messages: [Hash: [UInt8]]
  ) {
    var waiting = [hash]
    while let next = waiting.popLast() {
      let known = sayers[next].map { (latest[next]!, $0) }
      guard known.map({ (time, authority) < $0 }) ?? true else { continue }
      (latest[next], sayers[next]) = (time, authority)
      guard let bytes = messages[next], let inner = try? MessageType.nestedMessages(in: bytes) else {
        continue
      }
      waiting += inner.map { Hash(of: $0) }
    }
  }
}
