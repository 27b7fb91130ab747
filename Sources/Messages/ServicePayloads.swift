// Messages around a sale: request, complaint, offers, credits, refusals, status and account answers
// (docs/SPEC.md, "Service").

internal import CCore

/// N1: C→M, signed by the pseudonym of this purchase. I want this, at the price that I saw.
public struct N1: Payload {
  public static let type = MessageType.n1
  public var nonce: Nonce
  public var price: Money
  public var offer: Nonce
  /// The customer wants two-sided delivery.
  public var twoSided: Bool
  /// By which protocol.
  public var mode: Mode
  /// Physical goods: where the customer wants to collect them, one of the offer's offices.
  public var office: PublicKey?
  /// Physical goods: keys that may collect in P's place, such as a card's.
  public var collectKeys: [PublicKey]

  public init(
    nonce: Nonce, price: Money, offer: Nonce, twoSided: Bool, mode: Mode = .core, office: PublicKey? = nil,
    collectKeys: [PublicKey] = []
  ) {
    (self.nonce, self.price, self.offer, self.twoSided) = (nonce, price, offer, twoSided)
    (self.mode, self.office, self.collectKeys) = (mode, office, collectKeys)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    mode = try Mode(number: f.required(Int(ACD_N1_MODE)).number, "N1.mode")
    nonce = f.required(ACD_KEY_NONCE).nonce
    price = f.required(ACD_KEY_VALUE).money
    offer = f.required(Int(ACD_N1_OFFER)).nonce
    twoSided = f.required(Int(ACD_N1_TWO_SIDED)).flag
    office = f.value(Int(ACD_N1_OFFICE))?.publicKey
    collectKeys = try f.value(Int(ACD_N1_COLLECT_KEYS))?.publicKeys ?? []
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_NONCE, nonce)
    f.put(ACD_KEY_VALUE, price)
    f.put(Int(ACD_N1_OFFER), offer)
    f.put(Int(ACD_N1_TWO_SIDED), twoSided)
    f.put(Int(ACD_N1_MODE), mode.rawValue)
    f.put(Int(ACD_N1_OFFICE), office)
    f.put(Int(ACD_N1_COLLECT_KEYS), list: collectKeys.isEmpty ? nil : collectKeys)
  }
}

/// NAK: C→M, signed by P. The ciphertext is damaged in these ranges, or: I do not want it.
public struct NAK: Payload {
  public static let type = MessageType.nak
  public var n: TransactionID
  public var hP1: Hash
  public var decline: Bool
  /// Pairs of offset and length into the sealed goods.
  public var badRanges: [UInt64]

  public init(n: TransactionID, hP1: Hash, decline: Bool, badRanges: [UInt64] = []) {
    (self.n, self.hP1, self.decline, self.badRanges) = (n, hP1, decline, badRanges)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    n = f.required(ACD_KEY_N).transaction
    hP1 = f.required(ACD_KEY_H_P1).hash
    decline = f.required(Int(ACD_NAK_DECLINE)).flag
    badRanges = try f.value(Int(ACD_NAK_BAD_RANGES))?.elements { (v) throws(MessageError) in v.number } ?? []
    guard badRanges.count.isMultiple(of: 2) else {
      throw MessageError(.malformed, "field-range", "NAK.bad_ranges")
    }
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_H_P1, hP1)
    f.put(Int(ACD_NAK_DECLINE), decline)
    f.put(Int(ACD_NAK_BAD_RANGES), numbers: badRanges.isEmpty ? nil : badRanges)
  }
}

/// Something for sale.
public struct Offer: Fields {
  public static let type = MessageType.offer
  public var price: Money
  public var id: Nonce
  public var description: String
  /// The goods' file name.
  public var name: String
  /// Bytes of the goods in the clear.
  public var length: UInt64
  /// Sold with two-sided delivery only.
  public var twoSided: Bool
  /// The protocols by which it is sold.
  public var modes: [Mode]
  /// Physical goods: where they can be collected; empty: nothing but the file is sold.
  public var offices: [PublicKey]

  public init(
    price: Money, id: Nonce, description: String, name: String, length: UInt64, twoSided: Bool,
    modes: [Mode] = [.core], offices: [PublicKey] = []
  ) {
    (self.modes, self.offices) = (modes, offices)
    (self.price, self.id, self.description) = (price, id, description)
    (self.name, self.length, self.twoSided) = (name, length, twoSided)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    let numbers = try f.required(Int(ACD_OFFER_MODES)).elements { (v) throws(MessageError) in v.number }
    modes = try numbers.map { (number) throws(MessageError) in try Mode(number: number, "offer.modes") }
    price = f.required(ACD_KEY_VALUE).money
    id = f.required(Int(ACD_OFFER_ID)).nonce
    description = f.required(Int(ACD_OFFER_DESCRIPTION)).text
    name = f.required(Int(ACD_OFFER_NAME)).text
    length = f.required(Int(ACD_OFFER_LENGTH)).number
    twoSided = f.required(Int(ACD_OFFER_TWO_SIDED)).flag
    offices = try f.value(Int(ACD_OFFER_OFFICES))?.publicKeys ?? []
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, price)
    f.put(Int(ACD_OFFER_ID), id)
    f.put(Int(ACD_OFFER_DESCRIPTION), description)
    f.put(Int(ACD_OFFER_NAME), name)
    f.put(Int(ACD_OFFER_LENGTH), length)
    f.put(Int(ACD_OFFER_TWO_SIDED), twoSided)
    f.put(Int(ACD_OFFER_MODES), numbers: modes.map(\.rawValue))
    f.put(Int(ACD_OFFER_OFFICES), list: offices.isEmpty ? nil : offices)
  }
}

