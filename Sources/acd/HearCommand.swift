// `acd hear`: shows a bank or an archive the evidence that speaks of it, before anybody is judged. Its signed
// answers are evidence, too.

internal import ArgumentParser
import Foundation
import Messages
import Services

struct HearCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hear", abstract: "Show a bank or an archive the evidence, and keep its answers.",
    discussion: """
      A bank is shown the outcomes of its locks and acts on them, an archive is asked for the outcome of each
      lock. What they answer is written as a bundle, for `acd judge EVIDENCE… --heard PARTY`.

      EXIT STATUS
        0   it answered to all that it was shown
        4   it did not: the bundle has the answers that there are
        5   it has no address, or there is nothing to show it
      """)
  @Argument(help: "Bundles and messages (`acd wallet evidence export`).") var evidence: [String]
  @Option(help: "Whom to hear: bank or archive, a name, or a key. Repeat for more.") var party: [String]
  @Option(help: "Whose keys count, and where they answer.") var trust = "trust.acd"
  @Option(help: "The certificates that the parties' addresses are checked with.") var ca = "ca.pem"
  @Option(help: "socks5h://HOST:PORT of an anonymizer.") var proxy: String?
  @Option(help: "Where to write the answers.") var out = "hearing.acd"

  func run() async throws {
    try await reporting {
      let messages = try evidence.flatMap { path in
        let bytes = try readFile(path)
        return (try? Messages.Bundle(encoded: bytes))?.messages ?? [bytes]
      }
      let hearing = try Hearing(trust: LoadedTrust(try readFile(trust)), caPEM: readFile(ca), proxy: proxy)
      var answers: [HearingAnswer] = []
      do {
        for name in party { answers += try await hearing.hear(name, on: messages) }
      } catch {
        try await hearing.close()
        throw error
      }
      try await hearing.close()
      for answer in answers { print("shown \(answer.shown): \(answer.remark)") }
      try writeFile(out, try Messages.Bundle(answers.flatMap(\.answers)).encoded())
      print("written: \(out)")
      if answers.contains(where: { !$0.isTaken }) { throw Status.unreachable }
    }
  }
}
