// A timestamp authority in the tests' own process, made of OpenSSL's own responder, which can be told to
// answer wrongly.

import COpenSSL
import Messages

@testable import Certification

/// What an authority's certificate says.
struct CertificateWish {
  var name = "Test TSA"
  /// As OpenSSL writes extensions; nil: none.
  var usage: String? = "critical,timeStamping"
  var curve: Int32? = NID_X9_62_prime256v1
  var from: Timestamp = 1_000_000
  var until: Timestamp = 2_000_000_000
}

/// What is wrong with an answer.
struct AnswerWish {
  var at: Timestamp = 1_800_000_000
  var accuracy: (seconds: Int32, millis: Int32, micros: Int32)? = (1, 0, 0)
  var policy = "1.2.3.4"
  var hash = EVP_sha256()
  var carriesCertificates = false
}

/// An authority.
final class TestAuthority {
  let certificate: OpaquePointer
  let key: OpaquePointer
  /// The responder.
  private let context: OpaquePointer

  init(_ wish: CertificateWish = CertificateWish()) {
    key = Self.makeKey(wish.curve)
    certificate = X509_new()
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7)
    ASN1_TIME_set(X509_getm_notBefore(certificate), time_t(wish.from))
    ASN1_TIME_set(X509_getm_notAfter(certificate), time_t(wish.until))
    X509_set_pubkey(certificate, key)
    let subject = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(subject, "CN", 0x1001, wish.name, -1, -1, 0)
    X509_set_issuer_name(certificate, subject)
    // OpenSSL's responder takes no certificate but a good one: it looks once, and is given another one
    // afterwards.
    Self.add("critical,timeStamping", to: certificate)
    precondition(X509_sign(certificate, key, EVP_sha256()) > 0)
    context = TS_RESP_CTX_new()
    precondition(TS_RESP_CTX_set_signer_cert(context, certificate) == 1)
    TS_RESP_CTX_set_signer_key(context, key)
    TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256())
    TS_RESP_CTX_add_md(context, EVP_sha256())
    X509_EXTENSION_free(X509_delete_ext(certificate, 0))
    if let usage = wish.usage { Self.add(usage, to: certificate) }
    precondition(X509_sign(certificate, key, EVP_sha256()) > 0)
  }

  deinit {
    TS_RESP_CTX_free(context)
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  private static func add(_ usage: String, to certificate: OpaquePointer) {
    let added = X509V3_EXT_conf_nid(nil, nil, NID_ext_key_usage, usage)
    X509_add_ext(certificate, added, -1)
    X509_EXTENSION_free(added)
  }

  private static func makeKey(_ curve: Int32?) -> OpaquePointer {
    let context = EVP_PKEY_CTX_new_id(curve == nil ? EVP_PKEY_RSA : EVP_PKEY_EC, nil)
    defer { EVP_PKEY_CTX_free(context) }
    EVP_PKEY_keygen_init(context)
    if let curve {
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, curve)
    } else {
      EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
    }
    var key: OpaquePointer?
    precondition(EVP_PKEY_keygen(context, &key) == 1)
    return key!
  }

  /// DER.
  var der: [UInt8] { derBytes { i2d_X509(self.certificate, $0) }! }

  var pem: [UInt8] {
    let bio = BIO_new(BIO_s_mem())
    defer { BIO_free(bio) }
    PEM_write_bio_X509(bio, certificate)
    var text = [UInt8](repeating: 0, count: 4096)
    let count = BIO_read(bio, &text, Int32(text.count))
    return Array(text.prefix(Int(count)))
  }

  /// The entry of a trust list that pins it.
  func entry(from: Timestamp = 1, until: Timestamp = 4_000_000_000, policy: String? = nil) -> TrustEntry {
    let der = der
    return TrustEntry(
      role: .timestamp, name: "tsa", key: PublicKey(Hash(of: der).bytes)!, from: from, until: until,
      url: "http://tsa.test/", certificate: der, tsaPolicy: policy)
  }

  /// TimeStampResp to a request, both DER.
  func answer(_ request: [UInt8], _ wish: AnswerWish = AnswerWish()) -> [UInt8] {
    TS_RESP_CTX_set_signer_digest(context, wish.hash)
    let policy = OBJ_txt2obj(wish.policy, 1)
    defer { ASN1_OBJECT_free(policy) }
    TS_RESP_CTX_set_def_policy(context, policy)
    let accuracy = wish.accuracy ?? (0, 0, 0)
    TS_RESP_CTX_set_accuracy(context, accuracy.seconds, accuracy.millis, accuracy.micros)
    var at = Int(wish.at)
    return withUnsafeMutablePointer(to: &at) { at in
      TS_RESP_CTX_set_time_cb(
        context,
        { _, data, seconds, micros in
          seconds!.pointee = data!.assumingMemoryBound(to: Int.self).pointee
          micros!.pointee = 0
          return 1
        }, at)
      return respond(request, wish)
    }
  }

  private func respond(_ request: [UInt8], _ wish: AnswerWish) -> [UInt8] {
    var asked = request
    if wish.carriesCertificates {
      let read = request.der({ d2i_TS_REQ(nil, $0, $1) }, free: { TS_REQ_free($0) })!
      TS_REQ_set_cert_req(read, 1)
      asked = derBytes { i2d_TS_REQ(read, $0) }!
      TS_REQ_free(read)
    }
    let bio = asked.withUnsafeBytes { raw -> OpaquePointer? in
      let bio = BIO_new(BIO_s_mem())
      BIO_write(bio, raw.baseAddress, Int32(raw.count))
      return bio
    }
    defer { BIO_free(bio) }
    let response = TS_RESP_create_response(context, bio)
    defer { TS_RESP_free(response) }
    return derBytes { i2d_TS_RESP(response, $0) }!
  }

  /// A token over this, which answers the nonce.
  func token(_ imprint: Hash, nonce: UInt64 = 5, _ wish: AnswerWish = AnswerWish()) throws -> [UInt8] {
    let request = TimestampRequest(imprint: imprint, nonce: nonce, policy: nil)
    return try TimestampRequest.token(in: answer(try request.encoded(), wish))
  }
}

/// A trust list over these entries.
func trustList(_ entries: [TrustEntry]) -> TrustList {
  TrustList(
    at: 1, until: 4_000_000_000, sequence: 0, previous: nil, entries: entries, answerSeconds: 2,
    skewSeconds: 60, lifetimeSeconds: 100, goodsLengthMax: 1 << 20)
}
