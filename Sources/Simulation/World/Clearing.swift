// Two banks: whose tokens pay, a bank that is away for a while, and what their operators settle outside of
// the books.

import Messages
import Services

/// Payments between the banks.
final class Clearing {
  /// A payment that both enter, each when it can.
  struct Payment {
    let number: Int
    let debtor: PublicKey
    let creditor: PublicKey
    let amount: UInt64

    var reference: String { "payment \(number)" }
    /// What the entry is called at this bank.
    func entry(at bank: PublicKey) -> [UInt8] {
      Array("settle \(bank == debtor ? creditor : debtor) \(reference)".utf8)
    }
  }

  /// How much each may owe the other.
  let limit: Money
  private let dice: Dice
  private(set) var payments: [Payment] = []

  init(_ seed: UInt64) {
    dice = Dice(seed, "clearing")
    limit = Money(currency: "EUR", amount: dice.pick([1_000, 3_000, 1_000_000]))!
  }

  /// Every second: pays what is owed, now and then and where the limit is near, and enters what was paid.
  func goOn(_ world: World) {
    let banks = world.hosts.filter { $0.member.role == .bank }
    guard banks.count == 2, banks.allSatisfy(\.isHonest) else { return }
    for bank in banks { enter(bank, world) }
    guard !isPending(banks) else { return }
    for (creditor, debtor) in [(banks[0], banks[1]), (banks[1], banks[0])] {
      let account = "clearing:\(debtor.member.key)"
      guard let books = creditor.life?.store.image, let owed = books.accounts[account].map({ -$0.balance }),
        owed > 0, isTime(owed, debtor, world)
      else { continue }
      let payment = Payment(
        number: payments.count, debtor: debtor.member.key, creditor: creditor.member.key, amount: UInt64(owed)
      )
      payments.append(payment)
      world.note(8, debtor, creditor, Array(payment.reference.utf8)) {
        "\(debtor.member.name) pays \(owed) to \(creditor.member.name)"
      }
      return
    }
  }

  private func isTime(_ owed: Int64, _ debtor: Host, _ world: World) -> Bool {
    if world.isQuiet {
      return debtor.life?.store.image.machines("transfer").contains { $0.phase == 1 } ?? false
    }
    return dice.oneIn(2 * owed > Int64(limit.amount) ? 6 : 60)
  }

  private func isPending(_ banks: [Host]) -> Bool {
    guard let last = payments.last else { return false }
    return !banks.allSatisfy { $0.life?.store.image.entryOf[last.entry(at: $0.member.key)] != nil }
  }

  /// Enters what was paid and does not stand in the books yet.
  private func enter(_ bank: Host, _ world: World) {
    guard let last = payments.last, let life = bank.life, let party = life.party,
      life.store.image.entryOf[last.entry(at: bank.member.key)] == nil
    else { return }
    let isDebtor = last.debtor == bank.member.key
    let (peer, amount) = (
      isDebtor ? last.creditor : last.debtor, Money(currency: "EUR", amount: last.amount)!
    )
    world.scheduler.spawn {
      try? await party.settle(peer, amount, paid: isDebtor, reference: last.reference)
    }
  }

  /// What was paid stands in both banks' books.
  func isSettled(_ world: World) -> Bool {
    payments.isEmpty || !isPending(world.hosts.filter { $0.member.role == .bank })
  }
}

extension World {
  /// Draws whose tokens pay for what, and when a bank is away.
  func planBanks() {
    let dice = Dice(scenario.seed, "banks")
    for host in hosts where host.isCustomer {
      for index in host.plan.indices {
        let purchase = host.plan[index]
        let isElsewhere = scenario.transactions == 1
        let home = purchase.merchant == "merchant2" ? "bank2" : "bank"
        // A single purchase is between the banks.
        host.plan[index].bank =
          isElsewhere ? (home == "bank" ? "bank2" : "bank") : dice.pick(["bank", "bank2"])
        // A compact contract names the merchant's own bank.
        if purchase.mode == .compact {
          host.plan[index].bank = home
        }
      }
    }
    guard !plan.isCalm, dice.oneIn(2) else { return }
    for _ in 0...dice.below(2) {
      let bank = dice.pick(hosts.filter { $0.member.role == .bank })
      let at = dice.below(40_000)
      scheduler.after(at) { [self] in
        guard !isQuiet else { return }
        note(8, bank, nil, []) { "\(bank.member.name) is away" }
        count(.partitioned)
        bank.isAway = true
      }
      scheduler.after(at + dice.within(2_000...200_000)) { bank.isAway = false }
    }
  }
}
