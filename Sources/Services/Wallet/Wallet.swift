// The customer's wallet: seed, store, peers. What it can do is in the extensions beside this file, one
// concept each: WalletMoney (withdraw, exchange), WalletPurchase (buy, resume), WalletGoods (download,
// open), WalletRestore.
//
// Invariant: whatever is about to be sent is in the store first; after a crash `resume` sends the same
// bytes again.

public import Cards
import Foundation
import Logging
public import Messages
import Parties
import Storage

/// What a wallet tells while it works.
public enum WalletEvent: Sendable {
  /// A message went to or came from a peer.
  case message(label: String, from: String, to: String, bytes: Int, milliseconds: Double)
  /// Bytes of goods done, of how many.
  case progress(String, done: UInt64, total: UInt64)
  /// A sentence for a person.
  case note(String)
}

/// An open wallet.
public final class Wallet: Sendable {
  let directory: DataDirectory
  let store: any Store
  let trust: LoadedTrust
  let transport: any PeerLink
  let seed: WalletSeed
  let clock: @Sendable () -> Timestamp
  let surroundings: Surroundings
  let cards: CardSlot
  let report: @Sendable (WalletEvent) -> Void
  let proofs: ProofBook

  init(
    directory: DataDirectory, store: any Store, trust: LoadedTrust, transport: any PeerLink, seed: WalletSeed,
    clock: @escaping @Sendable () -> Timestamp = systemClock, surroundings: Surroundings = .machine,
    cards: CardSource? = nil, report: @escaping @Sendable (WalletEvent) -> Void
  ) {
    (self.directory, self.store, self.trust, self.transport, self.seed) =
      (directory, store, trust, transport, seed)
    (self.clock, self.surroundings, self.report) = (clock, surroundings, report)
    self.cards = CardSlot(cards)
    proofs = ProofBook(trust: trust.list, store: store, transport: transport, clock: clock)
  }

  // MARK: Opening

  /// Makes a wallet in a directory. `mnemonic` nil draws a fresh one.
  /// - Returns: the 24 words, to be written down.
  public static func create(
    _ directory: DataDirectory, trust: [UInt8], ca: [UInt8], mnemonic: String?
  ) throws -> [String] {
    guard !directory.exists("wallet.seed") else {
      throw ServiceError.configuration("\(directory.path) already holds a wallet; nothing was changed")
    }
    _ = try LoadedTrust(trust)
    var entropy: [UInt8]
    if let mnemonic {
      entropy = try Mnemonic.entropy(from: mnemonic, sha256: { Hash(of: $0).bytes })
    } else {
      var generator = SystemRandomNumberGenerator()
      entropy = randomBytes(32, using: &generator)
    }
    try directory.create()
    try directory.write("trust.acd", trust)
    try directory.write("tls/ca.pem", ca)
    try directory.writeConfig(PartyConfig(role: "wallet", name: "wallet"))
    try directory.writeSecret("wallet.seed", entropy)
    return try WalletSeed(entropy: &entropy).mnemonic()
  }

  /// Opens a wallet; close it with `close`. `cards` opens the card, if tokens on one are to be used.
  public static func open(
    _ directory: DataDirectory, proxy: String? = nil, cards: CardSource? = nil,
    report: @escaping @Sendable (WalletEvent) -> Void = { _ in }
  ) throws -> Wallet {
    guard directory.exists("wallet.seed") else {
      throw ServiceError.configuration("\(directory.path) holds no wallet yet: run `acd wallet init` first")
    }
    let trust = try LoadedTrust(try directory.read("trust.acd"))
    try requireCurrent(trust, directory)
    var entropy = try directory.readSecret("wallet.seed", count: 32)
    return Wallet(
      directory: directory, store: try SQLiteStore(path: directory.file("store.sqlite")),
      trust: trust,
      transport: try Transport(caPEM: try directory.read("tls/ca.pem"), proxy: proxy),
      seed: WalletSeed(entropy: &entropy), cards: cards, report: report)
  }

