// Sealing, checking and opening one file as the services do it, with their own types; and the bare libraries
// on the same blocks and cores, which is what the goods cannot go below.

import CBench
import Dispatch
import Messages
import Services

struct GoodsRuns {
  private let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!
  private let key = [UInt8](repeating: 0x6b, count: 32)
  private let salt = [UInt8](repeating: 0x5a, count: Goods.saltSize)

  func seal(_ path: String, to target: String = "/dev/null", threads: Int? = nil) throws -> SealedGoods {
    try GoodsFiles(threads: threads).seal(
      RawFile(reading: path), to: RawFile(writing: target), key: key, n: n, salt: salt)
  }

  /// Opens, and hashes the plaintext too when the contract names a digest, as merchants' contracts do.
  func open(
    _ path: String, _ goods: SealedGoods, digesting: Bool = false, threads: Int? = nil
  ) throws -> Hash? {
    try GoodsFiles(threads: threads).open(
      RawFile(reading: path), to: RawFile(writing: "/dev/null"), key: key, n: n, goods: goods,
      digesting: digesting)
  }

  /// The root, as the wallet finds it while it downloads: on one thread.
  func check(_ path: String) throws -> Hash {
    var stream = GoodsStream(checking: .openSSL)
    let file = File(reading: path)
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { block.deallocate() }
    while true {
      let count = file.fill(block)
      if count == 0 { return try stream.finish().root }
      _ = try stream.update(UnsafeRawBufferPointer(rebasing: block[..<count]))
    }
  }

  /// OpenSSL's ChaCha20-Poly1305 and then SHA-256 of every 16 KiB of as many bytes, in memory, on so many
  /// threads, each with contexts that it keeps: what sealing would take without files, tree and keys.
  func bare(bytes: Int, threads: Int) {
    let chunks = bytes / Goods.chunkSize
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      let worker = BareChunks()
      for _ in stride(from: thread, to: chunks, by: threads) { worker.sealAndHash() }
    }
  }
}

/// One thread's contexts and buffers.
private final class BareChunks {
  private let cipher = EVP_CIPHER_CTX_new()
  private let digest = EVP_MD_CTX_new()
  private let plain = [UInt8](repeating: 7, count: Goods.chunkSize)
  private var sealed = [UInt8](repeating: 0, count: Goods.sealedChunkSize)
  private var leaf = [UInt8](repeating: 0, count: Hash.size)
  private let nonce = [UInt8](repeating: 1, count: 12)
  private let key = [UInt8](repeating: 2, count: 32)

  init() {
    expect(EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), nil, nil, nil) == 1, "cipher")
    expect(EVP_DigestInit_ex(digest, EVP_sha256(), nil) == 1, "digest")
  }

  deinit {
    EVP_CIPHER_CTX_free(cipher)
    EVP_MD_CTX_free(digest)
  }

  func sealAndHash() {
    var count: Int32 = 0
    expect(EVP_EncryptInit_ex(cipher, nil, nil, key, nonce) == 1, "key")
    expect(EVP_EncryptUpdate(cipher, &sealed, &count, plain, Int32(plain.count)) == 1, "encrypt")
    expect(EVP_EncryptFinal_ex(cipher, &leaf, &count) == 1, "end")
    expect(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, &leaf) == 1, "tag")
    expect(EVP_DigestInit_ex(digest, nil, nil) == 1, "digest")
    expect(EVP_DigestUpdate(digest, sealed, sealed.count) == 1, "hash")
    expect(EVP_DigestFinal_ex(digest, &leaf, nil) == 1, "hash")
  }
}
