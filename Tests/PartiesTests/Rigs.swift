// Rigs run a machine beside a twin that is re-created from what was kept after every event, as after a
// crash, and hold that both do the same.

import Messages
import Parties
import Testing

final class BankRig {
  var machine = BankLock<CoreMode>()
  private var twin = BankLock<CoreMode>()
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [BankEffect] = []
  var p3: Verified<P3>? { machine.p3 }

  @discardableResult
  func run(_ event: (inout BankLock<CoreMode>) throws -> [BankEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored bank does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase) in effects { #expect(phase == machine.phase) }
    twin = try BankLock<CoreMode>(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.p3 == machine.p3 && twin.outcome == machine.outcome)
    return effects.map(\.summary)
  }

  @discardableResult
  func authorised(
    _ p2: Verified<P2>, facts: [Hash: TokenFacts] = Tokens.facts(), trust: TrustList = trustList(),
    cap: UInt64 = 3600, at now: Timestamp = Times.now, by bank: Actor = .bank
  ) throws -> [String] {
    try run { machine in
      try bank.withKey { key in
        try machine.authorised(
          p2, facts: facts, policy: BankPolicy(trust: trust, expirationCapSeconds: cap), at: now, key: key)
      }
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<CoreMode>) throws -> [String] { try run { $0.decided(outcome) } }
}

final class ArchiveRig {
  private let p3: Verified<P3>
  private var machine: ArchiveTransaction<CoreMode>
  private var twin: ArchiveTransaction<CoreMode>
  private(set) var effects: [ArchiveEffect] = []
  private(set) var outcome: Outcome<CoreMode>?

  init(_ p3: Verified<P3>, outcome: Outcome<CoreMode>? = nil) {
    (self.p3, self.outcome) = (p3, outcome)
    machine = ArchiveTransaction<CoreMode>(p3, outcome: outcome)
    twin = ArchiveTransaction<CoreMode>(p3, outcome: outcome)
  }

  @discardableResult
  func run(_ event: (inout ArchiveTransaction<CoreMode>) throws -> [ArchiveEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored archive does otherwise")
    for case .publish(let body, let isCommit, let terms, let lock) in effects {
      let published = try Outcome<CoreMode>(stored: body)
      if case .committed = published { #expect(isCommit) } else { #expect(!isCommit) }
      #expect(outcome == nil, "a second outcome for one lock")
      #expect(lock == p3.hash && terms == p3.payload.terms)
      outcome = published
    }
    twin = ArchiveTransaction<CoreMode>(p3, outcome: outcome)
    return effects.map(\.summary)
  }

  @discardableResult
  func submitted(
    _ submission: Submitted<CoreMode>, otherCommit: [UInt8]? = nil, at now: Timestamp = Times.now + 20,
    by archive: Actor = .archive
  ) throws -> [String] {
    try run { machine in
      try archive.withKey { key in
        try machine.submitted(submission, otherCommit: otherCommit, at: now, key: key)
      }
    }
  }

  @discardableResult
  func abortRequested(at now: Timestamp, by archive: Actor = .archive) throws -> [String] {
    try run { machine in try archive.withKey { try machine.abortRequested(at: now, key: $0) } }
  }

  @discardableResult
  func cancelled(
    _ cancel: Verified<Cancel>, at now: Timestamp = Times.now + 20, by archive: Actor = .archive
  ) throws -> [String] {
    try run { machine in try archive.withKey { try machine.cancelled(cancel, at: now, key: $0) } }
  }
}

final class MerchantRig {
  var machine: MerchantSale<CoreMode>
  private var twin: MerchantSale<CoreMode>
  private let k: [UInt8]
  var policy: MerchantPolicy
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [MerchantEffect] = []
  private(set) var allEffects: [MerchantEffect] = []

  init(_ sale: Sale = Sale(), policy: MerchantPolicy = MerchantPolicy(trust: trustList())) throws {
    let p1 = sale.p1Payload
    (self.policy, k) = (policy, sale.k)
    machine = try Actor.merchant.withKey { try MerchantSale<CoreMode>(offering: p1, k: sale.k, key: $0) }
    kept[.p1] = machine.p1.bytes
    twin = try MerchantSale<CoreMode>(phase: .offered, messages: kept, k: sale.k)
  }

  @discardableResult
  func run(
    _ event: (inout MerchantSale<CoreMode>, borrowing SigningKey) throws -> [MerchantEffect]
  ) throws -> [String] {
    effects = try Actor.merchant.withKey { try event(&machine, $0) }
    let again = try Actor.merchant.withKey { try event(&twin, $0) }
    #expect(again == effects, "the restored merchant does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase, _) in effects { #expect(phase == machine.phase) }
    twin = try MerchantSale<CoreMode>(phase: machine.phase, messages: kept, k: k)
    #expect(twin.phase == machine.phase)
    let (state, proof) = machine.status(policy: policy)
    let (twinState, twinProof) = twin.status(policy: policy)
    #expect(state == twinState && proof == twinProof)
    allEffects += effects
    return effects.map(\.summary)
  }

  @discardableResult
  func authorised(_ p3: Verified<P3>, at now: Timestamp = Times.now + 10) throws -> [String] {
    try run { [policy] machine, key in try machine.authorised(p3, policy: policy, at: now, key: key) }
  }

  @discardableResult
  func acknowledged(
    _ message: Verified<Acknowledgement>, at now: Timestamp = Times.now + 11
  ) throws -> [String] {
    try run { [policy] machine, key in
      try machine.acknowledged(message, policy: policy, at: now, key: key)
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<CoreMode>) throws -> [String] {
    try run { [policy] machine, _ in machine.decided(outcome, policy: policy) }
  }
}

final class CustomerRig {
  var machine: CustomerPurchase<CoreMode>
  private var twin: CustomerPurchase<CoreMode>
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [CustomerEffect] = []
  var policy = CustomerPolicy(trust: trustList())

  init(_ sale: Sale = Sale()) throws {
    let n1 = try sale.n1()
    machine = CustomerPurchase<CoreMode>(requesting: n1)
    twin = machine
    kept[.n1] = n1.bytes
  }

  @discardableResult
  func run(_ event: (inout CustomerPurchase<CoreMode>) throws -> [CustomerEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored customer does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase, _) in effects { #expect(phase == machine.phase) }
    twin = try CustomerPurchase<CoreMode>(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.p1 == machine.p1 && twin.p2 == machine.p2)
    #expect(twin.p3 == machine.p3 && twin.goodsKey == machine.goodsKey && twin.n1 == machine.n1)
    return effects.map(\.summary)
  }

  @discardableResult
  func offered(
    _ p1: Verified<P1>, description: String = Sale.description, at now: Timestamp = Times.now
  ) throws -> [String] {
    try run { [policy] in $0.offered(p1, description: description, policy: policy, at: now) }
  }

  @discardableResult
  func checked(root: Hash = Sale.root, length: UInt64 = Sale.length) throws -> [String] {
    try run { $0.ciphertextChecked(root: root, length: length) }
  }

  @discardableResult
  func locked(_ p3: Verified<P3>) throws -> [String] {
    try run { machine in
      try Actor.pseudonym.withKey { try machine.locked(p3, pseudonym: $0) }
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<CoreMode>) throws -> [String] { try run { $0.decided(outcome) } }
}
