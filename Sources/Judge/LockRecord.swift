// Locks of all modes in one form: the rules are written once.

import Messages

/// P3 or its kin, or a JB2 whose lock the bank acknowledged.
struct LockRecord {
  let mode: Mode
  /// "P3".
  let label: String
  /// L.
  let name: Hash
  let bank: PublicKey
  let terms: LockTerms
  /// FIG. 3: H of the published announcement.
  var announcement: Hash?
  /// FIG. 3: the announced token's key, if the announcement is shown.
  var tokenKey: PublicKey?
  /// FIG. 7: the tokens, which the lock's own message names.
  var inputs: [TokenInput]?

  var transaction: TransactionKey { TransactionKey(merchant: terms.merchant, n: terms.n) }
  var subject: Subject { Subject(merchant: terms.merchant, n: terms.n, lock: name) }

  /// Signing again changes nothing: this is what is compared.
  func says(the other: LockRecord) -> Bool {
    mode == other.mode && terms == other.terms && announcement == other.announcement
      && inputs == other.inputs
  }
  var fact: Fact { Fact("\(label) by the bank locks \(terms.value) for this merchant", name) }

  init<M: PurchaseMode>(_ message: Verified<M.LockMessage>, _: M.Type) {
    (mode, label, name) = (M.mode, M.lockType.label, message.hash)
    (bank, terms) = (message.signer, message.payload.terms)
    announcement = (message.payload as? A7)?.hAnnounced
  }

  /// FIG. 7 has no P3: the authorization's own hash names the lock.
  init(compact request: Verified<JB2>, _ ack: Verified<JB2ack>) {
    (mode, label, name) = (.compact, MessageType.jb2ack.label, request.hash)
    (bank, terms) = (ack.signer, request.payload.terms)
    inputs = request.payload.tokenInputs
  }
}

/// (M, n).
struct TransactionKey: Hashable {
  let merchant: PublicKey
  let n: TransactionID

  var subject: Subject { Subject(merchant: merchant, n: n) }
}

extension [TokenInput] {
  /// How much of a token they use.
  func amount(of token: Hash) -> UInt64 { saturatingSum(filter { $0.token.id == token }.map(\.amount)) }
}

/// The sum, or the largest number: whoever makes evidence chooses the amounts.
func saturatingSum(_ amounts: some Sequence<UInt64>) -> UInt64 {
  amounts.reduce(0) { sum, amount in
    let (result, overflow) = sum.addingReportingOverflow(amount)
    return overflow ? .max : result
  }
}
