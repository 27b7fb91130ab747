// What all commands share: options, output for people and for programs, and the mapping of errors to
// statuses.

internal import ArgumentParser
import Foundation
import Messages
import PointOfDelivery
import Services

/// Where users keep what is theirs: `$HOME`, which scripts and services set, and only without it what the
/// system's list of users says.
enum Home {
  static var path: String {
    let named = ProcessInfo.processInfo.environment["HOME"] ?? ""
    return named.hasPrefix("/") ? named : FileManager.default.homeDirectoryForCurrentUser.path
  }
}

/// Where a party lives, and how to talk.
struct DataOptions: ParsableArguments {
  @Option(help: "Where this party keeps its data (default: ~/.acd/ROLE).")
  var dataDir: String?

  @Flag(help: "Print JSON on standard output instead of text.")
  var json = false

  func directory(_ role: String) -> DataDirectory {
    DataDirectory(dataDir ?? Home.path + "/.acd/\(role)")
  }
}

/// Exit statuses; stable.
enum Status {
  static let failed = ExitCode(1)
  static let refused = ExitCode(2)
  static let funds = ExitCode(3)
  static let unreachable = ExitCode(4)
  static let notFound = ExitCode(5)
  /// `acd judge`: somebody is at fault.
  static let fault = ExitCode(6)
  /// `acd judge`: nothing is decided.
  static let undecided = ExitCode(7)
  /// `acd simulate`: an invariant broke.
  static let broken = ExitCode(8)
  /// The merchant made a counter-offer, which waits for an answer.
  static let countered = ExitCode(9)
}

/// Runs a command's body: says on standard error what went wrong, and ends with the status that it stands
/// for.
func reporting(_ body: () async throws -> Void) async throws {
  do { try await body() } catch let error as ExitCode { throw error } catch let error as ValidationError {
    throw error
  } catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    throw status(of: error)
  }
}

private func status(of error: any Error) -> ExitCode {
  if error is RefusedByPeer { return Status.refused }
  if error is CounterOffer { return Status.countered }
  if let error = error as? ServiceError {
    switch error {
    case .insufficientFunds: return Status.funds
    case .unreachable: return Status.unreachable
    case .notFound: return Status.notFound
    default: return Status.failed
    }
  }
  return "\(type(of: error))" == "TransportError" ? Status.unreachable : Status.failed
}

/// Prints a value as JSON with sorted keys.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Reads a file that a person named.
func readFile(_ path: String) throws -> [UInt8] {
  if path == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ServiceError.file(path: path, reason: "cannot be read")
  }
  return Array(data)
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
  do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
    throw ServiceError.file(path: path, reason: "cannot be written: \(error.localizedDescription)")
  }
}

/// "EUR:1.00" as an argument.
struct MoneyArgument: ExpressibleByArgument {
  let money: Money

  init?(argument: String) {
    guard let money = Money(argument) else { return nil }
    self.money = money
  }
}

/// Prints how far something is, on a terminal only: one line that is rewritten.
final class ProgressLine: @unchecked Sendable {  // every access is under the lock
  private let lock = NSLock()
  private var last = ""
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ what: String, _ done: UInt64, _ total: UInt64) {
    guard isTerminal, total > 0 else { return }
    lock.lock()
    defer { lock.unlock() }
    let percent = Int(done * 100 / total)
    let bar = String(repeating: "█", count: percent / 5) + String(repeating: "░", count: 20 - percent / 5)
    let line = "\r\(what) \(bar) \(percent) %"
    guard line != last else { return }
    last = line
    FileHandle.standardError.write(Data((line + (done >= total ? "\n" : "")).utf8))
  }
}

/// A protocol that can be bought and sold by, as `--protocol` takes it.
struct ProtocolArgument: ExpressibleByArgument, Sendable {
  let mode: Mode

  /// The two messages for each further purchase of a series.
  var isShort = false

  static let core = ProtocolArgument(mode: .core)
  static let served: [Mode] = [.core, .joint, .compact, .early, .repeated, .announced] + Mode.invoices
  static let shortName = "repeated-short"
  /// All of them, for people.
  static let list = allValueStrings.joined(separator: ", ")

  init(mode: Mode) { self.mode = mode }

  init?(argument: String) {
    let name = argument == Self.shortName ? Mode.repeated.name : argument
    guard let mode = Self.aliases[name] ?? Mode(named: name), Self.served.contains(mode) else { return nil }
    (self.mode, isShort) = (mode, argument == Self.shortName)
  }

  /// What people call a protocol beside the name that its messages give it.
  private static let aliases: [String: Mode] = ["joint-compact": .compact]

  var defaultValueDescription: String { Self.word(mode) }
  static var allValueStrings: [String] { served.map(word) + [shortName] }

  private static func word(_ mode: Mode) -> String {
    aliases.first { $0.value == mode }?.key ?? mode.name
  }
}
