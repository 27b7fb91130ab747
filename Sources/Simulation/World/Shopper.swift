// A customer: a person with a wallet, who withdraws, buys, takes up again what a crash or a dead line
// interrupted, and stops when everything he began has ended. The wallet is the real one.

import BlindTokens
import Messages
import Parties
import Services

/// A purchase that a customer will try once.
struct PlannedPurchase {
  /// Not before this virtual millisecond.
  var at: UInt64
  var mode: Mode
  /// Which of the offers.
  var choice: Int
  var merchant: String
  var archive: String
  /// Whose tokens pay.
  var bank = "bank"
  /// Under which name.
  var signs = Signature.fresh
  /// With tokens of one key, where there are enough.
  var reusesKey = false
  var twoSided: Bool
  var completion: CompletionRoute
  var expirationSeconds: UInt64
  /// Exchange what is left of tokens first.
  var refreshes: Bool
  /// What the customer bids first, of the offer's price.
  var bidPercent: Int
}

/// One life of a customer.
struct Shopper {
  let life: Life
  let wallet: Wallet

  init(_ life: Life) {
    self.life = life
    wallet = life.ground.wallet(entropy: life.host.member.entropy)
  }

  var host: Host { life.host }
  var world: World { life.host.world }

  /// Lives until all is done or the machine stops.
  func live() async {
    while life.isAlive {
      do {
        if host.needsRestore {
          _ = try await wallet.restore(names: host.pseudonyms)
          host.needsRestore = false
        }
        try await wallet.resumeMoney()
        guard try await step() else { break }
      } catch {
        // A person tries again later, whatever it was.
        await wait(world.drags ? 20_000 : world.isQuiet ? 3_000 : 1_000)
      }
    }
    guard life.isAlive else { return }
    host.isDone = true
  }

  /// One thing that the customer does; false when there is nothing left to do.
  private func step() async throws -> Bool {
    try life.checkAlive()
    if let next = host.plan.first, world.scheduler.now >= next.at {
      // Whoever pays under the account's key withdraws when it pays. The dearest series takes 915.
      if next.signs != .account, !Mode.invoices.contains(next.mode), try available(at: next.bank) < 950 {
        try await wallet.withdraw(
          Money(currency: "EUR", amount: 2_600)!, bank: next.bank, reuseKey: next.reusesKey)
      }
      host.plan.removeFirst()
      host.lastPurchase = next
      // What is not paid for by then is given up.
      host.patience = 4
      host.purchasesBefore = try await wallet.purchases().count
      try await buy(next)
      return true
    }
    if host.patience > 0, let last = host.lastPurchase,
      try await wallet.purchases().count == host.purchasesBefore
    {
      // Where everything has to be delivered, nobody gives up.
      if !world.plan.isCalm { host.patience -= 1 }
      try await buy(last)
      return true
    }
    let open = try await wallet.purchases().filter(\.isOpen)
    if open.contains(where: \.isPaidFor) || (host.patience > 0 && !open.isEmpty) {
      if !open.contains(where: \.isPaidFor), !world.plan.isCalm { host.patience -= 1 }
      if !world.plan.isCalm, host.dice.oneIn(12), let purchase = open.first {
        _ = try await wallet.decline(purchase.number)
      }
      for series in open where series.protocol == Mode.repeated.name && series.phase == "locked" {
        // One series that gets no answer keeps nobody from all the rest.
        do { try await goOn(series) } catch { try life.checkAlive() }
      }
      try await wallet.resume()
      try await turnToWitnesses()
      try await complain()
      await wait(world.drags ? 20_000 : 2_000)
      return true
    }
    if try await refund() { return true }
    guard let next = host.plan.first else { return false }
    await wait(Int(next.at - min(next.at, world.scheduler.now)) + 1)
    return true
  }

  /// Where the archive says nothing, the witnesses ask it, and after the lifetime they end the lock.
  private func turnToWitnesses() async throws {
    guard world.isQuiet, world.scenario.liars.roles.contains(.archive) else { return }
    let image = life.store.image
    let locked = image.machines("purchase").filter { $0.phase == PurchasePhase.locked.rawValue }
    for row in locked {
      guard let lock = LockFacts(in: image.log("purchase", row.key)), lock.mode != .compact,
        host.now > lock.terms.expiration + 30
      else { continue }
      let number = row.key.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      if host.now >= lock.terms.lifetime {
        _ = try await wallet.abortByWitnesses(number)
      } else if host.dice.oneIn(4) {
        _ = try await wallet.askWitnesses(number)
      }
    }
    // Nothing happens before the lifetimes end: a person does not ask every second.
    if !locked.isEmpty { await wait(40_000) }
  }

  /// Where somebody lies: goods that do not open, and tokens of which nobody says what became, are for the
  /// bank.
  private func complain() async throws {
    guard world.scenario.liars != .none else { return }
    for purchase in try await wallet.purchases() {
      guard let mode = Mode(named: purchase.protocol), Mode.invoices.contains(mode) else { continue }
      switch purchase.phase {
      case "paid": try? await wallet.complain(purchase.number, .invalidGoods)
      case "authorised" where world.isQuiet && host.dice.oneIn(3):
        try? await wallet.complain(purchase.number, host.dice.oneIn(2) ? .depositedElsewhere : .accused)
      default: break
      }
    }
  }

