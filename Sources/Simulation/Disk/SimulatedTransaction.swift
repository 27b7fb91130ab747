// One transaction of a simulated store: the contract of `StoreTransaction`, with the refusals of the SQLite
// engine, on an image in memory.

import Messages
import Storage

/// Not Sendable: it lives for the time of one body.
final class SimulatedTransaction: StoreTransaction {
  private let image: StoreImage
  private let writable: Bool
  private var ended = false
  /// What it changed, in order.
  private(set) var mutations: [Mutation] = []

  init(_ image: StoreImage, writable: Bool) {
    (self.image, self.writable) = (image, writable)
    if writable { image.begin() }
  }

  /// Makes every later call throw `.closed`.
  func end() { ended = true }

  func rollBack() {
    end()
    if writable { image.rollBack() }
  }

  private func reading() throws(StorageError) -> StoreImage {
    if ended { throw .closed }
    return image
  }

  private func change(_ mutation: Mutation) {
    image.apply(mutation)
    mutations.append(mutation)
  }

  private func writing() throws(StorageError) -> StoreImage {
    guard writable || ended else { throw .readOnly }
    return try reading()
  }

  private func page<T>(_ limit: Int, _ rows: some Sequence<T>) -> [T] { Array(rows.prefix(max(0, limit))) }

  // MARK: Meta

  func meta(_ key: String) throws(StorageError) -> [UInt8]? { try reading().meta[key] }

  func setMeta(_ key: String, _ value: [UInt8]) throws(StorageError) {
    _ = try writing()
    change(.meta(key, value))
  }

  // MARK: Machines

  func machine(kind: String, key: [UInt8]) throws(StorageError) -> MachineRow? {
    try reading().machines[PairKey(kind, key)]
  }

  func putMachine(_ row: MachineRow) throws(StorageError) {
    _ = try writing()
    change(.machine(row))
  }

  func machines(
    kind: String, phase: Int?, after key: [UInt8]?, limit: Int
  ) throws(StorageError) -> [MachineRow] {
    page(
      limit,
      try reading().machines(kind).filter { row in
        (phase == nil || row.phase == phase) && (key == nil || key!.lexicographicallyPrecedes(row.key))
      })
  }

  func machinesDue(kind: String, before: Int64, limit: Int) throws(StorageError) -> [MachineRow] {
    let due = try reading().machines(kind).filter { $0.due.map { $0 <= before } ?? false }
    return page(
      limit,
      due.sorted { a, b in
        a.due! != b.due! ? a.due! < b.due! : a.key.lexicographicallyPrecedes(b.key)
      })
  }

  func deleteMachine(kind: String, key: [UInt8]) throws(StorageError) {
    guard try writing().machines[PairKey(kind, key)] != nil else { return }
    change(.forget(kind: kind, key: key))
  }

  // MARK: Message log

  func append(kind: String, key: [UInt8], label: String, bytes: [UInt8]) throws(StorageError) -> Int64 {
    let known = try writing().log(kind, key).first { $0.label == label && $0.bytes == bytes }
    if let known { return known.sequence }
    change(.message(kind: kind, key: key, label: label, bytes: bytes))
    return Int64(image.messages.count)
  }

  func deleteMessages(kind: String, key: [UInt8]) throws(StorageError) {
    _ = try writing()
    change(.erase(kind: kind, key: key))
  }

  func messages(kind: String, key: [UInt8]) throws(StorageError) -> [StoredMessage] {
    try reading().log(kind, key)
  }

  func message(kind: String, key: [UInt8], label: String) throws(StorageError) -> [UInt8]? {
    try reading().log(kind, key).last { $0.label == label }?.bytes
  }

  func messages(
    kind: String, label: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StoredMessage] {
    let image = try reading()
    let found = (image.messagesLabelled[PairKey("\(kind)/\(label)", [])] ?? []).lazy.map {
      image.messages[$0]
    }
    return page(limit, found.filter { $0.kind == kind && $0.entry.sequence > sequence }.map(\.entry))
  }

  // MARK: Outbox

  func enqueue(
    destination: String, path: String, body: [UInt8], at: Int64
  ) throws(StorageError) -> Int64 {
    let pending = try writing().outbox.first {
      $0.destination == destination && $0.path == path && $0.body == body
    }
    if let pending { return pending.id }
    change(.enqueue(destination: destination, path: path, body: body, at: at))
    return image.outbox.last!.id
  }

