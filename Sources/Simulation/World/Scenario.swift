// What to run, and what came of it.

public import Messages

/// Who lies in a run: none, one role, or a coalition.
public struct Coalition: Hashable, Sendable, CustomStringConvertible {
  /// The roles that lie: customer (.pseudonym), merchant, bank, archive.
  public let roles: Set<Role>

  public init(_ roles: Set<Role>) { self.roles = roles }

  /// Nobody lies.
  public static let none = Coalition([])
  /// Everybody alone, and the coalitions that the patent discusses.
  public static let all = ["C", "M", "B", "A", "CM", "MA", "BA", "MB", "CA", "CB", "CMA", "MBA"].map {
    Coalition(letters: $0)!
  }

  /// "C+M", "BA", …; "none".
  public init?(letters: String) {
    var roles: Set<Role> = []
    if letters.lowercased() != "none" {
      for letter in letters.uppercased() where letter != "+" {
        switch letter {
        case "C": roles.insert(.pseudonym)
        case "M": roles.insert(.merchant)
        case "B": roles.insert(.bank)
        case "A": roles.insert(.archive)
        default: return nil
        }
      }
    }
    self.roles = roles
  }

  public var description: String {
    let letters: [(Role, String)] = [(.pseudonym, "C"), (.merchant, "M"), (.bank, "B"), (.archive, "A")]
    let present = letters.filter { roles.contains($0.0) }.map(\.1)
    return present.isEmpty ? "none" : present.joined(separator: "+")
  }
}

/// What a run has beside purchases, one after the other.
public enum Extra: String, CaseIterable, Codable, Sendable {
  /// Customers want money back.
  case refunds
  /// A second bank: one merchant has its account there, and customers pay from both.
  case banks
  /// Customers who use the account's key, a pseudonym that they keep, or one key for several tokens.
  case names
  /// Everybody lets go of what is over, soon; and long after the end everything comes once more.
  case pruning
}

/// One run: everything in it follows from this.
public struct Scenario: Sendable {
  public var seed: UInt64
  /// Purchases run by these protocols.
  public var modes: [Mode]
  /// How many purchases are begun.
  public var transactions: Int
  /// Who lies.
  public var liars: Coalition
  /// No random faults: only what `crashes` says.
  public var isCalm = false
  /// Stop whoever reaches these boundaries, counted from the first purchase on.
  public var crashes: [Int] = []
  /// Keep the trace's text.
  public var keepsTrace = false
  /// What there is beside purchases; nil: the seed says so.
  public var extras: Set<Extra>?

  public init(seed: UInt64, modes: [Mode], transactions: Int, liars: Coalition = .none) {
    (self.seed, self.modes, self.transactions, self.liars) = (seed, modes, transactions, liars)
  }
}

/// A broken invariant.
public struct Violation: Codable, Equatable, Sendable {
  /// Its number in protocols.md section 15.
  public let invariant: Int
  public let text: String
  /// Virtual milliseconds since the run began.
  public let at: UInt64
}

/// What came of a run.
public struct RunResult: Codable, Sendable {
  public var seed: UInt64
  public var transactions = 0
  public var committed = 0
  public var aborted = 0
  /// Ended before a payment, or refused.
  public var unpaid = 0
  /// Refunds that were done, and those that were asked for in all.
  public var refunded = 0
  public var refundsAsked = 0
  /// Judgments asked for, and convictions in them.
  public var judged = 0
  public var convicted = 0
  public var faults: [String: Int] = [:]
  public var violations: [Violation] = []
  /// SHA-256 over everything that happened, hexadecimal.
  public var traceHash = ""
  /// The end of the run in short: the same whatever order things happened in.
  public var outcome: [String] = []
  public var events = 0
  /// Writes and sends where somebody could have stopped.
  public var boundaries = 0
  public var virtualSeconds: UInt64 = 0
  /// The last lines of what happened, if the trace was kept or an invariant broke.
  public var trace: [String] = []

  init(seed: UInt64) { self.seed = seed }

  /// The process ended in the middle of this run: one of our own checks failed, or worse.
  public static func died(seed: UInt64) -> RunResult {
    var result = RunResult(seed: seed)
    result.violations = [Violation(invariant: 8, text: "the process died in the middle of the run", at: 0)]
    return result
  }
}
