// A local certificate authority, made by `init`: TLS between parties on machines that have no public
// names. Peers trust exactly this authority. It protects the channel only; messages are signed on their
// own.

import Crypto
import Foundation
import SwiftASN1
import X509

/// The authority's files: `ca.pem` to hand out, `ca.key` to keep.
public struct LocalAuthority: Sendable {
  private let key: P256.Signing.PrivateKey
  private let certificate: Certificate

  /// Loads the authority of a directory, or makes it.
  public static func loadOrCreate(_ directory: DataDirectory) throws -> LocalAuthority {
    if directory.exists("ca.key") {
      return LocalAuthority(
        key: try P256.Signing.PrivateKey(
          pemRepresentation: String(decoding: try directory.read("ca.key"), as: UTF8.self)),
        certificate: try Certificate(
          pemEncoded: String(decoding: try directory.read("ca.pem"), as: UTF8.self)))
    }
    try directory.create()
    let key = P256.Signing.PrivateKey()
    let name = try DistinguishedName { CommonName("Anonymous Certified Delivery local authority") }
    let now = Date()
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
      notValidBefore: now.addingTimeInterval(-300), notValidAfter: now.addingTimeInterval(10 * 365 * 86_400),
      issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      }, issuerPrivateKey: .init(key))
    try directory.writeSecret("ca.key", Array(key.pemRepresentation.utf8))
    try directory.write("ca.pem", Array(try certificate.serializeAsPEM().pemString.utf8))
    return LocalAuthority(key: key, certificate: certificate)
  }

  private init(key: P256.Signing.PrivateKey, certificate: Certificate) {
    (self.key, self.certificate) = (key, certificate)
  }

  /// Issues a server certificate for a party into its `tls/` folder, with this authority's certificate
  /// beside it.
  public func issue(_ name: String, host: String, into party: DataDirectory) throws {
    let leafKey = P256.Signing.PrivateKey()
    let now = Date()
    var names: [GeneralName] = [
      .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
    ]
    let octets = host.split(separator: ".").compactMap { UInt8($0) }
    if octets.count == 4, host != "127.0.0.1" {
      names.append(.ipAddress(ASN1OctetString(contentBytes: octets[...])))
    } else if octets.count != 4, host != "localhost" {
      names.append(.dnsName(host))
    }
    let leaf = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(leafKey.publicKey),
      notValidBefore: now.addingTimeInterval(-300), notValidAfter: now.addingTimeInterval(825 * 86_400),
      issuer: certificate.subject, subject: try DistinguishedName { CommonName(String(name.prefix(64))) },
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([.serverAuth])
        SubjectAlternativeNames(names)
      }, issuerPrivateKey: .init(key))
    try party.createFolder("tls")
    try party.writeSecret("tls/key.pem", Array(leafKey.pemRepresentation.utf8))
    try party.write("tls/cert.pem", Array(try leaf.serializeAsPEM().pemString.utf8))
    try party.write("tls/ca.pem", Array(try certificate.serializeAsPEM().pemString.utf8))
  }
}
