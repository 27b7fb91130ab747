// Money as text and its arithmetic.

import Messages
import Testing

@Suite("Money")
struct MoneyTests {
  @Test(
    "an amount is read and written in its one form",
    arguments: [
      ("EUR:12.34", "EUR", 1234, "EUR:12.34"), ("EUR:12", "EUR", 1200, "EUR:12.00"),
      ("EUR:0.5", "EUR", 50, "EUR:0.50"), ("EUR:0", "EUR", 0, "EUR:0.00"), ("EUR:0.01", "EUR", 1, "EUR:0.01"),
      ("JPY:500", "JPY", 500, "JPY:500"), ("JPY:0", "JPY", 0, "JPY:0"),
      ("KWD:1.234", "KWD", 1234, "KWD:1.234"),
      ("KWD:0.001", "KWD", 1, "KWD:0.001"), ("ABC:1", "ABC", 100, "ABC:1.00"),
      ("EUR:90071992547409.91", "EUR", 9_007_199_254_740_991, "EUR:90071992547409.91"),
      ("EUR:007", "EUR", 700, "EUR:7.00"),
    ] as [(String, String, UInt64, String)])
  func text(text: String, currency: String, amount: UInt64, written: String) throws {
    let money = try #require(Money(text))
    #expect(money.currency == currency)
    #expect(money.amount == amount)
    #expect(money.description == written)
    #expect(Money(written) == money)
  }

  @Test(
    "text that is no amount is refused",
    arguments: [
      "", ":", "EUR", "EUR:", "EUR:.", "EUR:1.", "EUR:.5", "EUR:1.234", "EUR:1.2.3", "EUR:1:2", "EUR:-1",
      "EUR:+1", "EUR: 1", "EUR:1 ", " EUR:1", "eur:1", "EU:1", "EURO:1", "E1R:1", "JPY:1.0", "JPY:1.",
      "KWD:1.2345",
      "EUR:1,50", "EUR:1e3", "EUR:0x10", "EUR:١", "ÄUR:1", "12.34", "EUR:90071992547409.92",
      "EUR:18446744073709551616", "EUR:99999999999999999999999999", "EUR:12.34\n", "EUR:1.-5", "EUR:nan",
    ])
  func refused(text: String) { #expect(Money(text) == nil) }

  @Test("a currency is three capital letters and an amount at most 2^53 - 1")
  func limits() {
    for currency in ["", "EU", "EURO", "eUR", "EU1", "ÄU"] {
      #expect(Money(currency: currency, amount: 1) == nil)
    }
    #expect(Money(currency: "EUR", amount: Money.amountMax) != nil)
    #expect(Money(currency: "EUR", amount: Money.amountMax + 1) == nil)
    #expect(Money(currency: "EUR", amount: .max) == nil)
  }

  @Test("sums and differences stay within one currency and the limits")
  func arithmetic() {
    let five = Money("EUR:5")!
    let two = Money("EUR:2")!
    #expect(five.adding(two) == Money("EUR:7"))
    #expect(five.subtracting(two) == Money("EUR:3"))
    #expect(five.subtracting(five) == Money("EUR:0"))
    #expect(two.subtracting(five) == nil)
    #expect(five.adding(Money("USD:2")!) == nil)
    #expect(five.subtracting(Money("USD:2")!) == nil)
    let most = Money(currency: "EUR", amount: Money.amountMax)!
    #expect(most.adding(Money("EUR:0.01")!) == nil)
    #expect(most.adding(Money("EUR:0")!) == most)
  }
}
