// Customers that spend twice, authorise other terms than the contract's, pay too little, sign again, forge
// outcomes and acknowledge what they do not have.

import Messages
import Parties
import Services

final class LyingCustomer: Schemer, Liar {
  private var used: [[TokenInput]] = []
  /// What it sent to banks to be locked.
  private var payments: [Sent] = []
  /// Locks whose expiration it waits for.
  private var waiting: Set<Hash> = []
  /// Refunds of which it has already told the bank otherwise.
  var conspired: Set<Hash> = []
  /// Announced: tokens that it announced, and announcements that its wallet did not make.
  var announcedTokens: [Token] = []
  var made: [[UInt8]] = []
  /// Tokens with which it has paid invoices.
  var endorsed: [RehearsedCoin] = []
  static let indices: [PublicKey: UInt64] = {
    var found: [PublicKey: UInt64] = [:]
    for member in Cast.shared.members where member.mayLie && !member.entropy.isEmpty {
      let keys = Wallet.keys(entropy: member.entropy)
      for index in 0..<400 as Range<UInt64> { found[keys.token(index).publicKey] = index }
    }
    return found
  }()

  enum Trick: Int, CaseIterable {
    case honest, spendsTwice, underpays, otherMerchant, otherArchive, shortExpiration, longExpiration
    case otherCommitment, otherContract, shortLifetime, signsAgain, forgesAbort, sameTokenTwice, stealsToken
    case otherPseudonym, locksForNobody, lowerValue, beyondContract, longLifetime, otherBank, cancelsForOthers
    case asksOtherArchive, asksEarly, vanishes, asksWitnesses
    // Repeated only.
    case smallBudget, lowerBase, skipsAcknowledgement
  }

  func outgoing(_ sent: Sent) -> [UInt8]? {
    if dice.oneIn(3) { meddle() }
    if dice.oneIn(6) { payAgain() }
    if let request = RequestFacts(sent.body), request.bank == sent.to.member.key {
      let body = pay(sent, request)
      if let body {
        payments.append(
          Sent(from: sent.from, to: sent.to, method: sent.method, path: sent.path, body: body))
      }
      return body
    }
    if let rf1 = try? Unverified<RF1>(sent.body) { return bent(rf1, to: sent.to) }
    if let rf2 = RefundFacts(in: sent.body) { conspire(rf2, at: sent.to.member.key) }
    if (try? MessageType(peeking: sent.body)) == .announcement {
      return bent(announcement: sent.body, to: sent.to.member.key)
    }
    if let bundle = try? Bundle(encoded: sent.body), bundle.leads == .consent {
      return bent(consent: bundle, sent.body)
    }
    if sent.to.member.role == .merchant, (try? SealedMessage(encoded: sent.body)) != nil {
      return bent(payment: sent.body, to: sent.to.member.key)
    }
    if hasVanished(sent.body) { return nil }
    if let changed = bentReceipt(sent.body) { return changed }
    if let note = try? Unverified<Acknowledgement>(sent.body), dice.oneIn(3) {
      var claims = note.claims
      claims.hP1 = Hash([UInt8](repeating: 3, count: 32))!
      world.count(.lied)
      return dice.oneIn(2) ? nil : resign(claims, as: note.claimedSigners[0])
    }
    if let changed = bentSeries(sent.body) { return changed }
    return sent.body
  }

  /// R7 alone, or before the next R5: never sent, for less than it costs, or for what the merchant in the
  /// gang made of it.
  private func bentSeries(_ body: [UInt8]) -> [UInt8]?? {
    let together = (try? Bundle(encoded: body))?.messages
    let parts = together ?? [body]
    guard parts.count <= 2, let r7 = try? Unverified<R7>(parts[0]) else { return nil }
    var claims = r7.claims
    switch Trick(rawValue: trick(r7.claims.n.bytes, of: Trick.allCases.count))! {
    case .signsAgain where together == nil: return .some(lied(nil))
    case .skipsAcknowledgement: return .some(lied(parts.count == 2 ? parts[1] : nil))
    case .underpays:
      claims.runningTotal = Money(currency: "EUR", amount: claims.runningTotal.amount - 1)!
    default:
      guard let item = gang.items[claims.n.bytes + [UInt8(claims.index)]] else { return nil }
      (claims.runningTotal, claims.hR6) = (item.total, item.hash)
    }
    guard let changed = resign(claims, as: r7.claimedSigners[0]) else { return nil }
    return .some(lied(together == nil ? changed : try? Bundle([changed] + parts.dropFirst()).encoded()))
  }

  /// E5 over other goods, or none.
  private func bentReceipt(_ body: [UInt8]) -> [UInt8]?? {
    guard let note = try? Unverified<E5>(body), dice.oneIn(3) else { return nil }
    var claims = note.claims
    claims.hE4 = Hash([UInt8](repeating: 3, count: 32))!
    world.count(.lied)
    return .some(dice.oneIn(2) ? nil : resign(claims, as: note.claimedSigners[0]))
  }

