// What a verification came to, for people and for programs. The JSON form is in ReceiptReport+JSON.swift.
//
// Invariants: "valid" is said only of facts that `verifyReceipt` returned; what others wrote (names,
// descriptions) reaches a terminal only through `printable`.

public import Messages

/// The result of verifying one receipt.
public struct ReceiptReport: Equatable, Sendable {
  /// Valid with what it proves, or refused.
  public enum Verdict: Equatable, Sendable {
    case valid(ReceiptFacts)
    case refused(Refusal)
  }

  /// Which check failed: one of the core's (`receiptCheckNames`), or "receipt-text" or "input".
  public struct Refusal: Equatable, Sendable {
    /// Stable name: "contract-hash".
    public let check: String
    /// A sentence for a person.
    public let text: String
    /// How it failed, a stable name too: "authentication".
    public let status: String
  }

  /// What the verdict rests on, strongest last. More levels may join; readers must accept unknown ones.
  public static func proof(_ facts: ReceiptFacts) -> [String] {
    ["archive-signature"] + (facts.isLogged ? ["log"] : []) + (facts.fresh == nil ? [] : ["witnesses"])
  }

  /// The result.
  public let verdict: Verdict
  /// As of when it was verified; nil when it did not come to that.
  public let verifiedAt: Timestamp?
  /// SHA-256 of the receipt's bytes; nil when there were none.
  public let receiptHash: Hash?
  /// By when the commit existed, as a timestamp authority says; nil where nobody was asked.
  public private(set) var existedBy: (authority: String, at: Timestamp)?

  /// Verifies `receipt` and reports. Never fails: a refusal is a report too.
  public init(verifying receipt: [UInt8], trust: [UInt8], authority: PublicKey? = nil, at now: Timestamp) {
    verifiedAt = now
    receiptHash = Hash(of: receipt)
    do throws(ReceiptFailure) {
      verdict = .valid(try verifyReceipt(receipt, trust: trust, authority: authority, at: now))
    } catch {
      verdict = .refused(Refusal(check: error.check, text: error.text, status: error.status))
    }
  }

  /// The report on a receipt that could not be put together from its text: check "receipt-text".
  public init(_ error: ReceiptTextError) {
    self.init(
      failedCheck: "receipt-text", text: "the receipt's text cannot be used: \(error)", status: "malformed")
  }

  /// The report on a file that could not be read: check "input".
  public init(unreadable reason: String) {
    self.init(failedCheck: "input", text: reason, status: "unreadable")
  }

  private init(failedCheck check: String, text: String, status: String) {
    verdict = .refused(Refusal(check: check, text: text, status: status))
    (verifiedAt, receiptHash) = (nil, nil)
  }

  /// The same, with what a timestamp authority says of it. The caller has verified it.
  public func dated(by authority: String, _ date: StampDate) -> ReceiptReport {
    var report = self
    report.existedBy = (authority, date.latest)
    return report
  }

  /// The report on a receipt that is shown with a timestamp that does not date it: check "timestamp".
  public func refused(timestamp reason: String) -> ReceiptReport {
    ReceiptReport(failedCheck: "timestamp", text: reason, status: "authentication")
  }

  public static func == (left: ReceiptReport, right: ReceiptReport) -> Bool {
    left.verdict == right.verdict && left.verifiedAt == right.verifiedAt
      && left.receiptHash == right.receiptHash && left.existedBy?.at == right.existedBy?.at
      && left.existedBy?.authority == right.existedBy?.authority
  }

  /// The failed check's stable name; nil if the receipt is valid.
  public var failedCheck: String? {
    if case .refused(let refusal) = verdict { refusal.check } else { nil }
  }

  /// What the clerk should do; nil if the receipt is valid.
  public var action: String? { failedCheck.map(ClerkAdvice.action) }

  // MARK: For people

  /// Several lines for a person, each ended by a newline.
  public var text: String {
    switch verdict {
    case .valid(let facts): text(of: facts)
    case .refused(let refusal): text(of: refusal)
    }
  }

  private func text(of facts: ReceiptFacts) -> String {
    var rows: [(label: String, value: String)] = [
      ("merchant", facts.merchantName), ("  key", facts.merchant.description),
      ("price", facts.price.description),
      ("goods", facts.goodsName.isEmpty ? "(no name)" : facts.goodsName),
      ("description", facts.description ?? "(not shown)"),
    ]
    if let parcel = facts.parcel { rows.append(("parcel", parcel)) }
    rows += [
      ("contract date", UTCTime.text(facts.contractDate)), ("transaction", facts.n.description),
      ("archive", facts.archiveName), ("  key", facts.archive.description),
      ("committed at", UTCTime.text(facts.committedAt)), ("kept until", UTCTime.text(facts.lifetime)),
      ("proof", proofText(facts)),
    ]
    if let existedBy {
      rows.append(("existed by", "\(UTCTime.text(existedBy.at)), \(existedBy.authority) says"))
    }
    if let verifiedAt { rows.append(("verified as of", UTCTime.text(verifiedAt))) }
    return Self.lay(out: "VALID: the customer has paid.", rows)
  }

  private func proofText(_ facts: ReceiptFacts) -> String {
    guard facts.isLogged else { return "archive signature (the trust list demands no log)" }
    guard let fresh = facts.fresh else { return "archive signature and log" }
    return "archive signature and log, which witnesses saw at " + UTCTime.text(fresh)
  }

  private func text(of refusal: Refusal) -> String {
    var rows: [(label: String, value: String)] = [
      ("failed check", "\(refusal.check) (\(refusal.status))"), ("meaning", refusal.text),
      ("what to do", ClerkAdvice.action(check: refusal.check)),
    ]
    if let verifiedAt { rows.append(("verified as of", UTCTime.text(verifiedAt))) }
    return Self.lay(out: "NOT VALID: do not hand anything over on this receipt.", rows)
  }

  private static func lay(out title: String, _ rows: [(label: String, value: String)]) -> String {
    let width = 16
    let lines = rows.map { row in
      row.label + String(repeating: " ", count: width - row.label.count) + printable(row.value)
    }
    return ([title] + lines).map { $0 + "\n" }.joined()
  }

  /// `text` on one line and without control characters, so that it can neither steer a terminal, nor look
  /// like another line of the report, nor reorder what stands beside it: they appear as "\u{1b}".
  static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