  /// Ends all connections and closes the store.
  public func close() async throws {
    try await transport.shutdown()
    try await store.close()
  }

  /// The account key's public half: what the bank opens an account for.
  public var accountKey: PublicKey { seed.accountKey().publicKey }

  /// The 24 words.
  public func mnemonic() throws -> [String] { try seed.mnemonic() }

  // MARK: Peers

  func entry(_ key: PublicKey) throws -> TrustEntry {
    guard let entry = trust.list.entries.first(where: { $0.key == key && $0.url != nil }) else {
      throw ServiceError.configuration("the trust list has no address for \(key)")
    }
    return entry
  }

  /// The party of this role with this name or key; the only one when `named` is nil. `passive`: an archive
  /// that is only a record.
  func party(_ role: Role, named: String? = nil, passive: Bool = false) throws -> TrustEntry {
    let now = clock()
    let candidates = trust.list.entries.filter { entry in
      entry.role == role && entry.url != nil && (role != .archive || (entry.sealingKey == nil) == passive)
        && (try? trust.list.check(entry.key, as: role, at: now, subject: entry.name)) != nil
        && (named == nil || entry.name == named || entry.key.description.hasPrefix(named!.lowercased()))
    }
    guard let first = candidates.first else {
      throw ServiceError.notFound("the trust list has no \(role.name)\(named.map { " called \($0)" } ?? "")")
    }
    guard candidates.count == 1 || named == nil else {
      throw ServiceError.configuration("\(named!) names more than one \(role.name): give its key")
    }
    return first
  }

  /// Sends a message and returns the answer; nil when the peer only took note of it.
  func exchange(_ bytes: [UInt8], with key: PublicKey) async throws -> [UInt8]? {
    let peer = try entry(key)
    let started = ContinuousClock.now
    let reply = try await transport.send(
      "POST", url: peer.url! + messagesPath, body: bytes, contentType: mediaType(of: bytes))
    let elapsed = started.duration(to: .now)
    let ms = Double(elapsed.components.attoseconds) / 1e15 + Double(elapsed.components.seconds) * 1000
    let me = "customer"
    report(
      .message(label: Self.label(bytes), from: me, to: peer.role.name, bytes: bytes.count, milliseconds: ms))
    guard (200..<300).contains(reply.status) else {
      throw ServiceError.unreachable(
        "\(peer.name) answered HTTP \(reply.status): \(Self.problem(reply.body))")
    }
    guard !reply.body.isEmpty else { return nil }
    report(
      .message(
        label: Self.label(reply.body), from: peer.role.name, to: me, bytes: reply.body.count, milliseconds: 0)
    )
    return reply.body
  }

  static func label(_ bytes: [UInt8]) -> String { (try? MessageType(peeking: bytes).label) ?? "bundle" }

  private static func problem(_ body: [UInt8]) -> String {
    String(decoding: body.prefix(400), as: UTF8.self).replacingOccurrences(of: "\n", with: " ")
  }

  /// Reads an answer that must be `P` by this signer; a signed refusal is thrown.
  func expect<P: Payload>(_ reply: [UInt8]?, from key: PublicKey, for request: [UInt8]) throws -> Verified<P>
  {
    guard let reply else { throw ServiceError.protocolViolation("no answer where \(P.type.label) was due") }
    if let refusal = try? Verified<Refusal>(reply, by: .key(key)) {
      throw RefusedByPeer(refusal: refusal)
    }
    return try Verified<P>(reply, by: .key(key))
  }
}

/// A peer's signed refusal.
public struct RefusedByPeer: Error, CustomStringConvertible {
  let refusal: Verified<Refusal>
  /// The reason's number.
  public var code: UInt64 { refusal.payload.code }
  public var description: String {
    let name = refusal.payload.reason.map { "\($0)" } ?? "reason \(refusal.payload.code)"
    return "refused (\(name)): \(refusal.payload.detail ?? "")"
  }
}
