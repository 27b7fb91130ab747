// Inclusion and consistency proofs of transparency-dev/merkle, and C2SP's signed note, called from Swift.

import CCore
import Messages
import Testing

private struct Inclusion: Decodable {
  let leafIdx: UInt64
  let treeSize: UInt64
  let root: String?
  let leafHash: String?
  let proof: [String]?
  let desc: String
  let wantErr: Bool
}

private struct Consistency: Decodable {
  let size1: UInt64
  let size2: UInt64
  let root1: String?
  let root2: String?
  let proof: [String]?
  let desc: String
  let wantErr: Bool
}

@Suite("Transparency vectors", .enabled(if: ThirdParty.areWanted, ThirdParty.absent))
struct TransparencyTests {
  init() { #expect(acd_crypto_init() == ACD_OK) }

  @Test("inclusion proofs hold or fail as their files say")
  func inclusion() throws {
    let files = try ThirdParty.jsonFiles(below: "tlog/inclusion")
    var held = 0
    for file in files {
      let test = try ThirdParty.json(Inclusion.self, file)
      let (leaf, root) = (try bytes(test.leafHash), try bytes(test.root))
      var holds = false
      if let proof = try joined(test.proof), leaf.count == Hash.size, root.count == Hash.size {
        holds =
          acd_merkle_verify_inclusion(
            leaf, test.leafIdx, test.treeSize, proof, proof.count / Hash.size, root) == ACD_OK
      }
      #expect(holds == !test.wantErr, "\(file): \(test.desc)")
      held += holds ? 1 : 0
    }
    #expect(files.count >= 98)
    #expect(held >= 6)
  }

  @Test("consistency proofs hold or fail as their files say")
  func consistency() throws {
    let files = try ThirdParty.jsonFiles(below: "tlog/consistency")
    var held = 0
    for file in files {
      let test = try ThirdParty.json(Consistency.self, file)
      // Roots that do not matter are short texts; with zeros behind they are hashes like others.
      let (root1, root2) = (padded(try bytes(test.root1)), padded(try bytes(test.root2)))
      var holds = false
      if let proof = try joined(test.proof) {
        holds =
          acd_merkle_verify_consistency(
            test.size1, test.size2, root1, root2, proof, proof.count / Hash.size) == ACD_OK
      }
      #expect(holds == !test.wantErr, "\(file): \(test.desc)")
      held += holds ? 1 : 0
    }
    #expect(files.count >= 98)
    #expect(held >= 6)
  }

  @Test("the example of the signed-note specification verifies, and no damaged one does")
  func note() throws {
    let vkey = Array(try ThirdParty.data("c2sp/signed-note-example.vkey")).filter { $0 != UInt8(ascii: "\n") }
    let note = Array(try ThirdParty.data("c2sp/signed-note-example.note"))
    #expect(verify(note, vkey) == .text("This is an example message.\n"))
    for place in [0, 27, note.count - 10] {
      var damaged = note
      damaged[place] ^= 1
      #expect(verify(damaged, vkey) != .text("This is an example message.\n"), "byte \(place)")
    }
    var damaged = note
    damaged[0] ^= 1
    #expect(verify(damaged, vkey) == .refused(ACD_ERR_AUTHENTICATION))
    var key = vkey
    key[key.count - 2] ^= 1
    #expect(verify(note, key) == .refused(ACD_ERR_MISMATCH), "the key id is bound to the key")
  }

  private enum Verdict: Equatable {
    case text(String)
    case refused(acd_status)
  }

  /// The text that `vkey` signed. The parsed key borrows its name from `vkey`.
  private func verify(_ note: [UInt8], _ vkey: [UInt8]) -> Verdict {
    vkey.withUnsafeBytes { vkeyBytes in
      note.withUnsafeBytes { noteBytes in
        var key = acd_note_key()
        var length = 0
        var status = acd_note_key_parse(
          &key, vkeyBytes.bindMemory(to: CChar.self).baseAddress, vkeyBytes.count)
        guard status == ACD_OK else { return .refused(status) }
        status = acd_note_verify(
          &length, noteBytes.bindMemory(to: CChar.self).baseAddress, noteBytes.count, &key)
        guard status == ACD_OK else { return .refused(status) }
        return .text(String(decoding: noteBytes.prefix(length), as: UTF8.self))
      }
    }
  }

  private func bytes(_ base64: String?) throws -> [UInt8] { try ThirdParty.bytes(base64: base64 ?? "") }

  private func padded(_ root: [UInt8]) -> [UInt8] {
    root + [UInt8](repeating: 0, count: max(0, Hash.size - root.count))
  }

  /// The hashes in a row; nil when one is none: hashes of another size make it no proof.
  private func joined(_ proof: [String]?) throws -> [UInt8]? {
    var all: [UInt8] = []
    for element in proof ?? [] {
      let hash = try bytes(element)
      guard hash.count == Hash.size else { return nil }
      all += hash
    }
    return all
  }
}
