// init, trust, parcels, shift, close, resolve and end: everything at a counter but the hand-over itself.

internal import ArgumentParser
internal import Messages
internal import PointOfDelivery

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a kiosk: its key, its journal. Prints what its authority has to know.")
  @OptionGroup var options: KioskOptions
  @Option(help: "The office's name for people: stands in the trust list.") var name: String

  func run() throws {
    try options.reporting {
      guard !name.isEmpty, name.utf8.count <= 64 else { throw ValidationError("A name has 1 to 64 bytes.") }
      let key = try options.directory.create(name: name)
      _ = try options.directory.journal(at: options.now)
      say("kiosk \(name) is set up in \(options.directory.path)\n  key  \(key)")
      say("next: acd trust export --party \(options.directory.path) … ; acd-kiosk trust add trust.acd")
    }
  }
}

// MARK: Trust lists

struct Trust: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Whom this kiosk believes: the trust lists of its authorities.",
    subcommands: [Add.self, List.self, Remove.self, Update.self])

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put an authority's list in force. From then on only that authority can replace it.")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The list.") var file: String
    @Option(help: "The authority's key, by which you know it; without it the list's own signer is believed.")
    var authority: String?

    func run() throws {
      try options.reporting {
        let pinned = try authority.map(kioskKey)
        let list = try LoadedTrust(
          readBounded(.file(file), limit: ReceiptLimits.trustSizeMax + 1), authority: pinned)
        guard !options.directory.exists("trust/\(list.authority).acd") else {
          throw KioskError("this authority's list is in force already: acd-kiosk trust update")
        }
        try install(list, options)
      }
    }
  }

  struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Replace a list by a later one of the same authority.")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The list.") var file: String

    func run() throws {
      try options.reporting {
        let list = try LoadedTrust(readBounded(.file(file), limit: ReceiptLimits.trustSizeMax + 1))
        guard let old = try options.directory.trusts().first(where: { $0.loaded.authority == list.authority })
        else {
          throw KioskError("no list of the authority \(list.authority) is in force; nothing was changed")
        }
        guard list.list.sequence > old.loaded.list.sequence else {
          throw KioskError("this list is not newer than the one in force; nothing was changed")
        }
        guard
          list.list.sequence > old.loaded.list.sequence + 1
            || list.list.previous == Hash(of: old.loaded.bytes)
        else { throw KioskError("this list does not follow the one in force: ask your authority") }
        try install(list, options)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The lists in force, and whom they name.")
    @OptionGroup var options: KioskOptions

    func run() throws {
      try options.reporting {
        let now = options.now
        for trust in try options.directory.trusts() {
          let list = trust.loaded.list
          let state = now < list.at ? "not yet good" : now < list.until ? "good" : "OVER"
          say(
            "\(trust.loaded.authority)  number \(list.sequence)  \(state), until \(UTCTime.text(list.until))")
          for entry in list.entries {
            let state =
              entry.revokedAt.map { $0 <= now } ?? false
              ? "  REVOKED" : now < entry.from || now >= entry.until ? "  not in its time" : ""
            say("  \(entry.role.name)  \(entry.name)  \(entry.key)\(state)")
          }
        }
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Believe an authority no more.")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The authority's key.") var authority: String

    func run() throws {
      try options.reporting {
        let key = try kioskKey(authority)
        try options.directory.remove(key)
        try options.decide { _, state, _ in
          (
            [
              JournalEntry(
                .trust, at: max(options.now, state.latest), [.key: key.description, .note: "removed"])
            ], ()
          )
        }
        say("removed: the list of \(key)")
      }
    }
  }
}

/// A key from a command line.
func kioskKey(_ text: String) throws -> PublicKey {
  guard let key = PublicKey(hex: text), key.isSound else {
    throw ValidationError("A key is 64 hexadecimal digits, and somebody can sign with it.")
  }
  return key
}

private func install(_ list: LoadedTrust, _ options: KioskOptions) throws {
  let key = try options.directory.signing { $0.publicKey }
  try options.directory.put(list)
  try options.decide { _, state, _ in
    (
      [
        JournalEntry(
          .trust, at: max(options.now, state.latest),
          [.key: list.authority.description, .list: Hash(of: list.bytes).description])
      ], ()
    )
  }
  say("in force: list \(list.list.sequence) of \(list.authority), until \(UTCTime.text(list.list.until))")
  if list.list.entry(key, as: .kiosk) == nil {
    say("  this kiosk is not on it: merchants and judges would not count what it signs")
  }
}

// MARK: Parcels

struct Parcels: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What lies on the shelves, and what is to come.",
    subcommands: [Add.self, Import.self, Move.self, List.self])

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A parcel arrived: scan its label, and say on which shelf it lies.")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The label.") var label: String
    @Option(help: "The shelf.") var shelf: String
    @Option(help: "The merchant's name, if he did not announce it.") var merchant: String?

    func run() throws {
      try options.reporting {
        let parcel = try options.decide { counter, state, key in
          let named = try merchant.map { name in
            let all = counter.trusts.flatMap(\.loaded.list.entries)
            guard
              let entry = all.first(where: {
                $0.role == .merchant && ($0.name == name || $0.key.description == name)
              })
            else { throw KioskError("the trust lists have no merchant \(name)") }
            return entry.key
          }
          let entry = try counter.arrive(
            label, shelf: shelf, merchant: named, state, at: options.now, key: key)
          return ([entry], entry.fields[.parcel] ?? label)
        }
        let place = "\(Phrase.shelf.text(options.tongue)) \(shelf)"
        say("\(Phrase.arrivedTitle.text(options.tongue)): \(parcel)  \(place)")
      }
    }
  }

  struct Move: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put a parcel on another shelf.")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The label.") var label: String
    @Option(help: "The shelf.") var shelf: String

    func run() throws {
      try options.reporting {
        try options.decide { counter, state, _ in
          ([try counter.move(label, shelf: shelf, state, at: options.now)], ())
        }
        say("\(label)  \(Phrase.shelf.text(options.tongue)) \(shelf)")
      }
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read what a merchant announces (`acd merchant parcels --out FILE`).")
    @OptionGroup var options: KioskOptions
    @Argument(help: "The file.") var file: String

    func run() throws {
      try options.reporting {
        let bundle = try Bundle(encoded: readBounded(.file(file), limit: 16 << 20))
        let count = try options.decide { counter, state, _ in
          let entries = counter.expect(bundle.messages, state, at: options.now)
          return (entries, entries.count)
        }
        say("expected: \(count) more")
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the parcels, those to be pulled first.")
    @OptionGroup var options: KioskOptions
    @Flag(help: "Also those that are gone.") var all = false

    func run() throws {
      try options.reporting {
        let state = try options.directory.journal(at: options.now).state
        let now = options.now
        if now < state.latest {
          write(Screen.stop(.clockBack(latest: state.latest)).plain(options.tongue), to: .error)
        }
        let pull = Set(state.expired(at: now).map(\.label))
        let rows = state.parcels.values.sorted {
          (pull.contains($0.label) ? 0 : 1, $0.shelf ?? "", $0.label)
            < (pull.contains($1.label) ? 0 : 1, $1.shelf ?? "", $1.label)
        }
        for parcel in rows {
          if case .out = parcel.place, !all { continue }
          let until = parcel.holdUntil.map { "  until \(UTCTime.text($0))" } ?? ""
          let mark = pull.contains(parcel.label) ? "PULL  " : ""
          say("\(mark)\(parcel.label)  \(parcel.place.name)  \(parcel.shelf ?? "-")\(until)")
        }
      }
    }
  }
}

extension ParcelPlace {
  /// For people.
  var name: String {
    switch self {
    case .expected: "expected"
    case .shelved: "shelved"
    case .inHand: "IN DOUBT"
    case .out(let outcome): "\(outcome)"
    case .elsewhere: "elsewhere"
    }
  }
}

// MARK: The day

struct Shift: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Somebody takes over, under a name that is used at this counter alone, and signs for what is here.")
  @OptionGroup var options: KioskOptions
  @Argument(help: "The name; none: nobody is on duty.") var clerk: String?

  func run() throws {
    try options.reporting {
      let outgoing = try options.directory.journal(at: options.now).state.clerk
      guard let signer = clerk ?? outgoing else { throw Stop.noShift }
      let here = try options.directory.signing(clerk: signer) { clerkKey in
        try options.decide { counter, state, _ in
          let entry = try counter.shift(clerk ?? "", signedBy: clerkKey, state, at: options.now)
          return ([entry], state.here.count)
        }
      }
      say("\(clerk ?? Phrase.nobodyOnDuty.text(options.tongue))  \(Phrase.here.text(options.tongue)) \(here)")
    }
  }
}

