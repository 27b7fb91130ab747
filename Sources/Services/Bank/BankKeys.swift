// The bank's denomination keys: one RSA key per value and window, and the signed list of them. The same
// list for everybody, so that nobody can be tagged by a key of his own.

import BlindTokens
import Foundation
import Messages
import Storage

/// Denomination keys in use: public halves parsed once, private halves for issuing.
final class BankKeys: Sendable {
  /// How long a key issues, how long its tokens can be spent, and how long before its end the next key
  /// starts.
  struct Windows: Sendable {
    var issueSeconds: UInt64 = 30 * 86_400
    var spendSeconds: UInt64 = 400 * 86_400
    var overlapSeconds: UInt64 = 7 * 86_400
  }

  let list: KeyList
  /// The signed list, as published.
  let signedList: [UInt8]
  private let verifying: [Hash: BlindingKey]
  private let signing: [Hash: any BlindSigner]

  private init(_ signed: Verified<KeyList>, directory: DataDirectory, _ read: Reader) throws {
    list = signed.payload
    signedList = signed.bytes
    var verifying: [Hash: BlindingKey] = [:]
    var signing: [Hash: any BlindSigner] = [:]
    for denomination in list.keys {
      verifying[denomination.id] = try BlindingKey(denomination)
      let file = Self.file(denomination.id)
      if directory.exists(file) {
        signing[denomination.id] = try read(try directory.read(file))
      }
    }
    (self.verifying, self.signing) = (verifying, signing)
  }

  private static func file(_ id: Hash) -> String { "denominations-\(id).der" }

  /// The key that tokens with this id verify under.
  func verifier(_ id: Hash) -> BlindingKey? { verifying[id] }

  /// Signs blinded outputs, in order. Slow: a private-key operation each.
  func sign(_ outputs: [Blinded]) throws -> [[UInt8]] {
    try outputs.map { output in
      guard let key = signing[output.keyID] else {
        throw ServiceError.configuration("the private key of a published denomination is missing")
      }
      return try key.sign(blinded: output.message)
    }
  }

  /// Makes a private key of its DER bytes.
  typealias Reader = @Sendable ([UInt8]) throws -> any BlindSigner

  /// Loads the published list from the store, or makes the first one.
  static func load(
    _ node: Node, reading read: Reader = { try BlindSigningKey(derRepresentation: $0) }
  ) async throws -> BankKeys {
    guard let bytes = try await node.store.read({ try $0.meta("keylist") }) else {
      throw ServiceError.configuration("this bank has no denomination keys: run `acd bank init` again")
    }
    return try BankKeys(Verified(bytes, by: .key(node.identity.key)), directory: node.directory, read)
  }

  /// Loads the list, and makes and publishes the next keys first when the current ones stop issuing soon.
  static func loadFresh(_ node: Node) async throws -> BankKeys {
    let keys = try await load(node)
    let windows = Windows()
    guard keys.needsRotation(windows: windows, at: node.clock()), let first = keys.list.keys.first else {
      return keys
    }
    try await generate(
      values: Set(keys.list.keys.map(\.value.amount)).sorted(), currency: first.value.currency,
      identity: node.identity, directory: node.directory, store: node.store, windows: windows,
      exchangeFee: keys.list.exchangeFee, at: node.clock())
    return try await load(node)
  }

  /// Makes keys for these values and publishes the next list in the store.
  static func generate(
    values: [UInt64], currency: String, identity: Identity, directory: DataDirectory, store: any Store,
    windows: Windows, exchangeFee: UInt64, at now: Timestamp
  ) async throws {
    let made = try await withThrowingTaskGroup(of: Denomination.self) { group in
      for value in values {
        group.addTask {
          let size: BlindSigningKey.Size = value >= 100_000 ? .bits3072 : .bits2048
          let key = try BlindSigningKey.generate(size)
          let publicKey = try key.publicKey(currency: currency, value: value)
          let id = Hash(publicKey.keyID)!
          try directory.writeSecret(file(id), key.derRepresentation)
          return Denomination(
            value: Money(currency: currency, amount: value)!, id: id, modulus: key.modulus,
            issueFrom: now, issueUntil: now + windows.issueSeconds, spendUntil: now + windows.spendSeconds)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.value.amount < $1.value.amount }
    }
    let old = try await store.read { try $0.meta("keylist") }.map { try Verified<KeyList>(stored: $0) }
    let kept = (old?.payload.keys ?? []).filter { $0.spendUntil > now }
    let list = KeyList(
      at: now, sequence: (old?.payload.sequence).map { $0 + 1 } ?? 0, previous: old?.hash,
      keys: kept + made, exchangeFee: exchangeFee)
    let signed = try Verified(signing: list, with: identity.signing).bytes
    try await store.write { try $0.setMeta("keylist", signed) }
  }

  /// True when the current keys stop issuing within the overlap: time for `generate`.
  func needsRotation(windows: Windows, at now: Timestamp) -> Bool {
    let latest = list.keys.map(\.issueUntil).max() ?? 0
    return latest < now + windows.overlapSeconds
  }
}

extension BlindingKey {
  /// The public key of a denomination; fails when its id is not the id of its modulus, currency and value.
  init(_ denomination: Denomination) throws {
    try self.init(
      currency: denomination.value.currency, value: denomination.value.amount, modulus: denomination.modulus,
      exponent: BlindingKey.publicExponent)
    guard keyID == denomination.id.bytes else {
      throw ServiceError.protocolViolation("a denomination's id is not that of its key")
    }
  }
}

/// Who signs blinded tokens of one denomination: a function of key and message alone.
protocol BlindSigner: Sendable {
  func sign(blinded: [UInt8]) throws(BlindTokenError) -> [UInt8]
}

extension BlindSigningKey: BlindSigner {}
