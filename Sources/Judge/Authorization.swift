// What a token's own key signed to let its bank use it, of all modes in one form: P2 and its kin, a published
// announcement, an exchange, an endorsed invoice. Nobody makes one without q.

import Messages

/// A use of tokens that all the keys that it names have signed.
struct Authorization {
  let label: String
  let hash: Hash
  let bank: PublicKey
  let inputs: [TokenInput]
  /// Type and payload in its one encoding: signing it again changes nothing, and this is what is compared.
  let content: [UInt8]
  /// What it asks to lock; nil for what asks for no lock.
  var mode: Mode?
  var terms: LockTerms?
  /// FIG. 3 and FIG. 7, where the lock names its request: L.
  var lock: Hash?

  var transaction: TransactionKey? { terms.map { TransactionKey(merchant: $0.merchant, n: $0.n) } }

  init<M: PurchaseMode>(_ message: Verified<AuthorizationQ<M>>, _: M.Type) {
    self.init(message, bank: message.payload.bank, message.payload.tokenInputs)
    (mode, terms) = (M.mode, message.payload.terms)
  }

  init(compact message: Verified<JB2>) {
    self.init(message, bank: message.payload.bank, message.payload.tokenInputs)
    (mode, terms, lock) = (.compact, message.payload.terms, message.hash)
  }

  /// Message 3 of FIG. 3, which its token's key signed. It takes the place of a request.
  init(_ message: Verified<Announcement>, _ made: LockRecord? = nil) {
    let payload = message.payload
    self.init(
      message, bank: payload.token.bank,
      [TokenInput(token: payload.token, amount: payload.value.amount)])
    (mode, terms, lock) = (.announced, made?.terms, made?.name)
  }

  init(_ message: Verified<X1>) {
    self.init(message, bank: message.payload.bank, message.payload.tokenInputs)
  }

  /// FIG. 2: the token's key endorsed the invoice that it pays. Who handed it in plays no part.
  init?(_ deposit: Deposit) {
    guard let endorsement = try? Verified<Endorsement>(deposit.endorsement, by: .key(deposit.token.key)),
      let invoice = try? Unverified<Invoice>(deposit.invoice), endorsement.payload.hINV == invoice.hash,
      endorsement.payload.address == invoice.claims.address, invoice.claims.terms.bank == deposit.token.bank
    else { return nil }
    let price = invoice.claims.terms.price
    self.init(
      endorsement, bank: deposit.token.bank, [TokenInput(token: deposit.token, amount: price.amount)])
  }

  private init<P: Payload>(_ message: Verified<P>, bank: PublicKey, _ inputs: [TokenInput]) {
    (label, hash) = (P.type.label, message.hash)
    (self.bank, self.inputs) = (bank, inputs)
    content = Array(P.type.name.utf8) + ((try? message.payload.encoded()) ?? message.bytes)
  }

  func says(the other: Authorization) -> Bool { content == other.content }

  /// Whether the bank may have made this lock upon it.
  func asked(for made: LockRecord) -> Bool {
    guard mode == made.mode, bank == made.bank else { return false }
    return lock.map { $0 == made.name } ?? (terms == made.terms)
  }

  /// How much of a token it uses.
  func amount(of token: Hash) -> UInt64 { inputs.amount(of: token) }

  /// How much of a token is spent when so much is due: tokens pay in the order of the list (attack 15).
  func share(of token: Hash, due: Money) -> UInt64 {
    var (rest, sum) = (due.amount, UInt64(0))
    for input in inputs {
      let part = min(rest, input.amount)
      rest -= part
      if input.token.id == token { sum += part }
    }
    return sum
  }
}