  /// After the payment nothing is heard of it any more.
  private func hasVanished(_ body: [UInt8]) -> Bool {
    let n =
      (try? Unverified<Acknowledgement>(body))?.claims.n ?? (try? Unverified<E5>(body))?.claims.n
      ?? LockFacts(body)?.terms.n
    switch n.map({ Trick(rawValue: trick($0.bytes, of: Trick.allCases.count))! }) {
    // What it does about such a lock takes time, in which an honest merchant would end the sale.
    case .vanishes, .cancelsForOthers, .forgesAbort: return true
    default: return false
    }
  }

  func lied(_ bytes: [UInt8]?) -> [UInt8]? {
    world.count(.lied)
    return bytes
  }

  /// What it does with a lock of its own beside what its wallet does.
  private func meddle() {
    pursueAnnouncements()
    meddleWithInvoices()
    guard let image = host.life?.store.image, let row = image.machines("purchase").last else { return }
    let log = image.log("purchase", row.key)
    guard let bytes = log.lazy.map(\.bytes).first(where: { LockFacts($0) != nil }),
      let lock = LockFacts(bytes)
    else {
      return
    }
    switch Trick(rawValue: trick(lock.terms.n.bytes, of: Trick.allCases.count))! {
    case .cancelsForOthers:
      let cancel = gang.sign(Cancel(n: lock.terms.n, lock: lock.name), as: .merchant)
      tell(lock.terms.archive, cancel.flatMap { try? Bundle([$0, bytes]).encoded() })
    case .asksOtherArchive:
      let others = world.hosts.filter {
        $0.member.role == .archive && $0.member.key != lock.terms.archive
      }
      atExpiration(of: lock, 1) { [self] in for other in others { tell(other.member.key, bytes) } }
    case .asksEarly:
      tell(lock.terms.archive, bytes)
      atExpiration(of: lock, -1) { [self] in tell(lock.terms.archive, bytes) }
    case .asksWitnesses: askWitnesses(lock, bytes)
    case .forgesAbort:
      let terms = lock.terms
      let abort = Abort<CoreMode>(
        n: terms.n, merchant: terms.merchant, expiration: terms.expiration, lifetime: terms.lifetime,
        lock: lock.name, at: terms.expiration, failed: .expired)
      tell(lock.bank, gang.sign(abort, as: .archive) ?? gang.sign(abort, as: .merchant))
    default: break
    }
  }

  /// Once so many seconds after the expiration, or before it.
  private func atExpiration(of lock: LockFacts, _ seconds: Int, _ action: @escaping () -> Void) {
    guard waiting.insert(lock.name).inserted else { return }
    let left = Int(lock.terms.expiration) - Int(host.now) + seconds
    guard left > 0 else { return }
    world.scheduler.after(left * 1000 + 10) { [world] in if !world.isOver { action() } }
  }

  /// Shows the bank an old payment again: what was refused once stays refused.
  private func payAgain() {
    guard let old = payments.isEmpty ? nil : dice.pick(payments) else { return }
    world.count(.lied)
    world.network.inject(old)
  }

  /// Has witnesses certify and abort as soon as there is a lock, and shows the bank what they sign.
  private func askWitnesses(_ lock: LockFacts, _ bytes: [UInt8]) {
    guard lock.mode != .compact else { return }
    let witnesses = world.hosts.filter { $0.member.role == .witness }
    let kept = witnesses.flatMap { $0.life?.store.image.messages ?? [] }.map(\.entry.bytes)
    let certificates = kept.filter { (try? Unverified<NonResponse>($0))?.claims.lock == lock.name }
    for witness in witnesses {
      tell(witness.member.key, try? Bundle([bytes, bytes]).encoded())
      guard !certificates.isEmpty else { continue }
      tell(witness.member.key, try? Bundle([bytes] + certificates.suffix(4)).encoded())
    }
    let abort = kept.first { (try? Unverified<P5c>($0))?.claims.lock == lock.name }
    tell(lock.bank, abort)
  }

  func resign<P: Payload>(_ payload: P, as key: PublicKey) -> [UInt8]? {
    let keys = Wallet.keys(entropy: host.member.entropy)
    if key == host.member.key { return try? Verified(signing: payload, with: keys.account()).bytes }
    for name in host.pseudonyms where keys.pseudonym(named: name).publicKey == key {
      return try? Verified(signing: payload, with: keys.pseudonym(named: name)).bytes
    }
    for index in 0..<60 as Range<UInt64> {
      let pseudonym = keys.pseudonym(index)
      if pseudonym.publicKey == key { return try? Verified(signing: payload, with: pseudonym).bytes }
    }
    return nil
  }

