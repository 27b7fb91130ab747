// What the judge hears of refunds and of transfers between banks.

import Messages
import Parties
import Services
import Storage

extension Dossier {
  /// The merchant's own bank is shown what the lock's bank ordered.
  func order(_ bytes: [UInt8]) {
    guard let bt1 = try? Unverified<BT1>(bytes), let sender = world.host(bt1.claimedSigners[0]),
      let home = world.cast.home(of: bt1.claims.merchant).flatMap(world.host), home.isHonest, home !== sender
    else { return }
    world.network.inject(
      Sent(from: sender, to: home, method: "POST", path: RehearsedLink.messagesPath, body: bytes))
  }

  /// Whoever was promised money back asks the lock's bank for it.
  func demand(_ refund: RefundFacts, _ bytes: [UInt8]) {
    guard let lock = locks[refund.asked.payload.lock],
      let bank = world.host(world.referee.payer(of: lock)), bank.isHonest,
      let asker = world.hosts.first(where: \.isCustomer)
    else { return }
    // A lock of another bank comes beside it.
    let beside = messages.first { $0.hash == lock.name }.map { [bytes, $0.bytes] }
    let body = lock.bank == bank.member.key ? bytes : beside.flatMap { try? Bundle($0).encoded() }
    guard let body else { return }
    world.network.inject(
      Sent(from: asker, to: bank, method: "POST", path: RehearsedLink.messagesPath, body: body))
  }

  /// Whether this bank refused or confirmed an order, to anybody.
  func hasAnswer(_ order: Hash?, by home: PublicKey) -> Bool {
    messages.contains { message in
      switch message.type {
      case .refusal:
        let refusal = try? Unverified<Refusal>(message.bytes)
        return refusal?.claimedSigners[0] == home && refusal?.claims.hRequest == order
      case .bt2:
        let bt2 = try? Unverified<BT2>(message.bytes)
        return bt2?.claimedSigners[0] == home && bt2?.claims.hBT1 == order
      default: return false
      }
    }
  }
}

extension Harms {
  /// A merchant agreed to a refund, and a lying bank does not make it.
  func refundsWithheld(_ host: Host, _ image: StoreImage) -> [Harm] {
    image.machines("refund").compactMap { row in
      let log = image.log("refund", row.key)
      guard let refund = log.lazy.compactMap({ RefundFacts($0.bytes) }).first, refund.isSound,
        let lock = dossier.locks[refund.asked.payload.lock], lies(world.referee.payer(of: lock)),
        // More than was paid is nobody's due.
        !lies(lock.terms.merchant)
      else { return nil }
      return Harm(
        n: lock.terms.n, text: "\(host.member.name)'s refund was agreed to, and the bank does not make it",
        disputes: [.refundWithheld], culprit: world.referee.payer(of: lock))
    }
  }

  /// What the merchant's bank refuses is between the banks; what it confirmed, the merchant has as its word.
  func isRefused(_ lock: LockFacts, by home: PublicKey) -> Bool {
    guard let books = world.host(lock.bank)?.life?.store.image else { return false }
    let bt1 = books.log("transfer", lock.name.bytes).first { $0.label == BT1.type.label }.map {
      Hash(of: $0.bytes)
    }
    return dossier.hasAnswer(bt1, by: home)
  }
}
