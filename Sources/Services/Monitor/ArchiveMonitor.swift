// `acd monitor`: looks at archives' logs from outside, as anybody can, and at their records, as a witness
// can: their bodies are not for everybody (attack 18).

import Foundation
public import Messages
import Parties
import TransparencyLog

/// A monitor of one archive.
public final class ArchiveMonitor {
  private let trust: TrustList
  private let transport: any PeerLink
  private let mirror: LogMirror<LogDirectory>
  private let directory: DataDirectory
  /// The name of the file that says how many records have been read.
  private let marks: String
  private let archive: TrustEntry
  /// As whom the records are read; nil: they are not.
  private let reader: RecordReader?

  /// - Parameters:
  ///   - url: the archive's address in the trust list.
  ///   - directory: where copies of logs are kept, from look to look.
  ///   - ca: who vouches for the archive's TLS certificate.
  ///   - auditor: a witness's directory, as which the records are read; nil: they are not.
  public init(
    _ url: String, trust: LoadedTrust, ca: [UInt8], in directory: DataDirectory,
    as auditor: DataDirectory? = nil
  ) throws {
    self.trust = trust.list
    guard let entry = trust.list.entries.first(where: { $0.role == .archive && $0.url == url }) else {
      throw ServiceError.notFound("the trust list has no archive at \(url)")
    }
    archive = entry
    let finality = Finality(trust.list)
    let named = try finality.logPolicy?.logs().first { $0.publicKey == entry.key }
    let key = try named ?? NoteKey(name: LogNames.log(url), kind: .log, publicKey: entry.key)
    let name = "monitor/\(Hash(of: Array(key.name.utf8)))"
    let folder = directory.file(name)
    (self.directory, marks) = (directory, name + ".records")
    // What can fail comes first: a client has to be shut down.
    let identity = try auditor.map { try Identity.load($0) }
    let transport = try Transport(caPEM: ca)
    self.transport = transport
    reader = identity.map { RecordReader(identity: $0, transport: transport) }
    let (link, skew, reached) = (transport, trust.list.skewSeconds, name + ".reached")
    func open() throws -> LogMirror<LogDirectory> {
      try LogMirror(
        key, policy: finality.demandsProof(of: entry.key) ? finality.logPolicy : nil,
        files: LogSource(transport: link, url: url + LogNames.logPath), storage: LogDirectory(folder),
        skewSeconds: skew, reached: Self.number(reached, in: directory) ?? 0,
        keepReached: { try directory.write(reached, Array("\($0)".utf8)) })
    }
    do { mirror = try open() } catch LogFault.behind {
      // It was stopped within its very first look: there is nothing yet that it could forget.
      try FileManager.default.removeItem(atPath: folder)
      mirror = try open()
    }
  }

  /// A number that a file holds.
  private static func number(_ name: String, in directory: DataDirectory) -> UInt64? {
    (try? directory.read(name)).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
  }

  /// Ends all connections.
  public func close() async throws { try await transport.shutdown() }

  /// Looks once: at the log, and at the records that came since the last look. What the log showed is told
  /// once, so it is told even where the records cannot be read: these are read again.
  public func look() async throws -> MonitorReport {
    var report = try await mirror.look()
    do { try await lookAtRecords(&report) } catch {
      guard !report.findings.isEmpty else { throw error }
    }
    return report
  }

  private func lookAtRecords(_ report: inout MonitorReport) async throws {
    report.unchecked = unchecked
    guard let reader else { return }
    let (records, after) = try await newRecords(reader)
    // What was published after the log was read is in its next checkpoint.
    if records.contains(where: { !mirror.bodies.contains(Hash(of: $0)) }) {
      report = try await mirror.look().with(report.findings)
      report.unchecked = unchecked
    }
    for record in records {
      if let what = fault(of: record) {
        report.findings.append(LogFinding(what: what, proofs: [Data(record)]))
      } else if !mirror.bodies.contains(Hash(of: record)) {
        report.findings.append(LogFinding(what: "a record that the log does not have", proofs: []))
      }
    }
    try directory.write(marks, Array("\(after)".utf8))
  }

  /// What is not looked at: the log's entries are hashes, and only their bodies have signatures.
  private var unchecked: String? {
    guard let reader else {
      return "signatures and expirations of outcomes: their records are shown to witnesses alone (--as)"
    }
    guard reader.identity.role != .witness else { return nil }
    return "signatures and expirations of others' outcomes: all records are shown to witnesses alone"
  }

  /// All records behind the last look's that the reader is shown, and behind which the next look has to go
  /// on.
  private func newRecords(_ reader: RecordReader) async throws -> (records: [[UInt8]], after: UInt64) {
    var all: [[UInt8]] = []
    var after = Self.number(marks, in: directory) ?? 0
    var generator = SystemRandomNumberGenerator()
    while case let page = try await reader.page(of: archive, after: after, nonce: .random(using: &generator)),
      page.next > after
    {
      all += page.outcomes
      after = page.next
    }
    return (all, after)
  }

  /// What is wrong with a record by itself; nil if nothing is.
  private func fault(of record: [UInt8]) -> String? {
    switch try? MessageType(peeking: record) {
    case .p5a, .p5b: fault(of: record, CoreMode.self)
    case .e7a, .e7b: fault(of: record, EarlyMode.self)
    case .r10a, .r10b: fault(of: record, RepeatedMode.self)
    case .a9a, .a9b: fault(of: record, AnnouncedMode.self)
    default: "a record that is no outcome"
    }
  }

  private func fault<M: LockMode>(of record: [UInt8], _: M.Type) -> String? {
    do {
      guard case .aborted(let abort) = try Outcome<M>(record, trust: trust) else { return nil }
      let said = abort.payload
      let isEarly = said.at < said.expiration && !said.holdsCancel
      return isEarly ? "an abort before the expiration, without the merchant's Cancel" : nil
    } catch { return "a record whose signatures do not hold: \(error)" }
  }
}

extension MonitorReport {
  /// The same, with earlier findings before its own.
  fileprivate func with(_ earlier: [LogFinding]) -> MonitorReport {
    var report = self
    report.findings = earlier + findings
    return report
  }
}
