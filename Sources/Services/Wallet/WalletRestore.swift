// Restoring a wallet from its 24 words alone.
//
// The words give all keys and serials again. The bank gives back, to the account's key, every withdrawal
// with the wallet's own sealed recovery note, and, to each token's key, what the token was used for:
// exchanges (with a note again) and purchases. The merchant gives back, to a purchase's pseudonym, its
// request and contract.
//
// A wallet behind an anonymizer should use a new circuit for each of these questions (docs/DESIGN.md,
// "Privacy").

import Foundation
import Messages
import Parties
import Storage

/// What came back.
public struct Restored: Codable, Equatable, Sendable {
  public var tokens = 0
  public var purchases = 0
}

extension Wallet {
  /// How many pseudonyms in a row may be unknown before the search ends.
  private static let pseudonymGap: UInt64 = 1000

  /// Brings tokens and purchases back.
  public func restore() async throws -> Restored {
    let bank = try party(.bank)
    var queue: [Coin] = []
    var from: UInt64 = 0
    while true {
      let answer = try await accountPage(bank, from: from)
      for index in stride(from: 0, to: answer.history.count - 1, by: 2) {
        let w1 = try Verified<W1>(answer.history[index], by: .key(accountKey))
        let w2 = try Verified<W2>(answer.history[index + 1], by: .key(bank.key))
        queue += try await coins(of: w1.payload.outputs, w1.payload.recovery, w2.payload.signatures, bank)
      }
      guard let next = answer.next, !answer.history.isEmpty else { break }
      from = next
    }
    var found = Restored()
    var purchases: [Hash: any FoundPurchase] = [:]
    var seen = Set<Hash>()
    while let coin = queue.popLast() {
      guard seen.insert(try coin.decoded().id).inserted else { continue }
      let (rest, uses) = try await ask(coin, bank)
      for use in uses {
        for mode in ContractModes.all {
          if let found = foundPurchase(mode, use) { purchases[Hash(of: use)] = found }
        }
      }
      queue += try await exchanged(uses, bank)
      var known = coin
      known.rest = rest
      let row = known
      try await store.write { try $0.putCoin(row, id: row.decoded().id) }
      if rest > 0 { found.tokens += 1 }
    }
    try await advanceCounters()
    // The oldest first: pseudonyms were taken in about that order, so that the gap is never wide.
    var limit = Self.pseudonymGap
    let byAge = purchases.values.sorted { $0.terms.expiration < $1.terms.expiration }
    for purchase in byAge {
      guard let index = try await purchase.takeUp(by: self, below: limit) else { continue }
      limit = max(limit, index + Self.pseudonymGap)
      found.purchases += 1
    }
    return found
  }

  private func accountPage(_ bank: TrustEntry, from: UInt64) async throws -> AccountAnswer {
    var generator = SystemRandomNumberGenerator()
    let query = try Verified(
      signing: AccountQuery(bank: bank.key, nonce: .random(using: &generator), from: from),
      with: seed.accountKey())
    let answer: Verified<AccountAnswer> = try expect(
      try await exchange(query.bytes, with: bank.key), from: bank.key, for: query.bytes)
    guard answer.payload.hQuery == query.hash else {
      throw ServiceError.protocolViolation("\(bank.name) answered another query")
    }
    return answer.payload
  }

  private func coins(
    of outputs: [Blinded], _ note: [UInt8]?, _ signatures: [[UInt8]], _ bank: TrustEntry
  ) async throws -> [Coin] {
    guard let note, let pending = RecoveryNote.open(note, key: seed.recoveryKey(), outputs: outputs) else {
      return []
    }
    return try unblind(signatures, pending, try await keyList(bank), bank)
  }

  /// Asks the bank, as the token's key, what is left of a token and what it was used for.
  private func ask(_ coin: Coin, _ bank: TrustEntry) async throws -> (rest: UInt64, uses: [[UInt8]]) {
    var generator = SystemRandomNumberGenerator()
    let query = try Verified(
      signing: StatusQuery(
        n: nil, merchant: nil, nonce: .random(using: &generator), serial: seed.serial(coin.serialIndex)),
      with: seed.tokenKey(coin.keyIndex))
    let answer: Verified<StatusAnswer> = try expect(
      try await exchange(query.bytes, with: bank.key), from: bank.key, for: query.bytes)
    // Locked amounts stay part of the rest: the purchase that holds them is taken up below and holds them
    // again.
    let rest = answer.payload.remainder?.amount ?? coin.value
    return (rest, answer.payload.proof)
  }

