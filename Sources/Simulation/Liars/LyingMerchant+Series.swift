// What a lying merchant does to a series (FIG. 8): other prices, keys that open nothing, totals that nobody
// agreed to, forced goods that it does not have.

import Messages
import Parties
import Services
import Storage

extension LyingMerchant {
  /// An answer to R5 or R7, or to both: R6, R8.
  func bentSeries(_ reply: [UInt8]) -> [UInt8]? {
    let together = (try? Bundle(encoded: reply))?.messages
    var parts = together ?? [reply]
    var isBent = false
    for index in parts.indices {
      let changed =
        (try? Unverified<R6>(parts[index])).flatMap { bent($0.claims, $0.hash) }
        ?? (try? Unverified<R8>(parts[index])).flatMap { bent($0.claims) }
      guard let changed else { continue }
      (parts[index], isBent) = (changed, true)
    }
    guard isBent else { return nil }
    world.count(.lied)
    return together == nil ? parts[0] : try? Bundle(parts).encoded()
  }

  /// A further purchase at another price, or under a commitment to no key; or one that is what was asked for,
  /// while the merchant keeps another one and sends that to the archive.
  private func bent(_ item: R6, _ hash: Hash) -> [UInt8]? {
    var item = item
    let total = item.runningTotal
    func raised(by amount: UInt64) -> Money {
      Money(currency: total.currency, amount: total.amount + amount)!
    }
    switch trick(item.n) {
    case .higherPrice: item.runningTotal = raised(by: 1)
    case .otherCommitment: item.hx = Hash([UInt8](repeating: 8, count: 32))!
    case .otherNumber: item.hPrevious = hash
    case .dearerForced:
      item.runningTotal = raised(by: 1)
      replace(item)
      return nil
    case .overBudget where gang.has(.pseudonym):
      let lock = LockFacts(in: host.life?.store.image.log("sale", item.n.bytes) ?? [])
      guard let budget = lock?.terms.value.amount, budget >= total.amount else { return nil }
      item.runningTotal = raised(by: budget - total.amount + 1)
      replace(item)
      return nil
    default: return nil
    }
    return sign(item)
  }

  /// The merchant's own store has this R6 from now on. Its customer may know it, too.
  private func replace(_ item: R6) {
    guard let store = host.life?.store, let signed = sign(item) else { return }
    let label = "R6 \(item.index)"
    guard store.image.log("sale", item.n.bytes).filter({ $0.label == label }).count == 1 else { return }
    world.count(.lied)
    gang.items[item.n.bytes + [UInt8(item.index)]] = (item.runningTotal, Hash(of: signed))
    world.scheduler.spawn {
      _ = try? await store.write { tx in
        try tx.append(kind: "sale", key: item.n.bytes, label: label, bytes: signed)
      }
    }
  }

  /// A key of a series that opens nothing. The record will have the right one.
  private func bent(_ key: R8) -> [UInt8]? {
    guard trick(key.n) == .garbage else { return nil }
    return sign(R8(n: key.n, key: dice.bytes(32), index: key.index))
  }

  /// k_0 that opens nothing, among what the merchant shows of a series.
  func bentFirstKey(_ reply: [UInt8]) -> [UInt8]? {
    guard var messages = (try? Bundle(encoded: reply))?.messages, let first = messages.first,
      let r4 = (try? Unverified<R4>(first))?.claims, trick(r4.n) == .otherFirstKey,
      let signed = sign(R4(n: r4.n, key: dice.bytes(32), index: 0))
    else { return nil }
    world.count(.lied)
    messages[0] = signed
    return try? Bundle(messages).encoded()
  }

  /// A forced submission without the key of the purchase before.
  func bentEnding(_ n: TransactionID?) -> [UInt8]? {
    guard let n, trick(n) == .noKeyBefore, let log = host.life?.store.image.log("sale", n.bytes),
      var r9 = log.last(where: { $0.label == R9.type.label }).flatMap({ try? Unverified<R9>($0.bytes) })?
        .claims,
      r9.delivery == .forced
    else { return nil }
    r9.previousKey = dice.bytes(32)
    return forced(r9, log)
  }

  /// Forces the last purchase of a series, whose goods the archive does not get.
  func forceSeries(_ log: [StoredMessage], secret: [UInt8]) -> Bool {
    var index: UInt64 = 0
    while log.contains(where: { $0.label == "R6 \(index + 1)" }) { index += 1 }
    guard index > 0, let lock = LockFacts(in: log), let offer = offer(log),
      let r6 = log.last(where: { $0.label == "R6 \(index)" })
    else { return false }
    func x(_ index: UInt64) -> [UInt8] {
      masked(RepeatedMode.goodsKey(secret, index), by: .seriesMask(offer.maskBytes, index))
    }
    let terms = lock.terms
    let r9 = R9(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.name, key: x(index), index: index,
      hItem: Hash(of: r6.bytes), delivery: .forced, previousKey: x(index - 1))
    guard let box = forced(r9, log) else { return false }
    tell(terms.archive, box)
    return true
  }

  private func offer(_ log: [StoredMessage]) -> R1? {
    log.last { $0.label == R1.type.label }.flatMap { try? Unverified<R1>($0.bytes) }?.claims
  }

  /// R9 with R3, R5, R6 and the R7 before, sealed to the archive.
  private func forced(_ r9: R9, _ log: [StoredMessage]) -> [UInt8]? {
    func last(_ label: String) -> [UInt8]? { log.last { $0.label == label }?.bytes }
    guard let lock = last(R3.type.label), let archive = LockFacts(lock)?.terms.archive,
      let r5 = last("R5 \(r9.index)"), let r6 = last("R6 \(r9.index)"), let signed = sign(r9)
    else { return nil }
    let before = r9.index > 1 ? last("R7 \(r9.index - 1)") : nil
    if r9.index > 1 && before == nil { return nil }
    world.count(.lied)
    return (try? Bundle([signed, lock, r5, r6] + [before].compactMap { $0 }).encoded()).flatMap {
      seal($0, to: archive)
    }
  }
}
