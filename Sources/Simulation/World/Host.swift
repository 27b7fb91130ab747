// A machine on which a party lives: its disk and clock outlast crashes; each start is a new life, with a
// store recovered from the disk alone.
//
// Invariant: a life that is over touches nothing any more: every call of its tasks throws.

import Foundation
import Messages
import Parties
import Services
import Storage

/// The party stopped: whatever it was doing ends here.
struct Crashed: Error {}

/// One party's machine.
final class Host {
  let member: Cast.Member
  let index: Int
  unowned let world: World
  let disk = DiskBox()
  let dice: Dice
  /// The file system: goods.
  let directory: DataDirectory
  /// Seconds that its clock is ahead.
  var skew = 0 {
    didSet { if skew != oldValue { (skewBefore, skewSince) = (oldValue, world.scheduler.now) } }
  }
  private var (skewBefore, skewSince): (Int, UInt64) = (0, 0)
  /// When it stopped, while it recovers.
  private var stoppedAt: Timestamp?
  /// What runs now; nil while it is down.
  private(set) var life: Life?
  private(set) var starts = 0
  /// Nobody reaches it, and it reaches nobody.
  var isAway = false
  /// Customers: what is still to be bought, and whether all is done.
  var plan: [PlannedPurchase] = []
  var isDone = false
  var lastPurchase: PlannedPurchase?
  /// How often the last one is still tried, and how many purchases there were before it.
  var patience = 0
  var purchasesBefore = 0
  /// Customers: money that is still to be asked back, and how many requests there were before the next one.
  var wishes: [RefundWish] = []
  var requestsBefore: Int?
  /// Customers: the wallet's store was put back and has to be restored from the bank.
  var needsRestore = false
  /// Bad luck: the boundary of this life at which it stops again.
  private var stopsAgainAt: Int?
  let completion: CompletionRoute
  /// Wraps the party when it lies.
  var liar: (any Liar)?

  init(_ member: Cast.Member, index: Int, world: World, completion: CompletionRoute) {
    (self.member, self.index, self.world, self.completion) = (member, index, world, completion)
    dice = Dice(world.scenario.seed, member.name)
    directory = DataDirectory(world.folder + "/" + member.name)
  }

  /// Customers: names of pseudonyms that are used more than once, as their owner remembers them.
  var pseudonyms: [String] = []
  /// Customers: they do without being anonymous, at times.
  var namesItself = false

  var isHonest: Bool { liar == nil }
  var isCustomer: Bool { member.role == .pseudonym }

  /// Its own clock.
  var now: Timestamp { UInt64(Int(Cast.epoch + world.scheduler.now / 1000) + skew) }

  /// What its clock may have shown when it decided what it writes now: the decision is some milliseconds
  /// older than the write, and what a crash did not lose is older than the crash.
  var decidedAt: Timestamp {
    let time = world.scheduler.now - min(world.scheduler.now, Self.decidingMilliseconds)
    let ahead = time < skewSince ? min(skew, skewBefore) : skew
    return min(stoppedAt ?? .max, UInt64(Int(Cast.epoch + time / 1000) + ahead))
  }
  private static let decidingMilliseconds: UInt64 = 50

  /// Recovers the store and starts the party.
  func start() {
    starts += 1
    isDone = false
    let life = Life(self, number: starts)
    stoppedAt = nil
    self.life = life
    life.begin()
  }

  /// A merchant gives up a sale that is not with the archive yet.
  func giveUpSomething() {
    guard let life, let party = life.party else { return }
    let open = life.store.image.machines("sale").filter {
      [SalePhase.offered, .authorised, .claiming].map(\.rawValue).contains($0.phase)
    }
    guard let row = open.last, let n = TransactionID(row.key) else { return }
    world.note(8, self, nil, row.key) { "\(self.member.name) gives up \(n.description.prefix(8))" }
    world.gaveUp = true
    world.scheduler.spawn { try? await party.giveUp(n) }
  }

  // MARK: Stopping

  /// Whether it stops at this boundary; if so, it has stopped when this returns.
  func stops(at boundary: Boundary, in life: Life) -> Bool {
    guard world.stops(self, at: boundary) || stopsAgainAt == life.boundaries else { return false }
    if stopsAgainAt == life.boundaries { world.count(.crashedInRecovery) }
    crash("at \(boundary.rawValue)")
    return true
  }

  /// Stops, and starts again some time later.
  func crash(_ how: String) {
    guard let life else { return }
    stoppedAt = decidedAt
    life.end()
    self.life = nil
    world.count(.crashed)
    world.note(4, self, nil, Array(how.utf8)) { "\(self.member.name) stops \(how)" }
    if !disk.disk.pending.isEmpty { world.count(.torn) }
    disk.disk.lose(dice)
    stopsAgainAt = nil
    let plan = world.plan
    if dice.perMille(plan.crashAgain) { stopsAgainAt = dice.within(1...12) }
    if !world.isQuiet && dice.perMille(plan.clockJump) {
      skew = dice.within(-plan.skewSeconds...plan.skewSeconds)
      world.count(.clockJumped)
    }
    if dice.perMille(plan.restore) && !world.isQuiet { restoreBackup() }
    world.scheduler.after(world.isQuiet ? 50 : dice.within(20...plan.restartMaxMilliseconds)) { [weak self] in
      guard let self, self.life == nil, !world.isOver else { return }
      world.note(5, self, nil, []) { "\(self.member.name) starts again" }
      start()
    }
  }

