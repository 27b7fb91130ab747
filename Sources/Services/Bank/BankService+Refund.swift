// Refunds (attack 17): the merchant is debited and the customer's fresh tokens are signed in one durable
// step, whoever brings RF2, and the same RF2 gets the same answer. A lock that another bank made, and paid
// for by BT1, comes beside RF2: it names the P whose refund it is.

import Messages
import Parties
import Storage

extension BankService {
  /// RF2, by the merchant or by the customer to whom it was given.
  func refund(_ bytes: [UInt8]) async throws -> [UInt8] {
    let trust = node.trust.list
    // A key that has ended must not keep the customer's money: agreeing can only cost the merchant.
    let rf2 = try Verified<RF2>(bytes, by: .known(trust, as: .merchant))
    let rf1 = try Verified<RF1>(rf2.payload.rf1, by: Self.claimed(Unverified<RF1>(rf2.payload.rf1)))
    // Without the lock beside it, it may only have lost its way.
    let isElsewhere = try await node.store.read { [self] tx in
      try transferred(tx, rf1.payload.lock) != nil && refunded(tx, rf1) == nil
    }
    guard !isElsewhere else {
      let denial = Denial(.unknownTransaction, "another bank made this lock: it has to come beside RF2")
      return try node.refuse(denial, request: rf2.bytes)
    }
    return try await once(rf2.hash) { try await refund(rf2, rf1, nil) }
  }

