// The shelf and the shift: arrivals, what merchants announce, moves, the close of day.
//
// Invariants: a parcel that arrives has a place on a shelf. A close lists what does not fit, and refuses to
// pass over what is open.

public import Messages

/// What a close of day found.
public struct CloseReport: Equatable, Sendable {
  /// On the shelves by the journal.
  public var expected: [String]
  /// Of these, not scanned.
  public var missing: [String]
  /// Scanned, and not on a shelf by the journal.
  public var surplus: [String]
  /// In hand: nobody said whether it was handed over.
  public var inDoubt: [String]
  /// Time is over, still on the shelf.
  public var expired: [String]

  /// What has to be resolved, or carried over.
  public var unresolved: [String] { (missing + surplus + inDoubt + expired).sorted() }
}

extension Counter {
  /// A parcel arrives: its label is scanned and it gets a place. D0 tells the merchant, if he is known.
  public func arrive(
    _ input: String, shelf: String, merchant: PublicKey? = nil, _ state: CounterState, at now: Timestamp,
    key: borrowing SigningKey
  ) throws(Stop) -> JournalEntry {
    guard let label = ParcelLabel(input) else { throw .badLabel(input) }
    guard !shelf.isEmpty, shelf.utf8.count <= 32 else { throw .noShelf }
    let known = state.parcels[label.text]
    guard known == nil || known?.place == .expected else { throw .knownLabel }
    let time = Self.time(now, state)
    guard let d0 = try? Verified(signing: D0(parcel: label.text, arrived: time), with: key) else {
      throw .unreadable
    }
    return JournalEntry(
      .arrived, at: time,
      [.parcel: label.text, .shelf: shelf, .merchant: (known?.merchant ?? merchant)?.description],
      messages: [d0.bytes])
  }

  /// A parcel gets another place.
  public func move(
    _ input: String, shelf: String, _ state: CounterState, at now: Timestamp
  ) throws(Stop) -> JournalEntry {
    guard let label = ParcelLabel(input) else { throw .badLabel(input) }
    guard !shelf.isEmpty, shelf.utf8.count <= 32 else { throw .noShelf }
    guard state.here.contains(where: { $0.label == label.text }) else { throw .notHere }
    return JournalEntry(.moved, at: Self.time(now, state), [.parcel: label.text, .shelf: shelf])
  }

  /// What merchants announce: pairs of P1 and P5a. Contracts of others, of other offices, or that are known,
  /// are passed over.
  public func expect(_ messages: [[UInt8]], _ state: CounterState, at now: Timestamp) -> [JournalEntry] {
    var entries: [JournalEntry] = []
    for pair in stride(from: 0, to: messages.count - 1, by: 2) {
      guard
        let receipt = try? Receipt(p1: messages[pair], p5a: messages[pair + 1], description: nil).encoded(),
        let facts = holds(receipt, at: Self.time(now, state)),
        let p1 = try? Verified<P1>(stored: messages[pair]), let parcel = p1.payload.contract.parcel,
        p1.payload.contract.offices.contains(kiosk), ParcelLabel(parcel) != nil, state.parcels[parcel] == nil,
        !entries.contains(where: { $0.fields[.parcel] == parcel })
      else { continue }
      entries.append(
        JournalEntry(
          .expected, at: Self.time(now, state),
          [
            .parcel: parcel, .merchant: facts.merchant.description, .n: facts.n.description,
            .archive: facts.archive.description, .hold: p1.payload.contract.holdUntil.map(String.init),
          ]))
    }
    return entries
  }

