// A compact sale as it is when all is well, and rigs for its three machines (see Rigs.swift).

import Messages
import Parties
import Testing

/// FIG. 7 between the actors of the tests.
struct CompactDeal {
  var twoSided = false

  private var sale: Sale { Sale(twoSided: twoSided) }

  func n1() throws -> Verified<N1> { try sale.n1 { $0.mode = .compact } }

  var offerPayload: P1 {
    var payload = sale.p1Payload
    payload.hx = .keyCommitment(.compact, merchant: Actor.merchant.publicKey, n: Sale.n, key: Sale.k)
    payload.contract.mode = .compact
    payload.contract.archives = [Actor.bank.publicKey]
    return payload
  }

  func p1(_ change: (inout P1) -> Void = { _ in }) throws -> Verified<P1> {
    var payload = offerPayload
    change(&payload)
    return try Actor.merchant.sign(payload)
  }

  func jb2(_ change: (inout JB2) -> Void = { _ in }) throws -> Verified<JB2> {
    let p1 = try p1()
    let terms = LockTerms(
      n: Sale.n, merchant: Actor.merchant.publicKey, archive: Actor.bank.publicKey,
      pseudonym: Actor.pseudonym.publicKey, value: Sale.price, expiration: Times.expiration,
      lifetime: Times.lifetime, hP1: p1.hash, hx: p1.payload.hx)
    var payload = JB2(terms: terms, bank: Actor.bank.publicKey, tokenInputs: Tokens.inputs)
    change(&payload)
    return try Actor.tokenTwo.withKey { (key) throws(MessageError) in
      try Actor.tokenOne.sign(payload).coSigned(with: key)
    }
  }

  func ack(
    _ jb2: Verified<JB2>? = nil, by actor: Actor = .bank, at time: Timestamp = Times.now
  ) throws -> Verified<JB2ack> {
    try actor.sign(JB2ack(at: time, hJB2: (jb2 ?? self.jb2()).hash))
  }

  func jb3(by actor: Actor = .merchant, _ change: (inout JB3) -> Void = { _ in }) throws -> Verified<JB3> {
    var payload = JB3(
      n: Sale.n, value: Sale.price, expiration: Times.expiration, hP1: try p1().hash, key: Sale.k)
    change(&payload)
    return try actor.sign(payload)
  }

  func commit(
    _ jb3: Verified<JB3>? = nil, _ jb2: Verified<JB2>? = nil, by actor: Actor = .bank,
    at time: Timestamp = Times.now + 20, lifetime: Timestamp = Times.lifetime
  ) throws -> CompactOutcome {
    .committed(
      try actor.sign(
        JB4a(
          lifetime: lifetime, at: time, hJB2: (jb2 ?? self.jb2()).hash,
          submission: (jb3 ?? self.jb3()).bytes)))
  }

  func abort(
    by actor: Actor = .bank, at time: Timestamp = Times.expiration, _ change: (inout JB4b) -> Void = { _ in }
  ) throws -> CompactOutcome {
    let jb2 = try jb2()
    let terms = jb2.payload.terms
    var payload = JB4b(
      n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
      hP1: terms.hP1, at: time, failed: Reason.expired.rawValue, hJB2: jb2.hash)
    change(&payload)
    return .aborted(try actor.sign(payload))
  }

  func refusal(of request: Hash, by actor: Actor = .bank, _ reason: Reason = .mismatch) throws
    -> Verified<Refusal>
  {
    try actor.sign(Refusal(at: Times.now + 20, reason: reason, hRequest: request, detail: "no"))
  }

  func credit(_ change: (inout Credit) -> Void = { _ in }, by actor: Actor = .bank) throws -> Verified<Credit>
  {
    var payload = Credit(amount: Sale.price, lock: try jb2().hash, at: Times.now + 30, account: "M-1")
    change(&payload)
    return try actor.sign(payload)
  }

  func nak(decline: Bool, by actor: Actor = .pseudonym) throws -> Verified<NAK> {
    try actor.sign(NAK(n: Sale.n, hP1: p1().hash, decline: decline))
  }

