// Announced purchases at the bank (FIG. 3): M, or the token's owner, brings the claim.

import Messages
import Parties

extension BankService {
  /// Messages 3, 4 and 2 of an announced purchase. Refused once, the consent is refused for ever: the wallet
  /// frees its token on that answer.
  func claim(_ bundle: Messages.Bundle) async throws -> [UInt8] {
    let claim = try Claim(bundle, trust: node.trust.list)
    let announcement = claim.announcement.payload
    let asked = LockRequest(
      merchant: announcement.merchant, n: claim.order.payload.terms.n, tokens: [announcement.token],
      bytes: try bundle.encoded(), cause: claim.announcement.hash, onceFor: claim.consent.hash)
    return try await lock(AnnouncedMode.self, asked) { [self] machine, facts, now in
      try machine.claimed(claim, facts: facts, policy: policy, at: now, key: node.identity.signing)
    }
  }

  /// Refused once, refused for ever: the wallet has freed its tokens on that answer. Whoever asks the same in
  /// other bytes is told the same.
  func again(_ refused: [UInt8], _ request: [UInt8]) throws -> [UInt8] {
    let old = try Verified<Refusal>(stored: refused).payload
    if old.hRequest == Hash(of: request) { return refused }
    let reason = old.reason ?? .internal
    return try node.refuse(Denial(reason, old.detail ?? "", proof: old.proof), request: request)
  }
}
