// Streaming SHA-256 of files, by swift-crypto.

import Crypto
import Foundation
import Messages

/// A running SHA-256.
struct FileHasher {
  private var state = SHA256()

  mutating func update(_ data: Data) { state.update(data: data) }
  mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }
  func finish() -> Hash { Hash(Array(state.finalize()))! }
}
