// Invoices (FIG. 2) at archive and bank, after each durable step: a token pays once, whole, to whom its
// archive names, upon the word of its own key and in time; and what is taken back is taken from a merchant
// that has not delivered.

import BlindTokens
import Messages
import Parties
import Storage

/// What bound tokens have paid, as the referee has seen it at the bank.
struct PaidInvoices {
  struct Payment {
    let n: TransactionID
    let merchant: PublicKey
    let reference: [UInt8]
    var isReversed = false
  }

  private(set) var of: [Hash: [Payment]] = [:]
  /// References of payments that were taken back: what they used of a token is free again.
  private(set) var reversed: Set<[UInt8]> = []

  mutating func pay(_ address: Hash, _ payment: Payment) { of[address, default: []].append(payment) }

  /// False if there is no such payment to be taken back.
  mutating func reverse(_ reference: [UInt8]) -> (address: Hash, payment: Payment)? {
    for (address, payments) in of {
      guard let index = payments.firstIndex(where: { $0.reference == reference && !$0.isReversed }) else {
        continue
      }
      of[address]![index].isReversed = true
      reversed.insert(reference)
      return (address, payments[index])
    }
    return nil
  }

  /// What the token of this address pays now.
  func standing(_ address: Hash) -> Payment? { of[address]?.last { !$0.isReversed } }
}

/// Looks at a bound token at its archive.
struct ArchiveTokenWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ key: [UInt8], _ label: String, _ bytes: [UInt8]) {
    guard let address = Hash(key) else { return fail(8, "files a token under no address") }
    let log = image.log("token", key)
    if label == MessageType.registered.label { registered(log, address) }
    if label == MessageType.approval.label { approved(log, address, bytes) }
  }

  private func registered(_ log: [StoredMessage], _ address: Hash) {
    guard let bytes = log.last(.registration), let outer = try? Unverified<Registration>(bytes),
      (try? Verified(outer, by: .key(outer.claims.tokenKey))) != nil,
      outer.claims.address == address
    else { return fail(2, "registers at an address what does not belong there") }
    guard outer.claims.archive == host.member.key else { return fail(2, "registers another archive's token") }
    if log.count(.registered) > 1 { fail(4, "registers a token twice") }
  }

  private func approved(_ log: [StoredMessage], _ address: Hash, _ bytes: [UInt8]) {
    guard let approval = try? Verified<Approval>(bytes, by: .key(host.member.key)),
      let deposit = log.last(.deposit).flatMap({ DepositFacts($0) })
    else { return fail(8, "approves without a deposit") }
    let (said, terms) = (approval.payload, deposit.terms)
    let mode: Mode = said.token == nil ? .invoiceDirect : .invoice
    if let fault = deposit.fault(in: mode, referee.denominations) {
      return fail(2, "approves a deposit that is not in order: \(fault)")
    }
    guard log.count(.registration) == 1, deposit.invoice.address == address, said.address == address,
      terms.archive == host.member.key
    else { return fail(2, "approves the deposit of another token") }
    guard said.n == terms.n, said.merchant == deposit.merchant, said.value == terms.price,
      said.hEndorsement == deposit.endorsement, said.token == nil || said.token == deposit.token
    else { return fail(4, "approves something else than what was deposited") }
    guard said.at < terms.expiration else { return fail(4, "approves at or after the invoice's expiration") }
    // Each approval before this one was taken back by the bank.
    if log.count(.approval) > 1 + log.count(.status) { fail(2, "approves one token for two invoices") }
    referee.secrets[terms.n] = nil
  }
}

/// Looks at the entries that bound tokens cause in a bank's books.
struct DepositWatch: Watch {
  let referee: Referee
  let host: Host
  let image: StoreImage

  func see(_ entries: [LedgerEntry], _ uses: [TokenUse], _ mutations: [Mutation]) {
    for entry in entries {
      let reference = Array(entry.reference.suffix(Hash.size))
      if entry.kind == "invoice" { paid(entry, reference, uses, mutations) }
      if entry.kind == "reversal" { reversed(entry, reference, mutations) }
    }
    for case .machine(let row) in mutations where row.kind == "deposit" {
      guard row.phase == BankDepositPhase.credited.rawValue, let address = Hash(row.key) else { continue }
      if referee.paid.standing(address) == nil { fail(1, "an invoice is settled and nobody is credited") }
    }
  }

  private func token(at address: [UInt8]) -> Token? {
    image.log("deposit", address).last { $0.label == "token" }.flatMap { try? Token(encoded: $0.bytes) }
  }

  // MARK: Paying

  private func paid(
    _ entry: LedgerEntry, _ reference: [UInt8], _ uses: [TokenUse], _ mutations: [Mutation]
  ) {
    let ground = image.messages.last { $0.kind == "deposit" && Hash(of: $0.entry.bytes).bytes == reference }
    guard let ground, let address = Hash(ground.entry.key), let token = token(at: address.bytes) else {
      return fail(2, "a credit for no deposit")
    }
    let log = image.log("deposit", address.bytes)
    let payment: PaidInvoices.Payment?
    if let approval = try? Unverified<Approval>(ground.entry.bytes) {
      payment = byApproval(approval.hash, ground.entry.bytes, token, log)
    } else {
      payment = byRecord(ground.entry.bytes, token, log, mutations)
    }
    guard let payment else { return }
    guard token.address == address, token.bank == host.member.key, token.issuer == host.member.key,
      referee.denominations[token.keyID]?.isValid(signature: token.signature, for: token.id.bytes) ?? false
    else { return fail(1, "a forged or foreign token pays an invoice") }
    let value = Int64(DenominationKeys.value(of: token.keyID) ?? 0)
    guard let posting = entry.postings.first(where: { $0.amount > 0 }), posting.amount == value,
      posting.account == image.accountOf[payment.merchant.bytes]
    else { return fail(1, "an invoice is credited to somebody else, or with another value") }
    guard uses.contains(where: { $0.token == token.id.bytes && $0.lock == reference && $0.amount == value })
    else { return fail(1, "an invoice is credited without its token") }
    if referee.paid.standing(address) != nil { fail(1, "one token pays two invoices") }
    referee.paid.pay(address, payment)
  }

