// What `acd-bench load` is told.

import Foundation

/// The command line after `load`.
struct LoadOptions {
  /// Timed purchases of each run; every wallet makes one more before, to open its connections.
  var purchases = 320
  /// How many customers buy at a time, run by run.
  var concurrency = [1, 8, 32]
  /// Where the parties keep their stores: on a disk, or durability costs nothing and nothing is measured.
  var directory = "/var/tmp"

  /// Nil when the words make no sense.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch (word, Int(value)) {
      case ("--purchases", let count?) where count > 0: purchases = count
      case ("--concurrency", let count?) where (1...1000).contains(count): concurrency = [count]
      case ("--dir", _): directory = value
      default: return nil
      }
    }
  }

  /// Wallets: each customer that buys at a time has its own. With fewer customers the same wallets take
  /// turns, so that a wallet holds equally many tokens in every run.
  var wallets: Int { concurrency.max()! }
  /// Purchases of each wallet in a run, the untimed first one included.
  var perWallet: Int { (purchases + wallets - 1) / wallets + 1 }
}
