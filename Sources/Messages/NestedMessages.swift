// Messages inside messages, from the table alone: the P4 in a P5a, what a refusal shows as its proof. For
// whoever has to look at all that it was given, such as a judge.

internal import CCore

extension MessageType {
  /// The complete messages that this signed message or container holds, in the table's order, one level
  /// deep. Nothing is said of their signatures. Fails on anything that is not the one encoding of its type.
  public static func nestedMessages(in bytes: [UInt8]) throws(MessageError) -> [[UInt8]] {
    precondition(Core.isReady)
    if bytes.first == 0xd2 {  // tag 18: COSE_Sign1
      let envelope = try Envelope(bytes)
      return try messages(in: envelope.payload, of: envelope.type)
    }
    for type in [MessageType.bundle, .receipt] {
      if let found = try? messages(in: bytes, of: type) { return found }
    }
    throw MessageError(.malformed, "unknown-type", "message or container")
  }

  private static func messages(in map: [UInt8], of type: MessageType) throws(MessageError) -> [[UInt8]] {
    let info = type.info
    return try withFields(of: type, map) { (reader) throws(MessageError) in
      var result: [[UInt8]] = []
      for index in 0..<Int(info.field_count) where reader.values[index].present != 0 {
        switch acd_field_kind(UInt32(info.fields[index].kind)) {
        case ACD_FIELD_MESSAGE: result.append(reader.values[index].array)
        case ACD_FIELD_MESSAGE_LIST: result += try reader.values[index].arrays
        default: break
        }
      }
      return result
    }
  }
}
