// An invoice purchase (FIG. 2) at merchant and customer, after each durable step: k leaves for the token that
// pays, and the token's key says yes to goods that are there.

import Messages
import Parties
import Services
import Storage

/// Looks at one durable step of an invoice sale.
struct InvoiceSaleWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func look(_ row: MachineRow, _ mode: Mode, _ phase: SalePhase) {
    let log = image.log("sale", row.key)
    let invoice = log.last(.invoice).flatMap { try? Verified<Invoice>($0, by: .key(host.member.key)) }
    guard let invoice else { return fail(8, "a sale without its invoice") }
    if phase == .offered {
      referee.began(invoice, mode, Array(row.data.dropFirst()), by: host)
      if !invoice.payload.terms.name.isEmpty { fail(6, "tells bank and archive what the goods are called") }
      let isPassive = referee.world.host(invoice.payload.terms.archive)?.member.isPassiveArchive ?? false
      if isPassive != (mode == .invoicePassive) { fail(3, "invoices at an archive that settles otherwise") }
    }
    if log.count(.invoice) > 1 { fail(4, "signs a second invoice for one sale") }
    if log.count(.deposit) > 1 { fail(4, "deposits twice for one sale") }
    switch phase {
    case .offered, .declined: if log.count(.deposit) > 0 { fail(3, "gives up what it has deposited") }
    case .submitted: checkDeposit(log, invoice, mode)
    case .committed, .credited:
      checkDeposit(log, invoice, mode)
      checkApproval(log, invoice, mode)
      if phase == .credited { checkCredit(log, invoice, mode) }
    case .aborted: checkEnd(log, invoice, mode)
    case .authorised, .forcing, .cancelling, .claiming: fail(8, "an invoice sale is \(phase)")
    }
  }

  private func checkDeposit(_ log: [StoredMessage], _ invoice: Verified<Invoice>, _ mode: Mode) {
    guard let deposit = log.last(.deposit).flatMap({ DepositFacts($0) }) else {
      return fail(8, "deposits nothing")
    }
    guard deposit.invoice.hash == invoice.hash else { return fail(3, "deposits for another invoice") }
    // Whether the token is genuine and worth the price only archive and bank can say.
    guard deposit.token.archive == invoice.payload.terms.archive,
      deposit.token.address == invoice.payload.address,
      invoice.payload.terms.hx
        == .keyCommitment(mode, merchant: host.member.key, n: invoice.payload.terms.n, key: deposit.key)
    else { return fail(3, "gives its key for a token that is not the invoice's") }
  }

  private func checkApproval(_ log: [StoredMessage], _ invoice: Verified<Invoice>, _ mode: Mode) {
    guard mode != .invoicePassive else { return }
    let terms = invoice.payload.terms
    guard
      let approval = log.last(.approval).flatMap({ try? Verified<Approval>($0, by: .key(terms.archive)) }),
      approval.payload.n == terms.n, approval.payload.merchant == host.member.key,
      approval.payload.value == terms.price, approval.payload.address == invoice.payload.address
    else { return fail(3, "counts on an approval that is not the sale's") }
  }

  private func checkCredit(_ log: [StoredMessage], _ invoice: Verified<Invoice>, _ mode: Mode) {
    let terms = invoice.payload.terms
    let ground = log.last(mode == .invoicePassive ? .deposit : .approval)
    guard let ground,
      let credit = log.last(.credit).flatMap({ try? Verified<Credit>($0, by: .key(terms.bank)) }),
      credit.payload.lock == Hash(of: ground), credit.payload.amount == terms.price
    else { return fail(3, "takes a credit that is not the sale's") }
  }

  /// Refused by who decides.
  private func checkEnd(_ log: [StoredMessage], _ invoice: Verified<Invoice>, _ mode: Mode) {
    let terms = invoice.payload.terms
    let decider = mode == .invoicePassive ? terms.bank : terms.archive
    let isRefused = log.contains { (try? Verified<Refusal>($0.bytes, by: .key(decider))) != nil }
    if !isRefused { fail(4, "ends a sale that nobody refused") }
  }
}

