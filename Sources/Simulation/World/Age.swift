// Time that passes after the end: lifetimes and tokens end, everybody lets go of what is over, and then all
// that was ever recorded comes once more.

import Messages
import Services

/// What happens long after a run's purchases.
final class Age {
  /// For how long tokens can be spent, from the beginning of a run.
  static let spendSeconds: UInt64 = 4_000

  private var seconds = 0

  /// Every second of a run; each party looks every ten seconds.
  func prune(_ world: World) {
    seconds += 1
    guard seconds % 10 == 0 else { return }
    for host in world.hosts { host.prune() }
  }

  /// Goes on until nothing is left that may go, with a look now and then, and has everything sent again.
  func pass(_ world: World) {
    let end = max(world.scheduler.now, Self.spendSeconds * 1000) + 900_000
    world.note(8, nil, nil, []) { "time passes" }
    let before = world.referee.standings.count
    run(world, until: end)
    guard world.result.violations.isEmpty else { return }
    world.note(8, nil, nil, []) { "of \(before) transactions \(world.referee.standings.count) are kept" }
    PruneWatch.checkGone(world.referee)
    for old in world.network.recorded { world.network.inject(old) }
    run(world, until: world.scheduler.now + 60_000)
  }

  private func run(_ world: World, until end: UInt64) {
    while world.result.violations.isEmpty, world.scheduler.now < end, world.scheduler.step() {}
  }
}
