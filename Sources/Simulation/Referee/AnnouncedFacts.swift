// What the messages of an announced purchase (FIG. 3) say together, read for the referee without the parties'
// own checks. No single one of them says what is paid for what: the announcement names the order by its hash,
// and the order names no token.

import Messages
import Storage

/// 3, 4 and 2: what a bank locks an announced token upon.
struct ClaimFacts: Sendable {
  /// What 3 and 2 say together.
  let request: RequestFacts
  /// 3 as it was published, and by whom.
  let published: Hash
  let archive: PublicKey
  let at: Timestamp
  let consent: Hash
  /// S_t(PO) is the token's own word for this order.
  let isConsented: Bool

  private static let cache = FactCache<ClaimFacts>()

  /// Reads the bundle [A3p, A4, PO].
  init?(bundle bytes: [UInt8]) {
    guard bytes.first != 0xd2, let bundle = try? Bundle(encoded: bytes), bundle.messages.count == 3,
      bundle.leads == .announced
    else { return nil }
    let parts = bundle.messages
    self.init(published: parts[0], consent: parts[1], order: parts[2])
  }

  init?(published: [UInt8], consent: [UInt8], order: [UInt8]) {
    let facts = Self.cache.facts(of: published + consent + order) {
      ClaimFacts(reading: published, consent, order)
    }
    guard let facts else { return nil }
    self = facts
  }

  private init?(reading published: [UInt8], _ consent: [UInt8], _ order: [UInt8]) {
    guard let outer = try? Unverified<Announced>(published),
      let message = try? Verified(outer, by: .key(outer.claimedSigners[0])),
      var request = RequestFacts(announcement: message.payload.announcement, order: order),
      let word = try? Verified<Consent>(consent, by: .key(request.terms.pseudonym))
    else { return nil }
    let (terms, said) = (request.terms, word.payload)
    request.published = message.hash
    self.request = request
    (self.published, archive, at) = (message.hash, message.signer, message.payload.at)
    self.consent = word.hash
    isConsented = said.n == terms.n && said.merchant == terms.merchant && said.hPO == terms.hP1
  }

  /// From the log of a machine that keeps the three.
  init?(in log: some Sequence<StoredMessage>) {
    var kept: [String: [UInt8]] = [:]
    for entry in log { kept[entry.label] = entry.bytes }
    guard let published = kept[MessageType.announced.label], let consent = kept[MessageType.consent.label],
      let order = kept[MessageType.purchaseOrder.label]
    else { return nil }
    self.init(published: published, consent: consent, order: order)
  }

  /// The bundle's hash, as refusals name it; nil if the log does not hold all of it.
  static func request(in log: some Sequence<StoredMessage>) -> Hash? {
    var kept: [String: [UInt8]] = [:]
    for entry in log { kept[entry.label] = entry.bytes }
    let parts = [MessageType.announced, .consent, .purchaseOrder].compactMap { kept[$0.label] }
    guard parts.count == 3, let bytes = try? Bundle(parts).encoded() else { return nil }
    return Hash(of: bytes)
  }
}

extension Bundle {
  /// What its first message is.
  var leads: MessageType? { messages.first.flatMap { try? MessageType(peeking: $0) } }
}

extension RequestFacts {
  private static let announced = FactCache<RequestFacts>()

  /// What an announcement pays for by that order: the token itself is P.
  init?(announcement: [UInt8], order: [UInt8]) {
    let facts = Self.announced.facts(of: announcement + order) {
      RequestFacts(reading: announcement, order)
    }
    guard let facts else { return nil }
    self = facts
  }

  private init?(reading announcement: [UInt8], _ order: [UInt8]) {
    guard let outer = try? Unverified<Announcement>(announcement),
      let three = try? Verified(outer, by: .key(outer.claims.token.key)),
      let two = try? Verified<PurchaseOrder>(order, by: .key(three.payload.merchant)),
      three.payload.hPO == two.hash
    else { return nil }
    let (said, ordered) = (three.payload, two.payload.terms)
    let terms = LockTerms(
      n: ordered.n, merchant: said.merchant, archive: said.archive, pseudonym: said.token.key,
      value: said.value, expiration: said.expiration, lifetime: ordered.lifetime, hP1: two.hash,
      hx: ordered.hx)
    guard said.archive == ordered.archive, said.value == ordered.price else { return nil }
    self.init(
      mode: .announced, terms: terms, bank: ordered.bank,
      inputs: [TokenInput(token: said.token, amount: said.value.amount)])
  }

  /// The payment that a party's log holds, in whichever mode.
  init?(in log: some Sequence<StoredMessage>) {
    var (announcement, order): ([UInt8]?, [UInt8]?)
    for entry in log {
      if let facts = RequestFacts(entry.bytes) {
        self = facts
        return
      }
      if entry.label == MessageType.announcement.label { announcement = entry.bytes }
      if entry.label == MessageType.purchaseOrder.label { order = entry.bytes }
    }
    guard let announcement, let order,
      let facts = RequestFacts(announcement: announcement, order: order)
    else { return nil }
    self = facts
  }
}

extension OutcomeFacts {
  /// Announced: the S_t(PO) inside a commit's 8 is not the word of t's key for this order. M owns t by it
  /// alone.
  static func lacksConsent(_ commit: [UInt8], _ terms: LockTerms) -> Bool {
    guard let outer = try? Unverified<A9a>(commit),
      let submission = try? Unverified<A8>(outer.claims.submission),
      let word = try? Verified<Consent>(submission.claims.consent, by: .key(terms.pseudonym))
    else { return true }
    let said = word.payload
    return said.n != terms.n || said.merchant != terms.merchant || said.hPO != terms.hP1
  }
}
