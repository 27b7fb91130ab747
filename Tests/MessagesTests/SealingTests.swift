// Boxes to a public key, boxes under a secret key, and what they refuse.

import Messages
import Testing

@Suite("Sealing")
struct SealingTests {
  private func withSealingKey<R>(_ byte: UInt8, _ body: (borrowing SealingKey) throws -> R) rethrows -> R {
    var seed = filled(byte)
    return try body(SealingKey(seed: &seed))
  }

  @Test(
    "a sealed box opens for its recipient, and for the judge with the sender's seed",
    arguments: [0, 1, 31, 64, 4096])
  func box(count: Int) throws {
    let plain = filled(0x70, count)
    try withSealingKey(1) { key in
      let box = try Box.seal(plain, to: key.publicKey, ephemeralSeed: filled(9))
      #expect(box.count == plain.count + 48)
      #expect(try key.open(box) == plain)
      #expect(try Box.reopen(box, recipient: key.publicKey, ephemeralSeed: filled(9)) == plain)
      let recipient = key.publicKey
      let other = refusal { () throws(MessageError) in
        try Box.reopen(box, recipient: recipient, ephemeralSeed: filled(8))
      }
      #expect(other == "authentication")
      try withSealingKey(2) { stranger in
        #expect(throws: MessageError.self) { try stranger.open(box) }
        let wrong = stranger.publicKey
        #expect(throws: MessageError.self) {
          try Box.reopen(box, recipient: wrong, ephemeralSeed: filled(9))
        }
      }
    }
  }

  @Test("a sealed box that was changed or cut anywhere does not open")
  func damagedBox() throws {
    try withSealingKey(1) { key in
      let box = try Box.seal(filled(7, 40), to: key.publicKey, ephemeralSeed: filled(9))
      for index in box.indices {
        var damaged = box
        damaged[index] ^= 1
        #expect(throws: MessageError.self) { try key.open(damaged) }
        #expect(throws: MessageError.self) { try key.open(Array(box.prefix(index))) }
      }
      #expect(throws: MessageError.self) { try key.open(box + [0]) }
    }
  }

  @Test("a sealed message names its recipient and opens after a round trip")
  func message() throws {
    try withSealingKey(1) { key in
      let sealed = try SealedMessage(filled(7, 40), to: key.publicKey, ephemeralSeed: filled(9))
      let read = try SealedMessage(encoded: sealed.encoded())
      #expect(read.recipient == key.publicKey)
      #expect(try key.open(read.box) == filled(7, 40))
    }
  }

  @Test("a secret box opens with its key alone", arguments: [0, 1, 100])
  func secretBox(count: Int) throws {
    let plain = filled(5, count)
    let box = SecretBox.seal(plain, key: filled(1), nonce: filled(2, 24))
    #expect(box.count == count + SecretBox.overhead)
    #expect(try SecretBox.open(box, key: filled(1)) == plain)
    let rule = refusal { () throws(MessageError) in try SecretBox.open(box, key: filled(2)) }
    #expect(rule == "authentication")
    for index in box.indices {
      var damaged = box
      damaged[index] ^= 0x80
      let changed = damaged
      let cut = Array(box.prefix(index))
      #expect(refusal { () throws(MessageError) in try SecretBox.open(changed, key: filled(1)) } != nil)
      #expect(refusal { () throws(MessageError) in try SecretBox.open(cut, key: filled(1)) } != nil)
    }
  }

  @Test("what is derived from a seed depends on the seed and on what it is for")
  func derived() {
    func make(_ byte: UInt8, _ info: String, count: Int = 32) -> [UInt8] {
      var seed = filled(byte)
      return derive(from: Secret(taking: &seed), info: Array(info.utf8), count: count)
    }
    #expect(make(1, "a") == make(1, "a"))
    #expect(make(1, "a") != make(1, "b"))
    #expect(make(1, "a") != make(2, "a"))
    #expect(make(1, "a", count: 100).prefix(32) == make(1, "a")[...])
  }

  @Test("seeds are wiped where they become keys")
  func wiped() {
    var signing = filled(1)
    _ = SigningKey(seed: &signing)
    #expect(signing == filled(0))
    var sealing = filled(1)
    _ = SealingKey(seed: &sealing)
    #expect(sealing == filled(0))
    var secret = filled(1)
    _ = Secret(taking: &secret)
    #expect(secret.isEmpty)
  }
}
