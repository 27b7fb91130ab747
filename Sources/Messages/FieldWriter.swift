// Writing fields: values are gathered in an arena and handed to the table-driven encoder of acd/message.h
// in one call, which checks them against the table.

internal import CCore

/// Gathers the fields of one map.
public struct FieldWriter {
  private struct Slot {
    var index: Int
    var number: UInt64 = 0
    var offset = 0
    var length = 0
  }

  private let type: MessageType
  private var slots: [Slot] = []
  private var arena: [UInt8] = []

  init(_ type: MessageType) { self.type = type }

  private mutating func add(_ key: Int, number: UInt64 = 0, bytes: [UInt8] = []) {
    let index = acd_map_field(type.core, Int32(key))
    precondition(index >= 0, "\(type.label) has no field \(key)")
    slots.append(Slot(index: Int(index), number: number, offset: arena.count, length: bytes.count))
    arena += bytes
  }

  mutating func put(_ key: acd_key, _ value: (some FixedBytes)?) { put(Int(key.rawValue), value) }
  mutating func put(_ key: acd_key, _ value: UInt64?) { put(Int(key.rawValue), value) }
  mutating func put(_ key: acd_key, _ value: Money?) { put(Int(key.rawValue), value) }
  mutating func put(_ key: acd_key, bytes: [UInt8]?) { put(Int(key.rawValue), bytes: bytes) }
  mutating func put(_ key: acd_key, _ text: String?) { put(Int(key.rawValue), text) }
  mutating func put(_ key: acd_key, messages: [[UInt8]]) { put(Int(key.rawValue), list: messages) }

  mutating func put(_ key: Int, _ value: (some FixedBytes)?) {
    if let value { add(key, bytes: value.bytes) }
  }
  mutating func put(_ key: Int, _ value: UInt64?) { if let value { add(key, number: value) } }
  mutating func put(_ key: Int, _ value: Bool) { add(key, number: value ? 1 : 0) }
  mutating func put(_ key: Int, _ value: Money?) {
    if let value { add(key, number: value.amount, bytes: Array(value.currency.utf8)) }
  }
  mutating func put(_ key: Int, _ text: String?) { if let text { add(key, bytes: Array(text.utf8)) } }
  mutating func put(_ key: Int, bytes: [UInt8]?) { if let bytes { add(key, bytes: bytes) } }
  mutating func put(_ key: Int, map: some Fields) throws(MessageError) {
    add(key, bytes: try map.encoded())
  }

  /// Optional lists are left out when empty by passing nil.
  mutating func put(_ key: Int, list: [[UInt8]]?) {
    guard let list else { return }
    let size = list.reduce(9) { $0 + $1.count + 9 }
    add(
      key, number: UInt64(list.count),
      bytes: Self.cbor(size) { writer in
        acd_cbor_put_array(&writer, UInt64(list.count))
        for element in list { acd_cbor_put_bytes(&writer, element, element.count) }
      })
  }
  mutating func put(_ key: Int, list: [some FixedBytes]?) { put(key, list: list?.map(\.bytes)) }
  mutating func put(_ key: Int, numbers: [UInt64]?) {
    guard let numbers else { return }
    add(
      key, number: UInt64(numbers.count),
      bytes: Self.cbor(9 + numbers.count * 9) { writer in
        acd_cbor_put_array(&writer, UInt64(numbers.count))
        for number in numbers { acd_cbor_put_uint(&writer, number) }
      })
  }
  mutating func put(_ key: Int, maps: [some Fields]) throws(MessageError) {
    var encoded: [[UInt8]] = []
    for map in maps { encoded.append(try map.encoded()) }
    let size = encoded.reduce(9) { $0 + $1.count }
    add(
      key, number: UInt64(maps.count),
      bytes: Self.cbor(size) { writer in
        acd_cbor_put_array(&writer, UInt64(maps.count))
        for element in encoded { acd_cbor_put_raw(&writer, element, element.count) }
      })
  }

  private static func cbor(_ capacity: Int, _ body: (inout acd_cbor_writer) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      var writer = acd_cbor_writer()
      acd_cbor_writer_init(&writer, buffer.baseAddress, capacity)
      body(&writer)
      var length = 0
      let status = acd_cbor_writer_finish(&writer, &length)
      precondition(status == ACD_OK, "a list that was sized exactly fits")
      count = length
    }
  }

  /// The encoding, at `headroom` in a buffer with `tailroom` free bytes behind it, and its length.
  func encode(headroom: Int = 0, tailroom: Int = 0) throws(MessageError) -> (buffer: [UInt8], length: Int) {
    let fieldCount = Int(type.info.field_count)
    let capacity = arena.count + slots.count * 12 + 16
    var buffer = [UInt8](repeating: 0, count: headroom + capacity + tailroom)
    var length = 0
    let status = arena.withUnsafeBufferPointer { base in
      var values = [acd_value](repeating: acd_value(), count: fieldCount)
      for slot in slots {
        values[slot.index].present = 1
        values[slot.index].number = slot.number
        values[slot.index].bytes = slot.length == 0 ? nil : base.baseAddress! + slot.offset
        values[slot.index].len = slot.length
      }
      return buffer.withUnsafeMutableBytes { out in
        acd_map_encode(out.baseAddress! + headroom, capacity, &length, type.core, values, fieldCount)
      }
    }
    try check(status, type.label)
    return (buffer, length)
  }
}

extension Fields {
  /// The one deterministic encoding; fails only when a value is outside the table's limits.
  public func encoded() throws(MessageError) -> [UInt8] {
    precondition(Core.isReady)
    var writer = FieldWriter(Self.type)
    try write(to: &writer)
    let (buffer, length) = try writer.encode()
    return Array(buffer[..<length])
  }
}
