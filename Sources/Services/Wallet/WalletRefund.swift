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
    guard let machine = PurchaseMachines.type(of: try await info(number).mode) else {
      throw ServiceError.configuration("purchase \(number) runs by a protocol that this build does not know")
    }
    let open = try await openRefunds().first { $0.row.number == number }
    if let open { return try await finishRefund(open.rf1, open.row) }
    // A merchant may have agreed to a request that a lost wallet had made.
    try await claim(restoredRefunds(number))
    let (rf1, row) = try await request(machine, number, amount)
    return try await finishRefund(rf1, row)
  }

  private func claim(_ coins: [Coin]) async throws {
    try await store.write { tx in
      for coin in coins where try tx.coin(coin.decoded().id) == nil {
        try tx.putCoin(coin, id: coin.decoded().id)
      }
    }
  }

  private func request<P: PurchaseMachine>(
    _: P.Type, _ number: UInt64, _ amount: Money?
  ) async throws -> (Verified<RF1>, RefundRow) {
    let (info, machine) = try await look(P.self, number)
    guard let p1 = machine.p1, let p2 = machine.p2, let lock = machine.paidLock else {
      throw ServiceError.configuration("purchase \(number) is not paid, so nothing can be given back")
    }
    let amount = amount ?? (machine as? SeriesPurchase)?.paid ?? p2.payload.terms.value
    let bank = try refunding(p1.signer, p2.payload.bank)
    let keys = try await keyList(bank)
    let (pending, outputs) = try await blind(amount, keys, bank)
    var generator = surroundings.randomness
    let note = RecoveryNote.seal(pending, key: seed.recoveryKey(), nonce: randomBytes(24, using: &generator))
    let rf1 = try Verified(
      signing: RF1(
        n: p1.payload.n, merchant: p1.signer, amount: amount, lock: lock, outputs: outputs, recovery: note),
      with: seed.pseudonymKey(info.pseudonymIndex))
    let row = RefundRow(number: number, pending: pending)
    try await keep(rf1, row)
    return (rf1, row)
  }

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
    let (bank, beside) = try await seller(row.number)
    let request = try beside.map { try Messages.Bundle([rf2.bytes, $0]).encoded() } ?? rf2.bytes
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
      for coin in coins where try tx.coin(coin.decoded().id) == nil {
        try tx.putCoin(coin, id: coin.decoded().id)
      }
    }
  }

  /// Who gives money back: the bank that credited the merchant.
  private func refunding(_ merchant: PublicKey, _ bank: PublicKey) throws -> TrustEntry {
    try entry(trust.list.home(of: merchant) ?? bank)
  }

  /// The bank that gives a purchase's money back, and the lock's message if it did not make that itself.
  private func seller(_ number: UInt64) async throws -> (bank: TrustEntry, beside: [UInt8]?) {
    func go<P: PurchaseMachine>(_: P.Type) async throws -> (bank: TrustEntry, beside: [UInt8]?) {
      let machine = try await look(P.self, number).machine
      guard let p1 = machine.p1, let p2 = machine.p2 else {
        throw ServiceError.notFound("purchase \(number) is not paid")
      }
      let bank = try refunding(p1.signer, p2.payload.bank)
      guard bank.key != p2.payload.bank else { return (bank, nil) }
      func lock(_ machine: some LockedMachine) -> [UInt8]? { machine.p3?.bytes }
      guard let beside = (machine as? any LockedMachine).flatMap({ lock($0) }) else {
        throw ServiceError.notFound(
          "the lock of purchase \(number) is not here, and \(bank.name) has to see it")
      }
      return (bank, beside)
    }
    guard let machine = PurchaseMachines.type(of: try await info(number).mode) else {
      throw ServiceError.notFound("there is no purchase \(number)")
    }
    return try await go(machine)
  }

  // MARK: Restore

  /// What the bank signed for refunds of a purchase that was taken up again, as coins that may have been used
  /// since. A request that the merchant still has on its desk is gone: it is asked for again.
  func restoredRefunds(_ number: UInt64) async throws -> [Coin] {
    func go<P: PurchaseMachine>(_: P.Type) async throws -> [Coin] {
      let (info, machine) = try await look(P.self, number)
      guard let p1 = machine.p1, let p2 = machine.p2, let lock = machine.paidLock else { return [] }
      let bank = try refunding(p1.signer, p2.payload.bank)
      var coins: [Coin] = []
      var cursor = lock
      while true {
        let answer = try await status(
          of: p1.payload.n, p1.signer, at: bank.key, pseudonym: info.pseudonymIndex, after: cursor)
        guard answer.payload.proof.count == 2 else { return coins }
        let rf2 = try Verified<RF2>(answer.payload.proof[0], by: .key(p1.signer))
        let rf3 = try Verified<RF3>(answer.payload.proof[1], by: .key(bank.key))
        let rf1 = try Verified<RF1>(
          rf2.payload.rf1, by: .key(seed.pseudonymKey(info.pseudonymIndex).publicKey))
        guard rf3.payload.hRF2 == rf2.hash, rf2.hash != cursor else { return coins }
        coins += try await self.coins(
          of: rf1.payload.outputs, rf1.payload.recovery, rf3.payload.signatures, bank)
        cursor = rf2.hash
      }
    }
    guard let machine = PurchaseMachines.type(of: try await info(number).mode) else { return [] }
    return try await go(machine)
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
