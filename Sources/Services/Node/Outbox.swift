// The outbox: what was persisted to be sent is sent until somebody answered. Back-off with jitter, bounded
// parallelism, no lost and no reordered-by-accident items: receivers are idempotent, so order does not
// matter.
//
// A 2xx, or any signed answer (a Refusal too), ends an item; the answer is handed to the party like a
// message that came in. Everything else is tried again, for at most `ageMax`.

import Foundation
import Messages
import Parties
import Storage

/// The worker that empties a node's outbox.
actor Outbox {
  /// Handles the answer to an item that was delivered.
  typealias Answered = @Sendable (_ request: [UInt8], _ reply: [UInt8]) async -> Void

  private static let parallel = 8
  private static let ageMaxSeconds: Int64 = 60 * 86_400

  private let node: Node
  private let answered: Answered
  private var wake: CheckedContinuation<Void, Never>?
  private var kicked = false

  init(node: Node, answered: @escaping Answered) {
    self.node = node
    self.answered = answered
  }

  /// Something new may be due.
  func kick() {
    kicked = true
    wake?.resume()
    wake = nil
  }

  /// Works until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      kicked = false
      let worked = await drain()
      if !worked && !kicked { await sleep(milliseconds: 500) }
    }
  }

  /// Delivers what is due now; false if nothing was.
  func drain() async -> Bool {
    let now = Int64(node.clock())
    let node = self.node
    guard let due = try? await node.store.read({ try $0.outboxDue(at: now, limit: 64) }), !due.isEmpty else {
      return false
    }
    var delivered = false
    for start in stride(from: 0, to: due.count, by: Self.parallel) {
      await withTaskGroup(of: Bool.self) { group in
        for item in due[start..<min(start + Self.parallel, due.count)] {
          group.addTask { await self.deliver(item) }
        }
        for await result in group { delivered = delivered || result }
      }
    }
    return delivered
  }

  /// Tries to deliver one item; true if that ended it.
  @discardableResult
  nonisolated func deliver(_ item: OutboxItem) async -> Bool {
    guard let key = PublicKey(hex: item.destination), let url = node.url(of: key) else {
      await postpone(item, "the trust list has no address for \(item.destination.prefix(8))")
      return false
    }
    do {
      await node.proofs.show(item.body, to: url)
      let reply = try await node.transport.send(
        "POST", url: url + item.path, body: item.body, contentType: mediaType(of: item.body))
      let isSigned = reply.contentType.hasPrefix(coseMediaType)
      guard isSigned || (200..<300).contains(reply.status) else {
        await postpone(item, "HTTP \(reply.status)")
        return false
      }
      let isAnswer = isSigned || reply.contentType.hasPrefix(cborMediaType)
      if isAnswer && !reply.body.isEmpty { await answered(item.body, reply.body) }
      try await node.store.write { try $0.outboxDone(item.id) }
      return true
    } catch {
      await postpone(item, "\(error)")
      return false
    }
  }

  private nonisolated func postpone(_ item: OutboxItem, _ reason: String) async {
    let now = Int64(node.clock())
    guard now - item.createdAt < Self.ageMaxSeconds else {
      node.logger.error("giving up an undelivered message", metadata: ["to": "\(item.destination)"])
      try? await node.store.write { try $0.outboxDone(item.id) }
      return
    }
    var generator = node.surroundings.randomness
    let delay = Int64(Backoff.outbox.delaySeconds(attempt: item.attempts, using: &generator))
    node.logger.debug("delivery postponed", metadata: ["reason": "\(reason)", "seconds": "\(delay)"])
    try? await node.store.write { try $0.outboxRetry(item.id, nextAttemptAt: now + delay) }
  }

  private func sleep(milliseconds: Int) async {
    let timer = Task { [weak self] in
      try? await Task.sleep(for: .milliseconds(milliseconds))
      await self?.kick()
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if kicked || Task.isCancelled { continuation.resume() } else { wake = continuation }
      }
    } onCancel: {
      Task { await self.kick() }
    }
    timer.cancel()
  }
}
