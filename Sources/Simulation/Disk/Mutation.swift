// What a transaction changes, as a list of small facts: applied in memory, written to the journal, read back
// after a crash.

import Storage

/// One change of a store.
enum Mutation: Equatable {
  case meta(String, [UInt8])
  case machine(MachineRow)
  case forget(kind: String, key: [UInt8])
  case message(kind: String, key: [UInt8], label: String, bytes: [UInt8])
  case enqueue(destination: String, path: String, body: [UInt8], at: Int64)
  case done(Int64)
  case retry(Int64, Int64)
  case reply([UInt8], [UInt8], at: Int64)
  case prune(Int64)
  case account(Account)
  case entry(LedgerEntry)
  case token(TokenRow)
  case use(TokenUse)
  case record(RecordRow)
  case erase(kind: String, key: [UInt8])
  case dropBodies(Int64)
}

/// Writes numbers and bytes one after the other.
struct JournalWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ number: Int64) {
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
    }
  }
  mutating func put(_ data: [UInt8]) {
    put(Int64(data.count))
    bytes += data
  }
  mutating func put(_ text: String) { put(Array(text.utf8)) }
  mutating func put(_ number: Int64?) {
    bytes.append(number == nil ? 0 : 1)
    if let number { put(number) }
  }
}

/// Reads them back; after a wrong turn everything reads as empty, and `isSound` says so.
struct JournalReader {
  private var rest: ArraySlice<UInt8>
  private(set) var isSound = true

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty || !isSound }

  mutating func number() -> Int64 {
    guard rest.count >= 8 else {
      isSound = false
      return 0
    }
    let value = rest.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
    rest = rest.dropFirst(8)
    return value
  }
  mutating func data() -> [UInt8] {
    let count = Int(number())
    guard count >= 0, rest.count >= count else {
      isSound = false
      return []
    }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
  mutating func text() -> String { String(decoding: data(), as: UTF8.self) }
  mutating func optional() -> Int64? {
    guard let flag = rest.first else {
      isSound = false
      return nil
    }
    rest = rest.dropFirst()
    return flag == 0 ? nil : number()
  }
}

extension Mutation {
  /// Appends this change to a journal record.
  func write(to w: inout JournalWriter) {
    switch self {
    case .meta(let key, let value):
      w.put(1)
      w.put(key)
      w.put(value)
    case .machine(let row):
      w.put(2)
      w.put(row.kind)
      w.put(row.key)
      w.put(Int64(row.phase))
      w.put(row.due)
      w.put(row.data)
    case .forget(let kind, let key):
      w.put(3)
      w.put(kind)
      w.put(key)
    case .message(let kind, let key, let label, let bytes):
      w.put(4)
      w.put(kind)
      w.put(key)
      w.put(label)
      w.put(bytes)
    case .enqueue(let destination, let path, let body, let at):
      w.put(5)
      w.put(destination)
      w.put(path)
      w.put(body)
      w.put(at)
    case .done(let id):
      w.put(6)
      w.put(id)
    case .retry(let id, let at):
      w.put(7)
      w.put(id)
      w.put(at)
    case .reply(let request, let bytes, let at):
      w.put(8)
      w.put(request)
      w.put(bytes)
      w.put(at)
    case .prune(let before):
      w.put(9)
      w.put(before)
    case .erase(let kind, let key):
      w.put(15)
      w.put(kind)
      w.put(key)
    case .dropBodies(let sequence):
      w.put(16)
      w.put(sequence)
    case .account, .entry, .token, .use, .record: writeMoney(to: &w)
    }
  }

  private func writeMoney(to w: inout JournalWriter) {
    switch self {
    case .account(let account):
      w.put(10)
      w.put(account.id)
      w.put(account.kind.rawValue)
      w.put(account.name)
      w.put(account.currency)
      w.put(account.key == nil ? 0 : 1)
      w.put(account.key ?? [])
      w.put(account.mayBeNegative ? 1 : 0)
    case .entry(let entry):
      w.put(11)
      w.put(entry.reference)
      w.put(entry.kind)
      w.put(entry.at)
      w.put(Int64(entry.postings.count))
      for posting in entry.postings {
        w.put(posting.account)
        w.put(posting.amount)
      }
    case .token(let row):
      w.put(12)
      w.put(row.id)
      w.put(row.key)
      w.put(row.keyID)
      w.put(row.currency)
      w.put(row.value)
      w.put(row.spent)
      w.put(row.locked)
    case .use(let use):
      w.put(13)
      w.put(use.token)
      w.put(use.lock)
      w.put(use.amount)
      w.put(Int64(use.state.rawValue))
      w.put(use.message)
    case .record(let row):
      w.put(14)
      w.put(row.sequence)
      w.put(row.merchant)
      w.put(row.n)
      w.put(row.lock)
      w.put(Int64(row.kind.rawValue))
      w.put(row.at)
      w.put(row.body)
    default: break
    }
  }

  /// Reads one change; nil where the record is damaged.
  init?(from r: inout JournalReader) {
    switch r.number() {
    case 1: self = .meta(r.text(), r.data())
    case 2:
      self = .machine(
        MachineRow(
          kind: r.text(), key: r.data(), phase: Int(r.number()), due: r.optional(), data: r.data()))
    case 3: self = .forget(kind: r.text(), key: r.data())
    case 4: self = .message(kind: r.text(), key: r.data(), label: r.text(), bytes: r.data())
    case 5: self = .enqueue(destination: r.text(), path: r.text(), body: r.data(), at: r.number())
    case 6: self = .done(r.number())
    case 7: self = .retry(r.number(), r.number())
    case 8: self = .reply(r.data(), r.data(), at: r.number())
    case 9: self = .prune(r.number())
    case 10:
      let (id, kind, name, currency) = (r.text(), r.text(), r.text(), r.text())
      let (hasKey, key) = (r.number() == 1, r.data())
      self = .account(
        Account(
          id: id, kind: Account.Kind(rawValue: kind) ?? .system, name: name, currency: currency,
          key: hasKey ? key : nil, mayBeNegative: r.number() == 1))
    case 11:
      let (reference, kind, at, count) = (r.data(), r.text(), r.number(), r.number())
      guard r.isSound, (0...64).contains(count) else { return nil }
      let postings = (0..<count).map { _ in Posting(account: r.text(), amount: r.number()) }
      self = .entry(LedgerEntry(reference: reference, kind: kind, at: at, postings: postings))
    case 12:
      self = .token(
        TokenRow(
          id: r.data(), key: r.data(), keyID: r.data(), currency: r.text(), value: r.number(),
          spent: r.number(), locked: r.number()))
    case 13:
      self = .use(
        TokenUse(
          token: r.data(), lock: r.data(), amount: r.number(),
          state: TokenUse.State(rawValue: Int(r.number())) ?? .locked, message: r.data()))
    case 14:
      self = .record(
        RecordRow(
          sequence: r.number(), merchant: r.data(), n: r.data(), lock: r.data(),
          kind: RecordRow.Kind(rawValue: Int(r.number())) ?? .abort, at: r.number(), body: r.data()))
    case 15: self = .erase(kind: r.text(), key: r.data())
    case 16: self = .dropBodies(r.number())
    default: return nil
    }
    guard r.isSound else { return nil }
  }
}
