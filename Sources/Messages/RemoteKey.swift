// Keys that sign elsewhere: on a card. What they are asked to sign is made here, byte for byte, and what
// they answer is checked here: a message is `Verified` only when the signature holds.

internal import CCore

/// A signing key whose secret half is not in this process.
public protocol RemoteKey {
  /// The public half.
  var publicKey: PublicKey { get }
  /// Signs these bytes, a COSE Sig_structure, with Ed25519: 64 bytes.
  func signature(over structure: [UInt8]) throws -> [UInt8]
}

extension Verified {
  /// Has `payload` signed by a key that is elsewhere. Fails with rule "authentication" when what comes back
  /// is not that key's signature.
  public init(signing payload: P, with key: some RemoteKey) throws {
    try self.init(try messageSigned(payload, by: key), by: .key(key.publicKey))
  }
}

extension Verified where P: SignedByTokens {
  /// Adds the signature of a further token key, which is elsewhere.
  public func coSigned(with key: some RemoteKey) throws -> Verified {
    let outer = try Verified<CoSign>(signing: CoSign(message: bytes), with: key)
    return try Verified(stored: outer.bytes)
  }

  /// Signed by the first of these keys and co-signed by the others.
  public init(signing payload: P, with keys: [some RemoteKey]) throws {
    guard let first = keys.first else { throw MessageError(.misuse, "missing-field", P.type.label) }
    var message = try Verified(signing: payload, with: first)
    for key in keys.dropFirst() { message = try message.coSigned(with: key) }
    self = message
  }
}

private func messageSigned<P: Payload>(_ payload: P, by key: some RemoteKey) throws -> [UInt8] {
  precondition(Core.isReady)
  var writer = FieldWriter(P.type)
  try payload.write(to: &writer)
  var (buffer, length) = try writer.encode(
    headroom: Int(ACD_SIGN1_HEADROOM), tailroom: Int(ACD_SIGN1_TAILROOM))
  let capacity = buffer.count
  var (at, count) = (0, 0)
  try check(
    acd_sign1_begin(&buffer, capacity, &at, &count, length, P.type.core, key.publicKey.bytes), P.type.label)
  let signature = try key.signature(over: Array(buffer[at..<at + count]))
  guard signature.count == Int(ACD_SIGNATURE_SIZE) else {
    throw MessageError(.authentication, "authentication", P.type.label)
  }
  var (offset, size) = (0, 0)
  try check(acd_sign1_finish(&buffer, capacity, &offset, &size, at, count, signature), P.type.label)
  return Array(buffer[offset..<offset + size])
}
