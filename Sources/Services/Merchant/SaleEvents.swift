// What can happen to a sale, as values: the row says of which mode the sale is, and the event is then given
// to that mode's machine.

import Messages
import Parties

/// Something that happens to a sale of any mode.
protocol SaleEvent: Sendable {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect]
  /// To an announced sale.
  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect]
  /// To an invoice sale.
  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect]
}

extension SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [.refuse(.otherMode(M.mode))] }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [.refuse(.otherMode(.announced))] }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [.refuse(.otherMode(sale.way))] }
}

/// P3 or its kin of mode `L`.
struct Authorised<L: ContractMode>: SaleEvent {
  let lock: Verified<L.LockMessage>

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    guard let lock = lock as? Verified<M.LockMessage> else { return [.refuse(.otherMode(M.mode))] }
    return try sale.authorised(lock, policy: policy, at: now, key: key)
  }
}

/// The customer's acknowledgement: S_p(P1) or its kin, whichever the sale's mode takes.
struct Acknowledged: SaleEvent {
  let message: [UInt8]

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    let unverified = try Unverified<M.Note>(message)
    let note = try Verified(unverified, by: .key(unverified.claimedSigners[0]))
    return try sale.acknowledged(note, policy: policy, at: now, key: key)
  }
}

/// The record of mode `L`.
struct Decided<L: ContractMode>: SaleEvent {
  let outcome: Outcome<L>

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    guard let outcome = outcome as? Outcome<M> else { return [.refuse(.otherMode(M.mode))] }
    return sale.decided(outcome, policy: policy)
  }
}

// MARK: Announced sales

/// Messages 4 and 3, from the customer.
struct Consented: SaleEvent {
  let consent: Verified<Consent>
  let published: Verified<Announced>
  let announcement: Verified<Announcement>

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    try sale.consented(consent, published, announcement, policy: policy, at: now, key: key)
  }
}

/// Message 7.
struct AnnouncedLocked: SaleEvent {
  let lock: Verified<A7>

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.authorised(lock, policy: policy, at: now, key: key) }
}

/// A refusal of what was claimed or deposited.
struct SubmissionRefused: SaleEvent {
  let refusal: Verified<Refusal>

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.refused(refusal) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.refused(refusal) }

  /// What an archive refuses is settled by its record.
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [] }
}

/// 9a or 9b.
struct AnnouncedDecided: SaleEvent {
  let outcome: Outcome<AnnouncedMode>

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.decided(outcome, policy: policy) }
}

struct Credited: SaleEvent {
  let credit: Verified<Credit>

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.credited(credit) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.credited(credit) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.credited(credit) }
}

struct Complained: SaleEvent {
  let nak: Verified<NAK>

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.complained(nak, key: key) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.complained(nak, key: key) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.complained(nak) }
}

struct Due: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.due(at: now, key: key) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.due(at: now, key: key) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.due(at: now) }
}

struct GivenUp: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.givenUp(key: key) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.givenUp(key: key) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.givenUp() }
}

extension Denial {
  /// A message of one mode for a transaction of another (attack 6).
  static func otherMode(_ mode: Mode) -> Denial {
    Denial(.mismatch, "this transaction runs by the \(mode.name) protocol")
  }
}

// MARK: Invoice sales

/// The token and S_c{INV}, from the customer.
struct InvoicePaid: SaleEvent {
  let token: Token
  let endorsement: Verified<Endorsement>

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.paid(token, endorsement, policy: policy, at: now, key: key) }
}

/// 8.
struct InvoiceApproved: SaleEvent {
  let approval: Verified<Approval>

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.approved(approval) }
}
