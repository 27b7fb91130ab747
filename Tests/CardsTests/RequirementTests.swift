// The twenty requirements of a point of delivery, a test named after each. scripts/delivery.sh prints the
// list with their results.

import Cards
import Judge
import Messages
import Testing

@testable import PointOfDelivery

@Suite("The point of delivery")
struct RequirementTests {
  let bought = Bought()
  var label: String { bought.label }

  @Test("1. Release needs a valid receipt, the customer's signature and the scanned parcel id")
  func release() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    #expect(desk.challenge != nil)
    // A receipt of another parcel, a damaged one, another signature, another parcel: each one alone fails.
    var other = desk
    try other.answer(by: .stranger)
    #expect(other.screen.code == "not-collector" && other.place(label) == .shelved)
    var damaged = try bought.receipt()
    damaged.p5a[damaged.p5a.count - 1] ^= 1
    var second = try Desk(storage: MemoryJournal(desk.storage.bytes))
    second.feed([.receipt(try damaged.encoded()), .scan(label)])
    #expect(second.shown[0].code == "receipt-p5a-signature" && second.challenge == nil)
    var third = try Desk(storage: MemoryJournal(desk.storage.bytes))
    third.feed([.receipt(try bought.receipt().encoded()), .scan(Bought.freshLabel(2))])
    #expect(third.screen.code == "wrong-parcel" && third.challenge == nil)
    // All three: released.
    try desk.answer()
    #expect(desk.screen.title == .handOver)
    desk.feed(.confirm)
    #expect(desk.screen.tone == .yes && desk.place(label) == .out(.handedOver))
  }

  @Test(
    "2. The customer signs transaction, parcel, office, kiosk, nonce, outcome, time; replay elsewhere fails")
  func signed() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    let d1 = try #require(desk.challenge)
    let n = try bought.p1().payload.n
    #expect(d1.payload.n == n && d1.payload.parcel == label && d1.signer == Part.kiosk.key)
    #expect(d1.payload.office == Part.kiosk.key && d1.payload.intent == 1 && d1.payload.time == Bought.now)
    let answer = try Part.customer.sign(D2(hD1: d1.hash, intent: .collect)).bytes
    // At another office, and at this one in another visit.
    var other = try Desk(.otherKiosk)
    try other.arrive(label)
    try other.ask(bought)
    other.feed(.answer(answer))
    #expect(other.screen.code == "stale-answer" && other.place(label) == .shelved)
    desk.feed(.key)
    try desk.ask(bought)
    #expect(desk.challenge?.hash != d1.hash)
    desk.feed(.answer(answer))
    #expect(desk.screen.code == "stale-answer" && desk.place(label) == .shelved)
    // An answer that says refuse does not collect.
    desk.feed(.key)
    try desk.ask(bought)
    try desk.answer { $0.intent = DeliveryIntent.refuse.rawValue }
    #expect(desk.screen.code == "stale-answer")
  }

  @Test("3. Verified and handed over are separate records; proof of delivery only after the second")
  func twoRecords() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    try desk.answer()
    let before = try desk.journal.entries()
    #expect(before.last?.kind == .verified && desk.state.finals.isEmpty)
    #expect(throws: MessageError.self) { try DeliveryRecord(before.last!.messages, trust: try trust().list) }
    #expect(desk.state.pending.allSatisfy { $0.messages.count == 1 })  // D0 alone
    desk.feed(.confirm)
    let record = try DeliveryRecord(desk.state.finals[label]!, trust: try trust().list)
    #expect(record.isProofOfDelivery && record.verified != nil)
    #expect(record.mismatch(try bought.p1(), hP5a: nil) == nil)
    #expect(record.final.payload.index == record.verified!.payload.index + 1)
    #expect(record.final.payload.previous == record.verified!.hash)
  }

  @Test("4. A second release fails on every PC of the office, without the internet")
  func twoPCs() throws {
    var first = try Desk()
    try first.arrive(label)
    var second = try Desk(storage: first.storage)
    try first.ask(bought)
    try second.ask(bought)  // both have it on the screen
    try first.answer()
    try second.answer()
    #expect(first.session.isInHand && second.screen.code == "in-doubt")
    first.feed(.confirm)
    second.feed(.key)
    try second.ask(bought)
    #expect(second.screen.code == "handed-over-before")
    #expect(try second.journal.entries().filter { $0.kind == .final }.count == 1)
  }

  @Test(
    "5. Killed at any byte of any step: the parcel is in exactly one state, no evidence is lost or doubled")
  func killed() throws {
    var whole = try Desk()
    try whole.arrive(label)
    let start = whole.storage.bytes
    try whole.collect(bought)
    let end = whole.storage.bytes
    var places: [String] = []
    for length in start.count...end.count {
      let storage = MemoryJournal(Array(end.prefix(length)))
      var desk = try Desk(storage: storage)
      let place = desk.place(label)!
      places.append(place == .shelved ? "shelved" : place == .out(.handedOver) ? "out" : "in hand")
      let entries = try desk.journal.entries()
      #expect(entries.filter { $0.kind == .verified }.count == (place == .shelved ? 0 : 1))
      #expect(entries.filter { $0.kind == .final }.count == (place == .out(.handedOver) ? 1 : 0))
      // Whatever it was, it goes on from there to one hand-over.
      guard length % 97 == 0 || place != .shelved else { continue }
      if place == .shelved { try desk.collect(bought) }
      if case .inHand(let hD2) = place {
        let now = desk.clock
        try desk.decide { counter, state, key in
          ([try counter.end(bought.label, hD2: hD2, .handedOver, state, at: now, key: key)], ())
        }
      }
      #expect(desk.place(label) == .out(.handedOver))
      #expect(try DeliveryRecord(desk.state.finals[label]!, trust: try trust().list).isProofOfDelivery)
    }
    #expect(Set(places) == ["shelved", "in hand", "out"])
    // A disk that is full in the middle: nothing is said to be done, and nothing is.
    for room in stride(from: 0, to: end.count - start.count, by: 61) {
      let storage = MemoryJournal(start)
      var desk = try Desk(storage: storage)
      storage.room = room
      try desk.ask(bought)
      try desk.answer()
      if desk.session.isInHand { desk.feed(.confirm) }
      storage.room = nil
      #expect(desk.screen.code == "not-recorded" || desk.place(label) == .out(.handedOver))
      #expect(try Desk(storage: storage).place(label) == desk.place(label))
    }
  }

  @Test("6. Evidence verifies on another machine from public keys alone")
  func evidence() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.collect(bought)
    var evidence = Evidence()
    let receipt = try bought.receipt()
    for message in desk.state.finals[label]! + [receipt.p1, receipt.p5a] {
      _ = try evidence.add(message, name: "")
    }
    let judgment = Judge(trust: try trust().list, now: Bought.now + 100).decide(evidence)
    #expect(judgment.verdicts.filter { $0.dispute == .parcel }.map(\.finding) == [.claimFails])
    #expect(!judgment.convicts)
  }

  @Test("7. No name, PIN or card serial in journal, print or log; two receipts share no customer identifier")
  func privacy() throws {
    let memory = MemoryCard()
    let card = try ownedCard(memory)
    try card.verify(.payment, "1357902")
    var desk = try Desk()
    var keys: [PublicKey] = []
    for n in 1...2 {
      let pseudonym = try card.makePseudonym()
      keys.append(pseudonym.key)
      let bought = Bought(Bought.freshLabel(UInt64(n)), collectKeys: [pseudonym.key], n: UInt8(n))
      _ = try card.store(bought.receipt(), pseudonym: pseudonym.index)
      try desk.arrive(bought.label)
      try desk.ask(bought)
      try card.verify(.counter, "246810")
      desk.feed(.answer(try card.answer(desk.challenge!).bytes))
      desk.feed([.confirm, .key])
    }
    #expect(Set(keys).count == 2)
    let paper = PaperRecord(desk.record!, office: "Mitte", copy: false)!
    let all =
      String(decoding: desk.storage.bytes, as: UTF8.self) + (try paper.text(.en, columns: 48))
      + String(decoding: paper.escPOS(.de, columns: 32), as: UTF8.self)
    for secret in ["246810", "1357902", "987654321012"] { #expect(!all.contains(secret)) }
    // What one visit's messages say of the customer is not in the other's.
    let visits = desk.state.finals.values.map { $0.flatMap { $0 } }
    for (index, key) in keys.enumerated() {
      #expect(visits.filter { contains($0, key.bytes) }.count == 1, "key \(index)")
    }
    #expect(
      JournalEntry.Field.allCases.allSatisfy {
        !["name", "customer", "pin", "serial", "card"].contains($0.rawValue)
      })
  }

  private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: part) }
  }

  @Test("8. Wrong parcel scanned: red stop, no release, no PIN prompt")
  func wrongParcel() throws {
    var desk = try Desk()
    let other = Bought.freshLabel(2)
    try desk.arrive(label)
    try desk.arrive(other, shelf: "B-1")
    desk.feed([.receipt(try bought.receipt().encoded()), .scan(other)])
    #expect(desk.screen.tone == .no && desk.screen.title == .wrongParcel && desk.screen.stays)
    #expect(desk.challenge == nil && !desk.shown.contains { $0.title == .enterPIN })
    #expect(desk.place(label) == .shelved && desk.place(other) == .shelved)
    try desk.answer()
    #expect(desk.place(label) == .shelved)
  }

  @Test("9. Outcomes full-screen, until a key is pressed; right with NO_COLOR and in plain lines")
  func screens() throws {
    let status = StatusLine(
      clerk: nil, reader: true, printer: nil, unsynced: 0, here: 1, inDoubt: 0, expired: 0, time: "12:00")
    let outcomes = [Screen.outcome(.handedOver, label, reason: nil), .stop(.notHere)]
    for (screen, word) in zip(outcomes, [Phrase.yes, .no]) {
      #expect(screen.stays)
      for language in Language.allCases {
        let bare = screen.lines(language, status: status, colour: false)
        let coloured = screen.lines(language, status: status, colour: true)
        #expect(bare.count == 24 && bare.allSatisfy { $0.count <= 80 })
        #expect(!bare.joined().contains("\u{1b}") && coloured.joined().contains("\u{1b}["))
        let stripped = coloured.map { line in
          line.replacing(#/\u{1b}\[[0-9;]*m/#, with: "")
        }
        #expect(stripped == bare)
        #expect(bare.joined().contains(word.text(language)))
        let plain = screen.plain(language)
        #expect(plain.hasPrefix(word.text(language) + ": ") && !plain.contains("\u{1b}"))
      }
    }
    #expect(
      !Screen.waiting.stays
        && outcomes[0].lines(.en, status: status, colour: false)
          != outcomes[1].lines(.en, status: status, colour: false)
    )
  }

  @Test("10. After any outcome further taps are visibly ignored")
  func taps() throws {
    var desk = try Desk()
    try desk.arrive(label)
    try desk.collect(bought)
    let length = desk.storage.bytes.count
    for event in [
      CounterEvent.receipt(try bought.receipt().encoded()), .scan(label), .answer([1]), .confirm,
      .card(.gone),
      .withdraw(reason: "x"),
    ] {
      desk.feed(event)
      #expect(desk.screen.actions.first == .tapIgnored && desk.screen.title == .handedOver)
    }
    #expect(desk.storage.bytes.count == length)
    desk.feed(.key)
    #expect(desk.screen == .waiting)
  }

  @Test("11. A power cut during the PIN check costs a try; tries left are shown")
  func powerCut() throws {
    let memory = MemoryCard()
    let card = try ownedCard(memory)
    // The card counts the try before it compares: the answer is lost with the power, the try is gone.
    memory.tamper = { _ in [0x6F, 0x00] }
    #expect(throws: CardError.self) { try card.verify(.counter, "000000") }
    memory.tamper = nil
    memory.reset()
    #expect(try Card(memory).state().tries[.counter] == 2)
    var desk = try Desk()
    try desk.arrive(label)
    try desk.ask(bought)
    desk.feed(.card(.wrongPIN(left: 1)))
    #expect(desk.screen.title == .wrongPIN && desk.screen.plain(.en).contains("Tries left: 1"))
    // A key asks again, within the same visit.
    desk.feed(.key)
    #expect(desk.screen.title == .enterPIN && desk.session.challenge != nil)
  }
}
