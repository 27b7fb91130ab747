// What an operator does with a party: make it, run it. The commands of `acd bank|archive|merchant` are
// thin over this.

import BlindTokens
import Foundation
import Logging
public import Messages
public import Parties
import Storage

/// Everything that `init` needs.
public struct PartySetup: Sendable {
  public var role: Role
  public var name: String
  public var host: String
  public var port: Int
  /// The name or address that others reach it by; nil: `host`.
  public var advertised: String?
  /// Merchant only: the bank that keeps its account; nil: whichever bank a customer pays from.
  public var bank: PublicKey?
  /// Bank only: ISO 4217.
  public var currency = "EUR"
  /// Bank only: values of its tokens in minor units; empty: the default set.
  public var denominations: [UInt64] = []
  /// Bank only: minor units taken for an exchange.
  public var exchangeFee: UInt64 = 0
  /// Archive only: a public record without keys. Nothing can be sealed to it, and it signs nothing.
  public var passive = false
  /// The local certificate authority's directory; made if it is not there.
  public var authority: DataDirectory

  public init(role: Role, name: String, host: String, port: Int, authority: DataDirectory) {
    (self.role, self.name, self.host, self.port, self.authority) = (role, name, host, port, authority)
  }
}

/// A party's public card: what others put into a trust list.
public struct PartyCard: Codable, Equatable, Sendable {
  public var role: String
  public var name: String
  public var key: String
  public var sealingKey: String?
  public var url: String
  /// A merchant's bank.
  public var bank: String?
  /// A witness's second key, which cosigns logs whose entries it follows.
  public var followingKey: String?

  /// Reads `identity.json` of a party's directory, or the file itself.
  public static func load(_ path: String) throws -> PartyCard {
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    let file = isDirectory.boolValue ? path + "/identity.json" : path
    guard exists, let data = FileManager.default.contents(atPath: file) else {
      throw ServiceError.file(path: file, reason: "is missing: run the party's `init` first")
    }
    do { return try JSONDecoder().decode(PartyCard.self, from: data) } catch {
      throw ServiceError.file(path: file, reason: "is no party's identity.json")
    }
  }
}

/// How a party serves, where it has a choice.
public struct ServingChoices: Sendable {
  /// Read the archives' records, beside being told of outcomes.
  public var polls = false
  /// For how long a bank's locks are kept after their tokens' end, an archive's records and a merchant's
  /// sales after their lifetimes.
  public var keepSeconds: UInt64 = 90 * 86_400
  /// Archive only: send what is published to bank and merchant.
  public var sendsCopies = true
  /// Archive only: begin a transparency log of what is published; one that was begun goes on in any case.
  public var logs = false
  /// Archive only: who has the bank credit an approved token.
  public var deposits = DepositRoute.merchant
  /// Merchant only, all that follows: how customers get the key.
  public var completion = CompletionRoute.archive
  /// The latest expiration after an offer; nil: the policy's own.
  public var offerSeconds: UInt64?
  /// Agree to refunds without asking.
  public var refunds = false
  /// Tell banks of commits, those of so many seconds at once; nil: only where customers are told, too.
  public var forwardSeconds: UInt64?

  public init() {}

  func policy(_ trust: TrustList) -> MerchantPolicy {
    var policy = MerchantPolicy(
      trust: trust, completion: completion, forwardsToBank: completion == .merchant || forwardSeconds != nil,
      refunds: refunds)
    policy.forwardSeconds = forwardSeconds ?? 0
    if let offerSeconds { policy.expirationSeconds = offerSeconds }
    policy.keepSeconds = keepSeconds
    return policy
  }
}

/// Making and running parties.
public enum PartyOperation {
  /// Makes a party: keys, certificate, store, and for a bank its denomination keys.
  public static func initialise(_ directory: DataDirectory, _ setup: PartySetup) async throws -> PartyCard {
    let config = PartyConfig(
      role: setup.role.name, name: setup.name, host: setup.host, port: setup.port,
      currency: setup.role == .bank ? setup.currency : nil, options: setup.passive ? ["passive": "yes"] : [:])
    let identity = try Identity.create(directory, config: config)
    try LocalAuthority.loadOrCreate(setup.authority).issue(
      setup.name, host: setup.advertised ?? setup.host, into: directory)
    let store = try SQLiteStore(path: directory.file("store.sqlite"))
    if setup.role == .bank {
      try await store.write { try BankBooks.openSystemAccounts($0, currency: setup.currency) }
      try await BankKeys.generate(
        values: setup.denominations.isEmpty ? ChangeMaking.defaultDenominations : setup.denominations,
        currency: setup.currency, identity: identity, directory: directory, store: store,
        windows: BankKeys.Windows(), exchangeFee: setup.exchangeFee, at: systemClock())
    }
    try await store.close()
    let card = PartyCard(
      role: setup.role.name, name: setup.name, key: identity.key.description,
      sealingKey: setup.passive ? nil : identity.sealing.publicKey.description,
      url: "https://\(setup.advertised ?? setup.host):\(setup.port)", bank: setup.bank?.description,
      followingKey: setup.role == .witness ? identity.following.publicKey.description : nil)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try directory.write("identity.json", Array(try encoder.encode(card)))
    return card
  }

