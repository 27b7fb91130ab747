// Telling byte strings apart, quickly: for the simulator's own bookkeeping, never for anything that parties
// rely on.

/// 128 bits of a byte string.
struct Fingerprint: Hashable {
  let a: UInt64
  let b: UInt64

  init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  init(_ bytes: ArraySlice<UInt8>) {
    var (a, b): (UInt64, UInt64) = (0x243f_6a88_85a3_08d3 ^ UInt64(bytes.count), 0x1319_8a2e_0370_7344)
    bytes.withUnsafeBytes { raw in
      var offset = 0
      while offset + 8 <= raw.count {
        let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        (a, b) = Self.mix(a, b, word)
        offset += 8
      }
      var tail: UInt64 = 0
      while offset < raw.count {
        tail = tail << 8 | UInt64(raw[offset])
        offset += 1
      }
      (a, b) = Self.mix(a, b, tail)
      (a, b) = Self.mix(a, b, a >> 17)
    }
    (self.a, self.b) = (a, b)
  }

  private static func mix(_ a: UInt64, _ b: UInt64, _ word: UInt64) -> (UInt64, UInt64) {
    let x = (a ^ word) &* 0x9e37_79b9_7f4a_7c15
    let y = (b &+ word) &* 0xc2b2_ae3d_27d4_eb4f
    return (x ^ x >> 29 ^ y << 7, y ^ y >> 31 &+ x)
  }
}
