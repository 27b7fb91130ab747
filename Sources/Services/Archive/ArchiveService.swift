// The archive over the wire: sealed P4, cancellations, abort requests, the public record to read, and goods
// that it holds for customers.

import Foundation
import Messages
import Parties
import Storage

/// A running archive.
final class ArchiveService: PartyService {
  let node: Node
  private let desk: ArchiveDesk
  private let held: HeldGoods
  private let invoices: ArchiveInvoices
  private let keys: KeyBook
  private let kick: @Sendable () -> Void
  private let keepSeconds: UInt64
  private let log: ArchiveLog?
  private let prunedTokens = PruneCursor(ArchiveInvoices.kind)

  /// `keepSeconds`: for how long after its lifetime a record can be read.
  init(
    node: Node, sendsCopies: Bool = true, keepSeconds: UInt64 = 90 * 86_400, route: DepositRoute = .merchant,
    log: ArchiveLog? = nil, kick: @escaping @Sendable () -> Void
  ) {
    (self.node, self.kick, self.keepSeconds, self.log) = (node, kick, keepSeconds, log)
    desk = ArchiveDesk(
      node: node, sendsCopies: sendsCopies, logs: log != nil, waits: log?.demandsQuorum ?? false)
    held = HeldGoods(node: node)
    keys = KeyBook(node: node)
    invoices = ArchiveInvoices(node: node, desk: desk, keys: keys, route: route)
  }

  /// What is due by itself: goods and records that nobody will ask for any more.
  func tick() async {
    await log?.follow()
    await held.sweep()
    do {
      try await desk.prune(keepSeconds: keepSeconds)
      try await invoices.prune(prunedTokens, keepSeconds: keepSeconds)
    } catch {
      node.logger.error("records could not be pruned", metadata: ["error": "\(error)"])
    }
  }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    switch incoming {
    case .sealed(let sealed):
      let bundle = try desk.unseal(sealed)
      switch bundle.first {
      case .e6: return try await submitted(EarlyMode.self, bundle, sealed)
      case .r9: return try await submitted(RepeatedMode.self, bundle, sealed)
      case .a8: return try await submitted(AnnouncedMode.self, bundle, sealed)
      case .deposit:
        let reply = try await invoices.deposit(bundle, in: sealed)
        kick()
        return reply
      default: return try await submitted(CoreMode.self, bundle, sealed)
      }
    case .bundle(let bundle) where bundle.first == .d1:
      return try await ArchiveDeliveries(node: node).take(bundle)
    case .bundle(let bundle):
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      switch try MessageType(peeking: bundle.messages[1]) {
      case .e3: return try await cancelled(EarlyMode.self, bundle)
      case .r3: return try await cancelled(RepeatedMode.self, bundle)
      case .a7: return try await cancelled(AnnouncedMode.self, bundle)
      default: return try await cancelled(CoreMode.self, bundle)
      }
    case .message(.p3, let bytes): return try await abortRequested(CoreMode.self, bytes)
    case .message(.e3, let bytes): return try await abortRequested(EarlyMode.self, bytes)
    case .message(.r3, let bytes): return try await abortRequested(RepeatedMode.self, bytes)
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
    _: M.Type, _ bundle: Messages.Bundle, _ sealed: SealedMessage
  ) async throws -> [UInt8]? {
    let submission = try desk.read(M.self, bundle)
    return try await decide(submission.p3, request: sealed.encoded(), desk.submitted(submission))
  }

  private func cancelled<M: ArchiveMode>(_: M.Type, _ bundle: Messages.Bundle) async throws -> [UInt8]? {
    let trust = node.trust.list
    let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(trust, as: .merchant))
    let lock = try Verified<M.LockMessage>(bundle.messages[1], by: .known(trust, as: .bank))
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
    let facts = try await keys.facts(announcement.payload.token)
    return try await node.store.write { [desk] tx in try desk.announce(announcement, facts, in: tx) }
  }

  private func decide<M: ArchiveMode>(
    _ lock: Verified<M.LockMessage>, request: [UInt8], as _: M.Type = M.self,
    _ event: @escaping ArchiveDesk.Event<M>
  ) async throws -> [UInt8]? {
    try await log?.requireSound()
    let reply = try await node.store.write { [desk] tx in
      try desk.decide(lock, in: tx, request: request, event).reply
    }
    await log?.follow()
    kick()
    try await log?.requireFinal(lock.hash)
    return reply
  }

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    if query.payload.after != nil { return try await desk.readRecord(query) }
    guard let n = query.payload.n, let merchant = query.payload.merchant else {
      return try node.refuse(
        Denial(.malformed, "the query names no transaction"), request: query.bytes)
    }
    return try await node.store.write { [desk, invoices] tx in
      if let (state, proof) = try invoices.documentation(query, n, merchant, in: tx) {
        return try desk.answer(query.hash, state, proof, at: desk.stamp(tx))
      }
      return try desk.answer(query, merchant: merchant, n: n, in: tx)
    }
  }

  var documents: [Route] {
    desk.documents + held.documents + (log?.documents ?? []) + [
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
