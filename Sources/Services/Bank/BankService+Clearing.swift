// Two banks: what is owed between them, transfers that go out (BT1) and come in, and their confirmations
// (BT2).
//
// A clearing account holds what this bank owes the peer: above zero after transfers that went out, below
// after those that came in. It is part of the books' invariant on both sides.

import Messages
import Parties
import Storage

/// The clearing accounts of a bank.
enum ClearingBooks {
  static func account(_ peer: PublicKey) -> String { "clearing:\(peer)" }
  static func isClearing(_ account: Account) -> Bool {
    account.kind == .system && account.id.hasPrefix("clearing:")
  }
  private static func limitKey(_ peer: PublicKey) -> String { "clearing/\(peer)" }

  /// Opens the peer's account, or changes how many minor units it may owe.
  static func open(_ tx: any StoreTransaction, _ peer: PublicKey, limit: UInt64, currency: String) throws {
    try openAccount(tx, peer, currency: currency)
    try tx.setMeta(limitKey(peer), RowKey.number(limit))
  }

  /// Opens the account alone: the peer may be owed, and owe nothing. No error if it is open.
  static func openAccount(_ tx: any StoreTransaction, _ peer: PublicKey, currency: String) throws {
    try tx.openAccount(
      Account(
        id: account(peer), kind: .system, name: "clearing", currency: currency, mayBeNegative: true))
  }

  /// How much the peer may owe; nil if no account is open for it.
  static func limit(_ tx: any StoreTransaction, _ peer: PublicKey) throws -> UInt64? {
    try tx.meta(limitKey(peer)).map(RowKey.value)
  }
}

extension BankNotice {
  /// The kind of the machines' rows: by L for transfers, by L and the issuer for claims.
  static var storeKind: String {
    Notice.type == .bt1 ? BankService.transferKind : BankService.claimKind
  }
}

extension BankService {
  static let transferKind = "transfer"
  /// Transfers that came in, by L.
  static let receivedKind = "received"

  /// Where the value of a lock goes.
  enum Payee: Equatable {
    case account(String)
    case peer(PublicKey)
  }

  /// The merchant's account here, or the bank that has it; nil if it can be credited nowhere.
  func payee(_ tx: any StoreTransaction, _ merchant: PublicKey) throws -> Payee? {
    if let home = node.trust.list.home(of: merchant), home != bank {
      return try ClearingBooks.limit(tx, home) == nil ? nil : .peer(home)
    }
    return try tx.account(key: merchant.bytes).map { .account($0.id) }
  }

  // MARK: Out

  /// A settled lock's value leaves for the merchant's bank; once more BT1 goes out again.
  /// - Returns: BT2, once it is there.
  func transfer(
    _ tx: any StoreTransaction, _ merchant: PublicKey, _ value: Money, _ lock: Hash, to peer: PublicKey,
    at now: Timestamp
  ) throws -> [UInt8]? {
    let notice = BT1(paying: merchant, value, lock: lock)
    return try tell(PaysMerchantsBank.self, tx, notice, lock.bytes, to: peer, at: now)
  }

  /// Tells another bank; once more the same bytes go out again.
  /// - Returns: its confirmation, once it is there.
  func tell<K: BankNotice>(
    _: K.Type, _ tx: any StoreTransaction, _ notice: K.Notice, _ key: [UInt8], to peer: PublicKey,
    at now: Timestamp
  ) throws -> [UInt8]? {
    var machine = try load(K.self, tx, key, peer)
    let effects = try machine.begun(notice, at: now, key: node.identity.signing)
    return try apply(K.self, tx, effects, key, peer, at: now)
  }

  /// BT2 or its kin: the peer has done as it was told.
  func confirmed<K: BankNotice>(
    _: K.Type, _ bytes: [UInt8], _ key: @escaping @Sendable (K.Receipt) -> [UInt8]
  ) async throws -> [UInt8]? {
    let receipt = try Verified<K.Receipt>(bytes, by: .known(node.trust.list, as: .bank))
    try await node.store.write { [self] tx in
      let key = key(receipt.payload)
      var machine = try load(K.self, tx, key, receipt.signer)
      _ = try apply(K.self, tx, machine.credited(receipt), key, receipt.signer, at: node.clock())
    }
    return nil
  }

  /// What is due by itself: transfers that nobody has confirmed, and what nobody needs any more.
  func tick() async {
    let now = node.clock()
    await prune(at: now)
    await remind(PaysMerchantsBank.self, at: now)
    await remind(ClaimsOnIssuer.self, at: now)
  }

