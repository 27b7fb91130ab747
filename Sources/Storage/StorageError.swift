// What can go wrong with a store, in two families that callers treat differently.
//
// A refusal (`conflict`, `insufficientFunds`, …) is decided before anything is written: the transaction is
// as it was before the call, and the body may catch the error and go on. A failure of the engine
// (`diskFull`, `engine`, …) spoils the transaction: every later call in it throws the same error, and it is
// rolled back whatever the body returns. PostgreSQL behaves so by itself; SQLite is made to.

/// An error of the Storage module.
public enum StorageError: Error, Equatable, Sendable {
  // MARK: Opening

  /// Another process (or another store in this one) has the store open; `path` is the lock file.
  case inUse(path: String)
  /// A newer version of the software has written the store; this one knows schemas up to `supported`.
  case newerSchema(found: Int, supported: Int)
  /// The file holds something else than a store.
  case notAStore(path: String)
  /// The file or its folder can't be opened or created.
  case cannotOpen(path: String, reason: String)

  // MARK: Engine failures

  /// Too many writes are waiting. Nothing was done; try again later.
  case overloaded
  /// The store, or the transaction, has been closed.
  case closed
  /// Something outside held the database locked for longer than the busy timeout. Nothing was done.
  case busy
  /// No space is left. The transaction was rolled back; what had been committed is safe.
  case diskFull
  /// The disk failed. In a write this ends the process: see `SQLiteStore.init`.
  case ioFailure(code: Int, reason: String)
  /// The file is damaged.
  case corrupt(reason: String)
  /// A constraint of the schema refused a row that the module let through, or a bug did.
  case constraint(reason: String)
  /// Any other failure of the engine, with its own code.
  case engine(code: Int, reason: String)

  // MARK: Refusals

  /// A change was tried in a read.
  case readOnly
  /// The row exists already and says something else.
  case conflict(Conflict)
  /// A record earlier than the last one was offered; milliseconds or seconds, as the caller counts.
  case timeWentBack(last: Int64, given: Int64)
  /// The account would fall below zero and may not.
  case insufficientFunds(account: String)
  /// The postings in this currency do not sum to zero.
  case unbalanced(currency: String)
  /// The account's balance, or the sum of the postings, would not fit in 64 bits.
  case overflow(account: String)
  /// No account has this id.
  case unknownAccount(String)
  /// No token has this id.
  case unknownToken
  /// The argument breaks a rule that the text names.
  case invalid(String)

  /// What a conflicting row was about.
  public enum Conflict: Equatable, Sendable {
    /// Another reply was already given to this request.
    case reply
    /// The account id or its key is taken.
    case account
    /// The ledger reference was used for other postings.
    case ledgerReference
    /// The token is known with another key, denomination, currency or value.
    case token
    /// The use is known with another amount, or has left that state for good.
    case tokenUse
    /// The lock has its outcome already.
    case lockDecided
    /// The merchant's transaction has its commit already.
    case committedTwice
  }
}
