// How long a message binds, whatever its type.

internal import CCore

extension MessageType {
  /// The lifetime that a signed message states; nil where its type states none. Form only: the signature is
  /// not checked.
  public static func lifetime(of bytes: [UInt8]) throws(MessageError) -> Timestamp? {
    let envelope = try Envelope(bytes)
    return try withFields(of: envelope.type, envelope.payload) { (fields) throws(MessageError) in
      fields.ifInTable(Int(ACD_KEY_LIFETIME.rawValue))?.number
    }
  }
}
