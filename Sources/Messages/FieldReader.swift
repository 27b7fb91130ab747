// Reading fields: the table-driven decoder of acd/message.h, lent to one initialiser at a time.
//
// Invariant: a FieldReader lives only inside `withFields`, while the encoded bytes it borrows are alive.

internal import CCore

/// The checked fields of one map. Absent optional fields read as nil; a required field is always there,
/// because the table said so before the reader existed.
public struct FieldReader {
  let type: MessageType
  let values: UnsafeBufferPointer<acd_value>

  func value(_ key: Int) -> acd_value? {
    let index = acd_map_field(type.core, Int32(key))
    precondition(index >= 0, "\(type.label) has no field \(key)")
    let value = values[Int(index)]
    return value.present != 0 ? value : nil
  }

  /// For payloads that several rows share: nil too where this row has no such field.
  func ifInTable(_ key: Int) -> acd_value? { acd_map_field(type.core, Int32(key)) >= 0 ? value(key) : nil }

  func value(_ key: acd_key) -> acd_value? { value(Int(key.rawValue)) }

  func required(_ key: Int) -> acd_value { value(key)! }
  func required(_ key: acd_key) -> acd_value { value(key)! }
}

extension acd_value {
  var array: [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: len)) }
  var hash: Hash { Hash(UnsafeBufferPointer(start: bytes, count: len))! }
  var publicKey: PublicKey { PublicKey(UnsafeBufferPointer(start: bytes, count: len))! }
  var transaction: TransactionID { TransactionID(UnsafeBufferPointer(start: bytes, count: len))! }
  var nonce: Nonce { Nonce(UnsafeBufferPointer(start: bytes, count: len))! }
  var text: String { String(decoding: UnsafeBufferPointer(start: bytes, count: len), as: UTF8.self) }
  var flag: Bool { number != 0 }
  var money: Money {
    Money(
      currency: String(decoding: UnsafeBufferPointer(start: bytes, count: 3), as: UTF8.self), amount: number)!
  }

  /// The elements of a list value, which the decoder has already checked.
  func elements<T>(_ make: (acd_value) throws(MessageError) -> T) throws(MessageError) -> [T] {
    var value = self
    var list = acd_list()
    try check(acd_list_begin(&list, &value), "list")
    var result: [T] = []
    result.reserveCapacity(Int(number))
    for _ in 0..<number {
      var element = acd_value()
      try check(acd_list_next(&list, &element), "list")
      result.append(try make(element))
    }
    return result
  }

  /// The elements of a list of byte strings or messages.
  var arrays: [[UInt8]] { get throws(MessageError) { try elements { (v) throws(MessageError) in v.array } } }
  var hashes: [Hash] { get throws(MessageError) { try elements { (v) throws(MessageError) in v.hash } } }
  var publicKeys: [PublicKey] {
    get throws(MessageError) { try elements { (v) throws(MessageError) in v.publicKey } }
  }

  /// The inner maps of a list.
  func maps<T: Fields>(_: T.Type) throws(MessageError) -> [T] {
    try elements { (v) throws(MessageError) in try T(encoded: v.array) }
  }
}

/// A map of the table as a Swift value.
public protocol Fields: Equatable, Sendable {
  /// Its row in the table.
  static var type: MessageType { get }
  /// Takes the value's parts from checked fields.
  init(_ fields: FieldReader) throws(MessageError)
  /// Writes the value's parts; order does not matter.
  func write(to fields: inout FieldWriter) throws(MessageError)
}

/// The payload of a signed message.
public protocol Payload: Fields {}

extension Fields {
  /// Decodes the one deterministic encoding of this map; fails on any other bytes.
  public init(encoded: [UInt8]) throws(MessageError) {
    precondition(Core.isReady)
    self = try withFields(of: Self.type, encoded) { (reader) throws(MessageError) in try Self(reader) }
  }
}

func withFields<R>(
  of type: MessageType, _ encoded: [UInt8], _ body: (FieldReader) throws(MessageError) -> R
) throws(MessageError) -> R {
  let capacity = Int(ACD_FIELDS_MAX)
  var values = [acd_value](repeating: acd_value(), count: capacity)
  let result: Result<R, MessageError> = encoded.withUnsafeBytes { raw in
    values.withUnsafeMutableBufferPointer { slots in
      let status = acd_map_decode(slots.baseAddress, capacity, type.core, raw.baseAddress, raw.count)
      guard status == ACD_OK else { return .failure(MessageError(status, type.label)) }
      do throws(MessageError) {
        return .success(try body(FieldReader(type: type, values: UnsafeBufferPointer(slots))))
      } catch { return .failure(error) }
    }
  }
  return try result.get()
}
