// Who reads the record in ranges (attack 18): a merchant its own transactions, a bank those that it has
// locked, a witness all of it. Anybody else sees of an outcome what a log's leaf has of it, and its body who
// shows n.
//
// Invariants: a page is sealed to the key that the trust list has for whoever signed the question. So a
// question that somebody else sends again, or has read, gains nothing, and nothing need be remembered of
// questions; it names its archive, so it is none to another.

import Messages
import Parties
import Storage

extension ArchiveDesk {
  /// Rows that are looked at for one answer.
  private static let scanMax = 1000
  /// What one answer holds: so many messages, and so many bytes of them.
  private static let (outcomesMax, bytesMax) = (64, 56_000)

  private static func bankKey(_ lock: Hash) -> String { "record bank/\(lock)" }

  /// Keeps which bank made a lock, beside its outcome.
  static func keep(bank: PublicKey, of lock: Hash, in tx: any StoreTransaction) throws {
    try tx.setMeta(bankKey(lock), bank.bytes)
  }

  /// A page of the record for whoever signed this question, sealed to it.
  func readRecord(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    func refuse(_ reason: Reason, _ why: String) throws -> [UInt8] {
      try node.refuse(Denial(reason, why), request: query.bytes)
    }
    guard query.payload.asks(record: node.identity.key), let after = query.payload.after else {
      return try refuse(.mismatch, "a question for the record names this archive, and nothing else")
    }
    let (now, asker) = (node.clock(), query.signer)
    let roles = [Role.merchant, .bank, .witness].filter {
      (try? node.trust.list.check(asker, as: $0, at: now, subject: "reader")) != nil
    }
    let entry = node.trust.list.entries.first {
      $0.key == asker && roles.contains($0.role) && $0.sealingKey != nil
    }
    guard let sealingKey = entry?.sealingKey else {
      return try refuse(
        .untrusted, "the record is shown to its merchants and banks, and to witnesses of the trust list")
    }
    let page = try await node.store.read { [self] tx in
      try scan(after: after, for: asker, as: Set(roles), in: tx)
    }
    let answer = StatusAnswer(
      at: now, hQuery: query.hash, proof: page.outcomes, state: .unknown, next: page.next)
    let signed = try Verified(signing: answer, with: node.identity.signing).bytes
    var randomness = node.surroundings.randomness
    return try SealedMessage(
      signed, to: sealingKey, ephemeralSeed: randomBytes(32, using: &randomness)
    ).encoded()
  }

  private func scan(
    after: UInt64, for asker: PublicKey, as roles: Set<Role>, in tx: any StoreTransaction
  ) throws -> (outcomes: [[UInt8]], next: UInt64) {
    var (outcomes, bytes, next) = ([[UInt8]](), 0, after)
    let size = try waits ? FinalHead.size(tx) : 0
    for row in try tx.records(after: Int64(after), limit: Self.scanMax) {
      // What follows a record that is not final has to wait, too: it is not read past.
      if waits, try !FinalHead.has(row.body, below: size, in: tx) { break }
      if !row.body.isEmpty, try maySee(row, asker, roles, in: tx) {
        guard outcomes.count < Self.outcomesMax, outcomes.isEmpty || bytes + row.body.count <= Self.bytesMax
        else { break }
        outcomes.append(row.body)
        bytes += row.body.count
      }
      next = UInt64(row.sequence)
    }
    return (outcomes, next)
  }

  private func maySee(
    _ row: RecordRow, _ asker: PublicKey, _ roles: Set<Role>, in tx: any StoreTransaction
  ) throws -> Bool {
    if roles.contains(.witness) || roles.contains(.merchant) && row.merchant == asker.bytes { return true }
    guard roles.contains(.bank), let lock = Hash(row.lock) else { return false }
    return try tx.meta(Self.bankKey(lock)) == asker.bytes
  }
}
