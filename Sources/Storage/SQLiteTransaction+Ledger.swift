// The double-entry ledger in SQLite.
//
// Everything that could refuse an entry is looked at before the first row is written. Sums are made in 128
// bits, so no order of postings overflows on the way to a sum that fits.

internal import Foundation
internal import GRDB

// MARK: Accounts

extension SQLiteTransaction {
  private static let accountColumns = """
    SELECT id, kind, name, currency, key, may_be_negative, balance FROM accounts
    """

  private func account(_ row: Row) throws -> Account {
    guard let kind = Account.Kind(rawValue: row[1]) else {
      throw StorageError.corrupt(reason: "account of an unknown kind")
    }
    return Account(
      id: row[0], kind: kind, name: row[2], currency: row[3], key: try row.optionalBytes(4),
      mayBeNegative: row[5], balance: row[6])
  }

  func openAccount(_ account: Account) throws(StorageError) {
    try writing {
      guard account.balance == 0 else {
        throw StorageError.invalid("an account is opened with balance 0")
      }
      let added = try run(
        """
        INSERT INTO accounts (id, kind, name, currency, key, may_be_negative, balance)
        VALUES (?, ?, ?, ?, ?, ?, 0)
        ON CONFLICT DO NOTHING
        """,
        [
          account.id, account.kind.rawValue, account.name, account.currency,
          account.key.map(blob), account.mayBeNegative,
        ])
      if added == 1 { return }
      guard var known = try self.account(account.id) else { throw StorageError.conflict(.account) }
      known.balance = 0
      guard known == account else { throw StorageError.conflict(.account) }
    }
  }

  func account(_ id: String) throws(StorageError) -> Account? {
    try reading { try row("\(Self.accountColumns) WHERE id = ?", [id], account(_:)) }
  }

  func account(key: [UInt8]) throws(StorageError) -> Account? {
    try reading { try row("\(Self.accountColumns) WHERE key = ?", [blob(key)], account(_:)) }
  }

  func accounts() throws(StorageError) -> [Account] {
    try reading { try rows("\(Self.accountColumns) ORDER BY id", [], account(_:)) }
  }
}

// MARK: Entries

extension SQLiteTransaction {
  func post(_ entry: LedgerEntry) throws(StorageError) -> Bool {
    try writing {
      if let known = try posted(entry.reference) {
        guard known.kind == entry.kind, sorted(known.postings) == sorted(entry.postings) else {
          throw StorageError.conflict(.ledgerReference)
        }
        return false
      }
      let lines = try balances(after: entry)
      try run(
        "INSERT INTO ledger_entries (reference, kind, at) VALUES (?, ?, ?)",
        [blob(entry.reference), entry.kind, entry.at])
      let id = lastID
      for line in lines {
        try run(
          "INSERT INTO postings (entry, account, amount, balance) VALUES (?, ?, ?, ?)",
          [id, line.posting.account, line.posting.amount, line.balance])
      }
      let finals = Dictionary(lines.map { ($0.posting.account, $0.balance) }) { $1 }
      for (account, balance) in finals {
        try run("UPDATE accounts SET balance = ? WHERE id = ?", [balance, account])
      }
      return true
    }
  }

  /// The entry with this reference, as it was posted.
  private func posted(
    _ reference: [UInt8]
  ) throws -> (kind: String, postings: [Posting])? {
    let entry = try row(
      "SELECT id, kind FROM ledger_entries WHERE reference = ?", [blob(reference)]
    ) { (id: $0[0] as Int64, kind: $0[1] as String) }
    guard let entry else { return nil }
    let postings = try rows(
      "SELECT account, amount FROM postings WHERE entry = ? ORDER BY sequence", [entry.id]
    ) { Posting(account: $0[0], amount: $0[1]) }
    return (entry.kind, postings)
  }

  /// Each posting with the balance after it, or the reason why the entry is refused.
  private func balances(
    after entry: LedgerEntry
  ) throws -> [(posting: Posting, balance: Int64)] {
    guard !entry.postings.isEmpty else { throw StorageError.invalid("an entry has postings") }
    var touched: [String: (account: Account, balance: Int64)] = [:]
    var sums: [String: Int128] = [:]
    var lines: [(posting: Posting, balance: Int64)] = []
    for posting in entry.postings {
      guard posting.amount != 0 else { throw StorageError.invalid("a posting is not zero") }
      guard
        let current = try touched[posting.account]
          ?? account(posting.account).map({ ($0, $0.balance) })
      else { throw StorageError.unknownAccount(posting.account) }
      let (balance, overflow) = current.balance.addingReportingOverflow(posting.amount)
      guard !overflow else { throw StorageError.overflow(account: posting.account) }
      touched[posting.account] = (current.account, balance)
      sums[current.account.currency, default: 0] += Int128(posting.amount)
      lines.append((posting, balance))
    }
    if let unbalanced = sums.filter({ $0.value != 0 }).keys.min() {
      throw StorageError.unbalanced(currency: unbalanced)
    }
    for posting in entry.postings {
      guard let after = touched[posting.account] else { continue }
      guard after.balance >= 0 || after.account.mayBeNegative else {
        throw StorageError.insufficientFunds(account: posting.account)
      }
    }
    return lines
  }

  private func sorted(_ postings: [Posting]) -> [Posting] {
    postings.sorted { ($0.account, $0.amount) < ($1.account, $1.amount) }
  }

  func entries(
    account: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StatementLine] {
    try reading {
      try rows(
        """
        SELECT p.sequence, e.reference, e.kind, e.at, p.amount, p.balance
        FROM postings p JOIN ledger_entries e ON e.id = p.entry
        WHERE p.account = ? AND p.sequence > ? ORDER BY p.sequence LIMIT ?
        """, [account, sequence, max(0, limit)]
      ) { row in
        StatementLine(
          sequence: row[0], reference: try row.bytes(1), kind: row[2], at: row[3], amount: row[4],
          balance: row[5])
      }
    }
  }

  func ledgerTotals() throws(StorageError) -> [LedgerTotal] {
    try reading {
      let balances = try rows("SELECT currency, balance FROM accounts", []) {
        (currency: $0[0] as String, balance: $0[1] as Int64)
      }
      return try Dictionary(grouping: balances, by: \.currency).map { currency, accounts in
        let sum = accounts.reduce(Int128(0)) { $0 + Int128($1.balance) }
        guard let narrow = Int64(exactly: sum) else {
          throw StorageError.corrupt(reason: "the ledger's sum in \(currency) is out of range")
        }
        return LedgerTotal(currency: currency, accounts: accounts.count, sum: narrow)
      }.sorted { $0.currency < $1.currency }
    }
  }
}