  private func exchanged(_ uses: [[UInt8]], _ bank: TrustEntry) async throws -> [Coin] {
    var result: [Coin] = []
    for (index, use) in uses.enumerated() {
      guard let x1 = try? Verified<X1>(use, by: .ownTokens), index + 1 < uses.count,
        let x2 = try? Verified<X2>(uses[index + 1], by: .key(bank.key)), x2.payload.hX1 == x1.hash
      else { continue }
      result += try await coins(of: x1.payload.outputs, x1.payload.recovery, x2.payload.signatures, bank)
    }
    return result
  }

  /// No number is used twice: counters go beyond everything that was found.
  private func advanceCounters() async throws {
    try await store.write { tx in
      let coins = try tx.machines(kind: Coin.kind, phase: nil, after: nil, limit: 100_000).map {
        try JSONDecoder().decode(Coin.self, from: Data($0.data))
      }
      // A withdrawal that never reached the bank may have used some numbers: leave a wide gap.
      let keys = (coins.map(\.keyIndex).max() ?? 0) + 1000
      let serials = (coins.map(\.serialIndex).max() ?? 0) + 1000
      try tx.setMeta("next/token", RowKey.number(keys))
      try tx.setMeta("next/serial", RowKey.number(serials))
    }
  }

  /// Makes the purchase that a P2 belongs to again, from the merchant's and the bank's answers.
  /// - Returns: its pseudonym's number; nil if none below `limit` is this wallet's.
  fileprivate func takeUp<M: ContractMode>(
    _: M.Type, _ p2: Verified<AuthorizationQ<M>>, below limit: UInt64
  ) async throws -> UInt64? {
    let terms = p2.payload.terms
    guard let index = (0..<limit).first(where: { seed.pseudonymKey($0).publicKey == terms.pseudonym }) else {
      return nil
    }
    let answer = try await status(
      of: terms.n, terms.merchant, at: terms.merchant, pseudonym: index)
    var n1: Verified<N1>?
    var p1: Verified<M.Offer>?
    for bytes in answer.payload.proof {
      n1 = (try? Verified<N1>(bytes, by: .key(terms.pseudonym))) ?? n1
      p1 = (try? Verified<M.Offer>(bytes, by: .key(terms.merchant))) ?? p1
    }
    guard let n1, let p1, p1.hash == terms.hP1 else {
      throw ServiceError.protocolViolation("the merchant does not give back the contract of a paid purchase")
    }
    let description = try? await offers(merchant: terms.merchant.description).first {
      $0.id == n1.payload.offer
    }
    var info = PurchaseInfo(
      number: index, pseudonymIndex: index, merchant: terms.merchant.description,
      description: description?.description ?? "", name: p1.payload.contract.name,
      price: p1.payload.contract.price.description, startedAt: p1.payload.contract.date, output: nil,
      protocol: M.mode.name)
    if M.mode == .repeated {
      let first = SeriesItem(
        description: info.description, name: info.name, price: info.price, output: nil)
      info.series = SeriesInfo(budget: terms.value.description, isShort: false, items: [first])
    }
    try await store.write { [info] tx in
      for (label, bytes) in [
        (Label.n1, n1.bytes), (Label(M.Offer.type), p1.bytes), (Label(M.requestType), p2.bytes),
      ] {
        try tx.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(index))
      }
      try tx.putPurchase(info, phase: .authorised, due: terms.expiration)
      let next = try tx.meta("next/purchase").map(RowKey.value) ?? 0
      if next <= index { try tx.setMeta("next/purchase", RowKey.number(index + 1)) }
    }
    // The ciphertext again, then on as after any interruption.
    if let claim = p1.payload.goods { try await fetch(PurchasedGoods(p1, claim), pseudonym: index) }
    try await advance(index, options: BuyOptions())
    return index
  }
}

/// A purchase that a token's history shows.
private protocol FoundPurchase {
  var terms: LockTerms { get }
  func takeUp(by wallet: Wallet, below limit: UInt64) async throws -> UInt64?
}

private struct Found<M: ContractMode>: FoundPurchase {
  let request: Verified<AuthorizationQ<M>>
  var terms: LockTerms { request.payload.terms }

  func takeUp(by wallet: Wallet, below limit: UInt64) async throws -> UInt64? {
    try await wallet.takeUp(M.self, request, below: limit)
  }
}

private func foundPurchase<M: ContractMode>(_: M.Type, _ use: [UInt8]) -> (any FoundPurchase)? {
  (try? Verified<AuthorizationQ<M>>(use, by: .ownTokens)).map { Found<M>(request: $0) }
}
