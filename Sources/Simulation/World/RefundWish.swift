// Customers who want money back, and the people at merchants' desks who say whether they get it.

import Messages
import Parties
import Services

/// Something that a customer will ask back once.
struct RefundWish {
  /// Not before this virtual millisecond.
  var at: UInt64
  /// Which of the delivered purchases.
  var choice: Int
  /// How much of its price; nil: all that was paid.
  var percent: Int?
  /// How often it is still tried.
  var patience = 4

  /// One in two purchases, about; some are asked for in parts, some twice, some for more than was paid.
  static func draw(_ dice: Dice, _ plan: [PlannedPurchase], always: Bool) -> [RefundWish] {
    var wishes: [RefundWish] = []
    for purchase in plan where dice.oneIn(2) || always {
      var at = purchase.at + UInt64(dice.below(60_000))
      let choice = dice.below(100)
      for _ in 0..<dice.pick([1, 1, 2, 3]) {
        let percent = dice.pick([nil, 10, 35, 50, 100, 60, 110])
        wishes.append(RefundWish(at: at, choice: choice, percent: percent))
        at += UInt64(dice.below(20_000))
      }
    }
    return wishes.sorted { $0.at < $1.at }
  }
}

extension Shopper {
  /// Asks for money back, or goes on with what was asked for; false if there is nothing to do now.
  func refund() async throws -> Bool {
    // Where a stop may change nothing about the end, one after the other: an open request is gone on with
    // instead of a second one.
    let isInTurn = !world.scenario.isCalm || life.store.image.machines("refund").isEmpty
    if let wish = host.wishes.first, world.scheduler.now >= wish.at, isInTurn {
      let bought = try await wallet.purchases().filter { $0.phase == "delivered" }
      if !bought.isEmpty {
        try await ask(wish, bought[wish.choice % bought.count])
        return true
      }
      // Nothing was bought, and nothing will be.
      if host.plan.isEmpty { host.wishes.removeFirst() }
    }
    if !life.store.image.machines("refund").isEmpty {
      try await wallet.resume()
      await wait(2_000)
      return true
    }
    guard host.plan.isEmpty, let wish = host.wishes.first else { return false }
    await wait(Int(wish.at - min(wish.at, world.scheduler.now)) + 1)
    return true
  }

  private var requests: Int {
    life.store.image.messagesLabelled[PairKey("refund/RF1", [])]?.count ?? 0
  }

  private func ask(_ wish: RefundWish, _ purchase: PurchaseSummary) async throws {
    // A stop in the middle of it: the request is on its way all the same.
    if let before = host.requestsBefore, requests > before { return granted() }
    host.requestsBefore = requests
    var amount: Money?
    if let percent = wish.percent, let price = Money(purchase.price) {
      // What the smallest denomination can make up.
      amount = Money(
        currency: price.currency, amount: max(5, (price.amount * UInt64(percent) / 100 + 4) / 5 * 5))
    }
    do { _ = try await wallet.refund(purchase.number, amount: amount) } catch let refused as RefusedByPeer {
      granted()
      throw refused
    } catch {
      try life.checkAlive()
      host.wishes[0].patience -= 1
      if requests > host.requestsBefore! || host.wishes[0].patience == 0 { granted() }
      throw error
    }
    granted()
  }

  /// The wish was uttered; `resume` does the rest.
  private func granted() {
    host.wishes.removeFirst()
    host.requestsBefore = nil
  }
}

extension Host {
  /// A merchant's operator answers who waits. The same request has the same answer, whatever happened
  /// between.
  func answerRefunds() {
    guard let life, let party = life.party else { return }
    for row in life.store.image.machines("refund") where row.phase == RefundPhase.waiting.rawValue {
      let log = life.store.image.log("refund", row.key)
      guard let hash = Hash(row.key), let rf1 = log.lazy.compactMap({ try? Unverified<RF1>($0.bytes) }).first
      else { continue }
      let agrees = (rf1.claims.amount.amount + UInt64(index)) % 4 != 0
      world.note(8, self, nil, row.key) {
        "\(self.member.name) \(agrees ? "agrees to" : "denies") the refund \(hash.description.prefix(8))"
      }
      world.scheduler.spawn { try? await party.answerRefund(hash, agrees: agrees) }
    }
  }
}
