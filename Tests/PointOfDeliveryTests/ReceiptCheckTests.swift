// Every check of a receipt (acd/receipt.h), with a receipt that fails it and no earlier one.

import Messages
import Testing

@testable import PointOfDelivery

/// One way to break a receipt.
struct Broken: Sendable, CustomTestStringConvertible {
  let check: String
  let how: String
  var time = ReceiptFixture.now
  let change: @Sendable (inout ReceiptFixture) -> Void

  var testDescription: String { "\(check): \(how)" }

  static let trust: [Broken] = [
    Broken(check: "trust-format", how: "the list ends early") { $0.damageTrust = { $0.removeLast() } },
    Broken(check: "trust-format", how: "a byte follows the list") { $0.damageTrust = { $0.append(0) } },
    Broken(check: "trust-format", how: "the list is another message") {
      $0.damageTrust = { $0 = try ReceiptFixture.Party.authority.sign(ReceiptFixture.p1) }
    },
    Broken(check: "trust-signature", how: "the signature is damaged") {
      $0.damageTrust = ReceiptFixture.flipLastBit
    },
    Broken(check: "trust-signature", how: "another authority signed") { $0.authoritySigner = .stranger },
    Broken(check: "trust-window", how: "the list has expired", time: ReceiptFixture.listEnd + 1) { _ in },
    Broken(check: "trust-window", how: "the list is not valid yet", time: ReceiptFixture.listDate - 1_000) {
      _ in
    },
    Broken(check: "merchant-trusted", how: "the merchant is not on the list") {
      $0.changeTrust = ReceiptFixture.without(.merchant)
    },
    Broken(check: "merchant-trusted", how: "the merchant is there in another role") {
      $0.changeTrust = ReceiptFixture.entry(of: .merchant) { $0.role = .bank }
    },
    Broken(check: "merchant-trusted", how: "the merchant was revoked when it was committed") {
      $0.changeTrust = ReceiptFixture.entry(of: .merchant) { $0.revokedAt = ReceiptFixture.committedAt }
    },
    Broken(check: "merchant-trusted", how: "the merchant's window ended when it was committed") {
      $0.changeTrust = ReceiptFixture.entry(of: .merchant) { $0.until = ReceiptFixture.committedAt }
    },
    Broken(check: "merchant-trusted", how: "the merchant's window began after the commitment") {
      $0.changeTrust = ReceiptFixture.entry(of: .merchant) { $0.from = ReceiptFixture.committedAt + 1 }
    },
    Broken(check: "archive-trusted", how: "the archive is not on the list") {
      $0.changeTrust = ReceiptFixture.without(.archive)
    },
    Broken(check: "archive-trusted", how: "the archive is there in another role") {
      $0.changeTrust = ReceiptFixture.entry(of: .archive) { $0.role = .merchant }
    },
    Broken(check: "archive-trusted", how: "the archive was revoked when it committed") {
      $0.changeTrust = ReceiptFixture.entry(of: .archive) { $0.revokedAt = ReceiptFixture.committedAt }
    },
    Broken(check: "archive-trusted", how: "the archive's window ended when it committed") {
      $0.changeTrust = ReceiptFixture.entry(of: .archive) { $0.until = ReceiptFixture.committedAt }
    },
  ]

  static let messages: [Broken] = [
    Broken(check: "receipt-format", how: "a byte follows the receipt") {
      $0.damageReceipt = { $0.append(0) }
    },
    Broken(check: "receipt-format", how: "the receipt is empty") { $0.damageReceipt = { $0 = [] } },
    Broken(check: "receipt-format", how: "another format is named") {
      $0.damageReceipt = { bytes in
        let version = bytes.firstRange(of: Array("acd-receipt/1".utf8))!
        bytes[version.upperBound - 1] = UInt8(ascii: "2")
      }
    },
    Broken(check: "p1-format", how: "P1 ends early") { $0.damageP1 = { $0.removeLast() } },
    Broken(check: "p1-format", how: "P1 is another message") {
      $0.damageP1 = {
        $0 = try ReceiptFixture.Party.merchant.sign(Cancel(n: ReceiptFixture.n, lock: Hash(of: [3])))
      }
    },
    Broken(check: "p5a-format", how: "P5a ends early") { $0.damageP5a = { $0.removeLast() } },
    Broken(check: "p5a-format", how: "P5a is another message") {
      $0.damageP5a = {
        $0 = try ReceiptFixture.Party.archive.sign(Cancel(n: ReceiptFixture.n, lock: Hash(of: [3])))
      }
    },
    Broken(check: "p4-format", how: "P4 ends early") { $0.damageP4 = { $0.removeLast() } },
    Broken(check: "p4-format", how: "P4 is another message") {
      $0.damageP4 = {
        $0 = try ReceiptFixture.Party.merchant.sign(Cancel(n: ReceiptFixture.n, lock: Hash(of: [3])))
      }
    },
    Broken(check: "p1-signature", how: "P1's signature is damaged") {
      $0.damageP1 = ReceiptFixture.flipLastBit
    },
    Broken(check: "p4-signature", how: "P4's signature is damaged") {
      $0.damageP4 = ReceiptFixture.flipLastBit
    },
    Broken(check: "p5a-signature", how: "P5a's signature is damaged") {
      $0.damageP5a = ReceiptFixture.flipLastBit
    },
  ]

