// The archive over the wire: sealed P4, cancellations, abort requests, and the public record to read.

import Foundation
import Messages
import Parties
import Storage

/// A running archive.
final class ArchiveService: PartyService {
  let node: Node
  private let desk: ArchiveDesk
  private let invoices: ArchiveInvoices
  private let kick: @Sendable () -> Void

  init(node: Node, route: DepositRoute = .merchant, kick: @escaping @Sendable () -> Void) {
    (self.node, self.kick) = (node, kick)
    desk = ArchiveDesk(node: node)
    invoices = ArchiveInvoices(node: node, desk: desk, keys: KeyBook(node: node), route: route)
  }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    switch incoming {
    case .sealed(let sealed):
      let bundle = try desk.unseal(sealed)
      switch bundle.first {
      case .a8: return try await submitted(AnnouncedMode.self, bundle, in: sealed)
      case .deposit:
        let reply = try await invoices.deposit(bundle, in: sealed)
        kick()
        return reply
      default: return try await submitted(CoreMode.self, bundle, in: sealed)
      }
    case .bundle(let bundle):
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      switch try MessageType(peeking: bundle.messages[1]) {
      case .a7: return try await cancelled(AnnouncedMode.self, bundle)
      default: return try await cancelled(CoreMode.self, bundle)
      }
    case .message(.p3, let bytes): return try await abortRequested(CoreMode.self, bytes)
    case .message(.a7, let bytes): return try await abortRequested(AnnouncedMode.self, bytes)
    case .message(.announcement, let bytes): return try await announce(bytes)
    case .message(.registration, let bytes): return try await invoices.register(bytes)
    case .message(.complaint, let bytes): return try await invoices.complain(bytes)
    case .message(.statusQuery, let bytes):
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    case .message(let type, _):
      throw MessageError(.malformed, "unexpected-type", "\(type.label) at an archive")
    }
  }

  private func submitted<M: ArchiveMode>(
    _: M.Type, _ bundle: Messages.Bundle, in sealed: SealedMessage
  ) async throws -> [UInt8]? {
    let submission = try Submitted<M>(bundle, trust: node.trust.list, at: node.clock())
    return try await decide(submission.p3, request: sealed.encoded(), desk.submitted(submission))
  }

  private func cancelled<M: ArchiveMode>(_: M.Type, _ bundle: Messages.Bundle) async throws -> [UInt8]? {
    let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(node.trust.list, as: .merchant))
    let lock = try Verified<M.LockMessage>(bundle.messages[1], by: .known(node.trust.list, as: .bank))
    return try await decide(lock, request: bundle.encoded(), as: M.self) { machine, _, now, key in
      try machine.cancelled(cancel, at: now, key: key)
    }
  }

  private func abortRequested<M: ArchiveMode>(_: M.Type, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let lock = try Verified<M.LockMessage>(bytes, by: .known(node.trust.list, as: .bank))
    return try await decide(lock, request: bytes, as: M.self) { machine, _, now, key in
      try machine.abortRequested(at: now, key: key)
    }
  }

  private func announce(_ bytes: [UInt8]) async throws -> [UInt8] {
    let message = try Unverified<Announcement>(bytes)
    let announcement = try Verified(message, by: .key(message.claims.token.key))
    return try await node.store.write { [desk] tx in try desk.announce(announcement, in: tx) }
  }

  private func decide<M: ArchiveMode>(
    _ lock: Verified<M.LockMessage>, request: [UInt8], as _: M.Type = M.self,
    _ event: @escaping ArchiveDesk.Event<M>
  ) async throws -> [UInt8]? {
    let reply = try await node.store.write { [desk] tx in
      try desk.decide(lock, in: tx, request: request, event).reply
    }
    kick()
    return reply
  }

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    guard let n = query.payload.n, let merchant = query.payload.merchant else {
      return try node.refuse(
        Denial(.malformed, "the query names no transaction"), request: query.bytes)
    }
    return try await node.store.write { [desk, invoices] tx in
      if let (state, proof) = try invoices.documentation(query, n, merchant, in: tx) {
        return try desk.answer(query, state, proof, at: desk.time(tx))
      }
      return try desk.answer(query, merchant: merchant, n: n, in: tx)
    }
  }

  var documents: [Route] {
    desk.documents + [
      Route(method: "GET", path: "/v1/announcements/:token") { [desk] call in
        try await desk.announcements(call)
      }
    ]
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
