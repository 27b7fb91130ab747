// The demo's steps, in the order in which they are told. Nothing here decides anything: every line that
// it prints was read from a process, a store or a file.

import Foundation
import Messages
import Services

/// One run of the demo.
final class DemoStory: @unchecked Sendable {  // used by one task; the processes' readers only print
  private let root: DataDirectory
  private let file: String?
  private let twoSided: Bool
  private var services: [DemoService] = []

  private static let price = Money("EUR:1.25")!
  private static let deposit = Money("EUR:20.00")!
  private static let withdrawal = Money("EUR:5.00")!

  init(root: DataDirectory, file: String?, twoSided: Bool) {
    (self.root, self.file, self.twoSided) = (root, file, twoSided)
  }

  private func directory(_ name: String) -> DataDirectory { DataDirectory(root.file(name)) }

  func play() async throws {
    try root.create()
    let goods = try sample()
    title("Setting up: a bank, an archive, a merchant, a trust list, a wallet")
    let trust = try await setUp(goods)
    title("Starting three services over TLS on loopback")
    for role in ["bank", "archive", "merchant"] {
      services.append(try await DemoService.start(role, directory(role), trust: root.file("trust.acd")))
    }
    let wallet = try Wallet.open(directory("wallet")) { event in
      if case .message(let label, let from, let to, let bytes, let ms) = event, from == "archive" {
        DemoService.show(label, from, to, bytes, ms)
      }
    }
    title("The customer withdraws \(Self.withdrawal) as anonymous tokens")
    try await wallet.withdraw(Self.withdrawal, bank: nil)
    try await balance("wallet before", wallet)
    title("The customer buys: paid and delivered, or neither")
    let number = try await buy(wallet)
    try await balance("wallet after", wallet)
    try await waitForCredit()
    await stop()
    title("What became of the money and the goods")
    try await books()
    try compare(goods)
    try await evidence(wallet, number, trust)
    try await wallet.close()
    title("A kiosk verifies the receipt, offline")
    try kiosk()
  }

  func stop() async {
    await withTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { await service.stop() } }
    }
    services = []
  }

  // MARK: Steps

  private func setUp(_ goods: String) async throws -> [UInt8] {
    let ports = try freePorts(3)
    let authority = directory("ca")
    var bank = PartySetup(
      role: .bank, name: "First Bank", host: "127.0.0.1", port: ports[0], authority: authority)
    bank.denominations = (0..<10).map { 1 << $0 }
    let bankCard = try await PartyOperation.initialise(directory("bank"), bank)
    let archiveCard = try await PartyOperation.initialise(
      directory("archive"),
      PartySetup(
        role: .archive, name: "Public Archive", host: "127.0.0.1", port: ports[1], authority: authority))
    let merchantCard = try await PartyOperation.initialise(
      directory("merchant"),
      PartySetup(
        role: .merchant, name: "Corner Shop", host: "127.0.0.1", port: ports[2], authority: authority))
    let trust = try TrustAuthority.export(
      directory("authority"), parties: [bankCard, archiveCard, merchantCard], days: 365)
    try root.write("trust.acd", trust)
    _ = try Wallet.create(directory("wallet"), trust: trust, ca: try authority.read("ca.pem"), mnemonic: nil)
    let wallet = try Wallet.open(directory("wallet"))
    let books = try BankOperation(directory("bank"))
    try await books.open("alice", key: wallet.accountKey, merchant: false)
    try await books.open("corner-shop", key: PublicKey(hex: merchantCard.key)!, merchant: true)
    try await books.deposit("alice", Self.deposit, reference: "demo")
    try await books.close()
    try await wallet.close()
    let shop = try MerchantOperation(directory("merchant"))
    let offer = try await shop.add(
      goods, price: Self.price, description: "What the demo sells", twoSided: twoSided)
    try await shop.close()
    print("  alice has \(Self.deposit) at First Bank; Corner Shop sells \(offer.name) for \(offer.price)")
    return trust
  }

  private func buy(_ wallet: Wallet) async throws -> UInt64 {
    let offers = try await wallet.offers(merchant: nil)
    var options = BuyOptions()
    options.output = root.file("goods.bin")
    return try await wallet.buy(offers[0], options: options)
  }

  private func balance(_ when: String, _ wallet: Wallet) async throws {
    let lines = try await wallet.balance()
    print("  \(when): \(lines.map { "\($0.available) in \($0.tokens) tokens" }.joined(separator: ", "))")
  }

  /// The bank hears of the commit by the archive's outbox; the merchant gets its Credit by the bank's.
  private func waitForCredit() async throws {
    for _ in 0..<100 where !DemoService.hasSeen("Credit") { try await Task.sleep(for: .milliseconds(50)) }
    guard DemoService.hasSeen("Credit") else {
      throw ServiceError.unreachable("the bank has not credited the merchant within five seconds")
    }
  }

  private func books() async throws {
    let books = try BankOperation(directory("bank"))
    let (alice, _) = try await books.statement("alice")
    let (shop, _) = try await books.statement("corner-shop")
    let totals = try await books.totals()
    let faults = try await books.check()
    try await books.close()
    print("  alice's account    \(alice)\n  Corner Shop        \(shop)")
    print(
      "  the bank's books   accounts \(totals.accounts) + tokens \(totals.tokens) + locked \(totals.locked)"
        + " + fees \(totals.fees) = deposits \(totals.cash)")
    guard totals.difference == 0, faults.isEmpty, shop == Self.price else {
      throw ServiceError.protocolViolation("money was not conserved: \(totals.difference), \(faults)")
    }
    print("  money is conserved")
  }

  private func compare(_ goods: String) throws {
    guard FileManager.default.contentsEqual(atPath: goods, andPath: root.file("goods.bin")) else {
      throw ServiceError.protocolViolation("the goods that arrived are not the goods that were sold")
    }
    print("  the goods are identical to the original")
  }

  /// Leaves the receipt and every message as files.
  private func evidence(_ wallet: Wallet, _ number: UInt64, _ trust: [UInt8]) async throws {
    try root.write("receipt.acd", try await wallet.receipt(number).encoded())
    for (label, bytes) in try await wallet.messages(number) {
      let name = label == "S_p(P1)" ? "SP1" : label
      try root.write("messages/\(name).cose", bytes)
      if label == "P5a" {
        try root.write("messages/P4.cose", try Verified<P5a>(stored: bytes).payload.submission)
      }
    }
    try root.write("messages/TrustList.cose", trust)
    for (label, bytes) in try await wallet.moneyMessages() { try root.write("messages/\(label).cose", bytes) }
  }

  private func kiosk() throws {
    let process = Process()
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = own.deletingLastPathComponent().appendingPathComponent("acd-kiosk")
    process.arguments = ["verify", root.file("receipt.acd"), "--trust", root.file("trust.acd")]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ServiceError.protocolViolation("the kiosk refused the receipt")
    }
  }

  // MARK: Small things

  private func title(_ text: String) {
    print("\n\(text)")
    fflush(nil)  // also into a pipe: other processes print in between
  }

  private func sample() throws -> String {
    if let file { return file }
    var text = "A sample of goods, sold by acd demo.\n"
    for line in 1...2000 { text += "line \(line): the quick brown fox jumps over the lazy dog\n" }
    try root.write("sample.txt", Array(text.utf8))
    return root.file("sample.txt")
  }

  /// Free loopback ports, by asking the kernel.
  private func freePorts(_ count: Int) throws -> [Int] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    return try (0..<count).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      sockets.append(descriptor)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let bound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        }
      }
      guard bound else { throw ServiceError.unreachable("no free port on loopback") }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }
}
