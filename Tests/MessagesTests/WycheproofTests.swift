// Ed25519 and XChaCha20-Poly1305 against C2SP/wycheproof, testvectors_v1, called from Swift.
//
// The core's AEAD takes no associated data and no other nonce than 24 bytes: vectors with either are counted
// and left out. "acceptable" does not occur in these two files; a vector that says it fails the test.

import CCore
import Messages
import Testing

private struct File<Group: Decodable>: Decodable {
  let numberOfTests: Int
  let testGroups: [Group]
}

private struct SignatureGroup: Decodable {
  struct Key: Decodable { let pk: String }
  struct Case: Decodable {
    let tcId: Int
    let msg: String
    let sig: String
    let result: String
  }
  let publicKey: Key
  let tests: [Case]
}

private struct SealGroup: Decodable {
  struct Case: Decodable {
    let tcId: Int
    let key: String
    let iv: String
    let aad: String
    let msg: String
    let ct: String
    let tag: String
    let result: String
  }
  let ivSize: Int
  let tests: [Case]
}

@Suite("Wycheproof", .enabled(if: ThirdParty.areWanted, ThirdParty.absent))
struct WycheproofTests {
  init() { #expect(acd_crypto_init() == ACD_OK) }

  @Test("Ed25519: every signature of every group is accepted or refused as its vector says")
  func signatures() throws {
    let file = try ThirdParty.json(File<SignatureGroup>.self, "wycheproof/ed25519_test.json")
    var tried = 0
    for group in file.testGroups {
      let key = try ThirdParty.bytes(hex: group.publicKey.pk)
      try #require(PublicKey(key) != nil)
      for test in group.tests {
        let message = try ThirdParty.bytes(hex: test.msg)
        let signature = try ThirdParty.bytes(hex: test.sig)
        // The boundary takes 64 bytes: a caller must refuse other lengths before it, as COSE parsing does.
        let holds =
          signature.count == Int(ACD_SIGNATURE_SIZE)
          && acd_ed25519_verify(signature, message, message.count, key) == ACD_OK
        #expect(["valid", "invalid"].contains(test.result))
        #expect(holds == (test.result == "valid"), "tcId \(test.tcId)")
        tried += 1
      }
    }
    #expect(tried == file.numberOfTests)
    #expect(tried >= 151)
    #expect(file.testGroups.count >= 78)
  }

  @Test("XChaCha20-Poly1305 without associated data: SecretBox opens the valid ones and no other")
  func seals() throws {
    let file = try ThirdParty.json(File<SealGroup>.self, "wycheproof/xchacha20_poly1305_test.json")
    var (tried, withData, otherNonces) = (0, 0, 0)
    for group in file.testGroups {
      for test in group.tests {
        let nonce = try ThirdParty.bytes(hex: test.iv)
        if nonce.count != Int(ACD_AEAD_NONCE_SIZE) {
          #expect(test.result == "invalid", "tcId \(test.tcId)")
          otherNonces += 1
        } else if !test.aad.isEmpty {
          withData += 1
        } else {
          try check(test, nonce)
          tried += 1
        }
      }
    }
    #expect(tried + withData + otherNonces == file.numberOfTests)
    #expect(tried == 45)
    #expect(withData == 261)
    #expect(otherNonces == 9)
  }

  private func check(_ test: SealGroup.Case, _ nonce: [UInt8]) throws {
    let key = try ThirdParty.bytes(hex: test.key)
    let plain = try ThirdParty.bytes(hex: test.msg)
    let box = nonce + (try ThirdParty.bytes(hex: test.ct)) + (try ThirdParty.bytes(hex: test.tag))
    let opened: [UInt8]?
    do throws(MessageError) { opened = try SecretBox.open(box, key: key) } catch { opened = nil }
    #expect(["valid", "invalid"].contains(test.result))
    #expect(opened == (test.result == "valid" ? plain : nil), "tcId \(test.tcId)")
    guard test.result == "valid" else { return }
    #expect(SecretBox.seal(plain, key: key, nonce: nonce) == box, "tcId \(test.tcId)")
    // All valid vectors without associated data; what is refused is shown by damage at both ends.
    for place in [nonce.count, box.count - 1] {
      var damaged = box
      damaged[place] ^= 1
      let rule = refusal { () throws(MessageError) in try SecretBox.open(damaged, key: key) }
      #expect(rule == "authentication", "tcId \(test.tcId)")
    }
  }
}
