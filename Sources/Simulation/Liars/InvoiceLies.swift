// Lies about invoices and bound tokens (FIG. 2). Archives register nothing, refuse, approve late, twice or
// for somebody else, deny what they approved and keep keys and documents back. Banks credit nothing or too
// little, deny deposits and take nothing back. Merchants sell garbage, deposit twice or under another key,
// invoice other tokens. Customers endorse twice, forge, squat at others' addresses and complain of nothing.

import Foundation
import Messages
import Parties
import Services

// MARK: Archives

extension LyingArchive {
  enum TokenTrick: Int, CaseIterable {
    case honest, alsoHonest, silent, refuses, late, backdated, elsewhere, twice, otherWord, otherForm,
      tooLittle
    case deniesToCustomer, keepsKey, keepsDocuments, spentForNothing
  }

  private func tokenTrick(_ invoice: Hash) -> TokenTrick {
    TokenTrick(rawValue: trick(invoice.bytes, of: TokenTrick.allCases.count))!
  }

  /// 2.
  func registering(_ bytes: [UInt8]) -> Lie? {
    guard let said = (try? Unverified<Registration>(bytes))?.claims, said.archive == host.member.key else {
      return nil
    }
    switch trick(said.address.bytes, of: 12) {
    case 0: return lie(nil)
    case 1:
      return lie(sign(Refusal(at: host.now, reason: .limit, hRequest: Hash(of: bytes), detail: "no")))
    case 2:
      return lie(sign(Registered(tokenKey: host.member.key, at: host.now, address: said.address)))
    default: return nil
    }
  }

  /// 7, opened.
  func deposited(_ bytes: [UInt8], in sealed: SealedMessage) -> Lie? {
    guard let deposit = DepositFacts(bytes), deposit.terms.archive == host.member.key else { return nil }
    gang.keys[deposit.terms.n] = deposit.key
    let now = host.now
    switch tokenTrick(deposit.invoice.hash) {
    case .honest, .alsoHonest, .deniesToCustomer, .keepsKey, .keepsDocuments, .spentForNothing: return nil
    case .silent: return lie(nil)
    case .refuses:
      let request = (try? sealed.encoded()) ?? []
      return lie(sign(Refusal(at: now, reason: .tooLate, hRequest: Hash(of: request), detail: "no")))
    case .late: return approve(deposit) { $0.at = max(now, deposit.terms.expiration) }
    case .backdated: return approve(deposit) { $0.at = min(now, deposit.terms.expiration - 1) }
    case .elsewhere:
      // To whoever lies with it, or to somebody who knows nothing of it.
      let other = gang.members.first { $0.member.role == .merchant } ?? otherMerchant(deposit.merchant)
      let approval = signed(deposit) {
        ($0.merchant, $0.n) = (other.member.key, TransactionID(dice.bytes(16))!)
      }
      tell(deposit.terms.bank, approval)
      return lie(nil)
    case .twice:
      let other = otherMerchant(deposit.merchant).member.key
      tell(deposit.terms.bank, signed(deposit) { $0.merchant = other })
      return approve(deposit) { _ in }
    case .otherWord: return approve(deposit) { $0.hEndorsement = Hash(dice.bytes(32))! }
    case .otherForm: return approve(deposit) { $0.token = $0.token == nil ? deposit.token : nil }
    case .tooLittle: return approve(deposit) { $0.value = Money(currency: "EUR", amount: 1)! }
    }
  }

  private func otherMerchant(_ key: PublicKey) -> Host {
    world.hosts.first { $0.member.role == .merchant && $0.member.key != key }!
  }

  private func signed(_ deposit: DepositFacts, _ change: (inout Approval) -> Void) -> [UInt8]? {
    let terms = deposit.terms
    let isDirect = deposit.fault(in: .invoiceDirect, world.referee.denominations) == nil
    var approval = Approval(
      n: terms.n, merchant: deposit.merchant, value: terms.price, at: host.now,
      address: deposit.invoice.address, hEndorsement: deposit.endorsement,
      token: isDirect ? nil : deposit.token)
    change(&approval)
    return sign(approval)
  }

