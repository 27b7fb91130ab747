// Money back for a purchase (docs/SPEC.md, "Refunds"): asked for under the purchase's pseudonym, paid in
// fresh tokens that nobody can link to the old ones.
//
// Every step is stored first, and `resume` goes on with it: RF1 to the merchant until it agrees, RF2 to the
// bank until the signatures are there.

import Foundation
public import Messages
import Parties
import Storage

/// A refund in the wallet's store, keyed on H(RF1).
struct RefundRow: Codable, Sendable {
  var number: UInt64
  var pending: [PendingToken]

  static let kind = "refund"
  /// Phases of refund rows.
  static let asked = 1
}

/// What became of a refund.
public struct RefundOutcome: Codable, Equatable, Sendable {
  public var amount: String
  /// "asked": the merchant has not answered yet; "done": the tokens are here.
  public var state: String
}

extension Wallet {
  /// Asks for money back; nil for all that was paid. Goes on with an open request of the purchase instead of
  /// a second one.
  public func refund(_ number: UInt64, amount: Money?) async throws -> RefundOutcome {
    let open = try await openRefunds().first { $0.row.number == number }
    if let open { return try await finishRefund(open.rf1, open.row) }
    // A merchant may have agreed to a request that a lost wallet had made.
    try await claim(restoredRefunds(number))
    let (rf1, row) = try await request(number, amount)
    return try await finishRefund(rf1, row)
  }

  private func claim(_ coins: [Coin]) async throws {
    try await store.write { try $0.addCoins(coins) }
  }

  private func request(_ number: UInt64, _ amount: Money?) async throws -> (Verified<RF1>, RefundRow) {
    guard let paid = try await paid(number) else {
      throw ServiceError.configuration(
        "purchase \(number) is not paid by a lock of a bank, so nothing can be given back")
    }
    let amount = amount ?? paid.value
    let (pending, outputs) = try await blind(amount, keyList(paid.bank), paid.bank)
    var generator = surroundings.randomness
    let note = RecoveryNote.seal(pending, key: seed.recoveryKey(), nonce: randomBytes(24, using: &generator))
    let rf1 = try Verified(
      signing: RF1(
        n: paid.n, merchant: paid.merchant, amount: amount, lock: paid.lock, outputs: outputs,
        recovery: note),
      with: key(of: paid))
    let row = RefundRow(number: number, pending: pending)
    try await keep(rf1, row)
    return (rf1, row)
  }

  // MARK: What was paid

  /// A purchase that a lock paid.
  private struct Paid {
    let n: TransactionID
    let merchant: PublicKey
    /// L.
    let lock: Hash
    /// Who gives the money back: the bank that credited the merchant.
    let bank: TrustEntry
    /// The lock's message, where another bank made it.
    let beside: [UInt8]?
    let value: Money
    let payer: Payer
  }

  /// The lock's P, by its number among the wallet's keys.
  private enum Payer {
    case pseudonym(UInt64)
    /// Announced: the token's key.
    case token(UInt64)
  }

  private func key(of paid: Paid) -> SigningKey {
    switch paid.payer {
    case .pseudonym(let index): seed.pseudonymKey(index)
    case .token(let index): seed.tokenKey(index)
    }
  }

  /// Nil for what is not paid, and for invoices: they have no lock, and a complaint reverses them.
  private func paid(_ number: UInt64) async throws -> Paid? {
    let mode = try await info(number).mode
    if mode == .announced { return try await paidAnnounced(number) }
    func go<P: PurchaseMachine>(_: P.Type) async throws -> Paid? {
      let (info, machine) = try await look(P.self, number)
      guard let p1 = machine.p1, let p2 = machine.p2, let lock = machine.paidLock else { return nil }
      let bank = try refunding(p1.signer, p2.payload.bank)
      func message(_ machine: some LockedMachine) -> [UInt8]? { machine.p3?.bytes }
      let made = (machine as? any LockedMachine).flatMap { message($0) }
      return Paid(
        n: p1.payload.n, merchant: p1.signer, lock: lock, bank: bank,
        beside: bank.key == p2.payload.bank ? nil : made,
        value: (machine as? SeriesPurchase)?.paid ?? p2.payload.terms.value,
        payer: .pseudonym(info.pseudonymIndex))
    }
    guard let machine = PurchaseMachines.type(of: mode) else { return nil }
    return try await go(machine)
  }

