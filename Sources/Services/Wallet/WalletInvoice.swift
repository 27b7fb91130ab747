// What the wallet does in each phase of an invoice purchase (FIG. 2), with an active archive or a passive
// one. The token that pays is chosen first: the archive knows it before there is an invoice.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// Begins an invoice purchase: chooses the token and registers it at its archive.
  func beginInvoice(_ info: PurchaseInfo, _ n1: Verified<N1>, _ price: Money) async throws {
    let passive = info.mode == .invoicePassive
    let archive = try info.chosen.archive.map { named in
      try party(.archive, named: named, passive: passive).key
    }
    let coin = try await boundCoin(worth: price, at: archive, passive: passive)
    let token = try coin.decoded()
    guard let bound = token.archive, let inner = token.inner else {
      throw ServiceError.protocolViolation("the token is bound to no archive")
    }
    let registration = try Verified(
      signing: Registration(archive: bound, tokenKey: token.key, inner: inner),
      with: seed.tokenKey(coin.keyIndex))
    var info = info
    info.token = token.id.description
    let begun = info
    try await store.write { tx in
      try tx.keep(.n1, n1.bytes, kind: PurchaseInfo.kind, key: RowKey.number(begun.number))
      try tx.keep(
        Label(.registration), registration.bytes, kind: PurchaseInfo.kind, key: RowKey.number(begun.number))
      try tx.putPurchase(begun, phase: .registering, due: nil)
    }
  }

  /// A whole token of just this value, bound to an archive that settles so.
  private func boundCoin(worth price: Money, at archive: PublicKey?, passive: Bool) async throws -> Coin {
    let now = clock()
    let coins = try await store.read { try $0.coins() }.filter { coin in
      guard let bound = coin.archive.flatMap(PublicKey.init(hex:)), archive.map({ $0 == bound }) ?? true
      else {
        return false
      }
      let fits = passive ? trust.list.isPassiveArchive(bound) : trust.list.isActiveArchive(bound)
      return fits && coin.currency == price.currency && coin.value == price.amount
        && coin.available == coin.value && coin.spendUntil > now + trust.list.lifetimeSeconds
    }
    // The one that ends first.
    guard let coin = coins.min(by: { ($0.spendUntil, $0.keyIndex) < ($1.spendUntil, $1.keyIndex) }) else {
      throw ServiceError.insufficientFunds(
        "an invoice is paid with one whole token that is bound to an archive, and none here is worth"
          + " \(price): try `acd wallet withdraw \(price) --archive NAME`; nothing was paid")
    }
    return coin
  }

  func advanceInvoice(_ number: UInt64) async throws {
    while true {
      let (info, machine) = try await look(InvoicePurchase.self, number)
      switch machine.phase {
      case .registering: try await register(number, machine)
      case .requested: try await requestInvoice(number, info, machine)
      case .offered: try await fetchOffered(InvoicePurchase.self, info, machine)
      case .checked: try await endorse(number, info, machine)
      case .authorised: try await settle(info, machine)
      case .paid: try await deliver(InvoicePurchase.self, info, machine, machine.goods!)
      default: return
      }
    }
  }

  func paying(_ info: PurchaseInfo) async throws -> Coin {
    guard let id = info.token.flatMap(Hash.init(hex:)), let coin = try await store.read({ try $0.coin(id) })
    else { throw ServiceError.protocolViolation("the wallet has lost the token of purchase \(info.number)") }
    return coin
  }

  private func inputs(_ coin: Coin) throws -> [TokenInput] {
    [TokenInput(token: try coin.decoded(), amount: coin.value)]
  }

  // MARK: Steps

  /// 2 and 3. With a passive archive the wallet posts the registration and reads it back.
  private func register(_ number: UInt64, _ machine: InvoicePurchase) async throws {
    let registration = machine.registration
    let archive = registration.payload.archive
    guard machine.way == .invoicePassive else {
      let registered: Verified<Registered>
      do {
        registered = try expect(
          try await exchange(registration.bytes, with: archive), from: archive, for: registration.bytes)
      } catch let refused as RefusedByPeer {
        try await apply(InvoicePurchase.self, number) { machine in machine.abandoned() }
        throw refused
      }
      return try await apply(InvoicePurchase.self, number) { machine in machine.registered(registered) }
    }
    let url = try entry(archive).url!
    let reply = try await transport.send(
      "POST", url: url + Registry.path(machine.address), body: registration.bytes,
      contentType: coseMediaType)
    guard (200..<300).contains(reply.status) else {
      throw ServiceError.unreachable("the archive's record took no registration (HTTP \(reply.status))")
    }
    let entries = try await Registry.entries(machine.address, at: url, transport)
    try await apply(InvoicePurchase.self, number) { machine in machine.recordRead(entries) }
  }

  private func requestInvoice(_ number: UInt64, _ info: PurchaseInfo, _ machine: InvoicePurchase) async throws
  {
    let merchant = PublicKey(hex: info.merchant)!
    let request = try Messages.Bundle([machine.n1.bytes, machine.registration.bytes]).encoded()
    let invoice: Verified<Invoice>
    do {
      invoice = try expect(try await exchange(request, with: merchant), from: merchant, for: request)
    } catch let refused as RefusedByPeer {
      try await apply(InvoicePurchase.self, number) { machine in machine.abandoned() }
      throw refused
    }
    let token = try await paying(info).decoded()
    let policy = CustomerPolicy(trust: trust.list)
    let now = clock()
    try await apply(InvoicePurchase.self, number) { machine in
      machine.offered(invoice, token: token, description: info.description, policy: policy, at: now)
    }
  }

  /// Signs S_c{INV} and seals the payment; both are kept and then sent.
  private func endorse(_ number: UInt64, _ info: PurchaseInfo, _ machine: InvoicePurchase) async throws {
    let coin = try await paying(info)
    guard coin.available == coin.value, let word = machine.word,
      let recipient = try entry(machine.p1!.signer).sealingKey
    else {
      try await apply(InvoicePurchase.self, number) { machine in machine.abandoned() }
      throw ServiceError.configuration(
        "the token is in use by another purchase, or the merchant takes nothing sealed; nothing was paid")
    }
    let endorsement = try Verified(signing: word, with: seed.tokenKey(coin.keyIndex))
    var generator = surroundings.randomness
    let payment = Payment(tokens: [try coin.decoded()], endorsement: endorsement.bytes)
    let box = try SealedMessage(
      payment.encoded(), to: recipient, ephemeralSeed: randomBytes(32, using: &generator)
    ).encoded()
    try await store.write { tx in
      try tx.keep(
        Label(rawValue: Self.paymentLabel), box, kind: PurchaseInfo.kind, key: RowKey.number(number))
    }
    try await apply(InvoicePurchase.self, number, holding: inputs(coin)) { machine in
      machine.endorsed(endorsement)
    }
  }

  private static let paymentLabel = "Payment sealed"

  // MARK: Waiting for k

  /// Hands the token in, and waits for k: from M; from the archive, or its record, if M does not answer.
  private func settle(_ info: PurchaseInfo, _ machine: InvoicePurchase) async throws {
    let number = info.number
    let invoice = machine.p1!
    let terms = invoice.payload.terms
    let coin = try await paying(info)
    let box = try await message(number, Label(rawValue: Self.paymentLabel))
    var payment = Handover(
      box, to: invoice.signer, ifRefused: "the archive knows how the token stands",
      ifAway: "the archive is asked until the invoice expires")
    var rounds = Rounds(until: terms.expiration, silence: "neither merchant nor archive has answered")
    var round = 0
    while true {
      await hand(&payment)
      try await rounds.next(surroundings)
      round += 1
      if try await tookKeyOfMerchant(number, info, invoice, inputs(coin)) { return }
      // M has a moment before the archive is bothered.
      if round > 6 || clock() >= terms.expiration || info.chosen.completion == .archive,
        try await tookWordOfDecider(number, machine, coin)
      {
        return
      }
      try rounds.check(at: clock())
    }
  }

  private func tookKeyOfMerchant(
    _ number: UInt64, _ info: PurchaseInfo, _ invoice: Verified<Invoice>, _ inputs: [TokenInput]
  ) async throws -> Bool {
    let n = invoice.payload.terms.n
    guard
      let answer = try? await status(
        of: n, invoice.signer, at: invoice.signer, pseudonym: info.pseudonymIndex)
    else { return false }
    return try await tookKey(number, answer.payload.proof, inputs)
  }

  private func tookKey(_ number: UInt64, _ shown: [[UInt8]], _ inputs: [TokenInput]) async throws -> Bool {
    let machine = try await look(InvoicePurchase.self, number).machine
    guard let invoice = machine.p1 else { return false }
    for bytes in shown {
      if let deposit = try? Verified<Deposit>(bytes, by: .key(invoice.signer)) {
        try await apply(InvoicePurchase.self, number) { machine in
          machine.keyShown(deposit, inputs: inputs)
        }
        return true
      }
      if let record = try? Verified<PassiveRecord>(bytes, by: .key(invoice.payload.terms.bank)),
        record.payload.n == invoice.payload.terms.n
      {
        try await apply(InvoicePurchase.self, number) { machine in
          machine.keyRecorded(record, inputs: inputs)
        }
        return true
      }
    }
    return false
  }

  /// The archive, or the bank where the archive is passive, says how the token stands; the record is read
  /// too.
  private func tookWordOfDecider(
    _ number: UInt64, _ machine: InvoicePurchase, _ coin: Coin
  ) async throws -> Bool {
    let inputs = try inputs(coin)
    if machine.way == .invoicePassive, let url = try entry(machine.registration.payload.archive).url,
      let entries = try? await Registry.entries(machine.address, at: url, transport),
      try await tookKey(number, entries, inputs)
    {
      return true
    }
    guard let complaint = machine.complaint(.withheld) else { return false }
    let signed = try Verified(signing: complaint, with: seed.tokenKey(coin.keyIndex))
    guard let answer = try? await complain(signed, to: machine.decider) else { return false }
    if try await tookKey(number, answer.payload.proof, inputs) { return true }
    let before = machine.phase
    let decider = machine.decider
    try await apply(InvoicePurchase.self, number) { machine in
      machine.answered(answer, to: signed, by: decider, inputs: inputs)
    }
    return try await look(InvoicePurchase.self, number).machine.phase != before
  }

  /// Sends a complaint, and returns the signed answer.
  func complain(
    _ complaint: Verified<Complaint>, to party: PublicKey
  ) async throws -> Verified<StatusAnswer> {
    let answer: Verified<StatusAnswer> = try expect(
      try await exchange(complaint.bytes, with: party), from: party, for: complaint.bytes)
    guard answer.payload.hQuery == complaint.hash else {
      throw ServiceError.protocolViolation("\(try entry(party).name) answered another complaint")
    }
    return answer
  }
}
