// What the wallet does in each phase of an announced purchase (FIG. 3): one token is announced in the
// archive, and S_t(PO) goes to the merchant, who has the bank lock it.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  func advanceAnnounced(_ number: UInt64) async throws {
    typealias Machine = AnnouncedPurchase
    while true {
      let (info, machine) = try await look(Machine.self, number)
      if try await advanceUnchecked(Machine.self, info, machine) { continue }
      switch machine.phase {
      case .checked: try await announce(info, machine)
      case .announced: try await publish(number, machine)
      case .authorised, .locked: try await settle(info, machine)
      case .paid: try await deliver(Machine.self, info, machine, machine.goods!)
      default: return
      }
    }
  }

  /// Chooses the token, signs message 3 and keeps it; it is sent in the next step.
  private func announce(_ info: PurchaseInfo, _ machine: AnnouncedPurchase) async throws {
    let (number, choices) = (info.number, info.chosen)
    let terms = machine.p1!.payload.terms
    do {
      let bank = try choices.bank.map { try party(.bank, named: $0).key } ?? terms.bank
      let archive = try choices.archive.map { try party(.archive, named: $0).key } ?? terms.archive
      guard bank == terms.bank, archive == terms.archive else {
        throw ServiceError.configuration("the merchant's order names another bank or archive")
      }
      let coin = try await coin(worth: terms.price, at: terms.bank, until: terms.lifetime)
      let announcement = try machine.announcement(
        of: coin.decoded(), expiration: min(terms.expiration, clock() + choices.expirationSeconds))
      let signed = try Verified(signing: announcement, with: seed.tokenKey(coin.keyIndex))
      let input = TokenInput(token: announcement.token, amount: terms.price.amount)
      try await apply(AnnouncedPurchase.self, number, holding: [input]) { machine in machine.announced(signed)
      }
    } catch {
      if try await look(AnnouncedPurchase.self, number).machine.phase == .checked {
        try await apply(AnnouncedPurchase.self, number) { machine in machine.abandoned() }
      }
      if let denial = error as? Denial {
        throw ServiceError.configuration("\(denial.detail); nothing was paid")
      }
      throw error
    }
  }

  /// The smallest coin that pays it alone: a token is announced whole, and may be used in part.
  private func coin(
    worth price: Money, at bank: PublicKey, until lifetime: Timestamp
  ) async throws -> Coin {
    let coins = try await store.read { try $0.coins() }.filter {
      try $0.currency == price.currency && $0.available >= price.amount && $0.spendUntil > lifetime
        && $0.archive == nil && $0.keyIndex != WalletSeed.account && $0.usableAt() == bank.description
    }
    guard let coin = coins.min(by: { ($0.available, $0.keyIndex) < ($1.available, $1.keyIndex) }) else {
      throw ServiceError.insufficientFunds(
        "an announced purchase is paid with one token, and none here is worth \(price); nothing was paid")
    }
    return coin
  }

  /// Message 3 to the archive. What it publishes is what the customer then signs for.
  private func publish(_ number: UInt64, _ machine: AnnouncedPurchase) async throws {
    let announcement = machine.announcement!
    let archive = announcement.payload.archive
    let published: Verified<Announced>
    do {
      published = try expect(
        try await exchange(announcement.bytes, with: archive), from: archive, for: announcement.bytes)
    } catch let refused as RefusedByPeer {
      try await apply(AnnouncedPurchase.self, number) { machine in machine.refused(refused.refusal) }
      throw refused
    }
    let key = try await keyIndex(of: announcement.payload.token)
    try await apply(AnnouncedPurchase.self, number) { [seed] machine in
      try machine.published(published, tokenKey: seed.tokenKey(key))
    }
  }

  private func keyIndex(of token: Token) async throws -> UInt64 {
    guard let coin = try await store.read({ try $0.coin(token.id) }) else {
      throw ServiceError.protocolViolation("the wallet has no such token")
    }
    return coin.keyIndex
  }

  // MARK: Waiting for the record

  /// Hands 4 to the merchant and waits for the record; from the expiration on the bank is asked whether there
  /// is a lock, and the archive to end it.
  private func settle(_ info: PurchaseInfo, _ machine: AnnouncedPurchase) async throws {
    let claim = machine.claim!
    let terms = claim.announcement.payload.terms(of: claim.order)
    var four = Handover(
      try Messages.Bundle([claim.consent.bytes, claim.published.bytes]).encoded(), to: terms.merchant,
      ifRefused: "the token is free at the expiration", ifAway: "it has until the expiration")
    var rounds = Rounds(until: terms.expiration, silence: "neither archive nor bank has answered")
    while true {
      if try await look(AnnouncedPurchase.self, info.number).machine.phase == .authorised {
        await hand(&four)
      }
      try await rounds.next(surroundings)
      if try await advanced(info, terms, claim) { return }
      try rounds.check(at: clock())
    }
  }

  /// One round of asking; true if the purchase went on.
  private func advanced(_ info: PurchaseInfo, _ terms: LockTerms, _ claim: Claim) async throws -> Bool {
    let (number, completion) = (info.number, info.chosen.completion)
    let machine = try await look(AnnouncedPurchase.self, number).machine
    let published = completion == .archive ? (try? await record(terms)) ?? [] : []
    var shown: [[UInt8]] = []
    if completion != .archive || machine.lock == nil {
      shown += (try? await askMerchant(info, terms, claim)) ?? []
    }
    // An abort in the record counts only beside the lock, which a silent merchant does not show.
    if machine.lock == nil && !published.isEmpty { shown += (try? await askBank(terms, claim)) ?? [] }
    shown += published
    if clock() >= terms.expiration {
      if let lock = machine.lock {
        if let outcome = try? await demandOutcome(AnnouncedMode.self, lock) {
          shown.append(outcome.bytes)
        } else {
          shown += (try? await askBank(terms, claim)) ?? []
        }
      } else if let answer = try? await exchange(claim.bundle.encoded(), with: claim.order.payload.terms.bank)
      {
        shown.append(answer)
      }
    }
    return try await take(shown, number, terms, claim.order.payload.terms.bank)
  }

  /// Gives the machine what counts for it; true if it changed its phase.
  private func take(
    _ shown: [[UInt8]], _ number: UInt64, _ terms: LockTerms, _ bank: PublicKey
  ) async throws -> Bool {
    for bytes in shown {
      let machine = try await look(AnnouncedPurchase.self, number).machine
      if machine.lock == nil, let lock = try? Verified<A7>(bytes, by: .key(bank)), lock.payload.terms == terms
      {
        try await apply(AnnouncedPurchase.self, number) { machine in machine.locked(lock) }
      } else if let outcome = try? Outcome<AnnouncedMode>(bytes, trust: trust.list) {
        // The record of (M, n) may hold aborts of other locks.
        let fits =
          if let lock = machine.lock {
            Lock(lock).mismatch(outcome) == nil
          } else if case .committed(let commit) = outcome {
            terms.mismatch(commit, lock: nil) == nil
          } else { false }
        guard fits else { continue }
        try await proofs.require(outcome)
        try await apply(AnnouncedPurchase.self, number) { machine in machine.decided(outcome) }
        return true
      } else if let refusal = try? Verified<Refusal>(bytes, by: .key(bank)) {
        try await apply(AnnouncedPurchase.self, number) { machine in machine.refused(refusal) }
        return true
      }
    }
    return false
  }

  /// What the merchant says to the pseudonym. Under early completion it may be message 8 before the archive's
  /// record: then the goods are opened at once, and the record is still waited for.
  private func askMerchant(_ info: PurchaseInfo, _ terms: LockTerms, _ claim: Claim) async throws -> [[UInt8]]
  {
    let answer = try await status(
      of: terms.n, terms.merchant, at: terms.merchant, pseudonym: info.pseudonymIndex)
    let goods = PurchasedGoods(claim.order, claim.order.payload.terms.goods)
    for bytes in answer.payload.proof {
      guard let submission = try? Verified<A8>(bytes, by: .key(terms.merchant)) else { continue }
      try await openEarly(
        AnnouncedMode.self, goods, terms, submission, by: submission.payload.key, info)
    }
    return answer.payload.proof
  }

  /// What the bank says to t's key.
  private func askBank(_ terms: LockTerms, _ claim: Claim) async throws -> [[UInt8]] {
    let key = try await keyIndex(of: claim.announcement.payload.token)
    return try await status(
      of: terms.n, terms.merchant, at: claim.order.payload.terms.bank, as: seed.tokenKey(key)
    ).payload.proof
  }
}
