// Transparency logs from the command line: one is made up for other people's verifiers, or one is verified.

internal import ArgumentParser
import Foundation
import Messages
import TransparencyLog

struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Verify a transparency log in a folder, prove an entry, or make a log up.",
    subcommands: [LogVerify.self, LogProve.self, LogVkey.self, LogMake.self])
}

/// A log as static files, to be read only.
struct LogFolder {
  let path: String

  func object(_ name: String) throws -> [UInt8]? {
    try? Array(Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
  }

  /// The head that the published checkpoint shows, under the policy.
  func head(_ policy: LogPolicy) throws -> (note: [UInt8], head: LogHead, cosigned: Cosigned) {
    guard let note = try object(LogPath.checkpoint) else { throw LogFault.missing(path: LogPath.checkpoint) }
    let (checkpoint, cosigned) = try policy.verify(note)
    return (note, LogHead(size: checkpoint.size, root: checkpoint.root), cosigned)
  }
}

struct PolicyOption: ParsableArguments {
  @Option(help: "The tlog-policy: which logs count, and which witnesses suffice.") var policy: String

  func read() throws -> LogPolicy {
    try LogPolicy(String(decoding: Data(contentsOf: URL(fileURLWithPath: policy)), as: UTF8.self))
  }
}

struct LogVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Hash every entry and tile again, up to the signed checkpoint, and look for second outcomes.")
  @Argument(help: "The log's folder.") var log: String
  @OptionGroup var policy: PolicyOption

  func run() async throws {
    try await reporting {
      let folder = LogFolder(path: log)
      let (_, head, cosigned) = try folder.head(policy.read())
      try LogCheck.everything(head, reading: folder.object)
      var monitor = try LogMonitor(
        LogFollower(outcomes: OutcomesInMemory(), skewSeconds: 0), reading: folder.object)
      let violations = try monitor.advance(to: head, cosignedAt: 0, reading: folder.object)
      for violation in violations { print("violation: \(violation)") }
      guard violations.isEmpty else { throw Status.failed }
      print("\(head.size) entries, root \(head.root): all hold; seen by a quorum at \(cosigned.reached)")
    }
  }
}

struct LogProve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove", abstract: "Write the tlog-proof of an entry.")
  @Argument(help: "The log's folder.") var log: String
  @Argument(help: "The entry's index, from 0.") var index: UInt64
  @OptionGroup var policy: PolicyOption

  func run() async throws {
    try await reporting {
      let (policy, folder) = (try policy.read(), LogFolder(path: log))
      let (note, head, _) = try folder.head(policy)
      guard index < head.size else { throw ValidationError("the log has \(head.size) entries") }
      let tree = LogTree(size: head.size, reading: folder.object)
      let proof = TlogProof.text(index: index, path: try tree.inclusion(of: index), checkpoint: note)
      _ = try policy.verify(proof, of: TreeHash.leaf(tree.entry(index)))
      print(String(decoding: proof, as: UTF8.self), terminator: "")
    }
  }
}

struct LogVkey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vkey", abstract: "Print the verifier key of a log or a witness, as policies name it.")
  @Argument(help: "The log's origin, or the witness's name.") var name: String
  @Argument(help: "Its public key, 64 hexadecimal digits.") var key: String
  @Flag(help: "A witness's key.") var witness = false

  func run() async throws {
    try await reporting {
      guard let key = PublicKey(hex: key) else { throw ValidationError("a key is 64 hexadecimal digits") }
      print(try NoteKey(name: name, kind: witness ? .cosigner : .log, publicKey: key).vkey)
    }
  }
}

