// All four machines around one sale, in memory: messages travel as bytes and are read and verified on
// arrival, P4 is sealed, goods are real, and a book holds who has what.

import Messages
import Parties
import Testing

final class Market {
  static let plain = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  /// Each message arrives twice.
  var duplicates = false
  /// P3 reaches the customer.
  var answersCustomer = true
  var now = Times.now

  let sale: Sale
  let bank = BankRig()
  let merchant: MerchantRig
  let customer: CustomerRig
  private(set) var archive: ArchiveRig?
  private let sealedGoods: [UInt8]
  private let trust = trustList()

  // The book, in minor units of EUR.
  private(set) var locked: [Hash: UInt64] = [:]
  private(set) var spent: [Hash: UInt64] = [:]
  private(set) var credited: UInt64 = 0
  private(set) var credits = 0

  init(twoSided: Bool, completion: CompletionRoute = .archive) throws {
    var stream = try GoodsStream(sealing: Sale.k, n: Sale.n, salt: filled(3, 24))
    let body = try Self.plain.withUnsafeBytes { try stream.update($0) }
    let (tail, root, length) = try stream.finish()
    sealedGoods = body + tail
    sale = Sale(twoSided: twoSided, root: root, length: length)
    merchant = try MerchantRig(sale, policy: MerchantPolicy(trust: trust, completion: completion))
    customer = try CustomerRig(sale)
  }

  /// All that the tokens were worth; it must be somewhere at any time.
  var total: UInt64 {
    let rest = 2000 - locked.values.reduce(0, +) - spent.values.reduce(0, +)
    return rest + locked.values.reduce(0, +) + credited
  }

  // MARK: Steps of the customer

  /// From the offer to the signed P2.
  func pay() throws {
    let p1 = try Verified<P1>(merchant.machine.p1.bytes, by: .trusted(trust, as: .merchant, at: now))
    #expect(try customer.offered(p1, at: now) == ["keep P1", "enter offered"])
    var stream = GoodsStream(checking: .sodium)
    try sealedGoods.withUnsafeBytes { _ = try stream.update($0) }
    let (_, root, length) = try stream.finish()
    #expect(try customer.checked(root: root, length: length) == ["enter checked"])
    let payload = try customer.machine.authorization(
      tokens: Tokens.inputs, bank: Actor.bank.publicKey, archive: Actor.archive.publicKey,
      expiration: Times.expiration)
    let p2 = try Actor.tokenTwo.withKey { (key) throws(MessageError) in
      try Actor.tokenOne.sign(payload).coSigned(with: key)
    }
    try customer.run { $0.authorised(p2) }
    try carryCustomer()
  }

  /// Asks the archive's public record for the outcome.
  func askArchive() throws {
    guard let outcome = archive?.outcome else { return }
    try customer.decided(Outcome<CoreMode>(outcome.bytes, trust: trust))
  }

  /// Opens the goods with k as published, or as the merchant handed it over.
  func open(with k: [UInt8]) throws -> [UInt8] {
    var stream = try GoodsStream(opening: k, n: Sale.n)
    let body = try sealedGoods.withUnsafeBytes { try stream.update($0) }
    return try body + stream.finish(root: sale.root, length: sale.length)
  }

  func wantAbort() throws {
    let archive = try #require(self.archive ?? bank.p3.map { ArchiveRig($0) })
    self.archive = archive
    try archive.abortRequested(at: now)
    try carryArchive(archive)
  }

  /// The merchant's event and all that follows from it.
  func merchantDoes(_ event: (MerchantRig) throws -> [String]) throws {
    _ = try event(merchant)
    try carryMerchant()
  }

  // MARK: Carrying effects to whom they are for

  private var times: Int { duplicates ? 2 : 1 }

  private func carryCustomer() throws {
    for case .send(let bytes, let key) in customer.effects {
      for _ in 0..<times {
        if key == Actor.bank.publicKey { try bankTakes(bytes) }
        if key == Actor.merchant.publicKey {
          try merchant.acknowledged(Verified(bytes, by: .key(Actor.pseudonym.publicKey)))
          try carryMerchant()
        }
      }
    }
  }

  private func bankTakes(_ bytes: [UInt8]) throws {
    var facts: [Hash: TokenFacts] = [:]
    for input in Tokens.inputs {
      let id = input.token.id
      facts[id] = Tokens.fresh
      (facts[id]!.spent, facts[id]!.locked) = (spent[id] ?? 0, locked[id] ?? 0)
    }
    try bank.authorised(Verified(bytes, by: .ownTokens), facts: facts, at: now)
    try carryBank()
  }

  private func carryBank() throws {
    for effect in bank.effects {
      switch effect {
      case .lock(let token, _, let amount, _): locked[token.id, default: 0] += amount
      case .spend:
        for (id, amount) in locked { spent[id, default: 0] += amount }
        locked = [:]
      case .release: locked = [:]
      case .spendPart: throw Unexpected()
      case .credit(_, let value, _): credited += value.amount
      case .confirmCredit(_, let value, let lock):
        credits += 1
        let credit = Credit(amount: value, lock: lock, at: now, account: "M-1")
        try merchant.credited(Actor.bank.sign(credit))
      case .send(let bytes, _):
        try merchant.authorised(Verified(bytes, by: .trusted(trust, as: .bank, at: now)), at: now)
        try carryMerchant()
      case .reply(let bytes) where answersCustomer:
        guard let p3 = try? Verified<P3>(bytes, by: .key(Actor.bank.publicKey)) else { continue }
        try customer.locked(p3)
        try carryCustomer()
      case .reply, .keep, .enter, .refuse, .publish, .receipt: break
      }
    }
  }

  private func carryMerchant() throws {
    let effects = merchant.effects
    for effect in effects {
      for _ in 0..<times {
        switch effect {
        case .submit(let bundle, _): try submit(bundle)
        case .cancel(let bundle, _):
          let archive = try archive(for: bundle.messages[1])
          let rule = SignerRule.trusted(trust, as: .merchant, at: now)
          try archive.cancelled(Verified(bundle.messages[0], by: rule), at: now)
          try carryArchive(archive)
        case .requestAbort: try wantAbort()
        case .keep, .enter, .send, .submitAgain, .upload, .reply, .refuse, .bring, .post: break
        }
      }
    }
  }

  private func submit(_ bundle: Bundle) throws {
    var seed = filled(0x41)
    let key = SealingKey(seed: &seed)
    let sealed = try SealedMessage(bundle.encoded(), to: key.publicKey, ephemeralSeed: filled(0x42))
    #expect(!(try sealed.encoded()).contains(Sale.k), "k travels in the clear")
    let opened = try Bundle(encoded: key.open(SealedMessage(encoded: sealed.encoded()).box))
    let submission = try Submitted<CoreMode>(opened, trust: trust, at: now)
    let archive = try archive(for: submission.p3.bytes)
    try archive.submitted(submission, at: now)
    try carryArchive(archive)
  }

  private func archive(for p3: [UInt8]) throws -> ArchiveRig {
    if let archive { return archive }
    let new = ArchiveRig(try Verified(p3, by: .trusted(trust, as: .bank, at: now)))
    archive = new
    return new
  }

  private func carryArchive(_ archive: ArchiveRig) throws {
    for case .send(let bytes, let key) in archive.effects {
      for _ in 0..<times {
        let outcome = try Outcome<CoreMode>(bytes, trust: trust)
        if key == Actor.bank.publicKey {
          try bank.decided(outcome)
          try carryBank()
        } else {
          try merchant.decided(outcome)
        }
      }
    }
  }
}
