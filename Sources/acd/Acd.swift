// acd: the command of every party. Each file beside this one holds one party's commands; they are thin
// over Services.
//
// Exit statuses are part of the interface and stand in `acd --help`.

internal import ArgumentParser

@main
struct Acd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acd",
    abstract: "Anonymous certified delivery: buy without a name, where nobody can be cheated.",
    discussion: """
      Try it:          acd demo
      A customer:      acd wallet init | withdraw | offers | buy | bid | accept | decline | receipt export
      A merchant:      acd merchant init | offer add | serve | bids | sales | cancel
      A bank:          acd bank init | account open | account deposit | serve
      An archive:      acd archive init | serve
      A witness:       acd witness init | serve
      Who is trusted:  acd trust export
      A dispute:       acd wallet|merchant|bank evidence export | acd hear | acd judge EVIDENCE…
      No answer:       acd wallet|merchant|bank witness ask | witness abort
      Any message:     acd decode FILE
      A public log:    acd log verify FOLDER --policy FILE
      Try to break it: acd simulate

      Exit statuses: 0 done; 1 failed; 2 refused by a peer, with its signature; 3 not enough money;
      4 a peer cannot be reached (nothing is lost: `acd wallet resume`); 5 not found; 9 a counter-offer
      waits for your answer; 64 wrong usage.
      Of `acd judge`: 0 decided, nobody is at fault; 6 somebody is at fault; 7 nothing is decided.
      Of `acd simulate`: 0 nothing broke; 8 an invariant broke.
      Completion scripts: acd --generate-completion-script bash|zsh|fish
      """,
    version: "0.1.0",
    subcommands: [
      BankCommand.self, ArchiveCommand.self, MerchantCommand.self, WalletCommand.self, WitnessCommand.self,
      TrustCommand.self, HearCommand.self, JudgeCommand.self, LogCommand.self, MonitorCommand.self,
      Decode.self, Demo.self,
      SimulateCommand.self,
    ])
}
