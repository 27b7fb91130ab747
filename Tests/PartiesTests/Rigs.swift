// Rigs run a machine beside a twin that is re-created from what was kept after every event, as after a
// crash, and hold that both do the same.

import Messages
import Parties
import Testing

typealias BankRig = ModeBankRig<CoreMode>

final class ModeBankRig<M: ContractMode> {
  var machine = BankLock<M>()
  private var twin = BankLock<M>()
  private(set) var kept: [Label: [UInt8]] = [:]
  private(set) var effects: [BankEffect] = []
  var p3: Verified<M.LockMessage>? { machine.p3 }

  @discardableResult
  func run(_ event: (inout BankLock<M>) throws -> [BankEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored bank does otherwise")
    for case .keep(let label, let bytes) in effects { kept[label] = bytes }
    for case .enter(let phase) in effects { #expect(phase == machine.phase) }
    twin = try BankLock<M>(phase: machine.phase, messages: kept)
    #expect(twin.phase == machine.phase && twin.p3 == machine.p3 && twin.outcome == machine.outcome)
    return effects.map(\.summary)
  }

  @discardableResult
  func authorised(
    _ p2: Verified<M.Request>, facts: [Hash: TokenFacts] = Tokens.facts(), trust: TrustList = trustList(),
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
  func decided(_ outcome: Outcome<M>) throws -> [String] { try run { $0.decided(outcome) } }
}

typealias ArchiveRig = ModeArchiveRig<CoreMode>

final class ModeArchiveRig<M: ArchiveMode> {
  private let p3: Verified<M.LockMessage>
  private var machine: ArchiveTransaction<M>
  private var twin: ArchiveTransaction<M>
  private(set) var effects: [ArchiveEffect] = []
  private(set) var outcome: Outcome<M>?

  init(_ p3: Verified<M.LockMessage>, outcome: Outcome<M>? = nil) {
    (self.p3, self.outcome) = (p3, outcome)
    machine = ArchiveTransaction<M>(p3, outcome: outcome)
    twin = ArchiveTransaction<M>(p3, outcome: outcome)
  }

  @discardableResult
  func run(_ event: (inout ArchiveTransaction<M>) throws -> [ArchiveEffect]) throws -> [String] {
    effects = try event(&machine)
    let again = try event(&twin)
    #expect(again == effects, "the restored archive does otherwise")
    for case .publish(let body, let isCommit, let terms, let lock) in effects {
      let published = try Outcome<M>(stored: body)
      if case .committed = published { #expect(isCommit) } else { #expect(!isCommit) }
      #expect(outcome == nil, "a second outcome for one lock")
      #expect(lock == p3.hash && terms == p3.payload.terms)
      outcome = published
    }
    twin = ArchiveTransaction<M>(p3, outcome: outcome)
    return effects.map(\.summary)
  }

  @discardableResult
  func submitted(
    _ submission: Submitted<M>, otherCommit: [UInt8]? = nil, holdsGoods: Bool = false,
    at now: Timestamp = Times.now + 20, by archive: Actor = .archive
  ) throws -> [String] {
    try run { machine in
      try archive.withKey { key in
        try machine.submitted(
          submission, otherCommit: otherCommit, holdsGoods: holdsGoods, at: now, key: key)
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

typealias MerchantRig = ModeMerchantRig<CoreMode>

final class ModeMerchantRig<M: ContractMode>: SaleRig<MerchantSale<M>> {
  init(
    offering offer: M.Offer, goods: GoodsClaim? = nil, k: [UInt8],
    policy: MerchantPolicy = MerchantPolicy(trust: trustList())
  ) throws {
    let machine = try Actor.merchant.withKey {
      try MerchantSale<M>(offering: offer, goods: goods, k: k, key: $0)
    }
    var kept = [Label(M.Offer.type): machine.p1.bytes]
    kept[Label(.e4)] = machine.merchandise?.bytes
    try super.init(machine, kept: kept, k: k, policy: policy)
  }

  override func isSame(_ twin: borrowing MerchantSale<M>, _ machine: borrowing MerchantSale<M>) -> Bool {
    twin.servesGoods == machine.servesGoods
  }

  @discardableResult
  func authorised(_ p3: Verified<M.LockMessage>, at now: Timestamp = Times.now + 10) throws -> [String] {
    try run { [policy] machine, key in try machine.authorised(p3, policy: policy, at: now, key: key) }
  }

  @discardableResult
  func acknowledged(
    _ message: Verified<M.Note>, at now: Timestamp = Times.now + 11
  ) throws -> [String] {
    try run { [policy] machine, key in
      try machine.acknowledged(message, policy: policy, at: now, key: key)
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<M>) throws -> [String] {
    try run { [policy] machine, _ in machine.decided(outcome, policy: policy) }
  }
}

typealias CustomerRig = ModeCustomerRig<CoreMode>

final class ModeCustomerRig<M: ContractMode>: PurchaseRig<CustomerPurchase<M>> {
  var policy = CustomerPolicy(trust: trustList())

  init(requesting n1: Verified<N1>) {
    super.init(CustomerPurchase<M>(requesting: n1), kept: [.n1: n1.bytes])
  }

  override func isSame(_ twin: CustomerPurchase<M>, _ machine: CustomerPurchase<M>) -> Bool {
    twin.p1 == machine.p1 && twin.p2 == machine.p2 && twin.merchandise == machine.merchandise
      && twin.note == machine.note && twin.p3 == machine.p3 && twin.n1 == machine.n1
  }

  @discardableResult
  func offered(
    _ p1: Verified<M.Offer>, description: String = Sale.description, at now: Timestamp = Times.now
  ) throws -> [String] {
    try run { [policy] in $0.offered(p1, description: description, policy: policy, at: now) }
  }

  @discardableResult
  func checked(root: Hash = Sale.root, length: UInt64 = Sale.length) throws -> [String] {
    try run { $0.ciphertextChecked(root: root, length: length) }
  }

  @discardableResult
  func locked(_ p3: Verified<M.LockMessage>) throws -> [String] {
    try run { machine in
      try Actor.pseudonym.withKey { try machine.locked(p3, pseudonym: $0) }
    }
  }

  @discardableResult
  func decided(_ outcome: Outcome<M>) throws -> [String] { try run { $0.decided(outcome) } }
}

extension ModeMerchantRig where M == CoreMode {
  convenience init(
    _ sale: Sale = Sale(), policy: MerchantPolicy = MerchantPolicy(trust: trustList())
  ) throws {
    try self.init(offering: sale.p1Payload, k: sale.k, policy: policy)
  }
}

extension ModeCustomerRig where M == CoreMode {
  convenience init(_ sale: Sale = Sale()) throws { self.init(requesting: try sale.n1()) }
}
