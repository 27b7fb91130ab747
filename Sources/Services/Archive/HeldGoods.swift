// Ciphertext that merchants leave with the archive for customers who do not acknowledge (US 6,076,078,
// FIG. 5; attack 7). It comes before the submission that it is for, in as many attempts as it takes; it is
// served to the customer alone, and only once the lock is committed.
//
// Invariants: a row is whole only after all of the file was on the disk and had root and length; nothing is
// taken but from a trusted merchant, under a trusted bank's lock that names this archive, up to the trust
// list's length; what was not committed goes at the expiration, the rest when the lifetime ends.

import Foundation
import Messages
import Parties
import Storage
import Synchronization

/// What a merchant promised under a lock: E4 beside E3, or R6 beside R3.
struct PromisedGoods: Sendable {
  let lock: Hash
  let terms: LockTerms
  /// H of the message that describes the ciphertext.
  let hGoods: Hash
  let goods: GoodsClaim
  /// As they came: the description, and the lock.
  let messages: [[UInt8]]

  /// Reads [E4, E3] or [R6, R3]; the bank is a trusted one at `now`, and the merchant the lock's.
  init(_ bundle: Messages.Bundle, trust: TrustList, at now: Timestamp) throws(MessageError) {
    guard bundle.messages.count == 2 else { throw MessageError(.malformed, "field-range", "goods bundle") }
    messages = bundle.messages
    let bank = SignerRule.trusted(trust, as: .bank, at: now)
    if try MessageType(peeking: messages[1]) == .r3 {
      let r3 = try Verified<R3>(messages[1], by: bank)
      terms = r3.payload.terms
      let r6 = try Verified<R6>(messages[0], by: .key(terms.merchant))
      guard r6.payload.n == terms.n else { throw MessageError(.authentication, "mismatch", "R6") }
      (lock, hGoods) = (r3.hash, r6.hash)
      goods = GoodsClaim(root: r6.payload.root, length: r6.payload.length)
    } else {
      let e3 = try Verified<E3>(messages[1], by: bank)
      terms = e3.payload.terms
      let e4 = try Verified<E4>(messages[0], by: .key(terms.merchant))
      guard e4.payload.n == terms.n, e4.payload.hP1 == terms.hP1 else {
        throw MessageError(.authentication, "mismatch", "E4")
      }
      (lock, hGoods, goods) = (e3.hash, e4.hash, e4.payload.goods)
    }
  }

  /// The terms of a lock that was checked before it was kept.
  static func terms(kept lock: [UInt8]) throws(MessageError) -> LockTerms {
    if let e3 = try? Verified<E3>(stored: lock) { return e3.payload.terms }
    return try Verified<R3>(stored: lock).payload.terms
  }
}

final class HeldGoods: Sendable {
  private let node: Node
  /// Rows whose file somebody is writing.
  private let busy = Mutex<Set<[UInt8]>>([])

  init(node: Node) { self.node = node }

  private static let kind = "held"
  private static let folder = "held"

  /// Under what a row's messages are kept: what describes the goods, and the lock.
  private static let labels = (goods: Label(rawValue: "goods"), lock: Label(rawValue: "lock"))

  /// Where the goods of a row stand.
  private enum Phase: Int {
    case arriving = 1
    case whole, committed
  }

  private static func key(_ lock: Hash, _ hGoods: Hash) -> [UInt8] { lock.bytes + hGoods.bytes }

  private func path(_ key: [UInt8]) -> String {
    node.directory.file("\(Self.folder)/\(Hash(of: key))")
  }

  /// Whether all of the ciphertext is here.
  static func isWhole(_ lock: Hash, _ hGoods: Hash, in tx: any StoreTransaction) throws -> Bool {
    try tx.machine(kind: kind, key: key(lock, hGoods)).map { $0.phase != Phase.arriving.rawValue } ?? false
  }

  // MARK: Taking

  var documents: [Route] {
    [
      Route(method: "GET", path: "/v1/held/:lock/:goods") { call in try await self.progress(call) },
      Route(method: "PUT", path: "/v1/held/:lock/:goods", streams: true) { call in
        try await self.take(call)
      },
      Route(method: "GET", path: "/v1/goods/:n") { call in try await self.serve(call) },
    ]
  }

  private func key(_ call: HTTPCall) throws -> [UInt8] {
    guard let lock = call.parameters["lock"].flatMap(Hash.init(hex:)),
      let goods = call.parameters["goods"].flatMap(Hash.init(hex:))
    else { throw Problem.badRequest("L and the goods have 64 hexadecimal digits") }
    return Self.key(lock, goods)
  }

