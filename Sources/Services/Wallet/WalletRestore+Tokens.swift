// A restored wallet's tokens: the bank gives back, to the account's key, every withdrawal with the wallet's
// own sealed recovery note, and, to each token's key, what is left of it and what it was used for.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// All tokens that the account ever withdrew at this bank; none where it has no account.
  func withdrawn(at bank: TrustEntry) async throws -> [Coin] {
    var result: [Coin] = []
    var from: UInt64 = 0
    while true {
      let answer: AccountAnswer
      do { answer = try await accountPage(bank, from: from) } catch let refused as RefusedByPeer {
        guard refused.code == Reason.noSuchAccount.rawValue else { throw refused }
        return []
      }
      for index in stride(from: 0, to: answer.history.count - 1, by: 2) {
        let w1 = try Verified<W1>(answer.history[index], by: .key(accountKey))
        let w2 = try Verified<W2>(answer.history[index + 1], by: .key(bank.key))
        result += try await coins(of: w1.payload.outputs, w1.payload.recovery, w2.payload.signatures, bank)
      }
      guard let next = answer.next, !answer.history.isEmpty else { return result }
      from = next
    }
  }

  func accountPage(_ bank: TrustEntry, from: UInt64) async throws -> AccountAnswer {
    var generator = surroundings.randomness
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

  func coins(
    of outputs: [Blinded], _ note: [UInt8]?, _ signatures: [[UInt8]], _ bank: TrustEntry
  ) async throws -> [Coin] {
    guard let note, let pending = RecoveryNote.open(note, key: seed.recoveryKey(), outputs: outputs) else {
      return []
    }
    guard signatures.count == pending.count else {
      throw ServiceError.protocolViolation(
        "\(bank.name) signed \(signatures.count) of \(pending.count) tokens")
    }
    let keys = try await keyList(bank)
    // The note does not say to which archive a token is bound, nor where it is usable: under its own the
    // signature holds.
    let archives = trust.list.entries.filter { $0.role == .archive }.map(\.key.description)
    let banks = trust.list.entries.filter { $0.role == .bank && $0.key != bank.key }.map(\.key.description)
    return try zip(signatures, pending).compactMap { signature, unbound in
      var unbound = unbound
      if WalletSeed.isOnCard(unbound.keyIndex) {
        guard cards.isThere else {
          report(.note("a token on a card was left out: restore with the card in the reader and --card"))
          return nil
        }
        let key = try cards.card().tokenKey(UInt32(truncatingIfNeeded: unbound.keyIndex))
        unbound.key = key.publicKey.description
      }
      if let coin = try? unblind([signature], [unbound], keys, bank).first { return coin }
      for archive in archives {
        var bound = unbound
        bound.archive = archive
        if let coin = try? unblind([signature], [bound], keys, bank).first { return coin }
      }
      for place in banks {
        var elsewhere = unbound
        elsewhere.usableAt = place
        if let coin = try? unblind([signature], [elsewhere], keys, bank).first { return coin }
      }
      throw ServiceError.protocolViolation("\(bank.name)'s signature makes no token")
    }
  }

  /// Asks the bank, as the token's key, what is left of a token and what it was used for.
  func ask(_ coin: Coin) async throws -> (rest: UInt64, uses: [[UInt8]]) {
    let token = try coin.decoded()
    var generator = surroundings.randomness
    let query = StatusQuery(token, nonce: .random(using: &generator))
    let answer = try await answer(to: sign(query, for: coin), at: token.bank)
    let rest = answer.payload.remainder?.amount ?? coin.value
    return (rest, answer.payload.proof)
  }

  func exchanged(_ uses: [[UInt8]], _ bank: TrustEntry) async throws -> [Coin] {
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
  func advanceCounters() async throws {
    try await store.write { tx in
      let coins = try [Coin.kind, Coin.cardKind].flatMap { kind in
        try tx.machines(kind: kind, phase: nil, after: nil, limit: 100_000).map {
          try JSONDecoder().decode(Coin.self, from: Data($0.data))
        }
      }
      // A withdrawal that never reached the bank may have used some numbers: leave a wide gap.
      let keys = (coins.map(\.keyIndex).filter { $0 < WalletSeed.card }.max() ?? 0) + 1000
      let serials = (coins.map(\.serialIndex).max() ?? 0) + 1000
      try tx.setMeta("next/token", RowKey.number(keys))
      try tx.setMeta("next/serial", RowKey.number(serials))
    }
  }
}
