// Goods that come after the lock (US 6,076,078, FIG. 5): E4, the ciphertext, E5; and after a forced commit
// the same from the archive.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// As far as it goes: E4 from the merchant, all of the ciphertext, and E5 in the store. Without it the
  /// merchant has to leave the goods with the archive, so what fails here costs nothing but time.
  /// - Returns: false when it is worth trying again.
  func receive<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ lock: Verified<M.LockMessage>
  ) async -> Bool {
    do { return try await receiveOnce(M.self, number, lock) } catch ServiceError.protocolViolation(let text) {
      report(.note("purchase \(number): \(text)"))
      return true
    } catch { return false }
  }

  /// False when the merchant has not said yet what the goods are.
  private func receiveOnce<M: ContractMode>(
    _: M.Type, _ number: UInt64, _ lock: Verified<M.LockMessage>
  ) async throws -> Bool {
    var (info, machine) = try await look(CustomerPurchase<M>.self, number)
    guard machine.note == nil, let offer = machine.p1 else { return true }
    if machine.merchandise == nil {
      // The bank tells the merchant too; whoever comes first.
      _ = try await exchange(lock.bytes, with: offer.signer)
      try await describe(M.self, number, by: offer.signer)
      (info, machine) = try await look(CustomerPurchase<M>.self, number)
    }
    guard let claim = machine.goods else { return false }
    let goods = PurchasedGoods(offer, claim)
    do { try await fetch(goods, for: info) } catch ServiceError.protocolViolation {
      // Perhaps damaged on the way: once more.
      try await fetch(goods, for: info)
    }
    let index = info.pseudonymIndex
    try await apply(CustomerPurchase<M>.self, number) { [seed] machine in
      try machine.received(root: claim.root, length: claim.length, pseudonym: seed.pseudonymKey(index))
    }
    return true
  }

  /// Takes the first E4 that `party` shows to the purchase's pseudonym and that is `wanted`.
  private func describe<M: ContractMode>(
    _: M.Type, _ number: UInt64, by party: PublicKey, wanted: Hash? = nil
  ) async throws {
    let (info, machine) = try await look(CustomerPurchase<M>.self, number)
    guard let offer = machine.p1 else { return }
    let answer = try await status(
      of: offer.payload.n, offer.signer, at: party, pseudonym: info.pseudonymIndex)
    let found = answer.payload.proof.lazy.compactMap { try? Verified<E4>($0, by: .key(offer.signer)) }
      .first { wanted == nil || $0.hash == wanted }
    guard let found else { return }
    let policy = CustomerPolicy(trust: trust.list)
    try await apply(CustomerPurchase<M>.self, number) { machine in machine.described(found, policy: policy) }
  }

  /// Paid: the ciphertext that was paid for is here, whole, from the merchant or the archive.
  func paidGoods<M: ContractMode>(_: M.Type, _ number: UInt64) async throws -> GoodsClaim {
    var (info, machine) = try await look(CustomerPurchase<M>.self, number)
    guard let offer = machine.p1, let archive = machine.p2?.payload.terms.archive else {
      throw ServiceError.notFound("purchase \(number) is not paid")
    }
    for party in [offer.signer, archive] {
      guard let wanted = machine.missingMerchandise else { break }
      do { try await describe(M.self, number, by: party, wanted: wanted) } catch {
        report(.note("purchase \(number): \(error)"))
      }
      (info, machine) = try await look(CustomerPurchase<M>.self, number)
    }
    guard machine.missingMerchandise == nil, let claim = machine.goods else {
      throw ServiceError.unreachable(
        "neither merchant nor archive says what was delivered: try `resume`, the record is kept")
    }
    try await fetch(PurchasedGoods(offer, claim), for: info, orFrom: archive)
    return claim
  }
}
