// An announced purchase (FIG. 3) at archive and merchant, after each durable step: an announcement is
// published in time and is its token's own, and k leaves for a lock that the token's key has agreed to.

import BlindTokens
import Messages
import Parties
import Storage

/// Looks at one durable step of an archive, beside its record.
struct ArchiveWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ mutations: [Mutation]) {
    for case .message(let kind, let key, let label, let bytes) in mutations {
      if kind == "announced" && label == MessageType.announced.label { announced(bytes, under: key) }
      if kind == "token" {
        ArchiveTokenWatch(referee: referee, host: host, image: image).see(key, label, bytes)
      }
    }
  }

  private func announced(_ bytes: [UInt8], under key: [UInt8]) {
    guard let message = try? Verified<Announced>(bytes, by: .key(host.member.key)),
      let outer = try? Unverified<Announcement>(message.payload.announcement),
      let three = try? Verified(outer, by: .key(outer.claims.token.key))
    else { return fail(2, "publishes an announcement that is not the token's own") }
    let said = three.payload
    guard said.archive == host.member.key else { return fail(4, "publishes for another archive") }
    guard message.payload.at < said.expiration else { return fail(4, "publishes what has expired") }
    guard said.token.id.bytes == key else { return fail(8, "files an announcement under another token") }
    let denomination = referee.denominations[said.token.keyID]
    if !(denomination?.isValid(signature: said.token.signature, for: said.token.id.bytes) ?? false) {
      fail(1, "publishes a token that no bank signed")
    }
    let earlier = image.log("announced", key).dropLast().contains { entry in
      (try? Unverified<Announced>(entry.bytes))?.claims.announcement == message.payload.announcement
    }
    if earlier { fail(8, "publishes one announcement twice") }
  }
}

/// Looks at one durable step of an announced sale.
struct AnnouncedWatch: LockedSaleWatch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func look(_ row: MachineRow, _ n: TransactionID, _ phase: SalePhase) {
    let log = image.log("sale", row.key)
    func last(_ label: String) -> [UInt8]? { log.last { $0.label == label }?.bytes }
    let order = last(MessageType.purchaseOrder.label)
      .flatMap { try? Verified<PurchaseOrder>($0, by: .key(host.member.key)) }
    guard let order else { return fail(8, "a sale without its order") }
    if phase == .offered {
      referee.began(order, .announced, Array(row.data.dropFirst()), by: host)
      if !order.payload.terms.name.isEmpty { fail(6, "tells bank and archive what the goods are called") }
    }
    let locks = log.filter { $0.label == MessageType.a7.label }
    if locks.count > 1 { fail(4, "takes a second lock for one sale") }
    let lock = locks.last.flatMap { LockFacts($0.bytes) }
    switch phase {
    case .offered, .declined: break
    case .claiming: checkClaim(log, order)
    case .authorised: if lock == nil { fail(8, "goes on without a lock") }
    case .submitted:
      checkLock(order, lock)
      checkClaim(log, order)
      if let lock, ClaimFacts(in: log)?.request.terms != lock.terms {
        fail(2, "submits for another token than the customer gave")
      }
      if log.contains(where: { $0.label == Label.cancel.rawValue }) { fail(4, "submits what it cancelled") }
      if log.filter({ $0.label == MessageType.a8.label }).count != 1 { fail(4, "signs a second 8") }
    case .cancelling: if lock == nil { fail(8, "cancels no lock") }
    case .committed, .credited:
      checkOutcome(last(MessageType.a9a.label), lock, isCommit: true)
      if phase == .credited { checkCredit(last(Label.credit.rawValue), lock, last(MessageType.a9a.label)) }
    case .aborted:
      checkOutcome(last(MessageType.a9b.label) ?? last(P5c.type.label), lock, isCommit: false)
    case .forcing: fail(8, "an announced sale is \(phase)")
    }
  }

  /// S_t(PO) and the announcement are there, and are of this order.
  private func checkClaim(_ log: [StoredMessage], _ order: Verified<PurchaseOrder>) {
    guard let claim = ClaimFacts(in: log), claim.isConsented, claim.request.terms.hP1 == order.hash else {
      return fail(3, "goes on without the token's own word for this order")
    }
    guard claim.archive == order.payload.terms.archive, claim.at < claim.request.terms.expiration else {
      return fail(4, "claims a token that was not announced in time by its archive")
    }
  }

  private func checkLock(_ order: Verified<PurchaseOrder>, _ lock: LockFacts?) {
    guard let lock else { return fail(8, "goes on without a lock") }
    let (terms, ordered) = (lock.terms, order.payload.terms)
    guard terms.merchant == host.member.key, terms.n == ordered.n, terms.hP1 == order.hash,
      terms.hx == ordered.hx
    else { return fail(3, "goes on with the lock of another order") }
    guard terms.value == ordered.price else {
      return fail(3, "sells for \(terms.value) what costs \(ordered.price)")
    }
    guard lock.bank == ordered.bank, terms.archive == ordered.archive else {
      return fail(3, "goes on with a bank or archive that it does not accept")
    }
    guard terms.expiration <= ordered.expiration, terms.lifetime == ordered.lifetime else {
      return fail(7, "goes on with a lock of another time")
    }
  }
}

extension Referee {
  /// A sale by INV or PO begins: its number and key are new, its key is the one committed to, and it is of
  /// something that is on sale for so much.
  func began<O: TermsPayload>(_ offer: Verified<O>, _ mode: Mode, _ key: [UInt8], by host: Host) {
    let terms = offer.payload.terms
    func fail(_ invariant: Int, _ text: String) { violate(invariant, "\(host.member.name): \(text)") }
    guard isNew(terms.n, key, by: host) else { return }
    let wares = Mode.invoices.contains(mode) ? Wares.whole : Wares.all
    guard let ware = wares.first(where: { terms.digests == [$0.digest] }) else {
      return fail(3, "offers what it does not have")
    }
    if terms.price.amount < ware.least || terms.price.amount > ware.price {
      fail(1, "offers \(ware.name) at \(terms.price)")
    }
    if terms.hx != .keyCommitment(mode, merchant: host.member.key, n: terms.n, key: key) {
      fail(3, "offers under a commitment to another key")
    }
    secrets[terms.n] = Secret(key: key, merchant: host)
  }
}
