// The witness over the wire: a party hands it a lock and a request to that lock's archive; the witness sends
// the request, waits, and certifies what came back. After a lifetime it signs the witnesses' abort.
//
// An inquiry outlives the call that asked for it: the asker gets nothing at first (204) and asks again with
// the same bytes until the certificate is there. Invariants: an inquiry is in the store before anything is
// sent; after a restart every open one is sent anew; the number of open inquiries, and of certificates for
// each lock, is bounded.

import Foundation
import Messages
import Parties
import Storage

/// A running witness.
final class WitnessService: PartyService {
  let node: Node
  private let running = RunningInquiries()
  private let queue = AsyncStream.makeStream(of: [UInt8].self)

  private let cosigners: [LogCosigner]

  init(node: Node) {
    self.node = node
    cosigners = [LogCosigner(node, follows: false), LogCosigner(node, follows: true)].compactMap { $0 }
  }

  var documents: [Route] { cosigners.flatMap(\.routes) }

  // MARK: Asking

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    let trust = node.trust.list
    switch incoming {
    case .message(_, let bytes):
      let lock = try WitnessedLock(bytes, trust: trust)
      return try await ask(Inquiry(lock, request: bytes, trust: trust))
    case .bundle(let bundle):
      guard bundle.messages.count >= 2 else { throw MessageError(.malformed, "field-range", "inquiry") }
      let lock = try WitnessedLock(bundle.messages[0], trust: trust)
      if (try? MessageType(peeking: bundle.messages[1])) == .nonResponse {
        return try await abort(lock, Array(bundle.messages.dropFirst()), request: bundle.encoded())
      }
      guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "inquiry") }
      return try await ask(Inquiry(lock, request: bundle.messages[1], trust: trust))
    case .sealed:
      throw MessageError(.malformed, "unexpected-type", "a witness takes a submission with its lock only")
    }
  }

  private func ask(_ inquiry: Inquiry) async throws -> [UInt8]? {
    guard node.url(of: inquiry.lock.terms.archive) != nil else {
      return try node.refuse(
        Denial(.unsupported, "the trust list has no address for this archive"), request: inquiry.request)
    }
    let key = Self.key(inquiry)
    guard await running.hasRoom(for: key) else { throw Problem.storage(.overloaded) }
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      let known = try tx.machine(kind: Self.kind, key: key) != nil
      let made = try tx.messages(kind: Self.certificates, key: inquiry.lock.name.bytes).count
      let isLast = made >= Self.certificatesMax
      guard known || !isLast else {
        let denial = Denial(.limit, "this witness has certified enough about this lock")
        return try node.refuse(denial, request: inquiry.request)
      }
      var machine = try load(inquiry, tx)
      try tx.append(kind: Self.kind, key: key, label: Self.lockLabel, bytes: inquiry.lock.bytes)
      try tx.append(kind: Self.kind, key: key, label: Self.requestLabel, bytes: inquiry.request)
      return try apply(machine.asked(at: node.clock(), isLast: isLast), inquiry, tx).reply
    }
    if reply == nil { queue.continuation.yield(key) }
    return reply
  }

  /// [P3, NR, …]: the witnesses' abort. The same lock gets the same P5c.
  private func abort(_ lock: WitnessedLock, _ certificates: [[UInt8]], request: [UInt8]) async throws
    -> [UInt8]
  {
    let inquiry = try Inquiry(lock, request: lock.bytes, trust: node.trust.list)
    return try await node.store.write { [self] tx in
      // Attack 4: a commit that was final before the lifetime's end is in the log, though its archive died
      // then.
      if try cosigners.contains(where: { try $0.hasSeenCommit(of: lock, in: tx) }) {
        let denial = Denial(.mismatch, "the archive's log has a commit of this lock")
        return try node.refuse(denial, request: request)
      }
      let own = try tx.messages(kind: Self.certificates, key: lock.name.bytes)
      if let known = own.first(where: { $0.label == Label.p5c.rawValue }) { return known.bytes }
      let seen = own.compactMap { try? Verified<NonResponse>(stored: $0.bytes).payload.answer }
        .filter { inquiry.lock.isOutcome($0) }
      let now = node.clock()
      let abort: Verified<P5c>
      do throws(Denial) {
        abort = try WitnessAbort.sign(
          lock, certificates: certificates, seen: seen, trust: node.trust.list, at: now,
          key: node.identity.signing)
      } catch { return try node.refuse(error, request: request) }
      try keep(.p5c, abort.bytes, of: lock, tx)
      return abort.bytes
    }
  }

  // MARK: Work

  /// Carries inquiries out until the task is cancelled; those first that were open when the witness stopped.
  func work() async {
    do { for key in try await openInquiries() { queue.continuation.yield(key) } } catch {
      node.logger.error("open inquiries cannot be taken up", metadata: ["error": "\(error)"])
    }
    await withDiscardingTaskGroup { group in
      for await key in queue.stream { group.addTask { await self.carryOut(key) } }
    }
  }

  /// Takes no more work: what is open is taken up by the next start.
  func stop() { queue.continuation.finish() }

  private func openInquiries() async throws -> [[UInt8]] {
    try await node.store.read { tx in
      try [InquiryPhase.asked, .waiting].flatMap {
        try tx.machines(kind: Self.kind, phase: $0.rawValue, after: nil, limit: RunningInquiries.max).map(
          \.key)
      }
    }
  }

  private func carryOut(_ key: [UInt8]) async {
    guard await running.begin(key) else { return }
    do {
      // A clock that is set back meanwhile makes the waiting begin again.
      while !Task.isCancelled, try await !isCertified(key) {}
    } catch {
      if !Task.isCancelled {
        node.logger.error("an inquiry could not go on", metadata: ["error": "\(error)"])
      }
    }
    await running.end(key)
  }

  /// One stretch of sending and waiting. True when the certificate is there.
  private func isCertified(_ key: [UInt8]) async throws -> Bool {
    let inquiry = try await inquiry(key)
    var machine = try await node.store.read { [self] tx in try load(inquiry, tx) }
    guard machine.phase != .certified else { return true }
    let effects = machine.begins(at: node.clock(), trust: node.trust.list)
    let until = try await node.store.write { [self] tx in try apply(effects, inquiry, tx).until }
    let answer = try await deliver(inquiry, until: until ?? 0)
    if Task.isCancelled { return false }
    let now = node.clock()
    let last =
      if let answer {
        try machine.received(answer, at: now, key: node.identity.signing)
      } else {
        try machine.over(at: now, trust: node.trust.list, key: node.identity.signing)
      }
    try await node.store.write { [self] tx in _ = try apply(last, inquiry, tx) }
    return machine.phase == .certified
  }

  /// Sends the request until the archive answers or the time is over.
  /// Who cannot wait any more is at its end, and certifies nothing.
  private func deliver(_ inquiry: Inquiry, until end: Timestamp) async throws -> [UInt8]? {
    guard let url = node.url(of: inquiry.lock.terms.archive) else { return nil }
    let now = node.clock()
    let patience = Int(clamping: end > now ? (end - now) * 1000 : 0)
    return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      group.addTask { try await self.send(inquiry, to: url) }
      group.addTask {
        try await self.node.surroundings.pause(patience)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  private func send(_ inquiry: Inquiry, to url: String) async throws -> [UInt8]? {
    var pause = 100
    while !Task.isCancelled {
      let reply = try? await node.transport.send(
        "POST", url: url + messagesPath, body: inquiry.request, contentType: mediaType(of: inquiry.request))
      if let reply, inquiry.isAnswered(by: reply.body) { return reply.body }
      try await node.surroundings.pause(pause)
      pause = min(pause * 2, 1000)
    }
    return nil
  }

  // MARK: Store

  private static let kind = "inquiry"
  /// All certificates of a lock, by L.
  private static let certificates = "certificate"
  private static let (lockLabel, requestLabel) = ("Lock", "Request")
  /// How many certificates one lock gets.
  static let certificatesMax = 32

  private static func key(_ inquiry: Inquiry) -> [UInt8] { inquiry.lock.name.bytes + inquiry.name.bytes }

  private func inquiry(_ key: [UInt8]) async throws -> Inquiry {
    let trust = node.trust.list
    return try await node.store.read { tx in
      guard let lock = try tx.message(kind: Self.kind, key: key, label: Self.lockLabel),
        let request = try tx.message(kind: Self.kind, key: key, label: Self.requestLabel)
      else { throw StorageError.corrupt(reason: "an inquiry without its request") }
      return try Inquiry(WitnessedLock(lock, trust: trust), request: request, trust: trust)
    }
  }

  private func load(_ inquiry: Inquiry, _ tx: any StoreTransaction) throws -> WitnessInquiry {
    let key = Self.key(inquiry)
    guard let row = try tx.machine(kind: Self.kind, key: key) else { return WitnessInquiry(inquiry) }
    guard let phase = InquiryPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of an inquiry")
    }
    return try WitnessInquiry(
      inquiry, phase: phase,
      certificate: tx.message(kind: Self.kind, key: key, label: Label.nonResponse.rawValue))
  }

  private func apply(
    _ effects: [WitnessEffect], _ inquiry: Inquiry, _ tx: any StoreTransaction
  ) throws -> (reply: [UInt8]?, until: Timestamp?) {
    let key = Self.key(inquiry)
    var (reply, until): ([UInt8]?, Timestamp?) = (nil, nil)
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.kind, key: key)
        try keep(label, bytes, of: inquiry.lock, tx)
      case .enter(let phase):
        try tx.putMachine(MachineRow(kind: Self.kind, key: key, phase: phase.rawValue, data: []))
      case .deliver(let end): until = end
      case .reply(let bytes): reply = bytes
      }
    }
    return (reply, until)
  }

  private func keep(
    _ label: Label, _ bytes: [UInt8], of lock: WitnessedLock, _ tx: any StoreTransaction
  ) throws { try tx.keep(label, bytes, kind: Self.certificates, key: lock.name.bytes) }
}

/// Which inquiries are under way, so that none runs twice and there are not too many.
private actor RunningInquiries {
  static let max = 256
  private var keys: Set<[UInt8]> = []

  func hasRoom(for key: [UInt8]) -> Bool { keys.contains(key) || keys.count < Self.max }
  func begin(_ key: [UInt8]) -> Bool { keys.insert(key).inserted }
  func end(_ key: [UInt8]) { keys.remove(key) }
}