  /// A series gets one to three purchases, as its customer's choice says, and is then ended; one in four is
  /// left to its merchant.
  private func goOn(_ purchase: PurchaseSummary) async throws {
    guard let series = try await wallet.series(purchase.number) else { return }
    let choice = host.lastPurchase?.choice ?? 0
    let wanted = 1 + choice % 3
    // Sometimes more than the budget has: the wallet has to say so.
    let isGreedy = !world.plan.isCalm && host.dice.oneIn(6)
    let offers = try await wallet.offers(merchant: purchase.merchant).filter {
      $0.modes.contains(.repeated) && (isGreedy || $0.price.amount <= Money(series.left)?.amount ?? 0)
    }
    if series.names.count < wanted, !offers.isEmpty {
      try await wallet.again(purchase.number, offers[series.names.count % offers.count], output: nil)
    } else if choice % 4 != 3 {
      try await wallet.finish(purchase.number)
    }
  }

  func wait(_ milliseconds: Int) async { await world.scheduler.sleep(milliseconds) }

  /// What one payment can take: as many tokens as it may name, the largest.
  private func available(at bank: String) throws -> UInt64 {
    let key = world.cast.members.first { $0.name == bank }?.key.description
    let coins = try Wallet.coins(in: SimulatedTransaction(life.store.image, writable: false))
    let amounts = coins.filter { $0.bank == key && !$0.isNamed && $0.archive == nil }
      .map { $0.rest - min($0.rest, $0.held) }
    return amounts.sorted(by: >).prefix(TokenSelection.maximumTokens).reduce(0, +)
  }

  /// What is paid with one token needs one that is worth it.
  private func provide(_ purchase: PlannedPurchase, _ price: Money) async throws {
    let coins = try Wallet.coins(in: SimulatedTransaction(life.store.image, writable: false))
    if Mode.invoices.contains(purchase.mode) {
      let archive = archive(of: purchase)
      let key = Cast.shared.members.first { $0.name == archive }?.key
      let hasOne = coins.contains {
        $0.archive == key && $0.value == price.amount && $0.rest == $0.value && $0.held == 0
      }
      if !hasOne { try await wallet.withdraw(price, bank: "bank", archive: archive) }
    }
    guard purchase.mode == .announced else { return }
    let largest = coins.filter { $0.archive == nil }.map { $0.rest - min($0.rest, $0.held) }.max() ?? 0
    // So much is split into tokens of which one is worth more than all that is sold.
    if largest < price.amount {
      try await wallet.withdraw(Money(currency: "EUR", amount: 4_000)!, bank: "bank")
    }
  }

  private func buy(_ purchase: PlannedPurchase) async throws {
    if purchase.refreshes {
      // What is left may be less than the smallest denomination makes up.
      do { _ = try await wallet.refresh(all: false, bank: purchase.bank) } catch { try life.checkAlive() }
    }
    let offers = try await wallet.offers(merchant: purchase.merchant).filter {
      $0.modes.contains(purchase.mode)
    }
    guard !offers.isEmpty else { return }
    let chosen = offers[purchase.choice % offers.count]
    var options = options(purchase)
    let ware = world.offered[chosen.id]
    if purchase.bidPercent < 100, purchase.mode != .repeated, let ware, ware.least < ware.price {
      let amount = max(1, chosen.price.amount * UInt64(purchase.bidPercent) / 100)
      options.price = Money(currency: chosen.price.currency, amount: amount)
    }
    if purchase.mode == .repeated {
      options.budget = Money(currency: "EUR", amount: chosen.price.amount + 300)!
      options.isShort = purchase.choice % 2 == 0
    }
    try await provide(purchase, ware?.priceMoney ?? chosen.price)
    let number = try await wallet.buy(chosen, options: options)
    if purchase.mode == .repeated,
      let begun = try await wallet.purchases().first(where: { $0.number == number }),
      begun.phase == "locked"
    {
      try await goOn(begun)
    }
  }

  private func archive(of purchase: PlannedPurchase) -> String {
    purchase.mode == .invoicePassive ? Cast.record : purchase.archive
  }

  private func options(_ purchase: PlannedPurchase) -> BuyOptions {
    var options = BuyOptions()
    // Any counter-offer up to the dearest price that is on offer.
    options.choices.most = Money(currency: "EUR", amount: Wares.all.map(\.price).max() ?? 0)
    options.merchant = purchase.merchant
    options.choices.bank = purchase.bank
    options.choices.reuseKey = purchase.reusesKey
    switch purchase.signs {
    case .fresh: break
    case .pseudonym(let name): options.pseudonym = name
    case .account: options.named = true
    }
    // The order of an announced purchase names its archive.
    options.choices.archive = purchase.mode == .announced ? nil : archive(of: purchase)
    options.mode = purchase.mode
    options.twoSided = purchase.twoSided
    options.choices.completion = purchase.completion
    options.choices.expirationSeconds = purchase.expirationSeconds
    return options
  }
}

extension PurchaseSummary {
  /// Something is paid and not ended. Before the payment a customer simply walks away.
  var isPaidFor: Bool { isOpen && !["registering", "requested", "offered", "checked"].contains(phase) }
}
