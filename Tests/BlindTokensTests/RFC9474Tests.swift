// The published vectors of RFC 9474 appendix A, all four variants, as far as each goes.
//
// A blind signature does not depend on the variant, nor does unblinding. This project's key uses messages
// as they are and a salt of 48 bytes: so it verifies the prepared messages of both PSS variants, and
// refuses both PSSZERO.

import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import BlindTokens

private struct Vector: Decodable, CustomTestStringConvertible {
  var name: String
  var p: String
  var q: String
  var n: String
  var d: String
  var inputMsg: String
  var sLen: String
  var inv: String
  var blindedMsg: String
  var blindSig: String
  var sig: String

  var testDescription: String { name }

  static func all() throws -> [Vector] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode([Vector].self, from: Data(contentsOf: Vectors.rfc9474))
  }

  func publicKey() throws -> BlindingKey {
    try BlindingKey(currency: "EUR", value: 1, modulus: bytes(n), exponent: 65_537)
  }

  func signingKey() throws -> BlindSigningKey {
    let key = try _RSA.BlindSigning.PrivateKey<SHA384>(
      n: Data(bytes(n)), e: Data([1, 0, 1]), d: Data(bytes(d)), p: Data(bytes(p)),
      q: Data(bytes(q)), parameters: .RSABSSA_SHA384_PSS_Deterministic)
    return try BlindSigningKey(derRepresentation: Array(key.derRepresentation))
  }
}

@Suite(
  "RFC 9474 vectors",
  .enabled(
    if: Vectors.haveRFC9474,
    "skipped: no RFC 9474 vectors at \(Vectors.rfc9474.path); set ACD_VECTORS to their folder"))
struct RFC9474Tests {
  @Test("All four variants are there")
  func variants() throws {
    #expect(
      try Vector.all().map(\.name) == [
        "RSABSSA-SHA384-PSS-Randomized", "RSABSSA-SHA384-PSSZERO-Randomized",
        "RSABSSA-SHA384-PSS-Deterministic", "RSABSSA-SHA384-PSSZERO-Deterministic",
      ])
  }

  @Test("Signing the blinded message gives the blind signature, each time")
  func signing() throws {
    for vector in try Vector.all() {
      let key = try vector.signingKey()
      for _ in 0..<2 {
        let signature = try key.sign(blinded: bytes(vector.blindedMsg))
        #expect(hex(signature) == vector.blindSig, "\(vector.name)")
      }
    }
  }

  @Test("Unblinding with the stored inverse gives the signature")
  func unblinding() throws {
    for vector in try Vector.all() {
      let signature = try vector.publicKey()
        .unblind(bytes(vector.blindSig), inverse: bytes(vector.inv))
      #expect(hex(signature) == vector.sig, "\(vector.name)")
    }
  }

  @Test("Finalizing accepts the salted variants and refuses those without salt")
  func finalizing() throws {
    for vector in try Vector.all() {
      let key = try vector.publicKey()
      let message = bytes(vector.inputMsg)
      let salted = vector.sLen == "0x30"
      #expect(
        key.isValid(signature: bytes(vector.sig), for: message) == salted, "\(vector.name)")
      let finalize = {
        try key.finalize(
          blindSignature: bytes(vector.blindSig), inverse: bytes(vector.inv), message: message)
      }
      if salted {
        #expect(hex(try finalize()) == vector.sig, "\(vector.name)")
      } else {
        #expect(throws: BlindTokenError.signature, "\(vector.name)") { try finalize() }
      }
    }
  }

  @Test("A changed message or signature does not verify")
  func changed() throws {
    let vector = try #require(try Vector.all().first { $0.name.hasSuffix("PSS-Deterministic") })
    let key = try vector.publicKey()
    var message = bytes(vector.inputMsg)
    var signature = bytes(vector.sig)
    message[0] ^= 1
    #expect(!key.isValid(signature: signature, for: message))
    message[0] ^= 1
    signature[signature.count - 1] ^= 1
    #expect(!key.isValid(signature: signature, for: message))
    #expect(!key.isValid(signature: Array(signature.dropFirst()), for: message))
    #expect(!key.isValid(signature: [], for: message))
  }
}
