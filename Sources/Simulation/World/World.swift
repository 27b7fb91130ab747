// One run: hosts, network, faults and the referee, from one seed.
//
// Invariant: nothing in a run depends on anything but its scenario: no clock, no order of dictionaries, no
// address in memory.

import Foundation
import Messages
import Parties
import Services

/// A run.
public final class World: @unchecked Sendable {  // a run lives on one thread
  let scenario: Scenario
  let scheduler = Scheduler()
  let dice: Dice
  var generator: Dice
  let plan: FaultPlan
  /// Where this run's goods are.
  let folder: String
  private(set) var hosts: [Host] = []
  private var hostOf: [PublicKey: Host] = [:]
  private(set) var network: Network!
  private(set) var referee: Referee!
  private(set) var trace: Trace
  private(set) var result: RunResult
  /// No faults any more.
  private(set) var isQuiet = false
  private(set) var isOver = false
  /// Banks and merchants poll the archives too.
  private(set) var polls = false
  /// Whose stores are put back to old copies in this run.
  private(set) var restores = Role.merchant
  /// How long after their offer merchants let sales expire.
  private(set) var offerSeconds: UInt64 = 300
  /// What there is beside purchases.
  let extras: Set<Extra>
  /// Who takes part.
  let cast: Cast
  /// Which bank lies, where one does.
  private(set) var lyingBank = "bank"
  let clearing: Clearing
  let age = Age()
  /// How long things are kept after their lifetimes, and for how long tokens can be spent.
  var keepSeconds: UInt64 { extras.contains(.pruning) ? 60 : 90 * 86_400 }
  var spendSeconds: UInt64 { extras.contains(.pruning) ? Age.spendSeconds : 400 * 86_400 }
  /// Merchants agree to every refund that is possible; otherwise their operators are asked.
  private(set) var refundsByPolicy = false
  /// Who has the bank credit what archives approve.
  private(set) var deposits = DepositRoute.merchant
  /// What is on sale, by the offer's id.
  var offered: [Nonce: Wares.Ware] = [:]
  /// A merchant gave a sale up.
  var gaveUp = false
  private var planned: [Int]
  private var faults: [FaultKind: Int] = [:]
  /// Faults stop no later than this.
  private static let noiseMilliseconds: UInt64 = 3_000_000
  /// When faults have stopped, everything has to end within this time.
  private static let calmMilliseconds: UInt64 = 1_500_000

  /// Longer than any purchase of the plan lasts; where witnesses have to end one, longer than its lifetime.
  private var patienceMilliseconds: UInt64 { referee.waitsForWitnesses ? 700_000 : 200_000 }

  init(_ scenario: Scenario, folder: String) {
    self.scenario = scenario
    self.folder = folder
    dice = Dice(scenario.seed, "world")
    generator = Dice(scenario.seed, "setup")
    plan = scenario.isCalm ? .calm : FaultPlan(drawing: dice)
    extras = scenario.extras ?? Self.drawnExtras(scenario)
    cast = extras.contains(.banks) ? .withTwoBanks : .shared
    clearing = Clearing(scenario.seed)
    trace = Trace(keepsText: scenario.keepsTrace)
    result = RunResult(seed: scenario.seed)
    planned = scenario.crashes
    network = Network(self)
    referee = Referee(self)
  }

  func host(_ key: PublicKey) -> Host? { hostOf[key] }

  // MARK: Faults and notes

  func count(_ kind: FaultKind, _ times: Int = 1) { faults[kind, default: 0] += times }

  /// Whether a fault of this rate happens now; counts it.
  func strikes(_ kind: FaultKind, _ perMille: Int, _ dice: Dice) -> Bool {
    guard !isQuiet, perMille > 0, dice.perMille(perMille) else { return false }
    count(kind)
    return true
  }

  /// Whether a host stops at this boundary.
  func stops(_ host: Host, at boundary: Boundary) -> Bool {
    guard hasBegun else { return false }
    let number = result.boundaries
    result.boundaries += 1
    if let next = planned.first, next == number {
      planned.removeFirst()
      return true
    }
    guard !isQuiet else { return false }
    if boundary == .beforeWrite, plan.fullDisk > 0, host.dice.below(100_000) < plan.fullDisk { fill(host) }
    // Most of all where a write may be torn.
    let rate = boundary == .beforeSync ? 4 * plan.crash : plan.crash
    return rate > 0 && host.dice.below(10_000) < rate
  }

  private func fill(_ host: Host) {
    guard !host.disk.disk.isFull else { return }
    count(.fullDisk)
    host.disk.disk.isFull = true
    scheduler.after(host.dice.within(500...20_000)) { host.disk.disk.isFull = false }
  }

