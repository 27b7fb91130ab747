// Tokens that pay invoices, at the bank (FIG. 2): approvals by their archives, deposits with a passive
// archive, and complaints under the token's key.

import Foundation
import Messages
import Parties
import Storage

extension BankService {
  static let depositKind = "deposit"
  private static let tokenLabel = "token"

  // MARK: Messages

  /// 8 with an active archive, from M or A.
  func approved(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let message = try Unverified<Approval>(bytes)
    let approval = try Verified(
      message, by: .trusted(node.trust.list, as: .archive, at: message.claims.at))
    return try await deposit(approval.payload.address, approval.payload.token, request: bytes) {
      [self] machine, facts, now, tx in
      try barred(approval.payload.hEndorsement, tx)
        ?? machine.approved(approval, facts: facts, trust: node.trust.list, at: now, bank: bank)
    }
  }

  /// The token itself, from M (direct deposit).
  func brought(_ payment: Payment, request: [UInt8]) async throws -> [UInt8]? {
    guard payment.tokens.count == 1, let token = payment.tokens.first, let address = token.address else {
      throw MessageError(.malformed, "field-range", "Payment: one token that is bound to an archive")
    }
    let endorsement = try Verified<Endorsement>(payment.endorsement, by: .key(token.key))
    return try await deposit(address, token, request: request) { [self] machine, facts, now, tx in
      try barred(endorsement.hash, tx)
        ?? machine.brought(
          token, endorsement, facts: facts!, trust: node.trust.list, at: now, bank: bank)
    }
  }

  /// 8 with a passive archive: M's deposit. What the record of the address shows is read first.
  func deposited(_ bundle: Messages.Bundle, request: [UInt8]) async throws -> [UInt8]? {
    guard bundle.messages.count == 1 else { throw MessageError(.malformed, "field-range", "Deposit bundle") }
    let trust = node.trust.list
    let deposit = try InvoiceDeposit(bundle.messages[0], trust: trust)
    let address = deposit.invoice.payload.address
    var registration: Verified<Registration>?
    var endorsed = false
    if trust.isPassiveArchive(deposit.terms.archive), let url = node.url(of: deposit.terms.archive) {
      let entries = (try? await Registry.entries(address, at: url, node.transport)) ?? []
      registration = Registration.signed(entries, at: address)
      endorsed = entries.contains(deposit.endorsement.bytes)
    }
    let (shown, isEndorsed) = (registration, endorsed)
    return try await self.deposit(address, deposit.token, request: request) {
      [self] machine, facts, now, tx in
      if try tx.meta(Self.closedMark(deposit.invoice.hash)) != nil {
        return [
          .refuse(Denial(.tooLate, "the bank told the customer that this invoice takes no token any more"))
        ]
      }
      if let refused = try barred(deposit.endorsement.hash, tx) { return refused }
      return try machine.deposited(
        deposit, registration: shown, endorsed: isEndorsed, facts: facts!, trust: trust, at: now,
        key: node.identity.signing)
    }
  }

  // MARK: Steps

  typealias DepositEvent =
    @Sendable (inout BankDeposit, TokenFacts?, Timestamp, any StoreTransaction) throws -> [BankDepositEffect]

