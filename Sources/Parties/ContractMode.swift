// The modes in which M offers under a contract and C authorises the payment itself. Sale
// and purchase are written once over them; here stands what differs.

public import Messages

/// A mode as customer and merchant see it.
public protocol ContractMode: ArchiveMode
where Request == AuthorizationQ<Self>, LockMessage == AuthorizationB<Self> {
  /// P1 or its kin.
  associatedtype Offer: OfferPayload
  /// C's signature that all of the ciphertext is here: S_p(P1) or its kin.
  associatedtype Note: Payload
  /// What M signs to offer.
  static func offer(
    n: TransactionID, hx: Hash, salt: Hash, contract: Contract, goods: GoodsClaim
  ) -> Offer
  /// What C signs once it has all of the ciphertext.
  static func note(for offer: Verified<Offer>) -> Note
  /// What M signs to commit. `k` is the goods' key.
  static func submission(_ lock: Verified<LockMessage>, k: [UInt8]) -> Submission
}

extension ContractMode where Offer == P1 {
  public static func offer(
    n: TransactionID, hx: Hash, salt: Hash, contract: Contract, goods: GoodsClaim
  ) -> P1 {
    P1(n: n, hx: hx, root: goods.root, length: goods.length, salt: salt, contract: contract)
  }
}

extension ContractMode where Note == Acknowledgement {
  public static func note(for offer: Verified<Offer>) -> Acknowledgement {
    Acknowledgement(n: offer.payload.n, merchant: offer.signer, hP1: offer.hash)
  }
}

/// x = k ⊕ mask, and k = x ⊕ mask. Without a mask the key is published as it is.
public func masked(_ key: [UInt8], by mask: Hash?) -> [UInt8] {
  guard let mask else { return key }
  return zip(key, mask.bytes).map { $0 ^ $1 }
}

extension CoreMode: ContractMode {
  public typealias Offer = P1
  public typealias Note = Acknowledgement

  public static func submission(_ lock: Verified<P3>, k: [UInt8]) -> P4 {
    let terms = lock.payload.terms
    return P4(n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: k)
  }
}

extension JointMode: ContractMode {
  public typealias Offer = P1
  public typealias Note = Acknowledgement

  public static func submission(_ lock: Verified<JA3>, k: [UInt8]) -> JA4 {
    let terms = lock.payload.terms
    return JA4(
      n: terms.n, value: terms.value, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: k)
  }
}