  func note(_ kind: UInt8, _ who: Host?, _ whom: Host?, _ body: [UInt8], _ text: () -> String) {
    trace.note(scheduler.now, kind, who?.index ?? 255, whom?.index ?? 255, body, text)
  }

  /// An invariant is broken: the run ends.
  func violate(_ invariant: Int, _ text: String) {
    guard result.violations.isEmpty else { return }
    result.violations.append(Violation(invariant: invariant, text: text, at: scheduler.now))
    note(9, nil, nil, Array(text.utf8)) { "VIOLATION of invariant \(invariant): \(text)" }
  }

  // MARK: Running

  /// Runs to the end.
  func run() -> RunResult {
    prepare()
    while result.violations.isEmpty, !isFinished, scheduler.step() {}
    if result.violations.isEmpty { referee.finish() }
    if result.violations.isEmpty && extras.contains(.pruning) { age.pass(self) }
    result.virtualSeconds = scheduler.now / 1000
    close()
    result.faults = Dictionary(uniqueKeysWithValues: faults.map { ($0.key.rawValue, $0.value) })
    result.events = scheduler.events
    result.traceHash = trace.digest
    result.trace = trace.lines
    return result
  }

  /// Ends all tasks, so that nothing of the run is left.
  private func close() {
    isOver = true
    for host in hosts { host.end() }
    while scheduler.step() {}
    try? FileManager.default.removeItem(atPath: folder)
  }

  private var hasBegun = false

  private func prepare() {
    let completion = dice.pick([CompletionRoute.archive, .archive, .merchant, .early])
    polls = dice.oneIn(3)
    deposits = Dice(scenario.seed, "deposits").pick(DepositRoute.allCases)
    restores = dice.oneIn(2) ? .pseudonym : .merchant
    if !plan.isCalm {
      offerSeconds = scenario.liars == .none ? dice.pick([40, 120, 300]) : dice.pick([40, 90])
    }
    for (index, member) in cast.members.enumerated() {
      let host = Host(member, index: index, world: self, completion: completion)
      hosts.append(host)
      hostOf[member.key] = host
    }
    if extras.contains(.banks) { lyingBank = Dice(scenario.seed, "liars").pick(["bank", "bank2"]) }
    Setup(self).run()
    Liars.hire(self)
    guard result.violations.isEmpty else { return }
    for host in hosts {
      if plan.skewSeconds > 0 {
        host.skew = host.dice.within(-plan.skewSeconds...plan.skewSeconds)
        count(.skewed)
      }
      host.disk.disk.makeBackup()
    }
    planPurchases(completion)
    planExtras()
    for host in hosts { host.start() }
    hasBegun = true
  }

  /// Everybody in turn; a lying one has more to do.
  private func customer(_ number: Int, of customers: [Host]) -> Int {
    guard scenario.liars.roles.contains(.pseudonym) else { return number % customers.count }
    return number.isMultiple(of: 2) ? 0 : 1 + number / 2 % (customers.count - 1)
  }

  /// One of two; the one that lies more often.
  private func peer(_ role: Role, _ names: [String]) -> String {
    dice.pick(scenario.liars.roles.contains(role) ? [names[0], names[0]] + names : names)
  }

  private func planPurchases(_ completion: CompletionRoute) {
    let customers = hosts.filter(\.isCustomer)
    var starts = [UInt64](repeating: 100, count: customers.count)
    for number in 0..<scenario.transactions {
      let expirationSeconds: UInt64 =
        scenario.liars != .none ? dice.pick([12, 30, 60]) : plan.isCalm ? 300 : dice.pick([12, 30, 60, 300])
      let place = customer(number, of: customers)
      customers[place].plan.append(
        PlannedPurchase(
          at: starts[place], mode: dice.pick(modes), choice: dice.below(100),
          merchant: peer(.merchant, ["merchant", "merchant2"]),
          archive: peer(.archive, ["archive", "archive2"]),
          twoSided: dice.oneIn(scenario.liars.roles.contains(.pseudonym) ? 2 : 3),
          completion: completion == .archive ? .archive : dice.pick([.archive, .merchant]),
          expirationSeconds: expirationSeconds, refreshes: dice.oneIn(12),
          bidPercent: dice.oneIn(4) ? dice.within(40...99) : 100))
      starts[place] += UInt64(dice.below(20_000))
      scheduleMischance(starts[place])
    }
    scheduler.after(Int(Self.noiseMilliseconds)) { [weak self] in self?.quieten() }
    watch()
  }

