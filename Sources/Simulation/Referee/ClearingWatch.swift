// Two banks (invariants 1 and 7): what one owes the other is what it took for the other's merchants, each
// lock's value arrives once, within the limit, and money that leaves one bank's books enters the other's.

import Messages
import Parties
import Services
import Storage

/// Looks at one durable step of a bank that has another beside it.
struct ClearingWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  /// The account that a sale's value goes to at this bank.
  static func payee(of merchant: PublicKey, at host: Host, _ image: StoreImage) -> String? {
    if let home = host.world.cast.home(of: merchant), home != host.member.key { return "clearing:\(home)" }
    return image.accountOf[merchant.bytes]
  }

  func see(_ mutations: [Mutation]) {
    for mutation in mutations {
      switch mutation {
      case .entry(let entry) where entry.kind == "settlement": settled(entry)
      case .entry(let entry) where entry.kind == "transfer": received(entry, mutations)
      case .message("transfer", let key, "BT1", let bytes): sent(key, bytes)
      case .message("transfer", let key, "BT2", let bytes): confirmed(key, bytes)
      case .machine(let row) where row.kind == "transfer" && row.phase == TransferPhase.sent.rawValue:
        waits(row)
      default: break
      }
    }
  }

  /// The merchant's bank is told what the lock's bank owes for it, once.
  private func sent(_ key: [UInt8], _ bytes: [UInt8]) {
    guard let bt1 = try? Verified<BT1>(bytes, by: .key(host.member.key)), bt1.payload.lock.bytes == key,
      let lock = referee.locks[bt1.payload.lock], bt1.payload.merchant == lock.terms.merchant
    else { return fail(1, "sends on what is no lock's value") }
    if referee.credited[lock.name] != Int64(bt1.payload.amount.amount) {
      fail(1, "sends on \(bt1.payload.amount), and owes \(referee.credited[lock.name] ?? 0)")
    }
    if image.log("transfer", key).filter({ $0.label == BT1.type.label }).count > 1 {
      fail(8, "sends the value of one lock by two orders")
    }
  }

  /// What waits for its confirmation can go on after a restart, and does so without being asked: a merchant
  /// that asks for its money would hide that nobody else does.
  private func waits(_ row: MachineRow) {
    guard image.log("transfer", row.key).contains(where: { $0.label == BT1.type.label }) else {
      return fail(8, "waits for the confirmation of an order that it does not have")
    }
    guard let due = row.due, due > Int64(host.decidedAt) else {
      return fail(7, "never sends an order again that nobody has confirmed")
    }
  }

  private func confirmed(_ key: [UInt8], _ bytes: [UInt8]) {
    let order = image.log("transfer", key).first { $0.label == BT1.type.label }?.bytes
    guard let order, let bt1 = try? Unverified<BT1>(order), let bt2 = try? Unverified<BT2>(bytes),
      bt2.claims.hBT1 == bt1.hash, bt2.claims.amount == bt1.claims.amount,
      referee.world.cast.home(of: bt1.claims.merchant) == bt2.claimedSigners[0]
    else { return fail(1, "takes for done what its peer did not confirm") }
    let peer = referee.world.host(bt2.claimedSigners[0])
    if peer?.isHonest ?? false, !referee.transferred.contains(bt1.claims.lock) {
      fail(1, "is told of a credit that is none")
    }
  }

  /// A value came in: what the other bank owes for just this lock, once, and within its limit.
  private func received(_ entry: LedgerEntry, _ mutations: [Mutation]) {
    guard let name = Hash(Array(entry.reference.suffix(Hash.size))) else {
      return fail(1, "a transfer of no lock")
    }
    var order: Verified<BT1>?
    for case .message("received", _, "BT1", let bytes) in mutations {
      guard let bt1 = try? Unverified<BT1>(bytes), bt1.claims.lock == name else { continue }
      order = try? Verified(bt1, by: .key(bt1.claimedSigners[0]))
    }
    guard let order, let peer = referee.world.host(order.signer), peer.member.role == .bank else {
      return fail(1, "credits a transfer that no bank ordered")
    }
    let (merchant, amount) = (order.payload.merchant, Int64(order.payload.amount.amount))
    guard referee.world.cast.home(of: merchant) == host.member.key,
      let account = image.accountOf[merchant.bytes],
      entry.postings.contains(where: { $0.account == account && $0.amount == amount }),
      entry.postings.contains(where: { $0.account == "clearing:\(order.signer)" && $0.amount == -amount })
    else { return fail(1, "a transfer goes to somebody else") }
    if !referee.transferred.insert(name).inserted { fail(1, "the value of one lock is credited twice") }
    // What a lying bank took, nobody has seen: what came in counts.
    if !peer.isHonest { referee.credited[name] = amount }
    if peer.isHonest, referee.credited[name] != amount {
      fail(1, "credits \(amount) of the \(referee.credited[name] ?? 0) that the other bank took")
    }
    let owed = -(image.accounts["clearing:\(order.signer)"]?.balance ?? 0)
    if owed > Int64(referee.world.clearing.limit.amount) {
      fail(1, "lets another bank owe \(owed), more than its limit")
    }
  }

  /// Payments between the banks are what their operators made, once at each.
  private func settled(_ entry: LedgerEntry) {
    let payment = referee.world.clearing.payments.first { $0.entry(at: host.member.key) == entry.reference }
    guard let payment, let cash = entry.postings.first(where: { $0.account == "system:cash:EUR" }) else {
      return fail(1, "enters a payment that nobody made")
    }
    let due = payment.debtor == host.member.key ? Int64(payment.amount) : -Int64(payment.amount)
    if cash.amount != due { fail(1, "enters \(cash.amount) for a payment of \(payment.amount)") }
    referee.settledCash[host.index, default: 0] -= cash.amount
  }

  // MARK: The end

  /// Transfers that nobody has confirmed.
  var open: [String] {
    image.machines("transfer").filter { row in
      row.phase == TransferPhase.sent.rawValue
        && PublicKey(row.data).flatMap(referee.world.host)?.isHonest ?? true
    }.map { _ in "\(host.member.name) has a transfer that is not confirmed" }
  }

  /// What one bank owes, the other is owed; and of all that came in nothing is lost.
  static func checkEnd(_ referee: Referee) {
    let banks = referee.world.hosts.filter { $0.member.role == .bank }
    guard banks.count == 2, banks.allSatisfy(\.isHonest) else { return }
    let books = banks.compactMap { $0.life?.store.image }
    guard books.count == 2 else { return }
    let owed = (0..<2).map { books[$0].accounts["clearing:\(banks[1 - $0].member.key)"]?.balance ?? 0 }
    if owed[0] + owed[1] != 0 {
      referee.violate(1, "one bank owes \(owed[0]), and the other is owed \(-owed[1])")
    }
    let cash = books.reduce(0) { $0 - ($1.accounts["system:cash:EUR"]?.balance ?? 0) }
    if cash != 2 * Int64(Cast.deposit) * Int64(Cast.customers) {
      referee.violate(1, "both banks together have \(cash)")
    }
  }
}
