// The parties of the load: bank, archive and merchant as processes over TLS, each with its SQLite store on
// disk, and wallets in this process, each with a store and connections of its own.

import Foundation
import Messages
import Services

/// The offers: the bank's tokens are worth 64 cents each, so a price tells how many tokens it takes.
struct LoadOffer {
  let tokens: Int
  let offer: Offer
}

final class LoadWorld {
  static let tokenValue: UInt64 = 64
  /// Tokens in each kind of purchase.
  static let tokenCounts = [1, 4]
  static let goodsBytes = 1024

  let root: DataDirectory
  let goods: [UInt8]
  private let trust: [UInt8]
  private(set) var services: [LoadService] = []
  private(set) var wallets: [Wallet] = []
  private let walletCount: Int
  /// What all wallets deposited, in minor units.
  let deposits: UInt64

  /// Makes all parties, accounts and offers. `tokens`: how many each wallet will withdraw in all.
  init(_ directory: String, wallets count: Int, tokens: Int) async throws {
    root = DataDirectory(directory)
    walletCount = count
    try root.create()
    let ports = freePorts(3)
    let ca = DataDirectory(root.file("ca"))
    var cards: [PartyCard] = []
    for (role, port) in zip([Role.bank, .archive, .merchant], ports) {
      var setup = PartySetup(role: role, name: role.name, host: "127.0.0.1", port: port, authority: ca)
      setup.denominations = [Self.tokenValue]
      cards.append(try await PartyOperation.initialise(DataDirectory(root.file(role.name)), setup))
    }
    trust = try TrustAuthority.export(DataDirectory(root.file("authority")), parties: cards, days: 30)
    try root.write("trust.acd", trust)
    let sum = UInt64(tokens) * Self.tokenValue
    deposits = sum * UInt64(count)
    goods = (0..<Self.goodsBytes).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    try await openAccounts(merchant: PublicKey(hex: cards[2].key)!, ca: try ca.read("ca.pem"), sum)
    try root.write("goods.bin", goods)
    let shop = try MerchantOperation(DataDirectory(root.file("merchant")))
    for tokens in Self.tokenCounts {
      _ = try await shop.add(
        root.file("goods.bin"), price: Self.price(tokens), description: "\(tokens)", twoSided: false)
    }
    try await shop.close()
  }

  static func price(_ tokens: Int) -> Money {
    Money(currency: "EUR", amount: UInt64(tokens) * tokenValue)!
  }

  private func openAccounts(merchant: PublicKey, ca: [UInt8], _ sum: UInt64) async throws {
    let books = try BankOperation(DataDirectory(root.file("bank")))
    try await books.open("merchant", key: merchant, merchant: true)
    for index in 0..<walletCount {
      let directory = DataDirectory(root.file("wallet-\(index)"))
      _ = try Wallet.create(directory, trust: trust, ca: ca, mnemonic: nil)
      let wallet = try Wallet.open(directory)
      try await books.open("customer-\(index)", key: wallet.accountKey, merchant: false)
      try await wallet.close()
      try await books.deposit(
        "customer-\(index)", Money(currency: "EUR", amount: sum)!, reference: "deposit \(index)")
    }
    try await books.close()
  }

  // MARK: Starting and stopping

  func start() throws {
    for role in ["bank", "archive", "merchant"] {
      services.append(
        try LoadService(role, DataDirectory(root.file(role)), trust: root.file("trust.acd")))
    }
  }

  func stop() {
    for service in services { service.stop() }
    services = []
  }

  /// Opens all wallets anew: stores and connections start cold.
  func openWallets() async throws {
    for wallet in wallets { try await wallet.close() }
    wallets = try (0..<walletCount).map { try Wallet.open(DataDirectory(root.file("wallet-\($0)"))) }
  }

  func closeWallets() async throws {
    for wallet in wallets { try await wallet.close() }
    wallets = []
  }

  /// The merchant's offers, by the number of tokens that they take.
  func offers() async throws -> [LoadOffer] {
    let published = try await wallets[0].offers(merchant: nil)
    return Self.tokenCounts.map { tokens in
      LoadOffer(tokens: tokens, offer: published.first { $0.price == Self.price(tokens) }!)
    }
  }

  /// Waits until the services have nothing left to do: outcomes still travel when customers have their goods.
  /// - Returns: how long that took, to about 0.1 s.
  func settle() async throws -> Double {
    let start = wallClock()
    var busyUntil = start
    var last = services.map(\.processorSeconds)
    while wallClock() - busyUntil < 1 {
      try await Task.sleep(for: .milliseconds(100))
      let now = services.map(\.processorSeconds)
      // One tick of the clock is what an idle service may take.
      if zip(now, last).contains(where: { $0 - $1 > 0.011 }) { busyUntil = wallClock() }
      last = now
    }
    return busyUntil - start
  }

  // MARK: What became of the money

  /// Fails unless the books add up, nothing is locked, and every customer's payments are the merchant's.
  func checkBooks(paid: UInt64) async throws {
    let books = try BankOperation(DataDirectory(root.file("bank")))
    let totals = try await books.totals()
    let faults = try await books.check()
    let (merchant, _) = try await books.statement("merchant")
    try await books.close()
    try require(faults.isEmpty, "the bank's store has faults: \(faults)")
    try require(totals.difference == 0, "the books are wrong by \(totals.difference)")
    try require(totals.locked == 0, "\(totals.locked) are still locked")
    try require(UInt64(totals.cash) == deposits, "cash is \(totals.cash), not \(deposits)")
    try require(merchant.amount == paid, "the merchant has \(merchant), but \(paid) were paid")
    // All deposits were withdrawn and all tokens spent.
    try require(totals.tokens == 0 && UInt64(totals.accounts) == paid, "tokens \(totals.tokens) are left")
    print(
      "books: accounts \(totals.accounts) + tokens \(totals.tokens) + locked \(totals.locked)"
        + " + fees \(totals.fees) = deposits \(totals.cash); the merchant has \(merchant)")
  }

  /// Fails unless this purchase was delivered, its file is the goods, and its receipt verifies. The file
  /// stays: some file systems make those who create files pay for those that were removed.
  func check(_ purchase: LoadPurchase) throws {
    let delivered = FileManager.default.contents(atPath: purchase.output).map(Array.init)
    try require(delivered == goods, "purchase \(purchase.number) brought other goods")
    let now = Timestamp(Date().timeIntervalSince1970)
    let facts = try verifyReceipt(purchase.receipt, trust: trust, at: now)
    try require(facts.price == Self.price(purchase.tokens), "a receipt names another price")
  }
}

/// What is wrong with a run. Thrown rather than trapped, so that no service is left behind.
struct LoadFailure: Error, CustomStringConvertible {
  let description: String
}

private func require(_ condition: Bool, _ what: String) throws {
  guard condition else { throw LoadFailure(description: what) }
}
