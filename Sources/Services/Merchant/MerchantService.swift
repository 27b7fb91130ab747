// The merchant over the wire: offers, requests, sealed goods with ranges, authorisations,
// acknowledgements, outcomes and status answers.

import Foundation
import Messages
import Parties
import Storage
import Synchronization

/// A running merchant.
final class MerchantService: PartyService {
  let node: Node
  let policy: MerchantPolicy
  let kick: @Sendable () -> Void
  private let uploads: GoodsUpload
  let pruned = PruneCursor(MerchantService.kind)
  /// Series whose next goods are being sealed.
  let sealing = Mutex<Set<TransactionID>>([])

  init(node: Node, policy: MerchantPolicy, kick: @escaping @Sendable () -> Void) {
    (self.node, self.policy, self.kick) = (node, policy, kick)
    uploads = GoodsUpload(node: node)
  }

  func answer(_ incoming: Incoming) async throws -> [UInt8]? {
    switch incoming {
    case .message(let type, let bytes): return try await answer(type, bytes)
    case .bundle(let bundle) where bundle.first == .consent: return try await consented(bundle)
    case .bundle(let bundle) where bundle.first == .n1: return try await invoiceRequested(bundle)
    case .bundle(let bundle) where [.d1, .d3].contains(bundle.first): return try await delivered(bundle)
    case .bundle(let bundle): return try await answers(bundle) ? nil : together(bundle)
    case .sealed(let sealed): return try await paid(sealed)
    }
  }

  private func answer(_ type: MessageType, _ bytes: [UInt8]) async throws -> [UInt8]? {
    let trust = node.trust.list
    let now = node.clock()
    switch type {
    case .n1: return try await offer(Verified(bytes, by: BankService.claimed(Unverified<N1>(bytes))))
    case .p3: return try await authorised(CoreMode.self, bytes, at: now)
    case .ja3: return try await authorised(JointMode.self, bytes, at: now)
    case .e3: return try await authorised(EarlyMode.self, bytes, at: now)
    case .r3: return try await authorised(RepeatedMode.self, bytes, at: now)
    case .r5: return try await item(bytes)
    case .r7: return try await step(Unverified<R7>(bytes).claims.n, bytes, ItemAcknowledged(message: bytes))
    case .acknowledgement:
      return try await step(Unverified<Acknowledgement>(bytes).claims.n, bytes, Acknowledged(message: bytes))
    case .e5: return try await step(Unverified<E5>(bytes).claims.n, bytes, Acknowledged(message: bytes))
    case .nak:
      let nak = try Verified<NAK>(bytes, by: BankService.claimed(Unverified<NAK>(bytes)))
      return try await step(nak.payload.n, bytes, Complained(nak: nak))
    case .p5a, .p5b: return try await decided(CoreMode.self, bytes)
    case .ja5a, .ja5b: return try await decided(JointMode.self, bytes)
    case .e7a, .e7b: return try await decided(EarlyMode.self, bytes)
    case .p5c: return try await step(Unverified<P5c>(bytes).claims.n, bytes, Witnessed(abort: bytes))
    case .jb4a, .jb4b: return try await decidedCompact(bytes)
    case .r10a, .r10b: return try await decided(RepeatedMode.self, bytes)
    // What the tokens' bank shows of a transfer: kept for a judge. The Credit is the merchant's own bank's.
    case .bt2:
      let bt2 = try Verified<BT2>(bytes, by: .known(trust, as: .bank))
      guard let n = try await sale(lock: bt2.payload.lock) else { return nil }
      try await node.store.write { try $0.keep(Label(.bt2), bytes, kind: Self.kind, key: n.bytes) }
      return nil
    case .a7:
      let lock = try Verified<A7>(bytes, by: .trusted(trust, as: .bank, at: now))
      return try await step(lock.payload.terms.n, bytes, AnnouncedLocked(lock: lock))
    case .a9a, .a9b:
      let outcome = try Outcome<AnnouncedMode>(bytes, trust: trust)
      try await node.proofs.require(outcome)
      return try await step(outcome.transaction().n, bytes, AnnouncedDecided(outcome: outcome))
    case .credit:
      let credit = try Verified<Credit>(bytes, by: .trusted(trust, as: .bank, at: now))
      guard let n = try await sale(lock: credit.payload.lock) else { return nil }
      return try await step(n, bytes, Credited(credit: credit))
    case .statusQuery:
      return try await status(Verified(bytes, by: BankService.claimed(Unverified<StatusQuery>(bytes))))
    case .refusal:
      if try await refundAnswered(Unverified<Refusal>(bytes).claims.hRequest, by: bytes) { return nil }
      return try await refused(bytes)
    case .rf1: return try await refund(Verified(bytes, by: BankService.claimed(Unverified<RF1>(bytes))))
    case .rf3:
      _ = try await refundAnswered(Unverified<RF3>(bytes).claims.hRF2, by: bytes)
      return nil
    case .approval: return try await approved(bytes)
    case .d0: return try await arrived(bytes)
    default: throw MessageError(.malformed, "unexpected-type", "\(type.label) at a merchant")
    }
  }

