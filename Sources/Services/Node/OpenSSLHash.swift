// SHA-256 by OpenSSL for bulk data: several times as fast as libsodium's where the processor has SHA
// instructions. Handed to the C core through its hash engine.

internal import CCore
internal import COpenSSL
import Messages

extension HashEngine {
  /// OpenSSL's SHA-256; a context per call, so it may be shared between threads.
  static let openSSL = HashEngine(
    acd_hash_engine(
      state: nil,
      digest: { _, out, parts, count in
        guard let context = EVP_MD_CTX_new() else { return -1 }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, sha256, nil) == 1 else { return -1 }
        for index in 0..<count {
          let part = parts![index]
          guard EVP_DigestUpdate(context, part.bytes, part.len) == 1 else { return -1 }
        }
        return EVP_DigestFinal_ex(context, out, nil) == 1 ? 0 : -1
      }))
}

/// Fetched once: an implicit fetch per call costs more than hashing a small chunk.
private nonisolated(unsafe) let sha256 = EVP_MD_fetch(nil, "SHA256", nil)  // constant after its creation
