// OpenSSL for bulk data: SHA-256 and ChaCha20-Poly1305 several times as fast as libsodium's, where the
// processor has the instructions. Handed to the C core as its engine for goods.
//
// Invariants: no state outside of a call, so the engine may be shared between threads; OpenSSL wipes a
// context's key when it is freed. Making a context costs less than a hundredth of working on a chunk.

internal import CCore
internal import COpenSSL
public import Messages

extension GoodsEngine {
  /// OpenSSL's SHA-256 and ChaCha20-Poly1305.
  public static let openSSL = openSSL(
    hashing: acd_hash_engine(state: nil, digest: { openSSLDigest($1, $2, $3) }, digest_many: nil))

  /// OpenSSL's ChaCha20-Poly1305 beside another hash.
  static func openSSL(hashing hash: acd_hash_engine) -> GoodsEngine {
    GoodsEngine(
      acd_engine(
        hash: hash,
        aead: acd_aead_engine(
          state: nil, seal: { seal($1, $2, $3, nonce: $4, key: $5) },
          open: { open($1, $2, $3, nonce: $4, key: $5) })))
  }
}

// Fetched once: an implicit fetch per call costs more than hashing a small chunk.
private nonisolated(unsafe) let sha256 = EVP_MD_fetch(nil, "SHA256", nil)  // constant after its creation
private nonisolated(unsafe) let chaCha20Poly1305 =  // constant after its creation
  EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)
private let tagSize = Int32(ACD_AEAD_TAG_SIZE)

func openSSLDigest(
  _ out: UnsafeMutablePointer<UInt8>?, _ parts: UnsafePointer<acd_hash_part>?, _ count: Int
) -> Int32 {
  guard let context = EVP_MD_CTX_new() else { return -1 }
  defer { EVP_MD_CTX_free(context) }
  guard EVP_DigestInit_ex(context, sha256, nil) == 1 else { return -1 }
  for part in UnsafeBufferPointer(start: parts, count: count) {
    guard EVP_DigestUpdate(context, part.bytes, part.len) == 1 else { return -1 }
  }
  return EVP_DigestFinal_ex(context, out, nil) == 1 ? 0 : -1
}

private func seal(
  _ out: UnsafeMutablePointer<UInt8>?, _ plain: UnsafePointer<UInt8>?, _ count: Int,
  nonce: UnsafePointer<UInt8>?, key: UnsafePointer<UInt8>?
) -> Int32 {
  guard let out, let context = EVP_CIPHER_CTX_new() else { return -1 }
  defer { EVP_CIPHER_CTX_free(context) }
  var written: Int32 = 0
  guard EVP_EncryptInit_ex(context, chaCha20Poly1305, nil, key, nonce) == 1,
    count == 0 || EVP_EncryptUpdate(context, out, &written, plain, Int32(count)) == 1,
    EVP_EncryptFinal_ex(context, out + count, &written) == 1,
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tagSize, out + count) == 1
  else { return -1 }
  return 0
}

/// OpenSSL decrypts before it knows the tag; the core wipes what it wrote if the tag does not hold.
private func open(
  _ out: UnsafeMutablePointer<UInt8>?, _ sealed: UnsafePointer<UInt8>?, _ count: Int,
  nonce: UnsafePointer<UInt8>?, key: UnsafePointer<UInt8>?
) -> Int32 {
  guard let sealed, let context = EVP_CIPHER_CTX_new() else { return -1 }
  defer { EVP_CIPHER_CTX_free(context) }
  var written: Int32 = 0
  var nothing: UInt8 = 0
  let tag = UnsafeMutableRawPointer(mutating: sealed + count)  // only read, whatever its type says
  guard EVP_DecryptInit_ex(context, chaCha20Poly1305, nil, key, nonce) == 1,
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tagSize, tag) == 1,
    count == 0 || EVP_DecryptUpdate(context, out, &written, sealed, Int32(count)) == 1
  else { return -1 }
  return EVP_DecryptFinal_ex(context, &nothing, &written) == 1 ? 0 : 1
}

/// A running SHA-256. One thread at a time.
final class BulkHasher: @unchecked Sendable {  // handed from thread to thread, never shared
  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, sha256, nil) == 1 else {
      fatalError("no memory for SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  func update(_ bytes: UnsafeRawBufferPointer) {
    let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(status == 1, "SHA-256 of bytes in memory cannot fail")
  }

  /// Once, at the end.
  func finish() -> Hash {
    var out = [UInt8](repeating: 0, count: Hash.size)
    let status = EVP_DigestFinal_ex(context, &out, nil)
    precondition(status == 1, "SHA-256 of bytes in memory cannot fail")
    return Hash(out)!
  }
}
