// When faults have stopped: has everything ended (invariant 7), and do the ends fit together (invariants 1 to
// 3 and 6)?

import Foundation
import Messages
import Parties
import Services
import Storage

/// What of a party has not ended yet.
struct Unsettled {
  private let referee: Referee
  private let host: Host
  private let image: StoreImage

  init(_ referee: Referee, _ host: Host, _ image: StoreImage) {
    (self.referee, self.host, self.image) = (referee, host, image)
  }

  func list() -> [String] {
    let name = host.member.name
    var open: [String] = []
    if host.member.role == .bank {
      for row in image.machines("lock") where row.phase == LockPhase.locked.rawValue && isDue(row.key) {
        open.append("\(name) still holds a lock")
      }
    }
    if host.member.role == .merchant {
      let busy: [SalePhase] = [.authorised, .claiming, .submitted, .committed, .cancelling]
      for row in image.machines("sale") where busy.contains(where: { $0.rawValue == row.phase }) {
        guard isExpected(row) else { continue }
        open.append("\(name) has a sale that is \(SalePhase(rawValue: row.phase)!)")
      }
    }
    if host.isCustomer {
      let busy: [PurchasePhase] = [.announced, .authorised, .locked, .paid]
      for row in image.machines("purchase") where busy.contains(where: { $0.rawValue == row.phase }) {
        guard isExpected(row) else { continue }
        open.append("\(name) has a purchase that is \(PurchasePhase(rawValue: row.phase)!)")
      }
    }
    if host.member.role == .bank { open += ClearingWatch(referee: referee, host: host, image: image).open }
    open += RefundWatch(referee: referee, host: host, image: image).open
    // What a liar does not answer stays in the outbox, and so does a refund of what a liar does not transfer.
    let waiting = image.outbox.filter { item in
      guard PublicKey(hex: item.destination).flatMap(referee.world.host)?.isHonest ?? true else {
        return false
      }
      let locks = (try? Bundle(encoded: item.body))?.messages.compactMap { LockFacts($0) } ?? []
      return locks.allSatisfy { referee.world.host($0.bank)?.isHonest ?? true }
    }
    if !waiting.isEmpty {
      open.append("\(name) has \(waiting.count) undelivered: \(Network.label(waiting[0].body))")
    }
    return open
  }

  /// A lock ends when its archive answers; a lying one need not. Nor does anybody ask where a liar locked its
  /// own tokens for nobody's sale.
  private func isDue(_ key: [UInt8]) -> Bool {
    guard let lock = referee.lockOf[key].flatMap({ referee.locks[$0] }) else { return true }
    return isHonest(lock) && (!referee.world.scenario.liars.roles.contains(.pseudonym) || isAnybodys(lock))
  }

  /// An honest customer's purchase or an honest merchant's sale is under this lock.
  private func isAnybodys(_ lock: LockFacts) -> Bool {
    referee.world.hosts.contains { host in
      guard host.isHonest, let image = host.life?.store.image else { return false }
      if host.isCustomer {
        return image.machines("purchase").contains {
          LockFacts(in: image.log("purchase", $0.key))?.name == lock.name
        }
      }
      return host.member.key == lock.terms.merchant
        && LockFacts(in: image.log("sale", lock.terms.n.bytes))?.name == lock.name
    }
  }

  private func isExpected(_ row: MachineRow) -> Bool {
    let log = image.log(row.kind, row.key)
    if log.isOfInvoice { return isExpectedInvoice(log, row) }
    // Garbage never opens.
    if host.isCustomer, row.phase == PurchasePhase.paid.rawValue,
      let request = RequestFacts(in: log),
      !(referee.world.host(request.terms.merchant)?.isHonest ?? true)
    {
      return false
    }
    if let lock = LockFacts(in: log) { return isHonest(lock) || isForWitnesses(lock) }
    // What nobody answers the merchant ends by its own clock.
    if host.member.role == .merchant, row.phase == SalePhase.claiming.rawValue { return true }
    // A compact sale sees no lock: the contract names the one bank.
    if let offer = log.lazy.compactMap({ try? Unverified<P1>($0.bytes) }).first?.claims,
      offer.contract.mode == .compact
    {
      return referee.world.host(offer.contract.banks[0])?.isHonest ?? true
    }
    guard let request = RequestFacts(in: log) else { return true }
    return (referee.world.host(request.bank)?.isHonest ?? true)
      && (referee.world.host(request.terms.archive)?.isHonest ?? true)
  }

