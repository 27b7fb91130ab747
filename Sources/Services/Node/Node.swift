// What every service stands on: its keys, its store, the trust list, the clock, the way to its peers and
// the outbox.

import Foundation
import Logging
import Messages
import Parties
import Storage

/// Reads the clock: seconds since 1970. Injected, so that tests and the simulator have their own.
typealias Clock = @Sendable () -> Timestamp

/// The machine's clock.
let systemClock: Clock = { Timestamp(max(0, Date().timeIntervalSince1970)) }

/// The common part of a running party.
final class Node: Sendable {
  let identity: Identity
  let directory: DataDirectory
  let store: any Store
  let trust: LoadedTrust
  let clock: Clock
  let transport: any PeerLink
  let logger: Logger
  let tracer: MessageTracer
  let surroundings: Surroundings
  /// The proofs of outcomes.
  let proofs: ProofBook

  init(
    identity: Identity, directory: DataDirectory, store: any Store, trust: LoadedTrust,
    transport: any PeerLink, logger: Logger, tracer: MessageTracer, clock: @escaping Clock = systemClock,
    surroundings: Surroundings = .machine
  ) {
    (self.identity, self.directory, self.store) = (identity, directory, store)
    (self.trust, self.transport, self.logger, self.tracer) = (trust, transport, logger, tracer)
    (self.clock, self.surroundings) = (clock, surroundings)
    proofs = ProofBook(trust: trust.list, store: store, transport: transport, clock: clock)
  }

  /// The address of a party in the trust list.
  func url(of key: PublicKey) -> String? { trust.list.entries.first { $0.key == key && $0.url != nil }?.url }

  /// The name of a party in the trust list, or the start of its key.
  func name(of key: PublicKey) -> String {
    trust.list.entries.first { $0.key == key }?.name ?? String(key.description.prefix(8))
  }

  /// Signs a refusal of `request`.
  func refuse(_ denial: Denial, request: [UInt8]) throws -> [UInt8] {
    let refusal = denial.refusal(of: Hash(of: request), at: clock())
    return try Verified(signing: refusal, with: identity.signing).bytes
  }
}

extension StoreTransaction {
  /// Queues bytes for a party that the trust list knows; the key is the destination.
  func send(_ bytes: [UInt8], to key: PublicKey, at now: Timestamp) throws {
    try enqueue(destination: key.description, path: messagesPath, body: bytes, at: Int64(now))
  }
}

/// Tells, on request, each message as it passes: for `acd demo` and operators. Names and sizes only,
/// never contents.
struct MessageTracer: Sendable {
  /// One line of JSON for each message; nil when nobody listens.
  let write: (@Sendable (String) -> Void)?

  func received(_ bytes: [UInt8], from: String, to: String, milliseconds: Double, reply: [UInt8]?) {
    guard let write else { return }
    write(line(label(bytes), from, to, bytes.count, milliseconds))
    if let reply { write(line(label(reply), to, from, reply.count, 0)) }
  }

  private func label(_ bytes: [UInt8]) -> String {
    if bytes.first == 0xd2 { return (try? MessageType(peeking: bytes).label) ?? "?" }
    if let bundle = try? Messages.Bundle(encoded: bytes) {
      return bundle.messages.map { (try? MessageType(peeking: $0).label) ?? "?" }.joined(separator: " + ")
    }
    return "P4 (sealed)"
  }

  private func line(_ label: String, _ from: String, _ to: String, _ size: Int, _ ms: Double) -> String {
    let value: [String: String] = [
      "label": label, "from": from, "to": to, "bytes": String(size), "ms": String(format: "%.1f", ms),
    ]
    let data = (try? JSONEncoder().encode(value)) ?? Data()
    return String(decoding: data, as: UTF8.self)
  }
}
