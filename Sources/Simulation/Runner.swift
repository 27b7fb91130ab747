// Runs scenarios one after the other, and adds up what came of them.

import Foundation
public import Messages

/// Runs.
public enum Simulator {
  /// The modes that a customer can buy by.
  public static let modes: [Mode] = SimulatedModes.all

  /// Runs one scenario to its end, on this thread.
  public static func run(_ scenario: Scenario) -> RunResult {
    let result = runOnce(scenario)
    guard !result.violations.isEmpty, !scenario.keepsTrace else { return result }
    // The same once more, for people to read.
    var again = scenario
    again.keepsTrace = true
    var told = runOnce(again)
    told.trace = Array(told.trace.suffix(60))
    return told
  }

  private static func runOnce(_ scenario: Scenario) -> RunResult {
    let folder = Wares.root + "/\(scenario.seed)-\(counter.next())"
    return World(scenario, folder: folder).run()
  }

  /// Removes what runs of this process left on the disk.
  public static func cleanUp() { Wares.clean() }

  /// Removes what a process left that was stopped.
  public static func cleanUp(process: Int32) { Wares.clean(process: process) }

  private static let counter = Counter()
}

/// Numbers for folders.
private final class Counter: @unchecked Sendable {  // every access is under the lock
  private let lock = NSLock()
  private var value = 0

  func next() -> Int {
    lock.lock()
    defer { lock.unlock() }
    value += 1
    return value
  }
}
