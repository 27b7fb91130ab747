// A bank, archive or merchant without sockets: the same service over the same store contract, asked by a
// function call. For the simulator, which brings its own store, clock, network and randomness.
//
// Invariant: nothing here decides anything; it is what HTTPServer and PartyOperation do, without a network.

import Foundation
import Logging
package import Messages
package import Parties
package import Storage

/// The way to peers, as the simulator sees it.
package struct RehearsedLink: Sendable {
  package typealias Send =
    @Sendable (_ method: String, _ to: PublicKey, _ path: String, _ body: [UInt8]) async throws
    -> RehearsedReply

  private let carry: Send
  /// Where messages are posted.
  package static let messagesPath = Services.messagesPath

  package init(_ carry: @escaping Send) { self.carry = carry }

  /// What stands in a trust list as the address of a key.
  package static func url(of key: PublicKey) -> String { "https://\(key)" }

  fileprivate func send(_ method: String, url: String, body: [UInt8]) async throws -> RehearsedReply {
    let start = url.index(url.startIndex, offsetBy: "https://".count)
    let slash = url[start...].firstIndex(of: "/") ?? url.endIndex
    guard let key = PublicKey(hex: String(url[start..<slash])) else {
      throw TransportError.unreachable(host: url, reason: "no such party")
    }
    return try await carry(method, key, String(url[slash...]), body)
  }
}

extension RehearsedLink: PeerLink {
  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply {
    let reply = try await send(method, url: url, body: body ?? [])
    let type = (200..<300).contains(reply.status) ? mediaType(of: reply.body) : "application/problem+json"
    return TransportReply(status: reply.status, contentType: type, body: reply.body)
  }

  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int {
    let reply = try await send("GET", url: url, body: [])
    guard (200..<300).contains(reply.status) else { return reply.status }
    let skip = min(Int(offset), reply.body.count)
    let end = last.map { max(skip, min(Int($0) + 1, reply.body.count)) } ?? reply.body.count
    try reply.body.withUnsafeBytes { try onBlock(UnsafeRawBufferPointer(rebasing: $0[skip..<end])) }
    if reply.isCut { throw TransportError.cut(host: url) }
    return offset > 0 ? 206 : 200
  }

  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply {
    let file = try RawFile(reading: path)
    var bytes = [UInt8](repeating: 0, count: Int(try file.size() - min(offset, file.size())))
    try bytes.withUnsafeMutableBytes { try file.read($0, at: offset) }
    let reply = try await send("PUT", url: url, body: bytes)
    return TransportReply(status: reply.status, contentType: "text/plain", body: reply.body)
  }

  func shutdown() async throws {}
}

/// An answer over the simulated network.
package struct RehearsedReply: Sendable {
  /// As in HTTP.
  package var status: Int
  package var body: [UInt8]
  /// The connection broke before all of the body was there.
  package var isCut = false

  package init(status: Int, body: [UInt8]) { (self.status, self.body) = (status, body) }
}

/// A peer that nobody can reach now.
package func unreachable(_ reason: String) -> any Error {
  TransportError.unreachable(host: "peer", reason: reason)
}

/// What a party runs on.
package struct RehearsedGround: Sendable {
  package var identity: Identity
  package var directory: DataDirectory
  package var store: any Store
  package var trust: LoadedTrust
  package var link: RehearsedLink
  package var clock: @Sendable () -> Timestamp
  package var surroundings: Surroundings

  package init(
    identity: Identity, directory: DataDirectory, store: any Store, trust: LoadedTrust, link: RehearsedLink,
    clock: @escaping @Sendable () -> Timestamp, surroundings: Surroundings
  ) {
    (self.identity, self.directory, self.store, self.trust) = (identity, directory, store, trust)
    (self.link, self.clock, self.surroundings) = (link, clock, surroundings)
  }

  fileprivate var node: Node {
    Node(
      identity: identity, directory: directory, store: store, trust: trust, transport: link,
      logger: Logger(label: "rehearsal", factory: { _ in SwiftLogNoOpLogHandler() }),
      tracer: MessageTracer(write: nil), clock: clock, surroundings: surroundings)
  }
}