  func outboxDue(at: Int64, limit: Int) throws(StorageError) -> [OutboxItem] {
    page(
      limit,
      try reading().outbox.filter { $0.nextAttemptAt <= at }.sorted {
        ($0.nextAttemptAt, $0.id) < ($1.nextAttemptAt, $1.id)
      })
  }

  func outboxDone(_ id: Int64) throws(StorageError) {
    guard try writing().outbox.contains(where: { $0.id == id }) else { return }
    change(.done(id))
  }

  func outboxRetry(_ id: Int64, nextAttemptAt: Int64) throws(StorageError) {
    guard try writing().outbox.contains(where: { $0.id == id }) else { return }
    change(.retry(id, nextAttemptAt))
  }

  func outboxCount() throws(StorageError) -> Int { try reading().outbox.count }

  func outboxNextDue() throws(StorageError) -> Int64? { try reading().nextDelivery }

  // MARK: Replies

  func reply(_ requestHash: [UInt8]) throws(StorageError) -> [UInt8]? {
    try reading().replies[requestHash]?.bytes
  }

  func setReply(_ requestHash: [UInt8], _ bytes: [UInt8], at: Int64) throws(StorageError) {
    if let known = try writing().replies[requestHash] {
      guard known.bytes == bytes else { throw .conflict(.reply) }
      return
    }
    change(.reply(requestHash, bytes, at: at))
  }

  func pruneReplies(before: Int64) throws(StorageError) -> Int {
    let count = try writing().replies.values.count { $0.at < before }
    if count > 0 { change(.prune(before)) }
    return count
  }

  // MARK: Tokens

  func token(_ id: [UInt8]) throws(StorageError) -> TokenRow? { try reading().tokens[id] }

  func putToken(_ row: TokenRow) throws(StorageError) {
    let known = try writing().tokens[row.id]
    guard row.id.count == 32 else { throw .invalid("a token's id has 32 bytes") }
    guard row.value >= 0, row.spent >= 0, row.locked >= 0 else {
      throw .invalid("a token's amounts are not negative")
    }
    guard row.spent <= row.value, row.locked <= row.value - row.spent else {
      throw .invalid("a token's spent and locked parts exceed its value")
    }
    if let known {
      guard known.key == row.key, known.keyID == row.keyID, known.currency == row.currency,
        known.value == row.value
      else { throw .conflict(.token) }
    }
    change(.token(row))
  }

  func tokenUses(token: [UInt8]) throws(StorageError) -> [TokenUse] {
    try reading().usesOfToken[token] ?? []
  }

  func tokenUses(lock: [UInt8]) throws(StorageError) -> [TokenUse] { try reading().usesOfLock[lock] ?? [] }

  func putTokenUse(_ use: TokenUse) throws(StorageError) {
    let image = try writing()
    guard use.amount >= 0 else { throw .invalid("a token use's amount is not negative") }
    guard image.tokens[use.token] != nil else { throw .unknownToken }
    if let known = image.usesOfToken[use.token]?.first(where: { $0.lock == use.lock }) {
      let isLess = known.state == .locked && use.state == .spent && use.amount < known.amount
      guard known.amount == use.amount || isLess, known.state == .locked || known.state == use.state else {
        throw .conflict(.tokenUse)
      }
    }
    change(.use(use))
  }

  // MARK: Archive records

  func appendRecord(
    merchant: [UInt8], n: [UInt8], lock: [UInt8], kind: RecordRow.Kind, at: Int64, body: [UInt8]
  ) throws(StorageError) -> Int64 {
    let image = try writing()
    if let last = image.records.last, at < last.at { throw .timeWentBack(last: last.at, given: at) }
    guard image.recordOf[lock] == nil else { throw .conflict(.lockDecided) }
    let others = (image.recordsOf[merchant + n] ?? []).map { image.records[$0] }
    guard kind == .abort || !others.contains(where: { $0.kind == .commit && $0.merchant == merchant }) else {
      throw .conflict(.committedTwice)
    }
    let sequence = Int64(image.records.count + 1)
    change(
      .record(
        RecordRow(sequence: sequence, merchant: merchant, n: n, lock: lock, kind: kind, at: at, body: body)))
    return sequence
  }

