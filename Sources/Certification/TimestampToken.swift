// A timestamp token (RFC 3161, CMS) verified with OpenSSL, which reads all of it; there is no ASN.1 of our
// own.
//
// Invariants: a token counts under the certificate that the trust list pins and under no other, so it
// carries none itself; that certificate was valid at the token's own time, its key is P-256, and it is for
// timestamps alone. What the token says is believed within its own accuracy, and without one within the
// trust list's clock slack.

internal import COpenSSL
public import Messages

/// Tokens.
public enum TimestampToken {
  /// By how much an authority may say that it is wrong: beyond, it dates nothing.
  public static let accuracyMax: UInt64 = 86_400

  /// Verifies a token.
  /// - Parameters:
  ///   - nonce: of the request that it has to answer; nil where the request is not known any more.
  ///   - skewSeconds: the accuracy of a token that states none.
  public static func verify(
    _ token: [UInt8], imprint: Hash, nonce: UInt64? = nil, certificate: [UInt8], policy: String?,
    skewSeconds: UInt64
  ) throws(TimestampFault) -> StampDate {
    guard let message = token.der({ d2i_PKCS7(nil, $0, $1) }, free: { PKCS7_free($0) }) else {
      throw .malformed("timestamp token")
    }
    defer { PKCS7_free(message) }
    try checkForm(message)
    guard let info = PKCS7_to_TS_TST_INFO(message) else { throw .unproven() }
    defer { TS_TST_INFO_free(info) }
    let date = try date(info, skewSeconds)
    guard let signer = certificate.der({ d2i_X509(nil, $0, $1) }, free: { X509_free($0) }) else {
      throw .certificate("it is none")
    }
    defer { X509_free(signer) }
    try AuthorityCertificate.check(signer)
    guard let request = TimestampRequest.make(imprint: imprint, nonce: nonce, policy: policy) else {
      throw .malformed("policy: \(policy ?? "")")
    }
    defer { TS_REQ_free(request) }
    try verify(message, request, signer, at: date.at)
    return date
  }

  /// One signer, by a hash that nobody breaks, and no certificates or lists of revoked ones: what is not
  /// needed is only something to hide in.
  private static func checkForm(_ message: UnsafeMutablePointer<PKCS7>) throws(TimestampFault) {
    guard OBJ_obj2nid(message.pointee.type) == NID_pkcs7_signed, let signed = message.pointee.d.sign else {
      throw .malformed("timestamp token")
    }
    guard OPENSSL_sk_num(signed.pointee.cert) <= 0, OPENSSL_sk_num(signed.pointee.crl) <= 0 else {
      throw .unproven("it carries certificates: the trust list has the one that counts")
    }
    guard OPENSSL_sk_num(signed.pointee.signer_info) == 1,
      let first = OPENSSL_sk_value(signed.pointee.signer_info, 0)
    else { throw .unproven("it has not just one signer") }
    let algorithm = first.assumingMemoryBound(to: PKCS7_SIGNER_INFO.self).pointee.digest_alg
    guard let algorithm,
      [NID_sha256, NID_sha384, NID_sha512].contains(OBJ_obj2nid(algorithm.pointee.algorithm))
    else { throw .unproven("it is signed over a weak hash") }
  }

  private static func date(
    _ info: OpaquePointer, _ skewSeconds: UInt64
  ) throws(TimestampFault) -> StampDate {
    guard TS_TST_INFO_get_ext_by_critical(info, 1, -1) < 0 else {
      throw .unproven("it has an extension that nobody here knows")
    }
    guard let written = TS_TST_INFO_get_time(info), let at = AuthorityCertificate.time(written) else {
      throw .unproven("its time is none")
    }
    // A fraction of a second is rounded up: what existed by 12:00:00.5 existed by 12:00:01.
    let text = UnsafeBufferPointer(
      start: ASN1_STRING_get0_data(written), count: Int(ASN1_STRING_length(written)))
    let fraction: UInt64 = text.contains(UInt8(ascii: ".")) ? 1 : 0
    let accuracy = try TS_TST_INFO_get_accuracy(info).map { (a) throws(TimestampFault) in try seconds(a) }
    guard accuracy ?? 0 <= accuracyMax else { throw .unproven("it may be wrong by \(accuracy ?? 0) seconds") }
    return StampDate(at: at, accuracySeconds: (accuracy ?? skewSeconds) + fraction)
  }