  // MARK: Offering

  /// N1: seals the goods for this sale and signs P1, at the offer's price or at one that was agreed. The same
  /// N1 is answered by the same P1. Nil while a bid waits for the operator. An invoice is for the token that
  /// `registration` names.
  func offer(_ n1: Verified<N1>, _ registration: Verified<Registration>? = nil) async throws -> [UInt8]? {
    if let known = try await node.store.read({ try $0.reply(n1.hash.bytes) }) { return known }
    guard let stored = try await OfferBook.find(n1.payload.offer, node.store), let offer = stored.published
    else {
      return try node.refuse(Denial(.noSuchOffer, "there is no such offer"), request: n1.bytes)
    }
    let way = n1.payload.mode
    guard offer.modes.contains(way), ContractModes.isServed(way),
      !Mode.invoices.contains(way) || settles(way, registration)
    else {
      let known = offer.modes.map(\.name).joined(separator: ", ")
      return try node.refuse(
        Denial(.unsupported, "this is sold by these protocols: \(known)"), request: n1.bytes)
    }
    if n1.payload.price != offer.price {
      let (isAgreed, answer) = try await negotiate(n1, stored)
      guard isAgreed else { return answer }
    }
    if let denial = Self.undeliverable(n1.payload, offer) {
      return try node.refuse(denial, request: n1.bytes)
    }
    let goods = try await seal(stored, for: way)
    switch way {
    case .announced: return try await order(n1, offer, goods)
    case .invoice, .invoiceDirect, .invoicePassive: return try await invoice(n1, registration!, offer, goods)
    case .compact: return try await beginCompact(n1, draft(n1, stored, offer, goods), at: goods.date)
    default:
      guard let mode = ContractModes.types(of: way) else {
        throw StorageError.corrupt(reason: "an offer by a protocol that is not served")
      }
      return try await begin(mode, n1, draft(n1, stored, offer, goods), secret: goods.secret, at: goods.date)
    }
  }

  /// The goods of one sale, sealed for it alone.
  struct FreshGoods: Sendable {
    let n: TransactionID
    /// What the sale keeps: the key, or what the keys of a series come from.
    let secret: [UInt8]
    let key: [UInt8]
    /// Of the key, where the archive publishes it masked.
    let mask: Hash
    /// Of the offer's signed description.
    let salt: Hash
    let claim: GoodsClaim
    let digest: Hash
    let date: Timestamp
  }

  private func seal(_ stored: StoredOffer, for mode: Mode) async throws -> FreshGoods {
    let now = node.clock()
    var generator = node.surroundings.randomness
    let n = TransactionID.random(using: &generator)
    let secret = randomBytes(32, using: &generator)
    let key = ContractModes.types(of: mode)?.goodsKey(secret, 0) ?? secret
    let salt = Hash.random(using: &generator)
    let goodsSalt = randomBytes(Goods.saltSize, using: &generator)
    let claim = try await seal(stored, as: Self.goodsName(n, 0), key: key, n: n, salt: goodsSalt)
    return FreshGoods(
      n: n, secret: secret, key: key, mask: .random(using: &generator), salt: salt, claim: claim,
      digest: Hash(hex: stored.digest)!, date: now)
  }

