// Serving a party over HTTPS: POST /v1/messages for everything signed, and the party's own documents to read.

import Foundation
import Messages
import Parties
import Storage

/// A party that answers messages.
protocol PartyService: Sendable {
  var node: Node { get }
  /// Answers one message; nil when there is nothing to say but "received".
  /// - Throws: `MessageError` for what is not acceptable at all: answered with a signed refusal.
  func answer(_ incoming: Incoming) async throws -> [UInt8]?
  /// What it serves beside messages.
  var documents: [Route] { get }
  /// All that it serves.
  var routes: [Route] { get }
}

extension PartyService {
  var documents: [Route] { [] }

  var routes: [Route] {
    [
      Route(method: "POST", path: messagesPath) { call in try await self.post(call) }, node.proofs.route,
      .health,
    ] + documents
  }

  private func post(_ call: HTTPCall) async throws -> HTTPReply {
    let started = ContinuousClock.now
    let reply = try await handle(call.body)
    let elapsed = started.duration(to: .now)
    let ms = Double(elapsed.components.attoseconds) / 1e15 + Double(elapsed.components.seconds) * 1000
    node.tracer.received(
      call.body, from: sender(of: call.body), to: node.identity.role.name, milliseconds: ms, reply: reply)
    guard let reply else { return HTTPReply(status: 204, contentType: coseMediaType, body: .bytes([])) }
    return HTTPReply(status: 200, contentType: mediaType(of: reply), body: .bytes(reply))
  }

  /// Answers a body, refusing with a signature what is not acceptable.
  func handle(_ body: [UInt8]) async throws -> [UInt8]? {
    do {
      return try await answer(Incoming(body))
    } catch let error as MessageError {
      return try node.refuse(Denial(error), request: body)
    } catch let error as StorageError {
      throw Problem.storage(error)
    }
  }

  /// Who claims to have sent this: a role for the trace, nothing to rely on.
  private func sender(of body: [UInt8]) -> String {
    guard case .message(let type, _)? = try? Incoming(body) else { return "merchant" }
    return type.signers.first { ![.bank, .archive, .merchant].contains($0) } != nil
      ? "customer" : type.signers.first?.name ?? "?"
  }
}

extension Route {
  /// Says that the party is there.
  static let health = Route(method: "GET", path: "/healthz") { _ in
    HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array("ok\n".utf8)))
  }
}

extension Problem {
  /// What to answer where a route failed. A full disk is told as such on every route, not only where messages
  /// are posted.
  init(of error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let failure as StorageError: self = .storage(failure)
    case let waiting as NotFinal: self = .busy("Not final yet", "\(waiting)")
    default: self = .internal
    }
  }

  /// Nothing was done now; the same request may be later.
  static func busy(_ title: String, _ detail: String) -> Problem {
    Problem(
      status: 503, code: "busy", title: title, detail: detail, money: "safe: nothing was changed",
      next: "Send the same bytes again later.")
  }

  /// What a storage error comes to when the peer is told: nothing was done, try again.
  static func storage(_ error: StorageError) -> Problem {
    switch error {
    case .overloaded, .busy, .closed:
      busy("Too busy", "The request was not processed.")
    case .diskFull:
      Problem(
        status: 507, code: "disk-full", title: "No space left", detail: "The request was not processed.",
        money: "safe: nothing was changed", next: "Send the same bytes again when the operator made room.")
    default:
      Problem(
        status: 500, code: "storage", title: "Storage failure", detail: "The request was not processed.",
        money: "safe: nothing was changed",
        next: "Send the same bytes again; tell the operator if it persists.")
    }
  }
}
