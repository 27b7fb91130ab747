// Making trust lists: an authority signs which keys it vouches for, as what and until when.

import Foundation
import Messages

/// An authority's directory: its seed and the last list that it signed.
public enum TrustAuthority {
  /// What a list says beside its keys.
  public struct Limits: Sendable {
    /// Δ: within how many seconds an archive answers.
    public var answerSeconds: UInt64 = 2
    /// How long after its latest expiration a transaction lives.
    public var lifetimeSeconds: UInt64 = 90 * 86_400
    /// How many witnesses have to certify the same; nil: more than half.
    public var quorum: UInt64?
    /// Which archives' outcomes count with a proof of their log only (C2SP tlog-policy); nil: none.
    public var policy: String?
    /// How many seconds ago a quorum has to have seen a log.
    public var checkpointAgeSeconds: UInt64?
    /// Who dates evidence.
    public var timestampAuthorities: [TimestampAuthority] = []

    public init() {}
  }

  /// Signs the next list over these parties, good for `days`; the authority is made if it is not there.
  /// - Returns: the list's bytes, to be handed to everybody.
  public static func export(
    _ directory: DataDirectory, parties: [PartyCard], days: UInt64, limits: Limits = Limits()
  ) throws -> [UInt8] {
    try directory.create()
    if !directory.exists("authority.seed") {
      var generator = SystemRandomNumberGenerator()
      try directory.writeSecret("authority.seed", randomBytes(32, using: &generator))
    }
    var seed = try directory.readSecret("authority.seed", count: 32)
    let key = SigningKey(seed: &seed)
    let last =
      directory.exists("last.acd") ? try Verified<TrustList>(stored: try directory.read("last.acd")) : nil
    let now = systemClock()
    let until = now + days * 86_400
    let entries = try parties.map { card in
      guard let role = Role.allCases.first(where: { $0.name == card.role }),
        let key = PublicKey(hex: card.key),
        key.isSound
      else { throw ServiceError.configuration("\(card.name): no sound key or unknown role") }
      // Keys outlive the list: a transaction's lifetime may end after the list does.
      return TrustEntry(
        role: role, name: card.name, key: key, from: now - min(now, 3600), until: until + 2 * 365 * 86_400,
        sealingKey: card.sealingKey.flatMap(PublicKey.init(hex:)), url: card.url.isEmpty ? nil : card.url,
        bank: card.bank.flatMap(PublicKey.init(hex:)))
    }
    let stampers = limits.timestampAuthorities.map(\.entry)
    let witnesses = entries.filter { $0.role == .witness }.count
    guard limits.quorum.map({ (1...max(1, UInt64(witnesses))).contains($0) && witnesses > 0 }) ?? true else {
      throw ServiceError.configuration("of \(witnesses) witnesses, a quorum is at least 1 and at most all")
    }
    guard !entries.isEmpty else { throw ServiceError.configuration("a trust list needs at least one party") }
    let list = TrustList(
      at: now, until: until, sequence: last.map { $0.payload.sequence + 1 } ?? 0, previous: last?.hash,
      entries: entries + stampers, answerSeconds: limits.answerSeconds, skewSeconds: 60,
      lifetimeSeconds: limits.lifetimeSeconds, goodsLengthMax: 1 << 40, quorum: limits.quorum,
      policy: limits.policy, checkpointAgeSeconds: limits.checkpointAgeSeconds)
    if let policy = limits.policy { _ = try LogPolicy(policy) }
    let signed = try Verified(signing: list, with: key).bytes
    try directory.write("last.acd", signed)
    return signed
  }
}

// MARK: Policies

extension TrustAuthority {
  /// A policy under which every archive here has to show its log, and `quorum` of the witnesses here have to
  /// have cosigned it, with both of their keys: as a log, and as one that they follow.
  public static func policy(over parties: [PartyCard], quorum: UInt64?) throws -> String {
    let archives = parties.filter { $0.role == Role.archive.name && $0.sealingKey != nil }
    let witnesses = parties.filter { $0.role == Role.witness.name }
    guard !archives.isEmpty else { throw ServiceError.configuration("no archive here keeps a log") }
    var lines = try archives.map { card in
      "log \(try vkey(LogNames.log(card.url), .log, card.key)) \(card.url)\(LogNames.logPath)"
    }
    var (seen, followed) = ([String](), [String]())
    for (index, card) in witnesses.enumerated() {
      lines.append(try line("w\(index)", card, LogNames.witnessPath, card.key))
      seen.append("w\(index)")
      guard let second = card.followingKey else { continue }
      lines.append(try line("f\(index)", card, LogNames.followerPath, second))
      followed.append("f\(index)")
    }
    if witnesses.isEmpty {
      lines.append("quorum none")
    } else {
      let count = quorum ?? UInt64(witnesses.count / 2 + 1)
      lines.append("group seen \(count) \(seen.joined(separator: " "))")
      if followed.isEmpty {
        lines.append("quorum seen")
      } else {
        lines.append("group followed \(count) \(followed.joined(separator: " "))")
        lines += ["group both all seen followed", "quorum both"]
      }
    }
    let text = lines.map { $0 + "\n" }.joined()
    _ = try LogPolicy(text)
    return text
  }

  private static func line(_ name: String, _ card: PartyCard, _ path: String, _ key: String) throws -> String
  {
    let vkey = try vkey(LogNames.name(card.url, path), .cosigner, key)
    return "witness \(name) \(vkey) \(card.url)\(path)"
  }

  private static func vkey(_ name: String, _ kind: NoteKey.Kind, _ key: String) throws -> String {
    guard let key = PublicKey(hex: key) else { throw ServiceError.configuration("\(name) has no key") }
    return try NoteKey(name: name, kind: kind, publicKey: key).vkey
  }
}

/// What logs and witnesses are called, by their addresses.
enum LogNames {
  static let (logPath, witnessPath, followerPath) = ("/log", "/tlog", "/tlog-follow")

  /// An address without its scheme, and a path: what C2SP suggests as an origin.
  static func name(_ url: String, _ path: String) -> String {
    (url.range(of: "://").map { String(url[$0.upperBound...]) } ?? url) + path
  }

  static func log(_ url: String) -> String { name(url, logPath) }
}