  /// What is drawn and decided for a sale under a contract.
  private func draft(
    _ n1: Verified<N1>, _ stored: StoredOffer, _ offer: Offer, _ goods: FreshGoods
  ) -> OfferDraft {
    let expirationMax = goods.date + policy.expirationSeconds
    let lifetime = expirationMax + node.trust.list.lifetimeSeconds
    let parcel = parcel(n1.payload, stored, lifetime: lifetime, at: goods.date)
    let (archives, banks) = deciders(n1.payload.mode)
    let contract = Contract(
      pseudonym: n1.signer, price: n1.payload.price, expirationMax: expirationMax,
      lifetime: lifetime, holdUntil: parcel?.holdUntil, date: goods.date,
      descriptionHash: .description(offer.description, salt: goods.salt), digests: [goods.digest],
      archives: archives, banks: banks, mode: n1.payload.mode,
      twoSided: offer.twoSided || n1.payload.twoSided, name: offer.name, parcel: parcel?.label.text,
      offices: parcel.map { [$0.office] } ?? [], collectKeys: parcel?.collectKeys ?? [])
    return OfferDraft(
      n: goods.n, merchant: node.identity.key, k: goods.key, mask: goods.mask, salt: goods.salt,
      contract: contract, goods: goods.claim)
  }

  /// Seals an offer's file for one sale, into the folder of sealed goods.
  func seal(
    _ stored: StoredOffer, as name: String, key: [UInt8], n: TransactionID, salt: [UInt8]? = nil
  ) async throws -> GoodsClaim {
    var generator = node.surroundings.randomness
    let salt = salt ?? randomBytes(Goods.saltSize, using: &generator)
    try node.directory.createFolder("goods")
    let sealed = try await node.surroundings.offTheLoop { [node] in
      try RawFile.create(node.directory.file(name)) {
        try node.surroundings.goodsFiles.seal(
          RawFile(reading: stored.path), to: $0, key: key, n: n, salt: salt)
      }
    }
    return GoodsClaim(root: sealed.root, length: sealed.length)
  }

  /// Where the sealed goods of a sale are; of purchase `item`, in a series.
  static func goodsName(_ n: TransactionID, _ item: UInt64) -> String {
    item == 0 ? "goods/\(n)" : "goods/\(n)-\(item)"
  }

  /// The archives and banks that a contract of this mode names. A compact sale goes to one bank, for the
  /// merchant hands k over before it hears of any.
  private func deciders(_ mode: Mode) -> (archives: [PublicKey], banks: [PublicKey]) {
    switch mode {
    case .compact:
      let bank = node.trust.list.home(of: node.identity.key).map { [$0] } ?? Array(keys(.bank).prefix(1))
      return (bank, bank)
    default: return (keys(ContractModes.types(of: mode)?.archiveRole ?? .archive), keys(.bank))
    }
  }

  /// Signs the offer and keeps the sale.
  private func begin<M: ContractMode>(
    _: M.Type, _ n1: Verified<N1>, _ draft: OfferDraft, secret: [UInt8], at now: Timestamp
  ) async throws -> [UInt8] {
    let machine = try MerchantSale<M>(
      offering: M.offer(draft), goods: draft.goods, k: secret, key: node.identity.signing)
    let merchandise = machine.merchandise.map { [(Label(.e4), $0.bytes)] } ?? []
    return try await keep(
      [(Label(M.Offer.type), machine.p1.bytes)] + merchandise, ModeRow(M.mode, secret), n1, draft.n, at: now,
      mark: draft.contract.parcel.map(Self.parcelMark))
  }