  private func remind<K: BankNotice>(_: K.Type, at now: Timestamp) async {
    guard
      let due = try? await node.store.read({
        try $0.machinesDue(kind: K.storeKind, before: Int64(now), limit: 100)
      }), !due.isEmpty
    else { return }
    for row in due {
      guard let peer = PublicKey(row.data) else { continue }
      do {
        try await node.store.write { [self] tx in
          let machine = try load(K.self, tx, row.key, peer)
          _ = try apply(K.self, tx, machine.again(at: now), row.key, peer, at: now)
        }
      } catch { node.logger.error("a transfer could not go on", metadata: ["error": "\(error)"]) }
    }
    outboxKick()
  }

  private func load<K: BankNotice>(
    _: K.Type, _ tx: any StoreTransaction, _ key: [UInt8], _ peer: PublicKey
  ) throws -> NoticeToBank<K> {
    guard let row = try tx.machine(kind: K.storeKind, key: key) else { return NoticeToBank(to: peer) }
    guard let phase = TransferPhase(rawValue: row.phase), let peer = PublicKey(row.data) else {
      throw StorageError.corrupt(reason: "unknown phase of a transfer")
    }
    return try NoticeToBank(to: peer, phase: phase, messages: tx.labelled(kind: K.storeKind, key: key))
  }

  private func apply<K: BankNotice>(
    _: K.Type, _ tx: any StoreTransaction, _ effects: [TransferEffect], _ key: [UInt8], _ peer: PublicKey,
    at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes): try tx.keep(label, bytes, kind: K.storeKind, key: key)
      case .enter(let phase, let due):
        try tx.putMachine(
          MachineRow(
            kind: K.storeKind, key: key, phase: phase.rawValue, due: due.map(Int64.init), data: peer.bytes))
      case .send(let bytes, let key): try tx.send(bytes, to: key, at: now)
      case .reply(let bytes): reply = bytes
      }
    }
    return reply
  }

  // MARK: In

  /// BT1: a lock at another bank was settled for a merchant whose account is here. Credited once per L,
  /// against what the peer owes, and confirmed by the same bytes ever after.
  func receive(_ bytes: [UInt8]) async throws -> [UInt8] {
    let bt1 = try Verified<BT1>(bytes, by: .trusted(node.trust.list, as: .bank, at: node.clock()))
    let reply = try await node.store.write { [self] tx in try receive(bt1, in: tx, at: node.clock()) }
    outboxKick()
    return reply
  }

  private func receive(
    _ bt1: Verified<BT1>, in tx: any StoreTransaction, at now: Timestamp
  ) throws -> [UInt8] {
    let (payload, peer) = (bt1.payload, bt1.signer)
    let key = payload.lock.bytes
    let known = try tx.message(kind: Self.receivedKind, key: key, label: "BT1").map {
      try Verified<BT1>(stored: $0)
    }
    let account = try tx.account(key: payload.merchant.bytes)
    let facts = PeerFacts(
      owes: UInt64(max(0, -(try tx.account(ClearingBooks.account(peer))?.balance ?? 0))),
      limit: try ClearingBooks.limit(tx, peer), currency: account?.currency,
      home: node.trust.list.home(of: payload.merchant))
    if let denial = facts.check(bt1, known: known, bank: bank) {
      return try node.refuse(denial, request: bt1.bytes)
    }
    // The merchant may have lost the Credit: it asks its way through the other bank.
    let credit = try confirm(tx, payload.merchant, payload.amount, payload.lock, at: now)
    try tx.send(credit.bytes, to: payload.merchant, at: now)
    if let answered = try tx.message(kind: Self.receivedKind, key: key, label: "BT2") { return answered }
    guard let account else { throw StorageError.unknownAccount(payload.merchant.description) }
    try BankBooks.move(
      tx, payload.amount, from: ClearingBooks.account(peer), to: account.id, kind: "transfer",
      reference: BankBooks.reference("transfer", payload.lock), at: now)
    let bt2 = try Verified(
      signing: BT2(amount: payload.amount, lock: payload.lock, at: now, hBT1: bt1.hash),
      with: node.identity.signing)
    try tx.append(kind: Self.receivedKind, key: key, label: "BT1", bytes: bt1.bytes)
    try tx.append(kind: Self.receivedKind, key: key, label: "BT2", bytes: bt2.bytes)
    return bt2.bytes
  }
}
