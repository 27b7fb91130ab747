// journal, sync, print and selftest: what was handed over, who has to know it, on paper, and whether all
// works.

internal import ArgumentParser
internal import CardReaders
internal import Messages
internal import PointOfDelivery

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "What happened at this counter, with the proofs.",
    discussion: "Each line hangs on the one before it: a line that was changed, taken out or put in is found."
  )
  @OptionGroup var options: KioskOptions
  @Option(help: "Only this parcel.") var parcel: String?
  @Option(help: "Write the signed records to this file, for `acd judge`.") var export: String?

  func run() throws {
    try options.reporting {
      let journal = try options.directory.journal(at: options.now)
      if let export {
        let finals = journal.state.finals.filter { parcel == nil || $0.key == parcel }
        let arrivals = journal.state.arrivals.filter { parcel == nil || $0.key == parcel }
        let messages =
          (finals.sorted { $0.key < $1.key }.flatMap(\.value))
          + arrivals.values.sorted { $0.lexicographicallyPrecedes($1) }
        try writeFile(export, try Bundle(messages).encoded())
        return say("written: \(export)")
      }
      for (index, entry) in try journal.entries().enumerated()
      where parcel == nil || entry.fields[.parcel] == parcel {
        let fields = entry.fields.sorted { $0.key < $1.key }.map { "\($0.key.rawValue)=\($0.value)" }
        let messages = entry.messages.compactMap { try? MessageType(peeking: $0).label }
        say(
          ([String(index), UTCTime.text(entry.time), entry.kind.rawValue] + fields + messages).joined(
            separator: "  "))
      }
      if journal.wasTorn {
        write("note: a torn line at the end was cut off; nothing was done upon it\n", to: .error)
      }
    }
  }
}

// MARK: Sync

struct Sync: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "When online: bring merchants and archives what they have to know, and hear what other kiosks did.",
    discussion: """
      Sent by the system's curl, over TLS under --ca. Twice is the same; what nobody took is sent again next \
      time. EXIT STATUS 0 all is taken; 4 somebody could not be reached or refused.
      """)
  @OptionGroup var options: KioskOptions
  @Option(help: "The certificate authority's ca.pem; kept for next time.") var ca: String?
  @Option(help: "An anonymizer or proxy, as curl takes it.") var proxy: String?

  func run() throws {
    try options.reporting {
      let directory = options.directory
      if let ca { try directory.replace("ca.pem", readBounded(.file(ca), limit: 1 << 20), mode: 0o644) }
      guard directory.exists("ca.pem") else {
        throw KioskError("which certificate authority? Say --ca FILE once")
      }
      let curl = Curl(ca: directory.file("ca.pem"), proxy: proxy, folder: directory.path)
      let trusts = try directory.trusts()
      let state = try directory.journal(at: options.now).state
      var work = state.pending.flatMap { record in record.peers.map { (record, $0) } }
      // What lies here may have been collected elsewhere meanwhile: the merchant knows.
      for parcel in state.here {
        guard let merchant = parcel.merchant, let d0 = state.arrivals[parcel.label],
          !work.contains(where: { $0.0.id == Hash(of: d0) })
        else { continue }
        work.append(
          (PendingRecord(id: Hash(of: d0), parcel: parcel.label, messages: [d0], peers: []), merchant))
      }
      var failed = 0
      for (record, peer) in work.sorted(by: { $0.0.parcel < $1.0.parcel }) {
        do { try bring(record, to: peer, curl, trusts) } catch {
          failed += 1
          write("\(record.parcel): \(error)\n", to: .error)
        }
      }
      say("synced: \(work.count - failed) of \(work.count)")
      if failed > 0 { throw ExitCode(4) }
    }
  }

  private func bring(_ record: PendingRecord, to peer: PublicKey, _ curl: Curl, _ trusts: [KioskTrust]) throws
  {
    let entries = trusts.flatMap(\.loaded.list.entries)
    guard let entry = entries.first(where: { $0.key == peer && $0.url != nil }), let url = entry.url else {
      throw KioskError("the trust lists have no address for \(peer)")
    }
    let body =
      record.messages.count == 1 && record.messages[0].first == 0xd2 && isD0(record.messages[0])
      ? record.messages[0] : try Bundle(record.messages).encoded()
    let reply = try curl.post(url + "/v1/messages", body)
    if let refusal = try? Verified<Refusal>(reply, by: .key(peer)) {
      throw KioskError(
        "\(entry.name) refused it: \(refusal.payload.detail ?? "code \(refusal.payload.code)")")
    }
    let answer = try Verified<StatusAnswer>(reply, by: .key(peer))
    guard answer.payload.hQuery == record.id else {
      throw KioskError("\(entry.name) answered something else")
    }
    // An outcome that this journal does not have: another office's, or this one's before an old copy came
    // back.
    let others = answer.payload.proof.compactMap { message in
      trusts.lazy.compactMap { trust -> Verified<D3>? in
        guard let d3 = try? Unverified<D3>(message) else { return nil }
        return try? Verified(d3, by: .trusted(trust.loaded.list, as: .kiosk, at: d3.claims.time))
      }.first
    }
    let own = try options.directory.journal(at: options.now).state.finals[record.parcel] ?? []
    let other = others.first { !own.contains($0.bytes) }
    try options.decide { _, state, _ in
      let now = max(options.now, state.latest)
      var entries: [JournalEntry] = []
      if state.pending.contains(where: { $0.id == record.id }) {
        entries.append(
          JournalEntry(
            .synced, at: now,
            [.record: record.id.description, .peer: peer.description, .parcel: record.parcel]))
      }
      if let other, state.parcels[record.parcel]?.place != .elsewhere {
        entries.append(
          JournalEntry(
            .elsewhere, at: now, [.parcel: record.parcel, .peer: other.signer.description],
            messages: [other.bytes]))
      }
      return (entries, ())
    }
    say("\(record.parcel)  \(entry.name) has it")
    if let other {
      write(
        "\(record.parcel): the kiosk \(other.signer) signed an outcome of it that is not in this journal\n",
        to: .error)
    }
  }

  private func isD0(_ message: [UInt8]) -> Bool { (try? MessageType(peeking: message)) == .d0 }
}

