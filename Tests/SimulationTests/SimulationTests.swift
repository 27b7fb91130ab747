// Slices of the simulation: what must hold in every run, and that runs can be repeated to the bit.

import Foundation
import Messages
import Simulation
import Testing

/// Runs on a thread of its own: a run is long and waits for nobody, and the tasks' few threads are
/// everybody's.
private func apart<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { done in Thread.detachNewThread { done.resume(returning: body()) } }
}

func run(_ scenario: Scenario) async -> RunResult { await apart { Simulator.run(scenario) } }

@Suite("Simulation")
struct SimulationTests {
  @Test("Honest parties keep every invariant under faults", arguments: [UInt64](1...8))
  func honest(seed: UInt64) async {
    let result = await run(Scenario(seed: seed, modes: Simulator.modes, transactions: 15))
    #expect(result.violations == [], "seed \(seed): \(result.trace.suffix(20).joined(separator: "\n"))")
  }

  @Test(
    "Whoever lies, honest parties keep every invariant, and the judge is right",
    arguments: 0..<4)
  func liars(number: Int) async {
    let result = await run(
      Scenario(
        seed: UInt64(100 + number), modes: Simulator.modes, transactions: 5, liars: Coalition.all[number]))
    #expect(
      result.violations == [],
      "\(Coalition.all[number]), seed \(100 + number): \(result.trace.suffix(20).joined(separator: "\n"))")
  }

  @Test("The same seed is the same run, and another seed another one")
  func repeatable() async {
    let first = await run(Scenario(seed: 7, modes: Simulator.modes, transactions: 9))
    let again = await run(Scenario(seed: 7, modes: Simulator.modes, transactions: 9))
    let other = await run(Scenario(seed: 8, modes: Simulator.modes, transactions: 9))
    #expect(first.traceHash == again.traceHash)
    #expect(first.outcome == again.outcome && first.boundaries == again.boundaries)
    #expect(first.traceHash != other.traceHash)
  }

  @Test("Without faults every purchase that is begun is delivered", arguments: Simulator.modes)
  func calm(mode: Mode) async {
    var scenario = Scenario(seed: 3, modes: [mode], transactions: 6)
    scenario.isCalm = true
    let result = await run(scenario)
    #expect(result.violations == [])
    #expect(result.faults == [:])
    #expect(result.transactions == 6)
    #expect(result.committed + result.aborted + result.unpaid == 6)
    #expect(result.committed >= 4)
  }

  @Test("A stop at any write or send of a purchase changes nothing about its end", arguments: Simulator.modes)
  func crashes(mode: Mode) async {
    let findings = await apart { CrashEverywhere(mode: mode, seed: 1).run(times: 1) }
    #expect(findings.boundaries > 20)
    #expect(findings.failures == [])
  }

  /// Those whose wallet waits for a lock: in an invoice nothing is open that a second stop could change.
  private static let stoppedTwice = Simulator.modes.filter { !Mode.invoices.contains($0) }

  @Test("Nor do two stops", arguments: Self.stoppedTwice)
  func crashesTwice(mode: Mode) async {
    let findings = await apart { CrashEverywhere(mode: mode, seed: 2).run(times: 2, every: 197) }
    #expect(findings.failures == [])
  }

  @Test("A payment that comes in the last moment is locked by the clock at which the bank decided")
  func lastMoment() async {
    var scenario = Scenario(seed: 5, modes: [.core], transactions: 18)
    scenario.extras = [.names]
    #expect(await run(scenario).violations == [])
  }

  @Test("What a customer who was put back lets go of is another purchase than the one of that number before")
  func numberedAgain() async {
    let scenario = Scenario(
      seed: 92, modes: Simulator.modes, transactions: 12, liars: Coalition(letters: "CA")!)
    #expect(await run(scenario).violations == [])
  }

  @Test("A wallet that was put back comes back whatever merchants answer, and pays for nothing twice")
  func putBack() async {
    var scenario = Scenario(
      seed: 4, modes: Simulator.modes, transactions: 18, liars: Coalition(letters: "CM")!)
    scenario.extras = [.refunds]
    #expect(await run(scenario).violations == [])
    let other = Scenario(seed: 108, modes: Simulator.modes, transactions: 12, liars: Coalition(letters: "C")!)
    #expect(await run(other).violations == [])
  }

  // MARK: Beside purchases

  private static let wholes: [(extras: Set<Extra>, liars: String)] = [
    ([.refunds], "none"), ([.banks, .refunds], "none"), ([.names, .refunds], "none"),
    ([.pruning, .refunds], "none"), ([.refunds], "CM"), ([.refunds, .banks], "B"), ([.banks], "B"),
    ([.names, .pruning], "C"),
  ]

  @Test("Refunds, two banks, names and pruning keep every invariant", arguments: wholes.indices)
  func beside(number: Int) async {
    let (extras, liars) = Self.wholes[number]
    var scenario = Scenario(
      seed: 300 + UInt64(number), modes: Simulator.modes, transactions: 9, liars: Coalition(letters: liars)!)
    scenario.extras = extras
    let result = await run(scenario)
    #expect(
      result.violations == [],
      "\(extras), seed \(scenario.seed): \(result.trace.suffix(20).joined(separator: "\n"))")
    #expect(!extras.contains(.refunds) || result.refundsAsked > 0)
  }

  @Test("The same seed is the same run with all of them")
  func repeatableBeside() async {
    var scenario = Scenario(seed: 7, modes: Simulator.modes, transactions: 6)
    scenario.extras = Set(Extra.allCases)
    let (first, again) = (await run(scenario), await run(scenario))
    #expect(first.traceHash == again.traceHash && first.outcome == again.outcome)
    scenario.extras = []
    #expect(await run(scenario).traceHash != first.traceHash)
  }

  @Test("A stop anywhere changes nothing about the end of a refund, or of a transfer between banks")
  func crashesBeside() async {
    for extras in [[.refunds], [.banks]] as [Set<Extra>] {
      let findings = await apart { CrashEverywhere(mode: .core, seed: 1, extras: extras).run(times: 1) }
      #expect(findings.boundaries > 20)
      #expect(findings.failures == [])
    }
  }
}