  /// Things that operators do meanwhile: backups, and a merchant who gives a sale up.
  private func scheduleMischance(_ at: UInt64) {
    if scenario.isCalm { return }
    if plan.restore > 0 && dice.oneIn(4) {
      let host = dice.pick(hosts)
      scheduler.after(Int(at)) { host.disk.disk.makeBackup() }
    }
    if plan.clockJump > 0 && plan.skewSeconds > 0 && dice.oneIn(2) {
      // Those most of all whose time counts.
      let host = dice.pick(
        dice.oneIn(2) ? hosts : hosts.filter { [.archive, .bank].contains($0.member.role) })
      scheduler.after(Int(at)) { [self] in
        guard !isQuiet else { return }
        host.skew = host.dice.within(-plan.skewSeconds...plan.skewSeconds)
        count(.clockJumped)
      }
    }
    if dice.oneIn(10) {
      let merchant = dice.pick(hosts.filter { $0.member.role == .merchant })
      scheduler.after(Int(at) + dice.below(3_000)) { merchant.giveUpSomething() }
    }
  }

  // MARK: Beside purchases

  /// The protocols by which one pays under a contract: the only ones that go together with what is beside.
  private static let underContracts: Set<Mode> = [.core, .joint, .early, .repeated, .compact]

  /// What is bought by in this run.
  private var modes: [Mode] {
    extras.isEmpty ? scenario.modes : scenario.modes.filter(Self.underContracts.contains)
  }

  /// In every other run something; from a generator of its own, so that what else happens stays what it is.
  private static func drawnExtras(_ scenario: Scenario) -> Set<Extra> {
    let dice = Dice(scenario.seed, "extras")
    guard dice.oneIn(2), scenario.modes.contains(where: underContracts.contains) else { return [] }
    return Set(Extra.allCases.filter { dice.oneIn($0 == .pruning ? 4 : 2) })
  }

  private func planExtras() {
    let dice = Dice(scenario.seed, "wishes")
    refundsByPolicy = dice.oneIn(2)
    if extras.contains(.refunds) {
      for host in hosts where host.isCustomer && !host.plan.isEmpty {
        host.wishes = RefundWish.draw(dice, host.plan, always: scenario.transactions == 1)
        // Where a stop may change nothing about the end, nobody gives up while somebody starts again.
        if plan.isCalm { for index in host.wishes.indices { host.wishes[index].patience = 40 } }
      }
    }
    if extras.contains(.banks) { planBanks() }
    if extras.contains(.names) { planNames() }
  }

  /// What people at merchants' desks do: they answer customers who want their money back.
  private func work() {
    for host in hosts where host.member.role == .merchant && (isQuiet || dice.oneIn(8)) {
      host.answerRefunds()
    }
  }

  // MARK: Ending

  /// Every second: are all customers through? Then faults stop, and once all is settled the run is over.
  private func watch() {
    scheduler.after(1_000) { [weak self] in
      guard let self, !isOver else { return }
      let hasLiars = scenario.liars != .none
      if !isQuiet && hosts.allSatisfy({ !$0.isCustomer || ($0.plan.isEmpty && ($0.isDone || hasLiars)) }) {
        quieten()
      }
      if extras.contains(.refunds) { work() }
      if extras.contains(.banks) { clearing.goOn(self) }
      if extras.contains(.pruning) { age.prune(self) }
      watch()
    }
  }

  private var quietSince: UInt64 = 0
  /// Faults stopped long ago, and something still does not end: then nobody hurries any more.
  var drags: Bool { isQuiet && scheduler.now > quietSince + 300_000 }

  private func quieten() {
    guard !isQuiet, !isOver else { return }
    isQuiet = true
    quietSince = scheduler.now
    note(7, nil, nil, []) { "faults stop" }
    for host in hosts {
      host.disk.disk.isFull = false
      host.skew = min(max(host.skew, -3), 3)
      host.isAway = false
    }
  }

  private var lastLook: UInt64 = 0
  private var heardAt: UInt64?

  private var isFinished: Bool {
    guard isQuiet, scheduler.now >= lastLook + 1_000 else { return false }
    lastLook = scheduler.now
    // With a liar some purchases never end: then there is time enough for every expiration.
    let isLate = scenario.liars != .none && scheduler.now > quietSince + patienceMilliseconds
    if clearing.isSettled(self),
      hosts.allSatisfy({ $0.life != nil && (!$0.isCustomer || $0.isDone || isLate) }) && referee.isSettled
    {
      if scenario.liars == .none { return true }
      // Before anybody is judged, what there is is put to him.
      guard let heardAt else {
        heardAt = scheduler.now
        referee.dossier.confront()
        return false
      }
      return scheduler.now > heardAt + 5_000
    }
    guard scheduler.now > quietSince + Self.calmMilliseconds else { return false }
    violate(7, "not everything has ended: " + referee.unsettled().joined(separator: "; "))
    return true
  }

  func tally(_ change: (inout RunResult) -> Void) { change(&result) }
}
