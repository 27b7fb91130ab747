// The certificate of a timestamp authority, as a trust list pins it: the authority's key, and until when it
// is used. No chain is followed, since the list's signer vouches for the certificate itself.

internal import COpenSSL
public import Messages

/// A certificate that a timestamp authority may sign by: P-256, and for timestamps alone.
public struct AuthorityCertificate: Sendable {
  /// DER.
  public let der: [UInt8]
  /// The subject's common name.
  public let name: String
  /// When its key begins to count, and from when on it does not any more.
  public let from, until: Timestamp

  /// Its name in a trust list: SHA-256 of its bytes.
  public var key: PublicKey { PublicKey(Hash(of: der).bytes)! }

  /// Reads a file, PEM or DER, and checks that timestamps can be verified by it.
  public init(file: [UInt8]) throws(TimestampFault) {
    let found = Self.pem(file) ?? file
    guard let certificate = found.der({ d2i_X509(nil, $0, $1) }, free: { X509_free($0) }) else {
      throw .malformed("certificate, neither PEM nor DER")
    }
    defer { X509_free(certificate) }
    try Self.check(certificate)
    guard let from = Self.time(X509_get0_notBefore(certificate)),
      let until = Self.time(X509_get0_notAfter(certificate)), from < until
    else { throw .certificate("its window is none") }
    (der, name, self.from, self.until) = (found, Self.commonName(certificate), from, until + 1)
  }

  /// What is demanded of a key that dates evidence: P-256 (RFC 5480), and its certificate says, critically,
  /// that it is for timestamps and nothing else (RFC 3161 section 2.3).
  static func check(_ certificate: OpaquePointer) throws(TimestampFault) {
    var group = [CChar](repeating: 0, count: 64)
    guard let key = X509_get0_pubkey(certificate), EVP_PKEY_get_base_id(key) == EVP_PKEY_EC,
      EVP_PKEY_get_group_name(key, &group, group.count, nil) == 1, group.text == "prime256v1"
    else { throw .certificate("its key is not P-256") }
    guard X509_check_purpose(certificate, X509_PURPOSE_TIMESTAMP_SIGN, 0) == 1 else {
      ERR_clear_error()
      throw .certificate("it is not for timestamps alone: id-kp-timeStamping, critical")
    }
  }

  private static func pem(_ file: [UInt8]) -> [UInt8]? {
    // BIO_new_mem_buf borrows: read while the array is pinned.
    return file.withUnsafeBytes { raw -> [UInt8]? in
      guard let bio = BIO_new_mem_buf(raw.baseAddress, Int32(clamping: raw.count)) else { return nil }
      defer { BIO_free(bio) }
      let certificate = PEM_read_bio_X509(bio, nil, nil, nil)
      ERR_clear_error()
      guard let certificate else { return nil }
      defer { X509_free(certificate) }
      return derBytes { i2d_X509(certificate, $0) }
    }
  }

  private static func commonName(_ certificate: OpaquePointer) -> String {
    var text = [CChar](repeating: 0, count: 65)
    let subject = X509_get_subject_name(certificate)
    guard X509_NAME_get_text_by_NID(subject, NID_commonName, &text, Int32(text.count)) > 0 else {
      return Role.timestamp.name
    }
    return text.text
  }

  /// Seconds since 1970; nil for what is before, or no time.
  static func time(_ time: UnsafePointer<ASN1_TIME>?) -> Timestamp? {
    guard let time, let epoch = ASN1_TIME_set(nil, 0) else { return nil }
    defer { ASN1_STRING_free(epoch) }
    var (days, seconds): (Int32, Int32) = (0, 0)
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
      ERR_clear_error()
      return nil
    }
    let all = Int64(days) * 86_400 + Int64(seconds)
    return all > 0 ? Timestamp(all) : nil
  }
}

extension [CChar] {
  /// The text up to its zero.
  fileprivate var text: String {
    String(decoding: prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
