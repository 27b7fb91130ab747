// What the customer's machines of all modes have in common: everything up to the payment, and the goods after
// it. What lies between is each machine's own.

public import Messages

/// A customer's machine of one purchase, by whichever protocol.
public protocol CustomerMachine: Sendable {
  /// What M signs to offer: P1 or its kin, PO.
  associatedtype Offer: PromisePayload

  /// Takes the machine up again from what `keep` stored.
  init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError)
  /// Where it stands.
  var phase: PurchasePhase { get }
  /// The offer, while it matters.
  var p1: Verified<Offer>? { get }
  /// What the ciphertext is, once M has said so.
  var goods: GoodsClaim? { get }
  /// The tokens that a message pays with; none if it is no payment of this protocol.
  static func inputs(of message: [UInt8]) -> [TokenInput]
  /// k, once paid.
  var goodsKey: [UInt8]? { get }

  /// All of the ciphertext is here; this is its root and length.
  mutating func ciphertextChecked(root: Hash, length: UInt64) -> [CustomerEffect]
  /// Gives up before paying. Nothing was spent.
  mutating func abandoned() -> [CustomerEffect]
  /// The goods are open and stored.
  mutating func opened() -> [CustomerEffect]
}

/// A purchase that begins with N1 alone.
public protocol RequestedMachine: CustomerMachine {
  /// P1 arrived; M's signature holds. `description` is the offer's, whose hash P1 has to carry.
  mutating func offered(
    _ p1: Verified<Offer>, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> [CustomerEffect]
}

/// A purchase under a contract.
public protocol PurchaseMachine: RequestedMachine where Offer: OfferPayload {
  /// The mode in which its tokens authorise the payment.
  associatedtype Mode: TokenMode

  /// The payment, while it matters.
  var p2: Verified<AuthorizationQ<Mode>>? { get }
  /// L, once paid.
  var paidLock: Hash? { get }

  /// What P2 will say, for these tokens. `budget` is what a series may cost; nil: the price.
  func authorization(
    tokens: [TokenInput], bank: PublicKey, archive: PublicKey, expiration: Timestamp, budget: Money?
  ) throws(Denial) -> AuthorizationQ<Mode>
  /// P2 is signed.
  mutating func authorised(_ p2: Verified<AuthorizationQ<Mode>>) -> [CustomerEffect]
}

/// A purchase whose lock ends by an archive's record.
public protocol LockedMachine: CustomerMachine {
  associatedtype Mode: LockMode
  /// The bank's lock, once known.
  var p3: Verified<Mode.LockMessage>? { get }
  /// An outcome arrived, from whomever; its signatures hold.
  mutating func decided(_ outcome: Outcome<Mode>) -> [CustomerEffect]
}

extension PurchaseMachine {
  public static func inputs(of message: [UInt8]) -> [TokenInput] {
    (try? Verified<AuthorizationQ<Mode>>(stored: message))?.payload.tokenInputs ?? []
  }
}

extension CustomerMachine {
  public var goods: GoodsClaim? { p1?.payload.goods }

