// Rule 8: a merchant uses a number once. Two contracts of one (M, n), of any mode, or two descriptions of the
// same piece of goods, with different content. Signing the same content again is nothing.

import Messages

/// Something that a merchant says once under a number.
private struct Said {
  let type: MessageType
  let hash: Hash
  let content: [UInt8]
}

extension CaseFile {
  func numberReused() -> [Verdict] {
    let contracts = Dictionary(grouping: offers, by: \.transaction).mapValues { offers in
      offers.map { Said(type: $0.type, hash: $0.hash, content: $0.content) }
    }
    let goods = Dictionary(grouping: merchandise) { TransactionKey(merchant: $0.signer, n: $0.payload.n) }
      .mapValues { $0.compactMap(said) }
    // Each purchase of a series has a description of its own.
    let items = Dictionary(grouping: items) { item in
      [item.signer.bytes + item.payload.n.bytes, withUnsafeBytes(of: item.payload.index) { Array($0) }]
    }.values.map { all in
      (TransactionKey(merchant: all[0].signer, n: all[0].payload.n), all.compactMap(said))
    }
    return (Array(contracts) + Array(goods)).compactMap { verdict($0.key, $0.value) }
      + items.compactMap { verdict($0.0, $0.1) }
  }

  private func said<P: Payload>(_ message: Verified<P>) -> Said? {
    (try? message.payload.encoded()).map { Said(type: P.type, hash: message.hash, content: $0) }
  }

  private func verdict(_ transaction: TransactionKey, _ all: [Said]) -> Verdict? {
    guard all.count > 1 else { return nil }
    func fact(_ one: Said) -> Fact {
      Fact("\(one.type.label), signed by the merchant with this number", one.hash)
    }
    let other = all.first { $0.type != all[0].type || $0.content != all[0].content }
    guard let other else {
      let same = Fact("they say the same: it was only signed again")
      return spare(.numberReused, .noFault, transaction.subject, all.map(fact) + [same])
    }
    return convict(
      .numberReused, culprit(.merchant, transaction.merchant), transaction.subject,
      [fact(all[0]), fact(other)])
  }
}
