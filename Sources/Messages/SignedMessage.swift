// Unverified and verified messages. The only way from one to the other is `Verified.init`, which checks the
// signature and that the signer is who the rule says. What is stored and sent again is always the bytes
// as they were received or first signed, never a new encoding.

internal import CCore

/// A message whose form was checked, but not yet its signature: nothing in it is known to be true.
public struct Unverified<P: Payload>: Sendable {
  /// The complete COSE bytes.
  public let bytes: [UInt8]
  /// What it claims. Use it to find out which key has to have signed, and for nothing else.
  public let claims: P
  /// The keys that claim to have signed: outermost first. One, but for messages that several tokens sign.
  public let claimedSigners: [PublicKey]

  /// Reads the one deterministic form of a message of this type, wrapped in CoSign messages if its type
  /// allows it.
  public init(_ bytes: [UInt8]) throws(MessageError) {
    precondition(Core.isReady)
    var signers: [PublicKey] = []
    var layer = bytes
    while true {
      let envelope = try Envelope(layer)
      signers.append(envelope.signer)
      if envelope.type == P.type {
        claims = try P(encoded: envelope.payload)
        break
      }
      guard envelope.type == .coSign, P.self is any SignedByTokens.Type else {
        throw MessageError(.malformed, "unexpected-type", "\(P.type.label) (found \(envelope.type.label))")
      }
      guard signers.count < Int(ACD_TOKENS_MAX) else { throw MessageError(.malformed, "depth", P.type.label) }
      layer = try CoSign(encoded: envelope.payload).message
    }
    self.bytes = bytes
    claimedSigners = signers
  }

  /// The message's name for other messages: SHA-256 of its complete bytes.
  public var hash: Hash { Hash(of: bytes) }

  func checkSignatures() throws(MessageError) {
    var layer = bytes
    for depth in claimedSigners.indices {
      let payload = try Envelope(layer).verified()
      if depth + 1 < claimedSigners.count { layer = try CoSign(encoded: payload).message }
    }
  }
}

/// Payloads that each token key they name has to sign: P2 and X1.
public protocol SignedByTokens: Payload {
  /// The tokens that are spent; every distinct key among them must sign.
  var tokenInputs: [TokenInput] { get }
}

/// Who must have signed.
public enum SignerRule: Sendable {
  /// Exactly this key.
  case key(PublicKey)
  /// A key that the trust list has in this role, in its window at this time and not revoked.
  case trusted(TrustList, as: Role, at: Timestamp)
  /// A key that the trust list has, or had, in this role: for messages that can only give something back
  /// (abort requests, Cancel), so that a revoked or ended key keeps nobody's money locked.
  case known(TrustList, as: Role)
  /// The message's own token keys, each exactly once (P2, X1).
  case ownTokens
}

/// A message whose signature holds and whose signer is who the rule demanded.
public struct Verified<P: Payload>: Sendable, Equatable {
  /// The complete COSE bytes, as received or first signed.
  public let bytes: [UInt8]
  /// What the signer said.
  public let payload: P
  /// Who said it (the outermost signer when several tokens signed).
  public let signer: PublicKey
  /// SHA-256 of `bytes`: the message's name for other messages.
  public let hash: Hash

  /// Checks the signer against the rule, then every signature.
  public init(_ message: Unverified<P>, by rule: SignerRule) throws(MessageError) {
    try rule.check(message)
    try message.checkSignatures()
    bytes = message.bytes
    payload = message.claims
    signer = message.claimedSigners[0]
    hash = message.hash
  }

  /// Parses and checks in one step.
  public init(_ bytes: [UInt8], by rule: SignerRule) throws(MessageError) {
    try self.init(Unverified(bytes), by: rule)
  }

  /// Signs `payload`: verified by construction.
  public init(signing payload: P, with key: borrowing SigningKey) throws(MessageError) {
    bytes = try sign(payload, with: key)
    self.payload = payload
    signer = key.publicKey
    hash = Hash(of: bytes)
  }