// MARK: Paper

struct Print: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a parcel's record for the customer: text, ESC/POS or PNG.",
    discussion: "A print that fails undoes nothing; what was printed before says COPY.")
  @OptionGroup var options: KioskOptions
  @Argument(help: "The parcel's label.") var label: String
  @Option(help: "Columns of the paper: 32 (58 mm) or 48 (80 mm).") var columns = 48
  @Option(help: "The printer's device, or a file: gets ESC/POS.") var printer: String?
  @Option(help: "A PNG of the code.") var png: String?

  func validate() throws {
    guard [32, 48].contains(columns) else { throw ValidationError("Paper has 32 or 48 columns.") }
  }

  func run() throws {
    try options.reporting {
      let state = try options.directory.journal(at: options.now).state
      guard let messages = state.finals[label] else { throw Stop.notHere }
      guard
        let record = PaperRecord(
          Self.last(messages), office: try officeName(), copy: state.printed.contains(label))
      else { throw Stop.unreadable }
      if let printer {
        try Self.send(record.escPOS(options.tongue, columns: columns), to: printer)
      } else if png == nil {
        write(try record.text(options.tongue, columns: columns), to: .output)
      }
      if let png { try writeFile(png, try QRCode(record.code).png()) }
      try options.decide { _, state, _ in
        ([JournalEntry(.printed, at: max(options.now, state.latest), [.parcel: label])], ())
      }
    }
  }

  /// The latest record of a parcel: a returned one has two.
  static func last(_ messages: [[UInt8]]) -> [[UInt8]] {
    guard let start = messages.lastIndex(where: { (try? MessageType(peeking: $0)) == .d1 }),
      messages.last.flatMap({ try? Verified<D3>(stored: $0) })?.payload.hD2 != nil
    else { return messages.suffix(1) }
    return Array(messages[start...])
  }

  private func officeName() throws -> String {
    let key = try options.directory.signing { $0.publicKey }
    let entries = try options.directory.trusts().flatMap(\.loaded.list.entries)
    return entries.first { $0.key == key && $0.role == .kiosk }?.name ?? "acd-kiosk"
  }

  static func send(_ bytes: [UInt8], to device: String) throws {
    let descriptor = open(device, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { throw KioskError.system("cannot print on", device) }
    defer { close(descriptor) }
    try writeAll(descriptor, bytes, device)
  }
}

// MARK: Self-test

