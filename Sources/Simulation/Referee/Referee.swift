// The referee sees every durable change and every message, knows all secrets, and holds the parties to the
// invariants of protocols.md section 15 after each step. It shares no check with them.

import BlindTokens
import Foundation
import Messages
import Parties
import Services
import Storage

/// Watches one run.
final class Referee {
  unowned let world: World
  /// Locks by L, from the bank's durable P3 and their kin.
  var locks: [Hash: LockFacts] = [:]
  /// L of (M, n), as the bank has it.
  var lockOf: [[UInt8]: Hash] = [:]
  /// What merchants were credited for each lock, and what of it went back.
  var credited: [Hash: Int64] = [:]
  var refunded: [Hash: Int64] = [:]
  /// Requests that a bank refused: they must never lock anything later.
  var refused: Set<Hash> = []
  /// What bound tokens have paid.
  var paid = PaidInvoices()
  /// Numbers, keys and pseudonyms that were used.
  var numbers: Set<[UInt8]> = []
  var keysUsed: Set<[UInt8]> = []
  /// Sales whose key must not be seen in the clear: nobody committed them yet.
  var secrets: [TransactionID: Secret] = [:]
  /// The answer that a request got, where it has to be the same for ever.
  private var binding: [Fingerprint: Fingerprint] = [:]
  /// Public keys of the denominations, parsed once.
  lazy var denominations: [Hash: BlindingKey] = {
    var keys: [Hash: BlindingKey] = [:]
    for denomination in DenominationKeys.all + DenominationKeys.second {
      guard
        let key = try? BlindSigningKey(derRepresentation: denomination.der).publicKey(
          currency: "EUR", value: denomination.value)
      else { continue }
      keys[Hash(key.keyID)!] = key
    }
    return keys
  }()
  /// When witnesses got answers to which request.
  private var answers: [[UInt8]: [Timestamp]] = [:]
  /// What each bank signed into circulation, less what it took back, in minor units; by the host's index.
  var issued: [Int: Int64] = [:]
  var feesTaken: [Int: Int64] = [:]
  /// What came in from another bank, outside of the books, less what was paid to it.
  var settledCash: [Int: Int64] = [:]
  /// Locks whose value arrived at the merchant's bank.
  var transferred: Set<Hash> = []
  /// Where everything stood that may be let go of one day.
  var standings: [[UInt8]: PruneWatch.Standing] = [:]
  /// Hosts whose store was put back: what they forgot is not held against them.
  private(set) var restored: Set<Int> = []
  /// Signed messages of liars and about them, for the judge.
  let dossier: Dossier

  /// A sale's key.
  struct Secret {
    let key: [UInt8]
    let merchant: Host
  }

  /// Locks as anybody stated them.
  var locksSeen: [Hash: LockFacts] { dossier.locks }

  init(_ world: World) {
    self.world = world
    dossier = Dossier(world)
  }

  func violate(_ invariant: Int, _ text: String) { world.violate(invariant, text) }

  /// An old copy may have other purchases under the same numbers.
  func wasRestored(_ host: Host) {
    restored.insert(host.index)
    standings = standings.filter { $0.key.first != UInt8(host.index) }
  }

  // MARK: Messages

  /// Types that say nothing for ever: questions, answers about a moment, and what is published anew.
  private static let passing: Set<MessageType> = [
    .refusal, .statusQuery, .status, .accountQuery, .account, .offers, .keyList, .trustList, .nonResponse,
    .complaint,
  ]

  /// What tokens' keys sign and hand over in bundles.
  private static let binding: Set<MessageType> = [.consent, .registration, .n1]

  /// A party sends a request.
  func sent(_ from: Host, _ to: Host, _ method: String, _ body: [UInt8]) {
    dossier.saw(body, by: to)
    guard from.isHonest, method == "POST" else { return }
    checkKept(from, body)
    checkSecrets(from, body)
  }

