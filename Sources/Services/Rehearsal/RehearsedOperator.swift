// What operators do at rehearsed parties: the tasks behind the commands, at the running service.

package import Messages

extension RehearsedParty {
  /// A merchant's operator agrees to the refund with this H(RF1), or does not.
  package func answerRefund(_ hash: Hash, agrees: Bool) async throws {
    try await merchant?.answerRefund(hash, agrees: agrees)
  }
}

extension RehearsedParty {
  /// A bank's operator enters a payment between the banks: one that it made, or one that it got.
  package func settle(_ peer: PublicKey, _ amount: Money, paid: Bool, reference: String) async throws {
    let desk = BankDesk(store: node.store, currency: amount.currency, clock: node.clock)
    _ = try await SettleClearing(
      peer: peer.description, amount: amount.description, paid: paid, reference: reference
    ).carryOut(at: desk)
  }
}

extension RehearsedGround {
  /// Lets another bank owe this one up to a limit.
  package func openClearing(_ peer: PublicKey, limit: Money) async throws {
    try await store.write { tx in
      try ClearingBooks.open(tx, peer, limit: limit.amount, currency: limit.currency)
    }
  }
}