  /// An invoice ends when its archive and its bank answer, and is delivered when its merchant sold what it
  /// promised.
  private func isExpectedInvoice(_ log: [StoredMessage], _ row: MachineRow) -> Bool {
    guard let invoice = InvoiceFacts(in: log) else { return true }
    let paid = host.isCustomer && row.phase == PurchasePhase.paid.rawValue
    let deciders = [invoice.terms.archive, invoice.terms.bank] + (paid ? [invoice.merchant] : [])
    return deciders.allSatisfy { referee.world.host($0)?.isHonest ?? true }
  }

  /// After the lifetime the witnesses end what a silent archive does not.
  private func isForWitnesses(_ lock: LockFacts) -> Bool {
    hasSilentArchive(lock) && host.now > lock.terms.lifetime + 60
  }

  private func hasSilentArchive(_ lock: LockFacts) -> Bool {
    guard host.isCustomer, referee.world.host(lock.bank)?.isHonest ?? true,
      let archive = referee.world.host(lock.terms.archive)?.liar as? LyingArchive
    else { return false }
    return archive.isSilent(on: lock)
  }

  /// A customer's purchase is locked, and only the witnesses can end it.
  var waitsForWitnesses: Bool {
    image.machines("purchase").contains { row in
      guard row.phase == PurchasePhase.locked.rawValue else { return false }
      return LockFacts(in: image.log("purchase", row.key)).map(hasSilentArchive) ?? false
    }
  }

  private func isHonest(_ lock: LockFacts) -> Bool {
    (referee.world.host(lock.terms.archive)?.isHonest ?? true)
      && (referee.world.host(lock.bank)?.isHonest ?? true) && hasHonestHome(lock.terms.merchant)
  }

  /// Only its own bank can tell a merchant that it was paid.
  private func hasHonestHome(_ merchant: PublicKey) -> Bool {
    host.isCustomer || referee.world.cast.home(of: merchant).flatMap(referee.world.host)?.isHonest ?? true
  }
}

/// Looks at all stores together when the run is over.
struct FinalCheck {
  private let referee: Referee
  private var world: World { referee.world }

  init(_ referee: Referee) { self.referee = referee }

  func run() {
    for host in world.hosts where host.isCustomer { checkCustomer(host) }
    checkMerchants()
    checkIdentities()
    checkCalm()
    for host in world.hosts where host.isCustomer { RefundWatch(referee, host)?.tally() }
    noteMoney()
    if world.scenario.liars != .none { referee.dossier.hear() }
  }

  private func image(_ host: Host?) -> StoreImage? { host?.life?.store.image }

  private func fail(_ invariant: Int, _ text: String) { referee.violate(invariant, text) }

  /// Without faults, lies and second thoughts every purchase is delivered.
  private func checkCalm() {
    guard world.plan.isCalm, world.scenario.liars == .none, world.scenario.crashes.isEmpty, !world.gaveUp
    else { return }
    let missing = world.hosts.filter { $0.isCustomer }.flatMap { host in
      (image(host)?.machines("purchase") ?? []).filter { $0.phase != PurchasePhase.delivered.rawValue }.map {
        "\(host.member.name): \(PurchasePhase(rawValue: $0.phase)!)"
      }
    }
    if let first = missing.first { fail(7, "without any fault a purchase is not delivered: \(first)") }
  }

