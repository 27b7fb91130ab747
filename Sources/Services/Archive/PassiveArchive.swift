// A passive archive: a public record without keys (docs/SPEC.md, "Passive archive"). Anybody adds to the
// record of an address and reads it; nobody changes or deletes. It signs nothing and sees no token and no k
// before the bank made it public.
//
// Invariants: what counts at an address can always be added, however much junk is there (attack 12): the
// registration that hashes to the address, the word of its key, and what a trusted bank signed. Everything is
// bounded: an entry, an address, a client, the whole.

import Foundation
import Messages
import Parties
import Storage

/// What a passive archive keeps at most.
struct RegistryLimits: Sendable {
  var entryBytes = 4096
  /// Entries of no account at one address.
  var junkPerAddress = 64
  /// Endorsements by the registered key at one address.
  var wordsPerAddress = 256
  /// What one client may add in a burst, and by the second.
  var clientBytes: UInt64 = 64 * 1024
  var clientBytesPerSecond: UInt64 = 256
  /// Clients that are remembered at a time.
  var clients = 4096
  var totalBytes: UInt64 = 1 << 36
}

/// How much each client may still add: a bucket that fills up again.
struct ClientQuotas: Sendable {
  private struct Bucket {
    var left: UInt64
    var at: Timestamp
  }

  private let limits: RegistryLimits
  private var buckets: [String: Bucket] = [:]

  init(_ limits: RegistryLimits) { self.limits = limits }

  /// Takes so many bytes of a client's quota; false if it is used up.
  mutating func take(_ count: Int, from client: String, at now: Timestamp) -> Bool {
    if buckets[client] == nil && buckets.count >= limits.clients {
      // Full buckets say nothing; among the others the longest unused is forgotten.
      buckets = buckets.filter { filled($0.value, at: now) < limits.clientBytes }
      if buckets.count >= limits.clients, let oldest = buckets.min(by: { $0.value.at < $1.value.at })?.key {
        buckets[oldest] = nil
      }
    }
    let left = buckets[client].map { filled($0, at: now) } ?? limits.clientBytes
    guard left >= UInt64(count) else { return false }
    buckets[client] = Bucket(left: left - UInt64(count), at: now)
    return true
  }

  private func filled(_ bucket: Bucket, at now: Timestamp) -> UInt64 {
    let seconds = now > bucket.at ? now - bucket.at : 0
    return min(limits.clientBytes, bucket.left + min(seconds, 1 << 20) * limits.clientBytesPerSecond)
  }
}

/// A running passive archive.
final class PassiveArchive: PartyService {
  let node: Node
  private let limits: RegistryLimits
  private let quotas: Quotas

  private actor Quotas {
    var value: ClientQuotas
    init(_ limits: RegistryLimits) { value = ClientQuotas(limits) }
    func take(_ count: Int, from client: String, at now: Timestamp) -> Bool {
      value.take(count, from: client, at: now)
    }
  }

  init(node: Node, limits: RegistryLimits = RegistryLimits()) {
    (self.node, self.limits, quotas) = (node, limits, Quotas(limits))
  }

