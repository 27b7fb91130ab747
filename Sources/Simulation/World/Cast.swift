// Who takes part in every run: one bank, two archives and one that is only a record, two merchants, two
// witnesses, three customers; their trust list that all of them read.

import Messages
import Services

/// The parties of a run.
struct Cast {
  /// One of them.
  struct Member {
    let name: String
    let role: Role
    /// Servers only.
    let identity: Identity?
    /// Customers only.
    let entropy: [UInt8]
    /// Lies when its role is in the coalition.
    let mayLie: Bool

    /// The key that it is known by: for a customer its account's.
    let key: PublicKey

    /// Only a public record: it signs nothing.
    var isPassiveArchive: Bool { role == .archive && name == Cast.record }
    var isActiveArchive: Bool { role == .archive && name != Cast.record }
  }

  /// When a run begins, in seconds since 1970.
  static let epoch: Timestamp = 1_800_000_000
  static let answerSeconds: UInt64 = 5
  static let lifetimeSeconds: UInt64 = 300
  static let deposit: UInt64 = 1_000_000
  /// The passive archive.
  static let record = "record"

  let members: [Member]
  let trust: LoadedTrust

  /// The same for every seed: what differs between runs are numbers, nonces and what happens.
  static let shared = Cast(hasTwoBanks: false)
  /// With a second bank, where one of the merchants has its account.
  static let withTwoBanks = Cast(hasTwoBanks: true)

  /// Who keeps a merchant's account, if there are two banks.
  func home(of merchant: PublicKey) -> PublicKey? { trust.list.home(of: merchant) }

  private init(hasTwoBanks: Bool) {
    let servers: [(String, Role, Bool)] =
      [
        ("bank", .bank, true), ("archive", .archive, true), ("archive2", .archive, false),
        ("merchant", .merchant, true), ("merchant2", .merchant, false), ("witness", .witness, false),
        ("witness2", .witness, false), (Self.record, .archive, false),
      ] + (hasTwoBanks ? [("bank2", .bank, true)] : [])
    var members: [Member] = []
    for (index, (name, role, mayLie)) in servers.enumerated() {
      var seed = [UInt8](repeating: UInt8(0x10 + index), count: 32)
      let identity = Identity(role: role, name: name, seed: &seed)
      members.append(
        Member(name: name, role: role, identity: identity, entropy: [], mayLie: mayLie, key: identity.key))
    }
    for index in 1...3 {
      let entropy = [UInt8](repeating: UInt8(0x80 + index), count: 32)
      let account = Wallet.keys(entropy: entropy).account()
      members.append(
        Member(
          name: "customer\(index)", role: .pseudonym, identity: nil, entropy: entropy, mayLie: index == 1,
          key: account.publicKey))
    }
    let banks = members.filter { $0.role == .bank }.map(\.key)
    let entries = members.compactMap { member -> TrustEntry? in
      var entry = member.identity?.trustEntry(
        url: RehearsedLink.url(of: member.key), from: Self.epoch - 1_000_000, until: Self.epoch + 10_000_000)
      if member.role == .merchant && hasTwoBanks { entry?.bank = banks[member.name == "merchant2" ? 1 : 0] }
      // Nothing can be sealed to what is only a record.
      if member.isPassiveArchive { entry?.sealingKey = nil }
      return entry
    }
    let list = TrustList(
      at: Self.epoch - 1000, until: Self.epoch + 10_000_000, sequence: 0, previous: nil, entries: entries,
      answerSeconds: Self.answerSeconds, skewSeconds: 5, lifetimeSeconds: Self.lifetimeSeconds,
      goodsLengthMax: 1 << 24)
    var authority = [UInt8](repeating: 0x0f, count: 32)
    do {
      trust = try LoadedTrust(try Verified(signing: list, with: SigningKey(seed: &authority)).bytes)
    } catch { preconditionFailure("the trust list of the simulation: \(error)") }
    self.members = members
  }

  static let customers = 3
}
