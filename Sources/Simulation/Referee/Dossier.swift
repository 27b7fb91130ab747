// What the judge is shown at the end of a run with liars: everything that went over the wire or was kept.
// The wronged honest party has to get its right from what honest parties hold, and no honest party may be
// convicted by anything that anybody holds (invariant 5).

import Foundation
import Judge
import Messages
import Parties
import Services
import Storage

/// Collects evidence, and hears the case.
final class Dossier {
  unowned let world: World
  /// Every signed message, in the order in which it first appeared.
  private(set) var messages: [Message] = []
  typealias Message = (hash: Hash, type: MessageType, bytes: [UInt8])
  private var seen: Set<Hash> = []
  /// Those that honest parties hold.
  private(set) var honest: Set<Hash> = []
  /// Locks as anybody stated them.
  private(set) var locks: [Hash: LockFacts] = [:]
  private var lockNames: [TransactionID: [Hash]] = [:]
  private var requests: [Hash: LockFacts] = [:]
  /// Deposits by their hashes.
  var ends: [TransactionID: Timestamp] = [:]
  var depositOf: [Hash: (PublicKey, TransactionID)] = [:]
  /// Orders, invoices and approvals by n, by their hashes.
  var orders: [TransactionID: [Hash]] = [:]
  private var acknowledged: Set<Hash> = []
  /// No more cases than are worth their time.
  private static let casesMax = 12
  /// So many messages in a file: a case may have few files, and leaving out any could convict an honest
  /// party.
  private static let bundleMax = 32

  init(_ world: World) { self.world = world }

  private var isNeeded: Bool { world.scenario.liars != .none }

  /// A message went over the wire; honest parties keep what reaches them.
  func saw(_ bytes: [UInt8], by receiver: Host?) {
    guard isNeeded else { return }
    add(bytes, isHonest: receiver?.isHonest ?? false)
  }

  func kept(_ host: Host, _ mutations: [Mutation]) {
    guard isNeeded else { return }
    for mutation in mutations {
      switch mutation {
      case .message(_, _, _, let bytes), .reply(_, let bytes, _): add(bytes, isHonest: host.isHonest)
      case .record(let row): add(row.body, isHonest: host.isHonest)
      default: break
      }
    }
  }

  private func add(_ bytes: [UInt8], isHonest: Bool) {
    guard bytes.first == 0xd2 else {
      if let bundle = try? Bundle(encoded: bytes) {
        for inner in bundle.messages { add(inner, isHonest: isHonest) }
      }
      return
    }
    let hash = Hash(of: bytes)
    if isHonest { honest.insert(hash) }
    guard seen.insert(hash).inserted, let type = try? MessageType(peeking: bytes) else { return }
    messages.append((hash, type, bytes))
    if type == .status {
      for inner in (try? MessageType.nestedMessages(in: bytes)) ?? [] { add(inner, isHonest: isHonest) }
    }
    if let outcome = OutcomeFacts(bytes), outcome.isCommit, !(world.host(outcome.archive)?.isHonest ?? true) {
      // The liar published the key, in whatever record.
      world.referee.secrets[outcome.n] = nil
    }
    noteInvoice(hash, type, bytes)
    if let lock = LockFacts(bytes) { note(lock) }
    // What an order is for, others name by its hash.
    if type == .purchaseOrder, let order = try? Unverified<PurchaseOrder>(bytes) {
      orders[order.claims.n, default: []].append(hash)
    }
    // A compact lock is JB2, and the bank's word for it.
    if let request = LockFacts(compact: bytes) {
      requests[hash] = request
      if acknowledged.contains(hash) { note(request) }
    }
    if type == .jb2ack, let ack = try? Unverified<JB2ack>(bytes),
      acknowledged.insert(ack.claims.hJB2).inserted, let lock = requests[ack.claims.hJB2]
    {
      note(lock)
    }
  }

  private func note(_ lock: LockFacts) {
    locks[lock.name] = lock
    lockNames[lock.terms.n, default: []].append(lock.name)
  }

  // MARK: The hearing

  /// Shows every outcome to the lock's bank and merchant: who has a commit to show and does not is not
  /// wronged, and who was never shown one owes nothing.
  func confront() {
    for message in messages {
      if let refund = RefundFacts(message.bytes) { demand(refund, message.bytes) }
      if message.type == .bt1 { order(message.bytes) }
      guard let outcome = OutcomeFacts(message.bytes), let lock = locks[outcome.lock],
        let archive = world.host(outcome.archive)
      else { continue }
      for key in [lock.bank, lock.terms.merchant] {
        guard let target = world.host(key), target.isHonest, target !== archive else { continue }
        world.network.inject(
          Sent(
            from: archive, to: target, method: "POST", path: RehearsedLink.messagesPath, body: message.bytes))
      }
    }
    confrontWithApprovals()
  }