/// Keys that nobody keeps: the log cannot grow afterwards.
struct LogMake: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "make",
    abstract: "Make up a log of outcomes that never were, with witnesses, to try verifiers.")
  @Argument(help: "The folder; it must not have a log.") var log: String
  @Option(help: "How many entries.") var entries = 5000
  @Option(help: "How many at a time, at most.") var batch = 300
  @Option(help: "How many witnesses cosign it; all have to.") var witnesses = 3
  @Flag(help: "Let the last entry end the first one's lock again, as no honest archive does.") var lie = false

  func run() async throws {
    try await reporting {
      var random = SystemRandomNumberGenerator()
      let maker = try LogMaker(witnesses: witnesses, using: &random)
      var writer = try LogWriter(
        opening: LogDirectory(log), key: maker.log, isNew: true, sign: { try maker.cosigned($0) })
      try maker.write(log)
      try makeFolder(log + "/seen")
      while writer.head.size < UInt64(entries) {
        let count = min(entries - Int(writer.head.size), Int.random(in: 1...max(1, batch), using: &random))
        let isLast = lie && Int(writer.head.size) + count == entries && writer.head.size > 0
        let second = isLast ? [try maker.second(of: writer.tree.entry(0)).encoded] : []
        let outcomes = (0..<count - second.count).map { _ in maker.outcome(using: &random).encoded }
        try writer.append(outcomes + second)
        try Data(maker.signed(writer.head)).write(to: URL(fileURLWithPath: log + "/seen/\(writer.head.size)"))
      }
      print(
        "\(writer.head.size) entries, root \(writer.head.root); policy, vkey and witnesses stand in \(log)")
    }
  }

  private func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
}

/// The keys of a log that is made up, and what they sign.
final class LogMaker {
  let log: NoteKey
  private let signing: SigningKey
  private let witnesses: [(key: NoteKey, seed: [UInt8])]
  private static let origin = "made-up.example/log"

  init(witnesses count: Int, using random: inout SystemRandomNumberGenerator) throws {
    var seed = randomBytes(32, using: &random)
    signing = SigningKey(seed: &seed)
    log = try NoteKey(name: Self.origin, kind: .log, publicKey: signing.publicKey)
    witnesses = try (0..<count).map { index in
      let seed = randomBytes(32, using: &random)
      let key = Self.key(seed).publicKey
      return (try NoteKey(name: "w\(index).example", kind: .cosigner, publicKey: key), seed)
    }
  }

  private static func key(_ seed: [UInt8]) -> SigningKey {
    var copy = seed
    return SigningKey(seed: &copy)
  }

  func signed(_ head: LogHead) throws -> [UInt8] {
    try head.checkpoint(Self.origin).signed(as: log, with: signing)
  }

  func cosigned(_ head: LogHead) throws -> [UInt8] {
    let (text, now) = (try head.checkpoint(Self.origin).text(), UInt64(Date().timeIntervalSince1970))
    return try witnesses.reduce(signed(head)) { note, witness in
      try note + Self.key(witness.seed).noteLine(witness.key, over: text, at: now)
    }
  }

  func outcome(using random: inout SystemRandomNumberGenerator) -> LogLeaf {
    LogLeaf(
      kind: Bool.random(using: &random) ? .commit : .abort, at: UInt64(Date().timeIntervalSince1970),
      subject: .random(using: &random), lock: .random(using: &random), body: .random(using: &random))
  }

  /// An abort of a lock that has its outcome.
  func second(of entry: [UInt8]) throws -> LogLeaf {
    let first = try LogLeaf(encoded: entry)
    return LogLeaf(
      kind: .abort, at: UInt64(Date().timeIntervalSince1970), subject: first.subject, lock: first.lock,
      body: first.body)
  }

  /// The keys, for verifiers.
  func write(_ folder: String) throws {
    let names = witnesses.indices.map { "w\($0)" }
    let lines =
      ["log \(log.vkey)"] + zip(names, witnesses).map { "witness \($0) \($1.key.vkey)" }
      + (names.isEmpty
        ? ["quorum none"] : ["group all-of-them all " + names.joined(separator: " "), "quorum all-of-them"])
    try write(lines, to: folder + "/policy")
    try write([log.vkey], to: folder + "/vkey")
    try write(witnesses.map(\.key.vkey), to: folder + "/witnesses")
  }

  private func write(_ lines: [String], to path: String) throws {
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
  }
}