struct SelfTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Before opening: clock, key, disk, journal, trust list, reader, scanner, printer.",
    discussion: """
      Scan the line that --scanner-line prints as a code, or type what your scanner makes of it, to test its \
      layout: a scanner that takes the keyboard for another one changes characters.
      """)
  @OptionGroup var options: KioskOptions
  @Option(help: "What the scanner typed of the test code \"ACD1/TEST:$%*+-. 0Z\".") var scanner: String?
  @Option(help: "The printer's device: prints a line with all characters.") var printer: String?
  @Flag(help: "This counter has no card reader.") var withoutReader = false

  static let scannerLine = "ACD1/TEST:$%*+-. 0Z"

  func run() throws {
    try options.reporting {
      var bad = 0
      func report(_ what: Phrase, _ problem: String?) {
        bad += problem == nil ? 0 : 1
        let word = (problem == nil ? Phrase.good : .bad).text(options.tongue)
        let mark = problem == nil ? "+" : "X"
        say("\(mark)  \(what.text(options.tongue)): \(word)\(problem.map { ": \($0)" } ?? "")")
      }
      let directory = options.directory
      var state = CounterState()
      report(.keyWord, problem { _ = try directory.signing { $0.publicKey } })
      report(.journalWord, problem { state = try directory.journal(at: options.now).state })
      report(
        .clock,
        options.now < state.latest
          ? "it was set back: the journal knows \(UTCTime.text(state.latest))"
          : options.now < 1_735_689_600 ? "it stands in the past" : nil)
      report(.disk, disk(directory.path))
      report(.trustList, trust(directory))
      if !withoutReader {
        report(.reader, Reader.names().isEmpty ? "there is no card reader, or pcscd does not run" : nil)
      }
      if let scanner {
        report(.scanner, scanner == Self.scannerLine ? nil : "it typed \(scanner): set its keyboard layout")
      }
      if let printer {
        report(
          .printer,
          problem { try Print.send(Array("\u{1b}@\u{1b}t\u{13}".utf8) + SelfTestText.paper, to: printer) })
      }
      report(
        .characters, SelfTestText.missing.isEmpty ? nil : "not on the code page: \(SelfTestText.missing)")
      if bad > 0 { throw ExitCode(1) }
    }
  }

  private func problem(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  private func disk(_ path: String) -> String? {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return "cannot be looked at" }
    let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
    return free < 50 << 20 ? "\(free >> 20) MiB are free: make room" : nil
  }

  private func trust(_ directory: KioskDirectory) -> String? {
    guard let lists = try? directory.trusts(), !lists.isEmpty else {
      return "there is none: acd-kiosk trust add"
    }
    guard let key = try? directory.signing({ $0.publicKey }) else { return "no key" }
    let now = options.now
    let good = lists.filter { $0.loaded.list.at <= now && now < $0.loaded.list.until }
    guard !good.isEmpty else { return "all are over: acd-kiosk trust update" }
    guard good.contains(where: { (try? $0.loaded.list.check(key, as: .kiosk, at: now, subject: "")) != nil })
    else { return "none has this kiosk: what it signs would not count" }
    return nil
  }
}

// MARK: curl

/// Sends by the system's curl: the kiosk links no server stack, and an HTTP client is much of one.
struct Curl {
  let ca: String
  let proxy: String?
  let folder: String

  /// The answer's body, if its status is 2xx or it is signed.
  func post(_ url: String, _ body: [UInt8]) throws -> [UInt8] {
    let (request, reply) = (folder + "/sync.\(getpid()).request", folder + "/sync.\(getpid()).reply")
    defer {
      unlink(request)
      unlink(reply)
    }
    try writeFile(request, body)
    var arguments = [
      "curl", "--silent", "--show-error", "--max-time", "30", "--tlsv1.3", "--proto", "=https", "--cacert",
      ca,
      "--header", "Content-Type: application/\(body.first == 0xd2 ? "cose" : "cbor")", "--data-binary",
      "@" + request,
      "--output", reply, "--fail-with-body", url,
    ]
    if let proxy { arguments += ["--proxy", proxy] }
    let status = try run(arguments)
    let answer = (try? readBounded(.file(reply), limit: 262_144)) ?? []
    guard status == 0 || answer.first == 0xd2 else {
      throw KioskError("\(url) could not be reached (curl ended with \(status)); it is sent again next time")
    }
    return answer
  }

  private func run(_ arguments: [String]) throws -> Int32 {
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    guard posix_spawnp(&process, "curl", nil, nil, &words, environ) == 0 else {
      throw KioskError("curl is not installed")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status >> 8 & 255
  }
}