  private func approve(_ deposit: DepositFacts, _ change: (inout Approval) -> Void) -> Lie? {
    let approval = signed(deposit, change)
    if world.deposits == .archive { tell(deposit.terms.bank, approval) }
    return lie(approval)
  }

  /// The token's owner asks how it stands.
  func complained(_ bytes: [UInt8]) -> Lie? {
    guard let complaint = try? Unverified<Complaint>(bytes) else { return nil }
    let expiration = complaint.claims.evidence.lazy.compactMap { InvoiceFacts($0) }.first?.terms.expiration
    func answer(_ state: TransactionState) -> Lie {
      lie(
        sign(
          StatusAnswer(
            at: max(host.now, expiration ?? 0), hQuery: complaint.hash, proof: [], state: state)))
    }
    switch tokenTrick(complaint.claims.hINV) {
    case .silent: return lie(nil)
    case .deniesToCustomer, .elsewhere: return answer(.aborted)
    case .keepsKey: return answer(.open)
    case .spentForNothing: return answer(.spent)
    default: return nil
    }
  }

  /// A bank wants to see why it approved.
  func keepsDocuments(_ sent: Sent) -> Bool {
    guard sent.from.member.role == .bank, let query = try? Unverified<StatusQuery>(sent.body),
      let n = query.claims.n, let image = host.life?.store.image
    else { return false }
    return image.messages.contains { message in
      guard message.kind == "token", let deposit = DepositFacts(message.entry.bytes) else { return false }
      return deposit.terms.n == n && tokenTrick(deposit.invoice.hash) == .keepsDocuments
    }
  }
}

// MARK: Banks

extension LyingBank {
  /// 8, the token, or 7 where the archive is passive.
  func invoiced(_ sent: Sent) -> Lie? {
    if let approval = try? Unverified<Approval>(sent.body) {
      return credited(approval.claims.merchant, approval.claims.n, approval.hash, sent.body)
    }
    if let complaint = try? Unverified<Complaint>(sent.body) { return complained(complaint) }
    guard let sealed = try? SealedMessage(encoded: sent.body),
      let plain = try? host.member.identity?.sealing.open(sealed.box),
      let bundle = try? Bundle(encoded: plain),
      let deposit = bundle.messages.first.flatMap({ DepositFacts($0) })
    else { return nil }
    let (terms, merchant) = (deposit.terms, deposit.merchant)
    gang.keys[terms.n] = deposit.key
    func record(at time: Timestamp) -> [UInt8]? {
      sign(
        PassiveRecord(
          n: terms.n, merchant: merchant, key: deposit.key, at: time, address: deposit.invoice.address))
    }
    switch trick(merchant, terms.n) {
    case .noCredit, .locksNothing:
      post(record(at: host.now), deposit.invoice.address, terms.archive)
      return lie([])
    case .commitsLate:
      post(record(at: terms.expiration), deposit.invoice.address, terms.archive)
      return nil
    default: return credited(merchant, terms.n, deposit.hash, sent.body)
    }
  }

  private func credited(
    _ merchant: PublicKey, _ n: TransactionID, _ name: Hash, _ body: [UInt8]
  ) -> Lie? {
    switch trick(merchant, n) {
    case .noCredit: return lie([])
    case .littleCredit:
      return lie(
        sign(
          Credit(
            amount: Money(currency: "EUR", amount: 1)!, lock: name, at: host.now, account: "merchant")))
    case .refusesSpent:
      return lie(sign(Refusal(at: host.now, reason: .spent, hRequest: Hash(of: body), detail: "spent")))
    default: return nil
    }
  }

  /// Writes into the passive archive's record, as it does for deposits that it takes.
  private func post(_ bytes: [UInt8]?, _ address: Hash, _ archive: PublicKey) {
    guard let bytes, let target = world.host(archive) else { return }
    world.count(.lied)
    world.network.inject(
      Sent(from: host, to: target, method: "POST", path: "/v1/registry/\(address)", body: bytes))
  }

