// Goods as streams: any boundary of input gives the same bytes, and no cut or change gets through.

import Messages
import Testing

@Suite("Sealed goods")
struct GoodsTests {
  private static let key = filled(0x6b)
  private static let n = TransactionID(filled(0x4e, 16))!

  /// Bytes that differ from place to place.
  private static func plain(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
  }

  private static func feed(_ stream: inout GoodsStream, _ bytes: [UInt8], by step: Int) throws -> [UInt8] {
    var out: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let end = min(start + step, bytes.count)
      try bytes[start..<end].withUnsafeBytes { out += try stream.update($0) }
      start = end
    }
    return out
  }

  private static func seal(
    _ plain: [UInt8], by step: Int
  ) throws -> (sealed: [UInt8], root: Hash, length: UInt64) {
    var stream = try GoodsStream(sealing: key, n: n, salt: filled(0x53, 24))
    let body = try feed(&stream, plain, by: step)
    let (tail, root, length) = try stream.finish()
    return (body + tail, root, length)
  }

  private static func open(
    _ sealed: [UInt8], root: Hash, length: UInt64, by step: Int, key: [UInt8] = key, n: TransactionID = n
  ) throws -> [UInt8] {
    var stream = try GoodsStream(opening: key, n: n)
    let body = try feed(&stream, sealed, by: step)
    return try body + stream.finish(root: root, length: length)
  }

  private static func check(_ sealed: [UInt8], by step: Int) throws -> (root: Hash, length: UInt64) {
    var stream = GoodsStream(checking: .sodium)
    _ = try feed(&stream, sealed, by: step)
    let (_, root, length) = try stream.finish()
    return (root, length)
  }

  @Test(
    "goods of any length come back, whatever the pieces they arrive in",
    arguments: [0, 1, 16_383, 16_384, 16_385, 32_768, 50_001])
  func roundTrip(count: Int) throws {
    let plain = Self.plain(count)
    let whole = try Self.seal(plain, by: 1 << 20)
    #expect(UInt64(whole.sealed.count) == whole.length)
    #expect(Goods.sealedLength(of: UInt64(count)) == whole.length)
    #expect(try Goods.length(sealed: whole.length) == UInt64(count))
    for step in [7, 55, 57, 4099, 16_384, 16_399, 16_400, 16_401, 40_000] {
      let pieces = try Self.seal(plain, by: step)
      #expect(pieces.sealed == whole.sealed)
      #expect(pieces.root == whole.root)
      let checked = try Self.check(whole.sealed, by: step)
      #expect(checked.root == whole.root)
      #expect(checked.length == whole.length)
      #expect(try Self.open(whole.sealed, root: whole.root, length: whole.length, by: step) == plain)
    }
  }

  @Test("goods that were cut off do not open")
  func truncated() throws {
    let whole = try Self.seal(Self.plain(40_000), by: 1 << 20)
    for count in [0, 1, 23, 55, 56, 57, 72, 16_455, 16_456, 32_856, whole.sealed.count - 1] {
      let cut = Array(whole.sealed.prefix(count))
      #expect(throws: MessageError.self) {
        try Self.open(cut, root: whole.root, length: whole.length, by: 1000)
      }
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed + [0], root: whole.root, length: whole.length, by: 1000)
    }
  }

  @Test("goods with a changed byte do not open, and have another root")
  func changed() throws {
    let whole = try Self.seal(Self.plain(40_000), by: 1 << 20)
    for index in [0, 24, 55, 56, 16_455, 16_456, 20_000, whole.sealed.count - 1] {
      var damaged = whole.sealed
      damaged[index] ^= 1
      #expect(try Self.check(damaged, by: 999).root != whole.root)
      #expect(throws: MessageError.self) {
        try Self.open(damaged, root: whole.root, length: whole.length, by: 999)
      }
    }
  }

  @Test("goods do not open with another key, for another transaction, or under another root or length")
  func foreign() throws {
    let whole = try Self.seal(Self.plain(100), by: 100)
    let (root, length) = (whole.root, whole.length)
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length, by: 64, key: filled(1))
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length, by: 64, n: TransactionID(filled(1, 16))!)
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: digest(1), length: length, by: 64)
    }
    #expect(throws: MessageError.self) {
      try Self.open(whole.sealed, root: root, length: length + 1, by: 64)
    }
  }

  @Test("a length that no goods have is refused", arguments: [0, 55, 56, 71, 16_456, 16_471, UInt64.max])
  func impossible(length: UInt64) {
    #expect(refusal { () throws(MessageError) in try Goods.length(sealed: length) } != nil)
  }
}
