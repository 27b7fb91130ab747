// The parcels of a merchant's sales: what is to be sent where, and what kiosks said of it.

import Foundation
public import Messages
import Parties
import Storage

/// A parcel as it stands, for people and JSON.
public struct DeliverySummary: Codable, Equatable, Sendable {
  /// The sale's number.
  public var n: String
  /// The parcel's label.
  public var parcel: String
  /// The goods' name.
  public var name: String
  /// "offered" (not paid: do not send it), "to send", "arrived", or the outcome that the kiosk signed:
  /// "handed over", "refused", "refused damaged", "failed", "expired", "returned"; "disputed" if two kiosks
  /// signed one.
  public var state: String
  /// The office where it is collected, by the trust list's name.
  public var office: String
  public var holdUntil: Timestamp?
  /// When the latest of what is known of it happened.
  public var at: Timestamp?
  /// Whether the customer's signature is there: proof of delivery.
  public var isProven: Bool
  /// What was found in a damaged parcel.
  public var inventory: String?
}

/// Part of the parcels, by sale: those behind `after`.
struct DeliveriesPage: OperatorTask {
  static let name = "deliveries"
  var after: String?

  func carryOut(at desk: MerchantDesk) async throws -> Page<DeliverySummary> {
    try await desk.store.read { tx in
      try Page(of: MerchantService.kind, after: after, in: tx) { row in try DeliverySummary(row, tx) }
    }
  }
}

/// The contracts of paid parcels for an office, with their commits: what its kiosk expects.
struct ExportParcels: OperatorTask {
  static let name = "parcels"
  /// The office's key; nil: for all.
  var office: String?
  var after: String?

  func carryOut(at desk: MerchantDesk) async throws -> Page<Data> {
    try await desk.store.read { tx in
      try Page(of: MerchantService.kind, after: after, in: tx) { row in
        let messages = try tx.labelled(kind: MerchantService.kind, key: row.key)
        guard let stored = messages[.p1], let commit = messages[.p5a] else { return nil }
        let contract = try Verified<P1>(stored: stored).payload.contract
        guard contract.parcel != nil, let key = contract.offices.first,
          office.map({ $0 == key.description }) ?? true
        else { return nil }
        return Data(try Messages.Bundle([stored, commit]).encoded())
      }
    }
  }
}

extension DeliverySummary {
  /// Nil for a sale without a parcel.
  init?(_ row: MachineRow, _ tx: any StoreTransaction) throws {
    guard let phase = SalePhase(rawValue: row.phase),
      let stored = try tx.message(kind: MerchantService.kind, key: row.key, label: Label.p1.rawValue)
    else { return nil }
    let p1 = try Verified<P1>(stored: stored).payload
    guard let parcel = p1.contract.parcel, let key = p1.contract.offices.first else { return nil }
    let kept = try tx.messages(kind: MerchantService.kind, key: row.key)
    func all<P: Payload>(_: P.Type) throws(MessageError) -> [Verified<P>] {
      var result: [Verified<P>] = []
      for message in kept where message.label == P.type.label {
        result.append(try Verified<P>(stored: message.bytes))
      }
      return result
    }
    let outcomes = try all(D3.self).filter { $0.payload.stage == DeliveryStage.final.rawValue }
    let arrived = try all(D0.self).last?.payload.arrived
    let paid = try tx.message(kind: MerchantService.kind, key: row.key, label: Label.p5a.rawValue) != nil
    let outcome = outcomes.last.flatMap { DeliveryOutcome(rawValue: $0.payload.outcome) }
    self.init(
      n: p1.n.description, parcel: parcel, name: p1.contract.name,
      state: Set(outcomes.map(\.signer)).count > 1
        ? "disputed" : outcome?.title ?? (arrived != nil ? "arrived" : paid ? "to send" : "\(phase)"),
      office: key.description, holdUntil: p1.contract.holdUntil,
      at: outcomes.last?.payload.time ?? arrived,
      isProven: outcome == .handedOver && outcomes.last?.payload.hD2 != nil,
      inventory: try all(D1.self).last?.payload.inventory)
  }
}

extension DeliveryOutcome {
  /// As people call it.
  var title: String {
    switch self {
    case .handedOver: "handed over"
    case .refused: "refused"
    case .refusedDamaged: "refused damaged"
    case .failed: "failed"
    case .expired: "expired"
    case .returned: "returned"
    }
  }
}

extension MerchantOperation {
  /// All parcels of all sales.
  public func deliveries() async throws -> [DeliverySummary] {
    let offices = try offices()
    return try await all { DeliveriesPage(after: $0) }.map { parcel in
      var parcel = parcel
      parcel.office = offices.first { $0.key.description == parcel.office }?.name ?? parcel.office
      return parcel
    }
  }

  /// What the kiosk of an office, by name or key, expects: a bundle of contracts and commits.
  public func parcels(office name: String?) async throws -> [UInt8] {
    let key = try name.map { name in
      if PublicKey(hex: name) != nil { return name.lowercased() }
      guard let entry = try offices().first(where: { $0.name == name }) else {
        throw ServiceError.notFound("the trust list has no kiosk \(name)")
      }
      return entry.key.description
    }
    let pairs = try await all { ExportParcels(office: key, after: $0) }
    let messages = try pairs.flatMap { try Messages.Bundle(encoded: Array($0)).messages }
    return try Messages.Bundle(messages).encoded()
  }

  /// The kiosks of the trust list in force.
  private func offices() throws -> [TrustEntry] {
    guard directory.exists("trust.acd") else { return [] }
    return try LoadedTrust(try directory.read("trust.acd")).list.entries.filter { $0.role == .kiosk }
  }
}
