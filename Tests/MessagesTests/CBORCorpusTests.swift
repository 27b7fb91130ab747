// The CBOR working group's vectors, called from Swift: of RFC 8949 appendix A those inside our dialect decode
// and encode again to the same bytes; all others, and everything ill-formed, is refused.

import CCore
import Messages
import Testing

private struct Example: Decodable { let hex: String }

@Suite("CBOR vectors", .enabled(if: ThirdParty.areWanted, ThirdParty.absent))
struct CBORCorpusTests {
  /// Appendix A's examples inside the dialect (docs/SPEC.md section 2); by hand, from RFC 8949.
  private static let inside: Set<String> = [
    "00", "01", "0a", "17", "1818", "1819", "1864", "1903e8", "1a000f4240", "1b000000e8d4a51000",
    "1bffffffffffffffff", "3bffffffffffffffff", "20", "29", "3863", "3903e7", "f4", "f5", "f6", "40",
    "4401020304", "60", "6161", "6449455446", "62225c", "62c3bc", "63e6b0b4", "64f0908591", "80", "83010203",
    "8301820203820405", "98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0", "a201020304",
  ]

  @Test("appendix A: what is deterministic and in the dialect is accepted, all else is refused")
  func appendixA() throws {
    let examples = try ThirdParty.json([Example].self, "cbor/appendix_a.json")
    #expect(examples.count >= 82)
    var accepted = 0
    for example in examples {
      let bytes = try ThirdParty.bytes(hex: example.hex)
      let holds = acd_cbor_check(bytes, bytes.count) == ACD_OK
      #expect(holds == Self.inside.contains(example.hex), "\(example.hex)")
      if holds {
        accepted += 1
        #expect(try again(bytes) == bytes, "\(example.hex)")
      }
      // None is a message, whatever it is as CBOR.
      #expect(refusal { () throws(MessageError) in try Dump(decoding: bytes) } != nil, "\(example.hex)")
    }
    #expect(accepted == Self.inside.count)
  }

  @Test("what is not well-formed is refused")
  func illFormed() throws {
    let examples = try ThirdParty.json([Example].self, "cbor/fail.json")
    #expect(examples.count >= 568)
    for example in examples {
      let bytes = try ThirdParty.bytes(hex: example.hex)
      #expect(acd_cbor_check(bytes, bytes.count) != ACD_OK, "\(example.hex)")
      #expect(refusal { () throws(MessageError) in try Dump(decoding: bytes) } != nil, "\(example.hex)")
    }
  }

  /// Reads item by item and writes each again.
  private func again(_ bytes: [UInt8]) throws -> [UInt8] {
    var out = [UInt8](repeating: 0, count: bytes.count + 16)
    var length = 0
    let status = out.withUnsafeMutableBytes { room in
      bytes.withUnsafeBytes { input in
        var reader = acd_cbor_reader()
        var writer = acd_cbor_writer()
        acd_cbor_reader_init(&reader, input.baseAddress, input.count)
        acd_cbor_writer_init(&writer, room.baseAddress, room.count)
        while reader.at < reader.end {
          var item = acd_cbor_item()
          guard acd_cbor_next(&reader, &item) == ACD_OK else { return reader.status }
          put(item, into: &writer)
        }
        return acd_cbor_writer_finish(&writer, &length)
      }
    }
    try #require(status == ACD_OK)
    return Array(out.prefix(length))
  }

  private func put(_ item: acd_cbor_item, into writer: inout acd_cbor_writer) {
    switch item.kind {
    case ACD_CBOR_UINT: acd_cbor_put_uint(&writer, item.number)
    case ACD_CBOR_NEGATIVE where item.number > UInt64(Int64.max):
      // -2^64 is below what acd_cbor_put_int takes: its head with the major type 1, by hand.
      let head = [0x3b] + withUnsafeBytes(of: item.number.bigEndian, Array.init)
      acd_cbor_put_raw(&writer, head, head.count)
    case ACD_CBOR_NEGATIVE: acd_cbor_put_int(&writer, -1 - Int64(item.number))
    case ACD_CBOR_BYTES: acd_cbor_put_bytes(&writer, item.bytes, Int(item.number))
    case ACD_CBOR_TEXT: acd_cbor_put_text(&writer, item.bytes, Int(item.number))
    case ACD_CBOR_ARRAY: acd_cbor_put_array(&writer, item.number)
    case ACD_CBOR_MAP: acd_cbor_put_map(&writer, item.number)
    case ACD_CBOR_TAG: acd_cbor_put_tag(&writer, item.number)
    default:
      if item.number == 22 {
        acd_cbor_put_null(&writer)
      } else {
        acd_cbor_put_bool(&writer, item.number == 21 ? 1 : 0)
      }
    }
  }
}
