// The rows of the bank's double-entry ledger.
//
// Amounts are integers in minor units of an ISO 4217 currency. A posting adds its signed amount to one
// account; the postings of an entry sum to zero in every currency, so money is moved, never made.

/// An account and its balance.
public struct Account: Sendable, Equatable {
  /// What an account is for.
  public enum Kind: String, Sendable {
    /// A customer's account.
    case customer
    /// A merchant's account.
    case merchant
    /// The bank's own: "cash", "tokens-outstanding", "locked", "fees".
    case system
  }

  /// Unique in the store.
  public var id: String
  /// What it is for.
  public var kind: Kind
  /// A name for people.
  public var name: String
  /// The only currency it holds, ISO 4217.
  public var currency: String
  /// The public key of its owner; at most one account has it.
  public var key: [UInt8]?
  /// Whether the balance may fall below zero.
  public var mayBeNegative: Bool
  /// The sum of its postings, in minor units.
  public var balance: Int64

  /// An account; a new one has balance 0.
  public init(
    id: String, kind: Kind, name: String, currency: String, key: [UInt8]? = nil,
    mayBeNegative: Bool = false, balance: Int64 = 0
  ) {
    self.id = id
    self.kind = kind
    self.name = name
    self.currency = currency
    self.key = key
    self.mayBeNegative = mayBeNegative
    self.balance = balance
  }
}

/// One signed amount on one account.
public struct Posting: Sendable, Equatable {
  /// The account's id.
  public var account: String
  /// What is added to its balance, in minor units; not zero.
  public var amount: Int64

  /// A posting.
  public init(account: String, amount: Int64) {
    self.account = account
    self.amount = amount
  }
}

/// A movement of money between accounts.
public struct LedgerEntry: Sendable, Equatable {
  /// What caused it (a message's hash, say); the same cause posts once.
  public var reference: [UInt8]
  /// The sort of movement, for statements.
  public var kind: String
  /// When.
  public var at: Int64
  /// What moves; an account may occur more than once, and only its final balance has to be allowed.
  public var postings: [Posting]

  /// An entry.
  public init(reference: [UInt8], kind: String, at: Int64, postings: [Posting]) {
    self.reference = reference
    self.kind = kind
    self.at = at
    self.postings = postings
  }
}

/// One line of an account's statement.
public struct StatementLine: Sendable, Equatable {
  /// Its place among all postings of the store, from 1.
  public var sequence: Int64
  /// The reference of its entry.
  public var reference: [UInt8]
  /// The kind of its entry.
  public var kind: String
  /// The time of its entry.
  public var at: Int64
  /// What was added to the account.
  public var amount: Int64
  /// The account's balance after this line.
  public var balance: Int64

  /// A line.
  public init(
    sequence: Int64, reference: [UInt8], kind: String, at: Int64, amount: Int64, balance: Int64
  ) {
    self.sequence = sequence
    self.reference = reference
    self.kind = kind
    self.at = at
    self.amount = amount
    self.balance = balance
  }
}

/// The sum over all accounts of a currency.
public struct LedgerTotal: Sendable, Equatable {
  /// ISO 4217.
  public var currency: String
  /// How many accounts hold it.
  public var accounts: Int
  /// The sum of their balances: 0 in a sound ledger.
  public var sum: Int64

  /// A total.
  public init(currency: String, accounts: Int, sum: Int64) {
    self.currency = currency
    self.accounts = accounts
    self.sum = sum
  }
}
