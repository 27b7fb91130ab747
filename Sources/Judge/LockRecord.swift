// Locks and the authorizations that asked for them, of all modes in one form: the rules are written once.

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

  var transaction: TransactionKey { TransactionKey(merchant: terms.merchant, n: terms.n) }
  var subject: Subject { Subject(merchant: terms.merchant, n: terms.n, lock: name) }

  /// Signing again changes nothing: this is what is compared.
  func says(the other: LockRecord) -> Bool {
    mode == other.mode && terms == other.terms && announcement == other.announcement
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
  }
}

/// (M, n).
struct TransactionKey: Hashable {
  let merchant: PublicKey
  let n: TransactionID

  var subject: Subject { Subject(merchant: merchant, n: n) }
}

/// P2 or its kin, signed by all the tokens that it names.
struct RequestRecord {
  let mode: Mode
  let label: String
  let hash: Hash
  let bank: PublicKey
  let terms: LockTerms
  let inputs: [TokenInput]
  /// FIG. 3 and FIG. 7, where the lock names its request: L.
  var lock: Hash?

  init<M: PurchaseMode>(_ message: Verified<AuthorizationQ<M>>, _: M.Type) {
    (mode, label, hash) = (M.mode, M.requestType.label, message.hash)
    (bank, terms, inputs) = (message.payload.bank, message.payload.terms, message.payload.tokenInputs)
  }

  init(compact message: Verified<JB2>) {
    (mode, label, hash) = (.compact, MessageType.jb2.label, message.hash)
    (bank, terms, inputs) = (message.payload.bank, message.payload.terms, message.payload.tokenInputs)
    lock = message.hash
  }

  init(_ message: Verified<Announcement>, _ lock: LockRecord) {
    (mode, label, hash, bank) = (.announced, MessageType.announcement.label, message.hash, lock.bank)
    (terms, self.lock) = (lock.terms, lock.name)
    inputs = [TokenInput(token: message.payload.token, amount: lock.terms.value.amount)]
  }

  var transaction: TransactionKey { TransactionKey(merchant: terms.merchant, n: terms.n) }

  /// Signing again changes nothing: this is what is compared.
  func says(the other: RequestRecord) -> Bool {
    mode == other.mode && bank == other.bank && terms == other.terms && inputs == other.inputs
  }

  /// Whether the bank may have made this lock upon this request.
  func asked(for made: LockRecord) -> Bool {
    guard mode == made.mode, bank == made.bank else { return false }
    return lock.map { $0 == made.name } ?? (terms == made.terms)
  }

  /// How much of a token it uses.
  func amount(of token: Hash) -> UInt64 { inputs.amount(of: token) }

  /// How much of a token is used when `due` is spent, in the order of the list.
  func amount(of token: Hash, spending due: UInt64) -> UInt64 {
    var (left, used): (UInt64, UInt64) = (due, 0)
    for input in inputs {
      let part = min(left, input.amount)
      left -= part
      if input.token.id == token { used += part }
    }
    return used
  }
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