  static let agreement: [Broken] = [
    Broken(check: "merchant-mismatch", how: "another admitted merchant signed P4") {
      $0.p4Signer = .otherMerchant
    },
    Broken(check: "transaction", how: "P4 is of another transaction") {
      $0.changeP4 = { $0.n = TransactionID([UInt8](repeating: 0x43, count: 16))! }
    },
    Broken(check: "contract-hash", how: "P4 names another P1") { $0.changeP4 = { $0.hP1 = Hash(of: [9]) } },
    Broken(check: "contract-hash", how: "the contract was replaced after the sale") { fixture in
      fixture.damageP1 = {
        var cheaper = ReceiptFixture.p1
        cheaper.contract.price = Money("EUR:0.01")!
        $0 = try ReceiptFixture.Party.merchant.sign(cheaper)
      }
    },
    Broken(check: "key-commitment", how: "P4's key is not the one that P1 commits to") {
      $0.changeP4 = { $0.key[31] ^= 1 }
    },
    Broken(check: "key-commitment", how: "P1 commits for another merchant") {
      $0.changeP1 = {
        $0.hx = .keyCommitment(
          .core, merchant: ReceiptFixture.Party.stranger.key, n: ReceiptFixture.n, key: ReceiptFixture.key)
      }
    },
    Broken(check: "archive-allowed", how: "the contract allows other archives only") {
      $0.changeP1 = { $0.contract.archives = [ReceiptFixture.Party.otherArchive.key] }
    },
    Broken(check: "expiration", how: "P4 expires later than the contract allows") {
      $0.changeP4 = { $0.expiration = ReceiptFixture.expiration + 1 }
    },
    Broken(check: "expiration", how: "it was committed at the expiration") {
      $0.changeP5a = { $0.at = ReceiptFixture.expiration }
    },
    Broken(
      check: "dates", how: "it was committed later than clocks may differ",
      time: ReceiptFixture.committedAt - ReceiptFixture.skewSeconds - 1
    ) { _ in },
    Broken(check: "description", how: "the description was changed") {
      $0.changeReceipt = { $0.description = "Two dozen croissants, baked at dawn" }
    },
    Broken(check: "description", how: "the description is empty") {
      $0.changeReceipt = { $0.description = "" }
    },
  ]

  static let log: [Broken] = [
    Broken(check: "log-proof", how: "there is no proof") { $0.changeTrust = ReceiptFixture.demandingLog() },
    Broken(check: "log-proof", how: "no witness cosigned") {
      $0.changeTrust = ReceiptFixture.demandingLog()
      $0.changeReceipt = ReceiptFixture.proven(at: nil)
    },
    Broken(check: "log-proof", how: "the proof is of another entry") {
      $0.changeTrust = ReceiptFixture.demandingLog()
      $0.changeReceipt = ReceiptFixture.proven(at: ReceiptFixture.committedAt, lock: Hash(of: [4]))
    },
    Broken(check: "log-proof", how: "it was cosigned before it was made") {
      $0.changeTrust = ReceiptFixture.demandingLog()
      $0.changeReceipt = ReceiptFixture.proven(
        at: ReceiptFixture.committedAt - ReceiptFixture.skewSeconds - 1)
    },
    Broken(check: "log-proof", how: "it was cosigned at the lifetime's end") {
      $0.changeTrust = ReceiptFixture.demandingLog()
      $0.changeReceipt = ReceiptFixture.proven(at: ReceiptFixture.listEnd)
    },
    Broken(check: "log-age", how: "the checkpoint is a day old") {
      $0.changeTrust = ReceiptFixture.demandingLog(age: 86_300)
      $0.changeReceipt = ReceiptFixture.proven(at: ReceiptFixture.committedAt)
    },
  ]

  static let all = trust + messages + agreement + log
}

@Suite("Receipt checks") struct ReceiptCheckTests {
  @Test("A valid receipt verifies and says what it proves") func valid() throws {
    let (receipt, trust) = try ReceiptFixture().build()
    let facts = try verifyReceipt(
      receipt, trust: trust, authority: ReceiptFixture.Party.authority.key, at: ReceiptFixture.now)
    let p1 = try ReceiptFixture.Party.merchant.sign(ReceiptFixture.p1)
    #expect(facts.n == ReceiptFixture.n)
    #expect(facts.merchant == ReceiptFixture.Party.merchant.key)
    #expect(facts.merchantName == "Bakery Lovelace")
    #expect(facts.archive == ReceiptFixture.Party.archive.key)
    #expect(facts.archiveName == "Archive North")
    #expect(facts.pseudonym == ReceiptFixture.Party.pseudonym.key)
    #expect(facts.lock == Hash(of: [3]))
    #expect(facts.hP1 == Hash(of: p1))
    #expect(facts.price == Money("EUR:12.34"))
    #expect(facts.contractDate == ReceiptFixture.contractDate)
    #expect(facts.committedAt == ReceiptFixture.committedAt)
    #expect(facts.lifetime == ReceiptFixture.listEnd)
    #expect(facts.goodsName == "croissants.pdf")
    #expect(facts.description == ReceiptFixture.description)
    #expect(facts.parcel == "PARCEL-0007")
  }

