// What a bank's operator does at the books: open accounts, deposit, read statements, check that the books
// add up. Works on a bank that runs and on one that does not; the logic is in BankTasks.

public import Messages

/// A line of a statement, for people and JSON.
public struct StatementEntry: Codable, Equatable, Sendable {
  public var at: Timestamp
  public var kind: String
  public var amount: Int64
  public var balance: Int64
}

/// A bank's accounts in sum: what has to add up.
public struct BankTotals: Codable, Equatable, Sendable {
  public var currency: String
  /// All in minor units. `cash` is what came in from outside.
  public var cash: Int64
  public var accounts: Int64
  public var tokens: Int64
  public var locked: Int64
  public var fees: Int64
  /// What the bank owes other banks, less what they owe it.
  public var clearing: Int64
  /// accounts + tokens + locked + fees + clearing - cash: zero, or something is wrong.
  public var difference: Int64 { accounts + tokens + locked + fees + clearing - cash }
}

/// The books of a bank. If it runs, it is asked over its control socket; otherwise its store is opened at
/// the first call, until `close`. All calls throw `ServiceError`.
public final class BankOperation: Sendable {
  let link: OperatorLink<BankDesk>
  let directory: DataDirectory

  /// The bank in this directory.
  public init(_ directory: DataDirectory) throws {
    self.directory = directory
    link = try OperatorLink(directory)
  }

  /// Lets the store go.
  public func close() async throws { try await link.close() }

  /// Opens an account for a public key.
  public func open(_ name: String, key: PublicKey, merchant: Bool) async throws {
    _ = try await link.carryOut(OpenAccount(account: name, key: key.description, isMerchant: merchant))
  }

  /// Money comes in from outside. The same reference again is no second deposit.
  /// - Returns: the account's balance.
  @discardableResult
  public func deposit(_ name: String, _ amount: Money, reference: String) async throws -> Money {
    let balance = try await link.carryOut(
      DepositCash(account: name, amount: amount.description, reference: reference))
    return try Self.money(balance)
  }

  /// An account's movements, the oldest first.
  public func statement(_ name: String) async throws -> (balance: Money, lines: [StatementEntry]) {
    var lines: [StatementEntry] = []
    var after: Int64 = 0
    while true {
      let page = try await link.carryOut(StatementPage(account: name, after: after))
      lines += page.lines
      guard let next = page.next else { return (try Self.money(page.balance), lines) }
      after = next
    }
  }

  /// The sums of the books.
  public func totals() async throws -> BankTotals { try await link.carryOut(Totals()) }

  /// Faults in the store; empty when all is well.
  public func check() async throws -> [String] { try await link.carryOut(CheckStore()) }

  private static func money(_ text: String) throws -> Money {
    guard let money = Money(text) else { throw ServiceError.protocolViolation("\(text) is no balance") }
    return money
  }
}
