// The wallet's secrets: recovery notes, what is derived from the seed, and files that only the owner reads.

import Foundation
import Messages
import Testing

@testable import Services

@Suite("Recovery note")
struct RecoveryNoteTests {
  private let outputs = [
    Blinded(keyID: Hash([UInt8](repeating: 1, count: 32))!, message: [1]),
    Blinded(keyID: Hash([UInt8](repeating: 2, count: 32))!, message: [2]),
  ]
  private var tokens: [PendingToken] {
    [
      PendingToken(
        keyIndex: 7, serialIndex: .max, keyID: outputs[0].keyID.description,
        inverse: (0..<256).map { UInt8($0) }),
      PendingToken(keyIndex: 1 << 40, serialIndex: 0, keyID: outputs[1].keyID.description, inverse: [9]),
    ]
  }
  private let secret = [UInt8](repeating: 3, count: 32)

  @Test("what was sealed is opened again, in order, with the outputs' key ids")
  func roundTrip() {
    let box = RecoveryNote.seal(tokens, key: secret, nonce: randomBytes(24))
    #expect(RecoveryNote.open(box, key: secret, outputs: outputs) == tokens)
  }

  @Test("another key, changed bytes or another number of outputs opens nothing")
  func refuses() {
    let box = RecoveryNote.seal(tokens, key: secret, nonce: randomBytes(24))
    #expect(RecoveryNote.open(box, key: [UInt8](repeating: 4, count: 32), outputs: outputs) == nil)
    var changed = box
    changed[30] ^= 1
    #expect(RecoveryNote.open(changed, key: secret, outputs: outputs) == nil)
    #expect(RecoveryNote.open([], key: secret, outputs: outputs) == nil)
    #expect(RecoveryNote.open(box, key: secret, outputs: [outputs[0]]) == nil)
    #expect(RecoveryNote.open(box, key: secret, outputs: outputs + outputs) == nil)
  }

  @Test("the bank sees nothing of the inverses")
  func isOpaque() {
    let inverse = randomBytes(256)
    let token = PendingToken(
      keyIndex: 0, serialIndex: 0, keyID: outputs[0].keyID.description, inverse: inverse)
    let box = RecoveryNote.seal([token], key: secret, nonce: randomBytes(24))
    #expect(!box.contains(inverse))
  }
}

@Suite("Wallet seed")
struct WalletSeedTests {
  private func seed(_ byte: UInt8) -> WalletSeed {
    var entropy = [UInt8](repeating: byte, count: 32)
    return WalletSeed(entropy: &entropy)
  }

  /// All public things that the seed says.
  private func names(_ seed: WalletSeed) -> [[UInt8]] {
    [seed.accountKey().publicKey.bytes, seed.recoveryKey()]
      + (0..<3).flatMap { index -> [[UInt8]] in
        [
          seed.tokenKey(index).publicKey.bytes, seed.pseudonymKey(index).publicKey.bytes,
          seed.serial(index).bytes,
        ]
      }
  }

  @Test("the same entropy gives the same keys and serials")
  func isDeterministic() { #expect(names(seed(5)) == names(seed(5))) }

  @Test("all keys and serials of a seed differ, and another seed shares none of them")
  func areDistinct() {
    let mine = Set(names(seed(5)))
    #expect(mine.count == 11)
    #expect(mine.isDisjoint(with: names(seed(6))))
  }

  @Test("the 24 words give the same wallet again")
  func words() throws {
    let words = try seed(5).mnemonic()
    #expect(words.count == 24)
    let again = try WalletSeed(mnemonic: words.joined(separator: " "))
    #expect(names(again) == names(seed(5)))
  }

  @Test("the entropy handed over is gone from the caller's hands")
  func isTaken() {
    var entropy = [UInt8](repeating: 5, count: 32)
    _ = WalletSeed(entropy: &entropy)
    #expect(entropy.isEmpty)
  }
}

@Suite("Data directory")
struct DataDirectoryTests {
  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test("a secret is readable by its owner alone and comes back byte for byte")
  func secret() throws {
    let directory = try temporaryDirectory()
    let bytes = randomBytes(32)
    try directory.writeSecret("identity.seed", bytes)
    #expect(try mode(directory.file("identity.seed")) == 0o600)
    #expect(try directory.readSecret("identity.seed", count: 32) == bytes)
    #expect(!directory.exists("identity.seed.new"))
    #expect(try mode(directory.path) == 0o700)
  }

  @Test("a secret replaces a file that others could read by one that they cannot")
  func replaces() throws {
    let directory = try temporaryDirectory()
    try directory.write("identity.seed", [1])
    try directory.writeSecret("identity.seed", [2, 3])
    #expect(try mode(directory.file("identity.seed")) == 0o600)
    #expect(try directory.read("identity.seed") == [2, 3])
  }

  @Test("a secret of the wrong length is reported as damaged, a missing one as missing")
  func damaged() throws {
    let directory = try temporaryDirectory()
    try directory.writeSecret("identity.seed", [1, 2])
    #expect(throws: ServiceError.self) { try directory.readSecret("identity.seed", count: 32) }
    #expect(throws: ServiceError.self) { try directory.read("nothing") }
  }
}
