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
    switch incoming {
    case .message(let type, let bytes): return try await answer(type, bytes)
    case .bundle(let bundle) where bundle.first == .consent: return try await consented(bundle)
    case .bundle(let bundle) where bundle.first == .n1: return try await invoiceRequested(bundle)
    case .sealed(let sealed): return try await paid(sealed)
    case .bundle: throw MessageError(.malformed, "unexpected-type", "nothing that a merchant takes")
    }
  }

  private func answer(_ type: MessageType, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let trust = node.trust.list
    let now = node.clock()
    switch type {
    case .n1: return try await offer(Verified(bytes, by: BankService.claimed(Unverified<N1>(bytes))))
    case .p3: return try await authorised(CoreMode.self, bytes, at: now)
    case .ja3: return try await authorised(JointMode.self, bytes, at: now)
    case .acknowledgement:
      return try await step(Unverified<Acknowledgement>(bytes).claims.n, bytes, Acknowledged(message: bytes))
    case .nak:
      let nak = try Verified<NAK>(bytes, by: BankService.claimed(Unverified<NAK>(bytes)))
      return try await step(nak.payload.n, bytes, Complained(nak: nak))
    case .p5a, .p5b: return try await decided(CoreMode.self, bytes)
    case .ja5a, .ja5b: return try await decided(JointMode.self, bytes)
    case .a7:
      let lock = try Verified<A7>(bytes, by: .trusted(trust, as: .bank, at: now))
      return try await step(lock.payload.terms.n, bytes, AnnouncedLocked(lock: lock))
    case .a9a, .a9b:
      let outcome = try Outcome<AnnouncedMode>(bytes, trust: trust)
      return try await step(outcome.transaction().n, bytes, AnnouncedDecided(outcome: outcome))
    case .credit:
      let credit = try Verified<Credit>(bytes, by: .trusted(trust, as: .bank, at: now))
      guard let n = try await sale(lock: credit.payload.lock) else { return nil }
      return try await step(n, bytes, Credited(credit: credit))
    case .statusQuery:
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    case .refusal: return try await refused(bytes)
    case .approval: return try await approved(bytes)
    default: throw MessageError(.malformed, "unexpected-type", "\(type.label) at a merchant")
    }
  }

  // MARK: Offering

  /// N1: seals the goods for this sale and signs P1. The same N1 is answered by the same P1.
  func offer(_ n1: Verified<N1>, _ registration: Verified<Registration>? = nil) async throws -> [UInt8] {
    if let known = try await node.store.read({ try $0.reply(n1.hash.bytes) }) { return known }
    guard let stored = try await OfferBook.find(n1.payload.offer, node.store), let offer = stored.published
    else {
      return try node.refuse(Denial(.noSuchOffer, "there is no such offer"), request: n1.bytes)
    }
    let mode = ContractModes.types(of: n1.payload.mode)
    guard offer.modes.contains(n1.payload.mode),
      mode != nil || n1.payload.mode == .announced || settles(n1.payload.mode, registration)
    else {
      let known = offer.modes.map(\.name).joined(separator: ", ")
      return try node.refuse(
        Denial(.unsupported, "this is sold by these protocols: \(known)"), request: n1.bytes)
    }
    guard n1.payload.price == offer.price else {
      return try node.refuse(
        Denial(.wrongValue, "the price is \(offer.price) now"), request: n1.bytes)
    }
    let goods = try await seal(stored)
    if let registration, mode == nil { return try await invoice(n1, registration, offer, goods) }
    guard let mode else { return try await order(n1, offer, goods) }
    let expirationMax = goods.date + policy.expirationSeconds
    let contract = Contract(
      pseudonym: n1.signer, price: offer.price, expirationMax: expirationMax,
      lifetime: expirationMax + node.trust.list.lifetimeSeconds, date: goods.date,
      descriptionHash: .description(offer.description, salt: goods.salt), digests: [goods.digest],
      archives: keys(mode.archiveRole), banks: keys(.bank), mode: n1.payload.mode,
      twoSided: offer.twoSided || n1.payload.twoSided, name: offer.name)
    return try await begin(mode, n1, goods, contract)
  }

  /// The goods of one sale, sealed for it alone.
  struct FreshGoods: Sendable {
    let n: TransactionID
    let key: [UInt8]
    /// Of the offer's signed description.
    let salt: Hash
    let claim: GoodsClaim
    let digest: Hash
    let date: Timestamp
  }

  private func seal(_ stored: StoredOffer) async throws -> FreshGoods {
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
    return FreshGoods(
      n: n, key: key, salt: salt, claim: GoodsClaim(root: sealed.root, length: sealed.length),
      digest: Hash(hex: stored.digest)!, date: now)
  }

  /// Signs the offer and keeps the sale.
  private func begin<M: ContractMode>(
    _: M.Type, _ n1: Verified<N1>, _ goods: FreshGoods, _ contract: Contract
  ) async throws -> [UInt8] {
    let hx = Hash.keyCommitment(M.mode, merchant: node.identity.key, n: goods.n, key: goods.key)
    let offer = M.offer(n: goods.n, hx: hx, salt: goods.salt, contract: contract, goods: goods.claim)
    let machine = try MerchantSale<M>(offering: offer, k: goods.key, key: node.identity.signing)
    return try await keep(machine.p1, M.mode, n1, goods)
  }

  /// Keeps a new sale with its signed offer, in one durable step.
  func keep<P: Payload>(
    _ offer: Verified<P>, _ mode: Mode, _ n1: Verified<N1>, _ goods: FreshGoods,
    _ registration: Verified<Registration>? = nil
  ) async throws -> [UInt8] {
    try await node.store.write { tx in
      if let known = try tx.reply(n1.hash.bytes) { return known }
      try tx.keep(.n1, n1.bytes, kind: Self.kind, key: goods.n.bytes)
      if let registration {
        try tx.keep(Label(.registration), registration.bytes, kind: Self.kind, key: goods.n.bytes)
        try tx.setMeta(Self.invoiceMark(offer.hash), goods.n.bytes)
      }
      try tx.keep(Label(P.type), offer.bytes, kind: Self.kind, key: goods.n.bytes)
      try tx.putMachine(
        MachineRow(
          kind: Self.kind, key: goods.n.bytes, phase: SalePhase.offered.rawValue,
          data: ModeRow(mode, goods.key).data))
      try tx.setReply(n1.hash.bytes, offer.bytes, at: Int64(goods.date))
      return offer.bytes
    }
  }

  private func keys(_ role: Role) -> [PublicKey] {
    node.trust.list.entries.filter {
      // Nothing can be submitted to a passive archive.
      $0.role == role && (role != .archive || $0.sealingKey != nil)
    }.prefix(8).map(\.key)
  }

  // MARK: Steps

  static let kind = "sale"
  /// The labels of messages whose hash is a lock's name, or what a Credit of an invoice names in its place.
  private static let lockLabels = Set(
    LockModes.all.map { Label($0.lockType) } + [Label(.approval), Label(.deposit)])
  /// Under which labels a submission's box and the seed that sealed it are kept.
  static let (sealedLabel, seedLabel) = ("P4 sealed", "P4 seed")

  private func authorised<M: ContractMode>(
    _: M.Type, _ bytes: [UInt8], at now: Timestamp
  ) async throws -> [UInt8]? {
    let lock = try Verified<M.LockMessage>(bytes, by: .trusted(node.trust.list, as: .bank, at: now))
    return try await step(lock.payload.terms.n, bytes, Authorised<M>(lock: lock))
  }

  private func decided<M: ContractMode>(_: M.Type, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let outcome = try Outcome<M>(bytes, trust: node.trust.list)
    return try await step(outcome.transaction().n, bytes, Decided<M>(outcome: outcome))
  }

  /// One durable step of a sale, whatever its mode.
  func step(_ n: TransactionID, _ request: [UInt8], _ event: some SaleEvent) async throws -> [UInt8]? {
    let reply = try await node.store.write { [self] tx -> [UInt8]? in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes) else {
        return try node.refuse(Denial(.unknownTransaction, "no such sale"), request: request)
      }
      return try happen(event, n, row, tx, request: request).reply
    }
    kick()
    return reply
  }

  /// Gives the event to the sale in this row and applies what comes of it.
  func happen(
    _ event: some SaleEvent, _ n: TransactionID, _ row: MachineRow, _ tx: any StoreTransaction,
    request: [UInt8]
  ) throws -> (reply: [UInt8]?, effects: [MerchantEffect]) {
    let data = try ModeRow(row)
    let now = node.clock()
    let effects: [MerchantEffect]
    func go<M: ContractMode>(_: M.Type) throws -> [MerchantEffect] {
      var machine = try load(MerchantSale<M>.self, row, tx)
      return try event.happen(to: &machine, policy: policy, at: now, key: node.identity.signing)
    }
    if data.mode == .announced {
      var machine = try load(AnnouncedSale.self, row, tx)
      effects = try event.happen(to: &machine, policy: policy, at: now, key: node.identity.signing)
    } else if Mode.invoices.contains(data.mode) {
      var machine = try load(InvoiceSale.self, row, tx)
      effects = try event.happen(to: &machine, policy: policy, at: now, key: node.identity.signing)
    } else if let mode = ContractModes.types(of: data.mode) {
      effects = try go(mode)
    } else {
      throw StorageError.corrupt(reason: "a sale of another kind of protocol")
    }
    return (try apply(tx, effects, n, data, request: request, at: now), effects)
  }

  func apply(
    _ tx: any StoreTransaction, _ effects: [MerchantEffect], _ n: TransactionID, _ data: ModeRow,
    request: [UInt8], at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.kind, key: n.bytes)
        if Self.lockLabels.contains(label) { try tx.setMeta("lock/\(Hash(of: bytes))", n.bytes) }
      case .enter(let phase, let due):
        try tx.putMachine(
          MachineRow(
            kind: Self.kind, key: n.bytes, phase: phase.rawValue, due: due.map(Int64.init), data: data.data))
      case .submit(let bundle, let archive): try submit(tx, bundle, archive, n, at: now)
      case .send(let bytes, let key):
        try tx.send(bytes, to: key, at: now)
        // A container is answered by its hash: a refusal has to find the sale again.
        if bytes.first != 0xd2 { try tx.setMeta(Self.claimMark(Hash(of: bytes)), n.bytes) }
      case .requestAbort(let p3, let archive): try tx.send(p3, to: archive, at: now)
      case .cancel(let bundle, let archive): try tx.send(bundle.encoded(), to: archive, at: now)
      case .bring(let payment, let bank): try bring(tx, payment, bank, at: now)
      case .post(let bytes, let archive, let address):
        try tx.enqueue(
          destination: archive.description, path: Registry.path(address), body: bytes, at: Int64(now))
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
    let trust = node.trust.list
    guard let recipient = (trust.entry(archive, as: .archive) ?? trust.entry(archive, as: .bank))?.sealingKey
    else {
      throw MessageError(.misuse, "missing-field", "the archive's sealing key in the trust list")
    }
    var generator = SystemRandomNumberGenerator()
    let seed = randomBytes(32, using: &generator)
    let sealed = try SealedMessage(bundle.encoded(), to: recipient, ephemeralSeed: seed)
    let box = try sealed.encoded()
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.sealedLabel, bytes: box)
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.seedLabel, bytes: seed)
    try tx.setMeta(Self.claimMark(Hash(of: box)), n.bytes)
    try tx.send(box, to: archive, at: now)
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
        _ = try await step(n, [], Due())
      } catch { node.logger.error("a due sale could not go on", metadata: ["error": "\(error)"]) }
    }
  }

  // MARK: Questions

  private func status(_ query: Verified<StatusQuery>) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.read { [self] tx in
      var answer = StatusAnswer(at: now, hQuery: query.hash, proof: [], state: .unknown)
      if let n = query.payload.n, let (state, proof) = try known(n, tx, to: query.signer) {
        (answer.state, answer.proof) = (state, proof)
      }
      return try Verified(signing: answer, with: node.identity.signing).bytes
    }
  }

  /// What the customer may know of its sale: N1 and the offer in front, so that a restored wallet can take
  /// the purchase up again. Nil for anybody else.
  private func known(
    _ n: TransactionID, _ tx: any StoreTransaction, to asker: PublicKey
  ) throws -> (TransactionState, [[UInt8]])? {
    guard let sale = try view(n, tx), sale.customers.contains(asker) else { return nil }
    let n1 = try tx.message(kind: Self.kind, key: n.bytes, label: Label.n1.rawValue)
    let first = [n1, sale.offer].compactMap { $0 }
    return (sale.state, first + sale.proof.filter { !first.contains($0) })
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

  /// Whether this key is the customer's.
  private func mayFetch(_ n: TransactionID, _ asker: PublicKey) async throws -> Bool {
    try await node.store.read { [self] tx in
      try view(n, tx)?.customers.contains(asker) ?? false
    }
  }

  /// The sealed goods of a sale, whole or a range, to the sale's pseudonym only: the archive's record
  /// gives k to everybody, so whoever got the ciphertext too would have the goods.
  private func goods(_ call: HTTPCall) async throws -> HTTPReply {
    guard let n = call.parameters["n"].flatMap(TransactionID.init(hex:)) else {
      throw Problem.badRequest("n is 32 hexadecimal digits")
    }
    let asked = call.query["by"].flatMap(Hex.decode) ?? []
    let query = try? Unverified<StatusQuery>(asked)
    guard let query, let proven = try? Verified(query, by: .key(query.claimedSigners[0])),
      proven.payload.n == n, try await mayFetch(n, proven.signer)
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
