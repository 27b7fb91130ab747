// The contract between the services and any storage engine: what can be done inside one transaction.
//
// Every method is synchronous and sees what earlier calls of the same transaction wrote. Times are whatever
// integer the caller counts in; the store only compares them. Bytes are kept verbatim. `limit` caps the
// rows returned (below 1: none); `after` continues behind the last row of the page before.

/// One transaction, valid only while the body it was handed to runs.
///
/// Every method throws an engine failure where the engine fails (which spoils the transaction), and
/// `.closed` once the body has returned; those that change something throw `.readOnly` in a read. The
/// refusals named below leave the transaction unchanged. See ``StorageError``.
public protocol StoreTransaction {
  // MARK: Meta

  /// The value set for `key`, if any.
  func meta(_ key: String) throws(StorageError) -> [UInt8]?
  /// Sets the value for `key`, replacing an earlier one.
  func setMeta(_ key: String, _ value: [UInt8]) throws(StorageError)

  // MARK: Machines

  /// The state row of one machine.
  func machine(kind: String, key: [UInt8]) throws(StorageError) -> MachineRow?
  /// Inserts or replaces the state row of a machine.
  func putMachine(_ row: MachineRow) throws(StorageError)
  /// Machines of a kind (and phase, unless nil), by key.
  func machines(
    kind: String, phase: Int?, after key: [UInt8]?, limit: Int
  ) throws(StorageError) -> [MachineRow]
  /// Machines whose `due` is `before` or earlier, the longest due first.
  func machinesDue(kind: String, before: Int64, limit: Int) throws(StorageError) -> [MachineRow]
  /// Forgets the state row; its messages stay. No error if there is none.
  func deleteMachine(kind: String, key: [UInt8]) throws(StorageError)

  // MARK: Message log

  /// Appends a message to a machine's log; bytes that this log already has under this label are not added
  /// again.
  /// - Returns: the sequence number of the new or the earlier entry.
  @discardableResult
  func append(
    kind: String, key: [UInt8], label: String, bytes: [UInt8]
  ) throws(StorageError) -> Int64
  /// All messages of a machine, oldest first.
  func messages(kind: String, key: [UInt8]) throws(StorageError) -> [StoredMessage]
  /// The latest message of a machine with this label.
  func message(kind: String, key: [UInt8], label: String) throws(StorageError) -> [UInt8]?
  /// Messages with this label of all machines of a kind, oldest first, behind `sequence` (0: from the
  /// first).
  func messages(
    kind: String, label: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StoredMessage]

  /// Removes all messages of a machine. Whoever calls this has made sure that nobody will need them.
  func deleteMessages(kind: String, key: [UInt8]) throws(StorageError)

  // MARK: Outbox

  /// Queues a body for delivery, due at once. While the same body for the same destination and path is
  /// pending, nothing is added.
  /// - Returns: the id of the new or the pending item.
  @discardableResult
  func enqueue(
    destination: String, path: String, body: [UInt8], at: Int64
  ) throws(StorageError) -> Int64
  /// Items whose next attempt is `at` or earlier, the longest due first.
  func outboxDue(at: Int64, limit: Int) throws(StorageError) -> [OutboxItem]
  /// Removes a delivered item. No error if it is gone: an id is never used twice.
  func outboxDone(_ id: Int64) throws(StorageError)
  /// Counts a failed attempt and sets the time of the next. No error if the item is gone.
  func outboxRetry(_ id: Int64, nextAttemptAt: Int64) throws(StorageError)
  /// How many items are pending.
  func outboxCount() throws(StorageError) -> Int
  /// The earliest next attempt of all pending items.
  func outboxNextDue() throws(StorageError) -> Int64?

  // MARK: Replies

  /// The reply already given to a request.
  func reply(_ requestHash: [UInt8]) throws(StorageError) -> [UInt8]?
  /// Remembers the reply to a request. The same bytes again change nothing.
  /// - Throws: `.conflict(.reply)` if another reply was given.
  func setReply(_ requestHash: [UInt8], _ bytes: [UInt8], at: Int64) throws(StorageError)
  /// Forgets replies given earlier than `before`.
  /// - Returns: how many.
  @discardableResult
  func pruneReplies(before: Int64) throws(StorageError) -> Int

