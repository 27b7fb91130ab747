// What a customer checks of INV and PO before it looks at the goods (docs/SPEC.md, "PO"): the same as of a
// contract, as far as they say the same.

import Messages

extension InvoiceTerms {
  /// Nil if these are the terms that C asked for with N1; otherwise why not. `description` is the offer's,
  /// whose hash has to stand here.
  func denial(
    asked n1: N1, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> Denial? {
    guard price == n1.price else {
      return Denial(.wrongValue, "the merchant asks \(price), the offer was \(n1.price)")
    }
    guard descriptionHash == .description(description, salt: salt) else {
      return Denial(.mismatch, "the merchant describes something else than the offer")
    }
    guard length <= policy.trust.goodsLengthMax, (try? Goods.length(sealed: length)) != nil else {
      return Denial(.limit, "the goods' length is impossible or over the limit")
    }
    guard expiration > now + policy.trust.answerSeconds else {
      return Denial(.tooLate, "the offer leaves no time to pay")
    }
    guard lifetime >= expiration + policy.trust.lifetimeSeconds else {
      let least = policy.trust.lifetimeSeconds
      return Denial(.lifetime, "the lifetime ends less than \(least) seconds after the expiration")
    }
    do throws(MessageError) {
      try policy.trust.check(bank, as: .bank, at: now, subject: "bank")
      try policy.trust.check(archive, as: .archive, at: now, subject: "archive")
    } catch { return Denial(.untrusted, "the merchant names a bank or archive that is not trusted") }
    return nil
  }
}