  private func complained(_ complaint: Unverified<Complaint>) -> Lie? {
    guard let invoice = complaint.claims.evidence.lazy.compactMap({ InvoiceFacts($0) }).first else {
      return nil
    }
    func answer(_ state: TransactionState) -> Lie {
      lie(
        sign(
          StatusAnswer(
            at: max(host.now, invoice.terms.expiration), hQuery: complaint.hash, proof: [], state: state)))
    }
    switch trick(invoice.merchant, invoice.terms.n) {
    case .abortsCommitted: return answer(.aborted)
    case .ignoresAbort: return answer(.committed)
    case .saysAvailable: return answer(.open)
    default: return nil
    }
  }

  /// What a Credit of an invoice is about.
  func invoice(of credit: Credit) -> (PublicKey, TransactionID)? {
    world.referee.dossier.credited(credit.lock)
  }
}

// MARK: Merchants

extension LyingMerchant {
  /// An invoice of its own making.
  struct OwnInvoice {
    let bytes: [UInt8]
    let n: TransactionID
    let key: [UInt8]
    let mode: Mode
  }

  /// INV that is not what was asked for.
  func forge(_ invoice: Invoice) -> [UInt8]? {
    var (terms, address) = (invoice.terms, invoice.address)
    guard let key = saleKey(terms.n), let mode = saleMode(terms.n) else { return nil }
    var (sealed, submits): ([UInt8]?, Bool) = (nil, false)
    switch trick(terms.n) {
    case .higherPrice: terms.price = Money(currency: "EUR", amount: terms.price.amount * 5)!
    case .otherPseudonym: terms.archive = world.hosts.first { $0.member.name == "archive2" }!.member.key
    case .otherMerchandise: address = Hash(dice.bytes(32))!
    default:
      guard let bent = bend(&terms, mode, key: key) else { return nil }
      (sealed, submits) = bent
    }
    world.count(.lied)
    let signed = sign(Invoice(terms: terms, address: address))
    keep(invoice.terms.n, key: key, sealed: sealed, submits: false)
    if submits, let signed {
      invoices[Hash(of: signed)] = OwnInvoice(bytes: signed, n: terms.n, key: key, mode: mode)
    }
    return signed
  }

  /// 6: the token. For an invoice of its own making, its machine knows nothing of it.
  func paid(_ sealed: SealedMessage) -> Lie? {
    guard let plain = try? host.member.identity?.sealing.open(sealed.box),
      let payment = try? Payment(encoded: plain), let token = payment.tokens.first,
      let word = (try? Unverified<Endorsement>(payment.endorsement))?.claims
    else { return nil }
    if let own = invoices[word.hINV] {
      deposit(own.bytes, token, payment, key: own.key, own.mode)
      return lie([])
    }
    guard let invoice = ownInvoice(word.hINV), let key = saleKey(invoice.terms.n),
      let mode = saleMode(invoice.terms.n)
    else { return nil }
    switch trick(invoice.terms.n) {
    case .wrongKey: deposit(invoice.bytes, token, payment, key: dice.bytes(32), mode)
    case .cancelsAndSubmits:
      // The token once more: at another archive, and at the bank by itself.
      deposit(invoice.bytes, token, payment, key: key, mode, to: "archive2")
      bring(payment, to: invoice.terms.bank)
    case .otherLock:
      // Another customer's token for this invoice.
      if let other = payments.last {
        deposit(invoice.bytes, other.tokens[0], other, key: key, mode)
        deposit(
          invoice.bytes, token, Payment(tokens: [token], endorsement: other.endorsement), key: key, mode)
      }
    case .otherContract: deposit(invoice.bytes, token, payment, key: key, .invoicePassive, to: "bank")
    default: break
    }
    payments.append(payment)
    return nil
  }