  /// A party answers.
  func replied(_ sent: Sent, _ reply: RehearsedReply) {
    let host = sent.to
    // Busy and full are said so; anything else inside a party is a mistake of ours.
    if host.isHonest && reply.status == 500 {
      let why = String(decoding: reply.body.prefix(300), as: UTF8.self)
      violate(8, "\(host.member.name) fails inside at \(Network.label(sent.body)): \(why)")
    }
    guard (200..<300).contains(reply.status), !reply.body.isEmpty else { return }
    if host.isHonest { dossier.saw(reply.body, by: sent.from) }
    guard host.isHonest else { return }
    if sent.method == "GET" && sent.path.hasPrefix("/v1/goods") { return }
    checkSecrets(host, reply.body)
    guard sent.method == "POST", let type = try? MessageType(peeking: reply.body) else { return }
    checkKept(host, reply.body)
    if type == .refusal {
      noteRefusal(host, sent.body)
    } else if !Self.passing.contains(type), !restored.contains(host.index) {
      let request = Fingerprint(sent.body + [UInt8(host.index)])
      let answer = Fingerprint(reply.body)
      if let before = binding[request], before != answer {
        violate(
          8, "\(host.member.name) answers the same \(Network.label(sent.body)) in two ways: \(type.label)")
      }
      // JB2 asks for the lock, and from then on for the outcome: its acknowledgement is not the last word.
      if type != .jb2ack { binding[request] = answer }
      checkLockReply(host, sent.body, reply.body)
    }
  }

  /// An answer reached who asked: witnesses must not say later that there was none.
  func arrived(_ reply: RehearsedReply, _ sent: Sent) {
    guard sent.from.member.role == .witness, sent.to.isHonest, !reply.body.isEmpty,
      (200..<300).contains(reply.status), sent.from.life != nil
    else { return }
    answers[Hash(of: sent.body).bytes + [UInt8(sent.from.index)], default: []].append(sent.from.now)
  }

  private func checkCertificate(_ host: Host, _ bytes: [UInt8]) {
    guard let said = (try? Unverified<NonResponse>(bytes))?.claims, said.answer == nil else { return }
    let times = answers[said.hRequest.bytes + [UInt8(host.index)]] ?? []
    if times.contains(where: { $0 > said.sentAt && $0 < said.waitedUntil }) {
      violate(5, "\(host.member.name) certifies silence where there was an answer")
    }
  }

  /// Invariant 8: what binds its sender is durable before it leaves.
  private func checkKept(_ host: Host, _ body: [UInt8]) {
    guard let type = try? MessageType(peeking: body), !Self.passing.contains(type) else {
      // What the customer's own keys signed, in a bundle.
      let inner = host.isCustomer ? (try? Bundle(encoded: body))?.messages ?? [] : []
      for bytes in inner where Self.binding.contains((try? MessageType(peeking: bytes)) ?? .refusal) {
        checkKept(host, bytes)
      }
      return
    }
    // A customer hands on what binds others.
    if host.isCustomer && LockModes.publicLabels.contains(type.label) { return }
    guard let image = host.life?.store.image, !image.kept.contains(Fingerprint(body)) else { return }
    violate(8, "\(host.member.name) sends \(type.label) before it is stored")
  }

  /// Invariant 3: no key leaves merchant or archive in the clear before the commit is durable.
  private func checkSecrets(_ host: Host, _ body: [UInt8]) {
    guard host.member.role != .pseudonym, !secrets.isEmpty else { return }
    if host.member.role == .merchant && host.completion == .early { return }
    let out = secrets.filter { contains(body, $0.value.key) }.map(\.key.description)
    if let n = out.min() { violate(3, "\(host.member.name) lets the key of \(n) out before the commit") }
  }

  private func noteRefusal(_ host: Host, _ request: [UInt8]) {
    guard host.member.role == .bank else { return }
    if (try? MessageType(peeking: request)) == .rf2 { refused.insert(Hash(of: request)) }
    guard let facts = RequestFacts(request) else { return }
    // Refused because (M, n) is locked already: that lock may be of the very same terms.
    guard lockOf[facts.terms.merchant.bytes + facts.terms.n.bytes] == nil else { return }
    refused.insert(ClaimFacts(bundle: request)?.consent ?? Hash(of: request))
  }

  /// A bank answers an authorization with the lock of the same terms, or with a refusal.
  private func checkLockReply(_ host: Host, _ request: [UInt8], _ reply: [UInt8]) {
    guard host.member.role == .bank, let asked = RequestFacts(request) else { return }
    let acknowledged = (try? Unverified<JB2ack>(reply))?.claims.hJB2
    guard let lock = acknowledged.flatMap({ locks[$0] }) ?? LockFacts(reply) else {
      if acknowledged != nil {
        violate(8, "\(host.member.name) acknowledges a payment that it did not lock")
      }
      return
    }
    if lock.terms != asked.terms || lock.mode != asked.mode {
      violate(4, "\(host.member.name) answers a payment with the lock of another one")
    }
  }

  // MARK: Durable changes

