// The trust list: which keys an authority vouches for, as what, and when (docs/SPEC.md, "Trust list").
// All parties and the kiosk read the same list; whoever hands it in decides to trust its authority.

internal import CCore

/// A key that is trusted in one role.
public struct TrustEntry: Fields {
  public static let type = MessageType.trustEntry
  public var role: Role
  public var name: String
  public var key: PublicKey
  public var from: Timestamp
  public var until: Timestamp
  /// What the key signed at or after this time does not count.
  public var revokedAt: Timestamp?
  /// Archives: where P4 is sealed to.
  public var sealingKey: PublicKey?
  /// Merchants: the bank that keeps its account, where it is not the one of the customer's tokens.
  public var bank: PublicKey?
  /// Where the party answers: "https://host:port".
  public var url: String?
  /// Timestamp authorities: the X.509 certificate (DER) whose key signs. `key` is its SHA-256.
  public var certificate: [UInt8]?
  /// Timestamp authorities: the policy that a token has to state, "1.2.3"; nil: any.
  public var tsaPolicy: String?

  public init(
    role: Role, name: String, key: PublicKey, from: Timestamp, until: Timestamp,
    revokedAt: Timestamp? = nil, sealingKey: PublicKey? = nil, url: String? = nil, bank: PublicKey? = nil,
    certificate: [UInt8]? = nil, tsaPolicy: String? = nil
  ) {
    (self.bank, self.certificate, self.tsaPolicy) = (bank, certificate, tsaPolicy)
    (self.role, self.name, self.key, self.from, self.until) = (role, name, key, from, until)
    (self.revokedAt, self.sealingKey, self.url) = (revokedAt, sealingKey, url)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    guard let role = Role(rawValue: UInt16(f.required(Int(ACD_TRUST_ENTRY_ROLE)).number)) else {
      throw MessageError(.malformed, "field-range", "trust entry.role")
    }
    self.role = role
    bank = f.value(ACD_KEY_BANK)?.publicKey
    name = f.required(Int(ACD_TRUST_ENTRY_NAME)).text
    key = f.required(Int(ACD_TRUST_ENTRY_KEY)).publicKey
    from = f.required(Int(ACD_TRUST_ENTRY_FROM)).number
    until = f.required(Int(ACD_TRUST_ENTRY_UNTIL)).number
    revokedAt = f.value(Int(ACD_TRUST_ENTRY_REVOKED_AT))?.number
    sealingKey = f.value(Int(ACD_TRUST_ENTRY_SEALING_KEY))?.publicKey
    url = f.value(Int(ACD_TRUST_ENTRY_URL))?.text
    certificate = f.value(Int(ACD_TRUST_ENTRY_CERTIFICATE))?.array
    tsaPolicy = f.value(Int(ACD_TRUST_ENTRY_TSA_POLICY))?.text
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_BANK, bank)
    f.put(Int(ACD_TRUST_ENTRY_ROLE), UInt64(role.rawValue))
    f.put(Int(ACD_TRUST_ENTRY_NAME), name)
    f.put(Int(ACD_TRUST_ENTRY_KEY), key)
    f.put(Int(ACD_TRUST_ENTRY_FROM), from)
    f.put(Int(ACD_TRUST_ENTRY_UNTIL), until)
    f.put(Int(ACD_TRUST_ENTRY_REVOKED_AT), revokedAt)
    f.put(Int(ACD_TRUST_ENTRY_SEALING_KEY), sealingKey)
    f.put(Int(ACD_TRUST_ENTRY_URL), url)
    f.put(Int(ACD_TRUST_ENTRY_CERTIFICATE), bytes: certificate)
    f.put(Int(ACD_TRUST_ENTRY_TSA_POLICY), tsaPolicy)
  }

  /// Whether the key is what it has to be: a sound point, or a timestamp authority's certificate by its hash.
  var isWhole: Bool {
    guard role == .timestamp else { return key.isSound && certificate == nil && tsaPolicy == nil }
    return certificate.map { Hash(of: $0).bytes == key.bytes } ?? false
  }
}

/// A trust list, signed by its authority.
public struct TrustList: Payload {
  public static let type = MessageType.trustList
  public var at: Timestamp
  /// The list is not used at or after this time.
  public var until: Timestamp
  public var sequence: UInt64
  /// H of the list before this one; nil in the first.
  public var previous: Hash?
  public var entries: [TrustEntry]
  /// Δ: within how many seconds an archive answers.
  public var answerSeconds: UInt64
  /// δ: how many seconds clocks may differ.
  public var skewSeconds: UInt64
  /// How long after its expiration a transaction's evidence is kept.
  public var lifetimeSeconds: UInt64
  /// The longest sealed goods that the parties handle.
  public var goodsLengthMax: UInt64
  /// How many witnesses have to certify the same; nil: more than half of them.
  public var quorum: UInt64?
  /// Which archives' outcomes count with a proof of their log only, and which witnesses suffice
  /// (C2SP tlog-policy); nil: all count by the archive's signature alone.
  public var policy: String?
  /// How many seconds ago a quorum has to have seen a checkpoint on which somebody acts; nil: at any time.
  public var checkpointAgeSeconds: UInt64?

