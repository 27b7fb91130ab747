// Compact sales at the merchant (FIG. 7): begun with the offer, and taken up again like all others.

import Messages
import Parties
import Storage

extension MerchantService {
  /// Signs the offer and keeps the sale; one-sided, JB3 goes to the bank in the same durable step.
  func beginCompact(
    _ n1: Verified<N1>, _ draft: OfferDraft, at now: Timestamp
  ) async throws -> [UInt8] {
    let (n, k) = (draft.n, draft.k)
    let hx = Hash.keyCommitment(.compact, merchant: draft.merchant, n: n, key: k)
    let offer = P1(
      n: n, hx: hx, root: draft.goods.root, length: draft.goods.length, salt: draft.salt,
      contract: draft.contract)
    let bytes = try await node.store.write { [self] tx in
      if let known = try tx.reply(n1.hash.bytes) { return known }
      var machine = try CompactSale(offering: offer, k: k, key: node.identity.signing)
      try tx.keep(.n1, n1.bytes, kind: Self.kind, key: n.bytes)
      let effects = try machine.begun(key: node.identity.signing)
      _ = try apply(tx, effects, n, ModeRow(.compact, k), request: n1.bytes, at: now)
      try tx.setReply(n1.hash.bytes, machine.p1.bytes, at: Int64(now))
      return machine.p1.bytes
    }
    kick()
    return bytes
  }

  /// The commit with its receipt: the Credit names L alone, which M knows by JB4a and nothing else.
  func receipt(_ bundle: Messages.Bundle) async throws -> [UInt8]? {
    guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "receipt bundle") }
    let credit = try Verified<Credit>(
      bundle.messages[1], by: .trusted(node.trust.list, as: .bank, at: node.clock()))
    _ = try await decidedCompact(bundle.messages[0])
    guard let n = try await sale(lock: credit.payload.lock) else {
      return try node.refuse(Denial(.unknownTransaction, "no such sale"), request: bundle.messages[1])
    }
    return try await step(n, credit.bytes, Credited(credit: credit))
  }

  func decidedCompact(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let outcome = try CompactOutcome(bytes, trust: node.trust.list)
    return try await step(outcome.transaction().n, bytes, CompactDecided(outcome: outcome))
  }

  /// A refusal that answers a JB3, a claim or a deposit ends its sale. Other refusals change nothing: there
  /// the archive's record decides.
  func refused(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let message = try Unverified<Refusal>(bytes)
    guard let n = try await sale(lock: message.claims.hRequest) else { return nil }
    // Whose refusal counts, the sale knows.
    let refusal = try Verified(message, by: .key(message.claimedSigners[0]))
    _ = try await step(n, bytes, RefusedByBank(refusal: refusal))
    return nil
  }
}

/// JB4a or JB4b.
struct CompactDecided: SaleEvent {
  let outcome: CompactOutcome

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [.refuse(.otherMode(M.mode))] }

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.decided(outcome) }
}

/// The bank refuses what was submitted.
struct RefusedByBank: SaleEvent {
  let refusal: Verified<Refusal>

  func happen<M: ContractMode>(
    to sale: inout MerchantSale<M>, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { [] }

  func happen(
    to sale: inout CompactSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.refusedByBank(refusal) }

  func happen(
    to sale: inout AnnouncedSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.refused(refusal) }

  func happen(
    to sale: inout InvoiceSale, policy: MerchantPolicy, at now: Timestamp, key: borrowing SigningKey
  ) throws -> [MerchantEffect] { sale.refused(refusal) }
}
