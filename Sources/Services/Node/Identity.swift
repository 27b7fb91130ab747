// Who a service is: its signing key, and for an archive the key that P4 is sealed to. Both come from one
// seed file in the data directory, readable by its owner alone.

import Foundation
public import Messages

/// A party's keys. The secrets stay inside.
public final class Identity: Sendable {
  /// What it acts as.
  public let role: Role
  /// A name for people: stands in the trust list.
  public let name: String
  /// Signs this party's messages.
  public let signing: SigningKey
  /// Opens what is sealed to this party.
  public let sealing: SealingKey
  /// Signs a witness's second set of statements about logs, which wants a key of its own (tlog-cosignature).
  public let following: SigningKey

  /// The public half of the signing key: the party's name in all messages.
  public var key: PublicKey { signing.publicKey }

  /// Derives both keys from a 32-byte seed, which is wiped.
  public init(role: Role, name: String, seed: inout [UInt8]) {
    self.role = role
    self.name = name
    let root = Secret(taking: &seed)
    var signingSeed = derive(from: root, info: Array("acd identity: signing".utf8))
    var sealingSeed = derive(from: root, info: Array("acd identity: sealing".utf8))
    signing = SigningKey(seed: &signingSeed)
    sealing = SealingKey(seed: &sealingSeed)
    var followingSeed = derive(from: root, info: Array("acd identity: following".utf8))
    following = SigningKey(seed: &followingSeed)
  }

  /// Reads the seed file of a data directory.
  public static func load(_ directory: DataDirectory) throws -> Identity {
    let config = try directory.config()
    var seed = try directory.readSecret("identity.seed", count: 32)
    guard let role = Role.allCases.first(where: { $0.name == config.role }) else {
      throw ServiceError.configuration("config.json of \(directory.path) names no known role")
    }
    return Identity(role: role, name: config.name, seed: &seed)
  }

  /// Makes a new party in a data directory; fails if there is one already.
  public static func create(_ directory: DataDirectory, config: PartyConfig) throws -> Identity {
    try directory.create()
    guard !directory.exists("identity.seed") else {
      throw ServiceError.configuration(
        "\(directory.path) already holds a party; nothing was changed. Use another --data-dir.")
    }
    var generator = SystemRandomNumberGenerator()
    try directory.writeSecret("identity.seed", randomBytes(32, using: &generator))
    try directory.writeConfig(config)
    return try load(directory)
  }

  /// This party's line in a trust list.
  public func trustEntry(url: String?, from: Timestamp, until: Timestamp) -> TrustEntry {
    TrustEntry(
      role: role, name: name, key: key, from: from, until: until,
      sealingKey: [.archive, .bank, .merchant, .witness].contains(role) ? sealing.publicKey : nil, url: url)
  }
}
