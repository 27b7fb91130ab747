// Reports: what people read and what programs read.

import Foundation
import Messages
import Testing

@testable import PointOfDelivery

@Suite("Receipt reports") struct ReceiptReportTests {
  static func report(_ change: (inout ReceiptFixture) -> Void = { _ in }) throws -> ReceiptReport {
    var fixture = ReceiptFixture()
    change(&fixture)
    let (receipt, trust) = try fixture.build()
    return ReceiptReport(
      verifying: receipt, trust: trust, authority: ReceiptFixture.Party.authority.key, at: ReceiptFixture.now)
  }

  static func object(_ report: ReceiptReport) throws -> [String: Any] {
    #expect(!report.json.contains("\n"))
    return try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
  }

  @Test("A valid receipt's report says all that is proven") func valid() throws {
    let report = try Self.report()
    let merchant = ReceiptFixture.Party.merchant.key
    let archive = ReceiptFixture.Party.archive.key
    #expect(
      report.text == """
        VALID: the customer has paid.
        merchant        Bakery Lovelace
          key           \(merchant)
        price           EUR:12.34
        goods           croissants.pdf
        description     A dozen croissants, baked at dawn
        parcel          PARCEL-0007
        contract date   2026-01-11T00:00:00Z
        transaction     42424242424242424242424242424242
        archive         Archive North
          key           \(archive)
        committed at    2026-01-11T00:01:00Z
        kept until      2026-04-01T00:00:00Z
        proof           archive signature (the trust list demands no log)
        verified as of  2026-01-12T00:01:00Z

        """)
    #expect(report.failedCheck == nil && report.action == nil)
  }

  @Test("A refused receipt's report names the check, its meaning and what to do") func refused() throws {
    let report = try Self.report { $0.p4Signer = .otherMerchant }
    let action = try #require(report.action)
    #expect(report.failedCheck == "merchant-mismatch")
    #expect(report.text.hasPrefix("NOT VALID: "))
    #expect(report.text.contains("\nfailed check    merchant-mismatch (mismatch)\n"))
    #expect(report.text.contains("\nwhat to do      \(action)\n"))
    #expect(!report.text.contains("Bakery"))
  }

  @Test("Every check has advice of its own, and no advice is for a check that is not") func advice() {
    #expect(ClerkAdvice.checks == Set(receiptCheckNames).union(["receipt-text", "input", "timestamp"]))
  }

  @Test("The JSON of a valid receipt has its stable keys") func validJSON() throws {
    let report = try Self.report()
    let object = try Self.object(report)
    #expect(
      object.keys.sorted() == [
        "archive", "check", "committed_at", "contract_date", "contract_hash", "description", "format",
        "goods",
        "kept_until", "lock", "merchant", "parcel", "price", "proof", "pseudonym", "receipt", "transaction",
        "verdict",
        "verified_at",
      ])
    #expect(object["format"] as? String == "acd-receipt-report/1")
    #expect(object["verdict"] as? String == "valid")
    #expect(object["check"] is NSNull)
    #expect(object["proof"] as? [String] == ["archive-signature"])
    #expect(object["committed_at"] as? String == "2026-01-11T00:01:00Z")
    #expect(object["verified_at"] as? String == "2026-01-12T00:01:00Z")
    #expect(
      object["merchant"] as? [String: String] == [
        "name": "Bakery Lovelace", "key": ReceiptFixture.Party.merchant.key.description,
      ])
    let price = try #require(object["price"] as? [String: Any])
    #expect(price["amount"] as? Int == 1_234)
    #expect(price["currency"] as? String == "EUR")
    #expect(price["text"] as? String == "EUR:12.34")
    #expect(object["receipt"] as? String == report.receiptHash?.description)
  }

  @Test("The JSON of a refused receipt has its stable keys and proves nothing") func refusedJSON() throws {
    let object = try Self.object(try Self.report { $0.changeTrust = ReceiptFixture.without(.merchant) })
    #expect(
      object.keys.sorted() == [
        "action", "check", "format", "meaning", "receipt", "status", "verdict", "verified_at",
      ])
    #expect(object["verdict"] as? String == "invalid")
    #expect(object["check"] as? String == "merchant-trusted")
    #expect(object["status"] as? String == "untrusted")
  }

  @Test("What never came to a verification is reported too") func beforeVerification() throws {
    let text = ReceiptReport(.missing(indices: [2], count: 3))
    #expect(text.failedCheck == "receipt-text")
    #expect(text.text.contains("of 3 parts, missing: 2"))
    let object = try Self.object(ReceiptReport(unreadable: "cannot read x"))
    #expect(object["check"] as? String == "input")
    #expect(object["meaning"] as? String == "cannot read x")
    #expect(object["receipt"] == nil && object["verified_at"] == nil)
  }

  @Test("Names cannot steer a terminal, add lines or reorder text") func printable() throws {
    let report = try Self.report {
      $0.changeP1 = { $0.contract.name = "a\u{1b}[2J\nVALID\u{202e}b\u{2028}é" }
    }
    #expect(report.failedCheck == nil)
    #expect(report.text.contains("\ngoods           a\\u{1b}[2J\\u{a}VALID\\u{202e}b\\u{2028}é\n"))
  }
}

@Suite("Times") struct UTCTimeTests {
  @Test(
    "Times have one form, there and back",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"),
      (951_782_400, "2000-02-29T00:00:00Z"),
      (1_709_164_800, "2024-02-29T00:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (1_767_225_599, "2025-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] as [(Timestamp, String)]) func examples(_ time: Timestamp, _ text: String)
  {
    #expect(UTCTime.text(time) == text)
    #expect(UTCTime.parse(text) == time)
    #expect(UTCTime.parse(String(time)) == time)
  }

  @Test("Every day from 1970 to 2420 agrees with the system's calendar") func days() {
    for day in 0..<164_359 {
      let time = Timestamp(day) * 86_400 + Timestamp(day) % 86_400
      let text = Date(timeIntervalSince1970: Double(time)).formatted(.iso8601)
      guard UTCTime.text(time) == text, UTCTime.parse(text) == time else {
        Issue.record("\(text): \(UTCTime.text(time))")
        return
      }
    }
  }

  @Test(
    "What is not a time is refused",
    arguments: [
      "", "now", "-1", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
      "2026-01-01T00:00:60Z",
      "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "1969-12-31T23:59:59Z",
      "2026-01-01T00:00:00z",
      "253402300800", "99999999999999999999", "20x6-01-01T00:00:00Z", "2026-00-10T00:00:00Z",
    ]) func refused(_ text: String)
  {
    #expect(UTCTime.parse(text) == nil)
  }
}
