// acd-kiosk: the point of delivery's command. Subcommands are in files of their own.
//
// Exit statuses are part of the interface (sysexits.h above 63) and stand in `--help`.

internal import ArgumentParser

@main
struct Kiosk: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acd-kiosk",
    abstract: "The counter's side of anonymous certified delivery: hand parcels over, offline, with proof.",
    discussion: """
      All that a kiosk needs is a trust list from its authority: it names the keys of the merchants and \
      archives that are admitted. Nothing is sent anywhere, but by `sync`.

      Begin with: acd-kiosk help init, or acd-kiosk help verify
      """,
    subcommands: [
      Init.self, Trust.self, Parcels.self, Run.self, Collect.self, Resolve.self, End.self, Verify.self,
      JournalCommand.self, Sync.self, Print.self, Shift.self, Close.self, SelfTest.self,
    ])
}