/// Offers: published by M.
public struct Offers: Payload {
  public static let type = MessageType.offers
  public var at: Timestamp
  public var offers: [Offer]

  public init(at: Timestamp, offers: [Offer]) { (self.at, self.offers) = (at, offers) }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    offers = try f.required(Int(ACD_OFFERS_LIST)).maps(Offer.self)
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_AT, at)
    try f.put(Int(ACD_OFFERS_LIST), maps: offers)
  }
}

/// Credit: B→M. The value of lock L is in the account.
public struct Credit: Payload {
  public static let type = MessageType.credit
  public var amount: Money
  public var lock: Hash
  public var at: Timestamp
  public var account: String

  public init(amount: Money, lock: Hash, at: Timestamp, account: String) {
    (self.amount, self.lock, self.at, self.account) = (amount, lock, at, account)
  }
  public init(_ f: FieldReader) {
    amount = f.required(ACD_KEY_VALUE).money
    lock = f.required(ACD_KEY_LOCK).hash
    at = f.required(ACD_KEY_AT).number
    account = f.required(Int(ACD_CREDIT_ACCOUNT)).text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_LOCK, lock)
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_CREDIT_ACCOUNT), account)
  }
}

/// Refusal: the signed answer of whoever does not do what was asked.
public struct Refusal: Payload {
  public static let type = MessageType.refusal
  public var at: Timestamp
  /// A `Reason`'s number; unknown numbers are kept.
  public var code: UInt64
  /// H of what was refused.
  public var hRequest: Hash
  /// What shows that it had to be refused: "spent" and "locked" carry the P2.
  public var proof: [[UInt8]]
  /// For a person.
  public var detail: String?

  /// The reason, if this build knows it.
  public var reason: Reason? { Reason(rawValue: code) }

  public init(at: Timestamp, reason: Reason, hRequest: Hash, proof: [[UInt8]] = [], detail: String?) {
    (self.at, self.code, self.hRequest) = (at, reason.rawValue, hRequest)
    (self.proof, self.detail) = (proof, detail)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    code = f.required(ACD_KEY_REASON).number
    hRequest = f.required(ACD_KEY_H_REQUEST).hash
    proof = try f.value(ACD_KEY_PROOF)?.arrays ?? []
    detail = f.value(Int(ACD_REFUSAL_DETAIL))?.text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_REASON, code)
    f.put(ACD_KEY_H_REQUEST, hRequest)
    if !proof.isEmpty { f.put(ACD_KEY_PROOF, messages: proof) }
    f.put(Int(ACD_REFUSAL_DETAIL), detail)
  }
}

/// Query: what is the state of (M, n), or of the token with this serial? Signed by p, q, M or B. Or, by M,
/// B or W: which of the outcomes in this archive's record may I see?
public struct StatusQuery: Payload {
  public static let type = MessageType.statusQuery
  public var n: TransactionID?
  public var merchant: PublicKey?
  /// The archive that the token is bound to, if it is; or the archive that is asked for its record.
  public var archive: PublicKey?
  public var nonce: Nonce
  /// With the signer's key Q it names a token.
  public var serial: Hash?
  /// Who issued the token, if it was not the bank that is asked.
  public var issuer: PublicKey?
  /// Asks for the record, behind this sequence number.
  public var after: UInt64?

  public init(
    n: TransactionID?, merchant: PublicKey?, nonce: Nonce, serial: Hash? = nil, archive: PublicKey? = nil,
    issuer: PublicKey? = nil
  ) {
    (self.n, self.merchant, self.nonce, self.serial) = (n, merchant, nonce, serial)
    (self.archive, self.issuer) = (archive, issuer)
  }

  /// Asks an archive for the outcomes behind a sequence number that its signer may see.
  public init(record archive: PublicKey, after: UInt64, nonce: Nonce) {
    self.init(n: nil, merchant: nil, nonce: nonce, archive: archive)
    self.after = after
  }

  /// Whether it asks this archive for its record, and for nothing else.
  public func asks(record archive: PublicKey) -> Bool {
    self == StatusQuery(record: archive, after: after ?? 0, nonce: nonce)
  }