  /// Reads bytes that this party itself verified or signed before it stored them. For its own store only.
  public init(stored bytes: [UInt8]) throws(MessageError) {
    let message = try Unverified<P>(bytes)
    self.bytes = bytes
    payload = message.claims
    signer = message.claimedSigners[0]
    hash = message.hash
  }

  /// Two messages are the same message when their bytes are.
  public static func == (a: Self, b: Self) -> Bool { a.bytes == b.bytes }
}

extension Verified where P: SignedByTokens {
  /// Adds the signature of a further token key by wrapping the message in a CoSign.
  public func coSigned(with key: borrowing SigningKey) throws(MessageError) -> Verified {
    try Verified(stored: try sign(CoSign(message: bytes), with: key))
  }
}

extension SignerRule {
  fileprivate func check<P>(_ message: Unverified<P>) throws(MessageError) {
    let signers = message.claimedSigners
    switch self {
    case .key(let key):
      guard signers == [key] else { throw MessageError(.authentication, "untrusted", P.type.label) }
    case .trusted(let list, let role, let time):
      guard signers.count == 1 else { throw MessageError(.authentication, "untrusted", P.type.label) }
      try list.check(signers[0], as: role, at: time, subject: P.type.label)
    case .known(let list, let role):
      guard signers.count == 1, list.knows(signers[0], as: role) else {
        throw MessageError(.authentication, "untrusted", P.type.label)
      }
    case .ownTokens:
      let inputs = (message.claims as? any SignedByTokens)?.tokenInputs ?? []
      let needed = Set(inputs.map(\.token.key))
      guard signers.count == needed.count, Set(signers) == needed else {
        throw MessageError(.authentication, "untrusted", P.type.label)
      }
    }
  }
}

/// The outer form of a signed message.
struct Envelope {
  let bytes: [UInt8]
  let type: MessageType
  let signer: PublicKey
  let payload: [UInt8]

  init(_ bytes: [UInt8]) throws(MessageError) {
    precondition(Core.isReady)
    self.bytes = bytes
    let parts: (status: acd_status, type: acd_message_type, key: [UInt8], payload: [UInt8]) =
      bytes.withUnsafeBytes { raw in
        var view = acd_sign1()
        let status = acd_sign1_parse(&view, raw.baseAddress, raw.count)
        guard status == ACD_OK else { return (status, ACD_NONE, [], []) }
        return (
          status, view.type, Array(UnsafeBufferPointer(start: view.key_id, count: PublicKey.size)),
          Array(UnsafeBufferPointer(start: view.payload, count: view.payload_len))
        )
      }
    try check(parts.status, "signed message")
    type = MessageType(core: parts.type)!
    signer = PublicKey(parts.key)!
    payload = parts.payload
  }

  /// The payload, once the signature holds.
  func verified() throws(MessageError) -> [UInt8] {
    let prefix = Int(ACD_SIGN1_PREFIX)
    var room = [UInt8](repeating: 0, count: bytes.count + prefix)
    let status = bytes.withUnsafeBytes { raw in
      var view = acd_sign1()
      let parsed = acd_sign1_parse(&view, raw.baseAddress, raw.count)
      guard parsed == ACD_OK else { return parsed }
      return acd_sign1_verify(&view, &room, room.count)
    }
    try check(status, type.label)
    return payload
  }
}

func sign<P: Payload>(_ payload: P, with key: borrowing SigningKey) throws(MessageError) -> [UInt8] {
  precondition(Core.isReady)
  var writer = FieldWriter(P.type)
  try payload.write(to: &writer)
  var (buffer, length) = try writer.encode(
    headroom: Int(ACD_SIGN1_HEADROOM), tailroom: Int(ACD_SIGN1_TAILROOM))
  var offset = 0
  var size = 0
  let capacity = buffer.count
  try check(
    acd_sign1_sign_in_place(
      &buffer, capacity, &offset, &size, length, P.type.core, key.secret.memory), P.type.label)
  return Array(buffer[offset..<offset + size])
}

extension MessageType {
  /// The type that a signed message claims; checks the outer form only.
  public init(peeking bytes: [UInt8]) throws(MessageError) { self = try Envelope(bytes).type }
}