/// Looks at one durable step of an invoice purchase.
struct InvoicePurchaseWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func look(_ log: [StoredMessage], _ phase: PurchasePhase) {
    switch phase {
    case .authorised: checkPayment(log)
    case .paid, .delivered: checkKey(log)
    case .aborted: checkEnd(log)
    case .refused: checkTaken(log)
    case .locked, .announced: fail(8, "an invoice purchase is \(phase)")
    case .registering, .requested, .offered, .checked, .abandoned:
      if log.count(.endorsement) > 0 { fail(2, "forgets that it has paid") }
    }
  }

  private func checkPayment(_ log: [StoredMessage]) {
    guard let n1 = log.last(.n1).flatMap({ try? Unverified<N1>($0) }), let invoice = InvoiceFacts(in: log),
      let registration = log.last(.registration).flatMap({ try? Unverified<Registration>($0) })?.claims
    else { return fail(8, "pays without having asked") }
    let terms = invoice.terms
    guard terms.price == n1.claims.price else {
      return fail(1, "pays \(terms.price) for what was offered at \(n1.claims.price)")
    }
    let address = registration.address
    guard invoice.address == address, terms.archive == registration.archive else {
      return fail(3, "pays an invoice for another token")
    }
    guard
      let word = log.last(.endorsement).flatMap({
        try? Verified<Endorsement>($0, by: .key(registration.tokenKey))
      }), word.payload.hINV == invoice.hash, word.payload.address == address
    else { return fail(2, "endorses another invoice") }
    if terms.lifetime < terms.expiration + Cast.lifetimeSeconds { fail(7, "pays with too short a lifetime") }
    guard let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false)) else { return }
    if let coin = coins.first(where: { $0.address == address }), coin.rest == coin.value,
      coin.held < coin.value
    {
      fail(2, "pays with a token that it does not set aside")
    }
  }

  /// k is the invoice's; and where nobody hands it out on trust, it comes when the token is taken.
  private func checkKey(_ log: [StoredMessage]) {
    guard let invoice = InvoiceFacts(in: log),
      let mode = log.last(.n1).flatMap({ try? Unverified<N1>($0) })?.claims.mode
    else { return fail(8, "is paid without an invoice") }
    let key: [UInt8]
    if let bytes = log.last(.passiveRecord) {
      guard let record = try? Verified<PassiveRecord>(bytes, by: .key(invoice.terms.bank)) else {
        return fail(3, "takes a key from somebody else than the bank")
      }
      key = record.payload.key
    } else {
      guard let bytes = log.last(.deposit), let deposit = DepositFacts(bytes),
        deposit.invoice.hash == invoice.hash
      else { return fail(3, "takes a key from another deposit") }
      key = deposit.key
    }
    let terms = invoice.terms
    if terms.hx != .keyCommitment(mode, merchant: invoice.merchant, n: terms.n, key: key) {
      fail(3, "takes a key that the invoice does not commit to")
    }
    let merchant = referee.world.host(invoice.merchant)
    guard let decider = referee.world.host(mode == .invoicePassive ? terms.bank : terms.archive),
      merchant?.isHonest ?? false, merchant?.completion != .early, decider.isHonest,
      let store = decider.life?.store
    else { return }
    let isTaken =
      mode == .invoicePassive
      ? referee.paid.of[invoice.address]?.contains { $0.n == terms.n && $0.merchant == invoice.merchant }
      : store.image.log("token", invoice.address.bytes).contains { entry in
        let approval = try? Unverified<Approval>(entry.bytes).claims
        return approval?.n == terms.n && approval?.merchant == invoice.merchant
      }
    if !(isTaken ?? false) { fail(3, "has the key before its token is taken") }
  }

  /// Who decides says, in time, that this invoice never took the token; or the bank gave the value back.
  private func checkEnd(_ log: [StoredMessage]) {
    guard let invoice = InvoiceFacts(in: log),
      let mode = log.last(.n1).flatMap({ try? Unverified<N1>($0) })?.claims.mode
    else { return fail(8, "ends without an invoice") }
    let terms = invoice.terms
    let decider = mode == .invoicePassive ? terms.bank : terms.archive
    let isEnded = log.contains { entry in
      guard let answer = try? Unverified<StatusAnswer>(entry.bytes) else { return false }
      let (said, signer) = (answer.claims, answer.claimedSigners[0])
      return signer == decider && said.state == .aborted && said.at >= terms.expiration
        || signer == terms.bank && said.state == .available
    }
    if !isEnded { fail(2, "ends a purchase that nobody has ended") }
  }

  /// The token's key has endorsed something else.
  private func checkTaken(_ log: [StoredMessage]) {
    guard let key = log.last(.registration).flatMap({ try? Unverified<Registration>($0) })?.claims.tokenKey
    else { return fail(8, "is refused without a token") }
    let own = log.last(.endorsement)
    let isShown = log.contains { entry in
      guard let answer = try? Unverified<StatusAnswer>(entry.bytes).claims else { return false }
      return answer.proof.contains { $0 != own && (try? Verified<Endorsement>($0, by: .key(key))) != nil }
    }
    if !isShown { fail(2, "takes a token for spent that its key gave to nobody else") }
  }
}
