// Rule 1: the goods differ from the contract or do not decrypt. M signed the contract with the ciphertext's
// root, and M signed the key; so a chunk under that root that does not open, or a plaintext that is not among
// the contract's digests, is M's doing. Changed goods have another root and count for nothing.

import Messages

/// Goods that a commit paid for: the ciphertext that was promised, and every key that M gave for it.
private struct PromisedGoods {
  let offer: OfferRecord
  let claim: GoodsClaim
  let digests: [Hash]
  var keys: [[UInt8]]
  /// False where a key is not what the contract commits to: then it opens nothing.
  var isCommittedKey = true
  var facts: [Fact]
}

/// What became of goods under a key.
private enum Trial: Equatable {
  case opens(digest: Hash?)
  case doesNotOpen
  /// Not the ciphertext that the contract names.
  case otherGoods
  case unreadable(String)
}

extension CaseFile {
  /// Verdicts on goods, and goods that do not count.
  func badGoods() -> (verdicts: [Verdict], setAside: Set<SetAside>) {
    var verdicts: [Verdict] = []
    var aside: Set<SetAside> = []
    let promised = promisedGoods()
    for goods in promised {
      if let verdict = judge(goods, &aside) { verdicts.append(verdict) }
    }
    // Goods and a contract without the commit that pays for them.
    for offer in offers
    where offer.goods.map({ claim in evidence.goods.contains { $0.length == claim.length } }) ?? false {
      guard !promised.contains(where: { $0.offer.hash == offer.hash }) else { continue }
      verdicts.append(
        spare(
          .badGoods, .undecided, offer.transaction.subject, [offer.fact],
          unless: ["the archive's commit of this contract, which holds the key"]))
    }
    return (verdicts, aside)
  }

  // MARK: What was promised

  private func promisedGoods() -> [PromisedGoods] {
    var result: [PromisedGoods] = []
    for offer in offers where offer.serves {
      for commit in commits
      where offer.mismatch(commit.submission) == nil && commit.at < commit.submission.expiration
        && isFinal(commit)
      {
        switch offer.mode {
        case .early: result += early(offer, commit)
        case .repeated: result += series(offer, commit)
        default: result += whole(offer, commit)
        }
      }
      if offer.mode == .invoice { result += invoice(offer) }
    }
    return result
  }

  /// An invoice does not say in which way it is settled; its commitment does.
  private func isCommitted(_ offer: OfferRecord, _ key: [UInt8]) -> Bool {
    let modes = offer.mode == .invoice ? Mode.invoices : [offer.mode]
    return modes.contains {
      Hash.keyCommitment($0, merchant: offer.merchant, n: offer.n, key: key) == offer.hx
    }
  }

  private func whole(_ offer: OfferRecord, _ commit: CommitRecord) -> [PromisedGoods] {
    guard let claim = offer.goods else { return [] }
    return [
      PromisedGoods(
        offer: offer, claim: claim, digests: offer.digests, keys: [commit.submission.key],
        isCommittedKey: isCommitted(offer, commit.submission.key), facts: [offer.fact, commit.fact])
    ]
  }

  /// FIG. 5: k = x ⊕ r, and E4 says what the ciphertext is.
  private func early(_ offer: OfferRecord, _ commit: CommitRecord) -> [PromisedGoods] {
    guard let mask = offer.mask, case .early(let hE4, _) = commit.submission.claim else { return [] }
    let key = zip(commit.submission.key, mask.bytes).map { $0 ^ $1 }
    return merchandise.filter {
      $0.hash == hE4 && $0.signer == offer.merchant && $0.payload.n == offer.n
        && $0.payload.hP1 == offer.hash
    }.map { e4 in
      PromisedGoods(
        offer: offer, claim: e4.payload.goods, digests: offer.digests, keys: [key],
        isCommittedKey: isCommitted(offer, commit.submission.key),
        facts: [offer.fact, Fact("E4: the merchant's description of the ciphertext", e4.hash), commit.fact])
    }
  }

  /// FIG. 8: purchases up to the committed one, whose keys M gave, itself or by the record.
  private func series(_ offer: OfferRecord, _ commit: CommitRecord) -> [PromisedGoods] {
    guard case .series(let last, _, _) = commit.submission.claim else { return [] }
    var result: [PromisedGoods] = []
    let first = undated(R4.self, by: offer.merchant).filter { $0.payload.n == offer.n }
    let firstKeys = first.map(\.payload.key) + published(offer, 0, offer.hx, commit)
    if let claim = offer.goods, !firstKeys.isEmpty {
      let facts = first.map { Fact("R4: the merchant's key of the first purchase", $0.hash) }
      result.append(
        PromisedGoods(
          offer: offer, claim: claim, digests: offer.digests, keys: firstKeys,
          facts: [offer.fact] + facts + [commit.fact]))
    }
    let keys = undated(R8.self, by: offer.merchant).filter { $0.payload.n == offer.n }
    for item in items
    where item.signer == offer.merchant && item.payload.n == offer.n && item.payload.index <= last {
      let own = keys.filter { $0.payload.index == item.payload.index }
      let given = own.map(\.payload.key) + published(offer, item.payload.index, item.payload.hx, commit)
      guard !given.isEmpty else { continue }
      let facts = own.map { Fact("R8: the merchant's key of purchase \(item.payload.index)", $0.hash) }
      result.append(
        PromisedGoods(
          offer: offer, claim: GoodsClaim(root: item.payload.root, length: item.payload.length),
          digests: item.payload.contract.digests, keys: given,
          facts: [offer.fact, Fact("R6: purchase \(item.payload.index)", item.hash)] + facts + [commit.fact]))
    }
    return result
  }