  /// Whole seconds, rounded up.
  private static func seconds(_ accuracy: OpaquePointer) throws(TimestampFault) -> UInt64 {
    func number(_ part: UnsafePointer<ASN1_INTEGER>?) throws(TimestampFault) -> UInt64 {
      guard let part else { return 0 }
      var value: UInt64 = 0
      guard ASN1_INTEGER_get_uint64(&value, part) == 1 else {
        ERR_clear_error()
        throw .unproven("its accuracy is none")
      }
      return value
    }
    let whole = try number(TS_ACCURACY_get_seconds(accuracy))
    let (millis, micros) = (TS_ACCURACY_get_millis(accuracy), TS_ACCURACY_get_micros(accuracy))
    let rest = max(try number(millis), try number(micros)) > 0
    return whole < UInt64.max ? whole + (rest ? 1 : 0) : whole
  }

  private static func verify(
    _ message: UnsafeMutablePointer<PKCS7>, _ request: OpaquePointer, _ signer: OpaquePointer,
    at time: Timestamp
  ) throws(TimestampFault) {
    // The context frees store and list; the list does not free what is in it by itself.
    guard let context = TS_REQ_to_TS_VERIFY_CTX(request, nil), let store = X509_STORE_new(),
      let list = OPENSSL_sk_new_null(), let parameters = X509_STORE_get0_param(store)
    else { throw .unproven() }
    defer { TS_VERIFY_CTX_free(context) }
    TS_VERIFY_CTX_add_flags(context, Int32(TS_VFY_SIGNATURE))
    TS_VERIFY_CTX_set_store(context, store)
    X509_up_ref(signer)
    OPENSSL_sk_push(list, UnsafeMutableRawPointer(signer))
    TS_VERIFY_CTX_set_certs(context, list)
    X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    X509_VERIFY_PARAM_set_time(parameters, time_t(clamping: time))
    guard X509_STORE_add_cert(store, signer) == 1, TS_RESP_verify_token(context, message) == 1 else {
      throw .unproven()
    }
  }
}

extension EvidenceTimestamp {
  /// When what this is over existed, if the authority's certificate signed it, whenever it is trusted.
  public func date(by entry: TrustEntry, skewSeconds: UInt64) -> StampDate? {
    guard let certificate = entry.certificate else { return nil }
    return try? TimestampToken.verify(
      token, imprint: imprint, certificate: certificate, policy: entry.tsaPolicy, skewSeconds: skewSeconds)
  }
}

extension TrustList {
  /// When what this token is over existed, and by whom; nil unless an authority of this list, which was
  /// trusted at the time that it wrote, signed it.
  public func date(_ stamp: EvidenceTimestamp) -> (authority: TrustEntry, date: StampDate)? {
    for entry in entries where entry.role == .timestamp {
      if let date = try? date(stamp.token, imprint: stamp.imprint, by: entry) { return (entry, date) }
    }
    return nil
  }

  /// Verifies a token of one authority of this list.
  public func date(
    _ token: [UInt8], imprint: Hash, nonce: UInt64? = nil, by entry: TrustEntry
  ) throws(TimestampFault) -> StampDate {
    guard let certificate = entry.certificate else { throw .certificate("\(entry.name) has none") }
    let date = try TimestampToken.verify(
      token, imprint: imprint, nonce: nonce, certificate: certificate, policy: entry.tsaPolicy,
      skewSeconds: skewSeconds)
    do {
      try check(entry.key, as: .timestamp, at: date.at, subject: entry.name)
      try check(entry.key, as: .timestamp, at: date.latest, subject: entry.name)
    } catch {
      throw .unproven("\(entry.name) is not trusted at the time that it wrote: \(error.rule)")
    }
    return date
  }
}
