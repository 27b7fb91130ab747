// Contract: the double-entry ledger, rule by rule and against a model.

import Storage
import Testing

@Suite("Ledger")
struct LedgerTests {
  static let cash = Account(
    id: "cash", kind: .system, name: "Cash", currency: "EUR", mayBeNegative: true)
  static let ann = Account(id: "ann", kind: .customer, name: "Ann", currency: "EUR", key: [1])
  static let bob = Account(id: "bob", kind: .merchant, name: "Bob", currency: "EUR", key: [2])
  static let dollars = Account(id: "dol", kind: .customer, name: "Dol", currency: "USD")

  static func entry(_ reference: UInt8, _ postings: [(String, Int64)]) -> LedgerEntry {
    LedgerEntry(
      reference: [reference], kind: "transfer", at: Int64(reference),
      postings: postings.map { Posting(account: $0.0, amount: $0.1) })
  }

  private func withLedger(
    _ engine: Engine, _ body: @escaping @Sendable (any StoreTransaction) throws -> Void
  ) async throws {
    try await engine.withStore { store in
      try await store.write { transaction throws in
        for account in [Self.cash, Self.ann, Self.bob, Self.dollars] {
          try transaction.openAccount(account)
        }
        try transaction.post(Self.entry(1, [("cash", -100), ("ann", 100)]))
        try body(transaction)
        for total in try transaction.ledgerTotals() { #expect(total.sum == 0) }
      }
    }
  }

  @Test(
    "Opening an equal account again is harmless; another under its id or key is refused",
    arguments: Engine.allCases)
  func open(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      try transaction.openAccount(Self.ann)
      #expect(try transaction.account("ann")?.balance == 100)
      var renamed = Self.ann
      renamed.name = "Anna"
      #expect(throws: StorageError.conflict(.account)) { try transaction.openAccount(renamed) }
      var sameKey = Self.ann
      sameKey.id = "eve"
      #expect(throws: StorageError.conflict(.account)) { try transaction.openAccount(sameKey) }
      #expect(try transaction.account("eve") == nil)
      let rich = Account(id: "r", kind: .customer, name: "", currency: "EUR", balance: 1)
      #expect(throws: StorageError.invalid("an account is opened with balance 0")) {
        try transaction.openAccount(rich)
      }
      #expect(try transaction.account(key: [2]) == Self.bob)
      #expect(try transaction.account(key: [3]) == nil)
      #expect(try transaction.accounts().map(\.id) == ["ann", "bob", "cash", "dol"])
    }
  }

  @Test(
    "An entry moves money and leaves a statement with running balances", arguments: Engine.allCases)
  func post(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      #expect(try transaction.post(Self.entry(2, [("ann", -30), ("bob", 25), ("cash", 5)])))
      #expect(try transaction.accounts().map(\.balance) == [70, 25, -95, 0])
      let lines = try transaction.entries(account: "ann", after: 0, limit: 9)
      #expect(lines.map(\.amount) == [100, -30])
      #expect(lines.map(\.balance) == [100, 70])
      #expect(lines.map(\.reference) == [[1], [2]])
      #expect(lines.map(\.kind) == ["transfer", "transfer"])
      #expect(lines.map(\.at) == [1, 2])
      let page = try transaction.entries(account: "ann", after: lines[0].sequence, limit: 9)
      #expect(page == [lines[1]])
      #expect(try transaction.entries(account: "ann", after: 0, limit: 1) == [lines[0]])
      #expect(
        try transaction.ledgerTotals() == [
          LedgerTotal(currency: "EUR", accounts: 3, sum: 0),
          LedgerTotal(currency: "USD", accounts: 1, sum: 0),
        ])
    }
  }

  @Test(
    "A reference posts once: the same again does nothing, other postings are refused",
    arguments: Engine.allCases)
  func reference(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      #expect(try transaction.post(Self.entry(2, [("ann", -30), ("bob", 30)])))
      var retry = Self.entry(2, [("bob", 30), ("ann", -30)])
      retry.at = 77
      #expect(try transaction.post(retry) == false)
      #expect(throws: StorageError.conflict(.ledgerReference)) {
        try transaction.post(Self.entry(2, [("ann", -31), ("bob", 31)]))
      }
      var otherKind = Self.entry(2, [("ann", -30), ("bob", 30)])
      otherKind.kind = "fee"
      #expect(throws: StorageError.conflict(.ledgerReference)) { try transaction.post(otherKind) }
      #expect(try transaction.account("ann")?.balance == 70)
      #expect(try transaction.entries(account: "bob", after: 0, limit: 9).count == 1)
    }
  }

  @Test("What does not sum to zero in every currency is refused", arguments: Engine.allCases)
  func unbalanced(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      #expect(throws: StorageError.unbalanced(currency: "EUR")) {
        try transaction.post(Self.entry(2, [("ann", -30), ("bob", 29)]))
      }
      #expect(throws: StorageError.unbalanced(currency: "EUR")) {
        try transaction.post(Self.entry(2, [("ann", -30), ("dol", 30)]))
      }
      #expect(throws: StorageError.invalid("an entry has postings")) {
        try transaction.post(Self.entry(2, []))
      }
      #expect(throws: StorageError.invalid("a posting is not zero")) {
        try transaction.post(Self.entry(2, [("ann", 0), ("bob", 0)]))
      }
      #expect(throws: StorageError.unknownAccount("eve")) {
        try transaction.post(Self.entry(2, [("ann", -30), ("eve", 30)]))
      }
      #expect(try transaction.account("ann")?.balance == 100)
      #expect(try transaction.post(Self.entry(2, [("ann", -30), ("bob", 30)])))
    }
  }

  @Test("Only an account that may be negative goes below zero", arguments: Engine.allCases)
  func insufficient(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      #expect(throws: StorageError.insufficientFunds(account: "ann")) {
        try transaction.post(Self.entry(2, [("ann", -101), ("bob", 101)]))
      }
      #expect(try transaction.post(Self.entry(2, [("ann", -100), ("bob", 100)])))
      #expect(try transaction.post(Self.entry(3, [("cash", -5000), ("bob", 5000)])))
      // On the way, ann is at -10; what counts is where she ends.
      #expect(
        try transaction.post(Self.entry(4, [("ann", -10), ("ann", 15), ("bob", -5)])))
      #expect(try transaction.account("ann")?.balance == 5)
    }
  }

  @Test("A balance that would overflow is refused", arguments: Engine.allCases)
  func overflow(engine: Engine) async throws {
    try await withLedger(engine) { transaction throws in
      let most = Int64.max - 100
      #expect(try transaction.post(Self.entry(2, [("cash", -most), ("ann", most)])))
      #expect(throws: StorageError.overflow(account: "ann")) {
        try transaction.post(Self.entry(3, [("ann", 1), ("cash", -1)]))
      }
      #expect(throws: StorageError.unbalanced(currency: "EUR")) {
        try transaction.post(
          Self.entry(3, [("bob", Int64.max), ("cash", 1), ("ann", -Int64.max)]))
      }
    }
  }

  @Test("Random entries conserve every currency and agree with a model", arguments: Engine.allCases)
  func model(engine: Engine) async throws {
    for seed: UInt64 in 1...4 {
      try await engine.withStore { store in
        try await store.write { transaction in try runModel(transaction, seed: seed) }
      }
    }
  }
}

