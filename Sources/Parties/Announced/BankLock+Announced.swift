// The announced token's lock (FIG. 3, messages 5 to 7): M shows the announcement and S_t(PO), and the bank
// locks t. Everything after it is `BankLock`'s.

public import Messages

extension BankLock where M == AnnouncedMode {
  /// M, or the token's owner, brings messages 3, 4 and 2. `facts` has an entry for the token's id.
  public mutating func claimed(
    _ claim: Claim, facts: [Hash: TokenFacts], policy: BankPolicy, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> [BankEffect] {
    let announcement = claim.announcement
    if let (known, lock) = request {
      guard known.payload == announcement.payload else {
        let detail = "this merchant's n already has another authorization"
        return [.refuse(Denial(.nReused, detail, proof: [known.bytes]))]
      }
      return [.reply(lock.bytes)]
    }
    if let denial = claim.mismatch { return [.refuse(denial)] }
    let terms = announcement.payload.terms(of: claim.order)
    let input = TokenInput(token: announcement.payload.token, amount: terms.value.amount)
    let denial =
      policy.checkTerms(
        AnnouncedMode.self, terms, for: claim.order.payload.terms.bank, at: now, bank: key.publicKey)
      ?? BankCounter.checkTokens(
        [input], total: terms.value, facts: facts, bank: key.publicKey, outlive: terms.lifetime)
    if let denial { return [.refuse(denial)] }
    let lock = try Verified(signing: A7(terms: terms, hAnnounced: claim.published.hash), with: key)
    lockedUpon(announcement, lock)
    return [
      .keep(Label(.announcement), announcement.bytes), .keep(Label(.announced), claim.published.bytes),
      .keep(Label(.consent), claim.consent.bytes), .keep(Label(.purchaseOrder), claim.order.bytes),
      .keep(Label(.a7), lock.bytes), .enter(.locked),
      .lock(
        token: input.token, value: facts[input.token.id]!.denomination!.value, amount: input.amount,
        lock: lock.hash),
      .send(lock.bytes, to: terms.merchant), .reply(lock.bytes),
    ]
  }
}