  /// Runs a party until SIGTERM or SIGINT. `trust` replaces the trust list in force.
  public static func serve(
    _ directory: DataDirectory, trust: [UInt8]?, choices: ServingChoices = ServingChoices(),
    trace: (@Sendable (String) -> Void)?, verbose: Bool = false,
    onReady: @escaping @Sendable (String) -> Void
  ) async throws {
    let config = try directory.config()
    let identity = try Identity.load(directory)
    if let trust {
      _ = try LoadedTrust(trust)
      try directory.write("trust.acd", trust)
    }
    guard directory.exists("trust.acd") else {
      throw ServiceError.configuration(
        "\(directory.path) has no trust list: give --trust FILE (made by `acd trust export`)")
    }
    var logger = Logger(label: "acd.\(config.role)", factory: StreamLogHandler.standardError(label:))
    logger.logLevel = verbose ? .debug : .warning
    let inForce = try LoadedTrust(try directory.read("trust.acd"))
    try requireCurrent(inForce, directory)
    let transport = try Transport(caPEM: try directory.read("tls/ca.pem"))
    let store = try SQLiteStore(path: directory.file("store.sqlite"))
    let node = Node(
      identity: identity, directory: directory, store: store,
      trust: inForce, transport: transport, logger: logger,
      tracer: MessageTracer(write: trace))
    do { try await run(node, config, choices, onReady: onReady) } catch {
      try? await transport.shutdown()
      try? await store.close()
      throw error
    }
    try await transport.shutdown()
    try await store.close()
  }

  private static func run(
    _ node: Node, _ config: PartyConfig, _ choices: ServingChoices,
    onReady: @escaping @Sendable (String) -> Void
  ) async throws {
    let kicks = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let kick: @Sendable () -> Void = { kicks.continuation.yield() }
    let service: any PartyService
    var desk: (any OperatorDesk)?
    var tick: @Sendable () async -> Void = {}
    var work: @Sendable () async -> Void = {}
    switch node.identity.role {
    case .bank:
      let keys = try await BankKeys.loadFresh(node)
      let bank = BankService(
        node: node, keys: keys, currency: config.bankCurrency, keepSeconds: choices.keepSeconds, kick: kick)
      service = bank
      tick = { await bank.tick() }
      desk = BankDesk(store: node.store, currency: config.bankCurrency)
    case .archive where config.isPassive: service = PassiveArchive(node: node)
    case .archive:
      let archive = ArchiveService(
        node: node, sendsCopies: choices.sendsCopies, keepSeconds: choices.keepSeconds,
        route: choices.deposits, log: try await ArchiveLog.open(node, begins: choices.logs), kick: kick)
      service = archive
      tick = { await archive.tick() }
    case .merchant:
      let policy = choices.policy(node.trust.list)
      let merchant = MerchantService(node: node, policy: policy, kick: kick)
      service = merchant
      desk = MerchantDesk(merchant)
      tick = { await merchant.tick() }
    case .witness:
      let witness = WitnessService(node: node)
      service = witness
      work = { await witness.work() }
    default: throw ServiceError.configuration("no service runs as \(node.identity.role.name)")
    }
    let running = service
    let outbox = Outbox(node: node) { _, reply in
      do { _ = try await running.handle(reply) } catch {
        node.logger.error("an answer could not be used", metadata: ["error": "\(error)"])
      }
    }
    let poller = ArchivePoller(node: node) { record in _ = try? await running.handle(record) }
    let (ownTick, operatorDesk, ownWork) = (tick, desk, work)
    let tickOnce: @Sendable () async -> Void = {
      await ownTick()
      if choices.polls { await poller.poll() }
    }
    try await Services.serve(
      service.routes,
      configuration: HTTPServerConfiguration(
        host: config.host, port: config.port, certificatePath: node.directory.file("tls/cert.pem"),
        keyPath: node.directory.file("tls/key.pem")), logger: node.logger,
      onReady: { port in onReady("https://\(config.host):\(port)") },
      background: {
        await withTaskGroup(of: Void.self) { group in
          if let operatorDesk {
            group.addTask {
              await OperatorChannel.serve(operatorDesk, in: node.directory, logger: node.logger)
            }
          }
          group.addTask { await ownWork() }
          group.addTask { await outbox.run() }
          group.addTask { for await _ in kicks.stream { await outbox.kick() } }
          group.addTask {
            while !Task.isCancelled {
              await tickOnce()
              try? await Task.sleep(for: .seconds(1))
            }
          }
        }
      })
  }
}

/// Fails when a trust list is no longer, or not yet, to be used: keys in it may have been taken back since.
func requireCurrent(_ trust: LoadedTrust, _ directory: DataDirectory) throws {
  let now = systemClock()
  guard now < trust.list.until, trust.list.at <= now + trust.list.skewSeconds else {
    throw ServiceError.configuration(
      "the trust list in \(directory.path) has ended, or the clock is wrong: get a new one from its authority"
    )
  }
}
