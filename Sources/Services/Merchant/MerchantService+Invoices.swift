// Invoice sales at the merchant (FIG. 2): the invoice, the customer's token, and what goes to archive and
// bank.

import Foundation
import Messages
import Parties
import Storage

extension MerchantService {
  /// [N1, Registration]: the customer wants an invoice for the token that it registered.
  func invoiceRequested(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "request bundle") }
    let n1 = try Verified<N1>(
      bundle.messages[0], by: BankService.claimed(Unverified<N1>(bundle.messages[0])))
    let registration = try Verified<Registration>(
      bundle.messages[1], by: .key(Unverified<Registration>(bundle.messages[1]).claims.tokenKey))
    guard Mode.invoices.contains(n1.payload.mode) else {
      throw MessageError(.malformed, "field-range", "N1.mode")
    }
    return try await offer(n1, registration)
  }

  /// Whether invoices are settled in this way at the archive that the token is bound to.
  func settles(_ way: Mode, _ registration: Verified<Registration>?) -> Bool {
    guard Mode.invoices.contains(way), let archive = registration?.payload.archive else { return false }
    let trust = node.trust.list
    return way == .invoicePassive ? trust.isPassiveArchive(archive) : trust.isActiveArchive(archive)
  }

  /// Signs INV and keeps the sale.
  func invoice(
    _ n1: Verified<N1>, _ registration: Verified<Registration>, _ offer: Offer, _ goods: FreshGoods
  ) async throws -> [UInt8] {
    let archive = registration.payload.archive
    guard let terms = try terms(n1, offer, goods, archive: archive) else {
      return try node.refuse(Denial(.unsupported, "the merchant knows no bank now"), request: n1.bytes)
    }
    let machine = try InvoiceSale(
      offering: terms, to: n1, registration, k: goods.key, key: node.identity.signing)
    return try await keep(
      [(Label(.invoice), machine.invoice.bytes), (Label(.registration), registration.bytes)],
      ModeRow(n1.payload.mode, goods.key), n1, goods.n, at: goods.date,
      mark: Self.invoiceMark(machine.invoice.hash))
  }

  /// P_m(token, h(t)), S_c{INV}: the payment of an invoice, sealed to this merchant.
  func paid(_ sealed: SealedMessage) async throws -> [UInt8]? {
    let payment = try Payment(encoded: node.identity.sealing.open(sealed.box))
    guard payment.tokens.count == 1, let token = payment.tokens.first else {
      throw MessageError(.malformed, "field-range", "Payment: one token")
    }
    let endorsement = try Verified<Endorsement>(payment.endorsement, by: .key(token.key))
    let request = try sealed.encoded()
    let mark = Self.invoiceMark(endorsement.payload.hINV)
    guard let n = try await node.store.read({ try $0.meta(mark) }).flatMap({ TransactionID($0) }) else {
      return try node.refuse(Denial(.unknownTransaction, "no such invoice"), request: request)
    }
    return try await step(n, request, InvoicePaid(token: token, endorsement: endorsement))
  }

  /// Where the sale of an invoice is found again.
  static func invoiceMark(_ invoice: Hash) -> String { "invoice/\(invoice)" }

  /// 8, from the archive.
  func approved(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let message = try Unverified<Approval>(bytes)
    let approval = try Verified(
      message, by: .trusted(node.trust.list, as: .archive, at: message.claims.at))
    return try await step(approval.payload.n, bytes, InvoiceApproved(approval: approval))
  }

  /// The token and S_c{INV} go sealed to the bank.
  func bring(
    _ tx: any StoreTransaction, _ payment: Payment, _ bank: PublicKey, at now: Timestamp
  ) throws {
    guard let recipient = node.trust.list.entry(bank, as: .bank)?.sealingKey else {
      throw MessageError(.misuse, "missing-field", "the bank's sealing key in the trust list")
    }
    var generator = node.surroundings.randomness
    let box = try SealedMessage(
      payment.encoded(), to: recipient, ephemeralSeed: randomBytes(32, using: &generator))
    try tx.send(box.encoded(), to: bank, at: now)
  }
}