  func records(merchant: [UInt8], n: [UInt8]) throws(StorageError) -> [RecordRow] {
    let image = try reading()
    return (image.recordsOf[merchant + n] ?? []).map { image.records[$0] }.filter { $0.merchant == merchant }
  }

  func record(lock: [UInt8]) throws(StorageError) -> RecordRow? {
    let image = try reading()
    return image.recordOf[lock].map { image.records[$0] }
  }

  func records(after sequence: Int64, limit: Int) throws(StorageError) -> [RecordRow] {
    page(limit, try reading().records.dropFirst(max(0, Int(sequence))))
  }

  func dropRecordBodies(through sequence: Int64) throws(StorageError) {
    _ = try writing()
    change(.dropBodies(sequence))
  }

  func lastRecord() throws(StorageError) -> RecordRow? { try reading().records.last }
}

// MARK: Ledger

extension SimulatedTransaction {
  func openAccount(_ account: Account) throws(StorageError) {
    let image = try writing()
    guard account.balance == 0 else { throw .invalid("an account is opened with balance 0") }
    if var known = image.accounts[account.id] {
      known.balance = 0
      guard known == account else { throw .conflict(.account) }
      return
    }
    if let key = account.key, image.accountOf[key] != nil { throw .conflict(.account) }
    change(.account(account))
  }

  func account(_ id: String) throws(StorageError) -> Account? { try reading().accounts[id] }

  func account(key: [UInt8]) throws(StorageError) -> Account? {
    let image = try reading()
    return image.accountOf[key].flatMap { image.accounts[$0] }
  }

  func accounts() throws(StorageError) -> [Account] {
    let image = try reading()
    return image.accountOrder.map { image.accounts[$0]! }
  }

  func post(_ entry: LedgerEntry) throws(StorageError) -> Bool {
    let image = try writing()
    if let known = image.entryOf[entry.reference].map({ image.entries[$0] }) {
      guard known.kind == entry.kind, Self.sorted(known.postings) == Self.sorted(entry.postings) else {
        throw .conflict(.ledgerReference)
      }
      return false
    }
    guard !entry.postings.isEmpty else { throw .invalid("an entry has postings") }
    var balances: [String: Int64] = [:]
    var sums: [String: Int128] = [:]
    for posting in entry.postings {
      guard posting.amount != 0 else { throw .invalid("a posting is not zero") }
      guard let account = image.accounts[posting.account] else { throw .unknownAccount(posting.account) }
      let before = balances[posting.account] ?? account.balance
      let (after, overflow) = before.addingReportingOverflow(posting.amount)
      guard !overflow else { throw .overflow(account: posting.account) }
      balances[posting.account] = after
      sums[account.currency, default: 0] += Int128(posting.amount)
    }
    if let unbalanced = sums.filter({ $0.value != 0 }).keys.min() {
      throw .unbalanced(currency: unbalanced)
    }
    for posting in entry.postings {
      guard balances[posting.account]! >= 0 || image.accounts[posting.account]!.mayBeNegative else {
        throw .insufficientFunds(account: posting.account)
      }
    }
    change(.entry(entry))
    return true
  }

  private static func sorted(_ postings: [Posting]) -> [Posting] {
    postings.sorted { ($0.account, $0.amount) < ($1.account, $1.amount) }
  }

  func entries(
    account: String, after sequence: Int64, limit: Int
  ) throws(StorageError) -> [StatementLine] {
    page(
      limit,
      try reading().lines.lazy.filter { $0.account == account && $0.line.sequence > sequence }.map(\.line))
  }

  func ledgerTotals() throws(StorageError) -> [LedgerTotal] {
    let image = try reading()
    var totals: [String: LedgerTotal] = [:]
    for id in image.accountOrder {
      let account = image.accounts[id]!
      var total = totals[account.currency] ?? LedgerTotal(currency: account.currency, accounts: 0, sum: 0)
      total.accounts += 1
      let (sum, overflow) = total.sum.addingReportingOverflow(account.balance)
      guard !overflow else { throw .corrupt(reason: "the ledger's sum is out of range") }
      total.sum = sum
      totals[account.currency] = total
    }
    return totals.values.sorted { $0.currency < $1.currency }
  }
}
