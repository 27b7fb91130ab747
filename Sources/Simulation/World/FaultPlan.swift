// Which faults a run has, and how often. Drawn from the seed: some runs are calm, some have one kind of fault
// and much of it, some have all.

/// What goes wrong, for counting.
public enum FaultKind: String, CaseIterable, Codable, Sendable {
  case lost, duplicated, replayed, delayed, partitioned, crashed, crashedInRecovery, torn, fullDisk, restored
  case skewed, clockJumped, cut, lied

  /// In tables.
  public var title: String {
    switch self {
    case .crashedInRecovery: "crashed again in recovery"
    case .torn: "unsynchronised write lost or torn"
    case .fullDisk: "full disk"
    case .restored: "restored from an old backup"
    case .skewed: "clock skewed"
    case .clockJumped: "clock jumped"
    case .cut: "download cut"
    case .lied: "lies told"
    default: rawValue
    }
  }
}

/// How often what goes wrong.
struct FaultPlan {
  /// Of a thousand messages.
  var loss = 0
  var duplicate = 0
  var replay = 0
  var partition = 0
  var cut = 0
  /// A message takes up to so many milliseconds; more, and order is lost.
  var delayMax = 30
  var partitionMaxMilliseconds = 20_000
  /// Of ten thousand boundaries (writes and sends).
  var crash = 0
  var restartMaxMilliseconds = 5_000
  /// Of a thousand restarts.
  var crashAgain = 0
  var restore = 0
  var clockJump = 0
  /// Of a hundred thousand writes: the disk is full for a while after it.
  var fullDisk = 0
  /// Clocks differ by up to so many seconds.
  var skewSeconds = 0
  /// Of a thousand store calls: others come between.
  var breathe = 100

  /// Nothing goes wrong in it.
  private(set) var isCalm = true

  /// No faults at all.
  static let calm = FaultPlan()

  /// The plan of a seed.
  init(drawing dice: Dice) {
    if dice.oneIn(8) { return }
    isCalm = false
    let all = dice.oneIn(3)
    func some(_ most: Int) -> Int { all || dice.oneIn(3) ? dice.below(most + 1) : 0 }
    loss = some(120)
    duplicate = some(150)
    replay = some(60)
    partition = some(8)
    cut = some(150)
    delayMax = dice.pick([5, 30, 200, 2_000, 9_000])
    crash = some(120)
    restartMaxMilliseconds = dice.pick([200, 5_000, 60_000])
    crashAgain = some(400)
    restore = some(400)
    clockJump = some(200)
    fullDisk = some(800)
    skewSeconds = dice.oneIn(2) ? dice.below(26) : 0
    breathe = dice.pick([0, 100, 500])
  }

  private init() {}
}