  private func published(
    _ offer: OfferRecord, _ index: UInt64, _ hx: Hash, _ commit: CommitRecord
  ) -> [[UInt8]] { offer.published(index, hx: hx, in: commit.submission).map { [$0] } ?? [] }

  /// FIG. 2. With an active archive M signed the key beside the invoice, and the archive approved that; with
  /// a passive one the record is the bank's, so the key counts only if INV commits to it.
  private func invoice(_ offer: OfferRecord) -> [PromisedGoods] {
    guard let claim = offer.goods else { return [] }
    var result: [PromisedGoods] = []
    for deposit in invoiceDeposits where deposit.invoice.hash == offer.hash {
      guard let approval = approvals.first(where: deposit.documents) else { continue }
      let key = deposit.deposit.payload.key
      result.append(
        PromisedGoods(
          offer: offer, claim: claim, digests: offer.digests, keys: [key],
          isCommittedKey: isCommitted(offer, key),
          facts: [
            offer.fact, Fact("Deposit: the merchant signed the key", deposit.deposit.hash), approval.fact,
          ]))
    }
    for record in records
    where record.payload.merchant == offer.merchant && record.payload.n == offer.n
      && isCommitted(offer, record.payload.key)
    {
      result.append(
        PromisedGoods(
          offer: offer, claim: claim, digests: offer.digests, keys: [record.payload.key],
          facts: [
            offer.fact, Fact("the bank's record publishes the key", at: record.payload.at, record.hash),
          ]))
    }
    return result
  }

  // MARK: Trying the goods

  private func judge(_ goods: PromisedGoods, _ aside: inout Set<SetAside>) -> Verdict? {
    let subject = goods.offer.transaction.subject
    let culprit = culprit(.merchant, goods.offer.merchant)
    guard goods.isCommittedKey else {
      let fact = Fact("the key is not what the contract commits to")
      return convict(.badGoods, culprit, subject, goods.facts + [fact])
    }
    var complaints: [Fact] = []
    var praise: [Fact] = []
    for proof in evidence.chunks.values.sorted(by: { $0.index < $1.index })
    where proof.holds(for: goods.claim) {
      let opens = goods.keys.contains { proof.opens(key: $0, n: goods.offer.n) }
      guard !opens else { continue }
      complaints.append(Fact("chunk \(proof.index) stands under the contract's root and does not open"))
    }
    for source in evidence.goods where source.length == goods.claim.length {
      let trials = goods.keys.map { tried(source, goods.claim, key: $0, n: goods.offer.n) }
      if let fact = praising(trials, goods.digests, source) {
        praise.append(fact)
      } else if trials.contains(.otherGoods) {
        aside.insert(SetAside(what: source.name, message: nil, reason: "another root than the contract's"))
      } else if case .unreadable(let rule)? = trials.first(where: {
        if case .unreadable = $0 { true } else { false }
      }) {
        aside.insert(SetAside(what: source.name, message: nil, reason: "cannot be read: \(rule)"))
      } else {
        complaints.append(complaint(trials, source))
      }
    }
    if !praise.isEmpty && complaints.isEmpty {
      return spare(.badGoods, .noFault, subject, goods.facts + praise)
    }
    guard !complaints.isEmpty else { return nil }
    return convict(.badGoods, culprit, subject, goods.facts + complaints)
  }

  private func praising(_ trials: [Trial], _ digests: [Hash], _ source: any GoodsSource) -> Fact? {
    for case .opens(let digest?) in trials where digests.isEmpty || digests.contains(digest) {
      return Fact(
        digests.isEmpty
          ? "\(source.name) opens; the contract names no digest of the plaintext"
          : "\(source.name) opens, and its plaintext's digest is the contract's")
    }
    return nil
  }

  private func complaint(_ trials: [Trial], _ source: any GoodsSource) -> Fact {
    for case .opens in trials {
      return Fact("\(source.name) opens, and its plaintext's digest is not in the contract")
    }
    return Fact("\(source.name) is the contract's ciphertext and does not open with the key")
  }

  /// One pass for root and opening both, so that goods that change meanwhile convict nobody.
  private func tried(_ source: any GoodsSource, _ claim: GoodsClaim, key: [UInt8], n: TransactionID) -> Trial
  {
    var check = GoodsStream(checking: .sodium)
    var digest = HashStream()
    do throws(MessageError) {
      var open = try GoodsStream(opening: key, n: n)
      var broken = false
      try source.eachBlock { block throws(MessageError) in
        _ = try check.update(block)
        guard !broken else { return }
        do throws(MessageError) { digest.update(try open.update(block)) } catch { broken = true }
      }
      let (_, root, length) = try check.finish()
      guard root == claim.root, length == claim.length else { return .otherGoods }
      if broken { return .doesNotOpen }
      do throws(MessageError) { digest.update(try open.finish(root: claim.root, length: claim.length)) } catch
      {
        return .doesNotOpen
      }
      return .opens(digest: digest.hash())
    } catch { return .unreadable(error.rule) }
  }
}
