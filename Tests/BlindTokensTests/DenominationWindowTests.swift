// Which denomination keys sign and which are accepted, at and around every limit.

import BlindTokens
import Testing

@Suite("Denomination windows")
struct DenominationWindowTests {
  private func window(_ from: UInt64, _ until: UInt64, _ spend: UInt64) throws -> DenominationWindow {
    try DenominationWindow(issueFrom: from, issueUntil: until, spendUntil: spend)
  }

  private func entry(
    _ name: UInt8, _ window: DenominationWindow, value: UInt64 = 1, currency: String = "EUR"
  ) -> DenominationEntry {
    DenominationEntry(keyID: [name], currency: currency, value: value, window: window)
  }

  @Test("Limits are in order, or there is no window")
  func order() throws {
    #expect(throws: DenominationError.window) { try window(10, 10, 20) }
    #expect(throws: DenominationError.window) { try window(11, 10, 20) }
    #expect(throws: DenominationError.window) { try window(10, 20, 19) }
    #expect(throws: Never.self) { try window(10, 20, 20) }
  }

  @Test("Windows are half-open at each limit")
  func limits() throws {
    let window = try window(10, 20, 30)
    #expect([9, 10, 19, 20].map(window.issues(at:)) == [false, true, true, false])
    #expect([9, 10, 20, 29, 30].map(window.accepts(at:)) == [false, true, true, true, false])
    #expect(window.accepts(from: 10, through: 30))
    #expect(!window.accepts(from: 10, through: 31))
    #expect(!window.accepts(from: 9, through: 30))
  }

  @Test("A successor is as long and overlaps as asked, without a gap")
  func successor() throws {
    let first = try window(100, 200, 500)
    #expect(try first.successor(overlap: 10) == window(190, 290, 590))
    #expect(try first.successor(overlap: 0) == window(200, 300, 600))
    #expect(throws: DenominationError.overlap) { try first.successor(overlap: 100) }
    let last = try window(.max - 20, .max - 10, .max)
    #expect(throws: DenominationError.overflow) { try last.successor(overlap: 0) }
  }

  @Test("While keys overlap, wallets ask for the newest and the bank signs with each")
  func rotation() throws {
    let first = try window(100, 200, 500)
    let schedule = try DenominationSchedule([
      entry(2, first.successor(overlap: 10)), entry(1, first),
    ])
    func issuing(_ time: UInt64) -> [UInt8]? {
      schedule.issuingKey(currency: "EUR", value: 1, at: time)?.keyID
    }
    #expect([99, 100, 189, 190, 289, 290].map(issuing) == [nil, [1], [1], [2], [2], nil])
    #expect(
      [189, 190, 199, 200].map { schedule.mayIssue([1], at: $0) } == [true, true, true, false])
    #expect(
      [189, 190, 199, 200].map { schedule.mayIssue([2], at: $0) } == [false, true, true, true])
    #expect(!schedule.mayIssue([3], at: 190))
    func accepted(_ time: UInt64) -> [[UInt8]] { schedule.acceptedKeys(at: time).map(\.keyID) }
    #expect(accepted(99) == [])
    #expect(accepted(189) == [[1]])
    #expect(accepted(190) == [[1], [2]])
    #expect(accepted(499) == [[1], [2]])
    #expect(accepted(500) == [[2]])
    #expect(accepted(590) == [])
    #expect(schedule.entry([1])?.window == first)
  }

  @Test("Equally new keys: the one that is accepted longest, then the greater name")
  func ties() throws {
    let entries = try [
      entry(9, window(0, 10, 20)), entry(1, window(0, 10, 30)), entry(2, window(0, 10, 30)),
    ]
    for order in [entries, entries.reversed()] {
      let key = try DenominationSchedule(order).issuingKey(currency: "EUR", value: 1, at: 5)
      #expect(key?.keyID == [2])
    }
  }

  @Test("Currencies and values are kept apart, and only what is signed can be withdrawn")
  func values() throws {
    let now = try window(0, 10, 20)
    let schedule = try DenominationSchedule([
      entry(1, now, value: 4), entry(2, now), entry(3, now.successor(overlap: 5)),
      entry(4, now, value: 2, currency: "CHF"), entry(5, window(50, 60, 70), value: 8),
    ])
    #expect(schedule.issuedValues(currency: "EUR", at: 7) == [1, 4])
    #expect(schedule.issuedValues(currency: "EUR", at: 12) == [1])
    #expect(schedule.issuedValues(currency: "CHF", at: 7) == [2])
    #expect(schedule.issuedValues(currency: "USD", at: 7) == [])
    #expect(schedule.issuingKey(currency: "EUR", value: 2, at: 7) == nil)
    #expect(schedule.issuingKey(currency: "CHF", value: 2, at: 7)?.keyID == [4])
  }

  @Test("Two keys of one name are refused")
  func duplicates() throws {
    let now = try window(0, 10, 20)
    #expect(throws: DenominationError.duplicateKey) {
      try DenominationSchedule([entry(1, now), entry(1, now, value: 2)])
    }
  }
}