  public init(
    at: Timestamp, until: Timestamp, sequence: UInt64, previous: Hash?, entries: [TrustEntry],
    answerSeconds: UInt64, skewSeconds: UInt64, lifetimeSeconds: UInt64, goodsLengthMax: UInt64,
    quorum: UInt64? = nil, policy: String? = nil, checkpointAgeSeconds: UInt64? = nil
  ) {
    (self.quorum, self.policy, self.checkpointAgeSeconds) = (quorum, policy, checkpointAgeSeconds)
    (self.at, self.until, self.sequence, self.previous) = (at, until, sequence, previous)
    (self.entries, self.answerSeconds, self.skewSeconds) = (entries, answerSeconds, skewSeconds)
    (self.lifetimeSeconds, self.goodsLengthMax) = (lifetimeSeconds, goodsLengthMax)
  }
  public init(_ f: FieldReader) throws(MessageError) {
    at = f.required(ACD_KEY_AT).number
    until = f.required(ACD_KEY_UNTIL).number
    sequence = f.required(Int(ACD_TRUST_LIST_SEQUENCE)).number
    previous = f.value(Int(ACD_TRUST_LIST_PREVIOUS))?.hash
    entries = try f.required(Int(ACD_TRUST_LIST_ENTRIES)).maps(TrustEntry.self)
    answerSeconds = f.required(Int(ACD_TRUST_LIST_ANSWER_SECONDS)).number
    skewSeconds = f.required(Int(ACD_TRUST_LIST_SKEW_SECONDS)).number
    lifetimeSeconds = f.required(Int(ACD_TRUST_LIST_LIFETIME_SECONDS)).number
    goodsLengthMax = f.required(Int(ACD_TRUST_LIST_GOODS_MAX)).number
    quorum = f.value(Int(ACD_TRUST_LIST_QUORUM))?.number
    policy = f.value(Int(ACD_TRUST_LIST_POLICY))?.text
    checkpointAgeSeconds = f.value(Int(ACD_TRUST_LIST_CHECKPOINT_AGE))?.number
  }
  public func write(to f: inout FieldWriter) throws(MessageError) {
    f.put(ACD_KEY_AT, at)
    f.put(ACD_KEY_UNTIL, until)
    f.put(Int(ACD_TRUST_LIST_VERSION), 1)
    f.put(Int(ACD_TRUST_LIST_SEQUENCE), sequence)
    f.put(Int(ACD_TRUST_LIST_PREVIOUS), previous)
    try f.put(Int(ACD_TRUST_LIST_ENTRIES), maps: entries)
    f.put(Int(ACD_TRUST_LIST_ANSWER_SECONDS), answerSeconds)
    f.put(Int(ACD_TRUST_LIST_SKEW_SECONDS), skewSeconds)
    f.put(Int(ACD_TRUST_LIST_LIFETIME_SECONDS), lifetimeSeconds)
    f.put(Int(ACD_TRUST_LIST_GOODS_MAX), goodsLengthMax)
    f.put(Int(ACD_TRUST_LIST_QUORUM), quorum)
    f.put(Int(ACD_TRUST_LIST_POLICY), policy)
    f.put(Int(ACD_TRUST_LIST_CHECKPOINT_AGE), checkpointAgeSeconds)
  }

  /// The entry for this key in this role, whatever its window.
  public func entry(_ key: PublicKey, as role: Role) -> TrustEntry? {
    entries.first { $0.key == key && $0.role == role }
  }

  /// The bank that keeps this merchant's account; nil: whichever makes its locks.
  public func home(of merchant: PublicKey) -> PublicKey? { entry(merchant, as: .merchant)?.bank }

  /// Whether `key` has ever been in this role here, revoked and ended entries included: enough for what
  /// can do no harm, such as asking for an abort.
  public func knows(_ key: PublicKey, as role: Role) -> Bool { entry(key, as: role) != nil }

  /// The witnesses whose word counts at a time.
  public func witnesses(at time: Timestamp) -> Set<PublicKey> {
    Set(
      entries.filter {
        $0.role == .witness && (try? check($0.key, as: .witness, at: time, subject: $0.name)) != nil
      }.map(\.key))
  }

  /// How many of them have to certify the same. Without witnesses nothing is ever certified.
  public func witnessQuorum(at time: Timestamp) -> Int {
    if let quorum { return Int(clamping: max(1, quorum)) }
    return witnesses(at: time).count / 2 + 1
  }

  /// Throws unless `key` is trusted in `role` at `time`. Of several entries for it one window has to fit,
  /// and none may revoke it: the rule of the C core.
  public func check(
    _ key: PublicKey, as role: Role, at time: Timestamp, subject: String
  ) throws(MessageError) {
    let found = entries.filter { $0.key == key && $0.role == role }
    guard !found.isEmpty else { throw MessageError(.authentication, "untrusted", subject) }
    for entry in found {
      if let revoked = entry.revokedAt, revoked <= time {
        throw MessageError(.authentication, "revoked", subject)
      }
    }
    guard found.contains(where: { $0.from <= time && time < $0.until }) else {
      throw MessageError(.authentication, "expired", subject)
    }
  }
}

/// A trust list that was read from bytes: its signature holds and all its keys are sound points.
public struct LoadedTrust: Sendable {
  /// The list.
  public let list: TrustList
  /// Its complete bytes.
  public let bytes: [UInt8]
  /// Who signed it.
  public let authority: PublicKey

  /// Reads and checks a list. `authority` pins the signer; nil accepts the one that it names.
  public init(_ bytes: [UInt8], authority: PublicKey? = nil) throws(MessageError) {
    let message = try Unverified<TrustList>(bytes)
    let signer = authority ?? message.claimedSigners[0]
    let verified = try Verified(message, by: .key(signer))
    for entry in verified.payload.entries where !entry.isWhole {
      throw MessageError(.authentication, "bad-key", "trust list: \(entry.name)")
    }
    // A policy that nobody can apply would let nothing count any more.
    if let policy = verified.payload.policy { _ = try LogPolicy(policy) }
    list = verified.payload
    self.bytes = bytes
    self.authority = signer
  }
}
