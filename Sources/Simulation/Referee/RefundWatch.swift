// Refunds (invariants 1, 2, 7 and 8): who gets money back, how much, and that it arrives; after each durable
// step, without the parties' own checks.

import Messages
import Parties
import Services
import Storage

/// RF2 and the RF1 in it, as their bytes state them; the signatures hold.
struct RefundFacts: Sendable {
  let asked: Verified<RF1>
  let agreed: Verified<RF2>

  private static let cache = FactCache<RefundFacts>()

  init?(_ bytes: [UInt8]) {
    guard (try? MessageType(peeking: bytes)) == .rf2,
      let facts = Self.cache.facts(of: bytes, { RefundFacts(reading: bytes) })
    else { return nil }
    self = facts
  }

  private init?(reading bytes: [UInt8]) {
    guard let outer = try? Unverified<RF2>(bytes),
      let agreed = try? Verified(outer, by: .key(outer.claimedSigners[0])),
      let inner = try? Unverified<RF1>(agreed.payload.rf1),
      let asked = try? Verified(inner, by: .key(inner.claimedSigners[0]))
    else { return nil }
    (self.asked, self.agreed) = (asked, agreed)
  }

  /// The same of a request: RF2, or RF2 with the lock of another bank beside it.
  init?(in body: [UInt8]) {
    let first = (try? Bundle(encoded: body))?.messages.first
    self.init(first ?? body)
  }

  /// The merchant that RF1 names agreed to just that.
  var isSound: Bool {
    let (rf1, rf2) = (asked.payload, agreed.payload)
    return rf2.hRF1 == asked.hash && rf2.lock == rf1.lock && rf2.amount == rf1.amount
      && agreed.signer == rf1.merchant
  }
}

