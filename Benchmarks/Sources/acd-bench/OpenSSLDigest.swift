// The hash engine that a server hands to the C core: SHA-256 by OpenSSL, with the processor's SHA
// instructions.

import CBench
import CCore
import Messages

/// A context per call: safe from any thread. A constant table without state.
nonisolated(unsafe) let bulkEngine = acd_hash_engine(
  state: nil,
  digest: { _, out, parts, count in
    guard let context = EVP_MD_CTX_new() else { return -1 }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestInit_ex(context, bulkDigest, nil) == 1 else { return -1 }
    for part in UnsafeBufferPointer(start: parts, count: count) {
      guard EVP_DigestUpdate(context, part.bytes, part.len) == 1 else { return -1 }
    }
    return EVP_DigestFinal_ex(context, out, nil) == 1 ? 0 : -1
  })

/// Fetched once; never changed.
private nonisolated(unsafe) let bulkDigest = EVP_MD_fetch(nil, "SHA256", nil)

extension HashEngine {
  /// `bulkEngine`, for streams.
  static let bulk = HashEngine(bulkEngine)
}
