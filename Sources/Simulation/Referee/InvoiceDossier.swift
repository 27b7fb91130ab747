// Invoices before the judge: what honest parties hold of them, what is put to banks and merchants first, and
// the wrongs that messages can prove.

import Foundation
import Messages
import Parties
import Services
import Storage

extension Dossier {
  /// Whether an honest party holds a message of this type for which this holds.
  func isHeld<P: Payload>(_: P.Type, where holds: (Unverified<P>) -> Bool) -> Bool {
    messages.contains { message in
      guard message.type == P.type, honest.contains(message.hash) else { return false }
      return (try? Unverified<P>(message.bytes)).map(holds) ?? false
    }
  }

  /// A liar's approval or record is what lets the merchant give k.
  func noteInvoice(_ hash: Hash, _ type: MessageType, _ bytes: [UInt8]) {
    func isLie(_ key: PublicKey) -> Bool { !(world.host(key)?.isHonest ?? true) }
    switch type {
    case .invoice:
      if let invoice = InvoiceFacts(bytes) {
        orders[invoice.terms.n, default: []] += [hash, invoice.address]
        ends[invoice.terms.n] = min(ends[invoice.terms.n] ?? .max, invoice.terms.lifetime)
      }
    case .deposit:
      if let deposit = DepositFacts(bytes) {
        depositOf[hash] = (deposit.merchant, deposit.terms.n)
        orders[deposit.terms.n, default: []].append(hash)
      }
    case .approval:
      if let approval = try? Unverified<Approval>(bytes) {
        depositOf[hash] = (approval.claims.merchant, approval.claims.n)
        orders[approval.claims.n, default: []].append(hash)
        if isLie(approval.claimedSigners[0]) { world.referee.secrets[approval.claims.n] = nil }
      }
    case .passiveRecord:
      if let record = try? Unverified<PassiveRecord>(bytes), isLie(record.claimedSigners[0]) {
        world.referee.secrets[record.claims.n] = nil
      }
    case .credit:
      if let credit = try? Unverified<Credit>(bytes), isLie(credit.claimedSigners[0]),
        let n = depositOf[credit.claims.lock]?.1
      {
        world.referee.secrets[n] = nil
      }
    default: break
    }
  }

  /// What a Credit of this name is for: an approval, or a deposit where the archive is passive.
  func credited(_ name: Hash) -> (PublicKey, TransactionID)? { depositOf[name] }

  /// An approval is put to the token's bank and to the merchant; where the token does not stand in it, the
  /// bank is brought the token as well.
  func confrontWithApprovals() {
    let deposits = messages.filter { $0.type == .deposit }.compactMap { DepositFacts($0.bytes) }
    for message in messages where message.type == .approval {
      guard let approval = try? Unverified<Approval>(message.bytes),
        let archive = world.host(approval.claimedSigners[0])
      else { continue }
      let deposit = deposits.first { $0.endorsement == approval.claims.hEndorsement }
      guard let token = approval.claims.token ?? deposit?.token else { continue }
      var shown: [(PublicKey, [UInt8])] = [
        (token.bank, message.bytes), (approval.claims.merchant, message.bytes),
      ]
      if approval.claims.token == nil, let deposit,
        let recipient = Cast.shared.trust.list.entries.first(where: { $0.key == token.bank })?.sealingKey,
        let plain = try? Payment(tokens: [token], endorsement: deposit.endorsementBytes).encoded(),
        let box = try? SealedMessage(plain, to: recipient, ephemeralSeed: [UInt8](repeating: 9, count: 32))
          .encoded()
      {
        shown.insert((token.bank, box), at: 0)
      }
      for (key, body) in shown {
        guard let target = world.host(key), target.isHonest, target !== archive else { continue }
        world.network.inject(
          Sent(from: archive, to: target, method: "POST", path: RehearsedLink.messagesPath, body: body))
      }
    }
  }
}

extension Harms {
  func ofInvoice(_ host: Host, _ log: [StoredMessage], _ row: MachineRow) -> [Harm] {
    guard let phase = PurchasePhase(rawValue: row.phase), let invoice = InvoiceFacts(in: log) else {
      return []
    }
    let (terms, name) = (invoice.terms, host.member.name)
    if phase == .paid, lies(invoice.merchant), !world.referee.restored.contains(host.index) {
      let goods = FileManager.default.contents(atPath: host.directory.file("goods/\(terms.n).sealed"))
      return [
        Harm(
          n: terms.n, text: "\(name) paid an invoice for garbage", disputes: [.badGoods],
          culprit: invoice.merchant, goods: goods.map { [Array($0)] } ?? [])
      ]
    }
    // What decides said "never", and had taken it.
    let denials = log.compactMap { try? Unverified<StatusAnswer>($0.bytes) }.filter {
      $0.claims.state == .aborted && lies($0.claimedSigners[0]) && $0.claims.at >= terms.expiration
    }
    if phase == .aborted, let decider = denials.last?.claimedSigners[0] {
      let isApproved = dossier.isHeld(Approval.self) {
        $0.claimedSigners[0] == decider && $0.claims.n == terms.n && $0.claims.merchant == invoice.merchant
      }
      let isRecorded = dossier.isHeld(PassiveRecord.self) {
        $0.claimedSigners[0] == decider && $0.claims.n == terms.n && $0.claims.merchant == invoice.merchant
      }
      guard isApproved || isRecorded else { return [] }
      return [
        Harm(
          n: terms.n, text: "\(name) was told that its invoice took no token", disputes: [.bothOutcomes],
          culprit: decider)
      ]
    }
    // The token paid somebody else, without its key's word.
    guard [.authorised, .refused, .aborted].contains(phase), lies(terms.archive), !lies(terms.bank),
      let payment = world.referee.paid.standing(invoice.address), payment.n != terms.n
    else { return [] }
    let isEndorsed = dossier.isHeld(Deposit.self) {
      DepositFacts($0.bytes)?.terms.n == payment.n
    }
    return isEndorsed
      ? []
      : [
        Harm(
          n: terms.n, text: "\(name)'s token was deposited elsewhere",
          disputes: [.approvedUnendorsed, .approvedTwice], culprit: terms.archive)
      ]
  }

  func ofInvoiceSale(
    _ host: Host, _ log: [StoredMessage], _ n: TransactionID, _ phase: SalePhase
  ) -> [Harm] {
    guard phase == .committed, let invoice = InvoiceFacts(in: log), lies(invoice.terms.bank) else {
      return []
    }
    return [
      Harm(
        n: n, text: "\(host.member.name) is not credited for an invoice",
        disputes: [.notCredited, .approvedTwice], culprit: invoice.terms.bank, price: invoice.terms.price)
    ]
  }
}
