// Rules 16 and 17: tokens of another issuer. The bank where they are usable claims from the issuer what their
// owners authorized; the issuer owes it, because it signed the tokens and they name that bank.

import Messages

extension CaseFile {
  /// A claim that proves itself: the tokens' keys authorized it, and the amount is what that makes due.
  private struct Claim {
    let message: Verified<BT3>
    let request: Authorization
    /// The issuer's tokens, and how much of each is claimed.
    let parts: [(token: Token, amount: UInt64)]

    var fact: Fact {
      Fact("BT3: the bank claims \(message.payload.amount), authorized by \(request.label)", message.hash)
    }
  }

  private var claims: [Claim] {
    issuerClaims.compactMap { message in
      let payload = message.payload
      guard let request = authorizations[Hash(of: payload.request)], request.bank == message.signer,
        let due = Money(currency: payload.amount.currency, amount: payload.due),
        payload.due <= saturatingSum(request.inputs.map(\.amount))
      else { return nil }
      let tokens = Set(request.inputs.map(\.token)).filter {
        $0.issuer == payload.issuer && $0.bank == message.signer
      }
      let parts = tokens.map { (token: $0, amount: request.share(of: $0.id, due: due)) }
        .filter { $0.amount > 0 }.sorted { $0.token.id.description < $1.token.id.description }
      guard saturatingSum(parts.map(\.amount)) == payload.amount.amount else { return nil }
      return Claim(message: message, request: request, parts: parts)
    }
  }

  // MARK: Rule 16

  func claimsWithheld() -> [Verdict] {
    claims.map { claim in
      let payload = claim.message.payload
      let subject = Subject(lock: payload.lock)
      let issuer = culprit(.bank, payload.issuer)
      if let grant = issuerGrants.first(where: {
        $0.signer == payload.issuer && $0.payload.hBT3 == claim.message.hash
          && $0.payload.amount == payload.amount
      }) {
        let fact = Fact("BT4: the issuer owes it", at: grant.payload.at, grant.hash)
        return spare(.claimWithheld, .noFault, subject, [claim.fact, fact])
      }
      guard
        claim.parts.allSatisfy({
          isSound($0.token) && denomination($0.token)?.value.currency == payload.amount.currency
        }),
        let end = claim.parts.compactMap({ denomination($0.token)?.spendUntil }).min()
      else {
        return spare(
          .claimWithheld, .undecided, subject, [claim.fact],
          unless: ["the issuer's key list under which the tokens' signatures hold"])
      }
      let isOver = claim.parts.contains { part in
        claimed(of: part.token, by: claim.message.signer) > denomination(part.token)!.value.amount
      }
      guard !isOver else {
        let fact = Fact("with other claims it is more than a token's value")
        return spare(
          .claimWithheld, .undecided, subject, [claim.fact, fact], unless: ["what the issuer granted before"])
      }
      return silence(
        .claimWithheld, issuer, until: end, subject, [claim.fact], unless: ["the issuer's BT4 of this claim"])
    }
  }

  // MARK: Rule 17

  func claimedBeyondValue() -> [Verdict] {
    let all = claims
    let tokens = Set(all.flatMap { claim in claim.parts.map(\.token) })
    return Dictionary(grouping: tokens, by: \.id).values.compactMap { same in
      let sound = same.filter(isSound).compactMap { token in denomination(token).map { (token, $0.value) } }
      guard let (token, value) = sound.max(by: { $0.1.amount < $1.1.amount }) else { return nil }
      let own = all.filter { claim in claim.parts.contains { $0.token.id == token.id } }
      let sum = claimed(of: token, by: token.bank)
      guard sum > value.amount else { return nil }
      let total = Fact("\(sum) of \(value.amount) minor units are claimed")
      return convict(
        .claimedBeyondValue, culprit(.bank, token.bank), Subject(token: token.id), own.map(\.fact) + [total])
    }
  }

  /// What a bank claimed of a token, each authorization once, whatever was signed twice.
  private func claimed(of token: Token, by bank: PublicKey) -> UInt64 {
    let own = claims.filter { $0.message.signer == bank }
    let byContent = Dictionary(grouping: own, by: \.request.content).values
    return saturatingSum(
      byContent.map { same in
        same.flatMap { $0.parts.filter { $0.token.id == token.id }.map(\.amount) }.min() ?? 0
      })
  }
}
