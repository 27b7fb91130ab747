// The archive over the wire: sealed P4, cancellations, abort requests, and the public record to read.

import Foundation
import Messages
import Parties
import Storage

/// A running archive.
final class ArchiveService: PartyService {
  let node: Node
  private let desk: ArchiveDesk
  private let kick: @Sendable () -> Void

  init(node: Node, kick: @escaping @Sendable () -> Void) {
    (self.node, self.kick) = (node, kick)
    desk = ArchiveDesk(node: node)
  }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    let trust = node.trust.list
    switch incoming {
    case .sealed(let sealed):
      let submission = try desk.read(CoreMode.self, desk.unseal(sealed))
      return try await decide(submission.p3, request: sealed.encoded(), desk.submitted(submission))
    case .bundle(let bundle):
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "Cancel bundle") }
      let cancel = try Verified<Cancel>(bundle.messages[0], by: .known(trust, as: .merchant))
      let p3 = try Verified<P3>(bundle.messages[1], by: .known(trust, as: .bank))
      return try await decide(p3, request: bundle.encoded(), as: CoreMode.self) { machine, _, now, key in
        try machine.cancelled(cancel, at: now, key: key)
      }
    case .message(.p3, let bytes):
      let p3 = try Verified<P3>(bytes, by: .known(trust, as: .bank))
      return try await decide(p3, request: bytes, as: CoreMode.self) { machine, _, now, key in
        try machine.abortRequested(at: now, key: key)
      }
    case .message(.statusQuery, let bytes):
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    case .message(let type, _):
      throw MessageError(.malformed, "unexpected-type", "\(type.label) at an archive")
    }
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
    return try await node.store.write { [desk] tx in
      try desk.answer(query, merchant: merchant, n: n, in: tx)
    }
  }

  var documents: [Route] { desk.documents }
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
