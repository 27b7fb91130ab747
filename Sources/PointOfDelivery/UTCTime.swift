// Times for people: ISO 8601 in UTC, to the second. No clock and no time zone data: the proleptic Gregorian
// calendar is arithmetic.

public import Messages

/// The text form of times: "2026-01-31T12:00:00Z".
public enum UTCTime {
  /// The last second that has this form, 9999-12-31T23:59:59Z; no message names a later one.
  public static let latest: Timestamp = 253_402_300_799

  /// ISO 8601 in UTC; the number of seconds itself for a time after `latest`.
  public static func text(_ time: Timestamp) -> String {
    guard time <= latest else { return String(time) }
    let (year, month, day) = date(ofDay: Int(time / 86_400))
    let second = Int(time % 86_400)
    let clock = [second / 3_600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
    let padding = String(repeating: "0", count: 4 - String(year).count)
    return "\(padding)\(year)-\(twoDigits(month))-\(twoDigits(day))T\(clock)Z"
  }

  /// Reads "2026-01-31T12:00:00Z" or a number of seconds since 1970; nil for anything else and for other
  /// times than 1970 to 9999.
  public static func parse(_ text: String) -> Timestamp? {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Timestamp(text).flatMap { $0 <= latest ? $0 : nil }
    }
    let bytes = Array(text.utf8)
    guard bytes.count == 20 else { return nil }
    func number(_ range: Range<Int>) -> Int {
      bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }
    let date = (number(0..<4), number(5..<7), number(8..<10))
    let clock = (number(11..<13), number(14..<16), number(17..<19))
    guard date.0 >= 1970, (1...12).contains(date.1), (1...31).contains(date.2) else { return nil }
    let seconds = day(of: date) * 86_400 + clock.0 * 3_600 + clock.1 * 60 + clock.2
    // A text that is not the one form of this time (31 February, 24 o'clock, letters) differs from its own
    // form.
    guard seconds >= 0, self.text(Timestamp(seconds)) == text else { return nil }
    return Timestamp(seconds)
  }

  private static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

  // MARK: Calendar

  // Years begin in March here, so that the leap day is a year's last; 719,468 days pass from 1 March 0 to 1
  // January 1970; 146,097 days are 400 years.

  private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153  // 0: March
    let month = march < 10 ? march + 3 : march - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * march + 2) / 5 + 1)
  }

  private static func day(of date: (year: Int, month: Int, day: Int)) -> Int {
    let year = date.month <= 2 ? date.year - 1 : date.year
    let march = date.month > 2 ? date.month - 3 : date.month + 9
    let yearOfEra = year % 400
    let dayOfYear = (153 * march + 2) / 5 + date.day - 1
    return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