/// Posts random entries, sound and unsound, and compares with balances kept by hand.
private func runModel(_ transaction: any StoreTransaction, seed: UInt64) throws {
  var random = SeededGenerator(state: seed)
  var model: [String: Int64] = [:]
  for number in 0..<6 {
    for currency in ["EUR", "USD"] {
      let account = Account(
        id: "\(currency)\(number)", kind: number == 0 ? .system : .customer, name: "",
        currency: currency, mayBeNegative: number == 0)
      try transaction.openAccount(account)
      model[account.id] = 0
    }
  }
  let ids = model.keys.sorted()
  var refused = 0
  for step: UInt64 in 0..<400 {
    var postings: [Posting] = []
    for currency in ["EUR", "USD"] where Bool.random(using: &random) {
      var rest: Int64 = 0
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let size = Int64.random(in: 1...500, using: &random)
        let amount = Bool.random(using: &random) ? size : -size
        let name = "\(currency)\(Int.random(in: 0..<6, using: &random))"
        postings.append(Posting(account: name, amount: amount))
        rest -= amount
      }
      if rest != 0, Int.random(in: 0..<10, using: &random) > 0 {
        postings.append(Posting(account: "\(currency)0", amount: rest))
      }
    }
    var after = model
    for posting in postings { after[posting.account, default: 0] += posting.amount }
    let balanced = ["EUR", "USD"].allSatisfy { currency in
      postings.filter { $0.account.hasPrefix(currency) }.reduce(0) { $0 + $1.amount } == 0
    }
    let covered = ids.allSatisfy { $0.hasSuffix("0") || (after[$0] ?? 0) >= 0 }
    let reference = withUnsafeBytes(of: step) { [UInt8]($0) }
    let entry = LedgerEntry(reference: reference, kind: "x", at: Int64(step), postings: postings)
    if !postings.isEmpty, balanced, covered {
      #expect(try transaction.post(entry), "seed \(seed), step \(step)")
      #expect(try transaction.post(entry) == false, "seed \(seed), step \(step)")
      model = after
    } else {
      #expect(throws: StorageError.self, "seed \(seed), step \(step)") {
        try transaction.post(entry)
      }
      refused += 1
    }
  }
  #expect(refused > 20 && refused < 380, "seed \(seed): a test of both sides")
  for account in try transaction.accounts() {
    #expect(account.balance == model[account.id], "seed \(seed), \(account.id)")
    let lines = try transaction.entries(account: account.id, after: 0, limit: 9999)
    #expect(lines.reduce(0) { $0 + $1.amount } == account.balance, "seed \(seed)")
    #expect((lines.last?.balance ?? 0) == account.balance, "seed \(seed)")
  }
  #expect(try transaction.ledgerTotals().map(\.sum) == [0, 0], "seed \(seed)")
}