  /// How many bytes there are, for whoever goes on with them.
  private func progress(_ call: HTTPCall) async throws -> HTTPReply {
    let key = try key(call)
    guard try await node.store.read({ try $0.machine(kind: Self.kind, key: key) }) != nil else {
      throw Problem.notFound("no such goods")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path(key))
    let have = attributes?[.size] as? UInt64 ?? 0
    return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array("\(have)\n".utf8)))
  }

  /// The ciphertext from an offset on. `with` is [E4, E3] or [R6, R3], `by` a query over n by the merchant's
  /// key: C has these messages too, and could be in the merchant's way.
  private func take(_ call: HTTPCall) async throws -> HTTPReply {
    let key = try key(call)
    let promised = try promise(call)
    guard Self.key(promised.lock, promised.hGoods) == key else {
      throw Problem.badRequest("the messages are not those of the address")
    }
    try check(promised)
    guard busy.withLock({ $0.insert(key).inserted }) else {
      throw Problem.conflict("held-busy", "Another upload of these goods is under way.")
    }
    defer { busy.withLock { _ = $0.remove(key) } }
    // What is whole is not touched again, whatever comes.
    if try await begin(promised, key) == .arriving {
      try await write(call, promised, key)
      try await node.store.write { try $0.putMachine(Self.row(promised, key, .whole)) }
    }
    return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array("whole\n".utf8)))
  }

  private static func row(_ promised: PromisedGoods, _ key: [UInt8], _ phase: Phase) -> MachineRow {
    MachineRow(
      kind: kind, key: key, phase: phase.rawValue, due: Int64(promised.terms.expiration), data: [])
  }

  private func promise(_ call: HTTPCall) throws -> PromisedGoods {
    do {
      let bundle = try Messages.Bundle(encoded: call.query["with"].flatMap(Hex.decode) ?? [])
      let promised = try PromisedGoods(bundle, trust: node.trust.list, at: node.clock())
      let asker = try proven(call)
      guard asker.signer == promised.terms.merchant, asker.payload.n == promised.terms.n else {
        throw Problem.badRequest("not asked by the lock's merchant")
      }
      return promised
    } catch let error as MessageError { throw Problem.badRequest("\(error)") }
  }

  private func proven(_ call: HTTPCall) throws -> Verified<StatusQuery> {
    let query = try Unverified<StatusQuery>(call.query["by"].flatMap(Hex.decode) ?? [])
    return try Verified(query, by: .key(query.claimedSigners[0]))
  }

  private func check(_ promised: PromisedGoods) throws {
    let (terms, trust, now) = (promised.terms, node.trust.list, node.clock())
    guard terms.archive == node.identity.key else {
      throw Problem.badRequest("the lock names another archive")
    }
    guard (try? trust.check(terms.merchant, as: .merchant, at: now, subject: "merchant")) != nil else {
      throw Problem.badRequest("the merchant is not trusted")
    }
    guard now < terms.expiration else { throw Problem.conflict("too-late", "The lock has expired.") }
    guard promised.goods.length <= trust.goodsLengthMax,
      (try? Goods.length(sealed: promised.goods.length)) != nil
    else {
      throw Problem(
        status: 413, code: "too-large", title: "Too large",
        detail: "Goods have at most \(trust.goodsLengthMax) bytes here.",
        money: "safe: nothing was changed", next: "Cancel the sale.")
    }
  }

  /// Makes the row if there is none.
  private func begin(_ promised: PromisedGoods, _ key: [UInt8]) async throws -> Phase {
    try node.directory.createFolder(Self.folder)
    return try await node.store.write { tx in
      if let row = try tx.machine(kind: Self.kind, key: key) {
        return Phase(rawValue: row.phase) ?? .arriving
      }
      for (label, bytes) in zip([Self.labels.goods, Self.labels.lock], promised.messages) {
        try tx.keep(label, bytes, kind: Self.kind, key: key)
      }
      try tx.putMachine(Self.row(promised, key, .arriving))
      return .arriving
    }
  }

  private func write(_ call: HTTPCall, _ promised: PromisedGoods, _ key: [UInt8]) async throws {
    let path = path(key)
    let intake = try await node.surroundings.offTheLoop { try GoodsIntake(path, promised.goods) }
    do {
      guard call.query["from"].flatMap({ UInt64($0) }) == intake.have else {
        throw Problem.conflict("held-offset", "There are \(intake.have) bytes already.")
      }
      try await call.eachBlock? { try intake.take($0) }
      guard intake.isFull else { throw Problem.conflict("held-part", "There are \(intake.have) bytes.") }
      try await node.surroundings.offTheLoop { try intake.finish() }
    } catch let error where error is GoodsIntake.OtherGoods || error is MessageError {
      // No sealed goods at all are other goods too.
      if error is MessageError { _ = intake.discarded() }
      node.logger.warning(
        "a merchant's goods are not what it promised", metadata: ["lock": "\(promised.lock)"])
      throw Problem.conflict("other-goods", "These are not the goods that the merchant promised.")
    }
  }

  // MARK: Serving

  /// The whole ciphertext or a range of it, to the lock's P, once the lock is committed.
  private func serve(_ call: HTTPCall) async throws -> HTTPReply {
    let none = Problem.notFound("no goods of this sale, or not for whoever asks")
    guard let n = call.parameters["n"].flatMap(TransactionID.init(hex:)), let query = try? proven(call),
      query.payload.n == n, let merchant = query.payload.merchant
    else { throw none }
    let found = try await node.store.read { tx in
      try Self.committed(merchant, n, in: tx).first { $0.pseudonym == query.signer }
    }
    guard let found else { throw none }
    return try HTTPReply.file(path: path(found.key), contentType: "application/octet-stream", call: call)
  }

  /// Goods held for committed locks of (M, n), and whose they are.
  private static func committed(
    _ merchant: PublicKey, _ n: TransactionID, in tx: any StoreTransaction
  ) throws -> [(key: [UInt8], pseudonym: PublicKey, promise: [UInt8])] {
    try tx.records(merchant: merchant.bytes, n: n.bytes).filter {
      $0.kind == .commit && !$0.body.isEmpty
    }.compactMap { record in
      guard let held = try held(in: record.body) else { return nil }
      let key = Self.key(held.lock, held.hGoods)
      guard try isWhole(held.lock, held.hGoods, in: tx) else { return nil }
      guard let lock = try tx.message(kind: kind, key: key, label: labels.lock.rawValue),
        let goods = try tx.message(kind: kind, key: key, label: labels.goods.rawValue)
      else { return nil }
      return (key, try PromisedGoods.terms(kept: lock).pseudonym, goods)
    }
  }

  /// The archive's own word inside a commit, if it is a forced one.
  private static func held(in record: [UInt8]) throws -> Held? {
    let word =
      (try? Verified<E7a>(stored: record))?.payload.held
      ?? (try? Verified<R10a>(stored: record))?.payload.held
    return try word.map { try Verified<Held>(stored: $0).payload }
  }

  /// What describes the goods that are held for this customer: part of the archive's answer to its query.
  static func promises(
    to asker: PublicKey, _ merchant: PublicKey, _ n: TransactionID, in tx: any StoreTransaction
  ) throws -> [[UInt8]] {
    try committed(merchant, n, in: tx).filter { $0.pseudonym == asker }.map(\.promise)
  }

  // MARK: Clearing away

  /// Removes what nobody will ask for any more.
  func sweep() async {
    let now = Int64(node.clock())
    do {
      let due = try await node.store.read { try $0.machinesDue(kind: Self.kind, before: now, limit: 100) }
      for row in due where !busy.withLock({ $0.contains(row.key) }) {
        guard try await !node.store.write({ tx in try Self.stays(row, in: tx, at: now) }) else { continue }
        try? FileManager.default.removeItem(atPath: path(row.key))
        try await node.store.write { try $0.deleteMachine(kind: Self.kind, key: row.key) }
      }
    } catch { node.logger.error("held goods could not be cleared", metadata: ["error": "\(error)"]) }
  }

  /// Whether a row that is due stays, as its lock is committed and its lifetime has not ended. If not, it
  /// does not count from here on, and the file can go.
  private static func stays(_ row: MachineRow, in tx: any StoreTransaction, at now: Int64) throws -> Bool {
    let record = try tx.record(lock: Array(row.key.prefix(Hash.size)))
    if row.phase != Phase.arriving.rawValue, let record, record.kind == .commit,
      let lock = try tx.message(kind: kind, key: row.key, label: labels.lock.rawValue)
    {
      let lifetime = Int64(try PromisedGoods.terms(kept: lock).lifetime)
      if now < lifetime {
        var kept = row
        (kept.phase, kept.due) = (Phase.committed.rawValue, lifetime)
        try tx.putMachine(kept)
        return true
      }
    }
    var gone = row
    gone.phase = Phase.arriving.rawValue
    try tx.putMachine(gone)
    return false
  }
}

extension Problem {
  /// The request does not fit to what is here now.
  static func conflict(_ code: String, _ detail: String) -> Problem {
    Problem(
      status: 409, code: code, title: "Conflict", detail: detail, money: "safe: nothing was changed",
      next: "Ask how much there is, and go on from there.")
  }
}
