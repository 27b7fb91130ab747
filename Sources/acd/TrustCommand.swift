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
    @Flag(help: "Outcomes count only as the archives' logs show them, and --log-quorum witnesses saw those.")
    var logs = false
    @Option(help: "With --logs: how many witnesses have to have cosigned a log (default: more than half).")
    var logQuorum: UInt64?
    @Option(help: "The same as --logs, by a tlog-policy of your own.") var policy: String?
    @Option(help: "How many seconds ago witnesses have to have seen a log, to act on it (default: any time).")
    var checkpointAge: UInt64?

    @Option(
      help: ArgumentHelp(
        "A timestamp authority's certificate, PEM or DER, with its URL and the policy of its tokens.",
        valueName: "file[,url[,policy]]"))
    var tsa: [TimestampAuthorityArgument] = []

    func validate() throws {
      guard !logs || policy == nil else {
        throw ValidationError("--logs makes a policy, --policy gives one.")
      }
    }

    func run() async throws {
      try await reporting {
        var limits = TrustAuthority.Limits()
        (limits.quorum, limits.answerSeconds, limits.lifetimeSeconds) = (quorum, answer, lifetime)
        let cards = try party.map(PartyCard.load)
        if logs { limits.policy = try TrustAuthority.policy(over: cards, quorum: logQuorum) }
        if let policy { limits.policy = String(decoding: try readFile(policy), as: UTF8.self) }
        limits.checkpointAgeSeconds = checkpointAge
        limits.timestampAuthorities = try tsa.map { try $0.read() }
        let list = try TrustAuthority.export(
          data.directory("authority"), parties: cards, days: days, limits: limits)
        try writeFile(out, list)
        let authority = try LoadedTrust(list).authority
        if data.json {
          try printJSON(["file": out, "authority": authority.description])
        } else {
          print("trust list over \(party.count) parties written to \(out)\n  authority  \(authority)")
          print(
            limits.policy == nil
              ? "  outcomes count by the archives' signatures alone: no log is demanded"
              : "  outcomes count as the archives' logs show them")
        }
      }
    }
  }
}
