// All that a wallet can derive again from its 24 words: account key, token keys and serials, pseudonyms,
// and the key of its recovery notes. The words are the wallet; the store is only what happened since.

import Messages
import Parties

/// The wallet's secret root.
final class WalletSeed: Sendable {
  private let root: Secret

  /// Takes 32 bytes of entropy over; the caller's array is wiped.
  init(entropy: inout [UInt8]) { root = Secret(taking: &entropy) }

  /// From 24 words (BIP-39).
  convenience init(mnemonic: String) throws(MnemonicError) {
    var entropy = try Mnemonic.entropy(from: mnemonic, sha256: { Hash(of: $0).bytes })
    self.init(entropy: &entropy)
  }

  /// The 24 words. Whoever reads them has the money.
  func mnemonic() throws(MnemonicError) -> [String] {
    let entropy = root.withBytes { Array($0) }
    return try Mnemonic.words(for: entropy, sha256: { Hash(of: $0).bytes })
  }

  private func secret(_ purpose: String, _ index: UInt64) -> [UInt8] {
    let number = (0..<8).map { UInt8(truncatingIfNeeded: index >> (56 - 8 * $0)) }
    return derive(from: root, info: Array("acd wallet: \(purpose) ".utf8) + number)
  }

  /// Signs withdrawals; the bank knows the account by its public half.
  func accountKey() -> SigningKey { key("account", 0) }
  /// The number under which a named customer's tokens and purchases go: the account's own key signs for them.
  static let account = UInt64.max

  /// The number of a pseudonym that the customer gave a name: in the upper half, where no counter ever comes.
  static func pseudonym(named name: String) -> UInt64 {
    let digest = Hash(of: Array("acd wallet: pseudonym named \(name)".utf8)).bytes
    let number = digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    return (number | 1 << 63) & ~1  // never the account's
  }

  /// q of token key `index`.
  func tokenKey(_ index: UInt64) -> SigningKey { index == Self.account ? accountKey() : key("token", index) }
  /// p of purchase `index`, or of a pseudonym with a name, or a named customer's.
  func pseudonymKey(_ index: UInt64) -> SigningKey {
    index == Self.account ? accountKey() : key("pseudonym", index)
  }
  /// The serial of token `index`: random to everybody else.
  func serial(_ index: UInt64) -> Hash { Hash(secret("serial", index))! }
  /// Seals what a restored wallet needs and the seed cannot give: blinding inverses.
  func recoveryKey() -> [UInt8] { secret("recovery", 0) }

  private func key(_ purpose: String, _ index: UInt64) -> SigningKey {
    var seed = secret(purpose, index)
    return SigningKey(seed: &seed)
  }
}
