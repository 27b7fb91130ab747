// What goes wrong at a counter, beside the requirements: trust, clones, other offices, journals that somebody
// touched, labels that were misread, records that do not fit together.

import Cards
import Messages
import Testing

@testable import PointOfDelivery

@Suite("Faults at the counter")
struct CounterFaultTests {
  private let bought = Bought()
  private var label: String { bought.label }

  @Test("unknown merchant, revoked archive, a list that is over: each is named; another list may know them")
  func trustLists() throws {
    let unknown = try trust { $0.entries.removeAll { $0.role == .merchant } }
    let revoked = try trust { list in
      for index in list.entries.indices where list.entries[index].role == .archive {
        list.entries[index].revokedAt = Bought.now - 1_000
      }
    }
    let over = try trust { $0.until = Bought.now - 10 }
    for (list, code) in [
      (unknown, "receipt-merchant-trusted"), (revoked, "receipt-archive-trusted"),
      (over, "receipt-trust-window"),
    ] {
      var desk = try Desk(trusts: [list])
      try desk.arrive(label)
      desk.feed(.receipt(try bought.receipt().encoded()))
      #expect(desk.screen.code == code && desk.screen.tone == .no)
      #expect(try desk.journal.entries().last?.fields[.reason] == code)
      var both = try Desk(trusts: [list, trust()])
      try both.arrive(label)
      try both.collect(bought)
      #expect(both.place(label) == .out(.handedOver))
    }
    var none = try Desk(trusts: [])
    try none.arrive(label)
    none.feed(.receipt(try bought.receipt().encoded()))
    #expect(none.screen.code == "no-trust")
  }

  @Test("a receipt without a parcel, for another office, of a parcel that is not here or not yet")
  func elsewhere() throws {
    var desk = try Desk()
    func says(_ bought: Bought, _ code: String) throws {
      desk.feed(.receipt(try bought.receipt().encoded()))
      #expect(desk.screen.code == code)
      desk.feed(.key)
    }
    try says(Bought(""), "no-parcel")
    var other = bought
    other.offices = [Part.otherKiosk.key]
    try says(other, "other-office")
    try says(bought, "not-here")
    let receipt = try bought.receipt()
    let now = desk.clock
    try desk.decide { counter, state, _ in (counter.expect([receipt.p1, receipt.p5a], state, at: now), ()) }
    #expect(desk.place(label) == .expected)
    try says(bought, "not-arrived")
  }

  @Test("a cloned card collects nothing a second time")
  func clone() throws {
    let memory = MemoryCard()
    let card = try ownedCard(memory)
    try card.verify(.payment, "1357902")
    let pseudonym = try card.makePseudonym()
    let bought = Bought(label, collectKeys: [pseudonym.key])
    _ = try card.store(bought.receipt(), pseudonym: pseudonym.index)
    var desk = try Desk()
    try desk.arrive(label)
    let receipt = try card.receipt(1)
    #expect(receipt == (try bought.receipt().encoded()))
    for (visit, code) in [(1, "handed-over"), (2, "handed-over-before")] {
      desk.feed([.receipt(receipt), .scan(label)])
      if visit == 1 {
        try card.verify(.counter, "246810")
        desk.feed([.answer(try card.answer(desk.challenge!).bytes), .confirm])
      }
      #expect(desk.screen.code == code)
      desk.feed([.key, .key])
    }
  }

  @Test("a card that answers with what it signed before makes no D2; one without the receipt says so")
  func lyingCard() throws {
    let memory = MemoryCard()
    let card = try ownedCard(memory)
    try card.verify(.payment, "1357902")
    let pseudonym = try card.makePseudonym()
    let bought = Bought(label, collectKeys: [pseudonym.key])
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    try card.verify(.counter, "246810")
    #expect(throws: CardError.noSuchReceipt) { try card.answer(desk.challenge!) }
    _ = try card.store(bought.receipt(), pseudonym: pseudonym.index)
    #expect(try card.receipts().map(\.collects) == [true])
    try card.verify(.counter, "246810")
    let old = try card.answer(desk.challenge!).bytes
    // The PIN counted for one answer.
    #expect(throws: CardError.self) { try card.answer(desk.challenge!) }
    desk.feed(.key)
    try desk.ask(bought)
    try card.verify(.counter, "246810")
    memory.tamper = { $0.count > 100 ? old + [0x90, 0x00] : $0 }
    #expect(throws: CardError.malformed("INTERNAL AUTHENTICATE")) { try card.answer(desk.challenge!) }
    memory.tamper = nil
    try card.erase(1)
    #expect(try card.receipts().isEmpty)
  }

