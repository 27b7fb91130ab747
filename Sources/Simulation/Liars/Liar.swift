// A liar is a real party with somebody between it and the network, who holds its keys and those of its
// coalition, and no others. What it does to a transaction is drawn once and kept to, so that a lie is told to
// all who hear of it.

import Messages
import Parties
import Services

/// What a liar does with a request that reached it.
enum Lie {
  /// No answer at all.
  case silent
  case reply([UInt8])
}

/// Between a party and the network.
protocol Liar: AnyObject {
  /// Something that the real party wants to send: what goes out instead, or nil for nothing.
  func outgoing(_ sent: Sent) -> [UInt8]?
  /// Something that reached it: nil leaves it to the real party.
  func incoming(_ sent: Sent) -> Lie?
  /// What the real party answered: what goes out instead, or nil to leave it.
  func replying(to sent: Sent, _ reply: [UInt8]) -> [UInt8]?
}

extension Liar {
  func outgoing(_ sent: Sent) -> [UInt8]? { sent.body }
  func incoming(_ sent: Sent) -> Lie? { nil }
  func replying(to sent: Sent, _ reply: [UInt8]) -> [UInt8]? { nil }
}

/// What all liars of a run share: they tell each other everything.
final class Gang {
  unowned let world: World
  private(set) var members: [Host] = []
  /// Goods keys that one of them came to know, by n.
  var keys: [TransactionID: [UInt8]] = [:]
  /// Purchases of a series that are not what the wallet was offered, by n and number.
  var items: [[UInt8]: (total: Money, hash: Hash)] = [:]

  init(_ world: World) { self.world = world }

  func join(_ host: Host) { members.append(host) }

  func has(_ role: Role) -> Bool { members.contains { $0.member.role == role } }

  /// Signs as the member of this role, if there is one.
  func sign<P: Payload>(_ payload: P, as role: Role) -> [UInt8]? {
    guard let host = members.first(where: { $0.member.role == role }), let identity = host.member.identity
    else {
      return nil
    }
    return try? Verified(signing: payload, with: identity.signing).bytes
  }
}

/// What a liar has at hand.
class Schemer {
  let host: Host
  let gang: Gang
  let dice: Dice
  /// The trick played on each transaction or lock.
  private var tricks: [[UInt8]: Int] = [:]
  /// Where this run begins in the list of tricks: each gets its turn, in one seed or in another one soon.
  private var turn: Int

  init(_ host: Host, _ gang: Gang) {
    (self.host, self.gang) = (host, gang)
    dice = Dice(host.world.scenario.seed, "liar " + host.member.name)
    turn = Int(host.world.scenario.seed % 1_000_000) * 7
  }

  var world: World { host.world }

  /// The trick for this subject, one of so many; always the same one.
  func trick(_ subject: [UInt8], of count: Int) -> Int {
    if let known = tricks[subject] { return known }
    let chosen = turn % count
    turn += 1
    tricks[subject] = chosen
    return chosen
  }

  func sign<P: Payload>(_ payload: P) -> [UInt8]? {
    guard let identity = host.member.identity else { return nil }
    return try? Verified(signing: payload, with: identity.signing).bytes
  }

  /// Tells somebody something unasked.
  func tell(_ key: PublicKey, _ bytes: [UInt8]?) {
    guard let bytes, let target = world.host(key), target !== host else { return }
    world.count(.lied)
    world.network.inject(
      Sent(from: host, to: target, method: "POST", path: RehearsedLink.messagesPath, body: bytes))
  }

  func lie(_ bytes: [UInt8]?) -> Lie {
    world.count(.lied)
    return bytes.map { .reply($0) } ?? .silent
  }

  // MARK: Forgeries in any mode

  /// A commit over this submission, stamped as the liar likes.
  func commit(_ submission: [UInt8], _ lock: LockFacts, at time: Timestamp) -> [UInt8]? {
    func make<M: PurchaseMode>(_: M.Type) -> [UInt8]? {
      sign(Commit<M>(submission: submission, at: time, lifetime: lock.terms.lifetime))
    }
    guard let mode = LockModes.of(lock.mode) else { return nil }
    return make(mode)
  }

  func abort(_ lock: LockFacts, at time: Timestamp, _ reason: Reason = .expired) -> [UInt8]? {
    func make<M: PurchaseMode>(_: M.Type) -> [UInt8]? {
      let terms = lock.terms
      return sign(
        Abort<M>(
          n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
          lock: lock.name, at: time, failed: reason))
    }
    guard let mode = LockModes.of(lock.mode) else { return nil }
    return make(mode)
  }

  /// P3 or its kin over other terms.
  func lock(_ facts: RequestFacts, _ change: (inout LockTerms) -> Void) -> [UInt8]? {
    var terms = facts.terms
    change(&terms)
    let changed = terms
    if facts.mode == .announced {
      return sign(A7(terms: changed, hAnnounced: facts.published ?? changed.hP1))
    }
    func make<M: ContractMode>(_: M.Type) -> [UInt8]? { sign(AuthorizationB<M>(terms: changed)) }
    guard let mode = SimulatedModes.contract(facts.mode) else { return nil }
    return make(mode)
  }

  /// P4 or JA4 with any key, sealed to the lock's archive.
  func submission(
    _ lockBytes: [UInt8], _ facts: LockFacts, key: [UInt8], consent: [UInt8]? = nil
  ) -> [UInt8]? {
    let terms = facts.terms
    let signed: [UInt8]?
    switch facts.mode {
    case .core:
      signed = sign(
        P4(n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: facts.name, key: key))
    case .joint:
      signed = sign(
        JA4(
          n: terms.n, value: terms.value, expiration: terms.expiration, hP1: terms.hP1, lock: facts.name,
          key: key))
    case .announced:
      signed = consent.flatMap {
        sign(
          A8(
            n: terms.n, expiration: terms.expiration, hP1: terms.hP1, lock: facts.name, key: key, consent: $0)
        )
      }
    default: signed = nil
    }
    guard let signed,
      let archive = Cast.shared.trust.list.entries.first(where: { $0.key == terms.archive })?.sealingKey
    else { return nil }
    let plain = try? Bundle([signed, lockBytes]).encoded()
    return plain.flatMap { try? SealedMessage($0, to: archive, ephemeralSeed: dice.bytes(32)).encoded() }
  }
}

/// Makes the liars of a run.
enum Liars {
  static func hire(_ world: World) {
    let gang = Gang(world)
    for host in world.hosts where host.member.mayLie && world.scenario.liars.roles.contains(host.member.role)
    {
      if host.member.role == .bank && host.member.name != world.lyingBank { continue }
      gang.join(host)
      switch host.member.role {
      case .bank: host.liar = LyingBank(host, gang)
      case .archive: host.liar = LyingArchive(host, gang)
      case .merchant: host.liar = LyingMerchant(host, gang)
      default: host.liar = LyingCustomer(host, gang)
      }
    }
  }
}
