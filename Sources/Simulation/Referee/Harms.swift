// The wrongs that were done to honest parties and that messages can prove: for each of them the judge has to
// convict somebody (invariant 5).

import Foundation
import Judge
import Messages
import Parties
import Services
import Storage

/// A wrong that was done to an honest party.
struct Harm {
  let n: TransactionID
  let text: String
  /// Any of these verdicts, against this party.
  let disputes: [Dispute]
  let culprit: PublicKey
  /// Who lies as well, and may as well have it.
  var accomplice: PublicKey?
  var files: [[UInt8]] = []
  var goods: [[UInt8]] = []
  /// Invoices: what would make it good.
  var price: Money?
}

/// Finds the wrongs that messages can prove. Silence of an archive is not among them: that takes a witness.
struct Harms {
  let world: World
  let dossier: Dossier

  init(_ world: World, _ dossier: Dossier) { (self.world, self.dossier) = (world, dossier) }

  func all() -> [Harm] {
    var harms: [Harm] = []
    for host in world.hosts where host.isHonest {
      guard let image = host.life?.store.image else { continue }
      if host.isCustomer {
        for row in image.machines("purchase") { harms += ofCustomer(host, image, row) }
        harms += refundsWithheld(host, image)
      }
      if host.member.role == .merchant {
        for row in image.machines("sale") { harms += ofMerchant(host, image, row) }
      }
    }
    return harms + numbersReused()
  }

  func lies(_ key: PublicKey) -> Bool { !(world.host(key)?.isHonest ?? true) }

  private func ofCustomer(_ host: Host, _ image: StoreImage, _ row: MachineRow) -> [Harm] {
    let log = image.log("purchase", row.key)
    if log.isOfInvoice { return ofInvoice(host, log, row) }
    guard let phase = PurchasePhase(rawValue: row.phase),
      let request = RequestFacts(in: log)
    else { return [] }
    let terms = request.terms
    var harms: [Harm] = []
    // Who lost the ciphertext cannot show what it was.
    if phase == .paid, lies(terms.merchant), !world.referee.restored.contains(host.index) {
      let all = ["\(terms.n).sealed"] + (1...3).map { "\(terms.n)-\($0).sealed" }
      let sealed = all.compactMap { FileManager.default.contents(atPath: host.directory.file("goods/" + $0)) }
      harms.append(
        Harm(
          n: terms.n, text: "\(host.member.name) paid for garbage", disputes: [.badGoods],
          culprit: terms.merchant,
          goods: sealed.map { Array($0) }))
    }
    // Who brings an announced token's claim again is told the same; nothing of it was paid.
    if phase == .refused, request.mode != .announced, lies(request.bank),
      let refusal = log.lazy.compactMap({ try? Verified<Refusal>($0.bytes, by: .key(request.bank)) }).last,
      refusal.payload.code == Reason.spent.rawValue, refusal.payload.proof.isEmpty
    {
      harms.append(
        Harm(
          n: terms.n, text: "\(host.member.name) was refused for nothing", disputes: [.refusedWrongly],
          culprit: request.bank))
    }
    if lies(terms.archive), isSilence(log, terms) {
      harms.append(
        Harm(
          n: terms.n, text: "\(host.member.name)'s archive answered no witness", disputes: [.neitherOutcome],
          culprit: terms.archive))
    }
    if phase == .aborted, lies(request.bank), let books = world.host(request.bank)?.life?.store.image,
      let lock = LockFacts(in: log),
      (books.usesOfLock[lock.name.bytes] ?? []).contains(where: { $0.state != .released })
    {
      harms.append(
        Harm(
          n: terms.n, text: "the bank keeps what \(host.member.name)'s abort freed",
          disputes: [.valueTaken, .spentBeyondValue], culprit: request.bank, files: demands(host, request)))
    }
    return harms
  }

  /// All witnesses certify that the archive did not answer while it had to.
  private func isSilence(_ log: [StoredMessage], _ terms: LockTerms) -> Bool {
    let silent = log.compactMap { try? Unverified<NonResponse>($0.bytes) }.filter {
      let said = $0.claims
      return said.answer == nil && said.hRequest == said.lock && said.sentAt >= terms.expiration
        && said.waitedUntil < terms.lifetime
    }
    return Set(silent.map { $0.claimedSigners[0] }).count
      == Cast.shared.members.filter { $0.role == .witness }.count
  }

  /// The tokens' own keys ask for their value.
  private func demands(_ host: Host, _ request: RequestFacts) -> [[UInt8]] {
    let keys = Wallet.keys(entropy: host.member.entropy)
    let tokens = request.inputs.compactMap { try? $0.token.encoded() }
    return tokens
      + request.inputs.compactMap { input in
        for index in 0..<2_000 as Range<UInt64> {
          let key = keys.token(index)
          guard key.publicKey == input.token.key else { continue }
          let query = StatusQuery(
            n: nil, merchant: nil, nonce: Nonce([UInt8](repeating: 1, count: 16))!, serial: input.token.serial
          )
          return try? Verified(signing: query, with: key).bytes
        }
        return nil
      }
  }