  /// The customer does not want it: NAK, by P, tells the merchant. Before the payment the purchase ends with
  /// it; after it, only the record ends it.
  public mutating func declined(pseudonym: borrowing SigningKey) throws(MessageError) -> [CustomerEffect] {
    guard !phase.isFinal, phase != .paid else {
      return [.deny(Denial(.tooLate, "this purchase has ended, or is paid"))]
    }
    guard let p1 else { return abandoned() }
    let nak = try Verified(
      signing: NAK(n: p1.payload.n, hP1: p1.hash, decline: true), with: pseudonym)
    let told: [CustomerEffect] = [.keep(.nak, nak.bytes), .send(nak.bytes, to: p1.signer)]
    return phase.isUnpaid ? told + abandoned() : told
  }
}

extension CustomerPurchase: LockedMachine {}

extension CustomerPurchase: PurchaseMachine {
  public typealias Mode = M
  public typealias Offer = M.Offer
}

// MARK: What every contract has to pass

extension CustomerPolicy {
  /// Nil if the offer is what was asked for; otherwise what is wrong (docs/SPEC.md, "P1").
  func check<O: OfferPayload>(
    _ p1: Verified<O>, for n1: Verified<N1>, mode: Messages.Mode, description: String, at now: Timestamp
  ) -> Denial? {
    let contract = p1.payload.contract
    guard contract.pseudonym == n1.signer else { return Denial(.mismatch, "P1 is for another pseudonym") }
    guard contract.price == n1.payload.price else {
      return Denial(.wrongValue, "P1 asks \(contract.price), the offer was \(n1.payload.price)")
    }
    guard contract.mode == mode else { return Denial(.unsupported, "P1 is for another protocol") }
    guard contract.twoSided || !n1.payload.twoSided else {
      return Denial(.mismatch, "two-sided delivery was asked for")
    }
    guard contract.descriptionHash == .description(description, salt: p1.payload.salt) else {
      return Denial(.mismatch, "P1 describes something else than the offer")
    }
    if let denial = contract.delivers(otherwiseThan: n1.payload, at: now) { return denial }
    if let goods = p1.payload.goods {
      guard goods.length <= trust.goodsLengthMax, (try? Goods.length(sealed: goods.length)) != nil
      else {
        return Denial(.limit, "the goods' length is impossible or over the limit")
      }
    }
    guard contract.expirationMax > now + trust.answerSeconds else {
      return Denial(.tooLate, "the offer leaves no time to pay")
    }
    guard contract.lifetime >= contract.expirationMax + trust.lifetimeSeconds else {
      let least = trust.lifetimeSeconds
      return Denial(.lifetime, "the contract's lifetime ends less than \(least) seconds after its expiration")
    }
    return nil
  }
}

extension Contract {
  /// Why a parcel would not come where the customer asked for it, to be collected by whom he named.
  fileprivate func delivers(otherwiseThan n1: N1, at now: Timestamp) -> Denial? {
    guard let office = n1.office else {
      return parcel == nil && offices.isEmpty && collectKeys.isEmpty
        ? nil : Denial(.mismatch, "P1 names a parcel, and none was asked for")
    }
    guard let parcel, ParcelLabel(parcel) != nil, offices == [office] else {
      return Denial(.mismatch, "P1 names no parcel, or another place to collect it than was asked for")
    }
    guard collectKeys == n1.collectKeys else {
      return Denial(.mismatch, "P1 lets others collect than was asked for")
    }
    guard let holdUntil, holdUntil > now, holdUntil <= lifetime else {
      return Denial(
        .lifetime, "P1 does not say for how long the parcel is kept, or for longer than its evidence")
    }
    return nil
  }
}

extension OfferPayload {
  /// The terms of a payment under this offer, or why the contract does not allow them: the merchant would
  /// only cancel. `hP1` is the offer's hash, `merchant` its signer, `budget` what a series may cost.
  func terms(
    hP1: Hash, merchant: PublicKey, bank: PublicKey, archive: PublicKey, expiration: Timestamp,
    budget: Money? = nil
  ) throws(Denial) -> LockTerms {
    guard contract.banks.contains(bank) else { throw Denial(.unsupported, "the contract names other banks") }
    guard contract.archives.contains(archive) else {
      throw Denial(.unsupported, "the contract names other archives")
    }
    guard expiration <= contract.expirationMax else {
      throw Denial(.expirationCap, "the contract ends before this expiration")
    }
    return LockTerms(
      n: n, merchant: merchant, archive: archive, pseudonym: contract.pseudonym,
      value: budget ?? contract.price, expiration: expiration, lifetime: contract.lifetime, hP1: hP1, hx: hx,
      base: contract.mode == .repeated ? contract.price : nil)
  }
}
