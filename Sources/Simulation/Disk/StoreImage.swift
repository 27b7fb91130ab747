// The content of a store in memory. It changes by mutations only, one way for a transaction and for recovery;
// each change can be taken back until the transaction ends.
//
// Invariant: dictionaries are for finding alone; what is listed has an order of its own.

import Messages
import Storage

/// Two byte strings as a key.
struct PairKey: Hashable {
  let kind: String
  let key: [UInt8]

  init(_ kind: String, _ key: [UInt8]) { (self.kind, self.key) = (kind, key) }
}

/// What a store holds.
final class StoreImage {
  struct LoggedMessage {
    let kind: String
    let entry: StoredMessage
  }
  struct Reply {
    let bytes: [UInt8]
    let at: Int64
  }

  private(set) var meta: [String: [UInt8]] = [:]
  private(set) var machines: [PairKey: MachineRow] = [:]
  private(set) var machineOrder: [String: [[UInt8]]] = [:]
  private(set) var messages: [LoggedMessage] = []
  private(set) var messagesOf: [PairKey: [Int]] = [:]
  private(set) var messagesLabelled: [PairKey: [Int]] = [:]
  private(set) var outbox: [OutboxItem] = []
  private var nextOutboxID: Int64 = 1
  private(set) var replies: [[UInt8]: Reply] = [:]
  private(set) var accounts: [String: Account] = [:]
  private(set) var accountOrder: [String] = []
  private(set) var accountOf: [[UInt8]: String] = [:]
  private(set) var entries: [LedgerEntry] = []
  private(set) var entryOf: [[UInt8]: Int] = [:]
  private(set) var lines: [(account: String, line: StatementLine)] = []
  private(set) var tokens: [[UInt8]: TokenRow] = [:]
  private(set) var tokenOrder: [[UInt8]] = []
  private(set) var usesOfToken: [[UInt8]: [TokenUse]] = [:]
  private(set) var usesOfLock: [[UInt8]: [TokenUse]] = [:]
  private(set) var records: [RecordRow] = []
  private(set) var recordOf: [[UInt8]: Int] = [:]
  private(set) var recordsOf: [[UInt8]: [Int]] = [:]
  /// The fingerprint of every message, reply, record and waiting body that was ever kept.
  private(set) var kept: Set<Fingerprint> = []

  /// How to take the changes of this transaction back, in reverse order; nil outside of one.
  private var undo: [() -> Void]?

  init() {}

  // MARK: Transactions

  func begin() { undo = [] }

  func commit() { undo = nil }

  func rollBack() {
    for step in (undo ?? []).reversed() { step() }
    undo = nil
  }

  /// Remembers, durably, which bytes are kept: for the check that nothing is sent before it is stored.
  func noteKept(_ mutations: [Mutation]) {
    for mutation in mutations {
      switch mutation {
      case .message(_, _, _, let bytes), .enqueue(_, _, let bytes, _), .reply(_, let bytes, _):
        kept.insert(Fingerprint(bytes))
      case .record(let row): kept.insert(Fingerprint(row.body))
      default: break
      }
    }
  }

  // MARK: Changes

  /// Makes a change. The transaction has checked that it is allowed.
  func apply(_ mutation: Mutation) {
    switch mutation {
    case .meta(let key, let value):
      let old = meta.updateValue(value, forKey: key)
      undo?.append { [unowned self] in meta[key] = old }
    case .machine(let row): put(row)
    case .forget(let kind, let key): forget(kind, key)
    case .message(let kind, let key, let label, let bytes): append(kind, key, label, bytes)
    case .enqueue(let destination, let path, let body, let at):
      let id = nextOutboxID
      nextOutboxID += 1
      outbox.append(
        OutboxItem(
          id: id, destination: destination, path: path, body: body, attempts: 0, nextAttemptAt: at,
          createdAt: at))
      undo?.append { [unowned self] in
        outbox.removeAll { $0.id == id }
        nextOutboxID = id
      }
    case .done(let id):
      guard let index = outbox.firstIndex(where: { $0.id == id }) else { return }
      let old = outbox.remove(at: index)
      undo?.append { [unowned self] in outbox.insert(old, at: index) }
    case .retry(let id, let at):
      guard let index = outbox.firstIndex(where: { $0.id == id }) else { return }
      let old = outbox[index]
      outbox[index].attempts += 1
      outbox[index].nextAttemptAt = at
      undo?.append { [unowned self] in outbox[index] = old }
    case .reply(let request, let bytes, let at):
      let old = replies.updateValue(Reply(bytes: bytes, at: at), forKey: request)
      undo?.append { [unowned self] in replies[request] = old }
    case .prune(let before):
      let old = replies
      replies = replies.filter { $0.value.at >= before }
      undo?.append { [unowned self] in replies = old }
    case .account(let account): open(account)
    case .entry(let entry): post(entry)
    case .token(let row): put(row)
    case .use(let use): put(use)
    case .record(let row): append(row)
    case .erase(let kind, let key): erase(kind, key)
    case .dropBodies(let sequence):
      let old = records
      for index in records.indices where records[index].sequence <= sequence { records[index].body = [] }
      undo?.append { [unowned self] in records = old }
    }
  }

