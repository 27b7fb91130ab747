// Containers: maps that are not signed themselves and carry signed messages or ciphertext (docs/SPEC.md,
// "Containers"). Each names its format and version.

internal import CCore

/// Messages that travel together, in the order that the request prescribes.
public struct Bundle: Fields {
  public static let type = MessageType.bundle
  public var messages: [[UInt8]]

  public init(_ messages: [[UInt8]]) { self.messages = messages }
  public init(_ f: FieldReader) throws(MessageError) {
    messages = try f.required(Int(ACD_BUNDLE_MESSAGES)).arrays
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_FORMAT, Self.type.name)
    f.put(Int(ACD_BUNDLE_MESSAGES), list: messages)
  }
}

/// A bundle or message encrypted to somebody's public key: P_x(...).
public struct SealedMessage: Fields {
  public static let type = MessageType.sealed
  public var recipient: PublicKey
  public var box: [UInt8]

  public init(recipient: PublicKey, box: [UInt8]) { (self.recipient, self.box) = (recipient, box) }

  /// Seals `plain`; `ephemeralSeed` as in `Box.seal`.
  public init(_ plain: [UInt8], to recipient: PublicKey, ephemeralSeed: [UInt8]) throws(MessageError) {
    self.recipient = recipient
    box = try Box.seal(plain, to: recipient, ephemeralSeed: ephemeralSeed)
  }
  public init(_ f: FieldReader) {
    recipient = f.required(Int(ACD_SEALED_RECIPIENT)).publicKey
    box = f.required(Int(ACD_SEALED_BOX)).array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_FORMAT, Self.type.name)
    f.put(Int(ACD_SEALED_RECIPIENT), recipient)
    f.put(Int(ACD_SEALED_BOX), bytes: box)
  }
}

/// A paid receipt: what a kiosk verifies. Its bytes are the file `receipt.acd` and the content of the QR
/// code.
public struct Receipt: Fields {
  public static let type = MessageType.receipt
  public var p1: [UInt8]
  public var p5a: [UInt8]
  /// The description in the clear; its hash stands in the contract.
  public var description: String?
  /// That P5a is in the archive's log: a tlog-proof, text or packed.
  public var proof: [UInt8]?

  public init(p1: [UInt8], p5a: [UInt8], description: String?, proof: [UInt8]? = nil) {
    (self.p1, self.p5a, self.description, self.proof) = (p1, p5a, description, proof)
  }
  public init(_ f: FieldReader) {
    p1 = f.required(Int(ACD_RECEIPT_P1)).array
    p5a = f.required(Int(ACD_RECEIPT_P5A)).array
    description = f.value(Int(ACD_RECEIPT_DESCRIPTION))?.text
    proof = f.value(Int(ACD_RECEIPT_PROOF))?.array
  }
  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_FORMAT, Self.type.name)
    f.put(Int(ACD_RECEIPT_P1), bytes: p1)
    f.put(Int(ACD_RECEIPT_P5A), bytes: p5a)
    f.put(Int(ACD_RECEIPT_DESCRIPTION), description)
    f.put(Int(ACD_RECEIPT_PROOF), bytes: proof)
  }
}