  // MARK: Ledger

  /// Opens an account with balance 0. An equal one (whatever its balance now) changes nothing.
  /// - Throws: `.conflict(.account)` if the id or key is taken; `.invalid` for a balance other than 0.
  func openAccount(_ account: Account) throws(StorageError)
  /// The account with this id.
  func account(_ id: String) throws(StorageError) -> Account?
  /// The account that belongs to this public key.
  func account(key: [UInt8]) throws(StorageError) -> Account?
  /// All accounts, by id.
  func accounts() throws(StorageError) -> [Account]
  /// Posts an entry. The same reference with the same kind and postings changes nothing, so that a retry is
  /// harmless; the time of the first counts.
  /// - Returns: whether the entry is new.
  /// - Throws: `.unbalanced`, `.insufficientFunds`, `.overflow`, `.unknownAccount`, `.invalid` (no
  ///   postings, or one of zero), `.conflict(.ledgerReference)`.
  @discardableResult
  func post(_ entry: LedgerEntry) throws(StorageError) -> Bool
  /// An account's statement, oldest line first, behind the line with `sequence` (0: from the first).
  func entries(
    account: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StatementLine]
  /// For each currency, the sum over all accounts: 0, or the store is damaged.
  func ledgerTotals() throws(StorageError) -> [LedgerTotal]

  // MARK: Tokens

  /// The token with this id.
  func token(_ id: [UInt8]) throws(StorageError) -> TokenRow?
  /// Inserts a token, or updates its `spent` and `locked`.
  /// - Throws: `.invalid` unless the id has 32 bytes, no amount is negative and spent + locked <= value;
  ///   `.conflict(.token)` if key, key id, currency or value differ from what is stored.
  func putToken(_ row: TokenRow) throws(StorageError)
  /// The uses of a token, by lock.
  func tokenUses(token: [UInt8]) throws(StorageError) -> [TokenUse]
  /// The uses under a lock, by token.
  func tokenUses(lock: [UInt8]) throws(StorageError) -> [TokenUse]
  /// Inserts a use, or moves it from `locked` to `spent` or `released`; these two are final. Of a locked use
  /// less may be spent than was locked: the amount is then what was spent.
  /// - Throws: `.unknownToken`; `.invalid` for a negative amount; `.conflict(.tokenUse)` for another amount
  ///   (a greater one, where a locked use is spent) or a use that has left the state.
  func putTokenUse(_ use: TokenUse) throws(StorageError)

  // MARK: Archive records

  /// Appends an outcome to the public record. Sequence numbers count from 1 without gaps.
  /// - Returns: its sequence number.
  /// - Throws: `.timeWentBack`, `.conflict(.lockDecided)` (also for the very same record: ask
  ///   `record(lock:)` first), `.conflict(.committedTwice)`.
  @discardableResult
  func appendRecord(
    merchant: [UInt8], n: [UInt8], lock: [UInt8], kind: RecordRow.Kind, at: Int64, body: [UInt8]
  ) throws(StorageError) -> Int64
  /// The records of one merchant's transaction, oldest first.
  func records(merchant: [UInt8], n: [UInt8]) throws(StorageError) -> [RecordRow]
  /// The outcome of a lock.
  func record(lock: [UInt8]) throws(StorageError) -> RecordRow?
  /// Records behind `sequence` (0: from the first), oldest first.
  func records(after sequence: Int64, limit: Int) throws(StorageError) -> [RecordRow]
  /// The last record.
  func lastRecord() throws(StorageError) -> RecordRow?
  /// Empties the bodies of all records up to and with `sequence`. That there was an outcome of these locks
  /// stays known, and so does the one commit of each (M, n).
  func dropRecordBodies(through sequence: Int64) throws(StorageError)
}
