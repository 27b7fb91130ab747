// `acd monitor`: looks at archives' logs and records from outside, as anybody can.

import Foundation
public import Messages
import Parties
import TransparencyLog

/// A monitor of one archive.
public final class ArchiveMonitor {
  private let trust: TrustList
  private let transport: any PeerLink
  private let mirror: LogMirror<LogDirectory>
  private let url: String
  private let marks: String

  /// - Parameters:
  ///   - url: the archive's address in the trust list.
  ///   - directory: where copies of logs are kept, from look to look.
  ///   - ca: who vouches for the archive's TLS certificate.
  public init(_ url: String, trust: LoadedTrust, ca: [UInt8], in directory: DataDirectory) throws {
    self.trust = trust.list
    self.url = url
    guard let entry = trust.list.entries.first(where: { $0.role == .archive && $0.url == url }) else {
      throw ServiceError.notFound("the trust list has no archive at \(url)")
    }
    let finality = Finality(trust.list)
    let named = try finality.logPolicy?.logs().first { $0.publicKey == entry.key }
    let key = try named ?? NoteKey(name: LogNames.log(url), kind: .log, publicKey: entry.key)
    let folder = directory.file("monitor/\(Hash(of: Array(key.name.utf8)))")
    marks = folder + ".records"
    try FileManager.default.createDirectory(
      atPath: directory.file("monitor"), withIntermediateDirectories: true)
    transport = try Transport(caPEM: ca)
    let (link, skew, reached) = (transport, trust.list.skewSeconds, folder + ".reached")
    func open() throws -> LogMirror<LogDirectory> {
      try LogMirror(
        key, policy: finality.demandsProof(of: entry.key) ? finality.logPolicy : nil,
        files: LogSource(transport: link, url: url + LogNames.logPath), storage: LogDirectory(folder),
        skewSeconds: skew, reached: Self.number(reached) ?? 0,
        keepReached: { try Data("\($0)".utf8).write(to: URL(fileURLWithPath: reached)) })
    }
    do { mirror = try open() } catch LogFault.behind {
      // It was stopped within its very first look: there is nothing yet that it could forget.
      try FileManager.default.removeItem(atPath: folder)
      mirror = try open()
    }
  }

  /// A number that a file holds.
  private static func number(_ path: String) -> UInt64? {
    FileManager.default.contents(atPath: path).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
  }

  /// Ends all connections.
  public func close() async throws { try await transport.shutdown() }

  /// Looks once: at the log, and at the records that came since the last look.
  public func look() async throws -> MonitorReport {
    var report = try await mirror.look()
    let records = try await newRecords()
    // What was published after the log was read is in its next checkpoint.
    if records.contains(where: { !mirror.bodies.contains(Hash(of: $0)) }) {
      report = try await mirror.look().with(report.findings)
    }
    for record in records {
      if let what = fault(of: record) {
        report.findings.append(LogFinding(what: what, proofs: [Data(record)]))
      } else if !mirror.bodies.contains(Hash(of: record)) {
        report.findings.append(LogFinding(what: "a record that the log does not have", proofs: []))
      }
    }
    return report
  }

  /// All records behind the last look's.
  private func newRecords() async throws -> [[UInt8]] {
    var all: [[UInt8]] = []
    var after = Self.number(marks) ?? 0
    while true {
      let reply = try await transport.send(
        "GET", url: "\(url)/v1/records?after=\(after)", body: nil, contentType: nil)
      if reply.status == 410 {
        let first = try await transport.send(
          "GET", url: "\(url)/v1/records/first", body: nil, contentType: nil)
        guard let gone = UInt64(String(decoding: first.body.prefix(20), as: UTF8.self)), gone > after else {
          break
        }
        after = gone
        continue
      }
      guard reply.status == 200 else { break }
      let page = try Messages.Bundle(encoded: reply.body).messages
      guard !page.isEmpty else { break }
      all += page
      after += UInt64(page.count)
    }
    try Data("\(after)".utf8).write(to: URL(fileURLWithPath: marks))
    return all
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
      guard said.at < said.expiration else { return nil }
      let cancel = said.cancel.flatMap { try? Verified<Cancel>($0, by: .key(said.merchant)) }?.payload
      guard let cancel, cancel.lock == said.lock, cancel.n == said.n else {
        return "an abort before the expiration, without the merchant's Cancel"
      }
      return nil
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
