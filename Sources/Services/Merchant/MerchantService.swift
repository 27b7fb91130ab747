// The merchant over the wire: offers, requests, sealed goods with ranges, authorisations,
// acknowledgements, outcomes and status answers.

import Foundation
import Messages
import Parties
import Storage

/// A running merchant.
final class MerchantService: PartyService {
  let node: Node
  let policy: MerchantPolicy
  let kick: @Sendable () -> Void

  init(node: Node, policy: MerchantPolicy, kick: @escaping @Sendable () -> Void) {
    (self.node, self.policy, self.kick) = (node, policy, kick)
  }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    guard case .message(let type, let bytes) = incoming else {
      throw MessageError(.malformed, "unexpected-type", "a merchant takes signed messages only")
    }
    let trust = node.trust.list
    let now = node.clock()
    switch type {
    case .n1: return try await offer(Verified(bytes, by: BankService.claimed(Unverified<N1>(bytes))))
    case .p3:
      let p3 = try Verified<P3>(bytes, by: .trusted(trust, as: .bank, at: now))
      return try await step(p3.payload.terms.n, bytes) { [policy] machine, now, key in
        try machine.authorised(p3, policy: policy, at: now, key: key)
      }
    case .acknowledgement:
      let message = try Verified<Acknowledgement>(
        bytes, by: BankService.claimed(Unverified<Acknowledgement>(bytes)))
      return try await step(message.payload.n, bytes) { [policy] machine, now, key in
        try machine.acknowledged(message, policy: policy, at: now, key: key)
      }
    case .nak:
      let nak = try Verified<NAK>(bytes, by: BankService.claimed(Unverified<NAK>(bytes)))
      return try await step(nak.payload.n, bytes) { machine, _, key in try machine.complained(nak, key: key) }
    case .p5a, .p5b: return try await decided(try Outcome(bytes, trust: trust), bytes)
    case .credit:
      let credit = try Verified<Credit>(bytes, by: .trusted(trust, as: .bank, at: now))
      guard let n = try await sale(lock: credit.payload.lock) else { return nil }
      return try await step(n, bytes) { machine, _, _ in machine.credited(credit) }
    case .statusQuery:
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    // An answer to something sent; what it refuses is settled by the archive's record.
    case .refusal: return nil
    default: throw MessageError(.malformed, "unexpected-type", "\(type.label) at a merchant")
    }
  }

  // MARK: Offering

  /// N1: seals the goods for this sale and signs P1. The same N1 is answered by the same P1.
  private func offer(_ n1: Verified<N1>) async throws -> [UInt8] {
    if let known = try await node.store.read({ try $0.reply(n1.hash.bytes) }) { return known }
    guard let stored = try await OfferBook.find(n1.payload.offer, node.store), let offer = stored.published
    else {
      return try node.refuse(Denial(.noSuchOffer, "there is no such offer"), request: n1.bytes)
    }
    guard n1.payload.price == offer.price else {
      return try node.refuse(
        Denial(.wrongValue, "the price is \(offer.price) now"), request: n1.bytes)
    }
    let now = node.clock()
    var generator = SystemRandomNumberGenerator()
    let n = TransactionID.random(using: &generator)
    let key = randomBytes(32, using: &generator)
    let salt = Hash.random(using: &generator)
    let goodsSalt = randomBytes(Goods.saltSize, using: &generator)
    try node.directory.createFolder("goods")
    let sealed = try await offTheLoop { [node] in
      try RawFile.create(node.directory.file("goods/\(n)")) {
        try GoodsFiles().seal(RawFile(reading: stored.path), to: $0, key: key, n: n, salt: goodsSalt)
      }
    }
    let expirationMax = now + policy.expirationSeconds
    let contract = Contract(
      pseudonym: n1.signer, price: offer.price, expirationMax: expirationMax,
      lifetime: expirationMax + node.trust.list.lifetimeSeconds, date: now,
      descriptionHash: .description(offer.description, salt: salt), digests: [Hash(hex: stored.digest)!],
      archives: keys(.archive), banks: keys(.bank), twoSided: offer.twoSided || n1.payload.twoSided,
      name: offer.name)
    let p1 = P1(
      n: n, hx: .keyCommitment(.core, merchant: node.identity.key, n: n, key: key), root: sealed.root,
      length: sealed.length, salt: salt, contract: contract)
    let machine = try MerchantSale(offering: p1, k: key, key: node.identity.signing)
    let bytes = machine.p1.bytes
    return try await node.store.write { tx in
      if let known = try tx.reply(n1.hash.bytes) { return known }
      try tx.keep(.n1, n1.bytes, kind: Self.kind, key: n.bytes)
      try tx.keep(.p1, bytes, kind: Self.kind, key: n.bytes)
      try tx.putMachine(
        MachineRow(kind: Self.kind, key: n.bytes, phase: MerchantSale.Phase.offered.rawValue, data: key))
      try tx.setReply(n1.hash.bytes, bytes, at: Int64(now))
      return bytes
    }
  }

  private func keys(_ role: Role) -> [PublicKey] {
    node.trust.list.entries.filter { $0.role == role }.prefix(8).map(\.key)
  }

  // MARK: Steps

  static let kind = "sale"
  /// Under which labels a submission's box and the seed that sealed it are kept.
  static let (sealedLabel, seedLabel) = ("P4 sealed", "P4 seed")

  private typealias Event =
    @Sendable (
      inout MerchantSale, Timestamp, borrowing SigningKey
    ) throws -> [MerchantEffect]

  private func step(
    _ n: TransactionID, _ request: [UInt8], _ event: @escaping Event
  ) async throws -> [UInt8]? {
    let now = node.clock()
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes),
        let phase = MerchantSale.Phase(rawValue: row.phase)
      else { return try node.refuse(Denial(.unknownTransaction, "no such sale"), request: request) }
      var machine = try MerchantSale(
        phase: phase, messages: tx.labelled(kind: Self.kind, key: n.bytes), k: row.data)
      let effects = try event(&machine, now, node.identity.signing)
      return try apply(tx, effects, n, k: row.data, request: request, at: now)
    }
    kick()
    return reply
  }

  func apply(
    _ tx: any StoreTransaction, _ effects: [MerchantEffect], _ n: TransactionID, k: [UInt8],
    request: [UInt8], at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.kind, key: n.bytes)
        if label == .p3 { try tx.setMeta("lock/\(Hash(of: bytes))", n.bytes) }
      case .enter(let phase, let due):
        try tx.putMachine(
          MachineRow(
            kind: Self.kind, key: n.bytes, phase: phase.rawValue, due: due.map(Int64.init), data: k))
      case .submit(let bundle, let archive): try submit(tx, bundle, archive, n, at: now)
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: now)
      case .requestAbort(let p3, let archive): try tx.send(p3, to: archive, at: now)
      case .cancel(let bundle, let archive): try tx.send(bundle.encoded(), to: archive, at: now)
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      }
    }
    return reply
  }

  /// P4 goes out sealed; the ephemeral seed is kept, so that a judge can be shown what was sealed (attack
  /// 16).
  private func submit(
    _ tx: any StoreTransaction, _ bundle: Messages.Bundle, _ archive: PublicKey, _ n: TransactionID,
    at now: Timestamp
  ) throws {
    guard let recipient = node.trust.list.entry(archive, as: .archive)?.sealingKey else {
      throw MessageError(.misuse, "missing-field", "the archive's sealing key in the trust list")
    }
    var generator = SystemRandomNumberGenerator()
    let seed = randomBytes(32, using: &generator)
    let sealed = try SealedMessage(bundle.encoded(), to: recipient, ephemeralSeed: seed)
    let box = try sealed.encoded()
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.sealedLabel, bytes: box)
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.seedLabel, bytes: seed)
    try tx.send(box, to: archive, at: now)
  }

  private func decided(_ outcome: Outcome, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let n: TransactionID
    switch outcome {
    case .committed(let commit): n = try Verified<P4>(stored: commit.payload.submission).payload.n
    case .aborted(let abort): n = abort.payload.n
    }
    return try await step(n, bytes) { [policy] machine, _, _ in machine.decided(outcome, policy: policy) }
  }

  private func sale(lock: Hash) async throws -> TransactionID? {
    try await node.store.read { try $0.meta("lock/\(lock)") }.flatMap { TransactionID($0) }
  }

  /// What is due by itself: missing acknowledgements, archives that did not answer.
  func tick() async {
    let now = node.clock()
    guard
      let due = try? await node.store.read({
        try $0.machinesDue(kind: Self.kind, before: Int64(now), limit: 100)
      })
    else { return }
    for row in due {
      guard let n = TransactionID(row.key) else { continue }
      do {
        _ = try await step(n, []) { machine, now, key in try machine.due(at: now, key: key) }
      } catch { node.logger.error("a due sale could not go on", metadata: ["error": "\(error)"]) }
    }
  }

  // MARK: Questions

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.read { [self] tx in
      let none = StatusAnswer(at: now, hQuery: query.hash, proof: [], state: .unknown)
      guard let n = query.payload.n, let row = try tx.machine(kind: Self.kind, key: n.bytes),
        let phase = MerchantSale.Phase(rawValue: row.phase)
      else { return try Verified(signing: none, with: node.identity.signing).bytes }
      let messages = try tx.labelled(kind: Self.kind, key: n.bytes)
      let machine = try MerchantSale(phase: phase, messages: messages, k: row.data)
      guard query.signer == machine.p1.payload.contract.pseudonym else {
        return try Verified(signing: none, with: node.identity.signing).bytes
      }
      let (state, proof) = machine.status(policy: policy)
      // With N1 and P1 in front, so that a restored wallet can take the purchase up again.
      let all = ([messages[.n1], messages[.p1]].compactMap { $0 }) + proof.filter { $0 != messages[.p1] }
      let answer = StatusAnswer(at: now, hQuery: query.hash, proof: all, state: state)
      return try Verified(signing: answer, with: node.identity.signing).bytes
    }
  }

  // MARK: Documents

  var documents: [Route] {
    [
      Route(method: "GET", path: "/v1/offers") { _ in try await self.offers() },
      Route(method: "GET", path: "/v1/goods/:n") { call in try await self.goods(call) },
    ]
  }

  private func offers() async throws -> HTTPReply {
    let offers = try await OfferBook.all(node.store).compactMap(\.published)
    let signed = try Verified(signing: Offers(at: node.clock(), offers: offers), with: node.identity.signing)
    return HTTPReply(status: 200, contentType: coseMediaType, body: .bytes(signed.bytes))
  }

  /// The sealed goods of a sale, whole or a range, to the sale's pseudonym only: the archive's record
  /// gives k to everybody, so whoever got the ciphertext too would have the goods.
  private func goods(_ call: HTTPCall) async throws -> HTTPReply {
    guard let n = call.parameters["n"].flatMap(TransactionID.init(hex:)) else {
      throw Problem.badRequest("n is 32 hexadecimal digits")
    }
    let asked = call.query["by"].flatMap(Hex.decode) ?? []
    let query = try? Unverified<StatusQuery>(asked)
    let p1 = try await node.store.read { tx in
      try tx.message(kind: Self.kind, key: n.bytes, label: Label.p1.rawValue)
    }.map { try Verified<P1>(stored: $0) }
    guard let p1, let query,
      let proven = try? Verified(query, by: .key(p1.payload.contract.pseudonym)), proven.payload.n == n
    else { throw Problem.notFound("no goods of this sale, or not for whoever asks") }
    let path = node.directory.file("goods/\(n)")
    guard FileManager.default.fileExists(atPath: path) else {
      throw Problem.notFound("no goods of this sale")
    }
    return try HTTPReply.file(path: path, contentType: "application/octet-stream", call: call)
  }
}

extension DataDirectory {
  /// Makes a folder inside. No error if it is there.
  func createFolder(_ name: String) throws {
    do { try FileManager.default.createDirectory(at: url(name), withIntermediateDirectories: true) } catch {
      throw ServiceError.file(path: file(name), reason: "cannot be created")
    }
  }
}

/// Runs blocking work on a thread of its own, away from the tasks' pool.
func offTheLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result { try body() }) }
  }
}