  /// It answers no message: an answer would have to be signed.
  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    throw Problem.badRequest("a passive archive is only a record: post to /v1/registry/:address")
  }

  var routes: [Route] {
    [
      Route(method: "POST", path: "/v1/registry/:address") { call in try await self.add(call) },
      Route(method: "GET", path: "/v1/registry/:address") { call in try await self.read(call) },
      .health,
    ]
  }

  // MARK: Adding

  private static let kind = "registry"
  private static let sizeMark = "registry/bytes"

  /// What an entry is to its address.
  enum Standing: Equatable {
    /// It always finds room.
    case counts
    /// The registered key's word.
    case word
    /// Nothing says that it belongs here.
    case junk
  }

  /// The standing of an entry at an address whose registration is `known`.
  static func standing(
    _ bytes: [UInt8], _ type: MessageType, at address: Hash, known: Registration?, trust: TrustList
  ) -> Standing {
    switch type {
    case .registration:
      return Registration.counting([bytes], at: address) != nil ? .counts : .junk
    case .passiveRecord:
      let message = try? Verified<PassiveRecord>(bytes, by: .known(trust, as: .bank))
      return message?.payload.address == address ? .counts : .junk
    case .endorsement:
      guard let known, let message = try? Verified<Endorsement>(bytes, by: .key(known.tokenKey)) else {
        return .junk
      }
      return message.payload.address == address ? .word : .junk
    default: return .junk
    }
  }

  private func add(_ call: HTTPCall) async throws -> HTTPReply {
    guard let address = call.parameters["address"].flatMap(Hash.init(hex:)) else {
      throw Problem.badRequest("an address is 64 hexadecimal digits")
    }
    let bytes = call.body
    guard bytes.count <= limits.entryBytes else {
      throw Problem.badRequest("an entry has at most \(limits.entryBytes) bytes")
    }
    guard let type = try? MessageType(peeking: bytes),
      [.registration, .endorsement, .passiveRecord].contains(type)
    else { throw Problem.badRequest("an entry is a registration, an endorsement or a bank's record") }
    guard await quotas.take(bytes.count, from: call.client, at: node.clock()) else {
      throw Self.full("client")
    }
    try await node.store.write { [self] tx in try add(bytes, type, at: address, tx) }
    return HTTPReply(status: 204, contentType: coseMediaType, body: .bytes([]))
  }

  private func add(
    _ bytes: [UInt8], _ type: MessageType, at address: Hash, _ tx: any StoreTransaction
  ) throws {
    let entries = try tx.messages(kind: Self.kind, key: address.bytes)
    guard !entries.contains(where: { $0.bytes == bytes }) else { return }
    let known = Registration.counting(entries.map(\.bytes), at: address)
    let standing = Self.standing(bytes, type, at: address, known: known, trust: node.trust.list)
    let same = entries.filter { $0.label == Self.label(standing) }.count
    switch standing {
    case .counts: break
    case .word: guard same < limits.wordsPerAddress else { throw Self.full("address") }
    case .junk: guard same < limits.junkPerAddress else { throw Self.full("address") }
    }
    let size = (try tx.meta(Self.sizeMark).map(RowKey.value) ?? 0) + UInt64(bytes.count)
    guard size <= limits.totalBytes else { throw Self.full("record") }
    try tx.setMeta(Self.sizeMark, RowKey.number(size))
    try tx.append(kind: Self.kind, key: address.bytes, label: Self.label(standing), bytes: bytes)
  }

  private static func label(_ standing: Standing) -> String { "\(standing)" }

  private static func full(_ what: String) -> Problem {
    Problem(
      status: 429, code: "full", title: "No room", detail: "The quota of this \(what) is used up.",
      money: "safe: nothing was changed", next: "Send the same bytes again later.")
  }

  // MARK: Reading

  private static let pageMax = 100

  /// What stands at an address, what counts first: so that nobody has to read through junk.
  private func read(_ call: HTTPCall) async throws -> HTTPReply {
    guard let address = call.parameters["address"].flatMap(Hash.init(hex:)) else {
      throw Problem.badRequest("an address is 64 hexadecimal digits")
    }
    let skip = call.query["skip"].flatMap { Int($0) } ?? 0
    let entries = try await node.store.read { try $0.messages(kind: Self.kind, key: address.bytes) }
    let order = [Standing.counts, .word, .junk].map(Self.label)
    let sorted = order.flatMap { label in entries.filter { $0.label == label } }
    let page = sorted.dropFirst(max(0, skip)).prefix(Self.pageMax).map(\.bytes)
    return HTTPReply(
      status: 200, contentType: cborMediaType, body: .bytes(try Messages.Bundle(Array(page)).encoded()))
  }
}

/// Reading a passive archive's record.
enum Registry {
  static func path(_ address: Hash) -> String { "/v1/registry/\(address)" }

  /// All entries at an address: what counts comes first.
  static func entries(_ address: Hash, at url: String, _ transport: any PeerLink) async throws -> [[UInt8]] {
    var all: [[UInt8]] = []
    for _ in 0..<pagesMax {
      let reply = try await transport.send(
        "GET", url: url + path(address) + "?skip=\(all.count)", body: nil, contentType: nil)
      guard reply.status == 200 else { break }
      let page = try Messages.Bundle(encoded: reply.body).messages
      all += page
      guard !page.isEmpty else { break }
    }
    return all
  }

  private static let pagesMax = 8
}