  private func load(_ tx: any StoreTransaction, _ address: Hash) throws -> (BankDeposit, Token?) {
    let token = try tx.message(kind: Self.depositKind, key: address.bytes, label: Self.tokenLabel)
      .map { try Token(encoded: $0) }
    guard let row = try tx.machine(kind: Self.depositKind, key: address.bytes) else {
      return (BankDeposit(), token)
    }
    guard let phase = BankDepositPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a deposit")
    }
    let messages = try tx.labelled(kind: Self.depositKind, key: address.bytes)
    return (try BankDeposit(phase: phase, messages: messages, token: token), token)
  }

  /// One durable step of a deposit. `given` is the token that the request names.
  private func deposit(
    _ address: Hash, _ given: Token?, request: [UInt8], _ event: @escaping DepositEvent
  ) async throws -> [UInt8]? {
    let token =
      if let given { given } else { try await node.store.read { [self] tx in try load(tx, address).1 } }
    let holds = try await checked(token.map { [$0] } ?? [])
    let now = node.clock()
    do {
      let reply = try await node.store.write { [self] tx -> [UInt8]? in
        var (machine, _) = try load(tx, address)
        let facts = try token.flatMap { try tokenFacts(tx, [$0], holds)[$0.id] }
        let effects = try event(&machine, facts, now, tx)
        return try apply(tx, effects, address, request: request, at: now)
      }
      outboxKick()
      return reply
    } catch StorageError.insufficientFunds {
      let denial = Denial(.funds, "the merchant's account does not hold the value: the claim stands")
      return try node.refuse(denial, request: request)
    } catch StorageError.unknownAccount {
      return try node.refuse(Denial(.noSuchAccount, "the merchant has no account here"), request: request)
    }
  }

  private func apply(
    _ tx: any StoreTransaction, _ effects: [BankDepositEffect], _ address: Hash, request: [UInt8],
    at now: Timestamp
  ) throws -> [UInt8]? {
    var reply: [UInt8]?
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes):
        try tx.keep(label, bytes, kind: Self.depositKind, key: address.bytes)
      case .keepToken(let token):
        try tx.append(
          kind: Self.depositKind, key: address.bytes, label: Self.tokenLabel, bytes: token.encoded())
      case .enter(let phase):
        try tx.putMachine(
          MachineRow(
            kind: Self.depositKind, key: address.bytes, phase: phase.rawValue, data: ModeRow(.invoice).data))
      case .pay(let token, let value, let merchant, let reference):
        try BankBooks.spend(tx, token: token, value: value, amount: value.amount, cause: reference)
        try BankBooks.move(
          tx, value, from: BankBooks.System.tokens.id(value.currency), to: account(of: merchant, tx),
          kind: "invoice", reference: BankBooks.reference("invoice", reference), at: now)
        try keepUse(tx, address, reference)
      case .reverse(let token, let value, let merchant, let reference):
        try bar(tx, address)
        try BankBooks.unspend(tx, token: token, amount: value.amount)
        try BankBooks.move(
          tx, value, from: account(of: merchant, tx), to: BankBooks.System.tokens.id(value.currency),
          kind: "reversal", reference: BankBooks.reference("reversal", reference), at: now)
      case .confirmCredit(let merchant, let value, let reference):
        let credit = try confirm(tx, merchant, value, reference, at: now)
        if credit.isNew { try tx.send(credit.bytes, to: merchant, at: now) }
        reply = credit.bytes
      case .post(let bytes, let archive, let address):
        try tx.enqueue(
          destination: archive.description, path: Registry.path(address), body: bytes, at: Int64(now))
      case .reply(let bytes): reply = bytes
      case .refuse(let denial): reply = try node.refuse(denial, request: request)
      case .answer(let state, let proof): reply = try answer(tx, state, proof, request, at: now)
      case .notYet(let detail): throw Problem.busy("Not yet", detail)
      }
    }
    return reply
  }

  // MARK: What was taken back

  /// What was taken back is never paid again: whoever has the old approval, the token and S_c{INV} could else
  /// bring them once more, and the token's owner would have to complain for ever.
  private func bar(_ tx: any StoreTransaction, _ address: Hash) throws {
    let kept = try tx.labelled(kind: Self.depositKind, key: address.bytes)
    guard let complaint = kept[Label(.complaint)] else {
      throw StorageError.corrupt(reason: "a credit is taken back without a complaint")
    }
    let word =
      if let bytes = kept[Label(.deposit)] {
        try InvoiceDeposit(Verified(stored: bytes)).endorsement.hash
      } else {
        try kept[Label(.approval)].map { try Verified<Approval>(stored: $0).payload.hEndorsement }
      }
    if let word { try tx.setMeta(Self.barredMark(word), complaint) }
  }

  /// The refusal of a payment by this S_c{INV}, if it was taken back once.
  private func barred(_ word: Hash, _ tx: any StoreTransaction) throws -> [BankDepositEffect]? {
    guard let complaint = try tx.meta(Self.barredMark(word)) else { return nil }
    let detail = "the customer's complaint about this sale stands: the credit was reversed"
    return [.refuse(Denial(.cancelled, detail, proof: [complaint]))]
  }

  private static func barredMark(_ word: Hash) -> String { "reversed/\(word)" }

  private func account(of merchant: PublicKey, _ tx: any StoreTransaction) throws -> String {
    guard let account = try tx.account(key: merchant.bytes) else {
      throw StorageError.unknownAccount(merchant.description)
    }
    return account.id
  }

  /// What used the token, for whoever asks about it as its key.
  private func keepUse(_ tx: any StoreTransaction, _ address: Hash, _ reference: Hash) throws {
    let kept = try tx.labelled(kind: Self.depositKind, key: address.bytes)
    for label in Self.depositLabels {
      guard let bytes = kept[label] else { continue }
      try tx.keep(label, bytes, kind: "use", key: reference.bytes)
    }
  }

  /// Signs an answer to a complaint. Once the bank said that an invoice took no token, it never will.
  private func answer(
    _ tx: any StoreTransaction, _ state: TransactionState, _ proof: [[UInt8]], _ request: [UInt8],
    at now: Timestamp
  ) throws -> [UInt8] {
    if state == .aborted {
      let complaint = try Unverified<Complaint>(request).claims
      try tx.setMeta(Self.closedMark(complaint.hINV), RowKey.number(now))
    }
    return try sign(StatusAnswer(at: now, hQuery: Hash(of: request), proof: proof, state: state))
  }

  private static func closedMark(_ invoice: Hash) -> String { "closed/\(invoice)" }

  // MARK: Complaints

  /// A complaint under the token's key.
  func complained(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let grievance = try Grievance(bytes, trust: node.trust.list)
    let finding: BankDeposit.Finding =
      switch grievance.complaint.payload.kind {
      case .withheld, .invalidGoods: .open
      case .depositedElsewhere, .accused: try await documentation(grievance)
      }
    return try await decide(grievance, finding)
  }

  /// Keeps the complaint, for the goods that are to follow, and decides it.
  private func decide(_ grievance: Grievance, _ finding: BankDeposit.Finding) async throws -> [UInt8]? {
    let complaint = grievance.complaint
    return try await deposit(grievance.address, nil, request: complaint.bytes) { machine, _, now, tx in
      if machine.phase == .credited, complaint.payload.kind == .invalidGoods {
        try tx.keep(Label(.complaint), complaint.bytes, kind: "complaint", key: complaint.hash.bytes)
      }
      return machine.complained(grievance, finding: finding, at: now)
    }
  }

  /// The goods of a complaint: sealed goods, a part at a time, or the proof of one chunk.
  func goodsOfComplaint(_ call: HTTPCall) async throws -> HTTPReply {
    guard let hash = call.parameters["complaint"].flatMap(Hash.init(hex:)),
      let bytes = try await node.store.read({
        try $0.message(kind: "complaint", key: hash.bytes, label: Label(.complaint).rawValue)
      })
    else { throw Problem.notFound("no such complaint: send it first") }
    let grievance = try Grievance(bytes, trust: node.trust.list)
    // With a passive archive the bank itself was given k.
    let own = try await node.store.read {
      try $0.labelled(kind: Self.depositKind, key: grievance.address.bytes)[Label(.deposit)]
    }
    let kept = try own.map { try InvoiceDeposit(Verified(stored: $0)) }
    guard let deposit = kept ?? grievance.deposit, deposit.invoice.hash == grievance.invoice.hash else {
      throw Problem.badRequest("the complaint does not show M's deposit with the key")
    }
    guard let offset = call.query["offset"].flatMap({ UInt64($0) }) else {
      let proves = GoodsChunkProof(encoded: call.body).map { grievance.isProven(by: $0, deposit) } ?? false
      return try await answered(grievance, proves ? .badGoods : .open)
    }
    let file = try ComplaintGoods(node.directory, deposit)
    guard try file.add(call.body, at: offset) else {
      return HTTPReply(status: 204, contentType: coseMediaType, body: .bytes([]))
    }
    let isBad = try await node.surroundings.offTheLoop { try file.isBad() }
    return try await answered(grievance, isBad ? .badGoods : .goodGoods)
  }

  private func answered(_ grievance: Grievance, _ finding: BankDeposit.Finding) async throws -> HTTPReply {
    let reply = try await decide(grievance, finding) ?? []
    return HTTPReply(status: 200, contentType: coseMediaType, body: .bytes(reply))
  }

  /// Demands the documentation of what was credited: from the archive that approved it, and from the
  /// merchant, whom an archive's silence must not cost what it earned. Who is silent has `graceSeconds`
  /// from the first complaint on.
  private func documentation(_ grievance: Grievance) async throws -> BankDeposit.Finding {
    let kept = try await node.store.read { tx in
      try tx.labelled(kind: Self.depositKind, key: grievance.address.bytes)
    }
    if let bytes = kept[Label(.deposit)] { return .documented(bytes) }
    guard let stored = kept[Label(.approval)] else { return .open }
    let approval = try Verified<Approval>(stored: stored)
    var generator = node.surroundings.randomness
    let query = try Verified(
      signing: StatusQuery(
        n: approval.payload.n, merchant: approval.payload.merchant, nonce: .random(using: &generator)),
      with: node.identity.signing)
    var isSilent = false
    for party in [approval.signer, approval.payload.merchant] {
      guard let shown = try? await ask(party, query) else {
        isSilent = true
        continue
      }
      for bytes in shown where approval.payload.documentation(bytes) != nil { return .documented(bytes) }
    }
    guard isSilent else { return .undocumented }
    let mark = "asked/\(approval.hash)"
    let now = node.clock()
    let first = try await node.store.write { tx -> Timestamp in
      if let known = try tx.meta(mark) { return RowKey.value(known) }
      try tx.setMeta(mark, RowKey.number(now))
      return now
    }
    return now >= first + Self.graceSeconds(node.trust.list) ? .undocumented : .open
  }

  private static func graceSeconds(_ trust: TrustList) -> UInt64 { 5 * trust.answerSeconds }

  private func ask(_ party: PublicKey, _ query: Verified<StatusQuery>) async throws -> [[UInt8]] {
    guard let url = node.url(of: party) else { throw TransportError.cut(host: "archive or merchant") }
    let reply = try await node.transport.send(
      "POST", url: url + messagesPath, body: query.bytes, contentType: coseMediaType)
    let answer = try Verified<StatusAnswer>(reply.body, by: .key(party))
    guard answer.payload.hQuery == query.hash else { throw TransportError.cut(host: "archive or merchant") }
    return answer.payload.proof
  }
}

