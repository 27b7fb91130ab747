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
  /// True where the goods come after the lock (FIG. 5): the offer does not name the ciphertext, E4 does.
  static var deliversAfterLock: Bool { get }
  /// What M signs to offer.
  static func offer(_ draft: OfferDraft) -> Offer
  /// What M signs of the ciphertext where it comes after the lock; with the offer, and kept until then.
  static func merchandise(for offer: Verified<Offer>, _ goods: GoodsClaim) -> E4?
  /// What C signs once it has all of the ciphertext. Nil where `merchandise` has to be known and is not.
  static func note(for offer: Verified<Offer>, _ merchandise: Verified<E4>?) -> Note?
  /// What M signs to commit.
  static func submission(_ lock: Verified<LockMessage>, _ sold: Sold<Offer>) -> Submission
  /// H of the E4 that a submission names.
  static func merchandise(of submission: Submission) -> Hash?
  /// What M does when time runs out and the customer has said nothing more.
  static func ending(_ sold: Sold<Offer>) -> SaleEnding
  /// What a submission shows beside the lock. `note` is the customer's, if it is there.
  static func shown(_ sold: Sold<Offer>, note: Verified<Note>?) -> [[UInt8]]
  /// k_i, of the one secret that M keeps for a sale.
  static func goodsKey(_ secret: [UInt8], _ index: UInt64) -> [UInt8]
  /// k of the offer's goods, out of what the archive published.
  static func goodsKey(published: Submission, _ offer: Offer) -> [UInt8]?
  /// Nil if a lock of these terms pays this price; otherwise why not.
  static func check(_ terms: LockTerms, price: Money) -> Denial?
  /// R4, which M signs once the tokens are locked; nil but for a series.
  static func firstKey(for offer: Verified<Offer>, secret: [UInt8]) -> R4?
  /// What goes on under the lock at M, out of what was kept; nil but for a series.
  static func merchantSeries(
    _ offer: Verified<Offer>, _ lock: Verified<LockMessage>, secret: [UInt8], messages: [Label: [UInt8]]
  ) throws(MessageError) -> MerchantSeries?
  /// What goes on under the lock at C.
  static func customerSeries(
    _ offer: Verified<Offer>, _ lock: Verified<LockMessage>, messages: [Label: [UInt8]]
  ) throws(MessageError) -> CustomerSeries?
}

/// How M ends a sale that waits for its customer.
public enum SaleEnding: Equatable, Sendable {
  /// Give it up.
  case cancel
  /// Submit what there is.
  case submit
  /// Leave the goods that this message describes with the archive, then submit.
  case force([UInt8])
}

/// What M draws and decides for an offer.
public struct OfferDraft: Sendable {
  public var n: TransactionID
  public var merchant: PublicKey
  /// The goods' key, fresh for this sale.
  public var k: [UInt8]
  /// r, 32 fresh random bytes, for modes that mask the published key.
  public var mask: Hash
  public var salt: Hash
  public var contract: Contract
  public var goods: GoodsClaim

  public init(
    n: TransactionID, merchant: PublicKey, k: [UInt8], mask: Hash, salt: Hash, contract: Contract,
    goods: GoodsClaim
  ) {
    (self.n, self.merchant, self.k, self.mask, self.salt) = (n, merchant, k, mask, salt)
    (self.contract, self.goods) = (contract, goods)
  }

  /// Commits to the key that the archive will publish.
  func hx(_ mode: Mode, publishing key: [UInt8]) -> Hash {
    .keyCommitment(mode, merchant: merchant, n: n, key: key)
  }
}

/// What M sold under an offer, and how it counts as delivered.
public struct Sold<Offer: OfferPayload>: Sendable {
  public let offer: Verified<Offer>
  /// The goods' key.
  public let k: [UInt8]
  /// E4, where the goods come after the lock.
  public let merchandise: Verified<E4>?
  public let series: MerchantSeries?
  public let delivery: Delivery

  /// x: the key that the archive publishes.
  var x: [UInt8] { masked(k, by: offer.payload.mask) }
}

extension ContractMode {
  public static var deliversAfterLock: Bool { false }
  public static func merchandise(for offer: Verified<Offer>, _ goods: GoodsClaim) -> E4? { nil }
  public static func merchandise(of submission: Submission) -> Hash? { nil }
  public static func ending(_ sold: Sold<Offer>) -> SaleEnding {
    sold.merchandise.map { .force($0.bytes) } ?? .cancel
  }
  public static func shown(_ sold: Sold<Offer>, note: Verified<Note>?) -> [[UInt8]] {
    let shown = sold.delivery == .forced ? sold.merchandise?.bytes : note?.bytes
    return shown.map { [$0] } ?? []
  }
  public static func goodsKey(_ secret: [UInt8], _ index: UInt64) -> [UInt8] { secret }
  public static func goodsKey(published: Submission, _ offer: Offer) -> [UInt8]? {
    masked(published.key, by: offer.mask)
  }
  public static func check(_ terms: LockTerms, price: Money) -> Denial? {
    if terms.value == price { return nil }
    return Denial(.wrongValue, "\(lockType.label) is over \(terms.value), the price is \(price)")
  }
  public static func firstKey(for offer: Verified<Offer>, secret: [UInt8]) -> R4? { nil }
  public static func merchantSeries(
    _ offer: Verified<Offer>, _ lock: Verified<LockMessage>, secret: [UInt8], messages: [Label: [UInt8]]
  ) throws(MessageError) -> MerchantSeries? { nil }
  public static func customerSeries(
    _ offer: Verified<Offer>, _ lock: Verified<LockMessage>, messages: [Label: [UInt8]]
  ) throws(MessageError) -> CustomerSeries? { nil }
}

extension ContractMode where Offer == P1 {
  public static func offer(_ draft: OfferDraft) -> P1 {
    P1(
      n: draft.n, hx: draft.hx(mode, publishing: draft.k), root: draft.goods.root,
      length: draft.goods.length, salt: draft.salt, contract: draft.contract)
  }
}

extension ContractMode where Note == Acknowledgement {
  public static func note(for offer: Verified<Offer>, _: Verified<E4>?) -> Acknowledgement? {
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

  public static func submission(_ lock: Verified<P3>, _ sold: Sold<P1>) -> P4 {
    let terms = lock.payload.terms
    return P4(n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash, key: sold.x)
  }
}

extension JointMode: ContractMode {
  public typealias Offer = P1
  public typealias Note = Acknowledgement

  public static func submission(_ lock: Verified<JA3>, _ sold: Sold<P1>) -> JA4 {
    let terms = lock.payload.terms
    return JA4(
      n: terms.n, value: terms.value, expiration: terms.expiration, hP1: terms.hP1, lock: lock.hash,
      key: sold.x)
  }
}