  /// A transaction of a party became durable.
  func committed(_ host: Host, _ image: StoreImage, _ mutations: [Mutation]) {
    dossier.kept(host, mutations)
    guard host.isHonest else { return }
    if world.extras.contains(.pruning) { PruneWatch(referee: self, host: host, image: image).see(mutations) }
    switch host.member.role {
    case .bank: BankWatch(referee: self, host: host, image: image).see(mutations)
    case .archive: ArchiveWatch(referee: self, host: host, image: image).see(mutations)
    case .witness:
      for case .message(_, _, let label, let bytes) in mutations where label == NonResponse.type.label {
        checkCertificate(host, bytes)
      }
    case .merchant: MerchantWatch(referee: self, host: host, image: image).see(mutations)
    default: CustomerWatch(referee: self, host: host, image: image).see(mutations)
    }
    for case .record(let row) in mutations { RecordWatch(referee: self, host: host, image: image).see(row) }
  }

  /// A sale begins: its number and key are new, and its key is the one committed to.
  func began<O: OfferPayload>(_ offer: Verified<O>, _ key: [UInt8], _ n: TransactionID, by host: Host) {
    func fail(_ invariant: Int, _ text: String) { violate(invariant, "\(host.member.name): \(text)") }
    guard isNew(n, key, by: host) else { return }
    let contract = offer.payload.contract
    if let ware = Wares.all.first(where: { $0.name == contract.name }),
      contract.price.amount < ware.least || contract.price.amount > ware.price
    {
      fail(1, "offers \(ware.name) at \(contract.price)")
    }
    let mode = contract.mode
    let isSeries = mode == .repeated
    let goodsKey = isSeries ? RepeatedMode.goodsKey(key, 0) : key
    let x = masked(goodsKey, by: offer.payload.mask)
    if let claim = offer.payload.goods, !opens("goods/\(n)", of: host, claim, key: goodsKey, n, contract.name)
    {
      fail(3, "offers goods that its key does not open")
    }
    if offer.payload.hx != .keyCommitment(mode, merchant: host.member.key, n: n, key: x) {
      fail(3, "offers under a commitment to another key")
    }
    // In a series k_0 and the keys after it are the customer's before the record. What they come from is not.
    secrets[n] = Secret(key: isSeries ? key : x, merchant: host)
  }

  /// Notes number and key of a new sale; false if it has no key that could be watched.
  func isNew(_ n: TransactionID, _ key: [UInt8], by host: Host) -> Bool {
    func fail(_ invariant: Int, _ text: String) { violate(invariant, "\(host.member.name): \(text)") }
    if !numbers.insert(host.member.key.bytes + n.bytes).inserted { fail(4, "n is used again") }
    guard key.count == 32 else { return false }
    if !keysUsed.insert(key).inserted { fail(3, "a goods key is used again") }
    return true
  }

  /// Whether the sealed goods of a sale are those claimed, and open to the ware of this name.
  func opens(
    _ file: String, of host: Host, _ claim: GoodsClaim, key: [UInt8], _ n: TransactionID, _ name: String
  ) -> Bool {
    guard let sealed = FileManager.default.contents(atPath: host.directory.file(file)) else { return false }
    do {
      var stream = try GoodsStream(opening: key, n: n)
      let start = try sealed.withUnsafeBytes { try stream.update($0) }
      let tail = try stream.finish(root: claim.root, length: claim.length)
      return Wares.all.contains { $0.name == name && $0.bytes == start + tail }
    } catch { return false }
  }

  // MARK: The end

  /// Nothing is on its way any more.
  var isSettled: Bool { unsettled(first: true).isEmpty }

  /// What has not ended yet: for liveness (invariant 7).
  func unsettled(first: Bool = false) -> [String] {
    var open: [String] = []
    for host in world.hosts where host.isHonest {
      guard let image = host.life?.store.image else { continue }
      open += Unsettled(self, host, image).list()
      if first && !open.isEmpty { break }
    }
    return open
  }

  /// Somebody holds a lock that its archive never ends.
  var waitsForWitnesses: Bool {
    world.scenario.liars.roles.contains(.archive)
      && world.hosts.contains { host in
        guard host.isHonest, host.isCustomer, let image = host.life?.store.image else { return false }
        return Unsettled(self, host, image).waitsForWitnesses
      }
  }

  /// The run has ended without a violation: do the ends fit together?
  func finish() { FinalCheck(self).run() }
}

/// Whether `bytes` contains `part`.
func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
  guard let first = part.first, bytes.count >= part.count else { return false }
  let last = bytes.count - part.count
  return bytes.withUnsafeBufferPointer { bytes in
    part.withUnsafeBufferPointer { part in
      var index = 0
      while index <= last {
        if bytes[index] == first {
          var matched = 1
          while matched < part.count, bytes[index + matched] == part[matched] { matched += 1 }
          if matched == part.count { return true }
        }
        index += 1
      }
      return false
    }
  }
}