/// The sealed goods that a customer hands in with a complaint: kept while they come, a part after the other.
struct ComplaintGoods: Sendable {
  /// Larger goods are for a judge.
  static let bytesMax: UInt64 = 64 << 20

  private let path: String
  private let terms: InvoiceTerms
  private let key: [UInt8]

  init(_ directory: DataDirectory, _ deposit: InvoiceDeposit) throws {
    terms = deposit.terms
    guard terms.length <= Self.bytesMax else {
      throw Problem.badRequest("the goods are too large for the bank: ask a judge")
    }
    key = deposit.deposit.payload.key
    try directory.createFolder("complaints")
    path = directory.file("complaints/\(deposit.invoice.hash)")
  }

  /// Adds a part; true when all is there. A part that is there already is passed over.
  func add(_ bytes: [UInt8], at offset: UInt64) throws -> Bool {
    let file = try RawFile(updating: path)
    let size = try file.size()
    guard offset <= size, offset + UInt64(bytes.count) <= terms.length else {
      throw Problem.badRequest("\(size) of \(terms.length) bytes are here: go on from there")
    }
    try bytes.withUnsafeBytes { try file.write($0, at: offset) }
    return max(size, offset + UInt64(bytes.count)) == terms.length
  }

  /// Whether these are the invoice's goods, and not what it says: they do not open, or to something else than
  /// its digests. The file is removed.
  func isBad() throws -> Bool {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try RawFile(reading: path)
    var check = GoodsStream(checking: .fastest)
    try GoodsFiles.eachBlock(of: file, upTo: terms.length) { _ = try check.update($0) }
    let (_, root, length) = try check.finish()
    guard GoodsClaim(root: root, length: length) == terms.goods else { return false }
    let opened = path + ".open"
    defer { try? FileManager.default.removeItem(atPath: opened) }
    do {
      var digest: Hash?
      try RawFile.create(opened) { target in
        digest = try GoodsFiles().open(
          file, to: target, key: key, n: terms.n, goods: SealedGoods(root: root, length: length),
          digesting: !terms.digests.isEmpty)
      }
      return digest.map { !terms.digests.contains($0) } ?? false
    } catch is MessageError { return true }
  }
}

extension Registration {
  /// The whole message of the registration that counts at an address.
  static func signed(_ entries: [[UInt8]], at address: Hash) -> Verified<Registration>? {
    for bytes in entries where Registration.counting([bytes], at: address) != nil {
      return try? Verified<Registration>(stored: bytes)
    }
    return nil
  }
}
