// What a clerk should do when a receipt is refused, by the name of the check that failed. The names are the
// core's (`receiptCheckNames`) and two of this module, for what fails before there is a receipt to check.
//
// Invariant: every name of `receiptCheckNames` has its advice; a test holds this.

/// Advice for the person at the counter.
enum ClerkAdvice {
  /// What to do after this check failed.
  static func action(check: String) -> String {
    actions[check] ?? "Do not hand anything over on this receipt."
  }

  private static let newList =
    "This says nothing about the customer. Install a current trust list from your authority, then "
    + "verify again."
  private static let again =
    "Ask the customer for the receipt again: the whole file, or every QR code of it. Hand nothing over "
    + "until it holds."
  private static let forged =
    "Do not hand anything over. The receipt was damaged or made up: ask for the original file, and "
    + "keep this one."
  private static let dispute =
    "Do not hand anything over. The merchant's own messages disagree: send the customer back to the "
    + "merchant with this report."

  private static let actions: [String: String] = [
    "input": "Check the file's name and that it can be read.",
    "receipt-text": again,
    "timestamp":
      "The timestamp is not of this receipt, or not of an authority in your trust list. The receipt alone "
      + "may be valid: verify it without the timestamp, and do not rely on when it is said to have existed.",
    "trust-format": newList,
    "trust-signature":
      "Do not use this trust list: it is not signed by the authority that this kiosk expects. Get it "
      + "again from your authority.",
    "trust-window": "Check this kiosk's clock. " + newList,
    "receipt-format": again,
    "p1-format": again,
    "p5a-format": again,
    "p4-format": again,
    "merchant-trusted":
      "Do not hand anything over. Ask your authority whether this merchant was admitted, and when its "
      + "key was valid or revoked.",
    "archive-trusted":
      "Do not hand anything over. Ask your authority whether this archive was admitted, and when its "
      + "key was valid or revoked.",
    "p1-signature": forged,
    "p4-signature": forged,
    "p5a-signature": forged,
    "merchant-mismatch": dispute,
    "transaction": dispute,
    "contract-hash": dispute,
    "key-commitment": dispute,
    "archive-allowed": dispute,
    "expiration":
      "Do not hand anything over. The sale was committed too late, or for longer than the contract "
      + "allows: send the customer back to the merchant with this report.",
    "dates":
      "Check this kiosk's clock: the receipt says that it was committed in the future. Then verify again.",
    "description":
      "Do not rely on the description that was shown to you: it is not the contract's. Ask for the "
      + "receipt with the original description, or without one.",
    "log-proof":
      "Do not hand anything over yet. Ask the customer to export the receipt again, online, so that it "
      + "carries the proof of the archive's log; if that fails, tell your authority.",
    "log-age":
      "Ask the customer to export the receipt again, online: the proof in it is older than your trust list "
      + "allows. If a fresh one is refused too, check this kiosk's clock.",
  ]

  /// The names that have advice of their own.
  static var checks: Set<String> { Set(actions.keys) }
}
