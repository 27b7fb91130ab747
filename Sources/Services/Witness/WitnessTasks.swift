// What a merchant's or a bank's operator has to do with witnesses. The lock and the sealed submission come
// out of the party's store, the witnesses are asked by the operator's own process, and the certificates go
// back into the store: whether the party runs or not.

import Foundation
public import Messages
import Parties
import Storage

/// Reads what a merchant can have witnesses ask about a sale.
struct SaleQuestion: OperatorTask {
  static let name = "witness-question"
  /// 32 hexadecimal digits.
  var n: String
  var request: WitnessRequest

  func carryOut(at desk: MerchantDesk) async throws -> WitnessQuestion {
    let unknown = ServiceError.notFound("there is no sale \(n)")
    guard let n = TransactionID(hex: n) else { throw unknown }
    let kept = try await desk.store.read { tx -> [StoredMessage] in
      guard try tx.machine(kind: MerchantService.kind, key: n.bytes) != nil else { throw unknown }
      return try tx.messages(kind: MerchantService.kind, key: n.bytes)
    }
    let lock = try lockMessage(in: kept, "sale \(n)")
    switch request {
    case .abort: return WitnessQuestion(lock: lock, request: lock)
    case .submission:
      guard let sealed = kept.last(where: { $0.label == MerchantService.sealedLabel }) else {
        throw ServiceError.notFound("nothing of sale \(n) was submitted to an archive")
      }
      return WitnessQuestion(lock: lock, request: sealed.bytes)
    case .status: throw ServiceError.configuration("the status of a sale is the customer's question")
    }
  }
}

/// Reads what a bank can have witnesses ask about a lock.
struct LockQuestion: OperatorTask {
  static let name = "witness-question"
  var lock: ExportLock

  func carryOut(at desk: BankDesk) async throws -> WitnessQuestion {
    let key = try await lock.rowKey(desk)
    let kept = try await desk.store.read { try $0.messages(kind: BankService.kind, key: key) }
    let lock = try lockMessage(in: kept, "this lock")
    return WitnessQuestion(lock: lock, request: lock)
  }
}

private func lockMessage(in kept: [StoredMessage], _ what: String) throws -> [UInt8] {
  let labels = Set(LockModes.all.map { $0.lockType.label })
  guard let lock = kept.last(where: { labels.contains($0.label) }) else {
    throw ServiceError.notFound("\(what) has no lock that an archive could end")
  }
  return lock.bytes
}

/// Keeps certificates with a sale, as evidence: of witnesses, and of timestamp authorities.
struct KeepWithSale: OperatorTask {
  static let name = "keep-certificates"
  /// 32 hexadecimal digits.
  var n: String
  var messages: [Data]

  func carryOut(at desk: MerchantDesk) async throws -> Done {
    guard let n = TransactionID(hex: n) else { throw ServiceError.notFound("there is no sale \(n)") }
    return try await keep(messages, desk.store, kind: MerchantService.kind, key: n.bytes)
  }
}

/// The same with a bank's lock.
struct KeepWithLock: OperatorTask {
  static let name = "keep-certificates"
  var lock: ExportLock
  var messages: [Data]

  func carryOut(at desk: BankDesk) async throws -> Done {
    try await keep(messages, desk.store, kind: BankService.kind, key: try await lock.rowKey(desk))
  }
}

private func keep(_ messages: [Data], _ store: any Store, kind: String, key: [UInt8]) async throws -> Done {
  try await store.write { tx in
    guard try tx.machine(kind: kind, key: key) != nil else {
      throw ServiceError.notFound("there is no such sale")
    }
    for bytes in messages.prefix(64) {
      // As certificates only: whatever else came in changes a machine, and not by this way.
      if (try? EvidenceTimestamp(encoded: Array(bytes))) != nil {
        try tx.append(kind: kind, key: key, label: Timestamps.label, bytes: Array(bytes))
        continue
      }
      _ = try Unverified<NonResponse>(Array(bytes))
      try tx.keep(.nonResponse, Array(bytes), kind: kind, key: key)
    }
  }
  return Done()
}

// MARK: From the operator's process

/// Asks witnesses for a merchant or a bank.
struct WitnessErrand: Sendable {
  let directory: DataDirectory
  let question: WitnessQuestion
  let keep: @Sendable ([Data]) async throws -> Void