  private func pay(_ sent: Sent, _ request: RequestFacts) -> [UInt8]? {
    if request.mode == .announced { return sent.body }
    let trick = Trick(rawValue: trick(request.terms.n.bytes, of: Trick.allCases.count))!
    defer { used.append(request.inputs) }
    var (terms, inputs) = (request.terms, request.inputs)
    switch trick {
    case .honest: return sent.body
    case .spendsTwice:
      guard let old = used.last else { return sent.body }
      inputs = old
      let sum = old.reduce(0) { $0 + $1.amount }
      if sum != terms.value.amount { inputs[0].amount = inputs[0].amount &+ terms.value.amount &- sum }
      guard inputs[0].amount > 0, inputs[0].amount < 1 << 40 else { return sent.body }
    case .underpays: if inputs[0].amount > 1 { inputs[0].amount -= 1 }
    case .otherMerchant:
      terms.merchant = dice.pick(world.hosts.filter { $0.member.role == .merchant }).member.key
    case .otherArchive:
      terms.archive = otherArchive(
        than: terms.archive, [.joint, .compact].contains(request.mode) ? .bank : .archive)
    case .shortExpiration: terms.expiration = host.now + UInt64(dice.below(4))
    case .longExpiration:
      terms.expiration = host.now + 9 * 86_400
      terms.lifetime = terms.expiration + 10_000
    case .otherCommitment: terms.hx = Hash(dice.bytes(32))!
    case .otherContract: terms.hP1 = Hash(dice.bytes(32))!
    case .shortLifetime: terms.lifetime = terms.expiration + 1
    case .signsAgain:
      var other = terms
      other.expiration -= 1
      tell(sent.to.member.key, sign(other, inputs, request.mode, request.bank))
      return sent.body
    case .forgesAbort: return sent.body
    case .sameTokenTwice:
      guard inputs[0].amount.isMultiple(of: 2) else { return sent.body }
      inputs[0].amount /= 2
      inputs.append(inputs[0])
    case .stealsToken:
      inputs[0].token.serial = Hash(dice.bytes(32))!
    case .otherPseudonym: terms.pseudonym = host.member.key
    case .locksForNobody: terms.merchant = host.member.key
    case .lowerValue:
      guard terms.value.amount > 2, inputs[0].amount > 1 else { return sent.body }
      terms.value = Money(currency: "EUR", amount: terms.value.amount - 1)!
      inputs[0].amount -= 1
    case .beyondContract:
      terms.expiration += 4_000
      terms.lifetime += 8_000
    case .longLifetime: terms.lifetime += 1_000
    case .lowerBase:
      guard let base = terms.base, base.amount > 1 else { return sent.body }
      terms.base = Money(currency: "EUR", amount: base.amount - 1)!
    case .smallBudget:
      guard let base = terms.base, base.amount > 1, inputs[0].amount >= base.amount - 1 else {
        return sent.body
      }
      terms.value = Money(currency: "EUR", amount: base.amount - 1)!
      inputs = [TokenInput(token: inputs[0].token, amount: base.amount - 1)]
    case .otherBank: return sign(terms, inputs, request.mode, dice.pick(world.hosts).member.key) ?? sent.body
    case .cancelsForOthers, .asksOtherArchive, .asksEarly, .vanishes, .asksWitnesses, .skipsAcknowledgement:
      return sent.body
    }
    world.count(.lied)
    return sign(terms, inputs, request.mode, request.bank) ?? sent.body
  }

  /// Most often one that could be it.
  func otherArchive(than named: PublicKey, _ role: Role = .archive) -> PublicKey {
    let others = world.hosts.filter { !$0.isCustomer && $0.member.key != named }
    let able = others.filter { $0.member.role == role }
    return dice.pick(able.isEmpty || dice.oneIn(3) ? others : able).member.key
  }

  /// P2 or its kin as the liar likes it, signed by its own tokens.
  private func sign(_ terms: LockTerms, _ inputs: [TokenInput], _ mode: Mode, _ bank: PublicKey) -> [UInt8]? {
    func make<M: TokenMode>(_: M.Type) -> [UInt8]? {
      let payload = AuthorizationQ<M>(terms: terms, bank: bank, tokenInputs: inputs)
      let indices = Set(inputs.compactMap { Self.indices[$0.token.key] }).sorted()
      let keys = Wallet.keys(entropy: host.member.entropy)
      guard let first = indices.first, var message = try? Verified(signing: payload, with: keys.token(first))
      else {
        return nil
      }
      for index in indices.dropFirst() {
        guard let next = try? message.coSigned(with: keys.token(index)) else { return nil }
        message = next
      }
      return message.bytes
    }
    guard let types = SimulatedModes.token(mode) else { return nil }
    return make(types)
  }

  func incoming(_ sent: Sent) -> Lie? { nil }
}