  /// Where the money is: the same after a crash as without one.
  private func noteMoney() {
    for bank in world.hosts where bank.member.role == .bank {
      guard let books = image(bank) else { continue }
      // What the banks have settled is chance: clearing and cash together are not.
      let accounts = books.accountOrder.filter { !$0.hasPrefix("system:cash") && !$0.hasPrefix("clearing:") }
      let lines = accounts.map { "\(bank.member.name) \($0) \(books.accounts[$0]!.balance)" }
      world.tally { $0.outcome += lines }
    }
    ClearingWatch.checkEnd(referee)
  }

  // MARK: Customers

  private func checkCustomer(_ host: Host) {
    guard let image = image(host) else { return }
    for row in image.machines("purchase") {
      guard let phase = PurchasePhase(rawValue: row.phase) else { continue }
      let log = image.log("purchase", row.key)
      let request = RequestFacts(in: log)
      world.tally { result in
        result.transactions += 1
        switch phase {
        case .delivered, .paid: result.committed += 1
        case .aborted: result.aborted += 1
        default: result.unpaid += 1
        }
        let value = request?.terms.value ?? (log.isOfInvoice ? InvoiceFacts(in: log)?.terms.price : nil)
        result.outcome.append("\(host.member.name) \(phase) \(value.map { "\($0)" } ?? "-")")
      }
      guard host.isHonest else { continue }
      if log.isOfInvoice { checkInvoice(host, log, phase) } else { checkPurchase(host, log, phase, request) }
    }
    // An archive that tells the bank one outcome and the customer the other parts their counts.
    if host.isHonest && !world.scenario.liars.roles.contains(.archive) { checkCoins(host, image) }
  }

  /// Goods if and only if value, seen from the customer.
  private func checkPurchase(
    _ host: Host, _ log: [StoredMessage], _ phase: PurchasePhase, _ request: RequestFacts?
  ) {
    let byWitnesses = log.contains { $0.label == P5c.type.label }
    guard let request, let bank = world.host(request.bank), bank.isHonest, let books = image(bank),
      byWitnesses || world.host(request.terms.archive)?.isHonest ?? true
    else { return }
    let transaction = request.terms.merchant.bytes + request.terms.n.bytes
    let lock = books.machines[PairKey("lock", transaction)].flatMap { LockPhase(rawValue: $0.phase) }
    let kept = LockFacts(in: log)?.name
    // A payment that was refused because somebody else's locked this transaction first is not this lock's.
    let isOurs = referee.lockOf[transaction] == kept || kept == nil
    switch (phase, lock) {
    case (.delivered, .settled), (.aborted, .released): break
    case (.delivered, _): fail(3, "\(host.member.name) has the goods, and the value is not the merchant's")
    case (.aborted, _) where isOurs:
      fail(2, "\(host.member.name) has its abort, and the bank keeps the value")
    case (.refused, .settled), (.refused, .released), (.refused, .locked):
      let refusedTerms = referee.lockOf[transaction].flatMap { referee.locks[$0] }
      if refusedTerms?.terms == request.terms {
        fail(2, "\(host.member.name) was refused, and the bank took the value")
      }
    case (_, .settled) where phase != .delivered && world.scenario.liars == .none:
      fail(3, "\(host.member.name) paid and has no goods: \(phase)")
    default: break
    }
    if phase == .delivered {
      if request.mode == .repeated {
        checkSeries(host, log, request)
      } else {
        checkGoods(host, request.terms.merchant, log)
      }
    }
  }

