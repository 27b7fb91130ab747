// Offline verification of a receipt: crossing into acd/receipt.h, which does all the checks.

internal import CCore

/// What a valid receipt proves.
public struct ReceiptFacts: Equatable, Sendable {
  public let n: TransactionID
  public let merchant: PublicKey
  public let merchantName: String
  public let archive: PublicKey
  public let archiveName: String
  public let pseudonym: PublicKey
  public let lock: Hash
  public let hP1: Hash
  public let price: Money
  public let contractDate: Timestamp
  public let committedAt: Timestamp
  public let lifetime: Timestamp
  /// The trust list has a policy for the archive's log, and the receipt's proof holds under it.
  public let isLogged: Bool
  /// The last time from which on a quorum of witnesses has cosigned the log; nil without.
  public let fresh: Timestamp?
  public let goodsName: String
  public let description: String?
  public let parcel: String?
}

/// A receipt that does not hold: which check failed.
public struct ReceiptFailure: Error, Equatable, CustomStringConvertible {
  /// Stable name: "contract-hash".
  public let check: String
  /// A sentence for a person.
  public let text: String
  /// The core's status name: "authentication".
  public let status: String

  /// "contract-hash: … (authentication)".
  public var description: String { "\(check): \(text) (\(status))" }
}

/// Every check's stable name, in the order in which they are made.
public let receiptCheckNames: [String] = (1..<ACD_CHECK_COUNT.rawValue).map {
  String(cString: acd_receipt_check_name(acd_receipt_check(rawValue: $0)))
}

/// Verifies a receipt against a trust list at a time; `authority` pins the list's signer.
public func verifyReceipt(
  _ receipt: [UInt8], trust: [UInt8], authority: PublicKey? = nil, at now: Timestamp
) throws(ReceiptFailure) -> ReceiptFacts {
  precondition(Core.isReady)
  let longest = max(receipt.count, trust.count, Int(ACD_RECEIPT_SCRATCH_MIN))
  var scratch = [UInt8](repeating: 0, count: longest + Int(ACD_SIGN1_PREFIX))
  let result: Result<ReceiptFacts, ReceiptFailure> = receipt.withUnsafeBytes { receiptBytes in
    trust.withUnsafeBytes { trustBytes in
      var facts = acd_receipt_facts()
      var failed = ACD_CHECK_NONE
      let capacity = scratch.count
      let status = withOptionalBytes(authority?.bytes) { pinned in
        acd_receipt_verify(
          &facts, &failed, receiptBytes.baseAddress, receiptBytes.count, trustBytes.baseAddress,
          trustBytes.count, pinned, now, &scratch, capacity)
      }
      guard status == ACD_OK else {
        return .failure(
          ReceiptFailure(
            check: String(cString: acd_receipt_check_name(failed)),
            text: String(cString: acd_receipt_check_text(failed)),
            status: String(cString: acd_status_name(status))))
      }
      return .success(ReceiptFacts(facts))
    }
  }
  return try result.get()
}

private func withOptionalBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafePointer<UInt8>?) -> R) -> R {
  guard let bytes else { return body(nil) }
  return bytes.withUnsafeBufferPointer { body($0.baseAddress) }
}

extension ReceiptFacts {
  fileprivate init(_ facts: acd_receipt_facts) {
    func bytes<T>(_ tuple: T) -> [UInt8] { withUnsafeBytes(of: tuple) { Array($0) } }
    func text(_ pointer: UnsafePointer<CChar>?, _ length: Int) -> String? {
      guard let pointer else { return nil }
      let raw = UnsafeRawBufferPointer(start: pointer, count: length)
      return String(decoding: raw, as: UTF8.self)
    }
    n = TransactionID(bytes(facts.n))!
    merchant = PublicKey(bytes(facts.merchant))!
    archive = PublicKey(bytes(facts.archive))!
    pseudonym = PublicKey(bytes(facts.pseudonym))!
    lock = Hash(bytes(facts.lock))!
    hP1 = Hash(bytes(facts.h_p1))!
    price = Money(
      currency: String(decoding: bytes(facts.currency).prefix(3), as: UTF8.self), amount: facts.amount)!
    contractDate = facts.contract_date
    committedAt = facts.committed_at
    lifetime = facts.lifetime
    isLogged = facts.is_logged != 0
    fresh = facts.fresh == 0 ? nil : facts.fresh
    merchantName = text(facts.merchant_name, facts.merchant_name_len) ?? ""
    archiveName = text(facts.archive_name, facts.archive_name_len) ?? ""
    goodsName = text(facts.goods_name, facts.goods_name_len) ?? ""
    description = text(facts.description, facts.description_len)
    parcel = text(facts.parcel, facts.parcel_len)
  }
}
