// Any message, token or receipt as a tree of named values, from the table alone: for `acd decode`.

internal import CCore

/// A decoded value, with the table's names.
public indirect enum DumpValue: Equatable, Sendable {
  case number(UInt64)
  case flag(Bool)
  case bytes([UInt8])
  case text(String)
  case money(Money)
  case map(Dump)
  case message(Dump)
  case list([DumpValue])
}

/// A decoded message, container or map.
public struct Dump: Equatable, Sendable {
  /// What it is.
  public let type: MessageType
  /// Who claims to have signed it; nil for what is not signed.
  public let signer: PublicKey?
  /// True if the signature by `signer` holds; nil for what is not signed. Says nothing about trust.
  public let signatureHolds: Bool?
  /// SHA-256 of the bytes.
  public let hash: Hash
  /// How many bytes.
  public let size: Int
  /// Names and values, in the table's order.
  public let fields: [(name: String, value: DumpValue)]

  public static func == (a: Dump, b: Dump) -> Bool { a.type == b.type && a.hash == b.hash }

  /// How deep signed messages may nest: P5a holds P4; a P2 of 32 tokens 31 CoSigns.
  static let depthMax = 40

  /// Decodes signed messages and containers; fails on anything that is not the one encoding of one of them.
  public init(decoding bytes: [UInt8], depth: Int = 0) throws(MessageError) {
    precondition(Core.isReady)
    guard depth < Self.depthMax else { throw MessageError(.malformed, "depth", "message") }
    hash = Hash(of: bytes)
    size = bytes.count
    if bytes.first == 0xd2 {  // tag 18: COSE_Sign1
      let envelope = try Envelope(bytes)
      type = envelope.type
      signer = envelope.signer
      signatureHolds = (try? envelope.verified()) != nil
      fields = try Self.fields(of: type, envelope.payload, depth)
    } else {
      type = try Self.container(bytes)
      (signer, signatureHolds) = (nil, nil)
      fields = try Self.fields(of: type, bytes, depth)
    }
  }

  private init(map type: MessageType, _ bytes: [UInt8], _ depth: Int) throws(MessageError) {
    self.type = type
    (signer, signatureHolds) = (nil, nil)
    hash = Hash(of: bytes)
    size = bytes.count
    fields = try Self.fields(of: type, bytes, depth)
  }

  /// Which container these bytes are: a token alone is accepted too.
  private static func container(_ bytes: [UInt8]) throws(MessageError) -> MessageType {
    var last = MessageError(.malformed, "malformed", "message")
    for type in [MessageType.receipt, .bundle, .sealed, .evidenceTimestamp, .token] {
      do throws(MessageError) {
        try withFields(of: type, bytes) { (_) throws(MessageError) in }
        return type
      } catch {
        if type == .receipt { last = error }
      }
    }
    throw MessageError(last.cause, last.rule, "message or container")
  }

  private static func fields(
    of type: MessageType, _ bytes: [UInt8], _ depth: Int
  ) throws(MessageError) -> [(name: String, value: DumpValue)] {
    let info = type.info
    return try withFields(of: type, bytes) { (reader) throws(MessageError) in
      var result: [(name: String, value: DumpValue)] = []
      for index in 0..<Int(info.field_count) where reader.values[index].present != 0 {
        let field = info.fields[index]
        result.append((String(cString: field.name), try value(field, reader.values[index], depth)))
      }
      return result
    }
  }

  private static func value(
    _ field: acd_field, _ value: acd_value, _ depth: Int
  ) throws(MessageError) -> DumpValue {
    let inner = MessageType(rawValue: UInt32(field.sub))
    switch acd_field_kind(UInt32(field.kind)) {
    case ACD_FIELD_UINT: return .number(value.number)
    case ACD_FIELD_BOOL: return .flag(value.flag)
    case ACD_FIELD_BYTES: return .bytes(value.array)
    case ACD_FIELD_TEXT: return .text(value.text)
    case ACD_FIELD_MONEY: return .money(value.money)
    case ACD_FIELD_MAP: return .map(try Dump(map: inner!, value.array, depth + 1))
    case ACD_FIELD_MESSAGE: return try message(value.array, depth)
    case ACD_FIELD_BYTES_LIST:
      return .list(try value.elements { (v) throws(MessageError) in .bytes(v.array) })
    case ACD_FIELD_UINT_LIST:
      return .list(try value.elements { (v) throws(MessageError) in .number(v.number) })
    case ACD_FIELD_MAP_LIST:
      return .list(
        try value.elements { (v) throws(MessageError) in
          .map(try Dump(map: inner!, v.array, depth + 1))
        })
    default:
      return .list(try value.elements { (v) throws(MessageError) in try message(v.array, depth) })
    }
  }

  private static func message(_ bytes: [UInt8], _ depth: Int) throws(MessageError) -> DumpValue {
    .message(try Dump(decoding: bytes, depth: depth + 1))
  }
}
