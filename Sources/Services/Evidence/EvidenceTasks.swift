// Evidence out of a merchant's and a bank's store, whether it runs or not.

import Foundation
public import Messages
import Parties
import Storage

/// All that a merchant kept of a sale.
struct ExportSale: OperatorTask {
  static let name = "evidence"
  /// 32 hexadecimal digits.
  var n: String

  func carryOut(at desk: MerchantDesk) async throws -> EvidenceExport {
    let unknown = ServiceError.notFound("there is no sale \(n)")
    guard let n = TransactionID(hex: n) else { throw unknown }
    return try await desk.store.read { tx in
      guard try tx.machine(kind: MerchantService.kind, key: n.bytes) != nil else { throw unknown }
      var export = EvidenceExport(try tx.signedMessages(kind: MerchantService.kind, key: n.bytes))
      let kept = try tx.messages(kind: MerchantService.kind, key: n.bytes)
      let seeds = kept.filter { $0.label == MerchantService.seedLabel }
      let boxes = kept.filter { $0.label == MerchantService.sealedLabel }
      // They were kept in pairs.
      export.sealings = zip(boxes, seeds).map {
        EvidenceExport.Sealing(box: Data($0.bytes), seed: Data($1.bytes))
      }
      return try export.withProofs(in: tx).withTimestamps(of: MerchantService.kind, n.bytes, in: tx)
    }
  }
}

/// All that a bank kept of a lock: by (M, n), or by L.
struct ExportLock: OperatorTask {
  static let name = "evidence"
  /// In hexadecimal digits: M and n, or L alone.
  var merchant: String?
  var n: String?
  var lock: String?
  private static let pageMax = 500

  func carryOut(at desk: BankDesk) async throws -> EvidenceExport {
    let key = try await rowKey(desk)
    return try await desk.store.read { tx in
      let messages = try tx.lockMessages(key)
      guard !messages.isEmpty else { throw ServiceError.notFound("this bank has made no such lock") }
      return try EvidenceExport(messages + tx.keyList()).withProofs(in: tx)
        .withTimestamps(of: BankService.kind, key, in: tx)
    }
  }

  /// Where the lock is, if the bank has made it.
  func rowKey(_ desk: BankDesk) async throws -> [UInt8] {
    if let merchant = merchant.flatMap(PublicKey.init(hex:)), let n = n.flatMap(TransactionID.init(hex:)) {
      return RowKey.transaction(merchant, n)
    }
    if let name = lock.flatMap(Hash.init(hex:)) {
      for label in LockModes.all.map({ Label($0.lockType) }) + [Label(.jb2)] {
        if let key = try await rowKey(desk, name, label: label) { return key }
      }
    }
    throw ServiceError.notFound("this bank has made no such lock")
  }

  private func rowKey(_ desk: BankDesk, _ lock: Hash, label: Label) async throws -> [UInt8]? {
    var last: Int64 = 0
    while true {
      let after = last
      let page = try await desk.store.read {
        try $0.messages(kind: BankService.kind, label: label.rawValue, after: after, limit: Self.pageMax)
      }
      if let found = page.first(where: { Hash(of: $0.bytes) == lock }) { return found.key }
      guard page.count == Self.pageMax, let end = page.last?.sequence else { return nil }
      last = end
    }
  }
}

extension MerchantOperation {
  /// All that the merchant kept of a sale, for a judge. It holds the key to the goods, committed or not.
  public func evidence(_ n: TransactionID) async throws -> EvidenceExport {
    try await link.carryOut(ExportSale(n: n.description))
  }
}

/// All that a bank kept of a token: every lock and exchange of it, with what became of them.
struct ExportToken: OperatorTask {
  static let name = "token-evidence"
  /// The token's id, in hexadecimal digits.
  var token: String

  func carryOut(at desk: BankDesk) async throws -> EvidenceExport {
    try await desk.store.read { tx in
      guard let id = Hash(hex: token), try tx.token(id.bytes) != nil else {
        throw ServiceError.notFound("this bank has never seen this token")
      }
      var messages: [[UInt8]] = []
      for use in try tx.tokenUses(token: id.bytes) {
        for message in try tx.signedMessages(kind: "use", key: use.message) {
          guard let key = Self.rowKey(message) else {
            messages += [message] + (try tx.claimMessages(Hash(of: message)))
            continue
          }
          messages += try tx.lockMessages(key)
        }
      }
      return try EvidenceExport(messages + tx.keyList()).withProofs(in: tx)
    }
  }

  /// Where the lock of this authorization is; nil for an exchange.
  private static func rowKey(_ message: [UInt8]) -> [UInt8]? {
    // An announcement names no n: the lock that stands beside it does.
    if let lock = try? Verified<A7>(stored: message) {
      return RowKey.transaction(lock.payload.terms.merchant, lock.payload.terms.n)
    }
    func key<P: PurchaseMachine>(_: P.Type) -> [UInt8]? {
      let terms = (try? Verified<AuthorizationQ<P.Mode>>(stored: message))?.payload.terms
      return terms.map { RowKey.transaction($0.merchant, $0.n) }
    }
    return PurchaseMachines.all.lazy.compactMap { key($0) }.first
  }
}

/// The type of what may be a lock, also of a JB2 that several tokens signed.
private func lockType(_ message: [UInt8]) -> MessageType? {
  let type = try? MessageType(peeking: message)
  return type == .coSign && (try? Unverified<JB2>(message)) != nil ? .jb2 : type
}

extension StoreTransaction {
  /// What a bank kept of a lock: its messages, and the Credit.
  fileprivate func lockMessages(_ key: [UInt8]) throws -> [[UInt8]] {
    var messages = try signedMessages(kind: BankService.kind, key: key)
    let locks = LockModes.all.map { $0.lockType } + [.jb2]
    for lock in messages where lockType(lock).map(locks.contains) ?? false {
      for kind in ["credit", BankService.transferKind, BankService.refundsKind] {
        messages += try signedMessages(kind: kind, key: Hash(of: lock).bytes)
      }
      messages += try claimMessages(Hash(of: lock))
    }
    return messages
  }

  /// What was claimed from issuers for a lock or an exchange, with what their tokens are worth.
  fileprivate func claimMessages(_ name: Hash) throws -> [[UInt8]] {
    try claims(of: name).flatMap { claim in
      let list = try PublicKey(claim.data).flatMap { try KeyBook.kept(self, $0) }
      return try signedMessages(kind: BankService.claimKind, key: claim.key) + (list.map { [$0] } ?? [])
    }
  }

  /// What the bank's tokens are worth.
  fileprivate func keyList() throws -> [[UInt8]] { try meta("keylist").map { [$0] } ?? [] }
}

extension BankOperation {
  /// All that the bank kept of a lock, for a judge.
  public func evidence(_ lock: BankLockName) async throws -> EvidenceExport {
    try await link.carryOut(lock.export)
  }

  /// All that the bank kept of a token, for a judge.
  public func evidence(token: Hash) async throws -> EvidenceExport {
    try await link.carryOut(ExportToken(token: token.description))
  }
}
