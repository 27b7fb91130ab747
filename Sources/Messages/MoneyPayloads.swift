// Tokens, withdrawal, exchange and the bank's key list (US 6,076,078, FIG. 1; docs/SPEC.md, "Money").

internal import CCore

/// Q*: a token. A store of value bound to the key pair (Q, q), blindly signed by the bank.
public struct Token: Fields, Hashable {
  public static let type = MessageType.token
  /// Invoice purchases only: the archive that the token is bound to (attack 11).
  public var archive: PublicKey?
  /// The one bank where it can be spent.
  public var bank: PublicKey
  /// Q.
  public var key: PublicKey
  public var serial: Hash
  /// The denomination key that signed it.
  public var keyID: Hash
  /// RFC 9474 signature over `id`, unblinded; as long as the denomination key's modulus.
  public var signature: [UInt8]
  public var issuer: PublicKey

  public init(
    archive: PublicKey? = nil, bank: PublicKey, key: PublicKey, serial: Hash, keyID: Hash, signature: [UInt8],
    issuer: PublicKey
  ) {
    self.archive = archive
    (self.bank, self.key, self.serial) = (bank, key, serial)
    (self.keyID, self.signature, self.issuer) = (keyID, signature, issuer)
  }
  public init(_ f: FieldReader) {
    archive = f.value(ACD_KEY_ARCHIVE)?.publicKey
    bank = f.required(ACD_KEY_BANK).publicKey
    key = f.required(ACD_KEY_TOKEN_KEY).publicKey
    serial = f.required(Int(ACD_TOKEN_SERIAL)).hash
    keyID = f.required(Int(ACD_TOKEN_KEY_ID)).hash
    signature = f.required(Int(ACD_TOKEN_SIGNATURE)).array
    issuer = f.required(Int(ACD_TOKEN_ISSUER)).publicKey
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_ARCHIVE, archive)
    f.put(ACD_KEY_BANK, bank)
    f.put(ACD_KEY_TOKEN_KEY, key)
    f.put(Int(ACD_TOKEN_SERIAL), serial)
    f.put(Int(ACD_TOKEN_KEY_ID), keyID)
    f.put(Int(ACD_TOKEN_SIGNATURE), bytes: signature)
    f.put(Int(ACD_TOKEN_ISSUER), issuer)
  }

  /// h(Q, serial), or h(Q, serial, A): the token's name at the bank, and what was signed blindly. With B and
  /// its issuer where they are not the same.
  public var id: Hash { .token(key: key, serial: serial, archive: archive, place: place) }
}

/// A token and how much of it is used.
public struct TokenInput: Fields {
  public static let type = MessageType.tokenInput
  public var token: Token
  /// Minor units of the token's currency, at least 1.
  public var amount: UInt64

  public init(token: Token, amount: UInt64) { (self.token, self.amount) = (token, amount) }
  public init(_ f: FieldReader) throws(MessageError) {
    token = try Token(encoded: f.required(Int(ACD_TOKEN_INPUT_TOKEN)).array)
    amount = f.required(Int(ACD_TOKEN_INPUT_AMOUNT)).number
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    try f.put(Int(ACD_TOKEN_INPUT_TOKEN), map: token)
    f.put(Int(ACD_TOKEN_INPUT_AMOUNT), amount)
  }
}

/// A token to be, blinded.
public struct Blinded: Fields {
  public static let type = MessageType.blinded
  public var keyID: Hash
  /// RFC 9474 blinded message, as long as the modulus.
  public var message: [UInt8]

  public init(keyID: Hash, message: [UInt8]) { (self.keyID, self.message) = (keyID, message) }
  public init(_ f: FieldReader) {
    keyID = f.required(Int(ACD_BLINDED_KEY_ID)).hash
    message = f.required(Int(ACD_BLINDED_MESSAGE)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(Int(ACD_BLINDED_KEY_ID), keyID)
    f.put(Int(ACD_BLINDED_MESSAGE), bytes: message)
  }
}

/// W1: C→B, signed by the account's key. Debit me and sign these blinded tokens. The same bytes are the
/// same order.
public struct W1: Payload {
  public static let type = MessageType.w1
  public var bank: PublicKey
  /// The sum of the outputs' denominations.
  public var amount: Money
  public var order: Nonce
  public var outputs: [Blinded]
  /// The wallet's own secrets for this withdrawal, sealed under its seed: lets a restored wallet unblind
  /// again.
  public var recovery: [UInt8]?

