// What the kiosk's commands share: where it lives, in which language it speaks, and how it ends.

internal import ArgumentParser
internal import Messages
internal import PointOfDelivery

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Where the kiosk lives, and how it speaks.
struct KioskOptions: ParsableArguments {
  @Option(help: "The kiosk's data directory, which all PCs of the office share (default: ~/.acd/kiosk).")
  var dataDir: String?
  @Option(help: "en, de or fr (default: as LANG says, else en).", transform: spoken) var language: Language?
  @Option(
    help: ArgumentHelp(
      "The time to work by, for tests: 2026-01-31T12:00:00Z, or seconds.", visibility: .hidden))
  var at: String?

  var directory: KioskDirectory { KioskDirectory(dataDir) }

  var tongue: Language {
    language ?? getenv("LC_ALL").flatMap { Language(tag: String(cString: $0)) }
      ?? getenv("LANG").flatMap { Language(tag: String(cString: $0)) } ?? .en
  }

  var now: Timestamp { at.flatMap(UTCTime.parse) ?? currentTime() }

  /// Says what went wrong, on standard error and in the clerk's language where it is a stop.
  func reporting(_ body: () throws -> Void) throws {
    do { try body() } catch let code as ExitCode { throw code } catch let error as ValidationError {
      throw error
    } catch let stop as Stop {
      write(Screen.stop(stop).plain(tongue), to: .error)
      throw ExitCode(1)
    } catch let error as JournalError {
      write("error: \(error)\n", to: .error)
      throw ExitCode(3)
    } catch let error as InputError {
      write("error: \(error)\n", to: .error)
      throw ExitCode(66)
    } catch {
      write("error: \(error)\n", to: .error)
      throw ExitCode(1)
    }
  }

  /// Opens the journal, decides one thing and makes it durable.
  func decide<R>(
    _ body: (Counter, CounterState, borrowing SigningKey) throws -> (entries: [JournalEntry], result: R)
  ) throws -> R {
    let counter = try directory.counter()
    var journal = try directory.journal(at: now)
    return try directory.signing { key in
      try journal.commit { state in try body(counter, state, key) }
    }
  }
}

/// A language by its tag.
private func spoken(_ tag: String) throws -> Language {
  guard let language = Language(tag: tag) else { throw ValidationError("The counter speaks en, de and fr.") }
  return language
}

func say(_ text: String) { write(text + "\n", to: .output) }