  /// The same where the token itself was the payment.
  private func checkInvoice(_ host: Host, _ log: [StoredMessage], _ phase: PurchasePhase) {
    guard let invoice = InvoiceFacts(in: log), let bank = world.host(invoice.terms.bank), bank.isHonest,
      let archive = world.host(invoice.terms.archive), archive.isHonest
    else { return }
    let payment = referee.paid.of[invoice.address]?.last {
      $0.n == invoice.terms.n && $0.merchant == invoice.merchant
    }
    let isPaid = payment.map { !$0.isReversed } ?? false
    let merchant = world.host(invoice.merchant)
    switch phase {
    case .delivered:
      // On trust, a merchant may have given k for what nobody will pay; and one that was put back has
      // forgotten what it had to show the bank.
      if !isPaid, let merchant, merchant.isHonest, merchant.completion != .early,
        !referee.restored.contains(merchant.index)
      {
        fail(3, "\(host.member.name) has the goods, and the value is not the merchant's")
      }
      checkGoods(host, invoice.merchant, log)
    case .paid: if world.scenario.liars == .none { fail(3, "\(host.member.name) paid and has no goods") }
    case .authorised: break
    default: if isPaid { fail(2, "\(host.member.name) has ended the purchase, and the bank took the value") }
    }
  }

