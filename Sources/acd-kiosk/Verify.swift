// acd-kiosk verify: one receipt, one verdict. The clock is read here and nowhere below.

internal import ArgumentParser
internal import Certification
internal import Messages
internal import PointOfDelivery

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify a paid receipt offline.",
    discussion: """
      A receipt proves that a merchant sold what its contract says, at that price, and that an archive \
      committed the sale: the customer has paid. The customer brings it as a file (receipt.acd) or as QR \
      codes.

      EXAMPLES
        Verify a file against the authority's trust list:
          acd-kiosk verify receipt.acd --trust trust.acd

        Verify what a QR code reader says: one code or several, in any order, one a line:
          zbarimg -q --raw photo*.png | acd-kiosk verify - --trust trust.acd

        Verify a code's text, in single quotes for the shell's sake, for a program:
          acd-kiosk verify 'ACD1:...' --trust trust.acd --json

      Pin your authority with --authority, so that a trust list that somebody else made is refused.

      The verdict stands on the first line. What is proven goes to standard output. When the receipt is \
      refused, standard error says which check failed, what that means and what to do. With --json both go \
      to standard output, as one object on one line: "verdict" is "valid" or "invalid", "check" the failed \
      check's stable name or null.

      EXIT STATUS
        0   the receipt is valid
        1   the receipt is not valid: a check failed
        2   the trust list cannot be used: a check trust-* failed
        64  wrong usage
        66  the receipt or the trust list cannot be read
      """)

  @Argument(
    help: ArgumentHelp(
      "The receipt: a file, - for standard input, or the text of its QR codes (ACD1...).",
      discussion: """
        File and standard input may hold the receipt's bytes or the text of its codes. A file whose name \
        begins like a code's text is named with its folder: ./ACD1:x
        """),
    completion: .file())
  var receipt: String

  @Option(help: ArgumentHelp("The trust list.", valueName: "file"), completion: .file())
  var trust: String

  @Option(
    help: ArgumentHelp(
      "The authority's public key, 64 hexadecimal digits. Without it, the list's own signer is believed.",
      valueName: "hex"),
    transform: authorityKey)
  var authority: PublicKey?

  @Option(
    help: ArgumentHelp(
      "Verify as of this time: 2026-01-31T12:00:00Z, or seconds since 1970 (default: now).", valueName: "time"
    ),
    transform: time)
  var at: Timestamp?

  @Option(
    help: ArgumentHelp(
      "A timestamp of this receipt's commit, or of its archive's log: by when it existed.",
      valueName: "file"),
    completion: .file())
  var timestamp: String?

  @Flag(help: "Print one JSON object on standard output, whatever the verdict.")
  var json = false

  func run() throws {
    let report: ReceiptReport
    do throws(InputError) {
      report = try verify()
    } catch {
      show(ReceiptReport(unreadable: error.description))
      throw ExitCode(66)
    }
    show(report)
    guard let check = report.failedCheck else { return }
    throw ExitCode(check.hasPrefix("trust-") ? 2 : 1)
  }

  private func verify() throws(InputError) -> ReceiptReport {
    let input = try receiptInput()
    // One byte over the limit is enough for the check to refuse it by name.
    let list = try readBounded(.file(trust), limit: ReceiptLimits.trustSizeMax + 1)
    let bytes: [UInt8]
    do throws(ReceiptTextError) { bytes = try ReceiptText.receipt(in: input) } catch {
      return ReceiptReport(error)
    }
    let report = ReceiptReport(
      verifying: bytes, trust: list, authority: authority, at: at ?? currentTime())
    guard let timestamp, report.failedCheck == nil else { return report }
    let file = try readBounded(.file(timestamp), limit: ReceiptLimits.trustSizeMax)
    do {
      let stamp = try EvidenceTimestamp(encoded: file)
      let dated = try LoadedTrust(list, authority: authority).list.date(stamp, of: Receipt(encoded: bytes))
      return report.dated(by: dated.authority.name, dated.date)
    } catch let error as TimestampFault {
      return report.refused(timestamp: "\(error)")
    } catch {
      return report.refused(timestamp: "this is no timestamp")
    }
  }

  private func receiptInput() throws(InputError) -> [UInt8] {
    if ReceiptText.looksLikeText(receipt) { return Array(receipt.utf8) }
    let source: InputSource = receipt == "-" ? .standardInput : .file(receipt)
    return try readBounded(source, limit: ReceiptText.inputSizeMax + 1)
  }

  private func show(_ report: ReceiptReport) {
    if json {
      write(report.json + "\n", to: .output)
    } else {
      write(report.text, to: report.failedCheck == nil ? .output : .error)
    }
  }
}

private func authorityKey(_ text: String) throws -> PublicKey {
  guard let key = PublicKey(hex: text) else {
    throw ValidationError("a public key is 64 hexadecimal digits")
  }
  guard key.isSound else { throw ValidationError("this is not a public key that anybody can sign with") }
  return key
}

private func time(_ text: String) throws -> Timestamp {
  guard let time = UTCTime.parse(text) else {
    throw ValidationError("a time is written 2026-01-31T12:00:00Z, or as seconds since 1970")
  }
  return time
}
