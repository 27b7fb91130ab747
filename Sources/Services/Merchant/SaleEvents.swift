// What can happen to a sale, as values: the row says of which mode the sale is, and the event is then given
// to that mode's machine.

import Messages
import Parties

/// Something that happens to a sale of any mode.
protocol SaleEvent: Sendable {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect]
  /// The same to a compact sale, which is a machine of its own.
  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
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
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [.refuse(.otherMode(.compact))] }

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

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    let unverified = try Unverified<Acknowledgement>(message)
    let note = try Verified(unverified, by: .key(unverified.claimedSigners[0]))
    return try sale.acknowledged(note, policy: policy, at: now, key: key)
  }
}

/// R7, of a series.
struct ItemAcknowledged: SaleEvent {
  let message: [UInt8]

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    let unverified = try Unverified<R7>(message)
    let r7 = try Verified(unverified, by: .key(unverified.claimedSigners[0]))
    return try sale.itemAcknowledged(r7, policy: policy, at: now, key: key)
  }
}

/// R5, of a series, with its goods sealed.
struct ItemOffered: SaleEvent {
  let request: Verified<R5>
  let draft: ItemDraft

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    try sale.itemOffered(request, draft, policy: policy, at: now, key: key)
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

/// The witnesses' abort, of whichever mode the sale is.
struct Witnessed: SaleEvent {
  let abort: [UInt8]

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.decided(try Outcome<M>(abort, trust: policy.trust), policy: policy) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] {
    sale.decided(try Outcome<AnnouncedMode>(abort, trust: policy.trust), policy: policy)
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
  ) throws -> [MerchantEffect] { sale.credited(credit, home: policy.trust.home(of: sale.p1.signer)) }

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.credited(credit, home: policy.trust.home(of: sale.p1.signer)) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.credited(credit, home: policy.trust.home(of: sale.order.signer)) }

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
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.complained(nak) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.complained(nak, key: key) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.complained(nak) }
}

/// The archive has all of the ciphertext: what a forced commit waits for.
struct ArchiveHolds: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.archiveHolds(policy: policy, at: now, key: key) }
}

struct Due: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.due(at: now, key: key) }

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.due(at: now) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.due(at: now, key: key) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.due(at: now) }
}

/// The operator ends a series.
struct Closed: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.closed() }
}

struct GivenUp: SaleEvent {
  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { try sale.givenUp(key: key) }

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.givenUp() }

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