struct Close: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Close the day: what is on the shelves, what was scanned, and what does not fit.",
    discussion: "Labels are arguments, or lines of --scanned (- reads standard input).")
  @OptionGroup var options: KioskOptions
  @Argument(help: "Labels that were scanned on the shelves.") var labels: [String] = []
  @Option(help: "A file of labels, one a line.") var scanned: String?
  @Option(help: "Carry over what is open, for this reason.") var carry: String?

  func run() throws {
    try options.reporting {
      var texts = labels
      if let scanned {
        let bytes = try readBounded(scanned == "-" ? .standardInput : .file(scanned), limit: 1 << 20)
        texts += String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
      }
      let found = try Set(
        texts.filter { !$0.isEmpty }.map { text in
          guard let label = ParcelLabel(text) else { throw Stop.badLabel(text) }
          return label.text
        })
      let state = try options.directory.journal(at: options.now).state
      let report = try options.directory.counter().tally(found, state, at: options.now)
      show(report, found.count)
      try options.decide { counter, state, _ in
        let (entry, _) = try counter.close(found, carry: carry, state, at: options.now)
        return ([entry], ())
      }
      say("closed")
    }
  }

  private func show(_ report: CloseReport, _ counted: Int) {
    say("expected \(report.expected.count), scanned \(counted)")
    for (what, labels) in [
      ("missing", report.missing), ("surplus", report.surplus), ("in doubt", report.inDoubt),
      ("to pull", report.expired),
    ] {
      for label in labels { say("  \(what)  \(label)") }
    }
  }
}