  private func paidAnnounced(_ number: UInt64) async throws -> Paid? {
    let machine = try await look(AnnouncedPurchase.self, number).machine
    guard [.paid, .delivered].contains(machine.phase), let order = machine.p1, let lock = machine.lock,
      let token = machine.announcement?.payload.token,
      let coin = try await store.read({ try $0.coin(token.id) })
    else { return nil }
    let bank = try refunding(order.signer, lock.signer)
    return Paid(
      n: order.payload.n, merchant: order.signer, lock: lock.hash, bank: bank,
      beside: bank.key == lock.signer ? nil : lock.bytes, value: lock.payload.terms.value,
      payer: .token(coin.keyIndex))
  }

  private func refunding(_ merchant: PublicKey, _ bank: PublicKey) throws -> TrustEntry {
    try entry(trust.list.home(of: merchant) ?? bank)
  }

  // MARK: Steps

  private func keep(_ rf1: Verified<RF1>, _ row: RefundRow) async throws {
    let data = Array(try JSONEncoder().encode(row))
    try await store.write { tx in
      try tx.putMachine(
        MachineRow(kind: RefundRow.kind, key: rf1.hash.bytes, phase: RefundRow.asked, data: data))
      try tx.log(rf1, "RF1", rf1.bytes)
    }
  }

  func openRefunds() async throws -> [(rf1: Verified<RF1>, row: RefundRow)] {
    try await store.read { tx in
      let rows = try tx.machines(kind: RefundRow.kind, phase: RefundRow.asked, after: nil, limit: 1000)
      return try rows.compactMap { row in
        guard let rf1 = try tx.message(kind: RefundRow.kind, key: row.key, label: "RF1") else { return nil }
        return (
          try Verified(stored: rf1), try JSONDecoder().decode(RefundRow.self, from: Data(row.data))
        )
      }
    }
  }

  /// Takes up refunds that wait for merchant or bank.
  func resumeRefunds() async throws {
    for (rf1, row) in try await openRefunds() {
      do { _ = try await finishRefund(rf1, row) } catch {
        report(.note("refund of purchase \(row.number): \(error)"))
      }
    }
  }

  private func finishRefund(_ rf1: Verified<RF1>, _ row: RefundRow) async throws -> RefundOutcome {
    let amount = rf1.payload.amount.description
    let known = try await store.read {
      try $0.message(kind: RefundRow.kind, key: rf1.hash.bytes, label: "RF2")
    }
    var agreed = try known.map { try Verified<RF2>(stored: $0) }
    if agreed == nil { agreed = try await agreement(rf1) }
    guard let rf2 = agreed else {
      return RefundOutcome(amount: amount, state: "asked")
    }
    guard let paid = try await paid(row.number) else {
      throw ServiceError.notFound("purchase \(row.number) is not paid")
    }
    let bank = paid.bank
    let request = try paid.beside.map { try Messages.Bundle([rf2.bytes, $0]).encoded() } ?? rf2.bytes
    let rf3: Verified<RF3>
    do {
      rf3 = try expect(try await exchange(request, with: bank.key), from: bank.key, for: rf2.bytes)
    } catch let refused as RefusedByPeer {
      try await end(rf1, "Refusal", refused.refusal.bytes)
      throw refused
    }
    guard rf3.payload.hRF2 == rf2.hash else {
      throw ServiceError.protocolViolation("\(bank.name) answered another refund")
    }
    let coins = try unblind(rf3.payload.signatures, row.pending, try await keyList(bank), bank)
    try await end(rf1, "RF3", rf3.bytes, coins)
    return RefundOutcome(amount: amount, state: "done")
  }