  public init(
    bank: PublicKey, amount: Money, order: Nonce, outputs: [Blinded], recovery: [UInt8]?
  ) {
    (self.bank, self.amount, self.order, self.outputs, self.recovery) =
      (bank, amount, order, outputs, recovery)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    bank = f.required(ACD_KEY_BANK).publicKey
    amount = f.required(ACD_KEY_VALUE).money
    order = f.required(ACD_KEY_NONCE).nonce
    outputs = try f.required(Int(ACD_W1_OUTPUTS)).maps(Blinded.self)
    recovery = f.value(Int(ACD_W1_RECOVERY))?.array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_BANK, bank)
    f.put(ACD_KEY_VALUE, amount)
    f.put(ACD_KEY_NONCE, order)
    try f.put(Int(ACD_W1_OUTPUTS), maps: outputs)
    f.put(Int(ACD_W1_RECOVERY), bytes: recovery)
  }
}

/// W2: B→C. The blind signatures, in the order of W1's outputs.
public struct W2: Payload {
  public static let type = MessageType.w2
  /// What is left in the account.
  public var balance: Money
  public var at: Timestamp
  public var hW1: Hash
  public var signatures: [[UInt8]]

  public init(balance: Money, at: Timestamp, hW1: Hash, signatures: [[UInt8]]) {
    (self.balance, self.at, self.hW1, self.signatures) = (balance, at, hW1, signatures)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    balance = f.required(ACD_KEY_VALUE).money
    at = f.required(ACD_KEY_AT).number
    hW1 = f.required(ACD_KEY_H_REQUEST).hash
    signatures = try f.required(Int(ACD_W2_SIGNATURES)).arrays
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, balance)
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hW1)
    f.put(Int(ACD_W2_SIGNATURES), list: signatures)
  }
}

/// X1: C→B, signed by every token used. Exchange these for fresh ones of the same total, less the fee.
public struct X1: Payload, SignedByTokens {
  public static let type = MessageType.x1
  public var bank: PublicKey
  /// The sum of the inputs' amounts.
  public var total: Money
  public var tokenInputs: [TokenInput]
  public var outputs: [Blinded]
  /// Minor units kept by the bank: as its key list says.
  public var fee: UInt64
  /// As in W1.
  public var recovery: [UInt8]?

  public init(
    bank: PublicKey, total: Money, tokenInputs: [TokenInput], outputs: [Blinded], fee: UInt64,
    recovery: [UInt8]?
  ) {
    (self.bank, self.total, self.tokenInputs) = (bank, total, tokenInputs)
    (self.outputs, self.fee, self.recovery) = (outputs, fee, recovery)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    bank = f.required(ACD_KEY_BANK).publicKey
    total = f.required(ACD_KEY_VALUE).money
    tokenInputs = try f.required(Int(ACD_X1_INPUTS)).maps(TokenInput.self)
    outputs = try f.required(Int(ACD_X1_OUTPUTS)).maps(Blinded.self)
    fee = f.required(Int(ACD_X1_FEE)).number
    recovery = f.value(Int(ACD_X1_RECOVERY))?.array
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_BANK, bank)
    f.put(ACD_KEY_VALUE, total)
    try f.put(Int(ACD_X1_INPUTS), maps: tokenInputs)
    try f.put(Int(ACD_X1_OUTPUTS), maps: outputs)
    f.put(Int(ACD_X1_FEE), fee)
    f.put(Int(ACD_X1_RECOVERY), bytes: recovery)
  }
}

/// X2: B→C. The blind signatures, in the order of X1's outputs.
public struct X2: Payload {
  public static let type = MessageType.x2
  public var at: Timestamp
  public var hX1: Hash
  public var signatures: [[UInt8]]

