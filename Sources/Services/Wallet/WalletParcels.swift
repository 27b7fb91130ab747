// Goods that are collected at a counter (docs/SPEC.md, "Delivery at a counter"): where, by whose key, the
// receipt on a card, and the wallet's own answer to a kiosk's challenge.
//
// Invariants: the wallet answers a challenge only for a purchase of its own, at the office of its contract,
// and keeps challenge and answer before it shows the answer. What a card collects, the wallet cannot.

import Cards
import Foundation
public import Messages
import Parties
import Storage

/// A purchase's parcel, for people and JSON.
public struct ParcelSummary: Codable, Equatable, Sendable {
  public var number: UInt64
  /// The label.
  public var parcel: String
  /// Where it is collected: the kiosk's name in the trust list, or its key.
  public var office: String
  public var holdUntil: Timestamp?
  /// Whether the wallet itself may answer the kiosk: otherwise a card does.
  public var byWallet: Bool
}

extension Wallet {
  /// The office where an offer is to be collected: the named one, or the offer's only one. Nil where nothing
  /// is collected.
  public func office(_ name: String?, of offer: Offer) throws -> PublicKey? {
    let known = trust.list.entries.filter { $0.role == .kiosk && offer.offices.contains($0.key) }
    guard !offer.offices.isEmpty else {
      guard name == nil else {
        throw ServiceError.configuration("this offer is not collected at a counter; nothing was paid")
      }
      return nil
    }
    let names = known.map(\.name).joined(separator: ", ")
    let chosen = name.map { name in
      known.filter { $0.name == name || $0.key.description == name.lowercased() }
    }
    guard let office = (chosen ?? known).first, chosen != nil || known.count == 1 else {
      throw ServiceError.configuration(
        "say with --office where you want to collect it: \(names.isEmpty ? "nowhere that is trusted" : names)"
      )
    }
    try trust.list.check(office.key, as: .kiosk, at: clock(), subject: office.name)
    return office.key
  }

  /// A fresh key on the card that can collect, and its number there.
  public func makeCollectKey() throws -> (index: UInt32, key: PublicKey) {
    try cards.card().makePseudonym()
  }

  /// The parcel of a purchase; nil if it has none.
  public func parcel(_ number: UInt64) async throws -> ParcelSummary? {
    guard try await info(number).mode == .core, let stored = try? await message(number, .p1) else {
      return nil
    }
    let contract = try Verified<P1>(stored: stored).payload.contract
    guard let parcel = contract.parcel, let key = contract.offices.first else { return nil }
    return ParcelSummary(
      number: number, parcel: parcel, office: trust.list.entry(key, as: .kiosk)?.name ?? key.description,
      holdUntil: contract.holdUntil, byWallet: contract.collectors.contains(contract.pseudonym))
  }

  /// Puts a purchase's receipt on the card, under the card's key that the contract lets collect.
  /// - Returns: the record's number on the card.
  public func putReceipt(_ number: UInt64, open: Bool = true) async throws -> UInt8 {
    let receipt = try await receipt(number)
    let contract = try Verified<P1>(stored: receipt.p1).payload.contract
    let card = try cards.card()
    let count = try card.state().contents?.pseudonyms ?? 0
    for index in (0..<count).reversed() where contract.collectors.contains(try card.pseudonym(index)) {
      return try card.store(receipt, pseudonym: index, open: open)
    }
    throw ServiceError.configuration(
      "no key of this card may collect purchase \(number): it was bought for another card, or for the wallet")
  }

  // MARK: At the counter, without a card

  /// Answers a kiosk's challenge as P, and keeps both. `intent` is what the customer wants: a challenge that
  /// says something else is not answered.
  public func answer(_ number: UInt64, challenge bytes: [UInt8], wants intent: DeliveryIntent) async throws
    -> [UInt8]
  {
    let receipt = try await receipt(number)
    let p1 = try Verified<P1>(stored: receipt.p1)
    let d1 = try await challenge(bytes, p1, hP5a: Hash(of: receipt.p5a), intent)
    guard p1.payload.contract.collectors.contains(p1.payload.contract.pseudonym) else {
      throw ServiceError.configuration("this is collected by a card, not by the wallet; nothing was signed")
    }
    let info = try await info(number)
    let d2 = try Verified(
      signing: D2(hD1: d1.hash, intent: intent), with: seed.pseudonymKey(info.pseudonymIndex))
    try await keep([d1.bytes, d2.bytes], with: number)
    return d2.bytes
  }

