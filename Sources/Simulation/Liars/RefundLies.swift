// Lies about refunds: merchants that promise and withhold, or agree to something else; banks that do not pay,
// or too little; customers that ask for too much, twice, or for what others paid.

import Messages
import Parties
import Services

extension LyingMerchant {
  private enum RefundTrick: Int, CaseIterable {
    case honest, silent, otherAmount, otherLock, otherRequest, refusesAgreed, agreesToAll, tellsOnlyCustomer
  }

  private func refundTrick(_ request: Hash) -> RefundTrick {
    RefundTrick(rawValue: trick(Array("refund".utf8) + request.bytes, of: RefundTrick.allCases.count))!
  }

  /// RF1, and what the real party answered.
  func answer(_ rf1: Unverified<RF1>, _ reply: [UInt8]) -> [UInt8]? {
    let asked = rf1.claims
    guard let bytes = try? Verified(rf1, by: .key(rf1.claimedSigners[0])).bytes else { return nil }
    var rf2 = RF2(amount: asked.amount, lock: asked.lock, hRF1: rf1.hash, rf1: bytes)
    switch refundTrick(rf1.hash) {
    case .honest, .tellsOnlyCustomer: return nil
    case .silent:
      world.count(.lied)
      return []
    case .otherAmount: rf2.amount = Money(currency: "EUR", amount: max(1, asked.amount.amount - 1))!
    case .otherLock: rf2.lock = Hash(dice.bytes(32))!
    case .otherRequest: rf2.hRF1 = Hash(dice.bytes(32))!
    case .refusesAgreed:
      world.count(.lied)
      return sign(Refusal(at: host.now, reason: .wrongValue, hRequest: rf1.hash, detail: "no"))
    case .agreesToAll: break
    }
    world.count(.lied)
    return sign(rf2)
  }

  /// What it promised never reaches the bank by itself.
  func keepsBack(_ refund: RefundFacts) -> Bool {
    switch refundTrick(refund.asked.hash) {
    case .silent, .refusesAgreed, .tellsOnlyCustomer, .otherAmount, .otherLock, .otherRequest: true
    case .honest, .agreesToAll: false
    }
  }
}

extension LyingBank {
  private enum RefundTrick: Int, CaseIterable {
    case honest, silent, refuses, fewSignatures, answersOther, rubbish
  }

  private func refundTrick(_ order: Hash) -> RefundTrick {
    RefundTrick(rawValue: trick(Array("refund".utf8) + order.bytes, of: RefundTrick.allCases.count))!
  }

  func asked(_ refund: RefundFacts) -> Lie? {
    let order = refund.agreed.hash
    switch refundTrick(order) {
    case .honest, .fewSignatures, .answersOther, .rubbish: return nil
    case .silent: return lie([])
    case .refuses:
      return lie(sign(Refusal(at: host.now, reason: .funds, hRequest: order, detail: "nothing there")))
    }
  }

  /// RF3 with fewer tokens, or of another refund.
  func bent(_ rf3: RF3) -> [UInt8]? {
    var rf3 = rf3
    switch refundTrick(rf3.hRF2) {
    case .fewSignatures where rf3.signatures.count > 1: rf3.signatures.removeLast()
    case .rubbish: rf3.signatures[0][5] ^= 1
    case .answersOther: rf3.hRF2 = Hash(dice.bytes(32))!
    default: return nil
    }
    world.count(.lied)
    return sign(rf3)
  }
}

extension LyingCustomer {
  private enum RefundTrick: Int, CaseIterable {
    case honest, tooMuch, moreOutputs, otherPseudonym, othersLock, twice, otherSale, otherMerchant
  }

  private func refundTrick(_ request: Hash) -> RefundTrick {
    RefundTrick(rawValue: trick(Array("refund".utf8) + request.bytes, of: RefundTrick.allCases.count))!
  }

  /// RF1 as the liar would like it.
  func bent(_ rf1: Unverified<RF1>, to merchant: Host) -> [UInt8]? {
    let real = try? Verified(rf1, by: .key(rf1.claimedSigners[0])).bytes
    var claims = rf1.claims
    var signer = rf1.claimedSigners[0]
    switch refundTrick(rf1.hash) {
    case .honest: return real
    case .tooMuch: claims.amount = Money(currency: "EUR", amount: claims.amount.amount * 3)!
    case .moreOutputs: claims.outputs += claims.outputs
    case .otherPseudonym:
      signer = Wallet.keys(entropy: host.member.entropy).pseudonym(UInt64(dice.below(6))).publicKey
    case .othersLock:
      guard let other = stolen(from: merchant) else { return real }
      (claims.lock, claims.n) = (other.name, other.terms.n)
    case .twice:
      claims.recovery = nil
      if let again = resign(claims, as: signer) { tell(merchant.member.key, again) }
      return real
    case .otherSale: claims.n = TransactionID(dice.bytes(16))!
    case .otherMerchant:
      claims.merchant = dice.pick(world.hosts.filter { $0.member.role == .merchant }).member.key
    }
    world.count(.lied)
    return resign(claims, as: signer) ?? real
  }

  /// A lock that somebody else paid with.
  private func stolen(from merchant: Host) -> LockFacts? {
    let locks = world.referee.locksSeen.values.filter { $0.terms.merchant == merchant.member.key }
    return locks.isEmpty ? nil : dice.pick(locks.sorted { $0.name.bytes < $1.name.bytes })
  }

  /// With a merchant in the gang: agreements that no honest one would sign, straight to the bank.
  func conspire(_ refund: RefundFacts, at bank: PublicKey) {
    guard gang.has(.merchant), conspired.insert(refund.asked.hash).inserted else { return }
    for change in [doubled, withMoreOutputs, ofOthersLock, again] {
      var rf1 = refund.asked.payload
      guard change(&rf1, refund.asked.signer), let asked = resign(rf1, as: refund.asked.signer) else {
        continue
      }
      let amount = dice.oneIn(4) ? Money(currency: "EUR", amount: rf1.amount.amount + 1)! : rf1.amount
      let rf2 = RF2(amount: amount, lock: rf1.lock, hRF1: Hash(of: asked), rf1: asked)
      tell(bank, gang.sign(rf2, as: .merchant))
    }
  }

  private func doubled(_ rf1: inout RF1, _: PublicKey) -> Bool {
    rf1.amount = Money(currency: "EUR", amount: rf1.amount.amount * 2)!
    return true
  }

  private func withMoreOutputs(_ rf1: inout RF1, _: PublicKey) -> Bool {
    rf1.outputs += rf1.outputs
    return true
  }

  /// What somebody else paid to this merchant.
  private func ofOthersLock(_ rf1: inout RF1, _ own: PublicKey) -> Bool {
    let sellers = gang.members.filter { $0.member.role == .merchant }.map(\.member.key)
    let locks = world.referee.locksSeen.values.filter {
      sellers.contains($0.terms.merchant) && $0.terms.pseudonym != own
    }.sorted { $0.name.bytes < $1.name.bytes }
    guard !locks.isEmpty else { return false }
    let other = dice.pick(locks)
    (rf1.lock, rf1.n, rf1.merchant) = (other.name, other.terms.n, other.terms.merchant)
    return true
  }

  private func again(_ rf1: inout RF1, _: PublicKey) -> Bool {
    rf1.recovery = nil
    return true
  }
}
