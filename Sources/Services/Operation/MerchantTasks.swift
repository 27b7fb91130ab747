// The logic of what a merchant's operator does: offers, a list of the sales, giving a sale up.
// MerchantOperation is the way to it.

import Foundation
import Logging
import Messages
import Parties
import Storage

/// Where the merchant's tasks are done.
struct MerchantDesk: OperatorDesk {
  static let role = Role.merchant

  typealias Work = @Sendable (MerchantService) async throws -> Void

  let store: any Store
  /// Lends the merchant's service: the running one, or one for a moment, which sends nothing itself.
  let withService: @Sendable (Work) async throws -> Void

  /// The desk of a running merchant.
  init(_ running: MerchantService) {
    store = running.node.store
    withService = { try await $0(running) }
  }

  init(_ store: SQLiteStore, _ directory: DataDirectory, _ config: PartyConfig) {
    self.store = store
    withService = { work in
      let transport = try Transport(caPEM: try directory.read("tls/ca.pem"))
      let outcome: Result<Void, any Error>
      do {
        let node = Node(
          identity: try Identity.load(directory), directory: directory, store: store,
          trust: try LoadedTrust(try directory.read("trust.acd")), transport: transport,
          logger: Logger(label: "acd.merchant", factory: { _ in SwiftLogNoOpLogHandler() }),
          tracer: MessageTracer(write: nil))
        let policy = MerchantPolicy(trust: node.trust.list)
        outcome = .success(try await work(MerchantService(node: node, policy: policy, kick: {})))
      } catch { outcome = .failure(error) }
      try await transport.shutdown()
      try outcome.get()
    }
  }

  var routes: [Route] {
    [
      AddOffer.route(at: self), RemoveOffer.route(at: self), ListOffers.route(at: self),
      SalesPage.route(at: self), CancelSale.route(at: self), FinishSale.route(at: self),
      ExportSale.route(at: self),
      SaleQuestion.route(at: self), KeepWithSale.route(at: self),
      ListBids.route(at: self), AnswerBid.route(at: self),
      RefundsPage.route(at: self), AnswerRefund.route(at: self),
      DeliveriesPage.route(at: self), ExportParcels.route(at: self),
    ]
  }
}

/// Puts a file on sale that the operator's process has measured and hashed.
struct AddOffer: OperatorTask {
  static let name = "add-offer"
  var offer: StoredOffer

  func carryOut(at desk: MerchantDesk) async throws -> StoredOffer {
    guard offer.published != nil, Hash(hex: offer.digest) != nil else {
      throw ServiceError.configuration("the offer is damaged")
    }
    // The merchant may run as somebody else.
    guard FileManager.default.isReadableFile(atPath: offer.path) else {
      throw ServiceError.file(path: offer.path, reason: "cannot be read by the merchant")
    }
    try await OfferBook.put(offer, desk.store)
    return offer
  }
}

/// Takes an offer back. Sales of it go on: their goods are sealed already.
struct RemoveOffer: OperatorTask {
  static let name = "remove-offer"
  var id: String

  func carryOut(at desk: MerchantDesk) async throws -> Done {
    guard let nonce = Nonce(hex: id), try await OfferBook.remove(nonce, desk.store) else {
      throw ServiceError.notFound("there is no offer \(id)")
    }
    return Done()
  }
}

/// All offers.
struct ListOffers: OperatorTask {
  static let name = "offers"

  func carryOut(at desk: MerchantDesk) async throws -> [StoredOffer] { try await OfferBook.all(desk.store) }
}

/// Part of the sales, by n: those behind `after`.
struct SalesPage: OperatorTask {
  static let name = "sales"
  var after: String?

  func carryOut(at desk: MerchantDesk) async throws -> Page<SaleSummary> {
    try await desk.store.read { tx in
      try Page(of: MerchantService.kind, after: after, in: tx) { try SaleSummary($0, tx) }
    }
  }
}

/// Gives a sale up; the customer's money comes back by the archive's abort if it is locked already.
struct CancelSale: OperatorTask {
  static let name = "cancel-sale"
  /// 32 hexadecimal digits.
  var n: String

  func carryOut(at desk: MerchantDesk) async throws -> SaleSummary {
    try await desk.change(n) { try await $0.giveUp($1) }
  }
}

