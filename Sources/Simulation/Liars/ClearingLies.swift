// Lies between two banks: the lock's bank sends nothing, too little, or twice; the merchant's bank says
// nothing, refuses, or confirms what it did not credit.

import Messages
import Services

extension LyingBank {
  private enum TransferTrick: Int, CaseIterable {
    case honest, silent, refuses, confirmsOnly, otherAmount, otherOrder, otherMerchant, twice
  }

  private func transferTrick(_ lock: Hash) -> TransferTrick {
    TransferTrick(
      rawValue: trick(Array("transfer".utf8) + lock.bytes, of: TransferTrick.allCases.count))!
  }

  /// As the merchant's bank: BT1 came.
  func transferred(_ bt1: Unverified<BT1>) -> Lie? {
    let claims = bt1.claims
    var bt2 = BT2(amount: claims.amount, lock: claims.lock, at: host.now, hBT1: bt1.hash)
    switch transferTrick(claims.lock) {
    case .honest, .twice, .otherMerchant: return nil
    case .silent: return lie([])
    case .refuses:
      return lie(sign(Refusal(at: host.now, reason: .funds, hRequest: bt1.hash, detail: "settle first")))
    case .confirmsOnly: break
    case .otherAmount: bt2.amount = Money(currency: "EUR", amount: max(1, claims.amount.amount - 1))!
    case .otherOrder: bt2.hBT1 = Hash(dice.bytes(32))!
    }
    return lie(sign(bt2))
  }

  /// As the lock's bank: BT1 as it goes out.
  func transfer(_ bt1: Unverified<BT1>, to peer: PublicKey) -> [UInt8]? {
    guard let real = try? Verified(bt1, by: .key(host.member.key)).bytes else { return nil }
    var claims = bt1.claims
    switch transferTrick(claims.lock) {
    case .honest, .confirmsOnly, .otherOrder, .refuses: return real
    case .silent:
      world.count(.lied)
      return nil
    case .otherAmount: claims.amount = Money(currency: "EUR", amount: max(1, claims.amount.amount - 1))!
    case .otherMerchant:
      claims.merchant = dice.pick(world.hosts.filter { $0.member.role == .merchant }).member.key
    case .twice:
      claims.amount = Money(currency: "EUR", amount: claims.amount.amount + 1)!
      tell(peer, sign(claims))
      return real
    }
    world.count(.lied)
    return sign(claims)
  }
}