/// A running service without sockets.
package final class RehearsedParty: Sendable {
  let node: Node
  private let service: any PartyService
  private let routes: [Route]
  private let outbox: Outbox
  let merchant: MerchantService?
  private let ownTick: @Sendable () async -> Void
  private let atEnd: @Sendable () -> Void

  /// Starts the service of this role from its store, as `serve` does.
  package init(
    _ ground: RehearsedGround, completion: CompletionRoute = .archive, offerSeconds: UInt64 = 3600,
    refunds: Bool = false, keepSeconds: UInt64 = 90 * 86_400, deposits: DepositRoute = .merchant,
    kick: @escaping @Sendable () -> Void
  ) async throws {
    let node = ground.node
    var merchant: MerchantService?
    var tick: @Sendable () async -> Void = {}
    var atEnd: @Sendable () -> Void = {}
    let service: any PartyService
    switch ground.identity.role {
    case .bank:
      let keys = try await BankKeys.load(node) { try RehearsedSigner($0) }
      let bank = BankService(
        node: node, keys: keys, currency: "EUR", keepSeconds: keepSeconds, kick: kick)
      service = bank
      tick = { await bank.tick() }
    case .archive where node.trust.list.isPassiveArchive(ground.identity.key):
      service = PassiveArchive(node: node)
    case .archive:
      let archive = ArchiveService(node: node, keepSeconds: keepSeconds, route: deposits, kick: kick)
      service = archive
      tick = { await archive.tick() }
    case .witness:
      let witness = WitnessService(node: node)
      service = witness
      node.surroundings.spawn { await witness.work() }
      atEnd = { witness.stop() }
    default:
      var policy = MerchantPolicy(
        trust: node.trust.list, completion: completion, expirationSeconds: offerSeconds,
        forwardsToBank: completion == .merchant, refunds: refunds)
      policy.keepSeconds = keepSeconds
      let selling = MerchantService(node: node, policy: policy, kick: kick)
      (service, merchant) = (selling, selling)
      tick = { await selling.tick() }
    }
    (ownTick, self.atEnd) = (tick, atEnd)
    (self.node, self.service, self.merchant, routes) = (node, service, merchant, service.routes)
    outbox = Outbox(node: node) { _, reply in _ = try? await service.handle(reply) }
  }

  // MARK: What comes from outside

  /// Answers one request as HTTPServer does.
  package func answer(_ method: String, _ path: String, _ body: [UInt8]) async -> RehearsedReply {
    let (name, query) = Self.split(path)
    for route in routes where route.method == method {
      guard let parameters = Self.match(route.path, name) else { continue }
      var call = HTTPCall(parameters: parameters, query: query, range: nil, body: route.streams ? [] : body)
      if route.streams { call.eachBlock = { take in try body.withUnsafeBytes(take) } }
      do {
        let reply = try await route.handler(call)
        return RehearsedReply(status: reply.status, body: try Self.bytes(reply.body))
      } catch {
        let problem = Problem(of: error)
        return RehearsedReply(status: problem.status, body: problem.json)
      }
    }
    return RehearsedReply(status: 404, body: [])
  }

  private static func split(_ path: String) -> (name: Substring, query: [String: String]) {
    let parts = path.split(separator: "?", maxSplits: 1)
    var query: [String: String] = [:]
    for pair in parts.count == 2 ? parts[1].split(separator: "&") : [] {
      let sides = pair.split(separator: "=", maxSplits: 1)
      if sides.count == 2 { query[String(sides[0])] = String(sides[1]) }
    }
    return (parts.first ?? "", query)
  }

  private static func match(_ pattern: String, _ path: Substring) -> [String: String]? {
    let (wanted, given) = (pattern.split(separator: "/"), path.split(separator: "/"))
    guard wanted.count == given.count else { return nil }
    var parameters: [String: String] = [:]
    for (part, value) in zip(wanted, given) {
      if part.hasPrefix(":") {
        parameters[String(part.dropFirst())] = String(value)
      } else if part != value {
        return nil
      }
    }
    return parameters
  }

  private static func bytes(_ body: HTTPReply.Body) throws -> [UInt8] {
    switch body {
    case .bytes(let bytes): return bytes
    case .file(let path, let offset, let length):
      var bytes = [UInt8](repeating: 0, count: Int(length))
      try bytes.withUnsafeMutableBytes { try RawFile(reading: path).read($0, at: offset) }
      return bytes
    }
  }

  // MARK: What it does by itself

  /// What waits to be delivered now.
  package func due() async throws -> [OutboxItem] {
    let now = Int64(node.clock())
    return try await node.store.read { try $0.outboxDue(at: now, limit: 64) }
  }

  /// Tries to deliver one item.
  package func deliver(_ item: OutboxItem) async { await outbox.deliver(item) }

  /// What is due without being asked.
  package func tick() async { await ownTick() }

  /// Reads on in the archives' records.
  package func poll() async {
    await ArchivePoller(node: node) { [service] record in _ = try? await service.handle(record) }.poll()
  }

  /// Its process is no more.
  package func end() { atEnd() }

  /// A merchant gives a sale up.
  package func giveUp(_ n: TransactionID) async throws { try await merchant?.giveUp(n) }
}