  func ask(named names: [String]) async throws -> [WitnessReport] {
    try await withClient { client, _ in try await ask(client, names) }
  }

  /// Certificates, the witnesses' abort over them, and the abort to the bank and to whoever asks.
  func abort() async throws -> [WitnessReport] {
    try await withClient { client, trust in
      let lock = try WitnessedLock(Array(question.lock), trust: trust)
      try requireOver(lock.terms, at: systemClock())
      let reports = try await ask(client, [])
      let abort = try await client.abort(lock.bytes, reports)
      let own = try Identity.load(directory).key
      for key in [lock.bank] + (own == lock.bank ? [] : [own]) {
        guard let url = trust.entries.first(where: { $0.key == key && $0.url != nil })?.url else { continue }
        let reply = try await client.transport.send(
          "POST", url: url + messagesPath, body: abort.bytes, contentType: coseMediaType)
        guard (200..<300).contains(reply.status), (try? Verified<Refusal>(reply.body, by: .key(key))) == nil
        else { throw ServiceError.protocolViolation("\(url) did not take the witnesses' abort") }
      }
      return reports
    }
  }

  private func ask(_ client: WitnessClient, _ names: [String]) async throws -> [WitnessReport] {
    let reports = try await client.ask(question, named: names)
    try await keep(reports.compactMap(\.certificate))
    return reports
  }

  private func withClient<T>(
    _ body: (WitnessClient, TrustList) async throws -> T
  ) async throws -> T {
    let trust = try LoadedTrust(try directory.read("trust.acd"))
    try requireCurrent(trust, directory)
    let transport = try Transport(caPEM: try directory.read("tls/ca.pem"))
    let client = WitnessClient(trust: trust.list, transport: transport, clock: systemClock)
    do {
      let result = try await body(client, trust.list)
      try await transport.shutdown()
      return result
    } catch {
      try await transport.shutdown()
      throw error
    }
  }
}

extension MerchantOperation {
  /// Has witnesses ask a sale's archive: for the outcome, or by the sealed submission. The certificates are
  /// kept with the sale.
  public func askWitnesses(
    _ n: TransactionID, for request: WitnessRequest, named names: [String] = []
  ) async throws -> [WitnessReport] {
    try await errand(n, request).ask(named: names)
  }

  /// Has the witnesses abort a sale whose lifetime is over, and shows their abort to the bank.
  public func abortByWitnesses(_ n: TransactionID) async throws -> [WitnessReport] {
    try await errand(n, .abort).abort()
  }

  private func errand(_ n: TransactionID, _ request: WitnessRequest) async throws -> WitnessErrand {
    let question = try await link.carryOut(SaleQuestion(n: n.description, request: request))
    return WitnessErrand(directory: directory, question: question) { [link] certificates in
      _ = try await link.carryOut(KeepWithSale(n: n.description, messages: certificates))
    }
  }
}

extension BankOperation {
  /// Has witnesses ask the archive of lock (M, n), or L, for its outcome. The certificates are kept with it.
  public func askWitnesses(_ lock: BankLockName, named names: [String] = []) async throws -> [WitnessReport] {
    try await errand(lock).ask(named: names)
  }

  /// Has the witnesses abort a lock whose lifetime is over, and releases it by their abort.
  public func abortByWitnesses(_ lock: BankLockName) async throws -> [WitnessReport] {
    try await errand(lock).abort()
  }

  private func errand(_ name: BankLockName) async throws -> WitnessErrand {
    let lock = name.export
    let question = try await link.carryOut(LockQuestion(lock: lock))
    return WitnessErrand(directory: directory, question: question) { [link] certificates in
      _ = try await link.carryOut(KeepWithLock(lock: lock, messages: certificates))
    }
  }
}

/// How an operator names a lock.
public enum BankLockName: Sendable {
  case transaction(merchant: PublicKey, n: TransactionID)
  /// L.
  case hash(Hash)

  var export: ExportLock {
    switch self {
    case .transaction(let merchant, let n):
      ExportLock(merchant: merchant.description, n: n.description, lock: nil)
    case .hash(let lock): ExportLock(merchant: nil, n: nil, lock: lock.description)
    }
  }
}
