// `acd judge`: every dispute that the evidence speaks to, decided offline and explained. The clock is read
// here, for the judge has none.

internal import ArgumentParser
internal import Certification
import Foundation
import Judge
import Messages
import PointOfDelivery
import Services

struct JudgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge", abstract: "Decide disputes from messages alone, offline.",
    discussion: """
      EVIDENCE are files: signed messages, bundles (`acd wallet evidence export`), receipts, sealed goods, a
      sealed submission with its seed, a token, a chunk proof, a timestamp. In any order; twice the same
      is the same.

      Nobody is convicted for what somebody else may have kept back. Where a rule says that a party shows
      nothing, name with --heard whom you showed all that is here (`acd hear` does it) and asked for all that
      they have: what is not here, they do not have.

      Each verdict says who is at fault, the facts, the rule (docs/JUDGE.md), and what would change it.

      EXIT STATUS
        0   decided: nobody is at fault
        6   decided: somebody is at fault
        7   nothing is decided: the evidence speaks to no dispute, or is not enough
        1   a file cannot be read, or the trust list is not one; 64 wrong usage
      """)
  @Argument(help: "Files.") var evidence: [String]
  @Option(help: "Whose keys count.") var trust = "trust.acd"
  @Option(help: "The authority's key, 64 hexadecimal digits; without it the list's own signer is believed.")
  var authority: String?
  @Option(
    help:
      "A party that was shown all this and gave all that it has: role, name or key. Repeat for more."
  )
  var heard: [String] = []
  @Option(help: "When the dispute is heard: 2026-01-31T12:00:00Z, or seconds since 1970 (default: now).")
  var at: String?
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    try await reporting {
      let pinned = try authority.map { text in
        guard let key = PublicKey(hex: text) else {
          throw ValidationError("The authority's key is 64 hexadecimal digits.")
        }
        return key
      }
      let list = try LoadedTrust(try readFile(trust), authority: pinned).list
      let judge = Judge(
        trust: list, now: try time(), heard: try parties(list), tokenHolds: { $0.holds(under: $1) },
        blindHolds: { $1.isSigned(by: $0, under: $2) },
        stampHolds: { $0.date(by: $1, skewSeconds: $2) })
      let judgment = judge.decide(try collected())
      if json { try printJSON(Report(judgment)) } else { show(judgment) }
      if judgment.convicts { throw Status.fault }
      if !judgment.decides { throw Status.undecided }
    }
  }

  private func time() throws -> Timestamp {
    guard let at else { return Timestamp(max(0, Date().timeIntervalSince1970)) }
    guard let time = UTCTime.parse(at) else {
      throw ValidationError("A time is written 2026-01-31T12:00:00Z, or as seconds since 1970.")
    }
    return time
  }

  private func parties(_ list: TrustList) throws -> Set<PublicKey> {
    var keys: Set<PublicKey> = []
    for name in heard {
      let found = list.entries.filter {
        $0.role.name == name || $0.name == name || $0.key.description == name.lowercased()
      }
      guard !found.isEmpty else { throw ValidationError("The trust list has no \(name).") }
      keys.formUnion(found.map(\.key))
    }
    return keys
  }

  /// What is no message, and what is too long for one, may be sealed goods.
  private func collected() throws -> Evidence {
    var collected = Evidence()
    for path in evidence {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      let size = (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
      if path == "-" || size <= Evidence.bytesMax, try collected.add(readFile(path), name: path) { continue }
      try collected.add(goods: GoodsFile(path))
    }
    return collected
  }

  // MARK: For people

  private func show(_ judgment: Judgment) {
    if judgment.verdicts.isEmpty { print("The evidence speaks to no dispute.") }
    for verdict in judgment.verdicts {
      print("\(headline(verdict)): \(verdict.dispute.title)")
      for line in subject(verdict.subject) { print("  \(line)") }
      for fact in verdict.facts {
        let time = fact.at.map { ", \(UTCTime.text($0))" } ?? ""
        let message = fact.message.map { " (\($0.description.prefix(16))…)" } ?? ""
        print("  - \(fact.text)\(time)\(message)")
      }
      print("  rule: \(verdict.dispute.rule)\n        \(verdict.dispute.section)")
      for line in verdict.wouldChange { print("  would change it: \(line)") }
      print("")
    }
    for fact in judgment.dated {
      print("dated: \(fact.text), \(fact.at.map(UTCTime.text) ?? "")")
    }
    for item in judgment.setAside {
      print("does not count: \(item.what)\(item.message.map { " \($0)" } ?? ""): \(item.reason)")
    }
  }

  private func headline(_ verdict: Verdict) -> String {
    switch verdict.finding {
    case .convicted:
      verdict.against.map { "AT FAULT, the \($0.role.name) \($0.name)" } ?? "AT FAULT"
    case .claimFails: "THE CUSTOMER'S CLAIM FAILS"
    case .noFault: "NO FAULT"
    case .undecided: "UNDECIDED"
    }
  }

  private func subject(_ subject: Subject) -> [String] {
    var lines: [String] = []
    if let merchant = subject.merchant, let n = subject.n { lines.append("transaction \(n) of \(merchant)") }
    if let lock = subject.lock { lines.append("lock \(lock)") }
    if let token = subject.token { lines.append("token \(token)") }
    return lines
  }
}