  private func deposit(
    _ invoice: [UInt8], _ token: Token, _ payment: Payment, key: [UInt8], _ mode: Mode, to name: String? = nil
  ) {
    guard let terms = InvoiceFacts(invoice)?.terms else { return }
    let decider = mode == .invoicePassive ? terms.bank : terms.archive
    let target = name.flatMap { name in world.hosts.first { $0.member.name == name } }?.member.key ?? decider
    let message = Deposit(key: key, token: token, invoice: invoice, endorsement: payment.endorsement)
    if mode == .invoicePassive, let facts = InvoiceFacts(invoice), let archive = world.host(terms.archive) {
      world.network.inject(
        Sent(
          from: host, to: archive, method: "POST", path: "/v1/registry/\(facts.address)",
          body: payment.endorsement))
    }
    tell(target, sign(message).flatMap { seal(bundle: [$0], to: target) })
    if mode == .invoiceDirect { bring(payment, to: terms.bank) }
  }

  private func bring(_ payment: Payment, to bank: PublicKey) {
    guard let recipient = Cast.shared.trust.list.entries.first(where: { $0.key == bank })?.sealingKey,
      let plain = try? payment.encoded()
    else { return }
    tell(bank, try? SealedMessage(plain, to: recipient, ephemeralSeed: dice.bytes(32)).encoded())
  }

  private func ownInvoice(_ hash: Hash) -> (bytes: [UInt8], terms: InvoiceTerms)? {
    let kept = host.life?.store.image.messages.last {
      $0.entry.label == MessageType.invoice.label && Hash(of: $0.entry.bytes) == hash
    }?.entry.bytes
    guard let kept, let facts = InvoiceFacts(kept) else { return nil }
    return (kept, facts.terms)
  }

  /// k is not given to the customer: only the archive has it.
  func keepsKey(_ answer: StatusAnswer) -> [UInt8]? {
    guard let deposit = answer.proof.lazy.compactMap({ DepositFacts($0) }).first,
      [.forcesNothing, .withholds].contains(trick(deposit.terms.n))
    else { return nil }
    var changed = answer
    (changed.state, changed.proof) = (.submitted, [])
    world.count(.lied)
    return sign(changed)
  }
}

// MARK: Customers