/// Looks at refunds in one store.
struct RefundWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  // MARK: The bank

  /// The merchant is debited and the tokens are signed in one step, for whoever paid, and never more than was
  /// paid.
  func bank(_ mutations: [Mutation]) {
    var entries: [LedgerEntry] = []
    var orders: [RefundFacts] = []
    var answers: Set<Hash> = []
    for mutation in mutations {
      switch mutation {
      case .entry(let entry) where entry.kind == "refund": entries.append(entry)
      case .message("refunds", _, "RF2", let bytes):
        guard let facts = RefundFacts(bytes) else { return fail(1, "refunds upon what is no agreement") }
        orders.append(facts)
      case .message("refunds", _, "RF3", let bytes):
        guard let rf3 = try? Verified<RF3>(bytes, by: .key(host.member.key)) else {
          return fail(8, "keeps an RF3 that it did not sign")
        }
        answers.insert(rf3.payload.hRF2)
      default: break
      }
    }
    if entries.count != orders.count {
      fail(1, "\(entries.count) refunds are booked, \(orders.count) are agreed to")
    }
    if answers != Set(orders.map(\.agreed.hash)) { fail(8, "a refund without its answer in the same step") }
    for facts in orders { check(facts, entries) }
  }

  private func check(_ facts: RefundFacts, _ entries: [LedgerEntry]) {
    let payload = facts.asked.payload
    let amount = Int64(payload.amount.amount)
    guard facts.isSound else { return fail(1, "refunds what the merchant did not agree to") }
    guard let lock = referee.locks[payload.lock] ?? referee.locksSeen[payload.lock],
      let paid = referee.credited[payload.lock]
    else { return fail(1, "refunds what was never credited") }
    guard referee.payer(of: lock) == host.member.key, lock.terms.merchant == facts.agreed.signer,
      lock.terms.n == payload.n
    else { return fail(1, "refunds another merchant's sale") }
    if lock.bank != host.member.key && !referee.transferred.contains(lock.name) {
      return fail(1, "refunds what has not come in")
    }
    guard lock.terms.pseudonym == facts.asked.signer else {
      return fail(1, "gives money back to somebody who did not pay")
    }
    if referee.refused.contains(facts.agreed.hash) { fail(8, "makes a refund after it was refused") }
    referee.refunded[payload.lock, default: 0] += amount
    if referee.refunded[payload.lock]! > paid { fail(1, "gives back more than the \(paid) that was paid") }
    let reference = Array("refund".utf8) + facts.asked.hash.bytes
    guard let entry = entries.first(where: { $0.reference == reference }),
      entry.postings.contains(where: {
        $0.account == image.accountOf[lock.terms.merchant.bytes] && $0.amount == -amount
      })
    else { return fail(1, "a refund of \(amount) that its merchant does not pay") }
    let signed = payload.outputs.reduce(UInt64(0)) { $0 + (referee.denominations[$1.keyID]?.value ?? 0) }
    if Int64(signed) != amount { fail(1, "signs tokens of \(signed) for a refund of \(amount)") }
    referee.issued[host.index, default: 0] += amount
  }

  // MARK: The merchant

  /// Only whoever bought gets something back, and all that is agreed to is no more than was paid.
  func merchant(_ mutations: [Mutation]) {
    for case .machine(let row) in mutations where row.kind == "refund" {
      guard let phase = RefundPhase(rawValue: row.phase) else { return fail(8, "a refund in no phase") }
      look(row, phase)
    }
  }

  private func look(_ row: MachineRow, _ phase: RefundPhase) {
    let log = image.log("refund", row.key)
    let rf1 = log.lazy.compactMap { try? Unverified<RF1>($0.bytes) }.first
    guard let rf1, rf1.hash.bytes == row.key else { return fail(8, "a refund that nobody asked for") }
    let sale = image.log("sale", rf1.claims.n.bytes)
    guard let pseudonym = Self.buyer(sale), pseudonym == rf1.claimedSigners[0] else {
      return fail(1, "takes a request for money by somebody who did not buy")
    }
    let orders = log.compactMap { RefundFacts($0.bytes) }
    if orders.count > 1 { fail(8, "agrees to one refund in two ways") }
    switch phase {
    case .absent, .waiting: break
    case .agreed:
      guard let facts = orders.first, facts.isSound, facts.agreed.signer == host.member.key,
        facts.asked.hash == rf1.hash
      else { return fail(8, "agrees to a refund without saying so") }
      checkSum(rf1.claims.n, sale)
    case .done:
      let done = log.contains { (try? Unverified<RF3>($0.bytes))?.claims.hRF2 == orders.first?.agreed.hash }
      if orders.isEmpty || !done { fail(8, "counts a refund as done without the bank's word") }
    case .refused:
      // Its own refusal is the answer from then on; the bank's ends what was agreed.
      let hash = orders.first?.agreed.hash
      let refused = log.contains { (try? Unverified<Refusal>($0.bytes))?.claims.hRequest == hash }
      if hash != nil && !refused { fail(8, "takes back its word on a refund") }
    }
  }

  /// P of the contract.
  private static func buyer(_ sale: [StoredMessage]) -> PublicKey? {
    for entry in sale {
      if let contract = (try? Unverified<P1>(entry.bytes))?.claims.contract { return contract.pseudonym }
      if let contract = (try? Unverified<E1>(entry.bytes))?.claims.contract { return contract.pseudonym }
      if let contract = (try? Unverified<R1>(entry.bytes))?.claims.contract { return contract.pseudonym }
    }
    return nil
  }

  private func checkSum(_ n: TransactionID, _ sale: [StoredMessage]) {
    let credit = sale.lazy.compactMap { try? Unverified<Credit>($0.bytes) }.last?.claims
    let lock = credit.map(\.lock) ?? LockFacts(in: sale)?.name
    // What was credited, or what will be.
    let paid = credit?.amount ?? lock.flatMap { referee.locks[$0]?.terms.value }
    var sum: UInt64 = 0
    for row in image.machines("refund") {
      guard [RefundPhase.agreed, .done].contains(where: { $0.rawValue == row.phase }),
        let facts = image.log("refund", row.key).lazy.compactMap({ RefundFacts($0.bytes) }).first,
        facts.asked.payload.n == n
      else { continue }
      sum += facts.asked.payload.amount.amount
    }
    if let paid, sum > paid.amount { fail(1, "agrees to give \(sum) of \(paid) back") }
  }

  // MARK: The customer

  /// A request ends by fresh tokens of just that amount, or by a refusal of it.
  func customer(_ mutations: [Mutation]) {
    for case .forget("refund", let key) in mutations {
      let log = image.log("refund", key)
      guard let rf1 = log.lazy.compactMap({ try? Unverified<RF1>($0.bytes) }).first else {
        return fail(8, "forgets a refund that it did not ask for")
      }
      let order = log.lazy.compactMap { RefundFacts($0.bytes) }.first
      if let order, !order.isSound || order.asked.hash != rf1.hash {
        fail(1, "takes the agreement to another refund for its own")
      }
      let answer = log.lazy.compactMap { try? Unverified<RF3>($0.bytes) }.last
      if let order, answer?.claims.hRF2 == order.agreed.hash {
        checkCoins(mutations, rf1.claims)
      } else {
        let names = [rf1.hash, order?.agreed.hash]
        let refusal = log.lazy.compactMap { try? Unverified<Refusal>($0.bytes) }.last
        guard let refusal, names.contains(refusal.claims.hRequest) else {
          return fail(8, "ends a refund without an answer")
        }
      }
    }
  }

  private func checkCoins(_ mutations: [Mutation], _ rf1: RF1) {
    // A restored wallet may have them already.
    guard !referee.restored.contains(host.index) else { return }
    var sum: UInt64 = 0
    for case .machine(let row) in mutations where row.kind == "coin" {
      sum += (try? Wallet.coin(in: row))?.rest ?? 0
    }
    if sum != rf1.amount.amount { fail(1, "gets \(sum) for a refund of \(rf1.amount)") }
  }

  // MARK: The end

  /// What has not ended, though honest parties could end it.
  var open: [String] {
    image.machines("refund").compactMap { row in
      let log = image.log("refund", row.key)
      guard let rf1 = log.lazy.compactMap({ try? Unverified<RF1>($0.bytes) }).first?.claims else {
        return nil
      }
      let isAgreed = log.contains { RefundFacts($0.bytes) != nil }
      guard referee.lockIsHonest(rf1.lock), isAgreed || isHonest(rf1.merchant) else { return nil }
      if host.isCustomer { return "\(host.member.name) waits for a refund" }
      let phase = RefundPhase(rawValue: row.phase)
      guard phase == .waiting || phase == .agreed else { return nil }
      return "\(host.member.name) has a refund that is \(phase!)"
    }
  }

  private func isHonest(_ key: PublicKey) -> Bool { referee.world.host(key)?.isHonest ?? true }

  /// Counts a customer's refunds; whatever was debited for an honest one has arrived.
  func tally() {
    let asked = image.messagesLabelled[PairKey("refund/RF1", [])] ?? []
    for index in asked {
      let key = image.messages[index].entry.key
      let log = image.log("refund", key)
      guard let rf1 = (try? Unverified<RF1>(image.messages[index].entry.bytes))?.claims else { continue }
      let isDone = log.contains { $0.label == RF3.type.label }
      let text = isDone ? "done" : log.contains { $0.label == "Refusal" } ? "refused" : "open"
      referee.world.tally { result in
        result.refundsAsked += 1
        if isDone { result.refunded += 1 }
        result.outcome.append("\(host.member.name) refund \(rf1.amount) \(text)")
      }
      if host.isHonest && !isDone && isHonest(rf1.merchant) { checkLost(Hash(key)!, rf1) }
    }
  }

  /// The bank made a refund, and whom it was for counts it as refused.
  private func checkLost(_ name: Hash, _ rf1: RF1) {
    guard let lock = referee.locks[rf1.lock], let bank = referee.world.host(referee.payer(of: lock)),
      bank.isHonest,
      let books = bank.life?.store.image, let merchant = referee.world.host(rf1.merchant),
      !referee.restored.contains(merchant.index)
    else { return }
    let isMade = books.log("refund", name.bytes).contains { $0.label == RF3.type.label }
    if isMade { fail(1, "lost a refund of \(rf1.amount) that the bank made") }
  }
}

extension Referee {
  /// Whether the banks of this lock and its merchant keep their word.
  func lockIsHonest(_ name: Hash) -> Bool {
    guard let lock = locks[name] ?? locksSeen[name] else { return true }
    return [lock.bank, payer(of: lock)].allSatisfy { world.host($0)?.isHonest ?? true }
  }

  /// The bank that credits this lock's merchant, and gives back what the merchant agrees to.
  func payer(of lock: LockFacts) -> PublicKey { world.cast.home(of: lock.terms.merchant) ?? lock.bank }
}

extension RefundWatch {
  init?(_ referee: Referee, _ host: Host) {
    guard let image = host.life?.store.image else { return nil }
    self.init(referee: referee, host: host, image: image)
  }
}
