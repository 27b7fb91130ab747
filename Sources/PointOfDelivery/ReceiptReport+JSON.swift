// A report as JSON, for programs: one object on one line, keys sorted, times in ISO 8601 UTC, bytes in
// lowercase hexadecimal. Keys are stable: new ones may join under the same format, none changes its meaning.

internal import Messages

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension ReceiptReport {
  /// The name and version of the JSON form, its key "format".
  public static let jsonFormat = "acd-receipt-report/1"

  /// The report as one line of JSON, without a newline.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(JSONReport(self)), as: UTF8.self)
    } catch {
      preconditionFailure("texts and whole numbers can always be encoded: \(error)")
    }
  }
}

/// The object. "verdict", "check" and "format" are always there; the rest belongs to one of the verdicts.
private struct JSONReport: Encodable {
  struct Party: Encodable {
    var name: String
    var key: String
  }

  struct Price: Encodable {
    var amount: UInt64
    var currency: String
    var text: String
  }

  enum Key: String, CodingKey {
    case format, verdict, check, receipt
    case verifiedAt = "verified_at"
    case status, meaning, action
    case proof, merchant, archive, price, goods, description, parcel, transaction, pseudonym, lock
    case contractHash = "contract_hash"
    case contractDate = "contract_date"
    case committedAt = "committed_at"
    case keptUntil = "kept_until"
    case witnessedAt = "witnessed_at"
    case existedBy = "existed_by"
    case timestampAuthority = "timestamp_authority"
  }

  let report: ReceiptReport

  init(_ report: ReceiptReport) { self.report = report }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(ReceiptReport.jsonFormat, forKey: .format)
    try object.encodeIfPresent(report.receiptHash?.description, forKey: .receipt)
    try object.encodeIfPresent(report.verifiedAt.map(UTCTime.text), forKey: .verifiedAt)
    switch report.verdict {
    case .valid(let facts):
      try object.encode("valid", forKey: .verdict)
      try object.encodeNil(forKey: .check)
      try encode(facts, to: &object)
      try object.encodeIfPresent(report.existedBy.map { UTCTime.text($0.at) }, forKey: .existedBy)
      try object.encodeIfPresent(report.existedBy?.authority, forKey: .timestampAuthority)
    case .refused(let refusal):
      try object.encode("invalid", forKey: .verdict)
      try object.encode(refusal.check, forKey: .check)
      try object.encode(refusal.status, forKey: .status)
      try object.encode(refusal.text, forKey: .meaning)
      try object.encode(ClerkAdvice.action(check: refusal.check), forKey: .action)
    }
  }

  private func encode(_ facts: ReceiptFacts, to object: inout KeyedEncodingContainer<Key>) throws {
    let price = facts.price
    try object.encode(ReceiptReport.proof(facts), forKey: .proof)
    try object.encodeIfPresent(facts.fresh.map(UTCTime.text), forKey: .witnessedAt)
    try object.encode(Party(name: facts.merchantName, key: facts.merchant.description), forKey: .merchant)
    try object.encode(Party(name: facts.archiveName, key: facts.archive.description), forKey: .archive)
    try object.encode(
      Price(amount: price.amount, currency: price.currency, text: price.description), forKey: .price)
    try object.encode(facts.goodsName, forKey: .goods)
    try object.encodeIfPresent(facts.description, forKey: .description)
    try object.encodeIfPresent(facts.parcel, forKey: .parcel)
    try object.encode(facts.n.description, forKey: .transaction)
    try object.encode(facts.pseudonym.description, forKey: .pseudonym)
    try object.encode(facts.lock.description, forKey: .lock)
    try object.encode(facts.hP1.description, forKey: .contractHash)
    try object.encode(UTCTime.text(facts.contractDate), forKey: .contractDate)
    try object.encode(UTCTime.text(facts.committedAt), forKey: .committedAt)
    try object.encode(UTCTime.text(facts.lifetime), forKey: .keptUntil)
  }
}