  private func checkGoods(_ host: Host, _ merchant: PublicKey, _ log: [StoredMessage]) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: host.directory.file("goods"))) ?? []
    let n1 = log.lazy.compactMap { try? Unverified<N1>($0.bytes) }.last
    let ware = n1.flatMap { world.offered[$0.claims.offer] }
    guard let ware, world.host(merchant)?.isHonest ?? true else { return }
    guard names.contains(ware.name),
      let data = FileManager.default.contents(atPath: host.directory.file("goods/" + ware.name)),
      Array(data) == ware.bytes
    else { return fail(3, "\(host.member.name) has other goods than it paid for") }
  }

  /// All goods up to the committed purchase are there, and nothing that was not paid.
  private func checkSeries(_ host: Host, _ log: [StoredMessage], _ request: RequestFacts) {
    guard let outcome = log.lazy.compactMap({ OutcomeFacts($0.bytes) }).first(where: \.isCommit),
      let last = outcome.series?.index, world.host(request.terms.merchant)?.isHonest ?? true
    else { return }
    let items = log.compactMap { try? Verified<R6>(stored: $0.bytes).payload }
    let first = log.lazy.compactMap { try? Verified<R1>(stored: $0.bytes).payload }.first
    var names = [(UInt64(0), first?.contract.name ?? "")]
    for item in items where item.index <= last { names.append((item.index, item.contract.name)) }
    // The record of a forced purchase brings its R6 itself.
    guard names.count + (outcome.series?.most == nil ? 0 : 1) > last else {
      let labels = log.map(\.label).joined(separator: " ")
      return fail(
        3,
        "\(host.member.name) paid up to item \(last) and knows of \(names.count):"
          + " n \(request.terms.n), [\(labels)]")
    }
    for (index, name) in names {
      let path = host.directory.file("goods/" + (index == 0 ? name : "\(index)-\(name)"))
      guard let data = FileManager.default.contents(atPath: path),
        Wares.all.contains(where: { $0.name == name && $0.bytes == Array(data) })
      else { return fail(3, "\(host.member.name) has other goods than purchase \(index) of its series") }
    }
  }

  /// What the wallet counts is what the bank counts.
  private func checkCoins(_ host: Host, _ image: StoreImage) {
    guard let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false)) else { return }
    let hasForgotten = world.hosts.contains { referee.restored.contains($0.index) }
    let isTrusting = world.hosts.contains { $0.member.role == .merchant && $0.completion == .early }
    for coin in coins {
      guard let bank = PublicKey(hex: coin.bank).flatMap(world.host), bank.isHonest,
        let books = self.image(bank)
      else { continue }
      // Whoever was put back may have forgotten to whom a bound token was given: the archive knows.
      if coin.archive != nil && hasForgotten { continue }
      // A merchant that gave k on trust may not have deposited in time, or at all.
      if coin.archive != nil, coin.rest == 0, isTrusting { continue }
      let row = books.tokens[coin.id.bytes]
      let rest = Int64(coin.value) - (row?.spent ?? 0)
      let held = row?.locked ?? 0
      guard Int64(coin.rest) == rest, Int64(coin.held) == held else {
        let text = "the wallet counts \(coin.rest) and holds \(coin.held), the bank \(rest) and \(held)"
        if world.scenario.liars == .none || held == 0 { fail(1, "\(host.member.name): \(text)") }
        return
      }
    }
  }

  // MARK: Merchants

  private func checkMerchants() {
    let banks = world.hosts.filter { $0.member.role == .bank }
    guard banks.allSatisfy(\.isHonest) else { return }
    for host in world.hosts where host.member.role == .merchant && host.isHonest {
      guard let image = image(host) else { continue }
      for row in image.machines("sale") {
        // A merchant that was put back does not hear of what it forgot; its money is on its account.
        guard let phase = SalePhase(rawValue: row.phase), !referee.restored.contains(host.index) else {
          continue
        }
        let log = image.log("sale", row.key)
        if log.isOfInvoice {
          checkInvoiceSale(host, log, phase)
          continue
        }
        let name = PairKey("lock", host.member.key.bytes + row.key)
        let lock = banks.lazy.compactMap { self.image($0)?.machines[name] }.first.flatMap {
          LockPhase(rawValue: $0.phase)
        }
        if phase == .credited && lock != .settled {
          fail(3, "\(host.member.name) counts a credit that is none")
        }
        if phase == .aborted && lock == .settled {
          fail(3, "\(host.member.name) counts as aborted what was paid")
        }
        if lock == .settled && phase != .credited && world.scenario.liars == .none {
          fail(7, "\(host.member.name) was paid and its sale is \(phase)")
        }
      }
    }
  }

  private func checkInvoiceSale(_ host: Host, _ log: [StoredMessage], _ phase: SalePhase) {
    guard let invoice = InvoiceFacts(in: log) else { return }
    let payment = referee.paid.of[invoice.address]?.last {
      $0.n == invoice.terms.n && $0.merchant == host.member.key
    }
    if phase == .credited && payment == nil { fail(3, "\(host.member.name) counts a credit that is none") }
    if payment != nil && phase != .credited && world.scenario.liars == .none {
      let labels = log.map(\.label).joined(separator: " ")
      fail(7, "\(host.member.name) was paid and its sale is \(phase): n \(invoice.terms.n), [\(labels)]")
    }
  }

  // MARK: Privacy (invariant 6)

  /// Nothing that merchants and archives keep, and nothing that the bank keeps of purchases, names a
  /// customer.
  private func checkIdentities() {
    let customers = world.hosts.filter { $0.isCustomer && $0.isHonest }
    var pseudonyms: [PublicKey: String] = [:]
    for host in world.hosts {
      guard let image = image(host) else { continue }
      if host.isCustomer { continue }
      for message in image.messages {
        if message.kind.hasPrefix("withdrawal") { continue }
        for customer in customers
        where !customer.namesItself && contains(message.entry.bytes, customer.member.key.bytes) {
          return fail(
            6, "\(host.member.name) keeps \(message.entry.label) with the account key of a customer")
        }
      }
    }
    for customer in customers {
      guard let image = image(customer) else { continue }
      for row in image.machines("purchase") {
        guard let n1 = image.log("purchase", row.key).first(where: { $0.label == "N1" }),
          let message = try? Unverified<N1>(n1.bytes)
        else { continue }
        if NameWatch.mayRepeat(message.claimedSigners[0], customer) { continue }
        let labels = image.log("purchase", row.key).map(\.label).joined(separator: " ")
        let purchase = "\(customer.member.name)'s \(row.key.last ?? 0) [\(labels)]"
        if let other = pseudonyms.updateValue(purchase, forKey: message.claimedSigners[0]) {
          fail(6, "a pseudonym is used for two purchases: \(other) and \(purchase)")
        }
      }
    }
  }
}