  /// Hears every transaction in which somebody may have lied, up to a number of them.
  func hear() {
    let harms = Harms(world, self).all()
    var heard = 0
    let all = Set(lockNames.keys).union(ends.keys)
    for n in all.sorted(by: { $0.bytes < $1.bytes }) {
      let own = harms.filter { $0.n == n }
      guard !own.isEmpty || heard < Self.casesMax else { continue }
      heard += 1
      checkFraming(n)
      for harm in own { checkRight(harm) }
    }
    for harm in harms where !all.contains(harm.n) { checkRight(harm) }
  }

  /// All that concerns a transaction: what names n or a lock of it, and refusals of that.
  func evidence(_ n: TransactionID, honestOnly: Bool) -> [[UInt8]] {
    let names = [n.bytes] + ((lockNames[n] ?? []) + (orders[n] ?? [])).map(\.bytes)
    let usable = messages.filter { !honestOnly || honest.contains($0.hash) }
    let found = usable.filter { message in
      ![.statusQuery, .status, .refusal].contains(message.type)
        && names.contains { contains(message.bytes, $0) }
    }
    let requests = Set(found.map(\.hash))
    let lists = usable.filter { $0.type == .keyList }
    // The same again and again says no more than once.
    var said: Set<[UInt8]> = []
    let refusals = usable.filter { message in
      guard message.type == .refusal, let refusal = try? Unverified<Refusal>(message.bytes),
        requests.contains(refusal.claims.hRequest)
      else { return false }
      let proof = Hash(of: refusal.claims.proof.flatMap { $0 })
      let what = refusal.claimedSigners[0].bytes + refusal.claims.hRequest.bytes + proof.bytes
      return said.insert(what + [UInt8(truncatingIfNeeded: refusal.claims.code)]).inserted
    }
    // A refund names what it is the answer to, and nothing else.
    let refunds = usable.filter { message in
      guard message.type == .rf3, let rf3 = try? Unverified<RF3>(message.bytes) else { return false }
      return requests.contains(rf3.claims.hRF2)
    }
    let complaints = Set(found.filter { $0.type == .complaint }.map(\.hash))
    let answers = usable.filter { message in
      guard message.type == .status, let answer = try? Unverified<StatusAnswer>(message.bytes) else {
        return false
      }
      return answer.claims.state != .open && complaints.contains(answer.claims.hQuery)
    }
    let paid = credits(of: found.map(\.hash), usable)
    return Array((lists + paid + refunds + found + refusals + answers).map(\.bytes))
  }

  /// Signed messages in bundles; all else as it is.
  static func bundled(_ files: [[UInt8]]) -> [[UInt8]] {
    let messages = files.filter { $0.first == 0xd2 }
    let bundles = stride(from: 0, to: messages.count, by: bundleMax).flatMap { start -> [[UInt8]] in
      let part = Array(messages[start..<min(start + bundleMax, messages.count)])
      return (try? Bundle(part).encoded()).map { [$0] } ?? part
    }
    return files.filter { $0.first != 0xd2 } + bundles
  }

  /// A token's other approvals come along with an invoice, by its address: so does what the bank paid for
  /// them.
  private func credits(of names: [Hash], _ usable: [Message]) -> [Message] {
    let names = Set(names)
    return usable.filter { message in
      guard message.type == .credit, let credit = try? Unverified<Credit>(message.bytes) else { return false }
      return names.contains(credit.claims.lock)
    }
  }

  private func judgment(
    _ files: [[UInt8]], goods: [[UInt8]] = [], heard: Set<PublicKey>, by latest: Timestamp? = nil
  ) -> Judgment? {
    var evidence = Evidence()
    do throws(EvidenceError) {
      for file in Self.bundled(files) { _ = try evidence.add(file, name: "message") }
      for bytes in goods { try evidence.add(goods: MemoryGoods(bytes: bytes)) }
    } catch {
      world.violate(5, "a case that the judge cannot be shown: \(error)")
      return nil
    }
    let now = min(latest ?? .max, Cast.epoch + world.scheduler.now / 1000)
    world.tally { $0.judged += 1 }
    return Judge(
      trust: world.cast.trust.list, now: now, heard: heard, tokenHolds: { $0.holds(under: $1) },
      blindHolds: { $1.isSigned(by: $0, under: $2) }
    ).decide(evidence)
  }