  @Test("one label at two offices: the one that hears of the other hands nothing over")
  func twoOffices() throws {
    var (first, second) = (try Desk(), try Desk(.otherKiosk))
    try first.arrive(label)
    try second.arrive(label)
    try first.collect(bought)
    let final = first.state.finals[label]!.last!
    let (now, label) = (second.clock, label)
    try second.decide { _, _, _ in
      (
        [
          JournalEntry(
            .elsewhere, at: now, [.parcel: label, .peer: Part.kiosk.key.description], messages: [final])
        ], ()
      )
    }
    second.feed(.receipt(try bought.receipt().encoded()))
    #expect(second.screen.code == "elsewhere" && second.state.here.isEmpty)
    // What is out stays out, whatever others say.
    try first.decide { _, _, _ in
      ([JournalEntry(.elsewhere, at: now, [.parcel: label], messages: [final])], ())
    }
    #expect(first.place(label) == .out(.handedOver))
  }

  @Test("a journal of another kiosk, with a changed, missing, added or moved line, is not gone on with")
  func damaged() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.collect(bought)
    let bytes = desk.storage.bytes
    #expect(throws: JournalError.foreign(Part.kiosk.key)) {
      try Desk(.otherKiosk, storage: MemoryJournal(bytes))
    }
    let lines = bytes.split(separator: 0x0a)
    func opens(_ lines: [ArraySlice<UInt8>]) -> Bool {
      (try? Desk(storage: MemoryJournal(lines.flatMap { $0 + [0x0a] }))) != nil
    }
    #expect(opens(lines) && opens(lines.dropLast()))
    for place in lines.indices.dropLast() {
      var fewer = lines
      fewer.remove(at: place)
      #expect(!opens(fewer), "without line \(place)")
      var swapped = lines
      swapped.swapAt(place, place + 1)
      #expect(!opens(swapped), "line \(place) moved")
      var doubled = lines
      doubled.insert(lines[place], at: place)
      #expect(!opens(doubled), "line \(place) twice")
    }
    let end = lines.dropLast().reduce(0) { $0 + $1.count + 1 }
    for place in stride(from: 0, to: bytes.count, by: 37) {
      var changed = bytes
      changed[place] ^= 1
      let opened = try? Desk(storage: MemoryJournal(changed))
      // An end that is gone makes the last line one without an end: torn, nothing was done upon it.
      #expect(opened == nil || (place >= end && opened?.place(label) != .out(.handedOver)), "byte \(place)")
    }
    // What a power cut left unwritten reads as zeros.
    var torn = bytes
    for place in (end + 40)..<(bytes.count - 1) { torn[place] = 0 }
    let desk2 = try Desk(storage: MemoryJournal(torn))
    #expect(desk2.journal.wasTorn && desk2.storage.bytes.count == end)
  }

  @Test("an end that belongs to another visit is no line of a journal")
  func foreignEnd() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    try desk.answer()
    let (now, label) = (desk.clock, label)
    for hD2 in [Hash(of: [1]), nil] {
      #expect(throws: JournalError.self) {
        try desk.decide { _, state, key in
          let d3 = D3(
            time: now, hD2: hD2, stage: .final, outcome: .failed, index: state.records,
            previous: state.lastRecord, parcel: hD2 == nil ? label : nil)
          let signed = try Verified(signing: d3, with: key).bytes
          return ([JournalEntry(.final, at: now, [.parcel: label], messages: [signed])], ())
        }
      }
      #expect(throws: JournalError.self) { try Desk(storage: MemoryJournal(desk.storage.bytes)) }
      let kept = desk.storage.bytes.split(separator: 0x0a).dropLast().flatMap { $0 + [0x0a] }
      desk = try Desk(storage: MemoryJournal(Array(kept)))
      #expect(desk.state.inDoubt.map(\.label) == [label])
    }
  }

  @Test("an entry comes back as it was written, whatever its text is")
  func entries() throws {
    let chain = Hash(of: [1])
    for text in ["A-12", "", "a b=c #d%", "Straße\n2", "\u{1b}[31m", String(repeating: "é", count: 200)] {
      let entry = JournalEntry(
        .stopped, at: 5, [.reason: text, .parcel: "x"],
        messages: [[], [0], [1, 2], [1, 2, 3], [255, 254, 253, 252]])
      let (line, next) = entry.line(7, after: chain)
      #expect(!line.contains("\n"))
      // An empty message is no word.
      let kept = JournalEntry(
        .stopped, at: 5, [.reason: text, .parcel: "x"], messages: Array(entry.messages.dropFirst()))
      let plain = kept.line(7, after: chain)
      #expect(JournalEntry(line: plain.text, index: 7, after: chain) == kept)
      #expect(JournalEntry(line: plain.text, index: 8, after: chain) == nil)
      #expect(JournalEntry(line: plain.text, index: 7, after: next) == nil)
    }
    #expect(Base64URL.decode("A") == nil && Base64URL.decode("AB") == nil && Base64URL.decode("A=") == nil)
  }

  @Test("labels of the post, of logistics and ours are read, and one misread character is seen")
  func labels() throws {
    #expect(ParcelLabel("RR473124829DE")?.kind == .post)
    #expect(ParcelLabel(" rr 4731 2482 9 de ")?.text == "RR473124829DE")
    #expect(ParcelLabel("106141411234567897")?.kind == .logistics)
    #expect(ParcelLabel("(00) 106141411234567897") == ParcelLabel("00106141411234567897"))
    #expect(ParcelLabel(label)?.kind == .own)
    for text in ["RR473124829DE", "106141411234567897", label] {
      for (place, character) in text.enumerated() where character.isNumber {
        for digit in "0123456789" where digit != character {
          var wrong = Array(text)
          wrong[place] = digit
          #expect(ParcelLabel(String(wrong)) == nil, "\(String(wrong))")
        }
      }
    }
    // MOD 97-10 sees two digits that changed places.
    let digits = Array(label)
    for place in 2..<(digits.count - 1) where digits[place] != digits[place + 1] {
      var swapped = digits
      swapped.swapAt(place, place + 1)
      #expect(ParcelLabel(String(swapped)) == nil)
    }
    for text in ["", "RR473124829D", "1061414112345678", "ACX2345678901230", "RR473124829DÉ"] {
      #expect(ParcelLabel(text) == nil)
    }
  }

  @Test("a record whose messages do not name one another is none")
  func records() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.collect(bought)
    let list = try trust().list
    let messages = desk.record!
    let whole = try DeliveryRecord(messages, trust: list)
    #expect(whole.messages == messages)
    func refused(_ messages: [[UInt8]], _ what: Comment) {
      #expect(throws: MessageError.self, what) { try DeliveryRecord(messages, trust: list) }
    }
    for place in messages.indices where place != 2 {
      var fewer = messages
      fewer.remove(at: place)
      refused(fewer, "without message \(place)")
    }
    refused(messages + [messages[3]], "three D3")
    refused([messages[1], messages[0], messages[2], messages[3]], "in another order")
    refused([], "nothing")
    let d3 = try Verified<D3>(stored: messages[3]).payload
    func final(by part: Part = .kiosk, _ change: (inout D3) -> Void) throws -> [[UInt8]] {
      var payload = d3
      change(&payload)
      return Array(messages.prefix(3)) + [try part.sign(payload).bytes]
    }
    refused(try final(by: .otherKiosk) { _ in }, "another kiosk's")
    refused(try final(by: .stranger) { _ in }, "nobody's")
    refused(try final { $0.hD2 = Hash(of: [1]) }, "another D2")
    refused(try final { $0.outcome = DeliveryOutcome.refused.rawValue }, "an outcome that was not asked for")
    refused(try final { $0.stage = DeliveryStage.verified.rawValue }, "not final")
    refused(try final { $0.index = 0 }, "before the one that was verified")
    refused(try final { $0.time = Bought.now - 1 }, "before the challenge")
    refused(try final { $0.parcel = label }, "with a parcel of its own")
    #expect(
      try DeliveryRecord(final { $0.outcome = DeliveryOutcome.failed.rawValue }, trust: list).outcome
        == .failed)
    // Alone: only what needs no customer.
    for outcome in DeliveryOutcome.allCases {
      let alone = try Part.kiosk.sign(
        D3(
          time: Bought.now, hD2: nil, stage: .final, outcome: outcome, index: 0, previous: nil, parcel: label)
      ).bytes
      let holds = (try? DeliveryRecord([alone], trust: list)) != nil
      #expect(holds == [.failed, .expired, .returned].contains(outcome), "\(outcome)")
    }
    // Somebody else's, by a leave that is over when he is asked, or is for another key.
    let d1 = try Verified<D1>(stored: messages[0])
    let d2 = try Part.delegate.sign(D2(hD1: d1.hash, intent: .collect))
    let end = try Part.kiosk.sign(
      D3(time: Bought.now, hD2: d2.hash, stage: .final, outcome: .handedOver, index: 0, previous: nil))
    for (key, until, differs) in [
      (Part.delegate, Bought.now + 1, nil), (.delegate, Bought.now, "collector"),
      (.stranger, Bought.now + 1, "collector"),
    ] as [(Part, Timestamp, String?)] {
      let leave = try Part.customer.sign(Delegation(key: key.key, parcel: label, until: until))
      let record = try DeliveryRecord([d1.bytes, d2.bytes, leave.bytes, end.bytes], trust: list)
      #expect(record.mismatch(try bought.p1(), hP5a: nil) == differs)
    }
    // Of another sale, office or customer.
    let p1 = try bought.p1()
    #expect(whole.mismatch(p1, hP5a: nil) == nil)
    #expect(whole.mismatch(p1, hP5a: Hash(of: [1])) == "hP5a")
    #expect(whole.mismatch(try Bought(label, n: 8).p1(), hP5a: nil) == "hP1")
    #expect(whole.mismatch(try Bought(Bought.freshLabel(2)).p1(), hP5a: nil) == "parcel")
    var other = bought
    other.offices = [Part.otherKiosk.key]
    #expect(whole.mismatch(try other.p1(), hP5a: nil) == "office")
  }
}
