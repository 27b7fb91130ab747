// Pruning at an archive and a merchant, and commits that a merchant brings to a bank many at once.

import Foundation
import Messages
import Parties
import Storage
import Testing

@testable import Services

extension Archive {
  /// A lock of the core protocol for n.
  fileprivate func p3(
    expiration: Timestamp = Archive.expiration, lifetime: Timestamp = Archive.lifetime
  ) throws -> Verified<P3> {
    let terms = LockTerms(
      n: Self.n, merchant: publicKey(Actor.merchant), archive: node.identity.key,
      pseudonym: publicKey(Actor.pseudonym), value: euros(125), expiration: expiration, lifetime: lifetime,
      hP1: Self.hP1,
      hx: .keyCommitment(.core, merchant: publicKey(Actor.merchant), n: Self.n, key: Self.k))
    return try Verified(signing: P3(terms: terms), with: signingKey(Actor.bank))
  }

  /// What the archive says to P4 under this lock.
  fileprivate func submit(_ p3: Verified<P3>) async throws -> MessageType {
    let terms = p3.payload.terms
    let p4 = try Verified(
      signing: P4(n: Self.n, expiration: terms.expiration, hP1: Self.hP1, lock: p3.hash, key: Self.k),
      with: signingKey(Actor.merchant))
    let desk = ArchiveDesk(node: node)
    let submission = try desk.read(CoreMode.self, Bundle([p4.bytes, p3.bytes]))
    let reply = try await node.store.write {
      try desk.decide(p3, in: $0, request: p4.bytes, desk.submitted(submission)).reply
    }
    return try MessageType(peeking: #require(reply))
  }

  /// How many outcomes the archive shows of (M, n).
  fileprivate func outcomes() async throws -> Int {
    let path = "/v1/records/:merchant/:n"
    let route = try #require(ArchiveDesk(node: node).documents.first { $0.path == path })
    let parameters = ["merchant": publicKey(Actor.merchant).description, "n": Self.n.description]
    let reply = try await route.handler(
      HTTPCall(parameters: parameters, query: [:], range: nil, body: []))
    guard reply.status == 200, case .bytes(let bytes) = reply.body else { return -1 }
    return try Messages.Bundle(encoded: bytes).messages.count
  }
}

@Suite("Pruning", .timeLimit(.minutes(2)))
struct PruneTests {
  @Test("an archive empties records whose lifetime is over; readers go on behind them")
  func archive() async throws {
    let archive = try Archive()
    let desk = ArchiveDesk(node: archive.node)
    #expect(try await archive.submit(archive.p3()) == .p5a)
    archive.time.now = Archive.lifetime + 4
    try await desk.prune(keepSeconds: 5)
    #expect(try await archive.outcomes() == 1, "not yet")
    archive.time.now = Archive.lifetime + 5
    try await desk.prune(keepSeconds: 5)
    #expect(try await archive.outcomes() == 0)
    #expect(try await archive.submit(archive.p3()) == .refusal)
  }

  @Test("a record that is gone still forbids a second commit of its transaction (attack 1)")
  func oneCommit() async throws {
    let archive = try Archive()
    // Another lock of the same (M, n), which outlives the first one's record.
    let later = try archive.p3(expiration: Archive.lifetime + 900, lifetime: Archive.lifetime + 5000)
    #expect(try await archive.submit(archive.p3()) == .p5a)
    archive.time.now = Archive.lifetime + 1
    try await ArchiveDesk(node: archive.node).prune(keepSeconds: 0)
    #expect(try await archive.outcomes() == 0)
    #expect(try await archive.submit(later) == .refusal)
    // An archive that had forgotten the transaction would commit it twice.
    let forgetful = try Archive()
    forgetful.time.now = Archive.lifetime + 1
    #expect(try await forgetful.submit(later) == .p5a)
  }

  @Test("a merchant forgets sales that ended, their goods too, and keeps open ones and open refunds")
  func merchant() async throws {
    let shop = try await Shop { $0.keepSeconds = 100 }
    let service = shop.service
    let offer = try await MerchantOperation.offered(shop)
    let (ended, open) = (try await shop.contract(offer), try await shop.contract(offer))
    try await shop.lock(open)
    let goods = shop.directory.file("goods/\(ended.payload.n)")
    let over = ended.payload.contract.lifetime + 100
    func known(_ p1: Verified<P1>) async throws -> Int {
      try await service.node.store.read {
        try $0.messages(kind: MerchantService.kind, key: p1.payload.n.bytes).count
      }
    }
    await service.prune(at: over - 1)
    #expect(try await known(ended) > 0 && FileManager.default.fileExists(atPath: goods))
    await service.prune(at: over)
    #expect(try await known(ended) == 0 && !FileManager.default.fileExists(atPath: goods))
    #expect(try await known(open) > 0, "the tokens are locked")
  }