  private var servers: Set<PublicKey> { Set(world.hosts.filter { !$0.isCustomer }.map(\.member.key)) }

  /// Whatever anybody shows, no honest party is at fault.
  private func checkFraming(_ n: TransactionID) {
    guard let judgment = judgment(evidence(n, honestOnly: false), heard: servers) else { return }
    for verdict in judgment.verdicts where verdict.finding == .convicted {
      guard let culprit = verdict.against, world.host(culprit.key)?.isHonest ?? false else { continue }
      let facts = verdict.facts.map(\.text).joined(separator: "; ")
      world.violate(
        5, "the judge convicts the honest \(culprit.name) of \(verdict.dispute.rawValue): \(facts)")
      return
    }
  }

  /// Who was wronged gets his right from what honest parties hold.
  private func checkRight(_ harm: Harm) {
    let files = evidence(harm.n, honestOnly: true) + harm.files
    // Nobody owes an answer after the lifetime: who was wronged complains before.
    let latest = (lockNames[harm.n]?.compactMap { locks[$0]?.terms.lifetime }.min() ?? ends[harm.n]).map {
      $0 - 1
    }
    guard !isMadeGood(harm, files),
      let judgment = judgment(files, goods: harm.goods, heard: servers, by: latest)
    else { return }
    let convictions = judgment.verdicts.filter { $0.finding == .convicted }
    // Who lies with the culprit may answer for it as well: an archive that published both outcomes, say.
    let isRight = convictions.contains { verdict in
      guard let key = verdict.against?.key else { return false }
      let isLiar = !(world.host(key)?.isHonest ?? true)
      return harm.disputes.contains(verdict.dispute) && [harm.culprit, harm.accomplice].contains(key)
        || [.bothOutcomes, .approvedTwice, .approvedUnendorsed].contains(verdict.dispute) && isLiar
    }
    if isRight {
      world.tally { $0.convicted += 1 }
      return
    }
    let said = judgment.verdicts.map { verdict -> String in
      let whom = verdict.against.map { " \($0.name)" } ?? ""
      return "\(verdict.dispute.rawValue): \(verdict.finding.rawValue)\(whom)"
    }.joined(separator: ", ")
    for file in files { world.note(10, nil, nil, file) { "the judge saw \(Network.label(file))" } }
    for aside in judgment.setAside {
      world.note(10, nil, nil, []) { "the judge set aside \(aside.what): \(aside.reason)" }
    }
    world.violate(5, "\(harm.text), and the judge does not convict: \(said)")
  }

  /// The bank's confirmation, or the archive's outcome, reached another honest party: the wronged one can
  /// have it.
  private func isMadeGood(_ harm: Harm, _ files: [[UInt8]]) -> Bool {
    if harm.disputes.contains(.neitherOutcome) {
      return files.contains { file in
        guard let outcome = OutcomeFacts(file), let lock = locks[outcome.lock], lock.terms.n == harm.n else {
          return false
        }
        return outcome.fault(for: lock.terms, mode: lock.mode, lock: lock.name) == nil
      }
    }
    guard harm.disputes.contains(.notCredited) else { return false }
    if let price = harm.price {
      return isHeld(Credit.self) { credit in
        credit.claimedSigners[0] == harm.culprit && credit.claims.amount == price
          && self.depositOf[credit.claims.lock]?.1 == harm.n
      }
    }
    return files.contains { file in
      guard let credit = try? Verified<Credit>(file, by: .key(harm.culprit)),
        let lock = locks[credit.payload.lock]
      else { return false }
      let due = files.lazy.compactMap { OutcomeFacts($0) }.first { $0.lock == lock.name && $0.isCommit }
      return lock.terms.n == harm.n && credit.payload.amount == due?.due(lock.terms) ?? lock.terms.value
    }
  }
}

/// Sealed goods in memory.
private struct MemoryGoods: GoodsSource {
  let name = "goods.sealed"
  let bytes: [UInt8]
  var length: UInt64 { UInt64(bytes.count) }

  func eachBlock(_ body: (UnsafeRawBufferPointer) throws(MessageError) -> Void) throws(MessageError) {
    var failure: MessageError?
    bytes.withUnsafeBytes { raw in
      do throws(MessageError) { try body(raw) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
