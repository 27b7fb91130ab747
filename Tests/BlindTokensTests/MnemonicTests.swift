// Wallet seeds as words: BIP-39's word list and published vectors, tolerance for how people write, clear
// errors.

import Testing

@testable import Parties

@Suite("Wallet seeds as 24 words")
struct MnemonicTests {
  /// The 256-bit vectors of BIP-39's reference implementation: entropy and phrase.
  private static let vectors: [(entropy: String, phrase: String)] = [
    (
      String(repeating: "00", count: 32),
      String(repeating: "abandon ", count: 23) + "art"
    ),
    (
      String(repeating: "7f", count: 32),
      String(repeating: "legal winner thank year wave sausage worth useful ", count: 2)
        + "legal winner thank year wave sausage worth title"
    ),
    (
      String(repeating: "80", count: 32),
      String(repeating: "letter advice cage absurd amount doctor acoustic avoid ", count: 2)
        + "letter advice cage absurd amount doctor acoustic bless"
    ),
    (
      String(repeating: "ff", count: 32),
      String(repeating: "zoo ", count: 23) + "vote"
    ),
    (
      "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
      "hamster diagram private dutch cause delay private meat slide toddler razor book "
        + "happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"
    ),
    (
      "9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
      "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich "
        + "alcohol speed nation flash devote level hobby quick inner drive ghost inside"
    ),
    (
      "066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
      "all hour make first leader extend hole alien behind guard gospel lava "
        + "path output census museum junior mass reopen famous sing advance salt reform"
    ),
    (
      "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
      "void come effort suffer camp survey warrior heavy shoot primary clutch crush "
        + "open amazing screen patrol group space point ten exist slush involve unfold"
    ),
  ]

  private func entropy(_ phrase: String) throws -> [UInt8] {
    try Mnemonic.entropy(from: phrase, sha256: sha256)
  }

  // MARK: The standard

  @Test("The word list is the standard's, byte for byte")
  func wordlist() {
    let file = Wordlist.english.map { $0 + "\n" }.joined()
    #expect(Wordlist.english.count == 2048)
    #expect(
      hex(sha256(Array(file.utf8)))
        == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda")
  }

  @Test("What finding a word relies on: the list is in order, and four letters settle a word")
  func wordlistInvariants() {
    #expect(Wordlist.english == Wordlist.english.sorted())
    #expect(Set(Wordlist.english.map { $0.prefix(4) }).count == 2048)
  }

  @Test("The published vectors, both ways", arguments: vectors)
  func published(entropy: String, phrase: String) throws {
    let words = try Mnemonic.words(for: bytes(entropy), sha256: sha256)
    #expect(words.joined(separator: " ") == phrase)
    #expect(hex(try self.entropy(phrase)) == entropy)
  }

  @Test("Any seed comes back, whole and in abbreviations")
  func roundTrip() throws {
    var generator = SeededGenerator(1)
    for _ in 0..<200 {
      let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      let words = try Mnemonic.words(for: seed, sha256: sha256)
      #expect(words.count == 24)
      #expect(try entropy(words.joined(separator: " ")) == seed)
      #expect(try entropy(words.map { $0.prefix(4) }.joined(separator: " ")) == seed)
    }
  }

  // MARK: How people write

  @Test("Case, spaces, tabs and lines do not matter; longer abbreviations are fine")
  func tolerant() throws {
    let phrase =
      String(repeating: " ABANDON\t\n", count: 19) + "abando Abandon aban\u{a0}ABAN  Art\r\n"
    #expect(try entropy(phrase) == [UInt8](repeating: 0, count: 32))
  }

  // MARK: Errors

  @Test("A wrong number of words or bytes is said")
  func counts() {
    let zoo = String(repeating: "zoo ", count: 23)
    #expect(throws: MnemonicError.wordCount(0)) { try entropy(" \n") }
    #expect(throws: MnemonicError.wordCount(23)) { try entropy(zoo) }
    #expect(throws: MnemonicError.wordCount(25)) { try entropy(zoo + "vote vote") }
    for count in [0, 16, 31, 33] {
      #expect(throws: MnemonicError.entropyLength(count)) {
        try Mnemonic.words(for: [UInt8](repeating: 0, count: count), sha256: sha256)
      }
    }
  }

  @Test(
    "A word that is not in the list is named by its place, with the words that begin most like it")
  func unknown() {
    func error(_ word: String, at position: Int) -> MnemonicError? {
      var words = Array(repeating: "abandon", count: 23) + ["art"]
      words[position - 1] = word
      do {
        _ = try entropy(words.joined(separator: " "))
        return nil
      } catch { return error as? MnemonicError }
    }
    #expect(error("abandom", at: 3) == .unknownWord(position: 3, suggestions: ["abandon"]))
    #expect(
      error("zop", at: 24) == .unknownWord(position: 24, suggestions: ["zone", "zoo"]))
    #expect(
      error("legla", at: 1) == .unknownWord(position: 1, suggestions: ["leg", "legal", "legend"]))
    #expect(
      error("aba", at: 1) == .unknownWord(position: 1, suggestions: ["abandon"]))
    #expect(
      error("acc", at: 1)
        == .unknownWord(position: 1, suggestions: ["access", "accident", "account", "accuse"]))
    #expect(error("abandons", at: 1) == .unknownWord(position: 1, suggestions: ["abandon"]))
    #expect(error("xylophone", at: 1) == .unknownWord(position: 1, suggestions: []))
    #expect(error("élan", at: 1) == .unknownWord(position: 1, suggestions: []))
    #expect(error("123", at: 12) == .unknownWord(position: 12, suggestions: []))
    #expect(
      error("zzzz", at: 12)
        == .unknownWord(position: 12, suggestions: ["zebra", "zero", "zone", "zoo"]))
  }

  @Test("Words that do not belong together are refused")
  func checksum() {
    let zoo = Array(repeating: "zoo", count: 23)
    for last in ["zoo", "void", "abandon"] {
      #expect(throws: MnemonicError.checksum) { try entropy((zoo + [last]).joined(separator: " ")) }
    }
    var words = Self.vectors[4].phrase.split(separator: " ").map(String.init)
    words.swapAt(0, 1)
    #expect(throws: MnemonicError.checksum) { try entropy(words.joined(separator: " ")) }
  }
}