struct Resolve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "After a crash: say whether a parcel that was in hand was handed over.")
  @OptionGroup var options: KioskOptions
  @Argument(help: "The label.") var label: String
  @Flag(help: "The customer has it.") var handedOver = false
  @Option(help: "He does not have it: why. It is back on its shelf.") var back: String?
  @Option(help: "It failed for good (lost, wrong goods): why.") var failed: String?

  func validate() throws {
    guard [handedOver, back != nil, failed != nil].filter({ $0 }).count == 1 else {
      throw ValidationError("Say one: --handed-over, --back REASON or --failed REASON.")
    }
  }

  func run() throws {
    try options.reporting {
      let entry = try options.decide { counter, state, key in
        guard case .inHand(let hD2) = state.parcels[label]?.place else { throw Stop.nothingAsked }
        let now = options.now
        let entry =
          if let back {
            try counter.withdraw(label, reason: back, state, at: now)
          } else {
            try counter.end(
              label, hD2: hD2, handedOver ? .handedOver : .failed, reason: failed, state, at: now, key: key)
          }
        return ([entry], entry)
      }
      let said = entry.kind == .withdrawn ? Phrase.backOnShelf.text(options.tongue) : entry.fields[.outcome]
      say("\(label)  \(said ?? "")")
    }
  }
}

struct End: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "end",
    abstract: "Record what became of a parcel without its customer: expired, returned, failed.",
    discussion: "The pull list is `acd-kiosk parcels list`: PULL. A returned parcel is scanned as it leaves.")
  @OptionGroup var options: KioskOptions
  @Argument(help: "The label, scanned.") var label: String
  @Flag(help: "Its time is over: pulled from the shelf.") var expired = false
  @Flag(help: "It leaves for the merchant.") var returned = false
  @Option(help: "It failed for good (lost, crushed, jammed in the locker): why.") var failed: String?

  func validate() throws {
    guard [expired, returned, failed != nil].filter({ $0 }).count == 1 else {
      throw ValidationError("Say one: --expired, --returned or --failed REASON.")
    }
  }

  func run() throws {
    try options.reporting {
      let outcome: DeliveryOutcome = expired ? .expired : returned ? .returned : .failed
      guard let label = ParcelLabel(label) else { throw Stop.badLabel(label) }
      try options.decide { counter, state, key in
        ([try counter.end(label.text, outcome, reason: failed, state, at: options.now, key: key)], ())
      }
      write(Screen.outcome(outcome, label.text, reason: failed).plain(options.tongue), to: .output)
    }
  }
}
