// Slices of the simulation: what must hold in every run, and that runs can be repeated to the bit.

import Messages
import Simulation
import Testing

@Suite("Simulation")
struct SimulationTests {
  @Test("Honest parties keep every invariant under faults", arguments: [UInt64](1...8))
  func honest(seed: UInt64) {
    let result = Simulator.run(Scenario(seed: seed, modes: Simulator.modes, transactions: 15))
    #expect(result.violations == [], "seed \(seed): \(result.trace.suffix(20).joined(separator: "\n"))")
  }

  @Test("The same seed is the same run, and another seed another one")
  func repeatable() {
    let first = Simulator.run(Scenario(seed: 7, modes: Simulator.modes, transactions: 9))
    let again = Simulator.run(Scenario(seed: 7, modes: Simulator.modes, transactions: 9))
    let other = Simulator.run(Scenario(seed: 8, modes: Simulator.modes, transactions: 9))
    #expect(first.traceHash == again.traceHash)
    #expect(first.outcome == again.outcome && first.boundaries == again.boundaries)
    #expect(first.traceHash != other.traceHash)
  }

  @Test("Without faults every purchase that is begun is delivered", arguments: Simulator.modes)
  func calm(mode: Mode) {
    var scenario = Scenario(seed: 3, modes: [mode], transactions: 6)
    scenario.isCalm = true
    let result = Simulator.run(scenario)
    #expect(result.violations == [])
    #expect(result.faults == [:])
    #expect(result.transactions == 6)
    #expect(result.committed + result.aborted + result.unpaid == 6)
    #expect(result.committed >= 4)
  }

  @Test("A stop at any write or send of a purchase changes nothing about its end", arguments: Simulator.modes)
  func crashes(mode: Mode) {
    let findings = CrashEverywhere(mode: mode, seed: 1).run(times: 1)
    #expect(findings.boundaries > 20)
    #expect(findings.failures == [])
  }
}