  /// The merchant's RF2; nil while it has not decided. Its refusal ends the request.
  private func agreement(_ rf1: Verified<RF1>) async throws -> Verified<RF2>? {
    let merchant = rf1.payload.merchant
    guard let reply = try await exchange(rf1.bytes, with: merchant) else { return nil }
    let rf2: Verified<RF2>
    do { rf2 = try expect(reply, from: merchant, for: rf1.bytes) } catch let refused as RefusedByPeer {
      try await end(rf1, "Refusal", refused.refusal.bytes)
      throw refused
    }
    guard rf2.payload.rf1 == rf1.bytes, rf2.payload.hRF1 == rf1.hash, rf2.payload.lock == rf1.payload.lock,
      rf2.payload.amount == rf1.payload.amount
    else { throw ServiceError.protocolViolation("the merchant agreed to another refund") }
    try await store.write { try $0.log(rf1, "RF2", rf2.bytes) }
    return rf2
  }

  private func end(_ rf1: Verified<RF1>, _ label: String, _ bytes: [UInt8], _ coins: [Coin] = []) async throws
  {
    try await store.write { tx in
      try tx.log(rf1, label, bytes)
      try tx.deleteMachine(kind: RefundRow.kind, key: rf1.hash.bytes)
      try tx.addCoins(coins)
    }
  }

  // MARK: Restore

  /// What the bank signed for refunds of a purchase that was taken up again, as coins that may have been used
  /// since. A request that the merchant still has on its desk is gone: it is asked for again.
  func restoredRefunds(_ number: UInt64) async throws -> [Coin] {
    guard let paid = try await paid(number) else { return [] }
    return try await restoredRefunds(of: paid)
  }

  /// As above, of a purchase that only its token's history shows: its lock's bank tells the lock.
  func restoredRefunds(of purchase: any FoundPurchase, pseudonym: UInt64?) async throws -> [Coin] {
    let terms = purchase.terms
    guard let input = purchase.inputs.first,
      let coin = try await store.read({ try $0.coin(input.token.id) }), canSign(for: coin)
    else { return [] }
    let answer = try await lockStatus(of: purchase, for: coin)
    guard answer.payload.state == .committed,
      let lock = purchase.lock(in: answer.payload.proof, trust: trust.list)
    else { return [] }
    let payer = pseudonym.map(Payer.pseudonym) ?? .token(coin.keyIndex)
    return try await restoredRefunds(
      of: Paid(
        n: terms.n, merchant: terms.merchant, lock: lock, bank: refunding(terms.merchant, purchase.bank),
        beside: nil, value: terms.value, payer: payer))
  }

  private func restoredRefunds(of paid: Paid) async throws -> [Coin] {
    let bank = paid.bank
    var coins: [Coin] = []
    var cursor = paid.lock
    while true {
      let answer = try await status(
        of: paid.n, paid.merchant, at: bank.key, as: key(of: paid), after: cursor)
      guard answer.payload.proof.count == 2 else { return coins }
      let rf2 = try Verified<RF2>(answer.payload.proof[0], by: .key(paid.merchant))
      let rf3 = try Verified<RF3>(answer.payload.proof[1], by: .key(bank.key))
      let rf1 = try Verified<RF1>(rf2.payload.rf1, by: .key(key(of: paid).publicKey))
      guard rf3.payload.hRF2 == rf2.hash, rf2.hash != cursor else { return coins }
      coins += try await self.coins(
        of: rf1.payload.outputs, rf1.payload.recovery, rf3.payload.signatures, bank)
      cursor = rf2.hash
    }
  }
}

extension StoreTransaction {
  /// Keeps a message of an open refund, and beside the purchase's own, for a judge.
  fileprivate func log(_ rf1: Verified<RF1>, _ label: String, _ bytes: [UInt8]) throws {
    try append(kind: RefundRow.kind, key: rf1.hash.bytes, label: label, bytes: bytes)
    guard let row = try machine(kind: RefundRow.kind, key: rf1.hash.bytes) else { return }
    let number = try JSONDecoder().decode(RefundRow.self, from: Data(row.data)).number
    try append(kind: PurchaseInfo.kind, key: RowKey.number(number), label: label, bytes: bytes)
  }
}
