// `acd simulate`: whole runs of all parties in memory, with faults and lies, from seeds. Workers are
// processes of their own, so that a run that ends the process is a finding and not the end.

internal import ArgumentParser
import Foundation
import Messages
import Services
import Simulation

struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Try to break the protocols: faults, crashes and lies, from seeds.",
    discussion: """
      Runs the real services on simulated disks, clocks and a simulated network. Each seed is one run: one
      bank, two archives, two merchants, three customers. After every step the invariants of the protocols
      are checked; at the end, that all has ended and that money and goods are where they belong
      (docs/SIMULATION.md).

      A broken invariant prints its seed and the end of the trace. The same seed is the same run, to the bit:
      `acd simulate --seeds 17..17 --trace` shows all of it.

      EXIT STATUS
        0   nothing broke
        8   an invariant broke
        64  wrong usage
      """)
  @Option(name: .customLong("protocol"), help: "A protocol, or all.") var mode = "all"
  @Option(help: "The first and the last seed, A..B.") var seeds = "1..40"
  @Option(help: "Purchases in each run.") var transactions = 30
  @Option(help: "Who lies: none, all (each in turn), C, M, B, A, or a coalition such as C+M.") var byzantine =
    "none"
  @Option(
    name: .customLong("with"), parsing: .upToNextOption,
    help: "What there is beside purchases: \(Extra.allCases.map(\.rawValue).joined(separator: ", ")), none.")
  var extras: [String] = []
  @Option(help: "Stop every party at every write and send of one purchase: once or twice.")
  var crashEverywhere: String?
  @Option(
    parsing: .upToNextOption,
    help: "One purchase without faults, in which somebody stops at these writes and sends; with --trace.")
  var stopAt: [Int] = []
  @Option(help: "Processes that work.") var workers = ProcessInfo.processInfo.activeProcessorCount
  @Flag(help: "Print all that happens.") var trace = false
  @Flag(help: "End with the first run that breaks an invariant.") var untilBroken = false
  @Flag(help: "Print JSON.") var json = false
  @Option(help: .hidden) var worker: String?

  func run() async throws {
    try await reporting {
      let campaign = try campaign()
      if let crashEverywhere { return try await everywhere(campaign, times: crashEverywhere) }
      if let worker { return try work(campaign, as: worker) }
      if trace { return try show(campaign) }
      let started = ContinuousClock.now
      let summary = try await SimulationCrew(self, campaign, count: max(1, min(workers, 64))).run()
      try report(summary, started.duration(to: .now))
    }
  }

  /// What this command asks for.
  private func campaign() throws -> Campaign {
    let bounds = seeds.components(separatedBy: "..").compactMap { UInt64($0) }
    guard let first = bounds.first, let last = bounds.last, bounds.count <= 2, first <= last,
      last - first < 100_000_000
    else { throw ValidationError("Seeds are written A..B, the lower one first.") }
    guard (1...10_000).contains(transactions) else {
      throw ValidationError("A run has 1 to 10000 transactions; take more seeds.")
    }
    var modes = Simulator.modes
    if mode != "all" {
      guard let one = Mode(named: mode), modes.contains(one) else {
        let known = modes.map(\.name).joined(separator: ", ")
        throw ValidationError("The simulator knows these protocols: \(known), all.")
      }
      modes = [one]
    }
    var liars = Coalition.all
    if byzantine != "all" {
      guard let one = Coalition(letters: byzantine) else {
        throw ValidationError("Who lies is written none, all, or letters of C, M, B, A.")
      }
      liars = [one]
    }
    var campaign = Campaign(seeds: first...last, modes: modes, transactions: transactions, liars: liars)
    campaign.keepsTrace = trace
    if !extras.isEmpty {
      campaign.extras = try Set(
        extras.filter { $0 != "none" }.map { name in
          guard let extra = Extra(rawValue: name) else {
            throw ValidationError("There is nothing called \(name) to run with.")
          }
          return extra
        })
    }
    return campaign
  }

  // MARK: Working

  /// One of several processes: "NUMBER/COUNT" says which seeds are its own. A line of JSON for each run.
  private func work(_ campaign: Campaign, as part: String) throws {
    let (number, count) = try Self.part(part)
    defer { Simulator.cleanUp() }
    for seed in campaign.seeds where seed % count == number {
      say("{\"begins\":\(seed)}")
      let result = Simulator.run(campaign.scenario(seed))
      say(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
  }

  private static func part(_ text: String) throws -> (number: UInt64, count: UInt64) {
    let numbers = text.split(separator: "/").compactMap { UInt64($0) }
    guard numbers.count == 2, numbers[1] > 0 else { throw ValidationError("A worker is NUMBER/COUNT.") }
    return (numbers[0], numbers[1])
  }

  private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  private func show(_ campaign: Campaign) throws {
    defer { Simulator.cleanUp() }
    var summary = CampaignSummary()
    for seed in campaign.seeds {
      var scenario = campaign.scenario(seed)
      if !stopAt.isEmpty {
        scenario.transactions = 1
        (scenario.isCalm, scenario.crashes) = (true, stopAt)
      }
      let result = Simulator.run(scenario)
      print("seed \(seed)")
      for line in result.trace { print("  \(line)") }
      print("  trace hash \(result.traceHash)")
      summary.add(result)
    }
    try report(summary, nil)
  }

  /// One purchase of each mode; the processes share the boundaries at which somebody stops first.
  private func everywhere(_ campaign: Campaign, times: String) async throws {
    guard let count = ["once": 1, "twice": 2][times] else {
      throw ValidationError("--crash-everywhere takes once or twice.")
    }
    let seed = campaign.seeds.lowerBound
    if let worker {
      let (number, parts) = try Self.part(worker)
      defer { Simulator.cleanUp() }
      let findings = CrashEverywhere(mode: campaign.modes[0], seed: seed, extras: campaign.extras ?? []).run(
        times: count, part: Int(number), of: Int(parts), untilBroken: untilBroken)
      return say(String(decoding: try JSONEncoder().encode(findings), as: UTF8.self))
    }
    var isBroken = false
    for mode in campaign.modes {
      let started = ContinuousClock.now
      var findings = CrashEverywhere.Findings()
      let crew = CrashCrew(mode, seed, times, extras: extras, count: max(1, min(workers, 64)))
      for (number, part) in try await crew.run().enumerated() {
        if number == 0 { findings = part } else { findings.add(part) }
      }
      let time = started.duration(to: .now).formatted(
        .units(allowed: [.seconds], fractionalPart: .show(length: 1)))
      print(
        "\(mode.name): \(findings.boundaries) boundaries, \(findings.runs) runs, \(findings.failures.count) "
          + "violations, \(time); outcome \(findings.outcome.joined(separator: ", "))")
      for failure in findings.failures.prefix(10) { print("  \(failure)") }
      if !findings.failures.isEmpty { isBroken = true }
    }
    if isBroken { throw Status.broken }
  }

  // MARK: Telling

  private func report(_ summary: CampaignSummary, _ time: Duration?) throws {
    if json { try printJSON(summary) } else { table(summary, time) }
    if !summary.broken.isEmpty { throw Status.broken }
  }

  private func table(_ summary: CampaignSummary, _ time: Duration?) {
    func row(_ name: String, _ value: some CustomStringConvertible) {
      print("  " + name.padding(toLength: 36, withPad: " ", startingAt: 0) + "\(value)")
    }
    row("runs", summary.runs)
    row("transactions", summary.transactions)
    row("  committed", summary.committed)
    row("  aborted", summary.aborted)
    row("  ended before a payment", summary.unpaid)
    if summary.refundsAsked > 0 {
      row("refunds asked for", summary.refundsAsked)
      row("  done", summary.refunded)
    }
    row("events", summary.events)
    row("writes and sends", summary.boundaries)
    for kind in FaultKind.allCases {
      if let times = summary.faults[kind.rawValue] { row("  " + kind.title, times) }
    }
    if summary.judged > 0 {
      row("judgments", summary.judged)
      row("  that convict a liar", summary.convicted)
    }
    row("hours of virtual time", summary.virtualSeconds / 3600)
    row("trace hash", summary.traceHash)
    if let time {
      let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
      row("time", String(format: "%.1f s", seconds))
      row("transactions per second", Int(Double(summary.transactions) / max(0.001, seconds)))
    }
    row("violations", summary.broken.count)
    for result in summary.broken.prefix(5) {
      for violation in result.violations {
        print("\nseed \(result.seed): invariant \(violation.invariant) broke: \(violation.text)")
      }
      for line in result.trace.suffix(40) { print("  \(line)") }
      print(
        "  all of it: acd simulate --protocol \(mode) --byzantine \(byzantine) --transactions \(transactions)"
          + " --seeds \(result.seed)..\(result.seed) --trace")
    }
  }
}

/// The processes that work, and what they say.
private struct SimulationCrew {
  private let command: SimulateCommand
  private let campaign: Campaign
  private let count: Int

  init(_ command: SimulateCommand, _ campaign: Campaign, count: Int) {
    (self.command, self.campaign, self.count) = (command, campaign, count)
  }

  func run() async throws -> CampaignSummary {
    let lines = AsyncStream.makeStream(of: (worker: Int, line: Data?).self)
    let processes = try (0..<count).map { try start($0, lines.continuation) }
    defer {
      for process in processes where process.isRunning {
        process.terminate()
        process.waitUntilExit()
      }
      for process in processes { Simulator.cleanUp(process: process.processIdentifier) }
    }
    var summary = CampaignSummary()
    var running = [UInt64?](repeating: nil, count: count)
    var left = count
    let progress = ProgressLine()
    let all = campaign.seeds.upperBound - campaign.seeds.lowerBound + 1
    for await (worker, line) in lines.stream {
      guard let line else {
        if let seed = running[worker] { summary.add(.died(seed: seed)) }
        left -= 1
        if left == 0 || (command.untilBroken && !summary.broken.isEmpty) { break }
        continue
      }
      if let result = try? JSONDecoder().decode(RunResult.self, from: line) {
        summary.add(result)
        running[worker] = nil
        if command.untilBroken && !summary.broken.isEmpty { break }
        progress.show("\(summary.transactions) transactions", UInt64(summary.runs), all)
      } else if let begins = try? JSONDecoder().decode([String: UInt64].self, from: line) {
        running[worker] = begins["begins"]
      }
    }
    return summary
  }

  private func start(
    _ number: Int, _ out: AsyncStream<(worker: Int, line: Data?)>.Continuation
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "simulate", "--protocol", command.mode, "--seeds", command.seeds, "--transactions",
      "\(command.transactions)", "--byzantine", command.byzantine, "--worker", "\(number)/\(count)",
    ]
    if !command.extras.isEmpty { process.arguments! += ["--with"] + command.extras }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let handle = pipe.fileHandleForReading
    Thread.detachNewThread {
      var buffer = Data()
      while true {
        let block = handle.availableData
        if block.isEmpty { break }
        buffer.append(block)
        while let end = buffer.firstIndex(of: 10) {
          out.yield((number, Data(buffer[buffer.startIndex..<end])))
          buffer.removeSubrange(buffer.startIndex...end)
        }
      }
      process.waitUntilExit()
      out.yield((number, nil))
    }
    return process
  }
}

/// The processes that stop somebody everywhere in one purchase.
private struct CrashCrew {
  private let arguments: [String]
  private let count: Int

  init(_ mode: Mode, _ seed: UInt64, _ times: String, extras: [String], count: Int) {
    arguments =
      ["simulate", "--protocol", mode.name, "--seeds", "\(seed)", "--crash-everywhere", times]
      + (extras.isEmpty ? [] : ["--with"] + extras)
    self.count = count
  }

  func run() async throws -> [CrashEverywhere.Findings] {
    let processes = try (0..<count).map { number in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      process.arguments = arguments + ["--worker", "\(number)/\(count)"]
      process.standardOutput = Pipe()
      process.standardInput = FileHandle.nullDevice
      try process.run()
      return process
    }
    return processes.map { process in
      let said = (process.standardOutput as! Pipe).fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      Simulator.cleanUp(process: process.processIdentifier)
      if let findings = try? JSONDecoder().decode(CrashEverywhere.Findings.self, from: said) {
        return findings
      }
      var died = CrashEverywhere.Findings()
      died.failures = ["a process died in the middle of a run"]
      return died
    }
  }
}