  private func ofMerchant(_ host: Host, _ image: StoreImage, _ row: MachineRow) -> [Harm] {
    let log = image.log("sale", row.key)
    guard let phase = SalePhase(rawValue: row.phase), let n = TransactionID(row.key) else { return [] }
    if log.isOfInvoice { return ofInvoiceSale(host, log, n, phase) }
    let locks = log.compactMap { LockFacts($0.bytes) }
    var harms: [Harm] = []
    let home = world.cast.home(of: host.member.key)
    let isBetweenBanks = locks.first.map { lock in
      home != nil && home != lock.bank && isRefused(lock, by: home!)
    }
    if phase == .committed, let lock = locks.first, let home, home != lock.bank, lies(home), !lies(lock.bank),
      isBetweenBanks == false
    {
      harms.append(
        Harm(
          n: n, text: "\(host.member.name)'s own bank does not credit it", disputes: [.notCredited],
          culprit: home))
    }
    if phase == .committed, let lock = locks.first, lies(lock.bank), isBetweenBanks == false {
      harms.append(
        Harm(
          n: n, text: "\(host.member.name) is not credited", disputes: [.notCredited, .bothOutcomes],
          culprit: lock.bank, accomplice: home.flatMap { lies($0) ? $0 : nil }))
    }
    if phase == .aborted, let jb3 = log.first(where: { $0.label == JB3.type.label })?.bytes {
      harms += denied(host, n, Hash(of: jb3), log)
    }
    for lock in locks {
      let outcomes = log.compactMap { OutcomeFacts($0.bytes) }.filter {
        $0.lock == lock.name && $0.archive == lock.terms.archive
      }
      if outcomes.contains(where: \.isCommit), outcomes.contains(where: { !$0.isCommit }),
        lies(lock.terms.archive)
      {
        harms.append(
          Harm(
            n: n, text: "\(host.member.name) holds both outcomes", disputes: [.bothOutcomes],
            culprit: lock.terms.archive))
      }
    }
    if Set(locks.filter { $0.terms.merchant == host.member.key && $0.bank == locks[0].bank }.map(\.name))
      .count > 1,
      let bank = locks.first?.bank, lies(bank), locks.contains(where: { $0.terms != locks[0].terms })
    {
      harms.append(
        Harm(n: n, text: "\(host.member.name) holds two locks", disputes: [.lockedTwice], culprit: bank))
    }
    return harms
  }

  /// Compact: the bank refused JB3 because no authorization had come, and an honest customer holds its word
  /// that one had.
  private func denied(_ host: Host, _ n: TransactionID, _ jb3: Hash, _ log: [StoredMessage]) -> [Harm] {
    let refusal = log.lazy.compactMap { try? Unverified<Refusal>($0.bytes) }.last
    guard let refusal, refusal.claims.hRequest == jb3, lies(refusal.claimedSigners[0]),
      refusal.claims.code == Reason.unknownTransaction.rawValue
    else { return [] }
    let isAcknowledged = world.hosts.contains { customer in
      guard customer.isCustomer && customer.isHonest, let image = customer.life?.store.image else {
        return false
      }
      return image.machines("purchase").contains { row in
        let log = image.log("purchase", row.key)
        guard let lock = LockFacts(in: log), lock.mode == .compact, lock.terms.n == n,
          lock.terms.merchant == host.member.key
        else { return false }
        return log.contains { (try? Unverified<JB2ack>($0.bytes))?.claims.hJB2 == lock.name }
      }
    }
    guard isAcknowledged else { return [] }
    return [
      Harm(
        n: n, text: "\(host.member.name) is denied what the bank acknowledged", disputes: [.refusedWrongly],
        culprit: refusal.claimedSigners[0])
    ]
  }

  /// Two contracts of one n that honest customers hold.
  private func numbersReused() -> [Harm] {
    var offers: [[UInt8]: Set<Hash>] = [:]
    var order: [(merchant: PublicKey, n: TransactionID)] = []
    for host in world.hosts where host.isCustomer && host.isHonest {
      guard let image = host.life?.store.image else { continue }
      for row in image.machines("purchase") {
        for entry in image.log("purchase", row.key) {
          guard let (merchant, n) = Self.offered(entry.bytes), lies(merchant) else { continue }
          if offers[merchant.bytes + n.bytes] == nil { order.append((merchant, n)) }
          offers[merchant.bytes + n.bytes, default: []].insert(Hash(of: entry.bytes))
        }
      }
    }
    return order.filter { offers[$0.merchant.bytes + $0.n.bytes]!.count > 1 }.map {
      Harm(n: $0.n, text: "a merchant used n twice", disputes: [.numberReused], culprit: $0.merchant)
    }
  }
}

extension Harms {
  /// By whom something is offered, and as which transaction: P1, PO or INV.
  private static func offered(_ bytes: [UInt8]) -> (PublicKey, TransactionID)? {
    if let p1 = try? Unverified<P1>(bytes) { return (p1.claimedSigners[0], p1.claims.n) }
    if let invoice = InvoiceFacts(bytes) { return (invoice.merchant, invoice.terms.n) }
    return (try? Unverified<PurchaseOrder>(bytes)).map { ($0.claimedSigners[0], $0.claims.n) }
  }
}