/// Sealed goods in a file, read in constant memory.
private struct GoodsFile: GoodsSource {
  let name: String
  let length: UInt64
  private static let blockBytes = 1 << 20

  init(_ path: String) throws {
    guard let handle = FileHandle(forReadingAtPath: path), let end = try? handle.seekToEnd() else {
      throw ServiceError.file(path: path, reason: "cannot be read")
    }
    (name, length) = (path, end)
    try handle.close()
  }

  func eachBlock(_ body: (UnsafeRawBufferPointer) throws(MessageError) -> Void) throws(MessageError) {
    guard let handle = FileHandle(forReadingAtPath: name) else {
      throw MessageError(.misuse, "unreadable", name)
    }
    defer { try? handle.close() }
    while true {
      let block: Data?
      do { block = try handle.read(upToCount: Self.blockBytes) } catch {
        throw MessageError(.misuse, "unreadable", name)
      }
      guard let block, !block.isEmpty else { return }
      let failure: MessageError? = block.withUnsafeBytes { raw in
        do throws(MessageError) { try body(raw) } catch { return error }
        return nil
      }
      if let failure { throw failure }
    }
  }
}

// MARK: For programs

private struct Report: Encodable {
  struct Party: Encodable { let role, key, name: String }
  struct FactLine: Encodable {
    let text: String
    let at: Timestamp?
    let message: String?
  }
  struct Line: Encodable {
    let dispute, finding, title, rule, section: String
    let against: Party?
    let merchant, n, lock, token: String?
    let facts: [FactLine]
    let wouldChange: [String]
  }
  struct Aside: Encodable {
    let what, reason: String
    let message: String?
  }
  let verdicts: [Line]
  let dated: [FactLine]
  let setAside: [Aside]
  let convicts, decides: Bool

  init(_ judgment: Judgment) {
    verdicts = judgment.verdicts.map { verdict in
      Line(
        dispute: verdict.dispute.rawValue, finding: verdict.finding.rawValue, title: verdict.dispute.title,
        rule: verdict.dispute.rule, section: verdict.dispute.section,
        against: verdict.against.map { Party(role: $0.role.name, key: $0.key.description, name: $0.name) },
        merchant: verdict.subject.merchant?.description, n: verdict.subject.n?.description,
        lock: verdict.subject.lock?.description, token: verdict.subject.token?.description,
        facts: verdict.facts.map { FactLine(text: $0.text, at: $0.at, message: $0.message?.description) },
        wouldChange: verdict.wouldChange)
    }
    dated = judgment.dated.map { FactLine(text: $0.text, at: $0.at, message: $0.message?.description) }
    setAside = judgment.setAside.map {
      Aside(what: $0.what, reason: $0.reason, message: $0.message?.description)
    }
    (convicts, decides) = (judgment.convicts, judgment.decides)
  }
}
