// The archive over the wire: sealed P4, cancellations, abort requests, and the public record to read.

import Foundation
import Messages
import Parties
import Storage

/// A running archive.
final class ArchiveService: PartyService {
  let node: Node
  private let kick: @Sendable () -> Void

  init(node: Node, kick: @escaping @Sendable () -> Void) { (self.node, self.kick) = (node, kick) }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    let trust = node.trust.list
    switch incoming {
    case .sealed(let sealed): return try await submit(sealed)
    case .bundle(let bundle):
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(trust, as: .merchant))
      let p3 = try Verified<P3>(bundle.messages[1], by: .known(trust, as: .bank))
      return try await decide(p3, request: bundle.encoded()) { machine, _, now, key in
        try machine.cancelled(cancel, at: now, key: key)
      }
    case .message(.p3, let bytes):
      let p3 = try Verified<P3>(bytes, by: .known(trust, as: .bank))
      return try await decide(p3, request: bytes) { machine, _, now, key in
        try machine.abortRequested(at: now, key: key)
      }
    case .message(.statusQuery, let bytes):
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    case .message(let type, _):
      throw MessageError(.malformed, "unexpected-type", "\(type.label) at an archive")
    }
  }

  private func submit(_ sealed: SealedMessage) async throws -> [UInt8]? {
    let plain = try node.identity.sealing.open(sealed.box)
    let submission = try Submission(Messages.Bundle(encoded: plain), trust: node.trust.list, at: node.clock())
    let p3 = submission.p3
    return try await decide(p3, request: sealed.encoded()) { machine, tx, now, key in
      let other = try tx.records(
        merchant: p3.payload.terms.merchant.bytes, n: p3.payload.terms.n.bytes
      ).first { $0.kind == .commit && $0.lock != p3.hash.bytes }
      return try machine.submitted(submission, otherCommit: other?.body, at: now, key: key)
    }
  }

  private typealias Event =
    @Sendable (
      inout ArchiveTransaction, any StoreTransaction, Timestamp, borrowing SigningKey
    ) throws -> [ArchiveEffect]

  /// One durable step: take up the lock, decide, publish, queue copies.
  private func decide(
    _ p3: Verified<P3>, request: [UInt8], _ event: @escaping Event
  ) async throws -> [UInt8]? {
    let reply = try await node.store.write { [self] tx in
      // Sequencing time: never earlier than the record before, whatever the clock does.
      let now = max(node.clock(), try tx.lastRecord().map { UInt64($0.at) } ?? 0)
      let known = try tx.record(lock: p3.hash.bytes).map { try Outcome(stored: $0.body) }
      var machine = ArchiveTransaction(p3, outcome: known)
      let effects = try event(&machine, tx, now, node.identity.signing)
      return try apply(tx, effects, request: request, at: now)
    }
    kick()
    return reply
  }

  private func apply(
    _ tx: any StoreTransaction, _ effects: [ArchiveEffect], request: [UInt8], at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .publish(let outcome, let lock):
        let isCommit = if case .committed = outcome { true } else { false }
        try tx.appendRecord(
          merchant: lock.terms.merchant.bytes, n: lock.terms.n.bytes, lock: lock.name.bytes,
          kind: isCommit ? .commit : .abort, at: Int64(now), body: outcome.bytes)
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: now)
      }
    }
    return reply
  }

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.read { [self] tx in
      guard let n = query.payload.n, let merchant = query.payload.merchant else {
        return try node.refuse(
          Denial(.malformed, "the query names no transaction"), request: query.bytes)
      }
      let records = try tx.records(merchant: merchant.bytes, n: n.bytes)
      let state: TransactionState =
        records.contains { $0.kind == .commit } ? .committed : records.isEmpty ? .open : .aborted
      let answer = StatusAnswer(
        at: now, hQuery: query.hash, proof: records.prefix(16).map(\.body), state: state)
      return try Verified(signing: answer, with: node.identity.signing).bytes
    }
  }

  // MARK: The public record

  var documents: [Route] {
    [
      Route(method: "GET", path: "/v1/records/:merchant/:n") { call in try await self.lookUp(call) },
      Route(method: "GET", path: "/v1/records") { call in try await self.range(call) },
    ]
  }

  /// All outcomes of (M, n), as a bundle.
  private func lookUp(_ call: HTTPCall) async throws -> HTTPReply {
    guard let merchant = call.parameters["merchant"].flatMap(PublicKey.init(hex:)),
      let n = call.parameters["n"].flatMap(TransactionID.init(hex:))
    else { throw Problem.badRequest("M is 64 and n 32 hexadecimal digits") }
    let records = try await node.store.read { try $0.records(merchant: merchant.bytes, n: n.bytes) }
    return HTTPReply(
      status: 200, contentType: cborMediaType,
      body: .bytes(try Messages.Bundle(records.map(\.body)).encoded()))
  }

  /// Outcomes after a sequence number: for banks and merchants that poll.
  private func range(_ call: HTTPCall) async throws -> HTTPReply {
    let after = call.query["after"].flatMap { Int64($0) } ?? 0
    let records = try await node.store.read { try $0.records(after: after, limit: 100) }
    return HTTPReply(
      status: 200, contentType: cborMediaType,
      body: .bytes(try Messages.Bundle(records.map(\.body)).encoded()))
  }
}

extension Problem {
  /// A request that makes no sense.
  static func badRequest(_ detail: String) -> Problem {
    Problem(
      status: 400, code: "bad-request", title: "Bad request", detail: detail,
      money: "safe: nothing was changed", next: "Correct the request.")
  }

  static func notFound(_ detail: String) -> Problem {
    Problem(
      status: 404, code: "not-found", title: "Not found", detail: detail,
      money: "safe: nothing was changed", next: "Check what you asked for.")
  }
}
