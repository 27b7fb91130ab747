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
      return export
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
    guard let key = try await rowKey(desk) else {
      throw ServiceError.notFound("this bank has made no such lock")
    }
    return try await desk.store.read { tx in
      var messages = try tx.signedMessages(kind: BankService.kind, key: key)
      guard !messages.isEmpty else { throw ServiceError.notFound("this bank has made no such lock") }
      let locks = LockModes.all.map { $0.lockType }
      for lock in messages where (try? MessageType(peeking: lock)).map(locks.contains) ?? false {
        messages += try tx.signedMessages(kind: "credit", key: Hash(of: lock).bytes)
      }
      // What the tokens are worth.
      if let list = try tx.meta("keylist") { messages.append(list) }
      return EvidenceExport(messages)
    }
  }

  private func rowKey(_ desk: BankDesk) async throws -> [UInt8]? {
    if let merchant = merchant.flatMap(PublicKey.init(hex:)), let n = n.flatMap(TransactionID.init(hex:)) {
      return RowKey.transaction(merchant, n)
    }
    guard let lock = lock.flatMap(Hash.init(hex:)) else { return nil }
    for mode in LockModes.all {
      if let key = try await rowKey(desk, lock, label: Label(mode.lockType)) { return key }
    }
    return nil
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

extension BankOperation {
  /// All that the bank kept of the lock of (M, n), for a judge.
  public func evidence(merchant: PublicKey, n: TransactionID) async throws -> EvidenceExport {
    try await link.carryOut(ExportLock(merchant: merchant.description, n: n.description))
  }

  /// All that the bank kept of lock L, for a judge.
  public func evidence(lock: Hash) async throws -> EvidenceExport {
    try await link.carryOut(ExportLock(lock: lock.description))
  }
}