  /// Asks for a token, as its key.
  public init(_ token: Token, nonce: Nonce) {
    self.init(
      n: nil, merchant: nil, nonce: nonce, serial: token.serial, archive: token.archive,
      issuer: token.place?.issuer)
  }

  /// Whether it asks for this token, where the token's key signed it.
  public func names(_ token: Token) -> Bool {
    serial == token.serial && archive == token.archive && issuer == token.place?.issuer
  }
  public init(_ f: FieldReader) {
    n = f.value(ACD_KEY_N)?.transaction
    merchant = f.value(ACD_KEY_MERCHANT)?.publicKey
    archive = f.value(ACD_KEY_ARCHIVE)?.publicKey
    nonce = f.required(ACD_KEY_NONCE).nonce
    serial = f.value(Int(ACD_STATUS_QUERY_SERIAL))?.hash
    issuer = f.value(Int(ACD_STATUS_QUERY_ISSUER))?.publicKey
    after = f.value(Int(ACD_STATUS_QUERY_AFTER))?.number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_N, n)
    f.put(ACD_KEY_MERCHANT, merchant)
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_NONCE, nonce)
    f.put(Int(ACD_STATUS_QUERY_SERIAL), serial)
    f.put(Int(ACD_STATUS_QUERY_ISSUER), issuer)
    f.put(Int(ACD_STATUS_QUERY_AFTER), after)
  }
}

/// Status: the signed answer to a query.
public struct StatusAnswer: Payload {
  public static let type = MessageType.status
  /// A token's unspent, unlocked rest.
  public var remainder: Money?
  public var at: Timestamp
  public var hQuery: Hash
  public var proof: [[UInt8]]
  public var state: TransactionState
  /// Of a record: the number behind which to go on.
  public var next: UInt64?

  public init(
    remainder: Money? = nil, at: Timestamp, hQuery: Hash, proof: [[UInt8]], state: TransactionState,
    next: UInt64? = nil
  ) {
    (self.remainder, self.at, self.hQuery) = (remainder, at, hQuery)
    (self.proof, self.state, self.next) = (proof, state, next)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    remainder = f.value(ACD_KEY_VALUE)?.money
    at = f.required(ACD_KEY_AT).number
    hQuery = f.required(ACD_KEY_H_REQUEST).hash
    proof = try f.value(ACD_KEY_PROOF)?.arrays ?? []
    guard let state = TransactionState(rawValue: f.required(ACD_KEY_STATE).number) else {
      throw MessageError(.malformed, "field-range", "Status.state")
    }
    self.state = state
    next = f.value(Int(ACD_STATUS_NEXT))?.number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, remainder)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hQuery)
    if !proof.isEmpty { f.put(ACD_KEY_PROOF, messages: proof) }
    f.put(ACD_KEY_STATE, state.rawValue)
    f.put(Int(ACD_STATUS_NEXT), next)
  }
}

/// AQ: the account's key asks for the account's balance and its withdrawals.
public struct AccountQuery: Payload {
  public static let type = MessageType.accountQuery
  public var bank: PublicKey
  public var nonce: Nonce
  /// Where to go on: 0, or `next` of the answer before.
  public var from: UInt64

  public init(bank: PublicKey, nonce: Nonce, from: UInt64) {
    (self.bank, self.nonce, self.from) = (bank, nonce, from)
  }
  public init(_ f: FieldReader) {
    bank = f.required(ACD_KEY_BANK).publicKey
    nonce = f.required(ACD_KEY_NONCE).nonce
    from = f.required(Int(ACD_ACCOUNT_QUERY_FROM)).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_BANK, bank)
    f.put(ACD_KEY_NONCE, nonce)
    f.put(Int(ACD_ACCOUNT_QUERY_FROM), from)
  }
}

/// AA: balance and a page of past withdrawals, W1 and W2 in turn.
public struct AccountAnswer: Payload {
  public static let type = MessageType.account
  public var balance: Money
  public var at: Timestamp
  public var hQuery: Hash
  public var history: [[UInt8]]
  /// Ask again from here; nil at the end.
  public var next: UInt64?

  public init(balance: Money, at: Timestamp, hQuery: Hash, history: [[UInt8]], next: UInt64?) {
    (self.balance, self.at, self.hQuery) = (balance, at, hQuery)
    (self.history, self.next) = (history, next)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    balance = f.required(ACD_KEY_VALUE).money
    at = f.required(ACD_KEY_AT).number
    hQuery = f.required(ACD_KEY_H_REQUEST).hash
    history = try f.required(Int(ACD_ACCOUNT_HISTORY)).arrays
    next = f.value(Int(ACD_ACCOUNT_NEXT))?.number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, balance)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hQuery)
    f.put(Int(ACD_ACCOUNT_HISTORY), list: history)
    f.put(Int(ACD_ACCOUNT_NEXT), next)
  }
}
