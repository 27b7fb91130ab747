// What the tests of tokens and money share: published vectors, hexadecimal, seeded randomness.

import BlindTokens
import Crypto
import Foundation

/// The folder of published test vectors, which is not part of the project: `ACD_VECTORS`, or beside the
/// package.
enum Vectors {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["ACD_VECTORS"] {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    // Tests/BlindTokensTests/Support.swift, three below the package's root.
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appending(path: "shared/vectors")
  }()

  static let rfc9474 = folder.appending(path: "rfc9474/circl_test_vectors_rfc9474.json")

  /// False skips the tests: nobody named a folder, and none lies beside the package.
  static var haveRFC9474: Bool {
    ProcessInfo.processInfo.environment["ACD_VECTORS"] != nil
      || FileManager.default.fileExists(atPath: rfc9474.path)
  }
}

/// The bytes that hexadecimal digits say, with or without `0x`.
func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.hasPrefix("0x") ? hex.dropFirst(2) : hex[...]
  precondition(digits.count % 2 == 0, "an odd number of digits")
  var result: [UInt8] = []
  var rest = digits
  while !rest.isEmpty {
    guard let byte = UInt8(rest.prefix(2), radix: 16) else {
      preconditionFailure("no digits: \(rest)")
    }
    result.append(byte)
    rest = rest.dropFirst(2)
  }
  return result
}

/// Lower-case hexadecimal digits.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { String(format: "%02x", $0) }.joined()
}

func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Keys that several tests use; made once, since making one takes long.
enum SharedKeys {
  static let signing = Result { try BlindSigningKey.generate(.bits2048) }
  static let other = Result { try BlindSigningKey.generate(.bits2048) }
}
