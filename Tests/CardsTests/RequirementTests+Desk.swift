// Requirements 12 to 20: cards that are lost, what is not handed over, the day at the desk, screens and
// paper.

import Cards
import Messages
import Testing

@testable import PointOfDelivery

extension RequirementTests {
  @Test("12. PUK, blocked card and replacement are explained on screen")
  func blocked() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    desk.feed(.card(.blocked))
    #expect(desk.screen.title == .pinBlocked && desk.screen.stays)
    #expect(desk.screen.actions.contains(.pukWhat) && desk.screen.actions.contains(.replacementWhat))
    for language in Language.allCases { #expect(desk.screen.plain(language).contains("PUK")) }
    #expect(desk.place(label) == .shelved)
  }

  @Test("13. A backup card, or the second key, collects after the first is lost")
  func backup() throws {
    let cards = try [ownedCard(), ownedCard(MemoryCard(drawn: 77))]
    var keys: [(index: UInt32, key: PublicKey)] = []
    for card in cards {
      try card.verify(.payment, "1357902")
      keys.append(try card.makePseudonym())
    }
    #expect(keys[0].key != keys[1].key)
    let bought = Bought(label, collectKeys: keys.map(\.key))
    for (card, key) in zip(cards, keys) {
      _ = try card.store(bought.receipt(), pseudonym: key.index)
      var desk = try Desk()
      try desk.arrive(label)
      try desk.ask(bought)
      try card.verify(.counter, "246810")
      desk.feed([.answer(try card.answer(desk.challenge!).bytes), .confirm])
      #expect(desk.place(label) == .out(.handedOver))
    }
    // P itself is not among them.
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    try desk.answer(by: .customer)
    #expect(desk.screen.code == "not-collector")
  }

