// Trust lists.

internal import ArgumentParser
import Foundation
import Messages
import Services

struct TrustCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust", abstract: "Say whose keys are trusted, and as what.", subcommands: [Export.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign a trust list over these parties and write it.",
      discussion: "Example: acd trust export --party ~/.acd/bank --party ~/.acd/archive --out trust.acd")
    @OptionGroup var data: DataOptions
    @Option(help: "A party's data directory, or its identity.json. Repeat for each party.") var party:
      [String]
    @Option(help: "The file to write.") var out = "trust.acd"
    @Option(help: "For how many days the list is good.") var days: UInt64 = 365
    @Option(help: "How many witnesses have to certify the same (default: more than half).") var quorum:
      UInt64?
    @Option(help: "Within how many seconds an archive answers.") var answer: UInt64 = 2
    @Option(help: "How many seconds a transaction lives after its latest expiration (default: 90 days).")
    var lifetime: UInt64 = 90 * 86_400

    func run() async throws {
      try await reporting {
        var limits = TrustAuthority.Limits()
        (limits.quorum, limits.answerSeconds, limits.lifetimeSeconds) = (quorum, answer, lifetime)
        let list = try TrustAuthority.export(
          data.directory("authority"), parties: try party.map(PartyCard.load), days: days, limits: limits)
        try writeFile(out, list)
        let authority = try LoadedTrust(list).authority
        if data.json {
          try printJSON(["file": out, "authority": authority.description])
        } else {
          print("trust list over \(party.count) parties written to \(out)\n  authority  \(authority)")
        }
      }
    }
  }
}
