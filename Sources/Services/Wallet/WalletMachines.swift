// The wallet's machines in its store: taking one up, and storing what an event comes to in one durable step.

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  func load<P: CustomerMachine>(
    _: P.Type, _ tx: any StoreTransaction, _ number: UInt64
  ) throws -> (info: PurchaseInfo, machine: P) {
    guard let (row, info) = try tx.purchase(number), let phase = PurchasePhase(rawValue: row.phase)
    else {
      throw ServiceError.notFound("there is no purchase \(number)")
    }
    let messages = try tx.labelled(kind: PurchaseInfo.kind, key: RowKey.number(number))
    return (info, try P(phase: phase, messages: messages))
  }

  func look<P: CustomerMachine>(_: P.Type, _ number: UInt64) async throws -> (info: PurchaseInfo, machine: P)
  {
    try await store.read { tx in try self.load(P.self, tx, number) }
  }

  func info(_ number: UInt64) async throws -> PurchaseInfo {
    try await store.read { tx in
      guard let (_, info) = try tx.purchase(number) else {
        throw ServiceError.notFound("there is no purchase \(number)")
      }
      return info
    }
  }

  func message(_ number: UInt64, _ label: Label) async throws -> [UInt8] {
    let found = try await store.read {
      try $0.message(kind: PurchaseInfo.kind, key: RowKey.number(number), label: label.rawValue)
    }
    guard let found else { throw ServiceError.notFound("purchase \(number) has no \(label.rawValue)") }
    return found
  }

  /// Gives the machine an event and stores what it says, in one durable step.
  func apply<P: CustomerMachine>(
    _: P.Type, _ number: UInt64, holding inputs: [TokenInput] = [],
    _ event: @escaping @Sendable (inout P) throws -> [CustomerEffect]
  ) async throws {
    let denial = try await store.write { tx -> Denial? in
      let (info, stored) = try self.load(P.self, tx, number)
      var machine = stored
      try tx.updateCoins(inputs) { coin, amount in coin.held += amount }
      var denial: Denial?
      for effect in try event(&machine) {
        switch effect {
        case .keep(let label, let bytes):
          try tx.keep(label, bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
        case .enter(let phase, let due): try tx.putPurchase(info, phase: phase, due: due)
        case .send: break  // `advance` sends what the phase calls for, now and after a restart
        case .spent(let inputs):
          try tx.updateCoins(inputs) { coin, amount in
            coin.held -= min(coin.held, amount)
            coin.rest -= min(coin.rest, amount)
          }
        case .freed(let inputs):
          try tx.updateCoins(inputs) { coin, amount in coin.held -= min(coin.held, amount) }
        case .returned(let inputs):
          try tx.updateCoins(inputs) { coin, amount in coin.rest = min(coin.value, coin.rest + amount) }
        case .deny(let reason): denial = reason
        }
      }
      return denial
    }
    if let denial { throw ServiceError.protocolViolation(denial.detail) }
  }
}