  /// Keeps a new sale with what M signed for it, in one durable step. The first message is the answer.
  func keep(
    _ messages: [(Label, [UInt8])], _ data: ModeRow, _ n1: Verified<N1>, _ n: TransactionID,
    at now: Timestamp, mark: String? = nil
  ) async throws -> [UInt8] {
    try await node.store.write { tx in
      if let known = try tx.reply(n1.hash.bytes) { return known }
      for (label, bytes) in [(Label.n1, n1.bytes)] + messages {
        try tx.keep(label, bytes, kind: Self.kind, key: n.bytes)
      }
      try tx.putMachine(
        MachineRow(kind: Self.kind, key: n.bytes, phase: SalePhase.offered.rawValue, data: data.data))
      if let mark { try tx.setMeta(mark, n.bytes) }
      try tx.setReply(n1.hash.bytes, messages[0].1, at: Int64(now))
      return messages[0].1
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
  /// The labels of messages whose hash is a lock's name.
  private static let lockLabels = Set(LockModes.all.map { Label($0.lockType) })

  private static let bankLabels: Set = [Label(.jb3), Label(.approval), Label(.deposit)]

  /// By which name the bank will speak of the sale: L; in a compact sale also the hash of JB3, which it may
  /// refuse; of an invoice the hash of 8, or of 7 where the archive is passive.
  private static func name(_ label: Label, _ bytes: [UInt8]) throws -> Hash? {
    if label == Label(.jb4a) { return try Verified<JB4a>(stored: bytes).payload.hJB2 }
    return lockLabels.contains(label) || bankLabels.contains(label) ? Hash(of: bytes) : nil
  }

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
    try await node.proofs.require(outcome)
    return try await step(outcome.transaction().n, bytes, Decided<M>(outcome: outcome))
  }

  /// One durable step of a sale, whatever its mode.
  func step(_ n: TransactionID, _ request: [UInt8], _ event: some SaleEvent) async throws -> [UInt8]? {
    let (reply, effects) = try await node.store.write { [self] tx -> ([UInt8]?, [MerchantEffect]) in
      guard let row = try tx.machine(kind: Self.kind, key: n.bytes) else {
        return (try node.refuse(Denial(.unknownTransaction, "no such sale"), request: request), [])
      }
      return try happen(event, n, row, tx, request: request)
    }
    kick()
    // Not before the step is durable; after a crash the due time begins it again.
    for case .upload(let promise, let archive) in effects {
      uploads.begin(n, promise, to: archive) { [self] in _ = try await step(n, [], ArchiveHolds()) }
    }
    return reply
  }

  /// Gives the event to the sale in this row and applies what comes of it.
  func happen(
    _ event: some SaleEvent, _ n: TransactionID, _ row: MachineRow, _ tx: any StoreTransaction,
    request: [UInt8]
  ) throws -> (reply: [UInt8]?, effects: [MerchantEffect]) {
    let data = try ModeRow(row)
    let now = node.clock()
    func go<S: SaleMachine & ~Copyable>(_: S.Type) throws -> [MerchantEffect] {
      var machine = try load(S.self, row, tx)
      return try machine.take(event, policy: policy, at: now, key: node.identity.signing)
    }
    guard let machine = SaleMachines.type(of: data.mode) else {
      throw StorageError.corrupt(reason: "a sale of another kind of protocol")
    }
    let effects = try go(machine)
    return (try apply(tx, effects, n, data, request: request, at: now), effects)
  }

  func load<M: ContractMode>(
    _: M.Type, _ n: TransactionID, _ row: MachineRow, _ tx: any StoreTransaction
  ) throws -> MerchantSale<M> {
    try load(MerchantSale<M>.self, row, tx)
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
        if let name = try Self.name(label, bytes) { try tx.setMeta("lock/\(name)", n.bytes) }
      case .enter(let phase, let due):
        try tx.putMachine(
          MachineRow(
            kind: Self.kind, key: n.bytes, phase: phase.rawValue, due: due.map(Int64.init), data: data.data))
      case .submit(let bundle, let archive): try submit(tx, bundle, archive, n, at: now)
      case .upload: break  // by `step`, once this is durable
      case .submitAgain(let archive):
        if let box = try tx.message(kind: Self.kind, key: n.bytes, label: Self.sealedLabel) {
          try tx.send(box, to: archive, at: now)
        }
      case .send(let bytes, let key):
        try send(bytes, to: key, tx, at: now)
        // A container is answered by its hash: a refusal has to find the sale again.
        if bytes.first != 0xd2 { try tx.setMeta("lock/\(Hash(of: bytes))", n.bytes) }
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
    var generator = node.surroundings.randomness
    let seed = randomBytes(32, using: &generator)
    let sealed = try SealedMessage(bundle.encoded(), to: recipient, ephemeralSeed: seed)
    let box = try sealed.encoded()
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.sealedLabel, bytes: box)
    try tx.append(kind: Self.kind, key: n.bytes, label: Self.seedLabel, bytes: seed)
    try tx.setMeta("lock/\(Hash(of: box))", n.bytes)
    try tx.send(box, to: archive, at: now)
  }

