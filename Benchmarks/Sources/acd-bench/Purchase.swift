// One purchase from P2 to P5a at everybody, by the machines of `Parties` and the messages as bytes between
// them: all that the services do but for storage and network.

import BlindTokens
import Messages
import Parties

/// The messages of a purchase as they went from one party to another.
struct Trace {
  /// P2 as each token signed it, innermost first.
  var p2: [[UInt8]] = []
  var p3: [UInt8] = []
  var p4: [UInt8] = []
  /// What the merchant sealed to the archive.
  var bundle: [UInt8] = []
  var p5a: [UInt8] = []
}

/// A purchase whose contract is signed and whose goods are checked: what comes next is measured.
struct Purchase: ~Copyable {
  private let world: World
  private let policy: BankPolicy
  private var customer: CustomerPurchase<CoreMode>
  private var sale: MerchantSale<CoreMode>
  private var lock = BankLock<CoreMode>()
  private(set) var trace = Trace()

  init(_ world: World) throws {
    let contract = world.contract
    let nonce = Nonce([UInt8](repeating: 1, count: 16))!
    let n1 = N1(nonce: nonce, price: World.price, offer: nonce, twoSided: false)
    var customer = CustomerPurchase<CoreMode>(requesting: try Verified(signing: n1, with: world.pseudonym.key))
    let sale = try MerchantSale<CoreMode>(offering: contract, k: world.goodsKey, key: world.merchant.key)
    _ = customer.offered(
      sale.p1, description: World.description, policy: CustomerPolicy(trust: world.trust), at: World.now)
    _ = customer.ciphertextChecked(root: contract.root, length: contract.length)
    expect(customer.phase == .checked, "the contract was not accepted")
    self.world = world
    policy = BankPolicy(trust: world.trust, expirationCapSeconds: 3600)
    self.customer = customer
    self.sale = sale
  }

  /// The measured part.
  mutating func run() throws {
    let p2 = try authorise()
    let p3 = try atBank(p2)
    try locked(p3)
    let box = try atMerchant(p3)
    let p5a = try atArchive(box)
    try settle(p5a)
  }

  private mutating func authorise() throws -> [UInt8] {
    let payload = try customer.authorization(
      tokens: world.tokens, bank: world.bank.publicKey, archive: world.archive.publicKey,
      expiration: World.expiration)
    var p2 = try Verified(signing: payload, with: world.tokenKeys[0].key)
    trace.p2 = [p2.bytes]
    for party in world.tokenKeys.dropFirst() {
      p2 = try p2.coSigned(with: party.key)
      trace.p2.append(p2.bytes)
    }
    _ = customer.authorised(p2)
    return p2.bytes
  }

  private mutating func atBank(_ bytes: [UInt8]) throws -> [UInt8] {
    let p2 = try Verified<P2>(bytes, by: .ownTokens)
    var facts: [Hash: TokenFacts] = [:]
    for input in p2.payload.tokenInputs {
      let token = input.token
      let id = token.id
      let holds = token.key.isSound && world.verifier.isValid(signature: token.signature, for: id.bytes)
      facts[id] = TokenFacts(
        denomination: world.denomination, signatureHolds: holds, spent: 0, locked: 0, uses: [])
    }
    _ = try lock.authorised(p2, facts: facts, policy: policy, at: World.now + 5, key: world.bank.key)
    expect(lock.phase == .locked, "the bank refused")
    trace.p3 = lock.p3!.bytes
    return trace.p3
  }

  private mutating func locked(_ bytes: [UInt8]) throws {
    let p3 = try Verified<P3>(bytes, by: .trusted(world.trust, as: .bank, at: World.now + 6))
    _ = try customer.locked(p3, pseudonym: world.pseudonym.key)
  }

  private mutating func atMerchant(_ bytes: [UInt8]) throws -> [UInt8] {
    let p3 = try Verified<P3>(bytes, by: .trusted(world.trust, as: .bank, at: World.now + 6))
    let effects = try sale.authorised(
      p3, policy: MerchantPolicy(trust: world.trust), at: World.now + 6, key: world.merchant.key)
    for case .submit(let bundle, _) in effects {
      var generator = SystemRandomNumberGenerator()
      let seed = randomBytes(32, using: &generator)
      trace.p4 = bundle.messages[0]
      trace.bundle = try bundle.encoded()
      return try SealedMessage(trace.bundle, to: world.archiveBox.publicKey, ephemeralSeed: seed).encoded()
    }
    fatalError("benchmark: the merchant did not submit")
  }

  private mutating func atArchive(_ bytes: [UInt8]) throws -> [UInt8] {
    let sealed = try SealedMessage(encoded: bytes)
    let bundle = try Bundle(encoded: world.archiveBox.open(sealed.box))
    let submission = try Submitted<CoreMode>(bundle, trust: world.trust, at: World.now + 7)
    var machine = ArchiveTransaction<CoreMode>(submission.p3, outcome: nil)
    let effects = try machine.submitted(
      submission, otherCommit: nil, at: World.now + 7, key: world.archive.key)
    for case .publish(let body, _, _, _) in effects {
      trace.p5a = body
      return body
    }
    fatalError("benchmark: the archive did not commit")
  }

  /// P5a reaches customer, bank and merchant, who check it each for itself.
  private mutating func settle(_ bytes: [UInt8]) throws {
    _ = customer.decided(try Outcome<CoreMode>(bytes, trust: world.trust))
    _ = lock.decided(try Outcome<CoreMode>(bytes, trust: world.trust))
    _ = sale.decided(
      try Outcome<CoreMode>(bytes, trust: world.trust), policy: MerchantPolicy(trust: world.trust))
    expect(customer.phase == .paid && lock.phase == .settled && sale.phase == .committed, "not settled")
  }
}
