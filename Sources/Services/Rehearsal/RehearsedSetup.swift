// What is there before a rehearsal begins: a bank's accounts and denomination keys, a merchant's offers, a
// customer's wallet. The same rows that `init`, `account open`, `account deposit` and `offer add` make.

import BlindTokens
import Foundation
import Logging
package import Messages
import Parties
package import Storage

/// A denomination to issue: its value in minor units and its private key, PKCS #1 DER.
package struct RehearsedDenomination: Sendable {
  package let value: UInt64
  package let der: [UInt8]
  /// The id of its public key.
  package let id: Hash

  package init(value: UInt64, der: [UInt8]) {
    (self.value, self.der) = (value, der)
    let key = try? BlindSigningKey(derRepresentation: der).publicKey(currency: "EUR", value: value)
    id = key.flatMap { Hash($0.keyID) }!
  }
}

/// An account and what is paid in at once.
package struct RehearsedAccount: Sendable {
  package let name: String
  package let key: PublicKey
  package let isMerchant: Bool
  package let deposit: UInt64

  package init(name: String, key: PublicKey, isMerchant: Bool, deposit: UInt64) {
    (self.name, self.key, self.isMerchant, self.deposit) = (name, key, isMerchant, deposit)
  }
}

extension RehearsedGround {
  /// Makes a bank: system accounts, customers and merchants, and the signed key list.
  package func foundBank(
    _ denominations: [RehearsedDenomination], accounts: [RehearsedAccount], exchangeFee: UInt64,
    spendSeconds: UInt64 = 400 * 86_400, at now: Timestamp
  ) async throws {
    var keys: [Denomination] = []
    for denomination in denominations {
      let key = try RehearsedSigner(denomination.der).key
      let id = Hash(try key.publicKey(currency: "EUR", value: denomination.value).keyID)!
      try directory.write("denominations-\(id).der", denomination.der)
      keys.append(
        Denomination(
          value: Money(currency: "EUR", amount: denomination.value)!, id: id, modulus: key.modulus,
          issueFrom: now - 1000, issueUntil: now + 30 * 86_400, spendUntil: now + spendSeconds))
    }
    let list = KeyList(at: now, sequence: 0, previous: nil, keys: keys, exchangeFee: exchangeFee)
    let signed = try Verified(signing: list, with: identity.signing).bytes
    try await store.write { tx in
      try tx.setMeta("keylist", signed)
      try BankBooks.openSystemAccounts(tx, currency: "EUR")
      for account in accounts {
        try tx.openAccount(
          Account(
            id: account.name, kind: account.isMerchant ? .merchant : .customer, name: account.name,
            currency: "EUR", key: account.key.bytes))
        guard account.deposit > 0 else { continue }
        try BankBooks.move(
          tx, Money(currency: "EUR", amount: account.deposit)!, from: BankBooks.System.cash.id("EUR"),
          to: account.name, kind: "deposit", reference: Array("deposit \(account.name)".utf8), at: now)
      }
    }
  }

  /// Puts a file on sale.
  package func offer(
    _ path: String, id: Nonce, price: Money, least: Money? = nil, description: String, twoSided: Bool,
    modes: [Mode]
  ) async throws -> Offer {
    var stored = try OfferBook.describe(
      path, price: price, description: description, twoSided: twoSided, modes: modes)
    (stored.id, stored.least) = (id.description, least?.description)
    try await OfferBook.put(stored, store)
    return stored.published!
  }

  /// A customer's wallet over this store.
  package func wallet(entropy: [UInt8]) -> Wallet {
    var entropy = entropy
    return Wallet(
      directory: directory, store: store, trust: trust, transport: link, seed: WalletSeed(entropy: &entropy),
      clock: clock, surroundings: surroundings, report: { _ in })
  }
}

/// A token in a wallet, for whoever counts the money.
package struct RehearsedCoin: Equatable, Sendable {
  package var id: Hash
  package var value: UInt64
  package var rest: UInt64
  package var held: UInt64
  /// The key of the bank where it can be spent, hexadecimal.
  package var bank: String
  /// Its key is the account's.
  package var isNamed: Bool
  /// The archive that it is bound to, if any.
  package var archive: PublicKey?
  package var keyIndex: UInt64
  fileprivate var encoded: Data

  /// The token itself.
  package var token: Token? { try? Token(encoded: Array(encoded)) }
  /// h(t), if it is bound to an archive.
  package var address: Hash? { archive == nil ? nil : token?.address }
}

extension Wallet {
  /// Keys of a wallet of this entropy: its account's, and those of its purchases and tokens by number.
  package static func keys(entropy: [UInt8]) -> RehearsedKeys { RehearsedKeys(entropy: entropy) }

  /// The tokens in this store.
  package static func coins(in tx: any StoreTransaction) throws -> [RehearsedCoin] {
    try tx.machines(kind: Coin.kind, phase: nil, after: nil, limit: 100_000).map { try coin(in: $0) }
  }

  /// The token in this row.
  package static func coin(in row: MachineRow) throws -> RehearsedCoin {
    let coin = try JSONDecoder().decode(Coin.self, from: Data(row.data))
    return RehearsedCoin(
      id: Hash(row.key)!, value: coin.value, rest: coin.rest, held: coin.held, bank: try coin.usableAt(),
      isNamed: coin.keyIndex == WalletSeed.account, archive: coin.archive.flatMap(PublicKey.init(hex:)),
      keyIndex: coin.keyIndex, encoded: coin.token)
  }
}

/// A customer's keys, for liars who sign as they like.
package struct RehearsedKeys: Sendable {
  private let seed: WalletSeed

  init(entropy: [UInt8]) {
    var entropy = entropy
    seed = WalletSeed(entropy: &entropy)
  }

  package func account() -> SigningKey { seed.accountKey() }
  package func token(_ index: UInt64) -> SigningKey { seed.tokenKey(index) }
  package func pseudonym(_ index: UInt64) -> SigningKey { seed.pseudonymKey(index) }
  package func pseudonym(named name: String) -> SigningKey {
    seed.pseudonymKey(WalletSeed.pseudonym(named: name))
  }
}