  func note(by actor: Actor = .pseudonym) throws -> Verified<Acknowledgement> {
    try actor.sign(
      Acknowledgement(n: Sale.n, merchant: Actor.merchant.publicKey, hP1: p1().hash))
  }
}

final class PairingRig {
  var machine = BankPairing()
  private var twin = BankPairing()
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [BankEffect] = []

  @discardableResult
  func run(_ event: (inout BankPairing) throws -> [BankEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored bank does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase) in effects.suffix(9) where effects.last(where: isEnter) == .enter(phase) {
      #expect(phase == machine.phase)
    }
    twin = try BankPairing(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.outcome == machine.outcome)
    #expect(twin.lock?.request == machine.lock?.request)
    return effects.map(\.summary)
  }

  private func isEnter(_ effect: BankEffect) -> Bool { if case .enter = effect { true } else { false } }

  @discardableResult
  func authorised(
    _ jb2: Verified<JB2>, facts: [Hash: TokenFacts] = Tokens.facts(), at now: Timestamp = Times.now
  ) throws -> [String] {
    let policy = BankPolicy(trust: trustList(), expirationCapSeconds: 3600)
    return try run { machine in
      try Actor.bank.withKey {
        try machine.authorised(jb2, facts: facts, policy: policy, at: now, key: $0)
      }
    }
  }

  @discardableResult
  func submitted(
    _ jb3: Verified<JB3>, cap: UInt64 = 3600, at now: Timestamp = Times.now + 20
  ) throws -> [String] {
    let policy = BankPolicy(trust: trustList(), expirationCapSeconds: cap)
    return try run { machine in
      try Actor.bank.withKey { try machine.submitted(jb3, policy: policy, at: now, key: $0) }
    }
  }

  @discardableResult
  func shown(_ outcome: CompactOutcome) throws -> [String] { try run { $0.shown(outcome) } }
}

final class CompactMerchantRig {
  var machine: CompactSale
  private var twin: CompactSale
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [MerchantEffect] = []
  let policy = MerchantPolicy(trust: trustList())

  init(_ deal: CompactDeal = CompactDeal()) throws {
    let p1 = deal.offerPayload
    machine = try Actor.merchant.withKey { try CompactSale(offering: p1, k: Sale.k, key: $0) }
    twin = try Actor.merchant.withKey { try CompactSale(offering: p1, k: Sale.k, key: $0) }
    try run { try $0.begun(key: $1) }
  }

  @discardableResult
  func run(
    _ event: (inout CompactSale, borrowing SigningKey) throws -> [MerchantEffect]
  ) throws -> [String] {
    effects = try Actor.merchant.withKey { try event(&machine, $0) }
    let again = try Actor.merchant.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored merchant does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    twin = try CompactSale(phase: machine.phase, messages: kept, k: Sale.k)
    #expect(twin.phase == machine.phase && twin.status.proof == machine.status.proof)
    return effects.map(\.summary)
  }
}

final class CompactCustomerRig: PurchaseRig<CompactPurchase> {
  init(_ deal: CompactDeal = CompactDeal()) throws {
    let n1 = try deal.n1()
    super.init(CompactPurchase(requesting: n1), kept: [.n1: n1.bytes])
  }

  override func isSame(_ twin: CompactPurchase, _ machine: CompactPurchase) -> Bool {
    twin.p1 == machine.p1 && twin.p2 == machine.p2 && twin.n1 == machine.n1
  }

  @discardableResult
  func offered(_ p1: Verified<P1>) throws -> [String] {
    let policy = CustomerPolicy(trust: trustList())
    return try run { $0.offered(p1, description: Sale.description, policy: policy, at: Times.now) }
  }

  @discardableResult
  func locked(_ ack: Verified<JB2ack>) throws -> [String] {
    try run { machine in try Actor.pseudonym.withKey { try machine.locked(ack, pseudonym: $0) } }
  }
}