  /// [RF2, P3 or its kin]: the lock was made by another bank, which has paid for it.
  func refund(_ bundle: Messages.Bundle) async throws -> [UInt8] {
    guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "RF2 bundle") }
    let trust = node.trust.list
    let rf2 = try Verified<RF2>(bundle.messages[0], by: .known(trust, as: .merchant))
    let rf1 = try Verified<RF1>(rf2.payload.rf1, by: Self.claimed(Unverified<RF1>(rf2.payload.rf1)))
    let lock = try WitnessedLock(bundle.messages[1], trust: trust)
    // The other bank's transfer may be on its way: until then nothing is refused for good.
    let isHere = try await node.store.read { [self] tx in try transferred(tx, lock.name) != nil }
    guard lock.name == rf1.payload.lock else {
      return try node.refuse(Denial(.unknownTransaction, "RF1 is for another lock"), request: rf2.bytes)
    }
    // A signed refusal would end the refund at the wallet, and this RF2 could be carried out later.
    guard isHere else {
      throw Problem.busy("Not yet", "The other bank's transfer for this lock has not come yet.")
    }
    return try await once(rf2.hash) { try await refund(rf2, rf1, lock) }
  }

  /// The transfer by which a lock of another bank was credited here.
  private func transferred(_ tx: any StoreTransaction, _ lock: Hash) throws -> Verified<BT1>? {
    try tx.message(kind: Self.receivedKind, key: lock.bytes, label: "BT1").map { try Verified(stored: $0) }
  }

  private func refund(
    _ rf2: Verified<RF2>, _ rf1: Verified<RF1>, _ elsewhere: WitnessedLock?
  ) async throws -> [UInt8] {
    let now = node.clock()
    let (known, early) = try await node.store.read { [self] tx in
      (try refunded(tx, rf1), try refundDenial(tx, rf2, rf1, elsewhere, at: now))
    }
    if let known { return known }
    if let early { return try node.refuse(early, request: rf2.bytes) }
    let signatures = try keys.sign(rf1.payload.outputs)
    return try await node.store.write { [self] tx in
      if let known = try refunded(tx, rf1) { return known }
      if let denial = try refundDenial(tx, rf2, rf1, elsewhere, at: now) {
        return try node.refuse(denial, request: rf2.bytes)
      }
      guard let account = try tx.account(key: rf2.signer.bytes) else {
        throw StorageError.unknownAccount(rf2.signer.description)
      }
      try BankBooks.move(
        tx, rf1.payload.amount, from: account.id, to: BankBooks.System.tokens.id(currency), kind: "refund",
        reference: BankBooks.reference("refund", rf1.hash), at: now)
      let rf3 = try Verified(
        signing: RF3(at: now, hRF2: rf2.hash, signatures: signatures), with: node.identity.signing)
      try tx.append(kind: "refund", key: rf1.hash.bytes, label: "RF3", bytes: rf3.bytes)
      // By lock: for the sum, for the customer's restored wallet, and for a judge.
      for (label, message) in [("RF2", rf2.bytes), ("RF3", rf3.bytes)] {
        try tx.append(kind: Self.refundsKind, key: rf1.payload.lock.bytes, label: label, bytes: message)
      }
      if let terms = elsewhere?.terms {
        let owner = rf1.payload.lock.bytes + terms.pseudonym.bytes
        try tx.putMachine(
          MachineRow(
            kind: Self.elsewhereKind, key: RowKey.transaction(terms.merchant, terms.n), phase: 1, data: owner)
        )
      }
      return rf3.bytes
    }
  }

  static let refundsKind = "refunds"
  /// L and P of locks of other banks of which something went back, by (M, n).
  private static let elsewhereKind = "refunded elsewhere"

  private func refunded(_ tx: any StoreTransaction, _ rf1: Verified<RF1>) throws -> [UInt8]? {
    try tx.message(kind: "refund", key: rf1.hash.bytes, label: "RF3")
  }

  private func refundDenial(
    _ tx: any StoreTransaction, _ rf2: Verified<RF2>, _ rf1: Verified<RF1>, _ elsewhere: WitnessedLock?,
    at now: Timestamp
  ) throws -> Denial? {
    let lock =
      if let elsewhere {
        try settledElsewhere(tx, elsewhere)
      } else { try settledLock(tx, rf1.payload.merchant, rf1.payload.n) }
    let balance = try tx.account(key: rf2.signer.bytes).flatMap(Self.balance)
    return BankCounter.checkRefund(rf2, rf1, of: lock, balance: balance, keys: keys.list, at: now)
  }

  /// What this bank has credited for (M, n), and how much of it went back.
  private func settledLock(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ n: TransactionID
  ) throws -> SettledLock? {
    guard let (name, terms) = try settled(tx, RowKey.transaction(merchant, n)),
      let credit = try tx.message(kind: "credit", key: name.bytes, label: Label.credit.rawValue)
    else { return nil }
    let refunds = try refunds(tx, of: name)
    return SettledLock(
      name: name, merchant: terms.merchant, n: terms.n, pseudonym: terms.pseudonym,
      credited: try Verified<Credit>(stored: credit).payload.amount,
      refunded: refunds.reduce(0) { $0 + $1.amount })
  }

  /// What this bank has credited for a lock that another bank made.
  private func settledElsewhere(_ tx: any StoreTransaction, _ lock: WitnessedLock) throws -> SettledLock? {
    guard let bt1 = try transferred(tx, lock.name), bt1.signer == lock.bank,
      bt1.payload.merchant == lock.terms.merchant
    else { return nil }
    return SettledLock(
      name: lock.name, merchant: lock.terms.merchant, n: lock.terms.n, pseudonym: lock.terms.pseudonym,
      credited: bt1.payload.amount, refunded: try refunds(tx, of: lock.name).reduce(0) { $0 + $1.amount })
  }

  /// The refunds of a lock, in order: RF2 and RF3.
  private func refunds(
    _ tx: any StoreTransaction, of lock: Hash
  ) throws -> [(rf2: [UInt8], rf3: [UInt8], amount: UInt64)] {
    let all = try tx.messages(kind: Self.refundsKind, key: lock.bytes)
    return try stride(from: 0, to: all.count - 1, by: 2).map { index in
      let rf2 = all[index].bytes
      return (rf2, all[index + 1].bytes, try Verified<RF2>(stored: rf2).payload.amount.amount)
    }
  }

  /// One refund of a lock, RF2 and RF3: the one after the RF2 of this hash, the first for L itself. Nil for
  /// anybody but P.
  func refund(
    after cursor: Hash, _ tx: any StoreTransaction, _ rowKey: [UInt8], to asker: PublicKey
  ) throws -> [[UInt8]]? {
    let name: Hash
    if let (own, terms) = try settled(tx, rowKey) {
      guard terms.pseudonym == asker else { return nil }
      name = own
    } else {
      guard let owner = try tx.machine(kind: Self.elsewhereKind, key: rowKey)?.data,
        let lock = Hash(Array(owner.prefix(Hash.size))), owner.dropFirst(Hash.size).elementsEqual(asker.bytes)
      else { return nil }
      name = lock
    }
    let all = try refunds(tx, of: name)
    if cursor == name { return all.first.map { [$0.rf2, $0.rf3] } ?? [] }
    guard let last = all.firstIndex(where: { Hash(of: $0.rf2) == cursor }), last + 1 < all.count else {
      return []
    }
    return [all[last + 1].rf2, all[last + 1].rf3]
  }
}