  /// Merchants announce without a log's proof; the customer's receipt has to have it all the same.
  private func holds(_ receipt: [UInt8], at now: Timestamp) -> (
    merchant: PublicKey, n: TransactionID, archive: PublicKey
  )? {
    guard let parsed = try? Receipt(encoded: receipt) else { return nil }
    for trust in trusts {
      let list = trust.loaded.list
      guard let claimed = try? Unverified<P1>(parsed.p1),
        let p1 = try? Verified(claimed, by: .trusted(list, as: .merchant, at: claimed.claims.contract.date)),
        let commit = try? Unverified<P5a>(parsed.p5a),
        let p5a = try? Verified(commit, by: .trusted(list, as: .archive, at: commit.claims.at)),
        let p4 = try? Verified<P4>(p5a.payload.submission, by: .key(p1.signer)), p4.payload.hP1 == p1.hash
      else { continue }
      return (p1.signer, p1.payload.n, p5a.signer)
    }
    return nil
  }

  // MARK: The shift

  /// Somebody takes over, under a name that is his at this counter alone, and signs for what is here. An
  /// empty name: nobody is on duty any more.
  public func shift(
    _ clerk: String, signedBy key: borrowing SigningKey, _ state: CounterState, at now: Timestamp
  ) throws(Stop) -> JournalEntry {
    guard state.inDoubt.isEmpty else { throw .unresolved(state.inDoubt.map(\.label)) }
    guard clerk.utf8.count <= 32 else { throw .noReason }
    var entry = JournalEntry(
      .shift, at: Self.time(now, state),
      [
        .clerk: clerk, .note: state.clerk.map { "from \($0)" }, .expected: "\(state.here.count)",
        .key: key.publicKey.description,
      ])
    entry.fields[.record] = Hex.encode(key.rawSignature(over: Self.shiftText(entry, kiosk: kiosk)))
    return entry
  }

  /// Whether the clerk's own key signed this hand-over of a shift.
  public static func isSigned(_ entry: JournalEntry, kiosk: PublicKey) -> Bool {
    guard let key = entry.fields[.key].flatMap(PublicKey.init(hex:)),
      let signature = entry.fields[.record].flatMap(Hex.decode)
    else { return false }
    return key.verifies(signature, over: shiftText(entry, kiosk: kiosk))
  }

  private static func shiftText(_ entry: JournalEntry, kiosk: PublicKey) -> [UInt8] {
    let fields = entry.fields.filter { $0.key != .record }.sorted { $0.key < $1.key }
    return Array("acd-kiosk shift\n\(kiosk)\n\(entry.time)\n".utf8)
      + fields.flatMap { Array("\($0.key.rawValue)=\($0.value)\n".utf8) }
  }

  /// What a close at `now` would find, after these labels were scanned.
  public func tally(_ scanned: Set<String>, _ state: CounterState, at now: Timestamp) -> CloseReport {
    let here = state.here
    let shelved = Set(here.filter { $0.place == .shelved }.map(\.label))
    return CloseReport(
      expected: here.map(\.label), missing: shelved.subtracting(scanned).sorted(),
      surplus: scanned.subtracting(here.map(\.label)).sorted(), inDoubt: state.inDoubt.map(\.label),
      expired: state.expired(at: now).map(\.label))
  }

  /// Closes the day. What is open stops it, unless it is carried over with a reason; what is in doubt always
  /// does.
  public func close(
    _ scanned: Set<String>, carry reason: String?, _ state: CounterState, at now: Timestamp
  ) throws(Stop) -> (entry: JournalEntry, report: CloseReport) {
    let report = tally(scanned, state, at: now)
    guard report.inDoubt.isEmpty, report.unresolved.isEmpty || reason?.isEmpty == false else {
      throw .unresolved(report.unresolved)
    }
    let entry = JournalEntry(
      .closed, at: Self.time(now, state),
      [
        .expected: "\(report.expected.count)", .counted: "\(scanned.count)", .clerk: state.clerk,
        .missing: report.missing.isEmpty ? nil : report.missing.joined(separator: ","),
        .surplus: report.surplus.isEmpty ? nil : report.surplus.joined(separator: ","),
        .carried: report.unresolved.isEmpty ? nil : report.unresolved.joined(separator: ","),
        .reason: report.unresolved.isEmpty ? nil : reason,
      ])
    return (entry, report)
  }
}
