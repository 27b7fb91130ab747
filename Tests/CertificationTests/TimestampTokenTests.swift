// Tokens: what dates something, and what does not. Every forgery is good in all but one thing.

import COpenSSL
import Messages
import Testing

@testable import Certification

@Suite("Timestamp tokens")
struct TimestampTokenTests {
  static let imprint = Hash(of: Array("evidence".utf8))
  static let at = AnswerWish().at

  /// Why a token does not count; nil if it does.
  private func fault(
    _ token: [UInt8], _ authority: TestAuthority, imprint: Hash = Self.imprint, nonce: UInt64? = 5,
    policy: String? = nil
  ) -> TimestampFault? {
    do throws(TimestampFault) {
      _ = try TimestampToken.verify(
        token, imprint: imprint, nonce: nonce, certificate: authority.der, policy: policy, skewSeconds: 60)
      return nil
    } catch { return error }
  }

  @Test("a token says when, and how exactly, fractions of a second rounded up")
  func date() throws {
    let authority = TestAuthority()
    let wishes: [((Int32, Int32, Int32)?, UInt64)] = [
      ((1, 0, 0), 1), ((0, 500, 0), 1), ((0, 0, 1), 1), ((2, 1, 0), 3), (nil, 60),
    ]
    for (accuracy, seconds) in wishes {
      let token = try authority.token(Self.imprint, AnswerWish(accuracy: accuracy))
      let date = try TimestampToken.verify(
        token, imprint: Self.imprint, nonce: 5, certificate: authority.der, policy: nil, skewSeconds: 60)
      #expect(date == StampDate(at: Self.at, accuracySeconds: seconds))
      #expect(date.latest == Self.at + seconds)
    }
  }

  @Test("a token counts for its imprint, nonce and policy alone")
  func bound() throws {
    let authority = TestAuthority()
    let token = try authority.token(Self.imprint)
    #expect(fault(token, authority) == nil)
    #expect(fault(token, authority, nonce: nil) == nil)
    #expect(fault(token, authority, policy: "1.2.3.4") == nil)
    #expect(fault(token, authority, imprint: Hash(of: [1])) == .unproven("message imprint mismatch"))
    #expect(fault(token, authority, nonce: 6) == .unproven("nonce mismatch"))
    #expect(fault(token, authority, policy: "1.2.3.5") == .unproven("policy mismatch"))
  }

  @Test("a token of another authority does not count, not even of one with the same name and number")
  func otherAuthority() throws {
    let (authority, other) = (TestAuthority(), TestAuthority())
    let token = try other.token(Self.imprint)
    #expect(fault(token, other) == nil)
    #expect(fault(token, authority) != nil)
    let elsewhere = TestAuthority(CertificateWish(name: "Another"))
    #expect(fault(try elsewhere.token(Self.imprint), authority) != nil)
  }

  @Test("a certificate counts in its own window, at the token's time")
  func window() throws {
    let ended = TestAuthority(CertificateWish(until: Self.at - 1))
    #expect(fault(try ended.token(Self.imprint), ended) == .unproven("certificate verify error"))
    let coming = TestAuthority(CertificateWish(from: Self.at + 1))
    #expect(fault(try coming.token(Self.imprint), coming) == .unproven("certificate verify error"))
    // Whether the certificate has ended today plays no part.
    #expect(fault(try ended.token(Self.imprint, AnswerWish(at: Self.at - 5)), ended) == nil)
  }

  @Test("a certificate is for timestamps alone, critically, and its key is P-256")
  func usage() throws {
    for usage in [
      nil, "timeStamping", "critical,serverAuth", "critical,timeStamping,serverAuth", "critical,codeSigning",
    ] {
      let authority = TestAuthority(CertificateWish(usage: usage))
      let why = fault(try authority.token(Self.imprint), authority)
      #expect(why == .certificate("it is not for timestamps alone: id-kp-timeStamping, critical"))
      #expect(throws: TimestampFault.self) { try AuthorityCertificate(file: authority.der) }
    }
    for curve in [NID_secp384r1, nil] {
      let authority = TestAuthority(CertificateWish(curve: curve))
      let why = fault(try authority.token(Self.imprint), authority)
      #expect(why == .certificate("its key is not P-256"))
    }
  }