  public init(at: Timestamp, hX1: Hash, signatures: [[UInt8]]) {
    (self.at, self.hX1, self.signatures) = (at, hX1, signatures)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    hX1 = f.required(ACD_KEY_H_REQUEST).hash
    signatures = try f.required(Int(ACD_X2_SIGNATURES)).arrays
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_H_REQUEST, hX1)
    f.put(Int(ACD_X2_SIGNATURES), list: signatures)
  }
}

/// A denomination key: signs tokens of one value, in one window.
public struct Denomination: Fields {
  public static let type = MessageType.denomination
  public var value: Money
  /// The key's name: see `BlindTokens`.
  public var id: Hash
  /// RSA modulus, big-endian, 256 to 512 bytes. The exponent is 65537.
  public var modulus: [UInt8]
  public var issueFrom: Timestamp
  public var issueUntil: Timestamp
  /// Tokens of this key are exchanged before this time, or lost.
  public var spendUntil: Timestamp

  public init(
    value: Money, id: Hash, modulus: [UInt8], issueFrom: Timestamp, issueUntil: Timestamp,
    spendUntil: Timestamp
  ) {
    (self.value, self.id, self.modulus) = (value, id, modulus)
    (self.issueFrom, self.issueUntil, self.spendUntil) = (issueFrom, issueUntil, spendUntil)
  }
  public init(_ f: FieldReader) {
    value = f.required(ACD_KEY_VALUE).money
    id = f.required(Int(ACD_DENOMINATION_ID)).hash
    modulus = f.required(Int(ACD_DENOMINATION_MODULUS)).array
    issueFrom = f.required(Int(ACD_DENOMINATION_ISSUE_FROM)).number
    issueUntil = f.required(Int(ACD_DENOMINATION_ISSUE_UNTIL)).number
    spendUntil = f.required(Int(ACD_DENOMINATION_SPEND_UNTIL)).number
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_VALUE, value)
    f.put(Int(ACD_DENOMINATION_ID), id)
    f.put(Int(ACD_DENOMINATION_MODULUS), bytes: modulus)
    f.put(Int(ACD_DENOMINATION_EXPONENT), 65537)
    f.put(Int(ACD_DENOMINATION_ISSUE_FROM), issueFrom)
    f.put(Int(ACD_DENOMINATION_ISSUE_UNTIL), issueUntil)
    f.put(Int(ACD_DENOMINATION_SPEND_UNTIL), spendUntil)
  }
}

/// KeyList: published by B, the same for everybody, so that no customer can be tagged by a key of his own.
public struct KeyList: Payload {
  public static let type = MessageType.keyList
  public var at: Timestamp
  public var sequence: UInt64
  /// H of the list before this one; nil in the first.
  public var previous: Hash?
  public var keys: [Denomination]
  /// Minor units taken for an exchange.
  public var exchangeFee: UInt64

  public init(
    at: Timestamp, sequence: UInt64, previous: Hash?, keys: [Denomination], exchangeFee: UInt64
  ) {
    (self.at, self.sequence, self.previous) = (at, sequence, previous)
    (self.keys, self.exchangeFee) = (keys, exchangeFee)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    sequence = f.required(Int(ACD_KEY_LIST_SEQUENCE)).number
    previous = f.value(Int(ACD_KEY_LIST_PREVIOUS))?.hash
    keys = try f.required(Int(ACD_KEY_LIST_KEYS)).maps(Denomination.self)
    exchangeFee = f.required(Int(ACD_KEY_LIST_FEE)).number
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_AT, at)
    f.put(Int(ACD_KEY_LIST_SEQUENCE), sequence)
    f.put(Int(ACD_KEY_LIST_PREVIOUS), previous)
    try f.put(Int(ACD_KEY_LIST_KEYS), maps: keys)
    f.put(Int(ACD_KEY_LIST_FEE), exchangeFee)
  }

  /// The denomination with this id, if the list has it.
  public func denomination(_ id: Hash) -> Denomination? { keys.first { $0.id == id } }
}
