// Early commitment (US 6,076,078, FIG. 5; docs/SPEC.md, "Early"): the tokens are locked before there are
// goods. C acknowledges them with E5; where it does not, M leaves all of the ciphertext with the archive,
// which vouches for it (a forced commit).
//
// Invariants: k = x ⊕ r, so the record alone opens nothing; an E7a always shows E5 or the archive's Held,
// both over the E4 that E6 names (attacks 7 and 8), and without one of them nobody acts on it.

public import Messages

/// What comes with E6: how the goods reached the customer.
public enum EarlyDelivery: Equatable, Sendable {
  /// C has them.
  case acknowledged(Verified<E5>)
  /// C did not say so: the archive has to hold them.
  case forced(Verified<E4>)
}

extension EarlyMode: ArchiveMode {
  public static func attachment(
    _ rest: ArraySlice<[UInt8]>, beside lock: Verified<E3>
  ) throws(MessageError) -> EarlyDelivery {
    guard let first = rest.first, rest.count == 1 else {
      throw MessageError(.malformed, "field-range", "E6 bundle")
    }
    let terms = lock.payload.terms
    guard try MessageType(peeking: first) == .e4 else {
      return .acknowledged(try Verified(first, by: .key(terms.pseudonym)))
    }
    return .forced(try Verified(first, by: .key(terms.merchant)))
  }

  public static func promise(_ attachment: EarlyDelivery) -> Hash? {
    if case .forced(let e4) = attachment { e4.hash } else { nil }
  }

  public static func check(
    _ attachment: EarlyDelivery, submission: Verified<E6>, terms: LockTerms, holdsGoods: Bool
  ) -> Denial? {
    let e6 = submission.payload
    switch attachment {
    case .acknowledged(let e5):
      guard e6.delivery == .acknowledged, e5.payload == acknowledgement(of: e6.hE4, terms) else {
        return Denial(.mismatch, "E5 is for other goods")
      }
    case .forced(let e4):
      guard e6.delivery == .forced, e4.hash == e6.hE4, e4.payload.n == terms.n, e4.payload.hP1 == terms.hP1
      else { return Denial(.mismatch, "E4 is of other goods") }
      if !holdsGoods { return .notHeld }
    }
    return nil
  }

  public static func commit(
    _ submission: Verified<E6>, _ attachment: EarlyDelivery, terms: LockTerms, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(MessageError) -> E7a {
    var commit = E7a(submission: submission.bytes, at: now, lifetime: terms.lifetime)
    switch attachment {
    case .acknowledged(let e5): commit.acknowledgement = e5.bytes
    case .forced(let e4):
      let held = Held(
        n: terms.n, merchant: terms.merchant, lock: submission.payload.lock, root: e4.payload.root,
        length: e4.payload.length, until: terms.lifetime, hGoods: e4.hash)
      commit.held = try Verified(signing: held, with: key).bytes
    }
    return commit
  }

  /// What C signs over E4.
  fileprivate static func acknowledgement(of hE4: Hash, _ terms: LockTerms) -> E5 {
    E5(n: terms.n, merchant: terms.merchant, hE4: hE4)
  }

  public static func due(
    _ commit: Verified<E7a>, _ submission: Verified<E6>, under terms: LockTerms
  ) throws(Mismatch) -> Money {
    try checkKey(submission, hx: terms.hx, of: terms)
    let e6 = submission.payload
    switch e6.delivery {
    case .acknowledged:
      let e5 = commit.payload.acknowledgement.flatMap { try? Verified<E5>($0, by: .key(terms.pseudonym)) }
      guard e5?.payload == acknowledgement(of: e6.hE4, terms) else {
        throw Mismatch("the customer's E5 is not there")
      }
    case .forced: try checkHeld(commit.payload.held, e6.hE4, submission, archive: commit.signer)
    }
    return terms.value
  }
}

extension LockMode {
  /// That the archive vouches for goods under this lock: until the end of the lifetime it serves them.
  static func checkHeld(
    _ held: [UInt8]?, _ hGoods: Hash, _ submission: Verified<Submission>, archive: PublicKey
  ) throws(Mismatch) {
    let word = held.flatMap { try? Verified<Held>($0, by: .key(archive)) }?.payload
    guard let word, word.hGoods == hGoods, word.lock == submission.payload.lock,
      word.n == submission.payload.n, word.merchant == submission.signer
    else { throw Mismatch("the archive's word that it holds the goods is not there") }
  }
}

extension EarlyMode: ContractMode {
  public typealias Offer = E1
  public typealias Note = E5

  public static var deliversAfterLock: Bool { true }

  public static func offer(_ draft: OfferDraft) -> E1 {
    let x = masked(draft.k, by: draft.mask)
    return E1(
      n: draft.n, hx: draft.hx(.early, publishing: x), salt: draft.salt, contract: draft.contract,
      maskBytes: draft.mask.bytes)
  }

  public static func merchandise(for offer: Verified<E1>, _ goods: GoodsClaim) -> E4? {
    E4(n: offer.payload.n, hP1: offer.hash, root: goods.root, length: goods.length)
  }

  public static func note(for offer: Verified<E1>, _ merchandise: Verified<E4>?) -> E5? {
    merchandise.map { E5(n: offer.payload.n, merchant: offer.signer, hE4: $0.hash) }
  }

  public static func submission(_ lock: Verified<E3>, _ sold: Sold<E1>) -> E6 {
    let terms = lock.payload.terms
    guard let e4 = sold.merchandise else { preconditionFailure("E4 is signed with the offer") }
    return E6(
      n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: sold.x, hE4: e4.hash,
      delivery: sold.delivery)
  }

  public static func merchandise(of submission: E6) -> Hash? { submission.hE4 }
}