  /// Answers a challenge for somebody else's purchase, by a pseudonym of one's own to which he gave leave.
  public func answer(
    receipt bytes: [UInt8], challenge: [UInt8], pseudonym name: String, wants intent: DeliveryIntent
  ) async throws -> [UInt8] {
    let receipt = try Receipt(encoded: bytes)
    let p1 = try Verified<P1>(receipt.p1, by: .known(trust.list, as: .merchant))
    let d1 = try await self.challenge(challenge, p1, hP5a: Hash(of: receipt.p5a), intent)
    let key = seed.pseudonymKey(WalletSeed.pseudonym(named: name))
    return try Verified(signing: D2(hD1: d1.hash, intent: intent), with: key).bytes
  }

  /// The public half of a pseudonym of one's own: whoever buys gives it leave to collect.
  public func pseudonym(_ name: String) -> PublicKey {
    seed.pseudonymKey(WalletSeed.pseudonym(named: name)).publicKey
  }

  /// P's leave for another key to collect this one parcel, until then.
  public func delegate(_ number: UInt64, to key: PublicKey, until: Timestamp) async throws -> [UInt8] {
    let p1 = try Verified<P1>(stored: try await message(number, .p1))
    let contract = p1.payload.contract
    guard let parcel = contract.parcel else {
      throw ServiceError.configuration("purchase \(number) has no parcel")
    }
    guard contract.collectors.contains(contract.pseudonym) else {
      throw ServiceError.configuration(
        "this is collected by a card, which gives no leave to others: lend the card, or buy without --card")
    }
    guard key.isSound, until > clock() else {
      throw ServiceError.configuration("the key cannot sign, or the time is over; nothing was signed")
    }
    let info = try await info(number)
    let leave = try Verified(
      signing: Delegation(key: key, parcel: parcel, until: until),
      with: seed.pseudonymKey(info.pseudonymIndex))
    try await keep([leave.bytes], with: number)
    return leave.bytes
  }

  /// Keeps a kiosk's record of a purchase: what became of the parcel.
  public func keepRecord(_ messages: [[UInt8]], with number: UInt64) async throws -> DeliveryRecord {
    let record = try DeliveryRecord(messages, trust: trust.list)
    let receipt = try await receipt(number)
    if let differs = record.mismatch(try Verified<P1>(stored: receipt.p1), hP5a: Hash(of: receipt.p5a)) {
      throw ServiceError.protocolViolation(
        "this is a record of another purchase: \(differs); it was not kept")
    }
    try await keep(record.messages, with: number)
    return record
  }

  private func challenge(
    _ bytes: [UInt8], _ p1: Verified<P1>, hP5a: Hash, _ intent: DeliveryIntent
  ) async throws -> Verified<D1> {
    let d1 = try Verified<D1>(bytes, by: .trusted(trust.list, as: .kiosk, at: clock()))
    let said = d1.payload
    let contract = p1.payload.contract
    guard said.merchant == p1.signer, said.n == p1.payload.n, said.hP1 == p1.hash, said.hP5a == hP5a,
      said.parcel == contract.parcel
    else { throw ServiceError.protocolViolation("the challenge is for another purchase; nothing was signed") }
    guard said.office == d1.signer, contract.offices.isEmpty || contract.offices.contains(said.office) else {
      throw ServiceError.protocolViolation("the challenge is another office's; nothing was signed")
    }
    guard said.intent == intent.rawValue else {
      throw ServiceError.protocolViolation(
        "the challenge asks for something else than you want; nothing was signed")
    }
    return d1
  }

  private func keep(_ messages: [[UInt8]], with number: UInt64) async throws {
    try await store.write { tx in
      for message in messages {
        try tx.keep(
          Label(try MessageType(peeking: message)), message, kind: PurchaseInfo.kind,
          key: RowKey.number(number))
      }
    }
  }
}