  /// 8, by the archive that the token is bound to; where M brought the token, with the word that A saw.
  private func byApproval(
    _ hash: Hash, _ bytes: [UInt8], _ token: Token, _ log: [StoredMessage]
  ) -> PaidInvoices.Payment? {
    guard let archive = token.archive, let approval = try? Verified<Approval>(bytes, by: .key(archive)),
      referee.world.host(archive)?.member.isActiveArchive ?? false, approval.payload.address == token.address,
      approval.payload.value.amount == DenominationKeys.value(of: token.keyID)
    else {
      fail(2, "pays without the word of the token's archive")
      return nil
    }
    let said = approval.payload
    if said.token == nil {
      let word = log.last(.endorsement)
      guard let word, Hash(of: word) == said.hEndorsement,
        (try? Verified<Endorsement>(word, by: .key(token.key))) != nil
      else {
        fail(2, "pays a token that was brought with another word than the archive saw")
        return nil
      }
    }
    return PaidInvoices.Payment(n: said.n, merchant: said.merchant, reference: hash.bytes)
  }

  /// With a passive archive: 7 in time, registration and S_c{INV} in the record, and k made public in this
  /// step.
  private func byRecord(
    _ bytes: [UInt8], _ token: Token, _ log: [StoredMessage], _ mutations: [Mutation]
  ) -> PaidInvoices.Payment? {
    guard let deposit = DepositFacts(bytes) else {
      fail(2, "pays upon what is no deposit")
      return nil
    }
    if let fault = deposit.fault(in: .invoicePassive, referee.denominations) {
      fail(2, "pays a deposit that is not in order: \(fault)")
    }
    let terms = deposit.terms
    if terms.bank != host.member.key { fail(2, "pays another bank's invoice") }
    guard let archive = referee.world.host(terms.archive), archive.member.isPassiveArchive else {
      fail(2, "pays by itself what an archive has to approve")
      return nil
    }
    let shown = archive.life?.store.image.log("registry", deposit.invoice.address.bytes)
    if let shown {
      let isRegistered = shown.contains { entry in
        guard let outer = try? Unverified<Registration>(entry.bytes) else { return false }
        return outer.claims.tokenKey == token.key
          && outer.claims.address == deposit.invoice.address
      }
      if !isRegistered { fail(2, "pays a token that is not registered") }
      if !shown.contains(where: { $0.bytes == deposit.endorsementBytes }) {
        fail(2, "pays an invoice that the record does not show as endorsed")
      }
    }
    guard let record = log.last(.passiveRecord),
      let said = (try? Verified<PassiveRecord>(record, by: .key(host.member.key)))?.payload,
      said.n == terms.n, said.merchant == deposit.merchant, said.key == deposit.key,
      said.address == deposit.invoice.address
    else {
      fail(3, "pays and does not make the key public")
      return nil
    }
    if said.at >= terms.expiration { fail(4, "pays an invoice at or after its expiration") }
    let isPosted = mutations.contains { mutation in
      if case .enqueue(_, _, let body, _) = mutation { return body == record }
      return false
    }
    if !isPosted { fail(3, "pays and does not make the key public") }
    referee.secrets[terms.n] = nil
    return PaidInvoices.Payment(n: terms.n, merchant: deposit.merchant, reference: deposit.hash.bytes)
  }

  // MARK: Taking back

  private func reversed(_ entry: LedgerEntry, _ reference: [UInt8], _ mutations: [Mutation]) {
    guard let (address, payment) = referee.paid.reverse(reference) else {
      return fail(1, "takes back what was not paid")
    }
    guard let token = token(at: address.bytes),
      let debit = entry.postings.first(where: { $0.amount < 0 }),
      debit.account == image.accountOf[payment.merchant.bytes],
      debit.amount == -Int64(DenominationKeys.value(of: token.keyID) ?? 0)
    else { return fail(1, "takes back from somebody else, or another value") }
    let complaint = mutations.lazy.compactMap { mutation -> Verified<Complaint>? in
      guard case .message("deposit", address.bytes, MessageType.complaint.label, let bytes) = mutation else {
        return nil
      }
      return try? Verified<Complaint>(bytes, by: .key(token.key))
    }.first
    guard let complaint else { return fail(2, "takes a credit back without the token's word") }
    let merchant = referee.world.host(payment.merchant)
    let archive = token.archive.flatMap(referee.world.host)
    // Whom an honest archive paid upon the token's own word, for the goods that were promised, keeps it.
    if merchant?.isHonest ?? false, archive?.isHonest ?? false {
      fail(3, "takes back what an honest merchant was paid (\(complaint.payload.kind))")
    }
  }
}
