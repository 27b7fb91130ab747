// Hashing side by side: the hashes are OpenSSL's for any number of messages of any lengths, from one thread
// and from many. Without intel-ipsec-mb there is nothing to test.

#if ACD_IPSEC_MB
  import CCore
  import Dispatch
  import Messages
  import Synchronization
  import Testing

  @testable import Services

  /// What this processor can do.
  private let hashes = MultiBufferHash.Way.allCases.compactMap { way in
    MultiBufferHash(way).map { (way: way, hash: $0) }
  }

  @Suite("Hashing side by side", .enabled(if: !hashes.isEmpty, "the processor lacks what it takes"))
  struct MultiBufferTests {
    private static let text = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }

    /// The hashes of messages of these lengths, which begin at different bytes of the text.
    private static func hash(_ lengths: [Int], with hash: MultiBufferHash) -> [Hash] {
      var out = [UInt8](repeating: 0xee, count: lengths.count * Hash.size)
      let status = text.withUnsafeBytes { text in
        let messages = lengths.enumerated().map { index, length in
          acd_hash_part(bytes: text.baseAddress! + index, len: length)
        }
        return messages.withUnsafeBufferPointer { hash.digest($0, to: &out) }
      }
      #expect(status == 0)
      return stride(from: 0, to: out.count, by: Hash.size).map { Hash(Array(out[$0..<$0 + Hash.size]))! }
    }

    private static func expected(_ lengths: [Int]) -> [Hash] {
      lengths.enumerated().map { index, length in Hash(of: Array(text[index..<index + length])) }
    }

    @Test("any number of messages, of equal and different lengths, have the hashes of single messages")
    func numbers() {
      for (way, hash) in hashes {
        for count in [0, 1, way.lanes - 1, way.lanes, way.lanes + 1, 16, 2 * way.lanes + 1, 40, 300] {
          let equal = [Int](repeating: 16_401, count: count)
          let different = (0..<count).map { $0 * 131 % 700 }
          for lengths in [equal, different] {
            #expect(Self.hash(lengths, with: hash) == Self.expected(lengths), "\(way), \(count) messages")
          }
        }
      }
    }

    @Test("every length around the bounds of blocks and of what is left to OpenSSL")
    func lengths() {
      for (way, hash) in hashes {
        for length in Array(0...200) + [-1, 0, 1, 36_000].map({ MultiBufferHash.messageMax + $0 }) {
          let lengths = [Int](repeating: length, count: way.lanes)
          #expect(Self.hash(lengths, with: hash) == Self.expected(lengths), "\(way), \(length) bytes")
        }
      }
    }

    @Test("many threads at once do not disturb each other")
    func threads() {
      for (way, hash) in hashes {
        let wrong = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
          for round in 0..<20 {
            let lengths = [Int](repeating: 1000 + 100 * thread + round, count: way.lanes)
            if Self.hash(lengths, with: hash) != Self.expected(lengths) {
              wrong.wrappingAdd(1, ordering: .relaxed)
            }
          }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
      }
    }
  }
#endif
