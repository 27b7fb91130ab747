// The systematic mode: one purchase without other faults, in which somebody stops at each write and each
// send, once and twice; the end has to be the same as without a stop.

public import Messages

/// Crashes at all boundaries of one purchase.
public struct CrashEverywhere: Sendable {
  private let mode: Mode
  private let seed: UInt64
  private let extras: Set<Extra>

  /// What was found.
  public struct Findings: Codable, Sendable {
    /// Writes and sends of the purchase without a crash.
    public var boundaries = 0
    public var runs = 0
    /// The end that all runs have to have.
    public var outcome: [String] = []
    public var failures: [String] = []

    public init() {}

    /// What other processes found about the same purchase.
    public mutating func add(_ other: Findings) {
      runs += other.runs
      failures += other.failures
    }
  }

  public init(mode: Mode, seed: UInt64, extras: Set<Extra> = []) {
    (self.mode, self.seed, self.extras) = (mode, seed, extras)
  }

  /// Stops once at each boundary, or twice at each pair of boundaries, `every` so many pairs. Of several
  /// processes each takes a part of the first stops. `untilBroken`: no further than the first finding.
  public func run(
    times: Int, every stride: Int = 1, part: Int = 0, of parts: Int = 1, untilBroken: Bool = false
  ) -> Findings {
    var findings = Findings()
    let plain = result([])
    findings.boundaries = plain.boundaries
    findings.outcome = plain.outcome
    findings.failures = plain.violations.map { "without a crash: \($0.text)" }
    guard findings.failures.isEmpty else { return findings }
    var pair = 0
    for first in 0..<plain.boundaries where first % parts == part {
      let once = compare([first], plain, &findings)
      if untilBroken && !findings.failures.isEmpty { break }
      guard times == 2 else { continue }
      for second in (first + 1)..<max(first + 2, once.boundaries) {
        pair += 1
        if pair % stride == 0 { _ = compare([first, second], plain, &findings) }
      }
    }
    return findings
  }

  private func compare(_ crashes: [Int], _ plain: RunResult, _ findings: inout Findings) -> RunResult {
    let result = result(crashes)
    findings.runs += 1
    for violation in result.violations {
      findings.failures.append("stopped at \(crashes): invariant \(violation.invariant): \(violation.text)")
    }
    if result.violations.isEmpty && result.outcome != plain.outcome {
      findings.failures.append("stopped at \(crashes): \(result.outcome) instead of \(plain.outcome)")
    }
    return result
  }

  private func result(_ crashes: [Int]) -> RunResult {
    var scenario = Scenario(seed: seed, modes: [mode], transactions: 1)
    scenario.isCalm = true
    scenario.crashes = crashes
    scenario.extras = extras
    return Simulator.run(scenario)
  }
}
