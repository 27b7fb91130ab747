// Every table of the SQLite engine, and how an older file is brought up to date.
//
// Tables are narrow, bytes that are long live in rowid tables of their own (`messages`, `outbox`,
// `replies`, `records`), and small rows with a natural key are stored in its order (WITHOUT ROWID). Types
// are strict; everything here has a plain counterpart in PostgreSQL (BIGINT, TEXT, BYTEA, partial indexes,
// identity columns). A migration that was ever released is never edited: append another.
// `user_version` holds the number of the last migration, `application_id` says that the file is ours.

internal import GRDB

/// The schema's versions.
enum Schema {
  /// "ACDs", in the header of every file of ours.
  static let applicationID: Int64 = 0x4143_4473

  /// The newest version that this software knows.
  static var version: Int { migrations.count }

  /// What turns version i into version i + 1.
  static let migrations = [version1]

  /// A migrator that applies what a file lacks, each migration in a transaction of its own.
  static func migrator() -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for (index, sql) in migrations.enumerated() {
      migrator.registerMigration("v\(index + 1)") { db in
        try db.execute(sql: sql)
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(index + 1)")
      }
    }
    return migrator
  }

  private static let version1 = """
    CREATE TABLE meta (
      key   TEXT NOT NULL PRIMARY KEY,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- The state of every protocol machine.
    CREATE TABLE machines (
      kind  TEXT    NOT NULL,
      key   BLOB    NOT NULL,
      phase INTEGER NOT NULL,
      due   INTEGER,
      data  BLOB    NOT NULL,
      PRIMARY KEY (kind, key)
    ) STRICT;
    CREATE INDEX machines_phase ON machines (kind, phase, key);
    CREATE INDEX machines_due ON machines (kind, due, key) WHERE due IS NOT NULL;

    -- Signed messages, verbatim; rows are only added, until their machine is pruned.
    CREATE TABLE messages (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      kind     TEXT NOT NULL,
      key      BLOB NOT NULL,
      label    TEXT NOT NULL,
      bytes    BLOB NOT NULL
    ) STRICT;
    CREATE INDEX messages_machine ON messages (kind, key, label, sequence);
    CREATE INDEX messages_label ON messages (kind, label, sequence);

    -- What waits for delivery. body_hash only narrows the search for an equal body.
    CREATE TABLE outbox (
      id              INTEGER PRIMARY KEY AUTOINCREMENT,
      destination     TEXT    NOT NULL,
      path            TEXT    NOT NULL,
      body_hash       INTEGER NOT NULL,
      body            BLOB    NOT NULL,
      attempts        INTEGER NOT NULL DEFAULT 0,
      next_attempt_at INTEGER NOT NULL,
      created_at      INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX outbox_due ON outbox (next_attempt_at, id);
    CREATE INDEX outbox_same ON outbox (destination, path, body_hash);

    -- What was answered, so that a repeated request gets the same answer.
    CREATE TABLE replies (
      request_hash BLOB    NOT NULL PRIMARY KEY,
      bytes        BLOB    NOT NULL,
      at           INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX replies_at ON replies (at);

    -- The ledger. balance is the sum of the account's postings.
    CREATE TABLE accounts (
      id              TEXT    NOT NULL PRIMARY KEY,
      kind            TEXT    NOT NULL CHECK (kind IN ('customer', 'merchant', 'system')),
      name            TEXT    NOT NULL,
      currency        TEXT    NOT NULL,
      key             BLOB,
      may_be_negative INTEGER NOT NULL CHECK (may_be_negative IN (0, 1)),
      balance         INTEGER NOT NULL DEFAULT 0,
      CHECK (balance >= 0 OR may_be_negative = 1)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX accounts_key ON accounts (key) WHERE key IS NOT NULL;

    CREATE TABLE ledger_entries (
      id        INTEGER PRIMARY KEY AUTOINCREMENT,
      reference BLOB    NOT NULL UNIQUE,
      kind      TEXT    NOT NULL,
      at        INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE postings (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      entry    INTEGER NOT NULL REFERENCES ledger_entries (id),
      account  TEXT    NOT NULL REFERENCES accounts (id),
      amount   INTEGER NOT NULL CHECK (amount <> 0),
      balance  INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX postings_account ON postings (account, sequence);
    CREATE INDEX postings_entry ON postings (entry, sequence);

    -- Tokens at the bank.
    CREATE TABLE tokens (
      id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
      key      BLOB    NOT NULL,
      key_id   BLOB    NOT NULL,
      currency TEXT    NOT NULL,
      value    INTEGER NOT NULL CHECK (value >= 0),
      spent    INTEGER NOT NULL CHECK (spent >= 0),
      locked   INTEGER NOT NULL CHECK (locked >= 0),
      CHECK (spent <= value AND locked <= value - spent)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE token_uses (
      token   BLOB    NOT NULL REFERENCES tokens (id),
      lock    BLOB    NOT NULL,
      amount  INTEGER NOT NULL CHECK (amount >= 0),
      state   INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
      message BLOB    NOT NULL,
      PRIMARY KEY (token, lock)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX token_uses_lock ON token_uses (lock, token);

    -- The archive's record: one outcome per lock, one commit per (merchant, n).
    CREATE TABLE records (
      sequence INTEGER PRIMARY KEY,
      merchant BLOB    NOT NULL,
      n        BLOB    NOT NULL,
      lock     BLOB    NOT NULL UNIQUE,
      kind     INTEGER NOT NULL CHECK (kind IN (1, 2)),
      at       INTEGER NOT NULL,
      body     BLOB    NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX records_one_commit ON records (merchant, n) WHERE kind = 1;
    CREATE INDEX records_transaction ON records (merchant, n, sequence);
    """
}
