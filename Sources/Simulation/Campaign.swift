// Many runs: which seeds, by which protocols, with which liars; and the sum of what came of them.

public import Messages

/// Which runs to make.
public struct Campaign: Sendable {
  public var seeds: ClosedRange<UInt64>
  public var modes: [Mode]
  /// Purchases in each run.
  public var transactions: Int
  /// Taken in turn by the seeds.
  public var liars: [Coalition]
  public var keepsTrace = false
  /// What runs have beside purchases; nil: their seeds say so.
  public var extras: Set<Extra>?

  public init(seeds: ClosedRange<UInt64>, modes: [Mode], transactions: Int, liars: [Coalition] = [.none]) {
    (self.seeds, self.modes, self.transactions, self.liars) = (seeds, modes, transactions, liars)
  }

  /// The run of a seed.
  public func scenario(_ seed: UInt64) -> Scenario {
    var scenario = Scenario(
      seed: seed, modes: modes, transactions: transactions, liars: liars[Int(seed % UInt64(liars.count))])
    (scenario.keepsTrace, scenario.extras) = (keepsTrace, extras)
    return scenario
  }
}

/// What many runs came to.
public struct CampaignSummary: Codable, Sendable {
  public private(set) var runs = 0
  public private(set) var transactions = 0
  public private(set) var committed = 0
  public private(set) var aborted = 0
  public private(set) var unpaid = 0
  public private(set) var refunded = 0
  public private(set) var refundsAsked = 0
  public private(set) var judged = 0
  public private(set) var convicted = 0
  public private(set) var events = 0
  public private(set) var boundaries = 0
  public private(set) var virtualSeconds: UInt64 = 0
  public private(set) var faults: [String: Int] = [:]
  /// Runs in which an invariant broke, the lowest seed first.
  public private(set) var broken: [RunResult] = []
  private var hashes: [UInt64: String] = [:]

  public init() {}

  public mutating func add(_ result: RunResult) {
    runs += 1
    transactions += result.transactions
    committed += result.committed
    aborted += result.aborted
    unpaid += result.unpaid
    refunded += result.refunded
    refundsAsked += result.refundsAsked
    judged += result.judged
    convicted += result.convicted
    events += result.events
    boundaries += result.boundaries
    virtualSeconds += result.virtualSeconds
    for (kind, times) in result.faults { faults[kind, default: 0] += times }
    hashes[result.seed] = result.traceHash
    if !result.violations.isEmpty {
      broken.append(result)
      broken.sort { $0.seed < $1.seed }
    }
  }

  /// SHA-256 over the trace hashes of all runs in the order of their seeds, hexadecimal.
  public var traceHash: String {
    Hash(of: hashes.sorted { $0.key < $1.key }.flatMap { Array($0.value.utf8) }).description
  }
}