  /// Looks for what may be let go of, as a process does all the time.
  func prune() {
    guard let life else { return }
    if isCustomer {
      let wallet = life.ground.wallet(entropy: member.entropy)
      let keep = world.keepSeconds
      world.scheduler.spawn { _ = try? await wallet.prune(keepSeconds: keep) }
    } else if let party = life.party {
      world.scheduler.spawn { await party.tick() }
    }
  }

  /// Ends for good, with the run.
  func end() {
    life?.end()
    life = nil
  }

  /// A bank or archive that was put back would forget locks and records that others rely on: it must not
  /// start again at all. Customers and merchants can.
  private func restoreBackup() {
    // Not both in one run: a customer's purchases come back with the help of the merchant's store.
    guard world.restores == member.role, disk.disk.restoreBackup() else { return }
    world.count(.restored)
    world.note(6, self, nil, []) { "\(self.member.name) is restored from an old backup" }
    needsRestore = isCustomer
    world.referee.wasRestored(self)
  }
}

/// A running party, from one start to the next crash.
final class Life: StoreOwner, @unchecked Sendable {  // a run lives on one thread
  unowned let host: Host
  let number: Int
  var isAlive = true
  private(set) var boundaries = 0
  private(set) var store: SimulatedStore!
  private(set) var party: RehearsedParty?
  private var inFlight: Set<Int64> = []
  /// Virtual time for which the next look at outbox and due machines is planned.
  private var lookAt: UInt64?

  init(_ host: Host, number: Int) {
    (self.host, self.number) = (host, number)
    store = SimulatedStore(host.disk, owner: self)
    if !store.survived.isEmpty { world.referee.committed(host, store.image, store.survived) }
  }

  var world: World { host.world }

  // MARK: StoreOwner

  func end() {
    isAlive = false
    party?.end()
  }

  func checkAlive() throws { if !isAlive { throw Crashed() } }

  func reached(_ boundary: Boundary) throws {
    try checkAlive()
    boundaries += 1
    if host.stops(at: boundary, in: self) { throw Crashed() }
  }

  func breathe() async {
    guard isAlive, host.dice.perMille(world.plan.breathe) else { return }
    await world.scheduler.sleep(host.dice.below(4))
  }

  func committed(_ mutations: [Mutation]) {
    world.referee.committed(host, store.image, mutations)
    look()
  }

  // MARK: Ground

  /// What the real party runs on.
  var ground: RehearsedGround {
    let dice = host.dice
    return RehearsedGround(
      identity: host.member.identity ?? Cast.shared.members[0].identity!, directory: host.directory,
      store: store, trust: world.cast.trust,
      link: RehearsedLink { [self] method, key, path, body in
        try await world.network.send(from: self, method, to: key, path, body)
      },
      clock: { [self] in host.now },
      surroundings: Surroundings(
        randomness: Randomness { dice.next() }, threads: 1,
        pause: { [self] milliseconds in
          try checkAlive()
          await world.scheduler.sleep(milliseconds)
          try checkAlive()
        },
        spawn: { [self] body in world.scheduler.spawn(body) },
        blind: { key, message in
          let factor = [0x01] + dice.bytes(key.modulus.count - 1)
          return try key.rehearsedBlinding(of: message, salt: dice.bytes(48), factor: factor)
        }))
  }

  func begin() {
    world.scheduler.spawn { [self] in
      if host.isCustomer {
        await Shopper(self).live()
      } else {
        let started = try? await RehearsedParty(
          ground, completion: host.completion, offerSeconds: world.offerSeconds,
          refunds: world.refundsByPolicy, keepSeconds: world.keepSeconds, deposits: world.deposits,
          kick: { [self] in look() })
        guard isAlive else {
          started?.end()
          return
        }
        party = started
        if started == nil { world.violate(8, "\(host.member.name) cannot start from its store") }
        look()
        if world.polls && [.bank, .merchant].contains(host.member.role) { poll() }
      }
    }
  }

  // MARK: What a server does by itself

  /// Plans to look at the outbox and at due machines as soon as something is due.
  private func look() {
    guard isAlive, party != nil else { return }
    let times = [store.image.nextDelivery, store.image.nextDue].compactMap { $0 }
    guard let due = times.min() else { return }
    // Never at once: what made it due is still on its way to the disk.
    let wait = max(2, (due - Int64(host.now)) * 1000)
    let at = world.scheduler.now + UInt64(wait)
    if let lookAt, lookAt <= at, lookAt > world.scheduler.now { return }
    lookAt = at
    world.scheduler.after(Int(wait)) { [weak self] in
      guard let self, isAlive, lookAt == at else { return }
      lookAt = nil
      world.scheduler.spawn { [self] in await work() }
    }
  }

  private func work() async {
    guard let party else { return }
    await party.tick()
    for item in (try? await party.due()) ?? [] where inFlight.insert(item.id).inserted {
      world.scheduler.after(host.dice.below(3)) { [self] in
        world.scheduler.spawn { [self] in
          await party.deliver(item)
          inFlight.remove(item.id)
          look()
        }
      }
    }
    if isAlive, lookAt == nil {
      world.scheduler.after(500) { [weak self] in self?.look() }
    }
  }

  private func poll() {
    world.scheduler.after(20_000) { [weak self] in
      guard let self, isAlive, !world.isOver else { return }
      world.scheduler.spawn { [self] in
        await party?.poll()
        poll()
      }
    }
  }
}