  @Test("A receipt says that it was seen in the archive's log, and when") func logged() throws {
    var fixture = ReceiptFixture()
    fixture.changeTrust = ReceiptFixture.demandingLog(age: 86_400)
    fixture.changeReceipt = ReceiptFixture.proven(at: ReceiptFixture.committedAt)
    let (receipt, trust) = try fixture.build()
    let facts = try verifyReceipt(receipt, trust: trust, at: ReceiptFixture.now)
    #expect(facts.isLogged && facts.fresh == ReceiptFixture.committedAt)
    let report = ReceiptReport(verifying: receipt, trust: trust, at: ReceiptFixture.now)
    #expect(report.text.contains("which witnesses saw at"))
    // Without a policy the proof is not looked at, and the report says so.
    fixture.changeTrust = { _ in }
    let plain = try fixture.build()
    #expect(try !verifyReceipt(plain.receipt, trust: plain.trust, at: ReceiptFixture.now).isLogged)
    let text = ReceiptReport(verifying: plain.receipt, trust: plain.trust, at: ReceiptFixture.now).text
    #expect(text.contains("demands no log"))
  }

  @Test("A receipt verifies without its description and without a pinned authority") func lenient() throws {
    var fixture = ReceiptFixture()
    fixture.changeReceipt = { $0.description = nil }
    #expect(try fixture.failedCheck(authority: nil) == nil)
  }

  @Test("A receipt holds at the edges of what is allowed") func edges() throws {
    var fixture = ReceiptFixture()
    fixture.changeP5a = { $0.at = ReceiptFixture.expiration - 1 }
    #expect(try fixture.failedCheck() == nil)
    let earliest = ReceiptFixture.committedAt - ReceiptFixture.skewSeconds
    #expect(try ReceiptFixture().failedCheck(at: earliest) == nil)
    #expect(try ReceiptFixture().failedCheck(at: ReceiptFixture.listEnd - 1) == nil)
    var later = ReceiptFixture()
    later.changeTrust = ReceiptFixture.entry(of: .merchant) { $0.revokedAt = ReceiptFixture.committedAt + 1 }
    #expect(try later.failedCheck() == nil)
  }

  @Test("A broken receipt is refused by the check that names the fault", arguments: Broken.all)
  func broken(_ broken: Broken) throws {
    var fixture = ReceiptFixture()
    broken.change(&fixture)
    #expect(try fixture.failedCheck(at: broken.time) == broken.check)
  }

  @Test("Every check of the core has a receipt that fails it") func complete() {
    #expect(Set(Broken.all.map(\.check)) == Set(receiptCheckNames))
  }

  @Test("Inputs over their limits are refused by name") func tooLarge() throws {
    let (receipt, trust) = try ReceiptFixture().build()
    let large = [UInt8](repeating: 0, count: ReceiptLimits.trustSizeMax + 1)
    #expect(ReceiptFixture.failedCheck(receipt, large) == "trust-format")
    let long = receipt + [UInt8](repeating: 0, count: ReceiptLimits.receiptSizeMax)
    #expect(ReceiptFixture.failedCheck(long, trust) == "receipt-format")
  }

  @Test("Every single bit of a receipt counts") func bitFlips() throws {
    let (receipt, trust) = try ReceiptFixture().build()
    let names = Set(receiptCheckNames)
    for bit in 0..<receipt.count * 8 {
      var damaged = receipt
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let check = ReceiptFixture.failedCheck(damaged, trust)
      guard let check, names.contains(check), !check.hasPrefix("trust-") else {
        Issue.record("bit \(bit): \(check ?? "accepted")")
        return
      }
    }
  }

  @Test("Every truncation of a receipt is refused as malformed") func truncations() throws {
    let (receipt, trust) = try ReceiptFixture().build()
    for length in 0..<receipt.count {
      let check = ReceiptFixture.failedCheck(Array(receipt[..<length]), trust)
      #expect(check == "receipt-format", "\(length) bytes")
    }
  }

  @Test("Whatever is accepted as a receipt encodes to the same bytes again") func canonical() throws {
    let (bytes, _) = try ReceiptFixture().build()
    var accepted = 0
    for bit in 0..<bytes.count * 8 {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let receipt = try? Receipt(encoded: changed) else { continue }
      accepted += 1
      #expect(try receipt.encoded() == changed, "bit \(bit)")
    }
    #expect(accepted > 1_000)
  }
}