  private func erase(_ kind: String, _ key: [UInt8]) {
    let (one, labelled) = (PairKey(kind, key), messagesLabelled)
    guard let old = messagesOf.removeValue(forKey: one) else { return }
    for index in old {
      let label = PairKey("\(kind)/\(messages[index].entry.label)", [])
      messagesLabelled[label]?.removeAll { $0 == index }
    }
    undo?.append { [unowned self] in
      messagesOf[one] = old
      messagesLabelled = labelled
    }
  }

  private func put(_ row: MachineRow) {
    let key = PairKey(row.kind, row.key)
    let old = machines.updateValue(row, forKey: key)
    if old == nil {
      let place = place(of: row.key, in: machineOrder[row.kind] ?? [])
      machineOrder[row.kind, default: []].insert(row.key, at: place)
    }
    undo?.append { [unowned self] in
      machines[key] = old
      if old == nil { machineOrder[row.kind]!.removeAll { $0 == row.key } }
    }
  }

  private func forget(_ kind: String, _ key: [UInt8]) {
    let name = PairKey(kind, key)
    guard let old = machines.removeValue(forKey: name) else { return }
    machineOrder[kind]!.removeAll { $0 == key }
    undo?.append { [unowned self] in
      machines[name] = old
      let place = place(of: key, in: machineOrder[kind]!)
      machineOrder[kind]!.insert(key, at: place)
    }
  }

  /// Where a key stands, or would stand, in an ordered list.
  private func place(of key: [UInt8], in list: [[UInt8]]) -> Int {
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func append(_ kind: String, _ key: [UInt8], _ label: String, _ bytes: [UInt8]) {
    let index = messages.count
    let entry = StoredMessage(sequence: Int64(index + 1), key: key, label: label, bytes: bytes)
    let (one, other) = (PairKey(kind, key), PairKey("\(kind)/\(label)", []))
    messages.append(LoggedMessage(kind: kind, entry: entry))
    messagesOf[one, default: []].append(index)
    messagesLabelled[other, default: []].append(index)
    undo?.append { [unowned self] in
      messages.removeLast()
      messagesOf[one]!.removeLast()
      messagesLabelled[other]!.removeLast()
    }
  }

  private func open(_ account: Account) {
    accounts[account.id] = account
    let index = accountOrder.firstIndex { account.id < $0 } ?? accountOrder.count
    accountOrder.insert(account.id, at: index)
    if let key = account.key { accountOf[key] = account.id }
    undo?.append { [unowned self] in
      accounts[account.id] = nil
      accountOrder.remove(at: index)
      if let key = account.key { accountOf[key] = nil }
    }
  }

  private func post(_ entry: LedgerEntry) {
    entryOf[entry.reference] = entries.count
    entries.append(entry)
    for posting in entry.postings {
      accounts[posting.account]!.balance += posting.amount
      lines.append(
        (
          posting.account,
          StatementLine(
            sequence: Int64(lines.count + 1), reference: entry.reference, kind: entry.kind, at: entry.at,
            amount: posting.amount, balance: accounts[posting.account]!.balance)
        ))
    }
    undo?.append { [unowned self] in
      entryOf[entry.reference] = nil
      entries.removeLast()
      for posting in entry.postings { accounts[posting.account]!.balance -= posting.amount }
      lines.removeLast(entry.postings.count)
    }
  }

  private func put(_ row: TokenRow) {
    let old = tokens.updateValue(row, forKey: row.id)
    if old == nil { tokenOrder.append(row.id) }
    undo?.append { [unowned self] in
      tokens[row.id] = old
      if old == nil { tokenOrder.removeLast() }
    }
  }

  private func put(_ use: TokenUse) {
    let (before, beside) = (usesOfToken[use.token], usesOfLock[use.lock])
    Self.put(use, in: &usesOfToken[use.token, default: []], by: \.lock)
    Self.put(use, in: &usesOfLock[use.lock, default: []], by: \.token)
    undo?.append { [unowned self] in
      usesOfToken[use.token] = before
      usesOfLock[use.lock] = beside
    }
  }

  private static func put(_ use: TokenUse, in list: inout [TokenUse], by key: KeyPath<TokenUse, [UInt8]>) {
    if let index = list.firstIndex(where: { $0[keyPath: key] == use[keyPath: key] }) {
      list[index] = use
      return
    }
    let place = list.firstIndex { use[keyPath: key].lexicographicallyPrecedes($0[keyPath: key]) }
    list.insert(use, at: place ?? list.count)
  }

  private func append(_ row: RecordRow) {
    let transaction = row.merchant + row.n
    recordOf[row.lock] = records.count
    recordsOf[transaction, default: []].append(records.count)
    records.append(row)
    undo?.append { [unowned self] in
      recordOf[row.lock] = nil
      recordsOf[transaction]!.removeLast()
      records.removeLast()
    }
  }

  // MARK: Looking

  /// When the next machine is due by itself.
  var nextDue: Int64? { machines.values.compactMap(\.due).min() }
  /// When the next delivery is due.
  var nextDelivery: Int64? { outbox.map(\.nextAttemptAt).min() }

  /// All machines of a kind, by key.
  func machines(_ kind: String) -> [MachineRow] {
    (machineOrder[kind] ?? []).map { machines[PairKey(kind, $0)]! }
  }

  /// The log of one machine.
  func log(_ kind: String, _ key: [UInt8]) -> [StoredMessage] {
    (messagesOf[PairKey(kind, key)] ?? []).map { messages[$0].entry }
  }
}