  @Test("a bank keeps a lock while tokens of its refunds live: a restored wallet finds them by it")
  func refunds() async throws {
    let bank = try await TestBank()
    let sale = try await bank.lockedSale(500)
    try await bank.ask(sale.p5a.bytes)
    let node = bank.service.node
    try await BankKeys.generate(
      values: [100], currency: "EUR", identity: node.identity, directory: node.directory, store: bank.store,
      windows: BankKeys.Windows(), exchangeFee: 0, at: TestBank.now + 300 * 86_400)
    let keys = try await BankKeys.load(node)
    let ends = keys.list.keys.map(\.spendUntil).sorted()
    let fresh = try #require(keys.list.keys.max { $0.spendUntil < $1.spendUntil })
    let rf1 = try Verified(
      signing: RF1(
        n: sale.n, merchant: publicKey(Actor.merchant), amount: euros(100), lock: sale.lock,
        outputs: [Blinded(keyID: fresh.id, message: [UInt8](repeating: 1, count: fresh.modulus.count))]),
      with: signingKey(Actor.pseudonym))
    let rf2 = try Verified(
      signing: RF2(amount: euros(100), lock: sale.lock, hRF1: rf1.hash, rf1: rf1.bytes),
      with: signingKey(Actor.merchant))
    try await bank.store.write { tx in
      _ = try tx.append(
        kind: BankService.refundsKind, key: sale.lock.bytes, label: "RF2", bytes: rf2.bytes)
    }
    let service = BankService(node: node, keys: keys, currency: "EUR") {}
    func kept() async throws -> Int {
      let rowKey = RowKey.transaction(publicKey(Actor.merchant), sale.n)
      return try await bank.store.read { try $0.messages(kind: BankService.kind, key: rowKey).count }
    }
    await service.prune(at: ends[0] + 91 * 86_400)
    #expect(try await kept() > 0, "the lock's own tokens have ended, the refund's have not")
    await service.prune(at: ends[ends.count - 1] + 91 * 86_400)
    #expect(try await kept() == 0)
  }

  @Test("a bank forgets a lock when its tokens have ended, but never that (M, n) had one")
  func bank() async throws {
    let bank = try await TestBank()
    let sale = try await bank.lockedSale(500)
    let service = bank.service
    let end = TestBank.now + 10_000 * 86_400
    func kept() async throws -> Int {
      let rowKey = RowKey.transaction(publicKey(Actor.merchant), sale.n)
      return try await bank.store.read { try $0.messages(kind: BankService.kind, key: rowKey).count }
    }
    await service.prune(at: end)
    #expect(try await kept() > 0, "the tokens are locked")
    try await bank.ask(sale.p5a.bytes)
    await service.prune(at: TestBank.lifetime + 91 * 86_400)
    #expect(try await kept() > 0, "the token lives")
    await service.prune(at: end)
    #expect(try await kept() == 0)
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500), "the books stay")
    // Another lock of the same (M, n) would convict the bank (rule 9).
    let tokens = try await bank.withdraw([500])
    let hx = Hash(of: [2])
    let terms = LockTerms(
      n: sale.n, merchant: publicKey(Actor.merchant), archive: publicKey(Actor.archive),
      pseudonym: publicKey(Actor.pseudonym), value: euros(500), expiration: TestBank.expiration,
      lifetime: TestBank.lifetime, hP1: Hash(of: [3]), hx: hx)
    let p2 = P2(terms: terms, bank: bank.key, tokenInputs: [TokenInput(token: tokens[0].token, amount: 500)])
    let again = try Verified(signing: p2, with: signingKey(tokens[0].key)).bytes
    #expect(try await bank.refusal(of: again).reason == .lifetime)
    // A bank that had forgotten the number, too, makes it.
    let rowKey = RowKey.transaction(publicKey(Actor.merchant), sale.n)
    try await bank.store.write { try $0.deleteMachine(kind: "ended", key: rowKey) }
    #expect(try MessageType(peeking: try await bank.ask(again)) == .p3)
  }

  @Test("a bank answers each commit of a batch by itself")
  func batch() async throws {
    let bank = try await TestBank()
    let p5a = try await bank.lockedSale(500).p5a
    let stranger = try Verified(signing: p5a.payload, with: signingKey(Actor.account)).bytes
    let reply = try await bank.ask(Messages.Bundle([stranger, p5a.bytes]).encoded())
    let answers = try Messages.Bundle(encoded: reply).messages
    #expect(try answers.map { try MessageType(peeking: $0) } == [.refusal, .credit])
    #expect(try await bank.sums() == Sums(customer: 1500, merchant: 500))
  }

  @Test("a merchant's commits for a bank wait for the batch, are stored, and go once")
  func forwarded() async throws {
    let shop = try await Shop { $0.forwardSeconds = 30 }
    let (service, now) = (shop.service, systemClock())
    let p4 = P4(
      n: TransactionID(randomBytes(16))!, expiration: now + 50, hP1: Hash(of: [1]), lock: Hash(of: [2]),
      key: randomBytes(32))
    let submission = try Verified(signing: p4, with: signingKey(Actor.merchant)).bytes
    let commits = try (0..<3).map { number in
      try Verified(
        signing: P5a(submission: submission, at: now + UInt64(number), lifetime: now + 100),
        with: signingKey(Actor.archive)
      ).bytes
    }
    let bank = shop.bank.key
    func queued() async throws -> [[UInt8]] {
      try await service.node.store.read { try $0.outboxDue(at: .max, limit: 10) }
        .filter { $0.destination == bank.description }.map(\.body)
    }
    try await service.node.store.write { tx in
      for commit in commits + commits { try service.send(commit, to: bank, tx, at: now) }
    }
    await service.forwardDue(at: now + 29)
    #expect(try await queued().isEmpty)
    await service.forwardDue(at: now + 30)
    await service.forwardDue(at: now + 30)
    let bundles = try await queued()
    #expect(bundles.count == 1)
    #expect(try Set(Messages.Bundle(encoded: #require(bundles.first)).messages) == Set(commits))
  }
}

extension MerchantOperation {
  /// An offer of the shop's goods, entered as its operator does.
  fileprivate static func offered(_ shop: Shop) async throws -> StoredOffer {
    var offer: StoredOffer?
    try await whileServing(MerchantDesk(shop.service), in: shop.directory) {
      let operation = try MerchantOperation(shop.directory)
      offer = try await operation.add(shop.goods, price: euros(100), description: "a", twoSided: false)
      try await operation.close()
    }
    return try #require(offer)
  }
}