  @Test("14. A phone's answer passes as a card's does; a code made before is refused")
  func phone() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    let d1 = try #require(desk.challenge)
    // The challenge goes over as a code, and the answer comes back as one.
    let text = MessageText.text(d1.bytes)
    #expect(try QRCode(text).side > 0)
    #expect(MessageText.message(in: Array((text + "\r\n").utf8)) == d1.bytes)
    let answer = try Part.customer.sign(D2(hD1: d1.hash, intent: .collect)).bytes
    let card = try ownedCard()
    try card.verify(.payment, "1357902")
    let pseudonym = try card.makePseudonym()
    let byCard = Bought(label, collectKeys: [pseudonym.key])
    _ = try card.store(byCard.receipt(), pseudonym: pseudonym.index)
    var other = try Desk()
    try other.arrive(label)
    try other.ask(byCard)
    try card.verify(.counter, "246810")
    let carded = try card.answer(other.challenge!)
    // The same bytes but for key, hash and signature.
    #expect(carded.bytes.count == answer.count && carded.payload.intent == 1)
    // Static: signed before this challenge was made.
    var early = try Desk()
    try early.arrive(label)
    early.feed(.receipt(try bought.receipt().encoded()))
    early.feed(.answer(answer))
    #expect(early.screen.code == "stale-answer")
    early.feed(.key)
    try early.ask(bought)
    try early.ask(bought)
    early.feed(.answer(try Part.customer.sign(D2(hD1: Hash(of: [9]), intent: .collect)).bytes))
    #expect(early.screen.code == "stale-answer" && early.place(label) == .shelved)
    desk.feed(.answer(MessageText.message(in: Array(MessageText.text(answer).utf8))!))
    #expect(desk.session.isInHand)
  }

  @Test(
    "15. Refusal, damage, wrong item, missing: each with its reason and evidence, and no proof of delivery")
  func refusals() throws {
    let list = try trust().list
    for (intent, outcome, inventory) in [
      (DeliveryIntent.refuse, DeliveryOutcome.refused, nil), (.refuseDamaged, .refusedDamaged, "lid broken"),
      (.refuseWrong, .failed, nil),
    ] as [(DeliveryIntent, DeliveryOutcome, String?)] {
      var desk = try Desk()
      try desk.arrive(label)
      try desk.ask(bought, wants: intent, inventory: inventory)
      try desk.answer()
      #expect(desk.screen.tone == .no && desk.place(label) == .out(outcome))
      let record = try DeliveryRecord(desk.state.finals[label]!, trust: list)
      #expect(!record.isProofOfDelivery && record.answer != nil && record.outcome == outcome)
      // Damage: what was found stands in what the customer signed, and is printed twice, for both.
      #expect(record.challenge?.payload.inventory == inventory)
      if let inventory {
        let paper = PaperRecord(desk.record!, office: "Mitte", copy: false)!
        #expect(paper.lines(.en, columns: 48).joined().contains(inventory))
        #expect(desk.screen.actions.contains(.inventoryBoth))
      }
      #expect(desk.state.pending.contains { $0.messages.count == 4 && $0.peers.contains(Part.merchant.key) })
    }
    // Damage without an inventory is not asked; a reason is needed where the customer is not there.
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought, wants: .refuseDamaged)
    #expect(desk.screen.code == "no-inventory" && desk.challenge == nil)
    #expect(throws: Stop.noReason) { try desk.end(label, .failed) }
    try desk.end(label, .failed, reason: "not found")
    let missing = try DeliveryRecord(desk.state.finals[label]!, trust: list)
    #expect(missing.outcome == .failed && !missing.isProofOfDelivery && missing.parcel == label)
  }

  @Test(
    "16. hold_until: the last second delivers, the next expires; a clock set back blocks expiry and warns")
  func hold() throws {
    var desk = try Desk()
    try desk.arrive(label)
    desk.clock = Bought.holdUntil
    #expect(throws: Stop.inTime) { try desk.end(label, .expired) }
    var last = try Desk(storage: MemoryJournal(desk.storage.bytes), at: Bought.holdUntil)
    try last.collect(bought)
    #expect(last.place(label) == .out(.handedOver))
    desk.clock = Bought.holdUntil + 1
    desk.feed(.receipt(try bought.receipt().encoded()))
    #expect(desk.screen.code == "hold-over")
    desk.feed(.key)
    // The kiosk knows the time from the contract: by an announcement here.
    let messages = [try bought.receipt().p1, try bought.receipt().p5a]
    var told = try Desk(at: Bought.now)
    try told.decide { counter, state, _ in (counter.expect(messages, state, at: Bought.now), ()) }
    try told.arrive(label)
    #expect(told.state.expired(at: Bought.holdUntil).isEmpty)
    #expect(told.state.expired(at: Bought.holdUntil + 1).map(\.label) == [label])
    told.clock = Bought.holdUntil + 10
    try told.arrive(Bought.freshLabel(2))  // the journal knows this time
    told.clock = Bought.holdUntil - 500
    told.feed(.receipt(try bought.receipt().encoded()))
    #expect(told.screen.code == "hold-over", "what the journal knows was later than this clock says")
    told.feed(.key)
    told.clock = Bought.holdUntil + 5
    #expect(told.state.expired(at: told.clock).isEmpty)
    #expect(throws: Stop.clockBack(latest: Bought.holdUntil + 10)) { try told.end(label, .expired) }
    told.clock = Bought.holdUntil + 20
    try told.end(label, .expired)
    try told.end(label, .returned)  // scanned as it leaves
    #expect(told.place(label) == .out(.returned))
    #expect(throws: Stop.alreadyOut(.returned)) { try told.end(label, .returned) }
  }

  @Test("17. Delegation: one parcel, expiring, single use, signed with the customer's key; still no name")
  func delegation() throws {
    func leave(by part: Part = .customer, parcel: String? = nil, until: Timestamp = Bought.now + 100) throws
      -> [UInt8]
    {
      try part.sign(Delegation(key: Part.delegate.key, parcel: parcel ?? label, until: until)).bytes
    }
    for (leave, code) in [
      (try leave(), nil), (try leave(by: .stranger), "not-collector"),
      (try leave(parcel: Bought.freshLabel(2)), "not-collector"),
      (try leave(until: Bought.now), "leave-over"),
      (nil, "not-collector"),
    ] as [([UInt8]?, String?)] {
      var desk = try Desk()
      try desk.arrive(label)
      if let leave { desk.feed(.leave(leave)) }
      try desk.ask(bought)
      try desk.answer(by: .delegate)
      #expect(desk.screen.code == code)
      guard code == nil else { continue }
      desk.feed([.confirm, .key])
      let record = try DeliveryRecord(desk.state.finals[label]!, trust: try trust().list)
      #expect(record.isProofOfDelivery && record.delegation != nil)
      #expect(record.mismatch(try bought.p1(), hP5a: nil) == nil)
      // Once.
      desk.feed(.leave(leave!))
      try desk.ask(bought)
      #expect(desk.screen.code == "handed-over-before")
    }
  }

  @Test("18. Close refuses unresolved items or carries them over; differences listed; shift hand-over signed")
  func close() throws {
    var desk = try Desk()
    let (missing, surplus) = (Bought.freshLabel(2), Bought.freshLabel(3))
    try desk.arrive(label)
    try desk.arrive(missing)
    let now = desk.clock
    func close(_ scanned: Set<String>, carry: String? = nil) throws -> CloseReport {
      try desk.decide { counter, state, _ in
        let (entry, report) = try counter.close(scanned, carry: carry, state, at: now)
        return ([entry], report)
      }
    }
    #expect(throws: Stop.unresolved([missing, surplus].sorted())) { try close([label, surplus]) }
    let report = try close([label, surplus], carry: "looking for it")
    #expect(report.missing == [missing] && report.surplus == [surplus] && report.expected.count == 2)
    #expect(desk.state.carried == [missing: "looking for it", surplus: "looking for it"])
    #expect(try close([label, missing]).unresolved.isEmpty && desk.state.carried.isEmpty)
    // What is in hand cannot be carried over, and nobody hands over a shift with it.
    try desk.ask(bought)
    try desk.answer()
    #expect(throws: Stop.unresolved([label])) { try close([missing], carry: "later") }
    func shift() throws {
      try desk.decide { counter, state, _ in
        ([try Part.clerk.with { try counter.shift("heron", signedBy: $0, state, at: now) }], ())
      }
    }
    #expect(throws: Stop.unresolved([label])) { try shift() }
    desk.feed([.confirm, .key])
    try shift()
    #expect(desk.state.clerk == "heron")
    let entry = try #require(try desk.journal.entries().last)
    #expect(
      entry.fields[.key] == Part.clerk.key.description && Counter.isSigned(entry, kiosk: Part.kiosk.key))
    var changed = entry
    changed.fields[.clerk] = "magpie"
    #expect(!Counter.isSigned(changed, kiosk: Part.kiosk.key))
  }

  @Test(
    "19. Reader or printer unplugged and back: no restart; a failed print undoes nothing; reprints say COPY")
  func hardware() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    desk.feed(.card(.gone))
    #expect(desk.screen.title == .cardGone)
    desk.feed(.key)  // it is back
    try desk.answer()
    desk.feed(.confirm)
    #expect(desk.place(label) == .out(.handedOver))
    // Printing is no step of the visit: whether it works or not, the record stands.
    let first = PaperRecord(desk.record!, office: "Mitte", copy: desk.state.printed.contains(label))!
    let now = desk.clock
    let label = label
    try desk.decide { _, _, _ in ([JournalEntry(.printed, at: now, [.parcel: label])], ()) }
    let second = PaperRecord(desk.record!, office: "Mitte", copy: desk.state.printed.contains(label))!
    for language in Language.allCases {
      let word = Phrase.copy.text(language)
      #expect(!first.lines(language, columns: 48).joined().contains(word))
      #expect(second.lines(language, columns: 48)[0].contains(word))
    }
    let carried = try Messages.Bundle(encoded: MessageText.message(in: Array(second.code.utf8))!)
    #expect(try DeliveryRecord(carried.messages, trust: try trust().list).isProofOfDelivery)
  }

  @Test("20. Strings in three languages, keyboard only, 80×24 screens, 32- and 48-column print")
  func languages() throws {
    let status = StatusLine(
      clerk: "heron", reader: false, printer: true, unsynced: 12, here: 345, inDoubt: 1, expired: 7,
      time: "2026-01-01T12:00")
    let stops: [Stop] = [
      .receipt(check: "p1-signature"), .receipt(check: "trust-window"), .noTrust, .noParcel, .otherOffice,
      .unreadable, .notHere, .notArrived, .elsewhere, .inDoubt, .holdOver(until: 1), .alreadyOut(.handedOver),
      .wrongParcel(scanned: "x", wanted: label, shelf: "A-12"), .badLabel("x"), .staleAnswer, .notCollector,
      .leaveOver, .noShelf, .knownLabel, .nothingAsked, .noReason, .noInventory, .noShift, .inTime,
      .clockBack(latest: 1), .unresolved([label]),
    ]
    let outcomes: [DeliveryOutcome] = DeliveryOutcome.allCases
    let troubles: [CardTrouble] = [.wrongPIN(left: 2), .blocked, .defaultPIN, .gone, .stranger, .noReceipt]
    let screens =
      stops.map(Screen.stop) + outcomes.map { Screen.outcome($0, label, reason: "because") }
      + troubles.map(Screen.trouble) + [.waiting]
    for language in Language.allCases {
      for phrase in Phrase.allCases { #expect(!phrase.text(language).isEmpty) }
      for screen in screens {
        let lines = screen.lines(language, status: status, colour: false)
        #expect(lines.count == 24 && lines.allSatisfy { $0.count <= 80 }, "\(screen.code ?? "") \(language)")
        // Nothing that is to be done is cut off.
        let all = lines.joined(separator: " ")
        for action in screen.actions {
          #expect(
            all.contains(action.text(language).split(separator: " ").last!),
            "\(screen.code ?? "") \(language)")
        }
      }
    }
    for phrase in Phrase.allCases {
      #expect(
        Set(Language.allCases.map { phrase.text($0) }).count > 1
          || ["Shelf", "journal", "scanner"].contains { phrase.text(.en).contains($0) }, "\(phrase)")
    }
    #expect(SelfTestText.missing.isEmpty && CodePage858.count == 128)
    var desk = try Desk()
    try desk.arrive(label)
    try desk.collect(bought)
    for columns in [32, 48] {
      let paper = PaperRecord(desk.record!, office: "Postamt Österreich-Straße", copy: true)!
      for language in Language.allCases {
        #expect(paper.lines(language, columns: columns).allSatisfy { $0.count <= columns })
        #expect(!paper.escPOS(language, columns: columns).isEmpty)
      }
    }
  }
}