extension LyingCustomer {
  /// 6, with another token, for another invoice, or not at all.
  func bent(payment body: [UInt8], to merchant: PublicKey) -> [UInt8]? {
    guard let image = host.life?.store.image,
      let row = image.machines("purchase").last(where: { row in
        image.log("purchase", row.key).contains { $0.label == "Payment sealed" && $0.bytes == body }
      }), let invoice = InvoiceFacts(in: image.log("purchase", row.key)),
      let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false)),
      let coin = coins.first(where: { $0.address == invoice.address }), var token = coin.token
    else { return body }
    var said = Endorsement(hINV: invoice.hash, address: invoice.address)
    var index = coin.keyIndex
    let trick = Trick(rawValue: trick(invoice.hash.bytes, of: Trick.allCases.count))!
    defer { endorsed.append(coin) }
    switch trick {
    case .vanishes, .otherPseudonym: return lied(nil)
    case .spendsTwice:
      guard let old = endorsed.last(where: { $0.id != coin.id }), let other = old.token,
        let address = other.address
      else { return body }
      (token, index, said.address) = (other, old.keyIndex, address)
    case .otherMerchant:
      // Another token, by its own key's word for this one's address.
      guard let old = endorsed.last(where: { $0.id != coin.id }), let other = old.token else { return body }
      (token, index) = (other, old.keyIndex)
    case .signsAgain: token.signature[token.signature.count - 1] ^= 1
    case .otherContract: said.hINV = Hash(dice.bytes(32))!
    case .stealsToken: token.serial = Hash(dice.bytes(32))!
    case .otherArchive: token.archive = world.hosts.first { $0.member.name == "archive2" }!.member.key
    case .sameTokenTwice:
      // Once more, to whoever else sells.
      guard let box = payment(token, said, index, merchant) else { return body }
      for other in world.hosts where other.member.role == .merchant && other.member.key != merchant {
        tell(other.member.key, box)
      }
      return body
    default: return body
    }
    return lied(payment(token, said, index, merchant) ?? body)
  }

  private func payment(_ token: Token, _ said: Endorsement, _ index: UInt64, _ merchant: PublicKey)
    -> [UInt8]?
  {
    let keys = Wallet.keys(entropy: host.member.entropy)
    guard let word = try? Verified(signing: said, with: keys.token(index)).bytes,
      let recipient = Cast.shared.trust.list.entries.first(where: { $0.key == merchant })?.sealingKey,
      let plain = try? Payment(tokens: [token], endorsement: word).encoded()
    else { return nil }
    return try? SealedMessage(plain, to: recipient, ephemeralSeed: dice.bytes(32)).encoded()
  }

  /// Complains of what is in order, endorses the same token elsewhere, and fills others' addresses with junk.
  func meddleWithInvoices() {
    guard let image = host.life?.store.image,
      let row = image.machines("purchase").last(where: { image.log("purchase", $0.key).isOfInvoice }),
      let invoice = InvoiceFacts(in: image.log("purchase", row.key)),
      let coins = try? Wallet.coins(in: SimulatedTransaction(image, writable: false)),
      let coin = coins.first(where: { $0.address == invoice.address })
    else { return }
    let log = image.log("purchase", row.key)
    let keys = Wallet.keys(entropy: host.member.entropy)
    guard let word = log.last(.endorsement), let bytes = log.last(.invoice) else { return }
    switch dice.below(4) {
    case 0:
      let kind = dice.pick(ComplaintKind.allCases)
      let evidence = [bytes, word] + [log.last(.deposit)].compactMap { $0 }
      let complaint = Complaint(
        evidence: evidence, kind: kind, address: invoice.address, hINV: invoice.hash)
      let signed = try? Verified(signing: complaint, with: keys.token(coin.keyIndex)).bytes
      tell(invoice.terms.bank, signed)
      tell(invoice.terms.archive, signed)
      if kind == .invalidGoods, let signed { showJunk(Hash(of: signed), invoice) }
    case 1:
      // An older invoice, with this token.
      let older = image.messages.last {
        $0.entry.label == MessageType.invoice.label && $0.entry.bytes != bytes
      }?.entry.bytes
      guard let other = older.flatMap({ InvoiceFacts($0) }), let token = coin.token else { return }
      let said = Endorsement(hINV: other.hash, address: invoice.address)
      if let box = payment(token, said, coin.keyIndex, other.merchant) { tell(other.merchant, box) }
    case 2: squat(word)
    default: break
    }
  }

  /// Goods that are none, for a complaint.
  private func showJunk(_ complaint: Hash, _ invoice: InvoiceFacts) {
    guard let bank = world.host(invoice.terms.bank) else { return }
    world.network.inject(
      Sent(
        from: host, to: bank, method: "POST", path: "/v1/complaints/\(complaint)?offset=0",
        body: dice.bytes(Int(min(invoice.terms.length, 4_000)))))
  }

  /// Registrations and words of its own at everybody's addresses (attack 12).
  private func squat(_ word: [UInt8]) {
    guard let record = world.hosts.first(where: { $0.member.isPassiveArchive }),
      let shown = record.life?.store.image.messages.last(where: { $0.kind == "registry" })
    else { return }
    let keys = Wallet.keys(entropy: host.member.entropy)
    let registration = Registration(
      archive: record.member.key, tokenKey: keys.token(0).publicKey, inner: Hash(dice.bytes(32))!)
    guard let address = Hash(shown.entry.key),
      let signed = try? Verified(signing: registration, with: keys.token(0)).bytes
    else { return }
    world.count(.lied)
    for bytes in [signed, word] {
      world.network.inject(
        Sent(from: host, to: record, method: "POST", path: "/v1/registry/\(address)", body: bytes))
    }
  }
}
