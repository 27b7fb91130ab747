// What a timestamp authority is asked (RFC 3161 section 2.4.1), and its answer.

internal import COpenSSL
public import Messages

/// A request for one token.
public struct TimestampRequest: Sendable {
  /// What is to be dated.
  public let imprint: Hash
  /// Makes the answer to this request known from all others.
  public let nonce: UInt64
  /// The policy under which the authority has to date it; nil: any.
  public let policy: String?
  /// Bytes of the longest answer that is read.
  public static let answerSizeMax = 16_384

  public init(imprint: Hash, nonce: UInt64, policy: String?) {
    (self.imprint, self.nonce, self.policy) = (imprint, nonce, policy)
  }

  /// TimeStampReq, DER. It asks for no certificates: those come from the trust list.
  public func encoded() throws(TimestampFault) -> [UInt8] {
    guard let request = Self.make(imprint: imprint, nonce: nonce, policy: policy) else {
      throw .malformed("policy: \(policy ?? "")")
    }
    defer { TS_REQ_free(request) }
    guard let bytes = derBytes({ i2d_TS_REQ(request, $0) }) else { throw .malformed("request") }
    return bytes
  }

  /// The token in an answer, TimeStampResp in DER. It is not verified yet.
  /// - Throws: ``TimestampFault/refused(_:)`` if the authority grants none.
  public static func token(in answer: [UInt8]) throws(TimestampFault) -> [UInt8] {
    guard answer.count <= answerSizeMax,
      let response = answer.der({ d2i_TS_RESP(nil, $0, $1) }, free: { TS_RESP_free($0) })
    else { throw .malformed("answer of a timestamp authority") }
    defer { TS_RESP_free(response) }
    let status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response)).map { ASN1_INTEGER_get($0) }
    // Granted, or granted with changes: what was changed the verification will tell.
    guard let status, status == 0 || status == 1 else { throw .refused("status \(status ?? -1)") }
    guard let token = TS_RESP_get_token(response), let bytes = derBytes({ i2d_PKCS7(token, $0) }) else {
      throw .refused("an answer without a token")
    }
    return bytes
  }

  /// The same as OpenSSL has it; the caller frees it.
  static func make(imprint: Hash, nonce: UInt64?, policy: String?) -> OpaquePointer? {
    guard let request = TS_REQ_new() else { return nil }
    guard fill(request, imprint, nonce, policy) else {
      TS_REQ_free(request)
      ERR_clear_error()
      return nil
    }
    return request
  }

  private static func fill(
    _ request: OpaquePointer, _ imprint: Hash, _ nonce: UInt64?, _ policy: String?
  ) -> Bool {
    let (algorithm, message) = (X509_ALGOR_new(), TS_MSG_IMPRINT_new())
    defer {
      X509_ALGOR_free(algorithm)
      TS_MSG_IMPRINT_free(message)
    }
    var digest = imprint.bytes
    guard X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nil) == 1,
      TS_MSG_IMPRINT_set_algo(message, algorithm) == 1,
      TS_MSG_IMPRINT_set_msg(message, &digest, Int32(digest.count)) == 1,
      TS_REQ_set_version(request, 1) == 1, TS_REQ_set_msg_imprint(request, message) == 1,
      TS_REQ_set_cert_req(request, 0) == 1
    else { return false }
    if let nonce {
      let number = ASN1_INTEGER_new()
      defer { ASN1_INTEGER_free(number) }
      guard ASN1_INTEGER_set_uint64(number, nonce) == 1, TS_REQ_set_nonce(request, number) == 1 else {
        return false
      }
    }
    if let policy {
      let named = OBJ_txt2obj(policy, 1)
      defer { ASN1_OBJECT_free(named) }
      guard let named, TS_REQ_set_policy_id(request, named) == 1 else { return false }
    }
    return true
  }
}
