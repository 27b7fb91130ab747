// SHA-256 of what comes piece by piece: crossing into libsodium, because the core hashes only what is there
// as a whole.

internal import CSodium

/// A running SHA-256.
public struct HashStream {
  private var state = crypto_hash_sha256_state()

  /// Begins with nothing.
  public init() {
    precondition(Core.isReady)
    crypto_hash_sha256_init(&state)
  }

  /// Appends bytes.
  public mutating func update(_ bytes: [UInt8]) {
    crypto_hash_sha256_update(&state, bytes, UInt64(bytes.count))
  }

  /// The hash of all that was appended.
  public func hash() -> Hash {
    var copy = state
    var out = [UInt8](repeating: 0, count: Hash.size)
    crypto_hash_sha256_final(&copy, &out)
    return Hash(out)!
  }
}