  func sale(lock: Hash) async throws -> TransactionID? {
    try await node.store.read { try $0.meta("lock/\(lock)") }.flatMap { TransactionID($0) }
  }

  /// What is due by itself: missing acknowledgements, archives that did not answer.
  func tick() async {
    let now = node.clock()
    await forwardDue(at: now)
    await prune(at: now)
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
      // A token that was announced names its sale, too: a restored wallet has lost n.
      let mark = try query.payload.serial.flatMap { try tx.meta(Self.announcedMark(query.signer, $0)) }
      if let n = query.payload.n ?? mark.flatMap({ TransactionID($0) }),
        let (state, proof) = try known(n, tx, to: query.signer)
      {
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
    guard let sale = try view(n, tx) else { return nil }
    if sale.auditor == asker { return (sale.state, sale.proof) }
    guard sale.customers.contains(asker) else { return nil }
    let n1 = try tx.message(kind: Self.kind, key: n.bytes, label: Label.n1.rawValue)
    let first = [n1, sale.offer].compactMap { $0 }
    return (sale.state, first + sale.proof.filter { !first.contains($0) })
  }

  // MARK: Documents

  var documents: [Route] {
    [
      Route(method: "GET", path: "/v1/offers") { _ in try await self.offers() },
      Route(method: "GET", path: "/v1/goods/:n") { call in try await self.goods(call) },
      Route(method: "GET", path: "/v1/goods/:n/leaves") { call in try await self.leaves(call) },
      Route(method: "GET", path: "/v1/series/:n") { call in try await self.series(call) },
    ]
  }

  private func offers() async throws -> HTTPReply {
    let offers = try await OfferBook.all(node.store).compactMap(\.published)
    let signed = try Verified(signing: Offers(at: node.clock(), offers: offers), with: node.identity.signing)
    return HTTPReply(status: 200, contentType: coseMediaType, body: .bytes(signed.bytes))
  }

  /// Whether this key is the customer's, and the time for the goods has come.
  func mayFetch(_ n: TransactionID, _ asker: PublicKey) async throws -> Bool {
    try await node.store.read { [self] tx in
      guard let sale = try view(n, tx) else { return false }
      return sale.servesGoods && sale.customers.contains(asker)
    }
  }

  /// The sealed goods of a sale, whole or a range, to the sale's pseudonym only: the archive's record
  /// gives k to everybody, so whoever got the ciphertext too would have the goods.
  private func goods(_ call: HTTPCall) async throws -> HTTPReply {
    try .file(path: try await sealedGoods(call), contentType: "application/octet-stream", call: call)
  }

  /// The header of the sealed goods and the leaf hashes of their chunks: what is damaged can be found with
  /// them.
  private func leaves(_ call: HTTPCall) async throws -> HTTPReply {
    let path = try await sealedGoods(call)
    let bytes = try await node.surroundings.offTheLoop { try GoodsLeaves(of: RawFile(reading: path)).encoded }
    return HTTPReply(status: 200, contentType: "application/octet-stream", body: .bytes(bytes))
  }

  /// The sale that the call names and whose pseudonym signed its query.
  func customersSale(_ call: HTTPCall) async throws -> TransactionID {
    guard let n = call.parameters["n"].flatMap(TransactionID.init(hex:)) else {
      throw Problem.badRequest("n is 32 hexadecimal digits")
    }
    let query = try? Unverified<StatusQuery>(call.query["by"].flatMap(Hex.decode) ?? [])
    guard let query, let proven = try? Verified(query, by: .key(query.claimedSigners[0])),
      proven.payload.n == n, try await mayFetch(n, proven.signer)
    else { throw Problem.notFound("no goods of this sale, or not for whoever asks") }
    return n
  }

  /// Where its sealed goods are; of purchase `item`, in a series.
  private func sealedGoods(_ call: HTTPCall) async throws -> String {
    let n = try await customersSale(call)
    let path = node.directory.file(Self.goodsName(n, call.query["item"].flatMap { UInt64($0) } ?? 0))
    guard FileManager.default.fileExists(atPath: path) else {
      throw Problem.notFound("no goods of this sale")
    }
    return path
  }
}
