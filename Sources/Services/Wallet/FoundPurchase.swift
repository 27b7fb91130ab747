// Purchases as a restored wallet finds them: by the payments that its tokens' histories show.

import Messages
import Parties
import Storage

/// A purchase that a token's history shows.
protocol FoundPurchase: Sendable {
  var mode: Mode { get }
  var terms: LockTerms { get }
  var bank: PublicKey { get }
  var inputs: [TokenInput] { get }
  var hash: Hash { get }
  func takeUp(by wallet: Wallet, below limit: UInt64, names: [String]) async throws -> TakenUp
}

extension FoundPurchase {
  /// L, in what the bank shows of the purchase. A compact sale's is named after JB2, which is `hash`.
  func lock(in proof: [[UInt8]], trust: TrustList) -> Hash? {
    if mode == .compact { return hash }
    return proof.first.flatMap { try? WitnessedLock($0, trust: trust).name }
  }

  /// What is locked or spent by a bank that answers so about the purchase. Of a series that has ended, the
  /// rest of the budget came back already.
  func taken(_ answer: StatusAnswer) -> [TokenInput] {
    switch answer.state {
    case .locked: return inputs
    case .committed:
      let commit = answer.proof.lazy.compactMap { try? Verified<R10a>($0, by: .key(terms.archive)) }.first
      let due = commit.flatMap { try? terms.due($0, lock: nil) } ?? terms.value
      return inputs.split(after: due.amount).used
    default: return []
    }
  }
}

private struct Found<P: PurchaseMachine>: FoundPurchase {
  let request: Verified<AuthorizationQ<P.Mode>>
  var mode: Mode { P.Mode.mode }
  var terms: LockTerms { request.payload.terms }
  var bank: PublicKey { request.payload.bank }
  var inputs: [TokenInput] { request.payload.tokenInputs }
  var hash: Hash { request.hash }

  func takeUp(by wallet: Wallet, below limit: UInt64, names: [String]) async throws -> TakenUp {
    try await wallet.takeUp(P.self, request, below: limit, names: names)
  }
}

/// All purchases that these messages, of a token's history or of a purchase, are about.
func foundPurchases(_ messages: [[UInt8]]) -> [any FoundPurchase] {
  messages.flatMap { use in PurchaseMachines.all.compactMap { foundPurchase($0, use) } }
    + FoundAnnouncement.all(in: messages)
}

private func foundPurchase<P: PurchaseMachine>(_: P.Type, _ use: [UInt8]) -> (any FoundPurchase)? {
  (try? Verified<AuthorizationQ<P.Mode>>(use, by: .ownTokens)).map { Found<P>(request: $0) }
}
