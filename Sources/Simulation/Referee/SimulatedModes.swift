// The protocols that the simulator knows, and their types by number.

import Messages
import Parties

/// What customers buy by in a run.
enum SimulatedModes {
  /// Those in which M offers under a contract and C's own lock is paid.
  static let contracts: [any ContractMode.Type] = [
    CoreMode.self, JointMode.self, EarlyMode.self, RepeatedMode.self,
  ]
  /// Those in which tokens authorise a payment.
  static let tokens: [any TokenMode.Type] = contracts.map { $0 as any TokenMode.Type } + [CompactMode.self]
  /// All that customers buy by.
  static let all: [Mode] = tokens.map { $0.mode } + [.announced] + Mode.invoices

  static func contract(_ mode: Mode) -> (any ContractMode.Type)? { contracts.first { $0.mode == mode } }
  static func token(_ mode: Mode) -> (any TokenMode.Type)? { tokens.first { $0.mode == mode } }
}