  @Test("a token carries no certificates, is signed over a strong hash, and is nearly exact")
  func form() throws {
    let authority = TestAuthority()
    func why(_ wish: AnswerWish) throws -> TimestampFault? {
      fault(try authority.token(Self.imprint, wish), authority)
    }
    #expect(
      try why(AnswerWish(carriesCertificates: true))
        == .unproven("it carries certificates: the trust list has the one that counts"))
    #expect(try why(AnswerWish(hash: EVP_sha1())) == .unproven("it is signed over a weak hash"))
    #expect(try why(AnswerWish(accuracy: (86_400, 0, 0))) == nil)
    #expect(try why(AnswerWish(accuracy: (86_401, 0, 0))) == .unproven("it may be wrong by 86401 seconds"))
  }

  @Test("a token that was cut, made longer or changed never says anything else")
  func damage() throws {
    let authority = TestAuthority()
    let token = try authority.token(Self.imprint)
    for count in 0..<token.count { #expect(fault(Array(token[..<count]), authority) != nil, "\(count)") }
    #expect(fault(token + [0], authority) == .malformed("timestamp token"))
    var accepted = 0
    for index in token.indices {
      var changed = token
      changed[index] ^= 1
      let date = try? TimestampToken.verify(
        changed, imprint: Self.imprint, nonce: 5, certificate: authority.der, policy: nil, skewSeconds: 60)
      #expect(date == nil || date == StampDate(at: Self.at, accuracySeconds: 1), "\(index)")
      accepted += date == nil ? 0 : 1
    }
    // What nobody signs, such as a version, may differ.
    #expect(accepted < 24)
  }

  @Test("an answer without a token is a refusal, and rubbish is none")
  func answers() throws {
    let authority = TestAuthority()
    let request = try TimestampRequest(imprint: Self.imprint, nonce: 1, policy: "2.9.9").encoded()
    // The authority has no such policy.
    #expect(throws: TimestampFault.refused("status 2")) {
      try TimestampRequest.token(in: authority.answer(request))
    }
    let good = authority.answer(try TimestampRequest(imprint: Self.imprint, nonce: 1, policy: nil).encoded())
    #expect(throws: TimestampFault.malformed("answer of a timestamp authority")) {
      try TimestampRequest.token(in: Array(good.dropLast()))
    }
    #expect(throws: TimestampFault.malformed("answer of a timestamp authority")) {
      try TimestampRequest.token(in: [UInt8](repeating: 0x30, count: TimestampRequest.answerSizeMax + 1))
    }
    #expect(throws: TimestampFault.malformed("policy: a policy")) {
      try TimestampRequest(imprint: Self.imprint, nonce: 1, policy: "a policy").encoded()
    }
  }

  @Test("a certificate is read from PEM and DER alike")
  func certificates() throws {
    let authority = TestAuthority()
    let read = try AuthorityCertificate(file: authority.pem)
    #expect(read.der == authority.der)
    #expect(read.name == "Test TSA")
    #expect(read.from == 1_000_000 && read.until == 2_000_000_001)
    #expect(try AuthorityCertificate(file: authority.der).key == read.key)
    #expect(throws: TimestampFault.malformed("certificate, neither PEM nor DER")) {
      try AuthorityCertificate(file: Array("-----BEGIN CERTIFICATE-----".utf8))
    }
  }

  @Test("an authority counts while the trust list trusts it, its accuracy included")
  func trusted() throws {
    let authority = TestAuthority()
    let token = try authority.token(Self.imprint, AnswerWish(accuracy: (10, 0, 0)))
    let stamp = EvidenceTimestamp(token: token, over: [Self.imprint])
    func counts(_ change: (inout TrustEntry) -> Void) -> Bool {
      var entry = authority.entry()
      change(&entry)
      return trustList([entry]).date(stamp) != nil
    }
    #expect(counts { _ in })
    #expect(!counts { $0.from = Self.at + 1 })
    #expect(!counts { $0.until = Self.at })
    #expect(!counts { $0.revokedAt = Self.at })
    #expect(!counts { $0.revokedAt = Self.at + 10 })
    #expect(counts { $0.revokedAt = Self.at + 11 })
    #expect(!counts { $0.tsaPolicy = "1.2.3.5" })
    #expect(!counts { $0.certificate = TestAuthority().der })
    #expect(!counts { $0.certificate = nil })
    #expect(!counts { $0.role = .witness })
  }
}
