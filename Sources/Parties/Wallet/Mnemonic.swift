// A wallet's seed as 24 words that a person can write down: BIP-39 (Palatinus, Rusnak, Voisine, Bowe,
// 2013).
//
// Entropy of 256 bits, then the first 8 bits of its SHA-256, in 24 groups of 11 bits, each a word's index.
// Only this length is used. BIP-39's second half, PBKDF2 over the phrase with a passphrase, is left out on
// purpose: the entropy itself is the wallet's seed, so the words say exactly the seed, and no passphrase
// can be lost.
//
// Phrases, entropy and the errors' suggestions are secret or close to it: for the owner's eyes, never for a
// log.

/// Why words are no seed. Positions count from 1.
public enum MnemonicError: Error, Equatable, Sendable {
  /// The entropy has not 32 bytes.
  case entropyLength(Int)
  /// Not 24 words.
  case wordCount(Int)
  /// A word is not in the list. `suggestions`: up to five words that begin most like it; none when no word
  /// begins with the same letter.
  case unknownWord(position: Int, suggestions: [String])
  /// All words are known, yet they do not belong together: some word is another one, or two are swapped.
  case checksum
}

/// Wallet seeds as words, and back.
public enum Mnemonic {
  /// The words of a phrase.
  public static let wordCount = 24
  /// The bytes of a seed.
  public static let entropyLength = 32

  /// SHA-256, which the caller brings along: 32 bytes from any.
  public typealias SHA256 = ([UInt8]) -> [UInt8]

  /// How many letters settle a word, as BIP-39's list guarantees.
  private static let abbreviationLength = 4

  /// The 24 words that say `entropy`. The caller shows them to the wallet's owner only.
  ///
  /// Throws `entropyLength` unless there are 32 bytes.
  public static func words(
    for entropy: [UInt8], sha256: SHA256
  ) throws(MnemonicError) -> [String] {
    guard entropy.count == Self.entropyLength else { throw .entropyLength(entropy.count) }
    var words: [String] = []
    var bits = 0
    var held = 0
    for byte in entropy + [Self.checksum(of: entropy, sha256)] {
      // At most 10 bits are held, so this stays within 18.
      held = held << 8 | Int(byte)
      bits += 8
      guard bits >= 11 else { continue }
      bits -= 11
      words.append(Wordlist.english[held >> bits])
      held &= 1 << bits - 1
    }
    return words
  }

  /// The entropy that a phrase says: 32 bytes, secret; the caller wipes them.
  ///
  /// Upper and lower case count the same, as does any white space; a word may be cut to its first four
  /// letters or more. Throws `wordCount`, `unknownWord` (of the first one) or `checksum`.
  public static func entropy(
    from phrase: String, sha256: SHA256
  ) throws(MnemonicError) -> [UInt8] {
    let words = phrase.split(whereSeparator: \.isWhitespace)
    guard words.count == Self.wordCount else { throw .wordCount(words.count) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.entropyLength + 1)
    var bits = 0
    var held = 0
    for (index, written) in words.enumerated() {
      let word = written.lowercased()
      guard let found = Self.index(of: word) else {
        throw .unknownWord(position: index + 1, suggestions: Self.suggestions(for: word))
      }
      // At most 7 bits are held, so this stays within 18.
      held = held << 11 | found
      bits += 11
      while bits >= 8 {
        bits -= 8
        bytes.append(UInt8(held >> bits))
        held &= 1 << bits - 1
      }
    }
    let checksum = bytes.removeLast()
    guard checksum == Self.checksum(of: bytes, sha256) else { throw .checksum }
    return bytes
  }

  private static func checksum(of entropy: [UInt8], _ sha256: SHA256) -> UInt8 {
    let digest = sha256(entropy)
    precondition(digest.count == 32, "SHA-256 has 32 bytes")
    return digest[0]
  }

  // MARK: Words

  /// The index of `word`, or of the one word that begins with it if it has four letters or more.
  private static func index(of word: String) -> Int? {
    let words = Wordlist.english
    var low = 0
    var high = words.count
    while low < high {
      let middle = (low + high) / 2
      if words[middle] < word { low = middle + 1 } else { high = middle }
    }
    guard low < words.count else { return nil }
    if words[low] == word { return low }
    return word.utf8.count >= Self.abbreviationLength && words[low].hasPrefix(word) ? low : nil
  }

  /// The words that share the most first letters with `word`, at most five, in the list's order.
  private static func suggestions(for word: String) -> [String] {
    let shared = Wordlist.english.map { zip($0.utf8, word.utf8).prefix { $0 == $1 }.count }
    let most = shared.max() ?? 0
    guard most > 0 else { return [] }
    return zip(Wordlist.english, shared).filter { $0.1 == most }.prefix(5).map(\.0)
  }
}
