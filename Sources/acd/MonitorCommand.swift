// `acd monitor`: whoever doubts an archive reads its log, again and again.

internal import ArgumentParser
import Foundation
import Messages
import Services

struct MonitorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor", abstract: "Read archives' logs, and prove it if one of them lies.",
    discussion: """
      Every entry is read and kept. What no honest archive publishes (two outcomes of one lock, a history \
      that was rewritten, an abort before its time) ends in files for `acd judge`, and with status 6.

      The entries are hashes. The records themselves are shown to their parties and to witnesses: with --as a
      witness's directory their signatures and expirations are looked at, too.
      """)
  @OptionGroup var data: DataOptions
  @Argument(help: "The archives' addresses, as the trust list has them.") var archives: [String]
  @Option(help: "The trust list.") var trust: String
  @Option(help: "The certificate authority of the archives' TLS certificates (default: ~/.acd/ca/ca.pem).")
  var ca: String?
  @Flag(help: "Go on until told to stop.") var follow = false
  @Option(help: "With --follow: how many seconds between looks.") var every: Int = 10
  @Option(help: "Where proofs are written.") var proofs = "."
  @Option(
    name: .customLong("as"), help: "A witness's data directory, as which the archives' records are read.")
  var auditor: String?

  func run() async throws {
    try await reporting {
      let directory = data.directory("monitor")
      try directory.create()
      let list = try LoadedTrust(try readFile(trust))
      let pem = try readFile(ca ?? Home.path + "/.acd/ca/ca.pem")
      let auditor = auditor.map { DataDirectory($0) }
      let monitors = try archives.map {
        try ArchiveMonitor($0, trust: list, ca: pem, in: directory, as: auditor)
      }
      let lies: Bool
      do { lies = try await look(monitors) } catch {
        for monitor in monitors { try? await monitor.close() }
        throw error
      }
      for monitor in monitors { try await monitor.close() }
      if lies { throw Status.fault }
    }
  }

  /// Looks at all of them, as often as was asked for; true if one lies.
  private func look(_ monitors: [ArchiveMonitor]) async throws -> Bool {
    var lies = false
    repeat {
      for monitor in monitors { lies = try await look(monitor) || lies }
      if follow { try await Task.sleep(for: .seconds(every)) }
    } while follow
    return lies
  }

  /// Looks once; true if the archive lies.
  private func look(_ monitor: ArchiveMonitor) async throws -> Bool {
    let report: MonitorReport
    do { report = try await monitor.look() } catch  where follow {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      return false
    }
    if data.json { try printJSON(report) } else { show(report) }
    for finding in report.findings {
      for proof in finding.proofs {
        let name = "\(proofs)/\(Hash(of: Array(proof)).description.prefix(16)).evidence"
        try writeFile(name, Array(proof))
        if !data.json { print("  evidence: \(name)") }
      }
    }
    return !report.findings.isEmpty
  }

  private func show(_ report: MonitorReport) {
    let quorum = report.hasQuorum.map { $0 ? ", seen by a quorum" : ", NOT seen by a quorum" } ?? ""
    print("\(report.origin): \(report.size) entries, root \(report.root)\(quorum)")
    for finding in report.findings { print("  LIE: \(finding.what)") }
    if let unchecked = report.unchecked { print("  not looked at: \(unchecked)") }
  }
}
