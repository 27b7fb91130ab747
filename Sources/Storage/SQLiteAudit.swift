// What `check()` looks at: the file's structure, references between rows, and the ledger's arithmetic.

internal import GRDB

enum SQLiteAudit {
  /// One line for each fault.
  static func faults(_ db: Database) throws -> [String] {
    var faults = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
    faults += try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { row in
      "a row of \(row[0] as String) refers to a missing row of \(row[2] as String)"
    }
    for (sql, text) in rules {
      faults += try String.fetchAll(db, sql: sql).map { "\(text): \($0)" }
    }
    return faults
  }

  // The sums are running balances in posting order, which the ledger kept within 64 bits.
  private static let rules: [(sql: String, text: String)] = [
    (
      """
      SELECT a.id FROM accounts a
      WHERE a.balance <> (SELECT coalesce(sum(p.amount), 0) FROM postings p WHERE p.account = a.id)
      """, "the balance is not the sum of the account's postings"
    ),
    (
      """
      SELECT DISTINCT p.account FROM postings p
      WHERE p.balance - p.amount <> coalesce(
        (SELECT q.balance FROM postings q WHERE q.account = p.account AND q.sequence < p.sequence
         ORDER BY q.sequence DESC LIMIT 1), 0)
      """, "the statement's running balance is broken"
    ),
    (
      """
      SELECT DISTINCT lower(hex(e.reference)) FROM ledger_entries e
      JOIN postings p ON p.entry = e.id JOIN accounts a ON a.id = p.account
      GROUP BY e.id, a.currency HAVING sum(p.amount) <> 0
      """, "the postings of the entry do not sum to zero"
    ),
    (
      """
      SELECT r.sequence FROM records r JOIN records s ON s.sequence = r.sequence - 1
      WHERE s.at > r.at
      """, "the record is earlier than the one before it"
    ),
  ]
}