/// Ends a series of purchases; what was bought goes to the archive.
struct FinishSale: OperatorTask {
  static let name = "finish-sale"
  /// 32 hexadecimal digits.
  var n: String

  func carryOut(at desk: MerchantDesk) async throws -> SaleSummary {
    try await desk.change(n) { try await $0.finish($1) }
  }
}

extension MerchantDesk {
  /// Does something to one sale, and says how it stands then.
  fileprivate func change(
    _ text: String, _ body: @Sendable (MerchantService, TransactionID) async throws -> Void
  ) async throws -> SaleSummary {
    let unknown = ServiceError.notFound("there is no sale \(text)")
    guard let n = TransactionID(hex: text) else { throw unknown }
    let summary: @Sendable (any StoreTransaction) throws -> SaleSummary? = { tx in
      try tx.machine(kind: MerchantService.kind, key: n.bytes).map { try SaleSummary($0, tx) }
    }
    guard try await store.read(summary) != nil else { throw unknown }
    try await withService { try await body($0, n) }
    guard let after = try await store.read(summary) else { throw unknown }
    return after
  }
}

extension SaleSummary {
  /// Reads a sale from its row and messages.
  init(_ row: MachineRow, _ tx: any StoreTransaction) throws {
    func go<M: ContractMode>(_: M.Type) throws -> SaleSummary {
      let messages = try tx.labelled(kind: MerchantService.kind, key: row.key)
      guard let phase = SalePhase(rawValue: row.phase), let stored = messages[Label(M.Offer.type)] else {
        throw StorageError.corrupt(reason: "a sale without its contract")
      }
      let offer = try Verified<M.Offer>(stored: stored).payload
      let lock = try messages[Label(M.lockType)].map { try Verified<M.LockMessage>(stored: $0).payload }
      return SaleSummary(
        n: offer.n.description, protocol: M.mode.name, phase: "\(phase)",
        price: offer.contract.price.description, name: offer.contract.name, twoSided: offer.contract.twoSided,
        offeredAt: offer.contract.date, expiration: lock?.terms.expiration)
    }
    let mode = try ModeRow(row).mode
    if let types = ContractModes.types(of: mode) {
      self = try go(types)
      return
    }
    if mode == .announced || Mode.invoices.contains(mode) {
      self = try SaleSummary(row, mode, tx)
      return
    }
    guard let n = TransactionID(row.key), let phase = SalePhase(rawValue: row.phase),
      let contract = try ContractModes.offer(
        of: mode, kind: MerchantService.kind, key: row.key, in: tx)?.contract
    else { throw StorageError.corrupt(reason: "a sale of another kind of protocol") }
    self.init(
      n: n.description, protocol: mode.name, phase: "\(phase)", price: contract.price.description,
      name: contract.name, twoSided: contract.twoSided, offeredAt: contract.date,
      expiration: phase == .offered ? nil : contract.expirationMax)
  }

  /// Of PO or INV.
  private init(_ row: MachineRow, _ mode: Mode, _ tx: any StoreTransaction) throws {
    let messages = try tx.labelled(kind: MerchantService.kind, key: row.key)
    let order = try messages[Label(.purchaseOrder)].map {
      try Verified<PurchaseOrder>(stored: $0).payload.terms
    }
    let invoice = try messages[Label(.invoice)].map { try Verified<Invoice>(stored: $0).payload.terms }
    guard let phase = SalePhase(rawValue: row.phase), let terms = order ?? invoice else {
      throw StorageError.corrupt(reason: "a sale without its order or invoice")
    }
    let lock = try messages[Label(.a7)].map { try Verified<A7>(stored: $0).payload.terms }
    // Neither names the file: bank and archive see them.
    let asked = try messages[.n1].map { try Verified<N1>(stored: $0).payload.offer }
    let name = try asked.flatMap { try OfferBook.find($0, tx) }?.name ?? ""
    self.init(
      n: terms.n.description, protocol: mode.name, phase: "\(phase)", price: terms.price.description,
      name: name, twoSided: true, offeredAt: terms.date, expiration: lock?.expiration ?? invoice?.expiration)
  }
}
