// What parties let go of (invariants 7 and 8): only what has ended, after its time, with nothing open behind
// it. What has to be known for ever is in the referee's own memory, and its other checks go on by that.

import Messages
import Parties
import Storage

/// Looks at what disappears in one durable step.
struct PruneWatch: Watch {
  /// Where a transaction stands in one store.
  struct Standing {
    var phase: Int
    /// When nobody can ask any more; nil as long as nothing says so.
    var lifetime: Timestamp?
  }

  let referee: Referee
  let host: Host
  let image: StoreImage

  private func fail(_ text: String) { referee.violate(8, "\(host.member.name): \(text)") }

  private static let kinds = ["sale", "lock", "purchase", "transfer", "refund"]

  private func name(_ kind: String, _ key: [UInt8]) -> [UInt8] {
    [UInt8(host.index)] + Array(kind.utf8) + key
  }

  func see(_ mutations: [Mutation]) {
    for case .forget(let kind, let key) in mutations where Self.kinds.contains(kind) {
      forgotten(kind, key, mutations)
    }
    for mutation in mutations {
      switch mutation {
      case .machine(let row) where Self.kinds.contains(row.kind):
        let name = name(row.kind, row.key)
        let known = referee.standings[name]?.lifetime
        let lifetime = ["transfer", "refund"].contains(row.kind) ? nil : known ?? lifetime(row.kind, row.key)
        referee.standings[name] = Standing(phase: row.phase, lifetime: lifetime)
      case .record(let row):
        let lifetime = OutcomeFacts(row.body)?.lifetime
        referee.standings[name("record", [UInt8](row.sequence.description.utf8))] = Standing(
          phase: 0, lifetime: lifetime)
      case .dropBodies(let last): emptied(last)
      default: break
      }
    }
  }

  /// What the first message says that names one.
  private func lifetime(_ kind: String, _ key: [UInt8]) -> Timestamp? {
    for entry in image.log(kind, key) {
      if let terms = (LockFacts(entry.bytes) ?? LockFacts(compact: entry.bytes))?.terms {
        return terms.lifetime
      }
      if let contract = (try? Unverified<P1>(entry.bytes))?.claims.contract { return contract.lifetime }
      if let contract = (try? Unverified<E1>(entry.bytes))?.claims.contract { return contract.lifetime }
      if let contract = (try? Unverified<R1>(entry.bytes))?.claims.contract { return contract.lifetime }
    }
    return nil
  }

  /// Its clock may have gone back since it looked.
  private static let clockSeconds: UInt64 = 55

  private func isOver(_ lifetime: Timestamp?) -> Bool {
    lifetime.map { host.now + Self.clockSeconds >= $0 + referee.world.keepSeconds } ?? true
  }

  private func forgotten(_ kind: String, _ key: [UInt8], _ mutations: [Mutation]) {
    guard let standing = referee.standings.removeValue(forKey: name(kind, key)) else { return }
    switch kind {
    case "sale":
      let ended: [SalePhase] = [.offered, .declined, .aborted, .credited]
      guard ended.contains(where: { $0.rawValue == standing.phase }) else {
        return fail("lets go of a sale that has not ended")
      }
      let open: [RefundPhase] = [.waiting, .agreed]
      if image.machines("refund").contains(where: { row in
        row.data == key && open.contains { $0.rawValue == row.phase }
      }) {
        fail("lets go of a sale while a refund of it is open")
      }
    case "lock":
      let ended: [LockPhase] = [.settled, .released]
      guard ended.contains(where: { $0.rawValue == standing.phase }) else {
        return fail("lets go of a lock that has not ended")
      }
      if !isOver(Cast.epoch + referee.world.spendSeconds) {
        fail("lets go of a lock while its tokens can be spent")
      }
      checkLock(key, mutations)
    case "purchase":
      guard PurchasePhase(rawValue: standing.phase)?.isFinal ?? false else {
        return fail("lets go of a purchase that has not ended")
      }
    default: return
    }
    if !isOver(standing.lifetime) { fail("lets go of a \(kind) before its time") }
  }

  /// That (M, n) had a lock stays, and what another bank has not confirmed does, too.
  private func checkLock(_ key: [UInt8], _ mutations: [Mutation]) {
    if image.machines[PairKey("ended", key)] == nil { fail("forgets that a transaction had a lock") }
    guard let lock = referee.lockOf[key] else { return }
    let name = name("transfer", lock.bytes)
    if referee.standings[name]?.phase == TransferPhase.sent.rawValue {
      fail("lets go of a transfer that nobody has confirmed")
    }
    referee.standings[name] = nil
  }

  private func emptied(_ last: Int64) {
    for sequence in 1...max(1, last) {
      guard
        let standing = referee.standings.removeValue(
          forKey: name("record", [UInt8](sequence.description.utf8)))
      else { continue }
      if !isOver(standing.lifetime) { fail("empties a record before its time") }
    }
  }

  // MARK: The end

  /// Long after everything nothing is left that had ended.
  static func checkGone(_ referee: Referee) {
    for host in referee.world.hosts where host.isHonest {
      guard let image = host.life?.store.image else { continue }
      let watch = PruneWatch(referee: referee, host: host, image: image)
      for kind in ["sale", "lock", "purchase"] {
        for row in image.machines(kind) where watch.shouldBeGone(row) {
          return watch.fail("never lets go of a \(kind) in phase \(row.phase)")
        }
      }
      if image.records.contains(where: { !$0.body.isEmpty }) && watch.emptiesRecords {
        return watch.fail("never empties its record")
      }
    }
  }

  private var emptiesRecords: Bool { [.archive, .bank].contains(host.member.role) }

  private func shouldBeGone(_ row: MachineRow) -> Bool {
    // A second outcome is evidence, and stays.
    if image.log(row.kind, row.key).contains(where: { $0.label == Label.evidence.rawValue }) { return false }
    switch row.kind {
    case "sale":
      let open: [RefundPhase] = [.waiting, .agreed]
      return [SalePhase.declined, .aborted, .credited].contains { $0.rawValue == row.phase }
        && !image.machines("refund").contains { refund in
          refund.data == row.key && open.contains { $0.rawValue == refund.phase }
        }
    case "lock":
      let transfer = referee.lockOf[row.key].flatMap { referee.standings[name("transfer", $0.bytes)] }
      return [LockPhase.settled, .released].contains { $0.rawValue == row.phase }
        && transfer?.phase != TransferPhase.sent.rawValue
    default:
      let isAsked = !image.machines("refund").isEmpty
      return (PurchasePhase(rawValue: row.phase)?.isFinal ?? false) && !isAsked
    }
  }
}
